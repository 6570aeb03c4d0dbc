/*
 * extensions - the extensions of a file name, as a system takes them
 *
 * Marks that only change what is seen (bidirectional ones, zero-width ones)
 * are left out wherever they stand, dots and blanks at the end too; folders
 * before the name do not count.
 */
#ifndef TOCSIN_EVIDENCE_EXTENSIONS_H
#define TOCSIN_EVIDENCE_EXTENSIONS_H

#include "base/arena.h"

#define EXTENSIONS_MAX 8 /* of one name; the last ones */

/* Stores the extensions from left to right, folded; returns how many. */
size_t extensions_of(struct arena *arena, struct slice name,
    struct slice extensions[EXTENSIONS_MAX]);

#endif
