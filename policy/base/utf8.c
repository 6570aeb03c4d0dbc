#include <config.h>

#include <string.h>
#include <unicase.h>

#include "base/utf8.h"

#define FOLD_BLOCK 32 /* octets */

/* Smallest code point that may be written in 2, 3 and 4 bytes. */
static const uint32_t smallest[] = { 0, 0, 0x80, 0x800, 0x10000 };

static unsigned
sequence_length(unsigned char first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first < 0xe0)
		return 2;
	if (first >= 0xe0 && first < 0xf0)
		return 3;
	if (first >= 0xf0 && first < 0xf5)
		return 4;
	return 0;
}

uint32_t
utf8_next(struct slice *rest, bool *valid_out)
{
	const unsigned char *bytes = (const unsigned char *)rest->data;
	unsigned length = sequence_length(bytes[0]);
	uint32_t code_point;
	bool valid = length != 0 && length <= rest->length;

	code_point = length <= 1 ? bytes[0] : bytes[0] & (0x7fu >> length);
	for (unsigned i = 1; valid && i < length; i++) {
		valid = (bytes[i] & 0xc0) == 0x80;
		code_point = code_point << 6 | (bytes[i] & 0x3f);
	}
	if (valid && (code_point < smallest[length] || code_point > 0x10ffff ||
			 (code_point >= 0xd800 && code_point < 0xe000)))
		valid = false;
	if (valid_out != NULL)
		*valid_out = valid;
	*rest = slice_skip(*rest, valid ? length : 1);
	return valid ? code_point : UTF8_REPLACEMENT;
}

size_t
utf8_encode(uint32_t c, char out[4])
{
	if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		c = UTF8_REPLACEMENT;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

/* Most mail is ASCII, so eight octets go at once. */
size_t
utf8_ascii_prefix(struct slice slice)
{
	size_t done = 0;
	uint64_t word;

	for (; slice.length - done >= sizeof word; done += sizeof word) {
		memcpy(&word, slice.data + done, sizeof word);
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (done < slice.length && (unsigned char)slice.data[done] < 0x80)
		done++;
	return done;
}

size_t
utf8_valid_prefix(struct slice slice)
{
	struct slice rest = slice;

	while (rest.length > 0) {
		struct slice next = slice_skip(rest, utf8_ascii_prefix(rest));
		bool valid = true;

		rest = next;
		if (rest.length > 0)
			utf8_next(&next, &valid);
		if (!valid)
			break;
		rest = next;
	}
	return slice.length - rest.length;
}

bool
utf8_is_valid(struct slice slice)
{
	return utf8_valid_prefix(slice) == slice.length;
}

uint32_t
utf8_fold(uint32_t c)
{
	if (c < 0x80)
		return (uint32_t)(unsigned char)ascii_lower((char)c);
	/* By way of the capital, so that final sigma and long s fold too. */
	return uc_tolower(uc_toupper(c));
}

static bool
is_lower_ascii(struct slice slice)
{
	for (size_t i = 0; i < slice.length; i++)
		if ((unsigned char)slice.data[i] >= 0x80 ||
		    (slice.data[i] >= 'A' && slice.data[i] <= 'Z'))
			return false;
	return true;
}

/* Folds ASCII up to the first other octet and returns how much that was.
 * Most mail is nothing else, so whole blocks go at once. */
static size_t
fold_ascii(struct slice slice, char *out)
{
	size_t done = 0;

	while (slice.length - done >= FOLD_BLOCK) {
		const char *from = slice.data + done;
		unsigned char other = 0;

		for (unsigned i = 0; i < FOLD_BLOCK; i++)
			other |= (unsigned char)from[i];
		if (other >= 0x80)
			break;
		for (unsigned i = 0; i < FOLD_BLOCK; i++)
			out[done + i] = ascii_lower(from[i]);
		done += FOLD_BLOCK;
	}
	for (; done < slice.length && (unsigned char)slice.data[done] < 0x80;
	     done++)
		out[done] = ascii_lower(slice.data[done]);
	return done;
}

struct slice
utf8_fold_slice(struct arena *arena, struct slice slice)
{
	char *folded;
	size_t length = 0;

	if (is_lower_ascii(slice))
		return slice;
	/* Folding can make a character one byte longer, from 2 to 3. */
	if (slice.length > (size_t)-1 / 4)
		return slice_make(NULL, 0);
	folded = arena_alloc(arena, slice.length * 2 + 4);
	if (folded == NULL)
		return slice_make(NULL, 0);
	while (slice.length > 0) {
		size_t ascii = fold_ascii(slice, folded + length);
		char first;
		bool valid;
		uint32_t c;

		length += ascii;
		slice = slice_skip(slice, ascii);
		if (slice.length == 0)
			break;
		first = slice.data[0];
		c = utf8_next(&slice, &valid);
		if (valid)
			length += utf8_encode(utf8_fold(c), folded + length);
		else
			folded[length++] = first;
	}
	return slice_make(folded, length);
}

bool
utf8_equal_fold(struct slice a, struct slice b)
{
	while (a.length > 0 && b.length > 0) {
		char first_a = a.data[0], first_b = b.data[0];
		bool valid_a, valid_b;
		uint32_t c = utf8_next(&a, &valid_a);
		uint32_t d = utf8_next(&b, &valid_b);

		if (valid_a != valid_b)
			return false;
		if (valid_a ? utf8_fold(c) != utf8_fold(d) : first_a != first_b)
			return false;
	}
	return a.length == 0 && b.length == 0;
}
