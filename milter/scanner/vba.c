#include <config.h>

#include <stdint.h>

#include "scanner/bytes.h"
#include "scanner/vba.h"

/* MS-OVBA 2.4.1.1 */
#define SIGN          '\x01'
#define CHUNK_BYTES   4096
#define CHUNK_HEAD    2
#define CHUNK_SIGN    3
#define SOURCE_BEHIND 3  /* the sign, a chunk's head, its first flags */
#define CHUNK_COST    64 /* octets that a chunk counts at least */

static unsigned
number_at(struct slice bytes, size_t at)
{
	return (unsigned)(unsigned char)bytes.data[at] |
	       (unsigned)(unsigned char)bytes.data[at + 1] << 8;
}

/* A copy of what stands `back` octets before the end. The more of the chunk
 * there is, the more bits say how far back. False for one that leads out. */
static bool
copy_token(unsigned token, size_t start, struct bytes *out)
{
	size_t behind = out->length - start;
	unsigned bits = 4, back, length;

	while (((size_t)1 << bits) < behind)
		bits++;
	if (bits > 12)
		return false;
	back = (token >> (16 - bits)) + 1;
	length = (token & (0xffffu >> bits)) + 3;
	if (back > behind)
		return false;
	for (unsigned i = 0; i < length; i++)
		bytes_byte(out, out->data[out->length - back]);
	return true;
}

static bool
unpack_chunk(struct slice chunk, struct bytes *out)
{
	size_t start = out->length, at = 0;

	while (at < chunk.length && !out->over) {
		unsigned flags = (unsigned char)chunk.data[at++];

		for (unsigned i = 0; i < 8 && at < chunk.length; i++) {
			if ((flags >> i & 1) == 0) {
				bytes_byte(out, chunk.data[at++]);
				continue;
			}
			if (chunk.length - at < 2 ||
			    !copy_token(number_at(chunk, at), start, out))
				return false;
			at += 2;
		}
		if (out->length - start >= CHUNK_BYTES)
			break;
	}
	return !out->over;
}

/* Unpacks the container that begins the bytes; what is broken ends it.
 * *left is what may still be read, a chunk counting for some octets at least:
 * else many that begin in one another would take for ever. */
static void
unpack(struct slice container, struct bytes *out, size_t *left)
{
	struct slice rest = slice_skip(container, 1);
	bool good = container.length > 0 && container.data[0] == SIGN;

	while (good && rest.length > CHUNK_HEAD) {
		unsigned head = number_at(rest, 0);
		size_t size = (head & 0xfff) + 1;

		if ((head >> 12 & 7) != CHUNK_SIGN)
			break;
		rest = slice_skip(rest, CHUNK_HEAD);
		if (head >> 15)
			good = unpack_chunk(slice_range(rest, 0, size), out);
		else
			bytes_append(out, slice_range(rest, 0, CHUNK_BYTES));
		rest = slice_skip(rest, head >> 15 ? size : CHUNK_BYTES);
		if (*left < CHUNK_COST) {
			out->over = true;
			return;
		}
		*left -= CHUNK_COST;
	}
}

void
vba_sources(struct slice stream, const struct found *found)
{
	/* "Attribute", its first eight octets behind their flags. */
	const struct slice begins = slice_make("\0Attribut", 9);
	size_t left = found->limits->document_bytes, at = 0, next;
	bool good = true;

	while (good && (next = slice_find(slice_skip(stream, at), begins)) !=
			   SIZE_MAX) {
		struct bytes source = { .max = left };
		size_t start = at + next;

		at = start + 1;
		if (start < SOURCE_BEHIND)
			continue;
		unpack(
		    slice_skip(stream, start - SOURCE_BEHIND), &source, &left);
		if (source.over)
			found->unread(found->context, "document-bytes");
		if (source.length > 0)
			good =
			    found->text(found->context, bytes_slice(&source)) &&
			    !source.over;
		left -= source.length < left ? source.length : left;
		bytes_free(&source);
	}
}
