#include <config.h>

#include "base/mime_defect.h"
#include "base/scan_reason.h"
#include "language/schema.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

#define WORDS(id, title, is_ordered, ...)                         \
	static const char *const id##_words[] = { __VA_ARGS__ };  \
	static const struct schema_enum id = { title, id##_words, \
		COUNT(id##_words), is_ordered }

WORDS(results, "result", false, "none", "pass", "fail", "softfail", "neutral",
    "policy", "temperror", "permerror");
WORDS(directions, "direction", false, "inbound", "outbound", "internal");
WORDS(dmarc_policies, "DMARC policy", true, "none", "quarantine", "reject");
WORDS(strengths, "strength", true, "weak", "strong");
WORDS(
    tlps, "TLP colour", true, "clear", "green", "amber", "amber-strict", "red");
WORDS(algorithms, "signature algorithm", false, "rsa-sha256", "ed25519-sha256",
    "rsa-sha1", "unknown");

static const char *const severity_words[] = { "low", "medium", "high",
	"critical" };
const struct schema_enum schema_severities = { "severity", severity_words,
	COUNT(severity_words), true };

/* The names of policy/indicator/kind.h. */
static const char *const indicator_type_words[] = { "address", "domain", "url",
	"network", "md5", "sha1", "sha256", "sha512", "filename", "subject",
	"mailer", "message-id", "pattern", "yara" };
const struct schema_enum schema_indicator_types = { "indicator type",
	indicator_type_words, COUNT(indicator_type_words), false };

/* As milter/message/address.h has them; facts are filled by word. */
WORDS(from_defects, "defect of From", false, "missing", "duplicate", "empty",
    "several", "group", "syntax", "encoded", "route", "comment", "display",
    "control", "domain", "eight-bit", "too-long", "too-many");

/* As milter/evidence/evidence.h has them, and "rule": one that met an error. */
WORDS(gaps, "gap", false, "limit", "size", "dns", "scanner", "internal", "auth",
    "rule");

static const char *const mime_defect_words[] = {
#define MIME_DEFECT_WORD(symbol, name, text) name,
	MIME_DEFECT_TABLE(MIME_DEFECT_WORD)
#undef MIME_DEFECT_WORD
};
static const struct schema_enum mime_defects = { "MIME defect",
	mime_defect_words, COUNT(mime_defect_words), false };

static const char *const scan_reason_words[] = {
#define SCAN_REASON_WORD(name, cause) name,
	SCAN_REASON_TABLE(SCAN_REASON_WORD)
#undef SCAN_REASON_WORD
};
static const struct schema_enum scan_reasons = { "reason", scan_reason_words,
	COUNT(scan_reason_words), false };

/* Short forms, so that the table below reads as one. */
#define B                             VALUE_BOOL
#define S                             VALUE_STRING
#define D                             VALUE_DOMAIN
#define A                             VALUE_ADDRESS
#define T                             VALUE_TIME
#define I                             VALUE_INTEGER
#define Z                             VALUE_SIZE
#define M(type, optional, cost, text) type, NULL, optional, COST_##cost, text
#define E(words, optional, text)      VALUE_ENUM, &(words), optional, COST_FREE, text

static const struct schema_member mailbox_members[] = {
	[FACT_MAILBOX_ADDRESS] = { "address",
	    M(A, true, FREE, "the address, without display name") },
	[FACT_MAILBOX_DOMAIN] = { "domain",
	    M(D, true, FREE, "the domain of the address") },
	[FACT_MAILBOX_LOCAL] = { "local",
	    M(S, true, FREE, "what stands before the @") },
	[FACT_MAILBOX_DISPLAY] = { "display",
	    M(S, true, FREE,
		"the display name, decoded, without what nobody sees") },
};

static const struct schema_member from_defect_members[] = {
	[FACT_PLAIN_VALUE] = { "value",
	    E(from_defects, false, "the name of the defect") },
};

static const struct schema_member mime_defect_members[] = {
	[FACT_PLAIN_VALUE] = { "value",
	    E(mime_defects, false, "the name of the defect") },
};

static const struct schema_member gap_members[] = {
	[FACT_PLAIN_VALUE] = { "value", E(gaps, false, "the reason") },
};

static const struct schema_member header_members[] = {
	[FACT_HEADER_NAME] = { "name",
	    M(S, false, FREE, "the header's name as written") },
	[FACT_HEADER_VALUE] = { "value",
	    M(S, false, FREE, "the value, unfolded and decoded") },
};

static const struct schema_member hop_members[] = {
	[FACT_HOP_IP] = { "ip",
	    M(VALUE_IP, true, FREE, "the address that handed the mail over") },
	[FACT_HOP_NAME] = { "name",
	    M(D, true, FREE, "the name that it gave (from)") },
	[FACT_HOP_BY] = { "by", M(D, true, FREE, "the host that took it") },
	[FACT_HOP_TIME] = { "time", M(T, true, FREE, "when") },
	[FACT_HOP_TRUSTED] = { "trusted",
	    M(B, false, FREE,
		"one of trusted-relays wrote it, and all above it") },
};

static const struct schema_member signature_members[] = {
	[FACT_SIGNATURE_DOMAIN] = { "domain",
	    M(D, true, FREE, "the signing domain (d=)") },
	[FACT_SIGNATURE_SELECTOR] = { "selector",
	    M(S, true, FREE, "the selector (s=)") },
	[FACT_SIGNATURE_RESULT] = { "result",
	    E(results, false, "what verification gave") },
	[FACT_SIGNATURE_ALGORITHM] = { "algorithm",
	    E(algorithms, false, "the algorithm (a=)") },
	[FACT_SIGNATURE_BITS] = { "bits",
	    M(I, true, FREE, "length of the public key in bits") },
	[FACT_SIGNATURE_ALIGNED] = { "aligned",
	    M(B, false, FREE, "aligned with From in DMARC's sense") },
	[FACT_SIGNATURE_TESTING] = { "testing",
	    M(B, false, FREE,
		"the key says that the domain is testing (t=y)") },
};

static const struct schema_member url_members[] = {
	[FACT_URL_URL] = { "url", M(S, false, FREE, "the URL, normalised") },
	[FACT_URL_HOST] = { "host", M(D, true, FREE, "its host") },
	[FACT_URL_DOMAIN] = { "domain",
	    M(D, true, FREE, "the registrable domain of its host") },
	[FACT_URL_SCHEME] = { "scheme",
	    M(S, true, FREE, "its scheme (https)") },
	[FACT_URL_PATH] = { "path", M(S, true, FREE, "its path and query") },
	[FACT_URL_TEXT] = { "text", M(S, true, FREE, "the text of the link") },
	[FACT_URL_TEXT_MISMATCH] = { "text-mismatch",
	    M(B, false, FREE,
		"the text shows a host of another registrable domain") },
	[FACT_URL_DISGUISED] = { "disguised",
	    M(B, false, FREE,
		"its host is hidden: behind a name and an @, as a number, "
		"percent-encoded, or by backslashes") },
	[FACT_URL_DEFANGED] = { "defanged",
	    M(B, false, FREE, "it stood there defanged (hxxp, [.])") },
	[FACT_URL_WHERE] = { "where",
	    M(S, false, FREE, "where it stood: html, text, subject, ...") },
};

static const struct schema_member attachment_members[] = {
	[FACT_ATTACHMENT_NAME] = { "name",
	    M(S, true, FREE, "the file name, decoded") },
	[FACT_ATTACHMENT_EXTENSION] = { "extension",
	    M(S, true, FREE, "the last extension, folded") },
	[FACT_ATTACHMENT_EXTENSIONS] = { "extensions",
	    M(VALUE_STRINGS, true, FREE, "all extensions (pdf, exe)") },
	[FACT_ATTACHMENT_TYPE] = { "type",
	    M(S, false, FREE, "the declared media type") },
	[FACT_ATTACHMENT_DETECTED_TYPE] = { "detected-type",
	    M(S, true, COSTLY, "the media type by its content") },
	[FACT_ATTACHMENT_SIZE] = { "size",
	    M(Z, false, FREE, "its decoded size") },
	[FACT_ATTACHMENT_MD5] = { "md5",
	    M(S, true, COSTLY, "MD5 of the decoded content, hexadecimal") },
	[FACT_ATTACHMENT_SHA1] = { "sha1", M(S, true, COSTLY, "SHA-1 of it") },
	[FACT_ATTACHMENT_SHA256] = { "sha256",
	    M(S, true, COSTLY, "SHA-256 of it") },
	[FACT_ATTACHMENT_DEPTH] = { "depth",
	    M(I, false, FREE, "0 in the message, 1 in an archive, ...") },
	[FACT_ATTACHMENT_PARENT] = { "parent",
	    M(S, true, FREE, "name of the archive that holds it") },
	[FACT_ATTACHMENT_ENCRYPTED] = { "encrypted",
	    M(B, false, COSTLY, "it, or a member of it, is encrypted") },
	[FACT_ATTACHMENT_MACROS] = { "macros",
	    M(B, false, COSTLY, "an office file with macros") },
	[FACT_ATTACHMENT_UNSCANNABLE] = { "unscannable",
	    M(B, false, COSTLY, "it could not be looked into") },
	[FACT_ATTACHMENT_REASON] = { "reason", VALUE_ENUM, &scan_reasons, true,
	    COST_COSTLY, "why it could not" },
};

static const struct schema_member yara_members[] = {
	[FACT_YARA_RULESET] = { "ruleset",
	    M(S, false, COSTLY, "the set that the rule is of") },
	[FACT_YARA_RULE] = { "rule",
	    M(S, false, COSTLY, "the rule that matched") },
	[FACT_YARA_TAGS] = { "tags",
	    M(VALUE_STRINGS, false, COSTLY, "its tags") },
	[FACT_YARA_WHERE] = { "where",
	    M(S, false, COSTLY, "the part that it matched in") },
};

static const struct schema_member indicator_members[] = {
	[FACT_INDICATOR_TYPE] = { "type",
	    E(schema_indicator_types, false, "what it is about") },
	[FACT_INDICATOR_VALUE] = { "value",
	    M(S, false, FREE, "the value as published") },
	[FACT_INDICATOR_FEED] = { "feed",
	    M(S, false, FREE, "the feed that it is from") },
	[FACT_INDICATOR_ID] = { "id",
	    M(S, true, FREE, "its identifier (STIX id, MISP uuid)") },
	[FACT_INDICATOR_SEVERITY] = { "severity",
	    E(schema_severities, false, "how grave") },
	[FACT_INDICATOR_CONFIDENCE] = { "confidence",
	    M(I, false, FREE, "0 to 100") },
	[FACT_INDICATOR_STRENGTH] = { "strength",
	    E(strengths, false, "strong may hold mail, weak may tag") },
	[FACT_INDICATOR_PARTIAL] = { "partial",
	    M(B, false, FREE, "parts of its pattern could not be seen") },
	[FACT_INDICATOR_TAGS] = { "tags",
	    M(VALUE_STRINGS, false, FREE, "its tags") },
	[FACT_INDICATOR_TLP] = { "tlp",
	    E(tlps, false, "whom it may be told to") },
	[FACT_INDICATOR_FIRST_SEEN] = { "first-seen",
	    M(T, true, FREE, "when it was first seen") },
	[FACT_INDICATOR_EXPIRES] = { "expires",
	    M(T, true, FREE, "when it ends") },
	[FACT_INDICATOR_DEFANGED] = { "defanged",
	    M(B, false, FREE, "it stood in the mail defanged") },
	[FACT_INDICATOR_WHERE] = { "where",
	    M(S, false, FREE,
		"where in the mail it was found (attachment, link, ...); when "
		"only another reading of a part has it, with that reading's "
		"name (attachment:base64-stop)") },
	[FACT_INDICATOR_OBSERVED] = { "observed",
	    M(S, false, FREE, "the value as it stood there") },
	[FACT_INDICATOR_DESCRIPTION] = { "description",
	    M(S, true, FREE, "what its publisher says of it") },
};

static const struct schema_member feed_members[] = {
	[FACT_FEED_NAME] = { "name",
	    M(S, false, FREE, "its name in tocsin.conf") },
	[FACT_FEED_AGE] = { "age",
	    M(VALUE_DURATION, true, FREE,
		"age of its content in force; missing while it has none") },
};

#define F(stage, type, optional, cost, text) \
	type, NULL, STAGE_##stage, optional, COST_##cost, text
#define W(stage, words, cost, text) \
	VALUE_ENUM, &(words), STAGE_##stage, false, COST_##cost, text
#define C(stage, members, cost, text)                                    \
	VALUE_COLLECTION, NULL, STAGE_##stage, false, COST_##cost, text, \
	    members, COUNT(members)

const struct schema_field schema_fields[FIELD_COUNT] = {
	[FIELD_CLIENT_IP] = { "client.ip", "client",
	    F(CONNECT, VALUE_IP, true, FREE,
		"the client's address; behind trusted-relays the first hop outside "
		"them") },
	[FIELD_CLIENT_NAME] = { "client.name", "client",
	    F(CONNECT, D, true, FREE, "its name, verified forth and back") },
	[FIELD_CONNECTION_IP] = { "connection.ip", "client",
	    F(CONNECT, VALUE_IP, true, FREE, "the peer of the connection") },
	[FIELD_HELO] = { "helo", "client",
	    F(HELO, D, true, FREE, "the name given in HELO or EHLO") },
	[FIELD_TLS_VERSION] = { "tls.version", "client",
	    F(MAIL, S, true, FREE, "TLSv1.3, ...; missing without TLS") },
	[FIELD_TLS_CIPHER] = { "tls.cipher", "client",
	    F(MAIL, S, true, FREE, "the cipher") },
	[FIELD_TLS_SUBJECT] = { "tls.subject", "client",
	    F(MAIL, S, true, FREE, "subject of the client's certificate") },
	[FIELD_AUTH_USER] = { "auth.user", "client",
	    F(MAIL, S, true, FREE,
		"the account that logged in, as the MTA names it: with or "
		"without @domain") },
	[FIELD_AUTH_METHOD] = { "auth.method", "client",
	    F(MAIL, S, true, FREE, "how (PLAIN, ...)") },
	[FIELD_DAEMON] = { "daemon", "client",
	    F(CONNECT, S, true, FREE, "the MTA's {daemon_name}") },
	[FIELD_DIRECTION] = { "direction", "client",
	    W(RCPT, directions, FREE,
		"from ours (a login, own-networks, no SMTP) to any recipient "
		"outside own-domains: outbound, to none: internal; all else: "
		"inbound; at rcpt for that recipient") },
	[FIELD_MAIL_FROM] = { "mail-from", "envelope",
	    F(MAIL, A, true, FREE,
		"the envelope sender; missing for the null sender") },
	[FIELD_MAIL_FROM_DOMAIN] = { "mail-from.domain", "envelope",
	    F(MAIL, D, true, FREE, "its domain") },
	[FIELD_RECIPIENT] = { "recipient", "envelope",
	    C(MESSAGE, mailbox_members, FREE, "the envelope recipients") },
	[FIELD_RCPT] = { "rcpt", "envelope",
	    F(RCPT, A, true, FREE, "the one recipient, in rules `at rcpt`") },
	[FIELD_RCPT_DOMAIN] = { "rcpt.domain", "envelope",
	    F(RCPT, D, true, FREE, "its domain, in rules `at rcpt`") },
	[FIELD_QUEUE_ID] = { "queue-id", "envelope",
	    F(MESSAGE, S, true, FREE, "the MTA's queue id") },
	[FIELD_FROM] = { "from", "header",
	    C(MESSAGE, mailbox_members, FREE, "the authors (From)") },
	[FIELD_TO] = { "to", "header",
	    C(MESSAGE, mailbox_members, FREE, "the addresses in To") },
	[FIELD_CC] = { "cc", "header",
	    C(MESSAGE, mailbox_members, FREE, "the addresses in Cc") },
	[FIELD_REPLY_TO] = { "reply-to", "header",
	    C(MESSAGE, mailbox_members, FREE, "the addresses in Reply-To") },
	[FIELD_SENDER] = { "sender", "header",
	    C(MESSAGE, mailbox_members, FREE, "the addresses in Sender") },
	[FIELD_FROM_DEFECT] = { "from.defect", "header",
	    C(MESSAGE, from_defect_members, FREE, "what is odd about From") },
	[FIELD_REPLY_TO_ELSEWHERE] = { "reply-to.elsewhere", "header",
	    F(MESSAGE, B, false, FREE,
		"an address of Reply-To is of an organisation that none in "
		"From is of") },
	[FIELD_SUBJECT] = { "subject", "header",
	    F(MESSAGE, S, true, FREE,
		"the subject, unfolded and decoded, without what "
		"nobody sees") },
	[FIELD_MESSAGE_ID] = { "message-id", "header",
	    F(MESSAGE, S, true, FREE, "the Message-ID without its brackets") },
	[FIELD_DATE] = { "date", "header",
	    F(MESSAGE, T, true, FREE, "the time in Date") },
	[FIELD_HEADER] = { "header", "header",
	    C(MESSAGE, header_members, FREE,
		"all headers of one name: header[\"X-Mailer\"]") },
	[FIELD_HOP] = { "hop", "header",
	    C(MESSAGE, hop_members, FREE,
		"the Received headers, newest first") },
	[FIELD_SPF] = { "spf", "authentication",
	    W(MAIL, results, DNS, "what SPF gave (RFC 7208)") },
	[FIELD_SPF_DOMAIN] = { "spf.domain", "authentication",
	    F(MAIL, D, true, DNS, "the domain that SPF was asked about") },
	[FIELD_DKIM] = { "dkim", "authentication",
	    W(MESSAGE, results, DNS,
		"pass when any signature passes, aligned or not; one that "
		"fails and is .testing does not count") },
	[FIELD_SIGNATURE] = { "signature", "authentication",
	    C(MESSAGE, signature_members, DNS, "the DKIM signatures") },
	[FIELD_DMARC] = { "dmarc", "authentication",
	    W(MESSAGE, results, DNS, "what DMARC gave (RFC 9989)") },
	[FIELD_DMARC_POLICY] = { "dmarc.policy", "authentication",
	    W(MESSAGE, dmarc_policies, DNS,
		"what the domain asks for; none without a record") },
	[FIELD_DMARC_DOMAIN] = { "dmarc.domain", "authentication",
	    F(MESSAGE, D, true, DNS, "the domain whose record counts") },
	[FIELD_ARC] = { "arc", "authentication",
	    W(MESSAGE, results, DNS, "state of the ARC chain (RFC 8617)") },
	[FIELD_ARC_SEALER] = { "arc.sealer", "authentication",
	    F(MESSAGE, D, true, DNS, "domain of the last seal") },
	[FIELD_RESOLVER_DOWN] = { "resolver.down", "authentication",
	    F(MAIL, B, false, DNS, "our resolver does not answer at all") },
	[FIELD_SIZE] = { "size", "content",
	    F(MESSAGE, Z, false, FREE, "size of the message") },
	[FIELD_BODY_TEXT] = { "body.text", "content",
	    F(MESSAGE, S, true, COSTLY,
		"the decoded text of all text and HTML parts") },
	[FIELD_URL] = { "url", "content",
	    C(MESSAGE, url_members, COSTLY,
		"the URLs in text, HTML and subject") },
	[FIELD_ATTACHMENT] = { "attachment", "content",
	    C(MESSAGE, attachment_members, COSTLY,
		"attached files and members of archives") },
	[FIELD_ATTACHMENTS_SIZE] = { "attachments.size", "content",
	    F(MESSAGE, Z, false, FREE,
		"decoded size of all attachments together") },
	[FIELD_MIME_DEFECT] = { "mime.defect", "content",
	    C(MESSAGE, mime_defect_members, FREE,
		"what is odd or ambiguous in the MIME structure") },
	[FIELD_YARA] = { "yara", "content",
	    C(MESSAGE, yara_members, COSTLY,
		"YARA matches of one set: yara(\"ruleset\")") },
	[FIELD_INDICATOR] = { "indicator", "indicator",
	    C(MESSAGE, indicator_members, FREE,
		"the indicators that the message matches") },
	[FIELD_FEED] = { "feed", "indicator",
	    C(MESSAGE, feed_members, FREE,
		"the configured feeds: feed[\"NAME\"].age, or any feed (.age > "
		"2d)") },
	[FIELD_ANALYSIS_INCOMPLETE] = { "analysis.incomplete", "policy",
	    F(MESSAGE, B, false, FREE,
		"something could not be looked at in full") },
	[FIELD_ANALYSIS_GAP] = { "analysis.gap", "policy",
	    C(MESSAGE, gap_members, FREE, "why the analysis is incomplete") },
};

const struct schema_function schema_functions[] = {
	{ "lookalike(DOMAIN, LIST)",
	    "can be mistaken for an entry or a name below one, and is none (see "
	    "tocsin-policy(5), Lookalikes)" },
	{ "registrable(DOMAIN)",
	    "the registrable domain, by the public suffix list" },
	{ "lower(STRING)", "the string in lower case" },
	{ "length(X)", "characters of a string, elements of a collection" },
	{ "yara(\"RULESET\")", "the collection of that set's matches" },
};
const unsigned schema_function_count = COUNT(schema_functions);

enum field_id
schema_find(struct slice name)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (slice_equal_text(name, schema_fields[i].name))
			return (enum field_id)i;
	return FIELD_COUNT;
}

int
schema_find_member(const struct schema_field *field, struct slice name)
{
	for (unsigned i = 0; i < field->member_count; i++)
		if (slice_equal_text(name, field->members[i].name))
			return (int)i;
	return -1;
}

int
schema_find_word(const struct schema_enum *words, struct slice word)
{
	for (unsigned i = 0; i < words->count; i++)
		if (slice_equal_text(word, words->words[i]))
			return (int)i;
	return -1;
}

int
schema_member_word(enum field_id field, unsigned member, const char *word)
{
	const struct schema_field *entry = &schema_fields[field];

	if (member >= entry->member_count ||
	    entry->members[member].words == NULL)
		return -1;
	return schema_find_word(entry->members[member].words, slice_text(word));
}

int
schema_word(enum field_id field, const char *word)
{
	const struct schema_field *entry = &schema_fields[field];

	if (entry->type == VALUE_COLLECTION)
		return schema_member_word(field, FACT_PLAIN_VALUE, word);
	if (entry->words == NULL)
		return -1;
	return schema_find_word(entry->words, slice_text(word));
}

const char *
schema_stage_name(enum schema_stage stage)
{
	static const char *const names[] = { "connect", "helo", "mail", "rcpt",
		"the end of the message" };

	return names[stage];
}
