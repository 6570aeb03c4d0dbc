#include <config.h>

#include "tool/scan_report.h"

#include "auth/arc.h"
#include "auth/auth_rule.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "dns/lookups.h"
#include "evidence/results.h"
#include "indicator/match.h"
#include "language/explain.h"
#include "language/program.h"
#include "message/message.h"
#include "outcome/record.h"
#include "outcome/verdict_log.h"

#define VALUE_MAX      400 /* octets of one value for people */
#define RECIPIENTS_MAX 10
#define ANSWER_MAX     300 /* octets of a TXT record for people */

static void
put_value(struct builder *out, const char *label, struct slice value)
{
	if (value.length == 0)
		return;
	builder_printf(out, "  %-11s ", label);
	builder_printable(out, value, VALUE_MAX);
	builder_byte(out, '\n');
}

static const char *
derived_mark(const struct replay_result *result, enum replay_derived bit)
{
	return (result->derived & (unsigned)bit) != 0 ? " (derived)" : "";
}

static void
put_parties(struct builder *out, const struct evidence *evidence,
    const struct replay_result *result)
{
	char ip[IPADDR_TEXT_MAX] = "unknown";

	if (evidence->has_client_ip)
		ipaddr_format(&evidence->client_ip, ip);
	put_value(out, "message-id", slice_trim(message_id(evidence->message)));
	put_value(out, "from", results_author(evidence));
	builder_printf(out, "  %-11s %s%s\n", "client", ip,
	    derived_mark(result, REPLAY_CLIENT));
	builder_printf(out, "  %-11s <", "mail-from");
	builder_printable(out, evidence->sender_text, VALUE_MAX);
	builder_printf(out, ">%s\n", derived_mark(result, REPLAY_MAIL_FROM));
	for (size_t i = 0; i < evidence->recipients.count; i++) {
		if (i == RECIPIENTS_MAX) {
			builder_printf(out, "  %-11s and %zu more\n", "",
			    evidence->recipients.count - i);
			break;
		}
		builder_printf(out, "  %-11s <", i == 0 ? "rcpt" : "");
		builder_printable(
		    out, evidence->recipients.items[i].text, VALUE_MAX);
		builder_printf(out, ">%s\n", derived_mark(result, REPLAY_RCPT));
	}
}

static void
put_rules(struct builder *out, const struct verdict *verdict)
{
	for (size_t i = 0; i < verdict->matches.count; i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		builder_printf(out, "  rule        %s (%s", match->rule->name,
		    match->shadow ? "would " : "");
		explain_demand(match->rule, out);
		builder_byte(out, ')');
		if (match->exempted_by != NULL)
			builder_printf(
			    out, " exempted by %s", match->exempted_by);
		if (match->by_error)
			builder_text(out, " because of an error");
		if (match->rule->description[0] != '\0')
			builder_printf(out, ": %s", match->rule->description);
		builder_byte(out, '\n');
	}
}

static void
put_indicators(struct builder *out, const struct evidence *evidence)
{
	for (size_t i = 0; i < evidence->hit_count; i++) {
		const struct match_hit *hit = &evidence->hits[i];
		bool expired = hit->valid_until_unix > 0 &&
			       hit->valid_until_unix <= evidence->now_unix;
		bool early = hit->not_before &&
			     hit->first_seen_unix > evidence->now_unix;

		builder_text(out, "  indicator   ");
		verdict_log_indicator(out, hit);
		builder_printf(out, " %s ", indicator_kind_name(hit->kind));
		builder_printable(out, hit->value, VALUE_MAX);
		builder_text(out, " in ");
		builder_slice(out, evidence_hit_where(evidence, hit));
		if (hit->part >= 0)
			builder_printf(out, " part %d", hit->part);
		builder_text(out, ": ");
		builder_printable(out, hit->observed, VALUE_MAX);
		builder_printf(out, " [%s, %s%s%s%s%s]\n",
		    indicator_severity_name(hit->severity),
		    indicator_strength_name(hit->strength),
		    hit->partial ? ", partial" : "",
		    hit->defanged ? ", defanged" : "",
		    expired ? ", expired" : "", early ? ", not yet valid" : "");
	}
}

static void
put_gaps(struct builder *out, const struct evidence *evidence)
{
	if (evidence->gaps == 0)
		return;
	builder_text(out, "  incomplete ");
	for (unsigned i = 0; i < EVIDENCE_GAP_COUNT; i++)
		if ((evidence->gaps & 1u << i) != 0)
			builder_printf(out, " %s", evidence_gap_name(1u << i));
	builder_byte(out, '\n');
}

static void
put_name(struct builder *out, const struct mailbox_entry *entry)
{
	builder_printable(out, slice_text(entry->path), 4096);
	if (entry->number > 0)
		builder_printf(out, " message %u", entry->number);
}

static void
put_reply(struct builder *out, const struct apply_reply *reply)
{
	builder_printf(
	    out, "%s %s %s", reply->code, reply->enhanced, reply->text);
}

struct explain_options
scan_report_explaining(const struct scan_report_options *options)
{
	return (struct explain_options){ .show_content = options->show_content,
		.names = options->rules,
		.name_count = options->rule_count };
}

/* Each with its clauses; those of the last are left out when the evaluation
 * behind it is shown anyway, as that of the message. */
static void
put_refused(struct builder *out, const struct replay_result *result, bool last)
{
	for (size_t i = 0; i < result->refused.count; i++) {
		const struct replay_refusal *refusal =
		    &result->refused.items[i];

		builder_text(out, "  refused     <");
		builder_printable(out, refusal->recipient, VALUE_MAX);
		builder_text(out, "> at rcpt: ");
		put_reply(out, &refusal->reply);
		builder_printf(out, "%s%s%s\n",
		    *refusal->rule == '\0' ? "" : " (", refusal->rule,
		    *refusal->rule == '\0' ? "" : ")");
		if (last || i + 1 < result->refused.count)
			builder_slice(out, refusal->clauses);
	}
}

/* A message that got its answer before its end: what is known by then, and who
 * said so. */
static void
put_early(struct builder *out, const struct session *session,
    const struct replay_result *result,
    const struct scan_report_options *options)
{
	const struct explain_options explain = scan_report_explaining(options);
	const struct evidence *evidence = session_evidence(session);
	enum schema_stage stage = STAGE_CONNECT;
	const struct verdict *verdict = session_refusal(session, &stage);
	char ip[IPADDR_TEXT_MAX] = "unknown";

	builder_printf(out, ": %s early",
	    verdict_disposition_name(replay_early_disposition(result)));
	if (verdict != NULL)
		builder_printf(out, ", at %s", schema_stage_name(stage));
	builder_text(out, ": ");
	put_reply(out, &result->reply);
	builder_byte(out, '\n');
	put_value(out, "message-id", result->message_id);
	if (evidence != NULL && evidence->has_client_ip)
		ipaddr_format(&evidence->client_ip, ip);
	builder_printf(out, "  %-11s %s%s\n", "client", ip,
	    derived_mark(result, REPLAY_CLIENT));
	if (evidence != NULL && stage >= STAGE_MAIL) {
		builder_printf(out, "  %-11s <", "mail-from");
		builder_printable(out, evidence->sender_text, VALUE_MAX);
		builder_printf(
		    out, ">%s\n", derived_mark(result, REPLAY_MAIL_FROM));
	}
	put_refused(out, result, false);
	if (verdict == NULL)
		return;
	put_rules(out, verdict);
	if (options->explain && session_eval(session) != NULL)
		explain_print(session_eval(session), &explain, out);
}

void
scan_report_text(struct builder *out, const struct mailbox_entry *entry,
    const struct session *session, const struct replay_result *result,
    const struct scan_report_options *options)
{
	const struct evidence *evidence = session_evidence(session);
	const struct verdict *verdict = session_verdict(session);

	put_name(out, entry);
	if (verdict == NULL || evidence == NULL) {
		put_early(out, session, result, options);
		return;
	}
	builder_printf(
	    out, ": %s\n", verdict_disposition_name(verdict->disposition));
	put_parties(out, evidence, result);
	put_refused(out, result, true);
	builder_printf(out, "  %-11s spf=%s dkim=%s dmarc=%s arc=%s\n",
	    "results", results_spf(evidence), results_dkim(evidence),
	    results_dmarc(evidence), results_arc(evidence));
	put_rules(out, verdict);
	put_indicators(out, evidence);
	put_gaps(out, evidence);
	if (!options->explain)
		return;
	for (size_t i = 0; i < result->edits.count; i++) {
		const struct replay_edit *edit = &result->edits.items[i];

		builder_printf(
		    out, "  edit        %s %u ", edit->what, edit->index);
		builder_printable(out, edit->name, VALUE_MAX);
		builder_byte(out, ':');
		builder_printable(out, edit->value, 2000);
		builder_byte(out, '\n');
	}
	scan_report_explain(out, session, options);
}

static void
put_json_member(struct builder *out, const char *key, struct slice value)
{
	builder_printf(out, "\"%s\":\"", key);
	builder_json(out, value);
	builder_text(out, "\",");
}

static void
put_json_derived(struct builder *out, const struct replay_result *result)
{
	static const struct {
		enum replay_derived bit;
		const char *name;
	} table[] = { { REPLAY_CLIENT, "client" }, { REPLAY_HELO, "helo" },
		{ REPLAY_MAIL_FROM, "mail_from" }, { REPLAY_RCPT, "rcpt" } };
	const char *separator = "";

	builder_text(out, "\"derived\":[");
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		if ((result->derived & (unsigned)table[i].bit) == 0)
			continue;
		builder_printf(out, "%s\"%s\"", separator, table[i].name);
		separator = ",";
	}
	builder_text(out, "],");
}

void
scan_report_json_refused(
    struct builder *out, const struct replay_result *result)
{
	for (size_t i = 0; i < result->refused.count; i++) {
		const struct replay_refusal *refusal =
		    &result->refused.items[i];

		builder_text(out, i == 0 ? "{" : ",{");
		put_json_member(out, "rcpt", refusal->recipient);
		put_json_member(out, "rule", slice_text(refusal->rule));
		put_json_member(out, "code", slice_text(refusal->reply.code));
		put_json_member(
		    out, "enhanced", slice_text(refusal->reply.enhanced));
		builder_text(out, "\"reply\":\"");
		builder_json(out, slice_text(refusal->reply.text));
		builder_text(out, "\"}");
	}
}

static void
put_json_refused(struct builder *out, const struct replay_result *result)
{
	if (result->refused.count == 0)
		return;
	builder_text(out, "\"refused\":[");
	scan_report_json_refused(out, result);
	builder_text(out, "],");
}

static void
put_json_early(struct builder *out, const struct session *session,
    const struct replay_result *result, const struct explain_options *explain,
    const struct scan_report_options *options)
{
	enum schema_stage stage = STAGE_CONNECT;
	const struct verdict *verdict = session_refusal(session, &stage);

	put_json_member(out, "message_id", result->message_id);
	put_json_refused(out, result);
	builder_printf(out, "\"disposition\":\"%s\",",
	    verdict_disposition_name(replay_early_disposition(result)));
	put_json_member(out, "code", slice_text(result->reply.code));
	put_json_member(out, "enhanced", slice_text(result->reply.enhanced));
	put_json_member(out, "reply", slice_text(result->reply.text));
	if (verdict != NULL) {
		put_json_member(
		    out, "stage", slice_text(schema_stage_name(stage)));
		builder_text(out, "\"rules\":[");
		for (size_t i = 0; i < verdict->matches.count; i++)
			builder_printf(out, "%s\"%s\"", i == 0 ? "" : ",",
			    verdict->matches.items[i].rule->name);
		builder_text(out, "],");
		if (options->explain && session_eval(session) != NULL) {
			builder_text(out, "\"clauses\":");
			explain_json(session_eval(session), explain, out);
			builder_byte(out, ',');
		}
	}
	builder_text(out, "\"early\":true}\n");
}

void
scan_report_json(struct builder *out, const struct mailbox_entry *entry,
    const struct session *session, const struct replay_result *result,
    const struct scan_report_options *options)
{
	const struct evidence *evidence = session_evidence(session);
	const struct verdict *verdict = session_verdict(session);
	const struct explain_options explain = scan_report_explaining(options);

	builder_byte(out, '{');
	put_json_member(out, "file", slice_text(entry->path));
	if (entry->number > 0)
		builder_printf(out, "\"number\":%u,", entry->number);
	if (verdict == NULL || evidence == NULL) {
		put_json_early(out, session, result, &explain, options);
		return;
	}
	put_json_derived(out, result);
	put_json_refused(out, result);
	if (options->explain) {
		struct builder text = builder_make(evidence->arena, SIZE_MAX);

		scan_report_explain(&text, session, options);
		put_json_member(out, "explain", builder_result(&text));
		builder_text(out, "\"clauses\":");
		explain_json(session_eval(session), &explain, out);
		builder_byte(out, ',');
	}
	record_write(out, evidence, verdict, STAGE_MESSAGE);
	builder_text(out, "}\n");
}

bool
scan_report_has_match(
    const struct session *session, const struct replay_result *result)
{
	const struct evidence *evidence = session_evidence(session);
	const struct verdict *verdict = session_verdict(session);

	return verdict == NULL || evidence == NULL ||
	       result->refused.count > 0 || verdict->matches.count > 0 ||
	       evidence->hit_count > 0;
}

/* ---- the explanation */

/* One record for people: texts as they are, addresses and names in theirs. */
static void
put_record(struct builder *out, struct arena *arena,
    const struct dns_answer *answer, size_t index)
{
	struct slice text;
	struct ipaddr ip;
	char ip_text[IPADDR_TEXT_MAX];

	switch (answer->type) {
	case DNS_TYPE_TXT:
	case DNS_TYPE_SPF:
		if (dns_answer_text(arena, answer, index, &text)) {
			builder_text(out, " \"");
			builder_printable(out, text, ANSWER_MAX);
			builder_byte(out, '"');
		}
		return;
	case DNS_TYPE_A:
	case DNS_TYPE_AAAA:
		if (dns_answer_address(answer, index, &ip))
			builder_printf(out, " %s", ipaddr_format(&ip, ip_text));
		return;
	case DNS_TYPE_MX:
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
		if (dns_answer_name(arena, answer, index, &text)) {
			builder_byte(out, ' ');
			builder_printable(out, text, ANSWER_MAX);
		}
		return;
	case DNS_TYPE_SOA:
		return;
	}
}

/* Whether the question was for the key of one of the DKIM signatures. */
static bool
is_dkim_key(const struct evidence *evidence, struct slice name)
{
	static const struct slice middle = SLICE_LITERAL("._domainkey.");
	size_t count =
	    evidence->dkim == NULL ? 0 : evidence->dkim->signatures.count;

	for (size_t i = 0; i < count; i++) {
		const struct dkim_signature *signature =
		    &evidence->dkim->signatures.items[i];
		size_t length = signature->selector.length;
		struct slice rest = slice_skip(name, length);

		if (slice_starts_with_fold(name, signature->selector) &&
		    slice_starts_with_fold(rest, middle) &&
		    slice_equal_fold(
			slice_skip(rest, middle.length), signature->domain))
			return true;
	}
	return false;
}

/* Which method asked. Answers are shared: a key may serve DKIM and ARC, an
 * address SPF and np= of DMARC; the first that needed it is named. */
static const char *
asked_by(const struct evidence *evidence, const struct dns_answer *answer)
{
	if (slice_starts_with_fold(answer->name, SLICE_LITERAL("_dmarc.")))
		return "dmarc";
	if (slice_find_fold(answer->name, SLICE_LITERAL("._domainkey.")) !=
	    SIZE_MAX)
		return is_dkim_key(evidence, answer->name) ? "dkim" : "arc";
	return evidence->spf == NULL ? "dmarc" : "spf";
}

static void
explain_lookups(struct builder *out, const struct evidence *evidence)
{
	for (size_t i = 0; i < lookups_count(evidence->lookups); i++) {
		const struct dns_answer *answer =
		    lookups_answer(evidence->lookups, i);

		builder_printf(out, "  asked       %-5s %-5s ",
		    asked_by(evidence, answer), dns_type_name(answer->type));
		builder_printable(out, answer->name, VALUE_MAX);
		builder_printf(out, ": %s%s%s", dns_state_name(answer->state),
		    answer->timed_out ? " (timed out)" : "",
		    answer->refused_by_cap ? " (not asked)" : "");
		for (size_t j = 0; j < answer->record_count && j < 10; j++)
			put_record(out, evidence->arena, answer, j);
		builder_byte(out, '\n');
	}
}

static void
explain_spf(struct builder *out, const struct evidence *evidence)
{
	const struct spf_outcome *spf = evidence->spf;

	if (spf == NULL) {
		builder_printf(out, "  spf         not judged: %s\n",
		    evidence->from_ours ? "the mail is from ours (judge-own)"
		    : evidence->has_client_ip ? "not asked for"
					      : "no client is known");
		return;
	}
	builder_printf(out, "  spf         %s for %s ",
	    spf_result_name(spf->result), spf_identity_name(spf->identity));
	builder_printable(out, spf->domain, VALUE_MAX);
	if (spf->rfc != NULL)
		builder_printf(out, " (RFC 7208, %s)", spf->rfc);
	if (spf->mechanism.length > 0) {
		builder_text(out, " by \"");
		builder_printable(out, spf->mechanism, VALUE_MAX);
		builder_text(out, "\" of ");
		builder_printable(out, spf->mechanism_domain, VALUE_MAX);
	}
	if (spf->problem.length > 0) {
		builder_text(out, ": ");
		builder_printable(out, spf->problem, VALUE_MAX);
	}
	builder_printf(out, "; %u terms asked DNS, %u without answer\n",
	    spf->terms, spf->void_lookups);
}

/* Why, and by which rule: ": REASON (RULE)". */
static void
put_reason(struct builder *out, const char *reason, const char *otherwise)
{
	const char *rule = auth_rule(reason);

	builder_printf(out, "%s%s (%s)\n", reason == NULL ? "" : ": ",
	    reason == NULL ? "" : reason, rule == NULL ? otherwise : rule);
}

static void
explain_dkim(struct builder *out, const struct evidence *evidence)
{
	const struct dkim_verify_outcome *dkim = evidence->dkim;

	if (dkim == NULL || dkim->signatures.count == 0) {
		builder_printf(out, "  dkim        %s (RFC 6376, 6.1)\n",
		    dkim == NULL ? "not judged" : "none, no signature");
		return;
	}
	for (size_t i = 0; i < dkim->signatures.count; i++) {
		const struct dkim_signature *signature =
		    &dkim->signatures.items[i];

		builder_printf(out, "  dkim        %s d=",
		    dkim_verify_result_name(signature->result));
		builder_printable(out, signature->domain, VALUE_MAX);
		builder_text(out, " s=");
		builder_printable(out, signature->selector, VALUE_MAX);
		builder_text(out, " a=");
		builder_printable(out, signature->algorithm, VALUE_MAX);
		if (signature->key_bits > 0)
			builder_printf(out, " bits=%u", signature->key_bits);
		if (signature->testing)
			builder_text(out, " testing");
		if (signature->extended_after_length)
			builder_text(out, " text after l=");
		put_reason(out, signature->reason,
		    signature->extended_after_length ? "RFC 6376, 8.2"
		    : signature->key_bits > 0 &&
			    slice_starts_with(
				signature->algorithm, SLICE_LITERAL("ed25519"))
			? "RFC 6376, 6.1.3; RFC 8463, 3"
			: "RFC 6376, 6.1.3; RFC 8301, 3");
	}
}

static void
explain_dmarc(struct builder *out, const struct evidence *evidence)
{
	const struct dmarc_outcome *dmarc = evidence->dmarc;

	if (dmarc == NULL) {
		builder_printf(out, "  dmarc       not judged: %s\n",
		    evidence->from_ours ? "the mail is from ours (judge-own)"
					: "not asked for");
		return;
	}
	builder_printf(
	    out, "  dmarc       %s", dmarc_result_name(dmarc->result));
	if (dmarc->author_domain.length > 0) {
		builder_text(out, " for ");
		builder_printable(out, dmarc->author_domain, VALUE_MAX);
	}
	if (dmarc->policy_domain.length > 0) {
		builder_text(out, ", record at _dmarc.");
		builder_printable(out, dmarc->policy_domain, VALUE_MAX);
		builder_printf(
		    out, " asks %s", dmarc_policy_name(dmarc->policy));
	}
	if (dmarc->organisational_domain.length > 0) {
		builder_text(out, ", organisational domain ");
		builder_printable(out, dmarc->organisational_domain, VALUE_MAX);
	}
	builder_printf(out, ", aligned:%s%s%s",
	    dmarc->aligned_spf ? " spf" : "",
	    dmarc->aligned_dkim ? " dkim" : "",
	    dmarc->aligned_spf || dmarc->aligned_dkim ? "" : " none");
	if (evidence->settings->dmarc_mode == SETTINGS_DMARC_MODE_7489)
		builder_printf(out, ": %s (RFC 7489, 6.6.2)\n", dmarc->reason);
	else
		put_reason(out, dmarc->reason, "RFC 9989, 5.3");
}

static void
explain_arc(struct builder *out, const struct evidence *evidence)
{
	const struct arc_outcome *arc = evidence->arc;

	if (arc == NULL || arc->result == ARC_NONE) {
		builder_printf(out, "  arc         %s\n",
		    arc == NULL ? "not judged"
				: "none, no chain (RFC 8617, 5.2, step 1)");
		return;
	}
	builder_printf(out, "  arc         %s, %u sets",
	    arc_result_name(arc->result), arc->instances);
	if (arc->sealer.length > 0) {
		builder_text(out, ", sealed by ");
		builder_printable(out, arc->sealer, VALUE_MAX);
	}
	put_reason(out, arc->reason,
	    arc->result == ARC_PASS ? "RFC 8617, 5.2, step 7"
				    : "RFC 8617, 5.2");
}

void
scan_report_explain(struct builder *out, const struct session *session,
    const struct scan_report_options *options)
{
	const struct evidence *evidence = session_evidence(session);
	const struct eval *eval = session_eval(session);
	const struct explain_options explain = scan_report_explaining(options);

	if (evidence == NULL || eval == NULL)
		return;
	builder_printf(out, "  direction   %s\n",
	    evidence_direction_name(evidence->direction));
	if (evidence->lookups != NULL)
		explain_lookups(out, evidence);
	explain_spf(out, evidence);
	explain_dkim(out, evidence);
	explain_dmarc(out, evidence);
	explain_arc(out, evidence);
	explain_print(eval, &explain, out);
}
