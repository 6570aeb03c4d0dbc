#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/escape.h"
#include "message/html.h"
#include "message/html_entities.h"
#include "message/transfer.h"

#define ENTITY_NAME   32 /* the longest is 31 */
#define LINK_TEXT_MAX 512
#define TARGET_MAX    16384
#define URL_MIN       8 /* "ftp://a." */
/* All inner documents together may have so many times the octets of the page:
 * what is read in two ways doubles at each level. */
#define INNER_BYTES_TIMES 4

const struct html_limits html_limits_default = {
	.input_max = 4 * 1024 * 1024,
	.text_max = 1024 * 1024,
	.links_max = 4000,
	.attributes_max = 1000000,
	.inner_max = 1000,
	.depth_max = 4,
	.files_max = 100,
};

const char *
html_place_name(enum html_place place)
{
	static const char *const names[] = {
		[HTML_HREF] = "href",
		[HTML_SRC] = "src",
		[HTML_ACTION] = "action",
		[HTML_REFRESH] = "refresh",
		[HTML_BASE] = "base",
		[HTML_STYLE] = "style",
		[HTML_SCRIPT] = "script",
		[HTML_COMMENT] = "comment",
	};

	return names[place];
}

/* --------------------------------------------------- character references */

static int
compare_entity(const void *key, const void *entry)
{
	const char *name = ((const struct html_entity *)entry)->name;
	struct slice wanted = *(const struct slice *)key;

	return slice_compare(wanted, slice_text(name));
}

static const struct html_entity *
find_entity(struct slice name)
{
	return bsearch(&name, html_entities, html_entity_count,
	    sizeof html_entities[0], compare_entity);
}

/* What browsers make of numbers that are no character (HTML 5, 13.2.5.80):
 * Windows-1252 for C1 controls. */
static uint32_t
numeric_character(uint32_t number)
{
	static const uint16_t c1[32] = { 0x20AC, 0x81, 0x201A, 0x0192, 0x201E,
		0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160, 0x2039, 0x0152,
		0x8D, 0x017D, 0x8F, 0x90, 0x2018, 0x2019, 0x201C, 0x201D,
		0x2022, 0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153,
		0x9D, 0x017E, 0x0178 };

	if (number >= 0x80 && number <= 0x9F)
		return c1[number - 0x80];
	if (number == 0 || number > 0x10FFFF ||
	    (number >= 0xD800 && number <= 0xDFFF))
		return UTF8_REPLACEMENT;
	return number;
}

/* "&#38;" and "&#x26;": the octets used, 0 when it is none. */
static size_t
numeric_reference(struct slice text, char out[4], size_t *length_out)
{
	bool hexadecimal = text.length > 2 && ascii_lower(text.data[2]) == 'x';
	size_t start = hexadecimal ? 3 : 2, i = start;
	uint32_t number = 0;

	while (i < text.length) {
		int digit = ascii_hex_value(text.data[i]);

		if (digit < 0 || (!hexadecimal && digit > 9))
			break;
		if (number <= 0x10FFFF)
			number =
			    number * (hexadecimal ? 16 : 10) + (uint32_t)digit;
		i++;
	}
	if (i == start)
		return 0;
	*length_out = utf8_encode(numeric_character(number), out);
	return i + (i < text.length && text.data[i] == ';');
}

/* A named reference: exact with ';', else the longest of the old names that
 * need none. */
static size_t
named_reference(
    struct slice text, bool in_attribute, const struct html_entity **found_out)
{
	size_t end = 1;

	while (
	    end < text.length && end <= ENTITY_NAME &&
	    (ascii_is_alpha(text.data[end]) || ascii_is_digit(text.data[end])))
		end++;
	if (end < text.length && text.data[end] == ';') {
		*found_out = find_entity(slice_range(text, 1, end));
		if (*found_out != NULL)
			return end + 1;
	}
	for (size_t try = end < 7 ? end : 7; try > 2; try--) {
		*found_out = find_entity(slice_range(text, 1, try));
		if (*found_out == NULL || !(*found_out)->bare)
			continue;
		/* "?a=1&copy=2" keeps its parameter */
		if (in_attribute && try < text.length &&
		    (text.data[try] == '=' || ascii_is_alpha(text.data[try]) ||
			ascii_is_digit(text.data[try])))
			return 0;
		return try;
	}
	return 0;
}

/* Writes what the reference at the front means; the octets used, 0 when it is
 * none. */
static size_t
write_reference(struct builder *out, struct slice text, bool in_attribute)
{
	const struct html_entity *entity = NULL;
	char encoded[4];
	size_t length = 0, used;

	if (text.length > 1 && text.data[1] == '#') {
		used = numeric_reference(text, encoded, &length);
		if (used > 0)
			builder_slice(out, slice_make(encoded, length));
		return used;
	}
	used = named_reference(text, in_attribute, &entity);
	if (used > 0)
		builder_text(out, entity->text);
	return used;
}

struct slice
html_decode_entities(struct arena *arena, struct slice text, bool in_attribute)
{
	struct builder out;

	if (slice_find_byte(text, '&') == SIZE_MAX)
		return text;
	out = builder_make(arena, 2 * text.length + 8);
	while (text.length > 0) {
		size_t at = slice_find_byte(text, '&'), used;

		builder_slice(&out, slice_range(text, 0, at));
		if (at == SIZE_MAX)
			break;
		text = slice_skip(text, at);
		used = write_reference(&out, text, in_attribute);
		if (used == 0) {
			builder_byte(&out, '&');
			used = 1;
		}
		text = slice_skip(text, used);
	}
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

/* ------------------------------------------------------------- tokenizer */

struct fragment {
	struct slice html;
	unsigned depth;
	bool comment;
};

struct html_reader {
	struct arena *arena;
	const struct html_limits *limits;
	struct html_result *result;
	struct builder text;
	bool blank;          /* a blank is due before the next character */
	size_t anchor;       /* index of the open link + 1, 0: none */
	size_t anchor_start; /* where its text begins */
	LIST_OF(struct fragment) fragments;
	size_t inner_left;        /* bytes of them that may still be read */
	struct fragment fragment; /* the one at hand */
	/* of the tag at hand: `download`, which may follow its link, and what
	 * that link carries */
	bool saves;
	struct slice download;
	struct slice carried;
	struct slice input;
	size_t at;
	bool no_end[2]; /* no closing '"' (or '\'') follows any more */
};

struct attribute {
	struct slice name;
	struct slice value; /* raw */
};

/* Whether a tag or an attribute has this name; most differ in the first
 * letter. `tag` is not empty. */
static bool
is_named(struct slice tag, const char *name)
{
	return ascii_lower(tag.data[0]) == name[0] &&
	       slice_equal_text_fold(tag, name);
}

static bool
is_html_blank(char c)
{
	return ascii_is_space(c) || c == '\f';
}

static bool
ends_name(char c)
{
	return is_html_blank(c) || c == '/' || c == '>' || c == '\0';
}

static void
line_break(struct html_reader *reader)
{
	if (reader->text.length > 0 &&
	    reader->text.data[reader->text.length - 1] != '\n')
		builder_byte(&reader->text, '\n');
	reader->blank = false;
}

/* Octets that are not shown as they stand. */
static const bool is_shown_otherwise[256] = {
	['&'] = true,
	[' '] = true,
	['\t'] = true,
	['\r'] = true,
	['\n'] = true,
	['\f'] = true,
};

/* The octets up to a reference or to blanks that are more than one space
 * between words. */
static size_t
shown_run(struct slice text)
{
	size_t i = 0;

	for (;;) {
		while (i < text.length &&
		       !is_shown_otherwise[(unsigned char)text.data[i]])
			i++;
		if (i == 0 || text.length - i < 2 || text.data[i] != ' ' ||
		    is_shown_otherwise[(unsigned char)text.data[i + 1]])
			return i;
		i += 2;
	}
}

/* Appends shown text: references decoded, blanks folded. */
static void
show(struct html_reader *reader, struct slice text)
{
	struct builder *out = &reader->text;

	while (text.length > 0 && !out->failed) {
		size_t i = shown_run(text), used = 1;

		if (i > 0 || text.data[0] == '&') {
			if (reader->blank && out->length > 0 &&
			    out->data[out->length - 1] != '\n')
				builder_byte(out, ' ');
			reader->blank = false;
		}
		builder_slice(out, slice_range(text, 0, i));
		text = slice_skip(text, i);
		if (text.length == 0)
			return;
		if (text.data[0] == '&') {
			used = write_reference(out, text, false);
			if (used == 0) {
				builder_byte(out, '&');
				used = 1;
			}
		} else
			reader->blank = true;
		text = slice_skip(text, used);
	}
}

static struct html_link *
add_link(struct html_reader *reader, struct slice target, enum html_place place)
{
	struct html_link *link;

	/* browsers pass over control characters there as well as blanks */
	while (target.length > 0 && (unsigned char)target.data[0] <= ' ')
		target = slice_skip(target, 1);
	target = slice_trim(target);
	if (target.length == 0)
		return NULL;
	if (target.length > TARGET_MAX)
		target.length = TARGET_MAX;
	link = list_append(
	    reader->arena, &reader->result->links, reader->limits->links_max);
	if (link == NULL) {
		reader->result->cut = true;
		return NULL;
	}
	link->target = target;
	link->place = reader->fragment.comment ? HTML_COMMENT : place;
	return link;
}

static void
queue_fragment(struct html_reader *reader, struct slice html, bool comment)
{
	unsigned depth = reader->fragment.depth + 1;
	struct fragment *added = NULL;

	if (slice_find_byte(html, '<') == SIZE_MAX)
		return;
	if (depth <= reader->limits->depth_max &&
	    html.length <= reader->inner_left)
		added = list_append(reader->arena, &reader->fragments,
		    reader->limits->inner_max);
	if (added == NULL) {
		reader->result->cut = true;
		return;
	}
	reader->inner_left -= html.length;
	*added = (struct fragment){
		.html = html,
		.depth = depth,
		.comment = comment || reader->fragment.comment,
	};
}

static bool
ends_url(char c, enum html_place place)
{
	return (unsigned char)c <= ' ' || (c == ')' && place == HTML_STYLE) ||
	       strchr("\"'`<>\\;{}", c) != NULL;
}

/* URLs with a scheme, wherever they stand in a script, a style, a comment. */
static void
read_urls(struct html_reader *reader, struct slice text, enum html_place place)
{
	size_t at;

	while ((at = slice_find(text, SLICE_LITERAL("://"))) != SIZE_MAX) {
		size_t start = at, end = at + 3;

		while (start > 0 && ascii_is_alpha(text.data[start - 1]) &&
		       at - start < 10)
			start--;
		while (end < text.length && !ends_url(text.data[end], place))
			end++;
		if (start < at && end > at + 3)
			add_link(reader, slice_range(text, start, end), place);
		text = slice_skip(text, end);
	}
}

/* Strings that begin like the rest of a URL: "//host/x". */
static void
read_relative(
    struct html_reader *reader, struct slice text, enum html_place place)
{
	size_t at;

	while ((at = slice_find(text, SLICE_LITERAL("//"))) != SIZE_MAX) {
		size_t end = at + 2;

		if (at == 0 || strchr("\"'`", text.data[at - 1]) == NULL ||
		    text.data[at - 1] == '\0') {
			text = slice_skip(text, at + 2);
			continue;
		}
		while (end < text.length && !ends_url(text.data[end], place))
			end++;
		if (slice_find_byte(slice_range(text, at, end), '.') !=
		    SIZE_MAX)
			add_link(reader, slice_range(text, at, end), place);
		text = slice_skip(text, end);
	}
}

static void read_target(
    struct html_reader *reader, struct slice target, enum html_place place);

/* data: URLs in the strings of a script or a style. */
static void
read_data_strings(
    struct html_reader *reader, struct slice text, enum html_place place)
{
	size_t at;

	while (
	    (at = slice_find_fold(text, SLICE_LITERAL("data:"))) != SIZE_MAX) {
		size_t end;

		text = slice_skip(text, at);
		for (end = 0; end < text.length && text.data[end] != '"' &&
			      text.data[end] != '\'' && text.data[end] != '`';)
			end++;
		read_target(reader, slice_range(text, 0, end), place);
		text = slice_skip(text, end);
	}
}

/* url(...) in a style, quoted or not, and what else names a URL in full, as
 * the strings of @import do. */
static void
read_style(struct html_reader *reader, struct slice style)
{
	struct slice all = escape_undo_style(reader->arena, style);
	size_t at;

	style = all;
	while (
	    (at = slice_find_fold(style, SLICE_LITERAL("url("))) != SIZE_MAX) {
		size_t end;

		style = slice_skip(style, at + 4);
		while (style.length > 0 &&
		       (is_html_blank(style.data[0]) || style.data[0] == '"' ||
			   style.data[0] == '\''))
			style = slice_skip(style, 1);
		for (end = 0; end < style.length &&
			      strchr("\"')", style.data[end]) == NULL;)
			end++;
		read_target(reader, slice_range(style, 0, end), HTML_STYLE);
		style = slice_skip(style, end);
	}
	read_urls(reader, all, HTML_STYLE);
	read_relative(reader, all, HTML_STYLE);
}

/* atob("...") with a string: the page or URL that it gives. */
static void
read_coded_strings(struct html_reader *reader, struct slice script)
{
	size_t at;

	while ((at = slice_find(script, SLICE_LITERAL("atob("))) != SIZE_MAX) {
		struct slice string;
		unsigned char *out;
		size_t end;

		script = slice_skip(script, at + 5);
		while (script.length > 0 && ascii_is_space(script.data[0]))
			script = slice_skip(script, 1);
		if (script.length == 0 ||
		    strchr("\"'`", script.data[0]) == NULL)
			continue;
		string = slice_skip(script, 1);
		end = slice_find_byte(string, script.data[0]);
		if (end == SIZE_MAX || end > reader->inner_left)
			return;
		reader->inner_left -= end;
		string.length = end;
		out = arena_alloc(reader->arena, TRANSFER_BASE64_ROOM(end));
		if (out == NULL)
			return;
		string = slice_make(
		    out, transfer_base64(string, BASE64_THROUGH, out).length);
		read_urls(reader, string, HTML_SCRIPT);
		queue_fragment(reader, string, false);
		script = slice_skip(script, end + 2);
	}
}

static void
read_script(struct html_reader *reader, struct slice script)
{
	script = escape_undo_script(reader->arena, script);
	read_urls(reader, script, HTML_SCRIPT);
	read_relative(reader, script, HTML_SCRIPT);
	read_data_strings(reader, script, HTML_SCRIPT);
	read_coded_strings(reader, script);
	if (!escape_script_undoes_percent(script))
		return;
	script = escape_undo_percent(reader->arena, script);
	read_urls(reader, script, HTML_SCRIPT);
	read_relative(reader, script, HTML_SCRIPT);
	queue_fragment(reader, script, false);
}

/* ------------------------------------------------- what a link carries */

/* Whether a target is of a scheme that runs what follows, and what that is. */
static bool
is_script(struct slice target, struct slice *script_out)
{
	static const char *const schemes[] = {
		"javascript:", "vbscript:", "livescript:"
	};

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t at = 0, matched = 0;

		while (at < target.length && schemes[i][matched] != '\0') {
			char c = target.data[at++];

			if ((unsigned char)c <= ' ' &&
			    (matched == 0 || c == '\t' || c == '\r' ||
				c == '\n'))
				continue;
			if (ascii_lower(c) != schemes[i][matched])
				break;
			matched++;
		}
		if (schemes[i][matched] == '\0') {
			*script_out = slice_skip(target, at);
			return true;
		}
	}
	return false;
}

static bool
type_is(const struct data_url *data, const char *part)
{
	return slice_find(data->type, slice_text(part)) != SIZE_MAX;
}

/* Reads what is text of some kind as what it is; true when it is a page. */
static bool
read_data_text(struct html_reader *reader, const struct data_url *data)
{
	struct charset_result converted;

	if (!charset_to_utf8(reader->arena, data->charset, data->content,
		data->content.length * 4, &converted))
		return false;
	if (type_is(data, "css"))
		read_style(reader, converted.text);
	else if (type_is(data, "script") || type_is(data, "json"))
		read_script(reader, converted.text);
	else {
		read_urls(reader, converted.text, HTML_SRC);
		queue_fragment(reader, converted.text, false);
		return type_is(data, "html");
	}
	return false;
}

static void
read_data(struct html_reader *reader, struct slice target)
{
	struct data_url data;
	struct html_file *file;
	bool text, page = false;

	if (target.length > reader->inner_left) {
		reader->result->cut = true;
		return;
	}
	reader->inner_left -= target.length;
	if (!data_url_read(reader->arena, target, &data))
		return;
	text = slice_starts_with(data.type, SLICE_LITERAL("text/")) ||
	       type_is(&data, "xml") || type_is(&data, "html") ||
	       type_is(&data, "script") || type_is(&data, "json");
	if (text)
		page = read_data_text(reader, &data);
	if (data.content.length == 0 ||
	    (!reader->saves && (text ? !page : data_url_is_picture(&data))))
		return;
	file = list_append(
	    reader->arena, &reader->result->files, reader->limits->files_max);
	if (file == NULL) {
		reader->result->cut = true;
		return;
	}
	*file = (struct html_file){ data, reader->download };
}

/* Adds the target of a link; what it carries in itself is read as well. */
static void
read_target(
    struct html_reader *reader, struct slice target, enum html_place place)
{
	struct slice script;

	if (is_script(target, &script))
		read_script(reader, escape_undo_percent(reader->arena, script));
	else if (!data_url_is(target))
		add_link(reader, target, place);
	else if (place == HTML_HREF && reader->carried.length == 0)
		reader->carried = target; /* read at the end of the tag */
	else
		read_data(reader, target);
}

/* "0; url=http://...", as the standard reads it (HTML, "shared declarative
 * refresh steps"); what does not begin with a time is another thing. */
static void
read_refresh(struct html_reader *reader, struct slice content)
{
	struct slice target = slice_trim(content);
	size_t digits = 0;
	bool named = false;

	while (digits < target.length && (ascii_is_digit(target.data[digits]) ||
					     target.data[digits] == '.'))
		digits++;
	target = slice_skip(target, digits);
	if (target.length == 0 ||
	    (!is_html_blank(target.data[0]) && target.data[0] != ';' &&
		target.data[0] != ','))
		return;
	target = slice_trim(target);
	if (target.length > 0 &&
	    (target.data[0] == ';' || target.data[0] == ','))
		target = slice_trim(slice_skip(target, 1));
	if (slice_starts_with_fold(target, SLICE_LITERAL("url"))) {
		struct slice rest = slice_trim(slice_skip(target, 3));

		named = rest.length > 0 && rest.data[0] == '=';
		if (named)
			target = slice_trim(slice_skip(rest, 1));
	}
	if (target.length > 0 &&
	    (target.data[0] == '"' || target.data[0] == '\'')) {
		char quote = target.data[0];

		target = slice_skip(target, 1);
		slice_split(target, quote, &target);
	}
	/* "1, 2" and "3 months" are contents of other <meta>s */
	if (named || slice_find_byte(target, '/') != SIZE_MAX ||
	    slice_find_byte(target, '\\') != SIZE_MAX ||
	    slice_find_byte(target, ':') != SIZE_MAX)
		read_target(reader, target, HTML_REFRESH);
}

/* URLs with blanks between. */
static void
read_list(struct html_reader *reader, struct slice list)
{
	while (list.length > 0) {
		size_t end = 0;

		while (end < list.length && !is_html_blank(list.data[end]))
			end++;
		read_target(reader, slice_range(list, 0, end), HTML_HREF);
		list = slice_skip(list, end + 1);
	}
}

/* "a.png 1x, b.png 2x" */
static void
read_srcset(struct html_reader *reader, struct slice set)
{
	while (set.length > 0) {
		struct slice candidate;
		size_t end = 0;

		set = slice_split(set, ',', &candidate);
		candidate = slice_trim(candidate);
		while (end < candidate.length &&
		       !is_html_blank(candidate.data[end]))
			end++;
		read_target(reader, slice_range(candidate, 0, end), HTML_SRC);
	}
}

/* What is done with the value of an attribute. */
enum attribute_kind {
	ATTRIBUTE_LINK, /* href */
	ATTRIBUTE_SOURCE,
	ATTRIBUTE_ACTION,
	ATTRIBUTE_SRCSET,
	ATTRIBUTE_STYLE,
	ATTRIBUTE_SRCDOC,
	ATTRIBUTE_CONTENT,
	ATTRIBUTE_LIST,    /* several URLs */
	ATTRIBUTE_IGNORED, /* names of things, never fetched */
	ATTRIBUTE_ALT
};

static const struct {
	const char *name;
	enum attribute_kind kind;
} attribute_kinds[] = {
	{ "href", ATTRIBUTE_LINK },
	{ "xlink:href", ATTRIBUTE_LINK },
	{ "ping", ATTRIBUTE_LIST },
	{ "src", ATTRIBUTE_SOURCE },
	{ "data", ATTRIBUTE_SOURCE },
	{ "data-src", ATTRIBUTE_SOURCE },
	{ "background", ATTRIBUTE_SOURCE },
	{ "poster", ATTRIBUTE_SOURCE },
	{ "lowsrc", ATTRIBUTE_SOURCE },
	{ "dynsrc", ATTRIBUTE_SOURCE },
	{ "longdesc", ATTRIBUTE_SOURCE },
	{ "cite", ATTRIBUTE_SOURCE },
	{ "codebase", ATTRIBUTE_SOURCE },
	{ "code", ATTRIBUTE_SOURCE },
	{ "manifest", ATTRIBUTE_SOURCE },
	{ "icon", ATTRIBUTE_SOURCE },
	{ "action", ATTRIBUTE_ACTION },
	{ "formaction", ATTRIBUTE_ACTION },
	{ "srcset", ATTRIBUTE_SRCSET },
	{ "imagesrcset", ATTRIBUTE_SRCSET },
	{ "style", ATTRIBUTE_STYLE },
	{ "srcdoc", ATTRIBUTE_SRCDOC },
	{ "content", ATTRIBUTE_CONTENT },
	{ "itemtype", ATTRIBUTE_IGNORED },
	{ "vocab", ATTRIBUTE_IGNORED },
	{ "prefix", ATTRIBUTE_IGNORED },
	{ "alt", ATTRIBUTE_ALT },
};

static void
close_anchor(struct html_reader *reader)
{
	struct html_link *link;
	size_t length;

	if (reader->anchor == 0)
		return;
	link = &reader->result->links.items[reader->anchor - 1];
	reader->anchor = 0;
	if (reader->text.length <= reader->anchor_start)
		return;
	length = reader->text.length - reader->anchor_start;
	if (length > LINK_TEXT_MAX)
		length = LINK_TEXT_MAX;
	link->text = slice_trim(arena_copy(reader->arena,
	    slice_make(reader->text.data + reader->anchor_start, length)));
}

static void
read_link(struct html_reader *reader, struct slice tag, struct slice value)
{
	bool anchor = slice_equal_text_fold(tag, "a") ||
		      slice_equal_text_fold(tag, "area");
	struct html_link *link;
	struct slice script;

	if (is_script(value, &script) || data_url_is(value)) {
		if (anchor)
			close_anchor(reader);
		read_target(reader, value, HTML_HREF);
		return;
	}
	if (slice_equal_text_fold(tag, "base")) {
		add_link(reader, value, HTML_BASE);
		if (reader->result->base.length == 0)
			reader->result->base = slice_trim(value);
		return;
	}
	if (anchor)
		close_anchor(reader);
	link = add_link(reader, value, HTML_HREF);
	if (!anchor || link == NULL)
		return;
	if (reader->blank && reader->text.length > 0)
		builder_byte(&reader->text, ' ');
	reader->blank = false;
	reader->anchor = reader->result->links.count;
	reader->anchor_start = reader->text.length;
}

/* An attribute of no name that matters: what stands there as a URL in full is
 * one to some program (SVG's values, Office's o:href, title), unless it is a
 * namespace. Most are too short or have no slash. */
static void
read_other(struct html_reader *reader, const struct attribute *attribute)
{
	struct slice value = attribute->value;

	if (slice_starts_with_fold(attribute->name, SLICE_LITERAL("on"))) {
		read_script(
		    reader, html_decode_entities(reader->arena, value, true));
		return;
	}
	if (value.length < URL_MIN)
		return;
	if (slice_starts_with(value, SLICE_LITERAL("\\\\"))) {
		add_link(reader, value, HTML_SRC);
		return;
	}
	if ((slice_find_byte(value, '/') == SIZE_MAX &&
		slice_find_byte(value, '&') == SIZE_MAX) ||
	    slice_starts_with_fold(attribute->name, SLICE_LITERAL("xmlns")))
		return;
	read_urls(
	    reader, html_decode_entities(reader->arena, value, true), HTML_SRC);
}

static void
read_value(struct html_reader *reader, struct slice tag,
    enum attribute_kind kind, struct slice value)
{
	switch (kind) {
	case ATTRIBUTE_LINK:
		read_link(reader, tag, value);
		return;
	case ATTRIBUTE_SOURCE:
		read_target(reader, value, HTML_SRC);
		return;
	case ATTRIBUTE_ACTION:
		read_target(reader, value, HTML_ACTION);
		return;
	case ATTRIBUTE_SRCSET:
		read_srcset(reader, value);
		return;
	case ATTRIBUTE_STYLE:
		read_style(reader, value);
		return;
	case ATTRIBUTE_SRCDOC:
		queue_fragment(reader, value, false);
		return;
	case ATTRIBUTE_CONTENT:
		if (slice_equal_text_fold(tag, "meta"))
			read_refresh(reader, value);
		read_urls(reader, value, HTML_SRC);
		return;
	case ATTRIBUTE_LIST:
		read_list(reader, value);
		return;
	case ATTRIBUTE_IGNORED:
		return;
	case ATTRIBUTE_ALT:
		read_urls(reader, value, HTML_SRC);
		return;
	}
}

static void
read_attribute(struct html_reader *reader, struct slice tag,
    const struct attribute *attribute)
{
	size_t i = 0,
	       count = sizeof attribute_kinds / sizeof attribute_kinds[0];
	enum attribute_kind kind;

	if (is_named(attribute->name, "download")) {
		reader->saves = true;
		reader->download =
		    html_decode_entities(reader->arena, attribute->value, true);
		return;
	}
	if (attribute->value.length == 0)
		return;
	while (i < count && !is_named(attribute->name, attribute_kinds[i].name))
		i++;
	if (i == count) {
		read_other(reader, attribute);
		return;
	}
	kind = attribute_kinds[i].kind;
	if (kind == ATTRIBUTE_ALT && reader->anchor > 0 &&
	    !reader->fragment.comment)
		show(reader, attribute->value);
	read_value(reader, tag, kind,
	    html_decode_entities(reader->arena, attribute->value, true));
}

/* Takes the next attribute of a tag; false at the tag's end, which is taken
 * too. Linear: a quote that nobody closes is looked for once. */
static bool
next_attribute(struct html_reader *reader, struct attribute *attribute)
{
	struct slice input = reader->input;
	size_t at = reader->at, start;

	while (at < input.length &&
	       (is_html_blank(input.data[at]) || input.data[at] == '/'))
		at++;
	if (at == input.length || input.data[at] == '>') {
		reader->at = at + (at < input.length);
		return false;
	}
	start = at++;
	while (at < input.length && !ends_name(input.data[at]) &&
	       input.data[at] != '=')
		at++;
	attribute->name = slice_range(input, start, at);
	attribute->value = slice_make(NULL, 0);
	while (at < input.length && is_html_blank(input.data[at]))
		at++;
	reader->at = at;
	if (at == input.length || input.data[at] != '=')
		return true;
	at++;
	while (at < input.length && is_html_blank(input.data[at]))
		at++;
	if (at < input.length &&
	    (input.data[at] == '"' || input.data[at] == '\'')) {
		bool *no_end = &reader->no_end[input.data[at] == '\''];
		const char *end =
		    *no_end ? NULL
			    : memchr(input.data + at + 1, input.data[at],
				  input.length - at - 1);

		if (end != NULL) {
			attribute->value = slice_range(
			    input, at + 1, (size_t)(end - input.data));
			reader->at = (size_t)(end - input.data) + 1;
			return true;
		}
		*no_end = true;
		at++;
	}
	start = at;
	while (at < input.length && !is_html_blank(input.data[at]) &&
	       input.data[at] != '>')
		at++;
	attribute->value = slice_range(input, start, at);
	reader->at = at;
	return true;
}

/* Elements whose inside is no markup. */
static bool
is_raw_element(struct slice tag)
{
	static const char *const names[] = { "script", "style", "title",
		"textarea", "xmp", "noembed", "noframes" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (is_named(tag, names[i]))
			return true;
	return false;
}

/* Takes the inside of a raw element up to its end tag, or to the end of the
 * input when there is none. */
static struct slice
take_raw(struct html_reader *reader, struct slice tag)
{
	struct slice rest = slice_skip(reader->input, reader->at);
	size_t from = 0;

	for (;;) {
		struct slice look = slice_skip(rest, from);
		size_t at = slice_find(look, SLICE_LITERAL("</"));

		if (at == SIZE_MAX) {
			reader->at = reader->input.length;
			return rest;
		}
		from += at;
		if (slice_starts_with_fold(slice_skip(rest, from + 2), tag)) {
			reader->at += from;
			return slice_range(rest, 0, from);
		}
		from += 2;
	}
}

static const char *const block_elements[] = { "p", "div", "br", "tr", "li",
	"h1", "h2", "h3", "h4", "h5", "h6", "table", "ul", "ol", "dl", "dt",
	"dd", "blockquote", "pre", "hr", "form", "section", "article", "header",
	"footer", "body", "title", "center", "option", "address", "caption" };

static void
mark_element(struct html_reader *reader, struct slice tag)
{
	if (reader->fragment.comment)
		return;
	if (slice_equal_text_fold(tag, "td") ||
	    slice_equal_text_fold(tag, "th")) {
		reader->blank = true;
		return;
	}
	for (size_t i = 0; i < sizeof block_elements / sizeof block_elements[0];
	     i++)
		if (is_named(tag, block_elements[i])) {
			line_break(reader);
			return;
		}
}

static struct slice
tag_name(const struct html_reader *reader, size_t start)
{
	size_t end = start;

	while (
	    end < reader->input.length && !ends_name(reader->input.data[end]))
		end++;
	return slice_range(reader->input, start, end);
}

static void
read_start_tag(struct html_reader *reader)
{
	struct slice tag = tag_name(reader, reader->at + 1);
	struct attribute attribute;
	size_t count = 0;

	reader->at += 1 + tag.length;
	reader->saves = false;
	reader->download = reader->carried = slice_make(NULL, 0);
	mark_element(reader, tag);
	while (next_attribute(reader, &attribute)) {
		if (count++ < reader->limits->attributes_max)
			read_attribute(reader, tag, &attribute);
		else
			reader->result->cut = true;
	}
	if (reader->carried.length > 0)
		read_data(reader, reader->carried);
	reader->saves = false;
	if (is_raw_element(tag)) {
		struct slice inside = take_raw(reader, tag);

		if (slice_equal_text_fold(tag, "style"))
			read_style(reader, inside);
		else if (slice_equal_text_fold(tag, "script"))
			read_script(reader, inside);
		else if (!reader->fragment.comment)
			show(reader, inside);
	}
}

static void
read_end_tag(struct html_reader *reader)
{
	struct slice tag = tag_name(reader, reader->at + 2);
	struct attribute attribute;

	reader->at += 2 + tag.length;
	if (slice_equal_text_fold(tag, "a"))
		close_anchor(reader);
	mark_element(reader, tag);
	while (next_attribute(reader, &attribute))
		continue;
}

/* The length of a comment's inside: up to "-->" or "--!>"; *behind_out is where
 * the text goes on. SIZE_MAX: it does not end. */
static size_t
comment_end(struct slice text, size_t *behind_out)
{
	size_t at = 0, found;

	while ((found = slice_find(
		    slice_skip(text, at), SLICE_LITERAL("--"))) != SIZE_MAX) {
		at += found;
		if (slice_starts_with(
			slice_skip(text, at), SLICE_LITERAL("-->"))) {
			*behind_out = at + 3;
			return at;
		}
		if (slice_starts_with(
			slice_skip(text, at), SLICE_LITERAL("--!>"))) {
			*behind_out = at + 4;
			return at;
		}
		at++;
	}
	return SIZE_MAX;
}

/* The inside of a comment is read for links: some programs show conditional
 * ones, and what was commented out still tells where a kit came from. */
static void
read_comment(struct html_reader *reader, struct slice text)
{
	queue_fragment(reader, text, true);
	read_urls(reader, text, HTML_COMMENT);
}

/* The URLs of a declaration: of CDATA, of XML's style sheets and entities.
 * What the definition of HTML names is never fetched. */
static void
read_declared(struct html_reader *reader, struct slice text)
{
	if (!slice_starts_with_fold(text, SLICE_LITERAL("<!doctype html")))
		read_urls(reader, text, HTML_COMMENT);
}

/* A comment, a declaration or a processing instruction. */
static void
read_declaration(struct html_reader *reader)
{
	struct slice rest = slice_skip(reader->input, reader->at);
	size_t end, behind;

	if (!slice_starts_with(rest, SLICE_LITERAL("<!--"))) {
		end = slice_find_byte(rest, '>');
		read_declared(reader, slice_range(rest, 0, end));
		reader->at = end == SIZE_MAX ? reader->input.length
					     : reader->at + end + 1;
		return;
	}
	if (slice_starts_with(rest, SLICE_LITERAL("<!-->")) ||
	    slice_starts_with(rest, SLICE_LITERAL("<!--->"))) {
		reader->at += rest.data[4] == '-' ? 6 : 5;
		return;
	}
	rest = slice_skip(rest, 4);
	end = comment_end(rest, &behind);
	if (end == SIZE_MAX) {
		/* Not ended: browsers take all; others go on after the next
		 * '>', so the rest is read both ways. */
		read_comment(reader, rest);
		reader->at = reader->input.length;
		return;
	}
	read_comment(reader, slice_range(rest, 0, end));
	reader->at += 4 + behind;
}

static void
read_fragment(struct html_reader *reader)
{
	reader->input = reader->fragment.html;
	reader->at = 0;
	reader->no_end[0] = reader->no_end[1] = false;
	while (reader->at < reader->input.length &&
	       !arena_exhausted(reader->arena)) {
		struct slice rest = slice_skip(reader->input, reader->at);
		size_t open = slice_find_byte(rest, '<');
		char next;

		if (open == SIZE_MAX)
			open = rest.length;
		if (open > 0 && !reader->fragment.comment)
			show(reader, slice_range(rest, 0, open));
		reader->at += open;
		if (reader->at >= reader->input.length)
			break;
		next = open + 1 < rest.length ? rest.data[open + 1] : '\0';
		if (ascii_is_alpha(next))
			read_start_tag(reader);
		else if (next == '!' || next == '?')
			read_declaration(reader);
		else if (next == '/' && open + 2 < rest.length &&
			 ascii_is_alpha(rest.data[open + 2]))
			read_end_tag(reader);
		else {
			if (!reader->fragment.comment)
				show(reader, SLICE_LITERAL("<"));
			reader->at++;
		}
	}
	close_anchor(reader);
}

static struct html_reader *
reader_new(struct arena *arena, size_t input, const struct html_limits *limits,
    struct html_result *result)
{
	struct html_reader *reader = arena_alloc(arena, sizeof *reader);

	*result = (struct html_result){ .cut = false };
	if (reader == NULL)
		return NULL;
	reader->arena = arena;
	reader->limits = limits;
	reader->result = result;
	reader->text = builder_make(arena, limits->text_max);
	reader->inner_left = INNER_BYTES_TIMES * input;
	return reader;
}

static bool
read_inner(struct html_reader *reader)
{
	for (size_t i = 0; i < reader->fragments.count; i++) {
		reader->fragment = reader->fragments.items[i];
		read_fragment(reader);
	}
	reader->result->text = builder_result(&reader->text);
	if (reader->text.failed)
		reader->result->cut = true;
	return !arena_exhausted(reader->arena);
}

static struct slice
within_limit(struct slice input, const struct html_limits *limits, bool *cut)
{
	*cut = input.length > limits->input_max;
	return slice_range(input, 0, limits->input_max);
}

bool
html_read(struct arena *arena, struct slice html,
    const struct html_limits *limits, struct html_result *result_out)
{
	bool cut;
	struct slice input = within_limit(html, limits, &cut);
	struct html_reader *reader =
	    reader_new(arena, input.length, limits, result_out);

	if (reader == NULL)
		return false;
	result_out->cut = cut;
	reader->fragment.html = input;
	read_fragment(reader);
	return read_inner(reader);
}

bool
html_read_script(struct arena *arena, struct slice script,
    const struct html_limits *limits, struct html_result *result_out)
{
	bool cut;
	struct slice input = within_limit(script, limits, &cut);
	struct html_reader *reader =
	    reader_new(arena, input.length, limits, result_out);

	if (reader == NULL)
		return false;
	result_out->cut = cut;
	read_script(reader, input);
	return read_inner(reader);
}
