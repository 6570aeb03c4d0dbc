/*
 * alert - the separate log line of `then alert`, limited in rate per rule
 *
 * Monitoring watches for `alert rule=… priority=…`; nothing is executed. A rule
 * that raises more than `limits alert-rate` alerts in a minute is silenced for
 * the rest of it, and the next minute's first alert says how many were left
 * out. Thread-safe.
 */
#ifndef TOCSIN_OUTCOME_ALERT_H
#define TOCSIN_OUTCOME_ALERT_H

#include <time.h>

struct alerts;
struct evidence;
struct verdict;

/* NULL without memory. */
struct alerts *alert_new(void);
void alert_free(struct alerts **alerts);

/* Logs every alert that the verdict asks for, at level warning. `alerts` NULL:
 * without limit. */
void alert_raise(struct alerts *alerts, const struct evidence *evidence,
    const struct verdict *verdict);

#endif
