/*
 * store_fuzz - a store file made by an enemy
 *
 * The sums are set right, so that damage is met by the code that uses offsets
 * and not by the checks at open and of verify.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "indicator/build_history.h"
#include "indicator/match.h"
#include "indicator/store_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What a build takes over from the store. */
static void
ask_history(struct store *store, struct arena *arena)
{
	struct build_limits limits = build_limits_defaults();
	struct feed_config config = feed_config_defaults("f", "f");
	struct feed_item item = { .kind = INDICATOR_DOMAIN,
		.value = { "evil.example", 12 },
		.id = { "indicator--x", 12 },
		.ordered = true,
		.modified_unix = 1 };
	struct feed_report report = { 0 };
	struct build *build = build_new(&limits);
	struct store_revoked revoked;
	void *bytes = NULL;
	size_t size;

	for (uint32_t i = 0; i < 20; i++) {
		store_revoked(store, i, arena, &revoked);
		store_entry_modified_ns(store, i);
	}
	if (build != NULL && store_entry_count(store) < 10000 &&
	    store_revoked_count(store) < 10000) {
		for (uint32_t i = 0; i < 3; i++) {
			if (build_begin_feed(build, &config) != TC_OK)
				break;
			(void)build_add(build, &item);
			if (i == 1)
				build_history_keep(build, store, i, arena);
			else
				build_history_newer(build, store, i, arena);
			build_end_feed(build, &report, 1796000000);
		}
		if (build_image(build, 1, 1796000000, &bytes, &size) == TC_OK)
			free(bytes);
	}
	build_free(&build);
}

static void
ask(struct store *store, struct arena *arena)
{
	static const struct match_observation probes[] = {
		{ INDICATOR_URL, MATCH_LINK,
		    { "http://a.evil.example/k/x?y", 27 }, -1, false },
		{ INDICATOR_URL, MATCH_LINK, { "http://203.0.114.9/", 19 }, -1,
		    false },
		{ INDICATOR_SUBJECT, MATCH_SUBJECT, { "Urgent", 6 }, -1,
		    false },
	};
	struct match_observations observations = { 0 };
	struct match_limits limits = { 50, 50, 1000 };
	struct matcher *matcher = matcher_new(store, NULL, NULL, 0);
	struct store_suppressed suppressed;
	struct match_answers answers;
	struct store_entry entry;
	struct store_feed feed;
	struct match_hits hits;

	for (uint32_t i = 0; i < store_entry_count(store) && i < 50; i++) {
		if (!store_entry(store, i, &entry))
			continue;
		store_entry_value(store, &entry, arena);
		store_entry_id(store, &entry, arena);
	}
	for (uint32_t i = 0; i < 5; i++) {
		store_feed(store, i, &feed);
		store_suppressed(store, i, &suppressed);
		store_unkeyed(store, i, &entry);
	}
	store_verify(store, NULL);
	ask_history(store, arena);
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		*list_append(arena, &observations.items, 10) = probes[i];
	if (matcher != NULL) {
		match_run(
		    matcher, &observations, &limits, 1796000000, arena, &hits);
		match_query(matcher, NULL, slice_text("evil.example"),
		    1796000000, arena, &answers);
		match_query(matcher, NULL, slice_text("indicator--x"),
		    1796000000, arena, &answers);
	}
	matcher_free(&matcher);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(4u << 20, NULL);
	struct format_header header;
	struct store *store = NULL;
	uint8_t *copy;
	size_t rest;

	copy = malloc(size + 1);
	if (size >= sizeof header && copy != NULL) {
		memcpy(copy, data, size);
		memcpy(&header, copy, sizeof header);
		memcpy(header.magic, FORMAT_MAGIC, sizeof header.magic);
		if (header.version != 1)
			header.version = FORMAT_VERSION;
		header.byte_order = FORMAT_BYTE_ORDER;
		header.section_count = format_section_count(header.version);
		header.file_size = size;
		rest = format_header_size(header.version);
		header.body_sum =
		    format_sum(0, copy + rest, size > rest ? size - rest : 0);
		header.head_sum = 0;
		header.head_sum =
		    format_sum(0, &header, format_header_size(header.version));
		memcpy(copy, &header, format_header_size(header.version));
		if (store_open_bytes(slice_make(copy, size), &store, NULL) ==
		    TC_OK)
			ask(store, arena);
		store_close(&store);
	}
	free(copy);
	arena_free(&arena);
	return 0;
}
