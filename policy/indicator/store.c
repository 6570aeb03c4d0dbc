#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/builder.h"
#include "indicator/normal.h"
#include "indicator/store.h"
#include "indicator/store_format.h"

/* All are multiples of any page size. */
#define SUM_STEP   ((size_t)16 << 20)
#define WARM_STEP  ((size_t)2 << 20)
#define UNMAP_STEP ((size_t)16 << 20)

/* Since Linux 5.14; without it each page is touched. */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

enum ownership {
	OWN_NOTHING,
	OWN_MAPPING,
	OWN_MEMORY
};

struct store {
	const uint8_t *bytes;
	size_t size;
	size_t header_size; /* of its version */
	enum ownership ownership;
	struct format_header header; /* a copy: the file may be hostile */
	uint32_t entry_count;
	uint64_t slot_count;
	uint64_t filter_offset, filter_blocks; /* 0 blocks: there is none */
};

/* ------------------------------------------------------------- arithmetics */

static uint64_t
fold_multiply(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static uint64_t
read_word(const uint8_t *bytes, size_t size)
{
	uint64_t word = 0;

	memcpy(&word, bytes, size);
	return word;
}

uint64_t
format_sum(uint64_t sum, const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	for (; size >= 8; at += 8, size -= 8)
		sum = fold_multiply(
		    sum ^ read_word(at, 8) ^ 0x9e3779b97f4a7c15ULL,
		    0xd6e8feb86659fd93ULL);
	if (size > 0)
		sum = fold_multiply(sum ^ read_word(at, size) ^ size << 56,
		    0xd6e8feb86659fd93ULL);
	return sum;
}

uint64_t
format_hash(uint64_t seed, enum indicator_kind kind, struct slice key)
{
	const uint8_t *at = (const uint8_t *)key.data;
	size_t size = key.length;
	uint64_t hash =
	    seed ^ (size << 8 | (unsigned)kind) * 0xa0761d6478bd642fULL;

	for (; size > 8; at += 8, size -= 8)
		hash = fold_multiply(
		    hash ^ read_word(at, 8), 0xe7037ed1a0b428dbULL ^ seed);
	if (size > 0)
		hash ^= read_word(at, size);
	hash = fold_multiply(hash, 0x8ebc6af09c88c6e3ULL);
	return fold_multiply(hash ^ 0x589965cc75374cc3ULL, hash | 1);
}

/* ----------------------------------------------------------------- opening */

/* The bytes of a section from `offset` on, or NULL where fewer than `size`
 * are left. */
static const uint8_t *
section_at(const struct store *store, enum format_section_id id,
    uint64_t offset, uint64_t size)
{
	const struct format_section *section = &store->header.sections[id];

	if (offset > section->size || size > section->size - offset)
		return NULL;
	return store->bytes + section->offset + offset;
}

static uint64_t
header_sum(const struct format_header *header)
{
	struct format_header copy = *header;

	copy.head_sum = 0;
	return format_sum(0, &copy, format_header_size(header->version));
}

static const char *
header_problem(const struct format_header *header, size_t size)
{
	if (memcmp(header->magic, FORMAT_MAGIC, sizeof header->magic) != 0)
		return "is not an indicator store";
	if (header->byte_order != FORMAT_BYTE_ORDER)
		return "was built on a machine of another byte order";
	if (header->version == 0 || header->version > FORMAT_VERSION)
		return "was built by another version of tocsin; build it anew";
	if (size < format_header_size(header->version) ||
	    header->section_count != format_section_count(header->version) ||
	    header->head_sum != header_sum(header))
		return "is damaged: the header does not match its checksum";
	if (header->file_size != size)
		return "is damaged: it has not the size that its header says";
	for (unsigned i = 0; i < FORMAT_SECTIONS; i++) {
		const struct format_section *section = &header->sections[i];

		if (section->offset > size ||
		    section->size > size - section->offset ||
		    section->offset % 8 != 0)
			return "is damaged: a section lies outside";
	}
	if (header->sections[FORMAT_ENTRIES].size /
		sizeof(struct format_entry) >
	    UINT32_MAX - 1)
		return "is damaged: too many entries";
	if (header->sections[FORMAT_INFO].size < sizeof(struct format_info))
		return "is damaged: a section is missing";
	return NULL;
}

/* The header of any version that is read; sections that it lacks are empty. */
static void
take_header(struct format_header *header, const void *bytes, size_t size)
{
	size_t known;

	memset(header, 0, sizeof *header);
	memcpy(header, bytes, offsetof(struct format_header, sections));
	known = format_header_size(header->version);
	memcpy(header, bytes, known < size ? known : size);
}

static void
find_filter(struct store *store)
{
	const struct format_section *filter =
	    &store->header.sections[FORMAT_FILTER];

	if (filter->size < FORMAT_FILTER_PADDING + FORMAT_FILTER_BLOCK)
		return;
	store->filter_blocks =
	    (filter->size - FORMAT_FILTER_PADDING) / FORMAT_FILTER_BLOCK;
	store->filter_offset = (filter->offset + FORMAT_FILTER_PADDING) /
			       FORMAT_FILTER_BLOCK * FORMAT_FILTER_BLOCK;
}

static enum tc_status
open_at(const void *bytes, size_t size, enum ownership ownership,
    struct store **store_out, const char **problem_out)
{
	struct store *store;
	const char *problem;

	store = calloc(1, sizeof *store);
	if (store == NULL)
		return TC_SYSTEM;
	if (size < format_header_size(1)) {
		problem = "is not an indicator store";
	} else {
		take_header(&store->header, bytes, size);
		problem = header_problem(&store->header, size);
	}
	if (problem != NULL) {
		if (problem_out != NULL)
			*problem_out = problem;
		free(store);
		return TC_INVALID;
	}
	store->bytes = bytes;
	store->size = size;
	store->header_size = format_header_size(store->header.version);
	store->ownership = ownership;
	store->entry_count =
	    (uint32_t)(store->header.sections[FORMAT_ENTRIES].size /
		       sizeof(struct format_entry));
	store->slot_count = store->header.sections[FORMAT_SLOTS].size /
			    sizeof(struct format_slot);
	find_filter(store);
	*store_out = store;
	return TC_OK;
}

enum tc_status
store_open(const char *path, struct store **store_out, const char **problem_out)
{
	struct stat info;
	enum tc_status status;
	void *bytes;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (problem_out != NULL)
		*problem_out = "cannot be opened";
	if (fd < 0)
		return TC_SYSTEM;
	if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) ||
	    info.st_size < (off_t)format_header_size(1)) {
		if (problem_out != NULL)
			*problem_out = "is not an indicator store";
		close(fd);
		return TC_INVALID;
	}
	bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (bytes == MAP_FAILED) {
		if (problem_out != NULL)
			*problem_out = "cannot be mapped";
		return TC_SYSTEM;
	}
	status = open_at(
	    bytes, (size_t)info.st_size, OWN_MAPPING, store_out, problem_out);
	if (status != TC_OK)
		munmap(bytes, (size_t)info.st_size);
	return status;
}

enum tc_status
store_open_bytes(
    struct slice bytes, struct store **store_out, const char **problem_out)
{
	return open_at(
	    bytes.data, bytes.length, OWN_NOTHING, store_out, problem_out);
}

enum tc_status
store_open_owned(void *bytes, size_t size, struct store **store_out)
{
	return open_at(bytes, size, OWN_MEMORY, store_out, NULL);
}

/* Gives up bytes that were taken as const. */
static void *
unconst(const uint8_t *bytes)
{
	void *plain;

	memcpy(&plain, &bytes, sizeof plain);
	return plain;
}

/* The kernel holds the address space while it maps or unmaps: in small steps,
 * so that nobody else in the process waits for a whole gigabyte. */
static void
unmap(uint8_t *bytes, size_t size)
{
	while (size > 0) {
		size_t step = size < UNMAP_STEP ? size : UNMAP_STEP;

		(void)munmap(bytes, step);
		bytes += step;
		size -= step;
	}
}

static void
warm_section(const struct store *store, const struct format_section *section)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t at = (size_t)section->offset / page * page;
	size_t end = (size_t)(section->offset + section->size);

	while (at < end) {
		size_t step = end - at < WARM_STEP ? end - at : WARM_STEP;

		if (madvise(unconst(store->bytes + at), step,
			MADV_POPULATE_READ) != 0)
			for (size_t i = 0; i < step; i += page)
				(void)*(const volatile uint8_t *)(store->bytes +
								  at + i);
		at += step;
	}
}

void
store_warm(const struct store *store)
{
	if (store->ownership != OWN_MAPPING)
		return;
	warm_section(store, &store->header.sections[FORMAT_FILTER]);
	warm_section(store, &store->header.sections[FORMAT_SLOTS]);
}

void
store_close(struct store **store)
{
	struct store *old = *store;

	*store = NULL;
	if (old == NULL)
		return;
	if (old->ownership == OWN_MAPPING)
		unmap(unconst(old->bytes), old->size);
	else if (old->ownership == OWN_MEMORY)
		free(unconst(old->bytes));
	free(old);
}

/* ------------------------------------------------------------------ entries */

/* A shared string; damaged ones read as empty. */
static struct slice
shared_string(const struct store *store, uint32_t offset)
{
	const uint8_t *at = section_at(store, FORMAT_STRINGS, offset, 4);
	uint32_t length;

	if (at == NULL)
		return slice_make(NULL, 0);
	memcpy(&length, at, sizeof length);
	at = section_at(store, FORMAT_STRINGS, (uint64_t)offset + 4, length);
	return at == NULL ? slice_make(NULL, 0) : slice_make(at, length);
}

static bool
raw_entry(const struct store *store, uint32_t index, struct format_entry *out)
{
	const uint8_t *at;

	if (index >= store->entry_count)
		return false;
	at = section_at(store, FORMAT_ENTRIES,
	    (uint64_t)index * sizeof(struct format_entry),
	    sizeof(struct format_entry));
	if (at == NULL)
		return false;
	memcpy(out, at, sizeof *out);
	return true;
}

static bool
raw_key(const struct store *store, const struct format_entry *raw,
    struct slice *key_out)
{
	const uint8_t *at =
	    section_at(store, FORMAT_KEYS, raw->key_offset, raw->key_length);

	if (at == NULL || raw->kind >= INDICATOR_KINDS)
		return false;
	*key_out = slice_make(at, raw->key_length);
	return true;
}

bool
store_entry(
    const struct store *store, uint32_t index, struct store_entry *entry_out)
{
	struct format_entry raw;
	struct slice key;

	if (!raw_entry(store, index, &raw) || !raw_key(store, &raw, &key))
		return false;
	*entry_out = (struct store_entry){
		.index = index,
		.kind = (enum indicator_kind)raw.kind,
		.key = key,
		.roles = raw.roles & INDICATOR_ROLE_ANY,
		.feed = raw.feed,
		.severity = (enum indicator_severity)(raw.severity_tlp & 15),
		.confidence = raw.confidence,
		.tlp = (enum indicator_tlp)(raw.severity_tlp >> 4),
		.to_ids = (raw.flags & FORMAT_FLAG_TO_IDS) != 0,
		.mask = (raw.flags & FORMAT_FLAG_MASK) != 0,
		.forced = (raw.flags & FORMAT_FLAG_FORCED) != 0,
		.not_before = (raw.flags & FORMAT_FLAG_NOT_BEFORE) != 0,
		.tags = shared_string(store, raw.tags),
		.description = shared_string(store, raw.description),
		.first_seen_unix = raw.first_seen,
		.last_seen_unix = raw.last_seen,
		.valid_until_unix = raw.valid_until,
		.modified_unix = raw.modified,
		.program = raw.program,
	};
	if (entry_out->severity > INDICATOR_SEVERITY_CRITICAL)
		entry_out->severity = INDICATOR_SEVERITY_ABSENT;
	if (entry_out->tlp > INDICATOR_TLP_RED)
		entry_out->tlp = INDICATOR_TLP_ABSENT;
	if (entry_out->confidence > 100)
		entry_out->confidence = INDICATOR_CONFIDENCE_ABSENT;
	return true;
}

uint32_t
store_entry_feed(const struct store *store, uint32_t index)
{
	struct format_entry raw;

	return raw_entry(store, index, &raw) ? raw.feed : UINT32_MAX;
}

static struct slice
text_at(const struct store *store, uint32_t offset, uint32_t length)
{
	const uint8_t *at = section_at(store, FORMAT_TEXTS, offset, length);

	return at == NULL ? slice_make("", 0) : slice_make(at, length);
}

struct slice
store_entry_value(const struct store *store, const struct store_entry *entry,
    struct arena *arena)
{
	struct format_entry raw;
	struct slice key = entry->key;
	const char *before = "";
	char *text;

	if (!raw_entry(store, entry->index, &raw))
		return slice_make("", 0);
	if (raw.flags & FORMAT_FLAG_CUT_SLASH && key.length > 0)
		key.length--;
	switch ((enum format_value)(raw.flags & FORMAT_FLAG_VALUE)) {
	case FORMAT_VALUE_KEY:
		return normal_key_text(arena, entry->kind, key);
	case FORMAT_VALUE_UPPER:
		key = normal_key_text(arena, entry->kind, key);
		text = key.data == NULL ? NULL : arena_text(arena, key);
		for (size_t i = 0; text != NULL && i < key.length; i++)
			if (text[i] >= 'a' && text[i] <= 'f')
				text[i] = (char)(text[i] - 'a' + 'A');
		return slice_make(text, text == NULL ? 0 : key.length);
	case FORMAT_VALUE_HTTP:
		before = "http://";
		break;
	case FORMAT_VALUE_HTTPS:
		before = "https://";
		break;
	case FORMAT_VALUE_TEXT:
	default: /* what a damaged file says */
		return text_at(store, raw.value_offset, raw.value_length);
	}
	text = arena_printf(arena, "%s%.*s", before, (int)key.length, key.data);
	return slice_text(text);
}

struct slice
format_id_text(
    struct arena *arena, enum format_id form, const uint8_t octets[16])
{
	struct builder out = builder_make(arena, SIZE_MAX);

	switch (form) {
	case FORMAT_ID_INDICATOR:
		builder_text(&out, "indicator--");
		break;
	case FORMAT_ID_UUID:
		break;
	case FORMAT_ID_NONE:
	case FORMAT_ID_TEXT:
	default: /* what a damaged file says */
		return slice_make("", 0);
	}
	for (unsigned i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			builder_byte(&out, '-');
		builder_byte(&out, "0123456789abcdef"[octets[i] >> 4]);
		builder_byte(&out, "0123456789abcdef"[octets[i] & 15]);
	}
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

struct slice
store_entry_id(const struct store *store, const struct store_entry *entry,
    struct arena *arena)
{
	struct format_entry raw;
	enum format_id form;
	uint32_t place[2];

	if (!raw_entry(store, entry->index, &raw))
		return slice_make("", 0);
	form = (enum format_id)(
	    (raw.flags & FORMAT_FLAG_ID) >> FORMAT_FLAG_ID_SHIFT);
	if (form != FORMAT_ID_TEXT)
		return format_id_text(arena, form, raw.id);
	memcpy(place, raw.id, sizeof place);
	return text_at(store, place[0], place[1]);
}

/* ------------------------------------------------------------------ look-up */

/* Whether the entry is of this kind and key, octet by octet. */
static bool
entry_has_key(const struct store *store, uint32_t index,
    enum indicator_kind kind, struct slice key)
{
	struct format_entry raw;
	struct slice own;

	return raw_entry(store, index, &raw) && raw.kind == kind &&
	       raw.key_length == key.length && raw_key(store, &raw, &own) &&
	       memcmp(own.data, key.data, key.length) == 0;
}

static bool
can_hold(const struct store *store, struct slice key)
{
	return store != NULL && store->slot_count > 0 &&
	       store->entry_count > 0 && key.length > 0 &&
	       key.length <= UINT16_MAX;
}

/* The block of the filter that a hash falls into, of at least one. */
static const uint8_t *
filter_block(const struct store *store, uint64_t hash)
{
	return store->bytes + store->filter_offset +
	       format_slot_place(hash, store->filter_blocks) *
		   FORMAT_FILTER_BLOCK;
}

/* Whether there may be a key of that hash; without a filter there may. */
static bool
may_hold(const struct store *store, uint64_t hash)
{
	const uint8_t *block;

	if (store->filter_blocks == 0)
		return true;
	block = filter_block(store, hash);
	for (unsigned i = 0; i < FORMAT_FILTER_BITS; i++) {
		unsigned bit = format_filter_bit(hash, i);

		if (!(block[bit / 8] & 1u << bit % 8))
			return false;
	}
	return true;
}

uint64_t
store_seek(
    const struct store *store, enum indicator_kind kind, struct slice key)
{
	uint64_t hash;

	if (!can_hold(store, key))
		return 0;
	hash = format_hash(store->header.seed, kind, key);
	if (store->filter_blocks > 0)
		__builtin_prefetch(filter_block(store, hash));
	return hash;
}

struct store_lookup
store_find(
    const struct store *store, enum indicator_kind kind, struct slice key)
{
	return store_find_sought(store, kind, key,
	    can_hold(store, key) ? format_hash(store->header.seed, kind, key)
				 : 0);
}

struct store_lookup
store_find_sought(const struct store *store, enum indicator_kind kind,
    struct slice key, uint64_t sought)
{
	struct store_lookup lookup = {
		.store = store, .kind = kind, .key = key, .done = true
	};
	uint64_t hash = sought, place;

	if (!can_hold(store, key) || !may_hold(store, hash))
		return lookup;
	place = format_slot_place(hash, store->slot_count);
	/* A full table made by an enemy ends after one round. */
	for (uint64_t tries = 0; tries < store->slot_count; tries++) {
		struct format_slot slot;
		const uint8_t *at = section_at(
		    store, FORMAT_SLOTS, place * sizeof slot, sizeof slot);

		if (at == NULL)
			return lookup;
		memcpy(&slot, at, sizeof slot);
		if (slot.entry == 0)
			return lookup;
		if (slot.tag == (uint32_t)hash &&
		    entry_has_key(store, slot.entry - 1, kind, key)) {
			lookup.next = slot.entry - 1;
			lookup.done = false;
			return lookup;
		}
		if (++place == store->slot_count)
			place = 0;
	}
	return lookup;
}

bool
store_find_next(struct store_lookup *lookup, struct store_entry *entry_out)
{
	if (lookup->done ||
	    !entry_has_key(
		lookup->store, lookup->next, lookup->kind, lookup->key) ||
	    !store_entry(lookup->store, lookup->next, entry_out)) {
		lookup->done = true;
		return false;
	}
	lookup->next++;
	return true;
}

static const struct format_info *
info_of(const struct store *store, struct format_info *copy)
{
	const uint8_t *at =
	    section_at(store, FORMAT_INFO, 0, sizeof(struct format_info));

	if (at == NULL)
		memset(copy, 0, sizeof *copy);
	else
		memcpy(copy, at, sizeof *copy);
	return copy;
}

int
store_next_prefix_length(const struct store *store, int below)
{
	const uint8_t *at =
	    section_at(store, FORMAT_INFO, 0, sizeof(struct format_info));

	if (at == NULL)
		return -1;
	at += offsetof(struct format_info, prefix_lengths);
	while (--below >= 0)
		if (below <= 128 && at[below / 8] & 1u << below % 8)
			return below;
	return -1;
}

struct slice
store_program(const struct store *store, uint32_t program)
{
	const uint8_t *at = section_at(store, FORMAT_PROGRAMS, program, 4);
	uint32_t length;

	if (program == STORE_NO_PROGRAM || at == NULL)
		return slice_make(NULL, 0);
	memcpy(&length, at, sizeof length);
	at = section_at(store, FORMAT_PROGRAMS, (uint64_t)program + 4, length);
	return at == NULL ? slice_make(NULL, 0) : slice_make(at, length);
}

uint32_t
store_unkeyed_count(const struct store *store)
{
	uint64_t count = store->header.sections[FORMAT_UNKEYED].size / 4;

	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

bool
store_unkeyed(
    const struct store *store, uint32_t number, struct store_entry *entry_out)
{
	const uint8_t *at =
	    section_at(store, FORMAT_UNKEYED, (uint64_t)number * 4, 4);
	uint32_t index;

	if (at == NULL)
		return false;
	memcpy(&index, at, sizeof index);
	return store_entry(store, index, entry_out);
}

/* ------------------------------------------------------------------- tables */

uint64_t
store_generation(const struct store *store)
{
	return store->header.generation;
}

uint32_t
store_settings_sum(const struct store *store)
{
	return store->header.settings_sum;
}

int64_t
store_built_unix(const struct store *store)
{
	return store->header.built_unix;
}

uint64_t
store_size_bytes(const struct store *store)
{
	return store->size;
}

uint32_t
store_entry_count(const struct store *store)
{
	return store->entry_count;
}

uint64_t
store_kind_count(const struct store *store, enum indicator_kind kind)
{
	struct format_info info;

	return (unsigned)kind < INDICATOR_KINDS
		   ? info_of(store, &info)->kind_counts[kind]
		   : 0;
}

uint32_t
store_feed_count(const struct store *store)
{
	uint64_t count = store->header.sections[FORMAT_FEEDS].size /
			 sizeof(struct format_feed);

	return count > UINT16_MAX ? UINT16_MAX : (uint32_t)count;
}

static bool
raw_feed(const struct store *store, uint32_t index, struct format_feed *out)
{
	const uint8_t *at = section_at(store, FORMAT_FEEDS,
	    (uint64_t)index * sizeof(struct format_feed),
	    sizeof(struct format_feed));

	if (at == NULL)
		return false;
	memcpy(out, at, sizeof *out);
	return true;
}

bool
store_feed(
    const struct store *store, uint32_t index, struct store_feed *feed_out)
{
	struct format_feed raw;

	if (!raw_feed(store, index, &raw))
		return false;
	*feed_out = (struct store_feed){
		.name = shared_string(store, raw.name),
		.source = shared_string(store, raw.source),
		.format = raw.format < FEED_FORMATS
			      ? (enum feed_format)raw.format
			      : FEED_FORMAT_AUTO,
		.read = raw.read,
		.used = raw.used,
		.bytes = raw.bytes,
		.published_unix = raw.published_unix,
		.loaded_unix = raw.loaded_unix,
		.kept = raw.kept != 0,
		.problem = shared_string(store, raw.problem),
	};
	memcpy(feed_out->reasons, raw.reasons, sizeof feed_out->reasons);
	return true;
}

int64_t
store_feed_content_unix(const struct store_feed *feed)
{
	if (feed->used == 0 && feed->problem.length > 0)
		return 0;
	return feed->published_unix != 0 ? feed->published_unix
					 : feed->loaded_unix;
}

bool
store_feed_settings(
    const struct store *store, uint32_t index, struct feed_config *config_out)
{
	struct format_feed raw;

	if (!raw_feed(store, index, &raw))
		return false;
	*config_out = (struct feed_config){
		.verified = (raw.settings & FORMAT_FEED_VERIFIED) != 0,
		.ignore_to_ids =
		    (raw.settings & FORMAT_FEED_IGNORE_TO_IDS) != 0,
		.client_ip = (raw.settings & FORMAT_FEED_CLIENT_IP) != 0,
		.match_defanged =
		    (raw.settings & FORMAT_FEED_MATCH_DEFANGED) != 0,
		.severity = raw.severity <= INDICATOR_SEVERITY_CRITICAL
				? (enum indicator_severity)raw.severity
				: INDICATOR_SEVERITY_ABSENT,
		.confidence = raw.confidence,
		.minimum_confidence = raw.minimum_confidence,
		.tlp = raw.tlp <= INDICATOR_TLP_RED
			   ? (enum indicator_tlp)raw.tlp
			   : INDICATOR_TLP_ABSENT,
		.kinds = raw.kinds,
		.expire_s = raw.expire_s,
	};
	return true;
}

uint32_t
store_feed_index(const struct store *store, struct slice name)
{
	uint32_t count = store_feed_count(store);

	for (uint32_t i = 0; i < count; i++) {
		struct format_feed raw;

		if (raw_feed(store, i, &raw) &&
		    slice_equal(shared_string(store, raw.name), name))
			return i;
	}
	return UINT32_MAX;
}

uint32_t
store_suppressed_count(const struct store *store)
{
	uint64_t count = store->header.sections[FORMAT_SUPPRESSED].size /
			 sizeof(struct format_suppressed);

	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

bool
store_suppressed(const struct store *store, uint32_t number,
    struct store_suppressed *suppressed_out)
{
	struct format_suppressed raw;
	const uint8_t *at = section_at(store, FORMAT_SUPPRESSED,
	    (uint64_t)number * sizeof raw, sizeof raw);

	if (at == NULL)
		return false;
	memcpy(&raw, at, sizeof raw);
	if (raw.kind >= INDICATOR_KINDS)
		return false;
	*suppressed_out = (struct store_suppressed){
		.kind = (enum indicator_kind)raw.kind,
		.feed = raw.feed,
		.value = shared_string(store, raw.value),
		.id = shared_string(store, raw.id),
		.reason = shared_string(store, raw.reason),
		.by_warninglist = raw.by_warninglist != 0,
	};
	return true;
}

uint32_t
store_revoked_count(const struct store *store)
{
	uint64_t count = store->header.sections[FORMAT_REVOKED].size /
			 sizeof(struct format_revoked);

	return count > UINT32_MAX ? UINT32_MAX : (uint32_t)count;
}

static struct slice
revoked_id(const struct store *store, const struct format_revoked *raw,
    struct arena *arena)
{
	uint32_t offset;

	if (raw->id_form != FORMAT_ID_TEXT)
		return format_id_text(
		    arena, (enum format_id)raw->id_form, raw->id);
	memcpy(&offset, raw->id, sizeof offset);
	return shared_string(store, offset);
}

static bool
raw_revoked(
    const struct store *store, uint32_t number, struct format_revoked *out)
{
	const uint8_t *at = section_at(
	    store, FORMAT_REVOKED, (uint64_t)number * sizeof *out, sizeof *out);

	if (at == NULL)
		return false;
	memcpy(out, at, sizeof *out);
	return true;
}

uint32_t
store_revoked_feed(const struct store *store, uint32_t number)
{
	struct format_revoked raw;

	return raw_revoked(store, number, &raw) ? raw.feed : UINT32_MAX;
}

bool
store_revoked(const struct store *store, uint32_t number, struct arena *arena,
    struct store_revoked *revoked_out)
{
	struct format_revoked raw;

	if (!raw_revoked(store, number, &raw) || raw.kind >= INDICATOR_KINDS)
		return false;
	*revoked_out = (struct store_revoked){
		.id = revoked_id(store, &raw, arena),
		.kind = (enum indicator_kind)raw.kind,
		.value = shared_string(store, raw.value),
		.feed = raw.feed,
		.modified_unix = raw.modified,
		.modified_ns = raw.modified_ns,
		.noted_unix = raw.noted,
	};
	return true;
}

uint32_t
store_entry_modified_ns(const struct store *store, uint32_t index)
{
	uint64_t low = 0, high = store->header.sections[FORMAT_FRACTIONS].size /
				 sizeof(struct format_fraction);

	while (low < high) {
		uint64_t middle = low + (high - low) / 2;
		struct format_fraction have;
		const uint8_t *at = section_at(
		    store, FORMAT_FRACTIONS, middle * sizeof have, sizeof have);

		if (at == NULL)
			return 0;
		memcpy(&have, at, sizeof have);
		if (have.entry == index)
			return have.ns;
		if (have.entry < index)
			low = middle + 1;
		else
			high = middle;
	}
	return 0;
}

bool
store_is_older_format(const struct store *store)
{
	return store->header.version < FORMAT_VERSION;
}

/* -------------------------------------------------------------- verification */

static const char *
revoked_problem(const struct store *store)
{
	for (uint32_t i = 0; i < store_revoked_count(store); i++) {
		struct format_revoked raw;

		if (!raw_revoked(store, i, &raw))
			return "is damaged: a revoked one is missing";
		if (raw.feed >= store_feed_count(store) ||
		    raw.kind >= INDICATOR_KINDS)
			return "is damaged: a revoked one of no feed or kind";
	}
	return NULL;
}

static const char *
entries_problem(const struct store *store)
{
	uint64_t reachable = 0;

	for (uint32_t i = 0; i < store->entry_count; i++) {
		struct format_entry raw;
		struct slice key;

		if (!raw_entry(store, i, &raw) || !raw_key(store, &raw, &key))
			return "is damaged: an entry points outside";
		if (raw.feed >= store_feed_count(store))
			return "is damaged: an entry of no feed";
		if (raw.kind < INDICATOR_KINDS &&
		    !may_hold(store, format_hash(store->header.seed,
					 (enum indicator_kind)raw.kind, key)))
			return "is damaged: the filter denies an entry";
	}
	for (uint64_t i = 0; i < store->slot_count; i++) {
		struct format_slot slot;
		const uint8_t *at = section_at(
		    store, FORMAT_SLOTS, i * sizeof slot, sizeof slot);

		if (at == NULL)
			return "is damaged: a slot is missing";
		memcpy(&slot, at, sizeof slot);
		if (slot.entry > store->entry_count)
			return "is damaged: a slot points outside";
		reachable += slot.entry != 0;
	}
	if (reachable == 0 && store->entry_count > 0 &&
	    store_unkeyed_count(store) == 0)
		return "is damaged: no entry can be found";
	return NULL;
}

/* The sum of all behind the header, piece by piece: what is summed is let go,
 * so that ten million indicators need no gigabyte at once. */
static uint64_t
body_sum(const struct store *store)
{
	uint64_t sum = 0;
	size_t step = SUM_STEP; /* a multiple of eight and of any page size */

	for (size_t at = 0; at < store->size; at += step) {
		size_t from = at == 0 ? store->header_size : at;
		size_t size = store->size - at < step ? store->size - at : step;

		sum = format_sum(sum, store->bytes + from, at + size - from);
		if (store->ownership == OWN_MAPPING)
			(void)madvise(
			    unconst(store->bytes + at), size, MADV_DONTNEED);
	}
	return sum;
}

bool
store_verify(const struct store *store, const char **problem_out)
{
	const char *problem;

	if (body_sum(store) != store->header.body_sum)
		problem = "is damaged: the content does not match its "
			  "checksum";
	else
		problem = entries_problem(store);
	if (problem == NULL)
		problem = revoked_problem(store);
	if (problem_out != NULL)
		*problem_out = problem;
	return problem == NULL;
}
