/*
 * examine - decides what the scanner's workers have to look for
 *
 * Reads:    what loaded rules and indicators can make use of
 * Produces: the inspection in the evidence, or a gap where a worker failed
 */
#ifndef TOCSIN_EVIDENCE_EXAMINE_H
#define TOCSIN_EVIDENCE_EXAMINE_H

#include "base/status.h"
#include "message/mime.h"

struct evidence;
struct settings_limits;
struct matcher;
struct scanner;

/* The limits of `limits { ... }` within one message. */
struct message_limits examine_limits(const struct settings_limits *limits);

/* Has the parts of the ended message looked into, as far as somebody asks.
 * `scanner` and `matcher` may be NULL. TC_LIMIT at the arena's ceiling. */
enum tc_status examine_parts(struct evidence *evidence, struct scanner *scanner,
    const struct matcher *matcher);

#endif
