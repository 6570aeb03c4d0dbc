#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "indicator/feed_folder.h"
#include "indicator/json_split.h"

#define LEFT_OUT_MAX 100u
/* Of a manifest; that of 100000 events has some 30 MB. */
#define MANIFEST_BYTES_MAX (128u << 20)
#define UUID_LENGTH        36u
#define EVENT_NAME_MAX     (UUID_LENGTH + sizeof ".json")

static int
compare_names(const void *left, const void *right)
{
	const char *const *a = left, *const *b = right;

	return strcmp(*a, *b);
}

static bool
is_rule_file(struct slice name)
{
	return slice_ends_with(name, SLICE_LITERAL(".yar")) ||
	       slice_ends_with(name, SLICE_LITERAL(".yara"));
}

static bool
is_index(const char *name)
{
	return strcmp(name, "manifest.json") == 0 ||
	       strcmp(name, "hashes.csv") == 0;
}

/* Why something in the folder is not read, or NULL. */
static const char *
why_left_out(
    const struct feed_config *config, const char *name, const struct stat *info)
{
	if (S_ISDIR(info->st_mode))
		return "is a folder; only the files of the feed's own folder "
		       "are read, so name it as a feed of its own";
	if (!S_ISREG(info->st_mode))
		return "is no regular file";
	if (config->format == FEED_FORMAT_YARA &&
	    !is_rule_file(slice_text(name)))
		return "is no *.yar or *.yara";
	if (config->format != FEED_FORMAT_YARA && is_index(name))
		return "is the index of a MISP feed";
	return NULL;
}

static bool
leave_out(struct arena *arena, const char *name, const char *why,
    struct feed_folder *folder)
{
	const char **slot;

	folder->left_out_count++;
	if (folder->left_out.count >= LEFT_OUT_MAX)
		return true;
	slot = list_append(arena, &folder->left_out, LEFT_OUT_MAX);
	if (slot == NULL)
		return false;
	*slot = arena_printf(arena, "%s: %s", name, why);
	return *slot != NULL;
}

static bool
take_entry(struct arena *arena, const struct feed_config *config,
    const char *name, const struct stat *info, struct feed_folder *folder)
{
	const char *why = why_left_out(config, name, info);
	const char **slot;

	/* Every folder of a MISP feed has them. */
	if (folder->is_misp && is_index(name))
		return true;
	if (why != NULL)
		return leave_out(arena, name, why, folder);
	slot = list_append(arena, &folder->names, SIZE_MAX);
	if (slot == NULL)
		return false;
	*slot = arena_text(arena, slice_text(name));
	folder->bytes += (uint64_t)info->st_size;
	return *slot != NULL;
}

/* Reads the manifest; length 0 when it is none. Free the data. */
static struct slice
read_manifest(int folder)
{
	int file =
	    openat(folder, "manifest.json", O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct slice text = { NULL, 0 };
	struct stat info;
	char *bytes = NULL;
	ssize_t got;

	if (file < 0)
		return text;
	if (fstat(file, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size > 0 && (uint64_t)info.st_size <= MANIFEST_BYTES_MAX)
		bytes = malloc((size_t)info.st_size);
	while (bytes != NULL && text.length < (size_t)info.st_size &&
	       (got = read(file, bytes + text.length,
		    (size_t)info.st_size - text.length)) > 0)
		text.length += (size_t)got;
	text.data = bytes;
	close(file);
	return text;
}

/* Writes the file name of the manifest's next event. */
static bool
next_event(struct json_split *split, char name_out[EVENT_NAME_MAX])
{
	struct json_value value;
	struct slice name;

	while (json_split_member(split, &name, &value))
		if (name.length == UUID_LENGTH && json_is_object(value.text)) {
			snprintf(name_out, EVENT_NAME_MAX, "%.*s.json",
			    (int)name.length, name.data);
			return true;
		}
	return false;
}

/* Says when events that the manifest names are not in the folder, as after a
 * copy that was cut off. */
static bool
say_absent(
    struct arena *arena, struct slice manifest, struct feed_folder *folder)
{
	struct json_split split = json_split_begin(manifest);
	char event[EVENT_NAME_MAX], first[EVENT_NAME_MAX] = "";
	const char *key = event;
	size_t absent = 0;

	while (next_event(&split, event)) {
		if (folder->names.count > 0 &&
		    bsearch(&key, folder->names.items, folder->names.count,
			sizeof *folder->names.items, compare_names) != NULL)
			continue;
		if (absent++ == 0)
			snprintf(first, sizeof first, "%s", event);
	}
	if (absent == 0)
		return true;
	return leave_out(arena, "manifest.json",
	    arena_printf(arena, "names %zu event%s that %s not here: %s%s",
		absent, absent == 1 ? "" : "s", absent == 1 ? "is" : "are",
		first, absent == 1 ? "" : ", ..."),
	    folder);
}

static bool
is_misp(struct slice manifest)
{
	struct json_split split = json_split_begin(manifest);
	char event[EVENT_NAME_MAX];

	return json_is_object(manifest) && next_event(&split, event);
}

/* Those beyond the limit are the last by name, not those that the file system
 * happens to give last. */
static bool
cut(struct arena *arena, size_t files_max, struct feed_folder *folder)
{
	bool good = true;

	for (size_t i = files_max; i < folder->names.count && good; i++) {
		folder->too_many++;
		good = leave_out(arena, folder->names.items[i],
		    "is one file too many", folder);
	}
	if (folder->names.count > files_max)
		folder->names.count = files_max;
	return good;
}

bool
feed_folder_look(struct arena *arena, const struct feed_config *config,
    size_t files_max, struct feed_folder *folder_out)
{
	DIR *folder = opendir(config->source);
	struct slice manifest = { NULL, 0 };
	struct dirent *entry;
	bool good = true;

	*folder_out = (struct feed_folder){ 0 };
	if (folder == NULL)
		return false;
	if (config->format == FEED_FORMAT_MISP ||
	    config->format == FEED_FORMAT_AUTO)
		manifest = read_manifest(dirfd(folder));
	folder_out->is_misp = is_misp(slice_trim(manifest));
	while (good && (entry = readdir(folder)) != NULL) {
		struct stat info;

		if (entry->d_name[0] == '.' ||
		    fstatat(dirfd(folder), entry->d_name, &info, 0) != 0)
			continue;
		good =
		    take_entry(arena, config, entry->d_name, &info, folder_out);
	}
	closedir(folder);
	if (folder_out->names.count > 1)
		qsort(folder_out->names.items, folder_out->names.count,
		    sizeof *folder_out->names.items, compare_names);
	if (good && folder_out->is_misp)
		good = say_absent(arena, slice_trim(manifest), folder_out);
	free((void *)(uintptr_t)manifest.data);
	good = good && cut(arena, files_max, folder_out);
	if (folder_out->left_out.count > 1)
		qsort(folder_out->left_out.items, folder_out->left_out.count,
		    sizeof *folder_out->left_out.items, compare_names);
	return good;
}
