#include <config.h>

#include <stdint.h>

#include "base/slice.h"

struct slice
slice_range(struct slice slice, size_t start, size_t end)
{
	if (end > slice.length)
		end = slice.length;
	if (start > end)
		start = end;
	if (slice.data == NULL)
		return slice;
	return slice_make(slice.data + start, end - start);
}

struct slice
slice_skip(struct slice slice, size_t count)
{
	return slice_range(slice, count, slice.length);
}

bool
slice_equal(struct slice a, struct slice b)
{
	return a.length == b.length &&
	       (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

bool
slice_equal_fold(struct slice a, struct slice b)
{
	return a.length == b.length && slice_starts_with_fold(a, b);
}

bool
slice_equal_text(struct slice a, const char *text)
{
	return slice_equal(a, slice_text(text));
}

bool
slice_equal_text_fold(struct slice a, const char *text)
{
	size_t i = 0;

	if (text == NULL)
		return a.length == 0;
	/* most differ in the first letter, so the text's length is not asked */
	while (i < a.length && text[i] != '\0' &&
	       ascii_lower(a.data[i]) == ascii_lower(text[i]))
		i++;
	return i == a.length && text[i] == '\0';
}

int
slice_compare(struct slice a, struct slice b)
{
	size_t shorter = a.length < b.length ? a.length : b.length;
	int order = shorter == 0 ? 0 : memcmp(a.data, b.data, shorter);

	if (order != 0)
		return order;
	return (a.length > b.length) - (a.length < b.length);
}

bool
slice_starts_with(struct slice slice, struct slice prefix)
{
	return slice.length >= prefix.length &&
	       (prefix.length == 0 ||
		   memcmp(slice.data, prefix.data, prefix.length) == 0);
}

bool
slice_starts_with_fold(struct slice slice, struct slice prefix)
{
	if (slice.length < prefix.length)
		return false;
	for (size_t i = 0; i < prefix.length; i++)
		if (ascii_lower(slice.data[i]) != ascii_lower(prefix.data[i]))
			return false;
	return true;
}

bool
slice_ends_with(struct slice slice, struct slice suffix)
{
	return slice.length >= suffix.length &&
	       slice_equal(
		   slice_skip(slice, slice.length - suffix.length), suffix);
}

bool
slice_ends_with_fold(struct slice slice, struct slice suffix)
{
	return slice.length >= suffix.length &&
	       slice_equal_fold(
		   slice_skip(slice, slice.length - suffix.length), suffix);
}

size_t
slice_find_byte(struct slice slice, char byte)
{
	const char *found =
	    slice.length == 0 ? NULL : memchr(slice.data, byte, slice.length);

	return found == NULL ? SIZE_MAX : (size_t)(found - slice.data);
}

size_t
slice_find_last_byte(struct slice slice, char byte)
{
	for (size_t i = slice.length; i > 0; i--)
		if (slice.data[i - 1] == byte)
			return i - 1;
	return SIZE_MAX;
}

size_t
slice_find(struct slice slice, struct slice needle)
{
	const char *found;

	if (needle.length == 0)
		return 0;
	if (slice.length < needle.length)
		return SIZE_MAX;
	/* glibc's memmem is the two-way algorithm: linear. */
	found = memmem(slice.data, slice.length, needle.data, needle.length);
	return found == NULL ? SIZE_MAX : (size_t)(found - slice.data);
}

/*
 * Two-way would be needed for long needles; these are short words of ours
 * (header names, tags), so the product is bounded by the needle's few bytes.
 */
size_t
slice_find_fold(struct slice slice, struct slice needle)
{
	if (needle.length == 0)
		return 0;
	for (size_t i = 0; slice.length - i >= needle.length; i++) {
		if (slice_starts_with_fold(slice_skip(slice, i), needle))
			return i;
		if (i == slice.length)
			break;
	}
	return SIZE_MAX;
}

struct slice
slice_trim(struct slice slice)
{
	while (slice.length > 0 && ascii_is_space(slice.data[0]))
		slice = slice_skip(slice, 1);
	while (slice.length > 0 && ascii_is_space(slice.data[slice.length - 1]))
		slice.length--;
	return slice;
}

struct slice
slice_split(struct slice slice, char byte, struct slice *head_out)
{
	size_t at = slice_find_byte(slice, byte);

	if (at == SIZE_MAX) {
		*head_out = slice;
		return slice_skip(slice, slice.length);
	}
	*head_out = slice_range(slice, 0, at);
	return slice_skip(slice, at + 1);
}

bool
slice_parse_number(
    struct slice slice, unsigned long max, unsigned long *number_out)
{
	unsigned long number = 0;

	if (slice.length == 0)
		return false;
	for (size_t i = 0; i < slice.length; i++) {
		unsigned long digit;

		if (!ascii_is_digit(slice.data[i]))
			return false;
		digit = (unsigned long)(slice.data[i] - '0');
		/* Written as subtractions so that nothing can wrap. */
		if (number > max / 10 || number * 10 > max - digit ||
		    digit > max)
			return false;
		number = number * 10 + digit;
	}
	*number_out = number;
	return true;
}

unsigned long long
slice_hash(struct slice slice, unsigned long long seed)
{
	uint64_t hash = 0xcbf29ce484222325ULL ^ seed;

	for (size_t i = 0; i < slice.length; i++) {
		hash ^= (unsigned char)slice.data[i];
		hash *= 0x100000001b3ULL;
	}
	/* FNV's high bits mix badly for short keys; murmur3's finisher. */
	hash ^= hash >> 33;
	hash *= 0xff51afd7ed558ccdULL;
	hash ^= hash >> 33;
	return hash;
}
