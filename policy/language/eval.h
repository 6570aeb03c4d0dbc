/*
 * eval - a program over the facts of one message
 *
 * Every rule of the stage is evaluated; order does not change the verdict.
 * Conditions that rules share are evaluated once. Linear in rules, elements
 * and text; regular expressions stop at their limits, which is an evaluation
 * error that the rule's `on-error` decides.
 */
#ifndef TOCSIN_LANGUAGE_EVAL_H
#define TOCSIN_LANGUAGE_EVAL_H

#include "language/pattern_set.h"
#include "language/program.h"
#include "language/verdict.h"

struct eval_input {
	const struct program *program;
	const struct program_lists *lists; /* NULL: the program's own */
	/* Position of each switch by its index; NULL: as in the policy. */
	const bool *switches;
	/* What the program's patterns are searched with; NULL: one by one. */
	const struct pattern_set *patterns;
	int64_t now; /* Unix seconds; ends what has `until` */
	/* Judge shadow rules as if they were enforced (`tocsin test`). */
	bool shadow_enforces;
	/* Record every clause for explain.h. */
	bool trace;
};

struct eval;

/* What an evaluation has cost since eval_new(). */
struct eval_work {
	uint64_t conditions; /* evaluated, each rule's share once */
	uint64_t regexes;    /* run by PCRE2 */
	uint64_t rules;
};

/* One evaluation context for a message; lives in the arena. NULL at its
 * ceiling. */
struct eval *eval_new(struct arena *arena, const struct eval_input *input);

/* Runs the rules of `stage` over the facts. *verdict_out is made in the eval's
 * arena. At STAGE_RCPT call it once for each recipient, with FIELD_RCPT set;
 * its verdict is for that recipient alone. Before STAGE_MESSAGE the disposition
 * is none, defer or reject, and final; join the tags found early into the last
 * verdict with verdict_join(). At STAGE_MESSAGE `failure` takes part.
 * TC_OK, TC_AGAIN (a demanded fact waits; call again with the same facts) or
 * TC_LIMIT (the arena is full: *verdict_out then holds what `failure
 * internal` asks for). */
enum tc_status eval_run(struct eval *eval, enum schema_stage stage,
    struct facts *facts, struct verdict *verdict_out);

/* Does the rule run before the end of the message, so that FIELDs of this
 * stage are worth waiting for? True when any rule runs at `stage`. */
bool eval_has_stage(const struct program *program, enum schema_stage stage);

const struct eval_work *eval_work(const struct eval *eval);

#endif
