/*
 * stix_field - which observation of a message a STIX path names
 *
 * Reads:    a comparison's path, such as `email-message:from_ref.value`
 * Produces: the field, and what is known of it: kind, sides, whether of a file
 */
#ifndef TOCSIN_INDICATOR_STIX_FIELD_H
#define TOCSIN_INDICATOR_STIX_FIELD_H

#include <stdbool.h>

#include "base/arena.h"
#include "indicator/kind.h"
#include "indicator/stix_pattern.h"

/* What a path names. The values stand in stored programs: append only. */
enum stix_field {
	STIX_FIELD_INVISIBLE,
	STIX_FIELD_ADDRESS_ANY,
	STIX_FIELD_ADDRESS_FROM,
	STIX_FIELD_ADDRESS_TO,
	STIX_FIELD_ADDRESS_REPLY,
	STIX_FIELD_SUBJECT,
	STIX_FIELD_MAILER,
	STIX_FIELD_MESSAGE_ID,
	STIX_FIELD_FILE_NAME,
	STIX_FIELD_MD5,
	STIX_FIELD_SHA1,
	STIX_FIELD_SHA256,
	STIX_FIELD_SHA512,
	STIX_FIELD_DOMAIN,
	STIX_FIELD_URL,
	STIX_FIELD_IP_ANY,
	STIX_FIELD_IP_SOURCE,
	STIX_FIELD_IP_DESTINATION,
	STIX_FIELD_COMPANION, /* resolves_to_refs, ports, protocols, types */
	/* Of any part of the message, where FILE_NAME and the digests before
	 * are of the one file at hand. */
	STIX_FIELD_PART_NAME,
	STIX_FIELD_PART_MD5,
	STIX_FIELD_PART_SHA1,
	STIX_FIELD_PART_SHA256,
	STIX_FIELD_PART_SHA512,
	STIX_FIELDS
};

struct stix_field_info {
	enum indicator_kind kind;
	unsigned roles;
	bool of_file;
};

extern const struct stix_field_info stix_field_table[STIX_FIELDS];

bool stix_field_is_digest(enum stix_field field);

/* Of the header of one message, as a subject is. */
bool stix_field_is_of_message(enum stix_field field);

/* What the comparison's path names. Works in the arena. */
enum stix_field stix_field_of(
    struct arena *arena, const struct stix_comparison *comparison);

#endif
