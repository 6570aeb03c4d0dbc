/*
 * dmarc - what the author's domain asks for, and whether the mail is its own
 *
 * Reads:    the author domains (From), SPF's and DKIM's answers, DMARC records
 *           through the message's lookups
 * Produces: result, the policy that applies, the domains that decided
 *
 * RFC 9989: policy discovery and organisational domains by DNS tree walk, at
 * most eight queries for each identifier; `np`, `psd`, `t`; unknown tags are
 * ignored, several records at one name are none. The mode DMARC_RFC7489 takes
 * the public suffix list (libpsl) instead of the walk. One thing is stricter
 * than the RFC: a record at a public suffix counts as one with psd=y unless it
 * says psd=n, or a registry that forgot psd=y would let every domain below it
 * pass as any other.
 *
 * A DNS failure that matters gives DMARC_TEMPERROR: never none, never pass.
 * Without exactly one author domain nothing passes. A signature whose body was
 * extended after l= never counts. Nothing is enforced here.
 */
#ifndef TOCSIN_AUTH_DMARC_H
#define TOCSIN_AUTH_DMARC_H

#include "auth/dkim_verify.h"
#include "auth/dmarc_record.h"
#include "base/arena.h"
#include "base/status.h"

struct lookups;
struct dmarc_eval;

enum dmarc_mode {
	DMARC_RFC9989,
	DMARC_RFC7489 /* organisational domain by the public suffix list */
};

enum dmarc_result {
	DMARC_NONE, /* no record applies */
	DMARC_PASS,
	DMARC_FAIL,
	DMARC_TEMPERROR, /* DNS: no answer can be given now */
	DMARC_PERMERROR  /* no author domain, or one that is no domain name */
};

/* What SPF said. `domain` is the MAIL FROM domain, or the HELO name where the
 * sender is null (RFC 9989, 4.4.2); canonical or not. */
struct dmarc_spf {
	bool pass;
	bool temperror;
	struct slice domain;
};

struct dmarc_outcome {
	enum dmarc_result result;
	/* What applies to a failing mail, after sp, np and t. */
	enum dmarc_policy policy;
	enum dmarc_policy published_policy; /* the same before t=y lowered it */
	struct slice author_domain;         /* the one judged; else empty */
	struct slice
	    policy_domain; /* where the record was found; empty: none */
	struct slice organisational_domain; /* of the author domain */
	bool testing;                       /* t=y */
	bool aligned_spf;                   /* SPF passed, aligned */
	bool aligned_dkim;                  /* some signature passed, aligned */
	struct slice aligned_spf_domain;
	struct slice aligned_dkim_domain;
	/* For each signature given, by index: its domain is aligned. Known for
	 * those that passed; for the others only where d= is the author domain
	 * itself, since more would cost questions. */
	const bool *signature_aligned;
	unsigned queries;           /* names asked, for all identifiers */
	struct dmarc_record record; /* valid where policy_domain is not empty */
	const char *reason;         /* constant words on what decided */
};

/* Starts an evaluation. `authors` are the domains of all From addresses, as
 * the message's parser gives them (repeated ones count once). NULL at the
 * arena's ceiling. */
struct dmarc_eval *dmarc_eval_new(struct arena *arena, struct lookups *lookups,
    const struct slice *authors, size_t author_count, enum dmarc_mode mode);

/* Policy discovery; may start at the end of the headers. TC_OK when it is
 * done, TC_AGAIN while an answer is missing. Optional: step does it too. */
enum tc_status dmarc_eval_discover(struct dmarc_eval *eval);

/* Starts the walks for the identifiers that SPF and DKIM may authenticate, as
 * far as they are known; optional, saves time. */
void dmarc_eval_prefetch(struct dmarc_eval *eval, struct slice domain);

/* The whole evaluation. TC_OK with *outcome_out set; TC_AGAIN while an answer
 * is missing; TC_LIMIT when the arena is full. Give the same input on each
 * call. *outcome_out is untouched unless TC_OK. */
enum tc_status dmarc_eval_step(struct dmarc_eval *eval,
    const struct dmarc_spf *spf, const struct dkim_signature *signatures,
    size_t signature_count, struct dmarc_outcome *outcome_out);

const char *dmarc_result_name(enum dmarc_result result);

#endif
