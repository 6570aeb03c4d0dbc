#include <config.h>

#include <stdint.h>

#include "scanner/bytes.h"
#include "scanner/picture.h"

#define HEAD_BYTES    8 /* instance and version, type, length */
#define BIFF_HEAD     4
#define BIFF_CONTINUE 0x003c
#define BIFF_DRAWINGS 0x00eb
#define SUM_BYTES     16 /* of the picture, once or twice behind the head */

static unsigned
number_at(struct slice bytes, size_t at, unsigned count)
{
	unsigned number = 0;

	for (unsigned i = count; i > 0; i--)
		number = number << 8 | (unsigned char)bytes.data[at + i - 1];
	return number;
}

/* How many sums stand before the picture; 0: it is no head of one. */
static unsigned
sums_of(unsigned type, unsigned instance)
{
	static const struct {
		unsigned type, instance;
	} heads[] = { { 0xf01e, 0x6e0 }, { 0xf01d, 0x46a }, { 0xf01d, 0x6e2 } };

	for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++)
		if (type == heads[i].type &&
		    (instance & ~1u) == heads[i].instance)
			return instance == heads[i].instance ? 1 : 2;
	return 0;
}

/* The picture whose head's type ends at `at`; empty when there is none. */
static struct slice
picture_at(struct slice stream, size_t at)
{
	size_t start = at - 3, before, length;
	unsigned sums;

	if (stream.length - start < HEAD_BYTES)
		return slice_make(NULL, 0);
	sums = sums_of(
	    number_at(stream, start + 2, 2), number_at(stream, start, 2) >> 4);
	before = sums * SUM_BYTES + 1;
	length = number_at(stream, start + 4, 4);
	if (sums == 0 || length <= before ||
	    length > stream.length - start - HEAD_BYTES)
		return slice_make(NULL, 0);
	return slice_range(
	    stream, start + HEAD_BYTES + before, start + HEAD_BYTES + length);
}

bool
picture_files(struct slice stream, const struct found *found)
{
	unsigned count = 0;
	size_t at = 3, next;

	while (at < stream.length &&
	       (next = slice_find_byte(slice_skip(stream, at), '\xf0')) !=
		   SIZE_MAX) {
		struct slice picture = picture_at(stream, at + next);

		at += next + 1;
		if (picture.length == 0)
			continue;
		if (count++ == found->limits->objects) {
			found->unread(found->context, "document-objects");
			return true;
		}
		if (!found->file(found->context, slice_make(NULL, 0), picture))
			return false;
		at = (size_t)(picture.data - stream.data) + picture.length + 3;
	}
	return true;
}

bool
picture_book_files(struct slice stream, const struct found *found)
{
	struct bytes drawings = { .max = stream.length };
	bool among = false, good;

	while (stream.length >= BIFF_HEAD) {
		unsigned type = number_at(stream, 0, 2);
		size_t end = BIFF_HEAD + (size_t)number_at(stream, 2, 2);

		among =
		    type == BIFF_DRAWINGS || (among && type == BIFF_CONTINUE);
		if (among)
			bytes_append(
			    &drawings, slice_range(stream, BIFF_HEAD, end));
		stream = slice_skip(stream, end);
	}
	if (drawings.over)
		found->unread(found->context, "memory");
	good = picture_files(bytes_slice(&drawings), found);
	bytes_free(&drawings);
	return good;
}
