/*
 * Random policies that are well typed, over random facts: they load, they never
 * crash, `not` is the exact opposite, and what fmt prints means the same. The
 * seed is fixed; TOCSIN_SEED takes another, TOCSIN_ROUNDS more of them.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "language/compiled.h"
#include "language/eval.h"
#include "language/explain.h"
#include "language/load.h"
#include "language/print.h"
#include "support/unit.h"

#define NOW          INT64_C(1795550000) /* 2026-11-24 */
#define RULES        6
#define FACTS        20
#define DEPTH        4
#define ELEMENTS_MAX 3

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const char *const texts[] = { "a", "Invoice", "evil", "PDF", "x y",
	"\xc3\xa9t\xc3\xa9", "a@evil.example" };
static const char *const domains[] = { "evil.example", "www.evil.example",
	"interieur.example", "lnterieur.example", "example" };
static const char *const addresses[] = { "a@evil.example",
	"B@interieur.example", "c@x.example" };
static const char *const networks[] = { "10.0.0.0/8", "192.0.2.1",
	"2001:db8::/32", "0.0.0.0/0" };
static const char *const clients[] = { "10.1.2.3", "192.0.2.1", "2001:db8::1",
	"203.0.113.9" };
static const char *const times[] = { "2026-01-01", "2026-11-23T10:00:00Z",
	"2030-06-01" };

static uint64_t seed;

/* xorshift64*: the same everywhere. */
static unsigned
below(unsigned limit)
{
	seed ^= seed >> 12;
	seed ^= seed << 25;
	seed ^= seed >> 27;
	return (unsigned)((seed * UINT64_C(2685821657736338717)) >> 33) % limit;
}

#define ONE_OF(table) table[below(COUNT(table))]

/* ------------------------------------------------------------ a policy */

static void
write_text_test(struct builder *out, const char *name, bool optional)
{
	static const char *const operators[] = { "==", "contains",
		"starts-with", "ends-with" };

	switch (below(optional ? 6 : 4)) {
	case 0:
		builder_printf(out, "%s matches /%s/i", name, ONE_OF(texts));
		return;
	case 1:
		builder_printf(out, "%s in { \"%s\", \"%s\" }", name,
		    ONE_OF(texts), ONE_OF(texts));
		return;
	case 4:
		builder_printf(out, "%s is present", name);
		return;
	case 5:
		builder_printf(out, "%s is missing", name);
		return;
	default:
		builder_printf(out, "%s%s %s \"%s\"",
		    below(4) == 0 ? "exactly " : "", name, ONE_OF(operators),
		    ONE_OF(texts));
	}
}

static void
write_domain_test(struct builder *out, const char *name)
{
	switch (below(4)) {
	case 0:
		builder_printf(out, "%s == \"%s\"", name, ONE_OF(domains));
		return;
	case 1:
		builder_printf(out, "%s under \"%s\"", name, ONE_OF(domains));
		return;
	case 2:
		builder_printf(out, "%s in ours", name);
		return;
	default:
		builder_printf(out, "lookalike(%s, ours)", name);
	}
}

static void
write_word_test(
    struct builder *out, const char *name, const struct schema_enum *words)
{
	const char *first = words->words[below(words->count)];
	const char *second = words->words[below(words->count)];

	switch (below(words->ordered ? 4 : 3)) {
	case 0:
		builder_printf(out, "%s == %s", name, first);
		return;
	case 1:
		builder_printf(out, "%s != %s", name, first);
		return;
	case 2:
		builder_printf(
		    out, "%s not in { %s, %s }", name, first, second);
		return;
	default:
		builder_printf(out, "%s >= %s", name, first);
	}
}

static void
write_value_test(struct builder *out, const char *name, enum value_type type,
    const struct schema_enum *words, bool optional)
{
	switch (type) {
	case VALUE_BOOL:
		builder_text(out, name);
		return;
	case VALUE_INTEGER:
		builder_printf(out, "%s > %u", name, below(100));
		return;
	case VALUE_SIZE:
		builder_printf(out, "%s <= %ukB", name, 1 + below(100));
		return;
	case VALUE_DURATION:
		builder_printf(out, "%s > %us", name, below(100));
		return;
	case VALUE_TIME:
		builder_printf(out, "%s < %s", name, ONE_OF(times));
		return;
	case VALUE_ENUM:
		write_word_test(out, name, words);
		return;
	case VALUE_STRING:
		write_text_test(out, name, optional);
		return;
	case VALUE_DOMAIN:
		write_domain_test(out, name);
		return;
	case VALUE_ADDRESS:
		builder_printf(out, "%s == \"%s\"", name, ONE_OF(addresses));
		return;
	case VALUE_IP:
		builder_printf(out, "%s under %s", name, ONE_OF(networks));
		return;
	case VALUE_STRINGS:
		builder_printf(out, "%s contains \"%s\"", name, ONE_OF(texts));
		return;
	case VALUE_COLLECTION:
		break;
	}
	builder_text(out, "true");
}

static void
write_element_test(struct builder *out, enum field_id field)
{
	const struct schema_field *entry = &schema_fields[field];
	unsigned first = field == FIELD_YARA || field == FIELD_HEADER ? 1 : 0;
	char name[64];

	for (unsigned i = 0, terms = 1 + below(2); i < terms; i++) {
		const struct schema_member *member =
		    &entry->members[first + below(entry->member_count - first)];

		snprintf(name, sizeof name, ".%s", member->name);
		builder_text(out, i == 0 ? "" : " and ");
		if (below(3) == 0)
			builder_text(out, "not ");
		write_value_test(
		    out, name, member->type, member->words, member->optional);
	}
}

static void
write_collection_test(struct builder *out, enum field_id field)
{
	static const char *const quantifiers[] = { "any", "all", "no",
		"count" };
	const char *quantifier = ONE_OF(quantifiers);

	builder_printf(out, "%s %s%s (", quantifier, schema_fields[field].name,
	    field == FIELD_HEADER ? "[\"X-A\"]"
	    : field == FIELD_YARA ? "(\"set\")"
				  : "");
	write_element_test(out, field);
	builder_text(out, ")");
	if (*quantifier == 'c')
		builder_printf(out, " > %u", below(3));
}

static void
write_field_test(struct builder *out)
{
	enum field_id field = (enum field_id)below(FIELD_COUNT);
	const struct schema_field *entry = &schema_fields[field];

	if (field == FIELD_RCPT || field == FIELD_RCPT_DOMAIN)
		builder_text(out, "flag"); /* known at rcpt only */
	else if (entry->type == VALUE_COLLECTION)
		write_collection_test(out, field);
	else
		write_value_test(out, entry->name, entry->type, entry->words,
		    entry->optional);
}

static void
write_condition(struct builder *out, unsigned depth)
{
	const char *word = below(2) == 0 ? "and" : "or";

	switch (depth == 0 ? 0 : below(4)) {
	case 0:
		write_field_test(out);
		return;
	case 1:
		builder_text(out, "not (");
		write_condition(out, depth - 1);
		builder_text(out, ")");
		return;
	default:
		builder_text(out, "(");
		write_condition(out, depth - 1);
		builder_printf(out, ")\n %s  (", word);
		write_condition(out, depth - 1);
		builder_text(out, ")");
	}
}

/* Of each condition C: yes-N when C, no-N when not C, both-N in two steps. */
static struct slice
write_policy(struct arena *arena)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_text(&out, "switch flag on  # a comment\n"
			   "list ours domains { \"interieur.example\",\n"
			   "\"x.example\" }\n");
	for (unsigned i = 0; i < RULES; i++) {
		struct builder condition = builder_make(arena, SIZE_MAX);
		struct slice text;

		write_condition(&condition, DEPTH);
		text = builder_result(&condition);
		builder_printf(&out,
		    "rule yes-%u \"c\" { when %.*s then tag }\n"
		    "rule no-%u { severity low\n when not (%.*s) then tag,"
		    "alert }\n"
		    "rule twice-%u { when true unless no-%u then quarantine }\n",
		    i, (int)text.length, text.data, i, (int)text.length,
		    text.data, i, i);
	}
	return builder_result(&out);
}

/* --------------------------------------------------------------- facts */

static void
fill_value(struct arena *arena, struct value *value, enum value_type type,
    const struct schema_enum *words)
{
	static const struct slice extensions[] = { { "pdf", 3 },
		{ "evil", 4 } };
	struct ipaddr ip;

	switch (type) {
	case VALUE_BOOL:
		value_set_bool(value, below(2) == 0);
		return;
	case VALUE_ENUM:
		value_set_number(value, below(words->count));
		return;
	case VALUE_INTEGER:
	case VALUE_SIZE:
	case VALUE_DURATION:
		value_set_number(value, below(100000));
		return;
	case VALUE_TIME:
		value_set_number(value, NOW - 100000000 + below(200000000));
		return;
	case VALUE_STRING:
		value_set_text(value, slice_text(ONE_OF(texts)));
		return;
	case VALUE_DOMAIN:
		value_set_domain(arena, value, slice_text(ONE_OF(domains)));
		return;
	case VALUE_ADDRESS:
		value_set_address(arena, value, slice_text(ONE_OF(addresses)));
		return;
	case VALUE_IP:
		if (ipaddr_parse(slice_text(ONE_OF(clients)), &ip))
			value_set_ip(value, &ip);
		return;
	case VALUE_STRINGS:
		value_set_texts(value, extensions, below(3));
		return;
	case VALUE_COLLECTION:
		return;
	}
}

static void
fill_collection(struct facts *facts, enum field_id field)
{
	const struct schema_field *entry = &schema_fields[field];

	for (unsigned n = below(ELEMENTS_MAX + 1); n > 0; n--) {
		struct value *members = facts_add(facts, field);

		assert_non_null(members);
		for (unsigned i = 0; i < entry->member_count; i++)
			if (!entry->members[i].optional || below(3) > 0)
				fill_value(facts->arena, &members[i],
				    entry->members[i].type,
				    entry->members[i].words);
		if (field == FIELD_HEADER)
			value_set_text(&members[FACT_HEADER_NAME],
			    slice_text(below(2) == 0 ? "X-A" : "X-B"));
		if (field == FIELD_YARA)
			value_set_text(&members[FACT_YARA_RULESET],
			    slice_text(below(2) == 0 ? "set" : "other"));
	}
}

static struct facts *
make_facts(struct arena *arena)
{
	struct facts *facts = facts_new(arena);

	assert_non_null(facts);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct schema_field *entry = &schema_fields[i];

		if (entry->type == VALUE_COLLECTION)
			fill_collection(facts, (enum field_id)i);
		else if (!entry->optional || below(3) > 0)
			fill_value(arena, &facts->values[i], entry->type,
			    entry->words);
	}
	return facts;
}

/* ---------------------------------------------------------- properties */

static struct program *
load(struct arena *arena, struct slice text)
{
	struct load_options options = { .now = NOW };
	struct diag diag = diag_make(arena, 50);
	struct program *program =
	    load_text("random", text, "", &options, &diag);
	struct builder out = builder_make(arena, SIZE_MAX);

	diag_print_all(&diag, &out);
	if (program == NULL)
		fail_msg("%s", builder_c_string(&out));
	return program;
}

/* The names of the rules that match, in order. */
static const char *
matches(struct arena *arena, const struct program *program, struct facts *facts,
    bool trace)
{
	static const struct explain_options explain = { .show_content = true };
	struct eval_input input = {
		.program = program, .now = NOW, .trace = trace
	};
	struct eval *eval = eval_new(arena, &input);
	struct builder names = builder_make(arena, SIZE_MAX);
	struct builder shown = builder_make(arena, SIZE_MAX);
	struct verdict verdict;

	assert_non_null(eval);
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	if (verdict.errors.count > 0)
		fail_msg("%s: %s", verdict.errors.items[0].rule->name,
		    verdict.errors.items[0].what);
	builder_text(&names, " ");
	for (size_t i = 0; i < verdict.matches.count; i++)
		builder_printf(
		    &names, "%s ", verdict.matches.items[i].rule->name);
	if (trace) {
		explain_print(eval, &explain, &shown);
		assert_false(shown.failed);
	}
	return builder_c_string(&names);
}

static bool
holds(const char *names, const char *what, unsigned number)
{
	char name[40];

	snprintf(name, sizeof name, " %s-%u ", what, number);
	return strstr(names, name) != NULL;
}

static struct slice
print(struct arena *arena, struct slice text)
{
	struct diag diag = diag_make(arena, 20);
	struct diag_source source = { .file = "random", .text = text };
	struct builder out = builder_make(arena, SIZE_MAX);

	assert_int_equal(print_file(&source, &diag, &out), TC_OK);
	return builder_result(&out);
}

static void
one_policy(struct arena *arena)
{
	struct slice text = write_policy(arena);
	struct program *first = load(arena, text);
	struct slice printed = print(arena, text);
	struct program *second = load(arena, printed);

	assert_true(slice_equal(printed, print(arena, printed)));
	for (unsigned n = 0; n < FACTS; n++) {
		struct facts *facts = make_facts(arena);
		const char *names = matches(arena, first, facts, n == 0);

		for (unsigned i = 0; i < RULES; i++)
			if (holds(names, "yes", i) == holds(names, "no", i) ||
			    holds(names, "yes", i) != holds(names, "twice", i))
				fail_msg("condition %u of\n%.*s\nmatches%s", i,
				    (int)text.length, text.data, names);
		assert_string_equal(
		    names, matches(arena, second, facts, false));
	}
	program_free(&first);
	program_free(&second);
}

static void
random_policies_keep_their_meaning(void **state)
{
	const char *given = getenv("TOCSIN_SEED");
	const char *more = getenv("TOCSIN_ROUNDS");
	unsigned long rounds = more == NULL ? 200 : strtoul(more, NULL, 10);

	(void)state;
	seed = given == NULL ? 20261124 : strtoull(given, NULL, 10) | 1;
	for (unsigned long i = 0; i < rounds; i++) {
		struct arena *arena = arena_new(0, NULL);

		one_policy(arena);
		arena_free(&arena);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_policies_keep_their_meaning),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
