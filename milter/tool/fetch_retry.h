/*
 * fetch_retry - when a feed that did not come is asked for again
 *
 * A server that fails is not asked at every run of the timer: the wait doubles
 * from five minutes to four hours, and is no shorter than the server itself
 * asks for (Retry-After). Kept beside the feed's file as NAME.retry, which a
 * success takes away.
 */
#ifndef TOCSIN_TOOL_FETCH_RETRY_H
#define TOCSIN_TOOL_FETCH_RETRY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

struct fetch_retry {
	int64_t next_unix; /* not before; 0: nothing is known */
	unsigned failures; /* in a row; 0 with next_unix: go on, it was cut */
	const char *problem;
};

/* Reads what is known of the feed `name` at `url`; all zero when its last
 * fetch was good or was from elsewhere. */
struct fetch_retry fetch_retry_read(
    struct arena *arena, const char *folder, const char *name, const char *url);

/* Notes a failure; returns what is known now. */
struct fetch_retry fetch_retry_failed(struct arena *arena, const char *folder,
    const char *name, const char *url, const char *problem,
    unsigned retry_after_s, int64_t now_unix);

/* Notes that there is more: the next run goes on. */
void fetch_retry_unfinished(struct arena *arena, const char *folder,
    const char *name, const char *url, const char *problem, int64_t now_unix);

void fetch_retry_clear(
    struct arena *arena, const char *folder, const char *name);

#endif
