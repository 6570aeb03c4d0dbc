/*
 * store - the compiled indicators, one immutable file mapped read-only
 *
 * Reads:    a file that build.h wrote, or the same bytes in memory
 * Produces: the entries of a key, with all that was published about them
 *
 * Opening reads only the header and the table of sections, both under a
 * checksum, so it takes no longer for ten million indicators than for ten.
 * store_verify() sums the whole file. Every offset and length is checked when
 * it is used: a store made by an enemy gives wrong answers, never a crash.
 * Files are replaced by renaming and never shortened in place. A store is
 * read by any number of threads without a lock.
 */
#ifndef TOCSIN_INDICATOR_STORE_H
#define TOCSIN_INDICATOR_STORE_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"
#include "indicator/feed.h"
#include "indicator/kind.h"

struct store;

/* Maps the file. TC_INVALID when it is no store, of another version or
 * damaged in its header, TC_SYSTEM (errno) when it cannot be opened or mapped;
 * *problem_out (may be NULL) then is a constant sentence. */
enum tc_status store_open(
    const char *path, struct store **store_out, const char **problem_out);

/* The same over bytes that stay the caller's and must outlive the store. */
enum tc_status store_open_bytes(
    struct slice bytes, struct store **store_out, const char **problem_out);

/* Over bytes from malloc(), which the store frees when it is closed. */
enum tc_status store_open_owned(
    void *bytes, size_t size, struct store **store_out);

void store_close(struct store **store);

/* Maps the pages that every look-up touches, so that the first messages do not
 * wait for each of them; takes some ten milliseconds for ten million
 * indicators. For a thread that nobody waits for. */
void store_warm(const struct store *store);

/* Sums the whole file and walks all entries; false with a constant sentence
 * when something is wrong. */
bool store_verify(const struct store *store, const char **problem_out);

/* Grows by one with each build. */
uint64_t store_generation(const struct store *store);
int64_t store_built_unix(const struct store *store);
uint32_t store_settings_sum(const struct store *store); /* build_request's */
uint64_t store_size_bytes(const struct store *store);
uint32_t store_entry_count(const struct store *store);
uint64_t store_kind_count(const struct store *store, enum indicator_kind kind);

/* One indicator. All slices point into the store. */
struct store_entry {
	uint32_t index;
	enum indicator_kind kind;
	struct slice key; /* canonical */
	unsigned roles;
	uint32_t feed;                    /* index for store_feed() */
	enum indicator_severity severity; /* as published, may be absent */
	uint8_t confidence;               /* as published, may be absent */
	enum indicator_tlp tlp;           /* as published, may be absent */
	bool to_ids;
	bool mask;         /* hides the key instead of matching */
	bool forced;       /* added by hand against a warning */
	bool not_before;   /* acts from first_seen_unix on only */
	struct slice tags; /* joined by '\n' */
	struct slice description;
	int64_t first_seen_unix;  /* 0: unknown */
	int64_t last_seen_unix;   /* what `expire` counts from; 0: unknown */
	int64_t valid_until_unix; /* 0: for ever */
	int64_t modified_unix;
	uint32_t program; /* of a compound pattern, or STORE_NO_PROGRAM */
};

#define STORE_NO_PROGRAM 0xffffffffu

/* Text that the store keeps in a shorter form. */
#define STORE_ID_MAX 512

/* Reads an entry by its index; false when there is none or it is damaged. */
bool store_entry(
    const struct store *store, uint32_t index, struct store_entry *entry_out);

/* The feed of an entry alone, UINT32_MAX when there is no such entry. */
uint32_t store_entry_feed(const struct store *store, uint32_t index);

/* The value as published and the id. Where the store keeps a shorter form the
 * text is made in the arena; NULL data at its ceiling. */
struct slice store_entry_value(const struct store *store,
    const struct store_entry *entry, struct arena *arena);
struct slice store_entry_id(const struct store *store,
    const struct store_entry *entry, struct arena *arena);

/* All entries of a key, one after another. */
struct store_lookup {
	const struct store *store;
	enum indicator_kind kind;
	struct slice key;
	uint32_t next;
	bool done;
};

struct store_lookup store_find(
    const struct store *store, enum indicator_kind kind, struct slice key);

/* store_find() in two steps, for callers with many keys: the first begins to
 * bring in the memory where the second looks. With ten million indicators each
 * look-up waits for the memory, and all waits of a message are over at once. */
uint64_t store_seek(
    const struct store *store, enum indicator_kind kind, struct slice key);
struct store_lookup store_find_sought(const struct store *store,
    enum indicator_kind kind, struct slice key, uint64_t sought);

bool store_find_next(
    struct store_lookup *lookup, struct store_entry *entry_out);

/* Which prefix lengths the store's networks have, longest first: the next one
 * below `below` (start with 129), or -1. */
int store_next_prefix_length(const struct store *store, int below);

/* A compiled pattern's program (stix_program.h), and the number of patterns
 * without a key that have to be tried on each message. */
struct slice store_program(const struct store *store, uint32_t program);
uint32_t store_unkeyed_count(const struct store *store);
bool store_unkeyed(
    const struct store *store, uint32_t number, struct store_entry *entry_out);

/* What is known of a feed since it was last read. */
struct store_feed {
	struct slice name;
	struct slice source;
	enum feed_format format;
	uint64_t read, used;
	uint64_t reasons[FEED_REASONS];
	uint64_t bytes;
	int64_t published_unix; /* newest modification time of its files */
	int64_t loaded_unix;    /* when this content was read */
	bool kept;              /* the last build kept the older content */
	struct slice problem;   /* why, or empty */
};

uint32_t store_feed_count(const struct store *store);
bool store_feed(
    const struct store *store, uint32_t index, struct store_feed *feed_out);

/* Of when the content in force is: the newest modification time of the files
 * that it was read from, else the time when it was read. A build that keeps
 * older content keeps its time. 0: nothing of the feed has ever been read. */
int64_t store_feed_content_unix(const struct store_feed *feed);

/* The settings of a feed that the match needs, as they were at the build
 * (without strings and columns). */
bool store_feed_settings(
    const struct store *store, uint32_t index, struct feed_config *config_out);

/* Index of the feed of that name, or UINT32_MAX. */
uint32_t store_feed_index(const struct store *store, struct slice name);

/* What its publisher has revoked or deleted, and what is remembered of it. One
 * with several values stands there several times. */
struct store_revoked {
	struct slice id;
	enum indicator_kind kind;
	struct slice value; /* empty: not known */
	uint32_t feed;
	int64_t modified_unix; /* of the version that revoked it */
	uint32_t modified_ns;
	int64_t noted_unix; /* by the last build that met it in its feed */
};

uint32_t store_revoked_count(const struct store *store);

/* The feed of one alone, UINT32_MAX when there is no such. */
uint32_t store_revoked_feed(const struct store *store, uint32_t number);

/* The id is made in the arena. */
bool store_revoked(const struct store *store, uint32_t number,
    struct arena *arena, struct store_revoked *revoked_out);

/* The part of a second of an entry's `modified`, in nanoseconds. */
uint32_t store_entry_modified_ns(const struct store *store, uint32_t index);

/* Built by an older version of Tocsin, and read nevertheless. */
bool store_is_older_format(const struct store *store);

/* What warninglists and the refusal of broad values took out. */
struct store_suppressed {
	enum indicator_kind kind;
	uint32_t feed;
	struct slice value, id;
	struct slice reason; /* list's name, or a sentence */
	bool by_warninglist;
};

uint32_t store_suppressed_count(const struct store *store);
bool store_suppressed(const struct store *store, uint32_t number,
    struct store_suppressed *suppressed_out);

#endif
