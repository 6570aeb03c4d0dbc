#include <config.h>

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/list.h"
#include "base/table.h"
#include "dns/lookups.h"

/*
 * Where a message's thread and the resolver's threads meet. Counted: each slot
 * under way and the lookups themselves hold one reference.
 */
struct gate {
	atomic_uint references;
	atomic_uint arrivals; /* written under the mutex, read without */
	pthread_mutex_t mutex;
	pthread_cond_t arrived;
};

/* The place for one reply; all under the gate's mutex. Whoever comes last, the
 * resolver or the message, frees it. */
struct slot {
	struct gate *gate;
	struct dns_reply *reply;
	uint64_t arrived_ms;
	bool done;
	bool abandoned;
};

struct question {
	struct dns_answer answer;
	struct dns_reply *reply; /* held; the answer's slices point into it */
	struct slot *slot;       /* while pending */
	uint64_t asked_ms;
};

struct lookups {
	struct arena *arena;
	struct resolver *resolver;
	struct lookups_limits limits;
	struct gate *gate;
	struct table by_key;
	LIST_OF(struct question *) questions;
	unsigned pending;
	unsigned arrivals_seen;
	uint64_t deadline_ms;
	bool expired;
	bool resolver_down;
	struct lookups_usage usage;
};

static const struct dns_answer answer_without_memory = {
	.state = DNS_TEMPERROR,
	.refused_by_cap = true,
};

static struct gate *
gate_new(void)
{
	struct gate *gate = calloc(1, sizeof *gate);
	pthread_condattr_t attributes;

	if (gate == NULL)
		return NULL;
	atomic_init(&gate->references, 1);
	pthread_mutex_init(&gate->mutex, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&gate->arrived, &attributes);
	pthread_condattr_destroy(&attributes);
	return gate;
}

static void
gate_release(struct gate *gate)
{
	if (atomic_fetch_sub(&gate->references, 1) != 1)
		return;
	pthread_cond_destroy(&gate->arrived);
	pthread_mutex_destroy(&gate->mutex);
	free(gate);
}

static struct slot *
slot_new(struct gate *gate)
{
	struct slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return NULL;
	slot->gate = gate;
	atomic_fetch_add(&gate->references, 1);
	return slot;
}

static void
slot_free(struct slot *slot)
{
	dns_reply_release(&slot->reply);
	gate_release(slot->gate);
	free(slot);
}

/* The resolver's side. */
static void
slot_fill(void *context, struct dns_reply *reply)
{
	struct slot *slot = context;
	struct gate *gate = slot->gate;
	bool abandoned;

	pthread_mutex_lock(&gate->mutex);
	slot->reply = reply;
	slot->arrived_ms = resolver_clock_ms();
	slot->done = true;
	abandoned = slot->abandoned;
	if (!abandoned) {
		atomic_fetch_add(&gate->arrivals, 1);
		pthread_cond_signal(&gate->arrived);
	}
	/* After this unlock the message may free a slot that is not abandoned
	 * and with it the gate, so neither is touched again. */
	pthread_mutex_unlock(&gate->mutex);
	if (abandoned)
		slot_free(slot);
}

/* The message's side gives a slot up; true when its reply had arrived, though
 * nobody has looked at it. */
static bool
slot_abandon(struct slot *slot)
{
	struct gate *gate = slot->gate;
	bool done;

	pthread_mutex_lock(&gate->mutex);
	slot->abandoned = true;
	done = slot->done;
	pthread_mutex_unlock(&gate->mutex);
	if (done)
		slot_free(slot);
	return done;
}

struct lookups *
lookups_new(struct arena *arena, struct resolver *resolver,
    const struct lookups_limits *limits)
{
	struct lookups *lookups = arena_alloc(arena, sizeof *lookups);

	if (lookups == NULL)
		return NULL;
	lookups->gate = gate_new();
	if (lookups->gate == NULL)
		return NULL;
	lookups->arena = arena;
	lookups->resolver = resolver;
	lookups->limits = limits == NULL ? LOOKUPS_LIMITS_DEFAULT : *limits;
	lookups->by_key = table_make(arena);
	lookups->deadline_ms = UINT64_MAX;
	return lookups;
}

void
lookups_free(struct lookups **lookups)
{
	struct lookups *old = *lookups;

	*lookups = NULL;
	if (old == NULL)
		return;
	for (size_t i = 0; i < old->questions.count; i++) {
		struct question *question = old->questions.items[i];

		if (question->slot != NULL)
			slot_abandon(question->slot);
		dns_reply_release(&question->reply);
	}
	gate_release(old->gate);
}

static void
question_fail(struct question *question, bool timed_out, bool refused)
{
	question->answer.state = DNS_TEMPERROR;
	question->answer.timed_out = timed_out;
	question->answer.refused_by_cap = refused;
}

/* Takes the reply over; NULL means that memory was out. */
static void
question_settle(struct lookups *lookups, struct question *question,
    struct dns_reply *reply, uint64_t arrived_ms)
{
	struct dns_answer *answer = &question->answer;

	answer->took_ms = (uint32_t)(arrived_ms - question->asked_ms);
	if (reply == NULL) {
		question_fail(question, false, false);
		return;
	}
	if (reply->bytes >
	    lookups->limits.answer_bytes_max - lookups->usage.answer_bytes) {
		dns_reply_release(&reply);
		lookups->usage.refused++;
		resolver_count(RESOLVER_REFUSED);
		question_fail(question, false, true);
		return;
	}
	lookups->usage.answer_bytes += reply->bytes;
	question->reply = reply;
	answer->state = reply->state;
	answer->timed_out = reply->timed_out;
	answer->bogus = reply->bogus;
	answer->secure = reply->secure;
	answer->ttl_s = reply->ttl_s;
	answer->canonical_name = reply->canonical_name;
	answer->record_count = reply->record_count;
	answer->records = reply->records;
	if (reply->state != DNS_TEMPERROR)
		return;
	lookups->usage.timeouts += reply->timed_out;
	resolver_count(
	    reply->timed_out ? RESOLVER_TIMEOUTS : RESOLVER_FAILURES);
	if (resolver_is_down(lookups->resolver))
		lookups->resolver_down = true;
}

/* Collects what has arrived. */
static void
harvest(struct lookups *lookups)
{
	struct gate *gate = lookups->gate;
	unsigned arrivals = atomic_load(&gate->arrivals);

	if (arrivals == lookups->arrivals_seen)
		return;
	for (size_t i = 0; i < lookups->questions.count; i++) {
		struct question *question = lookups->questions.items[i];
		struct slot *slot = question->slot;
		struct dns_reply *reply;
		bool done;

		if (slot == NULL)
			continue;
		pthread_mutex_lock(&gate->mutex);
		done = slot->done;
		reply = slot->reply;
		slot->reply = NULL;
		pthread_mutex_unlock(&gate->mutex);
		if (!done)
			continue;
		question_settle(lookups, question, reply, slot->arrived_ms);
		slot_free(slot);
		question->slot = NULL;
		lookups->pending--;
		lookups->arrivals_seen++;
	}
}

/* Starts the question; settles it at once where the resolver can. */
static void
question_start(struct lookups *lookups, struct question *question)
{
	struct dns_reply *reply;

	if (lookups->deadline_ms == UINT64_MAX &&
	    lookups->limits.deadline_ms > 0)
		lookups->deadline_ms =
		    question->asked_ms + lookups->limits.deadline_ms;
	lookups->usage.questions++;
	resolver_count(RESOLVER_QUESTIONS);
	question->slot = slot_new(lookups->gate);
	if (question->slot == NULL) {
		question_fail(question, false, false);
		return;
	}
	reply = resolver_ask(lookups->resolver, question->answer.name,
	    question->answer.type, slot_fill, question->slot);
	if (reply != NULL) {
		slot_free(question->slot);
		question->slot = NULL;
		question->answer.from_cache = true;
		lookups->usage.cache_hits++;
		question_settle(lookups, question, reply, question->asked_ms);
		return;
	}
	if (lookups->expired) {
		lookups->arrivals_seen += slot_abandon(question->slot);
		question->slot = NULL;
		question_fail(question, true, false);
		lookups->usage.timeouts++;
		resolver_count(RESOLVER_TIMEOUTS);
		return;
	}
	lookups->pending++;
}

/* "name" in lower case followed by the two octets of the type. */
static struct slice
key_make(struct slice name, enum dns_type type, char key[258])
{
	for (size_t i = 0; i < name.length; i++)
		key[i] = ascii_lower(name.data[i]);
	key[name.length] = (char)((unsigned)type >> 8);
	key[name.length + 1] = (char)((unsigned)type & 255);
	return slice_make(key, name.length + 2);
}

static struct question *
question_new(struct lookups *lookups, struct slice key, struct slice name,
    enum dns_type type)
{
	struct question *question =
	    arena_alloc(lookups->arena, sizeof *question);
	struct question **place;

	key = arena_copy(lookups->arena, key);
	name = arena_copy(lookups->arena, name);
	if (question == NULL || key.data == NULL || name.data == NULL ||
	    !table_put(&lookups->by_key, key, question))
		return NULL;
	place = list_append(lookups->arena, &lookups->questions, SIZE_MAX);
	if (place == NULL)
		return NULL;
	*place = question;
	question->answer.name = name;
	question->answer.type = type;
	question->asked_ms = resolver_clock_ms();
	return question;
}

const struct dns_answer *
lookups_ask(struct lookups *lookups, struct slice name, enum dns_type type)
{
	static const struct dns_answer no_name = { .state = DNS_NXDOMAIN };
	char buffer[258];
	struct question *question;
	struct slice key;

	harvest(lookups);
	if (!dns_name_is_sound(name))
		return &no_name;
	if (name.data[name.length - 1] == '.')
		name.length--;
	key = key_make(name, type, buffer);
	question = table_get(&lookups->by_key, key);
	if (question != NULL)
		return &question->answer;
	/* Refusals are not kept beyond this bound: a sender cannot make us
	 * remember names without end. */
	if (lookups->questions.count >= 2 * lookups->limits.queries_max)
		return &answer_without_memory;
	question = question_new(lookups, key, name, type);
	if (question == NULL)
		return &answer_without_memory;
	if (lookups->resolver == NULL ||
	    lookups->usage.questions >= lookups->limits.queries_max) {
		lookups->usage.refused++;
		resolver_count(RESOLVER_REFUSED);
		question_fail(question, false, true);
		return &question->answer;
	}
	question_start(lookups, question);
	return &question->answer;
}

bool
lookups_pending(const struct lookups *lookups)
{
	return lookups->pending > 0;
}

static void
gate_sleep(struct gate *gate, unsigned arrivals_seen, uint64_t deadline_ms)
{
	uint64_t now_ms = resolver_clock_ms();
	struct timespec until;

	/* No sleep is longer than a minute; the caller comes back. */
	if (deadline_ms > now_ms + 60000)
		deadline_ms = now_ms + 60000;
	until.tv_sec = (time_t)(deadline_ms / 1000);
	until.tv_nsec = (long)(deadline_ms % 1000) * 1000000;
	pthread_mutex_lock(&gate->mutex);
	while (atomic_load(&gate->arrivals) == arrivals_seen)
		if (pthread_cond_timedwait(
			&gate->arrived, &gate->mutex, &until) != 0)
			break;
	pthread_mutex_unlock(&gate->mutex);
}

bool
lookups_wait(struct lookups *lookups, uint64_t deadline_ms)
{
	unsigned seen = lookups->arrivals_seen;
	uint64_t until = deadline_ms;

	if (until > lookups->deadline_ms)
		until = lookups->deadline_ms;
	harvest(lookups);
	while (lookups->pending > 0 && lookups->arrivals_seen == seen) {
		if (resolver_clock_ms() >= until)
			break;
		gate_sleep(lookups->gate, seen, until);
		harvest(lookups);
	}
	if (lookups->pending == 0 || lookups->arrivals_seen != seen)
		return true;
	if (resolver_clock_ms() < lookups->deadline_ms)
		return false;
	lookups_expire(lookups);
	return true;
}

void
lookups_expire(struct lookups *lookups)
{
	harvest(lookups);
	lookups->expired = true;
	for (size_t i = 0; i < lookups->questions.count; i++) {
		struct question *question = lookups->questions.items[i];

		if (question->slot == NULL)
			continue;
		lookups->arrivals_seen += slot_abandon(question->slot);
		question->slot = NULL;
		question->answer.took_ms =
		    (uint32_t)(resolver_clock_ms() - question->asked_ms);
		question_fail(question, true, false);
		lookups->usage.timeouts++;
		resolver_count(RESOLVER_TIMEOUTS);
	}
	if (lookups->pending > 0 && resolver_is_down(lookups->resolver))
		lookups->resolver_down = true;
	lookups->pending = 0;
}

uint64_t
lookups_deadline(const struct lookups *lookups)
{
	return lookups->deadline_ms;
}

bool
lookups_resolver_down(const struct lookups *lookups)
{
	return lookups->resolver_down;
}

size_t
lookups_count(const struct lookups *lookups)
{
	return lookups->questions.count;
}

const struct dns_answer *
lookups_answer(const struct lookups *lookups, size_t index)
{
	return &lookups->questions.items[index]->answer;
}

void
lookups_usage_read(
    const struct lookups *lookups, struct lookups_usage *usage_out)
{
	*usage_out = lookups->usage;
}
