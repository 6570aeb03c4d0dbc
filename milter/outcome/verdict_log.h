/*
 * verdict_log - the one log line of a message
 *
 * Reads:    evidence and verdict
 * Produces: QUEUE-ID: verdict disposition=… rule=… indicator=… spf=… …
 *
 * Values from outside are escaped and cut; those that hold a blank, a quote or
 * an equals sign stand in double quotes. The line holds no content of the
 * message beyond its addresses.
 */
#ifndef TOCSIN_OUTCOME_VERDICT_LOG_H
#define TOCSIN_OUTCOME_VERDICT_LOG_H

#include "base/builder.h"
#include "language/schema.h"

struct evidence;
struct match_hit;
struct verdict;

/* Appends the line. `stage` other than STAGE_MESSAGE: an early reply. */
void verdict_log_line(struct builder *out, const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage);

/* Logs it at level notice. */
void verdict_log_write(const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage);

/* Names of the enforced rules that matched, joined by commas, the one that
 * decided first; "-" when there was none. */
void verdict_log_rules(struct builder *out, const struct verdict *verdict);

/* FEED:ID of an indicator, or FEED:VALUE where it has no id. */
void verdict_log_indicator(struct builder *out, const struct match_hit *hit);

/* Appends ` key=value`, escaped as above. */
void verdict_log_field(
    struct builder *out, const char *key, struct slice value);

#endif
