/*
 * stix_fuzz - a STIX pattern: parse, compile, run, judge, tell how broad it is
 */
#include <config.h>

#include <stdint.h>

#include "base/arena.h"
#include "indicator/broad_pattern.h"
#include "indicator/stix_judge.h"
#include "indicator/stix_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct match_observation message[] = {
	{ INDICATOR_ADDRESS, MATCH_FROM, { "bad@evil.example", 16 }, -1,
	    false },
	{ INDICATOR_URL, MATCH_LINK, { "http://www.drop.example/a/b?c", 29 },
	    -1, false },
	{ INDICATOR_FILENAME, MATCH_ATTACHMENT, { "one.doc", 7 }, 1, false },
	{ INDICATOR_SUBJECT, MATCH_SUBJECT, { "aaaaaaaaaaaaaaaaaaaaaaaab", 25 },
	    -1, false },
};

/* The messages are made once, as for a build. */
static void
tell_broad(struct slice program)
{
	static struct broad *broad;
	const char *reason;

	if (broad == NULL)
		broad = broad_new();
	if (broad != NULL)
		(void)broad_pattern(broad, program, &reason);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char observed[] =
	    "[{\"type\":\"file\",\"name\":\"x\",\"size\":5,\"hashes\":{\"MD5\":"
	    "\"aa\"}},{\"type\":\"url\",\"value\":\"http://a.example/\"}]";
	struct slice text = slice_make(data, size);
	struct match_observations observations = { 0 };
	struct arena *arena = arena_new(16u << 20, NULL);
	struct stix_judgement judgement;
	struct stix_compiled compiled;
	struct stix_pattern pattern;
	size_t steps = 10000;

	for (size_t i = 0; i < sizeof message / sizeof *message; i++)
		*list_append(arena, &observations.items, 100) = message[i];
	if (stix_pattern_parse(arena, text, 256, &pattern) == TC_OK &&
	    stix_program_compile(arena, &pattern, &compiled) == TC_OK &&
	    compiled.program.length > 0) {
		stix_program_run(compiled.program,
		    stix_view_make(arena, &observations), &steps);
		tell_broad(compiled.program);
	}
	stix_judge(arena, text, slice_text(observed), &judgement);
	steps = 10000;
	stix_program_run(text, stix_view_make(arena, &observations), &steps);
	arena_free(&arena);
	return 0;
}
