/*
 * progress - how far something long is, for somebody who waits at a terminal
 *
 * One line on standard error, from the second second on, renewed twice a
 * second: what is at work, its rate, its part of the whole and about how long
 * it will still take. Nothing at all when standard error is no terminal.
 */
#ifndef TOCSIN_TOOL_PROGRESS_H
#define TOCSIN_TOOL_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	bool on;    /* standard error is a terminal */
	bool shown; /* a line stands there */
	double begun, last;
};

struct progress progress_begin(void);

/* True when a line is due; asked for before the work of composing one. */
bool progress_is_due(const struct progress *progress);

/* Shows a line: `what`, then `format` with its arguments. `part` of the whole
 * is done, 0 to 1; 0 when that is not known: then there is no remaining
 * time. */
__attribute__((format(printf, 4, 5))) void progress_show(
    struct progress *progress, const char *what, double part,
    const char *format, ...);

/* Seconds since progress_begin(), at least 0.001. */
double progress_seconds(const struct progress *progress);

/* Takes the line away. */
void progress_end(struct progress *progress);

#endif
