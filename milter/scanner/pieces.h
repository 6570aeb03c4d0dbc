/*
 * pieces - strings that a program puts together
 *
 * "ht" & "tp://…" in VBA and spreadsheets, 'ht' + 'tp://…' in scripts: a link
 * in pieces is none to a search for links. Only what stands there as strings
 * with nothing but an operator between them is joined; nothing is computed.
 */
#ifndef TOCSIN_SCANNER_PIECES_H
#define TOCSIN_SCANNER_PIECES_H

#include "scanner/found.h"

/* Hands out the text with its strings joined, when any are. */
void pieces_join(struct slice source, const struct found *found);

#endif
