#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/rulesets.h"
#include "indicator/feed.h"

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
add_folder(const struct feed_config *feed, struct arena *arena,
    struct diag *diag, struct rulesets *rulesets)
{
	enum tc_status status = TC_OK;
	struct dirent **entries = NULL;
	int count = scandir(feed->source, &entries, is_rule_file, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = status == TC_OK
				 ? arena_printf(arena, "%s/%s", feed->source,
				       entries[i]->d_name)
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

enum tc_status
rulesets_read(const struct settings *settings, struct arena *arena,
    struct diag *diag, struct rulesets *rulesets_out)
{
	struct rulesets rulesets = { 0 };
	enum tc_status status = TC_OK;

	for (size_t i = 0; i < settings->feed_count && status == TC_OK; i++) {
		const struct feed_config *feed = &settings->feeds[i];
		struct stat info;

		if (feed->format != FEED_FORMAT_YARA)
			continue;
		if (stat(feed->source, &info) == 0 && S_ISDIR(info.st_mode))
			status = add_folder(feed, arena, diag, &rulesets);
		else
			status = add_file(
			    feed, feed->source, arena, diag, &rulesets);
	}
	*rulesets_out = rulesets;
	return status;
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
	return scanner;
}
