/*
 * utf8 - reading, checking and folding UTF-8
 */
#ifndef TOCSIN_BASE_UTF8_H
#define TOCSIN_BASE_UTF8_H

#include <stdint.h>

#include "base/arena.h"

#define UTF8_REPLACEMENT 0xFFFDu

/* Takes the next code point off the front of *rest. An invalid or overlong
 * sequence, a surrogate or a cut one yields UTF8_REPLACEMENT and takes one
 * byte (*valid_out false). Call only while rest->length > 0; valid_out may be
 * NULL. */
uint32_t utf8_next(struct slice *rest, bool *valid_out);

/* Writes the code point (up to 4 bytes) and returns how many; values that are
 * no code point are written as U+FFFD. */
size_t utf8_encode(uint32_t code_point, char out[4]);

/* How many bytes from the front on are ASCII. */
size_t utf8_ascii_prefix(struct slice slice);

/* How many bytes from the front on are whole, valid characters. */
size_t utf8_valid_prefix(struct slice slice);

bool utf8_is_valid(struct slice slice);

/* Simple case folding (Unicode CaseFolding, C+S) of one code point. */
uint32_t utf8_fold(uint32_t code_point);

/* The whole slice folded, in the arena; pure ASCII lower case is returned as
 * it is. On exhaustion a slice with NULL data. */
struct slice utf8_fold_slice(struct arena *arena, struct slice slice);

/* Equal under simple folding; invalid bytes compare as themselves. */
bool utf8_equal_fold(struct slice a, struct slice b);

#endif
