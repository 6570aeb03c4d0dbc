#include <config.h>

#include <stdint.h>

#include "auth/auth_results_read.h"

/* A value being read. */
struct reader {
	struct arena *arena;
	struct slice text;
	size_t at;
	bool lenient;
	bool limit; /* the arena is full */
};

/* RFC 2045, 5.1: neither space, control nor tspecials; octets above ASCII as
 * RFC 6532 adds them. */
bool
auth_results_is_token_octet(char c)
{
	unsigned char octet = (unsigned char)c;

	return octet > ' ' && octet != 0x7f &&
	       memchr("()<>@,;:\\\"/[]?=", octet, 15) == NULL;
}

/* RFC 5322, 3.2.3, with RFC 6532. */
static bool
is_atext(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) ||
	       (unsigned char)c >= 0x80 ||
	       (c != '\0' && strchr("!#$%&'*+-/=?^_`{|}~", c) != NULL);
}

static bool
is_dot_atom(struct slice text)
{
	bool dot = true;

	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '.') {
			if (dot)
				return false;
			dot = true;
		} else if (!is_atext(text.data[i])) {
			return false;
		} else {
			dot = false;
		}
	}
	return !dot;
}

static bool
is_domain_name(struct slice text)
{
	bool dot = true;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '.' && dot)
			return false;
		dot = c == '.';
		if (!dot && !ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    c != '-' && c != '_' && (unsigned char)c < 0x80)
			return false;
	}
	return !dot;
}

bool
auth_results_is_address(struct slice text)
{
	size_t at = slice_find_last_byte(text, '@');

	return at != SIZE_MAX &&
	       (at == 0 || is_dot_atom(slice_range(text, 0, at))) &&
	       is_domain_name(slice_skip(text, at + 1));
}

/* ------------------------------------------------------------------ CFWS */

static bool
at_end(const struct reader *reader)
{
	return reader->at >= reader->text.length;
}

static char
peek(const struct reader *reader)
{
	return at_end(reader) ? '\0' : reader->text.data[reader->at];
}

static bool
take(struct reader *reader, char c)
{
	if (at_end(reader) || reader->text.data[reader->at] != c)
		return false;
	reader->at++;
	return true;
}

/* A comment with all that is nested in it; false when it does not end. */
static bool
skip_comment(struct reader *reader)
{
	size_t depth = 0;

	while (!at_end(reader)) {
		char c = reader->text.data[reader->at++];

		if (c == '\\' && !at_end(reader))
			reader->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return true;
	}
	return reader->lenient;
}

/* A line break must be followed by a blank to be a fold. */
static bool
skip_break(struct reader *reader)
{
	take(reader, '\r');
	if (!take(reader, '\n'))
		return reader->lenient;
	return reader->lenient || peek(reader) == ' ' || peek(reader) == '\t';
}

static bool
skip_cfws(struct reader *reader)
{
	while (!at_end(reader)) {
		char c = peek(reader);
		bool good = true;

		if (c == '(')
			good = skip_comment(reader);
		else if (c == '\r' || c == '\n')
			good = skip_break(reader);
		else if (c == ' ' || c == '\t')
			reader->at++;
		else
			return true;
		if (!good)
			return false;
	}
	return true;
}

/* ---------------------------------------------------------------- values */

/* Octets up to the closing quote, escapes included. */
static size_t
quoted_length(const struct reader *reader)
{
	size_t at = reader->at;

	while (at < reader->text.length && reader->text.data[at] != '"')
		at += reader->text.data[at] == '\\' ? 2 : 1;
	return at - reader->at;
}

/* A quoted string, unquoted. */
static bool
read_quoted(struct reader *reader, struct slice *value_out)
{
	size_t used = 0;
	char *copy;

	reader->at++;
	/* Measured first: a field full of quotes must not cost its square. */
	copy = arena_alloc(reader->arena, quoted_length(reader) + 1);

	if (copy == NULL) {
		reader->limit = true;
		return false;
	}
	while (!at_end(reader)) {
		unsigned char c =
		    (unsigned char)reader->text.data[reader->at++];

		if (c == '"') {
			*value_out = slice_make(copy, used);
			return true;
		}
		if (c == '\\') {
			if (at_end(reader))
				break;
			c = (unsigned char)reader->text.data[reader->at++];
		} else if (c == '\r' || c == '\n') {
			reader->at--;
			if (!skip_break(reader))
				return false;
			continue;
		}
		if (!reader->lenient && (c == 0x7f || (c < ' ' && c != '\t')))
			return false;
		copy[used++] = (char)c;
	}
	*value_out = slice_make(copy, used);
	return reader->lenient;
}

static bool
read_value(struct reader *reader, struct slice *value_out)
{
	size_t start = reader->at;

	if (peek(reader) == '"')
		return read_quoted(reader, value_out);
	while (!at_end(reader) && auth_results_is_token_octet(peek(reader)))
		reader->at++;
	*value_out = slice_range(reader->text, start, reader->at);
	return reader->at > start;
}

/* pvalue: a value, or [[local-part] "@"] domain-name. */
static bool
read_pvalue(struct reader *reader, struct slice *value_out)
{
	size_t start = reader->at;
	struct slice word;
	bool token = true;

	if (peek(reader) == '"') {
		if (!read_quoted(reader, value_out))
			return false;
		if (peek(reader) != '@')
			return true;
		/* "quoted local part"@domain: kept as it is written. */
		reader->at++;
		token = false;
	}
	while (!at_end(reader)) {
		char c = peek(reader);

		if (!auth_results_is_token_octet(c) && !is_atext(c) && c != '@')
			break;
		token &= auth_results_is_token_octet(c);
		reader->at++;
	}
	word = slice_range(reader->text, start, reader->at);
	*value_out = word;
	if (word.length == 0)
		return false;
	if (token || reader->lenient)
		return true;
	if (word.data[0] == '"')
		return is_domain_name(
		    slice_skip(word, slice_find_last_byte(word, '@') + 1));
	return auth_results_is_address(word);
}

/* Keyword of RFC 5321, 4.1.2: letters, digits, hyphens, no hyphen at the end;
 * an underscore too, for the registered methods that have one. */
static bool
read_keyword(struct reader *reader, struct slice *word_out)
{
	size_t start = reader->at;

	while (ascii_is_alpha(peek(reader)) || ascii_is_digit(peek(reader)) ||
	       peek(reader) == '-' || peek(reader) == '_')
		reader->at++;
	*word_out = slice_range(reader->text, start, reader->at);
	return word_out->length > 0 &&
	       word_out->data[word_out->length - 1] != '-';
}

static bool
read_number(struct reader *reader, unsigned *number_out)
{
	size_t start = reader->at;
	unsigned long number;

	while (ascii_is_digit(peek(reader)))
		reader->at++;
	if (!slice_parse_number(
		slice_range(reader->text, start, reader->at), 999999, &number))
		return false;
	*number_out = (unsigned)number;
	return true;
}

/* --------------------------------------------------------------- methods */

static bool
read_equals(struct reader *reader)
{
	return skip_cfws(reader) && take(reader, '=') && skip_cfws(reader);
}

/* The rest of a propspec whose ptype was read. */
static bool
read_property(struct reader *reader, struct slice type,
    struct auth_results_method *method)
{
	struct auth_results_property *property;
	struct slice name, value;

	if (!skip_cfws(reader) || !take(reader, '.') || !skip_cfws(reader) ||
	    !read_keyword(reader, &name) || !read_equals(reader) ||
	    !read_pvalue(reader, &value))
		return false;
	property = list_append(
	    reader->arena, &method->properties, AUTH_RESULTS_PROPERTIES_MAX);
	if (property == NULL) {
		reader->limit = arena_exhausted(reader->arena);
		return false;
	}
	*property = (struct auth_results_property){
		.type = type, .name = name, .value = value
	};
	return true;
}

/* Reason and properties, up to ";" or the end. */
static bool
read_details(struct reader *reader, struct auth_results_method *method)
{
	bool first = true;

	for (;; first = false) {
		size_t before = reader->at;
		struct slice word;

		if (!skip_cfws(reader))
			return false;
		if (at_end(reader) || peek(reader) == ';')
			return true;
		if (reader->at == before) /* no CFWS between two of them */
			return false;
		if (!read_keyword(reader, &word))
			return false;
		if (first && slice_equal_text_fold(word, "reason")) {
			if (!read_equals(reader) ||
			    !read_value(reader, &method->reason))
				return false;
		} else if (!read_property(reader, word, method)) {
			return false;
		}
	}
}

static bool
read_method(struct reader *reader, struct auth_results_method *method)
{
	method->version = 1;
	if (!skip_cfws(reader) || !read_keyword(reader, &method->method) ||
	    !skip_cfws(reader))
		return false;
	if (take(reader, '/') &&
	    (!skip_cfws(reader) || !read_number(reader, &method->version)))
		return false;
	return read_equals(reader) && read_keyword(reader, &method->result) &&
	       read_details(reader, method);
}

/* --------------------------------------------------------------- the field */

static bool
read_head(struct reader *reader, struct auth_results *results)
{
	if (!skip_cfws(reader) || !read_value(reader, &results->authserv_id) ||
	    results->authserv_id.length == 0)
		return false;
	if (!skip_cfws(reader))
		return false;
	if (ascii_is_digit(peek(reader)) &&
	    (!read_number(reader, &results->version) || !skip_cfws(reader)))
		return false;
	return true;
}

/* "; none" and nothing else. */
static bool
read_none(struct reader *reader)
{
	struct reader ahead = *reader;
	struct slice word;

	if (!take(&ahead, ';') || !skip_cfws(&ahead) ||
	    !read_keyword(&ahead, &word) ||
	    !slice_equal_text_fold(word, "none") || !skip_cfws(&ahead) ||
	    !at_end(&ahead))
		return false;
	*reader = ahead;
	return true;
}

static enum tc_status
ending(const struct reader *reader, bool good)
{
	if (reader->limit)
		return TC_LIMIT;
	return good ? TC_OK : TC_INVALID;
}

enum tc_status
auth_results_read(
    struct arena *arena, struct slice value, struct auth_results *results_out)
{
	struct reader reader = { .arena = arena, .text = value };
	struct auth_results results = { .arena = arena, .version = 1 };

	if (!read_head(&reader, &results) || results.version != 1)
		return ending(&reader, false);
	if (!read_none(&reader)) {
		do {
			struct auth_results_method *method;

			if (!take(&reader, ';'))
				return TC_INVALID;
			method = list_append(
			    arena, &results.methods, AUTH_RESULTS_METHODS_MAX);
			reader.limit = arena_exhausted(arena);
			if (method == NULL || !read_method(&reader, method))
				return ending(&reader, false);
		} while (!at_end(&reader));
	}
	*results_out = results;
	return TC_OK;
}

/* Goes to the next ";" outside quotes and comments. */
static void
skip_to_semicolon(struct reader *reader)
{
	struct slice ignored;

	while (!at_end(reader) && peek(reader) != ';') {
		if (peek(reader) == '(')
			(void)skip_comment(reader);
		else if (peek(reader) == '"')
			(void)read_quoted(reader, &ignored);
		else
			reader->at++;
	}
}

/* What a careless reader takes for the id: a value, else all up to a blank,
 * a comment or a semicolon. */
static bool
read_lenient_id(struct reader *reader, struct slice *id_out)
{
	size_t start;

	(void)skip_cfws(reader);
	if (peek(reader) == '"')
		return read_quoted(reader, id_out) && id_out->length > 0;
	start = reader->at;
	while (!at_end(reader) && !ascii_is_space(peek(reader)) &&
	       peek(reader) != ';' && peek(reader) != '(')
		reader->at++;
	*id_out = slice_range(reader->text, start, reader->at);
	return id_out->length > 0;
}

enum tc_status
auth_results_read_lenient(
    struct arena *arena, struct slice value, struct auth_results *results_out)
{
	struct reader reader = {
		.arena = arena, .text = value, .lenient = true
	};
	struct auth_results results = { .arena = arena, .version = 1 };

	if (!read_lenient_id(&reader, &results.authserv_id))
		return ending(&reader, false);
	for (;;) {
		struct auth_results_method method = { .version = 1 };
		struct auth_results_method *place;

		skip_to_semicolon(&reader);
		if (reader.limit || !take(&reader, ';'))
			break;
		/* A method with a bad tail still counts up to there. */
		(void)read_method(&reader, &method);
		if (method.method.length == 0 || method.result.length == 0)
			continue;
		place = list_append(
		    arena, &results.methods, AUTH_RESULTS_METHODS_MAX);
		if (place == NULL)
			break;
		*place = method;
	}
	*results_out = results;
	return ending(&reader, true);
}
