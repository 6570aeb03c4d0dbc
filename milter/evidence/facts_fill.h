/*
 * facts_fill - a message's evidence as the facts that rules speak of
 *
 * Reads:    evidence
 * Produces: a value for every field of policy/language/schema.h that is known
 *           at a stage; what rules must wait for is deferred and computed when
 *           a rule first asks
 *
 * Fields that no loaded rule names are not filled in where that would cost
 * more than a few stores.
 */
#ifndef TOCSIN_EVIDENCE_FACTS_FILL_H
#define TOCSIN_EVIDENCE_FACTS_FILL_H

#include <stdbool.h>

#include "base/status.h"
#include "language/schema.h"

struct authenticate;
struct evidence;
struct facts;
struct matcher;

/* Where deferred facts come from; lives as long as the facts. */
struct facts_fill_source {
	struct evidence *evidence;
	struct authenticate *authenticate; /* NULL: results are final */
	const struct matcher *matcher;     /* NULL: no indicators */
	bool gave_up; /* the early deadline passed: DNS facts are errors */
};

/* Sets what is known at connect, helo, mail or rcpt; at rcpt `rcpt` is the
 * newest recipient. TC_LIMIT at the arena's ceiling. */
enum tc_status facts_fill_early(struct facts *facts,
    struct facts_fill_source *source, enum schema_stage stage);

/* Sets all facts of a complete message. TC_LIMIT at the arena's ceiling: what
 * did not fit is an evaluation error. */
enum tc_status facts_fill_message(
    struct facts *facts, struct facts_fill_source *source);

#endif
