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

/* Tries what can be tried without being seen from outside. False when
 * something cannot be used: `diag` has errors where it was set. */
bool settings_check(const struct program *program, struct diag *diag);

struct resolver_settings settings_check_resolver(
    const struct settings *settings);

#endif
