#include <config.h>

#include "language/compiled.h"
#include "language/given.h"
#include "language/language_test.h"
#include "language/moment.h"

struct runner {
	const struct program *program;
	const struct compiled_test *test;
	const struct language_test_options *options;
	struct arena *arena;
	struct facts *facts;
	struct program_lists lists;
	bool *switches;
	struct language_test_result *result;
	LIST_OF(const char *) unexpected;
};

unsigned
language_test_count(const struct program *program)
{
	return (unsigned)program->tests.count;
}

/* ----------------------------------------------------- lists, switches */

/* Lists from files are empty: tests never see live ones. */
static bool
make_lists(struct runner *runner)
{
	const struct program *program = runner->program;
	struct program_lists *lists = &runner->lists;

	lists->items = arena_alloc_array(
	    runner->arena, program->lists.count + 1, sizeof *lists->items);
	if (lists->items == NULL)
		return false;
	lists->count = program->lists.count;
	for (size_t i = 0; i < lists->count; i++) {
		const struct compiled_list *entry =
		    &program->list_entries.items[i];

		lists->items[i] = program->lists.items[i];
		if (entry->file != NULL)
			lists->items[i] = value_list_new(
			    runner->arena, entry->type, entry->name);
		if (lists->items[i] == NULL)
			return false;
	}
	return true;
}

static bool
give_list(struct runner *runner, const struct ast_given *given)
{
	int index = program_find_list(runner->program, given->name.text);
	const struct compiled_list *entry;
	struct value_list *list;

	if (index < 0)
		return true; /* refused when it was loaded */
	entry = &runner->program->list_entries.items[index];
	list = value_list_new(runner->arena, entry->type, entry->name);
	if (list == NULL)
		return false;
	for (const struct ast_value *value = given->values; value != NULL;
	     value = value->next) {
		const struct token *token = value->token;
		const char *problem;
		int64_t expires = 0;

		if (value->until != NULL)
			moment_parse(value->until->text, true, &expires);
		if (value_list_add(list,
			token->kind == TOKEN_STRING
			    ? token->text
			    : slice_range(runner->test->source->text,
				  token->offset, token->offset + token->length),
			expires, &problem) == TC_LIMIT)
			return false;
	}
	runner->lists.items[index] = list;
	return true;
}

static bool
give_lists_and_switches(struct runner *runner)
{
	const struct program *program = runner->program;

	runner->switches = arena_alloc(
	    runner->arena, program->switches.count * sizeof(bool) + 1);
	if (runner->switches == NULL || !make_lists(runner))
		return false;
	for (size_t i = 0; i < program->switches.count; i++)
		runner->switches[i] = program->switches.items[i].initial;
	for (const struct ast_given *at = runner->test->ast->givens; at != NULL;
	     at = at->next) {
		int index = program_find_switch(program, at->name.text);

		if (at->kind == GIVEN_LIST && !give_list(runner, at))
			return false;
		if (at->kind == GIVEN_SWITCH && index >= 0 && at->value != NULL)
			runner->switches[index] =
			    slice_equal_text(at->value->text, "on");
	}
	return true;
}

/* --------------------------------------------------------------- message */

static const char *
text_of(struct arena *arena, const struct token *token)
{
	const char *text = token == NULL ? "" : arena_text(arena, token->text);

	return text == NULL ? "" : text;
}

static bool
make_envelope(struct runner *runner, struct language_test_envelope *envelope)
{
	const struct ast_test *ast = runner->test->ast;
	const char **recipients;
	unsigned count = 0;

	memset(envelope, 0, sizeof *envelope);
	if (ast->client != NULL) {
		envelope->client = ast->client->network.address;
		envelope->has_client = true;
	}
	envelope->helo = text_of(runner->arena, ast->helo);
	envelope->mail_from = text_of(runner->arena, ast->mail_from);
	envelope->auth_user = text_of(runner->arena, ast->auth_user);
	for (const struct ast_value *at = ast->recipients; at != NULL;
	     at = at->next)
		count++;
	recipients =
	    arena_alloc_array(runner->arena, count + 1, sizeof *recipients);
	if (recipients == NULL)
		return false;
	for (const struct ast_value *at = ast->recipients; at != NULL;
	     at = at->next)
		recipients[envelope->recipient_count++] =
		    text_of(runner->arena, at->token);
	envelope->recipients = recipients;
	return true;
}

/* Reads the test's message through the callback; false when the test can't
 * run. */
static bool
read_message(struct runner *runner)
{
	const struct token *message = runner->test->ast->message;
	struct language_test_envelope envelope;
	const char *problem, *path;

	if (message == NULL)
		return true;
	if (runner->options->message == NULL) {
		runner->result->skipped = true;
		return false;
	}
	path = text_of(runner->arena, message);
	if (*path != '/' && runner->test->folder[0] != '\0')
		path = arena_printf(
		    runner->arena, "%s/%s", runner->test->folder, path);
	if (path == NULL || !make_envelope(runner, &envelope)) {
		runner->result->problem = "no memory";
		return false;
	}
	problem = runner->options->message(runner->options->context, path,
	    &envelope, runner->test->now, runner->facts);
	if (problem == NULL)
		return true;
	problem = arena_printf(runner->arena, "%s: %s", path, problem);
	runner->result->problem = problem == NULL ? "no memory" : problem;
	return false;
}

static bool
fill_facts(struct runner *runner)
{
	const struct ast_test *ast = runner->test->ast;
	struct diag diag = diag_make(runner->arena, 10);
	struct ast_file file = { .source = runner->test->source };
	struct scope scope = { .arena = runner->arena,
		.diag = &diag,
		.symbols = table_make(runner->arena) };
	struct scope_place place = { .scope = &scope,
		.file = &file,
		.stage = STAGE_MESSAGE,
		.collection = FIELD_COUNT };
	const struct facts_collection *recipients =
	    &runner->facts->collections[FIELD_RECIPIENT];

	given_envelope(ast, runner->program, runner->test->now, runner->facts);
	if (!read_message(runner))
		return false;
	if (!given_fields(&place, ast, runner->facts)) {
		runner->result->problem = diag.entries.count > 0
					      ? diag.entries.items[0].message
					      : "no memory";
		return false;
	}
	if (recipients->elements.count > 0 &&
	    runner->facts->values[FIELD_RCPT].state == VALUE_MISSING) {
		const struct value *first = recipients->elements.items[0];

		runner->facts->values[FIELD_RCPT] = first[FACT_MAILBOX_ADDRESS];
		runner->facts->values[FIELD_RCPT_DOMAIN] =
		    first[FACT_MAILBOX_DOMAIN];
	}
	return true;
}

/* ------------------------------------------------------------ the verdict */

static enum tc_status
judge(struct runner *runner)
{
	struct eval_input input = { .program = runner->program,
		.switches = runner->switches,
		.now = runner->test->now,
		.shadow_enforces = true,
		.trace = runner->options->trace };
	/* Explaining evaluates once more, when the runner is gone. */
	struct program_lists *lists = arena_alloc(runner->arena, sizeof *lists);
	struct eval *eval;
	struct verdict *verdict = &runner->result->verdict;
	enum tc_status status = TC_OK;

	*verdict = verdict_make(runner->arena);
	if (lists == NULL)
		return TC_LIMIT;
	*lists = runner->lists;
	input.lists = lists;
	eval = eval_new(runner->arena, &input);
	runner->result->eval = eval;
	if (eval == NULL)
		return TC_LIMIT;
	for (int stage = STAGE_CONNECT;
	     stage <= (int)runner->test->ast->stage && status == TC_OK;
	     stage++) {
		struct verdict one;

		/* Without a recipient there is none to ask about. */
		if (stage == STAGE_RCPT &&
		    runner->test->ast->stage != STAGE_RCPT &&
		    runner->facts->values[FIELD_RCPT].state == VALUE_MISSING)
			continue;
		if (stage != STAGE_MESSAGE &&
		    !eval_has_stage(runner->program, (enum schema_stage)stage))
			continue;
		status = eval_run(
		    eval, (enum schema_stage)stage, runner->facts, &one);
		if (status == TC_OK)
			verdict_join(verdict, &one);
	}
	return status;
}

static bool
has_matched(const struct verdict *verdict, struct slice name)
{
	for (size_t i = 0; i < verdict->matches.count; i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		if (match->exempted_by == NULL &&
		    slice_equal_text(name, match->rule->name))
			return true;
	}
	return false;
}

static bool
has_action(const struct verdict *verdict, enum verdict_action_kind kind)
{
	for (size_t i = 0; i < verdict->actions.count; i++)
		if (verdict->actions.items[i].kind == kind)
			return true;
	return false;
}

/* Keeps a rule for the explanation. */
static void
note_unexpected(struct runner *runner, struct slice name)
{
	const char **slot =
	    list_append(runner->arena, &runner->unexpected, SIZE_MAX);

	if (slot == NULL)
		return;
	*slot = arena_text(runner->arena, name);
	if (*slot == NULL)
		runner->unexpected.count--;
}

static void
say(struct builder *out, const char *before, struct slice what)
{
	builder_text(out, out->length == 0 ? "" : "; ");
	builder_text(out, before);
	builder_slice(out, what);
}

/* Appends what of one expectation is not so. */
static void
check_expect(
    struct runner *runner, const struct ast_expect *expect, struct builder *out)
{
	const struct verdict *verdict = &runner->result->verdict;

	if (expect->none && verdict->disposition != DISPOSITION_NONE)
		say(out, "expected none", (struct slice){ 0 });
	for (size_t i = 0; expect->none && i < verdict->matches.count; i++) {
		struct slice name =
		    slice_text(verdict->matches.items[i].rule->name);

		if (verdict->matches.items[i].exempted_by != NULL)
			continue;
		say(out, "matched, though none was expected: ", name);
		note_unexpected(runner, name);
	}
	if (expect->has_disposition &&
	    verdict->disposition != expect->disposition)
		say(out, "expected ",
		    slice_text(verdict_disposition_name(expect->disposition)));
	if (expect->has_action && !has_action(verdict, expect->action))
		say(out, "expected ",
		    slice_text(verdict_action_name(expect->action)));
	for (size_t i = 0; i < expect->rules.count; i++) {
		struct slice name = expect->rules.items[i].text;

		if (has_matched(verdict, name) != expect->not )
			continue;
		say(out,
		    expect->not ? "matched, though it should not: "
				: "did not match: ",
		    name);
		note_unexpected(runner, name);
	}
}

static void
add_outcome(struct runner *runner, struct builder *out)
{
	const struct verdict *verdict = &runner->result->verdict;
	enum schema_stage last = runner->test->ast->stage;

	builder_printf(
	    out, " (got %s", verdict_disposition_name(verdict->disposition));
	for (size_t i = 0; i < verdict->matches.count; i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		builder_printf(out, "%s%s%s%s%s", i == 0 ? "; matched: " : ", ",
		    match->rule->name,
		    match->exempted_by == NULL ? "" : " (exempted)",
		    match->stage == last ? "" : " at ",
		    match->stage == last ? ""
					 : schema_stage_name(match->stage));
	}
	builder_byte(out, ')');
}

static void
compare(struct runner *runner)
{
	struct language_test_result *result = runner->result;
	struct builder out = builder_make(runner->arena, 4000);

	for (const struct ast_expect *at = runner->test->ast->expects;
	     at != NULL; at = at->next)
		check_expect(runner, at, &out);
	result->passed = out.length == 0;
	if (result->passed)
		return;
	result->unexpected = runner->unexpected.items;
	result->unexpected_count = runner->unexpected.count;
	add_outcome(runner, &out);
	result->problem = builder_c_string(&out);
	if (result->problem == NULL)
		result->problem = "not as expected";
}

bool
language_test_names(
    const struct program *program, unsigned index, const char *rule)
{
	for (const struct ast_expect *at =
		 program->tests.items[index].ast->expects;
	     at != NULL; at = at->next)
		for (size_t i = 0; i < at->rules.count; i++)
			if (slice_equal_text(at->rules.items[i].text, rule))
				return true;
	return false;
}

enum tc_status
language_test_run(const struct program *program, unsigned index,
    const struct language_test_options *options, struct arena *arena,
    struct language_test_result *result_out)
{
	struct runner runner = { .program = program,
		.test = &program->tests.items[index],
		.options = options,
		.arena = arena,
		.facts = facts_new(arena),
		.result = result_out };
	unsigned line, column;
	enum tc_status status;

	memset(result_out, 0, sizeof *result_out);
	result_out->verdict = verdict_make(arena);
	result_out->problem = "";
	result_out->name = text_of(arena, runner.test->ast->name);
	diag_position(runner.test->source, runner.test->ast->name->offset,
	    &line, &column);
	result_out->place =
	    arena_printf(arena, "%s:%u", runner.test->source->file, line);
	if (runner.facts == NULL || result_out->place == NULL ||
	    !give_lists_and_switches(&runner))
		return TC_LIMIT;
	if (!fill_facts(&runner))
		return TC_OK; /* skipped, or the problem is told */
	status = judge(&runner);
	if (status == TC_AGAIN) {
		result_out->problem = "a fact waits for an answer from outside";
		return TC_OK;
	}
	if (status == TC_OK)
		compare(&runner);
	return status;
}

void
language_test_cover(const struct language_test_result *result, bool *covered)
{
	for (size_t i = 0; i < result->verdict.matches.count; i++)
		covered[result->verdict.matches.items[i].rule->index] = true;
}
