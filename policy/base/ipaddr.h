/*
 * ipaddr - IPv4 and IPv6 addresses and networks
 *
 * IPv4 is kept as an IPv4-mapped IPv6 address (RFC 4291, 2.5.5.2), so one
 * comparison serves both; `::ffff:192.0.2.1` and `192.0.2.1` are one address.
 */
#ifndef TOCSIN_BASE_IPADDR_H
#define TOCSIN_BASE_IPADDR_H

#include <stdint.h>

#include "base/slice.h"

#define IPADDR_TEXT_MAX 46 /* with the final NUL */

struct ipaddr {
	uint8_t octets[16]; /* network order */
};

struct ipaddr_network {
	struct ipaddr address; /* host bits are zero */
	uint8_t prefix_length; /* 0-128, an IPv4 /n is 96+n */
};

/* Reads an address in text form (RFC 4291; dotted quad for IPv4 with exactly
 * four decimal parts without leading zeros; no zone index, no brackets).
 * False when it is none. */
bool ipaddr_parse(struct slice text, struct ipaddr *address_out);

/* Reads ADDRESS or ADDRESS/LENGTH. Host bits are cleared; *host_bits_out (may
 * be NULL) tells whether any were set. */
bool ipaddr_network_parse(
    struct slice text, struct ipaddr_network *network_out, bool *host_bits_out);

bool ipaddr_is_v4(const struct ipaddr *address);

struct ipaddr ipaddr_from_v4(const uint8_t octets[4]);
struct ipaddr ipaddr_from_v6(const uint8_t octets[16]);

bool ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b);
bool ipaddr_in_network(
    const struct ipaddr *address, const struct ipaddr_network *network);

/* The address with all bits after prefix_length cleared. */
struct ipaddr ipaddr_mask(const struct ipaddr *address, unsigned prefix_length);

/* Dotted quad for IPv4, RFC 5952 for IPv6. Returns `text`. */
const char *ipaddr_format(
    const struct ipaddr *address, char text[IPADDR_TEXT_MAX]);

/* Loopback, private, link-local, documentation, multicast and other networks
 * that name nobody on the Internet (IANA special-purpose registries). */
bool ipaddr_is_special(const struct ipaddr *address);
bool ipaddr_is_loopback(const struct ipaddr *address);

#endif
