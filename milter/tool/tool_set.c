#include <config.h>

#include <cjson/cJSON.h>
#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "base/slice.h"
#include "tool/control_client.h"
#include "tool/tool.h"

#define SET_TIMEOUT_S 30

static const char help[] =
    "Flips a switch of the policy in the running tocsind. It acts within a "
    "second,\nsurvives a restart and is logged. `default` goes back to what "
    "the policy says.\n\n"
    "  --for DURATION   go back by itself: 30m, 4h, 7d\n"
    "  --reason TEXT    why; stands in log and status\n"
    "  -c FILE          configuration (" TOOL_CONFIGURATION ")\n"
    "  -s SOCKET        control socket, where it is not the "
    "configuration's\n";

/* Reads 90s, 30m, 4h, 7d; 0 when it is none. */
static unsigned long
parse_duration_s(const char *text)
{
	static const struct {
		char unit;
		unsigned long seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t length = strlen(text);
	unsigned long number;

	if (length < 2 ||
	    !slice_parse_number(slice_make(text, length - 1), 1000000, &number))
		return 0;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (text[length - 1] == units[i].unit)
			return number * units[i].seconds;
	return 0;
}

/* Who it was, for the log; timers and containers have no LOGNAME. */
static const char *
login_name(void)
{
	static char number[32];
	const char *sudo = getuid() == 0 ? getenv("SUDO_USER") : NULL;
	const struct passwd *user = getpwuid(getuid());

	if (sudo != NULL && *sudo != '\0')
		return sudo;
	if (user != NULL)
		return user->pw_name;
	snprintf(number, sizeof number, "uid %lu", (unsigned long)getuid());
	return number;
}

struct set_arguments {
	const char *configuration;
	const char *socket_given;
	const char *reason;
	unsigned long for_s;
	const char *name;
	const char *position;
};

/* Returns -1 to go on, else the exit status. */
static int
parse_arguments(int argc, char **argv, struct set_arguments *arguments)
{
	static const struct option options[] = {
		{ "for", required_argument, NULL, 'f' },
		{ "reason", required_argument, NULL, 'r' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:s:", options, NULL)) != -1) {
		if (option == 'c') {
			arguments->configuration = optarg;
		} else if (option == 's') {
			arguments->socket_given = optarg;
		} else if (option == 'r') {
			arguments->reason = optarg;
		} else if (option == 'f') {
			arguments->for_s = parse_duration_s(optarg);
			if (arguments->for_s == 0)
				return tool_misused("set",
				    "\"%s\" is no duration; write 30m, 4h or "
				    "7d",
				    optarg);
		} else if (option == 'h') {
			return tool_usage(
			    "set NAME on|off|default [--for DURATION] "
			    "[--reason TEXT]",
			    help);
		} else {
			return EX_USAGE;
		}
	}
	if (argc - optind != 2)
		return tool_misused(
		    "set", "a switch and on, off or default are needed");
	arguments->name = argv[optind];
	arguments->position = argv[optind + 1];
	if (strcmp(arguments->position, "on") != 0 &&
	    strcmp(arguments->position, "off") != 0 &&
	    strcmp(arguments->position, "default") != 0)
		return tool_misused("set", "\"%s\" is not on, off or default",
		    arguments->position);
	return -1;
}

int
tool_set(int argc, char **argv)
{
	struct set_arguments arguments = {
		.configuration = TOOL_CONFIGURATION,
		.reason = "",
	};
	struct cJSON *request, *reply;
	const struct cJSON *said;
	int status = parse_arguments(argc, argv, &arguments);

	if (status != -1)
		return status;
	request = cJSON_CreateObject();
	cJSON_AddStringToObject(request, "switch", arguments.name);
	cJSON_AddStringToObject(request, "position", arguments.position);
	cJSON_AddNumberToObject(request, "for-s", (double)arguments.for_s);
	cJSON_AddStringToObject(request, "reason", arguments.reason);
	cJSON_AddStringToObject(request, "by", login_name());
	status = control_client_run("set", arguments.socket_given,
	    arguments.configuration, request, SET_TIMEOUT_S, &reply);
	said = cJSON_GetObjectItem(reply, "message");
	if (status == EX_OK && cJSON_IsString(said))
		printf("%s\n", said->valuestring);
	cJSON_Delete(reply);
	return status;
}
