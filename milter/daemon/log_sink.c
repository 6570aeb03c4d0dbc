#include <config.h>

#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "daemon/log_sink.h"

static const struct {
	const char *name;
	int facility;
} facilities[] = {
	{ "mail", LOG_MAIL },
	{ "daemon", LOG_DAEMON },
	{ "user", LOG_USER },
	{ "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 },
	{ "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 },
	{ "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 },
	{ "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 },
};

#define FACILITY_COUNT (sizeof facilities / sizeof facilities[0])

static atomic_bool to_stderr;
static atomic_bool to_syslog;
static atomic_bool as_json;

static int
find_facility(const char *name)
{
	for (size_t i = 0; i < FACILITY_COUNT; i++)
		if (strcmp(facilities[i].name, name) == 0)
			return facilities[i].facility;
	return -1;
}

bool
log_sink_facility_known(const char *facility)
{
	return find_facility(facility) >= 0;
}

bool
log_sink_stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char ours[64];
	struct stat info;

	if (stream == NULL || fstat(STDERR_FILENO, &info) != 0)
		return false;
	snprintf(ours, sizeof ours, "%ju:%ju", (uintmax_t)info.st_dev,
	    (uintmax_t)info.st_ino);
	return strcmp(stream, ours) == 0;
}

static int
priority_of(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return LOG_ERR;
	case LOG_LEVEL_WARNING:
		return LOG_WARNING;
	case LOG_LEVEL_NOTICE:
		return LOG_NOTICE;
	case LOG_LEVEL_INFO:
		return LOG_INFO;
	case LOG_LEVEL_DEBUG:
		return LOG_DEBUG;
	}
	return LOG_ERR;
}

/* {"time":…,"level":…,"pid":…,"message":…}; NULL without memory. */
static const char *
json_line(struct arena *arena, enum log_level level, const char *line)
{
	struct builder json = builder_make(arena, SIZE_MAX);
	struct timespec now;
	struct tm parts;
	char when[32] = "";

	clock_gettime(CLOCK_REALTIME, &now);
	if (gmtime_r(&now.tv_sec, &parts) != NULL)
		strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", &parts);
	builder_printf(&json,
	    "{\"time\":\"%s.%03ldZ\",\"level\":\"%s\",\"pid\":%ld,"
	    "\"message\":\"",
	    when, now.tv_nsec / 1000000, log_level_name(level), (long)getpid());
	builder_json(&json, slice_text(line));
	builder_text(&json, "\"}");
	return builder_c_string(&json);
}

/* One write(2) a line, so that lines of several processes never mix. */
static void
write_stderr(enum log_level level, const char *line, bool json)
{
	char text[9000];
	int length;

	if (json)
		length = snprintf(text, sizeof text, "%s\n", line);
	else if (level <= LOG_LEVEL_WARNING)
		length = snprintf(text, sizeof text, "tocsind[%ld]: %s: %s\n",
		    (long)getpid(), log_level_name(level), line);
	else
		length = snprintf(text, sizeof text, "tocsind[%ld]: %s\n",
		    (long)getpid(), line);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof text) {
		length = sizeof text - 1;
		text[length - 1] = '\n';
	}
	if (write(STDERR_FILENO, text, (size_t)length) < 0)
		return; /* there is nowhere left to say so */
}

static void
sink(void *context, enum log_level level, const char *line)
{
	bool json = atomic_load(&as_json);
	struct arena *arena = json ? arena_new(0, NULL) : NULL;
	const char *shown = line;

	(void)context;
	if (arena != NULL)
		shown = json_line(arena, level, line);
	if (shown == NULL)
		shown = line;
	if (atomic_load(&to_stderr))
		write_stderr(level, shown, json);
	if (atomic_load(&to_syslog))
		syslog(priority_of(level), "%s", shown);
	arena_free(&arena);
}

void
log_sink_set(const struct log_sink_settings *settings)
{
	int facility = find_facility(settings->facility);

	atomic_store(&to_stderr, settings->to_stderr);
	atomic_store(&to_syslog, settings->to_syslog);
	atomic_store(&as_json, settings->json);
	if (settings->to_syslog)
		openlog("tocsind", LOG_PID | LOG_NDELAY,
		    facility < 0 ? LOG_MAIL : facility);
	log_set_sink(sink, NULL, settings->level);
}
