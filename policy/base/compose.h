/*
 * compose - one form for letters with accents (Unicode's NFC)
 *
 * Mail of some systems (macOS first of all) writes an accent as a character of
 * its own behind the letter; what people type into a policy has both in one.
 * They look alike and mean the same, so they are brought to one form before
 * they are compared.
 *
 * Hostile input: a letter with more marks than COMPOSE_RUN_MAX is composed in
 * pieces, so the work grows with the length alone; octets that are no UTF-8
 * stay as they are.
 */
#ifndef TOCSIN_BASE_COMPOSE_H
#define TOCSIN_BASE_COMPOSE_H

#include <stdint.h>

#include "base/arena.h"

/* More than any language writes; as UAX 15's stream-safe form has it. */
#define COMPOSE_RUN_MAX 32

/* The text in composed form: the same slice where it has that already, as all
 * of ASCII and nearly all mail does, else in the arena. NULL data at the
 * arena's ceiling. */
struct slice compose_slice(struct arena *arena, struct slice text);

/* Whether the character stays as it is and joins nothing that stands before
 * it. False for some of which it is true as well: they are looked at closer. */
bool compose_is_plain(uint32_t code_point);

#endif
