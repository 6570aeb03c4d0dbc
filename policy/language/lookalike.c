#include <config.h>

#include <idn2.h>
#include <stdlib.h>
#include <uninorm.h>

#include "base/domain.h"
#include "base/utf8.h"
#include "language/lookalike.h"

#define NAME_MAX_BYTES   253
#define SKELETON_MAX     1024
#define LONG_NAME_LENGTH 12

/* Letters of other scripts by the ASCII letter that they look like. */
static const struct {
	uint32_t letter;
	char ascii;
} alike[] = { { 0x0430, 'a' }, { 0x0251, 'a' }, { 0x03b1, 'a' },
	{ 0x0432, 'b' }, { 0x044c, 'b' }, { 0x0441, 'c' }, { 0x03f2, 'c' },
	{ 0x0501, 'd' }, { 0x0435, 'e' }, { 0x0454, 'e' }, { 0x0261, 'g' },
	{ 0x04bb, 'h' }, { 0x043d, 'h' }, { 0x0456, 'l' }, { 0x03b9, 'l' },
	{ 0x0131, 'l' }, { 0x0458, 'j' }, { 0x03ba, 'k' }, { 0x043a, 'k' },
	{ 0x04cf, 'l' }, { 0x043c, 'm' }, { 0x0578, 'n' }, { 0x03b7, 'n' },
	{ 0x043e, 'o' }, { 0x03bf, 'o' }, { 0x0585, 'o' }, { 0x00f8, 'o' },
	{ 0x0440, 'p' }, { 0x03c1, 'p' }, { 0x0433, 'r' }, { 0x0455, 's' },
	{ 0x0442, 't' }, { 0x03c4, 't' }, { 0x057d, 'u' }, { 0x03c5, 'u' },
	{ 0x03bd, 'v' }, { 0x0475, 'v' }, { 0x0461, 'w' }, { 0x03c9, 'w' },
	{ 0x0445, 'x' }, { 0x03c7, 'x' }, { 0x0443, 'y' }, { 0x03b3, 'y' },
	{ 0x0142, 'l' }, { 0x0111, 'd' }, { 0x0127, 'h' } };

static char
looks_like(uint32_t c)
{
	switch (c) {
	case '0':
		return 'o';
	case '1':
	case 'i':
		return 'l';
	case '5':
		return 's';
	case '3':
		return 'e';
	}
	if (c < 0x80)
		return (char)c;
	for (size_t i = 0; i < sizeof alike / sizeof *alike; i++)
		if (alike[i].letter == c)
			return alike[i].ascii;
	return '\0';
}

/* Accents off, scripts to ASCII, hyphens out. */
static size_t
fold_letters(struct slice text, char out[SKELETON_MAX])
{
	size_t length = 0;

	while (text.length > 0 && length + 4 < SKELETON_MAX) {
		uint32_t c = utf8_next(&text, NULL);
		char ascii;

		if (c == '-' || (c >= 0x300 && c < 0x370))
			continue; /* a combining mark */
		ascii = looks_like(c);
		if (ascii != '\0')
			out[length++] = ascii;
		else
			length += utf8_encode(c, out + length);
	}
	return length;
}

/* rn looks like m, vv like w, cl like d. */
static size_t
fold_pairs(char *text, size_t length)
{
	static const char pairs[][4] = { "rnm", "vvw", "cld" };
	size_t to = 0;

	for (size_t from = 0; from < length; from++) {
		char c = text[from];

		for (size_t i = 0; i < 3 && from + 1 < length; i++)
			if (c == pairs[i][0] && text[from + 1] == pairs[i][1]) {
				c = pairs[i][2];
				from++;
				break;
			}
		text[to++] = c;
	}
	return to;
}

struct slice
lookalike_skeleton(struct arena *arena, struct slice domain)
{
	char name[NAME_MAX_BYTES + 1], skeleton[SKELETON_MAX];
	char *unicode = NULL;
	uint8_t *plain = NULL;
	size_t plain_length = 0, length;

	if (domain.length > NAME_MAX_BYTES)
		return (struct slice){ 0 };
	memcpy(name, domain.data == NULL ? "" : domain.data, domain.length);
	name[domain.length] = '\0';
	if (idn2_to_unicode_8z8z(name, &unicode, 0) != IDN2_OK)
		unicode = NULL;
	plain = u8_normalize(UNINORM_NFKD,
	    (const uint8_t *)(unicode == NULL ? name : unicode),
	    strlen(unicode == NULL ? name : unicode), NULL, &plain_length);
	length = fold_letters(
	    plain == NULL ? slice_text(name) : slice_make(plain, plain_length),
	    skeleton);
	length = fold_pairs(skeleton, length);
	free(plain);
	if (unicode != NULL)
		idn2_free(unicode);
	return arena_copy(arena, slice_make(skeleton, length));
}

/* True when the edit distance (swapped neighbours count one) is at most
 * `most`, which is 1 or 2. */
static bool
is_near(struct slice a, struct slice b, unsigned most)
{
	unsigned rows[3][NAME_MAX_BYTES + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2];

	if (a.length > NAME_MAX_BYTES || b.length > NAME_MAX_BYTES ||
	    a.length > b.length + most || b.length > a.length + most)
		return false;
	for (size_t j = 0; j <= b.length; j++)
		above[j] = (unsigned)j;
	for (size_t i = 1; i <= a.length; i++) {
		unsigned *spare = before, least = row[0] = (unsigned)i;

		for (size_t j = 1; j <= b.length; j++) {
			unsigned cost = a.data[i - 1] != b.data[j - 1];
			unsigned best = above[j - 1] + cost;

			if (above[j] + 1 < best)
				best = above[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			if (i > 1 && j > 1 && cost &&
			    a.data[i - 1] == b.data[j - 2] &&
			    a.data[i - 2] == b.data[j - 1] &&
			    before[j - 2] + 1 < best)
				best = before[j - 2] + 1;
			row[j] = best;
			least = best < least ? best : least;
		}
		if (least > most)
			return false;
		before = above;
		above = row;
		row = spare;
	}
	return above[b.length] <= most;
}

bool
lookalike_any(struct arena *arena, struct slice domain,
    const struct value_list *list, int64_t now)
{
	size_t count = value_list_count(list);

	if (value_list_type_of(list) != LIST_DOMAINS || domain.length == 0 ||
	    value_list_covers_domain(list, domain, now))
		return false;
	for (size_t i = 0; i < count; i++) {
		int64_t expires;
		struct slice entry = value_list_entry(list, i, &expires);
		struct slice name, own, skeleton;

		if (expires != 0 && now >= expires)
			continue;
		if (!domain_canonical(arena, entry, &own))
			continue;
		name = domain_suffix(domain, domain_label_count(own));
		if (name.length > own.length * 3 + 12)
			continue;
		if (is_near(name, own, own.length >= LONG_NAME_LENGTH ? 2 : 1))
			return true;
		skeleton = lookalike_skeleton(arena, own);
		if (skeleton.length > 0 &&
		    slice_equal(lookalike_skeleton(arena, name), skeleton))
			return true;
	}
	return false;
}
