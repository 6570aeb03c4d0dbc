/*
 * expand - the texts of actions, filled in and made safe
 *
 * Values come from the message: controls, line breaks, bidi marks and what is
 * no UTF-8 never get through, and each value and the whole are bounded.
 */
#ifndef TOCSIN_LANGUAGE_EXPAND_H
#define TOCSIN_LANGUAGE_EXPAND_H

#include "base/builder.h"
#include "language/compiled.h"

#define EXPAND_VALUE_MAX 200  /* bytes of one value */
#define EXPAND_TEXT_MAX  4000 /* bytes of the whole text */

/* Appends `text` with blanks for controls, "..." where it was cut. */
void expand_safe(struct builder *out, struct slice text, size_t max_bytes);

/* Appends a value as the operator would write it. */
void expand_value(struct builder *out, const struct value *value,
    enum value_type type, const struct schema_enum *words);

/* Fills in `text` for a rule; the result lives in the arena. */
struct slice expand_text(struct arena *arena, const struct program_text *text,
    const struct program_rule *rule, struct facts *facts);

#endif
