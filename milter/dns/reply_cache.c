#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "dns/reply_cache.h"

#define SHARDS    32u
#define WAYS      8u
#define TTL_MAX_S 3600u /* a wrong answer does not stay for a day */

struct item {
	struct dns_reply *reply;
	size_t bytes;
	enum dns_type type;
	size_t name_length;
	char name[];
};

struct entry {
	uint64_t hash;
	uint64_t expires_ms;
	uint64_t used; /* the shard's tick at the last use */
	struct item *item;
};

struct shard {
	pthread_mutex_t mutex;
	struct entry *entries; /* rows of WAYS */
	uint64_t tick;
	size_t bytes;
	size_t count;
	size_t hand; /* where room is sought next */
	char padding[64];
};

struct reply_cache {
	uint64_t seed;
	size_t rows; /* per shard, a power of two */
	size_t shard_bytes;
	struct shard shards[SHARDS];
};

struct reply_cache *
reply_cache_new(size_t entries, size_t bytes)
{
	struct reply_cache *cache = calloc(1, sizeof *cache);

	if (cache == NULL)
		return NULL;
	cache->rows = 1;
	while (cache->rows * SHARDS * WAYS < entries &&
	       cache->rows < SIZE_MAX / 2 / SHARDS / WAYS / 64)
		cache->rows *= 2;
	cache->shard_bytes = bytes / SHARDS + 1;
	if (getrandom(&cache->seed, sizeof cache->seed, GRND_NONBLOCK) < 0)
		cache->seed = (uint64_t)(uintptr_t)cache;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_init(&shard->mutex, NULL);
		shard->entries =
		    calloc(cache->rows * WAYS, sizeof *shard->entries);
		if (shard->entries == NULL) {
			reply_cache_free(&cache);
			return NULL;
		}
	}
	return cache;
}

static void
entry_clear(struct shard *shard, struct entry *entry)
{
	struct item *item = entry->item;

	if (item == NULL)
		return;
	shard->bytes -= item->bytes;
	shard->count--;
	dns_reply_release(&item->reply);
	free(item);
	entry->item = NULL;
}

void
reply_cache_free(struct reply_cache **cache)
{
	struct reply_cache *old = *cache;

	*cache = NULL;
	if (old == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &old->shards[i];

		if (shard->entries == NULL)
			continue;
		for (size_t j = 0; j < old->rows * WAYS; j++)
			entry_clear(shard, &shard->entries[j]);
		free(shard->entries);
		pthread_mutex_destroy(&shard->mutex);
	}
	free(old);
}

static uint64_t
hash_of(const struct reply_cache *cache, struct slice name, enum dns_type type)
{
	return slice_hash(name, cache->seed ^ (uint64_t)type << 32);
}

static struct shard *
shard_of(struct reply_cache *cache, uint64_t hash)
{
	return &cache->shards[hash % SHARDS];
}

static struct entry *
row_of(
    const struct reply_cache *cache, const struct shard *shard, uint64_t hash)
{
	return &shard->entries[(hash / SHARDS % cache->rows) * WAYS];
}

static bool
entry_is(const struct entry *entry, uint64_t hash, struct slice name,
    enum dns_type type)
{
	return entry->item != NULL && entry->hash == hash &&
	       entry->item->type == type &&
	       slice_equal(
		   slice_make(entry->item->name, entry->item->name_length),
		   name);
}

struct dns_reply *
reply_cache_get(struct reply_cache *cache, struct slice name,
    enum dns_type type, uint64_t now_ms)
{
	uint64_t hash = hash_of(cache, name, type);
	struct shard *shard = shard_of(cache, hash);
	struct entry *row = row_of(cache, shard, hash);
	struct dns_reply *reply = NULL;

	pthread_mutex_lock(&shard->mutex);
	for (size_t i = 0; i < WAYS; i++) {
		if (!entry_is(&row[i], hash, name, type))
			continue;
		if (row[i].expires_ms > now_ms) {
			row[i].used = ++shard->tick;
			reply = dns_reply_hold(row[i].item->reply);
		} else {
			entry_clear(shard, &row[i]);
		}
		break;
	}
	pthread_mutex_unlock(&shard->mutex);
	return reply;
}

/* The entry of the row that goes: the same question, a free one, an expired
 * one, or the one used longest ago. */
static struct entry *
entry_to_replace(struct entry *row, uint64_t hash, struct slice name,
    enum dns_type type, uint64_t now_ms)
{
	struct entry *victim = &row[0];

	for (size_t i = 0; i < WAYS; i++)
		if (entry_is(&row[i], hash, name, type))
			return &row[i];
	for (size_t i = 0; i < WAYS; i++) {
		if (row[i].item == NULL || row[i].expires_ms <= now_ms)
			return &row[i];
		if (row[i].used < victim->used)
			victim = &row[i];
	}
	return victim;
}

static struct item *
item_new(struct slice name, enum dns_type type, struct dns_reply *reply)
{
	struct item *item = malloc(sizeof *item + name.length);

	if (item == NULL)
		return NULL;
	item->bytes = sizeof *item + name.length + reply->bytes;
	item->reply = dns_reply_hold(reply);
	item->type = type;
	item->name_length = name.length;
	memcpy(item->name, name.data, name.length);
	return item;
}

void
reply_cache_put(struct reply_cache *cache, struct slice name,
    enum dns_type type, struct dns_reply *reply, uint64_t now_ms)
{
	uint64_t hash = hash_of(cache, name, type);
	struct shard *shard = shard_of(cache, hash);
	struct entry *entry;
	struct item *item;
	uint32_t ttl_s = reply->ttl_s < TTL_MAX_S ? reply->ttl_s : TTL_MAX_S;

	if (ttl_s == 0 || reply->state == DNS_TEMPERROR ||
	    reply->bytes > cache->shard_bytes / 4)
		return;
	item = item_new(name, type, reply);
	if (item == NULL)
		return;
	pthread_mutex_lock(&shard->mutex);
	entry = entry_to_replace(
	    row_of(cache, shard, hash), hash, name, type, now_ms);
	entry_clear(shard, entry);
	while (shard->bytes > 0 &&
	       shard->bytes + item->bytes > cache->shard_bytes) {
		entry_clear(shard, &shard->entries[shard->hand]);
		shard->hand = (shard->hand + 1) % (cache->rows * WAYS);
	}
	*entry = (struct entry){
		.hash = hash,
		.expires_ms = now_ms + (uint64_t)ttl_s * 1000,
		.used = ++shard->tick,
		.item = item,
	};
	shard->bytes += item->bytes;
	shard->count++;
	pthread_mutex_unlock(&shard->mutex);
}

void
reply_cache_usage_read(
    struct reply_cache *cache, struct reply_cache_usage *usage_out)
{
	*usage_out = (struct reply_cache_usage){ 0 };
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *shard = &cache->shards[i];

		pthread_mutex_lock(&shard->mutex);
		usage_out->entries += shard->count;
		usage_out->bytes += shard->bytes;
		pthread_mutex_unlock(&shard->mutex);
	}
}
