#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>

#include "outcome/conclude.h"

#include "auth/arc.h"
#include "auth/dkim_verify.h"
#include "auth/dmarc.h"
#include "auth/spf.h"
#include "base/builder.h"
#include "base/log.h"
#include "dns/lookups.h"
#include "evidence/evidence.h"
#include "language/program.h"
#include "outcome/alert.h"
#include "outcome/journal.h"
#include "outcome/metrics.h"
#include "outcome/record.h"
#include "outcome/verdict_log.h"

/* ---- keeping */

static bool
wants_preserving(const struct verdict *verdict)
{
	bool lost = verdict->disposition == DISPOSITION_REJECT ||
		    verdict->disposition == DISPOSITION_DISCARD;

	for (size_t i = 0; i < verdict->actions.count; i++)
		if (verdict->actions.items[i].kind == ACTION_PRESERVE)
			return true;
	return lost && verdict->severity >= FACT_SEVERITY_HIGH;
}

static bool
preserve(struct evidence *evidence, struct journal *journal)
{
	enum tc_status status = journal_preserve(
	    journal, evidence->arena, evidence, &evidence->preserved_path);

	if (status == TC_OK) {
		metrics_add(METRICS_PRESERVED, 1);
		return true;
	}
	evidence->preserve_failed = true;
	metrics_add(METRICS_PRESERVE_FAILED, 1);
	log_write(LOG_LEVEL_ERROR,
	    "%.*s: not preserved ref=%s error=\"%s\"; %s",
	    (int)evidence->queue_id.length, evidence->queue_id.data,
	    evidence->reference, strerror(errno),
	    status == TC_LIMIT
		? "raise evidence-quota or move kept messages away"
		: "check state-directory/evidence");
	return false;
}

static void
record(const struct evidence *evidence, const struct verdict *verdict,
    struct journal *journal, enum schema_stage stage)
{
	struct builder line = builder_make(evidence->arena, SIZE_MAX);
	enum tc_status status = TC_LIMIT;

	if (journal == NULL || !journal_wants_records(journal))
		return;
	builder_byte(&line, '{');
	record_write(&line, evidence, verdict, stage);
	builder_byte(&line, '}');
	if (!line.failed)
		status = journal_write(
		    journal, builder_result(&line), evidence->now_unix);
	if (status == TC_OK) {
		metrics_add(METRICS_JOURNAL_RECORDS, 1);
		journal_expire(journal, evidence->now_unix);
		return;
	}
	metrics_add(METRICS_JOURNAL_FAILED, 1);
	log_write(LOG_LEVEL_ERROR, "%.*s: not recorded ref=%s error=\"%s\"",
	    (int)evidence->queue_id.length, evidence->queue_id.data,
	    evidence->reference,
	    line.failed ? "the record was too large" : strerror(errno));
}

/* ---- counting */

static void
count_results(const struct evidence *evidence)
{
	if (evidence->spf != NULL && evidence->spf->result == SPF_PASS)
		metrics_add(METRICS_SPF_PASS, 1);
	if (evidence->spf != NULL && evidence->spf->result == SPF_FAIL)
		metrics_add(METRICS_SPF_FAIL, 1);
	if (evidence->spf != NULL && evidence->spf->result == SPF_TEMPERROR)
		metrics_add(METRICS_SPF_TEMPERROR, 1);
	if (evidence->dkim != NULL &&
	    evidence->dkim->result == DKIM_VERIFY_PASS)
		metrics_add(METRICS_DKIM_PASS, 1);
	if (evidence->dkim != NULL &&
	    evidence->dkim->result == DKIM_VERIFY_FAIL)
		metrics_add(METRICS_DKIM_FAIL, 1);
	if (evidence->dkim != NULL &&
	    evidence->dkim->result == DKIM_VERIFY_TEMPERROR)
		metrics_add(METRICS_DKIM_TEMPERROR, 1);
	if (evidence->dmarc != NULL && evidence->dmarc->result == DMARC_PASS)
		metrics_add(METRICS_DMARC_PASS, 1);
	if (evidence->dmarc != NULL && evidence->dmarc->result == DMARC_FAIL)
		metrics_add(METRICS_DMARC_FAIL, 1);
	if (evidence->dmarc != NULL &&
	    evidence->dmarc->result == DMARC_TEMPERROR)
		metrics_add(METRICS_DMARC_TEMPERROR, 1);
	if (evidence->arc != NULL && evidence->arc->result == ARC_PASS)
		metrics_add(METRICS_ARC_PASS, 1);
	if (evidence->arc != NULL && evidence->arc->result == ARC_FAIL)
		metrics_add(METRICS_ARC_FAIL, 1);
}

static void
count_verdict(const struct verdict *verdict)
{
	static const enum metrics_counter counters[] = {
		[DISPOSITION_NONE] = METRICS_VERDICT_NONE,
		[DISPOSITION_DEFER] = METRICS_VERDICT_DEFER,
		[DISPOSITION_DISCARD] = METRICS_VERDICT_DISCARD,
		[DISPOSITION_QUARANTINE] = METRICS_VERDICT_QUARANTINE,
		[DISPOSITION_REJECT] = METRICS_VERDICT_REJECT,
	};

	metrics_add(counters[verdict->disposition], 1);
	if (verdict->failures != 0)
		metrics_add(METRICS_FAILURES, 1);
	for (size_t i = 0; i < verdict->actions.count; i++)
		if (verdict->actions.items[i].kind == ACTION_TAG) {
			metrics_add(METRICS_TAGGED, 1);
			return;
		}
}

static void
count(const struct evidence *evidence, const struct verdict *verdict)
{
	struct lookups_usage usage;

	metrics_add(METRICS_MESSAGES, 1);
	metrics_add(METRICS_BYTES, evidence->size_bytes);
	metrics_add(METRICS_TOOK_MS, evidence->took_ms);
	metrics_add(METRICS_INDICATOR_HITS, evidence->hit_count);
	if (evidence->gaps != 0)
		metrics_add(METRICS_INCOMPLETE, 1);
	if (evidence->lookups != NULL) {
		lookups_usage_read(evidence->lookups, &usage);
		metrics_add(METRICS_DNS_QUERIES, usage.questions);
		metrics_add(METRICS_DNS_TIMEOUTS, usage.timeouts);
	}
	count_results(evidence);
	count_verdict(verdict);
}

/* ---- concluding */

enum tc_status
conclude_message(struct evidence *evidence, const struct verdict *verdict,
    struct journal *journal, struct alerts *alerts,
    const struct apply_target *target, struct apply_reply *reply_out)
{
	struct verdict deferred;
	enum tc_status status;

	if (journal != NULL && wants_preserving(verdict) &&
	    !preserve(evidence, journal) &&
	    verdict->disposition == DISPOSITION_DISCARD) {
		/* The copy would have been all that is left of it. */
		deferred = *verdict;
		deferred.disposition = DISPOSITION_DEFER;
		verdict = &deferred;
	}
	status = apply_verdict(evidence, verdict, target, reply_out);
	verdict_log_write(evidence, verdict, STAGE_MESSAGE);
	alert_raise(alerts, evidence, verdict);
	count(evidence, verdict);
	record(evidence, verdict, journal, STAGE_MESSAGE);
	return status;
}

void
conclude_early(const struct evidence *evidence, const struct verdict *verdict,
    struct journal *journal, enum schema_stage stage)
{
	if (verdict->disposition == DISPOSITION_NONE)
		return; /* its tags and shadows join the message's verdict */
	metrics_add(verdict->disposition == DISPOSITION_REJECT
			? METRICS_EARLY_REJECT
			: METRICS_EARLY_DEFER,
	    1);
	verdict_log_write(evidence, verdict, stage);
	record(evidence, verdict, journal, stage);
}

static void
tag_failure(const struct evidence *evidence, const struct apply_target *target)
{
	char value[64];

	snprintf(value, sizeof value, " tag; ref=%s",
	    evidence == NULL ? "-" : evidence->reference);
	if (target != NULL)
		target->insert_header(
		    target->context, 0, "X-Tocsin-Result", value);
}

void
conclude_failure(const struct evidence *evidence,
    const struct settings *settings, bool out_of_memory,
    const struct apply_target *target, enum tc_status status,
    struct apply_reply *reply_out)
{
	int64_t action = out_of_memory ? SETTINGS_FAILURE_ACTION_DEFER
				       : settings->failure[FAILURE_INTERNAL];
	struct slice queue_id =
	    evidence == NULL ? slice_make(NULL, 0) : evidence->queue_id;

	metrics_add(METRICS_FAILURES, 1);
	log_write(LOG_LEVEL_ERROR, "%.*s: failure=internal status=%s%s ref=%s",
	    queue_id.length == 0 ? 7 : (int)queue_id.length,
	    queue_id.length == 0 ? "NOQUEUE" : queue_id.data,
	    status_name(status), out_of_memory ? " out-of-memory" : "",
	    evidence == NULL ? "-" : evidence->reference);
	switch ((enum settings_failure_action)action) {
	case SETTINGS_FAILURE_ACTION_TAG:
		tag_failure(evidence, target);
		__attribute__((fallthrough));
	case SETTINGS_FAILURE_ACTION_ACCEPT:
		*reply_out = (struct apply_reply){ .answer = APPLY_CONTINUE };
		return;
	case SETTINGS_FAILURE_ACTION_REJECT:
		apply_reply_make(reply_out, APPLY_REJECT,
		    SLICE_LITERAL("Message could not be examined"));
		strcpy(reply_out->enhanced, "5.3.0");
		return;
	case SETTINGS_FAILURE_ACTION_DEFER:
		break;
	}
	apply_reply_make(reply_out, APPLY_DEFER,
	    SLICE_LITERAL("Message could not be examined now, try again"));
	strcpy(reply_out->enhanced, "4.3.0");
}

void
conclude_abort(void)
{
	metrics_add(METRICS_MESSAGES_ABORTED, 1);
}
