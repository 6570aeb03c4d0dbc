/*
 * eval_node - the truth of one node over the facts at hand
 *
 * Three values inside: what could not be evaluated is an error, which `and` and
 * `or` pass on only where the other side does not decide. What it means in the
 * end is the rule's `on-error`.
 */
#ifndef TOCSIN_LANGUAGE_EVAL_NODE_H
#define TOCSIN_LANGUAGE_EVAL_NODE_H

#include "language/compiled.h"
#include "language/eval.h"

struct lookalike_set;

enum eval_truth {
	TRUTH_UNKNOWN, /* zero: not evaluated yet */
	TRUTH_NO,
	TRUTH_YES,
	TRUTH_ERROR
};

/* Why something could not be evaluated. A node's memo holds TRUTH_ERROR plus
 * the reason, so that each rule that shares it can tell. */
enum eval_reason {
	REASON_NONE,
	REASON_VALUE,
	REASON_COLLECTION,
	REASON_REGEX,
	REASON_MEMORY
};

/* For the log; NULL: REASON_NONE. */
const char *eval_reason_text(enum eval_reason reason);

/* What one rule came to. */
struct eval_rule {
	unsigned char matched; /* enum eval_truth: YES or NO once evaluated */
	unsigned char reason;  /* enum eval_reason: what went wrong in it */
	bool by_error;         /* on-error decided */
	bool active;           /* has not ended */
};

/* A list of domains as lookalike() wants it, made when it is first asked. */
struct eval_lookalikes {
	const struct value_list *list;
	const struct lookalike_set *set;
	struct eval_lookalikes *next;
};

struct eval {
	struct arena *arena;
	struct eval_input input;
	const struct program *program;
	const struct program_lists *lists;
	struct facts *facts;
	struct regex_limits regex_limits;
	unsigned char *memo; /* by node: enum eval_truth, and the reason */
	struct eval_rule *rules;
	unsigned char *exemptions; /* enum eval_truth */
	struct value *element;     /* of the innermost quantifier */
	struct eval_lookalikes *lookalikes;
	enum eval_reason reason; /* of the last error */
	struct eval_work work;
	bool again;     /* a fact waits for an answer from outside */
	bool exhausted; /* the arena is full */
	enum schema_stage stage;
};

enum eval_truth eval_node(struct eval *eval, const struct program_node *node);

/* The rule's result, evaluated on first call. */
const struct eval_rule *eval_node_rule(
    struct eval *eval, const struct program_rule *rule);

/* Whether the rule's match changes nothing, now. */
bool eval_node_in_shadow(
    const struct eval *eval, const struct program_rule *rule);

/* The value of an operand; computed ones are put into *scratch. Never NULL. */
struct value *eval_node_value(struct eval *eval,
    const struct compiled_operand *operand, struct value *scratch);

/* The elements of a collection; NULL on error. Those that `filter` leaves out
 * are for eval_node_passes() to tell. */
const struct facts_collection *eval_node_elements(
    struct eval *eval, enum field_id field);
bool eval_node_passes(
    enum field_id field, const char *filter, const struct value *element);

#endif
