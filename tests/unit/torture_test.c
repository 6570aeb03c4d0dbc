/*
 * torture_test - the torture messages, and what their collection says of them
 *
 * mime-is-broken: the hidden file is found by its digest, the hidden name as
 * it is: all of v3 and v2 (plain and standard), v1 (unlikely but legal), and
 * as much of v0 as readers decode. mime4j: each decoded part that is kept
 * beside a message is the content of one of its parts. TOCSIN_DATA names the
 * data folder, the sibling ../shared/data of the source tree without it.
 */
#include <config.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/unit.h"

#include "message/message.h"
#include "support/handed_over.h"

#define PAYLOAD \
	"9aaad84f6f1fe11d8547f12707cf442dd2c3c82b4df4011c08688006abb314ff"
#define NAME ".zip"

/* Of v0, which some reader decodes: three files in base64 or escapes of a kind
 * of their own. */
#define V0_CONTENT_MISSED 3

/* Decoded parts that are not as ours, and why. */
static const char *const other_parts[] = {
	/* the MTA ends the headers at the first line that is none */
	"malformedHeader-nocrlfcrlf_decoded_1.txt",
	"malformedHeader-noheader_decoded_1.txt",
	"hdr-fakeout_decoded_1.txt",
	"basic-plain-with-bad-header-separator_decoded_1.txt",
	"obsolete_decoded_1.txt",
	/* x-gzip64 is not known there and left as it is */
	"x-gzip64_decoded_1.txt",
};

/* The folder of a collection; false, and said, when it is not here. */
static DIR *
open_collection(const char *name, char folder[static 1024])
{
	const char *top = getenv("TOCSIN_DATA"), *source = getenv("srcdir");
	DIR *directory;

	if (top != NULL)
		snprintf(folder, 1024, "%s/mail/torture/%s", top, name);
	else
		snprintf(folder, 1024, "%s/../shared/data/mail/torture/%s",
		    source == NULL ? "." : source, name);
	directory = opendir(folder);
	if (directory == NULL) {
		fprintf(stderr, "# skipped: %s is not here\n", folder);
		skip();
	}
	return directory;
}

static struct message *
read_message(struct arena *arena, const char *folder, const char *name)
{
	struct message *message =
	    message_new(arena, &message_limits_default, MESSAGE_NEED_ALL);
	char path[2048];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	handed_over(arena, message, handed_over_file(arena, path));
	return message;
}

static bool
has_payload(const struct message *message)
{
	const struct mime_parts *parts = message_parts(message);

	for (size_t i = 0; i < parts->count; i++)
		if (slice_equal_text(parts->items[i].digests.sha256, PAYLOAD))
			return true;
	return false;
}

static bool
has_name(const struct message *message)
{
	const struct mime_parts *parts = message_parts(message);

	for (size_t i = 0; i < parts->count; i++)
		for (size_t n = 0; n < parts->items[i].names.count; n++)
			if (slice_ends_with_fold(
				parts->items[i].names.items[n].name,
				SLICE_LITERAL(NAME)))
				return true;
	return false;
}

/* What is found of each level, v0 to v3. */
struct levels {
	unsigned all[4], found[4];
};

static struct levels
play_levels(const char *name, bool (*finds)(const struct message *message))
{
	struct levels levels = { .all = { 0 } };
	char folder[1024];
	DIR *directory = open_collection(name, folder);
	struct dirent *entry;

	while ((entry = readdir(directory)) != NULL) {
		struct arena *arena;
		unsigned level = (unsigned)(entry->d_name[1] - '0');

		if (entry->d_name[0] != 'v' || level > 3)
			continue;
		arena = arena_new(0, NULL);
		levels.all[level]++;
		if (finds(read_message(arena, folder, entry->d_name)))
			levels.found[level]++;
		else
			fprintf(stderr, "# not found in %s\n", entry->d_name);
		arena_free(&arena);
	}
	closedir(directory);
	for (unsigned level = 4; level-- > 0;)
		fprintf(stderr, "# %s v%u: %u of %u\n", name, level,
		    levels.found[level], levels.all[level]);
	return levels;
}

static void
the_hidden_file_is_found_by_its_digest(void **state)
{
	struct levels levels =
	    play_levels("mime-is-broken/hide-content", has_payload);

	(void)state;
	for (unsigned level = 1; level < 4; level++)
		assert_int_equal(levels.found[level], levels.all[level]);
	assert_true(levels.found[0] + V0_CONTENT_MISSED >= levels.all[0]);
}

static void
the_hidden_name_is_found(void **state)
{
	struct levels levels =
	    play_levels("mime-is-broken/hide-filename", has_name);

	(void)state;
	/* v3 is one message whose file is called file.png */
	for (unsigned level = 1; level < 3; level++)
		assert_int_equal(levels.found[level], levels.all[level]);
	assert_int_equal(levels.found[0], levels.all[0]);
}

/* Without CR and without line breaks at the end: the expected parts were
 * written with the line ends of their system. */
static struct slice
plain(struct arena *arena, struct slice text)
{
	char *copy = arena_text(arena, text);
	size_t length = 0;

	for (size_t i = 0; i < text.length; i++)
		if (copy[i] != '\r')
			copy[length++] = copy[i];
	while (length > 0 && copy[length - 1] == '\n')
		length--;
	return slice_make(copy, length);
}

static bool
has_content(
    struct arena *arena, const struct message *message, struct slice expected)
{
	const struct mime_parts *parts = message_parts(message);
	struct slice wanted = plain(arena, expected);

	for (size_t i = 0; i < parts->count; i++)
		if (slice_equal(
			plain(arena, parts->items[i].content), wanted) ||
		    slice_equal(plain(arena, parts->items[i].text), wanted))
			return true;
	return false;
}

/* Whether the part of this name beside a message is found in it. */
static bool
finds_part(const char *folder, const char *name, size_t base)
{
	struct arena *arena = arena_new(0, NULL);
	char mail[600], path[2048];
	struct message *message;
	bool found;

	snprintf(mail, sizeof mail, "%.*s.eml", (int)base, name);
	snprintf(path, sizeof path, "%s/%s", folder, name);
	message = read_message(arena, folder, mail);
	found = has_content(arena, message, handed_over_file(arena, path));
	arena_free(&arena);
	return found;
}

static bool
is_other(const char *name)
{
	for (size_t i = 0; i < sizeof other_parts / sizeof *other_parts; i++)
		if (strcmp(name, other_parts[i]) == 0)
			return true;
	return false;
}

static void
decoded_parts_are_as_they_should_be(void **state)
{
	static const char *const collections[] = { "mime4j-testmsgs",
		"mime4j-mimetools-testmsgs" };
	unsigned all = 0, found = 0;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		char folder[1024];
		DIR *directory = open_collection(collections[i], folder);
		struct dirent *entry;

		while ((entry = readdir(directory)) != NULL) {
			size_t base = slice_find(
			    text(entry->d_name), SLICE_LITERAL("_decoded_"));

			if (base == SIZE_MAX || is_other(entry->d_name))
				continue;
			all++;
			if (finds_part(folder, entry->d_name, base))
				found++;
			else
				fprintf(
				    stderr, "# not found: %s\n", entry->d_name);
		}
		closedir(directory);
	}
	fprintf(stderr, "# decoded parts: %u of %u\n", found, all);
	assert_int_equal(found, all);
	assert_true(all > 0);
}

static void
ordinary_mail_has_hardly_any_defects(void **state)
{
	char folder[1024];
	DIR *directory = open_collection("../ham", folder);
	struct dirent *entry;
	unsigned all = 0, odd = 0;

	(void)state;
	while ((entry = readdir(directory)) != NULL) {
		struct arena *arena;
		mime_defect_set defects;

		if (entry->d_name[0] == '.')
			continue;
		arena = arena_new(0, NULL);
		defects =
		    message_defects(read_message(arena, folder, entry->d_name));
		all++;
		odd += defects != 0;
		for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
			if (defects & MIME_DEFECT_BIT(i))
				fprintf(stderr, "# %s: %s\n", entry->d_name,
				    mime_defect_name((enum mime_defect)i));
		arena_free(&arena);
	}
	closedir(directory);
	fprintf(stderr, "# %u of %u have a defect\n", odd, all);
	assert_true(all > 0 && odd * 50 < all); /* 2 % */
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_hidden_file_is_found_by_its_digest),
	cmocka_unit_test(the_hidden_name_is_found),
	cmocka_unit_test(decoded_parts_are_as_they_should_be),
	cmocka_unit_test(ordinary_mail_has_hardly_any_defects),
};

UNIT_MAIN(tests)
