/*
 * state_file - files of the state directory that several users make
 *
 * The daemon works in the state directory as its own user; an operator runs
 * `tocsin indicators` there as root. What root makes has to be the daemon's as
 * well: a lock that it cannot take stops its builds, indicators that it cannot
 * read do not count.
 */
#ifndef TOCSIN_INDICATOR_STATE_FILE_H
#define TOCSIN_INDICATOR_STATE_FILE_H

#include <sys/types.h>

/* Opens state_directory's file at `path` for reading and writing, with more
 * `flags` of open(2); makes it with `mode` when it is not there. A file that
 * root makes, or has made before, is given to the owner of the directory.
 * Neither symbolic links nor files with several names are opened: the
 * directory's owner could point them anywhere. A descriptor that the caller
 * closes, or -1 with errno. */
int state_file_open(
    const char *state_directory, const char *path, int flags, mode_t mode);

#endif
