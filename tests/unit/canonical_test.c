/* canonical and tag_list: the forms of RFC 6376, 3.4, and its tag lists */
#include <config.h>

#include <openssl/sha.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/canonical.h"
#include "auth/tag_list.h"
#include "base/builder.h"
#include "support/unit.h"

/* The digest of what a form must be. */
static void
assert_digest(
    const unsigned char *digest, struct slice expected, const char *what)
{
	unsigned char own[CANONICAL_DIGEST_SIZE];

	SHA256((const unsigned char *)expected.data, expected.length, own);
	if (memcmp(digest, own, sizeof own) != 0)
		fail_msg("%s: not \"%.*s\"", what, (int)expected.length,
		    expected.data);
}

static uint64_t
body_digest(enum canonical_form form, struct slice body, uint64_t limit,
    size_t chunk, unsigned char digest[CANONICAL_DIGEST_SIZE])
{
	struct canonical_body canonical = { 0 };

	assert_true(canonical_body_begin(&canonical, form, limit));
	for (size_t i = 0; chunk > 0 && i < body.length; i += chunk)
		canonical_body_add(&canonical, slice_range(body, i, i + chunk));
	assert_true(canonical_body_end(&canonical, digest));
	canonical_body_free(&canonical);
	return canonical.length;
}

static void
bodies_have_the_forms_of_the_standard(void **state)
{
	static const struct {
		const char *body, *simple, *relaxed;
	} cases[] = {
		{ "", "\r\n", "" },
		{ "\r\n", "\r\n", "" },
		{ "\r\n\r\n\r\n", "\r\n", "" },
		{ " ", " \r\n", "" },
		{ " \r\n\t\r\n", " \r\n\t\r\n", "" },
		{ "x", "x\r\n", "x\r\n" },
		{ "x\r\n", "x\r\n", "x\r\n" },
		{ "x\r\n\r\n", "x\r\n", "x\r\n" },
		{ "\r\nx", "\r\nx\r\n", "\r\nx\r\n" },
		/* RFC 6376, 3.4.5 */
		{ " C \r\nD \t E\r\n\r\n\r\n", " C \r\nD \t E\r\n",
		    " C\r\nD E\r\n" },
		{ "a\t\tb \r\n \r\nc", "a\t\tb \r\n \r\nc\r\n",
		    "a b\r\n\r\nc\r\n" },
		/* only CRLF ends a line */
		{ "a\nb\r\n", "a\nb\r\n", "a\nb\r\n" },
		{ "a \nb\r\n", "a \nb\r\n", "a \nb\r\n" },
		{ "a\rb\r\n", "a\rb\r\n", "a\rb\r\n" },
		{ "a\r", "a\r\r\n", "a\r\r\n" },
		{ "a\r\r\n", "a\r\r\n", "a\r\r\n" },
		{ "a \r\r\n", "a \r\r\n", "a \r\r\n" },
		{ "a\r\n\n", "a\r\n\n\r\n", "a\r\n\n\r\n" },
		{ "\n\r", "\n\r\r\n", "\n\r\r\n" },
		{ "a\r\n\r\nb\r\n\r", "a\r\n\r\nb\r\n\r\r\n",
		    "a\r\n\r\nb\r\n\r\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (size_t chunk = 1; chunk < 12; chunk++) {
			unsigned char digest[CANONICAL_DIGEST_SIZE];
			uint64_t length;

			length = body_digest(CANONICAL_SIMPLE,
			    text(cases[i].body), UINT64_MAX, chunk, digest);
			assert_digest(
			    digest, text(cases[i].simple), cases[i].body);
			assert_int_equal(length, strlen(cases[i].simple));
			length = body_digest(CANONICAL_RELAXED,
			    text(cases[i].body), UINT64_MAX, chunk, digest);
			assert_digest(
			    digest, text(cases[i].relaxed), cases[i].body);
			assert_int_equal(length, strlen(cases[i].relaxed));
		}
}

/* The relaxed and simple forms once more, as slowly as the standard tells
 * them: line by line, by copying. */
static struct slice
slow_form(struct arena *arena, enum canonical_form form, struct slice body)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	size_t end = 0;

	while (body.length > 0) {
		size_t length = slice_find(body, SLICE_LITERAL("\r\n"));
		struct slice line = slice_range(body, 0, length);

		body = slice_skip(
		    body, length == SIZE_MAX ? body.length : length + 2);
		for (size_t i = 0; i < line.length; i++) {
			size_t next = i;

			while (
			    form == CANONICAL_RELAXED && next < line.length &&
			    (line.data[next] == ' ' || line.data[next] == '\t'))
				next++;
			if (next == i)
				builder_byte(&out, line.data[i]);
			else if (next < line.length)
				builder_byte(&out, ' ');
			i = next > i ? next - 1 : i;
		}
		builder_text(&out, "\r\n");
	}
	end = out.length;
	while (end >= 4 && memcmp(out.data + end - 4, "\r\n\r\n", 4) == 0)
		end -= 2;
	if (end == 2)
		end = 0;
	if (end == 0 && form == CANONICAL_SIMPLE)
		return SLICE_LITERAL("\r\n");
	return slice_make(out.data, end);
}

static void
random_bodies_have_the_form_of_the_slow_way(void **state)
{
	static const char octets[] = "ab  \t\r\n\r\n\r\n";
	unsigned seed = 4711;

	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		struct arena *arena = arena_new(0, NULL);
		size_t length = (size_t)rand_r(&seed) % 60;
		size_t kinds = sizeof octets - 1, chunk;
		char body[6000];

		/* Now and then more than the buffers hold, in one line. */
		if (round % 100 == 0) {
			length = sizeof body;
			kinds = 5;
		}
		chunk =
		    round % 200 == 0 ? length : 1 + (size_t)rand_r(&seed) % 70;
		for (size_t i = 0; i < length; i++)
			body[i] = octets[(size_t)rand_r(&seed) % kinds];
		for (int form = 0; form < 2; form++) {
			unsigned char digest[CANONICAL_DIGEST_SIZE];

			body_digest((enum canonical_form)form,
			    slice_make(body, length), UINT64_MAX, chunk,
			    digest);
			assert_digest(digest,
			    slow_form(arena, (enum canonical_form)form,
				slice_make(body, length)),
			    "random");
		}
		arena_free(&arena);
	}
}

static void
a_limit_cuts_the_hash_and_not_the_count(void **state)
{
	unsigned char digest[CANONICAL_DIGEST_SIZE];

	(void)state;
	for (size_t limit = 0; limit < 20; limit++) {
		struct slice form = SLICE_LITERAL("a b\r\n\r\nc\r\n");

		assert_int_equal(
		    body_digest(CANONICAL_RELAXED, text("a  b\r\n\r\nc"), limit,
			1 + limit % 3, digest),
		    form.length);
		assert_digest(digest, slice_range(form, 0, limit), "limit");
	}
}

static void
header_fields_have_the_forms_of_the_standard(void **state)
{
	static const struct {
		const char *name, *value, *simple, *relaxed;
	} cases[] = {
		/* RFC 6376, 3.4.5 */
		{ "A", " X", "A: X\r\n", "a:X\r\n" },
		{ "B ", " Y\t\r\n\tZ  ", "B : Y\t\r\n\tZ  \r\n", "b:Y Z\r\n" },
		{ "Subject", "", "Subject:\r\n", "subject:\r\n" },
		{ "Subject", " \r\n ", "Subject: \r\n \r\n", "subject:\r\n" },
		{ "X-Long", "a\r\n\r\n b", "X-Long:a\r\n\r\n b\r\n",
		    "x-long:a b\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		for (int form = 0; form < 2; form++) {
			struct canonical_hash hash = { 0 };
			unsigned char digest[CANONICAL_DIGEST_SIZE];

			assert_true(canonical_hash_begin(&hash));
			canonical_header(&hash, (enum canonical_form)form,
			    text(cases[i].name), text(cases[i].value));
			assert_true(canonical_hash_end(&hash, digest));
			canonical_hash_free(&hash);
			assert_digest(digest,
			    text(form == CANONICAL_SIMPLE ? cases[i].simple
							  : cases[i].relaxed),
			    cases[i].name);
		}
}

static void
a_signatures_own_field_loses_its_b(void **state)
{
	static const char value[] = " a=1; b = XY\r\n Z ; c=2";
	struct canonical_hash hash = { 0 };
	unsigned char digest[CANONICAL_DIGEST_SIZE];

	(void)state;
	assert_true(canonical_hash_begin(&hash));
	canonical_signature_header(
	    &hash, CANONICAL_SIMPLE, text("Sig"), text(value), 9, 17);
	assert_true(canonical_hash_end(&hash, digest));
	assert_digest(digest, text("Sig: a=1; b =; c=2"), "simple");
	assert_true(canonical_hash_restart(&hash));
	canonical_signature_header(
	    &hash, CANONICAL_RELAXED, text("Sig"), text(value), 9, 17);
	assert_true(canonical_hash_end(&hash, digest));
	assert_digest(digest, text("sig:a=1; b =; c=2"), "relaxed");
	canonical_hash_free(&hash);
}

static void
folds_become_crlf(void **state)
{
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	assert_slice(canonical_folds(arena, text(" a\n b\r\n c\rd\n\n")),
	    " a\r\n b\r\n c\rd\r\n\r\n");
	assert_slice(canonical_folds(arena, text("")), "");
	arena_free(&arena);
}

/* ---------------------------------------------------------------- tag lists */

static void
tag_lists_are_read_strictly(void **state)
{
	static const struct {
		const char *text;
		size_t count; /* 0: invalid */
	} cases[] = {
		{ "a=1", 1 },
		{ "a=1;", 1 },
		{ "a=1; \r\n\t", 1 },
		{ " a = 1 ; b_2 = x y\r\n z;c=", 3 },
		{ "a=b=c", 1 },
		{ "a=\xc3\xa9", 1 },
		{ "A=1; a=2", 2 },
		{ "", 0 },
		{ "  ", 0 },
		{ ";", 0 },
		{ "a=1;;b=2", 0 },
		{ "a=1; ;", 0 },
		{ "a", 0 },
		{ "=1", 0 },
		{ "1=a", 0 },
		{ "a b=1", 0 },
		{ "a-b=1", 0 },
		{ "a=1; a=1", 0 },
		{ "a=\x01", 0 },
		{ "a=\x7f", 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct tag_list list;
		enum tc_status status =
		    tag_list_read(text(cases[i].text), &list);

		if ((status == TC_OK) != (cases[i].count > 0) ||
		    (status == TC_OK && list.count != cases[i].count))
			fail_msg("\"%s\"", cases[i].text);
		if (status != TC_OK)
			assert_non_null(list.problem);
	}
}

static void
tags_keep_their_place_and_value(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct tag_list list;
	const struct tag *tag;

	(void)state;
	assert_int_equal(
	    tag_list_read(text("a=1; b = x \r\n y ;h=From : to:"), &list),
	    TC_OK);
	tag = tag_list_find(&list, "b");
	assert_slice(tag->value, "x \r\n y");
	assert_int_equal(tag->start, 8);
	assert_int_equal(tag->end, 16);
	assert_slice(tag_list_compact(arena, tag->value), "xy");
	assert_null(tag_list_find(&list, "B"));
	tag = tag_list_find(&list, "h");
	assert_true(tag_list_has_item(tag->value, "from"));
	assert_true(tag_list_has_item(tag->value, "TO"));
	assert_false(tag_list_has_item(tag->value, "fro"));
	arena_free(&arena);
}

static void
too_many_tags_are_refused(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder tags = builder_make(arena, SIZE_MAX);
	struct tag_list list;

	(void)state;
	for (unsigned i = 0; i < TAG_LIST_MAX; i++)
		builder_printf(&tags, "t%u=x;", i);
	assert_int_equal(tag_list_read(builder_result(&tags), &list), TC_OK);
	builder_text(&tags, "last=x");
	assert_int_equal(
	    tag_list_read(builder_result(&tags), &list), TC_INVALID);
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(bodies_have_the_forms_of_the_standard),
	cmocka_unit_test(random_bodies_have_the_form_of_the_slow_way),
	cmocka_unit_test(a_limit_cuts_the_hash_and_not_the_count),
	cmocka_unit_test(header_fields_have_the_forms_of_the_standard),
	cmocka_unit_test(a_signatures_own_field_loses_its_b),
	cmocka_unit_test(folds_become_crlf),
	cmocka_unit_test(tag_lists_are_read_strictly),
	cmocka_unit_test(tags_keep_their_place_and_value),
	cmocka_unit_test(too_many_tags_are_refused),
};

UNIT_MAIN(tests)
