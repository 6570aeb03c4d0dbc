/*
 * unfold - text whose lines were broken for the way, joined again
 *
 * Whoever shows such a text joins it, so a URL or an address may go over the
 * end of a line. Linear time.
 */
#ifndef TOCSIN_MESSAGE_UNFOLD_H
#define TOCSIN_MESSAGE_UNFOLD_H

#include "base/arena.h"

/* Calendars and address cards: folded like headers, some characters escaped
 * (RFC 5545, 3.1, 3.3.11; RFC 6350, 3.2). `text` itself at the ceiling. */
struct slice unfold_calendar(struct arena *arena, struct slice text);

/* format=flowed with delsp=yes (RFC 3676): a line that ends in a blank goes on
 * in the next one of the same quote depth. `text` itself at the ceiling. */
struct slice unfold_flowed(struct arena *arena, struct slice text);

#endif
