#include <config.h>

#include "base/list.h"
#include "indicator/broad_pattern.h"
#include "indicator/match.h"
#include "indicator/stix_program.h"

#define STEPS_MAX 100000u

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

static bool
holds(struct arena *scratch, struct slice program, unsigned message, bool bare)
{
	struct match_observations observations = { 0 };
	struct stix_view *view;
	size_t steps = STEPS_MAX;

	for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
		struct match_observation *one;

		if (bare && !is_always_there(&shown[i]))
			continue;
		one = list_append(scratch, &observations.items, 100);
		if (one == NULL)
			return false;
		*one = (struct match_observation){
			.kind = shown[i].kind,
			.where = shown[i].where,
			.value = slice_text(shown[i].values[message]),
			.part = shown[i].part,
		};
	}
	view = stix_view_make(scratch, &observations);
	return view != NULL &&
	       stix_program_run(program, view, &steps).truth == STIX_TRUE;
}

bool
broad_pattern(struct arena *scratch, struct slice program)
{
	return (holds(scratch, program, 0, false) &&
		   holds(scratch, program, 1, false)) ||
	       (holds(scratch, program, 0, true) &&
		   holds(scratch, program, 1, true));
}
