#include <config.h>

#include <stdlib.h>

#include "session/session.h"

#include "auth/spf.h"
#include "dns/lookups.h"
#include "evidence/authenticate.h"
#include "evidence/examine.h"
#include "indicator/match.h"
#include "language/eval.h"
#include "language/facts.h"
#include "language/program.h"
#include "message/message.h"
#include "outcome/metrics.h"

/* Macros by stage. {client_resolve} is Sendmail's alone and says whether the
 * client's name was verified; Postfix gives a name only when it was. The queue
 * id is asked for again and again: Postfix knows it after the first accepted
 * recipient. */
static const struct {
	const char *name;
	enum session_macro_id id;
} macro_names[] = {
	{ "i", SESSION_MACRO_QUEUE_ID },
	{ "j", SESSION_MACRO_HOSTNAME },
	{ "v", SESSION_MACRO_MTA_VERSION },
	{ "{daemon_name}", SESSION_MACRO_DAEMON_NAME },
	{ "{client_resolve}", SESSION_MACRO_CLIENT_RESOLVE },
	{ "{tls_version}", SESSION_MACRO_TLS_VERSION },
	{ "{cipher}", SESSION_MACRO_TLS_CIPHER },
	{ "{cert_subject}", SESSION_MACRO_TLS_SUBJECT },
	{ "{auth_type}", SESSION_MACRO_AUTH_METHOD },
	{ "{auth_authen}", SESSION_MACRO_AUTH_USER },
};

static const char *const macros_of_connect[] = { "j", "v", "{daemon_name}",
	"{client_resolve}", NULL };
static const char *const macros_of_helo[] = { "{tls_version}", "{cipher}",
	"{cert_subject}", NULL };
static const char *const macros_of_mail[] = { "i", "{auth_type}",
	"{auth_authen}", "{tls_version}", "{cipher}", "{cert_subject}", NULL };
static const char *const macros_of_message[] = { "i", NULL };
static const char *const macros_of_nothing[] = { NULL };

const char *const *
session_macros(enum session_stage stage)
{
	switch (stage) {
	case SESSION_CONNECT:
		return macros_of_connect;
	case SESSION_HELO:
		return macros_of_helo;
	case SESSION_MAIL:
		return macros_of_mail;
	case SESSION_RCPT:
	case SESSION_DATA:
	case SESSION_END_OF_HEADERS:
	case SESSION_END_OF_MESSAGE:
		return macros_of_message;
	case SESSION_HEADER:
	case SESSION_BODY:
	case SESSION_STAGES:
		break;
	}
	return macros_of_nothing;
}

void
session_macro(struct session *session, const char *name, const char *value)
{
	for (size_t i = 0; i < sizeof macro_names / sizeof macro_names[0];
	     i++) {
		char *kept = session->macros[macro_names[i].id];
		size_t length = value == NULL ? 0 : strlen(value);

		if (strcmp(name, macro_names[i].name) != 0)
			continue;
		if (length >= SESSION_MACRO_MAX)
			length = SESSION_MACRO_MAX - 1;
		if (length > 0)
			memcpy(kept, value, length);
		kept[length] = '\0';
	}
}

struct session *
session_new(
    const struct session_shared *shared, const struct session_basis *basis)
{
	struct session *session;

	if (!limits_session_begin(shared->limits)) {
		metrics_add(METRICS_CONNECTIONS_REFUSED, 1);
		return NULL;
	}
	session = calloc(1, sizeof *session);
	if (session == NULL) {
		limits_session_end(shared->limits);
		return NULL;
	}
	session->shared = shared;
	session->basis = *basis;
	session->connection_arena =
	    arena_new(LIMITS_CONNECTION_ARENA_BYTES, &shared->limits->memory);
	if (session->connection_arena == NULL) {
		session_free(&session);
		return NULL;
	}
	metrics_add(METRICS_CONNECTIONS, 1);
	return session;
}

void
session_free(struct session **session)
{
	if (*session == NULL)
		return;
	session_end_message(*session);
	arena_free(&(*session)->content);
	arena_free(&(*session)->arena);
	arena_free(&(*session)->connection_arena);
	limits_session_end((*session)->shared->limits);
	free(*session);
	*session = NULL;
}

void
session_set_basis(struct session *session, const struct session_basis *basis)
{
	session->basis = *basis;
}

void
session_set_matcher(struct session *session, const struct matcher *matcher,
    uint64_t store_generation)
{
	session->basis.matcher = matcher;
	session->basis.store_generation = store_generation;
}

void
session_set_auth(struct session *session, enum session_auth auth)
{
	session->auth = auth;
}

void
session_set_now(struct session *session, time_t now_unix)
{
	session->fixed_now_unix = now_unix;
}

void
session_set_trace(struct session *session, bool trace)
{
	session->trace = trace;
}

void
session_set_any_age(struct session *session, bool any_age)
{
	session->any_age = any_age;
}

void
session_keep(struct session *session)
{
	session->keep = true;
}

time_t
session_now(const struct session *session)
{
	return session->fixed_now_unix != 0 ? session->fixed_now_unix
					    : time(NULL);
}

static struct slice
macro(const struct session *session, enum session_macro_id id)
{
	return slice_text(session->macros[id]);
}

/* Takes what is known by now. The text lives in the session, which outlives
 * the message, but the MTA may tell it anew: what belongs to the message is
 * copied. */
void
session_take_macros(struct session *session)
{
	struct evidence_connection *connection = &session->connection;
	struct evidence *evidence = session->evidence;

	connection->hostname = macro(session, SESSION_MACRO_HOSTNAME);
	connection->mta_version = macro(session, SESSION_MACRO_MTA_VERSION);
	connection->daemon_name = macro(session, SESSION_MACRO_DAEMON_NAME);
	connection->tls_version = macro(session, SESSION_MACRO_TLS_VERSION);
	connection->tls_cipher = macro(session, SESSION_MACRO_TLS_CIPHER);
	connection->tls_subject = macro(session, SESSION_MACRO_TLS_SUBJECT);
	if (evidence == NULL)
		return;
	/* The MTA may have told a stale id before this message got its own. */
	if (session->macros[SESSION_MACRO_QUEUE_ID][0] != '\0' &&
	    !slice_equal(
		evidence->queue_id, macro(session, SESSION_MACRO_QUEUE_ID)))
		evidence->queue_id = arena_copy(
		    session->arena, macro(session, SESSION_MACRO_QUEUE_ID));
}

/* What parts of a message somebody will ask for. */
static unsigned
message_needs(const struct session *session)
{
	const struct program_needs *needs =
	    program_needs(session->basis.program);
	uint32_t kinds = session->basis.matcher == NULL
			     ? 0
			     : matcher_needs(session->basis.matcher);
	uint32_t members = needs->members[FIELD_ATTACHMENT];
	unsigned wanted = MESSAGE_NEED_URLS | MESSAGE_NEED_SHA256;

	if ((kinds & INDICATOR_KIND_BIT(INDICATOR_MD5)) != 0 ||
	    (members & 1u << FACT_ATTACHMENT_MD5) != 0)
		wanted |= MESSAGE_NEED_MD5;
	if ((kinds & INDICATOR_KIND_BIT(INDICATOR_SHA1)) != 0 ||
	    (members & 1u << FACT_ATTACHMENT_SHA1) != 0)
		wanted |= MESSAGE_NEED_SHA1;
	if ((kinds & INDICATOR_KIND_BIT(INDICATOR_SHA512)) != 0)
		wanted |= MESSAGE_NEED_SHA512;
	if (needs->fields[FIELD_BODY_TEXT] ||
	    (kinds & INDICATOR_KIND_BIT(INDICATOR_ADDRESS)) != 0)
		wanted |= MESSAGE_NEED_TEXT;
	if (session->basis.scanner != NULL)
		wanted |= MESSAGE_NEED_CONTENT;
	return wanted;
}

static bool
make_arenas(struct session *session)
{
	const struct settings *settings =
	    program_settings(session->basis.program);
	size_t ceiling = (size_t)settings->limits.message_memory;
	struct arena_pool *pool = &session->shared->limits->memory;

	if (session->content == NULL)
		session->content = arena_new(ceiling, pool);
	if (session->arena == NULL)
		session->arena = arena_new(ceiling, pool);
	return session->content != NULL && session->arena != NULL;
}

static struct lookups *
make_lookups(struct session *session, const struct settings *settings)
{
	/* No deadline of their own: the time that counts is the time that the
	 * MTA waits for us, not the time that a slow client takes for DATA. */
	struct lookups_limits limits = {
		.queries_max = (unsigned)settings->resolver.queries,
		.answer_bytes_max = (size_t)settings->resolver.answer_bytes,
	};

	return lookups_new(session->arena, session->basis.resolver, &limits);
}

static struct eval *
make_eval(struct session *session)
{
	const struct eval_input input = {
		.program = session->basis.program,
		.lists = session->basis.lists,
		.patterns = session->basis.patterns,
		.switches = session->basis.switches,
		.now = (int64_t)session->evidence->now_unix,
		.trace = session->trace,
	};

	return eval_new(session->arena, &input);
}

enum tc_status
session_begin_message(struct session *session)
{
	const struct settings *settings =
	    program_settings(session->basis.program);
	struct message_limits limits = examine_limits(&settings->limits);
	struct evidence *evidence;

	session_end_message(session);
	if (!make_arenas(session))
		return TC_LIMIT;
	evidence = evidence_new(session->arena, session->basis.program,
	    session->basis.lists, &session->connection, session_now(session));
	if (evidence == NULL)
		return TC_LIMIT;
	session->evidence = evidence;
	evidence->match_at_unix = session->any_age ? 0 : evidence->now_unix;
	evidence->lookups = make_lookups(session, settings);
	evidence->message =
	    message_new(session->content, &limits, message_needs(session));
	evidence->auth_user =
	    arena_copy(session->arena, macro(session, SESSION_MACRO_AUTH_USER));
	evidence->auth_method = arena_copy(
	    session->arena, macro(session, SESSION_MACRO_AUTH_METHOD));
	session_take_macros(session);
	session->facts = facts_new(session->arena);
	session->eval = make_eval(session);
	session->early = verdict_make(session->arena);
	if (session->auth == SESSION_AUTH_NOW && evidence->lookups != NULL)
		session->authenticate = authenticate_new(evidence);
	session->source = (struct facts_fill_source){ .evidence = evidence,
		.authenticate = session->authenticate };
	if (evidence->lookups == NULL || evidence->message == NULL ||
	    session->facts == NULL || session->eval == NULL ||
	    (session->auth == SESSION_AUTH_NOW &&
		session->authenticate == NULL))
		return TC_LIMIT;
	return TC_OK;
}

void
session_end_message(struct session *session)
{
	authenticate_free(&session->authenticate);
	if (session->evidence != NULL)
		lookups_free(&session->evidence->lookups);
	session->evidence = NULL;
	session->facts = NULL;
	session->eval = NULL;
	session->has_verdict = false;
	session->has_refusal = false;
	session->headers_ended = false;
	session->message_ended = false;
	session->facts_filled = false;
	session->waiting = false;
	if (session->content != NULL)
		arena_reset(session->content);
	if (session->arena != NULL)
		arena_reset(session->arena);
}

enum tc_status
session_answer(struct session *session, enum session_stage stage,
    enum tc_status status, uint64_t limit_ms)
{
	if (status != TC_AGAIN) {
		session->waiting = false;
		session->source.gave_up = false;
	} else if (!session->waiting) {
		session->waiting = true;
		session->waiting_at = stage;
		session->wait_deadline_ms = resolver_clock_ms() + limit_ms;
	}
	return status;
}

bool
session_resumes(const struct session *session, enum session_stage stage)
{
	return session->waiting && session->waiting_at == stage;
}

/* At end of message what is missing will never be waited for again; before, a
 * rule does without it, and the answer may still come in time for the end. */
static void
give_up(struct session *session)
{
	if (session->waiting_at != SESSION_END_OF_MESSAGE) {
		session->source.gave_up = true;
		return;
	}
	metrics_add(METRICS_DEADLINES, 1);
	evidence_note_gap(session->evidence, EVIDENCE_GAP_DNS);
	lookups_expire(session->evidence->lookups);
}

void
session_wait(struct session *session, unsigned at_most_ms)
{
	uint64_t now = resolver_clock_ms();
	uint64_t until = now + at_most_ms;

	if (!session->waiting || session->evidence == NULL)
		return;
	if (until > session->wait_deadline_ms)
		until = session->wait_deadline_ms;
	if (now < session->wait_deadline_ms)
		lookups_wait(session->evidence->lookups, until);
	if (resolver_clock_ms() >= session->wait_deadline_ms)
		give_up(session);
}

const char *
session_queue_id(const struct session *session)
{
	const char *id = session->macros[SESSION_MACRO_QUEUE_ID];

	return id[0] == '\0' ? "-" : id;
}

const struct evidence *
session_evidence(const struct session *session)
{
	return session->evidence;
}

const struct verdict *
session_verdict(const struct session *session)
{
	return session->has_verdict ? &session->verdict : NULL;
}

const struct eval *
session_eval(const struct session *session)
{
	return session->has_verdict || session->has_refusal ? session->eval
							    : NULL;
}

const struct verdict *
session_refusal(const struct session *session, enum schema_stage *stage_out)
{
	*stage_out = session->refused_at;
	return session->has_refusal ? &session->refusal : NULL;
}
