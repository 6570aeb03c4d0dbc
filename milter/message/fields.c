#include <config.h>

#include <stdint.h>

#include "message/encoded_word.h"
#include "message/fields.h"

/* Sorted by what is done with them. */
static const char *const of_addresses[] = { "return-path",
	"disposition-notification-to", "return-receipt-to",
	"x-confirm-reading-to", "errors-to", "mail-followup-to",
	"mail-reply-to", "resent-from", "resent-sender", "resent-to",
	"resent-cc", "resent-reply-to", "bcc", "apparently-to", "author",
	"original-from", "x-original-from", "x-google-original-from",
	"x-original-sender", "x-sender", "x-reply-to" };

static const char *const of_urls[] = { "list-unsubscribe", "list-subscribe",
	"list-help", "list-post", "list-archive", "list-owner", "archived-at",
	"content-location", "content-base", "link", "unsubscribe",
	"x-unsubscribe", "x-list-unsubscribe", "x-unsubscribe-web",
	"x-mozilla-external-attachment-url", "x-mozilla-cloud-part", "x-url",
	"x-image-url", "x-face-url", "feedback-url", "x-report-abuse",
	"x-report-abuse-to", "organization", "comments", "keywords",
	"content-description" };

static const char *
find(struct slice name, const char *const *names, size_t count)
{
	if (name.length == 0)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (names[i][0] == ascii_lower(name.data[0]) &&
		    slice_equal_text_fold(name, names[i]))
			return names[i];
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
