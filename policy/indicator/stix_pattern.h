/*
 * stix_pattern - the STIX patterning language, read into a tree
 *
 * Reads:    a pattern (STIX 2.1 part 9; 2.0 patterns are a subset with quoted
 *           times after START and STOP)
 * Produces: a tree of observation and comparison expressions
 *
 * The whole grammar is read, also what a single message cannot show: whether
 * a pattern can be used is for stix_program.h to say. Nesting is bounded
 * (STIX_DEPTH_MAX), as are octets and comparisons. The tree lives in the arena;
 * its texts point into the pattern or the arena.
 */
#ifndef TOCSIN_INDICATOR_STIX_PATTERN_H
#define TOCSIN_INDICATOR_STIX_PATTERN_H

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"

#define STIX_DEPTH_MAX 32 /* parentheses within each other */
#define STIX_PATH_MAX  16 /* steps of an object path */

/* Kleene's three values, ordered: AND is the least, OR the greatest. */
enum stix_truth {
	STIX_FALSE,
	STIX_UNKNOWN,
	STIX_TRUE
};

enum stix_node_type {
	STIX_NODE_AND,         /* of observations or of comparisons */
	STIX_NODE_OR,          /* the same */
	STIX_NODE_FOLLOWED_BY, /* [a] FOLLOWEDBY [b] */
	STIX_NODE_OBSERVATION, /* [ ... ] */
	STIX_NODE_QUALIFIED,   /* WITHIN, REPEATS, START ... STOP */
	STIX_NODE_COMPARISON
};

enum stix_operator {
	STIX_EQUAL,
	STIX_NOT_EQUAL,
	STIX_GREATER,
	STIX_LESS,
	STIX_GREATER_EQUAL,
	STIX_LESS_EQUAL,
	STIX_IN,
	STIX_LIKE,
	STIX_MATCHES,
	STIX_IS_SUBSET,
	STIX_IS_SUPERSET,
	STIX_EXISTS
};

enum stix_literal_type {
	STIX_STRING,
	STIX_INTEGER,
	STIX_FLOAT,
	STIX_BOOLEAN,
	STIX_TIMESTAMP,
	STIX_HEX,   /* octets decoded */
	STIX_BINARY /* base64, decoded */
};

struct stix_literal {
	enum stix_literal_type type;
	struct slice text; /* string's content, number as written, octets */
};

/* One step behind the object type: a name, an index or [*]. */
struct stix_step {
	struct slice name; /* empty for an index */
	bool any;          /* [*] */
	long index;
};

struct stix_comparison {
	struct slice source; /* as written, for people */
	struct slice object; /* "email-message" */
	struct stix_step steps[STIX_PATH_MAX];
	unsigned step_count;
	enum stix_operator operator;
	bool negated;
	LIST_OF(struct stix_literal) literals; /* several for IN */
};

struct stix_node {
	enum stix_node_type type;
	struct stix_node *first_child;
	struct stix_node *next; /* sibling */
	struct stix_comparison *comparison;
	const char *qualifier; /* "WITHIN", "REPEATS", "START" */
};

struct stix_pattern {
	struct slice text;
	struct stix_node *root;
	unsigned comparison_count;
	/* Why it does not parse, and at which character from 1. */
	const char *problem;
	unsigned column;
};

/* TC_OK; TC_INVALID with problem and column set; TC_LIMIT at the arena's
 * ceiling or with more than atoms_max comparisons. */
enum tc_status stix_pattern_parse(struct arena *arena, struct slice text,
    unsigned atoms_max, struct stix_pattern *pattern_out);

/* SQL's LIKE: '%' stands for any text, '_' for one character. Octets are
 * compared as they are; linear in value times number of '%'. */
bool stix_like(struct slice value, struct slice pattern);

/* The octets of h'...' and b'...', in the arena; false when they are none. */
bool stix_decode_hex(struct arena *arena, struct slice text, struct slice *out);
bool stix_decode_base64(
    struct arena *arena, struct slice text, struct slice *out);

const char *stix_operator_name(enum stix_operator operator);

#endif
