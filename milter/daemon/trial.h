/*
 * trial - loads a policy in a throw-away child
 *
 * What crashes or hangs the parser then costs a child and becomes an error
 * message; the supervisor and the filter load it only after the child could.
 */
#ifndef TOCSIN_DAEMON_TRIAL_H
#define TOCSIN_DAEMON_TRIAL_H

#include <stdint.h>
#include <sys/types.h>

#include "language/program.h"

/* A child that takes longer is killed, in milliseconds: a policy with its lists
 * loads in seconds. */
#define TRIAL_PATIENCE_MS 60000

/* Most text of errors and warnings that is handed on, in bytes. */
#define TRIAL_TEXT_MAX (64u * 1024)

/* A loaded policy with the arena that its diagnostics and sources live in. */
struct trial_policy {
	struct program *program;
	struct arena *arena;
	unsigned errors;
	unsigned warnings;
	char *text; /* errors and warnings as diag prints them; malloc */
};

/* Loads the configuration here. True when it loads; either way free the result
 * with trial_free(). `lists` false leaves list files unread. */
bool trial_load(const char *configuration, bool lists, bool refuse_writable,
    struct trial_policy *policy_out);
/* The same, and tries what the settings name (settings_check.h); `accounts`
 * that are not there are errors then, not warnings. */
bool trial_load_usable(const char *configuration, bool lists, bool accounts,
    struct trial_policy *policy_out);
void trial_free(struct trial_policy *policy);

/* Forks the child; its answer, one channel packet {ok, hash, rules, text}, can
 * be read from *fd_out. -1 with errno. */
pid_t trial_start(const char *configuration, int *fd_out);

#endif
