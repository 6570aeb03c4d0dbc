#include <config.h>

#include "base/compose.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "language/eval_node.h"
#include "language/lookalike.h"

static enum eval_truth
truth(bool yes)
{
	return yes ? TRUTH_YES : TRUTH_NO;
}

static enum eval_truth
fail(struct eval *eval, enum eval_reason reason)
{
	eval->reason = reason;
	return TRUTH_ERROR;
}

const char *
eval_reason_text(enum eval_reason reason)
{
	static const char *const texts[] = {
		[REASON_NONE] = NULL,
		[REASON_VALUE] = "a value could not be computed",
		[REASON_COLLECTION] = "a limit cut the collection",
		[REASON_REGEX] = "a regular expression reached its limit",
		[REASON_MEMORY] = "no memory to compare texts",
	};

	return texts[reason];
}

static bool
require(struct eval *eval, enum field_id field)
{
	enum tc_status status = facts_require(eval->facts, field);

	if (status == TC_OK)
		return true;
	eval->reason = REASON_VALUE;
	eval->again = eval->again || status == TC_AGAIN;
	return false;
}

/* -------------------------------------------------------------- values */

static void
set_error(struct value *value)
{
	*value = (struct value){ .state = VALUE_ERROR };
}

static int64_t
count_characters(struct slice text)
{
	int64_t count = 0;

	while (text.length > 0) {
		utf8_next(&text, NULL);
		count++;
	}
	return count;
}

static void
count_elements(struct eval *eval, const struct compiled_operand *operand,
    struct value *result)
{
	const struct facts_collection *all =
	    eval_node_elements(eval, operand->field);
	struct value *outer = eval->element;
	int64_t count = 0;
	bool error = all == NULL;

	for (size_t i = 0; !error && i < all->elements.count; i++) {
		enum eval_truth holds = TRUTH_YES;

		if (!eval_node_passes(operand->field, operand->filter,
			all->elements.items[i]))
			continue;
		eval->element = all->elements.items[i];
		if (operand->condition != NULL)
			holds = eval_node(eval, operand->condition);
		error = holds == TRUTH_ERROR;
		count += holds == TRUTH_YES;
	}
	eval->element = outer;
	if (error)
		set_error(result);
	else
		value_set_number(result, count);
}

/* lower(), registrable(), length() of an inner value. */
static void
apply_function(struct eval *eval, const struct compiled_operand *operand,
    struct value *result)
{
	struct value scratch;
	const struct value *inner =
	    eval_node_value(eval, operand->inner, &scratch);

	*result = *inner;
	if (inner->state != VALUE_PRESENT)
		return;
	if (operand->kind == COMPILED_REGISTRABLE) {
		value_set_text(result, domain_registrable(inner->text));
	} else if (operand->kind == COMPILED_LENGTH) {
		value_set_number(result, operand->inner->type == VALUE_STRINGS
					     ? (int64_t)inner->texts.count
					     : count_characters(inner->text));
	} else {
		struct slice folded = utf8_fold_slice(eval->arena, inner->text);

		value_set_text(result, folded);
		if (folded.data == NULL && inner->text.length > 0)
			set_error(result);
	}
}

/* The member of the first element; of feed["x"] that of the one named so. */
static void
first_of(const struct facts_collection *collection,
    const struct compiled_operand *operand, struct value *result)
{
	for (size_t i = 0; i < collection->elements.count; i++) {
		struct value *element = collection->elements.items[i];

		if (!eval_node_passes(operand->field, operand->filter, element))
			continue;
		*result = element[operand->member];
		return;
	}
}

static bool
compose(struct eval *eval, struct slice *text)
{
	struct slice composed = compose_slice(eval->arena, *text);

	if (composed.data == NULL && text->length > 0)
		return false;
	*text = composed;
	return true;
}

static bool
compose_set(struct eval *eval, struct value *value)
{
	size_t count = value->texts.count;
	struct slice *items =
	    arena_alloc_array(eval->arena, count + 1, sizeof *items);

	if (items == NULL)
		return false;
	for (size_t i = 0; i < count; i++) {
		items[i] = value->texts.items[i];
		if (!compose(eval, &items[i]))
			return false;
	}
	value->texts.items = items;
	return true;
}

/* Brings the text to composed form, once for each value: what is compared with
 * it has that form since the policy was loaded. */
static struct value *
composed(struct eval *eval, enum value_type type, struct value *value)
{
	bool good = true;

	if (value->composed || value->state != VALUE_PRESENT)
		return value;
	if (type == VALUE_STRINGS)
		good = compose_set(eval, value);
	else if (type == VALUE_STRING || type == VALUE_DOMAIN ||
		 type == VALUE_ADDRESS)
		good = compose(eval, &value->text);
	if (!good)
		set_error(value);
	value->composed = true;
	return value;
}

struct value *
eval_node_value(struct eval *eval, const struct compiled_operand *operand,
    struct value *scratch)
{
	const struct facts_collection *collection;

	switch (operand->kind) {
	case COMPILED_FIELD:
		if (require(eval, operand->field))
			return composed(eval, operand->type,
			    &eval->facts->values[operand->field]);
		set_error(scratch);
		return scratch;
	case COMPILED_MEMBER:
		return composed(
		    eval, operand->type, &eval->element[operand->member]);
	case COMPILED_FIRST:
		*scratch = (struct value){ .state = VALUE_MISSING };
		collection = eval_node_elements(eval, operand->field);
		if (collection == NULL)
			set_error(scratch);
		else
			first_of(collection, operand, scratch);
		return composed(eval, operand->type, scratch);
	case COMPILED_LITERAL:
		*scratch = operand->literal;
		return scratch;
	case COMPILED_LOWER:
	case COMPILED_REGISTRABLE:
	case COMPILED_LENGTH:
		apply_function(eval, operand, scratch);
		return scratch;
	case COMPILED_COUNT:
		count_elements(eval, operand, scratch);
		return scratch;
	}
	set_error(scratch);
	return scratch;
}

/* The folded text, made once for each value. NULL data at the ceiling. */
static struct slice
folded(struct eval *eval, struct value *value)
{
	if (value->text.length == 0)
		return slice_make("", 0);
	if (value->folded.data == NULL)
		value->folded = utf8_fold_slice(eval->arena, value->text);
	if (value->folded.data == NULL)
		eval->exhausted = true;
	return value->folded;
}

/* ---------------------------------------------------------- collections */

const struct facts_collection *
eval_node_elements(struct eval *eval, enum field_id field)
{
	return require(eval, field) ? &eval->facts->collections[field] : NULL;
}

bool
eval_node_passes(
    enum field_id field, const char *filter, const struct value *element)
{
	const struct value *name;

	if (filter == NULL)
		return true;
	name = &element[field == FIELD_HEADER ? (unsigned)FACT_HEADER_NAME
			: field == FIELD_FEED ? (unsigned)FACT_FEED_NAME
					      : (unsigned)FACT_YARA_RULESET];
	if (field == FIELD_FEED)
		return slice_equal_text(name->text, filter);
	return name->state == VALUE_PRESENT &&
	       slice_equal_text_fold(name->text, filter);
}

/* any: one element for which the condition holds. all: none for which it does
 * not, and not empty. An element that can't be judged makes an error unless
 * another decides; so does a collection that was cut. */
static enum eval_truth
quantify(struct eval *eval, const struct program_node *node)
{
	bool any = node->kind == NODE_ANY;
	const struct facts_collection *all =
	    eval_node_elements(eval, node->field);
	const struct program_node *condition =
	    node->child_count == 0 ? NULL : node->children[0];
	struct value *outer = eval->element;
	bool error, seen = false, decided = false;

	if (all == NULL)
		return TRUTH_ERROR;
	error = all->failed;
	if (error)
		eval->reason = REASON_COLLECTION;
	for (size_t i = 0; !decided && i < all->elements.count; i++) {
		enum eval_truth holds = TRUTH_YES;

		if (!eval_node_passes(
			node->field, node->filter, all->elements.items[i]))
			continue;
		seen = true;
		eval->element = all->elements.items[i];
		if (condition != NULL)
			holds = eval_node(eval, condition);
		error = error || holds == TRUTH_ERROR;
		decided = holds == (any ? TRUTH_YES : TRUTH_NO);
	}
	eval->element = outer;
	if (decided)
		return truth(any);
	if (error)
		return TRUTH_ERROR;
	return truth(!any && seen);
}

/* ---------------------------------------------------------- comparisons */

static bool
compare_numbers(enum ast_comparison comparison, int64_t a, int64_t b)
{
	switch (comparison) {
	case COMPARE_EQUAL:
		return a == b;
	case COMPARE_LESS:
		return a < b;
	case COMPARE_LESS_EQUAL:
		return a <= b;
	case COMPARE_GREATER:
		return a > b;
	case COMPARE_GREATER_EQUAL:
		return a >= b;
	case COMPARE_NOT_EQUAL:
	case COMPARE_IN:
	case COMPARE_NOT_IN:
	case COMPARE_UNDER:
	case COMPARE_MATCHES:
	case COMPARE_CONTAINS:
	case COMPARE_CONTAINS_ANY:
	case COMPARE_STARTS_WITH:
	case COMPARE_ENDS_WITH:
	case COMPARE_PRESENT:
	case COMPARE_MISSING:
		break;
	}
	return false;
}

static bool
compare_slices(enum ast_comparison comparison, struct slice a, struct slice b)
{
	if (comparison == COMPARE_CONTAINS)
		return slice_find(a, b) != SIZE_MAX;
	if (comparison == COMPARE_STARTS_WITH)
		return slice_starts_with(a, b);
	if (comparison == COMPARE_ENDS_WITH)
		return slice_ends_with(a, b);
	return slice_equal(a, b);
}

/* What the pattern set says of a search in `left`, which is the message's. */
static enum pattern_answer
ask_patterns(
    struct eval *eval, const struct program_node *node, struct value *left)
{
	const struct pattern_set *patterns = eval->input.patterns;

	if (patterns == NULL || !pattern_set_has(patterns, node))
		return PATTERN_UNKNOWN;
	if (left->folded.data == NULL && left->text.length > 0)
		left->folded = utf8_fold_slice(eval->arena, left->text);
	return pattern_set_ask(patterns, eval->arena, node, left);
}

static enum eval_truth
compare_texts(struct eval *eval, const struct program_node *node,
    struct value *left, struct value *right)
{
	bool exactly = node->left->exactly || node->right->exactly;
	struct slice a, b;

	switch (ask_patterns(eval, node, left)) {
	case PATTERN_NO:
		return TRUTH_NO;
	case PATTERN_YES:
		return TRUTH_YES;
	case PATTERN_UNKNOWN:
		break;
	}
	if (exactly)
		return truth(
		    compare_slices(node->comparison, left->text, right->text));
	if (node->comparison == COMPARE_EQUAL)
		return truth(utf8_equal_fold(left->text, right->text));
	a = folded(eval, left);
	b = folded(eval, right);
	if (a.data == NULL || b.data == NULL)
		return fail(eval, REASON_MEMORY);
	return truth(compare_slices(node->comparison, a, b));
}

/* A set of strings contains one that equals the text. */
static bool
set_contains(const struct value *set, struct slice text, bool exactly)
{
	for (size_t i = 0; i < set->texts.count; i++)
		if (exactly ? slice_equal(set->texts.items[i], text)
			    : utf8_equal_fold(set->texts.items[i], text))
			return true;
	return false;
}

static enum eval_truth
compare(struct eval *eval, const struct program_node *node)
{
	struct value left_scratch, right_scratch;
	struct value *left = eval_node_value(eval, node->left, &left_scratch);
	struct value *right =
	    eval_node_value(eval, node->right, &right_scratch);

	if (left->state == VALUE_ERROR || right->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (left->state == VALUE_MISSING || right->state == VALUE_MISSING)
		return TRUTH_NO;
	switch (node->left->type) {
	case VALUE_BOOL:
		return truth(left->truth == right->truth);
	case VALUE_INTEGER:
	case VALUE_SIZE:
	case VALUE_DURATION:
	case VALUE_TIME:
	case VALUE_ENUM:
		return truth(compare_numbers(
		    node->comparison, left->number, right->number));
	case VALUE_STRING:
	case VALUE_DOMAIN:
	case VALUE_ADDRESS:
		return compare_texts(eval, node, left, right);
	case VALUE_IP:
		return truth(ipaddr_equal(&left->ip, &right->ip));
	case VALUE_STRINGS:
		return truth(set_contains(left, right->text,
		    node->left->exactly || node->right->exactly));
	case VALUE_COLLECTION:
		break;
	}
	return TRUTH_NO;
}

/* ---------------------------------------------------------------- lists */

static bool
text_in_list(const struct eval *eval, const struct program_node *node,
    const struct value_list *list, struct slice text)
{
	int64_t now = eval->input.now;

	switch (value_list_type_of(list)) {
	case LIST_DOMAINS:
		return value_list_has_domain(list, text, now);
	case LIST_ADDRESSES:
		return value_list_has_address(list, text, now);
	case LIST_HASHES:
	case LIST_STRINGS:
		return value_list_has_string(
		    list, text, node->left->exactly, now);
	case LIST_NETWORKS:
		break;
	}
	return false;
}

static enum eval_truth
in_list(struct eval *eval, const struct program_node *node)
{
	const struct value_list *list = program_list(eval->lists, node->list);
	struct value scratch;
	struct value *left = eval_node_value(eval, node->left, &scratch);

	if (left->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (left->state == VALUE_MISSING)
		return TRUTH_NO;
	if (node->kind == NODE_UNDER_LIST)
		return truth(value_list_covers_domain(
		    list, left->text, eval->input.now));
	if (node->left->type == VALUE_IP)
		return truth(
		    value_list_has_ip(list, &left->ip, eval->input.now));
	if (node->left->type != VALUE_STRINGS)
		return truth(text_in_list(eval, node, list, left->text));
	for (size_t i = 0; i < left->texts.count; i++)
		if (text_in_list(eval, node, list, left->texts.items[i]))
			return TRUTH_YES;
	return TRUTH_NO;
}

static enum eval_truth
contains_any(struct eval *eval, const struct program_node *node)
{
	const struct value_list *list = program_list(eval->lists, node->list);
	struct value scratch;
	struct value *left = eval_node_value(eval, node->left, &scratch);
	struct slice text;

	if (left->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (left->state == VALUE_MISSING)
		return TRUTH_NO;
	if (node->left->type == VALUE_STRINGS) {
		for (size_t i = 0; i < left->texts.count; i++)
			if (value_list_has_string(list, left->texts.items[i],
				node->left->exactly, eval->input.now))
				return TRUTH_YES;
		return TRUTH_NO;
	}
	text = folded(eval, left);
	if (text.data == NULL && left->text.length > 0)
		return fail(eval, REASON_MEMORY);
	return truth(value_list_occurs_in(list,
	    eval->lists->occurrences == NULL
		? NULL
		: eval->lists->occurrences[node->list],
	    left->text, text, node->left->exactly, eval->input.now));
}

/* -------------------------------------------------------- other leaves */

static enum eval_truth
in_constants(struct eval *eval, const struct program_node *node)
{
	struct value scratch;
	const struct value *left = eval_node_value(eval, node->left, &scratch);

	if (left->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (left->state == VALUE_MISSING)
		return TRUTH_NO;
	if (node->kind == NODE_IN_NETWORK)
		return truth(ipaddr_in_network(&left->ip, &node->network));
	if (node->kind == NODE_IN_WORDS)
		return truth(left->number >= 0 && left->number < 64 &&
			     (node->mask >> left->number & 1) != 0);
	for (unsigned i = 0; i < node->number_count; i++)
		if (left->number == node->numbers[i])
			return TRUTH_YES;
	return TRUTH_NO;
}

static enum eval_truth
matches(struct eval *eval, const struct program_node *node)
{
	struct value scratch;
	struct value *left = eval_node_value(eval, node->left, &scratch);

	if (left->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (left->state == VALUE_MISSING ||
	    ask_patterns(eval, node, left) == PATTERN_NO)
		return TRUTH_NO;
	eval->work.regexes++;
	switch (regex_match(
	    node->regex, left->text, &eval->regex_limits, NULL, NULL)) {
	case REGEX_NO:
		return TRUTH_NO;
	case REGEX_YES:
		return TRUTH_YES;
	case REGEX_LIMIT:
		break;
	}
	return fail(eval, REASON_REGEX);
}

static const struct lookalike_set *
prepared(struct eval *eval, const struct value_list *list)
{
	struct eval_lookalikes *at;

	for (at = eval->lookalikes; at != NULL; at = at->next)
		if (at->list == list)
			return at->set;
	at = arena_alloc(eval->arena, sizeof *at);
	if (at == NULL)
		return NULL;
	*at = (struct eval_lookalikes){ .list = list,
		.set = lookalike_prepare(eval->arena, list),
		.next = eval->lookalikes };
	eval->lookalikes = at;
	return at->set;
}

static enum eval_truth
looks_like(
    struct eval *eval, const struct program_node *node, struct slice domain)
{
	const struct lookalike_set *set =
	    prepared(eval, program_list(eval->lists, node->list));

	if (set == NULL)
		return fail(eval, REASON_MEMORY);
	return truth(lookalike_any(set, domain, eval->input.now));
}

static enum eval_truth
look_at_value(struct eval *eval, const struct program_node *node)
{
	struct value scratch, other;
	const struct value *left = eval_node_value(eval, node->left, &scratch);
	const struct value *right;

	if (left->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	if (node->kind == NODE_PRESENT)
		return truth(left->state == VALUE_PRESENT);
	if (left->state == VALUE_MISSING)
		return TRUTH_NO;
	if (node->kind == NODE_TRUTH)
		return truth(left->truth);
	if (node->kind == NODE_LOOKALIKE)
		return looks_like(eval, node, left->text);
	right = eval_node_value(eval, node->right, &other);
	if (right->state == VALUE_ERROR)
		return fail(eval, REASON_VALUE);
	return truth(right->state == VALUE_PRESENT &&
		     domain_is_under(left->text, right->text));
}

/* ---------------------------------------------------------------- nodes */

static enum eval_truth
combine(struct eval *eval, const struct program_node *node)
{
	enum eval_truth decisive =
	    node->kind == NODE_AND ? TRUTH_NO : TRUTH_YES;
	bool error = false;

	for (unsigned i = 0; i < node->child_count; i++) {
		enum eval_truth one = eval_node(eval, node->children[i]);

		if (one == decisive)
			return decisive;
		error = error || one == TRUTH_ERROR;
	}
	if (error)
		return TRUTH_ERROR;
	return node->kind == NODE_AND ? TRUTH_YES : TRUTH_NO;
}

static enum eval_truth
invert(enum eval_truth one)
{
	return one == TRUTH_ERROR ? one : truth(one == TRUTH_NO);
}

static bool
switch_position(const struct eval *eval, int index)
{
	if (eval->input.switches != NULL)
		return eval->input.switches[index];
	return eval->program->switches.items[index].initial;
}

static enum eval_truth
evaluate(struct eval *eval, const struct program_node *node)
{
	eval->work.conditions++;
	switch (node->kind) {
	case NODE_CONSTANT:
		return truth(node->truth);
	case NODE_AND:
	case NODE_OR:
		return combine(eval, node);
	case NODE_NOT:
		return invert(eval_node(eval, node->children[0]));
	case NODE_ANY:
	case NODE_ALL:
		return quantify(eval, node);
	case NODE_COMPARE:
		return compare(eval, node);
	case NODE_IN_WORDS:
	case NODE_IN_NUMBERS:
	case NODE_IN_NETWORK:
		return in_constants(eval, node);
	case NODE_IN_LIST:
	case NODE_UNDER_LIST:
		return in_list(eval, node);
	case NODE_MATCHES:
		return matches(eval, node);
	case NODE_CONTAINS_ANY:
		return contains_any(eval, node);
	case NODE_TRUTH:
	case NODE_UNDER:
	case NODE_PRESENT:
	case NODE_LOOKALIKE:
		return look_at_value(eval, node);
	case NODE_RULE:
		return (enum eval_truth)eval_node_rule(eval, node->rule)
		    ->matched;
	case NODE_SWITCH:
		return truth(switch_position(eval, node->switch_index));
	}
	return TRUTH_NO;
}

enum eval_truth
eval_node(struct eval *eval, const struct program_node *node)
{
	unsigned char *memo = &eval->memo[node->index];
	enum eval_truth result;

	if (eval->again)
		return TRUTH_ERROR; /* the run is over: it will come again */
	if (node->element)
		return evaluate(eval, node);
	if (*memo == TRUTH_UNKNOWN) {
		result = evaluate(eval, node);
		*memo = (unsigned char)result;
		if (result == TRUTH_ERROR)
			*memo += (unsigned char)eval->reason;
	} else if (*memo >= TRUTH_ERROR) {
		eval->reason = (enum eval_reason)(*memo - TRUTH_ERROR);
	}
	return *memo >= TRUTH_ERROR ? TRUTH_ERROR : (enum eval_truth) * memo;
}

bool
eval_node_in_shadow(const struct eval *eval, const struct program_rule *rule)
{
	return !eval->input.shadow_enforces &&
	       (rule->shadow || eval->input.now < rule->from ||
		   eval->program->settings.enforcement_shadow ==
		       SETTINGS_ENFORCEMENT_SHADOW);
}

static bool
has_ended(const struct eval *eval, const struct program_rule *rule)
{
	int64_t now = eval->input.now;

	if (rule->until != 0 && now >= rule->until)
		return true;
	return rule->shadow && rule->shadow_until != 0 &&
	       now >= rule->shadow_until && !eval->input.shadow_enforces;
}

const struct eval_rule *
eval_node_rule(struct eval *eval, const struct program_rule *rule)
{
	struct eval_rule *result = &eval->rules[rule->index];
	struct value *outer = eval->element;
	enum eval_reason outer_reason = eval->reason;
	enum eval_truth when = TRUTH_YES, unless = TRUTH_NO;

	if (result->matched != TRUTH_UNKNOWN)
		return result;
	eval->work.rules++;
	result->active = !has_ended(eval, rule);
	result->matched = TRUTH_NO;
	if (!result->active)
		return result;
	eval->element = NULL;
	eval->reason = REASON_NONE;
	if (rule->when != NULL)
		when = eval_node(eval, rule->when);
	if (when != TRUTH_NO && rule->unless != NULL)
		unless = eval_node(eval, rule->unless);
	eval->element = outer;
	/* An error inside unless counts as not exempt. */
	if (when == TRUTH_ERROR || unless == TRUTH_ERROR)
		result->reason = (unsigned char)eval->reason;
	eval->reason = outer_reason;
	if (when == TRUTH_NO || unless == TRUTH_YES)
		return result;
	result->by_error = when == TRUTH_ERROR;
	if (!result->by_error || rule->on_error != ON_ERROR_SKIP)
		result->matched = TRUTH_YES;
	return result;
}
