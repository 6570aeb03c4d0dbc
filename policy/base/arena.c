#include <config.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/block_cache.h"

/* Under AddressSanitizer the space between allocations is poisoned, so that
 * an overrun inside a chunk is found as well. */
#if defined(__SANITIZE_ADDRESS__)
#define ARENA_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_POISONS 1
#endif
#endif
#ifdef ARENA_POISONS
#include <sanitizer/asan_interface.h>
#define RED_ZONE 16
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)0)
#define RED_ZONE                                   0
#endif

#define CHUNK_FIRST 4096u
#define CHUNK_MAX   (256u * 1024u)
#define ALIGNMENT   sizeof(max_align_t)

struct chunk {
	struct chunk *older;
	size_t size; /* of what follows */
	size_t used;
	_Alignas(max_align_t) char bytes[];
};

/* A block that grows, and may have been another message's before. */
struct block {
	struct block *older, *newer;
	size_t size;     /* of what follows, as asked for */
	size_t capacity; /* of what follows, as it is */
	_Alignas(max_align_t) char bytes[];
};

/* What is released with the arena; lives in its chunks. */
struct deferred {
	struct deferred *older;
	void (*release)(void *what);
	void *what;
};

struct arena {
	struct chunk *newest;
	struct block *blocks;
	struct deferred *deferred;
	struct arena_pool *pool;
	size_t ceiling;
	size_t held; /* bytes of all chunks */
	size_t chunk_next;
	char *last; /* the newest allocation, which may grow in place */
	bool exhausted;
};

struct arena *
arena_new(size_t ceiling_bytes, struct arena_pool *pool)
{
	struct arena *arena = calloc(1, sizeof *arena);

	if (arena == NULL)
		return NULL;
	arena->ceiling = ceiling_bytes == 0 ? SIZE_MAX : ceiling_bytes;
	arena->pool = pool;
	arena->chunk_next = CHUNK_FIRST;
	return arena;
}

static void
chunk_release(struct arena *arena, struct chunk *chunk)
{
	arena->held -= chunk->size;
	if (arena->pool != NULL)
		atomic_fetch_sub_explicit(&arena->pool->used_bytes, chunk->size,
		    memory_order_relaxed);
	ASAN_UNPOISON_MEMORY_REGION(chunk->bytes, chunk->size);
	free(chunk);
}

static void
pool_give(struct arena_pool *pool, size_t size)
{
	if (pool != NULL)
		atomic_fetch_sub_explicit(
		    &pool->used_bytes, size, memory_order_relaxed);
}

#ifdef ARENA_POISONS
#define BLOCKS_ARE_KEPT 0 /* each overrun and use after free is to be seen */
#else
#define BLOCKS_ARE_KEPT 1
#endif

static void
block_free(struct block *block)
{
	if (BLOCKS_ARE_KEPT)
		block_cache_give(block, sizeof *block + block->capacity);
	else
		free(block);
}

static void
blocks_release(struct arena *arena)
{
	struct block *older;

	for (struct block *block = arena->blocks; block; block = older) {
		older = block->older;
		arena->held -= block->capacity;
		pool_give(arena->pool, block->capacity);
		block_free(block);
	}
	arena->blocks = NULL;
}

static void
deferred_release(struct arena *arena)
{
	for (struct deferred *one = arena->deferred; one; one = one->older)
		one->release(one->what);
	arena->deferred = NULL;
}

bool
arena_defer(struct arena *arena, void (*release)(void *what), void *what)
{
	struct deferred *one = arena_alloc(arena, sizeof *one);

	if (one == NULL)
		return false;
	one->older = arena->deferred;
	one->release = release;
	one->what = what;
	arena->deferred = one;
	return true;
}

void
arena_free(struct arena **arena)
{
	struct chunk *older;

	if (*arena == NULL)
		return;
	deferred_release(*arena);
	blocks_release(*arena);
	for (struct chunk *chunk = (*arena)->newest; chunk; chunk = older) {
		older = chunk->older;
		chunk_release(*arena, chunk);
	}
	free(*arena);
	*arena = NULL;
}

void
arena_reset(struct arena *arena)
{
	struct chunk *keep;

	deferred_release(arena);
	keep = arena->newest;
	blocks_release(arena);
	/* a large chunk is dearer to clear than to get anew */
	while (keep != NULL && keep->size > CHUNK_MAX) {
		arena->newest = keep->older;
		chunk_release(arena, keep);
		keep = arena->newest;
	}

	if (keep != NULL) {
		struct chunk *older;

		for (struct chunk *chunk = keep->older; chunk; chunk = older) {
			older = chunk->older;
			chunk_release(arena, chunk);
		}
		keep->older = NULL;
		ASAN_UNPOISON_MEMORY_REGION(keep->bytes, keep->used);
		memset(keep->bytes, 0, keep->used);
		keep->used = 0;
		ASAN_POISON_MEMORY_REGION(keep->bytes, keep->size);
	}
	arena->last = NULL;
	arena->exhausted = false;
}

/* Takes `size` bytes from the pool; false when it would pass its limit. */
static bool
pool_take(struct arena_pool *pool, size_t size)
{
	size_t before;

	if (pool == NULL)
		return true;
	before = atomic_fetch_add_explicit(
	    &pool->used_bytes, size, memory_order_relaxed);
	if (pool->limit_bytes == 0 ||
	    (before <= pool->limit_bytes && size <= pool->limit_bytes - before))
		return true;
	atomic_fetch_sub_explicit(
	    &pool->used_bytes, size, memory_order_relaxed);
	return false;
}

static struct chunk *
chunk_add(struct arena *arena, size_t need)
{
	size_t left = arena->ceiling - arena->held;
	size_t size = arena->chunk_next;
	struct chunk *chunk;

	if (need > left)
		return NULL;
	if (size < need)
		size = need;
	if (size > left)
		size = left;
	if (!pool_take(arena->pool, size))
		return NULL;
	/* calloc: fresh pages are zero already and cost nothing to clear */
	chunk = calloc(1, sizeof *chunk + size);
	if (chunk == NULL) {
		if (arena->pool != NULL)
			atomic_fetch_sub(&arena->pool->used_bytes, size);
		return NULL;
	}
	chunk->size = size;
	chunk->older = arena->newest;
	arena->newest = chunk;
	arena->held += size;
	if (arena->chunk_next < CHUNK_MAX)
		arena->chunk_next *= 2;
	ASAN_POISON_MEMORY_REGION(chunk->bytes, chunk->size);
	return chunk;
}

void *
arena_alloc(struct arena *arena, size_t size)
{
	struct chunk *chunk = arena->newest;
	size_t rounded;

	if (size > SIZE_MAX / 2) {
		arena->exhausted = true;
		return NULL;
	}
	rounded = (size + RED_ZONE + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	if (rounded == 0)
		rounded = ALIGNMENT;
	if (chunk == NULL || chunk->size - chunk->used < rounded) {
		chunk = chunk_add(arena, rounded);
		if (chunk == NULL) {
			arena->exhausted = true;
			return NULL;
		}
	}
	arena->last = chunk->bytes + chunk->used;
	chunk->used += rounded;
	ASAN_UNPOISON_MEMORY_REGION(arena->last, size == 0 ? 1 : size);
	return arena->last;
}

void *
arena_alloc_array(struct arena *arena, size_t count, size_t size)
{
	if (size != 0 && count > SIZE_MAX / size) {
		arena->exhausted = true;
		return NULL;
	}
	return arena_alloc(arena, count * size);
}

void *
arena_grow(struct arena *arena, void *memory, size_t old_size, size_t new_size)
{
	struct chunk *chunk = arena->newest;
	void *grown;

	if (memory != NULL && memory == arena->last && new_size >= old_size) {
		size_t start = (size_t)((char *)memory - chunk->bytes);

		if (new_size <= SIZE_MAX / 2) {
			size_t rounded = (new_size + RED_ZONE + ALIGNMENT - 1) /
					 ALIGNMENT * ALIGNMENT;

			if (rounded <= chunk->size - start) {
				if (chunk->used < start + rounded)
					chunk->used = start + rounded;
				ASAN_UNPOISON_MEMORY_REGION(memory, new_size);
				return memory;
			}
		}
	}
	grown = arena_alloc(arena, new_size);
	if (grown != NULL && old_size > 0)
		memcpy(
		    grown, memory, old_size < new_size ? old_size : new_size);
	return grown;
}

/* Takes `size` bytes of what the arena and its pool may hold. */
static bool
hold(struct arena *arena, size_t size)
{
	if (size > arena->ceiling - arena->held ||
	    !pool_take(arena->pool, size))
		return false;
	arena->held += size;
	return true;
}

static void
let_go(struct arena *arena, size_t size)
{
	arena->held -= size;
	pool_give(arena->pool, size);
}

/* A kept block of at least `size` bytes with the content of `block` (NULL:
 * none), which is released; NULL when there is none. All of it counts: a
 * slow message must not sit on more than it is charged for. */
static struct block *
block_move(struct arena *arena, struct block *block, size_t size)
{
	size_t capacity = block == NULL ? 0 : block->capacity, whole;
	struct block *moved = block_cache_take(sizeof *moved + size, &whole);

	if (moved == NULL)
		return NULL;
	if (!hold(arena, whole - sizeof *moved - capacity)) {
		block_cache_give(moved, whole);
		return NULL;
	}
	if (block != NULL) {
		memcpy(moved, block, sizeof *block + block->size);
		block_free(block);
	}
	moved->capacity = whole - sizeof *moved;
	return moved;
}

/* As block_move, from the system. */
static struct block *
block_make(struct arena *arena, struct block *block, size_t size)
{
	size_t capacity = block == NULL ? 0 : block->capacity;
	struct block *made;

	if (!hold(arena, size - capacity))
		return NULL;
	made = realloc(block, sizeof *made + size);
	if (made == NULL)
		let_go(arena, size - capacity);
	else
		made->capacity = size;
	return made;
}

void *
arena_block_grow(struct arena *arena, void *memory, size_t new_size)
{
	struct block *block =
	    memory == NULL ? NULL
			   : (struct block *)((char *)memory -
					      offsetof(struct block, bytes));
	struct block *grown = NULL;

	if (block != NULL && new_size <= block->capacity) {
		if (new_size > block->size)
			block->size = new_size;
		return memory;
	}
	if (new_size < SIZE_MAX / 2) {
		if (BLOCKS_ARE_KEPT)
			grown = block_move(arena, block, new_size);
		if (grown == NULL)
			grown = block_make(arena, block, new_size);
	}
	if (grown == NULL) {
		arena->exhausted = true;
		return NULL;
	}
	if (block == NULL) {
		grown->newer = NULL;
		grown->older = arena->blocks;
	}
	grown->size = new_size;
	if (grown->older != NULL)
		grown->older->newer = grown;
	if (grown->newer != NULL)
		grown->newer->older = grown;
	else
		arena->blocks = grown;
	return grown->bytes;
}

char *
arena_text(struct arena *arena, struct slice slice)
{
	char *text;

	if (slice.length >= SIZE_MAX / 2) {
		arena->exhausted = true;
		return NULL;
	}
	text = arena_alloc(arena, slice.length + 1);
	if (text != NULL && slice.length > 0)
		memcpy(text, slice.data, slice.length);
	return text;
}

struct slice
arena_copy(struct arena *arena, struct slice slice)
{
	char *text = arena_text(arena, slice);

	return slice_make(text, text == NULL ? 0 : slice.length);
}

char *
arena_printf(struct arena *arena, const char *format, ...)
{
	va_list arguments;
	char *text;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		return NULL;
	text = arena_alloc(arena, (size_t)length + 1);
	if (text == NULL)
		return NULL;
	va_start(arguments, format);
	vsnprintf(text, (size_t)length + 1, format, arguments);
	va_end(arguments);
	return text;
}

size_t
arena_used(const struct arena *arena)
{
	size_t used = 0;

	for (const struct chunk *chunk = arena->newest; chunk;
	     chunk = chunk->older)
		used += chunk->used;
	for (const struct block *block = arena->blocks; block;
	     block = block->older)
		used += block->size;
	return used;
}

bool
arena_exhausted(const struct arena *arena)
{
	return arena->exhausted;
}
