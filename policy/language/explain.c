#include <config.h>

#include "language/eval_node.h"
#include "language/expand.h"
#include "language/explain.h"

#define DEPTH_MAX     20
#define ELEMENTS_MAX  10 /* of one collection that are shown */
#define TEXT_MAX      160
#define CONTEXT_BYTES 30 /* around a match that is shown */

/* Walks a rule's conditions after the run; what was not needed then is
 * evaluated now, so every clause has an answer. */
struct walk {
	struct eval *eval;
	const struct explain_options *options;
	struct builder *out;
	bool json;
	bool first;
	struct slice element; /* what the next line's element is; or empty */
};

static const char *
word(enum eval_truth truth)
{
	switch (truth) {
	case TRUTH_YES:
		return "yes";
	case TRUTH_NO:
		return "no";
	case TRUTH_ERROR:
		return "error";
	case TRUTH_UNKNOWN:
		break;
	}
	return "-";
}

/* The clause's text on one line. */
static void
add_source(struct builder *out, const struct program_node *node)
{
	struct slice text =
	    slice_range(node->source->text, node->offset, node->end);
	bool blank = false;

	for (size_t i = 0; i < text.length && i < TEXT_MAX; i++) {
		if (ascii_is_space(text.data[i])) {
			blank = true;
			continue;
		}
		if (blank)
			builder_byte(out, ' ');
		blank = false;
		builder_byte(out, text.data[i]);
	}
	if (text.length > TEXT_MAX)
		builder_text(out, " ...");
}

static bool
is_secret(const struct compiled_operand *operand)
{
	for (; operand != NULL; operand = operand->inner)
		if (operand->kind == COMPILED_FIELD &&
		    operand->field == FIELD_BODY_TEXT)
			return true;
	return false;
}

/* Where in a long text it matched: offset and length, or some context. */
static void
note_match(const struct walk *walk, const struct program_node *node,
    const struct value *value, struct builder *note)
{
	size_t start = 0, end = 0;

	if (regex_match(node->regex, value->text, &walk->eval->regex_limits,
		&start, &end) != REGEX_YES)
		return;
	builder_printf(note, " at offset %zu, %zu bytes", start, end - start);
	if (!walk->options->show_content)
		return;
	builder_text(note, ": \"");
	expand_safe(note,
	    slice_range(value->text,
		start < CONTEXT_BYTES ? 0 : start - CONTEXT_BYTES,
		end + CONTEXT_BYTES),
	    TEXT_MAX);
	builder_byte(note, '"');
}

/* "dmarc is fail": the value that the clause looked at. */
static void
note_value(const struct walk *walk, const struct program_node *node,
    struct builder *note)
{
	struct value scratch;
	const struct value *value;

	if (node->left == NULL)
		return;
	value = eval_node_value(walk->eval, node->left, &scratch);
	if (value->state == VALUE_MISSING) {
		builder_text(note, "missing");
		return;
	}
	if (value->state == VALUE_ERROR) {
		builder_text(note, "could not be computed");
		return;
	}
	if (is_secret(node->left) && node->left->type == VALUE_STRING) {
		builder_printf(note, "%zu bytes of text", value->text.length);
	} else {
		builder_text(note, "is ");
		if (node->left->type == VALUE_STRING)
			builder_byte(note, '"');
		expand_value(note, value, node->left->type, node->left->words);
		if (node->left->type == VALUE_STRING)
			builder_byte(note, '"');
	}
	if (node->kind == NODE_MATCHES)
		note_match(walk, node, value, note);
}

static void
print_line(struct walk *walk, unsigned depth, enum eval_truth truth,
    struct slice text, struct slice note)
{
	struct builder *out = walk->out;

	if (walk->json) {
		builder_text(out, walk->first ? "" : ",");
		builder_text(out, "{\"text\":\"");
		builder_json(out, text);
		builder_printf(out,
		    "\",\"depth\":%u,\"result\":\"%s\",\"note\":\"", depth,
		    word(truth));
		builder_json(out, note);
		builder_text(out, "\"}");
	} else {
		builder_printf(out, "    %-5s ", word(truth));
		for (unsigned i = 0; i < depth * 2; i++)
			builder_byte(out, ' ');
		builder_slice(out, text);
		if (note.length > 0) {
			builder_text(out, "    (");
			builder_slice(out, note);
			builder_byte(out, ')');
		}
		builder_byte(out, '\n');
	}
	walk->first = false;
}

static void walk_node(
    struct walk *walk, const struct program_node *node, unsigned depth);

/* The member by which people know an element. */
static unsigned
telling_member(enum field_id field, const struct value *members)
{
	if (field == FIELD_HEADER)
		return FACT_HEADER_VALUE;
	if (field == FIELD_INDICATOR)
		return FACT_INDICATOR_VALUE;
	if (field == FIELD_YARA)
		return FACT_YARA_RULE;
	if (field == FIELD_ATTACHMENT &&
	    members[FACT_ATTACHMENT_NAME].state != VALUE_PRESENT)
		return FACT_ATTACHMENT_TYPE;
	return 0;
}

/* `2: "https://evil.example/x"`: which element it is, from 1. */
static struct slice
name_element(struct walk *walk, enum field_id field,
    const struct value *members, size_t number)
{
	unsigned index = telling_member(field, members);
	const struct schema_member *member =
	    &schema_fields[field].members[index];
	struct builder name = builder_make(walk->eval->arena, 1024);
	const char *quote = member->type == VALUE_STRING ? "\"" : "";

	builder_printf(&name, "%zu", number);
	if (members[index].state == VALUE_PRESENT &&
	    (member->type != VALUE_STRING || members[index].text.length > 0)) {
		builder_printf(&name, ": %s", quote);
		expand_value(
		    &name, &members[index], member->type, member->words);
		builder_text(&name, quote);
	}
	return builder_result(&name);
}

/* Elements for which the clause is `wanted`, or all others. Returns how many
 * there were. */
static size_t
walk_some(struct walk *walk, const struct program_node *node, unsigned depth,
    bool decisive, size_t *shown)
{
	enum eval_truth wanted = node->kind == NODE_ALL ? TRUTH_NO : TRUTH_YES;
	const struct facts_collection *all =
	    eval_node_elements(walk->eval, node->field);
	size_t number = 0;

	for (size_t i = 0; all != NULL && i < all->elements.count; i++) {
		struct value *element = all->elements.items[i];

		if (!eval_node_passes(node->field, node->filter, element))
			continue;
		number++;
		walk->eval->element = element;
		if (*shown >= ELEMENTS_MAX ||
		    (eval_node(walk->eval, node->children[0]) == wanted) !=
			decisive)
			continue;
		++*shown;
		walk->element =
		    name_element(walk, node->field, element, number);
		walk_node(walk, node->children[0], depth);
	}
	return number;
}

/* The elements one by one, with what holds for each: first those that decided,
 * for a mail may have hundreds. */
static void
walk_elements(
    struct walk *walk, const struct program_node *node, unsigned depth)
{
	struct value *outer = walk->eval->element;
	struct builder more = builder_make(walk->eval->arena, 100);
	size_t shown = 0, count;

	if (node->child_count == 0)
		return;
	walk_some(walk, node, depth, true, &shown);
	count = walk_some(walk, node, depth, false, &shown);
	walk->eval->element = outer;
	if (count <= shown)
		return;
	builder_printf(&more, "and %zu more", count - shown);
	print_line(walk, depth, TRUTH_UNKNOWN, builder_result(&more),
	    (struct slice){ 0 });
}

static void
count_note(const struct walk *walk, const struct program_node *node,
    struct builder *note)
{
	const struct facts_collection *all =
	    eval_node_elements(walk->eval, node->field);
	size_t count = 0;

	for (size_t i = 0; all != NULL && i < all->elements.count; i++)
		count += eval_node_passes(
		    node->field, node->filter, all->elements.items[i]);
	builder_printf(note, "%zu element%s", count, count == 1 ? "" : "s");
}

/* `x is missing`, `x != y`, `x not in l` and `no C (...)` are the negation of
 * what stands there: one clause for the operator, so one line. */
static const struct program_node *
what_is_negated(const struct program_node *node)
{
	const struct program_node *child;

	if (node->kind != NODE_NOT)
		return node;
	child = node->children[0];
	return child->source == node->source && child->offset == node->offset &&
		       child->end == node->end
		   ? child
		   : node;
}

/* `ours: one of these`: with the name of the let that says so. */
static void
add_chain(struct builder *out, const struct program *program,
    const struct program_node *node)
{
	for (size_t i = 0; i < program->lets.count; i++)
		if (program->lets.items[i].node == node) {
			builder_printf(
			    out, "%s: ", program->lets.items[i].name);
			break;
		}
	builder_text(
	    out, node->kind == NODE_AND ? "all of these" : "one of these");
}

static void
walk_node(struct walk *walk, const struct program_node *node, unsigned depth)
{
	enum eval_truth truth = eval_node(walk->eval, node);
	struct builder text = builder_make(walk->eval->arena, 1024);
	struct builder note = builder_make(walk->eval->arena, 4096);
	bool quantifier;
	size_t before;

	if (walk->element.length > 0) {
		builder_slice(&note, walk->element);
		walk->element = (struct slice){ 0 };
	}
	node = what_is_negated(node);
	quantifier = node->kind == NODE_ANY || node->kind == NODE_ALL;
	if (node->kind == NODE_AND || node->kind == NODE_OR)
		add_chain(&text, walk->eval->program, node);
	else
		add_source(&text, node);
	before = note.length;
	if (before > 0)
		builder_text(&note, "; ");
	if (quantifier)
		count_note(walk, node, &note);
	else if (node->kind == NODE_RULE)
		builder_printf(&note, "the rule at %s",
		    program_rule_place(walk->eval->arena, node->rule));
	else
		note_value(walk, node, &note);
	if (before > 0 && note.length == before + 2)
		note.length = before; /* nothing to add */
	print_line(
	    walk, depth, truth, builder_result(&text), builder_result(&note));
	if (depth >= DEPTH_MAX)
		return;
	if (quantifier)
		walk_elements(walk, node, depth + 1);
	else
		for (unsigned i = 0; i < node->child_count; i++)
			walk_node(walk, node->children[i], depth + 1);
}

static void
walk_rule(struct walk *walk, const struct program_rule *rule)
{
	if (rule->when != NULL)
		walk_node(walk, rule->when, 0);
	if (rule->unless == NULL)
		return;
	print_line(walk, 0, eval_node(walk->eval, rule->unless),
	    SLICE_LITERAL("unless"), (struct slice){ 0 });
	walk_node(walk, rule->unless, 1);
}

/* The exemption that lifts the rule, as eval_run() found it. */
static const char *
lifted_by(const struct eval *eval, const struct program_rule *rule)
{
	for (size_t i = 0; i < eval->program->exemptions.count; i++) {
		const struct program_exemption *exemption =
		    eval->program->exemptions.items[i];

		if (eval->exemptions[i] != TRUTH_YES)
			continue;
		for (unsigned j = 0; j < exemption->rule_count; j++)
			if (exemption->rules[j] == rule)
				return exemption->name;
		if (exemption->all && rule->severity != FACT_SEVERITY_CRITICAL)
			return exemption->name;
	}
	return NULL;
}

/* A copy that evaluates on without touching what the run left. */
static struct eval
reader_of(const struct eval *eval)
{
	struct eval copy = *eval;

	copy.again = false;
	/* What is asked now is asked by an operator, with time of its own. */
	regex_deadline(&copy.regex_limits,
	    (int64_t)eval->program->settings.limits.regex_total * 1000000);
	copy.element = NULL;
	return copy;
}

void
explain_demand(const struct program_rule *rule, struct builder *out)
{
	const char *separator = "";

	if (rule->disposition != DISPOSITION_NONE) {
		builder_printf(out, "%s%s", separator,
		    verdict_disposition_name(rule->disposition));
		separator = ", ";
	}
	for (unsigned i = 0; i < rule->action_count; i++) {
		builder_printf(out, "%s%s", separator,
		    verdict_action_name(rule->actions[i].kind));
		separator = ", ";
	}
}

static void
put_match(struct builder *out, const struct program_rule *rule, bool shadow)
{
	builder_text(
	    out, shadow ? ": matches in shadow, would " : ": matches: ");
	explain_demand(rule, out);
}

static void
print_rule(struct walk *walk, const struct program_rule *rule,
    const struct eval_rule *result)
{
	struct builder *out = walk->out;
	const char *lifted = lifted_by(walk->eval, rule);
	bool matched = result->matched == TRUTH_YES;

	builder_printf(out, "%s %s", matched ? "+" : "-", rule->name);
	if (!result->active)
		builder_text(out, ": has ended");
	else if (!matched)
		builder_text(out, ": no match");
	else if (lifted != NULL)
		builder_printf(out, ": matches, exempted by \"%s\"", lifted);
	else
		put_match(out, rule, eval_node_in_shadow(walk->eval, rule));
	if (result->reason != REASON_NONE)
		builder_printf(out, " (error: %s)",
		    eval_reason_text((enum eval_reason)result->reason));
	builder_printf(
	    out, "  [%s]\n", program_rule_place(walk->eval->arena, rule));
	if (result->active)
		walk_rule(walk, rule);
}

static bool
is_asked_for(const struct walk *walk, const struct program_rule *rule)
{
	const struct explain_options *options = walk->options;

	if ((options->names == NULL || options->stage_only) &&
	    rule->stage != walk->eval->stage)
		return false;
	if (options->names == NULL)
		return true;
	for (size_t i = 0; i < options->name_count; i++)
		if (strcmp(options->names[i], rule->name) == 0)
			return true;
	return false;
}

/* What the run found, or finds now for a rule of another stage; NULL when the
 * rule is not to be shown. */
static const struct eval_rule *
result_of(struct walk *walk, const struct program_rule *rule)
{
	const struct eval_rule *result;

	if (!is_asked_for(walk, rule))
		return NULL;
	result = eval_node_rule(walk->eval, rule);
	return walk->options->matched_only && result->matched != TRUTH_YES
		   ? NULL
		   : result;
}

void
explain_print(const struct eval *eval, const struct explain_options *options,
    struct builder *out)
{
	struct eval reader = reader_of(eval);
	struct walk walk = { .eval = &reader, .options = options, .out = out };

	for (int matched = 1; matched >= 0; matched--)
		for (size_t i = 0; i < eval->program->rules.count; i++) {
			const struct program_rule *rule =
			    eval->program->rules.items[i];
			const struct eval_rule *result = result_of(&walk, rule);

			if (result != NULL &&
			    (result->matched == TRUTH_YES) == matched)
				print_rule(&walk, rule, result);
		}
}

static void
json_rule(struct walk *walk, const struct program_rule *rule,
    const struct eval_rule *result)
{
	struct builder *out = walk->out;
	const char *lifted = lifted_by(walk->eval, rule);

	builder_text(out, "{\"rule\":\"");
	builder_json(out, slice_text(rule->name));
	builder_printf(out, "\",\"matched\":%s,\"shadow\":%s,\"active\":%s,",
	    result->matched == TRUTH_YES ? "true" : "false",
	    eval_node_in_shadow(walk->eval, rule) ? "true" : "false",
	    result->active ? "true" : "false");
	builder_printf(out, "\"disposition\":\"%s\",\"exempted_by\":",
	    verdict_disposition_name(rule->disposition));
	if (lifted == NULL) {
		builder_text(out, "null");
	} else {
		builder_byte(out, '"');
		builder_json(out, slice_text(lifted));
		builder_byte(out, '"');
	}
	builder_text(out, ",\"clauses\":[");
	walk->first = true;
	if (result->active)
		walk_rule(walk, rule);
	builder_text(out, "]}");
}

void
explain_json(const struct eval *eval, const struct explain_options *options,
    struct builder *out)
{
	struct eval reader = reader_of(eval);
	struct walk walk = {
		.eval = &reader, .options = options, .out = out, .json = true
	};
	bool first = true;

	builder_byte(out, '[');
	for (size_t i = 0; i < eval->program->rules.count; i++) {
		const struct program_rule *rule = eval->program->rules.items[i];
		const struct eval_rule *result = result_of(&walk, rule);

		if (result == NULL)
			continue;
		if (!first)
			builder_byte(out, ',');
		first = false;
		json_rule(&walk, rule, result);
	}
	builder_byte(out, ']');
}
