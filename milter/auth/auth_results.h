/*
 * auth_results - write the Authentication-Results field (RFC 8601)
 *
 * Writing is strict: each value from outside is a token or an address where it
 * can be, else a quoted string, and dropped where a careless reader might be
 * led astray by it: controls, quotes, backslashes, parentheses, semicolons,
 * angle brackets, what is not UTF-8 or too long. The finished value is read by
 * our own strict reader, and compared, before it leaves. Nobody decides on
 * text: results travel as structures inside the program, this field is output.
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

#endif
