/*
 * authenticate - SPF, DKIM, DMARC and ARC over one message
 *
 * Reads:    the envelope and the client that evidence.c placed, header fields
 *           and body chunks as they come
 * Produces: spf, dkim, dmarc and arc in the evidence
 *
 * Each method starts as soon as its input is there and asks through one set of
 * look-ups: SPF at MAIL, or at the end of the headers where the client must
 * first be found behind a relay; keys and the DMARC record at the end of the
 * headers. For mail from ours SPF and DMARC are left out, unless `judge-own`.
 *
 * A method that we could not carry out reads as temperror, never as none, and
 * is noted as a gap.
 *
 * Life of one: new, begin, header..., end_of_headers, body..., end (again
 * while TC_AGAIN), free.
 */
#ifndef TOCSIN_EVIDENCE_AUTHENTICATE_H
#define TOCSIN_EVIDENCE_AUTHENTICATE_H

#include "base/slice.h"
#include "base/status.h"

struct authenticate;
struct evidence;

/* Prepares for the evidence's message, in its arena, with its lookups; NULL at
 * the ceiling. */
struct authenticate *authenticate_new(struct evidence *evidence);

/* Client and envelope sender are known: starts SPF where it can. */
void authenticate_begin(struct authenticate *authenticate);

void authenticate_header(
    struct authenticate *authenticate, struct slice name, struct slice value);

/* The author is known (evidence->message) and the client final. */
void authenticate_end_of_headers(struct authenticate *authenticate);

void authenticate_body(struct authenticate *authenticate, struct slice chunk);

/* SPF alone, for rules before the end of the message. TC_OK: it is in the
 * evidence, or will not be judged; TC_AGAIN: an answer is missing. */
enum tc_status authenticate_spf(struct authenticate *authenticate);

/* All methods. TC_OK when all are in the evidence, else TC_AGAIN. */
enum tc_status authenticate_end(struct authenticate *authenticate);

/* Frees what the engines hold; accepts NULL inside. */
void authenticate_free(struct authenticate **authenticate);

#endif
