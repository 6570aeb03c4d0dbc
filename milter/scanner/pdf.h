/*
 * pdf - what a PDF's streams hold, and the links in its strings
 *
 * Streams that are squeezed with Flate (and put into letters by ASCIIHex or
 * ASCII85) are opened: attached files become files, the others are searched
 * for links, since PDF 1.5 keeps annotations in them. Strings behind /URI are
 * read with their escapes. Not opened: pictures, streams under LZW or run
 * lengths, encrypted ones. Objects are not followed: what stands in the bytes
 * counts, whether the document still refers to it or not.
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

/* Looks at the names that stand in the clear. */
struct pdf_marks pdf_inspect(struct slice content);

/* Hands out files and texts; at most `budget_bytes` are unpacked, and of a
 * stream at most `ratio` times its size beyond the first megabyte. */
void pdf_files(struct slice file, size_t budget_bytes, unsigned ratio,
    const struct found *found);

/* Hands the strings behind /URI to `found`, without their escapes. */
void pdf_links(struct slice content, const struct found *found);

#endif
