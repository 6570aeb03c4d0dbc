#include <config.h>

#include "support/other_reader.h"

#ifdef WITH_GMIME

#include <gmime/gmime.h>
#include <stdint.h>

bool
other_reader_here(void)
{
	return true;
}

static GMimeMessage *
parse(struct slice raw)
{
	static bool ready;
	/* GMime only reads it, whatever its signature says */
	GByteArray *bytes =
	    g_byte_array_new_take((guint8 *)(uintptr_t)raw.data, raw.length);
	GMimeStream *stream;
	GMimeParser *parser;
	GMimeMessage *message;

	if (!ready)
		g_mime_init();
	ready = true;
	stream = g_mime_stream_mem_new_with_byte_array(bytes);
	g_mime_stream_mem_set_owner(GMIME_STREAM_MEM(stream), FALSE);
	parser = g_mime_parser_new_with_stream(stream);
	message = g_mime_parser_construct_message(parser, NULL);
	g_object_unref(parser);
	g_object_unref(stream);
	if (message == NULL)
		g_byte_array_free(bytes, FALSE);
	else
		g_object_set_data(G_OBJECT(message), "bytes", bytes);
	return message;
}

static void
forget(GMimeMessage *message)
{
	GByteArray *bytes = g_object_get_data(G_OBJECT(message), "bytes");

	g_object_unref(message);
	g_byte_array_free(bytes, FALSE);
}

static GMimeStream *
decode(GMimePart *part)
{
	GMimeDataWrapper *wrapper = g_mime_part_get_content(part);
	GMimeStream *stream = g_mime_stream_mem_new();

	if (wrapper != NULL)
		g_mime_data_wrapper_write_to_stream(wrapper, stream);
	return stream;
}

struct collecting {
	struct arena *arena;
	struct other_parts *parts;
	size_t decoded;
};

static struct slice
lower(struct arena *arena, const char *text)
{
	char *copy = arena_text(arena, slice_text(text == NULL ? "" : text));

	for (char *at = copy; *at != '\0'; at++)
		*at = ascii_lower(*at);
	return slice_text(copy);
}

static void
collect(GMimeObject *parent, GMimeObject *object, gpointer data)
{
	struct collecting *collecting = data;
	GMimeStream *stream;
	GByteArray *bytes;

	(void)parent;
	if (GMIME_IS_MESSAGE_PART(object)) {
		GMimeMessage *inner =
		    g_mime_message_part_get_message(GMIME_MESSAGE_PART(object));

		if (inner != NULL)
			g_mime_message_foreach(inner, collect, data);
	}
	if (!GMIME_IS_PART(object))
		return;
	stream = decode(GMIME_PART(object));
	bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(stream));
	collecting->decoded += bytes->len;
	if (collecting->parts != NULL) {
		struct arena *arena = collecting->arena;
		struct other_part *part =
		    list_append(arena, collecting->parts, SIZE_MAX);
		GMimeContentType *type = g_mime_object_get_content_type(object);
		char *text = g_mime_content_type_get_mime_type(type);
		const char *name = g_mime_part_get_filename(GMIME_PART(object));

		part->type = lower(arena, text);
		part->name =
		    arena_copy(arena, slice_text(name == NULL ? "" : name));
		part->content =
		    arena_copy(arena, slice_make(bytes->data, bytes->len));
		g_free(text);
	}
	g_object_unref(stream);
}

bool
other_reader_read(
    struct arena *arena, struct slice raw, struct other_parts *parts)
{
	struct collecting collecting = { arena, parts, 0 };
	GMimeMessage *message = parse(raw);

	if (message == NULL)
		return false;
	g_mime_message_foreach(message, collect, &collecting);
	forget(message);
	return true;
}

size_t
other_reader_run(struct slice raw)
{
	struct collecting collecting = { NULL, NULL, 0 };
	GMimeMessage *message = parse(raw);

	if (message == NULL)
		return 0;
	g_mime_message_foreach(message, collect, &collecting);
	forget(message);
	return collecting.decoded;
}

#else

bool
other_reader_here(void)
{
	return false;
}

bool
other_reader_read(
    struct arena *arena, struct slice raw, struct other_parts *parts)
{
	(void)arena;
	(void)raw;
	(void)parts;
	return false;
}

size_t
other_reader_run(struct slice raw)
{
	(void)raw;
	return 0;
}

#endif
