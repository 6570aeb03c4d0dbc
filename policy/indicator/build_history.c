#include <config.h>

#include "indicator/build_history.h"
#include "indicator/normal.h"

/* An entry of the old store as an item for the new one. */
static bool
item_of_entry(const struct store *old, const struct store_entry *entry,
    struct slice id, struct arena *scratch, struct feed_item *item)
{
	*item = (struct feed_item){
		.kind = entry->kind,
		.value = store_entry_value(old, entry, scratch),
		.id = id,
		.tags = entry->tags,
		.description = entry->description,
		.roles = entry->roles,
		.severity = entry->severity,
		.confidence = entry->confidence,
		.tlp = entry->tlp,
		.to_ids = entry->to_ids,
		.mask = entry->mask,
		.ordered = entry->modified_unix != 0,
		.not_before = entry->not_before,
		.first_seen_unix = entry->first_seen_unix,
		.last_seen_unix = entry->last_seen_unix,
		.valid_until_unix = entry->valid_until_unix,
		.modified_unix = entry->modified_unix,
		.modified_ns = store_entry_modified_ns(old, entry->index),
		.program = store_program(old, entry->program),
	};
	if (item->program.length > 0)
		item->atom = normal_key_text(scratch, entry->kind, entry->key);
	return item->value.data != NULL;
}

/* Whether the feed at hand brings an older version of the entry. */
static bool
is_newer(const struct build *build, const struct store *old,
    const struct store_entry *entry, struct slice id)
{
	const struct build_version *now =
	    id.length == 0 ? NULL : build_newest_version(build, id);
	struct build_moment then = { .seconds =
					 build_time(entry->modified_unix) };

	if (now == NULL || then.seconds < now->moment.seconds)
		return false;
	then.ns = store_entry_modified_ns(old, entry->index);
	return build_moment_before(now->moment, then);
}

static void
take_entries(struct build *build, const struct store *old, uint32_t old_feed,
    bool newer_only, struct arena *scratch)
{
	uint32_t total = store_entry_count(old);

	for (uint32_t i = 0; i < total && !build->full; i++) {
		struct store_entry entry;
		struct feed_item item;
		struct slice id;

		if (store_entry_feed(old, i) != old_feed ||
		    !store_entry(old, i, &entry))
			continue;
		arena_reset(scratch);
		id = store_entry_id(old, &entry, scratch);
		if (newer_only && !is_newer(build, old, &entry, id))
			continue;
		if (item_of_entry(old, &entry, id, scratch, &item))
			(void)build_add(build, &item);
	}
}

static void
take_revoked(struct build *build, const struct store *old, uint32_t old_feed,
    struct arena *scratch)
{
	uint32_t count = store_revoked_count(old);

	for (uint32_t i = 0; i < count && !build->full; i++) {
		struct store_revoked one;

		if (store_revoked_feed(old, i) != old_feed)
			continue;
		arena_reset(scratch);
		if (store_revoked(old, i, scratch, &one))
			build_carry_revoked(build, &one);
	}
}

/* What is listed as taken out of the feed stays listed. */
static void
take_suppressed(struct build *build, const struct store *old, uint32_t old_feed)
{
	struct store_suppressed one;

	for (uint32_t i = 0; i < store_suppressed_count(old); i++)
		if (store_suppressed(old, i, &one) && one.feed == old_feed)
			build_keep_suppressed(build, &one);
}

static bool
has_revoked(const struct store *old, uint32_t old_feed)
{
	uint32_t count = store_revoked_count(old);

	for (uint32_t i = 0; i < count; i++)
		if (store_revoked_feed(old, i) == old_feed)
			return true;
	return false;
}

bool
build_history_matters(const struct store *old, uint32_t old_feed,
    const struct feed_report *report)
{
	return report->format == FEED_FORMAT_STIX ||
	       report->format == FEED_FORMAT_MISP || has_revoked(old, old_feed);
}

void
build_history_keep(struct build *build, const struct store *old,
    uint32_t old_feed, struct arena *scratch)
{
	build->from_store = true;
	take_entries(build, old, old_feed, false, scratch);
	take_suppressed(build, old, old_feed);
	take_revoked(build, old, old_feed, scratch);
	build->from_store = false;
}

void
build_history_newer(struct build *build, const struct store *old,
    uint32_t old_feed, struct arena *scratch)
{
	build_sort_versions(build);
	build->from_store = true;
	take_entries(build, old, old_feed, true, scratch);
	take_revoked(build, old, old_feed, scratch);
	build->from_store = false;
}
