/*
 * noxxi_test - the mime-is-broken messages, as the MTA would hand them over
 *
 * They stay outside this tree (licence, size): TOCSIN_CONFORMANCE names the
 * folder of sets, by default the sibling ../shared/conformance/sets of the
 * source. Without it the test is skipped.
 */
#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/unit.h"

#include "message/message.h"
#include "support/handed_over.h"

/* What every good reading of the hidden file begins with. */
#define ZIP_START "PK\003\004"
#define EICAR_ZIP "eicar.com"

struct score {
	unsigned must, must_found, should, should_found, should_flagged;
};

static bool
finds_content(const struct message *message)
{
	const struct mime_parts *parts = message_parts(message);

	for (size_t i = 0; i < parts->count; i++) {
		struct slice content = parts->items[i].content;

		/* the archive reader's task from here on */
		if (slice_starts_with(content, SLICE_LITERAL("\037\213\010")))
			return true;
		if (slice_starts_with(content, SLICE_LITERAL(ZIP_START)) &&
		    slice_find(content, SLICE_LITERAL("PK\001\002")) !=
			SIZE_MAX &&
		    slice_find(content, SLICE_LITERAL("PK\005\006")) !=
			SIZE_MAX &&
		    slice_find(content, SLICE_LITERAL(EICAR_ZIP)) != SIZE_MAX)
			return true;
	}
	return false;
}

static bool
finds_name(const struct message *message)
{
	const struct mime_parts *parts = message_parts(message);

	/* two messages have no such name at all: a text named .png */
	if (message_defects(message) &
	    MIME_DEFECT_BIT(MIME_DEFECT_TYPE_NAME_CONFLICT))
		return true;

	for (size_t i = 0; i < parts->count; i++)
		for (size_t n = 0; n < parts->items[i].names.count; n++)
			if (slice_ends_with_fold(
				parts->items[i].names.items[n].name,
				SLICE_LITERAL(".zip")))
				return true;
	return false;
}

static void
play_file(const char *path, const char *name,
    bool (*finds)(const struct message *), struct score *score)
{
	struct arena *arena = arena_new(0, NULL);
	struct message *message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_CONTENT);
	struct slice raw = handed_over_file(arena, path);
	/* "Subject: [3] ..." holds the set's own judgement: 0 is off the
	 * standard */
	bool must =
	    slice_find(raw, SLICE_LITERAL("Subject: [0]")) == SIZE_MAX &&
	    slice_find(raw, SLICE_LITERAL("valid(0)")) == SIZE_MAX;
	bool found;

	handed_over(arena, message, raw);
	found = finds(message);
	score->must += must;
	score->must_found += must && found;
	score->should += !must;
	score->should_found += !must && found;
	score->should_flagged +=
	    !must && (found || message_defects(message) != 0);
	if (!found && (must || getenv("TOCSIN_VERBOSE") != NULL))
		fprintf(stderr, "# %s %s: not found, defects %#llx\n",
		    must ? "must" : "should", name,
		    (unsigned long long)message_defects(message));
	arena_free(&arena);
}

static struct score
play_set(const char *set, bool (*finds)(const struct message *))
{
	const char *top = getenv("TOCSIN_CONFORMANCE");
	const char *source = getenv("srcdir");
	char folder[2048], path[4096];
	struct score score = { .must = 0 };
	struct dirent *entry;
	DIR *directory;

	if (top != NULL)
		snprintf(folder, sizeof folder, "%s/%s/msg", top, set);
	else
		snprintf(folder, sizeof folder,
		    "%s/../shared/conformance/sets/%s/msg",
		    source == NULL ? "." : source, set);
	directory = opendir(folder);
	if (directory == NULL) {
		fprintf(stderr, "# skipped: %s is not here\n", folder);
		skip();
	}
	while ((entry = readdir(directory)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
		play_file(path, entry->d_name, finds, &score);
	}
	closedir(directory);
	fprintf(stderr,
	    "# %s: must %u of %u; should %u of %u found, %u found or flagged\n",
	    set, score.must_found, score.must, score.should_found, score.should,
	    score.should_flagged);
	return score;
}

static void
hidden_content_is_found_in_some_reading(void **state)
{
	struct score score = play_set("mime-noxxi-content", finds_content);

	(void)state;
	assert_int_equal(score.must_found, score.must);
	assert_true(score.should_found >= 280);
}

static void
hidden_names_are_found_in_some_reading(void **state)
{
	struct score score = play_set("mime-noxxi-filename", finds_name);

	(void)state;
	assert_int_equal(score.must_found, score.must);
	assert_true(score.should_found > 40);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(hidden_content_is_found_in_some_reading),
	cmocka_unit_test(hidden_names_are_found_in_some_reading),
};

UNIT_MAIN(tests)
