#include <config.h>

#include <stdint.h>

#include "scanner/bytes.h"
#include "scanner/pieces.h"

static bool
is_quote(char c)
{
	return c == '"' || c == '\'';
}

static size_t
find_quote(struct slice text, size_t from)
{
	while (from < text.length && !is_quote(text.data[from]))
		from++;
	return from;
}

/* What stands between two strings that are put together, from the quote at
 * `at` to the next one; 0: something else. The line may go on behind an
 * underscore. */
static size_t
join_length(struct slice text, size_t at)
{
	size_t start = at++;
	bool joined = false;

	while (at < text.length && !is_quote(text.data[at])) {
		char c = text.data[at++];

		if (c == '&' || c == '+')
			joined = true;
		else if (c != '_' && !ascii_is_space(c))
			return 0;
	}
	return joined && at < text.length ? at + 1 - start : 0;
}

void
pieces_join(struct slice source, const struct found *found)
{
	struct bytes joined = { .max = source.length };
	size_t at = 0, next;

	if (slice_find_byte(source, '&') == SIZE_MAX &&
	    slice_find_byte(source, '+') == SIZE_MAX)
		return;
	while ((next = find_quote(source, at)) < source.length) {
		size_t length = join_length(source, next);

		bytes_append(&joined,
		    slice_range(source, at, length == 0 ? next + 1 : next));
		at = next + (length == 0 ? 1 : length);
	}
	bytes_append(&joined, slice_skip(source, at));
	if (joined.over)
		found->unread(found->context, "memory");
	if (joined.length < source.length)
		found->text(found->context, bytes_slice(&joined));
	bytes_free(&joined);
}
