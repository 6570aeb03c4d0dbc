/*
 * pattern_set - the `matches` and `contains` of a policy, many in one pass
 *
 * Reads:    a program
 * Produces: for each field that many patterns look at, one search for all of
 *           them (multi_search.h); what it finds in a text is kept with it
 *
 * It answers what it can be sure of and nothing else: a text that is contained
 * or not, a regular expression that cannot match. Whether one does that could,
 * PCRE2 says. So an evaluation gives the same with it and without, except that
 * a regular expression which would have run into its limits is answered.
 *
 * Making one takes up to seconds: a policy is in force without, and gets it
 * when it is there (daemon/pattern_build.h). Immutable; for any number of
 * threads.
 */
#ifndef TOCSIN_LANGUAGE_PATTERN_SET_H
#define TOCSIN_LANGUAGE_PATTERN_SET_H

#include "language/program.h"

struct pattern_set;

/* What makes a search worth its making: fewer are as fast one by one (measured
 * by tests/bench/policy_bench). A regular expression weighs four texts. */
#define PATTERN_SET_LEAST 8
#define PATTERN_SET_REGEX 4

/* What came of it. */
struct pattern_set_report {
	unsigned fields;   /* that have a search */
	unsigned patterns; /* that it answers */
	unsigned refused;  /* that it would have, but could not take */
	size_t bytes;
};

/* Whether any field has so many that a set is worth making. */
bool pattern_set_is_worth(const struct program *program);

/* NULL when nothing is gained by one, or there is no memory. The program must
 * live as long. */
struct pattern_set *pattern_set_new(
    const struct program *program, struct pattern_set_report *report_out);
void pattern_set_free(struct pattern_set **set);

enum pattern_answer {
	PATTERN_UNKNOWN, /* ask elsewhere */
	PATTERN_NO,
	PATTERN_YES
};

/* What the set knows about a node, which looks at `value` (with its text in
 * folded form). Keeps what it found in the value, allocated in `arena`. */
enum pattern_answer pattern_set_ask(const struct pattern_set *set,
    struct arena *arena, const struct program_node *node, struct value *value);

/* True when the node has a place in the set: its text should be folded. */
bool pattern_set_has(
    const struct pattern_set *set, const struct program_node *node);

#endif
