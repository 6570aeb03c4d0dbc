#include <config.h>

#include "base/builder.h"
#include "base/diag.h"
#include "indicator/feed_column.h"

#define NAMES_SHOWN    40u
#define PRESET_COLUMNS 9u

struct column_name {
	const char *name; /* lower case, '-' between words */
	enum feed_column_role role;
	int kind; /* -1: any */
};

/* Names of columns as publishers write them. */
static const struct column_name known_names[] = {
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
	{ "file-hash", FEED_COLUMN_VALUE, -1 },
	{ "file-hash-value", FEED_COLUMN_VALUE, -1 },
	{ "observable-value", FEED_COLUMN_VALUE, -1 },
	{ "artifact-value", FEED_COLUMN_VALUE, -1 },
	{ "data", FEED_COLUMN_VALUE, -1 },
	{ "network-ip", FEED_COLUMN_VALUE, INDICATOR_NETWORK },
	{ "network-source-ip", FEED_COLUMN_VALUE, INDICATOR_NETWORK },
	{ "network-destination-ip", FEED_COLUMN_VALUE, INDICATOR_NETWORK },
	{ "type", FEED_COLUMN_TYPE, -1 },
	{ "ioc-type", FEED_COLUMN_TYPE, -1 },
	{ "atom-type", FEED_COLUMN_TYPE, -1 },
	{ "entity-type", FEED_COLUMN_TYPE, -1 },
	{ "indicator-type", FEED_COLUMN_TYPE, -1 },
	{ "itype", FEED_COLUMN_TYPE, -1 },
	{ "data-type", FEED_COLUMN_TYPE, -1 },
	{ "observable-type", FEED_COLUMN_TYPE, -1 },
	{ "file-hash-type", FEED_COLUMN_TYPE, -1 },
	{ "pattern-type", FEED_COLUMN_TYPE, -1 },
	{ "id", FEED_COLUMN_ID, -1 },
	{ "indicator-id", FEED_COLUMN_ID, -1 },
	{ "phish-id", FEED_COLUMN_ID, -1 },
	{ "sblid", FEED_COLUMN_ID, -1 },
	{ "ioc-id", FEED_COLUMN_ID, -1 },
	{ "uuid", FEED_COLUMN_ID, -1 },
	{ "date", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "date-added", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "detected-date", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "first-seen", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "first-seen-utc", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "date-first", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "insert-date", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "valid-from", FEED_COLUMN_FIRST_SEEN, -1 },
	{ "last-online", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-seen", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-seen-utc", FEED_COLUMN_LAST_SEEN, -1 },
	{ "last-updated", FEED_COLUMN_LAST_SEEN, -1 },
	{ "date-last", FEED_COLUMN_LAST_SEEN, -1 },
	{ "valid-until", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "valid-to", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expires", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration-date", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration-date-time", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration-time", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration-ts", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "expiration", FEED_COLUMN_VALID_UNTIL, -1 },
	{ "severity", FEED_COLUMN_SEVERITY, -1 },
	{ "confidence", FEED_COLUMN_CONFIDENCE, -1 },
	{ "confidence-level", FEED_COLUMN_CONFIDENCE, -1 },
	{ "malicious-confidence", FEED_COLUMN_CONFIDENCE, -1 },
	{ "x-opencti-score", FEED_COLUMN_CONFIDENCE, -1 },
	{ "tags", FEED_COLUMN_TAGS, -1 },
	{ "tag", FEED_COLUMN_TAGS, -1 },
	{ "labels", FEED_COLUMN_TAGS, -1 },
	{ "subcategories", FEED_COLUMN_TAGS, -1 },
	{ "description", FEED_COLUMN_DESCRIPTION, -1 },
	{ "comment", FEED_COLUMN_DESCRIPTION, -1 },
	{ "message", FEED_COLUMN_DESCRIPTION, -1 },
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

struct column_preset {
	enum feed_format format;
	struct {
		unsigned number; /* from 1; 0 ends the table */
		const char *word;
	} columns[PRESET_COLUMNS];
};

/* The columns of well-known files, for those that come without a header. */
static const struct column_preset presets[] = {
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

bool
feed_row_make(struct feed_reader *reader, struct feed_row *row_out)
{
	*row_out = (struct feed_row){ .cells = arena_alloc_array(reader->arena,
					  reader->limits->columns_max,
					  sizeof *row_out->cells) };
	return row_out->cells != NULL;
}

bool
feed_map_make(struct feed_reader *reader, struct feed_map *map_out)
{
	size_t room = reader->limits->columns_max +
		      reader->config->column_count + PRESET_COLUMNS;

	*map_out =
	    (struct feed_map){ .columns = arena_alloc_array(reader->arena, room,
				   sizeof *map_out->columns) };
	return map_out->columns != NULL;
}

void
feed_row_add(
    struct feed_row *row, const struct feed_limits *limits, struct slice cell)
{
	if (row->count < limits->columns_max)
		row->cells[row->count++] = cell;
	else
		row->beyond++;
}

/* What a column of that name holds, by our table or as the name of a kind. */
bool
feed_column_of_name(struct slice cell, struct feed_column *column)
{
	enum indicator_kind kind;

	for (size_t i = 0; i < COUNT(known_names); i++) {
		if (!indicator_word_equals(cell, known_names[i].name))
			continue;
		column->role = known_names[i].role;
		column->has_kind = known_names[i].kind >= 0;
		if (column->has_kind)
			column->kind = (enum indicator_kind)known_names[i].kind;
		return true;
	}
	/* "name" and "mail" say who, not what. */
	if (indicator_word_equals(cell, "name") ||
	    indicator_word_equals(cell, "file-name") ||
	    !indicator_kind_parse(cell, &kind))
		return false;
	column->role = FEED_COLUMN_VALUE;
	column->has_kind = true;
	column->kind = kind;
	return true;
}

bool
feed_map_of_names(const struct feed_row *names, struct feed_map *map)
{
	bool value = false;

	map->count = 0;
	for (size_t i = 0; i < names->count; i++) {
		struct feed_column column = { 0 };

		if (!feed_column_of_name(names->cells[i], &column))
			continue;
		value = value || column.role == FEED_COLUMN_VALUE;
		column.number = (unsigned)i;
		map->columns[map->count++] = column;
	}
	return value;
}

void
feed_map_of_preset(enum feed_format format, struct feed_map *map)
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

const char *
feed_map_of_config(const struct feed_config *config,
    const struct feed_row *names, struct feed_map *map)
{
	const char *missing = NULL;

	map->count = 0;
	for (size_t i = 0; i < config->column_count; i++) {
		struct feed_column column = config->columns[i];
		size_t at = column.number - 1;

		if (column.name != NULL) {
			for (at = 0; at < names->count; at++)
				if (slice_equal_text_fold(
					names->cells[at], column.name))
					break;
			if (at == names->count) {
				if (missing == NULL)
					missing = column.name;
				continue;
			}
		}
		column.number = (unsigned)at;
		map->columns[map->count++] = column;
	}
	return missing;
}

const char *
feed_column_missing(struct arena *arena, const char *what,
    const struct feed_row *names, const char *wanted)
{
	struct builder text = builder_make(arena, 2048);
	const char *shown[NAMES_SHOWN], *near, *done;
	size_t count = 0;

	builder_printf(&text, "has no %s named \"%s\"", what, wanted);
	for (size_t i = 0; i < names->count && count < NAMES_SHOWN; i++) {
		shown[count] =
		    arena_text(arena, slice_range(names->cells[i], 0, 60));
		if (shown[count] == NULL)
			continue;
		if (text.length < 600) {
			builder_text(&text, count == 0 ? "; it has " : ", ");
			builder_printable(&text, slice_text(shown[count]), 60);
		}
		count++;
	}
	near = diag_suggest(slice_text(wanted), shown, count);
	if (near != NULL) {
		builder_text(&text, "; did you mean \"");
		builder_printable(&text, slice_text(near), 60);
		builder_text(&text, "\"?");
	}
	done = builder_c_string(&text);
	return done == NULL ? "has no column of a name that is wanted" : done;
}
