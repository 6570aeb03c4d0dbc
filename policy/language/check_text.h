/*
 * check_text - texts with fields in them: "{rule}: {from.domain}"
 *
 * Braces hold {rule}, {description}, {id}, {severity} or a field; of a
 * collection the first element is taken. {{ and }} are braces.
 */
#ifndef TOCSIN_LANGUAGE_CHECK_TEXT_H
#define TOCSIN_LANGUAGE_CHECK_TEXT_H

#include "language/scope.h"

/* Longest text of an action, bytes. */
#define CHECK_TEXT_MAX 4000

/* Compiles the text of a string token; NULL and an error when a field in it is
 * none or not known at the rule's stage. */
const struct program_text *check_text(
    const struct scope_place *place, const struct token *token);

#endif
