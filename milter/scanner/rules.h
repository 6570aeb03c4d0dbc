/*
 * rules - YARA rules, compiled and run inside the jail's processes
 *
 * Source text only: compiled rules are code. `include` is off. A file that
 * imports a module which parses file formats (pe, elf, dotnet, macho, ...) or
 * reads from outside (cuckoo, magic) is refused: on hostile mail those parsers
 * are the larger risk. math, hash, string, time and console are allowed.
 */
#ifndef TOCSIN_SCANNER_RULES_H
#define TOCSIN_SCANNER_RULES_H

#include <yara.h>

#include "base/builder.h"
#include "scanner/scanner.h"

/* Compiles all rulesets. False with one line an error in `errors` (FILE:LINE:
 * text) when any is refused. *rules_out is NULL where there was none. */
bool rules_compile(const struct scanner_ruleset *rulesets, size_t count,
    struct builder *errors, YR_RULES **rules_out);

/* Notes in `item` each rule that matches the bytes. False when the scan could
 * not be finished (time, memory). */
bool rules_scan(YR_RULES *rules, struct slice bytes, unsigned timeout_seconds,
    struct arena *arena, struct scanner_item *item);

#endif
