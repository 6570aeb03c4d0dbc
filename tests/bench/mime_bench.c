/*
 * mime_bench - how fast messages are read, beside GMime and a SHA-256 pass
 *
 *	mime_bench [-s SECONDS]
 *
 * Makes messages, reads each again and again for SECONDS (0.5) and prints a
 * table in MB of raw message per second of the best round: parts found and
 * decoded, the same with SHA-256 of each part, the same by GMime, and SHA-256
 * alone over the raw bytes; then what the end of the message still takes when
 * the body came in chunks of 64 KiB. A report: nothing fails.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "message/digest.h"
#include "message/message.h"
#include "support/other_reader.h"

#define HEAD                                                                \
	"From: a@sender.example\r\nTo: b@example.org\r\nSubject: bench\r\n" \
	"Message-ID: <1@sender.example>\r\nMIME-Version: 1.0\r\n"
#define MIXED "Content-Type: multipart/mixed; boundary=\"=_bench\"\r\n\r\n"
#define CHUNK 65535

static unsigned long long seed = 1;

static unsigned
next_random(unsigned below)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % below;
}

static void
put_base64(struct builder *out, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < size; i += 78) {
		for (unsigned n = 0; n < 76; n++)
			builder_byte(out, digits[next_random(64)]);
		builder_text(out, "\r\n");
	}
}

/* Lines of words, with a link now and then. */
static void
put_text(
    struct builder *out, size_t size, const char *before, const char *after)
{
	size_t end = out->length + size;

	while (out->length < end) {
		size_t line = out->length + 60 + next_random(12);

		builder_text(out, before);
		while (out->length < line) {
			for (unsigned n = 2 + next_random(8); n > 0; n--)
				builder_byte(
				    out, "etaoinshrdlu"[next_random(12)]);
			builder_byte(out, ' ');
		}
		if (next_random(20) == 0)
			builder_text(out, "http://www.example.org/x");
		builder_text(out, after);
		builder_text(out, "\r\n");
	}
}

/* As a mail program writes it: '=' escaped, lines of 75. */
static void
put_quoted(struct builder *out, struct slice text)
{
	size_t column = 0;

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if (c == '\r' || c == '\n') {
			builder_byte(out, (char)c);
			column = 0;
			continue;
		}
		if (column >= 72) {
			builder_text(out, "=\r\n");
			column = 0;
		}
		if (c == '=' || c >= 0x7f) {
			builder_printf(out, "=%02X", c);
			column += 3;
		} else {
			builder_byte(out, (char)c);
			column++;
		}
	}
}

static struct slice
attachment(struct arena *arena, size_t mebibytes)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_text(&out,
	    HEAD MIXED "--=_bench\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
		       "--=_bench\r\nContent-Type: application/octet-stream; "
		       "name=a.bin\r\nContent-Disposition: attachment; "
		       "filename=a.bin\r\n"
		       "Content-Transfer-Encoding: base64\r\n\r\n");
	put_base64(&out, mebibytes << 20);
	builder_text(&out, "--=_bench--\r\n");
	return builder_result(&out);
}

static struct slice
text_mail(struct arena *arena)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_text(&out, HEAD "Content-Type: text/plain\r\n\r\n");
	put_text(&out, 1 << 20, "", "");
	return builder_result(&out);
}

static struct slice
html_mail(struct arena *arena)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_text(&out, HEAD "Content-Type: text/html\r\n\r\n");
	put_text(&out, 1 << 20,
	    "<p class=\"x\" style=\"color:#333\"><a href=\"http://www.example."
	    "org/\">",
	    "</a></p>");
	return builder_result(&out);
}

static struct slice
quoted_mail(struct arena *arena)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	struct builder html = builder_make(arena, SIZE_MAX);

	builder_text(&out,
	    HEAD "Content-Type: text/html; charset=utf-8\r\n"
		 "Content-Transfer-Encoding: quoted-printable\r\n\r\n");
	put_text(&html, 1 << 20, "<p class=\"x\">\xc3\xa9t\xc3\xa9 ", "</p>");
	put_quoted(&out, builder_result(&html));
	return builder_result(&out);
}

static struct slice
many_parts(struct arena *arena, unsigned count, size_t size)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_text(&out, HEAD MIXED);
	for (unsigned i = 0; i < count; i++) {
		builder_printf(&out,
		    "--=_bench\r\nContent-Type: text/plain; charset=utf-8; "
		    "name=\"f%u.txt\"\r\nContent-Disposition: attachment; "
		    "filename=\"f%u.txt\"\r\n\r\n",
		    i, i);
		put_text(&out, size, "", "");
	}
	builder_text(&out, "--=_bench--\r\n");
	return builder_result(&out);
}

static double
now(void)
{
	struct timespec time;

	/* of the processor: others may work beside us */
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct arena *arena;

static void
run_tocsin(struct slice raw, unsigned needs)
{
	struct message *message =
	    message_new(arena, &message_limits_default, needs);

	message_parse_raw(message, raw);
	arena_reset(arena);
}

static void
run_plain(struct slice raw)
{
	run_tocsin(raw, 0);
}

static void
run_digests(struct slice raw)
{
	run_tocsin(raw, MESSAGE_NEED_SHA256);
}

static void
run_gmime(struct slice raw)
{
	other_reader_run(raw);
}

static void
run_sha256(struct slice raw)
{
	struct digests digests;

	digest_compute(arena, raw, DIGEST_SHA256, &digests);
	arena_reset(arena);
}

/* MB/s of the best round. */
static double
measure(void (*work)(struct slice raw), struct slice raw, double seconds)
{
	double end = now() + seconds, best = 1e9;

	do {
		double began = now(), took;

		work(raw);
		took = now() - began;
		if (took < best)
			best = took;
	} while (now() < end);
	return (double)raw.length / best / 1e6;
}

/* The milliseconds that message_end() takes after all chunks have come. */
static double
measure_end(struct slice raw, double seconds)
{
	double end = now() + seconds, best = 1e9;

	do {
		struct message *message = message_new(arena,
		    &message_limits_default,
		    MESSAGE_NEED_ALL & ~MESSAGE_NEED_MD5 & ~MESSAGE_NEED_SHA1);
		struct header_scan scan = header_scan_begin(raw);
		struct header_field field;
		double began, took;

		while (header_scan_next(&scan, &field))
			message_header(message, field.name, field.value);
		message_end_of_headers(message);
		for (; scan.rest.length > 0;
		     scan.rest = slice_skip(scan.rest, CHUNK))
			message_body(message, slice_range(scan.rest, 0, CHUNK));
		began = now();
		message_end(message);
		took = now() - began;
		if (took < best)
			best = took;
		arena_reset(arena);
	} while (now() < end);
	return best * 1e3;
}

static void
report(const char *title, struct slice raw, double seconds)
{
	double plain = measure(run_plain, raw, seconds);
	double digests = measure(run_digests, raw, seconds);
	double sha256 = measure(run_sha256, raw, seconds);
	double end = measure_end(raw, seconds);

	printf(
	    "| %-22s | %8.0f | %8.0f | %8.0f |", title, plain, digests, sha256);
	if (other_reader_here()) {
		double other = measure(run_gmime, raw, seconds);

		printf(" %8.0f | %5.1f |", other, plain / other);
	} else
		printf("        - |     - |");
	printf(" %8.3f |\n", end);
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	double seconds = argc == 3 ? strtod(argv[2], NULL) : 0.5;
	struct arena *made = arena_new(0, NULL);
	struct {
		const char *title;
		struct slice raw;
	} rows[] = {
		{ "base64, 1 MiB", attachment(made, 1) },
		{ "base64, 2 MiB", attachment(made, 2) },
		{ "base64, 10 MiB", attachment(made, 10) },
		{ "text, 1 MiB", text_mail(made) },
		{ "HTML, 1 MiB", html_mail(made) },
		{ "quoted-printable, 1 MiB", quoted_mail(made) },
		{ "100 parts of 2 KB", many_parts(made, 100, 2000) },
		{ "900 parts of 500 bytes", many_parts(made, 900, 500) },
	};

	arena = arena_new(0, NULL);
	if (!other_reader_here())
		printf("Built without GMime: nothing to compare with.\n");
	printf("| MB/s                   |   Tocsin | +SHA-256 |  SHA-256 |"
	       "    GMime | times |   end ms |\n"
	       "|---|---|---|---|---|---|---|\n");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		report(rows[i].title, rows[i].raw, seconds);
	arena_free(&arena);
	arena_free(&made);
	return 0;
}
