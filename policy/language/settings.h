/*
 * settings - all that tocsin.conf can set, as plain data
 *
 * One table (settings_table) holds name, type, place, default and description
 * of each setting: the parser, the defaults and the manual page draw from it.
 * Values and their text live in the arena of the program that was loaded.
 *
 * Durations are milliseconds, sizes bytes (MB = 10^6).
 */
#ifndef TOCSIN_LANGUAGE_SETTINGS_H
#define TOCSIN_LANGUAGE_SETTINGS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/slice.h"
#include "language/facts.h"

struct feed_config; /* policy/indicator/feed.h */

enum settings_log_format {
	SETTINGS_LOG_FORMAT_TEXT,
	SETTINGS_LOG_FORMAT_JSON
};

enum settings_spf_engine {
	SETTINGS_SPF_ENGINE_NATIVE,
	SETTINGS_SPF_ENGINE_LIBSPF2
};

enum settings_dkim_engine {
	SETTINGS_DKIM_ENGINE_LIBOPENDKIM,
	SETTINGS_DKIM_ENGINE_NATIVE
};

enum settings_dmarc_mode {
	SETTINGS_DMARC_MODE_9989, /* tree walk */
	SETTINGS_DMARC_MODE_7489  /* public suffix list */
};

enum settings_disclose {
	SETTINGS_DISCLOSE_NOTHING,
	SETTINGS_DISCLOSE_RULE,
	SETTINGS_DISCLOSE_INDICATOR
};

enum settings_enforcement {
	SETTINGS_ENFORCEMENT_ON,
	SETTINGS_ENFORCEMENT_SHADOW
};

/* What a `failure` class does. */
enum settings_failure_action {
	SETTINGS_FAILURE_ACTION_ACCEPT,
	SETTINGS_FAILURE_ACTION_TAG,
	SETTINGS_FAILURE_ACTION_DEFER,
	SETTINGS_FAILURE_ACTION_REJECT
};

struct settings_resolver {
	const char *server;      /* address, ADDRESS@PORT or zone:FILE; "" =
				 * what /etc/resolv.conf says */
	uint64_t port;           /* 53; ADDRESS@PORT wins over it */
	uint64_t deadline;       /* ms, all look-ups of a message */
	uint64_t early_deadline; /* ms, for rules before the end of message */
	bool dnssec;
	const char *trust_anchor; /* file; "" = dns-root-data's */
	uint64_t queries;         /* most queries of one message */
	uint64_t answer_bytes;    /* most bytes of all answers of one message */
	uint64_t cache_size;      /* bytes */
};

struct settings_limits {
	uint64_t message_size; /* bytes looked into */
	uint64_t headers;      /* count */
	uint64_t header_bytes; /* all headers together */
	uint64_t addresses;    /* in all address headers together */
	uint64_t mime_depth;
	uint64_t mime_parts;
	uint64_t readings;      /* per part */
	uint64_t decoded_bytes; /* of all parts together */
	uint64_t body_text;     /* bytes of body.text */
	uint64_t html_bytes;    /* read of each HTML part */
	uint64_t html_inner;    /* documents inside each */
	uint64_t html_depth;    /* of these in each other */
	uint64_t html_files;    /* that the links of each carry */
	uint64_t urls;          /* count */
	uint64_t signatures;    /* DKIM signatures looked at */
	uint64_t spf_record;    /* bytes */
	uint64_t arc_sets;
	uint64_t received_hops; /* Received headers looked at */
	uint64_t archive_depth;
	uint64_t archive_bytes;
	uint64_t archive_ratio;
	uint64_t archive_entries;
	uint64_t document_bytes;   /* of one stream or object in a document */
	uint64_t document_objects; /* streams and objects of one document */
	uint64_t document_links;   /* links of one file */
	uint64_t content_bytes;    /* of mail and text in a message's files */
	uint64_t attached_mails;   /* files of a message that are mail */
	uint64_t scan_time;        /* ms, all workers, one message */
	uint64_t scan_memory;
	uint64_t scan_workers;
	uint64_t sessions;
	uint64_t memory;         /* bytes, all messages together */
	uint64_t message_memory; /* bytes, one message */
	uint64_t memory_kept;    /* bytes, between messages */
	uint64_t regex_steps;    /* PCRE2 match limit */
	uint64_t regex_depth;    /* PCRE2 depth limit */
	uint64_t regex_memory;   /* bytes, PCRE2 heap limit */
	uint64_t regex_time;     /* ms, one regular expression over one text */
	uint64_t regex_total;    /* ms, all of one message */
	uint64_t unkeyed_patterns;
	uint64_t indicators;           /* of all feeds together */
	uint64_t indicators_per_value; /* of one feed */
	uint64_t suppressed_listed;
	uint64_t feed_yara_rules; /* inside STIX and MISP feeds */
	uint64_t feed_line;       /* bytes of a line of a list or CSV */
	uint64_t feed_columns;    /* of a CSV */
	uint64_t feed_object;     /* bytes of a JSON object */
	uint64_t feed_depth;      /* of JSON */
	uint64_t feed_pattern;    /* bytes of a STIX pattern */
	uint64_t feed_pattern_terms;
	uint64_t feed_files;       /* of a folder */
	uint64_t warninglist_size; /* bytes of one file */
	uint64_t warninglist_files;
	uint64_t warninglist_entries; /* of all lists together */
	uint64_t warninglist_regexes; /* of all lists together */
	uint64_t revoked_indicators;
	uint64_t revoked_age; /* ms since the feed last said so */
	uint64_t alert_rate;  /* alerts per rule and minute */
};

/* One `pin KIND "VALUE"`. */
struct settings_pin {
	const char *kind;
	struct slice value;
};

/* How a feed with an https source is fetched (`tocsin feeds update`); by index
 * beside `feeds`. The filter never uses it. */
struct settings_feed_fetch {
	const char *url;        /* NULL: a local file or folder */
	const char *collection; /* TAXII; NULL without, as those below */
	const char *auth_file;
	const char *post_file;
	const char *ca_file;
	const char *client_cert;
	const char *client_key;
	const char *proxy;
	uint64_t refresh;    /* ms */
	uint64_t fetch_time; /* ms, for the whole feed */
};

struct settings_texts {
	const char *const *items;
	size_t count;
};

/* A list in a setting: an index for program_list(), or SETTINGS_NO_LIST when
 * the operator did not set it. */
#define SETTINGS_NO_LIST (-1)

struct settings {
	const char *socket;
	const char *socket_group; /* "" = the process's */
	uint64_t socket_mode;
	const char *control_socket;
	const char *state_directory;
	const char *user; /* "" = stay */
	const char *pid_file;
	const char *syslog_facility;
	int64_t log_format;      /* enum settings_log_format */
	int64_t log_level;       /* enum log_level */
	const char *authserv_id; /* "" = macro j */
	int trusted_authserv_ids;
	struct settings_resolver resolver;
	struct settings_limits limits;
	int64_t failure[FAILURE_COUNT]; /* enum settings_failure_action */
	int64_t enforcement_shadow;     /* 0 on, 1 shadow */
	int own_domains;
	int own_networks;
	int trusted_relays;
	bool judge_own;
	int64_t spf_engine; /* enum settings_spf_engine */
	bool received_spf;
	int64_t dkim_engine; /* enum settings_dkim_engine */
	int64_t dmarc_mode;  /* enum settings_dmarc_mode */
	bool evidence;
	uint64_t evidence_retention; /* ms */
	uint64_t evidence_quota;     /* bytes of preserved messages */
	int64_t disclose;            /* enum settings_disclose */
	bool vectorscan;             /* many patterns in one pass */
	bool homoglyph_fold;         /* fold look-alike letters in body.text */
	struct settings_texts warninglists; /* paths, may hold *; items NULL:
					     * the default folder */
	bool warninglist_hostname_parents;  /* MISP's own hostname rule */
	struct settings_texts redirectors; /* hosts unfolded by text-mismatch */
	const struct feed_config *feeds;
	const struct settings_feed_fetch *feed_fetches;
	size_t feed_count;
	const struct settings_pin *pins;
	size_t pin_count;
};

enum settings_type {
	SETTING_TEXT,
	SETTING_WORD,   /* text, one of `words` */
	SETTING_PATH,   /* text; a relative one starts at the file's folder */
	SETTING_SERVER, /* text; a path where it begins with zone: */
	SETTING_INTEGER,
	SETTING_MODE, /* octal */
	SETTING_SIZE,
	SETTING_DURATION,
	SETTING_ON_OFF,
	SETTING_CHOICE,   /* one of `words` */
	SETTING_DOMAINS,  /* a list: name, or { ... } */
	SETTING_NETWORKS, /* the same */
	SETTING_STRINGS,  /* the same */
	SETTING_PATHS,    /* one path or { "..." }; repeats add */
	SETTING_TEXTS     /* one text or { "..." }; repeats add */
};

/* At least as many as settings_table has. */
#define SETTINGS_MAX 200

struct settings_entry {
	const char
	    *block; /* "resolver", "limits", "failure"; NULL: top level */
	const char *name;
	enum settings_type type;
	size_t offset;            /* in struct settings */
	const char *const *words; /* SETTING_CHOICE, NULL-terminated */
	const char *default_text; /* as one would write it; "" = unset */
	uint64_t minimum;
	uint64_t maximum;   /* numbers, sizes, durations */
	bool needs_restart; /* a reload does not change it */
	const char *description;
};

/* A minimum of 0 and a maximum of 0 mean: any. */
extern const struct settings_entry settings_table[];
extern const unsigned settings_count;

/* All defaults, as the table says. */
void settings_defaults(struct settings *settings);

/* The entry of this name in this block (NULL: top level), or NULL. */
const struct settings_entry *settings_find(
    const char *block, struct slice name);

#endif
