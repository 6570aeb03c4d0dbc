/*
 * normal - the one canonical form of each kind of indicator
 *
 * Reads:    a value as a feed published it or a message showed it
 * Produces: the key under which the store holds it
 *
 * Building and looking up use the same function, so they cannot disagree. A
 * value that is none of its kind is refused with a reason; nothing here fails
 * on hostile input in another way. All results live in the arena or point
 * into the input.
 *
 * Keys:
 *	address     folded local part '@' A-label domain; "@domain" for all
 *	domain      A-labels, lower case, no trailing dot
 *	url         host[:port]/path[?query] for http and https alike, else
 *	            scheme://...; see struct normal_url
 *	network     16 octets (IPv4-mapped for IPv4) and the prefix length
 *	md5 ...     the digest's octets
 *	filename    last path component, folded, without bidi marks and without
 *	            trailing dots and blanks
 *	subject, mailer  folded, runs of white space as one blank
 *	message-id  without angle brackets, case kept
 */
#ifndef TOCSIN_INDICATOR_NORMAL_H
#define TOCSIN_INDICATOR_NORMAL_H

#include "base/arena.h"
#include "base/ipaddr.h"
#include "indicator/kind.h"

/* Longer values are refused, longer observed ones never match. */
#define NORMAL_KEY_MAX 8192

enum normal_problem {
	NORMAL_GOOD,
	NORMAL_EMPTY,
	NORMAL_TOO_LONG,
	NORMAL_NOT_ADDRESS,
	NORMAL_NOT_DOMAIN,
	NORMAL_NOT_URL,
	NORMAL_NOT_NETWORK,
	NORMAL_NOT_DIGEST,
	NORMAL_NOT_NAME,
	NORMAL_NOT_TEXT,
	NORMAL_NO_MEMORY /* the arena's ceiling */
};

/* The canonical key of `value`. *key_out is untouched unless NORMAL_GOOD. */
enum normal_problem normal_key(struct arena *arena, enum indicator_kind kind,
    struct slice value, struct slice *key_out);

/* A sentence for reports: "is not a mail address". */
const char *normal_problem_text(enum normal_problem problem);

/*
 * A URL taken apart as browsers do (WHATWG URL): backslashes are slashes, tabs
 * and line breaks vanish, any number of slashes after http: and https:, the
 * last @ ends the user information (dropped), the host is percent-decoded,
 * brought to A-labels or, when numeric in any notation, to an address; a
 * default port and the fragment are dropped, dot segments resolved, escapes
 * of unreserved characters decoded and the others written in upper case.
 */
struct normal_url {
	struct slice scheme; /* lower case */
	struct slice host;   /* canonical domain, or the address in text form */
	bool host_is_address;
	struct ipaddr address;
	unsigned port;           /* 0: the scheme's default */
	struct slice path;       /* begins with '/' */
	struct slice query;      /* without '?'; empty also for a bare '?' */
	struct slice key;        /* whole key */
	size_t key_path_offset;  /* where the path begins in `key` */
	size_t key_query_offset; /* where '?' stands; key.length when none */
};

/* Takes a URL apart; a value without a scheme is read as http. */
enum normal_problem normal_url(
    struct arena *arena, struct slice value, struct normal_url *url_out);

/* The host of a URL indicator's or observation's key, and whether it is an
 * address. */
struct slice normal_url_key_host(struct slice key);

/* Guesses the kind of a bare value of a mixed list: digest by length, network,
 * URL, address, domain. False when it looks like none (a path, a word). */
bool normal_guess_kind(
    struct arena *arena, struct slice value, enum indicator_kind *kind_out);

/* Undoes what people do to indicators so that nobody clicks: hxxp, [.], (.),
 * {.}, [dot], [@], [at], (at), [:], [://]. Returns `value` itself when there
 * is nothing to undo; *changed_out (may be NULL) tells. */
struct slice normal_refang(
    struct arena *arena, struct slice value, bool *changed_out);

/* A key as text, for people: digests in hex, networks as ADDRESS/LENGTH
 * (ADDRESS alone where the length is full), the rest as it is. */
struct slice normal_key_text(
    struct arena *arena, enum indicator_kind kind, struct slice key);

#endif
