#include <config.h>

#include <stdint.h>

#include "base/utf8.h"
#include "scanner/carrier.h"
#include "scanner/document.h"
#include "scanner/office.h"
#include "scanner/ole.h"
#include "scanner/pdf.h"
#include "scanner/rtf.h"
#include "scanner/share.h"
#include "scanner/xml.h"

#define URL_BYTES_MAX 8192 /* longer ones are cut: their host counts */

/* The item for which links are looked for, and how many it may have. */
struct links {
	struct arena *arena;
	struct scanner_item *item;
	unsigned max;
	bool full;
};

static void
add_url(struct links *links, struct slice url)
{
	struct scanner_item *item = links->item;
	struct slice *slot;

	url = slice_range(url, 0, URL_BYTES_MAX);
	for (size_t i = 0; i < item->urls.count; i++)
		if (slice_equal(item->urls.items[i], url))
			return;
	slot = list_append(links->arena, &item->urls, links->max);
	if (slot != NULL)
		*slot = arena_copy(links->arena, url);
	else
		links->full = true;
}

static bool
ends_url(char c)
{
	return (unsigned char)c <= ' ' || (unsigned char)c >= 0x7f ||
	       c == '"' || c == '<' || c == '>' || c == ')' || c == '\'' ||
	       c == '\\';
}

/* How many letters of a scheme stand before the "://" at `colon`, each `step`
 * octets wide: the longest that is one. A counted string has any octet before
 * it, so what stands in front of the scheme does not matter. */
static size_t
scheme_length(struct slice text, size_t colon, size_t step)
{
	static const struct slice schemes[] = { { "https", 5 }, { "http", 4 },
		{ "ftp", 3 }, { "file", 4 }, { "smb", 3 }, { "ldap", 4 } };

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t length = schemes[i].length, j = 0;

		if (length * step > colon)
			continue;
		while (j < length &&
		       ascii_lower(text.data[colon - (length - j) * step]) ==
			   schemes[i].data[j])
			j++;
		if (j == length)
			return length;
	}
	return 0;
}

/* Every link that stands in the bytes as it is. Where letters of another
 * alphabet follow, they are either of the name or of what comes behind it, so
 * both are links. */
static void
find_urls(struct slice content, struct links *links)
{
	struct slice rest = content;
	size_t colon;

	while (!links->full &&
	       (colon = slice_find(rest, SLICE_LITERAL("://"))) != SIZE_MAX) {
		size_t scheme = scheme_length(rest, colon, 1);
		size_t end = colon + 3, wide;

		while (end < rest.length && end - colon <= URL_BYTES_MAX &&
		       !ends_url(rest.data[end]))
			end++;
		if (scheme > 0 && end > colon + 3)
			add_url(links, slice_range(rest, colon - scheme, end));
		for (wide = end; wide < rest.length &&
				 wide - colon <= URL_BYTES_MAX &&
				 ((unsigned char)rest.data[wide] >= 0x80 ||
				     !ends_url(rest.data[wide]));)
			wide++;
		if (scheme > 0 && wide > end &&
		    utf8_is_valid(slice_range(rest, end, wide)))
			add_url(links, slice_range(rest, colon - scheme, wide));
		rest = slice_skip(rest, end);
	}
}

/* The same in UTF-16 of either order, as OLE files and Windows text have it:
 * in both the octets of the letters are two apart with NULs between. */
static void
find_wide_urls(struct slice content, struct links *links)
{
	const struct slice mark = slice_make(":\0/\0/", 5);
	struct slice rest = content;
	size_t colon;

	while (!links->full && (colon = slice_find(rest, mark)) != SIZE_MAX) {
		size_t scheme = scheme_length(rest, colon, 2);
		size_t end = colon + 6, length = 0;
		char url[URL_BYTES_MAX + 16];

		while (end < rest.length &&
		       end - colon < 2 * (size_t)URL_BYTES_MAX &&
		       rest.data[end - 1] == '\0' && !ends_url(rest.data[end]))
			end += 2;
		for (size_t at = colon - 2 * scheme;
		     at < end && at < rest.length; at += 2)
			url[length++] = rest.data[at];
		if (scheme > 0)
			add_url(links, slice_make(url, length));
		rest = slice_skip(rest, end);
	}
}

bool
document_is_macro_name(struct slice name)
{
	return slice_ends_with_fold(name, SLICE_LITERAL("vbaProject.bin")) ||
	       slice_ends_with_fold(name, SLICE_LITERAL("vbaData.xml")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("xl/macrosheets/")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("Basic/")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("Scripts/"));
}

bool
document_says_sealed(struct slice name, struct slice content)
{
	return slice_equal_text_fold(name, "META-INF/manifest.xml") &&
	       slice_find(content, SLICE_LITERAL("encryption-data")) !=
		   SIZE_MAX;
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

static void
find_shares(struct slice content, size_t step, struct links *links)
{
	struct share_walk walk = { .rest = content, .step = step };
	char space[SHARE_BYTES_MAX];
	struct slice link;

	while (!links->full && share_next(&walk, space, &link))
		add_url(links, link);
}

static bool
has_either(struct slice content, const char *one, const char *other)
{
	return slice_find(content, slice_text(one)) != SIZE_MAX ||
	       slice_find(content, slice_text(other)) != SIZE_MAX;
}

bool
document_has_fields(struct slice content)
{
	return (xml_is(content) && has_either(content, "instr", "ddeLink")) ||
	       (rtf_is(content) &&
		   slice_find(content, SLICE_LITERAL("fldinst")) != SIZE_MAX) ||
	       ole_is(content);
}

bool
document_starts_programs(struct slice text)
{
	return slice_find(text, SLICE_LITERAL("DDEAUTO")) != SIZE_MAX ||
	       slice_find(text, slice_make("D\0D\0E\0A\0U\0T\0O", 13)) !=
		   SIZE_MAX ||
	       slice_find(text, SLICE_LITERAL("ddeLink ")) != SIZE_MAX;
}

void
document_urls(struct slice content, unsigned urls_max, struct arena *arena,
    struct scanner_item *item)
{
	struct links links = { .arena = arena, .item = item, .max = urls_max };

	find_urls(content, &links);
	find_wide_urls(content, &links);
	find_shares(content, 1, &links);
	find_shares(content, 2, &links);
	if (links.full && item->reason.length == 0)
		item->reason = SLICE_LITERAL("document-links");
	if (links.full)
		item->flags |= SCANNER_UNSCANNABLE;
}

void
document_inspect(
    struct slice content, unsigned objects_max, struct scanner_item *item)
{
	if (ole_is(content)) {
		struct office_marks marks =
		    office_inspect(content, objects_max);

		mark(item, marks.encrypted, marks.macros);
	}
	if (pdf_is(content)) {
		struct pdf_marks marks = pdf_inspect(content);

		mark(item, marks.encrypted, marks.active);
	}
}
