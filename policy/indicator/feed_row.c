#include <config.h>

#include "base/builder.h"
#include "base/domain.h"
#include "indicator/feed_column.h"
#include "indicator/feed_type.h"
#include "indicator/normal.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------- what stands beside a value */

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
		if (indicator_word_equals(cell, "very-high"))
			item->severity = INDICATOR_SEVERITY_CRITICAL;
		else if (!indicator_severity_parse(cell, &item->severity) &&
			 indicator_word_equals(cell, "informational"))
			item->severity = INDICATOR_SEVERITY_LOW;
		break;
	case FEED_COLUMN_CONFIDENCE:
		read_confidence(cell, &item->confidence);
		break;
	case FEED_COLUMN_TAGS:
		item->tags = tags_of(arena, feed_reader_text(arena, cell));
		break;
	case FEED_COLUMN_DESCRIPTION:
		if (item->description.length == 0)
			item->description = feed_reader_text(arena, cell);
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
apply_columns(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct feed_item *item)
{
	for (size_t i = 0; i < map->count; i++)
		if (map->columns[i].number < row->count)
			apply_column(reader->scratch, map->columns[i].role,
			    row->cells[map->columns[i].number], item);
	if (item->last_seen_unix < item->first_seen_unix)
		item->last_seen_unix = item->first_seen_unix;
}

/* -------------------------------------------------------------------- values */

static void
give(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct feed_item *item)
{
	apply_columns(reader, row, map, item);
	feed_reader_item(reader, item);
}

/* Several values in one cell ("SHA1,SHA256,MD5"), each by its looks. */
static bool
read_parts(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct slice cell)
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

/* A pattern of another language than STIX, where a type of the row says so. */
static const char *
foreign_language(const struct feed_row *row, const struct feed_map *map)
{
	static const char *const languages[] = { "yara", "sigma", "snort",
		"suricata", "kql", "eql", "spl", "pcre", "tanium-signal" };

	for (size_t i = 0; i < map->count; i++)
		for (size_t k = 0; k < COUNT(languages); k++)
			if (map->columns[i].role == FEED_COLUMN_TYPE &&
			    map->columns[i].number < row->count &&
			    indicator_word_equals(
				row->cells[map->columns[i].number],
				languages[k]))
				return languages[k];
	return NULL;
}

static void
read_pattern(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct slice cell)
{
	struct feed_item item = feed_item_make(INDICATOR_PATTERN, cell);
	const char *language = foreign_language(row, map);

	if (language != NULL) {
		feed_reader_reject(
		    reader, FEED_UNSUPPORTED_PATTERN, cell, language);
		return;
	}
	apply_columns(reader, row, map, &item);
	feed_stix_pattern(reader, &item, cell);
}

/* A value whose type says nothing, or nothing that we know. What is a hash by
 * its looks may be one of anything: of a certificate, of a program's imports.
 */
static void
read_untyped(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct slice type, bool known,
    struct slice cell)
{
	struct feed_item item;
	enum indicator_kind kind;

	if (feed_reader_looks(reader, cell, &kind) &&
	    (known || indicator_digest_size(kind) == 0)) {
		if (feed_reader_value(reader, cell, NULL, &item))
			give(reader, row, map, &item);
		return;
	}
	if (known && read_parts(reader, row, map, cell))
		return;
	feed_reader_reject(reader, FEED_NOT_VISIBLE, cell,
	    known
		? NULL
		: arena_printf(reader->scratch, "of the unknown type \"%.*s\"",
		      (int)slice_range(type, 0, 40).length, type.data));
}

/* The value column of a row with a type beside it. */
static void
read_typed(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, struct slice type, struct slice cell)
{
	struct feed_item item, typed = feed_item_make(INDICATOR_DOMAIN, cell);
	enum feed_type_word word;
	enum feed_reason reason = feed_type_value(type, cell, &typed, &word);

	if (word != FEED_TYPE_KNOWN) {
		if (word == FEED_TYPE_UNKNOWN)
			feed_reader_unknown(reader, type);
		read_untyped(
		    reader, row, map, type, word == FEED_TYPE_LOOKS, cell);
	} else if (reason != FEED_USED) {
		feed_reader_reject(reader, reason, cell, NULL);
	} else if (typed.kind == INDICATOR_PATTERN) {
		read_pattern(reader, row, map, cell);
	} else if (feed_reader_value(reader, typed.value, &typed.kind, &item)) {
		item.roles = typed.roles;
		give(reader, row, map, &item);
	}
}

static struct slice
cell_of_role(const struct feed_row *row, const struct feed_map *map,
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
	    said == INDICATOR_PATTERN ||
	    normal_key(reader->scratch, said, plain, &key) == NORMAL_GOOD)
		return true;
	if (!normal_guess_kind(reader->scratch, plain, &kind))
		return false;
	*kind_out = kind;
	return true;
}

/* Cells that say that there is nothing, or only yes or no. */
static bool
is_no_value(struct slice cell)
{
	static const char *const words[] = { "n/a", "none", "null", "true",
		"false", "yes", "no" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (slice_equal_text_fold(cell, words[i]))
			return true;
	return cell.length == 0;
}

/* A row that brings a pattern says in it what other columns may repeat. */
static bool
read_row_pattern(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct feed_column *column = &map->columns[i];

		if (column->role != FEED_COLUMN_VALUE || !column->has_kind ||
		    column->kind != INDICATOR_PATTERN ||
		    column->number >= row->count ||
		    is_no_value(row->cells[column->number]))
			continue;
		read_pattern(reader, row, map, row->cells[column->number]);
		return true;
	}
	return false;
}

/* The host of the URL that the row holds; empty: none. */
static struct slice
host_of_row(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map)
{
	for (size_t i = 0; i < map->count; i++) {
		const struct feed_column *column = &map->columns[i];
		struct normal_url url;

		if (column->role == FEED_COLUMN_VALUE && column->has_kind &&
		    column->kind == INDICATOR_URL &&
		    column->number < row->count &&
		    normal_url(reader->scratch,
			normal_refang(
			    reader->scratch, row->cells[column->number], NULL),
			&url) == NORMAL_GOOD)
			return url.host;
	}
	return slice_make("", 0);
}

/* Beside a URL its host says where the page was. Taken as an indicator it
 * would hold all mail of a site on which somebody has put one page; operators
 * who mean that name the column. */
static bool
is_host_of_url(struct feed_reader *reader, struct slice cell,
    enum indicator_kind kind, struct slice host)
{
	struct slice key;

	return reader->config->column_count == 0 && host.length > 0 &&
	       kind == INDICATOR_DOMAIN &&
	       normal_key(reader->scratch, kind,
		   normal_refang(reader->scratch, cell, NULL),
		   &key) == NORMAL_GOOD &&
	       domain_is_under(host, key);
}

/* One value column. False when the cell holds nothing; *words_out is set when
 * it holds something that is no value. */
static bool
read_cell(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map, const struct feed_column *column,
    struct slice host, struct slice *words_out)
{
	struct slice type = cell_of_role(row, map, FEED_COLUMN_TYPE);
	enum indicator_kind kind;
	struct feed_item item;
	struct slice cell;

	if (column->role != FEED_COLUMN_VALUE || column->number >= row->count)
		return false;
	cell = row->cells[column->number];
	if (is_no_value(cell))
		return false;
	if (column->has_kind &&
	    !kind_of_cell(reader, cell, column->kind, &kind)) {
		*words_out = cell;
		return false;
	}
	if (column->has_kind && is_host_of_url(reader, cell, kind, host))
		feed_reader_reject(reader, FEED_NOT_INDICATOR, cell,
		    "the host of the row's URL; `columns` that name both use "
		    "both");
	else if (!column->has_kind && type.length > 0)
		read_typed(reader, row, map, type, cell);
	else if (feed_reader_value(
		     reader, cell, column->has_kind ? &kind : NULL, &item))
		give(reader, row, map, &item);
	return true;
}

static void
read_mapped(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map)
{
	struct slice words = { NULL, 0 }, host;
	bool value = false;

	if (read_row_pattern(reader, row, map))
		return;
	host = host_of_row(reader, row, map);
	for (size_t i = 0; i < map->count; i++)
		value = read_cell(
			    reader, row, map, &map->columns[i], host, &words) ||
			value;
	if (!value && words.data != NULL)
		feed_reader_reject(reader, FEED_BAD_VALUE, words,
		    "not what the column's name says");
	else if (!value)
		feed_reader_reject(reader, FEED_BAD_OBJECT, row->cells[0],
		    "the row has no value");
}

/* Without names every cell that looks like an indicator is one. */
static void
read_unmapped(struct feed_reader *reader, const struct feed_row *row)
{
	static const struct feed_map nothing = { NULL, 0 };
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

void
feed_row_read(struct feed_reader *reader, const struct feed_row *row,
    const struct feed_map *map)
{
	if (row->beyond > 0)
		reader->report->limits[FEED_LIMIT_COLUMNS]++;
	if (map != NULL)
		read_mapped(reader, row, map);
	else
		read_unmapped(reader, row);
}
