#include <config.h>

#include <stdint.h>

#include "message/line_x86.h"

bool
line_is_odd_start(char first)
{
	switch (first) {
	case '-': /* a delimiter */
	case ' ': /* a delimiter for readers that skip blanks */
	case '\t':
	case '\v':
	case '\f':
	case '\r':
	case 'b': /* begin 644 name */
	case 'B':
	case '=': /* =ybegin */
		return true;
	default:
		return false;
	}
}

size_t
line_find_bare_cr(struct slice bytes, size_t from, size_t end)
{
	while (from < end) {
		const char *found = memchr(bytes.data + from, '\r', end - from);

		if (found == NULL)
			return SIZE_MAX;
		from = (size_t)(found - bytes.data) + 1;
		if (from < bytes.length && bytes.data[from] != '\n')
			return from - 1;
	}
	return SIZE_MAX;
}

size_t
line_scan_plain(struct slice bytes, size_t from, struct line_survey *survey)
{
	while (from < bytes.length && !line_is_odd_start(bytes.data[from])) {
		const char *start = bytes.data + from;
		const char *end = memchr(start, '\n', bytes.length - from);
		size_t length;

		if (end == NULL)
			return from;
		length = (size_t)(end - start);
		if (length > 0 && end[-1] == '\r') {
			if (memchr(start, '\r', length - 1) != NULL)
				return from;
			survey->crlf++;
		} else {
			if (memchr(start, '\r', length) != NULL)
				return from;
			survey->lf++;
		}
		from += length + 1;
	}
	return from;
}

size_t
line_scan(struct slice bytes, size_t from, struct line_survey *survey)
{
	if (line_x86_usable())
		from = line_x86_scan(bytes, from, survey);
	return line_scan_plain(bytes, from, survey);
}

size_t
line_copy(struct slice text, unsigned char *out)
{
	size_t at = line_x86_usable() ? line_x86_copy(text, out) : 0;

	while (
	    at < text.length && text.data[at] != '=' && text.data[at] != '\n') {
		out[at] = (unsigned char)text.data[at];
		at++;
	}
	return at;
}
