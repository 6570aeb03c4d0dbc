#include <config.h>

#include <stdio.h>
#include <sys/stat.h>

#include "support/unit.h"

#include "base/builder.h"
#include "support/handed_over.h"

struct slice
handed_over_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *bytes;
	size_t length;

	if (file == NULL || fstat(fileno(file), &status) != 0)
		return slice_make(NULL, 0);
	bytes = arena_alloc(arena, (size_t)status.st_size + 1);
	length = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return slice_make(bytes, length);
}

/* One line as Postfix sees it: LF ends it, CRs before that go. */
static struct slice
take_line(struct slice *rest)
{
	struct slice line;

	*rest = slice_split(*rest, '\n', &line);
	while (line.length > 0 && line.data[line.length - 1] == '\r')
		line.length--;
	return line;
}

static bool
is_field(struct slice line)
{
	size_t i = 0;

	while (i < line.length && line.data[i] > ' ' && line.data[i] < 0x7f &&
	       line.data[i] != ':')
		i++;
	if (i == 0)
		return false;
	while (i < line.length && (line.data[i] == ' ' || line.data[i] == '\t'))
		i++;
	return i < line.length && line.data[i] == ':';
}

static void
give_header(struct message *message, struct slice field)
{
	struct slice name, value;
	size_t nul = slice_find_byte(field, '\0');

	if (nul != SIZE_MAX)
		field.length = nul;
	value = slice_split(field, ':', &name);
	while (name.length > 0 && (name.data[name.length - 1] == ' ' ||
				      name.data[name.length - 1] == '\t'))
		name.length--;
	assert_int_equal(message_header(message, name, value), TC_OK);
}

void
handed_over(struct arena *arena, struct message *message, struct slice raw)
{
	struct builder field = builder_make(arena, 1 << 20);
	struct builder body = builder_make(arena, SIZE_MAX);
	struct slice rest = raw, before = raw;

	while (rest.length > 0) {
		struct slice line;

		before = rest;
		line = take_line(&rest);
		if (line.length > 0 &&
		    (line.data[0] == ' ' || line.data[0] == '\t') &&
		    field.length > 0) {
			builder_byte(&field, '\n');
			builder_slice(&field, line);
			before = rest;
			continue;
		}
		if (!is_field(line)) {
			if (line.length == 0)
				before = rest;
			break;
		}
		if (field.length > 0)
			give_header(message, builder_result(&field));
		field = builder_make(arena, 1 << 20);
		builder_slice(&field, line);
		before = rest;
	}
	if (field.length > 0)
		give_header(message, builder_result(&field));
	assert_int_equal(message_end_of_headers(message), TC_OK);
	while (before.length > 0) {
		builder_slice(&body, take_line(&before));
		builder_text(&body, "\r\n");
	}
	assert_int_equal(message_body(message, builder_result(&body)), TC_OK);
	assert_int_equal(message_end(message), TC_OK);
}
