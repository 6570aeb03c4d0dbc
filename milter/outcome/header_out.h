/*
 * header_out - the header fields that Tocsin adds to a message
 *
 * Reads:    evidence, verdict, settings
 * Produces: values as apply.h describes them: with a leading blank, folds as
 *           LF and TAB
 *
 * What comes from outside is escaped or left out; a value that could not be
 * made safe is not written at all.
 */
#ifndef TOCSIN_OUTCOME_HEADER_OUT_H
#define TOCSIN_OUTCOME_HEADER_OUT_H

#include "base/arena.h"
#include "base/status.h"

struct evidence;
struct verdict;

/* The name under which we sign Authentication-Results: the setting
 * authserv-id, else the MTA's name (macro j), else the host's. In the
 * evidence's arena. */
struct slice header_out_authserv_id(const struct evidence *evidence);

/* Authentication-Results (RFC 8601): SPF, each DKIM signature, DMARC, ARC and
 * the login, as far as they were evaluated. */
enum tc_status header_out_auth_results(
    const struct evidence *evidence, struct slice *value_out);

/* Received-SPF (RFC 7208, 9.1); empty where SPF was not evaluated. */
enum tc_status header_out_received_spf(
    const struct evidence *evidence, struct slice *value_out);

/* X-Tocsin-Result: " tag; ref=…" or " quarantine; ref=…"; with `disclose` the
 * names of rules, and of indicators whose TLP is clear or green. */
enum tc_status header_out_result(const struct evidence *evidence,
    const struct verdict *verdict, struct slice *value_out);

/* Text for a header field: as it is where it is printable ASCII, else in
 * encoded words (RFC 2047) of UTF-8, folded. Controls become blanks. Slice
 * with NULL data at the arena's ceiling. */
struct slice header_out_encode(struct arena *arena, struct slice text);

#endif
