/*
 * template - the process from which a scanner's workers are forked
 *
 * The pool's side of it. The rules are kept in memory that is handed to the
 * zygote, so that a template which ended (killed, out of memory) is made anew
 * from the same rules when the next worker is wanted, without the policy being
 * loaded again.
 */
#ifndef TOCSIN_SCANNER_TEMPLATE_H
#define TOCSIN_SCANNER_TEMPLATE_H

#include <pthread.h>

#include "scanner/wire.h"

struct template
{
	struct scanner_settings settings;
	int zygote;       /* the caller's; outlives this */
	int rules_memory; /* -1: none */
	size_t rules_bytes;
	pthread_mutex_t lock; /* guards what follows */
	int socket;           /* -1: no process */
	bool ready;           /* it has loaded its rules */
	uint64_t started_ms;
};

/* Starts the process and waits until it has loaded the rules. TC_INVALID when
 * they do not compile: the errors are in diag. Close it in any case. */
enum tc_status template_open(struct template *template, int zygote,
    const struct scanner_settings *settings,
    const struct scanner_ruleset *rulesets, size_t count, struct diag *diag);

/* Ends the process and with it the workers that are forked from it. */
void template_close(struct template *template);

/* Has a worker forked, with these three descriptors. Where the process is
 * gone another is started, and waited for until the deadline. From any
 * thread. */
bool template_fork(struct template *template,
    const struct wire_worker_request *request, const int descriptors[3],
    uint64_t deadline_ms);

#endif
