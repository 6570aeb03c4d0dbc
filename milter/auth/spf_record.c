#include <config.h>

#include "auth/spf_macro.h"
#include "auth/spf_record.h"
#include "base/builder.h"

static const char version[] = "v=spf1";

bool
spf_record_is_one(struct slice text)
{
	size_t length = sizeof version - 1;

	return slice_starts_with_fold(text, slice_text(version)) &&
	       (text.length == length || text.data[length] == ' ');
}

static struct slice
problem_about(struct arena *arena, const char *what, struct slice term)
{
	struct builder builder = builder_make(arena, 300);

	builder_text(&builder, what);
	if (term.length > 0) {
		builder_text(&builder, " in \"");
		builder_printable(&builder, term, 80);
		builder_byte(&builder, '"');
	}
	return builder_result(&builder);
}

/* Takes "/DIGITS" off the end of *text; RFC 7208, 5.6: no leading zeros.
 * Returns false, and leaves *text alone, when there is no such end. */
static bool
take_prefix(struct slice *text, unsigned long *number_out)
{
	size_t slash = slice_find_last_byte(*text, '/');
	struct slice digits;

	if (slash == SIZE_MAX)
		return false;
	digits = slice_skip(*text, slash + 1);
	if (digits.length == 0 || digits.length > 3 ||
	    (digits.data[0] == '0' && digits.length > 1) ||
	    !slice_parse_number(digits, 999, number_out))
		return false;
	*text = slice_range(*text, 0, slash);
	return true;
}

/* Takes dual-cidr-length, [ "/" n ] [ "//" n ], off the end. */
static bool
take_dual_prefix(struct slice *text, struct spf_directive *directive)
{
	unsigned long first = 0, second = 0;
	struct slice rest = *text;

	directive->prefix_v4 = 32;
	directive->prefix_v6 = 128;
	if (!take_prefix(&rest, &first))
		return true;
	if (rest.length > 0 && rest.data[rest.length - 1] == '/') {
		rest.length--;
		if (first > 128)
			return false;
		directive->prefix_v6 = (unsigned)first;
		*text = rest;
		if (!take_prefix(&rest, &second))
			return true;
		first = second;
	}
	if (first > 32)
		return false;
	directive->prefix_v4 = (unsigned)first;
	*text = rest;
	return true;
}

static bool
read_network(struct slice argument, bool v6, struct spf_directive *directive)
{
	unsigned long prefix = v6 ? 128 : 32;
	struct ipaddr address;

	if (slice_find_byte(argument, '/') != SIZE_MAX &&
	    !take_prefix(&argument, &prefix))
		return false;
	if (prefix > (v6 ? 128 : 32) || !ipaddr_parse(argument, &address) ||
	    (slice_find_byte(argument, ':') != SIZE_MAX) != v6)
		return false;
	prefix += v6 ? 0 : 96;
	directive->network.prefix_length = (uint8_t)prefix;
	directive->network.address = ipaddr_mask(&address, (unsigned)prefix);
	return true;
}

enum argument_kind {
	ARGUMENT_NONE,
	ARGUMENT_DOMAIN,          /* ":" domain-spec */
	ARGUMENT_OPTIONAL_DOMAIN, /* [ ":" domain-spec ] */
	ARGUMENT_DOMAIN_PREFIX,   /* and [ dual-cidr-length ] */
	ARGUMENT_V4,
	ARGUMENT_V6
};

static const struct {
	const char *name;
	enum spf_mechanism mechanism;
	enum argument_kind argument;
} mechanisms[] = {
	{ "all", SPF_MECHANISM_ALL, ARGUMENT_NONE },
	{ "include", SPF_MECHANISM_INCLUDE, ARGUMENT_DOMAIN },
	{ "a", SPF_MECHANISM_A, ARGUMENT_DOMAIN_PREFIX },
	{ "mx", SPF_MECHANISM_MX, ARGUMENT_DOMAIN_PREFIX },
	{ "ptr", SPF_MECHANISM_PTR, ARGUMENT_OPTIONAL_DOMAIN },
	{ "ip4", SPF_MECHANISM_IP4, ARGUMENT_V4 },
	{ "ip6", SPF_MECHANISM_IP6, ARGUMENT_V6 },
	{ "exists", SPF_MECHANISM_EXISTS, ARGUMENT_DOMAIN },
};

/* Reads what follows a mechanism's name: nothing, or from ":" or "/" on. */
static bool
read_argument(
    enum argument_kind kind, struct slice rest, struct spf_directive *directive)
{
	bool has_colon;

	if (kind == ARGUMENT_DOMAIN_PREFIX &&
	    !take_dual_prefix(&rest, directive))
		return false;
	has_colon = rest.length > 0 && rest.data[0] == ':';
	if (kind == ARGUMENT_NONE)
		return rest.length == 0;
	if (kind == ARGUMENT_V4 || kind == ARGUMENT_V6)
		return has_colon && read_network(slice_skip(rest, 1),
					kind == ARGUMENT_V6, directive);
	if (!has_colon)
		return rest.length == 0 && kind != ARGUMENT_DOMAIN;
	directive->target = slice_skip(rest, 1);
	return spf_macro_is_valid(directive->target, SPF_MACRO_DOMAIN);
}

static bool
read_directive(struct slice term, struct spf_directive *directive)
{
	static const char qualifiers[] = "+-~?";
	static const enum spf_result results[] = { SPF_PASS, SPF_FAIL,
		SPF_SOFTFAIL, SPF_NEUTRAL };
	const char *found = memchr(qualifiers, term.data[0], 4);
	size_t length = 0;
	struct slice name, rest;

	*directive = (struct spf_directive){ .text = term,
		.result =
		    found == NULL ? SPF_PASS : results[found - qualifiers] };
	rest = slice_skip(term, found == NULL ? 0 : 1);
	while (length < rest.length && rest.data[length] != ':' &&
	       rest.data[length] != '/')
		length++;
	name = slice_range(rest, 0, length);
	rest = slice_skip(rest, length);
	for (size_t i = 0; i < sizeof mechanisms / sizeof mechanisms[0]; i++) {
		if (!slice_equal_text_fold(name, mechanisms[i].name))
			continue;
		directive->mechanism = mechanisms[i].mechanism;
		return read_argument(mechanisms[i].argument, rest, directive);
	}
	return false;
}

/* Length of the name of a modifier, or 0 when the term is none: ALPHA
 * *( ALPHA / DIGIT / "-" / "_" / "." ) "=" */
static size_t
modifier_name_length(struct slice term)
{
	size_t length = 0;

	if (!ascii_is_alpha(term.data[0]))
		return 0;
	while (length < term.length) {
		char c = term.data[length];

		if (c == '=')
			return length;
		if (!ascii_is_alpha(c) && !ascii_is_digit(c) && c != '-' &&
		    c != '_' && c != '.')
			return 0;
		length++;
	}
	return 0;
}

/* Returns NULL, or what is wrong. */
static const char *
read_modifier(struct spf_record *record, struct slice name, struct slice value)
{
	bool redirect = slice_equal_text_fold(name, "redirect");
	struct slice *place =
	    redirect ? &record->redirect : &record->explanation;

	if (!redirect && !slice_equal_text_fold(name, "exp"))
		return spf_macro_is_valid(value, SPF_MACRO_MODIFIER)
			   ? NULL
			   : "bad macro";
	if (place->data != NULL)
		return "second modifier of this name";
	if (!spf_macro_is_valid(value, SPF_MACRO_DOMAIN))
		return "bad domain";
	*place = value;
	return NULL;
}

enum tc_status
spf_record_parse(struct arena *arena, struct slice text,
    struct spf_record *record_out, struct slice *problem_out)
{
	struct slice rest = slice_skip(text, sizeof version - 1);
	struct spf_record record = { .text = text };
	const char *problem = NULL;
	struct slice term = { 0 };

	/* Only SP separates terms: a tab or line break is part of one, and
	 * wrong there. */
	while (rest.length > 0 && problem == NULL) {
		struct spf_directive directive, *place;
		size_t name_length;

		rest = slice_split(rest, ' ', &term);
		if (term.length == 0)
			continue;
		name_length = modifier_name_length(term);
		if (name_length > 0) {
			problem = read_modifier(&record,
			    slice_range(term, 0, name_length),
			    slice_skip(term, name_length + 1));
		} else if (!read_directive(term, &directive)) {
			problem = "syntax error";
		} else {
			place =
			    list_append(arena, &record.directives, SIZE_MAX);
			if (place == NULL)
				return TC_LIMIT;
			*place = directive;
		}
	}
	if (problem != NULL) {
		*problem_out = problem_about(arena, problem, term);
		return TC_INVALID;
	}
	*record_out = record;
	return TC_OK;
}

enum tc_status
spf_record_select(struct arena *arena, const struct dns_answer *answer,
    struct slice *text_out, size_t *count_out)
{
	size_t count = 0;

	for (size_t i = 0; i < answer->record_count; i++) {
		struct slice text;

		if (!dns_answer_text(arena, answer, i, &text)) {
			if (arena_exhausted(arena))
				return TC_LIMIT;
			continue;
		}
		if (!spf_record_is_one(text))
			continue;
		if (count++ == 0)
			*text_out = text;
	}
	*count_out = count;
	return TC_OK;
}
