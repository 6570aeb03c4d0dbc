#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "evidence/extensions.h"

static bool
is_unseen(uint32_t code_point)
{
	return code_point == 0xad || code_point == 0x61c ||
	       code_point == 0xfeff ||
	       (code_point >= 0x200b && code_point <= 0x200f) ||
	       (code_point >= 0x202a && code_point <= 0x202e) ||
	       (code_point >= 0x2060 && code_point <= 0x2069);
}

static struct slice
without_unseen(struct arena *arena, struct slice name)
{
	struct builder clean = builder_make(arena, SIZE_MAX);

	while (name.length > 0) {
		const char *start = name.data;

		if (!is_unseen(utf8_next(&name, NULL)))
			builder_slice(&clean,
			    slice_make(start, (size_t)(name.data - start)));
	}
	return builder_result(&clean);
}

static bool
ends_in_nothing(struct slice name)
{
	unsigned char last;

	if (name.length == 0)
		return false;
	last = (unsigned char)name.data[name.length - 1];
	return last <= ' ' || last == '.' || last == '/' || last == '\\';
}

static struct slice
base_name(struct slice name)
{
	for (size_t i = name.length; i > 0; i--)
		if (name.data[i - 1] == '/' || name.data[i - 1] == '\\')
			return slice_skip(name, i);
	return name;
}

/* What Windows does not take for part of the name: the main stream of a file
 * (::$DATA), and the version that an ISO 9660 image writes (;1). */
static struct slice
without_suffix(struct slice name)
{
	static const struct slice stream = SLICE_LITERAL("::$DATA");
	size_t end = name.length;

	if (end > stream.length &&
	    slice_equal_fold(slice_skip(name, end - stream.length), stream))
		return slice_range(name, 0, end - stream.length);
	while (end > 0 && ascii_is_digit(name.data[end - 1]))
		end--;
	return end > 1 && name.data[end - 1] == ';'
		   ? slice_range(name, 0, end - 1)
		   : name;
}

size_t
extensions_of(struct arena *arena, struct slice name,
    struct slice extensions[EXTENSIONS_MAX])
{
	struct slice rest = without_unseen(arena, name), head;
	size_t count = 0;

	while (ends_in_nothing(rest))
		rest.length--;
	rest = without_suffix(rest);
	rest = utf8_fold_slice(arena, base_name(rest));
	rest = slice_split(rest, '.', &head);
	while (rest.length > 0) {
		rest = slice_split(rest, '.', &head);
		if (count == EXTENSIONS_MAX) {
			memmove(extensions, extensions + 1,
			    (EXTENSIONS_MAX - 1) * sizeof *extensions);
			count--;
		}
		extensions[count++] = head;
	}
	return count;
}
