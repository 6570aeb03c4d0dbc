#include <config.h>

#include <stdlib.h>

#include "indicator/build_image.h"

#define DROPPED   0xff /* kind of an entry taken out again */
#define VALUE_MAX 1024u

bool
build_moment_before(struct build_moment left, struct build_moment right)
{
	return left.seconds != right.seconds ? left.seconds < right.seconds
					     : left.ns < right.ns;
}

static bool
is_same_moment(struct build_moment left, struct build_moment right)
{
	return left.seconds == right.seconds && left.ns == right.ns;
}

/* A version from beyond the store's time is newer than all that it holds. */
static struct build_moment
moment_of(const struct feed_item *item)
{
	int64_t seconds = item->modified_unix;
	uint32_t ns = item->modified_ns;

	if (item->version_unix > seconds) {
		seconds = item->version_unix;
		ns = 0;
	}
	if (seconds > UINT32_MAX)
		return (struct build_moment){ UINT32_MAX, 0 };
	return (
	    struct build_moment){ build_time(seconds), seconds > 0 ? ns : 0 };
}

/* ------------------------------------------------------------------- noting */

static struct build_version
version_of(const struct build *build, struct slice id)
{
	return (struct build_version){
		.id = { format_hash(build->seed, INDICATOR_KINDS, id),
		    format_hash(~build->seed, INDICATOR_KINDS, id) },
		.reading = build->from_store ? 0 : build->reading,
		.index = UINT32_MAX,
	};
}

static bool
add_version(struct build *build, const struct build_version *version)
{
	if (!BUILD_ARRAY_ROOM(build->versions))
		return false;
	build->versions.items[build->versions.count++] = *version;
	return true;
}

bool
build_note_version(struct build *build, const struct feed_item *item,
    enum build_version_of of, uint32_t index, enum feed_reason reason)
{
	struct build_version version;

	if (!item->ordered || item->id.length == 0)
		return true;
	version = version_of(build, item->id);
	version.moment = moment_of(item);
	version.of = (uint8_t)of;
	version.index = index;
	/* Of one under several keys the first was counted, unless there was
	 * something to say of this one. */
	version.reason =
	    (uint8_t)(item->shared && reason == FEED_USED ? FEED_REASONS
							  : reason);
	return add_version(build, &version);
}

/* Adds to what is remembered; *index_out is UINT32_MAX when no more is. */
static bool
remember(struct build *build, struct format_revoked *revoked, struct slice id,
    struct slice value, uint32_t *index_out)
{
	uint32_t offset;

	*index_out = UINT32_MAX;
	if (build->revoked.count >= build->revoked_room)
		return true;
	id = slice_range(id, 0, STORE_ID_MAX);
	revoked->feed = (uint16_t)(build->feeds.count - 1);
	revoked->id_form = (uint8_t)build_id_form(id, revoked->id);
	if (revoked->id_form == FORMAT_ID_TEXT) {
		if (!build_intern(build, id, &offset))
			return false;
		memcpy(revoked->id, &offset, sizeof offset);
	}
	if (!BUILD_ARRAY_ROOM(build->revoked) ||
	    !build_intern(
		build, slice_range(value, 0, VALUE_MAX), &revoked->value))
		return false;
	*index_out = (uint32_t)build->revoked.count;
	build->revoked.items[build->revoked.count++] = *revoked;
	return true;
}

bool
build_take_revoked(struct build *build, const struct feed_item *item)
{
	struct build_moment moment = moment_of(item);
	struct format_revoked revoked = { .modified = moment.seconds,
		.modified_ns = moment.ns,
		.noted = build_time(build->now_unix),
		.kind = (uint8_t)item->kind };
	uint32_t index;

	if (!item->ordered || item->id.length == 0)
		return true;
	return remember(build, &revoked, item->id,
		   item->program.length > 0 ? item->atom : item->value,
		   &index) &&
	       build_note_version(build, item, BUILD_VERSION_REVOKED, index,
		   item->shared ? FEED_REASONS : FEED_REVOKED);
}

/* Whether the feed at hand says it again, or has lifted it. */
static bool
is_said_anew(
    const struct build *build, struct slice id, struct build_moment moment)
{
	const struct build_version *newest = build_newest_version(build, id);

	return newest != NULL && (build_moment_before(moment, newest->moment) ||
				     (is_same_moment(moment, newest->moment) &&
					 newest->of == BUILD_VERSION_REVOKED));
}

void
build_carry_revoked(struct build *build, const struct store_revoked *old)
{
	struct format_revoked revoked = {
		.modified = build_time(old->modified_unix),
		.modified_ns = old->modified_ns,
		.noted = build_time(old->noted_unix),
		.kind = (uint8_t)old->kind,
	};
	struct build_version version = version_of(build, old->id);

	if (old->id.length == 0 ||
	    (build->now_unix > old->noted_unix &&
		(uint64_t)(build->now_unix - old->noted_unix) >
		    build->limits.revoked_age_s))
		return;
	version.reading = 0;
	version.moment =
	    (struct build_moment){ revoked.modified, revoked.modified_ns };
	if (is_said_anew(build, old->id, version.moment))
		return;
	version.of = BUILD_VERSION_REVOKED;
	version.reason = FEED_REASONS;
	if (!remember(build, &revoked, old->id, old->value, &version.index) ||
	    !add_version(build, &version))
		build->full = true;
}

/* ------------------------------------------------------------------- sorting */

static int
compare_ids(const struct build_version *a, const struct build_version *b)
{
	for (unsigned i = 0; i < 2; i++)
		if (a->id[i] != b->id[i])
			return a->id[i] < b->id[i] ? -1 : 1;
	return 0;
}

/* What counts first stands first. */
static int
compare_versions(const void *left, const void *right)
{
	const struct build_version *a = left, *b = right;
	int order = compare_ids(a, b);

	if (order != 0)
		return order;
	if (!is_same_moment(a->moment, b->moment))
		return build_moment_before(b->moment, a->moment) ? -1 : 1;
	if ((a->of == BUILD_VERSION_REVOKED) !=
	    (b->of == BUILD_VERSION_REVOKED))
		return a->of == BUILD_VERSION_REVOKED ? -1 : 1;
	if (a->reading != b->reading)
		return a->reading > b->reading ? -1 : 1;
	return a->index < b->index ? -1 : a->index > b->index;
}

void
build_sort_versions(struct build *build)
{
	if (build->versions.count > 1)
		qsort(build->versions.items, build->versions.count,
		    sizeof *build->versions.items, compare_versions);
	build->versions_sorted = build->versions.count;
}

const struct build_version *
build_newest_version(const struct build *build, struct slice id)
{
	struct build_version want = version_of(build, id);
	size_t low = 0, high = build->versions_sorted;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_ids(&build->versions.items[middle], &want) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == build->versions_sorted ||
	    compare_ids(&build->versions.items[low], &want) != 0)
		return NULL;
	return &build->versions.items[low];
}

/* ------------------------------------------------------------------ settling */

static enum indicator_kind
drop(struct build *build, const struct build_version *version)
{
	struct format_entry *entry;
	enum indicator_kind kind;

	if (version->of == BUILD_VERSION_RULE) {
		build->rules.items[version->index].feed = BUILD_RULE_DROPPED;
		return INDICATOR_YARA;
	}
	entry = &build->entries.items[version->index];
	kind = entry->program == FORMAT_NO_PROGRAM
		   ? (enum indicator_kind)entry->kind
		   : INDICATOR_PATTERN;
	entry->kind = DROPPED;
	return kind;
}

static void
uncount(struct format_feed *feed, enum feed_reason reason)
{
	uint64_t *count =
	    reason == FEED_USED ? &feed->used : &feed->reasons[reason];

	if (*count > 0)
		--*count;
}

/* Takes out an entry or rule that is not its id's newest version. */
static void
replace(struct build *build, struct format_feed *feed,
    const struct build_version *newest, const struct build_version *version,
    enum feed_reason reason)
{
	enum indicator_kind kind;

	if (build->replaced != NULL && version->of == BUILD_VERSION_ENTRY &&
	    version->reading != 0)
		build->replaced(build->replaced_context,
		    &build->entries.items[version->index], reason,
		    newest->moment);
	kind = drop(build, version);
	if (version->reading == 0 || version->reason >= FEED_REASONS)
		return; /* nobody has counted it */
	uncount(feed, (enum feed_reason)version->reason);
	feed->reasons[reason]++;
	if (version->reason == FEED_USED)
		build->lost[kind]++;
}

static void
settle_version(struct build *build, struct format_feed *feed,
    const struct build_version *newest, const struct build_version *version)
{
	bool same_moment = is_same_moment(newest->moment, version->moment);

	switch ((enum build_version_of)version->of) {
	case BUILD_VERSION_REVOKED:
		/* Lifted, or said again. */
		if ((newest->of != BUILD_VERSION_REVOKED || !same_moment ||
			newest->reading != version->reading) &&
		    version->index != UINT32_MAX)
			build->revoked.items[version->index].kind = DROPPED;
		return;
	case BUILD_VERSION_UNUSED:
		return;
	case BUILD_VERSION_ENTRY:
	case BUILD_VERSION_RULE:
		break;
	}
	if (newest->of == BUILD_VERSION_REVOKED) {
		replace(build, feed, newest, version, FEED_REVOKED);
		build->barred_here +=
		    newest->reading == 0 && version->reason < FEED_REASONS;
	} else if (!same_moment) {
		replace(build, feed, newest, version, FEED_OLDER);
	}
	/* Nothing tells which of equal ones is to count: all act. */
}

/* The last build that met the revocation of an id, whatever its version. */
static void
settle_noted(
    struct build *build, const struct build_version *versions, size_t count)
{
	uint32_t noted = 0;

	for (size_t i = 0; i < count; i++) {
		const struct format_revoked *one;

		if (versions[i].of != BUILD_VERSION_REVOKED ||
		    versions[i].index == UINT32_MAX)
			continue;
		one = &build->revoked.items[versions[i].index];
		if (one->noted > noted)
			noted = one->noted;
	}
	for (size_t i = 0; i < count; i++)
		if (versions[i].of == BUILD_VERSION_REVOKED &&
		    versions[i].index != UINT32_MAX)
			build->revoked.items[versions[i].index].noted = noted;
}

/* Takes what was dropped out of what is remembered of the feed at hand. */
static void
compact_revoked(struct build *build)
{
	size_t kept = build->mark.revoked;

	for (size_t i = kept; i < build->revoked.count; i++)
		if (build->revoked.items[i].kind != DROPPED)
			build->revoked.items[kept++] = build->revoked.items[i];
	build->revoked.count = kept;
}

/* One that was in force before and is newer stays, and counts as read. */
static void
count_held(struct build *build, struct format_feed *feed,
    const struct build_version *newest)
{
	if (newest->of != BUILD_VERSION_ENTRY || newest->reading != 0)
		return;
	build->held_here++;
	if (newest->reason >= FEED_REASONS)
		return;
	feed->read++;
	if (newest->reason == FEED_USED)
		feed->used++;
	else
		feed->reasons[newest->reason]++;
}

void
build_settle_versions(struct build *build, struct format_feed *feed)
{
	const struct build_version *items = build->versions.items;
	size_t count = build->versions.count;

	build_sort_versions(build);
	for (size_t from = 0, end; from < count; from = end) {
		for (end = from + 1;
		     end < count && compare_ids(&items[from], &items[end]) == 0;
		     end++)
			;
		for (size_t i = from; i < end; i++)
			settle_version(build, feed, &items[from], &items[i]);
		settle_noted(build, items + from, end - from);
		if (!feed->kept)
			count_held(build, feed, &items[from]);
		build->beyond.items[build->feeds.count - 1]
		    .counts[FEED_LIMIT_REVOKED] +=
		    items[from].of == BUILD_VERSION_REVOKED &&
		    items[from].index == UINT32_MAX;
	}
	compact_revoked(build);
}
