/*
 * slice - some bytes that somebody else owns
 *
 * Wire data travels as slices everywhere: a pointer and a length, no final
 * NUL, any octets. A slice allocates nothing; whoever made it says how long
 * the bytes live. The empty slice may have a NULL pointer.
 */
#ifndef TOCSIN_BASE_SLICE_H
#define TOCSIN_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *data;
	size_t length; /* bytes */
};

#define SLICE_LITERAL(text) \
	((struct slice){ .data = (text), .length = sizeof(text) - 1 })

static inline struct slice
slice_make(const void *data, size_t length)
{
	return (struct slice){ .data = data, .length = length };
}

/* The bytes of a C string; NULL gives the empty slice. */
static inline struct slice
slice_text(const char *text)
{
	return slice_make(text, text == NULL ? 0 : strlen(text));
}

/* The bytes from `start` up to and without `end`; both are cut to what is
 * there, so any pair of numbers is safe. */
struct slice slice_range(struct slice slice, size_t start, size_t end);

/* What follows the first `count` bytes. */
struct slice slice_skip(struct slice slice, size_t count);

bool slice_equal(struct slice a, struct slice b);

/* ASCII letters without regard to case, all other bytes as they are. */
bool slice_equal_fold(struct slice a, struct slice b);
bool slice_equal_text(struct slice a, const char *text);
bool slice_equal_text_fold(struct slice a, const char *text);

/* memcmp order, a prefix before what it is a prefix of. */
int slice_compare(struct slice a, struct slice b);

bool slice_starts_with(struct slice slice, struct slice prefix);
bool slice_starts_with_fold(struct slice slice, struct slice prefix);
bool slice_ends_with(struct slice slice, struct slice suffix);
bool slice_ends_with_fold(struct slice slice, struct slice suffix);

/* Index of the first (last) such byte, or SIZE_MAX. */
size_t slice_find_byte(struct slice slice, char byte);
size_t slice_find_last_byte(struct slice slice, char byte);

/* Index of the first occurrence of `needle`, or SIZE_MAX; linear time. The
 * _fold form takes ASCII letters without regard to case. */
size_t slice_find(struct slice slice, struct slice needle);
size_t slice_find_fold(struct slice slice, struct slice needle);

/* Without SP, TAB, CR and LF at both ends. */
struct slice slice_trim(struct slice slice);

/* Splits at the first `byte`: *head_out is what stands before it, the return
 * value what follows; without such a byte *head_out is all and the rest empty.
 * Loop while (slice.length > 0). */
struct slice slice_split(struct slice slice, char byte, struct slice *head_out);

/* Reads a decimal number that fills the slice; false when it is not one or
 * exceeds `max`. */
bool slice_parse_number(
    struct slice slice, unsigned long max, unsigned long *number_out);

/* A 64-bit hash (FNV-1a finished by a mixer) for in-memory tables. Not for
 * stored data; `seed` keeps a sender from choosing collisions. */
unsigned long long slice_hash(struct slice slice, unsigned long long seed);

/* ASCII only, never the locale's. */
static inline char
ascii_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static inline bool
ascii_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alpha(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static inline bool
ascii_is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The value of a hexadecimal digit, or -1. */
static inline int
ascii_hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

#endif
