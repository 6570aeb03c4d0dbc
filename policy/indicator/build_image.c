#include <config.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "indicator/build_image.h"
#include "indicator/store.h"

#define BUCKET_BITS_MAX 16
#define BUCKET_ENTRIES  64 /* wanted in one */
#define BUFFER_BYTES    (1u << 20)
#define DROPPED         0xff
/* So many times limits.same_key_max of all feeds together. */
#define SAME_KEY_FEEDS 64u

/* ------------------------------------------------------------------ sorting */

struct order {
	uint64_t hash;
	uint32_t entry;
};

static struct slice
key_of(const struct build *build, const struct format_entry *entry)
{
	return slice_make(
	    build->keys.data + entry->key_offset, entry->key_length);
}

static int
compare_order(const void *left, const void *right)
{
	const struct order *a = left, *b = right;

	if (a->hash != b->hash)
		return a->hash < b->hash ? -1 : 1;
	return a->entry < b->entry ? -1 : a->entry > b->entry;
}

/* At least one, so that a hash shifted by the rest is defined. */
static unsigned
bucket_bits(size_t count)
{
	unsigned bits = 1;

	while (bits < BUCKET_BITS_MAX && count >> bits > BUCKET_ENTRIES)
		bits++;
	return bits;
}

/* All live entries by hash: one pass into buckets by its upper bits, then
 * each small bucket by itself. */
static struct order *
sorted(const struct build *build, size_t *count_out)
{
	unsigned bits = bucket_bits(build->entries.count);
	size_t buckets = (size_t)1 << bits;
	size_t *starts = calloc(buckets + 1, sizeof *starts);
	uint64_t *hashes = malloc((build->entries.count + 1) * sizeof *hashes);
	struct order *order =
	    malloc((build->entries.count + 1) * sizeof *order);
	size_t live = 0;

	if (starts == NULL || hashes == NULL || order == NULL) {
		free(order);
		order = NULL;
		goto done;
	}
	for (size_t i = 0; i < build->entries.count; i++) {
		const struct format_entry *entry = &build->entries.items[i];

		if (entry->kind == DROPPED)
			continue;
		hashes[i] = format_hash(build->seed,
		    (enum indicator_kind)entry->kind, key_of(build, entry));
		starts[(hashes[i] >> (64 - bits)) + 1]++;
		live++;
	}
	for (size_t i = 0; i < buckets; i++)
		starts[i + 1] += starts[i];
	for (size_t i = 0; i < build->entries.count; i++) {
		if (build->entries.items[i].kind == DROPPED)
			continue;
		order[starts[hashes[i] >> (64 - bits)]++] =
		    (struct order){ hashes[i], (uint32_t)i };
	}
	for (size_t i = 0, from = 0; i < buckets; i++) {
		qsort(order + from, starts[i] - from, sizeof *order,
		    compare_order);
		from = starts[i];
	}
	*count_out = live;
done:
	free(starts);
	free(hashes);
	return order;
}

static bool
same_key(const struct build *build, uint32_t left, uint32_t right)
{
	const struct format_entry *a = &build->entries.items[left];
	const struct format_entry *b = &build->entries.items[right];

	return a->kind == b->kind &&
	       slice_equal(key_of(build, a), key_of(build, b));
}

/* In a run of one hash, brings the entries of the first one's key together
 * and returns how many they are. Two keys of one hash hardly ever meet. */
static size_t
gather(const struct build *build, struct order *run, size_t count)
{
	size_t same = 1;

	for (size_t i = 1; i < count; i++) {
		if (!same_key(build, run[0].entry, run[i].entry))
			continue;
		if (i != same) {
			struct order moved = run[i];

			run[i] = run[same];
			run[same] = moved;
		}
		same++;
	}
	return same;
}

/* --------------------------------------------------------------- duplicates */

/* Whether two entries of one key say the same: same feed, sides, pattern and
 * id, or no id in one of them. */
static bool
is_repetition(const struct build *build, const struct format_entry *a,
    const struct format_entry *b)
{
	unsigned id_a = (a->flags & FORMAT_FLAG_ID) >> FORMAT_FLAG_ID_SHIFT;
	unsigned id_b = (b->flags & FORMAT_FLAG_ID) >> FORMAT_FLAG_ID_SHIFT;
	uint32_t place_a[2], place_b[2];

	if (a->feed != b->feed || a->roles != b->roles ||
	    a->program != b->program ||
	    (a->flags & FORMAT_FLAG_MASK) != (b->flags & FORMAT_FLAG_MASK))
		return false;
	if (id_a == FORMAT_ID_NONE || id_b == FORMAT_ID_NONE)
		return id_a == id_b;
	if (id_a != id_b)
		return false;
	if (id_a != FORMAT_ID_TEXT)
		return memcmp(a->id, b->id, sizeof a->id) == 0;
	memcpy(place_a, a->id, sizeof place_a);
	memcpy(place_b, b->id, sizeof place_b);
	return slice_equal(
	    slice_make(build->texts.data + place_a[0], place_a[1]),
	    slice_make(build->texts.data + place_b[0], place_b[1]));
}

/* Takes over what the repetition knows better. */
static void
merge(struct format_entry *kept, const struct format_entry *again)
{
	if (again->first_seen != 0 &&
	    (kept->first_seen == 0 || again->first_seen < kept->first_seen))
		kept->first_seen = again->first_seen;
	if (again->last_seen > kept->last_seen)
		kept->last_seen = again->last_seen;
	if (kept->valid_until != 0 &&
	    (again->valid_until == 0 || again->valid_until > kept->valid_until))
		kept->valid_until = again->valid_until;
	if (again->modified > kept->modified)
		kept->modified = again->modified;
	kept->flags |= again->flags & FORMAT_FLAG_TO_IDS;
	if (!(again->flags & FORMAT_FLAG_NOT_BEFORE))
		kept->flags &= (uint16_t)~FORMAT_FLAG_NOT_BEFORE;
	if (kept->description == 0)
		kept->description = again->description;
	if (kept->tags == 0)
		kept->tags = again->tags;
}

static void
note_loss(struct build *build, const struct format_entry *entry,
    enum feed_reason reason)
{
	struct format_feed *feed = &build->feeds.items[entry->feed];

	enum indicator_kind kind = entry->program == FORMAT_NO_PROGRAM
				       ? (enum indicator_kind)entry->kind
				       : INDICATOR_PATTERN;

	feed->reasons[reason]++;
	if (feed->used > 0)
		feed->used--;
	if (build->lost[kind] < UINT64_MAX)
		build->lost[kind]++;
}

/* Leaves of `count` entries of one key those that differ; they are moved to
 * the front of the run. Returns how many. */
static size_t
reduce(struct build *build, struct order *run, size_t count)
{
	size_t kept = 1;

	for (size_t i = 1; i < count; i++) {
		struct format_entry *entry =
		    &build->entries.items[run[i].entry];
		size_t same_feed = 0, at;

		for (at = 0; at < kept; at++) {
			struct format_entry *have =
			    &build->entries.items[run[at].entry];

			if (is_repetition(build, have, entry)) {
				merge(have, entry);
				note_loss(build, entry, FEED_REPEATED);
				break;
			}
			same_feed += have->feed == entry->feed;
		}
		if (at < kept)
			continue;
		if (same_feed >= build->limits.same_key_max ||
		    kept >=
			(size_t)build->limits.same_key_max * SAME_KEY_FEEDS) {
			build->beyond.items[entry->feed]
			    .counts[FEED_LIMIT_PER_VALUE]++;
			note_loss(build, entry, FEED_TOO_MANY);
			continue;
		}
		run[kept++] = run[i];
	}
	return kept;
}

/* Goes through all keys, takes out repetitions and counts keys. Returns the
 * number of entries that stay; they stand at the front of `order`. */
static size_t
compact(
    struct build *build, struct order *order, size_t count, size_t *keys_out)
{
	size_t out = 0, keys = 0;

	for (size_t from = 0; from < count;) {
		size_t end = from + 1, same, kept;

		while (end < count && order[end].hash == order[from].hash)
			end++;
		same = gather(build, order + from, end - from);
		kept = reduce(build, order + from, same);
		memmove(order + out, order + from, kept * sizeof *order);
		out += kept;
		from += same;
		keys++;
	}
	*keys_out = keys;
	return out;
}

/* ------------------------------------------------------------------ writing */

struct writer {
	const struct build *build; /* whose progress is told; may be NULL */
	uint64_t file_size;
	int fd;          /* -1: into memory */
	char *memory;    /* buffer, or all that was written */
	size_t length;   /* in `memory` */
	size_t capacity; /* of `memory` */
	uint64_t total;
	uint64_t sum;
	bool failed;
};

static void
writer_flush(struct writer *writer)
{
	size_t done = 0;

	if (writer->fd < 0 || writer->failed)
		return;
	while (done < writer->length) {
		ssize_t wrote = write(
		    writer->fd, writer->memory + done, writer->length - done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0) {
			writer->failed = true;
			return;
		}
		done += (size_t)wrote;
	}
	/* The buffer holds a multiple of eight octets, so the sum of the
	 * pieces is that of the whole. */
	writer->sum = format_sum(writer->sum, writer->memory, writer->length);
	writer->length = 0;
	if (writer->build != NULL && writer->build->progress != NULL)
		(void)writer->build->progress(writer->build->progress_context,
		    writer->total, writer->file_size);
}

static void
writer_put(struct writer *writer, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size > 0 && !writer->failed) {
		size_t room = writer->capacity - writer->length;
		size_t piece = size < room ? size : room;

		memcpy(writer->memory + writer->length, at, piece);
		writer->length += piece;
		writer->total += piece;
		at += piece;
		size -= piece;
		if (size > 0)
			writer_flush(writer);
	}
}

/* The sections' sizes are known before anything is written; so one pass can
 * write and sum. Each is padded to 8 octets. */
static void
writer_section(struct writer *writer, const void *bytes, size_t size)
{
	static const char zeros[8];
	size_t padding = -size & 7;

	writer_put(writer, bytes, size);
	writer_put(writer, zeros, padding);
}

/* -------------------------------------------------------------------- layout */

struct layout {
	struct format_header header;
	struct format_info info;
	struct order *order;
	size_t entries, keys;
	uint64_t slots;
	struct format_slot *slot_table;
	uint32_t *unkeyed;
	size_t unkeyed_count;
	struct format_fraction *fractions;
	size_t fraction_count;
	uint8_t *filter;
	uint64_t filter_blocks;
};

static bool
fill_slots(const struct build *build, struct layout *layout)
{
	/* A third of them free: what is not there has mostly been denied by
	 * the filter, and the rest stands in one line of the cache or two. */
	layout->slots = layout->keys + layout->keys / 2 + 8;
	layout->slot_table = calloc(layout->slots, sizeof *layout->slot_table);
	if (layout->slot_table == NULL)
		return false;
	for (size_t i = 0; i < layout->entries; i++) {
		uint64_t hash = layout->order[i].hash, at;

		if (i > 0 && hash == layout->order[i - 1].hash &&
		    same_key(build, layout->order[i].entry,
			layout->order[i - 1].entry))
			continue;
		at = format_slot_place(hash, layout->slots);
		while (layout->slot_table[at].entry != 0)
			if (++at == layout->slots)
				at = 0;
		layout->slot_table[at] =
		    (struct format_slot){ .tag = (uint32_t)hash,
			    .entry = (uint32_t)i + 1 };
	}
	return true;
}

static bool
fill_filter(struct layout *layout)
{
	layout->filter_blocks = layout->keys / FORMAT_FILTER_KEYS + 1;
	layout->filter = calloc(layout->filter_blocks, FORMAT_FILTER_BLOCK);
	if (layout->filter == NULL)
		return false;
	for (size_t i = 0; i < layout->entries; i++) {
		uint64_t hash = layout->order[i].hash;
		uint8_t *block = layout->filter + format_slot_place(hash,
						      layout->filter_blocks) *
						      FORMAT_FILTER_BLOCK;

		for (unsigned k = 0; k < FORMAT_FILTER_BITS; k++) {
			unsigned bit = format_filter_bit(hash, k);

			block[bit / 8] |= (uint8_t)(1u << bit % 8);
		}
	}
	return true;
}

static bool
fill_info(const struct build *build, struct layout *layout)
{
	layout->unkeyed =
	    malloc((build->unkeyed + (size_t)1) * sizeof *layout->unkeyed);
	if (layout->unkeyed == NULL)
		return false;
	for (size_t i = 0; i < layout->entries; i++) {
		const struct format_entry *entry =
		    &build->entries.items[layout->order[i].entry];

		layout->info.kind_counts[entry->kind & 31]++;
		if (entry->kind == INDICATOR_NETWORK &&
		    entry->key_length == 17) {
			uint8_t length =
			    (uint8_t)build->keys.data[entry->key_offset + 16];

			layout->info.prefix_lengths[length / 8] |=
			    (uint8_t)(1u << length % 8);
		}
		if (entry->kind == INDICATOR_PATTERN &&
		    layout->unkeyed_count < build->unkeyed)
			layout->unkeyed[layout->unkeyed_count++] = (uint32_t)i;
	}
	return true;
}

/* The part of a second of an entry as it was collected, or 0. */
static uint32_t
fraction_of(const struct build *build, uint32_t entry)
{
	size_t low = 0, high = build->fractions.count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct format_fraction *have =
		    &build->fractions.items[middle];

		if (have->entry == entry)
			return have->ns;
		if (have->entry < entry)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

/* Those of the entries that stay, by their final place. */
static bool
fill_fractions(const struct build *build, struct layout *layout)
{
	if (build->fractions.count == 0)
		return true;
	layout->fractions =
	    malloc(build->fractions.count * sizeof *layout->fractions);
	if (layout->fractions == NULL)
		return false;
	for (size_t i = 0; i < layout->entries; i++) {
		uint32_t ns = fraction_of(build, layout->order[i].entry);

		if (ns != 0)
			layout->fractions[layout->fraction_count++] =
			    (struct format_fraction){ (uint32_t)i, ns };
	}
	return true;
}

static void
place_sections(const struct build *build, struct layout *layout)
{
	const uint64_t sizes[FORMAT_SECTIONS] = {
		[FORMAT_INFO] = sizeof layout->info,
		[FORMAT_ENTRIES] =
		    layout->entries * sizeof(struct format_entry),
		[FORMAT_SLOTS] = layout->slots * sizeof(struct format_slot),
		[FORMAT_KEYS] = build->keys.length,
		[FORMAT_TEXTS] = build->texts.length,
		[FORMAT_STRINGS] = build->strings.length,
		[FORMAT_PROGRAMS] = build->programs.length,
		[FORMAT_UNKEYED] = layout->unkeyed_count * sizeof(uint32_t),
		[FORMAT_FEEDS] =
		    build->feeds.count * sizeof(struct format_feed),
		[FORMAT_SUPPRESSED] =
		    build->suppressed.count * sizeof(struct format_suppressed),
		[FORMAT_REVOKED] =
		    build->revoked.count * sizeof(struct format_revoked),
		[FORMAT_FRACTIONS] =
		    layout->fraction_count * sizeof(struct format_fraction),
		[FORMAT_FILTER] = layout->filter_blocks * FORMAT_FILTER_BLOCK +
				  FORMAT_FILTER_PADDING,
	};
	uint64_t offset = sizeof layout->header;

	for (unsigned i = 0; i < FORMAT_SECTIONS; i++) {
		layout->header.sections[i] =
		    (struct format_section){ offset, sizes[i] };
		offset += (sizes[i] + 7) & ~(uint64_t)7;
	}
	layout->header.file_size = offset;
}

static void
write_filter(const struct layout *layout, struct writer *out)
{
	static const char zeros[FORMAT_FILTER_BLOCK];
	size_t before = (size_t)-layout->header.sections[FORMAT_FILTER].offset %
			FORMAT_FILTER_BLOCK;

	writer_put(out, zeros, before);
	writer_put(out, layout->filter,
	    (size_t)layout->filter_blocks * FORMAT_FILTER_BLOCK);
	writer_put(out, zeros, FORMAT_FILTER_PADDING - before);
}

static void
write_entries(
    const struct build *build, const struct layout *layout, struct writer *out)
{
	for (size_t i = 0; i < layout->entries; i++)
		writer_put(out, &build->entries.items[layout->order[i].entry],
		    sizeof(struct format_entry));
}

static void
write_body(
    const struct build *build, const struct layout *layout, struct writer *out)
{
	const struct format_section *sections = layout->header.sections;

	writer_section(out, &layout->info, sizeof layout->info);
	write_entries(build, layout, out);
	writer_section(
	    out, layout->slot_table, (size_t)sections[FORMAT_SLOTS].size);
	writer_section(out, build->keys.data, build->keys.length);
	writer_section(out, build->texts.data, build->texts.length);
	writer_section(out, build->strings.data, build->strings.length);
	writer_section(out, build->programs.data, build->programs.length);
	writer_section(
	    out, layout->unkeyed, (size_t)sections[FORMAT_UNKEYED].size);
	writer_section(
	    out, build->feeds.items, (size_t)sections[FORMAT_FEEDS].size);
	writer_section(out, build->suppressed.items,
	    (size_t)sections[FORMAT_SUPPRESSED].size);
	writer_section(
	    out, build->revoked.items, (size_t)sections[FORMAT_REVOKED].size);
	writer_section(
	    out, layout->fractions, (size_t)sections[FORMAT_FRACTIONS].size);
	write_filter(layout, out);
	writer_flush(out);
}

static void
finish_header(const struct build *build, struct layout *layout, uint64_t sum,
    uint64_t generation, int64_t now_unix)
{
	struct format_header *header = &layout->header;

	memcpy(header->magic, FORMAT_MAGIC, sizeof header->magic);
	header->version = FORMAT_VERSION;
	header->byte_order = FORMAT_BYTE_ORDER;
	header->generation = generation;
	header->built_unix = now_unix;
	header->seed = build->seed;
	header->section_count = FORMAT_SECTIONS;
	header->settings_sum = build->settings_sum;
	header->body_sum = sum;
	header->head_sum = 0;
	header->head_sum = format_sum(0, header, sizeof *header);
}

static enum tc_status
lay_out(struct build *build, struct layout *layout)
{
	size_t count = 0;

	*layout = (struct layout){ 0 };
	if (build->full)
		return TC_LIMIT;
	layout->order = sorted(build, &count);
	if (layout->order == NULL)
		return TC_SYSTEM;
	layout->entries = compact(build, layout->order, count, &layout->keys);
	if (!fill_slots(build, layout) || !fill_filter(layout) ||
	    !fill_info(build, layout) || !fill_fractions(build, layout))
		return TC_SYSTEM;
	place_sections(build, layout);
	return TC_OK;
}

enum tc_status
build_settle(struct build *build)
{
	size_t count = 0, keys;
	struct order *order = build->full ? NULL : sorted(build, &count);

	if (order == NULL)
		return build->full ? TC_LIMIT : TC_SYSTEM;
	compact(build, order, count, &keys);
	free(order);
	return TC_OK;
}

static void
layout_free(struct layout *layout)
{
	free(layout->order);
	free(layout->slot_table);
	free(layout->filter);
	free(layout->unkeyed);
	free(layout->fractions);
}

enum tc_status
build_image(struct build *build, uint64_t generation, int64_t now_unix,
    void **bytes_out, size_t *size_out)
{
	struct layout layout;
	enum tc_status status = lay_out(build, &layout);
	size_t size = (size_t)layout.header.file_size;
	char *bytes = status == TC_OK ? malloc(size) : NULL;

	if (bytes != NULL) {
		struct writer out = { .fd = -1,
			.memory = bytes + sizeof layout.header,
			.capacity = size - sizeof layout.header };

		write_body(build, &layout, &out);
		finish_header(build, &layout,
		    format_sum(0, out.memory, out.length), generation,
		    now_unix);
		memcpy(bytes, &layout.header, sizeof layout.header);
		*bytes_out = bytes;
		*size_out = size;
	} else if (status == TC_OK) {
		status = TC_SYSTEM;
	}
	layout_free(&layout);
	return status;
}

static bool
write_header(int fd, const struct format_header *header)
{
	const char *at = (const char *)header;
	size_t done = 0;

	while (done < sizeof *header) {
		ssize_t wrote =
		    pwrite(fd, at + done, sizeof *header - done, (off_t)done);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		done += (size_t)wrote;
	}
	return true;
}

enum tc_status
build_write(struct build *build, uint64_t generation, int64_t now_unix, int fd)
{
	struct layout layout;
	enum tc_status status = lay_out(build, &layout);
	struct writer out = {
		.build = build, .fd = fd, .capacity = BUFFER_BYTES
	};

	out.memory = malloc(BUFFER_BYTES);
	if (status == TC_OK &&
	    (out.memory == NULL ||
		lseek(fd, (off_t)sizeof layout.header, SEEK_SET) < 0))
		status = TC_SYSTEM;
	if (status == TC_OK) {
		out.file_size = layout.header.file_size;
		write_body(build, &layout, &out);
		finish_header(build, &layout, out.sum, generation, now_unix);
		if (out.failed || !write_header(fd, &layout.header))
			status = TC_SYSTEM;
	}
	free(out.memory);
	layout_free(&layout);
	return status;
}
