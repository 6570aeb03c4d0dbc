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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value = slice_make(data, size);
	struct arena *arena = arena_new(64u << 20, NULL);
	struct encoded_word_result word;
	struct param_header header;
	struct param_readings names = { .count = 0 };
	struct declaration declaration = { .encoding_count = 1 };
	struct leaf leaf;
	size_t extra = 100000;

	if (encoded_word_decode(arena, value, &word) &&
	    !utf8_is_valid(word.text))
		abort();
	if (param_header_parse(arena, value, 20, &header) &&
	    param_read(arena, &header, "name", true, 8, &names))
		for (size_t i = 0; i < names.count; i++)
			if (!utf8_is_valid(names.items[i].value))
				abort();
	for (unsigned i = 0; i <= TRANSFER_UNKNOWN; i++) {
		declaration.encodings[0] = (enum transfer_encoding)i;
		leaf_decode(arena, value, &declaration, true, 8, &extra, &leaf);
	}
	arena_free(&arena);
	return 0;
}
