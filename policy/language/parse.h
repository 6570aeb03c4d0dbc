/*
 * parse - from a file's text to its AST
 *
 * Recursive descent with a cap on depth. After an error the parser goes on at
 * the next clause or statement, so that one run finds all errors; it does not
 * report the same token twice.
 */
#ifndef TOCSIN_LANGUAGE_PARSE_H
#define TOCSIN_LANGUAGE_PARSE_H

#include "base/status.h"
#include "language/ast.h"

/* Deepest nesting of expressions, unless load_limits says less. */
#define PARSE_NESTING_MAX 64

/* Parses `source` into file_out, in the arena. Errors are in `diag`, and what
 * could be understood is in the AST. TC_LIMIT when memory is exhausted. */
enum tc_status parse_file(struct arena *arena, const struct diag_source *source,
    unsigned nesting_max, struct diag *diag, struct ast_file *file_out);

/* True for words that cannot be names of rules, lets, switches or lists. */
bool parse_is_reserved(struct slice word);

#endif
