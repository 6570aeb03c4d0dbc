#include <config.h>

#include <stdint.h>

#include "base/url_canonical.h"
#include "base/utf8.h"
#include "message/escape.h"

#define STYLE_DIGITS_MAX 6  /* of a CSS escape */
#define JOIN_BLANKS_MAX  80 /* between the strings that are joined */
#define SEARCH_TRIES     1000

/* Up to `most` hexadecimal digits at the front; how many there are. */
static size_t
read_hex(struct slice text, size_t most, uint32_t *value_out)
{
	size_t i = 0;

	*value_out = 0;
	for (; i < most && i < text.length; i++) {
		int digit = ascii_hex_value(text.data[i]);

		if (digit < 0)
			break;
		*value_out = *value_out * 16 + (uint32_t)digit;
	}
	return i;
}

/* The octets of "\x68", "\u0068", "\u{68}", "\150" at the front and the ASCII
 * character that they stand for; 0 when it is none of these. */
static size_t
script_escape(struct slice text, char *out)
{
	char kind = text.length > 1 ? text.data[1] : '\0';
	struct slice rest = slice_skip(text, 2);
	uint32_t value = 0;
	size_t used = 0;

	if (kind == 'x' || kind == 'u') {
		size_t digits = kind == 'x' ? 2 : 4;

		if (kind == 'u' && rest.length > 2 && rest.data[0] == '{') {
			size_t count = read_hex(
			    slice_skip(rest, 1), STYLE_DIGITS_MAX, &value);

			if (count == 0 || count + 1 >= rest.length ||
			    rest.data[count + 1] != '}')
				return 0;
			used = count + 4;
		} else if (read_hex(rest, digits, &value) == digits)
			used = digits + 2;
	} else {
		size_t i = 1;

		for (; i < 4 && i < text.length && text.data[i] >= '0' &&
		       text.data[i] <= '7' && value < 32;
		     i++)
			value = value * 8 + (uint32_t)(text.data[i] - '0');
		used = i > 1 ? i : 0;
	}
	if (used == 0 || value == 0 || value >= 0x80)
		return 0;
	*out = (char)value;
	return used;
}

static size_t
skip_blanks(struct slice text, size_t at)
{
	size_t most = at + JOIN_BLANKS_MAX;

	while (at < text.length && at < most && ascii_is_space(text.data[at]))
		at++;
	return at;
}

static bool
is_quote(char c)
{
	return c == '"' || c == '\'' || c == '`';
}

/* Where the string goes on that a quote at `at` ends, when another one is
 * joined to it: "ht" + "tp" (also over lines, with VBScript's '&' and '_').
 * 0: it is not. */
static size_t
joined_string(struct slice text, size_t at)
{
	size_t next = skip_blanks(text, at + 1);

	if (next >= text.length ||
	    (text.data[next] != '+' && text.data[next] != '&'))
		return 0;
	next = skip_blanks(text, next + 1);
	if (next < text.length && text.data[next] == '_')
		next = skip_blanks(text, next + 1);
	return next < text.length && is_quote(text.data[next]) ? next + 1 : 0;
}

/* Whether one of these octets stands at `at` and does something there. */
static bool
is_script_escape(struct slice script, size_t at)
{
	char next = at + 1 < script.length ? script.data[at + 1] : '\0';
	char c = script.data[at];
	size_t before = at;

	if (c == '\\')
		return next != '\0' && strchr("/\\xu01234567", next) != NULL;
	if (c == '^')
		return ascii_is_alpha(next) || next == ':' || next == '/' ||
		       next == '.';
	while (before > 0 && at - before < JOIN_BLANKS_MAX &&
	       ascii_is_space(script.data[before - 1]))
		before--;
	return before > 0 && is_quote(script.data[before - 1]);
}

/* Whether there is anything that escape_undo_script() would undo. Few texts
 * have these octets, so four searches cost less than a look at each. */
static bool
has_script_escapes(struct slice script)
{
	static const char octets[] = "\\^+&";

	for (size_t i = 0; i < sizeof octets - 1; i++) {
		struct slice rest = script;
		size_t at, tries = SEARCH_TRIES;

		while ((at = slice_find_byte(rest, octets[i])) != SIZE_MAX) {
			at += script.length - rest.length;
			/* where there are so many, a copy costs no more */
			if (is_script_escape(script, at) || --tries == 0)
				return true;
			rest = slice_skip(script, at + 1);
		}
	}
	return false;
}

struct slice
escape_undo_script(struct arena *arena, struct slice script)
{
	char *out;
	size_t length = 0, i = 0;

	if (!has_script_escapes(script))
		return script;
	out = arena_alloc(arena, script.length + 1);
	if (out == NULL)
		return slice_make(NULL, 0);
	while (i < script.length) {
		char c = script.data[i], next;
		size_t used = 0;

		next = i + 1 < script.length ? script.data[i + 1] : '\0';
		if (c == '\\' && (next == '/' || next == '\\')) {
			out[length++] = next;
			i += 2;
		} else if (c == '\\' &&
			   (used = script_escape(
				slice_skip(script, i), &out[length])) > 0) {
			i += used;
			length++;
		} else if (c == '^' && (ascii_is_alpha(next) || next == ':' ||
					   next == '/' || next == '.'))
			i++;
		else if (is_quote(c) && (used = joined_string(script, i)) > 0)
			i = used;
		else {
			out[length++] = c;
			i++;
		}
	}
	return slice_make(out, length);
}

bool
escape_script_undoes_percent(struct slice script)
{
	return slice_find_byte(script, '%') != SIZE_MAX &&
	       (slice_find(script, SLICE_LITERAL("unescape(")) != SIZE_MAX ||
		   slice_find(script, SLICE_LITERAL("decodeURI")) != SIZE_MAX);
}

struct slice
escape_undo_style(struct arena *arena, struct slice style)
{
	char *out;
	size_t length = 0, i = 0;

	if (slice_find_byte(style, '\\') == SIZE_MAX)
		return style;
	/* an escape is never shorter than what it stands for: "\1" is one
	 * octet, and four need at least as many digits */
	out = arena_alloc(arena, style.length + 4);
	if (out == NULL)
		return slice_make(NULL, 0);
	while (i < style.length) {
		struct slice rest = slice_skip(style, i + 1);
		uint32_t point = 0;
		size_t digits;

		if (style.data[i] != '\\' || rest.length == 0) {
			out[length++] = style.data[i++];
			continue;
		}
		digits = read_hex(rest, STYLE_DIGITS_MAX, &point);
		i += 1 + digits;
		if (digits > 0) {
			if (point == 0 || point > 0x10FFFF ||
			    (point >= 0xD800 && point <= 0xDFFF))
				point = '?';
			length += utf8_encode(point, out + length);
			if (i < style.length && ascii_is_space(style.data[i]))
				i++;
		} else if (rest.data[0] == '\n')
			i++; /* the line goes on */
		else if (slice_starts_with(rest, SLICE_LITERAL("\r\n")))
			i += 2;
		else
			out[length++] = style.data[i++];
	}
	return slice_make(out, length);
}

struct slice
escape_undo_percent(struct arena *arena, struct slice text)
{
	struct slice undone = url_canonical_percent_decode(arena, text);

	return undone.data == NULL ? text : undone;
}
