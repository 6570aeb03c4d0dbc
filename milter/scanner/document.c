#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "scanner/carrier.h"
#include "scanner/document.h"
#include "scanner/office.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/rtf.h"

#define URL_BYTES_MAX 2048
#define XML_BYTES_MAX (1u << 20)
#define ENTITY_BYTES  12

static void
add_url(struct arena *arena, struct scanner_item *item, struct slice url)
{
	struct slice *slot;

	if (url.length == 0 || url.length > URL_BYTES_MAX)
		return;
	for (size_t i = 0; i < item->urls.count; i++)
		if (slice_equal(item->urls.items[i], url))
			return;
	slot = list_append(arena, &item->urls, DOCUMENT_URLS_MAX);
	if (slot != NULL)
		*slot = arena_copy(arena, url);
}

static bool
ends_url(char c)
{
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f ||
	       c == '"' || c == '<' || c == '>' || c == ')' || c == '\'' ||
	       c == '\\';
}

static bool
begins_as_url(struct slice text)
{
	return slice_starts_with_fold(text, SLICE_LITERAL("http")) ||
	       slice_starts_with_fold(text, SLICE_LITERAL("ftp:"));
}

/* Every http://, https:// and ftp:// that stands in the bytes as it is. */
static void
find_urls(struct slice content, struct arena *arena, struct scanner_item *item)
{
	struct slice rest = content;
	size_t colon;

	while (item->urls.count < DOCUMENT_URLS_MAX &&
	       (colon = slice_find(rest, SLICE_LITERAL("://"))) != SIZE_MAX) {
		size_t start = colon, end = colon + 3;

		while (start > 0 && colon - start < 5 &&
		       ascii_is_alpha(rest.data[start - 1]))
			start--;
		while (end < rest.length && end - start <= URL_BYTES_MAX &&
		       !ends_url(rest.data[end]))
			end++;
		if (begins_as_url(slice_skip(rest, start)))
			add_url(arena, item, slice_range(rest, start, end));
		rest = slice_skip(rest, end);
	}
}

/* The same in UTF-16 of either order, as OLE files and Windows text have it:
 * in both the octets of the letters are two apart with NULs between. */
static void
find_wide_urls(
    struct slice content, struct arena *arena, struct scanner_item *item)
{
	const struct slice mark = slice_make(":\0/\0/", 5);
	struct slice rest = content;
	size_t colon;

	while (item->urls.count < DOCUMENT_URLS_MAX &&
	       (colon = slice_find(rest, mark)) != SIZE_MAX) {
		size_t start = colon, end = colon + 6;
		struct builder url = builder_make(arena, URL_BYTES_MAX);

		while (start > 1 && colon - start < 10 &&
		       rest.data[start - 1] == '\0' &&
		       ascii_is_alpha(rest.data[start - 2]))
			start -= 2;
		while (end < rest.length && end - start < 2 * URL_BYTES_MAX &&
		       rest.data[end - 1] == '\0' && !ends_url(rest.data[end]))
			end += 2;
		for (size_t at = start; at < end; at += 2)
			builder_byte(&url, rest.data[at]);
		if (begins_as_url(builder_result(&url)))
			add_url(arena, item, builder_result(&url));
		rest = slice_skip(rest, end);
	}
}

static uint32_t
entity_value(struct slice digits)
{
	bool hex = digits.length > 0 && ascii_lower(digits.data[0]) == 'x';
	uint32_t value = 0;

	for (size_t i = hex; i < digits.length; i++) {
		int digit = ascii_hex_value(digits.data[i]);

		if (digit < 0 || (!hex && digit > 9) || value > 0x10ffff)
			return 0;
		value = value * (hex ? 16 : 10) + (uint32_t)digit;
	}
	return value;
}

/* Numbered characters and the ampersand, as XML has them in attributes. */
static struct slice
without_entities(struct arena *arena, struct slice content)
{
	struct builder out = builder_make(arena, XML_BYTES_MAX);

	while (content.length > 0) {
		struct slice before, entity;
		struct slice rest = slice_split(content, '&', &before);
		uint32_t value = 0;

		builder_slice(&out, before);
		if (before.length == content.length)
			break;
		slice_split(slice_range(rest, 0, ENTITY_BYTES), ';', &entity);
		if (slice_equal_text(entity, "amp"))
			value = '&';
		else if (slice_starts_with(entity, SLICE_LITERAL("#")))
			value = entity_value(slice_skip(entity, 1));
		builder_byte(
		    &out, value > 0 && value < 0x80 ? (char)value : '&');
		content =
		    value > 0 ? slice_skip(rest, entity.length + 1) : rest;
	}
	return builder_result(&out);
}

/* The same where XML, such as the relations of an Office file, spells them
 * with entities. */
static void
find_coded_urls(
    struct slice content, struct arena *arena, struct scanner_item *item)
{
	struct slice head = slice_range(content, 0, 64);

	if (content.length > XML_BYTES_MAX ||
	    slice_find(head, SLICE_LITERAL("<")) == SIZE_MAX ||
	    (slice_find(content, SLICE_LITERAL("&#")) == SIZE_MAX &&
		slice_find(content, SLICE_LITERAL("&amp;")) == SIZE_MAX))
		return;
	find_urls(without_entities(arena, content), arena, item);
}

bool
document_is_macro_name(struct slice name)
{
	return slice_ends_with_fold(name, SLICE_LITERAL("vbaProject.bin")) ||
	       slice_ends_with_fold(name, SLICE_LITERAL("vbaData.xml")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("xl/macrosheets/")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("Basic/"));
}

bool
document_is_known(struct slice content)
{
	return ole_is(content) || rtf_is(content) || pdf_is(content) ||
	       carrier_is(content);
}

static void
mark(struct scanner_item *item, bool encrypted, bool macros)
{
	if (encrypted) {
		item->flags |= SCANNER_ENCRYPTED | SCANNER_UNSCANNABLE;
		item->reason = SLICE_LITERAL("encrypted");
	}
	if (macros)
		item->flags |= SCANNER_MACROS;
}

void
document_urls(
    struct slice content, struct arena *arena, struct scanner_item *item)
{
	find_urls(content, arena, item);
	find_wide_urls(content, arena, item);
	find_coded_urls(content, arena, item);
}

void
document_inspect(struct slice content, bool want_urls, struct arena *arena,
    struct scanner_item *item)
{
	if (ole_is(content)) {
		struct office_marks marks = office_inspect(content);

		mark(item, marks.encrypted, marks.macros);
	}
	if (pdf_is(content)) {
		struct pdf_marks marks = pdf_inspect(content);

		mark(item, marks.encrypted, marks.active);
	}
	if (want_urls)
		document_urls(content, arena, item);
}
