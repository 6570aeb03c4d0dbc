/*
 * feed_fuzz - a feed in one of its forms, chosen by the first octet
 *
 * Lists, CSV, MISP and STIX (the splitter with them) go into a build, and what
 * comes out is opened, verified and listed. The same octets are then read from
 * a file through a small window, which must give as much.
 */
#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

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

#define WINDOW 256u

/* Lines that a quarter of the window holds are read as from memory. Forms that
 * are found out, and delimiters, may depend on how much is seen of a file. */
static bool
is_same_through_window(const struct feed_config *config, struct slice bytes)
{
	size_t length = 0;

	if (config->format != FEED_FORMAT_LIST &&
	    config->format != FEED_FORMAT_HOSTS &&
	    config->format != FEED_FORMAT_LOKI)
		return false;

	for (size_t i = 0; i < bytes.length; i++) {
		length = bytes.data[i] == '\n' ? 0 : length + 1;
		if (length >= WINDOW / 4)
			return false;
	}
	return true;
}

/* The same through a window; `whole` is what came out of memory. A file that
 * is refused for its first octets shows fewer of them through a window. */
static void
read_windowed(struct feed_config *config, const struct build_limits *limits,
    struct slice bytes, const struct feed_report *whole)
{
	struct feed_limits small = limits->feed;
	struct build *build = build_new(limits);
	struct arena *arena = arena_new(16u << 20, NULL);
	struct feed_sink sink = { .context = build, .item = add };
	struct feed_report report = { 0 };
	char path[64];
	int fd = memfd_create("feed", MFD_CLOEXEC);

	small.large_file_bytes = 0;
	small.window_bytes = WINDOW;
	if (fd >= 0 && build != NULL && arena != NULL &&
	    write(fd, bytes.data, bytes.length) == (ssize_t)bytes.length) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		config->source = path;
		if (build_begin_feed(build, config) == TC_OK &&
		    feed_read(arena, config, &small, &sink, &report) == TC_OK &&
		    whole->problem == NULL &&
		    is_same_through_window(config, bytes) &&
		    report.used != whole->used)
			abort();
	}
	if (fd >= 0)
		close(fd);
	build_free(&build);
	arena_free(&arena);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum feed_format formats[] = { FEED_FORMAT_AUTO,
		FEED_FORMAT_LIST, FEED_FORMAT_HOSTS, FEED_FORMAT_LOKI,
		FEED_FORMAT_CSV, FEED_FORMAT_JSON, FEED_FORMAT_STIX,
		FEED_FORMAT_MISP, FEED_FORMAT_URLHAUS, FEED_FORMAT_MISP_CSV,
		FEED_FORMAT_LOCAL };
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
			read_windowed(&config, &limits,
			    slice_make(data + 1, size - 1), &report);
		}
	}
	build_free(&build);
	arena_free(&arena);
	return 0;
}
