#include <config.h>

#include <stdint.h>
#include <string.h>

#include "tool/compare.h"

#include "base/table.h"
#include "evidence/results.h"
#include "language/program.h"
#include "message/message.h"
#include "tool/scan_report.h"

#define VALUE_MAX 400 /* octets of one value for people */

/* What a policy asks for, all in all. */
struct effect {
	enum disposition disposition;
	enum disposition would; /* by rules in shadow */
	unsigned actions;       /* 1u << enum verdict_action_kind */
	size_t refused;         /* recipients */
	bool early;             /* refused before the end of the message */
};

enum side {
	SIDE_OLD,
	SIDE_NEW,
	SIDES
};

/* A rule under both policies, and what it did to the mail so far. */
struct rule_row {
	const char *name;
	const struct program_rule *rules[SIDES]; /* NULL: has no such rule */
	unsigned long both, gained, lost;
	/* of the message at hand; NULL: did not match */
	const struct verdict_match *matches[SIDES];
	/* the first recipient of it that the rule refused */
	const struct replay_refusal *refusals[SIDES];
};

struct effect_row {
	struct effect effects[SIDES];
	unsigned long count;
};

struct compare {
	const struct judge *judges[SIDES];
	struct arena *arena;
	struct table by_name; /* of struct rule_row */
	LIST_OF(struct rule_row *) rules;
	LIST_OF(struct effect_row) effects;
	unsigned long messages, changed;
	bool failed; /* no memory: the counts are not whole */
};

static struct rule_row *
row_of(struct compare *compare, const char *name)
{
	struct slice key = slice_text(name);
	struct rule_row *row = table_get(&compare->by_name, key), **kept;

	if (row != NULL)
		return row;
	row = arena_alloc(compare->arena, sizeof(struct rule_row));
	kept = list_append(compare->arena, &compare->rules, SIZE_MAX);
	if (row == NULL || kept == NULL ||
	    !table_put(&compare->by_name, key, row))
		return NULL;
	*row = (struct rule_row){ .name = name };
	*kept = row;
	return row;
}

struct compare *
compare_new(const struct judge *old_judge, const struct judge *new_judge)
{
	struct arena *arena = arena_new(0, NULL);
	struct compare *compare =
	    arena == NULL ? NULL : arena_alloc(arena, sizeof(struct compare));

	if (compare == NULL) {
		arena_free(&arena);
		return NULL;
	}
	*compare = (struct compare){ .judges = { old_judge, new_judge },
		.arena = arena,
		.by_name = table_make(arena) };
	/* The new policy's rules first, in its order. */
	for (int side = SIDE_NEW; side >= SIDE_OLD; side--) {
		const struct program *program =
		    compare->judges[side]->engine.program;

		for (unsigned i = 0; i < program_rule_count(program); i++) {
			const struct program_rule *rule =
			    program_rule(program, i);
			struct rule_row *row = row_of(compare, rule->name);

			if (row == NULL) {
				arena_free(&arena);
				return NULL;
			}
			row->rules[side] = rule;
		}
	}
	return compare;
}

void
compare_free(struct compare **compare)
{
	struct arena *arena = *compare == NULL ? NULL : (*compare)->arena;

	arena_free(&arena);
	*compare = NULL;
}

unsigned long
compare_messages(const struct compare *compare)
{
	return compare->messages;
}

unsigned long
compare_changed(const struct compare *compare)
{
	return compare->changed;
}

/* ---- taking a message in */

static struct effect
effect_of(const struct judge *judge)
{
	const struct verdict *verdict = session_verdict(judge->session);
	struct effect effect = { .early = verdict == NULL,
		.refused = judge->result.refused.count };

	if (verdict == NULL) {
		effect.disposition = replay_early_disposition(&judge->result);
		return effect;
	}
	effect.disposition = verdict->disposition;
	if (verdict_stronger(verdict->would, verdict->disposition) !=
	    verdict->disposition)
		effect.would = verdict->would;
	for (size_t i = 0; i < verdict->actions.count; i++)
		effect.actions |= 1u << verdict->actions.items[i].kind;
	return effect;
}

static bool
effect_is(const struct effect *a, const struct effect *b)
{
	return a->disposition == b->disposition && a->would == b->would &&
	       a->actions == b->actions && a->refused == b->refused &&
	       a->early == b->early;
}

static void
count_effects(struct compare *compare, const struct effect effects[SIDES])
{
	struct effect_row *row;

	for (size_t i = 0; i < compare->effects.count; i++) {
		row = &compare->effects.items[i];
		if (effect_is(&row->effects[SIDE_OLD], &effects[SIDE_OLD]) &&
		    effect_is(&row->effects[SIDE_NEW], &effects[SIDE_NEW])) {
			row->count++;
			return;
		}
	}
	row = list_append(compare->arena, &compare->effects, SIZE_MAX);
	if (row == NULL)
		compare->failed = true;
	else
		*row = (struct effect_row){ .effects = { effects[SIDE_OLD],
						effects[SIDE_NEW] },
			.count = 1 };
}

/* What refused one recipient alone is in no verdict. */
static void
note_refusals(struct compare *compare, enum side side)
{
	const struct replay_result *result = &compare->judges[side]->result;

	for (size_t i = result->refused.count; i-- > 0;) {
		const struct replay_refusal *refusal =
		    &result->refused.items[i];
		struct rule_row *row;

		if (*refusal->rule == '\0')
			continue;
		row = row_of(compare, refusal->rule);
		if (row == NULL)
			compare->failed = true;
		else
			row->refusals[side] = refusal;
	}
}

/* Notes in each row which side matched it. */
static void
note_matches(struct compare *compare)
{
	for (size_t i = 0; i < compare->rules.count; i++) {
		struct rule_row *row = compare->rules.items[i];

		memset(row->matches, 0, sizeof row->matches);
		memset(row->refusals, 0, sizeof row->refusals);
	}
	for (int side = SIDE_OLD; side < SIDES; side++) {
		const struct session *session = compare->judges[side]->session;
		const struct verdict *verdict = session_verdict(session);
		enum schema_stage stage;

		note_refusals(compare, (enum side)side);
		if (verdict == NULL)
			verdict = session_refusal(session, &stage);
		for (size_t i = 0;
		     verdict != NULL && i < verdict->matches.count; i++) {
			const struct verdict_match *match =
			    &verdict->matches.items[i];
			struct rule_row *row =
			    row_of(compare, match->rule->name);

			if (row == NULL)
				compare->failed = true;
			else
				row->matches[side] = match;
		}
	}
}

static bool
acts(const struct rule_row *row, enum side side)
{
	const struct verdict_match *match = row->matches[side];

	return row->refusals[side] != NULL ||
	       (match != NULL && match->exempted_by == NULL);
}

/* The refusal of the same recipient by the other policy, or NULL. */
static const struct replay_refusal *
refusal_of(
    const struct compare *compare, enum side side, struct slice recipient)
{
	const struct replay_result *result = &compare->judges[side]->result;

	for (size_t i = 0; i < result->refused.count; i++)
		if (slice_equal(result->refused.items[i].recipient, recipient))
			return &result->refused.items[i];
	return NULL;
}

static bool
same_reply(const struct apply_reply *a, const struct apply_reply *b)
{
	return strcmp(a->code, b->code) == 0 &&
	       strcmp(a->enhanced, b->enhanced) == 0 &&
	       strcmp(a->text, b->text) == 0;
}

/* Whether each recipient is refused by both, with the same reply, or by none. */
static bool
same_refusals(const struct compare *compare)
{
	for (int side = SIDE_OLD; side < SIDES; side++) {
		const struct replay_result *result =
		    &compare->judges[side]->result;
		enum side other = side == SIDE_OLD ? SIDE_NEW : SIDE_OLD;

		for (size_t i = 0; i < result->refused.count; i++) {
			const struct replay_refusal *refusal =
			    &result->refused.items[i];
			const struct replay_refusal *its =
			    refusal_of(compare, other, refusal->recipient);

			if (its == NULL ||
			    !same_reply(&its->reply, &refusal->reply))
				return false;
		}
	}
	return true;
}

static bool
count_rules(struct compare *compare)
{
	bool differs = false;

	for (size_t i = 0; i < compare->rules.count; i++) {
		struct rule_row *row = compare->rules.items[i];
		bool before = acts(row, SIDE_OLD);
		bool now = acts(row, SIDE_NEW);

		row->both += before && now;
		row->gained += now && !before;
		row->lost += before && !now;
		differs = differs || before != now;
	}
	return differs;
}

/* ---- for people */

static void
put_effect(struct builder *out, const struct effect *effect)
{
	const char *separator = " +";

	builder_text(out, verdict_disposition_name(effect->disposition));
	if (effect->early)
		builder_text(out, " (early)");
	if (effect->would != DISPOSITION_NONE)
		builder_printf(out, " (would %s)",
		    verdict_disposition_name(effect->would));
	for (unsigned i = 0; i <= ACTION_ALERT; i++) {
		if ((effect->actions & 1u << i) == 0)
			continue;
		builder_printf(out, "%s%s", separator,
		    verdict_action_name((enum verdict_action_kind)i));
		separator = ",";
	}
	if (effect->refused > 0 && !effect->early)
		builder_printf(out, ", %zu recipient%s refused",
		    effect->refused, effect->refused == 1 ? "" : "s");
}

static void
put_effects(struct builder *out, const struct effect effects[SIDES])
{
	put_effect(out, &effects[SIDE_OLD]);
	if (effect_is(&effects[SIDE_OLD], &effects[SIDE_NEW])) {
		builder_text(out, ", unchanged");
		return;
	}
	builder_text(out, " -> ");
	put_effect(out, &effects[SIDE_NEW]);
}

/* "gained      NAME (would quarantine): what it is"; `idle` is the match of the
 * other side where an exemption lifts it. */
static void
put_rule(struct builder *out, const char *change, const struct rule_row *row,
    enum side side, const struct verdict_match *idle, const char *when)
{
	const struct verdict_match *match = row->matches[side];
	const struct program_rule *rule = row->rules[side];

	builder_printf(out, "  %-11s %s", change, row->name);
	if (match == NULL)
		builder_printf(out, " (%s a recipient)",
		    row->refusals[side]->reply.answer == APPLY_REJECT
			? "reject"
			: "defer");
	else if (match->disposition != DISPOSITION_NONE)
		builder_printf(out, " (%s%s)", match->shadow ? "would " : "",
		    verdict_disposition_name(match->disposition));
	else if (match->shadow)
		builder_text(out, " (shadow)");
	if (idle != NULL && idle->exempted_by != NULL)
		builder_printf(
		    out, ", %s exempted by %s", when, idle->exempted_by);
	if (rule != NULL && rule->description[0] != '\0')
		builder_printf(out, ": %s", rule->description);
	builder_byte(out, '\n');
}

static void
put_reply(struct builder *out, const struct replay_refusal *refusal)
{
	builder_printf(out, "%s %s %s", refusal->reply.code,
	    refusal->reply.enhanced, refusal->reply.text);
	if (*refusal->rule != '\0')
		builder_printf(out, " (%s)", refusal->rule);
}

/* The recipients that fare differently. */
static void
put_refusals(const struct compare *compare, struct builder *out)
{
	for (int side = SIDE_NEW; side >= SIDE_OLD; side--) {
		const struct replay_result *result =
		    &compare->judges[side]->result;
		enum side other = side == SIDE_OLD ? SIDE_NEW : SIDE_OLD;

		for (size_t i = 0; i < result->refused.count; i++) {
			const struct replay_refusal *refusal =
			    &result->refused.items[i];
			const struct replay_refusal *its =
			    refusal_of(compare, other, refusal->recipient);

			if (its != NULL &&
			    (side == SIDE_OLD ||
				same_reply(&its->reply, &refusal->reply)))
				continue;
			builder_printf(out, "  %-11s <",
			    side == SIDE_NEW ? "refused" : "accepted");
			builder_printable(out, refusal->recipient, VALUE_MAX);
			builder_text(
			    out, side == SIDE_NEW ? ">: " : ">, was: ");
			put_reply(out, refusal);
			if (its != NULL) {
				builder_text(out, ", was: ");
				put_reply(out, its);
			}
			builder_byte(out, '\n');
		}
	}
}

static const struct evidence *
any_evidence(const struct compare *compare)
{
	const struct evidence *evidence =
	    session_evidence(compare->judges[SIDE_NEW]->session);

	return evidence != NULL
		   ? evidence
		   : session_evidence(compare->judges[SIDE_OLD]->session);
}

static void
put_message(const struct compare *compare, struct builder *out,
    const struct mailbox_entry *entry, const struct effect effects[SIDES])
{
	const struct evidence *evidence = any_evidence(compare);

	builder_printable(out, slice_text(entry->path), 4096);
	if (entry->number > 0)
		builder_printf(out, " message %u", entry->number);
	builder_text(out, ": ");
	put_effects(out, effects);
	builder_byte(out, '\n');
	if (evidence != NULL && evidence->message != NULL) {
		builder_printf(out, "  %-11s ", "message-id");
		builder_printable(
		    out, slice_trim(message_id(evidence->message)), VALUE_MAX);
		builder_printf(out, "\n  %-11s ", "from");
		builder_printable(out, results_author(evidence), VALUE_MAX);
		builder_byte(out, '\n');
	}
	for (size_t i = 0; i < compare->rules.count; i++) {
		const struct rule_row *row = compare->rules.items[i];
		const struct verdict_match *before = row->matches[SIDE_OLD];
		const struct verdict_match *now = row->matches[SIDE_NEW];

		if (acts(row, SIDE_OLD) && acts(row, SIDE_NEW))
			put_rule(out, "both", row, SIDE_NEW, NULL, "");
		else if (acts(row, SIDE_NEW))
			put_rule(out, "gained", row, SIDE_NEW, before, "was");
		else if (acts(row, SIDE_OLD))
			put_rule(out, "lost", row, SIDE_OLD, now, "now");
	}
	put_refusals(compare, out);
}

/* ---- for programs */

static void
put_json_effect(
    struct builder *out, const char *key, const struct effect *effect)
{
	const char *separator = "";

	builder_printf(out, "\"%s\":{\"disposition\":\"%s\"", key,
	    verdict_disposition_name(effect->disposition));
	if (effect->would != DISPOSITION_NONE)
		builder_printf(out, ",\"would\":\"%s\"",
		    verdict_disposition_name(effect->would));
	if (effect->refused > 0)
		builder_printf(out, ",\"refused\":%zu", effect->refused);
	if (effect->early)
		builder_text(out, ",\"early\":true");
	builder_text(out, ",\"actions\":[");
	for (unsigned i = 0; i <= ACTION_ALERT; i++) {
		if ((effect->actions & 1u << i) == 0)
			continue;
		builder_printf(out, "%s\"%s\"", separator,
		    verdict_action_name((enum verdict_action_kind)i));
		separator = ",";
	}
	builder_text(out, "]}");
}

static void
put_json_rules(const struct compare *compare, struct builder *out,
    const char *key, bool before, bool now)
{
	const char *separator = "";

	builder_printf(out, ",\"%s\":[", key);
	for (size_t i = 0; i < compare->rules.count; i++) {
		const struct rule_row *row = compare->rules.items[i];

		if (acts(row, SIDE_OLD) != before || acts(row, SIDE_NEW) != now)
			continue;
		builder_printf(out, "%s\"%s\"", separator, row->name);
		separator = ",";
	}
	builder_byte(out, ']');
}

/* ,"refused":{"old":[{"rcpt":...}],"new":[]} where there are any. */
static void
put_json_refusals(const struct compare *compare, struct builder *out)
{
	static const char *const keys[SIDES] = { "{\"old\":[", "],\"new\":[" };
	size_t count = 0;

	for (int side = SIDE_OLD; side < SIDES; side++)
		count += compare->judges[side]->result.refused.count;
	if (count == 0)
		return;
	builder_text(out, ",\"refused\":");
	for (int side = SIDE_OLD; side < SIDES; side++) {
		builder_text(out, keys[side]);
		scan_report_json_refused(out, &compare->judges[side]->result);
	}
	builder_text(out, "]}");
}

static void
put_json_message(const struct compare *compare, struct builder *out,
    const struct mailbox_entry *entry, const struct effect effects[SIDES],
    bool differs)
{
	const struct evidence *evidence = any_evidence(compare);

	builder_text(out, "{\"file\":\"");
	builder_json(out, slice_text(entry->path));
	builder_text(out, "\",");
	if (entry->number > 0)
		builder_printf(out, "\"number\":%u,", entry->number);
	if (evidence != NULL && evidence->message != NULL) {
		builder_text(out, "\"message_id\":\"");
		builder_json(out, slice_trim(message_id(evidence->message)));
		builder_text(out, "\",");
	}
	builder_printf(out, "\"changed\":%s,", differs ? "true" : "false");
	put_json_effect(out, "old", &effects[SIDE_OLD]);
	builder_byte(out, ',');
	put_json_effect(out, "new", &effects[SIDE_NEW]);
	put_json_rules(compare, out, "both", true, true);
	put_json_rules(compare, out, "gained", false, true);
	put_json_rules(compare, out, "lost", true, false);
	put_json_refusals(compare, out);
	builder_text(out, "}\n");
}

bool
compare_message(struct compare *compare, struct builder *out,
    const struct mailbox_entry *entry, enum compare_form form)
{
	const struct effect effects[SIDES] = { effect_of(
						   compare->judges[SIDE_OLD]),
		effect_of(compare->judges[SIDE_NEW]) };
	bool differs;

	note_matches(compare);
	differs = count_rules(compare) || !same_refusals(compare) ||
		  !effect_is(&effects[SIDE_OLD], &effects[SIDE_NEW]);
	count_effects(compare, effects);
	compare->messages++;
	compare->changed += differs;
	if (form == COMPARE_JSON)
		put_json_message(compare, out, entry, effects, differs);
	else if (form == COMPARE_ALL || (form == COMPARE_CHANGES && differs))
		put_message(compare, out, entry, effects);
	return differs;
}

/* ---- the table */

static bool
is_worth_a_line(const struct rule_row *row)
{
	return row->both + row->gained + row->lost > 0 ||
	       row->rules[SIDE_OLD] == NULL || row->rules[SIDE_NEW] == NULL;
}

static void
summarise_text(const struct compare *compare, struct builder *out)
{
	builder_printf(
	    out, "%-32s %8s %8s %8s\n", "rule", "both", "gained", "lost");
	for (size_t i = 0; i < compare->rules.count; i++) {
		const struct rule_row *row = compare->rules.items[i];

		if (!is_worth_a_line(row))
			continue;
		builder_printf(out, "%-32s %8lu %8lu %8lu%s\n", row->name,
		    row->both, row->gained, row->lost,
		    row->rules[SIDE_OLD] == NULL   ? "  new"
		    : row->rules[SIDE_NEW] == NULL ? "  gone"
						   : "");
	}
	builder_printf(out, "\n%8s  verdict\n", "messages");
	for (size_t i = 0; i < compare->effects.count; i++) {
		const struct effect_row *row = &compare->effects.items[i];

		builder_printf(out, "%8lu  ", row->count);
		put_effects(out, row->effects);
		builder_byte(out, '\n');
	}
}

static void
summarise_json(const struct compare *compare, struct builder *out)
{
	const char *separator = "";

	builder_printf(out,
	    "{\"summary\":{\"messages\":%lu,\"changed\":%lu,\"rules\":[",
	    compare->messages, compare->changed);
	for (size_t i = 0; i < compare->rules.count; i++) {
		const struct rule_row *row = compare->rules.items[i];

		if (!is_worth_a_line(row))
			continue;
		builder_printf(out,
		    "%s{\"name\":\"%s\",\"both\":%lu,\"gained\":%lu,"
		    "\"lost\":%lu%s}",
		    separator, row->name, row->both, row->gained, row->lost,
		    row->rules[SIDE_OLD] == NULL   ? ",\"in\":\"new\""
		    : row->rules[SIDE_NEW] == NULL ? ",\"in\":\"old\""
						   : "");
		separator = ",";
	}
	builder_text(out, "],\"verdicts\":[");
	separator = "{";
	for (size_t i = 0; i < compare->effects.count; i++) {
		const struct effect_row *row = &compare->effects.items[i];

		builder_text(out, separator);
		put_json_effect(out, "old", &row->effects[SIDE_OLD]);
		builder_byte(out, ',');
		put_json_effect(out, "new", &row->effects[SIDE_NEW]);
		builder_printf(out, ",\"count\":%lu}", row->count);
		separator = ",{";
	}
	builder_text(out, "]}}\n");
}

void
compare_summary(const struct compare *compare, struct builder *out, bool json)
{
	if (json)
		summarise_json(compare, out);
	else
		summarise_text(compare, out);
	if (compare->failed)
		out->failed = true;
}
