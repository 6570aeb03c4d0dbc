/*
 * compare - what two policies make of the same mail
 *
 * Reads:    the sessions of one message, judged by the old and by the new
 *           policy
 * Produces: per message the rules that matched under both, gained and lost,
 *           and both verdicts; over all messages a table of the same
 *
 * Rules are told apart by name. A match that an exemption lifts counts as none,
 * for it changes nothing; a match in shadow counts, for that is where a new
 * rule is tried. A message that was refused before its end has a verdict, and
 * no rules.
 */
#ifndef TOCSIN_TOOL_COMPARE_H
#define TOCSIN_TOOL_COMPARE_H

#include "base/builder.h"
#include "tool/judge.h"
#include "tool/mailbox.h"

enum compare_form {
	COMPARE_SUMMARY, /* nothing of this message is printed */
	COMPARE_CHANGES, /* text, of messages that are judged differently */
	COMPARE_ALL,     /* text, of every message */
	COMPARE_JSON     /* one line, of every message */
};

struct compare;

/* NULL without memory. Both judges outlive it. */
struct compare *compare_new(
    const struct judge *old_judge, const struct judge *new_judge);

/* Takes in the message that both judges judged last, and appends to `out` what
 * `form` asks for. True when rules or verdict differ. */
bool compare_message(struct compare *compare, struct builder *out,
    const struct mailbox_entry *entry, enum compare_form form);

/* Messages that were taken in, and those that differ. */
unsigned long compare_messages(const struct compare *compare);
unsigned long compare_changed(const struct compare *compare);

/* Appends the table over all messages: text, or one line of JSON. */
void compare_summary(
    const struct compare *compare, struct builder *out, bool json);

/* Accepts NULL inside; clears the pointer. */
void compare_free(struct compare **compare);

#endif
