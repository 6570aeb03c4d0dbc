#include <config.h>

#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "outcome/header_out.h"

#include "auth/arc.h"
#include "auth/auth_results.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "base/builder.h"
#include "base/utf8.h"
#include "evidence/evidence.h"
#include "indicator/match.h"
#include "language/program.h"
#include "outcome/verdict_log.h"

#define HEADER_OUT_MAX 8000 /* octets of one field that we write */

struct slice
header_out_authserv_id(const struct evidence *evidence)
{
	struct slice id = slice_text(evidence->settings->authserv_id);
	char host[256] = "";

	if (id.length == 0)
		id = evidence->connection->hostname;
	if (id.length > 0)
		return id;
	if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
		return SLICE_LITERAL("localhost");
	return arena_copy(evidence->arena, slice_text(host));
}

static void
add_auth(struct auth_results *results, const struct evidence *evidence)
{
	size_t method;

	if (evidence->auth_user.length == 0)
		return;
	method = auth_results_add(results, "auth", "pass");
	auth_results_property(
	    results, method, "smtp", "auth", evidence->auth_user);
}

static void
add_spf(struct auth_results *results, const struct evidence *evidence)
{
	const struct spf_outcome *spf = evidence->spf;
	size_t method;

	if (spf == NULL)
		return;
	method = auth_results_add(results, "spf", spf_result_name(spf->result));
	if (spf->identity == SPF_IDENTITY_HELO)
		auth_results_property(
		    results, method, "smtp", "helo", evidence->helo);
	else
		auth_results_property(
		    results, method, "smtp", "mailfrom", evidence->sender_text);
}

/* A signature whose body goes on after l= verifies, but a reader who takes
 * "pass" for the whole message would be misled. */
static enum dkim_verify_result
shown_result(const struct dkim_signature *signature)
{
	if (signature->result == DKIM_VERIFY_PASS &&
	    signature->extended_after_length)
		return DKIM_VERIFY_POLICY;
	return signature->result;
}

static void
add_signature(
    struct auth_results *results, const struct dkim_signature *signature)
{
	enum dkim_verify_result result = shown_result(signature);
	size_t method =
	    auth_results_add(results, "dkim", dkim_verify_result_name(result));

	if (result != signature->result)
		auth_results_reason(results, method,
		    SLICE_LITERAL("text follows the signed length"));
	else if (signature->reason != NULL)
		auth_results_reason(
		    results, method, slice_text(signature->reason));
	auth_results_property(
	    results, method, "header", "d", signature->domain);
	auth_results_property(
	    results, method, "header", "s", signature->selector);
	auth_results_property(
	    results, method, "header", "a", signature->algorithm);
	auth_results_property(results, method, "header", "b",
	    slice_range(signature->value, 0, 8));
}

static void
add_dkim(struct auth_results *results, const struct evidence *evidence)
{
	const struct dkim_verify_outcome *dkim = evidence->dkim;

	if (dkim == NULL)
		return;
	for (size_t i = 0; i < dkim->signatures.count; i++)
		add_signature(results, &dkim->signatures.items[i]);
	if (dkim->signatures.count == 0)
		auth_results_add(
		    results, "dkim", dkim_verify_result_name(dkim->result));
}

static void
add_dmarc(struct auth_results *results, const struct evidence *evidence)
{
	const struct dmarc_outcome *dmarc = evidence->dmarc;
	size_t method;

	if (dmarc == NULL)
		return;
	method = auth_results_add(
	    results, "dmarc", dmarc_result_name(dmarc->result));
	if (dmarc->policy_domain.length > 0)
		auth_results_property(results, method, "policy", "dmarc",
		    slice_text(dmarc_policy_name(dmarc->policy)));
	auth_results_property(
	    results, method, "header", "from", dmarc->author_domain);
}

static void
add_arc(struct auth_results *results, const struct evidence *evidence)
{
	const struct arc_outcome *arc = evidence->arc;
	size_t method;

	if (arc == NULL || arc->result == ARC_NONE)
		return;
	method = auth_results_add(results, "arc", arc_result_name(arc->result));
	if (arc->reason != NULL)
		auth_results_reason(results, method, slice_text(arc->reason));
	/* In the arena: results keep slices until the header is written. */
	if (arc->result == ARC_PASS)
		auth_results_property(results, method, "header", "oldest-pass",
		    slice_text(
			arena_printf(evidence->arena, "%u", arc->oldest_pass)));
}

enum tc_status
header_out_auth_results(
    const struct evidence *evidence, struct slice *value_out)
{
	struct auth_results results = auth_results_make(
	    evidence->arena, header_out_authserv_id(evidence));

	add_auth(&results, evidence);
	add_spf(&results, evidence);
	add_dkim(&results, evidence);
	add_dmarc(&results, evidence);
	add_arc(&results, evidence);
	return auth_results_write(&results, value_out);
}

enum tc_status
header_out_received_spf(
    const struct evidence *evidence, struct slice *value_out)
{
	struct builder out = builder_make(evidence->arena, HEADER_OUT_MAX);
	struct slice value;

	*value_out = slice_make(NULL, 0);
	if (evidence->spf == NULL || evidence->spf_query == NULL)
		return TC_OK;
	value = spf_received_header(
	    evidence->arena, evidence->spf_query, evidence->spf);
	if (value.length == 0)
		return TC_LIMIT;
	if (value.data[0] != ' ')
		builder_byte(&out, ' ');
	builder_slice(&out, value);
	*value_out = builder_result(&out);
	return out.failed ? TC_LIMIT : TC_OK;
}

static void
disclose_indicators(struct builder *out, const struct evidence *evidence)
{
	const char *separator = "; indicator=";

	for (size_t i = 0; i < evidence->hit_count; i++) {
		const struct match_hit *hit = &evidence->hits[i];

		if (hit->tlp != INDICATOR_TLP_CLEAR &&
		    hit->tlp != INDICATOR_TLP_GREEN)
			continue;
		builder_text(out, separator);
		verdict_log_indicator(out, hit);
		separator = ",";
	}
}

enum tc_status
header_out_result(const struct evidence *evidence,
    const struct verdict *verdict, struct slice *value_out)
{
	struct builder out = builder_make(evidence->arena, HEADER_OUT_MAX);
	int64_t disclose = evidence->settings->disclose;
	const char *text;

	builder_printf(&out, " %s; ref=%s",
	    verdict->disposition == DISPOSITION_QUARANTINE ? "quarantine"
							   : "tag",
	    evidence->reference);
	if (disclose != SETTINGS_DISCLOSE_NOTHING) {
		builder_text(&out, "; rule=");
		verdict_log_rules(&out, verdict);
	}
	if (disclose == SETTINGS_DISCLOSE_INDICATOR)
		disclose_indicators(&out, evidence);
	text = builder_c_string(&out);
	if (text == NULL)
		return TC_LIMIT;
	*value_out = header_out_encode(evidence->arena, slice_text(text));
	return value_out->data == NULL ? TC_LIMIT : TC_OK;
}

static bool
is_printable_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] < ' ' || text.data[i] > '~')
			return false;
	return true;
}

/* One encoded word in Q encoding of as many characters of *rest as fit
 * (RFC 2047, 2: 75 octets; characters are not cut, section 5). */
static void
add_encoded_word(struct builder *out, struct slice *rest)
{
	size_t room = 75 - strlen("=?UTF-8?Q?"
				  "?=");

	builder_text(out, "=?UTF-8?Q?");
	while (rest->length > 0) {
		char octets[4];
		struct slice after = *rest;
		size_t count = utf8_encode(utf8_next(&after, NULL), octets);

		if (room < count * 3)
			break;
		for (size_t i = 0; i < count; i++) {
			unsigned char c = (unsigned char)octets[i];

			if (c == ' ' || c < ' ' || c == 127)
				builder_byte(out, '_');
			else if (ascii_is_alpha((char)c) ||
				 ascii_is_digit((char)c))
				builder_byte(out, (char)c);
			else
				builder_printf(out, "=%02X", c);
		}
		room -= count * 3;
		*rest = after;
	}
	builder_text(out, "?=");
}

struct slice
header_out_encode(struct arena *arena, struct slice text)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	if (is_printable_ascii(text))
		return arena_copy(arena, text);
	while (text.length > 0 && text.data[0] == ' ') {
		builder_byte(&out, ' ');
		text = slice_skip(text, 1);
	}
	while (text.length > 0) {
		add_encoded_word(&out, &text);
		if (text.length > 0)
			builder_text(&out, "\n\t");
	}
	return slice_text(builder_c_string(&out));
}
