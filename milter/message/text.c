#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
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

/* Brings one text part to UTF-8. */
static void
read_part(struct arena *arena, const struct message_limits *limits,
    struct mime_part *part)
{
	struct charset_result converted;

	if (!charset_to_utf8(arena, part->charset, part->content,
		limits->html_bytes, &converted))
		return;
	if (converted.unknown && part->reading == NULL)
		part->defects |= BIT(CHARSET_UNKNOWN);
	if (converted.cut)
		part->defects |= BIT(TEXT_TOO_LARGE);
	part->text = text_strip_invisible(arena, converted.text);
}

enum tc_status
text_collect(struct arena *arena, const struct message_limits *limits,
    struct url_list *urls, struct slice subject, struct mime_parts *parts,
    struct slice *text_out, mime_defect_set *defects)
{
	struct builder all = builder_make(arena, limits->text_bytes);

	(void)urls;
	(void)subject;
	for (size_t i = 0; i < parts->count; i++) {
		struct mime_part *part = &parts->items[i];

		if (!part->is_text || !part->content_kept)
			continue;
		read_part(arena, limits, part);
		*defects |= part->defects;
		if (all.length > 0)
			builder_byte(&all, '\n');
		builder_slice(&all, part->text);
	}
	if (all.failed)
		*defects |= BIT(TEXT_TOO_LARGE);
	*text_out = builder_result(&all);
	return arena_exhausted(arena) ? TC_LIMIT : TC_OK;
}
