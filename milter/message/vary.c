#include <config.h>

#include <stdint.h>

#include "message/multipart.h"
#include "message/push.h"
#include "message/vary.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

/* A piece that is going to be read. */
struct job {
	struct entity_origin origin;
	struct slice block;
};

struct varied {
	struct entity_work *work;
	LIST_OF(struct job) jobs;
};

static struct mime_part *
part_of(const struct varied *varied, const struct entity *entity)
{
	return entity_part(varied->work, entity);
}

static void
note(const struct varied *varied, const struct entity *entity,
    mime_defect_set defects)
{
	entity_note(varied->work, entity, defects);
}

/* Puts a piece on the list; false when there are too many parts. */
static bool
add_job(struct varied *varied, const struct entity_origin *origin,
    struct slice block)
{
	struct job *job;

	if (!entity_has_room(varied->work))
		return false;
	job = list_append(varied->work->arena, &varied->jobs, SIZE_MAX);
	if (job == NULL)
		return false;
	*job = (struct job){ *origin, block };
	varied->work->parts_waiting++;
	return true;
}

/* Reads what is on the list. */
static void
run_jobs(struct varied *varied)
{
	for (size_t i = 0; i < varied->jobs.count; i++) {
		varied->work->parts_waiting--;
		push_whole(varied->work, &varied->jobs.items[i].origin,
		    varied->jobs.items[i].block);
	}
	varied->jobs.count = 0;
}

/* -------------------------------------------------------------- multipart */

/* Whether the delimiters that only a loose match takes are those of a
 * boundary declared for an inner part, which ordinary mail often makes from
 * the outer one. */
static bool
odd_line_is_declared(const struct entity *entity)
{
	struct slice token = slice_trim(entity->odd_line);
	const char *found;

	token = slice_skip(token, 2);
	if (slice_ends_with(token, SLICE_LITERAL("--")))
		token.length -= 2;
	if (token.length == 0)
		return false;
	found = memmem(
	    entity->body.data, entity->body.length, token.data, token.length);
	return found != NULL && found < token.data &&
	       found > entity->body.data && found[-1] != '-';
}

/* How one multipart is split otherwise. */
struct split {
	struct slice boundary;
	enum multipart_match match;
	const char *how;
};

/* Whether something stands there that a reader could follow. */
static bool
holds_link(struct slice text)
{
	return slice_find(text, SLICE_LITERAL("://")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("www.")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("href")) != SIZE_MAX;
}

/* What only readers show that know no MIME, and some that do, is of interest
 * when it carries a file, a link or an address. Behind the last delimiter
 * mailing lists write their footers, so a link there is nothing odd. */
static void
vary_outside(struct varied *varied, const struct entity *entity)
{
	struct entity_origin outside = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = entity->part,
		.enclosing = SIZE_MAX,
		.headers_end = 0,
	};

	for (size_t i = 0; i < entity->outside.count; i++) {
		struct slice text = entity->outside.items[i].text;

		outside.reading =
		    entity->outside.items[i].preamble ? "preamble" : "epilogue";
		if (leaf_looks_base64(text) ||
		    slice_find(text, SLICE_LITERAL("begin ")) != SIZE_MAX ||
		    (entity->outside.items[i].preamble && holds_link(text)))
			note(varied, entity, BIT(CONTENT_OUTSIDE));
		else if (!holds_link(text) &&
			 slice_find_byte(text, '@') == SIZE_MAX)
			continue;
		if (!add_job(varied, &outside, text))
			note(varied, entity, BIT(TOO_MANY_PARTS));
	}
}

static void
split_body(struct varied *varied, const struct entity *entity,
    struct slice body, const struct split *split)
{
	struct multipart_scan scan = multipart_begin(
	    varied->work->arena, body, split->boundary, split->match);
	struct entity_origin child = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = entity->part,
		.reading = split->how,
		.digest_child = slice_equal_text(
		    part_of(varied, entity)->type, "multipart/digest"),
		.enclosing = SIZE_MAX,
		.headers_end = SIZE_MAX,
	};
	enum multipart_piece kind;
	struct slice block;

	while (multipart_next(&scan, &kind, &block)) {
		if (kind == MULTIPART_PREAMBLE || kind == MULTIPART_EPILOGUE)
			continue;
		if (kind == MULTIPART_AFTER_CLOSE)
			note(varied, entity, BIT(PART_AFTER_CLOSE));
		if (!add_job(varied, &child, block)) {
			note(varied, entity, BIT(TOO_MANY_PARTS));
			part_of(varied, entity)->opaque = true;
			return;
		}
	}
}

static bool
has_delimiters(
    struct varied *varied, struct slice body, const struct split *split)
{
	struct multipart_scan scan = multipart_begin(
	    varied->work->arena, body, split->boundary, split->match);
	enum multipart_piece kind;
	struct slice piece;

	return multipart_next(&scan, &kind, &piece);
}

/* Reads the body by another boundary or matcher, when that finds anything. */
static bool
split_otherwise(struct varied *varied, struct entity *entity, struct slice body,
    struct split split)
{
	if (!has_delimiters(varied, body, &split) ||
	    !entity_take_extra(varied->work, entity, body.length))
		return false;
	split_body(varied, entity, body, &split);
	return true;
}

/* Other readings of a body that is, or may be, a multipart. `usual` is the
 * boundary of the usual one, empty data when there is none. */
static void
vary_multipart(struct varied *varied, struct entity *entity, struct slice usual)
{
	const struct param_readings *boundaries =
	    &entity->declaration.boundaries;
	struct split guess = { .how = "guessed-boundary" };
	struct slice body = entity->body;
	bool found = entity->pieces > 0;

	for (size_t i = usual.data == NULL ? 0 : 1; i < boundaries->count;
	     i++) {
		struct split other = { .boundary = boundaries->items[i].value,
			.how = "boundary" };

		found |= split_otherwise(varied, entity, body, other);
	}
	if (entity->has_odd_line && !odd_line_is_declared(entity)) {
		struct split loose = { .boundary = usual,
			.match = MULTIPART_LOOSE,
			.how = "loose-delimiter" };

		note(varied, entity, BIT(DELIMITER_ODD));
		found |= split_otherwise(varied, entity, body, loose);
	}
	if (!found && multipart_guess(body, &guess.boundary) &&
	    (usual.data == NULL || !slice_equal(guess.boundary, usual)))
		split_otherwise(varied, entity, body, guess);
}

/* The entity's bytes up to the end of the enclosing multipart; empty when
 * that is no further. */
static struct slice
beyond(const struct varied *varied, const struct entity *entity,
    struct slice bytes)
{
	struct slice around;
	const char *end;

	if (entity->origin.enclosing == SIZE_MAX)
		return slice_make(NULL, 0);
	around = varied->work->entities.items[entity->origin.enclosing].body;
	end = around.data + around.length;
	if (end <= bytes.data || (size_t)(end - bytes.data) <= bytes.length)
		return slice_make(NULL, 0);
	return slice_make(bytes.data, (size_t)(end - bytes.data));
}

/* An inner multipart that the outer delimiters cut: some readers look for the
 * inner ones alone until it is closed. */
static void
vary_cut(struct varied *varied, struct entity *entity, struct slice boundary)
{
	struct split inner = { .boundary = boundary, .how = "inner-first" };
	struct slice body = beyond(varied, entity, entity->body);
	struct slice rest = slice_skip(body, entity->body.length);

	if (rest.length == 0)
		return;
	/* many of these would each search the rest of the message */
	if (rest.length > varied->work->search_left) {
		note(varied, entity, BIT(TOO_MANY_READINGS));
		return;
	}
	varied->work->search_left -= rest.length;
	if (!has_delimiters(varied, rest, &inner))
		return;
	note(varied, entity, BIT(BOUNDARY_NESTED));
	split_otherwise(varied, entity, body, inner);
}

/* A multipart that is itself encoded. */
static void
vary_composite(
    struct varied *varied, struct entity *entity, struct slice boundary)
{
	struct split split = { .boundary = boundary,
		.how = "decoded-multipart" };
	struct leaf_reading reading = { .how = NULL };
	mime_defect_set odd = 0;

	note(varied, entity, BIT(ENCODING_COMPOSITE));
	if (entity->pieces == 0 &&
	    leaf_decode_whole(varied->work->arena, entity->body,
		entity->declaration.encodings[0], &reading, &odd))
		split_otherwise(varied, entity, reading.content, split);
}

/* A multipart without parts, or with another type as well, read as the leaf
 * that its other headers declare. */
static void
vary_empty(struct varied *varied, struct entity *entity)
{
	struct leaf_reading reading = { .how = "not-multipart" };
	struct leaf_usual usual = { .content = entity->body };
	struct leaf_budget budget = { 1, &varied->work->extra_left };
	struct leaf leaf;

	if (!entity_take_extra(varied->work, entity, entity->body.length))
		return;
	if (entity->declaration.encodings[0] != TRANSFER_IDENTITY &&
	    leaf_decode_whole(varied->work->arena, entity->body,
		entity->declaration.encodings[0], &reading, &usual.defects)) {
		entity_add_reading(varied->work, entity, &reading);
		usual.content = reading.content;
		usual.encoding = reading.encoding;
	}
	leaf_vary(varied->work->arena, entity->body, &entity->declaration,
	    &usual, true, &budget, &leaf);
	for (size_t i = 1; i < leaf.count; i++) {
		if (leaf.readings[i].encoding == TRANSFER_IDENTITY)
			continue;
		leaf.readings[i].how = "not-multipart";
		entity_add_reading(varied->work, entity, &leaf.readings[i]);
	}
}

static void
vary_container(struct varied *varied, struct entity *entity)
{
	const struct declaration *declaration = &entity->declaration;
	struct slice boundary = declaration->boundaries.count == 0
				    ? slice_make(NULL, 0)
				    : declaration->boundaries.items[0].value;
	bool usual = entity->origin.reading == NULL;

	if (usual && boundary.data != NULL &&
	    (entity->pieces == 0 || !entity->closed))
		vary_cut(varied, entity, boundary);
	if (usual)
		vary_multipart(varied, entity, boundary);
	vary_outside(varied, entity);
	if (declaration->encodings[0] != TRANSFER_IDENTITY &&
	    declaration->encodings[0] != TRANSFER_UNKNOWN)
		vary_composite(varied, entity, boundary);
	/* nothing in it, or a second type: some readers then take it for a
	 * plain part */
	if (usual &&
	    (entity->pieces == 0 ||
		declaration->defects & BIT(TYPE_DUPLICATE)) &&
	    (part_of(varied, entity)->names.count > 0 ||
		declaration->encoding_declared))
		vary_empty(varied, entity);
}

/* ------------------------------------------------------------------ leafs */

static void
vary_leaf(struct varied *varied, struct entity *entity)
{
	const struct declaration *declaration = &entity->declaration;
	const struct mime_part *part = part_of(varied, entity);
	bool guess = entity->header_oddities != 0 || declaration->type_odd ||
		     part->names.count > 0 || declaration->defects != 0;
	struct leaf_budget budget = {
		entity->origin.reading == NULL ? entity->readings_left : 1,
		&varied->work->extra_left,
	};
	struct leaf_usual usual = { part->content, part->encoding,
		entity->octets, entity->blank_line, entity->loose_bytes };
	struct leaf leaf;

	if (!part->content_kept)
		return;
	leaf_vary(varied->work->arena, entity->body, declaration, &usual, guess,
	    &budget, &leaf);
	note(varied, entity, leaf.defects);
	for (size_t i = 1; i < leaf.count; i++)
		/* paid when decoded */
		if (entity_take_extra(varied->work, entity, 0))
			entity_add_reading(
			    varied->work, entity, &leaf.readings[i]);
	/* a multipart that its header does not, or not clearly, declare */
	if (entity->origin.reading == NULL)
		vary_multipart(varied, entity, slice_make(NULL, 0));
}

/* ---------------------------------------------------------------- headers */

/* Whether an empty line stands before what looks like MIME headers. */
static bool
starts_with_blank_line(struct slice block)
{
	size_t at = 0;

	while (at < block.length &&
	       (block.data[at] == '\r' || block.data[at] == '\n'))
		at++;
	return at > 0 && at <= 4 &&
	       slice_starts_with_fold(
		   slice_skip(block, at), SLICE_LITERAL("content-"));
}

/* Reads the entity again from another place, or with other ends of its
 * headers. False when that may not cost more. */
static bool
read_again(struct varied *varied, struct entity *entity,
    const struct entity_origin *origin, struct slice block)
{
	return entity_take_extra(varied->work, entity, block.length) &&
	       add_job(varied, origin, block);
}

/* A line among the headers that is no field: some readers end them there,
 * with or without that line. */
static void
vary_odd_line(struct varied *varied, struct entity *entity,
    const struct entity_origin *like)
{
	struct entity_origin early = *like, behind = *like;
	struct slice block = entity->block, rest;
	size_t end;

	early.reading = "headers-end-early";
	early.headers_end = entity->first_odd_line;
	if (!read_again(varied, entity, &early, block))
		return;
	rest = slice_skip(block, early.headers_end);
	end = slice_find_byte(rest, '\n');
	if (end == SIZE_MAX)
		return;
	behind.reading = "headers-end-odd";
	behind.headers_end = early.headers_end + end + 1;
	read_again(varied, entity, &behind, block);
}

/* Other readings of where the header block ends. */
static void
vary_headers(struct varied *varied, struct entity *entity)
{
	struct entity_origin other = entity->origin;
	struct slice block = entity->block;
	struct slice further = beyond(varied, entity, block);

	if (other.whole || other.reading != NULL)
		return;
	other.reading_of = entity->part;
	other.enclosing = SIZE_MAX;
	if (entity->first_odd_line != SIZE_MAX)
		vary_odd_line(varied, entity, &other);
	if (starts_with_blank_line(block)) {
		other.reading = "headers-after-blank";
		if (read_again(varied, entity, &other,
			slice_skip(block, slice_find_byte(block, '\n') + 1)))
			note(varied, entity, BIT(HEADER_MALFORMED));
	}
	if (!entity->headers_ended && further.length > 0 &&
	    entity->body.length == 0 &&
	    part_of(varied, entity)->headers.count > 0) {
		other.reading = "headers-first";
		if (read_again(varied, entity, &other, further))
			note(varied, entity, BIT(BOUNDARY_NESTED));
	}
	if (entity->header_oddities & HEADER_ODD_CR) {
		other.reading = "cr-ends-lines";
		other.cr_ends_lines = true;
		read_again(varied, entity, &other, block);
	}
}

/* --------------------------------------------------------------- the pass */

static void
vary_entity(struct varied *varied, struct entity *entity)
{
	bool multipart = slice_starts_with(
	    part_of(varied, entity)->type, SLICE_LITERAL("multipart/"));

	if (entity->is_leaf)
		vary_leaf(varied, entity);
	else if (multipart && part_of(varied, entity)->is_container)
		vary_container(varied, entity);
	vary_headers(varied, entity);
}

void
vary_all(struct entity_work *work)
{
	struct varied varied = { .work = work };

	/* what the other readings bring joins the list */
	for (size_t i = 0;
	     i < work->entities.count && !arena_exhausted(work->arena); i++) {
		vary_entity(&varied, &work->entities.items[i]);
		run_jobs(&varied);
	}
}
