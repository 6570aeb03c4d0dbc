#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

#include "language/settings.h"
#include "outcome/apply.h"
#include "outcome/header_out.h"
#include "outcome/journal.h"
#include "outcome/metrics.h"
#include "outcome/record.h"
#include "outcome/verdict_log.h"
#include "session/limits.h"

/* A folder of its own for each test, below TMPDIR. */
static int
make_folder(void **state)
{
	const char *base = getenv("TMPDIR");
	char *folder = malloc(200);

	if (folder == NULL)
		return -1;
	snprintf(
	    folder, 200, "%s/outcome-XXXXXX", base == NULL ? "/tmp" : base);
	*state = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	char *folder = *state;
	DIR *opened = opendir(folder);
	struct dirent *entry;

	while (opened != NULL && (entry = readdir(opened)) != NULL)
		unlinkat(dirfd(opened), entry->d_name, 0);
	closedir(opened);
	rmdir(folder);
	free(folder);
	return 0;
}

static char *
path_in(const char *folder, const char *name)
{
	static char path[400];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

#define NOON 1795521600 /* 2026-11-24T12:00:00Z */

static void
a_record_is_one_line_in_the_file_of_its_day(void **state)
{
	struct journal_settings settings = { .directory = *state };
	struct journal *journal = journal_new(&settings);
	char line[64];
	struct stat info;
	FILE *file;

	assert_non_null(journal);
	assert_int_equal(
	    journal_write(journal, text("{\"a\":1}"), NOON), TC_OK);
	assert_int_equal(
	    journal_write(journal, text("{\"a\":2}"), NOON), TC_OK);
	assert_int_equal(
	    journal_write(journal, text("{\"a\":3}"), NOON + 86400), TC_OK);
	file = fopen(path_in(*state, "2026-11-24.jsonl"), "r");
	assert_non_null(file);
	assert_non_null(fgets(line, sizeof line, file));
	assert_string_equal(line, "{\"a\":1}\n");
	assert_non_null(fgets(line, sizeof line, file));
	assert_string_equal(line, "{\"a\":2}\n");
	assert_null(fgets(line, sizeof line, file));
	fclose(file);
	assert_int_equal(stat(path_in(*state, "2026-11-25.jsonl"), &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	journal_free(&journal);
	assert_null(journal);
}

static void
a_link_in_place_of_the_file_is_not_followed(void **state)
{
	struct journal_settings settings = { .directory = *state };
	struct journal *journal = journal_new(&settings);

	assert_int_equal(
	    symlink("elsewhere.jsonl", path_in(*state, "2026-11-24.jsonl")), 0);
	assert_int_equal(journal_write(journal, text("{}"), NOON), TC_SYSTEM);
	assert_int_equal(errno, ELOOP);
	assert_int_equal(access(path_in(*state, "elsewhere.jsonl"), F_OK), -1);
	journal_free(&journal);
}

static void
touch(const char *folder, const char *name)
{
	FILE *file = fopen(path_in(folder, name), "w");

	assert_non_null(file);
	fclose(file);
}

static void
only_day_files_beyond_the_retention_are_removed(void **state)
{
	struct journal_settings settings = { .directory = *state,
		.retention_days = 30 };
	struct journal *journal = journal_new(&settings);

	touch(*state, "2026-10-01.jsonl");
	touch(*state, "2026-11-20.jsonl");
	touch(*state, "notes.txt");
	touch(*state, "abc.eml");
	journal_expire(journal, NOON);
	assert_int_equal(access(path_in(*state, "2026-10-01.jsonl"), F_OK), -1);
	assert_int_equal(access(path_in(*state, "2026-11-20.jsonl"), F_OK), 0);
	assert_int_equal(access(path_in(*state, "notes.txt"), F_OK), 0);
	assert_int_equal(access(path_in(*state, "abc.eml"), F_OK), 0);
	journal_free(&journal);
}

static void
a_journal_without_its_folder_says_so(void **state)
{
	struct journal_settings settings = { .directory = "/nonexistent/x" };
	struct journal *journal = journal_new(&settings);

	(void)state;
	assert_int_equal(journal_write(journal, text("{}"), NOON), TC_SYSTEM);
	assert_int_equal(errno, ENOENT);
	journal_free(&journal);
	journal_free(&journal); /* accepts NULL */
}

static void
a_reply_is_one_line_of_printable_ascii(void **state)
{
	struct apply_reply reply;
	char longest[2000];

	(void)state;
	apply_reply_make(&reply, APPLY_REJECT,
	    text("a\r\n250 ok\x01 100% d\xc3\xa9j\xc3\xa0"));
	assert_string_equal(reply.code, "550");
	assert_string_equal(reply.enhanced, "5.7.1");
	for (const char *c = reply.text; *c != '\0'; c++)
		assert_true(*c >= ' ' && *c <= '~' && *c != '%');
	memset(longest, 'x', sizeof longest);
	apply_reply_make(
	    &reply, APPLY_DEFER, slice_make(longest, sizeof longest));
	assert_string_equal(reply.code, "451");
	assert_int_equal(strlen(reply.text), 980);
	apply_reply_make(&reply, APPLY_CONTINUE, text("x"));
	assert_string_equal(reply.text, "");
}

static void
header_text_is_encoded_where_it_is_not_ascii(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice out;
	struct slice line;

	(void)state;
	assert_slice(
	    header_out_encode(arena, text("plain text")), "plain text");
	assert_slice(header_out_encode(arena, text(" d\xc3\xa9j\xc3\xa0")),
	    " =?UTF-8?Q?d=C3=A9j=C3=A0?=");
	assert_slice(header_out_encode(arena, text("a\r\nX: y")),
	    "=?UTF-8?Q?a__X=3A_y?=");
	out = header_out_encode(arena,
	    text("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3"
		 "\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9"));
	while (out.length > 0) { /* RFC 2047, 2: 75 octets a word */
		out = slice_split(out, '\n', &line);
		assert_true(slice_trim(line).length <= 75);
	}
	arena_free(&arena);
}

static void
log_values_cannot_break_the_line_or_pose_as_a_field(void **state)
{
	static const struct {
		const char *value, *shown;
	} rows[] = {
		{ "a@b.example", " k=a@b.example" },
		{ "", " k=\"\"" },
		{ "a b", " k=\"a b\"" },
		{ "x dkim=pass", " k=\"x dkim=pass\"" },
		{ "x\" dkim=pass", " k=\"x\\x22 dkim=pass\"" },
		{ "a\nb", " k=a\\x0Ab" },
		{ "a\\b", " k=a\\x5Cb" },
		{ "\x1b[2J", " k=\\x1B[2J" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct builder out = builder_make(arena, 1000);

		verdict_log_field(&out, "k", text(rows[i].value));
		assert_slice(builder_result(&out), rows[i].shown);
	}
	arena_free(&arena);
}

static void
subjects_have_one_digest_however_they_are_written(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice one = record_subject_digest(arena, text("Your  Parcel"));

	(void)state;
	assert_int_equal(one.length, 64);
	assert_true(slice_equal(
	    one, record_subject_digest(arena, text("your parcel "))));
	assert_false(slice_equal(
	    one, record_subject_digest(arena, text("your parcels"))));
	assert_int_equal(record_subject_digest(arena, text("")).length, 0);
	arena_free(&arena);
}

static void
every_counter_has_a_name_and_counts(void **state)
{
	uint64_t before = metrics_read(METRICS_ALERTS);

	(void)state;
	for (unsigned i = 0; i < METRICS_COUNT; i++)
		assert_non_null(metrics_name((enum metrics_counter)i));
	metrics_add(METRICS_ALERTS, 2);
	assert_int_equal(metrics_read(METRICS_ALERTS), before + 2);
}

static void
sessions_beyond_the_limit_are_refused_until_one_ends(void **state)
{
	struct limits limits = { 0 };
	struct settings settings = { 0 };

	(void)state;
	settings.limits.sessions = 2;
	settings.limits.memory = 64 << 20;
	limits_set(&limits, &settings);
	assert_true(limits_session_begin(&limits));
	assert_true(limits_session_begin(&limits));
	assert_false(limits_session_begin(&limits));
	limits_session_end(&limits);
	assert_true(limits_session_begin(&limits));
	assert_false(limits_memory_is_full(&limits));
	atomic_store(&limits.memory.used_bytes, (size_t)64 << 20);
	assert_true(limits_memory_is_full(&limits));
}

#define IN_FOLDER(test) \
	cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

static const struct CMUnitTest tests[] = {
	IN_FOLDER(a_record_is_one_line_in_the_file_of_its_day),
	IN_FOLDER(a_link_in_place_of_the_file_is_not_followed),
	IN_FOLDER(only_day_files_beyond_the_retention_are_removed),
	cmocka_unit_test(a_journal_without_its_folder_says_so),
	cmocka_unit_test(a_reply_is_one_line_of_printable_ascii),
	cmocka_unit_test(header_text_is_encoded_where_it_is_not_ascii),
	cmocka_unit_test(log_values_cannot_break_the_line_or_pose_as_a_field),
	cmocka_unit_test(subjects_have_one_digest_however_they_are_written),
	cmocka_unit_test(every_counter_has_a_name_and_counts),
	cmocka_unit_test(sessions_beyond_the_limit_are_refused_until_one_ends),
};

UNIT_MAIN(tests)
