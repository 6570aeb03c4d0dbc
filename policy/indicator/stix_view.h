/*
 * stix_view - the observations of a message made ready for STIX programs
 *
 * Canonical keys by field, made once per message when the first program has to
 * be tried. Memory, that of regular expressions as well, is of the arena.
 */
#ifndef TOCSIN_INDICATOR_STIX_VIEW_H
#define TOCSIN_INDICATOR_STIX_VIEW_H

#include "base/list.h"
#include "indicator/match.h"
#include "indicator/stix_expressions.h"
#include "indicator/stix_field.h"

struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

/* One observed value under the field that shows it. */
struct stix_view_value {
	enum stix_field field;
	int part;
	struct slice raw; /* as observed */
	struct slice key; /* canonical; empty when it has none */
	const struct match_observation *observation;
};

typedef LIST_OF(int) stix_view_parts;

struct stix_view {
	struct arena *arena;
	LIST_OF(struct stix_view_value) values;
	stix_view_parts parts; /* indexes that files have, each once */
	/* The same of messages inside this one. */
	stix_view_parts messages;
	uint32_t kinds_known;
	const struct stix_expressions *expressions; /* or NULL */
	/* Made when the first expression is tried; memory of the arena. */
	struct pcre2_real_match_data_8 *match_data;
	struct pcre2_real_match_context_8 *match_context;
};

#define STIX_VIEW_OUTERMOST (-1) /* the part of headers of the message itself */

/* NULL without memory. */
struct stix_view *stix_view_make(
    struct arena *arena, const struct match_observations *observations);

/* Expressions found there are not compiled anew; NULL: none are. */
void stix_view_expressions(
    struct stix_view *view, const struct stix_expressions *expressions);

#endif
