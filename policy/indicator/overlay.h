/*
 * overlay - indicators added or taken out by hand, in force at once
 *
 * `local.indicators` in the state directory is a file to which `tocsin
 * indicators add` and `remove` append one JSON object a line:
 *
 *	{"op":"add","kind":"domain","value":"evil.example",
 *	 "severity":"critical","expires":1796083200,"added":1795996800,
 *	 "description":"ticket 41","tags":["phish"],"id":"..."}
 *	{"op":"remove","kind":"domain","value":"evil.example","added":...}
 *	{"op":"mask","kind":"domain","value":"update.example","added":...}
 *
 * A later line about the same kind and value replaces an earlier one: `remove`
 * takes a hand-added one back, `mask` hides the value in all feeds as well.
 * Lines that count no more go when most do not (overlay_file.h).
 * The overlay is its content as a small store image in memory; builds read the
 * file as the feed "local". A line that is not understood is skipped and
 * counted.
 *
 * What would match too much acts no more than in a feed: `tocsin indicators`
 * refuses to add it, and a line that came otherwise is among the suppressed of
 * the overlay's store. Warninglists, which are large, are not read for it: what
 * the last build found on one stays out (match.h). `"force":true` insists.
 */
#ifndef TOCSIN_INDICATOR_OVERLAY_H
#define TOCSIN_INDICATOR_OVERLAY_H

#include "base/arena.h"
#include "base/status.h"
#include "indicator/exempt.h"
#include "indicator/feed.h"
#include "indicator/store.h"

#define OVERLAY_FILE_NAME "local.indicators"
#define OVERLAY_FEED_NAME "local"

struct overlay;

/* Reads state_directory/local.indicators. A file that is not there is an empty
 * overlay. Of `exempt` (NULL: none) all holds but the warninglists. TC_SYSTEM
 * (errno) when it cannot be read. */
enum tc_status overlay_load(const char *state_directory,
    const struct exempt_config *exempt, int64_t now_unix,
    struct overlay **overlay_out);

/* The same from bytes; for tests and `given indicator`. */
enum tc_status overlay_load_bytes(struct slice bytes,
    const struct exempt_config *exempt, int64_t now_unix,
    struct overlay **overlay_out);

void overlay_free(struct overlay **overlay);

/* True when the file has changed since it was loaded: load it anew and swap.
 * One stat(). */
bool overlay_is_stale(const struct overlay *overlay);

/* The entries, of the one feed "local"; never NULL. */
const struct store *overlay_store(const struct overlay *overlay);
uint64_t overlay_bad_lines(const struct overlay *overlay);

enum overlay_presence {
	OVERLAY_ABSENT,
	OVERLAY_ADDED, /* expired or suppressed as well */
	OVERLAY_MASKED
};

/* What the file says last of a kind and canonical key (normal.h). */
enum overlay_presence overlay_find(const struct overlay *overlay,
    struct arena *arena, enum indicator_kind kind, struct slice key);

/* The feed settings that hold for hand-added indicators: verified, severity
 * high and confidence 100 where not given, client-ip on. */
struct feed_config overlay_feed_config(void);

enum overlay_operation {
	OVERLAY_ADD,
	OVERLAY_REMOVE,
	OVERLAY_MASK
};

struct overlay_change {
	enum overlay_operation operation;
	enum indicator_kind kind;
	struct slice value; /* as typed */
	enum indicator_severity severity;
	uint8_t confidence; /* or INDICATOR_CONFIDENCE_ABSENT */
	enum indicator_tlp tlp;
	unsigned roles;       /* 0: any */
	int64_t expires_unix; /* 0: never */
	struct slice description;
	struct slice tags; /* joined by '\n' */
	bool force;        /* acts although it would match too much */
	struct slice author;
	struct slice id; /* empty: made from kind and value */
};

/* Appends one change durably (one write, fsync), after checking the value:
 * TC_INVALID with a sentence in *problem_out (arena) when it is none of its
 * kind, TC_SYSTEM when the file cannot be written. Several writers at once
 * are safe. */
enum tc_status overlay_append(struct arena *arena, const char *state_directory,
    const struct overlay_change *change, int64_t now_unix,
    const char **problem_out);

#endif
