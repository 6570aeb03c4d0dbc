/*
 * data_url - a file or page that a link carries in itself (RFC 2397)
 *
 * Read as browsers do (WHATWG Fetch, "data: URL processor"): any case, blanks
 * and line breaks anywhere, percent-encoding also of base64, no type at all.
 */
#ifndef TOCSIN_MESSAGE_DATA_URL_H
#define TOCSIN_MESSAGE_DATA_URL_H

#include "base/arena.h"

struct data_url {
	struct slice type;    /* "text/html": lower case; never empty */
	struct slice charset; /* as declared, may be empty */
	struct slice content; /* decoded */
};

/* Whether the target of a link is a data: URL. */
bool data_url_is(struct slice target);

/* Reads it; false when it is none, has no comma, or at the arena's ceiling. */
bool data_url_read(
    struct arena *arena, struct slice target, struct data_url *url_out);

/* Whether it is of a kind that pages are full of: a picture or a font. SVG is
 * none: it holds links and scripts. */
bool data_url_is_picture(const struct data_url *url);

#endif
