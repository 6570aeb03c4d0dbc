#include <config.h>

#include <stdio.h>

#include "support/unit.h"

#include "evidence/hop.h"

static void
every_usual_form_of_received_is_read(void **state)
{
	static const struct {
		const char *value, *helo, *name, *ip, *by;
	} rows[] = {
		{ " from mail.example.org (mx.example.org [192.0.2.1])\r\n"
		  "\tby mx1.test (Postfix) with ESMTPS id 4Zb1c93Xw\r\n"
		  "\tfor <a@b.test>; Mon, 23 Nov 2026 10:00:00 +0100",
		    "mail.example.org", "mx.example.org", "192.0.2.1",
		    "mx1.test" },
		{ "from h (unknown [IPv6:2001:db8::1]) by m with ESMTP", "h",
		    "", "2001:db8::1", "m" },
		{ "from h (IDENT:u@n.example [192.0.2.9] (may be forged)) by m",
		    "h", "n.example", "192.0.2.9", "m" },
		{ "from v.example ([192.0.2.3] helo=claimed) by m with esmtp",
		    "claimed", "v.example", "192.0.2.3", "m" },
		{ "from [192.0.2.3] (helo=claimed) by m with esmtp", "claimed",
		    "", "192.0.2.3", "m" },
		{ "from x ([192.0.2.3] helo=[10.0.0.1]) by m", "[10.0.0.1]",
		    "x", "192.0.2.3", "m" },
		{ "from n.example (HELO claimed) (192.0.2.4) by m with SMTP",
		    "claimed", "n.example", "192.0.2.4", "m" },
		{ "from A.example (2603:10a6::1) by B.example (2603:10a6::2)",
		    "A.example", "", "2603:10a6::1", "B.example" },
		{ "from [192.0.2.5] by m", "[192.0.2.5]", "", "192.0.2.5",
		    "m" },
		{ "from a (b [1.2.3.4]) (c [9.9.9.9]) by m", "a", "", "1.2.3.4",
		    "m" },
		{ "from a(b [1.2.3.4]) (c [9.9.9.9]) by m", "a", "", "9.9.9.9",
		    "m" },
		{ "from a([1.2.3.4]) by m", "a", "", NULL, "m" },
		{ "by m (Postfix, from userid 0) id 1", "", "", NULL, "m" },
		{ "from unknown (HELO claimed) (joe@192.0.2.6) by m with SMTP",
		    "claimed", "unknown", "192.0.2.6", "m" },
		{ "from lmtp (LHLO claimed) (192.0.2.6) by m with LMTP",
		    "claimed", "lmtp", "192.0.2.6", "m" },
		{ "from h (IDENT:joe@[192.0.2.7]) by m (8.17.1/8.17.1)", "h",
		    "", "192.0.2.7", "m" },
		{ "from [192.0.2.8] (HELO claimed) by m (CommuniGate Pro SMTP)",
		    "claimed", "", "192.0.2.8", "m" },
		{ "from [10.0.0.1] (unknown [unknown]) by m (Postfix)",
		    "[10.0.0.1]", "", NULL, "m" },
		{ "from (mx.example.org [192.0.2.1]) by m", "",
		    "mx.example.org", "192.0.2.1", "m" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hop hop = hop_parse(text(rows[i].value));
		char ip[IPADDR_TEXT_MAX];

		assert_slice(hop.helo, rows[i].helo);
		assert_slice(hop.name, rows[i].name);
		assert_slice(hop.by, rows[i].by);
		assert_int_equal(hop.has_ip, rows[i].ip != NULL);
		if (hop.has_ip)
			assert_string_equal(
			    ipaddr_format(&hop.ip, ip), rows[i].ip);
	}
}

/* Fields as the writers write them for the client 192.0.2.1; %s is what it
 * said in HELO. */
static const char *const writers[] = {
	/* Postfix */
	" from %s (mx.example.org [192.0.2.1])\r\n\t(using TLSv1.3 with "
	"cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n\t(No client "
	"certificate requested)\r\n\tby gw.test (Postfix) with ESMTPS id "
	"4Zb1c\r\n\tfor <a@b.test>; Mon, 23 Nov 2026 10:00:00 +0100 (CET)",
	" from %s (unknown [192.0.2.1])\r\n\tby gw.test (Postfix) with SMTP id "
	"4Zb1c; Mon, 23 Nov 2026 10:00:00 +0100",
	/* Sendmail */
	" from %s (IDENT:joe@n.example [192.0.2.1] (may be forged))\r\n\tby "
	"gw.test (8.17.1/8.17.1) with ESMTPS id 1234 (version=TLSv1.3 "
	"cipher=AES verify=NO)\r\n\tfor <a@b.test>; Mon, 23 Nov 2026 "
	"10:00:00 +0100",
	" from %s ([192.0.2.1])\r\n\tby gw.test (8.17.1/8.17.1) with ESMTP id "
	"1234; Mon, 23 Nov 2026 10:00:00 +0100",
	/* Exim */
	" from n.example ([192.0.2.1] helo=%s)\r\n\tby gw.test with esmtps  "
	"(TLS1.3) tls TLS_AES\r\n\t(Exim 4.96)\r\n\t(envelope-from "
	"<x@y.test>)\r\n\tid 1abc-0001\r\n\tfor a@b.test;\r\n\tMon, 23 Nov "
	"2026 10:00:00 +0100",
	" from [192.0.2.1] (port=4711 helo=%s)\r\n\tby gw.test with esmtp (Exim "
	"4.96)\r\n\tid 1abc-0001; Mon, 23 Nov 2026 10:00:00 +0100",
	" from [192.0.2.1] (helo=%s)\r\n\tby gw.test with esmtp (Exim 4.96) id "
	"1abc-0001; Mon, 23 Nov 2026 10:00:00 +0100",
	/* Exchange */
	" from %s (192.0.2.1) by gw.test (10.0.0.2) with Microsoft SMTP Server "
	"(version=TLS1_2, cipher=TLS_ECDHE) id 15.20.4321.7 via Frontend "
	"Transport; Mon, 23 Nov 2026 10:00:00 +0000",
	" from %s ([192.0.2.1]) by gw.test with Microsoft SMTPSVC(10.0.1);\r\n\t "
	"Mon, 23 Nov 2026 10:00:00 +0100",
	/* qmail */
	" from unknown (HELO %s) (192.0.2.1)\n  by gw.test with SMTP; 23 Nov 2026 "
	"10:00:00 -0000",
	" from n.example (HELO %s) (joe@192.0.2.1)\n  by gw.test with SMTP; 23 "
	"Nov 2026 10:00:00 -0000",
	/* Courier, OpenSMTPD, CommuniGate, a writer of no address */
	" from %s (n.example [::ffff:192.0.2.1])\r\n  (TLS: TLSv1.3,256bits)\r\n  "
	"by gw.test with ESMTPS id 0001; Mon, 23 Nov 2026 10:00:00 +0100",
	" from [192.0.2.1] (HELO %s)\r\n  by gw.test (CommuniGate Pro SMTP 6.1) "
	"with ESMTP id 12; Mon, 23 Nov 2026 10:00:00 +0100",
	" from %s by gw.test (MDaemon) with ESMTP id 12; Mon, 23 Nov 2026 10:00:00 "
	"+0100",
};

static struct hop
written(size_t writer, const char *helo)
{
	static char field[8192];

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(field, sizeof field, writers[writer], helo);
#pragma GCC diagnostic pop
	return hop_parse(text(field));
}

/* What a client may never reach: that the filter is sure of another address,
 * or that the relay handed the message to itself. */
static void
must_not_mislead(size_t writer, const char *helo)
{
	struct hop hop = written(writer, helo);
	char ip[IPADDR_TEXT_MAX] = "none";

	if (hop.certain && hop.has_ip)
		ipaddr_format(&hop.ip, ip);
	if (hop.local ||
	    (hop.certain && hop.has_ip && strcmp(ip, "192.0.2.1") != 0)) {
		print_error("writer %zu, HELO %s: %s %s\n", writer, helo, ip,
		    hop.local ? "local" : "");
		fail();
	}
}

static void
an_honest_claim_leaves_no_doubt(void **state)
{
	static const char *const claims[] = { "mail.example.org", "localhost",
		"[10.0.0.1]", "[127.0.0.1]", "[IPv6:2001:db8::1]", "WIN-1234",
		"user_pc", "xn--mller-kva.example" };

	(void)state;
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
		for (size_t j = 0; j < sizeof claims / sizeof claims[0]; j++) {
			struct hop hop = written(i, claims[j]);
			bool silent =
			    i == sizeof writers / sizeof writers[0] - 1;

			/* Which of the two wrote "[10.0.0.1]" is not known
			 * where the writer tells of no address. */
			assert_true(
			    hop.certain || (silent && claims[j][0] == '['));
			assert_int_equal(hop.local, false);
			assert_int_equal(
			    hop.has_ip, !silent || claims[j][0] == '[');
			assert_slice(hop.by, "gw.test");
			assert_slice(hop.helo, claims[j]);
			must_not_mislead(i, claims[j]);
		}
}

static void
no_claim_passes_for_what_the_relay_saw(void **state)
{
	static const char *const claims[] = {
		"[127.0.0.1]",
		"x (y [127.0.0.1])",
		"x (y [127.0.0.1]) (",
		"x (y [127.0.0.1]) (using",
		"x (y [127.0.0.1]) (using TLS) by gw.test with SMTP; Mon, 23 "
		"Nov 2026 10:00:00 +0100",
		"x (y [127.0.0.1]) by gw.test with SMTP; Mon, 23 Nov 2026 "
		"10:00:00 +0100 (",
		"x (y [127.0.0.1]) by gw.test with SMTP (",
		"x (y [127.0.0.1]) by gw.test (Postfix) with SMTP id 1\\",
		"x (y [127.0.0.1])\\",
		"x (y [127.0.0.1]);",
		"x(y [127.0.0.1])",
		"([127.0.0.1])",
		"(y [127.0.0.1])",
		"x (127.0.0.1)",
		"x (joe@127.0.0.1)",
		"x (HELO y) (127.0.0.1)",
		"x) (127.0.0.1",
		"x) (y [127.0.0.1]",
		"x [127.0.0.1",
		"x [127.0.0.1]",
		"[127.0.0.1] [127.0.0.1]",
		"[127.0.0.1] (helo=x)",
		"[127.0.0.1] (helo=x",
		"[127.0.0.1] (port=1 helo=x) (",
		"[127.0.0.1] (HELO x)",
		"[127.0.0.1] by gw.test with esmtp (Exim 4.96)",
		"[127.0.0.1] by gw.test with esmtp (Exim 4.96) (",
		"x by gw.test with local",
		"x by gw.test with local (Exim 4.96) (",
		"x ident=joe@[127.0.0.1]",
		"x ident=joe [127.0.0.1]",
		"helo=x [127.0.0.1]",
		"y [127.0.0.1]) (z",
		"y@[127.0.0.1]",
		"IDENT:y@z [127.0.0.1]",
		"from y (z [127.0.0.1])",
		"by gw.test (qmail 1 invoked by uid 0)",
		"",
		"\\",
		"(",
		"((((((((((((((((((",
		"((((((((((((((((([127.0.0.1])))))))))))))))))))",
		")",
		";",
		"\"",
		"\"(y [127.0.0.1])\"",
	};

	(void)state;
	for (size_t i = 0; i < sizeof writers / sizeof writers[0]; i++)
		for (size_t j = 0; j < sizeof claims / sizeof claims[0]; j++)
			if (i < sizeof writers / sizeof writers[0] - 1)
				must_not_mislead(i, claims[j]);
}

static void
nor_does_any_claim_put_together_from_pieces(void **state)
{
	static const char *const pieces[] = { " ", " (", ")", "(",
		"[127.0.0.1]", "127.0.0.1", "x", "y ", " by ", "gw.test",
		" with ", "local", "esmtp", "helo=", "HELO ", "port=1 ",
		"ident=", "@", ";", "\\", "from ", "Exim 4.96",
		"IDENT:", "Mon, 23 Nov 2026 10:00:00 +0100", "=", "\"",
		" id 1 ", "IPv6:::1", "[IPv6:::1]" };
	const unsigned count = sizeof pieces / sizeof pieces[0];
	unsigned random = 12345;

	(void)state;
	for (unsigned round = 0; round < 300000; round++) {
		char helo[600] = "";
		unsigned length;

		random = random * 1664525u + 1013904223u;
		length = 1 + (random >> 24) % 12;
		while (length-- > 0) {
			random = random * 1664525u + 1013904223u;
			strcat(helo, pieces[(random >> 16) % count]);
		}
		/* the last writer tells of no address */
		random = random * 1664525u + 1013904223u;
		must_not_mislead(
		    (random >> 16) % (sizeof writers / sizeof writers[0] - 1),
		    helo);
	}
}

static void
a_relay_that_hands_mail_to_itself_is_local(void **state)
{
	static const struct {
		const char *value;
		bool local;
	} rows[] = {
		{ "by gw.test (Postfix, from userid 0) id 1; Mon, 23 Nov 2026 "
		  "10:00:00 +0100",
		    true },
		{ "(from root@localhost) by gw.test (8.17.1/8.17.1/Submit) id "
		  "1; Mon, 23 Nov 2026 10:00:00 +0100",
		    true },
		{ "(qmail 12 invoked from network); 23 Nov 2026 10:00:00 -0000",
		    true },
		{ "from root by gw.test with local (Exim 4.96) id 1; Mon, 23 "
		  "Nov 2026 10:00:00 +0100",
		    true },
		{ "from x ([192.0.2.1] helo=y) by gw.test with local", false },
		{ "from x by y by gw.test with local", false },
		{ "(from root@localhost) by gw.test (", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_int_equal(
		    hop_parse(text(rows[i].value)).local, rows[i].local);
}

static void
what_is_no_received_field_gives_an_empty_hop(void **state)
{
	static const char *const rows[] = { "", " ", ";", "((((", "from",
		"from (", "by", "\\", "(\\", "from ([", "with with with", ")",
		"from x ([])" };

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct hop hop = hop_parse(text(rows[i]));

		assert_false(hop.has_ip);
		assert_int_equal(hop.time_unix, 0);
	}
}

static void
a_long_field_costs_linear_time(void **state)
{
	static char nested[300000];

	(void)state;
	memset(nested, '(', sizeof nested);
	assert_false(hop_parse(slice_make(nested, sizeof nested)).has_ip);
	memset(nested, '[', sizeof nested);
	memcpy(nested, "from a (", 8);
	assert_false(hop_parse(slice_make(nested, sizeof nested)).has_ip);
}

static void
dates_are_read_in_every_zone(void **state)
{
	static const struct {
		const char *text;
		long long unix_time; /* -1: no date */
	} rows[] = {
		{ "Mon, 23 Nov 2026 10:00:00 +0100", 1795424400 },
		{ "23 Nov 2026 09:00 GMT", 1795424400 },
		{ "Mon,23 Nov 2026 04:00:00 EST (comment)", 1795424400 },
		{ "Thu, 1 Jan 70 00:00:00 +0000", 0 },
		{ "Thu, 29 Feb 2024 12:00:00 -0000", 1709208000 },
		{ "32 Nov 2026 10:00:00 +0000", -1 },
		{ "1 Foo 2026 10:00:00 +0000", -1 },
		{ "1 Nov 2026 25:00:00 +0000", -1 },
		{ "yesterday", -1 },
		{ "", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		time_t when = -1;
		bool known = hop_date(text(rows[i].text), &when);

		assert_int_equal(known, rows[i].unix_time != -1);
		assert_int_equal((long long)when, rows[i].unix_time);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_usual_form_of_received_is_read),
	cmocka_unit_test(an_honest_claim_leaves_no_doubt),
	cmocka_unit_test(no_claim_passes_for_what_the_relay_saw),
	cmocka_unit_test(nor_does_any_claim_put_together_from_pieces),
	cmocka_unit_test(a_relay_that_hands_mail_to_itself_is_local),
	cmocka_unit_test(what_is_no_received_field_gives_an_empty_hop),
	cmocka_unit_test(a_long_field_costs_linear_time),
	cmocka_unit_test(dates_are_read_in_every_zone),
};

UNIT_MAIN(tests)
