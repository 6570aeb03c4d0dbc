/*
 * handed_over - a message of a file, as the MTA hands it to a filter
 *
 * Postfix 3.7 ends a line at LF and drops the CRs before it, ends the headers
 * at the first line that is none, and cuts a field at a NUL.
 */
#ifndef TOCSIN_SUPPORT_HANDED_OVER_H
#define TOCSIN_SUPPORT_HANDED_OVER_H

#include "base/arena.h"
#include "base/slice.h"
#include "message/message.h"

/* The bytes of a file, in the arena; NULL data when it cannot be read. */
struct slice handed_over_file(struct arena *arena, const char *path);

/* Gives `raw` to the message, headers and body, and ends it. */
void handed_over(
    struct arena *arena, struct message *message, struct slice raw);

#endif
