/*
 * check_expr - expressions: their types, and the nodes that they become
 */
#ifndef TOCSIN_LANGUAGE_CHECK_EXPR_H
#define TOCSIN_LANGUAGE_CHECK_EXPR_H

#include "language/scope.h"

/* Checks an expression and compiles it; NULL when it is wrong (reported). */
const struct program_node *check_expr(
    const struct scope_place *place, const struct ast_expr *ast);

/* The condition on an element of `collection`; `negative` where a hit can take
 * a match away (all, no, count). */
const struct program_node *check_expr_inside(const struct scope_place *place,
    enum field_id collection, const struct ast_expr *ast, bool negative);

#endif
