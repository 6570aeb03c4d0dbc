#include <config.h>

#include "support/unit.h"

#include "base/builder.h"
#include "indicator/normal.h"

struct key_case {
	enum indicator_kind kind;
	const char *value;
	const char *key; /* as text; NULL: refused */
};

static const struct key_case key_cases[] = {
	{ INDICATOR_DOMAIN, "Evil.Example.", "evil.example" },
	{ INDICATOR_DOMAIN, "  evil.example\t", "evil.example" },
	{ INDICATOR_DOMAIN, "*.evil.example", "evil.example" },
	{ INDICATOR_DOMAIN, ".evil.example", "evil.example" },
	{ INDICATOR_DOMAIN,
	    "b\xc3\xbc"
	    "cher.example",
	    "xn--bcher-kva.example" },
	{ INDICATOR_DOMAIN, "XN--BCHER-KVA.example", "xn--bcher-kva.example" },
	{ INDICATOR_DOMAIN, "ev\xc2\xadil.example", "evil.example" },
	{ INDICATOR_DOMAIN, "under_score.example", "under_score.example" },
	{ INDICATOR_DOMAIN, "192.0.2.1", NULL },
	{ INDICATOR_DOMAIN, "evil.example/path", NULL },
	{ INDICATOR_DOMAIN, "evil..example", NULL },
	{ INDICATOR_DOMAIN, "evil example", NULL },
	{ INDICATOR_DOMAIN, "evil.example:8080", NULL },
	{ INDICATOR_DOMAIN, "", NULL },
	{ INDICATOR_ADDRESS, "Bad.Guy@Evil.Example.", "bad.guy@evil.example" },
	{ INDICATOR_ADDRESS, "Name <bad@evil.example>", "bad@evil.example" },
	{ INDICATOR_ADDRESS, "mailto:bad@evil.example", "bad@evil.example" },
	{ INDICATOR_ADDRESS, "@evil.example", "@evil.example" },
	{ INDICATOR_ADDRESS, "a@b@evil.example", NULL },
	{ INDICATOR_ADDRESS, "evil.example", NULL },
	{ INDICATOR_ADDRESS, "bad@", NULL },
	{ INDICATOR_NETWORK, "192.0.2.77/24", "192.0.2.0/24" },
	{ INDICATOR_NETWORK, "::ffff:192.0.2.1", "192.0.2.1" },
	{ INDICATOR_NETWORK, "[2001:DB8::1]", "2001:db8::1" },
	{ INDICATOR_NETWORK, "IPv6:2001:db8::1", "2001:db8::1" },
	{ INDICATOR_NETWORK, "2001:db8::/32", "2001:db8::/32" },
	{ INDICATOR_NETWORK, "192.0.2.256", NULL },
	{ INDICATOR_NETWORK, "192.0.2.1/33", NULL },
	{ INDICATOR_MD5, "D41D8CD98F00B204E9800998ECF8427E",
	    "d41d8cd98f00b204e9800998ecf8427e" },
	{ INDICATOR_MD5, "d41d8cd98f00b204e9800998ecf8427", NULL },
	{ INDICATOR_MD5, "z41d8cd98f00b204e9800998ecf8427e", NULL },
	{ INDICATOR_FILENAME, "C:\\Windows\\Temp\\Invoice.EXE", "invoice.exe" },
	{ INDICATOR_FILENAME, "/tmp/a/b.sh", "b.sh" },
	{ INDICATOR_FILENAME,
	    "invoice\xe2\x80\xae"
	    "fdp.exe",
	    "invoicefdp.exe" },
	{ INDICATOR_FILENAME, "invoice.exe. . ", "invoice.exe" },
	{ INDICATOR_FILENAME, "folder/", NULL },
	{ INDICATOR_SUBJECT, "  Your\r\n\tINVOICE   4711 ",
	    "your invoice 4711" },
	{ INDICATOR_SUBJECT,
	    "\xc3\x89"
	    "CHEC",
	    "\xc3\xa9"
	    "chec" },
	{ INDICATOR_MESSAGE_ID, "<Ab.C@Evil.example>", "Ab.C@Evil.example" },
	{ INDICATOR_MESSAGE_ID, "<a b@c>", NULL },
	{ INDICATOR_URL, "http://Evil.Example", "evil.example/" },
	{ INDICATOR_URL, "https://evil.example:443/a", "evil.example/a" },
	{ INDICATOR_URL, "http://evil.example:8080", "evil.example:8080/" },
	{ INDICATOR_URL, "https:/\\evil.example/a", "evil.example/a" },
	{ INDICATOR_URL, "https:\\\\evil.example\\a", "evil.example/a" },
	{ INDICATOR_URL, "http:evil.example", "evil.example/" },
	{ INDICATOR_URL, "//evil.example/a", "evil.example/a" },
	{ INDICATOR_URL, "evil.example/a", "evil.example/a" },
	{ INDICATOR_URL, "evil.example:8080/a", "evil.example:8080/a" },
	{ INDICATOR_URL, "http://good.example@evil.example/", "evil.example/" },
	{ INDICATOR_URL, "http://a@b@evil.example/", "evil.example/" },
	{ INDICATOR_URL, "http://good.example%40x@evil.example/",
	    "evil.example/" },
	{ INDICATOR_URL, "http://ev%69l.example/", "evil.example/" },
	{ INDICATOR_URL, "http://evil.example/%7ea%2fb%2F",
	    "evil.example/~a%2Fb%2F" },
	{ INDICATOR_URL, "http://evil.example/a/./b/../c", "evil.example/a/c" },
	{ INDICATOR_URL, "http://evil.example/../../c", "evil.example/c" },
	{ INDICATOR_URL, "http://evil.example/%2e%2e/c", "evil.example/c" },
	{ INDICATOR_URL, "http://evil.example/a/..", "evil.example/" },
	{ INDICATOR_URL, "http://evil.example/a?b=c#d", "evil.example/a?b=c" },
	{ INDICATOR_URL, "http://evil.example?b", "evil.example/?b" },
	{ INDICATOR_URL, "http://evil.example/a b", "evil.example/a%20b" },
	{ INDICATOR_URL, "ht\ntp://ev\til.example/", "evil.example/" },
	{ INDICATOR_URL, "http://3221225985/", "192.0.2.1/" },
	{ INDICATOR_URL, "http://0xC0.0.2.1/", "192.0.2.1/" },
	{ INDICATOR_URL, "http://0300.0.513/", "192.0.2.1/" },
	{ INDICATOR_URL, "http://[2001:DB8::1]:8080/a",
	    "[2001:db8::1]:8080/a" },
	{ INDICATOR_URL, "http://evil.example./a", "evil.example/a" },
	{ INDICATOR_URL,
	    "http://b\xc3\xbc"
	    "cher.example/\xc3\xbc",
	    "xn--bcher-kva.example/%C3%BC" },
	{ INDICATOR_URL, "ftp://evil.example:21/a", "ftp://evil.example/a" },
	{ INDICATOR_URL, "http://r.example/u?to=http%3a%2f%2Fevil.example",
	    "r.example/u?to=http%3A%2F%2Fevil.example" },
	{ INDICATOR_URL, "http://", NULL },
	{ INDICATOR_URL, "http:///", NULL },
	{ INDICATOR_URL, "http://evil.example:99999/", NULL },
	{ INDICATOR_URL, "http://1.2.3.4.5/", NULL },
	{ INDICATOR_URL, "mailto:a@b.example", NULL },
};

static void
every_value_has_one_key_or_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof key_cases / sizeof *key_cases; i++) {
		const struct key_case *test = &key_cases[i];
		struct arena *arena = arena_new(0, NULL);
		struct slice key = { NULL, 0 };
		enum normal_problem problem =
		    normal_key(arena, test->kind, text(test->value), &key);

		if (test->key == NULL) {
			if (problem == NORMAL_GOOD &&
			    test->kind != INDICATOR_URL)
				fail_msg("\"%s\" was taken", test->value);
			if (problem == NORMAL_GOOD)
				fail_msg("\"%s\" was taken as %.*s",
				    test->value, (int)key.length, key.data);
		} else {
			if (problem != NORMAL_GOOD)
				fail_msg("\"%s\" %s", test->value,
				    normal_problem_text(problem));
			assert_slice(
			    normal_key_text(arena, test->kind, key), test->key);
		}
		arena_free(&arena);
	}
}

static void
a_key_in_text_form_has_itself_as_key(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof key_cases / sizeof *key_cases; i++) {
		const struct key_case *test = &key_cases[i];
		struct arena *arena = arena_new(0, NULL);
		struct slice key = { NULL, 0 };

		if (test->key != NULL &&
		    normal_key(arena, test->kind, text(test->key), &key) ==
			NORMAL_GOOD)
			assert_slice(
			    normal_key_text(arena, test->kind, key), test->key);
		arena_free(&arena);
	}
}

static void
a_query_too_long_for_a_key_leaves_the_page(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder url = builder_make(arena, SIZE_MAX);
	struct slice key;

	(void)state;
	builder_text(&url, "http://evil.example/login?");
	for (unsigned i = 0; i < 100000; i++)
		builder_byte(&url, 'x');
	assert_int_equal(
	    normal_key(arena, INDICATOR_URL, builder_result(&url), &key),
	    NORMAL_GOOD);
	assert_slice(key, "evil.example/login");
	arena_free(&arena);
}

static void
the_kind_of_a_bare_value_is_guessed(void **state)
{
	static const struct {
		const char *value;
		int kind; /* -1: none */
	} cases[] = {
		{ "evil.example", INDICATOR_DOMAIN },
		{ "http://evil.example/x", INDICATOR_URL },
		{ "evil.example/x", INDICATOR_URL },
		{ "evil.example:8080", INDICATOR_URL },
		{ "bad@evil.example", INDICATOR_ADDRESS },
		{ "192.0.2.1", INDICATOR_NETWORK },
		{ "192.0.2.0/24", INDICATOR_NETWORK },
		{ "2001:db8::/32", INDICATOR_NETWORK },
		{ "d41d8cd98f00b204e9800998ecf8427e", INDICATOR_MD5 },
		{ "da39a3ee5e6b4b0d3255bfef95601890afd80709", INDICATOR_SHA1 },
		{ "/wp-content/x/", -1 },
		{ "invoice.exe", -1 },
		{ "word", -1 },
		{ "two words.example", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new(0, NULL);
		enum indicator_kind kind;
		bool found =
		    normal_guess_kind(arena, text(cases[i].value), &kind);

		if (found != (cases[i].kind >= 0) ||
		    (found && (int)kind != cases[i].kind))
			fail_msg("\"%s\" was taken for %s", cases[i].value,
			    found ? indicator_kind_name(kind) : "nothing");
		arena_free(&arena);
	}
}

static void
what_defenders_write_is_refanged(void **state)
{
	static const char *const cases[][2] = {
		{ "hxxps://evil[.]example/x", "https://evil.example/x" },
		{ "hXXp://evil(.)example", "http://evil.example" },
		{ "bad[@]evil[dot]example", "bad@evil.example" },
		{ "bad(at)evil.example", "bad@evil.example" },
		{ "192[.]0[.]2[.]1", "192.0.2.1" },
		{ "http[:]//evil.example", "http://evil.example" },
		{ "https[://]evil.example", "https://evil.example" },
		{ "evil.example", "evil.example" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new(0, NULL);
		bool changed;

		assert_slice(normal_refang(arena, text(cases[i][0]), &changed),
		    cases[i][1]);
		assert_int_equal(
		    changed, strcmp(cases[i][0], cases[i][1]) != 0);
		arena_free(&arena);
	}
}

static void
words_of_feeds_name_kinds_and_levels(void **state)
{
	enum indicator_severity severity;
	enum indicator_kind kind;
	enum indicator_tlp tlp;

	(void)state;
	assert_true(indicator_kind_parse(text("SHA-256"), &kind));
	assert_int_equal(kind, INDICATOR_SHA256);
	assert_true(indicator_kind_parse(text("ip-dst"), &kind));
	assert_int_equal(kind, INDICATOR_NETWORK);
	assert_false(indicator_kind_parse(text("btc"), &kind));
	for (unsigned i = 0; i < INDICATOR_KINDS; i++) {
		assert_true(indicator_kind_parse(
		    text(indicator_kind_name((enum indicator_kind)i)), &kind));
		assert_int_equal(kind, i);
	}
	assert_true(indicator_severity_parse(text("High"), &severity));
	assert_int_equal(severity, INDICATOR_SEVERITY_HIGH);
	assert_false(indicator_severity_parse(text(""), &severity));
	assert_true(indicator_tlp_parse(text("TLP:WHITE"), &tlp));
	assert_int_equal(tlp, INDICATOR_TLP_CLEAR);
	assert_true(indicator_tlp_parse(text("tlp:amber+strict"), &tlp));
	assert_string_equal(indicator_tlp_name(tlp), "amber+strict");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_value_has_one_key_or_is_refused),
	cmocka_unit_test(a_key_in_text_form_has_itself_as_key),
	cmocka_unit_test(a_query_too_long_for_a_key_leaves_the_page),
	cmocka_unit_test(the_kind_of_a_bare_value_is_guessed),
	cmocka_unit_test(what_defenders_write_is_refanged),
	cmocka_unit_test(words_of_feeds_name_kinds_and_levels),
};

UNIT_MAIN(tests)
