/*
 * replay - hands a message at rest to the flow, as an MTA would have done
 *
 * Reads:    the octets of a message, and the envelope as far as it is given
 * Produces: evidence and verdict in the session
 *
 * The MTA's own Received field is not shown to a milter: it is taken off, and
 * client and HELO are derived from it. What is derived is marked, for an
 * operator must know what was not on record. Line ends of any form are handed
 * over as an MTA does (headers LF, body CRLF).
 */
#ifndef TOCSIN_TOOL_REPLAY_H
#define TOCSIN_TOOL_REPLAY_H

#include "base/list.h"
#include "language/explain.h"
#include "session/flow.h"

#define REPLAY_RECIPIENTS_MAX 1000

/* The envelope; what is NULL or empty is derived from the message. */
struct replay_envelope {
	const char *client; /* address in text form */
	const char *helo;
	const char *mail_from;
	const char *auth_user;
	const char *const *recipients;
	size_t recipient_count;
};

enum replay_derived {
	REPLAY_CLIENT = 1 << 0,
	REPLAY_HELO = 1 << 1,
	REPLAY_MAIL_FROM = 1 << 2,
	REPLAY_RCPT = 1 << 3
};

/* One edit that the MTA would have been asked for. */
struct replay_edit {
	const char *what; /* "insert", "add", "change", "delete", ... */
	unsigned index;
	struct slice name, value;
};

/* A recipient that a rule refused. */
struct replay_refusal {
	struct slice recipient;
	const char *rule; /* "" when none decided */
	struct apply_reply reply;
	/* Why, clause by clause, when that was asked for: the evaluation of one
	 * recipient is gone when the next is asked. */
	struct slice clauses;
};

struct replay_result {
	unsigned derived;     /* enum replay_derived bits */
	time_t received_unix; /* from the topmost Received field; 0: none */
	struct apply_reply reply;
	struct slice message_id; /* also of a message that was refused early */
	LIST_OF(struct replay_edit) edits;
	LIST_OF(struct replay_refusal) refused;
};

/* What the reply is that ended a message early. */
enum disposition replay_early_disposition(const struct replay_result *result);

/* When the message was received, by its topmost Received field with a date,
 * else by Date; 0: unknown. */
time_t replay_received(struct slice raw);

/* Plays the message through `session`, which keeps evidence and verdict
 * (session_keep()). `explain` is how refusals are explained, NULL: not at all.
 * The result lives in `arena`. Returns as
 * flow_end_of_message(), never TC_AGAIN; an early reply ends the play with
 * TC_OK and that reply, as it does when every recipient is refused. */
enum tc_status replay_message(struct session *session, struct arena *arena,
    struct slice raw, const struct replay_envelope *envelope,
    const struct explain_options *explain, struct replay_result *result_out);

#endif
