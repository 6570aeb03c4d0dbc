/*
 * The life of indicators over several builds: new versions, revocations, feeds
 * that go back, and what the store remembers.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

#include "base/builder.h"
#include "indicator/build.h"
#include "indicator/match.h"
#include "indicator/store_format.h"

#define NOW       1796000000 /* 2026-11-30 */
#define DAY_S     86400
#define STEPS_MAX 6

/* A state directory with one feed, a folder of two files. */
struct place {
	char folder[64];
	struct arena *arena;
	struct feed_config feed;
	struct build_request request;
	struct build_report report;
	struct store *store;
};

/* ------------------------------------------------------------------ support */

static char *
path_of(struct place *place, const char *name)
{
	return arena_printf(place->arena, "%s/%s", place->folder, name);
}

static struct place *
place_new(void)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	strcpy(place->folder, "life-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->arena = arena_new(0, NULL);
	place->request.limits = build_limits_defaults();
	place->request.state_directory = place->folder;
	place->request.now_unix = NOW;
	place->feed = feed_config_defaults("f", path_of(place, "f"));
	place->feed.verified = true;
	place->request.feeds = &place->feed;
	place->request.feed_count = 1;
	assert_int_equal(mkdir(place->feed.source, 0700), 0);
	return place;
}

static void
place_free(struct place *place)
{
	static const char *const files[] = { "f/a.json", "f/b.json", "f",
		"indicators.store", "indicators.lock", BUILD_GENERATION_NAME };

	store_close(&place->store);
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		(void)remove(path_of(place, files[i]));
	(void)remove(place->folder);
	arena_free(&place->arena);
	free(place);
}

/* Puts a file of the feed; NULL: there is none. */
static void
put(struct place *place, const char *name, const char *content)
{
	char *path = path_of(place, name);
	FILE *file;

	if (content == NULL) {
		(void)unlink(path);
		return;
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
build(struct place *place)
{
	store_close(&place->store);
	if (build_run(place->arena, &place->request, &place->report) != TC_OK)
		fail_msg("%s", place->report.problem);
	assert_int_equal(
	    store_open(path_of(place, BUILD_STORE_NAME), &place->store, NULL),
	    TC_OK);
}

/* What acts, as query would say: the domains of all entries, in order of their
 * names, with a blank between. */
static const char *
acting(struct place *place)
{
	static const char *const names[] = { "one", "other", "three", "two" };
	struct builder out = builder_make(place->arena, SIZE_MAX);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct slice name = slice_text(
		    arena_printf(place->arena, "%s.example", names[i]));
		struct store_lookup lookup =
		    store_find(place->store, INDICATOR_DOMAIN, name);
		struct store_entry entry;

		while (store_find_next(&lookup, &entry)) {
			if (out.length > 0)
				builder_byte(&out, ' ');
			builder_text(&out, names[i]);
		}
	}
	return builder_c_string(&out);
}

/* Whatever was read is either used or counted under one reason. */
static void
check_counts(struct place *place, const char *name)
{
	const struct feed_report *report = &place->report.feeds[0].report;
	uint64_t sum = report->used;

	for (unsigned i = 1; i < FEED_REASONS; i++)
		if (i != FEED_NOT_INDICATOR)
			sum += report->reasons[i];
	if (sum != report->read)
		fail_msg("%s: %llu read, %llu used or counted", name,
		    (unsigned long long)report->read, (unsigned long long)sum);
}

/* ------------------------------------------------------------ steps of lives */

struct step {
	const char *a, *b; /* objects of the two files; NULL: no file */
	const char *acts;
	const char *accept; /* a feed, or NULL */
	int days;           /* since the first step */
};

struct life {
	const char *name;
	struct step steps[STEPS_MAX];
};

static void
play(const struct life *life, const char *before, const char *after)
{
	struct place *place = place_new();

	for (size_t i = 0; i < STEPS_MAX && life->steps[i].acts != NULL; i++) {
		const struct step *step = &life->steps[i];

		put(place, "f/a.json",
		    step->a == NULL ? NULL
				    : arena_printf(place->arena, "%s%s%s",
					  before, step->a, after));
		put(place, "f/b.json",
		    step->b == NULL ? NULL
				    : arena_printf(place->arena, "%s%s%s",
					  before, step->b, after));
		place->request.now_unix = NOW + (int64_t)step->days * DAY_S;
		place->request.accept = step->accept;
		build(place);
		if (strcmp(acting(place), step->acts) != 0)
			fail_msg("%s, step %zu: \"%s\" instead of \"%s\"",
			    life->name, i + 1, acting(place), step->acts);
		check_counts(place, life->name);
		assert_true(store_verify(place->store, NULL));
	}
	place_free(place);
}

/* --------------------------------------------------------------------- STIX */

#define STIX(id, domain, modified, more)                  \
	"{\"type\":\"indicator\",\"id\":\"indicator--" id \
	"\",\"modified\":\"" modified "\"," more          \
	"\"pattern\":\"[domain-name:value = '" domain ".example']\"},"
#define X(domain, modified) STIX("x", domain, modified, "")
#define X_REVOKED(modified) STIX("x", "one", modified, "\"revoked\":true,")
#define OTHER               STIX("y", "other", "2026-01-01T00:00:00Z", "")
#define DAY(day)            "2026-03-" day "T00:00:00Z"
#define SECOND(fraction)    "2026-03-01T00:00:00" fraction "Z"

static const struct life stix_lives[] = {
	{ "a revocation outlives the object that said so",
	    { { X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 },
		{ X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 0 },
		{ OTHER, NULL, "other", NULL, 0 },
		{ OTHER, X("one", DAY("01")), "other", NULL, 0 },
		{ X("one", DAY("01")), NULL, "", NULL, 0 } } },
	{ "a publisher that goes back does not undo it",
	    { { X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 },
		{ X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other", NULL, 1 },
		{ X("two", DAY("03")) OTHER, NULL, "other two", NULL, 2 },
		{ X("one", DAY("01")) OTHER, NULL, "other two", NULL, 3 } } },
	{ "what was revoked when we first saw it is remembered as well",
	    { { X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 0 },
		{ OTHER X("one", DAY("01")), NULL, "other", NULL, 0 },
		{ OTHER X("one", DAY("03")), NULL, "one other", NULL, 0 } } },
	{ "an older copy in another file does not act beside it",
	    { { X("one", DAY("01")), X_REVOKED(DAY("02")) OTHER, "other", NULL,
		  0 },
		{ X("one", DAY("03")), X_REVOKED(DAY("02")) OTHER, "one other",
		    NULL, 0 },
		{ X("one", DAY("01")), X_REVOKED(DAY("02")) OTHER, "one other",
		    NULL, 0 } } },
	{ "a file of older versions brings back none of them",
	    { { X("two", DAY("02")) OTHER, NULL, "other two", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other two", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other two", NULL, 0 },
		{ X("three", DAY("03")) OTHER, NULL, "other three", NULL,
		    0 } } },
	{ "what is gone from its feed is gone, and may come back",
	    { { X("two", DAY("02")) OTHER, NULL, "other two", NULL, 0 },
		{ OTHER, NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 } } },
	{ "an operator can take a feed that has gone back",
	    { { X("two", DAY("02")) OTHER, NULL, "other two", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "one other", "f", 0 },
		{ X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 },
		{ X_REVOKED(DAY("03")) OTHER, NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "one other", "f", 0 },
		{ X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 } } },
	{ "fractions of a second tell versions apart",
	    { { X("one", SECOND(".100")) X("two", SECOND(".200")), NULL, "two",
		  NULL, 0 },
		{ X("one", SECOND(".199999999")), NULL, "two", NULL, 0 },
		{ X("three", SECOND(".2000001")), NULL, "three", NULL, 0 },
		{ X("one", SECOND(".2")), NULL, "three", NULL, 0 },
		{ X_REVOKED(SECOND(".201")), NULL, "", NULL, 0 },
		{ X("one", SECOND(".2005")), NULL, "", NULL, 0 } } },
	{ "a whole second is older than its parts, whatever the zone",
	    { { X("one", SECOND("")) X("two", SECOND(".001")), NULL, "two",
		  NULL, 0 },
		{ X("one", "2026-03-01T02:00:00.0009+02:00"), NULL, "two", NULL,
		    0 },
		{ X("three", "2026-03-01T02:00:00.002+02:00"), NULL, "three",
		    NULL, 0 } } },
	{ "of equal versions the one revoked counts, wherever it stands",
	    { { X_REVOKED(DAY("01")) X("one", DAY("01")) OTHER, NULL, "other",
		  NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other", NULL, 0 } } },
	{ "all of equal versions act, for nothing tells which is right",
	    { { X("one", DAY("01")) X("two", DAY("01")), NULL, "one two", NULL,
		  0 },
		{ X("one", DAY("01")), NULL, "one", NULL, 0 },
		{ X("one", DAY("01")), X("three", DAY("01")), "one three", NULL,
		    0 } } },
	{ "versions without a date all act",
	    { { X("one", "") X("two", ""), NULL, "one two", NULL, 0 },
		{ X("one", "") X_REVOKED("") OTHER, NULL, "other", NULL,
		    0 } } },
	{ "a newer version that cannot be used takes the older out",
	    { { X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 },
		{ X("one", DAY("01")) OTHER STIX("x", "a b", DAY("02"), ""),
		    NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER STIX(
		      "x", "two", DAY("02"), "\"pattern_type\":\"snort\","),
		    NULL, "other", NULL, 0 } } },
	{ "a feed in which all is revoked has not shrunk",
	    { { X("one", DAY("01")), NULL, "one", NULL, 0 },
		{ X_REVOKED(DAY("02")), NULL, "", NULL, 0 },
		{ "", NULL, "", NULL, 0 },
		{ X("one", DAY("01")), NULL, "", NULL, 0 } } },
	{ "a feed that fails forgets nothing",
	    { { X("one", DAY("01")) OTHER, NULL, "one other", NULL, 0 },
		{ X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 0 },
		{ NULL, NULL, "other", NULL, 0 },
		{ X("one", DAY("01")) OTHER, NULL, "other", NULL, 0 } } },
	{ "a feed that has gone back and then fails keeps what was in force",
	    { { X("two", DAY("02")), NULL, "two", NULL, 0 },
		{ X("one", DAY("01")), NULL, "two", NULL, 0 },
		{ NULL, NULL, "two", NULL, 0 },
		{ X("one", DAY("01")), NULL, "two", NULL, 0 } } },
	{ "a year after its feed last said so it is forgotten",
	    { { X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 0 },
		{ X_REVOKED(DAY("02")) OTHER, NULL, "other", NULL, 300 },
		{ OTHER, NULL, "other", NULL, 664 },
		{ OTHER X("one", DAY("01")), NULL, "other", NULL, 665 },
		{ OTHER X("one", DAY("01")), NULL, "one other", NULL, 666 } } },
};

static void
indicators_of_stix_live_as_their_publisher_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof stix_lives / sizeof *stix_lives; i++)
		play(&stix_lives[i], "{\"type\":\"bundle\",\"objects\":[",
		    "{\"type\":\"identity\",\"id\":\"identity--z\"}]}");
}

/* --------------------------------------------------------------------- MISP */

#define EVENT(id, more, attributes)                            \
	"{\"Event\":{\"uuid\":\"" id "\",\"info\":\"i\"," more \
	"\"Attribute\":"                                       \
	"[" attributes                                         \
	"{\"type\":\"btc\",\"value\":\"1\",\"timestamp\":\"1\"}]}},"
#define EVENT_OBJECT(more, attributes)                                      \
	"{\"Event\":{\"uuid\":\"e2\",\"info\":\"i\",\"Object\":[{\"uuid\":" \
	"\"o\"," more "\"Attribute\":[" attributes                          \
	"{\"type\":\"btc\",\"value\":\"1\"}]}]}},"
#define ATTRIBUTE(domain, timestamp, more)          \
	"{\"uuid\":\"x\",\"type\":\"domain\"," more \
	"\"timestamp\":\"" timestamp "\",\"value\":\"" domain ".example\"},"
#define STAY                                                             \
	EVENT("e9", "\"timestamp\":\"100\",",                            \
	    "{\"uuid\":\"y\",\"type\":\"domain\",\"timestamp\":\"100\"," \
	    "\"value\":\"other.example\"},")
#define AT(timestamp) "\"timestamp\":\"17000000" timestamp "\","

static const struct life misp_lives[] = {
	{ "an attribute that is deleted, goes back, and is restored",
	    { { STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		  NULL, "one other", NULL, 0 },
		{ STAY EVENT("e", AT("20"),
		      ATTRIBUTE("one", "1700000020", "\"deleted\":true,")),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		    NULL, "other", NULL, 0 },
		{ STAY, EVENT("e", AT("30"), ""), "other", NULL, 0 },
		{ STAY,
		    EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		    "other", NULL, 0 },
		{ STAY EVENT("e", AT("30"), ATTRIBUTE("one", "1700000030", "")),
		    NULL, "one other", NULL, 0 } } },
	{ "what is left of a deleted attribute is its uuid",
	    { { STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		  NULL, "one other", NULL, 0 },
		{ STAY EVENT("e", AT("20"),
		      "{\"uuid\":\"x\",\"deleted\":\"1\",\"timestamp\":"
		      "1700000020},"),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		    NULL, "other", NULL, 0 } } },
	{ "an event that is deleted and comes back by its own timestamp",
	    { { STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000005", "")),
		  NULL, "one other", NULL, 0 },
		{ STAY EVENT("e", AT("20") "\"deleted\":true,",
		      ATTRIBUTE("one", "1700000005", "")),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT("e", AT("10"), ATTRIBUTE("one", "1700000005", "")),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT("e", AT("30"), ATTRIBUTE("one", "1700000005", "")),
		    NULL, "one other", NULL, 0 } } },
	{ "an object that is deleted and comes back by its own timestamp",
	    { { STAY EVENT_OBJECT(AT("10"), ATTRIBUTE("one", "1700000005", "")),
		  NULL, "one other", NULL, 0 },
		{ STAY EVENT_OBJECT(AT("20") "\"deleted\":true,",
		      ATTRIBUTE("one", "1700000005", "")),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT_OBJECT(
		      AT("10"), ATTRIBUTE("one", "1700000005", "")),
		    NULL, "other", NULL, 0 },
		{ STAY EVENT_OBJECT(
		      AT("30"), ATTRIBUTE("one", "1700000005", "")),
		    NULL, "one other", NULL, 0 } } },
	{ "an older copy of an event acts only with what the newer has not",
	    { { EVENT("e", AT("10"), ATTRIBUTE("one", "1700000010", "")),
		EVENT("e", AT("20"), ATTRIBUTE("two", "1700000020", "")) STAY,
		"other two", NULL, 0 } } },
	{ "an event that is not published is read all the same",
	    { { EVENT("e", "\"published\":false," AT("10"),
		    ATTRIBUTE("one", "1700000010", "")),
		NULL, "one", NULL, 0 } } },
};

static void
attributes_of_misp_live_with_their_events_and_objects(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof misp_lives / sizeof *misp_lives; i++)
		play(&misp_lives[i], "{\"response\":[", "{\"Event\":{}}]}");
}

/* ------------------------------------------------------------------ one by one */

static void
put_bundle(struct place *place, const char *objects)
{
	put(place, "f/a.json",
	    arena_printf(place->arena,
		"{\"type\":\"bundle\",\"objects\":[%s{\"type\":\"identity\"}]}",
		objects));
}

static void
a_pattern_goes_with_all_its_keys(void **state)
{
	static const char live[] =
	    "{\"type\":\"indicator\",\"id\":\"indicator--x\",\"modified\":"
	    "\"2026-03-01T00:00:00.5Z\",\"pattern\":\"[domain-name:value = "
	    "'one.example' OR domain-name:value = 'two.example']\"},";
	struct place *place = place_new();

	(void)state;
	put_bundle(place, live);
	build(place);
	assert_string_equal(acting(place), "one two");
	build(place);
	assert_string_equal(acting(place), "one two");
	put_bundle(place, X("three", SECOND(".4")));
	build(place);
	assert_string_equal(acting(place), "one two");
	check_counts(place, "two keys held");
	put_bundle(place, X_REVOKED(SECOND(".6")));
	build(place);
	assert_string_equal(acting(place), "");
	put_bundle(place, live);
	build(place);
	assert_string_equal(acting(place), "");
	check_counts(place, "two keys barred");
	place_free(place);
}

static void
the_operator_hears_that_a_feed_has_gone_back(void **state)
{
	struct place *place = place_new();

	(void)state;
	put_bundle(place, X("two", DAY("02")) OTHER);
	build(place);
	assert_null(place->report.feeds[0].warning);
	put_bundle(place, X("one", DAY("01")) OTHER);
	build(place);
	assert_non_null(
	    strstr(place->report.feeds[0].warning, "has gone back: older "
						   "versions of 1 indicators"));
	assert_int_equal(place->report.feeds[0].report.reasons[FEED_OLDER], 1);
	put_bundle(place, X_REVOKED(DAY("03")) OTHER);
	build(place);
	assert_null(place->report.feeds[0].warning);
	put_bundle(place, X("one", DAY("01")) OTHER);
	build(place);
	assert_non_null(
	    strstr(place->report.feeds[0].warning, "and 1 that were revoked"));
	assert_int_equal(
	    place->report.feeds[0].report.reasons[FEED_REVOKED], 1);
	place_free(place);
}

/* The only example of that reason, with its detail. */
static void
check_example(const struct build_explanation *explanation,
    enum feed_reason reason, const char *what, const char *detail)
{
	size_t found = 0;

	for (size_t i = 0; i < explanation->examples.count; i++) {
		const struct build_example *one =
		    &explanation->examples.items[i];

		if (one->reason != reason)
			continue;
		found++;
		assert_string_equal(one->what, what);
		assert_string_equal(one->detail, detail);
	}
	assert_int_equal(found, 1);
}

static void
explain_knows_what_the_store_remembers(void **state)
{
	struct place *place = place_new();
	struct build_explanation explanation;

	(void)state;
	put_bundle(
	    place, X_REVOKED(DAY("02")) STIX("y", "other", DAY("02"), ""));
	build(place);
	put_bundle(place, X("one", DAY("01")) OTHER);
	assert_int_equal(build_explain(place->arena, &place->request,
			     &place->feed, 5, &explanation),
	    TC_OK);
	/* The version of "other" that is in force counts as read and used. */
	assert_int_equal(explanation.report.read, 3);
	assert_int_equal(explanation.report.used, 1);
	assert_int_equal(explanation.report.reasons[FEED_REVOKED], 1);
	assert_int_equal(explanation.report.reasons[FEED_OLDER], 1);
	check_example(&explanation, FEED_REVOKED, "indicator--x",
	    "revoked on 2026-03-02");
	check_example(&explanation, FEED_OLDER, "indicator--y",
	    "there is a version of 2026-03-02");
	put_bundle(place, X_REVOKED(DAY("02")) OTHER);
	assert_int_equal(build_explain(place->arena, &place->request,
			     &place->feed, 5, &explanation),
	    TC_OK);
	check_example(
	    &explanation, FEED_REVOKED, "one.example", "revoked on 2026-03-02");
	place_free(place);
}

static void
no_more_are_remembered_than_the_limit_says(void **state)
{
	struct place *place = place_new();

	(void)state;
	place->request.limits.revoked_max = 1;
	put_bundle(place, X_REVOKED(DAY("02")) STIX(
			      "y", "other", DAY("02"), "\"revoked\":true,"));
	build(place);
	assert_int_equal(store_revoked_count(place->store), 1);
	assert_int_equal(place->report.warnings.count, 1);
	assert_string_equal(place->report.warnings.items[0],
	    "feed f: 1 revoked indicators too many to be remembered for limits "
	    "{ revoked-indicators 1 }; a higher one takes them");
	/* Read again, they do not take each other's place. */
	build(place);
	assert_int_equal(store_revoked_count(place->store), 1);
	assert_string_equal(acting(place), "");
	place_free(place);
}

/* A file that revokes the indicators of these numbers. */
static void
put_revocations(
    struct place *place, const char *name, unsigned from, unsigned to)
{
	struct builder text = builder_make(place->arena, SIZE_MAX);

	builder_text(&text, "{\"type\":\"bundle\",\"objects\":[");
	for (unsigned i = from; i < to; i++)
		builder_printf(&text,
		    "{\"type\":\"indicator\",\"id\":\"indicator--%u\","
		    "\"modified\":\"" DAY("02") "\",\"revoked\":true},",
		    i);
	builder_text(&text, OTHER "{\"type\":\"identity\"}]}");
	put(place, name, builder_c_string(&text));
}

static size_t
remembered_of(struct place *place, const char *feed)
{
	uint32_t index = store_feed_index(place->store, slice_text(feed));
	size_t count = 0;

	for (uint32_t i = 0; i < store_revoked_count(place->store); i++)
		count += store_revoked_feed(place->store, i) == index;
	return count;
}

/* One that floods a build with revocations takes nothing from the others. */
static void
no_feed_takes_what_is_remembered_of_others(void **state)
{
	struct place *place = place_new();
	struct feed_config feeds[2] = {
		feed_config_defaults("a", path_of(place, "f/a.json")),
		feed_config_defaults("b", path_of(place, "f/b.json")),
	};

	(void)state;
	place->request.limits.revoked_max = 8;
	/* Alone, a feed may have more than its half. */
	place->request.feeds = &feeds[1];
	put_revocations(place, "f/b.json", 0, 6);
	build(place);
	assert_int_equal(store_revoked_count(place->store), 6);
	place->request.feeds = feeds;
	place->request.feed_count = 2;
	put_revocations(place, "f/a.json", 100, 120);
	build(place);
	assert_int_equal(remembered_of(place, "b"), 6);
	assert_int_equal(remembered_of(place, "a"), 2);
	/* Half is said again, and half only remembered. */
	put_revocations(place, "f/b.json", 0, 2);
	build(place);
	assert_int_equal(remembered_of(place, "b"), 6);
	assert_int_equal(remembered_of(place, "a"), 2);
	put(place, "f/b.json",
	    "{\"type\":\"bundle\",\"objects\":[" STIX("0", "one", DAY("01"), "")
		STIX("3", "three", DAY("01"), "") STIX(
		    "7", "two", DAY("01"), "") "{\"type\":\"identity\"}]}");
	build(place);
	assert_string_equal(acting(place), "other two");
	place_free(place);
}

static void
a_query_names_what_was_revoked(void **state)
{
	static const char *const asked[] = { "indicator--x", "one.example",
		"http://www.one.example/" };
	struct place *place = place_new();
	struct match_answers answers;
	struct matcher *matcher;

	(void)state;
	put_bundle(place, X_REVOKED(DAY("02")) OTHER);
	build(place);
	put_bundle(place, OTHER);
	build(place);
	matcher = matcher_new(place->store, NULL, &place->feed, 1);
	for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
		const struct match_answer *answer;

		assert_int_equal(
		    match_query(matcher, NULL, slice_text(asked[i]), NOW,
			place->arena, &answers),
		    TC_OK);
		assert_int_equal(answers.items.count, 1);
		answer = &answers.items.items[0];
		assert_int_equal(answer->reason, MATCH_REVOKED);
		assert_int_equal(answer->revoked_unix, 1772409600);
		assert_slice(answer->hit.id, "indicator--x");
		assert_slice(answer->hit.value, "one.example");
		assert_slice(answer->hit.feed, "f");
	}
	assert_int_equal(match_query(matcher, NULL, slice_text("other.example"),
			     NOW, place->arena, &answers),
	    TC_OK);
	assert_int_equal(answers.items.count, 1);
	assert_int_equal(answers.items.items[0].reason, MATCH_ACTS);
	assert_int_equal(match_query(matcher, NULL, slice_text("indicator--y"),
			     NOW, place->arena, &answers),
	    TC_OK);
	assert_int_equal(answers.items.count, 1);
	assert_int_equal(answers.items.items[0].reason, MATCH_ACTS);
	assert_slice(answers.items.items[0].hit.value, "other.example");
	assert_int_equal(match_query(matcher, NULL, slice_text("indicator--q"),
			     NOW, place->arena, &answers),
	    TC_INVALID);
	matcher_free(&matcher);
	place_free(place);
}

static void
a_revoked_yara_rule_does_not_come_back(void **state)
{
#define RULE(modified, more)                                                       \
	"{\"type\":\"indicator\",\"id\":\"indicator--r\",\"modified\":\"" modified \
	"\"," more "\"pattern_type\":\"yara\",\"pattern\":"                        \
	"\"rule r { condition: false }\"},"
	static const struct {
		const char *objects;
		bool there;
	} steps[] = {
		{ RULE(DAY("01"), "") OTHER, true },
		{ RULE(DAY("01"), "") RULE(DAY("02"), "\"revoked\":true,")
			OTHER,
		    false },
		{ RULE(DAY("01"), "") OTHER, false },
		{ RULE(DAY("03"), "") OTHER, true },
		{ OTHER, false },
	};
	struct place *place = place_new();
	char *folder = path_of(place, BUILD_RULES_FOLDER "/f");

	(void)state;
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		put_bundle(place, steps[i].objects);
		build(place);
		/* The folder is empty when nothing is in it to lose. */
		(void)rmdir(folder);
		assert_int_equal(access(folder, F_OK) == 0, steps[i].there);
	}
	(void)rmdir(path_of(place, BUILD_RULES_FOLDER));
	place_free(place);
}

/* With all sums right: only what it says of its keys is wrong. */
static void
a_filter_that_denies_what_is_there_is_damage(void **state)
{
	struct place *place = place_new();
	struct format_header header;
	static char bytes[1u << 20];
	const char *problem = NULL;
	struct store *store = NULL;
	FILE *file;
	size_t size;

	(void)state;
	put_bundle(place, X("two", DAY("02")) OTHER);
	build(place);
	assert_true(store_verify(place->store, NULL));
	file = fopen(path_of(place, BUILD_STORE_NAME), "r");
	assert_non_null(file);
	size = fread(bytes, 1, sizeof bytes, file);
	assert_int_equal(fclose(file), 0);
	memcpy(&header, bytes, sizeof header);
	assert_true(header.sections[FORMAT_FILTER].size >= FORMAT_FILTER_BLOCK);
	memset(bytes + header.sections[FORMAT_FILTER].offset, 0,
	    header.sections[FORMAT_FILTER].size);
	header.body_sum =
	    format_sum(0, bytes + sizeof header, size - sizeof header);
	header.head_sum = 0;
	header.head_sum = format_sum(0, &header, sizeof header);
	memcpy(bytes, &header, sizeof header);
	assert_int_equal(
	    store_open_bytes(slice_make(bytes, size), &store, NULL), TC_OK);
	assert_false(store_verify(store, &problem));
	assert_string_equal(problem, "is damaged: the filter denies an entry");
	store_close(&store);
	place_free(place);
}

/* Rewrites the store as version 1 had it; what it lacks lies behind its end. */
static void
make_older(struct place *place)
{
	char *path = path_of(place, BUILD_STORE_NAME);
	size_t cut = format_header_size(FORMAT_VERSION) - format_header_size(1);
	struct format_header header;
	static char bytes[1u << 20];
	size_t size;
	FILE *file = fopen(path, "r");

	assert_non_null(file);
	size = fread(bytes, 1, sizeof bytes, file);
	assert_int_equal(fclose(file), 0);
	memcpy(&header, bytes, sizeof header);
	assert_int_equal(header.sections[FORMAT_FRACTIONS].size, 0);
	assert_int_equal(header.sections[FORMAT_REVOKED].size, 0);
	header.version = 1;
	header.section_count = FORMAT_REVOKED;
	for (unsigned i = 0; i < FORMAT_SECTIONS; i++)
		header.sections[i].offset -= cut;
	size -= cut;
	header.file_size = size;
	memmove(bytes + format_header_size(1), bytes + sizeof header,
	    size - format_header_size(1));
	header.body_sum = format_sum(
	    0, bytes + format_header_size(1), size - format_header_size(1));
	header.head_sum = 0;
	header.head_sum = format_sum(0, &header, format_header_size(1));
	memcpy(bytes, &header, format_header_size(1));
	file = fopen(path, "w");
	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	assert_int_equal(fclose(file), 0);
}

static void
the_store_of_an_older_version_stays_in_force_and_hands_on(void **state)
{
	struct place *place = place_new();

	(void)state;
	put_bundle(place, X("two", DAY("02")) OTHER);
	build(place);
	assert_false(store_is_older_format(place->store));
	store_close(&place->store);
	make_older(place);
	assert_int_equal(
	    store_open(path_of(place, BUILD_STORE_NAME), &place->store, NULL),
	    TC_OK);
	assert_true(store_is_older_format(place->store));
	assert_true(store_verify(place->store, NULL));
	assert_string_equal(acting(place), "other two");
	assert_int_equal(store_revoked_count(place->store), 0);
	put_bundle(place, X("one", DAY("01")) OTHER);
	build(place);
	assert_false(store_is_older_format(place->store));
	assert_int_equal(store_generation(place->store), 2);
	assert_string_equal(acting(place), "other two");
	place_free(place);
}

/* Whatever becomes of the store, a number is not given to another one. */
static void
a_generation_is_never_given_twice(void **state)
{
	struct place *place = place_new();

	(void)state;
	put_bundle(place, X("one", DAY("01")) OTHER);
	build(place);
	assert_int_equal(store_generation(place->store), 1);
	put(place, BUILD_STORE_NAME, NULL);
	build(place);
	assert_int_equal(store_generation(place->store), 2);
	assert_int_equal(place->report.generation, 2);
	assert_int_equal(rename(path_of(place, BUILD_STORE_NAME),
			     path_of(place, "kept.store")),
	    0);
	build(place);
	put(place, BUILD_STORE_NAME, "no store");
	build(place);
	assert_int_equal(store_generation(place->store), 4);
	/* An older one is put back, from a time before the number was kept. */
	assert_int_equal(rename(path_of(place, "kept.store"),
			     path_of(place, BUILD_STORE_NAME)),
	    0);
	build(place);
	assert_int_equal(store_generation(place->store), 5);
	put(place, BUILD_GENERATION_NAME, "no number");
	build(place);
	assert_int_equal(store_generation(place->store), 6);
	/* All is gone but that there was one. */
	put(place, BUILD_STORE_NAME, NULL);
	put(place, BUILD_GENERATION_NAME, NULL);
	build(place);
	assert_int_equal(store_generation(place->store), NOW);
	build(place);
	assert_int_equal(store_generation(place->store), NOW + 1);
	place_free(place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(indicators_of_stix_live_as_their_publisher_says),
	cmocka_unit_test(attributes_of_misp_live_with_their_events_and_objects),
	cmocka_unit_test(a_pattern_goes_with_all_its_keys),
	cmocka_unit_test(the_operator_hears_that_a_feed_has_gone_back),
	cmocka_unit_test(explain_knows_what_the_store_remembers),
	cmocka_unit_test(no_more_are_remembered_than_the_limit_says),
	cmocka_unit_test(no_feed_takes_what_is_remembered_of_others),
	cmocka_unit_test(a_query_names_what_was_revoked),
	cmocka_unit_test(a_revoked_yara_rule_does_not_come_back),
	cmocka_unit_test(
	    the_store_of_an_older_version_stays_in_force_and_hands_on),
	cmocka_unit_test(a_filter_that_denies_what_is_there_is_damage),
	cmocka_unit_test(a_generation_is_never_given_twice),
};

UNIT_MAIN(tests)
