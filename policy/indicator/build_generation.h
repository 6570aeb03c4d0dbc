/*
 * build_generation - a number for each store, never given twice
 *
 * The log and the evidence name what was in force by its generation. It counts
 * on from the store in force and from the last number given, which is kept
 * beside it in a file of its own: a store may be lost, damaged, or an old one
 * put back.
 */
#ifndef TOCSIN_INDICATOR_BUILD_GENERATION_H
#define TOCSIN_INDICATOR_BUILD_GENERATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"

/* The next number. `in_force` is that of the store, 0 when none can be read;
 * `had_store` whether there has been one. Without any number, but after a
 * store, it is the time in seconds, which no count reaches. */
uint64_t build_generation_next(struct arena *arena, const char *folder,
    uint64_t in_force, bool had_store, int64_t now_unix);

/* Notes that a number is given, durably, before a store has it. False with
 * errno. */
bool build_generation_take(
    struct arena *arena, const char *folder, uint64_t generation);

#endif
