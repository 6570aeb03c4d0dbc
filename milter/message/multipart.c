#include <config.h>

#include <stdint.h>
#include <string.h>

#include "message/multipart.h"

#define BOUNDARY_MAX 1024
#define GUESS_MAX    (1u << 20) /* a boundary that nobody declared stands early */

struct slice
multipart_needle(struct arena *arena, struct slice boundary)
{
	char *needle = arena_alloc(arena, boundary.length + 3);

	if (needle == NULL)
		return slice_make(NULL, 0);
	memcpy(needle, "--", 2);
	if (boundary.length > 0)
		memcpy(needle + 2, boundary.data, boundary.length);
	return slice_make(needle, boundary.length + 2);
}

struct multipart_scan
multipart_begin(struct arena *arena, struct slice body, struct slice boundary,
    enum multipart_match match)
{
	return (struct multipart_scan){
		.body = body,
		.match = match,
		.needle = multipart_needle(arena, boundary),
	};
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Where the line of `at` begins when only blanks or a bare CR stand before
 * it, else SIZE_MAX. */
static size_t
loose_start(struct slice body, size_t at)
{
	size_t start = at;

	while (
	    start > 0 &&
	    (is_blank(body.data[start - 1]) || body.data[start - 1] == '\r' ||
		body.data[start - 1] == '\v' || body.data[start - 1] == '\f') &&
	    at - start < 80)
		start--;
	if (start == 0 || body.data[start - 1] == '\n')
		return start;
	return start < at && body.data[at - 1] == '\r' ? at : SIZE_MAX;
}

/* Where the line ends in which `from` stands. Looked for in bounds, or many
 * delimiters on one endless line would cost the square of its length. */
static size_t
line_end(struct slice body, size_t from)
{
	size_t most = body.length - from < MULTIPART_LINE_MAX
			  ? body.length
			  : from + MULTIPART_LINE_MAX;
	const char *found = memchr(body.data + from, '\n', most - from);

	return found == NULL ? most : (size_t)(found - body.data) + 1;
}

struct slice
multipart_line(struct slice body, size_t at)
{
	return slice_range(body, at, line_end(body, at));
}

bool
multipart_delimiter(struct slice body, size_t at, size_t needle_length,
    enum multipart_match match, struct multipart_delimiter *delimiter_out)
{
	size_t end = at + needle_length, tail, start = at, next;
	bool exact = at == 0 || body.data[at - 1] == '\n';

	if (!exact && (match == MULTIPART_EXACT ||
			  (start = loose_start(body, at)) == SIZE_MAX))
		return false;
	delimiter_out->close = body.length - end >= 2 &&
			       body.data[end] == '-' &&
			       body.data[end + 1] == '-';
	tail = end + (delimiter_out->close ? 2 : 0);
	next = line_end(body, end);
	while (tail < next && ascii_is_space(body.data[tail]))
		tail++;
	if (!exact || tail != next) {
		if (match == MULTIPART_EXACT)
			return false;
		/* a bare CR may end the delimiter's line */
		tail = end + (delimiter_out->close ? 2 : 0);
		if (tail < next && body.data[tail] == '\r')
			next = tail + 1 +
			       (tail + 1 < next && body.data[tail + 1] == '\n');
	}
	if (start > 0 && body.data[start - 1] == '\n')
		start--;
	if (start > 0 && body.data[start - 1] == '\r')
		start--;
	delimiter_out->before = start;
	delimiter_out->after = next;
	return true;
}

/* Where the needle, which begins with "--", stands from `from` on, or SIZE_MAX.
 * base64 has no '-', so memchr() runs through an attachment at the speed of
 * memory; memmem() took two thirds of the whole time. */
static size_t
find_needle(struct slice body, size_t from, struct slice needle)
{
	while (body.length - from >= needle.length) {
		const char *found = memchr(body.data + from, '-',
		    body.length - from - (needle.length - 1));

		if (found == NULL)
			return SIZE_MAX;
		from = (size_t)(found - body.data);
		if (found[1] != '-')
			from += 2;
		else if (needle.length > 2 && found[2] != needle.data[2])
			from++; /* most lines of dashes end here */
		else if (memcmp(found, needle.data, needle.length) == 0)
			return from;
		else
			from++;
		if (from > body.length)
			return SIZE_MAX;
	}
	return SIZE_MAX;
}

static bool
find_delimiter(
    struct multipart_scan *scan, struct multipart_delimiter *delimiter)
{
	size_t from = scan->at;

	while (from < scan->body.length) {
		from = find_needle(scan->body, from, scan->needle);
		if (from == SIZE_MAX)
			return false;
		if (multipart_delimiter(scan->body, from, scan->needle.length,
			scan->match, delimiter))
			return true;
		from += 2;
	}
	return false;
}

bool
multipart_next(struct multipart_scan *scan, enum multipart_piece *kind_out,
    struct slice *piece_out)
{
	struct multipart_delimiter delimiter;
	bool found;

	if (scan->ended || scan->needle.data == NULL)
		return false;
	found = find_delimiter(scan, &delimiter);
	if (!scan->started && !found) {
		scan->ended = true;
		return false;
	}
	*kind_out = !scan->started      ? MULTIPART_PREAMBLE
		    : scan->last_closed ? MULTIPART_EPILOGUE
		    : scan->closed      ? MULTIPART_AFTER_CLOSE
					: MULTIPART_PART;
	if (!found) {
		scan->ended = true;
		*piece_out = slice_skip(scan->body, scan->at);
		return true;
	}
	/* two delimiters that touch: the line break was the first one's */
	if (delimiter.before < scan->at)
		delimiter.before = scan->at;
	*piece_out = slice_range(scan->body, scan->at, delimiter.before);
	scan->started = true;
	scan->at = delimiter.after;
	scan->closed |= delimiter.close;
	scan->last_closed = delimiter.close;
	return true;
}

bool
multipart_guess(struct slice body, struct slice *boundary_out)
{
	size_t at = 0;

	body = slice_range(body, 0, GUESS_MAX);
	while ((at = find_needle(body, at, SLICE_LITERAL("--"))) != SIZE_MAX) {
		struct slice rest = slice_skip(body, at), line, next;

		if (at > 0 && body.data[at - 1] != '\n') {
			at += 2;
			continue;
		}
		next = slice_split(rest, '\n', &line);
		at += line.length;
		line = slice_trim(line);
		if (line.length < BOUNDARY_MAX &&
		    slice_starts_with_fold(slice_trim(slice_range(next, 0, 64)),
			SLICE_LITERAL("content-"))) {
			*boundary_out = slice_skip(line, 2);
			return true;
		}
	}
	return false;
}
