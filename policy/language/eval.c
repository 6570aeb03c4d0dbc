#include <config.h>

#include "language/eval_node.h"
#include "language/expand.h"

#define VERDICT_ENTRIES_MAX 100000

static struct regex_limits
regex_limits_of(const struct settings_limits *limits)
{
	struct regex_limits result = regex_default_limits;

	result.steps = (uint32_t)limits->regex_steps;
	result.depth = (uint32_t)limits->regex_depth;
	result.memory_kib = (uint32_t)(limits->regex_memory / 1024);
	result.time_ns = (int64_t)limits->regex_time * 1000000;
	return result;
}

struct eval *
eval_new(struct arena *arena, const struct eval_input *input)
{
	struct eval *eval = arena_alloc(arena, sizeof *eval);
	const struct program *program = input->program;

	if (eval == NULL)
		return NULL;
	eval->arena = arena;
	eval->input = *input;
	eval->program = program;
	eval->lists = input->lists == NULL ? &program->lists : input->lists;
	eval->regex_limits = regex_limits_of(&program->settings.limits);
	eval->memo = arena_alloc(arena, program->node_count + 1);
	eval->rules = arena_alloc_array(
	    arena, program->rules.count + 1, sizeof *eval->rules);
	eval->exemptions = arena_alloc(arena, program->exemptions.count + 1);
	if (eval->memo == NULL || eval->rules == NULL ||
	    eval->exemptions == NULL)
		return NULL;
	return eval;
}

bool
eval_has_stage(const struct program *program, enum schema_stage stage)
{
	return program->stages[stage].count > 0;
}

const struct eval_work *
eval_work(const struct eval *eval)
{
	return &eval->work;
}

/* Facts change between stages, so nothing is kept from one run to the next. */
static void
forget(struct eval *eval)
{
	const struct program *program = eval->program;

	memset(eval->memo, 0, program->node_count);
	memset(eval->rules, 0, program->rules.count * sizeof *eval->rules);
	memset(eval->exemptions, 0, program->exemptions.count);
	eval->element = NULL;
	eval->again = false;
	eval->exhausted = false;
	eval->reason = REASON_NONE;
}

static void
note_error(struct eval *eval, struct verdict *verdict,
    const struct program_rule *rule, enum eval_reason reason)
{
	struct verdict_error *error =
	    list_append(verdict->arena, &verdict->errors, VERDICT_ENTRIES_MAX);

	if (!eval_node_in_shadow(eval, rule)) {
		verdict->incomplete = true;
		verdict->failures |= 1u << FAILURE_LIMIT;
	}
	if (error == NULL) {
		eval->exhausted = true;
		return;
	}
	error->rule = rule;
	error->what = eval_reason_text(reason);
}

/* ------------------------------------------------------------ exemptions */

static bool
names_rule(
    const struct program_exemption *exemption, const struct program_rule *rule)
{
	if (exemption->all)
		return rule->severity != FACT_SEVERITY_CRITICAL;
	for (unsigned i = 0; i < exemption->rule_count; i++)
		if (exemption->rules[i] == rule)
			return true;
	return false;
}

/* The exemption's name when one lifts the rule. An error in it counts as not
 * exempt. */
static const char *
exempted_by(
    struct eval *eval, struct verdict *verdict, const struct program_rule *rule)
{
	const struct program *program = eval->program;

	for (size_t i = 0; i < program->exemptions.count; i++) {
		const struct program_exemption *exemption =
		    program->exemptions.items[i];

		if (exemption->stage > eval->stage ||
		    (exemption->until != 0 &&
			eval->input.now >= exemption->until) ||
		    !names_rule(exemption, rule))
			continue;
		eval->exemptions[i] =
		    (unsigned char)eval_node(eval, exemption->when);
		if (eval->exemptions[i] == TRUTH_YES)
			return exemption->name;
		if (eval->exemptions[i] == TRUTH_ERROR && !eval->again)
			note_error(eval, verdict, rule, eval->reason);
	}
	return NULL;
}

/* --------------------------------------------------------------- actions */

static struct verdict_action *
add_action(struct eval *eval, struct verdict *verdict,
    enum verdict_action_kind kind, const struct program_rule *rule)
{
	struct verdict_action *action =
	    list_append(verdict->arena, &verdict->actions, VERDICT_ENTRIES_MAX);

	if (action == NULL) {
		eval->exhausted = true;
		return NULL;
	}
	action->kind = kind;
	action->rule = rule;
	return action;
}

static void
add_actions(
    struct eval *eval, struct verdict *verdict, const struct program_rule *rule)
{
	bool preserves = false;

	for (unsigned i = 0; i < rule->action_count; i++) {
		const struct program_action *from = &rule->actions[i];
		struct verdict_action *to =
		    add_action(eval, verdict, from->kind, rule);

		if (to == NULL)
			return;
		to->name = from->name;
		if (from->text != NULL)
			to->text = expand_text(
			    eval->arena, from->text, rule, eval->facts);
		preserves = preserves || from->kind == ACTION_PRESERVE;
	}
	/* Who refuses or loses mail that grave keeps a copy. */
	if (!preserves && rule->severity >= FACT_SEVERITY_HIGH &&
	    (rule->disposition == DISPOSITION_REJECT ||
		rule->disposition == DISPOSITION_DISCARD))
		add_action(eval, verdict, ACTION_PRESERVE, rule);
}

static void
enforce(struct eval *eval, struct verdict *verdict,
    const struct verdict_match *match)
{
	const struct program_rule *rule = match->rule;

	if (match->disposition > verdict->disposition) {
		verdict->disposition = match->disposition;
		verdict->decided_by = rule;
		verdict->reply = (struct slice){ 0 };
		if (rule->reply != NULL &&
		    match->disposition == rule->disposition)
			verdict->reply = expand_text(
			    eval->arena, rule->reply, rule, eval->facts);
	}
	if (rule->severity > verdict->severity)
		verdict->severity = rule->severity;
	if (!match->by_error || rule->on_error != ON_ERROR_DEFER)
		add_actions(eval, verdict, rule);
}

/* ----------------------------------------------------------------- rules */

/* Evaluates the rules of a stage; those that ask whether the analysis is
 * incomplete come after all that could make it so. */
static void
evaluate_rules(struct eval *eval, bool late)
{
	const program_rules *rules = &eval->program->stages[eval->stage];

	for (size_t i = 0; i < rules->count && !eval->again; i++)
		if (rules->items[i]->late == late)
			(void)eval_node_rule(eval, rules->items[i]);
}

/* What an evaluation could not finish is a fact; in shadow it changes
 * nothing. */
static bool
any_error(const struct eval *eval)
{
	const program_rules *rules = &eval->program->stages[eval->stage];

	for (size_t i = 0; i < rules->count; i++) {
		const struct program_rule *rule = rules->items[i];

		if (eval->rules[rule->index].reason != REASON_NONE &&
		    !eval_node_in_shadow(eval, rule))
			return true;
	}
	return false;
}

static void
run_rule(
    struct eval *eval, struct verdict *verdict, const struct program_rule *rule)
{
	const struct eval_rule *result = eval_node_rule(eval, rule);
	struct verdict_match *match;

	if (eval->again)
		return;
	if (result->reason != REASON_NONE)
		note_error(
		    eval, verdict, rule, (enum eval_reason)result->reason);
	if (result->matched != TRUTH_YES)
		return;
	match =
	    list_append(verdict->arena, &verdict->matches, VERDICT_ENTRIES_MAX);
	if (match == NULL) {
		eval->exhausted = true;
		return;
	}
	match->rule = rule;
	match->stage = eval->stage;
	match->shadow = eval_node_in_shadow(eval, rule);
	match->by_error = result->by_error;
	match->disposition =
	    result->by_error && rule->on_error == ON_ERROR_DEFER
		? DISPOSITION_DEFER
		: rule->disposition;
	match->exempted_by = exempted_by(eval, verdict, rule);
	if (match->exempted_by != NULL)
		return;
	if (match->shadow)
		verdict->would =
		    verdict_stronger(verdict->would, match->disposition);
	else
		enforce(eval, verdict, match);
}

/* What we could not finish, where no rule asked for something stronger. */
static void
apply_failures(struct eval *eval, struct verdict *verdict, unsigned failures)
{
	const int64_t *settings = eval->program->settings.failure;
	bool tagged = false;

	verdict->failures = 0;
	for (unsigned i = 0; i < FAILURE_COUNT; i++) {
		enum disposition wanted = DISPOSITION_NONE;

		if ((failures & 1u << i) == 0)
			continue;
		switch ((enum settings_failure_action)settings[i]) {
		case SETTINGS_FAILURE_ACTION_ACCEPT:
			continue;
		case SETTINGS_FAILURE_ACTION_TAG:
			if (!tagged)
				add_action(eval, verdict, ACTION_TAG, NULL);
			tagged = true;
			break;
		case SETTINGS_FAILURE_ACTION_DEFER:
			wanted = DISPOSITION_DEFER;
			break;
		case SETTINGS_FAILURE_ACTION_REJECT:
			wanted = DISPOSITION_REJECT;
			break;
		}
		verdict->failures |= 1u << i;
		if (wanted > verdict->disposition) {
			verdict->disposition = wanted;
			verdict->decided_by = NULL;
			verdict->reply = (struct slice){ 0 };
		}
	}
}

enum tc_status
eval_run(struct eval *eval, enum schema_stage stage, struct facts *facts,
    struct verdict *verdict_out)
{
	const program_rules *rules = &eval->program->stages[stage];
	unsigned failures;

	*verdict_out = verdict_make(eval->arena);
	eval->facts = facts;
	eval->stage = stage;
	regex_deadline(&eval->regex_limits,
	    (int64_t)eval->program->settings.limits.regex_total * 1000000);
	forget(eval);
	evaluate_rules(eval, false);
	if (!eval->again && any_error(eval))
		facts_note_gap(facts, "rule");
	evaluate_rules(eval, true);
	for (size_t i = 0; i < rules->count && !eval->again; i++)
		run_rule(eval, verdict_out, rules->items[i]);
	if (eval->again) {
		*verdict_out = verdict_make(eval->arena);
		return TC_AGAIN;
	}
	failures = verdict_out->failures | facts->failures;
	if (eval->exhausted)
		failures |= 1u << FAILURE_INTERNAL;
	verdict_out->incomplete |= failures != 0;
	verdict_out->failures = 0;
	if (stage == STAGE_MESSAGE || eval->exhausted)
		apply_failures(eval, verdict_out, failures);
	return eval->exhausted ? TC_LIMIT : TC_OK;
}
