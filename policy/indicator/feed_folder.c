#include <config.h>

#include <dirent.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "indicator/feed_folder.h"

#define LEFT_OUT_MAX 100u

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
	if (config->format != FEED_FORMAT_YARA &&
	    (strcmp(name, "manifest.json") == 0 ||
		strcmp(name, "hashes.csv") == 0))
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

	if (why != NULL)
		return leave_out(arena, name, why, folder);
	slot = list_append(arena, &folder->names, SIZE_MAX);
	if (slot == NULL)
		return false;
	*slot = arena_text(arena, slice_text(name));
	folder->bytes += (uint64_t)info->st_size;
	return *slot != NULL;
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
	struct dirent *entry;
	bool good = true;

	*folder_out = (struct feed_folder){ 0 };
	if (folder == NULL)
		return false;
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
	good = good && cut(arena, files_max, folder_out);
	if (folder_out->left_out.count > 1)
		qsort(folder_out->left_out.items, folder_out->left_out.count,
		    sizeof *folder_out->left_out.items, compare_names);
	return good;
}
