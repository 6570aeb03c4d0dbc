#include <config.h>

#include <archive.h>
#include <archive_entry.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>

#include "scanner/document.h"
#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/unpack.h"
#include "scanner/zip_names.h"

#define NAME_BYTES_MAX   1024
#define READ_BYTES       65536
#define RATIO_FREE_BYTES (1u << 20) /* below this no ratio is an attack */
#define TYPE_BYTES       (1u << 20) /* what libmagic gets to see */
#define TAR_MAGIC_AT     257
#define EMBEDDED_MAX     200 /* files inside one page */
#define ISO_MAGIC_AT     32769

static enum tc_status look_into(
    struct unpack *unpack, struct slice content, size_t index);

/* What stands where in files of a form. */
struct form {
	size_t at;
	struct slice magic;
};

static bool
has_form(struct slice content, const struct form *forms, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_starts_with(
			slice_skip(content, forms[i].at), forms[i].magic))
			return true;
	return false;
}

/* Containers that nothing here opens: ARJ, ACE, xar, ALZip, Windows and
 * virtual disk images, Outlook's TNEF. */
static bool
is_closed_form(struct slice content)
{
	static const struct form forms[] = { { 0, { "\x60\xea", 2 } },
		{ 7, { "**ACE**", 7 } }, { 0, { "xar!", 4 } },
		{ 0, { "ALZ\x01", 4 } }, { 0, { "EGGA", 4 } },
		{ 0, { "MSWIM\0\0\0", 8 } }, { 0, { "vhdxfile", 8 } },
		{ 0, { "conectix", 8 } }, { 0, { "\x78\x9f\x3e\x22", 4 } } };

	return has_form(content, forms, sizeof forms / sizeof forms[0]);
}

/* The outermost form of an archive, by its first bytes. */
static bool
is_archive(struct slice content)
{
	static const struct form forms[] = {
		{ 0, { "PK\x03\x04", 4 } },
		{ 0, { "PK\x05\x06", 4 } },
		{ 0, { "PK00PK\x03\x04", 8 } },
		{ 0, { "7z\xbc\xaf\x27\x1c", 6 } },
		{ 0, { "Rar!\x1a\x07", 6 } },
		{ 0, { "MSCF\0\0\0\0", 8 } },
		{ 0, { "\x1f\x8b", 2 } },
		{ 0, { "\x1f\x9d", 2 } },
		{ 0, { "BZh", 3 } },
		{ 0, { "\xfd\x37zXZ\0", 6 } },
		{ 0, { "\x28\xb5\x2f\xfd", 4 } },
		{ 0, { "LZIP", 4 } },
		{ 0, { "\x04\x22\x4d\x18", 4 } },
		{ 0, { "070701", 6 } }, /* cpio, also in RPM */
		{ 0, { "070707", 6 } },
		{ 0, { "!<arch>\n", 8 } },
		{ 2, { "-lh", 3 } },
		{ TAR_MAGIC_AT, { "ustar", 5 } },
		{ ISO_MAGIC_AT, { "CD001", 5 } },
	};
	struct zip_names names;

	if (has_form(content, forms, sizeof forms / sizeof forms[0]))
		return true;
	/* A self-extractor, or bytes put before a zip to hide it. */
	return zip_names_begin(content, &names) && names.left > 0;
}

bool
unpack_is_worth(struct slice content)
{
	return is_archive(content) || is_closed_form(content) ||
	       document_is_known(content);
}

static void
mark_unscannable(struct scanner_item *item, const char *reason)
{
	item->flags |= SCANNER_UNSCANNABLE;
	if (item->reason.length == 0)
		item->reason = slice_text(reason);
}

static void
digest(const EVP_MD *method, struct slice content, uint8_t *out, unsigned bit,
    struct scanner_item *item)
{
	if (EVP_Digest(content.data, content.length, out, NULL, method, NULL))
		item->flags |= bit;
}

/* The digests of members; the part's own are known outside. */
static void
digest_item(const struct unpack *unpack, struct slice content,
    struct scanner_item *item)
{
	if (unpack->want & SCANNER_WANT_MD5)
		digest(EVP_md5(), content, item->md5, SCANNER_HAS_MD5, item);
	if (unpack->want & SCANNER_WANT_SHA1)
		digest(EVP_sha1(), content, item->sha1, SCANNER_HAS_SHA1, item);
	if (unpack->want & SCANNER_WANT_SHA256)
		digest(EVP_sha256(), content, item->sha256, SCANNER_HAS_SHA256,
		    item);
}

/* True for the part itself, false for what was found inside. */
static bool
is_part(const struct unpack *unpack, const struct scanner_item *item)
{
	return item == unpack->result->items.items;
}

static void
detect_type(
    struct unpack *unpack, struct slice content, struct scanner_item *item)
{
	size_t length =
	    content.length < TYPE_BYTES ? content.length : TYPE_BYTES;
	const char *type;

	if (unpack->magic == NULL || !(unpack->want & SCANNER_WANT_TYPE))
		return;
	type = magic_buffer(unpack->magic, content.data, length);
	if (type != NULL)
		item->type = arena_copy(unpack->arena, slice_text(type));
}

/* Keeps a member's bytes where the message parser can read on in them. */
static void
keep_content(
    struct unpack *unpack, struct slice content, struct scanner_item *item)
{
	if (!(unpack->want & SCANNER_WANT_CONTENT) ||
	    guess_kind(content, item->name) == GUESS_OTHER ||
	    is_part(unpack, item))
		return;
	if (content.length >
	    unpack->settings->content_bytes - unpack->content_kept) {
		mark_unscannable(item, "content-bytes");
		return;
	}
	item->content = arena_copy(unpack->arena, content);
	unpack->content_kept += item->content.length;
}

static struct scanner_item *
item_at(struct unpack *unpack, size_t index)
{
	return &unpack->result->items.items[index];
}

/* Adds an item below `parent`; SIZE_MAX when entries or memory are used up. */
static size_t
add_member(struct unpack *unpack, size_t parent, struct slice name)
{
	struct scanner_item *item;

	if (unpack->budget.entries_left == 0) {
		mark_unscannable(item_at(unpack, parent), "archive-entries");
		return SIZE_MAX;
	}
	item = list_append(unpack->arena, &unpack->result->items, SIZE_MAX);
	if (item == NULL)
		return SIZE_MAX;
	unpack->budget.entries_left--;
	item->parent = (unsigned)parent;
	item->depth = item_at(unpack, parent)->depth + 1;
	item->name =
	    arena_copy(unpack->arena, slice_range(name, 0, NAME_BYTES_MAX));
	return unpack->result->items.count - 1;
}

struct growing {
	char *data;
	size_t length, capacity;
};

/* Reads the entry's data as far as limits allow. Sets *reason when not to its
 * end. False when there is no memory. */
static bool
read_entry(struct unpack *unpack, struct archive *archive,
    uint64_t packed_bytes, struct growing *data, const char **reason)
{
	for (;;) {
		ssize_t got;

		if (data->capacity - data->length < READ_BYTES) {
			size_t wanted = data->capacity + data->capacity / 2 +
					2 * READ_BYTES;
			char *grown = realloc(data->data, wanted);

			if (grown == NULL)
				return false;
			data->data = grown;
			data->capacity = wanted;
		}
		got = archive_read_data(
		    archive, data->data + data->length, READ_BYTES);
		if (got == 0)
			return true;
		if (got < 0) {
			*reason = "archive-broken";
			return true;
		}
		if ((uint64_t)got > unpack->budget.bytes_left) {
			unpack->budget.bytes_left = 0;
			*reason = "archive-bytes";
			return true;
		}
		unpack->budget.bytes_left -= (uint64_t)got;
		data->length += (size_t)got;
		if (data->length > RATIO_FREE_BYTES &&
		    data->length / unpack->settings->archive_ratio >
			packed_bytes) {
			*reason = "archive-ratio";
			return true;
		}
	}
}

/* `raw`: only what is squeezed as one file, whatever it holds. */
static struct archive *
open_archive(struct slice content, bool raw)
{
	struct archive *archive = archive_read_new();

	if (archive == NULL)
		return NULL;
	/* One by one: `all` would bring formats that nobody mails. */
	if (!raw) {
		archive_read_support_format_zip(archive);
		archive_read_support_format_7zip(archive);
		archive_read_support_format_tar(archive);
		archive_read_support_format_cab(archive);
		archive_read_support_format_iso9660(archive);
		archive_read_support_format_rar(archive);
		archive_read_support_format_rar5(archive);
		archive_read_support_format_cpio(archive);
		archive_read_support_format_ar(archive);
		archive_read_support_format_lha(archive);
	}
	archive_read_support_format_raw(archive);
	archive_read_support_filter_gzip(archive);
	archive_read_support_filter_bzip2(archive);
	archive_read_support_filter_xz(archive);
	archive_read_support_filter_zstd(archive);
	archive_read_support_filter_lzip(archive);
	archive_read_support_filter_lz4(archive);
	archive_read_support_filter_compress(archive);
	if (archive_read_open_memory(archive, content.data, content.length) !=
	    ARCHIVE_OK) {
		archive_read_free(archive);
		return NULL;
	}
	return archive;
}

/* A member's name as UTF-8 where libarchive can say it, else as it stands. A
 * compressed single file gets the part's name without its last extension. */
static struct slice
entry_name(struct unpack *unpack, struct archive *archive,
    struct archive_entry *entry, size_t parent)
{
	const char *name = archive_entry_pathname_utf8(entry);
	struct slice outer = item_at(unpack, parent)->name;
	size_t dot;

	if (archive_format(archive) == ARCHIVE_FORMAT_RAW) {
		dot = slice_find_last_byte(outer, '.');
		return slice_range(outer, 0, dot == SIZE_MAX ? 0 : dot);
	}
	if (name == NULL)
		name = archive_entry_pathname(entry);
	return slice_text(name);
}

static enum tc_status
take_entry(struct unpack *unpack, struct archive *archive,
    struct archive_entry *entry, struct slice packed, size_t parent)
{
	struct slice name = entry_name(unpack, archive, entry, parent);
	bool encrypted = archive_entry_is_data_encrypted(entry) == 1 ||
			 archive_entry_is_metadata_encrypted(entry) == 1;
	struct growing data = { 0 };
	const char *reason = NULL;
	enum tc_status status;
	size_t index;

	if (archive_entry_filetype(entry) == AE_IFDIR)
		return TC_OK;
	index = add_member(unpack, parent, name);
	if (index == SIZE_MAX)
		return TC_LIMIT;
	if (document_is_macro_name(name))
		item_at(unpack, parent)->flags |= SCANNER_MACROS;
	if (encrypted) {
		item_at(unpack, index)->flags |= SCANNER_ENCRYPTED;
		item_at(unpack, parent)->flags |= SCANNER_ENCRYPTED;
		mark_unscannable(item_at(unpack, index), "encrypted");
		return TC_OK;
	}
	if (!read_entry(unpack, archive, packed.length, &data, &reason)) {
		free(data.data);
		mark_unscannable(item_at(unpack, index), "memory");
		return TC_LIMIT;
	}
	if (reason != NULL)
		mark_unscannable(item_at(unpack, index), reason);
	status = look_into(unpack, slice_make(data.data, data.length), index);
	free(data.data);
	if (status == TC_OK && reason != NULL && unpack->budget.bytes_left == 0)
		return TC_LIMIT;
	return status;
}

/* What libarchive says when it gives up on the next header. */
static void
note_archive_error(struct unpack *unpack, struct archive *archive, size_t index)
{
	const char *message = archive_error_string(archive);
	struct scanner_item *item = item_at(unpack, index);

	if (message != NULL && slice_find_fold(slice_text(message),
				   SLICE_LITERAL("encrypt")) != SIZE_MAX) {
		item->flags |= SCANNER_ENCRYPTED;
		mark_unscannable(item, "encrypted");
	} else {
		mark_unscannable(item, "archive-broken");
	}
}

/* Notes members whose two names differ, and encryption that the central
 * directory owns up to. */
static void
compare_zip_names(struct unpack *unpack, struct slice content, size_t parent)
{
	struct zip_names names;
	struct zip_name name;

	if (!zip_names_begin(content, &names))
		return;
	while (zip_names_next(&names, &name)) {
		size_t index;

		if (name.encrypted)
			item_at(unpack, parent)->flags |= SCANNER_ENCRYPTED;
		if (name.local.length == 0 ||
		    slice_equal(name.local, name.central))
			continue;
		item_at(unpack, parent)->flags |= SCANNER_NAMES_DIFFER;
		/* Both are names under which somebody's unpacker writes. */
		index = add_member(unpack, parent, name.central);
		if (index == SIZE_MAX)
			return;
		item_at(unpack, index)->other_name = arena_copy(
		    unpack->arena, slice_range(name.local, 0, NAME_BYTES_MAX));
		mark_unscannable(item_at(unpack, index), "zip-names-differ");
	}
}

/* Takes the members one by one; returns how many, and in *end_out how
 * libarchive ended. */
static size_t
take_members(struct unpack *unpack, struct archive *archive,
    struct slice content, size_t index, int *end_out)
{
	struct archive_entry *entry;
	size_t count = 0;

	for (;; count++) {
		*end_out = archive_read_next_header(archive, &entry);
		if (*end_out != ARCHIVE_OK && *end_out != ARCHIVE_WARN)
			break;
		/* Raw without a filter is the bytes themselves. */
		if (archive_format(archive) == ARCHIVE_FORMAT_RAW &&
		    archive_filter_count(archive) <= 1) {
			mark_unscannable(
			    item_at(unpack, index), "archive-broken");
			break;
		}
		if (take_entry(unpack, archive, entry, content, index) !=
		    TC_OK) {
			mark_unscannable(
			    item_at(unpack, index), "archive-limit");
			return count + 1;
		}
	}
	return count;
}

static void
open_members(struct unpack *unpack, struct slice content, size_t index)
{
	struct archive *archive = open_archive(content, false);
	size_t count = 0;
	int end = ARCHIVE_FATAL;

	if (archive != NULL)
		count = take_members(unpack, archive, content, index, &end);
	/* A file that begins with NULs, squeezed, is an empty tar to
	 * libarchive. */
	if (archive != NULL && count == 0 && end == ARCHIVE_EOF &&
	    archive_filter_count(archive) > 1) {
		archive_read_free(archive);
		archive = open_archive(content, true);
		if (archive != NULL)
			count =
			    take_members(unpack, archive, content, index, &end);
	}
	if (archive == NULL) {
		mark_unscannable(item_at(unpack, index), "archive-broken");
		return;
	}
	if (count > 0)
		item_at(unpack, index)->flags |= SCANNER_ARCHIVE;
	if (end != ARCHIVE_EOF && end != ARCHIVE_OK && end != ARCHIVE_WARN)
		note_archive_error(unpack, archive, index);
	archive_read_free(archive);
	compare_zip_names(unpack, content, index);
}

/* Files that a page hands to the browser. Its pictures stay out: they would
 * only be more attachments to tell apart. */
static void
open_embedded(struct unpack *unpack, struct slice content, size_t index)
{
	struct embedded embedded = { .content = content };
	struct slice text;

	for (unsigned count = 0; embedded_next(&embedded, &text);) {
		unsigned char *file = malloc(text.length);
		size_t length = file == NULL ? 0 : embedded_decode(text, file);
		struct slice bytes = slice_make((char *)file, length);
		size_t member;

		if (embedded_is_picture(bytes) || length == 0) {
			free(file);
			continue;
		}
		if (length > unpack->budget.bytes_left ||
		    count++ == EMBEDDED_MAX ||
		    item_at(unpack, index)->depth >=
			unpack->settings->archive_depth ||
		    (member = add_member(unpack, index, slice_make(NULL, 0))) ==
			SIZE_MAX) {
			mark_unscannable(item_at(unpack, index), "embedded");
			free(file);
			return;
		}
		unpack->budget.bytes_left -= length;
		look_into(unpack, bytes, member);
		free(file);
	}
}

/* Recursion is bounded by archive_depth, a setting of a few levels. */
static enum tc_status
look_into(struct unpack *unpack, struct slice content, size_t index)
{
	struct scanner_item *item = item_at(unpack, index);

	item->size_bytes = content.length;
	detect_type(unpack, content, item);
	if (!is_part(unpack, item))
		digest_item(unpack, content, item);
	document_inspect(
	    content, unpack->want & SCANNER_WANT_URLS, unpack->arena, item);
	keep_content(unpack, content, item);
	if (item->urls.count > 0 && !is_part(unpack, item))
		for (size_t i = 0; i < item->urls.count; i++)
			item->urls.items[i] =
			    arena_copy(unpack->arena, item->urls.items[i]);
	if (unpack->rules != NULL && (unpack->want & SCANNER_WANT_YARA) &&
	    !rules_scan(unpack->rules, content,
		unpack->settings->scan_time_ms / 1000 + 1, unpack->arena, item))
		mark_unscannable(item, "yara");
	if (!(unpack->want & SCANNER_WANT_MEMBERS))
		return arena_exhausted(unpack->arena) ? TC_LIMIT : TC_OK;
	if (is_closed_form(content))
		mark_unscannable(item, "archive-form");
	if (guess_kind(content, item->name) == GUESS_HTML)
		open_embedded(unpack, content, index);
	else if (is_archive(content)) {
		if (item->depth >= unpack->settings->archive_depth)
			mark_unscannable(item, "archive-depth");
		else
			open_members(unpack, content, index);
	}
	return arena_exhausted(unpack->arena) ? TC_LIMIT : TC_OK;
}

enum tc_status
unpack_part(struct unpack *unpack, struct slice content, struct slice name)
{
	struct scanner_item *item =
	    list_append(unpack->arena, &unpack->result->items, SIZE_MAX);

	if (item == NULL)
		return TC_LIMIT;
	item->name = name;
	item->depth = unpack->depth;
	return look_into(unpack, content, 0);
}
