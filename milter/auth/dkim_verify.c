#include <config.h>

#include "auth/dkim_libopendkim.h"
#include "auth/dkim_native.h"
#include "auth/dkim_verify.h"

enum {
	ENGINE_CHOSEN, /* what the operator chose */
	ENGINE_NATIVE, /* for what the chosen one cannot do */
	ENGINES
};

/* One signature field that is within our count. */
struct checked {
	struct signature signature;
	struct signing_key key;
	struct dkim_engine_job job;
	bool open; /* sound so far: the engine decides */
	bool key_is_here;
	bool has_extent; /* l= is there, and extent counts the body */
	struct canonical_body extent;
};

struct engine_use {
	const struct dkim_engine *engine;
	void *state;
	LIST_OF(struct dkim_engine_job *) jobs;
};

struct dkim_verify {
	struct arena *arena;
	struct lookups *lookups;
	struct dkim_verify_limits limits;
	uint64_t now_unix;
	struct signed_headers headers;
	LIST_OF(size_t) found; /* the signature fields within our count */
	struct checked *checked;
	struct engine_use engines[ENGINES];
	struct dkim_verify_outcome outcome;
	bool body_ended;
};

#define SIGNATURES_CEILING 1000

struct dkim_verify *
dkim_verify_new(struct arena *arena, struct lookups *lookups,
    const struct dkim_verify_limits *limits, enum dkim_verify_engine engine,
    uint64_t now_unix)
{
	struct dkim_verify *verify = arena_alloc(arena, sizeof *verify);

	if (verify == NULL)
		return NULL;
	verify->arena = arena;
	verify->lookups = lookups;
	verify->limits = *limits;
	if (verify->limits.signatures_max > SIGNATURES_CEILING)
		verify->limits.signatures_max = SIGNATURES_CEILING;
	verify->now_unix = now_unix;
	verify->headers = signed_headers_make(arena);
	verify->engines[ENGINE_CHOSEN].engine =
	    engine == DKIM_VERIFY_NATIVE ? &dkim_native : &dkim_libopendkim;
	verify->engines[ENGINE_NATIVE].engine = &dkim_native;
	return verify;
}

enum tc_status
dkim_verify_header(
    struct dkim_verify *verify, struct slice name, struct slice value)
{
	size_t *place;
	enum tc_status status =
	    signed_headers_add(&verify->headers, name, value);

	if (status != TC_OK ||
	    !slice_equal_text_fold(slice_trim(name), "DKIM-Signature"))
		return status;
	verify->outcome.signature_count++;
	if (verify->found.count == verify->limits.signatures_max)
		return TC_OK;
	place = list_append(verify->arena, &verify->found, SIGNATURES_CEILING);
	if (place == NULL)
		return TC_LIMIT;
	*place = verify->headers.fields.count - 1;
	return TC_OK;
}

/* ----------------------------------------------------- end of the headers */

/* Counts the canonical body of a signature with l=: what lies beyond. Nothing
 * is hashed, hence the limit 0. */
static enum tc_status
begin_extent(struct checked *checked)
{
	if (!checked->signature.has_length)
		return TC_OK;
	checked->has_extent = true;
	return canonical_body_begin(
		   &checked->extent, checked->signature.body_form, 0)
		   ? TC_OK
		   : TC_SYSTEM;
}

static enum tc_status
give_to_engine(struct dkim_verify *verify, struct checked *checked)
{
	bool native =
	    verify->engines[ENGINE_CHOSEN].engine == &dkim_libopendkim &&
	    !dkim_libopendkim_takes(&checked->signature);
	struct engine_use *use =
	    &verify->engines[native ? ENGINE_NATIVE : ENGINE_CHOSEN];
	struct dkim_engine_job **place =
	    list_append(verify->arena, &use->jobs, SIGNATURES_CEILING);

	if (place == NULL)
		return TC_LIMIT;
	*place = &checked->job;
	checked->job.signature = &checked->signature;
	return begin_extent(checked);
}

static enum tc_status
read_signature(struct dkim_verify *verify, size_t index)
{
	struct checked *checked = &verify->checked[index];
	enum tc_status status;

	status = signature_read(&verify->headers, verify->found.items[index],
	    SIGNATURE_DKIM, verify->now_unix, verify->limits.clock_skew_seconds,
	    &checked->signature);
	checked->open =
	    status == TC_OK && checked->signature.fault == SIGNATURE_SOUND;
	if (!checked->open)
		return status;
	signing_key_ask(verify->lookups, verify->arena,
	    checked->signature.selector, checked->signature.domain);
	return give_to_engine(verify, checked);
}

static enum tc_status
begin_engine(struct dkim_verify *verify, struct engine_use *use)
{
	if (use->jobs.count == 0)
		return TC_OK;
	use->state = use->engine->begin(
	    verify->arena, &verify->headers, use->jobs.items, use->jobs.count);
	if (use->state != NULL)
		return TC_OK;
	return arena_exhausted(verify->arena) ? TC_LIMIT : TC_SYSTEM;
}

enum tc_status
dkim_verify_end_of_headers(struct dkim_verify *verify)
{
	enum tc_status status = TC_OK;

	if (verify->found.count == 0)
		return TC_OK;
	verify->checked = arena_alloc_array(
	    verify->arena, verify->found.count, sizeof *verify->checked);
	if (verify->checked == NULL)
		return TC_LIMIT;
	for (size_t i = 0; i < verify->found.count && status == TC_OK; i++)
		status = read_signature(verify, i);
	for (size_t i = 0; i < ENGINES && status == TC_OK; i++)
		status = begin_engine(verify, &verify->engines[i]);
	return status;
}

/* ------------------------------------------------------------------ body */

enum tc_status
dkim_verify_body(struct dkim_verify *verify, struct slice chunk)
{
	if (verify->checked == NULL)
		return TC_OK;
	for (size_t i = 0; i < verify->found.count; i++)
		if (verify->checked[i].has_extent)
			canonical_body_add(&verify->checked[i].extent, chunk);
	for (size_t i = 0; i < ENGINES; i++) {
		struct engine_use *use = &verify->engines[i];

		if (use->state != NULL && !use->engine->body(use->state, chunk))
			return TC_SYSTEM;
	}
	return TC_OK;
}

/* ------------------------------------------------------------------- end */

static void
conclude(struct dkim_signature *report, enum dkim_verify_result result,
    const char *reason)
{
	report->result = result;
	report->reason = reason;
}

static void
conclude_fault(struct dkim_signature *report, const struct signature *signature)
{
	static const enum dkim_verify_result results[] = {
		[SIGNATURE_SOUND] = DKIM_VERIFY_NEUTRAL,
		[SIGNATURE_UNREADABLE] = DKIM_VERIFY_NEUTRAL,
		[SIGNATURE_INVALID] = DKIM_VERIFY_PERMERROR,
		[SIGNATURE_REFUSED] = DKIM_VERIFY_POLICY,
		[SIGNATURE_EXPIRED] = DKIM_VERIFY_PERMERROR,
	};

	conclude(report, results[signature->fault], signature->reason);
}

/* Lets the key decide what it can; true when the engine must. */
static bool
judge_key(struct dkim_verify *verify, struct checked *checked,
    struct dkim_signature *report)
{
	const struct signing_key *key = &checked->key;
	const char *objection;
	bool refused;

	report->key_bits = key->bits;
	report->testing = key->testing;
	if (key->state == SIGNING_KEY_TEMPERROR) {
		conclude(report, DKIM_VERIFY_TEMPERROR, key->reason);
		return false;
	}
	if (key->state != SIGNING_KEY_USABLE) {
		conclude(report, DKIM_VERIFY_PERMERROR, key->reason);
		return false;
	}
	objection = signature_key_objection(&checked->signature, key,
	    verify->limits.key_bits_min, verify->limits.key_bits_max, &refused);
	if (objection == NULL)
		return true;
	conclude(report, refused ? DKIM_VERIFY_POLICY : DKIM_VERIFY_PERMERROR,
	    objection);
	return false;
}

/* Fetches all keys that are not here yet. */
static enum tc_status
fetch_keys(struct dkim_verify *verify)
{
	enum tc_status all = TC_OK;

	for (size_t i = 0; i < verify->found.count; i++) {
		struct checked *checked = &verify->checked[i];
		enum tc_status status;

		if (!checked->open || checked->key_is_here)
			continue;
		status = signing_key_get(verify->lookups, verify->arena,
		    checked->signature.selector, checked->signature.domain,
		    &checked->key);
		if (status != TC_OK && status != TC_AGAIN)
			return status;
		if (status == TC_AGAIN)
			all = TC_AGAIN;
		else
			checked->key_is_here = true;
	}
	return all;
}

static void
describe(const struct checked *checked, struct arena *arena,
    struct dkim_signature *report)
{
	const struct signature *signature = &checked->signature;
	char *identity;

	report->domain = signature->domain;
	report->selector = signature->selector;
	report->identity = signature->identity;
	report->algorithm = signature->algorithm;
	report->value = signature->encoded;
	report->has_length = signature->has_length;
	report->signed_unix = signature->signed_unix;
	report->expires_unix = signature->expires_unix;
	if (report->identity.length > 0 || report->domain.length == 0)
		return;
	identity = arena_printf(
	    arena, "@%.*s", (int)report->domain.length, report->domain.data);
	report->identity = slice_text(identity);
}

static void
conclude_job(const struct checked *checked, struct dkim_signature *report)
{
	switch (checked->job.result) {
	case DKIM_ENGINE_MATCH:
		conclude(report, DKIM_VERIFY_PASS, NULL);
		break;
	case DKIM_ENGINE_BODY_DIFFERS:
		conclude(report, DKIM_VERIFY_FAIL, "body hash differs");
		break;
	case DKIM_ENGINE_SIGNATURE_DIFFERS:
		conclude(report, DKIM_VERIFY_FAIL, "signature differs");
		break;
	case DKIM_ENGINE_OPEN:
	case DKIM_ENGINE_CANNOT:
		conclude(report, DKIM_VERIFY_NEUTRAL,
		    "signature could not be processed");
		break;
	}
}

/* What l= left outside, or claims beyond the body's end. */
static void
judge_extent(struct checked *checked, struct dkim_signature *report)
{
	unsigned char digest[CANONICAL_DIGEST_SIZE];

	if (!checked->has_extent)
		return;
	(void)canonical_body_end(&checked->extent, digest);
	report->extended_after_length =
	    checked->extent.length > checked->signature.length;
	if (checked->job.key != NULL &&
	    checked->extent.length < checked->signature.length)
		conclude(
		    report, DKIM_VERIFY_FAIL, "l= is beyond the body's end");
}

static enum tc_status
run_engines(struct dkim_verify *verify)
{
	for (size_t i = 0; i < ENGINES; i++) {
		struct engine_use *use = &verify->engines[i];

		if (use->state != NULL && !use->engine->end(use->state))
			return arena_exhausted(verify->arena) ? TC_LIMIT
							      : TC_SYSTEM;
	}
	return TC_OK;
}

/* pass if any passed, else temperror if any, else the first's. Mail of a domain
 * that is testing must fare no worse than unsigned mail (RFC 6376, 3.6.1). */
static enum dkim_verify_result
summary(const struct dkim_verify_outcome *outcome)
{
	enum dkim_verify_result first = DKIM_VERIFY_NONE;
	bool temperror = false;

	for (size_t i = 0; i < outcome->signatures.count; i++) {
		const struct dkim_signature *signature =
		    &outcome->signatures.items[i];

		if (signature->result == DKIM_VERIFY_PASS)
			return DKIM_VERIFY_PASS;
		temperror |= signature->result == DKIM_VERIFY_TEMPERROR;
		if (first == DKIM_VERIFY_NONE && !signature->testing)
			first = signature->result;
	}
	if (temperror)
		return DKIM_VERIFY_TEMPERROR;
	if (outcome->signatures.count > 0)
		return first;
	return outcome->signature_count > 0 ? DKIM_VERIFY_NEUTRAL
					    : DKIM_VERIFY_NONE;
}

static enum tc_status
conclude_all(struct dkim_verify *verify)
{
	struct dkim_verify_outcome *outcome = &verify->outcome;
	size_t count = verify->found.count;
	enum tc_status status;

	for (size_t i = 0; i < count; i++) {
		struct checked *checked = &verify->checked[i];
		struct dkim_signature *report = list_append(
		    verify->arena, &outcome->signatures, SIGNATURES_CEILING);

		if (report == NULL)
			return TC_LIMIT;
		describe(checked, verify->arena, report);
		if (!checked->open)
			conclude_fault(report, &checked->signature);
		else if (judge_key(verify, checked, report))
			checked->job.key = &checked->key;
	}
	status = run_engines(verify);
	for (size_t i = 0; i < count && status == TC_OK; i++) {
		struct checked *checked = &verify->checked[i];

		if (checked->job.key != NULL)
			conclude_job(checked, &outcome->signatures.items[i]);
		judge_extent(checked, &outcome->signatures.items[i]);
	}
	return status;
}

enum tc_status
dkim_verify_end(
    struct dkim_verify *verify, const struct dkim_verify_outcome **outcome_out)
{
	enum tc_status status;

	if (!verify->body_ended && verify->found.count > 0) {
		if (verify->checked == NULL)
			return TC_INVALID; /* end_of_headers failed */
		status = fetch_keys(verify);
		if (status == TC_OK)
			status = conclude_all(verify);
		if (status != TC_OK)
			return status;
	}
	verify->body_ended = true;
	verify->outcome.result = summary(&verify->outcome);
	*outcome_out = &verify->outcome;
	return TC_OK;
}

void
dkim_verify_free(struct dkim_verify **verify)
{
	struct dkim_verify *old = *verify;

	if (old == NULL)
		return;
	for (size_t i = 0; i < ENGINES; i++)
		if (old->engines[i].state != NULL)
			old->engines[i].engine->free(old->engines[i].state);
	for (size_t i = 0; old->checked != NULL && i < old->found.count; i++) {
		signing_key_release(&old->checked[i].key);
		if (old->checked[i].has_extent)
			canonical_body_free(&old->checked[i].extent);
	}
	*verify = NULL;
}

const char *
dkim_verify_result_name(enum dkim_verify_result result)
{
	static const char *const names[] = { "none", "pass", "fail", "policy",
		"neutral", "temperror", "permerror" };

	return names[result];
}
