#include <config.h>

#include "indicator/kind.h"

struct kind_word {
	const char *word;
	enum indicator_kind kind;
};

static const char *const kind_names[INDICATOR_KINDS] = {
	[INDICATOR_ADDRESS] = "address",
	[INDICATOR_DOMAIN] = "domain",
	[INDICATOR_URL] = "url",
	[INDICATOR_NETWORK] = "network",
	[INDICATOR_MD5] = "md5",
	[INDICATOR_SHA1] = "sha1",
	[INDICATOR_SHA256] = "sha256",
	[INDICATOR_SHA512] = "sha512",
	[INDICATOR_FILENAME] = "filename",
	[INDICATOR_SUBJECT] = "subject",
	[INDICATOR_MAILER] = "mailer",
	[INDICATOR_MESSAGE_ID] = "message-id",
	[INDICATOR_PATTERN] = "pattern",
	[INDICATOR_YARA] = "yara",
};

/* What feeds call them beside our names. */
static const struct kind_word kind_words[] = {
	{ "addresses", INDICATOR_ADDRESS },
	{ "email", INDICATOR_ADDRESS },
	{ "e-mail", INDICATOR_ADDRESS },
	{ "mail", INDICATOR_ADDRESS },
	{ "email-address", INDICATOR_ADDRESS },
	{ "email-addr", INDICATOR_ADDRESS },
	{ "email-src", INDICATOR_ADDRESS },
	{ "email-dst", INDICATOR_ADDRESS },
	{ "email-sender", INDICATOR_ADDRESS },
	{ "email-sender-address", INDICATOR_ADDRESS },
	{ "email-source-address", INDICATOR_ADDRESS },
	{ "email-from", INDICATOR_ADDRESS },
	{ "sender", INDICATOR_ADDRESS },
	{ "src-user", INDICATOR_ADDRESS },
	{ "email-reply-to", INDICATOR_ADDRESS },
	{ "domains", INDICATOR_DOMAIN },
	{ "domain-name", INDICATOR_DOMAIN },
	{ "hostname", INDICATOR_DOMAIN },
	{ "host", INDICATOR_DOMAIN },
	{ "host-name", INDICATOR_DOMAIN },
	{ "domain-address", INDICATOR_DOMAIN },
	{ "fqdn", INDICATOR_DOMAIN },
	{ "urls", INDICATOR_URL },
	{ "uri", INDICATOR_URL },
	{ "networks", INDICATOR_NETWORK },
	{ "ip", INDICATOR_NETWORK },
	{ "ips", INDICATOR_NETWORK },
	{ "ipv4", INDICATOR_NETWORK },
	{ "ipv6", INDICATOR_NETWORK },
	{ "ip-address", INDICATOR_NETWORK },
	{ "ipaddress", INDICATOR_NETWORK },
	{ "ipv4-addr", INDICATOR_NETWORK },
	{ "ipv6-addr", INDICATOR_NETWORK },
	{ "ip-src", INDICATOR_NETWORK },
	{ "ip-dst", INDICATOR_NETWORK },
	{ "ip:port", INDICATOR_NETWORK },
	{ "ip-dst|port", INDICATOR_NETWORK },
	{ "ip-src|port", INDICATOR_NETWORK },
	{ "cidr", INDICATOR_NETWORK },
	{ "ip4", INDICATOR_NETWORK },
	{ "ip6", INDICATOR_NETWORK },
	{ "ip-range", INDICATOR_NETWORK },
	{ "ip-prefix", INDICATOR_NETWORK },
	{ "subnet", INDICATOR_NETWORK },
	{ "addr", INDICATOR_NETWORK },
	{ "netblock", INDICATOR_NETWORK },
	{ "dst-ip", INDICATOR_NETWORK },
	{ "src-ip", INDICATOR_NETWORK },
	{ "md5-hash", INDICATOR_MD5 },
	{ "file-md5", INDICATOR_MD5 },
	{ "file-sha1", INDICATOR_SHA1 },
	{ "file-sha256", INDICATOR_SHA256 },
	{ "file-sha512", INDICATOR_SHA512 },
	{ "hash-sha512", INDICATOR_SHA512 },
	{ "hash-md5", INDICATOR_MD5 },
	{ "filehash-md5", INDICATOR_MD5 },
	{ "file-hash-md5", INDICATOR_MD5 },
	{ "sha-1", INDICATOR_SHA1 },
	{ "sha1-hash", INDICATOR_SHA1 },
	{ "hash-sha1", INDICATOR_SHA1 },
	{ "filehash-sha1", INDICATOR_SHA1 },
	{ "file-hash-sha1", INDICATOR_SHA1 },
	{ "sha-256", INDICATOR_SHA256 },
	{ "sha256-hash", INDICATOR_SHA256 },
	{ "hash-sha256", INDICATOR_SHA256 },
	{ "filehash-sha256", INDICATOR_SHA256 },
	{ "file-hash-sha256", INDICATOR_SHA256 },
	{ "sha-512", INDICATOR_SHA512 },
	{ "sha512-hash", INDICATOR_SHA512 },
	{ "filehash-sha512", INDICATOR_SHA512 },
	{ "file-hash-sha512", INDICATOR_SHA512 },
	{ "file-name", INDICATOR_FILENAME },
	{ "name", INDICATOR_FILENAME },
	{ "attachment", INDICATOR_FILENAME },
	{ "email-attachment", INDICATOR_FILENAME },
	{ "email-subject", INDICATOR_SUBJECT },
	{ "mail-subject", INDICATOR_SUBJECT },
	{ "email-x-mailer", INDICATOR_MAILER },
	{ "x-mailer", INDICATOR_MAILER },
	{ "email-message-id", INDICATOR_MESSAGE_ID },
};

static const char *const severity_names[] = {
	[INDICATOR_SEVERITY_ABSENT] = "",
	[INDICATOR_SEVERITY_LOW] = "low",
	[INDICATOR_SEVERITY_MEDIUM] = "medium",
	[INDICATOR_SEVERITY_HIGH] = "high",
	[INDICATOR_SEVERITY_CRITICAL] = "critical",
};

static const char *const tlp_names[] = {
	[INDICATOR_TLP_ABSENT] = "",
	[INDICATOR_TLP_CLEAR] = "clear",
	[INDICATOR_TLP_GREEN] = "green",
	[INDICATOR_TLP_AMBER] = "amber",
	[INDICATOR_TLP_AMBER_STRICT] = "amber+strict",
	[INDICATOR_TLP_RED] = "red",
};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* Index of `name` among names[1..], 0 when it is none; [0] is "absent". */
static unsigned
find_word(struct slice name, const char *const *names, unsigned count)
{
	for (unsigned i = 1; i < count; i++)
		if (slice_equal_text_fold(name, names[i]))
			return i;
	return 0;
}

const char *
indicator_kind_name(enum indicator_kind kind)
{
	return (unsigned)kind < INDICATOR_KINDS ? kind_names[kind] : "unknown";
}

static bool
is_separator(char c)
{
	return c == ' ' || c == '-' || c == '_';
}

bool
indicator_word_equals(struct slice word, const char *name)
{
	size_t at = 0;

	for (;;) {
		while (at < word.length && is_separator(word.data[at]))
			at++;
		while (is_separator(*name))
			name++;
		if (at == word.length || *name == '\0')
			return at == word.length && *name == '\0';
		if (ascii_lower(word.data[at++]) != ascii_lower(*name++))
			return false;
	}
}

bool
indicator_kind_parse(struct slice name, enum indicator_kind *kind_out)
{
	for (unsigned i = 0; i < INDICATOR_KINDS; i++) {
		if (indicator_word_equals(name, kind_names[i])) {
			*kind_out = (enum indicator_kind)i;
			return true;
		}
	}
	for (size_t i = 0; i < COUNT(kind_words); i++) {
		if (indicator_word_equals(name, kind_words[i].word)) {
			*kind_out = kind_words[i].kind;
			return true;
		}
	}
	return false;
}

const char *
indicator_severity_name(enum indicator_severity severity)
{
	return (unsigned)severity < COUNT(severity_names)
		   ? severity_names[severity]
		   : "";
}

bool
indicator_severity_parse(
    struct slice name, enum indicator_severity *severity_out)
{
	unsigned found = find_word(name, severity_names, COUNT(severity_names));

	if (found != 0)
		*severity_out = (enum indicator_severity)found;
	return found != 0;
}

const char *
indicator_tlp_name(enum indicator_tlp tlp)
{
	return (unsigned)tlp < COUNT(tlp_names) ? tlp_names[tlp] : "";
}

bool
indicator_tlp_parse(struct slice name, enum indicator_tlp *tlp_out)
{
	unsigned found;

	if (slice_starts_with_fold(name, SLICE_LITERAL("tlp:")))
		name = slice_trim(slice_skip(name, 4));
	found = find_word(name, tlp_names, COUNT(tlp_names));
	if (found == 0 && slice_equal_text_fold(name, "white"))
		found = INDICATOR_TLP_CLEAR;
	if (found != 0)
		*tlp_out = (enum indicator_tlp)found;
	return found != 0;
}

const char *
indicator_strength_name(enum indicator_strength strength)
{
	return strength == INDICATOR_STRONG ? "strong" : "weak";
}

size_t
indicator_digest_size(enum indicator_kind kind)
{
	switch (kind) {
	case INDICATOR_MD5:
		return 16;
	case INDICATOR_SHA1:
		return 20;
	case INDICATOR_SHA256:
		return 32;
	case INDICATOR_SHA512:
		return 64;
	case INDICATOR_ADDRESS:
	case INDICATOR_DOMAIN:
	case INDICATOR_URL:
	case INDICATOR_NETWORK:
	case INDICATOR_FILENAME:
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
	case INDICATOR_MESSAGE_ID:
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
	case INDICATOR_KINDS:
		break;
	}
	return 0;
}

bool
indicator_kind_is_strong(enum indicator_kind kind)
{
	switch (kind) {
	case INDICATOR_ADDRESS:
	case INDICATOR_DOMAIN:
	case INDICATOR_URL:
	case INDICATOR_NETWORK:
	case INDICATOR_MD5:
	case INDICATOR_SHA1:
	case INDICATOR_SHA256:
	case INDICATOR_SHA512:
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
		return true;
	case INDICATOR_FILENAME:
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
	case INDICATOR_MESSAGE_ID:
	case INDICATOR_KINDS:
		break;
	}
	return false;
}
