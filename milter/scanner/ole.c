#include <config.h>

#include <stdlib.h>

#include "base/utf8.h"
#include "scanner/ole.h"

/* MS-CFB 2.2 to 2.6 */
#define HEADER_SIZE   512
#define ENTRY_SIZE    128
#define STEPS_MAX     4000000
#define HEADER_TABLES 109

bool
ole_is(struct slice file)
{
	return file.length >= HEADER_SIZE &&
	       slice_starts_with(
		   file, slice_make("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8));
}

/* OLE_NONE beyond the end. */
static uint32_t
number_at(struct slice file, uint64_t at, unsigned bytes)
{
	uint32_t number = 0;

	if (at > file.length || file.length - at < bytes)
		return OLE_NONE;
	for (unsigned i = bytes; i > 0; i--)
		number = number << 8 | (unsigned char)file.data[at + i - 1];
	return number;
}

static uint64_t
sector_at(const struct ole *ole, uint32_t sector)
{
	return ((uint64_t)sector + 1) << ole->shift;
}

static bool
step(struct ole *ole)
{
	if (ole->steps_left == 0) {
		ole->exhausted = true;
		return false;
	}
	ole->steps_left--;
	return true;
}

/* The sector with the part of the allocation table that has this number. */
static uint32_t
table_sector(struct ole *ole, uint32_t number)
{
	uint32_t per_sector = (1u << ole->shift) / 4 - 1;
	uint32_t more;

	if (number < HEADER_TABLES)
		return number_at(ole->file, 76 + 4 * (uint64_t)number, 4);
	number -= HEADER_TABLES;
	more = number_at(ole->file, 68, 4);
	for (; number >= per_sector; number -= per_sector) {
		if (!step(ole))
			return OLE_NONE;
		more = number_at(ole->file,
		    sector_at(ole, more) + 4 * (uint64_t)per_sector, 4);
	}
	return number_at(
	    ole->file, sector_at(ole, more) + 4 * (uint64_t)number, 4);
}

static uint32_t
next_sector(struct ole *ole, uint32_t sector)
{
	uint32_t per_sector = (1u << ole->shift) / 4;
	uint32_t table;

	if (!step(ole))
		return OLE_NONE;
	table = table_sector(ole, sector / per_sector);
	return number_at(ole->file,
	    sector_at(ole, table) + 4 * (uint64_t)(sector % per_sector), 4);
}

static void
read_entry(const struct ole *ole, uint64_t at, struct ole_entry *entry)
{
	struct slice file = ole->file;
	uint32_t name_size = number_at(file, at + 64, 2);

	*entry = (struct ole_entry){
		.kind = number_at(file, at + 66, 1),
		.left = number_at(file, at + 68, 4),
		.right = number_at(file, at + 72, 4),
		.child = number_at(file, at + 76, 4),
		.start = number_at(file, at + 116, 4),
		.size_bytes = number_at(file, at + 120, 4),
	};
	for (uint32_t i = 0; i + 2 < name_size && i + 2 < 64; i += 2)
		entry->name_length += utf8_encode(number_at(file, at + i, 2),
		    entry->name_bytes + entry->name_length);
}

static void
read_directory(struct ole *ole, uint32_t sector, unsigned entries_max)
{
	uint64_t size = (uint64_t)1 << ole->shift;
	uint64_t most = ole->file.length / ENTRY_SIZE;

	if (most > entries_max)
		most = entries_max;
	ole->entries = calloc((size_t)most + 1, sizeof *ole->entries);
	while (ole->entries != NULL && ole->count + size / ENTRY_SIZE <= most) {
		uint64_t at = sector_at(ole, sector);

		if (at > ole->file.length || ole->file.length - at < size)
			return;
		for (uint64_t i = 0; i < size; i += ENTRY_SIZE)
			read_entry(ole, at + i, &ole->entries[ole->count++]);
		sector = next_sector(ole, sector);
	}
	ole->exhausted = true;
}

bool
ole_open(struct slice file, unsigned entries_max, struct ole *ole_out)
{
	*ole_out = (struct ole){
		.file = file,
		.shift = number_at(file, 30, 2),
		.mini_shift = number_at(file, 32, 2),
		.cutoff = number_at(file, 56, 4),
		.mini_table = number_at(file, 60, 4),
		.steps_left = STEPS_MAX,
	};
	if (!ole_is(file) || (ole_out->shift != 9 && ole_out->shift != 12))
		return false;
	if (ole_out->mini_shift < 4 || ole_out->mini_shift >= ole_out->shift)
		ole_out->mini_shift = 6;
	read_directory(ole_out, number_at(file, 48, 4), entries_max);
	return ole_out->entries != NULL;
}

void
ole_close(struct ole *ole)
{
	free(ole->root.sectors);
	free(ole->table.sectors);
	ole->root = ole->table = (struct ole_chain){ .count = 0 };
	free(ole->entries);
	ole->entries = NULL;
	ole->count = 0;
}

struct slice
ole_name(const struct ole_entry *entry)
{
	return slice_make(entry->name_bytes, entry->name_length);
}

/* Copies from `at` in the file as much as is there. */
static size_t
copy_piece(const struct ole *ole, uint64_t at, size_t bytes, char *out)
{
	struct slice piece;

	if (at >= ole->file.length)
		return 0;
	piece = slice_range(slice_skip(ole->file, (size_t)at), 0, bytes);
	memcpy(out, piece.data, piece.length);
	return piece.length;
}

static size_t
read_large(struct ole *ole, uint32_t sector, char *out, size_t max)
{
	size_t size = (size_t)1 << ole->shift, length = 0;

	while (length < max && sector < OLE_NONE - 5) {
		size_t wanted = max - length < size ? max - length : size;
		size_t got = copy_piece(
		    ole, sector_at(ole, sector), wanted, out + length);

		length += got;
		if (got < wanted)
			break;
		sector = next_sector(ole, sector);
	}
	return length;
}

/* The stream's sector of that number. Each is looked up once: a file may have
 * thousands of small streams, all in one large one. */
static uint32_t
chain_sector(
    struct ole *ole, struct ole_chain *chain, uint32_t start, uint64_t number)
{
	while (chain->count <= number) {
		uint32_t next =
		    chain->count == 0
			? start
			: next_sector(ole, chain->sectors[chain->count - 1]);

		if (next >= OLE_NONE - 5)
			return OLE_NONE;
		if (chain->count > ole->file.length >> ole->shift) {
			ole->exhausted = true; /* it runs in a circle */
			return OLE_NONE;
		}
		if (chain->count == chain->capacity) {
			size_t wanted = 2 * chain->capacity + 64;
			uint32_t *grown =
			    realloc(chain->sectors, wanted * sizeof *grown);

			if (grown == NULL) {
				ole->exhausted = true;
				return OLE_NONE;
			}
			chain->sectors = grown;
			chain->capacity = wanted;
		}
		chain->sectors[chain->count++] = next;
	}
	return chain->sectors[number];
}

/* The entry in the table of small sectors. */
static uint32_t
next_small(struct ole *ole, uint32_t small)
{
	uint64_t per_sector = ((uint64_t)1 << ole->shift) / 4;
	uint32_t sector;

	if (!step(ole))
		return OLE_NONE;
	sector =
	    chain_sector(ole, &ole->table, ole->mini_table, small / per_sector);
	return sector == OLE_NONE
		   ? OLE_NONE
		   : number_at(ole->file,
			 sector_at(ole, sector) + 4 * (small % per_sector), 4);
}

static size_t
read_small(struct ole *ole, uint32_t small, char *out, size_t max)
{
	size_t size = (size_t)1 << ole->mini_shift, length = 0;

	while (length < max && small < OLE_NONE - 5) {
		uint64_t at = (uint64_t)small << ole->mini_shift;
		size_t wanted = max - length < size ? max - length : size;
		uint32_t sector = chain_sector(
		    ole, &ole->root, ole->entries[0].start, at >> ole->shift);
		size_t got;

		if (sector == OLE_NONE)
			break;
		got = copy_piece(ole,
		    sector_at(ole, sector) +
			(at & (((uint64_t)1 << ole->shift) - 1)),
		    wanted, out + length);
		length += got;
		if (got < wanted)
			break;
		small = next_small(ole, small);
	}
	return length;
}

size_t
ole_read(struct ole *ole, const struct ole_entry *entry, char *out, size_t max)
{
	if (entry->size_bytes < max)
		max = (size_t)entry->size_bytes;
	if (entry->kind == OLE_STREAM && entry->size_bytes < ole->cutoff)
		return read_small(ole, entry->start, out, max);
	return read_large(ole, entry->start, out, max);
}
