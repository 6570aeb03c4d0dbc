#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/mailbox.h"

#include "base/builder.h"
#include "base/list.h"

#define DEPTH_MAX   32
#define INPUT_MAX   ((size_t)1 << 30) /* octets of standard input */
#define ENTRIES_MAX 10000000

struct mailbox {
	struct arena *arena;
	LIST_OF(char *) paths; /* files that are still to come, in order */
	size_t next;
	unsigned unreadable;

	/* the file under way */
	const char *path;
	char *mapped;
	size_t mapped_length;
	struct slice rest; /* of an mbox */
	bool is_mbox;
	unsigned number;
	struct arena *scratch; /* an mbox message with its quotes undone */
};

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool
is_directory(const char *folder, const char *name)
{
	char path[8192];
	struct stat info;

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return lstat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* Of a Maildir only the folders with mail, and folders below it. */
static bool
is_wanted(const char *folder, const char *name, bool maildir)
{
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	if (!maildir)
		return name[0] != '.';
	return strcmp(name, "cur") == 0 || strcmp(name, "new") == 0 ||
	       (name[0] == '.' && is_directory(folder, name));
}

static bool add_path(struct mailbox *mailbox, const char *path, unsigned depth);

static bool
add_folder(struct mailbox *mailbox, const char *path, unsigned depth)
{
	LIST_OF(char *) names = { 0 };
	DIR *folder = opendir(path);
	bool maildir = is_directory(path, "cur") && is_directory(path, "new");
	struct dirent *entry;
	bool good = true;

	if (folder == NULL)
		return false;
	while (good && (entry = readdir(folder)) != NULL) {
		char **slot;

		if (!is_wanted(path, entry->d_name, maildir))
			continue;
		slot = list_append(mailbox->arena, &names, ENTRIES_MAX);
		good =
		    slot != NULL && (*slot = arena_printf(mailbox->arena,
					 "%s/%s", path, entry->d_name)) != NULL;
	}
	closedir(folder);
	if (names.count > 1)
		qsort(names.items, names.count, sizeof *names.items, by_name);
	for (size_t i = 0; good && i < names.count; i++)
		add_path(mailbox, names.items[i], depth + 1);
	return good;
}

/* Takes a file, or what a folder holds. What was named on the command line
 * may be a link; what is found in a folder may not. */
static bool
add_path(struct mailbox *mailbox, const char *path, unsigned depth)
{
	struct stat info;
	char **slot;

	if ((depth == 0 ? stat(path, &info) : lstat(path, &info)) != 0)
		return false;
	if (S_ISDIR(info.st_mode))
		return depth < DEPTH_MAX && add_folder(mailbox, path, depth);
	if (depth > 0 && !S_ISREG(info.st_mode))
		return true;
	slot = list_append(mailbox->arena, &mailbox->paths, ENTRIES_MAX);
	if (slot != NULL)
		*slot = arena_text(mailbox->arena, slice_text(path));
	return slot != NULL && *slot != NULL;
}

struct mailbox *
mailbox_open(const char *path)
{
	struct mailbox *mailbox = calloc(1, sizeof *mailbox);
	char **slot;

	if (mailbox == NULL)
		return NULL;
	mailbox->arena = arena_new(0, NULL);
	mailbox->scratch = arena_new(0, NULL);
	if (mailbox->arena == NULL || mailbox->scratch == NULL) {
		mailbox_close(&mailbox);
		return NULL;
	}
	if (strcmp(path, "-") == 0) {
		slot = list_append(mailbox->arena, &mailbox->paths, 1);
		if (slot != NULL)
			*slot = arena_text(mailbox->arena, slice_text("-"));
		return mailbox;
	}
	if (!add_path(mailbox, path, 0)) {
		int saved = errno;

		mailbox_close(&mailbox);
		errno = saved;
	}
	return mailbox;
}

static void
unmap(struct mailbox *mailbox)
{
	if (mailbox->mapped_length > 0 && mailbox->path != NULL &&
	    strcmp(mailbox->path, "-") != 0)
		munmap(mailbox->mapped, mailbox->mapped_length);
	mailbox->mapped = NULL;
	mailbox->mapped_length = 0;
}

static bool
read_input(struct mailbox *mailbox)
{
	struct builder all = builder_make(mailbox->arena, INPUT_MAX);
	char chunk[65536];
	size_t count;

	while ((count = fread(chunk, 1, sizeof chunk, stdin)) > 0)
		builder_slice(&all, slice_make(chunk, count));
	mailbox->rest = builder_result(&all);
	return !all.failed;
}

static bool
map_file(struct mailbox *mailbox)
{
	int file = open(mailbox->path, O_RDONLY | O_CLOEXEC);
	struct stat info;
	bool good = file >= 0 && fstat(file, &info) == 0;

	if (good && S_ISDIR(info.st_mode)) {
		errno = EISDIR;
		good = false;
	}
	mailbox->rest = slice_make("", 0);
	if (good && info.st_size > 0) {
		mailbox->mapped_length = (size_t)info.st_size;
		mailbox->mapped = mmap(NULL, mailbox->mapped_length, PROT_READ,
		    MAP_PRIVATE, file, 0);
		good = mailbox->mapped != MAP_FAILED;
		if (good)
			mailbox->rest =
			    slice_make(mailbox->mapped, mailbox->mapped_length);
		else
			mailbox->mapped_length = 0;
	}
	if (file >= 0)
		close(file);
	return good;
}

/* Opens the next file; false when there is none. */
static bool
open_next(struct mailbox *mailbox)
{
	static const struct slice from = SLICE_LITERAL("From ");

	while (mailbox->next < mailbox->paths.count) {
		bool good;

		unmap(mailbox);
		mailbox->path = mailbox->paths.items[mailbox->next++];
		good = strcmp(mailbox->path, "-") == 0 ? read_input(mailbox)
						       : map_file(mailbox);
		if (good) {
			mailbox->is_mbox =
			    slice_starts_with(mailbox->rest, from);
			mailbox->number = 0;
			return true;
		}
		mailbox->unreadable++;
		fprintf(
		    stderr, "tocsin: %s: %s\n", mailbox->path, strerror(errno));
	}
	return false;
}

/* A message of an mbox without its first line and with ">From " undone
 * (mboxrd). */
static struct slice
unquote(struct arena *arena, struct slice text)
{
	static const struct slice from = SLICE_LITERAL("From ");
	struct builder out;
	struct slice line;

	if (slice_find(text, SLICE_LITERAL("\n>")) == SIZE_MAX)
		return text;
	out = builder_make(arena, SIZE_MAX);
	while (text.length > 0) {
		size_t end = slice_find_byte(text, '\n');
		size_t quotes = 0;

		line = slice_range(
		    text, 0, end == SIZE_MAX ? text.length : end + 1);
		text = slice_skip(text, line.length);
		while (quotes < line.length && line.data[quotes] == '>')
			quotes++;
		if (quotes > 0 &&
		    slice_starts_with(slice_skip(line, quotes), from))
			line = slice_skip(line, 1);
		builder_slice(&out, line);
	}
	return builder_result(&out);
}

static void
take_from_mbox(struct mailbox *mailbox, struct mailbox_entry *entry_out)
{
	static const struct slice mark = SLICE_LITERAL("\nFrom ");
	size_t end = slice_find(mailbox->rest, mark);
	struct slice text =
	    slice_range(mailbox->rest, 0, end == SIZE_MAX ? end : end + 1);
	struct slice first;

	mailbox->rest = slice_skip(mailbox->rest, text.length);
	text = slice_split(text, '\n', &first);
	arena_reset(mailbox->scratch);
	entry_out->number = ++mailbox->number;
	entry_out->raw = unquote(mailbox->scratch, text);
}

bool
mailbox_next(struct mailbox *mailbox, struct mailbox_entry *entry_out)
{
	if (!mailbox->is_mbox || mailbox->rest.length == 0)
		if (!open_next(mailbox))
			return false;
	*entry_out = (struct mailbox_entry){ .path = mailbox->path };
	if (mailbox->is_mbox)
		take_from_mbox(mailbox, entry_out);
	else
		entry_out->raw = mailbox->rest;
	return true;
}

unsigned
mailbox_unreadable(const struct mailbox *mailbox)
{
	return mailbox->unreadable;
}

void
mailbox_close(struct mailbox **mailbox)
{
	if (*mailbox == NULL)
		return;
	unmap(*mailbox);
	arena_free(&(*mailbox)->arena);
	arena_free(&(*mailbox)->scratch);
	free(*mailbox);
	*mailbox = NULL;
}
