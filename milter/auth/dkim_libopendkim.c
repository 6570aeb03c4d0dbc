#include <config.h>

#include <sys/types.h>

#include <opendkim/dkim.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include "auth/dkim_libopendkim.h"
#include "base/builder.h"

#define CLOCK_DRIFT_S ((uint64_t)300) /* what the library forgives */

/* The signatures with (without) l=, with a handle of their own. */
struct opendkim_group {
	struct opendkim *engine;
	DKIM *handle;
	LIST_OF(struct dkim_engine_job *) jobs; /* in order of the header */
};

struct opendkim {
	struct arena *arena;
	struct opendkim_group groups[2];
	bool any_body;
	char last[2]; /* the body's last octets */
};

static DKIM_LIB *library;
static pthread_once_t library_once = PTHREAD_ONCE_INIT;

/* ------------------------------------------------------------ its keys */

static const struct dkim_engine_job *
job_of(const struct opendkim_group *group, const DKIM_SIGINFO *signature)
{
	DKIM_SIGINFO **list;
	int count;

	if (dkim_getsiglist(group->handle, &list, &count) != DKIM_STAT_OK)
		return NULL;
	for (int i = 0; i < count && (size_t)i < group->jobs.count; i++)
		if (list[i] == signature)
			return group->jobs.items[i];
	return NULL;
}

/* Called by dkim_eom(): all keys are here by then. */
static DKIM_CBSTAT
key_lookup(
    DKIM *handle, DKIM_SIGINFO *signature, u_char *buffer, size_t buffer_size)
{
	struct opendkim_group *group = dkim_get_user_context(handle);
	const struct dkim_engine_job *job = job_of(group, signature);
	const char *encoded;
	int length;

	if (job == NULL || job->key == NULL)
		return DKIM_CBSTAT_NOTFOUND;
	encoded = signing_key_encode(group->engine->arena, job->key);
	if (encoded == NULL)
		return DKIM_CBSTAT_ERROR;
	length = snprintf((char *)buffer, buffer_size, "v=DKIM1; k=%s; p=%s",
	    job->key->type == SIGNING_KEY_RSA ? "rsa" : "ed25519", encoded);
	return length > 0 && (size_t)length < buffer_size ? DKIM_CBSTAT_CONTINUE
							  : DKIM_CBSTAT_ERROR;
}

static void
library_load(void)
{
	unsigned flags =
	    DKIM_LIBFLAGS_BADSIGHANDLES | DKIM_LIBFLAGS_DELAYSIGPROC;
	uint64_t drift = CLOCK_DRIFT_S;

	library = dkim_init(NULL, NULL);
	if (library == NULL)
		return;
	if (dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_FLAGS, &flags,
		sizeof flags) != DKIM_STAT_OK ||
	    dkim_options(library, DKIM_OP_SETOPT, DKIM_OPTS_CLOCKDRIFT, &drift,
		sizeof drift) != DKIM_STAT_OK ||
	    dkim_set_key_lookup(library, key_lookup) != DKIM_STAT_OK) {
		dkim_close(library);
		library = NULL;
	}
}

bool
dkim_libopendkim_takes(const struct signature *signature)
{
	uint64_t now = (uint64_t)time(NULL);

	/* The library judges t= and x= by its own clock, and in unsigned
	 * numbers: a t= below the drift is the far future to it. */
	if (signature->signed_unix > 0 &&
	    now < signature->signed_unix - CLOCK_DRIFT_S)
		return false;
	if (signature->expires_unix > 0 &&
	    (signature->expires_unix > UINT64_MAX - CLOCK_DRIFT_S ||
		now >= signature->expires_unix + CLOCK_DRIFT_S))
		return false;
	return !signature->signs_signatures;
}

/* -------------------------------------------------------------- begin */

static bool
is_signature_field(const struct signed_field *field)
{
	return slice_equal_text_fold(slice_trim(field->name), DKIM_SIGNHEADER);
}

static bool
is_of_group(const struct opendkim_group *group, size_t field)
{
	for (size_t i = 0; i < group->jobs.count; i++)
		if (group->jobs.items[i]->signature->field == field)
			return true;
	return false;
}

static bool
feed_header(struct opendkim_group *group, const struct signed_field *field)
{
	struct builder text = builder_make(group->engine->arena, SIZE_MAX);
	DKIM_STAT status;

	builder_slice(&text, field->name);
	builder_byte(&text, ':');
	builder_slice(&text, field->value);
	if (text.failed)
		return false;
	/* SYNTAX: a name that no h= can hold. Such a field is not signed. */
	status = dkim_header(group->handle, (u_char *)text.data, text.length);
	return status == DKIM_STAT_OK || status == DKIM_STAT_SYNTAX;
}

static bool
group_begin(struct opendkim_group *group, const struct signed_headers *headers)
{
	DKIM_STAT status;

	if (group->jobs.count == 0)
		return true;
	group->handle =
	    dkim_verify(library, (const u_char *)"-", NULL, &status);
	if (group->handle == NULL ||
	    dkim_set_user_context(group->handle, group) != DKIM_STAT_OK)
		return false;
	for (size_t i = 0; i < headers->fields.count; i++) {
		const struct signed_field *field = &headers->fields.items[i];

		if (is_signature_field(field) && !is_of_group(group, i))
			continue;
		if (!feed_header(group, field))
			return false;
	}
	status = dkim_eoh(group->handle);
	return status != DKIM_STAT_NORESOURCE && status != DKIM_STAT_INTERNAL;
}

static void
opendkim_free(void *state)
{
	struct opendkim *engine = state;

	for (size_t i = 0; i < 2; i++) {
		if (engine->groups[i].handle != NULL)
			(void)dkim_free(engine->groups[i].handle);
		engine->groups[i].handle = NULL;
	}
}

static void *
opendkim_begin(struct arena *arena, struct signed_headers *headers,
    struct dkim_engine_job *const *jobs, size_t job_count)
{
	struct opendkim *engine = arena_alloc(arena, sizeof *engine);

	pthread_once(&library_once, library_load);
	if (engine == NULL || library == NULL)
		return NULL;
	engine->arena = arena;
	engine->groups[0].engine = engine;
	engine->groups[1].engine = engine;
	for (size_t i = 0; i < job_count; i++) {
		struct opendkim_group *group =
		    &engine->groups[jobs[i]->signature->has_length];
		struct dkim_engine_job **place =
		    list_append(arena, &group->jobs, job_count);

		if (place == NULL)
			return NULL;
		*place = jobs[i];
	}
	if (!group_begin(&engine->groups[0], headers) ||
	    !group_begin(&engine->groups[1], headers)) {
		opendkim_free(engine);
		return NULL;
	}
	return engine;
}

/* --------------------------------------------------------- body and end */

static bool
feed_body(struct opendkim *engine, struct slice chunk)
{
	for (size_t i = 0; i < 2; i++) {
		DKIM *handle = engine->groups[i].handle;

		if (handle != NULL &&
		    dkim_body(handle, (u_char *)(uintptr_t)chunk.data,
			chunk.length) == DKIM_STAT_NORESOURCE)
			return false;
	}
	return true;
}

static bool
opendkim_body(void *state, struct slice chunk)
{
	struct opendkim *engine = state;

	if (chunk.length == 0)
		return true;
	engine->last[0] =
	    chunk.length > 1 ? chunk.data[chunk.length - 2] : engine->last[1];
	engine->last[1] = chunk.data[chunk.length - 1];
	engine->any_body = true;
	return feed_body(engine, chunk);
}

static enum dkim_engine_result
result_of(DKIM_SIGINFO *signature)
{
	unsigned flags = dkim_sig_getflags(signature);
	int error = dkim_sig_geterror(signature);

	/* DKIM_SIGBH_MATCH is 0, the untouched value: only together with
	 * DKIM_SIGFLAG_PASSED, which DKIM_SIG_CHECK tests, does it count. */
	if (error == DKIM_SIGERROR_OK && DKIM_SIG_CHECK(signature))
		return DKIM_ENGINE_MATCH;
	if ((flags & DKIM_SIGFLAG_PASSED) != 0 &&
	    dkim_sig_getbh(signature) == DKIM_SIGBH_MISMATCH)
		return DKIM_ENGINE_BODY_DIFFERS;
	if (error == DKIM_SIGERROR_BADSIG)
		return DKIM_ENGINE_SIGNATURE_DIFFERS;
	return DKIM_ENGINE_CANNOT;
}

static void
group_end(struct opendkim_group *group)
{
	DKIM_SIGINFO **list;
	int count;

	if (group->handle == NULL)
		return;
	/* What it returns speaks of the message; we ask each signature. */
	(void)dkim_eom(group->handle, NULL);
	if (dkim_getsiglist(group->handle, &list, &count) != DKIM_STAT_OK)
		count = 0;
	for (size_t i = 0; i < group->jobs.count; i++) {
		struct dkim_engine_job *job = group->jobs.items[i];

		if (job->key != NULL)
			job->result = i < (size_t)count ? result_of(list[i])
							: DKIM_ENGINE_CANNOT;
	}
}

static bool
opendkim_end(void *state)
{
	struct opendkim *engine = state;

	/* Without it the relaxed form ends as SYNTAX. */
	if (engine->any_body &&
	    (engine->last[0] != '\r' || engine->last[1] != '\n') &&
	    !feed_body(engine, SLICE_LITERAL("\r\n")))
		return false;
	group_end(&engine->groups[0]);
	group_end(&engine->groups[1]);
	return true;
}

const struct dkim_engine dkim_libopendkim = { .begin = opendkim_begin,
	.body = opendkim_body,
	.end = opendkim_end,
	.free = opendkim_free };
