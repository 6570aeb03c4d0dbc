/*
 * overlay_lines - the lines of local.indicators, the last of each kind and key
 *
 * Reads:    the file's octets, which may come from anywhere
 * Produces: what is said last about each kind and canonical key
 *
 * Reading the file (overlay.h) and making it shorter (overlay_file.h) must
 * agree on what a line says, so both take it from here.
 */
#ifndef TOCSIN_INDICATOR_OVERLAY_LINES_H
#define TOCSIN_INDICATOR_OVERLAY_LINES_H

#include <cjson/cJSON.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "base/status.h"
#include "base/table.h"
#include "indicator/json_split.h"
#include "indicator/overlay.h"

#define OVERLAY_DEPTH_MAX 4

/* The last line about one kind and key. */
struct overlay_line {
	struct json_value line;
	enum overlay_operation operation;
	int64_t added_unix, expires_unix; /* 0: not said */
};

/* Told of each line that says nothing of a key: whole, without its end. */
struct overlay_lines_other {
	void *context;
	void (*comment)(void *context, struct slice line); /* may be NULL */
	void (*bad)(void *context, struct slice line);
};

/* Collects into `table`, by kind (one octet) and key, struct overlay_line. Both
 * last as long as `arena` and `bytes`; `scratch` is reset. Lines of more than
 * `line_bytes_max` are bad. TC_LIMIT at the arena's ceiling. */
enum tc_status overlay_lines_collect(struct arena *arena, struct arena *scratch,
    struct slice bytes, size_t line_bytes_max,
    const struct overlay_lines_other *other, struct table *table);

/* A member that holds a time, as seconds or as text; 0 when it does not. */
int64_t overlay_lines_time(const cJSON *object, const char *name);

#endif
