/*
 * url_canonical - one normal form for the URLs of mail and of indicators
 *
 * Reads:    a URL as it stands in a message or a feed, or a bare host with or
 *           without a path
 * Produces: its parts and its normal form, in the caller's arena
 *
 * The message parser and the indicator store both call this, so that two
 * spellings of one URL meet. It reads as browsers do (WHATWG URL) rather than
 * as RFC 3986 says, because the reader of the mail clicks in a browser:
 *
 *	- outer blanks and controls go, TAB, CR and LF go everywhere
 *	- the scheme is lower case; without one "http" is assumed
 *	- any run of slashes and backslashes after the scheme counts as "//"
 *	- user information and fragment are left out (flags tell)
 *	- the host is percent-decoded, made A-labels in lower case, without
 *	  trailing dots; numeric hosts in any base become a dotted quad, IPv6
 *	  addresses their RFC 5952 form in brackets
 *	- a default port is left out
 *	- in the path backslashes are slashes, dot segments are resolved; in
 *	  path and query unreserved octets are not percent-encoded, all others
 *	  that need it are, with capitals (RFC 3986, 6.2.2)
 *	- an empty path is "/", an empty query is none
 *
 * Hostile input: linear time; what has no host is refused.
 */
#ifndef TOCSIN_BASE_URL_CANONICAL_H
#define TOCSIN_BASE_URL_CANONICAL_H

#include <stdint.h>

#include "base/arena.h"
#include "base/ipaddr.h"

#define URL_LENGTH_MAX 16384 /* bytes; longer ones are cut before reading */

/* What was unusual about the spelling. */
enum url_oddity {
	URL_HAD_USERINFO = 1u << 0,  /* somebody@ before the host */
	URL_HAD_BACKSLASH = 1u << 1, /* outside query and fragment */
	URL_HAD_CONTROL = 1u << 2,   /* TAB, CR or LF inside */
	URL_NUMERIC_HOST = 1u << 3,  /* an IPv4 host not as dotted quad */
	URL_ODD_SLASHES = 1u << 4,   /* not exactly two after the scheme */
	URL_NO_SCHEME = 1u << 5,     /* "http" was assumed */
	URL_ENCODED_HOST = 1u << 6,  /* percent-encoding inside the host */
	URL_INTERNATIONAL = 1u << 7, /* the host had non-ASCII octets */
	URL_BAD_PORT = 1u << 8,      /* left out of the normal form */
	URL_HAD_FRAGMENT = 1u << 9,  /* was left out */
	URL_WAS_CUT = 1u << 10       /* longer than URL_LENGTH_MAX */
};

struct url_canonical {
	struct slice normal; /* scheme://host[:port]/path[?query] */
	struct slice scheme; /* lower case */
	struct slice host;   /* canonical name, or address without brackets */
	struct slice path;   /* begins with '/', without the query */
	struct slice query;  /* without '?'; empty when there is none */
	uint16_t port;       /* 0: the scheme's default */
	bool host_is_address;
	struct ipaddr address; /* when host_is_address */
	unsigned oddities;     /* enum url_oddity */
};

/* Brings `text` to normal form. False, and *url_out untouched, when it has no
 * usable host (mailto:, javascript:, data:, a host that is no name) or at the
 * arena's ceiling. */
bool url_canonical_parse(
    struct arena *arena, struct slice text, struct url_canonical *url_out);

/* Finds the URL that a redirector carries: in the parameters or path of known
 * click-tracking services (their encodings undone), else any parameter whose
 * value is an absolute http(s) URL. True with the raw target in *target_out
 * (arena or slice of url); *known_out tells whether the service is a known
 * one. One level only: call again for the next. */
bool url_canonical_redirect(struct arena *arena,
    const struct url_canonical *url, struct slice *target_out, bool *known_out);

/* Undoes what defenders write: hxxp, h**p, [.], (.), {.}, [dot], (dot), [:],
 * [://], [/], [@], (at), and a backslash before a dot. True with the result in
 * *text_out when anything was undone; false, *text_out untouched, when nothing
 * was or at the arena's ceiling. */
bool url_canonical_refang(
    struct arena *arena, struct slice text, struct slice *text_out);

/* Reads a host that is an IPv4 address in any of the forms that browsers
 * take (WHATWG URL, IPv4 parser): 1 to 4 parts, each decimal, octal with a
 * leading 0 or hexadecimal with 0x. False when it is none. */
bool url_canonical_numeric_host(struct slice host, struct ipaddr *address_out);

/* Percent-decodes once; octets that are no valid %XX stay. Slice with NULL
 * data at the arena's ceiling. */
struct slice url_canonical_percent_decode(
    struct arena *arena, struct slice text);

#endif
