#include <config.h>

#include "evidence/examine.h"

#include "evidence/evidence.h"
#include "evidence/inspect.h"
#include "indicator/match.h"
#include "language/program.h"
#include "language/settings.h"

static bool
member_is_named(
    const struct program_needs *needs, enum attachment_member member)
{
	return (needs->members[FIELD_ATTACHMENT] & 1u << member) != 0;
}

/* What rules ask for. Whoever names attachments means members of archives as
 * well. */
static unsigned
wanted_by_rules(const struct program_needs *needs)
{
	unsigned want = 0;

	if (needs->fields[FIELD_ATTACHMENT])
		want |= SCANNER_WANT_MEMBERS;
	if (member_is_named(needs, FACT_ATTACHMENT_DETECTED_TYPE))
		want |= SCANNER_WANT_TYPE;
	if (member_is_named(needs, FACT_ATTACHMENT_MD5))
		want |= SCANNER_WANT_MD5;
	if (member_is_named(needs, FACT_ATTACHMENT_SHA1))
		want |= SCANNER_WANT_SHA1;
	if (member_is_named(needs, FACT_ATTACHMENT_SHA256))
		want |= SCANNER_WANT_SHA256;
	if (needs->fields[FIELD_YARA])
		want |= SCANNER_WANT_YARA | SCANNER_WANT_MEMBERS;
	if (needs->fields[FIELD_URL])
		want |= SCANNER_WANT_URLS | SCANNER_WANT_MEMBERS;
	return want;
}

static unsigned
wanted_by_indicators(const struct matcher *matcher)
{
	static const struct {
		enum indicator_kind kind;
		unsigned want;
	} table[] = {
		{ INDICATOR_MD5, SCANNER_WANT_MD5 | SCANNER_WANT_MEMBERS },
		{ INDICATOR_SHA1, SCANNER_WANT_SHA1 | SCANNER_WANT_MEMBERS },
		{ INDICATOR_SHA256,
		    SCANNER_WANT_SHA256 | SCANNER_WANT_MEMBERS },
		{ INDICATOR_SHA512,
		    SCANNER_WANT_SHA512 | SCANNER_WANT_MEMBERS },
		{ INDICATOR_FILENAME, SCANNER_WANT_MEMBERS },
		{ INDICATOR_URL, SCANNER_WANT_URLS | SCANNER_WANT_MEMBERS },
		{ INDICATOR_DOMAIN, SCANNER_WANT_URLS | SCANNER_WANT_MEMBERS },
		/* In mail that is in a file. */
		{ INDICATOR_ADDRESS, SCANNER_WANT_MEMBERS },
		{ INDICATOR_SUBJECT, SCANNER_WANT_MEMBERS },
		{ INDICATOR_MESSAGE_ID, SCANNER_WANT_MEMBERS },
	};
	uint32_t kinds = matcher == NULL ? 0 : matcher_needs(matcher);
	unsigned want = 0;

	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
		if ((kinds & INDICATOR_KIND_BIT(table[i].kind)) != 0)
			want |= table[i].want;
	return want;
}

struct message_limits
examine_limits(const struct settings_limits *limits)
{
	struct message_limits result = message_limits_default;

	result.headers = (size_t)limits->headers;
	result.header_bytes = (size_t)limits->header_bytes;
	result.depth = (size_t)limits->mime_depth;
	result.parts = (size_t)limits->mime_parts;
	result.readings = (size_t)limits->readings;
	result.body_bytes = (size_t)limits->message_size;
	result.decoded_bytes = (size_t)limits->decoded_bytes;
	result.text_bytes = (size_t)limits->body_text;
	result.html_bytes = (size_t)limits->html_bytes;
	result.html_inner = (size_t)limits->html_inner;
	result.html_depth = (size_t)limits->html_depth;
	result.html_files = (size_t)limits->html_files;
	result.urls = (size_t)limits->urls;
	result.addresses = (size_t)limits->addresses;
	return result;
}

enum tc_status
examine_parts(struct evidence *evidence, struct scanner *scanner,
    const struct matcher *matcher)
{
	unsigned want =
	    wanted_by_rules(evidence->needs) | wanted_by_indicators(matcher);
	struct message_limits limits =
	    examine_limits(&evidence->settings->limits);
	struct inspection *inspection;
	enum tc_status status;

	if (scanner == NULL || want == 0)
		return TC_OK;
	inspection = arena_alloc(evidence->arena, sizeof *inspection);
	if (inspection == NULL)
		return TC_LIMIT;
	status = inspect_run(evidence->arena, evidence->message, scanner,
	    &limits, want, inspection);
	evidence->inspection = inspection;
	if (inspection->failed)
		evidence_note_gap(evidence, EVIDENCE_GAP_SCANNER);
	if (inspection->cut)
		evidence_note_gap(evidence, EVIDENCE_GAP_LIMIT);
	return status;
}
