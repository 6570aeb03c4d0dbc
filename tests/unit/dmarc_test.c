/* dmarc: records, tree walks, alignment, a failure at each DNS step */
#include <config.h>

#include <stdio.h>

#include "auth/auth_rule.h"
#include "auth/dmarc.h"
#include "base/builder.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "support/unit.h"

/* ---------------------------------------------------------------- records */

static void
records_are_read_with_their_defaults(void **state)
{
	static const struct {
		const char *text;
		enum tc_status status;
		const char *policies; /* p sp np */
		bool usable;
	} cases[] = {
		{ "v=DMARC1; p=reject", TC_OK, "reject reject reject", true },
		{ "v=DMARC1;p=none;sp=quarantine", TC_OK,
		    "none quarantine quarantine", true },
		{ "v=DMARC1; p=none; np=reject;", TC_OK, "none none reject",
		    true },
		{ "v = DMARC1 ; p = Reject ;", TC_OK, "reject reject reject",
		    true },
		{ "V=DMARC1; P=reject", TC_OK, "reject reject reject", true },
		{ "v=DMARC1", TC_OK, "none none none", true },
		{ "v=DMARC1; sp=reject", TC_OK, "none reject reject", true },
		{ "v=DMARC1; unknown=x; p=reject; pct=0", TC_OK,
		    "reject reject reject", true },
		{ "v=DMARC1; nonsense; p=reject;;", TC_OK,
		    "reject reject reject", true },
		{ "v=DMARC1; p=reject; p=none", TC_OK, "reject reject reject",
		    true },
		{ "v=DMARC1; p=rejected", TC_OK, "none none none", false },
		{ "v=DMARC1; p=rejected; rua=mailto:a@example", TC_OK,
		    "none none none", true },
		{ "v=DMARC1; p=rejected; rua=nothing", TC_OK, "none none none",
		    false },
		{ "v=DMARC1; p=reject; sp=x", TC_OK, "none none none", false },
		{ "v=DMARC1; p=reject; np=", TC_OK, "none none none", false },
		{ "v=DMARC1; p=reject; sp=x; rua=mailto:a@example", TC_OK,
		    "none none none", true },
		{ "v=dmarc1; p=reject", TC_INVALID, NULL, false },
		{ "v=DMARC2; p=reject", TC_INVALID, NULL, false },
		{ "v=DMARC1 p=reject", TC_INVALID, NULL, false },
		{ " v=DMARC1; p=reject", TC_INVALID, NULL, false },
		{ "p=reject; v=DMARC1", TC_INVALID, NULL, false },
		{ "v=spf1 -all", TC_INVALID, NULL, false },
		{ "", TC_INVALID, NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct dmarc_record record;
		char policies[64];

		if (dmarc_record_parse(text(cases[i].text), &record) !=
		    cases[i].status)
			fail_msg("%s: wrong status", cases[i].text);
		if (cases[i].status != TC_OK)
			continue;
		snprintf(policies, sizeof policies, "%s %s %s",
		    dmarc_policy_name(record.p), dmarc_policy_name(record.sp),
		    dmarc_policy_name(record.np));
		if (strcmp(policies, cases[i].policies) != 0 ||
		    record.usable != cases[i].usable)
			fail_msg("%s: %s, usable %d", cases[i].text, policies,
			    record.usable);
	}
}

static void
the_other_tags_are_read_or_ignored(void **state)
{
	struct dmarc_record record;

	(void)state;
	assert_int_equal(
	    dmarc_record_parse(
		text("v=DMARC1; p=none; adkim=s; aspf=S; psd=y; t=y; "
		     "fo=1:d:s; rua=mailto:a@b.example, mailto:c@d.example!10m;"
		     " ruf=none"),
		&record),
	    TC_OK);
	assert_int_equal(record.adkim, DMARC_STRICT);
	assert_int_equal(record.aspf, DMARC_STRICT);
	assert_int_equal(record.psd, DMARC_PSD_YES);
	assert_true(record.testing);
	assert_true(record.fail_any && record.fail_dkim && record.fail_spf);
	assert_slice(record.rua, "mailto:a@b.example, mailto:c@d.example!10m");
	assert_int_equal(record.ruf.length, 0);
	assert_int_equal(
	    dmarc_record_parse(text("v=DMARC1; p=none; adkim=x; aspf=; psd=z; "
				    "t=maybe; fo=0"),
		&record),
	    TC_OK);
	assert_int_equal(record.adkim, DMARC_RELAXED);
	assert_int_equal(record.aspf, DMARC_RELAXED);
	assert_int_equal(record.psd, DMARC_PSD_UNKNOWN);
	assert_false(record.testing || record.fail_any || record.fail_dkim);
	assert_int_equal(
	    dmarc_record_parse(text("v=DMARC1; p=none; psd=n"), &record),
	    TC_OK);
	assert_int_equal(record.psd, DMARC_PSD_NO);
}

/* ------------------------------------------------------------ evaluations */

/* A zone is lines "NAME RECORD" of DMARC records, where RECORD may also be
 * TIMEOUT, SERVFAIL, NODATA, NXDOMAIN or A; NAME gets its _dmarc. except for
 * the last two. */
static const char *
zone_of(struct arena *arena, const char *lines)
{
	struct builder zone = builder_make(arena, SIZE_MAX);
	struct slice rest = slice_text(lines), line, name;

	while (rest.length > 0) {
		rest = slice_split(rest, '|', &line);
		line = slice_split(slice_trim(line), ' ', &name);
		if (slice_equal_text(line, "NXDOMAIN") ||
		    slice_equal_text(line, "SERVFAIL A"))
			builder_printf(&zone, "%.*s %.*s\n", (int)name.length,
			    name.data, (int)line.length, line.data);
		else if (slice_equal_text(line, "A"))
			builder_printf(&zone, "%.*s A 192.0.2.1\n",
			    (int)name.length, name.data);
		else if (slice_starts_with(line, SLICE_LITERAL("v=")))
			builder_printf(&zone, "_dmarc.%.*s TXT \"%.*s\"\n",
			    (int)name.length, name.data, (int)line.length,
			    line.data);
		else
			builder_printf(&zone, "_dmarc.%.*s %.*s\n",
			    (int)name.length, name.data, (int)line.length,
			    line.data);
	}
	return builder_c_string(&zone);
}

struct question {
	const char *zone;
	const char *from; /* domains with commas between */
	const char *spf;  /* domain that passed; "?" before: temperror */
	const char *dkim; /* the same, several with commas between; "+" before:
	                     the body was extended after l=; "-": failed */
	enum dmarc_mode mode;
};

static size_t
split_list(const char *list, struct slice *items, size_t max)
{
	struct slice rest = slice_text(list);
	size_t count = 0;

	while (rest.length > 0 && count < max)
		rest = slice_split(rest, ',', &items[count++]);
	return count;
}

static size_t
make_signatures(const char *list, struct dkim_signature *signatures)
{
	struct slice items[10];
	size_t count = split_list(list == NULL ? "" : list, items, 10);

	for (size_t i = 0; i < count; i++) {
		char mark = items[i].data[0];

		signatures[i] = (struct dkim_signature){
			.result = mark == '?'   ? DKIM_VERIFY_TEMPERROR
				  : mark == '-' ? DKIM_VERIFY_FAIL
						: DKIM_VERIFY_PASS,
			.extended_after_length = mark == '+',
			.domain = strchr("?+-", mark) != NULL
				      ? slice_skip(items[i], 1)
				      : items[i],
		};
	}
	return count;
}

struct answer {
	struct arena *arena;
	struct dmarc_outcome outcome;
	size_t queries;
	size_t signature_count;
};

static struct answer
ask(const struct question *question)
{
	struct answer answer = { .arena = arena_new(0, NULL) };
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver = resolver_zone_new(
	    text(zone_of(answer.arena, question->zone)), problem);
	struct lookups *lookups = lookups_new(answer.arena, resolver, NULL);
	struct dkim_signature signatures[10];
	struct dmarc_spf spf = { 0 };
	struct slice authors[10];
	size_t author_count = split_list(question->from, authors, 10);
	enum tc_status status;
	struct dmarc_eval *eval;

	if (resolver == NULL)
		fail_msg("%s", problem);
	if (question->spf != NULL) {
		spf.temperror = question->spf[0] == '?';
		spf.pass = !spf.temperror;
		spf.domain = text(question->spf + spf.temperror);
	}
	answer.signature_count = make_signatures(question->dkim, signatures);
	eval = dmarc_eval_new(
	    answer.arena, lookups, authors, author_count, question->mode);
	while ((status = dmarc_eval_step(eval, &spf, signatures,
		    answer.signature_count, &answer.outcome)) == TC_AGAIN)
		(void)lookups_wait(lookups, resolver_clock_ms() + 50);
	assert_int_equal(status, TC_OK);
	if (auth_rule(answer.outcome.reason) == NULL)
		fail_msg("no rule behind: %s", answer.outcome.reason);
	answer.queries = lookups_count(lookups);
	lookups_free(&lookups);
	resolver_free(&resolver);
	return answer;
}

#define EXAMPLE "example.org v=DMARC1; p=reject; sp=quarantine"

/* Results in one word each: result/policy/policy domain. */
static void
results_follow_the_records(void **state)
{
	static const struct {
		struct question question;
		const char *expected;
	} cases[] = {
		{ { EXAMPLE, "example.org", NULL, "example.org" },
		    "pass/reject/example.org" },
		{ { EXAMPLE, "Example.ORG", "example.org.", NULL },
		    "pass/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, NULL },
		    "fail/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, "example.net" },
		    "fail/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, "-example.org" },
		    "fail/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, "+example.org" },
		    "fail/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, "+example.org,example.org" },
		    "pass/reject/example.org" },
		/* relaxed */
		{ { EXAMPLE, "example.org", NULL, "mail.example.org" },
		    "pass/reject/example.org" },
		{ { EXAMPLE, "a.example.org", NULL, "b.example.org" },
		    "pass/quarantine/example.org" },
		{ { EXAMPLE, "a.example.org", "bounce.example.org", NULL },
		    "pass/quarantine/example.org" },
		{ { EXAMPLE, "example.org", NULL, "notexample.org" },
		    "fail/reject/example.org" },
		{ { EXAMPLE, "example.org", NULL, "org" },
		    "fail/reject/example.org" },
		/* strict */
		{ { "example.org v=DMARC1; p=reject; adkim=s; aspf=s",
		      "example.org", "a.example.org", "a.example.org" },
		    "fail/reject/example.org" },
		{ { "example.org v=DMARC1; p=reject; adkim=s", "example.org",
		      "a.example.org", NULL },
		    "pass/reject/example.org" },
		{ { "example.org v=DMARC1; p=reject; aspf=s", "example.org",
		      "example.org", NULL },
		    "pass/reject/example.org" },
		/* no record */
		{ { "", "example.org", "example.org", "example.org" },
		    "none/none/" },
		{ { EXAMPLE "|" EXAMPLE, "example.org", NULL, NULL },
		    "none/none/" },
		{ { EXAMPLE "|example.org v=spf1 -all", "example.org", NULL,
		      NULL },
		    "fail/reject/example.org" },
		{ { "example.org v=DMARC1; p=bad", "example.org", NULL, NULL },
		    "none/none/" },
		{ { "example.org v=DMARC1; p=bad; rua=mailto:a@example.org",
		      "example.org", NULL, NULL },
		    "fail/none/example.org" },
		/* t=y lowers by one */
		{ { "example.org v=DMARC1; p=reject; t=y", "example.org", NULL,
		      NULL },
		    "fail/quarantine/example.org" },
		{ { "example.org v=DMARC1; p=quarantine; t=y", "example.org",
		      NULL, NULL },
		    "fail/none/example.org" },
		{ { "example.org v=DMARC1; p=none; t=y", "example.org", NULL,
		      NULL },
		    "fail/none/example.org" },
		/* the author's record comes first, with its p= */
		{ { EXAMPLE "|a.example.org v=DMARC1; p=none; sp=reject",
		      "a.example.org", NULL, NULL },
		    "fail/none/a.example.org" },
		/* one in between does not count */
		{ { EXAMPLE "|b.example.org v=DMARC1; p=none",
		      "a.b.example.org", NULL, NULL },
		    "fail/quarantine/example.org" },
		/* unless it says so */
		{ { EXAMPLE "|b.example.org v=DMARC1; p=none; psd=n",
		      "a.b.example.org", NULL, NULL },
		    "fail/none/b.example.org" },
		/* np= */
		{ { "example.org v=DMARC1; p=none; np=reject|a.example.org A",
		      "a.example.org", NULL, NULL },
		    "fail/none/example.org" },
		{ { "example.org v=DMARC1; p=none; np=reject", "a.example.org",
		      NULL, NULL },
		    "fail/reject/example.org" },
		{ { "example.org v=DMARC1; p=none; sp=quarantine; np=reject",
		      "example.org", NULL, NULL },
		    "fail/none/example.org" },
		/* psd=y */
		{ { "bank v=DMARC1; p=reject; psd=y", "a.giant.bank", NULL,
		      "giant.bank" },
		    "pass/reject/bank" },
		{ { "bank v=DMARC1; p=reject; psd=y", "giant.bank", NULL,
		      "mega.bank" },
		    "fail/reject/bank" },
		{ { "bank v=DMARC1; p=reject; psd=y|"
		    "giant.bank v=DMARC1; p=none",
		      "a.giant.bank", NULL, "b.giant.bank" },
		    "pass/none/giant.bank" },
		{ { "bank v=DMARC1; p=reject; psd=y", "bank", NULL,
		      "giant.bank" },
		    "fail/reject/bank" },
		/* psd=n splits a name off */
		{ { EXAMPLE "|b.example.org v=DMARC1; p=reject; psd=n",
		      "b.example.org", NULL, "example.org" },
		    "fail/reject/b.example.org" },
		{ { EXAMPLE "|b.example.org v=DMARC1; p=reject; psd=n",
		      "example.org", NULL, "a.b.example.org" },
		    "fail/reject/example.org" },
		/* a suffix that forgot psd=y joins nothing below it */
		{ { "org v=DMARC1; p=none|" EXAMPLE, "example.org", NULL,
		      "other.org" },
		    "fail/reject/example.org" },
		{ { "org v=DMARC1; p=none|" EXAMPLE, "a.example.org", NULL,
		      "b.example.org" },
		    "pass/quarantine/example.org" },
		{ { "co.uk v=DMARC1; p=reject", "example.co.uk", NULL,
		      "other.co.uk" },
		    "fail/reject/co.uk" },
		{ { "co.uk v=DMARC1; p=reject", "a.example.co.uk",
		      "b.example.co.uk", NULL },
		    "pass/reject/co.uk" },
		{ { "brand v=DMARC1; p=reject; psd=n", "a.brand", NULL,
		      "b.brand" },
		    "pass/reject/brand" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer answer = ask(&cases[i].question);
		char found[300];

		snprintf(found, sizeof found, "%s/%s/%.*s",
		    dmarc_result_name(answer.outcome.result),
		    dmarc_policy_name(answer.outcome.policy),
		    (int)answer.outcome.policy_domain.length,
		    answer.outcome.policy_domain.data);
		if (strcmp(found, cases[i].expected) != 0)
			fail_msg("%s from %s: %s is not %s",
			    cases[i].question.zone, cases[i].question.from,
			    found, cases[i].expected);
		arena_free(&answer.arena);
	}
}

static void
the_public_suffix_list_serves_rfc_7489(void **state)
{
	static const struct {
		struct question question;
		enum dmarc_result result;
	} cases[] = {
		{ { "example.co.uk v=DMARC1; p=reject", "a.example.co.uk", NULL,
		      "b.example.co.uk", DMARC_RFC7489 },
		    DMARC_PASS },
		{ { "example.co.uk v=DMARC1; p=reject", "example.co.uk", NULL,
		      "other.co.uk", DMARC_RFC7489 },
		    DMARC_FAIL },
		{ { "example.com v=DMARC1; p=reject", "example.com", NULL,
		      "com", DMARC_RFC7489 },
		    DMARC_FAIL },
		{ { "co.uk v=DMARC1; p=reject", "example.co.uk", NULL,
		      "other.co.uk", DMARC_RFC7489 },
		    DMARC_NONE },
		{ { "example.com TIMEOUT", "a.example.com", NULL,
		      "a.example.com", DMARC_RFC7489 },
		    DMARC_TEMPERROR },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer answer = ask(&cases[i].question);

		assert_int_equal(answer.outcome.result, cases[i].result);
		arena_free(&answer.arena);
	}
}

static void
without_exactly_one_author_nothing_passes(void **state)
{
	static const struct {
		struct question question;
		const char *expected; /* result/policy */
	} cases[] = {
		{ { EXAMPLE, "", "example.org", "example.org" },
		    "permerror/none" },
		{ { EXAMPLE, "example.org,example.net", "example.org",
		      "example.org" },
		    "fail/reject" },
		{ { EXAMPLE "|example.net v=DMARC1; p=none",
		      "example.net,example.org", NULL, "example.net" },
		    "fail/reject" },
		{ { "", "example.org,example.net", "example.org", NULL },
		    "permerror/none" },
		{ { EXAMPLE, "example.org,bad..name", "example.org",
		      "example.org" },
		    "fail/reject" },
		{ { EXAMPLE, "bad name", "example.org", "example.org" },
		    "permerror/none" },
		{ { EXAMPLE "|example.net TIMEOUT", "example.org,example.net",
		      "example.org", "example.org" },
		    "temperror/reject" },
		/* the same domain twice is one */
		{ { EXAMPLE, "example.org,EXAMPLE.org", "example.org", NULL },
		    "pass/reject" },
		{ { EXAMPLE, "a,b,c,d,e,f,example.org", "example.org", NULL },
		    "permerror/none" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer answer = ask(&cases[i].question);
		char found[100];

		snprintf(found, sizeof found, "%s/%s",
		    dmarc_result_name(answer.outcome.result),
		    dmarc_policy_name(answer.outcome.policy));
		if (strcmp(found, cases[i].expected) != 0)
			fail_msg("from %s: %s is not %s",
			    cases[i].question.from, found, cases[i].expected);
		arena_free(&answer.arena);
	}
}

/* A failure at each name in turn: never none, never pass, unless the answer
 * does not depend on the name. */
static void
a_failure_at_each_step_is_a_temperror(void **state)
{
	static const char *const steps[] = { "a.b.example.org", "b.example.org",
		"example.org", "org", "x.y.example.org", "y.example.org" };
	static const char *const moods[] = { "TIMEOUT", "SERVFAIL", "BOGUS" };

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		for (size_t j = 0; j < 3; j++) {
			char zone[300];
			struct question question = { .zone = zone,
				.from = "a.b.example.org",
				.dkim = "x.y.example.org" };
			struct answer answer;

			snprintf(zone, sizeof zone, "%s%s %s",
			    strcmp(steps[i], "example.org") == 0 ? ""
								 : EXAMPLE "|",
			    steps[i], moods[j]);
			answer = ask(&question);
			if (answer.outcome.result != DMARC_TEMPERROR)
				fail_msg("%s: %s", zone,
				    dmarc_result_name(answer.outcome.result));
			arena_free(&answer.arena);
		}
}

static void
temporary_failures_that_matter_and_others(void **state)
{
	static const struct {
		struct question question;
		enum dmarc_result result;
	} cases[] = {
		/* the identifiers' own failures */
		{ { EXAMPLE, "example.org", "?example.org", NULL },
		    DMARC_TEMPERROR },
		{ { EXAMPLE, "example.org", NULL, "?example.org" },
		    DMARC_TEMPERROR },
		{ { EXAMPLE, "example.org", "?example.net", NULL },
		    DMARC_FAIL },
		{ { EXAMPLE, "example.org", "?example.net", "?a.example.org" },
		    DMARC_TEMPERROR },
		{ { EXAMPLE, "example.org", "?example.org", "example.org" },
		    DMARC_PASS },
		/* a walk nobody needs */
		{ { EXAMPLE "|org TIMEOUT", "example.org", NULL,
		      "example.org" },
		    DMARC_PASS },
		{ { EXAMPLE "|org TIMEOUT", "example.org", NULL, NULL },
		    DMARC_FAIL },
		{ { EXAMPLE "|org TIMEOUT", "example.org", NULL,
		      "example.net" },
		    DMARC_TEMPERROR },
		/* psd=n ends the walk before the failure */
		{ { "example.org v=DMARC1; p=reject; psd=n|org TIMEOUT",
		      "example.org", NULL, "a.example.org" },
		    DMARC_PASS },
		/* whether the author exists */
		{ { "example.org v=DMARC1; p=none; np=reject|"
		    "a.example.org SERVFAIL A",
		      "a.example.org", NULL, NULL },
		    DMARC_TEMPERROR },
		{ { "example.org v=DMARC1; p=none; np=reject|"
		    "a.example.org SERVFAIL A",
		      "a.example.org", NULL, "a.example.org" },
		    DMARC_PASS },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct answer answer = ask(&cases[i].question);

		if (answer.outcome.result != cases[i].result)
			fail_msg("case %zu: %s", i,
			    dmarc_result_name(answer.outcome.result));
		arena_free(&answer.arena);
	}
}

static void
a_walk_asks_at_most_eight_names(void **state)
{
	struct question question = {
		.zone = "mail.example.com v=DMARC1; p=reject",
		.from = "a.b.c.d.e.f.g.h.i.j.mail.example.com",
	};
	struct answer answer = ask(&question);

	(void)state;
	assert_int_equal(answer.queries, 8);
	assert_int_equal(answer.outcome.queries, 8);
	assert_int_equal(answer.outcome.result, DMARC_FAIL);
	arena_free(&answer.arena);
	/* Of a long name only the seven last labels are walked. */
	question.zone = "f.g.h.i.j.mail.example.com v=DMARC1; p=reject";
	answer = ask(&question);
	assert_int_equal(answer.outcome.result, DMARC_NONE);
	arena_free(&answer.arena);
	question.zone = "g.h.i.j.mail.example.com NODATA|"
			"h.i.j.mail.example.com v=DMARC1; p=reject";
	answer = ask(&question);
	assert_int_equal(answer.outcome.result, DMARC_FAIL);
	arena_free(&answer.arena);
	/* Eight labels are walked label by label. */
	question.zone = "b.c.d.e.f.example.com v=DMARC1; p=reject";
	question.from = "a.b.c.d.e.f.example.com";
	answer = ask(&question);
	assert_int_equal(answer.queries, 8);
	assert_int_equal(answer.outcome.result, DMARC_FAIL);
	arena_free(&answer.arena);
}

static void
a_plain_pass_asks_one_question(void **state)
{
	struct question question = { EXAMPLE, "example.org", "example.org",
		"example.org" };
	struct answer answer = ask(&question);

	(void)state;
	assert_int_equal(answer.queries, 1);
	assert_true(answer.outcome.aligned_spf);
	assert_true(answer.outcome.aligned_dkim);
	assert_slice(answer.outcome.aligned_dkim_domain, "example.org");
	assert_slice(answer.outcome.author_domain, "example.org");
	assert_slice(answer.outcome.organisational_domain, "example.org");
	arena_free(&answer.arena);
}

static void
each_signature_knows_whether_it_is_aligned(void **state)
{
	struct question question = { EXAMPLE, "example.org", NULL,
		"example.net,a.example.org,-example.org,-example.net" };
	struct answer answer = ask(&question);

	(void)state;
	assert_false(answer.outcome.signature_aligned[0]);
	assert_true(answer.outcome.signature_aligned[1]);
	assert_true(answer.outcome.signature_aligned[2]);
	assert_false(answer.outcome.signature_aligned[3]);
	arena_free(&answer.arena);
}

static void
late_answers_are_waited_for(void **state)
{
	struct question question = { EXAMPLE
		"|example.org DELAY 20|org DELAY 20|b.example.org DELAY 5",
		"b.example.org", NULL, "a.example.org" };
	struct answer answer = ask(&question);

	(void)state;
	assert_int_equal(answer.outcome.result, DMARC_PASS);
	arena_free(&answer.arena);
}

static void
names_in_u_labels_are_their_a_labels(void **state)
{
	struct question question = { "xn--bcher-kva.example v=DMARC1; p=reject",
		"b\xc3\xbc"
		"cher.example",
		NULL, "xn--bcher-kva.example" };
	struct answer answer = ask(&question);

	(void)state;
	assert_int_equal(answer.outcome.result, DMARC_PASS);
	arena_free(&answer.arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(records_are_read_with_their_defaults),
	cmocka_unit_test(the_other_tags_are_read_or_ignored),
	cmocka_unit_test(results_follow_the_records),
	cmocka_unit_test(the_public_suffix_list_serves_rfc_7489),
	cmocka_unit_test(without_exactly_one_author_nothing_passes),
	cmocka_unit_test(a_failure_at_each_step_is_a_temperror),
	cmocka_unit_test(temporary_failures_that_matter_and_others),
	cmocka_unit_test(a_walk_asks_at_most_eight_names),
	cmocka_unit_test(a_plain_pass_asks_one_question),
	cmocka_unit_test(each_signature_knows_whether_it_is_aligned),
	cmocka_unit_test(late_answers_are_waited_for),
	cmocka_unit_test(names_in_u_labels_are_their_a_labels),
};

UNIT_MAIN(tests)
