#include <config.h>

#include "message/unfold.h"

struct slice
unfold_calendar(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.length + 1);
	size_t length = 0;

	if (out == NULL)
		return text;
	for (size_t i = 0; i < text.length; i++) {
		size_t next = i + (text.data[i] == '\r');

		if (next + 1 < text.length && text.data[next] == '\n' &&
		    (text.data[next + 1] == ' ' || text.data[next + 1] == '\t'))
			i = next + 1;
		else if (text.data[i] == '\\' && i + 1 < text.length &&
			 strchr(",;\\", text.data[i + 1]) != NULL &&
			 text.data[i + 1] != '\0')
			out[length++] = text.data[++i];
		else
			out[length++] = text.data[i];
	}
	return slice_make(out, length);
}

/* Takes the '>' of a quoted line off, and the blank that is stuffed before
 * the rest (RFC 3676, 4.4, 4.5). */
static unsigned
take_quotes(struct slice *line)
{
	unsigned depth = 0;

	while (line->length > 0 && line->data[0] == '>') {
		*line = slice_skip(*line, 1);
		depth++;
	}
	if (line->length > 0 && line->data[0] == ' ')
		*line = slice_skip(*line, 1);
	return depth;
}

struct slice
unfold_flowed(struct arena *arena, struct slice text)
{
	char *out = arena_alloc(arena, text.length + 1);
	size_t length = 0;
	unsigned last_depth = 0;
	bool goes_on = false;
	struct slice rest = text;

	if (out == NULL)
		return text;
	while (rest.length > 0) {
		struct slice line;
		unsigned depth;

		rest = slice_split(rest, '\n', &line);
		if (line.length > 0 && line.data[line.length - 1] == '\r')
			line.length--;
		depth = take_quotes(&line);
		if (length > 0 && (!goes_on || depth != last_depth))
			out[length++] = '\n';
		last_depth = depth;
		/* the line before a signature is none that goes on */
		goes_on = line.length > 0 &&
			  line.data[line.length - 1] == ' ' &&
			  !slice_equal_text(line, "-- ");
		if (goes_on)
			line.length--;
		if (line.length > 0)
			memcpy(out + length, line.data, line.length);
		length += line.length;
	}
	return slice_make(out, length);
}
