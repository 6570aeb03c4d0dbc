#include <config.h>

#include <stdio.h>

#include "support/unit.h"

#include "base/builder.h"
#include "message/address.h"

#define BIT(name) ADDRESS_DEFECT_BIT(ADDRESS_DEFECT_##name)

/* All addresses of the list, with '|' between them. */
static const char *
joined(struct arena *arena, const struct address_list *list)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			builder_byte(&out, '|');
		builder_slice(&out, list->items[i].address);
	}
	return builder_c_string(&out);
}

static const struct row {
	const char *value;
	const char *addresses;
	unsigned defects;
	const char *single; /* the one author domain, NULL: none */
} rows[] = {
	{ " a@b.example", "a@b.example", 0, "b.example" },
	{ " A <a@B.Example.>", "a@b.example", 0, "b.example" },
	{ " \"A, B\" <a@b.example>", "a@b.example", 0, "b.example" },
	{ " a@b.example (A)", "a@b.example", 0, "b.example" },
	{ " A\r\n <a@b.example>", "a@b.example", 0, "b.example" },
	{ " a . b @ c . example", "a.b@c.example", 0, "c.example" },
	{ " \"a b\"@c.example", "a b@c.example", 0, "c.example" },
	{ " \"a@b\"@c.example", "a@b@c.example", 0, "c.example" },
	{ " a@b\xc3\xb6se.example", "a@xn--bse-sna.example", 0,
	    NULL /* checked below */ },
	{ " =?utf-8?Q?=C3=A4?= <a@b.example>", "a@b.example", 0, "b.example" },
	{ " \xe4 <a@b.example>", "a@b.example", BIT(EIGHT_BIT), "b.example" },
	{ " a@b.example, c@d.example", "a@b.example|c@d.example", BIT(SEVERAL),
	    NULL },
	{ " g: a@b.example, c@d.example;", "a@b.example|c@d.example",
	    BIT(SEVERAL) | BIT(GROUP), NULL },
	{ " undisclosed-recipients:;", "", BIT(GROUP) | BIT(EMPTY), NULL },
	{ "", "", BIT(EMPTY), NULL },
	{ " <>", "", BIT(EMPTY) | BIT(SYNTAX), NULL },
	{ " root", "root", BIT(DOMAIN), NULL },
	{ " a@", "a@", BIT(DOMAIN), NULL },
	/* what is known to split readers */
	{ " <first@attack.example>, <admin@legit.example>",
	    "first@attack.example|admin@legit.example", BIT(SEVERAL), NULL },
	{ "=?utf-8?B?PGFkbWluQGxlZ2l0LmV4YW1wbGU+?=,<b@attack.example>",
	    "admin@legit.example|b@attack.example", BIT(SEVERAL) | BIT(ENCODED),
	    NULL },
	{ " <@attack.example,@any.example:admin@legit.example>",
	    "admin@legit.example", BIT(ROUTE), NULL },
	{ " <admin@legit.example>\\,<b@attack.example>",
	    "admin@legit.example|b@attack.example", BIT(SEVERAL) | BIT(SYNTAX),
	    NULL },
	{ " <any@attack.example>admin@legit.example",
	    "any@attack.example|admin@legit.example",
	    BIT(SEVERAL) | BIT(SYNTAX), NULL },
	{ " <a@attack.example> <admin@legit.example>",
	    "a@attack.example|admin@legit.example", BIT(SEVERAL) | BIT(SYNTAX),
	    NULL },
	{ " admin@legit.example@attack.example",
	    "admin@legit.example@attack.example|admin@legit.example",
	    BIT(SEVERAL) | BIT(SYNTAX), NULL },
	{ " \"admin@legit.example\" <a@attack.example>", "a@attack.example",
	    BIT(DISPLAY), "attack.example" },
	{ " a@attack.example (admin@legit.example)", "a@attack.example",
	    BIT(COMMENT), "attack.example" },
	{ " admin@legit.example a@attack.example",
	    "admin@legit.example|a@attack.example", BIT(SEVERAL) | BIT(SYNTAX),
	    NULL },
	{ " \"A <a@attack.example>", "a@attack.example", BIT(SYNTAX), NULL },
	{ " A (x <a@attack.example>", "a@attack.example", BIT(SYNTAX), NULL },
	{ " <a@attack.example", "a@attack.example", BIT(SYNTAX), NULL },
	{ " a@attack.example:b@legit.example;",
	    "a@attack.example|b@legit.example", BIT(SEVERAL) | BIT(SYNTAX),
	    NULL },
	{ " a@b.example\"@legit.example\"", "a@b.example@legit.example",
	    BIT(DOMAIN), NULL },
	{ " a@b.example=x", "a@b.example=x", BIT(DOMAIN), NULL },
	{ " admin@legit.example <a@attack.example>",
	    "a@attack.example|admin@legit.example",
	    BIT(SEVERAL) | BIT(SYNTAX) | BIT(DISPLAY), NULL },
	{ " [admin@legit.example] <a@attack.example>",
	    "a@attack.example|admin@legit.example",
	    BIT(SEVERAL) | BIT(SYNTAX) | BIT(DISPLAY), NULL },
	{ " info@b.example <a@b.example>", "a@b.example", BIT(DISPLAY),
	    "b.example" },
	{ " A @ B.example, Ltd <a@b.example>", "A@b.example|a@b.example",
	    BIT(SEVERAL), NULL },
	{ " <a@attack.example(\"@legit.example>", "a@attack.example",
	    BIT(SYNTAX), NULL },
	{ " <a@attack.example(>)@legit.example>",
	    "a@attack.example|@legit.example",
	    BIT(SEVERAL) | BIT(SYNTAX) | BIT(DOMAIN), NULL },
	{ " <(\\)\"\\()\"@attack.example(\"@legit.example>",
	    "@attack.example(@legit.example", BIT(SYNTAX), NULL },
	{ " <a(@legit.example)@attack.example>", "a@attack.example",
	    BIT(SYNTAX), NULL },
	{ " <a(b)@c.example>", "a@c.example", 0, "c.example" },
	{ " <a\\b@c.example>", "a\\b@c.example", BIT(SYNTAX), NULL },
	{ " <\"a\\\"(b\"@c.example>", "a\"(b@c.example", 0, "c.example" },
	{ " a@[192.0.2.1]", "a@[192.0.2.1]", 0, "[192.0.2.1]" },
	{ " a@b.example\001", "a@b.example\001", BIT(CONTROL) | BIT(DOMAIN),
	    NULL },
	{ " A\r<a@b.example>", "a@b.example", BIT(CONTROL), NULL },
};

static void
every_address_that_some_reader_shows_is_listed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct address_list list = { .count = 0 };
		struct slice domain;
		bool single;

		assert_int_equal(address_list_parse(arena, text(rows[i].value),
				     &address_limits_default, &list),
		    TC_OK);
		if (strcmp(joined(arena, &list), rows[i].addresses) != 0 ||
		    list.defects != rows[i].defects)
			fail_msg("row %zu: \"%s\", defects %#x, not %#x", i,
			    joined(arena, &list), list.defects,
			    rows[i].defects);
		single = address_list_single_domain(&list, &domain);
		if (rows[i].single != NULL) {
			assert_true(single);
			assert_slice(domain, rows[i].single);
		} else if (rows[i].defects != 0)
			assert_false(single);
		arena_free(&arena);
	}
}

static void
several_from_fields_are_one_list_with_a_defect(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct header_field fields[] = {
		{ text("From"), text(" a@attack.example") },
		{ text("from"), text(" admin@legit.example") },
	};
	struct header_list headers = { fields, 2, 2 };
	struct address_list list = { .count = 0 }, none = { .count = 0 };
	struct slice domain;

	(void)state;
	address_list_collect(
	    arena, &headers, "From", &address_limits_default, &list);
	assert_int_equal(list.count, 2);
	assert_int_equal(list.defects, BIT(DUPLICATE) | BIT(SEVERAL));
	assert_false(address_list_single_domain(&list, &domain));
	address_list_collect(
	    arena, &headers, "Cc", &address_limits_default, &none);
	assert_int_equal(none.defects, BIT(MISSING));
	arena_free(&arena);
}

static void
display_names_are_decoded(void **state)
{
	static const char *const names[][2] = {
		{ " =?utf-8?B?w6Q=?= =?utf-8?Q?b?= <a@b.example>", "\xc3\xa4"
								   "b" },
		{ " \"=?utf-8?Q?x?= \\\"y\\\"\" <a@b.example>", "x \"y\"" },
		{ " A  (c) B <a@b.example>", "A B" },
		{ " a@b.example (A B)", "A B" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct address_list list = { .count = 0 };

		address_list_parse(
		    arena, text(names[i][0]), &address_limits_default, &list);
		assert_int_equal(list.count, 1);
		assert_slice(list.items[0].display, names[i][1]);
		arena_free(&arena);
	}
}

static void
hostile_lengths_are_read_in_one_pass(void **state)
{
	static const char *const units[] = { "a:", "<", "(", "\"", "a@",
		"<a@b>", "(\"<", "\\", ",", "\"(", "=?a?q?", "<\"" };
	struct address_limits limits = { 84000, 100 };

	(void)state;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
		struct arena *arena = arena_new(64u << 20, NULL);
		struct builder value = builder_make(arena, SIZE_MAX);
		struct address_list list = { .count = 0 };

		while (value.length < 90000)
			builder_text(&value, units[i]);
		address_list_parse(
		    arena, builder_result(&value), &limits, &list);
		assert_true(list.defects & BIT(TOO_LONG));
		assert_true(list.count <= 100);
		arena_free(&arena);
	}
}

static void
limits_of_addresses_are_told(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct address_limits limits = { 1000, 2 };
	struct address_list list = { .count = 0 };

	(void)state;
	address_list_parse(
	    arena, text("a@b.example, c@d.example"), &limits, &list);
	assert_false(list.defects & BIT(TOO_MANY));
	list.count = 0;
	address_list_parse(arena, text("a@b.example, c@d.example, e@f.example"),
	    &limits, &list);
	assert_true(list.defects & BIT(TOO_MANY));
	assert_int_equal(list.count, 2);
	for (unsigned i = 0; i < ADDRESS_DEFECT_COUNT; i++) {
		assert_non_null(address_defect_name((enum address_defect)i));
		assert_non_null(
		    address_defect_description((enum address_defect)i));
	}
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_address_that_some_reader_shows_is_listed),
	cmocka_unit_test(several_from_fields_are_one_list_with_a_defect),
	cmocka_unit_test(display_names_are_decoded),
	cmocka_unit_test(hostile_lengths_are_read_in_one_pass),
	cmocka_unit_test(limits_of_addresses_are_told),
};

UNIT_MAIN(tests)
