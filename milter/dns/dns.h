/*
 * dns - questions and answers as the rest of Tocsin sees them
 *
 * A name is a slice of raw octets: labels with dots between them, no final
 * dot, letters in any case. A label that holds a dot itself cannot be written
 * so; the readers below return false for such names, which nobody needs.
 *
 * Answers come from strangers. Records are kept as the octets of their RDATA
 * (names uncompressed, RFC 1035, 3.2.1); each reader checks what it reads.
 */
#ifndef TOCSIN_DNS_DNS_H
#define TOCSIN_DNS_DNS_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/ipaddr.h"

enum dns_type {
	DNS_TYPE_A = 1,
	DNS_TYPE_NS = 2,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_SOA = 6,
	DNS_TYPE_PTR = 12,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_SPF = 99
};

enum dns_state {
	DNS_PENDING,  /* no answer yet */
	DNS_FOUND,    /* there is at least one record */
	DNS_NODATA,   /* the name exists, without records of this type */
	DNS_NXDOMAIN, /* the name does not exist, or is none */
	DNS_TEMPERROR /* SERVFAIL, time-out, bogus, refused: nothing is known */
};

/* What a resolver found. Immutable, counted, shared between threads: the last
 * release frees it. */
struct dns_reply {
	atomic_uint references;
	enum dns_state state; /* never DNS_PENDING */
	bool timed_out;
	bool bogus;  /* DNSSEC validation failed; state is DNS_TEMPERROR */
	bool secure; /* DNSSEC validated */
	uint32_t ttl_s;
	size_t bytes;                /* of this allocation */
	struct slice canonical_name; /* at the end of CNAMEs; may be empty */
	size_t record_count;
	struct slice records[]; /* RDATA */
};

/* One question of a message and, later, its answer. Changes only within
 * lookups_ask(), lookups_wait() and lookups_expire(). */
struct dns_answer {
	struct slice name; /* as first asked, without a final dot */
	enum dns_type type;
	enum dns_state state;
	bool timed_out;      /* DNS_TEMPERROR: no answer came in time */
	bool refused_by_cap; /* DNS_TEMPERROR: a limit of the message */
	bool bogus;          /* DNS_TEMPERROR: DNSSEC validation failed */
	bool secure;         /* DNSSEC validated */
	bool from_cache;     /* was there at once */
	uint32_t ttl_s;
	uint32_t took_ms;
	struct slice canonical_name;
	size_t record_count;
	const struct slice *records; /* RDATA */
};

/* Makes a reply that copies all it is given; one reference is the caller's.
 * NULL when there is no memory. */
struct dns_reply *dns_reply_new(enum dns_state state, uint32_t ttl_s,
    struct slice canonical_name, const struct slice *records,
    size_t record_count);

struct dns_reply *dns_reply_hold(struct dns_reply *reply);

/* Gives the reference up and clears the pointer; accepts NULL inside. */
void dns_reply_release(struct dns_reply **reply);

/* The address in record `index` of an A or AAAA answer; false where its RDATA
 * has not the size of one. */
bool dns_answer_address(
    const struct dns_answer *answer, size_t index, struct ipaddr *address_out);

/* The text of record `index` of a TXT answer: its character-strings joined
 * without anything between (RFC 7208, 3.3; RFC 6376, 3.6.2.2), in `arena`; a
 * single string is not copied. False for RDATA that is no row of
 * character-strings, and at the arena's ceiling (arena_exhausted() tells). */
bool dns_answer_text(struct arena *arena, const struct dns_answer *answer,
    size_t index, struct slice *text_out);

/* The same for RDATA at hand. */
bool dns_text_join(
    struct arena *arena, struct slice rdata, struct slice *text_out);

/* The name in record `index` of a PTR, CNAME, NS or MX answer, in `arena`; the
 * root is the empty name. False for what is no name. */
bool dns_answer_name(struct arena *arena, const struct dns_answer *answer,
    size_t index, struct slice *name_out);

/* The preference in record `index` of an MX answer; 65535 where it is cut. */
unsigned dns_answer_preference(const struct dns_answer *answer, size_t index);

/* The name under in-addr.arpa or ip6.arpa that holds the PTR of an address
 * (RFC 1035, 3.5; RFC 3596, 2.5). Returns `text`. */
#define DNS_REVERSE_MAX 74 /* with the final NUL */
const char *dns_reverse_name(
    const struct ipaddr *address, char text[DNS_REVERSE_MAX]);

/* True for a name that a question can hold: labels of 1 to 63 octets, at most
 * 253 octets in all (RFC 1035, 2.3.4). Any octets pass; a final dot too. */
bool dns_name_is_sound(struct slice name);

const char *dns_type_name(enum dns_type type);    /* "TXT", ..., "TYPE?" */
const char *dns_state_name(enum dns_state state); /* "found", "nxdomain", ... */

#endif
