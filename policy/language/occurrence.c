#include <config.h>

#include <stdint.h>

#include "language/occurrence.h"

#define GRAM_MAX 4 /* octets under which a word is filed */

/* The words that are filed under as many octets. */
struct gram_index {
	unsigned size; /* of a gram, octets */
	unsigned shift;
	uint32_t *heads;  /* by hash: word + 1, 0: none */
	uint64_t *filter; /* a bit by hash, finer than the heads */
	unsigned filter_shift;
	size_t count;
};

struct occurrence_index {
	const struct table *words;
	uint32_t *next;    /* by word: another one in its chain, + 1 */
	uint32_t *offsets; /* by word: where in it its gram stands */
	struct gram_index grams[GRAM_MAX];
};

static uint32_t
hash_at(const char *at, unsigned size)
{
	uint32_t gram = 0;

	if (size == GRAM_MAX)
		memcpy(&gram, at, GRAM_MAX);
	else
		for (unsigned i = 0; i < size; i++)
			gram = gram << 8 | (unsigned char)at[i];
	return gram * UINT32_C(2654435761);
}

static unsigned
size_of(struct slice word)
{
	return word.length < GRAM_MAX ? (unsigned)word.length : GRAM_MAX;
}

/* Room for `count` words. */
static bool
make_gram_index(struct arena *arena, struct gram_index *grams, unsigned size)
{
	unsigned bits = 6;

	grams->size = size;
	while (bits < 28 && (size_t)1 << bits < grams->count * 2)
		bits++;
	grams->shift = 32 - bits;
	grams->filter_shift = grams->shift - 3;
	grams->heads =
	    arena_alloc_array(arena, (size_t)1 << bits, sizeof *grams->heads);
	grams->filter = arena_alloc_array(
	    arena, (size_t)1 << (bits + 3) >> 6, sizeof *grams->filter);
	return grams->heads != NULL && grams->filter != NULL;
}

/* How many words hold each gram, by its hash; for the rarest. */
static void
count_grams(const struct occurrence_index *index, uint32_t *counts[GRAM_MAX])
{
	for (size_t i = 0; i < index->words->count; i++) {
		struct slice word = index->words->entries[i].key;
		unsigned size = size_of(word);
		const struct gram_index *grams;

		if (size == 0)
			continue;
		grams = &index->grams[size - 1];
		for (size_t at = 0; at + size <= word.length; at++)
			counts[size - 1][hash_at(word.data + at, size) >>
					 grams->filter_shift]++;
	}
}

static void
file_word(struct occurrence_index *index, uint32_t number,
    uint32_t *const counts[GRAM_MAX])
{
	struct slice word = index->words->entries[number].key;
	unsigned size = size_of(word);
	struct gram_index *grams;
	uint32_t best = UINT32_MAX, hash;

	if (size == 0)
		return;
	grams = &index->grams[size - 1];
	for (size_t at = 0; at + size <= word.length; at++) {
		uint32_t count =
		    counts[size - 1][hash_at(word.data + at, size) >>
				     grams->filter_shift];

		if (count >= best)
			continue;
		best = count;
		index->offsets[number] = (uint32_t)at;
	}
	hash = hash_at(word.data + index->offsets[number], size);
	index->next[number] = grams->heads[hash >> grams->shift];
	grams->heads[hash >> grams->shift] = number + 1;
	hash >>= grams->filter_shift;
	grams->filter[hash / 64] |= UINT64_C(1) << hash % 64;
}

static bool
file_words(struct occurrence_index *index, struct arena *arena)
{
	struct arena *notes = arena_new(0, NULL);
	uint32_t *counts[GRAM_MAX] = { NULL };
	bool good = notes != NULL;

	for (size_t i = 0; i < index->words->count; i++) {
		unsigned size = size_of(index->words->entries[i].key);

		if (size > 0)
			index->grams[size - 1].count++;
	}
	for (unsigned i = 0; good && i < GRAM_MAX; i++) {
		struct gram_index *grams = &index->grams[i];

		if (grams->count == 0)
			continue;
		good = make_gram_index(arena, grams, i + 1);
		if (good)
			counts[i] = arena_alloc_array(notes,
			    (size_t)1 << (32 - grams->filter_shift),
			    sizeof *counts[i]);
		good = good && counts[i] != NULL;
	}
	if (good)
		count_grams(index, counts);
	for (size_t i = 0; good && i < index->words->count; i++)
		file_word(index, (uint32_t)i, counts);
	arena_free(&notes);
	return good;
}

struct occurrence_index *
occurrence_index_new(struct arena *arena, const struct table *words)
{
	struct occurrence_index *index = arena_alloc(arena, sizeof *index);

	if (index == NULL || words->count >= UINT32_MAX)
		return NULL;
	index->words = words;
	index->next =
	    arena_alloc_array(arena, words->count + 1, sizeof *index->next);
	index->offsets =
	    arena_alloc_array(arena, words->count + 1, sizeof *index->offsets);
	if (index->next == NULL || index->offsets == NULL ||
	    !file_words(index, arena))
		return NULL;
	return index;
}

/* Does the word stand where its gram does? */
static bool
stands_at(const struct occurrence_index *index, size_t number,
    struct slice text, size_t at)
{
	struct slice word = index->words->entries[number].key;
	size_t offset = index->offsets[number];

	return at >= offset && text.length - (at - offset) >= word.length &&
	       memcmp(text.data + at - offset, word.data, word.length) == 0;
}

static bool
find_grams(const struct occurrence_index *index, const struct gram_index *grams,
    struct slice text, bool (*accept)(void *context, size_t word),
    void *context)
{
	for (size_t at = 0; at + grams->size <= text.length; at++) {
		uint32_t hash = hash_at(text.data + at, grams->size);
		uint32_t fine = hash >> grams->filter_shift;

		if ((grams->filter[fine / 64] >> fine % 64 & 1) == 0)
			continue;
		for (uint32_t word = grams->heads[hash >> grams->shift];
		     word != 0; word = index->next[word - 1])
			if (stands_at(index, word - 1, text, at) &&
			    accept(context, word - 1))
				return true;
	}
	return false;
}

bool
occurrence_find(const struct occurrence_index *index, struct slice text,
    bool (*accept)(void *context, size_t word), void *context)
{
	for (unsigned i = 0; i < GRAM_MAX; i++)
		if (index->grams[i].count > 0 &&
		    find_grams(index, &index->grams[i], text, accept, context))
			return true;
	return false;
}
