#include <config.h>

#include <stdint.h>

#include "base/address.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "language/value.h"

static const char *const type_phrases[] = {
	[VALUE_BOOL] = "a truth value",
	[VALUE_INTEGER] = "a number",
	[VALUE_SIZE] = "a size",
	[VALUE_DURATION] = "a duration",
	[VALUE_TIME] = "a time",
	[VALUE_ENUM] = "a word",
	[VALUE_STRING] = "a string",
	[VALUE_DOMAIN] = "a domain",
	[VALUE_ADDRESS] = "an address",
	[VALUE_IP] = "an IP address",
	[VALUE_STRINGS] = "a set of strings",
	[VALUE_COLLECTION] = "a collection",
};

const char *
value_type_phrase(enum value_type type)
{
	return type_phrases[type];
}

const char *
value_type_name(enum value_type type)
{
	return strchr(type_phrases[type], ' ') + 1;
}

void
value_set_bool(struct value *value, bool truth)
{
	*value = (struct value){ .state = VALUE_PRESENT, .truth = truth };
}

void
value_set_number(struct value *value, int64_t number)
{
	*value = (struct value){ .state = VALUE_PRESENT, .number = number };
}

void
value_set_text(struct value *value, struct slice text)
{
	*value = (struct value){ .state = VALUE_PRESENT, .text = text };
}

void
value_set_ip(struct value *value, const struct ipaddr *ip)
{
	*value = (struct value){ .state = VALUE_PRESENT, .ip = *ip };
}

void
value_set_texts(struct value *value, const struct slice *items, size_t count)
{
	*value = (struct value){ .state = VALUE_PRESENT };
	value->texts.items = items;
	value->texts.count = count;
}

/* Folds what is not of its form, so that it can still be compared. */
static void
set_folded(struct arena *arena, struct value *value, struct slice text)
{
	struct slice folded = utf8_fold_slice(arena, text);

	value_set_text(value, folded);
	if (folded.data == NULL && text.length > 0)
		value->state = VALUE_ERROR;
}

void
value_set_domain(struct arena *arena, struct value *value, struct slice name)
{
	struct slice canonical;

	if (name.length == 0)
		*value = (struct value){ .state = VALUE_MISSING };
	else if (domain_canonical(arena, name, &canonical))
		value_set_text(value, canonical);
	else
		set_folded(arena, value, name);
}

void
value_set_address(
    struct arena *arena, struct value *value, struct slice address)
{
	struct address parts;
	struct slice key;

	if (address.length == 0) {
		*value = (struct value){ .state = VALUE_MISSING };
		return;
	}
	if (!address_canonical(arena, address, &parts)) {
		set_folded(arena, value, address);
		return;
	}
	key = address_key(arena, &parts);
	value_set_text(value, key);
	if (key.data == NULL)
		value->state = VALUE_ERROR;
}

struct slice
value_address_domain(struct slice address)
{
	size_t at = slice_find_last_byte(address, '@');

	return at == SIZE_MAX ? (struct slice){ 0 }
			      : slice_skip(address, at + 1);
}
