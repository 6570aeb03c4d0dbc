#include <config.h>

#include <stdatomic.h>

#include "outcome/metrics.h"

static atomic_uint_fast64_t counters[METRICS_COUNT];

static const char *const names[METRICS_COUNT] = {
	[METRICS_CONNECTIONS] = "connections",
	[METRICS_CONNECTIONS_REFUSED] = "connections-refused",
	[METRICS_MESSAGES] = "messages",
	[METRICS_MESSAGES_ABORTED] = "messages-aborted",
	[METRICS_BYTES] = "bytes",
	[METRICS_VERDICT_NONE] = "verdict-none",
	[METRICS_VERDICT_DEFER] = "verdict-defer",
	[METRICS_VERDICT_DISCARD] = "verdict-discard",
	[METRICS_VERDICT_QUARANTINE] = "verdict-quarantine",
	[METRICS_VERDICT_REJECT] = "verdict-reject",
	[METRICS_TAGGED] = "tagged",
	[METRICS_EARLY_REJECT] = "early-reject",
	[METRICS_EARLY_DEFER] = "early-defer",
	[METRICS_SPF_PASS] = "spf-pass",
	[METRICS_SPF_FAIL] = "spf-fail",
	[METRICS_SPF_TEMPERROR] = "spf-temperror",
	[METRICS_DKIM_PASS] = "dkim-pass",
	[METRICS_DKIM_FAIL] = "dkim-fail",
	[METRICS_DKIM_TEMPERROR] = "dkim-temperror",
	[METRICS_DMARC_PASS] = "dmarc-pass",
	[METRICS_DMARC_FAIL] = "dmarc-fail",
	[METRICS_DMARC_TEMPERROR] = "dmarc-temperror",
	[METRICS_ARC_PASS] = "arc-pass",
	[METRICS_ARC_FAIL] = "arc-fail",
	[METRICS_DNS_QUERIES] = "dns-queries",
	[METRICS_DNS_TIMEOUTS] = "dns-timeouts",
	[METRICS_DEADLINES] = "deadlines",
	[METRICS_INCOMPLETE] = "incomplete",
	[METRICS_FAILURES] = "failures",
	[METRICS_INDICATOR_HITS] = "indicator-hits",
	[METRICS_ALERTS] = "alerts",
	[METRICS_ALERTS_SUPPRESSED] = "alerts-suppressed",
	[METRICS_PRESERVED] = "preserved",
	[METRICS_PRESERVE_FAILED] = "preserve-failed",
	[METRICS_JOURNAL_RECORDS] = "journal-records",
	[METRICS_JOURNAL_FAILED] = "journal-failed",
	[METRICS_FORGED_HEADERS] = "forged-headers",
	[METRICS_TOOK_MS] = "took-ms",
};

void
metrics_add(enum metrics_counter counter, uint64_t amount)
{
	atomic_fetch_add_explicit(
	    &counters[counter], amount, memory_order_relaxed);
}

uint64_t
metrics_read(enum metrics_counter counter)
{
	return atomic_load_explicit(&counters[counter], memory_order_relaxed);
}

const char *
metrics_name(enum metrics_counter counter)
{
	return names[counter];
}
