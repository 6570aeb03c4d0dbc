/*
 * Regular expressions that explode, over texts made to make them: each ends
 * within its bound, and what that means is what the rule says.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "language/compiled.h"
#include "language/eval.h"
#include "language/load.h"
#include "support/unit.h"

#define NOW          INT64_C(1795550000)
#define LINE         65536
#define COUNT(array) (sizeof(array) / sizeof *(array))

/* A plain build stays below 50 ms for 64 KiB; sanitizers are slower, and the
 * machine may be busy. What was measured is printed. */
#define BOUND_S 1.0

static struct arena *arena;

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

static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* `before`, then `again` as often as fits, then `after`. */
static struct slice
attack(const char *before, const char *again, const char *after)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	size_t room = LINE - strlen(before) - strlen(after);

	builder_text(&out, before);
	for (size_t n = room / strlen(again); n > 0; n--)
		builder_text(&out, again);
	builder_text(&out, after);
	return builder_result(&out);
}

static const struct {
	const char *what, *pattern, *before, *again, *after;
} collection[] = {
	{ "nested plus", "(a+)+$", "", "a", "!" },
	{ "nested star", "(a*)*b", "", "a", "" },
	{ "overlapping alternatives", "(a|aa)+$", "", "a", "!" },
	{ "the same alternative twice", "(a|a)*$", "", "a", "!" },
	{ "optional in a loop", "(a|a?)+$", "", "a", "!" },
	{ "class in a loop", "([a-zA-Z]+)*$", "", "a", "!" },
	{ "many optionals", "(?:a?){24}a{24}$", "", "a", "!" },
	{ "nested three deep", "((a+)+)+$", "", "a", "!" },
	{ "words and blanks", "^(\\w+\\s?)*$", "", "aaaa ", "!" },
	{ "a mail address", "^([a-zA-Z0-9])(([\\-.]|[_]+)?([a-zA-Z0-9]+))*@",
	    "", "a", "!" },
	{ "a mail address, loosely",
	    "^([a-zA-Z0-9_\\.\\-])+@(([a-zA-Z0-9\\-])+\\.)+([a-zA-Z0-9]{2,4})+$",
	    "a@", "a", "!" },
	{ "a host name", "^(([a-z])+.)+[A-Z]([a-z])+$", "", "a", "" },
	{ "a link", "(https?://)?([\\da-z.-]+)\\.([a-z.]{2,6})([/\\w .-]*)*/?$",
	    "http://a.", "a", "!" },
	{ "a path", "^(/[^/]+)*/?$", "", "/a", "\n\n" },
	{ "quoted text", "\"(\\\\.|[^\"\\\\]+)*\"", "\"", "\\\\a", "" },
	{ "a comma list", "^(.*?,){25}P", "", "1,", "" },
	{ "three dots", ".*.*=.*", "", "x", "" },
	{ "three letters", "a.*a.*a.*a.*[0-9]", "", "a", "" },
	{ "a trailing class", "\\s+$", "", " ", "x" },
	{ "a trailing class, trimmed", "^\\s+|\\s+$", "x", " ", "x" },
	{ "back reference", "(.*)\\1[0-9]", "", "ab", "" },
	{ "back reference in a loop", "(a+)\\1*b", "", "a", "" },
	{ "look ahead in a loop", "(?:(?=(a+))a)+b", "", "a", "" },
	{ "look behind at each place", "(?<=aaaa)a+[0-9]", "", "a", "" },
	{ "html comment", "<!--(.|\\n)*-->", "<!--", "a", "" },
	{ "html tag", "<(\\w+\\s*=?\\s*\"?[^\"]*\"?\\s*)*>", "<", "a ", "" },
	{ "long repeat", "a[a-z]{0,900}[0-9]", "", "a", "" },
	{ "folded letters", "(?i)(\xc3\xa9+)+$", "", "\xc3\x89", "!" },
	{ "any letter", "(\\p{L}+)+$", "", "\xd0\xb6", "!" },
	{ "recursion", "(a(?1)?b?)+$", "", "a", "!" },
	{ "possessive, well behaved", "(a++)++$", "", "a", "!" },
	{ "a number", "^(\\d+)*[.,]?(\\d+)*x", "", "1", "" },
	{ "base64", "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==)?$", "", "A",
	    "!!" },
	{ "exponential by empty loops", "(?:(?:a|b|)*)*c", "", "ab", "" },
	{ "polynomial, degree five", "a*a*a*a*a*b", "", "a", "" },
};

static void
each_explosion_ends_within_its_bound(void **state)
{
	unsigned limits_met = 0, answered = 0;
	double worst = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(collection); i++) {
		struct slice text = attack(collection[i].before,
		    collection[i].again, collection[i].after);
		char problem[128];
		size_t offset;
		struct regex *regex = regex_new(
		    slice_text(collection[i].pattern), false, problem, &offset);
		double spent = cpu_seconds();

		if (regex == NULL)
			fail_msg("%s: %s", collection[i].what, problem);
		switch (regex_match(
		    regex, text, &regex_default_limits, NULL, NULL)) {
		case REGEX_LIMIT:
			limits_met++;
			break;
		case REGEX_NO:
		case REGEX_YES:
			answered++;
		}
		spent = cpu_seconds() - spent;
		if (spent > BOUND_S)
			fail_msg("%s took %.3f s", collection[i].what, spent);
		worst = spent > worst ? spent : worst;
		regex_free(&regex);
	}
	print_message("# %u patterns stopped at a limit, %u answered, "
		      "%.0f ms at most\n",
	    limits_met, answered, worst * 1000);
	/* It is a collection of what explodes, not of what does not. */
	assert_true(limits_met > COUNT(collection) / 2);
}

/* ------------------------------------------------------------- policies */

#define HARD "subject matches /(a+)+$/"

static struct program *
loaded(const char *policy)
{
	struct load_options options = { .now = NOW };
	struct diag diag = diag_make(arena, 50);
	struct builder out = builder_make(arena, SIZE_MAX);
	struct program *program =
	    load_text("test", slice_text(policy), "", &options, &diag);

	diag_print_all(&diag, &out);
	if (program == NULL)
		fail_msg("%s", builder_c_string(&out));
	return program;
}

static struct verdict
judged(const struct program *program)
{
	struct eval_input input = { .program = program, .now = NOW };
	struct eval *eval = eval_new(arena, &input);
	struct facts *facts = facts_new(arena);
	struct verdict verdict;

	assert_non_null(eval);
	assert_non_null(facts);
	facts_set_text(facts, FIELD_SUBJECT, attack("", "a", "!"));
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	return verdict;
}

/* "name!" for by_error, "(name)" in shadow, "-name" exempted. */
static const char *
told(const struct verdict *verdict)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_printf(
	    &out, "%s:", verdict_disposition_name(verdict->disposition));
	for (size_t i = 0; i < verdict->matches.count; i++) {
		const struct verdict_match *match = &verdict->matches.items[i];

		builder_printf(&out, " %s%s%s%s%s", match->shadow ? "(" : "",
		    match->exempted_by != NULL ? "-" : "", match->rule->name,
		    match->by_error ? "!" : "", match->shadow ? ")" : "");
	}
	builder_printf(&out, "; errors");
	for (size_t i = 0; i < verdict->errors.count; i++)
		builder_printf(
		    &out, " %s", verdict->errors.items[i].rule->name);
	return builder_c_string(&out);
}

static const struct {
	const char *what, *policy, *told;
} rules[] = {
	{ "quarantine matches", "rule a { when " HARD " then quarantine }",
	    "quarantine: a!; errors a" },
	{ "a mark matches", "rule a { when " HARD " then tag }",
	    "none: a!; errors a" },
	{ "reject skips", "rule a { when " HARD " then reject }",
	    "none:; errors a" },
	{ "discard skips", "rule a { when " HARD " then discard }",
	    "none:; errors a" },
	{ "on-error match",
	    "rule a { on-error match when " HARD " then reject }",
	    "reject: a!; errors a" },
	{ "on-error skip",
	    "rule a { on-error skip when " HARD " then quarantine }",
	    "none:; errors a" },
	{ "on-error defer",
	    "rule a { on-error defer when " HARD " then quarantine }",
	    "defer: a!; errors a" },
	{ "what decides otherwise is no error",
	    "rule a { when " HARD " and size > 10MB then quarantine }\n"
	    "rule b { when " HARD " or size == 0B then quarantine }",
	    "quarantine: b; errors" },
	{ "not is as unsure", "rule a { when not (" HARD ") then quarantine }",
	    "quarantine: a!; errors a" },
	{ "unless does not spare",
	    "rule a { when size == 0B unless " HARD " then quarantine }",
	    "quarantine: a; errors a" },
	{ "unless does not spare, whatever on-error says",
	    "rule a { on-error skip when size == 0B unless " HARD
	    " then quarantine }",
	    "quarantine: a; errors a" },
	{ "exempt does not spare",
	    "rule a { when size == 0B then quarantine }\n"
	    "exempt a \"why\" until 2030-01-01 { when " HARD " }",
	    "quarantine: a; errors a" },
	{ "shadow changes nothing",
	    "rule a shadow { when " HARD " then quarantine }\n"
	    "rule b { when analysis.incomplete then reject }",
	    "none: (a!); errors a" },
	{ "it is a fact, in whatever order",
	    "rule b { when analysis.incomplete then reject }\n"
	    "rule a { when " HARD " then tag }",
	    "reject: b a!; errors a" },
	{ "it is a fact for exemptions",
	    "rule a { when " HARD " then quarantine }\n"
	    "exempt a \"why\" until 2030-01-01 { when analysis.incomplete }",
	    "none: -a!; errors a" },
	{ "each rule that shares it is told",
	    "rule a { when " HARD " then tag }\n"
	    "rule b { when size == 0B and " HARD " then tag }",
	    "none: a! b!; errors a b" },
	{ "a rule that another names",
	    "rule a { on-error skip when " HARD " then tag }\n"
	    "rule b { when a then reject }\n"
	    "rule c { when not a then tag }",
	    "none: c; errors a" },
	{ "failure limit defers",
	    "failure { limit defer }\n"
	    "rule a { on-error skip when " HARD " then tag }",
	    "defer:; errors a" },
	{ "failure limit gives way",
	    "failure { limit defer }\n"
	    "rule a { when " HARD " then quarantine }",
	    "quarantine: a!; errors a" },
};

static void
on_error_is_honoured(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++) {
		struct program *program = loaded(rules[i].policy);
		struct verdict verdict = judged(program);

		if (strcmp(told(&verdict), rules[i].told) != 0)
			fail_msg("%s: %s, not %s", rules[i].what,
			    told(&verdict), rules[i].told);
		for (size_t n = 0; n < verdict.errors.count; n++)
			assert_string_equal(verdict.errors.items[n].what,
			    "a regular expression reached its limit");
		program_free(&program);
	}
}

/* A policy full of what explodes: the message's own bound holds. */
static void
many_explosions_end_together(void **state)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	struct program *program;
	struct verdict verdict;
	double spent;

	(void)state;
	builder_text(&out, "limits { regex-total 200ms }\n");
	for (unsigned i = 0; i < 200; i++)
		builder_printf(&out,
		    "rule r%u { when subject matches /(a+){1,%u}$/ then tag }"
		    "\n",
		    i, i + 20);
	program = loaded(builder_c_string(&out));
	spent = cpu_seconds();
	verdict = judged(program);
	spent = cpu_seconds() - spent;
	print_message("# 200 patterns with 200 ms: %.0f ms\n", spent * 1000);
	assert_int_equal(verdict.errors.count, 200);
	assert_int_equal(verdict.matches.count, 200);
	assert_true(spent < 2.0); /* one by one: 4 s */
	program_free(&program);
}

/* The settings are what bounds. */
static void
the_limits_are_settings(void **state)
{
	static const struct {
		const char *limits, *pattern;
	} cases[] = {
		{ "regex-steps 100 regex-time 10s", "(a+)+$" },
		{ "regex-depth 10 regex-steps 1000000 regex-time 10s",
		    "((a|aa)+)+$" },
		{ "regex-time 1ms", "[a-z]+[0-9]" },
		{ "regex-total 10ms regex-time 10s", "[a-z]+[0-9]" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const char *policy = arena_printf(arena,
		    "limits { %s }\n"
		    "rule a { when subject matches /%s/ then tag }",
		    cases[i].limits, cases[i].pattern);
		struct program *program = loaded(policy);
		double spent = cpu_seconds();
		struct verdict verdict = judged(program);

		spent = cpu_seconds() - spent;
		assert_int_equal(verdict.errors.count, 1);
		assert_true(spent < BOUND_S);
		program_free(&program);
	}
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_explosion_ends_within_its_bound),
		TEST(on_error_is_honoured),
		TEST(many_explosions_end_together),
		TEST(the_limits_are_settings),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
