/*
 * conclude - all that is done once a message has its verdict
 *
 * Reads:    evidence and verdict
 * Produces: what must be kept is kept, the MTA is asked for edits and reply,
 *           then log line, alerts, record and counters
 *
 * A message is kept before the MTA is answered, so that nothing is refused
 * that the policy wanted preserved.
 */
#ifndef TOCSIN_OUTCOME_CONCLUDE_H
#define TOCSIN_OUTCOME_CONCLUDE_H

#include "language/schema.h"
#include "outcome/apply.h"

struct alerts;
struct evidence;
struct journal;
struct settings;
struct verdict;

/* The end of a message. `journal` NULL: nothing is recorded or kept, as where
 * messages at rest are judged. Returns as apply_verdict(). */
enum tc_status conclude_message(struct evidence *evidence,
    const struct verdict *verdict, struct journal *journal,
    struct alerts *alerts, const struct apply_target *target,
    struct apply_reply *reply_out);

/* An early verdict: logged, recorded and counted when it is final; what else it
 * holds joins the verdict at the end of the message. */
void conclude_early(const struct evidence *evidence,
    const struct verdict *verdict, struct journal *journal,
    enum schema_stage stage);

/* We could not do our work: the reply is what `failure { internal … }` says, or
 * a deferral where the process is out of memory. `evidence` and `target` may be
 * NULL; with a target `tag` marks the message. */
void conclude_failure(const struct evidence *evidence,
    const struct settings *settings, bool out_of_memory,
    const struct apply_target *target, enum tc_status status,
    struct apply_reply *reply_out);

/* The MTA gave a message up. */
void conclude_abort(void);

#endif
