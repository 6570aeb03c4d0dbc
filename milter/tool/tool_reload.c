#include <config.h>

#include <cjson/cJSON.h>
#include <getopt.h>
#include <stdlib.h>
#include <sysexits.h>

#include "tool/control_client.h"
#include "tool/tool.h"

/* Compiling a large policy with its lists takes seconds, not minutes. */
#define RELOAD_TIMEOUT_S 120

static const char help[] =
    "Has the running tocsind load its configuration, policy and lists anew, "
    "and\nwaits for the result. A policy that does not load never replaces one "
    "that\nruns: the errors are printed and the exit status is 78.\n\n"
    "  -c FILE     configuration (" TOOL_CONFIGURATION ")\n"
    "  -s SOCKET   control socket, where it is not the configuration's\n"
    "  -q          print nothing when all is well\n";

static int
print_result(const struct cJSON *reply, bool quiet)
{
	const struct cJSON *generation =
	    cJSON_GetObjectItem(reply, "policy-generation");
	const struct cJSON *hash = cJSON_GetObjectItem(reply, "policy-hash");
	const struct cJSON *rules = cJSON_GetObjectItem(reply, "rules");
	const struct cJSON *restart = cJSON_GetObjectItem(reply, "restart");

	if (!quiet)
		printf("policy generation %.0f in force: %.0f rules, hash %s\n",
		    cJSON_GetNumberValue(generation),
		    cJSON_GetNumberValue(rules),
		    cJSON_IsString(hash) ? hash->valuestring : "-");
	if (cJSON_IsString(restart))
		printf("changed, but only a restart brings it into force: "
		       "%s\n",
		    restart->valuestring);
	return EX_OK;
}

int
tool_reload(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *configuration = TOOL_CONFIGURATION;
	const char *socket_given = NULL;
	struct cJSON *reply;
	bool quiet = false;
	int status;
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:s:q", options, NULL)) != -1) {
		if (option == 'c')
			configuration = optarg;
		else if (option == 's')
			socket_given = optarg;
		else if (option == 'q')
			quiet = true;
		else if (option == 'h')
			return tool_usage(
			    "reload [-q] [-c FILE] [-s SOCKET]", help);
		else
			return EX_USAGE;
	}
	if (optind < argc)
		return tool_misused(
		    "reload", "unexpected argument \"%s\"", argv[optind]);
	status = control_client_run("reload", socket_given, configuration,
	    cJSON_CreateObject(), RELOAD_TIMEOUT_S, &reply);
	if (status == EX_OK)
		status = print_result(reply, quiet);
	cJSON_Delete(reply);
	return status;
}
