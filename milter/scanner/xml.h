/*
 * xml - links and files in XML that are not to be seen in its octets
 *
 * The parts of Office and OpenDocument files, XFA, Word's and PowerPoint's XML
 * in one file. Not a parser: entities are decoded wherever they stand, the
 * text is handed out without its tags (a field over several runs is then one),
 * and what elements hold as base64 becomes a file. In UTF-16 too.
 */
#ifndef TOCSIN_SCANNER_XML_H
#define TOCSIN_SCANNER_XML_H

#include "scanner/found.h"

/* True for what begins with a tag, behind blanks and a byte order mark. */
bool xml_is(struct slice content);

/* Hands out the text, where it is another than the octets. */
void xml_text(struct slice content, const struct found *found);

/* Hands out the files in base64. */
void xml_files(struct slice content, const struct found *found);

#endif
