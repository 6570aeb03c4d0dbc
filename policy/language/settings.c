#include <config.h>

#include <stdlib.h>

#include "language/settings.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
#define AT(member)   offsetof(struct settings, member)

#define SECOND       1000u
#define HOUR         (3600u * SECOND)
#define DAY          (24u * (uint64_t)HOUR)

static const char *const facility_words[] = { "mail", "daemon", "auth", "user",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6",
	"local7", NULL };
static const char *const format_words[] = { "text", "json", NULL };
static const char *const level_words[] = { "error", "warning", "notice", "info",
	"debug", NULL };
static const char *const engine_words[] = { "native", "libspf2", NULL };
static const char *const dkim_engine_words[] = { "libopendkim", "native",
	NULL };
static const char *const mode_words[] = { "9989", "7489", NULL };
static const char *const disclose_words[] = { "nothing", "rule", "indicator",
	NULL };
static const char *const failure_words[] = { "accept", "tag", "defer", "reject",
	NULL };
static const char *const enforcement_words[] = { "on", "shadow", NULL };

#define TEXT(block, name, member, preset, restart, text)                   \
	{                                                                  \
		block, name, SETTING_TEXT, AT(member), NULL, preset, 0, 0, \
		    restart, text                                          \
	}
#define PATH(block, name, member, preset, restart, text)                   \
	{                                                                  \
		block, name, SETTING_PATH, AT(member), NULL, preset, 0, 0, \
		    restart, text                                          \
	}
#define NUMBER(block, name, member, preset, least, most, text)                 \
	{                                                                      \
		block, name, SETTING_INTEGER, AT(member), NULL, preset, least, \
		    most, false, text                                          \
	}
#define SIZE(block, name, member, preset, least, text)                      \
	{                                                                   \
		block, name, SETTING_SIZE, AT(member), NULL, preset, least, \
		    UINT64_C(1) << 50, false, text                          \
	}
/* A size with a bound of ours. */
#define BYTES(block, name, member, preset, least, most, text)               \
	{                                                                   \
		block, name, SETTING_SIZE, AT(member), NULL, preset, least, \
		    most, false, text                                       \
	}
#define DURATION(block, name, member, preset, least, most, text)         \
	{                                                                \
		block, name, SETTING_DURATION, AT(member), NULL, preset, \
		    least, most, false, text                             \
	}
#define ON_OFF(block, name, member, preset, text)                            \
	{                                                                    \
		block, name, SETTING_ON_OFF, AT(member), NULL, preset, 0, 0, \
		    false, text                                              \
	}
#define CHOICE(block, name, member, words, preset, text)                      \
	{                                                                     \
		block, name, SETTING_CHOICE, AT(member), words, preset, 0, 0, \
		    false, text                                               \
	}
#define LIST(name, type, member, text)                                    \
	{                                                                 \
		NULL, name, type, AT(member), NULL, "", 0, 0, false, text \
	}

const struct settings_entry settings_table[] = {
	TEXT(NULL, "socket", socket, "unix:/run/tocsin/tocsin.sock", true,
	    "Where the MTA reaches the filter: unix:PATH, local:PATH, a bare "
	    "path, inet:PORT@HOST or inet6:PORT@HOST. PATH begins with /, also "
	    "where the MTA's own settings have it shorter."),
	TEXT(NULL, "socket-group", socket_group, "", true,
	    "Group that owns a unix socket; the MTA's user must be in it."),
	{ NULL, "socket-mode", SETTING_MODE, AT(socket_mode), NULL, "0660", 0,
	    0777, true, "Mode of a unix socket." },
	PATH(NULL, "control-socket", control_socket, "/run/tocsin/control.sock",
	    true,
	    "Where `tocsin reload`, `status` and `set` reach the daemon."),
	PATH(NULL, "state-directory", state_directory, STATEDIR, true,
	    "Holds the indicator store, fetched feeds, evidence."),
	TEXT(NULL, "user", user, "", true,
	    "User that the filter runs as when started as root."),
	PATH(NULL, "pid-file", pid_file, "", true,
	    "File that gets the supervisor's process id."),
	{ NULL, "syslog-facility", SETTING_WORD, AT(syslog_facility),
	    facility_words, "mail", 0, 0, true, "Facility of log lines." },
	CHOICE(NULL, "log-format", log_format, format_words, "text",
	    "Form of log lines."),
	CHOICE(NULL, "log-level", log_level, level_words, "notice",
	    "The least important lines that are written."),
	TEXT(NULL, "authserv-id", authserv_id, "", false,
	    "Name in our Authentication-Results; without it the MTA's macro "
	    "j."),
	LIST("trusted-authserv-ids", SETTING_DOMAINS, trusted_authserv_ids,
	    "Authentication-Results of these are believed by `tocsin scan`."),
	LIST("own-domains", SETTING_DOMAINS, own_domains,
	    "Domains that are ours, with all below them."),
	LIST("own-networks", SETTING_NETWORKS, own_networks,
	    "Clients whose mail is ours."),
	LIST("trusted-relays", SETTING_NETWORKS, trusted_relays,
	    "Relays in front of us: the client is the first hop outside "
	    "them."),
	ON_OFF(NULL, "judge-own", judge_own, "off",
	    "Evaluate SPF and DMARC for mail from ours as for any other."),
	CHOICE(NULL, "spf-engine", spf_engine, engine_words, "native",
	    "Which evaluator gives SPF results."),
	ON_OFF(NULL, "received-spf", received_spf, "off",
	    "Add a Received-SPF header as well."),
	CHOICE(NULL, "dkim-engine", dkim_engine, dkim_engine_words,
	    "libopendkim", "What verifies DKIM signatures."),
	CHOICE(NULL, "dmarc-mode", dmarc_mode, mode_words, "9989",
	    "How the organisational domain is found: by the tree walk of RFC "
	    "9989, or by the public suffix list as in RFC 7489."),
	CHOICE(NULL, "enforcement", enforcement_shadow, enforcement_words, "on",
	    "shadow puts every rule in shadow: evaluated and logged only."),
	ON_OFF(NULL, "evidence", evidence, "on",
	    "Write one record for each message."),
	DURATION(NULL, "evidence-retention", evidence_retention, "400d", HOUR,
	    36500 * DAY, "How long evidence is kept."),
	SIZE(NULL, "evidence-quota", evidence_quota, "10GB", 0,
	    "Most bytes of preserved messages, 0 for no bound. Nothing is evicted; "
	    "what should be discarded and cannot be kept is deferred."),
	CHOICE(NULL, "disclose", disclose, disclose_words, "nothing",
	    "What delivered headers and replies may name (TLP clear and green "
	    "only)."),
	ON_OFF(NULL, "homoglyph-fold", homoglyph_fold, "off",
	    "Let body.text hold the text a second time, in the plain letters "
	    "that it looks like."),
	ON_OFF(NULL, "vectorscan", vectorscan, "on",
	    "Search for many patterns at once, where tocsind was built with "
	    "Vectorscan. What rules mean does not depend on it."),
	{ NULL, "warninglists", SETTING_PATHS, AT(warninglists), NULL, "", 0, 0,
	    false,
	    "Files or folders of MISP warninglists; * stands for any name. "
	    "Without it warninglists/ of the state folder; { } for none." },
	ON_OFF(NULL, "warninglist-parents", warninglist_hostname_parents, "off",
	    "Drop names below an entry too, as MISP's hostname rule does."),
	{ NULL, "redirectors", SETTING_TEXTS, AT(redirectors), NULL, "", 0, 0,
	    false,
	    "Further click-tracking hosts that are unfolded for "
	    ".text-mismatch." },

	{ "resolver", "server", SETTING_SERVER, AT(resolver.server), NULL, "",
	    0, 0, false,
	    "Address of the resolver, or ADDRESS@PORT; without it what "
	    "/etc/resolv.conf says. zone:FILE answers from a file instead, as "
	    "`tocsin scan --zone` does, for tests." },
	NUMBER("resolver", "port", resolver.port, "53", 1, 65535,
	    "Its port, unless server names one."),
	DURATION("resolver", "deadline", resolver.deadline, "15s", 100,
	    120 * SECOND, "For all look-ups of a message together."),
	DURATION("resolver", "early-deadline", resolver.early_deadline, "5s",
	    100, 120 * SECOND,
	    "For rules that act before the end of the message."),
	ON_OFF("resolver", "dnssec", resolver.dnssec, "off",
	    "Validate here; else the site's resolver does."),
	PATH("resolver", "trust-anchor", resolver.trust_anchor, "", false,
	    "File with the DNSSEC trust anchor; without it that of dns-root-data."),
	NUMBER("resolver", "queries", resolver.queries, "200", 1, 100000,
	    "Most look-ups for one message."),
	SIZE("resolver", "answer-bytes", resolver.answer_bytes, "1MB", 1000,
	    "Most bytes of all answers for one message."),
	SIZE("resolver", "cache-size", resolver.cache_size, "16MB", 0,
	    "Memory for cached answers."),

	SIZE("limits", "message-size", limits.message_size, "50MB", 1000,
	    "Bytes of a message that are looked into."),
	NUMBER("limits", "headers", limits.headers, "2000", 10, 1000000,
	    "Headers of a message."),
	SIZE("limits", "header-bytes", limits.header_bytes, "1MB", 1000,
	    "Bytes of all headers together."),
	NUMBER("limits", "addresses", limits.addresses, "5000", 10, 1000000,
	    "Addresses in all headers together."),
	NUMBER("limits", "mime-depth", limits.mime_depth, "30", 1, 200,
	    "Nesting of MIME parts."),
	NUMBER("limits", "mime-parts", limits.mime_parts, "1000", 1, 100000,
	    "MIME parts of a message."),
	NUMBER("limits", "readings", limits.readings, "4", 1, 16,
	    "Readings of one ambiguous part."),
	SIZE("limits", "decoded-bytes", limits.decoded_bytes, "100MB", 1000,
	    "Decoded bytes of all parts together."),
	SIZE("limits", "body-text", limits.body_text, "2MB", 1000,
	    "Bytes of body.text."),
	SIZE("limits", "html-bytes", limits.html_bytes, "4MB", 1000,
	    "Bytes that are read of each HTML part."),
	NUMBER("limits", "html-inner", limits.html_inner, "1000", 0, 1000000,
	    "Documents inside each: comments, srcdoc, data: links."),
	NUMBER("limits", "html-depth", limits.html_depth, "4", 0, 20,
	    "Such documents inside each other."),
	NUMBER("limits", "html-files", limits.html_files, "100", 0, 100000,
	    "Files that the data: links of each carry."),
	NUMBER("limits", "urls", limits.urls, "2000", 1, 1000000,
	    "URLs of a message."),
	NUMBER("limits", "signatures", limits.signatures, "10", 1, 100,
	    "DKIM signatures that are verified."),
	BYTES("limits", "spf-record", limits.spf_record, "16kB", 512, 65535,
	    "Longest SPF record; a longer one gives permerror."),
	NUMBER("limits", "arc-sets", limits.arc_sets, "50", 1, 50,
	    "ARC sets that are verified (RFC 8617 allows 50)."),
	NUMBER("limits", "received-hops", limits.received_hops, "100", 1, 1000,
	    "Received headers that are read."),
	NUMBER("limits", "archive-depth", limits.archive_depth, "4", 0, 20,
	    "Archives inside archives."),
	SIZE("limits", "archive-bytes", limits.archive_bytes, "100MB", 0,
	    "Bytes unpacked from a message's archives."),
	NUMBER("limits", "archive-ratio", limits.archive_ratio, "200", 2,
	    1000000, "Unpacked bytes for each packed byte."),
	NUMBER("limits", "archive-entries", limits.archive_entries, "10000", 1,
	    10000000, "Entries of a message's archives."),
	SIZE("limits", "document-bytes", limits.document_bytes, "64MB", 1000,
	    "Bytes of one stream or object in a document."),
	NUMBER("limits", "document-objects", limits.document_objects, "20000",
	    10, 10000000, "Streams and objects of one document."),
	NUMBER("limits", "document-links", limits.document_links, "2000", 1,
	    1000000, "Links of one attached file."),
	SIZE("limits", "content-bytes", limits.content_bytes, "16MB", 1000,
	    "Bytes of mail and text in one attached file that are read on in."),
	NUMBER("limits", "attached-mails", limits.attached_mails, "100", 1,
	    100000, "Attached files and members of archives that are mail."),
	DURATION("limits", "scan-time", limits.scan_time, "1500ms", 10,
	    60 * SECOND, "For all scanner work on one message."),
	SIZE("limits", "scan-memory", limits.scan_memory, "256MB", 64000000,
	    "Memory of a scanner process, beside its rules."),
	NUMBER("limits", "scan-workers", limits.scan_workers, "2", 1, 64,
	    "Scanner processes."),
	NUMBER("limits", "sessions", limits.sessions, "1000", 1, 100000,
	    "Connections at once; more are deferred."),
	SIZE("limits", "memory", limits.memory, "1GB", 10000000,
	    "Memory of all messages together; more are deferred."),
	SIZE("limits", "message-memory", limits.message_memory, "256MB",
	    1000000, "Memory of one message."),
	SIZE("limits", "memory-kept", limits.memory_kept, "64MB", 0,
	    "Memory that is kept from one message for the next, beside that "
	    "of messages."),
	NUMBER("limits", "regex-steps", limits.regex_steps, "100000", 100,
	    100000000, "Steps of one regular expression over one value."),
	NUMBER("limits", "regex-depth", limits.regex_depth, "1000", 10, 100000,
	    "Nested backtracking of a regular expression."),
	SIZE("limits", "regex-memory", limits.regex_memory, "16MB", 100000,
	    "Memory of one regular expression over one value."),
	DURATION("limits", "regex-time", limits.regex_time, "20ms", 1,
	    60 * SECOND,
	    "CPU time of one regular expression over one value, and 50 ms "
	    "more for each megabyte."),
	DURATION("limits", "regex-total", limits.regex_total, "1s", 10,
	    120 * SECOND,
	    "CPU time of the rules of a stage, after which no further regular "
	    "expression is run."),
	NUMBER("limits", "unkeyed-patterns", limits.unkeyed_patterns, "10000",
	    0, 1000000, "STIX patterns without a value to look up."),
	NUMBER("limits", "indicators", limits.indicators, "50000000", 100,
	    100000000,
	    "Indicators of all feeds together; a feed may also say "
	    "max-indicators."),
	NUMBER("limits", "indicators-per-value", limits.indicators_per_value,
	    "64", 1, 4096,
	    "Indicators of one feed for one value, and 64 times as many of all "
	    "feeds."),
	NUMBER("limits", "suppressed-listed", limits.suppressed_listed,
	    "200000", 0, 100000000,
	    "Suppressed indicators that are listed; all are counted."),
	NUMBER("limits", "feed-yara-rules", limits.feed_yara_rules, "2000", 0,
	    1000000, "YARA rules inside STIX and MISP feeds, all together."),
	BYTES("limits", "feed-line", limits.feed_line, "64kB", 100, 1000000,
	    "Bytes of a line of a list, or of a row of CSV."),
	NUMBER("limits", "feed-columns", limits.feed_columns, "64", 1, 10000,
	    "Columns of a CSV; what stands in further ones is not read."),
	BYTES("limits", "feed-object", limits.feed_object, "16MB", 1000,
	    64000000, "Bytes of one JSON object."),
	NUMBER("limits", "feed-depth", limits.feed_depth, "64", 4, 500,
	    "Nesting inside one JSON object."),
	BYTES("limits", "feed-pattern", limits.feed_pattern, "64kB", 100,
	    1000000, "Bytes of one STIX pattern."),
	NUMBER("limits", "feed-pattern-terms", limits.feed_pattern_terms,
	    "4096", 1, 4096, "Comparisons and values of one STIX pattern."),
	NUMBER("limits", "feed-files", limits.feed_files, "100000", 1, 10000000,
	    "Files of a folder that is a feed."),
	BYTES("limits", "warninglist-size", limits.warninglist_size, "64MB",
	    1000, UINT64_C(4000000000), "Bytes of one warninglist."),
	NUMBER("limits", "warninglist-files", limits.warninglist_files, "1000",
	    1, 65000, "Warninglists."),
	NUMBER("limits", "warninglist-entries", limits.warninglist_entries,
	    "20000000", 1, 100000000, "Entries of all warninglists together."),
	NUMBER("limits", "warninglist-regexes", limits.warninglist_regexes,
	    "1000", 0, 100000,
	    "Regular expressions of all warninglists together."),
	NUMBER("limits", "revoked-indicators", limits.revoked_indicators,
	    "1000000", 0, 100000000,
	    "Revoked indicators that are remembered, all together."),
	DURATION("limits", "revoked-age", limits.revoked_age, "365d", 0,
	    36500 * DAY,
	    "How long one is remembered since its feed last said so."),
	NUMBER("limits", "alert-rate", limits.alert_rate, "10", 1, 100000,
	    "Alerts of one rule in a minute."),

	CHOICE("failure", "dns", failure[FAILURE_DNS], failure_words, "tag",
	    "When look-ups were cut short by our limits."),
	CHOICE("failure", "limit", failure[FAILURE_LIMIT], failure_words, "tag",
	    "When a limit stopped the analysis."),
	CHOICE("failure", "scanner", failure[FAILURE_SCANNER], failure_words,
	    "tag", "When a scanner process failed."),
	CHOICE("failure", "internal", failure[FAILURE_INTERNAL], failure_words,
	    "defer", "When something of ours broke."),
};

const unsigned settings_count = COUNT(settings_table);

_Static_assert(COUNT(settings_table) <= SETTINGS_MAX, "SETTINGS_MAX");

static uint64_t
unit_factor(enum settings_type type, const char *unit)
{
	static const struct {
		const char *unit;
		enum settings_type type;
		uint64_t factor;
	} units[] = { { "kB", SETTING_SIZE, 1000 },
		{ "MB", SETTING_SIZE, 1000000 },
		{ "GB", SETTING_SIZE, 1000000000 },
		{ "s", SETTING_DURATION, SECOND },
		{ "m", SETTING_DURATION, 60u * SECOND },
		{ "h", SETTING_DURATION, HOUR },
		{ "d", SETTING_DURATION, DAY } };

	for (size_t i = 0; i < COUNT(units); i++)
		if (units[i].type == type && strcmp(units[i].unit, unit) == 0)
			return units[i].factor;
	return 1;
}

static int64_t
word_index(const char *const *words, const char *word)
{
	for (int64_t i = 0; words[i] != NULL; i++)
		if (strcmp(words[i], word) == 0)
			return i;
	return 0;
}

static void
set_default(struct settings *settings, const struct settings_entry *entry)
{
	char *place = (char *)settings + entry->offset;
	const char *preset = entry->default_text;
	char *unit;

	switch (entry->type) {
	case SETTING_TEXT:
	case SETTING_SERVER:
	case SETTING_WORD:
	case SETTING_PATH:
		*(const char **)(void *)place = preset;
		break;
	case SETTING_INTEGER:
	case SETTING_SIZE:
	case SETTING_DURATION:
		*(uint64_t *)(void *)place = strtoull(preset, &unit, 10);
		*(uint64_t *)(void *)place *= unit_factor(entry->type, unit);
		break;
	case SETTING_MODE:
		*(uint64_t *)(void *)place = strtoull(preset, NULL, 8);
		break;
	case SETTING_ON_OFF:
		*(bool *)(void *)place = strcmp(preset, "on") == 0;
		break;
	case SETTING_CHOICE:
		*(int64_t *)(void *)place = word_index(entry->words, preset);
		break;
	case SETTING_DOMAINS:
	case SETTING_NETWORKS:
	case SETTING_STRINGS:
		*(int *)(void *)place = SETTINGS_NO_LIST;
		break;
	case SETTING_PATHS:
	case SETTING_TEXTS:
		break;
	}
}

void
settings_defaults(struct settings *settings)
{
	memset(settings, 0, sizeof *settings);
	for (unsigned i = 0; i < settings_count; i++)
		set_default(settings, &settings_table[i]);
}

const struct settings_entry *
settings_find(const char *block, struct slice name)
{
	for (unsigned i = 0; i < settings_count; i++) {
		const struct settings_entry *entry = &settings_table[i];

		if ((block == NULL) != (entry->block == NULL) ||
		    (block != NULL && strcmp(block, entry->block) != 0))
			continue;
		if (slice_equal_text(name, entry->name))
			return entry;
	}
	return NULL;
}
