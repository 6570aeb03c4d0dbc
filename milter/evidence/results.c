#include <config.h>

#include "evidence/results.h"

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "evidence/evidence.h"
#include "language/facts.h"
#include "message/message.h"

const char *
results_spf(const struct evidence *evidence)
{
	return evidence->spf == NULL ? "none"
				     : spf_result_name(evidence->spf->result);
}

const char *
results_dkim(const struct evidence *evidence)
{
	return evidence->dkim == NULL
		   ? "none"
		   : dkim_verify_result_name(evidence->dkim->result);
}

const char *
results_dmarc(const struct evidence *evidence)
{
	return evidence->dmarc == NULL
		   ? "none"
		   : dmarc_result_name(evidence->dmarc->result);
}

const char *
results_arc(const struct evidence *evidence)
{
	return evidence->arc == NULL ? "none"
				     : arc_result_name(evidence->arc->result);
}

struct slice
results_spf_domain(const struct evidence *evidence)
{
	return evidence->spf == NULL ? slice_make(NULL, 0)
				     : evidence->spf->domain;
}

struct slice
results_author(const struct evidence *evidence)
{
	const struct address_list *from;

	if (evidence->message == NULL)
		return slice_make(NULL, 0);
	from = message_from(evidence->message);
	return from->count == 0 ? slice_make(NULL, 0) : from->items[0].address;
}

bool
results_temporary(const struct evidence *evidence)
{
	return (evidence->spf != NULL &&
		   evidence->spf->result == SPF_TEMPERROR) ||
	       (evidence->dkim != NULL &&
		   evidence->dkim->result == DKIM_VERIFY_TEMPERROR) ||
	       (evidence->dmarc != NULL &&
		   evidence->dmarc->result == DMARC_TEMPERROR) ||
	       (evidence->arc != NULL &&
		   evidence->arc->result == ARC_TEMPERROR);
}

enum schema_result
results_fact(const char *word)
{
	int number = schema_word(FIELD_SPF, word);

	return number < 0 ? FACT_RESULT_NONE : (enum schema_result)number;
}

const char *
results_failure_name(unsigned failure)
{
	static const char *const names[FAILURE_COUNT] = {
		[FAILURE_DNS] = "dns",
		[FAILURE_LIMIT] = "limit",
		[FAILURE_SCANNER] = "scanner",
		[FAILURE_INTERNAL] = "internal",
	};

	return failure < FAILURE_COUNT ? names[failure] : "internal";
}
