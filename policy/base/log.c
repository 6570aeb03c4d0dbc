#include <config.h>

#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

#define LINE_MAX_BYTES 8192

static log_sink *current_sink;
static void *sink_context;
static enum log_level sink_level = LOG_LEVEL_INFO;

void
log_set_sink(log_sink *sink, void *context, enum log_level level)
{
	current_sink = sink;
	sink_context = context;
	sink_level = level;
}

const char *
log_level_name(enum log_level level)
{
	switch (level) {
	case LOG_LEVEL_ERROR:
		return "error";
	case LOG_LEVEL_WARNING:
		return "warning";
	case LOG_LEVEL_NOTICE:
		return "notice";
	case LOG_LEVEL_INFO:
		return "info";
	case LOG_LEVEL_DEBUG:
		return "debug";
	}
	return "unknown";
}

void
log_write(enum log_level level, const char *format, ...)
{
	char line[LINE_MAX_BYTES];
	va_list arguments;

	if (level > sink_level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof line, format, arguments);
	va_end(arguments);
	for (char *c = line; *c != '\0'; c++)
		if (*c == '\n' || *c == '\r')
			*c = ' ';
	if (current_sink != NULL)
		current_sink(sink_context, level, line);
	else
		fprintf(stderr, "%s: %s\n", log_level_name(level), line);
}
