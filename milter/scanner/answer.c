#include <config.h>

#include "scanner/answer.h"

#define FLAGS_ALL      ((1u << 9) - 1)
#define DEPTH_MAX      64
#define ITEM_TAIL_ROOM 4096 /* what an item needs beside its content */

static void
write_item(struct wire_writer *writer, const struct scanner_item *item)
{
	struct slice content = item->content;

	if (writer->size - writer->used < ITEM_TAIL_ROOM ||
	    writer->size - writer->used - ITEM_TAIL_ROOM < content.length)
		content = slice_make(NULL, 0);
	wire_put_number(writer, item->parent);
	wire_put_number(writer, item->depth);
	wire_put_number(writer, item->flags);
	wire_put_number(writer, item->size_bytes);
	wire_put_slice(writer, item->name);
	wire_put_slice(writer, item->other_name);
	wire_put_slice(writer, item->type);
	wire_put_slice(writer, item->reason);
	wire_put_slice(writer, content);
	wire_put_slice(writer, slice_make(item->md5, sizeof item->md5));
	wire_put_slice(writer, slice_make(item->sha1, sizeof item->sha1));
	wire_put_slice(writer, slice_make(item->sha256, sizeof item->sha256));
	wire_put_slice(writer, slice_make(item->sha512, sizeof item->sha512));
	wire_put_number(writer, item->urls.count);
	for (size_t i = 0; i < item->urls.count; i++)
		wire_put_slice(writer, item->urls.items[i]);
	wire_put_number(writer, item->yara_hits.count);
	for (size_t i = 0; i < item->yara_hits.count; i++) {
		wire_put_slice(writer, item->yara_hits.items[i].ruleset);
		wire_put_slice(writer, item->yara_hits.items[i].rule);
		wire_put_slice(writer, item->yara_hits.items[i].tags);
	}
}

void
answer_write(struct wire_writer *writer, const struct scanner_result *result)
{
	wire_put_slice(writer, result->unscannable_reason);
	wire_put_number(writer, result->items.count);
	for (size_t i = 0; i < result->items.count; i++)
		write_item(writer, &result->items.items[i]);
}

static void
take_digest(struct wire_reader *reader, uint8_t *digest, size_t size)
{
	struct slice bytes = wire_take_slice(reader);

	if (bytes.length != size)
		reader->failed = true;
	else
		memcpy(digest, bytes.data, size);
}

static enum tc_status
read_lists(
    struct wire_reader *reader, struct arena *arena, struct scanner_item *item)
{
	uint64_t count = wire_take_number(reader);

	for (uint64_t i = 0; i < count && !reader->failed; i++) {
		struct slice *url = list_append(arena, &item->urls, SIZE_MAX);

		if (url == NULL)
			return TC_LIMIT;
		*url = wire_take_slice(reader);
	}
	count = wire_take_number(reader);
	for (uint64_t i = 0; i < count && !reader->failed; i++) {
		struct scanner_yara_hit *hit =
		    list_append(arena, &item->yara_hits, SIZE_MAX);

		if (hit == NULL)
			return TC_LIMIT;
		hit->ruleset = wire_take_slice(reader);
		hit->rule = wire_take_slice(reader);
		hit->tags = wire_take_slice(reader);
	}
	return TC_OK;
}

static enum tc_status
read_item(struct wire_reader *reader, struct arena *arena, unsigned index,
    struct scanner_item *item)
{
	uint64_t parent = wire_take_number(reader);
	uint64_t depth = wire_take_number(reader);
	uint64_t flags = wire_take_number(reader);

	item->size_bytes = wire_take_number(reader);
	item->name = wire_take_slice(reader);
	item->other_name = wire_take_slice(reader);
	item->type = wire_take_slice(reader);
	item->reason = wire_take_slice(reader);
	item->content = wire_take_slice(reader);
	take_digest(reader, item->md5, sizeof item->md5);
	take_digest(reader, item->sha1, sizeof item->sha1);
	take_digest(reader, item->sha256, sizeof item->sha256);
	take_digest(reader, item->sha512, sizeof item->sha512);
	/* An item lies in one that came before it; the first in none. */
	if (parent > index || (index > 0 && parent == index) ||
	    depth > DEPTH_MAX || (flags & ~(uint64_t)FLAGS_ALL) != 0)
		return TC_INVALID;
	item->parent = (unsigned)parent;
	item->depth = (unsigned)depth;
	item->flags = (unsigned)flags;
	return read_lists(reader, arena, item);
}

enum tc_status
answer_read(struct slice bytes, struct arena *arena, unsigned items_max,
    struct scanner_result *result_out)
{
	struct wire_reader reader = { .rest = bytes };
	struct scanner_result result = { 0 };
	uint64_t count;

	result.unscannable_reason = wire_take_slice(&reader);
	count = wire_take_number(&reader);
	if (reader.failed || count == 0 || count > (uint64_t)items_max + 1)
		return TC_INVALID;
	for (unsigned i = 0; i < count && !reader.failed; i++) {
		struct scanner_item *item =
		    list_append(arena, &result.items, (size_t)items_max + 1);
		enum tc_status status;

		if (item == NULL)
			return TC_LIMIT;
		status = read_item(&reader, arena, i, item);
		if (status != TC_OK)
			return status;
	}
	if (reader.failed)
		return TC_INVALID;
	*result_out = result;
	return TC_OK;
}
