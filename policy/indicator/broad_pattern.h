/*
 * broad_pattern - STIX patterns that ordinary messages would make true
 *
 * `[domain-name:value != 'x.example']`, `[domain-name:value LIKE '%.com']`,
 * `[email-message:subject MATCHES '[a-z]']`: one such line of a feed would mark
 * much of all mail. Only patterns without a key can be like that; they are
 * tried on invented messages (broad_sample.h), as a message would try them.
 */
#ifndef TOCSIN_INDICATOR_BROAD_PATTERN_H
#define TOCSIN_INDICATOR_BROAD_PATTERN_H

#include <stdbool.h>

#include "base/slice.h"
#include "base/status.h"

/* The messages, made ready for patterns. Of one thread. */
struct broad;

struct broad *broad_new(void); /* NULL without memory */
void broad_free(struct broad **broad);

/* TC_OK with *reason_out a constant sentence when the program would match too
 * much, NULL when not; TC_LIMIT without memory. It would when it holds
 *   - for messages that have nothing in common,
 *   - for whatever has a letter or digit,
 *   - for every name under a public suffix, or every address of a /8, that it
 *     speaks of,
 *   - for a quarter of ordinary messages. */
enum tc_status broad_pattern(
    struct broad *broad, struct slice program, const char **reason_out);

#endif
