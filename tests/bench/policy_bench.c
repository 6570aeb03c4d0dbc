/*
 * policy_bench - what rules cost: loading them, and judging a message by them
 *
 *	policy_bench             all tables
 *	policy_bench RULES       prints a policy of so many rules with 50 lists,
 *	                         as the second table has it, for the daemon
 *	                         (policy_bench.py)
 *
 * Reports CPU time; judges nothing. The message is made up of words: a subject,
 * 10 KiB of text, 20 links, 3 attachments, 30 headers.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "language/eval.h"
#include "language/load.h"
#include "language/multi_search.h"

#define NOW        INT64_C(1795550000)
#define MEASURE_NS INT64_C(200000000)
#define URLS       20
#define HEADERS    30
#define LISTS      50
#define ENTRIES    1000

static uint64_t seed = 5;

static unsigned
below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

static int64_t
cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* A word of two to four syllables. */
static const char *
word(char text[16])
{
	unsigned length = 0;

	for (unsigned n = 2 + below(3); n > 0; n--) {
		text[length++] = "bcdfghlmnprst"[below(13)];
		text[length++] = "aeiou"[below(5)];
	}
	text[length] = '\0';
	return text;
}

static struct slice
words(struct arena *arena, size_t length)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	char text[16];

	while (out.length < length) {
		builder_text(&out, out.length == 0 ? "" : " ");
		if (below(8) == 0)
			builder_byte(&out, (char)('A' + below(26)));
		builder_text(&out, word(text));
	}
	return builder_result(&out);
}

static struct facts *
make_facts(struct arena *arena, size_t body_bytes)
{
	struct facts *facts = facts_new(arena);
	char one[16], two[16];

	facts_set_text(facts, FIELD_SUBJECT, words(arena, 60));
	facts_set_text(facts, FIELD_BODY_TEXT, words(arena, body_bytes));
	facts_add_mailbox(facts, FIELD_FROM,
	    slice_text("someone@mail.example.org"), words(arena, 12));
	facts_add_mailbox(facts, FIELD_RECIPIENT,
	    slice_text("us@interieur.example"), words(arena, 12));
	for (unsigned i = 0; i < URLS; i++) {
		struct value *url = facts_add(facts, FIELD_URL);
		const char *host = arena_printf(
		    arena, "www.%s%s.example", word(one), word(two));

		value_set_text(&url[FACT_URL_URL],
		    slice_text(arena_printf(arena, "https://%s/%s/%s?id=%u",
			host, word(one), word(two), below(100000))));
		value_set_domain(arena, &url[FACT_URL_HOST], slice_text(host));
		value_set_domain(
		    arena, &url[FACT_URL_DOMAIN], slice_text(host + 4));
	}
	for (unsigned i = 0; i < 3; i++) {
		struct value *part = facts_add(facts, FIELD_ATTACHMENT);

		value_set_text(&part[FACT_ATTACHMENT_NAME],
		    slice_text(arena_printf(arena, "%s.pdf", word(one))));
		value_set_text(
		    &part[FACT_ATTACHMENT_EXTENSION], slice_text("pdf"));
	}
	for (unsigned i = 0; i < HEADERS; i++) {
		struct value *header = facts_add(facts, FIELD_HEADER);

		value_set_text(&header[FACT_HEADER_NAME],
		    slice_text(arena_printf(arena, "X-Header-%u", i)));
		value_set_text(&header[FACT_HEADER_VALUE], words(arena, 40));
	}
	return facts;
}

/* ------------------------------------------------------------- measuring */

static struct program *
load(struct arena *arena, struct slice text, int64_t *ns_out)
{
	struct load_options options = { .now = NOW };
	struct diag diag = diag_make(arena, 20);
	struct builder out = builder_make(arena, SIZE_MAX);
	int64_t began = cpu_ns();
	struct program *program = load_text("bench", text, "", &options, &diag);

	*ns_out = cpu_ns() - began;
	if (program == NULL) {
		diag_print_all(&diag, &out);
		fprintf(stderr, "%s", builder_c_string(&out));
		exit(1);
	}
	return program;
}

struct cost {
	double us;
	struct eval_work work;
};

/* What one message costs, values folded and searched anew each time. */
static struct cost
judge(const struct program *program, const struct pattern_set *patterns,
    size_t body_bytes)
{
	struct arena *arena = arena_new(0, NULL);
	struct eval_input input = {
		.program = program, .patterns = patterns, .now = NOW
	};
	struct cost cost = { 0 };
	unsigned runs = 0;
	int64_t began = cpu_ns(), spent = 0;

	while (spent < MEASURE_NS || runs < 3) {
		struct arena *copy = arena_new(0, NULL);
		struct facts *facts;
		struct verdict verdict;
		struct eval *eval;
		int64_t from;

		seed = 77;
		facts = make_facts(copy, body_bytes);
		from = cpu_ns();
		eval = eval_new(arena, &input);
		if (eval == NULL ||
		    eval_run(eval, STAGE_MESSAGE, facts, &verdict) != TC_OK)
			exit(1);
		spent += cpu_ns() - from;
		cost.work = *eval_work(eval);
		runs++;
		arena_reset(arena);
		arena_free(&copy);
		if (cpu_ns() - began > 10 * MEASURE_NS && runs >= 3)
			break;
	}
	arena_free(&arena);
	cost.us = (double)spent / runs / 1000;
	return cost;
}

static struct pattern_set *
build(const struct program *program, struct pattern_set_report *report,
    double *ms_out)
{
	int64_t began = cpu_ns();
	struct pattern_set *set = pattern_set_new(program, report);

	*ms_out = (double)(cpu_ns() - began) / 1e6;
	return set;
}

/* ------------------------------------------- many patterns, and how many */

static const char *const kinds[] = {
	"subject matches /\\b%s\\s+%s/i",
	"subject contains \"%s %s\"",
	"any url (.url matches /%s.*%s/i)",
	"body.text matches /%s\\W+%s/i",
	"body.text contains \"%s %s\"",
};

static void
patterns_table(void)
{
	static const unsigned counts[] = { 2, 4, 8, 16, 100, 1000 };

	printf("\nmany patterns over one field, CPU us a message "
	       "(10 KiB of text), with %s\n",
	    multi_search_library() == NULL ? "nothing"
					   : multi_search_library());
	printf("%-40s %6s %10s %10s %10s %8s\n", "condition", "rules",
	    "one by one", "one pass", "build ms", "KiB");
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		for (size_t c = 0; c < sizeof counts / sizeof *counts; c++) {
			struct arena *arena = arena_new(0, NULL);
			struct builder out = builder_make(arena, SIZE_MAX);
			struct pattern_set_report report;
			struct pattern_set *set;
			struct program *program;
			struct cost alone, together;
			double ms;
			int64_t ns;

			for (unsigned i = 0; i < counts[c]; i++) {
				char one[16], two[16];

				builder_printf(&out, "rule r%u { when ", i);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
				builder_printf(
				    &out, kinds[k], word(one), word(two));
#pragma GCC diagnostic pop
				builder_text(&out, " then tag }\n");
			}
			program = load(arena, builder_result(&out), &ns);
			set = build(program, &report, &ms);
			alone = judge(program, NULL, 10240);
			together = judge(program, set, 10240);
			printf("%-40s %6u %10.1f %10.1f %10.1f %8zu\n",
			    kinds[k], counts[c], alone.us, together.us, ms,
			    report.bytes / 1024);
			pattern_set_free(&set);
			program_free(&program);
			arena_free(&arena);
		}
}

/* ------------------------------------------------- many rules, 50 lists */

static void
write_lists(struct builder *out)
{
	static const char *const types[] = { "domains", "strings", "addresses",
		"networks", "domains" };
	char one[16], two[16];

	for (unsigned i = 0; i < LISTS; i++) {
		builder_printf(out, "list l%u %s {\n", i, types[i % 5]);
		for (unsigned n = 0; n < ENTRIES; n++) {
			builder_text(out, n == 0 ? "" : ",");
			switch (i % 5) {
			case 2:
				builder_printf(out, "\"%s@%s.example\"",
				    word(one), word(two));
				break;
			case 3:
				builder_printf(out, "%u.%u.%u.0/24",
				    1 + below(220), below(256), below(256));
				break;
			case 1:
				builder_printf(
				    out, "\"%s %s\"", word(one), word(two));
				break;
			default:
				builder_printf(out, "\"%s%s.example\"",
				    word(one), word(two));
			}
		}
		builder_text(out, "}\n");
	}
}

/* Rules as an operator writes them: the same few questions first, then a list,
 * a name or a pattern. */
static void
write_rule(struct builder *out, unsigned i)
{
	char one[16], two[16];

	builder_printf(out, "rule r%u { when direction == inbound and ", i);
	switch (i % 10) {
	case 0:
		builder_printf(
		    out, "body.text matches /%s\\W+%s/i", word(one), word(two));
		break;
	case 1:
		builder_printf(
		    out, "subject matches /%s\\s+%s/i", word(one), word(two));
		break;
	case 2:
		builder_printf(
		    out, "subject contains \"%s %s\"", word(one), word(two));
		break;
	case 3:
		builder_printf(out, "any url (.url matches /%s.*%s/i)",
		    word(one), word(two));
		break;
	case 4:
		builder_printf(
		    out, "any url (.host under l%u)", i / 10 % 10 * 5);
		break;
	case 5:
		builder_printf(
		    out, "any from (.address in l%u)", i / 10 % 10 * 5 + 2);
		break;
	case 6:
		builder_printf(out, "client.ip in l%u", i / 10 % 10 * 5 + 3);
		break;
	case 7:
		builder_printf(out,
		    "any attachment (.extension in { \"htm\", \"%s\" })",
		    word(one));
		break;
	case 8:
		builder_printf(out,
		    "body.text contains any l%u and dmarc in { fail, none }",
		    i / 10 % 10 * 5 + 1);
		break;
	default:
		builder_printf(out,
		    "any header[\"X-Header-%u\"] (.value contains \"%s\")",
		    below(HEADERS), word(one));
	}
	builder_text(out, "\n unless dmarc == pass and all from (.domain in l0)"
			  "\n then tag }\n");
}

static struct slice
write_policy(struct arena *arena, unsigned rules)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	seed = 5;
	write_lists(&out);
	for (unsigned i = 0; i < rules; i++)
		write_rule(&out, i);
	return builder_result(&out);
}

static void
rules_row(unsigned rules)
{
	struct arena *arena = arena_new(0, NULL);
	struct pattern_set_report report;
	struct pattern_set *set;
	struct program *program;
	struct cost alone, together;
	double ms;
	int64_t ns;

	program = load(arena, write_policy(arena, rules), &ns);
	set = build(program, &report, &ms);
	alone = judge(program, NULL, 10240);
	together = judge(program, set, 10240);
	printf("%6u %10.1f %12.1f %12.1f %10llu %10llu %8.0f %8zu\n", rules,
	    (double)ns / 1e6, alone.us, together.us,
	    (unsigned long long)together.work.conditions,
	    (unsigned long long)alone.work.regexes, ms, report.bytes / 1024);
	pattern_set_free(&set);
	program_free(&program);
	arena_free(&arena);
}

static void
rules_table(void)
{
	static const unsigned counts[] = { 10, 100, 1000, 10000 };

	printf("\nrules with %u lists of %u entries, four in ten with a "
	       "pattern: CPU a message (10 KiB of text, %u links)\n",
	    LISTS, ENTRIES, URLS);
	printf("%6s %10s %12s %12s %10s %10s %8s %8s\n", "rules", "load ms",
	    "one by one", "one pass", "conditions", "regexes", "build", "KiB");
	for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
		rules_row(counts[i]);
}

int
main(int argc, char **argv)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice policy;

	if (argc > 1) {
		policy = write_policy(arena, (unsigned)atoi(argv[1]));
		fwrite(policy.data, 1, policy.length, stdout);
		arena_free(&arena);
		return 0;
	}
	arena_free(&arena);
	patterns_table();
	rules_table();
	return 0;
}
