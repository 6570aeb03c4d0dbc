/*
 * feeds - what a policy says about indicators, as the engine wants it
 *
 * Used by the daemon, which builds the store when a feed is newer, and by the
 * tool's `indicators` and `feeds`, so that both build the same.
 */
#ifndef TOCSIN_DAEMON_FEEDS_H
#define TOCSIN_DAEMON_FEEDS_H

#include "indicator/build.h"
#include "language/program.h"

/* Fills a request for build_run() from the program's settings: feeds,
 * warninglists, own domains and networks, pins, limits. What it points at
 * lives in the arena and the program. TC_LIMIT when the arena is full. */
enum tc_status feeds_build_request(const struct program *program,
    int64_t now_unix, struct arena *arena, struct build_request *request_out);

/* What to tell an operator where feeds act without any warninglist and nobody
 * has said that this is wanted: one line, in the arena; else NULL. */
const char *feeds_without_warninglists(
    const struct build_request *request, struct arena *arena);

/* The settings' feeds, never NULL: to a matcher NULL says that the feeds of the
 * store hold, and here there may be none. */
const struct feed_config *feeds_configured(const struct settings *settings);

/* What has changed this little ago may still be written to. */
#define FEEDS_FRESH_MS 400

/* The last of the changes since a build. */
struct feeds_change {
	/* It lies after the request's now, since the clock was set back: it
	 * will be newer than the next store as well. */
	bool in_future;
	bool fresh; /* less than FEEDS_FRESH_MS ago */
};

/* True when there is no store, or when a feed's source or a warninglist has
 * changed since its build began (by the time of the change: of files, of folders
 * and what lies in them). Hand-added indicators act without a build.
 * *reason_out says what, in words that live in the arena. */
bool feeds_store_is_stale(const struct build_request *request,
    struct arena *arena, const char **reason_out,
    struct feeds_change *change_out);

/* STATE-DIRECTORY/indicators.store, in the arena. */
const char *feeds_store_path(
    const struct build_request *request, struct arena *arena);

#endif
