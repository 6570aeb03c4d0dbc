/*
 * json_split - cut large JSON into values without a tree of all of it
 *
 * Reads:    bytes that should be JSON (RFC 8259)
 * Produces: slices that hold one value each, for a DOM parser or as they are
 *
 * A feed is a few levels of containers around many small objects. Splitting
 * walks those levels and hands out one object after another; a broken object
 * costs itself. Only quotes and brackets are looked at here: whether a value
 * is good JSON is for the DOM parser to say. Nesting is counted, never
 * recursed into.
 */
#ifndef TOCSIN_INDICATOR_JSON_SPLIT_H
#define TOCSIN_INDICATOR_JSON_SPLIT_H

#include "base/arena.h"

struct cJSON;

struct json_split {
	struct slice rest;
	bool broken; /* the text ended inside a value or is no JSON */
};

struct json_value {
	struct slice text; /* from its first to its last octet */
	unsigned depth;    /* of brackets inside; 0 for scalars */
};

/* Takes the next value off the front of *rest; false at the end or when the
 * text is cut off. Blanks and commas before it are skipped. */
bool json_split_value(struct slice *rest, struct json_value *value_out);

/* Walks the elements of an array or the members of an object. `container` is
 * a value's text, brackets included. Where the text ends within a value, that
 * one is given as far as it goes, `broken` is set and the walk ends. */
struct json_split json_split_begin(struct slice container);
bool json_split_element(struct json_split *split, struct json_value *value_out);
bool json_split_member(struct json_split *split, struct slice *name_out,
    struct json_value *value_out);

/* As json_split_member(), but stops before the value, at split->rest: for
 * containers too large to look for their end first. The caller takes the value
 * off split->rest before the next call. */
bool json_split_name(struct json_split *split, struct slice *name_out);

/* True for JSON lines: one object a line, at least two. */
bool json_split_is_lines(struct slice bytes);

static inline bool
json_is_object(struct slice text)
{
	return text.length > 0 && text.data[0] == '{';
}

static inline bool
json_is_array(struct slice text)
{
	return text.length > 0 && text.data[0] == '[';
}

static inline bool
json_is_string(struct slice text)
{
	return text.length > 1 && text.data[0] == '"';
}

/* The content of a string value, escapes undone, in the arena or in place;
 * NULL data when it is none or has a broken escape. */
struct slice json_string(struct arena *arena, struct slice text);

/* Parses one value of at most depth_max with cJSON; NULL when it is no good
 * JSON or too deep. Free with cJSON_Delete(). */
struct cJSON *json_parse(const struct json_value *value, unsigned depth_max);

/* A member's text, trimmed of nothing; empty when absent or no string. Numbers
 * and truth values are given in their JSON notation where the arena is given. */
struct slice json_text(
    struct arena *arena, const struct cJSON *object, const char *name);

#endif
