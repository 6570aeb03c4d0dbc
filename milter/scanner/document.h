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

/* Sets SCANNER_MACROS and SCANNER_ENCRYPTED of the item. Of an OLE file
 * objects_max entries are looked at. */
void document_inspect(
    struct slice content, unsigned objects_max, struct scanner_item *item);

/* Appends the links that stand in these bytes, as copies. A file with more
 * than urls_max in all is unscannable. */
void document_urls(struct slice content, unsigned urls_max, struct arena *arena,
    struct scanner_item *item);

/* True for a form that nested.h reads, by its first bytes; XML apart. */
bool document_is_known(struct slice content);

/* True for a document whose fields may start programs (DDE), and for text of
 * such a document in which one does. */
bool document_has_fields(struct slice content);
bool document_starts_programs(struct slice text);

/* True for the list of an OpenDocument file's members that says that they ask
 * for a password. */
bool document_says_sealed(struct slice member_name, struct slice content);

/* True for names under which OOXML and OpenDocument keep macros. */
bool document_is_macro_name(struct slice member_name);

#endif
