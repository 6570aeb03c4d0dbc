#include <config.h>

#include <stdint.h>

#include "message/leaf.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

struct decoder {
	struct arena *arena;
	struct slice raw;
	const struct leaf_budget *budget;
	struct leaf *leaf;
	unsigned char *spare; /* of a reading that was not kept */
	size_t spare_size;
};

/* Memory to decode into; NULL when no further reading may be made: each costs
 * the bytes that it reads. */
static unsigned char *
take_room(struct decoder *decoder, size_t size)
{
	unsigned char *room = decoder->spare;

	if (decoder->raw.length > *decoder->budget->bytes_left) {
		decoder->leaf->defects |= BIT(TOO_MANY_READINGS);
		return NULL;
	}
	*decoder->budget->bytes_left -= decoder->raw.length;
	decoder->spare = NULL;
	if (room != NULL && decoder->spare_size >= size)
		return room;
	return arena_alloc(decoder->arena, size);
}

/* Keeps the memory of a reading that was not kept. */
static void
give_room(struct decoder *decoder, unsigned char *room, size_t size)
{
	decoder->spare = room;
	decoder->spare_size = size;
}

/* Adds a reading unless an earlier one has the same content; false then. */
static bool
add(struct decoder *decoder, struct slice content,
    enum transfer_encoding encoding, const char *how, struct slice name)
{
	struct leaf *leaf = decoder->leaf;

	for (size_t i = 0; i < leaf->count; i++)
		if (slice_equal(leaf->readings[i].content, content))
			return false;
	if (content.length == 0)
		return false;
	if (leaf->count > decoder->budget->readings ||
	    leaf->count == LEAF_READINGS_MAX) {
		leaf->defects |= BIT(TOO_MANY_READINGS);
		return false;
	}
	leaf->readings[leaf->count] = (struct leaf_reading){
		.content = content,
		.encoding = encoding,
		.how = how,
		.name = name,
	};
	leaf->count++;
	return true;
}

static mime_defect_set
add_base64(
    struct decoder *decoder, enum base64_reading reading, const char *how)
{
	struct slice raw = decoder->raw;
	size_t size = TRANSFER_BASE64_ROOM(raw.length);
	unsigned char *out = take_room(decoder, size);
	struct transfer_result result;

	if (out == NULL)
		return 0;
	result = transfer_base64(raw, reading, out);
	if (!add(decoder, slice_make(out, result.length), TRANSFER_BASE64, how,
		slice_make(NULL, 0)))
		give_room(decoder, out, size);
	return result.defects;
}

/* What follows the first blank line, where data stands before and behind it:
 * some readers begin there. */
static struct slice
after_blank_line(struct slice raw)
{
	size_t at = 0;

	while (at < raw.length) {
		const char *found =
		    memchr(raw.data + at, '\n', raw.length - at);
		struct slice rest;

		if (found == NULL)
			break;
		at = (size_t)(found - raw.data) + 1;
		if (at < raw.length && raw.data[at] == '\r')
			at++;
		if (at >= raw.length || raw.data[at] != '\n')
			continue;
		rest = slice_skip(raw, at);
		if (slice_trim(slice_range(raw, 0, at)).length == 0)
			continue;
		return slice_trim(rest).length < 4 ? slice_make(NULL, 0) : rest;
	}
	return slice_make(NULL, 0);
}

/* The length of the first line, without its line break. */
static size_t
first_line_length(struct slice raw)
{
	struct slice line;

	slice_split(raw, '\n', &line);
	return slice_trim(line).length;
}

/* base64 that ends inside a quantum: some readers give the octets that are
 * whole, some drop them. */
static void
drop_loose_bytes(struct decoder *decoder, const struct leaf_usual *usual)
{
	struct slice content = usual->content;

	if (usual->loose_bytes == 0 || content.length < usual->loose_bytes)
		return;
	content.length -= usual->loose_bytes;
	if (decoder->raw.length > *decoder->budget->bytes_left) {
		decoder->leaf->defects |= BIT(TOO_MANY_READINGS);
		return;
	}
	*decoder->budget->bytes_left -= decoder->raw.length;
	add(decoder, content, TRANSFER_BASE64, "base64-whole-quanta",
	    slice_make(NULL, 0));
}

/* base64 that is not clean, as other readers have it. */
static void
vary_base64(struct decoder *decoder, mime_defect_set odd, bool blank_line)
{
	struct slice whole = decoder->raw;
	struct slice after =
	    blank_line ? after_blank_line(whole) : slice_make(NULL, 0);

	if (odd & BIT(BASE64_JUNK)) {
		add_base64(decoder, BASE64_LINES, "base64-lines");
		add_base64(decoder, BASE64_LINE_TAILS, "base64-line-tails");
	}
	if (odd & BIT(BASE64_PADDING)) {
		add_base64(decoder, BASE64_STOP, "base64-stop");
		add_base64(decoder, BASE64_TUPLES, "base64-tuples");
		add_base64(
		    decoder, BASE64_IGNORE_PADDING, "base64-ignore-padding");
	}
	if (after.length > 0) {
		decoder->raw = after;
		add_base64(decoder, BASE64_THROUGH, "base64-after-blank");
		decoder->raw = whole;
	}
	/* lines that are no whole quanta: readers that decode line by line */
	if (first_line_length(whole) % 4 != 0 &&
	    memchr(whole.data, '\n', whole.length) != NULL)
		add_base64(decoder, BASE64_WHOLE_LINES, "base64-whole-lines");
}

static mime_defect_set
add_quoted(
    struct decoder *decoder, enum quoted_reading reading, const char *how)
{
	struct slice raw = decoder->raw;
	size_t size = TRANSFER_QUOTED_ROOM(raw.length);
	unsigned char *out = take_room(decoder, size);
	struct transfer_result result;

	if (out == NULL)
		return 0;
	result = transfer_quoted_printable(raw, reading, out);
	if (!add(decoder, slice_make(out, result.length),
		TRANSFER_QUOTED_PRINTABLE, how, slice_make(NULL, 0)))
		give_room(decoder, out, size);
	return result.defects;
}

static void
vary_quoted(struct decoder *decoder, mime_defect_set odd)
{
	if (!(odd & BIT(QUOTED_PRINTABLE_MALFORMED)))
		return;
	add_quoted(decoder, QUOTED_DROP, "quoted-drop");
	add_quoted(decoder, QUOTED_DROP_ESCAPE, "quoted-drop-escape");
}

/* uuencode and yEnc: one file of the body. */
static bool
decode_file(struct arena *arena, struct slice raw,
    enum transfer_encoding encoding, struct leaf_reading *reading_out,
    mime_defect_set *defects)
{
	unsigned char *out = arena_alloc(arena, raw.length + 64);
	struct transfer_result result;
	struct slice name;

	if (out == NULL)
		return false;
	if (encoding == TRANSFER_YENC
		? !transfer_yenc(raw, out, &name, &result)
		: !transfer_uuencode_next(&raw, false, out, &name, &result))
		return false;
	*defects |= result.defects;
	reading_out->content = slice_make(out, result.length);
	reading_out->name = name;
	return true;
}

static bool
decode_lines(struct arena *arena, struct slice raw,
    enum transfer_encoding encoding, struct leaf_reading *reading_out,
    mime_defect_set *defects)
{
	bool base64 = encoding == TRANSFER_BASE64;
	unsigned char *out =
	    arena_alloc(arena, base64 ? TRANSFER_BASE64_ROOM(raw.length)
				      : TRANSFER_QUOTED_ROOM(raw.length));
	struct transfer_result result;

	if (out == NULL)
		return false;
	result = base64 ? transfer_base64(raw, BASE64_THROUGH, out)
			: transfer_quoted_printable(raw, QUOTED_KEEP, out);
	*defects |= result.defects;
	reading_out->content = slice_make(out, result.length);
	return true;
}

bool
leaf_decode_whole(struct arena *arena, struct slice raw,
    enum transfer_encoding encoding, struct leaf_reading *reading_out,
    mime_defect_set *defects)
{
	reading_out->encoding = encoding;
	switch (encoding) {
	case TRANSFER_BASE64:
	case TRANSFER_QUOTED_PRINTABLE:
		return decode_lines(arena, raw, encoding, reading_out, defects);
	case TRANSFER_UUENCODE:
	case TRANSFER_YENC:
		return decode_file(arena, raw, encoding, reading_out, defects);
	case TRANSFER_BINHEX:
		/* runs let it grow: by 100 at most, which a limit must stop */
		return transfer_binhex(arena, raw, 4 * raw.length + 4096,
		    &reading_out->content, &reading_out->name);
	case TRANSFER_IDENTITY:
	case TRANSFER_UNKNOWN:
		reading_out->content = raw;
		return true;
	}
	return false;
}

/* Another declared encoding, with the readings that it has itself. */
static void
add_encoding(struct decoder *decoder, enum transfer_encoding encoding)
{
	const char *how = transfer_encoding_name(encoding);
	struct leaf_reading reading = { .encoding = encoding };
	mime_defect_set odd;

	switch (encoding) {
	case TRANSFER_BASE64:
		odd = add_base64(decoder, BASE64_THROUGH, how);
		decoder->leaf->defects |= odd;
		vary_base64(decoder, odd, true);
		return;
	case TRANSFER_QUOTED_PRINTABLE:
		odd = add_quoted(decoder, QUOTED_KEEP, how);
		decoder->leaf->defects |= odd;
		vary_quoted(decoder, odd);
		return;
	case TRANSFER_IDENTITY:
	case TRANSFER_UNKNOWN:
		add(decoder, decoder->raw, encoding, how, slice_make(NULL, 0));
		return;
	case TRANSFER_UUENCODE:
	case TRANSFER_YENC:
	case TRANSFER_BINHEX:
		break;
	}
	if (decoder->raw.length > *decoder->budget->bytes_left)
		decoder->leaf->defects |= BIT(TOO_MANY_READINGS);
	else if (leaf_decode_whole(decoder->arena, decoder->raw, encoding,
		     &reading, &decoder->leaf->defects)) {
		*decoder->budget->bytes_left -= decoder->raw.length;
		add(decoder, reading.content, encoding, how, reading.name);
	}
}

bool
leaf_looks_base64(struct slice raw)
{
	size_t lines = 0, characters = 0;
	bool mixed = false, upper = false;

	while (raw.length > 0 && lines < 8) {
		struct slice line;

		raw = slice_split(raw, '\n', &line);
		line = slice_trim(line);
		if (line.length == 0)
			continue;
		for (size_t i = 0; i < line.length && i < 1000; i++) {
			char c = line.data[i];

			if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
			    strchr("+/=", c) == NULL)
				return false;
			if (c == '\0')
				return false;
			mixed |= c >= 'a' && c <= 'z';
			upper |= c >= 'A' && c <= 'Z';
		}
		characters += line.length;
		lines++;
	}
	return characters >= 24 && mixed && upper;
}

bool
leaf_looks_quoted_printable(struct slice raw)
{
	size_t escapes = 0;

	raw = slice_range(raw, 0, 4096);
	for (size_t at; (at = slice_find_byte(raw, '=')) != SIZE_MAX;) {
		raw = slice_skip(raw, at + 1);
		if (raw.length >= 2 && ascii_hex_value(raw.data[0]) >= 0 &&
		    ascii_hex_value(raw.data[1]) >= 0 && ++escapes >= 4)
			return true;
	}
	return false;
}

void
leaf_vary(struct arena *arena, struct slice raw,
    const struct declaration *declaration, const struct leaf_usual *usual,
    bool guess, const struct leaf_budget *budget, struct leaf *leaf_out)
{
	struct decoder decoder = { arena, raw, budget, leaf_out, NULL, 0 };
	bool base64 = false, quoted = false;

	*leaf_out = (struct leaf){
		.readings = { { .content = usual->content,
		    .encoding = usual->encoding } },
		.count = 1,
	};
	if (usual->encoding == TRANSFER_BASE64) {
		vary_base64(&decoder, usual->defects, usual->blank_line);
		drop_loose_bytes(&decoder, usual);
	} else if (usual->encoding == TRANSFER_QUOTED_PRINTABLE)
		vary_quoted(&decoder, usual->defects);
	for (size_t i = 0; i < declaration->encoding_count; i++) {
		enum transfer_encoding encoding = declaration->encodings[i];

		if (i > 0)
			add_encoding(&decoder, encoding);
		base64 |= encoding == TRANSFER_BASE64;
		quoted |= encoding == TRANSFER_QUOTED_PRINTABLE;
	}
	if (guess && !base64 && leaf_looks_base64(raw))
		add_base64(&decoder, BASE64_THROUGH, "guessed-base64");
	else if (guess && !quoted && leaf_looks_quoted_printable(raw))
		add_quoted(&decoder, QUOTED_KEEP, "guessed-quoted-printable");
}
