#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "tool/progress.h"

#define SHOW_AFTER_S 1.0
#define SHOW_EVERY_S 0.5

static double
seconds_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct progress
progress_begin(void)
{
	double now = seconds_now();

	return (struct progress){
		.on = isatty(STDERR_FILENO) == 1, .begun = now, .last = now
	};
}

double
progress_seconds(const struct progress *progress)
{
	double seconds = seconds_now() - progress->begun;

	return seconds < 0.001 ? 0.001 : seconds;
}

bool
progress_is_due(const struct progress *progress)
{
	double now;

	if (!progress->on)
		return false;
	now = seconds_now();
	return now - progress->begun >= SHOW_AFTER_S &&
	       now - progress->last >= SHOW_EVERY_S;
}

/* "about 40 s left", "about 3 min left". */
static void
print_rest(double seconds)
{
	if (seconds < 1)
		fputs(", nearly done", stderr);
	else if (seconds < 120)
		fprintf(stderr, ", about %.0f s left", seconds);
	else
		fprintf(stderr, ", about %.0f min left", seconds / 60);
}

void
progress_show(struct progress *progress, const char *what, double part,
    const char *format, ...)
{
	double seconds = progress_seconds(progress);
	va_list arguments;

	progress->last = progress->begun + seconds;
	progress->shown = true;
	fprintf(stderr, "\r%s: ", what);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	if (part > 0 && part <= 1) {
		fprintf(stderr, ", %.0f %%", part * 100);
		print_rest(seconds * (1 - part) / part);
	}
	fputs("\033[K", stderr);
	fflush(stderr);
}

void
progress_end(struct progress *progress)
{
	if (progress->shown)
		fputs("\r\033[K", stderr);
	progress->shown = false;
}
