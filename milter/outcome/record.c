#include <config.h>

#include <stdint.h>
#include <time.h>

#include "outcome/record.h"

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "base/utf8.h"
#include "evidence/evidence.h"
#include "evidence/inspect.h"
#include "evidence/results.h"
#include "indicator/match.h"
#include "indicator/normal.h"
#include "language/facts.h"
#include "language/program.h"
#include "message/message.h"

#define VALUE_MAX 1024 /* octets of one value */
#define ARRAY_MAX 1000 /* elements of one array */
/* What a message has a thousand times must not make its record large. */
#define DESCRIPTION_MAX 200
#define TAGS_MAX        16
#define TAG_MAX         100

/* A record under way: whether something was cut, and whether the next member
 * or element needs a comma. */
struct record {
	struct builder *out;
	bool comma;
	bool truncated;
};

static void
put_comma(struct record *record)
{
	if (record->comma)
		builder_byte(record->out, ',');
	record->comma = true;
}

static void
put_key(struct record *record, const char *key)
{
	put_comma(record);
	if (key != NULL)
		builder_printf(record->out, "\"%s\":", key);
}

/* A string; key NULL: an element of an array. */
static void
put_text(struct record *record, const char *key, struct slice value)
{
	put_key(record, key);
	builder_byte(record->out, '"');
	builder_json(record->out, slice_range(value, 0, VALUE_MAX));
	builder_byte(record->out, '"');
	if (value.length > VALUE_MAX)
		record->truncated = true;
}

/* As put_text; an empty value is left out. */
static void
put_known(struct record *record, const char *key, struct slice value)
{
	if (value.length > 0)
		put_text(record, key, value);
}

static void
put_word(struct record *record, const char *key, const char *word)
{
	put_text(record, key, slice_text(word));
}

static void
put_number(struct record *record, const char *key, unsigned long long number)
{
	put_key(record, key);
	builder_printf(record->out, "%llu", number);
}

static void
put_true(struct record *record, const char *key, bool truth)
{
	if (!truth)
		return;
	put_key(record, key);
	builder_text(record->out, "true");
}

static void
put_time(struct record *record, const char *key, time_t when)
{
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&when, &tm) != NULL)
		strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &tm);
	put_word(record, key, text);
}

static void
begin(struct record *record, const char *key, char bracket)
{
	put_key(record, key);
	builder_byte(record->out, bracket);
	record->comma = false;
}

static void
end(struct record *record, char bracket)
{
	builder_byte(record->out, bracket);
	record->comma = true;
}

/* True while an array may take one more element. */
static bool
has_room(struct record *record, size_t index)
{
	if (index < ARRAY_MAX)
		return true;
	record->truncated = true;
	return false;
}

static void
put_ip(struct record *record, const char *key, const struct ipaddr *ip)
{
	char text[IPADDR_TEXT_MAX];

	put_word(record, key, ipaddr_format(ip, text));
}

static void
put_client(struct record *record, const struct evidence *evidence)
{
	const struct evidence_connection *peer = evidence->connection;

	begin(record, "client", '{');
	if (evidence->has_client_ip)
		put_ip(record, "ip", &evidence->client_ip);
	put_known(record, "name", evidence->client_name);
	put_known(record, "helo", evidence->helo);
	if (evidence->client_is_hop && peer->has_ip)
		put_ip(record, "peer", &peer->ip);
	put_known(record, "tls", peer->tls_version);
	end(record, '}');
	if (evidence->auth_user.length == 0)
		return;
	begin(record, "auth", '{');
	put_text(record, "user", evidence->auth_user);
	put_known(record, "method", evidence->auth_method);
	end(record, '}');
}

static void
put_envelope(struct record *record, const struct evidence *evidence)
{
	put_text(record, "mail_from", evidence->sender_text);
	begin(record, "rcpt", '[');
	for (size_t i = 0;
	     i < evidence->recipients.count && has_room(record, i); i++)
		put_text(record, NULL, evidence->recipients.items[i].text);
	end(record, ']');
}

static void
put_mailboxes(
    struct record *record, const char *key, const struct address_list *list)
{
	if (list->count == 0)
		return;
	begin(record, key, '[');
	for (size_t i = 0; i < list->count && has_room(record, i); i++)
		put_text(record, NULL, list->items[i].address);
	end(record, ']');
}

static void
put_headers(struct record *record, const struct evidence *evidence)
{
	const struct message *message = evidence->message;

	put_mailboxes(record, "from", message_from(message));
	put_mailboxes(record, "reply_to", message_reply_to(message));
	put_mailboxes(record, "sender", message_sender(message));
	put_mailboxes(record, "to", message_to(message));
	put_mailboxes(record, "cc", message_cc(message));
	put_known(record, "message_id", message_id(message));
	put_known(record, "subject_sha256",
	    record_subject_digest(evidence->arena, message_subject(message)));
}

static void
put_part(struct record *record, const struct mime_part *part,
    const struct inspect_file *file)
{
	begin(record, NULL, '{');
	put_number(record, "part", part->index);
	put_known(record, "type", part->type);
	if (part->names.count > 0) {
		begin(record, "names", '[');
		for (size_t i = 0; i < part->names.count; i++)
			put_text(record, NULL, part->names.items[i].name);
		end(record, ']');
	}
	put_number(record, "size", part->size);
	put_known(record, "md5", part->digests.md5);
	put_known(record, "sha1", part->digests.sha1);
	put_known(record, "sha256", part->digests.sha256);
	if (file != NULL)
		put_known(record, "unscannable", file->item->reason);
	end(record, '}');
}

static void
put_digest(struct record *record, const char *key, bool known,
    const uint8_t *digest, size_t size)
{
	if (!known)
		return;
	put_key(record, key);
	builder_byte(record->out, '"');
	for (size_t i = 0; i < size; i++)
		builder_printf(record->out, "%02x", digest[i]);
	builder_byte(record->out, '"');
}

static void
put_file(struct record *record, const struct inspect_file *file)
{
	const struct scanner_item *item = file->item;

	begin(record, NULL, '{');
	put_number(record, "part", file->part);
	begin(record, "names", '[');
	put_known(record, NULL, item->name);
	put_known(record, NULL, item->other_name);
	end(record, ']');
	put_number(record, "size", item->size_bytes);
	put_digest(record, "md5", (item->flags & SCANNER_HAS_MD5) != 0,
	    item->md5, sizeof item->md5);
	put_digest(record, "sha1", (item->flags & SCANNER_HAS_SHA1) != 0,
	    item->sha1, sizeof item->sha1);
	put_digest(record, "sha256", (item->flags & SCANNER_HAS_SHA256) != 0,
	    item->sha256, sizeof item->sha256);
	put_known(record, "unscannable", item->reason);
	end(record, '}');
}

/* What lay in archives, documents and mail in files. */
static void
put_files(struct record *record, const struct inspection *inspection)
{
	size_t written = 0;

	begin(record, "files", '[');
	for (size_t i = 0; i < inspection->files.count; i++) {
		const struct inspect_file *file = &inspection->files.items[i];

		if (file->parent == INSPECT_NO_PARENT)
			continue;
		if (!has_room(record, written++))
			break;
		put_file(record, file);
	}
	end(record, ']');
}

static void
put_parts(struct record *record, const struct evidence *evidence)
{
	const struct mime_parts *parts = message_parts(evidence->message);
	size_t written = 0;

	begin(record, "parts", '[');
	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *part = &parts->items[i];

		if (part->is_container)
			continue;
		if (!has_room(record, written++))
			break;
		put_part(record, part,
		    evidence->inspection == NULL
			? NULL
			: inspect_part(evidence->inspection, i));
	}
	end(record, ']');
}

/* Hosts of URLs, each once as long as they stand near each other: a mail's
 * links mostly go to few hosts, so looking back at the last few is enough to
 * keep the record short. */
static void
put_hosts_of(
    struct record *record, const struct url_list *urls, size_t *written)
{
	for (size_t i = 0; i < urls->count; i++) {
		bool repeated = urls->items[i].host.length == 0;

		for (size_t back = 1; back <= 16 && back <= i; back++)
			repeated = repeated || slice_equal(urls->items[i].host,
						   urls->items[i - back].host);
		if (repeated)
			continue;
		if (!has_room(record, (*written)++))
			break;
		put_text(record, NULL, urls->items[i].host);
	}
}

static void
put_hosts(struct record *record, const struct evidence *evidence)
{
	size_t written = 0;

	begin(record, "url_hosts", '[');
	put_hosts_of(record, message_urls(evidence->message), &written);
	if (evidence->inspection != NULL)
		put_hosts_of(record, &evidence->inspection->urls, &written);
	end(record, ']');
}

static void
put_signatures(struct record *record, const struct dkim_verify_outcome *dkim)
{
	begin(record, "signatures", '[');
	for (size_t i = 0; i < dkim->signatures.count; i++) {
		const struct dkim_signature *signature =
		    &dkim->signatures.items[i];

		begin(record, NULL, '{');
		put_word(record, "result",
		    dkim_verify_result_name(signature->result));
		put_known(record, "d", signature->domain);
		put_known(record, "s", signature->selector);
		put_true(record, "testing", signature->testing);
		end(record, '}');
	}
	end(record, ']');
}

static void
put_results(struct record *record, const struct evidence *evidence)
{
	begin(record, "results", '{');
	put_word(record, "spf", results_spf(evidence));
	put_known(record, "spf_domain", results_spf_domain(evidence));
	put_word(record, "dkim", results_dkim(evidence));
	if (evidence->dkim != NULL && evidence->dkim->signatures.count > 0)
		put_signatures(record, evidence->dkim);
	put_word(record, "dmarc", results_dmarc(evidence));
	if (evidence->dmarc != NULL) {
		put_known(
		    record, "dmarc_domain", evidence->dmarc->policy_domain);
		put_word(record, "dmarc_policy",
		    dmarc_policy_name(evidence->dmarc->policy));
	}
	put_word(record, "arc", results_arc(evidence));
	if (evidence->arc != NULL)
		put_known(record, "arc_sealer", evidence->arc->sealer);
	put_true(record, "resolver_down", evidence->resolver_down);
	end(record, '}');
}

/* What rules and people see of an indicator beside what decides. */
static void
put_background(struct record *record, const struct match_hit *hit)
{
	struct slice text = hit->description, tags = hit->tags, tag;

	if (hit->tlp != INDICATOR_TLP_ABSENT)
		put_word(record, "tlp", indicator_tlp_name(hit->tlp));
	if (tags.length > 0)
		begin(record, "tags", '[');
	for (size_t i = 0; i < TAGS_MAX && match_next_tag(&tags, &tag); i++)
		put_text(record, NULL, slice_range(tag, 0, TAG_MAX));
	if (hit->tags.length > 0)
		end(record, ']');
	if (text.length > DESCRIPTION_MAX) {
		text = slice_range(text, 0, DESCRIPTION_MAX);
		text = slice_range(text, 0, utf8_valid_prefix(text));
	}
	put_known(record, "description", text);
	if (hit->first_seen_unix > 0)
		put_time(record, "first_seen", hit->first_seen_unix);
}

static void
put_indicators(struct record *record, const struct evidence *evidence)
{
	begin(record, "indicators", '[');
	for (size_t i = 0; i < evidence->hit_count && has_room(record, i);
	     i++) {
		const struct match_hit *hit = &evidence->hits[i];

		begin(record, NULL, '{');
		put_text(record, "feed", hit->feed);
		put_known(record, "id", hit->id);
		put_word(record, "type", indicator_kind_name(hit->kind));
		put_text(record, "value", hit->value);
		put_word(
		    record, "severity", indicator_severity_name(hit->severity));
		put_word(
		    record, "strength", indicator_strength_name(hit->strength));
		put_number(record, "confidence", hit->confidence);
		put_text(record, "where", evidence_hit_where(evidence, hit));
		put_text(record, "observed", hit->observed);
		if (hit->part >= 0)
			put_number(
			    record, "part", (unsigned long long)hit->part);
		put_true(record, "partial", hit->partial);
		put_true(record, "defanged", hit->defanged);
		if (hit->valid_until_unix > 0)
			put_time(record, "expires", hit->valid_until_unix);
		put_true(record, "expired",
		    hit->valid_until_unix > 0 &&
			hit->valid_until_unix <= evidence->now_unix);
		put_true(record, "not_yet_valid",
		    hit->not_before &&
			hit->first_seen_unix > evidence->now_unix);
		put_background(record, hit);
		end(record, '}');
	}
	end(record, ']');
}

static void
put_rules(struct record *record, const struct verdict *verdict)
{
	begin(record, "rules", '[');
	for (size_t i = 0; i < verdict->matches.count && has_room(record, i);
	     i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		begin(record, NULL, '{');
		put_word(record, "name", match->rule->name);
		put_word(record, "disposition",
		    verdict_disposition_name(match->disposition));
		if (match->stage != STAGE_MESSAGE)
			put_word(
			    record, "stage", schema_stage_name(match->stage));
		put_true(record, "shadow", match->shadow);
		put_true(record, "by_error", match->by_error);
		if (match->exempted_by != NULL)
			put_word(record, "exempted_by", match->exempted_by);
		end(record, '}');
	}
	end(record, ']');
}

static void
put_verdict(struct record *record, const struct verdict *verdict)
{
	begin(record, "verdict", '{');
	put_word(record, "disposition",
	    verdict_disposition_name(verdict->disposition));
	if (verdict->decided_by != NULL)
		put_word(record, "by", verdict->decided_by->name);
	if (verdict->would != DISPOSITION_NONE)
		put_word(
		    record, "would", verdict_disposition_name(verdict->would));
	begin(record, "actions", '[');
	for (size_t i = 0; i < verdict->actions.count && has_room(record, i);
	     i++)
		put_word(record, NULL,
		    verdict_action_name(verdict->actions.items[i].kind));
	end(record, ']');
	if (verdict->failures != 0) {
		begin(record, "failures", '[');
		for (unsigned i = 0; i < FAILURE_COUNT; i++)
			if ((verdict->failures & 1u << i) != 0)
				put_word(record, NULL, results_failure_name(i));
		end(record, ']');
	}
	end(record, '}');
}

static void
put_incomplete(struct record *record, const struct evidence *evidence)
{
	begin(record, "incomplete", '[');
	for (unsigned i = 0; i < EVIDENCE_GAP_COUNT; i++)
		if ((evidence->gaps & 1u << i) != 0)
			put_word(record, NULL, evidence_gap_name(1u << i));
	end(record, ']');
}

void
record_write(struct builder *out, const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage)
{
	struct record record = { .out = out };

	put_number(&record, "v", RECORD_VERSION);
	put_time(&record, "time", evidence->now_unix);
	put_word(&record, "ref", evidence->reference);
	put_known(&record, "queue_id", evidence->queue_id);
	if (stage != STAGE_MESSAGE)
		put_word(&record, "stage", schema_stage_name(stage));
	put_client(&record, evidence);
	put_envelope(&record, evidence);
	put_word(
	    &record, "direction", evidence_direction_name(evidence->direction));
	if (stage == STAGE_MESSAGE) {
		put_headers(&record, evidence);
		put_number(&record, "size", evidence->size_bytes);
		put_parts(&record, evidence);
		if (evidence->inspection != NULL)
			put_files(&record, evidence->inspection);
		put_hosts(&record, evidence);
		put_results(&record, evidence);
		put_indicators(&record, evidence);
		put_incomplete(&record, evidence);
	}
	put_rules(&record, verdict);
	put_verdict(&record, verdict);
	if (evidence->preserved_path != NULL)
		put_word(&record, "preserved", evidence->preserved_path);
	put_true(&record, "preserve_failed", evidence->preserve_failed);
	put_word(&record, "policy", evidence->policy_hash);
	put_number(&record, "store", evidence->store_generation);
	put_number(&record, "took_ms", evidence->took_ms);
	put_true(&record, "truncated", record.truncated);
}

struct slice
record_subject_digest(struct arena *arena, struct slice subject)
{
	struct digests digests = { 0 };
	struct slice key;

	if (normal_key(arena, INDICATOR_SUBJECT, subject, &key) != NORMAL_GOOD)
		return slice_make(NULL, 0);
	digest_compute(arena, key, DIGEST_SHA256, &digests);
	return digests.sha256;
}
