/*
 * stix_expressions - the regular expressions of MATCHES, compiled once
 *
 * Patterns without a key are tried on every message; compiling their
 * expressions each time would cost more than matching. A matcher compiles them
 * when it is made; afterwards the table never changes and threads share it.
 */
#ifndef TOCSIN_INDICATOR_STIX_EXPRESSIONS_H
#define TOCSIN_INDICATOR_STIX_EXPRESSIONS_H

#include "base/slice.h"

struct stix_expressions;
struct pcre2_real_code_8;

/* NULL without memory. */
struct stix_expressions *stix_expressions_new(void);
void stix_expressions_free(struct stix_expressions **expressions);

/* Compiles `text` unless it is there. One that does not compile, or comes when
 * EXPRESSIONS_MAX are there, is left out; stix_expression_compile() serves it
 * then. The text must outlive the table. */
void stix_expressions_add(
    struct stix_expressions *expressions, struct slice text);

/* The compiled expression, or NULL. `expressions` may be NULL. */
const struct pcre2_real_code_8 *stix_expressions_get(
    const struct stix_expressions *expressions, struct slice text);

/* Compiles one (UTF-8, any octets as subject); NULL when it is no expression.
 * Free with pcre2_code_free(). */
struct pcre2_real_code_8 *stix_expression_compile(struct slice text);

#endif
