#include <config.h>

#include "evidence/inspect.h"
#include "message/html.h"
#include "scanner/unpack.h"

#define FILES_MAX    20000
#define MESSAGES_MAX 100

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
	return (want & (SCANNER_WANT_MEMBERS | SCANNER_WANT_URLS)) != 0 &&
	       unpack_is_worth(part->content);
}

static void
read_html(struct arena *arena, struct slice html, size_t part,
    struct inspection *inspection)
{
	struct html_result result = { 0 };

	html_read(arena, html, &html_limits_default, &result);
	for (size_t i = 0; i < result.links.count; i++)
		url_list_add_link(arena, &inspection->urls,
		    &result.links.items[i], result.base, part);
	url_list_add_text(
	    arena, &inspection->urls, result.text, URL_IN_HTML_TEXT, part);
}

/* Mail inside an archive is read like any other; its own attachments are not
 * sent to a worker again, since that has looked into their archive already. */
static void
read_mail(struct arena *arena, struct slice content, unsigned needs,
    struct inspection *inspection)
{
	struct message *message =
	    message_new(arena, &message_limits_default, needs);
	struct message **slot;

	if (message == NULL || message_parse_raw(message, content) == TC_LIMIT)
		inspection->incomplete = true;
	if (message == NULL)
		return;
	slot = list_append(arena, &inspection->messages, MESSAGES_MAX);
	if (slot != NULL)
		*slot = message;
}

static void
read_content(struct arena *arena, const struct scanner_item *item, size_t part,
    unsigned needs, struct inspection *inspection)
{
	bool mail = slice_starts_with(item->type, SLICE_LITERAL("message/")) ||
		    slice_ends_with_fold(item->name, SLICE_LITERAL(".eml"));
	bool html = slice_equal_text(item->type, "text/html") ||
		    slice_ends_with_fold(item->name, SLICE_LITERAL(".html")) ||
		    slice_ends_with_fold(item->name, SLICE_LITERAL(".htm")) ||
		    slice_ends_with_fold(item->name, SLICE_LITERAL(".svg"));

	for (size_t i = 0; i < item->urls.count; i++)
		url_list_add_text(arena, &inspection->urls, item->urls.items[i],
		    URL_IN_CONTENT, part);
	if (item->content.length == 0)
		return;
	if (mail)
		read_mail(arena, item->content, needs, inspection);
	else if (html)
		read_html(arena, item->content, part, inspection);
	else
		url_list_add_text(
		    arena, &inspection->urls, item->content, URL_IN_TEXT, part);
}

static enum tc_status
take_result(struct arena *arena, const struct scanner_result *result,
    size_t part, unsigned needs, struct inspection *inspection)
{
	size_t first = inspection->files.count;

	for (size_t i = 0; i < result->items.count; i++) {
		const struct scanner_item *item = &result->items.items[i];
		struct inspect_file *file =
		    list_append(arena, &inspection->files, FILES_MAX);

		if (file == NULL)
			return TC_LIMIT;
		file->part = part;
		file->parent =
		    i == 0 ? INSPECT_NO_PARENT : first + item->parent;
		file->item = item;
		if (item->flags & SCANNER_UNSCANNABLE)
			inspection->incomplete = true;
		read_content(arena, item, part, needs, inspection);
	}
	return TC_OK;
}

/* A part over which the worker died or overran: an entry that says so. */
static enum tc_status
take_unscannable(struct arena *arena, const struct scanner_result *result,
    size_t part, struct inspection *inspection)
{
	struct scanner_item *item = arena_alloc(arena, sizeof *item);
	struct inspect_file *file =
	    list_append(arena, &inspection->files, FILES_MAX);

	if (item == NULL || file == NULL)
		return TC_LIMIT;
	item->flags = SCANNER_UNSCANNABLE;
	item->reason = result->unscannable_reason;
	*file = (struct inspect_file){
		.part = part, .parent = INSPECT_NO_PARENT, .item = item
	};
	inspection->incomplete = true;
	return TC_OK;
}

/* What is asked of mail inside archives follows from what is wanted. */
static unsigned
message_needs(unsigned want)
{
	return (want & SCANNER_WANT_MD5 ? MESSAGE_NEED_MD5 : 0) |
	       (want & SCANNER_WANT_SHA1 ? MESSAGE_NEED_SHA1 : 0) |
	       (want & SCANNER_WANT_SHA256 ? MESSAGE_NEED_SHA256 : 0) |
	       (want & SCANNER_WANT_URLS ? MESSAGE_NEED_URLS : 0);
}

static enum tc_status
inspect_one(struct arena *arena, const struct mime_part *part,
    struct scanner *scanner, struct scanner_budget *budget, unsigned want,
    struct inspection *inspection)
{
	struct scanner_result result = { 0 };
	struct scanner_input input = {
		.content = part->content,
		.name = part->names.count > 0 ? part->names.items[0].name
					      : slice_make(NULL, 0),
		.want = want,
	};
	enum tc_status status =
	    scanner_scan(scanner, arena, budget, &input, &result);

	if (status != TC_OK)
		return status;
	if (result.items.count == 0)
		return take_unscannable(
		    arena, &result, part->index, inspection);
	status = take_result(
	    arena, &result, part->index, message_needs(want), inspection);
	if (status == TC_OK && result.unscannable_reason.length > 0)
		inspection->incomplete = true;
	return status;
}

enum tc_status
inspect_run(struct arena *arena, const struct message *message,
    struct scanner *scanner, unsigned want, struct inspection *inspection_out)
{
	const struct mime_parts *parts = message_parts(message);
	struct scanner_budget budget = scanner_budget_start(scanner);

	*inspection_out = (struct inspection){
		.urls = url_list_make(arena, message_limits_default.urls),
	};
	for (size_t i = 0; i < parts->count; i++) {
		enum tc_status status;

		if (!is_worth_a_look(&parts->items[i], want))
			continue;
		status = inspect_one(arena, &parts->items[i], scanner, &budget,
		    want, inspection_out);
		if (status != TC_OK) {
			inspection_out->incomplete = true;
			return status;
		}
	}
	return TC_OK;
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
