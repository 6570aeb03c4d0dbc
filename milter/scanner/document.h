/*
 * document - macros, encryption and URLs of office files and PDFs
 *
 * Not a parser of the formats: it asks what knows their outer structure (ole,
 * office, pdf), and the names of zip members (OOXML). Files inside are for
 * nested.
 */
#ifndef TOCSIN_SCANNER_DOCUMENT_H
#define TOCSIN_SCANNER_DOCUMENT_H

#include "scanner/scanner.h"

#define DOCUMENT_URLS_MAX 2000 /* of one file */

/* Sets SCANNER_MACROS and SCANNER_ENCRYPTED of the item and, with want_urls,
 * appends URLs that stand in the clear. */
void document_inspect(struct slice content, bool want_urls, struct arena *arena,
    struct scanner_item *item);

/* Appends the URLs that stand in these bytes, as copies. */
void document_urls(
    struct slice content, struct arena *arena, struct scanner_item *item);

/* True when document_inspect() knows the form by its first bytes. */
bool document_is_known(struct slice content);

/* True for names under which OOXML and OpenDocument keep macros. */
bool document_is_macro_name(struct slice member_name);

#endif
