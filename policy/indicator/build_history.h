/*
 * build_history - what the store in force hands on to the next one
 *
 * A feed whose new content is doubtful keeps the whole of its old content. One
 * whose content is taken still cannot go back: an indicator whose version in
 * force is newer than the one that the feed brings stays as it is, and what was
 * revoked stays out until a newer version comes. An indicator that the feed has
 * no more is not held: its publisher has taken it out.
 */
#ifndef TOCSIN_INDICATOR_BUILD_HISTORY_H
#define TOCSIN_INDICATOR_BUILD_HISTORY_H

#include "indicator/build_image.h"
#include "indicator/store.h"

/* Whether build_history_newer() could have an effect on a feed as read. */
bool build_history_matters(const struct store *old, uint32_t old_feed,
    const struct feed_report *report);

/* Adds all that the old store has of the feed to the feed at hand. */
void build_history_keep(struct build *build, const struct store *old,
    uint32_t old_feed, struct arena *scratch);

/* Adds of it what is newer than what the feed at hand brings, and what is
 * remembered as revoked. To be called when all of the feed is there. */
void build_history_newer(struct build *build, const struct store *old,
    uint32_t old_feed, struct arena *scratch);

#endif
