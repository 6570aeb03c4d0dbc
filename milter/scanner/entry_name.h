/*
 * entry_name - a member's name as an unpacker would write it
 *
 * Archives hold names as octets, with or without a word about their charset.
 * What is UTF-8 stays; the rest is read as code page 437, which is what zip
 * means without a flag and what unpackers fall back to.
 */
#ifndef TOCSIN_SCANNER_ENTRY_NAME_H
#define TOCSIN_SCANNER_ENTRY_NAME_H

#include "base/arena.h"

#define ENTRY_NAME_BYTES_MAX 1024

/* A copy in UTF-8; of a longer name the last ENTRY_NAME_BYTES_MAX octets. */
struct slice entry_name_utf8(struct arena *arena, struct slice name);

/* The original name in a gzip header (RFC 1952, 2.3.1); mostly empty. */
struct slice entry_name_gzip(struct slice file);

#endif
