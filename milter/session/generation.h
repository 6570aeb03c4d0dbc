/*
 * generation - what messages are judged by, swapped whole by one pointer
 *
 * A generation binds a policy with its settings, the lists and switches in
 * use, a resolver, the indicators and the scanner. It never changes: whatever
 * becomes new (a policy, a list, a switch, a store) makes a new generation that
 * shares all other parts with the one before. Parts and generations count
 * their references, so a message keeps what it began with and nobody waits.
 *
 * Thread-safe throughout.
 */
#ifndef TOCSIN_SESSION_GENERATION_H
#define TOCSIN_SESSION_GENERATION_H

#include <pthread.h>

#include "session/session.h"

struct matcher;
struct overlay;
struct scanner;

/* One thing that generations share, and the function that frees it. */
struct generation_part;

/* Takes over `thing`; `needs` are parts that must live longer (a reference to
 * each is taken; NULL entries are skipped). The caller holds one reference.
 * NULL without memory: the thing is then still the caller's. */
#define GENERATION_NEEDS_MAX 4
struct generation_part *generation_part_new(void *thing,
    void (*free_thing)(void *thing),
    struct generation_part *const needs[GENERATION_NEEDS_MAX]);
struct generation_part *generation_part_retain(struct generation_part *part);
/* Accepts NULL inside; clears the pointer. */
void generation_part_release(struct generation_part **part);
void *generation_part_thing(const struct generation_part *part);

/* What a generation is made of. Each part may be NULL but the policy. */
enum generation_role {
	GENERATION_POLICY,   /* struct program */
	GENERATION_PATTERNS, /* struct pattern_set */
	GENERATION_LISTS,    /* struct program_lists */
	GENERATION_SWITCHES, /* bool[] */
	GENERATION_RESOLVER, /* struct resolver */
	GENERATION_STORE,    /* struct store */
	GENERATION_OVERLAY,  /* struct overlay */
	GENERATION_MATCHER,  /* struct matcher */
	GENERATION_SCANNER,  /* struct scanner */
	GENERATION_ROLES
};

struct generation_input {
	struct generation_part *parts[GENERATION_ROLES];
	uint64_t policy_generation; /* grows by one with each policy */
	uint64_t store_generation;
};

struct generation;

/* Makes a generation with one reference, the caller's; takes a reference to
 * each part. NULL without memory. */
struct generation *generation_new(const struct generation_input *input);
struct generation *generation_retain(struct generation *generation);
/* Accepts NULL inside; clears the pointer. */
void generation_release(struct generation **generation);

/* Live as long as the generation. */
const struct generation_input *generation_parts(
    const struct generation *generation);
const struct session_basis *generation_basis(
    const struct generation *generation);
/* NULL: there are no indicators. */
const struct matcher *generation_matcher(const struct generation *generation);
struct scanner *generation_scanner(const struct generation *generation);

/* True when both have the same policy: then the newer indicators of one may
 * serve a message that the other judges. */
bool generation_same_policy(
    const struct generation *a, const struct generation *b);

/* Where the newest generation is found. */
struct generation_slot {
	pthread_mutex_t lock;
	struct generation *current;
};

/* A static slot starts with this. */
#define GENERATION_SLOT_INITIALIZER                                 \
	{                                                           \
		.lock = PTHREAD_MUTEX_INITIALIZER, .current = NULL, \
	}

/* The newest generation, with a reference for the caller; NULL before there
 * is one. */
struct generation *generation_slot_take(struct generation_slot *slot);

/* Makes `next` the newest (the slot takes over the caller's reference) and
 * lets go of the one before. */
void generation_slot_put(struct generation_slot *slot, struct generation *next);

#endif
