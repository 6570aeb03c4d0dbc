/*
 * store_format - how a compiled store lies in its file
 *
 * Shared by those that write it (build, build_image) and the one that reads it
 * (store); others need but the hash of a key. All numbers are in the machine's
 * own order: `byte_order` refuses a file from the other kind of machine.
 *
 *	header | sections (one struct format_section each) | the sections
 *
 * Entries are sorted by the hash of kind and key, so entries of one key stand
 * side by side and the slots are filled in order. A slot's place is the upper
 * part of hash * slot_count; collisions go to the next slot. Keys are compared
 * in full.
 *
 * Version 1 ends before FORMAT_REVOKED; it is read as a store in which these
 * sections are empty, so that an upgrade loses nothing.
 */
#ifndef TOCSIN_INDICATOR_STORE_FORMAT_H
#define TOCSIN_INDICATOR_STORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/slice.h"
#include "indicator/feed.h"
#include "indicator/kind.h"

#define FORMAT_MAGIC      "TOCSTORE"
#define FORMAT_VERSION    2u
#define FORMAT_BYTE_ORDER 0x01020304u

enum format_section_id {
	FORMAT_INFO,       /* struct format_info */
	FORMAT_ENTRIES,    /* struct format_entry[] */
	FORMAT_SLOTS,      /* struct format_slot[] */
	FORMAT_KEYS,       /* bytes */
	FORMAT_TEXTS,      /* bytes: values and ids that are not derived */
	FORMAT_STRINGS,    /* shared: uint32_t length, bytes; offset 0 is "" */
	FORMAT_PROGRAMS,   /* uint32_t length, bytes */
	FORMAT_UNKEYED,    /* uint32_t entry[] */
	FORMAT_FEEDS,      /* struct format_feed[] */
	FORMAT_SUPPRESSED, /* struct format_suppressed[] */
	FORMAT_REVOKED,    /* struct format_revoked[] */
	FORMAT_FRACTIONS,  /* struct format_fraction[], by entry */
	FORMAT_FILTER,     /* blocks of FORMAT_FILTER_BLOCK octets, see below */
	FORMAT_SECTIONS
};

struct format_section {
	uint64_t offset;
	uint64_t size; /* bytes */
};

struct format_header {
	char magic[8];
	uint32_t version;
	uint32_t byte_order;
	uint64_t file_size;
	uint64_t generation;
	int64_t built_unix;
	uint64_t seed; /* of the hash */
	uint32_t section_count;
	uint32_t settings_sum; /* of what the build was asked for; 0: unknown */
	uint64_t body_sum;     /* of all behind the section table */
	uint64_t head_sum;     /* of this with head_sum 0, and the sections */
	struct format_section sections[FORMAT_SECTIONS];
};

/* How many sections a store of that version has, and octets its header. */
static inline unsigned
format_section_count(uint32_t version)
{
	return version == 1 ? FORMAT_REVOKED : FORMAT_SECTIONS;
}

static inline size_t
format_header_size(uint32_t version)
{
	return offsetof(struct format_header, sections) +
	       format_section_count(version) * sizeof(struct format_section);
}

struct format_info {
	uint64_t kind_counts[32];
	uint8_t prefix_lengths[24]; /* bit n: some network has length n */
};

struct format_slot {
	uint32_t tag;   /* lower half of the hash */
	uint32_t entry; /* index + 1 of the key's first entry; 0: free */
};

/* How the value as published follows from the key. */
enum format_value {
	FORMAT_VALUE_TEXT,  /* stands in FORMAT_TEXTS */
	FORMAT_VALUE_KEY,   /* the key as text */
	FORMAT_VALUE_UPPER, /* the same in upper case (digests) */
	FORMAT_VALUE_HTTP,  /* "http://" and the key */
	FORMAT_VALUE_HTTPS
};

enum format_id {
	FORMAT_ID_NONE,
	FORMAT_ID_TEXT, /* id[0..3] offset, id[4..7] length in FORMAT_TEXTS */
	FORMAT_ID_UUID, /* the 16 octets */
	FORMAT_ID_INDICATOR /* "indicator--" and the UUID */
};

#define FORMAT_FLAG_VALUE      0x0007u /* enum format_value */
#define FORMAT_FLAG_ID         0x0018u /* enum format_id */
#define FORMAT_FLAG_ID_SHIFT   3
#define FORMAT_FLAG_CUT_SLASH  0x0020u /* value lacks the key's final '/' */
#define FORMAT_FLAG_TO_IDS     0x0040u
#define FORMAT_FLAG_MASK       0x0080u
#define FORMAT_FLAG_FORCED     0x0100u /* added by hand against a warning */
#define FORMAT_FLAG_NOT_BEFORE 0x0200u /* acts from first_seen on only */

#define FORMAT_NO_PROGRAM      0xffffffffu

struct format_entry {
	uint8_t id[16];
	uint32_t key_offset;
	uint32_t value_offset;
	uint32_t description; /* in FORMAT_STRINGS */
	uint32_t tags;
	uint32_t first_seen;
	uint32_t last_seen;
	uint32_t valid_until;
	uint32_t modified;
	uint32_t program;
	uint16_t key_length;
	uint16_t value_length;
	uint16_t feed;
	uint8_t kind;
	uint8_t severity_tlp; /* severity | tlp << 4 */
	uint8_t confidence;
	uint8_t roles;
	uint16_t flags;
};

struct format_feed {
	uint32_t name, source, problem; /* in FORMAT_STRINGS */
	uint32_t format;
	uint32_t kept;
	uint32_t settings; /* FORMAT_FEED_* bits */
	uint8_t severity, confidence, minimum_confidence, tlp;
	uint32_t kinds;
	uint64_t expire_s;
	uint64_t read, used, bytes;
	uint64_t reasons[32];
	int64_t published_unix, loaded_unix;
};

#define FORMAT_FEED_VERIFIED       1u
#define FORMAT_FEED_IGNORE_TO_IDS  2u
#define FORMAT_FEED_CLIENT_IP      4u
#define FORMAT_FEED_MATCH_DEFANGED 8u

struct format_suppressed {
	uint32_t value, id, reason; /* in FORMAT_STRINGS */
	uint16_t feed;
	uint8_t kind;
	uint8_t by_warninglist;
};

/* An indicator that its publisher has taken back: older versions of it do not
 * act again. One with several values stands here several times. */
struct format_revoked {
	uint8_t id[16];    /* as in an entry, but text in FORMAT_STRINGS */
	uint32_t modified; /* that of the version that took it back */
	uint32_t modified_ns;
	uint32_t noted; /* by the last build that met it in its feed */
	uint32_t value; /* in FORMAT_STRINGS; "" is not known */
	uint16_t feed;
	uint8_t kind;
	uint8_t id_form; /* enum format_id */
	uint32_t unused;
};

/* The part of a second of an entry's `modified`; most have none. */
struct format_fraction {
	uint32_t entry;
	uint32_t ns;
};

_Static_assert(sizeof(struct format_revoked) == 40, "without padding");
_Static_assert(sizeof(struct format_entry) == 64, "entries are 64 octets");
_Static_assert(FEED_REASONS <= 32, "reasons fit their table");
_Static_assert(INDICATOR_KINDS <= 32, "kinds fit their table");

/* The hash of a key, and the sum of bytes: the same multiply-and-fold. */
uint64_t format_hash(uint64_t seed, enum indicator_kind kind, struct slice key);
uint64_t format_sum(uint64_t sum, const void *bytes, size_t size);

/* An id that is kept as octets (FORMAT_ID_UUID, FORMAT_ID_INDICATOR) as text in
 * the arena; empty in another form, NULL data at the arena's ceiling. */
struct slice format_id_text(
    struct arena *arena, enum format_id form, const uint8_t octets[16]);

/*
 * The filter tells of nearly all keys that are not in the store that they are
 * not, from a tenth of the memory that the slots take: of ten million slots
 * each look-up would touch a page of its own, and most look-ups of a message
 * find nothing. A Bloom filter in blocks (Putze, Sanders, Singler: "Cache-,
 * hash- and space-efficient Bloom filters"): the hash chooses one line of the
 * cache by its upper part and four bits in it by its lower 36. Blocks begin at
 * a multiple of their size in the file.
 */
#define FORMAT_FILTER_BLOCK   64u
#define FORMAT_FILTER_BITS    4u
#define FORMAT_FILTER_KEYS    42u /* of a block, on average: 12 bits a key */
#define FORMAT_FILTER_PADDING (FORMAT_FILTER_BLOCK - 8)

/* The number-th bit of a hash in its block. */
static inline unsigned
format_filter_bit(uint64_t hash, unsigned number)
{
	return (unsigned)(hash >> 9 * number) & (FORMAT_FILTER_BLOCK * 8 - 1);
}

/* The place where the search for a hash begins. */
static inline uint64_t
format_slot_place(uint64_t hash, uint64_t slot_count)
{
	return (uint64_t)(((unsigned __int128)hash * slot_count) >> 64);
}

#endif
