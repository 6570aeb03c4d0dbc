#include <config.h>

#include "support/unit.h"

#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/header.h"
#include "message/param.h"
#include "message/transfer.h"

static void
header_blocks_give_fields_and_the_body(void **state)
{
	static const struct {
		const char *block;
		const char *fields; /* "name=value|..." with folds as '~' */
		const char *body;
		unsigned oddities;
	} rows[] = {
		{ "A: b\r\nC:d\r\n\r\nbody", "A= b|C=d|", "body", 0 },
		{ "A: b\n c\n\nbody", "A= b~ c|", "body", 0 },
		{ "A: b", "A= b|", "", 0 },
		{ "\r\nbody", "", "body", 0 },
		{ "A : b\r\n\r\n", "A= b|", "", HEADER_ODD_SPACE },
		{ "junk\r\nA: b\r\n\r\n", "A= b|", "", HEADER_ODD_LINE },
		{ " A: b\r\nC: d\r\n\r\n", "A= b|C= d|", "", HEADER_ODD_LINE },
		{ "A: b\r\n \r\n c\r\n\r\n", "A= b~ ~ c|", "",
		    HEADER_ODD_BLANK },
		{ "A: b\rc\r\n\r\n", "A= b\rc|", "", HEADER_ODD_CR },
		{ "\rA: b\r\n\r\n", "A= b|", "",
		    HEADER_ODD_LINE | HEADER_ODD_CR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct header_scan scan =
		    header_scan_begin(text(rows[i].block));
		struct header_field field;
		char found[200] = "";
		size_t length = 0;

		while (header_scan_next(&scan, &field)) {
			memcpy(
			    found + length, field.name.data, field.name.length);
			length += field.name.length;
			found[length++] = '=';
			for (size_t n = 0; n < field.value.length; n++) {
				char c = field.value.data[n];

				if (c == '\r' && n + 1 < field.value.length &&
				    field.value.data[n + 1] == '\n')
					continue;
				found[length++] = (char)(c == '\n' ? '~' : c);
			}
			found[length++] = '|';
		}
		assert_string_equal(found, rows[i].fields);
		assert_slice(scan.rest, rows[i].body);
		assert_int_equal(scan.oddities, rows[i].oddities);
	}
}

static void
fields_are_found_and_unfolded(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct header_field fields[] = { { text("A"), text(" 1") },
		{ text("b"), text(" x\r\n y ") }, { text("a"), text(" 2") } };
	struct header_list list = { fields, 3, 3 };
	size_t at = 0;

	(void)state;
	assert_int_equal(header_count(&list, "A"), 2);
	assert_slice(header_find(&list, "a", &at)->value, " 1");
	assert_slice(header_find(&list, "a", &at)->value, " 2");
	assert_null(header_find(&list, "a", &at));
	assert_slice(header_unfold(arena, fields[1].value), "x y");
	arena_free(&arena);
}

static void
encoded_words_are_decoded_as_readers_do(void **state)
{
	static const struct {
		const char *value, *decoded;
		bool malformed;
	} rows[] = {
		{ "plain", "plain", false },
		{ "=?iso-8859-1?Q?a=E4_b?=", "a\xc3\xa4 b", false },
		{ "=?utf-8?B?w6Q=?=", "\xc3\xa4", false },
		{ "=?UTF-8?b?w6Q?=", "\xc3\xa4", false },
		{ "=?utf-8?Q?a?= =?utf-8?Q?b?=", "ab", false },
		{ "=?utf-8?Q?a?=\r\n =?utf-8?Q?b?=", "ab", false },
		{ "x =?utf-8?Q?a?= y", "x a y", false },
		{ "=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "\xe2\x82\xac", false },
		/* cut inside a quantum; whole, but without padding */
		{ "=?utf-8?B?YWJjZGV?= =?utf-8?B?mZ2g=?=", "abcdefgh", true },
		{ "=?utf-8?B?Y?= =?utf-8?B?WJ?= =?utf-8?B?jZGU=?= x", "abcde x",
		    true },
		{ "=?utf-8?B?YWJjZA?= =?utf-8?B?ZWZnaA?=", "abcdefgh", true },
		{ "=?utf-8?B?YWJjZGV?= =?utf-8?Q?z?=", "abcdez", false },
		{ "=?utf-8*en?Q?a?=", "a", false },
		{ "\"=?utf-8?Q?a?=\"", "\"a\"", false },
		{ "=?utf-8?Q?a b?=", "a b", false },
		{ "=?utf-8?Q?a", "a", true },
		{ "=?utf-8?Q?=4?=", "=4", true },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=", false },
		{ "=?utf-16?B?AGEAYg==?=", "ab", false },
		{ "=?nonsense?Q?a=E4?=", "a\xc3\xa4", false },
		{ "raw \xe4", "raw \xef\xbf\xbd", false },
		{ "=?utf-8?Q?=?", "=?", true },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct encoded_word_result result;

		assert_true(
		    encoded_word_decode(arena, text(rows[i].value), &result));
		assert_slice(result.text, rows[i].decoded);
		if (result.malformed != rows[i].malformed)
			fail_msg("malformed: %s", rows[i].value);
	}
	arena_free(&arena);
}

static void
each_plausible_name_is_read(void **state)
{
	static const struct {
		const char *value;
		const char *names; /* "a|b|" */
	} rows[] = {
		{ "attachment; filename=a.zip", "a.zip|" },
		{ "attachment; filename=\"a b.zip\"", "a b.zip|" },
		{ "attachment; FileName = \"a.zip\" ; x=y", "a.zip|" },
		{ "attachment; filename*=utf-8''%e2%82%ac.zip",
		    "\xe2\x82\xac.zip|" },
		{ "attachment; filename*=iso-8859-1'en'a%E4; filename=b",
		    "a\xc3\xa4|b|" },
		{ "attachment; filename*0=a.; filename*1=zip", "a.zip|" },
		{ "attachment; filename*1=zip; filename*0=a.", "a.zip|zipa.|" },
		{ "attachment; filename*0*=utf-8''%41; filename*1=.zip",
		    "A.zip|" },
		{ "attachment; filename=a.txt; filename=a.zip",
		    "a.txt|a.zip|" },
		{ "attachment; filename=\"=?utf-8?Q?a=2Ezip?=\"",
		    "a.zip|=?utf-8?Q?a=2Ezip?=|" },
		/* one encoded word in two sections, an octet in two sections,
		 * and no ';' */
		{ "attachment; filename*0=\"=?utf-8?B?YS\"; filename*1=\"56aXA=?=\"",
		    "a.zip|=?utf-8?B?YS56aXA=?=|" },
		{ "attachment; filename*0*=utf-8''a%2; filename*1*=ezip",
		    "a%2ezip|a.zip|" },
		{ "attachment filename=a.zip", "a.zip|" },
		{ "attachment; filename=(c)a.zip(d)", "a.zip|(c)a.zip(d)|" },
		{ "attachment; filename=\"a\\\"b.zip\"",
		    "a\"b.zip|a\\|\"a\\\"b.zip\"|" },
		{ "attachment; filename='a.zip'", "'a.zip'|a.zip|" },
		{ "attachment; filename=\"a.exe\".zip",
		    "a.exe.zip|a.exe|\"a.exe\".zip|" },
		{ "attachment; filename=a;.zip", "a|a;.zip|" },
		{ "attachment; filename=\"a.zip", "a.zip|\"a.zip|" },
		{ "attachment; x=\"; filename=a.zip\"; filename=b", "b|" },
		{ "attachment", "" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct param_header header;
		struct param_readings names = { .count = 0 };
		char found[300] = "";
		size_t length = 0;

		assert_true(param_header_parse(
		    arena, text(rows[i].value), 10, &header));
		assert_slice(header.token, "attachment");
		assert_true(
		    param_read(arena, &header, "filename", true, 8, &names));
		for (size_t n = 0; n < names.count; n++) {
			memcpy(found + length, names.items[n].value.data,
			    names.items[n].value.length);
			length += names.items[n].value.length;
			found[length++] = '|';
		}
		if (strcmp(found, rows[i].names) != 0)
			fail_msg("%s: %s", rows[i].value, found);
	}
	arena_free(&arena);
}

static void
encodings_are_told_from_their_decoration(void **state)
{
	static const struct {
		const char *value;
		enum transfer_encoding strict, lenient;
	} rows[] = {
		{ " base64", TRANSFER_BASE64, TRANSFER_BASE64 },
		{ " Quoted-Printable ", TRANSFER_QUOTED_PRINTABLE,
		    TRANSFER_QUOTED_PRINTABLE },
		{ " 8bit", TRANSFER_IDENTITY, TRANSFER_IDENTITY },
		{ " x-uuencode", TRANSFER_UUENCODE, TRANSFER_UUENCODE },
		{ " (c) base64", TRANSFER_BASE64, TRANSFER_BASE64 },
		{ " base64;", TRANSFER_UNKNOWN, TRANSFER_BASE64 },
		{ " xbase64x", TRANSFER_UNKNOWN, TRANSFER_BASE64 },
		{ " =?x?Q?base64?=", TRANSFER_UNKNOWN, TRANSFER_BASE64 },
		{ " rot13", TRANSFER_UNKNOWN, TRANSFER_UNKNOWN },
		{ " ", TRANSFER_IDENTITY, TRANSFER_IDENTITY },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum transfer_encoding lenient;
		mime_defect_set defects = 0;

		assert_int_equal(transfer_encoding_read(arena,
				     text(rows[i].value), &lenient, &defects),
		    rows[i].strict);
		assert_int_equal(lenient, rows[i].lenient);
		assert_int_equal(defects != 0, i >= 4 && i < 9);
	}
	arena_free(&arena);
}

static void
base64_is_read_in_each_way(void **state)
{
	static const struct {
		const char *encoded;
		enum base64_reading reading;
		const char *decoded;
	} rows[] = {
		{ "QUJD", BASE64_THROUGH, "ABC" },
		{ "QU\r\nJD\r\n", BASE64_THROUGH, "ABC" },
		{ "QUI=", BASE64_THROUGH, "AB" },
		{ "QQ==QUJD", BASE64_THROUGH, "AABC" },
		{ "QQ==QUJD", BASE64_STOP, "A" },
		{ "QU=JD", BASE64_IGNORE_PADDING, "ABC" },
		{ "M=A=MTI=", BASE64_TUPLES, "012" },
		{ "#QUJD\nQUJD", BASE64_LINES, "ABC" },
		{ "QUJD#QUJD\nQUJD", BASE64_LINE_TAILS, "ABCABC" },
		{ "QUJDQQ\nQUJD", BASE64_WHOLE_LINES, "ABCABC" },
		{ "Q", BASE64_THROUGH, "" },
		{ "QUJDQUJDQUJDQUJDQUJDQUJDQUJDQU%JDQQ==", BASE64_THROUGH,
		    "ABCABCABCABCABCABCABCABCA" },
	};
	unsigned char out[100];

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct transfer_result result = transfer_base64(
		    text(rows[i].encoded), rows[i].reading, out);

		assert_true(result.length <=
			    TRANSFER_BASE64_ROOM(strlen(rows[i].encoded)));
		assert_slice(slice_make(out, result.length), rows[i].decoded);
	}
}

static void
other_encodings_are_read(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	unsigned char out[200];
	struct transfer_result result;
	struct slice rest, name;

	(void)state;
	result = transfer_quoted_printable(
	    text("a=3D=\r\nb  \r\nc=\n=zz"), QUOTED_KEEP, out);
	assert_slice(slice_make(out, result.length), "a=b\r\nc=zz");
	assert_int_not_equal(result.defects, 0);
	result = transfer_quoted_printable(text("=P=K==03"), QUOTED_DROP, out);
	assert_slice(slice_make(out, result.length), "PK\003");
	rest = text("x\nbegin 0100644 a b.txt\n#04)#\n`\nend\ny\n"
		    "begin 600 c\n!00\nend\n");
	assert_true(transfer_uuencode_next(&rest, true, out, &name, &result));
	assert_slice(slice_make(out, result.length), "ABC");
	assert_slice(name, "a b.txt");
	assert_true(transfer_uuencode_next(&rest, true, out, &name, &result));
	assert_slice(slice_make(out, result.length), "A");
	assert_false(transfer_uuencode_next(&rest, true, out, &name, &result));
	assert_true(
	    transfer_yenc(text("=ybegin size=2 name=a\r\nk=}\r\n=yend\r\n"),
		out, &name, &result));
	assert_int_equal(result.length, 2);
	assert_int_equal(out[0], 'A');
	assert_int_equal(out[1], 0x13);
	assert_false(transfer_binhex(
	    arena, text("(BinHex 4.0)\n:!:"), 100, &rest, &name));
	arena_free(&arena);
}

static void
charsets_become_utf8(void **state)
{
	static const struct {
		const char *name, *bytes, *text;
		bool unknown;
	} rows[] = {
		{ "", "abc", "abc", false },
		{ "", "\xc3\xa4", "\xc3\xa4", false },
		{ "", "\xe4", "\xc3\xa4", false },
		{ "iso-8859-1", "\x80", "\xe2\x82\xac", false },
		{ "\"koi8-r\"", "\xc1", "\xd0\xb0", false },
		{ "utf-8", "\xe4x", "\xef\xbf\xbdx", false },
		{ "windows-1251", "\xe0", "\xd0\xb0", false },
		{ "gb2312", "\xd6\xd0", "\xe4\xb8\xad", false },
		{ "utf-7", "+AOQ-", "\xc3\xa4", false },
		{ "no-such", "\xe4", "\xc3\xa4", true },
		/* a name that only iconv knows; beyond U+10FFFF */
		{ "utf-)8", "\xf7\x8e\xb8\x8a",
		    "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", false },
		{ "utf-8//IGNORE", "a", "a", true },
		{ "no-such", "abc", "abc", true },
	};
	struct arena *arena = arena_new(0, NULL);
	struct charset_result result;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(charset_to_utf8(arena, text(rows[i].name),
		    text(rows[i].bytes), 100, &result));
		assert_slice(result.text, rows[i].text);
		assert_int_equal(result.unknown, rows[i].unknown);
	}
	assert_true(charset_to_utf8(
	    arena, text("iso-8859-1"), text("\xe4\xe4\xe4"), 3, &result));
	assert_true(result.cut);
	assert_slice(result.text, "\xc3\xa4");
	charset_close_all();
	arena_free(&arena);
}

/* Where a text is cut, and what of it is repaired. */
static void
long_texts_are_cut_at_a_character(void **state)
{
	static const struct {
		const char *name, *bytes, *text;
		size_t max;
		bool cut, invalid;
	} rows[] = {
		{ "", "abcdefghijkl", "abcdefghij", 10, true, false },
		{ "us-ascii", "abcdefghijkl", "abcdefghij", 10, true, false },
		{ "utf-8", "abcdefghij\xc3\xa4", "abcdefghij", 10, true,
		    false },
		{ "utf-8", "abcdefghi\xc3\xa4", "abcdefghi", 10, true, false },
		{ "utf-8", "abcdefgh\xc3\xa4", "abcdefgh\xc3\xa4", 10, false,
		    false },
		{ "utf-8", "abcdefgh\xe4z", "abcdefgh", 10, true, true },
		{ "utf-8", "abcdef\xe4z", "abcdef\xef\xbf\xbdz", 10, false,
		    true },
		{ "utf-8", "\xe4\xc3\xa4\xc3",
		    "\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd", 8, false, true },
		{ "utf-16le", "a\0b\0c", "a", 1, true, false },
	};
	struct arena *arena = arena_new(0, NULL);
	struct charset_result result;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		size_t length = strncmp(rows[i].name, "utf-16", 6) == 0
				    ? 4
				    : strlen(rows[i].bytes);

		assert_true(charset_to_utf8(arena, text(rows[i].name),
		    slice_make(rows[i].bytes, length), rows[i].max, &result));
		assert_slice(result.text, rows[i].text);
		assert_int_equal(result.cut, rows[i].cut);
		assert_int_equal(result.invalid, rows[i].invalid);
	}
	charset_close_all();
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(header_blocks_give_fields_and_the_body),
	cmocka_unit_test(fields_are_found_and_unfolded),
	cmocka_unit_test(encoded_words_are_decoded_as_readers_do),
	cmocka_unit_test(each_plausible_name_is_read),
	cmocka_unit_test(encodings_are_told_from_their_decoration),
	cmocka_unit_test(base64_is_read_in_each_way),
	cmocka_unit_test(other_encodings_are_read),
	cmocka_unit_test(charsets_become_utf8),
	cmocka_unit_test(long_texts_are_cut_at_a_character),
};

UNIT_MAIN(tests)
