#include <config.h>

#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

#include "scanner/pdf_filter.h"

#define RATIO_FREE_BYTES (1u << 20)

enum pdf_filter
pdf_filter_of(struct slice name, bool *known_out)
{
	static const struct {
		const char *name;
		enum pdf_filter filter;
	} filters[] = { { "FlateDecode", PDF_FILTER_FLATE },
		{ "Fl", PDF_FILTER_FLATE }, { "LZWDecode", PDF_FILTER_LZW },
		{ "LZW", PDF_FILTER_LZW },
		{ "RunLengthDecode", PDF_FILTER_RUNS },
		{ "RL", PDF_FILTER_RUNS }, { "ASCIIHexDecode", PDF_FILTER_HEX },
		{ "AHx", PDF_FILTER_HEX }, { "ASCII85Decode", PDF_FILTER_85 },
		{ "A85", PDF_FILTER_85 }, { "DCTDecode", PDF_FILTER_OTHER },
		{ "DCT", PDF_FILTER_OTHER }, { "JPXDecode", PDF_FILTER_OTHER },
		{ "CCITTFaxDecode", PDF_FILTER_OTHER },
		{ "CCF", PDF_FILTER_OTHER },
		{ "JBIG2Decode", PDF_FILTER_OTHER },
		{ "Crypt", PDF_FILTER_OTHER } };

	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		if (slice_equal_text(name, filters[i].name)) {
			*known_out = true;
			return filters[i].filter;
		}
	*known_out = false;
	return PDF_FILTER_OTHER;
}

/* RFC 1950, 2.2: method 8, a window of at most 32 KB, a sum by 31. */
bool
pdf_filter_is_flate(struct slice coded)
{
	unsigned head;

	if (coded.length < 2)
		return false;
	head = (unsigned)(unsigned char)coded.data[0] << 8 |
	       (unsigned char)coded.data[1];
	return (head >> 8 & 15) == 8 && head >> 12 <= 7 && head % 31 == 0;
}

/* Whether the output may go on growing, `taken` octets of input being read. */
static bool
may_grow(struct pdf_budget *budget, const struct bytes *out, size_t taken)
{
	if (out->over || out->length > budget->bytes_left)
		budget->reached = out->length > budget->bytes_left
				      ? "archive-bytes"
				      : "document-bytes";
	else if (out->length > RATIO_FREE_BYTES &&
		 out->length / budget->ratio > taken)
		budget->reached = "archive-ratio";
	return budget->reached == NULL;
}

static void
undo_flate(struct slice packed, struct bytes *out, struct pdf_budget *budget,
    size_t *used_out)
{
	z_stream zip = { .next_in = (Bytef *)(uintptr_t)packed.data,
		.avail_in = packed.length > UINT32_MAX
				? UINT32_MAX
				: (unsigned)packed.length };
	int status = Z_OK;

	if (inflateInit(&zip) != Z_OK)
		return;
	while (status == Z_OK && may_grow(budget, out, zip.total_in) &&
	       bytes_reserve(out, 1)) {
		size_t room = out->capacity - out->length;

		zip.next_out = (Bytef *)out->data + out->length;
		zip.avail_out = (unsigned)room;
		status = inflate(&zip, Z_SYNC_FLUSH);
		out->length += room - zip.avail_out;
	}
	*used_out = zip.total_in;
	inflateEnd(&zip);
}

/* ---- LZW ---- */

#define LZW_CODES 4096
#define LZW_CLEAR 256
#define LZW_END   257

struct lzw {
	uint16_t before[LZW_CODES]; /* the word without its last octet */
	uint16_t length[LZW_CODES];
	char last[LZW_CODES];
	unsigned count; /* words that are known */
};

static void
lzw_clear(struct lzw *lzw)
{
	for (unsigned i = 0; i < LZW_CLEAR; i++) {
		lzw->length[i] = 1;
		lzw->last[i] = (char)i;
	}
	lzw->count = LZW_END + 1;
}

/* Writes the word; returns its first octet. */
static char
lzw_put(const struct lzw *lzw, unsigned code, struct bytes *out)
{
	size_t length = lzw->length[code];
	char *at;

	if (!bytes_reserve(out, length))
		return 0;
	at = out->data + out->length;
	out->length += length;
	for (size_t i = length; i > 0; i--) {
		at[i - 1] = lzw->last[code];
		code = lzw->before[code];
	}
	return at[0];
}

static void
lzw_learn(struct lzw *lzw, unsigned before, char last)
{
	if (lzw->count == LZW_CODES)
		return;
	lzw->before[lzw->count] = (uint16_t)before;
	lzw->length[lzw->count] = (uint16_t)(lzw->length[before] + 1);
	lzw->last[lzw->count++] = last;
}

/* One code behind `before` (LZW_CLEAR: the first); false at what is none. */
static bool
lzw_step(struct lzw *lzw, unsigned before, unsigned code, struct bytes *out)
{
	if (before == LZW_CLEAR) {
		if (code >= LZW_CLEAR)
			return false;
		lzw_put(lzw, code, out);
		return true;
	}
	if (code < lzw->count) {
		lzw_learn(lzw, before, lzw_put(lzw, code, out));
		return true;
	}
	if (code != lzw->count || lzw->count == LZW_CODES)
		return false;
	/* The word that is being made: the one before and its first octet. */
	char first = lzw_put(lzw, before, out);

	bytes_byte(out, first);
	lzw_learn(lzw, before, first);
	return true;
}

static void
undo_lzw(struct slice packed, bool late, struct bytes *out,
    struct pdf_budget *budget, size_t *used_out)
{
	struct lzw *lzw = calloc(1, sizeof *lzw);
	unsigned held = 0, bits = 0, before = LZW_CLEAR;
	size_t at = 0;

	if (lzw == NULL)
		return;
	lzw_clear(lzw);
	while (at < packed.length && may_grow(budget, out, at)) {
		unsigned reach = lzw->count + (late ? 0 : 1);
		unsigned width = reach < 512    ? 9
				 : reach < 1024 ? 10
				 : reach < 2048 ? 11
						: 12;
		unsigned code;

		held = held << 8 | (unsigned char)packed.data[at++];
		bits += 8;
		if (bits < width)
			continue;
		bits -= width;
		code = held >> bits & ((1u << width) - 1);
		held &= (1u << bits) - 1;
		if (code == LZW_END)
			break;
		if (code == LZW_CLEAR)
			lzw_clear(lzw);
		else if (!lzw_step(lzw, before, code, out))
			break;
		before = code;
	}
	*used_out = at;
	free(lzw);
}

/* ---- letters and runs ---- */

static void
undo_hex(struct slice coded, struct bytes *out, size_t *used_out)
{
	int high = -1;
	size_t at = 0;

	for (; at < coded.length && coded.data[at] != '>'; at++) {
		int value = ascii_hex_value(coded.data[at]);

		if (value < 0)
			continue;
		if (high >= 0)
			bytes_byte(out, (char)(high << 4 | value));
		high = high >= 0 ? -1 : value;
	}
	if (high >= 0)
		bytes_byte(out, (char)(high << 4));
	*used_out = at;
}

void
pdf_filter_add_hex(struct slice coded, struct bytes *out)
{
	size_t used;

	undo_hex(coded, out, &used);
}

static void
put_group(struct bytes *out, const unsigned *digits, unsigned count)
{
	uint32_t number = 0;

	for (unsigned i = 0; i < 5; i++)
		number = number * 85 + (i < count ? digits[i] : 84);
	for (unsigned i = 0; i + 1 < count; i++)
		bytes_byte(out, (char)(number >> (24 - 8 * i)));
}

static void
undo_85(struct slice coded, struct bytes *out, size_t *used_out)
{
	static const char nothing[4];
	unsigned digits[5], count = 0;
	size_t at = slice_starts_with(coded, SLICE_LITERAL("<~")) ? 2 : 0;

	for (; at < coded.length && coded.data[at] != '~'; at++) {
		unsigned char c = (unsigned char)coded.data[at];

		if (c == 'z' && count == 0)
			bytes_append(out, slice_make(nothing, 4));
		if (c < '!' || c > 'u')
			continue;
		digits[count++] = c - '!';
		if (count == 5) {
			put_group(out, digits, 5);
			count = 0;
		}
	}
	if (count > 1)
		put_group(out, digits, count);
	*used_out = at;
}

static void
undo_runs(struct slice coded, struct bytes *out, struct pdf_budget *budget,
    size_t *used_out)
{
	size_t at = 0;

	while (at < coded.length && may_grow(budget, out, at)) {
		unsigned length = (unsigned char)coded.data[at++];

		if (length == 128)
			break;
		if (length < 128) {
			bytes_append(
			    out, slice_range(coded, at, at + length + 1));
			at += length + 1;
			continue;
		}
		for (unsigned i = length; at < coded.length && i < 257; i++)
			bytes_byte(out, coded.data[at]);
		at++;
	}
	*used_out = at < coded.length ? at : coded.length;
}

struct bytes
pdf_filter_undo(enum pdf_filter filter, struct slice coded,
    const struct pdf_parameters *parameters, struct pdf_budget *budget,
    size_t *used_out)
{
	struct bytes out = { .max = budget->bytes_max };

	*used_out = coded.length;
	switch (filter) {
	case PDF_FILTER_FLATE:
		undo_flate(coded, &out, budget, used_out);
		break;
	case PDF_FILTER_LZW:
		undo_lzw(
		    coded, parameters->late_change, &out, budget, used_out);
		break;
	case PDF_FILTER_RUNS:
		undo_runs(coded, &out, budget, used_out);
		break;
	case PDF_FILTER_HEX:
		undo_hex(coded, &out, used_out);
		break;
	case PDF_FILTER_85:
		undo_85(coded, &out, used_out);
		break;
	case PDF_FILTER_OTHER:
		break;
	}
	may_grow(budget, &out, *used_out);
	budget->bytes_left -=
	    out.length < budget->bytes_left ? out.length : budget->bytes_left;
	return out;
}

/* ---- predictors ---- */

/* PNG's third guess (RFC 2083, 6.6). */
static unsigned
paeth(int left, int above, int corner)
{
	int guess = left + above - corner;
	int to_left = abs(guess - left), to_above = abs(guess - above);
	int to_corner = abs(guess - corner);

	if (to_left <= to_above && to_left <= to_corner)
		return (unsigned)left;
	return (unsigned)(to_above <= to_corner ? above : corner);
}

static void
unpredict_row(unsigned kind, unsigned char *row, const unsigned char *above,
    size_t length, size_t step)
{
	for (size_t i = 0; i < length; i++) {
		unsigned left = i >= step ? row[i - step] : 0;
		unsigned up = above != NULL ? above[i] : 0;
		unsigned corner =
		    above != NULL && i >= step ? above[i - step] : 0;
		unsigned add = kind == 1   ? left
			       : kind == 2 ? up
			       : kind == 3 ? (left + up) / 2
			       : kind == 4
				   ? paeth((int)left, (int)up, (int)corner)
				   : 0;

		row[i] = (unsigned char)(row[i] + add);
	}
}

void
pdf_filter_unpredict(
    const struct pdf_parameters *parameters, struct bytes *bytes)
{
	uint64_t bits = (uint64_t)parameters->colors * parameters->bits;
	uint64_t row = (bits * parameters->columns + 7) / 8;
	size_t step = bits < 16 ? 1 : (size_t)(bits / 8);
	unsigned char *data = (unsigned char *)bytes->data;
	const unsigned char *above = NULL;
	size_t out = 0;
	bool is_png = parameters->predictor >= 10;

	if (parameters->predictor < 2 || row == 0 || row >= bytes->length)
		return;
	for (size_t at = 0; at < bytes->length;) {
		unsigned kind = is_png ? data[at++] : 1;
		size_t length =
		    bytes->length - at < row ? bytes->length - at : (size_t)row;

		memmove(data + out, data + at, length);
		unpredict_row(kind, data + out, above, length, step);
		above = is_png ? data + out : NULL;
		out += length;
		at += length;
	}
	bytes->length = out;
}
