#include <config.h>

#include "language/parse_expr.h"
#include "language/parse_test.h"

static bool
is_single_value(const struct token *token)
{
	return token->kind != TOKEN_END && token->kind != TOKEN_MARK &&
	       token->kind != TOKEN_OPERATOR && token->kind != TOKEN_MEMBER &&
	       token->kind != TOKEN_REGEX;
}

/* One value or { values }. */
static void
parse_setting_value(struct cursor *cursor, struct ast_setting *setting)
{
	if (cursor_accept_mark(cursor, '{')) {
		setting->braced = true;
		setting->values = parse_expr_values(cursor);
	} else if (is_single_value(cursor_peek(cursor))) {
		setting->value = cursor_take(cursor);
	} else {
		cursor_unexpected(cursor, "a value");
	}
}

/* A truth value that is named alone is true, whatever follows: `encrypted
 * macros` sets both. */
static bool
stands_alone(
    struct cursor *cursor, enum field_id field, const struct token *name)
{
	int member =
	    field == FIELD_COUNT
		? -1
		: schema_find_member(&schema_fields[field], name->text);

	if (cursor_is_mark(cursor, '}') || cursor_is_mark(cursor, ','))
		return true;
	return member >= 0 &&
	       schema_fields[field].members[member].type == VALUE_BOOL &&
	       cursor_peek(cursor)->kind == TOKEN_WORD &&
	       !cursor_is_word(cursor, "true") &&
	       !cursor_is_word(cursor, "false");
}

struct ast_setting *
parse_test_members(struct cursor *cursor, enum field_id field)
{
	struct ast_setting *first = NULL, **last = &first;

	while (!cursor_accept_mark(cursor, '}') && !cursor->full) {
		struct ast_setting *member;
		const struct token *name = cursor_expect(
		    cursor, TOKEN_WORD, "the name of a field's member or }");

		if (name == NULL) {
			cursor_skip_block(cursor);
			return first;
		}
		member = cursor_alloc(cursor, sizeof *member);
		if (member == NULL)
			return first;
		member->name = cursor_name(name);
		if (!stands_alone(cursor, field, name))
			parse_setting_value(cursor, member);
		cursor_accept_mark(cursor, ',');
		*last = member;
		last = &member->next;
	}
	return first;
}

/* indicator KIND "VALUE" [severity high strength strong ...]: the rest is read
 * as members up to the comma or the next clause. */
static void
parse_indicator(struct cursor *cursor, struct ast_given *given)
{
	static const char *const members[] = { "severity", "strength", "feed",
		"id", "confidence", "tags", "tlp", "where", "observed",
		"partial", "defanged", "first-seen", "expires", "description" };
	struct ast_setting **last = &given->members;

	given->kind = GIVEN_INDICATOR;
	given->index =
	    cursor_expect(cursor, TOKEN_WORD, "a type after indicator");
	if (given->index == NULL)
		return;
	given->value = cursor_expect(
	    cursor, TOKEN_STRING, "the indicator's value in quotation marks");
	for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
		struct ast_setting *member;
		bool plain;

		if (!cursor_is_word(cursor, members[i]))
			continue;
		member = cursor_alloc(cursor, sizeof *member);
		if (member == NULL)
			return;
		member->name = cursor_name(cursor_take(cursor));
		plain = i == 9 || i == 10;
		if (!plain)
			parse_setting_value(cursor, member);
		*last = member;
		last = &member->next;
		i = SIZE_MAX; /* look for the next from the start */
	}
}

/* `given attachment "a.zip" encrypted`: says how, and goes on behind it. */
static void
refuse_more_members(struct cursor *cursor, struct slice name)
{
	enum field_id id = schema_find(name);
	const struct schema_field *field = &schema_fields[id];
	int member;

	if (id == FIELD_COUNT || field->type != VALUE_COLLECTION ||
	    cursor_peek(cursor)->kind != TOKEN_WORD ||
	    schema_find_member(field, cursor_peek(cursor)->text) < 0)
		return;
	cursor_error(cursor,
	    "more of one element stands in braces: given %s { %s VALUE  "
	    "%.*s VALUE }",
	    field->name, field->members[0].name,
	    (int)cursor_peek(cursor)->text.length,
	    cursor_peek(cursor)->text.data);
	while (cursor_peek(cursor)->kind == TOKEN_WORD &&
	       (member = schema_find_member(
		    field, cursor_peek(cursor)->text)) >= 0) {
		cursor_take(cursor);
		if (field->members[member].type != VALUE_BOOL &&
		    cursor_peek(cursor)->kind != TOKEN_MARK)
			cursor_take(cursor);
	}
}

static struct ast_given *
parse_given(struct cursor *cursor)
{
	struct ast_given *given = cursor_alloc(cursor, sizeof *given);
	const struct token *name = cursor_expect(
	    cursor, TOKEN_WORD, "a field, list, switch or indicator");

	if (given == NULL || name == NULL)
		return NULL;
	given->name = cursor_name(name);
	if (slice_equal_text(name->text, "indicator")) {
		parse_indicator(cursor, given);
		return given;
	}
	if (slice_equal_text(name->text, "list") ||
	    slice_equal_text(name->text, "switch")) {
		given->kind =
		    name->text.data[0] == 'l' ? GIVEN_LIST : GIVEN_SWITCH;
		name = cursor_expect(cursor, TOKEN_WORD, "a name");
		if (name == NULL)
			return NULL;
		given->name = cursor_name(name);
	}
	if (cursor_accept_mark(cursor, '[')) {
		given->index =
		    cursor_expect(cursor, TOKEN_STRING, "a name inside [ ]");
		cursor_expect_mark(cursor, ']', "after the name");
		if (cursor_peek(cursor)->kind == TOKEN_MEMBER)
			given->member = cursor_take(cursor);
	}
	if (cursor_is_mark(cursor, '=') ||
	    cursor_peek(cursor)->kind == TOKEN_OPERATOR) {
		cursor_error(cursor,
		    "what is given is the value alone: given %.*s VALUE",
		    (int)given->name.text.length, given->name.text.data);
		cursor_take(cursor);
	}
	if (cursor_accept_mark(cursor, '{')) {
		given->braced = true;
		if (given->kind == GIVEN_LIST)
			given->values = parse_expr_values(cursor);
		else
			given->members = parse_test_members(
			    cursor, schema_find(given->name.text));
	} else if (is_single_value(cursor_peek(cursor))) {
		given->value = cursor_take(cursor);
		refuse_more_members(cursor, given->name.text);
	} else {
		cursor_unexpected(cursor, "a value");
		return NULL;
	}
	return given;
}

static bool
accept_disposition(struct cursor *cursor, struct ast_expect *expect)
{
	static const enum disposition all[] = { DISPOSITION_DEFER,
		DISPOSITION_DISCARD, DISPOSITION_QUARANTINE,
		DISPOSITION_REJECT };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (cursor_accept_word(
			cursor, verdict_disposition_name(all[i]))) {
			expect->has_disposition = true;
			expect->disposition = all[i];
			return true;
		}
	for (int i = ACTION_TAG; i <= ACTION_ALERT; i++)
		if (cursor_accept_word(cursor,
			verdict_action_name((enum verdict_action_kind)i))) {
			expect->has_action = true;
			expect->action = (enum verdict_action_kind)i;
			return true;
		}
	return false;
}

static void
parse_rule_names(struct cursor *cursor, ast_names *names)
{
	do {
		const struct token *name =
		    cursor_expect(cursor, TOKEN_WORD, "the name of a rule");
		struct ast_name *slot;

		if (name == NULL)
			return;
		slot = list_append(cursor->arena, names, 10000);
		if (slot == NULL) {
			cursor->full = true;
			return;
		}
		*slot = cursor_name(name);
	} while (cursor_accept_mark(cursor, ','));
}

static struct ast_expect *
parse_expect(struct cursor *cursor)
{
	struct ast_expect *expect = cursor_alloc(cursor, sizeof *expect);

	if (expect == NULL)
		return NULL;
	expect->offset = cursor_peek(cursor)->offset;
	if (cursor_accept_word(cursor, "none")) {
		expect->none = true;
	} else if (cursor_accept_word(cursor, "not")) {
		expect->not = true;
		parse_rule_names(cursor, &expect->rules);
	} else if (accept_disposition(cursor, expect)) {
		if (cursor_accept_word(cursor, "by"))
			parse_rule_names(cursor, &expect->rules);
	} else if (cursor_accept_word(cursor, "by")) {
		parse_rule_names(cursor, &expect->rules);
	} else {
		cursor_unexpected(cursor,
		    "none, not RULE, or a disposition or action with by RULE");
		return NULL;
	}
	return expect;
}

static void
parse_givens(struct cursor *cursor, struct ast_test *test)
{
	struct ast_given **last = &test->givens;

	while (*last != NULL)
		last = &(*last)->next;
	do {
		*last = parse_given(cursor);
		if (*last == NULL)
			return;
		last = &(*last)->next;
	} while (cursor_accept_mark(cursor, ','));
}

static void
parse_recipients(struct cursor *cursor, struct ast_test *test)
{
	struct ast_value **last = &test->recipients;

	while (*last != NULL)
		last = &(*last)->next;
	do {
		const struct token *token = cursor_expect(
		    cursor, TOKEN_STRING, "an address in quotation marks");
		struct ast_value *value;

		if (token == NULL)
			return;
		value = cursor_alloc(cursor, sizeof *value);
		if (value == NULL)
			return;
		value->token = token;
		*last = value;
		last = &value->next;
	} while (cursor_accept_mark(cursor, ','));
}

/* A word that can stand after given. */
static bool
is_given(const struct token *token)
{
	return token->kind == TOKEN_WORD &&
	       (schema_find(token->text) != FIELD_COUNT ||
		   slice_equal_text(token->text, "list") ||
		   slice_equal_text(token->text, "switch"));
}

/* One clause; false when the word is none. */
static bool
parse_clause(struct cursor *cursor, struct ast_test *test)
{
	const struct {
		const char *word;
		const struct token **into;
		enum token_kind kind;
		const char *what;
	} plain[] = {
		{ "message", &test->message, TOKEN_STRING, "a file name" },
		{ "client", &test->client, TOKEN_IP,
		    "an IP address without quotation marks" },
		{ "helo", &test->helo, TOKEN_STRING, "a name" },
		{ "mail-from", &test->mail_from, TOKEN_STRING, "an address" },
		{ "auth-user", &test->auth_user, TOKEN_STRING, "an account" },
		{ "now", &test->now, TOKEN_TIME,
		    "a time such as 2026-11-23T10:00:00Z" },
	};
	struct ast_expect **last;

	cursor_peek(cursor)->layout = LAYOUT_CLAUSE;
	for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
		if (cursor_accept_word(cursor, plain[i].word)) {
			*plain[i].into =
			    cursor_expect(cursor, plain[i].kind, plain[i].what);
			return *plain[i].into != NULL;
		}
	if (cursor_accept_word(cursor, "rcpt")) {
		parse_recipients(cursor, test);
		return true;
	}
	if (cursor_accept_word(cursor, "given")) {
		parse_givens(cursor, test);
		return true;
	}
	if (cursor_accept_word(cursor, "expect")) {
		for (last = &test->expects; *last != NULL;)
			last = &(*last)->next;
		*last = parse_expect(cursor);
		return *last != NULL;
	}
	if (is_given(cursor_peek(cursor)))
		cursor_error(cursor,
		    "what a message is made of stands after given: given %.*s "
		    "..., with a comma before the next or a given of its own",
		    (int)cursor_peek(cursor)->text.length,
		    cursor_peek(cursor)->text.data);
	else
		cursor_unexpected(cursor,
		    "message, client, helo, mail-from, auth-user, rcpt, now, "
		    "given, expect or }");
	return false;
}

/* To the next word that begins a clause, or the end of the block. */
static void
recover(struct cursor *cursor)
{
	static const char *const words[] = { "message", "client", "helo",
		"mail-from", "auth-user", "now", "rcpt", "given", "expect" };

	for (;;) {
		const struct token *token = cursor_peek(cursor);

		if (token->kind == TOKEN_END || cursor_is_mark(cursor, '}'))
			return;
		for (size_t i = 0; i < sizeof words / sizeof *words; i++)
			if (token->lines_before > 0 &&
			    cursor_is_word(cursor, words[i]))
				return;
		cursor_take(cursor);
		if (token->kind == TOKEN_MARK && token->mark == '{')
			cursor_skip_block(cursor);
	}
}

static bool
accept_stage(struct cursor *cursor, struct ast_test *test)
{
	if (!cursor_accept_word(cursor, "at"))
		return false;
	for (int stage = STAGE_CONNECT; stage <= STAGE_RCPT; stage++)
		if (cursor_accept_word(
			cursor, schema_stage_name((enum schema_stage)stage))) {
			test->stage = (enum schema_stage)stage;
			return true;
		}
	cursor_unexpected(cursor, "connect, helo, mail or rcpt");
	return false;
}

void
parse_test(struct cursor *cursor, struct ast_test *test)
{
	test->stage = STAGE_MESSAGE;
	test->name = cursor_expect(
	    cursor, TOKEN_STRING, "the test's name in quotation marks");
	accept_stage(cursor, test);
	if (!cursor_expect_mark(cursor, '{', "after the test's name"))
		return;
	while (!cursor_is_mark(cursor, '}') &&
	       cursor_peek(cursor)->kind != TOKEN_END && !cursor->full)
		if (!parse_clause(cursor, test))
			recover(cursor);
	if (cursor_accept_mark(cursor, '}'))
		return;
	cursor_unexpected(cursor, "} at the end of the test");
}
