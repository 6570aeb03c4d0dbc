/*
 * scan_report - what `tocsin scan` prints about a message
 *
 * For people: file, Message-ID, sender, recipients, the rules and indicators
 * that matched and where; with `explain` also what each method of
 * authentication was asked, what came back and which rule of which RFC
 * decided, and each clause of each rule. For programs: one JSON object a line,
 * the record of tocsin-evidence(5) with the file in front.
 *
 * Everything from the message is made safe for a terminal.
 */
#ifndef TOCSIN_TOOL_SCAN_REPORT_H
#define TOCSIN_TOOL_SCAN_REPORT_H

#include "base/builder.h"
#include "session/session.h"
#include "tool/mailbox.h"
#include "tool/replay.h"

struct scan_report_options {
	bool explain;
	bool show_content;        /* what of the body a clause matched */
	const char *const *rules; /* those to explain; NULL: all */
	size_t rule_count;
};

/* Appends the text for people. */
void scan_report_text(struct builder *out, const struct mailbox_entry *entry,
    const struct session *session, const struct replay_result *result,
    const struct scan_report_options *options);

/* Appends one line of JSON. */
void scan_report_json(struct builder *out, const struct mailbox_entry *entry,
    const struct session *session, const struct replay_result *result,
    const struct scan_report_options *options);

/* Appends the refused recipients as JSON objects, without the brackets. */
void scan_report_json_refused(
    struct builder *out, const struct replay_result *result);

/* Appends the explanation alone: methods, then rules. */
void scan_report_explain(struct builder *out, const struct session *session,
    const struct scan_report_options *options);

/* True when a rule or an indicator matched, if only for one recipient. */
bool scan_report_has_match(
    const struct session *session, const struct replay_result *result);

/* How the options want rules explained. */
struct explain_options scan_report_explaining(
    const struct scan_report_options *options);

#endif
