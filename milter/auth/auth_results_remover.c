#include <config.h>

#include <stdint.h>

#include "auth/auth_results_read.h"
#include "auth/auth_results_remover.h"
#include "base/builder.h"
#include "base/domain.h"

#define REMOVALS_MAX      1000000
#define SCRATCH_BYTES_MAX ((size_t)8 << 20) /* of one field's reading */

static bool
is_name_octet(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
	       c == '_';
}

static struct slice
without_final_dot(struct slice name)
{
	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	return name;
}

static bool
is_ascii(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] >= 0x80)
			return false;
	return true;
}

/* Equal as names: case and a final dot aside; by their A-labels where one is
 * not ASCII (full-width letters, U-labels). */
static bool
names_are_equal(struct slice a, struct slice b)
{
	struct slice x, y;
	struct arena *arena;
	bool equal;

	a = without_final_dot(slice_trim(a));
	b = without_final_dot(slice_trim(b));
	if (slice_equal_fold(a, b))
		return true;
	if (is_ascii(a) && is_ascii(b))
		return false;
	arena = arena_new(SCRATCH_BYTES_MAX, NULL);
	/* Without memory the safe answer is that it claims to be ours. */
	equal = arena == NULL;
	if (arena != NULL)
		equal = domain_canonical(arena, a, &x) &&
			domain_canonical(arena, b, &y) && slice_equal(x, y);
	arena_free(&arena);
	return equal;
}

/* True when `id` stands in the text as a word of its own. */
static bool
holds_name(struct slice text, struct slice id)
{
	size_t from = 0;

	if (id.length == 0)
		return false;
	for (;;) {
		struct slice rest = slice_skip(text, from);
		size_t at = slice_find_fold(rest, id), end;

		if (at == SIZE_MAX)
			return false;
		end = from + at + id.length;
		if (end < text.length && text.data[end] == '.')
			end++;
		if ((from + at == 0 ||
			!is_name_octet(text.data[from + at - 1])) &&
		    (end >= text.length || !is_name_octet(text.data[end])))
			return true;
		from += at + 1;
	}
}

/* All before the first semicolon, whatever it stands in. */
static struct slice
raw_head(struct slice value)
{
	size_t semicolon = slice_find_byte(value, ';');

	return slice_range(value, 0, semicolon);
}

/* The id as readers see it that join what blanks and comments part, "mx (c) .
 * example"; a version behind it is cut off. Empty data at the ceiling. */
static struct slice
joined_head(struct arena *arena, struct slice value)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	size_t depth = 0, version = 0;
	bool parted = false, quoted = false, digits = false;

	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];
		bool escaped = c == '\\' && i + 1 < value.length;

		if (escaped)
			c = value.data[++i];
		if (!escaped && depth == 0 && c == '"')
			quoted = !quoted;
		else if (!escaped && !quoted && c == '(')
			depth++;
		else if (!escaped && c == ')' && depth > 0)
			depth--;
		else if (depth == 0 && !quoted && !escaped && c == ';')
			break;
		else if (depth == 0 && (unsigned char)c > ' ') {
			if (!ascii_is_digit(c))
				digits = false;
			else if (parted) {
				digits = true;
				version = out.length;
			}
			builder_byte(&out, c);
			parted = false;
			continue;
		}
		parted = true;
	}
	if (digits)
		out.length = version;
	return builder_result(&out);
}

/* The id by the lenient reader; false when there is none. */
static bool
lenient_id(struct arena *arena, struct slice value, struct slice *id_out)
{
	struct auth_results read;

	if (auth_results_read_lenient(arena, value, &read) != TC_OK)
		return false;
	*id_out = read.authserv_id;
	return true;
}

bool
auth_results_claims(struct slice name, struct slice value,
    const struct slice *ids, size_t id_count)
{
	struct slice head = raw_head(value), found;
	struct arena *arena;
	bool claims;

	if (!slice_equal_text_fold(slice_trim(name), "Authentication-Results"))
		return false;
	/* Some readers decode encoded words in any field. */
	if (slice_find(head, SLICE_LITERAL("=?")) != SIZE_MAX)
		return true;
	for (size_t i = 0; i < id_count; i++)
		if (holds_name(head, without_final_dot(ids[i])))
			return true;
	arena = arena_new(SCRATCH_BYTES_MAX, NULL);
	claims = arena == NULL || !lenient_id(arena, value, &found);
	head = claims ? head : joined_head(arena, value);
	for (size_t i = 0; i < id_count && !claims; i++)
		claims = names_are_equal(found, ids[i]) ||
			 holds_name(head, without_final_dot(ids[i]));
	claims = claims || arena_exhausted(arena);
	arena_free(&arena);
	return claims;
}

/* --------------------------------------------------------------- remover */

struct auth_results_remover
auth_results_remover_make(
    struct arena *arena, const struct slice *ids, size_t id_count)
{
	return (struct auth_results_remover){
		.arena = arena, .ids = ids, .id_count = id_count
	};
}

/* The number of the field among those of its name, from 1; 0: arena. The MTA
 * counts by the name that it hands over, without regard to case. */
static unsigned
count_name(struct auth_results_remover *remover, struct slice name)
{
	struct auth_results_removal *entry;

	for (size_t i = 0; i < remover->names.count; i++) {
		entry = &remover->names.items[i];
		if (slice_equal_fold(entry->name, name))
			return ++entry->index;
	}
	entry = list_append(remover->arena, &remover->names, REMOVALS_MAX);
	if (entry == NULL)
		return 0;
	entry->name = arena_copy(remover->arena, name);
	if (entry->name.data == NULL)
		return 0;
	return entry->index = 1;
}

void
auth_results_remover_header(
    struct auth_results_remover *remover, struct slice name, struct slice value)
{
	struct auth_results_removal *removal;
	unsigned index;

	if (!slice_equal_text_fold(slice_trim(name), "Authentication-Results"))
		return;
	index = count_name(remover, name);
	if (index == 0) {
		remover->failed = true;
		return;
	}
	if (!auth_results_claims(
		name, value, remover->ids, remover->id_count)) {
		remover->kept++;
		return;
	}
	removal = list_append(remover->arena, &remover->removals, REMOVALS_MAX);
	if (removal == NULL)
		remover->failed = true;
	else
		*removal = (struct auth_results_removal){
			.name = arena_copy(remover->arena, name), .index = index
		};
}

bool
auth_results_remover_next(struct auth_results_remover *remover,
    struct auth_results_removal *removal_out)
{
	if (remover->removals.count == 0)
		return false;
	*removal_out = remover->removals.items[--remover->removals.count];
	return true;
}
