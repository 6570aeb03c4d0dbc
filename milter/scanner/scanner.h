/*
 * scanner - what third-party decoders find in a part, asked from outside
 *
 * libarchive, libmagic and libyara run in worker processes that can do nothing
 * but compute (jail.h). This is the side of the filter and of the tool: a pool
 * of such workers, and one question: what is in these bytes?
 *
 * Processes: scanner_zygote_start() forks the zygote while the caller is still
 * small. scanner_new() has it fork a template, which compiles the rules and
 * loads the magic database; workers are forked from that. A scanner belongs to
 * one policy generation; freeing it ends its template and workers.
 *
 * A worker that crashes, overruns its time or its memory costs the message
 * the fact `unscannable`, never the message: scanner_scan() returns TC_OK with
 * result->unscannable_reason set. Whatever a worker writes is checked before
 * it is believed.
 *
 * scanner_scan() may be called from any thread.
 */
#ifndef TOCSIN_SCANNER_SCANNER_H
#define TOCSIN_SCANNER_SCANNER_H

#include <stdatomic.h>
#include <stdint.h>

#include "base/diag.h"
#include "base/list.h"
#include "base/status.h"

/* What to compute, beside what the format itself shows. */
enum scanner_want {
	SCANNER_WANT_TYPE = 1 << 0,    /* libmagic's type of part and members */
	SCANNER_WANT_MEMBERS = 1 << 1, /* open archives */
	SCANNER_WANT_YARA = 1 << 2,
	SCANNER_WANT_MD5 = 1 << 3, /* digests of archive members */
	SCANNER_WANT_SHA1 = 1 << 4,
	SCANNER_WANT_SHA256 = 1 << 5,
	SCANNER_WANT_CONTENT = 1 << 6, /* text and mail members' bytes */
	SCANNER_WANT_URLS = 1 << 7,    /* URLs in the clear in PDF and others */
	SCANNER_WANT_SHA512 = 1 << 8
};

struct scanner_settings {
	unsigned workers_max;       /* processes; 0: one a core */
	unsigned scans_per_worker;  /* then it is replaced; default 500 */
	unsigned scan_time_ms;      /* wall time for one message; 1500 */
	size_t worker_memory_bytes; /* of a worker, beside its rules and the
				     * magic database; 256 MB */
	unsigned archive_depth;     /* nesting; 4 */
	uint64_t archive_bytes;     /* unpacked bytes per message; 100 MB */
	unsigned archive_ratio;     /* unpacked to packed; 200 */
	unsigned archive_entries;   /* members per message; 10000 */
	size_t content_bytes;       /* members' bytes handed back; 16 MB */
	size_t document_bytes;      /* of one stream in a document; 64 MB */
	unsigned document_objects;  /* streams of one document; 20000 */
	unsigned document_links;    /* links of one file; 2000 */
	unsigned mails;             /* mail in files of a message; 100 */
};

/* Rules of one name; source text only (never compiled rules, which are code).
 * `include` is off; modules that parse file formats are refused. */
struct scanner_ruleset {
	const char *name; /* what policies call it: yara("name") */
	const char *file; /* for messages */
	struct slice source;
};

/* What a message may still use; shared by all its parts. */
struct scanner_budget {
	uint64_t deadline_ms; /* monotonic clock */
	uint64_t bytes_left;
	unsigned entries_left;
};

struct scanner_input {
	struct slice content;
	struct slice name; /* decoded file name, may be empty */
	unsigned want;     /* enum scanner_want bits */
	unsigned depth;    /* of the part: 0, or that of a file in mail that
			    * was itself in an archive */
};

struct scanner_yara_hit {
	struct slice ruleset, rule;
	struct slice tags; /* blank-separated */
};

enum scanner_flag {
	SCANNER_ENCRYPTED = 1 << 0,
	SCANNER_MACROS = 1 << 1,
	SCANNER_UNSCANNABLE = 1 << 2,
	SCANNER_ARCHIVE = 1 << 3,
	SCANNER_NAMES_DIFFER = 1 << 4, /* local and central zip names */
	SCANNER_HAS_MD5 = 1 << 5,
	SCANNER_HAS_SHA1 = 1 << 6,
	SCANNER_HAS_SHA256 = 1 << 7,
	SCANNER_HAS_SHA512 = 1 << 8
};

/* Item 0 is the part itself, the others are archive members. */
struct scanner_item {
	unsigned parent; /* index of the archive it was in */
	unsigned depth;  /* input.depth for the part, more inside */
	unsigned flags;  /* enum scanner_flag bits */
	uint64_t size_bytes;
	struct slice name;
	struct slice other_name; /* a second name (zip's local header) */
	struct slice type;       /* libmagic's MIME type */
	struct slice reason;     /* why it is unscannable */
	struct slice content;    /* empty unless asked for, text or mail */
	uint8_t md5[16], sha1[20], sha256[32], sha512[64];
	LIST_OF(struct slice) urls;
	LIST_OF(struct scanner_yara_hit) yara_hits;
};

struct scanner_result {
	LIST_OF(struct scanner_item) items;
	struct slice unscannable_reason; /* the whole part; empty: scanned */
};

/* Counters of the process, for `tocsin status` and metrics. */
struct scanner_counters {
	atomic_ulong scans, worker_starts, worker_deaths, timeouts;
	atomic_ulong template_starts; /* after one ended unasked */
};

extern struct scanner_counters scanner_counters;

struct scanner;

struct scanner_settings scanner_settings_default(void);

/* Forks the zygote and returns the descriptor by which it is asked, or -1
 * with errno. Close it to end the zygote. Call while the process has one
 * thread and nothing big mapped; a filter forked later may use it. */
int scanner_zygote_start(void);

/* Makes a pool for these rules. TC_INVALID when a rule does not compile: the
 * errors are in diag and the caller keeps its old scanner. */
enum tc_status scanner_new(int zygote, const struct scanner_settings *settings,
    const struct scanner_ruleset *rulesets, size_t ruleset_count,
    struct diag *diag, struct scanner **scanner_out);

/* Ends template and workers once no scan is under way; accepts NULL inside. */
void scanner_free(struct scanner **scanner);

/* What it was made with. */
const struct scanner_settings *scanner_settings_of(
    const struct scanner *scanner);

struct scanner_budget scanner_budget_start(const struct scanner *scanner);

/* Looks into input->content, waiting for a worker and its answer until the
 * budget's deadline at most. The result lives in the arena. TC_LIMIT when
 * the arena is full. */
enum tc_status scanner_scan(struct scanner *scanner, struct arena *arena,
    struct scanner_budget *budget, const struct scanner_input *input,
    struct scanner_result *result_out);

#endif
