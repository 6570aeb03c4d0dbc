#include <config.h>

#include <stdlib.h>

#include "scanner/zip_names.h"

/* APPNOTE.TXT 4.3.7, 4.3.12, 4.3.14 to 4.3.16, 4.5.3, 4.6.9 */
#define END_SIZE      22
#define END64_SIZE    56
#define LOCATOR_SIZE  20
#define CENTRAL_SIZE  46
#define LOCAL_SIZE    30
#define COMMENT_MAX   65535
#define SIGN_LOCAL    0x04034b50
#define SIGN_CENTRAL  0x02014b50
#define SIGN_END      0x06054b50
#define SIGN_END64    0x06064b50
#define SIGN_LOCATOR  0x07064b50
#define EXTRA_ZIP64   0x0001
#define EXTRA_UNICODE 0x7075
#define UNICODE_HEAD  5 /* version and CRC before the name */

static bool
has_room(struct slice file, size_t at, size_t bytes)
{
	return at <= file.length && file.length - at >= bytes;
}

/* The caller has looked that there is room. */
static uint64_t
number_at(struct slice file, size_t at, unsigned bytes)
{
	uint64_t number = 0;

	for (unsigned i = bytes; i > 0; i--)
		number = number << 8 | (unsigned char)file.data[at + i - 1];
	return number;
}

static bool
has_sign(struct slice file, size_t at, uint32_t sign)
{
	return has_room(file, at, 4) && number_at(file, at, 4) == sign;
}

static void
add_start(struct zip_names *names, uint64_t start, uint64_t base)
{
	if (start > names->file.length ||
	    !has_sign(names->file, (size_t)start, SIGN_CENTRAL))
		return;
	for (unsigned i = 0; i < names->directory_count; i++)
		if (names->starts[i] == start)
			return;
	if (names->directory_count == ZIP_NAMES_DIRECTORIES_MAX) {
		names->cut = true;
		return;
	}
	names->starts[names->directory_count] = (size_t)start;
	names->bases[names->directory_count++] = (size_t)base;
}

/* A directory by its size and by its offset: with bytes before the archive
 * only the size is right, and a sender may have the two disagree. */
static void
add_directory(
    struct zip_names *names, size_t end, uint64_t size, uint64_t offset)
{
	if (size <= end && end - size >= offset)
		add_start(names, end - size, end - size - offset);
	add_start(names, offset, 0);
}

/* The large form that stands before an end record. */
static void
add_large(struct zip_names *names, size_t end)
{
	struct slice file = names->file;
	uint64_t at;

	if (end < LOCATOR_SIZE ||
	    !has_sign(file, end - LOCATOR_SIZE, SIGN_LOCATOR))
		return;
	at = number_at(file, end - LOCATOR_SIZE + 8, 8);
	if (at > file.length || !has_room(file, (size_t)at, END64_SIZE) ||
	    !has_sign(file, (size_t)at, SIGN_END64)) {
		/* Bytes before the archive: it stands right before. */
		if (end < LOCATOR_SIZE + END64_SIZE)
			return;
		at = end - LOCATOR_SIZE - END64_SIZE;
		if (!has_sign(file, (size_t)at, SIGN_END64))
			return;
	}
	add_directory(names, (size_t)at, number_at(file, (size_t)at + 40, 8),
	    number_at(file, (size_t)at + 48, 8));
}

static void
open_directory(struct zip_names *names, unsigned directory)
{
	names->directory = directory;
	names->at = directory < names->directory_count
			? names->starts[directory]
			: names->file.length;
}

bool
zip_names_begin(
    struct slice file, unsigned members_max, struct zip_names *names_out)
{
	size_t lowest, left;
	const char *found;

	*names_out = (struct zip_names){ .file = file, .left = members_max };
	if (file.length < END_SIZE)
		return false;
	lowest = file.length > END_SIZE + COMMENT_MAX
		     ? file.length - END_SIZE - COMMENT_MAX
		     : 0;
	left = file.length - END_SIZE + 1 - lowest;
	while ((found = memrchr(file.data + lowest, 'P', left)) != NULL &&
	       !names_out->cut) {
		size_t end = (size_t)(found - file.data);

		left = end - lowest;
		if (!has_sign(file, end, SIGN_END))
			continue;
		if (end + END_SIZE + number_at(file, end + 20, 2) ==
		    file.length)
			names_out->ends_file = true;
		add_directory(names_out, end, number_at(file, end + 12, 4),
		    number_at(file, end + 16, 4));
		add_large(names_out, end);
	}
	open_directory(names_out, 0);
	return names_out->directory_count > 0;
}

/* The extra field of a kind among those in `extra`. */
static struct slice
extra_of(struct slice extra, unsigned kind)
{
	while (extra.length >= 4) {
		size_t size = (size_t)number_at(extra, 2, 2);

		if (number_at(extra, 0, 2) == kind)
			return slice_range(extra, 4, 4 + size);
		extra = slice_skip(extra, 4 + size);
	}
	return slice_make(NULL, 0);
}

static struct slice
unicode_name(struct slice extra)
{
	return slice_skip(extra_of(extra, EXTRA_UNICODE), UNICODE_HEAD);
}

/* Sizes and offset as the large form has them, where they are -1. */
static void
widen(struct slice large, uint64_t whole, uint64_t *packed, uint64_t *offset)
{
	size_t at = whole == UINT32_MAX ? 8 : 0;

	if (*packed == UINT32_MAX && has_room(large, at, 8)) {
		*packed = number_at(large, at, 8);
		at += 8;
	}
	if (*offset == UINT32_MAX && has_room(large, at, 8))
		*offset = number_at(large, at, 8);
}

static void
read_local(struct slice file, uint64_t at, struct zip_name *name)
{
	struct slice extra;
	size_t name_end;

	if (at > file.length || !has_room(file, (size_t)at, LOCAL_SIZE) ||
	    !has_sign(file, (size_t)at, SIGN_LOCAL))
		return;
	name->local_at = (size_t)at;
	name_end =
	    (size_t)(at + LOCAL_SIZE + number_at(file, (size_t)at + 26, 2));
	name->local = slice_range(file, (size_t)at + LOCAL_SIZE, name_end);
	extra = slice_range(file, name_end,
	    name_end + (size_t)number_at(file, (size_t)at + 28, 2));
	if (name->unicode.length == 0)
		name->unicode = unicode_name(extra);
	if (number_at(file, (size_t)at + 6, 2) & 1)
		name->encrypted = true;
}

bool
zip_names_next(struct zip_names *names, struct zip_name *name_out)
{
	struct slice file = names->file, extra;
	size_t at, name_end;
	uint64_t local;

	while (!has_room(file, names->at, CENTRAL_SIZE) ||
	       !has_sign(file, names->at, SIGN_CENTRAL)) {
		if (names->directory + 1 >= names->directory_count)
			return false;
		open_directory(names, names->directory + 1);
	}
	if (names->left == 0) {
		names->cut = true;
		return false;
	}
	at = names->at;
	name_end = at + CENTRAL_SIZE + (size_t)number_at(file, at + 28, 2);
	extra = slice_range(
	    file, name_end, name_end + (size_t)number_at(file, at + 30, 2));
	local = number_at(file, at + 42, 4);
	*name_out = (struct zip_name){
		.encrypted = number_at(file, at + 8, 2) & 1,
		.central = slice_range(file, at + CENTRAL_SIZE, name_end),
		.packed_size = number_at(file, at + 20, 4),
		.unicode = unicode_name(extra),
		.local_at = SIZE_MAX,
	};
	widen(extra_of(extra, EXTRA_ZIP64), number_at(file, at + 24, 4),
	    &name_out->packed_size, &local);
	if (local <= file.length)
		read_local(
		    file, local + names->bases[names->directory], name_out);
	names->at = name_end + (size_t)number_at(file, at + 30, 2) +
		    (size_t)number_at(file, at + 32, 2);
	names->left--;
	return true;
}

/* A listed member's bytes in the file. */
struct span {
	size_t start, end;
};

static void
sift(struct span *spans, size_t root, size_t count)
{
	for (;;) {
		size_t child = 2 * root + 1;
		struct span moved = spans[root];

		if (child >= count)
			return;
		if (child + 1 < count &&
		    spans[child + 1].start > spans[child].start)
			child++;
		if (spans[child].start <= moved.start)
			return;
		spans[root] = spans[child];
		spans[child] = moved;
		root = child;
	}
}

/* A heap sort: glibc's qsort() asks the system for its memory, which no worker
 * may do. */
static void
sort_spans(struct span *spans, size_t count)
{
	for (size_t i = count / 2; i-- > 0;)
		sift(spans, i, count);
	for (size_t i = count; i-- > 1;) {
		struct span last = spans[i];

		spans[i] = spans[0];
		spans[0] = last;
		sift(spans, 0, i);
	}
}

/* Where a listed member's data ends. Where directory and local header disagree
 * the smaller size counts: what it leaves over is looked at. */
static struct span
span_of(struct slice file, const struct zip_name *name)
{
	size_t at = name->local_at;
	uint64_t size = name->packed_size;
	uint64_t local = number_at(file, at + 18, 4);
	struct span span = { .start = at };

	if (local != 0 && local < size)
		size = local;
	span.end = at + LOCAL_SIZE + name->local.length +
		   (size_t)number_at(file, at + 28, 2);
	if (span.end > file.length)
		span.end = file.length;
	span.end += size < file.length - span.end ? (size_t)size
						  : file.length - span.end;
	return span;
}

/* All listed members; NULL when there are none, or no memory. */
static struct span *
list_spans(const struct zip_names *names, size_t *count_out)
{
	struct zip_names counting = *names, reading = *names;
	struct zip_name name;
	struct span *spans;
	size_t count = 0, filled = 0;

	while (zip_names_next(&counting, &name))
		count += name.local_at != SIZE_MAX;
	spans = count == 0 ? NULL : malloc(count * sizeof *spans);
	while (spans != NULL && zip_names_next(&reading, &name))
		if (name.local_at != SIZE_MAX)
			spans[filled++] = span_of(names->file, &name);
	if (spans != NULL)
		sort_spans(spans, filled);
	*count_out = filled;
	return spans;
}

/* The first local header in file[from, to). */
static size_t
find_local(struct slice file, size_t from, size_t to)
{
	size_t at;

	if (from >= to)
		return SIZE_MAX;
	at = slice_find(
	    slice_range(file, from, to), SLICE_LITERAL("PK\x03\x04"));
	return at == SIZE_MAX ? SIZE_MAX : from + at;
}

size_t
zip_names_unlisted(struct slice file, unsigned members_max)
{
	struct zip_names names;
	struct span *spans;
	size_t count = 0, reached = 0, found = SIZE_MAX;

	if (!zip_names_begin(file, members_max, &names))
		return SIZE_MAX;
	names.directory_count = 1;
	spans = list_spans(&names, &count);
	if (spans == NULL)
		return SIZE_MAX;
	for (size_t i = 0; i < count && found == SIZE_MAX; i++) {
		found = find_local(file, reached, spans[i].start);
		if (spans[i].end > reached)
			reached = spans[i].end;
	}
	if (found == SIZE_MAX)
		found = find_local(file, reached, file.length);
	free(spans);
	return found;
}
