#include <config.h>

#include <archive.h>
#include <archive_entry.h>
#include <stdlib.h>

#include "scanner/document.h"
#include "scanner/entry_name.h"
#include "scanner/members.h"
#include "scanner/rar_files.h"
#include "scanner/zip_names.h"

#define READ_BYTES       65536
#define RATIO_FREE_BYTES (1u << 20) /* below this no ratio is an attack */
#define NAMES_AHEAD      64 /* members among which a name is looked for */

/* One archive while it is read. */
struct reader {
	struct unpack *unpack;
	struct archive *archive;
	struct slice content;
	size_t index;          /* of its item */
	struct rar_files rar5; /* walks beside libarchive */
	bool is_rar5;
	bool is_office; /* it has a list of content types */
	bool piece;     /* of a document: what is broken says nothing */
};

struct growing {
	char *data;
	size_t length, capacity;
};

static bool
make_room(struct growing *data)
{
	size_t wanted =
	    data->capacity + data->capacity / 2 + 2 * (size_t)READ_BYTES;
	char *grown;

	if (data->capacity - data->length >= READ_BYTES)
		return true;
	grown = realloc(data->data, wanted);
	if (grown == NULL)
		return false;
	data->data = grown;
	data->capacity = wanted;
	return true;
}

/* Reads the entry's data as far as limits allow. Sets *reason when not to its
 * end. False when there is no memory. */
static bool
read_entry(struct reader *reader, struct growing *data, const char **reason)
{
	struct scanner_budget *budget = &reader->unpack->budget;

	for (;;) {
		ssize_t got;

		if (!make_room(data))
			return false;
		if (unpack_is_late(reader->unpack, reader->index)) {
			*reason = "scan-time";
			return true;
		}
		got = archive_read_data(
		    reader->archive, data->data + data->length, READ_BYTES);
		if (got == 0)
			return true;
		if (got < 0) {
			*reason = reader->piece ? NULL : "archive-broken";
			return true;
		}
		if ((uint64_t)got > budget->bytes_left) {
			budget->bytes_left = 0;
			*reason = "archive-bytes";
			return true;
		}
		budget->bytes_left -= (uint64_t)got;
		data->length += (size_t)got;
		if (data->length > RATIO_FREE_BYTES &&
		    data->length / reader->unpack->settings->archive_ratio >
			reader->content.length) {
			*reason = "archive-ratio";
			return true;
		}
	}
}

static void
support(struct archive *archive, unsigned forms)
{
	if (forms & FORMS_ZIP)
		archive_read_support_format_zip(archive);
	if (forms & FORMS_ZIP_STREAM)
		archive_read_support_format_zip_streamable(archive);
	if (forms & FORMS_7ZIP)
		archive_read_support_format_7zip(archive);
	if (forms & FORMS_RAR) {
		archive_read_support_format_rar(archive);
		archive_read_support_format_rar5(archive);
	}
	if (forms & FORMS_CAB)
		archive_read_support_format_cab(archive);
	if (forms & FORMS_UUENCODE)
		archive_read_support_filter_uu(archive);
	if (forms & (FORMS_ZIP | FORMS_ZIP_STREAM))
		/* What others write out with a warning is looked into. */
		archive_read_set_format_option(
		    archive, "zip", "ignorecrc32", "1");
	if (forms & FORMS_OTHER) {
		archive_read_support_format_tar(archive);
		archive_read_set_format_option(
		    archive, "tar", "read_concatenated_archives", "1");
		archive_read_support_format_iso9660(archive);
		archive_read_support_format_cpio(archive);
		archive_read_support_format_ar(archive);
		archive_read_support_format_lha(archive);
	}
}

/* `forms` 0: only what is squeezed as one file, whatever it holds. Formats one
 * by one: `all` would bring some that nobody mails, and run programs. */
static struct archive *
open_archive(struct slice content, unsigned forms)
{
	struct archive *archive = archive_read_new();

	if (archive == NULL)
		return NULL;
	support(archive, forms);
	if (forms == 0 || (forms & (FORMS_OTHER | FORMS_UUENCODE)) != 0) {
		archive_read_support_format_raw(archive);
		archive_read_support_filter_gzip(archive);
		archive_read_support_filter_bzip2(archive);
		archive_read_support_filter_xz(archive);
		archive_read_support_filter_lzma(archive);
		archive_read_support_filter_zstd(archive);
		archive_read_support_filter_lzip(archive);
		archive_read_support_filter_lz4(archive);
		archive_read_support_filter_compress(archive);
		archive_read_support_filter_rpm(archive);
	}
	if (archive_read_open_memory(archive, content.data, content.length) !=
	    ARCHIVE_OK) {
		archive_read_free(archive);
		return NULL;
	}
	return archive;
}

/* A member's name as UTF-8 where libarchive can say it, else as it stands. A
 * compressed single file gets the archive's name without its last
 * extension. */
static struct slice
name_of(struct reader *reader, struct archive_entry *entry)
{
	const char *name = archive_entry_pathname_utf8(entry);
	struct slice outer = unpack_item(reader->unpack, reader->index)->name;
	size_t dot;

	if (archive_format(reader->archive) == ARCHIVE_FORMAT_RAW) {
		dot = slice_find_last_byte(outer, '.');
		return slice_range(outer, 0, dot == SIZE_MAX ? 0 : dot);
	}
	if (name == NULL)
		name = archive_entry_pathname(entry);
	return slice_text(name);
}

static bool
is_encrypted(struct reader *reader, struct archive_entry *entry)
{
	struct rar_file file = { 0 };

	if (reader->is_rar5 && rar_files_next(&reader->rar5, &file) &&
	    file.encrypted)
		return true;
	return archive_entry_is_data_encrypted(entry) == 1 ||
	       archive_entry_is_metadata_encrypted(entry) == 1;
}

static void
mark_encrypted(struct reader *reader, size_t index)
{
	struct unpack *unpack = reader->unpack;

	unpack_item(unpack, index)->flags |= SCANNER_ENCRYPTED;
	unpack_item(unpack, reader->index)->flags |= SCANNER_ENCRYPTED;
	unpack_mark(unpack_item(unpack, index), "encrypted");
}

/* gzip knows a second name. */
static void
add_gzip_name(struct reader *reader, size_t index)
{
	struct scanner_item *item = unpack_item(reader->unpack, index);
	struct slice name;

	if (archive_format(reader->archive) != ARCHIVE_FORMAT_RAW)
		return;
	name = entry_name_gzip(reader->content);
	if (name.length > 0 && !slice_equal(name, item->name))
		item->other_name = entry_name_utf8(reader->unpack->arena, name);
}

static enum tc_status
take_entry(struct reader *reader, struct archive_entry *entry)
{
	struct unpack *unpack = reader->unpack;
	struct slice name = name_of(reader, entry);
	bool encrypted = is_encrypted(reader, entry);
	struct growing data = { 0 };
	const char *reason = NULL;
	enum tc_status status;
	size_t index;

	/* A folder with data is a file to some unpackers. */
	if (archive_entry_filetype(entry) == AE_IFDIR &&
	    archive_entry_size(entry) <= 0)
		return TC_OK;
	while (slice_ends_with(name, SLICE_LITERAL("/")))
		name.length--;
	index = unpack_add(unpack, reader->index, name);
	if (index == SIZE_MAX)
		return TC_LIMIT;
	add_gzip_name(reader, index);
	if (slice_equal_text_fold(name, "[Content_Types].xml"))
		reader->is_office = true;
	if (document_is_macro_name(name))
		unpack_item(unpack, reader->index)->flags |= SCANNER_MACROS;
	if (encrypted) {
		mark_encrypted(reader, index);
		return TC_OK;
	}
	if (!read_entry(reader, &data, &reason)) {
		free(data.data);
		unpack_mark(unpack_item(unpack, index), "memory");
		return TC_LIMIT;
	}
	if (data.length == 0 && archive_entry_size(entry) > 0 &&
	    reason == NULL && !reader->piece)
		reason = "archive-broken";
	if (reason != NULL)
		unpack_mark(unpack_item(unpack, index), reason);
	if (document_says_sealed(name, slice_make(data.data, data.length)))
		mark_encrypted(reader, reader->index);
	status = unpack_look(unpack, slice_make(data.data, data.length), index);
	free(data.data);
	/* A VBA project counts under any name. */
	if (reader->is_office &&
	    (unpack_item(unpack, index)->flags & SCANNER_MACROS) != 0)
		unpack_item(unpack, reader->index)->flags |= SCANNER_MACROS;
	if (status == TC_OK && reason != NULL && unpack->budget.bytes_left == 0)
		return TC_LIMIT;
	return status;
}

/* What libarchive says when it gives up on the next header. */
static void
note_error(struct reader *reader, bool sure)
{
	const char *message = archive_error_string(reader->archive);
	struct scanner_item *item = unpack_item(reader->unpack, reader->index);

	if (message != NULL && slice_find_fold(slice_text(message),
				   SLICE_LITERAL("encrypt")) != SIZE_MAX) {
		item->flags |= SCANNER_ENCRYPTED;
		unpack_mark(item, "encrypted");
	} else if (sure && !reader->piece) {
		unpack_mark(item, "archive-broken");
	}
}

/* Takes the members one by one; returns how many, and in *end_out how
 * libarchive ended. */
static size_t
take_members(struct reader *reader, bool sure, int *end_out)
{
	struct scanner_item *item;
	struct archive_entry *entry;
	size_t count = 0;

	for (;; count++) {
		*end_out = archive_read_next_header(reader->archive, &entry);
		if (*end_out != ARCHIVE_OK && *end_out != ARCHIVE_WARN)
			break;
		item = unpack_item(reader->unpack, reader->index);
		/* Raw without a filter is the bytes themselves. */
		if (archive_format(reader->archive) == ARCHIVE_FORMAT_RAW &&
		    archive_filter_count(reader->archive) <= 1) {
			if (sure)
				unpack_mark(item, "archive-broken");
			break;
		}
		if (take_entry(reader, entry) != TC_OK) {
			item = unpack_item(reader->unpack, reader->index);
			unpack_mark(item, "archive-limit");
			return count + 1;
		}
	}
	return count;
}

void
members_open(struct unpack *unpack, struct slice content, size_t index,
    const struct forms_reading *reading)
{
	struct reader reader = { .unpack = unpack,
		.content = slice_skip(content, reading->at),
		.index = index,
		.piece = reading->piece };
	size_t count = 0;
	int end = ARCHIVE_FATAL;

	reader.is_rar5 = rar_files_begin(reader.content, &reader.rar5);
	reader.archive = open_archive(reader.content, reading->forms);
	if (reader.archive != NULL)
		count = take_members(&reader, reading->sure, &end);
	/* A file that begins with NULs, squeezed, is an empty tar to
	 * libarchive. */
	if (reader.archive != NULL && count == 0 && end == ARCHIVE_EOF &&
	    archive_filter_count(reader.archive) > 1) {
		archive_read_free(reader.archive);
		reader.archive = open_archive(reader.content, 0);
		if (reader.archive != NULL)
			count = take_members(&reader, reading->sure, &end);
	}
	if (reader.archive == NULL) {
		if (reading->sure)
			unpack_mark(
			    unpack_item(unpack, index), "archive-broken");
		return;
	}
	if (count > 0)
		unpack_item(unpack, index)->flags |= SCANNER_ARCHIVE;
	if (end != ARCHIVE_EOF && end != ARCHIVE_OK && end != ARCHIVE_WARN)
		note_error(&reader, reading->sure || count > 0);
	archive_read_free(reader.archive);
	/* A zip whose directory leads nowhere: by its local headers. */
	if (count == 0 && (reading->forms & FORMS_ZIP) != 0 &&
	    slice_starts_with(reader.content, SLICE_LITERAL("PK\x03\x04")))
		members_open(unpack, content, index,
		    &(struct forms_reading){ .at = reading->at,
			.forms = FORMS_ZIP_STREAM,
			.piece = reading->piece });
}

/* ---- the names in a zip ---- */

/* True for a name that needs no second one in UTF-8. */
static bool
is_plain(struct slice name)
{
	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.data[i] >= 0x80 ||
		    name.data[i] == '?' || name.data[i] == '_')
			return false;
	return true;
}

/* The member called `name` at *cursor or soon after it. */
static size_t
find_member(
    struct unpack *unpack, size_t parent, struct slice name, size_t *cursor)
{
	size_t seen = 0;

	for (size_t i = *cursor;
	     i < unpack->result->items.count && seen < NAMES_AHEAD; i++) {
		const struct scanner_item *item = unpack_item(unpack, i);

		if (item->parent != parent)
			continue;
		seen++;
		if (item->other_name.length == 0 &&
		    slice_equal(item->name, name)) {
			*cursor = i + 1;
			return i;
		}
	}
	return SIZE_MAX;
}

/* Gives the member that libarchive called by its local name the other one as
 * well. NULL when there is no room. */
static struct scanner_item *
add_other_name(struct unpack *unpack, size_t parent, struct slice local,
    struct slice other, size_t *cursor)
{
	struct slice known = entry_name_utf8(unpack->arena, local);
	size_t index;

	/* libarchive's names end at a NUL; it prefers the Unicode path. */
	slice_split(known, '\0', &known);
	index = find_member(unpack, parent, known, cursor);
	if (index == SIZE_MAX) {
		index = find_member(unpack, parent, other, cursor);
		other = index == SIZE_MAX ? other : local;
	}
	if (index == SIZE_MAX)
		index = unpack_add(unpack, parent, known);
	if (index == SIZE_MAX)
		return NULL;
	unpack_item(unpack, index)->other_name =
	    entry_name_utf8(unpack->arena, other);
	return unpack_item(unpack, index);
}

void
members_compare_names(
    struct unpack *unpack, struct slice content, size_t parent, size_t first)
{
	struct zip_names names;
	struct zip_name name;
	size_t cursor = first;

	if (!zip_names_begin(
		content, unpack->settings->archive_entries, &names))
		return;
	while (zip_names_next(&names, &name)) {
		struct slice other = slice_make(NULL, 0);
		struct scanner_item *item;
		bool differ = !slice_equal(name.local, name.central) ||
			      slice_find_byte(name.central, '\0') != SIZE_MAX;

		if (name.encrypted)
			unpack_item(unpack, parent)->flags |= SCANNER_ENCRYPTED;
		if (name.local_at == SIZE_MAX)
			continue;
		if (differ)
			other = name.central;
		else if (!slice_equal(name.unicode, name.local))
			other = name.unicode;
		if (other.length == 0)
			continue;
		item =
		    add_other_name(unpack, parent, name.local, other, &cursor);
		if (item == NULL)
			return;
		if (!differ && !is_plain(name.local))
			continue;
		unpack_mark(item, "zip-names-differ");
		unpack_item(unpack, parent)->flags |= SCANNER_NAMES_DIFFER;
	}
	if (names.cut)
		unpack_mark(unpack_item(unpack, parent), "archive-entries");
}
