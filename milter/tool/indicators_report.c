#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sysexits.h>
#include <time.h>

#include "indicator/normal.h"
#include "indicator/stix_judge.h"

#include "tool/engine.h"
#include "tool/indicators_report.h"
#include "tool/tool.h"

/* Lines about files that a build prints of one feed; explain prints all. */
#define BUILD_LEFT_OUT 5

static void
print_reasons_json(const uint64_t *reasons)
{
	bool first = true;

	printf("{");
	for (unsigned i = FEED_USED + 1; i < FEED_REASONS; i++) {
		if (reasons[i] == 0)
			continue;
		printf("%s\"%s\":%llu", first ? "" : ",", feed_reason_name(i),
		    (unsigned long long)reasons[i]);
		first = false;
	}
	printf("}");
}

/* How much was beyond each limit that was met. */
static void
print_limits_json(const struct feed_report *report)
{
	bool first = true;

	printf(",\"limits\":{");
	for (unsigned i = 0; i < FEED_LIMITS; i++) {
		if (report->limits[i] == 0)
			continue;
		printf("%s\"%s\":%llu", first ? "" : ",",
		    feed_limit_name((enum feed_limit)i),
		    (unsigned long long)report->limits[i]);
		first = false;
	}
	printf("}");
}

static void
print_unknown_json(const struct feed_report *report)
{
	printf(",\"unknown-types\":{");
	for (size_t i = 0; i < report->unknown_types.count; i++) {
		printf("%s\"", i > 0 ? "," : "");
		engine_print_json(
		    slice_text(report->unknown_types.items[i].word));
		printf("\":%llu",
		    (unsigned long long)report->unknown_types.items[i].count);
	}
	printf("}");
}

static void
print_warninglists(const struct exempt_counts *counts, bool json)
{
	printf(json ? ",\"warninglists\":{\"lists\":%zu,\"entries\":%zu,"
		      "\"broken\":%zu}"
		    : "warninglists: %zu lists, %zu entries, %zu broken\n",
	    counts->lists, counts->entries, counts->broken);
}

static void
print_texts_json(const char *name, const char *const *texts, size_t count)
{
	printf(",\"%s\":[", name);
	for (size_t i = 0; i < count; i++) {
		printf("%s\"", i > 0 ? "," : "");
		engine_print_json(slice_text(texts[i]));
		printf("\"");
	}
	printf("]");
}

static void
print_reasons(const uint64_t *reasons, const char *indent)
{
	for (unsigned i = FEED_USED + 1; i < FEED_REASONS; i++)
		if (reasons[i] > 0)
			printf("%s%8llu %-20s %s\n", indent,
			    (unsigned long long)reasons[i], feed_reason_name(i),
			    feed_reason_text(i));
}

static void
print_json_member(const char *name, const char *text)
{
	printf(",\"%s\":\"", name);
	engine_print_json(slice_text(text));
	printf("\"");
}

/* Of a folder: how many files were read, and what was not. */
static void
print_files(const struct feed_report *report, const char *indent, size_t max)
{
	size_t lines = report->left_out.count;

	if (report->files <= 1 && lines == 0)
		return;
	printf("%s%u files read", indent,
	    report->files >= report->files_failed
		? report->files - report->files_failed
		: 0);
	if (report->files_failed > 0)
		printf(", %u not usable", report->files_failed);
	if (report->left_out_count > 0)
		printf(", %zu left out", report->left_out_count);
	printf("%s\n", lines > 0 ? ":" : "");
	for (size_t i = 0; i < lines && i < max; i++) {
		printf("%s  ", indent);
		engine_print_safe(slice_text(report->left_out.items[i]));
		printf("\n");
	}
	if (lines > max)
		printf("%s  and %zu more\n", indent, lines - max);
}

static void
print_files_json(const struct feed_report *report)
{
	printf(",\"files\":%u,\"files-failed\":%u", report->files,
	    report->files_failed);
	print_texts_json(
	    "left-out", report->left_out.items, report->left_out.count);
}

static void
print_feed_json(const struct build_feed *feed)
{
	printf("{\"feed\":\"%s\",\"format\":\"%s\",\"read\":%llu,\"used\":%llu,"
	       "\"suppressed\":%llu,\"bytes\":%llu,\"seconds\":%.3f,"
	       "\"kept\":%s,\"ignored\":",
	    feed->name, feed_format_name(feed->report.format),
	    (unsigned long long)feed->report.read,
	    (unsigned long long)feed->report.used,
	    (unsigned long long)feed->suppressed,
	    (unsigned long long)feed->bytes, feed->seconds,
	    feed->kept ? "true" : "false");
	print_reasons_json(feed->report.reasons);
	print_limits_json(&feed->report);
	print_unknown_json(&feed->report);
	print_files_json(&feed->report);
	if (feed->warning != NULL)
		print_json_member("warning", feed->warning);
	printf("}");
}

/* A pin that does nothing is most often one with another spelling or kind than
 * the feed has. */
static void
print_pins(const struct build_report *report)
{
	for (size_t i = 0; i < report->pin_count; i++) {
		const struct build_pin *pin = &report->pins[i];

		printf("pin %s \"", indicator_kind_name(pin->pin->kind));
		engine_print_safe(pin->pin->value);
		if (pin->count == 0) {
			printf("\" brings back nothing: no feed has just this, "
			       "or nothing takes it out\n");
			continue;
		}
		printf("\" brings back %llu that would be out: ",
		    (unsigned long long)pin->count);
		engine_print_safe(slice_text(pin->reason));
		printf("\n");
	}
}

/* The most memory that this process has held, in bytes. */
static unsigned long long
peak_memory(void)
{
	struct rusage usage = { 0 };

	(void)getrusage(RUSAGE_SELF, &usage);
	return (unsigned long long)usage.ru_maxrss * 1024;
}

static void
print_build_json(const struct build_report *report, const char *note)
{
	printf("{\"generation\":%llu,\"indicators\":%llu,\"bytes\":%llu,"
	       "\"peak-memory\":%llu",
	    (unsigned long long)report->generation,
	    (unsigned long long)report->entries,
	    (unsigned long long)report->size_bytes, peak_memory());
	if (report->problem != NULL)
		print_json_member("problem", report->problem);
	if (note != NULL)
		print_json_member("note", note);
	printf(",\"feeds\":[");
	for (size_t i = 0; i < report->feed_count; i++) {
		printf("%s", i > 0 ? "," : "");
		print_feed_json(&report->feeds[i]);
	}
	printf("],\"pins\":[");
	for (size_t i = 0; i < report->pin_count; i++) {
		printf("%s{\"kind\":\"%s\",\"value\":\"", i > 0 ? "," : "",
		    indicator_kind_name(report->pins[i].pin->kind));
		engine_print_json(report->pins[i].pin->value);
		printf("\",\"used\":%llu,\"reason\":\"",
		    (unsigned long long)report->pins[i].count);
		engine_print_json(slice_text(report->pins[i].reason));
		printf("\"}");
	}
	printf("]");
	print_warninglists(&report->warninglists, true);
	print_texts_json(
	    "warnings", report->warnings.items, report->warnings.count);
	printf("}\n");
}

void
indicators_report_build(
    const struct build_report *report, const char *note, bool json)
{
	if (json) {
		print_build_json(report, note);
		return;
	}
	if (report->feed_count > 0)
		printf("%-20s %-10s %10s %10s %10s %8s\n", "feed", "format",
		    "read", "used", "suppressed", "seconds");
	for (size_t i = 0; i < report->feed_count; i++) {
		const struct build_feed *feed = &report->feeds[i];

		printf("%-20s %-10s %10llu %10llu %10llu %8.2f%s\n", feed->name,
		    feed_format_name(feed->report.format),
		    (unsigned long long)feed->report.read,
		    (unsigned long long)feed->report.used,
		    (unsigned long long)feed->suppressed, feed->seconds,
		    feed->kept ? "  (old content kept)" : "");
		if (feed->warning != NULL)
			printf("    warning: %s\n", feed->warning);
		print_reasons(feed->report.reasons, "    ");
		print_files(&feed->report, "    ", BUILD_LEFT_OUT);
	}
	for (size_t i = 0; i < report->warnings.count; i++)
		printf("warning: %s\n", report->warnings.items[i]);
	print_pins(report);
	print_warninglists(&report->warninglists, false);
	if (note != NULL)
		printf("note: %s\n", note);
	if (report->problem == NULL)
		printf("generation %llu: %llu indicators, %llu bytes; peak "
		       "memory %llu MB\n",
		    (unsigned long long)report->generation,
		    (unsigned long long)report->entries,
		    (unsigned long long)report->size_bytes,
		    peak_memory() / 1000000);
}

static void
print_kinds(const struct store *store, bool json)
{
	bool first = true;

	for (unsigned kind = 0; kind < INDICATOR_KINDS; kind++) {
		unsigned long long count = store_kind_count(store, kind);

		if (count == 0)
			continue;
		if (json)
			printf("%s\"%s\":%llu", first ? "" : ",",
			    indicator_kind_name(kind), count);
		else
			printf("  %-12s %10llu\n", indicator_kind_name(kind),
			    count);
		first = false;
	}
}

static void
print_store_feed(
    const struct store_feed *feed, struct arena *arena, bool json, bool first)
{
	if (!json) {
		printf("  %-20.*s %10llu of %llu, read %s%s\n",
		    (int)feed->name.length, feed->name.data,
		    (unsigned long long)feed->used,
		    (unsigned long long)feed->read,
		    engine_time_text(arena, feed->loaded_unix, "never"),
		    feed->kept ? ", old content kept" : "");
		if (feed->problem.length > 0)
			printf("    %.*s\n", (int)feed->problem.length,
			    feed->problem.data);
		return;
	}
	printf("%s{\"feed\":\"%.*s\",\"read\":%llu,\"used\":%llu,"
	       "\"loaded\":%lld,\"published\":%lld,\"kept\":%s}",
	    first ? "" : ",", (int)feed->name.length, feed->name.data,
	    (unsigned long long)feed->read, (unsigned long long)feed->used,
	    (long long)feed->loaded_unix, (long long)feed->published_unix,
	    feed->kept ? "true" : "false");
}

void
indicators_report_stat(const struct store *store, const struct exempt *exempt,
    int64_t now_unix, bool json)
{
	struct exempt_counts counts = exempt_counts(exempt);
	struct arena *arena = arena_new(0, NULL);
	struct store_feed feed;

	printf(json ? "{\"generation\":%llu,\"indicators\":%u,\"bytes\":%llu,"
		      "\"age\":%lld,\"kinds\":{"
		    : "generation %llu: %u indicators, %llu bytes, built %lld "
		      "seconds ago\nkinds:\n",
	    (unsigned long long)store_generation(store),
	    store_entry_count(store),
	    (unsigned long long)store_size_bytes(store),
	    (long long)(now_unix - store_built_unix(store)));
	print_kinds(store, json);
	printf(json ? "},\"revoked\":%u,\"feeds\":["
		    : "revoked, and remembered: %u\nfeeds:\n",
	    store_revoked_count(store));
	for (uint32_t i = 0; i < store_feed_count(store); i++)
		if (store_feed(store, i, &feed))
			print_store_feed(&feed, arena, json, i == 0);
	printf(json ? "]" : "");
	print_warninglists(&counts, json);
	printf(json ? "}\n" : "");
	arena_free(&arena);
}

static void
print_answer_json(const struct match_answer *answer, bool pinned, bool first)
{
	const struct match_hit *hit = &answer->hit;
	struct slice tags = hit->tags, tag;
	const char *separator = "";

	printf("%s{\"kind\":\"%s\",\"value\":\"", first ? "" : ",",
	    indicator_kind_name(hit->kind));
	engine_print_json(hit->value);
	printf("\",\"feed\":\"");
	engine_print_json(hit->feed);
	printf("\",\"id\":\"");
	engine_print_json(hit->id);
	printf(
	    "\",\"severity\":\"%s\",\"confidence\":%u,\"strength\":\"%s\","
	    "\"tlp\":\"%s\",\"valid_until\":%lld,\"acts\":%s,\"reason\":\"%s",
	    indicator_severity_name(hit->severity), hit->confidence,
	    indicator_strength_name(hit->strength),
	    indicator_tlp_name(hit->tlp), (long long)hit->valid_until_unix,
	    answer->reason == MATCH_ACTS ? "true" : "false",
	    match_reason_text(answer->reason));
	printf("\",\"detail\":\"");
	engine_print_json(answer->detail);
	printf("\",\"revoked\":%lld,\"pinned\":%s,\"first_seen\":%lld,"
	       "\"tags\":[",
	    (long long)answer->revoked_unix, pinned ? "true" : "false",
	    (long long)hit->first_seen_unix);
	while (match_next_tag(&tags, &tag)) {
		printf("%s\"", separator);
		engine_print_json(tag);
		printf("\"");
		separator = ",";
	}
	printf("],\"description\":\"");
	engine_print_json(hit->description);
	printf("\"}");
}

static void
print_answer(
    const struct match_answer *answer, bool pinned, struct arena *arena)
{
	const struct match_hit *hit = &answer->hit;
	struct slice tags = hit->tags, tag;

	if (hit->value.length > 0)
		printf("%s ", indicator_kind_name(hit->kind));
	engine_print_safe(hit->value.length > 0 ? hit->value : hit->id);
	printf("\n    %s", match_reason_text(answer->reason));
	if (answer->revoked_unix != 0)
		printf(" on %s",
		    engine_time_text(arena, answer->revoked_unix, ""));
	if (answer->reason == MATCH_NOT_YET)
		printf(": from %s",
		    engine_time_text(arena, hit->first_seen_unix, ""));
	if (answer->detail.length > 0) {
		printf(" (");
		engine_print_safe(answer->detail);
		printf(")");
	}
	printf(
	    "\n%s    feed ", pinned ? "    pinned in the configuration\n" : "");
	engine_print_safe(hit->feed);
	if (hit->id.length > 0) {
		printf(", id ");
		engine_print_safe(hit->id);
	}
	printf("\n");
	if (hit->severity == INDICATOR_SEVERITY_ABSENT)
		return; /* taken out as it was read: no more is known */
	printf("    %s, severity %s, confidence %u%s%s\n    first seen %s, "
	       "valid until %s\n",
	    indicator_strength_name(hit->strength),
	    indicator_severity_name(hit->severity), hit->confidence,
	    hit->tlp == INDICATOR_TLP_ABSENT ? "" : ", TLP ",
	    indicator_tlp_name(hit->tlp),
	    engine_time_text(arena, hit->first_seen_unix, "unknown"),
	    engine_time_text(arena, hit->valid_until_unix, "for ever"));
	while (match_next_tag(&tags, &tag)) {
		printf("    tag ");
		engine_print_safe(tag);
		printf("\n");
	}
	if (hit->description.length > 0) {
		printf("    ");
		engine_print_safe(hit->description);
		printf("\n");
	}
}

static bool
is_pinned(const struct exempt_config *exempt, const struct match_hit *hit,
    struct arena *arena)
{
	struct slice key, pinned;

	for (size_t i = 0; i < exempt->pin_count; i++)
		if (exempt->pins[i].kind == hit->kind &&
		    normal_key(arena, hit->kind, hit->value, &key) ==
			NORMAL_GOOD &&
		    normal_key(arena, hit->kind, exempt->pins[i].value,
			&pinned) == NORMAL_GOOD &&
		    slice_equal(key, pinned))
			return true;
	return false;
}

int
indicators_report_query(const struct match_answers *answers, const char *value,
    const struct exempt_config *exempt, struct arena *arena, bool json)
{
	bool acts = false;

	if (json) {
		printf("{\"value\":\"");
		engine_print_json(slice_text(value));
		printf("\",\"kind\":\"%s\",\"indicators\":[",
		    answers->has_kind ? indicator_kind_name(answers->kind)
				      : "");
	}
	for (size_t i = 0; i < answers->items.count; i++) {
		const struct match_answer *answer = &answers->items.items[i];

		acts = acts || answer->reason == MATCH_ACTS;
		if (json)
			print_answer_json(answer,
			    is_pinned(exempt, &answer->hit, arena), i == 0);
		else
			print_answer(answer,
			    is_pinned(exempt, &answer->hit, arena), arena);
	}
	if (json)
		printf("],\"acts\":%s}\n", acts ? "true" : "false");
	else if (answers->items.count == 0)
		printf("no indicator matches this %s\n",
		    answers->has_kind ? indicator_kind_name(answers->kind)
				      : "value");
	return acts ? EX_OK : 1;
}

static void
print_local_json(const struct store *store, const struct store_entry *entry,
    struct arena *arena, const char *idle)
{
	printf("{\"kind\":\"%s\",\"mask\":%s,\"forced\":%s,\"severity\":"
	       "\"%s\",\"valid_until\":%lld,\"value\":\"",
	    indicator_kind_name(entry->kind), entry->mask ? "true" : "false",
	    entry->forced ? "true" : "false",
	    indicator_severity_name(entry->severity),
	    (long long)entry->valid_until_unix);
	engine_print_json(store_entry_value(store, entry, arena));
	printf("\",\"description\":\"");
	engine_print_json(entry->description);
	printf("\",\"idle\":\"");
	engine_print_json(slice_text(idle));
	printf("\"}");
}

static void
print_local(const struct store *store, const struct store_entry *entry,
    struct arena *arena, const char *idle)
{
	printf("%-10s ", indicator_kind_name(entry->kind));
	engine_print_safe(store_entry_value(store, entry, arena));
	printf("%s%s  until %s  ", entry->mask ? "  masked" : "",
	    entry->forced ? "  forced" : "",
	    engine_time_text(arena, entry->valid_until_unix, "removed"));
	if (idle[0] != '\0') {
		printf("does not act: ");
		engine_print_safe(slice_text(idle));
		printf("  ");
	}
	engine_print_safe(entry->description);
	printf("\n");
}

/* Those that were taken out as the file was read. */
static void
list_suppressed(const struct store *store, bool json, bool first)
{
	struct store_suppressed one;

	for (uint32_t i = 0; i < store_suppressed_count(store); i++) {
		if (!store_suppressed(store, i, &one))
			continue;
		printf(json ? "%s{\"kind\":\"%s\",\"mask\":false,\"value\":\""
			    : "%s%-10s ",
		    json && !first ? "," : "", indicator_kind_name(one.kind));
		first = false;
		if (json)
			engine_print_json(one.value);
		else
			engine_print_safe(one.value);
		printf(json ? "\",\"idle\":\"" : "  does not act: ");
		if (json)
			engine_print_json(one.reason);
		else
			engine_print_safe(one.reason);
		printf(json ? "\"}" : "\n");
	}
}

void
indicators_report_list(const struct matcher *matcher,
    const struct overlay *overlay, struct arena *arena, int64_t now_unix,
    bool json)
{
	const struct store *store = overlay_store(overlay);
	struct store_entry entry;
	bool first = true;

	printf(json ? "[" : "");
	for (uint32_t i = 0; i < store_entry_count(store); i++) {
		const struct slice *list;
		const char *idle = "";

		if (!store_entry(store, i, &entry))
			continue;
		if (entry.valid_until_unix != 0 &&
		    entry.valid_until_unix <= now_unix)
			idle = "expired";
		else if ((list = matcher_local_list(matcher, &entry, arena)) !=
			 NULL)
			idle = arena_printf(arena, "warninglist %.*s",
			    (int)list->length, list->data);
		if (json && !first)
			printf(",");
		first = false;
		if (json)
			print_local_json(store, &entry, arena, idle);
		else
			print_local(store, &entry, arena, idle);
	}
	list_suppressed(store, json, first);
	printf(json ? "]\n" : "");
}

static void
print_suppressed(const struct store_suppressed *one, struct slice feed,
    bool json, bool first)
{
	if (json) {
		printf("%s{\"kind\":\"%s\",\"value\":\"", first ? "" : ",",
		    indicator_kind_name(one->kind));
		engine_print_json(one->value);
		printf("\",\"feed\":\"");
		engine_print_json(feed);
		printf("\",\"by\":\"%s\",\"reason\":\"",
		    one->by_warninglist ? "warninglist" : "too-broad");
		engine_print_json(one->reason);
		printf("\"}");
		return;
	}
	printf("%-10s ", indicator_kind_name(one->kind));
	engine_print_safe(one->value);
	printf("  feed ");
	engine_print_safe(feed);
	printf("  %s", one->by_warninglist ? "warninglist: " : "");
	engine_print_safe(one->reason);
	printf("\n");
}

/* Whether what the last build took out of local.indicators still stands there
 * and is not insisted on. */
static bool
stands_still(const struct overlay *overlay, struct arena *arena,
    const struct store_suppressed *one)
{
	struct store_lookup lookup;
	struct store_entry entry;
	struct slice key;

	if (!one->by_warninglist ||
	    normal_key(arena, one->kind, one->value, &key) != NORMAL_GOOD)
		return false; /* the overlay says the rest itself */
	lookup = store_find(overlay_store(overlay), one->kind, key);
	return store_find_next(&lookup, &entry) && !entry.mask && !entry.forced;
}

void
indicators_report_suppressed(const struct store *store,
    const struct overlay *overlay, struct arena *arena, bool json)
{
	const struct store *stores[] = { store, overlay_store(overlay) };
	bool first = true;

	printf(json ? "[" : "");
	for (size_t i = 0; i < 2; i++) {
		struct store_suppressed one;
		struct store_feed feed = { 0 };

		for (uint32_t k = 0; k < store_suppressed_count(stores[i]);
		     k++) {
			if (!store_suppressed(stores[i], k, &one) ||
			    !store_feed(stores[i], one.feed, &feed))
				continue;
			/* Of what was added by hand the build knows how it was
			 * then. */
			if (i == 0 &&
			    slice_equal_text(feed.name, OVERLAY_FEED_NAME) &&
			    !stands_still(overlay, arena, &one))
				continue;
			print_suppressed(&one, feed.name, json, first);
			first = false;
		}
	}
	printf(json ? "]\n" : "");
}

static void
print_explanation_json(const struct build_explanation *explanation)
{
	const struct feed_report *report = &explanation->report;

	printf("{\"format\":\"%s\",\"read\":%llu,\"used\":%llu,\"ignored\":",
	    feed_format_name(report->format), (unsigned long long)report->read,
	    (unsigned long long)report->used);
	print_reasons_json(report->reasons);
	print_limits_json(report);
	print_unknown_json(report);
	print_files_json(report);
	if (report->problem != NULL)
		print_json_member("problem", report->problem);
	print_warninglists(&explanation->warninglists, true);
	print_texts_json("warnings", explanation->warnings.items,
	    explanation->warnings.count);
	printf(",\"examples\":[");
	for (size_t i = 0; i < explanation->examples.count; i++) {
		const struct build_example *example =
		    &explanation->examples.items[i];

		printf("%s{\"reason\":\"%s\"", i > 0 ? "," : "",
		    feed_reason_name(example->reason));
		print_json_member("what", example->what);
		if (example->detail != NULL)
			print_json_member("detail", example->detail);
		printf("}");
	}
	printf("]}\n");
}

static void
print_examples(
    const struct build_explanation *explanation, enum feed_reason reason)
{
	for (size_t i = 0; i < explanation->examples.count; i++) {
		const struct build_example *example =
		    &explanation->examples.items[i];

		if (example->reason != reason)
			continue;
		printf("             ");
		engine_print_safe(slice_text(example->what));
		if (example->detail != NULL) {
			printf(": ");
			engine_print_safe(slice_text(example->detail));
		}
		printf("\n");
	}
}

void
indicators_report_explain(
    const struct build_explanation *explanation, bool json)
{
	const struct feed_report *report = &explanation->report;

	if (json) {
		print_explanation_json(explanation);
		return;
	}
	if (report->problem != NULL && report->left_out.count == 0)
		printf("%s\n", report->problem);
	printf("format %s, %u files, %llu bytes: %llu read, %llu used\n",
	    feed_format_name(report->format), report->files,
	    (unsigned long long)report->bytes, (unsigned long long)report->read,
	    (unsigned long long)report->used);
	for (size_t i = 0; i < explanation->warnings.count; i++) {
		printf("warning: ");
		engine_print_safe(slice_text(explanation->warnings.items[i]));
		printf("\n");
	}
	print_files(report, "  ", SIZE_MAX);
	for (unsigned kind = 0; kind < INDICATOR_KINDS; kind++)
		if (explanation->kinds[kind] > 0)
			printf("  %8llu %s\n",
			    (unsigned long long)explanation->kinds[kind],
			    indicator_kind_name(kind));
	print_warninglists(&explanation->warninglists, false);
	printf("not used:\n");
	for (unsigned i = FEED_USED + 1; i < FEED_REASONS; i++) {
		if (report->reasons[i] == 0)
			continue;
		printf("  %8llu %s: %s\n",
		    (unsigned long long)report->reasons[i], feed_reason_name(i),
		    feed_reason_text(i));
		print_examples(explanation, i);
	}
}

#define OBSERVED_BYTES_MAX (64u << 20)

static bool
read_observed(const char *path, struct builder *text)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	char buffer[65536];
	bool good = file != NULL;
	size_t got;

	while (good && (got = fread(buffer, 1, sizeof buffer, file)) > 0)
		builder_slice(text, slice_make(buffer, got));
	good = good && !ferror(file) && !text->failed;
	if (!good)
		fprintf(stderr, "tocsin indicators: %s: %s\n", path,
		    text->failed ? "larger than 64 MiB" : strerror(errno));
	if (file != NULL && file != stdin)
		fclose(file);
	return good;
}

static void
print_judgement(const struct stix_judgement *judgement, bool json)
{
	if (json) {
		printf("{\"result\":\"%s\",\"decided_by\":\"",
		    stix_truth_name(judgement->truth));
		engine_print_json(judgement->decided);
		printf("\"");
		if (judgement->problem != NULL)
			print_json_member("problem", judgement->problem);
		printf("}\n");
		return;
	}
	printf("%s\n", stix_truth_name(judgement->truth));
	if (judgement->decided.length > 0) {
		printf("    decided by ");
		engine_print_safe(judgement->decided);
		printf("\n");
	}
	if (judgement->problem != NULL)
		printf("    %s\n", judgement->problem);
}

int
indicators_report_pattern(int count, char **words, bool json)
{
	struct stix_judgement judgement = { 0 };
	struct arena *arena;
	struct builder observed;
	int status = EX_OK;

	if (count != 2)
		return tool_misused(
		    "indicators", "pattern takes PATTERN OBSERVED.json");
	arena = arena_new(0, NULL);
	observed = builder_make(arena, OBSERVED_BYTES_MAX);
	if (!read_observed(words[1], &observed)) {
		status = EX_NOINPUT;
	} else if (stix_judge(arena, slice_text(words[0]),
		       builder_result(&observed), &judgement) == TC_OK) {
		print_judgement(&judgement, json);
	} else {
		status = EX_DATAERR;
		if (judgement.column > 0)
			fprintf(stderr,
			    "pattern:1:%u: error: %s\n    %s\n"
			    "    %*s^\n",
			    judgement.column, judgement.problem, words[0],
			    (int)judgement.column - 1, "");
		else
			fprintf(stderr, "tocsin indicators: %s\n",
			    judgement.problem == NULL ? "no memory"
						      : judgement.problem);
	}
	arena_free(&arena);
	return status;
}
