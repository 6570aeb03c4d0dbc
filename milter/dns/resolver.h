/*
 * resolver - who answers DNS questions: libunbound, or a scripted zone
 *
 * A resolver belongs to a policy generation and serves all threads. It never
 * blocks the asker: an answer is there at once (from a cache or a script), or
 * comes later through a callback on a thread of the resolver's own.
 *
 * Threads do not survive fork(): make resolvers in the process that asks.
 */
#ifndef TOCSIN_DNS_RESOLVER_H
#define TOCSIN_DNS_RESOLVER_H

#include "dns/dns.h"

struct resolver;

/* Takes the reply (and the duty to release it); NULL when memory was out, to be
 * read as DNS_TEMPERROR. Called once per question, on
 * any thread; must only store it and signal. */
typedef void (*resolver_done)(void *context, struct dns_reply *reply);

struct resolver_class {
	const char *name; /* for `tocsin status` */
	/* As resolver_ask(). `name` is sound, lower case, without final dot. */
	struct dns_reply *(*ask)(struct resolver *resolver, struct slice name,
	    enum dns_type type, resolver_done done, void *context);
	bool (*is_down)(const struct resolver *resolver);
	void (*free)(struct resolver *resolver);
};

/* What all resolvers begin with. */
struct resolver {
	const struct resolver_class *class;
};

/* `resolver { … }` of tocsin.conf as plain data. */
struct resolver_settings {
	const char *server; /* addresses separated by blanks or commas, each
	                       ADDRESS or ADDRESS@PORT; or zone:FILE; NULL or "":
	                       what /etc/resolv.conf names */
	unsigned port;      /* where a server names none; 0: 53 */
	bool dnssec;        /* validate ourselves */
	const char *trust_anchor; /* file with DNSKEY or DS of the root; NULL or
	                             "": dns-root-data's */
	size_t cache_bytes;     /* libunbound's and ours together; 0: default */
	unsigned cache_entries; /* most entries of ours; 0: default */
};

#define RESOLVER_PROBLEM_MAX 256

/* Makes the resolver that the settings ask for. NULL when it cannot: then
 * `problem` says why, in words for the operator. */
struct resolver *resolver_open(const struct resolver_settings *settings,
    char problem[RESOLVER_PROBLEM_MAX]);

/* Ends it and clears the pointer; accepts NULL inside. Questions that are
 * still under way are answered with DNS_TEMPERROR before it returns. */
void resolver_free(struct resolver **resolver);

/* True when answers come from a zone file. */
bool resolver_is_zone(const struct resolver_settings *settings);

/* Asks. Returns a reply, with one reference for the caller, when it is known
 * at once; then `done` is not called. Else returns NULL and calls `done` once,
 * maybe before this function returns. A name that no question can hold is
 * answered with DNS_NXDOMAIN. Where memory is out, NULL is also what `done` is
 * called with. */
struct dns_reply *resolver_ask(struct resolver *resolver, struct slice name,
    enum dns_type type, resolver_done done, void *context);

/* True when the resolver that the operator named answers nothing at all, not
 * even about the root (`resolver.down` in policy). A dead zone of somebody
 * else does not count. */
bool resolver_is_down(const struct resolver *resolver);

const char *resolver_class_name(const struct resolver *resolver);

/* Counts of the whole process, over all resolvers since the start. */
struct resolver_counters {
	uint64_t questions;  /* asked by messages, duplicates left out */
	uint64_t cache_hits; /* of these, answered from our own cache */
	uint64_t timeouts;   /* given up without an answer */
	uint64_t failures;   /* SERVFAIL, bogus and the like */
	uint64_t refused;    /* not asked: a message's limit was reached */
};

void resolver_counters_read(struct resolver_counters *counters_out);

/* For resolvers and lookups: adds to one counter. */
enum resolver_counter {
	RESOLVER_QUESTIONS,
	RESOLVER_CACHE_HITS,
	RESOLVER_TIMEOUTS,
	RESOLVER_FAILURES,
	RESOLVER_REFUSED,
	RESOLVER_COUNTERS
};
void resolver_count(enum resolver_counter counter);

/* Milliseconds on the monotonic clock. */
uint64_t resolver_clock_ms(void);

#endif
