/*
 * session - one connection of the MTA and the message under way on it
 *
 * A session lives from connect to close and judges any number of messages, one
 * after the other. It belongs to one callback at a time (libmilter sees to
 * that), though each callback may run on another thread.
 *
 * Lifetimes: what the connection told lives in the connection's arena; what a
 * message told lives in the message's arena, which is emptied at MAIL, abort
 * and after the answer.
 */
#ifndef TOCSIN_SESSION_SESSION_H
#define TOCSIN_SESSION_SESSION_H

#include <stdint.h>
#include <time.h>

#include "base/arena.h"
#include "base/status.h"
#include "evidence/evidence.h"
#include "evidence/facts_fill.h"
#include "language/verdict.h"
#include "session/limits.h"

struct alerts;
struct authenticate;
struct eval;
struct facts;
struct journal;
struct matcher;
struct pattern_set;
struct program;
struct program_lists;
struct resolver;
struct scanner;

/* What messages are judged by: the stable part of a policy generation. Whoever
 * sets it on a session keeps it alive until it is replaced, or the session
 * freed. */
struct session_basis {
	const struct program *program;      /* with its settings */
	const struct pattern_set *patterns; /* NULL: searched one by one */
	const struct program_lists *lists;  /* NULL: the program's own */
	const bool *switches;          /* by index; NULL: as in the policy */
	struct resolver *resolver;     /* NULL: no DNS is asked */
	const struct matcher *matcher; /* NULL: no indicators */
	struct scanner *scanner;       /* NULL: parts are not opened */
	uint64_t store_generation;
	uint64_t policy_generation;
};

/* What all sessions of a process share. All members outlive the sessions. */
struct session_shared {
	struct limits *limits;
	struct journal *journal; /* NULL: messages at rest */
	struct alerts *alerts;   /* NULL: alerts are not limited in rate */
};

/* How authentication comes to a message. */
enum session_auth {
	SESSION_AUTH_NOW,      /* evaluate it */
	SESSION_AUTH_RECORDED, /* take it from trusted Authentication-Results */
	SESSION_AUTH_NONE      /* everything is none, analysis incomplete */
};

enum session_stage {
	SESSION_CONNECT,
	SESSION_HELO,
	SESSION_MAIL,
	SESSION_RCPT,
	SESSION_DATA,
	SESSION_HEADER,
	SESSION_END_OF_HEADERS,
	SESSION_BODY,
	SESSION_END_OF_MESSAGE,
	SESSION_STAGES
};

struct session;

/* Makes a session. NULL beyond `limits sessions` or without memory: the caller
 * defers the connection. */
struct session *session_new(
    const struct session_shared *shared, const struct session_basis *basis);
void session_free(struct session **session);

/* Judges by `basis` from now on. Call it before flow_connect() and before each
 * flow_mail(); in between a message keeps what it began with. */
void session_set_basis(
    struct session *session, const struct session_basis *basis);

/* The newest indicators, set before flow_end_of_message() is called for the
 * first time. */
void session_set_matcher(struct session *session, const struct matcher *matcher,
    uint64_t store_generation);

/* For messages at rest: where authentication comes from, the time by which
 * they are judged (0: the clock), and whether each rule's clauses are traced
 * for explain.h. */
void session_set_auth(struct session *session, enum session_auth auth);
void session_set_now(struct session *session, time_t now_unix);
void session_set_trace(struct session *session, bool trace);

/* For messages at rest: indicators count even when they have expired. */
void session_set_any_age(struct session *session, bool any_age);

/* Keeps evidence and verdict after the end of a message, until the next
 * flow_mail(), flow_abort() or session_free(); else they are gone when
 * flow_end_of_message() returns. */
void session_keep(struct session *session);

/* Macros that are wanted at a stage, NULL-terminated, named as smfi_getsymval
 * takes them. Names of more than one letter carry their braces. */
const char *const *session_macros(enum session_stage stage);

/* Tells the value of one macro; NULL and the empty string mean unknown. */
void session_macro(
    struct session *session, const char *name, const char *value);

/* While a flow function returns TC_AGAIN: blocks until some answer came, at
 * most `at_most_ms`, then returns; the caller calls the flow function again.
 * When the session's deadline has passed all that is still missing is given
 * up, so that the next call does not return TC_AGAIN. */
void session_wait(struct session *session, unsigned at_most_ms);

/* The message's queue id, "-" while unknown; lives as long as the message. */
const char *session_queue_id(const struct session *session);

/* What is known and decided about the message under way; NULL before MAIL.
 * Verdict and evaluation are NULL until the end of the message. */
const struct evidence *session_evidence(const struct session *session);
const struct verdict *session_verdict(const struct session *session);
const struct eval *session_eval(const struct session *session);

/* The verdict that refused or deferred the message, or the recipient asked
 * last, before its end, and the stage at which it did; NULL: none has. While
 * one stands, session_eval() is the evaluation behind it. */
const struct verdict *session_refusal(
    const struct session *session, enum schema_stage *stage_out);

/* ---- the rest is for session.c and flow.c */

/* Longest value of a macro that is kept. */
#define SESSION_MACRO_MAX 512

enum session_macro_id {
	SESSION_MACRO_QUEUE_ID,
	SESSION_MACRO_HOSTNAME,
	SESSION_MACRO_DAEMON_NAME,
	SESSION_MACRO_MTA_VERSION,
	SESSION_MACRO_CLIENT_RESOLVE,
	SESSION_MACRO_TLS_VERSION,
	SESSION_MACRO_TLS_CIPHER,
	SESSION_MACRO_TLS_SUBJECT,
	SESSION_MACRO_AUTH_METHOD,
	SESSION_MACRO_AUTH_USER,
	SESSION_MACROS
};

struct session {
	const struct session_shared *shared;
	struct session_basis basis;
	enum session_auth auth;
	time_t fixed_now_unix; /* 0: the clock */
	bool keep;
	bool trace;
	bool any_age;
	char macros[SESSION_MACROS][SESSION_MACRO_MAX];

	struct arena *connection_arena;
	struct evidence_connection connection;

	/* the message under way; `content` holds what it is made of, `arena`
	 * what we know of it, so that a message that fills the one leaves
	 * room to say so in the other */
	struct arena *content;
	struct arena *arena;
	struct evidence *evidence; /* NULL: none is under way */
	struct authenticate *authenticate;
	struct facts *facts;
	struct facts_fill_source source;
	struct eval *eval;
	struct verdict early;   /* of the stages before the end */
	struct verdict refusal; /* of the stage that said no */
	enum schema_stage refused_at;
	bool has_refusal;
	struct verdict verdict;
	bool has_verdict;
	bool headers_ended;
	bool message_ended;
	bool facts_filled;

	/* what a flow function that returned TC_AGAIN waits for */
	bool waiting;
	enum session_stage waiting_at;
	uint64_t wait_deadline_ms; /* monotonic */
	uint64_t asked_ms;         /* when the end of the message came */
};

/* Empties the arenas and begins a message. TC_LIMIT or TC_SYSTEM: it can't be
 * had now. */
enum tc_status session_begin_message(struct session *session);

/* Forgets the message under way, if there is one. */
void session_end_message(struct session *session);

/* Notes that `stage` returns `status`: TC_AGAIN begins the wait, at most for
 * limit_ms from the first time on; all else ends it. Returns `status`. */
enum tc_status session_answer(struct session *session, enum session_stage stage,
    enum tc_status status, uint64_t limit_ms);

/* True when `stage` returned TC_AGAIN before and is now called again. */
bool session_resumes(const struct session *session, enum session_stage stage);

/* The macros that belong to the message and may come late. */
void session_take_macros(struct session *session);

time_t session_now(const struct session *session);

#endif
