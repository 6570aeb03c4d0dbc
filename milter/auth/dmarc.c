#include <config.h>

#include "auth/dmarc.h"
#include "base/domain.h"
#include "dns/lookups.h"

#define WALK_MAX    8 /* queries for one identifier (RFC 9989, 4.10) */
#define WALK_JUMP   7 /* labels that remain of a longer name */
#define AUTHORS_MAX 5 /* author domains whose records are asked for */
#define WALKS_MAX   64

/* The record at one name. */
enum at_name {
	AT_NAME_PENDING,
	AT_NAME_NONE,
	AT_NAME_RECORD,
	AT_NAME_TEMPERROR
};

struct found {
	struct slice name;
	struct dmarc_record record;
};

/* The tree walk of one domain. */
struct walk {
	struct slice domain;
	bool done;
	bool temperror;
	struct slice organisation;
	struct found
	    found[WALK_MAX]; /* from the longest name to the shortest */
	size_t found_count;
};

/* What applies to mail of one author domain. */
struct policy {
	struct slice author;
	bool done;
	bool temperror;      /* the record could not be had */
	bool np_temperror;   /* whether the domain exists is not known */
	bool has_record;     /* and it is usable */
	struct found source; /* the record and where it was */
	enum dmarc_policy asked;
};

struct dmarc_eval {
	struct arena *arena;
	struct lookups *lookups;
	enum dmarc_mode mode;
	struct policy authors[AUTHORS_MAX];
	size_t author_count;
	bool bad_author; /* one is no domain name */
	bool too_many;   /* more than AUTHORS_MAX */
	bool no_author;  /* none was given */
	bool limit;      /* the arena is full */
	LIST_OF(struct walk *) walks;
	const char *temperror_reason;
};

/* ----------------------------------------------------- records in the DNS */

/* Asks for the record at _dmarc.NAME; several records are none. */
static enum at_name
record_at(
    struct dmarc_eval *eval, struct slice name, struct dmarc_record *record_out)
{
	const char *full = arena_printf(
	    eval->arena, "_dmarc.%.*s", (int)name.length, name.data);
	const struct dns_answer *answer;
	size_t records = 0;

	if (full == NULL) {
		eval->limit = true;
		return AT_NAME_TEMPERROR;
	}
	answer = lookups_ask(eval->lookups, slice_text(full), DNS_TYPE_TXT);
	if (answer->state == DNS_PENDING)
		return AT_NAME_PENDING;
	if (answer->state == DNS_TEMPERROR)
		return AT_NAME_TEMPERROR;
	if (answer->state != DNS_FOUND)
		return AT_NAME_NONE;
	for (size_t i = 0; i < answer->record_count; i++) {
		struct dmarc_record record;
		struct slice text;

		if (!dns_answer_text(eval->arena, answer, i, &text)) {
			eval->limit |= arena_exhausted(eval->arena);
			continue;
		}
		if (dmarc_record_parse(text, &record) != TC_OK)
			continue;
		*record_out = record;
		records++;
	}
	return records == 1 ? AT_NAME_RECORD : AT_NAME_NONE;
}

/* ------------------------------------------------------------- tree walks */

/* The names of a walk from the longest to the shortest. */
static size_t
walk_targets(struct slice domain, struct slice targets[WALK_MAX])
{
	unsigned labels = domain_label_count(domain);
	size_t count = 0;

	targets[count++] = domain;
	if (labels > WALK_MAX)
		domain = domain_suffix(domain, WALK_JUMP);
	else
		domain = domain_parent(domain);
	while (domain.length > 0 && count < WALK_MAX) {
		targets[count++] = domain;
		domain = domain_parent(domain);
	}
	return count;
}

static bool
walk_ends(const struct dmarc_record *record)
{
	return record->psd != DMARC_PSD_UNKNOWN;
}

/* Whether a record stands at a public suffix: it says so, or it says nothing
 * and the public suffix list knows the name. Taken by the letter of RFC 9989 a
 * suffix that forgot psd=y would make all domains below it one organisation,
 * and each could pass as any other. */
static bool
is_at_suffix(const struct found *found)
{
	return found->record.psd == DMARC_PSD_YES ||
	       (found->record.psd == DMARC_PSD_UNKNOWN &&
		   domain_is_public_suffix(found->name));
}

/* RFC 9989, 4.10.2: the organisational domain out of what was found. */
static struct slice
choose_organisation(const struct walk *walk)
{
	struct slice shortest = walk->domain;

	for (size_t i = 0; i < walk->found_count; i++) {
		const struct found *found = &walk->found[i];

		if (found->record.psd == DMARC_PSD_NO)
			return found->name;
		if (!is_at_suffix(found))
			shortest = found->name;
		else if (!slice_equal(found->name, walk->domain))
			return domain_suffix(
			    walk->domain, domain_label_count(found->name) + 1);
	}
	return shortest;
}

static struct walk *
find_walk(struct dmarc_eval *eval, struct slice domain)
{
	struct walk **place;

	for (size_t i = 0; i < eval->walks.count; i++)
		if (slice_equal(eval->walks.items[i]->domain, domain))
			return eval->walks.items[i];
	place = list_append(eval->arena, &eval->walks, WALKS_MAX);
	if (place != NULL)
		*place = arena_alloc(eval->arena, sizeof **place);
	if (place == NULL || *place == NULL) {
		eval->limit = true;
		return NULL;
	}
	(*place)->domain = domain;
	return *place;
}

/* Asks for all names of the walk at once, for the sake of time, and reads them
 * in order. TC_OK when it is done. */
static enum tc_status
walk_step(struct dmarc_eval *eval, struct walk *walk)
{
	struct slice targets[WALK_MAX];
	enum at_name at[WALK_MAX];
	struct dmarc_record records[WALK_MAX];
	size_t count = walk_targets(walk->domain, targets);

	if (walk->done)
		return TC_OK;
	for (size_t i = 0; i < count; i++)
		at[i] = record_at(eval, targets[i], &records[i]);
	walk->found_count = 0;
	for (size_t i = 0; i < count && !walk->done; i++) {
		if (at[i] == AT_NAME_PENDING)
			return TC_AGAIN;
		if (at[i] == AT_NAME_TEMPERROR) {
			walk->temperror = true;
			break;
		}
		if (at[i] != AT_NAME_RECORD)
			continue;
		walk->found[walk->found_count++] =
		    (struct found){ .name = targets[i], .record = records[i] };
		walk->done = walk_ends(&records[i]);
	}
	walk->done = true;
	walk->organisation = choose_organisation(walk);
	return TC_OK;
}

/* The organisational domain of `domain`: TC_OK with *organisation_out (empty:
 * temporary failure), or TC_AGAIN. */
static enum tc_status
organisation_of(struct dmarc_eval *eval, struct slice domain,
    struct slice *organisation_out)
{
	struct walk *walk;
	enum tc_status status;

	if (eval->mode == DMARC_RFC7489) {
		*organisation_out = domain_registrable(domain);
		return TC_OK;
	}
	walk = find_walk(eval, domain);
	if (walk == NULL)
		return TC_LIMIT;
	status = walk_step(eval, walk);
	if (status == TC_OK)
		*organisation_out =
		    walk->temperror ? slice_make(NULL, 0) : walk->organisation;
	return status;
}

/* -------------------------------------------------------- policy discovery */

/* Of the records that a walk found the one that applies (RFC 9989, 4.10.1):
 * the organisational domain's, else the public suffix's. */
static const struct found *
applicable(const struct walk *walk)
{
	for (size_t i = 0; i < walk->found_count; i++)
		if (slice_equal(walk->found[i].name, walk->organisation))
			return &walk->found[i];
	for (size_t i = 0; i < walk->found_count; i++)
		if (is_at_suffix(&walk->found[i]))
			return &walk->found[i];
	return NULL;
}

/* Finds the record where the author domain itself has none. TC_OK with
 * policy->has_record or ->temperror set, or neither. */
static enum tc_status
discover_above(struct dmarc_eval *eval, struct policy *policy)
{
	const struct found *found = NULL;
	enum tc_status status;
	struct walk *walk;

	if (eval->mode == DMARC_RFC7489) {
		policy->source.name = domain_registrable(policy->author);
		switch (record_at(
		    eval, policy->source.name, &policy->source.record)) {
		case AT_NAME_PENDING:
			return TC_AGAIN;
		case AT_NAME_TEMPERROR:
			policy->temperror = true;
			break;
		case AT_NAME_RECORD:
			policy->has_record = true;
			break;
		case AT_NAME_NONE:
			break;
		}
		return TC_OK;
	}
	walk = find_walk(eval, policy->author);
	if (walk == NULL)
		return TC_LIMIT;
	status = walk_step(eval, walk);
	if (status != TC_OK)
		return status;
	policy->temperror = walk->temperror;
	if (!walk->temperror)
		found = applicable(walk);
	if (found != NULL) {
		policy->source = *found;
		policy->has_record = true;
	}
	return TC_OK;
}

/* sp= or np= (RFC 9989, 4.7): a name does not exist when the DNS says
 * NXDOMAIN of it (RFC 8020). */
static enum tc_status
choose_subdomain_policy(struct dmarc_eval *eval, struct policy *policy)
{
	const struct dmarc_record *record = &policy->source.record;
	const struct dns_answer *answer;

	policy->asked = record->sp;
	if (eval->mode == DMARC_RFC7489 || record->np == record->sp)
		return TC_OK;
	answer = lookups_ask(eval->lookups, policy->author, DNS_TYPE_A);
	if (answer->state == DNS_PENDING)
		return TC_AGAIN;
	if (answer->state == DNS_TEMPERROR)
		policy->np_temperror = true;
	else if (answer->state == DNS_NXDOMAIN)
		policy->asked = record->np;
	return TC_OK;
}

static enum tc_status
discover(struct dmarc_eval *eval, struct policy *policy)
{
	enum tc_status status = TC_OK;

	if (policy->done)
		return TC_OK;
	policy->temperror = policy->has_record = false;
	switch (record_at(eval, policy->author, &policy->source.record)) {
	case AT_NAME_PENDING:
		return TC_AGAIN;
	case AT_NAME_TEMPERROR:
		policy->temperror = true;
		break;
	case AT_NAME_RECORD:
		policy->has_record = true;
		policy->source.name = policy->author;
		policy->asked = policy->source.record.p;
		break;
	case AT_NAME_NONE:
		status = discover_above(eval, policy);
		if (status == TC_OK && policy->has_record)
			status = choose_subdomain_policy(eval, policy);
		break;
	}
	if (status != TC_OK)
		return status;
	policy->has_record &= policy->source.record.usable;
	policy->done = true;
	return TC_OK;
}

enum tc_status
dmarc_eval_discover(struct dmarc_eval *eval)
{
	enum tc_status all = TC_OK;

	for (size_t i = 0; i < eval->author_count; i++) {
		enum tc_status status = discover(eval, &eval->authors[i]);

		if (status == TC_AGAIN)
			all = TC_AGAIN;
		else if (status != TC_OK)
			return status;
	}
	return eval->limit ? TC_LIMIT : all;
}

/* ------------------------------------------------------------------ begin */

static void
add_author(struct dmarc_eval *eval, struct slice author)
{
	struct slice domain;

	if (!domain_canonical(eval->arena, author, &domain)) {
		eval->bad_author = true;
		eval->limit |= arena_exhausted(eval->arena);
		return;
	}
	for (size_t i = 0; i < eval->author_count; i++)
		if (slice_equal(eval->authors[i].author, domain))
			return;
	if (eval->author_count == AUTHORS_MAX)
		eval->too_many = true;
	else
		eval->authors[eval->author_count++].author = domain;
}

struct dmarc_eval *
dmarc_eval_new(struct arena *arena, struct lookups *lookups,
    const struct slice *authors, size_t author_count, enum dmarc_mode mode)
{
	struct dmarc_eval *eval = arena_alloc(arena, sizeof *eval);

	if (eval == NULL)
		return NULL;
	eval->arena = arena;
	eval->lookups = lookups;
	eval->mode = mode;
	eval->no_author = author_count == 0;
	for (size_t i = 0; i < author_count && !eval->too_many; i++)
		add_author(eval, authors[i]);
	return eval;
}

void
dmarc_eval_prefetch(struct dmarc_eval *eval, struct slice domain)
{
	struct slice canonical, organisation;

	/* Where the identifier is the author domain itself no walk is needed,
	 * and more than one author never passes. */
	if (eval->author_count != 1 ||
	    !domain_canonical(eval->arena, domain, &canonical) ||
	    slice_equal(canonical, eval->authors[0].author))
		return;
	(void)organisation_of(eval, canonical, &organisation);
	(void)organisation_of(eval, eval->authors[0].author, &organisation);
}

/* -------------------------------------------------------------- alignment */

enum aligned {
	ALIGNED_NO,
	ALIGNED_YES,
	ALIGNED_UNKNOWN /* temporary failure in a walk */
};

static enum tc_status
check_alignment(struct dmarc_eval *eval, struct slice author,
    struct slice identifier, enum dmarc_alignment mode,
    enum aligned *aligned_out)
{
	struct slice own, other;
	enum tc_status status, second;

	*aligned_out = ALIGNED_NO;
	if (slice_equal(author, identifier)) {
		*aligned_out = ALIGNED_YES;
		return TC_OK;
	}
	if (mode == DMARC_STRICT)
		return TC_OK;
	/* Both are asked before either is waited for. */
	status = organisation_of(eval, author, &own);
	second = organisation_of(eval, identifier, &other);
	if (status != TC_OK || second != TC_OK)
		return status != TC_OK ? status : second;
	if (own.length == 0 || other.length == 0)
		*aligned_out = ALIGNED_UNKNOWN;
	else if (slice_equal(own, other))
		*aligned_out = ALIGNED_YES;
	return TC_OK;
}

/* What the identifiers together came to. */
struct tally {
	struct dmarc_outcome *outcome;
	bool *signature_aligned;
	bool pending;
	bool unknown; /* something that might be a pass failed for now */
};

static enum tc_status
judge_spf(struct dmarc_eval *eval, const struct policy *policy,
    const struct dmarc_spf *spf, struct tally *tally)
{
	enum aligned aligned;
	struct slice domain;
	enum tc_status status;

	if ((!spf->pass && !spf->temperror) ||
	    !domain_canonical(eval->arena, spf->domain, &domain))
		return arena_exhausted(eval->arena) ? TC_LIMIT : TC_OK;
	status = check_alignment(
	    eval, policy->author, domain, policy->source.record.aspf, &aligned);
	if (status != TC_OK)
		return status;
	if (spf->pass && aligned == ALIGNED_YES) {
		tally->outcome->aligned_spf = true;
		tally->outcome->aligned_spf_domain = domain;
	} else if (aligned != ALIGNED_NO) {
		tally->unknown = true;
	}
	return TC_OK;
}

static enum tc_status
judge_signature(struct dmarc_eval *eval, const struct policy *policy,
    const struct dkim_signature *signature, bool *aligned_out,
    struct tally *tally)
{
	enum aligned aligned;
	enum tc_status status;
	bool counts = signature->result == DKIM_VERIFY_PASS &&
		      !signature->extended_after_length;

	if (signature->domain.length == 0)
		return TC_OK;
	if (!counts && signature->result != DKIM_VERIFY_TEMPERROR) {
		*aligned_out = slice_equal(policy->author, signature->domain);
		return TC_OK;
	}
	status = check_alignment(eval, policy->author, signature->domain,
	    policy->source.record.adkim, &aligned);
	if (status != TC_OK)
		return status;
	*aligned_out = aligned == ALIGNED_YES;
	if (counts && aligned == ALIGNED_YES) {
		if (!tally->outcome->aligned_dkim)
			tally->outcome->aligned_dkim_domain = signature->domain;
		tally->outcome->aligned_dkim = true;
	} else if (aligned != ALIGNED_NO) {
		tally->unknown = true;
	}
	return TC_OK;
}

static enum tc_status
judge_identifiers(struct dmarc_eval *eval, const struct policy *policy,
    const struct dmarc_spf *spf, const struct dkim_signature *signatures,
    size_t signature_count, struct tally *tally)
{
	enum tc_status status, all = TC_OK;

	tally->signature_aligned = arena_alloc_array(
	    eval->arena, signature_count + 1, sizeof *tally->signature_aligned);
	if (tally->signature_aligned == NULL)
		return TC_LIMIT;
	tally->outcome->signature_aligned = tally->signature_aligned;
	if (spf != NULL)
		all = judge_spf(eval, policy, spf, tally);
	for (size_t i = 0; i < signature_count; i++) {
		if (all != TC_OK && all != TC_AGAIN)
			return all;
		status = judge_signature(eval, policy, &signatures[i],
		    &tally->signature_aligned[i], tally);
		if (status != TC_OK)
			all = status;
	}
	return all;
}

/* ----------------------------------------------------------------- result */

static void
conclude(
    struct dmarc_outcome *outcome, enum dmarc_result result, const char *reason)
{
	outcome->result = result;
	outcome->reason = reason;
}

static void
describe_policy(const struct policy *policy, struct dmarc_outcome *outcome)
{
	outcome->policy_domain = policy->source.name;
	outcome->record = policy->source.record;
	outcome->testing = policy->source.record.testing;
	outcome->published_policy = policy->asked;
	outcome->policy = policy->asked;
	/* One level below (RFC 9989, 4.7, t=). */
	if (outcome->testing && outcome->policy != DMARC_POLICY_NONE)
		outcome->policy--;
}

/* Several author domains, or one that is no domain: nothing passes. The
 * strictest policy of them all applies (RFC 9989, 11.5). */
static void
conclude_several(struct dmarc_eval *eval, struct dmarc_outcome *outcome)
{
	const struct policy *strictest = NULL;
	bool temperror = false;

	for (size_t i = 0; i < eval->author_count; i++) {
		const struct policy *policy = &eval->authors[i];

		temperror |= policy->temperror || policy->np_temperror;
		if (policy->has_record &&
		    (strictest == NULL || policy->asked > strictest->asked))
			strictest = policy;
	}
	if (strictest != NULL)
		describe_policy(strictest, outcome);
	if (temperror)
		conclude(
		    outcome, DMARC_TEMPERROR, "no answer about a DMARC record");
	else if (strictest != NULL)
		conclude(outcome, DMARC_FAIL, "not exactly one author domain");
	else
		conclude(
		    outcome, DMARC_PERMERROR, "not exactly one author domain");
}

static void
conclude_one(const struct policy *policy, const struct tally *tally)
{
	struct dmarc_outcome *outcome = tally->outcome;

	if (outcome->aligned_spf || outcome->aligned_dkim)
		conclude(outcome, DMARC_PASS, "aligned");
	else if (tally->unknown)
		conclude(outcome, DMARC_TEMPERROR,
		    "an identifier could not be judged for now");
	else if (policy->np_temperror)
		conclude(outcome, DMARC_TEMPERROR,
		    "no answer whether the author domain exists");
	else
		conclude(outcome, DMARC_FAIL, "nothing passed and aligned");
}

/* The organisational domain for the report; no question is asked for it. */
static struct slice
known_organisation(struct dmarc_eval *eval, struct slice author)
{
	if (eval->mode == DMARC_RFC7489)
		return domain_registrable(author);
	for (size_t i = 0; i < eval->walks.count; i++) {
		const struct walk *walk = eval->walks.items[i];

		if (walk->done && !walk->temperror &&
		    slice_equal(walk->domain, author))
			return walk->organisation;
	}
	return author;
}

static enum tc_status
judge_one(struct dmarc_eval *eval, const struct dmarc_spf *spf,
    const struct dkim_signature *signatures, size_t signature_count,
    struct dmarc_outcome *outcome)
{
	const struct policy *policy = &eval->authors[0];
	struct tally tally = { .outcome = outcome };
	enum tc_status status;

	outcome->author_domain = policy->author;
	if (policy->temperror) {
		conclude(outcome, DMARC_TEMPERROR,
		    "no answer about the DMARC record");
		return TC_OK;
	}
	if (!policy->has_record) {
		conclude(outcome, DMARC_NONE, "no DMARC record applies");
		return TC_OK;
	}
	describe_policy(policy, outcome);
	status = judge_identifiers(
	    eval, policy, spf, signatures, signature_count, &tally);
	if (status == TC_OK)
		conclude_one(policy, &tally);
	return status;
}

static unsigned
count_queries(const struct lookups *lookups)
{
	unsigned count = 0;

	for (size_t i = 0; i < lookups_count(lookups); i++)
		count += slice_starts_with_fold(
		    lookups_answer(lookups, i)->name, SLICE_LITERAL("_dmarc."));
	return count;
}

enum tc_status
dmarc_eval_step(struct dmarc_eval *eval, const struct dmarc_spf *spf,
    const struct dkim_signature *signatures, size_t signature_count,
    struct dmarc_outcome *outcome_out)
{
	struct dmarc_outcome outcome = { .result = DMARC_NONE };
	enum tc_status status = dmarc_eval_discover(eval);

	if (status != TC_OK)
		return status;
	if (eval->no_author)
		conclude(&outcome, DMARC_PERMERROR, "no author domain");
	else if (eval->author_count == 1 && !eval->bad_author)
		status =
		    judge_one(eval, spf, signatures, signature_count, &outcome);
	else
		conclude_several(eval, &outcome);
	if (status != TC_OK)
		return status;
	if (eval->limit)
		return TC_LIMIT;
	if (eval->author_count > 0)
		outcome.organisational_domain =
		    known_organisation(eval, eval->authors[0].author);
	outcome.queries = count_queries(eval->lookups);
	*outcome_out = outcome;
	return TC_OK;
}

const char *
dmarc_result_name(enum dmarc_result result)
{
	static const char *const names[] = { "none", "pass", "fail",
		"temperror", "permerror" };

	return names[result];
}
