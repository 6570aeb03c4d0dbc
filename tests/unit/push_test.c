/*
 * push_test - a body that comes in pieces reads as it does in one
 *
 * Small messages are cut at every place, and fed octet by octet; all messages
 * of the data and conformance sets, when they are here, at random places.
 * TOCSIN_DATA and TOCSIN_CONFORMANCE name those folders; the siblings of the
 * source tree without them.
 */
#include <config.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "support/unit.h"

#include "base/builder.h"
#include "message/line.h"
#include "message/message.h"
#include "message/transfer.h"

#define MIXED     "Content-Type: multipart/mixed; boundary=x\r\n\r\n"
#define BASE64    "Content-Transfer-Encoding: base64\r\n"
#define QUOTED    "Content-Transfer-Encoding: quoted-printable\r\n"
#define FILES_MAX 4000

static void
put_digits(struct builder *out, const char *name, unsigned long long value)
{
	char text_of[64];

	snprintf(text_of, sizeof text_of, " %s=%llx", name, value);
	builder_text(out, text_of);
}

static void
put_slice(struct builder *out, const char *name, struct slice slice)
{
	put_digits(out, name, slice.length);
	put_digits(out, "hash", slice_hash(slice, 1));
}

/* All that a part says, as a line. */
static void
put_part(struct builder *out, const struct mime_part *part)
{
	put_digits(out, "\npart", part->index);
	put_digits(out, "parent", part->parent);
	put_digits(out, "depth", part->depth);
	put_digits(out, "of", part->reading_of);
	builder_text(out, part->reading == NULL ? "" : part->reading);
	put_digits(out, "headers", part->headers.count);
	put_slice(out, "type", part->type);
	put_slice(out, "charset", part->charset);
	put_slice(out, "disposition", part->disposition);
	for (size_t i = 0; i < part->names.count; i++) {
		put_slice(out, "name", part->names.items[i].name);
		builder_text(out, part->names.items[i].how);
	}
	put_digits(out, "encoding", part->encoding);
	put_slice(out, "raw", part->raw);
	put_slice(out, "content", part->content);
	put_digits(out, "kept", part->content_kept);
	put_digits(out, "size", part->size);
	builder_slice(out, part->digests.md5);
	builder_slice(out, part->digests.sha256);
	put_digits(out, "defects", part->defects);
	put_digits(out, "flags",
	    part->is_container + 2 * part->is_text + 4 * part->is_attachment +
		8 * part->opaque);
	put_slice(out, "text", part->text);
	for (size_t i = 0; i < part->headers.count; i++) {
		put_slice(out, "h", part->headers.items[i].name);
		put_slice(out, "v", part->headers.items[i].value);
	}
}

static struct slice
describe(struct arena *arena, const struct message *message)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	const struct mime_parts *parts = message_parts(message);
	const struct url_list *urls = message_urls(message);

	put_digits(&out, "defects", message_defects(message));
	put_slice(&out, "text", message_body_text(message));
	for (size_t i = 0; i < parts->count; i++)
		put_part(&out, &parts->items[i]);
	for (size_t i = 0; i < urls->count; i++) {
		put_slice(&out, "\nurl", urls->items[i].normal);
		put_slice(&out, "raw", urls->items[i].raw);
		put_slice(&out, "text", urls->items[i].text);
		put_digits(&out, "part", urls->items[i].part);
	}
	return builder_result(&out);
}

/* Feeds `raw`; next_piece() says how many octets come at once. The pieces are
 * given from memory of their own that goes at once. */
static struct slice
feed(struct arena *keep, const struct message_limits *limits, struct slice raw,
    size_t (*next_piece)(void *state, size_t at, size_t left), void *state)
{
	struct arena *arena = arena_new(0, NULL);
	struct message *message =
	    message_new(arena, limits, MESSAGE_NEED_ALL & ~MESSAGE_NEED_SHA1);
	struct header_scan scan = header_scan_begin(raw);
	struct header_field field;
	struct slice description;
	size_t at = 0;

	while (header_scan_next(&scan, &field))
		assert_int_equal(
		    message_header(message, field.name, field.value), TC_OK);
	assert_int_equal(message_end_of_headers(message), TC_OK);
	while (at < scan.rest.length) {
		size_t length = next_piece(state, at, scan.rest.length - at);
		char *piece = malloc(length + 1);

		memcpy(piece, scan.rest.data + at, length);
		assert_int_equal(
		    message_body(message, slice_make(piece, length)), TC_OK);
		memset(piece, 'X', length);
		free(piece);
		at += length;
	}
	assert_int_equal(message_end(message), TC_OK);
	description = arena_copy(keep, describe(arena, message));
	arena_free(&arena);
	return description;
}

static size_t
all_at_once(void *state, size_t at, size_t left)
{
	(void)state;
	(void)at;
	return left;
}

/* Two pieces. */
static size_t
cut_at(void *state, size_t at, size_t left)
{
	size_t cut = *(size_t *)state;

	return cut > at && cut - at < left ? cut - at : left;
}

static size_t
octet_by_octet(void *state, size_t at, size_t left)
{
	(void)state;
	(void)at;
	(void)left;
	return 1;
}

/* Pieces of any size from 1 to some 100 KiB, small ones as often as large. */
static size_t
at_random(void *state, size_t at, size_t left)
{
	unsigned long long *seed = state;
	size_t most, piece;

	(void)at;
	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	most = (size_t)1 << (*seed >> 60);
	piece = 1 + (size_t)(*seed >> 20) % (most * 8);
	return piece < left ? piece : left;
}

static void
expect_same(struct slice one, struct slice other, const char *what, size_t cut)
{
	if (slice_equal(one, other))
		return;
	fprintf(stderr, "# in one piece: %.*s\n# otherwise: %.*s\n",
	    (int)one.length, one.data, (int)other.length, other.data);
	fail_msg("%s, cut at %zu, reads differently", what, cut);
}

/* What a sender may twist, each with its neighbours. */
static const char *const small_messages[] = {
	"",
	"A: b\r\n\r\n",
	"A: b\r\n\r\nplain\r\n",
	"A: b\r\n\r\none\rtwo\nthree\r\n\r",
	"A: b\r\n\r\nsee http://www.example.com/ and\r\nbegin 644 a.exe\r\n"
	"#0V%T\r\n`\r\nend\r\nmore\r\n",
	"A: b\r\n\r\n=ybegin line=128 size=3 name=a\r\nklm\r\n=yend size=3\r\n",
	BASE64 "\r\nQUJDREVG\r\nQUJD\r\n",
	BASE64 "\r\nQUJD=\r\nQ#J=DREVG==\r\n\r\nQUJDREV\r\nRA==\r\n",
	BASE64 "\r\nQUJD\r\n\r\n\r\n",
	QUOTED "\r\na=3Db=\r\nc  \r\n=4\r\n=zz=\r\n=41",
	"Content-Transfer-Encoding: x-uuencode\r\n\r\nbegin 644 a\r\n#04)#"
	"\r\n`\r\nend\r\n",
	MIXED "pre\r\n--x\r\nA: b\r\n\r\none\r\n--x\r\n\r\ntwo\r\n--x--\r\n"
	      "post\r\n--x\r\n\r\nafter\r\n",
	MIXED "--x\r\n--x\r\n\r\n--x--",
	MIXED "--x\nA: b\n\nc\n--x\n" BASE64 "\nQUJD\n--x--\n",
	MIXED "--x \t\r\n\r\na\r\n--x junk\r\n\r\nb\r\n --x\r\nc\r\r--x\r\n"
	      "--xy\r\n--x--\t\r\n",
	MIXED "--x\r\n" BASE64 "\r\nQUJD\r\n --x\r\nQUJD\r\n--x--\r\n",
	MIXED "--x\r\n" BASE64 "\r\nQUJD--x\r\nQU-JD\r\n--\r\n-\r\n--x",
	MIXED "--x\r\nno field\r\nA: b\r\n c\r\n \r\n\r\na\r\n--x--\r\n",
	MIXED "--x\r\nContent-Type: multipart/alternative; boundary=xy\r\n\r\n"
	      "--xy\r\n\r\ninner\r\n--x\r\n\r\nouter\r\n--xy--\r\n--x--\r\n",
	MIXED "--x\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n"
	      "Content-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n" QUOTED
	      "\r\na=\r\nb\r\n--x\r\n\r\nc\r\n--x--\r\n",
	"Content-Type: message/rfc822\r\n" BASE64 "\r\nQTogYg0KDQpBQkM=\r\n",
	"Content-Type: multipart/digest; boundary=x\r\n\r\n--x\r\n\r\n"
	"Subject: a\r\n\r\nb\r\n--x--\r\n",
	"Content-Type: multipart/mixed\r\n\r\n--g\r\nContent-Type: text/html"
	"\r\n\r\n<a href=http://example.com/x>y</a>\r\n--g--\r\n",
	"Content-Type: text/html; charset=utf-8\r\n\r\n<p>a&#173;b</p>\r\n"
	"<a href=\"http://one.example.com/\">http://two.example.com/</a>\r\n",
};

static void
every_cut_of_a_small_message_reads_the_same(void **state)
{
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof small_messages / sizeof *small_messages;
	     i++) {
		struct slice raw = text(small_messages[i]);
		struct slice whole = feed(
		    arena, &message_limits_default, raw, all_at_once, NULL);

		for (size_t cut = 1; cut < raw.length; cut++)
			expect_same(whole,
			    feed(arena, &message_limits_default, raw, cut_at,
				&cut),
			    small_messages[i], cut);
		expect_same(whole,
		    feed(arena, &message_limits_default, raw, octet_by_octet,
			NULL),
		    small_messages[i], 1);
		arena_reset(arena);
	}
	arena_free(&arena);
}

/* A message of lines longer than any that is waited for, and delimiters with
 * more behind them than is read. */
static void
long_lines_are_read_the_same(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder raw = builder_make(arena, SIZE_MAX);
	unsigned long long seed = 1;
	struct slice whole;

	(void)state;
	builder_text(&raw, MIXED "--x\r\n" QUOTED "\r\n");
	for (unsigned line = 0; line < 12; line++) {
		static const char *const starts[] = { "--x", "--x--", " --x",
			"-", "\r--x", "a" };

		builder_text(&raw, starts[line % 6]);
		for (unsigned i = 0; i < 7000; i++)
			builder_byte(&raw, line < 6 ? ' ' : "=a-\rx"[i % 5]);
		builder_text(&raw, "\r\n");
		if (line % 4 == 3)
			builder_text(&raw, "--x\r\n" BASE64 "\r\n");
	}
	whole = feed(arena, &message_limits_default, builder_result(&raw),
	    all_at_once, NULL);
	for (unsigned i = 0; i < 40; i++)
		expect_same(whole,
		    feed(arena, &message_limits_default, builder_result(&raw),
			at_random, &seed),
		    "long lines", i);
	expect_same(whole,
	    feed(arena, &message_limits_default, builder_result(&raw),
		octet_by_octet, NULL),
	    "long lines", 1);
	arena_free(&arena);
}

/* What limits cut is cut at the same place. */
static void
limits_end_the_work_at_the_same_place(void **state)
{
	struct message_limits limits = message_limits_default;
	struct arena *arena = arena_new(0, NULL);
	struct builder raw = builder_make(arena, SIZE_MAX);
	unsigned long long seed = 2;
	struct slice whole;

	(void)state;
	limits.parts = 20;
	limits.depth = 2;
	limits.decoded_bytes = 9000;
	limits.text_bytes = 4000;
	limits.html_bytes = 700;
	limits.urls = 10;
	limits.body_bytes = 30000;
	builder_text(&raw, MIXED);
	for (unsigned i = 0; i < 30; i++) {
		builder_text(&raw, "--x\r\n");
		builder_text(&raw, i % 3 == 0 ? BASE64 "\r\n" : "\r\n");
		for (unsigned line = 0; line < i; line++)
			builder_text(
			    &raw, "QUJD http://host.example.com/ QUJDQUJD\r\n");
	}
	whole = feed(arena, &limits, builder_result(&raw), all_at_once, NULL);
	for (unsigned i = 0; i < 60; i++)
		expect_same(whole,
		    feed(
			arena, &limits, builder_result(&raw), at_random, &seed),
		    "a message beyond its limits", i);
	arena_free(&arena);
}

/* Octets that a line scan tells apart, and others. */
static void
fill_at_random(char *bytes, size_t length, unsigned long long *seed)
{
	static const char octets[] = "\r\n\r\n\n--  \t\v\f=bBaaazAZ09./<>"
				     "\x1f\x8d\xad\xbd\xc2\xe2\xff\x7f";

	for (size_t i = 0; i < length; i++) {
		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		/* mostly plain, so that lines become long */
		bytes[i] = (*seed >> 61) != 0
			       ? 'x'
			       : octets[(*seed >> 33) % (sizeof octets - 1)];
	}
}

/* The loop for AVX2 and the plain one agree, whatever the processor. */
static void
each_loop_over_lines_finds_the_same(void **state)
{
	char bytes[700];
	unsigned char copy[700 + LINE_COPY_SLACK];
	unsigned long long seed = 4;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t length = round % sizeof bytes, from = 0, copied;

		fill_at_random(bytes, length, &seed);
		while (from < length) {
			struct slice text = slice_make(bytes, length);
			struct line_survey fast = { .crlf = 0 };
			struct line_survey plain = { .crlf = 0 };
			size_t at = line_scan(text, from, &fast);
			const char *end;

			assert_int_equal(
			    at, line_scan_plain(text, from, &plain));
			assert_int_equal(fast.crlf, plain.crlf);
			assert_int_equal(fast.lf, plain.lf);
			end = memchr(bytes + at, '\n', length - at);
			from = end == NULL ? length : (size_t)(end - bytes) + 1;
		}
		memset(copy, '#', sizeof copy);
		copied = line_copy(slice_make(bytes, length), copy);
		assert_true(copied == length || bytes[copied] == '=' ||
			    bytes[copied] == '\n');
		assert_null(memchr(bytes, '=', copied));
		assert_null(memchr(bytes, '\n', copied));
		assert_memory_equal(copy, bytes, copied);
	}
}

/* Lines of a length at which no wide loop runs. */
static size_t
fill_with_quoted(char *text, size_t size, unsigned long long *seed)
{
	static const char *const words[] = { "word", "a", "=41", "=c3=A9", "=",
		"=0D", "=20", " ", "\t", "\r", "=\r\n", "= \r\n", "\r\n",
		" \r\n", "\n", "=4", "==", "plain text", "=3Dx" };
	size_t length = 0, line = 0;

	while (size - length > 64) {
		const char *word;
		size_t bytes;

		*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
		word = words[(*seed >> 33) % (sizeof words / sizeof words[0])];
		if (line > 80)
			word = "\r\n";
		bytes = strlen(word);
		memcpy(text + length, word, bytes);
		length += bytes;
		line = word[bytes - 1] == '\n' ? 0 : line + bytes;
	}
	text[length++] = '\n';
	return length;
}

/* What the wide loop decodes in one run is what comes of one line after the
 * other, which are too short for it. */
static void
quoted_printable_is_decoded_the_same_by_lines_and_as_a_whole(void **state)
{
	char text[900];
	unsigned char whole[sizeof text + 32], lines[sizeof text + 128];
	unsigned long long seed = 7;

	(void)state;
	for (unsigned round = 0; round < 20000; round++) {
		size_t length =
		    fill_with_quoted(text, 200 + round % 700, &seed);
		struct slice rest = slice_make(text, length);
		struct transfer_result result =
		    transfer_quoted_printable(rest, QUOTED_KEEP, whole);
		mime_defect_set defects = 0;
		size_t written = 0;

		while (rest.length > 0) {
			size_t end = slice_find_byte(rest, '\n') + 1;
			struct transfer_result line =
			    transfer_quoted_printable(slice_range(rest, 0, end),
				QUOTED_KEEP, lines + written);

			written += line.length;
			defects |= line.defects;
			rest = slice_skip(rest, end);
		}
		assert_int_equal(result.length, written);
		assert_memory_equal(whole, lines, written);
		assert_int_equal(result.defects, defects);
	}
}

/* The sets, as found by nftw(). */
static char *set_files[FILES_MAX];
static size_t set_count;

static int
collect(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	(void)walk;
	if (type == FTW_F && status->st_size > 0 && set_count < FILES_MAX)
		set_files[set_count++] = strdup(path);
	return 0;
}

static void
collect_set(const char *variable, const char *sibling)
{
	const char *top = getenv(variable);
	const char *source = getenv("srcdir");
	char folder[2048];

	if (top != NULL)
		snprintf(folder, sizeof folder, "%s", top);
	else
		snprintf(folder, sizeof folder, "%s/../shared/%s",
		    source == NULL ? "." : source, sibling);
	if (nftw(folder, collect, 16, FTW_PHYS) != 0)
		fprintf(stderr, "# %s is not here\n", folder);
}

static struct slice
read_file(struct arena *arena, const char *path)
{
	FILE *file = fopen(path, "rb");
	struct stat status;
	char *bytes;
	size_t length;

	if (file == NULL)
		return slice_make(NULL, 0);
	assert_int_equal(fstat(fileno(file), &status), 0);
	bytes = arena_alloc(arena, (size_t)status.st_size + 1);
	length = fread(bytes, 1, (size_t)status.st_size, file);
	fclose(file);
	return slice_make(bytes, length);
}

static void
random_cuts_of_real_mail_read_the_same(void **state)
{
	struct arena *arena = arena_new(0, NULL);
	unsigned long long seed = 3;

	(void)state;
	collect_set("TOCSIN_DATA", "data/mail");
	collect_set("TOCSIN_CONFORMANCE", "conformance/sets");
	for (size_t i = 0; i < set_count; i++) {
		struct slice raw = read_file(arena, set_files[i]);
		struct slice whole = feed(
		    arena, &message_limits_default, raw, all_at_once, NULL);

		for (unsigned round = 0; round < 3; round++)
			expect_same(whole,
			    feed(arena, &message_limits_default, raw, at_random,
				&seed),
			    set_files[i], round);
		arena_reset(arena);
	}
	for (size_t i = 0; i < set_count; i++)
		free(set_files[i]);
	fprintf(stderr, "# %zu messages\n", set_count);
	arena_free(&arena);
	if (set_count == 0)
		skip();
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_cut_of_a_small_message_reads_the_same),
	cmocka_unit_test(long_lines_are_read_the_same),
	cmocka_unit_test(limits_end_the_work_at_the_same_place),
	cmocka_unit_test(each_loop_over_lines_finds_the_same),
	cmocka_unit_test(
	    quoted_printable_is_decoded_the_same_by_lines_and_as_a_whole),
	cmocka_unit_test(random_cuts_of_real_mail_read_the_same),
};

UNIT_MAIN(tests)
