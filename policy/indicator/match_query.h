/*
 * match_query - what would match one value that somebody asks for
 *
 * A query goes through the same stores by the same keys as a message's match,
 * so the two cannot disagree: match.c and match_query.c share what is declared
 * here, and nobody else includes it. What they offer is in match.h.
 */
#ifndef TOCSIN_INDICATOR_MATCH_QUERY_H
#define TOCSIN_INDICATOR_MATCH_QUERY_H

#include "base/list.h"
#include "base/table.h"
#include "indicator/match.h"
#include "indicator/stix_program.h"

#define SOUGHT_MAX 64 /* keys that are looked for at a time */

enum {
	BASE,
	LOCAL,
	STORES
};

/* The settings of one feed of a store, made ready. */
struct matcher_feed {
	struct feed_config config;
	struct slice name;
	bool active;          /* configured */
	int64_t content_unix; /* 0: there is none */
};

struct matcher_store {
	const struct store *store; /* NULL: absent */
	struct matcher_feed *feeds;
	uint32_t feed_count;
};

struct matcher {
	struct matcher_store stores[STORES];
	/* Hand-added values that the last build found on a warninglist: kind
	 * and key, to the list's name. */
	struct arena *arena;
	struct table listed;
	struct stix_expressions *expressions; /* of unkeyed patterns, or NULL */
};

/* An entry that has hit at a place already. */
struct seen_hit {
	unsigned store;
	uint32_t entry;
	enum match_where where;
	const char *field;
};

/* A compound pattern that has been tried. */
struct tried_pattern {
	unsigned store;
	uint32_t program;
};

/* A key that is being looked for: its memory is on its way. */
struct sought_key {
	enum indicator_kind kind;
	struct slice key;
	const struct match_observation *observation;
	unsigned role;
	uint64_t sought[STORES];
};

struct asked_key {
	enum indicator_kind kind;
	struct slice key;
};

/* One message's match, or one query. */
struct matching {
	struct sought_key sought[SOUGHT_MAX];
	size_t sought_count;
	/* Of a query: every key that was looked for. */
	LIST_OF(struct asked_key) asked;
	const struct matcher *matcher;
	const struct match_limits *limits;
	struct arena *arena;
	int64_t now_unix;
	const struct match_observations *observations; /* NULL: a query */
	const struct match_observation *observation;   /* the one at hand */
	unsigned role;                                 /* where it stands */
	struct match_hits *hits;
	struct match_answers *answers;
	LIST_OF(struct seen_hit) seen;
	LIST_OF(struct tried_pattern) tried;
	struct stix_view *view; /* made for the first pattern */
	size_t pattern_steps;   /* left */
};

/* Why an entry does not act here, or MATCH_ACTS. */
enum match_reason match_judge(const struct matching *matching,
    const struct matcher_feed *feed, const struct store_entry *entry);

/* Whether a key is masked by hand. */
bool match_is_masked(const struct matching *matching, enum indicator_kind kind,
    struct slice key);

/* Fills in what is known of an entry, and of the observation at hand. */
void match_fill_hit(struct matching *matching,
    const struct matcher_store *bound, const struct store_entry *entry,
    struct match_hit *hit);

/* Looks for all keys that follow from a value; they are answered for, or hit,
 * with match_look_up_sought(). */
void match_probe_value(
    struct matching *matching, enum indicator_kind kind, struct slice value);
void match_look_up_sought(struct matching *matching);

/* Notes an entry of a store as an answer; `list`: the warninglist for which it
 * does not act, or NULL. */
void match_query_note(struct matching *matching, unsigned store,
    const struct store_entry *entry, enum match_reason reason,
    const struct slice *list);

#endif
