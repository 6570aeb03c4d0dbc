/*
 * rulesets - the YARA rules that the settings name
 *
 * A `feed NAME { source "FILE or FOLDER"  format yara }` is the ruleset
 * yara("NAME"); of a folder all files *.yar and *.yara are read, sorted by
 * name, each as a ruleset of that name. Rules inside a STIX or MISP feed, which
 * builds put into the state directory, are the ruleset of that feed's name.
 */
#ifndef TOCSIN_DAEMON_RULESETS_H
#define TOCSIN_DAEMON_RULESETS_H

#include "language/settings.h"
#include "scanner/scanner.h"

/* Most files, and most bytes of one. */
#define RULESETS_FILES_MAX 10000
#define RULESETS_BYTES_MAX (64u << 20)

struct rulesets {
	LIST_OF(struct scanner_ruleset) items;
	unsigned long long signature; /* over names and text */
	const char *inner_prefix;     /* of files from inside other feeds */
};

/* Reads them into the arena. What cannot be read is left out and noted in
 * `diag` as an error. TC_LIMIT when the arena is full. */
enum tc_status rulesets_read(const struct settings *settings,
    struct arena *arena, struct diag *diag, struct rulesets *rulesets_out);

/* Leaves out what does not compile, file by file, so that one bad file costs
 * itself and is named in `diag`. For a start without older rules; of the rules
 * inside other feeds (`inner_only`) at any time, for nobody mends them. `zygote`
 * as for scanner_new(). */
void rulesets_drop_broken(int zygote, const struct scanner_settings *settings,
    bool inner_only, struct diag *diag, struct rulesets *rulesets);

/* A number over names, sizes and times of all rule files: it changes when one
 * of them does. */
unsigned long long rulesets_mark(const struct settings *settings);

/* What the settings say about the scanner's workers. */
struct scanner_settings rulesets_scanner_settings(
    const struct settings *settings);

#endif
