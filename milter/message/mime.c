#include <config.h>

#include <stdint.h>

#include "message/mime.h"
#include "message/push.h"
#include "message/vary.h"

/* Other readings may cost this much even in a tiny message. */
#define EXTRA_FLOOR 65536

const struct message_limits message_limits_default = {
	.headers = 2000,
	.header_bytes = 1000 * 1000,
	.params = 100,
	.depth = 30,
	.parts = 1000,
	.readings = 4,
	.body_bytes = 50 * 1000 * 1000,
	.decoded_bytes = 100 * 1000 * 1000,
	.text_bytes = 1024 * 1024,
	.html_bytes = 4 * 1024 * 1024,
	.html_inner = 1000,
	.html_depth = 4,
	.html_files = 100,
	.urls = 5000,
	.addresses = 1000,
};

struct mime_reader {
	struct entity_work work;
	struct push *push;
};

struct mime_reader *
mime_begin(struct arena *arena, const struct mime_source *source,
    struct mime_parts *parts)
{
	struct mime_reader *reader = arena_alloc(arena, sizeof *reader);
	struct entity_origin whole = {
		.parent = MIME_NO_PART,
		.reading_of = MIME_NO_PART,
		.whole = true,
		.enclosing = SIZE_MAX,
		.headers_end = SIZE_MAX,
	};

	if (reader == NULL)
		return NULL;
	reader->work = (struct entity_work){
		.arena = arena,
		.limits = source->limits,
		.headers = source->headers,
		.digest_kinds = source->digest_kinds,
		.parts = parts,
		.decoded_left = source->limits->decoded_bytes,
	};
	reader->push = push_begin(&reader->work, &whole, source->stable);
	return reader->push == NULL ? NULL : reader;
}

size_t
mime_feed(struct mime_reader *reader, struct slice body)
{
	push_feed(reader->push, body);
	return push_complete(reader->push);
}

enum tc_status
mime_end(
    struct mime_reader *reader, struct slice body, mime_defect_set *defects)
{
	struct entity_work *work = &reader->work;

	push_end(reader->push, body);
	work->extra_left = body.length < EXTRA_FLOOR    ? EXTRA_FLOOR
			   : body.length > SIZE_MAX / 2 ? SIZE_MAX
							: 2 * body.length;
	work->search_left = work->extra_left;
	vary_all(work);
	for (size_t i = 0; i < work->parts->count; i++)
		*defects |= work->parts->items[i].defects;
	return arena_exhausted(work->arena) ? TC_LIMIT : TC_OK;
}
