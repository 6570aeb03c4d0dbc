/*
 * worker - a process that looks into parts until its socket closes
 *
 * Forked by a template (zygote.h), which has loaded rules and magic already.
 */
#ifndef TOCSIN_SCANNER_WORKER_H
#define TOCSIN_SCANNER_WORKER_H

#include <magic.h>

#include "scanner/rules.h"
#include "scanner/scanner.h"

struct worker {
	int socket;        /* requests and replies */
	int part_memory;   /* written by the pool */
	int answer_memory; /* written by us */
	uint64_t answer_bytes;
	struct scanner_settings settings;
	magic_t magic;
	YR_RULES *rules;
};

/* Serves until the socket closes; never returns. */
_Noreturn void worker_run(struct worker *worker);

/* For the sandbox's tests: when set before the zygote starts, called in the
 * jail with each part's bytes before they are looked into. */
extern void (*worker_test_hook)(struct slice content);

#endif
