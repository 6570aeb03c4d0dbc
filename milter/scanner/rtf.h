/*
 * rtf - objects that an RTF document embeds
 *
 * They stand as hexadecimal digits behind \objdata; readers pass over words,
 * braces and blanks among the digits, so writers of malware put them there.
 */
#ifndef TOCSIN_SCANNER_RTF_H
#define TOCSIN_SCANNER_RTF_H

#include "scanner/found.h"

/* True for the first octets of such a document. */
bool rtf_is(struct slice file);

/* Hands out each object's file. */
void rtf_files(struct slice file, const struct found *found);

#endif
