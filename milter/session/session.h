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
#include "session/limits.h"

struct alerts;
struct evidence;
struct journal;
struct matcher;
struct program;
struct program_lists;
struct resolver;
struct scanner;
struct verdict;

/* What messages are judged by: the stable part of a policy generation. Whoever
 * sets it on a session keeps it alive until it is replaced, or the session
 * freed. */
struct session_basis {
	const struct program *program;     /* with its settings */
	const struct program_lists *lists; /* NULL: the program's own */
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
	struct journal *journal; /* NULL: `evidence off` */
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

/* For messages at rest: where authentication comes from, and the time by which
 * they are judged (0: the clock). */
void session_set_auth(struct session *session, enum session_auth auth);
void session_set_now(struct session *session, time_t now_unix);

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

/* What is known and decided about the message under way; NULL before MAIL. The
 * verdict is NULL until the end of the message. */
const struct evidence *session_evidence(const struct session *session);
const struct verdict *session_verdict(const struct session *session);

#endif
