#include <config.h>

#include "language/foreign.h"
#include "language/parse.h"
#include "language/parse_expr.h"

static struct ast_expr *parse_or(struct cursor *cursor);
static struct ast_operand *parse_operand(struct cursor *cursor);

static struct ast_expr *
new_expr(struct cursor *cursor, enum ast_expr_kind kind)
{
	struct ast_expr *expr = cursor_alloc(cursor, sizeof *expr);

	if (expr == NULL)
		return NULL;
	expr->kind = kind;
	expr->offset = cursor_peek(cursor)->offset;
	expr->end = expr->offset;
	return expr;
}

static struct ast_expr *
finish(struct cursor *cursor, struct ast_expr *expr)
{
	if (expr != NULL)
		expr->end = cursor_last_end(cursor);
	return expr;
}

static struct ast_operand *
new_operand(struct cursor *cursor, enum ast_operand_kind kind)
{
	struct ast_operand *operand = cursor_alloc(cursor, sizeof *operand);

	if (operand == NULL)
		return NULL;
	operand->kind = kind;
	operand->offset = cursor_peek(cursor)->offset;
	operand->end = operand->offset + cursor_peek(cursor)->length;
	return operand;
}

static bool
is_value(const struct token *token)
{
	switch (token->kind) {
	case TOKEN_WORD:
	case TOKEN_STRING:
	case TOKEN_INTEGER:
	case TOKEN_SIZE:
	case TOKEN_DURATION:
	case TOKEN_TIME:
	case TOKEN_IP:
	case TOKEN_NETWORK:
		return true;
	case TOKEN_END:
	case TOKEN_MEMBER:
	case TOKEN_REGEX:
	case TOKEN_MARK:
	case TOKEN_OPERATOR:
		break;
	}
	return false;
}

struct ast_value *
parse_expr_values(struct cursor *cursor)
{
	struct ast_value *first = NULL, **last = &first;

	while (!cursor_is_mark(cursor, '}')) {
		struct ast_value *value;

		if (!is_value(cursor_peek(cursor))) {
			cursor_unexpected(cursor, "a value or }");
			cursor_skip_block(cursor);
			return first;
		}
		value = cursor_alloc(cursor, sizeof *value);
		if (value == NULL)
			return first;
		value->token = cursor_take(cursor);
		if (cursor_accept_word(cursor, "until"))
			value->until =
			    cursor_expect(cursor, TOKEN_TIME, CURSOR_TIME);
		*last = value;
		last = &value->next;
		cursor_accept_mark(cursor, ',');
	}
	cursor_take(cursor);
	return first;
}

/* { a, b } as an operand. */
static struct ast_operand *
parse_list(struct cursor *cursor)
{
	struct ast_operand *list = new_operand(cursor, OPERAND_LIST);
	struct ast_operand **last = list == NULL ? NULL : &list->items;

	cursor_take(cursor);
	while (list != NULL && !cursor_is_mark(cursor, '}')) {
		struct ast_operand *item;

		if (!is_value(cursor_peek(cursor))) {
			cursor_unexpected(cursor, "a value or }");
			list->kind = OPERAND_BAD;
			return list;
		}
		item = new_operand(cursor,
		    cursor_peek(cursor)->kind == TOKEN_WORD ? OPERAND_NAME
							    : OPERAND_LITERAL);
		if (item == NULL)
			return NULL;
		item->token = cursor_take(cursor);
		item->text = item->token->text;
		*last = item;
		last = &item->next;
		if (!cursor_accept_mark(cursor, ',') &&
		    !cursor_is_mark(cursor, '}')) {
			if (is_value(cursor_peek(cursor)) &&
			    cursor_peek(cursor)->kind != TOKEN_WORD) {
				cursor_error(
				    cursor, "a comma is missing before this");
				continue;
			}
			cursor_unexpected(cursor, ", or }");
			list->kind = OPERAND_BAD;
			return list;
		}
	}
	cursor_take(cursor);
	if (list != NULL)
		list->end = cursor_last_end(cursor);
	return list;
}

/* name(argument, ...), the name taken. */
static struct ast_operand *
parse_call(struct cursor *cursor, struct ast_operand *call)
{
	struct ast_operand **last = &call->items;

	call->kind = OPERAND_CALL;
	cursor_take(cursor);
	if (!cursor_enter(cursor)) {
		call->kind = OPERAND_BAD;
		return call;
	}
	while (!cursor_is_mark(cursor, ')') && !cursor->full) {
		struct ast_operand *argument = parse_operand(cursor);

		if (argument == NULL || argument->kind == OPERAND_BAD) {
			call->kind = OPERAND_BAD;
			break;
		}
		*last = argument;
		last = &argument->next;
		if (!cursor_accept_mark(cursor, ','))
			break;
	}
	cursor_leave(cursor);
	if (call->kind == OPERAND_CALL &&
	    !cursor_expect_mark(cursor, ')', "after the arguments"))
		call->kind = OPERAND_BAD;
	call->end = cursor_last_end(cursor);
	return call;
}

/* The collection of a quantifier: `any url(...)` is no call, only yara("x")
 * is. */
static struct ast_operand *
parse_collection(struct cursor *cursor)
{
	const struct token *token = cursor_peek(cursor);
	const struct token *next = cursor_ahead(cursor, 1);
	struct ast_operand *operand;

	if (token->kind != TOKEN_WORD || next->kind != TOKEN_MARK ||
	    next->mark != '(' || slice_equal_text(token->text, "yara") ||
	    parse_is_reserved(token->text))
		return parse_operand(cursor);
	operand = new_operand(cursor, OPERAND_NAME);
	if (operand != NULL)
		operand->text = token->text;
	cursor_take(cursor);
	return operand;
}

/* count C, count C (condition). */
static struct ast_operand *
parse_count(struct cursor *cursor)
{
	struct ast_operand *count = new_operand(cursor, OPERAND_COUNT);

	cursor_take(cursor);
	if (count == NULL)
		return NULL;
	count->collection = parse_collection(cursor);
	if (cursor_accept_mark(cursor, '(')) {
		count->condition = parse_or(cursor);
		cursor_expect_mark(cursor, ')', "after the condition");
	}
	count->end = cursor_last_end(cursor);
	return count;
}

/* The words of the history, which later versions bring. */
static bool
is_for_later(struct slice word)
{
	static const char *const words[] = { "rate", "distinct", "seen",
		"first-contact", "learning", "client.asn", "client.country" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_equal_text(word, words[i]))
			return true;
	return false;
}

static struct ast_operand *
parse_word(struct cursor *cursor)
{
	struct ast_operand *operand = new_operand(cursor, OPERAND_NAME);
	const struct token *name, *index;

	if (operand == NULL)
		return NULL;
	if (parse_is_reserved(cursor_peek(cursor)->text)) {
		if (is_for_later(cursor_peek(cursor)->text))
			cursor_error(cursor,
			    "%.*s is reserved for a later "
			    "version",
			    (int)cursor_peek(cursor)->text.length,
			    cursor_peek(cursor)->text.data);
		else
			cursor_unexpected(cursor, "a field, a name or a value");
		operand->kind = OPERAND_BAD;
		return operand;
	}
	name = cursor_take(cursor);
	operand->text = name->text;
	if (cursor_is_mark(cursor, '(') &&
	    cursor_peek(cursor)->offset == name->offset + name->length)
		return parse_call(cursor, operand);
	if (!cursor_accept_mark(cursor, '['))
		return operand;
	operand->kind = OPERAND_INDEXED;
	index = cursor_expect(
	    cursor, TOKEN_STRING, "a name in quotation marks inside [ ]");
	operand->token = index;
	if (index == NULL || !cursor_expect_mark(cursor, ']', "after the name"))
		operand->kind = OPERAND_BAD;
	operand->end = cursor_last_end(cursor);
	if (cursor_peek(cursor)->kind == TOKEN_MEMBER &&
	    cursor_peek(cursor)->offset == operand->end) {
		operand->member = cursor_take(cursor)->text;
		operand->end = cursor_last_end(cursor);
	}
	return operand;
}

static struct ast_operand *
parse_plain_operand(struct cursor *cursor)
{
	const struct token *token = cursor_peek(cursor);
	struct ast_operand *operand;

	if (cursor_is_word(cursor, "count"))
		return parse_count(cursor);
	if (token->kind == TOKEN_WORD)
		return parse_word(cursor);
	if (cursor_is_mark(cursor, '{'))
		return parse_list(cursor);
	operand =
	    new_operand(cursor, token->kind == TOKEN_MEMBER  ? OPERAND_MEMBER
				: token->kind == TOKEN_REGEX ? OPERAND_REGEX
				: is_value(token)            ? OPERAND_LITERAL
							     : OPERAND_BAD);
	if (operand == NULL)
		return NULL;
	if (operand->kind == OPERAND_BAD) {
		cursor_unexpected(cursor, "a field, a name or a value");
		return operand;
	}
	operand->token = cursor_take(cursor);
	operand->text = operand->token->text;
	return operand;
}

static struct ast_operand *
parse_operand(struct cursor *cursor)
{
	bool exactly = cursor_accept_word(cursor, "exactly");
	struct ast_operand *operand = parse_plain_operand(cursor);

	if (operand != NULL)
		operand->exactly = exactly;
	return operand;
}

/* On to where the condition that could not be read ends. */
static void
skip_condition(struct cursor *cursor)
{
	static const char *const words[] = { "and", "or", "then", "when",
		"unless", "severity", "owner", "id", "on-error" };
	unsigned open = 0;

	for (;;) {
		const struct token *token = cursor_peek(cursor);
		bool closes = token->kind == TOKEN_MARK && token->mark == ')';

		if (token->kind == TOKEN_END || (closes && open == 0) ||
		    (token->kind == TOKEN_MARK && token->mark == '}'))
			return;
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (open == 0 && cursor_is_word(cursor, words[i]))
				return;
		open -= closes;
		open += token->kind == TOKEN_MARK && token->mark == '(';
		cursor_take(cursor);
	}
}

/* is present, is missing. */
static bool
parse_presence(struct cursor *cursor, enum ast_comparison *comparison)
{
	if (cursor_accept_word(cursor, "present")) {
		*comparison = COMPARE_PRESENT;
		return true;
	}
	if (cursor_accept_word(cursor, "missing")) {
		*comparison = COMPARE_MISSING;
		return true;
	}
	if (cursor_peek(cursor)->kind == TOKEN_WORD ||
	    cursor_peek(cursor)->kind == TOKEN_STRING)
		cursor_error(cursor,
		    "unexpected %.*s; equality is written ==, "
		    "and after is stands present or missing",
		    (int)cursor_peek(cursor)->text.length,
		    cursor_peek(cursor)->text.data);
	else
		cursor_unexpected(cursor, "present or missing after is");
	skip_condition(cursor);
	return false;
}

static const struct {
	const char *text;
	enum ast_comparison comparison;
} comparisons[] = { { "==", COMPARE_EQUAL }, { "!=", COMPARE_NOT_EQUAL },
	{ "<", COMPARE_LESS }, { "<=", COMPARE_LESS_EQUAL },
	{ ">", COMPARE_GREATER }, { ">=", COMPARE_GREATER_EQUAL },
	{ "in", COMPARE_IN }, { "under", COMPARE_UNDER },
	{ "matches", COMPARE_MATCHES }, { "contains", COMPARE_CONTAINS },
	{ "starts-with", COMPARE_STARTS_WITH },
	{ "ends-with", COMPARE_ENDS_WITH } };

/* The operator that a word was meant to be; NULL: none is near. What may come
 * after a condition is none. */
static const char *
near_operator(struct slice word)
{
	static const char *const after[] = { "id", "owner", "severity",
		"on-error" };
	const char *names[sizeof comparisons / sizeof *comparisons];

	if (word.length < 3 || parse_is_reserved(word))
		return NULL;
	for (size_t i = 0; i < sizeof after / sizeof *after; i++)
		if (slice_equal_text(word, after[i]))
			return NULL;
	for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++)
		names[i] = comparisons[i].text;
	return diag_suggest(word, names, sizeof names / sizeof *names);
}

/* Where an operator should stand: a misspelt one, one of another language, or a
 * `not` in the middle. Reports it and skips what hangs on it. */
static bool
refuse_foreign(struct cursor *cursor, const struct ast_operand *left)
{
	const struct token *token = cursor_peek(cursor);
	struct slice field =
	    slice_range(cursor->source->text, left->offset, left->end);
	const char *instead;

	if (token->kind == TOKEN_STRING && left->kind == OPERAND_NAME &&
	    slice_equal_text(left->text, "header")) {
		cursor_error(cursor,
		    "a header is named in brackets: any header[\"%.*s\"] "
		    "(.value ...)",
		    (int)token->text.length, token->text.data);
		skip_condition(cursor);
		return true;
	}
	if (token->kind != TOKEN_WORD)
		return false;
	instead = foreign_operator(token->text);
	if (instead != NULL)
		cursor_error(cursor, "\"%.*s\" is not of this language; %s",
		    (int)token->text.length, token->text.data, instead);
	else if (cursor_is_word(cursor, "not") &&
		 cursor_ahead(cursor, 1)->kind == TOKEN_WORD)
		cursor_error(cursor,
		    "not stands before the condition: not (%.*s %.*s ...)",
		    (int)(field.length > 40 ? 40 : field.length), field.data,
		    (int)cursor_ahead(cursor, 1)->text.length,
		    cursor_ahead(cursor, 1)->text.data);
	else if ((instead = near_operator(token->text)) != NULL)
		cursor_error(cursor,
		    "unknown operator \"%.*s\"; did you mean \"%s\"?",
		    (int)token->text.length, token->text.data, instead);
	else
		return false;
	skip_condition(cursor);
	return true;
}

/* Takes an operator; false when there is none. */
static bool
parse_comparison(struct cursor *cursor, enum ast_comparison *comparison)
{
	const struct token *token = cursor_peek(cursor);

	if (token->kind == TOKEN_MARK && token->mark == '=') {
		cursor_error(cursor, "unexpected =; comparison is written ==");
		cursor_take(cursor);
		*comparison = COMPARE_EQUAL;
		return true;
	}
	if (cursor_is_word(cursor, "not") &&
	    slice_equal_text(cursor_ahead(cursor, 1)->text, "in")) {
		cursor_take(cursor);
		cursor_take(cursor);
		*comparison = COMPARE_NOT_IN;
		return true;
	}
	if (token->kind != TOKEN_OPERATOR && token->kind != TOKEN_WORD)
		return false;
	for (size_t i = 0; i < sizeof comparisons / sizeof *comparisons; i++) {
		if (!slice_equal_text(token->text, comparisons[i].text))
			continue;
		cursor_take(cursor);
		*comparison = comparisons[i].comparison;
		if (*comparison == COMPARE_CONTAINS &&
		    cursor_accept_word(cursor, "any"))
			*comparison = COMPARE_CONTAINS_ANY;
		return true;
	}
	return false;
}

/* in [ ... ], in ( ... ), in <name>. */
static bool
refuse_brackets(struct cursor *cursor)
{
	const struct token *token = cursor_peek(cursor);

	if (cursor_is_mark(cursor, '[') || cursor_is_mark(cursor, '('))
		cursor_error(cursor,
		    "unexpected %c; a list stands in braces: { a, b }",
		    token->mark);
	else if (token->kind == TOKEN_OPERATOR && token->text.data[0] == '<')
		cursor_error(
		    cursor, "unexpected <; a list is named without < >");
	else
		return false;
	cursor_take(cursor);
	while (cursor_peek(cursor)->kind != TOKEN_END &&
	       !cursor_is_mark(cursor, ']') && !cursor_is_mark(cursor, ')') &&
	       !cursor_is_mark(cursor, '}') &&
	       cursor_peek(cursor)->kind != TOKEN_OPERATOR)
		cursor_take(cursor);
	if (!cursor_is_mark(cursor, '}'))
		cursor_take(cursor);
	return true;
}

/* What stands right of an operator. `missing` is a word of the language and one
 * of from.defect; here it can only be the latter. */
static struct ast_operand *
parse_right(struct cursor *cursor, enum ast_comparison comparison)
{
	struct ast_operand *operand;

	if ((comparison == COMPARE_IN || comparison == COMPARE_NOT_IN ||
		comparison == COMPARE_UNDER) &&
	    refuse_brackets(cursor))
		return new_operand(cursor, OPERAND_BAD);
	if (!cursor_is_word(cursor, "missing"))
		return parse_operand(cursor);
	operand = new_operand(cursor, OPERAND_NAME);
	if (operand != NULL)
		operand->text = cursor_take(cursor)->text;
	return operand;
}

static bool
compares(struct cursor *cursor)
{
	static const char *const words[] = { "in", "is", "under", "matches",
		"contains", "starts-with", "ends-with" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (cursor_is_word(cursor, words[i]))
			return true;
	return cursor_peek(cursor)->kind == TOKEN_OPERATOR;
}

/* `all of them`, `2 of attachment (...)`, as YARA has it. */
static bool
refuse_of(struct cursor *cursor, const struct token *before)
{
	if (!cursor_is_word(cursor, "of"))
		return false;
	if (before->kind == TOKEN_INTEGER)
		cursor_error(cursor,
		    "how many there are is asked with count: count attachment "
		    "(.macros) >= %.*s",
		    (int)before->text.length, before->text.data);
	else
		cursor_error(cursor,
		    "there is no of; name the collection: %.*s attachment "
		    "(.macros)",
		    (int)before->text.length, before->text.data);
	skip_condition(cursor);
	return true;
}

static struct ast_expr *
parse_compare(struct cursor *cursor)
{
	struct ast_expr *expr = new_expr(cursor, EXPR_TRUTH);

	if (expr == NULL)
		return NULL;
	if (cursor_peek(cursor)->kind == TOKEN_INTEGER &&
	    slice_equal_text(cursor_ahead(cursor, 1)->text, "of")) {
		refuse_of(cursor, cursor_take(cursor));
		expr->kind = EXPR_BAD;
		return expr;
	}
	expr->left = parse_operand(cursor);
	if (expr->left == NULL || expr->left->kind == OPERAND_BAD) {
		expr->kind = EXPR_BAD;
		return expr;
	}
	expr->operator_offset = cursor_peek(cursor)->offset;
	if (cursor_accept_word(cursor, "is")) {
		expr->kind = parse_presence(cursor, &expr->comparison)
				 ? EXPR_COMPARE
				 : EXPR_BAD;
	} else if (parse_comparison(cursor, &expr->comparison)) {
		expr->kind = EXPR_COMPARE;
		expr->right = parse_right(cursor, expr->comparison);
		if (expr->right == NULL || expr->right->kind == OPERAND_BAD)
			expr->kind = EXPR_BAD;
	} else if (refuse_foreign(cursor, expr->left)) {
		expr->kind = EXPR_BAD;
	}
	return finish(cursor, expr);
}

/* any url .host == ..., any url.host == ...: the parentheses are missing. */
static bool
refuse_bare_condition(struct cursor *cursor, const struct token *quantifier,
    const struct ast_operand *collection)
{
	const struct token *token = cursor_peek(cursor);
	size_t dot = slice_find_last_byte(collection->text, '.');
	struct slice name = slice_range(collection->text, 0, dot), member;
	enum field_id field = schema_find(collection->text);

	if (field != FIELD_COUNT || collection->kind == OPERAND_INDEXED)
		name = slice_range(
		    cursor->source->text, collection->offset, collection->end);
	if (token->kind == TOKEN_MEMBER)
		member = token->text;
	else if (!compares(cursor))
		return false;
	else if (collection->kind == OPERAND_INDEXED)
		member = slice_text("value");
	else if (field != FIELD_COUNT && schema_fields[field].member_count > 0)
		member = slice_text(schema_fields[field].members[0].name);
	else if (dot != SIZE_MAX)
		member = slice_skip(collection->text, dot + 1);
	else
		return false;
	cursor_error(cursor,
	    "the condition stands in parentheses: %.*s %.*s (.%.*s ...)",
	    (int)quantifier->text.length, quantifier->text.data,
	    (int)name.length, name.data, (int)member.length, member.data);
	skip_condition(cursor);
	return true;
}

static struct ast_expr *
parse_quantifier(struct cursor *cursor, enum ast_expr_kind kind)
{
	struct ast_expr *expr = new_expr(cursor, kind);
	const struct token *quantifier = cursor_take(cursor);

	if (expr == NULL)
		return NULL;
	if (refuse_of(cursor, quantifier)) {
		expr->kind = EXPR_BAD;
		return expr;
	}
	expr->collection = parse_collection(cursor);
	if (expr->collection == NULL || expr->collection->kind == OPERAND_BAD ||
	    refuse_bare_condition(cursor, quantifier, expr->collection)) {
		expr->kind = EXPR_BAD;
		return expr;
	}
	if (cursor_accept_mark(cursor, '(')) {
		expr->terms = parse_or(cursor);
		if (!cursor_expect_mark(cursor, ')', "after the condition"))
			expr->kind = EXPR_BAD;
	}
	return finish(cursor, expr);
}

static struct ast_expr *
parse_primary(struct cursor *cursor)
{
	struct ast_expr *expr;

	if (cursor_is_word(cursor, "any"))
		return parse_quantifier(cursor, EXPR_ANY);
	if (cursor_is_word(cursor, "all"))
		return parse_quantifier(cursor, EXPR_ALL);
	if (cursor_is_word(cursor, "no"))
		return parse_quantifier(cursor, EXPR_NO);
	if (!cursor_is_mark(cursor, '('))
		return parse_compare(cursor);
	cursor_take(cursor);
	expr = parse_or(cursor);
	if (expr != NULL &&
	    !cursor_expect_mark(cursor, ')', "after the expression"))
		expr->kind = EXPR_BAD;
	return expr;
}

static struct ast_expr *
parse_not(struct cursor *cursor)
{
	struct ast_expr *expr;

	if (!cursor_is_word(cursor, "not"))
		return parse_primary(cursor);
	expr = new_expr(cursor, EXPR_NOT);
	cursor_take(cursor);
	if (expr == NULL)
		return NULL;
	if (!cursor_enter(cursor)) {
		expr->kind = EXPR_BAD;
		return expr;
	}
	expr->terms = parse_not(cursor);
	cursor_leave(cursor);
	return finish(cursor, expr);
}

/* A chain of `and` or of `or`; both side by side are an error. */
static struct ast_expr *
parse_chain(struct cursor *cursor)
{
	struct ast_expr *first = parse_not(cursor), *chain, **last;
	const char *word, *other;
	bool mixed = false;

	if (first == NULL)
		return NULL;
	if (cursor_is_word(cursor, "and"))
		word = "and", other = "or";
	else if (cursor_is_word(cursor, "or"))
		word = "or", other = "and";
	else
		return first;
	chain = cursor_alloc(cursor, sizeof *chain);
	if (chain == NULL)
		return NULL;
	chain->kind = *word == 'a' ? EXPR_AND : EXPR_OR;
	chain->offset = first->offset;
	chain->terms = first;
	last = &first->next;
	for (;;) {
		if (!mixed && cursor_is_word(cursor, other)) {
			cursor_error(cursor,
			    "and and or side by side: put parentheses around "
			    "what belongs together");
			mixed = true;
		}
		if (!cursor_accept_word(cursor, word) &&
		    !cursor_accept_word(cursor, other))
			return finish(cursor, chain);
		*last = parse_not(cursor);
		if (*last == NULL)
			return NULL;
		last = &(*last)->next;
	}
}

static struct ast_expr *
parse_or(struct cursor *cursor)
{
	struct ast_expr *expr;

	if (!cursor_enter(cursor))
		return new_expr(cursor, EXPR_BAD);
	expr = parse_chain(cursor);
	cursor_leave(cursor);
	return expr;
}

struct ast_expr *
parse_expr(struct cursor *cursor)
{
	return parse_or(cursor);
}
