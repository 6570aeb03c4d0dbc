#include <config.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support/unit.h"

#include "scanner/answer.h"
#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/jail.h"
#include "scanner/scanner.h"
#include "scanner/worker.h"

#define WANT_ALL                                                            \
	(SCANNER_WANT_TYPE | SCANNER_WANT_MEMBERS | SCANNER_WANT_YARA |     \
	    SCANNER_WANT_MD5 | SCANNER_WANT_SHA256 | SCANNER_WANT_CONTENT | \
	    SCANNER_WANT_URLS)

static int zygote;
static struct arena *arena;

/* Misbehaves as the part's bytes say; runs inside a worker. */
static void
misbehave(struct slice content)
{
	static char *const arguments[] = { (char *)(uintptr_t) "true", NULL };

	if (slice_equal_text(content, "do crash")) {
		signal(SIGSEGV, SIG_DFL); /* cmocka's handler is inherited */
		raise(SIGSEGV);
	}
	if (slice_equal_text(content, "do open"))
		(void)open("/etc/passwd", O_RDONLY);
	if (slice_equal_text(content, "do socket"))
		(void)socket(AF_INET, SOCK_STREAM, 0);
	if (slice_equal_text(content, "do exec"))
		execv("/bin/true", arguments);
	if (slice_equal_text(content, "do ptrace"))
		(void)ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	if (slice_equal_text(content, "do fork"))
		(void)fork();
	while (slice_equal_text(content, "do hang"))
		;
}

static struct scanner *
scanner_with(const struct scanner_ruleset *rulesets, size_t count)
{
	struct scanner_settings settings = scanner_settings_default();
	struct scanner *scanner = NULL;
	struct diag diag = diag_make(arena, 10);

	settings.workers_max = 1;
	settings.archive_entries = 1000;
	assert_int_equal(
	    scanner_new(zygote, &settings, rulesets, count, &diag, &scanner),
	    TC_OK);
	return scanner;
}

static struct scanner_result
scan(struct scanner *scanner, struct slice content, const char *name)
{
	struct scanner_budget budget = scanner_budget_start(scanner);
	struct scanner_input input = {
		.content = content, .name = slice_text(name), .want = WANT_ALL
	};
	struct scanner_result result = { 0 };

	assert_int_equal(
	    scanner_scan(scanner, arena, &budget, &input, &result), TC_OK);
	return result;
}

struct zip {
	struct archive *archive;
	char *bytes;
	size_t used, size;
};

static void
zip_begin(struct zip *zip, size_t size)
{
	zip->used = 0;
	zip->size = size;
	zip->bytes = malloc(size);
	zip->archive = archive_write_new();
	archive_write_set_format_zip(zip->archive);
	archive_write_open_memory(
	    zip->archive, zip->bytes, zip->size, &zip->used);
}

static void
zip_add(struct zip *zip, const char *name, const void *bytes, size_t size)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, name);
	archive_entry_set_size(entry, (int64_t)size);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_entry_set_perm(entry, 0644);
	assert_int_equal(archive_write_header(zip->archive, entry), ARCHIVE_OK);
	assert_int_equal(
	    archive_write_data(zip->archive, bytes, size), (ssize_t)size);
	archive_entry_free(entry);
}

static struct slice
zip_end(struct zip *zip)
{
	struct slice copy;

	archive_write_close(zip->archive);
	copy = arena_copy(arena, slice_make(zip->bytes, zip->used));
	archive_write_free(zip->archive);
	free(zip->bytes);
	return copy;
}

static void
a_plain_part_has_its_detected_type(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct scanner_result result = scan(scanner,
	    text("%PDF-1.4\n/URI (http://evil.example/x)\n"), "invoice.txt");

	(void)state;
	assert_int_equal(result.items.count, 1);
	assert_slice(result.items.items[0].type, "application/pdf");
	assert_slice(result.items.items[0].name, "invoice.txt");
	assert_int_equal(result.items.items[0].urls.count, 1);
	assert_slice(
	    result.items.items[0].urls.items[0], "http://evil.example/x");
	assert_int_equal(result.unscannable_reason.length, 0);
	scanner_free(&scanner);
}

static void
members_of_nested_archives_are_named_and_hashed(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct zip inner, outer;
	struct slice bytes;
	struct scanner_result result;
	uint8_t digest[32];

	(void)state;
	zip_begin(&inner, 1 << 16);
	zip_begin(&outer, 1 << 16);
	zip_add(&inner, "payload.js", "alert(1)", 8);
	bytes = zip_end(&inner);
	zip_add(&outer, "readme.eml", "Subject: x\r\n\r\nhello", 19);
	zip_add(&outer, "inner.zip", bytes.data, bytes.length);
	result = scan(scanner, zip_end(&outer), "outer.zip");
	assert_int_equal(result.items.count, 4);
	assert_true(result.items.items[0].flags & SCANNER_ARCHIVE);
	assert_slice(result.items.items[1].name, "readme.eml");
	assert_slice(result.items.items[1].content, "Subject: x\r\n\r\nhello");
	assert_slice(result.items.items[2].name, "inner.zip");
	assert_slice(result.items.items[3].name, "payload.js");
	assert_int_equal(result.items.items[3].parent, 2);
	assert_int_equal(result.items.items[3].depth, 2);
	EVP_Digest("alert(1)", 8, digest, NULL, EVP_sha256(), NULL);
	assert_memory_equal(result.items.items[3].sha256, digest, 32);
	scanner_free(&scanner);
}

static void
every_archive_form_is_opened_inside_the_jail(void **state)
{
	static const struct {
		int format, filter;
	} forms[] = {
		{ ARCHIVE_FORMAT_7ZIP, ARCHIVE_FILTER_NONE },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_NONE },
		{ ARCHIVE_FORMAT_TAR_PAX_INTERCHANGE, ARCHIVE_FILTER_GZIP },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_BZIP2 },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_XZ },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_ZSTD },
		{ ARCHIVE_FORMAT_TAR_USTAR, ARCHIVE_FILTER_COMPRESS },
		{ ARCHIVE_FORMAT_ISO9660, ARCHIVE_FILTER_NONE },
		{ ARCHIVE_FORMAT_RAW, ARCHIVE_FILTER_GZIP },
	};
	struct scanner *scanner = scanner_with(NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct zip file = { .size = 4 << 20, .bytes = malloc(4 << 20) };
		struct scanner_result result;
		bool found = false;

		file.archive = archive_write_new();
		archive_write_set_format(file.archive, forms[i].format);
		archive_write_add_filter(file.archive, forms[i].filter);
		archive_write_open_memory(
		    file.archive, file.bytes, file.size, &file.used);
		zip_add(&file, "evil.txt", "MARK of it", 10);
		result = scan(scanner, zip_end(&file), "evil.txt.gz");
		for (size_t j = 1; j < result.items.count; j++)
			found =
			    found ||
			    (slice_equal_text_fold(
				 result.items.items[j].name, "evil.txt") &&
				slice_equal_text(result.items.items[j].content,
				    "MARK of it"));
		if (!found)
			fail_msg("form %zu: %zu items, %.*s", i,
			    result.items.count,
			    (int)result.unscannable_reason.length,
			    result.unscannable_reason.data);
	}
	scanner_free(&scanner);
}

static void
every_archive_limit_is_named_when_it_is_reached(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	static char zeros[8 << 20];
	struct scanner_result result;
	struct zip zip;
	struct slice nested;

	(void)state;
	zip_begin(&zip, 1 << 20);
	zip_add(&zip, "zeros", zeros, sizeof zeros);
	result = scan(scanner, zip_end(&zip), "bomb.zip");
	assert_slice(result.items.items[1].reason, "archive-ratio");

	zip_begin(&zip, 1 << 20);
	for (int i = 0; i < 1001; i++)
		zip_add(&zip, "x", "y", 1);
	result = scan(scanner, zip_end(&zip), "many.zip");
	assert_slice(result.items.items[0].reason, "archive-entries");
	assert_int_equal(result.items.count, 1001);

	nested = text("deep");
	for (int i = 0; i < 6; i++) {
		zip_begin(&zip, 1 << 20);
		zip_add(&zip, "x.zip", nested.data, nested.length);
		nested = zip_end(&zip);
	}
	result = scan(scanner, nested, "deep.zip");
	assert_int_equal(result.items.count, 5);
	assert_slice(result.items.items[4].reason, "archive-depth");
	scanner_free(&scanner);
}

static void
encryption_and_two_names_of_a_zip_member_are_seen(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct zip zip;
	struct slice bytes;
	struct scanner_result result;
	char *writable;

	(void)state;
	zip_begin(&zip, 1 << 16);
	zip_add(&zip, "harmless.txt", "hello", 5);
	bytes = zip_end(&zip);
	writable = (char *)(uintptr_t)bytes.data;
	memcpy(writable + 30, "payload1.exe", 12); /* local header's name */
	result = scan(scanner, bytes, "a.zip");
	assert_true(result.items.items[0].flags & SCANNER_NAMES_DIFFER);
	assert_int_equal(result.items.count, 2);
	assert_slice(result.items.items[1].name, "payload1.exe");
	assert_slice(result.items.items[1].other_name, "harmless.txt");
	assert_slice(result.items.items[1].reason, "zip-names-differ");
	assert_int_equal(result.items.items[1].size_bytes, 5);

	writable[6] |= 1; /* general purpose flag: encrypted */
	writable[slice_find(bytes, slice_make("PK\x01\x02", 4)) + 8] |= 1;
	result = scan(scanner, bytes, "a.zip");
	assert_true(result.items.items[0].flags & SCANNER_ENCRYPTED);
	scanner_free(&scanner);
}

static void
macros_are_seen_in_office_files(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct zip zip;
	struct scanner_result result;

	(void)state;
	zip_begin(&zip, 1 << 16);
	zip_add(&zip, "[Content_Types].xml", "<x/>", 4);
	zip_add(&zip, "word/vbaProject.bin", "vba", 3);
	result = scan(scanner, zip_end(&zip), "a.docm");
	assert_true(result.items.items[0].flags & SCANNER_MACROS);
	scanner_free(&scanner);
}

static void
yara_rules_match_parts_and_members(void **state)
{
	const struct scanner_ruleset rulesets[] = {
		{ "cert", "cert.yar",
		    SLICE_LITERAL(
			"rule evil : apt high { strings: $a = \"EVIL\""
			" condition: $a }") },
	};
	struct scanner *scanner = scanner_with(rulesets, 1);
	struct zip zip;
	struct scanner_result result;

	(void)state;
	zip_begin(&zip, 1 << 16);
	zip_add(&zip, "a.txt", "some EVIL inside", 16);
	result = scan(scanner, zip_end(&zip), "a.zip");
	assert_int_equal(result.items.items[1].yara_hits.count, 1);
	assert_slice(result.items.items[1].yara_hits.items[0].ruleset, "cert");
	assert_slice(result.items.items[1].yara_hits.items[0].rule, "evil");
	assert_slice(result.items.items[1].yara_hits.items[0].tags, "apt high");
	result = scan(scanner, text("nothing here"), "a.txt");
	assert_int_equal(result.items.items[0].yara_hits.count, 0);
	scanner_free(&scanner);
}

static void
rules_that_cannot_be_trusted_are_refused_with_their_place(void **state)
{
	static const struct {
		const char *source, *says;
	} cases[] = {
		{ "rule broken {\n condition: nonsense\n}", "bad.yar:2" },
		{ "import \"pe\"\nrule x { condition: true }",
		    "module \"pe\"" },
		{ "include \"/etc/passwd\"\nrule x { condition: true }",
		    "bad.yar" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct scanner_ruleset ruleset = { "bad", "bad.yar",
			slice_text(cases[i].source) };
		struct scanner_settings settings = scanner_settings_default();
		struct scanner *scanner = NULL;
		struct diag diag = diag_make(arena, 10);

		assert_int_equal(scanner_new(zygote, &settings, &ruleset, 1,
				     &diag, &scanner),
		    TC_INVALID);
		assert_null(scanner);
		assert_true(diag.error_count > 0);
		assert_non_null(
		    strstr(diag.entries.items[0].message, cases[i].says));
	}
}

static void
a_worker_that_dies_or_breaks_out_costs_only_its_part(void **state)
{
	static const char *const deeds[] = { "do crash", "do open", "do socket",
		"do exec", "do ptrace", "do fork" };
	struct scanner *scanner = scanner_with(NULL, 0);

	(void)state;
	for (size_t i = 0; i < sizeof deeds / sizeof deeds[0]; i++) {
		struct scanner_result result;
		unsigned long deaths = scanner_counters.worker_deaths;

		result = scan(scanner, text(deeds[i]), "x");
		assert_slice(result.unscannable_reason, "scanner-worker-died");
		assert_int_equal(scanner_counters.worker_deaths, deaths + 1);
		result = scan(scanner, text("harmless"), "x");
		assert_int_equal(result.unscannable_reason.length, 0);
	}
	scanner_free(&scanner);
}

static void
a_worker_that_hangs_is_given_up_in_time(void **state)
{
	struct scanner_settings settings = scanner_settings_default();
	struct diag diag = diag_make(arena, 10);
	struct scanner *scanner = NULL;
	struct scanner_result result;
	struct timespec start, end;

	(void)state;
	settings.scan_time_ms = 300;
	settings.workers_max = 1;
	assert_int_equal(
	    scanner_new(zygote, &settings, NULL, 0, &diag, &scanner), TC_OK);
	clock_gettime(CLOCK_MONOTONIC, &start);
	result = scan(scanner, text("do hang"), "x");
	clock_gettime(CLOCK_MONOTONIC, &end);
	assert_slice(result.unscannable_reason, "scan-time");
	assert_true(end.tv_sec - start.tv_sec <= 2);
	result = scan(scanner, text("harmless"), "x");
	assert_int_equal(result.unscannable_reason.length, 0);
	scanner_free(&scanner);
}

/* Runs `deed` in a child inside the jail and returns the signal that ended
 * it. */
static int
signal_in_jail(const char *deed)
{
	pid_t child = fork();
	int status = 0;

	if (child == 0) {
		struct jail_limits limits = { 0 };

		if (jail_enter(JAIL_WORKER, &limits) != TC_OK)
			_exit(2);
		misbehave(slice_text(deed));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void
the_jail_kills_by_sigsys(void **state)
{
	(void)state;
	assert_int_equal(signal_in_jail("do open"), SIGSYS);
	assert_int_equal(signal_in_jail("do socket"), SIGSYS);
	assert_int_equal(signal_in_jail("do exec"), SIGSYS);
	assert_int_equal(signal_in_jail("do ptrace"), SIGSYS);
	assert_int_equal(signal_in_jail("do fork"), SIGSYS);
	assert_int_equal(signal_in_jail("do nothing"), 0);
}

static void
an_answer_cut_anywhere_is_refused(void **state)
{
	struct scanner_result result = { 0 }, read;
	char space[4096];
	struct wire_writer writer = { .data = space, .size = sizeof space };
	struct scanner_item *item = list_append(arena, &result.items, 10);

	(void)state;
	item->name = text("a.zip");
	*(struct slice *)list_append(arena, &item->urls, 10) = text("http://x");
	answer_write(&writer, &result);
	assert_false(writer.failed);
	assert_int_equal(
	    answer_read(slice_make(space, writer.used), arena, 10, &read),
	    TC_OK);
	assert_slice(read.items.items[0].urls.items[0], "http://x");
	for (size_t cut = 0; cut < writer.used; cut++)
		assert_int_equal(
		    answer_read(slice_make(space, cut), arena, 10, &read),
		    TC_INVALID);
}

static void
files_that_the_parser_can_read_on_in_are_told_apart(void **state)
{
	static const struct {
		const char *content, *name;
		enum guess_kind kind;
	} cases[] = {
		{ "", "", GUESS_OTHER },
		{ "hello", "", GUESS_TEXT },
		{ "a\001b", "", GUESS_OTHER },
		{ "Subject: x\r\nFrom: a@b\r\n\r\n", "", GUESS_MAIL },
		{ "From a@b Mon\nReceived: x\n", "", GUESS_MAIL },
		{ "Received: by a\n\twith b\n", "mail.bin", GUESS_MAIL },
		{ "To: do\nbuy some milk: two\n", "", GUESS_TEXT },
		{ "Subject: alone", "", GUESS_TEXT },
		{ "odd", "x.EML", GUESS_MAIL },
		{ "<!DOCTYPE html><p>", "", GUESS_HTML },
		{ "x", "a.svg", GUESS_HTML },
		{ "1 < 2", "", GUESS_TEXT },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (guess_kind(text(cases[i].content), text(cases[i].name)) !=
		    cases[i].kind)
			fail_msg("case %zu: %s", i, cases[i].content);
}

static void
files_inside_pages_are_found_and_pictures_left_out(void **state)
{
	static const struct {
		const char *page;
		bool any;
	} cases[] = {
		{ "", false },
		{ "<p>hello, world</p>", false },
		{ "src=\"data:image/png;base64,iVBORw0KGgoAAAAN\"", false },
		{ "href=\"data:image/png;base64,UEsDBBQAAAAI\"", true },
		{ "href='data:x;BASE64,UEsDBBQAAAAI", true },
		{ "data:x,UEsDBBQAAAAIUEsDBBQAAAAI", false },
		{ "var a = \"UEsDBBQAAAAI\";", false },
		{ "f('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY3ODkwYWJjZGVm"
		  "Z2hpamtsbW5vcHFyc3R1dnd4eXo=')",
		    true },
		{ "f('QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVoxMjM0NTY3ODkwYWJjZGVm"
		  "Z2hpamtsbW5vcHFyc3R1dnd4eXo=)",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		if (embedded_any(text(cases[i].page)) != cases[i].any)
			fail_msg("case %zu: %s", i, cases[i].page);
}

static void
files_inside_a_page_become_members_with_digests(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct scanner_result result = scan(scanner,
	    text("<html><a href=\"data:x/y;base64,YWxlcnQoMSk=\">"), "a.html");
	uint8_t digest[32];

	(void)state;
	assert_int_equal(result.items.count, 2);
	assert_int_equal(result.items.items[1].depth, 1);
	assert_int_equal(result.items.items[1].size_bytes, 8);
	EVP_Digest("alert(1)", 8, digest, NULL, EVP_sha256(), NULL);
	assert_memory_equal(result.items.items[1].sha256, digest, 32);
	scanner_free(&scanner);
}

static void
urls_in_utf16_are_found_in_either_order(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct scanner_result result;

	(void)state;
	result = scan(scanner,
	    slice_make("\1\2h\0t\0t\0p\0:\0/\0/\0a\0.\0b\0/\0c\0 \0", 28), "x");
	assert_int_equal(result.items.items[0].urls.count, 1);
	assert_slice(result.items.items[0].urls.items[0], "http://a.b/c");
	result = scan(scanner,
	    slice_make("\1\2\0h\0t\0t\0p\0:\0/\0/\0a\0.\0b\0/\0c\0 ", 28), "x");
	assert_int_equal(result.items.items[0].urls.count, 1);
	assert_slice(result.items.items[0].urls.items[0], "http://a.b/c");
	scanner_free(&scanner);
}

static void
a_squeezed_file_that_begins_with_nuls_is_opened(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct zip file = { .size = 1 << 16, .bytes = malloc(1 << 16) };
	static char bytes[4096];
	struct scanner_result result;

	(void)state;
	file.archive = archive_write_new();
	archive_write_set_format_raw(file.archive);
	archive_write_add_filter_gzip(file.archive);
	archive_write_open_memory(
	    file.archive, file.bytes, file.size, &file.used);
	zip_add(&file, "x", bytes, sizeof bytes);
	result = scan(scanner, zip_end(&file), "x.bin.gz");
	assert_int_equal(result.items.count, 2);
	assert_int_equal(result.items.items[1].size_bytes, sizeof bytes);
	assert_slice(result.items.items[1].name, "x.bin");
	scanner_free(&scanner);
}

static void
containers_that_nothing_opens_are_unscannable(void **state)
{
	struct scanner *scanner = scanner_with(NULL, 0);
	struct scanner_result result =
	    scan(scanner, slice_make("MSWIM\0\0\0xxxxxxxx", 16), "a.wim");

	(void)state;
	assert_slice(result.items.items[0].reason, "archive-form");
	assert_true(result.items.items[0].flags & SCANNER_UNSCANNABLE);
	scanner_free(&scanner);
}

static int
begin(void **state)
{
	(void)state;
	worker_test_hook = misbehave;
	arena = arena_new(0, NULL);
	zygote = scanner_zygote_start();
	return zygote < 0;
}

static int
finish(void **state)
{
	(void)state;
	close(zygote);
	arena_free(&arena);
	return 0;
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_plain_part_has_its_detected_type),
	cmocka_unit_test(members_of_nested_archives_are_named_and_hashed),
	cmocka_unit_test(every_archive_form_is_opened_inside_the_jail),
	cmocka_unit_test(every_archive_limit_is_named_when_it_is_reached),
	cmocka_unit_test(encryption_and_two_names_of_a_zip_member_are_seen),
	cmocka_unit_test(macros_are_seen_in_office_files),
	cmocka_unit_test(yara_rules_match_parts_and_members),
	cmocka_unit_test(
	    rules_that_cannot_be_trusted_are_refused_with_their_place),
	cmocka_unit_test(a_worker_that_dies_or_breaks_out_costs_only_its_part),
	cmocka_unit_test(a_worker_that_hangs_is_given_up_in_time),
	cmocka_unit_test(the_jail_kills_by_sigsys),
	cmocka_unit_test(an_answer_cut_anywhere_is_refused),
	cmocka_unit_test(files_that_the_parser_can_read_on_in_are_told_apart),
	cmocka_unit_test(files_inside_pages_are_found_and_pictures_left_out),
	cmocka_unit_test(files_inside_a_page_become_members_with_digests),
	cmocka_unit_test(urls_in_utf16_are_found_in_either_order),
	cmocka_unit_test(a_squeezed_file_that_begins_with_nuls_is_opened),
	cmocka_unit_test(containers_that_nothing_opens_are_unscannable),
};

int
main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, finish);
}
