/*
 * check_operand - what stands on either side of a comparison
 */
#ifndef TOCSIN_LANGUAGE_CHECK_OPERAND_H
#define TOCSIN_LANGUAGE_CHECK_OPERAND_H

#include "language/scope.h"

/* A collection that any, all, no or count goes through. */
struct check_collection {
	enum field_id field;
	const char *filter; /* header's name (folded), ruleset; NULL */
};

/* Resolves the collection after a quantifier; false and an error when it is
 * none. Notes what the program needs. */
bool check_collection(const struct scope_place *place,
    const struct ast_operand *ast, struct check_collection *collection_out);

/* Resolves a value that is read from the mail or computed: a field, a member,
 * a function, a count. False and an error when the operand is none. A bare
 * from.x is COMPILED_MEMBER with *bare_from_out set. */
bool check_operand_value(const struct scope_place *place,
    const struct ast_operand *ast, struct compiled_operand *operand_out,
    bool *bare_from_out);

/* Reads a literal (or a word of an enumeration) as a value of `like`'s type.
 * False and an error when it is none. */
bool check_operand_literal(const struct scope_place *place,
    const struct ast_operand *ast, const struct compiled_operand *like,
    struct compiled_operand *operand_out);

/* The same for one token (an entry of a list). */
bool check_operand_token(const struct scope_place *place,
    const struct token *token, const struct compiled_operand *like,
    struct value *value_out);

/* True when tocsin.conf has the feed that a string names; else an error with a
 * suggestion. */
bool check_operand_feed(
    const struct scope_place *place, const struct token *name);

/* "from.domain", ".name": as the operator wrote it, for messages. */
struct slice check_operand_text(
    const struct scope_place *place, const struct ast_operand *ast);

/* True when the operand is written as a literal and could not be a field. */
bool check_operand_is_literal(const struct ast_operand *ast);

#endif
