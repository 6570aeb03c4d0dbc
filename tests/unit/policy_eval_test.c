/*
 * What an evaluation costs, by its own counters, and that the short ways to an
 * answer give the same one as the long.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "language/compiled.h"
#include "language/eval.h"
#include "language/load.h"
#include "support/unit.h"

#define NOW INT64_C(1795550000)

static struct arena *arena;
static uint64_t seed = 20261128;

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(0, NULL);
	return arena == NULL;
}

static int
end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static unsigned
below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static struct program *
loaded(struct slice policy)
{
	struct load_options options = { .now = NOW };
	struct diag diag = diag_make(arena, 20);
	struct builder out = builder_make(arena, SIZE_MAX);
	struct program *program =
	    load_text("test", policy, "", &options, &diag);

	diag_print_all(&diag, &out);
	if (program == NULL)
		fail_msg("%s", builder_c_string(&out));
	return program;
}

struct cost {
	struct eval_work work;
	size_t bytes; /* taken from the arena by the run itself */
};

static struct cost
cost_of(const struct program *program, struct facts *facts)
{
	struct eval_input input = { .program = program, .now = NOW };
	struct eval *eval = eval_new(arena, &input);
	size_t before = arena_used(arena);
	struct verdict verdict;
	struct cost cost;

	assert_non_null(eval);
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	assert_int_equal(verdict.matches.count, 0);
	cost.work = *eval_work(eval);
	cost.bytes = arena_used(arena) - before;
	return cost;
}

/* Rules that all ask the same, and then each something of its own. */
static struct program *
rules_that_share(unsigned count)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (unsigned i = 0; i < count; i++)
		builder_printf(&out,
		    "rule r%u { when any url (.host under \"evil.example\""
		    " and .path matches /login|signin/i)\n"
		    " or subject matches /(re|fw): invoice/i\n"
		    " or (size > 10MB and size > %uMB)\n"
		    " unless dmarc == pass then quarantine }\n",
		    i, 11 + i);
	return loaded(builder_result(&out));
}

static struct facts *
links(unsigned count)
{
	struct facts *facts = facts_new(arena);

	assert_non_null(facts);
	facts_set_text(facts, FIELD_SUBJECT, text("nothing of note"));
	for (unsigned i = 0; i < count; i++) {
		struct value *url = facts_add(facts, FIELD_URL);

		value_set_domain(
		    arena, &url[FACT_URL_HOST], text("www.evil.example"));
		value_set_text(&url[FACT_URL_PATH], text("/index.html"));
	}
	return facts;
}

static void
what_rules_share_is_evaluated_once(void **state)
{
	struct program *one = rules_that_share(1);
	struct program *many = rules_that_share(1000);
	struct facts *facts = links(50);
	struct cost alone = cost_of(one, facts);
	struct cost together = cost_of(many, facts);

	(void)state;
	/* The link, its parts and the subject: 50 times two conditions and the
	 * `and` of them, for one rule and for a thousand. */
	assert_int_equal(alone.work.regexes, 51);
	assert_int_equal(together.work.regexes, 51);
	assert_int_equal(together.work.rules, 1000);
	/* What is left for each rule is its own: the `or` and the `and` with
	 * the size, whose first half is shared and decides. */
	assert_int_equal(
	    together.work.conditions - alone.work.conditions, 999 * 2);
	program_free(&one);
	program_free(&many);
}

static void
rules_that_do_not_match_take_no_memory(void **state)
{
	struct facts *facts = links(5);
	struct program *few = rules_that_share(10);
	struct program *many = rules_that_share(1000);

	(void)state;
	assert_int_equal(cost_of(few, facts).bytes, 0);
	assert_int_equal(cost_of(many, facts).bytes, 0);
	program_free(&few);
	program_free(&many);
}

/* ----------------------------------------------------------------- lists */

static struct slice
random_text(unsigned length)
{
	static const char *const letters[] = { "a", "b", "A", "c", "\xc3\xa9",
		"\xc3\x89", "\xc5\xbf", "\xff" };
	struct builder out = builder_make(arena, SIZE_MAX);

	for (unsigned i = 0; i < length; i++) {
		if (below(20) == 0)
			builder_byte(&out, '\0');
		else
			builder_text(&out, letters[below(8)]);
	}
	return builder_result(&out);
}

static void
one_list(unsigned entries, unsigned *found)
{
	struct value_list *list = value_list_new(arena, LIST_STRINGS, "words");
	struct occurrence_index *index;

	for (unsigned i = 0; i < entries; i++) {
		const char *problem;

		(void)value_list_add(list, random_text(1 + below(12)),
		    below(4) == 0 ? NOW - 50 + below(100) : 0, &problem);
	}
	index = value_list_index(arena, list);
	assert_non_null(index);
	for (unsigned n = 0; n < 60; n++) {
		struct slice given = random_text(below(40));
		struct slice folded = utf8_fold_slice(arena, given);
		bool exactly = below(3) == 0;
		bool wanted = value_list_occurs_in(
		    list, NULL, given, folded, exactly, NOW);

		found[wanted]++;
		if (value_list_occurs_in(
			list, index, given, folded, exactly, NOW) != wanted)
			fail_msg("a list of %zu entries: %d was wanted",
			    value_list_count(list), wanted);
	}
}

static void
an_indexed_list_finds_what_one_by_one_would(void **state)
{
	unsigned found[2] = { 0, 0 };

	(void)state;
	for (unsigned i = 0; i < 300; i++)
		one_list(1 + below(i < 200 ? 4 : 60), found);
	assert_true(found[0] > 2000);
	assert_true(found[1] > 2000);
}

/* Names below an entry, addresses of a network, all of a domain: each is a
 * look-up, whatever the length of the list. */
static void
large_lists_are_asked_by_name(void **state)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	struct program *program;
	const struct program_lists *lists;
	struct ipaddr ip;
	int index;

	(void)state;
	builder_text(&out, "list d domains {");
	for (unsigned i = 0; i < 20000; i++)
		builder_printf(&out, "%s\"n%u.example\"", i == 0 ? "" : ",", i);
	builder_text(&out, "}\nlist n networks {");
	for (unsigned i = 0; i < 20000; i++)
		builder_printf(&out, "%s10.%u.%u.0/24", i == 0 ? "" : ",",
		    i / 256, i % 256);
	builder_text(&out, "}\nlist a addresses { \"@n7.example\" }\n");
	program = loaded(builder_result(&out));
	lists = program_own_lists(program);
	index = program_find_list(program, text("d"));
	assert_true(value_list_covers_domain(
	    program_list(lists, index), text("a.b.n19999.example"), NOW));
	assert_false(value_list_covers_domain(
	    program_list(lists, index), text("xn19999.example"), NOW));
	assert_false(value_list_covers_domain(
	    program_list(lists, index), text("example"), NOW));
	index = program_find_list(program, text("n"));
	assert_true(ipaddr_parse(text("10.78.31.9"), &ip));
	assert_true(value_list_has_ip(program_list(lists, index), &ip, NOW));
	assert_true(ipaddr_parse(text("10.78.32.9"), &ip));
	assert_false(value_list_has_ip(program_list(lists, index), &ip, NOW));
	index = program_find_list(program, text("a"));
	assert_true(value_list_has_address(
	    program_list(lists, index), text("x@n7.example"), NOW));
	assert_false(value_list_has_address(
	    program_list(lists, index), text("x@www.n7.example"), NOW));
	program_free(&program);
}

#define NFC "\xc3\x89t\xc3\xa9"
#define NFD "E\xcc\x81te\xcc\x81"

/* However the policy and the mail write their accents. */
static void
accents_match_in_both_forms(void **state)
{
	static const char *const conditions[] = {
		"subject == \"@\"",
		"exactly subject == \"@\"",
		"subject in { \"x\", \"@\" }",
		"subject contains \"@\"",
		"exactly subject contains \"@\"",
		"subject starts-with \"@\"",
		"subject ends-with \"@\"",
		"subject matches /^@$/",
		"subject matches /^@$/i and length(subject) == 3",
		"subject matches /^.t[@]$/",
		"lower(subject) == \"@\"",
		"subject contains any words",
		"subject in words",
		"any from (.display == \"@\" and .local == \"@\")",
		"any from (.address == \"@#x.example\")",
		"any attachment (.extensions contains \"@\")",
		"any attachment (.extensions in { \"@\" })",
	};
	static const char *const forms[] = { NFC, NFD };

	(void)state;
	for (unsigned at = 0; at < sizeof conditions / sizeof conditions[0] * 4;
	     at++) {
		const char *condition = conditions[at / 4];
		const char *written = forms[at & 1], *sent = forms[at >> 1 & 1];
		struct builder out = builder_make(arena, SIZE_MAX),
			       address = out;
		struct facts *facts = facts_new(arena);
		struct eval_input input = { .now = NOW };
		struct program *program;
		struct slice extension = text(sent);
		struct verdict verdict;

		builder_printf(&out,
		    "list words strings { \"%s\" }\nrule r { when ", written);
		for (const char *c = conditions[at / 4]; *c != '\0'; c++)
			builder_text(&out, *c == '@'   ? written
					   : *c == '#' ? "@"
						       : (char[]){ *c, '\0' });
		builder_text(&out, " then tag }\n");
		program = loaded(builder_result(&out));
		builder_text(&address, sent);
		builder_text(&address, "@x.example");
		facts_set_text(facts, FIELD_SUBJECT, text(sent));
		facts_add_mailbox(
		    facts, FIELD_FROM, builder_result(&address), text(sent));
		value_set_texts(
		    &facts_add(
			facts, FIELD_ATTACHMENT)[FACT_ATTACHMENT_EXTENSIONS],
		    &extension, 1);
		input.program = program;
		assert_int_equal(eval_run(eval_new(arena, &input),
				     STAGE_MESSAGE, facts, &verdict),
		    TC_OK);
		if (verdict.matches.count != 1)
			fail_msg("%s: policy %s, mail %s", condition,
			    at & 1 ? "NFD" : "NFC", at & 2 ? "NFD" : "NFC");
		program_free(&program);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_rules_share_is_evaluated_once),
		TEST(rules_that_do_not_match_take_no_memory),
		TEST(an_indexed_list_finds_what_one_by_one_would),
		TEST(large_lists_are_asked_by_name),
		TEST(accents_match_in_both_forms),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
