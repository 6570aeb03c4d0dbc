#include <config.h>

#include "base/builder.h"
#include "indicator/feed_column.h"
#include "indicator/feed_file.h"
#include "indicator/json_split.h"

#define WALK_DEPTH_MAX 6

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])

/* JSON that is neither STIX nor MISP: objects whose scalar members are to us
 * what the columns of a CSV are, in lists, under keys or one a line; and lists
 * of bare values. */
struct json_file {
	struct feed_reader *reader;
	struct feed_row names, cells;
	struct feed_map map;
	bool mapped;         /* the map is that of the names at hand */
	bool known;          /* it holds a value column */
	const char *missing; /* a wanted member that no object has had so far */
	bool found;          /* some object or list held values */
	struct feed_row first_names; /* of the first object, for the error */
};

/* Members that speak of other things than what is published. */
static bool
is_aside(struct slice name)
{
	static const char *const words[] = { "reference", "references",
		"external-references", "ref", "refs", "link", "links", "meta",
		"metadata", "galaxy", "galaxies" };

	for (size_t i = 0; i < COUNT(words); i++)
		if (indicator_word_equals(name, words[i]))
			return true;
	return false;
}

/* A string's content, a list of scalars joined by commas, any other scalar as
 * it stands; empty for null and for objects. */
static struct slice
cell_of(struct arena *arena, struct slice text)
{
	struct slice string = json_string(arena, text);
	struct json_split split;
	struct json_value value;
	struct builder out;

	if (string.data != NULL)
		return string;
	if (json_is_object(text) || slice_equal_text(text, "null"))
		return slice_make("", 0);
	if (!json_is_array(text))
		return text;
	out = builder_make(arena, SIZE_MAX);
	split = json_split_begin(text);
	while (json_split_element(&split, &value)) {
		struct slice item = json_string(arena, value.text);

		if (item.data == NULL)
			continue;
		if (out.length > 0)
			builder_byte(&out, ',');
		builder_slice(&out, item);
	}
	return builder_result(&out);
}

/* Keeps the names of an object; true when they are those of the one before. */
static bool
same_names(struct json_file *file, const struct feed_row *names)
{
	bool same = file->mapped && names->count == file->names.count;

	for (size_t i = 0; same && i < names->count; i++)
		same = slice_equal(names->cells[i], file->names.cells[i]);
	if (same)
		return true;
	file->names.count = names->count;
	for (size_t i = 0; i < names->count; i++)
		file->names.cells[i] = names->cells[i];
	return false;
}

static void
map_names(struct json_file *file)
{
	struct feed_reader *reader = file->reader;
	const char *missing;

	file->mapped = true;
	if (reader->config->column_count == 0) {
		file->known = feed_map_of_names(&file->names, &file->map);
		return;
	}
	missing = feed_map_of_config(reader->config, &file->names, &file->map);
	file->known = false;
	for (size_t i = 0; i < file->map.count; i++)
		file->known = file->known ||
			      file->map.columns[i].role == FEED_COLUMN_VALUE;
	if (!file->known && missing != NULL)
		file->missing = missing;
}

/* Splits an object into names and cells; the first holds for the second. */
static bool
take_members(
    struct json_file *file, struct slice object, struct feed_row *names)
{
	struct json_split split = json_split_begin(object);
	struct json_value value;
	struct slice name;

	names->count = file->cells.count = 0;
	names->beyond = file->cells.beyond = 0;
	while (json_split_member(&split, &name, &value)) {
		feed_row_add(names, file->reader->limits, name);
		feed_row_add(&file->cells, file->reader->limits,
		    cell_of(file->reader->scratch, value.text));
	}
	return !split.broken;
}

/* Keeps the names of the first object that has no others inside, for the
 * error. */
static void
keep_first(struct json_file *file, const struct feed_row *names, unsigned depth)
{
	if (file->first_names.count > 0 || depth > 2)
		return;
	file->first_names.count = names->count;
	for (size_t i = 0; i < names->count; i++)
		file->first_names.cells[i] = names->cells[i];
}

/* Whether the object is one of values, whose members the map knows. */
static bool
is_row(struct json_file *file, const struct json_value *object)
{
	struct feed_row names = {
		.cells = arena_alloc_array(file->reader->scratch,
		    file->reader->limits->columns_max, sizeof *names.cells)
	};

	if (names.cells == NULL || !take_members(file, object->text, &names))
		return false;
	keep_first(file, &names, object->depth);
	if (!same_names(file, &names))
		map_names(file);
	if (!file->known)
		return false;
	for (size_t i = 0; i < file->map.count; i++) {
		const struct feed_column *column = &file->map.columns[i];

		if (column->role == FEED_COLUMN_VALUE &&
		    column->number < file->cells.count &&
		    file->cells.cells[column->number].length > 0)
			return true;
	}
	return false;
}

static void
read_string(struct json_file *file, struct slice text)
{
	struct feed_reader *reader = file->reader;
	struct slice value;
	struct feed_item item;

	arena_reset(reader->scratch);
	value = json_string(reader->scratch, text);
	file->found = true;
	if (value.data == NULL)
		feed_reader_reject(reader, FEED_BAD_OBJECT,
		    slice_range(text, 0, 80), "no text in a list of texts");
	else if (feed_reader_value(reader, value, NULL, &item))
		feed_reader_item(reader, &item);
}

static bool
is_too_much(struct feed_reader *reader, const struct json_value *value)
{
	bool large = value->text.length > reader->limits->object_bytes_max;

	if (!large && value->depth <= reader->limits->json_depth_max)
		return false;
	feed_reader_beyond(reader, large ? FEED_LIMIT_OBJECT : FEED_LIMIT_DEPTH,
	    FEED_BAD_OBJECT, slice_range(value->text, 0, 80),
	    large ? "the object is too large"
		  : "the object is nested too deeply");
	return true;
}

static void walk(struct json_file *file, const struct json_value *value,
    bool of_values, unsigned depth);

static void
walk_object(
    struct json_file *file, const struct json_value *value, unsigned depth)
{
	struct feed_reader *reader = file->reader;
	struct json_split split = json_split_begin(value->text);
	struct json_value inside;
	struct slice name;

	while (!reader->stopped && json_split_member(&split, &name, &inside)) {
		struct feed_column column;
		bool values = feed_column_of_name(name, &column) &&
			      column.role == FEED_COLUMN_VALUE;

		if ((json_is_object(inside.text) ||
			json_is_array(inside.text)) &&
		    !is_aside(name))
			walk(file, &inside, values, depth + 1);
	}
}

/* Goes down to the objects that hold values. `of_values`: texts in the list are
 * values, since it is the whole file or has such a name. */
static void
walk(struct json_file *file, const struct json_value *value, bool of_values,
    unsigned depth)
{
	struct feed_reader *reader = file->reader;
	struct json_split split = json_split_begin(value->text);
	struct json_value inside;

	if (depth > WALK_DEPTH_MAX)
		return;
	if (json_is_array(value->text)) {
		while (
		    !reader->stopped && json_split_element(&split, &inside)) {
			if (json_is_object(inside.text) ||
			    json_is_array(inside.text))
				walk(file, &inside, of_values, depth + 1);
			else if (of_values)
				read_string(file, inside.text);
			if (depth == 0)
				feed_file_passed(reader, split.rest);
		}
		if (split.broken)
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(split.rest, 0, 80),
			    "the file ends in the middle");
		return;
	}
	arena_reset(reader->scratch);
	/* Large ones are envelopes, not rows. */
	if (value->text.length <= reader->limits->object_bytes_max &&
	    is_row(file, value)) {
		if (is_too_much(reader, value))
			return;
		file->found = true;
		feed_row_read(reader, &file->cells, &file->map);
		return;
	}
	if (value->depth == 1)
		feed_reader_skip(reader, FEED_NOT_INDICATOR);
	else
		walk_object(file, value, depth);
}

static void
read_lines(struct json_file *file, struct slice bytes)
{
	struct json_value value;

	while (feed_reader_json_line(file->reader, &bytes, &value))
		walk(file, &value, true, 0);
}

static void
read_values(struct json_file *file, struct slice bytes)
{
	struct feed_reader *reader = file->reader;
	struct json_value value;

	while (!reader->stopped && (bytes = slice_trim(bytes)).length > 0) {
		bool whole = json_split_value(&bytes, &value);

		if (!whole) {
			value = (struct json_value){ .text = bytes };
			reader->report->cut_off = true;
		}
		walk(file, &value, true, 0);
		if (!whole)
			return;
		feed_file_passed(reader, bytes);
	}
}

static enum tc_status
settle(struct json_file *file)
{
	struct feed_report *report = file->reader->report;

	if (file->found)
		return TC_OK;
	if (file->missing != NULL)
		report->problem = feed_column_missing(file->reader->arena,
		    "member", &file->first_names, file->missing);
	else
		report->problem =
		    "is JSON, but neither STIX nor MISP, and none of its "
		    "members has a name for values; say which one has: "
		    "columns { value \"NAME\" }";
	return TC_INVALID;
}

enum tc_status
feed_json_read(struct feed_reader *reader, struct slice bytes)
{
	struct json_file file = { .reader = reader };

	if (!feed_row_make(reader, &file.names) ||
	    !feed_row_make(reader, &file.cells) ||
	    !feed_row_make(reader, &file.first_names) ||
	    !feed_map_make(reader, &file.map))
		return TC_SYSTEM;
	if (json_split_is_lines(bytes))
		read_lines(&file, bytes);
	else
		read_values(&file, bytes);
	return settle(&file);
}
