#include <config.h>

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/channel.h"
#include "daemon/feeds.h"
#include "daemon/store_build.h"
#include "indicator/overlay.h"

/* Warnings that are handed on; the rest is counted. */
#define WARNINGS_MAX 100

#define BUILD_NICE   10

static bool
is_configured(const struct settings *settings, struct slice name)
{
	for (size_t i = 0; i < settings->feed_count; i++)
		if (slice_equal_text(name, settings->feeds[i].name))
			return true;
	return false;
}

/* Are the feeds in the store those of the settings? Hand-added indicators
 * stand in it as a feed of their own. */
static bool
has_same_feeds(const struct store *store, const struct settings *settings)
{
	for (size_t i = 0; i < settings->feed_count; i++) {
		const struct feed_config *feed = &settings->feeds[i];
		uint32_t index =
		    store_feed_index(store, slice_text(feed->name));
		struct store_feed known;

		if (feed->format == FEED_FORMAT_YARA)
			continue;
		if (index == UINT32_MAX || !store_feed(store, index, &known) ||
		    !slice_equal_text(known.source, feed->source))
			return false;
	}
	for (uint32_t i = 0; i < store_feed_count(store); i++) {
		struct store_feed known;

		if (store_feed(store, i, &known) &&
		    !slice_equal_text(known.name, OVERLAY_FEED_NAME) &&
		    !is_configured(settings, known.name))
			return false;
	}
	return true;
}

/* Why this store is not what the loaded settings make, or NULL. */
static const char *
difference(const struct store *store, const struct settings *settings,
    const struct build_request *request, uint32_t *agreed)
{
	bool same_feeds = has_same_feeds(store, settings);

	if (same_feeds && store_settings_sum(store) == request->settings_sum) {
		*agreed = request->settings_sum;
		return store_is_older_format(store)
			   ? "the one in force was built by an older Tocsin"
			   : NULL;
	}
	/* The settings are as they were: it is the store that has changed. */
	if (*agreed == request->settings_sum)
		return "it was built by hand with other settings than are "
		       "loaded, which `tocsin reload` would load";
	if (store_is_older_format(store))
		return "the one in force was built by an older Tocsin";
	return same_feeds ? "settings of feeds, warninglists, pins or own "
			    "names are others than before"
			  : "the feeds are others than before";
}

/* Opens the store and says why it is not what it should be, or NULL. */
static const char *
look_at_store(const struct settings *settings,
    const struct build_request *request, struct arena *arena, uint32_t *agreed)
{
	const char *path = feeds_store_path(request, arena);
	struct store *store = NULL;
	const char *problem = NULL, *why = NULL;
	enum tc_status status = store_open(path, &store, &problem);

	if (status == TC_OK)
		why = difference(store, settings, request, agreed);
	else if (status == TC_INVALID)
		why = arena_printf(arena, "the one there %s", problem);
	store_close(&store);
	return why;
}

bool
store_build_is_due(const struct program *program, uint32_t *agreed,
    char *reason, size_t reason_size, struct feeds_change *change_out)
{
	const struct settings *settings = program_settings(program);
	struct arena *arena = arena_new(0, NULL);
	struct build_request request;
	const char *why = NULL;
	bool due = false;

	*change_out = (struct feeds_change){ 0 };
	if (arena == NULL)
		return false;
	if (feeds_build_request(program, time(NULL), arena, &request) ==
	    TC_OK) {
		due = feeds_store_is_stale(&request, arena, &why, change_out);
		if (!due) {
			why = look_at_store(settings, &request, arena, agreed);
			due = why != NULL;
		}
	}
	if (due)
		snprintf(reason, reason_size, "%s", why == NULL ? "" : why);
	arena_free(&arena);
	return due;
}

uint32_t
store_build_settings(const struct program *program)
{
	struct arena *arena = arena_new(0, NULL);
	struct build_request request = { 0 };

	if (arena != NULL)
		(void)feeds_build_request(program, time(NULL), arena, &request);
	arena_free(&arena);
	return request.settings_sum;
}

bool
store_build_has_store(const struct program *program, const char **problem_out)
{
	char path[4096];
	struct store *store = NULL;
	enum tc_status status;

	*problem_out = NULL;
	snprintf(path, sizeof path, "%s/%s",
	    program_settings(program)->state_directory, BUILD_STORE_NAME);
	status = store_open(path, &store, problem_out);
	store_close(&store);
	if (status == TC_SYSTEM)
		*problem_out = NULL;
	return status == TC_OK;
}

/* The feed that the warning stands at as well, or NULL. */
static const struct build_feed *
feed_of_warning(const struct build_report *report, const char *warning)
{
	for (size_t i = 0; i < report->feed_count; i++)
		if (report->feeds[i].warning != NULL &&
		    strcmp(report->feeds[i].warning, warning) == 0)
			return &report->feeds[i];
	return NULL;
}

static const char *
source_of(const struct build_request *request, const char *name)
{
	for (size_t i = 0; i < request->feed_count; i++)
		if (strcmp(request->feeds[i].name, name) == 0)
			return request->feeds[i].source;
	return "";
}

static struct cJSON *
warnings_of(
    const struct build_request *request, const struct build_report *report)
{
	struct cJSON *warnings = cJSON_CreateArray();
	char text[800];

	for (size_t i = 0; i < report->warnings.count && i < WARNINGS_MAX;
	     i++) {
		const char *warning = report->warnings.items[i];
		const struct build_feed *feed =
		    feed_of_warning(report, warning);

		if (feed == NULL)
			snprintf(text, sizeof text, "%s", warning);
		else
			snprintf(text, sizeof text, "%s (%s)", warning,
			    source_of(request, feed->name));
		cJSON_AddItemToArray(warnings, cJSON_CreateString(text));
	}
	return warnings;
}

static _Noreturn void
run_child(const struct program *program, int fd)
{
	struct cJSON *answer = cJSON_CreateObject();
	struct arena *arena = arena_new(0, NULL);
	struct build_report report = { 0 };
	struct build_request request = { 0 };
	enum tc_status status = TC_LIMIT;

	/* Mail comes first. */
	(void)setpriority(PRIO_PROCESS, 0, BUILD_NICE);
	if (arena != NULL)
		status =
		    feeds_build_request(program, time(NULL), arena, &request);
	if (status == TC_OK)
		status = build_run(arena, &request, &report);
	cJSON_AddBoolToObject(answer, "ok", status == TC_OK);
	cJSON_AddBoolToObject(answer, "busy", status == TC_AGAIN);
	cJSON_AddStringToObject(answer, "problem",
	    report.problem == NULL ? status_name(status) : report.problem);
	cJSON_AddNumberToObject(
	    answer, "generation", (double)report.generation);
	cJSON_AddNumberToObject(answer, "entries", (double)report.entries);
	cJSON_AddNumberToObject(answer, "size", (double)report.size_bytes);
	cJSON_AddItemToObject(
	    answer, "warnings", warnings_of(&request, &report));
	_exit(channel_send(fd, answer) ? 0 : 1);
}

pid_t
store_build_start(const struct program *program, int *fd_out)
{
	int ends[2];
	pid_t child;

	if (!channel_pair(ends))
		return -1;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		run_child(program, ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -1;
	}
	*fd_out = ends[0];
	return child;
}
