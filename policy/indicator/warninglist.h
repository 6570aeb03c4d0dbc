/*
 * warninglist - MISP warninglists, entry by entry
 *
 * Reads:    files of MISP's collection: {"name", "type", "list",
 *           "matching_attributes"}
 * Produces: the list's name and kinds, then one entry after another, as a
 *           canonical key (normal.h) or as a regular expression
 *
 * `matching_attributes` names the attribute types that a list speaks of. What
 * it says is held for hashes, names of files, subjects and the like, and to the
 * letter for regular expressions, which would otherwise silence texts that they
 * were not written for. Names, addresses, URLs and networks count as one: a
 * domain indicator acts on the addresses and URLs of its hosts as well, so a
 * list of mail domains has to hold it back too. A list without the member
 * speaks of all.
 */
#ifndef TOCSIN_INDICATOR_WARNINGLIST_H
#define TOCSIN_INDICATOR_WARNINGLIST_H

#include "base/arena.h"
#include "indicator/json_split.h"
#include "indicator/kind.h"

struct warninglist {
	const char *name;
	bool hostname; /* MISP's "hostname": with all below, under its rule */
	bool networks; /* "cidr" */
	bool expressions; /* "regex" */
	uint32_t kinds;   /* INDICATOR_KIND_BITs that it speaks of */
	struct json_split entries;
	size_t number; /* of the last entry, from 1 */
};

enum warninglist_state {
	WARNINGLIST_KEY,
	WARNINGLIST_EXPRESSION, /* `text` */
	WARNINGLIST_OTHER,      /* of a kind that nobody looks up, or that the
				 * list does not speak of */
	WARNINGLIST_BROKEN      /* `why` */
};

struct warninglist_entry {
	enum warninglist_state state;
	enum indicator_kind kind;
	struct slice key;  /* canonical */
	struct slice text; /* as it stands in the list */
	const char *why;
};

/* Calls `take` for each file that a path or glob pattern names: of a folder its
 * *.json, or NAME/list.json as in MISP's collection. False when there is none.
 */
bool warninglist_each_file(const char *pattern,
    void (*take)(void *context, const char *path), void *context);

/* Begins a list; the bytes have to last. Returns why they are of no use, or
 * NULL. The name lives in the arena. */
const char *warninglist_open(
    struct arena *arena, struct slice bytes, struct warninglist *list_out);

/* The next entry; its texts live in `scratch`, which is reset. At the end
 * false: list->entries.broken says whether the file is cut off. */
bool warninglist_next(struct warninglist *list, struct arena *scratch,
    struct warninglist_entry *entry_out);

#endif
