/*
 * block_cache - large blocks of memory that wait for their next use
 *
 * A large message needs some blocks of many megabytes, one after the other or
 * at once with those of its neighbours. Memory that comes fresh from the
 * system costs more to touch for the first time than all that is done to it
 * then; so a few blocks are kept when they are released, for the next message.
 *
 * What is kept has a bound (the setting memory-kept), which is no part of any
 * arena's or pool's count; a block that is in use counts there in full. Any
 * thread may call this at any time; nothing waits.
 */
#ifndef TOCSIN_BASE_BLOCK_CACHE_H
#define TOCSIN_BASE_BLOCK_CACHE_H

#include <stddef.h>

/* Blocks below the first are malloc's affair, and one above the second would
 * push out all others. */
#define BLOCK_CACHE_SIZE_MIN (256u * 1024u)
#define BLOCK_CACHE_SIZE_MAX (16u * 1024u * 1024u)

/* How much may be kept; 64 MB until it is set. What is kept beyond it goes as
 * it is used. */
void block_cache_set_max(size_t bytes);

/* Takes out a block of at least `size` bytes and at most about four times that,
 * from malloc() and with whatever it last held, and stores its real size; NULL
 * when none is kept that fits. */
void *block_cache_take(size_t size, size_t *size_out);

/* Keeps a block from malloc() of `size` bytes, or frees it. */
void block_cache_give(void *block, size_t size);

/* Frees all that is kept. */
void block_cache_drop(void);

#endif
