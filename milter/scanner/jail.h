/*
 * jail - takes from a process all that it does not need
 *
 * Two steps, both final: a template may still fork and receive descriptors, a
 * worker may only compute, read its socket and its memory. seccomp kills the
 * process at the first other call; Landlock (where the kernel has it) closes
 * the file system as well. Core dumps are off in both, since a core would hold
 * mail.
 */
#ifndef TOCSIN_SCANNER_JAIL_H
#define TOCSIN_SCANNER_JAIL_H

#include <stddef.h>

#include "base/status.h"

enum jail_kind {
	JAIL_TEMPLATE,
	JAIL_WORKER
};

struct jail_limits {
	size_t memory_bytes;  /* RLIMIT_AS; 0: none */
	unsigned cpu_seconds; /* RLIMIT_CPU; 0: none */
};

/* Enters the jail; TC_SYSTEM with errno when a part of it cannot be had,
 * after which the caller must not go on. */
enum tc_status jail_enter(
    enum jail_kind kind, const struct jail_limits *limits);

#endif
