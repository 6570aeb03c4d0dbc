/*
 * flow - a message's way through Tocsin, from connect to close
 *
 * Each function is one event of the milter protocol. All return
 *
 *	TC_OK      done; *reply_out (where there is one) is what the MTA is told
 *	TC_AGAIN   an answer from DNS is missing: session_wait(), call again with
 *	           the same arguments
 *	TC_LIMIT   the process has no memory left for this message: defer it
 *	TC_SYSTEM  our own failure: defer it
 *
 * For TC_LIMIT and TC_SYSTEM *reply_out is filled in already, by the setting
 * `failure { internal … }`; the caller returns it as any other reply.
 *
 * Slices are copied where they are kept. After abort, or an answer at end of
 * message, the session is ready for the next flow_mail().
 */
#ifndef TOCSIN_SESSION_FLOW_H
#define TOCSIN_SESSION_FLOW_H

#include "base/ipaddr.h"
#include "base/slice.h"
#include "outcome/apply.h"
#include "session/session.h"

/* The peer as the MTA names it. */
struct flow_peer {
	const char *name; /* as xxfi_connect gives it; may be NULL */
	bool is_local;    /* a unix socket: not by SMTP, so from ours */
	bool has_ip;      /* false: a unix socket, or unknown */
	struct ipaddr ip;
	unsigned port;
};

enum tc_status flow_connect(struct session *session,
    const struct flow_peer *peer, struct apply_reply *reply_out);

/* May come again, after STARTTLS for instance: the last one counts. */
enum tc_status flow_helo(
    struct session *session, struct slice helo, struct apply_reply *reply_out);

/* `sender` and `recipient` as the MTA gives them, with or without angle
 * brackets. flow_mail forgets the message before, if there was one. */
enum tc_status flow_mail(struct session *session, struct slice sender,
    struct apply_reply *reply_out);
enum tc_status flow_rcpt(struct session *session, struct slice recipient,
    struct apply_reply *reply_out);

enum tc_status flow_data(
    struct session *session, struct apply_reply *reply_out);

/* One header field: the value is all octets after the colon, the leading blank
 * included (SMFIP_HDR_LEADSPC), without the last line break. */
enum tc_status flow_header(
    struct session *session, struct slice name, struct slice value);
enum tc_status flow_end_of_headers(struct session *session);
enum tc_status flow_body(struct session *session, struct slice chunk);

/* Judges the message, carries the verdict out through `target`, logs and
 * records it. */
enum tc_status flow_end_of_message(struct session *session,
    const struct apply_target *target, struct apply_reply *reply_out);

/* The MTA gave the message up; the connection goes on. Safe at any time. */
void flow_abort(struct session *session);

#endif
