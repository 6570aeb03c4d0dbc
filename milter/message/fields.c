#include <config.h>

#include <stdint.h>

#include "message/encoded_word.h"
#include "message/fields.h"

static const struct slice of_addresses[] = {
	SLICE_LITERAL("return-path"),
	SLICE_LITERAL("disposition-notification-to"),
	SLICE_LITERAL("return-receipt-to"),
	SLICE_LITERAL("x-confirm-reading-to"),
	SLICE_LITERAL("errors-to"),
	SLICE_LITERAL("mail-followup-to"),
	SLICE_LITERAL("mail-reply-to"),
	SLICE_LITERAL("resent-from"),
	SLICE_LITERAL("resent-sender"),
	SLICE_LITERAL("resent-to"),
	SLICE_LITERAL("resent-cc"),
	SLICE_LITERAL("resent-reply-to"),
	SLICE_LITERAL("bcc"),
	SLICE_LITERAL("apparently-to"),
	SLICE_LITERAL("author"),
	SLICE_LITERAL("original-from"),
	SLICE_LITERAL("x-original-from"),
	SLICE_LITERAL("x-google-original-from"),
	SLICE_LITERAL("x-original-sender"),
	SLICE_LITERAL("x-sender"),
	SLICE_LITERAL("x-reply-to"),
};

static const struct slice of_urls[] = {
	SLICE_LITERAL("list-unsubscribe"),
	SLICE_LITERAL("list-subscribe"),
	SLICE_LITERAL("list-help"),
	SLICE_LITERAL("list-post"),
	SLICE_LITERAL("list-archive"),
	SLICE_LITERAL("list-owner"),
	SLICE_LITERAL("archived-at"),
	SLICE_LITERAL("content-location"),
	SLICE_LITERAL("content-base"),
	SLICE_LITERAL("link"),
	SLICE_LITERAL("unsubscribe"),
	SLICE_LITERAL("x-unsubscribe"),
	SLICE_LITERAL("x-list-unsubscribe"),
	SLICE_LITERAL("x-unsubscribe-web"),
	SLICE_LITERAL("x-mozilla-external-attachment-url"),
	SLICE_LITERAL("x-mozilla-cloud-part"),
	SLICE_LITERAL("x-url"),
	SLICE_LITERAL("x-image-url"),
	SLICE_LITERAL("x-face-url"),
	SLICE_LITERAL("feedback-url"),
	SLICE_LITERAL("x-report-abuse"),
	SLICE_LITERAL("x-report-abuse-to"),
	SLICE_LITERAL("organization"),
	SLICE_LITERAL("comments"),
	SLICE_LITERAL("keywords"),
	SLICE_LITERAL("content-description"),
};

/* Most names differ in their length. */
static const char *
find(struct slice name, const struct slice *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (names[i].length == name.length &&
		    slice_equal_fold(name, names[i]))
			return names[i].data;
	return NULL;
}

const char *
fields_of_addresses(struct slice name)
{
	return find(
	    name, of_addresses, sizeof of_addresses / sizeof of_addresses[0]);
}

/* Without the blanks that folding left in <URL>s (RFC 2369, 2), or in all of a
 * value that is one (RFC 2557, 4.4.2). */
static struct slice
without_folds(struct arena *arena, struct slice value, bool all)
{
	char *out = arena_alloc(arena, value.length + 1);
	size_t length = 0;
	bool inside = all;

	if (out == NULL)
		return value;
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] == '<')
			inside = true;
		else if (value.data[i] == '>')
			inside = all;
		if (!inside || !ascii_is_space(value.data[i]))
			out[length++] = value.data[i];
	}
	return slice_make(out, length);
}

void
fields_add_urls(struct arena *arena, struct url_list *list,
    const struct header_list *headers, size_t part)
{
	for (size_t i = 0; i < headers->count; i++) {
		const struct header_field *field = &headers->items[i];
		const char *name = find(
		    field->name, of_urls, sizeof of_urls / sizeof of_urls[0]);
		struct encoded_word_result decoded;
		bool all;

		if (name == NULL || !encoded_word_decode(arena,
					slice_trim(field->value), &decoded))
			continue;
		all = strcmp(name, "content-location") == 0 ||
		      strcmp(name, "content-base") == 0;
		url_list_add_field(arena, list,
		    without_folds(arena, decoded.text, all), name, part);
	}
}

void
fields_add_display_urls(struct arena *arena, struct url_list *list,
    const struct address_list *addresses)
{
	for (size_t i = 0; i < addresses->count; i++) {
		struct slice display = addresses->items[i].display;

		if (slice_find_byte(display, '.') != SIZE_MAX)
			url_list_add_text(arena, list, display,
			    URL_IN_DISPLAY_NAME, SIZE_MAX);
	}
}
