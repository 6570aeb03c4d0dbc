/*
 * embedded - files that HTML, SVG and scripts carry inside themselves
 *
 * Finds base64 that a browser would turn into a file or a page: what follows
 * "base64," in a data: URI, and long runs in quotes, as scripts hand them to
 * atob(). Linear time; decodes into the caller's space.
 */
#ifndef TOCSIN_SCANNER_EMBEDDED_H
#define TOCSIN_SCANNER_EMBEDDED_H

#include <stdbool.h>

#include "base/slice.h"

struct embedded {
	struct slice content;
	size_t at; /* what is before has been read */
};

/* Stores the next run of base64 text; false when there is none. */
bool embedded_next(struct embedded *embedded, struct slice *text_out);

/* Decodes `text` to `out`, which has room for text.length bytes, and returns
 * how many it wrote. What is no base64 is passed over. */
size_t embedded_decode(struct slice text, unsigned char *out);

/* True for a file that is nothing but one run of base64, perhaps between the
 * lines that PEM and certutil put around it. */
bool embedded_is_text(struct slice content);

/* True when there is a run that is no picture. */
bool embedded_any(struct slice content);

/* True for the pictures and fonts that ordinary pages carry. */
bool embedded_is_picture(struct slice file);

#endif
