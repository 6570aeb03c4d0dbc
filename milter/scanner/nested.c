#include <config.h>

#include <stdlib.h>

#include "scanner/carrier.h"
#include "scanner/command.h"
#include "scanner/document.h"
#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/nested.h"
#include "scanner/office.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/pieces.h"
#include "scanner/rtf.h"
#include "scanner/xml.h"

/* Text of a document is decoded, and what comes out once more. */
#define DECODED_MAX 2

/* Where found files go. */
struct nest {
	struct unpack *unpack;
	size_t parent;
	struct found_limits limits;
	bool is_pdf;
	bool has_fields;
	unsigned decoded; /* times that the text at hand was decoded */
};

static struct found found_of(struct nest *nest);

/* Adds a file, unless files lie too deep already. */
static bool
add_file(struct nest *nest, struct slice name, struct slice content)
{
	struct unpack *unpack = nest->unpack;
	struct scanner_item *item = unpack_item(unpack, nest->parent);

	if ((unpack->want & SCANNER_WANT_MEMBERS) == 0)
		return true;
	if (item->depth >= unpack->settings->archive_depth) {
		unpack_mark(item, "archive-depth");
		return false;
	}
	return unpack_file(unpack, nest->parent, name, content);
}

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

		if (length > 0 && !embedded_is_picture(bytes)) {
			if (count++ == nest->limits.objects)
				unpack_mark(
				    unpack_item(nest->unpack, nest->parent),
				    "document-objects");
			good = count <= nest->limits.objects &&
			       add_file(nest, slice_make(NULL, 0), bytes);
		}
		free(file);
	}
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
		add_file(nest, slice_make(NULL, 0),
		    slice_make((char *)file, length));
	}
	free(file);
}

static bool
take_file(void *context, struct slice name, struct slice content)
{
	struct nest *nest = context;
	size_t start = slice_find_last_byte(name, '\\');

	return add_file(nest,
	    start == SIZE_MAX ? name : slice_skip(name, start + 1), content);
}

/* What is in the text of a document that is not to be seen in its octets. In
 * what was decoded strings may still be in pieces. */
static void
decode_text(struct nest *nest, struct slice content)
{
	struct found found = found_of(nest);
	bool first = nest->decoded == 0;

	nest->decoded++;
	if (first && nest->is_pdf)
		pdf_strings(content, &found);
	if (first && xml_is(content))
		xml_text(content, &found);
	if (first && !nest->is_pdf)
		command_text(content, &found);
	pieces_join(content, &found);
	nest->decoded--;
}

/* Marks and links in text that a document held. */
static bool
take_text(void *context, struct slice content)
{
	struct nest *nest = context;
	struct unpack *unpack = nest->unpack;
	struct scanner_item *item = unpack_item(unpack, nest->parent);
	bool links = (unpack->want & SCANNER_WANT_URLS) != 0;

	if (nest->is_pdf && nest->decoded == 0 && pdf_inspect(content).active)
		item->flags |= SCANNER_MACROS;
	if (nest->has_fields && document_starts_programs(content))
		item->flags |= SCANNER_MACROS;
	if (links)
		document_urls(content, unpack->settings->document_links,
		    unpack->arena, item);
	if (nest->decoded < DECODED_MAX && (links || nest->has_fields))
		decode_text(nest, content);
	return !unpack_is_late(unpack, nest->parent);
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
		.limits = &nest->limits,
		.file = take_file,
		.text = take_text,
		.unread = take_unread };
}

/* Word takes a PDF for the web archive that stands behind its first octets. */
static void
open_archive_behind(struct nest *nest, struct slice content)
{
	size_t at = slice_find_fold(content, SLICE_LITERAL("\nMIME-Version:"));

	if (at != SIZE_MAX)
		add_file(
		    nest, slice_make(NULL, 0), slice_skip(content, at + 1));
}

static void
open_document(struct nest *nest, struct slice content)
{
	struct found found = found_of(nest);

	nest->is_pdf = pdf_is(content);
	nest->has_fields = document_has_fields(content);
	take_text(nest, content);
	if (ole_is(content)) {
		office_files(content, &found);
	} else if (rtf_is(content)) {
		rtf_files(content, &found);
		rtf_text(content, &found);
	} else if (carrier_is(content)) {
		carrier_files(content, &found);
	} else if (xml_is(content)) {
		xml_files(content, &found);
	}
	if (nest->is_pdf) {
		pdf_files(content, &found);
		open_archive_behind(nest, content);
	}
}

static struct found_limits
limits_of(const struct unpack *unpack)
{
	const struct scanner_settings *settings = unpack->settings;

	return (struct found_limits){
		.all_bytes = unpack->budget.bytes_left < SIZE_MAX
				 ? (size_t)unpack->budget.bytes_left
				 : SIZE_MAX,
		.document_bytes = settings->document_bytes,
		.objects = settings->document_objects,
		.ratio = settings->archive_ratio,
	};
}

void
nested_open(struct unpack *unpack, struct slice content, size_t index)
{
	struct nest nest = {
		.unpack = unpack, .parent = index, .limits = limits_of(unpack)
	};
	const struct scanner_item *item = unpack_item(unpack, index);
	bool page = (guess_kind(content, item->name) == GUESS_HTML ||
			guess_is_script(item->name)) &&
		    embedded_any(content);
	bool text = !page && embedded_is_text(content);

	if (document_is_known(content) || xml_is(content))
		open_document(&nest, content);
	else
		take_text(&nest, content);
	if (page)
		open_page(&nest, content);
	if (text)
		open_text(&nest, content);
}
