/*
 * read - a whole file at once, within a limit
 */
#ifndef TOCSIN_LANGUAGE_READ_H
#define TOCSIN_LANGUAGE_READ_H

#include "base/arena.h"
#include "base/status.h"

/* Reads the regular file at `path` into the arena. TC_OK; TC_SYSTEM when it
 * can't be read, TC_LIMIT when it is larger than max_bytes, TC_INVALID when it
 * is no regular file; *problem_out then says why (in the arena or constant). */
enum tc_status read_file(struct arena *arena, const char *path,
    size_t max_bytes, struct slice *text_out, const char **problem_out);

/* True when group or others may write the file or its folder (a sticky folder
 * aside); false also when it can't be told. */
bool read_is_writable_by_others(const char *path);

#endif
