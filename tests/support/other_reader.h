/*
 * other_reader - a message as GMime reads it, to compare with
 *
 * GMime can overflow its stack on hostile mail: use it in a process that may
 * die. Without GMime at build time other_reader_here() is false.
 */
#ifndef TOCSIN_TESTS_OTHER_READER_H
#define TOCSIN_TESTS_OTHER_READER_H

#include "base/arena.h"
#include "base/list.h"

struct other_part {
	struct slice type; /* "text/plain", lower case */
	struct slice name; /* as GMime shows it; may be empty */
	struct slice content;
};

struct other_parts {
	struct other_part *items;
	size_t count, capacity;
};

bool other_reader_here(void);

/* Appends the leaf parts of a raw message, in order, those of attached mail
 * too, decoded. False when GMime finds no message. */
bool other_reader_read(
    struct arena *arena, struct slice raw, struct other_parts *parts);

/* Parses and decodes as above and forgets it; for measuring. Returns the
 * decoded bytes. */
size_t other_reader_run(struct slice raw);

#endif
