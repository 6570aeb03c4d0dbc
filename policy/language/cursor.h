/*
 * cursor - a place among the tokens of a file, for the parsers
 */
#ifndef TOCSIN_LANGUAGE_CURSOR_H
#define TOCSIN_LANGUAGE_CURSOR_H

#include "base/diag.h"
#include "language/ast.h"

/* What must stand after until. */
#define CURSOR_TIME "a day or a time here: 2026-12-24, or 2026-12-24T10:00:00Z"

struct cursor {
	struct arena *arena;
	const struct diag_source *source;
	struct diag *diag;
	struct token *tokens;
	size_t count; /* the last one is TOKEN_END */
	size_t at;
	size_t reported; /* index + 1 of the last token reported */
	unsigned depth, depth_max;
	bool full; /* the arena is exhausted: stop */
};

struct token *cursor_peek(const struct cursor *cursor);
/* The token `ahead` places on; TOKEN_END beyond the end. */
struct token *cursor_ahead(const struct cursor *cursor, size_t ahead);
/* Takes the token; stays at TOKEN_END. */
struct token *cursor_take(struct cursor *cursor);
/* End of the last token taken, in bytes. */
size_t cursor_last_end(const struct cursor *cursor);

bool cursor_is_mark(const struct cursor *cursor, char mark);
bool cursor_is_word(const struct cursor *cursor, const char *word);
/* Takes it if it is there. */
bool cursor_accept_mark(struct cursor *cursor, char mark);
bool cursor_accept_word(struct cursor *cursor, const char *word);
/* Takes it or reports "expected ..." and returns false. */
bool cursor_expect_mark(
    struct cursor *cursor, char mark, const char *after_what);
/* A token of this kind, or NULL and "expected WHAT". */
const struct token *cursor_expect(
    struct cursor *cursor, enum token_kind kind, const char *what);

/* Reports at the current token, once per token. */
void cursor_error(struct cursor *cursor, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* "unexpected X; expected WHAT". */
void cursor_unexpected(struct cursor *cursor, const char *what);

struct ast_name cursor_name(const struct token *token);

/* Zeroed memory; NULL sets `full`. */
void *cursor_alloc(struct cursor *cursor, size_t size);

/* Skips the rest of a bracketed text up to and with its end. Call with the
 * opening mark taken. */
void cursor_skip_block(struct cursor *cursor);

/* Keeps recursion bounded: false (and an error) when too deep. */
bool cursor_enter(struct cursor *cursor);
void cursor_leave(struct cursor *cursor);

#endif
