/*
 * digest - MD5, SHA-1 and SHA-256 of parts, only those that somebody needs
 */
#ifndef TOCSIN_MESSAGE_DIGEST_H
#define TOCSIN_MESSAGE_DIGEST_H

#include "base/arena.h"

enum digest_kind {
	DIGEST_MD5 = 1u << 0,
	DIGEST_SHA1 = 1u << 1,
	DIGEST_SHA256 = 1u << 2
};

/* Digests in lower-case hexadecimal; those not asked for are empty. */
struct digests {
	struct slice md5;
	struct slice sha1;
	struct slice sha256;
};

/* Computes those of `kinds` over the bytes, into the arena. False at its
 * ceiling, or when the crypto library refuses (MD5 under FIPS): the digests
 * that could be made are set. */
bool digest_compute(struct arena *arena, struct slice bytes, unsigned kinds,
    struct digests *digests_out);

#endif
