#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/unit.h"

#include "base/builder.h"
#include "indicator/build.h"
#include "indicator/match.h"

#define NOW   1796000000 /* 2026-11-30 */
#define DAY_S 86400
#define MD5_A "0123456789abcdef0123456789abcdef"

/* A state directory of its own for each test. */
struct place {
	char folder[64];
	struct arena *arena;
	struct feed_config feeds[4];
	size_t feed_count;
	struct build_request request;
	struct build_report report;
	struct store *store;
	struct overlay *overlay;
	struct matcher *matcher;
	struct match_hits hits;
};

static void
put_file(const char *path, const char *content, const char *mode)
{
	FILE *file = fopen(path, mode);

	assert_non_null(file);
	assert_int_equal(
	    fwrite(content, 1, strlen(content), file), strlen(content));
	assert_int_equal(fclose(file), 0);
}

static struct place *
place_new(void)
{
	struct place *place = calloc(1, sizeof *place);

	assert_non_null(place);
	strcpy(place->folder, "indicators-XXXXXX");
	assert_non_null(mkdtemp(place->folder));
	place->arena = arena_new(0, NULL);
	place->request.limits = build_limits_defaults();
	place->request.state_directory = place->folder;
	place->request.now_unix = NOW;
	return place;
}

/* Adds a feed with that content; its settings may be changed before build. */
static struct feed_config *
place_feed(struct place *place, const char *name, const char *content)
{
	char *path =
	    arena_printf(place->arena, "%s/%s.feed", place->folder, name);
	struct feed_config *config = &place->feeds[place->feed_count++];

	put_file(path, content, "w");
	*config = feed_config_defaults(name, path);
	config->verified = true;
	return config;
}

static void
place_unbind(struct place *place)
{
	matcher_free(&place->matcher);
	store_close(&place->store);
	overlay_free(&place->overlay);
}

static void
place_bind(struct place *place)
{
	char *path = arena_printf(
	    place->arena, "%s/%s", place->folder, BUILD_STORE_NAME);

	place_unbind(place);
	assert_int_equal(store_open(path, &place->store, NULL), TC_OK);
	assert_int_equal(overlay_load(place->folder, &place->request.exempt,
			     NOW, &place->overlay),
	    TC_OK);
	place->matcher = matcher_new(
	    place->store, place->overlay, place->feeds, place->feed_count);
	assert_non_null(place->matcher);
}

static void
place_build(struct place *place)
{
	place->request.feeds = place->feeds;
	place->request.feed_count = place->feed_count;
	if (build_run(place->arena, &place->request, &place->report) != TC_OK)
		fail_msg("%s", place->report.problem);
	place_bind(place);
}

static void
place_free(struct place *place)
{
	DIR *folder = opendir(place->folder);
	struct dirent *entry;

	place_unbind(place);
	while ((entry = readdir(folder)) != NULL) {
		char path[512];

		snprintf(
		    path, sizeof path, "%s/%s", place->folder, entry->d_name);
		unlink(path);
	}
	closedir(folder);
	rmdir(place->folder);
	arena_free(&place->arena);
	free(place);
}

static size_t
look_at(struct place *place, int64_t now, enum indicator_kind kind,
    enum match_where where, const char *value, bool defanged)
{
	struct match_observations observations = { 0 };
	struct match_limits limits = match_limits_defaults();

	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ kind, where, text(value), 0, defanged };
	assert_int_equal(match_run(place->matcher, &observations, &limits, now,
			     place->arena, &place->hits),
	    TC_OK);
	return place->hits.items.count;
}

static size_t
look(struct place *place, enum indicator_kind kind, enum match_where where,
    const char *value)
{
	return look_at(place, NOW, kind, where, value, false);
}

/* ------------------------------------------------------------------ matching */

struct match_case {
	enum indicator_kind kind;
	enum match_where where;
	const char *value;
	size_t hits;
};

static void
a_value_is_found_wherever_it_stands(void **state)
{
	static const char list[] = "evil.example\n"
				   "bad@mail.example\n"
				   "@whole.example\n"
				   "http://host.example/kit/\n"
				   "http://host.example/page.php\n"
				   "http://root.example/\n"
				   "https://r.example/u?to=evil\n"
				   "203.0.114.0/24\n"
				   "2a00:db9::/32\n"
				   "203.0.115.9\n" MD5_A "\n";
	static const struct match_case cases[] = {
		{ INDICATOR_DOMAIN, MATCH_HELO, "EVIL.example.", 1 },
		{ INDICATOR_DOMAIN, MATCH_DKIM, "a.b.evil.example", 1 },
		{ INDICATOR_DOMAIN, MATCH_HELO, "notevil.example", 0 },
		{ INDICATOR_DOMAIN, MATCH_HELO, "example", 0 },
		{ INDICATOR_ADDRESS, MATCH_FROM, "x@evil.example", 1 },
		{ INDICATOR_ADDRESS, MATCH_FROM, "x@mx.evil.example", 1 },
		{ INDICATOR_ADDRESS, MATCH_TO, "BAD@mail.example", 1 },
		{ INDICATOR_ADDRESS, MATCH_TO, "good@mail.example", 0 },
		{ INDICATOR_ADDRESS, MATCH_FROM, "any@whole.example", 1 },
		{ INDICATOR_ADDRESS, MATCH_FROM, "any@below.whole.example", 0 },
		{ INDICATOR_MESSAGE_ID, MATCH_MESSAGE_ID, "<a@evil.example>",
		    1 },
		{ INDICATOR_URL, MATCH_LINK, "https://www.evil.example/x", 1 },
		{ INDICATOR_URL, MATCH_LINK,
		    "https://evil.example@good.example/", 0 },
		{ INDICATOR_URL, MATCH_LINK,
		    "https://good.example@evil.example/", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://host.example/kit/a/b", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://host.example/kit/", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://host.example/kit", 0 },
		{ INDICATOR_URL, MATCH_LINK, "http://host.example/other/", 0 },
		{ INDICATOR_URL, MATCH_LINK,
		    "https://host.example/page.php?id=victim", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://host.example/page.php5",
		    0 },
		{ INDICATOR_URL, MATCH_LINK, "http://root.example", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://root.example/?x", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://root.example/a", 0 },
		{ INDICATOR_URL, MATCH_LINK, "https://r.example/u?to=evil", 1 },
		{ INDICATOR_URL, MATCH_LINK, "https://r.example/u?to=good", 0 },
		{ INDICATOR_URL, MATCH_LINK, "https://r.example/u", 0 },
		{ INDICATOR_URL, MATCH_LINK, "http://203.0.114.77/x", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://0xcb007309/", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://[2a00:db9:1::1]/x", 1 },
		{ INDICATOR_URL, MATCH_LINK, "http://203.0.113.77/x", 0 },
		/* client-ip is off. */
		{ INDICATOR_NETWORK, MATCH_CLIENT, "203.0.114.77", 0 },
		{ INDICATOR_NETWORK, MATCH_RECEIVED, "203.0.114.77", 0 },
		{ INDICATOR_MD5, MATCH_ATTACHMENT, MD5_A, 1 },
		{ INDICATOR_MD5, MATCH_ATTACHMENT,
		    "\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab"
		    "\xcd\xef",
		    1 },
		{ INDICATOR_FILENAME, MATCH_ATTACHMENT, "evil.example", 0 },
		{ INDICATOR_URL, MATCH_LINK, "not a URL at all", 0 },
	};
	struct place *place = place_new();

	(void)state;
	place_feed(place, "mixed", list);
	place_build(place);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		size_t hits =
		    look(place, cases[i].kind, cases[i].where, cases[i].value);

		if (hits != cases[i].hits)
			fail_msg("\"%s\" hits %zu times, not %zu",
			    cases[i].value, hits, cases[i].hits);
	}
	place_free(place);
}

static void
an_observed_digest_is_shown_in_hex(void **state)
{
	static const unsigned char octets[16] = { 0xd4, 0x1d, 0x00, 0xff };
	struct match_observations observations = { 0 };
	struct match_limits limits = match_limits_defaults();
	struct place *place = place_new();

	(void)state;
	place_feed(place, "list", "d41d00ff000000000000000000000000\n");
	place_build(place);
	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ INDICATOR_MD5, MATCH_ATTACHMENT,
		    slice_make(octets, sizeof octets), 0, false };
	assert_int_equal(match_run(place->matcher, &observations, &limits, NOW,
			     place->arena, &place->hits),
	    TC_OK);
	assert_int_equal(place->hits.items.count, 1);
	assert_slice(place->hits.items.items[0].observed,
	    "d41d00ff000000000000000000000000");
	place_free(place);
}

static void
a_hit_carries_all_that_was_published(void **state)
{
	struct place *place = place_new();
	const struct match_hit *hit;
	struct slice tags, tag;

	(void)state;
	place_feed(place, "misp",
	    "{\"response\":[{\"Event\":{\"info\":\"a campaign\",\"date\":"
	    "\"2026-11-01\",\"threat_level_id\":\"1\",\"uuid\":\"u\","
	    "\"Attribute\":[{\"uuid\":\"5c7b1a1e-0000-4000-8000-"
	    "000000000001\",\"type\":\"domain\",\"value\":\"Evil.Example\","
	    "\"to_ids\":true,\"timestamp\":\"1795000000\",\"comment\":\"C2\","
	    "\"Tag\":[{\"name\":\"kit\"}]}],"
	    "\"Tag\":[{\"name\":\"tlp:green\"},{\"name\":"
	    "\"misp:confidence-level=\\\"usually-confident\\\"\"}]}}]}");
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_URL, MATCH_TEXT, "http://www.evil.example/x"),
	    1);
	hit = &place->hits.items.items[0];
	assert_int_equal(hit->kind, INDICATOR_DOMAIN);
	assert_slice(hit->value, "Evil.Example");
	assert_slice(hit->feed, "misp");
	assert_slice(hit->id, "5c7b1a1e-0000-4000-8000-000000000001");
	assert_slice(hit->description, "C2");
	assert_slice(hit->observed, "http://www.evil.example/x");
	assert_int_equal(hit->where, MATCH_TEXT);
	assert_int_equal(hit->severity, INDICATOR_SEVERITY_HIGH);
	assert_int_equal(hit->confidence, 75);
	assert_int_equal(hit->strength, INDICATOR_STRONG);
	assert_int_equal(hit->tlp, INDICATOR_TLP_GREEN);
	assert_int_equal(hit->first_seen_unix, 1793491200);
	tags = hit->tags;
	assert_true(match_next_tag(&tags, &tag));
	assert_slice(tag, "tlp:green");
	assert_true(match_next_tag(&tags, &tag));
	assert_true(match_next_tag(&tags, &tag));
	assert_slice(tag, "kit");
	assert_false(match_next_tag(&tags, &tag));
	place_free(place);
}

static void
settings_hold_at_match_time_without_a_new_build(void **state)
{
	struct place *place = place_new();
	struct feed_config *feed = place_feed(place, "csv",
	    "value,type,confidence,valid_until,to_ids,last_seen\n"
	    "old.example,domain,90,2026-11-01,1,\n"
	    "sure.example,domain,90,,1,2026-11-20\n"
	    "unsure.example,domain,20,,1,\n"
	    "noids.example,domain,90,,0,\n"
	    "203.0.115.9,ip-src,90,,1,\n"
	    "198.51.101.9,ip-dst,90,,1,\n"
	    "from@b.example,email-src,90,,1,\n");

	(void)state;
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "old.example"), 0);
	assert_int_equal(look_at(place, NOW - 40 * DAY_S, INDICATOR_DOMAIN,
			     MATCH_HELO, "old.example", false),
	    1);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "sure.example"), 1);
	assert_int_equal(place->hits.items.items[0].strength, INDICATOR_STRONG);
	assert_int_equal(
	    place->hits.items.items[0].severity, INDICATOR_SEVERITY_LOW);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "unsure.example"), 1);
	assert_int_equal(place->hits.items.items[0].strength, INDICATOR_WEAK);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "noids.example"), 0);
	assert_int_equal(
	    look(place, INDICATOR_NETWORK, MATCH_CLIENT, "203.0.115.9"), 0);
	assert_int_equal(
	    look(place, INDICATOR_ADDRESS, MATCH_FROM, "from@b.example"), 1);
	assert_int_equal(
	    look(place, INDICATOR_ADDRESS, MATCH_RCPT, "from@b.example"), 0);
	assert_int_equal(
	    look(place, INDICATOR_URL, MATCH_LINK, "http://203.0.115.9/"), 0);
	assert_int_equal(
	    look(place, INDICATOR_URL, MATCH_LINK, "http://198.51.101.9/"), 1);

	feed->verified = false;
	feed->severity = INDICATOR_SEVERITY_CRITICAL;
	feed->minimum_confidence = 50;
	feed->ignore_to_ids = true;
	feed->client_ip = true;
	feed->expire_s = 5 * DAY_S;
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "sure.example"), 0);
	assert_int_equal(look_at(place, NOW - 8 * DAY_S, INDICATOR_DOMAIN,
			     MATCH_HELO, "sure.example", false),
	    1);
	assert_int_equal(place->hits.items.items[0].strength, INDICATOR_WEAK);
	assert_int_equal(
	    place->hits.items.items[0].severity, INDICATOR_SEVERITY_CRITICAL);
	feed->expire_s = 0;
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "unsure.example"), 0);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "noids.example"), 1);
	assert_int_equal(
	    look(place, INDICATOR_NETWORK, MATCH_CLIENT, "203.0.115.9"), 1);
	feed->kinds = INDICATOR_KIND_BIT(INDICATOR_URL);
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "noids.example"), 0);
	feed->kinds = 0;
	feed->name = "another";
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "noids.example"), 0);
	place_free(place);
}

static void
defanged_text_matches_only_where_the_feed_says_so(void **state)
{
	struct place *place = place_new();
	struct feed_config *feed =
	    place_feed(place, "list", "http://evil.example/x\n");

	(void)state;
	place_build(place);
	assert_int_equal(look_at(place, NOW, INDICATOR_URL, MATCH_TEXT,
			     "http://evil.example/x", true),
	    0);
	feed->match_defanged = true;
	place_bind(place);
	assert_int_equal(look_at(place, NOW, INDICATOR_URL, MATCH_TEXT,
			     "http://evil.example/x", true),
	    1);
	assert_true(place->hits.items.items[0].defanged);
	place_free(place);
}

static void
compound_patterns_match_as_compounds(void **state)
{
	struct place *place = place_new();
	struct match_observations observations = { 0 };
	struct match_limits limits = match_limits_defaults();
	const struct match_hit *hit;

	(void)state;
	place_feed(place, "stix",
	    "{\"type\":\"bundle\",\"objects\":["
	    "{\"type\":\"indicator\",\"id\":\"indicator--5c7b1a1e-0000-4000-"
	    "8000-000000000001\",\"pattern_type\":\"stix\",\"pattern\":"
	    "\"[file:hashes.MD5 = '" MD5_A "' AND file:name = 'a.doc']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--2\",\"pattern\":"
	    "\"[email-message:subject LIKE 'Invoice%' AND "
	    "email-message:from_ref.value = 'bad@evil.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--3\",\"pattern\":"
	    "\"[email-message:subject LIKE 'Urgent%']\"}]}");
	place_build(place);
	assert_int_equal(store_unkeyed_count(place->store), 1);
	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ INDICATOR_ADDRESS, MATCH_FROM,
		    text("bad@evil.example"), -1, false };
	assert_int_equal(match_run(place->matcher, &observations, &limits, NOW,
			     place->arena, &place->hits),
	    TC_OK);
	assert_int_equal(place->hits.items.count, 0);
	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ INDICATOR_SUBJECT, MATCH_SUBJECT,
		    text("Invoice 7"), -1, false };
	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ INDICATOR_MD5, MATCH_ATTACHMENT,
		    text(MD5_A), 3, false };
	*list_append(place->arena, &observations.items, 10) =
	    (struct match_observation){ INDICATOR_FILENAME, MATCH_ATTACHMENT,
		    text("b.doc"), 3, false };
	assert_int_equal(match_run(place->matcher, &observations, &limits, NOW,
			     place->arena, &place->hits),
	    TC_OK);
	assert_int_equal(place->hits.items.count, 2);
	hit = &place->hits.items.items[0];
	assert_slice(hit->id, "indicator--2");
	assert_int_equal(hit->kind, INDICATOR_PATTERN);
	assert_false(hit->partial);
	hit = &place->hits.items.items[1];
	assert_slice(
	    hit->id, "indicator--5c7b1a1e-0000-4000-8000-000000000001");
	assert_true(hit->partial);
	assert_int_equal(hit->part, 3);
	assert_int_equal(
	    look(place, INDICATOR_SUBJECT, MATCH_SUBJECT, "Urgent: pay"), 1);
	assert_int_equal(place->hits.items.items[0].strength, INDICATOR_WEAK);
	place_free(place);
}

/* Of mail inside mail: what one says does not make up for what the other does
 * not. */
static void
what_a_pattern_says_of_a_message_holds_for_one(void **state)
{
	static const struct {
		int from_part, subject_part, hits;
	} rows[] = { { -1, -1, 1 }, { 4, 4, 1 }, { -1, 4, 0 }, { 4, -1, 0 },
		{ 4, 6, 0 } };
	struct match_limits limits = match_limits_defaults();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct place *place = place_new();
		struct match_observations observations = { 0 };

		place_feed(place, "stix",
		    "{\"type\":\"bundle\",\"objects\":[{\"type\":"
		    "\"indicator\",\"id\":\"indicator--2\",\"pattern\":"
		    "\"[email-message:subject LIKE 'Invoice%' AND "
		    "email-message:from_ref.value = 'bad@evil.example']\"}]}");
		place_build(place);
		*list_append(place->arena, &observations.items, 10) =
		    (struct match_observation){ INDICATOR_ADDRESS, MATCH_FROM,
			    text("bad@evil.example"), rows[i].from_part,
			    false };
		*list_append(place->arena, &observations.items, 10) =
		    (struct match_observation){ INDICATOR_SUBJECT,
			    MATCH_SUBJECT, text("Invoice 7"),
			    rows[i].subject_part, false };
		assert_int_equal(match_run(place->matcher, &observations,
				     &limits, NOW, place->arena, &place->hits),
		    TC_OK);
		assert_int_equal(place->hits.items.count, rows[i].hits);
		place_free(place);
	}
}

/* "hash or name" is as strong as the branch that is true. */
static void
the_branch_that_decides_makes_a_pattern_strong(void **state)
{
	static const struct {
		const char *digest; /* of part 2; NULL: none */
		const char *name;   /* of part 1 */
		size_t hits;
		enum indicator_strength strength;
	} cases[] = {
		{ NULL, "x.doc", 2, INDICATOR_WEAK },
		{ MD5_A, "y.doc", 2, INDICATOR_STRONG },
		{ MD5_A, "x.doc", 2, INDICATOR_STRONG },
		{ NULL, "y.doc", 0, INDICATOR_WEAK },
	};
	struct place *place = place_new();
	struct match_limits limits = match_limits_defaults();

	(void)state;
	place_feed(place, "stix",
	    "{\"type\":\"bundle\",\"objects\":["
	    "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":"
	    "\"[(file:hashes.MD5 = '" MD5_A
	    "' AND file:hashes.MD5 != '00') OR file:name = 'x.doc']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--2\",\"pattern\":"
	    "\"[file:name LIKE 'x.%' OR file:hashes.MD5 = '" MD5_A "']\"}]}");
	place_build(place);
	assert_int_equal(store_unkeyed_count(place->store), 1);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_observations observations = { 0 };

		*list_append(place->arena, &observations.items, 10) =
		    (struct match_observation){ INDICATOR_FILENAME,
			    MATCH_ATTACHMENT, text(cases[i].name), 1, false };
		if (cases[i].digest != NULL)
			*list_append(place->arena, &observations.items, 10) =
			    (struct match_observation){ INDICATOR_MD5,
				    MATCH_ATTACHMENT, text(cases[i].digest), 2,
				    false };
		assert_int_equal(match_run(place->matcher, &observations,
				     &limits, NOW, place->arena, &place->hits),
		    TC_OK);
		assert_int_equal(place->hits.items.count, cases[i].hits);
		for (size_t k = 0; k < cases[i].hits; k++)
			assert_int_equal(place->hits.items.items[k].strength,
			    cases[i].strength);
	}
	place_free(place);
}

/* ---------------------------------------------------------------- life cycle */

static void
a_feed_that_fails_keeps_its_content(void **state)
{
	static const char *const bad[] = { "", "# nothing\n", "a1.example\n",
		"<html>no feed today</html>\n" };
	struct place *place = place_new();
	struct builder many = builder_make(place->arena, SIZE_MAX);

	(void)state;
	for (unsigned i = 0; i < 40; i++)
		builder_printf(&many, "a%u.example\n", i);
	place_feed(place, "list", builder_c_string(&many));
	place_build(place);
	assert_int_equal(store_generation(place->store), 1);
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
		put_file(place->feeds[0].source, bad[i], "w");
		place_build(place);
		assert_true(place->report.feeds[0].kept);
		assert_int_equal(place->report.warnings.count, 1);
		assert_int_equal(
		    look(place, INDICATOR_DOMAIN, MATCH_HELO, "a39.example"),
		    1);
	}
	unlink(place->feeds[0].source);
	place_build(place);
	assert_true(place->report.feeds[0].kept);
	assert_int_equal(store_generation(place->store), 6);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "a39.example"), 1);
	put_file(place->feeds[0].source,
	    "a1.example\na2.example\na3.example\na4.example\n", "w");
	place_build(place);
	assert_false(place->report.feeds[0].kept);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "a39.example"), 0);
	place_free(place);
}

/* The age of feed "list", -1 when there is none. */
static long long
age_of(struct place *place, int64_t now)
{
	uint64_t age;

	return matcher_feed_age(place->matcher, text("list"), now, &age)
		   ? (long long)age
		   : -1;
}

static void
set_time(const char *path, int64_t changed_unix)
{
	struct timespec times[2] = { { .tv_sec = (time_t)changed_unix },
		{ .tv_sec = (time_t)changed_unix } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void
the_age_of_a_feed_is_that_of_its_last_good_content(void **state)
{
	struct place *place = place_new();
	const char *source;

	(void)state;
	place_feed(place, "list", "");
	source = place->feeds[0].source;
	place_build(place);
	assert_int_equal(age_of(place, NOW), -1); /* never any content */
	put_file(source, "a.example\n", "w");
	set_time(source, NOW - 100);
	place_build(place);
	assert_int_equal(age_of(place, NOW), 100);
	assert_int_equal(age_of(place, NOW + DAY_S), DAY_S + 100);
	assert_int_equal(age_of(place, NOW - DAY_S), 0);
	put_file(source, "", "w"); /* kept, and so is its time */
	set_time(source, NOW - 10);
	place_build(place);
	assert_int_equal(age_of(place, NOW), 100);
	unlink(source);
	place_build(place);
	assert_int_equal(age_of(place, NOW), 100);
	put_file(source, "b.example\n", "w");
	set_time(source, NOW - 5);
	place_build(place);
	assert_int_equal(age_of(place, NOW), 5);
	place->feeds[0].name = "renamed"; /* no longer configured */
	place_bind(place);
	assert_int_equal(age_of(place, NOW), -1);
	place_free(place);
}

static const char *
bundle(struct arena *arena, const char *domain, const char *modified,
    const char *more)
{
	return arena_printf(arena,
	    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\","
	    "\"id\":\"indicator--x\",\"modified\":\"%s\",%s\"pattern\":"
	    "\"[domain-name:value = '%s']\"},{\"type\":\"indicator\",\"id\":"
	    "\"indicator--y\",\"pattern\":\"[domain-name:value = "
	    "'other.example']\"}]}",
	    modified, more, domain);
}

static void
older_versions_never_replace_newer_ones(void **state)
{
	struct place *place = place_new();
	const char *source;

	(void)state;
	place_feed(place, "stix",
	    bundle(place->arena, "two.example", "2026-02-01T00:00:00Z", ""));
	source = place->feeds[0].source;
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "two.example"), 1);
	put_file(source,
	    bundle(place->arena, "one.example", "2026-01-01T00:00:00Z", ""),
	    "w");
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "one.example"), 0);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "two.example"), 1);
	put_file(source,
	    bundle(place->arena, "two.example", "2026-03-01T00:00:00Z",
		"\"revoked\":true,"),
	    "w");
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "two.example"), 0);
	put_file(source,
	    bundle(place->arena, "two.example", "2026-04-01T00:00:00Z", ""),
	    "w");
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "two.example"), 1);
	place_free(place);
}

static void
hand_added_indicators_act_at_once_and_masks_hide(void **state)
{
	struct place *place = place_new();
	struct overlay_change change = { .operation = OVERLAY_ADD,
		.kind = INDICATOR_DOMAIN,
		.value = text("Hand.Example"),
		.severity = INDICATOR_SEVERITY_CRITICAL,
		.confidence = INDICATOR_CONFIDENCE_ABSENT,
		.expires_unix = NOW + DAY_S,
		.description = text("ticket \"41\"\n"),
		.tags = text("a\nb") };
	const char *problem;

	(void)state;
	place_feed(place, "list", "feed.example\n");
	place_build(place);
	assert_false(overlay_is_stale(place->overlay));
	assert_int_equal(
	    overlay_append(place->arena, place->folder, &change, NOW, &problem),
	    TC_OK);
	assert_true(overlay_is_stale(place->overlay));
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "x.hand.example"), 1);
	assert_true(place->hits.items.items[0].local);
	assert_int_equal(place->hits.items.items[0].strength, INDICATOR_STRONG);
	assert_slice(place->hits.items.items[0].description, "ticket \"41\"\n");
	assert_slice(place->hits.items.items[0].tags, "a\nb");
	assert_int_equal(look_at(place, NOW + DAY_S, INDICATOR_DOMAIN,
			     MATCH_HELO, "hand.example", false),
	    0);
	/* A build reads it as well; it is still one hit. */
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "hand.example"), 1);
	change.operation = OVERLAY_REMOVE;
	overlay_append(place->arena, place->folder, &change, NOW, &problem);
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "hand.example"), 0);
	change.operation = OVERLAY_MASK;
	change.value = text("feed.example");
	overlay_append(place->arena, place->folder, &change, NOW, &problem);
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "feed.example"), 0);
	change.operation = OVERLAY_ADD;
	change.value = text("no domain");
	assert_int_equal(
	    overlay_append(place->arena, place->folder, &change, NOW, &problem),
	    TC_INVALID);
	assert_non_null(problem);
	place_free(place);
}

static void
a_broken_line_of_the_overlay_costs_itself(void **state)
{
	struct overlay *overlay;
	struct store_entry entry;
	struct store_lookup lookup;

	(void)state;
	assert_int_equal(
	    overlay_load_bytes(
		text("{\"op\":\"add\",\"kind\":\"domain\",\"value\":\"a.example"
		     "\"}\n"
		     "{\"op\":\"add\",\"kind\":\"dom\n"
		     "{\"op\":\"add\",\"kind\":\"domain\",\"value\":\"not one\""
		     "}\n\n# note\n"
		     "{\"op\":\"add\",\"kind\":\"domain\",\"value\":\"b.example"
		     "\"}"),
		NULL, NOW, &overlay),
	    TC_OK);
	assert_int_equal(overlay_bad_lines(overlay), 2);
	assert_int_equal(store_entry_count(overlay_store(overlay)), 2);
	lookup = store_find(
	    overlay_store(overlay), INDICATOR_DOMAIN, text("b.example"));
	assert_true(store_find_next(&lookup, &entry));
	assert_false(store_find_next(&lookup, &entry));
	overlay_free(&overlay);
}

/* ----------------------------------------------------------- false positives */

static void
what_would_match_too_much_is_taken_out(void **state)
{
	static const struct {
		const char *line;
		bool in_use;
	} cases[] = {
		{ "co.uk", false },
		{ "com", false },
		{ "github.io", false },
		{ "kit.github.io", true },
		{ "ours.example", false },
		{ "mx.ours.example", false },
		{ "shop.example", false },      /* on the list */
		{ "below.shop.example", true }, /* MISP would drop it */
		{ "listed.parent.example", false },
		{ "parent.example", false }, /* above an entry */
		{ "10.1.2.3", false },
		{ "127.0.0.1", false },
		{ "11.0.0.0/8", false },
		{ "11.16.0.0/12", true },
		{ "198.19.0.1", false },
		{ "9.9.9.9", false },    /* on the list */
		{ "9.9.9.0/24", false }, /* holds an entry */
		{ "62.1.2.3", false },   /* in our network */
		{ "d41d8cd98f00b204e9800998ecf8427e", false },
		{ "http://shop.example/", false },
		{ "http://shop.example/kit.zip", true },
		{ "http://127.0.0.1/x", false },
		{ "abuse@any.example", false }, /* an expression */
		{ "victim@ours.example", false },
		{ "pinned.com", true },
	};
	static const struct slice own_domains[] = { SLICE_LITERAL(
	    "ours.example") };
	struct place *place = place_new();
	struct builder list = builder_make(place->arena, SIZE_MAX);
	struct ipaddr_network own;
	struct exempt_pin pin = { INDICATOR_DOMAIN, text("Pinned.com") };
	const char *warninglists[1];

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		builder_printf(&list, "%s\n", cases[i].line);
	place_feed(place, "list", builder_c_string(&list));
	warninglists[0] =
	    arena_printf(place->arena, "%s/w*.json", place->folder);
	put_file(arena_printf(place->arena, "%s/w1.json", place->folder),
	    "{\"list\":[\"shop.example\",\"listed.parent.example\","
	    "\"pinned.com\"],\"name\":\"Shops\",\"type\":\"hostname\"}",
	    "w");
	put_file(arena_printf(place->arena, "%s/w2.json", place->folder),
	    "{\"name\":\"Resolvers\",\"type\":\"cidr\",\"list\":[\"9.9.9.9\"]}",
	    "w");
	put_file(arena_printf(place->arena, "%s/w3.json", place->folder),
	    "{\"name\":\"Contacts\",\"type\":\"regex\",\"list\":"
	    "[\"/^(abuse|noc)\\\\@.*$/i\"]}",
	    "w");
	put_file(arena_printf(place->arena, "%s/w4.json", place->folder),
	    "{\"name\":\"Cut\",\"list\":[\"a.example\",\"b.ex", "w");
	assert_true(ipaddr_network_parse(text("62.1.0.0/16"), &own, NULL));
	place->request.exempt = (struct exempt_config){
		.warninglists = warninglists,
		.warninglist_count = 1,
		.own_domains = own_domains,
		.own_domain_count = 1,
		.own_networks = &own,
		.own_network_count = 1,
		.pins = &pin,
		.pin_count = 1,
	};
	place_build(place);
	assert_int_equal(place->report.warnings.count, 1); /* the cut list */
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_answers answers;
		bool acts = false, suppressed = false;

		assert_int_equal(
		    match_query(place->matcher, NULL, text(cases[i].line), NOW,
			place->arena, &answers),
		    strchr(cases[i].line, '.') == NULL &&
			    strlen(cases[i].line) < 32
			? TC_INVALID
			: TC_OK);
		for (size_t k = 0; k < answers.items.count; k++) {
			const struct match_answer *answer =
			    &answers.items.items[k];

			acts = acts || answer->reason == MATCH_ACTS;
			/* What stands above it may be taken out as well. */
			suppressed = suppressed ||
				     (answer->reason == MATCH_SUPPRESSED &&
					 slice_equal_text(
					     answer->hit.value, cases[i].line));
		}
		if (answers.has_kind &&
		    (acts != cases[i].in_use || suppressed == cases[i].in_use))
			fail_msg("%s: acts %d, suppressed %d", cases[i].line,
			    acts, suppressed);
	}
	place_free(place);
}

static void
a_query_says_why_an_indicator_does_not_act(void **state)
{
	struct place *place = place_new();
	struct match_answers answers;
	enum indicator_kind kind = INDICATOR_DOMAIN;

	(void)state;
	place_feed(place, "csv",
	    "value,type,valid_until,to_ids\n"
	    "old.example,domain,2020-01-01,1\n"
	    "noids.example,domain,,0\n");
	place_build(place);
	assert_int_equal(match_query(place->matcher, NULL,
			     text("hxxp://www.old[.]example/x"), NOW,
			     place->arena, &answers),
	    TC_OK);
	assert_int_equal(answers.kind, INDICATOR_URL);
	assert_int_equal(answers.items.count, 1);
	assert_int_equal(answers.items.items[0].reason, MATCH_EXPIRED);
	assert_int_equal(
	    match_query(place->matcher, &kind, text("noids.example"), NOW,
		place->arena, &answers),
	    TC_OK);
	assert_int_equal(answers.items.items[0].reason, MATCH_TO_IDS_OFF);
	assert_int_equal(match_query(place->matcher, NULL, text("a word"), NOW,
			     place->arena, &answers),
	    TC_INVALID);
	place_free(place);
}

static void
an_indicator_does_not_act_before_it_is_valid(void **state)
{
	struct place *place = place_new();
	struct match_answers answers;

	(void)state;
	place_feed(place, "stix",
	    "{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-"
	    "8000-000000000001\",\"pattern_type\":\"stix\",\"pattern\":"
	    "\"[domain-name:value = 'early.example']\","
	    "\"valid_from\":\"2026-12-02T00:00:00Z\"}\n"
	    "{\"type\":\"indicator\",\"id\":\"indicator--00000000-0000-4000-"
	    "8000-000000000002\",\"pattern_type\":\"stix\",\"pattern\":"
	    "\"[email-message:subject LIKE 'early %']\","
	    "\"valid_from\":\"2026-12-02T00:00:00Z\"}\n");
	place_build(place);
	for (unsigned build = 0; build < 2; build++) {
		assert_int_equal(
		    look(place, INDICATOR_DOMAIN, MATCH_HELO, "early.example"),
		    0);
		assert_int_equal(
		    look(place, INDICATOR_SUBJECT, MATCH_SUBJECT, "early bird"),
		    0);
		assert_int_equal(
		    look_at(place, NOW + 3 * DAY_S, INDICATOR_DOMAIN,
			MATCH_HELO, "early.example", false),
		    1);
		assert_int_equal(
		    look_at(place, NOW + 3 * DAY_S, INDICATOR_SUBJECT,
			MATCH_SUBJECT, "early bird", false),
		    1);
		assert_int_equal(
		    match_query(place->matcher, NULL, text("early.example"),
			NOW, place->arena, &answers),
		    TC_OK);
		assert_int_equal(answers.items.count, 1);
		assert_int_equal(answers.items.items[0].reason, MATCH_NOT_YET);
		/* The same of content that is kept. */
		put_file(place->feeds[0].source, "", "w");
		place_build(place);
		assert_true(place->report.feeds[0].kept);
	}
	place_free(place);
}

/* A reply to a search for attributes, each with the event around it and what
 * others have said of it. */
static void
misp_says_of_each_attribute_what_its_event_and_sightings_say(void **state)
{
	struct place *place = place_new();
	struct feed_config *feed = place_feed(place, "misp",
	    "{\"response\":{\"Attribute\":["
	    "{\"type\":\"domain\",\"value\":\"seen.example\",\"to_ids\":true,"
	    "\"timestamp\":\"1790000000\",\"Event\":{\"info\":\"autumn wave\","
	    "\"threat_level_id\":\"1\",\"id\":\"7\"},\"Sighting\":["
	    "{\"type\":\"0\",\"date_sighting\":\"1795900000\"},"
	    "{\"type\":\"0\",\"date_sighting\":\"1780000000\"}]},"
	    "{\"type\":\"domain\",\"value\":\"unseen.example\",\"to_ids\":true,"
	    "\"timestamp\":\"1790000000\",\"comment\":\"own words\","
	    "\"Event\":{\"info\":\"autumn wave\",\"threat_level_id\":\"2\"}},"
	    "{\"type\":\"domain\",\"value\":\"false.example\",\"to_ids\":true,"
	    "\"timestamp\":\"1795900000\",\"Sighting\":["
	    "{\"type\":\"0\",\"date_sighting\":\"1795000000\"},"
	    "{\"type\":\"1\",\"date_sighting\":\"1795900000\"}]},"
	    "{\"type\":\"domain\",\"value\":\"over.example\",\"to_ids\":true,"
	    "\"timestamp\":\"1795900000\",\"Sighting\":["
	    "{\"type\":\"2\",\"date_sighting\":\"1795900000\"}]},"
	    "{\"type\":\"domain\",\"value\":\"back.example\",\"to_ids\":true,"
	    "\"timestamp\":\"1795900000\",\"Sighting\":["
	    "{\"type\":\"0\",\"date_sighting\":\"1795950000\"},"
	    "{\"type\":\"2\",\"date_sighting\":\"1795900000\"}]}]}}");
	const struct match_hit *hit;

	(void)state;
	feed->expire_s = 10 * DAY_S;
	place_build(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "seen.example"), 1);
	hit = &place->hits.items.items[0];
	assert_int_equal(hit->severity, INDICATOR_SEVERITY_HIGH);
	assert_true(slice_equal_text(hit->description, "autumn wave"));
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "unseen.example"), 0);
	feed->expire_s = 0;
	place_bind(place);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "unseen.example"), 1);
	hit = &place->hits.items.items[0];
	assert_int_equal(hit->severity, INDICATOR_SEVERITY_MEDIUM);
	assert_true(slice_equal_text(hit->description, "own words"));
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "false.example"), 1);
	assert_true(slice_equal_text(
	    place->hits.items.items[0].tags, "sighting:false-positive"));
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "over.example"), 0);
	assert_int_equal(
	    look(place, INDICATOR_DOMAIN, MATCH_HELO, "back.example"), 1);
	place_free(place);
}

static void
a_query_tries_patterns_without_a_key_and_networks_of_patterns(void **state)
{
	static const struct {
		const char *value;
		size_t count;
		enum match_reason reason;
	} cases[] = {
		{ "a.like.example", 1, MATCH_ACTS },
		{ "http://b.like.example/x", 1, MATCH_ACTS },
		{ "like.example", 0, MATCH_ACTS },
		{ "198.18.7.7", 0, MATCH_ACTS },
		{ "62.5.9.9", 1, MATCH_ACTS },
		{ "traffic.example", 1, MATCH_ACTS },
		{ "host.example", 1, MATCH_ACTS },
		{ "both.example", 1, MATCH_COMPOUND },
	};
	struct place *place = place_new();

	(void)state;
	place_feed(place, "stix",
	    "{\"type\":\"bundle\",\"objects\":["
	    "{\"type\":\"indicator\",\"id\":\"indicator--1\",\"pattern\":"
	    "\"[domain-name:value LIKE '%.like.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--2\",\"pattern\":"
	    "\"[ipv4-addr:value ISSUBSET '62.5.0.0/16']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--3\",\"pattern\":"
	    "\"[network-traffic:dst_ref.type = 'domain-name' AND "
	    "network-traffic:dst_ref.value = 'traffic.example' AND "
	    "network-traffic:dst_port = 443]\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--4\",\"pattern\":"
	    "\"[hostname:value = 'host.example']\"},"
	    "{\"type\":\"indicator\",\"id\":\"indicator--5\",\"pattern\":"
	    "\"[domain-name:value = 'both.example'] AND "
	    "[url:value = 'http://other.example/']\"}]}");
	place_build(place);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct match_answers answers;

		assert_int_equal(
		    match_query(place->matcher, NULL, text(cases[i].value), NOW,
			place->arena, &answers),
		    TC_OK);
		if (answers.items.count != cases[i].count ||
		    (cases[i].count > 0 &&
			answers.items.items[0].reason != cases[i].reason))
			fail_msg("%s: %zu answers", cases[i].value,
			    answers.items.count);
	}
	place_free(place);
}

/* ----------------------------------------------------------------- the store */

static void *
read_whole(const char *path, size_t *size_out)
{
	FILE *file = fopen(path, "rb");
	char *bytes = malloc(1u << 20);

	assert_non_null(file);
	assert_non_null(bytes);
	*size_out = fread(bytes, 1, 1u << 20, file);
	fclose(file);
	return bytes;
}

/* Reads all that a store can be asked, whatever it says. */
static void
exercise(struct store *store)
{
	struct arena *arena = arena_new(1u << 22, NULL);
	struct matcher *matcher = matcher_new(store, NULL, NULL, 0);
	struct match_observations observations = { 0 };
	struct match_limits limits = match_limits_defaults();
	struct match_answers answers;
	struct match_hits hits;
	struct store_suppressed suppressed;
	struct store_entry entry;
	struct store_feed feed;
	const char *problem;
	static const struct match_observation probes[] = {
		{ INDICATOR_URL, MATCH_LINK,
		    { "http://a.evil.example/k/x?y", 27 }, -1, false },
		{ INDICATOR_URL, MATCH_LINK, { "http://203.0.114.9/", 19 }, -1,
		    false },
		{ INDICATOR_MD5, MATCH_ATTACHMENT, { MD5_A, 32 }, 1, false },
		{ INDICATOR_SUBJECT, MATCH_SUBJECT, { "Urgent", 6 }, -1,
		    false },
	};

	for (uint32_t i = 0; i < store_entry_count(store) && i < 100; i++) {
		if (!store_entry(store, i, &entry))
			continue;
		store_entry_value(store, &entry, arena);
		store_entry_id(store, &entry, arena);
		store_program(store, entry.program);
	}
	for (uint32_t i = 0; i < 10; i++) {
		store_feed(store, i, &feed);
		store_suppressed(store, i, &suppressed);
		store_unkeyed(store, i, &entry);
	}
	store_verify(store, &problem);
	for (size_t i = 0; i < sizeof probes / sizeof *probes; i++)
		*list_append(arena, &observations.items, 10) = probes[i];
	if (matcher != NULL) {
		match_run(matcher, &observations, &limits, NOW, arena, &hits);
		match_query(
		    matcher, NULL, text("evil.example"), NOW, arena, &answers);
	}
	matcher_free(&matcher);
	arena_free(&arena);
}

/* Sets the sums so that only the use of offsets can find the damage. */
static bool
open_damaged(char *bytes, size_t size)
{
	struct store *store = NULL;

	if (store_open_bytes(slice_make(bytes, size), &store, NULL) != TC_OK)
		return false;
	exercise(store);
	store_close(&store);
	return true;
}

static void
a_hostile_store_never_crashes_a_reader(void **state)
{
	struct place *place = place_new();
	char *bytes, *copy, *path;
	size_t size, refused = 0;
	struct store *store;

	(void)state;
	place_feed(place, "list",
	    "evil.example\nhttp://a.evil.example/k/\n203.0.114.0/24\n" MD5_A
	    "\nco.uk\nbad@evil.example\n");
	place_feed(place, "stix",
	    "{\"type\":\"bundle\",\"objects\":[{\"type\":\"indicator\",\"id\":"
	    "\"x\",\"pattern\":\"[email-message:subject LIKE 'Urg%']\"},"
	    "{\"type\":\"indicator\",\"id\":\"y\",\"pattern\":"
	    "\"[file:hashes.MD5 = '" MD5_A "' AND file:name = 'x']\"}]}");
	place_build(place);
	path = arena_printf(
	    place->arena, "%s/%s", place->folder, BUILD_STORE_NAME);
	bytes = read_whole(path, &size);
	assert_int_equal(
	    store_open_bytes(slice_make(bytes, size), &store, NULL), TC_OK);
	assert_true(store_verify(store, NULL));
	exercise(store);
	store_close(&store);
	/* Shortened at every octet, the copy ends where its memory ends. */
	for (size_t i = 0; i < size; i += i < 512 ? 1 : 7) {
		copy = malloc(i == 0 ? 1 : i);
		memcpy(copy, bytes, i);
		refused += !open_damaged(copy, i);
		free(copy);
	}
	assert_true(refused > 0);
	copy = malloc(size);
	for (size_t i = 0; i < size; i++) {
		memcpy(copy, bytes, size);
		copy[i] = (char)(copy[i] ^ (1 << i % 8));
		open_damaged(copy, size);
		memcpy(copy, bytes, size);
		copy[i] = (char)0xff;
		if (i + 3 < size)
			memset(copy + i, 0xff, 4);
		open_damaged(copy, size);
	}
	/* Any flipped bit is found by verify, or already at open. */
	for (size_t i = 0; i < size; i += 11) {
		memcpy(copy, bytes, size);
		copy[i] = (char)(copy[i] ^ 4);
		if (store_open_bytes(slice_make(copy, size), &store, NULL) !=
		    TC_OK)
			continue;
		assert_false(store_verify(store, NULL));
		store_close(&store);
	}
	free(copy);
	free(bytes);
	place_free(place);
}

static void
a_second_build_waits_its_turn_and_a_full_disk_costs_nothing(void **state)
{
	struct place *place = place_new();
	char *lock, *path;
	struct store *store = NULL;
	const char *problem = NULL;

	(void)state;
	place_feed(place, "list", "evil.example\n");
	place_build(place);
	path = arena_printf(
	    place->arena, "%s/%s", place->folder, BUILD_STORE_NAME);
	lock =
	    arena_printf(place->arena, "%s/%s", place->folder, BUILD_LOCK_NAME);
	assert_int_equal(access(lock, F_OK), 0);
	/* The place beside the store is taken by a folder: cannot be written. */
	assert_int_equal(
	    mkdir(arena_printf(place->arena, "%s.new", path), 0700), 0);
	assert_int_equal(
	    build_run(place->arena, &place->request, &place->report),
	    TC_SYSTEM);
	assert_non_null(place->report.problem);
	rmdir(arena_printf(place->arena, "%s.new", path));
	assert_int_equal(store_open(path, &store, &problem), TC_OK);
	assert_int_equal(store_generation(store), 1);
	store_close(&store);
	put_file(path, "no store at all, but long enough to be looked at", "w");
	assert_int_equal(store_open(path, &store, &problem), TC_INVALID);
	assert_string_equal(problem, "is not an indicator store");
	place_free(place);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_value_is_found_wherever_it_stands),
	cmocka_unit_test(an_observed_digest_is_shown_in_hex),
	cmocka_unit_test(a_hit_carries_all_that_was_published),
	cmocka_unit_test(settings_hold_at_match_time_without_a_new_build),
	cmocka_unit_test(defanged_text_matches_only_where_the_feed_says_so),
	cmocka_unit_test(compound_patterns_match_as_compounds),
	cmocka_unit_test(what_a_pattern_says_of_a_message_holds_for_one),
	cmocka_unit_test(the_branch_that_decides_makes_a_pattern_strong),
	cmocka_unit_test(a_feed_that_fails_keeps_its_content),
	cmocka_unit_test(the_age_of_a_feed_is_that_of_its_last_good_content),
	cmocka_unit_test(older_versions_never_replace_newer_ones),
	cmocka_unit_test(hand_added_indicators_act_at_once_and_masks_hide),
	cmocka_unit_test(a_broken_line_of_the_overlay_costs_itself),
	cmocka_unit_test(what_would_match_too_much_is_taken_out),
	cmocka_unit_test(a_query_says_why_an_indicator_does_not_act),
	cmocka_unit_test(an_indicator_does_not_act_before_it_is_valid),
	cmocka_unit_test(
	    misp_says_of_each_attribute_what_its_event_and_sightings_say),
	cmocka_unit_test(
	    a_query_tries_patterns_without_a_key_and_networks_of_patterns),
	cmocka_unit_test(a_hostile_store_never_crashes_a_reader),
	cmocka_unit_test(
	    a_second_build_waits_its_turn_and_a_full_disk_costs_nothing),
};

UNIT_MAIN(tests)
