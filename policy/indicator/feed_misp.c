#include <config.h>

#include "base/builder.h"
#include "indicator/feed_reader.h"
#include "indicator/feed_type.h"
#include "indicator/json_split.h"

#define WALK_DEPTH_MAX 6
#define TAGS_BYTES_MAX 4096

#define COUNT(array)   (sizeof(array) / sizeof(array)[0])

/* -------------------------------------------------------------------- events */

/* What an event says of all its attributes. */
struct misp_event {
	struct slice info, tags;
	enum indicator_severity severity;
	enum indicator_tlp tlp;
	uint8_t confidence;
	int64_t date_unix;
};

/* What an event, or an object inside, says of its attributes' life: they are
 * gone with it, and come back with a later version of it. */
struct misp_life {
	bool deleted;
	int64_t changed_unix; /* `timestamp`; 0: unknown */
};

/* The parts of an event that hold others. */
struct misp_parts {
	struct slice attributes, objects, tags;
	struct misp_life life;
};

static uint8_t
confidence_of_tag(struct slice tag)
{
	static const struct {
		const char *tag;
		uint8_t confidence;
	} levels[] = {
		{ "misp:confidence-level=\"completely-confident\"", 100 },
		{ "misp:confidence-level=\"usually-confident\"", 75 },
		{ "misp:confidence-level=\"fairly-confident\"", 50 },
		{ "misp:confidence-level=\"rarely-confident\"", 25 },
		{ "misp:confidence-level=\"unconfident\"", 0 },
	};

	for (size_t i = 0; i < COUNT(levels); i++)
		if (slice_equal_text_fold(tag, levels[i].tag))
			return levels[i].confidence;
	return INDICATOR_CONFIDENCE_ABSENT;
}

/* Adds the names of a Tag array to `out`; TLP and confidence are read from
 * them. */
static void
take_tags(struct arena *arena, struct slice array, struct builder *out,
    enum indicator_tlp *tlp, uint8_t *confidence)
{
	struct json_split split = json_split_begin(array);
	struct json_value tag, value;
	struct slice name;

	if (!json_is_array(array))
		return;
	while (json_split_element(&split, &tag)) {
		struct json_split members = json_split_begin(tag.text);

		while (json_is_object(tag.text) &&
		       json_split_member(&members, &name, &value)) {
			struct slice text;

			if (!slice_equal_text(name, "name"))
				continue;
			text = json_string(arena, value.text);
			if (text.data == NULL)
				continue;
			indicator_tlp_parse(text, tlp);
			if (confidence_of_tag(text) !=
			    INDICATOR_CONFIDENCE_ABSENT)
				*confidence = confidence_of_tag(text);
			if (out->length > 0)
				builder_byte(out, '\n');
			builder_slice(out, text);
		}
	}
}

static bool
is_true(struct slice text)
{
	return slice_equal_text(text, "true") || slice_equal_text(text, "1") ||
	       slice_equal_text(text, "\"1\"") ||
	       slice_equal_text(text, "\"true\"");
}

/* A string's content, or a number as it stands. */
static struct slice
plain(struct arena *arena, struct slice text)
{
	struct slice string = json_string(arena, text);

	if (string.data != NULL)
		return string;
	return json_is_object(text) || json_is_array(text) ||
		       json_is_string(text) || slice_equal_text(text, "null")
		   ? slice_make("", 0)
		   : text;
}

static enum indicator_severity
severity_of_threat_level(struct slice level)
{
	if (slice_equal_text(level, "1"))
		return INDICATOR_SEVERITY_HIGH;
	if (slice_equal_text(level, "2"))
		return INDICATOR_SEVERITY_MEDIUM;
	if (slice_equal_text(level, "3"))
		return INDICATOR_SEVERITY_LOW;
	return INDICATOR_SEVERITY_ABSENT;
}

/* Takes a member of an event that holds for all its attributes; false when it
 * is none. */
static bool
take_of_event(struct arena *arena, struct slice name, struct slice text,
    struct misp_event *event)
{
	if (slice_equal_text(name, "info"))
		event->info = plain(arena, text);
	else if (slice_equal_text(name, "date"))
		event->date_unix = feed_reader_time(plain(arena, text));
	else if (slice_equal_text(name, "threat_level_id"))
		event->severity = severity_of_threat_level(plain(arena, text));
	else
		return false;
	return true;
}

/* The event inside an attribute, as a search for attributes gives it. */
static void
take_event_inside(
    struct arena *arena, struct slice text, struct misp_event *event)
{
	struct json_split split = json_split_begin(text);
	struct json_value member;
	struct slice name;

	while (
	    json_is_object(text) && json_split_member(&split, &name, &member))
		(void)take_of_event(arena, name, member.text, event);
}

/* ----------------------------------------------------------------- sightings */

/* What people have said of an attribute since it was published: when it was
 * seen last, said to be false, and since when it is said to be over. */
struct misp_sightings {
	int64_t seen_unix, false_unix, over_unix; /* 0: never */
};

static void
take_sightings(
    struct arena *arena, struct slice array, struct misp_sightings *sightings)
{
	struct json_split split = json_split_begin(array);
	struct json_value sighting, member;
	struct slice name;

	while (json_is_array(array) && json_split_element(&split, &sighting)) {
		struct json_split members = json_split_begin(sighting.text);
		struct slice type = SLICE_LITERAL("0");
		int64_t when = 0, *last;

		while (json_is_object(sighting.text) &&
		       json_split_member(&members, &name, &member)) {
			if (slice_equal_text(name, "type"))
				type = plain(arena, member.text);
			else if (slice_equal_text(name, "date_sighting"))
				when =
				    feed_reader_time(plain(arena, member.text));
		}
		last = slice_equal_text(type, "0")   ? &sightings->seen_unix
		       : slice_equal_text(type, "1") ? &sightings->false_unix
		       : slice_equal_text(type, "2") ? &sightings->over_unix
						     : NULL;
		if (last != NULL && when > *last)
			*last = when;
	}
}

/* Seen later, it is not over. That someone calls it false ends nothing, but
 * rules may look at the tag. */
static void
apply_sightings(const struct misp_sightings *sightings, struct feed_item *item,
    struct builder *tags)
{
	if (sightings->seen_unix > item->last_seen_unix)
		item->last_seen_unix = sightings->seen_unix;
	if (sightings->over_unix > item->last_seen_unix)
		item->valid_until_unix = sightings->over_unix;
	if (sightings->false_unix > item->last_seen_unix) {
		if (tags->length > 0)
			builder_byte(tags, '\n');
		builder_text(tags, "sighting:false-positive");
	}
}

/* ---------------------------------------------------------------- attributes */

/* An attribute whose members are in `item`, all but its kind and value. */
static void
give_attribute(struct feed_reader *reader, const struct misp_event *event,
    struct slice type, struct slice value, struct feed_item *item)
{
	enum feed_reason reason = FEED_USED;
	enum feed_type_word word;

	if (item->revoked) {
		(void)feed_type_value(type, value, item, &word);
		feed_reader_item(reader, item);
		return;
	}
	if (slice_equal_text_fold(type, "yara")) {
		item->kind = INDICATOR_YARA;
		item->value = value;
	} else {
		reason = feed_type_value(type, value, item, &word);
	}
	if (reason != FEED_USED) {
		feed_reader_reject_version(reader, item, reason, value,
		    arena_text(reader->scratch, slice_range(type, 0, 80)));
		return;
	}
	if (item->first_seen_unix == 0)
		item->first_seen_unix = event->date_unix;
	if (item->description.length == 0)
		item->description = event->info;
	if (item->kind == INDICATOR_PATTERN && !item->revoked)
		feed_stix_pattern(reader, item, item->value);
	else
		feed_reader_item(reader, item);
}

static void
take_time(struct arena *arena, struct slice name, struct slice text,
    struct feed_item *item)
{
	if (slice_equal_text(name, "timestamp"))
		item->modified_unix =
		    feed_reader_moment(plain(arena, text), &item->modified_ns);
	else if (slice_equal_text(name, "first_seen"))
		item->first_seen_unix = feed_reader_time(plain(arena, text));
	else if (slice_equal_text(name, "last_seen"))
		item->last_seen_unix = feed_reader_time(plain(arena, text));
}

/* One attribute. `data` holds malware in base64: it is never looked at. */
static void
read_attribute(struct feed_reader *reader, const struct misp_event *around,
    const struct json_value *attribute, const struct misp_life *life)
{
	struct arena *arena = reader->scratch;
	struct json_split split = json_split_begin(attribute->text);
	struct builder tags;
	struct slice name, type = { NULL, 0 }, value = { NULL, 0 };
	struct feed_item item = feed_item_make(INDICATOR_DOMAIN, value);
	struct misp_sightings sightings = { 0 };
	struct misp_event event = *around;
	struct json_value member;

	arena_reset(arena);
	tags = builder_make(arena, TAGS_BYTES_MAX);
	builder_slice(&tags, event.tags);
	item.tlp = event.tlp;
	item.confidence = event.confidence;
	item.ordered = true;
	item.revoked = life->deleted;
	item.version_unix = life->changed_unix;
	while (json_split_member(&split, &name, &member)) {
		struct slice text = member.text;

		if (slice_equal_text(name, "type"))
			type = plain(arena, text);
		else if (slice_equal_text(name, "value"))
			value = plain(arena, text);
		else if (slice_equal_text(name, "uuid"))
			item.id = plain(arena, text);
		else if (slice_equal_text(name, "comment"))
			item.description = plain(arena, text);
		else if (slice_equal_text(name, "to_ids"))
			item.to_ids = is_true(text);
		else if (slice_equal_text(name, "deleted"))
			item.revoked = item.revoked || is_true(text);
		else if (slice_equal_text(name, "Tag"))
			take_tags(
			    arena, text, &tags, &item.tlp, &item.confidence);
		else if (slice_equal_text(name, "Event"))
			take_event_inside(arena, text, &event);
		else if (slice_equal_text(name, "Sighting"))
			take_sightings(arena, text, &sightings);
		else
			take_time(arena, name, text, &item);
	}
	if (split.broken ||
	    ((type.length == 0 || value.length == 0) && !item.revoked)) {
		feed_reader_reject(reader, FEED_BAD_OBJECT,
		    slice_range(attribute->text, 0, 80),
		    "an attribute without type or value");
		return;
	}
	item.severity = event.severity;
	apply_sightings(&sightings, &item, &tags);
	item.tags = builder_result(&tags);
	give_attribute(reader, &event, type, value, &item);
}

static void
read_attributes(struct feed_reader *reader, const struct misp_event *event,
    struct slice array, const struct misp_life *life)
{
	struct json_split split = json_split_begin(array);
	struct json_value attribute;

	if (!json_is_array(array))
		return;
	while (!reader->stopped && json_split_element(&split, &attribute)) {
		if (json_is_object(attribute.text))
			read_attribute(reader, event, &attribute, life);
		else
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(attribute.text, 0, 80), NULL);
	}
	if (split.broken)
		feed_reader_reject(reader, FEED_BAD_OBJECT,
		    slice_range(array, 0, 20), "the list ends in the middle");
}

/* Takes a member of an event or object that tells of its life. */
static void
take_life(struct feed_reader *reader, struct slice name, struct slice text,
    struct misp_life *life)
{
	int64_t changed;

	if (slice_equal_text(name, "deleted")) {
		life->deleted = life->deleted || is_true(text);
	} else if (slice_equal_text(name, "timestamp")) {
		changed = feed_reader_time(plain(reader->scratch, text));
		if (changed > life->changed_unix)
			life->changed_unix = changed;
	}
}

static void
read_objects(struct feed_reader *reader, const struct misp_event *event,
    struct slice array, const struct misp_life *event_life)
{
	struct json_split split = json_split_begin(array);
	struct json_value object, member;
	struct slice name;

	if (!json_is_array(array))
		return;
	while (!reader->stopped && json_split_element(&split, &object)) {
		struct json_split members = json_split_begin(object.text);
		struct slice attributes = { NULL, 0 };
		struct misp_life life = *event_life;

		while (json_is_object(object.text) &&
		       json_split_member(&members, &name, &member)) {
			if (slice_equal_text(name, "Attribute"))
				attributes = member.text;
			else
				take_life(reader, name, member.text, &life);
		}
		read_attributes(reader, event, attributes, &life);
	}
}

/* First what holds for the event as a whole, wherever it stands, then its
 * attributes. The event's texts live in the reader's arena. */
static bool
read_event(struct feed_reader *reader, struct slice text)
{
	struct arena *arena = reader->arena;
	struct misp_event event = { .confidence = INDICATOR_CONFIDENCE_ABSENT };
	struct misp_parts parts = { 0 };
	struct json_split split = json_split_begin(text);
	struct builder tags = builder_make(arena, TAGS_BYTES_MAX);
	struct json_value member;
	struct slice name;

	while (json_split_member(&split, &name, &member)) {
		if (slice_equal_text(name, "Attribute"))
			parts.attributes = member.text;
		else if (slice_equal_text(name, "Object"))
			parts.objects = member.text;
		else if (slice_equal_text(name, "Tag"))
			parts.tags = member.text;
		else if (!take_of_event(arena, name, member.text, &event))
			take_life(reader, name, member.text, &parts.life);
	}
	take_tags(arena, parts.tags, &tags, &event.tlp, &event.confidence);
	event.tags = builder_result(&tags);
	read_attributes(reader, &event, parts.attributes, &parts.life);
	read_objects(reader, &event, parts.objects, &parts.life);
	return !split.broken;
}

static bool
is_event(struct slice text)
{
	struct json_split split = json_split_begin(text);
	struct json_value member;
	struct slice name;
	bool info = false, uuid = false;

	while (json_split_member(&split, &name, &member)) {
		if ((slice_equal_text(name, "Attribute") ||
			slice_equal_text(name, "Object")) &&
		    json_is_array(member.text))
			return true;
		info = info || slice_equal_text(name, "info");
		uuid = uuid || slice_equal_text(name, "uuid");
	}
	return info && uuid;
}

/* Goes through the envelopes to the events inside: {"Event"}, {"response"},
 * lists of either. The depth of envelopes is small and bounded. */
static unsigned
walk(struct feed_reader *reader, struct slice text, unsigned depth)
{
	struct json_split split = json_split_begin(text);
	struct json_value value;
	struct slice name;
	unsigned events = 0;

	if (depth > WALK_DEPTH_MAX || reader->stopped)
		return 0;
	if (json_is_array(text)) {
		while (json_split_element(&split, &value))
			events += walk(reader, value.text, depth + 1);
	} else if (json_is_object(text) && is_event(text)) {
		if (!read_event(reader, text))
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(text, 0, 80), "a broken event");
		return 1;
	} else if (json_is_object(text)) {
		while (json_split_member(&split, &name, &value))
			if (slice_equal_text(name, "Event") ||
			    slice_equal_text(name, "response") ||
			    slice_equal_text(name, "Events"))
				events += walk(reader, value.text, depth + 1);
	}
	if (split.broken && (json_is_array(text) || json_is_object(text)))
		feed_reader_reject(reader, FEED_BAD_OBJECT,
		    slice_range(text, 0, 80), "broken JSON");
	return events;
}

static unsigned
walk_lines(struct feed_reader *reader, struct slice bytes)
{
	struct json_value value;
	unsigned events = 0;

	while (feed_reader_json_line(reader, &bytes, &value))
		events += walk(reader, value.text, 0);
	return events;
}

/* {"UUID": {"Orgc": ...}, ...} */
static bool
is_manifest(struct slice bytes)
{
	struct json_split split = json_split_begin(bytes);
	struct json_value value;
	struct slice name;

	return json_is_object(bytes) &&
	       json_split_member(&split, &name, &value) && name.length == 36 &&
	       json_is_object(value.text) &&
	       slice_find(value.text, SLICE_LITERAL("\"Orgc\"")) != SIZE_MAX;
}

enum tc_status
feed_misp_read(struct feed_reader *reader, struct slice bytes)
{
	const struct slice all = slice_trim(bytes);
	struct json_value value;
	unsigned events = 0;

	if (json_split_is_lines(bytes)) {
		events = walk_lines(reader, bytes);
	} else {
		while (json_split_value(&bytes, &value))
			events += walk(reader, value.text, 0);
		/* A file that was cut off. */
		reader->report->cut_off = slice_trim(bytes).length > 0;
		if (reader->report->cut_off)
			events += walk(reader, bytes, 0);
	}
	if (events == 0) {
		reader->report->problem =
		    is_manifest(all)
			? "is the manifest of a MISP feed; name the folder "
			  "that it lies in"
			: "holds no MISP event";
		return TC_INVALID;
	}
	return TC_OK;
}
