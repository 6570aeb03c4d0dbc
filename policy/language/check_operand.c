#include <config.h>

#include "base/address.h"
#include "base/compose.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "indicator/feed.h"
#include "language/check_expr.h"
#include "language/check_operand.h"
#include "language/foreign.h"
#include "language/misfit.h"
#include "language/moment.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

struct slice
check_operand_text(
    const struct scope_place *place, const struct ast_operand *ast)
{
	return slice_range(place->file->source->text, ast->offset, ast->end);
}

bool
check_operand_is_literal(const struct ast_operand *ast)
{
	return ast->kind == OPERAND_LITERAL;
}

static void
need_field(const struct scope_place *place, enum field_id field)
{
	place->scope->program->needs.fields[field] = true;
}

/* Adds a text to a list of needs unless it is there. */
static const char *
need_text(const struct scope_place *place, struct slice text, bool header)
{
	struct program *program = place->scope->program;
	struct slice folded = utf8_fold_slice(place->scope->arena, text);
	const char **slot;

	for (size_t i = 0; header && i < program->need_headers.count; i++)
		if (slice_equal_text(folded, program->need_headers.items[i]))
			return program->need_headers.items[i];
	for (size_t i = 0; !header && i < program->need_rulesets.count; i++)
		if (slice_equal_text(text, program->need_rulesets.items[i]))
			return program->need_rulesets.items[i];
	if (header)
		slot = list_append(place->scope->arena, &program->need_headers,
		    SCOPE_TEXTS_MAX);
	else
		slot = list_append(place->scope->arena, &program->need_rulesets,
		    SCOPE_TEXTS_MAX);
	if (slot != NULL)
		*slot = arena_text(place->scope->arena, header ? folded : text);
	if (slot == NULL || *slot == NULL) {
		place->scope->full = true;
		return "";
	}
	return *slot;
}

static bool
indexed_collection(const struct scope_place *place,
    const struct ast_operand *ast, struct check_collection *collection)
{
	if (slice_equal_text(ast->text, "feed")) {
		scope_error(place, ast->offset,
		    "this is one feed, not a collection; write "
		    "feed[\"%.*s\"].age > 2d, or any feed (.age > 2d)",
		    SHOWN(ast->token->text));
		return false;
	}
	if (!slice_equal_text(ast->text, "header")) {
		scope_error(place, ast->offset,
		    "only header and feed take a name in brackets: "
		    "header[\"X-Mailer\"], feed[\"cert\"].age");
		return false;
	}
	collection->field = FIELD_HEADER;
	collection->filter = need_text(place, ast->token->text, true);
	return true;
}

static bool
call_collection(const struct scope_place *place, const struct ast_operand *ast,
    struct check_collection *collection)
{
	const struct ast_operand *argument = ast->items;

	if (!slice_equal_text(ast->text, "yara")) {
		scope_error(place, ast->offset, "%.*s() gives no collection",
		    SHOWN(ast->text));
		return false;
	}
	if (argument == NULL || argument->next != NULL ||
	    argument->kind != OPERAND_LITERAL ||
	    argument->token->kind != TOKEN_STRING) {
		scope_error(place, ast->offset,
		    "yara takes the name of a rule set: yara(\"ruleset\")");
		return false;
	}
	misfit_ruleset(place, argument->token);
	collection->field = FIELD_YARA;
	collection->filter = need_text(place, argument->token->text, false);
	return true;
}

static bool
named_collection(const struct scope_place *place, const struct ast_operand *ast,
    struct check_collection *collection)
{
	enum field_id field = schema_find(ast->text);

	if (field == FIELD_COUNT) {
		const char *known = foreign_collection(ast->text);

		if (known != NULL)
			scope_error(place, ast->offset,
			    "unknown collection \"%.*s\"; it is called %s here",
			    SHOWN(ast->text), known);
		else
			scope_error(place, ast->offset,
			    "unknown collection \"%.*s\"%s", SHOWN(ast->text),
			    scope_suggest(place->scope, ast->text));
		return false;
	}
	if (schema_fields[field].type != VALUE_COLLECTION) {
		scope_error(place, ast->offset,
		    "%s is a single value; any, all, no and count take a "
		    "collection",
		    schema_fields[field].name);
		return false;
	}
	if (field == FIELD_HEADER || field == FIELD_YARA) {
		scope_error(place, ast->offset, "%s needs to know which: %s",
		    schema_fields[field].name,
		    field == FIELD_HEADER ? "header[\"X-Mailer\"]"
					  : "yara(\"ruleset\")");
		return false;
	}
	collection->field = field;
	return true;
}

bool
check_collection(const struct scope_place *place, const struct ast_operand *ast,
    struct check_collection *collection_out)
{
	bool good = false;

	*collection_out = (struct check_collection){ FIELD_COUNT, NULL };
	if (ast->kind == OPERAND_INDEXED)
		good = indexed_collection(place, ast, collection_out);
	else if (ast->kind == OPERAND_CALL)
		good = call_collection(place, ast, collection_out);
	else if (ast->kind == OPERAND_NAME)
		good = named_collection(place, ast, collection_out);
	else
		scope_error(place, ast->offset,
		    "a collection (such as from, url or attachment) must stand "
		    "here");
	if (!good)
		return false;
	need_field(place, collection_out->field);
	if (collection_out->field == FIELD_ANALYSIS_GAP)
		place->traits->incomplete = true;
	return scope_use_stage(place,
	    schema_fields[collection_out->field].stage,
	    schema_fields[collection_out->field].name, ast->offset);
}

static bool
use_member(const struct scope_place *place, enum field_id field,
    unsigned member, struct compiled_operand *operand)
{
	const struct schema_member *entry =
	    &schema_fields[field].members[member];

	operand->kind = COMPILED_MEMBER;
	operand->type = entry->type;
	operand->words = entry->words;
	operand->optional = entry->optional;
	operand->field = field;
	operand->member = member;
	place->scope->program->needs.members[field] |= 1u << member;
	return true;
}

/* .name inside any C (...). */
static bool
resolve_member(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand)
{
	const struct schema_field *field;
	const char *names[SCHEMA_MEMBERS_MAX];
	const char *near;
	int member;

	if (place->collection == FIELD_COUNT) {
		scope_error(place, ast->offset,
		    ".%.*s is the field of an element; it stands inside any C "
		    "(...), all C (...) or no C (...)",
		    SHOWN(ast->text));
		return false;
	}
	field = &schema_fields[place->collection];
	member = schema_find_member(field, ast->text);
	if (member >= 0 &&
	    !(place->collection == FIELD_YARA && member == FACT_YARA_RULESET))
		return use_member(
		    place, place->collection, (unsigned)member, operand);
	for (unsigned i = 0; i < field->member_count; i++)
		names[i] = field->members[i].name;
	near = foreign_member(ast->text);
	if (near == NULL || schema_find_member(field, slice_text(near)) < 0)
		near = diag_suggest(ast->text, names, field->member_count);
	scope_error(place, ast->offset, "%s has no field .%.*s%s%s%s",
	    field->name, SHOWN(ast->text),
	    near == NULL ? "" : "; did you mean .", near == NULL ? "" : near,
	    near == NULL ? "" : "?");
	return false;
}

/* Operators of Postfix call so what the client says at MAIL FROM. */
static const char *
not_the_envelope(enum field_id field)
{
	return field == FIELD_SENDER
		   ? "; the header Sender is meant, and the envelope sender is "
		     "mail-from"
		   : "";
}

/* from.domain and the like: the collection's name and a member's. */
static bool
resolve_dotted(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand, bool *bare_from)
{
	size_t dot = slice_find_last_byte(ast->text, '.');
	struct slice collection, member_name;
	enum field_id field;
	int member;

	if (dot == SIZE_MAX)
		return false;
	collection = slice_range(ast->text, 0, dot);
	member_name = slice_skip(ast->text, dot + 1);
	field = schema_find(collection);
	if (field == FIELD_COUNT ||
	    schema_fields[field].type != VALUE_COLLECTION)
		return false;
	member = schema_find_member(&schema_fields[field], member_name);
	if (member < 0)
		return false;
	if (field != FIELD_FROM || place->negative || place->exemption) {
		scope_error(place, ast->offset,
		    "%.*s needs a quantifier, since there can be several: "
		    "write %s %.*s (.%.*s ...)%s",
		    SHOWN(ast->text), place->exemption ? "all" : "any",
		    SHOWN(collection), SHOWN(member_name),
		    not_the_envelope(field));
		operand->type = VALUE_COLLECTION; /* reported */
		return false;
	}
	*bare_from = true;
	place->traits->bare_from = true;
	need_field(place, field);
	if (!scope_use_stage(
		place, schema_fields[field].stage, "from", ast->offset))
		return false;
	return use_member(place, field, (unsigned)member, operand);
}

static bool
use_field(const struct scope_place *place, const struct ast_operand *ast,
    enum field_id field, struct compiled_operand *operand)
{
	const struct schema_field *entry = &schema_fields[field];

	if (entry->type == VALUE_COLLECTION) {
		scope_error(place, ast->offset,
		    "%s is a collection; write any %s (.%s ...), all %s (...) "
		    "or no %s (...)%s",
		    entry->name, entry->name, entry->members[0].name,
		    entry->name, entry->name, not_the_envelope(field));
		return false;
	}
	if (place->collection != FIELD_COUNT &&
	    schema_find_member(&schema_fields[place->collection],
		slice_text(entry->name)) >= 0) {
		scope_error(place, ast->offset,
		    "%s is the message's; the element's is .%s, and what is "
		    "asked of the message stands outside the parentheses",
		    entry->name, entry->name);
		return false;
	}
	if (field == FIELD_RCPT || field == FIELD_RCPT_DOMAIN) {
		place->traits->rcpt = true;
		if (!place->is_let && place->stage != STAGE_RCPT) {
			scope_error(place, ast->offset,
			    "%s is known to rules at rcpt only; write any "
			    "recipient (...)",
			    entry->name);
			return false;
		}
	}
	if (field == FIELD_ANALYSIS_INCOMPLETE)
		place->traits->incomplete = true;
	operand->kind = COMPILED_FIELD;
	operand->type = entry->type;
	operand->words = entry->words;
	operand->optional = entry->optional;
	operand->field = field;
	need_field(place, field);
	return scope_use_stage(place, entry->stage, entry->name, ast->offset);
}

/* The first field that begins with this word and a dot: body gives body.text;
 * NULL: none. */
static const char *
first_below(struct slice word)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		struct slice field = slice_text(schema_fields[i].name);

		if (field.length > word.length &&
		    slice_starts_with(field, word) &&
		    field.data[word.length] == '.')
			return schema_fields[i].name;
	}
	return NULL;
}

/* The field before the last dot, where it is one without such a part:
 * rcpt.address; NULL: none. */
static const struct schema_field *
field_above(struct slice name)
{
	enum field_id field;
	size_t dot = name.length;

	while (dot > 0 && name.data[dot - 1] != '.')
		dot--;
	if (dot == 0)
		return NULL;
	field = schema_find(slice_range(name, 0, dot - 1));
	return field == FIELD_COUNT ||
		       schema_fields[field].type == VALUE_COLLECTION
		   ? NULL
		   : &schema_fields[field];
}

/* What the name was meant to be: an element's member without its dot, a header
 * as other languages write it, a field's first word, a name near to this one,
 * or a host without quotation marks. */
static const char *
suggestion(const struct scope_place *place, struct slice name)
{
	struct arena *arena = place->scope->arena;
	const char *near = NULL, *below = first_below(name);
	const struct schema_field *above = field_above(name);
	const char *foreign = foreign_field(name);

	if (foreign != NULL)
		near = arena_printf(arena, "; %s", foreign);
	else if (place->collection != FIELD_COUNT &&
		 schema_find_member(&schema_fields[place->collection], name) >=
		     0)
		near = arena_printf(arena,
		    "; inside any, all, no and count a field of the element "
		    "begins with a dot: .%.*s",
		    SHOWN(name));
	else if (slice_starts_with(name, SLICE_LITERAL("header.")))
		near = arena_printf(arena,
		    "; a header is named in brackets: any header[\"%.*s\"] "
		    "(.value ...)",
		    SHOWN(slice_skip(name, 7)));
	else if (below != NULL)
		near = arena_printf(arena, "; did you mean \"%s\"?", below);
	else if (above != NULL)
		near = arena_printf(arena,
		    "; %s is one value, without such a part", above->name);
	if (near != NULL)
		return near;
	near = scope_suggest(place->scope, name);
	return *near == '\0' && slice_find_byte(name, '.') != SIZE_MAX
		   ? "; a domain name would stand in quotation marks"
		   : near;
}

static bool
resolve_name(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand, bool *bare_from)
{
	enum field_id field = schema_find(ast->text);

	if (field != FIELD_COUNT)
		return use_field(place, ast, field, operand);
	operand->type = VALUE_BOOL;
	if (resolve_dotted(place, ast, operand, bare_from))
		return true;
	if (operand->type == VALUE_COLLECTION)
		return false; /* reported */
	if (scope_list(place->scope, ast->text) != NULL)
		scope_error(place, ast->offset,
		    "%.*s is a list; a list stands after in, under or contains "
		    "any",
		    SHOWN(ast->text));
	else if (scope_symbol(place->scope, ast->text) != NULL)
		scope_error(place, ast->offset,
		    "%.*s is a truth value and can't be compared; write it "
		    "alone, or not %.*s",
		    SHOWN(ast->text), SHOWN(ast->text));
	else
		scope_error(place, ast->offset, "unknown field \"%.*s\"%s",
		    SHOWN(ast->text), suggestion(place, ast->text));
	return false;
}

static bool
is_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_DOMAIN ||
	       type == VALUE_ADDRESS;
}

static const struct compiled_operand *
keep(const struct scope_place *place, const struct compiled_operand *operand)
{
	struct compiled_operand *kept =
	    arena_alloc(place->scope->arena, sizeof *kept);

	if (kept == NULL)
		place->scope->full = true;
	else
		*kept = *operand;
	return kept;
}

/* length(C) of a collection counts its elements. */
static bool
length_of_collection(const struct scope_place *place,
    const struct ast_operand *argument, struct compiled_operand *operand)
{
	struct check_collection collection;
	enum field_id field = schema_find(argument->text);

	if (argument->kind != OPERAND_INDEXED &&
	    !(argument->kind == OPERAND_CALL &&
		slice_equal_text(argument->text, "yara")) &&
	    !(argument->kind == OPERAND_NAME && field != FIELD_COUNT &&
		schema_fields[field].type == VALUE_COLLECTION))
		return false;
	operand->type = VALUE_INTEGER;
	operand->kind = COMPILED_COUNT;
	if (!check_collection(place, argument, &collection))
		return false;
	operand->field = collection.field;
	operand->filter = collection.filter;
	return true;
}

static void
unknown_function(const struct scope_place *place, const struct ast_operand *ast)
{
	static const char *const names[] = { "lookalike", "registrable",
		"lower", "length", "yara" };
	const char *near = diag_suggest(ast->text, names, 5);
	const char *instead = foreign_field(ast->text);

	if (instead != NULL)
		scope_error(place, ast->offset, "unknown function \"%.*s\"; %s",
		    SHOWN(ast->text), instead);
	else
		scope_error(place, ast->offset,
		    "unknown function \"%.*s\"%s%s%s", SHOWN(ast->text),
		    near == NULL ? "" : "; did you mean \"",
		    near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

static bool
resolve_call(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand, bool *bare_from)
{
	const struct ast_operand *argument = ast->items;
	struct compiled_operand inner = { 0 };
	bool length = slice_equal_text(ast->text, "length");
	bool registrable = slice_equal_text(ast->text, "registrable");

	if (slice_equal_text(ast->text, "yara")) {
		scope_error(place, ast->offset,
		    "yara gives a collection: any yara(\"ruleset\"), or any "
		    "yara(\"ruleset\") (.rule ...)");
		return false;
	}
	if (!length && !registrable && !slice_equal_text(ast->text, "lower")) {
		unknown_function(place, ast);
		return false;
	}
	if (argument == NULL || argument->next != NULL) {
		scope_error(place, ast->offset, "%.*s takes one argument",
		    SHOWN(ast->text));
		return false;
	}
	if (length && length_of_collection(place, argument, operand))
		return true;
	if (length && operand->kind == COMPILED_COUNT)
		return false; /* reported */
	if (!check_operand_value(place, argument, &inner, bare_from))
		return false;
	if (registrable ? inner.type != VALUE_DOMAIN
			: !is_text(inner.type) &&
			      !(length && inner.type == VALUE_STRINGS)) {
		scope_error(place, argument->offset,
		    "%.*s takes %s, and this is %s", SHOWN(ast->text),
		    registrable ? "a domain" : "a string",
		    value_type_phrase(inner.type));
		return false;
	}
	operand->kind = length        ? COMPILED_LENGTH
			: registrable ? COMPILED_REGISTRABLE
				      : COMPILED_LOWER;
	operand->type = length        ? VALUE_INTEGER
			: registrable ? VALUE_DOMAIN
				      : VALUE_STRING;
	operand->optional = inner.optional;
	operand->field = inner.field;
	operand->member = inner.member;
	operand->inner = keep(place, &inner);
	return operand->inner != NULL;
}

static bool
resolve_count(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand)
{
	struct check_collection collection;

	if (ast->collection == NULL || ast->collection->kind == OPERAND_BAD ||
	    !check_collection(place, ast->collection, &collection))
		return false;
	operand->kind = COMPILED_COUNT;
	operand->type = VALUE_INTEGER;
	operand->field = collection.field;
	operand->filter = collection.filter;
	if (ast->condition == NULL)
		return true;
	operand->condition =
	    check_expr_inside(place, collection.field, ast->condition, true);
	return operand->condition != NULL;
}

bool
check_operand_feed(const struct scope_place *place, const struct token *name)
{
	const struct program *program = place->scope->program;
	const struct settings *settings;
	const char **names;
	const char *near;

	if (program == NULL)
		return true; /* a test that runs: loading has seen to it */
	settings = &program->settings;
	names = arena_alloc_array(
	    place->scope->arena, settings->feed_count + 1, sizeof *names);
	if (names == NULL) {
		place->scope->full = true;
		return false;
	}
	for (size_t i = 0; i < settings->feed_count; i++) {
		names[i] = settings->feeds[i].name;
		if (slice_equal_text(name->text, names[i]))
			return true;
	}
	near = diag_suggest(name->text, names, settings->feed_count);
	if (near != NULL)
		scope_error(place, name->offset,
		    "there is no feed \"%.*s\"; did you mean \"%s\"?",
		    SHOWN(name->text), near);
	else
		scope_error(place, name->offset,
		    "there is no feed \"%.*s\"; feeds are declared in "
		    "tocsin.conf: feed %.*s { source ... }",
		    SHOWN(name->text), SHOWN(name->text));
	return false;
}

/* feed["x"].age */
static bool
resolve_feed(const struct scope_place *place, const struct ast_operand *ast,
    struct compiled_operand *operand)
{
	int member =
	    schema_find_member(&schema_fields[FIELD_FEED], ast->member);

	if (member != FACT_FEED_AGE) {
		scope_error(place, ast->offset,
		    "of a feed rules can ask its age: feed[\"%.*s\"].age",
		    SHOWN(ast->token->text));
		return false;
	}
	if (!check_operand_feed(place, ast->token))
		return false;
	need_field(place, FIELD_FEED);
	use_member(place, FIELD_FEED, (unsigned)member, operand);
	operand->kind = COMPILED_FIRST;
	operand->optional = true;
	operand->filter = arena_text(place->scope->arena, ast->token->text);
	if (operand->filter == NULL) {
		place->scope->full = true;
		return false;
	}
	return scope_use_stage(
	    place, schema_fields[FIELD_FEED].stage, "feed", ast->offset);
}

bool
check_operand_value(const struct scope_place *place,
    const struct ast_operand *ast, struct compiled_operand *operand_out,
    bool *bare_from_out)
{
	memset(operand_out, 0, sizeof *operand_out);
	operand_out->exactly = ast->exactly;
	switch (ast->kind) {
	case OPERAND_NAME:
		return resolve_name(place, ast, operand_out, bare_from_out);
	case OPERAND_MEMBER:
		return resolve_member(place, ast, operand_out);
	case OPERAND_CALL:
		return resolve_call(place, ast, operand_out, bare_from_out);
	case OPERAND_COUNT:
		return resolve_count(place, ast, operand_out);
	case OPERAND_INDEXED:
		if (slice_equal_text(ast->text, "feed"))
			return resolve_feed(place, ast, operand_out);
		scope_error(place, ast->offset,
		    "there can be several such headers; write any "
		    "%.*s[\"%.*s\"] (.value ...), or no %.*s[\"%.*s\"] "
		    "where there is none",
		    SHOWN(ast->text), SHOWN(ast->token->text), SHOWN(ast->text),
		    SHOWN(ast->token->text));
		return false;
	case OPERAND_LITERAL:
	case OPERAND_REGEX:
	case OPERAND_LIST:
		scope_error(place, ast->offset,
		    "a field must stand here; the value to compare with comes "
		    "after the operator");
		return false;
	case OPERAND_BAD:
		break;
	}
	return false;
}

/* ------------------------------------------------------------- literals */

static bool
wrong_type(const struct scope_place *place, const struct token *token,
    const struct compiled_operand *like)
{
	static const char *const examples[] = {
		[VALUE_BOOL] = "true or false",
		[VALUE_INTEGER] = "a number",
		[VALUE_SIZE] = "a size such as 10MB",
		[VALUE_DURATION] = "a duration such as 5m",
		[VALUE_TIME] = "a time such as 2026-11-23T10:00:00Z",
		[VALUE_ENUM] = "a word without quotation marks",
		[VALUE_STRING] = "a string in quotation marks",
		[VALUE_DOMAIN] = "a domain in quotation marks",
		[VALUE_ADDRESS] = "an address in quotation marks",
		[VALUE_IP] = "an IP address without quotation marks",
		[VALUE_STRINGS] = "a string in quotation marks",
		[VALUE_COLLECTION] = "a quantifier",
	};

	if (token->bad)
		return false; /* was reported */
	if (like->type == VALUE_DOMAIN &&
	    (token->kind == TOKEN_IP || token->kind == TOKEN_NETWORK)) {
		scope_error(place, token->offset,
		    "this is a name, also where an address stands in its "
		    "place: one is asked for as \"192.0.2.1\", any of them "
		    "with matches /^[0-9.]+$|:/");
		return false;
	}
	scope_error(place, token->offset,
	    "this can't be compared with %s; write %s",
	    value_type_phrase(like->type), examples[like->type]);
	return false;
}

static bool
read_word(const struct scope_place *place, const struct token *token,
    const struct schema_enum *words, struct value *value)
{
	int word = token->kind == TOKEN_WORD
		       ? schema_find_word(words, token->text)
		       : -1;
	const char *near;
	struct builder all;

	if (word >= 0) {
		value_set_number(value, word);
		return true;
	}
	near = diag_suggest(token->text, words->words, words->count);
	if (near != NULL && token->kind == TOKEN_STRING) {
		scope_error(place, token->offset,
		    "words of an enumeration stand without quotation marks: %s",
		    near);
		return false;
	}
	if (near != NULL) {
		scope_error(place, token->offset,
		    "unknown %s \"%.*s\"; did you mean \"%s\"?", words->name,
		    SHOWN(token->text), near);
		return false;
	}
	all = builder_make(place->scope->arena, 400);
	for (unsigned i = 0; i < words->count; i++)
		builder_printf(
		    &all, "%s%s", i == 0 ? "" : ", ", words->words[i]);
	scope_error(place, token->offset, "unknown %s \"%.*s\"; there are %s",
	    words->name, SHOWN(token->text),
	    builder_c_string(&all) == NULL ? "many (see tocsin fields)"
					   : builder_c_string(&all));
	return false;
}

/* What no domain or address can be. Odd ones are compared as they are: mail
 * has them. */
static bool
refuse_no_name(const struct scope_place *place, const struct token *token,
    enum value_type type)
{
	const char *instead;

	if (type == VALUE_ADDRESS) {
		if (!address_is_misread(token->text))
			return false;
		scope_error(place, token->offset,
		    "\"%.*s\" is not a mail address", SHOWN(token->text));
		return true;
	}
	instead = domain_misread(place->scope->arena, token->text);
	if (instead == NULL && slice_find_byte(token->text, ' ') == SIZE_MAX)
		return false;
	scope_error(place, token->offset, "\"%.*s\" is not a domain name%s",
	    SHOWN(token->text), instead == NULL ? "" : instead);
	return true;
}

/* *.example.org and .example.org, as other programs have them. */
static bool
refuse_wildcard(const struct scope_place *place, const struct token *token)
{
	struct slice name = token->text;

	while (name.length > 0 && (name.data[0] == '*' || name.data[0] == '.'))
		name = slice_skip(name, 1);
	if (name.length == token->text.length)
		return false;
	scope_error(place, token->offset,
	    "\"%.*s\" is not a domain name; a name with all below it is "
	    "asked for with under \"%.*s\"",
	    SHOWN(token->text), SHOWN(name));
	return true;
}

static bool
read_text(const struct scope_place *place, const struct token *token,
    const struct compiled_operand *like, struct value *value)
{
	struct arena *arena = place->scope->arena;

	if (token->kind != TOKEN_STRING)
		return wrong_type(place, token, like);
	if (like->type == VALUE_DOMAIN && refuse_wildcard(place, token))
		return false;
	if ((like->type == VALUE_DOMAIN || like->type == VALUE_ADDRESS) &&
	    refuse_no_name(place, token, like->type))
		return false;
	if (like->type == VALUE_DOMAIN)
		value_set_domain(arena, value, token->text);
	else if (like->type == VALUE_ADDRESS)
		value_set_address(
		    arena, value, compose_slice(arena, token->text));
	else
		value_set_text(value, compose_slice(arena, token->text));
	if (value->state != VALUE_PRESENT)
		scope_error(place, token->offset,
		    "%s can't be empty; to ask whether there is none write is "
		    "missing",
		    value_type_phrase(like->type));
	value->folded = utf8_fold_slice(arena, value->text);
	return value->state == VALUE_PRESENT;
}

static bool
read_number(const struct scope_place *place, const struct token *token,
    const struct compiled_operand *like, struct value *value)
{
	bool fits = token->kind == TOKEN_INTEGER &&
		    (like->type == VALUE_INTEGER || like->type == VALUE_SIZE);

	fits = fits ||
	       (token->kind == TOKEN_SIZE &&
		   (like->type == VALUE_SIZE || like->type == VALUE_INTEGER));
	fits = fits ||
	       (token->kind == TOKEN_DURATION && like->type == VALUE_DURATION);
	if (!fits)
		return wrong_type(place, token, like);
	value_set_number(value, (int64_t)token->number);
	return true;
}

bool
check_operand_token(const struct scope_place *place, const struct token *token,
    const struct compiled_operand *like, struct value *value_out)
{
	int64_t moment;

	switch (like->type) {
	case VALUE_BOOL:
		if (token->kind != TOKEN_WORD ||
		    (!slice_equal_text(token->text, "true") &&
			!slice_equal_text(token->text, "false")))
			return wrong_type(place, token, like);
		value_set_bool(value_out, token->text.data[0] == 't');
		return true;
	case VALUE_INTEGER:
	case VALUE_SIZE:
	case VALUE_DURATION:
		return read_number(place, token, like, value_out);
	case VALUE_TIME:
		if (token->kind != TOKEN_TIME)
			return wrong_type(place, token, like);
		if (!moment_parse(token->text, false, &moment))
			return false; /* the lexer said so */
		value_set_number(value_out, moment);
		return true;
	case VALUE_ENUM:
		return read_word(place, token, like->words, value_out);
	case VALUE_STRING:
	case VALUE_DOMAIN:
	case VALUE_ADDRESS:
	case VALUE_STRINGS:
		return read_text(place, token, like, value_out);
	case VALUE_IP:
		if (token->kind != TOKEN_IP)
			return wrong_type(place, token, like);
		value_set_ip(value_out, &token->network.address);
		return true;
	case VALUE_COLLECTION:
		break;
	}
	return wrong_type(place, token, like);
}

bool
check_operand_literal(const struct scope_place *place,
    const struct ast_operand *ast, const struct compiled_operand *like,
    struct compiled_operand *operand_out)
{
	struct token word = { .kind = TOKEN_WORD,
		.offset = ast->offset,
		.length = ast->end - ast->offset,
		.text = ast->text };

	memset(operand_out, 0, sizeof *operand_out);
	operand_out->kind = COMPILED_LITERAL;
	operand_out->type = like->type;
	operand_out->words = like->words;
	operand_out->exactly = ast->exactly;
	misfit_text(place, like, ast->token, false);
	return check_operand_token(place,
	    ast->kind == OPERAND_LITERAL ? ast->token : &word, like,
	    &operand_out->literal);
}
