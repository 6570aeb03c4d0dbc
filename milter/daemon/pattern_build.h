/*
 * pattern_build - makes the pattern set of a policy behind the swap
 *
 * A policy is in force as soon as it is loaded, its patterns searched one by
 * one. What searches for all of them at once takes up to seconds to make: that
 * happens in a thread of its own, one at a time, and whoever asks next gets the
 * result. Used by one thread; nothing here waits but pattern_build_end().
 *
 * The library that makes it is large and patterns are whatever somebody wrote:
 * the supervisor has a throw-away child make the same set first, so that what
 * crashes or hangs it never gets to the filter.
 */
#ifndef TOCSIN_DAEMON_PATTERN_BUILD_H
#define TOCSIN_DAEMON_PATTERN_BUILD_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "language/pattern_set.h"
#include "session/generation.h"

/* Zero-initialise it. */
struct pattern_build {
	bool running;
	atomic_bool done;
	pthread_t thread;
	struct generation_part *policy; /* built for; a reference */
	struct pattern_set *set;
	struct pattern_set_report report;
	int64_t took_ms;
};

/* Starts for this policy, a struct program, unless one is being made. False:
 * not started. */
bool pattern_build_begin(
    struct pattern_build *build, struct generation_part *policy);

/* True once for each that was started, when it has ended: the set (NULL: none
 * came of it) and the reference to its policy are the caller's then. */
bool pattern_build_take(struct pattern_build *build,
    struct pattern_set **set_out, struct generation_part **policy_out);

/* Waits for what is being made and throws it away. */
void pattern_build_end(struct pattern_build *build);

/* How much a trial yields to others. */
#define PATTERN_BUILD_NICE 10

/* Forks a child that makes the program's set and ends with status 0 when it
 * could. -1 with errno. */
pid_t pattern_build_try(const struct program *program);

#endif
