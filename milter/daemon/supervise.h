/*
 * supervise - the process that is started: opens, watches, restarts, reloads
 *
 * One thread, one loop. It owns the milter's listening socket, the control
 * socket, the zygote of the scanner's workers and the policy that was loaded
 * last; the filter is forked from it and can be forked again at any time, with
 * that policy, whatever stands in the files by then.
 *
 * A reload goes through three processes: a throw-away child loads the policy
 * first, then the filter, then the supervisor itself. Who cannot stops it
 * there, and the old policy stays.
 */
#ifndef TOCSIN_DAEMON_SUPERVISE_H
#define TOCSIN_DAEMON_SUPERVISE_H

#include "daemon/options.h"

/* Runs until it is told to stop; returns an exit status (sysexits.h).
 * `ready_fd` (-1: none) gets one octet when mail is accepted. */
int supervise_run(const struct options *options, int ready_fd);

#endif
