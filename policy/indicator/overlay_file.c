#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/list.h"
#include "indicator/feed.h"
#include "indicator/overlay_file.h"
#include "indicator/overlay_lines.h"

/* ----------------------------------------------------------- what stays of it */

/* The file, and what stays of it. */
struct compaction {
	struct arena *arena, *scratch;
	char *bytes;
	size_t size;
	struct table table;
	LIST_OF(struct slice) others; /* kept as they are */
	bool failed;
	int64_t built_unix, now_unix;
};

static void
keep_other(void *context, struct slice line)
{
	struct compaction *compaction = context;
	struct slice *slot =
	    list_append(compaction->arena, &compaction->others, SIZE_MAX);

	if (slot == NULL)
		compaction->failed = true;
	else
		*slot = line;
}

/* A line that takes back, or has expired, is needed until a store was built
 * that knows of it. */
static bool
stays(const struct compaction *compaction, const struct overlay_line *line)
{
	switch (line->operation) {
	case OVERLAY_REMOVE:
		return line->added_unix >= compaction->built_unix;
	case OVERLAY_ADD:
		return line->expires_unix == 0 ||
		       line->expires_unix > compaction->now_unix ||
		       line->expires_unix >= compaction->built_unix ||
		       line->added_unix >= compaction->built_unix;
	case OVERLAY_MASK:
		break;
	}
	return true;
}

static uint64_t
bytes_that_stay(const struct compaction *compaction)
{
	uint64_t total = 0;

	for (size_t i = 0; i < compaction->others.count; i++)
		total += compaction->others.items[i].length + 1;
	for (size_t i = 0; i < compaction->table.count; i++) {
		const struct overlay_line *line =
		    compaction->table.entries[i].value;

		if (stays(compaction, line))
			total += line->line.text.length + 1;
	}
	return total;
}

static bool
read_whole(int fd, char *bytes, size_t size)
{
	size_t length = 0;

	while (length < size) {
		ssize_t got =
		    pread(fd, bytes + length, size - length, (off_t)length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		length += (size_t)got;
	}
	return true;
}

/* Reads the locked file. False without memory, or when it cannot be read. */
static bool
take_lines(struct compaction *compaction, int fd)
{
	struct feed_limits limits = feed_limits_defaults();
	struct overlay_lines_other other = {
		.context = compaction, .comment = keep_other, .bad = keep_other
	};

	compaction->arena = arena_new(0, NULL);
	compaction->scratch = arena_new(0, NULL);
	compaction->bytes = malloc(compaction->size + 1);
	if (compaction->arena == NULL || compaction->scratch == NULL ||
	    compaction->bytes == NULL ||
	    !read_whole(fd, compaction->bytes, compaction->size))
		return false;
	compaction->table = table_make(compaction->arena);
	return overlay_lines_collect(compaction->arena, compaction->scratch,
		   slice_make(compaction->bytes, compaction->size),
		   limits.line_bytes_max, &other,
		   &compaction->table) == TC_OK &&
	       !compaction->failed;
}

static void
let_go(struct compaction *compaction)
{
	int kept = errno;

	arena_free(&compaction->arena);
	arena_free(&compaction->scratch);
	free(compaction->bytes);
	errno = kept;
}

/* ------------------------------------------------------------------- writing */

static void
close_kept(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

static void
put_line(FILE *file, struct slice line)
{
	(void)fwrite(line.data, 1, line.length, file);
	(void)fputc('\n', file);
}

/* Writes what stays, and the new line behind it. */
static bool
write_lines(const struct compaction *compaction, int fd, struct slice new_line)
{
	FILE *file = fdopen(fd, "w");
	bool good;

	if (file == NULL) {
		close_kept(fd);
		return false;
	}
	for (size_t i = 0; i < compaction->others.count; i++)
		put_line(file, compaction->others.items[i]);
	for (size_t i = 0; i < compaction->table.count; i++) {
		const struct overlay_line *line =
		    compaction->table.entries[i].value;

		if (stays(compaction, line))
			put_line(file, line->line.text);
	}
	(void)fwrite(new_line.data, 1, new_line.length, file);
	good = fflush(file) == 0 && !ferror(file) && fsync(fd) == 0;
	return fclose(file) == 0 && good;
}

/* Syncs the folder, so that the new name survives a power cut. */
static void
sync_folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash == NULL
			   ? strdup(".")
			   : strndup(path, (size_t)(slash - path) + 1);
	int fd = folder == NULL
		     ? -1
		     : open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	free(folder);
	if (fd < 0)
		return;
	(void)fsync(fd);
	close(fd);
}

/* Puts a shorter file in the place of the locked one. False, with the old one
 * as it was, when it cannot be made with the same owner and mode. */
static bool
replace(const struct compaction *compaction, const char *path,
    const struct stat *old, struct slice new_line)
{
	char *aside = NULL;
	bool good = false;
	struct stat made;
	int fd;

	if (asprintf(&aside, "%s.new", path) < 0)
		return false;
	(void)unlink(aside); /* of one that was killed */
	fd = open(
	    aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && fstat(fd, &made) == 0 &&
	    ((made.st_uid == old->st_uid && made.st_gid == old->st_gid) ||
		fchown(fd, old->st_uid, old->st_gid) == 0) &&
	    fchmod(fd, old->st_mode & 07777) == 0)
		good = write_lines(compaction, fd, new_line) &&
		       rename(aside, path) == 0;
	else if (fd >= 0)
		close_kept(fd);
	if (good)
		sync_folder_of(path);
	else if (fd >= 0)
		(void)unlink(aside);
	free(aside);
	return good;
}

/* Whether the file became shorter, and the line is in it; if not, errno says
 * why. `needed`: it has to, or the line does not fit. */
static bool
compact(int fd, const char *path, const struct stat *old, struct slice line,
    bool needed, int64_t built_unix, int64_t now_unix)
{
	struct compaction compaction = { .size = (size_t)old->st_size,
		.built_unix = built_unix,
		.now_unix = now_unix };
	bool done = false;

	if (take_lines(&compaction, fd)) {
		uint64_t left = bytes_that_stay(&compaction);
		uint64_t most = needed ? OVERLAY_BYTES_MAX - line.length
				       : (uint64_t)compaction.size / 2;

		if (left <= most)
			done = replace(&compaction, path, old, line);
		else
			errno = EFBIG;
	}
	let_go(&compaction);
	return done;
}

/* ----------------------------------------------------------------- appending */

/* Opens and locks the file; one that another has replaced meanwhile is not the
 * file any more. */
static int
open_locked(const char *path, struct stat *info)
{
	for (;;) {
		int fd = open(path,
		    O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0640);
		struct stat named;

		if (fd < 0)
			return -1;
		if (flock(fd, LOCK_EX) != 0 || fstat(fd, info) != 0) {
			close_kept(fd);
			return -1;
		}
		if (stat(path, &named) == 0 && named.st_ino == info->st_ino &&
		    named.st_dev == info->st_dev)
			return fd;
		close(fd);
	}
}

/* Whether the line takes the file beyond a size at which it is looked at. */
static bool
is_time_to_look(uint64_t size, uint64_t length)
{
	uint64_t mark = OVERLAY_COMPACT_BYTES;

	while (mark <= size)
		mark *= 2;
	return size + length >= mark;
}

/* One write. A line that an earlier crash left open is closed first, so that
 * it costs only itself. */
static bool
write_line(int fd, off_t size, struct slice line)
{
	char last;

	if (size > 0 && pread(fd, &last, 1, size - 1) == 1 && last != '\n' &&
	    write(fd, "\n", 1) != 1)
		return false;
	return write(fd, line.data, line.length) == (ssize_t)line.length &&
	       fsync(fd) == 0;
}

bool
overlay_file_append(
    const char *path, struct slice line, int64_t built_unix, int64_t now_unix)
{
	struct stat info;
	int fd = open_locked(path, &info);
	uint64_t size;
	bool full, good;

	if (fd < 0)
		return false;
	size = (uint64_t)info.st_size;
	full = size + line.length + 1 > OVERLAY_BYTES_MAX;
	good = (full || is_time_to_look(size, line.length)) &&
	       compact(fd, path, &info, line, full, built_unix, now_unix);
	if (!good && !full)
		good = write_line(fd, info.st_size, line);
	close_kept(fd);
	return good;
}
