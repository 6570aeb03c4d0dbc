/*
 * mailbox - messages at rest: files, folders, Maildirs, mboxes, standard input
 *
 * Reads:    a path as an operator names it
 * Produces: one message after the other, as the octets of the file
 *
 * Folders are walked in order of names, to a bounded depth, without following
 * links; of a Maildir only `cur` and `new` are read. A file that starts with
 * "From " is an mbox and gives each of its messages (">From " is put back).
 */
#ifndef TOCSIN_TOOL_MAILBOX_H
#define TOCSIN_TOOL_MAILBOX_H

#include "base/arena.h"

struct mailbox_entry {
	const char *path;
	unsigned number;  /* within an mbox, from 1; 0: a file of its own */
	struct slice raw; /* valid until the next call */
};

struct mailbox;

/* Opens what `path` names ("-": standard input). NULL when it cannot be read;
 * errno tells. */
struct mailbox *mailbox_open(const char *path);

/* The next message. False at the end. Files that cannot be read are said on
 * standard error, counted and passed over. */
bool mailbox_next(struct mailbox *mailbox, struct mailbox_entry *entry_out);

unsigned mailbox_unreadable(const struct mailbox *mailbox);

/* Accepts NULL inside; clears the pointer. */
void mailbox_close(struct mailbox **mailbox);

#endif
