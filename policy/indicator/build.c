#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/arena.h"
#include "base/ipaddr.h"
#include "indicator/broad_pattern.h"
#include "indicator/build.h"
#include "indicator/build_image.h"
#include "indicator/build_rules.h"
#include "indicator/normal.h"
#include "indicator/store_format.h"

#define SCRATCH_BYTES_MAX (4u << 20)
#define TEXT_MAX          1024u /* bytes of a description kept */
#define TAGS_MAX          2048u
#define VALUE_MAX         60000u
#define POOL_MAX          0xfffffff0u /* offsets are 32 bits */
#define DROPPED           0xff        /* kind of an entry taken out again */

/* ------------------------------------------------------------ growing memory */

static bool
pool_room(struct build_pool *pool, size_t size)
{
	size_t capacity = pool->capacity < 4096 ? 4096 : pool->capacity;
	char *data;

	if (size <= pool->capacity - pool->length)
		return true;
	if (size > POOL_MAX - pool->length)
		return false;
	while (capacity - pool->length < size)
		capacity += capacity / 2;
	data = realloc(pool->data, capacity);
	if (data == NULL)
		return false;
	pool->data = data;
	pool->capacity = capacity;
	return true;
}

/* Appends bytes; false when the pool is full or memory is. */
static bool
pool_add(struct build_pool *pool, struct slice bytes, uint32_t *offset_out)
{
	if (!pool_room(pool, bytes.length))
		return false;
	*offset_out = (uint32_t)pool->length;
	if (bytes.length > 0)
		memcpy(pool->data + pool->length, bytes.data, bytes.length);
	pool->length += bytes.length;
	return true;
}

bool
build_array_room(void **items, size_t count, size_t *capacity, size_t item_size)
{
	size_t grown = *capacity < 64 ? 64 : *capacity + *capacity / 2;
	void *memory;

	if (count < *capacity)
		return true;
	if (grown > SIZE_MAX / item_size)
		return false;
	memory = realloc(*items, grown * item_size);
	if (memory == NULL)
		return false;
	*items = memory;
	*capacity = grown;
	return true;
}

/* ------------------------------------------------------------ shared strings */

static bool
intern_grow(struct build *build)
{
	size_t count =
	    build->intern_slots == 0 ? 1024 : build->intern_slots * 2;
	struct build_intern *slots = calloc(count, sizeof *slots);

	if (slots == NULL)
		return false;
	for (size_t i = 0; i < build->intern_slots; i++) {
		struct build_intern old = build->intern[i];
		size_t at = old.hash & (count - 1);

		if (old.offset == 0)
			continue;
		while (slots[at].offset != 0)
			at = (at + 1) & (count - 1);
		slots[at] = old;
	}
	free(build->intern);
	build->intern = slots;
	build->intern_slots = count;
	return true;
}

bool
build_intern(struct build *build, struct slice text, uint32_t *offset_out)
{
	uint64_t hash = format_hash(build->seed, INDICATOR_KINDS, text);
	uint32_t length = (uint32_t)text.length, unused;
	size_t at;

	*offset_out = 0;
	if (text.length == 0)
		return true;
	if (build->intern_count * 2 >= build->intern_slots &&
	    !intern_grow(build))
		return false;
	for (at = (uint32_t)hash & (build->intern_slots - 1);
	     build->intern[at].offset != 0;
	     at = (at + 1) & (build->intern_slots - 1)) {
		const char *have =
		    build->strings.data + build->intern[at].offset;
		uint32_t have_length;

		if (build->intern[at].hash != (uint32_t)hash)
			continue;
		memcpy(&have_length, have, 4);
		if (have_length == length &&
		    memcmp(have + 4, text.data, length) == 0) {
			*offset_out = build->intern[at].offset;
			return true;
		}
	}
	if (!pool_add(&build->strings, slice_make(&length, 4), offset_out) ||
	    !pool_add(&build->strings, text, &unused))
		return false;
	build->intern[at] = (struct build_intern){ .hash = (uint32_t)hash,
		.offset = *offset_out };
	build->intern_count++;
	return true;
}

const char *
build_string(
    const struct build *build, uint32_t offset, char *text, size_t size)
{
	uint32_t length;

	memcpy(&length, build->strings.data + offset, sizeof length);
	if (length >= size)
		length = (uint32_t)size - 1;
	memcpy(text, build->strings.data + offset + 4, length);
	text[length] = '\0';
	return text;
}

/* ------------------------------------------------------------------- making */

struct build_limits
build_limits_defaults(void)
{
	return (struct build_limits){
		.unkeyed_patterns_max = 10000,
		.entries_max = 50000000,
		.same_key_max = 64,
		.suppressed_max = 200000,
		.rules_max = 2000,
		.revoked_max = 1000000,
		.revoked_age_s = 365 * 86400,
		.feed = feed_limits_defaults(),
	};
}

struct build *
build_new(const struct build_limits *limits)
{
	struct build *build = calloc(1, sizeof *build);
	uint32_t empty = 0, offset;

	if (build == NULL)
		return NULL;
	build->limits = *limits;
	/* A publisher who knew the seed could choose keys that collide. */
	if (getrandom(&build->seed, sizeof build->seed, 0) < 0)
		build->seed = 0x9e3779b97f4a7c15ULL;
	build->scratch = arena_new(SCRATCH_BYTES_MAX, NULL);
	if (build->scratch == NULL ||
	    !pool_add(&build->strings, slice_make(&empty, 4), &offset))
		build_free(&build);
	return build;
}

void
build_free(struct build **build)
{
	struct build *old = *build;

	*build = NULL;
	if (old == NULL)
		return;
	arena_free(&old->scratch);
	broad_free(&old->broad);
	free(old->keys.data);
	free(old->texts.data);
	free(old->strings.data);
	free(old->programs.data);
	free(old->intern);
	free(old->entries.items);
	free(old->feeds.items);
	free(old->beyond.items);
	free(old->suppressed.items);
	free(old->versions.items);
	free(old->revoked.items);
	free(old->fractions.items);
	free(old->rules.items);
	free(old->rule_texts.data);
	free(old);
}

void
build_set_exempt(struct build *build, const struct exempt *exempt)
{
	build->exempt = exempt;
}

void
build_set_progress(struct build *build,
    bool (*progress)(void *context, uint64_t bytes, uint64_t total),
    void *context)
{
	build->progress = progress;
	build->progress_context = context;
}

/* What is counted of the feed at hand. */
static void
begin_counts(struct build *build)
{
	build->versions.count = 0;
	build->versions_sorted = 0;
	build->reading = 0;
	build->held_here = 0;
	build->barred_here = 0;
	build->suppressed_here = 0;
	build->own_urls_here = 0;
}

enum tc_status
build_begin_feed(struct build *build, const struct feed_config *config)
{
	struct format_feed *feed;

	if (build->feeds.count == UINT16_MAX)
		return TC_LIMIT;
	if (!BUILD_ARRAY_ROOM(build->feeds) || !BUILD_ARRAY_ROOM(build->beyond))
		return TC_SYSTEM;
	feed = &build->feeds.items[build->feeds.count];
	*feed = (struct format_feed){
		.format = config->format,
		.settings =
		    (config->verified ? FORMAT_FEED_VERIFIED : 0) |
		    (config->ignore_to_ids ? FORMAT_FEED_IGNORE_TO_IDS : 0) |
		    (config->client_ip ? FORMAT_FEED_CLIENT_IP : 0) |
		    (config->match_defanged ? FORMAT_FEED_MATCH_DEFANGED : 0),
		.severity = (uint8_t)config->severity,
		.confidence = config->confidence,
		.minimum_confidence = config->minimum_confidence,
		.tlp = (uint8_t)config->tlp,
		.kinds = config->kinds,
		.expire_s = config->expire_s,
	};
	if (!build_intern(build, slice_text(config->name), &feed->name) ||
	    !build_intern(build, slice_text(config->source), &feed->source))
		return TC_SYSTEM;
	build->beyond.items[build->feeds.count] =
	    (struct build_beyond){ { 0 } };
	build->beyond.count++;
	build->feeds.count++;
	build->config = config;
	build->mark = (struct build_mark){ build->entries.count,
		build->keys.length, build->texts.length, build->programs.length,
		build->suppressed.count, build->rules.count,
		build->revoked.count, build->fractions.count };
	build->unkeyed_here = build->unkeyed;
	begin_counts(build);
	build->revoked_room = build->limits.revoked_max;
	build_set_room(build, build->limits.entries_max, FEED_LIMIT_INDICATORS);
	if (config->indicators_max != 0)
		build_set_room(
		    build, config->indicators_max, FEED_LIMIT_MAX_INDICATORS);
	return TC_OK;
}

void
build_set_room(struct build *build, size_t entries, enum feed_limit limit)
{
	build->room = build->mark.entries + entries;
	build->room_limit = limit;
}

static enum feed_reason
beyond(struct build *build, enum feed_limit limit)
{
	build->beyond.items[build->feeds.count - 1].counts[limit]++;
	return FEED_TOO_MANY;
}

uint32_t
build_share(const struct build *build, uint32_t of_all)
{
	return build->several ? of_all - of_all / 2 : of_all;
}

uint64_t
build_beyond_room(const struct build *build)
{
	const uint64_t *counts =
	    build->beyond.items[build->feeds.count - 1].counts;

	return counts[FEED_LIMIT_MAX_INDICATORS] +
	       counts[FEED_LIMIT_INDICATORS];
}

bool
build_take_rule(struct build *build, struct build_rule *rule, struct slice text)
{
	uint32_t offset;

	if (!BUILD_ARRAY_ROOM(build->rules) ||
	    !pool_add(&build->rule_texts, text, &offset))
		return false;
	rule->offset = offset;
	rule->length = text.length;
	build->rules.items[build->rules.count++] = *rule;
	return true;
}

void
build_mark_kept(struct build *build)
{
	build->feeds.items[build->feeds.count - 1].kept = 1;
}

void
build_say_problem(struct build *build, const char *problem)
{
	struct format_feed *feed = &build->feeds.items[build->feeds.count - 1];

	/* With nothing in use it would read as never read. */
	if (feed->used > 0 &&
	    !build_intern(build, slice_text(problem), &feed->problem))
		build->full = true;
}

void
build_drop_feed(struct build *build)
{
	build->entries.count = build->mark.entries;
	build->keys.length = build->mark.keys;
	build->texts.length = build->mark.texts;
	build->programs.length = build->mark.programs;
	build->suppressed.count = build->mark.suppressed;
	build->rules.count = build->mark.rules;
	build->revoked.count = build->mark.revoked;
	build->fractions.count = build->mark.fractions;
	build->beyond.items[build->feeds.count - 1] =
	    (struct build_beyond){ { 0 } };
	build->unkeyed = build->unkeyed_here;
	begin_counts(build);
}

/* ---------------------------------------------------------------- one entry */

static bool
hex_uuid(struct slice text, uint8_t octets[16])
{
	unsigned count = 0;

	if (text.length != 36)
		return false;
	for (size_t i = 0; i < 36;) {
		int high, low;

		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (text.data[i++] != '-')
				return false;
			continue;
		}
		high = ascii_hex_value(text.data[i]);
		low = ascii_hex_value(text.data[i + 1]);
		/* Upper case would not come out as it was published. */
		if (high < 0 || low < 0 ||
		    (text.data[i] >= 'A' && text.data[i] <= 'F') ||
		    (text.data[i + 1] >= 'A' && text.data[i + 1] <= 'F'))
			return false;
		octets[count++] = (uint8_t)(high * 16 + low);
		i += 2;
	}
	return true;
}

enum format_id
build_id_form(struct slice id, uint8_t octets[16])
{
	if (id.length == 0)
		return FORMAT_ID_NONE;
	if (hex_uuid(id, octets))
		return FORMAT_ID_UUID;
	if (slice_starts_with(id, SLICE_LITERAL("indicator--")) &&
	    hex_uuid(slice_skip(id, 11), octets))
		return FORMAT_ID_INDICATOR;
	memset(octets, 0, 16);
	return FORMAT_ID_TEXT;
}

static bool
set_id(struct build *build, struct format_entry *entry, struct slice id)
{
	enum format_id form;
	uint32_t place[2];

	id = slice_range(id, 0, STORE_ID_MAX);
	form = build_id_form(id, entry->id);
	if (form == FORMAT_ID_TEXT) {
		if (!pool_add(&build->texts, id, &place[0]))
			return false;
		place[1] = (uint32_t)id.length;
		memcpy(entry->id, place, sizeof place);
	}
	entry->flags |= (uint16_t)(form << FORMAT_FLAG_ID_SHIFT);
	return true;
}

static bool
is_upper_of(struct slice text, struct slice lower)
{
	if (text.length != lower.length)
		return false;
	for (size_t i = 0; i < text.length; i++) {
		char c = lower.data[i];

		if (c >= 'a' && c <= 'f')
			c = (char)(c - 'a' + 'A');
		if (text.data[i] != c)
			return false;
	}
	return true;
}

/* Finds out how the value follows from the key; false: it has to be kept. */
static bool
derive_value(struct build *build, struct format_entry *entry,
    enum indicator_kind kind, struct slice key, struct slice value)
{
	struct slice rest = value;
	enum format_value form = FORMAT_VALUE_KEY;

	if (kind == INDICATOR_URL) {
		if (slice_starts_with(rest, SLICE_LITERAL("http://"))) {
			rest = slice_skip(rest, 7);
			form = FORMAT_VALUE_HTTP;
		} else if (slice_starts_with(rest, SLICE_LITERAL("https://"))) {
			rest = slice_skip(rest, 8);
			form = FORMAT_VALUE_HTTPS;
		}
		if (key.length == rest.length + 1 &&
		    key.data[key.length - 1] == '/') {
			key.length--;
			entry->flags |= FORMAT_FLAG_CUT_SLASH;
		}
	} else if (kind == INDICATOR_NETWORK ||
		   indicator_digest_size(kind) != 0) {
		key = normal_key_text(build->scratch, kind, key);
		if (indicator_digest_size(kind) != 0 &&
		    !slice_equal(key, rest) && is_upper_of(rest, key)) {
			entry->flags |= FORMAT_VALUE_UPPER;
			return true;
		}
	}
	if (!slice_equal(key, rest)) {
		entry->flags &= (uint16_t)~FORMAT_FLAG_CUT_SLASH;
		return false;
	}
	entry->flags |= (uint16_t)form;
	return true;
}

uint32_t
build_time(int64_t unix_time)
{
	return unix_time <= 0 || unix_time > UINT32_MAX ? 0
							: (uint32_t)unix_time;
}

/* Patterns are long and stand at several keys: their text is shared. */
static bool
set_value(struct build *build, struct format_entry *entry,
    const struct feed_item *item, struct slice key)
{
	struct slice value = slice_range(item->value, 0, VALUE_MAX);
	uint32_t program_length = (uint32_t)item->program.length, unused;

	entry->program = FORMAT_NO_PROGRAM;
	if (item->program.length == 0) {
		if (derive_value(build, entry, item->kind, key, value))
			return true;
		entry->value_length = (uint16_t)value.length;
		return pool_add(&build->texts, value, &entry->value_offset);
	}
	entry->value_length = (uint16_t)value.length;
	if (item->shared && build->last_program != FORMAT_NO_PROGRAM) {
		entry->value_offset = build->last_value;
		entry->program = build->last_program;
		return true;
	}
	if (!pool_add(&build->texts, value, &entry->value_offset) ||
	    !pool_add(&build->programs, slice_make(&program_length, 4),
		&entry->program) ||
	    !pool_add(&build->programs, item->program, &unused))
		return false;
	build->last_value = entry->value_offset;
	build->last_program = entry->program;
	return true;
}

/* Of the entry that comes next. */
static bool
note_fraction(struct build *build, const struct feed_item *item)
{
	if (item->modified_ns == 0 || !item->ordered)
		return true;
	if (!BUILD_ARRAY_ROOM(build->fractions))
		return false;
	build->fractions.items[build->fractions.count++] =
	    (struct format_fraction){ .entry = (uint32_t)build->entries.count,
		    .ns = item->modified_ns };
	return true;
}

static enum feed_reason
add_entry(struct build *build, const struct feed_item *item, struct slice key)
{
	struct format_entry *entry;

	if (build->entries.count >= build->room)
		return beyond(build, build->room_limit);
	if (!BUILD_ARRAY_ROOM(build->entries)) {
		build->full = true;
		return FEED_TOO_MANY;
	}
	entry = &build->entries.items[build->entries.count];
	*entry = (struct format_entry){
		.key_length = (uint16_t)key.length,
		.feed = (uint16_t)(build->feeds.count - 1),
		.kind = (uint8_t)item->kind,
		.severity_tlp = (uint8_t)(item->severity | item->tlp << 4),
		.confidence = item->confidence,
		.roles = (uint8_t)item->roles,
		.first_seen = build_time(item->first_seen_unix),
		.last_seen = build_time(item->last_seen_unix),
		.valid_until = build_time(item->valid_until_unix),
		.modified = build_time(item->modified_unix),
	};
	if (item->to_ids)
		entry->flags |= FORMAT_FLAG_TO_IDS;
	if (item->mask)
		entry->flags |= FORMAT_FLAG_MASK;
	if (item->forced)
		entry->flags |= FORMAT_FLAG_FORCED;
	if (item->not_before)
		entry->flags |= FORMAT_FLAG_NOT_BEFORE;
	if (!pool_add(&build->keys, key, &entry->key_offset) ||
	    !set_value(build, entry, item, key) ||
	    !set_id(build, entry, item->id) ||
	    !build_intern(build, slice_range(item->description, 0, TEXT_MAX),
		&entry->description) ||
	    !build_intern(
		build, slice_range(item->tags, 0, TAGS_MAX), &entry->tags)) {
		build->full = true;
		return FEED_TOO_MANY;
	}
	if (!note_fraction(build, item)) {
		build->full = true;
		return FEED_TOO_MANY;
	}
	build->entries.count++;
	return FEED_USED;
}

/* ------------------------------------------------------------------- adding */

static bool
suppress(struct build *build, const struct feed_item *item,
    const struct exempt_verdict *verdict)
{
	struct format_suppressed *suppressed;

	build->suppressed_here++;
	if (build->suppressed.count >= build->limits.suppressed_max) {
		(void)beyond(build, FEED_LIMIT_SUPPRESSED);
		return true;
	}
	if (!BUILD_ARRAY_ROOM(build->suppressed))
		return false;
	suppressed = &build->suppressed.items[build->suppressed.count];
	*suppressed = (struct format_suppressed){
		.kind = (uint8_t)item->kind,
		.feed = (uint16_t)(build->feeds.count - 1),
		.by_warninglist = verdict->by_warninglist,
	};
	if (!build_intern(build, slice_range(item->value, 0, TEXT_MAX),
		&suppressed->value) ||
	    !build_intern(build, slice_range(item->id, 0, STORE_ID_MAX),
		&suppressed->id) ||
	    !build_intern(
		build, slice_text(verdict->reason), &suppressed->reason))
		return false;
	build->suppressed.count++;
	return true;
}

void
build_keep_suppressed(struct build *build, const struct store_suppressed *old)
{
	char *reason = arena_text(build->scratch, old->reason);
	struct feed_item item = {
		.kind = old->kind, .value = old->value, .id = old->id
	};
	struct exempt_verdict verdict = { .exempted = true,
		.by_warninglist = old->by_warninglist,
		.reason = reason };

	if (reason == NULL || !suppress(build, &item, &verdict))
		build->full = true;
	arena_reset(build->scratch);
}

static bool
is_hex_digest(enum indicator_kind kind, struct slice value)
{
	size_t size = indicator_digest_size(kind);

	return size == 0 || value.length == 2 * size;
}

/* "hxxp" would be a scheme like any other, and never match. */
static bool
has_defanged_scheme(struct build *build, struct slice url)
{
	bool changed = false;
	size_t end = slice_find_byte(url, ':');

	if (end == SIZE_MAX)
		return false;
	(void)normal_refang(
	    build->scratch, slice_range(url, 0, end + 1), &changed);
	return changed;
}

static bool
is_defanged(struct build *build, enum indicator_kind kind, struct slice value)
{
	bool changed = false;

	if (kind == INDICATOR_URL || kind == INDICATOR_DOMAIN ||
	    kind == INDICATOR_ADDRESS || kind == INDICATOR_NETWORK)
		(void)normal_refang(build->scratch, value, &changed);
	return changed;
}

/* What the feed's settings say about an item that is kept all the same: a
 * changed setting needs no new build. */
static enum feed_reason
setting_reason(const struct feed_config *config, const struct feed_item *item)
{
	uint8_t confidence = item->confidence;

	if (config->kinds != 0 &&
	    !(config->kinds & INDICATOR_KIND_BIT(item->kind)))
		return FEED_KIND_OFF;
	if (!item->to_ids && !config->ignore_to_ids)
		return FEED_TO_IDS;
	if (confidence == INDICATOR_CONFIDENCE_ABSENT)
		confidence = config->confidence;
	if (confidence == INDICATOR_CONFIDENCE_ABSENT)
		confidence = 0;
	return confidence < config->minimum_confidence ? FEED_LOW_CONFIDENCE
						       : FEED_USED;
}

/* Whether a pattern would match too much: then it is noted as suppressed. */
static bool
is_broad(struct build *build, const struct feed_item *item)
{
	struct exempt_verdict verdict = { .exempted = true };

	if (build->exempt == NULL)
		return false;
	if (build->broad == NULL)
		build->broad = broad_new();
	if (build->broad == NULL || broad_pattern(build->broad, item->program,
					&verdict.reason) != TC_OK) {
		build->full = true;
		return false;
	}
	if (verdict.reason != NULL && !suppress(build, item, &verdict))
		build->full = true;
	return verdict.reason != NULL;
}

/* The key of a pattern that has none of its own; FEED_USED, or why it is not
 * taken. */
static enum feed_reason
pattern_key(
    struct build *build, const struct feed_item *item, struct slice *key_out)
{
	if (is_broad(build, item))
		return FEED_TOO_BROAD;
	if (build->unkeyed >= build->limits.unkeyed_patterns_max ||
	    build->unkeyed - build->unkeyed_here >=
		build_share(build, build->limits.unkeyed_patterns_max))
		return beyond(build, FEED_LIMIT_UNKEYED_PATTERNS);
	build->unkeyed++;
	*key_out = slice_range(slice_trim(item->value), 0, NORMAL_KEY_MAX);
	return FEED_USED;
}

/* The canonical form of a value, or of the atom under which a pattern is
 * found; FEED_USED, or why it is not taken. */
static enum feed_reason
value_key(
    struct build *build, const struct feed_item *item, struct slice *key_out)
{
	struct slice keyed =
	    item->program.length > 0 ? item->atom : slice_trim(item->value);

	if (!is_hex_digest(item->kind, slice_trim(keyed)) ||
	    normal_key(build->scratch, item->kind, keyed, key_out) !=
		NORMAL_GOOD ||
	    key_out->length == 0)
		return is_defanged(build, item->kind, keyed) ? FEED_DEFANGED
							     : FEED_BAD_VALUE;
	if (item->kind == INDICATOR_URL && has_defanged_scheme(build, keyed))
		return FEED_DEFANGED;
	return FEED_USED;
}

/* Of a rule of YARA, which goes to the scanner. */
static enum feed_reason
add_rule(struct build *build, const struct feed_item *item)
{
	enum feed_reason reason = setting_reason(build->config, item);

	if (reason == FEED_USED)
		reason = build_rules_add(build, slice_trim(item->value));
	if (!build_note_version(build, item,
		reason == FEED_USED ? BUILD_VERSION_RULE : BUILD_VERSION_UNUSED,
		(uint32_t)(build->rules.count - 1), reason))
		build->full = true;
	return reason;
}

/* FEED_USED when nobody objects. */
static enum feed_reason
exempt_reason(
    struct build *build, const struct feed_item *item, struct slice key)
{
	struct exempt_verdict verdict;

	if (build->exempt == NULL || item->mask)
		return FEED_USED;
	verdict = exempt_judge(build->exempt, item->kind, key);
	if (!verdict.exempted || (!verdict.never && item->forced))
		return FEED_USED;
	if (!suppress(build, item, &verdict))
		build->full = true;
	return verdict.by_warninglist ? FEED_SUPPRESSED : FEED_TOO_BROAD;
}

static void
note_own_url(struct build *build, struct slice url)
{
	if (build->own_urls_here++ == 0)
		snprintf(build->own_url, sizeof build->own_url, "%.*s",
		    (int)(url.length > 100 ? 100 : url.length), url.data);
}

enum feed_reason
build_add(struct build *build, const struct feed_item *item)
{
	struct slice key;
	enum feed_reason reason;

	arena_reset(build->scratch);
	if (!item->shared) {
		build->last_program = FORMAT_NO_PROGRAM;
		build->reading++;
	}
	if (item->revoked) {
		if (!build_take_revoked(build, item))
			build->full = true;
		return FEED_REVOKED;
	}
	if (item->kind == INDICATOR_YARA)
		return add_rule(build, item);
	reason = item->kind == INDICATOR_PATTERN
		     ? pattern_key(build, item, &key)
		     : value_key(build, item, &key);
	if (reason == FEED_USED)
		reason = exempt_reason(build, item, key);
	if (reason == FEED_USED) {
		reason = add_entry(build, item, key);
		if (reason != FEED_USED)
			build->unkeyed -= item->kind == INDICATOR_PATTERN;
	}
	if (reason != FEED_USED) {
		if (!build_note_version(
			build, item, BUILD_VERSION_UNUSED, UINT32_MAX, reason))
			build->full = true;
		return reason;
	}
	reason = setting_reason(build->config, item);
	if (!build_note_version(build, item, BUILD_VERSION_ENTRY,
		(uint32_t)(build->entries.count - 1), reason))
		build->full = true;
	if (reason == FEED_USED && item->kind == INDICATOR_URL && !item->mask &&
	    build->exempt != NULL && exempt_is_own_url(build->exempt, key))
		note_own_url(build, item->value);
	return reason;
}

void
build_unused(struct build *build, const struct feed_item *item)
{
	build->reading++;
	if (!build_note_version(
		build, item, BUILD_VERSION_UNUSED, UINT32_MAX, FEED_REASONS))
		build->full = true;
}

void
build_end_feed(
    struct build *build, const struct feed_report *report, int64_t loaded_unix)
{
	struct format_feed *feed = &build->feeds.items[build->feeds.count - 1];

	feed->format = report->format;
	feed->read = report->read;
	feed->used = report->used;
	feed->bytes = report->bytes;
	feed->published_unix = report->published_unix;
	feed->loaded_unix = loaded_unix;
	for (unsigned i = 0; i < FEED_REASONS; i++)
		feed->reasons[i] = report->reasons[i];
	if (report->problem != NULL &&
	    !build_intern(build, slice_text(report->problem), &feed->problem))
		build->full = true;
	build_settle_versions(build, feed);
}

void
build_take_counts(
    const struct build *build, size_t feed, struct feed_report *report)
{
	const struct format_feed *from = &build->feeds.items[feed];

	report->read = from->read;
	report->used = from->used;
	for (unsigned i = 0; i < FEED_REASONS; i++)
		report->reasons[i] = from->reasons[i];
	for (unsigned i = 0; i < FEED_LIMITS; i++)
		report->limits[i] += build->beyond.items[feed].counts[i];
}
