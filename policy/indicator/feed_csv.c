#include <config.h>

#include "base/builder.h"
#include "indicator/feed_column.h"
#include "indicator/normal.h"

#define SAMPLE_ROWS    20
#define UNREAD_COLUMNS 8

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])

/* ---------------------------------------------------------------------- rows */

/* Takes the quotes off a cell: "" stands for one. */
static struct slice
unquote(struct arena *arena, struct slice inner)
{
	struct builder out;

	if (slice_find_byte(inner, '"') == SIZE_MAX)
		return inner;
	out = builder_make(arena, SIZE_MAX);
	for (size_t i = 0; i < inner.length; i++) {
		builder_byte(&out, inner.data[i]);
		if (inner.data[i] == '"' && i + 1 < inner.length &&
		    inner.data[i + 1] == '"')
			i++;
	}
	return builder_result(&out);
}

/* Length of a quoted cell up to its closing quote, SIZE_MAX when it does not
 * close within the row's limit. text.data[0] is the opening quote. */
static size_t
quoted_length(struct slice text, size_t bytes_max)
{
	for (size_t i = 1; i < text.length && i < bytes_max; i++) {
		if (text.data[i] != '"')
			continue;
		if (i + 1 < text.length && text.data[i + 1] == '"')
			i++;
		else
			return i;
	}
	return SIZE_MAX;
}

/* Takes one cell off *rest, which then begins at the delimiter or line end.
 * A quote that never closes is an ordinary character: it costs its cell, not
 * the rest of the file. */
static struct slice
take_cell(
    struct arena *arena, struct slice *rest, char delimiter, size_t bytes_max)
{
	struct slice text = *rest;
	size_t length = 0, close;

	while (
	    text.length > 0 && (text.data[0] == ' ' ||
				   (text.data[0] == '\t' && delimiter != '\t')))
		text = slice_skip(text, 1);
	if (text.length > 0 && text.data[0] == '"' &&
	    (close = quoted_length(text, bytes_max)) != SIZE_MAX) {
		struct slice cell = unquote(arena, slice_range(text, 1, close));

		text = slice_skip(text, close + 1);
		while (length < text.length && text.data[length] != delimiter &&
		       text.data[length] != '\n')
			length++;
		*rest = slice_skip(text, length);
		return slice_trim(cell);
	}
	while (length < text.length && text.data[length] != delimiter &&
	       text.data[length] != '\n')
		length++;
	*rest = slice_skip(text, length);
	return slice_trim(slice_range(text, 0, length));
}

/* The next row with something in it; cells beyond the limit are dropped. */
static bool
next_row(struct feed_reader *reader, struct slice *rest, char delimiter,
    struct feed_row *row)
{
	row->count = 0;
	row->beyond = 0;
	while (rest->length > 0) {
		struct slice cell = take_cell(reader->scratch, rest, delimiter,
		    reader->limits->line_bytes_max);

		feed_row_add(row, reader->limits, cell);
		if (rest->length > 0 && rest->data[0] == delimiter) {
			*rest = slice_skip(*rest, 1);
			continue;
		}
		*rest = slice_skip(*rest, 1);
		return true;
	}
	return row->count > 0;
}

static bool
row_is_blank(const struct feed_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->cells[i].length > 0)
			return false;
	return true;
}

/* ------------------------------------------------------------------- heading */

bool
feed_csv_is_header(struct slice line)
{
	static const char delimiters[] = { ',', ';', '\t', '|' };

	for (size_t i = 0; i < COUNT(delimiters); i++) {
		struct slice rest = line;
		unsigned known = 0, cells = 0;
		bool value = false;

		while (rest.length > 0) {
			struct feed_column column = { 0 };
			struct slice cell;

			rest = slice_split(rest, delimiters[i], &cell);
			cell = slice_trim(cell);
			if (cell.length >= 2 && cell.data[0] == '"' &&
			    cell.data[cell.length - 1] == '"')
				cell = slice_range(cell, 1, cell.length - 1);
			cells++;
			if (!feed_column_of_name(cell, &column))
				continue;
			known++;
			value = value || column.role == FEED_COLUMN_VALUE;
		}
		if (cells > 1 && value && known * 2 >= cells)
			return true;
	}
	return false;
}

/* A row is a heading when none of its cells is a value and some names are
 * known. Fills the map in that case. */
static bool
map_of_heading(struct feed_reader *reader, const struct feed_row *row,
    struct feed_map *map)
{
	enum indicator_kind kind;

	for (size_t i = 0; i < row->count; i++)
		if (normal_guess_kind(reader->scratch, row->cells[i], &kind))
			return false;
	return feed_map_of_names(row, map);
}

static bool
wants_heading(const struct feed_config *config)
{
	for (size_t i = 0; i < config->column_count; i++)
		if (config->columns[i].name != NULL)
			return true;
	return false;
}

/* ---------------------------------------------------------------------- file */

static bool
is_comment(const struct feed_config *config, struct slice rest)
{
	char comment = config->comment == 0 ? '#' : config->comment;

	return rest.length > 0 && rest.data[0] == comment;
}

/* The delimiter that the first lines have most of. */
static char
find_delimiter(const struct feed_config *config, struct slice rest)
{
	static const char candidates[] = { ',', ';', '\t', '|' };
	size_t counts[COUNT(candidates)] = { 0 };
	size_t best = 0;
	struct slice line;
	unsigned rows = 0;
	bool cut;

	while (
	    rows < SAMPLE_ROWS && feed_reader_line(&rest, &line, 4096, &cut)) {
		if (is_comment(config, line) || slice_trim(line).length == 0)
			continue;
		rows++;
		for (size_t k = 0; k < COUNT(candidates); k++)
			counts[k] +=
			    slice_find_byte(line, candidates[k]) != SIZE_MAX;
	}
	for (size_t k = 1; k < COUNT(candidates); k++)
		if (counts[k] > counts[best])
			best = k;
	return candidates[best];
}

struct csv_file {
	struct feed_reader *reader;
	struct feed_row row;
	struct feed_map map;
	char delimiter;
	bool begun;               /* the first row has been seen */
	bool mapped;              /* the map holds */
	struct feed_row headings; /* until the first row below them is read */
};

/* A comment before the first row may be the heading (URLhaus). */
static void
read_comment(struct csv_file *file, struct slice line)
{
	struct feed_reader *reader = file->reader;
	const struct feed_config *config = reader->config;
	struct slice rest;
	bool zeek = false;

	while (line.length > 0 &&
	       (line.data[0] == '#' || line.data[0] == config->comment))
		line = slice_skip(line, 1);
	rest = slice_trim(line);
	if (file->begun || file->mapped ||
	    (config->column_count > 0 && !wants_heading(config)) ||
	    !next_row(reader, &rest, file->delimiter, &file->row) ||
	    file->row.count < 2)
		return;
	/* Zeek: "#fields", then the names. */
	if (slice_equal_text(file->row.cells[0], "fields")) {
		file->row.cells++;
		file->row.count--;
		zeek = true;
	}
	if (config->column_count > 0)
		file->mapped =
		    feed_map_of_config(config, &file->row, &file->map) == NULL;
	else if (zeek) /* "meta.source" looks like a host */
		file->mapped = feed_map_of_names(&file->row, &file->map);
	else
		file->mapped = map_of_heading(reader, &file->row, &file->map);
	if (zeek)
		file->row.cells--;
}

/* The operator's columns by the first row. */
static bool
begin_with_config(struct csv_file *file, bool *consumed_out)
{
	struct feed_reader *reader = file->reader;
	const char *missing =
	    feed_map_of_config(reader->config, &file->row, &file->map);

	file->mapped = missing == NULL;
	*consumed_out = wants_heading(reader->config);
	if (!file->mapped)
		reader->report->problem = feed_column_missing(
		    reader->arena, "column", &file->row, missing);
	return file->mapped;
}

static bool
keep_headings(struct csv_file *file)
{
	struct arena *arena = file->reader->arena;

	if (!feed_row_make(file->reader, &file->headings))
		return false;
	for (size_t i = 0; i < file->row.count; i++)
		feed_row_add(&file->headings, file->reader->limits,
		    arena_copy(arena, slice_range(file->row.cells[i], 0, 60)));
	return true;
}

/* Says of which columns the first row holds what looks like an indicator while
 * the heading is none that we know: nothing else would tell. */
static void
note_unread_columns(struct csv_file *file)
{
	struct feed_reader *reader = file->reader;
	struct feed_report *report = reader->report;
	enum indicator_kind kind;

	for (size_t i = 0; i < file->headings.count && i < file->row.count;
	     i++) {
		bool read = false;
		const char **slot;

		for (size_t k = 0; k < file->map.count; k++)
			read = read || file->map.columns[k].number == i;
		if (read ||
		    !feed_reader_looks(reader, file->row.cells[i], &kind))
			continue;
		slot = list_append(
		    reader->arena, &report->unread_columns, UNREAD_COLUMNS);
		if (slot != NULL)
			*slot =
			    arena_text(reader->arena, file->headings.cells[i]);
		if (slot != NULL && *slot == NULL)
			report->unread_columns.count--;
	}
	file->headings.count = 0;
}

/* Decides by the first row how the file is to be read. *consumed_out: the row
 * was the heading. */
static bool
begin(struct csv_file *file, bool *consumed_out)
{
	struct feed_reader *reader = file->reader;
	struct feed_map by_heading;

	file->begun = true;
	*consumed_out = false;
	if (reader->config->column_count > 0)
		return file->mapped || begin_with_config(file, consumed_out);
	if (!feed_map_make(reader, &by_heading))
		return false;
	if (map_of_heading(reader, &file->row, &by_heading)) {
		file->map = by_heading;
		file->mapped = *consumed_out = true;
		return keep_headings(file);
	} else if (!file->mapped && file->row.count > 1) {
		feed_map_of_preset(reader->config->format, &file->map);
		file->mapped = file->map.count > 0;
	}
	return true;
}

static bool
read_row(struct csv_file *file)
{
	bool consumed = false;

	if (!file->begun && !begin(file, &consumed))
		return false;
	if (consumed) {
		feed_reader_skip(file->reader, FEED_NOT_INDICATOR);
		return true;
	}
	if (file->headings.count > 0)
		note_unread_columns(file);
	feed_row_read(
	    file->reader, &file->row, file->mapped ? &file->map : NULL);
	return true;
}

bool
feed_csv_separator(struct slice line, char *delimiter_out)
{
	line = slice_trim(line);
	if (line.length == 7 && line.data[0] == '"' && line.data[6] == '"')
		line = slice_range(line, 1, 6);
	if (line.length != 5 ||
	    !slice_starts_with_fold(line, SLICE_LITERAL("sep=")))
		return false;
	*delimiter_out = line.data[4];
	return true;
}

/* The delimiter as the operator, the file's own first line or the look of its
 * rows says. */
static char
delimiter_of(const struct feed_config *config, struct slice *bytes)
{
	struct slice rest = *bytes, line;
	char own = 0;
	bool cut;

	if (feed_reader_line(&rest, &line, 16, &cut) && !cut &&
	    feed_csv_separator(line, &own))
		*bytes = rest;
	if (config->delimiter != 0)
		return config->delimiter;
	return own != 0 ? own : find_delimiter(config, *bytes);
}

/* Takes one row, or one comment, off the front. False at the end, or when the
 * file is of no use. */
static bool
take_row(struct csv_file *file, struct slice *bytes, enum tc_status *status)
{
	struct feed_reader *reader = file->reader;
	size_t bytes_max = reader->limits->line_bytes_max, before;

	if (is_comment(reader->config, *bytes)) {
		struct slice line;
		bool cut;

		feed_reader_line(bytes, &line, bytes_max, &cut);
		read_comment(file, line);
		return true;
	}
	before = bytes->length;
	if (!next_row(reader, bytes, file->delimiter, &file->row))
		return false;
	if (before - bytes->length > bytes_max)
		feed_reader_beyond(reader, FEED_LIMIT_LINE, FEED_BAD_OBJECT,
		    slice_range(file->row.cells[0], 0, 80),
		    "the row is too long");
	else if (!row_is_blank(&file->row) && !read_row(file))
		*status = TC_INVALID;
	return *status == TC_OK;
}

enum tc_status
feed_csv_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format)
{
	struct csv_file file = { .reader = reader };
	enum tc_status status = TC_OK;

	(void)format;
	if (!feed_row_make(reader, &file.row) ||
	    !feed_map_make(reader, &file.map))
		return TC_SYSTEM;
	file.delimiter = delimiter_of(reader->config, &bytes);
	while (!reader->stopped) {
		arena_reset(reader->scratch);
		feed_file_more(reader, &bytes);
		if (bytes.length == 0 || !take_row(&file, &bytes, &status))
			break;
	}
	return status;
}
