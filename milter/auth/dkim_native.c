#include <config.h>

#include "auth/dkim_native.h"

/* A body that several signatures may share: same form, same limit. */
struct native_body {
	struct canonical_body body;
	unsigned char digest[CANONICAL_DIGEST_SIZE];
};

struct native {
	struct signed_headers *headers;
	struct dkim_engine_job *const *jobs;
	size_t job_count;
	size_t *body_of_job;
	struct native_body *bodies;
	size_t body_count;
	struct canonical_hash hash;
};

static uint64_t
limit_of(const struct signature *signature)
{
	return signature->has_length ? signature->length : UINT64_MAX;
}

static bool
find_body(
    struct native *native, const struct signature *signature, size_t *index_out)
{
	uint64_t limit = limit_of(signature);
	struct canonical_body *body;

	for (size_t i = 0; i < native->body_count; i++) {
		body = &native->bodies[i].body;
		if (body->form == signature->body_form &&
		    body->limit == limit) {
			*index_out = i;
			return true;
		}
	}
	*index_out = native->body_count++;
	body = &native->bodies[*index_out].body;
	return canonical_body_begin(body, signature->body_form, limit);
}

static void
native_free(void *state)
{
	struct native *native = state;

	for (size_t i = 0; i < native->body_count; i++)
		canonical_body_free(&native->bodies[i].body);
	canonical_hash_free(&native->hash);
}

static void *
native_begin(struct arena *arena, struct signed_headers *headers,
    struct dkim_engine_job *const *jobs, size_t job_count)
{
	struct native *native = arena_alloc(arena, sizeof *native);
	bool good = true;

	if (native == NULL)
		return NULL;
	native->headers = headers;
	native->jobs = jobs;
	native->job_count = job_count;
	native->bodies =
	    arena_alloc_array(arena, job_count, sizeof *native->bodies);
	native->body_of_job =
	    arena_alloc_array(arena, job_count, sizeof *native->body_of_job);
	if (native->bodies == NULL || native->body_of_job == NULL)
		return NULL;
	for (size_t i = 0; i < job_count && good; i++)
		good = find_body(
		    native, jobs[i]->signature, &native->body_of_job[i]);
	if (!good || !canonical_hash_begin(&native->hash)) {
		native_free(native);
		return NULL;
	}
	return native;
}

static bool
native_body(void *state, struct slice chunk)
{
	struct native *native = state;

	for (size_t i = 0; i < native->body_count; i++) {
		canonical_body_add(&native->bodies[i].body, chunk);
		if (native->bodies[i].body.hash.failed)
			return false;
	}
	return true;
}

static bool
verify_job(struct native *native, size_t index)
{
	struct dkim_engine_job *job = native->jobs[index];
	const struct native_body *body =
	    &native->bodies[native->body_of_job[index]];
	unsigned char digest[CANONICAL_DIGEST_SIZE];

	if (memcmp(body->digest, job->signature->body_hash.data,
		CANONICAL_DIGEST_SIZE) != 0) {
		job->result = DKIM_ENGINE_BODY_DIFFERS;
		return true;
	}
	if (!canonical_hash_restart(&native->hash))
		return false;
	signature_hash_headers(native->headers, job->signature, &native->hash);
	if (!canonical_hash_end(&native->hash, digest))
		return false;
	job->result =
	    signing_key_verify(job->key, digest, job->signature->octets)
		? DKIM_ENGINE_MATCH
		: DKIM_ENGINE_SIGNATURE_DIFFERS;
	return true;
}

static bool
native_end(void *state)
{
	struct native *native = state;

	for (size_t i = 0; i < native->body_count; i++)
		if (!canonical_body_end(
			&native->bodies[i].body, native->bodies[i].digest))
			return false;
	for (size_t i = 0; i < native->job_count; i++)
		if (native->jobs[i]->key != NULL && !verify_job(native, i))
			return false;
	return true;
}

const struct dkim_engine dkim_native = { .begin = native_begin,
	.body = native_body,
	.end = native_end,
	.free = native_free };
