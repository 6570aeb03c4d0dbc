/*
 * scan_reason - why a file, or the rest of it, was not looked into
 *
 * A closed list: `attachment.reason` in the policy language holds these names
 * and no others, and so do the log line and the record. The scanner sets them;
 * the policy's field table knows them. What the mail did is a fact about the
 * mail. What a limit or a failure of ours did makes the analysis incomplete as
 * well. Those of limits are called as the setting is.
 */
#ifndef TOCSIN_BASE_SCAN_REASON_H
#define TOCSIN_BASE_SCAN_REASON_H

#include "base/slice.h"

enum scan_reason_cause {
	SCAN_REASON_OF_MAIL,   /* encrypted, broken, of a form nothing opens */
	SCAN_REASON_OF_LIMIT,  /* a limit of ours */
	SCAN_REASON_OF_FAILURE /* a worker died, overran, could not be had */
};

/* X("name", CAUSE) */
#define SCAN_REASON_TABLE(X)              \
	X("encrypted", MAIL)              \
	X("archive-broken", MAIL)         \
	X("archive-form", MAIL)           \
	X("zip-names-differ", MAIL)       \
	X("archive-depth", LIMIT)         \
	X("archive-bytes", LIMIT)         \
	X("archive-ratio", LIMIT)         \
	X("archive-entries", LIMIT)       \
	X("archive-limit", LIMIT)         \
	X("attached-mails", LIMIT)        \
	X("content-bytes", LIMIT)         \
	X("document-bytes", LIMIT)        \
	X("document-links", LIMIT)        \
	X("document-objects", LIMIT)      \
	X("limit", LIMIT)                 \
	X("scan-time", FAILURE)           \
	X("memory", FAILURE)              \
	X("yara", FAILURE)                \
	X("scanner-worker-died", FAILURE) \
	X("scanner-absent", FAILURE)

/* The reason of that name as constant text; what a worker that was taken over
 * made up is none, and called as what it is: a worker that went wrong. */
const char *scan_reason_known(struct slice reason);

/* An unknown reason is a failure. */
enum scan_reason_cause scan_reason_cause(struct slice reason);

/* The names, one after the other; NULL behind the last. */
const char *scan_reason_name(unsigned index);

#endif
