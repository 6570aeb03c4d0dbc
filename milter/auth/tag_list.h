/*
 * tag_list - the `tag=value; tag=value` lists of DKIM and ARC (RFC 6376, 3.2)
 *
 * Slices point into the text; nothing is allocated. Reading is strict: a list
 * that RFC 6376 does not allow, or a tag that stands twice, is TC_INVALID.
 */
#ifndef TOCSIN_AUTH_TAG_LIST_H
#define TOCSIN_AUTH_TAG_LIST_H

#include "base/arena.h"
#include "base/status.h"

#define TAG_LIST_MAX 64 /* tags; RFC 6376 and 8617 know 13 */

struct tag {
	struct slice name;
	struct slice value; /* without white space at its ends */
	size_t start;       /* raw value in the text: from after "=" */
	size_t end;         /* up to ";" or the end */
};

struct tag_list {
	struct tag tags[TAG_LIST_MAX];
	size_t count;
	const char *problem; /* constant words after TC_INVALID */
};

/* Reads the list. White space and folds (CRLF or LF) may stand around names
 * and values, and a ";" may end it. Octets above ASCII pass in values
 * (RFC 8616). */
enum tc_status tag_list_read(struct slice text, struct tag_list *list_out);

/* The tag of that name (case counts), or NULL. */
const struct tag *tag_list_find(const struct tag_list *list, const char *name);

/* The value without any white space inside, in the arena (unchanged where
 * there is none); NULL data at the ceiling. */
struct slice tag_list_compact(struct arena *arena, struct slice value);

/* Takes the next item of a colon-separated value, trimmed: loop while
 * (rest->length > 0). */
struct slice tag_list_item(struct slice *rest);

/* True when `word` is an item of the colon-separated value, ASCII case
 * folded. */
bool tag_list_has_item(struct slice value, const char *word);

#endif
