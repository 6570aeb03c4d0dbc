/*
 * feed_reader - what the readers of the single forms share
 *
 * feed.c finds out the form, opens files and counts; feed_list.c, feed_csv.c,
 * feed_misp.c and feed_stix.c take bytes and call feed_reader_item() and
 * feed_reader_reject(). Nobody else includes this.
 */
#ifndef TOCSIN_INDICATOR_FEED_READER_H
#define TOCSIN_INDICATOR_FEED_READER_H

#include "indicator/feed.h"

struct feed_reader {
	const struct feed_config *config;
	const struct feed_limits *limits;
	const struct feed_sink *sink;
	struct feed_report *report;
	struct arena *arena;   /* of the whole reading */
	struct arena *scratch; /* of one item: reset before each */
	bool stopped;          /* the sink wants no more */

	/* A large JSON file is mapped, and its pages are let go behind us. */
	char *mapped; /* NULL: in memory */
	size_t mapped_bytes;
	size_t passed;         /* of them; a multiple of the page size */
	uint64_t bytes_before; /* report->bytes when it began */

	/* A large file of lines goes through a window. */
	char *window; /* NULL: all of it is at hand */
	int fd;
	bool ended;         /* the window holds the end of the file */
	int window_error;   /* errno of a read that failed, or 0 */
	uint64_t bytes_max; /* of the file */
};

/* For readers of lines, at the begin of each line or row: sees to it that
 * *rest holds a whole line and at least a quarter of the window, or all that is
 * left of the file. Slices into it are stale afterwards. A line that does not even fit
 * the window is rejected and passed over. */
void feed_reader_more(struct feed_reader *reader, struct slice *rest);

/* Says that all before `rest` is done with. Readers that look at a whole file
 * more than once don't say so; the pages come back when they are read again. */
void feed_reader_passed(struct feed_reader *reader, struct slice rest);

/* Hands an item to the sink and counts what became of it. */
void feed_reader_item(struct feed_reader *reader, const struct feed_item *item);

/* Counts something published that is no item for the sink. */
void feed_reader_reject(struct feed_reader *reader, enum feed_reason reason,
    struct slice what, const char *detail);

/* Counts lines, comments and the like that are no indicators. */
void feed_reader_skip(struct feed_reader *reader, enum feed_reason reason);

/* An item with what is absent marked as absent. */
struct feed_item feed_item_make(enum indicator_kind kind, struct slice value);

/* Reads the date styles of feeds: RFC 3339, "2024-04-04 07:03:03[ UTC]",
 * "2024/04/04 ...", "2024-04-04", "04.04.2024", seconds or milliseconds since
 * 1970. 0 when it is none. */
int64_t feed_reader_time(struct slice text);

/* A bare value of a list or CSV cell with all that people put around it
 * (quotes, blanks, a port): its kind, its value, and whether it is an
 * indicator at all. Rejects and counts it where it is none. `fixed` NULL:
 * guess. */
bool feed_reader_value(struct feed_reader *reader, struct slice text,
    const enum indicator_kind *fixed, struct feed_item *item_out);

/* The next line without its end; long ones are cut and said to be so. Takes
 * LF, CRLF and a bare CR. */
bool feed_reader_line(struct slice *rest, struct slice *line_out,
    size_t bytes_max, bool *cut_out);

/* Reads a value by the name of its type as MISP and CSV feeds have it
 * ("ip-dst|port", "filename|sha256", "hostname", ...): sets kind, value and
 * roles of the item. FEED_USED, FEED_NOT_VISIBLE for types that mail cannot
 * show or that we do not know (*known_out tells), FEED_BAD_VALUE when a
 * compound value has no second half. */
enum feed_reason feed_misp_value(struct slice type, struct slice value,
    struct feed_item *item, bool *known_out);

/* Whether a line names columns of which at least one holds values, with any of
 * the usual delimiters. */
bool feed_csv_is_header(struct slice line);

/* The readers: all of a file's bytes. They return TC_INVALID with
 * report->problem when the file as a whole is not of their form. */
enum tc_status feed_list_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format);
enum tc_status feed_csv_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format);
enum tc_status feed_stix_read(struct feed_reader *reader, struct slice bytes);
enum tc_status feed_misp_read(struct feed_reader *reader, struct slice bytes);
enum tc_status feed_local_read(struct feed_reader *reader, struct slice bytes);

#endif
