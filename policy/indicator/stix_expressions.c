#include <config.h>

#include <pcre2.h>
#include <stdlib.h>

#include "base/table.h"
#include "indicator/stix_expressions.h"

#define EXPRESSIONS_MAX 50000u

struct stix_expressions {
	struct arena *arena;
	struct table codes; /* text to pcre2_code */
};

struct stix_expressions *
stix_expressions_new(void)
{
	struct stix_expressions *expressions = calloc(1, sizeof *expressions);

	if (expressions == NULL)
		return NULL;
	expressions->arena = arena_new(0, NULL);
	if (expressions->arena == NULL) {
		free(expressions);
		return NULL;
	}
	expressions->codes = table_make(expressions->arena);
	return expressions;
}

void
stix_expressions_free(struct stix_expressions **expressions)
{
	struct stix_expressions *old = *expressions;

	*expressions = NULL;
	if (old == NULL)
		return;
	for (size_t i = 0; i < old->codes.count; i++)
		pcre2_code_free(old->codes.entries[i].value);
	arena_free(&old->arena);
	free(old);
}

pcre2_code *
stix_expression_compile(struct slice text)
{
	size_t offset;
	int error;

	return pcre2_compile((PCRE2_SPTR)text.data, text.length,
	    PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C,
	    &error, &offset, NULL);
}

void
stix_expressions_add(struct stix_expressions *expressions, struct slice text)
{
	pcre2_code *code;

	if (expressions->codes.count >= EXPRESSIONS_MAX ||
	    table_has(&expressions->codes, text))
		return;
	code = stix_expression_compile(text);
	if (code != NULL && !table_put(&expressions->codes, text, code))
		pcre2_code_free(code);
}

const pcre2_code *
stix_expressions_get(
    const struct stix_expressions *expressions, struct slice text)
{
	return expressions == NULL ? NULL
				   : table_get(&expressions->codes, text);
}
