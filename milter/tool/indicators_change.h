/*
 * indicators_change - `tocsin indicators add` and `remove`
 *
 * Each says what it did and what follows from it, or why it did nothing.
 */
#ifndef TOCSIN_TOOL_INDICATORS_CHANGE_H
#define TOCSIN_TOOL_INDICATORS_CHANGE_H

#include "tool/engine.h"

/* Adds change->value. What would match too much, or stands on a warninglist, is
 * refused with the reason as in a build; change->force insists, except on what
 * can be no indicator at all. Returns an exit status. */
int indicators_add(
    struct engine *engine, const struct overlay_change *change, bool json);

/* Takes a hand-added value or a mask back, or masks one in all feeds
 * (change->operation). Says which indicators still act on it. Returns an exit
 * status: EX_DATAERR when there is nothing to take back. */
int indicators_remove(
    struct engine *engine, const struct overlay_change *change, bool json);

#endif
