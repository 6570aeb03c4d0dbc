#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unictype.h>
#include <uninorm.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/escape.h"
#include "message/html.h"
#include "message/text.h"
#include "message/unfold.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

/* How far the opening of HTML is looked for. */
#define HTML_OPENING_MAX 4096
#define READABLE_HEAD    1024 /* enough to tell text from other data */

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

struct slice
text_strip_invisible(struct arena *arena, struct slice text)
{
	char *out;
	size_t length = 0, run = utf8_ascii_prefix(text);

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
		run = utf8_ascii_prefix(text);
	}
	return slice_make(out, length);
}

/* Letters of other scripts that look like ASCII ones, after compatibility
 * decomposition (which takes care of fullwidth and mathematical forms and of
 * accents). Sorted by code point. */
static const struct {
	uint16_t point;
	char ascii;
} look_alikes[] = {
	{ 0x00D8, 'o' },
	{ 0x00F8, 'o' },
	{ 0x0110, 'd' },
	{ 0x0111, 'd' },
	{ 0x0131, 'i' },
	{ 0x0141, 'l' },
	{ 0x0142, 'l' },
	{ 0x0251, 'a' },
	{ 0x0261, 'g' },
	{ 0x0269, 'i' },
	{ 0x026A, 'i' },
	{ 0x0274, 'n' },
	{ 0x0280, 'r' },
	{ 0x028F, 'y' },
	{ 0x0299, 'b' },
	{ 0x029C, 'h' },
	{ 0x029F, 'l' },
	{ 0x0391, 'a' },
	{ 0x0392, 'b' },
	{ 0x0395, 'e' },
	{ 0x0396, 'z' },
	{ 0x0397, 'h' },
	{ 0x0399, 'i' },
	{ 0x039A, 'k' },
	{ 0x039C, 'm' },
	{ 0x039D, 'n' },
	{ 0x039F, 'o' },
	{ 0x03A1, 'p' },
	{ 0x03A4, 't' },
	{ 0x03A5, 'y' },
	{ 0x03A7, 'x' },
	{ 0x03B1, 'a' },
	{ 0x03B5, 'e' },
	{ 0x03B9, 'i' },
	{ 0x03BA, 'k' },
	{ 0x03BD, 'v' },
	{ 0x03BF, 'o' },
	{ 0x03C1, 'p' },
	{ 0x03C4, 't' },
	{ 0x03C5, 'u' },
	{ 0x03C7, 'x' },
	{ 0x03F2, 'c' },
	{ 0x0405, 's' },
	{ 0x0406, 'i' },
	{ 0x0408, 'j' },
	{ 0x0410, 'a' },
	{ 0x0412, 'b' },
	{ 0x0415, 'e' },
	{ 0x041A, 'k' },
	{ 0x041C, 'm' },
	{ 0x041D, 'h' },
	{ 0x041E, 'o' },
	{ 0x0420, 'p' },
	{ 0x0421, 'c' },
	{ 0x0422, 't' },
	{ 0x0423, 'y' },
	{ 0x0425, 'x' },
	{ 0x042C, 'b' },
	{ 0x0430, 'a' },
	{ 0x0432, 'b' },
	{ 0x0435, 'e' },
	{ 0x043A, 'k' },
	{ 0x043C, 'm' },
	{ 0x043D, 'h' },
	{ 0x043E, 'o' },
	{ 0x0440, 'p' },
	{ 0x0441, 'c' },
	{ 0x0442, 't' },
	{ 0x0443, 'y' },
	{ 0x0445, 'x' },
	{ 0x0455, 's' },
	{ 0x0456, 'i' },
	{ 0x0458, 'j' },
	{ 0x04AE, 'y' },
	{ 0x04AF, 'y' },
	{ 0x04BB, 'h' },
	{ 0x04C0, 'l' },
	{ 0x04CF, 'l' },
	{ 0x0501, 'd' },
	{ 0x051B, 'q' },
	{ 0x051D, 'w' },
	{ 0x0555, 'o' },
	{ 0x0561, 'w' },
	{ 0x0566, 'q' },
	{ 0x056E, 'o' },
	{ 0x0570, 'h' },
	{ 0x0578, 'n' },
	{ 0x057D, 'u' },
	{ 0x0581, 'g' },
	{ 0x0585, 'o' },
	{ 0x13A0, 'd' },
	{ 0x13A1, 'r' },
	{ 0x13A2, 't' },
	{ 0x13AA, 'a' },
	{ 0x13B3, 'w' },
	{ 0x13BB, 'h' },
	{ 0x13C3, 'z' },
	{ 0x13CF, 'b' },
	{ 0x13DA, 's' },
	{ 0x13DE, 'l' },
	{ 0x13DF, 'c' },
	{ 0x13E2, 'p' },
	{ 0x13E6, 'k' },
	{ 0x1D00, 'a' },
	{ 0x1D04, 'c' },
	{ 0x1D05, 'd' },
	{ 0x1D07, 'e' },
	{ 0x1D0A, 'j' },
	{ 0x1D0B, 'k' },
	{ 0x1D0D, 'm' },
	{ 0x1D0F, 'o' },
	{ 0x1D18, 'p' },
	{ 0x1D1B, 't' },
	{ 0x1D1C, 'u' },
	{ 0x1D20, 'v' },
	{ 0x1D21, 'w' },
	{ 0x1D22, 'z' },
};

static uint32_t
look_alike(uint32_t point)
{
	size_t low = 0, high = sizeof look_alikes / sizeof look_alikes[0];

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (look_alikes[middle].point == point)
			return (uint32_t)look_alikes[middle].ascii;
		if (look_alikes[middle].point < point)
			low = middle + 1;
		else
			high = middle;
	}
	return point;
}

struct slice
text_fold_homoglyphs(struct arena *arena, struct slice text)
{
	struct builder out = builder_make(arena, 4 * text.length + 16);
	struct slice rest;
	size_t length = 0;
	uint8_t *plain;

	if (text.length == 0)
		return text;
	if (!utf8_is_valid(text))
		return utf8_fold_slice(arena, text);
	plain = u8_normalize(UNINORM_NFKD, (const uint8_t *)text.data,
	    text.length, NULL, &length);
	if (plain == NULL)
		return slice_make(NULL, 0);
	rest = slice_make(plain, length);
	while (rest.length > 0) {
		uint32_t point = utf8_next(&rest, NULL);
		char encoded[4];

		if (point >= 0x300 && (uc_is_general_category_withtable(
					   point, UC_CATEGORY_MASK_Mn) ||
					  is_invisible(point)))
			continue;
		point = utf8_fold(look_alike(point));
		builder_slice(
		    &out, slice_make(encoded, utf8_encode(point, encoded)));
	}
	free(plain);
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

struct html_limits
text_html_limits(const struct message_limits *limits)
{
	struct html_limits result = html_limits_default;

	result.input_max = limits->html_bytes;
	result.text_max = limits->text_bytes;
	result.inner_max = limits->html_inner;
	result.depth_max = (unsigned)limits->html_depth;
	result.files_max = limits->html_files;
	result.links_max = 2 * limits->urls;
	return result;
}

/* Takes the links of a page or script, and the files that they carry. */
static void
take_links(struct text_reader *reader, struct mime_part *part,
    const struct html_result *result)
{
	if (result->cut)
		part->defects |= BIT(TEXT_TOO_LARGE);
	for (size_t i = 0; i < result->files.count; i++) {
		struct text_file *file = list_append(
		    reader->arena, &reader->files, reader->limits->parts);

		if (file == NULL)
			part->defects |= BIT(TOO_MANY_PARTS);
		else
			*file = (struct text_file){ result->files.items[i],
				part->index };
	}
	for (size_t i = 0; reader->urls != NULL && i < result->links.count; i++)
		url_list_add_link(reader->arena, reader->urls,
		    &result->links.items[i], result->base, part->index);
}

static void
read_html(struct text_reader *reader, struct mime_part *part, struct slice html)
{
	struct html_limits limits = text_html_limits(reader->limits);
	struct html_result result;

	html_read(reader->arena, html, &limits, &result);
	part->text = text_strip_invisible(reader->arena, result.text);
	take_links(reader, part, &result);
	if (reader->urls != NULL)
		url_list_add_text(reader->arena, reader->urls, part->text,
		    URL_IN_HTML_TEXT, part->index);
}

/* Whether a program would take a file of that name for HTML. */
static bool
names_html(struct slice name)
{
	static const char *const endings[] = { ".htm", ".html", ".xhtml",
		".xht", ".shtml", ".shtm", ".hta", ".svg" };

	for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
		if (slice_ends_with_fold(name, slice_text(endings[i])))
			return true;
	return false;
}

/* Whether a text opens as HTML, behind what browsers pass over: a mark,
 * blanks, comments. XML is read like it: any may show a page. */
static bool
opens_as_html(struct slice content)
{
	static const char *const openings[] = { "<html", "<!doctype html",
		"<head", "<body", "<script", "<?xml" };
	struct slice rest = slice_range(content, 0, HTML_OPENING_MAX);
	size_t end = 0;

	if (slice_starts_with(rest, SLICE_LITERAL("\xEF\xBB\xBF")))
		rest = slice_skip(rest, 3);
	while (end != SIZE_MAX) {
		rest = slice_trim(rest);
		end = SIZE_MAX;
		if (slice_starts_with(rest, SLICE_LITERAL("<!--")))
			end = slice_find(rest, SLICE_LITERAL("-->"));
		if (end != SIZE_MAX)
			rest = slice_skip(rest, end + 3);
	}
	for (size_t i = 0; i < sizeof openings / sizeof openings[0]; i++)
		if (slice_starts_with_fold(rest, slice_text(openings[i])))
			return true;
	return false;
}

/* Whether a part is HTML by its declaration, its name or its first bytes. */
static bool
is_html(const struct mime_part *part)
{
	if (slice_equal_text(part->type, "text/html") ||
	    slice_equal_text(part->type, "text/x-amp-html") ||
	    slice_equal_text(part->type, "text/watch-html") ||
	    slice_equal_text(part->type, "text/enriched") ||
	    slice_equal_text(part->type, "text/richtext") ||
	    slice_equal_text(part->type, "text/xml") ||
	    slice_equal_text(part->type, "application/xml") ||
	    slice_equal_text(part->type, "application/xhtml+xml") ||
	    slice_equal_text(part->type, "application/hta") ||
	    slice_equal_text(part->type, "image/svg+xml"))
		return true;
	for (size_t i = 0; i < part->names.count; i++)
		if (names_html(part->names.items[i].name))
			return true;
	return opens_as_html(part->content);
}

/* Whether the charset writes its text in ASCII octets that are not that
 * ASCII. */
static bool
is_written_in_ascii(struct slice charset)
{
	return slice_find_fold(charset, SLICE_LITERAL("utf-7")) != SIZE_MAX ||
	       slice_find_fold(charset, SLICE_LITERAL("utf7")) != SIZE_MAX ||
	       slice_find_fold(charset, SLICE_LITERAL("2022")) != SIZE_MAX ||
	       slice_find_fold(charset, SLICE_LITERAL("hz")) != SIZE_MAX;
}

static bool
has_mark(struct slice content)
{
	return slice_starts_with(content, SLICE_LITERAL("\xFF\xFE")) ||
	       slice_starts_with(content, SLICE_LITERAL("\xFE\xFF"));
}

/* What a text is to readers that do not go by its charset: browsers follow a
 * byte order mark of UTF-16 whatever is declared, and many take what is plain
 * ASCII for that when the charset cannot be true. Both texts are read. */
static void
read_otherwise(struct text_reader *reader, const struct mime_part *part,
    struct slice content, struct charset_result *text)
{
	const size_t max = reader->limits->html_bytes;
	struct slice kept = slice_range(content, 0, max);
	struct charset_result other = { .text = kept };
	struct builder both;

	if (slice_starts_with_fold(part->charset, SLICE_LITERAL("utf-16")) ||
	    !has_mark(content)) {
		if (text->text.data == content.data ||
		    utf8_ascii_prefix(kept) < kept.length ||
		    slice_find_byte(kept, '\0') != SIZE_MAX ||
		    slice_equal(text->text, kept) ||
		    is_written_in_ascii(part->charset))
			return;
	} else if (!charset_to_utf8(reader->arena, SLICE_LITERAL("utf-16"),
		       content, max, &other))
		return;
	both = builder_make(reader->arena, 2 * max + 1);
	builder_slice(&both, other.text);
	builder_byte(&both, '\n');
	builder_slice(&both, text->text);
	if (both.failed)
		return;
	text->text = builder_result(&both);
	text->cut |= other.cut;
}

/* A calendar or an address card, also as a file of another type. */
static bool
is_card(const struct mime_part *part)
{
	struct slice text = slice_trim(slice_range(part->text, 0, 64));

	return slice_equal_text(part->type, "text/calendar") ||
	       slice_starts_with_fold(text, SLICE_LITERAL("BEGIN:VCALENDAR")) ||
	       slice_starts_with_fold(text, SLICE_LITERAL("BEGIN:VCARD"));
}

/* A script that a double click runs, or what scripts read. */
static bool
is_script(const struct mime_part *part)
{
	static const char *const endings[] = { ".js", ".jse", ".mjs", ".vbs",
		".vbe", ".json" };

	if (slice_find(part->type, SLICE_LITERAL("script")) != SIZE_MAX ||
	    slice_find(part->type, SLICE_LITERAL("json")) != SIZE_MAX)
		return true;
	for (size_t n = 0; n < part->names.count; n++)
		for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
			if (slice_ends_with_fold(part->names.items[n].name,
				slice_text(endings[i])))
				return true;
	return false;
}

/* The URLs of a text. What a file writes with escapes, as scripts do, is looked
 * for as it stands and as it is meant. */
static void
add_urls(struct text_reader *reader, struct mime_part *part)
{
	struct arena *arena = reader->arena;
	struct html_limits limits = text_html_limits(reader->limits);
	struct html_result result;
	struct slice meant;
	enum url_where where = URL_IN_TEXT;

	if (slice_equal_text(part->type, "text/calendar"))
		where = URL_IN_CALENDAR;
	else if (!part->is_text && !is_card(part))
		where = URL_IN_CONTENT;
	url_list_add_text(arena, reader->urls, part->text, where, part->index);
	if (!part->is_attachment)
		return;
	if (is_script(part)) {
		html_read_script(arena, part->text, &limits, &result);
		take_links(reader, part, &result);
		return;
	}
	meant = escape_undo_script(arena, part->text);
	if (meant.data != part->text.data)
		url_list_add_text(
		    arena, reader->urls, meant, URL_IN_CONTENT, part->index);
	if (escape_script_undoes_percent(meant))
		url_list_add_text(arena, reader->urls,
		    escape_undo_percent(arena, meant), URL_IN_CONTENT,
		    part->index);
}

static void
read_part(
    struct text_reader *reader, struct mime_part *part, struct slice content)
{
	struct charset_result converted;
	bool html = is_html(part);

	if (!charset_to_utf8(reader->arena, part->charset, content,
		reader->limits->html_bytes, &converted))
		return;
	read_otherwise(reader, part, content, &converted);
	if (converted.unknown && part->is_text)
		part->defects |= BIT(CHARSET_UNKNOWN);
	if (converted.cut)
		part->defects |= BIT(TEXT_TOO_LARGE);
	if (html) {
		read_html(reader, part, converted.text);
		return;
	}
	part->text = text_strip_invisible(reader->arena, converted.text);
	if (part->flowed)
		part->text = unfold_flowed(reader->arena, part->text);
	else if (is_card(part))
		part->text = unfold_calendar(reader->arena, part->text);
	if (reader->urls != NULL)
		add_urls(reader, part);
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

/* Appends a part's text on a line of its own, as much as there is room for;
 * false when it was cut. */
static bool
join_text(struct builder *all, struct slice text, size_t max)
{
	size_t room;

	if (text.length == 0)
		return true;
	if (all->length > 0 && all->length < max)
		builder_byte(all, '\n');
	room = max - all->length;
	builder_slice(all, slice_range(text, 0, room));
	return text.length <= room;
}

struct text_reader
text_begin(struct arena *arena, const struct message_limits *limits,
    struct url_list *urls, struct slice subject)
{
	if (urls != NULL && subject.length > 0)
		url_list_add_text(
		    arena, urls, subject, URL_IN_SUBJECT, MIME_NO_PART);
	return (struct text_reader){
		.arena = arena,
		.limits = limits,
		.urls = urls,
	};
}

/* Whether a file can be read as text: scripts, shortcuts, tables and their
 * like. By its first octets. */
static bool
is_readable(struct slice content)
{
	struct slice head = slice_range(content, 0, READABLE_HEAD);

	if (has_mark(head))
		return true;
	for (size_t i = 0; i < head.length; i++) {
		unsigned char c = (unsigned char)head.data[i];

		if (c < ' ' && !ascii_is_space((char)c) && c != '\f')
			return false;
	}
	return head.length > 0;
}

/* Whether a part says something; HTML does in any kind of part. */
static bool
says_something(const struct mime_part *part)
{
	return part->content_kept && !part->is_container &&
	       (part->is_text || is_html(part));
}

/* Whether it is a file of text, whatever it is called. */
static bool
is_text_file(const struct mime_part *part)
{
	return part->content_kept && !part->is_container && !part->is_text &&
	       is_readable(part->content) && !is_html(part);
}

static bool
lies_in(struct slice bytes, struct slice around)
{
	return bytes.data >= around.data &&
	       bytes.data < around.data + around.length;
}

void
text_advance(struct text_reader *reader, struct mime_parts *parts, size_t end,
    struct slice moving)
{
	for (; reader->next < end && !reader->halted; reader->next++) {
		struct mime_part *part = &parts->items[reader->next];
		struct slice content = part->content;

		if (part->reading != NULL || !says_something(part))
			continue;
		if (lies_in(content, moving)) {
			/* URLs keep the order of the parts, so what comes
			 * behind waits as well */
			reader->halted =
			    content.length > reader->limits->html_bytes;
			if (reader->halted)
				return;
			content = arena_copy(reader->arena, content);
		}
		read_part(reader, part, content);
	}
}

enum tc_status
text_end(struct text_reader *reader, struct mime_parts *parts,
    struct slice *text_out, mime_defect_set *defects)
{
	struct builder all =
	    builder_make(reader->arena, reader->limits->text_bytes);

	for (size_t other = 0; other < 2; other++)
		for (size_t i = 0; i < parts->count; i++) {
			struct mime_part *part = &parts->items[i];

			if ((part->reading != NULL) != (other == 1) ||
			    !says_something(part))
				continue;
			if (other == 1 || i >= reader->next)
				read_part(reader, part, part->content);
			*defects |= part->defects;
			if (!part->is_text || is_repeated(parts, part))
				continue;
			if (!join_text(
				&all, part->text, reader->limits->text_bytes))
				*defects |= BIT(TEXT_TOO_LARGE);
		}
	/* last, so that no table leaves the message without its own links */
	for (size_t i = 0; i < parts->count; i++)
		if (is_text_file(&parts->items[i])) {
			read_part(
			    reader, &parts->items[i], parts->items[i].content);
			*defects |= parts->items[i].defects;
		}
	if (reader->urls != NULL && reader->urls->cut)
		*defects |= BIT(TOO_MANY_URLS);
	*text_out = builder_result(&all);
	return arena_exhausted(reader->arena) ? TC_LIMIT : TC_OK;
}
