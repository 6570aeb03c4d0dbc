/*
 * misfit - values of the right type that a field can never have
 *
 * For warnings: `.extension == ".iso"` loads, is good to read, and matches
 * nothing, since an extension stands without its dot. Linear in the text.
 */
#ifndef TOCSIN_LANGUAGE_MISFIT_H
#define TOCSIN_LANGUAGE_MISFIT_H

#include "language/compiled.h"
#include "language/scope.h"

/* Warns when the text that `left` is compared with, or a `part` of it that is
 * looked for, can't occur there. */
void misfit_text(const struct scope_place *place,
    const struct compiled_operand *left, const struct token *token, bool part);

/* Warns when no feed brings the rule set of yara("NAME"). */
void misfit_ruleset(const struct scope_place *place, const struct token *token);

#endif
