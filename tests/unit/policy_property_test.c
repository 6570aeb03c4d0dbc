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
#include "language/foregone.h"
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

/* What may stand where the condition that is being written stands. */
static enum schema_stage known; /* fields of later stages may not */
static bool exempting;          /* any from, any recipient may not */

static void
write_words(struct builder *out)
{
	builder_printf(out, "{ \"%s\", \"%s\" }", ONE_OF(texts), ONE_OF(texts));
}

/* Beside `is present` or `is missing`, != and not in say something definite. */
static void
write_absence(struct builder *out, const char *name, const char *literal)
{
	if (below(2) == 0)
		builder_printf(
		    out, "(%s is present and %s != %s)", name, name, literal);
	else
		builder_printf(
		    out, "(%s is missing or %s != %s)", name, name, literal);
}

static void
write_text_test(struct builder *out, const char *name, bool optional)
{
	static const char *const operators[] = { "==", "contains",
		"starts-with", "ends-with" };
	char literal[40];

	switch (below(optional ? 13 : 10)) {
	case 0:
		builder_printf(out, "%s matches /%s/%s", name, ONE_OF(texts),
		    below(2) == 0 ? "i" : "");
		return;
	case 1:
		builder_printf(out, "%s in ", name);
		write_words(out);
		return;
	case 2:
		builder_printf(out, "%s in words", name);
		return;
	case 3:
		builder_printf(out, "%s contains any words", name);
		return;
	case 4:
		builder_printf(out, "exactly %s contains any ", name);
		write_words(out);
		return;
	case 5:
		builder_printf(out, "lower(%s) %s \"%s\"", name,
		    ONE_OF(operators), ONE_OF(texts));
		return;
	case 6:
		builder_printf(out, "length(%s) >= %u", name, below(8));
		return;
	case 10:
		builder_printf(out, "%s is present", name);
		return;
	case 11:
		builder_printf(out, "%s is missing", name);
		return;
	case 12:
		snprintf(literal, sizeof literal, "\"%s\"", ONE_OF(texts));
		write_absence(out, name, literal);
		return;
	default:
		builder_printf(out, "%s %s %s\"%s\"", name, ONE_OF(operators),
		    below(3) == 0 ? "exactly " : "", ONE_OF(texts));
	}
}

static void
write_domain_test(struct builder *out, const char *name, bool optional)
{
	char literal[40];

	switch (below(optional ? 10 : 8)) {
	case 0:
		builder_printf(out, "%s == \"%s\"", name, ONE_OF(domains));
		return;
	case 1:
		builder_printf(out, "%s under \"%s\"", name, ONE_OF(domains));
		return;
	case 2:
		builder_printf(out, "%s in ours", name);
		return;
	case 3:
		builder_printf(out, "%s under ours", name);
		return;
	case 4:
		builder_printf(out, "%s in { \"%s\", \"%s\" }", name,
		    ONE_OF(domains), ONE_OF(domains));
		return;
	case 5:
		builder_printf(
		    out, "registrable(%s) == \"%s\"", name, ONE_OF(domains));
		return;
	case 6:
		builder_printf(
		    out, "%s ends-with \"%s\"", name, ONE_OF(domains));
		return;
	case 8:
		builder_printf(out, "%s is missing", name);
		return;
	case 9:
		snprintf(literal, sizeof literal, "\"%s\"", ONE_OF(domains));
		write_absence(out, name, literal);
		return;
	default:
		builder_printf(out, "lookalike(%s, ours)", name);
	}
}

static void
write_address_test(struct builder *out, const char *name)
{
	switch (below(4)) {
	case 0:
		builder_printf(out, "%s in people", name);
		return;
	case 1:
		builder_printf(out, "%s in { \"%s\", \"@x.example\" }", name,
		    ONE_OF(addresses));
		return;
	case 2:
		builder_printf(out, "%s contains \"%s\"", name, ONE_OF(texts));
		return;
	default:
		builder_printf(out, "%s == \"%s\"", name, ONE_OF(addresses));
	}
}

static void
write_ip_test(struct builder *out, const char *name)
{
	switch (below(5)) {
	case 0:
		builder_printf(out, "%s in nets", name);
		return;
	case 1:
		builder_printf(out, "%s == %s", name, ONE_OF(clients));
		return;
	case 2:
		builder_printf(out, "%s in { %s, %s }", name, ONE_OF(networks),
		    ONE_OF(clients));
		return;
	case 3:
		builder_printf(out, "%s in %s", name, ONE_OF(networks));
		return;
	default:
		builder_printf(out, "%s under %s", name, ONE_OF(networks));
	}
}

/* A word that may be missing is asked for, or whether it is there. */
static void
write_optional_word_test(
    struct builder *out, const char *name, const struct schema_enum *words)
{
	const char *first = words->words[below(words->count)];
	const char *second = words->words[below(words->count)];

	switch (below(3)) {
	case 0:
		builder_printf(out, "%s == %s", name, first);
		return;
	case 1:
		builder_printf(out, "%s in { %s, %s }", name, first, second);
		return;
	default:
		builder_printf(out, "%s is present", name);
	}
}

static void
write_word_test(
    struct builder *out, const char *name, const struct schema_enum *words)
{
	static const char *const orders[] = { "<", "<=", ">", ">=" };
	const char *first = words->words[below(words->count)];
	const char *second = words->words[below(words->count)];

	switch (below(words->ordered ? 6 : 4)) {
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
	case 3:
		builder_printf(out, "%s in { %s, %s }", name, first, second);
		return;
	default:
		builder_printf(out, "%s %s %s", name, ONE_OF(orders), first);
	}
}

/* A number of any kind, which `literal` writes. */
static void
write_number_test(struct builder *out, const char *name, bool optional,
    const char *literal, const char *other)
{
	static const char *const orders[] = { "==", "<", "<=", ">", ">=" };

	switch (below(optional ? 4 : 2)) {
	case 0:
		builder_printf(out, "%s in { %s, %s }", name, literal, other);
		return;
	case 2:
		write_absence(out, name, literal);
		return;
	case 3:
		builder_printf(out, "%s is present", name);
		return;
	default:
		builder_printf(out, "%s %s %s", name, ONE_OF(orders), literal);
	}
}

static void
write_strings_test(struct builder *out, const char *name)
{
	switch (below(4)) {
	case 0:
		builder_printf(out, "%s contains any words", name);
		return;
	case 1:
		builder_printf(out, "%s in words", name);
		return;
	case 2:
		builder_printf(out, "length(%s) > %u", name, below(3));
		return;
	default:
		builder_printf(out, "%s contains %s\"%s\"", name,
		    below(3) == 0 ? "exactly " : "", ONE_OF(texts));
	}
}

static void
write_value_test(struct builder *out, const char *name, enum value_type type,
    const struct schema_enum *words, bool optional)
{
	char literal[30], other[30];
	const char *unit = "";

	switch (type) {
	case VALUE_BOOL:
		builder_printf(
		    out, "%s%s", name, below(3) == 0 ? " == false" : "");
		return;
	case VALUE_TIME:
		write_number_test(
		    out, name, optional, ONE_OF(times), ONE_OF(times));
		return;
	case VALUE_SIZE:
		unit = "kB";
		break;
	case VALUE_DURATION:
		unit = "s";
		break;
	case VALUE_INTEGER:
		break;
	case VALUE_ENUM:
		if (optional)
			write_optional_word_test(out, name, words);
		else
			write_word_test(out, name, words);
		return;
	case VALUE_STRING:
		write_text_test(out, name, optional);
		return;
	case VALUE_DOMAIN:
		write_domain_test(out, name, optional);
		return;
	case VALUE_ADDRESS:
		write_address_test(out, name);
		return;
	case VALUE_IP:
		write_ip_test(out, name);
		return;
	case VALUE_STRINGS:
		write_strings_test(out, name);
		return;
	case VALUE_COLLECTION:
		builder_text(out, "true");
		return;
	}
	snprintf(literal, sizeof literal, "%u%s", below(100), unit);
	snprintf(other, sizeof other, "%u%s", below(100), unit);
	write_number_test(out, name, optional, literal, other);
}

static void
write_element_test(struct builder *out, enum field_id field)
{
	const struct schema_field *entry = &schema_fields[field];
	unsigned first = field == FIELD_YARA || field == FIELD_HEADER ? 1 : 0;
	const char *word = below(2) == 0 ? " and " : " or ";
	char name[64];

	for (unsigned i = 0, terms = 1 + below(2); i < terms; i++) {
		const struct schema_member *member =
		    &entry->members[first + below(entry->member_count - first)];

		snprintf(name, sizeof name, ".%s", member->name);
		builder_text(out, i == 0 ? "" : word);
		builder_text(out, below(3) == 0 ? "not (" : "(");
		write_value_test(
		    out, name, member->type, member->words, member->optional);
		builder_byte(out, ')');
	}
}

static const char *
collection_name(char name[64], enum field_id field)
{
	snprintf(name, 64, "%s%s", schema_fields[field].name,
	    field == FIELD_HEADER ? "[\"X-A\"]"
	    : field == FIELD_YARA ? "(\"set\")"
				  : "");
	return name;
}

static void
write_collection_test(struct builder *out, enum field_id field)
{
	static const char *const quantifiers[] = { "all", "no", "count",
		"any" };
	bool people = field == FIELD_FROM || field == FIELD_RECIPIENT;
	unsigned one = below(exempting && people ? 3 : 4);
	char name[64];

	collection_name(name, field);
	if (below(8) == 0) {
		builder_printf(out, "length(%s) %s %u", name,
		    below(2) == 0 ? "<" : "==", below(3));
		return;
	}
	builder_printf(out, "%s %s", quantifiers[one], name);
	if (one == 0 || below(6) > 0) {
		builder_text(out, " (");
		write_element_test(out, field);
		builder_text(out, ")");
	}
	if (one == 2)
		builder_printf(out, " > %u", below(3));
}

/* Two questions about one value, which may contradict each other. */
static void
write_pair(struct builder *out, const struct schema_field *entry)
{
	builder_text(out, "((");
	write_value_test(
	    out, entry->name, entry->type, entry->words, entry->optional);
	builder_text(out, below(3) == 0 ? ") or (" : ") and (");
	write_value_test(
	    out, entry->name, entry->type, entry->words, entry->optional);
	builder_text(out, "))");
}

static void
write_field_test(struct builder *out)
{
	enum field_id field = (enum field_id)below(FIELD_COUNT);
	const struct schema_field *entry = &schema_fields[field];
	bool recipient = field == FIELD_RCPT || field == FIELD_RCPT_DOMAIN;

	if (entry->stage > known || (recipient && known != STAGE_RCPT))
		builder_text(out, below(2) == 0 ? "flag" : "not other-flag");
	else if (field == FIELD_FEED && below(2) == 0)
		write_value_test(
		    out, "feed[\"set\"].age", VALUE_DURATION, NULL, true);
	else if (entry->type == VALUE_COLLECTION)
		write_collection_test(out, field);
	else if (below(3) > 0)
		write_value_test(out, entry->name, entry->type, entry->words,
		    entry->optional);
	else
		write_pair(out, entry);
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

static const char *
condition(struct arena *arena, unsigned depth)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	write_condition(&out, depth);
	return builder_c_string(&out);
}

/* Of each condition C: yes-N when C, also by way of a let and of a rule's name;
 * no-N when not C, twice-N in two steps. lifted-N is exempt when mirror-N
 * matches. Some end, some are in shadow. */
static void
write_rules(struct arena *arena, struct builder *out, unsigned i)
{
	const char *text = condition(arena, DEPTH);

	builder_printf(out, "let c-%u = %s\n", i, text);
	builder_printf(
	    out, "rule yes-%u \"c\" { when %s then tag }\n", i, text);
	builder_printf(out, "rule let-%u { when c-%u then tag }\n", i, i);
	builder_printf(out, "rule name-%u { when yes-%u then defer }\n", i, i);
	builder_printf(out,
	    "rule no-%u { severity low\n when not (%s) then tag,alert }\n", i,
	    text);
	builder_printf(out,
	    "rule twice-%u { when true unless no-%u then quarantine }\n", i, i);
	builder_printf(out,
	    "rule shade-%u shadow until 2030-01-01 { when c-%u then reject }\n",
	    i, i);
	builder_printf(out,
	    "rule over-%u until 2020-01-01 { when true then reject }\n", i);
	exempting = true;
	text = condition(arena, DEPTH);
	exempting = false;
	builder_printf(out,
	    "rule lifted-%u { when true then quarantine }\n"
	    "exempt lifted-%u \"why %u\" until 2030-01-01 { "
	    "when %s }\n",
	    i, i, i, text);
	builder_printf(out, "rule mirror-%u { when %s then tag }\n", i, text);
}

/* A rule of each early stage, of fields that are known there. */
static void
write_early_rules(struct arena *arena, struct builder *out)
{
	static const char *const stages[] = { "connect", "helo", "mail",
		"rcpt" };
	static const char *const actions[] = { "defer", "reject", "tag" };

	for (int stage = STAGE_CONNECT; stage <= STAGE_RCPT; stage++) {
		known = (enum schema_stage)stage;
		builder_printf(out, "rule at-%s at %s { when %s then %s }\n",
		    stages[stage], stages[stage], condition(arena, DEPTH),
		    ONE_OF(actions));
	}
	known = STAGE_MESSAGE;
}

static struct slice
write_policy(struct arena *arena)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	known = STAGE_MESSAGE;
	builder_text(&out,
	    "switch flag on  # a comment\nswitch other-flag off\n"
	    "list ours domains { \"interieur.example\",\n"
	    "\"x.example\" }\n"
	    "list people addresses { \"a@evil.example\", "
	    "\"@interieur.example\" }\n"
	    "list nets networks { 10.0.0.0/8, 2001:db8::1 }\n"
	    "list words strings { \"evil\", \"invoice\" until 2030-01-01,\n"
	    "\"x\" until 2020-01-01 }\n"
	    "feed set { source \"nothing.csv\" format csv }\n");
	for (unsigned i = 0; i < RULES; i++)
		write_rules(arena, &out, i);
	write_early_rules(arena, &out);
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
		if (field == FIELD_FEED)
			value_set_text(&members[FACT_FEED_NAME],
			    slice_text(below(2) == 0 ? "set" : "other"));
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

/* The names of the rules that match, in order: "-" before those that an
 * exemption lifts, "~" before those in shadow. */
static const char *
matches(struct arena *arena, const struct program *program, struct facts *facts,
    const bool *switches, bool trace)
{
	static const struct explain_options explain = { .show_content = true };
	struct eval_input input = { .program = program,
		.switches = switches,
		.now = NOW,
		.trace = trace };
	struct eval *eval = eval_new(arena, &input);
	struct builder names = builder_make(arena, SIZE_MAX);
	struct builder shown = builder_make(arena, SIZE_MAX);
	struct verdict verdict;

	assert_non_null(eval);
	builder_text(&names, " ");
	for (int stage = STAGE_CONNECT; stage <= STAGE_MESSAGE; stage++) {
		assert_int_equal(
		    eval_run(eval, (enum schema_stage)stage, facts, &verdict),
		    TC_OK);
		if (verdict.errors.count > 0)
			fail_msg("%s: %s", verdict.errors.items[0].rule->name,
			    verdict.errors.items[0].what);
		for (size_t i = 0; i < verdict.matches.count; i++) {
			const struct verdict_match *match =
			    &verdict.matches.items[i];

			builder_printf(&names, "%s%s%s ",
			    match->shadow ? "~" : "",
			    match->exempted_by == NULL ? "" : "-",
			    match->rule->name);
		}
		if (stage != STAGE_MESSAGE)
			assert_true(verdict.disposition == DISPOSITION_NONE ||
				    verdict.disposition == DISPOSITION_DEFER ||
				    verdict.disposition == DISPOSITION_REJECT);
		else
			assert_true(verdict.disposition != DISPOSITION_REJECT);
		if (trace) {
			explain_print(eval, &explain, &shown);
			explain_json(eval, &explain, &shown);
			assert_false(shown.failed);
		}
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

static bool
is_consistent(const char *names, unsigned i)
{
	bool yes = holds(names, "yes", i);

	return holds(names, "no", i) != yes &&
	       holds(names, "twice", i) == yes &&
	       holds(names, "let", i) == yes &&
	       holds(names, "name", i) == yes &&
	       holds(names, "~shade", i) == yes && !holds(names, "over", i) &&
	       holds(names, "lifted", i) != holds(names, "-lifted", i) &&
	       holds(names, "-lifted", i) == holds(names, "mirror", i);
}

/* A rule that can never match does not, one that always does, does. */
static void
check_foregone(
    struct foregone_notes *notes, const char *names, unsigned *foregone)
{
	for (unsigned i = 0; i < RULES; i++) {
		const struct program_rule *rule;
		char name[20];

		snprintf(name, sizeof name, "yes-%u", i);
		rule = program_find_rule(notes->program, slice_text(name));
		assert_non_null(rule);
		switch (foregone_node(notes, rule->when)) {
		case FOREGONE_OPEN:
			break;
		case FOREGONE_NEVER:
			assert_false(holds(names, "yes", i));
			(*foregone)++;
			break;
		case FOREGONE_ALWAYS:
			assert_true(holds(names, "yes", i));
			(*foregone)++;
			break;
		}
	}
}

static void
one_policy(struct arena *arena, unsigned *told)
{
	struct slice text = write_policy(arena);
	struct program *first = load(arena, text);
	struct slice printed = print(arena, text);
	struct program *second = load(arena, printed);
	struct foregone_notes notes = { .program = first, .arena = arena };

	assert_true(slice_equal(printed, print(arena, printed)));
	for (unsigned n = 0; n < FACTS; n++) {
		struct facts *facts = make_facts(arena);
		bool switches[2] = { below(2) == 0, below(2) == 0 };
		const char *names =
		    matches(arena, first, facts, switches, n == 0);

		check_foregone(&notes, names, &told[4]);
		for (unsigned i = 0; i < RULES; i++) {
			if (!is_consistent(names, i))
				fail_msg("condition %u of\n%.*s\nmatches%s", i,
				    (int)text.length, text.data, names);
			told[holds(names, "yes", i)]++;
			told[2 + holds(names, "mirror", i)]++;
		}
		assert_string_equal(
		    names, matches(arena, second, facts, switches, false));
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
	unsigned told[5] = { 0 };

	(void)state;
	seed = given == NULL ? 20261124 : strtoull(given, NULL, 10) | 1;
	for (unsigned long i = 0; i < rounds; i++) {
		struct arena *arena = arena_new(0, NULL);

		one_policy(arena, told);
		arena_free(&arena);
	}
	/* Both answers are met, often. */
	for (unsigned i = 0; i < 4; i++)
		assert_true(told[i] > rounds * RULES);
	print_message("# %u foregone conclusions held\n", told[4]);
	assert_true(told[4] > rounds / 4);
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
