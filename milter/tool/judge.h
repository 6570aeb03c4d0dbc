/*
 * judge - a policy with all that it takes to judge messages at rest
 *
 * Reads:    a configuration; the store, the scanner's rules and, where asked
 *           for, DNS that it speaks of
 * Produces: for each message a session that holds its evidence and verdict
 *
 * `tocsin scan` opens one, `scan --against` two, over the same mail. What
 * cannot be had is said on standard error with the remedy.
 */
#ifndef TOCSIN_TOOL_JUDGE_H
#define TOCSIN_TOOL_JUDGE_H

#include "language/pattern_set.h"
#include "session/session.h"
#include "tool/engine.h"
#include "tool/replay.h"

/* How expired indicators and rules with an end are taken. */
enum judge_as_of {
	JUDGE_AS_OF_ANY, /* indicators of any age, marked; rules as of now */
	JUDGE_AS_OF_NOW,
	JUDGE_AS_OF_RECEIVED /* everything as of the day the mail came */
};

/* The position that a switch is taken to have. */
struct judge_switch {
	struct slice name;
	bool on;
};

/* Their patterns are searched for in one pass from so many messages on: about
 * what making that search costs is then won back (tests/bench/policy_bench). */
#define JUDGE_PATTERNS_AFTER 100

struct judge_options {
	const char *zone; /* answers DNS; NULL: none */
	bool dns;         /* DNS is asked now */
	bool auth_given;
	enum session_auth auth;
	enum judge_as_of as_of;
	/* Keep what explain.h wants, and explain refusals so; NULL: neither. */
	const struct explain_options *explain;
	int zygote; /* of the scanner; -1: parts are not opened */
	struct replay_envelope envelope;
	/* Switches that are not as the state folder has them. */
	const struct judge_switch *switches;
	size_t switch_count;
};

struct judge {
	struct judge_options options;
	struct engine engine;
	struct resolver *resolver;
	struct scanner *scanner;
	struct limits limits;
	struct session_shared shared;
	struct session_basis basis;
	bool *positions;              /* of the switches, by index */
	struct pattern_set *patterns; /* NULL: not made (yet) */
	struct pattern_set_report pattern_report;
	unsigned long messages; /* judged so far */
	struct arena *arena;    /* of one message */

	/* the message that was judged last */
	struct session *session; /* NULL: none */
	struct replay_result result;
};

/* Loads `config`. Returns an exit status; the judge is closed in any case by
 * judge_close(). */
int judge_open(struct judge *judge, const char *config,
    const struct judge_options *options);

/* Judges one message; session, result and what the arena holds live until the
 * next call. */
enum tc_status judge_message(struct judge *judge, struct slice raw);

/* Whether the policy has a switch of this name. */
bool judge_has_switch(const struct judge *judge, struct slice name);

/* Accepts one that was never opened, all zero. */
void judge_close(struct judge *judge);

#endif
