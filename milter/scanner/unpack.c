#include <config.h>

#include <openssl/evp.h>
#include <stdint.h>

#include "scanner/document.h"
#include "scanner/embedded.h"
#include "scanner/entry_name.h"
#include "scanner/forms.h"
#include "scanner/guess.h"
#include "scanner/members.h"
#include "scanner/nested.h"
#include "scanner/unpack.h"
#include "scanner/wire.h"
#include "scanner/xml.h"

#define TYPE_BYTES (1u << 20) /* what libmagic gets to see */

bool
unpack_is_worth(struct slice content)
{
	struct forms_reading readings[FORMS_READINGS_MAX];

	return forms_is_closed(content) || document_is_known(content) ||
	       embedded_is_text(content) ||
	       forms_readings(content, 1, readings) > 0;
}

void
unpack_mark(struct scanner_item *item, const char *reason)
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

/* The digests of members; the part's own are known outside. A member of which
 * nothing could be read is not the empty file. */
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
	if (unpack->want & SCANNER_WANT_SHA512)
		digest(EVP_sha512(), content, item->sha512, SCANNER_HAS_SHA512,
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
	size_t room;

	if (!(unpack->want & SCANNER_WANT_CONTENT) ||
	    guess_kind(content, item->name) == GUESS_OTHER ||
	    is_part(unpack, item))
		return;
	room = unpack->settings->content_bytes - unpack->content_kept;
	/* Sheets are large, and the reader of XML here looks through all of
	 * them; outside only their beginning would be read, as a page. */
	if (content.length > room && xml_is(content) &&
	    (unpack->want & SCANNER_WANT_URLS) != 0 &&
	    slice_ends_with_fold(item->name, SLICE_LITERAL(".xml")))
		return;
	if (content.length > room) {
		unpack_mark(item, "content-bytes");
		return;
	}
	item->content = arena_copy(unpack->arena, content);
	unpack->content_kept += item->content.length;
}

struct scanner_item *
unpack_item(struct unpack *unpack, size_t index)
{
	return &unpack->result->items.items[index];
}

bool
unpack_is_late(struct unpack *unpack, size_t index)
{
	if (wire_clock_ms() < unpack->deadline_ms)
		return false;
	unpack_mark(unpack_item(unpack, index), "scan-time");
	return true;
}

size_t
unpack_add(struct unpack *unpack, size_t parent, struct slice name)
{
	struct scanner_item *item;

	if (unpack_is_late(unpack, parent))
		return SIZE_MAX;
	if (unpack->budget.entries_left == 0) {
		unpack_mark(unpack_item(unpack, parent), "archive-entries");
		return SIZE_MAX;
	}
	item = list_append(unpack->arena, &unpack->result->items, SIZE_MAX);
	if (item == NULL)
		return SIZE_MAX;
	unpack->budget.entries_left--;
	item->parent = (unsigned)parent;
	item->depth = unpack_item(unpack, parent)->depth + 1;
	item->name = entry_name_utf8(unpack->arena, name);
	return unpack->result->items.count - 1;
}

bool
unpack_file(struct unpack *unpack, size_t parent, struct slice name,
    struct slice content)
{
	size_t index;

	if (content.length > unpack->budget.bytes_left) {
		unpack_mark(unpack_item(unpack, parent), "archive-bytes");
		return false;
	}
	index = unpack_add(unpack, parent, name);
	if (index == SIZE_MAX)
		return false;
	unpack->budget.bytes_left -= content.length;
	return unpack_look(unpack, content, index) == TC_OK;
}

/* Opens the file as each archive that it may be. */
static void
open_archives(struct unpack *unpack, struct slice content, size_t index)
{
	struct forms_reading readings[FORMS_READINGS_MAX];
	size_t count = forms_readings(
	    content, unpack->settings->archive_entries, readings);
	size_t first = unpack->result->items.count;
	bool named = false;

	if (count == 0)
		return;
	if (unpack_item(unpack, index)->depth >=
	    unpack->settings->archive_depth) {
		unpack_mark(unpack_item(unpack, index), "archive-depth");
		return;
	}
	for (size_t i = 0; i < count; i++) {
		members_open(unpack, content, index, &readings[i]);
		named |= !readings[i].piece;
	}
	if (named)
		members_compare_names(unpack, content, index, first);
}

/* What decides on rules has been found; recursion is bounded by archive_depth,
 * a setting of a few levels. */
static void
open_inside(struct unpack *unpack, struct slice content, size_t index)
{
	if (unpack->want & (SCANNER_WANT_MEMBERS | SCANNER_WANT_URLS))
		nested_open(unpack, content, index);
	if ((unpack->want & SCANNER_WANT_MEMBERS) == 0)
		return;
	if (forms_is_closed(content))
		unpack_mark(unpack_item(unpack, index), "archive-form");
	open_archives(unpack, content, index);
}

enum tc_status
unpack_look(struct unpack *unpack, struct slice content, size_t index)
{
	struct scanner_item *item = unpack_item(unpack, index);

	item->size_bytes = content.length;
	detect_type(unpack, content, item);
	if (!is_part(unpack, item) &&
	    (content.length > 0 || !(item->flags & SCANNER_UNSCANNABLE)))
		digest_item(unpack, content, item);
	document_inspect(content, unpack->settings->document_objects, item);
	keep_content(unpack, content, item);
	if (unpack->rules != NULL && (unpack->want & SCANNER_WANT_YARA) &&
	    !unpack_is_late(unpack, index) &&
	    !rules_scan(unpack->rules, content,
		unpack->settings->scan_time_ms / 1000 + 1, unpack->arena, item))
		unpack_mark(item, "yara");
	open_inside(unpack, content, index);
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
	return unpack_look(unpack, content, 0);
}
