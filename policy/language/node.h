/*
 * node - making the nodes of a program, each only once
 */
#ifndef TOCSIN_LANGUAGE_NODE_H
#define TOCSIN_LANGUAGE_NODE_H

#include "language/scope.h"

/* Returns the node that equals `node` (places in the source aside), making it
 * when there is none. NULL (and scope->full) at a limit. */
const struct program_node *node_make(
    const struct scope_place *place, const struct program_node *node);

/* Compiles a pattern, each only once; NULL and an error when it is none. */
const struct regex *node_regex(
    const struct scope_place *place, const struct token *token);

/* Keeps a copy of an operand in the program. */
const struct compiled_operand *node_operand(
    const struct scope_place *place, const struct compiled_operand *operand);

#endif
