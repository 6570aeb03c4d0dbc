/*
 * lookalike - domains that can be mistaken for one of ours
 *
 * A name is a lookalike of an entry when its last labels, as many as the entry
 * has, look the same (letters of other scripts, digits for letters, rn for m,
 * accents, hyphens left out) or differ by one letter (two in names of 12
 * letters or more), and it is not under any entry.
 */
#ifndef TOCSIN_LANGUAGE_LOOKALIKE_H
#define TOCSIN_LANGUAGE_LOOKALIKE_H

#include "language/value_list.h"

/* True when `domain` (canonical) is a lookalike of an entry of the list of
 * domains. Memory for the work comes from `arena`; at its ceiling the answer
 * is false. */
bool lookalike_any(struct arena *arena, struct slice domain,
    const struct value_list *list, int64_t now);

/* How a name looks: confusable characters brought to one form each. */
struct slice lookalike_skeleton(struct arena *arena, struct slice domain);

#endif
