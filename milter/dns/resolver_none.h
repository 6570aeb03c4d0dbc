/*
 * resolver_none - stands in where no resolver could be made
 *
 * Every question fails for now (DNS_TEMPERROR) and the resolver counts as down,
 * so that policy decides about mail that nobody can look up anything for.
 */
#ifndef TOCSIN_DNS_RESOLVER_NONE_H
#define TOCSIN_DNS_RESOLVER_NONE_H

#include "dns/resolver.h"

/* NULL without memory. */
struct resolver *resolver_none_new(void);

#endif
