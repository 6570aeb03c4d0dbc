#include <config.h>

#include <stdlib.h>
#include <uninorm.h>

#include "base/builder.h"
#include "base/compose.h"
#include "base/utf8.h"

/* No character becomes more than three of four octets (UAX 15). */
#define COMPOSED_MAX (COMPOSE_RUN_MAX * 3 * 4)

struct range {
	uint32_t first, last;
};

/* The plain characters that mail is written in, in order; the test holds them
 * against the library. */
static const struct range plain[] = {
	{ 0x0000, 0x02ff },   /* Latin */
	{ 0x0375, 0x037d },   /* Greek, but for three twins */
	{ 0x0388, 0x0482 },   /* Greek, Cyrillic */
	{ 0x048a, 0x0590 },   /* Cyrillic, Armenian */
	{ 0x05d0, 0x060f },   /* Hebrew without points */
	{ 0x0620, 0x064a },   /* Arabic without points */
	{ 0x0660, 0x066f },   /* its digits */
	{ 0x0671, 0x06d5 },   /* Persian, Urdu */
	{ 0x0e01, 0x0e37 },   /* Thai */
	{ 0x0e3f, 0x0e47 },   /* Thai */
	{ 0x10a0, 0x10ff },   /* Georgian */
	{ 0x1e00, 0x1eff },   /* Vietnamese and others in Latin letters */
	{ 0x2002, 0x20cf },   /* punctuation, currencies */
	{ 0x2100, 0x2125 },   /* signs, but for Ohm, Kelvin and Angstrom */
	{ 0x212c, 0x2328 },   /* arrows, mathematics */
	{ 0x232b, 0x2adb },   /* boxes, dingbats */
	{ 0x3000, 0x3029 },   /* Chinese punctuation */
	{ 0x3030, 0x3098 },   /* Hiragana */
	{ 0x309b, 0xa66e },   /* Katakana, Chinese */
	{ 0xac00, 0xd7a3 },   /* Korean */
	{ 0xe000, 0xf8ff },   /* private use */
	{ 0xff00, 0xffef },   /* full width */
	{ 0x1f000, 0x1faff }, /* emoji */
};

bool
compose_is_plain(uint32_t c)
{
	size_t low = 0, high = sizeof plain / sizeof plain[0];

	if (c <= plain[0].last)
		return true;
	while (low < high) {
		size_t middle = (low + high) / 2;

		if (c > plain[middle].last)
			low = middle + 1;
		else if (c < plain[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

/* The next characters that may have another form, with the one before them,
 * which they may join; false when there are no more. */
static bool
find_run(struct slice text, size_t *begin_out, size_t *end_out)
{
	size_t before = SIZE_MAX, at = 0;

	for (;;) {
		size_t ascii = utf8_ascii_prefix(slice_skip(text, at));
		struct slice rest;
		bool valid, is_plain;

		at += ascii;
		if (ascii > 0)
			before = at - 1;
		if (at == text.length)
			return false;
		rest = slice_skip(text, at);
		is_plain = compose_is_plain(utf8_next(&rest, &valid));
		if (valid && !is_plain)
			break;
		before = valid ? at : SIZE_MAX;
		at = text.length - rest.length;
	}
	*begin_out = before == SIZE_MAX ? at : before;
	for (unsigned count = before != SIZE_MAX;
	     at < text.length && count < COMPOSE_RUN_MAX; count++) {
		struct slice rest = slice_skip(text, at);
		bool valid;
		uint32_t c = utf8_next(&rest, &valid);

		if (!valid || compose_is_plain(c))
			break;
		at = text.length - rest.length;
	}
	*end_out = at;
	return true;
}

static void
add_composed(struct builder *out, struct slice run)
{
	uint8_t buffer[COMPOSED_MAX], *composed;
	size_t length = sizeof buffer;

	composed = u8_normalize(UNINORM_NFC, (const uint8_t *)run.data,
	    run.length, buffer, &length);
	if (composed == NULL)
		out->failed = true;
	else
		builder_slice(out, slice_make((const char *)composed, length));
	if (composed != buffer)
		free(composed);
}

struct slice
compose_slice(struct arena *arena, struct slice text)
{
	struct builder out;
	size_t begin, end;

	if (!find_run(text, &begin, &end))
		return text;
	out = builder_make(arena, SIZE_MAX);
	do {
		builder_slice(&out, slice_range(text, 0, begin));
		add_composed(&out, slice_range(text, begin, end));
		text = slice_skip(text, end);
	} while (find_run(text, &begin, &end));
	builder_slice(&out, text);
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}
