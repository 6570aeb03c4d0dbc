/*
 * line - the lines of a body, as fast as memory gives them
 *
 * Most lines of most mail say nothing to a parser. line_scan() runs over those
 * and stops at one that may: one that begins like a delimiter or like a file
 * in the text, or that holds a CR of its own.
 */
#ifndef TOCSIN_MESSAGE_LINE_H
#define TOCSIN_MESSAGE_LINE_H

#include "base/slice.h"

/* What was seen. A line counts when its line break is there. */
struct line_survey {
	size_t crlf;  /* lines that end with CRLF */
	size_t lf;    /* lines that end with LF alone */
	bool bare_cr; /* a CR before something other than LF */
};

/* Runs over whole lines from `from`, where one begins. Returns where the first
 * line begins that is of interest, or that has no end yet. */
size_t line_scan(struct slice bytes, size_t from, struct line_survey *survey);

/* The same on any processor; line_scan() takes a faster loop where it can. */
size_t line_scan_plain(
    struct slice bytes, size_t from, struct line_survey *survey);

/* Copies up to the first '=' or LF, or all; returns how much. `out` has room
 * for text.length + LINE_COPY_SLACK. */
#define LINE_COPY_SLACK 32
size_t line_copy(struct slice text, unsigned char *out);

/* Whether a line that begins with this octet may be of interest. */
bool line_is_odd_start(char first);

/* Where a CR stands in bytes[from, end) that is not followed by LF, or
 * SIZE_MAX; `end` is the end of a line. */
size_t line_find_bare_cr(struct slice bytes, size_t from, size_t end);

#endif
