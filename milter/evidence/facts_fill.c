#include <config.h>

#include <stdint.h>

#include "evidence/facts_fill.h"

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "base/builder.h"
#include "base/scan_reason.h"
#include "base/utf8.h"
#include "dns/lookups.h"
#include "evidence/authenticate.h"
#include "evidence/evidence.h"
#include "evidence/extensions.h"
#include "evidence/inspect.h"
#include "evidence/results.h"
#include "indicator/match.h"
#include "language/facts.h"
#include "language/program.h"
#include "message/encoded_word.h"
#include "message/message.h"
#include "message/text.h"

#define TAGS_MAX 64

/* An empty text is a missing value. */
static void
set_text(struct facts *facts, enum field_id field, struct slice text)
{
	if (text.length > 0)
		facts_set_text(facts, field, text);
}

static void
set_domain(struct facts *facts, enum field_id field, struct slice name)
{
	if (name.length > 0)
		facts_set_domain(facts, field, name);
}

static void
set_member_text(struct value *value, struct slice text)
{
	if (text.length > 0)
		value_set_text(value, text);
}

static void
set_member_domain(struct facts *facts, struct value *value, struct slice name)
{
	if (name.length > 0)
		value_set_domain(facts->arena, value, name);
}

static void
fill_connection(struct facts *facts, const struct evidence *evidence)
{
	const struct evidence_connection *peer = evidence->connection;

	facts_clear(facts, FIELD_CLIENT_IP);
	facts_clear(facts, FIELD_CLIENT_NAME);
	facts_clear(facts, FIELD_HELO);
	if (evidence->has_client_ip)
		facts_set_ip(facts, FIELD_CLIENT_IP, &evidence->client_ip);
	set_domain(facts, FIELD_CLIENT_NAME, evidence->client_name);
	if (peer->has_ip)
		facts_set_ip(facts, FIELD_CONNECTION_IP, &peer->ip);
	set_domain(facts, FIELD_HELO, evidence->helo);
	set_text(facts, FIELD_DAEMON, peer->daemon_name);
}

static void
fill_mail(struct facts *facts, const struct evidence *evidence)
{
	const struct evidence_connection *peer = evidence->connection;

	set_text(facts, FIELD_TLS_VERSION, peer->tls_version);
	set_text(facts, FIELD_TLS_CIPHER, peer->tls_cipher);
	set_text(facts, FIELD_TLS_SUBJECT, peer->tls_subject);
	set_text(facts, FIELD_AUTH_USER, evidence->auth_user);
	set_text(facts, FIELD_AUTH_METHOD, evidence->auth_method);
	if (evidence->sender_text.length > 0)
		facts_set_address(
		    facts, FIELD_MAIL_FROM, evidence->sender_text);
	if (evidence->sender_is_address)
		facts_set_domain(
		    facts, FIELD_MAIL_FROM_DOMAIN, evidence->sender.domain);
}

static enum schema_direction
direction_fact(enum evidence_direction direction)
{
	switch (direction) {
	case EVIDENCE_INBOUND:
		return FACT_DIRECTION_INBOUND;
	case EVIDENCE_OUTBOUND:
		return FACT_DIRECTION_OUTBOUND;
	case EVIDENCE_INTERNAL:
		return FACT_DIRECTION_INTERNAL;
	}
	return FACT_DIRECTION_INBOUND;
}

/* At rcpt the direction is that of the one recipient. */
static void
fill_rcpt(struct facts *facts, const struct evidence *evidence)
{
	const struct evidence_recipient *rcpt;
	enum evidence_direction direction = EVIDENCE_INBOUND;

	if (evidence->recipients.count == 0)
		return;
	rcpt = &evidence->recipients.items[evidence->recipients.count - 1];
	facts_set_address(facts, FIELD_RCPT, rcpt->text);
	facts_clear(facts, FIELD_RCPT_DOMAIN);
	if (rcpt->is_address)
		facts_set_domain(
		    facts, FIELD_RCPT_DOMAIN, rcpt->address.domain);
	if (evidence->from_ours)
		direction = rcpt->ours ? EVIDENCE_INTERNAL : EVIDENCE_OUTBOUND;
	facts_set_number(facts, FIELD_DIRECTION, direction_fact(direction));
}

static void
fill_spf(struct facts *facts, const struct evidence *evidence)
{
	facts_set_number(facts, FIELD_SPF, results_fact(results_spf(evidence)));
	facts_clear(facts, FIELD_SPF_DOMAIN);
	set_domain(facts, FIELD_SPF_DOMAIN, results_spf_domain(evidence));
	facts_set_bool(facts, FIELD_RESOLVER_DOWN,
	    evidence->resolver_down ||
		(evidence->lookups != NULL &&
		    lookups_resolver_down(evidence->lookups)));
}

/* SPF for a rule that runs before the end of the message. */
static enum tc_status
demand_spf(struct facts_fill_source *source, struct facts *facts)
{
	enum tc_status status = TC_OK;

	if (source->authenticate != NULL)
		status = authenticate_spf(source->authenticate);
	if (status == TC_AGAIN && source->gave_up)
		return TC_LIMIT;
	if (status == TC_OK)
		fill_spf(facts, source->evidence);
	return status;
}

static enum tc_status
demand(void *context, struct facts *facts, enum field_id field)
{
	struct facts_fill_source *source = context;

	(void)field; /* SPF's are the only ones that are deferred */
	return demand_spf(source, facts);
}

enum tc_status
facts_fill_early(struct facts *facts, struct facts_fill_source *source,
    enum schema_stage stage)
{
	const struct evidence *evidence = source->evidence;

	facts_set_demand(facts, demand, source);
	fill_connection(facts, evidence);
	if (stage >= STAGE_MAIL) {
		fill_mail(facts, evidence);
		facts_defer(facts, FIELD_SPF);
		facts_defer(facts, FIELD_SPF_DOMAIN);
		facts_defer(facts, FIELD_RESOLVER_DOWN);
	}
	if (stage >= STAGE_RCPT)
		fill_rcpt(facts, evidence);
	return arena_exhausted(facts->arena) ? TC_LIMIT : TC_OK;
}

/* What is written between the letters and nobody sees keeps no rule from
 * finding a word, as in body.text. */
static struct slice
visible(const struct facts *facts, struct slice text)
{
	struct slice shown = text_strip_invisible(facts->arena, text);

	return shown.data == NULL ? text : shown;
}

static void
add_mailboxes(
    struct facts *facts, enum field_id field, const struct address_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct mailbox *mailbox = &list->items[i];
		struct slice address = mailbox->address;

		if (mailbox->local.length == 0)
			address = mailbox->domain;
		facts_add_mailbox(
		    facts, field, address, visible(facts, mailbox->display));
	}
}

static void
fill_envelope(struct facts *facts, const struct evidence *evidence)
{
	facts_set_number(
	    facts, FIELD_DIRECTION, direction_fact(evidence->direction));
	set_text(facts, FIELD_QUEUE_ID, evidence->queue_id);
	facts_clear(facts, FIELD_RECIPIENT);
	for (size_t i = 0; i < evidence->recipients.count; i++)
		facts_add_mailbox(facts, FIELD_RECIPIENT,
		    evidence->recipients.items[i].text, slice_make(NULL, 0));
}

static void
fill_author(struct facts *facts, const struct message *message)
{
	unsigned defects = message_from(message)->defects;

	add_mailboxes(facts, FIELD_FROM, message_from(message));
	for (unsigned i = 0; i < ADDRESS_DEFECT_COUNT; i++)
		if ((defects & ADDRESS_DEFECT_BIT(i)) != 0)
			facts_add_word(facts, FIELD_FROM_DEFECT,
			    address_defect_name((enum address_defect)i));
}

static struct slice
without_brackets(struct slice id)
{
	id = slice_trim(id);
	if (id.length > 1 && id.data[0] == '<' && id.data[id.length - 1] == '>')
		id = slice_range(id, 1, id.length - 1);
	return id;
}

static void
fill_header(struct facts *facts, const struct message *message)
{
	struct slice date = message_date(message);
	time_t when;

	fill_author(facts, message);
	add_mailboxes(facts, FIELD_TO, message_to(message));
	add_mailboxes(facts, FIELD_CC, message_cc(message));
	add_mailboxes(facts, FIELD_REPLY_TO, message_reply_to(message));
	facts_compare_reply_to(facts);
	add_mailboxes(facts, FIELD_SENDER, message_sender(message));
	if (message_subject(message).data != NULL)
		facts_set_text(facts, FIELD_SUBJECT,
		    visible(facts, message_subject(message)));
	set_text(
	    facts, FIELD_MESSAGE_ID, without_brackets(message_id(message)));
	if (date.length > 0 && hop_date(date, &when))
		facts_set_number(facts, FIELD_DATE, (int64_t)when);
}

static bool
is_wanted(const struct program_needs *needs, struct slice name)
{
	for (unsigned i = 0; i < needs->header_count; i++)
		if (slice_equal_text_fold(name, needs->headers[i]))
			return true;
	return false;
}

/* header["X"], as far as loaded rules name them. */
static void
fill_named_headers(struct facts *facts, const struct evidence *evidence)
{
	const struct header_list *headers = message_headers(evidence->message);

	for (size_t i = 0; i < headers->count; i++) {
		struct slice name = slice_trim(headers->items[i].name);
		struct encoded_word_result decoded;
		struct value *members;

		if (!is_wanted(evidence->needs, name))
			continue;
		members = facts_add(facts, FIELD_HEADER);
		if (members == NULL)
			return;
		value_set_text(&members[FACT_HEADER_NAME], name);
		if (!encoded_word_decode(facts->arena,
			header_unfold(facts->arena, headers->items[i].value),
			&decoded))
			decoded.text = slice_trim(headers->items[i].value);
		value_set_text(
		    &members[FACT_HEADER_VALUE], slice_trim(decoded.text));
	}
}

static void
fill_hops(struct facts *facts, const struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->hops.count; i++) {
		const struct hop *hop = &evidence->hops.items[i];
		struct value *members = facts_add(facts, FIELD_HOP);

		if (members == NULL)
			return;
		if (hop->has_ip)
			value_set_ip(&members[FACT_HOP_IP], &hop->ip);
		set_member_domain(facts, &members[FACT_HOP_NAME],
		    hop->name.length > 0 ? hop->name : hop->helo);
		set_member_domain(facts, &members[FACT_HOP_BY], hop->by);
		if (hop->time_unix != 0)
			value_set_number(
			    &members[FACT_HOP_TIME], (int64_t)hop->time_unix);
		value_set_bool(&members[FACT_HOP_TRUSTED], hop->trusted);
	}
}

static void
fill_signatures(struct facts *facts, const struct evidence *evidence)
{
	const struct dkim_verify_outcome *dkim = evidence->dkim;
	const bool *aligned =
	    evidence->dmarc == NULL ? NULL : evidence->dmarc->signature_aligned;

	for (size_t i = 0; dkim != NULL && i < dkim->signatures.count; i++) {
		const struct dkim_signature *signature =
		    &dkim->signatures.items[i];
		struct value *members = facts_add(facts, FIELD_SIGNATURE);
		int algorithm;

		if (members == NULL)
			return;
		algorithm = schema_member_word(FIELD_SIGNATURE,
		    FACT_SIGNATURE_ALGORITHM,
		    arena_text(facts->arena, signature->algorithm));
		if (algorithm < 0)
			algorithm = schema_member_word(FIELD_SIGNATURE,
			    FACT_SIGNATURE_ALGORITHM, "unknown");
		set_member_domain(
		    facts, &members[FACT_SIGNATURE_DOMAIN], signature->domain);
		set_member_text(
		    &members[FACT_SIGNATURE_SELECTOR], signature->selector);
		value_set_number(&members[FACT_SIGNATURE_RESULT],
		    results_fact(dkim_verify_result_name(signature->result)));
		value_set_number(&members[FACT_SIGNATURE_ALGORITHM], algorithm);
		if (signature->key_bits > 0)
			value_set_number(
			    &members[FACT_SIGNATURE_BITS], signature->key_bits);
		value_set_bool(&members[FACT_SIGNATURE_ALIGNED],
		    aligned != NULL && aligned[i]);
		value_set_bool(
		    &members[FACT_SIGNATURE_TESTING], signature->testing);
	}
}

static enum schema_dmarc_policy
dmarc_policy_fact(enum dmarc_policy policy)
{
	switch (policy) {
	case DMARC_POLICY_NONE:
		return FACT_DMARC_POLICY_NONE;
	case DMARC_POLICY_QUARANTINE:
		return FACT_DMARC_POLICY_QUARANTINE;
	case DMARC_POLICY_REJECT:
		return FACT_DMARC_POLICY_REJECT;
	}
	return FACT_DMARC_POLICY_NONE;
}

static void
fill_authentication(struct facts *facts, const struct evidence *evidence)
{
	fill_spf(facts, evidence);
	facts_set_number(
	    facts, FIELD_DKIM, results_fact(results_dkim(evidence)));
	fill_signatures(facts, evidence);
	facts_set_number(
	    facts, FIELD_DMARC, results_fact(results_dmarc(evidence)));
	if (evidence->dmarc != NULL) {
		facts_set_number(facts, FIELD_DMARC_POLICY,
		    dmarc_policy_fact(evidence->dmarc->policy));
		set_domain(
		    facts, FIELD_DMARC_DOMAIN, evidence->dmarc->policy_domain);
	}
	facts_set_number(facts, FIELD_ARC, results_fact(results_arc(evidence)));
	if (evidence->arc != NULL)
		set_domain(facts, FIELD_ARC_SEALER, evidence->arc->sealer);
}

static struct slice
url_where(struct arena *arena, const struct message_url *url)
{
	const char *where = url_where_name(url->where);
	char *both = url->field == NULL
			 ? NULL
			 : arena_printf(arena, "%s:%s", where, url->field);

	return slice_text(both == NULL ? where : both);
}

static void
fill_urls(struct facts *facts, const struct url_list *urls)
{
	for (size_t i = 0; i < urls->count; i++) {
		const struct message_url *url = &urls->items[i];
		struct value *members = facts_add(facts, FIELD_URL);

		if (members == NULL)
			return;
		value_set_text(&members[FACT_URL_URL], url->normal);
		set_member_domain(facts, &members[FACT_URL_HOST], url->host);
		set_member_domain(
		    facts, &members[FACT_URL_DOMAIN], url->domain);
		set_member_text(&members[FACT_URL_SCHEME], url->scheme);
		set_member_text(&members[FACT_URL_PATH], url->path);
		set_member_text(&members[FACT_URL_TEXT], url->text);
		value_set_bool(
		    &members[FACT_URL_TEXT_MISMATCH], url->text_mismatch);
		value_set_bool(&members[FACT_URL_DISGUISED],
		    message_url_is_disguised(url));
		value_set_bool(&members[FACT_URL_DEFANGED], url->defanged);
		value_set_text(
		    &members[FACT_URL_WHERE], url_where(facts->arena, url));
	}
}

static void
set_extensions(struct facts *facts, struct value *members, struct slice name)
{
	struct slice *items =
	    arena_alloc_array(facts->arena, EXTENSIONS_MAX, sizeof *items);
	size_t count =
	    items == NULL ? 0 : extensions_of(facts->arena, name, items);

	if (count == 0)
		return;
	value_set_text(&members[FACT_ATTACHMENT_EXTENSION], items[count - 1]);
	value_set_texts(&members[FACT_ATTACHMENT_EXTENSIONS], items, count);
}

/* What a worker found in a file; without one nothing is known of it. */
static void
set_scanned(struct value *members, const struct scanner_item *item, bool opaque)
{
	unsigned flags = item == NULL ? 0 : item->flags;
	const char *reason = opaque ? "limit" : NULL;

	if (item != NULL)
		set_member_text(
		    &members[FACT_ATTACHMENT_DETECTED_TYPE], item->type);
	value_set_bool(&members[FACT_ATTACHMENT_ENCRYPTED],
	    (flags & SCANNER_ENCRYPTED) != 0);
	value_set_bool(
	    &members[FACT_ATTACHMENT_MACROS], (flags & SCANNER_MACROS) != 0);
	value_set_bool(&members[FACT_ATTACHMENT_UNSCANNABLE],
	    opaque || (flags & SCANNER_UNSCANNABLE) != 0);
	if ((flags & SCANNER_UNSCANNABLE) != 0)
		reason = scan_reason_known(item->reason);
	if (reason != NULL)
		value_set_number(&members[FACT_ATTACHMENT_REASON],
		    schema_member_word(
			FIELD_ATTACHMENT, FACT_ATTACHMENT_REASON, reason));
}

static void
set_name(struct facts *facts, struct value *members, struct slice name)
{
	set_member_text(&members[FACT_ATTACHMENT_NAME], name);
	if (name.length > 0)
		set_extensions(facts, members, name);
}

static void
add_part(struct facts *facts, const struct mime_part *part, struct slice name,
    const struct inspect_file *file)
{
	struct value *members = facts_add(facts, FIELD_ATTACHMENT);

	if (members == NULL)
		return;
	set_name(facts, members, name);
	value_set_text(&members[FACT_ATTACHMENT_TYPE], part->type);
	value_set_number(&members[FACT_ATTACHMENT_SIZE], (int64_t)part->size);
	set_member_text(&members[FACT_ATTACHMENT_MD5], part->digests.md5);
	set_member_text(&members[FACT_ATTACHMENT_SHA1], part->digests.sha1);
	set_member_text(&members[FACT_ATTACHMENT_SHA256], part->digests.sha256);
	value_set_number(&members[FACT_ATTACHMENT_DEPTH], 0);
	set_scanned(members, file == NULL ? NULL : file->item, part->opaque);
}

/* One element for each name that some reader may show. */
static void
fill_parts(struct facts *facts, const struct evidence *evidence)
{
	const struct mime_parts *parts = message_parts(evidence->message);
	int64_t size = 0;

	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *part = &parts->items[i];
		const struct inspect_file *file =
		    evidence->inspection == NULL
			? NULL
			: inspect_part(evidence->inspection, i);

		if (!part->is_attachment)
			continue;
		if (part->reading_of == MIME_NO_PART && !part->is_container)
			size += (int64_t)part->size;
		if (part->names.count == 0)
			add_part(facts, part, slice_make(NULL, 0), file);
		for (size_t j = 0; j < part->names.count; j++)
			add_part(facts, part, part->names.items[j].name, file);
	}
	facts_set_number(facts, FIELD_ATTACHMENTS_SIZE, size);
}

static struct slice
hex(struct arena *arena, const uint8_t *octets, size_t count)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < count; i++)
		builder_printf(&out, "%02x", octets[i]);
	return builder_result(&out);
}

static void
add_member(struct facts *facts, const struct inspection *inspection,
    const struct inspect_file *file, struct slice name)
{
	const struct scanner_item *item = file->item;
	struct value *members = facts_add(facts, FIELD_ATTACHMENT);

	if (members == NULL)
		return;
	set_name(facts, members, name);
	value_set_text(&members[FACT_ATTACHMENT_TYPE],
	    item->type.length > 0 ? item->type
				  : SLICE_LITERAL("application/octet-stream"));
	value_set_number(
	    &members[FACT_ATTACHMENT_SIZE], (int64_t)item->size_bytes);
	if ((item->flags & SCANNER_HAS_MD5) != 0)
		value_set_text(&members[FACT_ATTACHMENT_MD5],
		    hex(facts->arena, item->md5, sizeof item->md5));
	if ((item->flags & SCANNER_HAS_SHA1) != 0)
		value_set_text(&members[FACT_ATTACHMENT_SHA1],
		    hex(facts->arena, item->sha1, sizeof item->sha1));
	if ((item->flags & SCANNER_HAS_SHA256) != 0)
		value_set_text(&members[FACT_ATTACHMENT_SHA256],
		    hex(facts->arena, item->sha256, sizeof item->sha256));
	value_set_number(&members[FACT_ATTACHMENT_DEPTH], item->depth);
	if (file->parent != INSPECT_NO_PARENT)
		set_member_text(&members[FACT_ATTACHMENT_PARENT],
		    inspection->files.items[file->parent].item->name);
	set_scanned(members, item, false);
}

/* Members of archives. */
static void
fill_members(struct facts *facts, const struct inspection *inspection)
{
	for (size_t i = 0; i < inspection->files.count; i++) {
		const struct inspect_file *file = &inspection->files.items[i];

		if (file->parent == INSPECT_NO_PARENT)
			continue;
		add_member(facts, inspection, file, file->item->name);
		if (file->item->other_name.length > 0)
			add_member(
			    facts, inspection, file, file->item->other_name);
	}
}

static void
fill_yara(struct facts *facts, const struct scanner_item *item)
{
	for (size_t i = 0; i < item->yara_hits.count; i++) {
		const struct scanner_yara_hit *hit = &item->yara_hits.items[i];
		struct value *members = facts_add(facts, FIELD_YARA);
		struct slice *tags =
		    arena_alloc_array(facts->arena, TAGS_MAX, sizeof *tags);
		struct slice rest = hit->tags;
		size_t count = 0;

		if (members == NULL || tags == NULL)
			return;
		while (rest.length > 0 && count < TAGS_MAX)
			rest = slice_split(rest, ' ', &tags[count++]);
		value_set_text(&members[FACT_YARA_RULESET], hit->ruleset);
		value_set_text(&members[FACT_YARA_RULE], hit->rule);
		value_set_texts(&members[FACT_YARA_TAGS], tags, count);
		value_set_text(&members[FACT_YARA_WHERE], item->name);
	}
}

static void
fill_attachments(struct facts *facts, const struct evidence *evidence)
{
	const struct inspection *inspection = evidence->inspection;

	fill_parts(facts, evidence);
	if (inspection == NULL)
		return;
	fill_members(facts, inspection);
	for (size_t i = 0; i < inspection->files.count; i++)
		fill_yara(facts, inspection->files.items[i].item);
}

static void
fill_defects(struct facts *facts, const struct message *message)
{
	mime_defect_set defects = message_defects(message);

	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
		if ((defects & MIME_DEFECT_BIT(i)) != 0)
			facts_add_word(facts, FIELD_MIME_DEFECT,
			    mime_defect_name((enum mime_defect)i));
}

static enum schema_severity
severity_fact(enum indicator_severity severity)
{
	switch (severity) {
	case INDICATOR_SEVERITY_ABSENT:
	case INDICATOR_SEVERITY_LOW:
		return FACT_SEVERITY_LOW;
	case INDICATOR_SEVERITY_MEDIUM:
		return FACT_SEVERITY_MEDIUM;
	case INDICATOR_SEVERITY_HIGH:
		return FACT_SEVERITY_HIGH;
	case INDICATOR_SEVERITY_CRITICAL:
		return FACT_SEVERITY_CRITICAL;
	}
	return FACT_SEVERITY_LOW;
}

static enum schema_tlp
tlp_fact(enum indicator_tlp tlp)
{
	switch (tlp) {
	case INDICATOR_TLP_CLEAR:
		return FACT_TLP_CLEAR;
	case INDICATOR_TLP_GREEN:
		return FACT_TLP_GREEN;
	case INDICATOR_TLP_ABSENT:
	case INDICATOR_TLP_AMBER:
		return FACT_TLP_AMBER;
	case INDICATOR_TLP_AMBER_STRICT:
		return FACT_TLP_AMBER_STRICT;
	case INDICATOR_TLP_RED:
		return FACT_TLP_RED;
	}
	return FACT_TLP_AMBER;
}

static void
fill_tags(struct facts *facts, struct value *value, struct slice tags)
{
	struct slice *items =
	    arena_alloc_array(facts->arena, TAGS_MAX, sizeof *items);
	size_t count = 0;

	if (items == NULL)
		return;
	while (count < TAGS_MAX && match_next_tag(&tags, &items[count]))
		count++;
	value_set_texts(value, items, count);
}

static void
fill_indicator(struct facts *facts, struct value *members,
    const struct evidence *evidence, const struct match_hit *hit)
{
	int type = schema_member_word(FIELD_INDICATOR, FACT_INDICATOR_TYPE,
	    indicator_kind_name(hit->kind));

	value_set_number(&members[FACT_INDICATOR_TYPE], type);
	value_set_text(&members[FACT_INDICATOR_VALUE], hit->value);
	value_set_text(&members[FACT_INDICATOR_FEED], hit->feed);
	set_member_text(&members[FACT_INDICATOR_ID], hit->id);
	value_set_number(
	    &members[FACT_INDICATOR_SEVERITY], severity_fact(hit->severity));
	value_set_number(&members[FACT_INDICATOR_CONFIDENCE], hit->confidence);
	value_set_number(&members[FACT_INDICATOR_STRENGTH],
	    hit->strength == INDICATOR_STRONG ? FACT_STRENGTH_STRONG
					      : FACT_STRENGTH_WEAK);
	value_set_bool(&members[FACT_INDICATOR_PARTIAL], hit->partial);
	fill_tags(facts, &members[FACT_INDICATOR_TAGS], hit->tags);
	value_set_number(&members[FACT_INDICATOR_TLP], tlp_fact(hit->tlp));
	if (hit->first_seen_unix > 0)
		value_set_number(
		    &members[FACT_INDICATOR_FIRST_SEEN], hit->first_seen_unix);
	if (hit->valid_until_unix > 0)
		value_set_number(
		    &members[FACT_INDICATOR_EXPIRES], hit->valid_until_unix);
	value_set_bool(&members[FACT_INDICATOR_DEFANGED], hit->defanged);
	value_set_text(
	    &members[FACT_INDICATOR_WHERE], evidence_hit_where(evidence, hit));
	value_set_text(&members[FACT_INDICATOR_OBSERVED], hit->observed);
	set_member_text(&members[FACT_INDICATOR_DESCRIPTION], hit->description);
}

static void
fill_indicators(struct facts *facts, const struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->hit_count; i++) {
		struct value *members = facts_add(facts, FIELD_INDICATOR);

		if (members == NULL)
			return;
		fill_indicator(facts, members, evidence, &evidence->hits[i]);
	}
}

/* Every configured feed is there; without content it has no age. */
static void
fill_feeds(struct facts *facts, const struct facts_fill_source *source)
{
	const struct evidence *evidence = source->evidence;
	const struct settings *settings = evidence->settings;

	for (size_t i = 0; i < settings->feed_count; i++) {
		struct slice name = slice_text(settings->feeds[i].name);
		struct value *members = facts_add(facts, FIELD_FEED);
		uint64_t age_s;

		if (members == NULL)
			return;
		value_set_text(&members[FACT_FEED_NAME], name);
		if (source->matcher != NULL &&
		    matcher_feed_age(
			source->matcher, name, evidence->now_unix, &age_s))
			value_set_number(
			    &members[FACT_FEED_AGE], (int64_t)age_s * 1000);
	}
}

/* With `homoglyph-fold` the text stands there a second time, in the letters
 * that it looks like: rules find what they name in either. */
static void
fill_body_text(struct facts *facts, struct evidence *evidence)
{
	struct slice text = message_body_text(evidence->message);
	struct builder both = builder_make(facts->arena, SIZE_MAX);
	struct slice plain;

	facts_set_text(facts, FIELD_BODY_TEXT, text);
	if (!evidence->settings->homoglyph_fold || text.length == 0)
		return;
	plain = text_fold_homoglyphs(facts->arena, text);
	if (plain.data != NULL && utf8_equal_fold(plain, text))
		return;
	builder_slice(&both, text);
	builder_byte(&both, '\n');
	builder_slice(&both, plain);
	if (plain.data == NULL || both.failed)
		evidence_note_gap(evidence, EVIDENCE_GAP_LIMIT);
	else
		facts_set_text(facts, FIELD_BODY_TEXT, builder_result(&both));
}

/* What could not be checked is a fact as well. */
static void
fill_gaps(struct facts *facts, struct evidence *evidence)
{
	if (results_temporary(evidence))
		evidence_note_gap(evidence, EVIDENCE_GAP_DNS);
	if ((evidence->gaps & EVIDENCE_GAP_DNS) != 0)
		facts_fail(facts, FAILURE_DNS);
	if ((evidence->gaps & (EVIDENCE_GAP_LIMIT | EVIDENCE_GAP_SIZE)) != 0)
		facts_fail(facts, FAILURE_LIMIT);
	if ((evidence->gaps & EVIDENCE_GAP_SCANNER) != 0)
		facts_fail(facts, FAILURE_SCANNER);
	if ((evidence->gaps & EVIDENCE_GAP_INTERNAL) != 0)
		facts_fail(facts, FAILURE_INTERNAL);
	for (unsigned i = 0; i < EVIDENCE_GAP_COUNT; i++)
		if ((evidence->gaps & 1u << i) != 0)
			facts_note_gap(facts, evidence_gap_name(1u << i));
}

enum tc_status
facts_fill_message(struct facts *facts, struct facts_fill_source *source)
{
	struct evidence *evidence = source->evidence;
	const struct program_needs *needs = evidence->needs;
	const struct message *message = evidence->message;

	facts_set_demand(facts, demand, source);
	fill_connection(facts, evidence);
	fill_mail(facts, evidence);
	fill_envelope(facts, evidence);
	fill_header(facts, message);
	fill_named_headers(facts, evidence);
	fill_hops(facts, evidence);
	fill_authentication(facts, evidence);
	facts_set_number(facts, FIELD_SIZE, (int64_t)evidence->size_bytes);
	if (needs->fields[FIELD_BODY_TEXT])
		fill_body_text(facts, evidence);
	if (needs->fields[FIELD_URL])
		fill_urls(facts, message_urls(message));
	if (needs->fields[FIELD_URL] && evidence->inspection != NULL)
		fill_urls(facts, &evidence->inspection->urls);
	fill_attachments(facts, evidence);
	fill_defects(facts, message);
	fill_indicators(facts, evidence);
	if (needs->fields[FIELD_FEED])
		fill_feeds(facts, source);
	fill_gaps(facts, evidence);
	return arena_exhausted(facts->arena) ? TC_LIMIT : TC_OK;
}
