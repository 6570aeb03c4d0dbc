#include <config.h>

#include "base/ipaddr.h"
#include "indicator/match_query.h"
#include "indicator/normal.h"
#include "indicator/stix_program.h"

/* Where a network counts, for the answer to a query. */
static const char *
network_places(
    const struct feed_config *config, unsigned roles, enum match_reason *reason)
{
	bool host = (roles & INDICATOR_ROLE_DESTINATION) != 0;
	bool client = (roles & INDICATOR_ROLE_SOURCE) != 0;

	if (client && config->client_ip)
		return host ? "" : "as the client or a hop only";
	if (!host)
		*reason = MATCH_ROLE;
	if (!client)
		return "as the host of a URL only";
	return host ? "as the host of a URL only: client-ip is off"
		    : "it is of clients";
}

void
match_query_note(struct matching *matching, unsigned store,
    const struct store_entry *entry, enum match_reason reason,
    const struct slice *list)
{
	const struct matcher_store *stores = matching->matcher->stores;
	struct match_answer *answer;

	/* What the build has read of the hand-added ones is not in force, and
	 * the overlay answers for it. */
	if (store == BASE && stores[LOCAL].store != NULL &&
	    slice_equal_text(
		stores[BASE].feeds[entry->feed].name, OVERLAY_FEED_NAME))
		return;
	answer = list_append(matching->arena, &matching->answers->items,
	    matching->limits->hits_max);
	if (answer == NULL) {
		matching->answers->incomplete = true;
		return;
	}
	match_fill_hit(
	    matching, &matching->matcher->stores[store], entry, &answer->hit);
	answer->reason = reason;
	answer->detail = list != NULL ? *list : slice_make("", 0);
	if (reason == MATCH_ACTS && entry->kind == INDICATOR_NETWORK)
		answer->detail = slice_text(network_places(
		    &matching->matcher->stores[store].feeds[entry->feed].config,
		    entry->roles, &answer->reason));
	if (reason == MATCH_ACTS && entry->program != STORE_NO_PROGRAM &&
	    entry->kind != INDICATOR_PATTERN)
		answer->reason = MATCH_COMPOUND;
}

static bool
network_holds(struct slice outer, struct slice inner)
{
	struct ipaddr_network wide, narrow;

	return ipaddr_network_parse(outer, &wide, NULL) &&
	       ipaddr_network_parse(inner, &narrow, NULL) &&
	       narrow.prefix_length >= wide.prefix_length &&
	       ipaddr_in_network(&narrow.address, &wide);
}

/* Would a value that was taken out have matched this one? The keys that were
 * looked for tell: those of its parents and folders are among them. */
static bool
would_match(struct matching *matching, struct arena *scratch,
    enum indicator_kind out_kind, struct slice out_value,
    enum indicator_kind kind, struct slice value)
{
	struct slice key;

	if (out_kind == INDICATOR_NETWORK && kind == INDICATOR_NETWORK)
		return network_holds(out_value, value);
	if (normal_key(scratch, out_kind, out_value, &key) != NORMAL_GOOD)
		return false;
	for (size_t i = 0; i < matching->asked.count; i++)
		if (matching->asked.items[i].kind == out_kind &&
		    slice_equal(matching->asked.items[i].key, key))
			return true;
	return false;
}

/* What was taken out at the build, or as the overlay was read. Of what is added
 * by hand the overlay knows better than the build. */
static void
answer_suppressed_in(struct matching *matching,
    const struct matcher_store *bound, enum indicator_kind kind,
    struct slice value)
{
	struct arena *scratch = arena_new(0, NULL);
	struct store_suppressed suppressed;

	for (uint32_t i = 0; scratch != NULL && bound->store != NULL &&
			     i < store_suppressed_count(bound->store);
	     i++) {
		struct match_answer *answer;

		arena_reset(scratch);
		if (!store_suppressed(bound->store, i, &suppressed) ||
		    suppressed.feed >= bound->feed_count ||
		    (slice_equal_text(bound->feeds[suppressed.feed].name,
			 OVERLAY_FEED_NAME) &&
			!bound->feeds[suppressed.feed].active) ||
		    !would_match(matching, scratch, suppressed.kind,
			suppressed.value, kind, value))
			continue;
		answer = list_append(matching->arena, &matching->answers->items,
		    matching->limits->hits_max);
		if (answer == NULL)
			break;
		*answer = (struct match_answer){
			.hit = { .kind = suppressed.kind,
			    .value = suppressed.value,
			    .severity = INDICATOR_SEVERITY_ABSENT,
			    .id = suppressed.id,
			    .feed = bound->feeds[suppressed.feed].name,
			    .part = -1 },
			.reason = MATCH_SUPPRESSED,
			.detail = suppressed.reason,
		};
	}
	arena_free(&scratch);
}

/* What is in force under an id. What was added by hand has none. */
static void
answer_id(struct matching *matching, struct slice id)
{
	const struct matcher_store *bound = &matching->matcher->stores[BASE];
	uint32_t count =
	    bound->store == NULL ? 0 : store_entry_count(bound->store);
	struct arena *scratch = arena_new(0, NULL);

	for (uint32_t i = 0; scratch != NULL && i < count; i++) {
		struct store_entry entry;

		arena_reset(scratch);
		if (!store_entry(bound->store, i, &entry) ||
		    entry.feed >= bound->feed_count ||
		    !slice_equal(
			store_entry_id(bound->store, &entry, scratch), id))
			continue;
		match_query_note(matching, BASE, &entry,
		    match_is_masked(matching, entry.kind, entry.key)
			? MATCH_MASKED
			: match_judge(
			      matching, &bound->feeds[entry.feed], &entry),
		    NULL);
	}
	arena_free(&scratch);
}

/* What its publisher has taken back, by its id or (`kind` not NULL) by a value
 * that it had. */
static void
answer_revoked(struct matching *matching, const enum indicator_kind *kind,
    struct slice asked)
{
	const struct matcher_store *bound = &matching->matcher->stores[BASE];
	uint32_t count =
	    bound->store == NULL ? 0 : store_revoked_count(bound->store);
	struct arena *scratch = arena_new(0, NULL);

	for (uint32_t i = 0; scratch != NULL && i < count; i++) {
		struct match_answer *answer;
		struct store_revoked one;

		arena_reset(scratch);
		if (!store_revoked(bound->store, i, scratch, &one) ||
		    one.feed >= bound->feed_count ||
		    (!slice_equal(one.id, asked) &&
			(kind == NULL || one.value.length == 0 ||
			    !would_match(matching, scratch, one.kind, one.value,
				*kind, asked))))
			continue;
		answer = list_append(matching->arena, &matching->answers->items,
		    matching->limits->hits_max);
		if (answer == NULL)
			break;
		*answer = (struct match_answer){
			.hit = { .kind = one.kind,
			    .value = one.value,
			    .severity = INDICATOR_SEVERITY_ABSENT,
			    .id =
				slice_text(arena_text(matching->arena, one.id)),
			    .feed = bound->feeds[one.feed].name,
			    .part = -1 },
			.reason = MATCH_REVOKED,
			.revoked_unix = one.modified_unix,
		};
	}
	arena_free(&scratch);
}

/* The places where a value has to be tried for each field of a pattern that
 * may name it. */
static void
observe_query(struct matching *matching, enum indicator_kind kind,
    struct slice value, struct match_observations *observations)
{
	static const enum match_where places[] = { MATCH_TEXT, MATCH_FROM,
		MATCH_TO, MATCH_REPLY_TO, MATCH_CLIENT };

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct match_observation *one =
		    list_append(matching->arena, &observations->items, 10);

		if (one == NULL)
			return;
		*one = (struct match_observation){ .kind = kind,
			.where = places[i],
			.value = value,
			.part = indicator_digest_size(kind) != 0 ||
					kind == INDICATOR_FILENAME
				    ? 0
				    : -1 };
	}
	/* A URL and an address show their host as well. */
	observations->kinds_known = INDICATOR_KIND_BIT(kind) |
				    INDICATOR_KIND_BIT(INDICATOR_DOMAIN) |
				    INDICATOR_KIND_BIT(INDICATOR_NETWORK);
}

/* Patterns without a key that the value alone makes true. */
static void
answer_unkeyed(
    struct matching *matching, enum indicator_kind kind, struct slice value)
{
	struct match_observations observations = { 0 };

	observe_query(matching, kind, value, &observations);
	matching->pattern_steps = matching->limits->pattern_steps_max;
	matching->view = stix_view_make(matching->arena, &observations);
	if (matching->view == NULL)
		return;
	stix_view_expressions(matching->view, matching->matcher->expressions);
	for (unsigned i = 0; i < STORES; i++) {
		const struct matcher_store *bound =
		    &matching->matcher->stores[i];
		uint32_t count = bound->store == NULL
				     ? 0
				     : store_unkeyed_count(bound->store);
		struct store_entry entry;

		for (uint32_t k = 0; k < count; k++) {
			if (!store_unkeyed(bound->store, k, &entry) ||
			    entry.feed >= bound->feed_count ||
			    stix_program_run(
				store_program(bound->store, entry.program),
				matching->view, &matching->pattern_steps)
				    .truth != STIX_TRUE)
				continue;
			match_query_note(matching, i, &entry,
			    match_judge(
				matching, &bound->feeds[entry.feed], &entry),
			    NULL);
		}
	}
}

enum tc_status
match_query(const struct matcher *matcher,
    const enum indicator_kind *kind_given, struct slice value, int64_t now_unix,
    struct arena *arena, struct match_answers *answers_out)
{
	struct match_limits limits = match_limits_defaults();
	struct matching matching = { .matcher = matcher,
		.limits = &limits,
		.arena = arena,
		.now_unix = now_unix,
		.role = INDICATOR_ROLE_ANY,
		.answers = answers_out };
	enum indicator_kind kind;

	*answers_out = (struct match_answers){ 0 };
	value = slice_trim(normal_refang(arena, value, NULL));
	if (kind_given != NULL) {
		kind = *kind_given;
	} else if (!normal_guess_kind(arena, value, &kind)) {
		if (value.length > 0)
			answer_id(&matching, value);
		answer_revoked(&matching, NULL, value);
		return answers_out->items.count > 0 ? TC_OK : TC_INVALID;
	}
	answers_out->has_kind = true;
	answers_out->kind = kind;
	match_probe_value(&matching, kind, value);
	match_look_up_sought(&matching);
	answer_unkeyed(&matching, kind, value);
	for (unsigned i = 0; i < STORES; i++)
		answer_suppressed_in(
		    &matching, &matcher->stores[i], kind, value);
	answer_revoked(&matching, &kind, value);
	return arena_exhausted(arena) ? TC_LIMIT : TC_OK;
}
