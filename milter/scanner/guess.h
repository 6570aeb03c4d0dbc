/*
 * guess - what a file holds that the message parser can read on in
 *
 * By the first bytes and the name, without any library and in bounded time, so
 * that filter and workers come to the same answer.
 */
#ifndef TOCSIN_SCANNER_GUESS_H
#define TOCSIN_SCANNER_GUESS_H

#include <stdbool.h>

#include "base/slice.h"

enum guess_kind {
	GUESS_OTHER,
	GUESS_TEXT,
	GUESS_HTML, /* HTML, SVG and their relatives */
	GUESS_MAIL  /* RFC 5322, with or without an mbox line in front */
};

enum guess_kind guess_kind(struct slice content, struct slice name);

/* True for the name of a script that Windows runs. */
bool guess_is_script(struct slice name);

/* True for a shortcut of Windows (.lnk), by its first octets. */
bool guess_is_shortcut(struct slice content);

/* True for a file whose links a browser or viewer would show: something like
 * "://" or \\HOST\ stands in it, in octets or in UTF-16. */
bool guess_has_url(struct slice content);

#endif
