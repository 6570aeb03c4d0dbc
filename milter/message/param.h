/*
 * param - Content-Type and Content-Disposition with their parameters
 *         (RFC 2045, 5.1; RFC 2183; RFC 2231)
 *
 * Reads:    one such header's value
 * Produces: the token in front, the parameters as written, and every plausible
 *           reading of a parameter's value
 *
 * Readers in the wild disagree on comments, quotes, escapes, continuations
 * (order, gaps, mixing with plain ones), charsets and encoded words inside
 * values. Nothing here decides which of them is right.
 */
#ifndef TOCSIN_MESSAGE_PARAM_H
#define TOCSIN_MESSAGE_PARAM_H

#include "base/arena.h"
#include "base/list.h"
#include "base/mime_defect.h"

struct param {
	struct slice name;  /* as written before '*', lower case */
	struct slice value; /* unquoted, comments removed, escapes undone */
	struct slice raw;   /* as written, with quotes and comments */
	struct slice rough; /* raw and the words without '=' after it */
	int section;        /* of a continuation; -1: none */
	bool extended;      /* name* or name*N*: charset'language'%XX */
	bool quoted;
};

struct param_header {
	struct slice token; /* "multipart/mixed", "attachment"; lower case,
				* comments and outer white space removed */
	LIST_OF(struct param) params;
	mime_defect_set defects;
};

/* Reads a value. At most params_max parameters (then TOO_MANY_PARAMS). False
 * at the arena's ceiling. */
bool param_header_parse(struct arena *arena, struct slice value,
    size_t params_max, struct param_header *header_out);

/* One way to read a parameter. */
struct param_reading {
	struct slice value; /* UTF-8 */
	const char *how;    /* "plain", "rfc2231", "first", "last", ... */
};

struct param_readings {
	struct param_reading *items; /* the most usual first; all distinct */
	size_t count;
	size_t capacity;
	mime_defect_set defects;
};

/* Appends every plausible reading of parameter `name` to *readings, up to
 * readings_max in all. `encoded_words`: decode RFC 2047 inside (file names).
 * False at the arena's ceiling. */
bool param_read(struct arena *arena, const struct param_header *header,
    const char *name, bool encoded_words, size_t readings_max,
    struct param_readings *readings);

#endif
