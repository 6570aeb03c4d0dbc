#include <config.h>

#include <cjson/cJSON.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "tool/control_client.h"
#include "tool/tool.h"

#define STATUS_TIMEOUT_S 30

static const char help[] =
    "Shows what the running tocsind judges by and what it has done.\n\n"
    "  --json      everything, as one JSON object\n"
    "  -a          counters that are zero as well\n"
    "  -c FILE     configuration (" TOOL_CONFIGURATION ")\n"
    "  -s SOCKET   control socket, where it is not the configuration's\n";

static double
number(const struct cJSON *object, const char *name)
{
	const struct cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

static const char *
string(const struct cJSON *object, const char *name)
{
	const struct cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static bool
truth(const struct cJSON *object, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItem(object, name));
}

/* "3 d 4 h", "12 min", "8 s" */
static const char *
span(double seconds, char text[32])
{
	long s = seconds < 0 ? 0 : (long)seconds;

	if (s >= 86400)
		snprintf(text, 32, "%ld d %ld h", s / 86400, s % 86400 / 3600);
	else if (s >= 3600)
		snprintf(text, 32, "%ld h %ld min", s / 3600, s % 3600 / 60);
	else if (s >= 60)
		snprintf(text, 32, "%ld min", s / 60);
	else
		snprintf(text, 32, "%ld s", s);
	return text;
}

static const char *
moment(double unix_seconds, char text[32])
{
	time_t when = (time_t)unix_seconds;
	struct tm parts;

	if (unix_seconds <= 0)
		return "-";
	if (localtime_r(&when, &parts) == NULL ||
	    strftime(text, 32, "%Y-%m-%d %H:%M %Z", &parts) == 0)
		return "-";
	return text;
}

static void
print_policy(const struct cJSON *reply, double now)
{
	const struct cJSON *policy = cJSON_GetObjectItem(reply, "policy");
	const char *refused = string(reply, "last-refused");
	char text[32];

	printf("policy    generation %.0f, hash %s, %.0f rules, loaded %s "
	       "ago%s\n",
	    number(policy, "generation"), string(policy, "hash"),
	    number(policy, "rules"), span(now - number(policy, "loaded"), text),
	    truth(policy, "shadow") ? "; ENFORCEMENT SHADOW: rules change "
				      "nothing"
				    : "");
	if (refused[0] != '\0')
		printf("          a newer one was refused %s ago: %s\n",
		    span(now - number(reply, "last-refused-at"), text),
		    refused);
}

static void
print_feeds(const struct cJSON *store, double now)
{
	const struct cJSON *feed;
	char text[32];

	cJSON_ArrayForEach(feed, cJSON_GetObjectItem(store, "feeds"))
	{
		double published = number(feed, "published");

		printf("  feed    %-24s %9.0f used", string(feed, "name"),
		    number(feed, "used"));
		if (published > 0) /* what was added by hand has no file */
			printf(
			    ", published %s ago", span(now - published, text));
		printf("%s%s\n",
		    truth(feed, "kept") ? "; OLDER CONTENT KEPT: " : "",
		    string(feed, "problem"));
	}
}

static void
print_store(const struct cJSON *reply, double now)
{
	const struct cJSON *store = cJSON_GetObjectItem(reply, "store");
	char text[32];

	if (!cJSON_IsObject(store)) {
		printf("store     none\n");
		return;
	}
	printf("store     generation %.0f, %.0f indicators, built %s ago%s\n",
	    number(store, "generation"), number(store, "entries"),
	    span(now - number(store, "built"), text),
	    truth(reply, "building") ? "; a new one is being built" : "");
	print_feeds(store, now);
}

static void
print_switches(const struct cJSON *reply)
{
	const struct cJSON *item;
	char text[32];

	cJSON_ArrayForEach(item, cJSON_GetObjectItem(reply, "switches"))
	{
		double until = number(item, "until");

		printf("switch    %-24s %s", string(item, "name"),
		    truth(item, "on") ? "on" : "off");
		if (truth(item, "set"))
			printf(" by hand%s%s%s%s%s",
			    string(item, "by")[0] != '\0' ? ", " : "",
			    string(item, "by"),
			    string(item, "reason")[0] != '\0' ? ": " : "",
			    string(item, "reason"),
			    until > 0 ? "" : ", without an end");
		if (until > 0)
			printf(", until %s", moment(until, text));
		printf("\n");
	}
	cJSON_ArrayForEach(item, cJSON_GetObjectItem(reply, "expiring"))
	{
		printf("ends      %s %s at %s\n", string(item, "what"),
		    string(item, "name"), moment(number(item, "until"), text));
	}
}

static void
print_counters(const struct cJSON *reply, bool all)
{
	const struct cJSON *item;

	cJSON_ArrayForEach(item, cJSON_GetObjectItem(reply, "counters"))
	{
		if (all || item->valuedouble > 0)
			printf(
			    "  %-26s %.0f\n", item->string, item->valuedouble);
	}
}

static void
print_status(const struct cJSON *reply, bool all)
{
	double now = (double)time(NULL);
	char text[32];

	printf("tocsind   %s, process %.0f, up %s\n", string(reply, "version"),
	    number(reply, "pid"), span(number(reply, "uptime-s"), text));
	if (number(reply, "filter-pid") > 0)
		printf("filter    process %.0f, up %s, restarted %.0f times; "
		       "%.0f connections, %.0f messages under way, %.1f MB\n",
		    number(reply, "filter-pid"),
		    span(number(reply, "filter-uptime-s"), text),
		    number(reply, "restarts"), number(reply, "connections"),
		    number(reply, "messages"),
		    number(reply, "memory-bytes") / 1e6);
	else
		printf("filter    NOT RUNNING\n");
	print_policy(reply, now);
	print_store(reply, now);
	print_switches(reply);
	print_counters(reply, all);
}

int
tool_status(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	const char *configuration = TOOL_CONFIGURATION;
	const char *socket_given = NULL;
	struct cJSON *reply;
	bool json = false;
	bool all = false;
	int status;
	int option;

	while (
	    (option = getopt_long(argc, argv, "c:s:a", options, NULL)) != -1) {
		if (option == 'c')
			configuration = optarg;
		else if (option == 's')
			socket_given = optarg;
		else if (option == 'a')
			all = true;
		else if (option == 'j')
			json = true;
		else if (option == 'h')
			return tool_usage(
			    "status [--json] [-a] [-c FILE] [-s SOCKET]", help);
		else
			return EX_USAGE;
	}
	if (optind < argc)
		return tool_misused(
		    "status", "unexpected argument \"%s\"", argv[optind]);
	status = control_client_run("status", socket_given, configuration,
	    cJSON_CreateObject(), STATUS_TIMEOUT_S, &reply);
	if (status == EX_OK && json) {
		char *text = cJSON_Print(reply);

		printf("%s\n", text == NULL ? "{}" : text);
		free(text);
	} else if (status == EX_OK) {
		print_status(reply, all);
	}
	cJSON_Delete(reply);
	return status;
}
