/*
 * line_x86 - line.h's loops for processors with AVX2
 *
 * Whether this one is such is asked at run time; elsewhere line_x86_usable()
 * is false and the others do nothing. They may stop early: their caller goes
 * on octet by octet.
 */
#ifndef TOCSIN_MESSAGE_LINE_X86_H
#define TOCSIN_MESSAGE_LINE_X86_H

#include "message/line.h"

/* How far a run of quoted-printable was decoded. */
struct line_x86_quoted {
	size_t taken;   /* octets of text */
	size_t written; /* octets of output */
	size_t fixed;   /* of these, before which no blank ends a line; 0: none
			 * more than before */
};

bool line_x86_usable(void);

/* As line_scan(), but may also return where any later line begins. */
size_t line_x86_scan(
    struct slice bytes, size_t from, struct line_survey *survey);

/* Decodes quoted-printable from text[0] on, as far as it is of the usual form:
 * whole escapes, soft line breaks with CRLF, lines without blanks at their end.
 * May stop anywhere. hex_values: 1 more than the value of each digit, 0 for
 * others. `out` has room for text.length + LINE_COPY_SLACK. */
struct line_x86_quoted line_x86_quoted(
    struct slice text, const unsigned char hex_values[256], unsigned char *out);

/* As line_copy(), but may stop before '=' or LF. */
size_t line_x86_copy(struct slice text, unsigned char *out);

#endif
