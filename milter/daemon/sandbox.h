/*
 * sandbox - what the filter gives up before it reads the first octet of mail
 *
 * seccomp: no program is run, no process looked into, nothing of the system
 * changed; who tries to run a program is killed. Landlock, where the kernel has
 * it: files are read only, but for the state directory, and none is executed.
 * The filter needs nothing of this, so it costs nothing but what an intruder
 * could have done.
 *
 * Call it before threads start. Builds with sanitizers are refused where others
 * are killed, because their reports run a program.
 */
#ifndef TOCSIN_DAEMON_SANDBOX_H
#define TOCSIN_DAEMON_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

struct sandbox_result {
	bool seccomp;
	int landlock_abi; /* 0: the kernel has none */
};

/* Enters the sandbox. What the kernel lacks is left out and shows in
 * *result_out. False with a sentence in `problem` when something that the
 * kernel has was refused: the caller must not go on. */
bool sandbox_enter(const char *state_directory,
    struct sandbox_result *result_out, char *problem, size_t problem_size);

#endif
