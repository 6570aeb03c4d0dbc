/*
 * spf - what the sender's domain says about a client (RFC 7208)
 *
 * One interface, two engines. `native` is our own evaluator and the default:
 * all of RFC 7208 with strict grammar and its limits. `libspf2` is the library
 * behind a guard, for comparison; loopback clients, which it lets pass whatever
 * the record says, are judged by the native engine even then.
 *
 * An evaluation never blocks: it asks lookups and returns TC_AGAIN while an
 * answer is missing. Everything in a record is hostile; nothing but limits of
 * the arena stops an evaluation without a result.
 */
#ifndef TOCSIN_AUTH_SPF_H
#define TOCSIN_AUTH_SPF_H

#include <stdint.h>

#include "base/arena.h"
#include "base/ipaddr.h"
#include "base/status.h"

struct lookups;
struct spf_eval;

enum spf_result { /* RFC 7208, 2.6 */
	SPF_NONE,
	SPF_NEUTRAL,
	SPF_PASS,
	SPF_FAIL,
	SPF_SOFTFAIL,
	SPF_TEMPERROR,
	SPF_PERMERROR
};

/* What is judged (RFC 7208, 2.3 and 2.4). */
enum spf_identity {
	SPF_IDENTITY_AUTO, /* MAIL FROM; HELO where the sender is null */
	SPF_IDENTITY_HELO,
	SPF_IDENTITY_MAILFROM
};

enum spf_engine {
	SPF_ENGINE_NATIVE,
	SPF_ENGINE_LIBSPF2
};

struct spf_limits {
	unsigned terms_max;        /* terms that ask DNS: 10 (4.6.4) */
	unsigned void_max;         /* of these, without any answer: 2 (4.6.4) */
	unsigned mx_names_max;     /* hosts of one mx, beyond: permerror */
	unsigned ptr_names_max;    /* names of one ptr, beyond: ignored */
	unsigned record_bytes_max; /* beyond: permerror */
	unsigned explanation_bytes_max; /* beyond: no explanation */
};

#define SPF_LIMITS_DEFAULT                     \
	((struct spf_limits){ .terms_max = 10, \
	    .void_max = 2,                     \
	    .mx_names_max = 10,                \
	    .ptr_names_max = 10,               \
	    .record_bytes_max = 16384,         \
	    .explanation_bytes_max = 512 })

struct spf_query {
	struct ipaddr client; /* IPv4-mapped addresses are IPv4 */
	struct slice helo;
	struct slice sender; /* MAIL FROM without angle brackets; empty: <> */
	enum spf_identity identity;
	struct slice receiver; /* our host name, for %{r}; empty: "unknown" */
	uint64_t now_unix;     /* for %{t} */
};

struct spf_outcome {
	enum spf_result result;
	enum spf_identity identity; /* which was judged; never AUTO */
	struct slice domain;    /* that was judged, canonical; as given where
	                               it is no domain */
	struct slice sender;    /* %{s}: with postmaster@ where it had no
	                               local part */
	struct slice mechanism; /* the directive that decided, as written;
	                               empty: none did */
	struct slice mechanism_domain; /* whose record it stood in */
	struct slice record;           /* of `domain`; empty: none */
	struct slice explanation; /* of a fail, printable ASCII; else empty */
	/* For none, temperror and permerror: what was wrong, a sentence in
	 * ASCII that may hold text of the sender's; else empty. */
	struct slice problem;
	const char *rfc;       /* section of RFC 7208 that decided, "4.6.4" */
	unsigned terms;        /* terms that asked DNS */
	unsigned void_lookups; /* of these without an answer */
};

/* Prepares an evaluation in `arena`; the query's slices must live as long. The
 * first step asks the first question. `limits` NULL: the default. NULL at the
 * arena's ceiling. */
struct spf_eval *spf_eval_new(struct arena *arena, struct lookups *lookups,
    const struct spf_query *query, const struct spf_limits *limits,
    enum spf_engine engine);

/* Continues. TC_OK with *outcome_out set (again and again, if asked again);
 * TC_AGAIN while an answer is missing; TC_LIMIT when the arena is full, TC_SYSTEM
 * when memory is out. *outcome_out is untouched unless TC_OK; what it points at
 * lives in the arena. */
enum tc_status spf_eval_step(
    struct spf_eval *eval, struct spf_outcome *outcome_out);

/* "pass", "temperror", ... (RFC 8601, 2.7.2) */
const char *spf_result_name(enum spf_result result);
const char *spf_identity_name(enum spf_identity identity); /* "helo", ... */
const char *spf_engine_name(enum spf_engine engine);

/* The value of a Received-SPF header (RFC 7208, 9.1), folded, without header
 * name and final line break; all from outside is quoted or left out. In
 * `arena`; empty at its ceiling. */
struct slice spf_received_header(struct arena *arena,
    const struct spf_query *query, const struct spf_outcome *outcome);

#endif
