/*
 * ends - what ends by itself: rules, shadows, exemptions, entries of lists
 *
 * For the log when it comes, for `tocsin status` a day before, and for `tocsin
 * check`. Looks only at what has an end.
 */
#ifndef TOCSIN_LANGUAGE_ENDS_H
#define TOCSIN_LANGUAGE_ENDS_H

#include "language/program.h"

enum end_kind {
	END_RULE,
	END_SHADOW, /* of a rule, which is off then */
	END_WAIT,   /* of a rule, which acts then (from) */
	END_EXEMPTION,
	END_ENTRY /* of a list */
};

struct end {
	enum end_kind kind;
	const char *name;   /* of the rule, exemption or list */
	struct slice entry; /* END_ENTRY */
	int64_t until_unix;
};

/* Calls `tell` for each end later than `after` and not later than `up_to`
 * (Unix seconds). `lists`: those in use; NULL: the program's own. */
void ends_between(const struct program *program,
    const struct program_lists *lists, int64_t after, int64_t up_to,
    void (*tell)(void *context, const struct end *end), void *context);

/* "rule", "shadow of rule", "waiting time of rule", "exemption", "entry of
 * list". */
const char *ends_kind_text(enum end_kind kind);

#endif
