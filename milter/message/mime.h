/*
 * mime - the parts of a message, however its sender twisted them
 *
 * Reads:    header fields, then a body as it comes, cut anywhere
 * Produces: a flat list of parts, each with its decoded content
 *
 * The usual reading is made while the body arrives (push.h): decoding and the
 * digests that somebody needs keep pace with the transfer. The others are a
 * second pass at the end, over the parts concerned alone (vary.h).
 *
 * Where readers in the wild disagree (which of two headers counts, where a
 * quoted boundary ends, whether decoding goes on after padding), the part is
 * read in the most usual way, and each other plausible way adds parts of its
 * own with `reading` set: one declaration is varied at a time, never a
 * product. At most limits.readings per part, and all extra readings together
 * at most twice the message's bytes (64 KiB in a small one); beyond:
 * MIME_DEFECT_TOO_MANY_READINGS.
 *
 * Nesting has a limit. What a limit cuts off is an opaque leaf (`opaque`), its
 * raw bytes searched as they are, and a defect. The result does not depend on
 * how the body was cut.
 */
#ifndef TOCSIN_MESSAGE_MIME_H
#define TOCSIN_MESSAGE_MIME_H

#include "base/list.h"
#include "base/mime_defect.h"
#include "base/status.h"
#include "message/digest.h"
#include "message/header.h"
#include "message/param.h"
#include "message/transfer.h"

#define MIME_NO_PART SIZE_MAX

struct message_limits {
	size_t headers;       /* fields of the message and of each part */
	size_t header_bytes;  /* of them together */
	size_t params;        /* parameters of one header */
	size_t depth;         /* nested multiparts and messages */
	size_t parts;         /* of one message, readings included */
	size_t readings;      /* extra ones per part */
	size_t body_bytes;    /* raw bytes that are kept and read */
	size_t decoded_bytes; /* of all parts together */
	size_t text_bytes;    /* of body text, after decoding */
	size_t html_bytes;    /* of HTML that are read, of each part */
	size_t html_inner;    /* documents in each HTML document */
	size_t html_depth;    /* of these in each other */
	size_t html_files;    /* that its links carry */
	size_t urls;
	size_t addresses; /* per address header */
};

/* 2,000 headers, 1 MB of them, 100 parameters, depth 30, 1,000 parts,
 * 4 readings, 50 MB raw, 100 MB decoded, 1 MiB text, 4 MiB HTML with 1,000
 * documents and 100 files inside, 4 deep, 5,000 URLs, 1,000 addresses. */
extern const struct message_limits message_limits_default;

struct mime_name {
	struct slice name; /* UTF-8, decoded, as a reader would show it */
	const char *how;   /* which reading (param.h) */
};

struct mime_part {
	size_t index;
	size_t parent;       /* index, or MIME_NO_PART */
	unsigned depth;      /* 0: the message itself */
	size_t reading_of;   /* index of the part of which this is another
			      * reading, or MIME_NO_PART: the usual one */
	const char *reading; /* constant name of this reading ("last-type",
			      * "base64-stop", ...), NULL: the usual one */
	struct header_list headers; /* of a part; empty for the message */
	struct slice type;          /* "text/plain": lower case; never empty */
	struct slice charset;       /* as declared, may be empty */
	bool flowed;                /* format=flowed; delsp=yes */
	struct slice external;      /* of message/external-body: URL, address */
	struct slice disposition;   /* "attachment", "inline", ""; lower case */
	LIST_OF(struct mime_name) names; /* distinct, the usual first */
	enum transfer_encoding encoding;
	struct slice raw;       /* body as it came, still encoded */
	struct slice content;   /* decoded; in the arena or a slice of raw */
	bool content_kept;      /* false: decoded_bytes was used up, or nobody
			       * asked; size and digests stand all the same */
	size_t size;            /* of the decoded content, bytes */
	struct digests digests; /* those that were asked for */
	mime_defect_set defects;
	bool is_container;  /* multipart or message: has children */
	bool is_text;       /* text/...: `text` is its content as UTF-8 */
	bool is_attachment; /* has a name, says so, or is not shown inline */
	bool opaque;        /* a limit ended the reading here */
	struct slice text;  /* UTF-8; HTML: what is shown */
};

struct mime_parts {
	struct mime_part *items;
	size_t count;
	size_t capacity;
};

/* What the reading of one message begins with. */
struct mime_source {
	const struct header_list *headers; /* of the message */
	unsigned digest_kinds;             /* enum digest_kind bits */
	const struct message_limits *limits;
	bool stable; /* the body never moves while it is read */
};

struct mime_reader;

/* Begins to read a body into *parts: first the message itself, each part
 * before its children. NULL at the arena's ceiling. */
struct mime_reader *mime_begin(struct arena *arena,
    const struct mime_source *source, struct mime_parts *parts);

/* Reads on. `body` is all of the raw body that came until now; it may have
 * moved since the last call. Returns the index of the first part that is not
 * complete, containers aside: content of parts before it can be looked at
 * until the body moves. */
size_t mime_feed(struct mime_reader *reader, struct slice body);

/* Reads the rest and the other readings, which come behind all usual ones.
 * `body` is all of it and outlives the parts. *defects collects those of all
 * parts. TC_LIMIT at the arena's ceiling: what was read until then stands. */
enum tc_status mime_end(
    struct mime_reader *reader, struct slice body, mime_defect_set *defects);

#endif
