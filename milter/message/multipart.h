/*
 * multipart - where the parts of a multipart body begin and end
 *             (RFC 2046, 5.1)
 *
 * Reads:    a body and a boundary
 * Produces: the pieces between the delimiters, as slices of the body
 *
 * One search over the body per boundary; nothing is copied.
 */
#ifndef TOCSIN_MESSAGE_MULTIPART_H
#define TOCSIN_MESSAGE_MULTIPART_H

#include "base/arena.h"

/* Bytes behind a delimiter in which its line must end. */
#define MULTIPART_LINE_MAX 4096

/* What counts as a delimiter. */
enum multipart_match {
	MULTIPART_EXACT, /* at the start of a line, only blanks behind it */
	MULTIPART_LOOSE  /* also after blanks or a bare CR, and with anything
			  * behind it: what prefix matchers see */
};

struct multipart_delimiter {
	size_t before; /* where the piece before it ends: the line break before
			* a delimiter belongs to it */
	size_t after;  /* where the next one begins */
	bool close;
};

/* Reads the delimiter that may stand at `at`, where "--" and the boundary do.
 * False when it is none in that way of matching. */
bool multipart_delimiter(struct slice body, size_t at, size_t needle_length,
    enum multipart_match match, struct multipart_delimiter *delimiter_out);

/* "--" and the boundary; empty at the arena's ceiling. */
struct slice multipart_needle(struct arena *arena, struct slice boundary);

/* The line from `at` on with its line break, cut like a delimiter's. */
struct slice multipart_line(struct slice body, size_t at);

enum multipart_piece {
	MULTIPART_PREAMBLE,
	MULTIPART_PART,
	MULTIPART_AFTER_CLOSE, /* a part behind the close delimiter */
	MULTIPART_EPILOGUE     /* text behind a close delimiter */
};

struct multipart_scan {
	struct slice body;
	struct slice needle; /* "--" and the boundary */
	enum multipart_match match;
	size_t at;        /* where the next piece begins */
	bool started;     /* a delimiter was seen */
	bool closed;      /* a close delimiter was seen */
	bool last_closed; /* the last delimiter was one */
	bool ended;
};

/* Begins; scan->needle.data is NULL at the arena's ceiling. */
struct multipart_scan multipart_begin(struct arena *arena, struct slice body,
    struct slice boundary, enum multipart_match match);

/* The next piece, in order: one preamble, the parts, an epilogue after each
 * close delimiter. False at the end. */
bool multipart_next(struct multipart_scan *scan, enum multipart_piece *kind_out,
    struct slice *piece_out);

/* Guesses a boundary from the body: the first line of "--" and more that a
 * line of a MIME header follows. False when there is none. */
bool multipart_guess(struct slice body, struct slice *boundary_out);

#endif
