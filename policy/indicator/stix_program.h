/*
 * stix_program - what of a STIX pattern mail can show, compiled and evaluated
 *
 * Reads:    a parsed pattern
 * Produces: either plain indicators (one comparison by `=` or IN, or such
 *           comparisons joined by OR), or a small program with the keys under
 *           which it stands in the store
 *
 * The values are Kleene's: a property that mail cannot show, or that was not
 * computed, is unknown. A pattern that comes out unknown is a partial match
 * when a strong comparison (hash, URL, domain, address, IP address by `=` or
 * IN) is true in a part that could still be true. For a file whose hash is
 * true its name counts as unknown. A name AND only what it resolves to, or an
 * address AND only port or protocol, is reduced to its first half.
 *
 * Inside one [ ] the comparisons on files hold for one attachment; those on
 * the message for one message, this one or mail inside it, its parts being any of them unless all that is
 * said has one index; those on names, URLs and addresses for any that was
 * observed.
 *
 * Programs are octets in a file that may be hostile: reading them checks every
 * length, and depth and steps are bounded.
 */
#ifndef TOCSIN_INDICATOR_STIX_PROGRAM_H
#define TOCSIN_INDICATOR_STIX_PROGRAM_H

#include "indicator/feed.h"
#include "indicator/match.h"
#include "indicator/stix_expressions.h"
#include "indicator/stix_pattern.h"
#include "indicator/stix_view.h"

/* A comparison by which the pattern is found. */
struct stix_atom {
	enum indicator_kind kind;
	unsigned roles;
	struct slice value; /* as in the pattern */
};

struct stix_compiled {
	/* FEED_USED, FEED_NOT_VISIBLE, FEED_UNSUPPORTED_PATTERN or
	 * FEED_NO_STRONG_PART. */
	enum feed_reason reason;
	const char *detail; /* for the operator, or NULL; constant */
	bool plain;         /* each atom alone makes the pattern true */
	bool unkeyed;       /* has to be tried on each message */
	LIST_OF(struct stix_atom) atoms;
	struct slice program; /* unless plain */
};

/* Compiles into the arena; TC_LIMIT at its ceiling. */
enum tc_status stix_program_compile(struct arena *arena,
    const struct stix_pattern *pattern, struct stix_compiled *compiled_out);

/* Calls `take` for each constant, with the operator that compares it. */
typedef void stix_constant_function(
    void *context, enum stix_operator operator, struct slice constant);
void stix_program_constants(
    struct slice program, stix_constant_function *take, void *context);

/* Adds the program's expressions. */
void stix_program_expressions(
    struct slice program, struct stix_expressions *expressions);

struct stix_result {
	enum stix_truth truth;
	bool partial; /* unknown, and to be counted as a match */
	/* By a branch that has a strong comparison: the hash in "hash or
	 * name", not the name. */
	bool strong;
	/* The observation that made a strong comparison true, NULL: none. */
	const struct match_observation *decided;
};

/* Evaluates; takes its steps off *steps_left and answers unknown when they are
 * used up or the program is damaged. */
struct stix_result stix_program_run(
    struct slice program, struct stix_view *view, size_t *steps_left);

#endif
