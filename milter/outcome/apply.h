/*
 * apply - turns a verdict into what the MTA is asked to do
 *
 * Reads:    a message's evidence and the verdict over it
 * Produces: header edits, a quarantine or a reply, through a small table of
 *           functions: callbacks.c fills it with smfi_*, scan and the scenes
 *           with a recorder
 *
 * Edits are made in an order that is right on both MTAs: forged headers are
 * removed from the highest index down, changes come next, and our own headers
 * are inserted last, at index 0.
 *
 * Header values handed to the target begin with the blank that separates them
 * from the colon (SMFIP_HDR_LEADSPC); a target that did not negotiate this
 * skips it. Folds inside a value are LF and a blank, as libmilter wants them.
 * Everything from a message is made safe before it enters a header or a reply
 * (no CR, LF, NUL or other control; bounded).
 */
#ifndef TOCSIN_OUTCOME_APPLY_H
#define TOCSIN_OUTCOME_APPLY_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/status.h"

struct evidence;
struct verdict;

/* Octets of a reply's text, its end included: smfi_setreply takes 980. */
#define APPLY_REPLY_TEXT_MAX 981

enum apply_answer {
	APPLY_CONTINUE, /* at end of message: deliver */
	APPLY_REJECT,   /* SMFIS_REJECT, with the reply below */
	APPLY_DEFER,    /* SMFIS_TEMPFAIL, with the reply below */
	APPLY_DISCARD   /* SMFIS_DISCARD */
};

/* What the client is told. The texts are set for REJECT and DEFER only:
 * smfi_setreply(ctx, code, enhanced, text). */
struct apply_reply {
	enum apply_answer answer;
	char code[4];                    /* "550", "451" */
	char enhanced[12];               /* "5.7.1" */
	char text[APPLY_REPLY_TEXT_MAX]; /* one line of printable ASCII */
};

/* What can be asked of an MTA at end of message. Each returns false when the
 * MTA did not take it; `index` counts fields of that name from 1, as
 * smfi_chgheader does. */
struct apply_target {
	void *context;
	bool (*insert_header)(
	    void *context, unsigned index, const char *name, const char *value);
	bool (*add_header)(void *context, const char *name, const char *value);
	bool (*change_header)(
	    void *context, const char *name, unsigned index, const char *value);
	bool (*delete_header)(void *context, const char *name, unsigned index);
	bool (*add_recipient)(void *context, const char *address);
	bool (*quarantine)(void *context, const char *reason);
};

/* Carries out `verdict` at the end of a message: edits through `target`, then
 * *reply_out. Returns TC_OK; TC_SYSTEM when the target refused an edit and
 * TC_LIMIT when the arena is full: the caller then defers, so that no message
 * leaves half judged. */
enum tc_status apply_verdict(const struct evidence *evidence,
    const struct verdict *verdict, const struct apply_target *target,
    struct apply_reply *reply_out);

/* The reply that an early verdict (connect, helo, mail, rcpt) asks for:
 * REJECT, DEFER or CONTINUE. */
void apply_early(const struct evidence *evidence, const struct verdict *verdict,
    struct apply_reply *reply_out);

/* Fills a reply: answer; code and enhanced code by disposition, or the enhanced
 * code of the same class that the text begins with; text as given or a default,
 * made safe and cut. */
void apply_reply_make(
    struct apply_reply *reply, enum apply_answer answer, struct slice text);

#endif
