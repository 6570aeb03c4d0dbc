/*
 * address - a mail address in canonical form
 *
 * Canonical: local part as written (RFC 5321, 2.4: only the domain's owner
 * may know its case), domain canonical (base/domain.h). Comparisons fold the
 * local part, because every mail system that our users meet does. The full
 * RFC 5322 header parser is milter/message/address.h; this is what lists,
 * indicators and rules compare.
 */
#ifndef TOCSIN_BASE_ADDRESS_H
#define TOCSIN_BASE_ADDRESS_H

#include "base/arena.h"

struct address {
	struct slice local;  /* unquoted */
	struct slice domain; /* canonical; empty when there is none */
};

/* Splits `text` (no angle brackets, no display name) at its last `@` and
 * brings the domain to canonical form; a quoted local part is unquoted. False
 * when there is no `@`, an empty half, or a domain that is none. */
bool address_canonical(
    struct arena *arena, struct slice text, struct address *address_out);

/* What is often written where an address belongs, and can never equal one: with
 * angle brackets or a display name, with mailto:, with blanks. */
bool address_is_misread(struct slice text);

/* The key by which addresses are compared and stored: folded local part, '@',
 * canonical domain. NULL data at the arena's ceiling. */
struct slice address_key(struct arena *arena, const struct address *address);

#endif
