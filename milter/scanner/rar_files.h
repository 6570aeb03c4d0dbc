/*
 * rar_files - which files of a RAR 5 archive are encrypted
 *
 * libarchive reads an encrypted member of RAR 5 as if it were not, and hands
 * out noise. This walks the blocks beside it and tells of each file, in the
 * same order. Linear; reads nothing beyond the bytes given.
 */
#ifndef TOCSIN_SCANNER_RAR_FILES_H
#define TOCSIN_SCANNER_RAR_FILES_H

#include <stdbool.h>

#include "base/slice.h"

struct rar_files {
	struct slice rest; /* what is still to be read */
};

struct rar_file {
	bool encrypted;
};

/* False when the bytes do not begin as RAR 5. */
bool rar_files_begin(struct slice archive, struct rar_files *files_out);

/* The next file or folder; false at the end, or where headers are encrypted
 * or broken. */
bool rar_files_next(struct rar_files *files, struct rar_file *file_out);

#endif
