/*
 * status - could we do the work?
 *
 * A status speaks of us. What the mail, its sender or a feed did wrong is a
 * result of the module at hand (spf_result, mime defects, ...), never a status.
 */
#ifndef TOCSIN_BASE_STATUS_H
#define TOCSIN_BASE_STATUS_H

enum tc_status {
	TC_OK,
	TC_AGAIN,   /* an answer from outside is missing: call again */
	TC_LIMIT,   /* a configured limit or the arena's ceiling was reached */
	TC_INVALID, /* what was read is not of its form; a diag or result tells */
	TC_SYSTEM   /* the system refused (memory, file, thread); errno tells */
};

/* Returns a constant word for logs: "ok", "again", "limit", ... */
const char *status_name(enum tc_status status);

#endif
