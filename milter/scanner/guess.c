#include <config.h>

#include <stdint.h>

#include "scanner/guess.h"
#include "scanner/share.h"

#define HEAD_BYTES 1024 /* enough to tell text from other data */

static bool
ends_with_one_of(struct slice name, const char *const *endings, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_ends_with_fold(name, slice_text(endings[i])))
			return true;
	return false;
}

static bool
is_mail_field(struct slice content)
{
	static const char *const fields[] = { "Received:", "Return-Path:",
		"Delivered-To:", "From:", "To:", "Subject:", "Date:",
		"Message-ID:", "MIME-Version:", "Content-Type:", "Reply-To:",
		"DKIM-Signature:", "ARC-Seal:", "Authentication-Results:",
		"X-Mozilla-Status:", "X-Received:", "X-Original-To:",
		"Envelope-To:", "Sender:", "From " };

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		if (slice_starts_with_fold(content, slice_text(fields[i])))
			return true;
	return false;
}

/* A mail begins with a field that mail has, and goes on with another or with
 * a fold of it: any text may begin with a word and a colon. */
static bool
begins_as_mail(struct slice content)
{
	struct slice rest = content, line;

	if (slice_starts_with(rest, SLICE_LITERAL("\xef\xbb\xbf")))
		rest = slice_skip(rest, 3);
	while (rest.length > 0 && ascii_is_space(rest.data[0]))
		rest = slice_skip(rest, 1);
	if (!is_mail_field(rest))
		return false;
	rest = slice_split(rest, '\n', &line);
	if (rest.length > 0 && (rest.data[0] == ' ' || rest.data[0] == '\t'))
		return true;
	if (slice_split(slice_range(rest, 0, HEAD_BYTES), ':', &line).length ==
	    0)
		return false;
	for (size_t i = 0; i < line.length; i++)
		if ((unsigned char)line.data[i] <= ' ' ||
		    (unsigned char)line.data[i] >= 0x7f)
			return false;
	return line.length > 0;
}

static bool
is_readable(struct slice content)
{
	struct slice head = slice_range(content, 0, HEAD_BYTES);

	/* UTF-16 says so itself. */
	if (head.length > 2 &&
	    (slice_starts_with(head, SLICE_LITERAL("\xff\xfe")) ||
		slice_starts_with(head, SLICE_LITERAL("\xfe\xff"))))
		return true;
	for (size_t i = 0; i < head.length; i++) {
		unsigned char c = (unsigned char)head.data[i];

		if (c < ' ' && c != '\t' && c != '\n' && c != '\r' &&
		    c != '\f' && c != 0x1b)
			return false;
	}
	return head.length > 0;
}

/* A tag that HTML begins with, somewhere in front. */
static bool
begins_as_html(struct slice content)
{
	static const char *const tags[] = { "<html", "<!doctype", "<svg",
		"<script", "<body", "<head", "<meta", "<xhtml", "<table",
		"<iframe", "<form" };
	struct slice head = slice_range(content, 0, HEAD_BYTES);

	if (slice_find_byte(head, '<') == SIZE_MAX)
		return false;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++)
		if (slice_find_fold(head, slice_text(tags[i])) != SIZE_MAX)
			return true;
	return false;
}

enum guess_kind
guess_kind(struct slice content, struct slice name)
{
	static const char *const html[] = { ".html", ".htm", ".xhtml", ".shtml",
		".svg", ".hta", ".xht" };
	static const char *const mail[] = { ".eml", ".mht", ".mhtml", ".mbox" };

	if (ends_with_one_of(name, mail, sizeof mail / sizeof mail[0]) ||
	    begins_as_mail(content))
		return GUESS_MAIL;
	if (ends_with_one_of(name, html, sizeof html / sizeof html[0]) ||
	    begins_as_html(content))
		return GUESS_HTML;
	return is_readable(content) ? GUESS_TEXT : GUESS_OTHER;
}

bool
guess_is_script(struct slice name)
{
	static const char *const scripts[] = { ".js", ".mjs", ".vbs", ".wsf",
		".wsc", ".sct", ".ps1", ".psm1", ".bat", ".cmd" };

	return ends_with_one_of(
	    name, scripts, sizeof scripts / sizeof scripts[0]);
}

bool
guess_is_shortcut(struct slice content)
{
	return slice_starts_with(
	    content, slice_make("L\0\0\0\x01\x14\x02\0", 8));
}

bool
guess_has_url(struct slice content)
{
	char space[SHARE_BYTES_MAX];
	struct share_walk narrow = { .rest = content, .step = 1 };
	struct share_walk wide = { .rest = content, .step = 2 };
	struct slice link;

	return slice_find(content, SLICE_LITERAL("://")) != SIZE_MAX ||
	       slice_find(content, slice_make(":\0/\0/", 5)) != SIZE_MAX ||
	       share_next(&narrow, space, &link) ||
	       share_next(&wide, space, &link);
}
