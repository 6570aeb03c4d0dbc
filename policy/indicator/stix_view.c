#include <config.h>

#include "indicator/normal.h"
#include "indicator/stix_view.h"

#define VIEW_VALUES_MAX 100000

static void
view_add(struct stix_view *view, enum stix_field field, struct slice raw,
    struct slice key, const struct match_observation *observation)
{
	struct stix_view_value *value =
	    list_append(view->arena, &view->values, VIEW_VALUES_MAX);

	if (value != NULL)
		*value = (struct stix_view_value){ field, observation->part,
			raw, key, observation };
}

static void
view_add_part(struct stix_view *view, stix_view_parts *list, int part)
{
	int *slot;

	for (size_t i = list->count; i > 0; i--)
		if (list->items[i - 1] == part)
			return;
	slot = list_append(view->arena, list, VIEW_VALUES_MAX);
	if (slot != NULL)
		*slot = part;
}

static void
view_add_host(struct stix_view *view, struct slice host,
    const struct match_observation *observation)
{
	struct slice key;

	if (normal_key(view->arena, INDICATOR_DOMAIN, host, &key) ==
	    NORMAL_GOOD)
		view_add(view, STIX_FIELD_DOMAIN, key, key, observation);
	else if (normal_key(view->arena, INDICATOR_NETWORK, host, &key) ==
		 NORMAL_GOOD)
		view_add(view, STIX_FIELD_IP_DESTINATION,
		    normal_key_text(view->arena, INDICATOR_NETWORK, key), key,
		    observation);
}

static enum stix_field
address_field(enum match_where where)
{
	switch (where) {
	case MATCH_MAIL_FROM:
	case MATCH_FROM:
	case MATCH_SENDER:
		return STIX_FIELD_ADDRESS_FROM;
	case MATCH_RCPT:
	case MATCH_TO:
	case MATCH_CC:
		return STIX_FIELD_ADDRESS_TO;
	case MATCH_REPLY_TO:
		return STIX_FIELD_ADDRESS_REPLY;
	default: /* elsewhere in the message */
		return STIX_FIELD_ADDRESS_ANY;
	}
}

static enum stix_field
field_of_kind(enum indicator_kind kind)
{
	for (unsigned i = STIX_FIELD_SUBJECT; i <= STIX_FIELD_SHA512; i++)
		if (stix_field_table[i].kind == kind)
			return (enum stix_field)i;
	return STIX_FIELD_INVISIBLE;
}

static void
view_add_observation(
    struct stix_view *view, const struct match_observation *observation)
{
	struct slice key = { NULL, 0 };
	enum stix_field field = STIX_FIELD_INVISIBLE;
	bool client = observation->where == MATCH_CLIENT ||
		      observation->where == MATCH_RECEIVED;

	if (observation->defanged)
		return;
	if (normal_key(view->arena, observation->kind, observation->value,
		&key) != NORMAL_GOOD)
		key = slice_make(NULL, 0);
	switch (observation->kind) {
	case INDICATOR_ADDRESS:
		field = address_field(observation->where);
		if (key.length > 0)
			view_add_host(view,
			    slice_skip(key, slice_find_last_byte(key, '@') + 1),
			    observation);
		break;
	case INDICATOR_DOMAIN:
		view_add_host(view, observation->value, observation);
		return;
	case INDICATOR_URL:
		field = STIX_FIELD_URL;
		if (key.length > 0)
			view_add_host(
			    view, normal_url_key_host(key), observation);
		break;
	case INDICATOR_NETWORK:
		field =
		    client ? STIX_FIELD_IP_SOURCE : STIX_FIELD_IP_DESTINATION;
		break;
	default: /* digests, names and texts have one field each */
		field = field_of_kind(observation->kind);
		break;
	}
	if (field == STIX_FIELD_INVISIBLE)
		return;
	if (stix_field_table[field].of_file)
		view_add_part(view, &view->parts, observation->part);
	else if (stix_field_is_of_message(field) &&
		 observation->part != STIX_VIEW_OUTERMOST)
		view_add_part(view, &view->messages, observation->part);
	view_add(view, field, observation->value, key, observation);
}

struct stix_view *
stix_view_make(
    struct arena *arena, const struct match_observations *observations)
{
	struct stix_view *view = arena_alloc(arena, sizeof *view);

	if (view == NULL)
		return NULL;
	*view = (struct stix_view){ .arena = arena };
	view->kinds_known = observations->kinds_known == 0
				? INDICATOR_KINDS_ALL
				: observations->kinds_known;
	for (size_t i = 0; i < observations->items.count; i++)
		view_add_observation(view, &observations->items.items[i]);
	return view;
}

void
stix_view_expressions(
    struct stix_view *view, const struct stix_expressions *expressions)
{
	view->expressions = expressions;
}
