#include <config.h>

#include <stdint.h>

#include "scanner/share.h"

#define SCHEME "file://"

/* The character at `at`; 0 behind the end and for what is not ASCII. */
static char
character(const struct share_walk *walk, size_t at)
{
	struct slice rest = walk->rest;

	if (at >= rest.length ||
	    (walk->step == 2 &&
		(at + 1 >= rest.length || rest.data[at + 1] != '\0')) ||
	    (unsigned char)rest.data[at] >= 0x7f)
		return 0;
	return rest.data[at];
}

static bool
is_host_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '.' || c == '-';
}

static bool
is_separator(char c)
{
	return c == '\\' || c == '/';
}

/* Names of two labels at least, and addresses. */
static bool
is_host(struct slice host)
{
	size_t dot = slice_find_last_byte(host, '.');
	struct slice last;

	if (dot == SIZE_MAX || dot == 0 || dot + 1 == host.length)
		return false;
	last = slice_skip(host, dot + 1);
	return last.length >= 2 || ascii_is_digit(last.data[0]);
}

/* The host at `at`, into space; returns where it ends, with what says how to
 * ask it. */
static size_t
take_host(const struct share_walk *walk, size_t at, char *space, size_t *length)
{
	char c;

	while (is_host_char(c = character(walk, at)) &&
	       *length < SHARE_BYTES_MAX / 2) {
		space[(*length)++] = c;
		at += walk->step;
	}
	if (c != '@')
		return at;
	do
		at += walk->step;
	while (is_host_char(c = character(walk, at)) || c == '@');
	return at;
}

/* The path at `at`, behind its host. */
static size_t
take_path(const struct share_walk *walk, size_t at, char *space, size_t *length)
{
	char c;

	while ((c = character(walk, at)) > ' ' && c != '"' && c != '<' &&
	       c != '>' && c != '\'' && *length < SHARE_BYTES_MAX) {
		/* Where a language has its backslashes doubled. */
		if (!is_separator(c) || space[*length - 1] != '/')
			space[(*length)++] = is_separator(c) ? '/' : c;
		at += walk->step;
	}
	return at;
}

bool
share_next(struct share_walk *walk, char space[SHARE_BYTES_MAX],
    struct slice *link_out)
{
	const struct slice begins = slice_make(
	    walk->step == 2 ? "\\\0\\" : "\\\\", walk->step == 2 ? 3 : 2);
	size_t at;

	while ((at = slice_find(walk->rest, begins)) != SIZE_MAX) {
		const size_t scheme = sizeof SCHEME - 1;
		size_t length = scheme;

		while (character(walk, at) == '\\')
			at += walk->step;
		memcpy(space, SCHEME, scheme);
		at = take_host(walk, at, space, &length);
		if (is_separator(character(walk, at)) &&
		    is_host(slice_make(space + scheme, length - scheme))) {
			at = take_path(walk, at, space, &length);
			walk->rest = slice_skip(walk->rest, at);
			*link_out = slice_make(space, length);
			return true;
		}
		walk->rest = slice_skip(walk->rest, at > 0 ? at : 1);
	}
	return false;
}
