#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "scanner/office.h"
#include "scanner/rtf.h"

#define OBJECTS_MAX 200
#define EMBEDDED    2 /* MS-OLEDS 2.2.5, FormatID */

bool
rtf_is(struct slice file)
{
	return slice_starts_with(file, SLICE_LITERAL("{\\rt"));
}

/* Passes a control word or symbol; returns where it ends. */
static size_t
skip_word(struct slice file, size_t at)
{
	at++;
	if (at < file.length && !ascii_is_alpha(file.data[at]))
		return at + 1;
	while (at < file.length && ascii_is_alpha(file.data[at]))
		at++;
	if (at < file.length && file.data[at] == '-')
		at++;
	while (at < file.length && ascii_is_digit(file.data[at]))
		at++;
	return at;
}

/* Decodes the digits from *at on, up to the end of their group. `out` has room
 * for half of what is left. */
static size_t
read_digits(struct slice file, size_t *at, char *out)
{
	size_t length = 0;
	int depth = 0, high = -1;

	while (*at < file.length && depth >= 0) {
		char c = file.data[*at];
		int value = ascii_hex_value(c);

		if (c == '\\') {
			*at = skip_word(file, *at);
			continue;
		}
		depth += c == '{' ? 1 : c == '}' ? -1 : 0;
		(*at)++;
		if (value < 0)
			continue;
		if (high >= 0)
			out[length++] = (char)(high << 4 | value);
		high = high >= 0 ? -1 : value;
	}
	return length;
}

static struct slice
take_counted(struct slice *rest)
{
	size_t length = 0;
	struct slice taken;

	for (unsigned i = 4; i > 0 && rest->length >= 4; i--)
		length = length << 8 | (unsigned char)rest->data[i - 1];
	taken = slice_range(*rest, 4, 4 + length);
	*rest = slice_skip(*rest, 4);
	*rest = slice_skip(*rest, length);
	return taken;
}

/* MS-OLEDS 2.2.5: version, kind, three counted names, counted data. What is
 * none is handed out as it stands. */
static bool
hand_out(struct slice object, const struct found *found)
{
	struct slice rest = slice_skip(object, 8), class, data, name;
	size_t inner;

	if (object.length > 8 && object.data[4] == EMBEDDED) {
		class = take_counted(&rest);
		take_counted(&rest);
		take_counted(&rest);
		data = take_counted(&rest);
		if (class.length > 0 && class.data[class.length - 1] == '\0')
			class.length--;
		if (slice_equal_text_fold(class, "Package") &&
		    office_package(data, &name, &data))
			return found->file(found->context, name, data);
		if (data.length > 0)
			return found->file(found->context, class, data);
	}
	inner = slice_find(
	    object, slice_make("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8));
	if (inner != SIZE_MAX)
		object = slice_skip(object, inner);
	return found->file(found->context, slice_make(NULL, 0), object);
}

void
rtf_files(struct slice file, const struct found *found)
{
	const struct slice word = SLICE_LITERAL("\\objdata");
	size_t at = 0, next;
	char *space = NULL;
	bool good = true;

	for (unsigned count = 0; good; count++) {
		size_t length;

		next = slice_find(slice_skip(file, at), word);
		if (next == SIZE_MAX)
			break;
		if (count == OBJECTS_MAX) {
			found->unread(found->context, "embedded");
			break;
		}
		at += next + word.length;
		if (space == NULL)
			space = malloc((file.length - at) / 2 + 1);
		if (space == NULL)
			break;
		length = read_digits(file, &at, space);
		if (length > 0)
			good = hand_out(slice_make(space, length), found);
	}
	free(space);
}
