#include <config.h>

#include "base/scan_reason.h"
#include "evidence/inspect.h"
#include "message/charset.h"
#include "message/html.h"
#include "message/text.h"
#include "scanner/embedded.h"
#include "scanner/guess.h"
#include "scanner/unpack.h"
#include "scanner/xml.h"

/* The work on one message. */
struct inspector {
	struct arena *arena;
	struct scanner *scanner;
	const struct message_limits *limits; /* of mail in files too */
	struct scanner_budget budget;
	unsigned want;
	unsigned depth_max; /* of mail in archives in mail */
	unsigned mails_max;
	struct inspection *inspection;
};

/* Where a part stands: in the message, or in mail that was found in a file. */
struct place {
	size_t part;   /* index of the message's part */
	size_t parent; /* index of the file, INSPECT_NO_PARENT */
	unsigned depth;
};

static bool
is_html(const struct mime_part *part)
{
	return slice_equal_text(part->type, "text/html") ||
	       guess_kind(part->content,
		   part->names.count > 0 ? part->names.items[0].name
					 : slice_make(NULL, 0)) == GUESS_HTML;
}

/* True for a page that hands files to the browser. In a body that is shown as
 * text, where scripts do not run, only what says base64 is looked at. */
static bool
may_embed(const struct mime_part *part)
{
	return is_html(part) &&
	       (part->is_attachment ||
		   slice_find(part->content, SLICE_LITERAL("base64")) !=
		       SIZE_MAX) &&
	       embedded_any(part->content);
}

/* True for a file in which links may stand, in the clear or put together. */
static bool
may_link(const struct mime_part *part)
{
	struct slice name = part->names.count > 0 ? part->names.items[0].name
						  : slice_make(NULL, 0);

	return guess_has_url(part->content) || xml_is(part->content) ||
	       guess_is_shortcut(part->content) ||
	       guess_kind(part->content, name) != GUESS_OTHER;
}

/* True when a worker could say something about this part. */
static bool
is_worth_a_look(const struct mime_part *part, unsigned want)
{
	if (part->is_container || part->content.length == 0)
		return false;
	if (want & SCANNER_WANT_YARA)
		return true;
	if (part->is_attachment && (want & SCANNER_WANT_TYPE))
		return true;
	if ((want & SCANNER_WANT_URLS) && part->is_attachment && may_link(part))
		return true;
	if ((want & SCANNER_WANT_MEMBERS) && may_embed(part))
		return true;
	return (want & (SCANNER_WANT_MEMBERS | SCANNER_WANT_URLS)) != 0 &&
	       unpack_is_worth(part->content);
}

/* Pages and text may be in UTF-16; the rest of Tocsin reads UTF-8. */
static struct slice
as_utf8(const struct inspector *inspector, struct slice content)
{
	struct charset_result converted;
	const char *charset =
	    slice_starts_with(content, SLICE_LITERAL("\xff\xfe"))   ? "UTF-16LE"
	    : slice_starts_with(content, SLICE_LITERAL("\xfe\xff")) ? "UTF-16BE"
								    : NULL;

	if (charset == NULL || !charset_to_utf8(inspector->arena,
				   slice_text(charset), slice_skip(content, 2),
				   inspector->limits->html_bytes, &converted))
		return content;
	return converted.text;
}

static void
read_html(struct inspector *inspector, struct slice html, size_t part)
{
	struct url_list *urls = &inspector->inspection->urls;
	struct html_limits limits = text_html_limits(inspector->limits);
	struct html_result result = { 0 };

	html_read(inspector->arena, html, &limits, &result);
	for (size_t i = 0; i < result.links.count; i++)
		url_list_add_link(inspector->arena, urls,
		    &result.links.items[i], result.base, part);
	url_list_add_text(
	    inspector->arena, urls, result.text, URL_IN_HTML_TEXT, part);
}

/* What is asked of mail in files follows from what is wanted. */
static unsigned
message_needs(unsigned want)
{
	return MESSAGE_NEED_CONTENT | MESSAGE_NEED_TEXT |
	       (want & SCANNER_WANT_MD5 ? MESSAGE_NEED_MD5 : 0) |
	       (want & SCANNER_WANT_SHA1 ? MESSAGE_NEED_SHA1 : 0) |
	       (want & SCANNER_WANT_SHA256 ? MESSAGE_NEED_SHA256 : 0) |
	       (want & SCANNER_WANT_SHA512 ? MESSAGE_NEED_SHA512 : 0) |
	       (want & SCANNER_WANT_URLS ? MESSAGE_NEED_URLS : 0);
}

/* Says of a file that it was not looked into in full. */
static void
mark_file(struct inspector *inspector, size_t index, const char *reason)
{
	struct inspect_file *file = &inspector->inspection->files.items[index];
	struct scanner_item *item = arena_alloc(inspector->arena, sizeof *item);

	inspector->inspection->cut = true;
	if (item == NULL)
		return;
	*item = *file->item;
	item->flags |= SCANNER_UNSCANNABLE;
	if (item->reason.length == 0)
		item->reason = slice_text(reason);
	file->item = item;
}

/* Mail in a file is read like any other; inspect_run() takes its parts in
 * turn. */
static void
read_mail(
    struct inspector *inspector, struct slice content, size_t part, size_t file)
{
	struct message *message = message_new(inspector->arena,
	    inspector->limits, message_needs(inspector->want));
	struct inspect_mail *slot;

	if (inspector->inspection->mails.count >= inspector->mails_max)
		mark_file(inspector, file, "attached-mails");
	if (message == NULL || message_parse_raw(message, content) == TC_LIMIT)
		inspector->inspection->cut = true;
	if (message == NULL)
		return;
	slot = list_append(inspector->arena, &inspector->inspection->mails,
	    inspector->mails_max);
	if (slot == NULL)
		inspector->inspection->cut = true;
	else
		*slot = (struct inspect_mail){ message, part, file };
}

static void
read_content(struct inspector *inspector, const struct scanner_item *item,
    size_t part, size_t file)
{
	struct url_list *urls = &inspector->inspection->urls;
	struct slice content = item->content;

	for (size_t i = 0; i < item->urls.count; i++)
		url_list_add_text(inspector->arena, urls, item->urls.items[i],
		    URL_IN_CONTENT, part);
	if (content.length == 0)
		return;
	switch (guess_kind(content, item->name)) {
	case GUESS_OTHER:
		return;
	case GUESS_TEXT:
		url_list_add_text(inspector->arena, urls,
		    as_utf8(inspector, content), URL_IN_TEXT, part);
		return;
	case GUESS_HTML:
		read_html(inspector, as_utf8(inspector, content), part);
		return;
	case GUESS_MAIL:
		read_mail(inspector, content, part, file);
		return;
	}
}

/* What the mail did is a fact about it; what we could not do is a gap. */
static void
note_reason(struct inspection *inspection, struct slice reason)
{
	switch (scan_reason_cause(reason)) {
	case SCAN_REASON_OF_MAIL:
		return;
	case SCAN_REASON_OF_LIMIT:
		inspection->cut = true;
		return;
	case SCAN_REASON_OF_FAILURE:
		inspection->failed = true;
		return;
	}
}

/* Adds an entry for a file that stands at `place`. NULL when the arena is full;
 * how many there may be the scanner's budget and the parser's limits say. */
static struct inspect_file *
add_file(struct inspector *inspector, const struct place *place,
    const struct scanner_item *item)
{
	struct inspect_file *file = list_append(
	    inspector->arena, &inspector->inspection->files, SIZE_MAX);

	if (file == NULL)
		return NULL;
	*file = (struct inspect_file){ .part = place->part,
		.parent = place->parent,
		.in_mail = place->parent != INSPECT_NO_PARENT,
		.item = item };
	if (item->flags & SCANNER_UNSCANNABLE)
		note_reason(inspector->inspection, item->reason);
	return file;
}

static enum tc_status
take_result(struct inspector *inspector, const struct scanner_result *result,
    const struct place *place)
{
	size_t first = inspector->inspection->files.count;

	for (size_t i = 0; i < result->items.count; i++) {
		const struct scanner_item *item = &result->items.items[i];
		struct inspect_file *file = add_file(inspector, place, item);

		if (file == NULL)
			return TC_LIMIT;
		if (i > 0) {
			file->parent = first + item->parent;
			file->in_mail = false;
		}
		read_content(inspector, item, place->part, first + i);
	}
	return TC_OK;
}

static bool
copy_digest(struct slice hex, uint8_t *out, size_t size)
{
	if (hex.length != 2 * size)
		return false;
	for (size_t i = 0; i < size; i++)
		out[i] = (uint8_t)(ascii_hex_value(hex.data[2 * i]) << 4 |
				   ascii_hex_value(hex.data[2 * i + 1]));
	return true;
}

/* What the parser knows of a part, as a file: for parts of mail in files, and
 * for those over which a worker died. */
static struct scanner_item *
item_of_part(struct inspector *inspector, const struct mime_part *part,
    const struct place *place)
{
	struct scanner_item *item = arena_alloc(inspector->arena, sizeof *item);

	if (item == NULL)
		return NULL;
	item->depth = place->depth;
	item->size_bytes = part->size;
	item->type = part->type;
	if (part->names.count > 0)
		item->name = part->names.items[0].name;
	if (part->names.count > 1)
		item->other_name = part->names.items[1].name;
	if (copy_digest(part->digests.md5, item->md5, sizeof item->md5))
		item->flags |= SCANNER_HAS_MD5;
	if (copy_digest(part->digests.sha1, item->sha1, sizeof item->sha1))
		item->flags |= SCANNER_HAS_SHA1;
	if (copy_digest(
		part->digests.sha256, item->sha256, sizeof item->sha256))
		item->flags |= SCANNER_HAS_SHA256;
	if (copy_digest(
		part->digests.sha512, item->sha512, sizeof item->sha512))
		item->flags |= SCANNER_HAS_SHA512;
	if (part->opaque) {
		item->flags |= SCANNER_UNSCANNABLE;
		item->reason = SLICE_LITERAL("limit");
	}
	return item;
}

/* A part of mail in a file: what the worker said of it, beside its names and
 * digests, which the parser knows. */
static void
complete_item(struct inspector *inspector, const struct mime_part *part,
    const struct place *place, struct scanner_item *item)
{
	const struct scanner_item *known = item_of_part(inspector, part, place);

	if (known == NULL)
		return;
	item->other_name = known->other_name;
	item->flags |= known->flags;
	memcpy(item->md5, known->md5, sizeof item->md5);
	memcpy(item->sha1, known->sha1, sizeof item->sha1);
	memcpy(item->sha256, known->sha256, sizeof item->sha256);
	memcpy(item->sha512, known->sha512, sizeof item->sha512);
}

static enum tc_status
scan_part(struct inspector *inspector, const struct mime_part *part,
    const struct place *place)
{
	struct scanner_result result = { 0 };
	struct scanner_input input = {
		.content = part->content,
		.name = part->names.count > 0 ? part->names.items[0].name
					      : slice_make(NULL, 0),
		.want = inspector->want,
		.depth = place->depth,
	};
	enum tc_status status = scanner_scan(inspector->scanner,
	    inspector->arena, &inspector->budget, &input, &result);

	if (status != TC_OK)
		return status;
	if (result.unscannable_reason.length > 0)
		note_reason(inspector->inspection, result.unscannable_reason);
	if (result.items.count == 0) {
		struct scanner_item *item =
		    item_of_part(inspector, part, place);

		if (item == NULL)
			return TC_LIMIT;
		item->flags |= SCANNER_UNSCANNABLE;
		item->reason = result.unscannable_reason;
		return add_file(inspector, place, item) == NULL ? TC_LIMIT
								: TC_OK;
	}
	if (place->parent != INSPECT_NO_PARENT)
		complete_item(inspector, part, place, &result.items.items[0]);
	return take_result(inspector, &result, place);
}

/* Attached mail that is not declared as such; what is declared has been read
 * by the parser. */
static bool
is_mail_file(const struct mime_part *part)
{
	struct slice name = part->names.count > 0 ? part->names.items[0].name
						  : slice_make(NULL, 0);

	return part->is_attachment && !part->is_container &&
	       guess_kind(part->content, name) == GUESS_MAIL;
}

static enum tc_status
inspect_part_at(struct inspector *inspector, const struct mime_part *part,
    const struct place *place)
{
	size_t before = inspector->inspection->files.count;
	bool in_mail = place->parent != INSPECT_NO_PARENT;
	bool is_mail =
	    (inspector->want & SCANNER_WANT_MEMBERS) != 0 && is_mail_file(part);
	enum tc_status status = TC_OK;

	if (place->depth <= inspector->depth_max &&
	    is_worth_a_look(part, inspector->want)) {
		status = scan_part(inspector, part, place);
	} else if (is_mail || (in_mail && part->is_attachment)) {
		struct scanner_item *item =
		    item_of_part(inspector, part, place);

		if (item == NULL)
			return TC_LIMIT;
		if (place->depth > inspector->depth_max) {
			item->flags |= SCANNER_UNSCANNABLE;
			item->reason = SLICE_LITERAL("archive-depth");
		}
		if (add_file(inspector, place, item) == NULL)
			return TC_LIMIT;
	}
	if (status == TC_OK && is_mail && place->depth <= inspector->depth_max)
		read_mail(inspector, part->content, place->part, before);
	return status;
}

static enum tc_status
inspect_parts(struct inspector *inspector, const struct message *message,
    const struct place *place)
{
	const struct mime_parts *parts = message_parts(message);

	for (size_t i = 0; i < parts->count; i++) {
		struct place here = *place;
		enum tc_status status;

		if (place->parent == INSPECT_NO_PARENT)
			here.part = i;
		status = inspect_part_at(inspector, &parts->items[i], &here);
		if (status != TC_OK) {
			inspector->inspection->cut = true;
			return status;
		}
	}
	return TC_OK;
}

enum tc_status
inspect_run(struct arena *arena, const struct message *message,
    struct scanner *scanner, const struct message_limits *limits, unsigned want,
    struct inspection *inspection_out)
{
	struct inspector inspector = {
		.arena = arena,
		.scanner = scanner,
		.limits = limits,
		.budget = scanner_budget_start(scanner),
		.want =
		    want |
		    (want & SCANNER_WANT_MEMBERS ? SCANNER_WANT_CONTENT : 0),
		.depth_max = scanner_settings_of(scanner)->archive_depth,
		.mails_max = scanner_settings_of(scanner)->mails,
		.inspection = inspection_out,
	};
	struct place outside = { .parent = INSPECT_NO_PARENT };
	enum tc_status status;

	*inspection_out = (struct inspection){
		.urls = url_list_make(arena, limits->urls),
	};
	status = inspect_parts(&inspector, message, &outside);
	/* The list grows while it is worked through; its own limit and the
	 * depth end that. */
	for (size_t i = 0; status == TC_OK && i < inspection_out->mails.count;
	     i++) {
		struct inspect_mail mail = inspection_out->mails.items[i];
		struct place inside = { .part = mail.part,
			.parent = mail.file,
			.depth =
			    inspection_out->files.items[mail.file].item->depth +
			    1 };

		status = inspect_parts(&inspector, mail.message, &inside);
	}
	return status;
}

const struct inspect_file *
inspect_part(const struct inspection *inspection, size_t part)
{
	for (size_t i = 0; i < inspection->files.count; i++)
		if (inspection->files.items[i].part == part &&
		    inspection->files.items[i].parent == INSPECT_NO_PARENT)
			return &inspection->files.items[i];
	return NULL;
}
