#include <config.h>

#include "support/unit.h"

#include "base/url_canonical.h"
#include "indicator/normal.h"

static void
spellings_of_one_url_have_one_normal_form(void **state)
{
	static const struct {
		const char *raw, *normal;
	} rows[] = {
		{ "http://example.com", "http://example.com/" },
		{ " HTTP://EXAMPLE.com:80/ ", "http://example.com/" },
		{ "https://example.com:443/a", "https://example.com/a" },
		{ "https://example.com:8443/a", "https://example.com:8443/a" },
		{ "https:/\\example.com\\a\\b", "https://example.com/a/b" },
		{ "https:example.com/a", "https://example.com/a" },
		{ "//example.com/a", "http://example.com/a" },
		{ "example.com/a", "http://example.com/a" },
		{ "example.com:8080/a", "http://example.com:8080/a" },
		{ "http://user:pw@good.example@evil.example/",
		    "http://evil.example/" },
		{ "http://ex\tam\r\nple.com/\np", "http://example.com/p" },
		{ "http://example.com./", "http://example.com/" },
		{ "http://ex%61mple.com/", "http://example.com/" },
		{ "http://b\xc3\xb6se.example/",
		    "http://xn--bse-sna.example/" },
		{ "http://3232235777/", "http://192.168.1.1/" },
		{ "http://0xC0A80101/", "http://192.168.1.1/" },
		{ "http://0300.0250.1.1/", "http://192.168.1.1/" },
		{ "http://192.168.257/", "http://192.168.1.1/" },
		{ "http://[2001:DB8:0::1]:80/x", "http://[2001:db8::1]/x" },
		{ "http://e.com/a/./b/../c", "http://e.com/a/c" },
		{ "http://e.com/../../x", "http://e.com/x" },
		{ "http://e.com/a/%2e%2E/", "http://e.com/" },
		{ "http://e.com/%7euser/%2f%3a", "http://e.com/~user/%2F%3A" },
		{ "http://e.com/a b\"", "http://e.com/a%20b%22" },
		{ "http://e.com?q=1#frag", "http://e.com/?q=1" },
		{ "http://e.com/?#x", "http://e.com/" },
		{ "http://e.com/#/a?b", "http://e.com/" },
		{ "ftp://e.com:21/f", "ftp://e.com/f" },
		{ "smb://srv.example/share", "smb://srv.example/share" },
		{ "http://e.com:99999/", "http://e.com/" },
		{ "http://e.com/100%", "http://e.com/100%25" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_canonical url = { .port = 0 }, again = url;

		if (!url_canonical_parse(arena, text(rows[i].raw), &url))
			fail_msg("refused: %s", rows[i].raw);
		assert_slice(url.normal, rows[i].normal);
		assert_true(url_canonical_parse(arena, url.normal, &again));
		assert_true(slice_equal(url.normal, again.normal));
	}
	arena_free(&arena);
}

static void
what_has_no_host_is_refused(void **state)
{
	static const char *const rows[] = { "", " ", "mailto:a@b.example",
		"file:///C:/a.dotx", "file:///c:\\a.dotx", "file:///C|/a",
		"javascript:alert(1)", "data:text/html,x", "http://",
		"http:///", "http://a b/", "http://[::1/", "tel:123",
		"http://..", "#a", "http://ex<ample/",
		/* characters that stand for '/' and '}' */
		"http://evil.example\xef\xbc\x8fx", "\xef\xb8\xb8" };
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_canonical url;

		if (url_canonical_parse(arena, text(rows[i]), &url))
			fail_msg("accepted: %s", rows[i]);
	}
	arena_free(&arena);
}

static void
parts_and_oddities_are_told(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct url_canonical url;

	(void)state;
	assert_true(url_canonical_parse(
	    arena, text("HTTPS:\\\\u@0x7f.1:444/a/b?c=d#e"), &url));
	assert_slice(url.scheme, "https");
	assert_slice(url.host, "127.0.0.1");
	assert_true(url.host_is_address);
	assert_int_equal(url.port, 444);
	assert_slice(url.path, "/a/b");
	assert_slice(url.query, "c=d");
	assert_int_equal(url.oddities, URL_HAD_USERINFO | URL_HAD_BACKSLASH |
					   URL_NUMERIC_HOST | URL_HAD_FRAGMENT);
	assert_true(
	    url_canonical_parse(arena, text("http://a.example/"), &url));
	assert_int_equal(url.oddities, 0);
	arena_free(&arena);
}

static void
redirectors_show_their_target(void **state)
{
	static const struct {
		const char *url, *target;
		bool known;
	} rows[] = {
		{ "https://www.google.com/url?sa=t&q=https%3A%2F%2Fevil.example%2Fx",
		    "https://evil.example/x", true },
		{ "https://eur01.safelinks.protection.outlook.com/?url=http%3A%2F%2Fe.example&data=1",
		    "http://e.example", true },
		{ "https://urldefense.proofpoint.com/v2/url?u=http-3A__e.example_a&d=x",
		    "http://e.example/a", true },
		{ "https://urldefense.com/v3/__https://e.example/a__;!!x",
		    "https://e.example/a", true },
		{ "http://any.example/go?x=1&to=http://e.example/",
		    "http://e.example/", false },
		{ "http://any.example/go?x=1", NULL, false },
		{ "http://notgoogle.com/url?q=e.example", NULL, false },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_canonical url;
		struct slice target;
		bool known = false;

		assert_true(
		    url_canonical_parse(arena, text(rows[i].url), &url));
		assert_int_equal(
		    url_canonical_redirect(arena, &url, &target, &known),
		    rows[i].target != NULL);
		if (rows[i].target == NULL)
			continue;
		assert_slice(target, rows[i].target);
		assert_int_equal(known, rows[i].known);
	}
	arena_free(&arena);
}

static void
defanged_text_is_refanged(void **state)
{
	static const struct {
		const char *written, *meant;
	} rows[] = {
		{ "hxxp://evil[.]example/a", "http://evil.example/a" },
		{ "hXXps[:]//evil(.)example", "https://evil.example" },
		{ "evil[dot]example", "evil.example" },
		{ "hxxps[://]e\\.example", "https://e.example" },
		{ "bad[@]evil[.]example", "bad@evil.example" },
		{ "http://evil.example/", NULL },
		{ "hxxpfoo.example", NULL },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct slice meant;

		assert_int_equal(
		    url_canonical_refang(arena, text(rows[i].written), &meant),
		    rows[i].meant != NULL);
		if (rows[i].meant != NULL)
			assert_slice(meant, rows[i].meant);
	}
	arena_free(&arena);
}

/* The store brings URLs to a key of its own; a spelling that one of the two
 * read in another way would hide from the other. */
static void
the_indicator_store_reads_urls_alike(void **state)
{
	static const char *const rows[] = {
		"http://Example.COM:80/a/../b?Q=%7e%2f#f",
		"https://example.com:443",
		"https:/\\example.com\\a\\b",
		"https:example.com/a",
		"http://user:pw@good.example@evil.example/",
		"http://ex\tam\r\nple.com/\np",
		"http://example.com./",
		"http://ex%61mple.com/",
		"http://b\xc3\xb6se.example/x",
		"http://3232235777/",
		"http://0xC0A80101/",
		"http://0300.0250.1.1/",
		"http://192.168.257/",
		"http://[2001:DB8:0::1]:80/x",
		"http://e.com/a/./b/../c/%2e%2e/d",
		"http://e.com/a b\"",
		"http://e.com/?#x",
		"ftp://e.com:21/f",
		"example.com/a",
		"example.com:8080/a",
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_canonical url;
		struct normal_url normal;
		bool read = url_canonical_parse(arena, text(rows[i]), &url);
		bool stored =
		    normal_url(arena, text(rows[i]), &normal) == NORMAL_GOOD;

		if (!read || !stored)
			fail_msg("refused: %s", rows[i]);
		/* the store's host of an IPv6 address has its brackets */
		if (normal.host.data[0] == '[')
			normal.host =
			    slice_range(normal.host, 1, normal.host.length - 1);
		if (!slice_equal(url.host, normal.host) ||
		    !slice_equal(url.path, normal.path) ||
		    !slice_equal(url.query, normal.query) ||
		    url.port != normal.port)
			fail_msg("%s: %.*s%.*s and %.*s", rows[i],
			    (int)normal.host.length, normal.host.data,
			    (int)normal.path.length, normal.path.data,
			    (int)url.normal.length, url.normal.data);
	}
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_indicator_store_reads_urls_alike),
	cmocka_unit_test(spellings_of_one_url_have_one_normal_form),
	cmocka_unit_test(what_has_no_host_is_refused),
	cmocka_unit_test(parts_and_oddities_are_told),
	cmocka_unit_test(redirectors_show_their_target),
	cmocka_unit_test(defanged_text_is_refanged),
};

UNIT_MAIN(tests)
