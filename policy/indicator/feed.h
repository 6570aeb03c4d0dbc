/*
 * feed - the settings of a feed, and reading one whatever its form
 *
 * A feed is a file or a folder of published indicators. Its settings come from
 * `feed NAME { ... }` in the configuration; the reader yields one indicator at
 * a time to a sink and counts what it could not use, by reason. Feeds are
 * hostile: every form is read as a stream within limits, a bad line or object
 * is lost and the feed is not.
 */
#ifndef TOCSIN_INDICATOR_FEED_H
#define TOCSIN_INDICATOR_FEED_H

#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"
#include "indicator/kind.h"

enum feed_format {
	FEED_FORMAT_AUTO, /* found out from the first bytes */
	FEED_FORMAT_LIST, /* one value a line, kinds may be mixed; CIDR lists */
	FEED_FORMAT_HOSTS,
	FEED_FORMAT_LOKI, /* VALUE;DESCRIPTION */
	FEED_FORMAT_CSV,
	FEED_FORMAT_STIX,
	FEED_FORMAT_MISP,
	FEED_FORMAT_YARA, /* rule files: the scanner reads them, not we */
	FEED_FORMAT_URLHAUS,
	FEED_FORMAT_THREATFOX,
	FEED_FORMAT_FEODO,
	FEED_FORMAT_BAZAAR,
	FEED_FORMAT_MISP_CSV,
	FEED_FORMAT_LOCAL, /* local.indicators, see overlay.h */
	FEED_FORMAT_JSON,  /* objects with members as a CSV has columns */
	FEED_FORMATS
};

/* What a column of a CSV feed holds. */
enum feed_column_role {
	FEED_COLUMN_VALUE, /* kind by the type column, else by `kind` or guess */
	FEED_COLUMN_TYPE,
	FEED_COLUMN_ID,
	FEED_COLUMN_FIRST_SEEN,
	FEED_COLUMN_LAST_SEEN,
	FEED_COLUMN_VALID_UNTIL,
	FEED_COLUMN_SEVERITY,
	FEED_COLUMN_CONFIDENCE,
	FEED_COLUMN_TAGS,
	FEED_COLUMN_DESCRIPTION,
	FEED_COLUMN_TLP,
	FEED_COLUMN_TO_IDS,
	FEED_COLUMN_ROLES
};

struct feed_column {
	enum feed_column_role role;
	/* For FEED_COLUMN_VALUE: a column that holds one kind only
	 * (`sha256 "sha256_hash"`); has_kind is false for `value`. */
	bool has_kind;
	enum indicator_kind kind;
	const char *name; /* header's name, without case; NULL: by number */
	unsigned number;  /* from 1, when name is NULL */
};

/* Settings of one feed. Zero-initialise, then set what the operator said;
 * feed_config_defaults() does that. Strings belong to the caller and must
 * outlive the use. */
struct feed_config {
	const char *name;
	const char *source; /* path of a file or folder */
	enum feed_format format;
	bool verified; /* status; unverified indicators are always weak */
	enum indicator_severity
	    severity;       /* where not published; ABSENT = low */
	uint8_t confidence; /* where not published: 0-100, or ..._ABSENT = 0 */
	uint64_t expire_s;  /* since last seen; 0: never */
	uint32_t kinds;     /* INDICATOR_KIND_BITs in use; 0 = all */
	bool ignore_to_ids; /* to-ids ignore: to_ids=false is used as well */
	uint8_t minimum_confidence;
	bool client_ip;      /* networks match client and Received addresses */
	bool refang;         /* lists and CSV: undo hxxp, [.] */
	bool match_defanged; /* defanged match: defanged text in mail matches */
	enum indicator_tlp tlp;
	uint64_t size_bytes_max; /* 0: 500 MB */
	uint32_t indicators_max; /* 0: by the limits of the build */
	char delimiter;          /* CSV; 0: found out */
	char comment;            /* CSV and lists; 0: '#' */
	struct feed_column *columns;
	size_t column_count;
};

struct feed_config feed_config_defaults(const char *name, const char *source);

/* Words of the language: "auto", "list", "hosts", "loki", "csv", "stix",
 * "misp", "yara", "urlhaus", ... */
const char *feed_format_name(enum feed_format format);
bool feed_format_parse(struct slice word, enum feed_format *format_out);

/* Reads the word before a column ("value", "type", "first-seen", or a kind's
 * name) into role, has_kind and kind; false when it is none. */
bool feed_column_parse(struct slice word, struct feed_column *column_out);
/* The words that feed_column_parse() knows beside the kinds. */
const char *feed_column_role_name(enum feed_column_role role);

/* Why something published was not used. */
enum feed_reason {
	FEED_USED,
	FEED_NOT_VISIBLE,   /* a type that mail cannot show */
	FEED_NOT_INDICATOR, /* reports, relationships, comments, headers */
	FEED_BAD_VALUE,     /* not of its kind */
	FEED_BAD_OBJECT,    /* not JSON, wrong shape, row with missing column */
	FEED_BAD_PATTERN,   /* STIX pattern does not parse */
	FEED_UNSUPPORTED_PATTERN, /* FOLLOWEDBY, WITHIN, REPEATS, START/STOP, or
				   * another pattern language */
	FEED_NO_STRONG_PART,      /* pattern that mail could never make true */
	FEED_REVOKED,             /* revoked or deleted by the publisher */
	FEED_TO_IDS,              /* to_ids=false */
	FEED_KIND_OFF,            /* not among the feed's kinds */
	FEED_LOW_CONFIDENCE,      /* below minimum-confidence */
	FEED_OLDER,               /* an older version of one we have */
	FEED_REPEATED,            /* the same once more */
	FEED_SUPPRESSED,          /* by a warninglist */
	FEED_TOO_BROAD,           /* public suffix, /8, own domains ... */
	FEED_TOO_MANY,            /* limits: unkeyed patterns, same key */
	FEED_DEFANGED,            /* defanged and `refang` is off */
	FEED_REASONS
};

const char *feed_reason_name(enum feed_reason reason); /* "bad-value" */
const char *feed_reason_text(enum feed_reason reason); /* a sentence */

/* What a feed can meet: settings of limits { }, but for the first, which is
 * one of the feed. What is beyond is counted and costs no other feed. */
enum feed_limit {
	FEED_LIMIT_MAX_INDICATORS,
	FEED_LIMIT_INDICATORS,
	FEED_LIMIT_PER_VALUE,
	FEED_LIMIT_UNKEYED_PATTERNS,
	FEED_LIMIT_YARA_RULES,
	FEED_LIMIT_SUPPRESSED, /* costs no indicator, but its line */
	FEED_LIMIT_REVOKED,    /* the same, once its feed says nothing of it */
	FEED_LIMIT_LINE,
	FEED_LIMIT_COLUMNS, /* costs the cells beyond */
	FEED_LIMIT_OBJECT,
	FEED_LIMIT_DEPTH,
	FEED_LIMIT_PATTERN,
	FEED_LIMIT_PATTERN_TERMS,
	FEED_LIMIT_FILES,
	FEED_LIMITS
};

/* The setting's name, "feed-line". */
const char *feed_limit_name(enum feed_limit limit);

/* One published indicator on its way into the store. Slices live until the
 * sink returns. */
struct feed_item {
	enum indicator_kind kind;
	struct slice value; /* as published */
	struct slice id;
	struct slice tags; /* joined by '\n' */
	struct slice description;
	unsigned roles; /* enum indicator_role bits */
	enum indicator_severity severity;
	uint8_t confidence; /* or INDICATOR_CONFIDENCE_ABSENT */
	enum indicator_tlp tlp;
	bool to_ids; /* true where the form does not know it */
	bool revoked;
	bool mask;       /* local.indicators: hides value in all feeds */
	bool forced;     /* local.indicators: added against a warning */
	bool ordered;    /* `modified` decides among versions of an id */
	bool not_before; /* acts from first_seen on only */
	int64_t first_seen_unix; /* 0: unknown */
	int64_t last_seen_unix;
	int64_t valid_until_unix; /* 0: for ever */
	int64_t modified_unix;
	uint32_t modified_ns; /* its part of a second */
	/* What orders versions where that is later: the time of the event or
	 * object around it. 0: `modified` alone. */
	int64_t version_unix;
	/* A compound pattern stands at several keys: its compiled form, the
	 * value of the comparison that makes this key, and whether the item
	 * before had the same program. Empty: `value` decides. */
	struct slice program;
	struct slice atom;
	bool shared;
};

/* Takes items and rejected things. `what` names the thing for the operator: a
 * value, an id, a line. */
struct feed_sink {
	void *context;
	enum feed_reason (*item)(void *context, const struct feed_item *item);
	void (*rejected)(void *context, enum feed_reason reason,
	    struct slice what, const char *detail);
	/* A version of an id that is of no use here, before it is rejected:
	 * the ones before it are out all the same. May be NULL. */
	void (*unused)(void *context, const struct feed_item *item);
};

struct feed_limits {
	/* Folder for a copy, without a name, of a large JSON file; NULL: such
	 * a file goes to memory. */
	const char *spool_folder;
	uint64_t large_file_bytes; /* from here a file is not read into memory
				     * but through a window, or spooled: 8 MB */
	size_t window_bytes;       /* 4 MB; a row may have a quarter of it */
	/* Each is a setting: enum feed_limit. */
	size_t line_bytes_max;      /* of a list or CSV: 64 kB */
	unsigned columns_max;       /* of a CSV: 64 */
	size_t object_bytes_max;    /* one JSON object: 16 MB */
	unsigned json_depth_max;    /* 64 */
	unsigned pattern_bytes_max; /* 64 kB */
	unsigned pattern_atoms_max; /* 4096 */
	unsigned files_max;         /* of a folder: 100000 */
};

struct feed_limits feed_limits_defaults(void);

/* A word in the place of a type that is none we know, and how often. */
struct feed_unknown_type {
	const char *word;
	uint64_t count;
};

/* What reading a feed came to. */
struct feed_report {
	enum feed_format format; /* as found */
	uint64_t read;           /* indicators seen */
	uint64_t used;
	uint64_t reasons[FEED_REASONS];
	uint64_t limits[FEED_LIMITS]; /* what was beyond each */
	uint64_t bytes;         /* read; while a large file is read, so far */
	int64_t published_unix; /* newest modification time of a file */
	/* Of CSV and JSON: the first few words for types that are not known, and
	 * how many values had one. */
	LIST_OF(struct feed_unknown_type) unknown_types;
	uint64_t unknown_count;
	/* Of CSV: the first few headings that say nothing to us, above cells that
	 * look like indicators. */
	LIST_OF(const char *) unread_columns;
	unsigned files, files_failed;
	/* Of a folder: what was not read or could not be used, "NAME why", at
	 * most 200; and how many things were not even tried. */
	LIST_OF(const char *) left_out;
	size_t left_out_count;
	bool cut_off;        /* JSON, one file: it ends in the middle */
	const char *problem; /* why nothing could be read, or NULL; arena */
};

/* Reads config->source, a file or folder, to its end and feeds `sink`. TC_OK
 * also when single things were bad; TC_INVALID when the source is of no known
 * form or useless as a whole (report_out->problem says why and what to do);
 * TC_SYSTEM when it cannot be read; TC_LIMIT when it is larger than allowed.
 * Memory for one object at a time comes from the heap; `arena` takes the
 * texts of the report. */
enum tc_status feed_read(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits, const struct feed_sink *sink,
    struct feed_report *report_out);

/* Looks at the first octets of a file of lines (a list, CSV) as feed_read()
 * would read them. Why it is of no use, such as a form that is not read or a
 * heading without a column that `columns` names, or NULL. */
const char *feed_look(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits);

/* How many octets feed_read() would read, for the progress; 0: not known. */
uint64_t feed_source_bytes(
    const struct feed_config *config, const struct feed_limits *limits);

/* The same from bytes in memory (tests, fuzzing). */
enum tc_status feed_read_bytes(struct arena *arena,
    const struct feed_config *config, const struct feed_limits *limits,
    struct slice bytes, const struct feed_sink *sink,
    struct feed_report *report_out);

#endif
