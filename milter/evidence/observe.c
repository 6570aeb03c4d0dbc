#include <config.h>

#include "evidence/observe.h"

#include "auth/dkim_verify.h"
#include "base/domain.h"
#include "evidence/evidence.h"
#include "evidence/inspect.h"
#include "indicator/match.h"
#include "message/encoded_word.h"
#include "message/fields.h"
#include "message/message.h"

#define LOCAL_PART_MAX 64 /* RFC 5321, 4.5.3.1.1 */

/* A list of observations under way. */
struct observer {
	struct evidence *evidence;
	struct match_observations list;
	size_t limit;
	bool full;
};

static void
add(struct observer *observer, const struct match_observation *observation)
{
	struct match_observation *added;

	if (observation->value.length == 0)
		return;
	added = list_append(
	    observer->evidence->arena, &observer->list.items, observer->limit);
	if (added == NULL)
		observer->full = true;
	else
		*added = *observation;
}

static void
see(struct observer *observer, enum indicator_kind kind, enum match_where where,
    struct slice value)
{
	add(observer,
	    &(struct match_observation){
		.kind = kind, .where = where, .value = value, .part = -1 });
}

static void
see_ip(
    struct observer *observer, enum match_where where, const struct ipaddr *ip)
{
	char text[IPADDR_TEXT_MAX];

	see(observer, INDICATOR_NETWORK, where,
	    arena_copy(observer->evidence->arena,
		slice_text(ipaddr_format(ip, text))));
}

static bool
is_address_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c & 0x80) != 0 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~.", c) != NULL);
}

static bool
is_domain_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || (c & 0x80) != 0 ||
	       c == '-' || c == '.';
}

/* Addresses that stand in a run of text. Each `@` looks back and ahead over a
 * bounded stretch, so the time is linear. `like` has the rest. */
static void
see_addresses_in(
    struct observer *observer, struct slice text, struct match_observation like)
{
	size_t at, from = 0;

	like.kind = INDICATOR_ADDRESS;
	while (
	    (at = slice_find_byte(slice_skip(text, from), '@')) != SIZE_MAX) {
		size_t start, end;

		at += from;
		start = at;
		while (start > from && at - start < LOCAL_PART_MAX &&
		       is_address_byte(text.data[start - 1]))
			start--;
		end = at + 1;
		while (end < text.length && end - at <= DOMAIN_TEXT_MAX &&
		       is_domain_byte(text.data[end]))
			end++;
		while (end > at + 1 && text.data[end - 1] == '.')
			end--;
		from = at + 1;
		if (start == at || end < at + 4)
			continue;
		like.value = slice_range(text, start, end);
		add(observer, &like);
	}
}

static void
see_connection(struct observer *observer)
{
	const struct evidence *evidence = observer->evidence;

	if (evidence->has_client_ip)
		see_ip(observer, MATCH_CLIENT, &evidence->client_ip);
	see(observer, INDICATOR_DOMAIN, MATCH_CLIENT_NAME,
	    evidence->client_name);
	see(observer, INDICATOR_DOMAIN, MATCH_HELO, evidence->helo);
	/* The first hop that no relay of ours wrote: what it says of the hop
	 * before it is the sender's word. */
	for (size_t i = 0; i < evidence->hops.count; i++) {
		const struct hop *hop = &evidence->hops.items[i];

		if (hop->trusted)
			continue;
		if (hop->has_ip)
			see_ip(observer, MATCH_RECEIVED, &hop->ip);
		see(observer, INDICATOR_DOMAIN, MATCH_RECEIVED, hop->name);
		break;
	}
}

static void
see_envelope(struct observer *observer)
{
	const struct evidence *evidence = observer->evidence;

	if (evidence->sender_is_address)
		see(observer, INDICATOR_ADDRESS, MATCH_MAIL_FROM,
		    evidence->sender_text);
	for (size_t i = 0; i < evidence->recipients.count; i++)
		if (evidence->recipients.items[i].is_address)
			see(observer, INDICATOR_ADDRESS, MATCH_RCPT,
			    evidence->recipients.items[i].text);
}

static void
see_mailboxes(struct observer *observer, enum match_where where,
    const struct address_list *list, int part)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct mailbox *mailbox = &list->items[i];
		bool whole = mailbox->local.length > 0;

		add(observer,
		    &(struct match_observation){
			.kind = whole ? INDICATOR_ADDRESS : INDICATOR_DOMAIN,
			.where = where,
			.value = whole ? mailbox->address : mailbox->domain,
			.part = part });
		see_addresses_in(observer, mailbox->display,
		    (struct match_observation){
			.where = MATCH_DISPLAY_NAME, .part = part });
	}
}

static void
see_message_id(struct observer *observer, struct slice id, int part)
{
	struct match_observation observation = { .where = MATCH_MESSAGE_ID,
		.kind = INDICATOR_MESSAGE_ID,
		.value = slice_trim(id),
		.part = part };
	size_t at = slice_find_last_byte(observation.value, '@');

	add(observer, &observation);
	if (at == SIZE_MAX)
		return;
	observation.kind = INDICATOR_DOMAIN;
	slice_split(
	    slice_skip(observation.value, at + 1), '>', &observation.value);
	add(observer, &observation);
}

static void
see_subject(struct observer *observer, struct slice subject, int part)
{
	struct match_observation observation = { .where = MATCH_SUBJECT,
		.kind = INDICATOR_SUBJECT,
		.value = subject,
		.part = part };

	add(observer, &observation);
	see_addresses_in(observer, subject, observation);
}

/* Fields that are looked at one by one, of the message or of mail in it. */
static void
see_fields(
    struct observer *observer, const struct header_list *headers, int part)
{
	struct arena *arena = observer->evidence->arena;

	for (size_t i = 0; i < headers->count; i++) {
		const struct header_field *field = &headers->items[i];
		const char *name = fields_of_addresses(field->name);

		if (name != NULL)
			see_addresses_in(observer,
			    header_unfold(arena, field->value),
			    (struct match_observation){ .where = MATCH_HEADER,
				.part = part,
				.field = name });
		else if (slice_equal_text_fold(field->name, "X-Mailer") ||
			 slice_equal_text_fold(field->name, "User-Agent"))
			add(observer,
			    &(struct match_observation){
				.kind = INDICATOR_MAILER,
				.where = MATCH_MAILER,
				.value = header_unfold(arena, field->value),
				.part = part });
	}
}

static void
see_headers(struct observer *observer)
{
	const struct message *message = observer->evidence->message;

	see_mailboxes(observer, MATCH_FROM, message_from(message), -1);
	see_mailboxes(observer, MATCH_SENDER, message_sender(message), -1);
	see_mailboxes(observer, MATCH_REPLY_TO, message_reply_to(message), -1);
	see_mailboxes(observer, MATCH_TO, message_to(message), -1);
	see_mailboxes(observer, MATCH_CC, message_cc(message), -1);
	see_subject(observer, message_subject(message), -1);
	see_message_id(observer, message_id(message), -1);
	see_fields(observer, message_headers(message), -1);
}

/* The headers of mail that is a part: forwarded as attachment, or sent back.
 * What is shown of it is looked up as in the message itself. */
static void
see_inner_headers(struct observer *observer, const struct mime_part *part)
{
	static const struct {
		const char *name;
		enum match_where where;
	} lists[] = { { "From", MATCH_FROM }, { "Sender", MATCH_SENDER },
		{ "Reply-To", MATCH_REPLY_TO }, { "To", MATCH_TO },
		{ "Cc", MATCH_CC } };
	struct arena *arena = observer->evidence->arena;
	int index = (int)part->index;
	const struct header_field *field;
	struct encoded_word_result subject;
	size_t at = 0;

	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct address_list list = { .count = 0 };

		address_list_collect(arena, &part->headers, lists[i].name,
		    &address_limits_default, &list);
		see_mailboxes(observer, lists[i].where, &list, index);
	}
	field = header_find(&part->headers, "Subject", &at);
	if (field != NULL &&
	    encoded_word_decode(arena, slice_trim(field->value), &subject))
		see_subject(observer, subject.text, index);
	at = 0;
	field = header_find(&part->headers, "Message-ID", &at);
	if (field != NULL)
		see_message_id(
		    observer, header_unfold(arena, field->value), index);
	see_fields(observer, &part->headers, index);
}

static void
see_signatures(struct observer *observer)
{
	const struct dkim_verify_outcome *dkim = observer->evidence->dkim;

	for (size_t i = 0; dkim != NULL && i < dkim->signatures.count; i++)
		see(observer, INDICATOR_DOMAIN, MATCH_DKIM,
		    dkim->signatures.items[i].domain);
}

static enum match_where
url_place(const struct message_url *url)
{
	switch (url->where) {
	case URL_IN_SUBJECT:
		return MATCH_SUBJECT;
	case URL_IN_HTML:
	case URL_IN_REDIRECT:
		return MATCH_LINK;
	case URL_IN_TEXT:
	case URL_IN_HTML_TEXT:
	case URL_IN_CALENDAR:
		return MATCH_TEXT;
	case URL_IN_CONTENT:
		return MATCH_ATTACHMENT;
	case URL_IN_HEADER:
		return MATCH_HEADER;
	case URL_IN_DISPLAY_NAME:
		return MATCH_DISPLAY_NAME;
	}
	return MATCH_TEXT;
}

static void
see_urls(struct observer *observer, const struct url_list *urls)
{
	for (size_t i = 0; i < urls->count; i++) {
		const struct message_url *url = &urls->items[i];
		struct ipaddr ip;

		/* Four numbers in running text are a section or a version far
		 * more often than an address. */
		if (url->bare_host && ipaddr_parse(url->host, &ip))
			continue;
		add(observer,
		    &(struct match_observation){ .kind = url->bare_host
							     ? INDICATOR_DOMAIN
							     : INDICATOR_URL,
			.where = url_place(url),
			.value = url->bare_host ? url->host : url->normal,
			.part = url->part == SIZE_MAX ? -1 : (int)url->part,
			.defanged = url->defanged,
			.field = url->field });
	}
	for (size_t i = 0; i < urls->mails.count; i++) {
		const struct message_mail *mail = &urls->mails.items[i];

		add(observer,
		    &(struct match_observation){ .kind = INDICATOR_ADDRESS,
			.where =
			    mail->field == NULL ? MATCH_LINK : MATCH_HEADER,
			.value = mail->address,
			.part = mail->part == SIZE_MAX ? -1 : (int)mail->part,
			.field = mail->field });
	}
	if (urls->cut)
		evidence_note_gap(observer->evidence, EVIDENCE_GAP_LIMIT);
}

/* Names that some programs save a part under when it has no other: the end of
 * its Content-Location, and its description where that looks like a name. */
static void
see_other_names(struct observer *observer, const struct mime_part *part,
    struct match_observation observation)
{
	static const char *const fields[] = { "Content-Location",
		"Content-Description" };

	observation.kind = INDICATOR_FILENAME;
	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
		size_t at = 0, slash;
		const struct header_field *field =
		    header_find(&part->headers, fields[i], &at);
		struct encoded_word_result decoded;

		if (field == NULL ||
		    !encoded_word_decode(observer->evidence->arena,
			slice_trim(field->value), &decoded))
			continue;
		slash = slice_find_last_byte(decoded.text, '/');
		observation.value = slash == SIZE_MAX
					? decoded.text
					: slice_skip(decoded.text, slash + 1);
		if (slice_find_byte(observation.value, '.') != SIZE_MAX)
			add(observer, &observation);
	}
}

static void
see_part(struct observer *observer, const struct mime_part *part)
{
	const struct {
		enum indicator_kind kind;
		struct slice value;
	} digests[] = { { INDICATOR_MD5, part->digests.md5 },
		{ INDICATOR_SHA1, part->digests.sha1 },
		{ INDICATOR_SHA256, part->digests.sha256 },
		{ INDICATOR_SHA512, part->digests.sha512 } };
	struct match_observation observation = { .where = MATCH_ATTACHMENT,
		.part = (int)part->index };

	observation.kind = INDICATOR_FILENAME;
	for (size_t i = 0; i < part->names.count; i++) {
		observation.value = part->names.items[i].name;
		add(observer, &observation);
	}
	for (size_t i = 0; i < sizeof digests / sizeof digests[0]; i++) {
		observation.kind = digests[i].kind;
		observation.value = digests[i].value;
		add(observer, &observation);
	}
	see_other_names(observer, part, observation);
	see_addresses_in(observer, part->text,
	    (struct match_observation){
		.where = part->is_text ? MATCH_TEXT : MATCH_ATTACHMENT,
		.part = (int)part->index });
	see_addresses_in(observer, part->external,
	    (struct match_observation){ .where = MATCH_HEADER,
		.part = (int)part->index,
		.field = "content-type" });
}

/* Containers are left out: their content is that of their parts. */
static void
see_parts(struct observer *observer)
{
	const struct mime_parts *parts =
	    message_parts(observer->evidence->message);

	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *part = &parts->items[i];

		if (!part->is_container)
			see_part(observer, part);
		if (part->parent < parts->count &&
		    slice_starts_with(parts->items[part->parent].type,
			SLICE_LITERAL("message/")))
			see_inner_headers(observer, part);
	}
}

static void
see_member(struct observer *observer, const struct inspect_file *file)
{
	const struct scanner_item *item = file->item;
	struct match_observation observation = { .where = MATCH_ARCHIVE,
		.part = (int)file->part };
	const struct {
		enum indicator_kind kind;
		bool known;
		struct slice value;
	} values[] = {
		{ INDICATOR_FILENAME, true, item->name },
		{ INDICATOR_FILENAME, true, item->other_name },
		{ INDICATOR_MD5, (item->flags & SCANNER_HAS_MD5) != 0,
		    slice_make(item->md5, sizeof item->md5) },
		{ INDICATOR_SHA1, (item->flags & SCANNER_HAS_SHA1) != 0,
		    slice_make(item->sha1, sizeof item->sha1) },
		{ INDICATOR_SHA256, (item->flags & SCANNER_HAS_SHA256) != 0,
		    slice_make(item->sha256, sizeof item->sha256) },
		{ INDICATOR_SHA512, (item->flags & SCANNER_HAS_SHA512) != 0,
		    slice_make(item->sha512, sizeof item->sha512) },
	};

	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		if (!values[i].known)
			continue;
		observation.kind = values[i].kind;
		observation.value = values[i].value;
		add(observer, &observation);
	}
}

/* Members of archives, URLs in documents, and the mail inside archives, which
 * is looked through like the message itself. */
static void
see_inspection(struct observer *observer, const struct inspection *inspection)
{
	struct evidence *evidence = observer->evidence;
	struct evidence inner = *evidence;

	for (size_t i = 0; i < inspection->files.count; i++)
		if (inspection->files.items[i].parent != INSPECT_NO_PARENT &&
		    !inspection->files.items[i].in_mail)
			see_member(observer, &inspection->files.items[i]);
	see_urls(observer, &inspection->urls);
	for (size_t i = 0; i < inspection->mails.count; i++) {
		inner.message = inspection->mails.items[i].message;
		observer->evidence = &inner;
		see_headers(observer);
		see_urls(observer, message_urls(inner.message));
		see_parts(observer);
	}
	observer->evidence = evidence;
	evidence_note_gap(observer->evidence, (enum evidence_gap)inner.gaps);
}

enum tc_status
observe_match(struct evidence *evidence, const struct matcher *matcher)
{
	struct match_limits limits = match_limits_defaults();
	struct observer observer = { .evidence = evidence,
		.limit = limits.observations_max };
	struct match_hits hits = { 0 };
	enum tc_status status;

	if (evidence->hits_looked_up || matcher == NULL)
		return TC_OK;
	see_connection(&observer);
	see_envelope(&observer);
	see_headers(&observer);
	see_signatures(&observer);
	see_urls(&observer, message_urls(evidence->message));
	see_parts(&observer);
	if (evidence->inspection != NULL)
		see_inspection(&observer, evidence->inspection);
	status = match_run(matcher, &observer.list, &limits,
	    (int64_t)evidence->match_at_unix, evidence->arena, &hits);
	evidence->hits = hits.items.items;
	evidence->hit_count = hits.items.count;
	evidence->hits_looked_up = true;
	if (observer.full || hits.incomplete || status == TC_LIMIT)
		evidence_note_gap(evidence, EVIDENCE_GAP_LIMIT);
	return status;
}
