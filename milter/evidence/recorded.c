#include <config.h>

#include "evidence/recorded.h"

#include "auth/arc.h"
#include "auth/auth_results.h"
#include "auth/auth_results_read.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "base/domain.h"
#include "evidence/evidence.h"
#include "language/settings.h"
#include "language/value_list.h"
#include "message/message.h"

/* The value of one property, or empty. */
static struct slice
property(const struct auth_results_method *method, const char *type,
    const char *name)
{
	for (size_t i = 0; i < method->properties.count; i++) {
		const struct auth_results_property *candidate =
		    &method->properties.items[i];

		if (slice_equal_text_fold(candidate->type, type) &&
		    slice_equal_text_fold(candidate->name, name))
			return candidate->value;
	}
	return slice_make(NULL, 0);
}

static struct slice
canonical(struct arena *arena, struct slice name)
{
	size_t at = slice_find_last_byte(name, '@');
	struct slice domain = slice_make(NULL, 0);

	if (at != SIZE_MAX)
		name = slice_skip(name, at + 1);
	domain_canonical(arena, name, &domain);
	return domain;
}

static void
take_spf(struct evidence *evidence, const struct auth_results_method *method)
{
	struct spf_outcome *spf = arena_alloc(evidence->arena, sizeof *spf);
	struct slice sender = property(method, "smtp", "mailfrom");

	if (evidence->spf != NULL || spf == NULL)
		return;
	for (int i = SPF_NONE; i <= SPF_PERMERROR; i++)
		if (slice_equal_text_fold(
			method->result, spf_result_name((enum spf_result)i)))
			spf->result = (enum spf_result)i;
	spf->identity =
	    sender.length > 0 ? SPF_IDENTITY_MAILFROM : SPF_IDENTITY_HELO;
	spf->domain = canonical(evidence->arena,
	    sender.length > 0 ? sender : property(method, "smtp", "helo"));
	evidence->spf = spf;
}

/* Pass if any signature passed, else temperror if any, else the first's. */
static enum dkim_verify_result
best_result(const struct dkim_verify_outcome *dkim)
{
	enum dkim_verify_result best = dkim->signatures.items[0].result;

	for (size_t i = 0; i < dkim->signatures.count; i++) {
		enum dkim_verify_result result =
		    dkim->signatures.items[i].result;

		if (result == DKIM_VERIFY_PASS)
			return result;
		if (result == DKIM_VERIFY_TEMPERROR)
			best = result;
	}
	return best;
}

static void
take_signature(struct evidence *evidence, struct dkim_verify_outcome *dkim,
    const struct auth_results_method *method)
{
	struct dkim_signature *signature = list_append(evidence->arena,
	    &dkim->signatures, evidence->settings->limits.signatures);

	if (signature == NULL)
		return;
	for (int i = DKIM_VERIFY_NONE; i <= DKIM_VERIFY_PERMERROR; i++)
		if (slice_equal_text_fold(method->result,
			dkim_verify_result_name((enum dkim_verify_result)i)))
			signature->result = (enum dkim_verify_result)i;
	signature->domain =
	    canonical(evidence->arena, property(method, "header", "d"));
	if (signature->domain.length == 0)
		signature->domain =
		    canonical(evidence->arena, property(method, "header", "i"));
	signature->selector = property(method, "header", "s");
	signature->algorithm = property(method, "header", "a");
	dkim->signature_count++;
	dkim->result = best_result(dkim);
}

static void
take_dmarc(struct evidence *evidence, const struct auth_results_method *method)
{
	struct dmarc_outcome *dmarc =
	    arena_alloc(evidence->arena, sizeof *dmarc);
	struct slice policy = property(method, "policy", "dmarc");

	if (evidence->dmarc != NULL || dmarc == NULL)
		return;
	for (int i = DMARC_NONE; i <= DMARC_PERMERROR; i++)
		if (slice_equal_text_fold(method->result,
			dmarc_result_name((enum dmarc_result)i)))
			dmarc->result = (enum dmarc_result)i;
	for (int i = DMARC_POLICY_NONE; i <= DMARC_POLICY_REJECT; i++)
		if (slice_equal_text_fold(
			policy, dmarc_policy_name((enum dmarc_policy)i)))
			dmarc->policy = (enum dmarc_policy)i;
	dmarc->author_domain =
	    canonical(evidence->arena, property(method, "header", "from"));
	evidence->dmarc = dmarc;
}

static void
take_arc(struct evidence *evidence, const struct auth_results_method *method)
{
	struct arc_outcome *arc = arena_alloc(evidence->arena, sizeof *arc);

	if (evidence->arc != NULL || arc == NULL)
		return;
	for (int i = ARC_NONE; i <= ARC_TEMPERROR; i++)
		if (slice_equal_text_fold(
			method->result, arc_result_name((enum arc_result)i)))
			arc->result = (enum arc_result)i;
	evidence->arc = arc;
}

static bool
is_trusted(const struct evidence *evidence, struct slice id)
{
	const struct value_list *trusted = evidence->trusted_ids;

	if (slice_equal_text_fold(id, evidence->settings->authserv_id))
		return id.length > 0;
	for (size_t i = 0; trusted != NULL && i < value_list_count(trusted);
	     i++)
		if (slice_equal_fold(id, value_list_entry(trusted, i, NULL)))
			return true;
	return false;
}

/* Takes what one field tells and no field above it told. Several dkim entries
 * of one field belong together. */
static void
take_field(struct evidence *evidence, const struct auth_results *results)
{
	struct dkim_verify_outcome *dkim =
	    arena_alloc(evidence->arena, sizeof *dkim);

	for (size_t i = 0; i < results->methods.count; i++) {
		const struct auth_results_method *method =
		    &results->methods.items[i];

		if (slice_equal_text_fold(method->method, "spf"))
			take_spf(evidence, method);
		else if (slice_equal_text_fold(method->method, "dmarc"))
			take_dmarc(evidence, method);
		else if (slice_equal_text_fold(method->method, "arc"))
			take_arc(evidence, method);
		else if (dkim != NULL && evidence->dkim == NULL &&
			 slice_equal_text_fold(method->method, "dkim"))
			take_signature(evidence, dkim, method);
	}
	if (dkim != NULL && dkim->signatures.count > 0)
		evidence->dkim = dkim;
}

void
recorded_results(struct evidence *evidence)
{
	const struct header_list *headers = message_headers(evidence->message);
	const struct header_field *field;
	size_t at = 0;

	while ((field = header_find(headers, "Authentication-Results", &at)) !=
	       NULL) {
		struct auth_results results;

		if (auth_results_read(
			evidence->arena, field->value, &results) == TC_OK &&
		    is_trusted(evidence, results.authserv_id))
			take_field(evidence, &results);
	}
	if (evidence->spf == NULL || evidence->dkim == NULL ||
	    evidence->dmarc == NULL)
		evidence_note_gap(evidence, EVIDENCE_GAP_AUTH);
}
