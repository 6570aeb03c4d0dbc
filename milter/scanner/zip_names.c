#include <config.h>

#include "scanner/zip_names.h"

/* APPNOTE.TXT 4.3.16, 4.3.12, 4.3.7 */
#define END_SIZE     22
#define CENTRAL_SIZE 46
#define LOCAL_SIZE   30
#define COMMENT_MAX  65535
#define MEMBERS_MAX  65535

static uint32_t
number_at(struct slice file, size_t at, unsigned bytes)
{
	uint32_t number = 0;

	for (unsigned i = bytes; i > 0; i--)
		number = number << 8 | (unsigned char)file.data[at + i - 1];
	return number;
}

bool
zip_names_begin(struct slice file, struct zip_names *names_out)
{
	size_t lowest, left;
	const char *found;

	if (file.length < END_SIZE)
		return false;
	lowest = file.length > END_SIZE + COMMENT_MAX
		     ? file.length - END_SIZE - COMMENT_MAX
		     : 0;
	left = file.length - END_SIZE + 1 - lowest;
	while ((found = memrchr(file.data + lowest, 'P', left)) != NULL) {
		size_t end = (size_t)(found - file.data);
		uint32_t size, offset;

		left = end - lowest;
		if (number_at(file, end, 4) != 0x06054b50)
			continue;
		size = number_at(file, end + 12, 4);
		offset = number_at(file, end + 16, 4);
		names_out->file = file;
		names_out->left = number_at(file, end + 10, 2);
		if (names_out->left > MEMBERS_MAX)
			names_out->left = MEMBERS_MAX;
		/* With bytes before the archive (self-extractors) only the
		 * directory's size says where it starts. */
		if (offset > file.length || size > end)
			names_out->at = file.length;
		else
			names_out->at = end - size;
		return true;
	}
	return false;
}

bool
zip_names_next(struct zip_names *names, struct zip_name *name_out)
{
	struct slice file = names->file;
	size_t at = names->at, name_length, extra_length, local;

	if (names->left == 0 || at > file.length ||
	    file.length - at < CENTRAL_SIZE ||
	    number_at(file, at, 4) != 0x02014b50)
		return false;
	name_length = number_at(file, at + 28, 2);
	extra_length =
	    number_at(file, at + 30, 2) + number_at(file, at + 32, 2);
	local = number_at(file, at + 42, 4);
	name_out->encrypted = number_at(file, at + 8, 2) & 1;
	name_out->central = slice_range(
	    file, at + CENTRAL_SIZE, at + CENTRAL_SIZE + name_length);
	name_out->local = slice_make(NULL, 0);
	if (local < file.length && file.length - local >= LOCAL_SIZE &&
	    number_at(file, local, 4) == 0x04034b50)
		name_out->local = slice_range(file, local + LOCAL_SIZE,
		    local + LOCAL_SIZE + number_at(file, local + 26, 2));
	names->at = at + CENTRAL_SIZE + name_length + extra_length;
	names->left--;
	return true;
}
