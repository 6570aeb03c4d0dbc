/*
 * zip_names - a zip file's second opinion on its members' names
 *
 * A zip names each member twice, in the local header before its data and in
 * the central directory at the end. Unpackers differ in which they believe, so
 * both are evidence. Reads nothing beyond the bytes given; linear; bounded.
 */
#ifndef TOCSIN_SCANNER_ZIP_NAMES_H
#define TOCSIN_SCANNER_ZIP_NAMES_H

#include <stdint.h>

#include "base/slice.h"

struct zip_names {
	struct slice file;
	size_t at; /* next central header */
	unsigned left;
};

struct zip_name {
	struct slice central;
	struct slice
	    local; /* empty where the local header is not to be found */
	bool encrypted;
};

/* False when the bytes end in no zip directory. */
bool zip_names_begin(struct slice file, struct zip_names *names_out);

/* The next member by the central directory; false at its end. */
bool zip_names_next(struct zip_names *names, struct zip_name *name_out);

#endif
