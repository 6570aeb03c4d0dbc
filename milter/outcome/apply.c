#include <config.h>

#include <stdio.h>

#include "outcome/apply.h"

#include "auth/auth_results.h"
#include "auth/auth_results_remover.h"
#include "base/builder.h"
#include "base/table.h"
#include "base/utf8.h"
#include "evidence/evidence.h"
#include "language/program.h"
#include "language/value_list.h"
#include "message/message.h"
#include "outcome/header_out.h"
#include "outcome/metrics.h"

#define QUARANTINE_REASON_MAX 200 /* octets; Sendmail keeps it in its queue */
#define PREFIX_MAX            1000
#define OWN_IDS_MAX           64

/* One field to delete: the index counts fields of that name from 1. */
struct removal {
	const char *name;
	unsigned index;
};

struct apply {
	const struct evidence *evidence;
	const struct verdict *verdict;
	const struct apply_target *target;
	struct arena *arena;
	/* ids under which nobody but us may have written results */
	struct slice ids[OWN_IDS_MAX];
	size_t id_count;
	LIST_OF(struct removal) removals;
};

static const struct slice result_prefix = SLICE_LITERAL("X-Tocsin-");

static void
collect_ids(struct apply *apply)
{
	const struct evidence *evidence = apply->evidence;
	const struct value_list *trusted = evidence->trusted_ids;

	apply->ids[apply->id_count++] = header_out_authserv_id(evidence);
	/* What a relay of ours wrote under its id is kept; from anybody else
	 * that id is a lie. */
	if (trusted == NULL || evidence->client_is_hop)
		return;
	for (size_t i = 0; i < value_list_count(trusted); i++) {
		if (apply->id_count == OWN_IDS_MAX)
			break;
		apply->ids[apply->id_count++] =
		    value_list_entry(trusted, i, NULL);
	}
}

static bool
is_asked_for(const struct apply *apply, struct slice name)
{
	const struct verdict *verdict = apply->verdict;

	for (size_t i = 0; i < verdict->actions.count; i++) {
		const struct verdict_action *action =
		    &verdict->actions.items[i];

		if (action->kind == ACTION_REMOVE_HEADER &&
		    slice_equal_text_fold(name, action->name))
			return true;
	}
	return false;
}

/* Fields that only we may write: they must not come from outside. */
static bool
is_forged(const struct apply *apply, struct slice name, struct slice value)
{
	const struct evidence *evidence = apply->evidence;

	if (slice_starts_with_fold(name, result_prefix))
		return true;
	for (unsigned i = 0; i < evidence->own_header_count; i++)
		if (slice_equal_text_fold(name, evidence->own_headers[i]))
			return true;
	return auth_results_claims(name, value, apply->ids, apply->id_count);
}

static enum tc_status
add_removal(struct apply *apply, struct slice name, unsigned index)
{
	struct removal *removal =
	    list_append(apply->arena, &apply->removals, SIZE_MAX);

	if (removal == NULL)
		return TC_LIMIT;
	removal->name = arena_text(apply->arena, name);
	removal->index = index;
	return removal->name == NULL ? TC_LIMIT : TC_OK;
}

/* Fields that rules want removed. Fields are numbered as both MTAs number
 * them: by name, without regard to case. */
static enum tc_status
collect_asked_for(struct apply *apply)
{
	const struct header_list *headers =
	    message_headers(apply->evidence->message);
	struct table seen = table_make(apply->arena);
	enum tc_status status = TC_OK;

	for (size_t i = 0; status == TC_OK && i < headers->count; i++) {
		struct slice name = headers->items[i].name;
		struct slice key =
		    utf8_fold_slice(apply->arena, slice_trim(name));
		unsigned *count = table_get(&seen, key);

		if (!is_asked_for(apply, slice_trim(name)) ||
		    evidence_is_guarded(apply->evidence, name))
			continue;
		if (count == NULL) {
			count = arena_alloc(apply->arena, sizeof *count);
			if (count == NULL || !table_put(&seen, key, count))
				return TC_LIMIT;
		}
		status = add_removal(apply, name, ++*count);
	}
	return status;
}

static enum tc_status
collect_removals(struct apply *apply)
{
	const struct evidence *evidence = apply->evidence;
	enum tc_status status = TC_OK;

	for (size_t i = 0; status == TC_OK && i < evidence->guarded.count;
	     i++) {
		const struct evidence_field *field =
		    &evidence->guarded.items[i];
		struct slice name = slice_trim(field->name);

		if (is_forged(apply, name, field->value))
			metrics_add(METRICS_FORGED_HEADERS, 1);
		else if (!is_asked_for(apply, name))
			continue;
		status = add_removal(apply, field->name, field->index);
	}
	return status == TC_OK ? collect_asked_for(apply) : status;
}

/* From the last field up: Postfix renumbers the fields after a deleted one,
 * Sendmail does not, and this order is right for both. */
static enum tc_status
remove_fields(struct apply *apply)
{
	const struct apply_target *target = apply->target;
	enum tc_status status = collect_removals(apply);

	for (size_t i = apply->removals.count; status == TC_OK && i > 0; i--) {
		const struct removal *removal = &apply->removals.items[i - 1];

		if (!target->delete_header(
			target->context, removal->name, removal->index))
			status = TC_SYSTEM;
	}
	return status;
}

/* The prefixes of all rules, each once, in front of the subject as it came: its
 * encoded words are kept. A blank stands between, whether or not the operator
 * wrote it: an encoded word that touches other text is none (RFC 2047, 5), and
 * the reader would see its code. */
static struct slice
prefixed_subject(struct apply *apply, struct slice old)
{
	const struct verdict *verdict = apply->verdict;
	struct builder out = builder_make(apply->arena, SIZE_MAX);
	struct builder prefix = builder_make(apply->arena, PREFIX_MAX);
	struct slice bare;

	for (size_t i = 0; i < verdict->actions.count; i++) {
		const struct verdict_action *action =
		    &verdict->actions.items[i];

		if (action->kind == ACTION_PREFIX_SUBJECT &&
		    slice_find(builder_result(&prefix), action->text) ==
			SIZE_MAX)
			builder_slice(&prefix, action->text);
	}
	old = slice_trim(old);
	bare = slice_trim(builder_result(&prefix));
	if (bare.length == 0 || slice_starts_with(old, bare) ||
	    slice_starts_with(message_subject(apply->evidence->message), bare))
		return slice_make(NULL, 0);
	if (prefix.data[prefix.length - 1] != ' ')
		builder_byte(&prefix, ' ');
	if (prefix.failed)
		return slice_make(NULL, 0);
	builder_byte(&out, ' ');
	builder_slice(
	    &out, header_out_encode(apply->arena, builder_result(&prefix)));
	/* Between an encoded word and what follows there must be a blank
	 * (RFC 2047, 5). */
	if (out.length > 2 && out.data[out.length - 1] == '=' &&
	    out.data[out.length - 2] == '?')
		builder_byte(&out, ' ');
	for (size_t i = 0; i < old.length; i++)
		if (old.data[i] != '\r')
			builder_byte(&out, old.data[i]);
	return slice_text(builder_c_string(&out));
}

static enum tc_status
change_subject(struct apply *apply)
{
	const struct apply_target *target = apply->target;
	size_t at = 0;
	const struct header_field *subject = header_find(
	    message_headers(apply->evidence->message), "Subject", &at);
	struct slice value = prefixed_subject(
	    apply, subject == NULL ? slice_make(NULL, 0) : subject->value);
	bool done = true;

	if (value.data != NULL && subject != NULL)
		done = target->change_header(
		    target->context, "Subject", 1, value.data);
	else if (value.data != NULL)
		done =
		    target->add_header(target->context, "Subject", value.data);
	return done ? TC_OK : TC_SYSTEM;
}

static enum tc_status
add_field(struct apply *apply, const struct verdict_action *action)
{
	struct builder value = builder_make(apply->arena, SIZE_MAX);
	const char *text;

	builder_byte(&value, ' ');
	builder_slice(&value, header_out_encode(apply->arena, action->text));
	text = builder_c_string(&value);
	if (text == NULL)
		return TC_LIMIT;
	return apply->target->add_header(
		   apply->target->context, action->name, text)
		   ? TC_OK
		   : TC_SYSTEM;
}

static enum tc_status
add_recipient(struct apply *apply, const struct verdict_action *action)
{
	const char *address = arena_text(apply->arena, action->text);

	if (address == NULL)
		return TC_LIMIT;
	return apply->target->add_recipient(apply->target->context, address)
		   ? TC_OK
		   : TC_SYSTEM;
}

static enum tc_status
act(struct apply *apply, const struct verdict_action *action)
{
	switch (action->kind) {
	case ACTION_TAG:
		return action->name == NULL ? TC_OK : add_field(apply, action);
	case ACTION_ADD_HEADER:
		return add_field(apply, action);
	case ACTION_COPY_TO:
		return add_recipient(apply, action);
	case ACTION_PREFIX_SUBJECT: /* change_subject() */
	case ACTION_REMOVE_HEADER:  /* remove_fields() */
	case ACTION_PRESERVE:       /* these are carried out by the flow */
	case ACTION_ALERT:
		return TC_OK;
	}
	return TC_OK;
}

static bool
has_plain_tag(const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->actions.count; i++)
		if (verdict->actions.items[i].kind == ACTION_TAG &&
		    verdict->actions.items[i].name == NULL)
			return true;
	return false;
}

static enum tc_status
insert_value(struct apply *apply, const char *name, struct slice value)
{
	const char *text;

	if (value.length == 0)
		return TC_OK;
	text = arena_text(apply->arena, value);
	if (text == NULL)
		return TC_LIMIT;
	return apply->target->insert_header(
		   apply->target->context, 0, name, text)
		   ? TC_OK
		   : TC_SYSTEM;
}

/* Our own fields, the topmost last. */
static enum tc_status
insert_own(struct apply *apply)
{
	const struct evidence *evidence = apply->evidence;
	const struct verdict *verdict = apply->verdict;
	enum tc_status status = TC_OK;
	struct slice value;

	if (verdict->disposition == DISPOSITION_QUARANTINE ||
	    has_plain_tag(verdict)) {
		status = header_out_result(evidence, verdict, &value);
		if (status == TC_OK)
			status = insert_value(apply, "X-Tocsin-Result", value);
	}
	if (status == TC_OK && evidence->settings->received_spf) {
		status = header_out_received_spf(evidence, &value);
		if (status == TC_OK)
			status = insert_value(apply, "Received-SPF", value);
	}
	if (status != TC_OK)
		return status;
	status = header_out_auth_results(evidence, &value);
	if (status == TC_INVALID) /* our reader refused it: leave it out */
		return TC_OK;
	return status == TC_OK
		   ? insert_value(apply, "Authentication-Results", value)
		   : status;
}

/* The MTA's queue is read by operators; rule names are theirs. */
static enum tc_status
hold(struct apply *apply)
{
	const struct program_rule *rule = apply->verdict->decided_by;
	const char *reason = arena_printf(apply->arena, "tocsin: %.*s ref=%s",
	    QUARANTINE_REASON_MAX, rule == NULL ? "failure" : rule->name,
	    apply->evidence->reference);

	if (reason == NULL)
		return TC_LIMIT;
	return apply->target->quarantine(apply->target->context, reason)
		   ? TC_OK
		   : TC_SYSTEM;
}

static enum tc_status
edit(struct apply *apply)
{
	const struct verdict *verdict = apply->verdict;
	enum tc_status status;

	collect_ids(apply);
	status = remove_fields(apply);
	if (status == TC_OK)
		status = change_subject(apply);
	for (size_t i = 0; status == TC_OK && i < verdict->actions.count; i++)
		status = act(apply, &verdict->actions.items[i]);
	if (status == TC_OK)
		status = insert_own(apply);
	if (status == TC_OK && verdict->disposition == DISPOSITION_QUARANTINE)
		status = hold(apply);
	return status;
}

enum tc_status
apply_verdict(const struct evidence *evidence, const struct verdict *verdict,
    const struct apply_target *target, struct apply_reply *reply_out)
{
	struct apply apply = { .evidence = evidence,
		.verdict = verdict,
		.target = target,
		.arena = evidence->arena };

	switch (verdict->disposition) {
	case DISPOSITION_REJECT:
	case DISPOSITION_DEFER:
		apply_early(evidence, verdict, reply_out);
		return TC_OK;
	case DISPOSITION_DISCARD:
		*reply_out = (struct apply_reply){ .answer = APPLY_DISCARD };
		return TC_OK;
	case DISPOSITION_QUARANTINE:
	case DISPOSITION_NONE:
		break;
	}
	*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
	return edit(&apply);
}

void
apply_early(const struct evidence *evidence, const struct verdict *verdict,
    struct apply_reply *reply_out)
{
	bool reject = verdict->disposition == DISPOSITION_REJECT;
	char text[96];

	if (!reject && verdict->disposition != DISPOSITION_DEFER) {
		*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
		return;
	}
	snprintf(text, sizeof text, "%s (ref=%s)",
	    reject ? "Message refused by local policy"
		   : "Message deferred by local policy, try again later",
	    evidence->reference);
	apply_reply_make(reply_out, reject ? APPLY_REJECT : APPLY_DEFER,
	    verdict->reply.length > 0 ? verdict->reply : slice_text(text));
}

/* The octets of an enhanced status code (RFC 3463, 2) that `text` begins with,
 * the blank behind it not counted; 0 when there is none of this class. */
static size_t
enhanced_length(struct slice text, char class)
{
	size_t at = 1;

	if (text.length < 2 || text.data[0] != class)
		return 0;
	for (int group = 0; group < 2; group++) {
		size_t digits = 0;

		if (at >= text.length || text.data[at++] != '.')
			return 0;
		while (at < text.length && digits < 3 && text.data[at] >= '0' &&
		       text.data[at] <= '9') {
			at++;
			digits++;
		}
		if (digits == 0)
			return 0;
	}
	return at < text.length && text.data[at] == ' ' ? at : 0;
}

void
apply_reply_make(
    struct apply_reply *reply, enum apply_answer answer, struct slice text)
{
	size_t room = sizeof reply->text - 1, length = 0, own;

	*reply = (struct apply_reply){ .answer = answer };
	if (answer != APPLY_REJECT && answer != APPLY_DEFER)
		return;
	strcpy(reply->code, answer == APPLY_REJECT ? "550" : "451");
	strcpy(reply->enhanced, answer == APPLY_REJECT ? "5.7.1" : "4.7.1");
	own = enhanced_length(text, reply->enhanced[0]);
	if (own > 0) {
		memcpy(reply->enhanced, text.data, own);
		reply->enhanced[own] = '\0';
		text = slice_skip(text, own + 1);
	}
	/* Replies are ASCII unless the client asked for SMTPUTF8, which a
	 * milter is not told (RFC 6531, 3.7.4). A '%' would have to be doubled
	 * for Sendmail, and not every MTA undoes that. */
	for (size_t i = 0; i < text.length && length < room; i++) {
		unsigned char c = (unsigned char)text.data[i];

		reply->text[length++] =
		    c < ' ' || c > '~' || c == '%' ? '?' : (char)c;
	}
}
