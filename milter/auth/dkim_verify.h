/*
 * dkim_verify - verify the DKIM signatures of one message
 *
 * Reads:    header fields and body chunks as the MTA gives them (folds as LF or
 *           CRLF, lines of the body with CRLF), keys through the message's
 *           lookups
 * Produces: a list of signatures, each with its result (RFC 8601, 2.7.1)
 *
 * Follows RFC 6376, 8301 (no rsa-sha1, no RSA key below 1024 bits) and 8463
 * (Ed25519). Stricter where the standard lets a verifier choose: a signature
 * needs v=1, a signed From, no tag twice, i= within d=. Text after l= is
 * reported, not judged here: such a signature passes and has
 * extended_after_length set, and DMARC does not count it.
 *
 * Life of one: new, header..., end_of_headers (asks for keys), body..., end
 * (again while TC_AGAIN), free. What the outcome points to lives in the arena
 * and outlasts the free; the engine's own memory does not live in the arena,
 * hence the free. Hostile input becomes a result; TC_LIMIT means that the
 * arena is full, TC_SYSTEM that the engine had no memory.
 *
 * Two engines stand behind this header: libopendkim, and our own on
 * auth/canonical.h and OpenSSL. Both see only what the common reader of
 * signatures let pass.
 */
#ifndef TOCSIN_AUTH_DKIM_VERIFY_H
#define TOCSIN_AUTH_DKIM_VERIFY_H

#include <stdint.h>

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"

struct lookups;
struct dkim_verify;

/* RFC 8601, 2.7.1. */
enum dkim_verify_result {
	DKIM_VERIFY_NONE,      /* the message is not signed */
	DKIM_VERIFY_PASS,      /* signed, verified, acceptable to us */
	DKIM_VERIFY_FAIL,      /* body hash or signature does not match */
	DKIM_VERIFY_POLICY,    /* refused by rule: rsa-sha1, key too small */
	DKIM_VERIFY_NEUTRAL,   /* could not be read, or beyond our count */
	DKIM_VERIFY_TEMPERROR, /* the key could not be had now */
	DKIM_VERIFY_PERMERROR /* no such key, unusable key, bad tags, expired */
};

enum dkim_verify_engine {
	DKIM_VERIFY_LIBOPENDKIM, /* the default */
	DKIM_VERIFY_NATIVE
};

struct dkim_verify_limits {
	unsigned signatures_max; /* verified; those beyond are "neutral" */
	unsigned key_bits_min;   /* RSA; never taken as below 1024 (RFC 8301) */
	unsigned key_bits_max;   /* RSA; bounds the cost of one verification */
	unsigned clock_skew_seconds; /* how far t= may lie ahead */
};

#define DKIM_VERIFY_LIMITS_DEFAULT                          \
	((struct dkim_verify_limits){ .signatures_max = 10, \
	    .key_bits_min = 1024,                           \
	    .key_bits_max = 8192,                           \
	    .clock_skew_seconds = 300 })

/* One DKIM-Signature field. Slices are empty where the tag was missing or not
 * readable; only `domain` is canonical (base/domain.h), the others are as the
 * sender wrote them, without folding white space. */
struct dkim_signature {
	enum dkim_verify_result result;
	struct slice domain;        /* d= */
	struct slice selector;      /* s= */
	struct slice identity;      /* i=, or "@" and d= where there is none */
	struct slice algorithm;     /* a= in lower case */
	struct slice value;         /* b=; its first 8 tell signatures apart */
	unsigned key_bits;          /* 0: no key was read */
	bool has_length;            /* l= is there */
	bool extended_after_length; /* the body goes on after l= */
	bool testing;          /* t=y in the key: the domain is only testing */
	uint64_t signed_unix;  /* t=; 0: none */
	uint64_t expires_unix; /* x=; 0: none */
	const char *reason;    /* constant words; NULL where it passed */
};

struct dkim_verify_outcome {
	/* pass if any passed, else temperror if any, else the first's; one that
	 * failed with a key in test mode is as if it were not there. */
	enum dkim_verify_result result;
	LIST_OF(struct dkim_signature) signatures; /* in order of the header */
	size_t signature_count; /* fields seen; may exceed signatures.count */
};

/* Starts a message. NULL when there is no memory (arena or engine). `now_unix`
 * decides about x= and t=. */
struct dkim_verify *dkim_verify_new(struct arena *arena,
    struct lookups *lookups, const struct dkim_verify_limits *limits,
    enum dkim_verify_engine engine, uint64_t now_unix);

/* One header field in the order of the message. The name and the value (all
 * after the colon) are copied. */
enum tc_status dkim_verify_header(
    struct dkim_verify *verify, struct slice name, struct slice value);

/* The headers are complete: reads the signatures and asks for their keys. */
enum tc_status dkim_verify_end_of_headers(struct dkim_verify *verify);

/* Some of the body; it is hashed at once and not kept. */
enum tc_status dkim_verify_body(struct dkim_verify *verify, struct slice chunk);

/* Ends the body and verifies. TC_AGAIN while keys are missing: call again when
 * lookups has news. *outcome_out is untouched unless TC_OK, and then belongs
 * to the arena. */
enum tc_status dkim_verify_end(
    struct dkim_verify *verify, const struct dkim_verify_outcome **outcome_out);

/* Frees what the engine holds; at any point, also before the end. */
void dkim_verify_free(struct dkim_verify **verify);

/* "pass", "permerror", ... as RFC 8601 writes them. */
const char *dkim_verify_result_name(enum dkim_verify_result result);

#endif
