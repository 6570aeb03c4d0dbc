/*
 * metrics - what this process has counted since it started
 *
 * Counters only grow and are read without a lock, so a reader may see one
 * message counted in one counter and not yet in the next. The control socket
 * prints them under the names that metrics_name() gives; the names are stable.
 * Thread-safe.
 */
#ifndef TOCSIN_OUTCOME_METRICS_H
#define TOCSIN_OUTCOME_METRICS_H

#include <stdint.h>

enum metrics_counter {
	METRICS_CONNECTIONS,
	METRICS_CONNECTIONS_REFUSED, /* beyond `limits sessions` */
	METRICS_MESSAGES,            /* that reached a verdict */
	METRICS_MESSAGES_ABORTED,
	METRICS_BYTES, /* body octets of judged messages */
	METRICS_VERDICT_NONE,
	METRICS_VERDICT_DEFER,
	METRICS_VERDICT_DISCARD,
	METRICS_VERDICT_QUARANTINE,
	METRICS_VERDICT_REJECT,
	METRICS_TAGGED,
	METRICS_EARLY_REJECT, /* at connect, helo, mail or rcpt */
	METRICS_EARLY_DEFER,
	METRICS_SPF_PASS,
	METRICS_SPF_FAIL,
	METRICS_SPF_TEMPERROR,
	METRICS_DKIM_PASS,
	METRICS_DKIM_FAIL,
	METRICS_DKIM_TEMPERROR,
	METRICS_DMARC_PASS,
	METRICS_DMARC_FAIL,
	METRICS_DMARC_TEMPERROR,
	METRICS_ARC_PASS,
	METRICS_ARC_FAIL,
	METRICS_DNS_QUERIES,
	METRICS_DNS_TIMEOUTS,
	METRICS_DEADLINES,  /* messages whose DNS deadline passed */
	METRICS_INCOMPLETE, /* messages with analysis.incomplete */
	METRICS_FAILURES,   /* a `failure` setting decided */
	METRICS_INDICATOR_HITS,
	METRICS_ALERTS,
	METRICS_ALERTS_SUPPRESSED,
	METRICS_PRESERVED,
	METRICS_PRESERVE_FAILED,
	METRICS_JOURNAL_RECORDS,
	METRICS_JOURNAL_FAILED,
	METRICS_FORGED_HEADERS, /* removed incoming A-R and X-Tocsin-* */
	METRICS_TOOK_MS, /* sum over judged messages, end of message only */
	METRICS_COUNT
};

void metrics_add(enum metrics_counter counter, uint64_t amount);
uint64_t metrics_read(enum metrics_counter counter);

/* The counter's name in words joined by hyphens ("verdict-quarantine"). */
const char *metrics_name(enum metrics_counter counter);

#endif
