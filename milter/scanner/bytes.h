/*
 * bytes - unpacked octets in memory of their own, up to a bound
 *
 * An arena keeps what it gave until the message ends; what readers of
 * documents unpack is looked through and given back. Nothing here fails aloud:
 * what does not fit is left out and `over` set.
 */
#ifndef TOCSIN_SCANNER_BYTES_H
#define TOCSIN_SCANNER_BYTES_H

#include "base/slice.h"

struct bytes {
	char *data;
	size_t length, capacity;
	size_t max; /* bytes it may grow to */
	bool over;  /* there was more, or no memory */
};

/* Room for `more` octets behind what is there; false sets `over`. */
bool bytes_reserve(struct bytes *bytes, size_t more);

void bytes_append(struct bytes *bytes, struct slice slice);

/* Gives the memory back; the struct may be filled again. */
void bytes_free(struct bytes *bytes);

static inline void
bytes_byte(struct bytes *bytes, char byte)
{
	if (bytes->length < bytes->capacity || bytes_reserve(bytes, 1))
		bytes->data[bytes->length++] = byte;
}

static inline struct slice
bytes_slice(const struct bytes *bytes)
{
	return slice_make(bytes->data, bytes->length);
}

#endif
