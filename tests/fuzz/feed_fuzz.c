/*
 * feed_fuzz - a feed in one of its forms, chosen by the first octet
 *
 * Lists, CSV, MISP and STIX (the splitter with them) go into a build, and what
 * comes out is opened, verified and listed.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "indicator/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum feed_reason
add(void *context, const struct feed_item *item)
{
	return build_add(context, item);
}

static void
read_back(struct build *build)
{
	struct store *store = NULL;
	struct arena *arena;
	void *bytes = NULL;
	size_t size;

	if (build_image(build, 1, 1796000000, &bytes, &size) != TC_OK)
		return;
	if (store_open_owned(bytes, size, &store) != TC_OK ||
	    !store_verify(store, NULL))
		abort(); /* what we wrote has to be good */
	arena = arena_new(1u << 20, NULL);
	for (uint32_t i = 0; i < store_entry_count(store); i++) {
		struct store_lookup lookup;
		struct store_entry entry, found;

		arena_reset(arena);
		if (!store_entry(store, i, &entry))
			abort();
		store_entry_value(store, &entry, arena);
		store_entry_id(store, &entry, arena);
		lookup = store_find(store, entry.kind, entry.key);
		if (!store_find_next(&lookup, &found))
			abort();
	}
	arena_free(&arena);
	store_close(&store);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum feed_format formats[] = { FEED_FORMAT_AUTO,
		FEED_FORMAT_LIST, FEED_FORMAT_HOSTS, FEED_FORMAT_LOKI,
		FEED_FORMAT_CSV, FEED_FORMAT_STIX, FEED_FORMAT_MISP,
		FEED_FORMAT_URLHAUS, FEED_FORMAT_MISP_CSV, FEED_FORMAT_LOCAL };
	struct feed_config config = feed_config_defaults("fuzz", "fuzz");
	struct build_limits limits = build_limits_defaults();
	struct build *build = build_new(&limits);
	struct arena *arena = arena_new(16u << 20, NULL);
	struct feed_sink sink = { .context = build, .item = add };
	struct feed_report report;

	if (size > 0 && build != NULL && arena != NULL) {
		config.format =
		    formats[data[0] % (sizeof formats / sizeof *formats)];
		config.refang = (data[0] & 0x80) != 0;
		if (build_begin_feed(build, &config) == TC_OK) {
			feed_read_bytes(arena, &config, &limits.feed,
			    slice_make(data + 1, size - 1), &sink, &report);
			build_end_feed(build, &report, 1796000000);
			read_back(build);
		}
	}
	build_free(&build);
	arena_free(&arena);
	return 0;
}
