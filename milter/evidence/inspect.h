/*
 * inspect - what the scanner's workers find in the attachments of a message
 *
 * Reads:    the parts of a message
 * Produces: the files in them (parts and archive members) with type, digests,
 *           flags and YARA matches; the URLs in documents and members; the
 *           mail that was attached as a file or lay in an archive, whose own
 *           attachments are looked into like the message's
 *
 * Only what can hold something is sent to a worker: archives and documents by
 * their first bytes, all attachments when their type is wanted, all leaves
 * when YARA rules are. A message without any of these never waits. All parts
 * share one budget of time, bytes and entries.
 */
#ifndef TOCSIN_EVIDENCE_INSPECT_H
#define TOCSIN_EVIDENCE_INSPECT_H

#include "base/list.h"
#include "message/message.h"
#include "scanner/scanner.h"

#define INSPECT_NO_PARENT SIZE_MAX

/* A part that a worker has looked into, or a member of an archive. */
struct inspect_file {
	size_t part;   /* index of the message's part it is, or lies in */
	size_t parent; /* index of the archive in files; INSPECT_NO_PARENT */
	bool in_mail;  /* a part of one of `mails`, not an archive member */
	const struct scanner_item *item;
};

/* Mail that was found in a file. */
struct inspect_mail {
	struct message *message;
	size_t part; /* index of the message's part in which it was */
	size_t file; /* index of the file that it is */
};

struct inspection {
	LIST_OF(struct inspect_file) files;
	struct url_list urls; /* `part` is set */
	LIST_OF(struct inspect_mail) mails;
	bool cut;    /* a limit of ours left something unseen */
	bool failed; /* a worker did */
};

/* Looks into the parts of `message`, once it has ended. `want` is a set of
 * enum scanner_want. TC_LIMIT when the arena is full; what was found before
 * stands. */
enum tc_status inspect_run(struct arena *arena, const struct message *message,
    struct scanner *scanner, const struct message_limits *limits, unsigned want,
    struct inspection *inspection_out);

/* The entry of a whole part, or NULL when it was not looked into. */
const struct inspect_file *inspect_part(
    const struct inspection *inspection, size_t part);

#endif
