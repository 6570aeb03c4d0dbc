/*
 * found - where a reader of documents puts the files that it finds in them
 */
#ifndef TOCSIN_SCANNER_FOUND_H
#define TOCSIN_SCANNER_FOUND_H

#include <stdbool.h>

#include "base/slice.h"

struct found {
	void *context;
	/* A file; the bytes are the reader's. False: no more is wanted. */
	bool (*file)(void *context, struct slice name, struct slice content);
	/* Bytes in which links may stand, of no file of their own. */
	void (*text)(void *context, struct slice content);
	/* Something could not be read; the name of a reason. */
	void (*unread)(void *context, const char *reason);
};

#endif
