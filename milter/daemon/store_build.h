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

#include "language/program.h"

/* True when the store should be built: there is none while there are feeds, a
 * source is newer, or the feeds are others than those it was built from. The
 * reason is written to `reason`. *again_out tells that it will be due again
 * right after the build; see feeds_store_is_stale(). */
bool store_build_is_due(const struct program *program, char *reason,
    size_t reason_size, bool *again_out);

/* True when there is a store that can be opened. */
bool store_build_has_store(const struct program *program);

/* Forks the child; its answer, one channel packet {ok, generation, entries,
 * size, warnings: [text], problem}, can be read from *fd_out. -1 with errno. */
pid_t store_build_start(const struct program *program, int *fd_out);

#endif
