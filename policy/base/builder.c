#include <config.h>

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>

#include "base/builder.h"
#include "base/utf8.h"

struct builder
builder_make(struct arena *arena, size_t limit)
{
	return (struct builder){ .arena = arena, .limit = limit };
}

/* Makes room for `more` bytes and a NUL behind them; false when refused. */
static bool
reserve(struct builder *builder, size_t more)
{
	size_t wanted;
	char *grown;

	if (builder->failed)
		return false;
	if (more > builder->limit - builder->length ||
	    more >= SIZE_MAX / 4 - builder->length) {
		builder->failed = true;
		return false;
	}
	if (builder->length + more < builder->capacity)
		return true;
	wanted = builder->capacity < 64 ? 64 : builder->capacity * 2;
	if (wanted <= builder->length + more)
		wanted = builder->length + more + 1;
	grown = arena_grow(
	    builder->arena, builder->data, builder->capacity, wanted);
	if (grown == NULL) {
		builder->failed = true;
		return false;
	}
	builder->data = grown;
	builder->capacity = wanted;
	return true;
}

void
builder_slice(struct builder *builder, struct slice slice)
{
	if (!reserve(builder, slice.length) || slice.length == 0)
		return;
	memcpy(builder->data + builder->length, slice.data, slice.length);
	builder->length += slice.length;
}

void
builder_byte(struct builder *builder, char byte)
{
	if (!reserve(builder, 1))
		return;
	builder->data[builder->length++] = byte;
}

void
builder_text(struct builder *builder, const char *text)
{
	builder_slice(builder, slice_text(text));
}

void
builder_printf(struct builder *builder, const char *format, ...)
{
	va_list arguments;
	int length;

	va_start(arguments, format);
	length = vsnprintf(NULL, 0, format, arguments);
	va_end(arguments);
	if (length < 0)
		builder->failed = true;
	if (length < 0 || !reserve(builder, (size_t)length))
		return;
	va_start(arguments, format);
	vsnprintf(builder->data + builder->length, (size_t)length + 1, format,
	    arguments);
	va_end(arguments);
	builder->length += (size_t)length;
}

struct slice
builder_result(const struct builder *builder)
{
	return slice_make(builder->data, builder->length);
}

const char *
builder_c_string(struct builder *builder)
{
	if (!reserve(builder, 0))
		return NULL;
	builder->data[builder->length] = '\0';
	return builder->data;
}

/* Takes one code point off *rest; false, with one byte taken, when it is not
 * valid UTF-8. *bytes_out is what was taken. */
static bool
take_character(
    struct slice *rest, uint32_t *code_point, struct slice *bytes_out)
{
	struct slice before = *rest;
	bool valid;

	*code_point = utf8_next(rest, &valid);
	*bytes_out = slice_range(before, 0, before.length - rest->length);
	return valid;
}

void
builder_json(struct builder *builder, struct slice slice)
{
	while (slice.length > 0 && !builder->failed) {
		struct slice bytes;
		uint32_t c;

		if (!take_character(&slice, &c, &bytes))
			builder_text(builder, "\xEF\xBF\xBD");
		else if (c == '"' || c == '\\')
			builder_printf(builder, "\\%c", (char)c);
		else if (c == '\n')
			builder_text(builder, "\\n");
		else if (c == '\t')
			builder_text(builder, "\\t");
		else if (c == '\r')
			builder_text(builder, "\\r");
		else if (c < 0x20 || (c >= 0x7f && c < 0xa0))
			builder_printf(builder, "\\u%04x", (unsigned)c);
		else
			builder_slice(builder, bytes);
	}
}

/* Controls, and what would reorder or hide a line on a terminal. */
static bool
is_unprintable(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == '\\' ||
	       (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

void
builder_printable(struct builder *builder, struct slice slice, size_t max_bytes)
{
	size_t start = builder->length;

	while (slice.length > 0 && !builder->failed) {
		struct slice bytes;
		uint32_t c;
		bool valid = take_character(&slice, &c, &bytes);

		if (builder->length - start >= max_bytes) {
			builder_text(builder, "...");
			return;
		}
		if (valid && !is_unprintable(c)) {
			builder_slice(builder, bytes);
			continue;
		}
		for (size_t i = 0; i < bytes.length; i++)
			builder_printf(
			    builder, "\\x%02X", (unsigned char)bytes.data[i]);
	}
}
