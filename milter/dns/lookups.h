/*
 * lookups - the DNS questions of one message, asked once each
 *
 * SPF, DKIM, DMARC and ARC ask here and share what was found. Nothing blocks:
 * an answer is pending until it came, and the asker returns TC_AGAIN. Whoever
 * owns the message calls lookups_wait() and then the askers again.
 *
 * A message may ask so many questions, receive so many bytes and wait so long;
 * beyond that an answer is DNS_TEMPERROR with its reason. All functions are
 * for the thread that has the message. The resolver's threads only put a
 * finished reply into the question's own slot and signal; slots are counted,
 * so lookups may be freed while questions are under way.
 */
#ifndef TOCSIN_DNS_LOOKUPS_H
#define TOCSIN_DNS_LOOKUPS_H

#include "base/arena.h"
#include "dns/dns.h"
#include "dns/resolver.h"

struct lookups;

struct lookups_limits {
	unsigned queries_max;    /* different questions of one message */
	size_t answer_bytes_max; /* of all answers together */
	unsigned deadline_ms;    /* from the first question on; 0: none */
};

/* SPF 10 terms with 10 hosts each at worst, DKIM 10 keys, DMARC 8 names per
 * identifier, ARC 50 keys; 15 s is well inside Postfix's 30 s. */
#define LOOKUPS_LIMITS_DEFAULT                        \
	((struct lookups_limits){ .queries_max = 300, \
	    .answer_bytes_max = (size_t)1 << 20,      \
	    .deadline_ms = 15000 })

/* Makes an empty set in `arena`. `resolver` must outlive it; NULL: no DNS is
 * asked, every answer is DNS_TEMPERROR with refused_by_cap. `limits` NULL: the
 * default. NULL when there is no memory. */
struct lookups *lookups_new(struct arena *arena, struct resolver *resolver,
    const struct lookups_limits *limits);

/* Gives all answers back; their slices end here. Call before the arena is freed
 * or reset; questions under way are abandoned. Clears the pointer, accepts NULL
 * inside. */
void lookups_free(struct lookups **lookups);

/* The answer to a question, which is asked if it was not yet. Never blocks,
 * never NULL. The pointer stays the same for the life of lookups; its state
 * changes inside the functions of this header. Names differ by their octets
 * without regard to ASCII case; a final dot does not count. A name that no
 * question can hold is DNS_NXDOMAIN. */
const struct dns_answer *lookups_ask(
    struct lookups *lookups, struct slice name, enum dns_type type);

/* True while some question has no answer. */
bool lookups_pending(const struct lookups *lookups);

/* Blocks until some answer came, at most until `deadline_ms` on the clock of
 * resolver_clock_ms(). True when an answer came (or nothing is pending), false
 * when time ran out. When the deadline of lookups_limits has passed everything
 * pending is given up, as by lookups_expire(), and the result is true. */
bool lookups_wait(struct lookups *lookups, uint64_t deadline_ms);

/* Gives up: all pending answers become DNS_TEMPERROR, timed_out, and so does
 * each later question that is not known at once. */
void lookups_expire(struct lookups *lookups);

/* When the limits' deadline ends on the clock of resolver_clock_ms(); UINT64_MAX
 * before the first question or without one. */
uint64_t lookups_deadline(const struct lookups *lookups);

/* True when something of this message failed for want of an answer while our
 * own resolver is down. */
bool lookups_resolver_down(const struct lookups *lookups);

/* All questions in the order they were asked, for --explain. */
size_t lookups_count(const struct lookups *lookups);
const struct dns_answer *lookups_answer(
    const struct lookups *lookups, size_t index);

struct lookups_usage {
	unsigned questions;
	unsigned cache_hits;
	unsigned timeouts;
	unsigned refused; /* by a limit */
	size_t answer_bytes;
};

void lookups_usage_read(
    const struct lookups *lookups, struct lookups_usage *usage_out);

#endif
