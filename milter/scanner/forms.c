#include <config.h>

#include "scanner/forms.h"
#include "scanner/ole.h"
#include "scanner/zip_names.h"

#define TAR_MAGIC_AT   257
#define ISO_MAGIC_AT   32769
#define PREFIX_MAX     (8u << 20) /* as far as unpackers look for a start */
#define ISO_SECTOR     2048
#define UDF_SECTORS    16 /* in which a volume says that it is one */
#define PARTITIONS     4
#define PARTITIONS_END 510
#define DISK_FOOTER    512 /* bytes; disk images say at their end what they are */

/* What stands where in files of a form. */
struct form {
	size_t at;
	struct slice magic;
};

static bool
has_form(struct slice content, const struct form *forms, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_starts_with(
			slice_skip(content, forms[i].at), forms[i].magic))
			return true;
	return false;
}

/* UDF, alone or beside ISO 9660, is what Windows mounts; nothing here reads
 * it. */
static bool
is_udf(struct slice content)
{
	for (size_t i = 0; i < UDF_SECTORS; i++) {
		struct slice sector =
		    slice_skip(content, ISO_MAGIC_AT + i * ISO_SECTOR);

		if (slice_starts_with(sector, SLICE_LITERAL("NSR0")))
			return true;
	}
	return false;
}

/* A disk begins with a table of four partitions. Boot sectors of other things
 * end in the same sign: an ISO image may, and is none. */
static bool
has_partitions(struct slice content)
{
	unsigned used = 0;

	if (!slice_starts_with(slice_skip(content, PARTITIONS_END),
		SLICE_LITERAL("\x55\xaa")) ||
	    slice_starts_with(
		slice_skip(content, ISO_MAGIC_AT), SLICE_LITERAL("CD001")))
		return false;
	for (size_t i = 1; i <= PARTITIONS; i++) {
		struct slice entry =
		    slice_skip(content, PARTITIONS_END - 16 * i);

		if (entry.data[0] != 0 && entry.data[0] != '\x80')
			return false;
		used += entry.data[4] != 0;
	}
	return used > 0;
}

static bool
is_disk(struct slice content)
{
	struct slice footer;

	if (content.length < 2 * DISK_FOOTER)
		return false;
	footer = slice_skip(content, content.length - DISK_FOOTER);
	return slice_starts_with(footer, SLICE_LITERAL("conectix")) ||
	       slice_starts_with(footer, SLICE_LITERAL("koly")) ||
	       has_partitions(content);
}

/* A script that Microsoft's encoder wrote, alone or in a page: a sign, the
 * length in six letters, "==". */
static bool
has_encoded_script(struct slice content)
{
	struct slice rest = slice_range(content, 0, PREFIX_MAX);
	size_t at;

	while ((at = slice_find(rest, SLICE_LITERAL("#@~^"))) != SIZE_MAX) {
		rest = slice_skip(rest, at + 4);
		if (slice_starts_with(slice_skip(rest, 6), SLICE_LITERAL("==")))
			return true;
	}
	return false;
}

bool
forms_is_closed(struct slice content)
{
	/* ARJ, ACE, xar, ALZip, Windows and virtual disk images, raw CDs,
	 * squashfs, help files, ZPAQ, ZOO, StuffIt, InstallShield, scripts that
	 * Microsoft encoded, and what libarchive would give to other programs:
	 * lzop, lrzip. */
	static const struct form forms[] = { { 0, { "\x60\xea", 2 } },
		{ 7, { "**ACE**", 7 } }, { 0, { "xar!", 4 } },
		{ 0, { "ALZ\x01", 4 } }, { 0, { "EGGA", 4 } },
		{ 0, { "MSWIM\0\0\0", 8 } }, { 0, { "WLPWM\0\0\0", 8 } },
		{ 0, { "KDMV", 4 } }, { 0, { "QFI\xfb", 4 } },
		{ 64, { "\x7f\x10\xda\xbe", 4 } }, { 0, { "hsqs", 4 } },

		{ 0, { "\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0", 12 } },
		{ 0, { "vhdxfile", 8 } }, { 0, { "conectix", 8 } },
		{ 0, { "ITSF\x03\0\0\0", 8 } }, { 0, { "zPQ", 3 } },
		{ 0, { "7kSt", 4 } }, { 20, { "\xdc\xa7\xc4\xfd", 4 } },
		{ 0, { "SIT!", 4 } }, { 0, { "StuffIt ", 8 } },
		{ 0, { "ISc(", 4 } }, { 0, { "\x89LZO\0\r\n\x1a\n", 9 } },
		{ 0, { "LRZI", 4 } }, { 0, { "GRZipII", 7 } },
		{ 3, { "NTFS    ", 8 } }, { 54, { "FAT1", 4 } },
		{ 82, { "FAT32   ", 8 } } };

	return has_form(content, forms, sizeof forms / sizeof forms[0]) ||
	       is_udf(content) || is_disk(content) ||
	       has_encoded_script(content);
}

/* An archive by its first octets. */
static bool
is_archive(struct slice content)
{
	static const struct form forms[] = {
		{ 0, { "PK\x03\x04", 4 } },
		{ 0, { "PK\x05\x06", 4 } },
		{ 0, { "PK00PK\x03\x04", 8 } },
		{ 0, { "PK\x07\x08PK\x03\x04", 8 } },
		{ 0, { "7z\xbc\xaf\x27\x1c", 6 } },
		{ 0, { "Rar!\x1a\x07", 6 } },
		{ 0, { "MSCF\0\0\0\0", 8 } },
		{ 0, { "\x1f\x8b", 2 } },
		{ 0, { "\x1f\x9d", 2 } },
		{ 0, { "BZh", 3 } },
		{ 0, { "\xfd\x37zXZ\0", 6 } },
		{ 0, { "\x28\xb5\x2f\xfd", 4 } },
		{ 0, { "LZIP", 4 } },
		{ 0, { "\x04\x22\x4d\x18", 4 } },
		{ 0, { "\x5d\0\0", 3 } }, /* .lzma */
		{ 0, { "070701", 6 } },   /* cpio */
		{ 0, { "070702", 6 } },
		{ 0, { "070707", 6 } },
		{ 0, { "\xed\xab\xee\xdb", 4 } }, /* RPM */
		{ 0, { "!<arch>\n", 8 } },
		{ 2, { "-lh", 3 } },
		{ 2, { "-lz", 3 } },
		{ TAR_MAGIC_AT, { "ustar", 5 } },
		{ ISO_MAGIC_AT, { "CD001", 5 } },
	};

	return has_form(content, forms, sizeof forms / sizeof forms[0]);
}

/* What unpackers look for behind a program or anything else. */
static size_t
find_behind(struct slice content, struct forms_reading *readings, size_t count)
{
	static const struct {
		struct slice magic;
		unsigned forms;
	} behind[] = {
		{ { "Rar!\x1a\x07", 6 }, FORMS_RAR },
		{ { "7z\xbc\xaf\x27\x1c", 6 }, FORMS_7ZIP },
		{ { "MSCF\0\0\0\0", 8 }, FORMS_CAB },
	};
	struct slice front = slice_range(content, 1, PREFIX_MAX);

	for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++) {
		size_t at = slice_find(front, behind[i].magic);

		if (at != SIZE_MAX && count < FORMS_READINGS_MAX)
			readings[count++] =
			    (struct forms_reading){ .at = at + 1,
				    .forms = behind[i].forms };
	}
	return count;
}

static bool
is_uuencoded(struct slice content)
{
	return slice_starts_with(content, SLICE_LITERAL("begin-base64 ")) ||
	       (slice_starts_with(content, SLICE_LITERAL("begin ")) &&
		   content.length > 9 && ascii_is_digit(content.data[6]) &&
		   ascii_is_digit(content.data[7]) &&
		   ascii_is_digit(content.data[8]));
}

/* A zip is read from its end, whatever stands in front; and once more in the
 * order of its members, where there are some that its directory leaves out. */
static size_t
find_zips(struct slice content, unsigned members_max,
    struct forms_reading *readings, size_t count)
{
	struct zip_names names;
	size_t unlisted;
	bool piece;

	if (!zip_names_begin(content, members_max, &names))
		return count;
	/* Old Office keeps drawings and themes of its new forms as zips, in
	 * sectors that may lie anywhere. */
	piece = ole_is(content) && !names.ends_file;
	if (!slice_starts_with(content, SLICE_LITERAL("PK"))) {
		readings[count] = (struct forms_reading){ .forms = FORMS_ZIP,
			.sure = count == 0 && !piece,
			.piece = piece };
		count++;
	}
	unlisted = zip_names_unlisted(content, members_max);
	if (unlisted != SIZE_MAX)
		readings[count++] = (struct forms_reading){ .at = unlisted,
			.forms = FORMS_ZIP_STREAM,
			.piece = piece };
	return count;
}

size_t
forms_readings(struct slice content, unsigned members_max,
    struct forms_reading readings[FORMS_READINGS_MAX])
{
	size_t count = 0;

	if (is_archive(content))
		readings[count++] =
		    (struct forms_reading){ .forms = FORMS_ALL, .sure = true };
	else if (is_uuencoded(content))
		readings[count++] =
		    (struct forms_reading){ .forms = FORMS_UUENCODE };
	return find_behind(content, readings,
	    find_zips(content, members_max, readings, count));
}
