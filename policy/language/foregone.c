#include <config.h>

#include "base/utf8.h"
#include "language/foregone.h"

#define DEPTH_MAX 200 /* of nodes in nodes; deeper ones stay open */

static bool
is_number(enum value_type type)
{
	return type == VALUE_INTEGER || type == VALUE_SIZE ||
	       type == VALUE_DURATION || type == VALUE_TIME;
}

static bool
is_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_DOMAIN ||
	       type == VALUE_ADDRESS;
}

/* Do both look at the same value? */
static bool
same_operand(const struct compiled_operand *a, const struct compiled_operand *b)
{
	return a->kind == b->kind && a->field == b->field &&
	       a->member == b->member && a->filter == b->filter &&
	       a->condition == b->condition && a->inner == NULL &&
	       b->inner == NULL && a->exactly == b->exactly;
}

static bool
compares_literal(const struct program_node *node)
{
	return node->kind == NODE_COMPARE && node->right != NULL &&
	       node->right->kind == COMPILED_LITERAL;
}

/* ------------------------------------------------------- sets of numbers */

/* The numbers for which a comparison holds: words of an enumeration by bits,
 * others from..to. */
struct range {
	uint64_t words;
	int64_t from, to;
};

static uint64_t
all_words(const struct schema_enum *words)
{
	return words->count >= 64 ? UINT64_MAX
				  : (UINT64_C(1) << words->count) - 1;
}

static uint64_t
words_of(const struct program_node *node)
{
	const struct schema_enum *all = node->left->words;
	int64_t than;
	uint64_t words = 0;

	if (node->kind == NODE_IN_WORDS)
		return node->mask;
	than = node->right->literal.number;
	for (int64_t i = 0; i < (int64_t)all->count && i < 64; i++)
		if ((node->comparison == COMPARE_EQUAL && i == than) ||
		    (node->comparison == COMPARE_LESS && i < than) ||
		    (node->comparison == COMPARE_LESS_EQUAL && i <= than) ||
		    (node->comparison == COMPARE_GREATER && i > than) ||
		    (node->comparison == COMPARE_GREATER_EQUAL && i >= than))
			words |= UINT64_C(1) << i;
	return words;
}

/* Narrows the range by what the node asks. */
static void
narrow(struct range *range, const struct program_node *node)
{
	int64_t than = node->right == NULL ? 0 : node->right->literal.number;
	enum ast_comparison comparison = node->comparison;

	if (node->left->type == VALUE_ENUM) {
		range->words &= words_of(node);
		return;
	}
	if ((comparison == COMPARE_EQUAL ||
		comparison == COMPARE_GREATER_EQUAL) &&
	    than > range->from)
		range->from = than;
	if (comparison == COMPARE_GREATER && than >= range->from)
		range->from = than == INT64_MAX ? than : than + 1;
	if ((comparison == COMPARE_EQUAL || comparison == COMPARE_LESS_EQUAL) &&
	    than < range->to)
		range->to = than;
	if (comparison == COMPARE_LESS && than <= range->to)
		range->to = than == INT64_MIN ? than : than - 1;
}

static bool
has_range(const struct program_node *node)
{
	if (node->kind == NODE_IN_WORDS)
		return true;
	return compares_literal(node) &&
	       (node->left->type == VALUE_ENUM || is_number(node->left->type));
}

/* No number fulfils the node, nor it and all of the others that look at the
 * same value. */
static bool
is_empty_range(
    const struct program_node *node, const struct program_node *together)
{
	bool words = node->left->type == VALUE_ENUM;
	struct range range = { .words = UINT64_MAX,
		.from = node->left->type == VALUE_TIME ? INT64_MIN : 0,
		.to = INT64_MAX };

	if (words)
		range.words = all_words(node->left->words);
	narrow(&range, node);
	for (unsigned i = 0; together != NULL && i < together->child_count;
	     i++) {
		const struct program_node *other = together->children[i];

		if (has_range(other) && same_operand(node->left, other->left))
			narrow(&range, other);
	}
	return words ? range.words == 0 : range.from > range.to;
}

/* ----------------------------------------------------------------- nodes */

/* One text can't be two. */
static bool
texts_differ(const struct program_node *a, const struct program_node *b)
{
	return compares_literal(a) && compares_literal(b) &&
	       a->comparison == COMPARE_EQUAL &&
	       b->comparison == COMPARE_EQUAL && is_text(a->left->type) &&
	       same_operand(a->left, b->left) &&
	       !utf8_equal_fold(a->right->literal.text, b->right->literal.text);
}

static bool
is_opposite(const struct program_node *a, const struct program_node *b)
{
	return (a->kind == NODE_NOT && a->children[0] == b) ||
	       (b->kind == NODE_NOT && b->children[0] == a);
}

static bool
looks_at(const struct program_node *node, enum field_id field)
{
	return node->left != NULL && node->left->kind == COMPILED_FIELD &&
	       node->left->field == field;
}

/* Holds only for mail from ours: with a login, by its direction, or from our
 * networks. */
static bool
asks_ours(const struct program *program, const struct program_node *node)
{
	if (looks_at(node, FIELD_AUTH_USER))
		return node->kind == NODE_PRESENT ||
		       node->kind == NODE_COMPARE ||
		       node->kind == NODE_MATCHES ||
		       node->kind == NODE_IN_LIST ||
		       node->kind == NODE_CONTAINS_ANY;
	if (looks_at(node, FIELD_DIRECTION))
		return has_range(node) &&
		       (words_of(node) & UINT64_C(1)
					     << FACT_DIRECTION_INBOUND) == 0;
	return looks_at(node, FIELD_CLIENT_IP) && node->kind == NODE_IN_LIST &&
	       node->list == program->settings.own_networks;
}

/* Why the node holds for no mail from ours; NULL: it may. */
static const char *
excludes_ours(const struct program *program, const struct program_node *node)
{
	bool result = looks_at(node, FIELD_SPF) || looks_at(node, FIELD_DMARC);
	uint64_t words;

	if (!has_range(node) || (!result && !looks_at(node, FIELD_DIRECTION)))
		return NULL;
	words = words_of(node);
	if (!result)
		return words == UINT64_C(1) << FACT_DIRECTION_INBOUND
			   ? "mail with auth.user, or from own-networks, is "
			     "never inbound"
			   : NULL;
	return program->settings.judge_own ||
		       (words & UINT64_C(1) << schema_word(
				    node->left->field, "none")) != 0
		   ? NULL
		   : "spf and dmarc are none for mail from ours, unless "
		     "judge-own is on";
}

/* Looks at pairs, so only among the first of a long chain. */
#define PAIRS_MAX 50

static bool
contradicts_ours(struct foregone_notes *notes, const struct program_node *node)
{
	const char *why = NULL;
	bool ours = false;

	for (unsigned i = 0; i < node->child_count && i < PAIRS_MAX; i++) {
		const struct program_node *one = node->children[i];

		ours = ours || asks_ours(notes->program, one);
		if (why == NULL)
			why = excludes_ours(notes->program, one);
	}
	if (ours && why != NULL)
		notes->why = why;
	return ours && why != NULL;
}

static bool
contradicts(const struct program_node *node)
{
	for (unsigned i = 0; i < node->child_count && i < PAIRS_MAX; i++) {
		const struct program_node *one = node->children[i];

		if (has_range(one) && is_empty_range(one, node))
			return true;
		for (unsigned j = 0; j < i; j++)
			if (is_opposite(one, node->children[j]) ||
			    texts_differ(one, node->children[j]))
				return true;
	}
	return false;
}

static bool
exhausts(const struct program_node *node)
{
	for (unsigned i = 0; i < node->child_count && i < PAIRS_MAX; i++)
		for (unsigned j = 0; j < i; j++)
			if (is_opposite(node->children[i], node->children[j]))
				return true;
	return false;
}

static enum foregone
combine(struct foregone_notes *notes, const struct program_node *node)
{
	enum foregone decisive =
	    node->kind == NODE_AND ? FOREGONE_NEVER : FOREGONE_ALWAYS;
	bool open = false;

	for (unsigned i = 0; i < node->child_count; i++) {
		enum foregone one = foregone_node(notes, node->children[i]);

		if (one == decisive)
			return decisive;
		open = open || one == FOREGONE_OPEN;
	}
	if (node->kind == NODE_AND
		? contradicts(node) || contradicts_ours(notes, node)
		: exhausts(node))
		return decisive;
	if (open)
		return FOREGONE_OPEN;
	return node->kind == NODE_AND ? FOREGONE_ALWAYS : FOREGONE_NEVER;
}

static enum foregone
invert(enum foregone one)
{
	return one == FOREGONE_NEVER    ? FOREGONE_ALWAYS
	       : one == FOREGONE_ALWAYS ? FOREGONE_NEVER
					: FOREGONE_OPEN;
}

static enum foregone
never_if(bool never)
{
	return never ? FOREGONE_NEVER : FOREGONE_OPEN;
}

static bool
is_empty_list(const struct program *program, int index)
{
	return program->list_entries.items[index].anonymous &&
	       value_list_count(program->lists.items[index]) == 0;
}

static enum foregone
look(struct foregone_notes *notes, const struct program_node *node)
{
	switch (node->kind) {
	case NODE_CONSTANT:
		return node->truth ? FOREGONE_ALWAYS : FOREGONE_NEVER;
	case NODE_AND:
	case NODE_OR:
		return combine(notes, node);
	case NODE_NOT:
		return invert(foregone_node(notes, node->children[0]));
	case NODE_ANY:
	case NODE_ALL:
		return never_if(
		    node->child_count > 0 &&
		    foregone_node(notes, node->children[0]) == FOREGONE_NEVER);
	case NODE_COMPARE:
	case NODE_IN_WORDS:
		return never_if(has_range(node) && is_empty_range(node, NULL));
	case NODE_IN_NUMBERS:
		return never_if(node->number_count == 0);
	case NODE_IN_LIST:
	case NODE_UNDER_LIST:
	case NODE_CONTAINS_ANY:
		return never_if(is_empty_list(notes->program, node->list));
	case NODE_RULE:
		return node->rule->when == NULL
			   ? FOREGONE_OPEN
			   : never_if(foregone_node(notes, node->rule->when) ==
				      FOREGONE_NEVER);
	case NODE_TRUTH:
	case NODE_IN_NETWORK:
	case NODE_UNDER:
	case NODE_MATCHES:
	case NODE_PRESENT:
	case NODE_LOOKALIKE:
	case NODE_SWITCH:
		break;
	}
	return FOREGONE_OPEN;
}

enum foregone
foregone_node(struct foregone_notes *notes, const struct program_node *node)
{
	unsigned char *known;

	if (notes->known == NULL)
		notes->known =
		    arena_alloc(notes->arena, notes->program->node_count + 1);
	if (notes->known == NULL || notes->depth >= DEPTH_MAX)
		return FOREGONE_OPEN;
	known = &notes->known[node->index];
	if (*known == 0) {
		notes->depth++;
		*known = (unsigned char)look(notes, node);
		notes->depth--;
	}
	return (enum foregone) * known;
}
