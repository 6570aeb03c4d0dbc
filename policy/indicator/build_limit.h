/*
 * build_limit - which setting bounds what of a feed, and what to say of it
 *
 * A limit that a feed meets costs that feed what is beyond, and nobody else:
 * it is counted (struct feed_report) and said in one line that names the
 * setting as one would write it.
 */
#ifndef TOCSIN_INDICATOR_BUILD_LIMIT_H
#define TOCSIN_INDICATOR_BUILD_LIMIT_H

#include "indicator/build.h"

/* How many entries a feed may have: what it says itself, else all that the
 * limits allow, or half of that where there are several feeds. */
size_t build_limit_room(
    const struct build_request *request, const struct feed_config *config);

/* "3 lines too long for limits { feed-line 64000 }", in the arena. */
const char *build_limit_text(struct arena *arena,
    const struct build_request *request, const struct feed_config *config,
    enum feed_limit limit, uint64_t count);

/* The same of warninglists' regular expressions that were given up; NULL for
 * none. */
const char *build_limit_steps(
    struct arena *arena, const struct exempt_config *exempt, uint64_t count);

#endif
