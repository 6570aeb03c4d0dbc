/*
 * parse_test - the `test` blocks of a policy file
 */
#ifndef TOCSIN_LANGUAGE_PARSE_TEST_H
#define TOCSIN_LANGUAGE_PARSE_TEST_H

#include "language/cursor.h"

/* Parses `"name" { ... }` after the word test was taken. */
void parse_test(struct cursor *cursor, struct ast_test *test);

/* KEY VALUE... up to the closing brace, after the opening one was taken: the
 * members of an element of `field` (FIELD_COUNT: unknown). */
struct ast_setting *parse_test_members(
    struct cursor *cursor, enum field_id field);

#endif
