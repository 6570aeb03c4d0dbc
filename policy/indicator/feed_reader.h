/*
 * feed_reader - what the readers of the single forms share
 *
 * feed.c begins a reading, feed_file.c reads files and feed_form.c finds out
 * their form; feed_list.c, feed_csv.c, feed_misp.c and feed_stix.c take bytes
 * and call feed_reader_item() and feed_reader_reject(). Nobody else includes
 * this.
 */
#ifndef TOCSIN_INDICATOR_FEED_READER_H
#define TOCSIN_INDICATOR_FEED_READER_H

#include "indicator/feed.h"
#include "indicator/feed_file.h"
#include "indicator/json_split.h"

struct stix_markings;

struct feed_reader {
	const struct feed_config *config;
	const struct feed_limits *limits;
	const struct feed_sink *sink;
	struct feed_report *report;
	struct arena *arena;   /* of the whole reading */
	struct arena *scratch; /* of one item: reset before each */
	bool stopped;          /* the sink wants no more */
	struct feed_file file; /* at hand */
	/* Of a STIX file: what it says of colours. NULL: nothing. */
	const struct stix_markings *markings;
};

/* Hands an item to the sink and counts what became of it. */
void feed_reader_item(struct feed_reader *reader, const struct feed_item *item);

/* Counts something published that is no item for the sink. */
void feed_reader_reject(struct feed_reader *reader, enum feed_reason reason,
    struct slice what, const char *detail);

/* The same of something beyond a limit. */
void feed_reader_beyond(struct feed_reader *reader, enum feed_limit limit,
    enum feed_reason reason, struct slice what, const char *detail);

/* Counts lines, comments and the like that are no indicators. */
void feed_reader_skip(struct feed_reader *reader, enum feed_reason reason);

/* An item with what is absent marked as absent. */
struct feed_item feed_item_make(enum indicator_kind kind, struct slice value);

/* Reads the date styles of feeds: RFC 3339, "2024-04-04 07:03:03[ UTC]",
 * "2024/04/04 ...", "2024-04-04", "04.04.2024", seconds or milliseconds since
 * 1970. 0 when it is none. */
int64_t feed_reader_time(struct slice text);

/* The same with the part of a second, in nanoseconds. */
int64_t feed_reader_moment(struct slice text, uint32_t *ns_out);

/* Rejects a version of an id, as feed_reader_reject(); those before it are out
 * all the same. */
void feed_reader_reject_version(struct feed_reader *reader,
    const struct feed_item *item, enum feed_reason reason, struct slice what,
    const char *detail);

/* A bare value of a list or CSV cell with all that people put around it
 * (quotes, blanks, a port): its kind, its value, and whether it is an
 * indicator at all. Rejects and counts it where it is none. `fixed` NULL:
 * guess. */
bool feed_reader_value(struct feed_reader *reader, struct slice text,
    const enum indicator_kind *fixed, struct feed_item *item_out);

/* Whether a bare value, with all that people put around it, looks like one of
 * a kind; nothing is counted. */
bool feed_reader_looks(struct feed_reader *reader, struct slice text,
    enum indicator_kind *kind_out);

/* Text as UTF-8: what is none is read as Windows-1252, in which office programs
 * save. */
struct slice feed_reader_text(struct arena *arena, struct slice text);

/* Counts a word that stands for a type and is not known. */
void feed_reader_unknown(struct feed_reader *reader, struct slice word);

/* The next line without its end; long ones are cut and said to be so. Takes
 * LF, CRLF and a bare CR. */
bool feed_reader_line(struct slice *rest, struct slice *line_out,
    size_t bytes_max, bool *cut_out);

/* The next value of a file with one a line. False at the end, and when reading
 * has stopped. A broken line costs itself. */
bool feed_reader_json_line(struct feed_reader *reader, struct slice *rest,
    struct json_value *value_out);

/* Whether a line names columns of which at least one holds values, with any of
 * the usual delimiters. */
bool feed_csv_is_header(struct slice line);

/* Whether a line is that by which spreadsheets tell their delimiter: "sep=;". */
bool feed_csv_separator(struct slice line, char *delimiter_out);

/* Reads a STIX pattern into one item or several; what else is known of it
 * stands in `item`. */
void feed_stix_pattern(
    struct feed_reader *reader, struct feed_item *item, struct slice text);

/* The readers: all of a file's bytes. They return TC_INVALID with
 * report->problem when the file as a whole is not of their form. */
enum tc_status feed_list_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format);
enum tc_status feed_csv_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format);
enum tc_status feed_stix_read(struct feed_reader *reader, struct slice bytes);
enum tc_status feed_misp_read(struct feed_reader *reader, struct slice bytes);
enum tc_status feed_json_read(struct feed_reader *reader, struct slice bytes);
enum tc_status feed_local_read(struct feed_reader *reader, struct slice bytes);

#endif
