#include <config.h>

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/domain.h"
#include "indicator/kind.h"
#include "language/compiled.h"
#include "language/explain.h"
#include "language/language_test.h"
#include "language/load.h"
#include "language/lookalike.h"
#include "language/print.h"
#include "language/read.h"
#include "support/unit.h"

#define NOW INT64_C(1795550000) /* 2026-11-24 */

static struct arena *arena;
static struct diag diag;

static int
begin(void **state)
{
	(void)state;
	setenv("TZ", "UTC0", 1);
	arena = arena_new(0, NULL);
	diag = diag_make(arena, 200);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	arena_free(&arena);
	return 0;
}

static const char *
messages(void)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	diag_print_all(&diag, &out);
	return builder_c_string(&out);
}

static struct program *
load(const char *policy)
{
	struct load_options options = { .now = NOW };

	diag = diag_make(arena, 200);
	return load_text("test", slice_text(policy), "", &options, &diag);
}

static struct program *
loaded(const char *policy)
{
	struct program *program = load(policy);

	if (program == NULL)
		fail_msg("%s", messages());
	return program;
}

/* Loads a policy and runs its own tests. */
static void
check_policy(const char *sentence, const char *policy)
{
	static const struct language_test_options options = { 0 };
	struct program *program = load(policy);
	unsigned count;

	if (program == NULL)
		fail_msg("%s: %s", sentence, messages());
	count = language_test_count(program);
	assert_true(count > 0);
	for (unsigned i = 0; i < count; i++) {
		struct language_test_result result;

		assert_int_equal(
		    language_test_run(program, i, &options, arena, &result),
		    TC_OK);
		if (!result.passed)
			fail_msg("%s: %s: %s: %s", sentence, result.place,
			    result.name, result.problem);
	}
	program_free(&program);
}

static const struct {
	const char *sentence;
	const char *policy;
} promises[] = {
	{ "the strongest disposition wins, whatever the order",
	    "rule d { when spf == fail then defer }\n"
	    "rule r { when spf == fail then reject }\n"
	    "rule q { when spf == fail then quarantine }\n"
	    "rule x { when spf == softfail then discard }\n"
	    "rule y { when spf == softfail then quarantine }\n"
	    "rule z { when spf == softfail then defer }\n"
	    "test \"reject\" { given spf fail expect reject by d, r, q }\n"
	    "test \"quarantine beats discard\" { given spf softfail\n"
	    " expect quarantine by x, y, z }\n"
	    "test \"none\" { given spf pass expect none }\n" },
	{ "words of enumerations may be names of fields or of the language",
	    "rule s { when any indicator (.type == subject) then tag }\n"
	    "rule m { when any from.defect (.value == missing) then tag }\n"
	    "test \"1\" { given indicator subject \"x\" expect tag by s\n"
	    " expect not m }\n"
	    "test \"2\" { given from.defect { value missing }\n"
	    " expect tag by m }\n" },
	{ "truth values of an element are named one after the other",
	    "rule a { when any attachment (.encrypted and .macros and "
	    "not .unscannable and .name == \"x.zip\") then tag }\n"
	    "test \"1\" { given attachment { encrypted macros name \"x.zip\"\n"
	    " unscannable false } expect tag by a }\n"
	    "test \"2\" { given attachment { encrypted true, macros, name "
	    "\"x.zip\" unscannable } expect not a }\n" },
	{ "an entry that is given ends when it says",
	    "list l strings { }\n"
	    "rule a { when auth.user in l then tag }\n"
	    "test \"before\" { auth-user \"anne\" now 2026-05-01T10:00:00Z\n"
	    " given list l { \"anne\" until 2026-05-02 } expect tag by a }\n"
	    "test \"after\" { auth-user \"anne\" now 2026-05-04T10:00:00Z\n"
	    " given list l { \"anne\" until 2026-05-02 } expect not a }\n" },
	{ "a display name that is given loses its quotation marks",
	    "rule a { when any from (.display == \"Chef, DSI\") then tag }\n"
	    "test \"1\" { given from \"\\\"Chef, DSI\\\" <a@b.example>\"\n"
	    " expect tag by a }\n" },
	{ "a URL that is given has its host, without user and brackets",
	    "rule a { when any url (.host == \"2001:db8::7\") then tag }\n"
	    "rule b { when any url (.host == \"evil.example\"\n"
	    " and .path == \"/x\") then tag }\n"
	    "test \"1\" { given url \"http://[2001:db8::7]:8/a\"\n"
	    " expect tag by a }\n"
	    "test \"2\" { given url \"https://bank.example@evil.example/x\"\n"
	    " expect tag by b expect not a }\n" },
	{ "what an and asks of a value shows that it is there",
	    "rule a { when any attachment (.extension != \"vbs\"\n"
	    " and .name starts-with \"x\" and .extension in { \"js\", \"vbs\" })\n"
	    " then tag }\n"
	    "test \"1\" { given attachment { name \"x.js\" } expect tag by a }\n"
	    "test \"2\" { given attachment { name \"x.vbs\" } expect not a }\n"
	    "test \"3\" { given attachment { name \"x\" } expect not a }\n" },
	{ "the age of a feed is asked by its name",
	    "feed cert { source \"cert.txt\" }\n"
	    "feed other { source \"other.txt\" }\n"
	    "rule old { when feed[\"cert\"].age > 3d then tag }\n"
	    "rule none { when feed[\"cert\"].age is missing then tag }\n"
	    "rule other { when feed[\"cert\"].age is present\n"
	    " and feed[\"cert\"].age != 4d then tag }\n"
	    "rule any-old { when any feed (.name == \"other\" and .age >= 1h)\n"
	    " then tag }\n"
	    "test \"old\" { given feed[\"cert\"].age 4d\n"
	    " expect tag by old expect not none, other, any-old }\n"
	    "test \"fresh\" { given feed[\"cert\"].age 3d\n"
	    " expect tag by other expect not none, old, any-old }\n"
	    "test \"empty\" { given feed[\"other\"].age 1h\n"
	    " expect tag by none, any-old expect not old, other }\n" },
	{ "unless reads as and not",
	    "rule a { when spf == fail unless dkim == pass then tag }\n"
	    "test \"1\" { given spf fail expect tag by a }\n"
	    "test \"2\" { given spf fail, dkim pass expect none }\n" },
	{ "a missing value equals nothing and is in no list",
	    "list l strings { \"x\" }\n"
	    "rule eq { when subject == \"x\" then tag }\n"
	    "rule li { when subject in l then tag }\n"
	    "rule rx { when subject matches /x/ then tag }\n"
	    "rule co { when subject contains \"x\" then tag }\n"
	    "rule lt { when date < 2026-01-01 then tag }\n"
	    "rule ne { when subject is missing or subject != \"x\" then tag }\n"
	    "test \"missing\" { expect not eq, li, rx, co, lt\n"
	    " expect tag by ne }\n"
	    "test \"there\" { given subject \"X\", date 2025-01-01\n"
	    " expect tag by eq, li, co, lt expect not ne, rx }\n" },
	{ "strings compare without regard to case unless exactly",
	    "rule f { when subject == \"STRASSE\" then tag }\n"
	    "rule e { when exactly subject == \"STRASSE\" then tag }\n"
	    "rule u { when subject contains \"\\u{c9}T\\u{c9}\" then tag }\n"
	    "rule l { when subject in { \"Strasse\" } then tag }\n"
	    "rule le { when exactly subject in { \"Strasse\" } then tag }\n"
	    "test \"1\" { given subject \"strasse\"\n"
	    " expect tag by f, l expect not e, le }\n"
	    "test \"2\" { given subject \"un \\u{e9}t\\u{e9}\" expect tag by u "
	    "}\n" },
	{ "any, all, no and count mean what they say",
	    "rule any1 { when any url (.host == \"a.example\") then tag }\n"
	    "rule all1 { when all url (.host under \"example\") then tag }\n"
	    "rule no1 { when no url (.host == \"a.example\") then tag }\n"
	    "rule cnt { when count url (.host under \"example\") > 1 then tag "
	    "}\n"
	    "rule some { when any url then tag }\n"
	    "rule len { when length(url) == 2 then tag }\n"
	    "test \"empty\" { expect tag by no1\n"
	    " expect not any1, all1, cnt, some, len }\n"
	    "test \"two\" { given url { host \"a.example\" }, url { host "
	    "\"b.example\" }\n"
	    " expect tag by any1, all1, cnt, some, len expect not no1 }\n"
	    "test \"one other\" { given url \"https://x.test/p\"\n"
	    " expect tag by no1, some expect not any1, all1, cnt }\n" },
	{ "bare from.x is any from",
	    "rule a { when from.domain under \"example.org\" then tag }\n"
	    "test \"second author\" { given from \"x@other.test\", from "
	    "\"y@sub.example.org\"\n expect tag by a }\n"
	    "test \"none\" { given from \"x@other.test\" expect none }\n" },
	{ "under is equal or below, never a mere suffix",
	    "rule a { when mail-from.domain under { \"evil.example\" } then tag "
	    "}\n"
	    "rule n { when client.ip under 192.0.2.0/24 then tag }\n"
	    "test \"1\" { given mail-from \"a@evil.example\" expect tag by a }\n"
	    "test \"2\" { given mail-from \"a@X.Evil.Example.\" expect tag by a "
	    "}\n"
	    "test \"3\" { given mail-from \"a@notevil.example\" expect none }\n"
	    "test \"4\" { client 192.0.2.7 expect tag by n }\n"
	    "test \"5\" { client 2001:db8::1 expect none }\n" },
	{ "an address list holds whole domains as @domain",
	    "list l addresses { \"A@example.org\", \"@example.net\" }\n"
	    "rule a { when mail-from in l then tag }\n"
	    "test \"1\" { given mail-from \"a@EXAMPLE.org\" expect tag by a }\n"
	    "test \"2\" { given mail-from \"any@example.net\" expect tag by a }\n"
	    "test \"3\" { given mail-from \"b@example.org\" expect none }\n"
	    "test \"4\" { given mail-from \"b@sub.example.net\" expect none "
	    "}\n" },
	{ "lets, rules and switches are truth values",
	    "let ours = direction == outbound or direction == internal\n"
	    "switch containment off\n"
	    "rule a { when ours and containment then tag }\n"
	    "rule b { when a or spf == fail then quarantine }\n"
	    "test \"off\" { given direction outbound expect none }\n"
	    "test \"on\" { given direction outbound, switch containment on\n"
	    " expect quarantine by a, b }\n"
	    "test \"other\" { given spf fail expect quarantine by b\n"
	    " expect not a }\n" },
	{ "an exemption takes rules out of the verdict, not out of the log",
	    "rule a { when spf == fail then quarantine }\n"
	    "rule b { when spf == fail then tag }\n"
	    "exempt a \"the desk\" { when mail-from == \"cert@example.org\" }\n"
	    "test \"1\" { given spf fail, mail-from \"cert@example.org\"\n"
	    " expect tag by b expect not a }\n"
	    "test \"2\" { given spf fail, mail-from \"x@example.org\"\n"
	    " expect quarantine by a, b }\n" },
	{ "exempt all never lifts a rule of severity critical",
	    "rule a { severity critical when spf == fail then quarantine }\n"
	    "rule b { severity high when spf == fail then reject }\n"
	    "exempt all \"drill\" until 2027-01-01 { when spf == fail }\n"
	    "test \"1\" { given spf fail expect quarantine by a expect not b "
	    "}\n" },
	{ "what has until ends by itself, at the end of its day",
	    "list l strings { \"x\" until 2026-06-01 }\n"
	    "rule a until 2026-06-01 { when spf == fail then tag }\n"
	    "rule b { when subject in l then tag }\n"
	    "rule c { when spf == fail then quarantine }\n"
	    "exempt c \"w\" until 2026-06-01 { when spf == fail }\n"
	    "test \"on the day\" { now 2026-06-01T23:59:59Z\n"
	    " given spf fail, subject \"x\" expect tag by a, b expect not c }\n"
	    "test \"after\" { now 2026-06-02T00:00:00Z\n"
	    " given spf fail, subject \"x\" expect quarantine by c\n"
	    " expect not a, b }\n" },
	{ "a rule at an earlier stage sees what is known there",
	    "rule c at connect { when client.ip in 192.0.2.0/24 then reject }\n"
	    "rule h at helo { when helo == \"bad.example\" then defer }\n"
	    "rule t at mail { when mail-from is missing then tag }\n"
	    "rule r at rcpt { when rcpt == \"trap@example.org\" then reject }\n"
	    "test \"1\" { client 192.0.2.1 mail-from \"a@b.example\" expect "
	    "reject by c }\n"
	    "test \"2\" { helo \"BAD.example\" expect defer by h, t }\n"
	    "test \"3\" { rcpt \"trap@example.org\" mail-from \"a@b.example\"\n"
	    " expect reject by r }\n" },
	{ "a grave rule that rejects keeps a copy",
	    "rule a { severity high when spf == fail then reject }\n"
	    "rule b { severity medium when spf == softfail then reject }\n"
	    "test \"1\" { given spf fail expect preserve by a }\n"
	    "test \"2\" { given spf softfail expect reject by b }\n" },
	{ "indicators can be asked for all that they say",
	    "rule a { when any indicator (.strength == strong and .severity >= "
	    "high\n and not .defanged and .tags contains \"apt\") then "
	    "quarantine }\n"
	    "test \"1\" { given indicator domain \"evil.example\" severity high "
	    "strength strong tags { \"APT\" }\n expect quarantine by a }\n"
	    "test \"2\" { given indicator domain \"evil.example\" severity high "
	    "strength strong tags \"apt\" defanged expect none }\n"
	    "test \"3\" { given indicator domain \"evil.example\" severity "
	    "medium strength strong tags \"apt\" expect none }\n" },
	{ "attachments have extensions",
	    "rule a { when any attachment (.extension in { \"htm\", \"iso\" }) "
	    "then tag }\n"
	    "rule b { when any attachment (.extensions contains \"pdf\" and "
	    ".extension == \"exe\") then quarantine }\n"
	    "test \"1\" { given attachment \"a.HTM\" expect tag by a }\n"
	    "test \"2\" { given attachment \"a.pdf.exe\" expect quarantine by b "
	    "}\n"
	    "test \"3\" { given attachment \"a.pdf\" expect none }\n" },
	{ "defects are words of a closed list",
	    "rule a { when mime.defect contains bare-cr then tag }\n"
	    "rule b { when any mime.defect (.value in { too-deep, bare-lf }) "
	    "then tag }\n"
	    "test \"1\" { given mime.defect bare-cr expect tag by a expect not "
	    "b }\n"
	    "test \"2\" { given mime.defect bare-lf expect tag by b expect not "
	    "a }\n" },
	{ "headers are asked by name, without case",
	    "rule a { when any header[\"X-Mailer\"] (.value contains \"bat\") "
	    "then tag }\n"
	    "rule b { when no header[\"List-Id\"] then tag }\n"
	    "test \"1\" { given header[\"x-mailer\"] \"The Bat!\" expect tag by "
	    "a, b }\n"
	    "test \"2\" { given header[\"Other\"] \"The Bat!\", "
	    "header[\"list-id\"] \"l\" expect none }\n" },
	{ "lookalikes are near an entry and not under it",
	    "list ours domains { \"interieur.example\" }\n"
	    "rule a { when any from (lookalike(.domain, ours)) then tag }\n"
	    "test \"1\" { given from \"a@interleur.example\" expect tag by a }\n"
	    "test \"2\" { given from \"a@sub.interieur.example\" expect none }\n"
	    "test \"3\" { given from \"a@mail.lnterieur.example\" expect tag by "
	    "a }\n"
	    "test \"4\" { given from \"a@int\\u{e9}rieur.example\" expect tag by "
	    "a }\n"
	    "test \"5\" { given from \"a@exterior.example\" expect none }\n" },
	{ "registrable, lower and length",
	    "rule a { when any url (registrable(.host) == \"example.co.uk\") "
	    "then tag }\n"
	    "rule b { when exactly lower(subject) == \"abc\" then tag }\n"
	    "rule c { when length(subject) >= 4 then tag }\n"
	    "test \"1\" { given url \"https://a.b.example.co.uk/x\" expect tag "
	    "by a }\n"
	    "test \"2\" { given subject \"ABC\" expect tag by b expect not c }\n"
	    "test \"3\" { given subject \"\\u{e9}\\u{e9}\\u{e9}\\u{e9}\" expect "
	    "tag by c }\n" },
	{ "contains any looks for each entry",
	    "list marks strings { \"SECRET\", \"Diffusion Restreinte\" }\n"
	    "rule a { when body.text contains any marks then tag }\n"
	    "test \"1\" { given body.text \"x diffusion restreinte y\" expect "
	    "tag by a }\n"
	    "test \"2\" { given body.text \"open\" expect none }\n" },
	{ "direction follows from who sends to whom",
	    "own-domains { \"example.org\" }\n"
	    "own-networks { 10.0.0.0/8 }\n"
	    "rule i { when direction == inbound then tag }\n"
	    "rule o { when direction == outbound then tag }\n"
	    "rule n { when direction == internal then tag }\n"
	    "test \"1\" { client 192.0.2.1 rcpt \"a@example.org\" expect tag by "
	    "i }\n"
	    "test \"2\" { client 10.1.1.1 rcpt \"a@example.org\" expect tag by n "
	    "}\n"
	    "test \"3\" { client 10.1.1.1 rcpt \"a@example.org\", \"b@x.test\" "
	    "expect tag by o }\n"
	    "test \"4\" { client 192.0.2.1 auth-user \"u\" rcpt \"b@x.test\" "
	    "expect tag by o }\n" },
};

static void
evaluation_keeps_its_promises(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof promises / sizeof *promises; i++)
		check_policy(promises[i].sentence, promises[i].policy);
}

/* ------------------------------------------------------------- by hand */

static struct verdict
judge(const struct program *program, struct facts *facts)
{
	struct eval_input input = { .program = program, .now = NOW };
	struct eval *eval = eval_new(arena, &input);
	struct verdict verdict;

	assert_non_null(eval);
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	return verdict;
}

static void
shadow_changes_nothing_and_is_told(void **state)
{
	struct program *program = loaded(
	    "rule a shadow until 2027-01-01 { when true then reject }\n"
	    "rule b shadow until 2026-01-01 { when true then quarantine }\n");
	struct verdict verdict = judge(program, facts_new(arena));

	(void)state;
	assert_int_equal(verdict.disposition, DISPOSITION_NONE);
	assert_int_equal(verdict.would, DISPOSITION_REJECT);
	assert_int_equal(verdict.matches.count, 1); /* b is off, not enforced */
	assert_true(verdict.matches.items[0].shadow);
	assert_int_equal(verdict.actions.count, 0);
	program_free(&program);
	program = loaded("enforcement shadow\n"
			 "rule a { when true then reject, tag }\n");
	verdict = judge(program, facts_new(arena));
	assert_int_equal(verdict.disposition, DISPOSITION_NONE);
	assert_int_equal(verdict.would, DISPOSITION_REJECT);
	program_free(&program);
}

static void
failure_acts_where_no_rule_is_stronger(void **state)
{
	struct program *program =
	    loaded("failure { dns defer limit tag internal accept }\n"
		   "rule a { when spf == fail then quarantine }\n");
	struct facts *facts = facts_new(arena);
	struct verdict verdict;

	(void)state;
	facts_fail(facts, FAILURE_DNS);
	facts_fail(facts, FAILURE_LIMIT);
	facts_fail(facts, FAILURE_INTERNAL);
	verdict = judge(program, facts);
	assert_int_equal(verdict.disposition, DISPOSITION_DEFER);
	assert_null(verdict.decided_by);
	assert_int_equal(
	    verdict.failures, 1u << FAILURE_DNS | 1u << FAILURE_LIMIT);
	assert_int_equal(verdict.actions.count, 1);
	assert_true(verdict.incomplete);
	facts_set_number(facts, FIELD_SPF, FACT_RESULT_FAIL);
	verdict = judge(program, facts);
	assert_int_equal(verdict.disposition, DISPOSITION_QUARANTINE);
	assert_string_equal(verdict.decided_by->name, "a");
	program_free(&program);
}

static enum tc_status
demand_result(void *context, struct facts *facts, enum field_id field)
{
	unsigned *calls = context;

	(void)facts;
	assert_int_equal(field, FIELD_BODY_TEXT);
	(*calls)++;
	return TC_LIMIT;
}

static void
an_error_is_what_on_error_says(void **state)
{
	struct program *program = loaded(
	    "rule hold { when body.text contains \"x\" then quarantine }\n"
	    "rule refuse { when body.text contains \"x\" then reject }\n"
	    "rule later { on-error defer when body.text contains \"x\" then tag "
	    "}\n"
	    "rule decided { when spf == fail and body.text contains \"x\" then "
	    "tag }\n"
	    "rule spared { when true unless body.text contains \"x\" then tag "
	    "}\n");
	struct facts *facts = facts_new(arena);
	unsigned calls = 0;
	struct verdict verdict;

	(void)state;
	facts_set_demand(facts, demand_result, &calls);
	facts_defer(facts, FIELD_BODY_TEXT);
	verdict = judge(program, facts);
	assert_int_equal(calls, 1); /* asked once for five rules */
	assert_int_equal(verdict.disposition, DISPOSITION_QUARANTINE);
	assert_int_equal(verdict.matches.count, 3);
	assert_string_equal(verdict.matches.items[0].rule->name, "hold");
	assert_true(verdict.matches.items[0].by_error);
	assert_string_equal(verdict.matches.items[1].rule->name, "later");
	assert_int_equal(
	    verdict.matches.items[1].disposition, DISPOSITION_DEFER);
	assert_string_equal(verdict.matches.items[2].rule->name, "spared");
	assert_true(verdict.incomplete);
	assert_true((verdict.failures & 1u << FAILURE_LIMIT) != 0);
	program_free(&program);
}

static enum tc_status
demand_later(void *context, struct facts *facts, enum field_id field)
{
	unsigned *calls = context;

	if ((*calls)++ == 0)
		return TC_AGAIN;
	facts_set_number(facts, field, FACT_RESULT_FAIL);
	return TC_OK;
}

static void
an_answer_that_is_not_there_yet_is_asked_for_again(void **state)
{
	struct program *program =
	    loaded("rule a { when spf == fail then reject }\n");
	struct eval_input input = { .program = program, .now = NOW };
	struct eval *eval = eval_new(arena, &input);
	struct facts *facts = facts_new(arena);
	struct verdict verdict;
	unsigned calls = 0;

	(void)state;
	facts_set_demand(facts, demand_later, &calls);
	facts_defer(facts, FIELD_SPF);
	assert_int_equal(
	    eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_AGAIN);
	assert_int_equal(verdict.disposition, DISPOSITION_NONE);
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	assert_int_equal(verdict.disposition, DISPOSITION_REJECT);
	assert_int_equal(calls, 2);
	program_free(&program);
}

static void
texts_from_the_message_are_made_safe(void **state)
{
	struct program *program =
	    loaded("rule a \"why\" { id \"7\" severity high when true\n"
		   " then add-header \"X-A\" \"{rule} {id} {{x}} {subject} "
		   "{from.domain} {spf}\" }\n");
	struct facts *facts = facts_new(arena);
	struct verdict verdict;

	(void)state;
	facts_set_text(facts, FIELD_SUBJECT,
	    SLICE_LITERAL("a\r\nX-Evil: 1\0\x7f\xff\xe2\x80\xae"
			  "b"));
	facts_add_mailbox(facts, FIELD_FROM, text("a@Example.ORG"), text("A"));
	verdict = judge(program, facts);
	assert_int_equal(verdict.actions.count, 1);
	assert_slice(verdict.actions.items[0].text,
	    "a 7 {x} a  X-Evil: 1  \xef\xbf\xbd b example.org none");
	program_free(&program);
}

static void
verdicts_join_by_strength(void **state)
{
	struct verdict late = verdict_make(arena), early = verdict_make(arena);

	(void)state;
	early.disposition = DISPOSITION_DISCARD;
	late.disposition = DISPOSITION_QUARANTINE;
	verdict_join(&late, &early);
	assert_int_equal(late.disposition, DISPOSITION_QUARANTINE);
	early.disposition = DISPOSITION_REJECT;
	verdict_join(&late, &early);
	assert_int_equal(late.disposition, DISPOSITION_REJECT);
	assert_true(DISPOSITION_NONE < DISPOSITION_DEFER);
	assert_true(DISPOSITION_DEFER < DISPOSITION_DISCARD);
	assert_true(DISPOSITION_DISCARD < DISPOSITION_QUARANTINE);
	assert_true(DISPOSITION_QUARANTINE < DISPOSITION_REJECT);
}

static void
a_program_says_what_it_needs(void **state)
{
	struct program *program = loaded(
	    "rule a { when any attachment (.sha256 in { "
	    "\"d41d8cd98f00b204e9800998ecf8427e\" }) or\n"
	    " any header[\"X-Foo\"] or any yara(\"office\") then tag }\n");
	const struct program_needs *needs = program_needs(program);

	(void)state;
	assert_true(needs->fields[FIELD_ATTACHMENT]);
	assert_false(needs->fields[FIELD_BODY_TEXT]);
	assert_int_equal(
	    needs->members[FIELD_ATTACHMENT], 1u << FACT_ATTACHMENT_SHA256);
	assert_int_equal(needs->header_count, 1);
	assert_string_equal(needs->headers[0], "x-foo");
	assert_int_equal(needs->ruleset_count, 1);
	assert_string_equal(needs->rulesets[0], "office");
	program_free(&program);
}

static void
conditions_that_rules_share_are_one(void **state)
{
	struct program *program = loaded(
	    "rule a { when spf == fail and dkim == fail then tag }\n"
	    "rule b { when dkim == fail and spf == fail then quarantine }\n"
	    "rule c { when spf == fail and dkim == fail then reject }\n");

	(void)state;
	assert_ptr_equal(
	    program_rule(program, 0)->when, program_rule(program, 2)->when);
	assert_int_equal(program->node_count, 4);
	program_free(&program);
}

static void
explain_shows_each_clause(void **state)
{
	struct program *program =
	    loaded("rule a { when spf == fail and any url (.host under "
		   "\"evil.example\") then tag }\n"
		   "rule b shadow { when subject is missing\n"
		   " and no from (.domain == \"x.example\")\n"
		   " then quarantine, alert }\n");
	struct eval_input input = {
		.program = program, .now = NOW, .trace = true
	};
	struct eval *eval = eval_new(arena, &input);
	struct facts *facts = facts_new(arena);
	struct explain_options options = { 0 };
	struct builder out = builder_make(arena, SIZE_MAX);
	struct verdict verdict;

	(void)state;
	value_set_domain(arena, &facts_add(facts, FIELD_URL)[FACT_URL_HOST],
	    text("www.evil.example"));
	assert_int_equal(eval_run(eval, STAGE_MESSAGE, facts, &verdict), TC_OK);
	explain_print(eval, &options, &out);
	assert_string_equal(builder_c_string(&out),
	    "+ b: matches in shadow, would quarantine, alert  [test:2]\n"
	    "    yes   all of these\n"
	    "    yes     subject is missing    (missing)\n"
	    "    yes     no from (.domain == \"x.example\")    (0 elements)\n"
	    "- a: no match  [test:1]\n"
	    "    no    all of these\n"
	    "    no      spf == fail    (is none)\n"
	    "    yes     any url (.host under \"evil.example\")    (1 element)\n"
	    "    yes       .host under \"evil.example\"    (1; is "
	    "www.evil.example)\n");
	out = builder_make(arena, SIZE_MAX);
	explain_json(eval, &options, &out);
	assert_non_null(strstr(builder_c_string(&out),
	    "{\"text\":\"spf == fail\",\"depth\":1,\"result\":\"no\",\"note\":"
	    "\"is none\"}"));
	program_free(&program);
}

static void
an_explanation_names_the_let_that_a_rule_names(void **state)
{
	struct program *program =
	    loaded("let odd = spf == fail or dmarc == fail\n"
		   "let grave = odd and not (dkim == pass or arc == pass)\n"
		   "rule a { when grave and subject is missing then tag }\n");
	struct eval_input input = {
		.program = program, .now = NOW, .trace = true
	};
	struct eval *eval = eval_new(arena, &input);
	struct explain_options options = { 0 };
	struct builder out = builder_make(arena, SIZE_MAX);
	struct verdict verdict;

	(void)state;
	assert_int_equal(
	    eval_run(eval, STAGE_MESSAGE, facts_new(arena), &verdict), TC_OK);
	explain_print(eval, &options, &out);
	assert_string_equal(builder_c_string(&out),
	    "- a: no match  [test:3]\n"
	    "    no    all of these\n"
	    "    no      grave: all of these\n"
	    "    no        odd: one of these\n"
	    "    no          spf == fail    (is none)\n"
	    "    no          dmarc == fail    (is none)\n"
	    "    yes       not (dkim == pass or arc == pass)\n"
	    "    no          one of these\n"
	    "    no            dkim == pass    (is none)\n"
	    "    no            arc == pass    (is none)\n"
	    "    yes     subject is missing    (missing)\n");
	program_free(&program);
}

/* --------------------------------------------------------------- settings */

static void
settings_have_defaults_and_are_read(void **state)
{
	struct program *program = loaded(
	    "socket \"inet:8899@127.0.0.1\" socket-mode 0600\n"
	    "resolver { server \"127.0.0.1@5353\" deadline 2s dnssec on }\n"
	    "limits { message-size 1MB mime-depth 5 }\n"
	    "failure { dns defer }\n"
	    "trusted-relays { 127.0.0.0/8, ::1 }\n"
	    "log-format json spf-engine libspf2 dmarc-mode 7489\n"
	    "warninglists \"w/*.json\"\n"
	    "feed x { source \"x.csv\" format csv expire 30d severity high\n"
	    " columns { value \"indicator\" type 2 } kinds { domain, url } }\n"
	    "feed y { source \"https://feeds.example/y\" format stix }\n"
	    "pin domain \"example.org\"\n");
	const struct settings *settings = program_settings(program);

	(void)state;
	assert_string_equal(settings->socket, "inet:8899@127.0.0.1");
	assert_int_equal(settings->socket_mode, 0600);
	assert_string_equal(settings->resolver.server, "127.0.0.1@5353");
	assert_int_equal(settings->resolver.deadline, 2000);
	assert_int_equal(settings->resolver.early_deadline, 5000);
	assert_true(settings->resolver.dnssec);
	assert_int_equal(settings->limits.message_size, 1000000);
	assert_int_equal(settings->limits.mime_depth, 5);
	assert_int_equal(settings->limits.memory, 1000000000);
	assert_int_equal(
	    settings->failure[FAILURE_DNS], SETTINGS_FAILURE_ACTION_DEFER);
	assert_int_equal(
	    settings->failure[FAILURE_INTERNAL], SETTINGS_FAILURE_ACTION_DEFER);
	assert_int_equal(settings->own_domains, SETTINGS_NO_LIST);
	assert_int_equal(settings->log_format, SETTINGS_LOG_FORMAT_JSON);
	assert_int_equal(settings->spf_engine, SETTINGS_SPF_ENGINE_LIBSPF2);
	assert_int_equal(settings->dmarc_mode, SETTINGS_DMARC_MODE_7489);
	assert_int_equal(settings->warninglists.count, 1);
	assert_int_equal(settings->feed_count, 2);
	assert_int_equal(settings->pin_count, 1);
	assert_string_equal(
	    settings->feed_fetches[1].url, "https://feeds.example/y");
	assert_int_equal(
	    value_list_count(program_list(
		program_own_lists(program), settings->trusted_relays)),
	    2);
	program_free(&program);
}

static void
every_setting_has_a_good_default(void **state)
{
	(void)state;
	for (unsigned i = 0; i < settings_count; i++) {
		const struct settings_entry *entry = &settings_table[i];
		struct settings settings;
		uint64_t number;

		assert_true(entry->description[0] != '\0');
		settings_defaults(&settings);
		if (entry->type != SETTING_INTEGER &&
		    entry->type != SETTING_SIZE &&
		    entry->type != SETTING_DURATION)
			continue;
		number =
		    *(uint64_t *)(void *)((char *)&settings + entry->offset);
		if (number < entry->minimum || number > entry->maximum)
			fail_msg("%s: %" PRIu64, entry->name, number);
	}
}

static void
the_schema_knows_the_words_of_other_modules(void **state)
{
	(void)state;
	for (int kind = 0; kind < INDICATOR_KINDS; kind++)
		assert_int_equal(
		    schema_member_word(FIELD_INDICATOR, FACT_INDICATOR_TYPE,
			indicator_kind_name((enum indicator_kind)kind)),
		    kind);
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		assert_non_null(schema_fields[i].name);
		assert_true(
		    schema_fields[i].member_count <= SCHEMA_MEMBERS_MAX);
		assert_int_equal(
		    schema_find(slice_text(schema_fields[i].name)), i);
	}
}

/* ------------------------------------------------------------ list files */

static void
write_file(const char *path, const char *content)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(content, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
lists_are_read_again_and_broken_ones_keep_the_old(void **state)
{
	char folder[] = "policy-lists-XXXXXX", path[64];
	struct load_options options = { .now = NOW };
	struct program_lists *lists;
	struct program *program;

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/l.txt", folder);
	write_file(path, "jdupont until 2026-12-24  # ticket 41\n# all\n\nx\n");
	diag = diag_make(arena, 200);
	program = load_text("t",
	    text("list l strings from \"l.txt\"\n"
		 "rule a { when subject in l then tag }\n"),
	    folder, &options, &diag);
	assert_non_null(program);
	assert_int_equal(program_find_list(program, text("l")), 0);
	assert_string_equal(program_list_file(program, 0), path);
	assert_true(
	    value_list_has_string(program_list(program_own_lists(program), 0),
		text("JDUPONT"), false, NOW));
	assert_false(
	    value_list_has_string(program_list(program_own_lists(program), 0),
		text("jdupont"), false, NOW + 60 * 86400));
	write_file(path, "y\n");
	lists =
	    program_reread_lists(program, program_own_lists(program), &diag);
	assert_non_null(lists);
	assert_int_equal(diag.error_count, 0);
	assert_int_equal(value_list_count(program_list(lists, 0)), 1);
	program_lists_free(&lists);
	write_file(path, "y until never\n");
	lists =
	    program_reread_lists(program, program_own_lists(program), &diag);
	assert_int_equal(diag.error_count, 2);
	assert_int_equal(value_list_count(program_list(lists, 0)), 2);
	program_lists_free(&lists);
	write_file(path, "");
	lists =
	    program_reread_lists(program, program_own_lists(program), &diag);
	assert_int_equal(diag.error_count, 3);
	assert_int_equal(value_list_count(program_list(lists, 0)), 2);
	program_lists_free(&lists);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(folder), 0);
	program_free(&program);
}

/* ------------------------------------------------------------ lookalikes */

static bool
looks_like(const char *entry, const char *name)
{
	struct value_list *list = value_list_new(arena, LIST_DOMAINS, "ours");
	struct slice canonical;
	const char *problem;

	assert_int_equal(
	    value_list_add(list, slice_text(entry), 0, &problem), TC_OK);
	assert_true(domain_canonical(arena, slice_text(name), &canonical));
	return lookalike_any(lookalike_prepare(arena, list), canonical, NOW);
}

static void
what_attackers_register_is_a_lookalike(void **state)
{
	static const struct {
		const char *ours, *names[24];
	} sets[] = {
		{ "interieur.example",
		    { /* looks the same */
			"lnterieur.example", "1nterieur.example",
			"int\u00e9rieur.example", "interieur.ex\u0430mple",
			"\u0456nterieur.example", "interi3ur.example",
			/* a letter off: omitted, doubled, swapped, other */
			"interieu.example", "interrieur.example",
			"interiuer.example", "interleur.example",
			/* under another suffix, hyphenated, below */
			"interieur.com", "interieur-example.com",
			"interi-eur.fr", "www.interieur.co.uk",
			"interieur.web.app", "mail.lnterieur.com",
			/* our name in front of theirs */
			"interieur.example.evil.com",
			"www.interieur.example.evil.com",
			"login.interieur-example.evil.com",
			/* words around it */
			"secure-interieur.example", "interieur-login.com",
			"interieursupport.fr" } },
		{ "interieur.gouv.fr",
		    { "interieur-gouv.fr", "interieurgouv.com",
			"interieur-gouv-fr.com", "gouv-interieur.fr",
			"interieur.gouv.com", "interieur.gouv.fr.evil.com",
			"interieur.g0uv.fr", "lnterieur.gouv.fr",
			"interieur-gouv.weebly.com", "interieur.fr",
			"xn--intrieur-e1a.fr", "portail-interieur-gouv.fr",
			"ants-interieur-gouv-fr.com" } },
		{ "modernisation.example",
		    { "rnodernisation.example", "modemisation.example",
			"modernisation.net" } },
		{ "bka.de", { "bka-de.com", "bka.de.evil.com", "6ka.de" } },
		{ "bmi.bund.de",
		    { "bmi-bund.de", "bmi-bund-de.com", "bmi.bund.evil.com" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		for (size_t j = 0; j < 24 && sets[i].names[j] != NULL; j++)
			if (!looks_like(sets[i].ours, sets[i].names[j]))
				fail_msg("%s is no lookalike of %s",
				    sets[i].names[j], sets[i].ours);
}

static void
names_of_others_are_no_lookalikes(void **state)
{
	static const struct {
		const char *ours, *names[24];
	} sets[] = {
		/* our own and what is below it; other words, parts of it */
		{ "interieur.example",
		    { "interieur.example", "www.interieur.example",
			"exterior.example", "interior.com", "interim.example",
			"example.com", "decoration-interieur.com",
			"interieur.boutique.com", "interieurs-vivants.fr",
			"example.evil.com", "inter.example",
			"rieur.example" } },
		{ "interieur.gouv.fr",
		    { "gouv.fr", "justice.gouv.fr", "service-public.fr",
			"finances.gouv.fr", "gouv.com", "legifrance.gouv.fr",
			"interior.gob.es", "interior.gov.uk" } },
		/* short names are near to too many */
		{ "bka.de", { "bsi.de", "bka.com", "bkb.de", "abka.de",
				"bka-fan.com" } },
		{ "bmi.bund.de",
		    { "bmf.bund.de", "bmi.com", "bund.net", "bmi.gv.at" } },
		/* a name that is itself such a word */
		{ "admin.ch",
		    { "admin.com", "webadmin.net", "admin-portal.com" } },
	};

	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++)
		for (size_t j = 0; j < 24 && sets[i].names[j] != NULL; j++)
			if (looks_like(sets[i].ours, sets[i].names[j]))
				fail_msg("%s is taken for %s", sets[i].names[j],
				    sets[i].ours);
}

/* ---------------------------------------------------------- golden errors */

static const char *
source_folder(void)
{
	const char *folder = getenv("srcdir");

	return folder == NULL ? "." : folder;
}

static struct slice
read_text(const char *path)
{
	const char *problem;
	struct slice content;

	if (read_file(arena, path, 1 << 20, &content, &problem) != TC_OK)
		fail_msg("%s: %s", path, problem);
	return content;
}

static void
broken_policies_say_what_is_wrong(void **state)
{
	struct load_options options = { .now = NOW };
	char pattern[4096];
	glob_t found;

	(void)state;
	snprintf(pattern, sizeof pattern, "%s/tests/policy/errors/*.policy",
	    source_folder());
	assert_int_equal(glob(pattern, 0, NULL, &found), 0);
	assert_true(found.gl_pathc >= 60);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		const char *path = found.gl_pathv[i];
		const char *name = strrchr(path, '/') + 1;
		struct slice expected = read_text(arena_printf(
		    arena, "%.*s.expected", (int)(strlen(path) - 7), path));
		struct program *program;
		const char *said;

		diag = diag_make(arena, 200);
		program = load_text(name, read_text(path), "", &options, &diag);
		assert_null(program);
		said = messages();
		if (!slice_equal_text(expected, said))
			fail_msg("%s: expected\n%.*sgot\n%s", name,
			    (int)expected.length, expected.data, said);
	}
	globfree(&found);
}

/* The message itself is for `tocsin test` to read (sentences_test.py). */
static const char *
take_message(void *context, const char *path,
    const struct language_test_envelope *envelope, int64_t now,
    struct facts *facts)
{
	(void)context;
	(void)envelope;
	(void)now;
	(void)facts;
	return strstr(path, "/policy.d/samples/lateral.eml") == NULL
		   ? "another file"
		   : NULL;
}

static void
the_example_of_the_manual_loads_and_passes_its_tests(void **state)
{
	static const struct language_test_options test_options = {
		.message = take_message
	};
	struct load_options options = { .now = NOW };
	struct language_test_result result;
	struct program *program;
	char path[4096];

	(void)state;
	snprintf(path, sizeof path, "%s/tests/policy/example/tocsin.conf",
	    source_folder());
	program = load_file(path, &options, &diag);
	if (program == NULL)
		fail_msg("%s", messages());
	assert_int_equal(program_rule_count(program), 5);
	assert_int_equal(program_exemption_count(program), 1);
	assert_int_equal(program_switch_count(program), 1);
	assert_int_equal(program_file_count(program), 4);
	assert_int_equal(program_settings(program)->feed_count, 3);
	assert_int_equal(language_test_count(program), 1);
	assert_int_equal(
	    language_test_run(program, 0, &test_options, arena, &result),
	    TC_OK);
	if (!result.passed)
		fail_msg("%s", result.problem);
	assert_int_equal(result.verdict.disposition, DISPOSITION_QUARANTINE);
	program_free(&program);
}

static void
warnings_say_what_is_odd(void **state)
{
	static const struct {
		const char *policy;
		const char *warning;
	} table[] = {
		{ "rule a shadow { when true then tag }",
		    "shadow without a date" },
		{ "rule a { when spf == fail then discard }",
		    "discard loses mail" },
		{ "rule a { when false then tag }", "can never match" },
		{ "rule a { when spf == fail then tag }\n"
		  "rule b { when spf == fail then tag }",
		    "repeats the condition of a" },
		{ "rule a { when spf == fail and spf in { pass, none }\n"
		  " then tag }",
		    "can never match" },
		{ "rule a { when any indicator (.severity >= high\n"
		  " and .severity < medium) then tag }",
		    "can never match" },
		{ "rule a { when size > 5MB and size < 1MB then tag }",
		    "can never match" },
		{ "rule a { when size < 0 then tag }", "can never match" },
		{ "rule a { when count url (.defanged) > 5\n"
		  " and count url (.defanged) == 3 then tag }",
		    "can never match" },
		{ "rule a { when subject == \"x\" and subject == \"y\"\n"
		  " then tag }",
		    "can never match" },
		{ "rule a { when subject in { } then tag }",
		    "can never match" },
		{ "rule a { when direction == inbound and auth.user == \"x\"\n"
		  " then tag }",
		    "can never match: mail with auth.user" },
		{ "list mine networks { 10.0.0.0/8 }\nown-networks mine\n"
		  "rule a { when client.ip in mine and size > 1MB\n"
		  " and direction == inbound then tag }",
		    "can never match: mail with auth.user" },
		{ "rule a { when direction in { outbound, internal }\n"
		  " and dmarc == fail then tag }",
		    "are none for mail from ours" },
		{ "rule a { when auth.user matches /x/ and spf in { fail,\n"
		  " softfail } then tag }",
		    "are none for mail from ours" },
		{ "rule a at connect { when client.ip == 192.0.2.1\n"
		  " then reject \"No\" }",
		    "at connect the MTA answers in words of its own" },
		{ "rule a { when subject is present and subject is missing\n"
		  " then tag }",
		    "can never match" },
		{ "let x = spf == fail\n"
		  "rule a { when x unless true or x then tag }",
		    "always true" },
		{ "rule a { when false then tag }\n"
		  "rule b { when a and spf == fail then tag }",
		    "the rule b can never match" },
		{ "rule a { when spf == fail then tag }\n"
		  "exempt a \"x\" { when dmarc == pass and dmarc == fail\n"
		  " and client.ip == 192.0.2.1 }",
		    "the exemption can never match" },
		{ "rule a { when spf == fail then tag }\n"
		  "exempt a \"x\" { when dmarc == pass and size < 1MB }",
		    "no narrow condition" },
		{ "rule a { when spf == fail then tag }\n"
		  "exempt a \"x\" { when auth.user is present\n"
		  " or client.ip == 192.0.2.1 }",
		    "no narrow condition" },
		{ "list l domains { }", "is empty" },
		{ "rule a { when spf == fail then tag }\n"
		  "exempt a \"x\" { when true }",
		    "no narrow condition" },
		{ "own-domains { \"example.org\" }\n"
		  "rule a { owner \"x@example.org\" when true then tag }",
		    "under own-domains" },
		{ "own-domains { \"example.org\" }\n"
		  "rule a { when true then copy-to \"x@sub.example.org\" }",
		    "under own-domains" },
		{ "rule a until 2026-01-01 { when true then tag }",
		    "has ended" },
		{ "include \"no-such-folder/*.policy\"", "no file has" },
		{ "rule a shadow { when true then tag }\n"
		  "rule b shadow { when spf == fail then tag }",
		    "without a date: a, b; " },
		{ "rule a { when any attachment (.extension == \".iso\")\n"
		  " then tag }",
		    "without dot and *: \"iso\"" },
		{ "rule a { when any attachment (.extension in { \"lnk\",\n"
		  " \"*.iso\" }) then tag }",
		    "without dot and *: \"iso\"" },
		{ "rule a { when any attachment (.extensions contains \".js\")\n"
		  " then tag }",
		    "without dot and *: \"js\"" },
		{ "rule a { when any attachment (.name == \"*.exe\")\n"
		  " then tag }",
		    "write ends-with \".exe\"" },
		{ "rule a { when any url (.scheme == \"https:\") then tag }",
		    "without its colon: \"https\"" },
		{ "rule a { when any attachment (.md5 == \"d41d8cd98f00\")\n"
		  " then tag }",
		    "has 12 characters, and .md5 is of 32 hexadecimal" },
		{ "rule a { when any attachment (.sha256 in {\n"
		  " \"d41d8cd98f00b204e9800998ecf8427e\" }) then tag }",
		    "has 32 characters, and .sha256 is of 64 hexadecimal" },
		{ "feed rules { source \"r\" format yara }\n"
		  "rule a { when any yara(\"ruels\") then tag }",
		    "brings it: there is no feed \"ruels\"; did you mean "
		    "\"rules\"?" },
		{ "feed cert { source \"cert.txt\" }\n"
		  "rule a { when any indicator (.feed == \"cret\") then tag }",
		    "there is no feed \"cret\"; did you mean \"cert\"?" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		struct program *program = loaded(table[i].policy);

		if (strstr(messages(), table[i].warning) == NULL)
			fail_msg("%s: %s", table[i].policy, messages());
		program_free(&program);
	}
}

/* In shadow before the start of its day, and an error where it says both. */
static void
a_rule_with_a_start_acts_from_then_on(void **state)
{
	struct program *program =
	    loaded("rule a from 2026-12-10T10:00:00Z until 2026-12-20 {\n"
		   " when true then quarantine }\n"
		   "rule b from 2026-12-10 { when true then tag }");
	struct eval_input input = { .program = program };
	const int64_t start = 1796896800; /* of a */
	struct verdict verdict;

	(void)state;
	assert_int_equal(program_rule(program, 0)->from, start);
	/* The start of the day, not its end, in any zone. */
	assert_true(program_rule(program, 1)->from < start + 5 * 3600);
	for (int64_t after = -1; after <= 0; after++) {
		input.now = start + after;
		assert_int_equal(eval_run(eval_new(arena, &input),
				     STAGE_MESSAGE, facts_new(arena), &verdict),
		    TC_OK);
		assert_int_equal(verdict.matches.items[0].shadow, after < 0);
		assert_int_equal(verdict.disposition,
		    after < 0 ? DISPOSITION_NONE : DISPOSITION_QUARANTINE);
		assert_int_equal(verdict.would,
		    after < 0 ? DISPOSITION_QUARANTINE : DISPOSITION_NONE);
	}
	program_free(&program);
}

static void
what_is_in_order_is_not_warned_about(void **state)
{
	static const char *const policies[] = {
		"rule a { when spf == fail and dkim in { fail, none }\n"
		" and size >= 1MB and size <= 1MB then tag }",
		"rule a { when any url (.host == \"a.example\")\n"
		" and any url (.host == \"b.example\") then tag }",
		"rule a { when subject == \"x\" or subject == \"y\" then tag }",
		"feed rules { source \"r\" format yara }\n"
		"rule a { when any yara(\"rules\") (.rule == \"x\") then tag }",
		"rule a { when any attachment\n"
		" (.md5 == \"D41D8CD98F00B204E9800998ECF8427E\"\n"
		" or .sha256 starts-with \"d41d\") then tag }",
		"rule a { when direction == inbound and auth.user is missing\n"
		" and dmarc == fail then tag }",
		"rule a { when direction in { outbound, inbound }\n"
		" and dmarc == fail then tag }",
		"rule a { when direction == outbound and dmarc == none\n"
		" then tag }",
		"judge-own on\nrule a { when auth.user == \"x\"\n"
		" and dmarc == fail then tag }",
		"rule a at helo { when client.ip == 192.0.2.1\n"
		" then reject \"No\" }",
		"rule a { when count url (.defanged) > 5\n"
		" and count url (.text-mismatch) == 0 then tag }",
		"rule a { when any indicator (.severity >= low) then tag }",
		"rule a { when any indicator (.feed == \"local\") then tag }",
		"rule a { when subject == \"*\" and any attachment\n"
		" (.extension in { \"7z\", \"iso\" }) then tag }",
		"rule a { when spf == fail then tag }\n"
		"exempt a \"x\" { when dmarc == pass\n"
		" and all from (.domain == \"a.example\") }",
		"rule a { when spf == fail then tag }\n"
		"exempt a \"x\" { when client.ip in 192.0.2.0/24\n"
		" or any header[\"List-Id\"] (.value contains \"x.example\") }",
	};

	(void)state;
	for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
		struct program *program = loaded(policies[i]);

		if (diag.entries.count > 0)
			fail_msg("%s", messages());
		program_free(&program);
	}
}

static void
under_enforcement_shadow_a_shadow_needs_no_date(void **state)
{
	struct program *program =
	    loaded("enforcement shadow\n"
		   "rule a shadow { when true then tag }");

	(void)state;
	if (strstr(messages(), "shadow without a date") != NULL)
		fail_msg("%s", messages());
	program_free(&program);
}

/* ------------------------------------------------------------------ fmt */

static struct slice
print(struct slice from)
{
	struct diag_source source = { .file = "f", .text = from };
	struct builder out = builder_make(arena, SIZE_MAX);

	diag = diag_make(arena, 200);
	if (print_file(&source, &diag, &out) != TC_OK)
		fail_msg("%s", messages());
	return builder_result(&out);
}

static void
printing_twice_changes_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
		struct slice once = print(slice_text(promises[i].policy));
		struct slice twice = print(once);

		if (!slice_equal(once, twice))
			fail_msg("%.*s\nbecomes\n%.*s", (int)once.length,
			    once.data, (int)twice.length, twice.data);
		check_policy(promises[i].sentence,
		    arena_text(arena, once)); /* and keeps its meaning */
	}
}

static void
comments_and_gaps_are_kept(void **state)
{
	(void)state;
	assert_slice(
	    print(
		text("# top\n\n\n\nsocket  \"x\"   socket-mode 0660 # why\n"
		     "resolver {server \"1\" deadline 1s}\n"
		     "rule a   \"b\"{ # first\n severity high   when spf==fail "
		     "and\n (any url(.host  == \"x\") )\n"
		     "# before then\nthen tag,quarantine}\n# end")),
	    "# top\n\nsocket \"x\"\nsocket-mode 0660  # why\n"
	    "resolver { server \"1\"  deadline 1s }\n\n"
	    "rule a \"b\" {  # first\n"
	    "    severity high\n"
	    "    when spf == fail and\n"
	    "        (any url (.host == \"x\"))\n"
	    "    # before then\n"
	    "    then tag, quarantine\n"
	    "}\n"
	    "# end\n");
}

static void
values_in_a_condition_stand_inside_it(void **state)
{
	(void)state;
	assert_slice(print(text("rule a { when true\nand (any url (.host in "
				"{\n\"x\",\n\"y\"\n}\nor .defanged))\n"
				"then tag }")),
	    "rule a {\n"
	    "    when true\n"
	    "        and (any url (.host in {\n"
	    "            \"x\",\n"
	    "            \"y\"\n"
	    "        }\n"
	    "                or .defanged))\n"
	    "    then tag\n"
	    "}\n");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
		TEST(evaluation_keeps_its_promises),
		TEST(shadow_changes_nothing_and_is_told),
		TEST(failure_acts_where_no_rule_is_stronger),
		TEST(an_error_is_what_on_error_says),
		TEST(an_answer_that_is_not_there_yet_is_asked_for_again),
		TEST(texts_from_the_message_are_made_safe),
		TEST(verdicts_join_by_strength),
		TEST(a_program_says_what_it_needs),
		TEST(conditions_that_rules_share_are_one),
		TEST(explain_shows_each_clause),
		TEST(an_explanation_names_the_let_that_a_rule_names),
		TEST(what_attackers_register_is_a_lookalike),
		TEST(names_of_others_are_no_lookalikes),
		TEST(settings_have_defaults_and_are_read),
		TEST(every_setting_has_a_good_default),
		TEST(the_schema_knows_the_words_of_other_modules),
		TEST(lists_are_read_again_and_broken_ones_keep_the_old),
		TEST(broken_policies_say_what_is_wrong),
		TEST(the_example_of_the_manual_loads_and_passes_its_tests),
		TEST(warnings_say_what_is_odd),
		TEST(what_is_in_order_is_not_warned_about),
		TEST(a_rule_with_a_start_acts_from_then_on),
		TEST(under_enforcement_shadow_a_shadow_needs_no_date),
		TEST(printing_twice_changes_nothing),
		TEST(comments_and_gaps_are_kept),
		TEST(values_in_a_condition_stand_inside_it),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
