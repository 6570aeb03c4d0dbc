#include <config.h>

#include "base/builder.h"
#include "indicator/feed_reader.h"
#include "indicator/normal.h"
#include "indicator/overlay_lines.h"

static bool
parse_operation(struct slice word, enum overlay_operation *operation_out)
{
	if (slice_equal_text(word, "add"))
		*operation_out = OVERLAY_ADD;
	else if (slice_equal_text(word, "remove"))
		*operation_out = OVERLAY_REMOVE;
	else if (slice_equal_text(word, "mask"))
		*operation_out = OVERLAY_MASK;
	else
		return false;
	return true;
}

int64_t
overlay_lines_time(const cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(member))
		return feed_reader_time(slice_text(member->valuestring));
	if (!cJSON_IsNumber(member) || !(member->valuedouble > 0) ||
	    member->valuedouble > 1e12)
		return 0;
	return (int64_t)member->valuedouble;
}

/* Reads a line; false when it is not understood. The key is in `scratch`. */
static bool
read_line(struct arena *scratch, struct slice text, struct overlay_line *line,
    enum indicator_kind *kind_out, struct slice *key_out)
{
	struct slice rest = text;
	cJSON *object;
	bool good;

	object = json_split_value(&rest, &line->line)
		     ? json_parse(&line->line, OVERLAY_DEPTH_MAX)
		     : NULL;
	good =
	    object != NULL &&
	    parse_operation(json_text(NULL, object, "op"), &line->operation) &&
	    indicator_kind_parse(json_text(NULL, object, "kind"), kind_out) &&
	    normal_key(scratch, *kind_out, json_text(NULL, object, "value"),
		key_out) == NORMAL_GOOD;
	/* A key that is canonical already lies in the object. */
	if (good) {
		*key_out = arena_copy(scratch, *key_out);
		good = key_out->data != NULL;
	}
	line->added_unix = overlay_lines_time(object, "added");
	line->expires_unix = overlay_lines_time(object, "expires");
	cJSON_Delete(object);
	return good;
}

enum tc_status
overlay_lines_collect(struct arena *arena, struct arena *scratch,
    struct slice bytes, size_t line_bytes_max,
    const struct overlay_lines_other *other, struct table *table)
{
	struct slice text;
	bool cut;

	while (feed_reader_line(&bytes, &text, line_bytes_max, &cut)) {
		struct overlay_line line = { 0 }, *change;
		struct slice trimmed = slice_trim(text), key = { NULL, 0 };
		enum indicator_kind kind;
		struct builder name;

		if (trimmed.length == 0)
			continue;
		if (trimmed.data[0] == '#') {
			if (other->comment != NULL)
				other->comment(other->context, text);
			continue;
		}
		arena_reset(scratch);
		if (cut || !read_line(scratch, trimmed, &line, &kind, &key)) {
			if (cut)
				text = slice_trim(slice_make(text.data,
				    (size_t)(bytes.data - text.data)));
			other->bad(other->context, text);
			continue;
		}
		name = builder_make(arena, SIZE_MAX);
		builder_byte(&name, (char)kind);
		builder_slice(&name, key);
		change = arena_alloc(arena, sizeof *change);
		if (change == NULL || name.failed)
			return TC_LIMIT;
		*change = line;
		if (!table_put(table, builder_result(&name), change))
			return TC_LIMIT;
	}
	return TC_OK;
}
