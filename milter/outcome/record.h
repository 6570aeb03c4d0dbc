/*
 * record - what is kept about a message, as one line of JSON
 *
 * Reads:    evidence and verdict
 * Produces: the record of tocsin-evidence(5), schema version RECORD_VERSION;
 *           `tocsin hunt` reads it, `tocsin scan --json` prints it
 *
 * The subject is kept as a digest of its canonical form, bodies not at all.
 * Every array and value is bounded; what was cut sets "truncated".
 */
#ifndef TOCSIN_OUTCOME_RECORD_H
#define TOCSIN_OUTCOME_RECORD_H

#include "base/builder.h"
#include "language/schema.h"

struct evidence;
struct verdict;

#define RECORD_VERSION 1

/* Appends the record's members without the braces around them, so that a
 * caller can put its own in front. `stage` other than STAGE_MESSAGE: an early
 * reply, of which less is known. */
void record_write(struct builder *out, const struct evidence *evidence,
    const struct verdict *verdict, enum schema_stage stage);

/* The digest by which a subject is kept: SHA-256 of its canonical form as 64
 * hexadecimal digits, empty where there is no subject. */
struct slice record_subject_digest(struct arena *arena, struct slice subject);

#endif
