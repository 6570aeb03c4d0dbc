#include <config.h>

#include <stdlib.h>

#include "base/builder.h"
#include "base/domain.h"
#include "base/ipaddr.h"
#include "base/table.h"
#include "indicator/match.h"
#include "indicator/match_query.h"
#include "indicator/normal.h"
#include "indicator/stix_program.h"

#define PATH_PREFIXES_MAX 16 /* folders of a URL that are looked up */
#define STRONG_CONFIDENCE 50 /* below it, where it is given, all is weak */
#define NETWORK_KEY_SIZE  17
#define ASKED_MAX         10000u

static const char *const where_names[MATCH_WHERES] = {
	[MATCH_CLIENT] = "client",
	[MATCH_CLIENT_NAME] = "client-name",
	[MATCH_RECEIVED] = "received",
	[MATCH_HELO] = "helo",
	[MATCH_MAIL_FROM] = "mail-from",
	[MATCH_RCPT] = "rcpt",
	[MATCH_FROM] = "from",
	[MATCH_SENDER] = "sender",
	[MATCH_REPLY_TO] = "reply-to",
	[MATCH_TO] = "to",
	[MATCH_CC] = "cc",
	[MATCH_HEADER] = "header",
	[MATCH_DISPLAY_NAME] = "display-name",
	[MATCH_SUBJECT] = "subject",
	[MATCH_MAILER] = "mailer",
	[MATCH_MESSAGE_ID] = "message-id",
	[MATCH_DKIM] = "dkim",
	[MATCH_TEXT] = "text",
	[MATCH_LINK] = "link",
	[MATCH_ATTACHMENT] = "attachment",
	[MATCH_ARCHIVE] = "archive",
};

const char *
match_where_name(enum match_where where)
{
	return (unsigned)where < MATCH_WHERES ? where_names[where] : "";
}

bool
match_where_parse(struct slice name, enum match_where *where_out)
{
	for (unsigned i = 0; i < MATCH_WHERES; i++) {
		if (slice_equal_text_fold(name, where_names[i])) {
			*where_out = (enum match_where)i;
			return true;
		}
	}
	return false;
}

bool
match_next_tag(struct slice *tags, struct slice *tag_out)
{
	while (tags->length > 0) {
		*tags = slice_split(*tags, '\n', tag_out);
		if (tag_out->length > 0)
			return true;
	}
	return false;
}

struct match_limits
match_limits_defaults(void)
{
	return (struct match_limits){
		.hits_max = 1000,
		.observations_max = 20000,
		.pattern_steps_max = 2000000,
	};
}

/* ------------------------------------------------------------------ settings */

static const struct feed_config *
config_of(const struct feed_config *feeds, size_t count, struct slice name)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text(name, feeds[i].name))
			return &feeds[i];
	return NULL;
}

static bool
bind_feeds(struct matcher_store *bound, const struct feed_config *feeds,
    size_t feed_count)
{
	bound->feed_count = store_feed_count(bound->store);
	bound->feeds =
	    calloc((size_t)bound->feed_count + 1, sizeof *bound->feeds);
	if (bound->feeds == NULL)
		return false;
	for (uint32_t i = 0; i < bound->feed_count; i++) {
		struct matcher_feed *feed = &bound->feeds[i];
		const struct feed_config *config;
		struct store_feed stored;

		if (!store_feed(bound->store, i, &stored))
			continue;
		feed->name = stored.name;
		feed->content_unix = store_feed_content_unix(&stored);
		if (feeds == NULL) {
			feed->active =
			    store_feed_settings(bound->store, i, &feed->config);
			continue;
		}
		config = config_of(feeds, feed_count, stored.name);
		if (config == NULL)
			continue;
		feed->config = *config;
		feed->active = true;
	}
	return true;
}

/* Hand-added indicators have settings of their own, whatever is configured. */
static void
bind_local(struct matcher_store *bound, bool active)
{
	for (uint32_t i = 0; i < bound->feed_count; i++) {
		if (!slice_equal_text(bound->feeds[i].name, OVERLAY_FEED_NAME))
			continue;
		bound->feeds[i].config = overlay_feed_config();
		bound->feeds[i].active = active;
	}
}

/* Those of patterns that are tried on every message. Without memory they are
 * compiled when they are tried. */
static void
compile_expressions(struct matcher *matcher)
{
	for (unsigned i = 0; i < STORES; i++) {
		const struct store *store = matcher->stores[i].store;
		uint32_t count = store == NULL ? 0 : store_unkeyed_count(store);
		struct store_entry entry;

		if (count > 0 && matcher->expressions == NULL)
			matcher->expressions = stix_expressions_new();
		for (uint32_t k = 0; k < count && matcher->expressions != NULL;
		     k++)
			if (store_unkeyed(store, k, &entry))
				stix_program_expressions(
				    store_program(store, entry.program),
				    matcher->expressions);
	}
}

/* The key under which matcher.listed holds a value. */
static bool
listed_key(struct builder *name, enum indicator_kind kind, struct slice key)
{
	builder_byte(name, (char)kind);
	builder_slice(name, key);
	return !name->failed;
}

static bool
collect_listed(struct matcher *matcher)
{
	const struct matcher_store *bound = &matcher->stores[BASE];
	struct store_suppressed one;

	matcher->arena = arena_new(0, NULL);
	if (matcher->arena == NULL)
		return false;
	matcher->listed = table_make(matcher->arena);
	if (bound->store == NULL)
		return true;
	for (uint32_t i = 0; i < store_suppressed_count(bound->store); i++) {
		struct builder name = builder_make(matcher->arena, SIZE_MAX);
		struct slice *reason, key;

		if (!store_suppressed(bound->store, i, &one) ||
		    !one.by_warninglist || one.feed >= bound->feed_count ||
		    !slice_equal_text(
			bound->feeds[one.feed].name, OVERLAY_FEED_NAME) ||
		    normal_key(matcher->arena, one.kind, one.value, &key) !=
			NORMAL_GOOD)
			continue;
		reason = arena_alloc(matcher->arena, sizeof *reason);
		if (reason == NULL || !listed_key(&name, one.kind, key))
			return false;
		*reason = one.reason;
		if (!table_put(&matcher->listed, builder_result(&name), reason))
			return false;
	}
	return true;
}

struct matcher *
matcher_new(const struct store *store, const struct overlay *overlay,
    const struct feed_config *feeds, size_t feed_count)
{
	struct matcher *matcher = calloc(1, sizeof *matcher);

	if (matcher == NULL)
		return NULL;
	matcher->stores[BASE].store = store;
	if (overlay != NULL)
		matcher->stores[LOCAL].store = overlay_store(overlay);
	for (unsigned i = 0; i < STORES; i++) {
		if (matcher->stores[i].store != NULL &&
		    !bind_feeds(&matcher->stores[i], feeds, feed_count)) {
			matcher_free(&matcher);
			return NULL;
		}
	}
	/* The overlay knows better than what the build has read of it. */
	bind_local(&matcher->stores[BASE], overlay == NULL);
	bind_local(&matcher->stores[LOCAL], true);
	if (!collect_listed(matcher)) {
		matcher_free(&matcher);
		return NULL;
	}
	compile_expressions(matcher);
	return matcher;
}

void
matcher_free(struct matcher **matcher)
{
	struct matcher *old = *matcher;

	*matcher = NULL;
	if (old == NULL)
		return;
	for (unsigned i = 0; i < STORES; i++)
		free(old->stores[i].feeds);
	stix_expressions_free(&old->expressions);
	arena_free(&old->arena);
	free(old);
}

const struct slice *
matcher_local_list(const struct matcher *matcher,
    const struct store_entry *entry, struct arena *arena)
{
	struct builder name;

	if (entry->forced || entry->mask || matcher->listed.count == 0)
		return NULL;
	name = builder_make(arena, SIZE_MAX);
	return listed_key(&name, entry->kind, entry->key)
		   ? table_get(&matcher->listed, builder_result(&name))
		   : NULL;
}

uint32_t
matcher_needs(const struct matcher *matcher)
{
	uint32_t needs = 0;

	for (unsigned i = 0; i < STORES; i++) {
		const struct store *store = matcher->stores[i].store;

		if (store == NULL)
			continue;
		for (unsigned kind = 0; kind < INDICATOR_KINDS; kind++)
			if (store_kind_count(store, (enum indicator_kind)kind) >
			    0)
				needs |= INDICATOR_KIND_BIT(kind);
		if (store_unkeyed_count(store) > 0)
			needs |= INDICATOR_KINDS_ALL;
	}
	/* A domain is found through addresses and URLs, a network through
	 * URLs. */
	if (needs & INDICATOR_KIND_BIT(INDICATOR_DOMAIN))
		needs |= INDICATOR_KIND_BIT(INDICATOR_ADDRESS) |
			 INDICATOR_KIND_BIT(INDICATOR_URL) |
			 INDICATOR_KIND_BIT(INDICATOR_MESSAGE_ID);
	if (needs & INDICATOR_KIND_BIT(INDICATOR_NETWORK))
		needs |= INDICATOR_KIND_BIT(INDICATOR_URL);
	return needs & ~(INDICATOR_KIND_BIT(INDICATOR_PATTERN) |
			   INDICATOR_KIND_BIT(INDICATOR_YARA));
}

bool
matcher_feed_age(const struct matcher *matcher, struct slice name,
    int64_t now_unix, uint64_t *age_s_out)
{
	const struct matcher_store *bound = &matcher->stores[BASE];

	for (uint32_t i = 0; i < bound->feed_count; i++) {
		const struct matcher_feed *feed = &bound->feeds[i];

		if (!slice_equal(feed->name, name))
			continue;
		if (!feed->active || feed->content_unix == 0)
			return false;
		*age_s_out = feed->content_unix < now_unix
				 ? (uint64_t)(now_unix - feed->content_unix)
				 : 0;
		return true;
	}
	return false;
}

/* ------------------------------------------------------------------- judging */

/* Until when an entry is valid. `expire` is for those that name no end, and
 * counts from when they were last seen. */
static int64_t
valid_until(const struct matcher_feed *feed, const struct store_entry *entry)
{
	int64_t since = entry->last_seen_unix;

	if (feed->config.expire_s == 0 || entry->valid_until_unix != 0)
		return entry->valid_until_unix;
	if (since == 0)
		since = entry->modified_unix;
	if (since == 0)
		since = entry->first_seen_unix;
	if (since == 0)
		since = feed->content_unix;
	/* Longer than any time that a sound store holds. */
	if (feed->config.expire_s > INT64_MAX / 4 || since < 0 ||
	    since > INT64_MAX / 4)
		return 0;
	return since + (int64_t)feed->config.expire_s;
}

/* The entry's confidence, else the feed's; ABSENT when neither is given. */
static uint8_t
given_confidence(
    const struct matcher_feed *feed, const struct store_entry *entry)
{
	return entry->confidence != INDICATOR_CONFIDENCE_ABSENT
		   ? entry->confidence
		   : feed->config.confidence;
}

static uint8_t
confidence_of(const struct matcher_feed *feed, const struct store_entry *entry)
{
	uint8_t confidence = given_confidence(feed, entry);

	return confidence > 100 ? 0 : confidence;
}

bool
match_is_masked(
    const struct matching *matching, enum indicator_kind kind, struct slice key)
{
	struct store_lookup lookup =
	    store_find(matching->matcher->stores[LOCAL].store, kind, key);
	struct store_entry entry;

	while (store_find_next(&lookup, &entry))
		if (entry.mask)
			return true;
	return false;
}

/* Whether the sides where an entry counts include the one at hand. */
static bool
role_counts(const struct matching *matching, const struct matcher_feed *feed,
    const struct store_entry *entry)
{
	if (entry->kind != INDICATOR_ADDRESS &&
	    entry->kind != INDICATOR_NETWORK)
		return true;
	if (entry->kind == INDICATOR_NETWORK &&
	    matching->role == INDICATOR_ROLE_SOURCE && !feed->config.client_ip)
		return false;
	return (entry->roles & matching->role) != 0;
}

/* Why an entry does not act here, or MATCH_ACTS. */
enum match_reason
match_judge(const struct matching *matching, const struct matcher_feed *feed,
    const struct store_entry *entry)
{
	int64_t until = valid_until(feed, entry);

	if (!feed->active)
		return MATCH_FEED_GONE;
	if (feed->config.kinds != 0 &&
	    !(feed->config.kinds & INDICATOR_KIND_BIT(entry->kind)))
		return MATCH_KIND_OFF;
	if (until != 0 && until <= matching->now_unix)
		return MATCH_EXPIRED;
	/* As expired ones do, it counts where no time is given. */
	if (entry->not_before && matching->now_unix != 0 &&
	    entry->first_seen_unix > matching->now_unix)
		return MATCH_NOT_YET;
	if (!entry->to_ids && !feed->config.ignore_to_ids)
		return MATCH_TO_IDS_OFF;
	if (confidence_of(feed, entry) < feed->config.minimum_confidence)
		return MATCH_LOW_CONFIDENCE;
	if (!role_counts(matching, feed, entry))
		return MATCH_ROLE;
	return MATCH_ACTS;
}

static enum indicator_strength
strength_of(const struct matcher_feed *feed, const struct store_entry *entry,
    bool by_strong_kind)
{
	uint8_t confidence = given_confidence(feed, entry);

	if (!by_strong_kind || !feed->config.verified || !entry->to_ids)
		return INDICATOR_WEAK;
	return confidence < STRONG_CONFIDENCE ? INDICATOR_WEAK
					      : INDICATOR_STRONG;
}

static enum indicator_severity
severity_of(const struct matcher_feed *feed, const struct store_entry *entry)
{
	if (entry->severity != INDICATOR_SEVERITY_ABSENT)
		return entry->severity;
	return feed->config.severity != INDICATOR_SEVERITY_ABSENT
		   ? feed->config.severity
		   : INDICATOR_SEVERITY_LOW;
}

/* A digest is text in whatever it is shown in. */
static struct slice
observed_text(const struct matching *matching)
{
	struct slice value = matching->observation->value;
	size_t size = indicator_digest_size(matching->observation->kind);

	return size > 0 && value.length == size
		   ? normal_key_text(
			 matching->arena, matching->observation->kind, value)
		   : value;
}

void
match_fill_hit(struct matching *matching, const struct matcher_store *bound,
    const struct store_entry *entry, struct match_hit *hit)
{
	const struct matcher_feed *feed = &bound->feeds[entry->feed];

	*hit = (struct match_hit){
		.kind = entry->program == STORE_NO_PROGRAM ? entry->kind
							   : INDICATOR_PATTERN,
		.value =
		    store_entry_value(bound->store, entry, matching->arena),
		.feed = feed->name,
		.id = store_entry_id(bound->store, entry, matching->arena),
		.severity = severity_of(feed, entry),
		.confidence = confidence_of(feed, entry),
		.strength = strength_of(
		    feed, entry, indicator_kind_is_strong(entry->kind)),
		.tlp = entry->tlp != INDICATOR_TLP_ABSENT ? entry->tlp
							  : feed->config.tlp,
		.tags = entry->tags,
		.description = entry->description,
		.first_seen_unix = entry->first_seen_unix,
		.valid_until_unix = valid_until(feed, entry),
		.part = -1,
		.local = slice_equal_text(feed->name, OVERLAY_FEED_NAME),
		.not_before = entry->not_before,
	};
	if (matching->observation == NULL)
		return;
	hit->where = matching->observation->where;
	hit->observed = observed_text(matching);
	hit->part = matching->observation->part;
	hit->field = matching->observation->field;
	hit->defanged = matching->observation->defanged;
}

/* ------------------------------------------------------------------- probing */

/* What has hit already: one hit for each entry and place. */
static bool
seen_before(struct matching *matching, unsigned store, uint32_t entry)
{
	enum match_where where = matching->observation->where;
	const char *field = matching->observation->field;
	struct seen_hit *seen;

	for (size_t i = 0; i < matching->seen.count; i++)
		if (matching->seen.items[i].entry == entry &&
		    matching->seen.items[i].store == store &&
		    matching->seen.items[i].where == where &&
		    matching->seen.items[i].field == field)
			return true;
	seen = list_append(
	    matching->arena, &matching->seen, matching->limits->hits_max);
	if (seen == NULL) {
		matching->hits->incomplete = true;
		return true;
	}
	*seen = (struct seen_hit){ store, entry, where, field };
	return false;
}

/* Whether a pattern is met for the first time in this message. */
static bool
is_untried(struct matching *matching, unsigned store, uint32_t program)
{
	struct tried_pattern *tried;

	for (size_t i = 0; i < matching->tried.count; i++)
		if (matching->tried.items[i].program == program &&
		    matching->tried.items[i].store == store)
			return false;
	tried = list_append(
	    matching->arena, &matching->tried, matching->limits->hits_max);
	if (tried == NULL) {
		matching->hits->incomplete = true;
		return false;
	}
	*tried = (struct tried_pattern){ store, program };
	return true;
}

/* Evaluates a compound pattern over the whole message. */
static void
try_pattern(
    struct matching *matching, unsigned store, const struct store_entry *entry)
{
	const struct matcher_store *bound = &matching->matcher->stores[store];
	struct stix_result result;
	struct match_hit *hit;

	if (matching->view == NULL)
		matching->view =
		    stix_view_make(matching->arena, matching->observations);
	if (matching->view != NULL)
		stix_view_expressions(
		    matching->view, matching->matcher->expressions);
	if (matching->view == NULL || matching->pattern_steps == 0) {
		matching->hits->incomplete = true;
		return;
	}
	result = stix_program_run(store_program(bound->store, entry->program),
	    matching->view, &matching->pattern_steps);
	if (result.truth != STIX_TRUE && !result.partial)
		return;
	if (result.decided != NULL)
		matching->observation = result.decided;
	hit = list_append(matching->arena, &matching->hits->items,
	    matching->limits->hits_max);
	if (hit == NULL) {
		matching->hits->incomplete = true;
		return;
	}
	match_fill_hit(matching, bound, entry, hit);
	hit->partial = result.partial;
	hit->strength =
	    strength_of(&bound->feeds[entry->feed], entry, result.strong);
}

static void
note_hit(
    struct matching *matching, unsigned store, const struct store_entry *entry)
{
	const struct matcher_store *bound = &matching->matcher->stores[store];
	const struct matcher_feed *feed = &bound->feeds[entry->feed];
	const struct match_observation *observation = matching->observation;
	struct match_hit *hit;

	if (matching->observation->defanged && !feed->config.match_defanged)
		return;
	if (entry->program != STORE_NO_PROGRAM) {
		if (is_untried(matching, store, entry->program))
			try_pattern(matching, store, entry);
		matching->observation = observation;
		return;
	}
	if (seen_before(matching, store, entry->index))
		return;
	hit = list_append(matching->arena, &matching->hits->items,
	    matching->limits->hits_max);
	if (hit == NULL)
		matching->hits->incomplete = true;
	else
		match_fill_hit(matching, bound, entry, hit);
}

/* Looks one key up in both stores. */
static void
look_up(struct matching *matching, const struct sought_key *sought)
{
	int masked = -1; /* not asked yet */

	matching->observation = sought->observation;
	matching->role = sought->role;
	for (unsigned i = 0; i < STORES; i++) {
		const struct matcher_store *bound =
		    &matching->matcher->stores[i];
		struct store_lookup lookup = store_find_sought(
		    bound->store, sought->kind, sought->key, sought->sought[i]);
		struct store_entry entry;

		while (store_find_next(&lookup, &entry)) {
			enum match_reason reason;
			const struct slice *list;

			if (entry.mask || entry.feed >= bound->feed_count)
				continue;
			if (masked < 0)
				masked = match_is_masked(
				    matching, sought->kind, sought->key);
			reason = match_judge(
			    matching, &bound->feeds[entry.feed], &entry);
			list = i == LOCAL
				   ? matcher_local_list(matching->matcher,
					 &entry, matching->arena)
				   : NULL;
			if (list != NULL)
				reason = MATCH_SUPPRESSED;
			if (masked > 0)
				reason = MATCH_MASKED;
			if (matching->answers != NULL)
				match_query_note(
				    matching, i, &entry, reason, list);
			else if (reason == MATCH_ACTS)
				note_hit(matching, i, &entry);
		}
	}
}

/* Looks up all that is being looked for, in order. */
void
match_look_up_sought(struct matching *matching)
{
	const struct match_observation *observation = matching->observation;
	unsigned role = matching->role;

	for (size_t i = 0; i < matching->sought_count; i++)
		look_up(matching, &matching->sought[i]);
	matching->sought_count = 0;
	matching->observation = observation;
	matching->role = role;
}

/* Looks for a key, which has to last as long as the message. The answer comes
 * with match_look_up_sought(). */
static void
probe(struct matching *matching, enum indicator_kind kind, struct slice key)
{
	struct sought_key *sought;
	struct asked_key *asked;

	if (matching->answers != NULL &&
	    (asked = list_append(
		 matching->arena, &matching->asked, ASKED_MAX)) != NULL)
		*asked = (struct asked_key){ kind, key };
	if (matching->sought_count == SOUGHT_MAX)
		match_look_up_sought(matching);
	sought = &matching->sought[matching->sought_count++];
	sought->kind = kind;
	sought->key = key;
	sought->observation = matching->observation;
	sought->role = matching->role;
	for (unsigned i = 0; i < STORES; i++)
		sought->sought[i] =
		    store_seek(matching->matcher->stores[i].store, kind, key);
}

/* The name and all names above it, the top-level one left out. */
static void
probe_domain(struct matching *matching, struct slice name)
{
	while (slice_find_byte(name, '.') != SIZE_MAX) {
		probe(matching, INDICATOR_DOMAIN, name);
		name = domain_parent(name);
	}
}

static void
probe_network(struct matching *matching, const struct ipaddr_network *network)
{
	for (unsigned i = 0; i < STORES; i++) {
		const struct store *store = matching->matcher->stores[i].store;
		int length = network->prefix_length + 1;

		if (store == NULL)
			continue;
		while (
		    (length = store_next_prefix_length(store, length)) >= 0) {
			struct ipaddr masked =
			    ipaddr_mask(&network->address, (unsigned)length);
			char *key;

			/* Probing looks into both stores: a length that both
			 * have is asked for once. */
			if (i == LOCAL &&
			    matching->matcher->stores[BASE].store != NULL &&
			    store_next_prefix_length(
				matching->matcher->stores[BASE].store,
				length + 1) == length)
				continue;
			key = arena_alloc(matching->arena, NETWORK_KEY_SIZE);
			if (key == NULL)
				return; /* match_run() says incomplete */
			memcpy(key, masked.octets, sizeof masked.octets);
			key[16] = (char)length;
			probe(matching, INDICATOR_NETWORK,
			    slice_make(key, NETWORK_KEY_SIZE));
		}
	}
}

/* Folders of the path, longest first; "/" alone is the page at the root. */
static void
probe_folders(struct matching *matching, const struct normal_url *url)
{
	size_t end = url->key_query_offset;

	for (unsigned i = 0; i < PATH_PREFIXES_MAX; i++) {
		while (end > url->key_path_offset + 1 &&
		       url->key.data[end - 1] != '/')
			end--;
		if (end <= url->key_path_offset + 1)
			return;
		if (end < url->key_query_offset ||
		    url->key_query_offset < url->key.length)
			probe(matching, INDICATOR_URL,
			    slice_range(url->key, 0, end));
		end--;
	}
}

static void
probe_url(struct matching *matching, struct slice value)
{
	struct ipaddr_network network = { .prefix_length = 128 };
	struct normal_url url;

	if (normal_url(matching->arena, value, &url) != NORMAL_GOOD)
		return;
	probe(matching, INDICATOR_URL, url.key);
	/* What phishing adds to name its victim. */
	if (url.key_query_offset < url.key.length &&
	    url.key.data[url.key_query_offset - 1] != '/')
		probe(matching, INDICATOR_URL,
		    slice_range(url.key, 0, url.key_query_offset));
	if (url.key_query_offset == url.key_path_offset + 1 &&
	    url.key_query_offset < url.key.length)
		probe(matching, INDICATOR_URL,
		    slice_range(url.key, 0, url.key_query_offset));
	probe_folders(matching, &url);
	if (url.host_is_address) {
		unsigned role = matching->role;

		network.address = url.address;
		matching->role = INDICATOR_ROLE_DESTINATION;
		probe_network(matching, &network);
		matching->role = role;
	} else {
		probe_domain(matching, url.host);
	}
}

static void
probe_address(struct matching *matching, struct slice value)
{
	struct slice key;
	size_t at;

	if (normal_key(matching->arena, INDICATOR_ADDRESS, value, &key) !=
	    NORMAL_GOOD)
		return;
	probe(matching, INDICATOR_ADDRESS, key);
	at = slice_find_last_byte(key, '@');
	if (at > 0)
		probe(matching, INDICATOR_ADDRESS, slice_skip(key, at));
	probe_domain(matching, slice_skip(key, at + 1));
}

static void
probe_host(struct matching *matching, struct slice value)
{
	struct ipaddr_network network;
	struct slice key;

	if (normal_key(matching->arena, INDICATOR_DOMAIN, value, &key) ==
	    NORMAL_GOOD) {
		probe_domain(matching, key);
	} else if (normal_key(matching->arena, INDICATOR_NETWORK, value,
		       &key) == NORMAL_GOOD) {
		memcpy(network.address.octets, key.data, 16);
		network.prefix_length = (uint8_t)key.data[16];
		probe_network(matching, &network);
	}
}

void
match_probe_value(
    struct matching *matching, enum indicator_kind kind, struct slice value)
{
	struct slice key;
	size_t at;

	switch (kind) {
	case INDICATOR_ADDRESS:
		probe_address(matching, value);
		return;
	case INDICATOR_DOMAIN:
	case INDICATOR_NETWORK:
		probe_host(matching, value);
		return;
	case INDICATOR_URL:
		probe_url(matching, value);
		return;
	case INDICATOR_MD5:
	case INDICATOR_SHA1:
	case INDICATOR_SHA256:
	case INDICATOR_SHA512:
	case INDICATOR_FILENAME:
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
	case INDICATOR_MESSAGE_ID:
		break;
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
	case INDICATOR_KINDS:
		return;
	}
	if (normal_key(matching->arena, kind, value, &key) != NORMAL_GOOD)
		return;
	probe(matching, kind, key);
	if (kind != INDICATOR_MESSAGE_ID)
		return;
	at = slice_find_last_byte(key, '@');
	if (at != SIZE_MAX)
		probe_host(matching, slice_skip(key, at + 1));
}

/* On which side of the message a place is. */
static unsigned
role_of(enum match_where where)
{
	switch (where) {
	case MATCH_CLIENT:
	case MATCH_CLIENT_NAME:
	case MATCH_RECEIVED:
	case MATCH_HELO:
	case MATCH_MAIL_FROM:
	case MATCH_FROM:
	case MATCH_SENDER:
		return INDICATOR_ROLE_SOURCE;
	case MATCH_RCPT:
	case MATCH_TO:
	case MATCH_CC:
		return INDICATOR_ROLE_DESTINATION;
	case MATCH_REPLY_TO:
		return INDICATOR_ROLE_REPLY_TO;
	case MATCH_HEADER:
	case MATCH_DISPLAY_NAME:
	case MATCH_SUBJECT:
	case MATCH_MAILER:
	case MATCH_MESSAGE_ID:
	case MATCH_DKIM:
	case MATCH_TEXT:
	case MATCH_LINK:
	case MATCH_ATTACHMENT:
	case MATCH_ARCHIVE:
	case MATCH_WHERES:
		break;
	}
	return INDICATOR_ROLE_OTHER;
}

/* Patterns without a key are tried on every message. */
static void
try_unkeyed(struct matching *matching)
{
	static const struct match_observation nowhere = {
		.kind = INDICATOR_PATTERN, .where = MATCH_HEADER, .part = -1
	};

	for (unsigned i = 0; i < STORES; i++) {
		const struct matcher_store *bound =
		    &matching->matcher->stores[i];
		uint32_t count = bound->store == NULL
				     ? 0
				     : store_unkeyed_count(bound->store);
		struct store_entry entry;

		for (uint32_t k = 0; k < count; k++) {
			matching->observation = &nowhere;
			if (store_unkeyed(bound->store, k, &entry) &&
			    entry.feed < bound->feed_count &&
			    match_judge(matching, &bound->feeds[entry.feed],
				&entry) == MATCH_ACTS)
				try_pattern(matching, i, &entry);
		}
	}
}

enum tc_status
match_run(const struct matcher *matcher,
    const struct match_observations *observations,
    const struct match_limits *limits, int64_t now_unix, struct arena *arena,
    struct match_hits *hits_out)
{
	struct matching matching = { .matcher = matcher,
		.limits = limits,
		.arena = arena,
		.now_unix = now_unix,
		.observations = observations,
		.pattern_steps = limits->pattern_steps_max,
		.hits = hits_out };
	size_t count = observations->items.count;

	*hits_out = (struct match_hits){ 0 };
	if (count > limits->observations_max) {
		count = limits->observations_max;
		hits_out->incomplete = true;
	}
	for (size_t i = 0; i < count; i++) {
		matching.observation = &observations->items.items[i];
		matching.role = role_of(matching.observation->where);
		match_probe_value(&matching, matching.observation->kind,
		    matching.observation->value);
	}
	match_look_up_sought(&matching);
	try_unkeyed(&matching);
	if (arena_exhausted(arena))
		hits_out->incomplete = true;
	return hits_out->incomplete ? TC_LIMIT : TC_OK;
}

const char *
match_reason_text(enum match_reason reason)
{
	switch (reason) {
	case MATCH_ACTS:
		return "acts";
	case MATCH_EXPIRED:
		return "does not act: expired";
	case MATCH_NOT_YET:
		return "does not act: not yet valid";
	case MATCH_LOW_CONFIDENCE:
		return "does not act: below the feed's minimum-confidence";
	case MATCH_ROLE:
		return "does not act: client-ip is off for its feed";
	case MATCH_MASKED:
		return "does not act: masked by hand";
	case MATCH_FEED_GONE:
		return "does not act: its feed is no longer configured";
	case MATCH_KIND_OFF:
		return "does not act: its kind is not among the feed's kinds";
	case MATCH_TO_IDS_OFF:
		return "does not act: published with to_ids=false";
	case MATCH_SUPPRESSED:
		return "does not act: taken out when the store was built";
	case MATCH_COMPOUND:
		return "acts together with the rest of its pattern";
	case MATCH_REVOKED:
		return "does not act: revoked by its publisher";
	}
	return "unknown";
}
