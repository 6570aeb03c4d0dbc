#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "support/unit.h"

#include "base/builder.h"
#include "indicator/broad_pattern.h"
#include "indicator/stix_judge.h"
#include "indicator/stix_program.h"

#define MD5_A  "0123456789abcdef0123456789abcdef"
#define MD5_B  "ffffffffffffffffffffffffffffffff"
#define SHA1_A "0123456789abcdef0123456789abcdef01234567"

/* ------------------------------------------------------------------- grammar */

static void
the_whole_grammar_is_read(void **state)
{
	static const char *const good[] = {
		"[a:b = 'x']",
		"[a:b='x'AND a:c=1]",
		"[ (a:b = 'x' OR a:b = 'y') AND a:c != 5.5 ]",
		"[a:b NOT = 'x']",
		"[a:b NOT IN ('x', 'y')]",
		"[a:b IN (1, -2, 3.5)]",
		"[a:b LIKE 'x%']",
		"[a:b MATCHES '^x\\\\.y$']",
		"[ipv4-addr:value ISSUBSET '192.0.2.0/24']",
		"[ipv4-addr:value ISSUPERSET '192.0.2.0/24']",
		"[EXISTS a:b]",
		"[NOT EXISTS a:b.c]",
		"[a:b.'SHA-256'[*].c[0].d_ref.value > 7.0]",
		"[a:b = t'2014-01-13T07:03:17Z']",
		"[a:b = h'ffd8' AND a:c = b'dGV4dA==']",
		"[a:b = true OR a:b = false]",
		"[a:b == 1] AND [a:b <> 2] OR [a:c >= 3]",
		"([a:b = 1] FOLLOWEDBY [a:b = 2]) WITHIN 300 SECONDS",
		"[a:b = 1] REPEATS 5 TIMES WITHIN 1800 SECONDS",
		"[a:b = 1] START t'2016-06-01T00:00:00Z' STOP "
		"t'2017-03-12T08:30:00Z'",
		"[a:b = 1] START '2016-06-01T00:00:00Z' STOP "
		"'2017-03-12T08:30:00Z'",
		"/* why */ [a:b = 'it\\'s'] // end",
		"[x-usb-device:usbdrive.serial_number = '57']",
		"[((((a:b = 1))))]",
		"[a:b > .5 AND a:c < -.25 AND a:d = +.5]",
		"[a:b\xe2\x80\x83=\xe3\x80\x80'x']\xc2\x85 // end\r",
		"// why\r[a:b = 'x']",
	};

	(void)state;
	for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct stix_pattern pattern;

		if (stix_pattern_parse(arena, text(good[i]), 100, &pattern) !=
		    TC_OK)
			fail_msg("%s: character %u: %s", good[i],
			    pattern.column, pattern.problem);
		arena_free(&arena);
	}
}

static void
what_is_no_pattern_is_said_where(void **state)
{
	static const struct {
		const char *pattern;
		unsigned column;
	} bad[] = {
		{ "", 1 },
		{ "a:b = 'x'", 1 },
		{ "[a:b = 'x'", 11 },
		{ "[a:b = 'x]", 8 },
		{ "[a:b = x]", 8 },
		{ "[a:b 'x']", 6 },
		{ "[a = 'x']", 4 },
		{ "[a:b IN 'x']", 9 },
		{ "[a:b LIKE 5]", 12 },
		{ "[a:b = t'yesterday']", 8 },
		{ "[a:b = h'fg']", 8 },
		{ "[a:b = 'x'] AND", 16 },
		{ "[a:b = 'x'] WITHIN 5", 21 },
		{ "[a:b = 'x'] [a:b = 'y']", 13 },
		{ "[a:b = 'x']]", 12 },
		{ "[a:b[x] = 'x']", 6 },
		{ "[NOT a:b = 'x']", 6 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct stix_pattern pattern;

		assert_int_equal(stix_pattern_parse(arena, text(bad[i].pattern),
				     100, &pattern),
		    TC_INVALID);
		assert_non_null(pattern.problem);
		if (pattern.column != bad[i].column)
			fail_msg("%s: character %u, not %u: %s", bad[i].pattern,
			    pattern.column, bad[i].column, pattern.problem);
		arena_free(&arena);
	}
}

static void
depth_and_comparisons_are_bounded(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder deep = builder_make(arena, SIZE_MAX);
	struct builder wide = builder_make(arena, SIZE_MAX);
	struct stix_pattern pattern;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		builder_byte(&deep, '(');
	assert_int_equal(
	    stix_pattern_parse(arena, builder_result(&deep), 4096, &pattern),
	    TC_INVALID);
	builder_text(&wide, "[a:b = 1");
	for (unsigned i = 0; i < 5000; i++)
		builder_text(&wide, " OR a:b = 1");
	builder_text(&wide, "]");
	assert_int_equal(
	    stix_pattern_parse(arena, builder_result(&wide), 4096, &pattern),
	    TC_LIMIT);
	assert_int_equal(
	    stix_pattern_parse(arena, builder_result(&wide), 6000, &pattern),
	    TC_OK);
	arena_free(&arena);
}

static void
like_takes_any_text_and_any_character(void **state)
{
	static const struct {
		const char *value, *pattern;
		bool like;
	} cases[] = {
		{ "", "", true },
		{ "", "%", true },
		{ "abc", "abc", true },
		{ "abc", "a%", true },
		{ "abc", "%c", true },
		{ "abc", "a_c", true },
		{ "a\xc3\xa9"
		  "c",
		    "a_c", true },
		{ "abc", "a_", false },
		{ "abc", "ABC", false },
		{ "aaab", "%a%b%", true },
		{ "abab", "%ab", true },
		{ "abc", "%d%", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		if (stix_like(text(cases[i].value), text(cases[i].pattern)) !=
		    cases[i].like)
			fail_msg("\"%s\" LIKE \"%s\"", cases[i].value,
			    cases[i].pattern);
}

/* ---------------------------------------------------------------- evaluation */

static const struct match_observation message[] = {
	{ INDICATOR_NETWORK, MATCH_CLIENT, { "192.0.2.7", 9 }, -1, false },
	{ INDICATOR_ADDRESS, MATCH_FROM, { "Bad@Evil.example", 16 }, -1,
	    false },
	{ INDICATOR_ADDRESS, MATCH_RCPT, { "us@ours.example", 15 }, -1, false },
	{ INDICATOR_SUBJECT, MATCH_SUBJECT, { "Your Invoice", 12 }, -1, false },
	{ INDICATOR_URL, MATCH_LINK, { "http://www.drop.example/a/b?c", 29 },
	    -1, false },
	{ INDICATOR_URL, MATCH_LINK, { "http://198.51.100.4/x", 21 }, -1,
	    false },
	{ INDICATOR_FILENAME, MATCH_ATTACHMENT, { "one.doc", 7 }, 1, false },
	{ INDICATOR_MD5, MATCH_ATTACHMENT, { MD5_A, 32 }, 1, false },
	{ INDICATOR_FILENAME, MATCH_ATTACHMENT, { "two.exe", 7 }, 2, false },
	{ INDICATOR_MD5, MATCH_ATTACHMENT, { MD5_B, 32 }, 2, false },
};

/* The first letter: true, false, unknown, partial. */
struct evaluation_case {
	char expected;
	const char *pattern;
};

#define PART(index, rest) \
	"email-message:body_multipart[" index "].body_raw_ref." rest

static const struct evaluation_case evaluations[] = {
	{ 't', "[email-message:from_ref.value = 'bad@evil.example']" },
	{ 't', "[email-message:sender_ref.value = 'BAD@evil.example']" },
	{ 'f', "[email-message:from_ref.value = 'us@ours.example']" },
	{ 't', "[email-message:to_refs[*].value = 'us@ours.example']" },
	{ 't', "[email-addr:value = 'us@ours.example']" },
	{ 't', "[email-message:subject = 'your  invoice']" },
	{ 't', "[email-message:subject LIKE 'Your%']" },
	{ 'f', "[email-message:subject LIKE 'your%']" },
	{ 't', "[email-message:subject MATCHES '(?i)INVOICE$']" },
	{ 'u', "[email-message:subject MATCHES '(unclosed']" },
	{ 't', "[domain-name:value = 'drop.example']" },
	{ 'f', "[domain-name:value = 'rop.example']" },
	{ 't', "[domain-name:value = 'evil.example']" },
	{ 't', "[domain-name:value IN ('x.example', 'evil.example')]" },
	{ 'f', "[domain-name:value NOT IN ('www.drop.example', 'evil.example',"
	       " 'ours.example')]" },
	{ 't', "[domain-name:value != 'evil.example']" },
	{ 't', "[url:value = 'http://www.drop.example/a/b?c']" },
	{ 't', "[url:value = 'https://www.drop.example/a/b']" },
	{ 't', "[url:value = 'http://www.drop.example/a/']" },
	{ 'f', "[url:value = 'http://www.drop.example/a/b?d']" },
	{ 't', "[ipv4-addr:value = '198.51.100.4']" },
	{ 't', "[ipv4-addr:value = '198.51.100.0/24']" },
	{ 't', "[ipv4-addr:value ISSUBSET '198.51.100.0/24']" },
	{ 'f', "[ipv4-addr:value ISSUBSET '203.0.113.0/24']" },
	{ 't', "[network-traffic:src_ref.value = '192.0.2.7']" },
	{ 'f', "[network-traffic:dst_ref.value = '192.0.2.7']" },
	{ 't', "[network-traffic:dst_ref.value = '198.51.100.4' AND "
	       "network-traffic:dst_port = 443]" },
	{ 't', "[domain-name:value = 'drop.example' AND "
	       "domain-name:resolves_to_refs[*].value = '203.0.113.1']" },
	{ 'u', "[process:name = 'x']" },
	{ 'u', "[file:size = 5]" },
	/* One attachment: the hash of one and the name of the other. */
	{ 't', "[file:hashes.MD5 = '" MD5_A "' AND file:name = 'one.doc']" },
	{ 'f', "[file:hashes.MD5 NOT = '" MD5_A "' AND file:name = "
	       "'one.doc']" },
	{ 'p', "[file:hashes.MD5 = '" MD5_A "' AND file:name = 'two.exe']" },
	{ 't', "[file:hashes.MD5 = '" MD5_A "'] AND [file:name = 'two.exe']" },
	{ 'f', "[file:name = 'one.doc' AND file:name = 'two.exe']" },
	{ 'f', "[NOT EXISTS email-message:subject]" },
	{ 't', "[NOT EXISTS email-message:message_id AND "
	       "email-message:subject = 'your invoice']" },
	{ 'f', "[NOT EXISTS file:name AND file:name != 'x']" },
	/* A message has both; with one index, one part has to. */
	{ 't', "[" PART("*", "name = 'one.doc'") " AND " PART(
		   "*", "name = 'two.exe'") "]" },
	{ 't', "[" PART("0", "name = 'one.doc'") " AND " PART(
		   "1", "name = 'two.exe'") "]" },
	{ 'f', "[" PART("0", "name = 'one.doc'") " AND " PART(
		   "0", "name = 'two.exe'") "]" },
	{ 'f', "[" PART("0", "name = 'one.doc'") " AND " PART(
		   "1", "name = 'no.exe'") "]" },
	{ 't', "[" PART("*", "hashes.MD5 = '" MD5_A "'") " AND " PART(
		   "*", "hashes.MD5 = '" MD5_B "'") "]" },
	{ 't', "[" PART("0", "hashes.MD5 = '" MD5_A "'") " AND " PART(
		   "1", "name = 'two.exe'") " AND email-message:subject = "
					    "'your invoice']" },
	{ 'f', "[" PART("0", "hashes.MD5 = '" MD5_A "'") " AND " PART("1",
		   "name = 'two.exe'") " AND email-message:subject = 'no']" },
	{ 'p', "[" PART("0", "hashes.MD5 = '" MD5_A "'") " AND " PART(
		   "0", "name = 'two.exe'") "]" },
	{ 'p', "[" PART("*", "hashes.MD5 = '" MD5_A "'") " AND " PART(
		   "*", "hashes.'SHA-1' = '" SHA1_A "'") "]" },
	/* What was not computed is unknown, and partial by a strong part. */
	{ 'p', "[file:hashes.MD5 = '" MD5_A "' AND file:hashes.'SHA-1' = "
	       "'" SHA1_A "']" },
	{ 'p', "[file:hashes.MD5 = '" MD5_A "' AND file:hashes.IMPHASH = 'x' "
	       "AND x_misp:y = 'z']" },
	{ 'u', "[file:name = 'one.doc' AND file:size = 5]" },
	{ 'p',
	    "[domain-name:value = 'drop.example'] AND [process:name = 'x']" },
	{ 'f', "[domain-name:value = 'other.example'] AND [process:name = "
	       "'x']" },
	{ 't', "[domain-name:value = 'drop.example'] OR [process:name = 'x']" },
	{ 'u', "[process:name NOT = 'x']" },
	{ 'u', "([domain-name:value = 'drop.example'] AND [domain-name:value "
	       "= 'no.example']) OR [process:name = 'x']" },
	{ 'f', "[email-message:message_id = '<a@b.example>']" },
	/* A backslash that nobody doubled is one. */
	{ 't', "[file:name MATCHES '^two.e\\w+$']" },
	{ 'f', "[file:name MATCHES '^two.e\\d+$']" },
};

static void
patterns_hold_in_three_values(void **state)
{
	struct match_observations observations = { .kinds_known =
						       INDICATOR_KINDS_ALL };

	(void)state;
	for (size_t i = 0; i < sizeof evaluations / sizeof *evaluations; i++) {
		const struct evaluation_case *test = &evaluations[i];
		struct arena *arena = arena_new(0, NULL);
		struct stix_pattern pattern;
		struct stix_compiled compiled;
		struct stix_result result;
		size_t steps = 100000;
		char got;

		for (size_t k = 0; k < sizeof message / sizeof *message; k++)
			*list_append(arena, &observations.items, 100) =
			    message[k];
		assert_int_equal(stix_pattern_parse(
				     arena, text(test->pattern), 100, &pattern),
		    TC_OK);
		assert_int_equal(
		    stix_program_compile(arena, &pattern, &compiled), TC_OK);
		if (compiled.plain) {
			/* Plain ones have no program: wrap them. */
			char *wrapped = arena_printf(arena,
			    "(%s) AND [email-addr:value != 'no@no.example']",
			    test->pattern);

			assert_int_equal(stix_pattern_parse(arena,
					     text(wrapped), 100, &pattern),
			    TC_OK);
			assert_int_equal(
			    stix_program_compile(arena, &pattern, &compiled),
			    TC_OK);
		}
		if (compiled.program.length > 0) {
			result = stix_program_run(compiled.program,
			    stix_view_make(arena, &observations), &steps);
			got = result.partial ? 'p' : "fut"[result.truth];
			if (got != test->expected)
				fail_msg("%s is %c, not %c", test->pattern, got,
				    test->expected);
		} else {
			fail_msg("%s has no program", test->pattern);
		}
		observations.items.items = NULL;
		observations.items.count = observations.items.capacity = 0;
		arena_free(&arena);
	}
}

static void
a_pattern_is_entered_under_what_finds_it(void **state)
{
	static const struct {
		const char *pattern;
		enum feed_reason reason;
		bool plain, unkeyed;
		size_t atoms;
	} cases[] = {
		{ "[domain-name:value = 'a.example']", FEED_USED, true, false,
		    1 },
		{ "[domain-name:value = 'a.example' OR url:value = "
		  "'http://b.example/']",
		    FEED_USED, true, false, 2 },
		{ "[domain-name:value IN ('a.example', 'b.example')] OR "
		  "[file:name = 'x.exe']",
		    FEED_USED, true, false, 3 },
		{ "[domain-name:value = 'a.example' AND "
		  "domain-name:resolves_to_refs[*].value = '203.0.113.1']",
		    FEED_USED, true, false, 1 },
		{ "[file:name = 'x.exe' AND file:hashes.MD5 = '" MD5_A "']",
		    FEED_USED, false, false, 1 },
		{ "[file:name = 'x.exe' AND email-message:subject = 'y']",
		    FEED_USED, false, false, 2 },
		{ "[email-message:subject LIKE 'x%']", FEED_USED, false, true,
		    0 },
		{ "[domain-name:value != 'a.example']", FEED_USED, false, true,
		    0 },
		{ "[process:name = 'x']", FEED_NOT_VISIBLE, false, true, 0 },
		{ "[file:name = 'x.exe' AND process:name = 'x']",
		    FEED_NO_STRONG_PART, false, false, 1 },
		{ "[url:value IN ()]", FEED_NO_STRONG_PART, true, false, 0 },
		{ "[domain-name:value = 'a.example'] FOLLOWEDBY [url:value = "
		  "'b']",
		    FEED_UNSUPPORTED_PATTERN, false, false, 0 },
		{ "[url:value = 'http://a.example/'] REPEATS 5 TIMES",
		    FEED_UNSUPPORTED_PATTERN, false, false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct stix_pattern pattern;
		struct stix_compiled compiled;

		assert_int_equal(stix_pattern_parse(arena,
				     text(cases[i].pattern), 100, &pattern),
		    TC_OK);
		assert_int_equal(
		    stix_program_compile(arena, &pattern, &compiled), TC_OK);
		if (compiled.reason != cases[i].reason)
			fail_msg("%s: %s", cases[i].pattern,
			    feed_reason_name(compiled.reason));
		if (compiled.reason == FEED_USED &&
		    (compiled.plain != cases[i].plain ||
			compiled.unkeyed != cases[i].unkeyed ||
			compiled.atoms.count != cases[i].atoms))
			fail_msg("%s: plain %d, unkeyed %d, %zu keys",
			    cases[i].pattern, compiled.plain, compiled.unkeyed,
			    compiled.atoms.count);
		arena_free(&arena);
	}
}

static void
a_damaged_program_is_unknown(void **state)
{
	struct match_observations observations = { 0 };
	struct arena *arena = arena_new(0, NULL);
	struct stix_pattern pattern;
	struct stix_compiled compiled;
	struct stix_view *view = stix_view_make(arena, &observations);
	char copy[1024];

	(void)state;
	assert_int_equal(
	    stix_pattern_parse(arena,
		text("[file:hashes.MD5 = '" MD5_A
		     "' AND (file:name LIKE 'a%' OR file:name IN ('x','y'))]"),
		100, &pattern),
	    TC_OK);
	assert_int_equal(
	    stix_program_compile(arena, &pattern, &compiled), TC_OK);
	assert_true(compiled.program.length < sizeof copy);
	for (size_t i = 0; i < compiled.program.length; i++) {
		size_t steps = 10000;
		struct stix_result result = stix_program_run(
		    slice_range(compiled.program, 0, i), view, &steps);

		assert_int_equal(result.truth, STIX_UNKNOWN);
		assert_false(result.partial);
		for (unsigned bit = 0; bit < 8; bit++) {
			memcpy(copy, compiled.program.data,
			    compiled.program.length);
			copy[i] ^= (char)(1u << bit);
			steps = 10000;
			stix_program_run(
			    slice_make(copy, compiled.program.length), view,
			    &steps);
		}
	}
	arena_free(&arena);
}

static void
observed_data_is_judged_strictly(void **state)
{
	static const char objects[] =
	    "{\"type\":\"bundle\",\"objects\":["
	    "{\"type\":\"observed-data\",\"id\":\"observed-data--1\","
	    "\"object_refs\":[\"email-message--1\",\"email-addr--1\"]},"
	    "{\"type\":\"email-addr\",\"id\":\"email-addr--1\","
	    "\"value\":\"jdoe@example.com\"},"
	    "{\"type\":\"email-message\",\"id\":\"email-message--1\","
	    "\"from_ref\":\"email-addr--1\",\"is_multipart\":false,"
	    "\"subject\":\"Conference Info\"},"
	    "{\"type\":\"file\",\"id\":\"file--1\",\"size\":371712,"
	    "\"name\":\"pdf.exe\",\"created\":\"2014-01-13T07:03:17Z\","
	    "\"magic_number_hex\":\"ffd8\","
	    "\"modified\":\"2014-01-13T07:03:17.5Z\","
	    "\"hashes\":{\"SHA-256\":\"aa\"}},"
	    "{\"type\":\"artifact\",\"id\":\"artifact--1\","
	    "\"payload_bin\":\"dGV4dA==\"},"
	    "{\"type\":\"process\",\"id\":\"process--1\",\"arguments\":"
	    "[\"a\",\"b\"]}]}";
	static const struct {
		const char *pattern, *truth;
	} cases[] = {
		{ "[email-message:from_ref.value = 'jdoe@example.com' AND "
		  "email-message:subject = 'Conference Info']",
		    "true" },
		{ "[email-message:subject = 'conference info']", "false" },
		{ "[file:size > 371711 AND file:size < 371713.5]", "true" },
		{ "[file:size = '371712']", "false" },
		{ "[file:created = t'2014-01-13T07:03:17.000Z']", "true" },
		{ "[file:hashes.'SHA-256' = 'aa']", "true" },
		{ "[process:arguments[*] = 'b']", "true" },
		{ "[process:arguments[0] = 'b']", "false" },
		{ "[process:arguments[1] = 'b']", "true" },
		{ "[EXISTS file:name]", "true" },
		{ "[EXISTS file:mime_type]", "false" },
		{ "[NOT EXISTS file:mime_type]", "true" },
		{ "[NOT EXISTS file:name]", "false" },
		{ "[file:magic_number_hex = h'FFd8']", "true" },
		{ "[file:magic_number_hex = h'ffd9']", "false" },
		{ "[artifact:payload_bin = b'dGV4dA==']", "true" },
		{ "[artifact:payload_bin IN (b'dGV4dQ==', b'dGV4')]", "false" },
		{ "[file:modified > t'2014-01-13T07:03:17.25Z' AND "
		  "file:modified < t'2014-01-13T07:03:17.75Z']",
		    "true" },
		{ "[file:modified = t'2014-01-13T07:03:17Z']", "false" },
		{ "[email-message:is_multipart = false]", "true" },
		{ "[file:name MATCHES '\\\\.exe$']", "true" },
		{ "[file:name = 'x'] OR [email-message:subject LIKE "
		  "'Conf%']",
		    "true" },
		{ "[x509-certificate:issuer = 'x']", "false" },
		/* No object of the first type: its falsehood counts. */
		{ "[x509-certificate:issuer = 'x'] AND [file:name = "
		  "'pdf.exe']",
		    "false" },
		{ "[file:name = 'pdf.exe'] AND [x509-certificate:issuer = "
		  "'x']",
		    "false" },
		{ "[x509-certificate:issuer = 'x'] OR [file:name = "
		  "'pdf.exe']",
		    "true" },
		{ "[file:name = 'pdf.exe'] FOLLOWEDBY [file:size = 1]",
		    "unknown" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct arena *arena = arena_new(0, NULL);
		struct stix_judgement judgement;

		assert_int_equal(stix_judge(arena, text(cases[i].pattern),
				     text(objects), &judgement),
		    TC_OK);
		if (strcmp(stix_truth_name(judgement.truth), cases[i].truth) !=
		    0)
			fail_msg("%s is %s", cases[i].pattern,
			    stix_truth_name(judgement.truth));
		arena_free(&arena);
	}
}

/* ------------------------------------------------------------ broad patterns */

static const char *
broad_reason(struct broad *broad, const char *text)
{
	struct arena *arena = arena_new(1u << 20, NULL);
	struct stix_compiled compiled;
	struct stix_pattern pattern;
	const char *reason = NULL;

	assert_int_equal(
	    stix_pattern_parse(arena, slice_text(text), 100, &pattern), TC_OK);
	assert_int_equal(
	    stix_program_compile(arena, &pattern, &compiled), TC_OK);
	assert_true(compiled.unkeyed);
	assert_int_equal(
	    broad_pattern(broad, compiled.program, &reason), TC_OK);
	arena_free(&arena);
	return reason;
}

static void
patterns_that_match_too_much_are_told_from_others(void **state)
{
	static const char *const too_broad[] = {
		"[domain-name:value LIKE '%.com']",
		"[domain-name:value LIKE '%.zip']",
		"[domain-name:value LIKE '%.co.uk']",
		"[domain-name:value LIKE '%.web.app']",
		"[domain-name:value MATCHES '\\\\.(ru|su)$']",
		"[domain-name:value MATCHES '^[a-z0-9-]+\\\\.top$']",
		"[email-addr:value LIKE '%.pl']",
		"[email-addr:value LIKE '%@%.xyz']",
		"[url:value MATCHES '^https?://[^/]+\\\\.info/']",
		"[domain-name:value LIKE '%a%']",
		"[url:value LIKE 'https://%.zip/%']",
		"[url:value LIKE 'http://%.zip/%']",
		"[domain-name:value LIKE '%q%']",
		"[domain-name:value LIKE '%er%']",
		"[ipv4-addr:value LIKE '5%']",
		"[ipv4-addr:value LIKE '10_.%']",
		"[ipv4-addr:value MATCHES '^\\\\d']",
		"[email-addr:value LIKE '%@gmail.com']",
		"[email-message:subject LIKE 'Re:%']",
		"[domain-name:value MATCHES 'tk$']",
		"[domain-name:value MATCHES 'tk\\\\Z']",
		"[domain-name:value MATCHES '\\\\.t[ko]$']",
		"[domain-name:value LIKE '%.x_z']",
		"[domain-name:value LIKE '%e%']",
		"[domain-name:value LIKE '%1%']",
		"[domain-name:value MATCHES '.']",
		"[domain-name:value MATCHES '[a-z]']",
		"[url:value MATCHES '^h']",
		"[url:value MATCHES 'http']",
		"[url:value LIKE '%/']",
		"[url:value LIKE 'https:%']",
		"[url:value LIKE '%www%']",
		"[ipv4-addr:value LIKE '%.%']",
		"[ipv4-addr:value MATCHES '^[0-9.]+$']",
		"[ipv4-addr:value LIKE '192.%']",
		"[ipv4-addr:value MATCHES '^185\\\\.']",
		"[email-message:subject LIKE '%e%']",
		"[email-message:subject MATCHES '\\\\w']",
		"[file:name LIKE '%.%']",
		"[file:name LIKE '%.pdf']",
		"[email-message:from_ref.value LIKE '%@%']",
		"[email-message:message_id MATCHES '@']",
		"[email-message:x_mailer LIKE '%']",
		"[file:hashes.MD5 LIKE '%a%']",
		("[domain-name:value LIKE '%.com' AND "
		 "email-message:subject LIKE '%a%']"),
		("[domain-name:value = 'evil.example' OR "
		 "domain-name:value LIKE '%.com']"),
	};
	static const char *const narrow[] = {
		"[domain-name:value LIKE '%.evil-one.example']",
		"[domain-name:value LIKE '%paypa1%']",
		"[domain-name:value LIKE '%microsoft%']",
		"[domain-name:value MATCHES '(chase|citi|visa)']",
		"[url:value LIKE '%support%']",
		"[domain-name:value LIKE '%.duckdns.org.evil.com']",
		"[domain-name:value LIKE 'login-%.com']",
		"[domain-name:value MATCHES '^[a-z]{16}\\\\.top$']",
		"[domain-name:value MATCHES '^update[0-9]+\\\\.com$']",
		"[url:value LIKE 'http://%/wp-content/%/gate.php']",
		"[url:value MATCHES '/[a-f0-9]{32}\\\\.php$']",
		"[url:value LIKE '%.zip']",
		"[email-message:subject MATCHES 'invoice [0-9]{10}']",
		"[email-message:subject LIKE '%URGENT: wire%']",
		"[file:name LIKE '%.exe']",
		"[file:name LIKE '%.pdf.js']",
		"[file:name MATCHES '^scan_[0-9]+\\\\.iso$']",
		"[ipv4-addr:value LIKE '185.220.101.%']",
		"[ipv4-addr:value LIKE '185.220.%']",
		"[email-addr:value LIKE 'ceo.%@gmail.com']",
		("[domain-name:value LIKE '%.com' AND "
		 "email-message:subject LIKE '%URGENT: wire%']"),
	};
	struct broad *broad = broad_new();

	(void)state;
	assert_non_null(broad);
	for (size_t i = 0; i < sizeof too_broad / sizeof *too_broad; i++)
		if (broad_reason(broad, too_broad[i]) == NULL)
			fail_msg("not too broad: %s", too_broad[i]);
	for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
		if (broad_reason(broad, narrow[i]) != NULL)
			fail_msg("%s: %s", narrow[i],
			    broad_reason(broad, narrow[i]));
	broad_free(&broad);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_whole_grammar_is_read),
	cmocka_unit_test(what_is_no_pattern_is_said_where),
	cmocka_unit_test(depth_and_comparisons_are_bounded),
	cmocka_unit_test(like_takes_any_text_and_any_character),
	cmocka_unit_test(patterns_hold_in_three_values),
	cmocka_unit_test(a_pattern_is_entered_under_what_finds_it),
	cmocka_unit_test(a_damaged_program_is_unknown),
	cmocka_unit_test(patterns_that_match_too_much_are_told_from_others),
	cmocka_unit_test(observed_data_is_judged_strictly),
};

UNIT_MAIN(tests)
