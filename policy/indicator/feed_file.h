/*
 * feed_file - the octets of a feed's file, whatever its size
 *
 * Reads:    one regular file
 * Produces: its octets for feed_form.h
 *
 * A small file goes to memory whole. A large file of lines goes through a
 * window that is filled again as its reader goes on; any other large file is
 * copied aside without a name and the copy is mapped, so that nobody can cut it
 * short under us. A file that is written to while it is read is read again, or
 * refused when it is large. Nobody but the feed's readers includes this.
 */
#ifndef TOCSIN_INDICATOR_FEED_FILE_H
#define TOCSIN_INDICATOR_FEED_FILE_H

#include <stdint.h>

#include "base/slice.h"
#include "base/status.h"

struct feed_reader;

/* The file at hand: part of a feed_reader. */
struct feed_file {
	uint64_t bytes_max; /* it may have so many */

	/* A large JSON file is mapped, and its pages are let go behind us. */
	char *mapped; /* NULL: in memory */
	size_t mapped_bytes;
	size_t passed;         /* of them; a multiple of the page size */
	uint64_t bytes_before; /* report->bytes when it began */

	/* A large file of lines goes through a window. */
	char *window; /* NULL: all of it is at hand */
	int fd;
	bool ended;       /* the window holds the end of the file */
	int window_error; /* errno of a read that failed, or 0 */
};

/* Reads a file to its end and hands it to the reader of its form. TC_SYSTEM
 * when it cannot be read, TC_LIMIT when it is larger than the feed's max-size;
 * the report's problem says why. */
enum tc_status feed_file_read(struct feed_reader *reader, const char *path);

/* Reads the first octets of a file, as many as a window holds, and hands them
 * to the reader of their form when it is one of lines. *status_out is
 * TC_INVALID when they are of no use. */
void feed_file_look(
    struct feed_reader *reader, const char *path, enum tc_status *status_out);

/* For readers of lines, at the begin of each line or row: sees to it that
 * *rest holds a whole line and at least a quarter of the window, or all that is
 * left of the file. Slices into it are stale afterwards. A line that does not
 * even fit the window is rejected and passed over. */
void feed_file_more(struct feed_reader *reader, struct slice *rest);

/* Says that all before `rest` is done with. Readers that look at a whole file
 * more than once don't say so; the pages come back when they are read again. */
void feed_file_passed(struct feed_reader *reader, struct slice rest);

/* Lets go the pages of `part`, which will be read again. */
void feed_file_let_go(struct feed_reader *reader, struct slice part);

#endif
