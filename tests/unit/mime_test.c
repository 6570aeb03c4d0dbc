#include <config.h>

#include <stdio.h>

#include "support/unit.h"

#include "base/builder.h"
#include "message/message.h"
#include "message/text.h"

#define BIT(name)   MIME_DEFECT_BIT(MIME_DEFECT_##name)
#define MIXED       "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
#define PART(h, b)  "--x\r\n" h "\r\n" b "\r\n"
#define END         "--x--\r\n"
#define BASE64_HEAD "Content-Transfer-Encoding: base64\r\n"
#define ZIP         "Content-Type: application/zip; name=a.zip\r\n"

static const struct message_limits small = {
	.headers = 6,
	.header_bytes = 400,
	.params = 5,
	.depth = 3,
	.parts = 8,
	.readings = 2,
	.body_bytes = 2000,
	.decoded_bytes = 1500,
	.text_bytes = 200,
	.html_bytes = 2000,
	.urls = 3,
	.addresses = 10,
};

struct mail {
	struct arena *arena;
	struct message *message;
};

static struct mail
parse_with(const struct message_limits *limits, struct slice raw)
{
	struct mail mail = { .arena = arena_new(0, NULL) };

	mail.message = message_new(mail.arena, limits, MESSAGE_NEED_ALL);
	assert_int_equal(message_parse_raw(mail.message, raw), TC_OK);
	return mail;
}

static struct mail
parse(const char *raw)
{
	return parse_with(&message_limits_default, text(raw));
}

/* The index of the first part that holds exactly these bytes, or SIZE_MAX. */
static size_t
find_content(const struct mail *mail, const char *content)
{
	const struct mime_parts *parts = message_parts(mail->message);

	for (size_t i = 0; i < parts->count; i++)
		if (slice_equal_text(parts->items[i].content, content))
			return i;
	return SIZE_MAX;
}

/* Each defect: a message that has it, and a near one that has not. */
static const struct row {
	enum mime_defect defect;
	bool small_limits;
	const char *with;
	const char *without;
} rows[] = {
	{ MIME_DEFECT_BARE_CR, false, "A: b\r\n\r\none\rtwo\r\n",
	    "A: b\r\n\r\none\r\ntwo\r\n" },
	{ MIME_DEFECT_BARE_LF, false, "A: b\r\n\r\none\ntwo\r\n",
	    "A: b\n\none\ntwo\n" },
	{ MIME_DEFECT_HEADER_MALFORMED, false,
	    MIXED PART("no field\r\n", "a") END,
	    MIXED PART("A: b\r\n", "a") END },
	{ MIME_DEFECT_HEADER_FOLDED_ODDLY, false,
	    MIXED PART("A: b\r\n \r\n c\r\n", "a") END,
	    MIXED PART("A: b\r\n c\r\n", "a") END },
	{ MIME_DEFECT_TYPE_DUPLICATE, false,
	    "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\na",
	    "Content-Type: text/html\r\nContent-Type: text/html\r\n\r\na" },
	{ MIME_DEFECT_TYPE_MALFORMED, false, "Content-Type: text/\r\n\r\na",
	    "Content-Type: text\r\n\r\na" },
	{ MIME_DEFECT_BOUNDARY_MISSING, false,
	    "Content-Type: multipart/mixed\r\n\r\na\r\n",
	    "Content-Type: text/plain\r\n\r\na\r\n" },
	{ MIME_DEFECT_BOUNDARY_AMBIGUOUS, false,
	    "Content-Type: multipart/mixed; boundary=x; boundary=y\r\n\r\n" PART(
		"", "a") END,
	    "Content-Type: multipart/mixed; boundary=x; boundary=x\r\n\r\n" PART(
		"", "a") END },
	{ MIME_DEFECT_BOUNDARY_NESTED, false,
	    MIXED "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
		  "--x\r\n\r\n1\r\n--y\r\n\r\n2\r\n--y--\r\n" END,
	    MIXED "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n"
		  "--y\r\n\r\n2\r\n--y--\r\n" END },
	{ MIME_DEFECT_DELIMITER_ODD, false,
	    MIXED PART("", "a") "--x junk\r\n\r\nb\r\n" END,
	    MIXED PART("", "a") "--x \t\r\n\r\nb\r\n" END },
	{ MIME_DEFECT_DELIMITER_MISSING, false, MIXED PART("", "a"),
	    MIXED PART("", "a") END },
	{ MIME_DEFECT_PART_AFTER_CLOSE, false,
	    MIXED PART("", "a") END PART("", "b"),
	    MIXED PART("", "a") END "\r\nepilogue\r\n" },
	{ MIME_DEFECT_CONTENT_OUTSIDE, false,
	    MIXED "begin 644 a.exe\r\n#0V%T\r\n`\r\nend\r\n" PART("", "a") END,
	    MIXED "This is a MIME message.\r\n" PART("", "a") END },
	{ MIME_DEFECT_ENCODING_DUPLICATE, false,
	    BASE64_HEAD "Content-Transfer-Encoding: 7bit\r\n\r\nQUJD\r\n",
	    BASE64_HEAD BASE64_HEAD "\r\nQUJD\r\n" },
	{ MIME_DEFECT_ENCODING_MALFORMED, false,
	    "Content-Transfer-Encoding: base64;\r\n\r\nQUJD\r\n",
	    "Content-Transfer-Encoding:  BASE64 \r\n\r\nQUJD\r\n" },
	{ MIME_DEFECT_ENCODING_UNKNOWN, false,
	    "Content-Transfer-Encoding: rot13\r\n\r\nnop\r\n",
	    "Content-Transfer-Encoding: binary\r\n\r\nnop\r\n" },
	{ MIME_DEFECT_ENCODING_COMPOSITE, false,
	    BASE64_HEAD MIXED PART("", "a") END,
	    "Content-Transfer-Encoding: 8bit\r\n" MIXED PART("", "a") END },
	{ MIME_DEFECT_BASE64_PADDING, false, BASE64_HEAD "\r\nQQ==QUJD\r\n",
	    BASE64_HEAD "\r\nQQ==\r\n" },
	{ MIME_DEFECT_BASE64_JUNK, false, BASE64_HEAD "\r\nQU#JD\r\n",
	    BASE64_HEAD "\r\nQU JD\r\n" },
	{ MIME_DEFECT_QUOTED_PRINTABLE_MALFORMED, false,
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\na=ZZ\r\n",
	    "Content-Transfer-Encoding: quoted-printable\r\n\r\na=3d=\r\n" },
	{ MIME_DEFECT_UUENCODE_MALFORMED, false,
	    "A: b\r\n\r\nbegin 644 a\r\n#0V%T\r\n",
	    "A: b\r\n\r\nbegin 644 a\r\n#0V%T\r\n`\r\nend\r\n" },
	{ MIME_DEFECT_DISPOSITION_DUPLICATE, false,
	    "Content-Disposition: inline\r\n"
	    "Content-Disposition: attachment\r\n\r\na",
	    "Content-Disposition: inline\r\n\r\na" },
	{ MIME_DEFECT_NAME_AMBIGUOUS, false,
	    "Content-Type: image/png; name=a.png\r\n"
	    "Content-Disposition: attachment; filename=a.exe\r\n\r\na",
	    "Content-Type: image/png; name=a.png\r\n"
	    "Content-Disposition: attachment; filename=b.png\r\n\r\na" },
	{ MIME_DEFECT_TYPE_NAME_CONFLICT, false,
	    "Content-Type: text/plain; name=a.zip\r\n\r\na",
	    "Content-Type: text/plain; name=a.txt\r\n\r\na" },
	{ MIME_DEFECT_PARAM_MALFORMED, false,
	    "Content-Type: a/b; name*2=b; name*1=a\r\n\r\na",
	    "Content-Type: a/b; name*1=b; name*0=a\r\n\r\na" },
	{ MIME_DEFECT_ENCODED_WORD_MALFORMED, false,
	    "Subject: =?utf-8?Q?a=4?=\r\n\r\na",
	    "Subject: =?utf-8?Q?a=41?=\r\n\r\na" },
	{ MIME_DEFECT_CHARSET_UNKNOWN, false,
	    "Content-Type: text/plain; charset=x-klingon\r\n\r\na\xe4",
	    "Content-Type: text/plain; charset=iso-8859-15\r\n\r\na\xe4" },
	{ MIME_DEFECT_MESSAGE_PARTIAL, false,
	    "Content-Type: message/partial; number=1\r\n\r\na",
	    "Content-Type: message/delivery-status\r\n\r\na" },
	{ MIME_DEFECT_EXTERNAL_BODY, false,
	    "Content-Type: message/external-body; access-type=URL\r\n\r\na",
	    "Content-Type: message/delivery-status\r\n\r\na" },
	{ MIME_DEFECT_TOO_DEEP, true,
	    "Content-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\n\r\na",
	    "Content-Type: message/rfc822\r\n\r\n"
	    "Content-Type: message/rfc822\r\n\r\n\r\na" },
	{ MIME_DEFECT_TOO_MANY_PARTS, true,
	    MIXED PART("", "1") PART("", "2") PART("", "3") PART("", "4")
		PART("", "5") PART("", "6") PART("", "7") PART("", "8") END,
	    MIXED PART("", "1") PART("", "2") PART("", "3") PART("", "4") END },
	{ MIME_DEFECT_TOO_MANY_HEADERS, true,
	    "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\nA: 7\r\n\r\na",
	    "A: 1\r\nA: 2\r\nA: 3\r\nA: 4\r\nA: 5\r\nA: 6\r\n\r\na" },
	{ MIME_DEFECT_TOO_MANY_PARAMS, true,
	    "Content-Type: a/b; a=1; b=2; c=3; d=4; e=5; f=6\r\n\r\na",
	    "Content-Type: a/b; a=1; b=2; c=3; d=4; e=5\r\n\r\na" },
	{ MIME_DEFECT_TOO_MANY_READINGS, true,
	    BASE64_HEAD "\r\nQQ==QU#JD\r\n\r\nQUJDQUJD=QQ\r\n",
	    BASE64_HEAD "\r\nQQ==QUJD\r\n" },
	{ MIME_DEFECT_TOO_MANY_URLS, true,
	    "A: b\r\n\r\nhttp://a.example/ http://b.example/ "
	    "http://c.example/ http://d.example/\r\n",
	    "A: b\r\n\r\nhttp://a.example/ http://b.example/\r\n" },
};

/* Those that were seen to appear in one message and not in a near one. */
static mime_defect_set paired;

static void
expect_pair(enum mime_defect defect, const struct message_limits *limits,
    struct slice with, struct slice without)
{
	struct mail odd = parse_with(limits, with);
	struct mail even = parse_with(limits, without);
	mime_defect_set bit = MIME_DEFECT_BIT(defect);

	if (!(message_defects(odd.message) & bit))
		fail_msg("%s is missing", mime_defect_name(defect));
	if (message_defects(even.message) & bit)
		fail_msg("%s is false", mime_defect_name(defect));
	paired |= bit;
	arena_free(&odd.arena);
	arena_free(&even.arena);
}

/* A message of `count` lines of ten digits in its header or body. */
static struct slice
long_message(struct arena *arena, const char *start, unsigned count,
    const char *line, const char *end)
{
	struct builder raw = builder_make(arena, SIZE_MAX);

	builder_text(&raw, start);
	while (count-- > 0)
		builder_text(&raw, line);
	builder_text(&raw, end);
	return builder_result(&raw);
}

static void
every_defect_appears_where_it_should_and_not_beside(void **state)
{
	static const char header[] = "Subject: ", body[] = "A: b\r\n\r\n";
	static const char nul[] = "A: b\r\n\r\na\0b";
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		expect_pair(rows[i].defect,
		    rows[i].small_limits ? &small : &message_limits_default,
		    text(rows[i].with), text(rows[i].without));
	expect_pair(MIME_DEFECT_NUL_OCTET, &message_limits_default,
	    slice_make(nul, sizeof nul - 1),
	    text("Content-Type: image/png\r\n\r\na"));
	expect_pair(MIME_DEFECT_HEADERS_TOO_LARGE, &small,
	    long_message(arena, header, 50, "0123456789", "\r\n\r\na"),
	    long_message(arena, header, 30, "0123456789", "\r\n\r\na"));
	expect_pair(MIME_DEFECT_TEXT_TOO_LARGE, &small,
	    long_message(arena, body, 30, "0123456789\r\n", ""),
	    long_message(arena, body, 10, "0123456789\r\n", ""));
	expect_pair(MIME_DEFECT_TOO_LARGE, &small,
	    long_message(arena, body, 230, "0123456789\r\n", ""),
	    long_message(arena, body, 10, "0123456789\r\n", ""));
	arena_free(&arena);
	/* a new defect needs such a pair */
	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
		if (!(paired & MIME_DEFECT_BIT(i)))
			fail_msg("%s has no pair of messages",
			    mime_defect_name((enum mime_defect)i));
}

static void
large_things_are_cut_and_told(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder raw = builder_make(arena, SIZE_MAX);
	struct mail mail;

	(void)state;
	builder_text(&raw, "A: b\r\n\r\n");
	for (unsigned i = 0; i < 30; i++)
		builder_text(&raw, "0123456789\r\n");
	mail = parse_with(&small, builder_result(&raw));
	assert_int_equal(message_defects(mail.message), BIT(TEXT_TOO_LARGE));
	assert_int_equal(message_body_text(mail.message).length, 200);
	arena_free(&mail.arena);
	for (unsigned i = 0; i < 200; i++)
		builder_text(&raw, "0123456789\r\n");
	mail = parse_with(&small, builder_result(&raw));
	assert_true(message_defects(mail.message) & BIT(TOO_LARGE));
	assert_true(message_parts(mail.message)->items[0].opaque);
	assert_int_equal(message_raw_body(mail.message).length, 2000);
	assert_true(message_body_bytes(mail.message) > 2000);
	arena_free(&mail.arena);
	raw = builder_make(arena, SIZE_MAX);
	builder_text(&raw, "Subject: ");
	for (unsigned i = 0; i < 50; i++)
		builder_text(&raw, "0123456789");
	builder_text(&raw, "\r\n\r\na");
	mail = parse_with(&small, builder_result(&raw));
	assert_int_equal(message_defects(mail.message), BIT(HEADERS_TOO_LARGE));
	arena_free(&mail.arena);
	mail = parse_with(&small,
	    slice_make("A: b\r\n\r\na\0b", sizeof "A: b\r\n\r\na\0b" - 1));
	assert_int_equal(message_defects(mail.message), BIT(NUL_OCTET));
	arena_free(&mail.arena);
	arena_free(&arena);
}

static void
each_defect_has_a_name_that_finds_it(void **state)
{
	(void)state;
	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++) {
		enum mime_defect found;
		const char *name = mime_defect_name((enum mime_defect)i);

		assert_true(mime_defect_find(text(name), &found));
		assert_int_equal(found, i);
		assert_true(
		    strlen(mime_defect_description((enum mime_defect)i)) > 10);
	}
	assert_int_equal(MIME_DEFECT_COUNT <= 64, 1);
}

/* One hidden content, "ABC", in each way of hiding it; where is the name of
 * the reading that finds it, NULL the usual one. */
static void
hidden_content_is_found_and_its_reading_is_named(void **state)
{
	static const struct {
		const char *raw;
		const char *reading;
	} hidden[] = {
		{ BASE64_HEAD "\r\nQUJD\r\n", NULL },
		{ "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
		  "=41B=\r\nC",
		    NULL },
		{ "Content-Transfer-Encoding: x-uuencode\r\n\r\n"
		  "begin 644 a\r\n#04)#\r\n`\r\nend\r\n",
		    NULL },
		{ "A: b\r\n\r\ntext\r\nbegin 644 a\r\n#04)#\r\n`\r\nend\r\n",
		    NULL },
		{ "A: b\r\n\r\n=ybegin line=128 size=3 name=a\r\nklm\r\n"
		  "=yend size=3\r\n",
		    NULL },
		{ BASE64_HEAD "Content-Transfer-Encoding: 7bit\r\n\r\nQUJD\r\n",
		    NULL },
		{ "Content-Transfer-Encoding: 7bit\r\n" BASE64_HEAD
		  "\r\nQUJD\r\n",
		    "base64" },
		{ BASE64_HEAD "\r\nQU=JD\r\n", "base64-ignore-padding" },
		{ BASE64_HEAD "\r\nQUJD=QQQ\r\n", "base64-stop" },
		{ BASE64_HEAD "\r\n#QUJDQUJD\r\nQUJD\r\n", "base64-lines" },
		{ BASE64_HEAD "\r\nZZZ\r\n\r\nQUJD\r\n", "base64-after-blank" },
		{ "Content-Type: text/plain; boundary=x\r\n"
		  "Content-Type: multipart/mixed\r\n\r\n" PART(
		      BASE64_HEAD, "QUJD") END,
		    "boundary" },
		{ "Content-Type: multipart/mixed; boundary=y; boundary=x\r\n"
		  "\r\n" PART(BASE64_HEAD, "QUJD") END,
		    "boundary" },
		{ "Content-Type: multipart/mixed\r\n\r\n" PART(
		      BASE64_HEAD, "QUJD") END,
		    "guessed-boundary" },
		{ "A: b\r\n\r\n" PART(BASE64_HEAD, "QUJD") END,
		    "guessed-boundary" },
		{ MIXED PART("", "a") END PART(BASE64_HEAD, "QUJD"),
		    "after-close" },
		{ MIXED "--x junk\r\n" BASE64_HEAD "\r\nQUJD\r\n" END,
		    "loose-delimiter" },
		{ MIXED PART(BASE64_HEAD "QUJD\r\n", "") END,
		    "headers-end-early" },
		{ MIXED "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n"
			"\r\n--x--\r\n--y\r\n" BASE64_HEAD
			"\r\nQUJD\r\n--y--\r\n" END,
		    "inner-first" },
		{ "Content-Type: message/rfc822\r\n" BASE64_HEAD
		  "\r\nQTogYg0KDQpBQkM=\r\n",
		    NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof hidden / sizeof hidden[0]; i++) {
		struct mail mail = parse(hidden[i].raw);
		size_t found = find_content(&mail, "ABC");
		const char *reading;

		if (found == SIZE_MAX)
			fail_msg("row %zu is not found", i);
		reading = message_parts(mail.message)->items[found].reading;
		if (hidden[i].reading == NULL
			? reading != NULL
			: reading == NULL ||
			      strcmp(reading, hidden[i].reading) != 0)
			fail_msg("row %zu: found by %s", i,
			    reading == NULL ? "the usual reading" : reading);
		arena_free(&mail.arena);
	}
}

static void
chunks_cut_anywhere_read_the_same(void **state)
{
	static const char body[] =
	    PART("", "hello") PART(ZIP BASE64_HEAD, "UEsDBA==") END;
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t step = 1; step < sizeof body; step++) {
		struct message *message = message_new(
		    arena, &message_limits_default, MESSAGE_NEED_ALL);
		struct slice rest = text(body);

		message_header(message, text("Content-Type"),
		    text(" multipart/mixed;\n boundary=x"));
		assert_int_equal(message_end_of_headers(message), TC_OK);
		while (rest.length > 0) {
			message_body(message, slice_range(rest, 0, step));
			rest = slice_skip(rest, step);
		}
		assert_int_equal(message_end(message), TC_OK);
		assert_int_equal(message_parts(message)->count, 3);
		assert_slice(
		    message_parts(message)->items[2].content, "PK\3\4");
		assert_int_equal(message_defects(message), 0);
	}
	arena_free(&arena);
}

static void
odd_octets_in_headers_of_the_mta_are_told(void **state)
{
	static const struct {
		const char *value;
		mime_defect_set defects;
	} values[] = {
		{ " a\r\n b", 0 },
		{ " a\n b", 0 },
		{ " a\rb", BIT(BARE_CR) },
		{ " a\r", BIT(BARE_CR) },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct message *message =
		    message_new(arena, &message_limits_default, 0);

		message_header(message, text("X"), text(values[i].value));
		assert_int_equal(message_end(message), TC_OK);
		assert_int_equal(message_defects(message), values[i].defects);
	}
	arena_free(&arena);
}

static void
digests_are_made_only_when_asked_for(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct message *message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_SHA1);
	const struct mime_part *part;

	(void)state;
	message_parse_raw(message, text(BASE64_HEAD "\r\nYWJj\r\n"));
	part = &message_parts(message)->items[0];
	assert_slice(
	    part->digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
	assert_int_equal(part->digests.md5.length, 0);
	assert_int_equal(part->digests.sha256.length, 0);
	arena_free(&arena);
}

static void
nested_parts_name_their_parents(void **state)
{
	struct mail mail = parse(
	    MIXED "--x\r\nContent-Type: multipart/alternative; boundary=y\r\n"
		  "\r\n--y\r\n\r\n1\r\n--y--\r\n" PART("", "2") END);
	const struct mime_parts *parts = message_parts(mail.message);

	(void)state;
	assert_int_equal(parts->count, 4);
	assert_int_equal(parts->items[0].parent, MIME_NO_PART);
	assert_int_equal(parts->items[1].parent, 0);
	assert_int_equal(parts->items[2].parent, 1);
	assert_int_equal(parts->items[2].depth, 2);
	assert_int_equal(parts->items[3].parent, 0);
	assert_slice(parts->items[3].text, "2");
	assert_int_equal(message_defects(mail.message), 0);
	arena_free(&mail.arena);
}

static void
text_of_all_parts_is_joined_without_what_nobody_sees(void **state)
{
	struct mail mail =
	    parse(MIXED PART("Content-Type: text/plain; charset=utf-8\r\n",
		"in\xe2\x80\x8bvo\xc2\xadice")
		    PART("Content-Type: text/html; charset=iso-8859-1\r\n",
			"<p>f\xfcr &amp; wider</p>") END);
	struct arena *arena = mail.arena;

	(void)state;
	assert_slice(
	    message_body_text(mail.message), "invoice\nf\xc3\xbcr & wider\n");
	assert_slice(text_fold_homoglyphs(arena,
			 text("\xd0\xa0\xd0\xb0\xd1\x83\xef\xbc\xb0\xc3\xa1l")),
	    "paypal");
	arena_free(&mail.arena);
}

/* Browsers go by the mark, others by the declaration. */
static void
a_byte_order_mark_is_read_beside_the_declared_charset(void **state)
{
	static const char marked[] =
	    "Content-Type: text/html; charset=utf-8\r\n\r\n\xff\xfe<\0b\0>\0h\0i\0";
	static const char plain[] =
	    "Content-Type: text/plain; charset=us-ascii\r\n\r\n\xff\xfehi";
	struct mail mail = parse_with(
	    &message_limits_default, slice_make(marked, sizeof marked - 1));

	(void)state;
	assert_true(slice_find(message_body_text(mail.message), text("hi")) !=
		    SIZE_MAX);
	arena_free(&mail.arena);
	mail =
	    parse("Content-Type: text/plain; charset=utf-16le\r\n\r\nhi you");
	assert_true(slice_find(message_body_text(mail.message), text("hi")) !=
		    SIZE_MAX);
	arena_free(&mail.arena);
	mail = parse("Content-Type: text/plain; charset=utf-7\r\n\r\n+AGg-i");
	assert_slice(message_body_text(mail.message), "hi");
	arena_free(&mail.arena);
	mail = parse_with(
	    &message_limits_default, slice_make(plain, sizeof plain - 1));
	assert_true(slice_find(message_body_text(mail.message), text("hi")) !=
		    SIZE_MAX);
	arena_free(&mail.arena);
}

/* Ten fields of a name and 256 KiB of them are kept beyond the limits. */
/* The deeper ones are hashed at their end, in one go. */
static void
each_level_of_nested_mail_has_its_digest(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice raw = long_message(arena, "", 12,
	    "Content-Type: message/rfc822\r\n\r\n", "A: b\r\n\r\nc");
	struct mail mail = parse_with(&message_limits_default, raw);
	const struct mime_parts *parts = message_parts(mail.message);

	(void)state;
	assert_int_equal(parts->count, 13);
	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *part = &parts->items[i];
		struct digests digests;

		assert_true(digest_compute(
		    arena, part->content, DIGEST_SHA256, &digests));
		assert_true(slice_equal(part->digests.sha256, digests.sha256));
		/* what is nested in it, whole */
		assert_true(slice_ends_with(raw, part->content));
		assert_int_equal(part->is_container, i < 12);
	}
	arena_free(&mail.arena);
	arena_free(&arena);
}

static void
a_name_is_also_read_up_to_its_nul(void **state)
{
	static const char raw[] = MIXED
	    "--x\r\nContent-Type: a/b; name=\"a.exe\0.txt\"\r\n\r\na\r\n" END;
	struct mail mail = parse_with(
	    &message_limits_default, slice_make(raw, sizeof raw - 1));
	const struct mime_part *part = &message_parts(mail.message)->items[1];

	(void)state;
	assert_int_equal(part->names.count, 2);
	assert_int_equal(part->names.items[0].name.length, 10);
	assert_slice(part->names.items[1].name, "a.exe");
	arena_free(&mail.arena);
}

static void
padding_hides_no_author_subject_or_attachment(void **state)
{
	static const char padding[] = "X: 1\r\nX: 2\r\nX: 3\r\nX: 4\r\n"
				      "X: 5\r\nX: 6\r\nX: 7\r\n";
	struct arena *arena = arena_new(0, NULL);
	struct builder raw = builder_make(arena, 1u << 20);
	struct mail mail;

	(void)state;
	builder_text(&raw, padding);
	builder_text(
	    &raw, "From: a@b.example\r\nSubject: lure\r\n" MIXED "--x\r\n");
	builder_text(&raw, padding);
	builder_text(&raw, ZIP BASE64_HEAD "\r\nUEs=\r\n" END);
	mail = parse_with(&small, builder_result(&raw));
	assert_int_equal(message_from(mail.message)->count, 1);
	assert_slice(message_subject(mail.message), "lure");
	assert_true(find_content(&mail, "PK") != SIZE_MAX);
	assert_int_equal(message_defects(mail.message) & BIT(TOO_MANY_HEADERS),
	    BIT(TOO_MANY_HEADERS));
	assert_int_equal(
	    header_count(message_headers(mail.message), "X"), small.headers);
	arena_free(&mail.arena);
	arena_free(&arena);
}

static void
what_is_kept_beyond_the_limits_has_an_end(void **state)
{
	struct header_field from = { text("FROM"), text(" a@b.example") };
	struct header_field other = { text("X-From"), text(" a") };
	struct header_budget budget = { .fields_left = 1, .bytes_left = 100 };
	struct header_field large = { text("Subject"),
		slice_make("", (256u << 10) - 6) };
	unsigned over;

	(void)state;
	assert_true(header_budget_take(&budget, &other, &over));
	assert_int_equal(over, 0);
	assert_false(header_budget_take(&budget, &other, &over));
	assert_int_equal(over, HEADER_OVER_COUNT);
	for (int i = 0; i < 10; i++) {
		assert_true(header_budget_take(&budget, &from, &over));
		assert_int_equal(over, HEADER_OVER_COUNT);
	}
	assert_false(header_budget_take(&budget, &from, &over));
	assert_false(header_budget_take(&budget, &large, &over));
	large.value.length--;
	assert_true(header_budget_take(&budget, &large, &over));
	large.value.length = 1;
	assert_false(header_budget_take(&budget, &large, &over));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_defect_appears_where_it_should_and_not_beside),
	cmocka_unit_test(large_things_are_cut_and_told),
	cmocka_unit_test(each_defect_has_a_name_that_finds_it),
	cmocka_unit_test(each_level_of_nested_mail_has_its_digest),
	cmocka_unit_test(a_name_is_also_read_up_to_its_nul),
	cmocka_unit_test(padding_hides_no_author_subject_or_attachment),
	cmocka_unit_test(what_is_kept_beyond_the_limits_has_an_end),
	cmocka_unit_test(hidden_content_is_found_and_its_reading_is_named),
	cmocka_unit_test(chunks_cut_anywhere_read_the_same),
	cmocka_unit_test(odd_octets_in_headers_of_the_mta_are_told),
	cmocka_unit_test(digests_are_made_only_when_asked_for),
	cmocka_unit_test(nested_parts_name_their_parents),
	cmocka_unit_test(text_of_all_parts_is_joined_without_what_nobody_sees),
	cmocka_unit_test(a_byte_order_mark_is_read_beside_the_declared_charset),
};

UNIT_MAIN(tests)
