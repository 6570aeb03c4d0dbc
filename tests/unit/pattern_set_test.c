/*
 * Patterns searched in one pass and one by one: the same answers, for random
 * patterns over random texts. The seed is fixed; TOCSIN_SEED takes another,
 * TOCSIN_ROUNDS more of them.
 */
#include <config.h>

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/utf8.h"
#include "language/compiled.h"
#include "language/eval.h"
#include "language/load.h"
#include "language/multi_search.h"
#include "language/superset.h"
#include "support/unit.h"

#define PATTERNS     48
#define TEXTS        60
#define ROUNDS       40

#define COUNT(array) (sizeof(array) / sizeof *(array))

static uint64_t seed;

static unsigned
below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static unsigned long
start(unsigned long rounds)
{
	const char *given = getenv("TOCSIN_SEED");
	const char *more = getenv("TOCSIN_ROUNDS");

	seed = given == NULL ? 20261128 : strtoull(given, NULL, 10) | 1;
	return more == NULL ? rounds : strtoul(more, NULL, 10);
}

#define ONE_OF(table) table[below(COUNT(table))]

/* -------------------------------------------------------------- letters */

/* Characters with a case, and what PCRE2 takes for the same letter. */
static struct slice
cased_letters(struct arena *arena)
{
	struct builder all = builder_make(arena, SIZE_MAX);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	int error;
	size_t offset;
	pcre2_code *cased =
	    pcre2_compile((PCRE2_SPTR) "\\p{L&}", PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_UCP, &error, &offset, NULL);

	assert_non_null(data);
	assert_non_null(cased);
	for (uint32_t c = 1; c < 0x110000; c++) {
		char octets[4];
		size_t length = utf8_encode(c, octets);

		if (c >= 0xd800 && c < 0xe000)
			continue;
		if (c < 0x80 || utf8_fold(c) != c ||
		    pcre2_match(cased, (PCRE2_SPTR)octets, length, 0, 0, data,
			NULL) >= 0)
			builder_slice(&all, slice_make(octets, length));
	}
	pcre2_code_free(cased);
	pcre2_match_data_free(data);
	return builder_result(&all);
}

/* What superset.h rests on. */
static void
letters_that_are_equal_fold_alike(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice all = cased_letters(arena);
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	unsigned pairs = 0;

	(void)state;
	assert_true(all.length > 8000);
	for (struct slice rest = all; rest.length > 0;) {
		uint32_t c = utf8_next(&rest, NULL), d;
		char pattern[20];
		pcre2_code *code;
		int error;
		size_t offset;

		snprintf(pattern, sizeof pattern, "\\x{%x}", (unsigned)c);
		code = pcre2_compile((PCRE2_SPTR)pattern, PCRE2_ZERO_TERMINATED,
		    PCRE2_UTF | PCRE2_UCP | PCRE2_CASELESS, &error, &offset,
		    NULL);
		assert_non_null(code);
		for (size_t at = 0;
		     pcre2_match(code, (PCRE2_SPTR)all.data, all.length, at,
			 PCRE2_NO_UTF_CHECK, data, NULL) >= 0;) {
			const PCRE2_SIZE *ends =
			    pcre2_get_ovector_pointer(data);
			struct slice found = slice_range(all, ends[0], ends[1]);

			d = utf8_next(&found, NULL);
			pairs += c != d;
			if (utf8_fold(c) != utf8_fold(d))
				fail_msg("U+%04X is U+%04X without case, and "
					 "they fold to U+%04X and U+%04X",
				    c, d, utf8_fold(c), utf8_fold(d));
			at = ends[1];
		}
		pcre2_code_free(code);
	}
	assert_true(pairs > 2000);
	pcre2_match_data_free(data);
	arena_free(&arena);
}

/* ------------------------------------------------------------- patterns */

static const char *const letters[] = { "a", "b", "B", "k", "K", "S", "s", "i",
	"0", "_", " ", "-", "\xc3\xa9", "\xc3\x89", "\xc4\xb0", "\xc4\xb1",
	"\xc5\xbf", "\xe2\x84\xaa", "\xce\xa3", "\xcf\x82", "\xe1\xba\x9e",
	"\xf0\x9e\xa4\x80", "\xf0\x9f\x99\x82", "ab", "spam" };
static const char *const types[] = { ".", "\\w", "\\W", "\\d", "\\D", "\\s",
	"\\S", "\\h", "\\v", "\\p{L}", "\\P{Lu}", "\\pN", "[[:alpha:]]",
	"[^[:space:]b]", "[a-k]", "[A-S]", "[^a]", "[^\\w]", "[^k-s]",
	"[\\d\xc3\xa9]", "[\\x{17f}-\\x{212b}]", "[]b]", "[^]a]", "[a\\-k]",
	"\\x41", "\\x{e9}", "\\.", "\\n", "\\N", "[b\\s-]" };
static const char *const places[] = { "^", "$", "\\b", "\\B", "\\A", "\\z",
	"\\Z", "(?=a)", "(?!k)", "(?<=b)", "(?<!s)", "(?i)", "(?s)", "(?m)",
	"(?-i)", "(?#note)", "\\1", "(?<n>a)", "(?(1)a|b)", "(?1)", "\\Kb",
	"(?>a+)", "\\R", "\\X", "(?x) a" };
static const char *const repeats[] = { "*", "+", "?", "{2}", "{1,3}", "{0,2}",
	"*?", "++", "{2,}", "{0}", "{,2}", "{3}{2}" };

static void
write_branch(struct builder *out, unsigned depth)
{
	for (unsigned n = 1 + below(4); n > 0; n--) {
		switch (below(depth == 0 ? 7 : 10)) {
		case 0:
		case 1:
		case 2:
		case 3:
			builder_text(out, ONE_OF(letters));
			break;
		case 4:
		case 5:
			builder_text(out, ONE_OF(types));
			break;
		case 6:
			builder_text(out, ONE_OF(places));
			break;
		default:
			builder_text(out, below(3) == 0 ? "(?:" : "(");
			write_branch(out, depth - 1);
			if (below(3) == 0) {
				builder_byte(out, '|');
				write_branch(out, depth - 1);
			}
			builder_byte(out, ')');
		}
		if (below(4) == 0)
			builder_text(out, ONE_OF(repeats));
	}
}

/* A regular expression that PCRE2 takes. */
static struct regex *
make_regex(struct arena *arena)
{
	for (;;) {
		struct builder out = builder_make(arena, SIZE_MAX);
		struct regex *regex;
		char problem[128];
		size_t offset;

		write_branch(&out, 3);
		if (below(5) == 0) {
			builder_byte(&out, '|');
			write_branch(&out, 2);
		}
		regex = regex_new(
		    builder_result(&out), below(2) == 0, problem, &offset);
		if (regex != NULL)
			return regex;
	}
}

static struct slice
make_text(struct arena *arena)
{
	static const char *const odd[] = { "\n", "\r\n", "\xff", "\xc3",
		"\xed\xa0\x80", "\t", "\xe2\x80\xa8", "x" };
	struct builder out = builder_make(arena, SIZE_MAX);
	unsigned length = below(20) == 0 ? 3000 : below(12);

	for (unsigned i = 0; i < length; i++) {
		if (below(6) > 0)
			builder_text(&out, ONE_OF(letters));
		else if (below(8) == 0)
			builder_byte(&out, '\0');
		else
			builder_text(&out, ONE_OF(odd));
	}
	if (below(6) == 0)
		builder_byte(&out, '\n');
	return builder_result(&out);
}

/* ------------------------------------------------------------- supersets */

struct tally {
	unsigned long taken, given, no, found, loose;
};

static void
compare(const struct multi_search *search,
    const struct multi_search_pattern *patterns, struct regex *const *regexes,
    struct arena *arena, struct tally *tally)
{
	struct slice text = make_text(arena);
	struct slice folded = utf8_fold_slice(arena, text);
	uint64_t found[PATTERNS / 64 + 1] = { 0 };

	assert_true(multi_search_run(search, folded, found));
	for (unsigned i = 0; i < PATTERNS; i++) {
		bool hit = (found[i / 64] >> i % 64 & 1) != 0;
		enum regex_result result;

		if (!patterns[i].taken)
			continue;
		result = regex_match(
		    regexes[i], text, &regex_default_limits, NULL, NULL);
		if (result == REGEX_YES && !hit) {
			struct slice of = regex_pattern(regexes[i]);
			struct builder shown = builder_make(arena, SIZE_MAX);

			builder_printable(&shown, text, 4000);
			fail_msg("/%.*s/%s matches \"%s\", and %s does not",
			    (int)of.length, of.data,
			    regex_folds(regexes[i]) ? "i" : "",
			    builder_c_string(&shown), patterns[i].text);
		}
		tally->no += !hit;
		tally->found += result == REGEX_YES;
		tally->loose += hit && result == REGEX_NO;
	}
}

static void
one_round(struct tally *tally)
{
	struct arena *arena = arena_new(0, NULL);
	struct multi_search_pattern patterns[PATTERNS] = { 0 };
	struct regex *regexes[PATTERNS];
	struct multi_search *search;

	for (unsigned i = 0; i < PATTERNS; i++) {
		struct builder out = builder_make(arena, SIZE_MAX);

		regexes[i] = make_regex(arena);
		patterns[i].loose = true;
		/* What has none stands in as a pattern that is refused. */
		patterns[i].text = superset_of_regex(regex_pattern(regexes[i]),
				       regex_folds(regexes[i]), &out)
				       ? builder_c_string(&out)
				       : "(";
	}
	search = multi_search_new(arena, patterns, PATTERNS);
	assert_non_null(search);
	for (unsigned i = 0; i < PATTERNS; i++) {
		tally->given++;
		tally->taken += patterns[i].taken;
	}
	for (unsigned i = 0; i < TEXTS; i++)
		compare(search, patterns, regexes, arena, tally);
	multi_search_free(&search);
	for (unsigned i = 0; i < PATTERNS; i++)
		regex_free(&regexes[i]);
	arena_free(&arena);
}

static void
a_superset_misses_nothing(void **state)
{
	unsigned long rounds = start(ROUNDS);
	struct tally tally = { 0 };

	(void)state;
	if (multi_search_library() == NULL)
		skip();
	for (unsigned long i = 0; i < rounds; i++)
		one_round(&tally);
	print_message("# %s: %lu of %lu patterns taken; %lu answers no, %lu "
		      "found, %lu found too much\n",
	    multi_search_library(), tally.taken, tally.given, tally.no,
	    tally.found, tally.loose);
	assert_true(tally.taken > tally.given / 4);
	assert_true(tally.no > tally.loose);
	assert_true(tally.found > 100);
}

/* ------------------------------------------------------------- policies */

/* As a string of the language. */
static void
write_string(struct builder *out, struct slice text)
{
	builder_byte(out, '"');
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"' || text.data[i] == '\\')
			builder_byte(out, '\\');
		builder_byte(out, text.data[i]);
	}
	builder_byte(out, '"');
}

static void
write_search(struct arena *arena, struct builder *out, const char *field)
{
	struct regex *regex;
	struct slice pattern;

	if (below(3) == 0) {
		struct builder word = builder_make(arena, SIZE_MAX);

		for (unsigned n = 1 + below(4); n > 0; n--)
			builder_text(&word, ONE_OF(letters));
		builder_printf(out, "%s contains %s", field,
		    below(3) == 0 ? "exactly " : "");
		write_string(out, builder_result(&word));
		return;
	}
	regex = make_regex(arena);
	pattern = regex_pattern(regex);
	builder_printf(out, "%s matches /", field);
	builder_slice(out, pattern);
	builder_text(out, regex_folds(regex) ? "/i" : "/");
	regex_free(&regex);
}

static struct slice
write_policy(struct arena *arena, unsigned rules)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (unsigned i = 0; i < rules; i++) {
		builder_printf(&out, "rule r-%u { on-error skip when ", i);
		switch (i % 4) {
		case 0:
			write_search(arena, &out, "subject");
			break;
		case 1:
			write_search(arena, &out, "body.text");
			break;
		case 2:
			builder_text(&out, "not (");
			write_search(arena, &out, "subject");
			builder_text(&out, ")");
			break;
		default:
			builder_text(&out, "any url (");
			write_search(arena, &out, ".text");
			builder_text(&out, ")");
		}
		builder_text(&out, " then tag }\n");
	}
	return builder_result(&out);
}

static struct program *
load(struct arena *arena, struct slice text)
{
	struct load_options options = { .now = 1 };
	struct diag diag = diag_make(arena, 50);
	struct builder out = builder_make(arena, SIZE_MAX);
	struct program *program =
	    load_text("random", text, "", &options, &diag);

	diag_print_all(&diag, &out);
	if (program == NULL)
		fail_msg("%s", builder_c_string(&out));
	return program;
}

static struct facts *
make_facts(struct arena *arena)
{
	struct facts *facts = facts_new(arena);

	facts_set_text(facts, FIELD_SUBJECT, make_text(arena));
	facts_set_text(facts, FIELD_BODY_TEXT, make_text(arena));
	for (unsigned n = below(4); n > 0; n--)
		value_set_text(&facts_add(facts, FIELD_URL)[FACT_URL_TEXT],
		    make_text(arena));
	return facts;
}

static const char *
run(struct arena *arena, const struct program *program,
    const struct pattern_set *patterns, struct facts *facts, uint64_t *regexes)
{
	struct eval_input input = {
		.program = program, .patterns = patterns, .now = 1
	};
	struct eval *eval = eval_new(arena, &input);
	struct builder names = builder_make(arena, SIZE_MAX);
	struct verdict verdict;

	assert_non_null(eval);
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	for (size_t i = 0; i < verdict.matches.count; i++)
		builder_printf(
		    &names, "%s ", verdict.matches.items[i].rule->name);
	*regexes += eval_work(eval)->regexes;
	builder_text(&names, ".");
	return builder_c_string(&names);
}

static void
policies_say_the_same_with_and_without(void **state)
{
	unsigned long rounds = start(10);
	uint64_t with = 0, without = 0;

	(void)state;
	if (multi_search_library() == NULL)
		skip();
	for (unsigned long i = 0; i < rounds; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct slice text = write_policy(arena, 120);
		struct program *program = load(arena, text);
		struct pattern_set_report report;
		struct pattern_set *set = pattern_set_new(program, &report);

		assert_non_null(set);
		assert_int_equal(report.fields, 3);
		for (unsigned n = 0; n < 40; n++) {
			struct facts *facts = make_facts(arena);
			const char *plain =
			    run(arena, program, NULL, facts, &without);

			const char *once =
			    run(arena, program, set, facts, &with);

			if (strcmp(plain, once) != 0)
				fail_msg("%s\n%s\n%.*s", plain, once,
				    (int)text.length, text.data);
			/* And again, from what the first found. */
			assert_string_equal(
			    plain, run(arena, program, set, facts, &with));
		}
		pattern_set_free(&set);
		program_free(&program);
		arena_free(&arena);
	}
	print_message("# regular expressions run: %llu without, %llu with\n",
	    (unsigned long long)without, (unsigned long long)with / 2);
	assert_true(with / 2 < without * 3 / 4);
}

#define THREADS 4

/* What one thread asks, and whether it always got the same answer. */
struct asker {
	pthread_t thread;
	const struct program *program;
	const struct pattern_set *set;
	struct slice texts[8];
	const char *wanted[8];
	unsigned wrong;
};

static const char *
judged(struct arena *arena, const struct asker *asker, struct slice text)
{
	struct facts *facts = facts_new(arena);
	uint64_t regexes = 0;

	facts_set_text(facts, FIELD_SUBJECT, text);
	facts_set_text(facts, FIELD_BODY_TEXT, text);
	return run(arena, asker->program, asker->set, facts, &regexes);
}

static void *
ask(void *context)
{
	struct asker *asker = context;

	for (unsigned i = 0; i < 400; i++) {
		struct arena *arena = arena_new(0, NULL);
		unsigned n = i % 8;

		asker->wrong += strcmp(asker->wanted[n],
				    judged(arena, asker, asker->texts[n])) != 0;
		arena_free(&arena);
	}
	return NULL;
}

static void
threads_share_a_set(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct asker askers[THREADS] = { 0 };
	struct pattern_set_report report;
	struct program *program;
	struct pattern_set *set;

	(void)state;
	(void)start(0);
	if (multi_search_library() == NULL)
		skip();
	program = load(arena, write_policy(arena, 60));
	set = pattern_set_new(program, &report);
	assert_non_null(set);
	for (unsigned i = 0; i < THREADS; i++) {
		askers[i].program = program;
		for (unsigned n = 0; n < 8; n++) {
			askers[i].texts[n] = make_text(arena);
			askers[i].wanted[n] =
			    judged(arena, &askers[i], askers[i].texts[n]);
		}
		askers[i].set = set;
	}
	for (unsigned i = 0; i < THREADS; i++)
		assert_int_equal(
		    pthread_create(&askers[i].thread, NULL, ask, &askers[i]),
		    0);
	for (unsigned i = 0; i < THREADS; i++) {
		pthread_join(askers[i].thread, NULL);
		assert_int_equal(askers[i].wrong, 0);
	}
	pattern_set_free(&set);
	program_free(&program);
	arena_free(&arena);
}

/* -------------------------------------------------------------- by hand */

static void
what_has_no_superset_is_refused(void **state)
{
	static const char *const patterns[] = { "", "a*", "(a|)", "(?x)a b",
		"(?R)|a", "a\\Kb", "(?(1)a|b)", "\\Qa\\E", "(*ANY)a", "a{2}{3}",
		"a(?#x)+b", "(?=a)", "^", "a|\\b", "\\R", "[a-\\d]", "(", "a)",
		"\\", "[a" };
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(patterns); i++) {
		struct builder out = builder_make(arena, SIZE_MAX);

		if (superset_of_regex(slice_text(patterns[i]), false, &out))
			fail_msg(
			    "/%s/: %s", patterns[i], builder_c_string(&out));
	}
	arena_free(&arena);
}

static void
what_has_one_is_plain(void **state)
{
	static const struct {
		const char *pattern, *superset;
	} cases[] = {
		{ "Invoice", "invoice" },
		{ "in.oice", "in[\\x00-\\x09\\x0b-\\x40\\x5b-\\x7f\\x80-\\xff]"
			     "{1,4}oice" },
		{ "\\bspam\\b", "spam" },
		{ "(?:a|b)+?c", "(?:a|b){1,}c" },
		{ "[A-C]{2}", "[\\x61-\\x63]{2,2}" },
		{ "\xc3\x89t\xc3\xa9", "\\xc3\\xa9t\\xc3\\xa9" },
		{ "(?<!x)(a)\\1", "(?:a)[\\x00-\\xff]{0,}" },
		{ "^a$", "^a$" },
		{ "(?m)^a$", "a" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct builder out = builder_make(arena, SIZE_MAX);

		assert_true(superset_of_regex(
		    slice_text(cases[i].pattern), false, &out));
		assert_string_equal(builder_c_string(&out), cases[i].superset);
	}
	arena_free(&arena);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(letters_that_are_equal_fold_alike),
		cmocka_unit_test(what_has_no_superset_is_refused),
		cmocka_unit_test(what_has_one_is_plain),
		cmocka_unit_test(a_superset_misses_nothing),
		cmocka_unit_test(policies_say_the_same_with_and_without),
		cmocka_unit_test(threads_share_a_set),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
