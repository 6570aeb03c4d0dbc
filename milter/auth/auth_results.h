/*
 * auth_results - the Authentication-Results field (RFC 8601): write, read and
 * recognise forged ones
 *
 * Writing is strict: each value from outside is a token where it can be, else
 * a quoted string, and dropped where it can be neither (controls, not UTF-8,
 * too long). The finished value is read by our own strict reader before it
 * leaves. Reading is strict for fields whose content is to be believed and
 * lenient for recognising those that must go. Nobody decides on text: results
 * travel as structures inside the program, this field is output.
 */
#ifndef TOCSIN_AUTH_AUTH_RESULTS_H
#define TOCSIN_AUTH_AUTH_RESULTS_H

#include "base/arena.h"
#include "base/list.h"
#include "base/status.h"

#define AUTH_RESULTS_VALUE_MAX      500 /* octets of one written value */
#define AUTH_RESULTS_METHODS_MAX    100
#define AUTH_RESULTS_PROPERTIES_MAX 50

/* ptype.property=value, as in header.d=example.com. */
struct auth_results_property {
	struct slice type;  /* "smtp", "header", "body", "policy", ... */
	struct slice name;  /* "mailfrom", "d", ... */
	struct slice value; /* unquoted */
};

/* method[/version]=result [reason=...] [properties] */
struct auth_results_method {
	struct slice method; /* "spf" */
	unsigned version;    /* 1 where none was written */
	struct slice result; /* "pass" */
	struct slice reason; /* unquoted; empty: none */
	LIST_OF(struct auth_results_property) properties;
};

struct auth_results {
	struct arena *arena;
	struct slice authserv_id; /* unquoted */
	unsigned version;         /* 1 where none was written */
	LIST_OF(struct auth_results_method) methods; /* none: "none" */
	unsigned dropped; /* values that could not be written */
	bool failed;      /* the arena is full */
};

/* Begins a field. The id is the operator's; the slice is kept. */
struct auth_results auth_results_make(
    struct arena *arena, struct slice authserv_id);

/* Adds `method=result`, both words of ours; returns its index, which the two
 * functions below take. */
size_t auth_results_add(
    struct auth_results *results, const char *method, const char *result);

/* Sets the reason; a constant of ours or a value from outside. */
void auth_results_reason(
    struct auth_results *results, size_t method, struct slice reason);

/* Adds `type.name=value`. The value is from outside: an empty one, or one that
 * cannot be written, is left out and counted in `dropped`. */
void auth_results_property(struct auth_results *results, size_t method,
    const char *type, const char *name, struct slice value);

/* Writes the value of the field: from after "Authentication-Results:" (with a
 * leading blank) to the end, folds as LF and TAB, no final line break.
 * TC_LIMIT: arena; TC_INVALID: our own reader refuses it (an authserv-id that
 * is no value), nothing may be written then. */
enum tc_status auth_results_write(
    const struct auth_results *results, struct slice *value_out);

/* Reads a value strictly by RFC 8601, 2.2 (with CFWS where RFC 5322 has it);
 * TC_INVALID for all else. What is read lives in the arena. */
enum tc_status auth_results_read(
    struct arena *arena, struct slice value, struct auth_results *results_out);

/* Reads what a careless reader might find: skips what is no method, takes
 * methods without regard to unknown versions. TC_INVALID only when there is
 * not even an authserv-id. */
enum tc_status auth_results_read_lenient(
    struct arena *arena, struct slice value, struct auth_results *results_out);

/* True when a reader, however careless, may take the field as written by one
 * of `ids`: case, comments, folding, quoting, versions, a final dot, IDN and
 * stray octets make no difference. `name` is the field's name. Also true for
 * an Authentication-Results field in which no id can be read at all. */
bool auth_results_claims(struct slice name, struct slice value,
    const struct slice *ids, size_t id_count);

/* One call of smfi_chgheader(name, index, NULL). */
struct auth_results_removal {
	struct slice name; /* as the MTA gave it */
	unsigned index;    /* from 1, among fields of the same name */
};

/* Feeds the message's header fields in order; keeps those that must go. */
struct auth_results_remover {
	struct arena *arena;
	const struct slice *ids;
	size_t id_count;
	LIST_OF(struct auth_results_removal) removals; /* ascending */
	LIST_OF(struct auth_results_removal) names;    /* how many of each */
	unsigned kept; /* A-R fields of others */
	bool failed;   /* the arena is full */
};

struct auth_results_remover auth_results_remover_make(
    struct arena *arena, const struct slice *ids, size_t id_count);

void auth_results_remover_header(struct auth_results_remover *remover,
    struct slice name, struct slice value);

/* The next field to delete, the last of the message first: so the numbers stay
 * right where a deletion shifts later fields (Postfix) and where it does not
 * (Sendmail). False when there is none left. */
bool auth_results_remover_next(struct auth_results_remover *remover,
    struct auth_results_removal *removal_out);

#endif
