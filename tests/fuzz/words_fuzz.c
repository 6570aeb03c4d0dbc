/*
 * words_fuzz - encoded words (RFC 2047), parameters (RFC 2231), encodings
 *
 * What is decoded must be UTF-8, whatever came in.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "message/encoded_word.h"
#include "message/leaf.h"
#include "message/param.h"
#include "message/unfold.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* base64 by pieces is base64 as a whole. */
static void
decode_in_pieces(struct arena *arena, struct slice value)
{
	size_t room = TRANSFER_BASE64_ROOM(value.length);
	unsigned char *whole = arena_alloc(arena, room);
	unsigned char *pieces = arena_alloc(arena, room + 16);
	struct transfer_base64_stream stream = { .bits = 0 };
	struct transfer_result result =
	    transfer_base64(value, BASE64_THROUGH, whole);
	size_t length = 0, step = 1;

	for (; value.length > 0; value = slice_skip(value, step)) {
		step = 1 + (unsigned char)value.data[0] % 40;
		length += transfer_base64_add(
		    &stream, slice_range(value, 0, step), pieces + length);
	}
	length += transfer_base64_end(&stream, pieces + length);
	if (length != result.length || memcmp(whole, pieces, length) != 0 ||
	    stream.defects != result.defects)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value = slice_make(data, size);
	struct arena *arena = arena_new(64u << 20, NULL);
	struct encoded_word_result word;
	struct param_header header;
	struct param_readings names = { .count = 0 };
	struct declaration declaration = { .encoding_count = 2 };
	size_t extra = 100000;
	struct leaf_budget budget = { 7, &extra };

	if (encoded_word_decode(arena, value, &word) &&
	    !utf8_is_valid(word.text))
		abort();
	if (param_header_parse(arena, value, 20, &header) &&
	    param_read(arena, &header, "name", true, 8, &names))
		for (size_t i = 0; i < names.count; i++)
			if (!utf8_is_valid(names.items[i].value))
				abort();
	for (unsigned i = 0; i <= TRANSFER_UNKNOWN; i++) {
		struct leaf_reading reading = { .how = NULL };
		struct leaf_usual usual = { .defects = 0 };
		struct leaf leaf;

		if (!leaf_decode_whole(arena, value, (enum transfer_encoding)i,
			&reading, &usual.defects))
			continue;
		usual.content = reading.content;
		usual.encoding = reading.encoding;
		declaration.encodings[0] = usual.encoding;
		declaration.encodings[1] =
		    (enum transfer_encoding)(TRANSFER_UNKNOWN - i);
		leaf_vary(
		    arena, value, &declaration, &usual, true, &budget, &leaf);
	}
	decode_in_pieces(arena, value);
	if (unfold_flowed(arena, value).length > size ||
	    unfold_calendar(arena, value).length > size)
		abort();
	arena_free(&arena);
	return 0;
}
