#include <config.h>

#include <stdint.h>

#include "message/leaf.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

struct decoder {
	struct arena *arena;
	struct slice raw;
	size_t readings_max;
	struct leaf *leaf;
	size_t *extra_left;
	unsigned char *spare; /* of a reading that was not kept */
	size_t spare_size;
};

/* Memory to decode into; NULL when no further reading may be made. The first
 * is free, each other costs the bytes that it reads. */
static unsigned char *
take_room(struct decoder *decoder, size_t size)
{
	unsigned char *room = decoder->spare;

	if (decoder->leaf->count > 0) {
		if (decoder->raw.length > *decoder->extra_left) {
			decoder->leaf->defects |= BIT(TOO_MANY_READINGS);
			return NULL;
		}
		*decoder->extra_left -= decoder->raw.length;
	}
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
	if (leaf->count > 0 && content.length == 0)
		return false;
	if (leaf->count >= decoder->readings_max) {
		leaf->defects |= BIT(TOO_MANY_READINGS);
		return false;
	}
	leaf->readings[leaf->count] = (struct leaf_reading){
		.content = content,
		.encoding = encoding,
		.how = leaf->count == 0 ? NULL : how,
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

/* base64 as most do it; where that is not clean, as the others do. */
static void
read_base64(struct decoder *decoder, const char *how)
{
	mime_defect_set odd = add_base64(decoder, BASE64_THROUGH, how);
	struct slice whole = decoder->raw;
	struct slice after = after_blank_line(whole);

	decoder->leaf->defects |= odd;
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
	size_t size = raw.length + 1;
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
read_quoted_printable(struct decoder *decoder, const char *how)
{
	mime_defect_set odd = add_quoted(decoder, QUOTED_KEEP, how);

	decoder->leaf->defects |= odd;
	if (odd == 0)
		return;
	add_quoted(decoder, QUOTED_DROP, "quoted-drop");
	add_quoted(decoder, QUOTED_DROP_ESCAPE, "quoted-drop-escape");
}

/* uuencode and yEnc: one file of the body. */
static void
read_file(
    struct decoder *decoder, enum transfer_encoding encoding, const char *how)
{
	struct slice rest = decoder->raw, name;
	unsigned char *out = take_room(decoder, rest.length + 64);
	struct transfer_result result;

	if (out == NULL)
		return;
	if (encoding == TRANSFER_YENC
		? !transfer_yenc(rest, out, &name, &result)
		: !transfer_uuencode_next(&rest, false, out, &name, &result))
		return;
	decoder->leaf->defects |= result.defects;
	add(decoder, slice_make(out, result.length), encoding, how, name);
}

static void
read_binhex(struct decoder *decoder, const char *how)
{
	struct slice content, name;

	/* runs let it grow: by 100 at most, which a limit must stop */
	if (transfer_binhex(decoder->arena, decoder->raw,
		4 * decoder->raw.length + 4096, &content, &name))
		add(decoder, content, TRANSFER_BINHEX, how, name);
}

static void
read_as(
    struct decoder *decoder, enum transfer_encoding encoding, const char *how)
{
	switch (encoding) {
	case TRANSFER_BASE64:
		read_base64(decoder, how);
		return;
	case TRANSFER_QUOTED_PRINTABLE:
		read_quoted_printable(decoder, how);
		return;
	case TRANSFER_UUENCODE:
	case TRANSFER_YENC:
		read_file(decoder, encoding, how);
		return;
	case TRANSFER_BINHEX:
		read_binhex(decoder, how);
		return;
	case TRANSFER_IDENTITY:
	case TRANSFER_UNKNOWN:
		add(decoder, decoder->raw, encoding, how, slice_make(NULL, 0));
		return;
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

bool
leaf_decode(struct arena *arena, struct slice raw,
    const struct declaration *declaration, bool guess, size_t extra_max,
    size_t *extra_left, struct leaf *leaf_out)
{
	struct leaf leaf = { .count = 0 };
	struct decoder decoder = { arena, raw,
		1 + extra_max < LEAF_READINGS_MAX ? 1 + extra_max
						  : LEAF_READINGS_MAX,
		&leaf, extra_left };
	bool base64 = false, quoted = false;

	for (size_t i = 0; i < declaration->encoding_count; i++) {
		enum transfer_encoding encoding = declaration->encodings[i];

		read_as(&decoder, encoding, transfer_encoding_name(encoding));
		base64 |= encoding == TRANSFER_BASE64;
		quoted |= encoding == TRANSFER_QUOTED_PRINTABLE;
	}
	if (leaf.count == 0)
		add(&decoder, raw, TRANSFER_IDENTITY, NULL,
		    slice_make(NULL, 0));
	if (guess && !base64 && leaf_looks_base64(raw))
		add_base64(&decoder, BASE64_THROUGH, "guessed-base64");
	else if (guess && !quoted && leaf_looks_quoted_printable(raw))
		add_quoted(&decoder, QUOTED_KEEP, "guessed-quoted-printable");
	*leaf_out = leaf;
	return !arena_exhausted(arena);
}
