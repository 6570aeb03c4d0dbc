/*
 * digest - MD5, SHA-1, SHA-256 and SHA-512 of parts, only those that somebody needs
 */
#ifndef TOCSIN_MESSAGE_DIGEST_H
#define TOCSIN_MESSAGE_DIGEST_H

#include "base/arena.h"

enum digest_kind {
	DIGEST_MD5 = 1u << 0,
	DIGEST_SHA1 = 1u << 1,
	DIGEST_SHA256 = 1u << 2,
	DIGEST_SHA512 = 1u << 3
};

/* Digests in lower-case hexadecimal; those not asked for are empty. */
struct digests {
	struct slice md5;
	struct slice sha1;
	struct slice sha256;
	struct slice sha512;
};

/* Computes those of `kinds` over the bytes, into the arena. False at its
 * ceiling, or when the crypto library refuses (MD5 under FIPS): the digests
 * that could be made are set. */
bool digest_compute(struct arena *arena, struct slice bytes, unsigned kinds,
    struct digests *digests_out);

/* Digests of bytes that come piece by piece. */
struct digest_run;

/* Makes a run in the arena, or NULL; it may be begun any number of times. */
struct digest_run *digest_run_new(struct arena *arena);

/* Begins digests of `kinds`; false when a kind can't be had. */
bool digest_run_begin(struct digest_run *run, unsigned kinds);

void digest_run_add(struct digest_run *run, struct slice bytes);

/* As digest_compute() over all that was added since the beginning. */
bool digest_run_end(
    struct arena *arena, struct digest_run *run, struct digests *digests_out);

#endif
