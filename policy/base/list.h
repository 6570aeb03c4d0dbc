/*
 * list - a growing array in an arena
 *
 * A list of T is any struct with the members
 *	T *items; size_t count; size_t capacity;
 * which LIST_OF(T) declares. list_append() makes room for one more element,
 * knows the limit, and returns its address (zeroed), or NULL when the limit or
 * the arena's ceiling is reached. Addresses move when the list grows.
 */
#ifndef TOCSIN_BASE_LIST_H
#define TOCSIN_BASE_LIST_H

#include "base/arena.h"

#define LIST_OF(type)            \
	struct {                 \
		type *items;     \
		size_t count;    \
		size_t capacity; \
	}

#define list_append(arena, list, limit)                                 \
	((__typeof__((list)->items))list_grow((arena),                  \
	    (void **)&(list)->items, &(list)->count, &(list)->capacity, \
	    sizeof *(list)->items, (limit)))

/* The work behind list_append(). */
void *list_grow(struct arena *arena, void **items, size_t *count,
    size_t *capacity, size_t item_size, size_t limit);

#endif
