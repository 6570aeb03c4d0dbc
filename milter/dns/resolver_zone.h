/*
 * resolver_zone - scripted answers: for scenes, tests and `scan --zone FILE`
 *
 * A zone text has one record per line:
 *
 *	NAME [TTL] [IN] TYPE DATA...
 *
 *	; or # begin a comment
 *	example.org.      TXT   "v=spf1 ip4:192.0.2.0/24 " "-all"
 *	                  MX    10 mail.example.org
 *	*.example.org     A     192.0.2.1
 *	www.example.org   CNAME example.org
 *	slow.example      DELAY 200
 *	slow.example      A     192.0.2.7
 *	dead.example      TIMEOUT
 *	half.example      TIMEOUT TXT
 *	sick.example      SERVFAIL
 *	deaf.example      NEVER
 *
 * Names are absolute; a final dot may stand or not; in a name \DDD and \X are
 * octets as in a master file. A line that begins with a blank goes on with the
 * name before it. Types: A AAAA CNAME MX NS PTR TXT SPF. Character-strings may
 * stand in quotes with \" \\ and \DDD inside; one over 255 octets is cut into
 * several.
 *
 *	TIMEOUT [TYPE]   answers "timed out" at once
 *	NEVER [TYPE]     does not answer; the asker's deadline ends it
 *	SERVFAIL [TYPE]  answers with a server failure
 *	BOGUS [TYPE]     answers as failed DNSSEC validation
 *	NXDOMAIN         the name does not exist, whatever lies below it
 *	NODATA           the name exists, without any record
 *	DELAY MS         answers about the name come after MS milliseconds
 *
 * With a TYPE these hold for that type; without one for every type of which the
 * name has no record. A parent of a name that is there exists (NODATA), all
 * else does not (NXDOMAIN). A line with `*` as first label answers for the
 * names below its parent that are not there (RFC 4592). CNAMEs are followed
 * inside the zone, at most 16 of them; a longer chain is a server failure.
 *
 * All answers but the delayed are given at once, on the asker's thread, so that
 * a run is the same every time.
 */
#ifndef TOCSIN_DNS_RESOLVER_ZONE_H
#define TOCSIN_DNS_RESOLVER_ZONE_H

#include "base/slice.h"
#include "dns/resolver.h"

/* Reads a zone text, which need not live on. NULL when a line is wrong or
 * memory is short; `problem` names the line. */
struct resolver *resolver_zone_new(
    struct slice text, char problem[RESOLVER_PROBLEM_MAX]);

/* The same from a file. */
struct resolver *resolver_zone_open(
    const char *path, char problem[RESOLVER_PROBLEM_MAX]);

#endif
