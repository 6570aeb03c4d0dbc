/*
 * explain - why a rule matched or did not, clause by clause
 *
 * Renders the trace that eval_run() left when eval_input.trace was set.
 */
#ifndef TOCSIN_LANGUAGE_EXPLAIN_H
#define TOCSIN_LANGUAGE_EXPLAIN_H

#include "base/builder.h"
#include "language/eval.h"

struct program_rule;

struct explain_options {
	/* Show what of the body matched; otherwise offset and length only. */
	bool show_content;
	/* Leave out rules that did not match. */
	bool matched_only;
	/* Only these rules, whatever their stage; NULL: all of the stage that
	 * was run last. */
	const char *const *names;
	size_t name_count;
	/* Of these only those of the stage that was run last: what a later one
	 * asks for is not known yet. */
	bool stage_only;
};

/* The rules of the last run as indented text, those that matched first. Of a
 * collection the elements that decided come first, each with what it is. */
void explain_print(const struct eval *eval,
    const struct explain_options *options, struct builder *out);

/* The same as a JSON array of objects {rule, matched, shadow, exempted_by,
 * clauses: [{text, depth, result, note}]}. */
void explain_json(const struct eval *eval,
    const struct explain_options *options, struct builder *out);

/* What a rule asks for: "quarantine, preserve, alert". */
void explain_demand(const struct program_rule *rule, struct builder *out);

#endif
