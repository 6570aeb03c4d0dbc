/*
 * feed_form - in which form and encoding a feed's file is
 *
 * Finds out from the first octets what a file is where the operator has not
 * said so, undoes UTF-16 and a byte order mark, and calls the reader of the
 * form. Forms that are known and not read are refused with what to do instead.
 * Nobody but the feed's readers includes this.
 */
#ifndef TOCSIN_INDICATOR_FEED_FORM_H
#define TOCSIN_INDICATOR_FEED_FORM_H

#include "base/slice.h"
#include "base/status.h"

struct feed_reader;

/* Reads all of a file's octets. TC_INVALID when it is of no form that we read;
 * the report's problem says what it is. */
enum tc_status feed_form_read(struct feed_reader *reader, struct slice bytes);

/* The same of a large file that begins with `head` and whose reader asks for
 * the rest (feed_file_more). False, and nothing read, when it is not of a form
 * that is read line after line. */
bool feed_form_read_lines(
    struct feed_reader *reader, struct slice head, enum tc_status *status_out);

/* Looks at the first octets of a file that may go on: TC_INVALID when they are
 * of no form that we read, or are of lines and of no use. */
enum tc_status feed_form_look(struct feed_reader *reader, struct slice head);

#endif
