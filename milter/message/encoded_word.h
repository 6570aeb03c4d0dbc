/*
 * encoded_word - RFC 2047 words in headers, as readers decode them
 *
 * Takes the broken forms that mail really has: words inside quotes or words,
 * blanks inside, missing padding, words cut in the middle of a character,
 * language tags (RFC 2231, 5), unknown charsets. White space between adjacent
 * words is dropped, their bytes are joined before conversion where charset
 * and encoding are the same. Linear, without recursion: decoded once.
 */
#ifndef TOCSIN_MESSAGE_ENCODED_WORD_H
#define TOCSIN_MESSAGE_ENCODED_WORD_H

#include "base/arena.h"

struct encoded_word_result {
	struct slice text; /* UTF-8, invalid octets as U+FFFD; folds gone */
	bool had_words;    /* at least one was decoded */
	bool malformed;    /* a word that not all readers take */
};

/* Decodes a header value, or any part of one. False at the arena's ceiling.
 * `text` is a slice of `value` where nothing had to change. */
bool encoded_word_decode(struct arena *arena, struct slice value,
    struct encoded_word_result *result_out);

#endif
