/*
 * build_rules - YARA rules that stand inside STIX and MISP
 *
 * The store holds no rules: they go to the scanner, which compiles them away
 * from everything else. A build puts each into a file of its own,
 *
 *	STATE-DIRECTORY/yara/FEED/HASH.yar
 *
 * so that one that does not compile costs itself, and takes out those that the
 * feed no longer has. A feed that keeps its older content keeps its files.
 */
#ifndef TOCSIN_INDICATOR_BUILD_RULES_H
#define TOCSIN_INDICATOR_BUILD_RULES_H

#include "indicator/build_image.h"

/* Takes a rule of the feed at hand: FEED_USED, FEED_TOO_MANY beyond the
 * build's limit, FEED_BAD_VALUE for text that is no rule. */
enum feed_reason build_rules_add(struct build *build, struct slice text);

/* Brings the files of all feeds up to date. False with errno: some could not
 * be written. */
bool build_rules_write(const struct build *build, const char *state_directory);

#endif
