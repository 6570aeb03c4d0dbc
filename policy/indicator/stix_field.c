#include <config.h>

#include "base/builder.h"
#include "indicator/normal.h"
#include "indicator/stix_field.h"

const struct stix_field_info stix_field_table[STIX_FIELDS] = {
	[STIX_FIELD_INVISIBLE] = { INDICATOR_KINDS, 0, false },
	[STIX_FIELD_ADDRESS_ANY] = { INDICATOR_ADDRESS, INDICATOR_ROLE_ANY,
	    false },
	[STIX_FIELD_ADDRESS_FROM] = { INDICATOR_ADDRESS, INDICATOR_ROLE_SOURCE,
	    false },
	[STIX_FIELD_ADDRESS_TO] = { INDICATOR_ADDRESS,
	    INDICATOR_ROLE_DESTINATION, false },
	[STIX_FIELD_ADDRESS_REPLY] = { INDICATOR_ADDRESS,
	    INDICATOR_ROLE_REPLY_TO, false },
	[STIX_FIELD_SUBJECT] = { INDICATOR_SUBJECT, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_MAILER] = { INDICATOR_MAILER, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_MESSAGE_ID] = { INDICATOR_MESSAGE_ID, INDICATOR_ROLE_ANY,
	    false },
	[STIX_FIELD_FILE_NAME] = { INDICATOR_FILENAME, INDICATOR_ROLE_ANY,
	    true },
	[STIX_FIELD_MD5] = { INDICATOR_MD5, INDICATOR_ROLE_ANY, true },
	[STIX_FIELD_SHA1] = { INDICATOR_SHA1, INDICATOR_ROLE_ANY, true },
	[STIX_FIELD_SHA256] = { INDICATOR_SHA256, INDICATOR_ROLE_ANY, true },
	[STIX_FIELD_SHA512] = { INDICATOR_SHA512, INDICATOR_ROLE_ANY, true },
	[STIX_FIELD_DOMAIN] = { INDICATOR_DOMAIN, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_URL] = { INDICATOR_URL, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_IP_ANY] = { INDICATOR_NETWORK, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_IP_SOURCE] = { INDICATOR_NETWORK, INDICATOR_ROLE_SOURCE,
	    false },
	[STIX_FIELD_IP_DESTINATION] = { INDICATOR_NETWORK,
	    INDICATOR_ROLE_DESTINATION, false },
	[STIX_FIELD_COMPANION] = { INDICATOR_KINDS, 0, false },
	[STIX_FIELD_PART_NAME] = { INDICATOR_FILENAME, INDICATOR_ROLE_ANY,
	    false },
	[STIX_FIELD_PART_MD5] = { INDICATOR_MD5, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_PART_SHA1] = { INDICATOR_SHA1, INDICATOR_ROLE_ANY, false },
	[STIX_FIELD_PART_SHA256] = { INDICATOR_SHA256, INDICATOR_ROLE_ANY,
	    false },
	[STIX_FIELD_PART_SHA512] = { INDICATOR_SHA512, INDICATOR_ROLE_ANY,
	    false },
};

bool
stix_field_is_digest(enum stix_field field)
{
	return indicator_digest_size(stix_field_table[field].kind) != 0;
}

bool
stix_field_is_of_message(enum stix_field field)
{
	return field >= STIX_FIELD_ADDRESS_FROM &&
	       field <= STIX_FIELD_MESSAGE_ID;
}

/* ----------------------------------------------------------------- paths */

/* Paths as text, indexes as [*], names folded and '_' for '-'. */
static const struct {
	const char *path;
	enum stix_field field;
} paths[] = {
	{ "email-addr:value", STIX_FIELD_ADDRESS_ANY },
	{ "email-message:from_ref.value", STIX_FIELD_ADDRESS_FROM },
	{ "email-message:sender_ref.value", STIX_FIELD_ADDRESS_FROM },
	{ "email-message:to_refs[*].value", STIX_FIELD_ADDRESS_TO },
	{ "email-message:cc_refs[*].value", STIX_FIELD_ADDRESS_TO },
	{ "email-message:bcc_refs[*].value", STIX_FIELD_ADDRESS_TO },
	{ "email-message:reply_to_refs[*].value", STIX_FIELD_ADDRESS_REPLY },
	{ "email-message:subject", STIX_FIELD_SUBJECT },
	{ "email-message:message_id", STIX_FIELD_MESSAGE_ID },
	{ "email-message:x_mailer", STIX_FIELD_MAILER },
	{ "email-message:body_multipart[*].body_raw_ref.name",
	    STIX_FIELD_FILE_NAME },
	{ "file:name", STIX_FIELD_FILE_NAME },
	{ "domain-name:value", STIX_FIELD_DOMAIN },
	{ "hostname:value", STIX_FIELD_DOMAIN }, /* of OpenCTI */
	{ "x-opencti-hostname:value", STIX_FIELD_DOMAIN },
	{ "url:value", STIX_FIELD_URL },
	{ "ipv4-addr:value", STIX_FIELD_IP_ANY },
	{ "ipv6-addr:value", STIX_FIELD_IP_ANY },
	{ "network-traffic:src_ref.value", STIX_FIELD_IP_SOURCE },
	{ "network-traffic:dst_ref.value", STIX_FIELD_IP_DESTINATION },
	{ "network-traffic:src_ref.type", STIX_FIELD_COMPANION },
	{ "network-traffic:dst_ref.type", STIX_FIELD_COMPANION },
	{ "network-traffic:src_port", STIX_FIELD_COMPANION },
	{ "network-traffic:dst_port", STIX_FIELD_COMPANION },
	{ "network-traffic:protocols[*]", STIX_FIELD_COMPANION },
	{ "domain-name:resolves_to_refs[*].value", STIX_FIELD_COMPANION },
	{ "domain-name:resolves_to_refs[*].type", STIX_FIELD_COMPANION },
};

static struct slice
path_text(struct arena *arena, const struct stix_comparison *comparison)
{
	struct builder out = builder_make(arena, 4096);

	builder_slice(&out, comparison->object);
	for (unsigned i = 0; i < comparison->step_count; i++) {
		const struct stix_step *step = &comparison->steps[i];

		if (step->name.length == 0) {
			builder_text(&out, "[*]");
			continue;
		}
		builder_byte(&out, i == 0 ? ':' : '.');
		for (size_t k = 0; k < step->name.length; k++)
			builder_byte(
			    &out, step->name.data[k] == '-'
				      ? '_'
				      : ascii_lower(step->name.data[k]));
	}
	return out.failed ? slice_make("", 0) : builder_result(&out);
}

/* 'SHA-256', sha256, SHA256, "sha_256" ... behind `hashes`. */
static enum stix_field
hash_field(struct slice name)
{
	static const struct {
		const char *name;
		enum stix_field field;
	} hashes[] = {
		{ "md5", STIX_FIELD_MD5 },
		{ "sha1", STIX_FIELD_SHA1 },
		{ "sha_1", STIX_FIELD_SHA1 },
		{ "sha256", STIX_FIELD_SHA256 },
		{ "sha_256", STIX_FIELD_SHA256 },
		{ "sha512", STIX_FIELD_SHA512 },
		{ "sha_512", STIX_FIELD_SHA512 },
	};

	for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
		if (slice_equal_text(name, hashes[i].name))
			return hashes[i].field;
	return STIX_FIELD_INVISIBLE;
}

static enum stix_field
header_field(struct slice name)
{
	if (slice_equal_text(name, "reply_to") ||
	    slice_equal_text(name, "reply_to[*]"))
		return STIX_FIELD_ADDRESS_REPLY;
	if (slice_equal_text(name, "x_mailer") ||
	    slice_equal_text(name, "user_agent") ||
	    slice_equal_text(name, "x_mailer[*]") ||
	    slice_equal_text(name, "user_agent[*]"))
		return STIX_FIELD_MAILER;
	if (slice_equal_text(name, "message_id"))
		return STIX_FIELD_MESSAGE_ID;
	return STIX_FIELD_INVISIBLE;
}

/* A network-traffic may lead to a domain-name as well as to an address. */
static enum stix_field
end_of_traffic(struct arena *arena, enum stix_field field,
    const struct stix_comparison *comparison)
{
	struct slice value, key;

	if ((field != STIX_FIELD_IP_SOURCE &&
		field != STIX_FIELD_IP_DESTINATION) ||
	    comparison->literals.count == 0)
		return field;
	value = comparison->literals.items[0].text;
	return normal_key(arena, INDICATOR_NETWORK, value, &key) !=
			   NORMAL_GOOD &&
		       normal_key(arena, INDICATOR_DOMAIN, value, &key) ==
			   NORMAL_GOOD
		   ? STIX_FIELD_DOMAIN
		   : field;
}

enum stix_field
stix_field_of(struct arena *arena, const struct stix_comparison *comparison)
{
	struct slice path = path_text(arena, comparison);
	static const char *const hashed[] = { "file:hashes.",
		"artifact:hashes.", "file:content_ref.hashes.",
		"email-message:body_multipart[*].body_raw_ref.hashes." };
	struct slice headers =
	    SLICE_LITERAL("email-message:additional_header_fields.");

	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
		if (slice_equal_text(path, paths[i].path))
			return end_of_traffic(
			    arena, paths[i].field, comparison);
	for (size_t i = 0; i < sizeof hashed / sizeof *hashed; i++)
		if (slice_starts_with(path, slice_text(hashed[i])))
			return hash_field(slice_skip(path, strlen(hashed[i])));
	if (slice_starts_with(path, headers))
		return header_field(slice_skip(path, headers.length));
	return STIX_FIELD_INVISIBLE;
}
