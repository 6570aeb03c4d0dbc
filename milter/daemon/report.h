/*
 * report - what `tocsin status` is told
 *
 * One JSON object; the names are stable. Times are Unix seconds.
 */
#ifndef TOCSIN_DAEMON_REPORT_H
#define TOCSIN_DAEMON_REPORT_H

#include "daemon/assembly.h"

struct cJSON;

/* Adds what the filter knows: policy, store with its feeds, switches, what
 * ends within a day, counters, sessions and memory in use. */
void report_fill(const struct assembly *assembly, struct cJSON *status);

#endif
