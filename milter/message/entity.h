/*
 * entity - one part while it is read, and what later readings need of it
 *
 * Shared by the pass that reads bytes as they come (push.h) and by the one
 * that reads some parts otherwise at the end (vary.h).
 */
#ifndef TOCSIN_MESSAGE_ENTITY_H
#define TOCSIN_MESSAGE_ENTITY_H

#include "message/declare.h"
#include "message/leaf.h"

/* Where an entity stands, and how its reader comes to it. */
struct entity_origin {
	size_t parent; /* part, or MIME_NO_PART */
	unsigned depth;
	size_t reading_of;
	const char *reading; /* of itself or of an ancestor */
	bool digest_child;   /* default type message/rfc822 (RFC 2046, 5.1.5) */
	bool whole;          /* the message: headers come from the source */
	bool cr_ends_lines;  /* header block read so */
	size_t enclosing;    /* entity of the multipart around it in the same
			      * bytes, or SIZE_MAX */
	size_t headers_end;  /* SIZE_MAX, or: the body begins here */
};

/* Text before the first or after a close delimiter. */
struct entity_outside {
	size_t from, to;
	bool preamble;
	struct slice text; /* once the entity is sealed */
};

struct entity {
	struct entity_origin origin;
	size_t part; /* index of its part */
	struct declaration declaration;
	/* offsets in the bytes that its pass reads */
	size_t start, body_start, body_end;
	/* the same as slices, once those bytes stay where they are */
	bool sealed;
	struct slice block, body;
	unsigned header_oddities;
	bool headers_ended;    /* the empty line was there */
	size_t first_odd_line; /* offset in the block, or SIZE_MAX */
	size_t readings_left;
	/* of a multipart, as its first boundary splits it */
	size_t pieces;
	bool closed;
	bool has_odd_line;     /* one that only loose readers take for a */
	size_t odd_at;         /* delimiter: the first, from "--" on */
	struct slice odd_line; /* once sealed */
	LIST_OF(struct entity_outside) outside;
	/* of a leaf */
	bool is_leaf;
	bool as_is;             /* its content is its body */
	bool blank_line;        /* an empty line inside its base64 */
	size_t loose_bytes;     /* at its end, of a quantum that is cut */
	mime_defect_set octets; /* what was odd about its encoding */
};

/* What the passes over one message share. */
struct entity_work {
	struct arena *arena;
	const struct message_limits *limits;
	const struct header_list *headers; /* of the message */
	unsigned digest_kinds;
	struct mime_parts *parts;
	LIST_OF(struct entity) entities;
	LIST_OF(struct digest_run *) spare_runs;
	size_t parts_waiting; /* that other readings are going to make */
	size_t extra_left;    /* bytes that other readings may still cost */
	size_t search_left;   /* and the search for what they would read */
	size_t decoded_left;
};

struct mime_part *entity_part(
    const struct entity_work *work, const struct entity *entity);

void entity_note(const struct entity_work *work, const struct entity *entity,
    mime_defect_set defects);

/* Takes `bytes` off what other readings may cost; false when used up. */
bool entity_take_extra(
    struct entity_work *work, struct entity *entity, size_t bytes);

/* Adds an entity and its part. NULL at the arena's ceiling. */
struct entity *entity_begin(
    struct entity_work *work, const struct entity_origin *origin);

/* Whether another part may be added. */
bool entity_has_room(const struct entity_work *work);

/* Reads the header fields at the front of `block`, up to the empty line or
 * its end, and what they declare. Returns where the body begins. Unless
 * `stable`, what is kept is copied. */
size_t entity_read_headers(struct entity_work *work, struct entity *entity,
    struct slice block, bool stable);

/* Puts decoded bytes and their digests into a part. */
void entity_fill(struct entity_work *work, struct mime_part *part,
    const struct leaf_reading *reading);

/* Counts `size` as the part's decoded size. False, and noted, when that is more
 * than the limit leaves. */
bool entity_take_decoded(
    struct entity_work *work, struct mime_part *part, size_t size);

/* Adds the name that uuencode, yEnc or BinHex give a file themselves. */
void entity_add_name(struct entity_work *work, struct mime_part *part,
    const struct leaf_reading *reading);

void entity_decide_attachment(struct mime_part *part);

/* A part of its own for another reading of a leaf. */
void entity_add_reading(struct entity_work *work, const struct entity *entity,
    const struct leaf_reading *reading);

/* Adds the files that stand inside a text: uuencoded, any number; yEnc, one. */
void entity_add_inner_files(
    struct entity_work *work, const struct entity *entity, struct slice text);

bool entity_is_message_type(struct slice type);

#endif
