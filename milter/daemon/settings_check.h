/*
 * settings_check - whether a filter can run with what a policy sets
 *
 * A policy that loads may still name a resolver or a socket that there cannot
 * be. A filter would find that out when it starts and end, again and again, so
 * it is found out with the errors of the policy.
 */
#ifndef TOCSIN_DAEMON_SETTINGS_CHECK_H
#define TOCSIN_DAEMON_SETTINGS_CHECK_H

#include "dns/resolver.h"
#include "language/program.h"

/* Tries what can be tried without being seen from outside, and notes errors
 * where it was set. Both are for load_options.check: the first for a policy that
 * may be meant for another host, so accounts that are not here are warnings. */
void settings_check(const struct program *program, struct diag *diag);
void settings_check_here(const struct program *program, struct diag *diag);

struct resolver_settings settings_check_resolver(
    const struct settings *settings);

#endif
