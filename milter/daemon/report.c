#include <config.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <time.h>

#include "daemon/report.h"
#include "daemon/switches.h"
#include "dns/resolver.h"
#include "indicator/store.h"
#include "language/ends.h"
#include "outcome/metrics.h"
#include "scanner/scanner.h"
#include "session/callbacks.h"

/* What ends within this time is told. */
#define SOON_S 86400

static void
add_slice(struct cJSON *object, const char *name, struct slice text)
{
	char copy[512];

	snprintf(copy, sizeof copy, "%.*s", (int)text.length,
	    text.data == NULL ? "" : text.data);
	cJSON_AddStringToObject(object, name, copy);
}

static void
add_policy(const struct assembly *assembly, struct cJSON *status)
{
	const struct program *program = assembly_program(assembly);
	const struct settings *settings = program_settings(program);
	struct cJSON *policy = cJSON_AddObjectToObject(status, "policy");

	cJSON_AddNumberToObject(
	    policy, "generation", (double)assembly->input.policy_generation);
	cJSON_AddStringToObject(policy, "hash", program_hash(program));
	cJSON_AddNumberToObject(policy, "rules", program_rule_count(program));
	cJSON_AddNumberToObject(
	    policy, "loaded", (double)assembly->loaded_unix);
	cJSON_AddBoolToObject(policy, "shadow", settings->enforcement_shadow);
}

static void
add_store(const struct assembly *assembly, struct cJSON *status)
{
	const struct store *store =
	    generation_part_thing(assembly->input.parts[GENERATION_STORE]);
	struct cJSON *object;
	struct cJSON *feeds;

	if (store == NULL)
		return;
	object = cJSON_AddObjectToObject(status, "store");
	cJSON_AddNumberToObject(
	    object, "generation", (double)store_generation(store));
	cJSON_AddNumberToObject(
	    object, "built", (double)store_built_unix(store));
	cJSON_AddNumberToObject(
	    object, "entries", (double)store_entry_count(store));
	cJSON_AddNumberToObject(
	    object, "size", (double)store_size_bytes(store));
	feeds = cJSON_AddArrayToObject(object, "feeds");
	for (uint32_t i = 0; i < store_feed_count(store); i++) {
		struct cJSON *item = cJSON_CreateObject();
		struct store_feed feed;

		cJSON_AddItemToArray(feeds, item);
		if (!store_feed(store, i, &feed))
			continue;
		add_slice(item, "name", feed.name);
		cJSON_AddNumberToObject(item, "read", (double)feed.read);
		cJSON_AddNumberToObject(item, "used", (double)feed.used);
		cJSON_AddNumberToObject(
		    item, "published", (double)feed.published_unix);
		cJSON_AddNumberToObject(
		    item, "loaded", (double)feed.loaded_unix);
		cJSON_AddBoolToObject(item, "kept", feed.kept);
		add_slice(item, "problem", feed.problem);
	}
}

static void
add_switches(const struct assembly *assembly, struct cJSON *status)
{
	const struct program *program = assembly_program(assembly);
	const bool *positions =
	    generation_part_thing(assembly->input.parts[GENERATION_SWITCHES]);
	struct arena *arena = arena_new(0, NULL);
	struct cJSON *array = cJSON_AddArrayToObject(status, "switches");
	struct switches set = { 0 };

	if (arena != NULL)
		(void)switches_read(
		    program_settings(program)->state_directory, arena, &set);
	for (unsigned i = 0; i < program_switch_count(program); i++) {
		const struct program_switch *known = program_switch(program, i);
		const struct switches_entry *entry =
		    switches_find(&set, known->name);
		struct cJSON *item = cJSON_CreateObject();

		cJSON_AddItemToArray(array, item);
		cJSON_AddStringToObject(item, "name", known->name);
		cJSON_AddBoolToObject(item, "on",
		    positions == NULL ? known->initial : positions[i]);
		cJSON_AddBoolToObject(item, "set", entry != NULL);
		if (entry == NULL)
			continue;
		cJSON_AddNumberToObject(
		    item, "until", (double)entry->until_unix);
		cJSON_AddNumberToObject(
		    item, "since", (double)entry->since_unix);
		cJSON_AddStringToObject(item, "reason", entry->reason);
		cJSON_AddStringToObject(item, "by", entry->by);
	}
	arena_free(&arena);
}

static void
add_end(void *context, const struct end *end)
{
	struct cJSON *array = context;
	struct cJSON *item = cJSON_CreateObject();
	char name[512];

	cJSON_AddItemToArray(array, item);
	cJSON_AddStringToObject(item, "what", ends_kind_text(end->kind));
	snprintf(name, sizeof name, "%s%s%.*s", end->name,
	    end->kind == END_ENTRY ? ": " : "", (int)end->entry.length,
	    end->entry.data == NULL ? "" : end->entry.data);
	cJSON_AddStringToObject(item, "name", name);
	cJSON_AddNumberToObject(item, "until", (double)end->until_unix);
}

static void
add_ends(const struct assembly *assembly, struct cJSON *status)
{
	int64_t now = time(NULL);

	ends_between(assembly_program(assembly),
	    generation_part_thing(assembly->input.parts[GENERATION_LISTS]), now,
	    now + SOON_S, add_end, cJSON_AddArrayToObject(status, "expiring"));
}

static void
add_counters(const struct assembly *assembly, struct cJSON *status)
{
	struct cJSON *counters = cJSON_AddObjectToObject(status, "counters");
	struct resolver_counters dns;

	for (unsigned i = 0; i < METRICS_COUNT; i++)
		cJSON_AddNumberToObject(counters,
		    metrics_name((enum metrics_counter)i),
		    (double)metrics_read((enum metrics_counter)i));
	resolver_counters_read(&dns);
	cJSON_AddNumberToObject(
	    counters, "resolver-questions", (double)dns.questions);
	cJSON_AddNumberToObject(
	    counters, "resolver-cache-hits", (double)dns.cache_hits);
	cJSON_AddNumberToObject(
	    counters, "resolver-timeouts", (double)dns.timeouts);
	cJSON_AddNumberToObject(
	    counters, "resolver-failures", (double)dns.failures);
	cJSON_AddNumberToObject(
	    counters, "resolver-refused", (double)dns.refused);
	cJSON_AddNumberToObject(counters, "scanner-scans",
	    (double)atomic_load(&scanner_counters.scans));
	cJSON_AddNumberToObject(counters, "scanner-worker-deaths",
	    (double)atomic_load(&scanner_counters.worker_deaths));
	cJSON_AddNumberToObject(counters, "scanner-worker-starts",
	    (double)atomic_load(&scanner_counters.worker_starts));
	cJSON_AddNumberToObject(counters, "scanner-template-starts",
	    (double)atomic_load(&scanner_counters.template_starts));
	cJSON_AddNumberToObject(counters, "scanner-timeouts",
	    (double)atomic_load(&scanner_counters.timeouts));
	cJSON_AddNumberToObject(status, "connections", callbacks_connections());
	cJSON_AddNumberToObject(status, "messages", callbacks_messages());
	cJSON_AddNumberToObject(status, "memory-bytes",
	    (double)atomic_load(&assembly->limits->memory.used_bytes));
}

void
report_fill(const struct assembly *assembly, struct cJSON *status)
{
	add_policy(assembly, status);
	add_store(assembly, status);
	add_switches(assembly, status);
	add_ends(assembly, status);
	add_counters(assembly, status);
}
