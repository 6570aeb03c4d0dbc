#include <config.h>

#include "base/builder.h"
#include "indicator/feed_reader.h"
#include "indicator/normal.h"

#define CELLS_MAX   64
#define SAMPLE_ROWS 20

struct csv_row {
	struct slice cells[CELLS_MAX];
	size_t count;
};

/* What the columns of a file hold; numbers are from 0. */
struct csv_map {
	struct feed_column columns[CELLS_MAX];
	size_t count;
};

struct csv_name {
	const char *name; /* lower case, '-' for blanks and '_' */
	enum feed_column_role role;
	int kind; /* -1: any */
};

/* Names of columns as publishers write them. */
static const struct csv_name names[] = {
	{ "value", FEED_COLUMN_VALUE, -1 },
	{ "indicator", FEED_COLUMN_VALUE, -1 },
	{ "indicators", FEED_COLUMN_VALUE, -1 },
	{ "indicator-value", FEED_COLUMN_VALUE, -1 },
	{ "ioc", FEED_COLUMN_VALUE, -1 },
	{ "ioc-value", FEED_COLUMN_VALUE, -1 },
	{ "iocs", FEED_COLUMN_VALUE, -1 },
	{ "atom-value", FEED_COLUMN_VALUE, -1 },
	{ "observable", FEED_COLUMN_VALUE, -1 },
	{ "artifact", FEED_COLUMN_VALUE, -1 },
	{ "address", FEED_COLUMN_VALUE, -1 },
	{ "hash", FEED_COLUMN_VALUE, -1 },
	{ "dst-ip", FEED_COLUMN_VALUE, INDICATOR_NETWORK },
	{ "src-ip", FEED_COLUMN_VALUE, INDICATOR_NETWORK },
	{ "type", FEED_COLUMN_TYPE, -1 },
	{ "ioc-type", FEED_COLUMN_TYPE, -1 },
	{ "atom-type", FEED_COLUMN_TYPE, -1 },
	{ "entity-type", FEED_COLUMN_TYPE, -1 },
	{ "indicator-type", FEED_COLUMN_TYPE, -1 },
	{ "id", FEED_COLUMN_ID, -1 },
	{ "ioc-id", FEED_COLUMN_ID, -1 },
	{ "uuid", FEED_COLUMN_ID, -1 },
	{ "date", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "dateadded", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "date-added", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "detected-date", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "first-seen", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "first-seen-utc", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "firstseen", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "valid-from", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "last-online", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-seen", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-seen-utc", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-updated", FEED_COLUMN_LAST_SEEN, -1 },
	{ "lastseen", FEED_COLUMN_LAST_SEEN, -1 },
	{ "valid-until", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expires", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "severity", FEED_COLUMN_SEVERITY, -1 },
	{ "confidence", FEED_COLUMN_CONFIDENCE, -1 },
	{ "confidence-level", FEED_COLUMN_CONFIDENCE, -1 },
	{ "tags", FEED_COLUMN_TAGS, -1 },
	{ "tag", FEED_COLUMN_TAGS, -1 },
	{ "subcategories", FEED_COLUMN_TAGS, -1 },
	{ "description", FEED_COLUMN_DESCRIPTION, -1 },
	{ "comment", FEED_COLUMN_DESCRIPTION, -1 },
	{ "note", FEED_COLUMN_DESCRIPTION, -1 },
	{ "notes", FEED_COLUMN_DESCRIPTION, -1 },
	{ "threat", FEED_COLUMN_DESCRIPTION, -1 },
	{ "classification", FEED_COLUMN_DESCRIPTION, -1 },
	{ "malware", FEED_COLUMN_DESCRIPTION, -1 },
	{ "malware-printable", FEED_COLUMN_DESCRIPTION, -1 },
	{ "signature", FEED_COLUMN_DESCRIPTION, -1 },
	{ "app", FEED_COLUMN_DESCRIPTION, -1 },
	{ "tlp", FEED_COLUMN_TLP, -1 },
	{ "to-ids", FEED_COLUMN_TO_IDS, -1 },
};

struct csv_preset {
	enum feed_format format;
	struct {
		unsigned number; /* from 1; 0 ends the table */
		const char *word;
	} columns[9];
};

/* The columns of well-known files, for those that come without a header. */
static const struct csv_preset presets[] = {
	{ FEED_FORMAT_URLHAUS,
	    { { 1, "id" }, { 2, "first-seen" }, { 3, "url" },
		{ 5, "last-seen" }, { 6, "description" }, { 7, "tags" } } },
	{ FEED_FORMAT_THREATFOX,
	    { { 1, "first-seen" }, { 2, "id" }, { 3, "value" }, { 4, "type" },
		{ 8, "description" }, { 9, "last-seen" }, { 10, "confidence" },
		{ 12, "tags" } } },
	{ FEED_FORMAT_FEODO, { { 1, "first-seen" }, { 2, "network" },
				 { 5, "last-seen" }, { 6, "description" } } },
	{ FEED_FORMAT_BAZAAR,
	    { { 1, "first-seen" }, { 2, "sha256" }, { 3, "md5" }, { 4, "sha1" },
		{ 9, "description" } } },
	{ FEED_FORMAT_MISP_CSV,
	    { { 1, "id" }, { 4, "type" }, { 5, "value" }, { 6, "description" },
		{ 7, "to-ids" }, { 8, "first-seen" } } },
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

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
    struct csv_row *row)
{
	row->count = 0;
	while (rest->length > 0) {
		struct slice cell = take_cell(reader->scratch, rest, delimiter,
		    reader->limits->line_bytes_max);

		if (row->count < CELLS_MAX)
			row->cells[row->count++] = cell;
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
row_is_blank(const struct csv_row *row)
{
	for (size_t i = 0; i < row->count; i++)
		if (row->cells[i].length > 0)
			return false;
	return true;
}

/* ------------------------------------------------------------------- columns */

static bool
name_equals(struct slice cell, const char *name)
{
	size_t length = strlen(name);

	if (cell.length != length)
		return false;
	for (size_t i = 0; i < length; i++) {
		char c = ascii_lower(cell.data[i]);

		if (c == ' ' || c == '_')
			c = '-';
		if (c != name[i])
			return false;
	}
	return true;
}

/* What a column of that name holds, by our table or as the name of a kind. */
static bool
column_of_name(struct slice cell, struct feed_column *column)
{
	enum indicator_kind kind;

	for (size_t i = 0; i < COUNT(names); i++) {
		if (!name_equals(cell, names[i].name))
			continue;
		column->role = names[i].role;
		column->has_kind = names[i].kind >= 0;
		if (column->has_kind)
			column->kind = (enum indicator_kind)names[i].kind;
		return true;
	}
	/* "name" and "mail" say who, not what. */
	if (name_equals(cell, "name") || name_equals(cell, "file-name") ||
	    !indicator_kind_parse(cell, &kind))
		return false;
	column->role = FEED_COLUMN_VALUE;
	column->has_kind = true;
	column->kind = kind;
	return true;
}

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
			if (!column_of_name(cell, &column))
				continue;
			known++;
			value = value || column.role == FEED_COLUMN_VALUE;
		}
		if (cells > 1 && value && known * 2 >= cells)
			return true;
	}
	return false;
}

/* A row is a header when none of its cells is a value and some names are
 * known. Fills the map in that case. */
static bool
map_of_header(
    struct arena *arena, const struct csv_row *row, struct csv_map *map)
{
	bool known = false;
	enum indicator_kind kind;

	map->count = 0;
	for (size_t i = 0; i < row->count; i++) {
		struct feed_column column = { 0 };

		if (normal_guess_kind(arena, row->cells[i], &kind))
			return false;
		if (!column_of_name(row->cells[i], &column))
			continue;
		known = known || column.role == FEED_COLUMN_VALUE;
		column.number = (unsigned)i;
		map->columns[map->count++] = column;
	}
	return known;
}

static void
map_of_preset(enum feed_format format, struct csv_map *map)
{
	map->count = 0;
	for (size_t i = 0; i < COUNT(presets); i++) {
		if (presets[i].format != format)
			continue;
		for (size_t k = 0; k < COUNT(presets[i].columns) &&
				   presets[i].columns[k].number != 0;
		     k++) {
			struct feed_column *column = &map->columns[map->count];

			*column = (struct feed_column){ 0 };
			if (!feed_column_parse(
				slice_text(presets[i].columns[k].word), column))
				continue;
			column->number = presets[i].columns[k].number - 1;
			map->count++;
		}
	}
}

/* Says that a column is not there, and which ones are. */
static const char *
no_column(struct arena *arena, const struct csv_row *header, const char *name)
{
	struct builder text = builder_make(arena, 1024);
	const char *done;

	builder_printf(&text, "has no column named \"%s\"", name);
	for (size_t i = 0; i < header->count && text.length < 300; i++) {
		builder_text(&text, i == 0 ? "; it has " : ", ");
		builder_printable(&text, header->cells[i], 60);
	}
	done = builder_c_string(&text);
	return done == NULL ? "has no column of a name that is wanted" : done;
}

/* The operator's columns; names are looked up in `header` (may be empty).
 * False with report->problem when a name is not there. */
static bool
map_of_config(struct feed_reader *reader, const struct csv_row *header,
    struct csv_map *map)
{
	const struct feed_config *config = reader->config;

	map->count = 0;
	for (size_t i = 0; i < config->column_count && i < CELLS_MAX; i++) {
		struct feed_column column = config->columns[i];
		size_t at = column.number - 1;

		if (column.name != NULL) {
			for (at = 0; at < header->count; at++)
				if (slice_equal_text_fold(
					header->cells[at], column.name))
					break;
			if (at == header->count) {
				reader->report->problem = no_column(
				    reader->arena, header, column.name);
				return false;
			}
		}
		column.number = (unsigned)at;
		map->columns[map->count++] = column;
	}
	return true;
}

static bool
wants_header(const struct feed_config *config)
{
	for (size_t i = 0; i < config->column_count; i++)
		if (config->columns[i].name != NULL)
			return true;
	return false;
}

/* --------------------------------------------------------------------- items */

static struct slice
tags_of(struct arena *arena, struct slice cell)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	/* "a,b", "a|b", "['a', 'b']" */
	while (cell.length > 0) {
		struct slice tag;
		size_t end = 0;

		while (end < cell.length && cell.data[end] != ',' &&
		       cell.data[end] != '|' && cell.data[end] != ';')
			end++;
		tag = slice_range(cell, 0, end);
		cell = slice_skip(cell, end + 1);
		while (tag.length > 0 && strchr(" \t[]'\"", tag.data[0]) &&
		       tag.data[0] != '\0')
			tag = slice_skip(tag, 1);
		while (tag.length > 0 &&
		       strchr(" \t[]'\"", tag.data[tag.length - 1]) &&
		       tag.data[tag.length - 1] != '\0')
			tag.length--;
		if (tag.length == 0 || slice_equal_text_fold(tag, "none"))
			continue;
		if (out.length > 0)
			builder_byte(&out, '\n');
		builder_slice(&out, tag);
	}
	return builder_result(&out);
}

/* "80", "80 %", "75,5", "0.8", "high"; what is none of these is left alone.
 * The words are those of STIX 2.1, appendix A. */
static void
read_confidence(struct slice cell, uint8_t *confidence)
{
	static const struct {
		const char *word;
		uint8_t confidence;
	} words[] = { { "low", 15 }, { "medium", 50 }, { "high", 85 } };
	size_t mark = 0;
	unsigned long whole, tenth = 0;

	for (size_t i = 0; i < COUNT(words); i++)
		if (slice_equal_text_fold(cell, words[i].word))
			*confidence = words[i].confidence;
	if (cell.length > 0 && cell.data[cell.length - 1] == '%')
		cell = slice_trim(slice_range(cell, 0, cell.length - 1));
	while (mark < cell.length && cell.data[mark] != '.' &&
	       cell.data[mark] != ',')
		mark++;
	if (!slice_parse_number(slice_range(cell, 0, mark), 100, &whole))
		return;
	if (mark < cell.length &&
	    !slice_parse_number(
		slice_range(cell, mark + 1, mark + 2), 9, &tenth))
		return;
	/* A fraction of one: 0.8, 1.0. */
	if (mark < cell.length && whole <= 1)
		whole = whole * 100 + (whole == 0 ? tenth * 10 : 0);
	*confidence = (uint8_t)whole;
}

/* Puts what a cell beside the value says into the item. */
static void
apply_column(struct arena *arena, enum feed_column_role role, struct slice cell,
    struct feed_item *item)
{
	switch (role) {
	case FEED_COLUMN_ID:
		item->id = cell;
		break;
	case FEED_COLUMN_FIRST_SEEN:
		item->first_seen_unix = feed_reader_time(cell);
		break;
	case FEED_COLUMN_LAST_SEEN:
		item->last_seen_unix = feed_reader_time(cell);
		break;
	case FEED_COLUMN_VALID_UNTIL:
		item->valid_until_unix = feed_reader_time(cell);
		break;
	case FEED_COLUMN_SEVERITY:
		indicator_severity_parse(cell, &item->severity);
		break;
	case FEED_COLUMN_CONFIDENCE:
		read_confidence(cell, &item->confidence);
		break;
	case FEED_COLUMN_TAGS:
		item->tags = tags_of(arena, cell);
		break;
	case FEED_COLUMN_DESCRIPTION:
		if (item->description.length == 0)
			item->description = cell;
		break;
	case FEED_COLUMN_TLP:
		indicator_tlp_parse(cell, &item->tlp);
		break;
	case FEED_COLUMN_TO_IDS:
		item->to_ids = !slice_equal_text(cell, "0") &&
			       !slice_equal_text_fold(cell, "false") &&
			       !slice_equal_text_fold(cell, "no");
		break;
	case FEED_COLUMN_VALUE:
	case FEED_COLUMN_TYPE:
	case FEED_COLUMN_ROLES:
		break;
	}
}

static void
apply_columns(struct feed_reader *reader, const struct csv_row *row,
    const struct csv_map *map, struct feed_item *item)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->columns[i].number < row->count)
			apply_column(reader->scratch, map->columns[i].role,
			    row->cells[map->columns[i].number], item);
	if (item->last_seen_unix < item->first_seen_unix)
		item->last_seen_unix = item->first_seen_unix;
}

static void
give(struct feed_reader *reader, const struct csv_row *row,
    const struct csv_map *map, struct feed_item *item)
{
	apply_columns(reader, row, map, item);
	feed_reader_item(reader, item);
}

/* Several values in one cell ("SHA1,SHA256,MD5"), each by its looks. */
static bool
read_parts(struct feed_reader *reader, const struct csv_row *row,
    const struct csv_map *map, struct slice cell)
{
	bool found = false;

	while (cell.length > 0) {
		struct slice part;
		struct feed_item item;
		enum indicator_kind kind;

		cell = slice_split(cell, ',', &part);
		part = slice_trim(part);
		if (!normal_guess_kind(reader->scratch, part, &kind) ||
		    !feed_reader_value(reader, part, &kind, &item))
			continue;
		give(reader, row, map, &item);
		found = true;
	}
	return found;
}

/* The value column of a row with a type beside it. */
static void
read_typed(struct feed_reader *reader, const struct csv_row *row,
    const struct csv_map *map, struct slice type, struct slice cell)
{
	struct feed_item item, typed;
	enum indicator_kind kind;
	enum feed_reason reason;
	bool known;

	typed = feed_item_make(INDICATOR_DOMAIN, cell);
	reason = feed_misp_value(type, cell, &typed, &known);
	if (reason == FEED_USED) {
		if (!feed_reader_value(reader, typed.value, &typed.kind, &item))
			return;
		item.roles = typed.roles;
		give(reader, row, map, &item);
	} else if (known) {
		feed_reader_reject(reader, reason, cell, NULL);
	} else if (normal_guess_kind(reader->scratch, cell, &kind)) {
		if (feed_reader_value(reader, cell, NULL, &item))
			give(reader, row, map, &item);
	} else if (!read_parts(reader, row, map, cell)) {
		feed_reader_reject(reader, FEED_NOT_VISIBLE, cell, NULL);
	}
}

static struct slice
cell_of_role(const struct csv_row *row, const struct csv_map *map,
    enum feed_column_role role)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->columns[i].role == role &&
		    map->columns[i].number < row->count)
			return row->cells[map->columns[i].number];
	return slice_make("", 0);
}

/* A column whose name says what it holds, and a cell that holds something
 * else: another kind of value, or words ("IOC FOUND") that are none. What the
 * operator has said of a column is taken at its word. */
static bool
kind_of_cell(struct feed_reader *reader, struct slice cell,
    enum indicator_kind said, enum indicator_kind *kind_out)
{
	struct slice plain = normal_refang(reader->scratch, cell, NULL), key;
	enum indicator_kind kind;

	*kind_out = said;
	if (reader->config->column_count > 0 || said == INDICATOR_NETWORK ||
	    normal_key(reader->scratch, said, plain, &key) == NORMAL_GOOD)
		return true;
	if (!normal_guess_kind(reader->scratch, plain, &kind))
		return false;
	*kind_out = kind;
	return true;
}

static void
read_mapped(struct feed_reader *reader, const struct csv_row *row,
    const struct csv_map *map)
{
	struct slice type = cell_of_role(row, map, FEED_COLUMN_TYPE);
	struct slice words = { NULL, 0 };
	bool value = false;

	for (size_t i = 0; i < map->count; i++) {
		const struct feed_column *column = &map->columns[i];
		enum indicator_kind kind;
		struct feed_item item;
		struct slice cell;

		if (column->role != FEED_COLUMN_VALUE ||
		    column->number >= row->count)
			continue;
		cell = row->cells[column->number];
		if (cell.length == 0 || slice_equal_text_fold(cell, "n/a"))
			continue;
		if (column->has_kind &&
		    !kind_of_cell(reader, cell, column->kind, &kind)) {
			words = cell;
			continue;
		}
		value = true;
		if (!column->has_kind && type.length > 0)
			read_typed(reader, row, map, type, cell);
		else if (feed_reader_value(reader, cell,
			     column->has_kind ? &kind : NULL, &item))
			give(reader, row, map, &item);
	}
	if (!value && words.data != NULL)
		feed_reader_reject(reader, FEED_BAD_VALUE, words,
		    "not what the column's name says");
	else if (!value)
		feed_reader_reject(reader, FEED_BAD_OBJECT, row->cells[0],
		    "the row has no value");
}

/* Without names every cell that looks like an indicator is one. */
static void
read_unmapped(struct feed_reader *reader, const struct csv_row *row)
{
	static const struct csv_map nothing;
	bool found = false;

	for (size_t i = 0; i < row->count; i++) {
		struct slice plain = row->cells[i];
		enum indicator_kind kind;
		struct feed_item item;

		plain = normal_refang(reader->scratch, plain, NULL);
		if (!normal_guess_kind(reader->scratch, plain, &kind))
			continue;
		found = true;
		if (feed_reader_value(reader, row->cells[i], NULL, &item))
			give(reader, row, &nothing, &item);
	}
	if (!found)
		feed_reader_reject(reader, FEED_NOT_INDICATOR, row->cells[0],
		    "no cell of the row looks like an indicator");
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
	struct csv_map map;
	char delimiter;
	bool begun;  /* the first row has been seen */
	bool mapped; /* the map holds */
};

/* A comment before the first row may be the header (URLhaus). */
static void
read_comment(struct csv_file *file, struct slice line)
{
	struct csv_row row;
	struct csv_map map;
	struct slice rest;

	while (line.length > 0 &&
	       (line.data[0] == '#' ||
		   line.data[0] == file->reader->config->comment))
		line = slice_skip(line, 1);
	rest = slice_trim(line);
	if (file->begun || file->reader->config->column_count > 0 ||
	    !next_row(file->reader, &rest, file->delimiter, &row) ||
	    row.count < 2)
		return;
	if (map_of_header(file->reader->scratch, &row, &map)) {
		file->map = map;
		file->mapped = true;
	}
}

/* Decides by the first row how the file is to be read. *consumed_out: the row
 * was the header. */
static bool
begin(struct csv_file *file, const struct csv_row *row, bool *consumed_out)
{
	const struct feed_config *config = file->reader->config;
	struct csv_map by_header;

	file->begun = true;
	*consumed_out = wants_header(config);
	if (config->column_count > 0) {
		file->mapped = true;
		return map_of_config(file->reader, row, &file->map);
	}
	if (map_of_header(file->reader->scratch, row, &by_header)) {
		file->map = by_header;
		file->mapped = true;
		*consumed_out = true;
		return true;
	}
	if (!file->mapped && row->count > 1) {
		map_of_preset(config->format, &file->map);
		file->mapped = file->map.count > 0;
	}
	return true;
}

static bool
read_row(struct csv_file *file, const struct csv_row *row)
{
	if (!file->begun) {
		bool consumed;

		if (!begin(file, row, &consumed))
			return false;
		if (consumed) {
			feed_reader_skip(file->reader, FEED_NOT_INDICATOR);
			return true;
		}
	}
	if (file->mapped)
		read_mapped(file->reader, row, &file->map);
	else
		read_unmapped(file->reader, row);
	return true;
}

enum tc_status
feed_csv_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format)
{
	struct csv_file file = { .reader = reader,
		.delimiter = reader->config->delimiter };
	struct csv_row row;

	(void)format;
	if (file.delimiter == 0)
		file.delimiter = find_delimiter(reader->config, bytes);
	while (!reader->stopped) {
		arena_reset(reader->scratch);
		feed_file_more(reader, &bytes);
		if (bytes.length == 0)
			break;
		if (is_comment(reader->config, bytes)) {
			struct slice line;
			bool cut;

			feed_reader_line(&bytes, &line,
			    reader->limits->line_bytes_max, &cut);
			read_comment(&file, line);
			continue;
		}
		if (!next_row(reader, &bytes, file.delimiter, &row))
			break;
		if (!row_is_blank(&row) && !read_row(&file, &row))
			return TC_INVALID;
	}
	return TC_OK;
}
