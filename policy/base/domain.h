/*
 * domain - DNS names as mail uses them
 *
 * The canonical form is: A-labels in lower case, no trailing dot. Names are
 * compared in that form only.
 */
#ifndef TOCSIN_BASE_DOMAIN_H
#define TOCSIN_BASE_DOMAIN_H

#include "base/arena.h"

#define DOMAIN_TEXT_MAX 253 /* RFC 1035, 2.3.4, without the final dot */

/* Brings a name to canonical form, in the arena. U-labels become A-labels
 * (IDNA 2008 with the mapping of UTS 46; libidn2). Returns false for what is
 * no name: empty, an empty label inside, a label over 63 or a name over 253
 * octets, blanks, controls, NUL. Underscores and other printable octets pass,
 * since the DNS holds them. *domain_out is untouched on failure. */
bool domain_canonical(
    struct arena *arena, struct slice name, struct slice *domain_out);

/* What is often written where a domain belongs, and can never equal one: a URL,
 * an address, a name with a port, a pattern. NULL when nothing of that is
 * seen, else "" or what to write instead, as the end of a message:
 * `; of this URL it is "evil.example"`. */
const char *domain_misread(struct arena *arena, struct slice text);

/* True when `name` equals `parent` or lies below it; both canonical.
 * "notevil.example" is not under "evil.example". */
bool domain_is_under(struct slice name, struct slice parent);

/* Cuts the first label: "a.b.c" gives "b.c", a single label gives "". */
struct slice domain_parent(struct slice name);

unsigned domain_label_count(struct slice name);

/* The last `count` labels of a canonical name. */
struct slice domain_suffix(struct slice name, unsigned count);

/* The registrable domain by the public suffix list (libpsl's built-in or the
 * system's list), private section included: the name itself when it is a
 * public suffix or has none. Slice into `name`. */
struct slice domain_registrable(struct slice name);

/* True when the canonical name is itself a public suffix (`co.uk`,
 * `web.app`); every top-level name counts as one. */
bool domain_is_public_suffix(struct slice name);

/* True when the canonical name ends in a suffix that the list really holds
 * (ICANN section): "evil.example" and "readme.txt" do not. */
bool domain_has_listed_suffix(struct slice name);

#endif
