#include <config.h>

#include <stdatomic.h>
#include <stdlib.h>

#include "base/block_cache.h"

#define SLOTS 32

/* What a kept block begins with, in place of its content. */
struct kept {
	size_t size;
};

/* Each slot belongs to whoever has exchanged its content for NULL. */
static _Atomic(struct kept *) slots[SLOTS];
static atomic_size_t kept_bytes;
static atomic_size_t kept_max = 64000000;

void
block_cache_set_max(size_t bytes)
{
	atomic_store(&kept_max, bytes);
}

/* Puts a block, which counts already, into an empty slot; frees it when there
 * is none. */
static void
put(struct kept *block)
{
	size_t size = block->size;

	for (unsigned i = 0; i < SLOTS; i++) {
		struct kept *empty = NULL;

		if (atomic_load_explicit(&slots[i], memory_order_relaxed) ==
			NULL &&
		    atomic_compare_exchange_strong(&slots[i], &empty, block))
			return;
	}
	atomic_fetch_sub(&kept_bytes, size);
	free(block);
}

void *
block_cache_take(size_t size, size_t *size_out)
{
	struct kept *best = NULL;

	if (size < BLOCK_CACHE_SIZE_MIN || size > BLOCK_CACHE_SIZE_MAX ||
	    atomic_load_explicit(&kept_bytes, memory_order_relaxed) == 0)
		return NULL;
	/* The largest, so that what goes on growing stays in it; but not one
	 * that would lie idle for the most part. */
	for (unsigned i = 0; i < SLOTS; i++) {
		struct kept *found;

		if (atomic_load_explicit(&slots[i], memory_order_relaxed) ==
		    NULL)
			continue;
		found = atomic_exchange(&slots[i], NULL);
		if (found == NULL)
			continue;
		if (found->size >= size && found->size / 4 <= size &&
		    (best == NULL || found->size > best->size)) {
			struct kept *worse = best;

			best = found;
			found = worse;
		}
		if (found != NULL)
			put(found);
	}
	if (best == NULL)
		return NULL;
	*size_out = best->size;
	atomic_fetch_sub(&kept_bytes, best->size);
	return best;
}

void
block_cache_give(void *block, size_t size)
{
	struct kept *kept = block;

	if (size < BLOCK_CACHE_SIZE_MIN || size > BLOCK_CACHE_SIZE_MAX) {
		free(block);
		return;
	}
	if (atomic_fetch_add(&kept_bytes, size) + size >
	    atomic_load_explicit(&kept_max, memory_order_relaxed)) {
		atomic_fetch_sub(&kept_bytes, size);
		free(block);
		return;
	}
	kept->size = size;
	put(kept);
}

void
block_cache_drop(void)
{
	for (unsigned i = 0; i < SLOTS; i++) {
		struct kept *found = atomic_exchange(&slots[i], NULL);

		if (found == NULL)
			continue;
		atomic_fetch_sub(&kept_bytes, found->size);
		free(found);
	}
}
