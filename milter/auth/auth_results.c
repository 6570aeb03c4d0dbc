#include <config.h>

#include <stdint.h>

#include "auth/auth_results.h"
#include "auth/auth_results_read.h"
#include "base/builder.h"
#include "base/utf8.h"

#define LINE_MAX_OCTETS 78 /* RFC 5322, 2.1.1: where we fold */
#define FIELD_MAX       65536

/* ------------------------------------------------------------- collecting */

struct auth_results
auth_results_make(struct arena *arena, struct slice authserv_id)
{
	return (struct auth_results){
		.arena = arena, .authserv_id = authserv_id, .version = 1
	};
}

size_t
auth_results_add(
    struct auth_results *results, const char *method, const char *result)
{
	struct auth_results_method *added = list_append(
	    results->arena, &results->methods, AUTH_RESULTS_METHODS_MAX);

	if (added == NULL) {
		results->failed = true;
		return SIZE_MAX;
	}
	added->method = slice_text(method);
	added->version = 1;
	added->result = slice_text(result);
	return results->methods.count - 1;
}

/* Octets that are never written: they end or hide something for a reader that
 * does not know quoted strings. */
static bool
is_forbidden(unsigned char c)
{
	return c < ' ' || c == 0x7f || memchr("\"\\();<>", c, 7) != NULL;
}

/* Blanks, breaks and invisible characters beyond ASCII: some readers end a
 * word at them, others show nothing. */
static bool
is_invisible(uint32_t point)
{
	return (point >= 0x80 && point <= 0xa0) || point == 0xad ||
	       point == 0x34f || point == 0x61c || point == 0x1680 ||
	       point == 0x180e || (point >= 0x2000 && point <= 0x200f) ||
	       (point >= 0x2028 && point <= 0x202f) ||
	       (point >= 0x205f && point <= 0x206f) || point == 0x3000 ||
	       point == 0xfeff || (point >= 0xfff0 && point <= 0xfffb) ||
	       (point >= 0xe0000 && point <= 0xe0fff);
}

static bool
holds_invisible(struct slice value)
{
	while (value.length > 0)
		if (is_invisible(utf8_next(&value, NULL)))
			return true;
	return false;
}

static bool
can_be_written(struct slice value)
{
	if (value.length == 0 || value.length > AUTH_RESULTS_VALUE_MAX)
		return false;
	for (size_t i = 0; i < value.length; i++)
		if (is_forbidden((unsigned char)value.data[i]))
			return false;
	/* An encoded word is nothing here, yet readers decode the whole field
	 * first, and find what they like in it. */
	if (slice_find(value, SLICE_LITERAL("=?")) != SIZE_MAX)
		return false;
	/* A reader that folds or trims would change blanks at the ends. */
	return value.data[0] != ' ' && value.data[value.length - 1] != ' ' &&
	       utf8_is_valid(value) && !holds_invisible(value);
}

void
auth_results_reason(
    struct auth_results *results, size_t method, struct slice reason)
{
	if (method >= results->methods.count)
		return;
	if (can_be_written(reason))
		results->methods.items[method].reason = reason;
	else
		results->dropped++;
}

void
auth_results_property(struct auth_results *results, size_t method,
    const char *type, const char *name, struct slice value)
{
	struct auth_results_method *to;
	struct auth_results_property *property;

	if (method >= results->methods.count)
		return;
	to = &results->methods.items[method];
	if (!can_be_written(value) ||
	    to->properties.count == AUTH_RESULTS_PROPERTIES_MAX) {
		results->dropped++;
		return;
	}
	property = list_append(
	    results->arena, &to->properties, AUTH_RESULTS_PROPERTIES_MAX);
	if (property == NULL) {
		results->failed = true;
		return;
	}
	property->type = slice_text(type);
	property->name = slice_text(name);
	property->value = value;
}

/* --------------------------------------------------------------- writing */

/* One field being written; knows where its line began. */
struct writing {
	struct builder out;
	size_t line_start;
};

static void
fold(struct writing *writing)
{
	builder_text(&writing->out, "\n\t");
	writing->line_start = writing->out.length;
}

static bool
is_token(struct slice value)
{
	for (size_t i = 0; i < value.length; i++)
		if (!auth_results_is_token_octet(value.data[i]))
			return false;
	return value.length > 0;
}

/* Adds a value as a token, an address or a quoted string; without `address`
 * only token or quoted string. */
static void
put_value(struct builder *out, struct slice value, bool address)
{
	if (is_token(value) || (address && auth_results_is_address(value))) {
		builder_slice(out, value);
		return;
	}
	builder_byte(out, '"');
	builder_slice(out, value);
	builder_byte(out, '"');
}

/* Adds one word of a method, on a new line where it does not fit. */
static void
put_word(struct writing *writing, struct slice word)
{
	size_t used = writing->out.length - writing->line_start;

	if (used + 1 + word.length > LINE_MAX_OCTETS)
		fold(writing);
	else
		builder_byte(&writing->out, ' ');
	builder_slice(&writing->out, word);
}

static void
put_method(struct writing *writing, const struct auth_results_method *method)
{
	struct arena *arena = writing->out.arena;

	builder_byte(&writing->out, ';');
	fold(writing);
	builder_slice(&writing->out, method->method);
	if (method->version != 1)
		builder_printf(&writing->out, "/%u", method->version);
	builder_byte(&writing->out, '=');
	builder_slice(&writing->out, method->result);
	if (method->reason.length > 0) {
		struct builder word = builder_make(arena, FIELD_MAX);

		builder_text(&word, "reason=");
		put_value(&word, method->reason, false);
		writing->out.failed |= word.failed;
		put_word(writing, builder_result(&word));
	}
	for (size_t i = 0; i < method->properties.count; i++) {
		const struct auth_results_property *property =
		    &method->properties.items[i];
		struct builder word = builder_make(arena, FIELD_MAX);

		builder_slice(&word, property->type);
		builder_byte(&word, '.');
		builder_slice(&word, property->name);
		builder_byte(&word, '=');
		put_value(&word, property->value, true);
		writing->out.failed |= word.failed;
		put_word(writing, builder_result(&word));
	}
}

static bool
methods_are_equal(
    const struct auth_results_method *a, const struct auth_results_method *b)
{
	if (!slice_equal(a->method, b->method) || a->version != b->version ||
	    !slice_equal(a->result, b->result) ||
	    !slice_equal(a->reason, b->reason) ||
	    a->properties.count != b->properties.count)
		return false;
	for (size_t i = 0; i < a->properties.count; i++) {
		const struct auth_results_property *x = &a->properties.items[i];
		const struct auth_results_property *y = &b->properties.items[i];

		if (!slice_equal(x->type, y->type) ||
		    !slice_equal(x->name, y->name) ||
		    !slice_equal(x->value, y->value))
			return false;
	}
	return true;
}

/* True when a strict reader gets out of the value what was put in. */
static bool
reads_back(const struct auth_results *results, struct slice value)
{
	struct auth_results read;

	if (auth_results_read(results->arena, value, &read) != TC_OK ||
	    !slice_equal(read.authserv_id, results->authserv_id) ||
	    read.methods.count != results->methods.count)
		return false;
	for (size_t i = 0; i < read.methods.count; i++)
		if (!methods_are_equal(
			&read.methods.items[i], &results->methods.items[i]))
			return false;
	return true;
}

enum tc_status
auth_results_write(const struct auth_results *results, struct slice *value_out)
{
	struct writing writing = { .out = builder_make(
				       results->arena, FIELD_MAX) };

	if (results->failed)
		return TC_LIMIT;
	if (!can_be_written(results->authserv_id))
		return TC_INVALID;
	builder_byte(&writing.out, ' ');
	put_value(&writing.out, results->authserv_id, false);
	if (results->methods.count == 0)
		builder_text(&writing.out, "; none");
	for (size_t i = 0; i < results->methods.count; i++)
		put_method(&writing, &results->methods.items[i]);
	if (writing.out.failed)
		return TC_LIMIT;
	if (!reads_back(results, builder_result(&writing.out)))
		return arena_exhausted(results->arena) ? TC_LIMIT : TC_INVALID;
	*value_out = builder_result(&writing.out);
	return TC_OK;
}
