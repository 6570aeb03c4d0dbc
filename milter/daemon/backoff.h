/*
 * backoff - how long to wait before the filter is started again
 *
 * The first restart is immediate, a filter that ends soon after its start waits
 * twice as long each time, never longer than a second: mail is deferred while
 * there is no filter. Times are milliseconds on the monotonic clock.
 */
#ifndef TOCSIN_DAEMON_BACKOFF_H
#define TOCSIN_DAEMON_BACKOFF_H

#include <stdint.h>

#define BACKOFF_FIRST_MS 50
#define BACKOFF_LAST_MS  1000

/* A filter that lived so long is taken for sound. */
#define BACKOFF_SOUND_MS 30000

/* Zero-initialise. */
struct backoff {
	unsigned early_ends; /* in a row */
};

/* Notes that a filter which lived `lived_ms` has ended; returns after how many
 * milliseconds the next may start. */
uint64_t backoff_next_ms(struct backoff *backoff, uint64_t lived_ms);

#endif
