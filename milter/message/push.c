#include <config.h>

#include <stdint.h>

#include "message/line.h"
#include "message/multipart.h"
#include "message/push.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

/* Decoded content up to this size is copied to its place; what is larger
 * keeps the memory that it was decoded to. */
#define COPY_MAX  (64u << 10)
#define OUT_FIRST (16u << 10)
/* Messages in messages that are hashed as they come. Each level hashes its
 * bytes once more; deeper ones are hashed at their end, as far as the limit on
 * decoded bytes goes. */
#define HASHED_LEVELS 4

#define LOOSE_MAX     80 /* blanks before a delimiter, as multipart.c has it */

/* An open multipart or message. */
struct frame {
	size_t entity;
	bool multipart;
	struct slice needle; /* "--" and the boundary; empty: it has none */
	bool started;        /* a delimiter was seen */
	bool last_closed;    /* the last one was a close delimiter */
	bool full;           /* no further part is read */
	size_t piece;        /* where preamble or epilogue begin */
	struct digest_run *digest; /* of a message */
	size_t digested;           /* bytes before this are in it */
};

enum state {
	STATE_HEADERS, /* of the open entity */
	STATE_LEAF,    /* its body */
	STATE_SKIP     /* preamble, epilogue, what no part is read of */
};

enum leaf_mode {
	LEAF_AS_IS,
	LEAF_BASE64,
	LEAF_QUOTED,
	LEAF_LATER, /* decoded as a whole at its end */
	LEAF_OPAQUE
};

/* The leaf that is being read. */
struct leaf_progress {
	enum leaf_mode mode;
	bool surveyed; /* its octets are looked at */
	size_t done;   /* offset: what stands before has been taken */
	size_t looked; /* quoted-printable: no line end since `done` */
	struct transfer_base64_stream base64;
	mime_defect_set defects;
	struct line_survey survey;
	bool nul;
	bool begins_file; /* a line begins one (text as it is) */
	bool dropped;     /* larger than the limit leaves */
	size_t size;      /* decoded */
	struct digest_run *digest;
};

struct push {
	struct entity_work *work;
	struct slice bytes;
	bool stable;
	bool ended;
	enum state state;
	size_t first;  /* entities from here on are of this pass */
	size_t at;     /* what stands before has been looked at */
	size_t looked; /* no line end in [at, looked) */
	bool judged;   /* the line at `at` is no delimiter */
	LIST_OF(struct frame) frames;
	size_t hashed[HASHED_LEVELS]; /* indices of frames with a digest */
	unsigned hashed_count;
	size_t needle_max;
	size_t entity; /* the open one, in headers or leaf */
	struct leaf_progress leaf;
	/* what the leaf was decoded to */
	unsigned char *out;
	size_t out_length, out_capacity;
};

static struct entity *
open_entity(struct push *push)
{
	return &push->work->entities.items[push->entity];
}

static struct slice
range(const struct push *push, size_t from, size_t to)
{
	return slice_make(push->bytes.data + from, to > from ? to - from : 0);
}

/* ------------------------------------------------------------------ digests */

static struct digest_run *
take_run(struct entity_work *work)
{
	struct digest_run *run;

	if (work->digest_kinds == 0)
		return NULL;
	if (work->spare_runs.count > 0)
		run = work->spare_runs.items[--work->spare_runs.count];
	else
		run = digest_run_new(work->arena);
	if (run != NULL)
		digest_run_begin(run, work->digest_kinds);
	return run;
}

static void
end_run(struct push *push, struct digest_run **run, struct mime_part *part)
{
	struct digest_run **spare;

	if (*run == NULL)
		return;
	digest_run_end(push->work->arena, *run, &part->digests);
	spare =
	    list_append(push->work->arena, &push->work->spare_runs, SIZE_MAX);
	if (spare != NULL)
		*spare = *run;
	*run = NULL;
}

static void
add_to_run(struct digest_run *run, struct slice bytes)
{
	if (run != NULL)
		digest_run_add(run, bytes);
}

/* -------------------------------------------------------------------- leafs */

/* Makes room for `size` more decoded bytes. */
static unsigned char *
reserve(struct push *push, size_t size)
{
	size_t need = push->out_length + size;

	if (need > push->out_capacity) {
		size_t capacity = 2 * push->out_capacity;
		unsigned char *grown;

		if (capacity < need)
			capacity = need;
		if (capacity < OUT_FIRST)
			capacity = OUT_FIRST;
		grown =
		    arena_block_grow(push->work->arena, push->out, capacity);
		if (grown == NULL)
			return NULL;
		push->out = grown;
		push->out_capacity = capacity;
	}
	return push->out + push->out_length;
}

/* Takes `length` decoded bytes that stand at the end of the output. */
static void
take_decoded(struct push *push, size_t length)
{
	struct leaf_progress *leaf = &push->leaf;

	add_to_run(
	    leaf->digest, slice_make(push->out + push->out_length, length));
	push->out_length += length;
	leaf->size += length;
	/* what the limit leaves no room for is hashed and counted alone */
	if (leaf->size > push->work->decoded_left)
		leaf->dropped = true;
	if (leaf->dropped)
		push->out_length = 0;
}

static void
decode_base64(struct push *push, struct slice piece)
{
	unsigned char *out = reserve(push, TRANSFER_BASE64_ROOM(piece.length));

	if (out != NULL)
		take_decoded(
		    push, transfer_base64_add(&push->leaf.base64, piece, out));
}

static void
decode_quoted(struct push *push, struct slice piece)
{
	unsigned char *out = reserve(push, TRANSFER_QUOTED_ROOM(piece.length));
	struct transfer_result result;

	if (out == NULL)
		return;
	result = transfer_quoted_printable(piece, QUOTED_KEEP, out);
	push->leaf.defects |= result.defects;
	take_decoded(push, result.length);
}

/* Decodes and hashes the leaf up to `end`, which no delimiter can reach. */
static void
commit_leaf(struct push *push, size_t end)
{
	struct leaf_progress *leaf = &push->leaf;
	struct slice piece;

	if (end <= leaf->done)
		return;
	if (leaf->mode == LEAF_QUOTED) {
		/* a line at a time; a long one is searched once */
		size_t from =
		    leaf->looked > leaf->done ? leaf->looked : leaf->done;
		const char *last = from < end ? memrchr(push->bytes.data + from,
						    '\n', end - from)
					      : NULL;

		leaf->looked = end;
		if (last == NULL)
			return;
		end = (size_t)(last - push->bytes.data) + 1;
	}
	piece = range(push, leaf->done, end);
	leaf->done = end;
	if (leaf->surveyed && leaf->mode != LEAF_BASE64 && !leaf->nul)
		leaf->nul = memchr(piece.data, '\0', piece.length) != NULL;
	switch (leaf->mode) {
	case LEAF_AS_IS:
		add_to_run(leaf->digest, piece);
		leaf->size += piece.length;
		return;
	case LEAF_BASE64:
		decode_base64(push, piece);
		return;
	case LEAF_QUOTED:
		decode_quoted(push, piece);
		return;
	case LEAF_LATER:
	case LEAF_OPAQUE:
		return;
	}
}

/* Tells the leaf and the messages around it what is certain to be theirs. It
 * is called for each line where lines come one by one, so only the few frames
 * that hash are visited. */
static void
commit(struct push *push, size_t end)
{
	if (push->state == STATE_LEAF)
		commit_leaf(push, end);
	for (unsigned i = 0; i < push->hashed_count; i++) {
		struct frame *frame = &push->frames.items[push->hashed[i]];

		if (end <= frame->digested)
			continue;
		digest_run_add(
		    frame->digest, range(push, frame->digested, end));
		frame->digested = end;
	}
}

/* What stands before the line break that may belong to a delimiter at
 * `line`. */
static size_t
before_break(size_t line)
{
	return line < 2 ? 0 : line - 2;
}

static enum leaf_mode
mode_of(enum transfer_encoding encoding)
{
	switch (encoding) {
	case TRANSFER_BASE64:
		return LEAF_BASE64;
	case TRANSFER_QUOTED_PRINTABLE:
		return LEAF_QUOTED;
	case TRANSFER_UUENCODE:
	case TRANSFER_YENC:
	case TRANSFER_BINHEX:
		return LEAF_LATER;
	case TRANSFER_IDENTITY:
	case TRANSFER_UNKNOWN:
		break;
	}
	return LEAF_AS_IS;
}

static void
begin_leaf(struct push *push, enum leaf_mode mode)
{
	struct entity *entity = open_entity(push);
	struct mime_part *part = entity_part(push->work, entity);
	enum transfer_encoding encoding = entity->declaration.encodings[0];

	part->is_text = slice_starts_with(part->type, SLICE_LITERAL("text/"));
	push->state = STATE_LEAF;
	push->leaf = (struct leaf_progress){
		.mode = mode,
		.surveyed = mode != LEAF_OPAQUE &&
			    (part->is_text || encoding != TRANSFER_IDENTITY),
		.done = entity->body_start,
	};
	if (mode != LEAF_LATER && mode != LEAF_OPAQUE)
		push->leaf.digest = take_run(push->work);
}

/* Octets that have no place in text or in an encoded body. Binary content as
 * it is may hold any. */
static void
note_octets(struct push *push, const struct entity *entity)
{
	struct leaf_progress *leaf = &push->leaf;

	if (!leaf->surveyed)
		return;
	if (leaf->mode == LEAF_BASE64) {
		if (leaf->base64.defects & BIT(BASE64_JUNK) &&
		    slice_find_byte(
			range(push, entity->body_start, entity->body_end),
			'\0') != SIZE_MAX)
			entity_note(push->work, entity, BIT(NUL_OCTET));
		return;
	}
	if (leaf->nul)
		entity_note(push->work, entity, BIT(NUL_OCTET));
	if (leaf->survey.bare_cr)
		entity_note(push->work, entity, BIT(BARE_CR));
	if (leaf->survey.crlf > 0 && leaf->survey.lf > 0)
		entity_note(push->work, entity, BIT(BARE_LF));
}

/* Decodes what is left of the leaf that ends at `end`. */
static void
finish_decoding(struct push *push, size_t end)
{
	struct leaf_progress *leaf = &push->leaf;
	unsigned char *out;

	commit_leaf(push, end);
	if (leaf->mode == LEAF_QUOTED && leaf->done < end)
		decode_quoted(push, range(push, leaf->done, end));
	if (leaf->mode == LEAF_BASE64 && (out = reserve(push, 2)) != NULL) {
		size_t loose = transfer_base64_end(&leaf->base64, out);

		open_entity(push)->loose_bytes = loose;
		take_decoded(push, loose);
	}
}

/* Where the decoded content is to stay. */
static struct slice
keep_decoded(struct push *push)
{
	struct slice content = slice_make(push->out, push->out_length);

	if (content.length <= COPY_MAX)
		content = arena_copy(push->work->arena, content);
	else {
		push->out = NULL;
		push->out_capacity = 0;
	}
	push->out_length = 0;
	return content;
}

/* The leaf's reading as far as its usual encoding goes. */
static struct leaf_reading
usual_reading(struct push *push, struct entity *entity)
{
	struct leaf_progress *leaf = &push->leaf;
	struct slice body = range(push, entity->body_start, entity->body_end);
	enum transfer_encoding encoding = entity->declaration.encodings[0];
	struct leaf_reading reading = { .encoding = encoding };

	switch (leaf->mode) {
	case LEAF_BASE64:
	case LEAF_QUOTED:
		reading.content = keep_decoded(push);
		return reading;
	case LEAF_LATER:
		if (leaf_decode_whole(push->work->arena, body, encoding,
			&reading, &entity->octets)) {
			leaf->size = reading.content.length;
			return reading;
		}
		reading.encoding = TRANSFER_IDENTITY;
		break;
	case LEAF_AS_IS:
	case LEAF_OPAQUE:
		break;
	}
	entity->as_is = true;
	reading.content = body;
	leaf->size = body.length;
	return reading;
}

static void
read_inner_message(struct push *push, const struct entity *entity)
{
	struct entity_origin inner = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = entity->origin.reading_of,
		.reading = entity->origin.reading,
		.enclosing = SIZE_MAX,
		.headers_end = SIZE_MAX,
	};
	struct mime_part *part = entity_part(push->work, entity);

	if (!part->content_kept)
		return;
	if (entity_has_room(push->work)) {
		push_whole(push->work, &inner, part->content);
		return;
	}
	part->opaque = true;
	part->defects |= BIT(TOO_MANY_PARTS);
}

static void
finish_leaf(struct push *push, size_t end)
{
	struct entity_work *work = push->work;
	struct entity *entity = open_entity(push);
	struct leaf_progress *leaf = &push->leaf;
	struct mime_part *part;
	struct leaf_reading reading;
	size_t line = push->at;

	entity->body_end = end;
	finish_decoding(push, end);
	/* the break before a delimiter is none of the body's */
	if (end < line && line > entity->body_start &&
	    push->bytes.data[line - 1] == '\n') {
		if (line > entity->body_start + 1 &&
		    push->bytes.data[line - 2] == '\r')
			leaf->survey.crlf -= leaf->survey.crlf > 0;
		else
			leaf->survey.lf -= leaf->survey.lf > 0;
	}
	note_octets(push, entity);
	entity->octets |= leaf->defects | leaf->base64.defects;
	entity->blank_line = leaf->base64.blank_line;
	reading = usual_reading(push, entity);
	part = entity_part(work, entity);
	part->encoding = reading.encoding;
	part->defects |= entity->octets;
	if (leaf->digest == NULL)
		entity_fill(work, part, &reading);
	else {
		end_run(push, &leaf->digest, part);
		if (entity_take_decoded(work, part, leaf->size)) {
			part->content = reading.content;
			part->content_kept = true;
		}
	}
	if (leaf->mode == LEAF_OPAQUE)
		return;
	entity_add_name(work, part, &reading);
	entity_decide_attachment(part);
	entity->is_leaf = !part->is_container;
	if (part->is_container)
		read_inner_message(push, entity);
	else if (part->is_text && part->content_kept &&
		 (leaf->mode != LEAF_AS_IS || leaf->begins_file))
		entity_add_inner_files(work, entity, part->content);
}

/* ------------------------------------------------------------------- frames */

static struct frame *
push_frame(struct push *push, bool multipart)
{
	struct frame *frame =
	    list_append(push->work->arena, &push->frames, SIZE_MAX);

	if (frame == NULL)
		return NULL;
	*frame = (struct frame){
		.entity = push->entity,
		.multipart = multipart,
		.piece = open_entity(push)->body_start,
		.digested = open_entity(push)->body_start,
	};
	push->state = STATE_SKIP;
	return frame;
}

static void
begin_multipart(struct push *push)
{
	struct entity *entity = open_entity(push);
	const struct param_readings *boundaries =
	    &entity->declaration.boundaries;
	struct frame *frame = push_frame(push, true);

	entity_part(push->work, entity)->is_container = true;
	if (frame == NULL)
		return;
	if (boundaries->count == 0) {
		entity_note(push->work, entity, BIT(BOUNDARY_MISSING));
		return;
	}
	frame->needle =
	    multipart_needle(push->work->arena, boundaries->items[0].value);
	if (frame->needle.length > push->needle_max)
		push->needle_max = frame->needle.length;
}

/* Begins the entity whose headers stand at `start`. */
static void
begin_child(struct push *push, const struct entity_origin *origin, size_t start)
{
	struct entity *entity = entity_begin(push->work, origin);

	if (entity == NULL) {
		push->state = STATE_SKIP;
		return;
	}
	entity->start = start;
	push->entity = push->work->entities.count - 1;
	push->state = STATE_HEADERS;
}

static void
begin_message(struct push *push)
{
	struct entity *entity = open_entity(push);
	struct entity_origin inner = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = entity->origin.reading_of,
		.reading = entity->origin.reading,
		.enclosing = SIZE_MAX,
		.headers_end = SIZE_MAX,
	};
	struct frame *frame;

	entity_part(push->work, entity)->is_container = true;
	if (mode_of(entity->declaration.encodings[0]) != LEAF_AS_IS) {
		begin_leaf(push, mode_of(entity->declaration.encodings[0]));
		return;
	}
	frame = push_frame(push, false);
	if (frame == NULL)
		return;
	if (push->hashed_count < HASHED_LEVELS)
		frame->digest = take_run(push->work);
	if (frame->digest != NULL)
		push->hashed[push->hashed_count++] = push->frames.count - 1;
	if (entity_has_room(push->work)) {
		begin_child(push, &inner, entity->body_start);
		return;
	}
	entity_note(push->work, entity, BIT(TOO_MANY_PARTS));
	entity_part(push->work, entity)->opaque = true;
}

/* The body of the open entity begins, at its body_start. */
static void
begin_body(struct push *push)
{
	struct entity *entity = open_entity(push);
	struct mime_part *part = entity_part(push->work, entity);
	bool multipart =
	    slice_starts_with(part->type, SLICE_LITERAL("multipart/"));
	bool message = entity_is_message_type(part->type);

	if (slice_equal_text(part->type, "message/partial"))
		part->defects |= BIT(MESSAGE_PARTIAL);
	if (slice_equal_text(part->type, "message/external-body"))
		part->defects |= BIT(EXTERNAL_BODY);
	if ((multipart || message) &&
	    entity->origin.depth >= push->work->limits->depth) {
		part->defects |= BIT(TOO_DEEP);
		part->opaque = true;
		begin_leaf(push, LEAF_OPAQUE);
	} else if (multipart)
		begin_multipart(push);
	else if (message)
		begin_message(push);
	else
		begin_leaf(push, mode_of(entity->declaration.encodings[0]));
}

/* The headers of the open entity are there; they end at `end` at the
 * latest. */
static void
end_headers(struct push *push, size_t end)
{
	struct entity *entity = open_entity(push);

	if (end < entity->start)
		end = entity->start;
	entity->body_start =
	    entity->start + entity_read_headers(push->work, entity,
				range(push, entity->start, end), push->stable);
	entity->body_end = entity->body_start;
	begin_body(push);
}

/* Ends what is open inside the frames, at `end`. */
static void
finish_inner(struct push *push, size_t end)
{
	while (push->state == STATE_HEADERS)
		end_headers(push, end);
	if (push->state == STATE_LEAF) {
		size_t start = open_entity(push)->body_start;

		/* a delimiter may take the line break that ended the headers */
		if (end < start)
			open_entity(push)->headers_ended = false;
		finish_leaf(push, end < start ? start : end);
	}
	push->state = STATE_SKIP;
}

static void
note_outside(struct push *push, const struct frame *frame, size_t end)
{
	struct entity *entity = &push->work->entities.items[frame->entity];
	struct entity_outside *outside;

	if (end <= frame->piece)
		return;
	/* each may become a part */
	if (entity->outside.count >= push->work->limits->parts) {
		entity_note(push->work, entity, BIT(TOO_MANY_PARTS));
		return;
	}
	outside = list_append(push->work->arena, &entity->outside, SIZE_MAX);
	if (outside != NULL)
		*outside = (struct entity_outside){ frame->piece, end,
			!frame->started };
}

/* Gives a message its content and the digests of that. */
static void
finish_message(
    struct push *push, struct frame *frame, const struct entity *entity)
{
	struct mime_part *part = entity_part(push->work, entity);
	struct slice content =
	    range(push, entity->body_start, entity->body_end);
	bool hashed = frame->digest != NULL;

	if (hashed && entity->body_end > frame->digested)
		digest_run_add(frame->digest,
		    range(push, frame->digested, entity->body_end));
	end_run(push, &frame->digest, part);
	if (!entity_take_decoded(push->work, part, content.length))
		return;
	part->content = content;
	part->content_kept = true;
	if (!hashed)
		digest_compute(push->work->arena, content,
		    push->work->digest_kinds, &part->digests);
}

/* Ends the innermost frame, at `end`. */
static void
pop_frame(struct push *push, size_t end)
{
	struct frame *frame = &push->frames.items[push->frames.count - 1];
	struct entity *entity = &push->work->entities.items[frame->entity];
	struct mime_part *part = entity_part(push->work, entity);

	if (end < entity->body_start) {
		entity->headers_ended = false;
		end = entity->body_start;
	}
	entity->body_end = end;
	push->frames.count--;
	if (push->hashed_count > 0 &&
	    push->hashed[push->hashed_count - 1] == push->frames.count)
		push->hashed_count--;
	if (frame->multipart) {
		if (frame->last_closed)
			note_outside(push, frame, end);
		if (frame->needle.length > 0 &&
		    (entity->pieces == 0 || !entity->closed))
			part->defects |= BIT(DELIMITER_MISSING);
		return;
	}
	entity->as_is = true;
	finish_message(push, frame, entity);
	entity_decide_attachment(part);
}

/* Begins the part after a delimiter of the innermost frame. */
static void
begin_piece(struct push *push)
{
	struct frame *frame = &push->frames.items[push->frames.count - 1];
	struct entity *entity = &push->work->entities.items[frame->entity];
	struct entity_origin child = {
		.parent = entity->part,
		.depth = entity->origin.depth + 1,
		.reading_of = entity->origin.reading_of,
		.reading = entity->origin.reading,
		.digest_child = slice_equal_text(
		    entity_part(push->work, entity)->type, "multipart/digest"),
		.enclosing = frame->entity,
		.headers_end = SIZE_MAX,
	};

	entity->pieces++;
	if (entity->closed) {
		entity_note(push->work, entity, BIT(PART_AFTER_CLOSE));
		child.reading = "after-close";
		child.reading_of = entity->part;
	}
	frame->full |= !entity_has_room(push->work);
	if (!frame->full) {
		begin_child(push, &child, push->at);
		return;
	}
	entity_note(push->work, entity, BIT(TOO_MANY_PARTS));
	entity_part(push->work, entity)->opaque = true;
}

/* Takes a delimiter of frame `index`, which stands at push->at. */
static void
take_delimiter(struct push *push, size_t index,
    const struct multipart_delimiter *delimiter)
{
	struct frame *frame;

	commit(push, delimiter->before);
	finish_inner(push, delimiter->before);
	while (push->frames.count > index + 1)
		pop_frame(push, delimiter->before);
	frame = &push->frames.items[index];
	if (!frame->started || frame->last_closed)
		note_outside(push, frame, delimiter->before);
	frame->started = true;
	frame->last_closed = delimiter->close;
	frame->piece = delimiter->after;
	push->at = push->looked = delimiter->after;
	push->judged = false;
	if (delimiter->close)
		push->work->entities.items[frame->entity].closed = true;
	else
		begin_piece(push);
}

/* -------------------------------------------------------------------- lines */

/* Whether frame `index` has a delimiter at `at`, with its line as far as it
 * is there. */
static bool
is_delimiter(struct push *push, size_t index, size_t at,
    struct multipart_delimiter *delimiter)
{
	struct slice needle = push->frames.items[index].needle;

	return needle.length > 0 && push->bytes.length - at >= needle.length &&
	       memcmp(push->bytes.data + at, needle.data, needle.length) == 0 &&
	       multipart_delimiter(
		   push->bytes, at, needle.length, MULTIPART_EXACT, delimiter);
}

/* Takes the line at push->at when it is a delimiter; the outermost multipart
 * comes first. */
static bool
take_if_delimiter(struct push *push)
{
	struct multipart_delimiter delimiter;

	if (push->bytes.length - push->at < 2 ||
	    memcmp(push->bytes.data + push->at, "--", 2) != 0)
		return false;
	for (size_t i = 0; i < push->frames.count; i++)
		if (is_delimiter(push, i, push->at, &delimiter)) {
			take_delimiter(push, i, &delimiter);
			return true;
		}
	return false;
}

/* Remembers the first line of each multipart that only loose readers take for
 * its delimiter: "--" stands at `at`. */
static void
note_odd_delimiter(struct push *push, size_t at)
{
	struct slice rest = range(push, at, push->bytes.length);

	for (size_t i = 0; i < push->frames.count; i++) {
		const struct frame *frame = &push->frames.items[i];
		struct entity *entity =
		    &push->work->entities.items[frame->entity];

		if (frame->needle.length == 0 || entity->has_odd_line ||
		    !slice_starts_with(rest, frame->needle))
			continue;
		entity->odd_at = at;
		entity->has_odd_line = true;
	}
}

static bool
is_skipped_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Looks for such delimiters in a line, which may hold CRs of its own. */
static void
survey_odd_line(struct push *push, size_t end, size_t bare_cr)
{
	size_t at = push->at;

	if (push->needle_max == 0)
		return;
	while (at < end && at - push->at < LOOSE_MAX &&
	       is_skipped_blank(push->bytes.data[at]))
		at++;
	if (end - at >= 2 && memcmp(push->bytes.data + at, "--", 2) == 0)
		note_odd_delimiter(push, at);
	for (; bare_cr != SIZE_MAX;
	     bare_cr = line_find_bare_cr(push->bytes, bare_cr + 1, end))
		if (push->bytes.length - bare_cr > 2 &&
		    memcmp(push->bytes.data + bare_cr + 1, "--", 2) == 0)
			note_odd_delimiter(push, bare_cr + 1);
}

static void
survey_line(struct push *push, size_t end, bool broken)
{
	struct slice line = range(push, push->at, end);
	struct line_survey *survey = &push->leaf.survey;
	size_t bare_cr = line_find_bare_cr(push->bytes, push->at, end);

	survey_odd_line(push, end, bare_cr);
	if (push->state != STATE_LEAF)
		return;
	if (bare_cr != SIZE_MAX)
		survey->bare_cr = true;
	if (broken) {
		if (line.length > 0 && line.data[line.length - 1] == '\r')
			survey->crlf++;
		else
			survey->lf++;
	}
	if (slice_starts_with_fold(line, SLICE_LITERAL("begin ")) ||
	    slice_starts_with(line, SLICE_LITERAL("=ybegin ")))
		push->leaf.begins_file = true;
}

/* Whether the line at push->at, whose end is not there yet, may still turn out
 * to be a delimiter or to look like one. */
static bool
must_wait(const struct push *push)
{
	return !push->judged && push->needle_max > 0 &&
	       line_is_odd_start(push->bytes.data[push->at]) &&
	       push->bytes.length - push->at <
		   push->needle_max + MULTIPART_LINE_MAX + LOOSE_MAX + 4;
}

/* Takes the line at push->at, or as much of it as there is: false when more
 * bytes are needed. */
static bool
take_line(struct push *push)
{
	size_t from = push->looked > push->at ? push->looked : push->at;
	const char *found =
	    memchr(push->bytes.data + from, '\n', push->bytes.length - from);
	size_t end = found == NULL ? push->bytes.length
				   : (size_t)(found - push->bytes.data);

	if (found == NULL && !push->ended) {
		push->looked = end;
		if (must_wait(push)) {
			commit(push, before_break(push->at));
			return false;
		}
	}
	if (!push->judged && take_if_delimiter(push))
		return true;
	push->judged = true;
	if (found == NULL && !push->ended) {
		if (push->state != STATE_HEADERS)
			commit(push, before_break(end));
		return false;
	}
	survey_line(push, end, found != NULL);
	if (push->state == STATE_HEADERS && found != NULL &&
	    (end == push->at ||
		(end == push->at + 1 && push->bytes.data[push->at] == '\r'))) {
		push->at = end + 1;
		end_headers(push, push->at);
	} else
		push->at = end + (found != NULL);
	push->looked = push->at;
	push->judged = false;
	return true;
}

/* Where the line of a '-' at push->at begins when only blanks stand before it,
 * else SIZE_MAX. */
static size_t
start_of_dash(const struct push *push, size_t start)
{
	const char *bytes = push->bytes.data;
	size_t line = push->at;

	while (line > start && push->at - line < LOOSE_MAX &&
	       is_skipped_blank(bytes[line - 1]))
		line--;
	if (line == start || bytes[line - 1] == '\n')
		return line;
	return bytes[push->at - 1] == '\r' ? push->at - 1 : SIZE_MAX;
}

/* base64 has no '-', so one search runs over all of it. */
static bool
read_base64(struct push *push)
{
	const char *bytes = push->bytes.data;
	size_t start = open_entity(push)->body_start;

	while (push->needle_max > 0 && push->at < push->bytes.length) {
		size_t left = push->bytes.length - push->at, line;
		const char *found = memchr(bytes + push->at, '-', left);

		if (found == NULL)
			break;
		push->at = (size_t)(found - bytes);
		line = start_of_dash(push, start);
		if (line != SIZE_MAX) {
			left = push->bytes.length - push->at;
			if (!push->ended &&
			    left < push->needle_max + MULTIPART_LINE_MAX + 4 &&
			    memchr(found, '\n', left) == NULL) {
				commit(push, before_break(line));
				return false;
			}
			if (line == push->at && take_if_delimiter(push))
				return true;
			note_odd_delimiter(push, push->at);
		}
		push->at++;
	}
	push->at = push->bytes.length;
	commit(push, push->ended ? push->at : before_break(push->at));
	return false;
}

/* Reads lines until the state changes (true) or more bytes are needed. */
static bool
read_lines(struct push *push)
{
	enum state state = push->state;
	size_t entity = push->entity;

	while (push->at < push->bytes.length) {
		if (state != STATE_HEADERS && push->looked <= push->at) {
			push->at = line_scan(
			    push->bytes, push->at, &push->leaf.survey);
			if (push->at >= push->bytes.length)
				break;
		}
		if (!take_line(push))
			return false;
		if (push->state != state || push->entity != entity)
			return true;
	}
	if (state != STATE_HEADERS)
		commit(push, push->ended ? push->at : before_break(push->at));
	return false;
}

static void
advance(struct push *push)
{
	bool more = true;

	while (more && !arena_exhausted(push->work->arena)) {
		if (push->state == STATE_LEAF && push->leaf.mode == LEAF_BASE64)
			more = read_base64(push);
		else
			more = read_lines(push);
	}
}

/* --------------------------------------------------------------------- ends */

struct push *
push_begin(
    struct entity_work *work, const struct entity_origin *origin, bool stable)
{
	struct push *push = arena_alloc(work->arena, sizeof *push);

	if (push == NULL)
		return NULL;
	push->work = work;
	push->stable = stable;
	push->first = work->entities.count;
	push->bytes = SLICE_LITERAL("");
	begin_child(push, origin, 0);
	if (push->state != STATE_HEADERS)
		return NULL;
	if (origin->whole) {
		/* its headers came apart */
		push->stable = true;
		end_headers(push, 0);
		push->stable = stable;
	}
	return push;
}

void
push_feed(struct push *push, struct slice bytes)
{
	push->bytes = bytes;
	advance(push);
}

/* From here on the bytes stay where they are. */
static void
seal(struct push *push)
{
	struct entity_work *work = push->work;

	for (size_t i = push->first; i < work->entities.count; i++) {
		struct entity *entity = &work->entities.items[i];
		struct mime_part *part = entity_part(work, entity);

		if (entity->sealed)
			continue;
		entity->sealed = true;
		entity->block = range(push, entity->start, entity->body_end);
		entity->body =
		    range(push, entity->body_start, entity->body_end);
		if (!part->is_container || entity->as_is)
			part->raw = entity->body;
		if (entity->as_is && part->content_kept)
			part->content = entity->body;
		for (size_t n = 0; n < entity->outside.count; n++)
			entity->outside.items[n].text =
			    range(push, entity->outside.items[n].from,
				entity->outside.items[n].to);
		if (entity->has_odd_line)
			entity->odd_line =
			    multipart_line(push->bytes, entity->odd_at);
	}
}

void
push_end(struct push *push, struct slice bytes)
{
	push->bytes = bytes;
	push->ended = true;
	advance(push);
	finish_inner(push, bytes.length);
	while (push->frames.count > 0)
		pop_frame(push, bytes.length);
	seal(push);
}

size_t
push_complete(const struct push *push)
{
	if (push->state == STATE_SKIP)
		return push->work->parts->count;
	return push->work->entities.items[push->entity].part;
}

void
push_whole(struct entity_work *work, const struct entity_origin *origin,
    struct slice bytes)
{
	struct push *push = push_begin(work, origin, true);

	if (push == NULL)
		return;
	push->bytes = bytes;
	/* where the headers end is told, or found in another way */
	if (origin->headers_end != SIZE_MAX || origin->cr_ends_lines) {
		end_headers(push, bytes.length);
		push->at = work->entities.items[push->first].body_start;
	}
	push_end(push, bytes);
}
