/*
 * spf_macro - the macro language of SPF (RFC 7208, 7)
 *
 * Checks and expands domain-specs and explanation texts. Bounded output, no
 * recursion: what a macro yields is not expanded again.
 */
#ifndef TOCSIN_AUTH_SPF_MACRO_H
#define TOCSIN_AUTH_SPF_MACRO_H

#include <stdint.h>

#include "base/arena.h"
#include "base/ipaddr.h"

enum spf_macro_use {
	SPF_MACRO_DOMAIN,     /* domain-spec: ends in a top label or a macro */
	SPF_MACRO_MODIFIER,   /* macro-string of an unknown modifier */
	SPF_MACRO_EXPLANATION /* explain-string: blanks; c, r and t as well */
};

/* What macros stand for (RFC 7208, 7.2). */
struct spf_macro_values {
	struct slice sender;        /* s */
	struct slice local_part;    /* l */
	struct slice sender_domain; /* o */
	struct slice domain;        /* d */
	struct slice validated;     /* p */
	struct slice helo;          /* h */
	struct slice receiver;      /* r */
	struct ipaddr client;       /* i, c, v */
	uint64_t now_unix;          /* t */
};

/* True when the text is of the grammar for its use. */
bool spf_macro_is_valid(struct slice text, enum spf_macro_use use);

/* True when the text (valid) asks for %{p}, which takes look-ups. */
bool spf_macro_needs_validated(struct slice text);

/* Expands a valid text to at most `limit` bytes, in `arena`. False when it gets
 * longer or the arena is full. */
bool spf_macro_expand(struct arena *arena, struct slice text,
    const struct spf_macro_values *values, size_t limit,
    struct slice *expanded_out);

/* Expands a domain-spec to a target name: labels are dropped from the left
 * until it fits 253 octets (RFC 7208, 7.3), a final dot goes. */
bool spf_macro_target(struct arena *arena, struct slice spec,
    const struct spf_macro_values *values, struct slice *target_out);

#endif
