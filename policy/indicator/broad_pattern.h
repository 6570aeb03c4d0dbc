/*
 * broad_pattern - STIX patterns that any message would make true
 *
 * `[domain-name:value != 'x.example']`, `[email-addr:value MATCHES '.*']`: one
 * such line of a feed would mark all mail. Only patterns without a key can be
 * like that; they are tried on two invented messages that have nothing in
 * common, as a message would try them.
 */
#ifndef TOCSIN_INDICATOR_BROAD_PATTERN_H
#define TOCSIN_INDICATOR_BROAD_PATTERN_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"

/* True when the program holds for both messages. Works in `scratch`. */
bool broad_pattern(struct arena *scratch, struct slice program);

#endif
