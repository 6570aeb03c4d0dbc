/*
 * header - header fields, as the MTA hands them over or as a block holds them
 *
 * Reads:    a raw header block (walker), or single fields (list)
 * Produces: fields as slices
 *
 * A value is all octets after the colon exactly as they came: leading blank,
 * folds (LF or CRLF followed by white space) inside, without the final line
 * break. Hostile input never makes the walk fail; what was odd about a block
 * is collected in `oddities`.
 */
#ifndef TOCSIN_MESSAGE_HEADER_H
#define TOCSIN_MESSAGE_HEADER_H

#include "base/arena.h"

struct header_field {
	struct slice name;
	struct slice value;
};

struct header_list {
	struct header_field *items; /* top-most first */
	size_t count;
	size_t capacity;
};

enum header_oddity {
	HEADER_ODD_LINE = 1u << 0,  /* a line that is no field */
	HEADER_ODD_CR = 1u << 1,    /* a CR without LF */
	HEADER_ODD_NUL = 1u << 2,   /* a NUL */
	HEADER_ODD_SPACE = 1u << 3, /* white space before the colon */
	HEADER_ODD_BLANK = 1u << 4  /* a line of white space only */
};

/* How a block is walked. Fields are what stands between the start of `rest`
 * and the first empty line. */
struct header_scan {
	struct slice rest;  /* what is still to be read */
	unsigned oddities;  /* enum header_oddity bits seen so far */
	bool ended;         /* the empty line was seen and taken */
	bool cr_ends_lines; /* second reading: a lone CR ends a line */
};

/* Fields that mail is judged by, and that readers show: from `From` to
 * `Content-Disposition`. They are looked at where others have used up the
 * limits, so that nobody hides an author, a subject or an attachment behind
 * thousands of fields that say nothing. */
#define HEADER_VITAL_NAMES 13

enum header_over {
	HEADER_OVER_COUNT = 1u << 0,
	HEADER_OVER_BYTES = 1u << 1
};

/* How much of a header is kept. Fill fields_left and bytes_left with the
 * limits, the rest with 0. */
struct header_budget {
	size_t fields_left;
	size_t bytes_left;
	struct {
		unsigned fields;
		size_t bytes;
	} vital[HEADER_VITAL_NAMES]; /* kept beyond the limits, by name */
};

/* True when the field is to be kept; the budget is less by it then. *over_out
 * gets enum header_over bits when a limit is passed, also by a vital field,
 * of which ten of a name and 256 KiB are kept beyond. */
bool header_budget_take(struct header_budget *budget,
    const struct header_field *field, unsigned *over_out);

/* Begins a walk at the first octet of a header block. */
struct header_scan header_scan_begin(struct slice block);

/* Stores the next field in *field_out and returns true; returns false, and
 * leaves *field_out alone, at the end of the block: scan->rest is then the
 * body. Lines that are no fields are skipped and noted (RFC 5322, 2.2). */
bool header_scan_next(struct header_scan *scan, struct header_field *field_out);

/* The first field of that name from index *at on (any case), or NULL; *at
 * becomes the index after it. Begin with 0. */
const struct header_field *header_find(
    const struct header_list *list, const char *name, size_t *at);

size_t header_count(const struct header_list *list, const char *name);

/* The value without its folds: line breaks gone, outer white space gone. A
 * slice of `value` where there is no fold, else in the arena; NULL data at its
 * ceiling. */
struct slice header_unfold(struct arena *arena, struct slice value);

#endif
