/*
 * spf_record - an SPF record, read by the strict grammar of RFC 7208
 *
 * The whole record is read before anything of it is evaluated: one error
 * anywhere is a permerror (RFC 7208, 4.6). Linear time; slices point into the
 * record's text.
 */
#ifndef TOCSIN_AUTH_SPF_RECORD_H
#define TOCSIN_AUTH_SPF_RECORD_H

#include "auth/spf.h"
#include "base/list.h"
#include "dns/dns.h"

enum spf_mechanism {
	SPF_MECHANISM_ALL,
	SPF_MECHANISM_INCLUDE,
	SPF_MECHANISM_A,
	SPF_MECHANISM_MX,
	SPF_MECHANISM_PTR,
	SPF_MECHANISM_IP4,
	SPF_MECHANISM_IP6,
	SPF_MECHANISM_EXISTS
};

struct spf_directive {
	enum spf_mechanism mechanism;
	enum spf_result result; /* of its qualifier: pass, fail, ... */
	struct slice text;      /* as written */
	struct slice target;    /* domain-spec; empty: the current domain */
	unsigned prefix_v4;     /* a, mx: 0-32 */
	unsigned prefix_v6;     /* a, mx: 0-128 */
	struct ipaddr_network network; /* ip4, ip6 */
};

struct spf_record {
	struct slice text;
	LIST_OF(struct spf_directive) directives;
	struct slice redirect;    /* domain-spec; empty: none */
	struct slice explanation; /* domain-spec of exp=; empty: none */
};

/* True for a text that begins with the version section (RFC 7208, 4.5). */
bool spf_record_is_one(struct slice text);

/* Reads a record. TC_INVALID: it is malformed, and *problem_out says how;
 * TC_LIMIT: the arena is full. */
enum tc_status spf_record_parse(struct arena *arena, struct slice text,
    struct spf_record *record_out, struct slice *problem_out);

/* Joins the texts of a TXT answer and picks the SPF record. *count_out is how
 * many there are; *text_out the first. TC_LIMIT when the arena is full. */
enum tc_status spf_record_select(struct arena *arena,
    const struct dns_answer *answer, struct slice *text_out, size_t *count_out);

#endif
