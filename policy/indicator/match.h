/*
 * match - which indicators a message carries
 *
 * Reads:    what was observed in a message, the store, the overlay of
 *           hand-added indicators, the feeds' settings, the time
 * Produces: hits, each with all that was published and where it stood
 *
 * The caller gives raw values; what follows from them is found here: the host
 * of a URL and the domains above it, the domain of an address, host and path
 * prefixes of a URL, the networks around an IP address. One matcher serves
 * all threads: it never changes, takes no lock and allocates in the message's
 * arena only.
 *
 * Expiry, minimum confidence, severity and status are settled here, with the
 * settings and the time at hand, so a changed setting needs no new build.
 */
#ifndef TOCSIN_INDICATOR_MATCH_H
#define TOCSIN_INDICATOR_MATCH_H

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"
#include "indicator/feed.h"
#include "indicator/kind.h"
#include "indicator/overlay.h"
#include "indicator/store.h"

/* Where in the message something stood. */
enum match_where {
	MATCH_CLIENT, /* connecting address; the value is an IP address */
	MATCH_CLIENT_NAME,
	MATCH_RECEIVED, /* a hop at the trusted edge */
	MATCH_HELO,
	MATCH_MAIL_FROM,
	MATCH_RCPT,
	MATCH_FROM,
	MATCH_SENDER,
	MATCH_REPLY_TO,
	MATCH_TO,
	MATCH_CC,
	MATCH_HEADER, /* another header field */
	MATCH_DISPLAY_NAME,
	MATCH_SUBJECT,
	MATCH_MAILER,
	MATCH_MESSAGE_ID,
	MATCH_DKIM,       /* d= of a signature */
	MATCH_TEXT,       /* body text, HTML text, calendar */
	MATCH_LINK,       /* an attribute of HTML that is followed */
	MATCH_ATTACHMENT, /* name or content of a part */
	MATCH_ARCHIVE,    /* name or content of an archive's member */
	MATCH_WHERES
};

/* "client", "helo", "mail-from", "rcpt", "from", ..., "archive". */
const char *match_where_name(enum match_where where);
bool match_where_parse(struct slice name, enum match_where *where_out);

struct match_observation {
	/* ADDRESS, DOMAIN (a bare host), URL, NETWORK (an IP address), a
	 * digest, FILENAME, SUBJECT, MAILER or MESSAGE_ID. */
	enum indicator_kind kind;
	enum match_where where;
	struct slice value; /* as observed; digests raw or in hex */
	/* Index of the part or archive member it belongs to, -1: none.
	 * Of a header: the part that is a message, -1 the outermost.
	 * Comparisons of a STIX pattern on one file, or one message, meet the
	 * observations of one index. */
	int part;
	bool defanged; /* stood there as hxxp://, [.], ... */
	/* Of MATCH_HEADER: the field's name, lower case and constant; NULL
	 * elsewhere. */
	const char *field;
};

struct match_observations {
	LIST_OF(struct match_observation) items;
	/* What was looked for, also where nothing was found; the rest is
	 * unknown to STIX patterns. 0 = all kinds. */
	uint32_t kinds_known;
};

struct match_hit {
	enum indicator_kind kind; /* of the indicator; PATTERN for compounds */
	struct slice value;       /* as published */
	struct slice feed, id;
	enum indicator_severity severity; /* never absent */
	uint8_t confidence;               /* 0-100 */
	enum indicator_strength strength;
	enum indicator_tlp tlp; /* the feed's where not published */
	struct slice tags;      /* joined by '\n'; match_next_tag() */
	struct slice description;
	int64_t first_seen_unix;  /* 0: unknown */
	int64_t valid_until_unix; /* 0: for ever; `expire` counted in */
	enum match_where where;
	struct slice observed; /* the observation's value; digests in hex */
	int part;
	const char *field; /* of MATCH_HEADER; NULL elsewhere */
	bool partial;      /* a pattern of which not all could be seen */
	bool defanged;
	bool local;      /* added by hand */
	bool not_before; /* acts from first_seen_unix on only */
};

/* Takes the next tag off the front of *tags. */
bool match_next_tag(struct slice *tags, struct slice *tag_out);

struct match_limits {
	size_t hits_max;          /* 1000 */
	size_t observations_max;  /* 20000 */
	size_t pattern_steps_max; /* comparisons in patterns: 2 million */
};

struct match_limits match_limits_defaults(void);

struct match_hits {
	LIST_OF(struct match_hit) items;
	bool incomplete; /* a limit was reached */
};

struct matcher;

/* Binds a store (may be NULL), an overlay (may be NULL) and the feeds'
 * settings; all must outlive the matcher, the configs included. With
 * feeds == NULL the settings with which the store was built hold. Entries of
 * feeds that are no longer configured do not match. NULL without memory. */
struct matcher *matcher_new(const struct store *store,
    const struct overlay *overlay, const struct feed_config *feeds,
    size_t feed_count);
void matcher_free(struct matcher **matcher);

/* The warninglist for which an entry of the overlay does not act, as the last
 * build found, or NULL. The key is put together in the arena. */
const struct slice *matcher_local_list(const struct matcher *matcher,
    const struct store_entry *entry, struct arena *arena);

/* Which kinds of observations can hit at all, as INDICATOR_KIND_BITs: what
 * need not be computed (digests!) is not asked for. */
uint32_t matcher_needs(const struct matcher *matcher);

/* How old the content of a feed is, in seconds: the fact `feed["NAME"].age`.
 * It counts from store_feed_content_unix(), so it grows while a feed cannot be
 * read, is empty or shrinks, and starts anew with its next good content; a
 * time that lies ahead is age 0. False when the feed is unknown or nothing of
 * it has ever been read; *age_s_out is then left alone. */
bool matcher_feed_age(const struct matcher *matcher, struct slice name,
    int64_t now_unix, uint64_t *age_s_out);

/* Finds all hits of what acts at `now_unix`; 0: whatever its age, also what
 * has expired or is not yet valid. TC_LIMIT when the arena was full or a limit reached;
 * hits_out then holds what was found and says incomplete. */
enum tc_status match_run(const struct matcher *matcher,
    const struct match_observations *observations,
    const struct match_limits *limits, int64_t now_unix, struct arena *arena,
    struct match_hits *hits_out);

/* What the match would say about one value typed by an operator. */
enum match_reason {
	MATCH_ACTS,
	MATCH_EXPIRED,
	MATCH_NOT_YET, /* valid from hit.first_seen_unix on */
	MATCH_LOW_CONFIDENCE,
	MATCH_ROLE,      /* counts elsewhere only: of clients, client-ip off */
	MATCH_MASKED,    /* taken out by hand */
	MATCH_FEED_GONE, /* feed no longer configured */
	MATCH_KIND_OFF,
	MATCH_TO_IDS_OFF,
	MATCH_SUPPRESSED, /* warninglist or too broad */
	MATCH_COMPOUND,   /* acts only with the rest of its pattern */
	MATCH_REVOKED     /* taken back by its publisher, see revoked_unix */
};

const char *match_reason_text(enum match_reason reason);

struct match_answer {
	/* `.where` has no meaning; severity ABSENT: taken out as it was read,
	 * only value, id and feed are known. */
	struct match_hit hit;
	enum match_reason reason;
	struct slice detail;  /* list's name, where it counts; may be empty */
	int64_t revoked_unix; /* 0: is not, or its publisher gave no date */
};

struct match_answers {
	LIST_OF(struct match_answer) items;
	bool incomplete;
	bool has_kind;
	enum indicator_kind kind; /* what the value was taken for */
};

/* Every indicator that would match `value`, acting or not, and the revoked ones
 * that had it. `kind_given` NULL: guessed from the value (and refanged first);
 * what looks like nothing may be an id. TC_INVALID when it is none either. */
enum tc_status match_query(const struct matcher *matcher,
    const enum indicator_kind *kind_given, struct slice value, int64_t now_unix,
    struct arena *arena, struct match_answers *answers_out);

#endif
