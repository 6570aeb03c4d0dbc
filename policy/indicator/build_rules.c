#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "indicator/build_rules.h"

#define PATH_BYTES 4096
#define NAME_BYTES 32 /* of "0123456789abcdef.yar" */

enum feed_reason
build_rules_add(struct build *build, struct slice text)
{
	struct build_rule rule = { .feed = (uint32_t)build->feeds.count - 1 };

	if (slice_find(text, SLICE_LITERAL("rule")) == SIZE_MAX ||
	    slice_find(text, SLICE_LITERAL("condition")) == SIZE_MAX ||
	    slice_find_byte(text, '\0') != SIZE_MAX)
		return FEED_BAD_VALUE;
	if (build->rules.count >= build->limits.rules_max ||
	    build->rules.count - build->mark.rules >=
		build_share(build, build->limits.rules_max)) {
		build->beyond.items[rule.feed].counts[FEED_LIMIT_YARA_RULES]++;
		return FEED_TOO_MANY;
	}
	if (!build_take_rule(build, &rule, text)) {
		build->full = true;
		return FEED_TOO_MANY;
	}
	return FEED_USED;
}

static struct slice
text_of(const struct build *build, const struct build_rule *rule)
{
	return slice_make(build->rule_texts.data + rule->offset, rule->length);
}

static void
name_of(struct slice text, char name[NAME_BYTES])
{
	snprintf(name, NAME_BYTES, "%016llx.yar", slice_hash(text, 0));
}

static bool
is_wanted(const struct build *build, uint32_t feed, const char *name)
{
	for (size_t i = 0; i < build->rules.count; i++) {
		char own[NAME_BYTES];

		if (build->rules.items[i].feed != feed)
			continue;
		name_of(text_of(build, &build->rules.items[i]), own);
		if (strcmp(own, name) == 0)
			return true;
	}
	return false;
}

static void
take_out_others(const struct build *build, uint32_t feed, int folder)
{
	int copy = dup(folder);
	DIR *entries = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (entries == NULL) {
		if (copy >= 0)
			close(copy);
		return;
	}
	while ((entry = readdir(entries)) != NULL)
		if (entry->d_name[0] != '.' &&
		    !is_wanted(build, feed, entry->d_name))
			(void)unlinkat(folder, entry->d_name, 0);
	closedir(entries);
}

/* Aside and renamed: the scanner may read at any time. */
static bool
write_rule(int folder, struct slice text)
{
	char name[NAME_BYTES];
	bool good = false;
	int fd;

	name_of(text, name);
	if (faccessat(folder, name, F_OK, 0) == 0)
		return true;
	(void)unlinkat(folder, ".new", 0);
	fd = openat(folder, ".new",
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return false;
	good = write(fd, text.data, text.length) == (ssize_t)text.length;
	good = close(fd) == 0 && good;
	return good && renameat(folder, ".new", folder, name) == 0;
}

static bool
write_feed(const struct build *build, uint32_t feed, const char *path)
{
	bool good = true;
	int folder =
	    open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (folder < 0)
		return false;
	for (size_t i = 0; i < build->rules.count && good; i++)
		if (build->rules.items[i].feed == feed)
			good = write_rule(
			    folder, text_of(build, &build->rules.items[i]));
	if (good)
		take_out_others(build, feed, folder);
	close(folder);
	return good;
}

static bool
has_rules(const struct build *build, uint32_t feed)
{
	for (size_t i = 0; i < build->rules.count; i++)
		if (build->rules.items[i].feed == feed)
			return true;
	return false;
}

bool
build_rules_write(const struct build *build, const char *state_directory)
{
	char path[PATH_BYTES], name[256];
	bool good = true;

	for (uint32_t i = 0; i < build->feeds.count; i++) {
		const struct format_feed *feed = &build->feeds.items[i];

		if (feed->kept)
			continue;
		build_string(build, feed->name, name, sizeof name);
		snprintf(path, sizeof path, "%s/" BUILD_RULES_FOLDER,
		    state_directory);
		if (has_rules(build, i))
			(void)mkdir(path, 0755);
		snprintf(path, sizeof path, "%s/" BUILD_RULES_FOLDER "/%s",
		    state_directory, name);
		if (has_rules(build, i))
			(void)mkdir(path, 0755);
		else if (access(path, F_OK) != 0)
			continue;
		good = write_feed(build, i, path) && good;
	}
	return good;
}
