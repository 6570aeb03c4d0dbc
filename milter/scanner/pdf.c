#include <config.h>

#include <stdint.h>

#include "scanner/pdf.h"
#include "scanner/pdf_filter.h"

#define HEADER_WITHIN 1024 /* readers accept the header anywhere in it */
#define NAME_BYTES    64   /* longer names are none of ours */
#define FILTERS_MAX   16
#define HEX_MIN       8 /* digits: shorter strings are no links */

bool
pdf_is(struct slice file)
{
	return slice_find(slice_range(file, 0, HEADER_WITHIN),
		   SLICE_LITERAL("%PDF-")) != SIZE_MAX;
}

static bool
is_regular(char c)
{
	return (unsigned char)c > ' ' && strchr("()<>[]{}/%", c) == NULL;
}

/* ---- names ---- */

/* Reads the name that begins at text[0], behind its '/', with its #xx decoded
 * into `space`; returns how many octets it took. A longer name is cut. */
static size_t
read_name(struct slice text, char space[NAME_BYTES], struct slice *name_out)
{
	size_t length = 0, at = 0;

	while (at < text.length && is_regular(text.data[at])) {
		char c = text.data[at++];

		if (c == '#' && text.length - at >= 2 &&
		    ascii_hex_value(text.data[at]) >= 0 &&
		    ascii_hex_value(text.data[at + 1]) >= 0) {
			c = (char)(ascii_hex_value(text.data[at]) << 4 |
				   ascii_hex_value(text.data[at + 1]));
			at += 2;
		}
		if (length < NAME_BYTES)
			space[length++] = c;
	}
	*name_out = slice_make(space, length);
	return at;
}

struct pdf_marks
pdf_inspect(struct slice content)
{
	struct pdf_marks marks = { 0 };
	char space[NAME_BYTES];
	struct slice name;
	size_t at;

	while ((at = slice_find_byte(content, '/')) != SIZE_MAX) {
		content = slice_skip(content, at + 1);
		content = slice_skip(content, read_name(content, space, &name));
		if (slice_equal_text(name, "Encrypt"))
			marks.encrypted = true;
		if (slice_equal_text(name, "JavaScript") ||
		    slice_equal_text(name, "JS") ||
		    slice_equal_text(name, "Launch"))
			marks.active = true;
	}
	return marks;
}

/* ---- streams ---- */

struct stream {
	bool file;    /* an attached one */
	bool objects; /* other objects */
	bool picture; /* nothing to read */
	enum pdf_filter filters[FILTERS_MAX];
	unsigned filter_count;
	bool filters_cut; /* there are more */
	struct pdf_parameters parameters;
};

static const struct stream stream_none = {
	.parameters = { .predictor = 1, .columns = 1, .colors = 1, .bits = 8 }
};

/* The whole number that stands there, at most a million. */
static unsigned
read_number(struct slice text)
{
	unsigned number = 0;

	text = slice_trim(slice_range(text, 0, 32));
	for (size_t i = 0; i < text.length && ascii_is_digit(text.data[i]) &&
			   number < 1000000;
	     i++)
		number = number * 10 + (unsigned)(text.data[i] - '0');
	return number;
}

static void
take_parameter(
    struct pdf_parameters *parameters, struct slice name, struct slice behind)
{
	if (slice_equal_text(name, "Predictor"))
		parameters->predictor = read_number(behind);
	if (slice_equal_text(name, "Columns"))
		parameters->columns = read_number(behind);
	if (slice_equal_text(name, "Colors"))
		parameters->colors = read_number(behind);
	if (slice_equal_text(name, "BitsPerComponent"))
		parameters->bits = read_number(behind);
	if (slice_equal_text(name, "EarlyChange"))
		parameters->late_change = read_number(behind) == 0;
}

static void
take_name(struct stream *stream, struct slice name, struct slice behind)
{
	bool known;
	enum pdf_filter filter = pdf_filter_of(name, &known);

	if (slice_equal_text(name, "EmbeddedFile"))
		stream->file = true;
	if (slice_equal_text(name, "ObjStm"))
		stream->objects = true;
	if (slice_equal_text(name, "Image"))
		stream->picture = true;
	take_parameter(&stream->parameters, name, behind);
	if (known && stream->filter_count == FILTERS_MAX)
		stream->filters_cut = true;
	else if (known)
		stream->filters[stream->filter_count++] = filter;
}

/* Passes a string in parentheses, from behind the first one. */
static size_t
skip_string(struct slice text)
{
	size_t at = 0;
	int depth = 0;

	for (; at < text.length; at++) {
		char c = text.data[at];

		if (c == '\\')
			at++;
		else if (c == ')' && depth-- == 0)
			break;
		depth += c == '(';
	}
	return at + 1;
}

static size_t
comment_length(struct slice text)
{
	size_t at = 0;

	while (
	    at < text.length && text.data[at] != '\r' && text.data[at] != '\n')
		at++;
	return at;
}

/* What the dictionary says that stands last in `before`, without comments. */
static struct stream
read_dictionary(struct slice before)
{
	struct stream stream = stream_none;
	struct slice rest = before, name;
	char space[NAME_BYTES];

	while (rest.length > 0) {
		char c = rest.data[0];
		size_t length = 1;

		if (c == '%')
			length = comment_length(rest);
		else if (c == '(')
			length += skip_string(slice_skip(rest, 1));
		else if (c == '/') {
			length += read_name(slice_skip(rest, 1), space, &name);
			take_name(&stream, name, slice_skip(rest, length));
		} else if (is_regular(c)) {
			length = read_name(rest, space, &name);
			if (slice_equal_text(name, "obj"))
				stream = stream_none;
		}
		rest = slice_skip(rest, length);
	}
	return stream;
}

/* The state of one walk through a file. */
struct walk {
	struct slice file;
	const struct found *found;
	struct pdf_budget budget;
	size_t beyond_left; /* octets that may be read twice */
};

/* Undoes the filters of stream->filters. Flate says itself where it ends, so
 * it reads on behind an "endstream" among its octets. */
static struct bytes
decode(struct walk *walk, const struct stream *stream, size_t start, size_t end)
{
	struct slice coded = slice_range(walk->file, start, end);
	struct bytes bytes = { 0 };

	for (unsigned i = 0; i < stream->filter_count; i++) {
		struct slice from = i == 0 ? coded : bytes_slice(&bytes);
		struct bytes next;
		size_t used;

		if (i == 0 && stream->filters[0] == PDF_FILTER_FLATE)
			from = slice_range(
			    walk->file, start, end + walk->beyond_left);
		next = pdf_filter_undo(stream->filters[i], from,
		    &stream->parameters, &walk->budget, &used);
		if (i == 0 && used > coded.length)
			walk->beyond_left -= used - coded.length;
		bytes_free(&bytes);
		bytes = next;
		if (bytes.data == NULL)
			break;
	}
	return bytes;
}

/* Content that was under filters, as it stands and behind its predictor. */
static bool
hand_out_text(
    struct walk *walk, const struct stream *stream, struct bytes *bytes)
{
	const struct found *found = walk->found;

	if (!found->text(found->context, bytes_slice(bytes)))
		return false;
	if (stream->parameters.predictor < 2)
		return true;
	pdf_filter_unpredict(&stream->parameters, bytes);
	return found->text(found->context, bytes_slice(bytes));
}

static bool
hand_out_file(struct walk *walk, struct slice content, bool known)
{
	const struct found *found = walk->found;

	if (!known)
		found->unread(found->context, "archive-form");
	else if (content.length == 0)
		found->unread(found->context, "archive-broken");
	else
		return found->file(
		    found->context, slice_make(NULL, 0), content);
	return true;
}

static bool
take_stream(struct walk *walk, struct stream *stream, size_t start, size_t end)
{
	struct slice coded = slice_range(walk->file, start, end);
	struct bytes bytes = { 0 };
	bool good = true, plain = stream->filter_count == 0;

	if (stream->picture && !stream->file && !stream->objects)
		return true;
	bytes = decode(walk, stream, start, end);
	/* The filter may be named in another object, or in none. */
	if (bytes.length == 0 && pdf_filter_is_flate(coded)) {
		stream->filters[0] = PDF_FILTER_FLATE;
		stream->filter_count = 1;
		bytes_free(&bytes);
		bytes = decode(walk, stream, start, end);
		plain = plain && bytes.length == 0;
	}
	if (stream->filters_cut)
		walk->found->unread(walk->found->context, "document-objects");
	if (stream->file)
		good = hand_out_file(walk, plain ? coded : bytes_slice(&bytes),
		    plain || bytes.data != NULL);
	else if (bytes.length > 0)
		good = hand_out_text(walk, stream, &bytes);
	bytes_free(&bytes);
	return good;
}

/* Where a stream's bytes begin behind the word; SIZE_MAX for another word. */
static size_t
stream_start(struct slice file, size_t word, size_t length)
{
	size_t at = word + length;

	if (word >= 3 &&
	    slice_equal_text(slice_range(file, word - 3, word), "end"))
		return SIZE_MAX;
	while (
	    at < file.length && (file.data[at] == ' ' || file.data[at] == '\t'))
		at++;
	word = at;
	if (at < file.length && file.data[at] == '\r')
		at++;
	if (at < file.length && file.data[at] == '\n')
		at++;
	return at > word ? at : SIZE_MAX;
}

void
pdf_files(struct slice file, const struct found *found)
{
	const struct slice word = SLICE_LITERAL("stream");
	const struct found_limits *limits = found->limits;
	struct walk walk = { .file = file,
		.found = found,
		.budget = { .bytes_left = limits->all_bytes,
		    .bytes_max = limits->document_bytes,
		    .ratio = limits->ratio },
		.beyond_left = file.length };
	size_t at = 0, next;
	unsigned count = 0;
	bool good = true;

	while (good && walk.budget.reached == NULL &&
	       (next = slice_find(slice_skip(file, at), word)) != SIZE_MAX) {
		size_t from = at + next, start, end;
		struct stream stream;

		start = stream_start(file, from, word.length);
		if (start == SIZE_MAX) {
			at = from + word.length;
			continue;
		}
		if (count++ == limits->objects) {
			walk.budget.reached = "document-objects";
			break;
		}
		end = slice_find(
		    slice_skip(file, start), SLICE_LITERAL("endstream"));
		end = end == SIZE_MAX ? file.length : start + end;
		stream = read_dictionary(slice_range(file, at, from));
		at = end;
		good = take_stream(&walk, &stream, start, end);
	}
	if (walk.budget.reached != NULL)
		found->unread(found->context, walk.budget.reached);
}

/* ---- strings ---- */

/* What an escape stands for, from behind its backslash; -1: for nothing. */
static int
unescape(struct slice text, size_t *at)
{
	static const char letters[] = "nrtbf", means[] = "\n\r\t\b\f";
	const char *found;
	unsigned value = 0, digits = 0;
	char c;

	while (digits < 3 && *at < text.length && text.data[*at] >= '0' &&
	       text.data[*at] <= '7') {
		value = value * 8 + (unsigned)(text.data[(*at)++] - '0');
		digits++;
	}
	if (digits > 0)
		return (int)(value & 0xff);
	c = text.data[(*at)++];
	if (c == '\r' && *at < text.length && text.data[*at] == '\n')
		(*at)++;
	if (c == '\r' || c == '\n')
		return -1;
	found = c == '\0' ? NULL : strchr(letters, c);
	return (unsigned char)(found != NULL ? means[found - letters] : c);
}

/* All of it with every escape undone, wherever strings begin and end: a link
 * among them is then one, whatever key it stands under. */
static bool
unescape_all(struct slice content, const struct found *found)
{
	struct bytes plain = { .max = content.length };
	size_t at = 0;
	bool good;

	while (at < content.length) {
		size_t next = slice_find_byte(slice_skip(content, at), '\\');
		int value;

		if (next == SIZE_MAX || at + next + 1 >= content.length)
			break;
		bytes_append(&plain, slice_range(content, at, at + next));
		at += next + 1;
		value = unescape(content, &at);
		if (value >= 0)
			bytes_byte(&plain, (char)value);
	}
	bytes_append(&plain, slice_skip(content, at));
	if (plain.over)
		found->unread(found->context, "memory");
	good = found->text(found->context, bytes_slice(&plain));
	bytes_free(&plain);
	return good;
}

/* The strings in hexadecimal, a line each. */
static void
undo_hex(struct slice content, const struct found *found)
{
	struct bytes lines = { .max = content.length };
	size_t at;

	while ((at = slice_find_byte(content, '<')) != SIZE_MAX) {
		size_t end = 0, digits = 0;

		content = slice_skip(content, at + 1);
		while (end < content.length &&
		       (ascii_hex_value(content.data[end]) >= 0 ||
			   ascii_is_space(content.data[end])))
			digits += !ascii_is_space(content.data[end++]);
		if (digits >= HEX_MIN) {
			pdf_filter_add_hex(
			    slice_range(content, 0, end), &lines);
			bytes_byte(&lines, '\n');
		}
		content = slice_skip(content, end);
	}
	if (lines.over)
		found->unread(found->context, "memory");
	if (lines.length > 0)
		found->text(found->context, bytes_slice(&lines));
	bytes_free(&lines);
}

/* What an array of strings draws, [(ht) -20 (tp:)] TJ: readers make links of
 * text too. */
static void
add_drawn(struct slice array, struct bytes *out)
{
	size_t at;

	while ((at = slice_find_byte(array, '(')) != SIZE_MAX) {
		size_t length;

		array = slice_skip(array, at + 1);
		length = skip_string(array);
		bytes_append(out, slice_range(array, 0, length - 1));
		array = slice_skip(array, length);
	}
	bytes_byte(out, '\n');
}

static void
join_drawn(struct slice content, const struct found *found)
{
	struct bytes drawn = { .max = content.length };
	size_t end;

	while ((end = slice_find(content, SLICE_LITERAL("TJ"))) != SIZE_MAX) {
		struct slice before = slice_range(content, 0, end);
		size_t start = slice_find_last_byte(before, '[');

		if (start != SIZE_MAX)
			add_drawn(slice_skip(before, start), &drawn);
		content = slice_skip(content, end + 2);
	}
	if (drawn.length > 0)
		found->text(found->context, bytes_slice(&drawn));
	bytes_free(&drawn);
}

void
pdf_strings(struct slice content, const struct found *found)
{
	join_drawn(content, found);
	if (slice_find_byte(content, '\\') != SIZE_MAX &&
	    !unescape_all(content, found))
		return;
	undo_hex(content, found);
}
