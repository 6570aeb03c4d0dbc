#include <config.h>

#include <stdarg.h>
#include <sysexits.h>

#include "tool/tool.h"

int
tool_usage(const char *synopsis, const char *text)
{
	printf("usage: tocsin %s\n\n%s", synopsis, text);
	return 0;
}

int
tool_misused(const char *name, const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "tocsin %s: ", name);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry: tocsin %s --help\n", name);
	return EX_USAGE;
}
