/*
 * options - the command line of tocsind
 */
#ifndef TOCSIN_DAEMON_OPTIONS_H
#define TOCSIN_DAEMON_OPTIONS_H

#include <stdbool.h>

struct options {
	const char *configuration;
	bool foreground;
	bool check_only;
	bool show_version;
	bool show_help;
	bool to_syslog;
	unsigned verbose;
	const char *socket;   /* NULL: the setting holds */
	const char *pid_file; /* NULL: the setting holds */
	const char *user;     /* NULL: the setting holds */
};

/* Reads the command line; the texts are argv's. False when it is wrong: that
 * has been said on standard error. */
bool options_parse(int argc, char **argv, struct options *options_out);

void options_print_help(void);

#endif
