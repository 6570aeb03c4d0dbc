/*
 * unpack - one part, its archive members, their members, within a budget
 *
 * Runs in a worker. libarchive has no limits of its own, so each is held here:
 * bytes, ratio, entries, depth. What goes over a limit, is encrypted or broken
 * is an item flagged `unscannable` with its reason; what came before stays.
 */
#ifndef TOCSIN_SCANNER_UNPACK_H
#define TOCSIN_SCANNER_UNPACK_H

#include <magic.h>

#include "scanner/rules.h"
#include "scanner/scanner.h"

struct unpack {
	const struct scanner_settings *settings;
	struct scanner_budget budget; /* bytes and entries left */
	unsigned want;
	unsigned depth;  /* of the part */
	magic_t magic;   /* NULL: no types */
	YR_RULES *rules; /* NULL: none */
	struct arena *arena;
	struct scanner_result *result;
	size_t content_kept; /* bytes of members' content so far */
};

/* Fills unpack->result. TC_LIMIT when the arena is full. */
enum tc_status unpack_part(
    struct unpack *unpack, struct slice content, struct slice name);

/* True when the bytes look like an archive or a document whose inside is worth
 * a worker's time; by a few comparisons, without any library. */
bool unpack_is_worth(struct slice content);

#endif
