#include <config.h>

#include <stdlib.h>

#include "base/arena.h"
#include "base/domain.h"
#include "base/list.h"
#include "indicator/broad_pattern.h"
#include "indicator/broad_sample.h"
#include "indicator/match.h"
#include "indicator/stix_expressions.h"
#include "indicator/stix_program.h"

#define STEPS_MAX      100000u /* of one message */
#define CANDIDATES_MAX 64u     /* suffixes and octets of one pattern */
#define FIRST_MESSAGES 16u     /* none of them true: it is far from a quarter */
#define MESSAGES_LIMIT (BROAD_SAMPLE_MESSAGES / 4)

struct shown {
	enum indicator_kind kind;
	enum match_where where;
	int part; /* -1: of the message */
	const char *values[2];
};

static const struct shown shown[] = {
	{ INDICATOR_NETWORK, MATCH_CLIENT, -1,
	    { "62.210.77.19", "2a01:4f8:1c2c::5" } },
	{ INDICATOR_DOMAIN, MATCH_HELO, -1,
	    { "mx7.qvantorem.com", "relay.bhulzik.org" } },
	{ INDICATOR_ADDRESS, MATCH_MAIL_FROM, -1,
	    { "j.doe@qvantorem.com", "office@bhulzik.org" } },
	{ INDICATOR_ADDRESS, MATCH_RCPT, -1,
	    { "ann@wexilor.net", "k17@trumbesk.de" } },
	{ INDICATOR_ADDRESS, MATCH_FROM, -1,
	    { "j.doe@qvantorem.com", "office@bhulzik.org" } },
	{ INDICATOR_ADDRESS, MATCH_TO, -1,
	    { "ann@wexilor.net", "k17@trumbesk.de" } },
	{ INDICATOR_ADDRESS, MATCH_REPLY_TO, -1,
	    { "j.doe@qvantorem.com", "office@bhulzik.org" } },
	{ INDICATOR_SUBJECT, MATCH_SUBJECT, -1,
	    { "Re: agenda for Thursday", "Minutes 47" } },
	{ INDICATOR_MAILER, MATCH_MAILER, -1, { "Qmua 1.0", "Webpost/7" } },
	{ INDICATOR_MESSAGE_ID, MATCH_MESSAGE_ID, -1,
	    { "a81f@mx7.qvantorem.com", "20261.77@bhulzik.org" } },
	{ INDICATOR_URL, MATCH_TEXT, 0,
	    { "https://www.qvantorem.com/a?b=1", "http://bhulzik.org/menu" } },
	{ INDICATOR_FILENAME, MATCH_ATTACHMENT, 0,
	    { "plan.pdf", "photo 3.jpg" } },
	{ INDICATOR_SHA256, MATCH_ATTACHMENT, 0,
	    { "5b7c01e46f9a2d83b05e7c94a1f2386dd04e7fb1935ac8267e1f0c9b4a683d52",
		"c49f7e10b2d3586a9e0471fc8d25b36a17e9042f6c8bd5a3710e4f92b6cd8835" } },
};

/* A message without links, files and the like shows no more. */
static bool
is_always_there(const struct shown *one)
{
	return one->where != MATCH_REPLY_TO && one->where != MATCH_MAILER &&
	       one->part == -1;
}

enum {
	STRANGERS = 4 /* two messages, whole and bare */
};

/* Where most names are, and most bad ones; others are tried where a pattern
 * names them. */
static const char *const suffixes[] = { "com", "net", "org", "info", "biz",
	"de", "uk", "co.uk", "fr", "it", "nl", "pl", "eu", "ru", "cn", "jp",
	"br", "com.br", "in", "us", "io", "co", "me", "cc", "tv", "tk", "ml",
	"ga", "cf", "gq", "pw", "to", "su", "top", "xyz", "icu", "online",
	"site", "shop", "store", "club", "click", "link", "live", "work",
	"buzz", "zip", "mov", "app", "dev" };

#define SUFFIXES (sizeof suffixes / sizeof *suffixes)

struct broad {
	struct arena *arena;   /* of the views */
	struct arena *scratch; /* of one pattern */
	struct stix_view *strangers[STRANGERS];
	struct stix_view *soups[BROAD_SAMPLE_SOUPS];
	struct stix_view *messages[BROAD_SAMPLE_MESSAGES];
	struct stix_view *under[SUFFIXES][2];
};

static struct stix_view *
stranger(struct arena *arena, unsigned message, bool bare)
{
	struct match_observations observations = { 0 };

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		struct match_observation *one;

		if (bare && !is_always_there(&shown[i]))
			continue;
		one = list_append(arena, &observations.items, 100);
		if (one == NULL)
			return NULL;
		*one = (struct match_observation){
			.kind = shown[i].kind,
			.where = shown[i].where,
			.value = slice_text(shown[i].values[message]),
			.part = shown[i].part,
		};
	}
	return stix_view_make(arena, &observations);
}

static bool
make_views(struct broad *broad)
{
	for (unsigned i = 0; i < STRANGERS; i++) {
		broad->strangers[i] =
		    stranger(broad->arena, i % 2, i >= STRANGERS / 2);
		if (broad->strangers[i] == NULL)
			return false;
	}
	for (unsigned i = 0; i < BROAD_SAMPLE_SOUPS; i++) {
		struct match_observations observations = { 0 };

		if (!broad_sample_soup(broad->arena, i, &observations) ||
		    (broad->soups[i] = stix_view_make(
			 broad->arena, &observations)) == NULL)
			return false;
	}
	for (unsigned i = 0; i < BROAD_SAMPLE_MESSAGES; i++) {
		struct match_observations observations = { 0 };

		if (!broad_sample_message(broad->arena, i, &observations) ||
		    (broad->messages[i] = stix_view_make(
			 broad->arena, &observations)) == NULL)
			return false;
	}
	for (unsigned i = 0; i < 2 * SUFFIXES; i++) {
		struct match_observations observations = { 0 };
		struct stix_view **view = &broad->under[i / 2][i % 2];

		if (!broad_sample_under_suffix(broad->arena, i % 2,
			slice_text(suffixes[i / 2]), &observations) ||
		    (*view = stix_view_make(broad->arena, &observations)) ==
			NULL)
			return false;
	}
	return true;
}

struct broad *
broad_new(void)
{
	struct broad *broad = calloc(1, sizeof *broad);

	if (broad == NULL)
		return NULL;
	broad->arena = arena_new(0, NULL);
	broad->scratch = arena_new(0, NULL);
	if (broad->arena == NULL || broad->scratch == NULL ||
	    !make_views(broad))
		broad_free(&broad);
	return broad;
}

void
broad_free(struct broad **broad)
{
	struct broad *old = *broad;

	*broad = NULL;
	if (old == NULL)
		return;
	arena_free(&old->arena);
	arena_free(&old->scratch);
	free(old);
}

/* ------------------------------------------------------------------- judging */

/* A program on its way through the messages. */
struct trial {
	struct broad *broad;
	struct slice program;
	struct stix_expressions *expressions;
	unsigned candidates;
	bool covers; /* a whole suffix or octet */
};

static bool
holds(const struct trial *trial, struct stix_view *view)
{
	size_t steps = STEPS_MAX;
	bool holds;

	stix_view_expressions(view, trial->expressions);
	holds =
	    stix_program_run(trial->program, view, &steps).truth == STIX_TRUE;
	stix_view_expressions(view, NULL);
	return holds;
}

static bool
holds_for_soups(const struct trial *trial)
{
	for (unsigned i = 0; i < BROAD_SAMPLE_SOUPS; i++)
		if (!holds(trial, trial->broad->soups[i]))
			return false;
	return true;
}

static bool
holds_for_many(const struct trial *trial)
{
	unsigned held = 0;

	for (unsigned i = 0; i < BROAD_SAMPLE_MESSAGES; i++) {
		if (i == FIRST_MESSAGES && held == 0)
			return false;
		held += holds(trial, trial->broad->messages[i]);
		if (held == MESSAGES_LIMIT)
			return true;
	}
	return false;
}

/* Whether the program holds for a message that is about a candidate. */
static bool
holds_for(const struct trial *trial, bool filled,
    const struct match_observations *observations)
{
	struct stix_view *view =
	    filled ? stix_view_make(trial->broad->scratch, observations) : NULL;

	return view != NULL && holds(trial, view);
}

/* All names under the suffix, and not those that have its word anywhere: a
 * search for a brand is no search for the suffix that is called like it. */
static void
try_suffix(struct trial *trial, struct slice suffix)
{
	struct arena *scratch = trial->broad->scratch;
	struct match_observations under[2] = { 0 }, inside = { 0 };

	if (trial->covers || trial->candidates++ >= CANDIDATES_MAX)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (!holds_for(trial,
			broad_sample_under_suffix(
			    scratch, i, suffix, &under[i]),
			&under[i]))
			return;
	trial->covers = !holds_for(
	    trial, broad_sample_inside(scratch, suffix, &inside), &inside);
}

static void
try_common_suffixes(struct trial *trial)
{
	for (size_t i = 0; i < SUFFIXES && !trial->covers; i++)
		if (holds(trial, trial->broad->under[i][0]) &&
		    holds(trial, trial->broad->under[i][1]))
			try_suffix(trial, slice_text(suffixes[i]));
}

static void
try_octet(struct trial *trial, unsigned octet)
{
	struct arena *scratch = trial->broad->scratch;
	struct match_observations within[2] = { 0 };

	if (trial->covers || trial->candidates++ >= CANDIDATES_MAX)
		return;
	for (unsigned i = 0; i < 2; i++)
		if (!holds_for(trial,
			broad_sample_in_octet(scratch, i, octet, &within[i]),
			&within[i]))
			return;
	trial->covers = true;
}

/* The first octets that begin like this: 10, 100 of "10%", "10_.%". */
static void
try_octets(struct trial *trial, struct slice digits)
{
	unsigned long octet;

	if (!slice_parse_number(digits, 255, &octet))
		return;
	for (; octet <= 255; octet *= 10) {
		try_octet(trial, (unsigned)octet);
		if (octet == 0)
			return;
	}
}

/* A suffix that someone can register names under. */
static bool
is_listed(struct trial *trial, struct slice suffix)
{
	const char *below = arena_printf(
	    trial->broad->scratch, "k.%.*s", (int)suffix.length, suffix.data);

	return suffix.length <= 64 && suffix.data[0] != '.' && below != NULL &&
	       domain_has_listed_suffix(slice_text(below)) &&
	       domain_is_public_suffix(suffix);
}

/* A run of what host names are made of: what it could be the end, or the
 * beginning, of. */
static void
try_run(struct trial *trial, struct slice run)
{
	size_t dot = slice_find_byte(run, '.');

	try_octets(
	    trial, slice_range(run, 0, dot == SIZE_MAX ? run.length : dot));
	while (run.length > 0 && run.data[run.length - 1] == '.')
		run = slice_range(run, 0, run.length - 1);
	while (run.length > 0) {
		if (is_listed(trial, run))
			try_suffix(trial, run);
		dot = slice_find_byte(run, '.');
		run = dot == SIZE_MAX ? slice_make(NULL, 0)
				      : slice_skip(run, dot + 1);
	}
}

static bool
is_word(char c)
{
	c = ascii_lower(c);
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

/* Takes the runs out of a constant; of an expression `\.` is the dot. */
static void
try_constant(void *context, enum stix_operator operator, struct slice constant)
{
	struct trial *trial = context;
	char *text = arena_alloc(trial->broad->scratch, constant.length + 1);
	size_t length = 0;

	if (text == NULL || (operator!= STIX_LIKE && operator!= STIX_MATCHES))
		return;
	for (size_t i = 0; i <= constant.length; i++) {
		char c =
		    i < constant.length ? ascii_lower(constant.data[i]) : '\0';

		if (c == '\\' && operator== STIX_MATCHES) {
			/* Before a letter it is more than the letter. */
			if (i + 1 < constant.length &&
			    is_word(constant.data[i + 1]))
				i++;
			else
				continue;
			c = '\0';
		}
		if (c == '.' || c == '-' || is_word(c)) {
			text[length++] = c;
			continue;
		}
		try_run(trial, slice_make(text, length));
		text += length;
		length = 0;
	}
}

/* Why the program would match too much, or NULL. */
static const char *
judge(struct trial *trial)
{
	struct stix_view *const *strangers = trial->broad->strangers;

	if ((holds(trial, strangers[0]) && holds(trial, strangers[1])) ||
	    (holds(trial, strangers[2]) && holds(trial, strangers[3])))
		return "is a pattern that any message makes true";
	if (holds_for_soups(trial))
		return "is a pattern that almost any message makes true";
	stix_program_constants(trial->program, try_constant, trial);
	try_common_suffixes(trial);
	if (trial->covers)
		return "is a pattern for all names under a public suffix, or "
		       "all addresses of a /8";
	return holds_for_many(trial)
		   ? "is a pattern that a quarter of ordinary messages, or "
		     "more, makes true"
		   : NULL;
}

enum tc_status
broad_pattern(
    struct broad *broad, struct slice program, const char **reason_out)
{
	struct trial trial = { .broad = broad, .program = program };

	*reason_out = NULL;
	trial.expressions = stix_expressions_new();
	if (trial.expressions == NULL)
		return TC_LIMIT;
	arena_reset(broad->scratch);
	stix_program_expressions(program, trial.expressions);
	*reason_out = judge(&trial);
	stix_expressions_free(&trial.expressions);
	return arena_exhausted(broad->scratch) ? TC_LIMIT : TC_OK;
}
