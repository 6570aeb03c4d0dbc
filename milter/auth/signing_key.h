/*
 * signing_key - public keys from the DNS (RFC 6376, 3.6; RFC 8463)
 *
 * Reads:    the TXT records of SELECTOR._domainkey.DOMAIN through lookups
 * Produces: a key that verifies, or why there is none
 *
 * Parsing a public key costs more than verifying with it, so parsed keys are
 * kept process-wide by their octets: bounded, in shards with a lock each.
 */
#ifndef TOCSIN_AUTH_SIGNING_KEY_H
#define TOCSIN_AUTH_SIGNING_KEY_H

#include "auth/canonical.h"
#include "base/arena.h"
#include "base/status.h"

struct lookups;

#define SIGNING_KEY_RECORD_MAX 8192 /* octets of a key record */

enum signing_key_type {
	SIGNING_KEY_RSA,
	SIGNING_KEY_ED25519
};

enum signing_key_state {
	SIGNING_KEY_USABLE,
	SIGNING_KEY_MISSING,  /* no such name, no TXT record */
	SIGNING_KEY_REVOKED,  /* empty p= */
	SIGNING_KEY_UNUSABLE, /* not readable, other type, not for mail */
	SIGNING_KEY_TEMPERROR /* the DNS gave no answer */
};

struct signing_key {
	enum signing_key_state state;
	const char *reason; /* constant words where not usable */
	enum signing_key_type type;
	unsigned bits;
	bool testing;         /* t=y */
	bool own_domain;      /* t=s: i= must be in d= itself */
	bool sha256_allowed;  /* h= is absent or holds sha256 */
	struct slice encoded; /* p= without white space */
	void *pkey;           /* EVP_PKEY; a reference of the caller's */
};

/* Asks for the key of selector and domain, both canonical; never waits. */
void signing_key_ask(struct lookups *lookups, struct arena *arena,
    struct slice selector, struct slice domain);

/* The same and reads the answer: TC_AGAIN while there is none; TC_OK with
 * key_out->state set; TC_LIMIT when the arena is full. Release the key. */
enum tc_status signing_key_get(struct lookups *lookups, struct arena *arena,
    struct slice selector, struct slice domain, struct signing_key *key_out);

/* Reads one key record; state and reason tell. TC_LIMIT: arena. */
enum tc_status signing_key_read(
    struct arena *arena, struct slice record, struct signing_key *key_out);

/* Gives the reference back; harmless on a zeroed key, and twice. */
void signing_key_release(struct signing_key *key);

/* True when `signature` over the SHA-256 digest verifies: RSA with PKCS #1
 * v1.5 padding, Ed25519 over the digest's octets (RFC 8463, 3). */
bool signing_key_verify(const struct signing_key *key,
    const unsigned char digest[CANONICAL_DIGEST_SIZE], struct slice signature);

/* Decodes base64 without white space; the final padding may lack. NULL data
 * when it is none, or at the ceiling. */
struct slice signing_key_base64(struct arena *arena, struct slice encoded);

/* The key as SubjectPublicKeyInfo in base64, for libopendkim (Ed25519: the
 * raw key); NULL at the ceiling. */
const char *signing_key_encode(
    struct arena *arena, const struct signing_key *key);

#endif
