#include <config.h>

#include <stdint.h>

#include "scanner/embedded.h"

#define QUOTED_MIN 60 /* shorter words in quotes are names and tokens */
#define DATA_MIN   8
#define TEXT_MIN   64 /* shorter files of letters are words */
#define HEAD_TEXT  64 /* enough to know a picture by */

static const signed char values[256] = {
	/* 1 more than the value, so that 0 is: none. */
	['A'] = 1,
	2,
	3,
	4,
	5,
	6,
	7,
	8,
	9,
	10,
	11,
	12,
	13,
	14,
	15,
	16,
	17,
	18,
	19,
	20,
	21,
	22,
	23,
	24,
	25,
	26,
	['a'] = 27,
	28,
	29,
	30,
	31,
	32,
	33,
	34,
	35,
	36,
	37,
	38,
	39,
	40,
	41,
	42,
	43,
	44,
	45,
	46,
	47,
	48,
	49,
	50,
	51,
	52,
	['0'] = 53,
	54,
	55,
	56,
	57,
	58,
	59,
	60,
	61,
	62,
	['+'] = 63,
	['/'] = 64
};

static bool
is_run(char c)
{
	return values[(unsigned char)c] != 0 || c == '=' || c == '\r' ||
	       c == '\n' || c == ' ' || c == '\t';
}

static bool
opens_run(char c)
{
	return c == '"' || c == '\'' || c == '`' || c == ',';
}

bool
embedded_is_text(struct slice content)
{
	struct slice rest = slice_trim(content);
	size_t letters = 0;

	while (rest.length > 0) {
		struct slice line;

		rest = slice_split(rest, '\n', &line);
		line = slice_trim(line);
		if (slice_starts_with(line, SLICE_LITERAL("-----")))
			continue;
		for (size_t i = 0; i < line.length; i++)
			if (line.data[i] == ' ' || !is_run(line.data[i]))
				return false;
		letters += line.length;
	}
	return letters >= TEXT_MIN;
}

bool
embedded_next(struct embedded *embedded, struct slice *text_out)
{
	struct slice content = embedded->content;

	while (embedded->at < content.length) {
		size_t start = embedded->at, end;
		bool quoted, data;

		while (
		    start < content.length && !opens_run(content.data[start]))
			start++;
		if (start == content.length)
			break;
		data = content.data[start] == ',' &&
		       slice_ends_with_fold(slice_range(content, 0, start),
			   SLICE_LITERAL("base64"));
		end = start + 1;
		while (end < content.length && is_run(content.data[end]))
			end++;
		quoted = content.data[start] != ',' && end < content.length &&
			 content.data[end] == content.data[start];
		embedded->at = end;
		*text_out = slice_range(content, start + 1, end);
		if (text_out->length >= (data ? DATA_MIN : QUOTED_MIN) &&
		    (data || quoted))
			return true;
	}
	embedded->at = content.length;
	return false;
}

size_t
embedded_decode(struct slice text, unsigned char *out)
{
	uint32_t group = 0;
	unsigned held = 0;
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		int value = values[(unsigned char)text.data[i]];

		if (value == 0)
			continue;
		group = group << 6 | (uint32_t)(value - 1);
		held += 6;
		if (held >= 8) {
			held -= 8;
			out[length++] = (unsigned char)(group >> held & 0xff);
		}
	}
	return length;
}

bool
embedded_is_picture(struct slice file)
{
	static const struct slice magics[] = { { "\x89PNG\r\n\x1a\n", 8 },
		{ "GIF87a", 6 }, { "GIF89a", 6 }, { "\xff\xd8\xff", 3 },
		{ "wOFF", 4 }, { "wOF2", 4 }, { "OTTO", 4 },
		{ "\0\x01\0\0\0", 5 }, { "BM", 2 }, { "\0\0\x01\0", 4 } };

	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (slice_starts_with(file, magics[i]))
			return true;
	return slice_starts_with(file, SLICE_LITERAL("RIFF")) &&
	       slice_starts_with(slice_skip(file, 8), SLICE_LITERAL("WEBP"));
}

bool
embedded_any(struct slice content)
{
	struct embedded embedded = { .content = content };
	struct slice text;

	while (embedded_next(&embedded, &text)) {
		unsigned char head[HEAD_TEXT];
		size_t length =
		    embedded_decode(slice_range(text, 0, HEAD_TEXT), head);

		if (!embedded_is_picture(slice_make((char *)head, length)))
			return true;
	}
	return false;
}
