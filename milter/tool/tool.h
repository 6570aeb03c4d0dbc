/*
 * tool - the subcommands of `tocsin`
 *
 * `tocsin NAME ARGUMENT…` looks NAME up in one table (main.c) and runs its
 * function with argv[0] = NAME, so that getopt_long() works as in a program of
 * its own. The function prints results to standard output, what is wrong to
 * standard error, answers --help itself (by tool_usage()) and returns an
 * exit status as in <sysexits.h>.
 *
 * A new subcommand is a file milter/tool/tool_NAME.c with `int tool_NAME(int argc,
 * char **argv)`, its declaration below and a line in the table.
 */
#ifndef TOCSIN_TOOL_TOOL_H
#define TOCSIN_TOOL_TOOL_H

#include <stdio.h>

struct tool_command {
	const char *name;
	const char *help; /* one line, no full stop */
	int (*run)(int argc, char **argv);
};

/* What -c is when it is not given. */
#define TOOL_CONFIGURATION SYSCONFDIR "/tocsin.conf"

/* Prints "usage: tocsin SYNOPSIS", an empty line and `text`, to standard
 * output; returns 0. */
int tool_usage(const char *synopsis, const char *text);

/* Says on standard error what is wrong with the command line and how to get
 * help; returns EX_USAGE. */
int tool_misused(const char *name, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

int tool_check(int argc, char **argv);
int tool_feeds(int argc, char **argv);
int tool_fields(int argc, char **argv);
int tool_fmt(int argc, char **argv);
int tool_hunt(int argc, char **argv);
int tool_indicators(int argc, char **argv);
int tool_reload(int argc, char **argv);
int tool_scan(int argc, char **argv);
int tool_set(int argc, char **argv);
int tool_status(int argc, char **argv);
int tool_test(int argc, char **argv);

#endif
