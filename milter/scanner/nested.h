/*
 * nested - files that documents, pages and mail in Outlook's form carry
 *
 * Beside archives: what lies in an OLE file's streams, in a PDF's, in RTF,
 * OneNote, TNEF and XML, and what a page or script hands to the browser in base64.
 * Each becomes a member, as those of archives do.
 */
#ifndef TOCSIN_SCANNER_NESTED_H
#define TOCSIN_SCANNER_NESTED_H

#include "scanner/unpack.h"

/* Adds what is found in the bytes of item `index` below it, and the links in
 * them to it. */
void nested_open(struct unpack *unpack, struct slice content, size_t index);

#endif
