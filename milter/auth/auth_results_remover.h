/*
 * auth_results_remover - find forged Authentication-Results fields
 */
#ifndef TOCSIN_AUTH_AUTH_RESULTS_REMOVER_H
#define TOCSIN_AUTH_AUTH_RESULTS_REMOVER_H

#include "auth/auth_results.h"

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
