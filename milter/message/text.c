#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/html.h"
#include "message/text.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

/* Characters that take no room on the screen. */
static bool
is_invisible(uint32_t point)
{
	return point == 0xAD || point == 0x34F || point == 0x61C ||
	       point == 0x115F || point == 0x1160 || point == 0x17B4 ||
	       point == 0x17B5 || (point >= 0x180B && point <= 0x180E) ||
	       (point >= 0x200B && point <= 0x200F) ||
	       (point >= 0x202A && point <= 0x202E) ||
	       (point >= 0x2060 && point <= 0x206F) || point == 0x3164 ||
	       (point >= 0xFE00 && point <= 0xFE0F) || point == 0xFEFF ||
	       point == 0xFFA0 || (point >= 0xE0000 && point <= 0xE0FFF);
}

/* The index of the first octet above ASCII, or the length. */
static size_t
ascii_run(struct slice text)
{
	size_t i = 0;
	uint64_t word;

	for (; text.length - i >= sizeof word; i += sizeof word) {
		memcpy(&word, text.data + i, sizeof word);
		if (word & UINT64_C(0x8080808080808080))
			break;
	}
	while (i < text.length && (unsigned char)text.data[i] < 0x80)
		i++;
	return i;
}

struct slice
text_strip_invisible(struct arena *arena, struct slice text)
{
	char *out;
	size_t length = 0, run = ascii_run(text);

	if (run == text.length)
		return text;
	out = arena_alloc(arena, text.length + 1);
	if (out == NULL)
		return slice_make(NULL, 0);
	while (text.length > 0) {
		struct slice rest;
		uint32_t point;

		memcpy(out + length, text.data, run);
		length += run;
		text = slice_skip(text, run);
		if (text.length == 0)
			break;
		rest = text;
		point = utf8_next(&rest, NULL);
		if (!is_invisible(point)) {
			memcpy(
			    out + length, text.data, text.length - rest.length);
			length += text.length - rest.length;
		}
		text = rest;
		run = ascii_run(text);
	}
	return slice_make(out, length);
}

/* Brings one text part to UTF-8; HTML to what it shows. */
struct text_reader {
	struct arena *arena;
	const struct message_limits *limits;
	struct url_list *urls; /* NULL: nobody asks */
};

static void
read_html(struct text_reader *reader, struct mime_part *part, struct slice html)
{
	struct html_limits limits = html_limits_default;
	struct html_result result;

	limits.input_max = reader->limits->html_bytes;
	limits.text_max = reader->limits->text_bytes;
	if (reader->urls != NULL)
		limits.links_max = 2 * reader->limits->urls;
	html_read(reader->arena, html, &limits, &result);
	if (result.cut)
		part->defects |= BIT(TEXT_TOO_LARGE);
	part->text = text_strip_invisible(reader->arena, result.text);
	if (reader->urls == NULL)
		return;
	for (size_t i = 0; i < result.links.count; i++)
		url_list_add_link(reader->arena, reader->urls,
		    &result.links.items[i], result.base, part->index);
	url_list_add_text(reader->arena, reader->urls, part->text,
	    URL_IN_HTML_TEXT, part->index);
}

/* Calendar lines are folded like headers (RFC 5545, 3.1). */
static struct slice
unfold_calendar(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.length + 1);
	size_t length = 0;

	if (out == NULL)
		return text;
	for (size_t i = 0; i < text.length; i++) {
		size_t next = i + (text.data[i] == '\r');

		if (next + 1 < text.length && text.data[next] == '\n' &&
		    (text.data[next + 1] == ' ' || text.data[next + 1] == '\t'))
			i = next + 1;
		else
			out[length++] = text.data[i];
	}
	return slice_make(out, length);
}

/* Whether a part is HTML by its declaration, its name or its first bytes. */
static bool
is_html(const struct mime_part *part)
{
	struct slice start = slice_trim(slice_range(part->content, 0, 512));

	if (slice_equal_text(part->type, "text/html") ||
	    slice_equal_text(part->type, "application/xhtml+xml") ||
	    slice_equal_text(part->type, "image/svg+xml"))
		return true;
	for (size_t i = 0; i < part->names.count; i++) {
		struct slice name = part->names.items[i].name;

		if (slice_ends_with_fold(name, SLICE_LITERAL(".htm")) ||
		    slice_ends_with_fold(name, SLICE_LITERAL(".html")) ||
		    slice_ends_with_fold(name, SLICE_LITERAL(".xhtml")) ||
		    slice_ends_with_fold(name, SLICE_LITERAL(".shtml")) ||
		    slice_ends_with_fold(name, SLICE_LITERAL(".svg")))
			return true;
	}
	return slice_starts_with_fold(start, SLICE_LITERAL("<html")) ||
	       slice_starts_with_fold(start, SLICE_LITERAL("<!doctype html"));
}

static void
read_part(struct text_reader *reader, struct mime_part *part)
{
	struct charset_result converted;
	bool html = is_html(part);

	if (!charset_to_utf8(reader->arena, part->charset, part->content,
		reader->limits->html_bytes, &converted))
		return;
	if (converted.unknown && part->is_text)
		part->defects |= BIT(CHARSET_UNKNOWN);
	if (converted.cut)
		part->defects |= BIT(TEXT_TOO_LARGE);
	if (html) {
		read_html(reader, part, converted.text);
		return;
	}
	part->text = text_strip_invisible(reader->arena, converted.text);
	if (reader->urls == NULL)
		return;
	if (slice_equal_text(part->type, "text/calendar"))
		url_list_add_text(reader->arena, reader->urls,
		    unfold_calendar(reader->arena, part->text), URL_IN_CALENDAR,
		    part->index);
	else
		url_list_add_text(reader->arena, reader->urls, part->text,
		    URL_IN_TEXT, part->index);
}

/* Whether an earlier reading of the same part says the same. */
static bool
is_repeated(const struct mime_parts *parts, const struct mime_part *part)
{
	const struct mime_part *usual;

	if (part->reading_of >= parts->count)
		return false;
	usual = &parts->items[part->reading_of];
	return slice_equal(usual->text, part->text);
}

enum tc_status
text_collect(struct arena *arena, const struct message_limits *limits,
    struct url_list *urls, struct slice subject, struct mime_parts *parts,
    struct slice *text_out, mime_defect_set *defects)
{
	struct text_reader reader = { arena, limits, urls };
	struct builder all = builder_make(arena, limits->text_bytes);

	if (urls != NULL && subject.length > 0)
		url_list_add_text(
		    arena, urls, subject, URL_IN_SUBJECT, MIME_NO_PART);
	for (size_t other = 0; other < 2; other++)
		for (size_t i = 0; i < parts->count; i++) {
			struct mime_part *part = &parts->items[i];

			if ((part->reading != NULL) != (other == 1) ||
			    !part->content_kept || part->is_container ||
			    (!part->is_text && !is_html(part)))
				continue;
			read_part(&reader, part);
			*defects |= part->defects;
			if (!part->is_text || is_repeated(parts, part))
				continue;
			if (all.length > 0)
				builder_byte(&all, '\n');
			builder_slice(&all, part->text);
		}
	if (all.failed)
		*defects |= BIT(TEXT_TOO_LARGE);
	if (urls != NULL && urls->cut)
		*defects |= BIT(TOO_MANY_URLS);
	*text_out = builder_result(&all);
	return arena_exhausted(arena) ? TC_LIMIT : TC_OK;
}
