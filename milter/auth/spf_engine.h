/*
 * spf_engine - what spf.c gives to an engine, and gets from it
 *
 * Internal to SPF. The identity is chosen, names are canonical, and a domain
 * that cannot be asked about has been answered before an engine is started.
 */
#ifndef TOCSIN_AUTH_SPF_ENGINE_H
#define TOCSIN_AUTH_SPF_ENGINE_H

#include "auth/spf.h"
#include "auth/spf_macro.h"
#include "dns/lookups.h"

struct spf_task {
	struct arena *arena;
	struct lookups *lookups;
	struct spf_limits limits;
	struct spf_query query;
	struct slice domain;            /* of the initial check_host() */
	struct spf_macro_values values; /* but domain and validated */
	struct spf_outcome outcome;     /* to be filled in */
};

/* Sets the result with its reason; `section` is one of RFC 7208. */
void spf_engine_conclude(struct spf_task *task, enum spf_result result,
    struct slice problem, const char *section);

/* A problem text with a name from outside, shortened and printable. */
struct slice spf_engine_problem(
    struct spf_task *task, const char *what, struct slice about);

/* True for a name that check_host() takes: sound, of several labels, not an
 * address (RFC 7208, 4.3). */
bool spf_engine_is_domain(struct slice name);

#endif
