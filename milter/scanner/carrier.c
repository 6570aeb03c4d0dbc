#include <config.h>

#include <stdint.h>

#include "scanner/carrier.h"

/* MS-OXTNEF 2.1.3 */
#define TNEF_HEAD      6
#define TNEF_RECORD    9 /* level, id, length; a sum of two octets follows */
#define TNEF_BODY      0x0002800c
#define TNEF_TITLE     0x00018010
#define TNEF_DATA      0x0006800f
#define TNEF_NEXT_FILE 0x00069002
#define TNEF_MAPI      0x00069003
/* MS-ONESTORE 2.6.13 */
#define ONENOTE_FILE_HEAD 36 /* GUID, size, eleven octets that mean nothing */

static const struct slice tnef_sign = { "\x78\x9f\x3e\x22", 4 };
static const struct slice onenote_sign = {
	"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3", 16
};
static const struct slice onenote_file = {
	"\xe7\x16\xe3\xbd\x65\x26\x11\x45\xa4\xc4\x8d\x4d\x0b\x7a\x9e\xac", 16
};

bool
carrier_is(struct slice file)
{
	return slice_starts_with(file, tnef_sign) ||
	       slice_starts_with(file, onenote_sign);
}

static uint64_t
number_at(struct slice bytes, size_t at, unsigned count)
{
	uint64_t number = 0;

	if (at > bytes.length || bytes.length - at < count)
		return 0;
	for (unsigned i = count; i > 0; i--)
		number = number << 8 | (unsigned char)bytes.data[at + i - 1];
	return number;
}

/* A file's data may come before or after its title. */
struct tnef {
	const struct found *found;
	struct slice title, data;
	bool good;
};

static void
end_of_file(struct tnef *tnef)
{
	if (tnef->good && tnef->data.length > 0)
		tnef->good = tnef->found->file(
		    tnef->found->context, tnef->title, tnef->data);
	tnef->title = tnef->data = slice_make(NULL, 0);
}

static void
take_record(struct tnef *tnef, uint64_t id, struct slice data)
{
	switch (id) {
	case TNEF_NEXT_FILE:
		end_of_file(tnef);
		break;
	case TNEF_TITLE:
		slice_split(data, '\0', &tnef->title);
		break;
	case TNEF_DATA:
		tnef->data = data;
		break;
	case TNEF_BODY:
	case TNEF_MAPI:
		tnef->found->text(tnef->found->context, data);
		break;
	default:
		break;
	}
}

static void
read_tnef(struct slice file, const struct found *found)
{
	struct tnef tnef = { .found = found, .good = true };
	struct slice rest = slice_skip(file, TNEF_HEAD);

	while (tnef.good && rest.length >= TNEF_RECORD) {
		uint64_t id = number_at(rest, 1, 4);
		uint64_t length = number_at(rest, 5, 4);

		rest = slice_skip(rest, TNEF_RECORD);
		if (length > rest.length)
			found->unread(found->context, "archive-broken");
		take_record(&tnef, id, slice_range(rest, 0, (size_t)length));
		rest = slice_skip(rest, (size_t)length);
		rest = slice_skip(rest, 2);
	}
	if (file.length < TNEF_HEAD + TNEF_RECORD || rest.length > 0)
		found->unread(found->context, "archive-broken");
	end_of_file(&tnef);
}

static void
read_onenote(struct slice file, const struct found *found)
{
	size_t at;
	bool good = true;

	while (good && (at = slice_find(file, onenote_file)) != SIZE_MAX) {
		uint64_t length = number_at(file, at + onenote_file.length, 8);

		file = slice_skip(file, at + onenote_file.length);
		if (length > 0 && length <= file.length)
			good = found->file(found->context, slice_make(NULL, 0),
			    slice_range(
				slice_skip(file,
				    ONENOTE_FILE_HEAD - onenote_file.length),
				0, (size_t)length));
	}
}

void
carrier_files(struct slice file, const struct found *found)
{
	if (slice_starts_with(file, tnef_sign))
		read_tnef(file, found);
	else
		read_onenote(file, found);
}
