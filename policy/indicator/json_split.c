#include <config.h>

#include <cjson/cJSON.h>
#include <limits.h>
#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "indicator/json_split.h"

/* A first line that is longer is no line of JSON lines. */
#define FIRST_LINE_MAX (16u << 20)

/* Index behind the closing quote of the string that opens at `from`, or
 * SIZE_MAX. */
static size_t
string_end(struct slice text, size_t from)
{
	size_t at = from + 1;

	while (at < text.length) {
		const char *quote =
		    memchr(text.data + at, '"', text.length - at);
		size_t end, slashes = 0;

		if (quote == NULL)
			return SIZE_MAX;
		end = (size_t)(quote - text.data);
		while (end - slashes > at &&
		       quote[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			return end + 1;
		at = end + 1;
	}
	return SIZE_MAX;
}

static struct slice
skip_blanks(struct slice text)
{
	size_t at = 0;

	while (at < text.length &&
	       (ascii_is_space(text.data[at]) || text.data[at] == ','))
		at++;
	return slice_skip(text, at);
}

/* Index behind the container that opens at 0, or SIZE_MAX. */
static size_t
container_end(struct slice text, unsigned *depth_out)
{
	size_t open = 0;
	unsigned deepest = 0;

	for (size_t at = 0; at < text.length;) {
		switch (text.data[at]) {
		case '"':
			at = string_end(text, at);
			if (at == SIZE_MAX)
				return SIZE_MAX;
			continue;
		case '{':
		case '[':
			open++;
			if (open > deepest && open < UINT_MAX)
				deepest = (unsigned)open;
			break;
		case '}':
		case ']':
			if (--open == 0) {
				*depth_out = deepest;
				return at + 1;
			}
			break;
		default:
			break;
		}
		at++;
	}
	return SIZE_MAX;
}

bool
json_split_value(struct slice *rest, struct json_value *value_out)
{
	struct slice text = skip_blanks(*rest);
	unsigned depth = 0;
	size_t end = 0;

	*rest = text;
	if (text.length == 0)
		return false;
	if (text.data[0] == '{' || text.data[0] == '[') {
		end = container_end(text, &depth);
	} else if (text.data[0] == '"') {
		end = string_end(text, 0);
	} else {
		while (end < text.length && !ascii_is_space(text.data[end]) &&
		       strchr(",:]}[{\"", text.data[end]) == NULL)
			end++;
		if (end == 0)
			return false; /* a bracket that nobody opened */
	}
	if (end == SIZE_MAX)
		return false;
	*value_out = (struct json_value){ slice_range(text, 0, end), depth };
	*rest = slice_skip(text, end);
	return true;
}

struct json_split
json_split_begin(struct slice container)
{
	return (struct json_split){ .rest = slice_skip(container, 1) };
}

static bool
at_end(struct json_split *split)
{
	split->rest = skip_blanks(split->rest);
	if (split->rest.length == 0)
		split->broken = true;
	return split->broken || split->rest.data[0] == ']' ||
	       split->rest.data[0] == '}';
}

/* A value that the text ends within is given as far as it goes: what stands
 * in it before the cut is good. */
static void
take_or_cut(struct json_split *split, struct json_value *value_out)
{
	if (json_split_value(&split->rest, value_out))
		return;
	*value_out = (struct json_value){ .text = split->rest };
	split->broken = true;
}

bool
json_split_element(struct json_split *split, struct json_value *value_out)
{
	if (split->broken || at_end(split))
		return false;
	take_or_cut(split, value_out);
	return true;
}

bool
json_split_name(struct json_split *split, struct slice *name_out)
{
	struct json_value name;

	if (!json_split_element(split, &name))
		return false;
	split->rest = skip_blanks(split->rest);
	if (split->broken || !json_is_string(name.text) ||
	    split->rest.length == 0 || split->rest.data[0] != ':') {
		split->broken = true;
		return false;
	}
	split->rest = skip_blanks(slice_skip(split->rest, 1));
	*name_out = slice_range(name.text, 1, name.text.length - 1);
	return true;
}

bool
json_split_member(struct json_split *split, struct slice *name_out,
    struct json_value *value_out)
{
	if (!json_split_name(split, name_out))
		return false;
	take_or_cut(split, value_out);
	return true;
}

bool
json_split_is_lines(struct slice bytes)
{
	struct json_value value;
	struct slice first;

	bytes = skip_blanks(bytes);
	if (slice_find_byte(slice_range(bytes, 0, FIRST_LINE_MAX), '\n') ==
	    SIZE_MAX)
		return false;
	bytes = slice_split(bytes, '\n', &first);
	if (!json_is_object(first) || !json_split_value(&first, &value) ||
	    slice_trim(first).length > 0)
		return false;
	bytes = skip_blanks(bytes);
	return json_is_object(bytes);
}

static bool
hex4(struct slice text, size_t at, uint32_t *value_out)
{
	*value_out = 0;
	for (size_t i = 0; i < 4; i++) {
		int digit = at + i < text.length
				? ascii_hex_value(text.data[at + i])
				: -1;

		if (digit < 0)
			return false;
		*value_out = *value_out * 16 + (uint32_t)digit;
	}
	return true;
}

/* One escape at text.data[at] (behind the backslash); returns how many octets
 * it takes, 0 when it is broken. */
static size_t
unescape(struct slice text, size_t at, struct builder *out)
{
	static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
	const char *found;
	uint32_t code, low;
	char encoded[4];
	size_t taken = 5;

	if (at >= text.length || text.data[at] == '\0')
		return 0;
	found = strchr(from, text.data[at]);
	if (found != NULL) {
		builder_byte(out, to[found - from]);
		return 1;
	}
	if (text.data[at] != 'u' || !hex4(text, at + 1, &code))
		return 0;
	if (code >= 0xd800 && code < 0xdc00 && at + 6 < text.length &&
	    text.data[at + 5] == '\\' && text.data[at + 6] == 'u' &&
	    hex4(text, at + 7, &low) && low >= 0xdc00 && low < 0xe000) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		taken = 11;
	}
	builder_slice(out, slice_make(encoded, utf8_encode(code, encoded)));
	return taken;
}

struct slice
json_string(struct arena *arena, struct slice text)
{
	struct slice nothing = { NULL, 0 };
	struct builder out;

	if (!json_is_string(text) || text.data[text.length - 1] != '"')
		return nothing;
	text = slice_range(text, 1, text.length - 1);
	if (slice_find_byte(text, '\\') == SIZE_MAX)
		return text;
	out = builder_make(arena, SIZE_MAX);
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '\\') {
			size_t taken = unescape(text, i + 1, &out);

			if (taken == 0)
				return nothing;
			i += taken;
		} else {
			builder_byte(&out, text.data[i]);
		}
	}
	return out.failed ? nothing : builder_result(&out);
}

struct cJSON *
json_parse(const struct json_value *value, unsigned depth_max)
{
	if (value->depth > depth_max)
		return NULL;
	return cJSON_ParseWithLength(value->text.data, value->text.length);
}

struct slice
json_text(struct arena *arena, const struct cJSON *object, const char *name)
{
	const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);

	if (cJSON_IsString(member))
		return slice_text(member->valuestring);
	if (cJSON_IsTrue(member))
		return SLICE_LITERAL("true");
	if (cJSON_IsFalse(member))
		return SLICE_LITERAL("false");
	if (cJSON_IsNumber(member) && arena != NULL)
		return slice_text(
		    arena_printf(arena, "%.0f", member->valuedouble));
	return slice_make("", 0);
}
