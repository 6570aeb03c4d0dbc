#include <config.h>

#include <stdint.h>

#include "base/list.h"

#define FIRST_CAPACITY 8

void *
list_grow(struct arena *arena, void **items, size_t *count, size_t *capacity,
    size_t item_size, size_t limit)
{
	char *item;

	if (*count >= limit)
		return NULL;
	if (*count == *capacity) {
		size_t wanted = *capacity == 0 ? FIRST_CAPACITY : *capacity * 2;
		void *grown;

		if (wanted > limit)
			wanted = limit;
		if (wanted > SIZE_MAX / 2 / item_size)
			return NULL;
		grown = arena_grow(
		    arena, *items, *capacity * item_size, wanted * item_size);
		if (grown == NULL)
			return NULL;
		*items = grown;
		*capacity = wanted;
	}
	item = (char *)*items + *count * item_size;
	(*count)++;
	/* A popped element may have left its bytes here. */
	memset(item, 0, item_size);
	return item;
}
