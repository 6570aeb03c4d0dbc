#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/domain.h"
#include "base/list.h"
#include "base/utf8.h"
#include "message/address.h"
#include "message/encoded_word.h"

#define BIT(name)   ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_##name)
#define ANGLES_MAX  4
#define DISPLAY_MAX 1024 /* bytes of a display name that are kept */
#define SPEC_MAX    1024 /* bytes of one address */

const struct address_limits address_limits_default = { 102400, 1000 };

static const struct {
	const char *name;
	const char *description;
} defect_rows[ADDRESS_DEFECT_COUNT] = {
#define ADDRESS_DEFECT_ROW(symbol, name, text) \
	[ADDRESS_DEFECT_##symbol] = { name, text },
	ADDRESS_DEFECT_TABLE(ADDRESS_DEFECT_ROW)
#undef ADDRESS_DEFECT_ROW
};

const char *
address_defect_name(enum address_defect defect)
{
	return defect_rows[defect].name;
}

const char *
address_defect_description(enum address_defect defect)
{
	return defect_rows[defect].description;
}

/* What stands between two commas. */
struct element {
	size_t phrase_start, phrase_end; /* equal: no phrase */
	struct slice angles[ANGLES_MAX];
	size_t angle_count;
	size_t after_start, after_end; /* text behind the last angle */
	struct slice comment;          /* the last one's inside */
};

struct address_reader {
	struct arena *arena;
	const struct address_limits *limits;
	struct address_list *list;
	struct slice value;
	size_t at;
	struct element element;
	/* What was looked for once to the end and not found: looking again
	 * would make the reading quadratic. */
	bool no_quote_end, no_comment_end, no_angle_end;
};

static bool
is_blank(char c)
{
	return ascii_is_space(c);
}

/* ------------------------------------------------------------- addresses */

static struct mailbox *
append(struct address_reader *reader)
{
	struct mailbox *box;

	if (reader->list->count >= reader->limits->addresses_max) {
		reader->list->defects |= BIT(TOO_MANY);
		return NULL;
	}
	box = list_append(
	    reader->arena, reader->list, reader->limits->addresses_max);
	return box;
}

/* An address without comments and outside blanks; `quoted[i]` tells which
 * octets stood in quotes. */
struct spec {
	char text[SPEC_MAX];
	bool quoted[SPEC_MAX];
	size_t length;
};

/* Whether what follows the '@' could be a host for any reader: names and
 * address literals, nothing quoted. */
static bool
domain_is_plain(const struct spec *spec, size_t start, size_t end)
{
	for (size_t i = start; i < end; i++) {
		unsigned char c = (unsigned char)spec->text[i];

		if (spec->quoted[i] ||
		    (c < 0x80 && !ascii_is_alpha((char)c) &&
			!ascii_is_digit((char)c) &&
			(c == '\0' || strchr("-_.[]:", c) == NULL)))
			return false;
	}
	return end > start;
}

/* Adds what stands around the '@' at `at` (SIZE_MAX: none). */
static void
add_spec(struct address_reader *reader, const struct spec *spec, size_t at,
    size_t end, struct slice display, struct slice raw)
{
	struct mailbox *box = append(reader);
	struct slice domain;
	struct builder whole;

	if (box == NULL)
		return;
	*box = (struct mailbox){ .display = display, .raw = raw };
	if (at == SIZE_MAX) {
		box->local =
		    arena_copy(reader->arena, slice_make(spec->text, end));
		reader->list->defects |= BIT(DOMAIN);
		box->address = box->local;
		return;
	}
	box->local = arena_copy(reader->arena, slice_make(spec->text, at));
	domain = slice_trim(slice_make(spec->text + at + 1, end - at - 1));
	if (!domain_canonical(reader->arena, domain, &box->domain) || at == 0 ||
	    !domain_is_plain(spec, at + 1, end)) {
		reader->list->defects |= BIT(DOMAIN);
		if (box->domain.length == 0)
			box->domain = arena_copy(reader->arena, domain);
	}
	whole = builder_make(reader->arena, SIZE_MAX);
	builder_slice(&whole, box->local);
	builder_byte(&whole, '@');
	builder_slice(&whole, box->domain);
	box->address = builder_result(&whole);
}

/* The index behind the comment that starts at `start`. One that does not end,
 * or that holds what some reader takes for a part of the address, is a
 * defect. */
static size_t
comment_end(struct address_reader *reader, struct slice text, size_t start)
{
	unsigned depth = 0;
	size_t i = start;

	for (; i < text.length; i++) {
		char c = text.data[i];

		if (c == '\\')
			i++;
		else if (c == '@')
			reader->list->defects |= BIT(SYNTAX);
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return i + 1;
	}
	reader->list->defects |= BIT(SYNTAX);
	return text.length;
}

/* Copies an address without comments, quotes undone, blanks around dots and
 * '@' gone; other blanks stay. */
static void
clean_spec(struct address_reader *reader, struct slice text, struct spec *spec)
{
	bool quoted = false;

	spec->length = 0;
	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (!quoted && c == '(') {
			i = comment_end(reader, text, i) - 1;
			continue;
		}
		if (c == '"') {
			quoted = !quoted;
			continue;
		}
		if (c == '\r' || c == '\n')
			continue;
		/* only quoted strings and comments have these */
		if (!quoted && (c == '\\' || c == ')'))
			reader->list->defects |= BIT(SYNTAX);
		if (quoted && c == '\\' && i + 1 < text.length)
			c = text.data[++i];
		if (!quoted && is_blank(c) &&
		    (spec->length == 0 ||
			strchr(".@ \t", spec->text[spec->length - 1]) != NULL))
			continue;
		if (!quoted && (c == '.' || c == '@'))
			while (spec->length > 0 &&
			       !spec->quoted[spec->length - 1] &&
			       is_blank(spec->text[spec->length - 1]))
				spec->length--;
		if (spec->length == SPEC_MAX) {
			reader->list->defects |= BIT(TOO_LONG);
			break;
		}
		spec->text[spec->length] = c;
		spec->quoted[spec->length++] = quoted;
	}
	if (quoted)
		reader->list->defects |= BIT(SYNTAX);
	while (spec->length > 0 && !spec->quoted[spec->length - 1] &&
	       is_blank(spec->text[spec->length - 1]))
		spec->length--;
}

/* Drops a source route "@a,@b:" (RFC 5322, 4.4). */
static void
drop_route(struct address_reader *reader, struct spec *spec)
{
	size_t colon = SIZE_MAX;

	if (spec->length == 0 || spec->text[0] != '@' || spec->quoted[0])
		return;
	for (size_t i = 0; i < spec->length; i++)
		if (spec->text[i] == ':' && !spec->quoted[i])
			colon = i;
	if (colon == SIZE_MAX)
		return;
	reader->list->defects |= BIT(ROUTE);
	spec->length -= colon + 1;
	memmove(spec->text, spec->text + colon + 1, spec->length);
	memmove(spec->quoted, spec->quoted + colon + 1,
	    spec->length * sizeof spec->quoted[0]);
}

/* Adds each address of a text that should be one: blanks and several '@' make
 * several readings. Returns how many there were. */
static size_t
add_words(struct address_reader *reader, const struct spec *spec,
    struct slice display, struct slice raw)
{
	size_t start = 0, added = 0;

	while (start < spec->length) {
		size_t end = start, first = SIZE_MAX, last = SIZE_MAX;
		struct spec word;

		while (end < spec->length &&
		       (spec->quoted[end] || !is_blank(spec->text[end]))) {
			if (spec->text[end] == '@' && !spec->quoted[end]) {
				last = end - start;
				if (first == SIZE_MAX)
					first = last;
			}
			end++;
		}
		word.length = end - start;
		memcpy(word.text, spec->text + start, word.length);
		memcpy(word.quoted, spec->quoted + start,
		    word.length * sizeof word.quoted[0]);
		if (last != SIZE_MAX) {
			added++;
			add_spec(
			    reader, &word, last, word.length, display, raw);
		}
		if (first != last) {
			size_t next = first + 1;

			reader->list->defects |= BIT(SYNTAX);
			while (word.text[next] != '@')
				next++;
			add_spec(reader, &word, first, next, display, raw);
		}
		if (start > 0 || end < spec->length)
			reader->list->defects |= BIT(SYNTAX);
		start = end + 1;
	}
	return added;
}

/* Adds the address that `text` holds. */
static void
add_address(
    struct address_reader *reader, struct slice text, struct slice display)
{
	struct spec spec;
	struct encoded_word_result decoded;

	clean_spec(reader, text, &spec);
	drop_route(reader, &spec);
	if (slice_find(text, SLICE_LITERAL("=?")) != SIZE_MAX &&
	    encoded_word_decode(reader->arena, text, &decoded) &&
	    slice_find_byte(decoded.text, '@') != SIZE_MAX) {
		/* not allowed (RFC 2047, 5), yet some readers decode it */
		struct spec other;
		struct slice inside = decoded.text;
		size_t open = slice_find_last_byte(inside, '<');

		if (open != SIZE_MAX)
			inside = slice_skip(inside, open + 1);
		inside.length = slice_find_byte(inside, '>') < inside.length
				    ? slice_find_byte(inside, '>')
				    : inside.length;
		reader->list->defects |= BIT(ENCODED);
		clean_spec(reader, inside, &other);
		add_words(reader, &other, display, slice_trim(text));
	}
	if (add_words(reader, &spec, display, slice_trim(text)) == 0 &&
	    spec.length > 0 && !(reader->list->defects & BIT(ENCODED)))
		add_spec(reader, &spec, SIZE_MAX, spec.length, display,
		    slice_trim(text));
}

/* -------------------------------------------------------------- elements */

/* A phrase as people read it: quotes and comments gone, words decoded. */
static struct slice
display_name(struct address_reader *reader, struct slice phrase)
{
	struct builder out = builder_make(reader->arena, DISPLAY_MAX);
	struct encoded_word_result decoded;
	bool quoted = false, blank = false;
	unsigned depth = 0;

	phrase = slice_trim(phrase);
	for (size_t i = 0; i < phrase.length && !out.failed; i++) {
		char c = phrase.data[i];

		if (c == '\\' && i + 1 < phrase.length)
			c = phrase.data[++i];
		else if (c == '"' && depth == 0) {
			quoted = !quoted;
			continue;
		} else if (c == '(' && !quoted)
			depth++;
		else if (c == ')' && !quoted && depth > 0) {
			depth--;
			continue;
		}
		if (depth > 0)
			continue;
		if (is_blank(c)) {
			blank = out.length > 0;
			continue;
		}
		if (blank)
			builder_byte(&out, ' ');
		blank = false;
		builder_byte(&out, c);
	}
	if (!encoded_word_decode(reader->arena, builder_result(&out), &decoded))
		return builder_result(&out);
	return decoded.text;
}

/* Whether a display name shows an address other than the real one. */
static void
check_display(
    struct address_reader *reader, struct slice display, struct slice address)
{
	size_t at = slice_find_byte(display, '@');
	struct spec spec;
	struct slice shown;

	if (at == SIZE_MAX || at == 0 || at + 1 == display.length)
		return;
	clean_spec(reader, address, &spec);
	shown = slice_trim(display);
	if (!slice_equal_fold(shown, slice_make(spec.text, spec.length)))
		reader->list->defects |= BIT(DISPLAY);
}

/* A word without the punctuation that people put around an address. */
static struct slice
bare_word(struct slice word)
{
	while (word.length > 0 && strchr("'[{!?*", word.data[0]) != NULL)
		word = slice_skip(word, 1);
	while (word.length > 0 &&
	       strchr("'.]}!?*", word.data[word.length - 1]) != NULL)
		word.length--;
	return word;
}

/* A word of a phrase that is an address of another domain than `domain`: some
 * readers take it for the author. A name without a dot is nobody's. */
static bool
is_other_address(
    struct address_reader *reader, struct slice word, struct slice domain)
{
	size_t at = slice_find_last_byte(word, '@');
	struct slice shown, canonical;

	if (at == SIZE_MAX || at == 0)
		return false;
	shown = slice_skip(word, at + 1);
	return slice_find_byte(shown, '.') != SIZE_MAX &&
	       (!domain_canonical(reader->arena, shown, &canonical) ||
		   !slice_equal(canonical, domain));
}

/* Adds the addresses that stand in a phrase, outside of quoted strings and
 * comments, where none may stand (RFC 5322, 3.2.5). */
static void
add_from_phrase(struct address_reader *reader, struct slice phrase,
    struct slice display, struct slice domain)
{
	size_t start = 0;
	bool quoted = false;
	unsigned depth = 0;

	for (size_t i = 0; i <= phrase.length; i++) {
		char c = i < phrase.length ? phrase.data[i] : ' ';
		bool outside = !quoted && depth == 0;

		if (outside && (is_blank(c) || c == '"' || c == '(')) {
			struct slice word =
			    bare_word(slice_range(phrase, start, i));

			if (is_other_address(reader, word, domain)) {
				reader->list->defects |= BIT(SYNTAX);
				add_address(reader, word, display);
			}
		}
		if (c == '\\')
			i++;
		else if (c == '"' && depth == 0)
			quoted = !quoted;
		else if (c == '(' && !quoted)
			depth++;
		else if (c == ')' && !quoted && depth > 0)
			depth--;
		if (!outside || is_blank(c) || c == '"' || c == '(')
			start = i + 1;
	}
}

static struct slice
span(const struct address_reader *reader, size_t start, size_t end)
{
	return slice_range(reader->value, start, end);
}

/* Ends the element at hand and adds its addresses. */
static void
finish(struct address_reader *reader)
{
	struct element element = reader->element;
	struct slice phrase =
	    span(reader, element.phrase_start, element.phrase_end);
	struct slice display;

	reader->element = (struct element){ .phrase_start = 0 };
	phrase = slice_trim(phrase);
	if (element.angle_count == 0) {
		if (phrase.length > 0)
			add_address(reader, phrase,
			    display_name(reader, element.comment));
		return;
	}
	display =
	    display_name(reader, phrase.length > 0 ? phrase : element.comment);
	for (size_t i = 0; i < element.angle_count; i++) {
		check_display(reader, display, element.angles[i]);
		if (slice_trim(element.angles[i]).length == 0)
			reader->list->defects |= BIT(SYNTAX);
		add_address(reader, element.angles[i], display);
	}
	if (slice_find_byte(phrase, '@') != SIZE_MAX && reader->list->count > 0)
		add_from_phrase(reader, phrase, display,
		    reader->list->items[reader->list->count - 1].domain);
	if (element.angle_count > 1)
		reader->list->defects |= BIT(SYNTAX);
	if (element.after_end > element.after_start) {
		struct slice after =
		    span(reader, element.after_start, element.after_end);

		reader->list->defects |= BIT(SYNTAX);
		if (slice_find_byte(after, '@') != SIZE_MAX)
			add_address(reader, after, display);
	}
}

/* Extends the phrase, or the text behind an angle, up to `end`. */
static void
take_text(struct address_reader *reader, size_t end)
{
	struct element *element = &reader->element;

	if (element->angle_count > 0) {
		if (element->after_end == 0)
			element->after_start = reader->at;
		element->after_end = end;
	} else {
		if (element->phrase_end == 0)
			element->phrase_start = reader->at;
		element->phrase_end = end;
	}
	reader->at = end;
}

/* The index of the quote that closes the one at `at`, or SIZE_MAX. */
static size_t
quote_end(struct slice value, size_t at)
{
	for (size_t i = at + 1; i < value.length; i++) {
		if (value.data[i] == '\\')
			i++;
		else if (value.data[i] == '"')
			return i;
	}
	return SIZE_MAX;
}

static void
read_quote(struct address_reader *reader)
{
	size_t end = reader->no_quote_end
			 ? SIZE_MAX
			 : quote_end(reader->value, reader->at);

	if (end == SIZE_MAX) {
		reader->no_quote_end = true;
		reader->list->defects |= BIT(SYNTAX);
		reader->at++;
		return;
	}
	take_text(reader, end + 1);
}

static void
read_comment(struct address_reader *reader)
{
	unsigned depth = 0;
	size_t i = reader->at;

	for (; !reader->no_comment_end && i < reader->value.length; i++) {
		char c = reader->value.data[i];

		if (c == '\\')
			i++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0) {
			struct slice inside = span(reader, reader->at + 1, i);

			reader->element.comment = inside;
			if (slice_find_byte(inside, '@') != SIZE_MAX)
				reader->list->defects |= BIT(COMMENT);
			reader->at = i + 1;
			return;
		}
	}
	reader->no_comment_end = true;
	reader->list->defects |= BIT(SYNTAX);
	reader->at++;
}

static void
read_angle(struct address_reader *reader)
{
	struct element *element = &reader->element;
	size_t end = reader->at + 1;
	bool found = false;

	while (!reader->no_angle_end && end < reader->value.length && !found) {
		size_t quote;

		if (reader->value.data[end] == '>') {
			found = true;
			break;
		}
		/* a second '<' cannot stand in an address */
		if (reader->value.data[end] == '<')
			break;
		quote = reader->value.data[end] == '"' && !reader->no_quote_end
			    ? quote_end(reader->value, end)
			    : end;
		if (quote == SIZE_MAX) {
			reader->no_quote_end = true;
			reader->list->defects |= BIT(SYNTAX);
			quote = end;
		}
		end = quote + 1;
	}
	if (!found) {
		if (end >= reader->value.length)
			reader->no_angle_end = true;
		reader->list->defects |= BIT(SYNTAX);
		reader->at++;
		return;
	}
	if (element->angle_count < ANGLES_MAX)
		element->angles[element->angle_count++] =
		    span(reader, reader->at + 1, end);
	else
		reader->list->defects |= BIT(SYNTAX) | BIT(TOO_MANY);
	if (element->after_end > 0) /* text between two angles */
		reader->list->defects |= BIT(SYNTAX);
	reader->at = end + 1;
}

/* A colon: what stands before it names a group, unless it is an address. */
static void
read_colon(struct address_reader *reader)
{
	struct slice phrase = span(
	    reader, reader->element.phrase_start, reader->element.phrase_end);

	if (reader->element.angle_count > 0 ||
	    slice_find_byte(phrase, '@') != SIZE_MAX) {
		reader->list->defects |= BIT(SYNTAX);
		finish(reader);
	} else {
		reader->list->defects |= BIT(GROUP);
		reader->element = (struct element){ .phrase_start = 0 };
	}
	reader->at++;
}

static void
read_one(struct address_reader *reader)
{
	size_t end = reader->at;

	switch (reader->value.data[reader->at]) {
	case '"':
		read_quote(reader);
		return;
	case '(':
		read_comment(reader);
		return;
	case '<':
		read_angle(reader);
		return;
	case ',':
	case ';':
		finish(reader);
		reader->at++;
		return;
	case ':':
		read_colon(reader);
		return;
	case '\\':
	case '>':
	case ')':
		reader->list->defects |= BIT(SYNTAX);
		reader->at++;
		return;
	default:
		while (
		    end < reader->value.length &&
		    !is_blank(reader->value.data[end]) &&
		    (reader->value.data[end] == '\0' ||
			strchr("\"(<,;:\\>)", reader->value.data[end]) == NULL))
			end++;
		take_text(reader, end);
	}
}

static void
check_octets(struct address_reader *reader)
{
	struct slice value = reader->value;

	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if (c == '\r' &&
		    (i + 1 == value.length || value.data[i + 1] != '\n'))
			reader->list->defects |= BIT(CONTROL);
		else if ((c < ' ' && !is_blank((char)c)) || c == 0x7f)
			reader->list->defects |= BIT(CONTROL);
	}
	if (!utf8_is_valid(value))
		reader->list->defects |= BIT(EIGHT_BIT);
}

enum tc_status
address_list_parse(struct arena *arena, struct slice value,
    const struct address_limits *limits, struct address_list *list)
{
	struct address_reader reader = {
		.arena = arena, .limits = limits, .list = list, .value = value
	};
	size_t before = list->count;

	if (reader.value.length > limits->value_bytes_max) {
		reader.value.length = limits->value_bytes_max;
		list->defects |= BIT(TOO_LONG);
	}
	check_octets(&reader);
	while (reader.at < reader.value.length &&
	       !(list->defects & BIT(TOO_MANY))) {
		if (is_blank(reader.value.data[reader.at]))
			reader.at++;
		else
			read_one(&reader);
	}
	finish(&reader);
	if (list->count == before)
		list->defects |= BIT(EMPTY);
	if (list->count > 1)
		list->defects |= BIT(SEVERAL);
	return arena_exhausted(arena) ? TC_LIMIT : TC_OK;
}

enum tc_status
address_list_collect(struct arena *arena, const struct header_list *headers,
    const char *name, const struct address_limits *limits,
    struct address_list *list)
{
	const struct header_field *field;
	size_t at = 0, fields = 0;
	enum tc_status status = TC_OK;

	while (status == TC_OK &&
	       (field = header_find(headers, name, &at)) != NULL) {
		fields++;
		status = address_list_parse(arena, field->value, limits, list);
	}
	if (fields == 0)
		list->defects |= BIT(MISSING);
	if (fields > 1)
		list->defects |= BIT(DUPLICATE);
	return status;
}

bool
address_list_single_domain(
    const struct address_list *list, struct slice *domain_out)
{
	unsigned harmless = BIT(COMMENT) | BIT(DISPLAY) | BIT(EIGHT_BIT);

	if (list->count != 1 || (list->defects & ~harmless) != 0 ||
	    list->items[0].domain.length == 0)
		return false;
	*domain_out = list->items[0].domain;
	return true;
}
