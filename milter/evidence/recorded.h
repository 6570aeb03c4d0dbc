/*
 * recorded - results that an MTA of ours wrote when the mail came
 *
 * Reads:    Authentication-Results fields of the message that carry our
 *           authserv-id or a trusted one
 * Produces: spf, dkim, dmarc and arc in the evidence, as far as they are told
 *
 * For mail at rest: asking DNS now would tell the sender, and keys and records
 * of the day are gone. The topmost field that tells of a method counts. Fields
 * are read strictly; what is not told leaves a gap.
 */
#ifndef TOCSIN_EVIDENCE_RECORDED_H
#define TOCSIN_EVIDENCE_RECORDED_H

struct evidence;

void recorded_results(struct evidence *evidence);

#endif
