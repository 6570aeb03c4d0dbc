#include <config.h>

#include "language/foreign.h"
#include "language/parse.h"
#include "language/parse_expr.h"
#include "language/parse_test.h"
#include "language/settings.h"

bool
parse_is_reserved(struct slice word)
{
	static const char *const words[] = { "and", "or", "not", "in", "under",
		"matches", "contains", "starts-with", "ends-with", "is",
		"present", "missing", "any", "all", "no", "count", "exactly",
		"when", "unless", "then", "rate", "distinct", "seen",
		"first-contact", "learning", "client.asn", "client.country" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (slice_equal_text(word, words[i]))
			return true;
	return false;
}

static const char *const statement_words[] = { "list", "feed", "pin", "include",
	"switch", "let", "rule", "exempt", "test", "resolver", "limits",
	"failure" };

#define STATEMENT_WORDS (sizeof statement_words / sizeof *statement_words)

static bool
starts_statement(const struct token *token)
{
	if (token->kind != TOKEN_WORD)
		return false;
	for (size_t i = 0; i < STATEMENT_WORDS; i++)
		if (slice_equal_text(token->text, statement_words[i]))
			return true;
	return settings_find(NULL, token->text) != NULL;
}

/* On to what looks like the next statement: a word that begins one, at the
 * start of a line. */
static void
recover_statement(struct cursor *cursor)
{
	while (cursor_peek(cursor)->kind != TOKEN_END) {
		const struct token *token = cursor_peek(cursor);

		if (token->lines_before > 0 && starts_statement(token))
			return;
		cursor_take(cursor);
		if (token->kind == TOKEN_MARK && token->mark == '{')
			cursor_skip_block(cursor);
	}
}

/* ------------------------------------------------------------------ rules */

static const char *const rule_clauses[] = { "severity", "owner", "id",
	"on-error", "when", "unless", "then" };

static bool
starts_clause(const struct cursor *cursor)
{
	for (size_t i = 0; i < sizeof rule_clauses / sizeof *rule_clauses; i++)
		if (cursor_is_word(cursor, rule_clauses[i]))
			return true;
	return false;
}

static void
recover_clause(struct cursor *cursor)
{
	while (cursor_peek(cursor)->kind != TOKEN_END &&
	       !cursor_is_mark(cursor, '}') && !starts_clause(cursor)) {
		const struct token *token = cursor_take(cursor);

		if (token->kind == TOKEN_MARK && token->mark == '{')
			cursor_skip_block(cursor);
	}
}

static bool
parse_stage(struct cursor *cursor, enum schema_stage *stage)
{
	for (int i = STAGE_CONNECT; i <= STAGE_RCPT; i++)
		if (cursor_accept_word(
			cursor, schema_stage_name((enum schema_stage)i))) {
			*stage = (enum schema_stage)i;
			return true;
		}
	cursor_unexpected(cursor, "connect, helo, mail or rcpt after at");
	return false;
}

/* What may stand between a rule's name and its brace, in any order. */
static bool
parse_rule_head(struct cursor *cursor, struct ast_rule *rule)
{
	static const char what[] =
	    "a description, at, shadow, from, until or { after the rule's name";

	while (!cursor_is_mark(cursor, '{')) {
		const struct token *token = cursor_peek(cursor);

		if (token->kind == TOKEN_STRING && rule->description == NULL) {
			rule->description = cursor_take(cursor);
		} else if (cursor_accept_word(cursor, "at")) {
			if (!parse_stage(cursor, &rule->stage))
				return false;
		} else if (cursor_accept_word(cursor, "shadow")) {
			rule->shadow = true;
			if (cursor_accept_word(cursor, "until"))
				rule->shadow_until = cursor_expect(
				    cursor, TOKEN_TIME, CURSOR_TIME);
		} else if (cursor_accept_word(cursor, "until")) {
			rule->until =
			    cursor_expect(cursor, TOKEN_TIME, CURSOR_TIME);
		} else if (cursor_accept_word(cursor, "from")) {
			rule->from =
			    cursor_expect(cursor, TOKEN_TIME, CURSOR_TIME);
		} else {
			cursor_unexpected(cursor, what);
			return false;
		}
	}
	cursor_take(cursor);
	return true;
}

static const struct {
	const char *word;
	enum disposition disposition;
	enum verdict_action_kind kind;
	unsigned least, most; /* strings after it */
} action_words[] = {
	{ "reject", DISPOSITION_REJECT, ACTION_TAG, 0, 1 },
	{ "quarantine", DISPOSITION_QUARANTINE, ACTION_TAG, 0, 0 },
	{ "discard", DISPOSITION_DISCARD, ACTION_TAG, 0, 0 },
	{ "defer", DISPOSITION_DEFER, ACTION_TAG, 0, 1 },
	{ "tag", DISPOSITION_NONE, ACTION_TAG, 0, 2 },
	{ "prefix-subject", DISPOSITION_NONE, ACTION_PREFIX_SUBJECT, 1, 1 },
	{ "add-header", DISPOSITION_NONE, ACTION_ADD_HEADER, 2, 2 },
	{ "remove-header", DISPOSITION_NONE, ACTION_REMOVE_HEADER, 1, 1 },
	{ "copy-to", DISPOSITION_NONE, ACTION_COPY_TO, 1, 1 },
	{ "preserve", DISPOSITION_NONE, ACTION_PRESERVE, 0, 0 },
	{ "alert", DISPOSITION_NONE, ACTION_ALERT, 0, 1 },
};

#define ACTION_WORDS (sizeof action_words / sizeof *action_words)

/* The strings after an action: [name] text, as many as it takes. */
static bool
parse_action_texts(struct cursor *cursor, struct ast_action *action, size_t i)
{
	const struct token *texts[2] = { NULL, NULL };
	unsigned count = 0;

	while (count < action_words[i].most &&
	       cursor_peek(cursor)->kind == TOKEN_STRING)
		texts[count++] = cursor_take(cursor);
	if (count == 0 && action->kind == ACTION_ALERT &&
	    action->disposition == DISPOSITION_NONE &&
	    cursor_peek(cursor)->kind == TOKEN_WORD &&
	    schema_find_word(&schema_severities, cursor_peek(cursor)->text) >=
		0)
		texts[count++] = cursor_take(cursor);
	if (count < action_words[i].least) {
		cursor_unexpected(cursor,
		    action_words[i].most == 2
			? "a header's name and its text in quotation marks"
			: "a text in quotation marks");
		return false;
	}
	if (cursor_peek(cursor)->kind == TOKEN_STRING) {
		cursor_error(cursor,
		    "%s takes no further text; actions are "
		    "separated by commas",
		    action_words[i].word);
		return false;
	}
	if (action_words[i].most == 2 && count == 1) {
		cursor_error(cursor,
		    "tag takes nothing, or a header's name and its text");
		return false;
	}
	if (cursor_peek(cursor)->kind == TOKEN_INTEGER &&
	    action_words[i].most == 1) {
		cursor_error(cursor,
		    "the reply code comes with %s; a text stands in quotation "
		    "marks",
		    action_words[i].word);
		return false;
	}
	action->name = count == 2 || action->kind == ACTION_REMOVE_HEADER
			   ? texts[0]
			   : NULL;
	action->text = count == 2                             ? texts[1]
		       : action->kind == ACTION_REMOVE_HEADER ? NULL
							      : texts[0];
	return true;
}

/* Index of the action that the token names; ACTION_WORDS when it is none. */
static size_t
find_action(const struct token *token)
{
	size_t i = 0;

	while (i < ACTION_WORDS &&
	       (token->kind != TOKEN_WORD ||
		   !slice_equal_text(token->text, action_words[i].word)))
		i++;
	return i;
}

static struct ast_action *
parse_action(struct cursor *cursor)
{
	const struct token *token = cursor_peek(cursor);
	struct ast_action *action = cursor_alloc(cursor, sizeof *action);
	size_t i = find_action(token);
	const char *names[ACTION_WORDS];
	const char *near;

	if (action == NULL)
		return NULL;
	action->offset = token->offset;
	if (i < ACTION_WORDS) {
		cursor_take(cursor);
		action->disposition = action_words[i].disposition;
		action->kind = action_words[i].kind;
		return parse_action_texts(cursor, action, i) ? action : NULL;
	}
	for (i = 0; i < ACTION_WORDS; i++)
		names[i] = action_words[i].word;
	near = token->kind == TOKEN_WORD
		   ? diag_suggest(token->text, names, ACTION_WORDS)
		   : NULL;
	if (token->kind == TOKEN_WORD && foreign_action(token->text) != NULL)
		cursor_error(cursor, "%s", foreign_action(token->text));
	else if (near != NULL)
		cursor_error(cursor,
		    "unknown action \"%.*s\"; did you mean "
		    "\"%s\"?",
		    (int)token->text.length, token->text.data, near);
	else
		cursor_unexpected(cursor,
		    "an action: reject, quarantine, discard, defer, tag, "
		    "prefix-subject, add-header, remove-header, copy-to, "
		    "preserve or alert");
	return NULL;
}

static void
parse_then(struct cursor *cursor, struct ast_rule *rule)
{
	struct ast_action **last = &rule->actions;

	while (*last != NULL)
		last = &(*last)->next;
	do {
		*last = parse_action(cursor);
		if (*last == NULL) {
			recover_clause(cursor);
			return;
		}
		last = &(*last)->next;
		if (find_action(cursor_peek(cursor)) < ACTION_WORDS)
			cursor_error(cursor,
			    "a comma is missing: actions are separated by "
			    "commas");
	} while (cursor_accept_mark(cursor, ',') ||
		 find_action(cursor_peek(cursor)) < ACTION_WORDS);
}

/* A second when or unless is an error: which one counts? */
static void
parse_condition(struct cursor *cursor, struct ast_expr **into, const char *word)
{
	struct ast_expr *expr;

	if (*into != NULL)
		cursor_error(
		    cursor, "a second %s; join both with and or or", word);
	expr = parse_expr(cursor);
	if (*into == NULL)
		*into = expr;
	if (expr != NULL && expr->kind == EXPR_BAD)
		recover_clause(cursor);
}

static void
refuse_clause(struct cursor *cursor, const struct ast_rule *rule)
{
	const struct token *token = cursor_peek(cursor);
	const char *instead =
	    token->kind == TOKEN_WORD ? foreign_clause(token->text) : NULL;

	if (instead != NULL)
		cursor_error(cursor, "unexpected %.*s; %s",
		    (int)token->text.length, token->text.data, instead);
	else if (cursor_is_mark(cursor, '{') && rule->actions == NULL)
		cursor_error(cursor, "unexpected {; actions stand after then");
	else if (cursor_is_mark(cursor, ',') && rule->actions == NULL &&
		 rule->when != NULL)
		cursor_error(cursor,
		    "unexpected ,; conditions are joined with \"and\" or \"or\"");
	else if (rule->actions != NULL && (cursor_is_word(cursor, "and") ||
					      cursor_is_word(cursor, "or")))
		cursor_error(cursor,
		    "unexpected %.*s; actions are separated "
		    "by commas",
		    (int)token->text.length, token->text.data);
	else
		cursor_unexpected(cursor, "severity, owner, id, on-error, "
					  "when, unless, then or }");
}

static bool
parse_rule_clause(struct cursor *cursor, struct ast_rule *rule)
{
	cursor_peek(cursor)->layout = LAYOUT_CLAUSE;
	if (cursor_accept_word(cursor, "severity"))
		return (rule->severity = cursor_expect(cursor, TOKEN_WORD,
			    "low, medium, high or critical")) != NULL;
	if (cursor_accept_word(cursor, "owner"))
		return (rule->owner = cursor_expect(cursor, TOKEN_STRING,
			    "an address in quotation marks")) != NULL;
	if (cursor_accept_word(cursor, "id"))
		return (rule->id = cursor_expect(cursor, TOKEN_STRING,
			    "a text in quotation marks")) != NULL;
	if (cursor_accept_word(cursor, "on-error"))
		return (rule->on_error = cursor_expect(cursor, TOKEN_WORD,
			    "match, skip or defer")) != NULL;
	if (cursor_accept_word(cursor, "when")) {
		parse_condition(cursor, &rule->when, "when");
		return true;
	}
	if (cursor_accept_word(cursor, "unless")) {
		parse_condition(cursor, &rule->unless, "unless");
		return true;
	}
	if (cursor_accept_word(cursor, "then")) {
		parse_then(cursor, rule);
		return true;
	}
	cursor_peek(cursor)->layout = LAYOUT_NONE;
	refuse_clause(cursor, rule);
	return false;
}

static void
end_block(struct cursor *cursor, const char *what)
{
	if (!cursor_accept_mark(cursor, '}'))
		cursor_unexpected(cursor, what);
}

/* The next statement begins, and the rule has no end yet: which one? */
static void
open_rule(struct cursor *cursor, const struct ast_name *name)
{
	unsigned line, column;

	diag_position(cursor->source, name->offset, &line, &column);
	cursor_error(cursor,
	    "} is missing at the end of the rule %.*s, which begins in line %u",
	    (int)name->text.length, name->text.data, line);
}

static bool
parse_name(struct cursor *cursor, const char *what, struct ast_name *name)
{
	const struct token *token = cursor_expect(cursor, TOKEN_WORD, what);

	if (token == NULL)
		return false;
	*name = cursor_name(token);
	if (!parse_is_reserved(token->text))
		return true;
	diag_at(cursor->diag, DIAG_ERROR, cursor->source, token->offset,
	    "\"%.*s\" is a word of the language and can't be a name",
	    (int)token->text.length, token->text.data);
	return true;
}

static bool
parse_rule(struct cursor *cursor, struct ast_rule *rule)
{
	rule->stage = STAGE_MESSAGE;
	rule->broken = !parse_name(cursor, "the rule's name", &rule->name) ||
		       !parse_rule_head(cursor, rule);
	if (rule->broken)
		return false;
	while (!cursor_is_mark(cursor, '}') &&
	       cursor_peek(cursor)->kind != TOKEN_END && !cursor->full) {
		if (cursor_peek(cursor)->lines_before > 0 &&
		    !starts_clause(cursor) &&
		    starts_statement(cursor_peek(cursor)))
			break; /* the closing brace was forgotten */
		if (!parse_rule_clause(cursor, rule)) {
			rule->broken = true;
			cursor_take(cursor);
			recover_clause(cursor);
		}
	}
	if (starts_statement(cursor_peek(cursor)))
		open_rule(cursor, &rule->name);
	else
		end_block(cursor, "} at the end of the rule");
	return true;
}

static bool
parse_exemption(struct cursor *cursor, struct ast_exemption *exemption)
{
	exemption->broken = true;
	if (cursor_accept_word(cursor, "all")) {
		exemption->all = true;
	} else {
		do {
			struct ast_name name, *slot;

			if (!parse_name(
				cursor, "the name of a rule, or all", &name))
				return false;
			slot = list_append(
			    cursor->arena, &exemption->rules, 10000);
			if (slot == NULL)
				return false;
			*slot = name;
		} while (cursor_accept_mark(cursor, ','));
	}
	exemption->description = cursor_expect(cursor, TOKEN_STRING,
	    "the reason in quotation marks after the rules' names");
	if (exemption->description == NULL)
		return false;
	if (cursor_accept_word(cursor, "until"))
		exemption->until =
		    cursor_expect(cursor, TOKEN_TIME, CURSOR_TIME);
	if (!cursor_expect_mark(cursor, '{', "after the reason"))
		return false;
	exemption->broken = false;
	while (!cursor_is_mark(cursor, '}') &&
	       cursor_peek(cursor)->kind != TOKEN_END && !cursor->full) {
		cursor_peek(cursor)->layout = LAYOUT_CLAUSE;
		if (cursor_accept_word(cursor, "owner")) {
			exemption->owner = cursor_expect(cursor, TOKEN_STRING,
			    "an address in quotation marks");
		} else if (cursor_accept_word(cursor, "when")) {
			parse_condition(cursor, &exemption->when, "when");
		} else {
			cursor_peek(cursor)->layout = LAYOUT_NONE;
			cursor_unexpected(cursor, "owner, when or }");
			cursor_take(cursor);
			recover_clause(cursor);
		}
	}
	end_block(cursor, "} at the end of the exemption");
	return true;
}

/* --------------------------------------------------------------- settings */

static bool
is_plain_value(const struct token *token)
{
	return token->kind != TOKEN_END && token->kind != TOKEN_MARK &&
	       token->kind != TOKEN_OPERATOR && token->kind != TOKEN_MEMBER &&
	       token->kind != TOKEN_REGEX;
}

static bool
parse_value(struct cursor *cursor, struct ast_setting *setting)
{
	if (cursor_accept_mark(cursor, '{')) {
		setting->braced = true;
		setting->values = parse_expr_values(cursor);
		return true;
	}
	if (cursor_is_mark(cursor, '=') &&
	    (is_plain_value(cursor_ahead(cursor, 1)))) {
		cursor_error(cursor,
		    "unexpected =; a setting is its name and its "
		    "value, side by side");
		cursor_take(cursor);
	}
	if (!is_plain_value(cursor_peek(cursor))) {
		cursor_unexpected(
		    cursor, cursor_peek(cursor)->kind == TOKEN_REGEX
				? "a value; paths stand in quotation marks"
				: "a value");
		return false;
	}
	setting->value = cursor_take(cursor);
	return true;
}

/* NAME VALUE ... up to }, after the opening brace. */
static struct ast_setting *
parse_settings(struct cursor *cursor)
{
	struct ast_setting *first = NULL, **last = &first;

	while (!cursor_is_mark(cursor, '}') && !cursor->full) {
		struct ast_setting *setting;
		const struct token *name;

		cursor_peek(cursor)->layout = LAYOUT_CLAUSE;
		name = cursor_expect(
		    cursor, TOKEN_WORD, "the name of a setting or }");
		setting = cursor_alloc(cursor, sizeof *setting);
		if (name == NULL || setting == NULL) {
			cursor_skip_block(cursor);
			return first;
		}
		setting->name = cursor_name(name);
		if (slice_equal_text(name->text, "columns") &&
		    cursor_accept_mark(cursor, '{')) {
			setting->braced = true;
			setting->values = NULL;
			/* NAME "HEADER" or NAME NUMBER pairs. */
			setting->values = parse_expr_values(cursor);
		} else if (!parse_value(cursor, setting)) {
			cursor_skip_block(cursor);
			return first;
		}
		*last = setting;
		last = &setting->next;
	}
	cursor_take(cursor);
	return first;
}

static bool
parse_block(struct cursor *cursor, struct ast_block *block, bool named)
{
	block->kind = cursor_name(cursor_take(cursor));
	if (named && !parse_name(cursor, "the feed's name", &block->name))
		return false;
	if (!cursor_expect_mark(cursor, '{', "at the start of the block"))
		return false;
	block->settings = parse_settings(cursor);
	return true;
}

static bool
parse_named_list(struct cursor *cursor, struct ast_list *list)
{
	if (!parse_name(cursor, "the list's name", &list->name) ||
	    !parse_name(cursor,
		"domains, addresses, networks, hashes or strings", &list->type))
		return false;
	if (cursor_accept_mark(cursor, '{')) {
		list->values = parse_expr_values(cursor);
		list->may_be_empty = cursor_accept_word(cursor, "may-be-empty");
		return true;
	}
	if (!cursor_accept_word(cursor, "from")) {
		cursor_unexpected(cursor, "{ entries } or from \"FILE\"");
		return false;
	}
	list->file =
	    cursor_expect(cursor, TOKEN_STRING, "a file in quotation marks");
	list->may_be_empty = cursor_accept_word(cursor, "may-be-empty");
	return list->file != NULL;
}

/* --------------------------------------------------------------- the file */

static bool
parse_let(struct cursor *cursor, struct ast_statement *statement)
{
	statement->kind = AST_LET;
	if (!parse_name(cursor, "a name after let", &statement->let.name) ||
	    !cursor_expect_mark(cursor, '=', "after the name"))
		return false;
	if (cursor_peek(cursor)->lines_before > 0 &&
	    starts_statement(cursor_peek(cursor))) {
		cursor_unexpected(cursor, "a condition after =");
		return false;
	}
	statement->let.expr = parse_expr(cursor);
	return statement->let.expr != NULL &&
	       statement->let.expr->kind != EXPR_BAD;
}

/* WORD VALUE: switch NAME on, pin KIND "VALUE", include "PATTERN". */
static bool
parse_pair(struct cursor *cursor, struct ast_statement *statement,
    enum ast_kind kind, const char *name_what)
{
	statement->kind = kind;
	if (name_what != NULL &&
	    !parse_name(cursor, name_what, &statement->setting.name))
		return false;
	return parse_value(cursor, &statement->setting);
}

static bool
parse_setting(struct cursor *cursor, struct ast_statement *statement)
{
	const struct token *word = cursor_peek(cursor);

	statement->kind = AST_SETTING;
	if (settings_find(NULL, word->text) == NULL &&
	    foreign_statement(word->text) != NULL) {
		cursor_error(cursor, "unexpected %.*s; %s",
		    (int)word->text.length, word->text.data,
		    foreign_statement(word->text));
		statement->kind = AST_NONE;
		return false;
	}
	statement->setting.name = cursor_name(cursor_take(cursor));
	if (settings_find(NULL, statement->setting.name.text) == NULL &&
	    !is_plain_value(cursor_peek(cursor)) &&
	    !cursor_is_mark(cursor, '{')) {
		cursor->at--;
		cursor_unexpected(cursor, "a setting, list, rule or test");
		cursor->at++;
		statement->kind = AST_NONE;
		return false;
	}
	return parse_value(cursor, &statement->setting);
}

/* One statement; false when it could not be understood. */
static bool
parse_statement(struct cursor *cursor, struct ast_statement *statement)
{
	statement->kind = AST_NONE;
	statement->offset = cursor_peek(cursor)->offset;
	cursor_peek(cursor)->layout = LAYOUT_STATEMENT;
	if (cursor_peek(cursor)->kind != TOKEN_WORD) {
		cursor_unexpected(cursor, "a setting, list, rule or test");
		return false;
	}
	if (cursor_accept_word(cursor, "rule")) {
		statement->kind = AST_RULE;
		return parse_rule(cursor, &statement->rule);
	}
	if (cursor_accept_word(cursor, "exempt")) {
		statement->kind = AST_EXEMPTION;
		return parse_exemption(cursor, &statement->exemption);
	}
	if (cursor_accept_word(cursor, "test")) {
		size_t errors = cursor->diag->error_count;

		statement->kind = AST_TEST;
		parse_test(cursor, &statement->test);
		statement->test.broken = cursor->diag->error_count != errors;
		return true;
	}
	if (cursor_accept_word(cursor, "let"))
		return parse_let(cursor, statement);
	if (cursor_accept_word(cursor, "list")) {
		statement->kind = AST_LIST;
		return parse_named_list(cursor, &statement->list);
	}
	if (cursor_accept_word(cursor, "switch"))
		return parse_pair(
		    cursor, statement, AST_SWITCH, "the switch's name");
	if (cursor_accept_word(cursor, "pin"))
		return parse_pair(
		    cursor, statement, AST_PIN, "the indicator's type");
	if (cursor_accept_word(cursor, "include"))
		return parse_pair(cursor, statement, AST_INCLUDE, NULL);
	statement->kind = AST_BLOCK;
	if (cursor_is_word(cursor, "feed"))
		return parse_block(cursor, &statement->block, true);
	if ((cursor_is_word(cursor, "resolver") ||
		cursor_is_word(cursor, "limits") ||
		cursor_is_word(cursor, "failure")))
		return parse_block(cursor, &statement->block, false);
	return parse_setting(cursor, statement);
}

enum tc_status
parse_file(struct arena *arena, const struct diag_source *source,
    unsigned nesting_max, struct diag *diag, struct ast_file *file_out)
{
	struct ast_statement **last = &file_out->statements;
	struct cursor cursor = { .arena = arena,
		.source = source,
		.diag = diag,
		.depth_max = nesting_max };
	enum tc_status status;

	memset(file_out, 0, sizeof *file_out);
	file_out->source = source;
	status = lex_file(arena, source, diag, &file_out->tokens);
	if (status != TC_OK)
		return status;
	cursor.tokens = file_out->tokens.tokens.items;
	cursor.count = file_out->tokens.tokens.count;
	while (cursor_peek(&cursor)->kind != TOKEN_END && !cursor.full) {
		struct ast_statement *statement =
		    cursor_alloc(&cursor, sizeof *statement);
		size_t before = cursor.at;

		if (statement == NULL)
			break;
		cursor.depth = 0;
		if (!parse_statement(&cursor, statement)) {
			if (cursor.at == before)
				cursor_take(&cursor);
			recover_statement(&cursor);
		}
		*last = statement;
		last = &statement->next;
	}
	if (!cursor.full)
		return TC_OK;
	diag_at(diag, DIAG_ERROR, source, 0, "the file needs too much memory");
	return TC_LIMIT;
}
