#include <config.h>

#include "base/domain.h"
#include "language/facts.h"

#define ELEMENTS_MAX 100000 /* of one collection; the limits come earlier */

void
facts_reset(struct facts *facts, struct arena *arena)
{
	facts_demand *demand = facts->demand;
	void *context = facts->demand_context;

	memset(facts, 0, sizeof *facts);
	facts->arena = arena;
	facts->demand = demand;
	facts->demand_context = context;
	facts->elements_max = ELEMENTS_MAX;
	/* What is never missing has a value from the start. */
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (!schema_fields[i].optional &&
		    schema_fields[i].type != VALUE_COLLECTION)
			facts->values[i].state = VALUE_PRESENT;
}

struct facts *
facts_new(struct arena *arena)
{
	struct facts *facts = arena_alloc(arena, sizeof *facts);

	if (facts != NULL)
		facts_reset(facts, arena);
	return facts;
}

void
facts_defer(struct facts *facts, enum field_id field)
{
	facts->states[field] = FACTS_DEFERRED;
}

void
facts_set_demand(struct facts *facts, facts_demand *demand, void *context)
{
	facts->demand = demand;
	facts->demand_context = context;
}

static struct value *
settle(struct facts *facts, enum field_id field)
{
	facts->states[field] = FACTS_SET;
	return &facts->values[field];
}

void
facts_set_bool(struct facts *facts, enum field_id field, bool truth)
{
	value_set_bool(settle(facts, field), truth);
}

void
facts_set_number(struct facts *facts, enum field_id field, int64_t number)
{
	value_set_number(settle(facts, field), number);
}

void
facts_set_text(struct facts *facts, enum field_id field, struct slice text)
{
	value_set_text(settle(facts, field), text);
}

void
facts_set_domain(struct facts *facts, enum field_id field, struct slice name)
{
	value_set_domain(facts->arena, settle(facts, field), name);
}

void
facts_set_address(
    struct facts *facts, enum field_id field, struct slice address)
{
	value_set_address(facts->arena, settle(facts, field), address);
}

void
facts_set_ip(struct facts *facts, enum field_id field, const struct ipaddr *ip)
{
	value_set_ip(settle(facts, field), ip);
}

void
facts_clear(struct facts *facts, enum field_id field)
{
	*settle(facts, field) = (struct value){ .state = VALUE_MISSING };
	facts->collections[field] = (struct facts_collection){ 0 };
}

/* Members that are never missing have a value from the start. */
static struct value *
make_element(struct facts *facts, const struct schema_field *field)
{
	struct value *members = arena_alloc_array(
	    facts->arena, field->member_count, sizeof *members);

	if (members == NULL)
		return NULL;
	for (unsigned i = 0; i < field->member_count; i++)
		if (!field->members[i].optional)
			members[i].state = VALUE_PRESENT;
	return members;
}

struct value *
facts_add(struct facts *facts, enum field_id collection)
{
	struct facts_collection *into = &facts->collections[collection];
	struct value *members;
	struct value **slot;

	facts->states[collection] = FACTS_SET;
	members = make_element(facts, &schema_fields[collection]);
	slot = members == NULL ? NULL
			       : list_append(facts->arena, &into->elements,
				     facts->elements_max);
	if (slot == NULL) {
		into->failed = true;
		return NULL;
	}
	*slot = members;
	return members;
}

bool
facts_add_mailbox(struct facts *facts, enum field_id collection,
    struct slice address, struct slice display)
{
	struct value *members = facts_add(facts, collection);
	struct value *key;
	size_t at;

	if (members == NULL)
		return false;
	key = &members[FACT_MAILBOX_ADDRESS];
	value_set_address(facts->arena, key, address);
	if (display.length > 0)
		value_set_text(&members[FACT_MAILBOX_DISPLAY], display);
	at = slice_find_last_byte(address, '@');
	if (key->state != VALUE_PRESENT || at == SIZE_MAX)
		return true;
	value_set_domain(facts->arena, &members[FACT_MAILBOX_DOMAIN],
	    slice_skip(address, at + 1));
	if (at > 0)
		value_set_text(
		    &members[FACT_MAILBOX_LOCAL], slice_range(address, 0, at));
	return true;
}

static bool
is_of_author(const struct facts *facts, struct slice organisation)
{
	const struct facts_collection *from = &facts->collections[FIELD_FROM];

	for (size_t i = 0; i < from->elements.count; i++) {
		const struct value *domain =
		    &from->elements.items[i][FACT_MAILBOX_DOMAIN];

		if (domain->state == VALUE_PRESENT &&
		    slice_equal(domain_registrable(domain->text), organisation))
			return true;
	}
	return false;
}

void
facts_compare_reply_to(struct facts *facts)
{
	const struct facts_collection *reply_to =
	    &facts->collections[FIELD_REPLY_TO];
	bool elsewhere = false;

	for (size_t i = 0; i < reply_to->elements.count; i++) {
		const struct value *domain =
		    &reply_to->elements.items[i][FACT_MAILBOX_DOMAIN];

		elsewhere =
		    elsewhere ||
		    (domain->state == VALUE_PRESENT &&
			!is_of_author(facts, domain_registrable(domain->text)));
	}
	facts_set_bool(facts, FIELD_REPLY_TO_ELSEWHERE, elsewhere);
}

bool
facts_add_word(struct facts *facts, enum field_id collection, const char *word)
{
	int number = schema_word(collection, word);
	struct value *members;

	if (number < 0)
		return false;
	members = facts_add(facts, collection);
	if (members != NULL)
		value_set_number(&members[FACT_PLAIN_VALUE], number);
	return true;
}

void
facts_note_gap(struct facts *facts, const char *reason)
{
	const struct facts_collection *gaps =
	    &facts->collections[FIELD_ANALYSIS_GAP];
	int word =
	    schema_member_word(FIELD_ANALYSIS_GAP, FACT_PLAIN_VALUE, reason);

	facts_set_bool(facts, FIELD_ANALYSIS_INCOMPLETE, true);
	for (size_t i = 0; i < gaps->elements.count; i++)
		if (gaps->elements.items[i][FACT_PLAIN_VALUE].number == word)
			return;
	facts_add_word(facts, FIELD_ANALYSIS_GAP, reason);
}

void
facts_fail(struct facts *facts, enum facts_failure failure)
{
	facts->failures |= 1u << failure;
	facts_set_bool(facts, FIELD_ANALYSIS_INCOMPLETE, true);
}

enum tc_status
facts_require(struct facts *facts, enum field_id field)
{
	enum tc_status status = TC_OK;

	switch (facts->states[field]) {
	case FACTS_SET:
		return TC_OK;
	case FACTS_FAILED:
		return TC_LIMIT;
	case FACTS_DEFERRED:
		break;
	}
	if (facts->demand == NULL)
		status = TC_INVALID;
	else
		status = facts->demand(facts->demand_context, facts, field);
	if (status == TC_AGAIN)
		return status; /* still deferred: asked again */
	facts->states[field] = status == TC_OK ? FACTS_SET : FACTS_FAILED;
	return status;
}
