#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "support/unit.h"

#include "base/builder.h"
#include "base/scan_reason.h"
#include "scanner/entry_name.h"
#include "scanner/forms.h"
#include "scanner/pdf_filter.h"
#include "scanner/pieces.h"
#include "scanner/rar_files.h"
#include "scanner/rtf.h"
#include "scanner/share.h"
#include "scanner/vba.h"
#include "scanner/zip_names.h"

/* A zip of one stored member `a` with one octet, its directory calls it `b`:
 * 32 octets of member, 47 of directory, 22 of end record. */
#define LOCAL "PK\3\4\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0a!"
#define CENTRAL                                                              \
	"PK\1\2\x14\0\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\1\0\0\0\1\0\0\0\1\0\0" \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0b"
#define END     "PK\5\6\0\0\0\0\1\0\1\0\x2f\0\0\0\x20\0\0\0\0\0"

#define MEMBERS 10000 /* as many as are looked at */

static struct arena *arena;

static void
a_zip_behind_anything_tells_both_names(void **state)
{
	static const struct slice files[] = { SLICE_LITERAL(LOCAL CENTRAL END),
		SLICE_LITERAL("MZ and more" LOCAL CENTRAL END),
		SLICE_LITERAL(LOCAL CENTRAL END "and more") };

	(void)state;
	for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
		struct zip_names names;
		struct zip_name name;

		assert_true(zip_names_begin(files[i], MEMBERS, &names));
		assert_true(zip_names_next(&names, &name));
		assert_slice(name.central, "b");
		assert_slice(name.local, "a");
		assert_false(name.encrypted);
		assert_false(zip_names_next(&names, &name));
		assert_true(zip_names_unlisted(files[i], MEMBERS) == SIZE_MAX);
	}
}

static void
members_that_no_directory_lists_are_found(void **state)
{
	(void)state;
	assert_int_equal(
	    zip_names_unlisted(SLICE_LITERAL(LOCAL LOCAL CENTRAL END), MEMBERS),
	    0);
	assert_int_equal(
	    zip_names_unlisted(SLICE_LITERAL(LOCAL CENTRAL END LOCAL), MEMBERS),
	    101);
	assert_true(
	    zip_names_unlisted(SLICE_LITERAL("PK"), MEMBERS) == SIZE_MAX);
}

static void
a_zip_cut_anywhere_is_read_no_further(void **state)
{
	const struct slice whole = SLICE_LITERAL(LOCAL CENTRAL END);

	(void)state;
	for (size_t cut = 0; cut < whole.length; cut++) {
		struct zip_names names;

		assert_false(zip_names_begin(
		    slice_range(whole, 0, cut), MEMBERS, &names));
	}
}

static void
archives_are_found_where_unpackers_find_them(void **state)
{
	static const struct {
		struct slice file;
		size_t count, at;
		unsigned forms;
	} cases[] = {
		{ SLICE_LITERAL(""), 0, 0, 0 },
		{ SLICE_LITERAL("hello, world"), 0, 0, 0 },
		{ SLICE_LITERAL(LOCAL CENTRAL END), 1, 0, FORMS_ALL },
		{ SLICE_LITERAL("GIF89a" LOCAL CENTRAL END), 1, 0, FORMS_ZIP },
		{ SLICE_LITERAL("MZ......Rar!\x1a\x07\1"), 1, 8, FORMS_RAR },
		{ SLICE_LITERAL("MZ..7z\xbc\xaf\x27\x1c"), 1, 4, FORMS_7ZIP },
		{ SLICE_LITERAL("\x1f\x8b\x08"), 1, 0, FORMS_ALL },
		{ SLICE_LITERAL("begin 644 a\n"), 1, 0, FORMS_UUENCODE },
		{ SLICE_LITERAL("begin with this"), 0, 0, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct forms_reading readings[FORMS_READINGS_MAX];
		size_t count = forms_readings(cases[i].file, MEMBERS, readings);

		if (count != cases[i].count ||
		    (count > 0 && (readings[0].at != cases[i].at ||
				      readings[0].forms != cases[i].forms)))
			fail_msg("case %zu: %zu readings", i, count);
	}
}

static void
disks_and_foreign_archives_are_known_but_not_opened(void **state)
{
	static char disk[4096];
	static char volume[32769 + 4 * 2048];

	(void)state;
	assert_true(forms_is_closed(SLICE_LITERAL("MSWIM\0\0\0x")));
	assert_true(forms_is_closed(SLICE_LITERAL("\x60\xea\1")));
	assert_false(forms_is_closed(SLICE_LITERAL("hello")));
	assert_false(forms_is_closed(slice_make(disk, sizeof disk)));
	memcpy(disk + sizeof disk - 512, "conectix", 8);
	assert_true(forms_is_closed(slice_make(disk, sizeof disk)));
	memcpy(volume + 32769, "CD001", 5);
	assert_false(forms_is_closed(slice_make(volume, sizeof volume)));
	memcpy(volume + 32769 + 2 * 2048, "NSR03", 5);
	assert_true(forms_is_closed(slice_make(volume, sizeof volume)));
}

static void
encrypted_files_of_rar_5_are_told_in_order(void **state)
{
	/* A main block, an encrypted file, a plain one. */
	const struct slice archive =
	    SLICE_LITERAL("Rar!\x1a\x07\1\0"
			  "crc0\3\1\0\0"
			  "crc1\x0e\2\3\3\1\4\1\0\0\0\1\1\2\1\0!"
			  "crc2\x0a\2\2\1\4\1\0\0\0\1\1x!");
	struct rar_files files;
	struct rar_file file;

	(void)state;
	assert_true(rar_files_begin(archive, &files));
	assert_true(rar_files_next(&files, &file));
	assert_true(file.encrypted);
	assert_true(rar_files_next(&files, &file));
	assert_false(file.encrypted);
	assert_false(rar_files_next(&files, &file));
	for (size_t cut = 0; cut < archive.length; cut++) {
		assert_int_equal(
		    rar_files_begin(slice_range(archive, 0, cut), &files),
		    cut >= 8);
		while (rar_files_next(&files, &file))
			;
	}
}

static void
names_become_utf8_whatever_they_were(void **state)
{
	char longer[4000];

	(void)state;
	assert_slice(entry_name_utf8(arena, text("plain.txt")), "plain.txt");
	assert_slice(
	    entry_name_utf8(arena, text("\xc3\xbc.txt")), "\xc3\xbc.txt");
	assert_slice(entry_name_utf8(arena, text("\x81.txt")), "\xc3\xbc.txt");
	memset(longer, 'x', sizeof longer);
	assert_int_equal(
	    entry_name_utf8(arena, slice_make(longer, sizeof longer)).length,
	    ENTRY_NAME_BYTES_MAX);
	assert_slice(entry_name_gzip(SLICE_LITERAL(
			 "\x1f\x8b\x08\x08\0\0\0\0\0\3name.txt\0data")),
	    "name.txt");
	assert_slice(entry_name_gzip(SLICE_LITERAL(
			 "\x1f\x8b\x08\x0c\0\0\0\0\0\3\2\0xxname\0data")),
	    "name");
	assert_int_equal(
	    entry_name_gzip(SLICE_LITERAL("\x1f\x8b\x08\0\0\0\0\0\0\3data"))
		.length,
	    0);
	assert_int_equal(
	    entry_name_gzip(SLICE_LITERAL("\x1f\x8b\x08\x0c\0\0\0\0\0\3\2"))
		.length,
	    0);
}

static void
every_reason_is_explained_in_the_manual(void **state)
{
	const char *source = getenv("srcdir");
	char path[4096], line[1024], wanted[64];
	const char *name;

	(void)state;
	snprintf(path, sizeof path, "%s/packaging/man/tocsin-policy.5.in",
	    source == NULL ? "." : source);
	for (unsigned i = 0; (name = scan_reason_name(i)) != NULL; i++) {
		FILE *page = fopen(path, "r");
		bool found = false;

		if (page == NULL)
			skip();
		snprintf(wanted, sizeof wanted, ".B %s\n", name);
		while (fgets(line, sizeof line, page) != NULL)
			found = found || strcmp(line, wanted) == 0;
		fclose(page);
		if (!found)
			fail_msg("%s is not in tocsin-policy(5)", name);
	}
	assert_int_equal(
	    scan_reason_cause(text("encrypted")), SCAN_REASON_OF_MAIL);
	assert_int_equal(
	    scan_reason_cause(text("archive-bytes")), SCAN_REASON_OF_LIMIT);
	assert_int_equal(
	    scan_reason_cause(text("made-up")), SCAN_REASON_OF_FAILURE);
}

/* ---- what documents are squeezed with ---- */

/* What a reader handed out, one after the other. */
static struct builder handed_out;

static bool
take_text(void *context, struct slice content)
{
	(void)context;
	builder_slice(&handed_out, content);
	builder_byte(&handed_out, '|');
	return true;
}

static void
take_unread(void *context, const char *reason)
{
	(void)context;
	builder_printf(&handed_out, "(%s)|", reason);
}

static const struct found_limits limits = { .all_bytes = 1u << 20,
	.document_bytes = 4096,
	.objects = 10,
	.ratio = 200 };
static const struct found found = {
	.limits = &limits, .text = take_text, .unread = take_unread
};

static void
lzw_is_undone_as_the_standard_has_it(void **state)
{
	/* ISO 32000-1, 7.4.4.2 */
	const struct slice coded =
	    slice_make("\x80\x0b\x60\x50\x22\x0c\x0c\x85\x01", 9);
	const struct pdf_parameters parameters = { .predictor = 1 };
	struct pdf_budget budget = {
		.bytes_left = 1000, .bytes_max = 1000, .ratio = 200
	};
	size_t used;
	struct bytes bytes;

	(void)state;
	bytes =
	    pdf_filter_undo(PDF_FILTER_LZW, coded, &parameters, &budget, &used);
	assert_slice(bytes_slice(&bytes), "-----A---B");
	assert_int_equal(used, coded.length);
	assert_int_equal(budget.bytes_left, 990);
	bytes_free(&bytes);
	budget.bytes_max = 4;
	bytes =
	    pdf_filter_undo(PDF_FILTER_LZW, coded, &parameters, &budget, &used);
	assert_string_equal(budget.reached, "document-bytes");
	bytes_free(&bytes);
}

static void
predictors_are_undone(void **state)
{
	/* RFC 2083, 6: none, left, above, mean and Paeth, on rows of three. */
	static const char rows[] =
	    "\x00\x61\x62\x63\x01\x61\x01\x02\x02\x01\x00\x00\x03\x30\x00\xff"
	    "\x04\x19\xff\xff";
	static const char plain[] = "abcabdbbdaaazyx";
	struct pdf_parameters parameters = {
		.predictor = 12, .columns = 3, .colors = 1, .bits = 8
	};
	struct bytes bytes = { .max = 100 };

	(void)state;
	bytes_append(&bytes, slice_make(rows, sizeof rows - 1));
	pdf_filter_unpredict(&parameters, &bytes);
	assert_slice(bytes_slice(&bytes), plain);
	/* Columns that lead nowhere change nothing. */
	parameters.columns = 1000000;
	pdf_filter_unpredict(&parameters, &bytes);
	assert_slice(bytes_slice(&bytes), plain);
	bytes_free(&bytes);
}

static void
source_of_macros_is_unpacked(void **state)
{
	/* MS-OVBA 2.4.1: literal octets and copies, behind other octets. */
	static const char stream[] =
	    "\x63\x6f\x6d\x70\x69\x6c\x65\x64\x01\x38\xb0\x00\x41\x74\x74\x72"
	    "\x69\x62\x75\x74\x00\x65\x20\x56\x42\x5f\x4e\x61\x6d\x00\x65\x20"
	    "\x3d\x20\x22\x4d\x22\x0d\x04\x0a\x61\x01\x40\x68\x74\x22\x20\x26"
	    "\x00\x20\x5f\x0d\x0a\x20\x22\x74\x70\x35\x00\x50\x62\x07\x50\x63"
	    "\x00\x0c\x03\x50";

	(void)state;
	handed_out = builder_make(arena, SIZE_MAX);
	vba_sources(slice_make(stream, sizeof stream - 1), &found);
	assert_slice(builder_result(&handed_out),
	    "Attribute VB_Name = \"M\"\r\na = \"ht\" & _\r\n \"tp\"\r\n"
	    "b = \"ht\" & c & \"tp\"\r\n|");
}

static void
strings_in_pieces_are_joined(void **state)
{
	static const struct {
		const char *source, *joined;
	} cases[] = { { "a = \"ht\" & _\r\n \"tp\"", "a = \"http\"|" },
		{ "x('a'+\"b\"+ 'c')", "x('abc')|" },
		{ "\"a\" & b & \"c\"", "" }, { "it's 1 + 1, isn't it", "" },
		{ "\"a\" \"b\"", "" }, { "+'a'+'", "+'a|" }, { "+", "" },
		{ "\"a\"+", "" } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		handed_out = builder_make(arena, SIZE_MAX);
		pieces_join(text(cases[i].source), &found);
		assert_slice(builder_result(&handed_out), cases[i].joined);
	}
}

static void
shares_of_named_hosts_are_links(void **state)
{
	static const struct {
		struct slice content;
		size_t step;
		const char *link; /* empty: none */
	} cases[] = {
		{ SLICE_LITERAL("x \\\\h.test\\a\\b.txt "), 1,
		    "file://h.test/a/b.txt" },
		{ SLICE_LITERAL("\"\\\\\\\\h.test\\\\a\\\\b\""), 1,
		    "file://h.test/a/b" },
		{ SLICE_LITERAL("\\\\192.0.2.1@8080/a"), 1,
		    "file://192.0.2.1/a" },
		{ SLICE_LITERAL("\\\\h.test@SSL\\a<"), 1, "file://h.test/a" },
		{ SLICE_LITERAL("\\\\server\\a"), 1, "" },
		{ SLICE_LITERAL("\\\\h.test"), 1, "" },
		{ SLICE_LITERAL("\\\\.\\pipe"), 1, "" },
		{ SLICE_LITERAL("\\\0\\\0h\0.\0t\0s\0\\\0a\0\0"), 2,
		    "file://h.ts/a" },
		{ SLICE_LITERAL("\0\\\0\\\0h\0.\0t\0s\0\\\0a"), 2,
		    "file://h.ts/" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct share_walk walk = { .rest = cases[i].content,
			.step = cases[i].step };
		char space[SHARE_BYTES_MAX];
		struct slice link = slice_make(NULL, 0);

		assert_int_equal(
		    share_next(&walk, space, &link), cases[i].link[0] != '\0');
		assert_slice(link, cases[i].link);
		assert_false(share_next(&walk, space, &link));
	}
}

static void
squeezed_rtf_is_undone_as_the_standard_has_it(void **state)
{
	/* MS-OXRTFCP 4.1 */
	static const char packed[] =
	    "\x2d\x00\x00\x00\x2b\x00\x00\x00\x4c\x5a\x46\x75\xf1\xc5\xc7\xa7"
	    "\x03\x00\x0a\x00\x72\x63\x70\x67\x31\x32\x35\x42\x32\x0a\xf3\x20"
	    "\x68\x65\x6c\x09\x00\x20\x62\x77\x05\xb0\x6c\x64\x7d\x0a\x80\x0f"
	    "\xa0";

	(void)state;
	handed_out = builder_make(arena, SIZE_MAX);
	rtf_squeezed(slice_make(packed, sizeof packed - 1), &found);
	assert_slice(builder_result(&handed_out), "hello world|hello world|");
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
	cmocka_unit_test(a_zip_behind_anything_tells_both_names),
	cmocka_unit_test(members_that_no_directory_lists_are_found),
	cmocka_unit_test(a_zip_cut_anywhere_is_read_no_further),
	cmocka_unit_test(archives_are_found_where_unpackers_find_them),
	cmocka_unit_test(disks_and_foreign_archives_are_known_but_not_opened),
	cmocka_unit_test(encrypted_files_of_rar_5_are_told_in_order),
	cmocka_unit_test(names_become_utf8_whatever_they_were),
	cmocka_unit_test(every_reason_is_explained_in_the_manual),
	cmocka_unit_test(lzw_is_undone_as_the_standard_has_it),
	cmocka_unit_test(predictors_are_undone),
	cmocka_unit_test(source_of_macros_is_unpacked),
	cmocka_unit_test(strings_in_pieces_are_joined),
	cmocka_unit_test(shares_of_named_hosts_are_links),
	cmocka_unit_test(squeezed_rtf_is_undone_as_the_standard_has_it),
};

int
main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, finish);
}
