#include <config.h>

#include <stdarg.h>
#include <stdio.h>

#include "language/cursor.h"
#include "language/foreign.h"

struct token *
cursor_ahead(const struct cursor *cursor, size_t ahead)
{
	size_t left = cursor->count - 1 - cursor->at;

	return &cursor->tokens[cursor->at + (ahead < left ? ahead : left)];
}

struct token *
cursor_peek(const struct cursor *cursor)
{
	return &cursor->tokens[cursor->at];
}

struct token *
cursor_take(struct cursor *cursor)
{
	struct token *token = cursor_peek(cursor);

	if (cursor->at + 1 < cursor->count)
		cursor->at++;
	return token;
}

size_t
cursor_last_end(const struct cursor *cursor)
{
	const struct token *last;

	if (cursor->at == 0)
		return 0;
	last = &cursor->tokens[cursor->at - 1];
	return last->offset + last->length;
}

bool
cursor_is_mark(const struct cursor *cursor, char mark)
{
	const struct token *token = cursor_peek(cursor);

	return token->kind == TOKEN_MARK && token->mark == mark;
}

bool
cursor_is_word(const struct cursor *cursor, const char *word)
{
	const struct token *token = cursor_peek(cursor);

	return token->kind == TOKEN_WORD && slice_equal_text(token->text, word);
}

bool
cursor_accept_mark(struct cursor *cursor, char mark)
{
	if (!cursor_is_mark(cursor, mark))
		return false;
	cursor_take(cursor);
	return true;
}

bool
cursor_accept_word(struct cursor *cursor, const char *word)
{
	if (!cursor_is_word(cursor, word))
		return false;
	cursor_take(cursor);
	return true;
}

void
cursor_error(struct cursor *cursor, const char *format, ...)
{
	char message[512];
	va_list arguments;

	if (cursor->reported == cursor->at + 1)
		return;
	cursor->reported = cursor->at + 1;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	diag_at(cursor->diag, DIAG_ERROR, cursor->source,
	    cursor_peek(cursor)->offset, "%s", message);
}

/* 10 MB, 5 days: the unit as it should stand behind the number before it. */
static const char *
unit_apart(const struct cursor *cursor)
{
	const struct token *token = cursor_peek(cursor);

	if (cursor->at == 0 || token->kind != TOKEN_WORD ||
	    token[-1].kind != TOKEN_INTEGER)
		return NULL;
	return foreign_unit(token->text);
}

void
cursor_unexpected(struct cursor *cursor, const char *what)
{
	const struct token *token = cursor_peek(cursor);
	struct slice text = slice_range(
	    cursor->source->text, token->offset, token->offset + token->length);

	if (token->bad)
		return; /* the lexer has said what is wrong with it */
	if (token->kind == TOKEN_END)
		cursor_error(cursor, "the file ends here; expected %s", what);
	else if (unit_apart(cursor) != NULL)
		cursor_error(cursor,
		    "the unit stands right behind the number: %.*s%s",
		    (int)token[-1].text.length, token[-1].text.data,
		    unit_apart(cursor));
	else
		cursor_error(cursor, "unexpected %.*s; expected %s",
		    (int)(text.length > 40 ? 40 : text.length), text.data,
		    what);
}

bool
cursor_expect_mark(struct cursor *cursor, char mark, const char *after_what)
{
	char what[80];

	if (cursor_accept_mark(cursor, mark))
		return true;
	snprintf(what, sizeof what, "%c %s", mark, after_what);
	cursor_unexpected(cursor, what);
	return false;
}

const struct token *
cursor_expect(struct cursor *cursor, enum token_kind kind, const char *what)
{
	if (cursor_peek(cursor)->kind == kind)
		return cursor_take(cursor);
	cursor_unexpected(cursor, what);
	return NULL;
}

struct ast_name
cursor_name(const struct token *token)
{
	return (
	    struct ast_name){ .text = token->text, .offset = token->offset };
}

void *
cursor_alloc(struct cursor *cursor, size_t size)
{
	void *memory = arena_alloc(cursor->arena, size);

	if (memory == NULL)
		cursor->full = true;
	return memory;
}

void
cursor_skip_block(struct cursor *cursor)
{
	size_t open = 1;

	while (open > 0 && cursor_peek(cursor)->kind != TOKEN_END) {
		const struct token *token = cursor_take(cursor);

		if (token->kind != TOKEN_MARK)
			continue;
		if (token->mark == '{')
			open++;
		else if (token->mark == '}')
			open--;
	}
}

bool
cursor_enter(struct cursor *cursor)
{
	if (cursor->depth >= cursor->depth_max) {
		cursor_error(cursor,
		    "nested too deeply (more than %u levels); use let",
		    cursor->depth_max);
		return false;
	}
	cursor->depth++;
	return true;
}

void
cursor_leave(struct cursor *cursor)
{
	cursor->depth--;
}
