#include <config.h>

#include <stdio.h>
#include <time.h>

#include "dns/resolver.h"
#include "dns/resolver_unbound.h"
#include "dns/resolver_zone.h"

static atomic_ullong counters[RESOLVER_COUNTERS];

static const char zone_prefix[] = "zone:";

bool
resolver_is_zone(const struct resolver_settings *settings)
{
	return settings->server != NULL &&
	       strncmp(settings->server, zone_prefix, sizeof zone_prefix - 1) ==
		   0;
}

struct resolver *
resolver_open(const struct resolver_settings *settings,
    char problem[RESOLVER_PROBLEM_MAX])
{
	problem[0] = '\0';
	if (resolver_is_zone(settings))
		return resolver_zone_open(
		    settings->server + sizeof zone_prefix - 1, problem);
	return resolver_unbound_new(settings, problem);
}

void
resolver_free(struct resolver **resolver)
{
	if (*resolver != NULL)
		(*resolver)->class->free(*resolver);
	*resolver = NULL;
}

struct dns_reply *
resolver_ask(struct resolver *resolver, struct slice name, enum dns_type type,
    resolver_done done, void *context)
{
	char lower[256];

	if (!dns_name_is_sound(name)) {
		struct dns_reply *reply = dns_reply_new(
		    DNS_NXDOMAIN, 0, slice_make(NULL, 0), NULL, 0);

		if (reply == NULL)
			done(context, NULL);
		return reply;
	}
	if (name.data[name.length - 1] == '.')
		name.length--;
	for (size_t i = 0; i < name.length; i++)
		lower[i] = ascii_lower(name.data[i]);
	return resolver->class->ask(
	    resolver, slice_make(lower, name.length), type, done, context);
}

bool
resolver_is_down(const struct resolver *resolver)
{
	return resolver->class->is_down(resolver);
}

const char *
resolver_class_name(const struct resolver *resolver)
{
	return resolver->class->name;
}

void
resolver_count(enum resolver_counter counter)
{
	atomic_fetch_add_explicit(&counters[counter], 1, memory_order_relaxed);
}

static uint64_t
counter_read(enum resolver_counter counter)
{
	return atomic_load_explicit(&counters[counter], memory_order_relaxed);
}

void
resolver_counters_read(struct resolver_counters *counters_out)
{
	*counters_out = (struct resolver_counters){
		.questions = counter_read(RESOLVER_QUESTIONS),
		.cache_hits = counter_read(RESOLVER_CACHE_HITS),
		.timeouts = counter_read(RESOLVER_TIMEOUTS),
		.failures = counter_read(RESOLVER_FAILURES),
		.refused = counter_read(RESOLVER_REFUSED),
	};
}

uint64_t
resolver_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
