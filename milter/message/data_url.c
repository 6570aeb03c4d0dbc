#include <config.h>

#include <stdint.h>

#include "message/data_url.h"
#include "message/escape.h"
#include "message/transfer.h"

#define SCHEME "data:"

/* What follows the scheme; NULL data when it is another one. Blanks and
 * controls before and line breaks within count for nothing. */
static struct slice
behind_scheme(struct slice target)
{
	static const char scheme[] = SCHEME;
	size_t i = 0, matched = 0;

	while (i < target.length && (unsigned char)target.data[i] <= ' ')
		i++;
	for (; i < target.length && matched < sizeof scheme - 1; i++) {
		char c = target.data[i];

		if (c == '\t' || c == '\r' || c == '\n')
			continue;
		if (ascii_lower(c) != scheme[matched++])
			return slice_make(NULL, 0);
	}
	return matched == sizeof scheme - 1 ? slice_skip(target, i)
					    : slice_make(NULL, 0);
}

bool
data_url_is(struct slice target)
{
	return behind_scheme(target).data != NULL;
}

/* In lower case, without blanks. */
static struct slice
plain_lower(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.length + 1);
	size_t length = 0;

	if (out == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < text.length; i++)
		if (!ascii_is_space(text.data[i]))
			out[length++] = ascii_lower(text.data[i]);
	return slice_make(out, length);
}

/* "text/html;charset=utf-8;base64". */
static void
read_parameters(struct slice head, struct data_url *url, bool *base64)
{
	struct slice parameter;

	*base64 = slice_equal_text(head, "base64") ||
		  slice_ends_with(head, SLICE_LITERAL(";base64"));
	head = slice_split(head, ';', &url->type);
	while (head.length > 0) {
		head = slice_split(head, ';', &parameter);
		if (url->charset.length == 0 &&
		    slice_starts_with(parameter, SLICE_LITERAL("charset=")))
			url->charset = slice_skip(parameter, 8);
	}
	if (slice_find_byte(url->type, '/') == SIZE_MAX)
		url->type = SLICE_LITERAL("text/plain");
}

bool
data_url_read(
    struct arena *arena, struct slice target, struct data_url *url_out)
{
	struct slice rest = behind_scheme(target), head;
	struct data_url url = { .charset = { NULL, 0 } };
	unsigned char *out;
	bool base64;

	if (rest.data == NULL || slice_find_byte(rest, ',') == SIZE_MAX)
		return false;
	rest = slice_split(rest, ',', &head);
	head = plain_lower(arena, head);
	if (head.data == NULL)
		return false;
	read_parameters(head, &url, &base64);
	url.content = escape_undo_percent(arena, rest);
	if (base64) {
		out = arena_alloc(
		    arena, TRANSFER_BASE64_ROOM(url.content.length));
		if (out == NULL)
			return false;
		url.content.length =
		    transfer_base64(url.content, BASE64_THROUGH, out).length;
		url.content.data = (const char *)out;
	}
	*url_out = url;
	return true;
}

bool
data_url_is_picture(const struct data_url *url)
{
	static const char *const kinds[] = { "image/", "font/",
		"application/font", "application/x-font",
		"application/vnd.ms-fontobject", "audio/", "video/" };

	if (slice_starts_with(url->type, SLICE_LITERAL("image/svg")))
		return false;
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (slice_starts_with(url->type, slice_text(kinds[i])))
			return true;
	return false;
}
