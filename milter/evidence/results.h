/*
 * results - the answers of the authentication methods, as words
 *
 * One place that says what "not evaluated" reads as (none), for log, record,
 * facts and tools alike. Words are those of RFC 8601 and constant.
 */
#ifndef TOCSIN_EVIDENCE_RESULTS_H
#define TOCSIN_EVIDENCE_RESULTS_H

#include "base/slice.h"
#include "language/schema.h"

struct dkim_signature;
struct evidence;

const char *results_spf(const struct evidence *evidence);
const char *results_dkim(const struct evidence *evidence);
const char *results_dmarc(const struct evidence *evidence);
const char *results_arc(const struct evidence *evidence);

/* What SPF judged: a domain, or empty. */
struct slice results_spf_domain(const struct evidence *evidence);

/* The first author's address, empty when there is none. */
struct slice results_author(const struct evidence *evidence);

/* Whether some method met a temporary failure. */
bool results_temporary(const struct evidence *evidence);

/* The word's number in policy rules; FACT_RESULT_NONE for an unknown word. */
enum schema_result results_fact(const char *word);

/* "dns", "limit", "scanner", "internal". */
const char *results_failure_name(unsigned failure);

#endif
