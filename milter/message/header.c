#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "message/header.h"

struct header_scan
header_scan_begin(struct slice block)
{
	return (struct header_scan){ .rest = block };
}

/* Takes one line off the front; its break is not part of it. */
static struct slice
take_line(struct header_scan *scan)
{
	struct slice line = scan->rest;
	size_t end = slice_find_byte(line, '\n');
	size_t length = end == SIZE_MAX ? line.length : end;
	size_t taken = end == SIZE_MAX ? line.length : end + 1;
	size_t cr;

	line.length = length;
	if (scan->cr_ends_lines &&
	    (cr = slice_find_byte(line, '\r')) != SIZE_MAX && cr + 1 < length) {
		scan->rest = slice_skip(scan->rest, cr + 1);
		line.length = cr;
		return line;
	}
	scan->rest = slice_skip(scan->rest, taken);
	if (end != SIZE_MAX && line.length > 0 &&
	    line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Whether the next line continues a field; a line of blanks alone counts, and
 * is noted, because some readers end the headers there. */
static bool
next_continues(struct header_scan *scan)
{
	size_t i = 0;

	if (scan->rest.length == 0 || !is_blank(scan->rest.data[0]))
		return false;
	while (i < scan->rest.length && is_blank(scan->rest.data[i]))
		i++;
	if (i == scan->rest.length || scan->rest.data[i] == '\r' ||
	    scan->rest.data[i] == '\n')
		scan->oddities |= HEADER_ODD_BLANK;
	return true;
}

/* Splits a line at its colon; false when it is no field. A name holds
 * printable ASCII (RFC 5322, 2.2); blanks before the colon are obsolete. */
static bool
split_field(
    struct header_scan *scan, struct slice line, struct header_field *field)
{
	size_t end = 0, colon;

	while (end < line.length && (unsigned char)line.data[end] > ' ' &&
	       (unsigned char)line.data[end] < 0x7f && line.data[end] != ':')
		end++;
	for (colon = end; colon < line.length && is_blank(line.data[colon]);)
		colon++;
	if (end == 0 || colon == line.length || line.data[colon] != ':')
		return false;
	if (colon > end)
		scan->oddities |= HEADER_ODD_SPACE;
	field->name = slice_range(line, 0, end);
	field->value = slice_skip(line, colon + 1);
	return true;
}

/* A line that is no field, yet becomes one without the controls and blanks in
 * front, as for readers that skip them. */
static bool
split_after_junk(
    struct header_scan *scan, struct slice line, struct header_field *field)
{
	size_t skip = 0;

	while (skip < line.length && (unsigned char)line.data[skip] <= ' ')
		skip++;
	return skip > 0 && skip < line.length &&
	       split_field(scan, slice_skip(line, skip), field);
}

static void
note_octets(struct header_scan *scan, struct slice field)
{
	size_t at = 0;

	if (slice_find_byte(field, '\0') != SIZE_MAX)
		scan->oddities |= HEADER_ODD_NUL;
	while ((at = slice_find_byte(field, '\r')) != SIZE_MAX) {
		field = slice_skip(field, at + 1);
		if (field.length == 0 || field.data[0] != '\n')
			scan->oddities |= HEADER_ODD_CR;
	}
}

bool
header_scan_next(struct header_scan *scan, struct header_field *field_out)
{
	while (!scan->ended && scan->rest.length > 0) {
		struct slice line = take_line(scan);
		struct header_field field;
		struct slice last = line;

		if (line.length == 0) {
			scan->ended = true;
			return false;
		}
		while (next_continues(scan))
			last = take_line(scan);
		line.length = (size_t)(last.data + last.length - line.data);
		note_octets(scan, line);
		if (is_blank(line.data[0]) ||
		    !split_field(scan, line, &field)) {
			scan->oddities |= HEADER_ODD_LINE;
			if (!split_after_junk(scan, line, &field))
				continue;
		}
		*field_out = field;
		return true;
	}
	return false;
}

const struct header_field *
header_find(const struct header_list *list, const char *name, size_t *at)
{
	while (*at < list->count) {
		const struct header_field *field = &list->items[(*at)++];

		if (slice_equal_text_fold(field->name, name))
			return field;
	}
	return NULL;
}

size_t
header_count(const struct header_list *list, const char *name)
{
	size_t at = 0, count = 0;

	while (header_find(list, name, &at) != NULL)
		count++;
	return count;
}

struct slice
header_unfold(struct arena *arena, struct slice value)
{
	char *copy;
	size_t length = 0;

	value = slice_trim(value);
	if (slice_find_byte(value, '\n') == SIZE_MAX &&
	    slice_find_byte(value, '\r') == SIZE_MAX)
		return value;
	copy = arena_text(arena, value);
	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < value.length; i++)
		if (copy[i] != '\r' && copy[i] != '\n')
			copy[length++] = copy[i];
	return slice_make(copy, length);
}

#define VITAL_FIELDS_MAX 10
#define VITAL_BYTES_MAX  (256u << 10) /* Postfix passes 100 KiB in one */

static const char *const vital_names[HEADER_VITAL_NAMES] = { "From", "Sender",
	"Reply-To", "To", "Cc", "Subject", "Message-ID", "Date", "MIME-Version",
	"Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
	"Content-ID" };

static bool
take_vital(struct header_budget *budget, struct slice name, size_t bytes)
{
	for (size_t i = 0; i < HEADER_VITAL_NAMES; i++) {
		if (!slice_equal_fold(name, slice_text(vital_names[i])))
			continue;
		if (budget->vital[i].fields >= VITAL_FIELDS_MAX ||
		    bytes > VITAL_BYTES_MAX - budget->vital[i].bytes)
			return false;
		budget->vital[i].fields++;
		budget->vital[i].bytes += bytes;
		return true;
	}
	return false;
}

bool
header_budget_take(struct header_budget *budget,
    const struct header_field *field, unsigned *over_out)
{
	size_t bytes = field->name.length + field->value.length;

	*over_out = 0;
	if (budget->fields_left == 0)
		*over_out |= HEADER_OVER_COUNT;
	else if (bytes > budget->bytes_left)
		*over_out |= HEADER_OVER_BYTES;
	if (*over_out != 0)
		return take_vital(budget, field->name, bytes);
	budget->fields_left--;
	budget->bytes_left -= bytes;
	return true;
}
