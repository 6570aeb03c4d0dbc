/*
 * builder - bytes put together piece by piece
 *
 * Grows in an arena up to a limit of its own. Overflow is remembered, so the
 * pieces need no checking one by one: test `failed` once at the end.
 */
#ifndef TOCSIN_BASE_BUILDER_H
#define TOCSIN_BASE_BUILDER_H

#include "base/arena.h"

struct builder {
	struct arena *arena;
	char *data;
	size_t length;
	size_t capacity;
	size_t limit; /* bytes; SIZE_MAX: the arena's ceiling only */
	bool failed;  /* a piece did not fit; the pieces before it are there */
};

struct builder builder_make(struct arena *arena, size_t limit);

void builder_byte(struct builder *builder, char byte);
void builder_slice(struct builder *builder, struct slice slice);
void builder_text(struct builder *builder, const char *text);
void builder_printf(struct builder *builder, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What was built so far; lives as long as the arena, valid until the next
 * piece is added. */
struct slice builder_result(const struct builder *builder);

/* As builder_result with a NUL after it; NULL when building failed. */
const char *builder_c_string(struct builder *builder);

/* Appends `slice` as the inside of a JSON string (RFC 8259): quotes,
 * backslashes and controls escaped, invalid UTF-8 as U+FFFD. Without the
 * surrounding quotes. */
void builder_json(struct builder *builder, struct slice slice);

/* Appends `slice` for a log line or terminal: controls, DEL, backslash and
 * invalid UTF-8 as \xNN, cut to max_bytes with "..." where longer. */
void builder_printable(
    struct builder *builder, struct slice slice, size_t max_bytes);

#endif
