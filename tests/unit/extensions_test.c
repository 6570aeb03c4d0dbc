#include <config.h>

#include "support/unit.h"

#include "base/builder.h"
#include "evidence/extensions.h"

static struct arena *arena;

static struct slice
joined(const char *name)
{
	struct slice items[EXTENSIONS_MAX];
	size_t count = extensions_of(arena, text(name), items);
	struct builder out = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < count; i++) {
		builder_text(&out, i > 0 ? " " : "");
		builder_slice(&out, items[i]);
	}
	return builder_result(&out);
}

static void
extensions_are_what_the_system_takes(void **state)
{
	static const struct {
		const char *name, *wanted;
	} cases[] = {
		{ "", "" },
		{ "readme", "" },
		{ ".profile", "profile" },
		{ "a.tar.gz", "tar gz" },
		{ "Bill.PDF.Exe", "pdf exe" },
		{ "bill.exe. . ", "exe" },
		{ "bill.exe/", "exe" },
		{ "folder.v1/readme", "" },
		{ "a.b\\c.js", "js" },
		{ "bill\u202efdp.exe", "exe" },
		{ "bill.e\u200bx\u00ade", "exe" },
		{ "bill.exe\u200f", "exe" },
		{ "bill\ufeff.\u2066exe", "exe" },
		{ "a.1.2.3.4.5.6.7.8.exe", "2 3 4 5 6 7 8 exe" },
		{ "a..exe", " exe" },
		{ "x.js;", "js" },
		{ "X.JS;1", "js" },
		{ "x.js::$Data", "js" },
		{ "Re: x.pdf", "pdf" },
		{ ";1", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (!slice_equal_text(joined(cases[i].name), cases[i].wanted))
			fail_msg("%s: %.*s", cases[i].name,
			    (int)joined(cases[i].name).length,
			    joined(cases[i].name).data);
}

static int
begin(void **state)
{
	(void)state;
	arena = arena_new(0, NULL);
	return arena == NULL;
}

static int
finish(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(extensions_are_what_the_system_takes),
};

int
main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, finish);
}
