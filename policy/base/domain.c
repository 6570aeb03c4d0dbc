#include <config.h>

#include <idn2.h>
#include <libpsl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/domain.h"

#define LABEL_MAX 63 /* RFC 1035, 2.3.4 */

static bool
labels_are_sound(struct slice name)
{
	size_t label = 0;

	if (name.length == 0 || name.length > DOMAIN_TEXT_MAX)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (c == '.') {
			if (label == 0)
				return false;
			label = 0;
			continue;
		}
		if (c <= ' ' || c >= 0x7f || ++label > LABEL_MAX)
			return false;
	}
	return label > 0;
}

static bool
has_octet_above_ascii(struct slice name)
{
	for (size_t i = 0; i < name.length; i++)
		if ((unsigned char)name.data[i] >= 0x80)
			return true;
	return false;
}

/* A name with U-labels, by libidn2 in its non-transitional UTS 46 mapping. */
static bool
to_ascii(struct arena *arena, struct slice name, struct slice *ascii_out)
{
	char *text, *ascii = NULL;
	bool good;

	if (name.length > 4 * DOMAIN_TEXT_MAX ||
	    slice_find_byte(name, '\0') != SIZE_MAX)
		return false;
	text = arena_text(arena, name);
	if (text == NULL ||
	    idn2_to_ascii_8z(
		text, &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*ascii_out = arena_copy(arena, slice_text(ascii));
	good = ascii_out->data != NULL;
	idn2_free(ascii);
	return good;
}

bool
domain_canonical(
    struct arena *arena, struct slice name, struct slice *domain_out)
{
	struct slice ascii = name;
	char *lower;

	if (has_octet_above_ascii(name) && !to_ascii(arena, name, &ascii))
		return false;
	if (ascii.length > 0 && ascii.data[ascii.length - 1] == '.')
		ascii.length--;
	if (!labels_are_sound(ascii))
		return false;
	lower = arena_text(arena, ascii);
	if (lower == NULL)
		return false;
	for (size_t i = 0; i < ascii.length; i++)
		lower[i] = ascii_lower(lower[i]);
	*domain_out = slice_make(lower, ascii.length);
	return true;
}

/* The host of what stands after :// or in front of the first slash. */
static struct slice
host_of_url(struct slice text)
{
	size_t scheme = slice_find(text, SLICE_LITERAL("://")), at;

	if (scheme != SIZE_MAX)
		text = slice_skip(text, scheme + 3);
	for (size_t i = 0; i < text.length; i++)
		if (strchr("/?#", text.data[i]) != NULL) {
			text = slice_range(text, 0, i);
			break;
		}
	at = slice_find_last_byte(text, '@');
	if (at != SIZE_MAX)
		text = slice_skip(text, at + 1);
	at = slice_find_last_byte(text, ':');
	if (at != SIZE_MAX && text.data[0] != '[')
		text = slice_range(text, 0, at);
	return text;
}

static const char *
instead(struct arena *arena, const char *of, struct slice name)
{
	const char *text = NULL;

	if (name.length > 0 && name.length <= DOMAIN_TEXT_MAX)
		text = arena_printf(arena, "; %s it is \"%.*s\"", of,
		    (int)name.length, name.data);
	return text == NULL ? "" : text;
}

/* name:443, but no IPv6 address and no [IPv6:...] of a mail address. */
static bool
has_port(struct slice text, size_t *colon_out)
{
	size_t colon = slice_find_byte(text, ':');

	*colon_out = colon;
	if (colon == SIZE_MAX || colon == 0 || text.data[0] == '[')
		return false;
	for (size_t i = colon + 1; i < text.length; i++)
		if (!ascii_is_digit(text.data[i]))
			return false;
	return true;
}

const char *
domain_misread(struct arena *arena, struct slice text)
{
	size_t at = slice_find_last_byte(text, '@');

	if (slice_find_byte(text, '/') != SIZE_MAX)
		return instead(arena, "of this URL", host_of_url(text));
	if (at != SIZE_MAX)
		return instead(arena,
		    at == 0 ? "without the @" : "of this address",
		    slice_skip(text, at + 1));
	if (has_port(text, &at))
		return instead(
		    arena, "without the port", slice_range(text, 0, at));
	for (size_t i = 0; i < text.length; i++)
		if (text.data[i] == '\0' ||
		    strchr("*?<>()\"\\,;|^{}", text.data[i]) != NULL)
			return "";
	return NULL;
}

bool
domain_is_under(struct slice name, struct slice parent)
{
	if (parent.length == 0 || !slice_ends_with(name, parent))
		return false;
	return name.length == parent.length ||
	       name.data[name.length - parent.length - 1] == '.';
}

struct slice
domain_parent(struct slice name)
{
	struct slice head;

	return slice_split(name, '.', &head);
}

unsigned
domain_label_count(struct slice name)
{
	unsigned count = name.length > 0;

	for (size_t i = 0; i < name.length; i++)
		count += name.data[i] == '.';
	return count;
}

struct slice
domain_suffix(struct slice name, unsigned count)
{
	for (unsigned have = domain_label_count(name); have > count; have--)
		name = domain_parent(name);
	return count == 0 ? slice_make(NULL, 0) : name;
}

static psl_ctx_t *suffix_list;
static pthread_once_t suffix_once = PTHREAD_ONCE_INIT;

static void
suffix_load(void)
{
	/* The newer of Debian's publicsuffix file and the built-in copy. */
	suffix_list = psl_latest(NULL);
}

static const psl_ctx_t *
suffixes(void)
{
	pthread_once(&suffix_once, suffix_load);
	return suffix_list;
}

struct slice
domain_registrable(struct slice name)
{
	char copy[DOMAIN_TEXT_MAX + 1];
	const char *found;

	if (name.length == 0 || name.length > DOMAIN_TEXT_MAX)
		return name;
	memcpy(copy, name.data, name.length);
	copy[name.length] = '\0';
	found = psl_registrable_domain(suffixes(), copy);
	return found == NULL ? name : slice_skip(name, (size_t)(found - copy));
}

bool
domain_is_public_suffix(struct slice name)
{
	char copy[DOMAIN_TEXT_MAX + 1];

	if (name.length == 0 || name.length > DOMAIN_TEXT_MAX)
		return false;
	memcpy(copy, name.data, name.length);
	copy[name.length] = '\0';
	return psl_is_public_suffix(suffixes(), copy) != 0;
}

bool
domain_has_listed_suffix(struct slice name)
{
	size_t dot = slice_find_last_byte(name, '.');
	char last[LABEL_MAX + 1];

	if (dot == SIZE_MAX || name.length - dot - 1 > LABEL_MAX)
		return false;
	memcpy(last, name.data + dot + 1, name.length - dot - 1);
	last[name.length - dot - 1] = '\0';
	return psl_is_public_suffix2(suffixes(), last,
		   PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}
