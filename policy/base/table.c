#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

#include "base/table.h"

#define FIRST_SLOTS 16

struct table
table_make(struct arena *arena)
{
	return (struct table){ .arena = arena };
}

/* The slot that holds `key`, or the free one where it belongs. */
static size_t *
find_slot(const struct table *table, struct slice key, uint64_t hash)
{
	size_t mask = table->slot_count - 1;
	size_t at = (size_t)hash & mask;

	for (;; at = (at + 1) & mask) {
		const struct table_entry *entry;

		if (table->slots[at] == 0)
			return &table->slots[at];
		entry = &table->entries[table->slots[at] - 1];
		if (entry->hash == hash && slice_equal(entry->key, key))
			return &table->slots[at];
	}
}

static const struct table_entry *
find_entry(const struct table *table, struct slice key)
{
	size_t *slot;

	if (table->slot_count == 0)
		return NULL;
	slot = find_slot(table, key, slice_hash(key, table->seed));
	return *slot == 0 ? NULL : &table->entries[*slot - 1];
}

void *
table_get(const struct table *table, struct slice key)
{
	const struct table_entry *entry = find_entry(table, key);

	return entry == NULL ? NULL : entry->value;
}

bool
table_has(const struct table *table, struct slice key)
{
	return find_entry(table, key) != NULL;
}

/* Doubles the slots and puts the entries into them anew. */
static bool
grow_slots(struct table *table)
{
	size_t count =
	    table->slot_count == 0 ? FIRST_SLOTS : table->slot_count * 2;
	size_t *slots = arena_alloc_array(table->arena, count, sizeof *slots);

	if (slots == NULL)
		return false;
	if (table->slot_count == 0 &&
	    getrandom(&table->seed, sizeof table->seed, GRND_NONBLOCK) < 0)
		table->seed = (uintptr_t)slots;
	table->slots = slots;
	table->slot_count = count;
	for (size_t i = 0; i < table->count; i++) {
		struct table_entry *entry = &table->entries[i];

		entry->hash = slice_hash(entry->key, table->seed);
		*find_slot(table, entry->key, entry->hash) = i + 1;
	}
	return true;
}

bool
table_put(struct table *table, struct slice key, void *value)
{
	uint64_t hash;
	size_t *slot;

	if ((table->count + 1) * 4 > table->slot_count * 3 &&
	    !grow_slots(table))
		return false;
	hash = slice_hash(key, table->seed);
	slot = find_slot(table, key, hash);
	if (*slot == 0) {
		if (table->count == table->capacity) {
			size_t wanted =
			    table->capacity == 0 ? 8 : table->capacity * 2;
			void *grown = arena_grow(table->arena, table->entries,
			    table->capacity * sizeof *table->entries,
			    wanted * sizeof *table->entries);

			if (grown == NULL)
				return false;
			table->entries = grown;
			table->capacity = wanted;
		}
		table->entries[table->count].key = key;
		table->entries[table->count].hash = hash;
		*slot = ++table->count;
	}
	table->entries[*slot - 1].value = value;
	return true;
}
