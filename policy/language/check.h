/*
 * check - from parsed files to a program
 *
 * Names may be used before they are declared, so this comes after all files
 * are parsed: it collects the names, then checks and compiles lets, rules,
 * exemptions and tests.
 */
#ifndef TOCSIN_LANGUAGE_CHECK_H
#define TOCSIN_LANGUAGE_CHECK_H

#include "language/scope.h"

/* Compiles what a symbol stands for, unless that is done; false when it is
 * wrong or a cycle (reported at `offset` of the place that names it). */
bool check_symbol(struct scope_symbol *symbol, const struct scope_place *place,
    size_t offset);

/* Checks all files and fills scope->program. Errors are in the diag. */
void check_files(struct scope *scope, const struct ast_file *files);

#endif
