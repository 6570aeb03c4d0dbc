/*
 * office - what old Office files and Outlook messages (.msg) hold
 *
 * By the streams of their OLE file: whether they have macros or a password,
 * and the files inside: attachments of a message, objects that were dropped
 * into a document or a presentation, and any stream that is an archive, a
 * program or a document of its own; for links all streams, the source of
 * macros and a message's squeezed text.
 */
#ifndef TOCSIN_SCANNER_OFFICE_H
#define TOCSIN_SCANNER_OFFICE_H

#include "scanner/found.h"

struct office_marks {
	bool encrypted; /* it asks for a password, or for rights */
	bool macros;    /* VBA, or Excel 4.0 sheets */
	bool exhausted; /* it could not be read in full */
};

/* Looks at directory and heads of streams, of at most `objects` of them. */
struct office_marks office_inspect(struct slice file, unsigned objects);

/* Hands out what is inside: files, and all other streams as text. */
void office_files(struct slice file, const struct found *found);

/* An object as Windows' packager wrote it (from its two-octet type on): its
 * file name and bytes. False when it is none. */
bool office_package(
    struct slice object, struct slice *name_out, struct slice *content_out);

#endif
