#include <config.h>

#include "base/utf8.h"
#include "language/check.h"
#include "language/check_expr.h"
#include "language/check_operand.h"
#include "language/misfit.h"
#include "language/moment.h"
#include "language/node.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

typedef struct program_node node_draft;

static node_draft
draft(enum program_node_kind kind, const struct ast_expr *ast)
{
	return (node_draft){ .kind = kind,
		.offset = ast->offset,
		.end = ast->end,
		.field = FIELD_COUNT,
		.list = -1,
		.switch_index = -1 };
}

static bool
is_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_DOMAIN ||
	       type == VALUE_ADDRESS;
}

static bool
is_ordered(const struct compiled_operand *operand)
{
	switch (operand->type) {
	case VALUE_INTEGER:
	case VALUE_SIZE:
	case VALUE_DURATION:
	case VALUE_TIME:
		return true;
	case VALUE_ENUM:
		return operand->words->ordered;
	case VALUE_BOOL:
	case VALUE_STRING:
	case VALUE_DOMAIN:
	case VALUE_ADDRESS:
	case VALUE_IP:
	case VALUE_STRINGS:
	case VALUE_COLLECTION:
		break;
	}
	return false;
}

static const struct program_node *
negate(const struct scope_place *place, const struct ast_expr *ast,
    const struct program_node *node)
{
	node_draft inverse = draft(NODE_NOT, ast);
	const struct program_node **child;

	if (node == NULL)
		return NULL;
	child = arena_alloc(place->scope->arena, sizeof *child);
	if (child == NULL) {
		place->scope->full = true;
		return NULL;
	}
	*child = node;
	inverse.children = child;
	inverse.child_count = 1;
	return node_make(place, &inverse);
}

/* ------------------------------------------------------------- presence */

/* Is the comparison false, or with `missing` true, when its value is missing? */
static bool
shows(enum ast_comparison comparison, enum ast_comparison wanted)
{
	if (wanted == COMPARE_MISSING)
		return comparison == COMPARE_MISSING;
	return comparison != COMPARE_NOT_EQUAL &&
	       comparison != COMPARE_NOT_IN && comparison != COMPARE_MISSING;
}

/* `x is present` among the terms of an and, `x is missing` among those of an
 * or, make != and not in on x safe beside them; so does any comparison in an
 * and that a missing value can't fulfil. */
static bool
presence_of(const struct scope_place *place, const struct ast_expr *term,
    enum ast_comparison wanted, struct scope_presence *presence)
{
	const struct schema_field *collection;
	int member;

	if (term->kind != EXPR_COMPARE || !shows(term->comparison, wanted))
		return false;
	if (term->left->kind == OPERAND_NAME) {
		presence->field = schema_find(term->left->text);
		presence->is_member = false;
		return presence->field != FIELD_COUNT;
	}
	if (term->left->kind == OPERAND_INDEXED) {
		presence->field = schema_find(term->left->text);
		presence->feed = term->left->token->text;
		presence->is_member = false;
		return presence->field == FIELD_FEED;
	}
	if (term->left->kind != OPERAND_MEMBER ||
	    place->collection == FIELD_COUNT)
		return false;
	collection = &schema_fields[place->collection];
	member = schema_find_member(collection, term->left->text);
	presence->field = place->collection;
	presence->member = (unsigned)member;
	presence->is_member = true;
	return member >= 0;
}

static bool
is_tested(
    const struct scope_place *place, const struct compiled_operand *operand)
{
	bool member = operand->kind == COMPILED_MEMBER;
	const struct scope_presence *at;

	while (operand->inner != NULL) {
		operand = operand->inner;
		member = operand->kind == COMPILED_MEMBER;
	}
	for (at = place->presence; at != NULL; at = at->next)
		if (at->field == operand->field && at->is_member == member &&
		    (operand->filter == NULL ||
			slice_equal_text(at->feed, operand->filter)) &&
		    (!member || at->member == operand->member))
			return true;
	return false;
}

/* The rule about != and not in on what can be missing. */
static bool
check_negation(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *operand)
{
	struct slice text = check_operand_text(place, ast->left);

	if (!operand->optional || is_tested(place, operand))
		return true;
	scope_error(place, ast->operator_offset,
	    "%.*s can be missing, and then this is true: write %.*s is present "
	    "and ... beside it, or %.*s is missing or ...",
	    SHOWN(text), SHOWN(text), SHOWN(text));
	return false;
}

/* --------------------------------------------------------------- lists */

/* The type of list that values of this type are looked up in. */
static bool
list_type_for(enum value_type type, enum value_list_type *list_type)
{
	switch (type) {
	case VALUE_DOMAIN:
		*list_type = LIST_DOMAINS;
		return true;
	case VALUE_ADDRESS:
		*list_type = LIST_ADDRESSES;
		return true;
	case VALUE_IP:
		*list_type = LIST_NETWORKS;
		return true;
	case VALUE_STRING:
	case VALUE_STRINGS:
		*list_type = LIST_STRINGS;
		return true;
	case VALUE_BOOL:
	case VALUE_INTEGER:
	case VALUE_SIZE:
	case VALUE_DURATION:
	case VALUE_TIME:
	case VALUE_ENUM:
	case VALUE_COLLECTION:
		break;
	}
	return false;
}

static bool
fits_list(enum value_type type, enum value_list_type list_type)
{
	enum value_list_type own;

	if (!list_type_for(type, &own))
		return false;
	return own == list_type ||
	       (list_type == LIST_STRINGS && is_text(type)) ||
	       (list_type == LIST_HASHES && type == VALUE_STRING);
}

/* Puts the entries of { ... } into a list; false when one is wrong. */
static bool
fill_list(const struct scope_place *place, const struct ast_operand *ast,
    struct value_list *list, enum value_list_type type)
{
	bool good = true;

	for (const struct ast_operand *item = ast->items; item != NULL;
	     item = item->next) {
		const char *problem = "";
		enum tc_status status = TC_INVALID;
		bool address = item->token->kind == TOKEN_IP ||
			       item->token->kind == TOKEN_NETWORK;

		if (item->token->bad) {
			good = false; /* was reported */
			continue;
		}
		if (address != (type == LIST_NETWORKS) ||
		    (!address && item->token->kind != TOKEN_STRING))
			problem = type == LIST_NETWORKS
				      ? "addresses and networks stand here, "
					"without quotation marks"
				      : "strings in quotation marks stand here";
		else
			status = value_list_add(list,
			    address ? slice_range(place->file->source->text,
					  item->offset, item->end)
				    : item->token->text,
			    0, &problem);
		if (status == TC_OK)
			continue;
		scope_error(place, item->offset, "%s",
		    status == TC_LIMIT ? "the list is too large" : problem);
		good = false;
	}
	return good;
}

/* The list that `{ ... }` or a name stands for; -1 and an error. */
static int
literal_list(const struct scope_place *place, const struct ast_operand *ast,
    enum value_list_type type)
{
	struct scope *scope = place->scope;
	struct compiled_list entry = { .name = "{ ... }",
		.type = type,
		.anonymous = true,
		.source = place->file->source,
		.offset = ast->offset };
	struct builder key = builder_make(scope->arena, SIZE_MAX);
	struct value_list *list;
	struct scope_list *known;

	builder_byte(&key, (char)('0' + (int)type));
	builder_slice(&key, check_operand_text(place, ast));
	known = table_get(&scope->literals, builder_result(&key));
	if (known != NULL)
		return known->index;
	known = arena_alloc(scope->arena, sizeof *known);
	if (known == NULL)
		return -1;
	known->index = scope_add_list(scope, &entry, &list);
	if (known->index < 0 || !fill_list(place, ast, list, type))
		return -1;
	table_put(&scope->literals, builder_result(&key), known);
	return known->index;
}

static int
named_list(const struct scope_place *place, const struct ast_operand *ast,
    const struct compiled_operand *left)
{
	struct scope_list *list = scope_list(place->scope, ast->text);
	enum value_list_type type;

	if (list == NULL) {
		scope_error(place, ast->offset, "unknown list \"%.*s\"%s",
		    SHOWN(ast->text),
		    scope_suggest_list(place->scope, ast->text));
		return -1;
	}
	list->used = true;
	type = place->scope->program->list_entries.items[list->index].type;
	if (fits_list(left->type, type))
		return list->index;
	scope_error(place, ast->offset, "%.*s is a list of %s, and this is %s",
	    SHOWN(ast->text), value_list_type_name(type),
	    value_type_phrase(left->type));
	return -1;
}

static int
list_operand(const struct scope_place *place, const struct ast_operand *ast,
    const struct compiled_operand *left)
{
	enum value_list_type type;

	if (ast->kind == OPERAND_NAME)
		return named_list(place, ast, left);
	if (ast->kind == OPERAND_LIST && list_type_for(left->type, &type)) {
		for (const struct ast_operand *item = ast->items; item != NULL;
		     item = item->next)
			misfit_text(place, left, item->token, false);
		return literal_list(place, ast, type);
	}
	scope_error(
	    place, ast->offset, "a list must stand here: its name, or { ... }");
	return -1;
}

/* { pass, none } over an enumeration. */
static bool
word_mask(const struct scope_place *place, const struct ast_operand *ast,
    const struct compiled_operand *left, uint64_t *mask)
{
	bool good = true;

	*mask = 0;
	for (const struct ast_operand *item = ast->items; item != NULL;
	     item = item->next) {
		struct value value = { 0 };

		if (check_operand_token(place, item->token, left, &value))
			*mask |= UINT64_C(1) << value.number;
		else
			good = false;
	}
	return good;
}

static bool
number_set(const struct scope_place *place, const struct ast_operand *ast,
    const struct compiled_operand *left, node_draft *node)
{
	unsigned count = 0;
	int64_t *numbers;
	bool good = true;

	for (const struct ast_operand *item = ast->items; item != NULL;
	     item = item->next)
		count++;
	numbers =
	    arena_alloc_array(place->scope->arena, count + 1, sizeof *numbers);
	if (numbers == NULL)
		return false;
	for (const struct ast_operand *item = ast->items; item != NULL;
	     item = item->next) {
		struct value value = { 0 };

		if (check_operand_token(place, item->token, left, &value))
			numbers[node->number_count++] = value.number;
		else
			good = false;
	}
	node->numbers = numbers;
	return good;
}

/* --------------------------------------------------------- comparisons */

static const struct program_node *
compile_in(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	const struct ast_operand *right = ast->right;
	node_draft node = draft(NODE_IN_LIST, ast);

	node.left = node_operand(place, left);
	if (right->kind == OPERAND_LITERAL &&
	    (right->token->kind == TOKEN_IP ||
		right->token->kind == TOKEN_NETWORK) &&
	    left->type == VALUE_IP) {
		node.kind = NODE_IN_NETWORK;
		node.network = right->token->network;
		return node_make(place, &node);
	}
	if (right->kind == OPERAND_LITERAL) {
		scope_error(place, right->offset,
		    "in takes a list: { ... } or a name; for one value write "
		    "==, for a part of a text contains");
		return NULL;
	}
	if (left->type == VALUE_ENUM && right->kind == OPERAND_LIST) {
		node.kind = NODE_IN_WORDS;
		if (!word_mask(place, right, left, &node.mask))
			return NULL;
		return node_make(place, &node);
	}
	if (is_ordered(left) && right->kind == OPERAND_LIST) {
		node.kind = NODE_IN_NUMBERS;
		if (!number_set(place, right, left, &node))
			return NULL;
		return node_make(place, &node);
	}
	node.list = list_operand(place, right, left);
	return node.list < 0 ? NULL : node_make(place, &node);
}

static const struct program_node *
compile_under(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	node_draft node = draft(NODE_UNDER_LIST, ast);
	struct compiled_operand right;
	bool bare = false;

	node.left = node_operand(place, left);
	if (left->type != VALUE_DOMAIN && left->type != VALUE_IP) {
		scope_error(place, ast->left->offset,
		    "under compares domains and IP addresses, and this is "
		    "%s%s",
		    value_type_phrase(left->type),
		    left->type == VALUE_ADDRESS ? "; use its domain" : "");
		return NULL;
	}
	if (left->type == VALUE_IP)
		return compile_in(place, ast, left);
	if (ast->right->kind == OPERAND_LITERAL) {
		if (!check_operand_literal(place, ast->right, left, &right))
			return NULL;
		node.kind = NODE_UNDER;
		node.right = node_operand(place, &right);
		return node_make(place, &node);
	}
	if (ast->right->kind == OPERAND_LIST ||
	    (ast->right->kind == OPERAND_NAME &&
		schema_find(ast->right->text) == FIELD_COUNT)) {
		node.list = list_operand(place, ast->right, left);
		if (node.list >= 0 &&
		    place->scope->program->list_entries.items[node.list].type !=
			LIST_DOMAINS) {
			scope_error(place, ast->right->offset,
			    "under takes a list of domains");
			return NULL;
		}
		return node.list < 0 ? NULL : node_make(place, &node);
	}
	if (!check_operand_value(place, ast->right, &right, &bare))
		return NULL;
	if (right.type != VALUE_DOMAIN || bare) {
		scope_error(place, ast->right->offset,
		    "a domain must stand after under");
		return NULL;
	}
	node.kind = NODE_UNDER;
	node.right = node_operand(place, &right);
	return node_make(place, &node);
}

static const struct program_node *
compile_matches(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	node_draft node = draft(NODE_MATCHES, ast);

	if (!is_text(left->type)) {
		scope_error(place, ast->left->offset,
		    "matches looks into strings, and this is %s",
		    value_type_phrase(left->type));
		return NULL;
	}
	if (ast->right->kind != OPERAND_REGEX) {
		scope_error(place, ast->right->offset,
		    "a regular expression between slashes must stand after "
		    "matches: /.../i");
		return NULL;
	}
	node.left = node_operand(place, left);
	node.regex = node_regex(place, ast->right->token);
	return node.regex == NULL ? NULL : node_make(place, &node);
}

static const struct program_node *
compile_text(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	node_draft node = draft(NODE_COMPARE, ast);
	struct compiled_operand string = { .type = VALUE_STRING }, right;
	bool bare = false;

	if (!is_text(left->type) && !(left->type == VALUE_STRINGS &&
					ast->comparison == COMPARE_CONTAINS)) {
		scope_error(place, ast->left->offset,
		    "this looks into strings, and the value is %s",
		    value_type_phrase(left->type));
		return NULL;
	}
	if (ast->right->kind == OPERAND_LIST) {
		scope_error(place, ast->right->offset,
		    "a list stands after contains any");
		return NULL;
	}
	if (ast->right->kind == OPERAND_LITERAL) {
		misfit_text(place, left, ast->right->token, true);
		if (!check_operand_literal(place, ast->right, &string, &right))
			return NULL;
	} else {
		if (!check_operand_value(place, ast->right, &right, &bare))
			return NULL;
		if (!is_text(right.type) || bare) {
			scope_error(place, ast->right->offset,
			    "a string must stand here");
			return NULL;
		}
	}
	node.comparison = ast->comparison;
	node.left = node_operand(place, left);
	node.right = node_operand(place, &right);
	return node_make(place, &node);
}

static const struct program_node *
compile_contains_any(const struct scope_place *place,
    const struct ast_expr *ast, const struct compiled_operand *left)
{
	node_draft node = draft(NODE_CONTAINS_ANY, ast);
	struct compiled_operand string = { .type = VALUE_STRING };

	if (!is_text(left->type) && left->type != VALUE_STRINGS) {
		scope_error(place, ast->left->offset,
		    "contains looks into strings, and this is %s",
		    value_type_phrase(left->type));
		return NULL;
	}
	node.left = node_operand(place, left);
	node.list = list_operand(place, ast->right, &string);
	if (node.list < 0)
		return NULL;
	if (left->type != VALUE_STRINGS)
		place->scope->program->list_entries.items[node.list].searched =
		    true;
	return node_make(place, &node);
}

/* ==, !=, <, <=, >, >=: both sides of one type. */
/* Is the right side a word of the left one's enumeration? Some are names of
 * fields as well: .type == subject. */
static bool
is_word(const struct ast_operand *ast, const struct compiled_operand *left)
{
	if (ast->kind != OPERAND_NAME)
		return false;
	if (left->type == VALUE_ENUM &&
	    schema_find_word(left->words, ast->text) >= 0)
		return true;
	return schema_find(ast->text) == FIELD_COUNT &&
	       (left->type == VALUE_ENUM || left->type == VALUE_BOOL);
}

static const struct program_node *
compile_relation(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left, enum ast_comparison comparison)
{
	node_draft node = draft(NODE_COMPARE, ast);
	struct compiled_operand right;
	bool bare = false;

	if (comparison != COMPARE_EQUAL && !is_ordered(left)) {
		scope_error(place, ast->operator_offset,
		    "%s has no order: compare with == or in",
		    value_type_phrase(left->type));
		return NULL;
	}
	if (ast->right->kind == OPERAND_REGEX) {
		scope_error(place, ast->operator_offset,
		    "a regular expression stands after matches");
		return NULL;
	}
	if (left->type == VALUE_STRINGS) {
		scope_error(place, ast->operator_offset,
		    "a set of strings is asked with contains");
		return NULL;
	}
	if (ast->right->kind == OPERAND_LIST ||
	    (ast->right->kind == OPERAND_LITERAL &&
		ast->right->token->kind == TOKEN_NETWORK)) {
		scope_error(place, ast->right->offset,
		    "compare with a list or network by in");
		return NULL;
	}
	if (ast->right->kind == OPERAND_LITERAL || is_word(ast->right, left)) {
		if (!check_operand_literal(place, ast->right, left, &right))
			return NULL;
	} else {
		if (!check_operand_value(place, ast->right, &right, &bare))
			return NULL;
		if (bare) {
			scope_error(place, ast->right->offset,
			    "%.*s can be several; behind the operator stands "
			    "one value, such as mail-from or \"TEXT\"",
			    SHOWN(check_operand_text(place, ast->right)));
			return NULL;
		}
		if ((right.type != left->type &&
			!(is_text(right.type) && is_text(left->type))) ||
		    right.words != left->words) {
			scope_error(place, ast->right->offset,
			    "%s can't be compared with %s",
			    value_type_phrase(left->type),
			    value_type_phrase(right.type));
			return NULL;
		}
	}
	right.exactly = right.exactly || left->exactly;
	node.comparison = comparison;
	node.left = node_operand(place, left);
	node.right = node_operand(place, &right);
	return node_make(place, &node);
}

static const struct program_node *
compile_presence(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	node_draft node = draft(NODE_PRESENT, ast);

	if (!left->optional) {
		scope_error(place, ast->left->offset, "%.*s is never missing",
		    SHOWN(check_operand_text(place, ast->left)));
		return NULL;
	}
	node.left = node_operand(place, left);
	return node_make(place, &node);
}

/* The node of a comparison without its negation. */
static const struct program_node *
compile_positive(const struct scope_place *place, const struct ast_expr *ast,
    const struct compiled_operand *left)
{
	switch (ast->comparison) {
	case COMPARE_EQUAL:
	case COMPARE_NOT_EQUAL:
		return compile_relation(place, ast, left, COMPARE_EQUAL);
	case COMPARE_LESS:
	case COMPARE_LESS_EQUAL:
	case COMPARE_GREATER:
	case COMPARE_GREATER_EQUAL:
		return compile_relation(place, ast, left, ast->comparison);
	case COMPARE_IN:
	case COMPARE_NOT_IN:
		return compile_in(place, ast, left);
	case COMPARE_UNDER:
		return compile_under(place, ast, left);
	case COMPARE_MATCHES:
		return compile_matches(place, ast, left);
	case COMPARE_CONTAINS:
	case COMPARE_STARTS_WITH:
	case COMPARE_ENDS_WITH:
		return compile_text(place, ast, left);
	case COMPARE_CONTAINS_ANY:
		return compile_contains_any(place, ast, left);
	case COMPARE_PRESENT:
	case COMPARE_MISSING:
		return compile_presence(place, ast, left);
	}
	return NULL;
}

static const struct program_node *
quantify(const struct scope_place *place, const struct ast_expr *ast,
    enum program_node_kind kind, const struct check_collection *collection,
    const struct program_node *condition)
{
	node_draft node = draft(kind, ast);

	node.field = collection->field;
	node.filter = collection->filter;
	if (condition != NULL) {
		const struct program_node **child =
		    arena_alloc(place->scope->arena, sizeof *child);

		if (child == NULL) {
			place->scope->full = true;
			return NULL;
		}
		*child = condition;
		node.children = child;
		node.child_count = 1;
	}
	return node_make(place, &node);
}

/* mime.defect contains bare-cr: a word among a collection of plain values. */
static bool
is_plain_words(const struct ast_operand *ast, struct check_collection *into)
{
	if (ast->kind != OPERAND_NAME)
		return false;
	into->field = schema_find(ast->text);
	into->filter = NULL;
	return into->field == FIELD_MIME_DEFECT ||
	       into->field == FIELD_FROM_DEFECT ||
	       into->field == FIELD_ANALYSIS_GAP;
}

static const struct program_node *
compile_plain_words(const struct scope_place *place, const struct ast_expr *ast,
    const struct check_collection *collection)
{
	struct scope_place inside = *place;
	struct compiled_operand member = { .kind = COMPILED_MEMBER };
	const struct schema_member *entry;
	struct ast_expr equal = *ast;
	const struct program_node *condition;
	struct check_collection checked;

	if (!check_collection(place, ast->left, &checked))
		return NULL;
	entry = &schema_fields[collection->field].members[FACT_PLAIN_VALUE];
	member.type = entry->type;
	member.words = entry->words;
	member.field = collection->field;
	inside.collection = collection->field;
	equal.comparison = ast->comparison == COMPARE_CONTAINS_ANY
			       ? COMPARE_IN
			       : COMPARE_EQUAL;
	place->scope->program->needs.members[collection->field] |= 1u;
	condition = compile_positive(&inside, &equal, &member);
	return condition == NULL
		   ? NULL
		   : quantify(place, ast, NODE_ANY, collection, condition);
}

/* `to is missing`: a collection is not missing but empty. */
static bool
refuse_presence(const struct scope_place *place, const struct ast_expr *ast)
{
	bool missing = ast->comparison == COMPARE_MISSING;
	enum field_id field;

	if ((!missing && ast->comparison != COMPARE_PRESENT) ||
	    ast->left->kind != OPERAND_NAME)
		return false;
	field = schema_find(ast->left->text);
	if (field == FIELD_COUNT ||
	    schema_fields[field].type != VALUE_COLLECTION ||
	    place->collection != FIELD_COUNT)
		return false;
	scope_error(place, ast->left->offset,
	    "%s is a collection; write %s %s where there is %s",
	    schema_fields[field].name, missing ? "no" : "any",
	    schema_fields[field].name, missing ? "none" : "one");
	return true;
}

static const struct program_node *
compile_compare(const struct scope_place *place, const struct ast_expr *ast)
{
	bool negation = ast->comparison == COMPARE_NOT_EQUAL ||
			ast->comparison == COMPARE_NOT_IN ||
			ast->comparison == COMPARE_MISSING;
	struct scope_place side = *place;
	struct check_collection from = { FIELD_FROM, NULL };
	struct compiled_operand left;
	const struct program_node *node;
	bool bare = false;

	if ((ast->comparison == COMPARE_CONTAINS ||
		ast->comparison == COMPARE_CONTAINS_ANY) &&
	    is_plain_words(ast->left, &from))
		return compile_plain_words(place, ast, &from);
	if (ast->left->kind == OPERAND_LITERAL &&
	    ast->comparison == COMPARE_IN && ast->right->kind == OPERAND_NAME) {
		scope_error(place, ast->left->offset,
		    "the field stands first: %.*s contains %.*s",
		    SHOWN(check_operand_text(place, ast->right)),
		    SHOWN(check_operand_text(place, ast->left)));
		return NULL;
	}
	if (refuse_presence(place, ast))
		return NULL;
	from.field = FIELD_FROM;
	side.negative = place->negative || negation;
	if (!check_operand_value(&side, ast->left, &left, &bare))
		return NULL;
	if (negation && ast->comparison != COMPARE_MISSING &&
	    !check_negation(place, ast, &left))
		return NULL;
	if (bare)
		side.collection = FIELD_FROM;
	node = compile_positive(&side, ast, &left);
	if (node != NULL && bare)
		node = quantify(place, ast, NODE_ANY, &from, node);
	return negation ? negate(place, ast, node) : node;
}

/* ---------------------------------------------------------- truth values */

static const struct program_node *
compile_lookalike(const struct scope_place *place, const struct ast_expr *ast)
{
	const struct ast_operand *domain = ast->left->items;
	node_draft node = draft(NODE_LOOKALIKE, ast);
	struct check_collection from = { FIELD_FROM, NULL };
	struct compiled_operand left;
	const struct program_node *made;
	bool bare = false;

	if (domain == NULL || domain->next == NULL ||
	    domain->next->next != NULL) {
		scope_error(place, ast->offset,
		    "lookalike takes a domain and a list of domains: "
		    "lookalike(.domain, our-domains)");
		return NULL;
	}
	if (!check_operand_value(place, domain, &left, &bare))
		return NULL;
	if (left.type != VALUE_DOMAIN) {
		scope_error(place, domain->offset,
		    "lookalike takes a domain, and this is %s",
		    value_type_phrase(left.type));
		return NULL;
	}
	node.left = node_operand(place, &left);
	node.list = list_operand(place, domain->next, &left);
	if (node.list < 0)
		return NULL;
	if (place->scope->program->list_entries.items[node.list].type !=
	    LIST_DOMAINS) {
		scope_error(place, domain->next->offset,
		    "lookalike takes a list of domains");
		return NULL;
	}
	made = node_make(place, &node);
	return made != NULL && bare
		   ? quantify(place, ast, NODE_ANY, &from, made)
		   : made;
}

static const struct program_node *
compile_symbol(const struct scope_place *place, const struct ast_expr *ast,
    struct scope_symbol *symbol)
{
	node_draft node = draft(NODE_RULE, ast);

	symbol->used = true;
	if (symbol->kind == AST_SWITCH) {
		node.kind = NODE_SWITCH;
		node.switch_index = symbol->index;
		return node_make(place, &node);
	}
	if (!check_symbol(symbol, place, ast->offset) ||
	    !scope_use_traits(place, symbol, ast->offset))
		return NULL;
	if (symbol->kind == AST_LET)
		return symbol->node;
	if (symbol->rule->shadow)
		place->traits->shadow_rule = symbol->rule->name;
	node.rule = symbol->rule;
	return node_make(place, &node);
}

static const struct program_node *
compile_truth(const struct scope_place *place, const struct ast_expr *ast)
{
	const struct ast_operand *operand = ast->left;
	node_draft node = draft(NODE_TRUTH, ast);
	struct check_collection from = { FIELD_FROM, NULL };
	struct scope_symbol *symbol;
	struct compiled_operand left;
	const struct program_node *made;
	bool bare = false;

	if (operand->kind == OPERAND_CALL &&
	    slice_equal_text(operand->text, "lookalike"))
		return compile_lookalike(place, ast);
	if (operand->kind == OPERAND_NAME &&
	    schema_find(operand->text) == FIELD_COUNT) {
		if (slice_equal_text(operand->text, "true") ||
		    slice_equal_text(operand->text, "false")) {
			node.kind = NODE_CONSTANT;
			node.truth = operand->text.data[0] == 't';
			return node_make(place, &node);
		}
		symbol = scope_symbol(place->scope, operand->text);
		if (symbol != NULL)
			return compile_symbol(place, ast, symbol);
	}
	if (!check_operand_value(place, operand, &left, &bare))
		return NULL;
	if (left.type != VALUE_BOOL) {
		scope_error(place, ast->offset,
		    "%.*s is %s, not a truth value; compare it%s",
		    SHOWN(check_operand_text(place, operand)),
		    value_type_phrase(left.type),
		    left.optional ? ", or write is present" : "");
		return NULL;
	}
	node.left = node_operand(place, &left);
	made = node_make(place, &node);
	return made != NULL && bare
		   ? quantify(place, ast, NODE_ANY, &from, made)
		   : made;
}

/* ------------------------------------------------------------ quantifiers */

const struct program_node *
check_expr_inside(const struct scope_place *place, enum field_id collection,
    const struct ast_expr *ast, bool negative)
{
	struct scope_place inside = *place;

	inside.collection = collection;
	inside.negative = place->negative || negative;
	return check_expr(&inside, ast);
}

static const struct program_node *
compile_quantifier(const struct scope_place *place, const struct ast_expr *ast)
{
	struct check_collection collection;
	const struct program_node *condition = NULL, *node;
	const char *name;

	if (!check_collection(place, ast->collection, &collection))
		return NULL;
	name = schema_fields[collection.field].name;
	if (ast->kind == EXPR_ANY && (collection.field == FIELD_FROM ||
					 collection.field == FIELD_RECIPIENT)) {
		place->traits->any_people = name;
		if (place->exemption) {
			scope_error(place, ast->offset,
			    "any %s in an exemption could be satisfied by one "
			    "of many; use all %s",
			    name, name);
			return NULL;
		}
	}
	if (ast->kind == EXPR_ALL && ast->terms == NULL) {
		scope_error(place, ast->offset,
		    "all %s needs a condition: all %s (...)", name, name);
		return NULL;
	}
	if (ast->terms != NULL) {
		condition = check_expr_inside(
		    place, collection.field, ast->terms, ast->kind != EXPR_ANY);
		if (condition == NULL)
			return NULL;
	}
	node = quantify(place, ast, ast->kind == EXPR_ALL ? NODE_ALL : NODE_ANY,
	    &collection, condition);
	return ast->kind == EXPR_NO ? negate(place, ast, node) : node;
}

/* --------------------------------------------------------------- and, or */

#define TERMS_MAX 100000

static const struct program_node *
compile_chain(const struct scope_place *place, const struct ast_expr *ast)
{
	struct scope_place inside = *place;
	LIST_OF(const struct program_node *) children = { 0 };
	node_draft node =
	    draft(ast->kind == EXPR_AND ? NODE_AND : NODE_OR, ast);
	bool good = true;

	for (const struct ast_expr *term = ast->terms; term != NULL;
	     term = term->next) {
		struct scope_presence found = { 0 }, *kept;

		if (!presence_of(place, term,
			ast->kind == EXPR_AND ? COMPARE_PRESENT
					      : COMPARE_MISSING,
			&found))
			continue;
		kept = arena_alloc(place->scope->arena, sizeof *kept);
		if (kept == NULL)
			return NULL;
		*kept = found;
		kept->next = inside.presence;
		inside.presence = kept;
	}
	for (const struct ast_expr *term = ast->terms; term != NULL;
	     term = term->next) {
		const struct program_node *child = check_expr(&inside, term);
		const struct program_node **slot =
		    list_append(place->scope->arena, &children, TERMS_MAX);

		good = good && child != NULL && slot != NULL;
		if (slot != NULL)
			*slot = child;
	}
	if (!good)
		return NULL;
	node.children = children.items;
	node.child_count = (unsigned)children.count;
	return node_make(place, &node);
}

const struct program_node *
check_expr(const struct scope_place *place, const struct ast_expr *ast)
{
	struct scope_place inside;

	if (ast == NULL || place->scope->full)
		return NULL;
	switch (ast->kind) {
	case EXPR_AND:
	case EXPR_OR:
		return compile_chain(place, ast);
	case EXPR_NOT:
		inside = *place;
		inside.negative = true;
		return negate(place, ast, check_expr(&inside, ast->terms));
	case EXPR_ANY:
	case EXPR_ALL:
	case EXPR_NO:
		return compile_quantifier(place, ast);
	case EXPR_TRUTH:
		return compile_truth(place, ast);
	case EXPR_COMPARE:
		return compile_compare(place, ast);
	case EXPR_BAD:
		break;
	}
	return NULL;
}
