/*
 * zip_names - a zip file's other opinions on its members
 *
 * A zip names each member twice, in the local header before its data and in
 * the central directory at the end, each perhaps once more in an extra field
 * for UTF-8; it may hold more than one directory, and members that no
 * directory lists. Unpackers differ in what they believe, so all of it is
 * evidence. Reads nothing beyond the bytes given; linear; bounded.
 */
#ifndef TOCSIN_SCANNER_ZIP_NAMES_H
#define TOCSIN_SCANNER_ZIP_NAMES_H

#include <stdint.h>

#include "base/slice.h"

#define ZIP_NAMES_DIRECTORIES_MAX 32

struct zip_names {
	struct slice file;
	size_t starts[ZIP_NAMES_DIRECTORIES_MAX]; /* of directories */
	size_t bases[ZIP_NAMES_DIRECTORIES_MAX];  /* what offsets count from */
	unsigned directory_count;
	unsigned directory; /* the one that is read */
	size_t at;          /* next central header */
	unsigned left;      /* headers that may still be read, of all */
	bool cut;           /* there are more headers or directories */
	bool ends_file;     /* one of them, with its comment */
};

struct zip_name {
	struct slice central;
	/* Empty where the local header is not to be found. */
	struct slice local;
	/* Info-ZIP's Unicode path, of either header; mostly empty. */
	struct slice unicode;
	bool encrypted;
	size_t local_at;      /* of the local header; SIZE_MAX: none */
	uint64_t packed_size; /* of its data, by the directory */
};

/* False when the bytes hold no zip directory at their end. At most members_max
 * are read, of all directories together. */
bool zip_names_begin(
    struct slice file, unsigned members_max, struct zip_names *names_out);

/* The next member, by one directory after the other; false at their end. */
bool zip_names_next(struct zip_names *names, struct zip_name *name_out);

/* Where the first local header stands that the first of the directories (the
 * one that libarchive reads) does not list; SIZE_MAX when there is none. Data of listed members is passed over, so
 * that a zip stored in a zip is not taken for hidden members. */
size_t zip_names_unlisted(struct slice file, unsigned members_max);

#endif
