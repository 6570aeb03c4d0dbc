/*
 * hop - reads one Received field (RFC 5321, 4.4)
 *
 * Reads:    the field's value, as the MTA gave it
 * Produces: who handed the message over, to whom, when
 *
 * Received fields are written by many programs and forged by many senders, so
 * reading is lenient: what can't be made out is empty. A client's HELO text
 * stands in the field of an honest writer as well, and some write it raw;
 * `certain` tells whether the field has exactly the form of a known writer, so
 * that the claim cannot have passed for what the writer saw. Slices point into
 * the value. Linear time; nothing is allocated.
 */
#ifndef TOCSIN_EVIDENCE_HOP_H
#define TOCSIN_EVIDENCE_HOP_H

#include <time.h>

#include "base/ipaddr.h"

struct hop {
	struct slice helo; /* what stands after "from" */
	struct slice name; /* the verified name in the comment, or empty */
	struct slice by;
	struct slice with; /* "ESMTPS", ... */
	bool has_ip;
	struct ipaddr
	    ip;       /* the address literal in the comment, or after from */
	bool certain; /* one reading only; else a claim may be taken for it */
	bool local;   /* certain, and handed over on the writer's own host */
	time_t time_unix; /* 0: none */
	bool trusted;     /* written by a trusted relay; evidence.c sets it */
};

/* Reads `value`; a field of which nothing can be made out gives an empty
 * hop. */
struct hop hop_parse(struct slice value);

/* Reads a date as in RFC 5322, 3.3 (obsolete zones included). False when it is
 * none. */
bool hop_date(struct slice text, time_t *time_out);

#endif
