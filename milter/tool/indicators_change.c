#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

#include "indicator/normal.h"
#include "tool/indicators_change.h"

static void
print_result_json(
    const struct overlay_change *change, const char *problem, const char *note)
{
	printf(
	    "{\"kind\":\"%s\",\"value\":\"", indicator_kind_name(change->kind));
	engine_print_json(change->value);
	printf("\",\"done\":%s,\"problem\":\"",
	    problem == NULL ? "true" : "false");
	engine_print_json(slice_text(problem));
	printf("\",\"note\":\"");
	engine_print_json(slice_text(note));
	printf("\"}\n");
}

static int
refuse(const struct overlay_change *change, const char *problem, bool json,
    int status)
{
	if (json)
		print_result_json(change, problem, NULL);
	fputs("tocsin indicators: ", stderr);
	fprintf(stderr, "%s\n", problem == NULL ? "no memory" : problem);
	return status;
}

/* The value for messages, in the arena. */
static const char *
value_text(struct engine *engine, const struct overlay_change *change)
{
	struct builder out = builder_make(engine->arena, 2000);

	builder_printable(&out, slice_trim(change->value), 400);
	return arena_text(engine->arena, builder_result(&out));
}

/* Why the value would not act, or NULL. */
static const char *
objection(struct engine *engine, const struct overlay_change *change,
    struct slice key)
{
	const char *kind = indicator_kind_name(change->kind);
	const char *value = value_text(engine, change), *reason = NULL;
	struct exempt *exempt = exempt_new(&engine->request.exempt);
	struct exempt_verdict verdict = { 0 };

	if (exempt != NULL)
		verdict = exempt_judge(exempt, change->kind, key);
	if (exempt == NULL)
		reason = "no memory for the warninglists";
	else if (verdict.never)
		reason = arena_printf(engine->arena,
		    "not added: %s %s %s, and never acts", kind, value,
		    verdict.reason);
	else if (verdict.exempted && !change->force)
		reason = arena_printf(engine->arena,
		    "not added: %s %s %s%s%s; --force adds it all the same",
		    kind, value,
		    verdict.by_warninglist
			? "is, or holds, something on the warninglist \""
			: "",
		    verdict.reason, verdict.by_warninglist ? "\"" : "");
	exempt_free(&exempt);
	return reason;
}

/* Checks the value; EX_OK, or a status with the problem. */
static int
check_value(struct engine *engine, const struct overlay_change *change,
    struct slice *key_out, const char **problem_out)
{
	enum normal_problem problem =
	    normal_key(engine->arena, change->kind, change->value, key_out);

	if (change->kind == INDICATOR_PATTERN ||
	    change->kind == INDICATOR_YARA) {
		*problem_out = arena_printf(engine->arena,
		    "a %s comes from a feed: put it into a file of one, in "
		    "format %s",
		    change->kind == INDICATOR_YARA ? "YARA rule" : "pattern",
		    change->kind == INDICATOR_YARA ? "yara" : "stix");
		return EX_DATAERR;
	}
	if (problem != NORMAL_GOOD) {
		*problem_out = arena_printf(engine->arena, "\"%s\" %s",
		    value_text(engine, change), normal_problem_text(problem));
		return EX_DATAERR;
	}
	/* No file name on Windows holds one, so it was meant as a pattern. */
	if (change->operation == OVERLAY_ADD &&
	    change->kind == INDICATOR_FILENAME &&
	    slice_find_byte(change->value, '*') != SIZE_MAX) {
		*problem_out = arena_printf(engine->arena,
		    "not added: file names are compared whole, and \"%s\" has "
		    "a \"*\"; for a pattern write a rule with \"any attachment "
		    "(.name matches /.../)\" or \".extension\"",
		    value_text(engine, change));
		return EX_DATAERR;
	}
	return EX_OK;
}

static int
append(struct engine *engine, const struct overlay_change *change,
    const char **problem_out)
{
	enum tc_status status =
	    overlay_append(engine->arena, engine->request.state_directory,
		change, engine->request.now_unix, problem_out);

	if (status == TC_OK)
		return EX_OK;
	if (*problem_out == NULL)
		*problem_out = strerror(errno);
	return status == TC_INVALID ? EX_DATAERR : EX_CANTCREAT;
}

int
indicators_add(
    struct engine *engine, const struct overlay_change *change, bool json)
{
	const struct feed_config defaults = overlay_feed_config();
	const char *problem = NULL, *note;
	struct slice key;
	int status = check_value(engine, change, &key, &problem);

	if (status == EX_OK) {
		problem = objection(engine, change, key);
		status = problem == NULL ? EX_OK : EX_DATAERR;
	}
	if (status == EX_OK)
		status = append(engine, change, &problem);
	if (status != EX_OK)
		return refuse(change, problem, json, status);
	note = arena_printf(engine->arena,
	    "severity %s, confidence %u, until %s",
	    indicator_severity_name(
		change->severity == INDICATOR_SEVERITY_ABSENT
		    ? defaults.severity
		    : change->severity),
	    change->confidence > 100 ? defaults.confidence : change->confidence,
	    engine_time_text(engine->arena, change->expires_unix, "removed"));
	if (json)
		print_result_json(change, NULL, note);
	else
		printf("added %s %s: %s\n", indicator_kind_name(change->kind),
		    value_text(engine, change), note);
	return EX_OK;
}

/* What still acts on the value, as ", but ..."; "" when nothing does, and when
 * the store cannot be opened, which has been said then. */
static const char *
what_still_acts(struct engine *engine, const struct overlay_change *change)
{
	struct match_answers answers = { 0 };
	int status;

	overlay_free(&engine->overlay);
	status = engine_open_matcher(engine);
	if (status != EX_OK ||
	    match_query(engine->matcher, &change->kind, change->value,
		engine->request.now_unix, engine->arena, &answers) != TC_OK)
		return "";
	for (size_t i = 0; i < answers.items.count; i++) {
		const struct match_hit *hit = &answers.items.items[i].hit;
		const char *value;

		if (answers.items.items[i].reason != MATCH_ACTS)
			continue;
		value = arena_text(engine->arena, hit->value);
		return arena_printf(engine->arena,
		    "%s %s of feed %.*s acts on it; `tocsin indicators remove "
		    "%s%s '%s'` hides that",
		    indicator_kind_name(hit->kind), value,
		    (int)hit->feed.length, hit->feed.data,
		    hit->local ? "" : "--mask ", indicator_kind_name(hit->kind),
		    value);
	}
	return "";
}

int
indicators_remove(
    struct engine *engine, const struct overlay_change *change, bool json)
{
	const char *problem = NULL, *value = value_text(engine, change);
	const char *kind = indicator_kind_name(change->kind), *acts, *did;
	enum overlay_presence presence = OVERLAY_ABSENT;
	struct slice key;
	int status = check_value(engine, change, &key, &problem);

	if (status == EX_OK)
		status = engine_open_overlay(engine);
	if (status == EX_OK)
		presence = overlay_find(
		    engine->overlay, engine->arena, change->kind, key);
	if (status == EX_OK && presence == OVERLAY_ABSENT &&
	    change->operation == OVERLAY_REMOVE) {
		acts = what_still_acts(engine, change);
		problem = arena_printf(engine->arena,
		    "nothing removed: %s %s was not added by hand%s%s", kind,
		    value, acts[0] == '\0' ? "" : "; ", acts);
		status = EX_DATAERR;
	}
	if (status == EX_OK)
		status = append(engine, change, &problem);
	if (status != EX_OK)
		return refuse(change, problem, json, status);
	acts = what_still_acts(engine, change);
	did = change->operation == OVERLAY_MASK ? "masked in all feeds"
	      : presence == OVERLAY_MASKED      ? "no longer masked"
						: "removed";
	if (json)
		print_result_json(change, NULL, acts);
	else
		printf("%s %s: %s%s%s\n", kind, value, did,
		    acts[0] == '\0' ? "" : "; but ", acts);
	return EX_OK;
}
