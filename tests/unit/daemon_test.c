#include <config.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "support/unit.h"

#include "daemon/backoff.h"
#include "daemon/channel.h"
#include "daemon/control.h"
#include "daemon/feeds.h"
#include "daemon/socket_address.h"
#include "daemon/switches.h"
#include "daemon/watch.h"
#include "language/load.h"
#include "session/generation.h"

/* ---- addresses of the milter's socket */

static void
sockets_are_read_in_all_forms(void **state)
{
	static const struct {
		const char *given;
		const char *formatted;
		bool local;
	} cases[] = {
		{ "unix:/run/t.sock", "unix:/run/t.sock", true },
		{ "local:/run/t.sock", "unix:/run/t.sock", true },
		{ "/run/t.sock", "unix:/run/t.sock", true },
		{ "inet:8899@127.0.0.1", "inet:8899@127.0.0.1", true },
		{ "inet:8899@localhost", "inet:8899@localhost", true },
		{ "inet:8899@192.0.2.1", "inet:8899@192.0.2.1", false },
		{ "inet:8899", "inet:8899", false },
		{ "inet:8899@*", "inet:8899", false },
		{ "inet6:8899@::1", "inet6:8899@[::1]", true },
		{ "inet6:8899@[::1]", "inet6:8899@[::1]", true },
		{ "inet6:8899@2001:db8::1", "inet6:8899@[2001:db8::1]", false },
		{ "inet6:8899@mx.example", "inet6:8899@mx.example", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct socket_address address;
		char problem[256] = "";
		char form[300];

		if (!socket_address_parse(
			cases[i].given, &address, problem, sizeof problem))
			fail_msg("%s: %s", cases[i].given, problem);
		assert_true(
		    socket_address_format(&address, NULL, form, sizeof form));
		assert_string_equal(form, cases[i].formatted);
		assert_int_equal(
		    socket_address_is_local(&address), cases[i].local);
	}
}

static void
what_is_no_socket_is_explained(void **state)
{
	static const struct {
		const char *given;
		const char *explained;
	} cases[] = {
		{ "", "is no socket" },
		{ "run/t.sock", "is no socket" },
		{ "unix:", "no path" },
		{ "unix:run/t.sock", "must begin with /" },
		{ "unix:/run/", "is a folder" },
		{ "tcp:8899@127.0.0.1", "is no socket" },
		{ "inet:0@127.0.0.1", "no port" },
		{ "inet:65536@127.0.0.1", "no port" },
		{ "inet:@127.0.0.1", "no port" },
		{ "inet:", "no port" },
		{ "inet:8899@::1", "inet6:8899@::1" },
		{ "inet6:8899@127.0.0.1", "inet:8899@127.0.0.1" },
		/* as in main.cf */
		{ "inet:127.0.0.1:8899", "\"inet:8899@127.0.0.1\"" },
		{ "inet6:[::1]:8899", "\"inet6:8899@[::1]\"" },
		{ "inet:localhost:8899", "\"inet:8899@localhost\"" },
	};
	char longest[200] = "unix:/";

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct socket_address address;
		char problem[256] = "";

		assert_false(socket_address_parse(
		    cases[i].given, &address, problem, sizeof problem));
		if (strstr(problem, cases[i].explained) == NULL)
			fail_msg("%s: %s", cases[i].given, problem);
	}
	memset(longest + 6, 'x', sizeof longest - 7);
	longest[sizeof longest - 1] = '\0';
	for (size_t length = 90; length < 120; length++) {
		struct socket_address address;
		char problem[256] = "";
		char path[200];

		snprintf(path, sizeof path, "%.*s", (int)length, longest);
		assert_int_equal(socket_address_parse(
				     path, &address, problem, sizeof problem),
		    length - 5 < SOCKET_ADDRESS_PATH_MAX);
	}
}

/* ---- back-off */

static void
restarts_come_within_a_second_and_slow_down(void **state)
{
	struct backoff backoff = { 0 };
	uint64_t before = 0;

	(void)state;
	assert_int_equal(backoff_next_ms(&backoff, 100), 0);
	for (unsigned i = 0; i < 100; i++) {
		uint64_t pause = backoff_next_ms(&backoff, 100);

		assert_true(pause >= before);
		assert_in_range(pause, BACKOFF_FIRST_MS, BACKOFF_LAST_MS);
		before = pause;
	}
	assert_int_equal(before, BACKOFF_LAST_MS);
	assert_true(BACKOFF_LAST_MS <= 1000);
}

static void
a_filter_that_lived_long_starts_anew_at_once(void **state)
{
	struct backoff backoff = { 0 };

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		(void)backoff_next_ms(&backoff, 0);
	assert_int_equal(backoff_next_ms(&backoff, BACKOFF_SOUND_MS), 0);
	assert_int_equal(backoff_next_ms(&backoff, 0), BACKOFF_FIRST_MS);
}

/* ---- channel and control */

static void
objects_cross_a_channel_whole(void **state)
{
	struct cJSON *object = cJSON_CreateObject();
	struct cJSON *got = NULL;
	char *large = malloc(60001);
	int ends[2];

	(void)state;
	assert_non_null(large);
	memset(large, 'x', 60000);
	large[60000] = '\0';
	assert_true(channel_pair(ends));
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_NOTHING);
	cJSON_AddStringToObject(object, "text", large);
	cJSON_AddNumberToObject(object, "number", 7);
	cJSON_AddTrueToObject(object, "truth");
	assert_true(channel_send(ends[1], object));
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_RECEIVED);
	assert_string_equal(channel_text(got, "text"), large);
	assert_true(channel_number(got, "number") == 7);
	assert_true(channel_truth(got, "truth"));
	assert_string_equal(channel_text(got, "absent"), "");
	assert_string_equal(channel_text(got, "number"), "");
	assert_true(channel_number(got, "text") == 0);
	cJSON_Delete(got);
	assert_int_equal(write(ends[1], "nonsense", 8), 8);
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_GARBAGE);
	assert_int_equal(write(ends[1], "[1]", 3), 3);
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_GARBAGE);
	assert_null(got);
	close(ends[1]);
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_CLOSED);
	close(ends[0]);
	free(large);
}

static void
what_is_too_large_is_not_sent_in_part(void **state)
{
	struct cJSON *object = cJSON_CreateObject();
	char *large = malloc(CHANNEL_BYTES_MAX + 1);
	struct cJSON *got = NULL;
	int ends[2];

	(void)state;
	assert_non_null(large);
	memset(large, 'x', CHANNEL_BYTES_MAX);
	large[CHANNEL_BYTES_MAX] = '\0';
	assert_true(channel_pair(ends));
	cJSON_AddStringToObject(object, "text", large);
	assert_false(channel_send(ends[1], object));
	assert_int_equal(channel_receive(ends[0], &got), CHANNEL_NOTHING);
	close(ends[0]);
	close(ends[1]);
	free(large);
}

static void
a_control_socket_replaces_no_file(void **state)
{
	char folder[] = "daemon-test-XXXXXX";
	char path[64];
	char problem[256] = "";
	struct stat info;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/control", folder);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(
	    control_listen(path, geteuid(), problem, sizeof problem), -1);
	assert_non_null(strstr(problem, "is no socket"));
	assert_int_equal(unlink(path), 0);
	fd = control_listen(path, geteuid(), problem, sizeof problem);
	assert_true(fd >= 0);
	assert_int_equal(stat(path, &info), 0);
	assert_int_equal(info.st_mode & 0777, 0600);
	close(fd);
	/* One that was left behind is replaced. */
	fd = control_listen(path, geteuid(), problem, sizeof problem);
	assert_true(fd >= 0);
	close(fd);
	unlink(path);
	rmdir(folder);
}

/* ---- switches */

static void
switches_survive_in_their_file_and_end(void **state)
{
	char folder[] = "daemon-test-XXXXXX";
	struct arena *arena = arena_new(0, NULL);
	struct switches switches = { 0 };
	struct switches_entry ended;
	const struct switches_entry first = { .name = "containment",
		.on = true,
		.until_unix = 2000,
		.since_unix = 1000,
		.reason = "ticket \"41\"\n",
		.by = "me" };
	const struct switches_entry second = {
		.name = "other", .on = false, .reason = "", .by = ""
	};
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(switches_read(folder, arena, &switches), TC_OK);
	assert_int_equal(switches.entries.count, 0);
	assert_int_equal(switches_set(&switches, arena, &first), TC_OK);
	assert_int_equal(switches_set(&switches, arena, &second), TC_OK);
	assert_int_equal(switches_set(&switches, arena, &first), TC_OK);
	assert_int_equal(switches_write(folder, &switches), TC_OK);

	assert_int_equal(switches_read(folder, arena, &switches), TC_OK);
	assert_int_equal(switches.entries.count, 2);
	assert_string_equal(
	    switches_find(&switches, "containment")->reason, first.reason);
	assert_false(switches_end_one(&switches, 1999, &ended));
	assert_true(switches_end_one(&switches, 2000, &ended));
	assert_string_equal(ended.name, "containment");
	assert_null(switches_find(&switches, "containment"));
	assert_true(switches_clear(&switches, "other"));
	assert_false(switches_clear(&switches, "other"));
	snprintf(path, sizeof path, "%s/%s", folder, SWITCHES_FILE_NAME);
	assert_int_equal(unlink(path), 0);
	rmdir(folder);
	arena_free(&arena);
}

static void
a_damaged_file_of_switches_sets_nothing(void **state)
{
	static const char *const contents[] = { "", "{}", "[", "[1]",
		"[{\"name\":\"\"}]", "[{\"on\":true}]" };
	char folder[] = "daemon-test-XXXXXX";
	struct arena *arena = arena_new(0, NULL);
	struct switches switches;
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/%s", folder, SWITCHES_FILE_NAME);
	for (size_t i = 0; i < sizeof contents / sizeof contents[0]; i++) {
		FILE *file = fopen(path, "we");

		assert_non_null(file);
		fputs(contents[i], file);
		fclose(file);
		assert_int_equal(
		    switches_read(folder, arena, &switches), TC_INVALID);
		assert_int_equal(switches.entries.count, 0);
	}
	/* A link is not followed. */
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(switches_read(folder, arena, &switches), TC_SYSTEM);
	unlink(path);
	rmdir(folder);
	arena_free(&arena);
}

/* ---- watching files */

static void
put(const char *path, const char *content)
{
	FILE *file = fopen(path, "we");

	assert_non_null(file);
	fputs(content, file);
	fclose(file);
}

static void
a_file_that_is_being_written_is_left_until_it_rests(void **state)
{
	char folder[] = "daemon-test-XXXXXX";
	struct watch watch = { 0 };
	char path[64];

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/list", folder);
	put(path, "one");
	watch_take(&watch, path);
	assert_false(watch_settled(&watch, path));
	put(path, "one two");
	assert_false(watch_settled(&watch, path)); /* it just changed */
	put(path, "one two three");
	assert_false(watch_settled(&watch, path));
	assert_true(watch_settled(&watch, path));
	assert_false(watch_settled(&watch, path)); /* taken */
	put(path, "four");
	assert_true(watch_changed(&watch, path));
	assert_false(watch_changed(&watch, path));
	unlink(path);
	assert_false(watch_settled(&watch, path));
	assert_false(watch_settled(&watch, path)); /* gone: nothing to read */
	assert_true(watch_changed(&watch, path));
	rmdir(folder);
}

/* ---- generations */

static unsigned freed;

static void
count_free(void *thing)
{
	unsigned *number = thing;

	freed |= *number;
}

static void
a_part_lives_as_long_as_who_needs_it(void **state)
{
	unsigned first = 1;
	unsigned second = 2;
	struct generation_part *program =
	    generation_part_new(&first, count_free, NULL);
	struct generation_part *needs[GENERATION_NEEDS_MAX] = { program };
	struct generation_part *lists =
	    generation_part_new(&second, count_free, needs);
	struct generation_input input = {
		.parts = { [GENERATION_POLICY] = program,
		    [GENERATION_LISTS] = lists },
		.policy_generation = 1,
	};
	struct generation_slot slot = GENERATION_SLOT_INITIALIZER;
	struct generation *in_use;
	struct generation *next;

	(void)state;
	freed = 0;
	generation_slot_put(&slot, generation_new(&input));
	in_use = generation_slot_take(&slot);
	assert_ptr_equal(generation_basis(in_use)->program, (void *)&first);
	/* The next one has other lists, and the same policy. */
	generation_part_release(&lists);
	input.parts[GENERATION_LISTS] = NULL;
	next = generation_new(&input);
	assert_true(generation_same_policy(in_use, next));
	generation_slot_put(&slot, next);
	generation_part_release(&program);
	assert_int_equal(freed, 0);
	generation_release(&in_use);
	assert_null(in_use);
	assert_int_equal(freed, 2);
	generation_slot_put(&slot, NULL);
	assert_int_equal(freed, 3);
	assert_null(generation_slot_take(&slot));
	generation_release(&in_use);
}

/* Two places know the defaults: the table of settings and the engine, which
 * builds the overlay and the tests' stores without any. */
static void
limits_without_settings_are_those_of_the_engine(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct load_options options = { .now = 1796000000 };
	struct diag diag = diag_make(arena, 10);
	struct program *program = load_text("t",
	    slice_text("own-domains { \"a.example\" }\n"), "", &options, &diag);
	struct build_limits built = build_limits_defaults();
	struct exempt_limits exempt = exempt_limits_defaults();
	struct build_request request;

	(void)state;
	assert_non_null(program);
	assert_int_equal(
	    feeds_build_request(program, 1796000000, arena, &request), TC_OK);
	assert_int_equal(
	    request.limits.unkeyed_patterns_max, built.unkeyed_patterns_max);
	assert_int_equal(request.limits.entries_max, built.entries_max);
	assert_int_equal(request.limits.same_key_max, built.same_key_max);
	assert_int_equal(request.limits.suppressed_max, built.suppressed_max);
	assert_int_equal(request.limits.rules_max, built.rules_max);
	assert_int_equal(
	    request.limits.feed.line_bytes_max, built.feed.line_bytes_max);
	assert_int_equal(
	    request.limits.feed.columns_max, built.feed.columns_max);
	assert_int_equal(
	    request.limits.feed.object_bytes_max, built.feed.object_bytes_max);
	assert_int_equal(
	    request.limits.feed.json_depth_max, built.feed.json_depth_max);
	assert_int_equal(request.limits.feed.pattern_bytes_max,
	    built.feed.pattern_bytes_max);
	assert_int_equal(request.limits.feed.pattern_atoms_max,
	    built.feed.pattern_atoms_max);
	assert_int_equal(request.limits.feed.files_max, built.feed.files_max);
	assert_int_equal(
	    request.exempt.limits.list_bytes_max, exempt.list_bytes_max);
	assert_int_equal(request.exempt.limits.lists_max, exempt.lists_max);
	assert_int_equal(request.exempt.limits.entries_max, exempt.entries_max);
	assert_int_equal(request.exempt.limits.regexes_max, exempt.regexes_max);
	assert_int_equal(
	    request.exempt.limits.regex_steps_max, exempt.regex_steps_max);
	program_free(&program);
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sockets_are_read_in_all_forms),
	cmocka_unit_test(what_is_no_socket_is_explained),
	cmocka_unit_test(restarts_come_within_a_second_and_slow_down),
	cmocka_unit_test(a_filter_that_lived_long_starts_anew_at_once),
	cmocka_unit_test(objects_cross_a_channel_whole),
	cmocka_unit_test(what_is_too_large_is_not_sent_in_part),
	cmocka_unit_test(a_control_socket_replaces_no_file),
	cmocka_unit_test(switches_survive_in_their_file_and_end),
	cmocka_unit_test(a_damaged_file_of_switches_sets_nothing),
	cmocka_unit_test(a_file_that_is_being_written_is_left_until_it_rests),
	cmocka_unit_test(a_part_lives_as_long_as_who_needs_it),
	cmocka_unit_test(limits_without_settings_are_those_of_the_engine),
};

UNIT_MAIN(tests)
