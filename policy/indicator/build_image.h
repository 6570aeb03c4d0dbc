/*
 * build_image - a store in the making
 *
 * What build.c collects, build_image.c lays out and build_run.c drives; nobody
 * else includes this. Collected entries are struct format_entry with the feed
 * that they belong to; offsets are final, only the order is not.
 */
#ifndef TOCSIN_INDICATOR_BUILD_IMAGE_H
#define TOCSIN_INDICATOR_BUILD_IMAGE_H

#include "indicator/build.h"
#include "indicator/store_format.h"

struct build_pool {
	char *data;
	size_t length, capacity;
};

struct build_intern {
	uint32_t hash;
	uint32_t offset; /* 0: free */
};

/* What tells versions of an id apart; zeros where nothing was published. */
struct build_moment {
	uint32_t seconds, ns;
};

enum build_version_of {
	BUILD_VERSION_ENTRY,
	BUILD_VERSION_RULE, /* of YARA */
	BUILD_VERSION_REVOKED,
	BUILD_VERSION_UNUSED /* nothing of it is kept */
};

/* One version of an id in the feed at hand. */
struct build_version {
	uint64_t id[2];
	struct build_moment moment;
	/* Which object of the feed it was read from, counted from 1; one may
	 * make several entries. 0: it comes from the store in force. */
	uint32_t reading;
	uint32_t index; /* of the entry, rule or `revoked`; or UINT32_MAX */
	uint8_t of;     /* enum build_version_of */
	uint8_t reason; /* under which it is counted; FEED_REASONS: it is not */
};

/* What of one feed was beyond each limit of the build. */
struct build_beyond {
	uint64_t counts[FEED_LIMITS];
};

/* Where the feed at hand began. */
struct build_mark {
	size_t entries, keys, texts, programs, suppressed, rules, revoked,
	    fractions;
};

#define BUILD_RULE_DROPPED UINT32_MAX

/* A YARA rule on its way to the scanner. */
struct build_rule {
	uint32_t feed;         /* or BUILD_RULE_DROPPED */
	size_t offset, length; /* in `rule_texts` */
};

#define BUILD_ARRAY(type)        \
	struct {                 \
		type *items;     \
		size_t count;    \
		size_t capacity; \
	}

struct build {
	struct build_limits limits;
	const struct exempt *exempt; /* may be NULL */
	struct broad *broad; /* made for the first pattern without a key */
	const struct feed_config *config; /* of the feed at hand */
	struct arena *scratch;            /* of one item */
	uint64_t seed;
	uint32_t settings_sum;
	struct build_pool keys, texts, strings, programs, rule_texts;
	struct build_intern *intern;
	size_t intern_slots, intern_count;
	BUILD_ARRAY(struct format_entry) entries;
	BUILD_ARRAY(struct format_feed) feeds;
	BUILD_ARRAY(struct format_suppressed) suppressed;
	BUILD_ARRAY(struct format_revoked) revoked;
	BUILD_ARRAY(struct format_fraction) fractions; /* by entry */
	BUILD_ARRAY(struct build_version) versions;
	size_t versions_sorted; /* of them, the first ones */
	BUILD_ARRAY(struct build_rule) rules;
	struct build_mark mark;
	int64_t now_unix;               /* when what is revoked is noted */
	uint32_t reading;               /* objects of the feed at hand */
	bool from_store;                /* what is added was in force before */
	uint64_t held_here;             /* ids whose newer version stays */
	uint64_t barred_here;           /* entries that were revoked before */
	size_t revoked_room;            /* as `room`, of what is remembered */
	uint64_t suppressed_here;       /* by the feed at hand */
	uint64_t own_urls_here;         /* that act, at our own domains */
	char own_url[128];              /* the first of them */
	uint64_t lost[INDICATOR_KINDS]; /* said again, or too many of a key */
	uint32_t unkeyed, unkeyed_here;
	/* The feed at hand has room for entries up to `room`; which limit says
	 * so, for what is beyond. */
	size_t room;
	enum feed_limit room_limit;
	bool several; /* feeds: none may take more than half of what is bounded
		       * for all together */
	BUILD_ARRAY(struct build_beyond) beyond; /* by feed */
	uint32_t last_value, last_program;
	bool (*progress)(void *context, uint64_t bytes, uint64_t total);
	void *progress_context;
	/* Is told what a newer version takes out; may be NULL. */
	void (*replaced)(void *context, const struct format_entry *entry,
	    enum feed_reason reason, struct build_moment newest);
	void *replaced_context;
	bool full; /* memory or a 32-bit offset ran out */
};

/* Bounds the feed at hand to so many entries more than there were when it
 * began; `limit` says why. */
void build_set_room(struct build *build, size_t entries, enum feed_limit limit);

/* How much of what is bounded for all feeds together one of them may take. */
uint32_t build_share(const struct build *build, uint32_t of_all);

/* What the feed at hand has beyond its room. */
uint64_t build_beyond_room(const struct build *build);

void build_set_exempt(struct build *build, const struct exempt *exempt);

/* Is called while the image is written. */
void build_set_progress(struct build *build,
    bool (*progress)(void *context, uint64_t bytes, uint64_t total),
    void *context);

/* Adds the text and the rule; false without memory. */
bool build_take_rule(
    struct build *build, struct build_rule *rule, struct slice text);

/* Lists once more what an older store lists as taken out of the feed at hand. */
void build_keep_suppressed(
    struct build *build, const struct store_suppressed *old);

/* Says of the last feed that its older content was kept. */
void build_mark_kept(struct build *build);

/* Says of the last feed, whose content is used, what is wrong with it. */
void build_say_problem(struct build *build, const char *problem);

/* Forgets all that was added since build_begin_feed(). */
void build_drop_feed(struct build *build);

/* A shared string as a C string, cut to the buffer. Returns `text`. */
const char *build_string(
    const struct build *build, uint32_t offset, char *text, size_t size);

/* ---- building blocks of build_versions.c ---- */

/* Makes room for one more item of an array; false without memory. */
bool build_array_room(
    void **items, size_t count, size_t *capacity, size_t item_size);

#define BUILD_ARRAY_ROOM(array)                                  \
	build_array_room((void **)&(array).items, (array).count, \
	    &(array).capacity, sizeof *(array).items)

/* A shared string's offset, added where it is new; false without memory. */
bool build_intern(struct build *build, struct slice text, uint32_t *offset_out);

/* An id in its short form: octets, or their place as `text` gives it. */
enum format_id build_id_form(struct slice id, uint8_t octets[16]);

/* Seconds as the store keeps them. */
uint32_t build_time(int64_t unix_time);

/* Notes the version of an id that the item is and what became of it; false
 * without memory. */
bool build_note_version(struct build *build, const struct feed_item *item,
    enum build_version_of of, uint32_t index, enum feed_reason reason);

/* Notes a revocation and remembers it. */
bool build_take_revoked(struct build *build, const struct feed_item *item);

/* Remembers once more what an older store does, unless that is too long ago. */
void build_carry_revoked(struct build *build, const struct store_revoked *old);

/* Leaves of each id of the feed at hand only its newest version: an older one
 * never replaces a newer one, a revocation takes out what is not newer. All of
 * equal ones act (STIX 2.1, 3.6, leaves it open), unless one is revoked. */
void build_settle_versions(struct build *build, struct format_feed *feed);

/* After build_sort_versions(): the version of an id in the feed at hand that
 * counts, or NULL. */
void build_sort_versions(struct build *build);
const struct build_version *build_newest_version(
    const struct build *build, struct slice id);

/* Whether the left one is older. */
bool build_moment_before(struct build_moment left, struct build_moment right);

/* ---- */

/* Puts into the report what settling has made of a feed's counts, and adds what
 * the build has found beyond limits to what the reader has. */
void build_take_counts(
    const struct build *build, size_t feed, struct feed_report *report);

/* Finds what is said more than once, as writing does, and takes it off the
 * feeds' counts; for who writes nothing. */
enum tc_status build_settle(struct build *build);

/* Writes the image to a file opened for writing; TC_SYSTEM with errno. */
enum tc_status build_write(
    struct build *build, uint64_t generation, int64_t now_unix, int fd);

#endif
