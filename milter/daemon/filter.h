/*
 * filter - the process that the MTA talks to
 *
 * Forked by the supervisor with the listening socket, the policy that is in
 * force and a channel. libmilter's threads serve the MTA; one thread of our own
 * serves the channel and keeps the generation fresh. The supervisor says
 *
 *	{"do":"reload","generation":N}   load the configuration anew
 *	{"do":"refresh"}                 look at files now, not in a second
 *	{"do":"status"}                  report
 *	{"do":"stop"}                    finish the messages in hand and end
 *
 * and is answered {"reply":…,"ok":…}, after {"reply":"ready"} at the start. The
 * end of the channel is the end of the supervisor: the filter then stops too.
 */
#ifndef TOCSIN_DAEMON_FILTER_H
#define TOCSIN_DAEMON_FILTER_H

#include <stdbool.h>

#include "daemon/options.h"
#include "daemon/socket_address.h"
#include "daemon/trial.h"

/* Messages in hand are given this long when the filter stops, in milliseconds;
 * new ones are deferred meanwhile. */
#define FILTER_DRAIN_MS 5000

struct filter_setup {
	const struct options *options;
	struct trial_policy *policy; /* taken over */
	uint64_t policy_generation;
	int channel;
	int zygote; /* -1: none */
	const struct socket_address *address;
};

/* Registers our callbacks with libmilter; in the supervisor, before the socket
 * is opened. */
bool filter_register(void);

/* Runs; never returns. Exit status 0 after a stop that was asked for, EX_CONFIG
 * or EX_TEMPFAIL when it could not start. */
_Noreturn void filter_run(const struct filter_setup *setup);

#endif
