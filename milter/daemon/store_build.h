/*
 * store_build - builds the store of indicators in a child
 *
 * Feeds come from outside; what reads them can be crashed only in a process of
 * its own, without rights, whose end costs nothing but the new store: the old
 * one stays in force.
 */
#ifndef TOCSIN_DAEMON_STORE_BUILD_H
#define TOCSIN_DAEMON_STORE_BUILD_H

#include <sys/types.h>

#include "daemon/feeds.h"
#include "language/program.h"

/* True when the store should be built: there is none while there are feeds or
 * it cannot be used, a source is newer, or it was built with other settings
 * than are loaded, or by an older Tocsin. The reason is written to `reason`.
 * *agreed is the caller's, zero at first: the settings with which the store was
 * last found to agree. With it the reason can tell a store that somebody has
 * built by hand from settings that were loaded since. *change_out tells of the
 * last change of a source. */
bool store_build_is_due(const struct program *program, uint32_t *agreed,
    char *reason, size_t reason_size, struct feeds_change *change_out);

/* What tells the settings of a build from others, as the store has it; 0 when
 * that is not known. */
uint32_t store_build_settings(const struct program *program);

/* True when there is a store that can be opened; else *problem_out says why it
 * cannot be, a constant sentence, or is NULL when there is none. */
bool store_build_has_store(
    const struct program *program, const char **problem_out);

/* Forks the child; its answer, one channel packet {ok, generation, entries,
 * size, warnings: [text], problem}, can be read from *fd_out. -1 with errno. */
pid_t store_build_start(const struct program *program, int *fd_out);

#endif
