/*
 * value - one value of the policy language
 *
 * A value is of the type that the schema gives its field; it is missing, there,
 * or could not be had (`error`: a limit or a failure of ours). Text values are
 * UTF-8 as far as the message is; the bytes belong to whoever set them and must
 * live as long as the facts.
 *
 * Forms by type:
 *	bool                 truth
 *	integer, size        number (size in bytes)
 *	duration             number (milliseconds)
 *	time                 number (Unix seconds, UTC)
 *	enum                 number (index into the schema's word list)
 *	string               text
 *	domain               text, canonical (base/domain.h) where it is a name
 *	address              text, as address_key() makes it
 *	ip                   ip
 *	strings              texts (a set of strings: tags, extensions)
 */
#ifndef TOCSIN_LANGUAGE_VALUE_H
#define TOCSIN_LANGUAGE_VALUE_H

#include <stdint.h>

#include "base/arena.h"
#include "base/ipaddr.h"

struct pattern_hits; /* pattern_set.c */

enum value_type {
	VALUE_BOOL,
	VALUE_INTEGER,
	VALUE_SIZE,
	VALUE_DURATION,
	VALUE_TIME,
	VALUE_ENUM,
	VALUE_STRING,
	VALUE_DOMAIN,
	VALUE_ADDRESS,
	VALUE_IP,
	VALUE_STRINGS,
	VALUE_COLLECTION /* elements, never a single value */
};

enum value_state {
	VALUE_MISSING, /* zero: an untouched value is missing */
	VALUE_PRESENT,
	VALUE_ERROR /* it is there, and we could not get it */
};

struct value {
	enum value_state state;
	bool composed; /* the evaluator's: the text is in that form */
	union {
		bool truth;
		int64_t number;
		struct slice text;
		struct ipaddr ip;
		struct {
			const struct slice *items;
			size_t count;
		} texts;
	};
	/* The evaluator's, made when needed: the text folded, and what a
	 * pattern_set found in it. */
	struct slice folded;
	struct pattern_hits *hits;
};

/* "string", "address", "IP address", ... for listings and manuals. */
const char *value_type_name(enum value_type type);
/* The same with its article, for messages: "an address". */
const char *value_type_phrase(enum value_type type);

/* The arena is used for canonical forms; text that needs none is kept as it
 * is. At the arena's ceiling the value becomes VALUE_ERROR. */
void value_set_bool(struct value *value, bool truth);
void value_set_number(struct value *value, int64_t number);
void value_set_text(struct value *value, struct slice text);
void value_set_ip(struct value *value, const struct ipaddr *ip);
void value_set_texts(
    struct value *value, const struct slice *items, size_t count);

/* Brings a name to canonical form; what is no name is kept in ASCII lower
 * case, so it can still be compared. An empty name is missing. */
void value_set_domain(
    struct arena *arena, struct value *value, struct slice name);

/* Brings an address to address_key() form; what is no address is kept folded.
 * Empty (the null sender) is missing. */
void value_set_address(
    struct arena *arena, struct value *value, struct slice address);

/* The half after the last '@' of an address in key form; empty without one. */
struct slice value_address_domain(struct slice address);

#endif
