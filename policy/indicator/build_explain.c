#include <config.h>

#include <stdio.h>
#include <time.h>

#include "indicator/build_history.h"
#include "indicator/build_image.h"
#include "indicator/build_limit.h"
#include "indicator/store.h"

#define PROGRESS_EVERY 4096u /* items */
#define WARNINGS_MAX   1000u

struct explaining {
	const struct build_request *request;
	struct build_progress progress;
	uint64_t since_progress;
	struct arena *arena;
	struct build *build;
	struct build_explanation *out;
	size_t examples_max;
	size_t given[FEED_REASONS];
	enum indicator_kind last_kind; /* counted; INDICATOR_KINDS: none */
};

static void
give_example(struct explaining *explaining, enum feed_reason reason,
    struct slice what, const char *detail)
{
	struct build_example *example;

	if ((unsigned)reason >= FEED_REASONS ||
	    explaining->given[reason] >= explaining->examples_max)
		return;
	explaining->given[reason]++;
	example = list_append(
	    explaining->arena, &explaining->out->examples, SIZE_MAX);
	if (example == NULL)
		return;
	example->reason = reason;
	example->what =
	    arena_text(explaining->arena, slice_range(what, 0, 200));
	example->detail =
	    detail == NULL ? NULL
			   : arena_text(explaining->arena, slice_text(detail));
}

/* A compound pattern may stand under several keys; it is one indicator. */
static void
count_kind(struct explaining *explaining, const struct feed_item *item)
{
	uint64_t *kinds = explaining->out->kinds;
	enum indicator_kind kind = item->shared || item->program.length > 0
				       ? INDICATOR_PATTERN
				       : item->kind;

	if ((unsigned)kind >= INDICATOR_KINDS)
		return;
	if (item->shared && explaining->last_kind < INDICATOR_KINDS)
		kinds[explaining->last_kind]--; /* its key before */
	kinds[kind]++;
	explaining->last_kind = kind;
}

/* "revoked on 2026-03-02"; NULL without a date. */
static const char *
on_day(const char *what, int64_t unix_time, char *text, size_t size)
{
	time_t seconds = (time_t)unix_time;
	char day[32];
	struct tm utc;

	if (unix_time <= 0 || gmtime_r(&seconds, &utc) == NULL ||
	    strftime(day, sizeof day, "%Y-%m-%d", &utc) == 0)
		return NULL;
	snprintf(text, size, "%s %s", what, day);
	return text;
}

static void
explain_replaced(void *context, const struct format_entry *entry,
    enum feed_reason reason, struct build_moment newest)
{
	struct explaining *explaining = context;
	enum format_id form = (enum format_id)(
	    (entry->flags & FORMAT_FLAG_ID) >> FORMAT_FLAG_ID_SHIFT);
	struct arena *scratch = explaining->build->scratch;
	uint32_t place[2];
	struct slice id;
	char text[64];

	if (explaining->given[reason] >= explaining->examples_max)
		return;
	arena_reset(scratch);
	memcpy(place, entry->id, sizeof place);
	id =
	    form == FORMAT_ID_TEXT
		? slice_make(explaining->build->texts.data + place[0], place[1])
		: format_id_text(scratch, form, entry->id);
	give_example(explaining, reason, id,
	    on_day(
		reason == FEED_REVOKED ? "revoked on" : "there is a version of",
		newest.seconds, text, sizeof text));
}

static enum feed_reason
explain_item(void *context, const struct feed_item *item)
{
	struct explaining *explaining = context;
	size_t suppressed = explaining->build->suppressed.count;
	enum feed_reason reason = build_add(explaining->build, item);
	const char *detail = NULL;
	char text[256];

	if (explaining->request->progress != NULL &&
	    ++explaining->since_progress % PROGRESS_EVERY == 0) {
		explaining->progress.indicators =
		    explaining->build->entries.count;
		explaining->progress.bytes = explaining->out->report.bytes;
		(void)explaining->request->progress(
		    explaining->request->context, &explaining->progress);
	}
	if (reason == FEED_USED)
		count_kind(explaining, item);
	else if (!item->shared)
		explaining->last_kind = INDICATOR_KINDS;
	if (explaining->build->suppressed.count > suppressed)
		detail = build_string(explaining->build,
		    explaining->build->suppressed.items[suppressed].reason,
		    text, sizeof text);
	else if (reason == FEED_BAD_VALUE)
		detail = indicator_kind_name(item->kind);
	else if (item->revoked)
		detail = on_day(
		    "revoked on", item->modified_unix, text, sizeof text);
	if (!item->shared || reason != FEED_REVOKED)
		give_example(explaining, reason,
		    item->value.length > 0 ? item->value : item->id, detail);
	return reason;
}

static void
explain_unused(void *context, const struct feed_item *item)
{
	struct explaining *explaining = context;

	build_unused(explaining->build, item);
}

static void
explain_rejected(void *context, enum feed_reason reason, struct slice what,
    const char *detail)
{
	give_example(context, reason, what, detail);
}

/* As a build does; a store that cannot be opened says nothing. */
static void
compare_with_store(struct explaining *explaining)
{
	struct arena *scratch = arena_new(1u << 20, NULL);
	char *path = arena_printf(explaining->arena, "%s/%s",
	    explaining->request->state_directory, BUILD_STORE_NAME);
	struct store *old = NULL;
	uint32_t old_feed;

	if (scratch != NULL && path != NULL &&
	    store_open(path, &old, NULL) == TC_OK) {
		old_feed = store_feed_index(
		    old, slice_text(explaining->progress.feed));
		if (old_feed != UINT32_MAX &&
		    build_history_matters(
			old, old_feed, &explaining->out->report))
			build_history_newer(
			    explaining->build, old, old_feed, scratch);
	}
	store_close(&old);
	arena_free(&scratch);
}

/* What is said again comes to light when all of the feed is there. */
static enum tc_status
settle_explanation(struct explaining *explaining)
{
	struct build *build = explaining->build;
	struct build_explanation *out = explaining->out;
	enum tc_status status;

	compare_with_store(explaining);
	build_end_feed(build, &out->report, explaining->request->now_unix);
	status = build_settle(build);
	build_take_counts(build, build->feeds.count - 1, &out->report);
	for (unsigned i = 0; i < INDICATOR_KINDS; i++)
		out->kinds[i] -= build->lost[i] < out->kinds[i] ? build->lost[i]
								: out->kinds[i];
	return status;
}

static void
note(struct explaining *explaining, const char *text)
{
	const char **slot = text == NULL
				? NULL
				: list_append(explaining->arena,
				      &explaining->out->warnings, WARNINGS_MAX);

	if (slot != NULL)
		*slot = text;
}

/* What of the feed is beyond a limit, and what is wrong with warninglists. */
static void
explain_warnings(struct explaining *explaining,
    const struct feed_config *config, const struct exempt *exempt)
{
	struct build_explanation *out = explaining->out;
	const char *problem;

	for (unsigned i = 0; i < FEED_LIMITS; i++)
		if (out->report.limits[i] > 0)
			note(explaining,
			    build_limit_text(explaining->arena,
				explaining->request, config, (enum feed_limit)i,
				out->report.limits[i]));
	for (size_t i = 0; i < out->report.unknown_types.count; i++)
		note(explaining,
		    arena_printf(explaining->arena,
			"%llu values of the unknown type \"%s\": taken by their "
			"looks, but no hashes",
			(unsigned long long)out->report.unknown_types.items[i]
			    .count,
			out->report.unknown_types.items[i].word));
	for (size_t i = 0; i < out->report.unread_columns.count; i++)
		note(explaining,
		    arena_printf(explaining->arena,
			"column \"%s\" is not read, though it holds what "
			"looks like an indicator; to read it name all that are "
			"wanted, as in columns { value \"%s\" }",
			out->report.unread_columns.items[i],
			out->report.unread_columns.items[i]));
	for (size_t i = 0; (problem = exempt_problem(exempt, i)) != NULL; i++)
		note(explaining,
		    arena_printf(explaining->arena, "warninglist %s", problem));
	note(explaining,
	    build_limit_steps(explaining->arena, &explaining->request->exempt,
		exempt_stopped_count(exempt)));
	out->warninglists = exempt_counts(exempt);
}

enum tc_status
build_explain(struct arena *arena, const struct build_request *request,
    const struct feed_config *feed, size_t examples_max,
    struct build_explanation *explanation_out)
{
	struct explaining explaining = { .request = request,
		.progress = { .feed = feed->name,
		    .to_read = feed_source_bytes(feed, &request->limits.feed) },
		.arena = arena,
		.out = explanation_out,
		.last_kind = INDICATOR_KINDS,
		.examples_max = examples_max };
	struct feed_sink sink = { .context = &explaining,
		.item = explain_item,
		.rejected = explain_rejected,
		.unused = explain_unused };
	struct exempt *exempt = exempt_new(&request->exempt);
	struct feed_limits limits = request->limits.feed;
	enum tc_status status = TC_SYSTEM;

	limits.spool_folder = request->state_directory;
	*explanation_out = (struct build_explanation){ 0 };
	explaining.build = build_new(&request->limits);
	if (exempt != NULL && explaining.build != NULL) {
		build_set_exempt(explaining.build, exempt);
		explaining.build->now_unix = request->now_unix;
		explaining.build->replaced = explain_replaced;
		explaining.build->replaced_context = &explaining;
		status = build_begin_feed(explaining.build, feed);
	}
	if (status == TC_OK) {
		build_set_room(explaining.build,
		    build_limit_room(request, feed), FEED_LIMIT_MAX_INDICATORS);
		explaining.build->several = request->feed_count > 1;
		status = feed_read(
		    arena, feed, &limits, &sink, &explanation_out->report);
	}
	if (status == TC_OK)
		status = settle_explanation(&explaining);
	if (status == TC_OK)
		explain_warnings(&explaining, feed, exempt);
	build_free(&explaining.build);
	exempt_free(&exempt);
	return status;
}
