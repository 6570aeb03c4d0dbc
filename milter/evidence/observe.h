/*
 * observe - every observable of a message, for the indicator look-up
 *
 * Reads:    evidence
 * Produces: a list of {kind, value, where}: addresses, names, URLs, networks,
 *           digests, file names, subject, Message-ID, mailer
 *
 * Values go in as the message shows them; policy/indicator brings them to the
 * canonical form of their kind. The list is bounded; beyond the bound the rest
 * is left out and noted as EVIDENCE_GAP_LIMIT.
 */
#ifndef TOCSIN_EVIDENCE_OBSERVE_H
#define TOCSIN_EVIDENCE_OBSERVE_H

#include <time.h>

#include "base/status.h"

struct evidence;
struct matcher;

/* Looks all observables of the message up with `matcher`, once per message, and
 * leaves the hits in the evidence. TC_LIMIT: the arena was full; the hits
 * found so far are there and the gap is noted. */
enum tc_status observe_match(
    struct evidence *evidence, const struct matcher *matcher);

#endif
