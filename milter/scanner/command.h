/*
 * command - commands that PowerShell is given in base64 (-EncodedCommand)
 *
 * Shortcuts, macros and scripts hold them. What is in them is UTF-16, and that
 * is how they are told from other base64: every second octet is nothing. Found
 * in octets and in UTF-16.
 */
#ifndef TOCSIN_SCANNER_COMMAND_H
#define TOCSIN_SCANNER_COMMAND_H

#include "scanner/found.h"

/* Hands out each command that stands in the bytes, decoded, as text. */
void command_text(struct slice content, const struct found *found);

#endif
