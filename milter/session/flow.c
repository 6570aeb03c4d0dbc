#include <config.h>

#include "session/flow.h"

#include "dns/lookups.h"
#include "evidence/authenticate.h"
#include "evidence/examine.h"
#include "evidence/observe.h"
#include "evidence/recorded.h"
#include "language/eval.h"
#include "language/facts.h"
#include "language/program.h"
#include "message/message.h"
#include "outcome/conclude.h"

/* ---- judging before the end of the message */

static bool
has_early_rules(const struct session *session, enum schema_stage last)
{
	for (unsigned stage = STAGE_CONNECT; stage <= last; stage++)
		if (eval_has_stage(
			session->basis.program, (enum schema_stage)stage))
			return true;
	return false;
}

/* Runs the rules of the stages `first` to `last` over what is known. What they
 * found is kept for the end of the message, unless it ends here. */
static enum tc_status
judge_early(struct session *session, enum schema_stage first,
    enum schema_stage last, struct apply_reply *reply_out)
{
	struct verdict all = verdict_make(session->arena);
	enum tc_status status;

	*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
	if (!has_early_rules(session, last))
		return TC_OK;
	status = facts_fill_early(session->facts, &session->source, last);
	for (unsigned stage = first; stage <= last; stage++) {
		struct verdict verdict = verdict_make(session->arena);

		if (!eval_has_stage(
			session->basis.program, (enum schema_stage)stage))
			continue;
		status = eval_run(session->eval, (enum schema_stage)stage,
		    session->facts, &verdict);
		if (status == TC_AGAIN)
			return status;
		verdict_join(&all, &verdict);
	}
	apply_early(session->evidence, &all, reply_out);
	conclude_early(session->evidence, &all, session->shared->journal, last);
	session->has_refusal = reply_out->answer != APPLY_CONTINUE;
	session->refusal = all;
	session->refused_at = (enum schema_stage)last;
	if (!session->has_refusal)
		verdict_join(&session->early, &all);
	return status;
}

/* Rules at connect and HELO: nothing of a message is there yet, so an empty
 * one stands for it. They run again at MAIL, where the message's own policy
 * generation finds what they tag. */
static enum tc_status
judge_greeting(struct session *session, enum schema_stage stage,
    struct apply_reply *reply_out)
{
	enum tc_status status = TC_OK;

	*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
	if (!eval_has_stage(session->basis.program, stage))
		return TC_OK;
	status = session_begin_message(session);
	if (status == TC_OK) {
		evidence_place(session->evidence);
		status = judge_early(session, stage, stage, reply_out);
	}
	if (!session->keep || !session->has_refusal)
		session_end_message(session);
	return status == TC_AGAIN ? TC_OK : status;
}

static const struct settings *
settings_of(const struct session *session)
{
	return program_settings(session->basis.program);
}

/* Ends a step before the end of the message. */
static enum tc_status
answer_early(struct session *session, enum session_stage stage,
    enum tc_status status, struct apply_reply *reply_out)
{
	if (status != TC_OK && status != TC_AGAIN)
		conclude_failure(session->evidence, settings_of(session),
		    limits_memory_is_full(session->shared->limits), NULL,
		    status, reply_out);
	return session_answer(session, stage, status,
	    settings_of(session)->resolver.early_deadline);
}

/* ---- connection and envelope */

enum tc_status
flow_connect(struct session *session, const struct flow_peer *peer,
    struct apply_reply *reply_out)
{
	struct slice name = slice_text(peer->name);
	struct slice resolve =
	    slice_text(session->macros[SESSION_MACRO_CLIENT_RESOLVE]);

	/* An unverified client is "unknown" or its address in brackets. */
	if ((name.length > 0 && name.data[0] == '[') ||
	    slice_equal_text_fold(name, "unknown") ||
	    (resolve.length > 0 && !slice_equal_text_fold(resolve, "OK")))
		name = slice_make(NULL, 0);
	session->connection.is_local = peer->is_local;
	session->connection.has_ip = peer->has_ip;
	session->connection.ip = peer->ip;
	session->connection.port = peer->port;
	session->connection.name = arena_copy(session->connection_arena, name);
	session_take_macros(session);
	return answer_early(session, SESSION_CONNECT,
	    judge_greeting(session, STAGE_CONNECT, reply_out), reply_out);
}

enum tc_status
flow_helo(
    struct session *session, struct slice helo, struct apply_reply *reply_out)
{
	struct slice copy = arena_copy(session->connection_arena, helo);

	session_end_message(session); /* RFC 5321, 4.1.4 */
	session->connection.helo = copy;
	session_take_macros(session);
	if (copy.data == NULL)
		return answer_early(session, SESSION_HELO, TC_LIMIT, reply_out);
	return answer_early(session, SESSION_HELO,
	    judge_greeting(session, STAGE_HELO, reply_out), reply_out);
}

enum tc_status
flow_mail(
    struct session *session, struct slice sender, struct apply_reply *reply_out)
{
	enum tc_status status = TC_OK;

	if (!session_resumes(session, SESSION_MAIL)) {
		status = session_begin_message(session);
		if (status == TC_OK)
			status = evidence_set_sender(session->evidence, sender);
		if (status == TC_OK) {
			evidence_place(session->evidence);
			if (session->authenticate != NULL)
				authenticate_begin(session->authenticate);
		}
	}
	if (status == TC_OK)
		status =
		    judge_early(session, STAGE_CONNECT, STAGE_MAIL, reply_out);
	return answer_early(session, SESSION_MAIL, status, reply_out);
}

enum tc_status
flow_rcpt(struct session *session, struct slice recipient,
    struct apply_reply *reply_out)
{
	struct evidence *evidence = session->evidence;
	enum tc_status status = TC_OK;

	if (evidence == NULL)
		return answer_early(
		    session, SESSION_RCPT, TC_SYSTEM, reply_out);
	if (!session_resumes(session, SESSION_RCPT)) {
		session_take_macros(session);
		status = evidence_add_recipient(evidence, recipient);
		evidence_place(evidence);
	}
	*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
	if (status == TC_OK &&
	    eval_has_stage(session->basis.program, STAGE_RCPT))
		status =
		    judge_early(session, STAGE_RCPT, STAGE_RCPT, reply_out);
	if (status == TC_OK && reply_out->answer != APPLY_CONTINUE) {
		evidence->recipients.count--; /* refused: it gets no mail */
		evidence_place(evidence);
	}
	return answer_early(session, SESSION_RCPT, status, reply_out);
}

enum tc_status
flow_data(struct session *session, struct apply_reply *reply_out)
{
	*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
	session_take_macros(session);
	return TC_OK;
}

/* ---- the message as it comes */

/* A full arena is the message's doing and becomes evidence, unless it is the
 * process that has no memory left. */
static enum tc_status
note_limit(struct session *session, enum tc_status status)
{
	if (status != TC_LIMIT)
		return status;
	evidence_note_gap(session->evidence, EVIDENCE_GAP_LIMIT);
	return limits_memory_is_full(session->shared->limits) ? TC_LIMIT
							      : TC_OK;
}

enum tc_status
flow_header(struct session *session, struct slice name, struct slice value)
{
	struct evidence *evidence = session->evidence;

	if (evidence == NULL)
		return TC_SYSTEM;
	evidence->header_bytes += name.length + value.length + 3;
	if (slice_equal_text_fold(name, "Received"))
		evidence_add_hop(evidence, value);
	if (evidence_guard(evidence, name, value) != TC_OK)
		return TC_LIMIT; /* what is forged could get through */
	if (session->authenticate != NULL)
		authenticate_header(session->authenticate, name, value);
	return note_limit(
	    session, message_header(evidence->message, name, value));
}

enum tc_status
flow_end_of_headers(struct session *session)
{
	struct evidence *evidence = session->evidence;
	enum tc_status status;

	if (evidence == NULL)
		return TC_SYSTEM;
	if (session->headers_ended)
		return TC_OK;
	session->headers_ended = true;
	session_take_macros(session);
	status = message_end_of_headers(evidence->message);
	evidence_place(evidence);
	if (session->authenticate != NULL)
		authenticate_end_of_headers(session->authenticate);
	return note_limit(session, status);
}

enum tc_status
flow_body(struct session *session, struct slice chunk)
{
	struct evidence *evidence = session->evidence;

	if (evidence == NULL)
		return TC_SYSTEM;
	evidence->body_bytes += chunk.length;
	if (session->authenticate != NULL)
		authenticate_body(session->authenticate, chunk);
	return note_limit(session, message_body(evidence->message, chunk));
}

/* ---- the end of the message */

/* Addresses beyond a limit are unseen by rules and indicators: a From of ours
 * as the last of thousands must not pass without a word. */
static bool
addresses_are_cut(const struct message *message)
{
	const struct address_list *const lists[] = { message_from(message),
		message_sender(message), message_reply_to(message),
		message_to(message), message_cc(message) };
	const unsigned cut = ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_TOO_LONG) |
			     ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_TOO_MANY);

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		if ((lists[i]->defects & cut) != 0)
			return true;
	return false;
}

/* Reads the parts; once, since what follows may be called again and again. */
static enum tc_status
end_message(struct session *session)
{
	struct evidence *evidence = session->evidence;
	mime_defect_set defects;
	enum tc_status status;

	if (session->message_ended)
		return TC_OK;
	session->message_ended = true;
	session->asked_ms = resolver_clock_ms();
	status = flow_end_of_headers(session);
	if (status == TC_OK)
		status = note_limit(session, message_end(evidence->message));
	session_take_macros(session);
	evidence->size_bytes =
	    evidence->header_bytes + 2 + evidence->body_bytes;
	defects = message_defects(evidence->message);
	if ((defects & MIME_DEFECTS_OF_LIMITS) != 0 ||
	    addresses_are_cut(evidence->message))
		evidence_note_gap(evidence, EVIDENCE_GAP_LIMIT);
	if ((defects & MIME_DEFECT_BIT(MIME_DEFECT_TOO_LARGE)) != 0)
		evidence_note_gap(evidence, EVIDENCE_GAP_SIZE);
	if (status == TC_OK)
		status = examine_parts(
		    evidence, session->basis.scanner, session->basis.matcher);
	return note_limit(session, status);
}

static enum tc_status
authenticate_message(struct session *session)
{
	struct evidence *evidence = session->evidence;

	switch (session->auth) {
	case SESSION_AUTH_NOW:
		return authenticate_end(session->authenticate);
	case SESSION_AUTH_RECORDED:
		recorded_results(evidence);
		return TC_OK;
	case SESSION_AUTH_NONE:
		evidence_note_gap(evidence, EVIDENCE_GAP_AUTH);
		return TC_OK;
	}
	return TC_OK;
}

static enum tc_status
analyse(struct session *session)
{
	struct evidence *evidence = session->evidence;
	enum tc_status status = end_message(session);

	if (status == TC_OK)
		status = authenticate_message(session);
	if (status != TC_OK)
		return status; /* TC_AGAIN: waiting for DNS */
	evidence->resolver_down = lookups_resolver_down(evidence->lookups);
	evidence->store_generation = session->basis.store_generation;
	return note_limit(
	    session, observe_match(evidence, session->basis.matcher));
}

static enum tc_status
judge(struct session *session)
{
	enum tc_status status;

	session->source.matcher = session->basis.matcher;
	if (!session->facts_filled)
		note_limit(session,
		    facts_fill_message(session->facts, &session->source));
	session->facts_filled = true;
	session->verdict = verdict_make(session->arena);
	status = eval_run(
	    session->eval, STAGE_MESSAGE, session->facts, &session->verdict);
	if (status == TC_AGAIN)
		return status;
	/* At the arena's ceiling the verdict is what `failure` asks for. */
	verdict_join(&session->verdict, &session->early);
	session->has_verdict = true;
	return note_limit(session, status);
}

enum tc_status
flow_end_of_message(struct session *session, const struct apply_target *target,
    struct apply_reply *reply_out)
{
	struct evidence *evidence = session->evidence;
	enum tc_status status;

	status = evidence == NULL ? TC_SYSTEM : analyse(session);
	if (status == TC_OK)
		status = judge(session);
	if (session_answer(session, SESSION_END_OF_MESSAGE, status,
		settings_of(session)->resolver.deadline) == TC_AGAIN)
		return status; /* we are called again */
	if (status == TC_OK) {
		evidence->took_ms =
		    (unsigned)(resolver_clock_ms() - session->asked_ms);
		status = conclude_message(evidence, &session->verdict,
		    session->shared->journal, session->shared->alerts, target,
		    reply_out);
	}
	if (status != TC_OK)
		conclude_failure(evidence, settings_of(session),
		    limits_memory_is_full(session->shared->limits), target,
		    status, reply_out);
	if (!session->keep)
		session_end_message(session);
	return status;
}

void
flow_abort(struct session *session)
{
	if (session->evidence != NULL && !session->has_verdict)
		conclude_abort();
	session_end_message(session);
}
