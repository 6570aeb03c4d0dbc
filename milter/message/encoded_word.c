#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/transfer.h"

/* Where the end of a word is looked for: far beyond RFC 2047's 75 octets, yet
 * many unended words cannot make the search quadratic. */
#define WORD_MAX_BYTES 8192

/* One word, taken apart. */
struct word {
	struct slice charset;
	char encoding; /* 'b' or 'q' */
	struct slice text;
	bool malformed;
};

struct decoding {
	struct arena *arena;
	struct builder out;   /* UTF-8 */
	struct builder bytes; /* of words not yet converted */
	struct slice charset; /* theirs */
	char loose[3];        /* base64 of a quantum that is cut at their end */
	size_t loose_count;
	bool malformed;
};

/* Reads the word at the front of *rest (which begins with "=?") and takes it
 * off; false, *rest untouched, when it is none. */
static bool
read_word(struct slice *rest, struct word *word)
{
	struct slice text = slice_skip(*rest, 2);
	size_t end = slice_find_byte(text, '?');
	size_t star;

	if (end == SIZE_MAX || end == 0 || end > 80 || text.length < end + 3)
		return false;
	word->charset = slice_range(text, 0, end);
	word->encoding = ascii_lower(text.data[end + 1]);
	if ((word->encoding != 'b' && word->encoding != 'q') ||
	    text.data[end + 2] != '?')
		return false;
	for (size_t i = 0; i < end; i++)
		if ((unsigned char)text.data[i] <= ' ')
			return false;
	/* a language tag (RFC 2231, 5) */
	star = slice_find_byte(word->charset, '*');
	if (star != SIZE_MAX)
		word->charset.length = star;
	text = slice_skip(text, end + 3);
	end = slice_find(
	    slice_range(text, 0, WORD_MAX_BYTES), SLICE_LITERAL("?="));
	word->malformed = end == SIZE_MAX;
	if (end == SIZE_MAX) {
		/* not ended: up to the next blank */
		for (end = 0;
		     end < text.length && !ascii_is_space(text.data[end]);)
			end++;
		word->text = slice_range(text, 0, end);
		*rest = slice_skip(text, end);
		return true;
	}
	word->text = slice_range(text, 0, end);
	*rest = slice_skip(text, end + 2);
	return true;
}

static void decode_loose(struct decoding *decoding, const struct word *word);

/* Converts the bytes that adjacent words have left. */
static void
flush(struct decoding *decoding)
{
	struct charset_result converted;

	if (decoding->loose_count > 0)
		decode_loose(decoding, NULL);
	if (decoding->bytes.length == 0)
		return;
	if (charset_to_utf8(decoding->arena, decoding->charset,
		builder_result(&decoding->bytes),
		4 * decoding->bytes.length + 16, &converted))
		builder_slice(&decoding->out, converted.text);
	else
		decoding->out.failed = true;
	decoding->bytes.length = 0;
}

static void
decode_q(struct decoding *decoding, struct slice text)
{
	for (size_t i = 0; i < text.length; i++) {
		int high, low;

		if (text.data[i] == '_')
			builder_byte(&decoding->bytes, ' ');
		else if (text.data[i] == '=' && text.length - i > 2 &&
			 (high = ascii_hex_value(text.data[i + 1])) >= 0 &&
			 (low = ascii_hex_value(text.data[i + 2])) >= 0) {
			builder_byte(&decoding->bytes, (char)(high * 16 + low));
			i += 2;
		} else if (text.data[i] != '\r' && text.data[i] != '\n') {
			decoding->malformed |= text.data[i] == '=';
			builder_byte(&decoding->bytes, text.data[i]);
		}
	}
}

static void
decode_b(struct decoding *decoding, struct slice text)
{
	unsigned char *out =
	    arena_alloc(decoding->arena, TRANSFER_BASE64_ROOM(text.length));
	struct transfer_result result;

	if (out == NULL) {
		decoding->bytes.failed = true;
		return;
	}
	result = transfer_base64(text, BASE64_THROUGH, out);
	if (result.defects & ~MIME_DEFECT_BIT(MIME_DEFECT_BASE64_PADDING))
		decoding->malformed = true;
	builder_slice(&decoding->bytes, slice_make(out, result.length));
}

static bool
is_letter(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/';
}

/* How many octets of base64 stand behind its last whole quantum. */
static size_t
loose_letters(struct slice text)
{
	size_t letters = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '=')
			return 0;
		letters += is_letter(text.data[i]);
	}
	return letters % 4;
}

/* A word of base64 that is cut inside a quantum: many programs join it with
 * the next one before they decode, so what is cut off is kept for that. False:
 * it is whole. */
static bool
keep_loose(struct decoding *decoding, struct slice text)
{
	size_t keep = loose_letters(text), left = keep;

	if (keep == 0)
		return false;
	while (left > 0)
		if (is_letter(text.data[--text.length]))
			decoding->loose[--left] = text.data[text.length];
	decode_b(decoding, text);
	decoding->loose_count = keep;
	return true;
}

/* Whether base64 holds text of its charset, without controls. */
static bool
holds_text(struct decoding *decoding, struct slice text)
{
	unsigned char *out =
	    arena_alloc(decoding->arena, TRANSFER_BASE64_ROOM(text.length));
	struct charset_result converted;
	size_t length;

	if (out == NULL)
		return false;
	length = transfer_base64(text, BASE64_THROUGH, out).length;
	for (size_t i = 0; i < length; i++)
		if (out[i] < ' ' && out[i] != '\t')
			return false;
	return charset_to_utf8(decoding->arena, decoding->charset,
		   slice_make(out, length), 4 * length + 16, &converted) &&
	       !converted.invalid;
}

/* Decodes what is kept, with the word that goes on with it or alone: some write
 * whole words without padding, so the two are joined unless only apart they
 * hold text. */
static void
decode_loose(struct decoding *decoding, const struct word *word)
{
	struct slice loose = arena_copy(decoding->arena,
	    slice_make(decoding->loose, decoding->loose_count));
	struct builder joined = builder_make(decoding->arena, SIZE_MAX);
	struct slice both;

	decoding->loose_count = 0;
	if (word == NULL) {
		decode_b(decoding, loose);
		return;
	}
	builder_slice(&joined, loose);
	builder_slice(&joined, word->text);
	both = builder_result(&joined);
	decoding->malformed = true;
	if (!holds_text(decoding, both) && holds_text(decoding, word->text)) {
		decode_b(decoding, loose);
		both = word->text;
	}
	if (!keep_loose(decoding, both))
		decode_b(decoding, both);
}

static void
decode_word(struct decoding *decoding, const struct word *word)
{
	bool joins = decoding->loose_count > 0 && word->encoding == 'b' &&
		     slice_equal_fold(decoding->charset, word->charset);

	if (decoding->loose_count > 0) {
		decode_loose(decoding, joins ? word : NULL);
		if (joins)
			return;
	}
	if (!slice_equal_fold(decoding->charset, word->charset))
		flush(decoding);
	decoding->charset = word->charset;
	decoding->malformed |= word->malformed;
	if (word->encoding == 'b') {
		if (!keep_loose(decoding, word->text))
			decode_b(decoding, word->text);
	} else
		decode_q(decoding, word->text);
}

/* The octets between words: UTF-8, without folds. */
static void
copy_plain(struct decoding *decoding, struct slice text)
{
	while (text.length > 0) {
		char c = text.data[0], encoded[4];

		if (c == '\r' || c == '\n') {
			text = slice_skip(text, 1);
			continue;
		}
		builder_slice(&decoding->out,
		    slice_make(
			encoded, utf8_encode(utf8_next(&text, NULL), encoded)));
	}
}

static bool
is_all_blank(struct slice text)
{
	return slice_trim(text).length == 0;
}

bool
encoded_word_decode(struct arena *arena, struct slice value,
    struct encoded_word_result *result_out)
{
	struct decoding decoding = { .arena = arena };
	struct slice rest = value;
	bool had_words = false;

	*result_out = (struct encoded_word_result){ .text = value };
	if (slice_find(value, SLICE_LITERAL("=?")) == SIZE_MAX &&
	    slice_find_byte(value, '\n') == SIZE_MAX &&
	    slice_find_byte(value, '\r') == SIZE_MAX && utf8_is_valid(value))
		return true;
	decoding.out = builder_make(arena, 8 * value.length + 64);
	decoding.bytes = builder_make(arena, 2 * value.length + 64);
	while (rest.length > 0) {
		size_t at = slice_find(rest, SLICE_LITERAL("=?"));
		struct slice plain = slice_range(rest, 0, at);
		struct slice after = slice_skip(rest, at);
		struct word word;

		if (at == SIZE_MAX) {
			flush(&decoding);
			copy_plain(&decoding, rest);
			break;
		}
		if (!read_word(&after, &word)) {
			flush(&decoding);
			copy_plain(&decoding, slice_range(rest, 0, at + 2));
			rest = slice_skip(rest, at + 2);
			continue;
		}
		if (!had_words || !is_all_blank(plain)) {
			flush(&decoding);
			copy_plain(&decoding, plain);
		}
		decode_word(&decoding, &word);
		had_words = true;
		rest = after;
	}
	flush(&decoding);
	result_out->text = builder_result(&decoding.out);
	result_out->had_words = had_words;
	result_out->malformed = decoding.malformed;
	return !decoding.out.failed && !decoding.bytes.failed;
}
