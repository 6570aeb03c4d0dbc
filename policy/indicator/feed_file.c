#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "indicator/feed_file.h"
#include "indicator/feed_form.h"
#include "indicator/feed_reader.h"

#define SIZE_BYTES_DEFAULT 500000000ULL
/* Pages of a mapped file are let go by this step. */
#define PASSED_STEP (2u << 20)
/* A small file that changes under us is read again so often. */
#define READ_TRIES 3u
/* Enough for a heading behind comments. */
#define LOOK_BYTES (256u << 10)

static enum tc_status
too_large(struct feed_reader *reader)
{
	reader->report->problem =
	    arena_printf(reader->arena, "is larger than max-size (%llu bytes)",
		(unsigned long long)reader->file.bytes_max);
	return TC_LIMIT;
}

static enum tc_status
cannot_read(struct feed_reader *reader, int error)
{
	reader->report->problem =
	    arena_printf(reader->arena, "cannot be read: %s", strerror(error));
	return TC_SYSTEM;
}

/* Reads all of a file into memory of its own: a feed may be rewritten while we
 * read, and a mapped file that shrinks would kill us. */
static char *
slurp(int fd, size_t size_max, size_t *size_out, bool *too_large_out)
{
	size_t capacity = 65536, length = 0;
	struct stat info;
	char *bytes;

	*too_large_out = false;
	if (fstat(fd, &info) == 0 && info.st_size > 0 &&
	    (uint64_t)info.st_size <= size_max)
		capacity = (size_t)info.st_size + 1;
	bytes = malloc(capacity);
	while (bytes != NULL) {
		ssize_t got = read(fd, bytes + length, capacity - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		length += (size_t)got;
		if (got == 0) {
			*size_out = length;
			return bytes;
		}
		if (length > size_max) {
			*too_large_out = true;
			break;
		}
		if (length == capacity) {
			char *grown = realloc(bytes, capacity * 2);

			if (grown == NULL)
				break;
			bytes = grown;
			capacity *= 2;
		}
	}
	free(bytes);
	return NULL;
}

/* ------------------------------------------------------------- through a window */

/* Fills the window behind the `length` octets that it holds; returns how many
 * it holds then. */
static size_t
window_fill(struct feed_reader *reader, size_t length)
{
	size_t size = reader->limits->window_bytes;

	while (!reader->file.ended && length < size) {
		ssize_t got = read(reader->file.fd,
		    reader->file.window + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			reader->file.ended = true;
			reader->file.window_error = got < 0 ? errno : 0;
			break;
		}
		length += (size_t)got;
		reader->report->bytes += (uint64_t)got;
		if (reader->report->bytes > reader->file.bytes_max) {
			reader->file.ended = true;
			reader->file.window_error = EFBIG;
		}
	}
	return length;
}

/* Passes over a line of which the window shows no end. */
static struct slice
window_skip_line(struct feed_reader *reader, struct slice held)
{
	size_t end;

	feed_reader_beyond(reader, FEED_LIMIT_LINE, FEED_BAD_OBJECT,
	    slice_range(held, 0, 80), "the line is too long");
	while ((end = slice_find_byte(held, '\n')) == SIZE_MAX &&
	       !reader->file.ended)
		held = slice_make(reader->file.window, window_fill(reader, 0));
	return slice_skip(held, end == SIZE_MAX ? held.length : end + 1);
}

/* Whether the window should show more before a line is taken off it. */
static bool
wants_more(const struct feed_reader *reader, struct slice rest)
{
	return reader->file.window != NULL && !reader->file.ended &&
	       (rest.length < reader->limits->window_bytes / 4 ||
		   slice_find_byte(rest, '\n') == SIZE_MAX);
}

void
feed_file_more(struct feed_reader *reader, struct slice *rest)
{
	while (wants_more(reader, *rest)) {
		memmove(reader->file.window, rest->data, rest->length);
		*rest = slice_make(
		    reader->file.window, window_fill(reader, rest->length));
		if (rest->length == reader->limits->window_bytes &&
		    slice_find_byte(*rest, '\n') == SIZE_MAX)
			*rest = window_skip_line(reader, *rest);
	}
}

/* A file of its own without a name, for as long as it is mapped. */
static int
open_spool(struct feed_reader *reader)
{
	char *path = arena_printf(
	    reader->arena, "%s/.spool-XXXXXX", reader->limits->spool_folder);
	int fd = path == NULL ? -1 : mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static bool
write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

/* Copies fd's file, SIZE_MAX when that fails or is more than allowed. */
static size_t
copy_file(int fd, int spool, size_t size_max)
{
	size_t length = 0, capacity = 1u << 20;
	char *block = malloc(capacity);
	ssize_t got = -1;

	while (block != NULL && length <= size_max) {
		got = read(fd, block, capacity);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !write_all(spool, block, (size_t)got))
			break;
		length += (size_t)got;
	}
	free(block);
	return got == 0 && length > 0 && length <= size_max ? length : SIZE_MAX;
}

/* Copies a large file aside and maps the copy: it takes no memory to speak of
 * and nobody can cut it short under us. False: read it into memory. */
static bool
spool(struct feed_reader *reader, int fd, size_t size_max)
{
	int copy = open_spool(reader);
	size_t length;
	void *mapped = MAP_FAILED;

	if (copy < 0)
		return false;
	length = copy_file(fd, copy, size_max);
	if (length != SIZE_MAX)
		mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, copy, 0);
	close(copy);
	if (mapped == MAP_FAILED) {
		(void)lseek(fd, 0, SEEK_SET);
		return false;
	}
	reader->file.bytes_before = reader->report->bytes;
	reader->file.mapped = mapped;
	reader->file.mapped_bytes = length;
	reader->file.passed = 0;
	return true;
}

void
feed_file_passed(struct feed_reader *reader, struct slice rest)
{
	size_t at, page;

	if (reader->file.mapped == NULL || rest.data < reader->file.mapped ||
	    rest.data > reader->file.mapped + reader->file.mapped_bytes)
		return;
	at = (size_t)(rest.data - reader->file.mapped);
	reader->report->bytes = reader->file.bytes_before + at;
	if (at < reader->file.passed + PASSED_STEP)
		return;
	page = (size_t)sysconf(_SC_PAGESIZE);
	at -= at % page;
	(void)madvise(reader->file.mapped + reader->file.passed,
	    at - reader->file.passed, MADV_DONTNEED);
	reader->file.passed = at;
}

void
feed_file_let_go(struct feed_reader *reader, struct slice part)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), at;

	if (reader->file.mapped == NULL || part.data < reader->file.mapped ||
	    part.data + part.length >
		reader->file.mapped + reader->file.mapped_bytes)
		return;
	at = (size_t)(part.data - reader->file.mapped) / page * page;
	(void)madvise(reader->file.mapped + at,
	    (size_t)(part.data + part.length - reader->file.mapped) - at,
	    MADV_DONTNEED);
}

static enum tc_status
read_spooled(struct feed_reader *reader)
{
	enum tc_status status = feed_form_read(
	    reader, slice_make(reader->file.mapped, reader->file.mapped_bytes));

	(void)munmap(reader->file.mapped, reader->file.mapped_bytes);
	reader->file.mapped = NULL;
	reader->report->bytes =
	    reader->file.bytes_before + reader->file.mapped_bytes;
	return status;
}

/* Reads a large file of lines. False when it is of another form; the file is
 * then at its begin again. */
static bool
read_windowed(struct feed_reader *reader, enum tc_status *status_out)
{
	uint64_t bytes_before = reader->report->bytes;
	struct slice head;
	bool lines;

	reader->file.window = malloc(reader->limits->window_bytes);
	if (reader->file.window == NULL)
		return false;
	reader->file.ended = false;
	reader->file.window_error = 0;
	head = slice_make(reader->file.window, window_fill(reader, 0));
	lines = feed_form_read_lines(reader, head, status_out);
	if (!lines) {
		reader->report->bytes = bytes_before;
		(void)lseek(reader->file.fd, 0, SEEK_SET);
	} else if (*status_out == TC_OK && reader->file.window_error == EFBIG) {
		*status_out = too_large(reader);
	} else if (*status_out == TC_OK && reader->file.window_error != 0) {
		*status_out = cannot_read(reader, reader->file.window_error);
	}
	free(reader->file.window);
	reader->file.window = NULL;
	return lines;
}

void
feed_file_look(
    struct feed_reader *reader, const char *path, enum tc_status *status_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat info;
	char *head = malloc(LOOK_BYTES);
	ssize_t got = -1;

	if (fd >= 0 && head != NULL && fstat(fd, &info) == 0 &&
	    S_ISREG(info.st_mode))
		got = read(fd, head, LOOK_BYTES);
	if (got > 0)
		*status_out =
		    feed_form_look(reader, slice_make(head, (size_t)got));
	free(head);
	if (fd >= 0)
		close(fd);
}

/* True when the file that was read is not the one that was opened: somebody
 * writes into it. Its number of names may change, for it may be replaced. */
static bool
has_changed(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) != 0 || now.st_size != before->st_size ||
	       now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* Reads a small file into memory, again when it changes meanwhile. */
static enum tc_status
read_slurped(struct feed_reader *reader, int fd, struct stat *info)
{
	bool over = false;
	char *bytes = NULL;
	size_t size = 0;
	enum tc_status status;

	for (unsigned i = 0; i < READ_TRIES; i++) {
		free(bytes);
		bytes = slurp(fd, (size_t)reader->file.bytes_max, &size, &over);
		if (bytes == NULL || !has_changed(fd, info) ||
		    fstat(fd, info) != 0 || lseek(fd, 0, SEEK_SET) != 0)
			break;
	}
	if (bytes == NULL)
		return over ? too_large(reader) : cannot_read(reader, errno);
	status = feed_form_read(reader, slice_make(bytes, size));
	free(bytes);
	return status;
}

static enum tc_status
read_large(struct feed_reader *reader, int fd, struct stat *info)
{
	enum tc_status status = TC_OK;

	reader->file.fd = fd;
	if (!read_windowed(reader, &status)) {
		if (reader->limits->spool_folder == NULL ||
		    !spool(reader, fd, (size_t)reader->file.bytes_max))
			return read_slurped(reader, fd, info);
		status = read_spooled(reader);
	}
	if (status == TC_OK && has_changed(fd, info)) {
		reader->report->problem = "was written to while it was read; "
					  "the next build reads it again";
		status = TC_SYSTEM;
	}
	return status;
}

enum tc_status
feed_file_read(struct feed_reader *reader, const char *path)
{
	enum tc_status status;
	struct stat info = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	reader->file.bytes_max = reader->config->size_bytes_max;
	if (reader->file.bytes_max == 0)
		reader->file.bytes_max = SIZE_BYTES_DEFAULT;
	if (fd < 0 || fstat(fd, &info) != 0) {
		status = cannot_read(reader, errno);
	} else if (!S_ISREG(info.st_mode)) {
		status = cannot_read(reader, EINVAL);
	} else if ((uint64_t)info.st_size > reader->file.bytes_max) {
		status = too_large(reader);
	} else {
		if (info.st_mtime > reader->report->published_unix)
			reader->report->published_unix = info.st_mtime;
		reader->report->files++;
		status =
		    (uint64_t)info.st_size >= reader->limits->large_file_bytes
			? read_large(reader, fd, &info)
			: read_slurped(reader, fd, &info);
	}
	if (fd >= 0)
		close(fd);
	return status;
}
