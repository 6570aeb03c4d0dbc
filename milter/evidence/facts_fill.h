/*
 * facts_fill - a message's evidence as the facts that rules speak of
 *
 * Reads:    evidence
 * Produces: a value for every field of policy/language/schema.h that is known
 *           at a stage; costly ones when the evaluator first asks for them
 */
#ifndef TOCSIN_EVIDENCE_FACTS_FILL_H
#define TOCSIN_EVIDENCE_FACTS_FILL_H

#include "base/status.h"

struct evidence;
struct facts;

/* Sets what is known at connect, helo, mail and rcpt; `rcpt` is the newest
 * recipient. */
enum tc_status facts_fill_early(
    struct facts *facts, const struct evidence *evidence);

/* Sets all facts of a complete message. TC_LIMIT at the arena's ceiling. */
enum tc_status facts_fill_message(
    struct facts *facts, struct evidence *evidence);

#endif
