#include <config.h>

#include <stdint.h>

#include "base/utf8.h"
#include "scanner/bytes.h"
#include "scanner/embedded.h"
#include "scanner/xml.h"

#define ENTITY_BYTES 12

/* 1 or 2 for UTF-16 of either order, 0 for octets. */
static unsigned
wide_order(struct slice content)
{
	if (slice_starts_with(content, SLICE_LITERAL("\xff\xfe")) ||
	    slice_starts_with(content, slice_make("<\0", 2)))
		return 1;
	if (slice_starts_with(content, SLICE_LITERAL("\xfe\xff")) ||
	    slice_starts_with(content, slice_make("\0<", 2)))
		return 2;
	return 0;
}

bool
xml_is(struct slice content)
{
	if (slice_starts_with(content, SLICE_LITERAL("\xef\xbb\xbf")))
		content = slice_skip(content, 3);
	while (content.length > 0 && ascii_is_space(content.data[0]))
		content = slice_skip(content, 1);
	return (content.length > 0 && content.data[0] == '<') ||
	       wide_order(content) != 0;
}

/* UTF-16 as UTF-8; surrogates, which no link needs, become replacements. */
static void
narrow(struct slice content, unsigned order, struct bytes *out)
{
	for (size_t i = 0; i + 1 < content.length; i += 2) {
		unsigned char first = (unsigned char)content.data[i];
		unsigned char second = (unsigned char)content.data[i + 1];
		char coded[4];

		if (order == 1 ? second == 0 && first < 0x80
			       : first == 0 && second < 0x80) {
			bytes_byte(out, (char)(order == 1 ? first : second));
			continue;
		}
		bytes_append(
		    out, slice_make(coded,
			     utf8_encode(order == 1 ? first | second << 8
						    : second | first << 8,
				 coded)));
	}
}

static uint32_t
number_value(struct slice digits)
{
	bool hex = digits.length > 0 && ascii_lower(digits.data[0]) == 'x';
	uint32_t value = 0;

	for (size_t i = hex; i < digits.length; i++) {
		int digit = ascii_hex_value(digits.data[i]);

		if (digit < 0 || (!hex && digit > 9) || value > 0x10ffff)
			return 0;
		value = value * (hex ? 16 : 10) + (uint32_t)digit;
	}
	return value;
}

/* The character that an entity stands for, 0 for none; *text is moved behind
 * it. */
static uint32_t
take_entity(struct slice *text)
{
	static const struct {
		const char *name;
		uint32_t value;
	} named[] = { { "amp", '&' }, { "quot", '"' }, { "apos", '\'' },
		{ "lt", '<' }, { "gt", '>' } };
	struct slice name;
	uint32_t value = 0;
	size_t end = slice_find_byte(slice_range(*text, 0, ENTITY_BYTES), ';');

	if (end == SIZE_MAX)
		return 0;
	name = slice_range(*text, 0, end);
	if (name.length > 1 && name.data[0] == '#')
		value = number_value(slice_skip(name, 1));
	for (size_t i = 0; i < sizeof named / sizeof named[0]; i++)
		if (slice_equal_text(name, named[i].name))
			value = named[i].value;
	if (value != 0)
		*text = slice_skip(*text, end + 1);
	return value;
}

/* All of it, with the entities decoded. */
static void
without_entities(struct slice content, struct bytes *out)
{
	size_t at;

	while ((at = slice_find_byte(content, '&')) != SIZE_MAX) {
		char coded[4];
		uint32_t value;

		bytes_append(out, slice_range(content, 0, at));
		content = slice_skip(content, at + 1);
		value = take_entity(&content);
		if (value == 0)
			bytes_byte(out, '&');
		else
			bytes_append(
			    out, slice_make(coded, utf8_encode(value, coded)));
	}
	bytes_append(out, content);
}

/* The name of the tag at text[0], behind '<', without '/' and prefix. */
static struct slice
tag_name(struct slice text)
{
	size_t at = 0, start;

	if (at < text.length && text.data[at] == '/')
		at++;
	start = at;
	while (at < text.length && !ascii_is_space(text.data[at]) &&
	       text.data[at] != '>' && text.data[at] != '/') {
		if (text.data[at] == ':')
			start = at + 1;
		at++;
	}
	return slice_range(text, start, at);
}

/* Elements between which words do not go on. */
static bool
ends_line(struct slice name)
{
	static const char *const names[] = { "p", "br", "tab", "si", "c", "row",
		"v", "f", "h", "t-row", "line-break", "url" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_equal_text(name, names[i]))
			return true;
	return false;
}

/* Behind the tag or comment that begins here; SIZE_MAX when it never ends. */
static size_t
tag_end(struct slice text)
{
	bool comment = slice_starts_with(text, SLICE_LITERAL("!--"));
	size_t at = comment ? slice_find(text, SLICE_LITERAL("-->"))
			    : slice_find_byte(text, '>');

	return at == SIZE_MAX ? SIZE_MAX : at + (comment ? 3 : 1);
}

/* What stands between tags. */
static void
without_tags(struct slice content, struct bytes *out)
{
	size_t at;

	while ((at = slice_find_byte(content, '<')) != SIZE_MAX) {
		bytes_append(out, slice_range(content, 0, at));
		content = slice_skip(content, at + 1);
		if (ends_line(tag_name(content)))
			bytes_byte(out, '\n');
		at = tag_end(content);
		if (at == SIZE_MAX)
			return;
		content = slice_skip(content, at);
	}
	bytes_append(out, content);
}

static bool
hand_out(struct bytes *text, const struct found *found)
{
	bool good = true;

	if (text->over)
		found->unread(found->context, "document-bytes");
	if (text->length > 0)
		good = found->text(found->context, bytes_slice(text));
	bytes_free(text);
	return good;
}

void
xml_text(struct slice content, const struct found *found)
{
	size_t max = found->limits->document_bytes;
	struct bytes narrowed = { .max = max }, plain = { .max = max };
	struct bytes text = { .max = max };
	unsigned order = wide_order(content);
	bool coded;

	if (order != 0) {
		narrow(content, order, &narrowed);
		content = bytes_slice(&narrowed);
	}
	coded = slice_find_byte(content, '&') != SIZE_MAX;
	/* Tags go first: an entity may stand for '<'. */
	without_tags(content, &text);
	if (coded)
		without_entities(content, &plain);
	if (narrowed.over)
		found->unread(found->context, "document-bytes");
	if (coded && !hand_out(&plain, found)) {
		bytes_free(&text);
	} else if (coded) {
		without_entities(bytes_slice(&text), &plain);
		hand_out(&plain, found);
	}
	hand_out(&text, found);
	bytes_free(&narrowed);
}

/* ---- files ---- */

static bool
is_binary(struct slice name)
{
	return slice_equal_text(name, "binData") ||
	       slice_equal_text(name, "binaryData") ||
	       slice_equal_text(name, "binary-data");
}

/* Decodes what stands up to the next tag. */
static bool
hand_out_file(struct slice text, const struct found *found)
{
	struct bytes file = { .max = found->limits->document_bytes };
	bool good = true;

	text = slice_range(text, 0, slice_find_byte(text, '<'));
	if (text.length == 0)
		return true;
	if (bytes_reserve(&file, text.length)) {
		file.length = embedded_decode(text, (unsigned char *)file.data);
		good = found->file(
		    found->context, slice_make(NULL, 0), bytes_slice(&file));
	} else {
		found->unread(found->context, "document-bytes");
	}
	bytes_free(&file);
	return good;
}

void
xml_files(struct slice content, const struct found *found)
{
	const struct slice word = SLICE_LITERAL("bin");
	unsigned count = 0;
	bool good = true;
	size_t at;

	while (good && (at = slice_find(content, word)) != SIZE_MAX) {
		size_t open =
		    slice_find_last_byte(slice_range(content, 0, at), '<');
		struct slice tag;

		tag = slice_skip(content, open == SIZE_MAX ? at : open + 1);
		content = slice_skip(content, at + word.length);
		if (tag.length == 0 || tag.data[0] == '/' ||
		    !is_binary(tag_name(tag)))
			continue;
		if (count++ == found->limits->objects) {
			found->unread(found->context, "document-objects");
			return;
		}
		at = slice_find_byte(content, '>');
		if (at == SIZE_MAX)
			return;
		content = slice_skip(content, at + 1);
		good = hand_out_file(content, found);
	}
}
