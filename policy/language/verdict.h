/*
 * verdict - what the policy asks for, and why
 *
 * Dispositions are ordered by strength: combining verdicts takes the
 * stronger, so combining rules never loses mail (quarantine beats discard).
 */
#ifndef TOCSIN_LANGUAGE_VERDICT_H
#define TOCSIN_LANGUAGE_VERDICT_H

#include "base/list.h"
#include "language/schema.h"

struct program_rule; /* program.h */

enum disposition {
	DISPOSITION_NONE,
	DISPOSITION_DEFER,
	DISPOSITION_DISCARD,
	DISPOSITION_QUARANTINE,
	DISPOSITION_REJECT
};

enum verdict_action_kind {
	ACTION_TAG,            /* name NULL: X-Tocsin-Result */
	ACTION_PREFIX_SUBJECT, /* text */
	ACTION_ADD_HEADER,     /* name, text */
	ACTION_REMOVE_HEADER,  /* name */
	ACTION_COPY_TO,        /* text: the address */
	ACTION_PRESERVE,
	ACTION_ALERT /* text: priority, "" = none given */
};

struct verdict_action {
	enum verdict_action_kind kind;
	const struct program_rule *rule; /* NULL: by `failure` */
	const char *name;
	/* Fields filled in and made safe: no CR, LF, NUL or other controls. */
	struct slice text;
};

struct verdict_match {
	const struct program_rule *rule;
	enum schema_stage stage;
	bool shadow;   /* evaluated only; changes nothing */
	bool by_error; /* matches because of `on-error match` */
	/* Name of the exemption that lifts it; NULL: none. */
	const char *exempted_by;
	enum disposition disposition; /* what it asks for */
};

/* An evaluation that could not be finished. */
struct verdict_error {
	const struct program_rule *rule;
	const char *what; /* constant text */
};

struct verdict {
	struct arena *arena;
	enum disposition disposition;
	enum disposition would; /* the strongest that shadow rules ask for */
	/* The first rule that asked for `disposition`; NULL with a disposition:
	 * `failure`. */
	const struct program_rule *decided_by;
	struct slice reply; /* text of reject/defer "..."; empty: default */
	LIST_OF(struct verdict_match) matches;
	LIST_OF(struct verdict_action) actions; /* enforced ones only */
	LIST_OF(struct verdict_error) errors;
	unsigned failures; /* 1u << enum facts_failure: those that acted */
	bool incomplete;   /* evaluation met an error or a limit */
	int severity;      /* highest of enforced matches; -1: none */
};

struct verdict verdict_make(struct arena *arena);

/* Adds what an earlier stage found: the stronger disposition stays, matches and
 * actions are appended (duplicates of one rule once). */
void verdict_join(struct verdict *verdict, const struct verdict *earlier);

/* The stronger of both. */
enum disposition verdict_stronger(enum disposition a, enum disposition b);

/* "none", "defer", "discard", "quarantine", "reject". */
const char *verdict_disposition_name(enum disposition disposition);
const char *verdict_action_name(enum verdict_action_kind kind);

#endif
