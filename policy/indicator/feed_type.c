#include <config.h>

#include "indicator/feed_type.h"

enum half {
	WHOLE,
	FIRST_HALF,
	SECOND_HALF
};

struct misp_type {
	const char *name;
	enum indicator_kind kind;
	unsigned roles;
	enum half half; /* of a value with '|' that decides */
};

static const struct misp_type types[] = {
	{ "email-src", INDICATOR_ADDRESS, INDICATOR_ROLE_SOURCE, WHOLE },
	{ "emailsender", INDICATOR_ADDRESS, INDICATOR_ROLE_SOURCE, WHOLE },
	{ "email-dst", INDICATOR_ADDRESS, INDICATOR_ROLE_DESTINATION, WHOLE },
	{ "email-reply-to", INDICATOR_ADDRESS, INDICATOR_ROLE_REPLY_TO, WHOLE },
	{ "email", INDICATOR_ADDRESS, INDICATOR_ROLE_ANY, WHOLE },
	{ "email-subject", INDICATOR_SUBJECT, INDICATOR_ROLE_ANY, WHOLE },
	{ "email-attachment", INDICATOR_FILENAME, INDICATOR_ROLE_ANY, WHOLE },
	{ "filename", INDICATOR_FILENAME, INDICATOR_ROLE_ANY, WHOLE },
	{ "email-x-mailer", INDICATOR_MAILER, INDICATOR_ROLE_ANY, WHOLE },
	{ "email-message-id", INDICATOR_MESSAGE_ID, INDICATOR_ROLE_ANY, WHOLE },
	{ "md5", INDICATOR_MD5, INDICATOR_ROLE_ANY, WHOLE },
	{ "sha1", INDICATOR_SHA1, INDICATOR_ROLE_ANY, WHOLE },
	{ "sha256", INDICATOR_SHA256, INDICATOR_ROLE_ANY, WHOLE },
	{ "sha512", INDICATOR_SHA512, INDICATOR_ROLE_ANY, WHOLE },
	{ "filename|md5", INDICATOR_MD5, INDICATOR_ROLE_ANY, SECOND_HALF },
	{ "filename|sha1", INDICATOR_SHA1, INDICATOR_ROLE_ANY, SECOND_HALF },
	{ "filename|sha256", INDICATOR_SHA256, INDICATOR_ROLE_ANY,
	    SECOND_HALF },
	{ "filename|sha512", INDICATOR_SHA512, INDICATOR_ROLE_ANY,
	    SECOND_HALF },
	{ "malware-sample", INDICATOR_MD5, INDICATOR_ROLE_ANY, SECOND_HALF },
	{ "domain", INDICATOR_DOMAIN, INDICATOR_ROLE_ANY, WHOLE },
	{ "hostname", INDICATOR_DOMAIN, INDICATOR_ROLE_ANY, WHOLE },
	{ "domain|ip", INDICATOR_DOMAIN, INDICATOR_ROLE_ANY, FIRST_HALF },
	{ "hostname|port", INDICATOR_DOMAIN, INDICATOR_ROLE_ANY, FIRST_HALF },
	{ "url", INDICATOR_URL, INDICATOR_ROLE_ANY, WHOLE },
	{ "ip-src", INDICATOR_NETWORK, INDICATOR_ROLE_SOURCE, WHOLE },
	{ "ip-src|port", INDICATOR_NETWORK, INDICATOR_ROLE_SOURCE, FIRST_HALF },
	{ "ip-dst", INDICATOR_NETWORK, INDICATOR_ROLE_DESTINATION, WHOLE },
	{ "ip-dst|port", INDICATOR_NETWORK, INDICATOR_ROLE_DESTINATION,
	    FIRST_HALF },
	{ "stix2-pattern", INDICATOR_PATTERN, INDICATOR_ROLE_ANY, WHOLE },
	{ "ip:port", INDICATOR_NETWORK, INDICATOR_ROLE_ANY, WHOLE },
};

/* Types that exist, that mail does not show, and whose values may look like
 * something else (an imphash like an MD5, a link like a URL). */
static const char *const invisible[] = { "link", "text", "comment", "other",
	"uri", "attachment", "vulnerability", "regkey", "regkey|value", "mutex",
	"named pipe", "imphash", "pehash", "filehash-imphash",
	"filehash-pehash", "filehash-ssdeep", "ssdeep", "tlsh", "vhash",
	"authentihash", "impfuzzy", "sha224", "sha384", "sha512/224",
	"sha512/256", "sha3-224", "sha3-256", "sha3-384", "sha3-512",
	"filename|imphash", "filename|ssdeep", "filename|authentihash",
	"ja3-fingerprint-md5", "jarm-fingerprint", "hassh-md5",
	"hasshserver-md5", "x509-fingerprint-md5", "x509-fingerprint-sha1",
	"x509-fingerprint-sha256", "target-email", "target-user",
	"target-machine", "target-org", "email-src-display-name",
	"email-dst-display-name", "email-header", "email-body",
	"email-mime-boundary", "email-thread-index", "eppn", "jabber-id",
	"whois-registrant-email", "whois-registrar", "dns-soa-email", "AS",
	"asn", "btc", "xmr", "cve", "yara", "sigma", "snort", "pattern-in-file",
	"pattern-in-memory", "pattern-in-traffic", "user-agent", "http-method",
	"github-repository", "process", "mac-address", "size-in-bytes",
	/* and of others */
	"mutex-name", "named-pipe", "registry", "registry-key",
	"windows-registry-key", "registry-path", "registry-value", "regexp",
	"regex", "filepath", "file-path", "path", "uri-path", "url-path",
	"command-line", "process-name", "service-name", "certificate",
	"certificate-thumbprint", "x509-certificate", "x509-serial", "ja3",
	"ja3s", "ja4", "jarm", "bitcoin-address", "bitcoinaddress",
	"coin-address", "cryptocurrency-wallet", "autonomous-system",
	"mac-addr", "mac", "user-account", "username", "user-name", "user",
	"password", "phone-number", "phone", "software", "device-name",
	"campaign", "campaign-id", "threat-actor", "malware", "actor",
	"persona-name", "port", "suricata", "kql", "eql", "spl", "pcre",
	"tanium-signal", "media-content", "text", "tracking-number",
	"bank-account", "payment-card", "hostname-pattern", "useragent",
	"cert-hash", "pubkey-hash", "country", "event-name", "signature",
	"ssl-cert", "cidr-rule" };

/* Words that leave it to the value. */
static const char *const by_looks[] = { "file", "stixfile", "artifact", "hash",
	"filehash", "file-hash", "checksum", "digest", "indicator", "ioc",
	"observable", "network", "network-traffic", "unknown" };

/* Anomali names a type by what it is for: "mal_domain", "c2_ip", "phish_url". */
static const char *const purposes[] = { "actor", "adware", "anon", "apt", "bot",
	"brute", "c2", "compromised", "crypto", "ddos", "disposable", "dyn",
	"exfil", "exploit", "fraud", "free", "geolocation", "hack", "i2p",
	"mal", "p2p", "p2pcnc", "parked", "phish", "proxy", "scan", "sinkhole",
	"social", "spam", "speedtest", "ssh", "suppress", "susp", "suspicious",
	"tor", "vpn", "vps" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static bool
is_one_of(struct slice word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (indicator_word_equals(word, words[i]))
			return true;
	return false;
}

/* The exact types of MISP, which also say on which side a value counts. */
static const struct misp_type *
misp_type_of(struct slice type)
{
	for (size_t i = 0; i < COUNT(types); i++)
		if (type.length > 0 &&
		    ascii_lower(type.data[0]) == types[i].name[0] &&
		    slice_equal_text_fold(type, types[i].name))
			return &types[i];
	return NULL;
}

static struct slice
deciding_half(enum half half, struct slice value)
{
	struct slice first = value, rest = slice_split(value, '|', &first);

	if (half == WHOLE)
		return slice_trim(value);
	return slice_trim(half == SECOND_HALF ? rest : first);
}

/* "mal_domain" as "domain", and so Zeek's "Intel::DOMAIN"; what is no such word stays. */
static struct slice
without_purpose(struct slice type)
{
	size_t end = slice_find_byte(type, '_');

	if (slice_starts_with_fold(type, SLICE_LITERAL("Intel::")))
		return slice_skip(type, sizeof "Intel::" - 1);
	return end != SIZE_MAX && is_one_of(slice_range(type, 0, end), purposes,
				      COUNT(purposes))
		   ? slice_skip(type, end + 1)
		   : type;
}

enum feed_reason
feed_type_value(struct slice type, struct slice value, struct feed_item *item,
    enum feed_type_word *word_out)
{
	const struct misp_type *exact = misp_type_of(type);
	enum indicator_kind kind;

	*word_out = FEED_TYPE_KNOWN;
	if (exact == NULL) {
		type = without_purpose(type);
		exact = misp_type_of(type);
	}
	if (exact != NULL) {
		item->kind = exact->kind;
		item->roles = exact->roles;
		item->value = deciding_half(exact->half, value);
		return item->value.length == 0 ? FEED_BAD_VALUE : FEED_USED;
	}
	if (is_one_of(type, invisible, COUNT(invisible)))
		return FEED_NOT_VISIBLE;
	if (is_one_of(type, by_looks, COUNT(by_looks))) {
		*word_out = FEED_TYPE_LOOKS;
		return FEED_NOT_VISIBLE;
	}
	if (!slice_equal_text_fold(type, "name") &&
	    indicator_kind_parse(type, &kind) && kind != INDICATOR_YARA) {
		item->kind = kind;
		item->value = slice_trim(value);
		return item->value.length == 0 ? FEED_BAD_VALUE : FEED_USED;
	}
	*word_out = FEED_TYPE_UNKNOWN;
	return FEED_NOT_VISIBLE;
}
