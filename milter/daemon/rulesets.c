#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/rulesets.h"
#include "indicator/build.h"

/* Reads a regular file whole; NULL data with errno. */
static struct slice
read_file(const char *path, struct arena *arena)
{
	struct slice none = { 0 };
	struct stat info;
	size_t length = 0;
	char *text;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return none;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
	    info.st_size > (off_t)RULESETS_BYTES_MAX) {
		close(fd);
		errno = EFBIG;
		return none;
	}
	text = arena_alloc(arena, (size_t)info.st_size + 1);
	while (text != NULL && length < (size_t)info.st_size) {
		ssize_t got =
		    read(fd, text + length, (size_t)info.st_size - length);

		if (got <= 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	if (text == NULL)
		errno = ENOMEM;
	return text == NULL ? none : slice_make(text, length);
}

static enum tc_status
add_file(const struct feed_config *feed, const char *path, struct arena *arena,
    struct diag *diag, struct rulesets *rulesets)
{
	struct slice source = read_file(path, arena);
	struct scanner_ruleset *ruleset;

	if (source.data == NULL) {
		diag_plain(diag, DIAG_ERROR, "%s: rules not read: %s", path,
		    strerror(errno));
		return errno == ENOMEM ? TC_LIMIT : TC_OK;
	}
	ruleset = list_append(arena, &rulesets->items, RULESETS_FILES_MAX);
	if (ruleset == NULL)
		return TC_LIMIT;
	*ruleset = (struct scanner_ruleset){
		.name = feed->name, .file = path, .source = source
	};
	rulesets->signature =
	    slice_hash(slice_text(feed->name), rulesets->signature);
	rulesets->signature = slice_hash(source, rulesets->signature);
	return TC_OK;
}

static int
is_rule_file(const struct dirent *entry)
{
	struct slice name = slice_text(entry->d_name);

	return entry->d_name[0] != '.' &&
	       (slice_ends_with(name, SLICE_LITERAL(".yar")) ||
		   slice_ends_with(name, SLICE_LITERAL(".yara")));
}

static enum tc_status
add_folder(const struct feed_config *feed, const char *folder,
    struct arena *arena, struct diag *diag, struct rulesets *rulesets)
{
	enum tc_status status = TC_OK;
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_rule_file, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = status == TC_OK ? arena_printf(arena, "%s/%s",
						   folder, entries[i]->d_name)
					     : NULL;

		if (status == TC_OK)
			status = path == NULL ? TC_LIMIT
					      : add_file(feed, path, arena,
						    diag, rulesets);
		free(entries[i]);
	}
	free(entries);
	return status;
}

/* Where builds put the rules that stand inside a feed of another form. */
static const char *
inner_folder(const struct settings *settings, const struct feed_config *feed,
    char path[4096])
{
	snprintf(path, 4096, "%s/" BUILD_RULES_FOLDER "/%s",
	    settings->state_directory, feed->name);
	return path;
}

static bool
may_hold_rules(const struct feed_config *feed)
{
	return feed->format == FEED_FORMAT_AUTO ||
	       feed->format == FEED_FORMAT_STIX ||
	       feed->format == FEED_FORMAT_MISP;
}

enum tc_status
rulesets_read(const struct settings *settings, struct arena *arena,
    struct diag *diag, struct rulesets *rulesets_out)
{
	struct rulesets rulesets = { 0 };
	enum tc_status status = TC_OK;

	for (size_t i = 0; i < settings->feed_count && status == TC_OK; i++) {
		const struct feed_config *feed = &settings->feeds[i];
		struct stat info;
		char path[4096];

		if (may_hold_rules(feed))
			status =
			    add_folder(feed, inner_folder(settings, feed, path),
				arena, diag, &rulesets);
		if (feed->format != FEED_FORMAT_YARA)
			continue;
		if (stat(feed->source, &info) == 0 && S_ISDIR(info.st_mode))
			status = add_folder(
			    feed, feed->source, arena, diag, &rulesets);
		else
			status = add_file(
			    feed, feed->source, arena, diag, &rulesets);
	}
	rulesets.inner_prefix = arena_printf(
	    arena, "%s/" BUILD_RULES_FOLDER "/", settings->state_directory);
	if (rulesets.inner_prefix == NULL)
		status = TC_LIMIT;
	*rulesets_out = rulesets;
	return status;
}

static bool
is_inner(const struct rulesets *rulesets, const struct scanner_ruleset *one)
{
	return slice_starts_with(
	    slice_text(one->file), slice_text(rulesets->inner_prefix));
}

void
rulesets_drop_broken(int zygote, const struct scanner_settings *settings,
    bool inner_only, struct diag *diag, struct rulesets *rulesets)
{
	struct scanner_settings one = *settings;
	size_t kept = 0;

	one.workers_max = 1;
	for (size_t i = 0; i < rulesets->items.count; i++) {
		struct scanner *scanner = NULL;

		if ((inner_only &&
			!is_inner(rulesets, &rulesets->items.items[i])) ||
		    scanner_new(zygote, &one, &rulesets->items.items[i], 1,
			diag, &scanner) != TC_INVALID)
			rulesets->items.items[kept++] =
			    rulesets->items.items[i];
		scanner_free(&scanner);
	}
	rulesets->items.count = kept;
}

static unsigned long long
mark_file(const char *path, unsigned long long mark)
{
	struct stat info;
	unsigned long long seen[5] = { 0 };

	mark = slice_hash(slice_text(path), mark);
	if (stat(path, &info) != 0)
		return mark;
	seen[0] = info.st_dev;
	seen[1] = info.st_ino;
	seen[2] = (unsigned long long)info.st_size;
	seen[3] = (unsigned long long)info.st_mtim.tv_sec;
	seen[4] = (unsigned long long)info.st_mtim.tv_nsec;
	return slice_hash(slice_make((const char *)seen, sizeof seen), mark);
}

static unsigned long long
mark_folder(const char *folder, unsigned long long mark)
{
	struct dirent **entries = NULL;
	int count = scandir(folder, &entries, is_rule_file, alphasort);
	char path[4096];

	for (int i = 0; i < count; i++) {
		if (snprintf(path, sizeof path, "%s/%s", folder,
			entries[i]->d_name) < (int)sizeof path)
			mark = mark_file(path, mark);
		free(entries[i]);
	}
	free(entries);
	return mark;
}

unsigned long long
rulesets_mark(const struct settings *settings)
{
	unsigned long long mark = 0;

	for (size_t i = 0; i < settings->feed_count; i++) {
		const struct feed_config *feed = &settings->feeds[i];
		struct stat info;
		char path[4096];

		if (may_hold_rules(feed))
			mark = mark_folder(
			    inner_folder(settings, feed, path), mark);
		if (feed->format != FEED_FORMAT_YARA)
			continue;
		if (stat(feed->source, &info) == 0 && S_ISDIR(info.st_mode))
			mark = mark_folder(feed->source, mark);
		else
			mark = mark_file(feed->source, mark);
	}
	return mark;
}

struct scanner_settings
rulesets_scanner_settings(const struct settings *settings)
{
	struct scanner_settings scanner = scanner_settings_default();

	scanner.workers_max = (unsigned)settings->limits.scan_workers;
	scanner.scan_time_ms = (unsigned)settings->limits.scan_time;
	scanner.archive_depth = (unsigned)settings->limits.archive_depth;
	scanner.archive_bytes = settings->limits.archive_bytes;
	scanner.archive_ratio = (unsigned)settings->limits.archive_ratio;
	scanner.archive_entries = (unsigned)settings->limits.archive_entries;
	scanner.document_bytes = (size_t)settings->limits.document_bytes;
	scanner.document_objects = (unsigned)settings->limits.document_objects;
	scanner.document_links = (unsigned)settings->limits.document_links;
	scanner.content_bytes = (size_t)settings->limits.content_bytes;
	scanner.mails = (unsigned)settings->limits.attached_mails;
	scanner.worker_memory_bytes = (size_t)settings->limits.scan_memory;
	return scanner;
}
