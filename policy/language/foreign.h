/*
 * foreign - how other languages say it, and how this one does
 *
 * Operators know nginx, pf, Wireshark, Sieve, SQL and Python, and the
 * configurations of Postfix, OpenDKIM, OpenDMARC and rspamd. Where a word or
 * sign of theirs stands in a policy, the error says what to write instead.
 * Each function returns that as the rest of a sentence, or NULL for what it
 * does not know.
 */
#ifndef TOCSIN_LANGUAGE_FOREIGN_H
#define TOCSIN_LANGUAGE_FOREIGN_H

#include "language/lex.h"

/* Between two operands: eq, like, startswith. */
const char *foreign_operator(struct slice word);
/* After `then`: block, fileinto, greylist. */
const char *foreign_action(struct slice word);
/* Inside a rule: if, else. */
const char *foreign_clause(struct slice word);
/* At the top level: table, block, define. */
const char *foreign_statement(struct slice word);
/* A setting: OpenDKIM's InternalHosts, Postfix's mynetworks. */
const char *foreign_setting(struct slice word);
/* A field: envelope-from, now. */
const char *foreign_field(struct slice word);
/* The collection, or the member of one, that goes by another name here: link
 * is url, filename is name. NULL: none. */
const char *foreign_collection(struct slice word);
const char *foreign_member(struct slice word);
/* After a number, with a blank between: MB, sec. The unit of ours, or NULL. */
const char *foreign_unit(struct slice word);

#endif
