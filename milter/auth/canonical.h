/*
 * canonical - the canonical forms of RFC 6376, 3.4, hashed as they are made
 *
 * Reads:    header fields (folds as CRLF) and body chunks
 * Produces: SHA-256 digests of their simple or relaxed form
 *
 * DKIM and ARC share it. The body is cut into chunks anywhere; what a chunk
 * leaves open (blank lines, white space, a CR at its end) is kept as counts,
 * never as bytes. Only CRLF ends a line; a bare CR or LF is data. Works by
 * lines and runs (memchr), octet by octet only where white space must shrink.
 */
#ifndef TOCSIN_AUTH_CANONICAL_H
#define TOCSIN_AUTH_CANONICAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

#define CANONICAL_DIGEST_SIZE 32 /* SHA-256, the only hash in use */

enum canonical_form {
	CANONICAL_SIMPLE,
	CANONICAL_RELAXED
};

/* A SHA-256 with a buffer before it. */
struct canonical_hash {
	void *context; /* EVP_MD_CTX */
	size_t used;
	char buffer[2048];
	bool failed; /* OpenSSL had no memory */
};

/* Prepares a hash; false when OpenSSL has no memory. */
bool canonical_hash_begin(struct canonical_hash *hash);

/* Begins anew with the same context. */
bool canonical_hash_restart(struct canonical_hash *hash);
void canonical_hash_add(struct canonical_hash *hash, struct slice bytes);

/* Makes `to` (begun before) go on from where `from` is now. */
bool canonical_hash_copy(
    struct canonical_hash *to, struct canonical_hash *from);

/* Stores the digest; false when the hash failed at some point. */
bool canonical_hash_end(struct canonical_hash *hash,
    unsigned char digest_out[CANONICAL_DIGEST_SIZE]);

/* Frees the context; harmless on a zeroed hash. */
void canonical_hash_free(struct canonical_hash *hash);

/* Adds one header field with its CRLF (RFC 6376, 3.4.1 and 3.4.2). The value
 * is all after the colon with folds as CRLF, without the final line break. */
void canonical_header(struct canonical_hash *hash, enum canonical_form form,
    struct slice name, struct slice value);

/* Adds a signature's own field: the octets from cut_start to cut_end of the
 * value (what b= holds) are left out, and there is no CRLF at the end
 * (RFC 6376, 3.7). */
void canonical_signature_header(struct canonical_hash *hash,
    enum canonical_form form, struct slice name, struct slice value,
    size_t cut_start, size_t cut_end);

/* Copies a value into the arena with every fold (LF, CRLF) as CRLF; a CR that
 * no LF follows stays. NULL data at the ceiling. */
struct slice canonical_folds(struct arena *arena, struct slice value);

/* One body in one form, with the limit of l=. */
struct canonical_body {
	struct canonical_hash hash;
	enum canonical_form form;
	uint64_t limit;       /* octets hashed; UINT64_MAX: all */
	uint64_t length;      /* octets of the canonical form so far */
	uint64_t blank_lines; /* CRLFs held back */
	bool carriage_return; /* the last chunk ended in CR */
	bool white_space;     /* relaxed: the line so far ends in it */
};

/* Prepares a zeroed body; false when OpenSSL has no memory. */
bool canonical_body_begin(
    struct canonical_body *body, enum canonical_form form, uint64_t limit);
void canonical_body_add(struct canonical_body *body, struct slice chunk);

/* Ends the body: adds the final CRLF where the form asks for one (RFC 6376,
 * 3.4.3 and 3.4.4). body->length is then the whole canonical length. */
bool canonical_body_end(struct canonical_body *body,
    unsigned char digest_out[CANONICAL_DIGEST_SIZE]);
void canonical_body_free(struct canonical_body *body);

#endif
