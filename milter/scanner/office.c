#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "scanner/office.h"
#include "scanner/ole.h"
#include "scanner/pdf_filter.h"
#include "scanner/picture.h"
#include "scanner/rtf.h"
#include "scanner/vba.h"

#define HEAD_BYTES 64
#define DEPTH_MAX  64 /* of the tree in which a storage's members are kept */

/* MS-XLS 2.4 */
#define BIFF_FILE_PASS   0x002f
#define BIFF_BOUND_SHEET 0x0085
#define SHEET_MACRO      1
/* MS-DOC 2.5.2, MS-PPT 2.3.2 */
#define DOC_FLAGS_AT  10
#define DOC_ENCRYPTED 0x0100
#define PPT_TOKEN_AT  12
#define PPT_ENCRYPTED 0xf3d1c4dfu

static unsigned
number_at(struct slice bytes, size_t at, unsigned count)
{
	unsigned number = 0;

	if (at > bytes.length || bytes.length - at < count)
		return 0;
	for (unsigned i = count; i > 0; i--)
		number = number << 8 | (unsigned char)bytes.data[at + i - 1];
	return number;
}

static bool
is_named(const struct ole_entry *entry, const char *name)
{
	return slice_equal_text_fold(ole_name(entry), name);
}

static bool
is_book(const struct ole_entry *entry)
{
	return is_named(entry, "Workbook") || is_named(entry, "Book");
}

/* ---- marks ---- */

/* The records of a workbook: a password, sheets of Excel 4.0 macros. */
static void
inspect_book(
    struct ole *ole, const struct ole_entry *entry, struct office_marks *marks)
{
	size_t size = entry->size_bytes < ole->file.length
			  ? (size_t)entry->size_bytes
			  : ole->file.length;
	char *bytes = malloc(size + 1);
	struct slice rest;

	if (bytes == NULL) {
		ole->exhausted = true;
		return;
	}
	rest = slice_make(bytes, ole_read(ole, entry, bytes, size));
	while (rest.length >= 4) {
		unsigned type = number_at(rest, 0, 2);

		if (type == BIFF_FILE_PASS)
			marks->encrypted = true;
		if (type == BIFF_BOUND_SHEET &&
		    number_at(rest, 4 + 5, 1) == SHEET_MACRO)
			marks->macros = true;
		rest = slice_skip(rest, 4 + (size_t)number_at(rest, 2, 2));
	}
	free(bytes);
}

static void
inspect_stream(
    struct ole *ole, const struct ole_entry *entry, struct office_marks *marks)
{
	char bytes[HEAD_BYTES];
	struct slice head =
	    slice_make(bytes, ole_read(ole, entry, bytes, sizeof bytes));

	if (is_named(entry, "WordDocument") &&
	    (number_at(head, DOC_FLAGS_AT, 2) & DOC_ENCRYPTED) != 0)
		marks->encrypted = true;
	if (is_named(entry, "Current User") &&
	    number_at(head, PPT_TOKEN_AT, 4) == PPT_ENCRYPTED)
		marks->encrypted = true;
	if (is_book(entry))
		inspect_book(ole, entry, marks);
}

static void
inspect_name(const struct ole_entry *entry, struct office_marks *marks)
{
	static const char *const macros[] = { "_VBA_PROJECT", "VBA", "Macros",
		"_VBA_PROJECT_CUR" };
	/* MS-OFFCRYPTO 1.3.1.2, 2.3; rights management keeps the rest. */
	static const char *const sealed[] = { "EncryptedPackage",
		"EncryptionInfo", "EncryptedSummary", "\tDRMContent",
		"DRMEncryptedDataSpace" };

	/* Publisher makes an empty storage for them in every file. */
	bool empty = entry->kind == OLE_STORAGE && entry->child == OLE_NONE;

	for (size_t i = 0; i < sizeof macros / sizeof macros[0]; i++)
		if (!empty && is_named(entry, macros[i]))
			marks->macros = true;
	for (size_t i = 0; i < sizeof sealed / sizeof sealed[0]; i++)
		if (is_named(entry, sealed[i]))
			marks->encrypted = true;
}

struct office_marks
office_inspect(struct slice file, unsigned objects)
{
	struct office_marks marks = { 0 };
	struct ole ole;

	if (!ole_open(file, objects, &ole))
		return marks;
	for (size_t i = 0; i < ole.count; i++) {
		inspect_name(&ole.entries[i], &marks);
		if (ole.entries[i].kind == OLE_STREAM)
			inspect_stream(&ole, &ole.entries[i], &marks);
	}
	marks.exhausted = ole.exhausted;
	ole_close(&ole);
	return marks;
}

/* ---- files ---- */

struct search {
	struct ole *ole;
	const struct found *found;
	size_t bytes_left;
	bool over;
};

static void
say_unread(struct search *search, const char *reason)
{
	search->found->unread(search->found->context, reason);
	search->over = true;
}

/* The stream's bytes in memory of its own; NULL when that cannot be. */
static char *
load(struct search *search, const struct ole_entry *entry, struct slice *out)
{
	size_t size = entry->size_bytes < search->ole->file.length
			  ? (size_t)entry->size_bytes
			  : search->ole->file.length;
	char *bytes;

	if (size == 0 || search->over)
		return NULL;
	if (size > search->bytes_left ||
	    size > search->found->limits->document_bytes) {
		say_unread(search, size > search->bytes_left
				       ? "archive-bytes"
				       : "document-bytes");
		return NULL;
	}
	bytes = malloc(size);
	if (bytes == NULL) {
		say_unread(search, "memory");
		return NULL;
	}
	search->bytes_left -= size;
	*out = slice_make(bytes, ole_read(search->ole, entry, bytes, size));
	return bytes;
}

static void
hand_out(
    struct search *search, const struct ole_entry *entry, struct slice name)
{
	struct slice content;
	char *bytes = load(search, entry, &content);

	if (bytes != NULL &&
	    !search->found->file(search->found->context, name, content))
		search->over = true;
	free(bytes);
}

/* ---- presentations ---- */

/* MS-PPT 2.3.1, 2.10.34 */
#define PPT_HEAD      8
#define PPT_CONTAINER 15
#define PPT_OBJECT    0x1011
#define PPT_SQUEEZED  1
#define PPT_SIZE      4 /* of the object, before what is squeezed */

static void
hand_out_squeezed(struct search *search, struct slice packed)
{
	const struct found_limits *limits = search->found->limits;
	struct pdf_budget budget = { .bytes_left = search->bytes_left,
		.bytes_max = limits->document_bytes,
		.ratio = limits->ratio };
	const struct pdf_parameters none = { .predictor = 1 };
	size_t used;
	struct bytes bytes =
	    pdf_filter_undo(PDF_FILTER_FLATE, packed, &none, &budget, &used);

	search->bytes_left = budget.bytes_left;
	if (budget.reached != NULL)
		say_unread(search, budget.reached);
	else if (bytes.length > 0 &&
		 !search->found->file(search->found->context,
		     slice_make(NULL, 0), bytes_slice(&bytes)))
		search->over = true;
	bytes_free(&bytes);
}

/* The objects of a presentation, macros among them, are squeezed into its
 * records. */
static void
read_slides(struct search *search, struct slice rest)
{
	while (rest.length >= PPT_HEAD && !search->over) {
		unsigned kind = number_at(rest, 0, 2);
		unsigned type = number_at(rest, 2, 2);
		size_t length = number_at(rest, 4, 4);

		rest = slice_skip(rest, PPT_HEAD);
		if ((kind & 15) == PPT_CONTAINER)
			continue;
		if (type == PPT_OBJECT && kind >> 4 == PPT_SQUEEZED)
			hand_out_squeezed(
			    search, slice_range(rest, PPT_SIZE, length));
		rest = slice_skip(rest, length);
	}
}

/* ---- text ---- */

#define SQUEEZED_BODY "__substg1.0_10090102"

/* Any other stream: links stand in it, and the source of macros. Its sectors
 * may lie anywhere, so that they are not to be found in the file itself. */
static void
hand_out_text(struct search *search, const struct ole_entry *entry)
{
	const struct found *found = search->found;
	struct slice content;
	char *bytes = load(search, entry, &content);

	if (bytes == NULL)
		return;
	if (!found->text(found->context, content) ||
	    !(is_book(entry) ? picture_book_files : picture_files)(
		content, found))
		search->over = true;
	else if (is_named(entry, SQUEEZED_BODY))
		rtf_squeezed(content, found);
	else if (is_named(entry, "PowerPoint Document"))
		read_slides(search, content);
	else
		vba_sources(content, found);
	free(bytes);
}

/* "LABEL\0PATH\0", then numbers, a path of counted length, and the bytes
 * (MS-OLEDS has only the frame; this is what Windows' packager writes). */
bool
office_package(
    struct slice object, struct slice *name_out, struct slice *content_out)
{
	struct slice rest = slice_skip(object, 2), label;
	size_t length;

	if (number_at(object, 0, 2) != 2)
		return false;
	rest = slice_split(rest, '\0', &label);
	rest = slice_split(rest, '\0', name_out);
	if (name_out->length == 0)
		*name_out = label;
	rest = slice_skip(rest, 4);
	length = number_at(rest, 0, 4);
	if (length > rest.length)
		return false;
	rest = slice_skip(rest, 4 + length);
	length = number_at(rest, 0, 4);
	*content_out = slice_range(rest, 4, 4 + length);
	return content_out->length > 0;
}

static void
hand_out_object(struct search *search, const struct ole_entry *entry)
{
	struct slice stream, name, content;
	char *bytes = load(search, entry, &stream);

	if (bytes == NULL)
		return;
	/* The stream begins with its size. */
	if (!office_package(slice_skip(stream, 4), &name, &content)) {
		name = ole_name(entry);
		content = slice_skip(stream, 4);
	}
	if (content.length > 0 &&
	    !search->found->file(search->found->context, name, content))
		search->over = true;
	free(bytes);
}

/* A stream that is a file of its own by its first octets. */
static bool
is_file(struct slice head)
{
	static const struct slice magics[] = { { "MZ", 2 }, { "PK\3\4", 4 },
		{ "%PDF-", 5 }, { "Rar!\x1a\x07", 6 },
		{ "7z\xbc\xaf\x27\x1c", 6 }, { "MSCF\0\0\0\0", 8 },
		{ "\x1f\x8b\x08", 3 },
		{ "\x7f"
		  "ELF",
		    4 },
		{ "{\\rtf", 5 }, { "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8 } };

	for (size_t i = 0; i < sizeof magics / sizeof magics[0]; i++)
		if (slice_starts_with(head, magics[i]))
			return true;
	return false;
}

/* ---- Outlook's messages (MS-OXMSG 2) ---- */

#define ATTACHMENT  "__attach_version1.0_#"
#define DATA        "__substg1.0_37010102"
#define NAME_WIDE   "__substg1.0_3707001F"
#define NAME_OCTETS "__substg1.0_3707001E"
#define NAME_SHORT  "__substg1.0_3704001F"

struct attachment {
	const struct ole_entry *data, *name;
};

static void
take_property(const struct ole_entry *entry, struct attachment *attachment)
{
	if (entry->kind != OLE_STREAM)
		return;
	if (is_named(entry, DATA))
		attachment->data = entry;
	if (is_named(entry, NAME_WIDE) || is_named(entry, NAME_OCTETS) ||
	    (attachment->name == NULL && is_named(entry, NAME_SHORT)))
		attachment->name = entry;
}

/* Walks the tree of a storage's members, which may run in circles. */
static struct attachment
find_attachment(struct ole *ole, const struct ole_entry *storage)
{
	struct attachment attachment = { 0 };
	uint32_t waiting[DEPTH_MAX];
	unsigned count = 1;
	size_t visits = 0;

	waiting[0] = storage->child;
	while (count > 0 && visits++ < ole->count && ole->steps_left > 0) {
		uint32_t index = waiting[--count];

		ole->steps_left--;
		if (index >= ole->count)
			continue;
		take_property(&ole->entries[index], &attachment);
		if (count + 2 > DEPTH_MAX) {
			ole->exhausted = true;
			continue;
		}
		waiting[count++] = ole->entries[index].left;
		waiting[count++] = ole->entries[index].right;
	}
	return attachment;
}

/* Every second octet of a wide name; other alphabets than Latin lose. */
static size_t
narrow(char *name, size_t length)
{
	size_t kept = 0;

	for (size_t i = 0; i < length; i += 2)
		name[kept++] =
		    i + 1 < length && name[i + 1] != 0 ? '_' : name[i];
	return kept;
}

static void
hand_out_attachment(struct search *search, const struct ole_entry *storage)
{
	struct attachment attachment = find_attachment(search->ole, storage);
	char name[512];
	size_t length = 0;

	if (attachment.data == NULL)
		return;
	if (attachment.name != NULL) {
		length =
		    ole_read(search->ole, attachment.name, name, sizeof name);
		if (!is_named(attachment.name, NAME_OCTETS))
			length = narrow(name, length);
	}
	hand_out(search, attachment.data, slice_make(name, length));
}

static void
look_at(struct search *search, const struct ole_entry *entry)
{
	char bytes[HEAD_BYTES];

	if (entry->kind == OLE_STORAGE &&
	    slice_starts_with(ole_name(entry), SLICE_LITERAL(ATTACHMENT)))
		hand_out_attachment(search, entry);
	if (entry->kind != OLE_STREAM || is_named(entry, DATA))
		return;
	if (is_named(entry, "\001Ole10Native"))
		hand_out_object(search, entry);
	else if (is_file(slice_make(
		     bytes, ole_read(search->ole, entry, bytes, sizeof bytes))))
		hand_out(search, entry, ole_name(entry));
	else
		hand_out_text(search, entry);
}

void
office_files(struct slice file, const struct found *found)
{
	struct ole ole;
	struct search search = { .ole = &ole,
		.found = found,
		.bytes_left = found->limits->all_bytes };

	if (!ole_open(file, found->limits->objects, &ole))
		return;
	for (size_t i = 0; i < ole.count && !search.over; i++)
		look_at(&search, &ole.entries[i]);
	if (ole.exhausted)
		found->unread(found->context, "document-objects");
	ole_close(&ole);
}
