#include <config.h>

#include <stdlib.h>

#include "scanner/carrier.h"
#include "scanner/document.h"
#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/nested.h"
#include "scanner/office.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/rtf.h"

#define EMBEDDED_MAX 200 /* files inside one page */

/* Where found files go. */
struct nest {
	struct unpack *unpack;
	size_t parent;
	bool is_pdf;
	bool is_link; /* a string of it, in which there are no more */
};

static struct found found_of(struct nest *nest);

/* Files that a page hands to the browser. Its pictures stay out: they would
 * only be more attachments to tell apart. */
static void
open_page(struct nest *nest, struct slice content)
{
	struct embedded embedded = { .content = content };
	struct slice text;
	bool good = true;

	for (unsigned count = 0; good && embedded_next(&embedded, &text);) {
		unsigned char *file = malloc(text.length);
		size_t length = file == NULL ? 0 : embedded_decode(text, file);
		struct slice bytes = slice_make((char *)file, length);

		if (length > 0 && !embedded_is_picture(bytes))
			good = count++ < EMBEDDED_MAX &&
			       unpack_file(nest->unpack, nest->parent,
				   slice_make(NULL, 0), bytes);
		free(file);
	}
	if (!good)
		unpack_mark(
		    unpack_item(nest->unpack, nest->parent), "embedded");
}

/* A file that is one run of base64. */
static void
open_text(struct nest *nest, struct slice content)
{
	unsigned char *file = malloc(content.length + 1);
	size_t length = 0;
	struct slice rest = content, line;

	while (file != NULL && rest.length > 0) {
		rest = slice_split(rest, '\n', &line);
		if (slice_starts_with(line, SLICE_LITERAL("-----")))
			continue;
		memmove(file + length, line.data, line.length);
		length += line.length;
	}
	if (file != NULL) {
		length =
		    embedded_decode(slice_make((char *)file, length), file);
		unpack_file(nest->unpack, nest->parent, slice_make(NULL, 0),
		    slice_make((char *)file, length));
	}
	free(file);
}

static bool
take_file(void *context, struct slice name, struct slice content)
{
	struct nest *nest = context;
	size_t start = slice_find_last_byte(name, '\\');

	return unpack_file(nest->unpack, nest->parent,
	    start == SIZE_MAX ? name : slice_skip(name, start + 1), content);
}

static void
take_text(void *context, struct slice content)
{
	struct nest *nest = context;
	struct scanner_item *item = unpack_item(nest->unpack, nest->parent);

	if (nest->is_pdf) {
		struct pdf_marks marks = pdf_inspect(content);

		if (marks.active)
			item->flags |= SCANNER_MACROS;
	}
	if ((nest->unpack->want & SCANNER_WANT_URLS) == 0)
		return;
	document_urls(content, nest->unpack->arena, item);
	if (nest->is_pdf && !nest->is_link) {
		struct found found = found_of(nest);

		nest->is_link = true;
		pdf_links(content, &found);
		nest->is_link = false;
	}
}

static void
take_unread(void *context, const char *reason)
{
	struct nest *nest = context;

	unpack_mark(unpack_item(nest->unpack, nest->parent), reason);
}

static struct found
found_of(struct nest *nest)
{
	return (struct found){ .context = nest,
		.file = take_file,
		.text = take_text,
		.unread = take_unread };
}

static void
open_document(struct nest *nest, struct slice content)
{
	struct found found = found_of(nest);
	size_t bytes = nest->unpack->budget.bytes_left < SIZE_MAX
			   ? (size_t)nest->unpack->budget.bytes_left
			   : SIZE_MAX;

	if (ole_is(content))
		office_files(content, bytes, &found);
	else if (rtf_is(content))
		rtf_files(content, &found);
	else if (carrier_is(content))
		carrier_files(content, &found);
	if (!pdf_is(content))
		return;
	nest->is_pdf = true;
	take_text(nest, content);
	pdf_files(
	    content, bytes, nest->unpack->settings->archive_ratio, &found);
}

void
nested_open(struct unpack *unpack, struct slice content, size_t index)
{
	struct nest nest = { .unpack = unpack, .parent = index };
	const struct scanner_item *item = unpack_item(unpack, index);
	bool page = guess_kind(content, item->name) == GUESS_HTML &&
		    embedded_any(content);
	bool text = !page && embedded_is_text(content);
	bool document = document_is_known(content);

	if (!page && !text && !document)
		return;
	if (item->depth >= unpack->settings->archive_depth) {
		unpack_mark(unpack_item(unpack, index), "archive-depth");
		return;
	}
	if (document)
		open_document(&nest, content);
	if (page)
		open_page(&nest, content);
	if (text)
		open_text(&nest, content);
}
