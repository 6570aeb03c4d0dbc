#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "scanner/entry_name.h"

#define GZIP_HEAD       10
#define GZIP_FLAG_EXTRA 4
#define GZIP_FLAG_NAME  8

/* Code page 437 from 0x80 on. */
static const uint16_t page437[128] = { 0x00c7, 0x00fc, 0x00e9, 0x00e2, 0x00e4,
	0x00e0, 0x00e5, 0x00e7, 0x00ea, 0x00eb, 0x00e8, 0x00ef, 0x00ee, 0x00ec,
	0x00c4, 0x00c5, 0x00c9, 0x00e6, 0x00c6, 0x00f4, 0x00f6, 0x00f2, 0x00fb,
	0x00f9, 0x00ff, 0x00d6, 0x00dc, 0x00a2, 0x00a3, 0x00a5, 0x20a7, 0x0192,
	0x00e1, 0x00ed, 0x00f3, 0x00fa, 0x00f1, 0x00d1, 0x00aa, 0x00ba, 0x00bf,
	0x2310, 0x00ac, 0x00bd, 0x00bc, 0x00a1, 0x00ab, 0x00bb, 0x2591, 0x2592,
	0x2593, 0x2502, 0x2524, 0x2561, 0x2562, 0x2556, 0x2555, 0x2563, 0x2551,
	0x2557, 0x255d, 0x255c, 0x255b, 0x2510, 0x2514, 0x2534, 0x252c, 0x251c,
	0x2500, 0x253c, 0x255e, 0x255f, 0x255a, 0x2554, 0x2569, 0x2566, 0x2560,
	0x2550, 0x256c, 0x2567, 0x2568, 0x2564, 0x2565, 0x2559, 0x2558, 0x2552,
	0x2553, 0x256b, 0x256a, 0x2518, 0x250c, 0x2588, 0x2584, 0x258c, 0x2590,
	0x2580, 0x03b1, 0x00df, 0x0393, 0x03c0, 0x03a3, 0x03c3, 0x00b5, 0x03c4,
	0x03a6, 0x0398, 0x03a9, 0x03b4, 0x221e, 0x03c6, 0x03b5, 0x2229, 0x2261,
	0x00b1, 0x2265, 0x2264, 0x2320, 0x2321, 0x00f7, 0x2248, 0x00b0, 0x2219,
	0x00b7, 0x221a, 0x207f, 0x00b2, 0x25a0, 0x00a0 };

/* Its end, from a whole character on: there the extension stands. */
static struct slice
last_part(struct slice name)
{
	size_t start = name.length > ENTRY_NAME_BYTES_MAX
			   ? name.length - ENTRY_NAME_BYTES_MAX
			   : 0;

	while (start > 0 && start < name.length &&
	       ((unsigned char)name.data[start] & 0xc0) == 0x80)
		start++;
	return slice_skip(name, start);
}

struct slice
entry_name_utf8(struct arena *arena, struct slice name)
{
	struct builder out = builder_make(arena, 4 * ENTRY_NAME_BYTES_MAX);

	if (utf8_is_valid(name))
		return arena_copy(arena, last_part(name));
	name = last_part(name);
	for (size_t i = 0; i < name.length && !out.failed; i++) {
		unsigned char c = (unsigned char)name.data[i];
		char coded[4];

		builder_slice(&out,
		    slice_make(coded,
			utf8_encode(c < 0x80 ? c : page437[c - 0x80], coded)));
	}
	return builder_result(&out);
}

struct slice
entry_name_gzip(struct slice file)
{
	size_t at = GZIP_HEAD;
	struct slice name;
	unsigned flags;

	if (file.length < GZIP_HEAD ||
	    !slice_starts_with(file, SLICE_LITERAL("\x1f\x8b\x08")))
		return slice_make(NULL, 0);
	flags = (unsigned char)file.data[3];
	if (flags & GZIP_FLAG_EXTRA) {
		if (file.length < GZIP_HEAD + 2)
			return slice_make(NULL, 0);
		at += 2 + ((unsigned char)file.data[GZIP_HEAD] |
			      (unsigned)(unsigned char)file.data[GZIP_HEAD + 1]
				  << 8);
	}
	if (!(flags & GZIP_FLAG_NAME))
		return slice_make(NULL, 0);
	slice_split(slice_range(slice_skip(file, at), 0, ENTRY_NAME_BYTES_MAX),
	    '\0', &name);
	return name;
}
