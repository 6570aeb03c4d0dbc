#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "daemon/assembly.h"
#include "daemon/feeds.h"
#include "daemon/rulesets.h"
#include "daemon/settings_check.h"
#include "daemon/store_grave.h"
#include "daemon/switches.h"
#include "dns/resolver.h"
#include "dns/resolver_none.h"
#include "indicator/build.h"
#include "indicator/match.h"
#include "language/ends.h"
#include "scanner/scanner.h"

/* After that long a resolver that could not be made is tried again. */
#define RESOLVER_RETRY_S 10

/* ---- parts: each is made here and freed when the last generation that has it
 * goes ---- */

static void
free_arena(void *thing)
{
	struct arena *arena = thing;

	arena_free(&arena);
}

static void
free_program(void *thing)
{
	struct program *program = thing;

	program_free(&program);
}

static void
free_patterns(void *thing)
{
	struct pattern_set *patterns = thing;

	pattern_set_free(&patterns);
}

static void
free_lists(void *thing)
{
	struct program_lists *lists = thing;

	program_lists_free(&lists);
}

static void
free_resolver(void *thing)
{
	struct resolver *resolver = thing;

	resolver_free(&resolver);
}

static void
free_store(void *thing)
{
	store_grave_bury(thing);
}

static void
free_overlay(void *thing)
{
	struct overlay *overlay = thing;

	overlay_free(&overlay);
}

static void
free_matcher(void *thing)
{
	struct matcher *matcher = thing;

	matcher_free(&matcher);
}

static void
free_scanner(void *thing)
{
	struct scanner *scanner = thing;

	scanner_free(&scanner);
}

/* Wraps `thing` and puts it into the input in place of what was there. Frees
 * it where there is no memory. */
static bool
put_part(struct generation_input *input, enum generation_role role, void *thing,
    void (*free_thing)(void *),
    struct generation_part *const needs[GENERATION_NEEDS_MAX])
{
	struct generation_part *part = NULL;

	if (thing != NULL) {
		part = generation_part_new(thing, free_thing, needs);
		if (part == NULL) {
			free_thing(thing);
			return false;
		}
	}
	generation_part_release(&input->parts[role]);
	input->parts[role] = part;
	return true;
}

static void *
thing(const struct assembly *assembly, enum generation_role role)
{
	return generation_part_thing(assembly->input.parts[role]);
}

const struct program *
assembly_program(const struct assembly *assembly)
{
	return thing(assembly, GENERATION_POLICY);
}

static const struct settings *
settings_of(const struct assembly *assembly)
{
	return program_settings(assembly_program(assembly));
}

static bool
state_path(const struct assembly *assembly, const char *name, char path[4096])
{
	int length = snprintf(
	    path, 4096, "%s/%s", settings_of(assembly)->state_directory, name);

	return length > 0 && length < 4096;
}

/* ---- indicators ---- */

static bool
open_store(struct assembly *assembly)
{
	struct store *store = NULL;
	const char *problem = NULL;
	char path[4096];
	enum tc_status status;

	if (!state_path(assembly, BUILD_STORE_NAME, path))
		return false;
	watch_take(&assembly->store_file, path);
	if (!assembly->store_file.taken.exists)
		return true;
	status = store_open(path, &store, &problem);
	if (status != TC_OK) {
		log_write(LOG_LEVEL_ERROR,
		    "store refused file=%s: %s; what was in force stays", path,
		    problem == NULL ? strerror(errno) : problem);
		return false;
	}
	assembly->stores_opened++;
	assembly->input.store_generation = store_generation(store);
	log_write(LOG_LEVEL_NOTICE,
	    "store in force generation=%llu indicators=%u",
	    (unsigned long long)store_generation(store),
	    store_entry_count(store));
	return put_part(
	    &assembly->input, GENERATION_STORE, store, free_store, NULL);
}

/* A new store, before it is swapped in; that of the start, when the filter
 * serves already. */
static void
warm_store(struct assembly *assembly)
{
	const struct store *store = thing(assembly, GENERATION_STORE);

	if (store == NULL || assembly->stores_warmed == assembly->stores_opened)
		return;
	store_warm(store);
	assembly->stores_warmed = assembly->stores_opened;
}

static bool
load_overlay(struct assembly *assembly)
{
	struct arena *arena = arena_new(0, NULL);
	struct build_request request = { 0 };
	struct overlay *overlay = NULL;
	enum tc_status status = TC_LIMIT;
	char path[4096];

	if (!state_path(assembly, OVERLAY_FILE_NAME, path)) {
		arena_free(&arena);
		return false;
	}
	watch_take(&assembly->overlay_file, path);
	if (arena != NULL)
		status = feeds_build_request(
		    assembly_program(assembly), time(NULL), arena, &request);
	if (status == TC_OK)
		status = overlay_load(request.state_directory, &request.exempt,
		    request.now_unix, &overlay);
	arena_free(&arena);
	if (status != TC_OK) {
		log_write(LOG_LEVEL_ERROR,
		    "hand-added indicators refused file=%s: %s", path,
		    strerror(errno));
		return false;
	}
	if (overlay_bad_lines(overlay) > 0)
		log_write(LOG_LEVEL_WARNING,
		    "hand-added indicators file=%s: %llu lines not understood",
		    path, (unsigned long long)overlay_bad_lines(overlay));
	if (store_suppressed_count(overlay_store(overlay)) > 0)
		log_write(LOG_LEVEL_WARNING,
		    "hand-added indicators file=%s: %u do not act, since they "
		    "would match too much; `tocsin indicators list` says why",
		    path, store_suppressed_count(overlay_store(overlay)));
	return put_part(
	    &assembly->input, GENERATION_OVERLAY, overlay, free_overlay, NULL);
}

/* Binds store, overlay and the feeds' settings; after any of them changed. */
static bool
bind_matcher(struct assembly *assembly)
{
	struct generation_part *const needs[GENERATION_NEEDS_MAX] = {
		assembly->input.parts[GENERATION_POLICY],
		assembly->input.parts[GENERATION_STORE],
		assembly->input.parts[GENERATION_OVERLAY],
	};
	const struct settings *settings = settings_of(assembly);
	struct matcher *matcher = matcher_new(thing(assembly, GENERATION_STORE),
	    thing(assembly, GENERATION_OVERLAY), feeds_configured(settings),
	    settings->feed_count);

	return matcher != NULL && put_part(&assembly->input, GENERATION_MATCHER,
				      matcher, free_matcher, needs);
}

/* ---- switches and lists ---- */

static bool
take_switches(struct assembly *assembly)
{
	struct arena *arena = arena_new(0, NULL);
	struct switches switches = { 0 };
	bool *positions = NULL;
	char path[4096];

	if (arena == NULL)
		return false;
	if (state_path(assembly, SWITCHES_FILE_NAME, path))
		watch_take(&assembly->switches_file, path);
	if (switches_read(settings_of(assembly)->state_directory, arena,
		&switches) != TC_OK)
		log_write(LOG_LEVEL_ERROR,
		    "switches refused file=%s: all are as the policy says",
		    path);
	positions = switches_positions(
	    &switches, assembly_program(assembly), time(NULL));
	arena_free(&arena);
	return positions != NULL &&
	       put_part(&assembly->input, GENERATION_SWITCHES, positions, free,
		   NULL);
}

static void
watch_lists(struct assembly *assembly)
{
	const struct program *program = assembly_program(assembly);
	unsigned count = program_list_count(program);

	free(assembly->list_files);
	assembly->list_files = calloc(count + 1, sizeof(struct watch));
	for (unsigned i = 0; assembly->list_files != NULL && i < count; i++)
		if (program_list_file(program, i) != NULL)
			watch_take(&assembly->list_files[i],
			    program_list_file(program, i));
}

static void
log_diag(const struct diag *diag)
{
	for (size_t i = 0; i < diag->entries.count; i++) {
		const struct diag_entry *entry = &diag->entries.items[i];
		enum log_level level = entry->level == DIAG_ERROR
					   ? LOG_LEVEL_ERROR
					   : LOG_LEVEL_WARNING;

		if (entry->source == NULL)
			log_write(level, "%s", entry->message);
		else
			log_write(level, "%s:%u:%u: %s", entry->source->file,
			    entry->line, entry->column, entry->message);
	}
}

/* Reads all list files anew. What is broken keeps its old entries. */
static bool
reread_lists(struct assembly *assembly)
{
	struct generation_part *const needs[GENERATION_NEEDS_MAX] = {
		assembly->input.parts[GENERATION_POLICY],
	};
	const struct program *program = assembly_program(assembly);
	const struct program_lists *old = thing(assembly, GENERATION_LISTS);
	struct arena *arena = arena_new(0, NULL);
	struct program_lists *lists;
	struct diag diag;

	if (arena == NULL)
		return false;
	diag = diag_make(arena, 20);
	lists = program_reread_lists(
	    program, old == NULL ? program_own_lists(program) : old, &diag);
	log_diag(&diag);
	arena_free(&arena);
	return lists != NULL && put_part(&assembly->input, GENERATION_LISTS,
				    lists, free_lists, needs);
}

/* ---- patterns ---- */

/* Starts compiling the patterns of the policy in force, once for each, when the
 * supervisor has had that tried. */
static void
begin_patterns(struct assembly *assembly)
{
	struct generation_part *policy =
	    assembly->input.parts[GENERATION_POLICY];

	if (assembly->patterns_tried == policy ||
	    strcmp(assembly->patterns_allowed,
		program_hash(assembly_program(assembly))) != 0)
		return;
	if (!settings_of(assembly)->vectorscan ||
	    !pattern_set_is_worth(assembly_program(assembly)) ||
	    pattern_build_begin(&assembly->patterns, policy))
		assembly->patterns_tried = policy;
}

void
assembly_allow_patterns(struct assembly *assembly, const char *hash)
{
	snprintf(assembly->patterns_allowed, sizeof assembly->patterns_allowed,
	    "%s", hash);
	begin_patterns(assembly);
}

/* Takes what has been compiled, unless it is for a policy that is no more. */
static bool
take_patterns(struct assembly *assembly)
{
	struct generation_part *needs[GENERATION_NEEDS_MAX] = { 0 };
	const struct pattern_set_report *report = &assembly->patterns.report;
	struct pattern_set *set;
	bool taken = false;

	if (!pattern_build_take(&assembly->patterns, &set, &needs[0]))
		return false;
	if (needs[0] != assembly->input.parts[GENERATION_POLICY]) {
		pattern_set_free(&set);
	} else if (set != NULL) {
		log_write(LOG_LEVEL_NOTICE,
		    "patterns in one pass fields=%u patterns=%u "
		    "one_by_one=%u bytes=%zu took_ms=%lld",
		    report->fields, report->patterns, report->refused,
		    report->bytes, (long long)assembly->patterns.took_ms);
		taken = put_part(&assembly->input, GENERATION_PATTERNS, set,
		    free_patterns, needs);
	}
	generation_part_release(&needs[0]);
	return taken;
}

/* ---- resolver and scanner ---- */

static bool
same_text(const char *a, const char *b)
{
	return strcmp(a == NULL ? "" : a, b == NULL ? "" : b) == 0;
}

static bool
same_resolver(const struct settings *a, const struct settings *b)
{
	struct resolver_settings one = settings_check_resolver(a);
	struct resolver_settings two = settings_check_resolver(b);

	/* The text of a zone may have changed though its name has not. */
	return same_text(one.server, two.server) && !resolver_is_zone(&one) &&
	       one.port == two.port && one.dnssec == two.dnssec &&
	       same_text(one.trust_anchor, two.trust_anchor) &&
	       one.cache_bytes == two.cache_bytes;
}

/* On failure what was in force stays, where there was something. */
static bool
open_resolver(struct assembly *assembly)
{
	struct resolver_settings settings =
	    settings_check_resolver(settings_of(assembly));
	char problem[RESOLVER_PROBLEM_MAX] = "";
	struct resolver *resolver = resolver_open(&settings, problem);

	if (resolver == NULL) {
		log_write(LOG_LEVEL_ERROR, "resolver refused: %s", problem);
		return false;
	}
	assembly->resolver_retry_unix = 0;
	return put_part(&assembly->input, GENERATION_RESOLVER, resolver,
	    free_resolver, NULL);
}

/* A filter that cannot start because of what has happened to a file since the
 * policy was loaded would take no mail at all. */
static bool
do_without_resolver(struct assembly *assembly)
{
	struct resolver *resolver = resolver_none_new();

	log_write(LOG_LEVEL_ERROR,
	    "no resolver: all look-ups fail (temperror) until it can be made");
	assembly->resolver_retry_unix = time(NULL) + RESOLVER_RETRY_S;
	return resolver != NULL &&
	       put_part(&assembly->input, GENERATION_RESOLVER, resolver,
		   free_resolver, NULL);
}

/* True when there is one where there was none. */
static bool
retry_resolver(struct assembly *assembly)
{
	if (assembly->resolver_retry_unix == 0 ||
	    time(NULL) < assembly->resolver_retry_unix)
		return false;
	assembly->resolver_retry_unix = time(NULL) + RESOLVER_RETRY_S;
	if (!open_resolver(assembly))
		return false;
	log_write(LOG_LEVEL_NOTICE, "the resolver is there again");
	return true;
}

/* What a scanner is made of; another one is started only when it differs. */
static unsigned long long
scanner_signature(
    const struct scanner_settings *settings, const struct rulesets *rulesets)
{
	char text[512];

	snprintf(text, sizeof text, "%u %u %u %llu %u %u %zu %zu %u %u %zu %u",
	    settings->workers_max, settings->scan_time_ms,
	    settings->archive_depth,
	    (unsigned long long)settings->archive_bytes,
	    settings->archive_ratio, settings->archive_entries,
	    settings->worker_memory_bytes, settings->document_bytes,
	    settings->document_objects, settings->document_links,
	    settings->content_bytes, settings->mails);
	return slice_hash(slice_text(text), rulesets->signature) | 1;
}

/* Rules that do not compile leave those in force; at a start, where there are
 * none, they cost themselves only. */
static enum tc_status
make_scanner(struct assembly *assembly, const struct scanner_settings *settings,
    struct rulesets *rulesets, struct diag *diag, struct arena *arena,
    struct scanner **scanner_out)
{
	bool older = thing(assembly, GENERATION_SCANNER) != NULL;
	struct diag first = diag_make(arena, 100);
	size_t count = rulesets->items.count;
	enum tc_status status = scanner_new(assembly->zygote, settings,
	    rulesets->items.items, count, &first, scanner_out);

	if (status == TC_INVALID)
		rulesets_drop_broken(
		    assembly->zygote, settings, older, diag, rulesets);
	if (status != TC_INVALID || (older && rulesets->items.count == count)) {
		log_diag(&first);
		return status;
	}
	log_write(LOG_LEVEL_ERROR,
	    "yara: %zu of %zu rule files do not compile and are left out",
	    count - rulesets->items.count, count);
	return scanner_new(assembly->zygote, settings, rulesets->items.items,
	    rulesets->items.count, diag, scanner_out);
}

static void
start_scanner(struct assembly *assembly, struct arena *arena)
{
	struct scanner_settings settings =
	    rulesets_scanner_settings(settings_of(assembly));
	struct diag diag = diag_make(arena, 100);
	struct scanner *scanner = NULL;
	struct rulesets rulesets;
	unsigned long long signature;
	enum tc_status status;

	status = rulesets_read(settings_of(assembly), arena, &diag, &rulesets);
	signature = scanner_signature(&settings, &rulesets);
	if (status == TC_OK && signature == assembly->scanner_signature)
		return;
	if (status == TC_OK)
		status = make_scanner(
		    assembly, &settings, &rulesets, &diag, arena, &scanner);
	log_diag(&diag);
	if (status == TC_OK && put_part(&assembly->input, GENERATION_SCANNER,
				   scanner, free_scanner, NULL))
		assembly->scanner_signature = signature;
	else {
		if (status != TC_OK && status != TC_INVALID)
			assembly->rules_taken = 0; /* tried again soon */
		log_write(LOG_LEVEL_ERROR, "scanner refused status=%s: %s",
		    status_name(status),
		    thing(assembly, GENERATION_SCANNER) == NULL
			? "attachments are not opened"
			: "the one before stays");
	}
}

/* Without workers mail is judged all the same: what they would have looked
 * into is not examined, and policies can see that. */
static void
open_scanner(struct assembly *assembly)
{
	struct arena *arena = arena_new(0, NULL);

	assembly->rules_taken = rulesets_mark(settings_of(assembly));
	if (arena != NULL && assembly->zygote >= 0)
		start_scanner(assembly, arena);
	arena_free(&arena);
}

/* A rule file that is written in place is read once two looks are the same. */
static bool
rules_have_settled(struct assembly *assembly)
{
	unsigned long long now = rulesets_mark(settings_of(assembly));
	bool still = now == assembly->rules_seen;

	assembly->rules_seen = now;
	return still && now != assembly->rules_taken;
}

/* ---- putting together ---- */

static bool
swap(struct assembly *assembly)
{
	struct generation *generation = generation_new(&assembly->input);

	if (generation == NULL)
		return false;
	generation_slot_put(assembly->slot, generation);
	return true;
}

static void
release_parts(struct generation_input *input)
{
	for (unsigned role = GENERATION_ROLES; role-- > 0;)
		generation_part_release(&input->parts[role]);
}

/* Makes parts of a loaded policy. False: it is still the caller's. */
static bool
take_policy(struct assembly *assembly, struct trial_policy *policy)
{
	struct generation_part *needs[GENERATION_NEEDS_MAX] = { 0 };

	needs[0] = generation_part_new(policy->arena, free_arena, NULL);
	if (needs[0] == NULL)
		return false;
	policy->arena = NULL;
	if (!put_part(&assembly->input, GENERATION_POLICY, policy->program,
		free_program, needs))
		policy->program = NULL;
	generation_part_release(&needs[0]);
	if (policy->program == NULL)
		return false;
	policy->program = NULL;
	assembly->patterns_tried = NULL;
	return put_part(
	    &assembly->input, GENERATION_PATTERNS, NULL, free_patterns, NULL);
}

/* The parts that hang on the policy. */
static bool
take_rest(struct assembly *assembly)
{
	if (!reread_lists(assembly) || !take_switches(assembly) ||
	    !bind_matcher(assembly))
		return false;
	watch_lists(assembly);
	limits_set(assembly->limits, settings_of(assembly));
	assembly->loaded_unix = time(NULL);
	if (!swap(assembly))
		return false;
	begin_patterns(assembly);
	return true;
}

bool
assembly_begin(struct assembly *assembly, struct trial_policy *policy,
    uint64_t policy_generation)
{
	assembly->input.policy_generation = policy_generation;
	assembly->ends_told_unix = time(NULL);
	if (!take_policy(assembly, policy) ||
	    (!open_resolver(assembly) && !do_without_resolver(assembly)))
		return false;
	open_scanner(assembly);
	/* A store that is damaged leaves us without one, not without mail. */
	(void)open_store(assembly);
	(void)load_overlay(assembly);
	return take_rest(assembly);
}

/* Goes back to what was before a reload that failed half way. */
static void
go_back(struct assembly *assembly, const struct generation_input *before)
{
	release_parts(&assembly->input);
	assembly->input = *before;
}

static void
retain_parts(struct generation_input *input)
{
	for (unsigned role = 0; role < GENERATION_ROLES; role++)
		generation_part_retain(input->parts[role]);
}

bool
assembly_reload(
    struct assembly *assembly, uint64_t policy_generation, char **text_out)
{
	struct generation_input before = assembly->input;
	const struct settings *old = settings_of(assembly);
	struct trial_policy policy;
	bool good = trial_load(assembly->configuration, true, false, &policy);

	*text_out = policy.text;
	policy.text = NULL;
	if (good) {
		/* The lists of the old policy are none of the new one's. */
		retain_parts(&before);
		generation_part_release(
		    &assembly->input.parts[GENERATION_LISTS]);
		good = program_keep_settings(
			   policy.program, assembly_program(assembly)) &&
		       take_policy(assembly, &policy);
		if (good && (assembly->resolver_retry_unix != 0 ||
				!same_resolver(old, settings_of(assembly))))
			good = open_resolver(assembly);
		if (good) {
			open_scanner(assembly);
			/* Own domains and pins decide what of it acts. */
			(void)load_overlay(assembly);
		}
		assembly->input.policy_generation = policy_generation;
		good = good && take_rest(assembly);
		if (good)
			release_parts(&before);
		else
			go_back(assembly, &before);
	}
	trial_free(&policy);
	return good;
}

/* ---- keeping fresh ---- */

static bool
any_list_changed(struct assembly *assembly)
{
	const struct program *program = assembly_program(assembly);
	unsigned count = program_list_count(program);
	bool changed = false;

	for (unsigned i = 0; assembly->list_files != NULL && i < count; i++) {
		const char *file = program_list_file(program, i);
		struct watch *watch = &assembly->list_files[i];

		if (file == NULL)
			continue;
		if (watch_gone(watch, file))
			log_write(LOG_LEVEL_ERROR,
			    "%s is gone; the list keeps its entries until the "
			    "policy is loaded again",
			    file);
		if (!watch_settled(watch, file))
			continue;
		log_write(LOG_LEVEL_NOTICE, "list changed file=%s", file);
		changed = true;
	}
	return changed;
}

static void
tell_end(void *unused, const struct end *end)
{
	(void)unused;
	switch (end->kind) {
	case END_RULE:
		log_write(
		    LOG_LEVEL_NOTICE, "rule=%s has ended (until)", end->name);
		return;
	case END_SHADOW:
		log_write(LOG_LEVEL_NOTICE,
		    "rule=%s: its time in shadow has ended, it is off",
		    end->name);
		return;
	case END_WAIT:
		log_write(LOG_LEVEL_NOTICE,
		    "rule=%s: its waiting time has ended, it acts (from)",
		    end->name);
		return;
	case END_EXEMPTION:
		log_write(LOG_LEVEL_NOTICE,
		    "exemption \"%s\" has ended (until)", end->name);
		return;
	case END_ENTRY:
		log_write(LOG_LEVEL_NOTICE,
		    "list=%s: the entry \"%.*s\" has ended (until)", end->name,
		    (int)end->entry.length, end->entry.data);
		return;
	}
}

/* What has an end says so when it comes. */
static void
tell_ends(struct assembly *assembly, int64_t now_unix)
{
	int64_t after = assembly->ends_told_unix;

	if (now_unix <= after)
		return;
	assembly->ends_told_unix = now_unix;
	ends_between(assembly_program(assembly),
	    thing(assembly, GENERATION_LISTS), after, now_unix, tell_end, NULL);
}

/* True where store or overlay are others and the matcher is bound anew. */
static bool
refresh_indicators(struct assembly *assembly)
{
	bool indicators = false;
	char path[4096];

	store_grave_clear();
	if (state_path(assembly, BUILD_STORE_NAME, path) &&
	    watch_changed(&assembly->store_file, path))
		indicators = open_store(assembly);
	warm_store(assembly);
	if (state_path(assembly, OVERLAY_FILE_NAME, path) &&
	    watch_changed(&assembly->overlay_file, path))
		indicators = load_overlay(assembly) || indicators;
	return indicators && bind_matcher(assembly);
}

void
assembly_refresh_indicators(struct assembly *assembly)
{
	bool changed = refresh_indicators(assembly);

	if (take_patterns(assembly) || changed)
		(void)swap(assembly);
	begin_patterns(assembly);
}

void
assembly_refresh(struct assembly *assembly)
{
	bool changed = refresh_indicators(assembly);
	char path[4096];

	if (rules_have_settled(assembly)) {
		log_write(LOG_LEVEL_NOTICE, "yara rules changed");
		open_scanner(assembly);
		changed = true;
	}
	if (state_path(assembly, SWITCHES_FILE_NAME, path) &&
	    watch_changed(&assembly->switches_file, path))
		changed = take_switches(assembly) || changed;
	changed = retry_resolver(assembly) || changed;
	if (any_list_changed(assembly))
		changed = reread_lists(assembly) || changed;
	if (changed)
		(void)swap(assembly);
	tell_ends(assembly, time(NULL));
}

void
assembly_end(struct assembly *assembly)
{
	pattern_build_end(&assembly->patterns);
	release_parts(&assembly->input);
	generation_slot_put(assembly->slot, NULL);
	free(assembly->list_files);
	assembly->list_files = NULL;
	store_grave_clear();
}
