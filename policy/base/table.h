/*
 * table - a hash table from bytes to a pointer, in an arena
 *
 * Keys are compared octet by octet; fold them before where that is wanted.
 * The table keeps the key's slice, not a copy. Entries are never removed;
 * iteration is in the order of insertion.
 */
#ifndef TOCSIN_BASE_TABLE_H
#define TOCSIN_BASE_TABLE_H

#include "base/arena.h"

struct table_entry {
	struct slice key;
	void *value;
	unsigned long long hash;
};

struct table {
	struct arena *arena;
	struct table_entry *entries; /* in order of insertion */
	size_t count;
	size_t capacity;
	size_t *slots; /* index + 1 into entries, 0 = free */
	size_t slot_count;
	unsigned long long seed;
};

/* Makes an empty table; allocates nothing yet. */
struct table table_make(struct arena *arena);

/* The value of `key`, or NULL. */
void *table_get(const struct table *table, struct slice key);

bool table_has(const struct table *table, struct slice key);

/* Sets key to value, replacing an older value. False at the arena's ceiling. */
bool table_put(struct table *table, struct slice key, void *value);

#endif
