#include <config.h>

#include "auth/arc.h"
#include "auth/dkim_native.h"
#include "auth/tag_list.h"

#define INSTANCES_CEILING 50 /* RFC 8617, 4.2.1 */
#define CLOCK_SKEW_S      300
#define NO_FIELD          SIZE_MAX

enum arc_field {
	ARC_RESULTS, /* ARC-Authentication-Results */
	ARC_MESSAGE, /* ARC-Message-Signature */
	ARC_SEAL,    /* ARC-Seal */
	ARC_FIELDS
};

static const char *const field_names[ARC_FIELDS] = {
	[ARC_RESULTS] = "ARC-Authentication-Results",
	[ARC_MESSAGE] = "ARC-Message-Signature",
	[ARC_SEAL] = "ARC-Seal",
};

/* A signature of a set with its key. */
struct sealed {
	struct signature signature;
	struct signing_key key;
	bool key_is_here;
};

/* What one sealer added: one instance. */
struct arc_set {
	size_t fields[ARC_FIELDS]; /* index in the headers, or NO_FIELD */
	struct sealed message;
	struct sealed seal;
	struct dkim_engine_job job; /* of the message signature */
	/* Without c= the form is simple (RFC 6376, 3.5), yet sealers are known
	 * that then sign the relaxed form, the only one ARC speaks of: either
	 * will do. */
	struct signature relaxed;
	struct dkim_engine_job relaxed_job;
};

struct arc_verify {
	struct arena *arena;
	struct lookups *lookups;
	struct arc_limits limits;
	uint64_t now_unix;
	struct signed_headers headers;
	LIST_OF(size_t) found; /* all ARC fields */
	struct arc_set *sets;  /* by instance - 1 */
	unsigned instances;
	const char *broken; /* the chain fails whatever the keys say */
	struct dkim_engine_job **jobs;
	void *engine; /* of dkim_native, for the message signatures */
	bool ended;
	struct arc_outcome outcome;
};

struct arc_verify *
arc_verify_new(struct arena *arena, struct lookups *lookups,
    const struct arc_limits *limits, uint64_t now_unix)
{
	struct arc_verify *verify = arena_alloc(arena, sizeof *verify);

	if (verify == NULL)
		return NULL;
	verify->arena = arena;
	verify->lookups = lookups;
	verify->limits = *limits;
	if (verify->limits.instances_max > INSTANCES_CEILING)
		verify->limits.instances_max = INSTANCES_CEILING;
	verify->now_unix = now_unix;
	verify->headers = signed_headers_make(arena);
	return verify;
}

static bool
field_of(struct slice name, enum arc_field *field_out)
{
	for (int i = 0; i < ARC_FIELDS; i++)
		if (slice_equal_text_fold(slice_trim(name), field_names[i])) {
			*field_out = (enum arc_field)i;
			return true;
		}
	return false;
}

enum tc_status
arc_verify_header(
    struct arc_verify *verify, struct slice name, struct slice value)
{
	enum tc_status status =
	    signed_headers_add(&verify->headers, name, value);
	enum arc_field field;
	size_t *place;

	if (status != TC_OK || !field_of(name, &field))
		return status;
	/* One more than any chain may have is as good as all of them. */
	if (verify->found.count > INSTANCES_CEILING * ARC_FIELDS)
		return TC_OK;
	place = list_append(verify->arena, &verify->found, SIZE_MAX);
	if (place == NULL)
		return TC_LIMIT;
	*place = verify->headers.fields.count - 1;
	return TC_OK;
}

/* ----------------------------------------------------- end of the headers */

static void
broken(struct arc_verify *verify, const char *reason)
{
	if (verify->broken == NULL)
		verify->broken = reason;
}

/* Takes "i=N;" off the front of an ARC-Authentication-Results value. */
static bool
results_instance(
    struct slice value, unsigned *instance_out, struct slice *payload_out)
{
	struct slice rest, head, name, number;
	unsigned long instance;

	rest = slice_split(value, ';', &head);
	if (head.length == value.length)
		return false;
	number = slice_trim(slice_split(head, '=', &name));
	if (!slice_equal_text(slice_trim(name), "i") || number.length > 2 ||
	    !slice_parse_number(number, INSTANCES_CEILING, &instance) ||
	    instance == 0)
		return false;
	*instance_out = (unsigned)instance;
	*payload_out = rest;
	return true;
}

/* The instance that a field names; the signatures are read on the way. */
static enum tc_status
read_field(struct arc_verify *verify, size_t index, enum arc_field field,
    struct signature *signature_out, unsigned *instance_out)
{
	const struct signed_field *at = &verify->headers.fields.items[index];
	enum tc_status status;
	struct slice payload;

	*instance_out = 0;
	if (field == ARC_RESULTS) {
		if (!results_instance(at->value, instance_out, &payload))
			broken(verify, "results without an instance");
		return TC_OK;
	}
	status = signature_read(&verify->headers, index,
	    field == ARC_MESSAGE ? SIGNATURE_ARC_MESSAGE : SIGNATURE_ARC_SEAL,
	    verify->now_unix, CLOCK_SKEW_S, signature_out);
	if (signature_out->instance == 0)
		broken(verify, "signature without an instance");
	*instance_out = signature_out->instance;
	return status;
}

static enum tc_status
place_field(struct arc_verify *verify, size_t index)
{
	enum arc_field field;
	struct signature signature;
	struct arc_set *set;
	unsigned instance;
	enum tc_status status;

	if (!field_of(verify->headers.fields.items[index].name, &field))
		return TC_OK;
	status = read_field(verify, index, field, &signature, &instance);
	if (status != TC_OK || instance == 0)
		return status;
	if (instance > verify->limits.instances_max) {
		broken(verify, "too many instances");
		return TC_OK;
	}
	set = &verify->sets[instance - 1];
	if (set->fields[field] != NO_FIELD)
		broken(verify, "a field stands twice in an instance");
	set->fields[field] = index;
	if (field == ARC_MESSAGE)
		set->message.signature = signature;
	else if (field == ARC_SEAL)
		set->seal.signature = signature;
	if (instance > verify->instances)
		verify->instances = instance;
	return TC_OK;
}

/* RFC 8617, 5.2, steps 2 and 3: the form of the chain. The older message
 * signatures need not be sound; changes on the way are what ARC is for. */
static void
check_form(struct arc_verify *verify)
{
	for (unsigned i = 0; i < verify->instances; i++) {
		const struct arc_set *set = &verify->sets[i];
		const struct signature *seal = &set->seal.signature;

		if (set->fields[ARC_RESULTS] == NO_FIELD ||
		    set->fields[ARC_MESSAGE] == NO_FIELD ||
		    set->fields[ARC_SEAL] == NO_FIELD) {
			broken(verify, "an instance is not complete");
			return;
		}
		if (seal->fault != SIGNATURE_SOUND)
			broken(verify, seal->reason);
		else if (!slice_equal_text(
			     seal->chain, i == 0 ? "none" : "pass"))
			broken(verify, "cv= does not say that it was whole");
	}
	if (verify->instances > 0) {
		const struct signature *newest =
		    &verify->sets[verify->instances - 1].message.signature;

		if (newest->fault != SIGNATURE_SOUND)
			broken(verify, newest->reason);
	}
}

/* Starts the body hashes of all message signatures that are sound. */
static enum tc_status
begin_bodies(struct arc_verify *verify)
{
	size_t count = 0;

	verify->jobs = arena_alloc_array(
	    verify->arena, 2 * verify->instances, sizeof(*verify->jobs));
	if (verify->jobs == NULL)
		return TC_LIMIT;
	for (unsigned i = 0; i < verify->instances; i++) {
		struct arc_set *set = &verify->sets[i];

		if (set->message.signature.fault != SIGNATURE_SOUND)
			continue;
		set->job.signature = &set->message.signature;
		verify->jobs[count++] = &set->job;
		if (set->message.signature.has_forms)
			continue;
		set->relaxed = set->message.signature;
		set->relaxed.header_form = CANONICAL_RELAXED;
		set->relaxed.body_form = CANONICAL_RELAXED;
		set->relaxed_job.signature = &set->relaxed;
		verify->jobs[count++] = &set->relaxed_job;
	}
	verify->engine = dkim_native.begin(
	    verify->arena, &verify->headers, verify->jobs, count);
	if (verify->engine != NULL)
		return TC_OK;
	return arena_exhausted(verify->arena) ? TC_LIMIT : TC_SYSTEM;
}

static void
ask_key(struct arc_verify *verify, const struct sealed *sealed)
{
	if (sealed->signature.fault == SIGNATURE_SOUND)
		signing_key_ask(verify->lookups, verify->arena,
		    sealed->signature.selector, sealed->signature.domain);
}

enum tc_status
arc_verify_end_of_headers(struct arc_verify *verify)
{
	enum tc_status status = TC_OK;

	if (verify->found.count == 0)
		return TC_OK;
	verify->sets = arena_alloc_array(
	    verify->arena, INSTANCES_CEILING, sizeof *verify->sets);
	if (verify->sets == NULL)
		return TC_LIMIT;
	for (size_t i = 0; i < INSTANCES_CEILING; i++)
		for (int j = 0; j < ARC_FIELDS; j++)
			verify->sets[i].fields[j] = NO_FIELD;
	for (size_t i = 0; i < verify->found.count && status == TC_OK; i++)
		status = place_field(verify, verify->found.items[i]);
	if (status != TC_OK)
		return status;
	check_form(verify);
	if (verify->broken != NULL)
		return TC_OK;
	for (unsigned i = 0; i < verify->instances; i++) {
		ask_key(verify, &verify->sets[i].seal);
		ask_key(verify, &verify->sets[i].message);
	}
	return begin_bodies(verify);
}

enum tc_status
arc_verify_body(struct arc_verify *verify, struct slice chunk)
{
	if (verify->engine == NULL)
		return TC_OK;
	return dkim_native.body(verify->engine, chunk) ? TC_OK : TC_SYSTEM;
}

/* ------------------------------------------------------------------- end */

static enum tc_status
fetch_key(struct arc_verify *verify, struct sealed *sealed)
{
	enum tc_status status;

	if (sealed->key_is_here || sealed->signature.fault != SIGNATURE_SOUND)
		return TC_OK;
	status = signing_key_get(verify->lookups, verify->arena,
	    sealed->signature.selector, sealed->signature.domain, &sealed->key);
	sealed->key_is_here = status == TC_OK;
	return status;
}

static enum tc_status
fetch_keys(struct arc_verify *verify)
{
	enum tc_status all = TC_OK;

	for (unsigned i = 0; i < verify->instances; i++) {
		struct sealed *both[] = { &verify->sets[i].seal,
			&verify->sets[i].message };

		for (size_t j = 0; j < 2; j++) {
			enum tc_status status = fetch_key(verify, both[j]);

			if (status == TC_AGAIN)
				all = TC_AGAIN;
			else if (status != TC_OK)
				return status;
		}
	}
	return all;
}

/* What speaks against the key; NULL: it may verify. *temperror_out: it could
 * not be had now. */
static const char *
key_objection(const struct arc_verify *verify, const struct sealed *sealed,
    bool *temperror_out)
{
	bool refused;

	*temperror_out = sealed->key.state == SIGNING_KEY_TEMPERROR;
	if (sealed->key.state != SIGNING_KEY_USABLE)
		return sealed->key.reason;
	return signature_key_objection(&sealed->signature, &sealed->key,
	    verify->limits.key_bits_min, verify->limits.key_bits_max, &refused);
}

static void
hash_field(struct arc_verify *verify, struct canonical_hash *hash, size_t index)
{
	const struct signed_field *field = &verify->headers.fields.items[index];

	canonical_header(hash, CANONICAL_RELAXED, field->name, field->value);
}

/* The digest of each seal (RFC 8617, 5.1.1): all sets up to its own. One hash
 * runs over the chain; each seal ends a copy of it. */
static bool
hash_seals(struct arc_verify *verify,
    unsigned char digests[INSTANCES_CEILING][CANONICAL_DIGEST_SIZE])
{
	struct canonical_hash chain = { 0 }, seal = { 0 };
	bool good = canonical_hash_begin(&chain) && canonical_hash_begin(&seal);

	for (unsigned i = 0; i < verify->instances && good; i++) {
		const struct arc_set *set = &verify->sets[i];
		const struct signature *own = &set->seal.signature;

		hash_field(verify, &chain, set->fields[ARC_RESULTS]);
		hash_field(verify, &chain, set->fields[ARC_MESSAGE]);
		good = canonical_hash_copy(&seal, &chain);
		if (!good)
			break;
		canonical_signature_header(&seal, CANONICAL_RELAXED, own->name,
		    own->value, own->cut_start, own->cut_end);
		good = canonical_hash_end(&seal, digests[i]);
		hash_field(verify, &chain, set->fields[ARC_SEAL]);
	}
	canonical_hash_free(&chain);
	canonical_hash_free(&seal);
	return good;
}

static void
fail(struct arc_verify *verify, const char *reason)
{
	if (verify->outcome.result != ARC_FAIL)
		verify->outcome.reason = reason;
	verify->outcome.result = ARC_FAIL;
}

/* A failure for now, which a certain failure outweighs. */
static void
fail_for_now(struct arc_verify *verify, const char *reason)
{
	if (verify->outcome.result == ARC_FAIL)
		return;
	verify->outcome.result = ARC_TEMPERROR;
	verify->outcome.reason = reason;
}

static void
judge_seals(struct arc_verify *verify,
    unsigned char digests[INSTANCES_CEILING][CANONICAL_DIGEST_SIZE])
{
	for (unsigned i = verify->instances; i-- > 0;) {
		const struct sealed *seal = &verify->sets[i].seal;
		bool temperror;
		const char *objection = key_objection(verify, seal, &temperror);

		if (temperror)
			fail_for_now(verify, objection);
		else if (objection != NULL)
			fail(verify, objection);
		else if (!signing_key_verify(
			     &seal->key, digests[i], seal->signature.octets))
			fail(verify, "a seal does not verify");
	}
}

static bool
message_matches(const struct arc_set *set)
{
	return set->job.result == DKIM_ENGINE_MATCH ||
	       set->relaxed_job.result == DKIM_ENGINE_MATCH;
}

/* Lets the engine verify all message signatures; the newest must. */
static bool
judge_messages(struct arc_verify *verify)
{
	const struct arc_set *newest = &verify->sets[verify->instances - 1];
	const char *objection = NULL;
	bool temperror = false;

	for (unsigned i = 0; i < verify->instances; i++) {
		struct arc_set *set = &verify->sets[i];

		if (set->message.signature.fault != SIGNATURE_SOUND)
			continue;
		objection = key_objection(verify, &set->message, &temperror);
		if (objection != NULL)
			continue;
		set->job.key = &set->message.key;
		set->relaxed_job.key = &set->message.key;
	}
	if (!dkim_native.end(verify->engine))
		return false;
	/* The last one looked at is the newest. */
	if (temperror)
		fail_for_now(verify, objection);
	else if (objection != NULL)
		fail(verify, objection);
	else if (message_matches(newest))
		return true;
	else if (newest->job.result == DKIM_ENGINE_BODY_DIFFERS)
		fail(verify, "body hash of the newest instance differs");
	else
		fail(verify, "signature of the newest instance differs");
	return true;
}

/* RFC 8617, 5.2, step 5. */
static unsigned
oldest_pass(const struct arc_verify *verify)
{
	unsigned oldest = verify->instances;

	while (oldest > 1 && message_matches(&verify->sets[oldest - 2]))
		oldest--;
	return oldest == 1 ? 0 : oldest;
}

static enum tc_status
describe(struct arc_verify *verify)
{
	struct arc_outcome *outcome = &verify->outcome;
	struct slice *sealers = arena_alloc_array(
	    verify->arena, verify->instances, sizeof *sealers);
	const struct arc_set *newest = &verify->sets[verify->instances - 1];
	unsigned instance;

	if (sealers == NULL)
		return TC_LIMIT;
	for (unsigned i = 0; i < verify->instances; i++)
		sealers[i] = verify->sets[i].seal.signature.domain;
	outcome->sealers = sealers;
	outcome->sealer = newest->seal.signature.domain;
	if (outcome->result != ARC_PASS)
		return TC_OK;
	outcome->oldest_pass = oldest_pass(verify);
	(void)results_instance(
	    verify->headers.fields.items[newest->fields[ARC_RESULTS]].value,
	    &instance, &outcome->authentication_results);
	return TC_OK;
}

static enum tc_status
conclude(struct arc_verify *verify)
{
	unsigned char digests[INSTANCES_CEILING][CANONICAL_DIGEST_SIZE];

	verify->outcome.result = ARC_PASS;
	if (!hash_seals(verify, digests) || !judge_messages(verify))
		return arena_exhausted(verify->arena) ? TC_LIMIT : TC_SYSTEM;
	judge_seals(verify, digests);
	return describe(verify);
}

enum tc_status
arc_verify_end(
    struct arc_verify *verify, const struct arc_outcome **outcome_out)
{
	enum tc_status status = TC_OK;

	verify->outcome.instances = verify->instances;
	if (verify->found.count > 0 && !verify->ended) {
		if (verify->broken != NULL) {
			fail(verify, verify->broken);
		} else if (verify->engine == NULL) {
			return TC_INVALID; /* end_of_headers failed */
		} else {
			status = fetch_keys(verify);
			if (status == TC_OK)
				status = conclude(verify);
		}
	}
	if (status != TC_OK)
		return status;
	verify->ended = true;
	*outcome_out = &verify->outcome;
	return TC_OK;
}

void
arc_verify_free(struct arc_verify **verify)
{
	struct arc_verify *old = *verify;

	if (old == NULL)
		return;
	if (old->engine != NULL)
		dkim_native.free(old->engine);
	for (unsigned i = 0; old->sets != NULL && i < INSTANCES_CEILING; i++) {
		signing_key_release(&old->sets[i].message.key);
		signing_key_release(&old->sets[i].seal.key);
	}
	*verify = NULL;
}

const char *
arc_result_name(enum arc_result result)
{
	static const char *const names[] = { "none", "pass", "fail",
		"temperror" };

	return names[result];
}
