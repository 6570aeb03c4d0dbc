/*
 * store_fuzz - a store file made by an enemy
 *
 * The header's sum is set right, so that damage behind it is met by the code
 * that uses offsets and not by the check at open.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "indicator/match.h"
#include "indicator/store_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

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
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		*list_append(arena, &observations.items, 10) = probes[i];
	if (matcher != NULL) {
		match_run(
		    matcher, &observations, &limits, 1796000000, arena, &hits);
		match_query(matcher, NULL, slice_text("evil.example"),
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

	copy = malloc(size + 1);
	if (size >= sizeof header && copy != NULL) {
		memcpy(copy, data, size);
		memcpy(&header, copy, sizeof header);
		memcpy(header.magic, FORMAT_MAGIC, sizeof header.magic);
		header.version = FORMAT_VERSION;
		header.byte_order = FORMAT_BYTE_ORDER;
		header.section_count = FORMAT_SECTIONS;
		header.file_size = size;
		header.head_sum = 0;
		header.head_sum = format_sum(0, &header, sizeof header);
		memcpy(copy, &header, sizeof header);
		if (store_open_bytes(slice_make(copy, size), &store, NULL) ==
		    TC_OK)
			ask(store, arena);
		store_close(&store);
	}
	free(copy);
	arena_free(&arena);
	return 0;
}
