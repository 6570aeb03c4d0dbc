/*
 * arc - verify the Authenticated Received Chain of one message (RFC 8617)
 *
 * Reads:    header fields and body chunks as the MTA gives them, keys through
 *           the message's lookups
 * Produces: the chain's result, who sealed it last, what that sealer found
 *
 * Verify only; nothing is sealed. A pass says that the chain is whole, not
 * that its sealers tell the truth: `sealer` must be on the operator's list
 * before `authentication_results` may be believed.
 *
 * Life of one: new, header..., end_of_headers (asks for keys), body..., end
 * (again while TC_AGAIN), free. The outcome lives in the arena.
 */
#ifndef TOCSIN_AUTH_ARC_H
#define TOCSIN_AUTH_ARC_H

#include <stdint.h>

#include "base/arena.h"
#include "base/status.h"

struct lookups;
struct arc_verify;

/* RFC 8617, 4.4 and 5.2; temperror is ours: a key could not be had now. */
enum arc_result {
	ARC_NONE,
	ARC_PASS,
	ARC_FAIL,
	ARC_TEMPERROR
};

struct arc_limits {
	unsigned instances_max; /* RFC 8617, 4.2.1: 50 */
	unsigned key_bits_min;
	unsigned key_bits_max;
};

#define ARC_LIMITS_DEFAULT    \
	((struct arc_limits){ \
	    .instances_max = 50, .key_bits_min = 1024, .key_bits_max = 8192 })

struct arc_outcome {
	enum arc_result result;
	unsigned instances;  /* ARC sets; the highest i= of the chain */
	struct slice sealer; /* d= of the newest seal, canonical; empty: none */
	/* d= of each seal by instance (index 0 is i=1), canonical; NULL where
	 * the chain has no proper form. */
	const struct slice *sealers;
	/* RFC 8617, 5.2: the lowest instance whose message signature still
	 * verifies, 0 where all do. Known only for a chain that passed. */
	unsigned oldest_pass;
	/* The newest ARC-Authentication-Results without its i= tag, as an
	 * Authentication-Results value; empty unless the chain passed. */
	struct slice authentication_results;
	const char *reason; /* constant words; NULL where none or passed */
};

/* Starts a message; NULL when there is no memory. */
struct arc_verify *arc_verify_new(struct arena *arena, struct lookups *lookups,
    const struct arc_limits *limits, uint64_t now_unix);

enum tc_status arc_verify_header(
    struct arc_verify *verify, struct slice name, struct slice value);
enum tc_status arc_verify_end_of_headers(struct arc_verify *verify);
enum tc_status arc_verify_body(struct arc_verify *verify, struct slice chunk);

/* TC_AGAIN while keys are missing. *outcome_out is untouched unless TC_OK. */
enum tc_status arc_verify_end(
    struct arc_verify *verify, const struct arc_outcome **outcome_out);

/* Frees what OpenSSL holds; at any point. */
void arc_verify_free(struct arc_verify **verify);

const char *arc_result_name(enum arc_result result);

#endif
