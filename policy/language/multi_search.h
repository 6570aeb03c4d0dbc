/*
 * multi_search - which of many patterns occur in a text, in one pass over it
 *
 * Patterns are over octets, in the syntax that superset.h writes. Two variants
 * are built, one or the other: with Vectorscan (multi_search_vectorscan.c), or
 * none (multi_search_none.c), which takes no pattern.
 *
 * Compiling takes up to seconds for thousands of patterns: do it where nobody
 * waits. What is made fits the processor at hand and is never stored. It never
 * changes; any number of threads may search at once, without a lock.
 */
#ifndef TOCSIN_LANGUAGE_MULTI_SEARCH_H
#define TOCSIN_LANGUAGE_MULTI_SEARCH_H

#include <stdint.h>

#include "base/arena.h"

struct multi_search;

struct multi_search_pattern {
	const char *text;
	bool loose; /* may match more than it says, where that is cheaper */
	bool taken; /* set by multi_search_new() */
};

/* Compiles the patterns and marks those that were taken. NULL when none was.
 * `arena` is for its own notes while it works. */
struct multi_search *multi_search_new(
    struct arena *arena, struct multi_search_pattern *patterns, unsigned count);
void multi_search_free(struct multi_search **search);

/* Sets bit i of `found` for each pattern i that occurs in `text`. False when
 * it could not (no memory): nothing can be said then. */
bool multi_search_run(
    const struct multi_search *search, struct slice text, uint64_t *found);

/* Memory that it holds, in bytes. */
size_t multi_search_size(const struct multi_search *search);

/* The library and its version; NULL where there is none. */
const char *multi_search_library(void);

#endif
