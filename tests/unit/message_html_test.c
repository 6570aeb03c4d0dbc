#include <config.h>

#include "support/unit.h"

#include "base/builder.h"
#include "message/html.h"
#include "message/message.h"
#include "message/url.h"

static void
text_is_what_a_browser_shows(void **state)
{
	static const struct {
		const char *html, *text;
	} rows[] = {
		{ "a  b\n c", "a b c" },
		{ "<p>one</p><p>two</p>", "one\ntwo\n" },
		{ "a<br>b<BR/>c", "a\nb\nc" },
		{ "in<b>voi</b>ce", "invoice" },
		{ "a &amp; b &lt;c&gt; &eacute;&#233;&#xE9;&copy 1",
		    "a & b <c> \xc3\xa9\xc3\xa9\xc3\xa9\xc2\xa9 1" },
		{ "&notit; &unknown; &", "\xc2\xacit; &unknown; &" },
		{ "&#0;&#x110000;&#128;",
		    "\xef\xbf\xbd\xef\xbf\xbd\xe2\x82\xac" },
		{ "<script>x < y</script>a<style>b{}</style>", "a" },
		{ "a<!-- b -->c<!-->d<!doctype x>e<?f?>", "acde" },
		{ "a < b <3", "a < b <3" },
		{ "<td>a</td><td>b</td>", "a b" },
		{ "<a title='x>y'>z</a>", "z" },
		{ "x<a b=\"c>d", "xd" },
		{ "<img alt=hidden>a", "a" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct html_result result;

		assert_true(html_read(
		    arena, text(rows[i].html), &html_limits_default, &result));
		assert_slice(result.text, rows[i].text);
		assert_false(result.cut);
	}
	arena_free(&arena);
}

static void
links_are_found_wherever_they_hide(void **state)
{
	static const struct {
		const char *html, *target;
		enum html_place place;
	} rows[] = {
		{ "<a href=\"http://e.example/\">", "http://e.example/",
		    HTML_HREF },
		{ "<A\nHREF = 'u'>", "u", HTML_HREF },
		{ "<a href=u>", "u", HTML_HREF },
		{ "<a href=\" \1\2u\">", "u", HTML_HREF },
		{ "<a/href=u/v>", "u/v", HTML_HREF },
		{ "<a x=1/href=u>", NULL, HTML_HREF },
		{ "<a title=\"x\"href=\"u\">", "u", HTML_HREF },
		{ "<a href=\"u", "u", HTML_HREF },
		{ "<a href=\"a&amp;b&#x2f;c\">", "a&b/c", HTML_HREF },
		{ "<a href=\"?a=1&copy=2\">", "?a=1&copy=2", HTML_HREF },
		{ "<img src=u>", "u", HTML_SRC },
		{ "<img srcset='u 1x'>", "u", HTML_SRC },
		{ "<table background=u>", "u", HTML_SRC },
		{ "<object data=u>", "u", HTML_SRC },
		{ "<form action=u>", "u", HTML_ACTION },
		{ "<button formaction=u>", "u", HTML_ACTION },
		{ "<meta http-equiv=refresh content='0;URL=\"u\"'>", "u",
		    HTML_REFRESH },
		{ "<base href=u>", "u", HTML_BASE },
		{ "<p style='a:url( \"u\" )'>", "u", HTML_STYLE },
		{ "<style>@import url(u);</style>", "u", HTML_STYLE },
		{ "<script>x='http:\\/\\/e.example\\/a'</script>",
		    "http://e.example/a", HTML_SCRIPT },
		{ "<script>x='\\x68ttp://e.example'</script>",
		    "http://e.example", HTML_SCRIPT },
		{ "<p onclick=\"go('http://e.example/')\">",
		    "http://e.example/", HTML_SCRIPT },
		{ "<a href=\"javascript:go('http://e.example/')\">",
		    "http://e.example/", HTML_SCRIPT },
		{ "<!--[if mso]><a href=u><![endif]-->", "u", HTML_COMMENT },
		{ "<!-- <a href=u> never closed", "u", HTML_COMMENT },
		{ "<iframe srcdoc=\"&lt;a href=u&gt;\">", "u", HTML_HREF },
		{ "<style>@import 'http://e.example/a.css';</style>",
		    "http://e.example/a.css", HTML_STYLE },
		{ "<!-- see http://e.example/a -->", "http://e.example/a",
		    HTML_COMMENT },
		{ "<!-- a --!><a href=u>", "u", HTML_HREF },
		{ "<!---><a href=u>", "u", HTML_HREF },
		{ "<![CDATA[http://e.example/a]]>", "http://e.example/a]]",
		    HTML_COMMENT },
		{ "<meta property=og:url content=http://e.example/a>",
		    "http://e.example/a", HTML_SRC },
		{ "<param name=movie value=http://e.example/a>",
		    "http://e.example/a", HTML_SRC },
		{ "<p style='b:u\\72l(\\2f\\2f e.example/a)'>", "//e.example/a",
		    HTML_STYLE },
		{ "<style>a{b:'x\\\\'}@import '//e.example/a';</style>",
		    "//e.example/a", HTML_STYLE },
		{ "<script>x='ht' + \"tp:\\/\\/e.exam\"+'ple/a'</script>",
		    "http://e.example/a", HTML_SCRIPT },
		{ "<script>x='\\u{68}\\164tp\\x3a//e.example/a'</script>",
		    "http://e.example/a", HTML_SCRIPT },
		{ "<a href='data:,http://e.example/a'>", "http://e.example/a",
		    HTML_SRC },
		{ "<meta content='3;//e.example/a'>", "//e.example/a",
		    HTML_REFRESH },
		{ "<a title=http://e.example/a>", "http://e.example/a",
		    HTML_SRC },
		{ "<html xmlns:o='http://e.example/a'>", NULL, HTML_SRC },
		{ "<meta content='1, 2 months'>", NULL, HTML_REFRESH },
		{ "<!DOCTYPE html SYSTEM 'http://e.example/a.dtd'>", NULL,
		    HTML_COMMENT },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct html_result result;

		assert_true(html_read(
		    arena, text(rows[i].html), &html_limits_default, &result));
		if (result.links.count != (rows[i].target != NULL))
			fail_msg(
			    "%s: %zu links", rows[i].html, result.links.count);
		if (rows[i].target == NULL)
			continue;
		assert_slice(result.links.items[0].target, rows[i].target);
		assert_int_equal(result.links.items[0].place, rows[i].place);
		assert_non_null(html_place_name(rows[i].place));
	}
	arena_free(&arena);
}

static void
a_link_knows_its_text(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct html_result result;

	(void)state;
	assert_true(html_read(arena,
	    text("x <a href=u>go <b>to</b>\n bank</a> y<a href=v>"
		 "<img alt='the bank'></a><a href=w>z"),
	    &html_limits_default, &result));
	assert_int_equal(result.links.count, 3);
	assert_slice(result.links.items[0].text, "go to bank");
	assert_slice(result.links.items[1].text, "the bank");
	assert_slice(result.links.items[2].text, "z");
	arena_free(&arena);
}

static void
limits_cut_html_and_say_so(void **state)
{
	struct html_limits limits = { 1000, 10, 2, 3 };
	static const char *const rows[][2] = {
		{ "0123456789ab", "0123456789" },
		{ "<a href=a><a href=b><a href=c>", "<a href=a><a href=b>" },
		{ "<a b c d e>", "<a b c d>" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct html_result result;

		html_read(arena, text(rows[i][0]), &limits, &result);
		assert_true(result.cut);
		html_read(arena, text(rows[i][1]), &limits, &result);
		assert_false(result.cut);
	}
	arena_free(&arena);
}

/* Normal forms with blanks between them. */
static const char *
normals(struct arena *arena, const struct url_list *list)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < list->count; i++) {
		if (i > 0)
			builder_byte(&out, ' ');
		builder_slice(&out, list->items[i].normal);
		if (list->items[i].defanged)
			builder_text(&out, "(d)");
	}
	return builder_c_string(&out);
}

static void
urls_are_found_in_running_text(void **state)
{
	static const struct {
		const char *text, *urls;
	} rows[] = {
		{ "see http://e.example/a.", "http://e.example/a" },
		{ "(http://e.example/a_(b))", "http://e.example/a_(b)" },
		{ "<http://e.example/a>", "http://e.example/a" },
		{ "\"HTTP://E.example:80\"", "http://e.example/" },
		{ "x:http://e.example/,http://f.example/",
		    "http://e.example/,http://f.example/ http://f.example/" },
		{ "www.e.example/a", "http://www.e.example/a" },
		{ "go to evil.com/x now", "http://evil.com/x" },
		{ "evil.com", "http://evil.com/" },
		{ "and/or e.g. readme.txt 1.2 a@evil.com", "" },
		{ "10.1.2.3/x", "http://10.1.2.3/x" },
		{ "hxxps://evil[.]com/a", "https://evil.com/a(d)" },
		{ "evil[.]com", "http://evil.com/(d)" },
		{ "https:\\\\e.example\\a", "https://e.example/a" },
		{ "<http://e.exam\r\nple/a>", "http://e.example/a" },
		{ "\xe8\xaf\xb7http://e.example/\xe6\x9f\xa5",
		    "http://e.example/%E6%9F%A5" },
		{ "http://e.example\xe3\x80\x82 x", "http://e.example/" },
		{ "https://www.google.com/url?q=http://e.example/x",
		    "https://www.google.com/url?q=http://e.example/x "
		    "http://e.example/x" },
		{ "http://a.example/ http://a.example/", "http://a.example/" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_list list = url_list_make(arena, 100);

		url_list_add_text(
		    arena, &list, text(rows[i].text), URL_IN_TEXT, 0);
		if (strcmp(normals(arena, &list), rows[i].urls) != 0)
			fail_msg("%s: %s", rows[i].text, normals(arena, &list));
	}
	arena_free(&arena);
}

static void
link_text_is_held_against_its_target(void **state)
{
	static const struct {
		const char *target, *text;
		bool mismatch;
	} rows[] = {
		{ "http://evil.com/", "http://bank.com/", true },
		{ "http://evil.com/", "Visit www.bank.com today", true },
		{ "http://evil.com/", "bank.com", true },
		{ "http://evil.com/", "click here", false },
		{ "http://evil.com/", "help@bank.com", false },
		{ "http://login.bank.com/x", "www.bank.com", false },
		{ "https://www.google.com/url?q=https://bank.com/x",
		    "https://bank.com/", false },
		{ "https://www.google.com/url?q=https://evil.com/x",
		    "https://bank.com/", true },
		{ "http://evil.com/?u=https://bank.com/", "https://bank.com/",
		    true },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_list list = url_list_make(arena, 100);
		struct html_link link = { .target = text(rows[i].target),
			.text = text(rows[i].text),
			.place = HTML_HREF };

		url_list_add_link(arena, &list, &link, slice_make(NULL, 0), 0);
		if (list.items[0].text_mismatch != rows[i].mismatch)
			fail_msg("%s shows %s", rows[i].target, rows[i].text);
	}
	arena_free(&arena);
}

static void
relative_links_follow_the_base(void **state)
{
	static const char *const rows[][2] = {
		{ "x", "http://b.example/a/x" },
		{ "/x", "http://b.example/x" },
		{ "//c.example/x", "http://c.example/x" },
		{ "https://c.example/", "https://c.example/" },
		{ "h\nttp://c.example/", "http://c.example/" },
		{ "#x", "" },
		{ "mailto:a@b.example", "" },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct url_list list = url_list_make(arena, 100);
		struct html_link link = { .target = text(rows[i][0]) };

		url_list_add_link(
		    arena, &list, &link, text("http://b.example/a/b"), 0);
		assert_string_equal(normals(arena, &list), rows[i][1]);
	}
	arena_free(&arena);
}

static void
every_place_of_a_message_gives_urls(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct message *message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_URLS);
	const struct url_list *urls;
	unsigned seen = 0;

	(void)state;
	message_parse_raw(
	    message, text("Subject: http://s.example/\r\n"
			  "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
			  "--x\r\n\r\nhttp://t.example/?u=http://r.example/\r\n"
			  "--x\r\nContent-Type: text/html\r\n\r\n"
			  "<a href=http://h.example/>www.w.example</a>\r\n"
			  "--x\r\nContent-Type: text/calendar\r\n\r\n"
			  "URL:http://c.exam\r\n ple/a\\;b\r\n--x--\r\n"));
	urls = message_urls(message);
	for (size_t i = 0; i < urls->count; i++) {
		seen |= 1u << urls->items[i].where;
		assert_non_null(url_where_name(urls->items[i].where));
		/* folded, and escaped as calendars do */
		if (urls->items[i].where == URL_IN_CALENDAR)
			assert_slice(
			    urls->items[i].normal, "http://c.example/a;b");
	}
	assert_int_equal(
	    seen, 1u << URL_IN_TEXT | 1u << URL_IN_HTML |
		      1u << URL_IN_HTML_TEXT | 1u << URL_IN_SUBJECT |
		      1u << URL_IN_CALENDAR | 1u << URL_IN_REDIRECT);
	arena_free(&arena);
}

/* Whatever it is declared as, what a program opens as HTML is read as that. */
static void
pages_are_known_by_name_and_by_how_they_open(void **state)
{
#define LINK "<a href='http:&#47;&#47;evil.example/'>x</a>"
	static const struct {
		const char *name, *content;
		bool is_page;
	} rows[] = {
		{ "x.bin", "<html>" LINK, true },
		{ "x.bin", "\xEF\xBB\xBF <!-- a --> <!-- b -->\r\n<HTML>" LINK,
		    true },
		{ "x.bin", "<?xml version='1.0'?><!DOCTYPE html>" LINK, true },
		{ "x.bin", "<body>" LINK, true },
		{ "x.hta", "<p>" LINK, true },
		{ "x.shtm", "<p>" LINK, true },
		{ "X.XHT", "<p>" LINK, true },
		{ "x.bin", "<!-- never closed <html>" LINK, false },
		{ "x.bin", "x <html>" LINK, false },
		{ "x.htax", "<p>" LINK, false },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct message *message = message_new(
		    arena, &message_limits_default, MESSAGE_NEED_URLS);
		const struct url_list *urls;
		bool found = false;

		message_parse_raw(message,
		    slice_text(arena_printf(arena,
			"Content-Type: multipart/mixed; boundary=x\r\n\r\n"
			"--x\r\nContent-Type: application/octet-stream; "
			"name=%s\r\n\r\n%s\r\n--x--\r\n",
			rows[i].name, rows[i].content)));
		urls = message_urls(message);
		for (size_t k = 0; k < urls->count; k++)
			found |= slice_equal_text(
			    urls->items[k].normal, "http://evil.example/");
		if (found != rows[i].is_page)
			fail_msg("row %zu: found %d", i, found);
	}
	arena_free(&arena);
#undef LINK
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(text_is_what_a_browser_shows),
	cmocka_unit_test(links_are_found_wherever_they_hide),
	cmocka_unit_test(a_link_knows_its_text),
	cmocka_unit_test(limits_cut_html_and_say_so),
	cmocka_unit_test(urls_are_found_in_running_text),
	cmocka_unit_test(link_text_is_held_against_its_target),
	cmocka_unit_test(relative_links_follow_the_base),
	cmocka_unit_test(every_place_of_a_message_gives_urls),
	cmocka_unit_test(pages_are_known_by_name_and_by_how_they_open),
};

UNIT_MAIN(tests)
