/*
 * policy_fuzz - the policy language from text to verdict
 *
 * Any text is loaded; what loads is evaluated over a small message, explained
 * and, with its own tests, run. What parses is printed, and printing that again
 * must change nothing.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "language/compiled.h"
#include "language/explain.h"
#include "language/language_test.h"
#include "language/load.h"
#include "language/print.h"
#include "language/superset.h"

#define NOW 1795550000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
fill(struct arena *arena, struct facts *facts)
{
	struct value *members;

	facts_set_text(facts, FIELD_SUBJECT, SLICE_LITERAL("aaaaaaaaaaaaab"));
	facts_set_text(
	    facts, FIELD_BODY_TEXT, SLICE_LITERAL("secret \xff text"));
	facts_add_mailbox(facts, FIELD_FROM, SLICE_LITERAL("a@example.org"),
	    SLICE_LITERAL("A"));
	facts_add_word(facts, FIELD_MIME_DEFECT, "bare-cr");
	members = facts_add(facts, FIELD_URL);
	if (members != NULL)
		value_set_domain(arena, &members[FACT_URL_HOST],
		    SLICE_LITERAL("www.evil.example"));
	members = facts_add(facts, FIELD_HEADER);
	if (members != NULL) {
		value_set_text(
		    &members[FACT_HEADER_NAME], SLICE_LITERAL("X-A"));
		value_set_text(&members[FACT_HEADER_VALUE], SLICE_LITERAL("b"));
	}
}

static void
evaluate(struct arena *arena, const struct program *program)
{
	static const struct language_test_options test_options = { 0 };
	static const struct explain_options explain_options = { 0 };
	struct eval_input input = {
		.program = program, .now = NOW, .trace = true
	};
	struct eval *eval = eval_new(arena, &input);
	struct facts *facts = facts_new(arena);
	struct builder out = builder_make(arena, 1 << 16);
	struct language_test_result result;
	struct verdict verdict;

	if (eval == NULL || facts == NULL)
		return;
	fill(arena, facts);
	for (int stage = STAGE_CONNECT; stage <= STAGE_MESSAGE; stage++)
		eval_run(eval, (enum schema_stage)stage, facts, &verdict);
	explain_print(eval, &explain_options, &out);
	explain_json(eval, &explain_options, &out);
	for (unsigned i = 0; i < language_test_count(program) && i < 10; i++)
		language_test_run(program, i, &test_options, arena, &result);
}

/* Plainer patterns are made of any: what comes out is one that can be read. */
static void
make_supersets(struct arena *arena, const struct program *program)
{
	for (size_t i = 0; i < program->searches.count && i < 20; i++) {
		const struct program_node *node = program->searches.items[i];
		struct builder out = builder_make(arena, 1 << 16);

		if (node->kind == NODE_MATCHES)
			(void)superset_of_regex(regex_pattern(node->regex),
			    regex_folds(node->regex), &out);
	}
}

static void
print(struct arena *arena, struct slice text)
{
	struct diag diag = diag_make(arena, 20);
	struct diag_source source = { .file = "fuzz", .text = text };
	struct builder once = builder_make(arena, SIZE_MAX);
	struct builder twice = builder_make(arena, SIZE_MAX);

	if (print_file(&source, &diag, &once) != TC_OK)
		return;
	source.text = builder_result(&once);
	if (print_file(&source, &diag, &twice) != TC_OK ||
	    !slice_equal(builder_result(&once), builder_result(&twice)))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct load_limits limits = {
		.file_bytes_max = 1 << 20,
		.list_file_bytes_max = 1 << 16,
		.files_max = 2,
		.rules_max = 1000,
		.nodes_max = 10000,
		.nesting_max = 64,
	};
	struct load_options options = {
		.limits = &limits, .strict = true, .no_lists = true, .now = NOW
	};
	struct arena *arena = arena_new(64 << 20, NULL);
	struct slice text = slice_make(data, size);
	struct builder out;
	struct program *program;
	struct diag diag;

	/* No files are read: an include could name any. */
	if (arena == NULL ||
	    slice_find(text, SLICE_LITERAL("include")) != SIZE_MAX) {
		arena_free(&arena);
		return 0;
	}
	diag = diag_make(arena, 50);
	out = builder_make(arena, 1 << 20);
	program = load_text("fuzz", text, "/nonexistent", &options, &diag);
	diag_print_all(&diag, &out);
	if (program != NULL) {
		evaluate(arena, program);
		make_supersets(arena, program);
	}
	program_free(&program);
	print(arena, text);
	arena_free(&arena);
	return 0;
}
