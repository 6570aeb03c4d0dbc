/* dns, lookups, reply_cache and resolver_zone: what their headers promise */
#include <config.h>

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "dns/lookups.h"
#include "dns/reply_cache.h"
#include "dns/resolver_zone.h"
#include "support/unit.h"

static const char zone_text[] =
    "; a zone for these tests\n"
    "example.org. 300 IN TXT \"one \" \"two\"\n"
    "\tMX 10 mail.example.org.\n"
    "\tMX 20 .\n"
    "mail.example.org A 192.0.2.1\n"
    "  A 192.0.2.2 ; the second\n"
    "  AAAA 2001:db8::1\n"
    "*.wild.example.org TXT anything\n"
    "there.wild.example.org A 192.0.2.9\n"
    "www.example.org CNAME mail.example.org\n"
    "loop1.example CNAME loop2.example\n"
    "loop2.example CNAME loop1.example\n"
    "dangling.example CNAME nothing.example\n"
    "dead.example TIMEOUT\n"
    "  A 192.0.2.3\n"
    "half.example TIMEOUT TXT\n"
    "sick.example SERVFAIL\n"
    "forged.example BOGUS\n"
    "deaf.example NEVER\n"
    "gone.example NXDOMAIN\n"
    "below.gone.example A 192.0.2.4\n"
    "empty.example NODATA\n"
    "slow.example DELAY 30\n"
    "  A 192.0.2.5\n"
    "o\\032dd\\\"name.example A 192.0.2.6\n"
    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
    "long.example TXT \"" /* 300 octets follow */
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "0123456789012345678901234567890123456789012345678901234567890123456789"
    "01234567890123456789\"\n";

struct bench {
	struct arena *arena;
	struct resolver *resolver;
	struct lookups *lookups;
};

static int
set_up(void **state)
{
	static struct bench bench;
	char problem[RESOLVER_PROBLEM_MAX];

	bench.arena = arena_new(1 << 20, NULL);
	bench.resolver = resolver_zone_new(text(zone_text), problem);
	if (bench.resolver == NULL)
		fail_msg("%s", problem);
	bench.lookups = lookups_new(bench.arena, bench.resolver, NULL);
	*state = &bench;
	return bench.lookups == NULL;
}

static int
tear_down(void **state)
{
	struct bench *bench = *state;

	lookups_free(&bench->lookups);
	resolver_free(&bench->resolver);
	arena_free(&bench->arena);
	return 0;
}

static void
a_zone_answers_as_written(void **state)
{
	static const struct {
		const char *name;
		enum dns_type type;
		enum dns_state expected;
		size_t records;
	} cases[] = {
		{ "example.org", DNS_TYPE_TXT, DNS_FOUND, 1 },
		{ "EXAMPLE.org.", DNS_TYPE_MX, DNS_FOUND, 2 },
		{ "example.org", DNS_TYPE_A, DNS_NODATA, 0 },
		{ "org", DNS_TYPE_A, DNS_NODATA, 0 },
		{ "nowhere.example.org", DNS_TYPE_A, DNS_NXDOMAIN, 0 },
		{ "mail.example.org", DNS_TYPE_A, DNS_FOUND, 2 },
		{ "a.b.wild.example.org", DNS_TYPE_TXT, DNS_FOUND, 1 },
		{ "a.wild.example.org", DNS_TYPE_A, DNS_NODATA, 0 },
		{ "x.there.wild.example.org", DNS_TYPE_TXT, DNS_NXDOMAIN, 0 },
		{ "there.wild.example.org", DNS_TYPE_TXT, DNS_NODATA, 0 },
		{ "www.example.org", DNS_TYPE_AAAA, DNS_FOUND, 1 },
		{ "www.example.org", DNS_TYPE_TXT, DNS_NODATA, 0 },
		{ "www.example.org", DNS_TYPE_CNAME, DNS_FOUND, 1 },
		{ "loop1.example", DNS_TYPE_A, DNS_TEMPERROR, 0 },
		{ "dangling.example", DNS_TYPE_A, DNS_NXDOMAIN, 0 },
		{ "dead.example", DNS_TYPE_TXT, DNS_TEMPERROR, 0 },
		{ "dead.example", DNS_TYPE_A, DNS_FOUND, 1 },
		{ "half.example", DNS_TYPE_TXT, DNS_TEMPERROR, 0 },
		{ "half.example", DNS_TYPE_A, DNS_NODATA, 0 },
		{ "sick.example", DNS_TYPE_A, DNS_TEMPERROR, 0 },
		{ "forged.example", DNS_TYPE_A, DNS_TEMPERROR, 0 },
		{ "gone.example", DNS_TYPE_A, DNS_NXDOMAIN, 0 },
		{ "below.gone.example", DNS_TYPE_A, DNS_FOUND, 1 },
		{ "empty.example", DNS_TYPE_A, DNS_NODATA, 0 },
		{ "o dd\"name.example", DNS_TYPE_A, DNS_FOUND, 1 },
		{ "a..b", DNS_TYPE_A, DNS_NXDOMAIN, 0 },
		{ "", DNS_TYPE_A, DNS_NXDOMAIN, 0 },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const struct dns_answer *answer = lookups_ask(
		    bench->lookups, text(cases[i].name), cases[i].type);

		if (answer->state != cases[i].expected ||
		    answer->record_count != cases[i].records)
			fail_msg("%s %s: %s with %zu records", cases[i].name,
			    dns_type_name(cases[i].type),
			    dns_state_name(answer->state),
			    answer->record_count);
	}
	assert_true(
	    lookups_ask(bench->lookups, text("dead.example"), DNS_TYPE_TXT)
		->timed_out);
	assert_false(
	    lookups_ask(bench->lookups, text("sick.example"), DNS_TYPE_A)
		->timed_out);
	assert_true(
	    lookups_ask(bench->lookups, text("forged.example"), DNS_TYPE_A)
		->bogus);
	assert_slice(
	    lookups_ask(bench->lookups, text("www.example.org"), DNS_TYPE_A)
		->canonical_name,
	    "mail.example.org");
	assert_false(lookups_pending(bench->lookups));
}

static void
records_are_read_by_type(void **state)
{
	struct bench *bench = *state;
	const struct dns_answer *answer;
	struct slice value;
	struct ipaddr address;
	char ip[IPADDR_TEXT_MAX];

	answer = lookups_ask(bench->lookups, text("example.org"), DNS_TYPE_TXT);
	assert_true(dns_answer_text(bench->arena, answer, 0, &value));
	assert_slice(value, "one two");
	assert_false(dns_answer_text(bench->arena, answer, 1, &value));
	answer = lookups_ask(bench->lookups, text("example.org"), DNS_TYPE_MX);
	assert_int_equal(dns_answer_preference(answer, 0), 10);
	assert_true(dns_answer_name(bench->arena, answer, 0, &value));
	assert_slice(value, "mail.example.org");
	assert_true(dns_answer_name(bench->arena, answer, 1, &value));
	assert_int_equal(value.length, 0);
	answer =
	    lookups_ask(bench->lookups, text("mail.example.org"), DNS_TYPE_A);
	assert_true(dns_answer_address(answer, 1, &address));
	assert_string_equal(ipaddr_format(&address, ip), "192.0.2.2");
	assert_false(dns_answer_address(answer, 2, &address));
	answer =
	    lookups_ask(bench->lookups, text("long.example"), DNS_TYPE_TXT);
	assert_true(dns_answer_text(bench->arena, answer, 0, &value));
	assert_int_equal(value.length, 300);
	answer = lookups_ask(
	    bench->lookups, text("1.2.0.192.in-addr.arpa"), DNS_TYPE_PTR);
	assert_true(dns_answer_name(bench->arena, answer, 0, &value));
	assert_slice(value, "mail.example.org");
}

static void
broken_rdata_is_refused(void **state)
{
	static const struct {
		struct slice rdata;
		const char *text; /* NULL: none */
		const char *name;
	} cases[] = {
		{ { "", 0 }, NULL, NULL },
		{ { "\0", 1 }, "", "" },
		{ { "\3abc\0", 5 }, "abc", "abc" },
		{ { "\3abc", 4 }, "abc", NULL },
		{ { "\5abc", 4 }, NULL, NULL },
		{ { "\1a\5b", 4 }, NULL, NULL },
		{ { "\300\14", 2 }, NULL, NULL },
		{ { "\3a.b\0", 5 }, "a.b", NULL },
		{ { "\1a\1b\0", 5 }, "ab", "a.b" },
	};
	struct bench *bench = *state;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dns_answer answer = { .type = DNS_TYPE_PTR,
			.state = DNS_FOUND,
			.record_count = 1,
			.records = &cases[i].rdata };
		struct slice value = { 0 };
		bool good = dns_answer_text(bench->arena, &answer, 0, &value);

		assert_int_equal(good, cases[i].text != NULL);
		if (good)
			assert_slice(value, cases[i].text);
		good = dns_answer_name(bench->arena, &answer, 0, &value);
		assert_int_equal(good, cases[i].name != NULL);
		if (good)
			assert_slice(value, cases[i].name);
	}
}

static void
wrong_zone_lines_are_named(void **state)
{
	static const char *const cases[] = { "a.example A 192.0.2", "a.example",
		" A 192.0.2.1", "a.example A ::1", "a.example AAAA 192.0.2.1",
		"a.example MX mail", "a.example MX 70000 mail",
		"a.example NONSENSE 1", "a.example TXT", "a.example TXT \"open",
		"a.example TXT \"\\3\"", "a..example A 192.0.2.1",
		"a.example DELAY soon", "a.example TIMEOUT OFTEN",
		"a.example A 192.0.2.1 192.0.2.2", "a.example CNAME",
		"a\\.b.example A 192.0.2.1", "a.example PTR a..b" };
	char problem[RESOLVER_PROBLEM_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char zone[100];
		struct resolver *resolver;

		snprintf(zone, sizeof zone, "# first\n%s\n", cases[i]);
		resolver = resolver_zone_new(text(zone), problem);
		if (resolver != NULL)
			fail_msg("accepted: %s", cases[i]);
		assert_non_null(strstr(problem, "line 2"));
	}
	assert_null(resolver_zone_open("/nonexistent/zone", problem));
	assert_non_null(strstr(problem, "/nonexistent/zone"));
}

static void
a_question_is_asked_once(void **state)
{
	struct bench *bench = *state;
	const struct dns_answer *first, *again;
	struct lookups_usage usage;

	first = lookups_ask(bench->lookups, text("Example.Org"), DNS_TYPE_TXT);
	again = lookups_ask(bench->lookups, text("example.org."), DNS_TYPE_TXT);
	assert_ptr_equal(first, again);
	lookups_ask(bench->lookups, text("example.org"), DNS_TYPE_MX);
	lookups_usage_read(bench->lookups, &usage);
	assert_int_equal(usage.questions, 2);
	assert_int_equal(lookups_count(bench->lookups), 2);
	assert_slice(lookups_answer(bench->lookups, 0)->name, "Example.Org");
	assert_int_equal(lookups_answer(bench->lookups, 1)->type, DNS_TYPE_MX);
}

static void
waiting_ends_with_an_answer_or_in_time(void **state)
{
	struct bench *bench = *state;
	const struct dns_answer *slow, *deaf;
	uint64_t start = resolver_clock_ms();

	slow = lookups_ask(bench->lookups, text("slow.example"), DNS_TYPE_A);
	deaf = lookups_ask(bench->lookups, text("deaf.example"), DNS_TYPE_A);
	assert_int_equal(slow->state, DNS_PENDING);
	assert_int_equal(deaf->state, DNS_PENDING);
	assert_true(lookups_pending(bench->lookups));
	assert_false(lookups_wait(bench->lookups, start + 5));
	assert_true(lookups_wait(bench->lookups, start + 5000));
	assert_int_equal(slow->state, DNS_FOUND);
	assert_true(slow->took_ms >= 29);
	assert_false(lookups_wait(bench->lookups, resolver_clock_ms() + 10));
	assert_int_equal(deaf->state, DNS_PENDING);
	lookups_expire(bench->lookups);
	assert_int_equal(deaf->state, DNS_TEMPERROR);
	assert_true(deaf->timed_out);
	assert_false(lookups_pending(bench->lookups));
	assert_true(lookups_wait(bench->lookups, 0));
	/* after that only what is known at once is answered */
	assert_int_equal(
	    lookups_ask(bench->lookups, text("mail.example.org"), DNS_TYPE_A)
		->state,
	    DNS_FOUND);
	assert_int_equal(
	    lookups_ask(bench->lookups, text("slow.example"), DNS_TYPE_TXT)
		->state,
	    DNS_TEMPERROR);
	assert_false(lookups_resolver_down(bench->lookups));
}

static void
the_messages_deadline_gives_up_by_itself(void **state)
{
	struct bench *bench = *state;
	struct lookups_limits limits = LOOKUPS_LIMITS_DEFAULT;
	struct lookups *lookups;
	const struct dns_answer *deaf;

	limits.deadline_ms = 20;
	lookups = lookups_new(bench->arena, bench->resolver, &limits);
	assert_true(lookups_deadline(lookups) == UINT64_MAX);
	deaf = lookups_ask(lookups, text("deaf.example"), DNS_TYPE_A);
	assert_true(lookups_deadline(lookups) <= resolver_clock_ms() + 20);
	assert_true(lookups_wait(lookups, UINT64_MAX));
	assert_true(deaf->timed_out);
	lookups_free(&lookups);
	lookups_free(&lookups);
}

static void
limits_refuse_what_is_too_much(void **state)
{
	struct bench *bench = *state;
	struct lookups_limits limits = LOOKUPS_LIMITS_DEFAULT;
	struct lookups *lookups;
	struct lookups_usage usage;

	limits.queries_max = 2;
	lookups = lookups_new(bench->arena, bench->resolver, &limits);
	for (int i = 0; i < 100; i++) {
		char name[30];
		const struct dns_answer *answer;

		snprintf(name, sizeof name, "n%d.example", i);
		answer = lookups_ask(lookups, text(name), DNS_TYPE_A);
		assert_int_equal(
		    answer->state, i < 2 ? DNS_NXDOMAIN : DNS_TEMPERROR);
		assert_int_equal(answer->refused_by_cap, i >= 2);
	}
	assert_true(lookups_count(lookups) <= 4);
	lookups_usage_read(lookups, &usage);
	assert_int_equal(usage.questions, 2);
	lookups_free(&lookups);

	limits = LOOKUPS_LIMITS_DEFAULT;
	limits.answer_bytes_max = 200;
	lookups = lookups_new(bench->arena, bench->resolver, &limits);
	assert_true(lookups_ask(lookups, text("long.example"), DNS_TYPE_TXT)
			->refused_by_cap);
	assert_int_equal(
	    lookups_ask(lookups, text("mail.example.org"), DNS_TYPE_A)->state,
	    DNS_FOUND);
	lookups_free(&lookups);
}

static void
without_a_resolver_nothing_is_known(void **state)
{
	struct bench *bench = *state;
	struct lookups *lookups = lookups_new(bench->arena, NULL, NULL);
	const struct dns_answer *answer =
	    lookups_ask(lookups, text("example.org"), DNS_TYPE_A);

	assert_int_equal(answer->state, DNS_TEMPERROR);
	assert_true(answer->refused_by_cap);
	lookups_free(&lookups);
}

static void
a_full_arena_is_no_crash(void **state)
{
	struct bench *bench = *state;
	struct arena *arena = arena_new(5000, NULL);
	struct lookups *lookups = lookups_new(arena, bench->resolver, NULL);
	bool refused = false;

	assert_non_null(lookups);
	for (int i = 0; i < 200; i++) {
		char name[80];

		snprintf(name, sizeof name, "a-long-name-number-%d.example", i);
		refused = lookups_ask(lookups, text(name), DNS_TYPE_A)
			      ->refused_by_cap;
	}
	assert_true(refused);
	lookups_free(&lookups);
	arena_free(&arena);
}

/* A message may end at any time while answers come in from another thread. */
static void
lookups_end_while_answers_come(void **state)
{
	static const char zone[] = "*.s0.example DELAY 0\n A 192.0.2.1\n"
				   "*.s1.example DELAY 1\n A 192.0.2.1\n"
				   "*.s2.example DELAY 2\n A 192.0.2.1\n";
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver = resolver_zone_new(text(zone), problem);

	(void)state;
	assert_non_null(resolver);
	for (int round = 0; round < 50; round++) {
		struct arena *arena = arena_new(0, NULL);
		struct lookups *lookups = lookups_new(arena, resolver, NULL);

		for (int i = 0; i < 60; i++) {
			char name[40];

			snprintf(
			    name, sizeof name, "n%d.s%d.example", i, i % 3);
			lookups_ask(lookups, text(name), DNS_TYPE_A);
		}
		lookups_wait(
		    lookups, resolver_clock_ms() + (unsigned)round % 4);
		if (round % 2 == 0)
			lookups_expire(lookups);
		lookups_free(&lookups);
		arena_free(&arena);
	}
	resolver_free(&resolver);
	assert_null(resolver);
}

static struct dns_reply *
reply_of_bytes(size_t bytes, uint32_t ttl_s)
{
	char *data = test_calloc(1, bytes);
	struct slice record = slice_make(data, bytes);
	struct dns_reply *reply =
	    dns_reply_new(DNS_FOUND, ttl_s, text("x"), &record, 1);

	test_free(data);
	assert_non_null(reply);
	return reply;
}

static void
the_cache_keeps_to_ttl_entries_and_bytes(void **state)
{
	struct reply_cache *cache = reply_cache_new(256, 64 << 10);
	struct reply_cache_usage usage;
	struct dns_reply *reply = reply_of_bytes(10, 5), *found;

	(void)state;
	reply_cache_put(cache, text("a.example"), DNS_TYPE_A, reply, 1000);
	found = reply_cache_get(cache, text("a.example"), DNS_TYPE_A, 5999);
	assert_ptr_equal(found, reply);
	dns_reply_release(&found);
	assert_null(
	    reply_cache_get(cache, text("a.example"), DNS_TYPE_TXT, 1000));
	assert_null(
	    reply_cache_get(cache, text("b.example"), DNS_TYPE_A, 1000));
	assert_null(
	    reply_cache_get(cache, text("a.example"), DNS_TYPE_A, 6000));
	dns_reply_release(&reply);
	reply = reply_of_bytes(10, 0);
	reply_cache_put(cache, text("a.example"), DNS_TYPE_A, reply, 1000);
	assert_null(
	    reply_cache_get(cache, text("a.example"), DNS_TYPE_A, 1000));
	dns_reply_release(&reply);
	for (int i = 0; i < 10000; i++) {
		char name[40];

		snprintf(name, sizeof name, "n%d.example", i);
		reply = reply_of_bytes(100, 60);
		reply_cache_put(cache, text(name), DNS_TYPE_A, reply, 1000);
		dns_reply_release(&reply);
	}
	reply_cache_usage_read(cache, &usage);
	assert_true(usage.entries > 100);
	assert_true(usage.entries <= 256);
	assert_true(usage.bytes <= (64 << 10) + 32);
	reply = reply_of_bytes(60000, 60);
	reply_cache_put(cache, text("big.example"), DNS_TYPE_A, reply, 1000);
	assert_null(
	    reply_cache_get(cache, text("big.example"), DNS_TYPE_A, 1000));
	dns_reply_release(&reply);
	reply_cache_free(&cache);
	assert_null(cache);
}

static void *
use_cache(void *argument)
{
	struct reply_cache *cache = argument;

	for (int i = 0; i < 20000; i++) {
		char name[40];
		struct dns_reply *reply;

		snprintf(name, sizeof name, "n%d.example", i * 7919 % 1000);
		reply = reply_cache_get(cache, text(name), DNS_TYPE_A, 1000);
		if (reply == NULL) {
			reply = dns_reply_new(
			    DNS_NXDOMAIN, 60, text(name), NULL, 0);
			reply_cache_put(
			    cache, text(name), DNS_TYPE_A, reply, 1000);
		} else if (!slice_equal_text(reply->canonical_name, name)) {
			return cache;
		}
		dns_reply_release(&reply);
	}
	return NULL;
}

static void
threads_share_the_cache(void **state)
{
	struct reply_cache *cache = reply_cache_new(512, 100000);
	pthread_t threads[4];

	(void)state;
	for (int i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, use_cache, cache);
	for (int i = 0; i < 4; i++) {
		void *wrong;

		pthread_join(threads[i], &wrong);
		assert_null(wrong);
	}
	reply_cache_free(&cache);
}

static void
reverse_names_are_right(void **state)
{
	struct ipaddr address;
	char name[DNS_REVERSE_MAX];

	(void)state;
	assert_true(ipaddr_parse(text("192.0.2.1"), &address));
	assert_string_equal(
	    dns_reverse_name(&address, name), "1.2.0.192.in-addr.arpa");
	assert_true(ipaddr_parse(text("2001:db8::ab"), &address));
	assert_string_equal(dns_reverse_name(&address, name),
	    "b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2."
	    "ip6.arpa");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    a_zone_answers_as_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    records_are_read_by_type, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    broken_rdata_is_refused, set_up, tear_down),
		cmocka_unit_test(wrong_zone_lines_are_named),
		cmocka_unit_test_setup_teardown(
		    a_question_is_asked_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    waiting_ends_with_an_answer_or_in_time, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_messages_deadline_gives_up_by_itself, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    limits_refuse_what_is_too_much, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    without_a_resolver_nothing_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    a_full_arena_is_no_crash, set_up, tear_down),
		cmocka_unit_test(lookups_end_while_answers_come),
		cmocka_unit_test(the_cache_keeps_to_ttl_entries_and_bytes),
		cmocka_unit_test(threads_share_the_cache),
		cmocka_unit_test(reverse_names_are_right),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
