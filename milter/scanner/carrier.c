#include <config.h>

#include <stdint.h>

#include "scanner/carrier.h"
#include "scanner/pdf_filter.h"
#include "scanner/rtf.h"

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

/* MS-ONESTORE 2.3.1: where it says how it is kept, and the form with files in
 * the clear. */
#define ONENOTE_FORM_AT 48
static const struct slice onenote_form = {
	"\x3f\xdd\x9a\x10\x1b\x91\xf5\x49\xa5\xd0\x17\x91\xed\xc8\xae\xd8", 16
};
/* What Word calls .mso: an OLE file under Flate, some way behind the name. */
#define MIME_HEAD_MAX 2048
static const struct slice mime_sign = { "ActiveMime", 10 };

bool
carrier_is(struct slice file)
{
	return slice_starts_with(file, tnef_sign) ||
	       slice_starts_with(file, onenote_sign) ||
	       slice_starts_with(file, mime_sign);
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

/* The body as squeezed RTF among the properties; its kind stands behind two
 * sizes. */
static void
read_squeezed(struct slice data, const struct found *found)
{
	const struct slice kind = SLICE_LITERAL("LZFu");
	size_t at = slice_find(data, kind);

	if (at != SIZE_MAX && at >= 8)
		rtf_squeezed(slice_skip(data, at - 8), found);
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
		read_squeezed(data, tnef->found);
		break;
	default:
		break;
	}
}

/* What mail and its programs put behind a file's end. */
static bool
is_padding(struct slice rest)
{
	for (size_t i = 0; i < rest.length; i++)
		if (rest.data[i] != '\0' && !ascii_is_space(rest.data[i]))
			return false;
	return true;
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
	if (file.length < TNEF_HEAD + TNEF_RECORD || !is_padding(rest))
		found->unread(found->context, "archive-broken");
	end_of_file(&tnef);
}

static void
read_onenote(struct slice file, const struct found *found)
{
	size_t at;
	bool good = true;

	if (!slice_starts_with(slice_skip(file, ONENOTE_FORM_AT), onenote_form))
		found->unread(found->context, "archive-form");
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

/* Tries each place at which the squeezed file may begin. */
static void
read_mime(struct slice file, const struct found *found)
{
	const struct found_limits *limits = found->limits;
	const struct pdf_parameters none = { .predictor = 1 };
	struct pdf_budget budget = { .bytes_left = limits->all_bytes,
		.bytes_max = limits->document_bytes,
		.ratio = limits->ratio };
	struct bytes bytes = { 0 };

	for (size_t at = mime_sign.length;
	     at < MIME_HEAD_MAX && bytes.length == 0 && budget.reached == NULL;
	     at++) {
		struct slice packed = slice_skip(file, at);
		size_t used;

		if (!pdf_filter_is_flate(packed))
			continue;
		bytes_free(&bytes);
		bytes = pdf_filter_undo(
		    PDF_FILTER_FLATE, packed, &none, &budget, &used);
	}
	if (bytes.length > 0)
		found->file(
		    found->context, slice_make(NULL, 0), bytes_slice(&bytes));
	if (bytes.length == 0 || budget.reached != NULL)
		found->unread(found->context,
		    budget.reached != NULL ? budget.reached : "archive-broken");
	bytes_free(&bytes);
}

void
carrier_files(struct slice file, const struct found *found)
{
	if (slice_starts_with(file, tnef_sign))
		read_tnef(file, found);
	else if (slice_starts_with(file, mime_sign))
		read_mime(file, found);
	else
		read_onenote(file, found);
}
