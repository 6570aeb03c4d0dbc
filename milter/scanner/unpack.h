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
	uint64_t deadline_ms;         /* then what was found is all */
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

/* ---- for those that find files in files ---- */

struct scanner_item *unpack_item(struct unpack *unpack, size_t index);

/* Adds an item below `parent`; SIZE_MAX when entries or memory are used up,
 * which the parent then says. */
size_t unpack_add(struct unpack *unpack, size_t parent, struct slice name);

/* Looks into the bytes of an item: type, digests, rules, what is inside. */
enum tc_status unpack_look(
    struct unpack *unpack, struct slice content, size_t index);

/* Adds an item with these bytes, which count as unpacked ones, and looks into
 * it. False when no more may be added; the parent then says why. */
bool unpack_file(struct unpack *unpack, size_t parent, struct slice name,
    struct slice content);

/* True once the time is used up; the item then says so. */
bool unpack_is_late(struct unpack *unpack, size_t index);

/* Calls the item unscannable; the first reason stays. */
void unpack_mark(struct scanner_item *item, const char *reason);

#endif
