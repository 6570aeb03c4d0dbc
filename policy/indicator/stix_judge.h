/*
 * stix_judge - evaluate a STIX pattern over observed data, strictly
 *
 * For people who write patterns: `tocsin indicators pattern`. Any object type
 * is looked at, there is no rule of partial matches, and names are compared as
 * written. Reads a bundle, an observed-data object (2.0 or 2.1), a list of
 * objects or one object. Each observed-data is one observation; without one
 * all objects together are.
 */
#ifndef TOCSIN_INDICATOR_STIX_JUDGE_H
#define TOCSIN_INDICATOR_STIX_JUDGE_H

#include "indicator/stix_pattern.h"

struct stix_judgement {
	enum stix_truth truth;
	struct slice decided; /* the comparison that decided; may be empty */
	const char *problem;  /* why there is no answer, or why unknown */
	unsigned column;      /* of a problem in the pattern, else 0 */
};

/* TC_OK with a judgement; TC_INVALID with its problem when the pattern does
 * not parse or the observed data is no JSON; TC_LIMIT at the arena's
 * ceiling. */
enum tc_status stix_judge(struct arena *arena, struct slice pattern,
    struct slice observed, struct stix_judgement *judgement_out);

/* "true", "false", "unknown". */
const char *stix_truth_name(enum stix_truth truth);

#endif
