#include <config.h>

#include <stdint.h>
#include <string.h>

#include "message/charset.h"
#include "message/declare.h"
#include "message/leaf.h"
#include "message/mime.h"
#include "message/multipart.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

/* Other readings may cost this much even in a tiny message. */
#define EXTRA_FLOOR 65536

const struct message_limits message_limits_default = {
	.headers = 2000,
	.header_bytes = 1000 * 1000,
	.params = 100,
	.depth = 30,
	.parts = 1000,
	.readings = 4,
	.body_bytes = 50 * 1000 * 1000,
	.decoded_bytes = 100 * 1000 * 1000,
	.text_bytes = 1024 * 1024,
	.html_bytes = 4 * 1024 * 1024,
	.urls = 5000,
	.addresses = 1000,
};

/* An entity that waits to be read. */
struct pending {
	struct slice block; /* headers and body; the body alone for the
			      * message itself */
	size_t parent;
	unsigned depth;
	size_t reading_of;
	const char *reading; /* of itself or of an ancestor */
	bool digest_child;   /* default type message/rfc822 (RFC 2046, 5.1.5) */
	bool whole;          /* the message: headers come from the source */
	bool cr_ends_lines;  /* header block read so */
	const char *outer_end; /* of the enclosing multipart's body, or NULL:
				* a reader that does not stop at its
				* delimiters goes on to there */
	size_t headers_end;    /* SIZE_MAX, or: the body begins here */
};

struct parser {
	struct arena *arena;
	const struct mime_source *source;
	const struct message_limits *limits;
	struct mime_parts *parts;
	LIST_OF(struct pending) stack;
	size_t extra_left; /* bytes that other readings may still cost */
	size_t decoded_left;
	mime_defect_set defects;
};

/* One entity while it is read. */
struct entity {
	const struct pending *pending;
	size_t index; /* of its part */
	struct slice body;
	struct declaration declaration;
	unsigned header_oddities;
	bool headers_ended;    /* the empty line was there */
	size_t first_odd_line; /* offset in the block, or SIZE_MAX */
	size_t first_blank_line;
	size_t readings_left;
};

static struct mime_part *
part_of(struct parser *parser, const struct entity *entity)
{
	return &parser->parts->items[entity->index];
}

static void
note(
    struct parser *parser, const struct entity *entity, mime_defect_set defects)
{
	part_of(parser, entity)->defects |= defects;
}

/* Takes `bytes` off what other readings may cost; false when used up. */
static bool
take_extra(struct parser *parser, struct entity *entity, size_t bytes)
{
	if (entity->readings_left == 0 || bytes > parser->extra_left) {
		note(parser, entity, BIT(TOO_MANY_READINGS));
		return false;
	}
	entity->readings_left--;
	parser->extra_left -= bytes;
	return true;
}

static struct mime_part *
new_part(struct parser *parser, const struct pending *pending)
{
	struct mime_part *part =
	    list_append(parser->arena, parser->parts, SIZE_MAX);

	if (part == NULL)
		return NULL;
	*part = (struct mime_part){
		.index = parser->parts->count - 1,
		.parent = pending->parent,
		.depth = pending->depth,
		.reading_of = pending->reading_of,
		.reading = pending->reading,
		.type = SLICE_LITERAL("text/plain"),
	};
	return part;
}

static bool
push(struct parser *parser, const struct pending *pending)
{
	struct pending *added;

	if (parser->parts->count + parser->stack.count >= parser->limits->parts)
		return false;
	added = list_append(parser->arena, &parser->stack, SIZE_MAX);
	if (added != NULL)
		*added = *pending;
	return added != NULL;
}

/* Turns the entries above `from` round, so that they come off in order. */
static void
reverse_from(struct parser *parser, size_t from)
{
	size_t to = parser->stack.count;

	while (from + 1 < to) {
		struct pending held = parser->stack.items[from];

		parser->stack.items[from++] = parser->stack.items[--to];
		parser->stack.items[to] = held;
	}
}

/* ---------------------------------------------------------------- headers */

static void
keep_headers(struct parser *parser, struct entity *entity)
{
	const struct pending *pending = entity->pending;
	struct header_scan scan = header_scan_begin(pending->block);
	struct header_list *headers = &part_of(parser, entity)->headers;
	struct header_field field;
	struct header_budget budget = {
		.fields_left = parser->limits->headers,
		.bytes_left = parser->limits->header_bytes,
	};
	unsigned before = 0, over;
	const char *at = pending->block.data;

	if (pending->headers_end != SIZE_MAX)
		scan.rest.length = pending->headers_end;
	scan.cr_ends_lines = pending->cr_ends_lines;
	while (header_scan_next(&scan, &field)) {
		struct header_field *kept;
		bool keep;

		if ((scan.oddities & ~before & HEADER_ODD_LINE) &&
		    entity->first_odd_line == SIZE_MAX)
			entity->first_odd_line =
			    (size_t)(at - pending->block.data);
		before = scan.oddities;
		at = scan.rest.data;
		keep = header_budget_take(&budget, &field, &over);
		if (over & HEADER_OVER_COUNT)
			note(parser, entity, BIT(TOO_MANY_HEADERS));
		if (over & HEADER_OVER_BYTES)
			note(parser, entity, BIT(HEADERS_TOO_LARGE));
		if (!keep)
			continue;
		kept = list_append(parser->arena, headers, SIZE_MAX);
		if (kept != NULL)
			*kept = field;
	}
	if ((scan.oddities & ~before & HEADER_ODD_LINE) &&
	    entity->first_odd_line == SIZE_MAX)
		entity->first_odd_line = (size_t)(at - pending->block.data);
	entity->header_oddities = scan.oddities;
	entity->headers_ended = scan.ended;
	entity->body = scan.rest;
	if (pending->headers_end != SIZE_MAX)
		entity->body = slice_skip(pending->block, pending->headers_end);
	if (scan.oddities & HEADER_ODD_LINE)
		note(parser, entity, BIT(HEADER_MALFORMED));
	if (scan.oddities & HEADER_ODD_NUL)
		note(parser, entity, BIT(NUL_OCTET));
	if (scan.oddities & HEADER_ODD_CR)
		note(parser, entity, BIT(BARE_CR));
	if (scan.oddities & HEADER_ODD_BLANK)
		note(parser, entity, BIT(HEADER_FOLDED_ODDLY));
}

static void
copy_declaration(struct parser *parser, struct entity *entity)
{
	struct mime_part *part = part_of(parser, entity);
	const struct declaration *declaration = &entity->declaration;

	if (declaration->type.length > 0)
		part->type = declaration->type;
	else if (entity->pending->digest_child)
		part->type = SLICE_LITERAL("message/rfc822");
	part->charset = declaration->charset;
	part->disposition = declaration->disposition;
	part->encoding = declaration->encodings[0];
	for (size_t i = 0; i < declaration->names.count; i++) {
		struct mime_name *name =
		    list_append(parser->arena, &part->names, SIZE_MAX);

		if (name != NULL)
			*name = (struct mime_name){
				declaration->names.items[i].value,
				declaration->names.items[i].how,
			};
	}
	part->defects |= declaration->defects;
}

/* -------------------------------------------------------------- multipart */

/* Whether the delimiters that only a loose match takes are those of a
 * boundary declared for an inner part, which ordinary mail often makes from
 * the outer one. */
static bool
odd_line_is_declared(const struct multipart_scan *scan)
{
	struct slice token = slice_trim(scan->odd_line);
	const char *found;

	token = slice_skip(token, 2);
	if (slice_ends_with(token, SLICE_LITERAL("--")))
		token.length -= 2;
	if (token.length == 0)
		return false;
	found = memmem(
	    scan->body.data, scan->body.length, token.data, token.length);
	return found != NULL && found < token.data && found > scan->body.data &&
	       found[-1] != '-';
}

/* How one multipart is split. */
struct split {
	struct slice boundary;
	enum multipart_match match;
	const char *how; /* NULL: the usual reading */
	size_t parts;    /* found */
	size_t odd;      /* delimiters of loose readers */
	bool closed;
};

static void
push_outside(struct parser *parser, struct entity *entity, struct slice piece,
    const char *how)
{
	struct pending outside = {
		.block = piece,
		.parent = entity->index,
		.depth = entity->pending->depth + 1,
		.reading_of = entity->index,
		.reading = how,
		.headers_end = 0,
	};

	/* what only non-MIME readers show is of interest when it carries a
	 * file */
	if (!leaf_looks_base64(piece) &&
	    memmem(piece.data, piece.length, "begin ", 6) == NULL)
		return;
	note(parser, entity, BIT(CONTENT_OUTSIDE));
	if (!push(parser, &outside))
		note(parser, entity, BIT(TOO_MANY_PARTS));
}

/* Pushes the pieces of a body; *split tells what was found. */
static void
split_body(struct parser *parser, struct entity *entity, struct slice body,
    struct split *split)
{
	const struct pending *pending = entity->pending;
	struct multipart_scan scan =
	    multipart_begin(parser->arena, body, split->boundary, split->match);
	struct pending child = {
		.parent = entity->index,
		.depth = pending->depth + 1,
		.reading_of =
		    split->how == NULL ? pending->reading_of : entity->index,
		.reading = split->how == NULL ? pending->reading : split->how,
		.digest_child = slice_equal_text(
		    part_of(parser, entity)->type, "multipart/digest"),
		.headers_end = SIZE_MAX,
		.outer_end = body.data + body.length,
	};
	enum multipart_piece kind;
	size_t from = parser->stack.count;

	while (multipart_next(&scan, &kind, &child.block)) {
		struct pending later = child;

		if (kind == MULTIPART_PREAMBLE || kind == MULTIPART_EPILOGUE) {
			if (split->how == NULL)
				push_outside(parser, entity, child.block,
				    kind == MULTIPART_PREAMBLE ? "preamble"
							       : "epilogue");
			continue;
		}
		split->parts++;
		if (kind == MULTIPART_AFTER_CLOSE) {
			note(parser, entity, BIT(PART_AFTER_CLOSE));
			if (split->how == NULL) {
				later.reading = "after-close";
				later.reading_of = entity->index;
			}
		}
		if (!push(parser, &later)) {
			note(parser, entity, BIT(TOO_MANY_PARTS));
			part_of(parser, entity)->opaque = true;
			break;
		}
	}
	reverse_from(parser, from);
	split->closed = scan.closed;
	if (scan.odd_count > 0 && !odd_line_is_declared(&scan))
		split->odd = scan.odd_count;
}

static bool
has_delimiters(
    struct parser *parser, struct slice body, const struct split *split)
{
	struct multipart_scan scan =
	    multipart_begin(parser->arena, body, split->boundary, split->match);
	enum multipart_piece kind;
	struct slice piece;

	return multipart_next(&scan, &kind, &piece);
}

/* Reads the body by another boundary or matcher, when that finds anything. */
static bool
split_otherwise(struct parser *parser, struct entity *entity, struct slice body,
    struct split split)
{
	if (!has_delimiters(parser, body, &split) ||
	    !take_extra(parser, entity, body.length))
		return false;
	split_body(parser, entity, body, &split);
	return true;
}

/* Other readings of a body that is, or may be, a multipart. `done` is the
 * usual one. */
static void
vary_multipart(struct parser *parser, struct entity *entity, struct slice body,
    const struct split *done)
{
	const struct param_readings *boundaries =
	    &entity->declaration.boundaries;
	struct split guess = { .how = "guessed-boundary" };
	bool found = done->parts > 0;

	for (size_t i = done->boundary.data == NULL ? 0 : 1;
	     i < boundaries->count; i++) {
		struct split other = { .boundary = boundaries->items[i].value,
			.how = "boundary" };

		found |= split_otherwise(parser, entity, body, other);
	}
	if (done->odd > 0) {
		struct split loose = { .boundary = done->boundary,
			.match = MULTIPART_LOOSE,
			.how = "loose-delimiter" };

		note(parser, entity, BIT(DELIMITER_ODD));
		found |= split_otherwise(parser, entity, body, loose);
	}
	if (!found && multipart_guess(body, &guess.boundary) &&
	    (done->boundary.data == NULL ||
		!slice_equal(guess.boundary, done->boundary)))
		split_otherwise(parser, entity, body, guess);
}

/* The entity's bytes up to the end of the enclosing multipart; empty when
 * that is no further. */
static struct slice
beyond(const struct entity *entity, struct slice bytes)
{
	const char *end = entity->pending->outer_end;

	if (end == NULL || bytes.data == NULL || end <= bytes.data ||
	    (size_t)(end - bytes.data) <= bytes.length)
		return slice_make(NULL, 0);
	return slice_make(bytes.data, (size_t)(end - bytes.data));
}

/* An inner multipart that the outer delimiters cut: some readers look for the
 * inner ones alone until it is closed. */
static void
read_inner_first(
    struct parser *parser, struct entity *entity, const struct split *usual)
{
	struct split inner = { .boundary = usual->boundary,
		.how = "inner-first" };
	struct slice body = beyond(entity, entity->body);
	struct split beyond_cut = inner;

	if (body.length == 0 ||
	    !has_delimiters(
		parser, slice_skip(body, entity->body.length), &beyond_cut))
		return;
	note(parser, entity, BIT(BOUNDARY_NESTED));
	split_otherwise(parser, entity, body, inner);
}

static void read_leaf_otherwise(struct parser *parser, struct entity *entity);

static void
read_multipart(struct parser *parser, struct entity *entity)
{
	struct declaration *declaration = &entity->declaration;
	struct split usual = { .parts = 0 };

	part_of(parser, entity)->is_container = true;
	if (declaration->boundaries.count == 0)
		note(parser, entity, BIT(BOUNDARY_MISSING));
	else {
		usual.boundary = declaration->boundaries.items[0].value;
		split_body(parser, entity, entity->body, &usual);
		if (usual.parts == 0 || !usual.closed) {
			note(parser, entity, BIT(DELIMITER_MISSING));
			if (entity->pending->reading == NULL)
				read_inner_first(parser, entity, &usual);
		}
	}
	if (entity->pending->reading == NULL)
		vary_multipart(parser, entity, entity->body, &usual);
	if (declaration->encodings[0] != TRANSFER_IDENTITY &&
	    declaration->encodings[0] != TRANSFER_UNKNOWN) {
		struct leaf leaf;

		note(parser, entity, BIT(ENCODING_COMPOSITE));
		if (usual.parts == 0 &&
		    leaf_decode(parser->arena, entity->body, declaration, false,
			0, &parser->extra_left, &leaf)) {
			usual.how = "decoded-multipart";
			split_otherwise(
			    parser, entity, leaf.readings[0].content, usual);
		}
	}
	/* nothing in it: some readers then take it for a plain part */
	if (usual.parts == 0 && entity->pending->reading == NULL &&
	    (part_of(parser, entity)->names.count > 0 ||
		declaration->encoding_declared))
		read_leaf_otherwise(parser, entity);
}

/* ------------------------------------------------------------------ leafs */

/* Puts decoded bytes into a part. */
static void
fill_part(struct parser *parser, struct mime_part *part,
    const struct leaf_reading *reading)
{
	part->encoding = reading->encoding;
	part->size = reading->content.length;
	part->is_text = slice_starts_with(part->type, SLICE_LITERAL("text/"));
	if (part->size > parser->decoded_left) {
		part->defects |= BIT(TOO_LARGE);
		part->opaque = true;
		return;
	}
	parser->decoded_left -= part->size;
	part->content = reading->content;
	part->content_kept = true;
	digest_compute(parser->arena, reading->content,
	    parser->source->digest_kinds, &part->digests);
}

/* The name that uuencode, yEnc or BinHex give a file themselves. */
static void
add_name(struct parser *parser, struct mime_part *part,
    const struct leaf_reading *reading)
{
	struct mime_name *name;

	if (reading->name.length == 0)
		return;
	for (size_t i = 0; i < part->names.count; i++)
		if (slice_equal(part->names.items[i].name, reading->name))
			return;
	name = list_append(parser->arena, &part->names, SIZE_MAX);
	if (name != NULL)
		*name = (struct mime_name){ reading->name,
			transfer_encoding_name(reading->encoding) };
}

static void
decide_attachment(struct mime_part *part)
{
	part->is_attachment =
	    part->names.count > 0 ||
	    slice_equal_text(part->disposition, "attachment") ||
	    (!part->is_text && !part->is_container);
}

/* A part of its own for another reading of a leaf. */
static void
add_reading(struct parser *parser, const struct entity *entity,
    const struct leaf_reading *reading)
{
	const struct mime_part *usual = part_of(parser, entity);
	struct pending like = {
		.parent = usual->parent,
		.depth = usual->depth,
		.reading_of = entity->index,
		.reading = reading->how,
	};
	struct mime_part *part;

	if (parser->parts->count >= parser->limits->parts) {
		note(parser, entity, BIT(TOO_MANY_PARTS));
		return;
	}
	part = new_part(parser, &like);
	if (part == NULL)
		return;
	usual = part_of(parser, entity);
	part->type = usual->type;
	part->charset = usual->charset;
	part->disposition = usual->disposition;
	part->names.items = usual->names.items;
	part->names.count = part->names.capacity = usual->names.count;
	part->raw = usual->raw;
	fill_part(parser, part, reading);
	add_name(parser, part, reading);
	decide_attachment(part);
}

/* A multipart without parts, read as the leaf that its other headers
 * declare. */
static void
read_leaf_otherwise(struct parser *parser, struct entity *entity)
{
	struct leaf leaf;

	if (!take_extra(parser, entity, entity->body.length) ||
	    !leaf_decode(parser->arena, entity->body, &entity->declaration,
		true, 1, &parser->extra_left, &leaf))
		return;
	for (size_t i = 0; i < leaf.count; i++) {
		if (leaf.readings[i].encoding == TRANSFER_IDENTITY)
			continue;
		leaf.readings[i].how = "not-multipart";
		add_reading(parser, entity, &leaf.readings[i]);
	}
}

/* A file that stands inside a text, as a part of its own. */
static bool
add_inner_file(struct parser *parser, const struct entity *entity,
    const struct leaf_reading *reading, mime_defect_set defects)
{
	struct pending like = {
		.parent = entity->index,
		.depth = entity->pending->depth + 1,
		.reading_of = MIME_NO_PART,
		.reading = entity->pending->reading,
	};
	struct mime_part *part;

	if (parser->parts->count >= parser->limits->parts) {
		note(parser, entity, BIT(TOO_MANY_PARTS));
		return false;
	}
	part = new_part(parser, &like);
	if (part == NULL)
		return false;
	part->type = SLICE_LITERAL("application/octet-stream");
	part->defects |= defects;
	fill_part(parser, part, reading);
	add_name(parser, part, reading);
	part->is_attachment = true;
	return true;
}

/* Whether a line begins like one that begins a file. */
static bool
may_hold_files(struct slice text, bool *yenc)
{
	struct slice rest = text;

	while (rest.length > 8) {
		const char *found;

		*yenc = slice_starts_with(rest, SLICE_LITERAL("=ybegin "));
		if (*yenc ||
		    slice_starts_with_fold(rest, SLICE_LITERAL("begin ")))
			return true;
		found = memchr(rest.data, '\n', rest.length);
		if (found == NULL)
			return false;
		rest = slice_skip(rest, (size_t)(found - rest.data) + 1);
	}
	return false;
}

/* Files that stand inside a text: uuencoded, any number; yEnc, one. */
static void
find_inner_files(struct parser *parser, const struct entity *entity)
{
	struct slice rest = part_of(parser, entity)->content;
	struct leaf_reading reading = { .encoding = TRANSFER_UUENCODE };
	struct transfer_result result;
	unsigned char *out;
	bool yenc;

	if (!may_hold_files(rest, &yenc))
		return;
	out = arena_alloc(parser->arena, rest.length + 64);
	if (out == NULL)
		return;
	if (yenc && transfer_yenc(rest, out, &reading.name, &result)) {
		reading.encoding = TRANSFER_YENC;
		reading.content = slice_make(out, result.length);
		add_inner_file(parser, entity, &reading, result.defects);
		return;
	}
	while (
	    transfer_uuencode_next(&rest, true, out, &reading.name, &result)) {
		reading.content = slice_make(out, result.length);
		out += result.length;
		if (!add_inner_file(parser, entity, &reading, result.defects))
			return;
	}
}

/* Whether a CR stands alone. */
static bool
has_bare_cr(struct slice body)
{
	size_t at;

	while ((at = slice_find_byte(body, '\r')) != SIZE_MAX) {
		body = slice_skip(body, at + 1);
		if (body.length > 0 && body.data[0] != '\n')
			return true;
	}
	return false;
}

/* Whether some lines end with CRLF and others with LF alone. */
static bool
has_mixed_ends(struct slice body)
{
	bool with = false, without = false;
	size_t at;

	while ((at = slice_find_byte(body, '\n')) != SIZE_MAX) {
		if (at > 0 && body.data[at - 1] == '\r')
			with = true;
		else
			without = true;
		if (with && without)
			return true;
		body = slice_skip(body, at + 1);
	}
	return false;
}

/* Octets that have no place in text or in an encoded body. Binary content as
 * it is may hold any. */
static void
survey_octets(struct parser *parser, const struct entity *entity)
{
	struct slice body = entity->body;

	if (entity->declaration.encodings[0] == TRANSFER_IDENTITY &&
	    !slice_starts_with(
		part_of(parser, entity)->type, SLICE_LITERAL("text/")))
		return;
	if (slice_find_byte(body, '\0') != SIZE_MAX)
		note(parser, entity, BIT(NUL_OCTET));
	if (entity->declaration.encodings[0] == TRANSFER_BASE64)
		return;
	if (has_bare_cr(body))
		note(parser, entity, BIT(BARE_CR));
	if (has_mixed_ends(body))
		note(parser, entity, BIT(BARE_LF));
}

static void
read_leaf(struct parser *parser, struct entity *entity)
{
	struct mime_part *part = part_of(parser, entity);
	struct leaf leaf;
	bool guess = entity->header_oddities != 0 ||
		     entity->declaration.type_odd || part->names.count > 0 ||
		     entity->declaration.defects != 0;
	size_t extra =
	    entity->pending->reading == NULL ? entity->readings_left : 1;

	part->raw = entity->body;
	if (entity->body.length > 0)
		survey_octets(parser, entity);
	if (!leaf_decode(parser->arena, entity->body, &entity->declaration,
		guess, extra, &parser->extra_left, &leaf))
		return;
	part = part_of(parser, entity);
	part->defects |= leaf.defects;
	fill_part(parser, part, &leaf.readings[0]);
	add_name(parser, part, &leaf.readings[0]);
	decide_attachment(part);
	for (size_t i = 1; i < leaf.count; i++)
		if (take_extra(parser, entity, 0)) /* paid when decoded */
			add_reading(parser, entity, &leaf.readings[i]);
	if (part_of(parser, entity)->is_text)
		find_inner_files(parser, entity);
	/* a multipart that its header does not, or not clearly, declare */
	if (entity->pending->reading == NULL) {
		struct split none = { .parts = 0 };

		vary_multipart(parser, entity, entity->body, &none);
	}
}

/* ---------------------------------------------------------------- messages */

static bool
is_message_type(struct slice type)
{
	return slice_equal_text(type, "message/rfc822") ||
	       slice_equal_text(type, "message/global") ||
	       slice_equal_text(type, "message/news") ||
	       slice_equal_text(type, "message/rfc2822");
}

static void
read_nested(struct parser *parser, struct entity *entity)
{
	struct leaf leaf;
	struct pending inner = {
		.parent = entity->index,
		.depth = entity->pending->depth + 1,
		.reading_of = entity->pending->reading_of,
		.reading = entity->pending->reading,
		.headers_end = SIZE_MAX,
	};
	struct mime_part *part = part_of(parser, entity);

	part->raw = entity->body;
	part->is_container = true;
	if (!leaf_decode(parser->arena, entity->body, &entity->declaration,
		false, 0, &parser->extra_left, &leaf))
		return;
	part = part_of(parser, entity);
	fill_part(parser, part, &leaf.readings[0]);
	decide_attachment(part);
	inner.block = leaf.readings[0].content;
	if (!push(parser, &inner)) {
		note(parser, entity, BIT(TOO_MANY_PARTS));
		part_of(parser, entity)->opaque = true;
	}
}

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

/* Other readings of where the header block ends. */
static void
vary_headers(struct parser *parser, struct entity *entity)
{
	struct pending other = *entity->pending;

	if (other.whole || other.reading != NULL)
		return;
	other.reading_of = entity->index;
	if (entity->first_odd_line != SIZE_MAX &&
	    take_extra(parser, entity, other.block.length)) {
		const char *end;

		other.reading = "headers-end-early";
		other.headers_end = entity->first_odd_line;
		push(parser, &other);
		end = memchr(other.block.data + other.headers_end, '\n',
		    other.block.length - other.headers_end);
		if (end != NULL &&
		    take_extra(parser, entity, other.block.length)) {
			other.reading = "headers-end-odd";
			other.headers_end =
			    (size_t)(end - other.block.data) + 1;
			push(parser, &other);
		}
	}
	if (starts_with_blank_line(other.block) &&
	    take_extra(parser, entity, other.block.length)) {
		other.reading = "headers-after-blank";
		other.headers_end = SIZE_MAX;
		other.block = slice_skip(
		    other.block, slice_find_byte(other.block, '\n') + 1);
		note(parser, entity, BIT(HEADER_MALFORMED));
		push(parser, &other);
		other.block = entity->pending->block;
	}
	if (!entity->headers_ended &&
	    beyond(entity, entity->pending->block).length > 0 &&
	    entity->body.length == 0 &&
	    part_of(parser, entity)->headers.count > 0 &&
	    take_extra(parser, entity,
		beyond(entity, entity->pending->block).length)) {
		other.reading = "headers-first";
		other.headers_end = SIZE_MAX;
		other.block = beyond(entity, entity->pending->block);
		note(parser, entity, BIT(BOUNDARY_NESTED));
		push(parser, &other);
		other.block = entity->pending->block;
	}
	if ((entity->header_oddities & HEADER_ODD_CR) &&
	    take_extra(parser, entity, other.block.length)) {
		other.reading = "cr-ends-lines";
		other.headers_end = SIZE_MAX;
		other.cr_ends_lines = true;
		push(parser, &other);
	}
}

/* -------------------------------------------------------------- the list */

static void
read_kind(struct parser *parser, struct entity *entity)
{
	struct mime_part *part = part_of(parser, entity);
	bool too_deep = entity->pending->depth >= parser->limits->depth;
	bool multipart =
	    slice_starts_with(part->type, SLICE_LITERAL("multipart/"));

	if (slice_equal_text(part->type, "message/partial"))
		note(parser, entity, BIT(MESSAGE_PARTIAL));
	if (slice_equal_text(part->type, "message/external-body"))
		note(parser, entity, BIT(EXTERNAL_BODY));
	if (too_deep && (multipart || is_message_type(part->type))) {
		note(parser, entity, BIT(TOO_DEEP));
		part->opaque = true;
		part->raw = entity->body;
		part->content = entity->body;
		part->content_kept = true;
		part->size = entity->body.length;
		return;
	}
	if (multipart)
		read_multipart(parser, entity);
	else if (is_message_type(part->type))
		read_nested(parser, entity);
	else
		read_leaf(parser, entity);
}

static bool
read_entity(struct parser *parser, const struct pending *pending)
{
	struct entity entity = {
		.pending = pending,
		.first_odd_line = SIZE_MAX,
		.readings_left = parser->limits->readings,
	};
	struct mime_part *part = new_part(parser, pending);
	const struct header_list *headers;

	if (part == NULL)
		return false;
	entity.index = part->index;
	if (pending->whole) {
		entity.body = pending->block;
		headers = parser->source->headers;
	} else {
		keep_headers(parser, &entity);
		headers = &part_of(parser, &entity)->headers;
	}
	/* an empty body needs an address all the same */
	if (entity.body.data == NULL)
		entity.body = SLICE_LITERAL("");
	if (!declare_read(
		parser->arena, headers, parser->limits, &entity.declaration))
		return false;
	copy_declaration(parser, &entity);
	vary_headers(parser, &entity);
	read_kind(parser, &entity);
	return !arena_exhausted(parser->arena);
}

enum tc_status
mime_read(struct arena *arena, const struct mime_source *source,
    struct mime_parts *parts, mime_defect_set *defects)
{
	size_t size = source->body.length;
	struct parser parser = {
		.arena = arena,
		.source = source,
		.limits = source->limits,
		.parts = parts,
		.extra_left = size < EXTRA_FLOOR    ? EXTRA_FLOOR
			      : size > SIZE_MAX / 2 ? SIZE_MAX
						    : 2 * size,
		.decoded_left = source->limits->decoded_bytes,
	};
	struct pending next = {
		.block = source->body,
		.parent = MIME_NO_PART,
		.reading_of = MIME_NO_PART,
		.whole = true,
		.headers_end = SIZE_MAX,
	};
	bool good = push(&parser, &next);

	while (good && parser.stack.count > 0) {
		next = parser.stack.items[--parser.stack.count];
		good = read_entity(&parser, &next);
	}
	for (size_t i = 0; i < parts->count; i++)
		*defects |= parts->items[i].defects;
	return good ? TC_OK : TC_LIMIT;
}
