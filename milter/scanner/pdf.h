/*
 * pdf - what a PDF's streams hold, and the links in its strings
 *
 * Streams are opened through their filters (pdf_filter.h): attached files
 * become files, the others are searched for links, since PDF 1.5 keeps
 * annotations in them. Names count with their #xx decoded, strings with their
 * escapes or digits, under whatever key they stand. Not opened: pictures, and
 * encrypted streams. Objects are not followed: what stands in the bytes counts,
 * whether the document still refers to it or not.
 */
#ifndef TOCSIN_SCANNER_PDF_H
#define TOCSIN_SCANNER_PDF_H

#include "scanner/found.h"

struct pdf_marks {
	bool encrypted;
	bool active; /* scripts, or programs that it starts */
};

/* True when readers would take it for one. */
bool pdf_is(struct slice file);

/* Looks at the names. */
struct pdf_marks pdf_inspect(struct slice content);

/* Hands out files and texts. */
void pdf_files(struct slice file, const struct found *found);

/* Hands out the text of strings that do not stand in the clear. */
void pdf_strings(struct slice content, const struct found *found);

#endif
