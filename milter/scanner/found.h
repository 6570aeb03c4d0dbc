/*
 * found - where a reader of documents puts the files that it finds in them
 */
#ifndef TOCSIN_SCANNER_FOUND_H
#define TOCSIN_SCANNER_FOUND_H

#include <stdbool.h>

#include "base/slice.h"

/* How far a document is read; the settings of `limits`. */
struct found_limits {
	size_t all_bytes;      /* unpacked from it: what archive-bytes leaves */
	size_t document_bytes; /* of one stream or object in it */
	unsigned objects;      /* streams and objects: document-objects */
	unsigned ratio;        /* unpacked to packed: archive-ratio */
};

struct found {
	void *context;
	const struct found_limits *limits;
	/* A file; the bytes are the reader's. False: no more is wanted. */
	bool (*file)(void *context, struct slice name, struct slice content);
	/* Bytes in which links may stand, of no file of their own. False: no
	 * more is wanted. */
	bool (*text)(void *context, struct slice content);
	/* Something could not be read; the name of a reason. */
	void (*unread)(void *context, const char *reason);
};

#endif
