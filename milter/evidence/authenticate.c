#include <config.h>

#include "evidence/authenticate.h"

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "dns/lookups.h"
#include "evidence/evidence.h"
#include "language/settings.h"
#include "language/value_list.h"
#include "message/message.h"

struct authenticate {
	struct evidence *evidence;
	bool skip_sender; /* mail from ours: no SPF, no DMARC */
	bool headers_ended;

	struct spf_query spf_query;
	struct spf_eval *spf;
	struct spf_outcome spf_outcome;

	struct dkim_verify *dkim;
	struct arc_verify *arc;

	struct dmarc_eval *dmarc;
	struct dmarc_outcome dmarc_outcome;
};

/* What stands for a method that we could not carry out. */
static const struct spf_outcome spf_failed = {
	.result = SPF_TEMPERROR,
	.identity = SPF_IDENTITY_MAILFROM,
	.rfc = "2.6.6",
};
static const struct dkim_verify_outcome dkim_failed = {
	.result = DKIM_VERIFY_TEMPERROR,
};
static const struct dmarc_outcome dmarc_failed = {
	.result = DMARC_TEMPERROR,
	.reason = "not evaluated",
};
static const struct arc_outcome arc_failed = {
	.result = ARC_TEMPERROR,
	.reason = "not evaluated",
};

/* Notes why a method stopped. */
static void
note(struct evidence *evidence, enum tc_status status)
{
	evidence_note_gap(evidence,
	    status == TC_LIMIT ? EVIDENCE_GAP_LIMIT : EVIDENCE_GAP_INTERNAL);
}

static void
fail_dkim(struct authenticate *authenticate, enum tc_status status)
{
	note(authenticate->evidence, status);
	dkim_verify_free(&authenticate->dkim);
	authenticate->evidence->dkim = &dkim_failed;
}

static void
fail_arc(struct authenticate *authenticate, enum tc_status status)
{
	note(authenticate->evidence, status);
	arc_verify_free(&authenticate->arc);
	authenticate->evidence->arc = &arc_failed;
}

struct authenticate *
authenticate_new(struct evidence *evidence)
{
	const struct settings_limits *limits = &evidence->settings->limits;
	struct dkim_verify_limits dkim_limits = DKIM_VERIFY_LIMITS_DEFAULT;
	struct arc_limits arc_limits = ARC_LIMITS_DEFAULT;
	bool native =
	    evidence->settings->dkim_engine == SETTINGS_DKIM_ENGINE_NATIVE;
	struct authenticate *authenticate =
	    arena_alloc(evidence->arena, sizeof *authenticate);

	if (authenticate == NULL)
		return NULL;
	authenticate->evidence = evidence;
	dkim_limits.signatures_max = (unsigned)limits->signatures;
	authenticate->dkim = dkim_verify_new(evidence->arena, evidence->lookups,
	    &dkim_limits, native ? DKIM_VERIFY_NATIVE : DKIM_VERIFY_LIBOPENDKIM,
	    (uint64_t)evidence->now_unix);
	if (authenticate->dkim == NULL)
		fail_dkim(authenticate, TC_SYSTEM);
	arc_limits.instances_max = (unsigned)limits->arc_sets;
	authenticate->arc = arc_verify_new(evidence->arena, evidence->lookups,
	    &arc_limits, (uint64_t)evidence->now_unix);
	if (authenticate->arc == NULL)
		fail_arc(authenticate, TC_SYSTEM);
	return authenticate;
}

static bool
peer_is_relay(const struct evidence *evidence)
{
	return evidence->connection->has_ip &&
	       evidence->trusted_relays != NULL &&
	       value_list_has_ip(evidence->trusted_relays,
		   &evidence->connection->ip, evidence->now_unix);
}

static void
start_spf(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	bool libspf2 =
	    evidence->settings->spf_engine == SETTINGS_SPF_ENGINE_LIBSPF2;
	struct spf_limits limits = SPF_LIMITS_DEFAULT;

	limits.record_bytes_max =
	    (unsigned)evidence->settings->limits.spf_record;
	authenticate->skip_sender =
	    evidence->from_ours && !evidence->settings->judge_own;
	if (authenticate->skip_sender || !evidence->has_client_ip)
		return;
	authenticate->spf_query = (struct spf_query){
		.client = evidence->client_ip,
		.helo = evidence->helo,
		.sender = evidence->sender_text,
		.identity = SPF_IDENTITY_AUTO,
		.receiver = evidence->connection->hostname,
		.now_unix = (uint64_t)evidence->now_unix,
	};
	evidence->spf_query = &authenticate->spf_query;
	authenticate->spf = spf_eval_new(evidence->arena, evidence->lookups,
	    &authenticate->spf_query, &limits,
	    libspf2 ? SPF_ENGINE_LIBSPF2 : SPF_ENGINE_NATIVE);
	if (authenticate->spf == NULL) {
		note(evidence, TC_LIMIT);
		evidence->spf = &spf_failed;
	}
	authenticate_spf(authenticate); /* asks the first questions */
}

void
authenticate_begin(struct authenticate *authenticate)
{
	if (!peer_is_relay(authenticate->evidence))
		start_spf(authenticate);
}

void
authenticate_header(
    struct authenticate *authenticate, struct slice name, struct slice value)
{
	enum tc_status status;

	if (authenticate->dkim != NULL) {
		status = dkim_verify_header(authenticate->dkim, name, value);
		if (status != TC_OK)
			fail_dkim(authenticate, status);
	}
	if (authenticate->arc != NULL) {
		status = arc_verify_header(authenticate->arc, name, value);
		if (status != TC_OK)
			fail_arc(authenticate, status);
	}
}

/* The author domains, and an empty one more where readers may disagree about
 * the author: then nothing passes (RFC 9989, 11.5). Several addresses of one
 * domain are still one author domain. */
static size_t
author_domains(const struct address_list *from, struct slice *authors)
{
	const unsigned harmless = ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_COMMENT) |
				  ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_DISPLAY) |
				  ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_EIGHT_BIT) |
				  ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_SEVERAL);
	size_t count = 0;

	for (size_t i = 0; i < from->count; i++)
		authors[count++] = from->items[i].domain;
	if (count > 0 && (from->defects & ~harmless) != 0)
		authors[count++] = slice_make(NULL, 0);
	return count;
}

static void
start_dmarc(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	const struct address_list *from = message_from(evidence->message);
	struct slice *authors = arena_alloc_array(
	    evidence->arena, from->count + 1, sizeof *authors);
	bool by_suffix_list =
	    evidence->settings->dmarc_mode == SETTINGS_DMARC_MODE_7489;

	if (authenticate->skip_sender)
		return;
	if (authors != NULL)
		authenticate->dmarc = dmarc_eval_new(evidence->arena,
		    evidence->lookups, authors, author_domains(from, authors),
		    by_suffix_list ? DMARC_RFC7489 : DMARC_RFC9989);
	if (authenticate->dmarc == NULL) {
		note(evidence, TC_LIMIT);
		evidence->dmarc = &dmarc_failed;
		return;
	}
	dmarc_eval_discover(authenticate->dmarc);
	if (evidence->sender_is_address)
		dmarc_eval_prefetch(
		    authenticate->dmarc, evidence->sender.domain);
}

void
authenticate_end_of_headers(struct authenticate *authenticate)
{
	enum tc_status status;

	if (authenticate->headers_ended)
		return;
	authenticate->headers_ended = true;
	if (peer_is_relay(authenticate->evidence))
		start_spf(authenticate);
	if (authenticate->dkim != NULL) {
		status = dkim_verify_end_of_headers(authenticate->dkim);
		if (status != TC_OK)
			fail_dkim(authenticate, status);
	}
	if (authenticate->arc != NULL) {
		status = arc_verify_end_of_headers(authenticate->arc);
		if (status != TC_OK)
			fail_arc(authenticate, status);
	}
	start_dmarc(authenticate);
}

void
authenticate_body(struct authenticate *authenticate, struct slice chunk)
{
	enum tc_status status;

	if (authenticate->dkim != NULL) {
		status = dkim_verify_body(authenticate->dkim, chunk);
		if (status != TC_OK)
			fail_dkim(authenticate, status);
	}
	if (authenticate->arc != NULL) {
		status = arc_verify_body(authenticate->arc, chunk);
		if (status != TC_OK)
			fail_arc(authenticate, status);
	}
}

enum tc_status
authenticate_spf(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	enum tc_status status;

	if (authenticate->spf == NULL || evidence->spf != NULL)
		return TC_OK;
	status = spf_eval_step(authenticate->spf, &authenticate->spf_outcome);
	if (status == TC_AGAIN)
		return status;
	evidence->spf = &authenticate->spf_outcome;
	if (status != TC_OK) {
		note(evidence, status);
		evidence->spf = &spf_failed;
	}
	return TC_OK;
}

static enum tc_status
end_dkim(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	enum tc_status status;

	if (evidence->dkim != NULL)
		return TC_OK;
	status = dkim_verify_end(authenticate->dkim, &evidence->dkim);
	if (status != TC_OK && status != TC_AGAIN)
		fail_dkim(authenticate, status);
	return status == TC_AGAIN ? status : TC_OK;
}

static enum tc_status
end_arc(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	enum tc_status status;

	if (evidence->arc != NULL)
		return TC_OK;
	status = arc_verify_end(authenticate->arc, &evidence->arc);
	if (status != TC_OK && status != TC_AGAIN)
		fail_arc(authenticate, status);
	return status == TC_AGAIN ? status : TC_OK;
}

/* SPF as DMARC takes it (RFC 9989, 4.4.2): only the MAIL FROM identity counts,
 * or the HELO name for a null sender. */
static struct dmarc_spf
spf_for_dmarc(const struct evidence *evidence)
{
	const struct spf_outcome *spf = evidence->spf;

	if (spf == NULL)
		return (struct dmarc_spf){ 0 };
	return (struct dmarc_spf){
		.pass = spf->result == SPF_PASS,
		.temperror = spf->result == SPF_TEMPERROR,
		.domain = spf->domain,
	};
}

static enum tc_status
end_dmarc(struct authenticate *authenticate)
{
	struct evidence *evidence = authenticate->evidence;
	struct dmarc_spf spf = spf_for_dmarc(evidence);
	enum tc_status status;

	if (authenticate->dmarc == NULL || evidence->dmarc != NULL)
		return TC_OK;
	status = dmarc_eval_step(authenticate->dmarc, &spf,
	    evidence->dkim->signatures.items, evidence->dkim->signatures.count,
	    &authenticate->dmarc_outcome);
	if (status == TC_AGAIN)
		return status;
	evidence->dmarc = &authenticate->dmarc_outcome;
	if (status != TC_OK)
		note(evidence, status);
	/* What could not be looked at might have passed. */
	if (status != TC_OK ||
	    ((evidence->dkim == &dkim_failed || evidence->spf == &spf_failed) &&
		authenticate->dmarc_outcome.result == DMARC_FAIL))
		evidence->dmarc = &dmarc_failed;
	return TC_OK;
}

enum tc_status
authenticate_end(struct authenticate *authenticate)
{
	/* All are asked each time, so that their questions are under way
	 * together. */
	enum tc_status spf = authenticate_spf(authenticate);
	enum tc_status dkim = end_dkim(authenticate);
	enum tc_status arc = end_arc(authenticate);
	enum tc_status dmarc;

	if (spf == TC_AGAIN || dkim == TC_AGAIN) {
		if (authenticate->dmarc != NULL)
			dmarc_eval_discover(authenticate->dmarc);
		return TC_AGAIN;
	}
	dmarc = end_dmarc(authenticate);
	return arc == TC_AGAIN || dmarc == TC_AGAIN ? TC_AGAIN : TC_OK;
}

void
authenticate_free(struct authenticate **authenticate)
{
	if (*authenticate == NULL)
		return;
	dkim_verify_free(&(*authenticate)->dkim);
	arc_verify_free(&(*authenticate)->arc);
	*authenticate = NULL;
}
