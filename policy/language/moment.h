/*
 * moment - points in time as operators write them
 *
 * `2026-11-23` is a day in local time; `2026-11-23T10:00:00Z` and
 * `2026-11-23T10:00:00+01:00` are instants (RFC 3339), without a zone local.
 */
#ifndef TOCSIN_LANGUAGE_MOMENT_H
#define TOCSIN_LANGUAGE_MOMENT_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"

/* Reads one. A bare day gives its end (24:00 local) when `end_of_day`, else its
 * start. False when the text is no time, or a day that no calendar has. */
bool moment_parse(struct slice text, bool end_of_day, int64_t *unix_out);

/* "2026-12-01T00:00:00+01:00", local time with its zone, in the arena. */
const char *moment_format(struct arena *arena, int64_t unix_time);

#endif
