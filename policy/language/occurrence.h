/*
 * occurrence - which of a list's words stand in a text, in one pass over it
 *
 * Each word is filed under the rarest four octets in it (fewer where it is
 * shorter), so a place in the text where none of these stand costs one look.
 * Building is linear in the words, searching in the text, whatever their
 * number; a text made to meet many words at each place is bounded by how many
 * share their rarest octets. Plain memory in an arena; immutable.
 */
#ifndef TOCSIN_LANGUAGE_OCCURRENCE_H
#define TOCSIN_LANGUAGE_OCCURRENCE_H

#include "base/table.h"

struct occurrence_index;

/* Over the keys of a table, which must live as long and not change. NULL
 * without memory. */
struct occurrence_index *occurrence_index_new(
    struct arena *arena, const struct table *words);

/* Calls `accept` for each word that stands in `text`, by its place in the
 * table, until that returns true; a word that stands there twice is told
 * twice. Returns whether one was accepted. */
bool occurrence_find(const struct occurrence_index *index, struct slice text,
    bool (*accept)(void *context, size_t word), void *context);

#endif
