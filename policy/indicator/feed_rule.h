/*
 * feed_rule - lines of blocklists that are written for other programs
 *
 * Lists of names are published as rules for blockers of advertisements
 * ("||host^"), as configuration of dnsmasq and unbound, as zones for response
 * policies (RPZ) and as hosts files. Such a line says of a name no more than
 * that it is bad, or something that does not concern us: an exception, a
 * condition, housekeeping. Nobody but the feed's readers includes this.
 */
#ifndef TOCSIN_INDICATOR_FEED_RULE_H
#define TOCSIN_INDICATOR_FEED_RULE_H

#include "base/arena.h"

enum feed_rule_type {
	FEED_RULE_NONE,  /* a line of a plain list */
	FEED_RULE_VALUE, /* `values` are bad */
	FEED_RULE_ASIDE, /* of no value: `why` */
	FEED_RULE_KEEP   /* housekeeping, such as the head of a zone */
};

struct feed_rule {
	enum feed_rule_type type;
	struct slice values; /* one, or several with '/' between them */
	bool several;
	const char *why;
};

/* What has to be known of the lines before. Zero-initialise. */
struct feed_rule_state {
	char origin[256]; /* of a zone; a copy, for the line goes */
	size_t origin_length;
	bool in_parentheses; /* of a record of a zone */
};

/* Reads a line without its comment; values may live in the arena. */
struct feed_rule feed_rule_read(
    struct feed_rule_state *state, struct arena *arena, struct slice line);

#endif
