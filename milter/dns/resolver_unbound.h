/*
 * resolver_unbound - answers through libunbound, with a cache of our own
 *
 * One context of libunbound, one thread of it that works, one dispatcher
 * thread of ours that collects what it found. In front stands a cache, since
 * a look-up through libunbound's pipes costs 20 to 50 microseconds even when
 * it knows the answer.
 *
 * All questions go to the servers that the operator named, the reserved zones
 * (test., 10.in-addr.arpa. and so on) included: those servers know best.
 * Truncated answers are asked again over TCP by libunbound.
 *
 * Every question on the wire takes a descriptor; at most a quarter of those the
 * process may have when the resolver is made, so raise RLIMIT_NOFILE before.
 * A name without an answer keeps its one for up to 24 seconds.
 *
 * The dispatcher watches over the servers: when nothing but failures comes
 * back it asks each for the root's NS records, at most every two seconds. A
 * server that answers anything is up.
 */
#ifndef TOCSIN_DNS_RESOLVER_UNBOUND_H
#define TOCSIN_DNS_RESOLVER_UNBOUND_H

#include "dns/resolver.h"

/* Starts it, threads included. NULL when it cannot be had; `problem` tells. */
struct resolver *resolver_unbound_new(const struct resolver_settings *settings,
    char problem[RESOLVER_PROBLEM_MAX]);

#endif
