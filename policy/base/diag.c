#include <config.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/diag.h"

#include "base/utf8.h"

#define KEPT_TEXT_MAX  ((size_t)16 << 20)

#define SHOWN_LINE_MAX 200 /* characters of a source line that are shown */
#define SHOWN_AFTER    80  /* of these behind the place, where there are more */

struct diag
diag_make(struct arena *arena, unsigned entries_max)
{
	return (struct diag){ .arena = arena, .entries_max = entries_max };
}

/* What policy or mail put into a message may be no text at all, or cut within
 * a character. */
static const char *
printable(struct arena *arena, const char *message)
{
	struct slice rest = slice_text(message);
	struct builder out = builder_make(arena, SIZE_MAX);

	while (rest.length > 0) {
		struct slice before = rest;

		utf8_next(&rest, NULL);
		before.length -= rest.length;
		if (before.data[0] == '\\')
			builder_byte(&out, '\\'); /* escapes are quoted */
		else
			builder_printable(&out, before, 16);
	}
	return builder_c_string(&out);
}

__attribute__((format(printf, 5, 0))) static void
note(struct diag *diag, enum diag_level level, const struct diag_source *source,
    size_t offset, const char *format, va_list arguments)
{
	struct diag_entry *entry;
	char message[1024];

	diag->error_count += level == DIAG_ERROR;
	diag->warning_count += level == DIAG_WARNING;
	entry = list_append(diag->arena, &diag->entries, diag->entries_max);
	if (entry == NULL)
		return;
	vsnprintf(message, sizeof message, format, arguments);
	entry->level = level;
	entry->source = source;
	if (source != NULL && offset != SIZE_MAX)
		diag_position(source, offset, &entry->line, &entry->column);
	entry->message = printable(diag->arena, message);
	if (entry->message == NULL)
		entry->message = "(no memory for the message)";
}

void
diag_at(struct diag *diag, enum diag_level level,
    const struct diag_source *source, size_t offset, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(diag, level, source, offset, format, arguments);
	va_end(arguments);
}

void
diag_plain(struct diag *diag, enum diag_level level, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	note(diag, level, NULL, SIZE_MAX, format, arguments);
	va_end(arguments);
}

/* The source line around `offset`, without its line break. */
static struct slice
line_around(struct slice text, size_t offset)
{
	size_t start, end;

	if (offset > text.length)
		offset = text.length;
	for (start = offset; start > 0 && text.data[start - 1] != '\n'; start--)
		;
	for (end = offset; end < text.length && text.data[end] != '\n'; end++)
		;
	if (end > start && text.data[end - 1] == '\r')
		end--;
	return slice_range(text, start, end);
}

static unsigned
count_characters(struct slice text)
{
	unsigned count = 0;

	while (text.length > 0) {
		utf8_next(&text, NULL);
		count++;
	}
	return count;
}

const struct diag_source *
diag_keep_source(struct diag *diag, const struct diag_source *source)
{
	struct diag_source *kept = arena_alloc(diag->arena, sizeof *kept);

	if (kept == NULL)
		return NULL;
	kept->file = arena_text(diag->arena, slice_text(source->file));
	if (source->text.length <= KEPT_TEXT_MAX)
		kept->text = arena_copy(diag->arena, source->text);
	return kept->file == NULL ? NULL : kept;
}

void
diag_position(const struct diag_source *source, size_t offset,
    unsigned *line_out, unsigned *column_out)
{
	struct slice line;
	unsigned number = 1;

	if (offset > source->text.length)
		offset = source->text.length;
	for (size_t i = 0; i < offset; i++)
		number += source->text.data[i] == '\n';
	line = line_around(source->text, offset);
	*line_out = number;
	*column_out =
	    1 + count_characters(slice_range(
		    line, 0, offset - (size_t)(line.data - source->text.data)));
}

static struct slice
line_numbered(struct slice text, unsigned number)
{
	struct slice line = { 0 };

	while (number-- > 0)
		text = slice_split(text, '\n', &line);
	if (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

/* The first character of the line that is shown: 1, or what keeps the column
 * well within the window. */
static unsigned
window_start(const struct diag_entry *entry, struct slice line)
{
	return count_characters(line) <= SHOWN_LINE_MAX ||
		       entry->column <= SHOWN_LINE_MAX - SHOWN_AFTER
		   ? 1
		   : entry->column - (SHOWN_LINE_MAX - SHOWN_AFTER);
}

/* How much of `text`, what stands behind "://", is a login: a message that goes
 * into a log does not repeat it. */
static size_t
login_length(struct slice text)
{
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '@')
			length = i;
		else if (strchr("/?#\"\\ \t", text.data[i]) != NULL)
			break;
	}
	return length;
}

/* The line with an asterisk for each octet of a login in an address. */
static struct slice
without_logins(struct arena *arena, struct slice line)
{
	char *copy = arena_alloc(arena, line.length + 1);

	if (copy == NULL)
		return slice_make("", 0);
	memcpy(copy, line.data, line.length);
	for (size_t i = 0; i + 3 <= line.length; i++)
		if (memcmp(line.data + i, "://", 3) == 0)
			memset(copy + i + 3, '*',
			    login_length(slice_skip(line, i + 3)));
	return slice_make(copy, line.length);
}

/* The source line cut to what a terminal shows, then blanks and a caret. */
static void
print_place(const struct diag_entry *entry, struct builder *out)
{
	struct slice line = without_logins(
	    out->arena, line_numbered(entry->source->text, entry->line));
	struct builder caret = builder_make(out->arena, 8 * SHOWN_LINE_MAX);
	unsigned first = window_start(entry, line), column = 1;
	size_t start, blanks;

	for (; column < first && line.length > 0; column++)
		utf8_next(&line, NULL);
	builder_text(out, first > 1 ? "    ..." : "    ");
	builder_text(&caret, first > 1 ? "       " : "    ");
	while (line.length > 0 && column < first + SHOWN_LINE_MAX) {
		struct slice before = line;
		uint32_t c = utf8_next(&line, NULL);

		before.length -= line.length;
		start = out->length;
		if (c == '\t' || c == '\\')
			builder_byte(out, (char)c);
		else
			builder_printable(out, before, 8);
		/* What was escaped takes a column for each of its letters. */
		blanks = out->length - start > before.length
			     ? out->length - start
			     : 1;
		while (column < entry->column && blanks-- > 0)
			builder_byte(&caret, c == '\t' ? '\t' : ' ');
		column++;
	}
	builder_text(out, line.length > 0 ? "...\n" : "\n");
	builder_slice(out, builder_result(&caret));
	builder_text(out, "^\n");
}

void
diag_print(const struct diag_entry *entry, struct builder *out)
{
	static const char *const words[] = {
		[DIAG_NOTE] = "note",
		[DIAG_WARNING] = "warning",
		[DIAG_ERROR] = "error",
	};

	if (entry->source != NULL)
		builder_printf(out, "%s:", entry->source->file);
	if (entry->line > 0)
		builder_printf(out, "%u:%u:", entry->line, entry->column);
	if (entry->source != NULL)
		builder_byte(out, ' ');
	builder_printf(out, "%s: %s\n", words[entry->level], entry->message);
	if (entry->line > 0)
		print_place(entry, out);
}

static int
compare_places(const void *a, const void *b)
{
	const struct diag_entry *const *x = a, *const *y = b;
	const char *file_x = (*x)->source == NULL ? "" : (*x)->source->file;
	const char *file_y = (*y)->source == NULL ? "" : (*y)->source->file;
	int order = strcmp(file_x, file_y);

	if (order == 0)
		order = ((*x)->line > (*y)->line) - ((*x)->line < (*y)->line);
	if (order == 0)
		order = ((*x)->column > (*y)->column) -
			((*x)->column < (*y)->column);
	/* Entries lie in one array: the earlier address was noted first. */
	return order != 0 ? order : (*x > *y) - (*x < *y);
}

void
diag_print_all(const struct diag *diag, struct builder *out)
{
	const struct diag_entry **order;
	unsigned total = diag->error_count + diag->warning_count;

	order = arena_alloc_array(
	    out->arena, diag->entries.count + 1, sizeof *order);
	if (order == NULL)
		return;
	for (size_t i = 0; i < diag->entries.count; i++)
		order[i] = &diag->entries.items[i];
	qsort(order, diag->entries.count, sizeof *order, compare_places);
	for (size_t i = 0; i < diag->entries.count; i++)
		diag_print(order[i], out);
	if (total > diag->entries_max)
		builder_printf(out, "... and %u more\n",
		    total - (unsigned)diag->entries.count);
}

#define WORD_MAX 64

/* Edit distance with swapped neighbours counting as one. */
static unsigned
edit_distance(struct slice a, struct slice b)
{
	unsigned rows[3][WORD_MAX + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= b.length; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a.length; i++) {
		unsigned *spare = before;

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.length; j++) {
			char c = ascii_lower(a.data[i - 1]);
			char d = ascii_lower(b.data[j - 1]);
			unsigned best = above[j - 1] + (c != d);

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && c != d &&
			    c == ascii_lower(b.data[j - 2]) &&
			    d == ascii_lower(a.data[i - 2]) &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
		}
		before = above;
		above = row;
		row = spare;
	}
	return above[b.length];
}

const char *
diag_suggest(struct slice word, const char *const *names, size_t count)
{
	const char *nearest = NULL;
	unsigned limit = word.length < 6 ? 1 : (unsigned)word.length / 3;
	unsigned best = limit + 1;

	if (word.length == 0 || word.length > WORD_MAX)
		return NULL;
	for (size_t i = 0; i < count; i++) {
		struct slice name = slice_text(names[i]);
		unsigned distance;

		if (name.length > WORD_MAX)
			continue;
		distance = edit_distance(word, name);
		if (distance < best) {
			best = distance;
			nearest = names[i];
		}
	}
	return nearest;
}
