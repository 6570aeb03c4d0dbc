#include <config.h>

#include <stdlib.h>

#include "session/generation.h"

struct generation_part {
	atomic_uint references;
	void *thing;
	void (*free_thing)(void *thing);
	struct generation_part *needs[GENERATION_NEEDS_MAX];
};

struct generation {
	atomic_uint references;
	struct generation_input input;
	struct session_basis basis;
};

struct generation_part *
generation_part_new(void *thing, void (*free_thing)(void *thing),
    struct generation_part *const needs[GENERATION_NEEDS_MAX])
{
	struct generation_part *part = calloc(1, sizeof *part);

	if (part == NULL)
		return NULL;
	atomic_init(&part->references, 1);
	part->thing = thing;
	part->free_thing = free_thing;
	for (unsigned i = 0; needs != NULL && i < GENERATION_NEEDS_MAX; i++)
		part->needs[i] = generation_part_retain(needs[i]);
	return part;
}

struct generation_part *
generation_part_retain(struct generation_part *part)
{
	if (part != NULL)
		atomic_fetch_add(&part->references, 1);
	return part;
}

void
generation_part_release(struct generation_part **part)
{
	struct generation_part *old = *part;

	*part = NULL;
	if (old == NULL || atomic_fetch_sub(&old->references, 1) != 1)
		return;
	if (old->free_thing != NULL)
		old->free_thing(old->thing);
	/* What it stands on goes last. The depth is that of the needs: lists
	 * stand on a policy, a matcher on store, overlay and policy. */
	for (unsigned i = 0; i < GENERATION_NEEDS_MAX; i++)
		generation_part_release(&old->needs[i]);
	free(old);
}

void *
generation_part_thing(const struct generation_part *part)
{
	return part == NULL ? NULL : part->thing;
}

static void *
thing(const struct generation_input *input, enum generation_role role)
{
	return generation_part_thing(input->parts[role]);
}

struct generation *
generation_new(const struct generation_input *input)
{
	struct generation *generation = calloc(1, sizeof *generation);

	if (generation == NULL)
		return NULL;
	atomic_init(&generation->references, 1);
	generation->input = *input;
	for (unsigned role = 0; role < GENERATION_ROLES; role++)
		generation_part_retain(input->parts[role]);
	generation->basis = (struct session_basis){
		.program = thing(input, GENERATION_POLICY),
		.patterns = thing(input, GENERATION_PATTERNS),
		.lists = thing(input, GENERATION_LISTS),
		.switches = thing(input, GENERATION_SWITCHES),
		.resolver = thing(input, GENERATION_RESOLVER),
		.matcher = thing(input, GENERATION_MATCHER),
		.scanner = thing(input, GENERATION_SCANNER),
		.store_generation = input->store_generation,
		.policy_generation = input->policy_generation,
	};
	return generation;
}

struct generation *
generation_retain(struct generation *generation)
{
	if (generation != NULL)
		atomic_fetch_add(&generation->references, 1);
	return generation;
}

void
generation_release(struct generation **generation)
{
	struct generation *old = *generation;

	*generation = NULL;
	if (old == NULL || atomic_fetch_sub(&old->references, 1) != 1)
		return;
	for (unsigned role = GENERATION_ROLES; role-- > 0;)
		generation_part_release(&old->input.parts[role]);
	free(old);
}

const struct generation_input *
generation_parts(const struct generation *generation)
{
	return &generation->input;
}

const struct session_basis *
generation_basis(const struct generation *generation)
{
	return &generation->basis;
}

const struct matcher *
generation_matcher(const struct generation *generation)
{
	return thing(&generation->input, GENERATION_MATCHER);
}

struct scanner *
generation_scanner(const struct generation *generation)
{
	return thing(&generation->input, GENERATION_SCANNER);
}

bool
generation_same_policy(const struct generation *a, const struct generation *b)
{
	return a->input.parts[GENERATION_POLICY] ==
	       b->input.parts[GENERATION_POLICY];
}

struct generation *
generation_slot_take(struct generation_slot *slot)
{
	struct generation *generation;

	pthread_mutex_lock(&slot->lock);
	generation = generation_retain(slot->current);
	pthread_mutex_unlock(&slot->lock);
	return generation;
}

void
generation_slot_put(struct generation_slot *slot, struct generation *next)
{
	struct generation *old;

	pthread_mutex_lock(&slot->lock);
	old = slot->current;
	slot->current = next;
	pthread_mutex_unlock(&slot->lock);
	generation_release(&old);
}
