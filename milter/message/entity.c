#include <config.h>

#include <stdint.h>

#include "message/entity.h"
#include "message/line.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

struct mime_part *
entity_part(const struct entity_work *work, const struct entity *entity)
{
	return &work->parts->items[entity->part];
}

void
entity_note(const struct entity_work *work, const struct entity *entity,
    mime_defect_set defects)
{
	entity_part(work, entity)->defects |= defects;
}

bool
entity_take_extra(struct entity_work *work, struct entity *entity, size_t bytes)
{
	if (entity->readings_left == 0 || bytes > work->extra_left) {
		entity_note(work, entity, BIT(TOO_MANY_READINGS));
		return false;
	}
	entity->readings_left--;
	work->extra_left -= bytes;
	return true;
}

bool
entity_has_room(const struct entity_work *work)
{
	return work->parts->count + work->parts_waiting < work->limits->parts;
}

static struct mime_part *
new_part(struct entity_work *work, const struct entity_origin *origin)
{
	struct mime_part *part =
	    list_append(work->arena, work->parts, SIZE_MAX);

	if (part == NULL)
		return NULL;
	*part = (struct mime_part){
		.index = work->parts->count - 1,
		.parent = origin->parent,
		.depth = origin->depth,
		.reading_of = origin->reading_of,
		.reading = origin->reading,
		.type = SLICE_LITERAL("text/plain"),
	};
	return part;
}

struct entity *
entity_begin(struct entity_work *work, const struct entity_origin *origin)
{
	struct mime_part *part = new_part(work, origin);
	struct entity *entity =
	    part == NULL ? NULL
			 : list_append(work->arena, &work->entities, SIZE_MAX);

	if (entity == NULL)
		return NULL;
	*entity = (struct entity){
		.origin = *origin,
		.part = part->index,
		.first_odd_line = SIZE_MAX,
		.readings_left = work->limits->readings,
	};
	return entity;
}

/* ---------------------------------------------------------------- headers */

/* Appends a field, when the budget has room for it. */
static void
keep_field(struct entity_work *work, struct entity *entity,
    struct header_budget *budget, const struct header_field *field)
{
	struct header_field *kept;
	unsigned over;
	bool keep = header_budget_take(budget, field, &over);

	if (over & HEADER_OVER_COUNT)
		entity_note(work, entity, BIT(TOO_MANY_HEADERS));
	if (over & HEADER_OVER_BYTES)
		entity_note(work, entity, BIT(HEADERS_TOO_LARGE));
	if (!keep)
		return;
	kept = list_append(
	    work->arena, &entity_part(work, entity)->headers, SIZE_MAX);
	if (kept != NULL)
		*kept = *field;
}

static void
note_oddities(
    struct entity_work *work, const struct entity *entity, unsigned oddities)
{
	if (oddities & HEADER_ODD_LINE)
		entity_note(work, entity, BIT(HEADER_MALFORMED));
	if (oddities & HEADER_ODD_NUL)
		entity_note(work, entity, BIT(NUL_OCTET));
	if (oddities & HEADER_ODD_CR)
		entity_note(work, entity, BIT(BARE_CR));
	if (oddities & HEADER_ODD_BLANK)
		entity_note(work, entity, BIT(HEADER_FOLDED_ODDLY));
}

/* Walks the block; returns where the body begins. */
static size_t
keep_headers(
    struct entity_work *work, struct entity *entity, struct slice block)
{
	const struct entity_origin *origin = &entity->origin;
	struct header_scan scan = header_scan_begin(block);
	struct header_field field;
	struct header_budget budget = {
		.fields_left = work->limits->headers,
		.bytes_left = work->limits->header_bytes,
	};
	const char *at = block.data;
	bool more;

	if (origin->headers_end != SIZE_MAX)
		scan.rest = slice_range(block, 0, origin->headers_end);
	scan.cr_ends_lines = origin->cr_ends_lines;
	do {
		unsigned before = scan.oddities;

		more = header_scan_next(&scan, &field);
		if ((scan.oddities & ~before & HEADER_ODD_LINE) &&
		    entity->first_odd_line == SIZE_MAX)
			entity->first_odd_line = (size_t)(at - block.data);
		at = scan.rest.data;
		if (more)
			keep_field(work, entity, &budget, &field);
	} while (more);
	entity->header_oddities = scan.oddities;
	entity->headers_ended = scan.ended;
	note_oddities(work, entity, scan.oddities);
	if (origin->headers_end != SIZE_MAX)
		return origin->headers_end < block.length ? origin->headers_end
							  : block.length;
	return block.length - scan.rest.length;
}

static void
copy_declaration(struct entity_work *work, const struct entity *entity)
{
	struct mime_part *part = entity_part(work, entity);
	const struct declaration *declaration = &entity->declaration;

	if (declaration->type.length > 0)
		part->type = declaration->type;
	else if (entity->origin.digest_child)
		part->type = SLICE_LITERAL("message/rfc822");
	part->charset = declaration->charset;
	part->flowed = declaration->flowed;
	part->external = declaration->external;
	part->disposition = declaration->disposition;
	part->encoding = declaration->encodings[0];
	for (size_t i = 0; i < declaration->names.count; i++) {
		struct mime_name *name =
		    list_append(work->arena, &part->names, SIZE_MAX);

		if (name != NULL)
			*name = (struct mime_name){
				declaration->names.items[i].value,
				declaration->names.items[i].how,
			};
	}
	part->defects |= declaration->defects;
}

size_t
entity_read_headers(struct entity_work *work, struct entity *entity,
    struct slice block, bool stable)
{
	const struct header_list *headers = work->headers;
	size_t body = 0;

	if (!entity->origin.whole) {
		if (!stable && block.length > 0)
			block = arena_copy(work->arena, block);
		body = keep_headers(work, entity, block);
		headers = &entity_part(work, entity)->headers;
	}
	if (!declare_read(
		work->arena, headers, work->limits, &entity->declaration))
		entity->declaration = (struct declaration){
			.encodings = { TRANSFER_IDENTITY },
			.encoding_count = 1,
		};
	copy_declaration(work, entity);
	return body;
}

/* ---------------------------------------------------------------- content */

bool
entity_take_decoded(
    struct entity_work *work, struct mime_part *part, size_t size)
{
	part->size = size;
	if (size > work->decoded_left) {
		part->defects |= BIT(TOO_LARGE);
		part->opaque = true;
		return false;
	}
	work->decoded_left -= size;
	return true;
}

void
entity_fill(struct entity_work *work, struct mime_part *part,
    const struct leaf_reading *reading)
{
	part->encoding = reading->encoding;
	part->is_text = slice_starts_with(part->type, SLICE_LITERAL("text/"));
	digest_compute(
	    work->arena, reading->content, work->digest_kinds, &part->digests);
	if (!entity_take_decoded(work, part, reading->content.length))
		return;
	part->content = reading->content;
	part->content_kept = true;
}

void
entity_add_name(struct entity_work *work, struct mime_part *part,
    const struct leaf_reading *reading)
{
	struct mime_name *name;

	if (reading->name.length == 0)
		return;
	for (size_t i = 0; i < part->names.count; i++)
		if (slice_equal(part->names.items[i].name, reading->name))
			return;
	name = list_append(work->arena, &part->names, SIZE_MAX);
	if (name != NULL)
		*name = (struct mime_name){
			/* it stands in bytes that may move */
			arena_copy(work->arena, reading->name),
			transfer_encoding_name(reading->encoding),
		};
}

void
entity_decide_attachment(struct mime_part *part)
{
	part->is_attachment =
	    part->names.count > 0 ||
	    slice_equal_text(part->disposition, "attachment") ||
	    (!part->is_text && !part->is_container);
}

/* A part of its own for another reading of a leaf. */
void
entity_add_reading(struct entity_work *work, const struct entity *entity,
    const struct leaf_reading *reading)
{
	const struct mime_part *usual = entity_part(work, entity);
	struct entity_origin like = {
		.parent = usual->parent,
		.depth = usual->depth,
		.reading_of = entity->part,
		.reading = reading->how,
	};
	struct mime_part *part;

	if (!entity_has_room(work)) {
		entity_note(work, entity, BIT(TOO_MANY_PARTS));
		return;
	}
	part = new_part(work, &like);
	if (part == NULL)
		return;
	usual = entity_part(work, entity);
	part->type = usual->type;
	part->charset = usual->charset;
	part->flowed = usual->flowed;
	part->disposition = usual->disposition;
	part->names.items = usual->names.items;
	part->names.count = part->names.capacity = usual->names.count;
	part->raw = usual->raw;
	entity_fill(work, part, reading);
	entity_add_name(work, part, reading);
	entity_decide_attachment(part);
}

/* A file that stands inside a text, as a part of its own. */
static bool
add_inner_file(struct entity_work *work, const struct entity *entity,
    const struct leaf_reading *reading, mime_defect_set defects)
{
	struct entity_origin like = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = MIME_NO_PART,
		.reading = entity->origin.reading,
	};
	struct mime_part *part;

	if (!entity_has_room(work)) {
		entity_note(work, entity, BIT(TOO_MANY_PARTS));
		return false;
	}
	part = new_part(work, &like);
	if (part == NULL)
		return false;
	part->type = SLICE_LITERAL("application/octet-stream");
	part->defects |= defects;
	entity_fill(work, part, reading);
	entity_add_name(work, part, reading);
	part->is_attachment = true;
	return true;
}

/* Whether a line begins like one that begins a file. */
static bool
may_hold_files(struct slice text, bool *yenc)
{
	struct line_survey ignored = { .crlf = 0 };
	size_t at = 0;

	while (text.length - at > 8) {
		struct slice rest;
		const char *found;

		at = line_scan(text, at, &ignored);
		rest = slice_skip(text, at);
		*yenc = slice_starts_with(rest, SLICE_LITERAL("=ybegin "));
		if (*yenc ||
		    slice_starts_with_fold(rest, SLICE_LITERAL("begin ")))
			return true;
		found = rest.length == 0 ? NULL
					 : memchr(rest.data, '\n', rest.length);
		if (found == NULL)
			return false;
		at += (size_t)(found - rest.data) + 1;
	}
	return false;
}

void
entity_add_inner_files(
    struct entity_work *work, const struct entity *entity, struct slice text)
{
	struct slice rest = text;
	struct leaf_reading reading = { .encoding = TRANSFER_UUENCODE };
	struct transfer_result result;
	unsigned char *out;
	bool yenc;

	if (!may_hold_files(rest, &yenc))
		return;
	out = arena_alloc(work->arena, rest.length + 64);
	if (out == NULL)
		return;
	if (yenc && transfer_yenc(rest, out, &reading.name, &result)) {
		reading.encoding = TRANSFER_YENC;
		reading.content = slice_make(out, result.length);
		add_inner_file(work, entity, &reading, result.defects);
		return;
	}
	while (
	    transfer_uuencode_next(&rest, true, out, &reading.name, &result)) {
		reading.content = slice_make(out, result.length);
		out += result.length;
		if (!add_inner_file(work, entity, &reading, result.defects))
			return;
	}
}

bool
entity_is_message_type(struct slice type)
{
	return slice_equal_text(type, "message/rfc822") ||
	       slice_equal_text(type, "message/global") ||
	       slice_equal_text(type, "message/news") ||
	       slice_equal_text(type, "message/rfc2822");
}
