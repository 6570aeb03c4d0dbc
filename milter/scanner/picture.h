/*
 * picture - the pictures that old Office keeps among its records
 *
 * In .doc, .xls and .ppt they lie as they are, each behind a head that tells
 * its size (MS-ODRAW 2.2.23). They are handed out so that their digests are
 * known, as those in the new forms are.
 */
#ifndef TOCSIN_SCANNER_PICTURE_H
#define TOCSIN_SCANNER_PICTURE_H

#include "scanner/found.h"

/* Hands out the PNG and JPEG pictures in a stream; false: no more is wanted. */
bool picture_files(struct slice stream, const struct found *found);

/* The same of a workbook, whose records are short: a picture goes on in the
 * next ones (MS-XLS 2.4.58, 2.4.171). */
bool picture_book_files(struct slice stream, const struct found *found);

#endif
