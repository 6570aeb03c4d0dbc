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
	size_t count; /* at least 1 */
	mime_defect_set defects;
};

/* What the usual reading of a body found. */
struct leaf_usual {
	struct slice content;
	enum transfer_encoding encoding;
	mime_defect_set defects; /* of its octets */
	bool blank_line;         /* an empty line in base64 */
	size_t loose_bytes;      /* at the end, of a quantum that is cut */
};

/* What may be spent on the others. */
struct leaf_budget {
	size_t readings;    /* at most so many, the usual one aside */
	size_t *bytes_left; /* each takes the bytes of its body off this */
};

/* Decodes `raw` as its usual encoding says; false when that finds nothing in
 * it: uuencode, yEnc, BinHex without such a file. Where *reading_out's content
 * is not a slice of raw it is in the arena. */
bool leaf_decode_whole(struct arena *arena, struct slice raw,
    enum transfer_encoding encoding, struct leaf_reading *reading_out,
    mime_defect_set *defects);

/* Decodes `raw` otherwise than `usual` did: leaf_out->readings has that first
 * and then each other plausible one that differs. Beyond the budget:
 * TOO_MANY_READINGS. `guess`: the headers are such that some readers miss the
 * encoding, so the body is looked at as well. */
void leaf_vary(struct arena *arena, struct slice raw,
    const struct declaration *declaration, const struct leaf_usual *usual,
    bool guess, const struct leaf_budget *budget, struct leaf *leaf_out);

/* Whether the bytes look like a body in base64 (quoted-printable): used where
 * no header says so. */
bool leaf_looks_base64(struct slice raw);
bool leaf_looks_quoted_printable(struct slice raw);

#endif
