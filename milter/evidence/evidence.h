/*
 * evidence - all that is known of one message
 *
 * Reads:    connection, envelope and macros as the session hears them; the
 *           parsed message; the results of SPF, DKIM, DMARC and ARC
 * Produces: one structure from which observables, policy facts, the log line,
 *           the record and `scan --explain` are drawn; no one else asks the
 *           stages before it
 *
 * Everything lives in the message's arena or, for what the connection told, in
 * the connection's. Nothing here fails because of what a message holds: what
 * is odd or could not be looked into is a note (enum evidence_gap).
 */
#ifndef TOCSIN_EVIDENCE_EVIDENCE_H
#define TOCSIN_EVIDENCE_EVIDENCE_H

#include <stdint.h>
#include <time.h>

#include "base/address.h"
#include "base/arena.h"
#include "base/ipaddr.h"
#include "base/list.h"
#include "base/status.h"
#include "base/table.h"
#include "evidence/hop.h"

struct arc_outcome;
struct dkim_verify_outcome;
struct dmarc_outcome;
struct lookups;
struct inspection;
struct match_hit;
struct message;
struct program;
struct program_needs;
struct program_lists;
struct settings;
struct spf_outcome;
struct spf_query;
struct value_list;

/* Postfix and Sendmail stop well below this. */
#define EVIDENCE_RECIPIENTS_MAX 100000

/* tocsin-policy(5), "Who is ours". */
enum evidence_direction {
	EVIDENCE_INBOUND,
	EVIDENCE_OUTBOUND,
	EVIDENCE_INTERNAL
};

/* Why an analysis is incomplete; several may hold. */
enum evidence_gap {
	EVIDENCE_GAP_LIMIT = 1 << 0,   /* a limit of ours cut the analysis */
	EVIDENCE_GAP_DNS = 1 << 1,     /* the deadline passed, or a temperror */
	EVIDENCE_GAP_SCANNER = 1 << 2, /* a decoder died or overran */
	EVIDENCE_GAP_INTERNAL = 1 << 3, /* our own failure */
	EVIDENCE_GAP_AUTH = 1 << 4,     /* authentication was not asked for */
	EVIDENCE_GAP_SIZE = 1 << 5      /* beyond `message-size` */
};

#define EVIDENCE_GAP_COUNT 6

/* What the connection told; kept from message to message. */
struct evidence_connection {
	bool is_local; /* a unix socket: not by SMTP */
	bool has_ip;
	struct ipaddr ip;
	unsigned port;
	struct slice name; /* verified host name; empty: none */
	struct slice helo;
	struct slice tls_version;
	struct slice tls_cipher;
	struct slice tls_subject;
	struct slice daemon_name;
	struct slice hostname;    /* macro j */
	struct slice mta_version; /* macro v */
};

struct evidence_recipient {
	struct slice text; /* as given, without angle brackets */
	bool is_address;
	struct address address;
	bool ours; /* under own-domains */
};

/* A field that only we, or a rule of ours, may write. */
struct evidence_field {
	struct slice name; /* as the MTA gave it */
	struct slice value;
	unsigned index; /* from 1, among fields of that name in any case */
};

struct evidence {
	struct arena *arena;
	const struct settings *settings;
	const struct program_needs *needs;
	const struct value_list *own_domains; /* NULL: not set */
	const struct value_list *own_networks;
	const struct value_list *trusted_relays;
	const struct value_list *trusted_ids; /* of Authentication-Results */
	const char *const *own_headers;       /* which loaded rules may add */
	unsigned own_header_count;
	const struct evidence_connection *connection;
	struct lookups *lookups; /* NULL: none were asked */
	time_t now_unix;
	time_t match_at_unix; /* ends indicators; 0: none ends */
	char reference[16];   /* names this message towards the outside */

	/* the client that is judged: the peer, or the first hop outside the
	 * trusted relays */
	bool client_is_hop;
	bool has_client_ip;
	struct ipaddr client_ip;
	struct slice client_name;
	struct slice helo;

	struct slice queue_id;
	struct slice auth_user; /* empty: no login */
	struct slice auth_method;
	bool from_ours;
	enum evidence_direction direction;

	struct slice sender_text; /* as given, no angle brackets; empty: <> */
	bool sender_is_address;
	struct address sender;
	LIST_OF(struct evidence_recipient) recipients;

	struct message *message;
	const struct inspection *inspection; /* NULL: no scanner looked */
	uint64_t header_bytes;
	uint64_t body_bytes;
	uint64_t size_bytes; /* of the message: both and the line between */
	LIST_OF(struct hop) hops; /* from the top down */
	/* All of them, also beyond the limits of the message's parser: a
	 * forged field must not hide behind two thousand others. */
	LIST_OF(struct evidence_field) guarded;
	struct table guarded_counts;

	/* NULL: not evaluated, which reads as none */
	const struct spf_outcome *spf;
	const struct spf_query *spf_query; /* what SPF was asked */
	const struct dkim_verify_outcome *dkim;
	const struct dmarc_outcome *dmarc;
	const struct arc_outcome *arc;
	bool resolver_down;

	const struct match_hit *hits;
	size_t hit_count;
	bool hits_looked_up;

	unsigned gaps; /* enum evidence_gap bits */
	uint64_t store_generation;
	const char *policy_hash;
	unsigned took_ms;           /* at end of message */
	const char *preserved_path; /* NULL: not kept */
	bool preserve_failed;       /* should have been */
};

/* A new evidence in `arena`; NULL at its ceiling. `lists` NULL: the program's
 * own. */
struct evidence *evidence_new(struct arena *arena,
    const struct program *program, const struct program_lists *lists,
    const struct evidence_connection *connection, time_t now_unix);

enum tc_status evidence_set_sender(
    struct evidence *evidence, struct slice sender);

/* TC_LIMIT beyond EVIDENCE_RECIPIENTS_MAX or at the arena's ceiling. */
enum tc_status evidence_add_recipient(
    struct evidence *evidence, struct slice recipient);

/* One Received field, in the order of the message. Beyond a bound further ones
 * are left out. */
void evidence_add_hop(struct evidence *evidence, struct slice value);

/* One field of the message: kept in `guarded` when it is one of those. TC_LIMIT
 * at the arena's ceiling. */
enum tc_status evidence_guard(
    struct evidence *evidence, struct slice name, struct slice value);

/* True for the names of Authentication-Results, X-Tocsin-… and the headers that
 * loaded rules add. */
bool evidence_is_guarded(const struct evidence *evidence, struct slice name);

/* Finds the client that is judged, whether the message is ours, and its
 * direction. Call it at each stage that needs them: with what is known then
 * (at MAIL the recipients and Received fields are not). */
void evidence_place(struct evidence *evidence);

void evidence_note_gap(struct evidence *evidence, enum evidence_gap gap);

/* "limit", "dns", ...: one bit's name. */
const char *evidence_gap_name(unsigned gap);

/* Where a hit stood: "attachment", "link", ... When only another reading of
 * the part has it (message/mime.h) its name follows: "attachment:base64-stop";
 * of another header field the name does: "header:list-unsubscribe".
 * In the evidence's arena. */
struct slice evidence_hit_where(
    const struct evidence *evidence, const struct match_hit *hit);

const char *evidence_direction_name(enum evidence_direction direction);

#endif
