#include <config.h>

#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "base/log.h"
#include "language/eval.h"
#include "language/program.h"
#include "session/callbacks.h"
#include "session/flow.h"

/* Each sleep ends after this long at the latest; the session's own deadline
 * decides when waiting is over. */
#define WAIT_SLICE_MS 1000

/* One session that waits is taken for a short wait first; when others wait too
 * or it lasts, libmilter may need another thread. */
#define WAIT_ALONE_MS 20

/* How often the MTA hears at end of message that we are alive. Well below any
 * time-out an MTA has there. */
#define PROGRESS_EVERY_S 5

/* What we may ask for at end of message. */
#define WANTED_ACTIONS \
	(SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_ADDRCPT)

/* Steps that need no answer, headers with their leading blank, and nothing for
 * commands that we don't know. */
#define WANTED_STEPS                                                   \
	(SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY | \
	    SMFIP_HDR_LEADSPC | SMFIP_NOUNKNOWN)

/* One connection of the MTA. The generations are kept because the session may
 * hold what points into them: what it found at connect, at the last HELO and
 * for the message under way. */
struct connection {
	struct session *session;
	struct generation *connected;
	struct generation *greeted;
	struct generation *judging;
	struct generation *matching;
	unsigned long steps;
	unsigned long actions;
	bool in_message;
	const char *receiving;  /* what came last of a message; NULL: none */
	enum tc_status trouble; /* met where no reply could be given */
	bool greeting_failed;   /* the same at connect or HELO */
};

static const struct callbacks_setup *setup;
static atomic_bool draining;
static atomic_uint connections;
static atomic_uint messages;
static atomic_uint waiting;

void
callbacks_drain(void)
{
	atomic_store(&draining, true);
}

unsigned
callbacks_connections(void)
{
	return atomic_load(&connections);
}

unsigned
callbacks_messages(void)
{
	return atomic_load(&messages);
}

static void
message_begins(struct connection *connection)
{
	if (!connection->in_message)
		atomic_fetch_add(&messages, 1);
	connection->in_message = true;
	connection->trouble = TC_OK;
}

static void
message_ends(struct connection *connection)
{
	if (connection->in_message)
		atomic_fetch_sub(&messages, 1);
	connection->in_message = false;
	connection->receiving = NULL;
	generation_release(&connection->matching);
}

/* Sleeps until an answer from DNS may be there; *turns counts the sleeps of
 * this callback. */
static void
wait_for_answer(struct connection *connection, unsigned *turns)
{
	bool alone = atomic_fetch_add(&waiting, 1) == 0;
	bool brief = alone && *turns == 0;

	if (!brief && *turns < 2 && setup->before_wait != NULL)
		setup->before_wait();
	session_wait(
	    connection->session, brief ? WAIT_ALONE_MS : WAIT_SLICE_MS);
	(*turns)++;
	atomic_fetch_sub(&waiting, 1);
}

/* ---- answers */

/* In a reply's text '%' stands doubled (smfi_setreply). */
static void
double_percent(const char *text, char *out, size_t size)
{
	size_t used = 0;

	for (; *text != '\0' && used + 3 < size; text++) {
		out[used++] = *text;
		if (*text == '%')
			out[used++] = '%';
	}
	out[used] = '\0';
}

static sfsistat
answer(SMFICTX *context, const struct apply_reply *reply, bool may_set_reply)
{
	char text[APPLY_REPLY_TEXT_MAX];
	char code[sizeof reply->code];
	char enhanced[sizeof reply->enhanced];

	if (may_set_reply &&
	    (reply->answer == APPLY_REJECT || reply->answer == APPLY_DEFER)) {
		memcpy(code, reply->code, sizeof code);
		memcpy(enhanced, reply->enhanced, sizeof enhanced);
		double_percent(reply->text, text, sizeof text);
		if (smfi_setreply(context, code,
			enhanced[0] == '\0' ? NULL : enhanced,
			text) != MI_SUCCESS)
			log_write(LOG_LEVEL_WARNING,
			    "the reply \"%s %s\" was not taken by libmilter; "
			    "the default is sent",
			    code, enhanced);
	}
	switch (reply->answer) {
	case APPLY_CONTINUE:
		return SMFIS_CONTINUE;
	case APPLY_REJECT:
		return SMFIS_REJECT;
	case APPLY_DEFER:
		return SMFIS_TEMPFAIL;
	case APPLY_DISCARD:
		return SMFIS_DISCARD;
	}
	return SMFIS_TEMPFAIL;
}

/* Says that we could not do our work; the MTA is asked to try again. */
static sfsistat
defer(SMFICTX *context, const char *why, bool may_set_reply)
{
	struct apply_reply reply = {
		.answer = APPLY_DEFER, .code = "451", .enhanced = "4.3.0"
	};

	snprintf(reply.text, sizeof reply.text, "%s", why);
	return answer(context, &reply, may_set_reply);
}

static const char *
session_name(const struct connection *connection)
{
	const char *id = NULL;

	if (connection != NULL && connection->session != NULL)
		id = session_queue_id(connection->session);
	return id == NULL ? "-" : id;
}

static void
log_trouble(const struct connection *connection, const char *stage,
    enum tc_status status)
{
	if (status != TC_OK && status != TC_AGAIN)
		log_write(LOG_LEVEL_ERROR,
		    "%s: internal stage=%s status=%s connections=%u",
		    session_name(connection), stage, status_name(status),
		    callbacks_connections());
}

/* A step without a reply: what goes wrong is answered at end of message. */
static sfsistat
unanswered(struct connection *connection, unsigned long no_reply,
    const char *stage, enum tc_status status)
{
	if (status != TC_OK && status != TC_AGAIN &&
	    connection->trouble == TC_OK) {
		log_trouble(connection, stage, status);
		connection->trouble = status;
	}
	return connection->steps & no_reply ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

/* Connect and HELO: what goes wrong is answered at MAIL, where the rules of
 * both run again. */
static sfsistat
answer_greeting(SMFICTX *context, struct connection *connection,
    unsigned long no_reply, const struct apply_reply *reply, bool may_set_reply)
{
	if (!(connection->steps & no_reply))
		return answer(context, reply, may_set_reply);
	if (reply->answer != APPLY_CONTINUE)
		connection->greeting_failed = true;
	return SMFIS_NOREPLY;
}

static sfsistat
no_session(const struct connection *connection, unsigned long no_reply)
{
	return connection != NULL && (connection->steps & no_reply)
		   ? SMFIS_NOREPLY
		   : SMFIS_TEMPFAIL;
}

/* ---- negotiation */

static void
ask_for_macros(SMFICTX *context, int milter_stage, enum session_stage stage)
{
	const char *const *names = session_macros(stage);
	char list[512] = "";
	size_t used = 0;

	for (; names != NULL && *names != NULL; names++) {
		int added = snprintf(list + used, sizeof list - used, "%s%s",
		    used == 0 ? "" : " ", *names);

		if (added < 0 || (size_t)added >= sizeof list - used)
			break;
		used += (size_t)added;
	}
	list[used] = '\0';
	if (used > 0)
		(void)smfi_setsymlist(context, milter_stage, list);
}

static void
ask_for_all_macros(SMFICTX *context)
{
	ask_for_macros(context, SMFIM_CONNECT, SESSION_CONNECT);
	ask_for_macros(context, SMFIM_HELO, SESSION_HELO);
	ask_for_macros(context, SMFIM_ENVFROM, SESSION_MAIL);
	ask_for_macros(context, SMFIM_ENVRCPT, SESSION_RCPT);
	ask_for_macros(context, SMFIM_DATA, SESSION_DATA);
	ask_for_macros(context, SMFIM_EOH, SESSION_END_OF_HEADERS);
	ask_for_macros(context, SMFIM_EOM, SESSION_END_OF_MESSAGE);
}

/* Connect and HELO are answered only where a rule may object to them. One
 * that a later policy brings acts at MAIL. */
static unsigned long
steps_wanted(void)
{
	struct generation *generation =
	    generation_slot_take(setup->generations);
	unsigned long steps = WANTED_STEPS;
	const struct program *program;

	if (generation == NULL)
		return steps;
	program = generation_basis(generation)->program;
	if (!eval_has_stage(program, STAGE_CONNECT))
		steps |= SMFIP_NR_CONN;
	if (!eval_has_stage(program, STAGE_HELO))
		steps |= SMFIP_NR_HELO;
	generation_release(&generation);
	return steps;
}

static sfsistat
on_negotiate(SMFICTX *context, unsigned long offered_actions,
    unsigned long offered_steps, unsigned long reserved2,
    unsigned long reserved3, unsigned long *actions_out,
    unsigned long *steps_out, unsigned long *reserved2_out,
    unsigned long *reserved3_out)
{
	struct connection *connection = calloc(1, sizeof *connection);

	(void)reserved2;
	(void)reserved3;
	if (connection == NULL)
		return SMFIS_REJECT;
	connection->actions = WANTED_ACTIONS & offered_actions;
	connection->steps = steps_wanted() & offered_steps;
	if (connection->actions != WANTED_ACTIONS)
		log_write(LOG_LEVEL_WARNING,
		    "the MTA offers actions 0x%lx only, not all of 0x%lx: "
		    "what policies ask for may be impossible",
		    offered_actions, (unsigned long)WANTED_ACTIONS);
	if (offered_actions & SMFIF_SETSYMLIST)
		ask_for_all_macros(context);
	if (smfi_setpriv(context, connection) != MI_SUCCESS) {
		free(connection);
		return SMFIS_REJECT;
	}
	*actions_out =
	    connection->actions | (offered_actions & SMFIF_SETSYMLIST);
	*steps_out = connection->steps;
	*reserved2_out = 0;
	*reserved3_out = 0;
	return SMFIS_CONTINUE;
}

/* ---- the steps of a session */

/* The connection, when there is a session to work with. */
static struct connection *
connection_of(SMFICTX *context)
{
	struct connection *connection = smfi_getpriv(context);

	return connection == NULL || connection->session == NULL ? NULL
								 : connection;
}

static void
take_macros(
    SMFICTX *context, struct connection *connection, enum session_stage stage)
{
	const char *const *names = session_macros(stage);

	for (; names != NULL && *names != NULL; names++) {
		char name[64];

		/* smfi_getsymval takes a writable string. */
		snprintf(name, sizeof name, "%s", *names);
		session_macro(
		    connection->session, *names, smfi_getsymval(context, name));
	}
}

static struct flow_peer
peer_of(const char *name, const struct sockaddr *address)
{
	struct flow_peer peer = { .name = name };
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;

	if (address == NULL)
		return peer;
	switch (address->sa_family) {
	case AF_INET:
		memcpy(&v4, address, sizeof v4);
		peer.has_ip = true;
		peer.ip = ipaddr_from_v4((const uint8_t *)&v4.sin_addr);
		peer.port = ntohs(v4.sin_port);
		break;
	case AF_INET6:
		memcpy(&v6, address, sizeof v6);
		peer.has_ip = true;
		peer.ip = ipaddr_from_v6(v6.sin6_addr.s6_addr);
		peer.port = ntohs(v6.sin6_port);
		break;
	case AF_UNIX:
		peer.is_local = true;
		break;
	default:
		break;
	}
	return peer;
}

/* Binds the session to the newest generation. False before there is one. */
static bool
take_generation(struct connection *connection)
{
	struct generation *old = connection->judging;

	connection->judging = generation_slot_take(setup->generations);
	if (connection->judging == NULL) {
		connection->judging = old;
		return false;
	}
	if (connection->session != NULL)
		session_set_basis(
		    connection->session, generation_basis(connection->judging));
	generation_release(&old);
	return true;
}

static sfsistat
on_connect(SMFICTX *context, char *name, _SOCK_ADDR *address)
{
	struct connection *connection = smfi_getpriv(context);
	struct flow_peer peer = peer_of(name, address);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;
	unsigned turns = 0;

	if (connection == NULL || connection->session != NULL ||
	    !take_generation(connection))
		return no_session(connection, SMFIP_NR_CONN);
	connection->connected = generation_retain(connection->judging);
	connection->session =
	    session_new(&setup->shared, generation_basis(connection->judging));
	if (connection->session == NULL) {
		log_write(LOG_LEVEL_WARNING,
		    "-: connection deferred connections=%u: beyond limits "
		    "sessions or memory",
		    callbacks_connections());
		return no_session(connection, SMFIP_NR_CONN);
	}
	atomic_fetch_add(&connections, 1);
	take_macros(context, connection, SESSION_CONNECT);
	while ((status = flow_connect(connection->session, &peer, &reply)) ==
	       TC_AGAIN)
		wait_for_answer(connection, &turns);
	log_trouble(connection, "connect", status);
	return answer_greeting(
	    context, connection, SMFIP_NR_CONN, &reply, false);
}

static sfsistat
on_helo(SMFICTX *context, char *helo)
{
	struct connection *connection = connection_of(context);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;
	unsigned turns = 0;

	if (connection == NULL)
		return no_session(smfi_getpriv(context), SMFIP_NR_HELO);
	generation_release(&connection->greeted);
	connection->greeted = generation_retain(connection->judging);
	take_macros(context, connection, SESSION_HELO);
	while ((status = flow_helo(
		    connection->session, slice_text(helo), &reply)) == TC_AGAIN)
		wait_for_answer(connection, &turns);
	log_trouble(connection, "helo", status);
	return answer_greeting(
	    context, connection, SMFIP_NR_HELO, &reply, true);
}

static sfsistat
on_mail(SMFICTX *context, char **arguments)
{
	struct connection *connection = connection_of(context);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;
	unsigned turns = 0;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	if (atomic_load(&draining))
		return defer(context, "Service restarts, try again", true);
	if (connection->greeting_failed)
		return defer(context,
		    "This session could not be examined, try again", true);
	message_ends(connection);
	if (!take_generation(connection))
		return defer(context, "Service starts, try again", true);
	message_begins(connection);
	take_macros(context, connection, SESSION_MAIL);
	while ((status = flow_mail(connection->session,
		    slice_text(arguments[0]), &reply)) == TC_AGAIN)
		wait_for_answer(connection, &turns);
	log_trouble(connection, "mail", status);
	if (reply.answer != APPLY_CONTINUE)
		message_ends(connection);
	return answer(context, &reply, true);
}

static sfsistat
on_rcpt(SMFICTX *context, char **arguments)
{
	struct connection *connection = connection_of(context);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;
	unsigned turns = 0;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	take_macros(context, connection, SESSION_RCPT);
	while ((status = flow_rcpt(connection->session,
		    slice_text(arguments[0]), &reply)) == TC_AGAIN)
		wait_for_answer(connection, &turns);
	log_trouble(connection, "rcpt", status);
	return answer(context, &reply, true);
}

static sfsistat
on_data(SMFICTX *context)
{
	struct connection *connection = connection_of(context);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	take_macros(context, connection, SESSION_DATA);
	connection->receiving = "data";
	status = flow_data(connection->session, &reply);
	if (!(connection->steps & SMFIP_NR_DATA) &&
	    reply.answer != APPLY_CONTINUE) {
		log_trouble(connection, "data", status);
		return answer(context, &reply, true);
	}
	return unanswered(connection, SMFIP_NR_DATA, "data", status);
}

static sfsistat
on_header(SMFICTX *context, char *name, char *value)
{
	struct connection *connection = connection_of(context);
	enum tc_status status = TC_OK;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	connection->receiving = "header";
	if (connection->trouble == TC_OK)
		status = flow_header(
		    connection->session, slice_text(name), slice_text(value));
	return unanswered(connection, SMFIP_NR_HDR, "header", status);
}

static sfsistat
on_end_of_headers(SMFICTX *context)
{
	struct connection *connection = connection_of(context);
	enum tc_status status = TC_OK;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	take_macros(context, connection, SESSION_END_OF_HEADERS);
	if (connection->trouble == TC_OK)
		status = flow_end_of_headers(connection->session);
	return unanswered(connection, SMFIP_NR_EOH, "end-of-headers", status);
}

static sfsistat
on_body(SMFICTX *context, unsigned char *octets, size_t length)
{
	struct connection *connection = connection_of(context);
	enum tc_status status = TC_OK;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	connection->receiving = "body";
	if (connection->trouble == TC_OK)
		status =
		    flow_body(connection->session, slice_make(octets, length));
	return unanswered(connection, SMFIP_NR_BODY, "body", status);
}

/* ---- edits at end of message */

static bool
insert_header(
    void *context, unsigned index, const char *name, const char *value)
{
	return smfi_insheader(context, (int)index, (char *)(uintptr_t)name,
		   (char *)(uintptr_t)value) == MI_SUCCESS;
}

static bool
add_header(void *context, const char *name, const char *value)
{
	return smfi_addheader(context, (char *)(uintptr_t)name,
		   (char *)(uintptr_t)value) == MI_SUCCESS;
}

static bool
change_header(
    void *context, const char *name, unsigned index, const char *value)
{
	return smfi_chgheader(context, (char *)(uintptr_t)name, (int)index,
		   (char *)(uintptr_t)value) == MI_SUCCESS;
}

static bool
delete_header(void *context, const char *name, unsigned index)
{
	return smfi_chgheader(context, (char *)(uintptr_t)name, (int)index,
		   NULL) == MI_SUCCESS;
}

static bool
add_recipient(void *context, const char *address)
{
	return smfi_addrcpt(context, (char *)(uintptr_t)address) == MI_SUCCESS;
}

static bool
quarantine(void *context, const char *reason)
{
	return smfi_quarantine(context, (char *)(uintptr_t)reason) ==
	       MI_SUCCESS;
}

/* The newest indicators, when they belong to the policy that judges. */
static void
take_indicators(struct connection *connection)
{
	struct generation *newest = generation_slot_take(setup->generations);

	generation_release(&connection->matching);
	if (newest == NULL ||
	    !generation_same_policy(newest, connection->judging)) {
		generation_release(&newest);
		newest = generation_retain(connection->judging);
	}
	connection->matching = newest;
	session_set_matcher(connection->session, generation_matcher(newest),
	    generation_basis(newest)->store_generation);
}

static enum tc_status
judge(
    SMFICTX *context, struct connection *connection, struct apply_reply *reply)
{
	const struct apply_target target = {
		.context = context,
		.insert_header = insert_header,
		.add_header = add_header,
		.change_header = change_header,
		.delete_header = delete_header,
		.add_recipient = add_recipient,
		.quarantine = quarantine,
	};
	time_t told = time(NULL);
	enum tc_status status;
	unsigned turns = 0;

	while ((status = flow_end_of_message(
		    connection->session, &target, reply)) == TC_AGAIN) {
		wait_for_answer(connection, &turns);
		if (time(NULL) - told >= PROGRESS_EVERY_S) {
			(void)smfi_progress(context);
			told = time(NULL);
		}
	}
	return status;
}

static sfsistat
on_end_of_message(SMFICTX *context)
{
	struct connection *connection = connection_of(context);
	struct apply_reply reply = { .answer = APPLY_CONTINUE };
	enum tc_status status;
	sfsistat result;

	if (connection == NULL)
		return SMFIS_TEMPFAIL;
	take_macros(context, connection, SESSION_END_OF_MESSAGE);
	if (connection->trouble != TC_OK) {
		flow_abort(connection->session);
		message_ends(connection);
		return defer(context,
		    "This message could not be examined now, try again", true);
	}
	take_indicators(connection);
	status = judge(context, connection, &reply);
	log_trouble(connection, "end-of-message", status);
	result = answer(context, &reply, true);
	message_ends(connection);
	return result;
}

/* libmilter calls this as well before it drops a connection that was lost, or
 * on which a packet came that is larger than smfi_setmaxdatasize() allows. */
static sfsistat
on_abort(SMFICTX *context)
{
	struct connection *connection = connection_of(context);

	if (connection != NULL) {
		if (connection->receiving != NULL)
			log_write(LOG_LEVEL_NOTICE,
			    "%s: message without an end, broken off after=%s: "
			    "the mail server took it back or was lost, or sent "
			    "a packet beyond 1048575 bytes",
			    session_name(connection), connection->receiving);
		flow_abort(connection->session);
		message_ends(connection);
	}
	return SMFIS_CONTINUE;
}

static sfsistat
on_close(SMFICTX *context)
{
	struct connection *connection = smfi_getpriv(context);

	if (connection == NULL)
		return SMFIS_CONTINUE;
	(void)smfi_setpriv(context, NULL);
	if (connection->session != NULL) {
		session_free(&connection->session);
		atomic_fetch_sub(&connections, 1);
	}
	message_ends(connection);
	generation_release(&connection->judging);
	generation_release(&connection->greeted);
	generation_release(&connection->connected);
	free(connection);
	return SMFIS_CONTINUE;
}

bool
callbacks_register(const struct callbacks_setup *shared_setup)
{
	struct smfiDesc description = {
		.xxfi_name = (char[]){ "tocsin" },
		.xxfi_version = SMFI_VERSION,
		.xxfi_flags = WANTED_ACTIONS | SMFIF_SETSYMLIST,
		.xxfi_connect = on_connect,
		.xxfi_helo = on_helo,
		.xxfi_envfrom = on_mail,
		.xxfi_envrcpt = on_rcpt,
		.xxfi_header = on_header,
		.xxfi_eoh = on_end_of_headers,
		.xxfi_body = on_body,
		.xxfi_eom = on_end_of_message,
		.xxfi_abort = on_abort,
		.xxfi_close = on_close,
		.xxfi_data = on_data,
		.xxfi_negotiate = on_negotiate,
	};

	setup = shared_setup;
	return smfi_register(description) == MI_SUCCESS;
}
