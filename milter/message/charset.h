/*
 * charset - text of any charset to UTF-8
 *
 * iconv does the conversions; opened converters are kept in a small, bounded,
 * process-wide cache that threads share. Names are taken as mail writes them
 * (aliases, case, quotes, decoration); a name with an unusual character is
 * never handed to iconv.
 */
#ifndef TOCSIN_MESSAGE_CHARSET_H
#define TOCSIN_MESSAGE_CHARSET_H

#include "base/arena.h"

struct charset_result {
	struct slice text; /* valid UTF-8 */
	bool unknown;      /* the charset is not known: taken as UTF-8, or
			    * as Windows-1252 where it is not */
	bool invalid;      /* octets that the charset does not have: U+FFFD */
	bool cut;          /* longer than max_bytes */
};

/* Converts `bytes` to at most max_bytes of UTF-8. An empty name means
 * UTF-8 where valid, else Windows-1252. ASCII and valid UTF-8 are returned as
 * they are, without a copy. False at the arena's ceiling. */
bool charset_to_utf8(struct arena *arena, struct slice name, struct slice bytes,
    size_t max_bytes, struct charset_result *result_out);

/* Closes the cached converters (at exit, for leak checkers). */
void charset_close_all(void);

#endif
