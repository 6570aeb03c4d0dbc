/*
 * arena - memory of one lifetime, with a ceiling
 *
 * A message, a connection, a policy generation or a call has one arena; all
 * that belongs to it is allocated there and goes at once with arena_free().
 * Nothing is freed singly.
 *
 * An arena has a ceiling in bytes. Arenas may draw on a pool, the process-wide
 * counter behind `limits { memory }`; it is touched once per chunk, not per
 * allocation. Reaching either returns NULL and sets the arena's `exhausted`,
 * which callers report as TC_LIMIT; it is never a crash.
 *
 * An arena belongs to one thread at a time.
 */
#ifndef TOCSIN_BASE_ARENA_H
#define TOCSIN_BASE_ARENA_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

struct arena;

/* Bytes that all arenas of a pool may hold together; 0 in limit_bytes: no
 * limit. Zero-initialise used_bytes. */
struct arena_pool {
	size_t limit_bytes;
	atomic_size_t used_bytes;
};

/* Makes an arena that may hold `ceiling_bytes` (0: no ceiling), drawing on
 * `pool` unless that is NULL. NULL when there is no memory. */
struct arena *arena_new(size_t ceiling_bytes, struct arena_pool *pool);

/* Frees all and clears the pointer; accepts NULL inside. */
void arena_free(struct arena **arena);

/* Forgets all that was allocated and keeps one chunk for the next use. */
void arena_reset(struct arena *arena);

/* Returns zeroed memory aligned for any type, or NULL at the ceiling. */
void *arena_alloc(struct arena *arena, size_t size);

/* As arena_alloc for `count` elements; the product cannot wrap. */
void *arena_alloc_array(struct arena *arena, size_t count, size_t size);

/* Grows the array at `memory` from old_size to new_size bytes, in place where
 * it is the last allocation, else by copying. NULL at the ceiling; the old
 * memory then stays valid. */
void *arena_grow(
    struct arena *arena, void *memory, size_t old_size, size_t new_size);

/* Grows a block of its own that may become large: it is not part of a chunk,
 * so growing does not leave the old one behind, and its memory comes from
 * earlier messages where it can (block_cache.h). Begin with NULL; the block moves; new bytes are not zero.
 * NULL at the ceiling; the old block then stays valid. It goes with
 * arena_free() and arena_reset(). */
void *arena_block_grow(struct arena *arena, void *block, size_t new_size);

/* Calls release(what) when the arena is reset or freed, last come first: for
 * what lives as long as the arena and is no memory of it. False at the
 * ceiling: the caller keeps it. */
bool arena_defer(struct arena *arena, void (*release)(void *what), void *what);

/* Copies the bytes and appends a NUL that does not count. On failure returns
 * a slice with NULL data. */
struct slice arena_copy(struct arena *arena, struct slice slice);

/* Copies as a C string (bytes up to the slice's end, then NUL); NULL at the
 * ceiling. */
char *arena_text(struct arena *arena, struct slice slice);

/* printf into the arena; NULL at the ceiling. */
char *arena_printf(struct arena *arena, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

size_t arena_used(const struct arena *arena);

/* True once an allocation was refused. */
bool arena_exhausted(const struct arena *arena);

#endif
