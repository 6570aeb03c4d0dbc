/*
 * given - the facts that a test says are so
 */
#ifndef TOCSIN_LANGUAGE_GIVEN_H
#define TOCSIN_LANGUAGE_GIVEN_H

#include "language/scope.h"

/* Puts the envelope of a test into `facts`: client, helo, sender, login,
 * recipients, and the direction that follows from them. */
void given_envelope(const struct ast_test *test, const struct program *program,
    int64_t now, struct facts *facts);

/* Lays the test's `given` fields and indicators over `facts`. What is wrong
 * goes to the place's diag; false then. */
bool given_fields(const struct scope_place *place, const struct ast_test *test,
    struct facts *facts);

#endif
