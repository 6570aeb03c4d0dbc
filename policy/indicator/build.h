/*
 * build - from feeds to a compiled store
 *
 * Reads:    the sources of all feeds, warninglists, local.indicators, and the
 *           store that is in force
 * Produces: a new store file in the state directory, swapped in whole
 *
 * The new file is written beside the old one, synced, verified and renamed; a
 * reader has the old or the new one, never a part. A feed that cannot be read,
 * is empty, cut off, has shrunk by more than 90 % or grown beyond its limit
 * keeps the content that it has in the old store, with a warning. One that is
 * too large from the beginning is cut. One build runs at a time (a lock file). When
 * anything fails (disk full, no memory) the old store stays.
 */
#ifndef TOCSIN_INDICATOR_BUILD_H
#define TOCSIN_INDICATOR_BUILD_H

#include "indicator/exempt.h"
#include "indicator/feed.h"
#include "indicator/store.h"

#define BUILD_STORE_NAME "indicators.store"
#define BUILD_LOCK_NAME  "indicators.lock"
/* Holds the last generation that was given to a store (build_generation.h). */
#define BUILD_GENERATION_NAME "store.generation"
/* Below it a folder for each feed with YARA rules inside: build_rules.h. */
#define BUILD_RULES_FOLDER "yara"

struct build_limits {
	uint32_t unkeyed_patterns_max; /* 10000: tried on every message */
	uint32_t entries_max;          /* 50 million */
	uint32_t same_key_max;         /* 64 of one feed for one key */
	uint32_t suppressed_max;       /* 200000 are listed, all are counted */
	uint32_t rules_max;            /* 2000 YARA rules inside STIX, MISP */
	uint32_t revoked_max;          /* 1 million are remembered */
	uint64_t revoked_age_s;        /* a year: for so long each */
	struct feed_limits feed;
};

struct build_limits build_limits_defaults(void);

/* How far a build is. */
struct build_progress {
	const char *feed;           /* that is being read; NULL: all are */
	uint64_t indicators;        /* taken so far */
	uint64_t bytes;             /* read so far, of all sources */
	uint64_t to_read;           /* their size */
	uint64_t written, to_write; /* of the new store; 0 while reading */
};

struct build_request {
	const char *state_directory;
	const struct feed_config *feeds;
	size_t feed_count;
	struct exempt_config exempt;
	struct build_limits limits;
	/* Whatever tells these settings from others; stands in the store. */
	uint32_t settings_sum;
	/* A feed that may have shrunk or be empty this time; or NULL. */
	const char *accept;
	int64_t now_unix;
	/* Called now and then; may be NULL. Returning false stops the build
	 * (TC_AGAIN) while it reads; what is written is written to its end. */
	bool (*progress)(void *context, const struct build_progress *progress);
	void *context;
};

/* What became of one pin. */
struct build_pin {
	const struct exempt_pin *pin;
	uint64_t count;     /* of the indicators that it brought back */
	const char *reason; /* for which the last would be out; NULL: none */
};

/* What became of one feed. */
struct build_feed {
	const char *name;
	struct feed_report report;
	bool kept;           /* old content stays in force */
	const char *warning; /* for the operator, or NULL */
	uint64_t suppressed;
	double seconds; /* reading and normalising it took */
	uint64_t bytes; /* read just now; the report's may be those kept */
};

struct build_report {
	struct build_feed *feeds; /* local.indicators is the last */
	size_t feed_count;
	uint64_t generation;
	uint64_t entries;
	uint64_t size_bytes;
	const char *problem; /* why there is no new store, or NULL */
	LIST_OF(const char *) warnings;
	struct exempt_counts warninglists;
	struct build_pin *pins;
	size_t pin_count;
};

/* Builds and swaps. TC_OK: the new store is in force. TC_AGAIN: another build
 * holds the lock, or progress() said stop. TC_SYSTEM, TC_LIMIT, TC_INVALID:
 * report_out->problem; the old store is untouched. Texts live in the arena. */
enum tc_status build_run(struct arena *arena,
    const struct build_request *request, struct build_report *report_out);

/* Reads one feed as build_run() would, without writing anything: what is
 * used, what is not and why, with up to `examples_max` examples each. What the
 * store in force holds newer, or remembers as revoked, counts as there. */
struct build_example {
	enum feed_reason reason;
	const char *what;
	const char *detail; /* or NULL */
};

struct build_explanation {
	struct feed_report report;
	LIST_OF(struct build_example) examples;
	uint64_t kinds[INDICATOR_KINDS]; /* used, by kind */
	LIST_OF(const char *) warnings;  /* limits met, bad warninglists */
	struct exempt_counts warninglists;
};

enum tc_status build_explain(struct arena *arena,
    const struct build_request *request, const struct feed_config *feed,
    size_t examples_max, struct build_explanation *explanation_out);

/* A store image in memory from items, for the overlay and for tests. */
struct build;

struct build *build_new(const struct build_limits *limits);
void build_free(struct build **build);

/* Starts the next feed; items that follow belong to it. */
enum tc_status build_begin_feed(
    struct build *build, const struct feed_config *config);
enum feed_reason build_add(struct build *build, const struct feed_item *item);
/* A version of an id of which nothing is kept. */
void build_unused(struct build *build, const struct feed_item *item);
void build_end_feed(
    struct build *build, const struct feed_report *report, int64_t loaded_unix);

/* Lays the image out; *bytes_out is from malloc(). */
enum tc_status build_image(struct build *build, uint64_t generation,
    int64_t now_unix, void **bytes_out, size_t *size_out);

#endif
