/*
 * diag - what is wrong with a file that an operator wrote
 *
 * Collects errors and warnings with file, line and column, and prints each as
 *
 *	FILE:LINE:COLUMN: error: MESSAGE
 *	    the source line
 *	        ^
 *
 * Columns count characters (code points) from 1, tabs as one. A suggestion
 * belongs into the message: `unknown field "form.domain"; did you mean
 * "from.domain"?` (diag_suggest() finds it).
 */
#ifndef TOCSIN_BASE_DIAG_H
#define TOCSIN_BASE_DIAG_H

#include "base/builder.h"
#include "base/list.h"

enum diag_level {
	DIAG_NOTE,
	DIAG_WARNING,
	DIAG_ERROR
};

/* One file's text, kept for the carets. */
struct diag_source {
	const char *file; /* as the operator named it */
	struct slice text;
};

struct diag_entry {
	enum diag_level level;
	const struct diag_source *source; /* NULL: no place in a file */
	unsigned line;                    /* from 1; 0: the whole file */
	unsigned column;                  /* from 1, in characters */
	const char *message;
};

struct diag {
	struct arena *arena;
	LIST_OF(struct diag_entry) entries;
	unsigned error_count; /* all, also beyond what is kept */
	unsigned warning_count;
	unsigned entries_max;
};

/* Keeps up to entries_max entries in the arena and counts the rest. */
struct diag diag_make(struct arena *arena, unsigned entries_max);

/* Notes what is wrong at byte `offset` of the source. */
void diag_at(struct diag *diag, enum diag_level level,
    const struct diag_source *source, size_t offset, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

/* A copy in the diag's arena, for entries that outlive the source: without its
 * text where that is large (a list), which costs the caret only; then nothing
 * may be noted by offset. NULL without memory. */
const struct diag_source *diag_keep_source(
    struct diag *diag, const struct diag_source *source);

/* Notes something without a place (a missing file, an environment). */
void diag_plain(struct diag *diag, enum diag_level level, const char *format,
    ...) __attribute__((format(printf, 3, 4)));

/* Line and column of a byte offset. */
void diag_position(const struct diag_source *source, size_t offset,
    unsigned *line_out, unsigned *column_out);

/* Appends one entry with its source line and caret to `out`. */
void diag_print(const struct diag_entry *entry, struct builder *out);

/* All entries in order of file, line, column; then a note on how many more
 * there were. */
void diag_print_all(const struct diag *diag, struct builder *out);

/* The one of `count` names that is nearest to `word` (edit distance at most a
 * third of its length, at least 1), or NULL. */
const char *diag_suggest(
    struct slice word, const char *const *names, size_t count);

#endif
