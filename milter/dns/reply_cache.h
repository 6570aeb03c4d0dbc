/*
 * reply_cache - answers that many messages share, for as long as their TTL
 *
 * Thread-safe: the table is in shards with a lock each, held for one probe of
 * eight entries. Bounded in entries and bytes; what was used longest ago in its
 * row goes first. Positive and negative answers alike; temporary failures are
 * not kept.
 */
#ifndef TOCSIN_DNS_REPLY_CACHE_H
#define TOCSIN_DNS_REPLY_CACHE_H

#include "dns/dns.h"

struct reply_cache;

/* At most `entries` answers and `bytes` bytes of them, both rounded up to what
 * the shards hold. NULL when there is no memory. */
struct reply_cache *reply_cache_new(size_t entries, size_t bytes);
void reply_cache_free(struct reply_cache **cache);

/* The answer to this question, with a reference for the caller, or NULL.
 * `name` in lower case, `now_ms` on a monotonic clock. */
struct dns_reply *reply_cache_get(struct reply_cache *cache, struct slice name,
    enum dns_type type, uint64_t now_ms);

/* Keeps a reference to `reply` until its TTL ends or room is needed; nothing
 * where the TTL is 0, the answer a temporary failure, or too big. */
void reply_cache_put(struct reply_cache *cache, struct slice name,
    enum dns_type type, struct dns_reply *reply, uint64_t now_ms);

struct reply_cache_usage {
	size_t entries;
	size_t bytes;
};

void reply_cache_usage_read(
    struct reply_cache *cache, struct reply_cache_usage *usage_out);

#endif
