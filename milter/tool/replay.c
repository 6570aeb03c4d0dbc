#include <config.h>

#include <stdint.h>

#include "tool/replay.h"

#include "base/builder.h"
#include "evidence/hop.h"
#include "language/program.h"
#include "message/address.h"
#include "message/header.h"

#define PIECE_BYTES 65536 /* of the body at once */
#define WAIT_MS     1000

struct replay {
	struct session *session;
	struct arena *arena;
	const struct replay_envelope *envelope;
	const struct explain_options *explain; /* or NULL */
	struct replay_result *result;
	struct header_list headers;
	struct slice body;
	size_t accepted;     /* recipients */
	size_t own_received; /* index of the MTA's own field, or SIZE_MAX */
	struct hop hop;      /* what it says */
};

/* ---- reading */

static bool
read_headers(struct replay *replay, struct slice raw)
{
	struct header_scan scan = header_scan_begin(raw);
	struct header_field field;

	while (header_scan_next(&scan, &field)) {
		struct header_field *kept =
		    list_append(replay->arena, &replay->headers, SIZE_MAX);

		if (kept == NULL)
			return false;
		*kept = field;
		if (replay->result->message_id.length == 0 &&
		    slice_equal_text_fold(field.name, "Message-ID"))
			replay->result->message_id = slice_trim(field.value);
	}
	replay->body = scan.rest;
	return true;
}

/* The first Received field that tells of a client: what stands above it was
 * written inside the house (delivery agents, content filters). */
static void
find_own_received(struct replay *replay)
{
	replay->own_received = SIZE_MAX;
	for (size_t i = 0; i < replay->headers.count; i++) {
		const struct header_field *field = &replay->headers.items[i];

		if (!slice_equal_text_fold(field->name, "Received"))
			continue;
		replay->hop = hop_parse(field->value);
		if (!replay->hop.certain)
			break;
		replay->own_received = i;
		if (replay->hop.has_ip && !ipaddr_is_loopback(&replay->hop.ip))
			return;
	}
	/* None tells of one: then none is taken off. */
	replay->own_received = SIZE_MAX;
	replay->hop = (struct hop){ 0 };
}

enum disposition
replay_early_disposition(const struct replay_result *result)
{
	return result->reply.answer == APPLY_REJECT ? DISPOSITION_REJECT
						    : DISPOSITION_DEFER;
}

time_t
replay_received(struct slice raw)
{
	struct header_scan scan = header_scan_begin(raw);
	struct header_field field;
	time_t date = 0;

	while (header_scan_next(&scan, &field)) {
		if (slice_equal_text_fold(field.name, "Received")) {
			struct hop hop = hop_parse(field.value);

			if (hop.time_unix != 0)
				return hop.time_unix;
		} else if (slice_equal_text_fold(field.name, "Date")) {
			hop_date(field.value, &date);
		}
	}
	return date;
}

/* The first address of the first field of that name, or empty. */
static struct slice
first_address(struct replay *replay, const char *name)
{
	struct address_list list = { 0 };

	address_list_collect(replay->arena, &replay->headers, name,
	    &address_limits_default, &list);
	return list.count == 0 ? slice_make(NULL, 0) : list.items[0].address;
}

/* ---- the steps of the dialogue */

static bool
goes_on(const struct replay *replay, enum tc_status status)
{
	return status == TC_OK &&
	       replay->result->reply.answer == APPLY_CONTINUE;
}

static enum tc_status
connect_client(struct replay *replay)
{
	const char *given = replay->envelope->client;
	struct flow_peer peer = { 0 };
	enum tc_status status;

	if (given != NULL) {
		peer.has_ip = ipaddr_parse(slice_text(given), &peer.ip);
	} else if (replay->hop.has_ip) {
		peer.has_ip = true;
		peer.ip = replay->hop.ip;
		peer.name = arena_text(replay->arena, replay->hop.name);
		replay->result->derived |= REPLAY_CLIENT;
	}
	while ((status = flow_connect(replay->session, &peer,
		    &replay->result->reply)) == TC_AGAIN)
		session_wait(replay->session, WAIT_MS);
	return status;
}

static enum tc_status
greet(struct replay *replay)
{
	struct slice helo = slice_text(replay->envelope->helo);
	enum tc_status status;

	if (helo.length == 0 && replay->hop.helo.length > 0) {
		helo = replay->hop.helo;
		replay->result->derived |= REPLAY_HELO;
	}
	while ((status = flow_helo(
		    replay->session, helo, &replay->result->reply)) == TC_AGAIN)
		session_wait(replay->session, WAIT_MS);
	return status;
}

static enum tc_status
send_sender(struct replay *replay)
{
	static const char *const fields[] = { "Return-Path", "Sender", "From" };
	struct slice sender = slice_text(replay->envelope->mail_from);
	enum tc_status status;

	if (replay->envelope->mail_from == NULL) {
		replay->result->derived |= REPLAY_MAIL_FROM;
		for (size_t i = 0; sender.length == 0 && i < 3; i++) {
			sender = first_address(replay, fields[i]);
			if (i == 0 &&
			    header_count(&replay->headers, fields[0]) > 0)
				break; /* "<>" is an answer as well */
		}
	}
	session_macro(
	    replay->session, "{auth_authen}", replay->envelope->auth_user);
	while ((status = flow_mail(replay->session, sender,
		    &replay->result->reply)) == TC_AGAIN)
		session_wait(replay->session, WAIT_MS);
	return status;
}

/* The rules at rcpt, as they answered the recipient at hand. */
static struct slice
clauses_of(const struct replay *replay)
{
	struct explain_options options = *replay->explain;
	struct builder out = builder_make(replay->arena, SIZE_MAX);

	options.stage_only = true;
	if (session_eval(replay->session) != NULL)
		explain_print(session_eval(replay->session), &options, &out);
	return builder_result(&out);
}

static bool
note_refusal(struct replay *replay, struct slice recipient)
{
	struct replay_refusal *refusal =
	    list_append(replay->arena, &replay->result->refused, SIZE_MAX);
	enum schema_stage stage;
	const struct verdict *verdict =
	    session_refusal(replay->session, &stage);

	if (refusal == NULL)
		return false;
	refusal->recipient = arena_copy(replay->arena, recipient);
	refusal->rule = verdict == NULL || verdict->decided_by == NULL
			    ? ""
			    : verdict->decided_by->name;
	refusal->reply = replay->result->reply;
	if (replay->explain != NULL)
		refusal->clauses = clauses_of(replay);
	return true;
}

static enum tc_status
send_recipient(struct replay *replay, struct slice recipient)
{
	enum tc_status status;

	while ((status = flow_rcpt(replay->session, recipient,
		    &replay->result->reply)) == TC_AGAIN)
		session_wait(replay->session, WAIT_MS);
	if (status != TC_OK)
		return status;
	if (replay->result->reply.answer == APPLY_CONTINUE)
		replay->accepted++;
	else if (!note_refusal(replay, recipient))
		return TC_LIMIT;
	return TC_OK;
}

static bool
is_repeated(const struct address_list *list, size_t index)
{
	for (size_t i = 0; i < index; i++)
		if (slice_equal(
			list->items[i].address, list->items[index].address))
			return true;
	return false;
}

/* Recipients that are on record in the message: delivery fields first, else
 * what To and Cc show. */
static enum tc_status
send_derived_recipients(struct replay *replay)
{
	static const char *const sets[][3] = {
		{ "Delivered-To", "X-Original-To", "Envelope-To" },
		{ "To", "Cc", "Bcc" },
	};
	enum tc_status status = TC_OK;

	replay->result->derived |= REPLAY_RCPT;
	for (size_t set = 0; set < 2; set++) {
		struct address_list list = { 0 };

		for (size_t i = 0; i < 3; i++)
			address_list_collect(replay->arena, &replay->headers,
			    sets[set][i], &address_limits_default, &list);
		for (size_t i = 0; i < list.count &&
				   i < REPLAY_RECIPIENTS_MAX && status == TC_OK;
		     i++)
			if (!is_repeated(&list, i))
				status = send_recipient(
				    replay, list.items[i].address);
		if (list.count > 0)
			break;
	}
	return status;
}

static enum tc_status
send_recipients(struct replay *replay)
{
	const struct replay_envelope *envelope = replay->envelope;
	enum tc_status status = TC_OK;

	if (envelope->recipient_count == 0)
		status = send_derived_recipients(replay);
	for (size_t i = 0; i < envelope->recipient_count && status == TC_OK;
	     i++)
		status =
		    send_recipient(replay, slice_text(envelope->recipients[i]));
	/* One refused recipient does not end the message; all of them do: the
	 * client has nobody left to send to. */
	if (replay->accepted > 0)
		replay->result->reply.answer = APPLY_CONTINUE;
	return status;
}

static enum tc_status
send_headers(struct replay *replay)
{
	enum tc_status status = TC_OK;
	bool above = replay->own_received != SIZE_MAX;

	for (size_t i = 0; i < replay->headers.count && status == TC_OK; i++) {
		const struct header_field *field = &replay->headers.items[i];

		if (above && slice_equal_text_fold(field->name, "Received")) {
			above = i < replay->own_received;
			continue;
		}
		status =
		    flow_header(replay->session, field->name, field->value);
	}
	return status == TC_OK ? flow_end_of_headers(replay->session) : status;
}

/* Pieces of the body, as many at once as an MTA sends. */
struct piece {
	struct session *session;
	char octets[PIECE_BYTES];
	size_t length;
};

static enum tc_status
send_piece(struct piece *piece)
{
	struct slice octets = slice_make(piece->octets, piece->length);

	piece->length = 0;
	return octets.length == 0 ? TC_OK : flow_body(piece->session, octets);
}

static enum tc_status
add_to_piece(struct piece *piece, struct slice octets)
{
	enum tc_status status = TC_OK;

	if (octets.length > sizeof piece->octets - piece->length)
		status = send_piece(piece);
	if (status != TC_OK)
		return status;
	if (octets.length > sizeof piece->octets)
		return flow_body(piece->session, octets);
	memcpy(piece->octets + piece->length, octets.data, octets.length);
	piece->length += octets.length;
	return TC_OK;
}

/* The body with CRLF at the end of each line. */
static enum tc_status
send_body(struct replay *replay)
{
	struct piece *piece = arena_alloc(replay->arena, sizeof *piece);
	struct slice rest = replay->body;
	enum tc_status status = TC_OK;

	if (piece == NULL)
		return TC_LIMIT;
	piece->session = replay->session;
	while (rest.length > 0 && status == TC_OK) {
		size_t end = slice_find_byte(rest, '\n');
		struct slice line = slice_range(rest, 0, end);

		rest = slice_skip(rest, line.length + 1);
		if (end != SIZE_MAX && line.length > 0 &&
		    line.data[line.length - 1] == '\r')
			line.length--;
		if (line.length > 0)
			status = add_to_piece(piece, line);
		if (status == TC_OK && end != SIZE_MAX)
			status = add_to_piece(piece, SLICE_LITERAL("\r\n"));
	}
	return status == TC_OK ? send_piece(piece) : status;
}

/* A body that has CRLF throughout goes as it is. */
static bool
has_network_line_ends(struct slice body)
{
	size_t at;

	while ((at = slice_find_byte(body, '\n')) != SIZE_MAX) {
		if (at == 0 || body.data[at - 1] != '\r')
			return false;
		body = slice_skip(body, at + 1);
	}
	return true;
}

/* ---- what the MTA is asked for */

static bool
note_edit(void *context, const char *what, unsigned index, const char *name,
    const char *value)
{
	struct replay *replay = context;
	struct replay_edit *edit =
	    list_append(replay->arena, &replay->result->edits, SIZE_MAX);

	if (edit == NULL)
		return false;
	edit->what = what;
	edit->index = index;
	edit->name = arena_copy(replay->arena, slice_text(name));
	edit->value = arena_copy(replay->arena, slice_text(value));
	return edit->name.data != NULL && edit->value.data != NULL;
}

static bool
insert_header(
    void *context, unsigned index, const char *name, const char *value)
{
	return note_edit(context, "insert", index, name, value);
}

static bool
add_header(void *context, const char *name, const char *value)
{
	return note_edit(context, "add", 0, name, value);
}

static bool
change_header(
    void *context, const char *name, unsigned index, const char *value)
{
	return note_edit(context, "change", index, name, value);
}

static bool
delete_header(void *context, const char *name, unsigned index)
{
	return note_edit(context, "delete", index, name, "");
}

static bool
add_recipient(void *context, const char *address)
{
	return note_edit(context, "recipient", 0, "", address);
}

static bool
quarantine(void *context, const char *reason)
{
	return note_edit(context, "quarantine", 0, "", reason);
}

static enum tc_status
send_end(struct replay *replay)
{
	const struct apply_target target = {
		.context = replay,
		.insert_header = insert_header,
		.add_header = add_header,
		.change_header = change_header,
		.delete_header = delete_header,
		.add_recipient = add_recipient,
		.quarantine = quarantine,
	};
	enum tc_status status;

	while ((status = flow_end_of_message(replay->session, &target,
		    &replay->result->reply)) == TC_AGAIN)
		session_wait(replay->session, WAIT_MS);
	return status;
}

enum tc_status
replay_message(struct session *session, struct arena *arena, struct slice raw,
    const struct replay_envelope *envelope,
    const struct explain_options *explain, struct replay_result *result_out)
{
	static enum tc_status (*const steps[])(
	    struct replay *) = { connect_client, greet, send_sender,
		send_recipients, send_headers };
	struct replay replay = { .session = session,
		.arena = arena,
		.envelope = envelope,
		.explain = explain,
		.result = result_out };
	enum tc_status status = TC_OK;

	*result_out =
	    (struct replay_result){ .received_unix = replay_received(raw) };
	if (!read_headers(&replay, raw))
		return TC_LIMIT;
	find_own_received(&replay);
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
		status = steps[i](&replay);
		if (!goes_on(&replay, status))
			return status;
	}
	status = has_network_line_ends(replay.body)
		     ? flow_body(session, replay.body)
		     : send_body(&replay);
	return status == TC_OK ? send_end(&replay) : status;
}
