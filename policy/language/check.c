#include <config.h>

#include "base/address.h"
#include "language/check.h"
#include "language/check_expr.h"
#include "language/check_settings.h"
#include "language/check_text.h"
#include "language/foregone.h"
#include "language/given.h"
#include "language/moment.h"
#include "language/parse.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

#define NAMES_IN_NAMES_MAX 64 /* rules that name rules that name ... */
#define SYMBOLS_MAX        200000

static struct scope_place
place_of(struct scope *scope, const struct ast_file *file,
    struct scope_traits *traits)
{
	return (struct scope_place){ .scope = scope,
		.file = file,
		.stage = STAGE_MESSAGE,
		.collection = FIELD_COUNT,
		.traits = traits };
}

static const char *
token_text(struct scope *scope, const struct token *token)
{
	const char *text =
	    token == NULL ? "" : arena_text(scope->arena, token->text);

	return text == NULL ? "" : text;
}

static int64_t
until_of(const struct token *token)
{
	int64_t moment = 0;

	if (token == NULL || !moment_parse(token->text, true, &moment))
		return 0;
	return moment;
}

/* ----------------------------------------------------------------- names */

static bool
name_is_taken(struct scope *scope, const struct ast_file *file,
    const struct ast_name *name)
{
	struct scope_symbol *other = scope_symbol(scope, name->text);
	unsigned line, column;

	if (schema_find(name->text) != FIELD_COUNT ||
	    slice_equal_text(name->text, "true") ||
	    slice_equal_text(name->text, "false")) {
		diag_at(scope->diag, DIAG_ERROR, file->source, name->offset,
		    "%.*s is a field; choose another name", SHOWN(name->text));
		return true;
	}
	if (other == NULL)
		return false;
	if (scope->diag->entries.count >= scope->diag->entries_max) {
		scope->diag->error_count++; /* counted, no longer shown */
		return true;
	}
	diag_position(other->file->source, other->name.offset, &line, &column);
	diag_at(scope->diag, DIAG_ERROR, file->source, name->offset,
	    "the name %.*s is taken at %s:%u", SHOWN(name->text),
	    other->file->source->file, line);
	return true;
}

static struct scope_symbol *
declare(struct scope *scope, const struct ast_file *file,
    const struct ast_statement *statement, const struct ast_name *name)
{
	struct scope_symbol *symbol, **slot;

	if (name->text.length == 0 || parse_is_reserved(name->text) ||
	    name_is_taken(scope, file, name))
		return NULL;
	symbol = arena_alloc(scope->arena, sizeof *symbol);
	slot = list_append(scope->arena, &scope->ordered, SYMBOLS_MAX);
	if (symbol == NULL || slot == NULL ||
	    !table_put(&scope->symbols, name->text, symbol)) {
		scope->full = true;
		return NULL;
	}
	*slot = symbol;
	symbol->kind = statement->kind;
	symbol->statement = statement;
	symbol->file = file;
	symbol->name = *name;
	return symbol;
}

static void
declare_rule(struct scope *scope, struct scope_symbol *symbol)
{
	struct program *program = scope->program;
	const struct ast_rule *ast = &symbol->statement->rule;
	struct program_rule **slot, *rule;

	if (program->rules.count >= scope->limits->rules_max) {
		if (program->rules.count == scope->limits->rules_max)
			diag_at(scope->diag, DIAG_ERROR, symbol->file->source,
			    ast->name.offset, "more than %u rules",
			    scope->limits->rules_max);
		scope->full = true;
		return;
	}
	rule = arena_alloc(scope->arena, sizeof *rule);
	slot = list_append(scope->arena, &program->rules, SYMBOLS_MAX);
	if (rule == NULL || slot == NULL) {
		scope->full = true;
		return;
	}
	*slot = rule;
	rule->index = (unsigned)program->rules.count - 1;
	rule->name = arena_text(scope->arena, ast->name.text);
	rule->stage = ast->stage;
	rule->shadow = ast->shadow;
	rule->severity = -1;
	rule->source = symbol->file->source;
	rule->offset = ast->name.offset;
	symbol->rule = rule;
	if (rule->name == NULL ||
	    !table_put(&program->rule_names, ast->name.text, rule))
		scope->full = true;
}

static void
declare_switch(struct scope *scope, struct scope_symbol *symbol)
{
	const struct ast_setting *ast = &symbol->statement->setting;
	struct program_switch *entry =
	    list_append(scope->arena, &scope->program->switches, SYMBOLS_MAX);

	if (entry == NULL) {
		scope->full = true;
		return;
	}
	symbol->index = (int)scope->program->switches.count - 1;
	symbol->state = SYMBOL_DONE;
	entry->name = arena_text(scope->arena, ast->name.text);
	entry->source = symbol->file->source;
	entry->offset = ast->name.offset;
	if (ast->value != NULL && slice_equal_text(ast->value->text, "on"))
		entry->initial = true;
	else if (ast->value == NULL ||
		 !slice_equal_text(ast->value->text, "off"))
		diag_at(scope->diag, DIAG_ERROR, symbol->file->source,
		    ast->value == NULL ? ast->name.offset : ast->value->offset,
		    "a switch is on or off");
}

static void
declare_all(struct scope *scope, const struct ast_file *file)
{
	for (const struct ast_statement *at = file->statements;
	     at != NULL && !scope->full; at = at->next) {
		struct scope_symbol *symbol;

		if (at->kind == AST_RULE) {
			symbol = declare(scope, file, at, &at->rule.name);
			if (symbol != NULL)
				declare_rule(scope, symbol);
		} else if (at->kind == AST_LET) {
			declare(scope, file, at, &at->let.name);
		} else if (at->kind == AST_SWITCH) {
			symbol = declare(scope, file, at, &at->setting.name);
			if (symbol != NULL)
				declare_switch(scope, symbol);
		}
	}
}

/* ----------------------------------------------------------------- rules */

static const char *const stage_verbs = "reject and defer";

static bool
is_early(const struct program_rule *rule)
{
	return rule->stage != STAGE_MESSAGE;
}

static bool
header_name_is_good(struct slice name)
{
	if (name.length == 0 || name.length > 78)
		return false;
	for (size_t i = 0; i < name.length; i++)
		if (name.data[i] <= ' ' || name.data[i] > '~' ||
		    name.data[i] == ':')
			return false;
	return true;
}

/* Notes a header that we add, so that incoming ones are removed. */
static void
own_header(struct scope *scope, const char *name)
{
	struct program *program = scope->program;
	const char **slot;

	for (size_t i = 0; i < program->own_headers.count; i++)
		if (slice_equal_text_fold(
			slice_text(name), program->own_headers.items[i]))
			return;
	slot = list_append(scope->arena, &program->own_headers, SYMBOLS_MAX);
	if (slot == NULL)
		scope->full = true;
	else
		*slot = name;
}

/* Words of headers that a rule must not touch. */
static bool
is_protected_header(struct slice name)
{
	static const char *const names[] = { "Received", "Return-Path",
		"Authentication-Results", "DKIM-Signature", "From", "To", "Cc",
		"Date", "Message-ID", "MIME-Version", "Content-Type",
		"Content-Transfer-Encoding" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (slice_equal_text_fold(name, names[i]))
			return true;
	return false;
}

static bool
compile_header_name(const struct scope_place *place,
    const struct ast_action *ast, struct program_action *action)
{
	struct slice name = ast->name->text;

	if (!header_name_is_good(name)) {
		scope_error(place, ast->name->offset,
		    "no header name: printable characters without colon and "
		    "blank");
		return false;
	}
	if (is_protected_header(name)) {
		scope_error(place, ast->name->offset,
		    "%.*s belongs to the message; rules don't change it",
		    SHOWN(name));
		return false;
	}
	action->name = arena_text(place->scope->arena, name);
	if (action->name != NULL && action->kind != ACTION_REMOVE_HEADER)
		own_header(place->scope, action->name);
	return action->name != NULL;
}

static void
warn_own_address(const struct scope_place *place, const struct token *token,
    const char *what)
{
	struct scope *scope = place->scope;
	int index = scope->program->settings.own_domains;
	struct address address;

	if (token == NULL || index < 0 ||
	    !address_canonical(scope->arena, token->text, &address) ||
	    !value_list_covers_domain(scope->program->lists.items[index],
		address.domain, scope->options->now))
		return;
	diag_at(scope->diag, DIAG_WARNING, place->file->source, token->offset,
	    "%s is under own-domains: in a breach the intruder reads it", what);
}

static bool
compile_action(const struct scope_place *place, const struct ast_action *ast,
    struct program_action *action)
{
	struct address address;

	action->kind = ast->kind;
	if (ast->name != NULL && !compile_header_name(place, ast, action))
		return false;
	if (ast->kind == ACTION_COPY_TO) {
		if (!address_canonical(
			place->scope->arena, ast->text->text, &address)) {
			scope_error(place, ast->text->offset,
			    "copy-to takes a mail address");
			return false;
		}
		warn_own_address(place, ast->text, "the address of copy-to");
	}
	if (ast->text != NULL)
		action->text = check_text(place, ast->text);
	return ast->text == NULL || action->text != NULL;
}

/* 5.7.1 TEXT for reject, 4.7.1 TEXT for defer; the three digits before it are
 * not the operator's. */
static bool
check_reply(const struct scope_place *place, const struct ast_action *ast)
{
	struct slice text = ast->text->text;
	char class = ast->disposition == DISPOSITION_REJECT ? '5' : '4';
	size_t digits = 0;

	while (digits < text.length && ascii_is_digit(text.data[digits]))
		digits++;
	if (digits == 3 && (text.length == 3 || text.data[3] == ' ')) {
		scope_error(place, ast->text->offset,
		    "the reply code comes with %s; a text may begin with an "
		    "enhanced status code such as %c.7.1",
		    verdict_disposition_name(ast->disposition), class);
		return false;
	}
	if (digits == 1 && text.length > 3 && text.data[1] == '.' &&
	    ascii_is_digit(text.data[2]) && text.data[0] != class) {
		scope_error(place, ast->text->offset,
		    "the enhanced status code of %s begins with %c",
		    verdict_disposition_name(ast->disposition), class);
		return false;
	}
	return true;
}

static bool
set_disposition(const struct scope_place *place, const struct ast_action *ast,
    struct program_rule *rule)
{
	if (rule->disposition != DISPOSITION_NONE) {
		scope_error(place, ast->offset,
		    "a second disposition; a rule asks for one of reject, "
		    "quarantine, discard, defer");
		return false;
	}
	if (is_early(rule) && (ast->disposition == DISPOSITION_QUARANTINE ||
				  ast->disposition == DISPOSITION_DISCARD)) {
		scope_error(place, ast->offset,
		    "at %s only %s act at once, and what tags or marks is "
		    "taken along to the end; %s needs the whole message: leave "
		    "out at %s",
		    schema_stage_name(rule->stage), stage_verbs,
		    verdict_disposition_name(ast->disposition),
		    schema_stage_name(rule->stage));
		return false;
	}
	rule->disposition = ast->disposition;
	if (ast->disposition == DISPOSITION_DISCARD)
		diag_at(place->scope->diag, DIAG_WARNING, place->file->source,
		    ast->offset,
		    "discard loses mail without a word to anybody; quarantine "
		    "keeps it");
	if (ast->text != NULL && !check_reply(place, ast))
		return false;
	if (ast->text != NULL && rule->stage == STAGE_CONNECT)
		diag_at(place->scope->diag, DIAG_WARNING, place->file->source,
		    ast->text->offset,
		    "at connect the MTA answers in words of its own; a text is "
		    "given at helo");
	if (ast->text != NULL)
		rule->reply = check_text(place, ast->text);
	return ast->text == NULL || rule->reply != NULL;
}

static bool
compile_actions(const struct scope_place *place, const struct ast_rule *ast,
    struct program_rule *rule)
{
	LIST_OF(struct program_action) actions = { 0 };
	bool good = true;

	for (const struct ast_action *at = ast->actions; at != NULL;
	     at = at->next) {
		struct program_action *action;

		if (at->disposition != DISPOSITION_NONE) {
			good = set_disposition(place, at, rule) && good;
			continue;
		}
		action = list_append(place->scope->arena, &actions, 100);
		if (action == NULL) {
			scope_error(place, at->offset, "too many actions");
			return false;
		}
		good = compile_action(place, at, action) && good;
	}
	rule->actions = actions.items;
	rule->action_count = (unsigned)actions.count;
	return good;
}

static void
set_on_error(const struct scope_place *place, const struct ast_rule *ast,
    struct program_rule *rule)
{
	static const char *const words[] = { "match", "skip", "defer" };

	/* Rejecting or losing mail because of our own trouble needs asking. */
	rule->on_error = rule->disposition == DISPOSITION_REJECT ||
				 rule->disposition == DISPOSITION_DISCARD
			     ? ON_ERROR_SKIP
			     : ON_ERROR_MATCH;
	if (ast->on_error == NULL)
		return;
	for (int i = 0; i < 3; i++)
		if (slice_equal_text(ast->on_error->text, words[i])) {
			rule->on_error = (enum program_on_error)i;
			return;
		}
	scope_error(
	    place, ast->on_error->offset, "on-error is match, skip or defer");
}

static void
set_severity(const struct scope_place *place, const struct ast_rule *ast,
    struct program_rule *rule)
{
	if (ast->severity == NULL)
		return;
	rule->severity =
	    schema_find_word(&schema_severities, ast->severity->text);
	if (rule->severity < 0)
		scope_error(place, ast->severity->offset,
		    "severity is low, medium, high or critical");
}

static bool
compile_conditions(struct scope_place *place, const struct ast_rule *ast,
    struct program_rule *rule)
{
	struct scope_place unless = *place;

	if (ast->when == NULL && ast->unless == NULL) {
		if (!ast->broken)
			scope_error(place, ast->name.offset,
			    "the rule has no when; for every mail write when "
			    "true");
		return false;
	}
	if (ast->when != NULL) {
		rule->when = check_expr(place, ast->when);
		if (rule->when == NULL)
			return false;
	}
	if (ast->unless == NULL)
		return true;
	unless.negative = true;
	rule->unless = check_expr(&unless, ast->unless);
	return rule->unless != NULL;
}

static void
warn_rule(const struct scope_place *place, const struct ast_rule *ast,
    const struct program_rule *rule)
{
	struct diag *diag = place->scope->diag;
	const struct diag_source *source = place->file->source;

	if (rule->until != 0 && rule->until <= place->scope->options->now)
		diag_at(diag, DIAG_WARNING, source, ast->until->offset,
		    "the rule %s has ended", rule->name);
	if (rule->shadow_until != 0 &&
	    rule->shadow_until <= place->scope->options->now)
		diag_at(diag, DIAG_WARNING, source, ast->shadow_until->offset,
		    "the shadow of %s has ended: the rule is off", rule->name);
	if (ast->actions == NULL)
		diag_at(diag, DIAG_WARNING, source, ast->name.offset,
		    "the rule does nothing but appear in the log; write then "
		    "...");
}

static bool
check_start(const struct scope_place *place, const struct ast_rule *ast,
    const struct program_rule *rule)
{
	if (ast->from != NULL && rule->shadow) {
		scope_error(place, ast->from->offset,
		    "a rule is in shadow before the time after from, and acts "
		    "from then on: leave out shadow");
		return false;
	}
	if (rule->from != 0 && rule->until != 0 && rule->from >= rule->until) {
		scope_error(place, ast->from->offset,
		    "the rule %s would end before it begins to act",
		    rule->name);
		return false;
	}
	return true;
}

static bool
compile_rule(struct scope *scope, struct scope_symbol *symbol)
{
	const struct ast_rule *ast = &symbol->statement->rule;
	struct program_rule *rule = symbol->rule;
	struct scope_place place =
	    place_of(scope, symbol->file, &symbol->traits);
	bool good;

	if (rule == NULL)
		return false;
	place.stage = ast->stage;
	rule->description = token_text(scope, ast->description);
	rule->owner = token_text(scope, ast->owner);
	rule->id = token_text(scope, ast->id);
	rule->until = until_of(ast->until);
	if (ast->from != NULL)
		(void)moment_parse(ast->from->text, false, &rule->from);
	rule->shadow_until = until_of(ast->shadow_until);
	set_severity(&place, ast, rule);
	good = check_start(&place, ast, rule);
	good = compile_conditions(&place, ast, rule) && good;
	good = compile_actions(&place, ast, rule) && good;
	set_on_error(&place, ast, rule);
	warn_own_address(&place, ast->owner, "the owner's address");
	if (good && symbol->traits.shadow_rule != NULL && !rule->shadow) {
		scope_error(&place, ast->name.offset,
		    "%s names the shadow rule %s, which only shadow rules may",
		    rule->name, symbol->traits.shadow_rule);
		good = false;
	}
	rule->late = symbol->traits.incomplete;
	if (good && scope->diag->error_count == 0)
		warn_rule(&place, ast, rule);
	return good;
}

static bool
compile_let(struct scope *scope, struct scope_symbol *symbol)
{
	struct scope_place place =
	    place_of(scope, symbol->file, &symbol->traits);
	struct compiled_let *let;

	place.is_let = true;
	symbol->node = check_expr(&place, symbol->statement->let.expr);
	if (symbol->node == NULL)
		return false;
	let = list_append(scope->arena, &scope->program->lets, SIZE_MAX);
	if (let != NULL) {
		let->node = symbol->node;
		let->name = arena_text(scope->arena, symbol->name.text);
	}
	if (let == NULL || let->name == NULL)
		scope->full = true;
	return !scope->full;
}

static bool
compile_symbol(struct scope *scope, struct scope_symbol *symbol)
{
	bool good;

	symbol->state = SYMBOL_BUSY;
	scope->depth++;
	good = symbol->kind == AST_RULE ? compile_rule(scope, symbol)
					: compile_let(scope, symbol);
	scope->depth--;
	symbol->state = good ? SYMBOL_DONE : SYMBOL_FAILED;
	return good;
}

bool
check_symbol(
    struct scope_symbol *symbol, const struct scope_place *place, size_t offset)
{
	struct scope *scope = place->scope;

	switch (symbol->state) {
	case SYMBOL_DONE:
		return true;
	case SYMBOL_FAILED:
		return false; /* reported where it stands */
	case SYMBOL_BUSY:
		scope_error(place, offset,
		    "%.*s names itself, here or by way of others",
		    SHOWN(symbol->name.text));
		return false;
	case SYMBOL_NEW:
		break;
	}
	if (scope->depth >= NAMES_IN_NAMES_MAX) {
		scope_error(place, offset,
		    "names stand for names that stand for names, more than %d "
		    "deep",
		    NAMES_IN_NAMES_MAX);
		return false;
	}
	return compile_symbol(scope, symbol);
}

/* ------------------------------------------------------------ exemptions */

/* The rules that an exemption names. */
static bool
exempted_rules(const struct scope_place *place, const struct ast_exemption *ast,
    struct program_exemption *exemption)
{
	struct scope *scope = place->scope;
	const struct program_rule **rules = arena_alloc_array(
	    scope->arena, ast->rules.count + 1, sizeof *rules);
	bool good = rules != NULL;

	for (size_t i = 0; good && i < ast->rules.count; i++) {
		const struct ast_name *name = &ast->rules.items[i];
		struct scope_symbol *symbol = scope_symbol(scope, name->text);

		if (symbol != NULL && symbol->kind == AST_RULE &&
		    symbol->rule != NULL) {
			rules[exemption->rule_count++] = symbol->rule;
			continue;
		}
		scope_error(place, name->offset, "unknown rule \"%.*s\"%s",
		    SHOWN(name->text), scope_suggest(scope, name->text));
		good = false;
	}
	exemption->rules = rules;
	return good;
}

/* Does the condition say whom the mail is from or to, or what it is? Results,
 * sizes and the mere presence of something do not: a great many messages share
 * them. */
static bool
is_narrow(const struct program_node *node)
{
	switch (node->kind) {
	case NODE_AND:
		for (unsigned i = 0; i < node->child_count; i++)
			if (is_narrow(node->children[i]))
				return true;
		return false;
	case NODE_OR:
		for (unsigned i = 0; i < node->child_count; i++)
			if (!is_narrow(node->children[i]))
				return false;
		return node->child_count > 0;
	case NODE_ANY:
	case NODE_ALL:
		return node->child_count > 0 && is_narrow(node->children[0]);
	case NODE_COMPARE:
		return node->left->type >= VALUE_STRING &&
		       node->left->type <= VALUE_STRINGS;
	case NODE_RULE:
		return node->rule->when != NULL && is_narrow(node->rule->when);
	case NODE_IN_NETWORK:
		return node->network.prefix_length > 0;
	case NODE_IN_LIST:
	case NODE_UNDER_LIST:
	case NODE_UNDER:
	case NODE_MATCHES:
	case NODE_CONTAINS_ANY:
	case NODE_LOOKALIKE:
		return true;
	case NODE_CONSTANT:
	case NODE_NOT:
	case NODE_TRUTH:
	case NODE_IN_WORDS:
	case NODE_IN_NUMBERS:
	case NODE_PRESENT:
	case NODE_SWITCH:
		break;
	}
	return false;
}

static void
check_exemption_dates(const struct scope_place *place,
    const struct ast_statement *statement,
    const struct program_exemption *exemption)
{
	const struct ast_exemption *ast = &statement->exemption;

	if (ast->all && ast->until == NULL)
		scope_error(place, statement->offset,
		    "exempt all needs an end: exempt all \"why\" until "
		    "2026-12-31");
	if (exemption->until != 0 &&
	    exemption->until <= place->scope->options->now)
		diag_at(place->scope->diag, DIAG_WARNING, place->file->source,
		    ast->until->offset, "the exemption has ended");
}

/* A rule that acts early can't be spared by what is known later. */
static void
check_exemption_stages(const struct scope_place *place,
    const struct ast_exemption *ast, const struct program_exemption *exemption,
    const struct scope_traits *traits)
{
	for (unsigned i = 0; i < exemption->rule_count; i++) {
		const struct program_rule *rule = exemption->rules[i];

		if (rule->stage < traits->stage)
			scope_error(place, ast->rules.items[i].offset,
			    "%s acts at %s, and %s in the exemption is known "
			    "at %s",
			    rule->name, schema_stage_name(rule->stage),
			    traits->stage_by, schema_stage_name(traits->stage));
	}
}

static void
compile_exemption(struct scope *scope, const struct ast_file *file,
    const struct ast_statement *statement)
{
	const struct ast_exemption *ast = &statement->exemption;
	struct scope_traits traits = { 0 };
	struct scope_place place = place_of(scope, file, &traits);
	struct program_exemption *exemption =
	    arena_alloc(scope->arena, sizeof *exemption);
	struct program_exemption **slot =
	    list_append(scope->arena, &scope->program->exemptions, SYMBOLS_MAX);

	if (exemption == NULL || slot == NULL) {
		scope->full = true;
		return;
	}
	*slot = exemption;
	place.negative = true;
	place.exemption = true;
	exemption->all = ast->all;
	exemption->description = token_text(scope, ast->description);
	exemption->owner = token_text(scope, ast->owner);
	exemption->until = until_of(ast->until);
	exemption->source = file->source;
	exemption->offset = statement->offset;
	exemption->name = exemption->description;
	check_exemption_dates(&place, statement, exemption);
	warn_own_address(&place, ast->owner, "the owner's address");
	exempted_rules(&place, ast, exemption);
	if (ast->when == NULL) {
		if (!ast->broken)
			scope_error(&place, statement->offset,
			    "an exemption needs a when: which mail does it "
			    "spare?");
		return;
	}
	exemption->when = check_expr(&place, ast->when);
	if (exemption->when == NULL)
		return;
	exemption->stage = traits.stage;
	check_exemption_stages(&place, ast, exemption, &traits);
	if (traits.shadow_rule != NULL)
		scope_error(&place, statement->offset,
		    "the exemption names the shadow rule %s",
		    traits.shadow_rule);
	if (!is_narrow(exemption->when))
		diag_at(scope->diag, DIAG_WARNING, file->source,
		    statement->offset,
		    "the exemption has no narrow condition: say whom it is "
		    "for");
}

/* ----------------------------------------------------------------- tests */

/* The entries are read as those of the list itself. */
static void
check_given_list(const struct scope_place *place, const struct ast_given *given)
{
	struct scope *scope = place->scope;
	struct scope_list *known = scope_list(scope, given->name.text);
	struct value_list *list;

	if (known == NULL) {
		scope_error(place, given->name.offset,
		    "unknown list \"%.*s\"%s", SHOWN(given->name.text),
		    scope_suggest_list(scope, given->name.text));
		return;
	}
	list = value_list_new(scope->arena,
	    scope->program->list_entries.items[known->index].type, "given");
	if (list == NULL)
		scope->full = true;
	else
		check_settings_fill_list(
		    scope, place->file, given->values, list);
}

static void
check_test_names(const struct scope_place *place, const struct ast_test *test)
{
	for (const struct ast_expect *at = test->expects; at != NULL;
	     at = at->next)
		for (size_t i = 0; i < at->rules.count; i++) {
			struct slice name = at->rules.items[i].text;
			struct scope_symbol *symbol =
			    scope_symbol(place->scope, name);

			if (symbol == NULL || symbol->kind != AST_RULE)
				scope_error(place, at->rules.items[i].offset,
				    "unknown rule \"%.*s\"%s", SHOWN(name),
				    scope_suggest(place->scope, name));
			else
				symbol->used = true;
		}
	for (const struct ast_given *at = test->givens; at != NULL;
	     at = at->next) {
		struct scope_symbol *symbol;

		if (at->kind == GIVEN_LIST)
			check_given_list(place, at);
		if (at->kind != GIVEN_SWITCH)
			continue;
		symbol = scope_symbol(place->scope, at->name.text);
		if (symbol == NULL || symbol->kind != AST_SWITCH)
			scope_error(place, at->name.offset,
			    "unknown switch \"%.*s\"", SHOWN(at->name.text));
	}
}

/* Reads the given facts once, so that what is wrong is said at load time. */
static void
check_test_givens(const struct scope_place *place, const struct ast_test *test)
{
	struct facts *facts = facts_new(place->scope->arena);

	if (facts == NULL)
		place->scope->full = true;
	else
		given_fields(place, test, facts);
}

/* Two recipients in one string would be tested as one odd address. */
static void
check_test_envelope(
    const struct scope_place *place, const struct ast_test *test)
{
	if (test->mail_from != NULL &&
	    address_is_misread(test->mail_from->text))
		scope_error(place, test->mail_from->offset,
		    "an address stands here, without name and brackets");
	for (const struct ast_value *at = test->recipients; at != NULL;
	     at = at->next)
		if (address_is_misread(at->token->text))
			scope_error(place, at->token->offset,
			    "one address stands here, without name and "
			    "brackets; the next follows after a comma: rcpt "
			    "\"a@b.example\", \"c@d.example\"");
}

#define TEST_TIME 1767225600 /* 2026-01-01T00:00:00Z */

static void
add_test(struct scope *scope, const struct ast_file *file,
    const struct ast_statement *statement)
{
	const struct ast_test *ast = &statement->test;
	struct scope_traits traits = { 0 };
	struct scope_place place = place_of(scope, file, &traits);
	struct compiled_test *test;

	if (ast->name == NULL)
		return;
	check_test_names(&place, ast);
	check_test_envelope(&place, ast);
	check_test_givens(&place, ast);
	if (ast->expects == NULL && ast->broken)
		return;
	if (ast->expects == NULL) {
		scope_error(&place, ast->name->offset,
		    "a test that expects nothing shows nothing: write expect "
		    "...");
		return;
	}
	test = list_append(scope->arena, &scope->program->tests, SYMBOLS_MAX);
	if (test == NULL) {
		scope->full = true;
		return;
	}
	test->ast = ast;
	test->source = file->source;
	test->folder = file->folder;
	test->now = TEST_TIME;
	if (ast->now != NULL)
		moment_parse(ast->now->text, false, &test->now);
}

/* -------------------------------------------------------------- warnings */

#define SHADOWS_NAMED 20

/* One warning for all of them, the shipped rules have a dozen. Under
 * `enforcement shadow` all rules are in shadow, without a date: what a rule
 * says matters on the day when that ends. */
static void
warn_shadows(struct scope *scope)
{
	const struct program *program = scope->program;
	const struct program_rule *first = NULL;
	struct builder names = builder_make(scope->arena, SIZE_MAX);
	unsigned count = 0;

	if (program->settings.enforcement_shadow != SETTINGS_ENFORCEMENT_ON)
		return;
	for (size_t i = 0; i < program->rules.count; i++) {
		const struct program_rule *rule = program->rules.items[i];

		if (!rule->shadow || rule->shadow_until != 0)
			continue;
		if (count++ < SHADOWS_NAMED)
			builder_printf(
			    &names, "%s%s", count == 1 ? "" : ", ", rule->name);
		first = first == NULL ? rule : first;
	}
	if (first == NULL || builder_c_string(&names) == NULL)
		return;
	if (count > SHADOWS_NAMED)
		builder_printf(&names, " and %u more", count - SHADOWS_NAMED);
	diag_at(scope->diag, DIAG_WARNING, first->source, first->offset,
	    "shadow without a date: %s; these are only logged. When the log "
	    "has shown that a rule is right take the word away, or write "
	    "shadow until 2026-12-31",
	    builder_c_string(&names));
}

static void
warn_lists(struct scope *scope)
{
	for (size_t i = 0; i < scope->program->list_entries.count; i++) {
		const struct compiled_list *entry =
		    &scope->program->list_entries.items[i];

		if (entry->anonymous || entry->may_be_empty ||
		    entry->file != NULL ||
		    value_list_count(scope->program->lists.items[i]) > 0)
			continue;
		diag_at(scope->diag, DIAG_WARNING, entry->source, entry->offset,
		    "the list %s is empty", entry->name);
	}
}

static void
warn_foregone(struct scope *scope)
{
	struct foregone_notes notes = { .program = scope->program,
		.arena = scope->arena };
	struct program *program = scope->program;

	for (size_t i = 0; i < program->rules.count; i++) {
		const struct program_rule *rule = program->rules.items[i];

		notes.why = NULL;
		if (rule->when != NULL &&
		    foregone_node(&notes, rule->when) == FOREGONE_NEVER)
			diag_at(scope->diag, DIAG_WARNING, rule->source,
			    rule->offset, "the rule %s can never match%s%s",
			    rule->name, notes.why == NULL ? "" : ": ",
			    notes.why == NULL ? "" : notes.why);
		else if (rule->unless != NULL &&
			 foregone_node(&notes, rule->unless) == FOREGONE_ALWAYS)
			diag_at(scope->diag, DIAG_WARNING, rule->source,
			    rule->offset,
			    "the rule %s can never match: what stands after "
			    "unless is always true",
			    rule->name);
	}
	for (size_t i = 0; i < program->exemptions.count; i++) {
		const struct program_exemption *exemption =
		    program->exemptions.items[i];

		if (foregone_node(&notes, exemption->when) == FOREGONE_NEVER)
			diag_at(scope->diag, DIAG_WARNING, exemption->source,
			    exemption->offset, "the exemption can never match");
	}
}

/* Two rules with one condition and the same disposition: one is too many. */
static void
warn_repeated(struct scope *scope)
{
	struct table seen = table_make(scope->arena);
	struct program *program = scope->program;

	for (size_t i = 0; i < program->rules.count; i++) {
		struct program_rule *rule = program->rules.items[i], *other;
		struct builder key = builder_make(scope->arena, 200);

		if (rule->when == NULL)
			continue;
		builder_printf(&key, "%u %u %d %d %d", rule->when->index,
		    rule->unless == NULL ? 0 : rule->unless->index + 1,
		    (int)rule->disposition, (int)rule->stage, rule->shadow);
		other = table_get(&seen, builder_result(&key));
		if (other == NULL)
			table_put(&seen, builder_result(&key), rule);
		else if (other->action_count == rule->action_count)
			diag_at(scope->diag, DIAG_WARNING, rule->source,
			    rule->offset,
			    "the rule %s repeats the condition of %s",
			    rule->name, other->name);
	}
}

static bool
is_tested(const struct program *program, const struct program_rule *rule)
{
	for (size_t i = 0; i < program->tests.count; i++)
		for (const struct ast_expect *at =
			 program->tests.items[i].ast->expects;
		     at != NULL; at = at->next)
			for (size_t j = 0; j < at->rules.count; j++)
				if (slice_equal_text(
					at->rules.items[j].text, rule->name))
					return true;
	return false;
}

static void
warn_untested(struct scope *scope)
{
	struct program *program = scope->program;

	for (size_t i = 0; i < program->rules.count; i++) {
		const struct program_rule *rule = program->rules.items[i];

		if (!rule->shadow && rule->disposition != DISPOSITION_NONE &&
		    !is_tested(program, rule))
			diag_at(scope->diag, DIAG_WARNING, rule->source,
			    rule->offset,
			    "the rule %s is enforced and no test names it",
			    rule->name);
	}
}

void
check_files(struct scope *scope, const struct ast_file *files)
{
	check_settings_lists(scope, files);
	check_settings(scope, files);
	for (const struct ast_file *file = files; file != NULL;
	     file = file->next)
		declare_all(scope, file);
	for (size_t i = 0; i < scope->ordered.count && !scope->full; i++)
		if (scope->ordered.items[i]->state == SYMBOL_NEW)
			compile_symbol(scope, scope->ordered.items[i]);
	for (const struct ast_file *file = files; file != NULL;
	     file = file->next)
		for (const struct ast_statement *at = file->statements;
		     at != NULL && !scope->full; at = at->next) {
			if (at->kind == AST_EXEMPTION)
				compile_exemption(scope, file, at);
			else if (at->kind == AST_TEST)
				add_test(scope, file, at);
		}
	if (scope->diag->error_count > 0)
		return; /* first things first */
	warn_shadows(scope);
	warn_lists(scope);
	warn_repeated(scope);
	warn_foregone(scope);
	if (scope->options->strict)
		warn_untested(scope);
}
