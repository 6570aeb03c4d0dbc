/*
 * broad_sample - what ordinary mail shows, to try patterns on
 *
 * Invented messages of which each value could stand in any mailbox: names of
 * ordinary words under the suffixes in common use, addresses of large mail
 * services, subjects and file names in the languages of many users. Nothing in
 * them is bad, so a pattern that holds for many of them says nothing.
 */
#ifndef TOCSIN_INDICATOR_BROAD_SAMPLE_H
#define TOCSIN_INDICATOR_BROAD_SAMPLE_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/slice.h"
#include "indicator/match.h"

#define BROAD_SAMPLE_MESSAGES 64u
#define BROAD_SAMPLE_SOUPS    3u

/* Fills in what message `number` shows; false at the arena's ceiling. */
bool broad_sample_message(struct arena *arena, unsigned number,
    struct match_observations *observations);

/* A message whose hosts, addresses, subjects and names have every letter and
 * digit; hardly two of them stand side by side in more than one soup. */
bool broad_sample_soup(struct arena *arena, unsigned number,
    struct match_observations *observations);

/* One of two messages that have no more in common than the suffix of their
 * hosts. */
bool broad_sample_under_suffix(struct arena *arena, unsigned number,
    struct slice suffix, struct match_observations *observations);
/* One whose hosts have `word` inside a label, and not as their suffix. */
bool broad_sample_inside(struct arena *arena, struct slice word,
    struct match_observations *observations);

/* One of two whose clients have no more in common than the first octet. */
bool broad_sample_in_octet(struct arena *arena, unsigned number, unsigned octet,
    struct match_observations *observations);

#endif
