/*
 * feed_column - what the columns of a CSV, or the members of a JSON object, hold
 *
 * By the operator's `columns`, by names that publishers use, or by what is
 * known of a form without a heading. Nobody but the feed's readers includes
 * this.
 */
#ifndef TOCSIN_INDICATOR_FEED_COLUMN_H
#define TOCSIN_INDICATOR_FEED_COLUMN_H

#include "indicator/feed_reader.h"

/* One row, or the scalar members of an object. */
struct feed_row {
	struct slice *cells;
	size_t count;
	size_t beyond; /* cells that found no room */
};

/* What the cells of a row hold; numbers are from 0. */
struct feed_map {
	struct feed_column *columns;
	size_t count;
};

/* Room for as many cells as the limits allow, and for the columns of these, of
 * the operator and of a preset; in the reader's arena. */
bool feed_row_make(struct feed_reader *reader, struct feed_row *row_out);
bool feed_map_make(struct feed_reader *reader, struct feed_map *map_out);

/* Adds a cell, or counts it as one beyond the limit. */
void feed_row_add(
    struct feed_row *row, const struct feed_limits *limits, struct slice cell);

/* What a column of that name holds, by our table or as the name of a kind. */
bool feed_column_of_name(struct slice name, struct feed_column *column_out);

/* Maps what has a name that we know. False when none of them holds values. */
bool feed_map_of_names(const struct feed_row *names, struct feed_map *map);

/* Maps the columns of a well-known file; of other formats none. */
void feed_map_of_preset(enum feed_format format, struct feed_map *map);

/* Maps the operator's columns; names are looked up in `names` (may be empty).
 * Returns the name of the first that is not there, or NULL. */
const char *feed_map_of_config(const struct feed_config *config,
    const struct feed_row *names, struct feed_map *map);

/* Says that there is no column of that name, which ones there are and which of
 * them is meant; `what` is "column" or "member". */
const char *feed_column_missing(struct arena *arena, const char *what,
    const struct feed_row *names, const char *wanted);

/* Hands on what a row holds: what is mapped, or without a map every cell that
 * looks like an indicator. */
void feed_row_read(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map);

#endif
