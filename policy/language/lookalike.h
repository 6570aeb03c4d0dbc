/*
 * lookalike - domains that can be mistaken for one of ours
 *
 * What attackers register, for an entry interieur.example:
 *
 *	lnterieur.example, interleur.example   looks the same, or a letter off
 *	interieur.com, interi-eur.fr           under another suffix
 *	interieur.example.evil.tld             our name in front of theirs
 *	interieur-example.evil.tld             the same with hyphens
 *	secure-interieur.tld, interieurlogin.tld   words around it
 *
 * Names are compared as they look: letters of other scripts, digits for
 * letters, rn for m, accents; hyphens are left out. A short label is close to
 * too many others, so the shorter it is the less counts (the limits stand in
 * lookalike.c and tocsin-policy(5)). A name under an entry, or under the same
 * registrable domain, is the holder's own and no lookalike.
 *
 * Meant for lists of names of one's own: each is compared with each domain.
 */
#ifndef TOCSIN_LANGUAGE_LOOKALIKE_H
#define TOCSIN_LANGUAGE_LOOKALIKE_H

#include "language/value_list.h"

struct lookalike_set;

/* A list of domains, prepared for the question: in the arena, valid as long as
 * the list. A list of another type is empty. NULL at the arena's ceiling. */
struct lookalike_set *lookalike_prepare(
    struct arena *arena, const struct value_list *list);

/* True when `domain` (canonical) is a lookalike of an entry. */
bool lookalike_any(
    const struct lookalike_set *set, struct slice domain, int64_t now);

#endif
