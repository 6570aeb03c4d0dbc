/*
 * limits - what one message, one connection and the whole process may use
 *
 * The numbers are settings (`limits { … }` in tocsin.conf); this module keeps
 * the process-wide counts: sessions, and the memory of all arenas. A message
 * or connection beyond them is deferred at once and counted; limits within a
 * message become evidence (`analysis.incomplete`, a named defect).
 */
#ifndef TOCSIN_SESSION_LIMITS_H
#define TOCSIN_SESSION_LIMITS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "base/arena.h"

struct settings;

/* One per process. Zero-initialise, then limits_set(). Thread-safe. */
struct limits {
	struct arena_pool memory;
	atomic_uint sessions;
	atomic_uint sessions_max;
};

/* Takes `memory` and `sessions` from the settings, at start and after each
 * reload; what is in use keeps counting. */
void limits_set(struct limits *limits, const struct settings *settings);

/* Counts one more session; false, and nothing counted, beyond the limit. */
bool limits_session_begin(struct limits *limits);
void limits_session_end(struct limits *limits);

/* True when the process has no memory left for another message's needs: who
 * then meets TC_LIMIT is not to blame and is deferred. */
bool limits_memory_is_full(const struct limits *limits);

/* What HELO, macros and early verdicts of one connection may hold. */
#define LIMITS_CONNECTION_ARENA_BYTES ((size_t)1 << 20)

#endif
