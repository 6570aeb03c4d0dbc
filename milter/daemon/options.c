#include <config.h>

#include <getopt.h>
#include <stdio.h>

#include "daemon/options.h"

static const char help[] =
    "usage: tocsind [-fnlvV] [-c FILE] [-p SOCKET] [-P FILE] [-u USER]\n"
    "\n"
    "The mail filter: judges each message of Postfix or Sendmail.\n"
    "\n"
    "  -c FILE    configuration (" SYSCONFDIR "/tocsin.conf)\n"
    "  -f         stay in the foreground, log to standard error\n"
    "  -n         check the configuration and end: 0 good, 78 errors\n"
    "  -l         log to syslog as well, with -f\n"
    "  -p SOCKET  listen there: unix:PATH, inet:PORT@HOST, inet6:PORT@HOST\n"
    "  -P FILE    write the process's number there\n"
    "  -u USER    become this user once the sockets are open\n"
    "  -v         log more\n"
    "  -V         print the version and those of the libraries\n"
    "  -h, --help this text\n"
    "\n"
    "HUP and USR1 load configuration, policy, lists and indicators anew; TERM "
    "and\nINT finish the messages in hand and end. What stands on the command "
    "line\nwins over the configuration.\n";

void
options_print_help(void)
{
	fputs(help, stdout);
}

static bool
take_option(int option, struct options *options)
{
	switch (option) {
	case 'c':
		options->configuration = optarg;
		return true;
	case 'f':
		options->foreground = true;
		return true;
	case 'n':
		options->check_only = true;
		return true;
	case 'l':
		options->to_syslog = true;
		return true;
	case 'p':
		options->socket = optarg;
		return true;
	case 'P':
		options->pid_file = optarg;
		return true;
	case 'u':
		options->user = optarg;
		return true;
	case 'v':
		options->verbose++;
		return true;
	case 'V':
		options->show_version = true;
		return true;
	case 'h':
		options->show_help = true;
		return true;
	default:
		return false;
	}
}

bool
options_parse(int argc, char **argv, struct options *options_out)
{
	static const struct option long_options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct options options = {
		.configuration = SYSCONFDIR "/tocsin.conf",
	};
	int option;

	while ((option = getopt_long(
		    argc, argv, "c:fnlp:P:u:vVh", long_options, NULL)) != -1)
		if (!take_option(option, &options)) {
			fprintf(stderr, "Try: tocsind --help\n");
			return false;
		}
	if (optind < argc) {
		fprintf(stderr,
		    "tocsind: unexpected argument \"%s\"\nTry: tocsind "
		    "--help\n",
		    argv[optind]);
		return false;
	}
	*options_out = options;
	return true;
}
