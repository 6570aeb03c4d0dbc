#include <config.h>

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
	cmocka_unit_test(what_is_no_received_field_gives_an_empty_hop),
	cmocka_unit_test(a_long_field_costs_linear_time),
	cmocka_unit_test(dates_are_read_in_every_zone),
};

UNIT_MAIN(tests)
