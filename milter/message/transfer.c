#include <config.h>

#include <endian.h>
#include <pthread.h>
#include <stdint.h>

#include "base/builder.h"
#include "message/encoded_word.h"
#include "message/line_x86.h"
#include "message/transfer.h"

const char *
transfer_encoding_name(enum transfer_encoding encoding)
{
	static const char *const names[] = {
		[TRANSFER_IDENTITY] = "identity",
		[TRANSFER_BASE64] = "base64",
		[TRANSFER_QUOTED_PRINTABLE] = "quoted-printable",
		[TRANSFER_UUENCODE] = "uuencode",
		[TRANSFER_YENC] = "yenc",
		[TRANSFER_BINHEX] = "binhex",
		[TRANSFER_UNKNOWN] = "unknown",
	};

	return names[encoding];
}

/* ------------------------------------------------- which encoding it is */

static const struct {
	const char *name;
	enum transfer_encoding encoding;
	bool registered;
} encoding_names[] = {
	{ "7bit", TRANSFER_IDENTITY, true },
	{ "8bit", TRANSFER_IDENTITY, true },
	{ "binary", TRANSFER_IDENTITY, true },
	{ "base64", TRANSFER_BASE64, true },
	{ "quoted-printable", TRANSFER_QUOTED_PRINTABLE, true },
	{ "x-uuencode", TRANSFER_UUENCODE, true },
	{ "x-uue", TRANSFER_UUENCODE, true },
	{ "uuencode", TRANSFER_UUENCODE, true },
	{ "uue", TRANSFER_UUENCODE, true },
	{ "x-uu", TRANSFER_UUENCODE, true },
	{ "x-yencode", TRANSFER_YENC, true },
	{ "yencode", TRANSFER_YENC, true },
	{ "x-yenc", TRANSFER_YENC, true },
	{ "binhex", TRANSFER_BINHEX, true },
	{ "binhex40", TRANSFER_BINHEX, true },
	{ "x-binhex", TRANSFER_BINHEX, true },
	{ "x-binhex40", TRANSFER_BINHEX, true },
	{ "mac-binhex", TRANSFER_BINHEX, true },
	{ "mac-binhex40", TRANSFER_BINHEX, true },
	/* off any list, still harmless or widely taken */
	{ "7-bit", TRANSFER_IDENTITY, false },
	{ "8-bit", TRANSFER_IDENTITY, false },
	{ "x-base64", TRANSFER_BASE64, false },
	{ "gzip64", TRANSFER_BASE64, false },
	{ "x-gzip64", TRANSFER_BASE64, false },
	{ "x-qp", TRANSFER_QUOTED_PRINTABLE, false },
	{ "qp", TRANSFER_QUOTED_PRINTABLE, false },
};

static enum transfer_encoding
exact_encoding(struct slice word, bool *registered)
{
	for (size_t i = 0; i < sizeof encoding_names / sizeof encoding_names[0];
	     i++)
		if (slice_equal_text_fold(word, encoding_names[i].name)) {
			*registered = encoding_names[i].registered;
			return encoding_names[i].encoding;
		}
	*registered = false;
	return TRANSFER_UNKNOWN;
}

/* What a reader sees that looks for the names anywhere, or for their
 * beginnings. The one that stands first wins. */
static enum transfer_encoding
loose_encoding(struct slice text)
{
	size_t base64 = slice_find_fold(text, SLICE_LITERAL("base64"));
	size_t quoted = slice_find_fold(text, SLICE_LITERAL("quoted"));
	size_t other;

	other = slice_find_fold(text, SLICE_LITERAL("printable"));
	if (other < quoted)
		quoted = other;
	if (base64 == SIZE_MAX)
		base64 = slice_find_fold(text, SLICE_LITERAL("b64"));
	if (base64 != SIZE_MAX || quoted != SIZE_MAX)
		return base64 < quoted ? TRANSFER_BASE64
				       : TRANSFER_QUOTED_PRINTABLE;
	if (slice_find_fold(text, SLICE_LITERAL("uu")) != SIZE_MAX)
		return TRANSFER_UUENCODE;
	return TRANSFER_UNKNOWN;
}

/* The value without comments and blanks. */
static struct slice
strip_comments(struct arena *arena, struct slice value)
{
	char *copy = arena_text(arena, value);
	size_t length = 0;
	unsigned depth = 0;

	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];

		if (c == '(')
			depth++;
		else if (c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && (unsigned char)c > ' ')
			copy[length++] = c;
	}
	return slice_make(copy, length);
}

enum transfer_encoding
transfer_encoding_read(struct arena *arena, struct slice value,
    enum transfer_encoding *lenient_out, mime_defect_set *defects)
{
	struct slice word = slice_trim(value), bare;
	struct encoded_word_result decoded;
	bool registered;
	enum transfer_encoding encoding = exact_encoding(word, &registered);

	*lenient_out = encoding;
	if (registered)
		return encoding;
	if (word.length == 0) {
		*lenient_out = TRANSFER_IDENTITY;
		return TRANSFER_IDENTITY;
	}
	bare = strip_comments(arena, value);
	encoding = exact_encoding(bare, &registered);
	if (encoding == TRANSFER_UNKNOWN) {
		*lenient_out = loose_encoding(value);
		if (*lenient_out == TRANSFER_UNKNOWN &&
		    encoded_word_decode(arena, value, &decoded))
			*lenient_out = loose_encoding(decoded.text);
	} else
		*lenient_out = encoding;
	*defects |= MIME_DEFECT_BIT(*lenient_out == TRANSFER_UNKNOWN
					? MIME_DEFECT_ENCODING_UNKNOWN
					: MIME_DEFECT_ENCODING_MALFORMED);
	return encoding;
}

/* ----------------------------------------------------------------- base64 */

#define BASE64_BAD 0x80000000u

/* The four values of a quantum, shifted to their places; BASE64_BAD for an
 * octet that is none. Built once. */
static uint32_t base64_tables[4][256];
static pthread_once_t base64_once = PTHREAD_ONCE_INIT;

static void
base64_build(void)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz"
				       "0123456789+/";

	for (unsigned t = 0; t < 4; t++) {
		for (unsigned i = 0; i < 256; i++)
			base64_tables[t][i] = BASE64_BAD;
		for (uint32_t i = 0; i < 64; i++)
			base64_tables[t][(unsigned char)alphabet[i]] =
			    i << (18 - 6 * t);
	}
}

static uint32_t
base64_quantum(const unsigned char *at)
{
	return base64_tables[0][at[0]] | base64_tables[1][at[1]] |
	       base64_tables[2][at[2]] | base64_tables[3][at[3]];
}

/* Writes the three bytes of a quantum, and a fourth that the next one
 * overwrites: one store in place of three. */
static void
base64_store(unsigned char *to, uint32_t quantum)
{
	uint32_t wire = htobe32(quantum << 8);

	memcpy(to, &wire, sizeof wire);
}

/* Decodes whole quanta as long as they are clean; returns the text bytes
 * used. Four at a time, since the test for junk costs as much as decoding. */
static size_t
base64_run(const unsigned char *text, size_t length, unsigned char **out)
{
	const unsigned char *at = text;
	const unsigned char *end = text + length / 4 * 4;
	unsigned char *to = *out;

	while (end - at >= 16) {
		uint32_t a = base64_quantum(at), b = base64_quantum(at + 4);
		uint32_t c = base64_quantum(at + 8);
		uint32_t d = base64_quantum(at + 12);

		if ((a | b | c | d) & BASE64_BAD)
			break;
		base64_store(to, a);
		base64_store(to + 3, b);
		base64_store(to + 6, c);
		base64_store(to + 9, d);
		to += 12;
		at += 16;
	}
	while (at < end) {
		uint32_t quantum = base64_quantum(at);

		if (quantum & BASE64_BAD)
			break;
		base64_store(to, quantum);
		to += 3;
		at += 4;
	}
	*out = to;
	return (size_t)(at - text);
}

/* What has been read of a quantum that is not finished. */
struct base64_state {
	uint32_t bits;
	unsigned count; /* characters in it */
	bool padded;    /* padding was seen */
	mime_defect_set defects;
};

/* Ends a quantum early: 2 characters give one byte, 3 give two. */
static void
base64_flush(struct base64_state *state, unsigned char **out)
{
	if (state->count == 1)
		state->defects |= MIME_DEFECT_BIT(MIME_DEFECT_BASE64_PADDING);
	if (state->count >= 2)
		*(*out)++ = (unsigned char)(state->bits >> 16);
	if (state->count == 3)
		*(*out)++ = (unsigned char)(state->bits >> 8);
	state->count = 0;
	state->bits = 0;
}

static void
base64_put(struct base64_state *state, uint32_t value, unsigned char **out)
{
	state->bits |= value << (18 - 6 * state->count);
	if (++state->count < 4)
		return;
	*(*out)++ = (unsigned char)(state->bits >> 16);
	*(*out)++ = (unsigned char)(state->bits >> 8);
	*(*out)++ = (unsigned char)state->bits;
	state->count = 0;
	state->bits = 0;
}

/* Takes one octet that the fast run did not; false when the reading ends. */
static bool
base64_octet(struct base64_state *state, unsigned char c,
    enum base64_reading reading, unsigned char **out)
{
	uint32_t value = base64_tables[3][c];

	if (value != BASE64_BAD) {
		if (state->padded) {
			state->defects |=
			    MIME_DEFECT_BIT(MIME_DEFECT_BASE64_PADDING);
			if (reading == BASE64_STOP)
				return false;
			state->padded = false;
		}
		base64_put(state, value, out);
		return true;
	}
	if (c == '=') {
		if (state->count < 2 && !state->padded)
			state->defects |=
			    MIME_DEFECT_BIT(MIME_DEFECT_BASE64_PADDING);
		state->padded = true;
		if (reading != BASE64_IGNORE_PADDING)
			base64_flush(state, out);
	} else if (!ascii_is_space((char)c))
		state->defects |= MIME_DEFECT_BIT(MIME_DEFECT_BASE64_JUNK);
	else if (c == '\n' && reading == BASE64_WHOLE_LINES) {
		state->count = 0;
		state->bits = 0;
	}
	return true;
}

/* Takes the octets that a run stops at: a line break as a whole, all else one
 * by one. */
static size_t
base64_step(struct transfer_base64_stream *stream, const unsigned char *at,
    size_t left, struct base64_state *state, unsigned char **out)
{
	size_t taken = left >= 2 && at[0] == '\r' && at[1] == '\n' ? 2 : 1;

	if (at[taken - 1] == '\n') {
		stream->blank_line |= stream->line_ended;
		stream->line_ended = true;
		return taken;
	}
	if (at[0] != '\r')
		stream->line_ended = false;
	base64_octet(state, at[0], BASE64_THROUGH, out);
	return 1;
}

size_t
transfer_base64_add(struct transfer_base64_stream *stream, struct slice text,
    unsigned char *out)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t left = text.length;
	unsigned char *start = out;
	struct base64_state state = { stream->bits, stream->count,
		stream->padded, stream->defects };

	pthread_once(&base64_once, base64_build);
	while (left > 0) {
		size_t used = 0;

		if (state.count == 0 && !state.padded)
			used = base64_run(at, left, &out);
		if (used > 0)
			stream->line_ended = false;
		else
			used = base64_step(stream, at, left, &state, &out);
		at += used;
		left -= used;
	}
	stream->bits = state.bits;
	stream->count = state.count;
	stream->padded = state.padded;
	stream->defects = state.defects;
	return (size_t)(out - start);
}

size_t
transfer_base64_end(struct transfer_base64_stream *stream, unsigned char *out)
{
	struct base64_state state = { stream->bits, stream->count,
		stream->padded, stream->defects };
	unsigned char *start = out;

	base64_flush(&state, &out);
	stream->defects = state.defects;
	stream->count = 0;
	stream->bits = 0;
	return (size_t)(out - start);
}

/* Every four characters that are base64 or padding. */
static size_t
base64_tuples(struct slice text, unsigned char *out)
{
	struct base64_state state = { .bits = 0 };
	unsigned char *start = out;
	unsigned seen = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (base64_tables[3][c] != BASE64_BAD)
			base64_put(&state, base64_tables[3][c], &out);
		else if (c != '=')
			continue;
		if (++seen == 4) {
			base64_flush(&state, &out);
			seen = 0;
		}
	}
	base64_flush(&state, &out);
	return (size_t)(out - start);
}

/* Whether the line at the front has junk; *length_out is its length with the
 * line end. */
static bool
line_has_junk(const unsigned char *text, size_t length, size_t *length_out)
{
	const unsigned char *end = memchr(text, '\n', length);
	size_t line = end == NULL ? length : (size_t)(end - text) + 1;

	*length_out = line;
	for (size_t i = 0; i < line; i++)
		if (base64_tables[3][text[i]] == BASE64_BAD && text[i] != '=' &&
		    !ascii_is_space((char)text[i]))
			return true;
	return false;
}

struct transfer_result
transfer_base64(
    struct slice text, enum base64_reading reading, unsigned char *out)
{
	const unsigned char *at = (const unsigned char *)text.data;
	size_t left = text.length, line = 0;
	unsigned char *start = out;
	struct base64_state state = { .bits = 0 };

	pthread_once(&base64_once, base64_build);
	if (reading == BASE64_TUPLES)
		return (struct transfer_result){ .length =
						     base64_tuples(text, out) };
	while (left > 0) {
		if (reading == BASE64_LINES && line == 0 &&
		    line_has_junk(at, left, &line)) {
			state.defects |=
			    MIME_DEFECT_BIT(MIME_DEFECT_BASE64_JUNK);
			at += line;
			left -= line;
			line = 0;
			continue;
		}
		if (state.count == 0 && !state.padded) {
			size_t used = base64_run(
			    at, reading == BASE64_LINES ? line : left, &out);

			at += used;
			left -= used;
			line -= reading == BASE64_LINES ? used : 0;
			if (left == 0)
				break;
			if (reading == BASE64_LINES && line == 0)
				continue;
		}
		if (!base64_octet(&state, *at, reading, &out))
			break;
		if (reading == BASE64_LINE_TAILS && *at != '=' &&
		    base64_tables[3][*at] == BASE64_BAD &&
		    !ascii_is_space((char)*at)) {
			const unsigned char *end = memchr(at, '\n', left);
			size_t tail = end == NULL ? left : (size_t)(end - at);

			at += tail;
			left -= tail;
			continue;
		}
		at++;
		left--;
		line -= reading == BASE64_LINES;
	}
	base64_flush(&state, &out);
	return (struct transfer_result){ .length = (size_t)(out - start),
		.defects = state.defects };
}

/* ------------------------------------------------------- quoted-printable */

/* The value of a hexadecimal digit plus one; 0 for all else. A table, since
 * half of some mail is escapes. */
static const unsigned char hex_values[256] = {
	['0'] = 1,
	['1'] = 2,
	['2'] = 3,
	['3'] = 4,
	['4'] = 5,
	['5'] = 6,
	['6'] = 7,
	['7'] = 8,
	['8'] = 9,
	['9'] = 10,
	['A'] = 11,
	['B'] = 12,
	['C'] = 13,
	['D'] = 14,
	['E'] = 15,
	['F'] = 16,
	['a'] = 11,
	['b'] = 12,
	['c'] = 13,
	['d'] = 14,
	['e'] = 15,
	['f'] = 16,
};

struct quoted {
	const char *at, *end;
	enum quoted_reading reading;
	unsigned char *out;
	unsigned char *fixed; /* blanks before it were written as escapes */
	mime_defect_set defects;
};

/* Whether only blanks stand between `at` and the end of the line: a soft line
 * break then. *next_out is where the next line begins. */
static bool
is_soft_break(const char *at, const char *end, const char **next_out)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at < end && *at == '\r' && (at + 1 == end || at[1] == '\n'))
		at++;
	if (at < end && *at != '\n')
		return false;
	*next_out = at < end ? at + 1 : end;
	return true;
}

/* What follows a '='. */
static void
quoted_escape(struct quoted *quoted)
{
	const char *at = quoted->at, *end = quoted->end;
	unsigned high, low;

	if (end - at >= 2 && (high = hex_values[(unsigned char)at[0]]) != 0 &&
	    (low = hex_values[(unsigned char)at[1]]) != 0) {
		*quoted->out++ = (unsigned char)((high - 1) * 16 + low - 1);
		quoted->at = at + 2;
		quoted->fixed = quoted->out;
		return;
	}
	if (is_soft_break(at, end, &quoted->at)) {
		quoted->fixed = quoted->out;
		return;
	}
	quoted->defects |=
	    MIME_DEFECT_BIT(MIME_DEFECT_QUOTED_PRINTABLE_MALFORMED);
	if (quoted->reading == QUOTED_KEEP) {
		*quoted->out++ = '=';
		quoted->fixed = quoted->out;
		return;
	}
	if (ascii_hex_value(at[0]) >= 0 ||
	    (quoted->reading == QUOTED_DROP_ESCAPE && at[0] != '='))
		at++;
	if (quoted->reading == QUOTED_DROP_ESCAPE && at < end &&
	    at[-1] != '=' && at[0] != '=' && at[0] != '\r' && at[0] != '\n')
		at++;
	quoted->at = at;
}

/* Ends a line: blanks at its end are not part of it (RFC 2045, 6.7 (3)). */
static void
quoted_line_end(struct quoted *quoted, bool broken)
{
	unsigned char *out = quoted->out;
	bool cr = broken && out > quoted->fixed && out[-1] == '\r';

	out -= cr;
	while (out > quoted->fixed && (out[-1] == ' ' || out[-1] == '\t'))
		out--;
	if (cr)
		*out++ = '\r';
	if (broken)
		*out++ = '\n';
	quoted->out = quoted->fixed = out;
}

/* Runs over what is of the usual form. */
static void
quoted_run(struct quoted *quoted)
{
	struct line_x86_quoted done = line_x86_quoted(
	    slice_make(quoted->at, (size_t)(quoted->end - quoted->at)),
	    hex_values, quoted->out);

	if (done.fixed > 0)
		quoted->fixed = quoted->out + done.fixed;
	quoted->at += done.taken;
	quoted->out += done.written;
}

struct transfer_result
transfer_quoted_printable(
    struct slice text, enum quoted_reading reading, unsigned char *out)
{
	struct quoted quoted = { text.data, text.data + text.length, reading,
		out, out, 0 };
	bool fast = line_x86_usable();

	while (quoted.at < quoted.end) {
		if (fast && *quoted.at != '=')
			quoted_run(&quoted);
		if (quoted.at == quoted.end)
			break;
		/* the call alone would make a row of '=' slow */
		size_t copied =
		    *quoted.at == '='
			? 0
			: line_copy(slice_make(quoted.at,
					(size_t)(quoted.end - quoted.at)),
			      quoted.out);

		quoted.at += copied;
		quoted.out += copied;
		if (quoted.at == quoted.end)
			break;
		if (*quoted.at++ == '=')
			quoted_escape(&quoted);
		else
			quoted_line_end(&quoted, true);
	}
	quoted_line_end(&quoted, false);
	return (struct transfer_result){ .length = (size_t)(quoted.out - out),
		.defects = quoted.defects };
}

/* --------------------------------------------------------------- uuencode */

/* Takes a line off *rest, without its line break. */
static struct slice
take_line(struct slice *rest)
{
	struct slice line;

	*rest = slice_split(*rest, '\n', &line);
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* "begin MODE NAME": three or more octal digits, as many as a mode of 32 bits
 * has. */
static bool
is_begin_line(struct slice line, struct slice *name_out)
{
	size_t i = 6, digits = 0;

	if (!slice_starts_with_fold(line, SLICE_LITERAL("begin ")))
		return false;
	while (i < line.length && line.data[i] == ' ')
		i++;
	while (i < line.length && line.data[i] >= '0' && line.data[i] <= '7') {
		i++;
		digits++;
	}
	if (digits < 3 || digits > 11 || i == line.length ||
	    line.data[i] != ' ')
		return false;
	*name_out = slice_trim(slice_skip(line, i));
	return true;
}

/* One data line; false when it is none. Trailing blanks may be cut, so what
 * is missing counts as blank. */
static bool
uuencode_line(struct slice line, unsigned char **out)
{
	size_t count, groups;

	if (line.length == 0 || line.data[0] < ' ' || line.data[0] > '`')
		return false;
	count = (size_t)(line.data[0] - ' ') & 63;
	groups = (count + 2) / 3;
	line = slice_skip(line, 1);
	if (count == 0 || line.length > groups * 4 + 4 ||
	    line.length + 8 < groups * 4)
		return false;
	for (size_t i = 0; i < line.length && i < groups * 4; i++)
		if (line.data[i] < ' ' || line.data[i] > '`')
			return false;
	for (size_t g = 0; g < groups; g++) {
		unsigned bits = 0;

		for (size_t i = 4 * g; i < 4 * g + 4; i++)
			bits = bits << 6 |
			       (i < line.length
				       ? (unsigned)(line.data[i] - ' ') & 63
				       : 0);
		for (size_t i = 0; i < 3 && count > 0; i++, count--)
			*(*out)++ = (unsigned char)(bits >> (16 - 8 * i));
	}
	return true;
}

bool
transfer_uuencode_next(struct slice *rest, bool need_begin, unsigned char *out,
    struct slice *name_out, struct transfer_result *result_out)
{
	struct slice name = slice_make(NULL, 0), look = *rest;
	unsigned char *start = out;
	bool begun = false, ended = false;

	while (look.length > 0 && !begun) {
		size_t at = slice_find(look, SLICE_LITERAL("begin "));
		struct slice line;

		if (at == SIZE_MAX)
			break;
		begun = at == 0 || look.data[at - 1] == '\n';
		look = slice_skip(look, at);
		line = take_line(&look);
		begun = begun && is_begin_line(line, &name);
	}
	if (!begun) {
		if (need_begin)
			return false;
		look = *rest;
	}
	while (look.length > 0) {
		struct slice after = look, line = take_line(&after);

		if (!uuencode_line(line, &out)) {
			bool last = slice_equal_text(line, "`") ||
				    slice_trim(line).length == 0;

			ended = slice_equal_text_fold(slice_trim(line), "end");
			if (!ended && !last && out > start)
				break;
			look = after;
			if (ended)
				break;
			continue;
		}
		look = after;
	}
	if (out == start)
		return false;
	*rest = look;
	*name_out = name;
	*result_out = (struct transfer_result){
		.length = (size_t)(out - start),
		.defects = begun && ended ? 0
					  : MIME_DEFECT_BIT(
						MIME_DEFECT_UUENCODE_MALFORMED),
	};
	return true;
}

/* ------------------------------------------------------------------- yEnc */

bool
transfer_yenc(struct slice text, unsigned char *out, struct slice *name_out,
    struct transfer_result *result_out)
{
	size_t at = slice_find(text, SLICE_LITERAL("=ybegin "));
	unsigned char *start = out;
	struct slice line, rest;
	size_t name;
	bool ended = false;

	if (at == SIZE_MAX || (at > 0 && text.data[at - 1] != '\n'))
		return false;
	rest = slice_skip(text, at);
	line = take_line(&rest);
	name = slice_find(line, SLICE_LITERAL("name="));
	*name_out = name == SIZE_MAX ? slice_make(NULL, 0)
				     : slice_trim(slice_skip(line, name + 5));
	while (rest.length > 0 && !ended) {
		line = take_line(&rest);
		ended = slice_starts_with(line, SLICE_LITERAL("=yend"));
		if (ended || slice_starts_with(line, SLICE_LITERAL("=ypart ")))
			continue;
		for (size_t i = 0; i < line.length; i++) {
			unsigned char c = (unsigned char)line.data[i];

			if (c == '=' && i + 1 < line.length)
				c = (unsigned char)(line.data[++i] - 64);
			*out++ = (unsigned char)(c - 42);
		}
	}
	*result_out = (struct transfer_result){
		.length = (size_t)(out - start),
		.defects =
		    ended ? 0 : MIME_DEFECT_BIT(MIME_DEFECT_UUENCODE_MALFORMED),
	};
	return out > start;
}

/* ----------------------------------------------------------------- BinHex */

/* What a BinHex 4.0 stream has given so far: six bits a character, runs
 * expanded (RFC 1741). */
struct binhex {
	struct slice text;
	size_t at;
	uint32_t bits;
	unsigned bit_count;
	unsigned char last; /* the octet that a run repeats */
	unsigned repeat;    /* how often it is still due */
};

static int
binhex_value(char c)
{
	static const char alphabet[] = "!\"#$%&'()*+,-012345689@ABCDEFGHIJKLMN"
				       "PQRSTUVXYZ[`abcdefhijklmpqr";
	const char *found = c == '\0' ? NULL : strchr(alphabet, c);

	return found == NULL ? -1 : (int)(found - alphabet);
}

/* The next octet before runs are expanded, or -1. */
static int
binhex_raw(struct binhex *stream)
{
	while (stream->bit_count < 8) {
		char c;
		int value;

		if (stream->at >= stream->text.length)
			return -1;
		c = stream->text.data[stream->at++];
		if (ascii_is_space(c))
			continue;
		value = binhex_value(c);
		if (value < 0)
			return -1;
		stream->bits = stream->bits << 6 | (uint32_t)value;
		stream->bit_count += 6;
	}
	stream->bit_count -= 8;
	return (int)(stream->bits >> stream->bit_count & 0xFF);
}

/* The next octet, or -1. 0x90 N repeats the one before N times in all; 0x90 0
 * is 0x90 itself. */
static int
binhex_next(struct binhex *stream)
{
	int octet, count;

	for (;;) {
		if (stream->repeat > 0) {
			stream->repeat--;
			return stream->last;
		}
		octet = binhex_raw(stream);
		if (octet != 0x90)
			break;
		count = binhex_raw(stream);
		if (count < 0)
			return -1;
		if (count == 0)
			break;
		stream->repeat = (unsigned)count - 1;
	}
	if (octet >= 0)
		stream->last = (unsigned char)octet;
	return octet;
}

bool
transfer_binhex(struct arena *arena, struct slice text, size_t max_bytes,
    struct slice *content_out, struct slice *name_out)
{
	struct binhex stream = { .text = text };
	struct builder out = builder_make(arena, max_bytes);
	struct builder name = builder_make(arena, 256);
	size_t start = slice_find(text, SLICE_LITERAL("BinHex 4.0)"));
	uint32_t length = 0;
	int octet;

	if (start == SIZE_MAX)
		return false;
	stream.at = start + 11;
	while (stream.at < text.length && text.data[stream.at] != ':')
		stream.at++;
	stream.at++;
	for (octet = binhex_next(&stream); octet > 0; octet--) {
		int c = binhex_next(&stream);

		if (c < 0)
			return false;
		builder_byte(&name, (char)c);
	}
	/* a zero, type and creator, flags, then the data fork's length, the
	 * resource fork's and a checksum */
	for (unsigned i = 0; i < 1 + 4 + 4 + 2 + 4 + 4 + 2; i++) {
		octet = binhex_next(&stream);
		if (octet < 0)
			return false;
		if (i >= 11 && i < 15)
			length = length << 8 | (uint32_t)octet;
	}
	for (; length > 0 && !out.failed; length--) {
		octet = binhex_next(&stream);
		if (octet < 0)
			break;
		builder_byte(&out, (char)octet);
	}
	*content_out = builder_result(&out);
	*name_out = builder_result(&name);
	return out.length > 0;
}
