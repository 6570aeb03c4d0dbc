#include <config.h>

#include <string.h>

#include "base/compose.h"
#include "language/node.h"

#define KEY_BYTES_MAX 65536

static void
add_bytes(struct builder *key, const void *bytes, size_t size)
{
	builder_slice(key, slice_make(bytes, size));
}

#define ADD(key, value) add_bytes(key, &(value), sizeof(value))

static void
add_operand(struct builder *key, const struct compiled_operand *operand)
{
	unsigned condition;

	for (; operand != NULL; operand = operand->inner) {
		condition = operand->condition == NULL
				? 0
				: operand->condition->index + 1;
		ADD(key, operand->kind);
		ADD(key, operand->type);
		ADD(key, operand->field);
		ADD(key, operand->member);
		ADD(key, operand->filter);
		ADD(key, operand->exactly);
		ADD(key, condition);
		if (operand->kind != COMPILED_LITERAL)
			continue;
		switch (operand->type) {
		case VALUE_BOOL:
			ADD(key, operand->literal.truth);
			break;
		case VALUE_INTEGER:
		case VALUE_SIZE:
		case VALUE_DURATION:
		case VALUE_TIME:
		case VALUE_ENUM:
			ADD(key, operand->literal.number);
			break;
		case VALUE_STRING:
		case VALUE_DOMAIN:
		case VALUE_ADDRESS:
		case VALUE_STRINGS:
			ADD(key, operand->literal.text.length);
			builder_slice(key, operand->literal.text);
			break;
		case VALUE_IP:
			ADD(key, operand->literal.ip);
			break;
		case VALUE_COLLECTION:
			break;
		}
	}
	builder_byte(key, '|');
}

static struct slice
node_key(struct arena *arena, const struct program_node *node)
{
	struct builder key = builder_make(arena, KEY_BYTES_MAX);

	ADD(&key, node->kind);
	ADD(&key, node->truth);
	ADD(&key, node->comparison);
	ADD(&key, node->field);
	ADD(&key, node->filter);
	ADD(&key, node->mask);
	ADD(&key, node->network.address);
	ADD(&key, node->network.prefix_length);
	ADD(&key, node->list);
	ADD(&key, node->regex);
	ADD(&key, node->rule);
	ADD(&key, node->switch_index);
	for (unsigned i = 0; i < node->child_count; i++)
		ADD(&key, node->children[i]->index);
	builder_byte(&key, '|');
	for (unsigned i = 0; i < node->number_count; i++)
		ADD(&key, node->numbers[i]);
	add_operand(&key, node->left);
	add_operand(&key, node->right);
	return key.failed ? (struct slice){ 0 } : builder_result(&key);
}

static bool
operand_of_element(const struct compiled_operand *operand)
{
	for (; operand != NULL; operand = operand->inner)
		if (operand->kind == COMPILED_MEMBER)
			return true;
	return false;
}

static bool
depends_on_element(const struct program_node *node)
{
	if (node->kind == NODE_ANY || node->kind == NODE_ALL)
		return false; /* their children look at their own elements */
	for (unsigned i = 0; i < node->child_count; i++)
		if (node->children[i]->element)
			return true;
	return operand_of_element(node->left) ||
	       operand_of_element(node->right);
}

/* Does it look for a pattern in a text that a message gives? */
static bool
is_search(const struct program_node *node)
{
	if (node->left == NULL || (node->left->kind != COMPILED_FIELD &&
				      node->left->kind != COMPILED_MEMBER))
		return false;
	if (node->kind == NODE_MATCHES)
		return true;
	return node->kind == NODE_COMPARE &&
	       node->comparison == COMPARE_CONTAINS &&
	       node->left->type != VALUE_STRINGS &&
	       node->right->kind == COMPILED_LITERAL;
}

static void
note_search(struct scope *scope, const struct program_node *node)
{
	const struct program_node **slot = list_append(
	    scope->arena, &scope->program->searches, scope->limits->nodes_max);

	if (slot == NULL)
		scope->full = true;
	else
		*slot = node;
}

const struct program_node *
node_make(const struct scope_place *place, const struct program_node *node)
{
	struct scope *scope = place->scope;
	struct program_node *made;
	struct slice key = node_key(scope->arena, node);

	made = key.data == NULL ? NULL : table_get(&scope->nodes, key);
	if (made != NULL)
		return made;
	if (scope->program->node_count >= scope->limits->nodes_max) {
		if (!scope->full)
			scope_error(place, node->offset,
			    "more than %u conditions in all; the policy is too "
			    "large",
			    scope->limits->nodes_max);
		scope->full = true;
		return NULL;
	}
	made = arena_alloc(scope->arena, sizeof *made);
	if (made == NULL) {
		scope->full = true;
		return NULL;
	}
	*made = *node;
	made->source = place->file->source;
	made->element = depends_on_element(node);
	made->index = scope->program->node_count++;
	if (key.data != NULL && !table_put(&scope->nodes, key, made))
		scope->full = true;
	if (is_search(made))
		note_search(scope, made);
	return made;
}

const struct regex *
node_regex(const struct scope_place *place, const struct token *token)
{
	struct scope *scope = place->scope;
	struct regex *regex, **slot;
	char problem[128];
	size_t offset;
	struct builder key = builder_make(scope->arena, SIZE_MAX);

	builder_text(&key, token->fold ? "i/" : "-/");
	builder_slice(&key, token->text);
	regex = table_get(&scope->regexes, builder_result(&key));
	if (regex != NULL)
		return regex;
	regex = regex_new(compose_slice(scope->arena, token->text), token->fold,
	    problem, &offset);
	if (regex == NULL) {
		scope_error(place,
		    token->offset + 1 +
			(offset < token->length ? offset : token->length - 1),
		    "regular expression: %s%s", problem,
		    strstr(problem, "\\u") == NULL
			? ""
			: "; a character is written itself or as \\x{E9}");
		return NULL;
	}
	slot = list_append(
	    scope->arena, &scope->program->regexes, scope->limits->nodes_max);
	if (slot == NULL ||
	    !table_put(&scope->regexes, builder_result(&key), regex)) {
		if (slot == NULL)
			regex_free(&regex);
		else
			*slot = regex;
		scope->full = true;
		return NULL;
	}
	*slot = regex;
	return regex;
}

const struct compiled_operand *
node_operand(
    const struct scope_place *place, const struct compiled_operand *operand)
{
	struct compiled_operand *kept =
	    arena_alloc(place->scope->arena, sizeof *kept);

	if (kept == NULL)
		place->scope->full = true;
	else
		*kept = *operand;
	return kept;
}
