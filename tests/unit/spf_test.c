/* SPF by RFC 7208, section by section, with scripted zones */
#include <config.h>

#include <stdio.h>

#include "auth/spf.h"
#include "auth/spf_macro.h"
#include "auth/spf_record.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "support/unit.h"

static const char zone_text[] =
    /* hosts */
    "mail.example.org A 192.0.2.1\n"
    "mail.example.org AAAA 2001:db8::1\n"
    "other.example.org A 198.51.100.7\n"
    "1.2.0.192.in-addr.arpa PTR mail.example.org\n"
    "9.2.0.192.in-addr.arpa PTR claims.example.org\n"
    "claims.example.org A 203.0.113.9\n"
    "*.wild.example.org TXT \"v=spf1 +all\"\n"
    "8.2.0.192.in-addr.arpa SERVFAIL\n"
    /* section 4 */
    "none.example.org TXT \"hello\" \n"
    "two.example.org TXT \"v=spf1 -all\"\n"
    "two.example.org TXT \"v=spf1 +all\"\n"
    "case.example.org TXT \"V=SPF1 IP4:192.0.2.0/24 -ALL\"\n"
    "joined.example.org TXT \"v=spf1 ip4:192.\" \"0.2.1 -all\"\n"
    "notone.example.org TXT \"v=spf10 +all\"\n"
    "late.example.org TIMEOUT\n"
    "sick.example.org SERVFAIL\n"
    "forged.example.org BOGUS\n"
    "empty.example.org TXT \"v=spf1\"\n"
    "order.example.org TXT \"v=spf1 ?ip4:192.0.2.1 -ip4:192.0.2.1 +all\"\n"
    /* syntax */
    "bad1.example.org TXT \"v=spf1 +all bogus\"\n"
    "bad2.example.org TXT \"v=spf1 +all ip4:1.2.3\"\n"
    "bad3.example.org TXT \"v=spf1 +all a:foo\"\n"
    "bad4.example.org TXT \"v=spf1 +all/8\"\n"
    "bad5.example.org TXT \"v=spf1 +all redirect=\"\n"
    "bad6.example.org TXT \"v=spf1 +all exp=x.org exp=y.org\"\n"
    "bad7.example.org TXT \"v=spf1 +all a/33\"\n"
    "bad8.example.org TXT \"v=spf1 +all a//129\"\n"
    "bad9.example.org TXT \"v=spf1 +all exists:%{z}.org\"\n"
    "bad10.example.org TXT \"v=spf1 +all exists:%{c}.org\"\n"
    "bad11.example.org TXT \"v=spf1 +all exists:%{d0}.org\"\n"
    "bad12.example.org TXT \"v=spf1 +all\\009\"\n"
    "bad13.example.org TXT \"v=spf1 +all \\233\"\n"
    "bad14.example.org TXT \"v=spf1 +all ip4:192.0.2.1/032\"\n"
    "bad15.example.org TXT \"v=spf1 +all x=%\"\n"
    /* mechanisms */
    "a.example.org TXT \"v=spf1 a:mail.example.org -all\"\n"
    "cidr.example.org TXT \"v=spf1 a:other.example.org/0 -all\"\n"
    "cidr6.example.org TXT \"v=spf1 a:mail.example.org//64 -all\"\n"
    "mx.example.org TXT \"v=spf1 mx -all\"\n"
    "mx.example.org MX 5 .\n"
    "mx.example.org MX 10 mail.example.org\n"
    "ptr.example.org TXT \"v=spf1 ptr:example.org -all\"\n"
    "ptrno.example.org TXT \"v=spf1 ptr:example.com -all\"\n"
    "ip6.example.org TXT \"v=spf1 ip6:2001:db8::/32 -all\"\n"
    "ip6all.example.org TXT \"v=spf1 ip6:::/0 -all\"\n"
    "exists.example.org TXT \"v=spf1 exists:%{ir}.%{v}._x.%{d2} -all\"\n"
    "1.2.0.192.in-addr._x.example.org A 127.0.0.2\n"
    "inc.example.org TXT \"v=spf1 ?include:a.example.org -all\"\n"
    "incnone.example.org TXT \"v=spf1 include:none.example.org +all\"\n"
    "inclate.example.org TXT \"v=spf1 include:late.example.org +all\"\n"
    "incbad.example.org TXT \"v=spf1 include:bad1.example.org +all\"\n"
    "alate.example.org TXT \"v=spf1 a:late.example.org +all\"\n"
    /* modifiers */
    "red.example.org TXT \"v=spf1 redirect=a.example.org\"\n"
    "rednone.example.org TXT \"v=spf1 redirect=none.example.org\"\n"
    "redall.example.org TXT \"v=spf1 ~all redirect=a.example.org\"\n"
    "unknown.example.org TXT \"v=spf1 x-y_z.1=%{c} -all\"\n"
    "exp.example.org TXT \"v=spf1 -all exp=why.example.org\"\n"
    "why.example.org TXT \"%{c} is not %{d}'s%_%{L} %% %{p}\"\n"
    "expbad.example.org TXT \"v=spf1 -all exp=octets.example.org\"\n"
    "octets.example.org TXT \"caf\\233\"\n"
    "expnone.example.org TXT \"v=spf1 -all exp=nowhere.example.org\"\n"
    "explate.example.org TXT \"v=spf1 -all exp=late.example.org\"\n"
    "explong.example.org TXT \"v=spf1 -all exp=long.example.org\"\n"
    "long.example.org TXT \"%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}"
    "%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}%{s}\"\n"
    /* limits */
    "ten.example.org TXT \"v=spf1 a:h1.none.example a:mail.example.org "
    "a:mail.example.org a:mail.example.org a:mail.example.org "
    "a:mail.example.org a:mail.example.org a:mail.example.org "
    "a:mail.example.org a:mail.example.org -all\"\n"
    "eleven.example.org TXT \"v=spf1 include:ten.example.org -all\"\n"
    "void2.example.org TXT \"v=spf1 a:v1.example a:v2.example -all\"\n"
    "void3.example.org TXT \"v=spf1 a:v1.example a:v2.example "
    "exists:v3.example -all\"\n"
    "m.org TXT \"v=spf1 exists:x.%{d2} a:%{d3}/24 -all\"\n"
    "x.m.org A 127.0.0.2\n"
    "c.m.org TXT \"v=spf1 exists:n.%{o4} a:y.%{d3}/24 -all\"\n"
    "y.c.m.org A 192.0.2.1\n"
    "loop.example.org TXT \"v=spf1 include:loop.example.org -all\"\n"
    "redloop.example.org TXT \"v=spf1 redirect=redloop.example.org\"\n"
    "mx11.example.org TXT \"v=spf1 mx -all\"\n"
    "mx11.example.org MX 1 m1.example\n MX 2 m2.example\n MX 3 m3.example\n"
    " MX 4 m4.example\n MX 5 m5.example\n MX 6 m6.example\n"
    " MX 7 m7.example\n MX 8 m8.example\n MX 9 m9.example\n"
    " MX 10 m10.example\n MX 11 mail.example.org\n"
    /* names */
    "xn--bcher-kva.example TXT \"v=spf1 ip4:192.0.2.1 -all\"\n"
    "local.example.org TXT \"v=spf1 exists:%{l1r-}.%{o} -all\"\n"
    "list.local.example.org A 127.0.0.2\n"
    "slow.example.org DELAY 5\n"
    "slow.example.org TXT \"v=spf1 include:slow2.example.org "
    "mx:slow.example.org ~all\"\n"
    "slow.example.org MX 1 slow2.example.org\n"
    "slow2.example.org DELAY 5\n"
    "slow2.example.org TXT \"v=spf1 a:slow.example.org ?all\"\n"
    "slow2.example.org A 192.0.2.1\n"
    "helo.example.org TXT \"v=spf1 exists:%{l}.%{h} -all\"\n"
    "postmaster.helo.example.org A 127.0.0.2\n";

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

	bench.arena = arena_new(8 << 20, NULL);
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

static struct spf_outcome
judge_with(struct bench *bench, const char *client, const char *helo,
    const char *sender, const struct spf_limits *limits, enum spf_engine engine)
{
	struct spf_query query = { .helo = text(helo),
		.sender = text(sender),
		.now_unix = 1234567890 };
	struct spf_outcome outcome = { 0 };
	struct spf_eval *eval;
	enum tc_status status;

	assert_true(ipaddr_parse(text(client), &query.client));
	eval =
	    spf_eval_new(bench->arena, bench->lookups, &query, limits, engine);
	assert_non_null(eval);
	while ((status = spf_eval_step(eval, &outcome)) == TC_AGAIN)
		assert_true(
		    lookups_wait(bench->lookups, resolver_clock_ms() + 5000));
	assert_int_equal(status, TC_OK);
	return outcome;
}

static struct spf_outcome
judge(struct bench *bench, const char *client, const char *sender)
{
	return judge_with(
	    bench, client, "helo.example.org", sender, NULL, SPF_ENGINE_NATIVE);
}

static void
each_rule_gives_its_result(void **state)
{
	static const struct {
		const char *section;
		const char *domain;
		const char *client;
		enum spf_result expected;
	} cases[] = {
		{ "4.3", "localhost", "192.0.2.1", SPF_NONE },
		{ "4.3", "a..example.org", "192.0.2.1", SPF_NONE },
		{ "4.3", "[192.0.2.1]", "192.0.2.1", SPF_NONE },
		{ "4.3", "none(.wild.example.org", "192.0.2.1", SPF_NONE },
		{ "4.3", "none .wild.example.org", "192.0.2.1", SPF_NONE },
		{ "4.3", "none=.wild.example.org", "192.0.2.1", SPF_NONE },
		{ "4.3", "nowhere.example.org", "192.0.2.1", SPF_NONE },
		{ "4.4", "late.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "4.4", "sick.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "4.4", "forged.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "4.5", "none.example.org", "192.0.2.1", SPF_NONE },
		{ "4.5", "notone.example.org", "192.0.2.1", SPF_NONE },
		{ "4.5", "two.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.5", "case.example.org", "192.0.2.1", SPF_PASS },
		{ "3.3", "joined.example.org", "192.0.2.1", SPF_PASS },
		{ "4.6.2", "order.example.org", "192.0.2.1", SPF_NEUTRAL },
		{ "4.7", "empty.example.org", "192.0.2.1", SPF_NEUTRAL },
		{ "4.6", "bad1.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6", "bad2.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6", "bad3.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6", "bad4.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6", "bad5.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "6", "bad6.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5.3", "bad7.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5.3", "bad8.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "7.1", "bad9.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "7.2", "bad10.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "7.1", "bad11.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6.1", "bad12.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.6", "bad13.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5.6", "bad14.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "6", "bad15.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5.3", "a.example.org", "192.0.2.1", SPF_PASS },
		{ "5.3", "a.example.org", "2001:db8::1", SPF_PASS },
		{ "5", "a.example.org", "::ffff:192.0.2.1", SPF_PASS },
		{ "5.3", "a.example.org", "192.0.2.2", SPF_FAIL },
		{ "5.3", "cidr.example.org", "203.0.113.1", SPF_PASS },
		{ "5.3", "cidr6.example.org", "2001:db8::ffff", SPF_PASS },
		{ "5.3", "cidr6.example.org", "2001:db9::1", SPF_FAIL },
		{ "5.4", "mx.example.org", "192.0.2.1", SPF_PASS },
		{ "5.4", "mx.example.org", "192.0.2.9", SPF_FAIL },
		{ "5.5", "ptr.example.org", "192.0.2.1", SPF_PASS },
		{ "5.5", "ptrno.example.org", "192.0.2.1", SPF_FAIL },
		{ "5.5", "ptr.example.org", "192.0.2.9", SPF_FAIL },
		{ "5.5", "ptr.example.org", "192.0.2.8", SPF_FAIL },
		{ "5.6", "ip6.example.org", "2001:db8:1::1", SPF_PASS },
		{ "5.6", "ip6.example.org", "192.0.2.1", SPF_FAIL },
		{ "5.6", "ip6all.example.org", "192.0.2.1", SPF_FAIL },
		{ "5.6", "ip6all.example.org", "2001:db8::1", SPF_PASS },
		{ "5.7", "exists.example.org", "192.0.2.1", SPF_PASS },
		{ "5.7", "exists.example.org", "192.0.2.2", SPF_FAIL },
		{ "5.2", "inc.example.org", "192.0.2.1", SPF_NEUTRAL },
		{ "5.2", "inc.example.org", "192.0.2.2", SPF_FAIL },
		{ "5.2", "incnone.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5.2", "inclate.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "5.2", "incbad.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "5", "alate.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "6.1", "red.example.org", "192.0.2.1", SPF_PASS },
		{ "6.1", "red.example.org", "192.0.2.2", SPF_FAIL },
		{ "6.1", "rednone.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "6.1", "redall.example.org", "192.0.2.1", SPF_SOFTFAIL },
		{ "6", "unknown.example.org", "192.0.2.1", SPF_FAIL },
		{ "4.6.4", "ten.example.org", "192.0.2.9", SPF_FAIL },
		{ "4.6.4", "eleven.example.org", "192.0.2.9", SPF_PERMERROR },
		{ "4.6.4", "void2.example.org", "192.0.2.9", SPF_FAIL },
		{ "4.6.4", "void3.example.org", "192.0.2.9", SPF_PERMERROR },
		{ "4.6.4", "loop.example.org", "192.0.2.9", SPF_PERMERROR },
		{ "4.6.4", "redloop.example.org", "192.0.2.9", SPF_PERMERROR },
		{ "4.6.4", "mx11.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "4.1", "b\303\274cher.example", "192.0.2.1", SPF_PASS },
		{ "4.1", "B\303\274cher.Example", "192.0.2.2", SPF_FAIL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char sender[100];
		struct spf_outcome outcome;

		snprintf(sender, sizeof sender, "user@%s", cases[i].domain);
		outcome = judge(*state, cases[i].client, sender);
		if (outcome.result != cases[i].expected)
			fail_msg("%s: %s from %s is %s, not %s: %.*s",
			    cases[i].section, cases[i].domain, cases[i].client,
			    spf_result_name(outcome.result),
			    spf_result_name(cases[i].expected),
			    (int)outcome.problem.length, outcome.problem.data);
		assert_int_equal(outcome.identity, SPF_IDENTITY_MAILFROM);
		assert_int_equal(outcome.problem.length > 0,
		    outcome.result == SPF_NONE ||
			outcome.result == SPF_TEMPERROR ||
			outcome.result == SPF_PERMERROR);
		assert_non_null(outcome.rfc);
		assert_true(outcome.terms <= 10);
	}
}

static void
the_outcome_names_what_decided(void **state)
{
	struct spf_outcome outcome;

	outcome = judge(*state, "192.0.2.1", "u@inc.example.org");
	assert_slice(outcome.mechanism, "?include:a.example.org");
	assert_slice(outcome.mechanism_domain, "inc.example.org");
	assert_slice(outcome.domain, "inc.example.org");
	assert_slice(outcome.record, "v=spf1 ?include:a.example.org -all");
	assert_int_equal(outcome.terms, 2);
	outcome = judge(*state, "192.0.2.1", "u@red.example.org");
	assert_slice(outcome.mechanism, "a:mail.example.org");
	assert_slice(outcome.mechanism_domain, "a.example.org");
	outcome = judge(*state, "192.0.2.9", "u@Inc.Example.org");
	assert_slice(outcome.mechanism, "-all");
	assert_slice(outcome.domain, "inc.example.org");
	outcome = judge(*state, "192.0.2.9", "u@empty.example.org");
	assert_int_equal(outcome.mechanism.length, 0);
	outcome = judge(*state, "192.0.2.9", "u@void3.example.org");
	assert_int_equal(outcome.void_lookups, 3);
	assert_string_equal(outcome.rfc, "4.6.4");
}

static void
explanations_are_expanded_or_left_out(void **state)
{
	static const struct {
		const char *domain;
		const char *expected;
	} cases[] = {
		{ "exp.example.org",
		    "192.0.2.1 is not exp.example.org's a%2Bb % "
		    "mail.example.org" },
		{ "expbad.example.org", "" },
		{ "expnone.example.org", "" },
		{ "explate.example.org", "" },
		{ "explong.example.org", "" },
		{ "a.example.org", "" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char sender[100];
		struct spf_outcome outcome;

		snprintf(sender, sizeof sender, "a+b@%s", cases[i].domain);
		outcome =
		    judge(*state, i < 5 ? "192.0.2.1" : "192.0.2.2", sender);
		assert_int_equal(outcome.result, SPF_FAIL);
		assert_slice(outcome.explanation, cases[i].expected);
	}
}

static void
the_null_sender_is_judged_by_helo(void **state)
{
	struct spf_outcome outcome;

	outcome = judge(*state, "192.0.2.1", "");
	assert_int_equal(outcome.identity, SPF_IDENTITY_HELO);
	assert_int_equal(outcome.result, SPF_PASS);
	assert_slice(outcome.sender, "postmaster@helo.example.org");
	assert_slice(outcome.domain, "helo.example.org");
	outcome = judge_with(
	    *state, "192.0.2.1", "192.0.2.1", "", NULL, SPF_ENGINE_NATIVE);
	assert_int_equal(outcome.result, SPF_NONE);
	outcome =
	    judge_with(*state, "192.0.2.1", "", "", NULL, SPF_ENGINE_NATIVE);
	assert_int_equal(outcome.result, SPF_NONE);
	/* no local part: postmaster (4.3) */
	outcome = judge(*state, "192.0.2.1", "@helo.example.org");
	assert_int_equal(outcome.identity, SPF_IDENTITY_MAILFROM);
	assert_slice(outcome.sender, "postmaster@helo.example.org");
	assert_int_equal(outcome.result, SPF_PASS);
}

static void
the_local_part_serves_in_macros(void **state)
{
	assert_int_equal(
	    judge(*state, "192.0.2.1", "list-bounce@local.example.org").result,
	    SPF_PASS);
	assert_int_equal(
	    judge(*state, "192.0.2.1", "bounce-list@local.example.org").result,
	    SPF_FAIL);
	assert_int_equal(
	    judge(*state, "192.0.2.1", "list@local.example.org").result,
	    SPF_PASS);
	assert_int_equal(
	    judge(*state, "192.0.2.1", "a\1\377..b@local.example.org").result,
	    SPF_FAIL);
}

static void
answers_may_come_late(void **state)
{
	struct spf_outcome outcome =
	    judge(*state, "192.0.2.1", "u@slow.example.org");

	assert_int_equal(outcome.result, SPF_PASS);
	assert_slice(outcome.mechanism, "mx:slow.example.org");
	outcome = judge_with(*state, "192.0.2.1", "h.example.org",
	    "u@slow.example.org", NULL, SPF_ENGINE_LIBSPF2);
	assert_int_equal(outcome.result, SPF_PASS);
}

static void
limits_are_settings(void **state)
{
	struct spf_limits limits = SPF_LIMITS_DEFAULT;

	limits.void_max = 1;
	assert_int_equal(judge_with(*state, "192.0.2.9", "h.example.org",
			     "u@void2.example.org", &limits, SPF_ENGINE_NATIVE)
			     .result,
	    SPF_PERMERROR);
	limits = SPF_LIMITS_DEFAULT;
	limits.terms_max = 11;
	assert_int_equal(judge_with(*state, "192.0.2.9", "h.example.org",
			     "u@eleven.example.org", &limits, SPF_ENGINE_NATIVE)
			     .result,
	    SPF_FAIL);
	limits = SPF_LIMITS_DEFAULT;
	limits.record_bytes_max = 20;
	assert_int_equal(judge_with(*state, "192.0.2.9", "h.example.org",
			     "u@inc.example.org", &limits, SPF_ENGINE_NATIVE)
			     .result,
	    SPF_PERMERROR);
}

/* The sender's zone is hostile: results stay errors or fails, never a pass,
 * and nothing takes long. */
static void
hostile_zones_do_not_pass(void **state)
{
	static char zone[400000];
	struct bench bench = { .arena = arena_new(8 << 20, NULL) };
	char problem[RESOLVER_PROBLEM_MAX];
	size_t length;
	static const char *const senders[] = { "u@huge.example",
		"u@wide.example", "u@many.example", "u@macros.example",
		"u@tree.example", "u@cname.example" };

	(void)state;
	length =
	    (size_t)snprintf(zone, sizeof zone, "huge.example TXT \"v=spf1 ");
	for (int i = 0; i < 4000; i++)
		length += (size_t)snprintf(zone + length, sizeof zone - length,
		    "ip4:10.%d.%d.1 ", i / 250, i % 250);
	length += (size_t)snprintf(zone + length, sizeof zone - length,
	    "+all\"\nwide.example TXT \"v=spf1 mx +all\"\n");
	for (int i = 0; i < 1000; i++)
		length += (size_t)snprintf(zone + length, sizeof zone - length,
		    "wide.example MX 1 m%d.example\n", i);
	for (int i = 0; i < 1000; i++)
		length += (size_t)snprintf(zone + length, sizeof zone - length,
		    "many.example TXT \"v=spf1 ip4:10.0.0.%d +all\"\n", i);
	length += (size_t)snprintf(zone + length, sizeof zone - length,
	    "macros.example TXT \"v=spf1 exists:");
	for (int i = 0; i < 400; i++)
		length += (size_t)snprintf(
		    zone + length, sizeof zone - length, "%%{S}%%{H}%%{p}");
	length += (size_t)snprintf(
	    zone + length, sizeof zone - length, ".example -all\"\n");
	/* 10 ^ 6 includes for an evaluator that counts each record anew */
	length += (size_t)snprintf(
	    zone + length, sizeof zone - length, "*.tree.example TXT \"v=spf1");
	for (int i = 0; i < 9; i++)
		length += (size_t)snprintf(zone + length, sizeof zone - length,
		    " include:%d.%%{d}", i);
	length += (size_t)snprintf(zone + length, sizeof zone - length,
	    " +all\"\ntree.example TXT \"v=spf1 include:a.tree.example "
	    "+all\"\ncname.example CNAME cname2.example\n"
	    "cname2.example CNAME cname.example\n");
	bench.resolver = resolver_zone_new(slice_make(zone, length), problem);
	if (bench.resolver == NULL)
		fail_msg("%s", problem);
	for (size_t i = 0; i < sizeof senders / sizeof senders[0]; i++)
		for (enum spf_engine engine = SPF_ENGINE_NATIVE;
		     engine <= SPF_ENGINE_LIBSPF2; engine++) {
			struct spf_outcome outcome;

			bench.lookups =
			    lookups_new(bench.arena, bench.resolver, NULL);
			outcome = judge_with(&bench, "192.0.2.1", "a.b.c.d.e.f",
			    senders[i], NULL, engine);
			if (outcome.result == SPF_PASS)
				fail_msg("%s passes with %s", senders[i],
				    spf_engine_name(engine));
			lookups_free(&bench.lookups);
		}
	resolver_free(&bench.resolver);
	arena_free(&bench.arena);
}

static void
a_small_arena_is_a_limit(void **state)
{
	struct bench *bench = *state;

	for (size_t ceiling = 256; ceiling < 20000; ceiling += 256) {
		struct arena *arena = arena_new(ceiling, NULL);
		struct lookups *lookups =
		    lookups_new(arena, bench->resolver, NULL);
		struct spf_query query = { .helo = text("h.example.org"),
			.sender = text("u@exp.example.org") };
		struct spf_outcome outcome;
		struct spf_eval *eval = NULL;

		assert_true(ipaddr_parse(text("192.0.2.1"), &query.client));
		if (lookups != NULL)
			eval = spf_eval_new(
			    arena, lookups, &query, NULL, SPF_ENGINE_NATIVE);
		if (eval != NULL && spf_eval_step(eval, &outcome) == TC_OK)
			assert_true(outcome.result == SPF_FAIL ||
				    outcome.result == SPF_TEMPERROR);
		lookups_free(&lookups);
		arena_free(&arena);
	}
}

static void
macros_expand_as_the_rfc_shows(void **state)
{
	/* RFC 7208, 7.4 */
	static const struct {
		const char *text;
		const char *expected;
	} cases[] = {
		{ "%{s}", "strong-bad@email.example.com" },
		{ "%{o}", "email.example.com" },
		{ "%{d}", "email.example.com" },
		{ "%{d4}", "email.example.com" },
		{ "%{d3}", "email.example.com" },
		{ "%{d2}", "example.com" },
		{ "%{d1}", "com" },
		{ "%{dr}", "com.example.email" },
		{ "%{d2r}", "example.email" },
		{ "%{l}", "strong-bad" },
		{ "%{l-}", "strong.bad" },
		{ "%{lr}", "strong-bad" },
		{ "%{lr-}", "bad.strong" },
		{ "%{l1r-}", "strong" },
		{ "%{ir}.%{v}._spf.%{d2}",
		    "3.2.0.192.in-addr._spf.example.com" },
		{ "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com" },
		{ "%{d2}.trusted-domains.example.net",
		    "example.com.trusted-domains.example.net" },
		{ "%{S}", "strong-bad%40email.example.com" },
		{ "%%%_%-", "% %20" },
		{ "%{d999}", "email.example.com" },
		{ "%{t}", "1234567890" },
		{ "%{h}%{r}%{c}", "hr192.0.2.3" },
	};
	struct bench *bench = *state;
	struct spf_macro_values values = {
		.sender = text("strong-bad@email.example.com"),
		.local_part = text("strong-bad"),
		.sender_domain = text("email.example.com"),
		.domain = text("email.example.com"),
		.helo = text("h"),
		.receiver = text("r"),
		.now_unix = 1234567890,
	};
	struct slice expanded;

	assert_true(ipaddr_parse(text("192.0.2.3"), &values.client));
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		assert_true(spf_macro_is_valid(
		    text(cases[i].text), SPF_MACRO_EXPLANATION));
		assert_true(spf_macro_expand(bench->arena, text(cases[i].text),
		    &values, 1000, &expanded));
		assert_slice(expanded, cases[i].expected);
	}
	assert_false(spf_macro_expand(
	    bench->arena, text("%{s}%{s}"), &values, 50, &expanded));
	assert_true(ipaddr_parse(text("2001:db8::cb01"), &values.client));
	assert_true(spf_macro_expand(
	    bench->arena, text("%{ir}"), &values, 1000, &expanded));
	assert_slice(expanded,
	    "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2");
}

static void
long_targets_lose_labels_on_the_left(void **state)
{
	struct bench *bench = *state;
	struct spf_macro_values values = { 0 };
	struct slice target;
	char local[301];

	for (int i = 0; i < 300; i++)
		local[i] = i % 10 == 9 ? '.' : 'a';
	local[300] = '\0';
	values.local_part = text(local);
	values.domain = text("example.org");
	assert_true(spf_macro_target(
	    bench->arena, text("%{l}.%{d}."), &values, &target));
	assert_true(target.length <= 253);
	assert_true(target.length > 240);
	assert_true(slice_ends_with(target, text(".example.org")));
	assert_true(slice_starts_with(target, text("aaaaaaaaa.")));
}

static void
received_spf_quotes_what_comes_from_outside(void **state)
{
	struct bench *bench = *state;
	struct spf_query query = { .helo = text("a\r\nX: b"),
		.sender = text("\"a\\b\"@example.org"),
		.receiver = text("mx.example.net") };
	struct spf_outcome outcome = { .result = SPF_PASS,
		.identity = SPF_IDENTITY_MAILFROM };

	assert_true(ipaddr_parse(text("192.0.2.3"), &query.client));
	assert_slice(spf_received_header(bench->arena, &query, &outcome),
	    "pass\n\treceiver=\"mx.example.net\";\n\tclient-ip=\"192.0.2.3\";"
	    "\n\tenvelope-from=\"\\\"a\\\\b\\\"@example.org\";"
	    "\n\tidentity=\"mailfrom\";");
}

static void
libspf2_gives_what_the_guard_lets_it(void **state)
{
	static const struct {
		const char *sender;
		const char *client;
		enum spf_result expected;
	} cases[] = {
		{ "u@a.example.org", "192.0.2.1", SPF_PASS },
		{ "u@a.example.org", "::ffff:192.0.2.1", SPF_PASS },
		{ "u@a.example.org", "192.0.2.2", SPF_FAIL },
		{ "u@a.example.org", "127.0.0.1", SPF_FAIL },
		{ "u@bad1.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "u@two.example.org", "192.0.2.1", SPF_PERMERROR },
		{ "u@late.example.org", "192.0.2.1", SPF_TEMPERROR },
		{ "u@none.example.org", "192.0.2.1", SPF_NONE },
		{ "u@exp.example.org", "192.0.2.1", SPF_FAIL },
		{ "u@red.example.org", "192.0.2.1", SPF_PASS },
		{ "u@loop.example.org", "192.0.2.1", SPF_PERMERROR },
		/* as many labels as there are, and more */
		{ "u@m.org", "192.0.2.1", SPF_PASS },
		{ "u@c.m.org", "192.0.2.9", SPF_PASS },
		{ "u@c.m.org", "192.0.3.9", SPF_FAIL },
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct spf_outcome outcome =
		    judge_with(*state, cases[i].client, "helo.example.org",
			cases[i].sender, NULL, SPF_ENGINE_LIBSPF2);

		if (outcome.result != cases[i].expected)
			fail_msg("%s: %s", cases[i].sender,
			    spf_result_name(outcome.result));
		assert_int_equal(outcome.explanation.length, 0);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    each_rule_gives_its_result, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_outcome_names_what_decided, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    explanations_are_expanded_or_left_out, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_null_sender_is_judged_by_helo, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    the_local_part_serves_in_macros, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    answers_may_come_late, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    limits_are_settings, set_up, tear_down),
		cmocka_unit_test(hostile_zones_do_not_pass),
		cmocka_unit_test_setup_teardown(
		    a_small_arena_is_a_limit, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    macros_expand_as_the_rfc_shows, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    long_targets_lose_labels_on_the_left, set_up, tear_down),
		cmocka_unit_test_setup_teardown(
		    received_spf_quotes_what_comes_from_outside, set_up,
		    tear_down),
		cmocka_unit_test_setup_teardown(
		    libspf2_gives_what_the_guard_lets_it, set_up, tear_down),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
