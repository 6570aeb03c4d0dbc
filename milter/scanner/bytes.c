#include <config.h>

#include <stdlib.h>

#include "scanner/bytes.h"

#define FIRST_BYTES 4096

bool
bytes_reserve(struct bytes *bytes, size_t more)
{
	size_t wanted = bytes->capacity;
	char *grown;

	if (bytes->capacity - bytes->length >= more)
		return true;
	if (bytes->over || bytes->max < bytes->length ||
	    bytes->max - bytes->length < more) {
		bytes->over = true;
		return false;
	}
	if (wanted < FIRST_BYTES)
		wanted = FIRST_BYTES;
	while (wanted <= bytes->max / 2 && wanted - bytes->length < more)
		wanted *= 2;
	if (wanted > bytes->max || wanted - bytes->length < more)
		wanted = bytes->max;
	grown = realloc(bytes->data, wanted);
	if (grown == NULL) {
		bytes->over = true;
		return false;
	}
	bytes->data = grown;
	bytes->capacity = wanted;
	return true;
}

void
bytes_append(struct bytes *bytes, struct slice slice)
{
	if (slice.length == 0 || !bytes_reserve(bytes, slice.length))
		return;
	memcpy(bytes->data + bytes->length, slice.data, slice.length);
	bytes->length += slice.length;
}

void
bytes_free(struct bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct bytes){ .max = bytes->max };
}
