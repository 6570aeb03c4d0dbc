#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "scanner/document.h"

#define URLS_MAX       500
#define URL_BYTES_MAX  2048
#define OLE_HEADER     512
#define OLE_ENTRY      128
#define OLE_SECTOR_MAX 100000 /* directory sectors that are followed */

static const char ole_magic[8] = { (char)0xd0, (char)0xcf, 0x11, (char)0xe0,
	(char)0xa1, (char)0xb1, 0x1a, (char)0xe1 };

static uint32_t
number_at(struct slice file, size_t at, unsigned bytes)
{
	uint32_t number = 0;

	if (at > file.length || file.length - at < bytes)
		return UINT32_MAX;
	for (unsigned i = bytes; i > 0; i--)
		number = number << 8 | (unsigned char)file.data[at + i - 1];
	return number;
}

/* Compares an OLE directory name (UTF-16LE) with ASCII, ignoring case. */
static bool
ole_name_is(struct slice file, size_t at, const char *name)
{
	size_t length = strlen(name);

	if (number_at(file, at + 64, 2) != (length + 1) * 2)
		return false;
	for (size_t i = 0; i < length; i++)
		if (file.data[at + 2 * i + 1] != 0 ||
		    ascii_lower(file.data[at + 2 * i]) != ascii_lower(name[i]))
			return false;
	return true;
}

static void
ole_entry(struct slice file, size_t at, struct scanner_item *item)
{
	static const char *const macro_names[] = { "_VBA_PROJECT", "VBA",
		"Macros", "_VBA_PROJECT_CUR" };

	for (size_t i = 0; i < sizeof macro_names / sizeof macro_names[0]; i++)
		if (ole_name_is(file, at, macro_names[i]))
			item->flags |= SCANNER_MACROS;
	/* MS-OFFCRYPTO 2.3: an encrypted OOXML file is an OLE file with these. */
	if (ole_name_is(file, at, "EncryptedPackage") ||
	    ole_name_is(file, at, "EncryptionInfo"))
		item->flags |= SCANNER_ENCRYPTED;
}

/*
 * Walks the directory's sectors through the allocation table (MS-CFB 2.3,
 * 2.6). The table's own sectors are taken from the header's 109 entries, which
 * cover 6.8 MB of file; a directory that starts beyond is not followed.
 */
static void
inspect_ole(struct slice file, struct scanner_item *item)
{
	uint32_t shift = number_at(file, 30, 2);
	uint32_t sector = number_at(file, 48, 4);
	size_t size;

	if (file.length < OLE_HEADER || (shift != 9 && shift != 12))
		return;
	size = (size_t)1 << shift;
	for (unsigned steps = 0; steps < OLE_SECTOR_MAX; steps++) {
		size_t start = ((size_t)sector + 1) << shift;
		size_t per_table = size / 4;
		uint32_t table;

		if (start >= file.length || file.length - start < size)
			return;
		for (size_t at = start; at < start + size; at += OLE_ENTRY)
			ole_entry(file, at, item);
		if (sector / per_table >= 109)
			return;
		table = number_at(file, 76 + 4 * (sector / per_table), 4);
		if (table >= file.length)
			return;
		sector = number_at(file,
		    (((size_t)table + 1) << shift) + 4 * (sector % per_table),
		    4);
	}
}

static void
add_url(struct arena *arena, struct scanner_item *item, struct slice url)
{
	struct slice *slot;

	if (url.length == 0 || url.length > URL_BYTES_MAX)
		return;
	for (size_t i = 0; i < item->urls.count; i++)
		if (slice_equal(item->urls.items[i], url))
			return;
	slot = list_append(arena, &item->urls, URLS_MAX);
	if (slot != NULL)
		*slot = url;
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

	while (item->urls.count < URLS_MAX &&
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

	while (item->urls.count < URLS_MAX &&
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

static void
inspect_pdf(struct slice content, struct scanner_item *item)
{
	if (slice_find(content, SLICE_LITERAL("/Encrypt")) != SIZE_MAX)
		item->flags |= SCANNER_ENCRYPTED;
	if (slice_find(content, SLICE_LITERAL("/JavaScript")) != SIZE_MAX ||
	    slice_find(content, SLICE_LITERAL("/Launch")) != SIZE_MAX)
		item->flags |= SCANNER_MACROS;
}

bool
document_is_macro_name(struct slice name)
{
	return slice_ends_with_fold(name, SLICE_LITERAL("vbaProject.bin")) ||
	       slice_ends_with_fold(name, SLICE_LITERAL("vbaData.xml")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("xl/macrosheets/")) ||
	       slice_starts_with_fold(name, SLICE_LITERAL("Basic/"));
}

static bool
is_pdf(struct slice content)
{
	/* Readers accept the header anywhere in the first kilobyte. */
	return slice_find(slice_range(content, 0, 1024),
		   SLICE_LITERAL("%PDF-")) != SIZE_MAX;
}

bool
document_is_known(struct slice content)
{
	return slice_starts_with(content, slice_make(ole_magic, 8)) ||
	       slice_starts_with(content, SLICE_LITERAL("{\\rt")) ||
	       is_pdf(content);
}

void
document_inspect(struct slice content, bool want_urls, struct arena *arena,
    struct scanner_item *item)
{
	if (slice_starts_with(content, slice_make(ole_magic, 8)))
		inspect_ole(content, item);
	if (is_pdf(content))
		inspect_pdf(content, item);
	if (want_urls) {
		find_urls(content, arena, item);
		find_wide_urls(content, arena, item);
	}
}
