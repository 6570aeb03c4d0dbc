/*
 * dkim_engine - what an engine does for auth/dkim_verify.h
 *
 * The common part reads and judges signatures and keys, and leaves to the
 * engine those that are sound: canonical forms, hashes, the verification.
 * An engine is a table of functions and its own state.
 */
#ifndef TOCSIN_AUTH_DKIM_ENGINE_H
#define TOCSIN_AUTH_DKIM_ENGINE_H

#include "auth/signature.h"

enum dkim_engine_result {
	DKIM_ENGINE_OPEN, /* not verified yet, or not to be verified */
	DKIM_ENGINE_MATCH,
	DKIM_ENGINE_BODY_DIFFERS,
	DKIM_ENGINE_SIGNATURE_DIFFERS,
	DKIM_ENGINE_CANNOT /* the engine refused what the reader let pass */
};

/* One signature on its way through an engine. */
struct dkim_engine_job {
	const struct signature *signature;
	const struct signing_key *key; /* set before end; NULL: do not verify */
	enum dkim_engine_result result;
};

struct dkim_engine {
	/* Starts with the headers complete. The jobs stay where they are until
	 * free. Returns the engine's state, or NULL without memory. */
	void *(*begin)(struct arena *arena, struct signed_headers *headers,
	    struct dkim_engine_job *const *jobs, size_t job_count);
	bool (*body)(void *state, struct slice chunk);
	/* Sets the result of each job with a key; false without memory. */
	bool (*end)(void *state);
	void (*free)(void *state);
};

#endif
