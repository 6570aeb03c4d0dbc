/*
 * stix_marking - the TLP colours that STIX objects are marked with
 *
 * Reads:    the octets of a whole bundle, envelope or file of JSON lines
 * Produces: the colour of a marking by its id
 *
 * The markings of STIX 2.1 and those of the TLP 2.0 extension are known by
 * their ids. Others are objects of the bundle that stand before or behind what
 * they mark: publishers make their own, and some platforms give AMBER+STRICT an
 * id of theirs. How many of them count, and how large one is, is bounded.
 */
#ifndef TOCSIN_INDICATOR_STIX_MARKING_H
#define TOCSIN_INDICATOR_STIX_MARKING_H

#include "base/table.h"
#include "indicator/kind.h"

struct cJSON;

/* What a file defines, by id; begin with table_make(). */
struct stix_markings {
	struct table defined;
	unsigned looked_at;
};

/* Adds the definitions whose type stands in bytes[begin, end): a large file is
 * gone through piece by piece. */
void stix_markings_add(struct stix_markings *markings, struct slice bytes,
    size_t begin, size_t end);

/* The strictest colour that an object is marked with, as a whole or in parts;
 * `markings` may be NULL. */
enum indicator_tlp stix_marking_tlp(
    const struct stix_markings *markings, const struct cJSON *object);

#endif
