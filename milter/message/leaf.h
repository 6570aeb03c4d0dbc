/*
 * leaf - decodes the body of a part, in every plausible reading
 *
 * Reads:    a raw body and the encodings that its headers may mean
 * Produces: the usual decoding first, then those others that differ from it
 */
#ifndef TOCSIN_MESSAGE_LEAF_H
#define TOCSIN_MESSAGE_LEAF_H

#include "message/declare.h"

#define LEAF_READINGS_MAX 8

struct leaf_reading {
	struct slice content;
	enum transfer_encoding encoding;
	const char *how;   /* NULL: the usual one */
	struct slice name; /* of a uuencoded file; may be empty */
};

struct leaf {
	struct leaf_reading readings[LEAF_READINGS_MAX];
	size_t count; /* at least 1 unless the arena is full */
	mime_defect_set defects;
};

/* Decodes `raw`. At most 1 + extra_max readings; each but the first takes the
 * bytes of `raw` off *extra_left, which is what other readings may still cost
 * (beyond: TOO_MANY_READINGS). `guess`: the headers are such
 * that some readers miss the encoding, so the body is looked at as well.
 * False at the arena's ceiling. */
bool leaf_decode(struct arena *arena, struct slice raw,
    const struct declaration *declaration, bool guess, size_t extra_max,
    size_t *extra_left, struct leaf *leaf_out);

/* Whether the bytes look like a body in base64 (quoted-printable): used where
 * no header says so. */
bool leaf_looks_base64(struct slice raw);
bool leaf_looks_quoted_printable(struct slice raw);

#endif
