/*
 * print - a policy file in the one canonical layout
 *
 * Comments are kept; printing what was printed changes nothing. A file with
 * syntax errors is not printed.
 */
#ifndef TOCSIN_LANGUAGE_PRINT_H
#define TOCSIN_LANGUAGE_PRINT_H

#include "base/builder.h"
#include "base/diag.h"
#include "base/status.h"

/* Appends the formatted text to `out`. TC_OK, TC_INVALID (errors are in
 * `diag`), or TC_LIMIT when `out` is full. */
enum tc_status print_file(
    const struct diag_source *source, struct diag *diag, struct builder *out);

#endif
