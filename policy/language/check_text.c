#include <config.h>

#include "language/check_text.h"
#include "language/foreign.h"
#include "language/node.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

#define PIECES_MAX 200

typedef LIST_OF(struct program_piece) piece_list;

static struct program_piece *
add_piece(const struct scope_place *place, piece_list *pieces,
    enum program_piece_kind kind)
{
	struct program_piece *piece =
	    list_append(place->scope->arena, pieces, PIECES_MAX);

	if (piece == NULL)
		place->scope->full = true;
	else
		piece->kind = kind;
	return piece;
}

/* The collection's first element: from.domain. */
static bool
resolve_first(struct slice name, struct compiled_operand *operand)
{
	size_t dot = slice_find_last_byte(name, '.');
	const struct schema_field *field;
	enum field_id id;
	int member;

	if (dot == SIZE_MAX)
		return false;
	id = schema_find(slice_range(name, 0, dot));
	if (id == FIELD_COUNT || id == FIELD_HEADER || id == FIELD_YARA ||
	    id == FIELD_FEED)
		return false;
	field = &schema_fields[id];
	member = schema_find_member(field, slice_skip(name, dot + 1));
	if (member < 0)
		return false;
	operand->kind = COMPILED_FIRST;
	operand->field = id;
	operand->member = (unsigned)member;
	operand->type = field->members[member].type;
	operand->words = field->members[member].words;
	operand->optional = true;
	return true;
}

/* A collection of which one element has to be named can't stand in a text, so
 * its fields are no proposal either. */
static const char *
suggestion(const struct scope_place *place, struct slice name)
{
	enum field_id field = schema_find(name);
	const char *foreign = foreign_field(name), *text = NULL;

	if (foreign != NULL)
		text = arena_printf(place->scope->arena, "; %s", foreign);
	else if (field == FIELD_SENDER)
		text = "; write {mail-from} for the envelope sender, "
		       "{sender.address} for the header";
	else if (field != FIELD_COUNT && field != FIELD_HEADER &&
		 field != FIELD_FEED && field != FIELD_YARA)
		text = arena_printf(place->scope->arena,
		    "; it is a collection: {%s.%s} is of its first element",
		    schema_fields[field].name,
		    schema_fields[field].members[0].name);
	if (text != NULL)
		return text;
	return slice_starts_with(name, SLICE_LITERAL("feed.")) ||
		       slice_starts_with(name, SLICE_LITERAL("header."))
		   ? ""
		   : scope_suggest(place->scope, name);
}

static bool
resolve_field(const struct scope_place *place, struct slice name, size_t offset,
    struct program_piece *piece)
{
	struct compiled_operand operand = { 0 };
	enum field_id field = schema_find(name);

	if (field != FIELD_COUNT &&
	    schema_fields[field].type != VALUE_COLLECTION) {
		operand.kind = COMPILED_FIELD;
		operand.field = field;
		operand.type = schema_fields[field].type;
		operand.words = schema_fields[field].words;
		operand.optional = schema_fields[field].optional;
	} else if (!resolve_first(name, &operand)) {
		scope_error(place, offset,
		    "unknown field {%.*s} in the text (a brace is written "
		    "{{)%s",
		    SHOWN(name), suggestion(place, name));
		return false;
	}
	if (!scope_use_stage(place, schema_fields[operand.field].stage,
		schema_fields[operand.field].name, offset))
		return false;
	if ((operand.field == FIELD_RCPT ||
		operand.field == FIELD_RCPT_DOMAIN) &&
	    place->stage != STAGE_RCPT) {
		scope_error(place, offset,
		    "{%s} is known to rules at rcpt only; {recipient.address} "
		    "is of the first recipient",
		    schema_fields[operand.field].name);
		return false;
	}
	place->scope->program->needs.fields[operand.field] = true;
	if (operand.kind == COMPILED_FIRST)
		place->scope->program->needs.members[operand.field] |=
		    1u << operand.member;
	piece->operand = node_operand(place, &operand);
	return piece->operand != NULL;
}

static bool
add_field(const struct scope_place *place, piece_list *pieces,
    struct slice name, size_t offset)
{
	static const struct {
		const char *name;
		enum program_piece_kind kind;
	} fixed[] = { { "rule", PIECE_RULE },
		{ "description", PIECE_DESCRIPTION }, { "id", PIECE_ID },
		{ "severity", PIECE_SEVERITY } };
	struct program_piece *piece;

	for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
		if (slice_equal_text(name, fixed[i].name))
			return add_piece(place, pieces, fixed[i].kind) != NULL;
	piece = add_piece(place, pieces, PIECE_VALUE);
	return piece != NULL && resolve_field(place, name, offset, piece);
}

static bool
add_plain(
    const struct scope_place *place, piece_list *pieces, struct slice text)
{
	struct program_piece *piece;

	if (text.length == 0)
		return true;
	piece = add_piece(place, pieces, PIECE_TEXT);
	if (piece != NULL)
		piece->text = text;
	return piece != NULL;
}

static bool
split_text(const struct scope_place *place, const struct token *token,
    piece_list *pieces)
{
	struct slice rest = token->text;
	size_t start = 0, at = 0;

	while (at < rest.length) {
		char c = rest.data[at];
		size_t end;

		if (c != '{' && c != '}') {
			at++;
			continue;
		}
		if (at + 1 < rest.length && rest.data[at + 1] == c) {
			/* A doubled brace: the first of both is text. */
			if (!add_plain(place, pieces,
				slice_range(rest, start, at + 1)))
				return false;
			start = at += 2;
			continue;
		}
		end = slice_find_byte(slice_skip(rest, at), '}');
		if (c == '}' || end == SIZE_MAX) {
			scope_error(place, token->offset,
			    "a single %c in the text; fields stand in {field}, "
			    "a brace is written twice",
			    c);
			return false;
		}
		if (!add_plain(place, pieces, slice_range(rest, start, at)) ||
		    !add_field(place, pieces,
			slice_trim(slice_range(rest, at + 1, at + end)),
			token->offset))
			return false;
		start = at += end + 1;
	}
	return add_plain(place, pieces, slice_skip(rest, start));
}

const struct program_text *
check_text(const struct scope_place *place, const struct token *token)
{
	struct program_text *text =
	    arena_alloc(place->scope->arena, sizeof *text);
	piece_list pieces = { 0 };

	if (text == NULL) {
		place->scope->full = true;
		return NULL;
	}
	if (token->text.length > CHECK_TEXT_MAX) {
		scope_error(place, token->offset,
		    "the text is longer than %d bytes", CHECK_TEXT_MAX);
		return NULL;
	}
	if (!split_text(place, token, &pieces))
		return NULL;
	text->pieces = pieces.items;
	text->count = (unsigned)pieces.count;
	return text;
}
