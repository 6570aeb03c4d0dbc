/*
 * push - reads an entity as its bytes come, in the most usual way
 *
 * Reads:    a growing run of bytes, cut anywhere
 * Produces: parts with their decoded content and digests; entities with what
 *           a second pass needs (vary.h)
 *
 * A state machine over lines. Open multiparts and messages wait on a stack of
 * frames, the outermost first: its delimiter ends all that is inside. Each
 * octet is looked at once, decoded and hashed as soon as it cannot belong to
 * a delimiter any more; only a line that may still become one is waited for,
 * and then at most a few KiB. The result does not depend on where the bytes
 * were cut.
 *
 * The bytes may move between calls (`stable` false): nothing that is kept
 * points into them before push_end().
 */
#ifndef TOCSIN_MESSAGE_PUSH_H
#define TOCSIN_MESSAGE_PUSH_H

#include "message/entity.h"

struct push;

/* Begins an entity. NULL at the arena's ceiling. */
struct push *push_begin(
    struct entity_work *work, const struct entity_origin *origin, bool stable);

/* Reads on: `bytes` is all that came so far. */
void push_feed(struct push *push, struct slice bytes);

/* Reads the rest; `bytes` is all, and stays where it is as long as the
 * arena. */
void push_end(struct push *push, struct slice bytes);

/* Parts below this index are complete, containers aside. */
size_t push_complete(const struct push *push);

/* Reads an entity that is there as a whole and stays where it is. */
void push_whole(struct entity_work *work, const struct entity_origin *origin,
    struct slice bytes);

#endif
