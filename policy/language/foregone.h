/*
 * foregone - conditions that no message can fulfil, or that every one does
 *
 * For warnings: a rule that can never match is a mistake. It sees what the
 * condition itself shows (spf == pass and spf == fail; size > 5MB and size <
 * 1MB; an empty { }) and what we set ourselves (mail with a login is never
 * inbound), not what mail is like. Linear in the nodes.
 */
#ifndef TOCSIN_LANGUAGE_FOREGONE_H
#define TOCSIN_LANGUAGE_FOREGONE_H

#include "language/compiled.h"

enum foregone {
	FOREGONE_OPEN = 1, /* may be either */
	FOREGONE_NEVER,
	FOREGONE_ALWAYS
};

/* What is known so far; zero-initialise, with program and arena set. */
struct foregone_notes {
	const struct program *program;
	struct arena *arena;
	unsigned char *known; /* enum foregone by node */
	unsigned depth;
	/* Of the contradiction that was seen last, where it takes more than the
	 * condition to see it; NULL: it does not. Reset it before a question. */
	const char *why;
};

enum foregone foregone_node(
    struct foregone_notes *notes, const struct program_node *node);

#endif
