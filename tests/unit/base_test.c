#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <unictype.h>
#include <uninorm.h>

#include "support/unit.h"

#include "base/address.h"
#include "base/arena.h"
#include "base/block_cache.h"
#include "base/builder.h"
#include "base/compose.h"
#include "base/diag.h"
#include "base/domain.h"
#include "base/ipaddr.h"
#include "base/list.h"
#include "base/table.h"
#include "base/utf8.h"

static void
an_arena_stops_at_its_ceiling_and_says_so(void **state)
{
	struct arena *arena = arena_new(10000, NULL);

	(void)state;
	assert_non_null(arena_alloc(arena, 4000));
	assert_false(arena_exhausted(arena));
	assert_null(arena_alloc(arena, 8000));
	assert_true(arena_exhausted(arena));
	assert_non_null(arena_alloc(arena, 100));
	arena_free(&arena);
	assert_null(arena);
}

static void
count_release(void *what)
{
	*(unsigned *)what = *(unsigned *)what * 10 + 1;
}

static void
double_release(void *what)
{
	*(unsigned *)what *= 2;
}

static void
what_hangs_on_an_arena_goes_with_it_once(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	unsigned releases = 0;

	(void)state;
	assert_true(arena_defer(arena, double_release, &releases));
	assert_true(arena_defer(arena, count_release, &releases));
	assert_int_equal(releases, 0);
	arena_reset(arena);
	assert_int_equal(releases, 2); /* the last one came first */
	arena_reset(arena);
	assert_true(arena_defer(arena, count_release, &releases));
	arena_free(&arena);
	assert_int_equal(releases, 21);
}

static void
arenas_of_a_pool_share_its_limit_and_give_it_back(void **state)
{
	struct arena_pool pool = { .limit_bytes = 100000 };
	struct arena *first = arena_new(0, &pool);
	struct arena *second = arena_new(0, &pool);

	(void)state;
	assert_non_null(arena_alloc(first, 80000));
	assert_null(arena_alloc(second, 80000));
	arena_free(&first);
	assert_non_null(arena_alloc(second, 80000));
	arena_free(&second);
	assert_int_equal(atomic_load(&pool.used_bytes), 0);
}

static void
sizes_that_would_wrap_are_refused(void **state)
{
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc_array(arena, SIZE_MAX / 2, 4));
	arena_free(&arena);
}

static void
a_block_grows_without_leaving_itself_behind(void **state)
{
	struct arena_pool pool = { .limit_bytes = 4000000 };
	struct arena *arena = arena_new(3000000, &pool);
	char *first = arena_block_grow(arena, NULL, 1000), *second, *grown;

	(void)state;
	memset(first, 'a', 1000);
	second = arena_block_grow(arena, NULL, 1000);
	memset(second, 'b', 1000);
	first = arena_block_grow(arena, first, 2000000);
	assert_non_null(first);
	assert_int_equal(first[999], 'a');
	second = arena_block_grow(arena, second, 5000);
	assert_int_equal(second[999], 'b');
	grown = arena_block_grow(arena, first, 3000000);
	assert_null(grown);
	assert_true(arena_exhausted(arena));
	assert_int_equal(first[0], 'a');
	assert_true(arena_used(arena) >= 2005000);
	arena_reset(arena);
	assert_int_equal(arena_used(arena), 0);
	assert_non_null(arena_block_grow(arena, NULL, 2900000));
	arena_free(&arena);
	assert_int_equal(atomic_load(&pool.used_bytes), 0);
}

#define KEPT_BYTES_MAX ((size_t)64000000)

static void
large_blocks_are_kept_for_the_next_use(void **state)
{
	size_t whole = 0;
	void *large = malloc(3000000), *small = malloc(300000), *taken;

	(void)state;
	block_cache_drop();
	assert_null(block_cache_take(300000, &whole));
	block_cache_give(large, 3000000);
	block_cache_give(small, 300000);
	/* at most four times what is asked for, and the largest of those */
	taken = block_cache_take(299000, &whole);
	assert_ptr_equal(taken, small);
	assert_int_equal(whole, 300000);
	assert_null(block_cache_take(3000001, &whole));
	block_cache_give(taken, whole);
	taken = block_cache_take(1000000, &whole);
	assert_ptr_equal(taken, large);
	assert_int_equal(whole, 3000000);
	block_cache_give(taken, whole);
	/* what is kept has a bound */
	block_cache_set_max(KEPT_BYTES_MAX);
	for (unsigned i = 0; i < 40; i++) {
		void *more = malloc(BLOCK_CACHE_SIZE_MAX);

		if (more != NULL)
			block_cache_give(more, BLOCK_CACHE_SIZE_MAX);
	}
	block_cache_give(malloc(1000), 1000);
	for (whole = 0; whole <= KEPT_BYTES_MAX;) {
		size_t size = 0;

		taken = block_cache_take(BLOCK_CACHE_SIZE_MAX, &size);
		free(taken);
		if (taken == NULL)
			break;
		whole += size;
	}
	assert_true(whole >= BLOCK_CACHE_SIZE_MAX);
	assert_true(whole <= KEPT_BYTES_MAX);
	block_cache_drop();
	block_cache_set_max(0);
	block_cache_give(malloc(3000000), 3000000);
	assert_null(block_cache_take(300000, &whole));
	block_cache_set_max(KEPT_BYTES_MAX);
	assert_null(block_cache_take(300000, &whole));
}

static void
a_kept_block_counts_in_full(void **state)
{
	struct arena_pool pool = { .limit_bytes = 2000000 };
	struct arena *arena = arena_new(0, &pool);
	char *block;

	(void)state;
	block_cache_drop();
	block_cache_give(malloc(1000000), 1000000);
	block = arena_block_grow(arena, NULL, 400000);
	assert_non_null(block);
	memset(block, 'x', 400000);
	/* Under AddressSanitizer nothing is kept. */
	assert_true(atomic_load(&pool.used_bytes) >= 400000);
	block = arena_block_grow(arena, block, 900000);
	assert_int_equal(block[399999], 'x');
	assert_true(atomic_load(&pool.used_bytes) >= 900000);
	assert_true(atomic_load(&pool.used_bytes) <= 1000000);
	/* one that would pass the limit stays where it is, the block grows
	 * by itself */
	block_cache_give(malloc(3000000), 3000000);
	block = arena_block_grow(arena, block, 1500000);
	assert_non_null(block);
	assert_int_equal(block[399999], 'x');
	assert_int_equal(atomic_load(&pool.used_bytes), 1500000);
	arena_free(&arena);
	assert_int_equal(atomic_load(&pool.used_bytes), 0);
	block_cache_drop();
}

static void *
use_blocks(void *argument)
{
	unsigned char mark = *(unsigned char *)argument;

	for (unsigned round = 0; round < 2000; round++) {
		struct arena *arena = arena_new(0, NULL);
		size_t size = 300000 + round % 7 * 50000;
		unsigned char *block = arena_block_grow(arena, NULL, size);

		block[0] = block[size - 1] = mark;
		block = arena_block_grow(arena, block, 2 * size);
		if (block[0] != mark || block[size - 1] != mark)
			return argument;
		arena_free(&arena);
	}
	return NULL;
}

static void
threads_never_share_a_block(void **state)
{
	unsigned char marks[4] = { 1, 2, 3, 4 };
	pthread_t threads[4];
	void *failed;

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, use_blocks, &marks[i]),
		    0);
	for (unsigned i = 0; i < 4; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	block_cache_drop();
}

static void
a_list_grows_to_its_limit(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	LIST_OF(int) numbers = { 0 };

	(void)state;
	for (int i = 0; i < 1000; i++) {
		int *number = list_append(arena, &numbers, 1000);

		assert_non_null(number);
		assert_int_equal(*number, 0);
		*number = i;
	}
	assert_null(list_append(arena, &numbers, 1000));
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers.items[i], i);
	arena_free(&arena);
}

static void
a_table_finds_what_was_put(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct table table = table_make(arena);
	static char values[2000];

	(void)state;
	assert_null(table_get(&table, text("absent")));
	for (int i = 0; i < 2000; i++)
		assert_true(table_put(&table,
		    slice_text(arena_printf(arena, "key %d", i)), &values[i]));
	for (int i = 0; i < 2000; i++)
		assert_ptr_equal(table_get(&table, slice_text(arena_printf(
						       arena, "key %d", i))),
		    &values[i]);
	assert_false(table_has(&table, text("key 2000")));
	arena_free(&arena);
}

static void
builders_escape_what_a_line_cannot_hold(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder json = builder_make(arena, SIZE_MAX);
	struct builder line = builder_make(arena, SIZE_MAX);
	struct builder small = builder_make(arena, 4);

	(void)state;
	builder_json(&json, text("a\"\\\n\x01\xff\xc3\xa9"));
	assert_slice(
	    builder_result(&json), "a\\\"\\\\\\n\\u0001\xEF\xBF\xBD\xc3\xa9");
	builder_printable(&line, text("x\r\ny\x1b[\xff"), 100);
	assert_slice(builder_result(&line), "x\\x0D\\x0Ay\\x1B[\\xFF");
	builder_text(&small, "abc");
	builder_text(&small, "de");
	assert_true(small.failed);
	assert_slice(builder_result(&small), "abc");
	arena_free(&arena);
}

static void
numbers_and_words_are_found_in_slices(void **state)
{
	unsigned long number;

	(void)state;
	assert_true(slice_parse_number(text("4711"), 5000, &number));
	assert_int_equal(number, 4711);
	assert_false(slice_parse_number(text("4711"), 4000, &number));
	assert_false(slice_parse_number(text(""), 4000, &number));
	assert_false(slice_parse_number(text("12a"), 4000, &number));
	assert_false(slice_parse_number(
	    text("99999999999999999999999"), (unsigned long)-1, &number));
	assert_int_equal(slice_find_fold(text("xxABCdef"), text("cDe")), 4);
	assert_true(slice_find_fold(text("ab"), text("abc")) == SIZE_MAX);
	assert_true(slice_find(text("ab"), text("c")) == SIZE_MAX);
	assert_slice(slice_trim(text(" \r\n a b\t")), "a b");
}

static void
addresses_of_both_families_are_read_and_masked(void **state)
{
	static const struct {
		const char *given, *network;
		bool inside;
	} cases[] = {
		{ "192.0.2.77", "192.0.2.64/26", true },
		{ "192.0.2.1", "192.0.2.64/26", false },
		{ "::ffff:192.0.2.77", "192.0.2.64/26", true },
		{ "2001:db8::1", "2001:db8::/32", true },
		{ "192.0.2.1", "::/0", false },
		{ "192.0.2.1", "0.0.0.0/0", true },
		{ "2001:db8::1", "0.0.0.0/0", false },
	};
	struct ipaddr address;
	char shown[IPADDR_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ipaddr_network network;

		assert_true(ipaddr_parse(text(cases[i].given), &address));
		assert_true(ipaddr_network_parse(
		    text(cases[i].network), &network, NULL));
		assert_int_equal(
		    ipaddr_in_network(&address, &network), cases[i].inside);
	}
	assert_false(ipaddr_parse(text("192.0.2"), &address));
	assert_false(ipaddr_parse(text("192.0.2.01"), &address));
	assert_false(ipaddr_parse(text("1.2.3.4 "), &address));
	assert_true(ipaddr_parse(text("2001:DB8:0::0"), &address));
	assert_string_equal(ipaddr_format(&address, shown), "2001:db8::");
	assert_true(ipaddr_is_special(&address));
}

static void
special_networks_end_where_the_registries_say(void **state)
{
	static const struct {
		const char *address;
		bool special;
	} cases[] = {
		{ "0.255.255.255", true },
		{ "1.0.0.0", false },
		{ "9.255.255.255", false },
		{ "10.0.0.0", true },
		{ "10.255.255.255", true },
		{ "11.0.0.0", false },
		{ "100.63.255.255", false },
		{ "100.64.0.0", true },
		{ "100.127.255.255", true },
		{ "100.128.0.0", false },
		{ "127.255.255.255", true },
		{ "128.0.0.0", false },
		{ "169.254.1.1", true },
		{ "169.255.0.0", false },
		{ "172.15.255.255", false },
		{ "172.16.0.0", true },
		{ "172.31.255.255", true },
		{ "172.32.0.0", false },
		{ "192.0.0.255", true },
		{ "192.0.1.0", false },
		{ "192.0.2.255", true },
		{ "192.0.3.0", false },
		{ "192.88.99.1", true },
		{ "192.168.255.255", true },
		{ "192.169.0.0", false },
		{ "198.17.255.255", false },
		{ "198.19.255.255", true },
		{ "198.20.0.0", false },
		{ "198.51.100.1", true },
		{ "203.0.113.255", true },
		{ "203.0.114.0", false },
		{ "223.255.255.255", false },
		{ "224.0.0.0", true },
		{ "255.255.255.255", true },
		{ "::", true },
		{ "::1", true },
		{ "::2", false },
		{ "64:ff9b::1", false },
		{ "64:ff9b:1:ffff::", true },
		{ "64:ff9b:2::", false },
		{ "100::1", true },
		{ "100:0:0:1::", false },
		{ "2001:db8:ffff::", true },
		{ "2001:db9::", false },
		{ "3fff:fff::", true },
		{ "3fff:1000::", false },
		{ "5f00::1", true },
		{ "5f01::", false },
		{ "fbff::", false },
		{ "fc00::", true },
		{ "fdff::1", true },
		{ "fe7f::", false },
		{ "fe80::1", true },
		{ "fec0::1", true },
		{ "feff::", true },
		{ "ff02::1", true },
		{ "2606:4700::1111", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct ipaddr address;

		assert_true(ipaddr_parse(text(cases[i].address), &address));
		if (ipaddr_is_special(&address) != cases[i].special)
			fail_msg("%s", cases[i].address);
	}
}

static void
names_have_one_canonical_form(void **state)
{
	static const struct {
		const char *given, *canonical; /* NULL: no name */
	} cases[] = {
		{ "Example.ORG.", "example.org" },
		{ "b\xc3\xb6se-\xc3\xadx.example", "xn--bse-x-zsa3i.example" },
		{ "_dmarc.example.org", "_dmarc.example.org" },
		{ "", NULL },
		{ ".", NULL },
		{ "a..b", NULL },
		{ "a b.example", NULL },
		{ "a\x01.example", NULL },
		{ "x1234567890123456789012345678901234567890123456789012345678"
		  "90123.example",
		    NULL },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice name;
		bool good =
		    domain_canonical(arena, text(cases[i].given), &name);

		assert_int_equal(good, cases[i].canonical != NULL);
		if (good && i != 1)
			assert_slice(name, cases[i].canonical);
		if (good && i == 1)
			assert_true(slice_starts_with(name, text("xn--")));
	}
	assert_true(
	    domain_is_under(text("a.evil.example"), text("evil.example")));
	assert_false(
	    domain_is_under(text("notevil.example"), text("evil.example")));
	assert_slice(
	    domain_registrable(text("a.b.example.co.uk")), "example.co.uk");
	assert_true(domain_is_public_suffix(text("co.uk")));
	assert_slice(domain_suffix(text("a.b.c.d"), 2), "c.d");
	arena_free(&arena);
}

static void
addresses_are_split_at_the_last_at(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct address address;

	(void)state;
	assert_true(address_canonical(
	    arena, text("\"a@b\\\"\"@Example.ORG"), &address));
	assert_slice(address.local, "a@b\"");
	assert_slice(address.domain, "example.org");
	assert_slice(address_key(arena, &address), "a@b\"@example.org");
	assert_false(address_canonical(arena, text("nobody"), &address));
	assert_false(address_canonical(arena, text("@x.example"), &address));
	assert_false(address_canonical(arena, text("a@"), &address));
	arena_free(&arena);
}

static void
text_folds_beyond_ascii(void **state)
{
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	assert_true(utf8_equal_fold(
	    text("\xc3\x89t\xc3\xa9"), text("\xc3\xa9T\xc3\x89")));
	assert_false(utf8_equal_fold(text("\xff"), text("\xfe")));
	assert_slice(
	    utf8_fold_slice(arena, text("\xc3\x89X\xff")), "\xc3\xa9x\xff");
	assert_int_equal(utf8_valid_prefix(text("abcdefgh\xc3\xa4z\xc3")), 11);
	assert_int_equal(utf8_ascii_prefix(text("abcdefghi\xc3\xa4z")), 9);
	assert_int_equal(utf8_ascii_prefix(text("abcdefgh")), 8);
	assert_false(utf8_is_valid(text("abcdefghijklmno\x80qrstuvwxyz")));
	assert_false(utf8_is_valid(text("\xc0\x80")));
	assert_false(utf8_is_valid(text("\xed\xa0\x80")));
	assert_true(utf8_is_valid(text("\xf0\x9f\x94\x94")));
	arena_free(&arena);
}

static void
errors_show_line_column_and_caret(void **state)
{
	static const char *const names[] = { "from.domain", "to.domain" };
	struct arena *arena = arena_new(0, NULL);
	struct diag diag = diag_make(arena, 2);
	struct diag_source source = { "p.policy",
		text("first\n\t\xc3\xa9 bad\nlast") };
	struct builder out = builder_make(arena, SIZE_MAX);

	(void)state;
	diag_at(&diag, DIAG_ERROR, &source, 15, "at the end");
	diag_at(&diag, DIAG_ERROR, &source, 10, "unknown \"%s\"", "bad");
	diag_at(&diag, DIAG_WARNING, &source, 0, "one too many");
	diag_print_all(&diag, &out);
	assert_slice(builder_result(&out),
	    "p.policy:2:4: error: unknown \"bad\"\n"
	    "    \t\xc3\xa9 bad\n"
	    "    \t  ^\n"
	    "p.policy:3:2: error: at the end\n"
	    "    last\n"
	    "     ^\n"
	    "... and 1 more\n");
	assert_string_equal(
	    diag_suggest(text("form.domain"), names, 2), "from.domain");
	assert_null(diag_suggest(text("xyz"), names, 2));
	arena_free(&arena);
}

/* How an error at `column` of a line of `length` letters is shown: the source
 * line in *shown_out, and the letter above the caret. */
static char
shown_at(
    struct arena *arena, size_t length, size_t column, const char **shown_out)
{
	struct diag diag = diag_make(arena, 1);
	struct builder out = builder_make(arena, SIZE_MAX);
	char *line = arena_alloc(arena, length + 1);
	const char *caret;
	struct diag_source source = { .file = "p" };

	memset(line, '-', length);
	line[column - 1] = '#';
	source.text = (struct slice){ line, length };
	diag_at(&diag, DIAG_ERROR, &source, column - 1, "x");
	diag_print_all(&diag, &out);
	*shown_out = strchr(builder_c_string(&out), '\n') + 1;
	caret = strchr(*shown_out, '\n') + 1;
	assert_string_equal(caret + strspn(caret, " "), "^\n");
	return (*shown_out)[strspn(caret, " ")];
}

static void
a_long_line_is_shown_around_its_error(void **state)
{
	static const struct {
		size_t length, column;
		bool before, after; /* is cut there */
	} cases[] = {
		{ 200, 1, false, false },
		{ 200, 200, false, false },
		{ 201, 120, false, true },
		{ 1000, 121, false, true },
		{ 1000, 122, true, true },
		{ 1000, 500, true, true },
		{ 1000, 1000, true, false },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *shown;
		size_t width;

		assert_int_equal(
		    shown_at(arena, cases[i].length, cases[i].column, &shown),
		    '#');
		width = strcspn(shown, "\n");
		assert_in_range(width, 5, 4 + 3 + 200 + 3);
		assert_int_equal(
		    strncmp(shown, "    ...", 7) == 0, cases[i].before);
		assert_int_equal(
		    strncmp(shown + width - 3, "...", 3) == 0, cases[i].after);
	}
	arena_free(&arena);
}

/* Against the library, for each character there is. */
static void
plain_characters_stay_and_join_nothing_before_them(void **state)
{
	static bool second[0x110000];
	unsigned count = 0;

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];

		if (uc_canonical_decomposition(c, parts) == 2)
			second[parts[1]] = true;
	}
	for (uint32_t c = 0; c < 0x110000; c++) {
		uint32_t composed[8], given = c;
		size_t length = 8;

		if (!compose_is_plain(c))
			continue;
		count++;
		assert_ptr_equal(
		    u32_normalize(UNINORM_NFC, &given, 1, composed, &length),
		    composed);
		if (length != 1 || composed[0] != c || second[c] ||
		    uc_combining_class(c) != 0)
			fail_msg("U+%04X is not plain", c);
	}
	assert_true(count > 40000);
}

static void
accents_are_joined_with_their_letters(void **state)
{
	static const struct {
		const char *given, *wanted;
	} cases[] = {
		{ "cafe\xcc\x81", "caf\xc3\xa9" },
		{ "e\xcc\x81t\xc3\xa9 e\xcc\x82",
		    "\xc3\xa9t\xc3\xa9 \xc3\xaa" },
		{ "\xc3\xa0 l\xe2\x80\x99heure", NULL },
		{ "\xcc\x81x", NULL },          /* nothing to join */
		{ "\xff\xcc\x81", NULL },       /* nor that */
		{ "e\xcc", NULL },              /* cut */
		{ "x\xcc\x81", NULL },          /* there is no such letter */
		{ "\xe2\x84\xab", "\xc3\x85" }, /* Angstrom */
		{ "\xe1\x84\x80\xe1\x85\xa1", "\xea\xb0\x80" },
		{ "e\xcc\xa3\xcc\x82", "\xe1\xbb\x87" },
		{ "e\xcc\x82\xcc\xa3", "\xe1\xbb\x87" }, /* any order */
		{ "e\xcc\x81\xff"
		  "e\xcc\x81",
		    "\xc3\xa9\xff\xc3\xa9" },
	};
	struct arena *arena = arena_new(0, NULL);
	struct builder many = builder_make(arena, SIZE_MAX);
	struct slice composed;

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		assert_slice(compose_slice(arena, text(cases[i].given)),
		    cases[i].wanted == NULL ? cases[i].given : cases[i].wanted);
	composed = text("plain \xc3\xa9 and \xe2\x82\xac");
	assert_ptr_equal(compose_slice(arena, composed).data, composed.data);
	/* A letter under a million marks. */
	builder_byte(&many, 'e');
	for (unsigned i = 0; i < 1000000; i++)
		builder_text(&many, i == 0 ? "\xcc\x81" : "\xcc\xa1");
	composed = compose_slice(arena, builder_result(&many));
	assert_int_equal(composed.length, 2 * 1000000);
	arena_free(&arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_arena_stops_at_its_ceiling_and_says_so),
	cmocka_unit_test(what_hangs_on_an_arena_goes_with_it_once),
	cmocka_unit_test(arenas_of_a_pool_share_its_limit_and_give_it_back),
	cmocka_unit_test(sizes_that_would_wrap_are_refused),
	cmocka_unit_test(a_block_grows_without_leaving_itself_behind),
	cmocka_unit_test(large_blocks_are_kept_for_the_next_use),
	cmocka_unit_test(a_kept_block_counts_in_full),
	cmocka_unit_test(threads_never_share_a_block),
	cmocka_unit_test(a_list_grows_to_its_limit),
	cmocka_unit_test(a_table_finds_what_was_put),
	cmocka_unit_test(builders_escape_what_a_line_cannot_hold),
	cmocka_unit_test(numbers_and_words_are_found_in_slices),
	cmocka_unit_test(addresses_of_both_families_are_read_and_masked),
	cmocka_unit_test(special_networks_end_where_the_registries_say),
	cmocka_unit_test(names_have_one_canonical_form),
	cmocka_unit_test(addresses_are_split_at_the_last_at),
	cmocka_unit_test(text_folds_beyond_ascii),
	cmocka_unit_test(plain_characters_stay_and_join_nothing_before_them),
	cmocka_unit_test(accents_are_joined_with_their_letters),
	cmocka_unit_test(errors_show_line_column_and_caret),
	cmocka_unit_test(a_long_line_is_shown_around_its_error),
};

UNIT_MAIN(tests)
