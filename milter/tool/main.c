/*
 * tocsin - everything an operator types
 *
 * One table of subcommands; see tool/tool.h.
 */
#include <config.h>

#include <string.h>
#include <sysexits.h>

#include "tool/tool.h"

static const struct tool_command commands[] = {
	{ "check", "load a configuration and its policy, and report errors",
	    tool_check },
	{ "feeds", "fetch feeds, and tell how old they are", tool_feeds },
	{ "fields", "list the fields that rules can name", tool_fields },
	{ "fmt", "print policy files in the one canonical layout", tool_fmt },
	{ "hunt", "which recorded messages carried a value", tool_hunt },
	{ "indicators", "build, query and change the indicators in force",
	    tool_indicators },
	{ "reload", "have the running tocsind load its policy anew",
	    tool_reload },
	{ "scan", "run the policy over messages at rest", tool_scan },
	{ "set", "flip a switch of the policy", tool_set },
	{ "status", "what the running tocsind does and has done", tool_status },
	{ "test", "run the tests of a policy", tool_test },
};

#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

static int
print_help(FILE *out)
{
	fprintf(out, "usage: tocsin COMMAND [ARGUMENT...]\n\nCommands:\n");
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		fprintf(
		    out, "  %-12s %s\n", commands[i].name, commands[i].help);
	fprintf(out, "\n`tocsin COMMAND --help` tells more; `tocsin --version` "
		     "which version this is.\n");
	return out == stderr ? EX_USAGE : EX_OK;
}

int
main(int argc, char **argv)
{
	const char *name = argc < 2 ? "" : argv[1];

	if (name[0] == '\0')
		return print_help(stderr);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 ||
	    strcmp(name, "help") == 0)
		return print_help(stdout);
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
		printf("tocsin %s\n", PACKAGE_VERSION);
		return EX_OK;
	}
	for (size_t i = 0; i < COMMAND_COUNT; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (name[0] == '-') {
		fprintf(stderr,
		    "tocsin: the command comes first, options stand behind it: "
		    "tocsin check -c FILE\n");
		return EX_USAGE;
	}
	fprintf(stderr, "tocsin: there is no command \"%s\"\n\n", name);
	return print_help(stderr);
}
