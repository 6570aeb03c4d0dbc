/*
 * document - macros, encryption and URLs of office files and PDFs, from their
 * outer structure only
 *
 * Not a parser of the formats: it reads the OLE directory (MS-CFB), names of
 * zip members (OOXML) and PDF's cleartext keys. What it finds is there; what
 * is compressed inside a PDF it does not see.
 */
#ifndef TOCSIN_SCANNER_DOCUMENT_H
#define TOCSIN_SCANNER_DOCUMENT_H

#include "scanner/scanner.h"

/* Sets SCANNER_MACROS and SCANNER_ENCRYPTED of the item and, with want_urls,
 * appends URLs that stand in the clear. */
void document_inspect(struct slice content, bool want_urls, struct arena *arena,
    struct scanner_item *item);

/* True when document_inspect() knows the form by its first bytes. */
bool document_is_known(struct slice content);

/* True for names under which OOXML and OpenDocument keep macros. */
bool document_is_macro_name(struct slice member_name);

#endif
