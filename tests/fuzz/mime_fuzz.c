/*
 * mime_fuzz - whole messages: as one piece, and as an MTA hands them over
 *
 * Both ways must read the same parts; every slice of every part is touched, so
 * that sanitizers see one that points astray.
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "message/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
touch(struct slice slice)
{
	unsigned sum = 0;

	for (size_t i = 0; i < slice.length; i++)
		sum += (unsigned char)slice.data[i];
	return sum;
}

static unsigned
touch_all(const struct message *message)
{
	const struct mime_parts *parts = message_parts(message);
	const struct url_list *urls = message_urls(message);
	unsigned sum = touch(message_body_text(message));

	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *part = &parts->items[i];

		if (part->parent != MIME_NO_PART && part->parent >= i)
			abort();
		sum += touch(part->content) + touch(part->text) +
		       touch(part->raw) + touch(part->type);
		for (size_t n = 0; n < part->names.count; n++)
			sum += touch(part->names.items[n].name);
	}
	for (size_t i = 0; i < urls->count; i++)
		sum += touch(urls->items[i].normal) +
		       touch(urls->items[i].raw) + touch(urls->items[i].text);
	return sum;
}

static void
expect_same(const struct message *one, const struct message *other)
{
	const struct mime_parts *parts = message_parts(one);
	const struct mime_parts *others = message_parts(other);

	if (parts->count != others->count ||
	    message_urls(one)->count != message_urls(other)->count)
		abort();
	for (size_t i = 0; i < parts->count; i++) {
		const struct mime_part *a = &parts->items[i];
		const struct mime_part *b = &others->items[i];

		if (a->defects != b->defects || a->size != b->size ||
		    a->parent != b->parent || a->reading != b->reading ||
		    a->names.count != b->names.count ||
		    !slice_equal(a->content, b->content) ||
		    !slice_equal(a->text, b->text) ||
		    !slice_equal(a->digests.sha256, b->digests.sha256))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice raw = slice_make(data, size);
	struct arena *arena = arena_new(64u << 20, NULL);
	struct message_limits limits = message_limits_default;
	struct message *whole, *pieces;
	volatile unsigned sum = 0;

	limits.parts = 100;
	limits.depth = 10;
	limits.urls = 100;
	whole = message_new(arena, &limits, MESSAGE_NEED_ALL);
	message_parse_raw(whole, raw);
	sum += touch_all(whole);

	pieces = message_new(arena, &limits, MESSAGE_NEED_ALL);
	for (size_t i = 0; i < message_headers(whole)->count; i++)
		message_header(pieces, message_headers(whole)->items[i].name,
		    message_headers(whole)->items[i].value);
	message_end_of_headers(pieces);
	raw = message_raw_body(whole);
	while (raw.length > 0) {
		/* cuts that the input itself chooses */
		size_t step = 1 + (unsigned char)raw.data[0] % 64;

		message_body(pieces, slice_range(raw, 0, step));
		raw = slice_skip(raw, step);
	}
	message_end(pieces);
	sum += touch_all(pieces);
	if (!arena_exhausted(arena))
		expect_same(whole, pieces);
	(void)sum;
	arena_free(&arena);
	return 0;
}
