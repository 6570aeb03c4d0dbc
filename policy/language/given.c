#include <config.h>

#include "base/address.h"
#include "base/builder.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "indicator/kind.h"
#include "language/check_operand.h"
#include "language/given.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

#define EXTENSIONS_MAX 20
#define STRINGS_MAX    1000

/* ------------------------------------------------------------- envelope */

static bool
is_ours(const struct ast_test *test, const struct program *program, int64_t now)
{
	const struct value_list *networks =
	    program_list(&program->lists, program->settings.own_networks);

	if (test->auth_user != NULL)
		return true;
	return test->client != NULL && networks != NULL &&
	       value_list_has_ip(networks, &test->client->network.address, now);
}

static void
set_direction(const struct ast_test *test, const struct program *program,
    int64_t now, struct facts *facts)
{
	const struct value_list *own =
	    program_list(&program->lists, program->settings.own_domains);
	enum schema_direction direction = FACT_DIRECTION_INBOUND;
	const struct facts_collection *recipients =
	    &facts->collections[FIELD_RECIPIENT];

	if (is_ours(test, program, now)) {
		direction = FACT_DIRECTION_INTERNAL;
		for (size_t i = 0; i < recipients->elements.count; i++) {
			const struct value *domain =
			    &recipients->elements.items[i][FACT_MAILBOX_DOMAIN];

			if (own == NULL || domain->state != VALUE_PRESENT ||
			    !value_list_covers_domain(own, domain->text, now))
				direction = FACT_DIRECTION_OUTBOUND;
		}
	}
	facts_set_number(facts, FIELD_DIRECTION, direction);
}

static void
set_sender(struct facts *facts, struct slice address)
{
	size_t at = slice_find_last_byte(address, '@');

	facts_set_address(facts, FIELD_MAIL_FROM, address);
	if (at != SIZE_MAX)
		facts_set_domain(
		    facts, FIELD_MAIL_FROM_DOMAIN, slice_skip(address, at + 1));
}

void
given_envelope(const struct ast_test *test, const struct program *program,
    int64_t now, struct facts *facts)
{
	if (test->client != NULL) {
		facts_set_ip(
		    facts, FIELD_CLIENT_IP, &test->client->network.address);
		facts_set_ip(
		    facts, FIELD_CONNECTION_IP, &test->client->network.address);
	}
	if (test->helo != NULL)
		facts_set_domain(facts, FIELD_HELO, test->helo->text);
	if (test->mail_from != NULL)
		set_sender(facts, test->mail_from->text);
	if (test->auth_user != NULL)
		facts_set_text(facts, FIELD_AUTH_USER, test->auth_user->text);
	for (const struct ast_value *value = test->recipients; value != NULL;
	     value = value->next)
		facts_add_mailbox(facts, FIELD_RECIPIENT, value->token->text,
		    (struct slice){ 0 });
	set_direction(test, program, now, facts);
}

/* --------------------------------------------------------------- fields */

static bool
wrong(const struct scope_place *place, size_t offset, const char *message)
{
	scope_error(place, offset, "%s", message);
	return false;
}

/* =?charset?B?text?= or =?charset?Q?text?= (RFC 2047, 2). */
static bool
has_encoded_word(struct slice text)
{
	size_t at = slice_find(text, SLICE_LITERAL("=?"));

	if (at == SIZE_MAX)
		return false;
	text = slice_skip(text, at + 2);
	if (slice_find(text, SLICE_LITERAL("?=")) == SIZE_MAX)
		return false;
	return slice_find_fold(text, SLICE_LITERAL("?b?")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("?q?")) != SIZE_MAX;
}

/* What is given is what the reading of a mail would give, so it is not read
 * once more. A test that gave it encoded would test nothing. */
static bool
is_decoded(const struct scope_place *place, const struct token *token)
{
	if (token->kind != TOKEN_STRING || !has_encoded_word(token->text))
		return true;
	return wrong(place, token->offset,
	    "a test gives what is read from a mail, decoded: write the "
	    "characters themselves, or have the test read a message");
}

static bool
read_token(const struct scope_place *place, const struct token *token,
    enum value_type type, const struct schema_enum *words, struct value *value)
{
	struct compiled_operand like = { .type = type, .words = words };

	if (token == NULL || !is_decoded(place, token))
		return false;
	if (!check_operand_token(place, token, &like, value))
		return false;
	value->folded = (struct slice){ 0 };
	return true;
}

/* A set of strings: one, or { ... }. */
static bool
read_strings(const struct scope_place *place, const struct ast_setting *member,
    struct value *value)
{
	LIST_OF(struct slice) items = { 0 };
	const struct ast_value single = { .token = member->value };
	const struct ast_value *at = member->braced ? member->values : &single;

	for (; at != NULL && at->token != NULL; at = at->next) {
		struct slice *slot =
		    list_append(place->scope->arena, &items, STRINGS_MAX);

		if (at->token->kind != TOKEN_STRING)
			return wrong(place, at->token->offset,
			    "a string in quotation marks must stand here");
		if (slot == NULL || !is_decoded(place, at->token))
			return false;
		*slot = at->token->text;
	}
	value_set_texts(value, items.items, items.count);
	return true;
}

static bool
set_member(const struct scope_place *place, enum field_id field,
    const struct ast_setting *member, struct value *members)
{
	const struct schema_field *entry = &schema_fields[field];
	int index = schema_find_member(entry, member->name.text);
	struct value *value;

	if (index < 0) {
		scope_error(place, member->name.offset, "%s has no field .%.*s",
		    entry->name, SHOWN(member->name.text));
		return false;
	}
	value = &members[index];
	if (entry->members[index].type == VALUE_STRINGS)
		return read_strings(place, member, value);
	if (member->value == NULL) {
		if (entry->members[index].type != VALUE_BOOL || member->braced)
			return wrong(
			    place, member->name.offset, "a value is missing");
		value_set_bool(value, true);
		return true;
	}
	/* feed cert-fr: names stand without quotation marks as well. */
	if (entry->members[index].type == VALUE_STRING &&
	    member->value->kind == TOKEN_WORD) {
		value_set_text(value, member->value->text);
		return true;
	}
	return read_token(place, member->value, entry->members[index].type,
	    entry->members[index].words, value);
}

/* The parts of an address and the extensions of a name follow by themselves. */
static void
derive_mailbox(struct facts *facts, struct value *members)
{
	struct value *address = &members[FACT_MAILBOX_ADDRESS];
	size_t at;

	if (address->state != VALUE_PRESENT ||
	    (at = slice_find_last_byte(address->text, '@')) == SIZE_MAX)
		return;
	if (members[FACT_MAILBOX_DOMAIN].state == VALUE_MISSING)
		value_set_domain(facts->arena, &members[FACT_MAILBOX_DOMAIN],
		    slice_skip(address->text, at + 1));
	if (members[FACT_MAILBOX_LOCAL].state == VALUE_MISSING)
		value_set_text(&members[FACT_MAILBOX_LOCAL],
		    slice_range(address->text, 0, at));
}

static void
derive_extensions(struct facts *facts, struct value *members)
{
	struct value *name = &members[FACT_ATTACHMENT_NAME];
	struct slice *items, rest, part;
	size_t count = 0;

	if (name->state != VALUE_PRESENT ||
	    members[FACT_ATTACHMENT_EXTENSION].state == VALUE_PRESENT)
		return;
	items = arena_alloc_array(facts->arena, EXTENSIONS_MAX, sizeof *items);
	rest = utf8_fold_slice(facts->arena, name->text);
	if (items == NULL || slice_find_byte(rest, '.') == SIZE_MAX)
		return;
	rest = slice_split(rest, '.', &part);
	while (rest.length > 0 && count < EXTENSIONS_MAX) {
		rest = slice_split(rest, '.', &part);
		items[count++] = part;
	}
	if (count == 0)
		return;
	value_set_text(&members[FACT_ATTACHMENT_EXTENSION], items[count - 1]);
	if (members[FACT_ATTACHMENT_EXTENSIONS].state != VALUE_PRESENT)
		value_set_texts(
		    &members[FACT_ATTACHMENT_EXTENSIONS], items, count);
}

/* Takes name:password@ off the front of what stands behind ://. */
static struct slice
without_user(struct slice rest)
{
	size_t end = 0, at;

	while (end < rest.length && strchr("/?#", rest.data[end]) == NULL)
		end++;
	at = slice_find_last_byte(slice_range(rest, 0, end), '@');
	return at == SIZE_MAX ? rest : slice_skip(rest, at + 1);
}

/* scheme://host/path of a plain URL. */
static void
derive_url(struct facts *facts, struct value *members)
{
	struct value *url = &members[FACT_URL_URL];
	size_t at = slice_find(url->text, SLICE_LITERAL("://")), end = 0;
	struct slice host;

	if (url->state != VALUE_PRESENT || at == SIZE_MAX)
		return;
	host = without_user(slice_skip(url->text, at + 3));
	if (host.length > 0 && host.data[0] == '[')
		end = slice_find_byte(host, ']');
	else
		while (
		    end < host.length && strchr("/:?#", host.data[end]) == NULL)
			end++;
	if (end == SIZE_MAX)
		return;
	if (members[FACT_URL_SCHEME].state == VALUE_MISSING)
		value_set_text(
		    &members[FACT_URL_SCHEME], slice_range(url->text, 0, at));
	if (members[FACT_URL_PATH].state == VALUE_MISSING)
		value_set_text(&members[FACT_URL_PATH],
		    slice_skip(host, end + (host.data[0] == '[')));
	if (members[FACT_URL_HOST].state == VALUE_MISSING)
		value_set_domain(facts->arena, &members[FACT_URL_HOST],
		    slice_range(host, host.data[0] == '[', end));
}

static void
derive(struct facts *facts, enum field_id field, struct value *members)
{
	const struct value *host;

	if (schema_fields[field].members[0].type == VALUE_ADDRESS) {
		derive_mailbox(facts, members);
	} else if (field == FIELD_ATTACHMENT) {
		derive_extensions(facts, members);
	} else if (field == FIELD_URL) {
		derive_url(facts, members);
		host = &members[FACT_URL_HOST];
		if (host->state == VALUE_PRESENT &&
		    members[FACT_URL_DOMAIN].state == VALUE_MISSING)
			value_set_text(&members[FACT_URL_DOMAIN],
			    domain_registrable(host->text));
	}
}

/* A quoted display name without its quotation marks (RFC 5322, 3.2.4). */
static struct slice
unquoted(struct facts *facts, struct slice display)
{
	struct builder out = builder_make(facts->arena, display.length);

	if (display.length < 2 || display.data[0] != '"' ||
	    display.data[display.length - 1] != '"')
		return display;
	for (size_t i = 1; i + 1 < display.length; i++) {
		if (display.data[i] == '\\' && i + 2 < display.length)
			i++;
		builder_byte(&out, display.data[i]);
	}
	return builder_result(&out);
}

/* "Name <address>" or an address. */
static bool
set_mailbox(const struct scope_place *place, const struct token *token,
    struct facts *facts, struct value *members)
{
	struct slice text = slice_trim(token->text);
	size_t open = slice_find_last_byte(text, '<');

	if (!is_decoded(place, token))
		return false;
	if (open != SIZE_MAX && text.data[text.length - 1] == '>') {
		struct slice display =
		    unquoted(facts, slice_trim(slice_range(text, 0, open)));

		if (display.length > 0)
			value_set_text(&members[FACT_MAILBOX_DISPLAY], display);
		text = slice_range(text, open + 1, text.length - 1);
	}
	if (address_is_misread(text))
		return wrong(place, token->offset,
		    "one address stands here, or \"Name <address>\"; each "
		    "further one takes a given of its own");
	value_set_address(facts->arena, &members[FACT_MAILBOX_ADDRESS], text);
	return true;
}

/* One value for a whole element: given from "a@example.org". */
static bool
set_single(const struct scope_place *place, const struct ast_given *given,
    struct facts *facts, enum field_id field)
{
	const struct schema_member *first = &schema_fields[field].members[0];
	struct value *members;

	if (field == FIELD_HEADER && given->index == NULL)
		return wrong(place, given->name.offset,
		    "say which: given header[\"X-Mailer\"] \"value\"");
	if (field == FIELD_INDICATOR || field == FIELD_YARA ||
	    field == FIELD_HOP || field == FIELD_SIGNATURE)
		return wrong(place, given->name.offset,
		    "write the element's fields: { name value ... }");
	members = facts_add(facts, field);
	if (members == NULL)
		return false;
	if (field == FIELD_HEADER) {
		value_set_text(&members[FACT_HEADER_NAME], given->index->text);
		return read_token(place, given->value, VALUE_STRING, NULL,
		    &members[FACT_HEADER_VALUE]);
	}
	if (field == FIELD_URL && given->value->kind == TOKEN_STRING &&
	    slice_find_byte(given->value->text, ':') == SIZE_MAX)
		return wrong(place, given->value->offset,
		    "a URL begins with its scheme: https://host/path");
	if (first->type == VALUE_ADDRESS &&
	    given->value->kind == TOKEN_STRING) {
		if (!set_mailbox(place, given->value, facts, members))
			return false;
	} else if (!read_token(place, given->value, first->type, first->words,
		       &members[0]))
		return false;
	derive(facts, field, members);
	return true;
}

static bool
set_element(const struct scope_place *place, const struct ast_given *given,
    struct facts *facts, enum field_id field)
{
	struct value *members;
	bool good = true;

	if (field == FIELD_ANALYSIS_GAP)
		facts_set_bool(facts, FIELD_ANALYSIS_INCOMPLETE, true);
	if (!given->braced)
		return set_single(place, given, facts, field);
	members = facts_add(facts, field);
	if (members == NULL)
		return false;
	for (const struct ast_setting *at = given->members; at != NULL;
	     at = at->next)
		good = set_member(place, field, at, members) && good;
	derive(facts, field, members);
	return good;
}

/* given feed["x"].age 2d */
static bool
set_feed(const struct scope_place *place, const struct ast_given *given,
    struct facts *facts)
{
	struct value *members;

	if (given->index == NULL || given->member == NULL ||
	    given->value == NULL ||
	    schema_find_member(&schema_fields[FIELD_FEED],
		given->member->text) != FACT_FEED_AGE)
		return wrong(place, given->name.offset,
		    "say which, and how old: given feed[\"cert\"].age 2d");
	if (!check_operand_feed(place, given->index))
		return false;
	members = facts_add(facts, FIELD_FEED);
	if (members == NULL)
		return false;
	value_set_text(&members[FACT_FEED_NAME], given->index->text);
	return read_token(
	    place, given->value, VALUE_DURATION, NULL, &members[FACT_FEED_AGE]);
}

static bool
set_field(const struct scope_place *place, const struct ast_given *given,
    struct facts *facts)
{
	enum field_id field = schema_find(given->name.text);
	const struct schema_field *entry;
	struct scope_symbol *symbol;
	struct value value = { 0 };

	if (field == FIELD_COUNT) {
		symbol = table_get(&place->scope->symbols, given->name.text);
		if (symbol != NULL && symbol->kind == AST_SWITCH)
			scope_error(place, given->name.offset,
			    "%.*s is a switch: given switch %.*s on",
			    SHOWN(given->name.text), SHOWN(given->name.text));
		else
			scope_error(place, given->name.offset,
			    "unknown field \"%.*s\"%s", SHOWN(given->name.text),
			    scope_suggest(place->scope, given->name.text));
		return false;
	}
	entry = &schema_fields[field];
	if (field == FIELD_FEED && !given->braced)
		return set_feed(place, given, facts);
	if (given->member != NULL) {
		scope_error(place, given->member->offset,
		    "only a feed's age is given so: given feed[\"x\"].age 2d");
		return false;
	}
	if (entry->type == VALUE_COLLECTION)
		return set_element(place, given, facts, field);
	if (given->value == NULL)
		return wrong(place, given->name.offset,
		    "this field has one value, without braces");
	if (!read_token(place, given->value, entry->type, entry->words, &value))
		return false;
	if (field == FIELD_MAIL_FROM) {
		set_sender(facts, given->value->text);
		return true;
	}
	facts->values[field] = value;
	facts->states[field] = FACTS_SET;
	return true;
}

/* ----------------------------------------------------------- indicators */

static bool
set_indicator(const struct scope_place *place, const struct ast_given *given,
    struct facts *facts)
{
	struct value *members;
	enum indicator_kind kind;
	int type;
	bool good = true;

	if (given->index == NULL || given->value == NULL)
		return false; /* reported by the parser */
	if (!indicator_kind_parse(given->index->text, &kind) ||
	    (type = schema_member_word(FIELD_INDICATOR, FACT_INDICATOR_TYPE,
		 indicator_kind_name(kind))) < 0)
		return wrong(place, given->index->offset,
		    "no type of indicators: domain, url, address, network, "
		    "sha256, filename, ...");
	members = facts_add(facts, FIELD_INDICATOR);
	if (members == NULL)
		return false;
	value_set_number(&members[FACT_INDICATOR_TYPE], type);
	value_set_text(&members[FACT_INDICATOR_VALUE], given->value->text);
	value_set_text(&members[FACT_INDICATOR_OBSERVED], given->value->text);
	value_set_text(&members[FACT_INDICATOR_FEED], SLICE_LITERAL("test"));
	value_set_text(&members[FACT_INDICATOR_WHERE], SLICE_LITERAL("test"));
	value_set_number(&members[FACT_INDICATOR_SEVERITY], FACT_SEVERITY_LOW);
	value_set_number(&members[FACT_INDICATOR_CONFIDENCE], 0);
	value_set_number(&members[FACT_INDICATOR_STRENGTH], FACT_STRENGTH_WEAK);
	value_set_number(&members[FACT_INDICATOR_TLP], FACT_TLP_AMBER);
	for (const struct ast_setting *at = given->members; at != NULL;
	     at = at->next)
		good = set_member(place, FIELD_INDICATOR, at, members) && good;
	return good;
}

/* A collection that the test gives takes the place of the message's. */
static void
clear_given(const struct ast_test *test, struct facts *facts)
{
	for (const struct ast_given *at = test->givens; at != NULL;
	     at = at->next) {
		enum field_id field = at->kind == GIVEN_INDICATOR
					  ? FIELD_INDICATOR
					  : schema_find(at->name.text);

		if (at->kind == GIVEN_LIST || at->kind == GIVEN_SWITCH ||
		    field == FIELD_COUNT)
			continue;
		if (schema_fields[field].type == VALUE_COLLECTION &&
		    field != FIELD_HEADER)
			facts_clear(facts, field);
	}
}

static bool
gives(const struct ast_test *test, const char *name)
{
	for (const struct ast_given *at = test->givens; at != NULL;
	     at = at->next)
		if (at->kind == GIVEN_FIELD &&
		    slice_equal_text(at->name.text, name))
			return true;
	return false;
}

/* Of a mail, header["From"] and from are two readings of one field; a test that
 * gives the first alone says nothing about rules that ask the second. */
static bool
gives_both(const struct scope_place *place, const struct ast_test *test,
    const struct ast_given *given)
{
	static const char *const fields[] = { "from", "to", "cc", "reply-to",
		"sender", "subject", "message-id", "date" };

	if (given->index == NULL || test->message != NULL ||
	    schema_find(given->name.text) != FIELD_HEADER)
		return true;
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (slice_equal_text_fold(given->index->text, fields[i]) &&
		    !gives(test, fields[i])) {
			scope_error(place, given->index->offset,
			    "this does not set the field %s, which a mail with "
			    "this header has; write given %s ..., or both",
			    fields[i], fields[i]);
			return false;
		}
	return true;
}

bool
given_fields(const struct scope_place *place, const struct ast_test *test,
    struct facts *facts)
{
	bool good = true;

	clear_given(test, facts);
	for (const struct ast_given *at = test->givens; at != NULL;
	     at = at->next) {
		if (at->kind == GIVEN_FIELD)
			good = gives_both(place, test, at) &&
			       set_field(place, at, facts) && good;
		else if (at->kind == GIVEN_INDICATOR)
			good = set_indicator(place, at, facts) && good;
	}
	if (!gives(test, "reply-to.elsewhere"))
		facts_compare_reply_to(facts);
	return good;
}
