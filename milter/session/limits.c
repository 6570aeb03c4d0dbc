#include <config.h>

#include "session/limits.h"

#include "language/settings.h"

void
limits_set(struct limits *limits, const struct settings *settings)
{
	limits->memory.limit_bytes = (size_t)settings->limits.memory;
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
