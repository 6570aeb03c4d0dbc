#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "scanner/pdf.h"

#define HEADER_WITHIN    1024 /* readers accept the header anywhere in it */
#define DICTIONARY_BYTES 4096 /* before a stream */
#define FILTERS_MAX      4
#define LINK_BYTES       2048
#define RATIO_FREE_BYTES (1u << 20)
#define STREAM_BYTES_MAX (32u << 20)
#define STREAMS_MAX      20000
#define LINKS_MAX        5000

enum filter {
	FILTER_FLATE,
	FILTER_HEX,
	FILTER_85,
	FILTER_OTHER
};

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

/* True when the name stands there whole, not as the start of another. */
static bool
has_name(struct slice content, struct slice name)
{
	size_t at;

	while ((at = slice_find(content, name)) != SIZE_MAX) {
		content = slice_skip(content, at + name.length);
		if (content.length == 0 || !is_regular(content.data[0]))
			return true;
	}
	return false;
}

struct pdf_marks
pdf_inspect(struct slice content)
{
	return (struct pdf_marks){
		.encrypted = has_name(content, SLICE_LITERAL("/Encrypt")),
		.active = has_name(content, SLICE_LITERAL("/JavaScript")) ||
			  has_name(content, SLICE_LITERAL("/JS")) ||
			  has_name(content, SLICE_LITERAL("/Launch")),
	};
}

/* ---- filters ---- */

/* A growing piece of memory. */
struct bytes {
	char *data;
	size_t length;
};

static struct bytes
from_hex(struct slice coded)
{
	struct bytes out = { .data = malloc(coded.length / 2 + 1) };
	int high = -1;

	for (size_t i = 0; out.data != NULL && i < coded.length; i++) {
		int value = ascii_hex_value(coded.data[i]);

		if (coded.data[i] == '>')
			break;
		if (value < 0)
			continue;
		if (high >= 0)
			out.data[out.length++] = (char)(high << 4 | value);
		high = high >= 0 ? -1 : value;
	}
	return out;
}

static void
put_group(struct bytes *out, const unsigned *digits, unsigned count)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < 5; i++)
		number = number * 85 + (i < count ? digits[i] : 84);
	for (unsigned i = 0; i + 1 < count; i++)
		out->data[out->length++] = (char)(number >> (24 - 8 * i));
}

static struct bytes
from_85(struct slice coded)
{
	struct bytes out = { .data = malloc(4 * coded.length + 8) };
	unsigned digits[5], count = 0;

	for (size_t i = 0; out.data != NULL && i < coded.length; i++) {
		unsigned char c = (unsigned char)coded.data[i];

		if (c == '~')
			break;
		if (c == 'z' && count == 0) {
			memset(out.data + out.length, 0, 4);
			out.length += 4;
		}
		if (c < '!' || c > 'u')
			continue;
		digits[count++] = c - '!';
		if (count == 5) {
			put_group(&out, digits, 5);
			count = 0;
		}
	}
	if (out.data != NULL && count > 1)
		put_group(&out, digits, count);
	return out;
}

struct limits {
	size_t bytes_left;
	unsigned ratio;
	const char *reached; /* name of a reason */
};

static bool
may_grow(struct limits *limits, size_t length, size_t packed)
{
	if (length > limits->bytes_left || length > STREAM_BYTES_MAX)
		limits->reached = "archive-bytes";
	else if (length > RATIO_FREE_BYTES && length / limits->ratio > packed)
		limits->reached = "archive-ratio";
	return limits->reached == NULL;
}

/* As far as the stream is good. */
static struct bytes
inflate_bytes(struct slice packed, struct limits *limits)
{
	z_stream zip = { .next_in = (Bytef *)(uintptr_t)packed.data,
		.avail_in = packed.length > UINT32_MAX
				? UINT32_MAX
				: (unsigned)packed.length };
	size_t capacity = 0;
	struct bytes out = { 0 };
	int status = Z_OK;

	if (inflateInit(&zip) != Z_OK)
		return out;
	while (status == Z_OK) {
		if (out.length == capacity) {
			size_t wanted = capacity == 0 ? 16384 : 2 * capacity;
			char *grown =
			    may_grow(limits, wanted / 2, packed.length)
				? realloc(out.data, wanted)
				: NULL;

			if (grown == NULL)
				break;
			out.data = grown;
			capacity = wanted;
		}
		zip.next_out = (Bytef *)out.data + out.length;
		zip.avail_out = (unsigned)(capacity - out.length);
		status = inflate(&zip, Z_SYNC_FLUSH);
		out.length = capacity - zip.avail_out;
	}
	inflateEnd(&zip);
	limits->bytes_left -=
	    out.length < limits->bytes_left ? out.length : limits->bytes_left;
	return out;
}

/* ---- streams ---- */

struct stream {
	bool file;    /* an attached one */
	bool picture; /* or a font: nothing to read */
	enum filter filters[FILTERS_MAX];
	unsigned filter_count;
};

/* The next name in *rest, its #xx decoded into `space`. */
static bool
next_name(struct slice *rest, char *space, size_t size, struct slice *name_out)
{
	size_t at = slice_find_byte(*rest, '/'), length = 0;
	struct slice text;

	if (at == SIZE_MAX)
		return false;
	text = slice_skip(*rest, at + 1);
	while (text.length > 0 && is_regular(text.data[0]) && length < size) {
		if (text.data[0] == '#' && text.length > 2 &&
		    ascii_hex_value(text.data[1]) >= 0 &&
		    ascii_hex_value(text.data[2]) >= 0) {
			space[length++] =
			    (char)(ascii_hex_value(text.data[1]) << 4 |
				   ascii_hex_value(text.data[2]));
			text = slice_skip(text, 3);
		} else {
			space[length++] = text.data[0];
			text = slice_skip(text, 1);
		}
	}
	*name_out = slice_make(space, length);
	*rest = text;
	return true;
}

static void
take_name(struct stream *stream, struct slice name)
{
	static const struct {
		const char *name;
		enum filter filter;
	} filters[] = { { "FlateDecode", FILTER_FLATE }, { "Fl", FILTER_FLATE },
		{ "ASCIIHexDecode", FILTER_HEX }, { "AHx", FILTER_HEX },
		{ "ASCII85Decode", FILTER_85 }, { "A85", FILTER_85 },
		{ "LZWDecode", FILTER_OTHER },
		{ "RunLengthDecode", FILTER_OTHER },
		{ "DCTDecode", FILTER_OTHER }, { "JPXDecode", FILTER_OTHER },
		{ "CCITTFaxDecode", FILTER_OTHER },
		{ "JBIG2Decode", FILTER_OTHER }, { "Crypt", FILTER_OTHER } };

	if (slice_equal_text(name, "EmbeddedFile"))
		stream->file = true;
	if (slice_equal_text(name, "Image"))
		stream->picture = true;
	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		if (slice_equal_text(name, filters[i].name) &&
		    stream->filter_count < FILTERS_MAX)
			stream->filters[stream->filter_count++] =
			    filters[i].filter;
}

/* What the dictionary before a stream says of it. */
static struct stream
read_dictionary(struct slice before)
{
	struct stream stream = { 0 };
	struct slice rest = before, name;
	char space[32];
	size_t object;

	/* From the last "obj" on. */
	while ((object = slice_find(rest, SLICE_LITERAL(" obj"))) != SIZE_MAX)
		rest = slice_skip(rest, object + 4);
	while (next_name(&rest, space, sizeof space, &name))
		take_name(&stream, name);
	return stream;
}

static struct bytes
apply(enum filter filter, struct slice coded, struct limits *limits)
{
	switch (filter) {
	case FILTER_FLATE:
		return inflate_bytes(coded, limits);
	case FILTER_HEX:
		return from_hex(coded);
	case FILTER_85:
		return from_85(coded);
	case FILTER_OTHER:
		break;
	}
	return (struct bytes){ 0 };
}

/* Undoes the filters; NULL data when one of them is none of ours. */
static struct bytes
decode(const struct stream *stream, struct slice coded, struct limits *limits)
{
	struct bytes bytes = { 0 };

	for (unsigned i = 0; i < stream->filter_count; i++) {
		struct bytes next = apply(stream->filters[i],
		    i == 0 ? coded : slice_make(bytes.data, bytes.length),
		    limits);

		free(bytes.data);
		bytes = next;
		if (bytes.data == NULL)
			break;
	}
	return bytes;
}

static bool
hand_out(const struct stream *stream, struct slice coded, struct limits *limits,
    const struct found *found)
{
	struct slice content = coded;
	struct bytes bytes = { 0 };
	bool good = true;

	if (stream->filter_count > 0) {
		bytes = decode(stream, coded, limits);
		content = slice_make(bytes.data, bytes.length);
	}
	if (stream->file && content.data == NULL)
		found->unread(found->context, "archive-form");
	else if (stream->file && content.length == 0)
		found->unread(found->context, "archive-broken");
	else if (stream->file)
		good =
		    found->file(found->context, slice_make(NULL, 0), content);
	else if (stream->filter_count > 0 && content.length > 0)
		found->text(found->context, content);
	free(bytes.data);
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
	if (at < file.length && file.data[at] == '\r')
		at++;
	if (at < file.length && file.data[at] == '\n')
		at++;
	return at > word + length ? at : SIZE_MAX;
}

void
pdf_files(struct slice file, size_t budget_bytes, unsigned ratio,
    const struct found *found)
{
	const struct slice word = SLICE_LITERAL("stream");
	struct limits limits = { .bytes_left = budget_bytes, .ratio = ratio };
	size_t at = 0, next;
	unsigned count = 0;
	bool good = true;

	while (good && limits.reached == NULL &&
	       (next = slice_find(slice_skip(file, at), word)) != SIZE_MAX) {
		size_t from = at + next, start, end;
		struct stream stream;

		start = stream_start(file, from, word.length);
		at = from + word.length;
		if (start == SIZE_MAX)
			continue;
		if (count++ == STREAMS_MAX)
			limits.reached = "limit";
		end = slice_find(
		    slice_skip(file, start), SLICE_LITERAL("endstream"));
		end = end == SIZE_MAX ? file.length : start + end;
		stream = read_dictionary(slice_range(file,
		    from > DICTIONARY_BYTES ? from - DICTIONARY_BYTES : 0,
		    from));
		at = end;
		if (!stream.picture)
			good = hand_out(&stream, slice_range(file, start, end),
			    &limits, found);
	}
	if (limits.reached != NULL)
		found->unread(found->context, limits.reached);
}

/* ---- links ---- */

/* One character of a string in parentheses; *at is moved behind it. False for
 * a line that goes on. */
static bool
unescape(struct slice text, size_t *at, char *out)
{
	static const char letters[] = "nrtbf", means[] = "\n\r\t\b\f";
	const char *found;
	unsigned value = 0, digits = 0;
	char c = text.data[(*at)++];

	*out = c;
	if (c != '\\' || *at >= text.length)
		return true;
	while (digits < 3 && *at < text.length && text.data[*at] >= '0' &&
	       text.data[*at] <= '7') {
		value = value * 8 + (unsigned)(text.data[(*at)++] - '0');
		digits++;
	}
	*out = (char)value;
	if (digits > 0)
		return true;
	c = text.data[(*at)++];
	found = c == '\0' ? NULL : strchr(letters, c);
	*out = found != NULL ? means[found - letters] : c;
	return c != '\r' && c != '\n';
}

static void
literal_link(struct slice text, const struct found *found)
{
	char link[LINK_BYTES];
	size_t length = 0;
	int depth = 0;

	for (size_t at = 1; at < text.length && length < sizeof link;) {
		char raw = text.data[at];

		if (raw == ')' && depth-- == 0)
			break;
		depth += raw == '(';
		length += unescape(text, &at, &link[length]);
	}
	found->text(found->context, slice_make(link, length));
}

void
pdf_links(struct slice content, const struct found *found)
{
	const struct slice key = SLICE_LITERAL("/URI");
	unsigned count = 0;
	size_t at;

	while ((at = slice_find(content, key)) != SIZE_MAX) {
		struct slice text;
		struct bytes bytes;

		if (count++ == LINKS_MAX) {
			found->unread(found->context, "limit");
			return;
		}

		content = slice_skip(content, at + key.length);
		text = slice_trim(slice_range(content, 0, 2 * LINK_BYTES));
		if (text.length < 2)
			continue;
		if (text.data[0] == '(')
			literal_link(text, found);
		if (text.data[0] == '<' && text.data[1] != '<') {
			bytes = from_hex(slice_skip(text, 1));
			if (bytes.data != NULL)
				found->text(found->context,
				    slice_make(bytes.data, bytes.length));
			free(bytes.data);
		}
	}
}
