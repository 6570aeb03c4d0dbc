#include <config.h>

#include "session/limits.h"

#include "base/block_cache.h"
#include "language/settings.h"

/* Arenas draw on the pool in chunks; less than this is as good as nothing. */
#define CHUNK_BYTES ((size_t)1 << 20)

void
limits_set(struct limits *limits, const struct settings *settings)
{
	limits->memory.limit_bytes = (size_t)settings->limits.memory;
	block_cache_set_max((size_t)settings->limits.memory_kept);
	atomic_store(
	    &limits->sessions_max, (unsigned)settings->limits.sessions);
}

bool
limits_session_begin(struct limits *limits)
{
	unsigned max = atomic_load(&limits->sessions_max);

	if (atomic_fetch_add(&limits->sessions, 1) < max || max == 0)
		return true;
	atomic_fetch_sub(&limits->sessions, 1);
	return false;
}

void
limits_session_end(struct limits *limits)
{
	atomic_fetch_sub(&limits->sessions, 1);
}

bool
limits_memory_is_full(const struct limits *limits)
{
	size_t used = atomic_load(&limits->memory.used_bytes);
	size_t limit = limits->memory.limit_bytes;

	return limit != 0 && (used >= limit || limit - used < CHUNK_BYTES);
}
