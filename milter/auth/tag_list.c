#include <config.h>

#include <stdint.h>

#include "auth/tag_list.h"

static bool
invalid(struct tag_list *list, const char *problem)
{
	list->problem = problem;
	return false;
}

/* tag-name = ALPHA *ALNUMPUNC */
static bool
name_is_sound(struct slice name)
{
	if (name.length == 0 || !ascii_is_alpha(name.data[0]))
		return false;
	for (size_t i = 1; i < name.length; i++)
		if (!ascii_is_alpha(name.data[i]) &&
		    !ascii_is_digit(name.data[i]) && name.data[i] != '_')
			return false;
	return true;
}

static bool
value_is_sound(struct slice value)
{
	for (size_t i = 0; i < value.length; i++) {
		unsigned char c = (unsigned char)value.data[i];

		if ((c < ' ' && !ascii_is_space((char)c)) || c == 0x7f)
			return false;
	}
	return true;
}

static bool
read_tag(struct slice text, size_t start, size_t end, struct tag_list *list)
{
	struct slice spec = slice_range(text, start, end);
	size_t equals = slice_find_byte(spec, '=');
	struct tag *tag;
	struct slice name;

	if (equals == SIZE_MAX)
		return invalid(list, "tag without =");
	name = slice_trim(slice_range(spec, 0, equals));
	if (!name_is_sound(name))
		return invalid(list, "bad tag name");
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal(list->tags[i].name, name))
			return invalid(list, "tag stands twice");
	if (list->count == TAG_LIST_MAX)
		return invalid(list, "too many tags");
	tag = &list->tags[list->count++];
	tag->name = name;
	tag->start = start + equals + 1;
	tag->end = end;
	tag->value = slice_trim(slice_range(text, tag->start, end));
	if (!value_is_sound(tag->value))
		return invalid(list, "control in a tag's value");
	return true;
}

enum tc_status
tag_list_read(struct slice text, struct tag_list *list_out)
{
	size_t start = 0;

	list_out->count = 0;
	list_out->problem = NULL;
	if (slice_trim(text).length == 0) {
		list_out->problem = "no tags";
		return TC_INVALID;
	}
	for (;;) {
		struct slice rest = slice_skip(text, start);
		size_t length = slice_find_byte(rest, ';');
		bool last = length == SIZE_MAX;
		size_t end = last ? text.length : start + length;

		/* Only white space may follow the final ";". */
		if (last && list_out->count > 0 && slice_trim(rest).length == 0)
			return TC_OK;
		if (!read_tag(text, start, end, list_out))
			return TC_INVALID;
		if (last)
			return TC_OK;
		start = end + 1;
	}
}

const struct tag *
tag_list_find(const struct tag_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (slice_equal_text(list->tags[i].name, name))
			return &list->tags[i];
	return NULL;
}

struct slice
tag_list_compact(struct arena *arena, struct slice value)
{
	size_t used = 0;
	char *copy;

	for (size_t i = 0; i < value.length; i++)
		used += !ascii_is_space(value.data[i]);
	if (used == value.length && value.data != NULL)
		return value;
	copy = arena_alloc(arena, used + 1);
	if (copy == NULL)
		return slice_make(NULL, 0);
	used = 0;
	for (size_t i = 0; i < value.length; i++)
		if (!ascii_is_space(value.data[i]))
			copy[used++] = value.data[i];
	return slice_make(copy, used);
}

struct slice
tag_list_item(struct slice *rest)
{
	struct slice item;

	*rest = slice_split(*rest, ':', &item);
	return slice_trim(item);
}

bool
tag_list_has_item(struct slice value, const char *word)
{
	while (value.length > 0)
		if (slice_equal_text_fold(tag_list_item(&value), word))
			return true;
	return false;
}
