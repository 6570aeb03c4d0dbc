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

bool line_x86_usable(void);

/* As line_scan(), but may also return where any later line begins. */
size_t line_x86_scan(
    struct slice bytes, size_t from, struct line_survey *survey);

/* As line_copy(), but may stop before '=' or LF. */
size_t line_x86_copy(struct slice text, unsigned char *out);

#endif
