/*
 * signature - the signature fields of DKIM and ARC: read, judge, hash
 *
 * DKIM-Signature (RFC 6376, 3.5), ARC-Message-Signature and ARC-Seal
 * (RFC 8617, 4.1) share their tags, their rules and the way headers are
 * hashed; this is that part. Reading never fails for the mail's sake: what is
 * wrong becomes a fault.
 */
#ifndef TOCSIN_AUTH_SIGNATURE_H
#define TOCSIN_AUTH_SIGNATURE_H

#include "auth/canonical.h"
#include "auth/signing_key.h"
#include "base/list.h"
#include "base/table.h"

#define SIGNATURE_HEADERS_MAX 1000 /* names in h= */

/* ------------------------------------------------- the fields of a message */

struct signed_field {
	struct slice name;  /* as given, without white space at its end */
	struct slice value; /* folds as CRLF */
	size_t above; /* the next field of that name upwards, or SIZE_MAX */
};

/* All header fields of a message, copied, findable by name from below. */
struct signed_headers {
	struct arena *arena;
	LIST_OF(struct signed_field) fields;
	struct table groups; /* folded name -> struct signed_group */
	unsigned pass; /* counts selections, so that none needs clearing */
};

struct signed_headers signed_headers_make(struct arena *arena);

/* Adds a field in the order of the message; TC_LIMIT: arena. */
enum tc_status signed_headers_add(
    struct signed_headers *headers, struct slice name, struct slice value);

/* --------------------------------------------------------- one signature */

enum signature_kind {
	SIGNATURE_DKIM,
	SIGNATURE_ARC_MESSAGE,
	SIGNATURE_ARC_SEAL
};

enum signature_fault {
	SIGNATURE_SOUND,
	SIGNATURE_UNREADABLE, /* no tag list, or a tag's value is none */
	SIGNATURE_INVALID,    /* readable, but the standard forbids it */
	SIGNATURE_REFUSED,    /* an algorithm that must not count (RFC 8301) */
	SIGNATURE_EXPIRED     /* x= has passed */
};

struct signature {
	enum signature_kind kind;
	enum signature_fault fault;
	const char *reason; /* constant words where not sound */
	struct slice name;  /* of the field, as it stands in the message */
	struct slice value; /* folds as CRLF */
	size_t field;       /* index in signed_headers */
	size_t cut_start;   /* what b= holds, in the value */
	size_t cut_end;
	struct slice domain;    /* d=, canonical */
	struct slice selector;  /* s=, canonical */
	struct slice identity;  /* i= of DKIM, as written; empty: none */
	struct slice algorithm; /* a= */
	struct slice encoded;   /* b= without white space */
	struct slice octets;    /* b= decoded */
	struct slice body_hash; /* bh= decoded; 32 octets in a sound one */
	struct slice headers;   /* h= as written */
	struct slice chain;     /* cv= of a seal */
	unsigned instance;      /* i= of ARC; 0: none that counts */
	enum signing_key_type key_type;
	bool has_forms; /* c= is there */
	enum canonical_form header_form;
	enum canonical_form body_form;
	bool has_length;
	uint64_t length; /* l= */
	uint64_t signed_unix;
	uint64_t expires_unix;
	bool signs_signatures; /* h= names DKIM-Signature */
};

/* Reads and judges the field at index `field`. TC_LIMIT: arena. */
enum tc_status signature_read(const struct signed_headers *headers,
    size_t field, enum signature_kind kind, uint64_t now_unix,
    unsigned clock_skew_seconds, struct signature *signature_out);

/* What the key's record has against this signature; NULL: nothing. Sets
 * *refused_out where it is the size (RFC 8301). */
const char *signature_key_objection(const struct signature *signature,
    const struct signing_key *key, unsigned bits_min, unsigned bits_max,
    bool *refused_out);

/* Hashes the fields that h= selects, from below (RFC 6376, 5.4.2), and the
 * field itself without its b=. The hash is begun. */
void signature_hash_headers(struct signed_headers *headers,
    const struct signature *signature, struct canonical_hash *hash);

#endif
