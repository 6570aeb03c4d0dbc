#include <config.h>

#include <cjson/cJSON.h>

#include "base/builder.h"
#include "indicator/feed_reader.h"
#include "indicator/json_split.h"
#include "indicator/stix_marking.h"
#include "indicator/stix_program.h"

#define WALK_DEPTH_MAX 8
#define TAGS_BYTES_MAX 4096
#define ATOM_BYTES_MAX 8192
#define MARKINGS_STEP  (1u << 20)

static void
add_tags(struct builder *out, const cJSON *object, const char *name,
    enum indicator_tlp *tlp)
{
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(object, name);
	const cJSON *tag;

	cJSON_ArrayForEach(tag, list)
	{
		if (!cJSON_IsString(tag))
			continue;
		if (*tlp == INDICATOR_TLP_ABSENT)
			indicator_tlp_parse(slice_text(tag->valuestring), tlp);
		if (out->length > 0)
			builder_byte(out, '\n');
		builder_text(out, tag->valuestring);
	}
}

/* Name and description in one, the shorter where they repeat. */
static struct slice
description_of(struct arena *arena, const cJSON *object)
{
	struct slice name = json_text(NULL, object, "name");
	struct slice text = json_text(NULL, object, "description");

	if (name.length == 0 || slice_starts_with(text, name))
		return text;
	if (text.length == 0)
		return name;
	return slice_text(arena_printf(arena, "%.*s: %.*s", (int)name.length,
	    name.data, (int)slice_range(text, 0, 4096).length, text.data));
}

/* All that holds for the indicator as a whole. */
static struct feed_item
item_of(const struct feed_reader *reader, const cJSON *object)
{
	struct arena *arena = reader->scratch;
	const cJSON *confidence =
	    cJSON_GetObjectItemCaseSensitive(object, "confidence");
	struct builder tags = builder_make(arena, TAGS_BYTES_MAX);
	struct feed_item item =
	    feed_item_make(INDICATOR_PATTERN, slice_make("", 0));

	item.id = json_text(NULL, object, "id");
	item.tlp = stix_marking_tlp(reader->markings, object);
	add_tags(&tags, object, "labels", &item.tlp);
	add_tags(&tags, object, "indicator_types", &item.tlp);
	item.tags = builder_result(&tags);
	item.description = description_of(arena, object);
	if (cJSON_IsNumber(confidence) && confidence->valuedouble >= 0 &&
	    confidence->valuedouble <= 100)
		item.confidence = (uint8_t)confidence->valuedouble;
	item.first_seen_unix =
	    feed_reader_time(json_text(NULL, object, "valid_from"));
	item.not_before = item.first_seen_unix > 0;
	item.valid_until_unix =
	    feed_reader_time(json_text(NULL, object, "valid_until"));
	item.modified_unix = feed_reader_moment(
	    json_text(NULL, object, "modified"), &item.modified_ns);
	if (item.modified_unix == 0)
		item.modified_unix = feed_reader_moment(
		    json_text(NULL, object, "created"), &item.modified_ns);
	item.ordered = true;
	item.revoked =
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "revoked"));
	return item;
}

static void
give_plain(struct feed_reader *reader, struct feed_item *item,
    const struct stix_compiled *compiled)
{
	for (size_t i = 0; i < compiled->atoms.count; i++) {
		const struct stix_atom *atom = &compiled->atoms.items[i];

		item->kind = atom->kind;
		item->roles = atom->roles;
		item->value = atom->value;
		item->shared = i > 0;
		feed_reader_item(reader, item);
	}
}

/* One that cannot be used. Of what is revoked only the id counts. */
static void
refuse(struct feed_reader *reader, struct feed_item *item,
    enum feed_reason reason, struct slice what, const char *detail)
{
	if (item->revoked)
		feed_reader_item(reader, item);
	else
		feed_reader_reject_version(reader, item, reason, what, detail);
}

/* The same of a pattern that a limit stops. */
static void
refuse_beyond(struct feed_reader *reader, struct feed_item *item,
    enum feed_limit limit, const char *detail)
{
	if (!item->revoked)
		reader->report->limits[limit]++;
	refuse(reader, item, FEED_BAD_PATTERN, item->id, detail);
}

/* A compound under each of its keys, or among those that have none. */
static void
give_compound(struct feed_reader *reader, struct feed_item *item,
    const struct stix_compiled *compiled, struct slice pattern)
{
	bool given = false;

	if (compiled->unkeyed) {
		item->value = pattern;
		item->program = compiled->program;
		item->kind = INDICATOR_PATTERN;
		feed_reader_item(reader, item);
		return;
	}
	for (size_t i = 0; i < compiled->atoms.count; i++) {
		const struct stix_atom *atom = &compiled->atoms.items[i];

		if (atom->value.length > ATOM_BYTES_MAX)
			continue;
		item->value = pattern;
		item->program = compiled->program;
		item->kind = atom->kind;
		item->roles = atom->roles;
		item->atom = atom->value;
		item->shared = given;
		given = true;
		feed_reader_item(reader, item);
	}
	if (!given)
		refuse(reader, item, FEED_BAD_PATTERN, item->id,
		    "the values of the pattern are too long");
}

void
feed_stix_pattern(
    struct feed_reader *reader, struct feed_item *item, struct slice text)
{
	struct arena *arena = reader->scratch;
	struct stix_pattern pattern;
	struct stix_compiled compiled;
	enum tc_status status;

	if (text.length > reader->limits->pattern_bytes_max) {
		refuse_beyond(reader, item, FEED_LIMIT_PATTERN,
		    "the pattern is too long");
		return;
	}
	status = stix_pattern_parse(
	    arena, text, reader->limits->pattern_atoms_max, &pattern);
	if (status == TC_OK)
		status = stix_program_compile(arena, &pattern, &compiled);
	if (status == TC_LIMIT) {
		refuse_beyond(reader, item, FEED_LIMIT_PATTERN_TERMS,
		    "the pattern is too large");
		return;
	}
	if (status != TC_OK) {
		refuse(reader, item, FEED_BAD_PATTERN, text,
		    pattern.problem == NULL
			? "the pattern is too large"
			: arena_printf(arena, "character %u: %s",
			      pattern.column, pattern.problem));
		return;
	}
	if (compiled.reason != FEED_USED)
		refuse(reader, item, compiled.reason, text, compiled.detail);
	else if (compiled.plain)
		give_plain(reader, item, &compiled);
	else
		give_compound(reader, item, &compiled, text);
}

static void
read_indicator(struct feed_reader *reader, const cJSON *object)
{
	struct slice type = json_text(NULL, object, "pattern_type");
	struct slice pattern = json_text(NULL, object, "pattern");
	struct feed_item item = item_of(reader, object);

	if (pattern.length == 0) {
		refuse(reader, &item, FEED_BAD_OBJECT, item.id,
		    "an indicator without a pattern");
	} else if (slice_equal_text_fold(type, "yara")) {
		item.kind = INDICATOR_YARA;
		item.value = item.revoked ? slice_make("", 0) : pattern;
		feed_reader_item(reader, &item);
	} else if (type.length > 0 && !slice_equal_text_fold(type, "stix")) {
		refuse(reader, &item, FEED_UNSUPPORTED_PATTERN, item.id,
		    arena_printf(reader->scratch, "pattern_type %.*s",
			(int)slice_range(type, 0, 40).length, type.data));
	} else {
		feed_stix_pattern(reader, &item, pattern);
	}
}

/* One object of a bundle. Most are no indicators: a look at the octets saves
 * the tree. */
static void
read_object(struct feed_reader *reader, const struct json_value *value)
{
	cJSON *object;

	arena_reset(reader->scratch);
	if (slice_find(value->text, SLICE_LITERAL("\"indicator\"")) ==
	    SIZE_MAX) {
		feed_reader_skip(reader, FEED_NOT_INDICATOR);
		return;
	}
	if (value->text.length > reader->limits->object_bytes_max) {
		feed_reader_beyond(reader, FEED_LIMIT_OBJECT, FEED_BAD_OBJECT,
		    slice_range(value->text, 0, 80), "the object is too large");
		return;
	}
	if (value->depth > reader->limits->json_depth_max) {
		feed_reader_beyond(reader, FEED_LIMIT_DEPTH, FEED_BAD_OBJECT,
		    slice_range(value->text, 0, 80),
		    "the object is nested too deeply");
		return;
	}
	object = json_parse(value, reader->limits->json_depth_max);
	if (object == NULL)
		feed_reader_reject(reader, FEED_BAD_OBJECT,
		    slice_range(value->text, 0, 80),
		    "an object that is no JSON");
	else if (slice_equal_text(json_text(NULL, object, "type"), "indicator"))
		read_indicator(reader, object);
	else
		feed_reader_skip(reader, FEED_NOT_INDICATOR);
	cJSON_Delete(object);
}

/* What stands at the top of a container. */
struct container {
	struct slice objects; /* of a bundle or envelope */
	bool typed;           /* has a "type": an object of STIX */
};

static struct container
look(struct slice text)
{
	struct json_split split = json_split_begin(text);
	struct container out = { { NULL, 0 }, false };
	struct json_value member;
	struct slice name;

	while (json_split_member(&split, &name, &member)) {
		if (slice_equal_text(name, "objects") &&
		    json_is_array(member.text))
			out.objects = member.text;
		else if (slice_equal_text(name, "type") &&
			 json_is_string(member.text))
			out.typed = true;
	}
	return out;
}

/* Goes down through bundles, envelopes, lists and whatever a server's dump
 * puts around them. Returns how many objects were met. */
static uint64_t
walk(struct feed_reader *reader, const struct json_value *value, unsigned depth)
{
	struct json_split split = json_split_begin(value->text);
	struct container container = { { NULL, 0 }, false };
	struct json_value inside;
	uint64_t objects = 0;
	struct slice name;

	if (depth > WALK_DEPTH_MAX)
		return 0;
	if (json_is_object(value->text)) {
		container = look(value->text);
		if (container.objects.data == NULL && container.typed) {
			read_object(reader, value);
			return 1;
		}
	} else if (json_is_array(value->text)) {
		container.objects = value->text;
	} else {
		return 0;
	}
	if (container.objects.data != NULL) {
		split = json_split_begin(container.objects);
		while (!reader->stopped && json_split_element(&split, &inside))
			objects += walk(reader, &inside, depth + 1);
		if (split.broken)
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(split.rest, 0, 80),
			    "the file ends in the middle");
		return objects;
	}
	while (!reader->stopped && json_split_member(&split, &name, &inside))
		objects += walk(reader, &inside, depth + 1);
	return objects;
}

static uint64_t
walk_lines(struct feed_reader *reader, struct slice bytes)
{
	struct json_value value;
	uint64_t objects = 0;

	while (feed_reader_json_line(reader, &bytes, &value))
		objects += walk(reader, &value, 0);
	return objects;
}

/* A bundle or envelope at the top of a file: its objects are taken one after
 * another, without a look at where it ends. False, with *rest as it was, when
 * it has no objects. */
static bool
read_bundle(struct feed_reader *reader, struct slice *rest, uint64_t *objects)
{
	struct json_split split = json_split_begin(*rest);
	struct json_value value;
	struct slice name;
	bool found = false;

	while (!reader->stopped && json_split_name(&split, &name)) {
		struct json_split inside;

		if (!slice_equal_text(name, "objects") ||
		    !json_is_array(split.rest)) {
			if (!json_split_value(&split.rest, &value))
				break;
			continue;
		}
		found = true;
		inside = json_split_begin(split.rest);
		while (
		    !reader->stopped && json_split_element(&inside, &value)) {
			*objects += walk(reader, &value, 1);
			feed_file_passed(reader, inside.rest);
		}
		if (inside.broken) {
			reader->report->cut_off = true;
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(inside.rest, 0, 80),
			    "the file ends in the middle");
			split.rest = slice_make("", 0);
			break;
		}
		split.rest = slice_skip(inside.rest, 1);
	}
	if (found)
		*rest = slice_skip(split.rest, 1);
	return found;
}

/* One value after another: a bundle, or several files in one. */
static uint64_t
read_values(struct feed_reader *reader, struct slice bytes)
{
	struct json_value value;
	uint64_t objects = 0;

	while (!reader->stopped && (bytes = slice_trim(bytes)).length > 0) {
		if (json_is_object(bytes) &&
		    read_bundle(reader, &bytes, &objects))
			continue;
		if (!json_split_value(&bytes, &value)) {
			value = (struct json_value){ .text = bytes };
			reader->report->cut_off = true;
			return objects + walk(reader, &value, 0);
		}
		objects += walk(reader, &value, 0);
		feed_file_passed(reader, bytes);
	}
	return objects;
}

/* They stand before or behind what they mark. */
static void
find_markings(struct feed_reader *reader, struct slice bytes,
    struct stix_markings *markings)
{
	for (size_t at = 0; at < bytes.length; at += MARKINGS_STEP) {
		size_t end = bytes.length - at < MARKINGS_STEP
				 ? bytes.length
				 : at + MARKINGS_STEP;

		stix_markings_add(markings, bytes, at, end);
		feed_file_let_go(reader, slice_range(bytes, at, end));
	}
}

enum tc_status
feed_stix_read(struct feed_reader *reader, struct slice bytes)
{
	struct stix_markings markings = { table_make(reader->arena), 0 };
	uint64_t objects;

	find_markings(reader, bytes, &markings);
	reader->markings = &markings;
	objects = json_split_is_lines(bytes) ? walk_lines(reader, bytes)
					     : read_values(reader, bytes);
	reader->markings = NULL;

	if (objects == 0) {
		reader->report->problem =
		    "holds no STIX object and no MISP event";
		return TC_INVALID;
	}
	return TC_OK;
}
