/*
 * superset - a plainer pattern that matches wherever a regular expression does
 *
 * Reads:    a pattern as regex.h takes it, or a text that is looked for
 * Produces: a pattern over octets, for one pass with many others over the text
 *           in folded form (base/utf8.h)
 *
 * Where PCRE2 finds the pattern in a text, the superset matches the folded
 * text: what it says "no" to needs no second look. It may match more: PCRE2
 * knows Unicode's properties, looks ahead and behind and back at groups, and is
 * asked again where the superset matched. Nothing here depends on which
 * version of Unicode a library was made for.
 *
 *	letters            folded, as octets (PCRE2's equal letters fold alike:
 *	                   tests/unit/pattern_set_test.c shows it for each)
 *	. \w \d [^x] ...   ASCII exactly; any octets of other characters
 *	\b (?=x) (?<!x)    left out; \1 is anything
 *
 * What is not understood (recursion, conditions, verbs, \K, (?x)), and what
 * matches the empty text, has no superset.
 */
#ifndef TOCSIN_LANGUAGE_SUPERSET_H
#define TOCSIN_LANGUAGE_SUPERSET_H

#include "base/builder.h"

/* Appends the superset of a regular expression, which has been compiled and is
 * well-formed. `fold`: it ignores case. False when it has none; `out` then
 * holds nothing of use. */
bool superset_of_regex(struct slice pattern, bool fold, struct builder *out);

/* Appends the pattern of a text that is folded already, octet for octet. */
bool superset_of_text(struct slice folded, struct builder *out);

#endif
