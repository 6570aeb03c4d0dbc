/*
 * tocsind - the mail filter; see daemon/supervise.h
 */
#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <unistd.h>

#include "daemon/options.h"
#include "daemon/start.h"
#include "daemon/supervise.h"
#include "daemon/trial.h"
#include "daemon/version.h"

/* Loads everything and prints every error and warning. */
static int
check(const struct options *options)
{
	struct trial_policy policy;
	bool good = trial_load_usable(options->configuration,
	    options->check_only, options->user == NULL, &policy);
	char problem[512] = "";
	struct start start;

	if (policy.text != NULL)
		fputs(policy.text, stderr);
	if (good && !start_prepare(options, program_settings(policy.program),
			&start, problem, sizeof problem)) {
		fprintf(
		    stderr, "%s: error: %s\n", options->configuration, problem);
		good = false;
	}
	if (!good && policy.text == NULL)
		fprintf(stderr, "%s: error: no memory to load it\n",
		    options->configuration);
	if (good && options->check_only)
		printf("%s: %u rules, hash %s\n", options->configuration,
		    program_rule_count(policy.program),
		    program_hash(policy.program));
	trial_free(&policy);
	return good ? EX_OK : EX_CONFIG;
}

/* In a child, of which neither threads nor memory stay behind. */
static int
check_apart(const struct options *options)
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		status = check(options);
		(void)fflush(NULL);
		_exit(status);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		return EX_OSERR;
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "%s: error: loading it crashed (signal %d)\n",
	    options->configuration, WTERMSIG(status));
	return EX_SOFTWARE;
}

/* Goes into the background. The starter ends when mail is accepted, or with
 * the status with which the daemon ended before. */
static int
run_in_background(const struct options *options)
{
	int ends[2];
	char octet;
	int status;
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) != 0)
		return EX_OSERR;
	child = fork();
	if (child < 0)
		return EX_OSERR;
	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);

		close(ends[0]);
		(void)setsid();
		if (null >= 0) {
			(void)dup2(null, STDIN_FILENO);
			(void)dup2(null, STDOUT_FILENO);
			(void)dup2(null, STDERR_FILENO);
		}
		_exit(supervise_run(options, ends[1]));
	}
	close(ends[1]);
	if (read(ends[0], &octet, 1) == 1)
		return EX_OK;
	if (waitpid(child, &status, 0) != child || !WIFEXITED(status))
		return EX_SOFTWARE;
	fprintf(stderr, "tocsind: did not start; syslog tells why\n");
	return WEXITSTATUS(status);
}

int
main(int argc, char **argv)
{
	struct options options;
	int status;

	if (!options_parse(argc, argv, &options))
		return EX_USAGE;
	if (options.show_help) {
		options_print_help();
		return EX_OK;
	}
	if (options.show_version) {
		version_print();
		return EX_OK;
	}
	status = check_apart(&options);
	if (status != EX_OK || options.check_only)
		return status;
	return options.foreground ? supervise_run(&options, -1)
				  : run_in_background(&options);
}
