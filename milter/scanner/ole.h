/*
 * ole - the streams of an OLE file (MS-CFB): old Office, .msg, .msi
 *
 * Reads nothing beyond the bytes given. A file whose tables run in circles, or
 * whose streams share sectors, is read as far as a bound on the steps allows;
 * `exhausted` then says that it was not all.
 */
#ifndef TOCSIN_SCANNER_OLE_H
#define TOCSIN_SCANNER_OLE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/slice.h"

#define OLE_NAME_BYTES 96
#define OLE_NONE       0xffffffffu

enum ole_kind {
	OLE_STORAGE = 1,
	OLE_STREAM = 2,
	OLE_ROOT = 5
};

struct ole_entry {
	char name_bytes[OLE_NAME_BYTES]; /* UTF-8 */
	size_t name_length;
	unsigned kind; /* enum ole_kind, or anything */
	uint32_t left, right, child;
	uint32_t start;
	uint64_t size_bytes;
};

/* The sectors of a stream, in order, as far as they have been looked up. */
struct ole_chain {
	uint32_t *sectors;
	size_t count, capacity;
};

struct ole {
	struct slice file;
	unsigned shift;      /* of a sector's size */
	unsigned mini_shift; /* of a small sector's */
	uint32_t cutoff;     /* smaller streams lie in the root's */
	uint32_t mini_table;
	struct ole_entry *entries; /* entry 0 is the root */
	size_t count;
	struct ole_chain root;  /* sectors in which small streams lie */
	struct ole_chain table; /* sectors of their table */
	size_t steps_left;
	bool exhausted;
};

/* True for the first octets of such a file. */
bool ole_is(struct slice file);

/* Reads the directory, up to entries_max entries. Close it when true. */
bool ole_open(struct slice file, unsigned entries_max, struct ole *ole_out);
void ole_close(struct ole *ole);

struct slice ole_name(const struct ole_entry *entry);

/* Copies the stream's first bytes, at most `max`; returns how many. */
size_t ole_read(
    struct ole *ole, const struct ole_entry *entry, char *out, size_t max);

#endif
