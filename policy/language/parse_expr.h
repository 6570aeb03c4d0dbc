/*
 * parse_expr - expressions of the policy language
 *
 * Loosest first: or, and (side by side they need parentheses), not,
 * comparison. `any`, `all`, `no` and `count` take a collection and a condition
 * in parentheses.
 */
#ifndef TOCSIN_LANGUAGE_PARSE_EXPR_H
#define TOCSIN_LANGUAGE_PARSE_EXPR_H

#include "language/cursor.h"

/* Parses one expression. Never NULL unless memory ran out; what was wrong is
 * EXPR_BAD, and reported. */
struct ast_expr *parse_expr(struct cursor *cursor);

/* Parses `{ VALUE [until TIME], ... }` after its opening brace was taken; the
 * commas may be left out. */
struct ast_value *parse_expr_values(struct cursor *cursor);

#endif
