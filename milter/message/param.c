#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/param.h"

#define MALFORMED   MIME_DEFECT_BIT(MIME_DEFECT_PARAM_MALFORMED)
#define VALUE_MAX   8192 /* bytes of a decoded value */
#define SECTION_MAX 999

/* The length of the comment at the front of `text`, 0 when there is none or
 * it does not end. Nested comments count (RFC 5322, 3.2.2). */
static size_t
comment_length(struct slice text)
{
	unsigned depth = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '\\')
			i++;
		else if (text.data[i] == '(')
			depth++;
		else if (text.data[i] == ')' && --depth == 0)
			return i + 1;
		if (depth == 0)
			return 0;
	}
	return 0;
}

/* The length of the quoted string at the front, or to the end of the text
 * when it is not closed. */
static size_t
quoted_length(struct slice text, bool *closed)
{
	for (size_t i = 1; i < text.length; i++) {
		if (text.data[i] == '\\')
			i++;
		else if (text.data[i] == '"') {
			*closed = true;
			return i + 1;
		}
	}
	*closed = false;
	return text.length;
}

/* How far `text` reaches up to `stop` (or ';') outside quotes and comments. */
static size_t
extent(struct slice text, char stop, mime_defect_set *defects)
{
	size_t i = 0;
	bool unended = false; /* a '(' without end makes all others plain */

	while (i < text.length && text.data[i] != ';' && text.data[i] != stop) {
		struct slice rest = slice_skip(text, i);
		bool closed = true;
		size_t length = 1;

		if (text.data[i] == '"' && stop == ';') {
			length = quoted_length(rest, &closed);
			if (!closed)
				*defects |= MALFORMED;
		} else if (text.data[i] == '\\' && stop == ';') {
			length = 2;
		} else if (text.data[i] == '(' && !unended) {
			length = comment_length(rest);
			unended = length == 0;
			length += unended;
		}
		i += length;
	}
	return i < text.length ? i : text.length;
}

/* Copies `text` with comments left out, quoted strings unquoted, and outer
 * blanks gone. */
static struct slice
unquote(struct arena *arena, struct slice text, struct param *param,
    mime_defect_set *defects)
{
	char *out = arena_text(arena, text);
	size_t length = 0, kept = 0, i = 0;
	bool junk = false, unended = false;

	if (out == NULL)
		return slice_make(NULL, 0);
	while (i < text.length) {
		char c = text.data[i];
		size_t skip;

		if (c == '"') {
			junk |= length > 0;
			for (i++; i < text.length && text.data[i] != '"'; i++) {
				if (text.data[i] == '\\' && i + 1 < text.length)
					i++;
				out[length++] = text.data[i];
			}
			i++;
			kept = length;
			if (param != NULL)
				param->quoted = true;
			continue;
		}
		if (c == '(' && !unended) {
			skip = comment_length(slice_skip(text, i));
			unended = skip == 0;
			i += skip;
			if (skip > 0)
				continue;
		}
		if (c == '\\' && param != NULL && i + 1 < text.length)
			c = text.data[++i];
		if (length > 0 || !ascii_is_space(c))
			out[length++] = c;
		if (!ascii_is_space(c)) {
			junk |= param != NULL && param->quoted;
			kept = length;
		}
		i++;
	}
	if (junk)
		*defects |= MALFORMED;
	return slice_make(out, kept);
}

/* Reads "name", "name*", "name*N" and "name*N*". */
static void
read_name(struct arena *arena, struct slice text, struct param *param,
    mime_defect_set *defects)
{
	struct slice name = unquote(arena, text, NULL, defects), section;
	char *lower = arena_text(arena, name);
	unsigned long number;
	size_t star;

	if (lower == NULL)
		return;
	for (size_t i = 0; i < name.length; i++)
		lower[i] = ascii_lower(lower[i]);
	param->name = slice_make(lower, name.length);
	star = slice_find_byte(param->name, '*');
	if (star == SIZE_MAX)
		return;
	section = slice_skip(param->name, star + 1);
	param->name.length = star;
	if (section.length == 0) {
		param->extended = true;
		return;
	}
	if (section.data[section.length - 1] == '*') {
		param->extended = true;
		section.length--;
	}
	if (slice_parse_number(section, SECTION_MAX, &number))
		param->section = (int)number;
	else
		*defects |= MALFORMED;
}

static struct slice
lower_copy(struct arena *arena, struct slice text)
{
	char *copy = arena_text(arena, text);

	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < text.length; i++)
		copy[i] = ascii_lower(copy[i]);
	return slice_make(copy, text.length);
}

/* Where the word before a parameter without ';' ends ("attachment
 * filename=a"), SIZE_MAX when the text is one word. */
static size_t
word_end(struct slice text)
{
	mime_defect_set odd = 0;
	size_t end = extent(text, '=', &odd);

	if (end == text.length)
		return SIZE_MAX;
	while (end > 0 && ascii_is_space(text.data[end - 1]))
		end--;
	while (end > 0 && !ascii_is_space(text.data[end - 1]))
		end--;
	return slice_trim(slice_range(text, 0, end)).length == 0 ? SIZE_MAX
								 : end - 1;
}

bool
param_header_parse(struct arena *arena, struct slice value, size_t params_max,
    struct param_header *header_out)
{
	struct param_header header = { .defects = 0 };
	struct slice rest = header_unfold(arena, value);
	size_t end = extent(rest, ';', &header.defects);
	size_t bare = word_end(slice_range(rest, 0, end));
	bool first = true;
	struct param *added = NULL;
	size_t strays = 0; /* each may cost a look to the end of the value */

	if (bare != SIZE_MAX) {
		header.defects |= MALFORMED;
		end = bare;
	}
	header.token = lower_copy(arena,
	    unquote(arena, slice_range(rest, 0, end), NULL, &header.defects));
	while (first || rest.length > 0) {
		struct param param = { .section = -1 };
		mime_defect_set odd = 0;

		rest = slice_skip(rest, end + 1);
		first = false;
		end = extent(rest, '=', &odd);
		if (end == rest.length || rest.data[end] == ';') {
			/* no '=': a stray word, harmless when empty */
			if (slice_trim(slice_range(rest, 0, end)).length > 0)
				header.defects |= MALFORMED;
			if (++strays > params_max)
				break;
			if (added != NULL)
				added->rough.length =
				    (size_t)(rest.data + end -
					     added->rough.data);
			continue;
		}
		read_name(arena, slice_range(rest, 0, end), &param, &odd);
		rest = slice_skip(rest, end + 1);
		end = extent(rest, ';', &odd);
		param.raw = slice_trim(slice_range(rest, 0, end));
		param.rough = param.raw;
		param.value = unquote(arena, param.raw, &param, &odd);
		header.defects |= odd;
		if (header.params.count >= params_max) {
			header.defects |=
			    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_PARAMS);
			break;
		}
		added = list_append(arena, &header.params, params_max);
		if (added == NULL)
			return false;
		*added = param;
	}
	*header_out = header;
	return !arena_exhausted(arena);
}

/* --------------------------------------------------------------- readings */

/* One call of param_read. */
struct reader {
	struct arena *arena;
	const struct param_header *header;
	struct slice name;
	bool encoded_words;
	size_t readings_max;
	struct param_readings *readings;
};

static bool
already_read(const struct reader *reader, struct slice value)
{
	for (size_t i = 0; i < reader->readings->count; i++)
		if (slice_equal(reader->readings->items[i].value, value))
			return true;
	return false;
}

/* Adds one reading unless it is there. */
static void
add(struct reader *reader, struct slice value, const char *how)
{
	struct param_reading *added;
	struct charset_result text;

	if (value.length == 0 || value.length > VALUE_MAX)
		return;
	if (reader->encoded_words) {
		if (!charset_to_utf8(reader->arena, slice_make(NULL, 0), value,
			VALUE_MAX, &text))
			return;
		value = text.text;
	}
	if (already_read(reader, value))
		return;
	if (reader->readings->count >= reader->readings_max) {
		reader->readings->defects |=
		    MIME_DEFECT_BIT(MIME_DEFECT_TOO_MANY_READINGS);
		return;
	}
	added =
	    list_append(reader->arena, reader->readings, reader->readings_max);
	if (added != NULL)
		*added = (struct param_reading){ .value = value, .how = how };
}

/* Adds a plain value, its encoded words decoded where that is asked for (RFC
 * 2047, 5 forbids them here; senders and readers do it all the same). */
static void
add_plain(struct reader *reader, struct slice value, const char *how)
{
	struct encoded_word_result decoded;

	if (reader->encoded_words &&
	    slice_find(value, SLICE_LITERAL("=?")) != SIZE_MAX &&
	    encoded_word_decode(reader->arena, value, &decoded) &&
	    decoded.had_words) {
		if (decoded.malformed)
			reader->readings->defects |=
			    MIME_DEFECT_BIT(MIME_DEFECT_ENCODED_WORD_MALFORMED);
		add(reader, decoded.text, "rfc2047");
	}
	add(reader, value, how);
}

static struct slice
percent_decode(struct arena *arena, struct slice text)
{
	char *out = arena_text(arena, text);
	size_t length = 0;

	if (out == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < text.length; i++) {
		int high, low;

		if (text.data[i] == '%' && text.length - i > 2 &&
		    (high = ascii_hex_value(text.data[i + 1])) >= 0 &&
		    (low = ascii_hex_value(text.data[i + 2])) >= 0) {
			out[length++] = (char)(high * 16 + low);
			i += 2;
		} else
			out[length++] = text.data[i];
	}
	return slice_make(out, length);
}

/* Takes charset'language' off the front; false when it is not there. */
static bool
split_charset(struct slice *value, struct slice *charset_out)
{
	size_t first = slice_find_byte(*value, '\''), second;
	struct slice rest;

	if (first == SIZE_MAX)
		return false;
	rest = slice_skip(*value, first + 1);
	second = slice_find_byte(rest, '\'');
	if (second == SIZE_MAX)
		return false;
	*charset_out = slice_range(*value, 0, first);
	*value = slice_skip(rest, second + 1);
	return true;
}

/* Adds bytes of a charset. */
static void
add_bytes(struct reader *reader, struct slice charset, struct slice bytes,
    const char *how)
{
	struct charset_result text;

	if (bytes.length <= VALUE_MAX &&
	    charset_to_utf8(reader->arena, charset, bytes, VALUE_MAX, &text))
		add(reader, text.text, how);
}

static bool
is_ours(const struct reader *reader, const struct param *param)
{
	return slice_equal(param->name, reader->name);
}

/* name*=charset'language'%XX; also read as plain text, as those do that do
 * not know RFC 2231. */
static void
read_extended(struct reader *reader)
{
	for (size_t i = 0; i < reader->header->params.count; i++) {
		const struct param *param = &reader->header->params.items[i];
		struct slice value = param->value, charset;

		if (!is_ours(reader, param) || !param->extended ||
		    param->section >= 0)
			continue;
		charset = slice_make(NULL, 0);
		if (!split_charset(&value, &charset))
			reader->readings->defects |= MALFORMED;
		add_bytes(reader, charset, percent_decode(reader->arena, value),
		    "rfc2231");
	}
}

/* Puts the sections together from `start` on, each number once (the first or
 * the last of that number), up to the first gap or over all gaps. */
static void
join_sections(struct reader *reader, int start, bool over_gaps, bool decode_all,
    const char *how)
{
	struct builder bytes = builder_make(reader->arena, VALUE_MAX);
	struct slice charset = slice_make(NULL, 0);
	bool any = false;
	int highest = -1;

	for (size_t i = 0; i < reader->header->params.count; i++)
		if (is_ours(reader, &reader->header->params.items[i]) &&
		    reader->header->params.items[i].section > highest)
			highest = reader->header->params.items[i].section;
	for (int section = start; section <= highest; section++) {
		const struct param *found = NULL;
		struct slice value;

		for (size_t i = 0;
		     i < reader->header->params.count && found == NULL; i++) {
			const struct param *param =
			    &reader->header->params.items[i];

			if (is_ours(reader, param) && param->section == section)
				found = param;
		}
		if (found == NULL && !over_gaps)
			break;
		if (found == NULL)
			continue;
		value = found->value;
		if ((found->extended || decode_all) && !any)
			split_charset(&value, &charset);
		builder_slice(&bytes, found->extended || decode_all
					  ? percent_decode(reader->arena, value)
					  : value);
		any = true;
	}
	if (!any || bytes.failed)
		return;
	/* a word that was cut into sections is one word again */
	if (charset.data == NULL)
		add_plain(reader, builder_result(&bytes), how);
	else
		add_bytes(reader, charset, builder_result(&bytes), how);
}

/* Sections whose octets are decoded once they stand together, as readers do
 * that let "%2" end one section and "E" begin the next. */
static void
join_then_decode(struct reader *reader)
{
	struct builder bytes = builder_make(reader->arena, VALUE_MAX);
	struct slice charset = slice_make(NULL, 0), value;
	size_t count = reader->header->params.count;
	bool cut = false;

	for (size_t i = 0; i < count; i++) {
		const struct param *param = &reader->header->params.items[i];

		if (!is_ours(reader, param) || param->section < 0)
			continue;
		value = param->value;
		cut |= param->extended &&
		       (slice_ends_with(value, SLICE_LITERAL("%")) ||
			   (value.length > 1 &&
			       value.data[value.length - 2] == '%'));
		builder_slice(&bytes, value);
	}
	if (!cut || bytes.failed)
		return;
	reader->readings->defects |= MALFORMED;
	value = builder_result(&bytes);
	split_charset(&value, &charset);
	add_bytes(reader, charset, percent_decode(reader->arena, value),
	    "rfc2231-joined");
}

/* Sections in the order in which they stand, whatever their numbers. */
static void
join_as_written(struct reader *reader, bool reversed, const char *how)
{
	struct builder bytes = builder_make(reader->arena, VALUE_MAX);
	struct slice charset = slice_make(NULL, 0);
	size_t count = reader->header->params.count;
	bool any = false;

	for (size_t n = 0; n < count; n++) {
		const struct param *param =
		    &reader->header->params.items[reversed ? count - 1 - n : n];
		struct slice value = param->value;

		if (!is_ours(reader, param) || param->section < 0)
			continue;
		if (param->extended && !any)
			split_charset(&value, &charset);
		builder_slice(&bytes, param->extended
					  ? percent_decode(reader->arena, value)
					  : value);
		any = true;
	}
	if (any && !bytes.failed)
		add_bytes(reader, charset, builder_result(&bytes), how);
}

static void
read_continued(struct reader *reader)
{
	int lowest = SECTION_MAX + 1, last = -1;
	size_t count = 0;
	bool ordered = true;

	for (size_t i = 0; i < reader->header->params.count; i++) {
		const struct param *param = &reader->header->params.items[i];

		if (!is_ours(reader, param) || param->section < 0)
			continue;
		ordered &= param->section == last + 1;
		last = param->section;
		if (param->section < lowest)
			lowest = param->section;
		count++;
	}
	if (count == 0)
		return;
	if (lowest == 0)
		join_sections(reader, 0, false, false, "rfc2231");
	join_then_decode(reader);
	if (ordered)
		return;
	/* misnumbered: whatever a tolerant reader might make of it */
	join_sections(reader, lowest, true, false, "rfc2231-gaps");
	join_as_written(reader, false, "rfc2231-order");
	if (lowest != 0)
		reader->readings->defects |= MALFORMED;
}

/* The first and the last of the plain ones. */
static void
read_plain(struct reader *reader)
{
	const struct param *first = NULL, *last = NULL;

	for (size_t i = 0; i < reader->header->params.count; i++) {
		const struct param *param = &reader->header->params.items[i];

		if (!is_ours(reader, param) || param->extended ||
		    param->section >= 0)
			continue;
		if (first == NULL)
			first = param;
		last = param;
	}
	if (first == NULL)
		return;
	add_plain(reader, first->value, "plain");
	if (last != first) {
		if (!slice_equal(first->value, last->value))
			reader->readings->defects |= MALFORMED;
		add_plain(reader, last->value, "last");
	}
}

/* What readers see that stop early or do not unquote. */
static void
read_rough(struct reader *reader)
{
	for (size_t i = 0; i < reader->header->params.count; i++) {
		const struct param *param = &reader->header->params.items[i];
		struct slice raw = param->raw;
		size_t end;

		if (!is_ours(reader, param) || param->section >= 0)
			continue;
		end = slice_find_byte(param->value, '\0');
		if (end != SIZE_MAX)
			add_plain(reader, slice_range(param->value, 0, end),
			    "before-nul");
		if (param->rough.length > raw.length)
			add_plain(reader, slice_trim(param->rough), "to-end");
		if (raw.length > 2 && raw.data[0] == '\'' &&
		    raw.data[raw.length - 1] == '\'')
			add_plain(reader, slice_range(raw, 1, raw.length - 1),
			    "single-quotes");
		if (slice_equal(raw, param->value))
			continue;
		/* a clean quoted string leaves no choice */
		if (param->quoted && raw.length == param->value.length + 2 &&
		    raw.data[raw.length - 1] == '"')
			continue;
		if (raw.length > 0 && raw.data[0] == '"') {
			end = slice_find_byte(slice_skip(raw, 1), '"');
			add_plain(reader,
			    slice_range(slice_skip(raw, 1), 0, end),
			    "first-quote");
		}
		end = slice_find_byte(raw, ' ');
		add_plain(reader, slice_range(raw, 0, end), "first-word");
		add_plain(reader, raw, "as-written");
	}
}

bool
param_read(struct arena *arena, const struct param_header *header,
    const char *name, bool encoded_words, size_t readings_max,
    struct param_readings *readings)
{
	struct reader reader = { arena, header, slice_text(name), encoded_words,
		readings_max, readings };
	size_t before = readings->count;

	read_extended(&reader);
	read_continued(&reader);
	read_plain(&reader);
	if (readings->count > before)
		read_rough(&reader);
	return !arena_exhausted(arena);
}
