#include <config.h>

#include "language/verdict.h"

#define ENTRIES_MAX 100000 /* the number of rules bounds it before */

struct verdict
verdict_make(struct arena *arena)
{
	return (struct verdict){ .arena = arena, .severity = -1 };
}

enum disposition
verdict_stronger(enum disposition a, enum disposition b)
{
	return a > b ? a : b;
}

static bool
has_match(const struct verdict *verdict, const struct verdict_match *match)
{
	for (size_t i = 0; i < verdict->matches.count; i++)
		if (verdict->matches.items[i].rule == match->rule)
			return true;
	return false;
}

static bool
has_action(const struct verdict *verdict, const struct verdict_action *action)
{
	for (size_t i = 0; i < verdict->actions.count; i++) {
		const struct verdict_action *other = &verdict->actions.items[i];

		if (other->rule == action->rule &&
		    other->kind == action->kind &&
		    slice_equal(other->text, action->text) &&
		    slice_equal(
			slice_text(other->name), slice_text(action->name)))
			return true;
	}
	return false;
}

static void
join_actions(struct verdict *verdict, const struct verdict *earlier)
{
	for (size_t i = 0; i < earlier->actions.count; i++) {
		const struct verdict_action *from = &earlier->actions.items[i];
		struct verdict_action *to;

		if (has_action(verdict, from))
			continue;
		to =
		    list_append(verdict->arena, &verdict->actions, ENTRIES_MAX);
		if (to == NULL) {
			verdict->incomplete = true;
			return;
		}
		*to = *from;
		to->text = arena_copy(verdict->arena, from->text);
	}
}

static void
join_matches(struct verdict *verdict, const struct verdict *earlier)
{
	for (size_t i = 0; i < earlier->matches.count; i++) {
		struct verdict_match *to;

		if (has_match(verdict, &earlier->matches.items[i]))
			continue;
		to =
		    list_append(verdict->arena, &verdict->matches, ENTRIES_MAX);
		if (to == NULL) {
			verdict->incomplete = true;
			return;
		}
		*to = earlier->matches.items[i];
	}
}

void
verdict_join(struct verdict *verdict, const struct verdict *earlier)
{
	if (earlier->disposition > verdict->disposition) {
		verdict->disposition = earlier->disposition;
		verdict->decided_by = earlier->decided_by;
		verdict->reply = arena_copy(verdict->arena, earlier->reply);
	}
	verdict->would = verdict_stronger(verdict->would, earlier->would);
	verdict->failures |= earlier->failures;
	verdict->incomplete |= earlier->incomplete;
	if (earlier->severity > verdict->severity)
		verdict->severity = earlier->severity;
	join_matches(verdict, earlier);
	join_actions(verdict, earlier);
	for (size_t i = 0; i < earlier->errors.count; i++) {
		struct verdict_error *to =
		    list_append(verdict->arena, &verdict->errors, ENTRIES_MAX);

		if (to != NULL)
			*to = earlier->errors.items[i];
	}
}

const char *
verdict_disposition_name(enum disposition disposition)
{
	switch (disposition) {
	case DISPOSITION_NONE:
		return "none";
	case DISPOSITION_DEFER:
		return "defer";
	case DISPOSITION_DISCARD:
		return "discard";
	case DISPOSITION_QUARANTINE:
		return "quarantine";
	case DISPOSITION_REJECT:
		return "reject";
	}
	return "?";
}

const char *
verdict_action_name(enum verdict_action_kind kind)
{
	switch (kind) {
	case ACTION_TAG:
		return "tag";
	case ACTION_PREFIX_SUBJECT:
		return "prefix-subject";
	case ACTION_ADD_HEADER:
		return "add-header";
	case ACTION_REMOVE_HEADER:
		return "remove-header";
	case ACTION_COPY_TO:
		return "copy-to";
	case ACTION_PRESERVE:
		return "preserve";
	case ACTION_ALERT:
		return "alert";
	}
	return "?";
}
