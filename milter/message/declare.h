/*
 * declare - what a part's headers say about it, in every plausible reading
 *
 * Reads:    the header fields of an entity
 * Produces: type, boundaries, encodings, names: the usual reading first, then
 *           those of other readers in the wild (RFC 2045, RFC 2183, RFC 2231)
 */
#ifndef TOCSIN_MESSAGE_DECLARE_H
#define TOCSIN_MESSAGE_DECLARE_H

#include "message/mime.h"

#define DECLARE_ENCODINGS_MAX 4

struct declaration {
	struct slice type; /* "text/plain"; empty when nothing is declared */
	bool type_odd;     /* another reader may see another type */
	bool multipart;    /* some reading of the type is a multipart */
	struct slice charset;
	struct slice disposition;
	bool flowed;           /* lines go on without a blank (RFC 3676) */
	struct slice external; /* message/external-body: a URL or an address,
				* or empty */
	struct param_readings boundaries;
	struct param_readings names;
	/* the usual one first; at least one */
	enum transfer_encoding encodings[DECLARE_ENCODINGS_MAX];
	size_t encoding_count;
	bool encoding_declared;
	mime_defect_set defects;
};

/* Reads the declarations. False at the arena's ceiling. */
bool declare_read(struct arena *arena, const struct header_list *headers,
    const struct message_limits *limits, struct declaration *declaration_out);

#endif
