/*
 * reason - why a file, or the rest of it, could not be looked into
 *
 * A closed list; tocsin-policy(5) explains each. What the mail did is a fact
 * about the mail. What a limit or a failure of ours did makes the analysis
 * incomplete as well.
 */
#ifndef TOCSIN_SCANNER_REASON_H
#define TOCSIN_SCANNER_REASON_H

#include "base/slice.h"

enum reason_cause {
	REASON_OF_MAIL,   /* encrypted, broken, of a form that nothing opens */
	REASON_OF_LIMIT,  /* a limit of ours */
	REASON_OF_FAILURE /* a worker died, overran, or could not be had */
};

/* An unknown reason is a failure. */
enum reason_cause reason_cause(struct slice reason);

/* The names, one after the other; NULL behind the last. */
const char *reason_name(unsigned index);

#endif
