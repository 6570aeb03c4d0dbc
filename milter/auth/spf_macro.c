#include <config.h>

#include <stdio.h>

#include "auth/spf_macro.h"
#include "base/builder.h"
#include "base/domain.h"

#define EXPANSION_MAX 16384 /* of a domain-spec before it is cut to a name */

/* One "%{...}" taken apart. */
struct macro {
	char letter;             /* lower case */
	bool escapes;            /* upper case letter: URL escaping */
	bool reverses;           /* r */
	unsigned keep;           /* right-hand parts; 0: all */
	struct slice delimiters; /* empty: "." */
};

static bool
is_delimiter(char c)
{
	return c != '\0' && strchr(".-+,/_=", c) != NULL;
}

/* Reads the macro at the front of *text, which begins with "%{". */
static bool
macro_read(struct slice *text, struct macro *macro_out)
{
	struct slice rest = slice_skip(*text, 2);
	struct macro macro = { 0 };
	bool has_number = false;
	size_t count = 0;

	if (rest.length == 0)
		return false;
	macro.letter = ascii_lower(rest.data[0]);
	macro.escapes = macro.letter != rest.data[0];
	if (macro.letter == '\0' || strchr("slodiphcrtv", macro.letter) == NULL)
		return false;
	rest = slice_skip(rest, 1);
	while (rest.length > 0 && ascii_is_digit(rest.data[0])) {
		has_number = true;
		if (macro.keep < 1000)
			macro.keep =
			    macro.keep * 10 + (unsigned)(rest.data[0] - '0');
		rest = slice_skip(rest, 1);
	}
	if (has_number && macro.keep == 0)
		return false;
	if (rest.length > 0 && ascii_lower(rest.data[0]) == 'r') {
		macro.reverses = true;
		rest = slice_skip(rest, 1);
	}
	while (count < rest.length && is_delimiter(rest.data[count]))
		count++;
	macro.delimiters = slice_range(rest, 0, count);
	rest = slice_skip(rest, count);
	if (rest.length == 0 || rest.data[0] != '}')
		return false;
	*text = slice_skip(rest, 1);
	*macro_out = macro;
	return true;
}

/* RFC 7208, 7.1: toplabel has a letter or an inner hyphen, and neither begins
 * nor ends with a hyphen. */
static bool
is_top_label(struct slice label)
{
	bool letter = false;

	if (label.length == 0 || label.data[0] == '-' ||
	    label.data[label.length - 1] == '-')
		return false;
	for (size_t i = 0; i < label.length; i++) {
		char c = label.data[i];

		if (ascii_is_alpha(c) || c == '-')
			letter = true;
		else if (!ascii_is_digit(c))
			return false;
	}
	return letter;
}

/* domain-end of RFC 7208, 7.1, given what follows the last macro-expand. */
static bool
ends_in_top_label(struct slice literal)
{
	size_t dot;

	if (literal.length > 0 && literal.data[literal.length - 1] == '.')
		literal.length--;
	dot = slice_find_last_byte(literal, '.');
	return dot != SIZE_MAX && is_top_label(slice_skip(literal, dot + 1));
}

static bool
letter_fits(char letter, enum spf_macro_use use)
{
	return use != SPF_MACRO_DOMAIN ||
	       (letter != 'c' && letter != 'r' && letter != 't');
}

bool
spf_macro_is_valid(struct slice text, enum spf_macro_use use)
{
	struct slice literal = text; /* what follows the last macro-expand */
	bool ends_in_macro = false;

	while (text.length > 0) {
		unsigned char c = (unsigned char)text.data[0];
		struct macro macro;

		ends_in_macro = false;
		if (c != '%') {
			if (c > 0x7e || c < 0x20 ||
			    (c == ' ' && use != SPF_MACRO_EXPLANATION))
				return false;
			text = slice_skip(text, 1);
			continue;
		}
		if (text.length < 2)
			return false;
		if (text.data[1] == '{') {
			if (!macro_read(&text, &macro) ||
			    !letter_fits(macro.letter, use))
				return false;
		} else {
			if (memchr("%_-", text.data[1], 3) == NULL)
				return false;
			text = slice_skip(text, 2);
		}
		ends_in_macro = true;
		literal = text;
	}
	return use != SPF_MACRO_DOMAIN || ends_in_macro ||
	       ends_in_top_label(literal);
}

bool
spf_macro_needs_validated(struct slice text)
{
	struct macro macro;

	while (text.length > 1) {
		if (text.data[0] != '%') {
			text = slice_skip(text, 1);
		} else if (text.data[1] != '{') {
			text = slice_skip(text, 2);
		} else if (!macro_read(&text, &macro)) {
			return false;
		} else if (macro.letter == 'p') {
			return true;
		}
	}
	return false;
}

/* i: dotted quad, or the 32 nibbles with dots between (RFC 7208, 7.3); letters
 * in upper case as the examples of 7.4 and the public suite have them. */
static struct slice
client_dotted(const struct ipaddr *client, char text[64])
{
	static const char digits[] = "0123456789ABCDEF";
	char *at = text;

	if (ipaddr_is_v4(client))
		return slice_text(ipaddr_format(client, text));
	for (size_t i = 0; i < 16; i++) {
		*at++ = digits[client->octets[i] >> 4];
		*at++ = '.';
		*at++ = digits[client->octets[i] & 15];
		*at++ = '.';
	}
	return slice_make(text, (size_t)(at - text) - 1);
}

static struct slice
macro_value(char letter, const struct spf_macro_values *values, char text[64])
{
	switch (letter) {
	case 's':
		return values->sender;
	case 'l':
		return values->local_part;
	case 'o':
		return values->sender_domain;
	case 'd':
		return values->domain;
	case 'p':
		return values->validated;
	case 'h':
		return values->helo;
	case 'r':
		return values->receiver;
	case 'i':
		return client_dotted(&values->client, text);
	case 'c':
		return slice_text(ipaddr_format(&values->client, text));
	case 'v':
		return ipaddr_is_v4(&values->client) ? SLICE_LITERAL("in-addr")
						     : SLICE_LITERAL("ip6");
	case 't':
		snprintf(
		    text, 64, "%llu", (unsigned long long)values->now_unix);
		return slice_text(text);
	}
	return slice_make(NULL, 0);
}

static void
append_escaped(struct builder *builder, struct slice part, bool escapes)
{
	if (!escapes) {
		builder_slice(builder, part);
		return;
	}
	for (size_t i = 0; i < part.length; i++) {
		unsigned char c = (unsigned char)part.data[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) ||
		    (c != '\0' && strchr("-._~", c) != NULL))
			builder_byte(builder, (char)c);
		else
			builder_printf(builder, "%%%02X", c);
	}
}

static size_t
part_length(struct slice value, struct slice delimiters)
{
	size_t length = 0;

	while (length < value.length &&
	       slice_find_byte(delimiters, value.data[length]) == SIZE_MAX)
		length++;
	return length;
}

static unsigned
count_parts(struct slice value, struct slice delimiters)
{
	unsigned count = 1;

	for (size_t i = 0; i < value.length; i++)
		count += slice_find_byte(delimiters, value.data[i]) != SIZE_MAX;
	return count;
}

/* Splits, reverses, keeps the right-hand parts, joins with dots. */
static void
append_parts(
    struct builder *builder, struct slice value, const struct macro *macro)
{
	struct slice delimiters = macro->delimiters.length > 0
				      ? macro->delimiters
				      : SLICE_LITERAL(".");
	unsigned count = count_parts(value, delimiters);
	unsigned keep =
	    macro->keep == 0 || macro->keep > count ? count : macro->keep;
	unsigned skip = count - keep;
	bool first = true;

	if (!macro->reverses) {
		while (count-- > 0) {
			size_t length = part_length(value, delimiters);

			if (skip > 0) {
				skip--;
			} else {
				if (!first)
					builder_byte(builder, '.');
				append_escaped(builder,
				    slice_range(value, 0, length),
				    macro->escapes);
				first = false;
			}
			value = slice_skip(value, length + 1);
		}
		return;
	}
	/* From the end: the first `skip` of the reversed parts are the last. */
	while (count-- > 0) {
		size_t start = value.length;

		while (start > 0 && slice_find_byte(delimiters,
					value.data[start - 1]) == SIZE_MAX)
			start--;
		if (skip > 0) {
			skip--;
		} else {
			if (!first)
				builder_byte(builder, '.');
			append_escaped(
			    builder, slice_skip(value, start), macro->escapes);
			first = false;
		}
		value.length = start > 0 ? start - 1 : 0;
	}
}

bool
spf_macro_expand(struct arena *arena, struct slice text,
    const struct spf_macro_values *values, size_t limit,
    struct slice *expanded_out)
{
	struct builder builder = builder_make(arena, limit);
	struct macro macro;
	char buffer[64];

	while (text.length > 0 && !builder.failed) {
		if (text.data[0] != '%' || text.length < 2) {
			builder_byte(&builder, text.data[0]);
			text = slice_skip(text, 1);
		} else if (text.data[1] == '{') {
			if (!macro_read(&text, &macro))
				return false;
			append_parts(&builder,
			    macro_value(macro.letter, values, buffer), &macro);
		} else {
			builder_text(&builder, text.data[1] == '-'   ? "%20"
					       : text.data[1] == '_' ? " "
								     : "%");
			text = slice_skip(text, 2);
		}
	}
	*expanded_out = builder_result(&builder);
	return !builder.failed;
}

bool
spf_macro_target(struct arena *arena, struct slice spec,
    const struct spf_macro_values *values, struct slice *target_out)
{
	struct slice name;

	if (!spf_macro_expand(arena, spec, values, EXPANSION_MAX, &name))
		return false;
	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	while (name.length > DOMAIN_TEXT_MAX)
		name = domain_parent(name);
	*target_out = name;
	return true;
}
