/*
 * facts - what is known of one message, as rules see it
 *
 * The caller (milter/evidence/facts_fill) sets values by field id and adds
 * elements to collections; the evaluator reads. Costly fields need not be set:
 * facts_defer() marks them, and the demand callback computes them the first
 * time a rule reads one, at most once per field and message.
 *
 * Memory: everything lives in the arena given to facts_new(), and the bytes
 * that values point at must live as long. A set of facts belongs to one
 * message and one thread at a time; facts_reset() makes it ready for the next.
 */
#ifndef TOCSIN_LANGUAGE_FACTS_H
#define TOCSIN_LANGUAGE_FACTS_H

#include "base/list.h"
#include "base/status.h"
#include "language/schema.h"

struct facts;

/* Computes the field (a value or all elements of a collection) and stores it
 * with the functions below. TC_OK: it is set, or missing. TC_AGAIN: an answer
 * from outside is not there; eval_run() returns TC_AGAIN and asks again when
 * called again. Else the field becomes an error, which each rule's `on-error`
 * decides. */
typedef enum tc_status facts_demand(
    void *context, struct facts *facts, enum field_id field);

struct facts_collection {
	/* element i: items[i][member] */
	LIST_OF(struct value *) elements;
	bool failed; /* not all elements could be had: evaluation error */
};

enum facts_state {
	FACTS_SET,      /* what is there is all there is (also: missing) */
	FACTS_DEFERRED, /* ask the demand callback */
	FACTS_FAILED    /* it was asked and could not say */
};

/* What we could not finish (bits), for `failure { ... }`. */
enum facts_failure {
	FAILURE_DNS,
	FAILURE_LIMIT,
	FAILURE_SCANNER,
	FAILURE_INTERNAL,
	FAILURE_COUNT
};

struct facts {
	struct arena *arena;
	struct value values[FIELD_COUNT]; /* unused where a collection */
	struct facts_collection collections[FIELD_COUNT];
	enum facts_state states[FIELD_COUNT];
	facts_demand *demand;
	void *demand_context;
	unsigned failures; /* 1u << enum facts_failure */
	unsigned elements_max;
};

/* NULL at the arena's ceiling. All fields start set and missing, collections
 * empty, results `none`. */
struct facts *facts_new(struct arena *arena);

/* As new; the arena may have been reset (pass it again). */
void facts_reset(struct facts *facts, struct arena *arena);

/* Computes `field` on demand. */
void facts_defer(struct facts *facts, enum field_id field);
void facts_set_demand(struct facts *facts, facts_demand *demand, void *context);

void facts_set_bool(struct facts *facts, enum field_id field, bool truth);
/* integer, size, duration (ms), time (Unix seconds), enum. */
void facts_set_number(struct facts *facts, enum field_id field, int64_t number);
void facts_set_text(
    struct facts *facts, enum field_id field, struct slice text);
/* As value_set_domain() and value_set_address(). */
void facts_set_domain(
    struct facts *facts, enum field_id field, struct slice name);
void facts_set_address(
    struct facts *facts, enum field_id field, struct slice address);
void facts_set_ip(
    struct facts *facts, enum field_id field, const struct ipaddr *ip);
/* Makes a single value missing again, or a collection empty. */
void facts_clear(struct facts *facts, enum field_id field);

/* Adds an element to a collection and returns its members, all missing: set
 * them with value_set_...(&members[FACT_URL_HOST], ...). NULL at the arena's
 * ceiling or beyond elements_max; the collection is then `failed`. */
struct value *facts_add(struct facts *facts, enum field_id collection);

/* Adds a mailbox: `address` may be empty (then .address, .domain and .local
 * are missing), likewise `display`. */
bool facts_add_mailbox(struct facts *facts, enum field_id collection,
    struct slice address, struct slice display);

/* Adds a word of a closed list (mime.defect, from.defect) by name. False when
 * the list does not hold it. */
bool facts_add_word(
    struct facts *facts, enum field_id collection, const char *word);

/* Sets reply-to.elsewhere by the mailboxes that are there. */
void facts_compare_reply_to(struct facts *facts);

/* Sets analysis.incomplete and adds the reason, once, to analysis.gap. */
void facts_note_gap(struct facts *facts, const char *reason);

/* Notes that a class of our work could not be finished; sets
 * analysis.incomplete as well. */
void facts_fail(struct facts *facts, enum facts_failure failure);

/* Makes sure the field is there, asking the callback where it is deferred. */
enum tc_status facts_require(struct facts *facts, enum field_id field);

#endif
