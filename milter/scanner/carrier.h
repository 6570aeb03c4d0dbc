/*
 * carrier - files in Outlook's TNEF (winmail.dat), OneNote and Word's .mso
 *
 * The first two are sequences of counted records; nothing is copied.
 */
#ifndef TOCSIN_SCANNER_CARRIER_H
#define TOCSIN_SCANNER_CARRIER_H

#include "scanner/found.h"

/* True for the first octets of one. */
bool carrier_is(struct slice file);

/* Hands out the files. */
void carrier_files(struct slice file, const struct found *found);

#endif
