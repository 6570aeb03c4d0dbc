#include <config.h>

#include "indicator/overlay.h"
#include "language/misfit.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

static bool
has_byte(struct slice text, char byte)
{
	return slice_find_byte(text, byte) != SIZE_MAX;
}

/* .extension == ".iso", or "*.iso". */
static const char *
misfit_extension(struct arena *arena, struct slice text)
{
	size_t dot = slice_find_last_byte(text, '.');
	struct slice bare = dot == SIZE_MAX ? text : slice_skip(text, dot + 1);

	if (!has_byte(text, '*') && (text.length == 0 || text.data[0] != '.'))
		return NULL;
	return arena_printf(arena,
	    "an extension stands without dot and *: \"%.*s\"", SHOWN(bare));
}

/* .name == "*.exe" */
static const char *
misfit_pattern(struct arena *arena, struct slice text)
{
	struct slice tail = text;

	if (!has_byte(text, '*'))
		return NULL;
	while (tail.length > 0 && tail.data[0] == '*')
		tail = slice_skip(tail, 1);
	if (tail.length == 0 || has_byte(tail, '*'))
		return "* stands for itself here; patterns are written with "
		       "matches /.../";
	return arena_printf(arena,
	    "* stands for itself here; write ends-with \"%.*s\", or a pattern "
	    "with matches /.../",
	    SHOWN(tail));
}

static const char *
misfit_scheme(struct arena *arena, struct slice text)
{
	size_t colon = slice_find_byte(text, ':');

	if (colon == SIZE_MAX)
		return NULL;
	return arena_printf(arena,
	    "a scheme stands without its colon: \"%.*s\"",
	    SHOWN(slice_range(text, 0, colon)));
}

/* A digest of another kind, or one that lost a digit on its way. */
static const char *
misfit_digest(struct arena *arena, const struct compiled_operand *left,
    struct slice text, bool part)
{
	size_t digits = left->member == FACT_ATTACHMENT_MD5    ? 32
			: left->member == FACT_ATTACHMENT_SHA1 ? 40
							       : 64;
	bool hexadecimal = true;

	for (size_t i = 0; i < text.length; i++)
		hexadecimal = hexadecimal && ascii_hex_value(text.data[i]) >= 0;
	if (hexadecimal &&
	    (text.length == digits || (part && text.length < digits)))
		return NULL;
	return arena_printf(arena,
	    "this has %zu characters, and .%s is of %zu hexadecimal digits",
	    text.length, schema_fields[left->field].members[left->member].name,
	    digits);
}

/* Entries that were added by hand are of a feed that no configuration has. */
static const char *
misfit_feed(const struct scope_place *place, struct slice text)
{
	const struct settings *settings = &place->scope->program->settings;
	struct arena *arena = place->scope->arena;
	const char **names =
	    arena_alloc_array(arena, settings->feed_count + 1, sizeof *names);
	const char *near;

	if (names == NULL || slice_equal_text_fold(text, OVERLAY_FEED_NAME))
		return NULL;
	for (size_t i = 0; i < settings->feed_count; i++) {
		names[i] = settings->feeds[i].name;
		if (slice_equal_text_fold(text, names[i]))
			return NULL;
	}
	near = diag_suggest(text, names, settings->feed_count);
	return arena_printf(arena, "there is no feed \"%.*s\"%s%s%s",
	    SHOWN(text), near == NULL ? "" : "; did you mean \"",
	    near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

static const char *
misfit_of(const struct scope_place *place, const struct compiled_operand *left,
    struct slice text, bool part)
{
	struct arena *arena = place->scope->arena;

	if (left->kind != COMPILED_MEMBER)
		return NULL;
	if (left->field == FIELD_ATTACHMENT &&
	    (left->member == FACT_ATTACHMENT_EXTENSION ||
		left->member == FACT_ATTACHMENT_EXTENSIONS))
		return misfit_extension(arena, text);
	if ((left->field == FIELD_ATTACHMENT &&
		(left->member == FACT_ATTACHMENT_NAME ||
		    left->member == FACT_ATTACHMENT_TYPE ||
		    left->member == FACT_ATTACHMENT_DETECTED_TYPE)) ||
	    (left->field == FIELD_URL && left->member == FACT_URL_URL))
		return misfit_pattern(arena, text);
	if (left->field == FIELD_ATTACHMENT &&
	    (left->member == FACT_ATTACHMENT_MD5 ||
		left->member == FACT_ATTACHMENT_SHA1 ||
		left->member == FACT_ATTACHMENT_SHA256))
		return misfit_digest(arena, left, text, part);
	if (left->field == FIELD_URL && left->member == FACT_URL_SCHEME)
		return misfit_scheme(arena, text);
	if (left->field == FIELD_INDICATOR &&
	    left->member == FACT_INDICATOR_FEED)
		return misfit_feed(place, text);
	return NULL;
}

void
misfit_text(const struct scope_place *place,
    const struct compiled_operand *left, const struct token *token, bool part)
{
	const char *problem;

	if (token == NULL || token->kind != TOKEN_STRING || token->bad)
		return;
	problem = misfit_of(place, left, token->text, part);
	if (problem != NULL)
		diag_at(place->scope->diag, DIAG_WARNING, place->file->source,
		    token->offset, "this can't match: %s", problem);
}

void
misfit_ruleset(const struct scope_place *place, const struct token *token)
{
	const char *problem = misfit_feed(place, token->text);

	if (problem != NULL)
		diag_at(place->scope->diag, DIAG_WARNING, place->file->source,
		    token->offset,
		    "this can't match; a rule set has the name of the feed "
		    "that brings it: %s",
		    problem);
}
