#include <config.h>

#include <stdint.h>

#include "scanner/rar_files.h"

/* RAR 5.0 archive format, "General archive block format", "File header". */
#define BLOCK_FILE       2
#define FLAG_EXTRA       1
#define FLAG_DATA        2
#define CRC_BYTES        4
#define EXTRA_ENCRYPTION 1
#define NUMBER_BYTES_MAX 10

/* Seven bits an octet, lowest first. */
static bool
take_number(struct slice *rest, uint64_t *number_out)
{
	uint64_t number = 0;

	for (size_t i = 0; i < NUMBER_BYTES_MAX && i < rest->length; i++) {
		unsigned char c = (unsigned char)rest->data[i];

		number |= (uint64_t)(c & 0x7f) << (7 * i);
		if ((c & 0x80) == 0) {
			*rest = slice_skip(*rest, i + 1);
			*number_out = number;
			return true;
		}
	}
	return false;
}

bool
rar_files_begin(struct slice archive, struct rar_files *files_out)
{
	const struct slice sign = slice_make("Rar!\x1a\x07\x01\0", 8);

	files_out->rest = slice_skip(archive, sign.length);
	return slice_starts_with(archive, sign);
}

/* True when one of the records in the extra area says so. */
static bool
says_encrypted(struct slice extra)
{
	uint64_t size, type;

	while (take_number(&extra, &size)) {
		struct slice record = size < extra.length
					  ? slice_range(extra, 0, (size_t)size)
					  : extra;

		extra = slice_skip(extra, record.length);
		if (take_number(&record, &type) && type == EXTRA_ENCRYPTION)
			return true;
	}
	return false;
}

bool
rar_files_next(struct rar_files *files, struct rar_file *file_out)
{
	uint64_t size, type, flags;

	for (;;) {
		struct slice rest = slice_skip(files->rest, CRC_BYTES), head;
		uint64_t extra_size = 0, data_size = 0;

		if (!take_number(&rest, &size) || size == 0 ||
		    size > rest.length)
			return false;
		head = slice_range(rest, 0, (size_t)size);
		rest = slice_skip(rest, head.length);
		files->rest = rest;
		if (!take_number(&head, &type) || !take_number(&head, &flags) ||
		    ((flags & FLAG_EXTRA) &&
			!take_number(&head, &extra_size)) ||
		    ((flags & FLAG_DATA) && !take_number(&head, &data_size)))
			return false;
		files->rest = data_size < rest.length
				  ? slice_skip(rest, (size_t)data_size)
				  : slice_make(NULL, 0);
		if (type != BLOCK_FILE)
			continue;
		file_out->encrypted =
		    extra_size > 0 && extra_size <= head.length &&
		    says_encrypted(
			slice_skip(head, head.length - (size_t)extra_size));
		return true;
	}
}
