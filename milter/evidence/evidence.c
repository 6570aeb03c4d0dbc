#include <config.h>

#include <sys/random.h>

#include "evidence/evidence.h"

#include "base/utf8.h"
#include "indicator/match.h"
#include "language/program.h"
#include "language/value_list.h"
#include "message/message.h"

/* As much of a Received field as is read; ordinary ones have 300 octets. */
#define HOP_BYTES_MAX 8192

/* A name for the message that tells an outsider nothing: 60 random bits in an
 * alphabet with one vowel, so that it hardly spells a word. */
static void
make_reference(char reference[16])
{
	static const char alphabet[32] = "0123456789abcdfghjklmnpqrstvwxyz";
	unsigned char octets[12] = { 0 };
	size_t i;

	if (getrandom(octets, sizeof octets, 0) != (ssize_t)sizeof octets)
		memset(octets, 0, sizeof octets);
	for (i = 0; i < sizeof octets; i++)
		reference[i] = alphabet[octets[i] & 31];
	reference[i] = '\0';
}

struct evidence *
evidence_new(struct arena *arena, const struct program *program,
    const struct program_lists *lists,
    const struct evidence_connection *connection, time_t now_unix)
{
	struct evidence *evidence = arena_alloc(arena, sizeof *evidence);
	const struct settings *settings = program_settings(program);

	if (evidence == NULL)
		return NULL;
	if (lists == NULL)
		lists = program_own_lists(program);
	evidence->arena = arena;
	evidence->settings = settings;
	evidence->needs = program_needs(program);
	evidence->connection = connection;
	evidence->now_unix = now_unix;
	evidence->policy_hash = program_hash(program);
	evidence->own_domains = program_list(lists, settings->own_domains);
	evidence->own_networks = program_list(lists, settings->own_networks);
	evidence->trusted_relays =
	    program_list(lists, settings->trusted_relays);
	evidence->trusted_ids =
	    program_list(lists, settings->trusted_authserv_ids);
	evidence->own_headers =
	    program_own_headers(program, &evidence->own_header_count);
	evidence->guarded_counts = table_make(arena);
	make_reference(evidence->reference);
	return evidence;
}

/* Without angle brackets and source route (RFC 5321, 4.1.2 and appendix C). */
static struct slice
path_address(struct slice path)
{
	size_t colon;

	path = slice_trim(path);
	if (path.length > 0 && path.data[0] == '<')
		path = slice_skip(path, 1);
	if (path.length > 0 && path.data[path.length - 1] == '>')
		path.length--;
	colon = slice_find_byte(path, ':');
	if (path.length > 0 && path.data[0] == '@' && colon != SIZE_MAX)
		path = slice_skip(path, colon + 1);
	return path;
}

enum tc_status
evidence_set_sender(struct evidence *evidence, struct slice sender)
{
	evidence->sender_text =
	    arena_copy(evidence->arena, path_address(sender));
	if (evidence->sender_text.data == NULL)
		return TC_LIMIT;
	evidence->sender_is_address = address_canonical(
	    evidence->arena, evidence->sender_text, &evidence->sender);
	return TC_OK;
}

enum tc_status
evidence_add_recipient(struct evidence *evidence, struct slice recipient)
{
	struct evidence_recipient *added = list_append(
	    evidence->arena, &evidence->recipients, EVIDENCE_RECIPIENTS_MAX);

	if (added == NULL)
		return TC_LIMIT;
	added->text = arena_copy(evidence->arena, path_address(recipient));
	if (added->text.data == NULL)
		return TC_LIMIT;
	added->is_address =
	    address_canonical(evidence->arena, added->text, &added->address);
	/* An address without a domain is the MTA's own (RFC 5321, 4.1.1.3:
	 * postmaster). */
	added->ours = added->is_address
			  ? evidence->own_domains != NULL &&
				value_list_covers_domain(evidence->own_domains,
				    added->address.domain, evidence->now_unix)
			  : slice_find_byte(added->text, '@') == SIZE_MAX;
	return TC_OK;
}

void
evidence_add_hop(struct evidence *evidence, struct slice value)
{
	struct hop *hop = list_append(evidence->arena, &evidence->hops,
	    (size_t)evidence->settings->limits.received_hops);

	if (hop == NULL) {
		evidence_note_gap(evidence, EVIDENCE_GAP_LIMIT);
		return;
	}
	*hop = hop_parse(
	    arena_copy(evidence->arena, slice_range(value, 0, HOP_BYTES_MAX)));
	hop->certain &= value.length <= HOP_BYTES_MAX;
}

bool
evidence_is_guarded(const struct evidence *evidence, struct slice name)
{
	static const struct slice results =
	    SLICE_LITERAL("Authentication-Results");
	static const struct slice ours = SLICE_LITERAL("X-Tocsin-");

	name = slice_trim(name);
	if (slice_starts_with_fold(name, results) ||
	    slice_starts_with_fold(name, ours))
		return true;
	for (unsigned i = 0; i < evidence->own_header_count; i++)
		if (slice_equal_text_fold(name, evidence->own_headers[i]))
			return true;
	return false;
}

enum tc_status
evidence_guard(struct evidence *evidence, struct slice name, struct slice value)
{
	struct evidence_field *field;
	struct slice key;
	unsigned *count;

	if (!evidence_is_guarded(evidence, name))
		return TC_OK;
	key = utf8_fold_slice(
	    evidence->arena, arena_copy(evidence->arena, slice_trim(name)));
	count = table_get(&evidence->guarded_counts, key);
	if (count == NULL) {
		count = arena_alloc(evidence->arena, sizeof *count);
		if (count == NULL ||
		    !table_put(&evidence->guarded_counts, key, count))
			return TC_LIMIT;
	}
	field = list_append(evidence->arena, &evidence->guarded, SIZE_MAX);
	if (field == NULL)
		return TC_LIMIT;
	field->name = arena_copy(evidence->arena, name);
	field->value = arena_copy(evidence->arena, value);
	field->index = ++*count;
	return field->name.data == NULL || field->value.data == NULL ? TC_LIMIT
								     : TC_OK;
}

static bool
is_trusted(const struct evidence *evidence, const struct ipaddr *ip)
{
	return evidence->trusted_relays != NULL &&
	       value_list_has_ip(
		   evidence->trusted_relays, ip, evidence->now_unix);
}

static void
take_peer(struct evidence *evidence)
{
	const struct evidence_connection *connection = evidence->connection;

	evidence->client_is_hop = false;
	evidence->has_client_ip = connection->has_ip;
	evidence->client_ip = connection->ip;
	evidence->client_name = connection->name;
	evidence->helo = connection->helo;
}

/* Walks the Received fields from the top while a trusted relay wrote them. The
 * first client that is none of the relays is the one that is judged. A local
 * field stands where a relay handed the message to itself (a content filter
 * that put it back by the sendmail command). A field that can be read in two
 * ways names no client: one of them is the client's own. */
static void
take_client(struct evidence *evidence)
{
	take_peer(evidence);
	if (!evidence->connection->has_ip ||
	    !is_trusted(evidence, &evidence->connection->ip))
		return;
	for (size_t i = 0; i < evidence->hops.count; i++) {
		struct hop *hop = &evidence->hops.items[i];

		hop->trusted = true;
		if (hop->local)
			continue;
		if (!hop->certain) {
			hop->has_ip = false;
			hop->name = slice_make(NULL, 0);
		}
		if (hop->has_ip && is_trusted(evidence, &hop->ip))
			continue;
		evidence->client_is_hop = true;
		evidence->has_client_ip = hop->has_ip;
		evidence->client_ip = hop->ip;
		evidence->client_name = hop->name;
		evidence->helo = hop->helo;
		return;
	}
}

static bool
is_from_ours(const struct evidence *evidence)
{
	if (evidence->auth_user.length > 0 || evidence->connection->is_local)
		return true;
	if (!evidence->has_client_ip)
		return false;
	/* Postfix shows mail that came by the sendmail command as sent from
	 * the loopback address; so does a relay of ours on this host when no
	 * one outside handed it the message. */
	if (!evidence->client_is_hop &&
	    ipaddr_is_loopback(&evidence->client_ip) &&
	    is_trusted(evidence, &evidence->client_ip))
		return true;
	return evidence->own_networks != NULL &&
	       value_list_has_ip(evidence->own_networks, &evidence->client_ip,
		   evidence->now_unix);
}

void
evidence_place(struct evidence *evidence)
{
	bool leaves = false;

	take_client(evidence);
	evidence->from_ours = is_from_ours(evidence);
	for (size_t i = 0; i < evidence->recipients.count; i++)
		leaves = leaves || !evidence->recipients.items[i].ours;
	if (!evidence->from_ours)
		evidence->direction = EVIDENCE_INBOUND;
	else
		evidence->direction =
		    leaves ? EVIDENCE_OUTBOUND : EVIDENCE_INTERNAL;
}

void
evidence_note_gap(struct evidence *evidence, enum evidence_gap gap)
{
	evidence->gaps |= (unsigned)gap;
}

struct slice
evidence_hit_where(const struct evidence *evidence, const struct match_hit *hit)
{
	const char *where = match_where_name(hit->where);
	const struct mime_parts *parts = message_parts(evidence->message);
	const char *reading = hit->part >= 0 && (size_t)hit->part < parts->count
				  ? parts->items[hit->part].reading
				  : NULL;
	const char *detail = hit->field != NULL ? hit->field : reading;
	char *both;

	if (detail == NULL)
		return slice_text(where);
	both = arena_printf(evidence->arena, "%s:%s", where, detail);
	return slice_text(both == NULL ? where : both);
}

const char *
evidence_gap_name(unsigned gap)
{
	switch ((enum evidence_gap)gap) {
	case EVIDENCE_GAP_LIMIT:
		return "limit";
	case EVIDENCE_GAP_DNS:
		return "dns";
	case EVIDENCE_GAP_SCANNER:
		return "scanner";
	case EVIDENCE_GAP_INTERNAL:
		return "internal";
	case EVIDENCE_GAP_AUTH:
		return "auth";
	case EVIDENCE_GAP_SIZE:
		return "size";
	}
	return "internal";
}

const char *
evidence_direction_name(enum evidence_direction direction)
{
	switch (direction) {
	case EVIDENCE_INBOUND:
		return "inbound";
	case EVIDENCE_OUTBOUND:
		return "outbound";
	case EVIDENCE_INTERNAL:
		return "internal";
	}
	return "inbound";
}
