/*
 * rtf - objects that an RTF document embeds, and its text
 *
 * Objects stand as hexadecimal digits behind \objdata; readers pass over
 * words, braces and blanks among the digits, and Word over more than others
 * do, so writers of malware put them there. Where it makes a difference each
 * way of reading them gives a file. The text, with fields and templates, is
 * handed out without words and groups, its quoted octets decoded, with the
 * groups that readers may ignore and without.
 */
#ifndef TOCSIN_SCANNER_RTF_H
#define TOCSIN_SCANNER_RTF_H

#include "scanner/found.h"

/* True for the first octets of such a document. */
bool rtf_is(struct slice file);

/* Hands out each object's file. */
void rtf_files(struct slice file, const struct found *found);

/* Hands out the text. */
void rtf_text(struct slice file, const struct found *found);

/* The RTF of an Outlook message (MS-OXRTFCP), whose head begins where `packed`
 * does, as text. */
void rtf_squeezed(struct slice packed, const struct found *found);

#endif
