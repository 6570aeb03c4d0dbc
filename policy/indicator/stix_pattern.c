#include <config.h>

#include <limits.h>
#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "indicator/stix_pattern.h"

enum token_type {
	TOKEN_END,
	TOKEN_WORD,   /* name, keyword */
	TOKEN_STRING, /* quoted; `prefix` holds t, h, b or 0 */
	TOKEN_NUMBER,
	TOKEN_SIGN, /* punctuation and operators */
	TOKEN_BAD
};

struct token {
	enum token_type type;
	struct slice text; /* as written; of strings the inside */
	char prefix;
	bool escaped; /* a string with backslashes */
	size_t offset;
};

struct parser {
	struct arena *arena;
	struct stix_pattern *pattern;
	struct token token; /* the next one, not taken yet */
	size_t at;          /* behind the token */
	size_t previous_end;
	unsigned atoms_max;
	unsigned depth;
	bool limit;
};

/* --------------------------------------------------------------------- lexer */

static bool
is_word_octet(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '_' || c == '-';
}

static char
octet_at(const struct parser *parser, size_t at)
{
	return at < parser->pattern->text.length
		   ? parser->pattern->text.data[at]
		   : '\0';
}

/* Octets of the blank at the front, as the published grammar of STIX 2.1
 * lists them; 0: there is none. */
static size_t
blank_length(struct slice text)
{
	struct slice rest = text;
	uint32_t c;

	if (text.length == 0)
		return 0;
	c = utf8_next(&rest, NULL);
	if (c == ' ' || (c >= '\t' && c <= '\r') || c == 0x85 || c == 0xa0 ||
	    c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000)
		return text.length - rest.length;
	return 0;
}

static size_t
skip_space(const struct parser *parser, size_t at)
{
	struct slice text = parser->pattern->text;

	for (;;) {
		struct slice rest = slice_skip(text, at);
		size_t blank = blank_length(rest);

		if (blank > 0) {
			at += blank;
		} else if (slice_starts_with(rest, SLICE_LITERAL("/*"))) {
			size_t end = slice_find(
			    slice_skip(rest, 2), SLICE_LITERAL("*/"));

			at = end == SIZE_MAX ? text.length : at + end + 4;
		} else if (slice_starts_with(rest, SLICE_LITERAL("//"))) {
			while (at < text.length && text.data[at] != '\n' &&
			       text.data[at] != '\r')
				at++;
		} else {
			return at;
		}
	}
}

/* From the opening quote on. */
static void
lex_string(struct parser *parser, size_t at, char prefix)
{
	struct token *token = &parser->token;
	size_t start = at + 1;

	for (at = start; at < parser->pattern->text.length; at++) {
		char c = parser->pattern->text.data[at];

		if (c == '\\') {
			token->escaped = true;
			at++;
		} else if (c == '\'') {
			token->type = TOKEN_STRING;
			token->prefix = prefix;
			token->text =
			    slice_range(parser->pattern->text, start, at);
			parser->at = at + 1;
			return;
		}
	}
	token->type = TOKEN_BAD;
	parser->at = parser->pattern->text.length;
}

/* Also ".5" and "-.5". */
static bool
number_begins(const struct parser *parser, size_t at)
{
	if (octet_at(parser, at) == '-' || octet_at(parser, at) == '+')
		at++;
	if (octet_at(parser, at) == '.')
		at++;
	return ascii_is_digit(octet_at(parser, at));
}

static size_t
number_end(const struct parser *parser, size_t at)
{
	if (octet_at(parser, at) == '-' || octet_at(parser, at) == '+')
		at++;
	while (
	    ascii_is_digit(octet_at(parser, at)) || octet_at(parser, at) == '.')
		at++;
	return at;
}

static void
lex_sign(struct parser *parser, size_t at)
{
	static const char *const pairs[] = { "!=", "<>", "<=", ">=", "==" };
	struct slice rest = slice_skip(parser->pattern->text, at);
	size_t length = 1;

	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
		if (slice_starts_with(rest, slice_text(pairs[i])))
			length = 2;
	parser->token.type = TOKEN_SIGN;
	parser->token.text = slice_range(rest, 0, length);
	parser->at = at + length;
}

/* Reads the next token into parser->token. */
static void
advance(struct parser *parser)
{
	size_t start = skip_space(parser, parser->at), end = start;
	char c = octet_at(parser, start);

	parser->previous_end = parser->at;
	parser->token = (struct token){ .type = TOKEN_END, .offset = start };
	if (start >= parser->pattern->text.length) {
		parser->at = start;
		return;
	}
	if (c == '\'') {
		lex_string(parser, start, 0);
	} else if ((c == 't' || c == 'h' || c == 'b') &&
		   octet_at(parser, start + 1) == '\'') {
		lex_string(parser, start + 1, c);
	} else if (number_begins(parser, start)) {
		end = number_end(parser, start);
		parser->token.type = TOKEN_NUMBER;
		parser->token.text =
		    slice_range(parser->pattern->text, start, end);
		parser->at = end;
	} else if (ascii_is_alpha(c) || c == '_') {
		while (is_word_octet(octet_at(parser, end)))
			end++;
		parser->token.type = TOKEN_WORD;
		parser->token.text =
		    slice_range(parser->pattern->text, start, end);
		parser->at = end;
	} else {
		lex_sign(parser, start);
	}
}

/* -------------------------------------------------------------------- helpers */

/* Notes the first problem; returns NULL for the caller to return. */
static void *
fail(struct parser *parser, const char *problem)
{
	struct stix_pattern *pattern = parser->pattern;
	struct slice before;

	if (pattern->problem != NULL)
		return NULL;
	pattern->problem = problem;
	pattern->column = 1;
	before = slice_range(pattern->text, 0, parser->token.offset);
	while (before.length > 0) {
		utf8_next(&before, NULL);
		pattern->column++;
	}
	return NULL;
}

static void *
out_of_memory(struct parser *parser)
{
	parser->limit = true;
	return fail(parser, "is too large");
}

static bool
is_sign(const struct parser *parser, const char *sign)
{
	return parser->token.type == TOKEN_SIGN &&
	       slice_equal_text(parser->token.text, sign);
}

static bool
is_keyword(const struct parser *parser, const char *word)
{
	return parser->token.type == TOKEN_WORD &&
	       slice_equal_text_fold(parser->token.text, word);
}

static bool
take_sign(struct parser *parser, const char *sign)
{
	if (!is_sign(parser, sign))
		return false;
	advance(parser);
	return true;
}

static bool
take_keyword(struct parser *parser, const char *word)
{
	if (!is_keyword(parser, word))
		return false;
	advance(parser);
	return true;
}

static struct stix_node *
make_node(struct parser *parser, enum stix_node_type type)
{
	struct stix_node *node = arena_alloc(parser->arena, sizeof *node);

	if (node == NULL)
		return out_of_memory(parser);
	node->type = type;
	return node;
}

/* A string's content with \' and \\ undone. Nothing else is an escape: where
 * a publisher forgot to double a backslash ('C:\Users', '\d+'), it is meant. */
static struct slice
string_content(struct parser *parser, const struct token *token)
{
	struct builder out;

	if (!token->escaped)
		return token->text;
	out = builder_make(parser->arena, SIZE_MAX);
	for (size_t i = 0; i < token->text.length; i++) {
		const char *at = token->text.data + i;

		if (*at == '\\' && i + 1 < token->text.length &&
		    (at[1] == '\\' || at[1] == '\'')) {
			at++;
			i++;
		}
		builder_byte(&out, *at);
	}
	if (out.failed)
		out_of_memory(parser);
	return builder_result(&out);
}

/* ------------------------------------------------------------------- literals */

bool
stix_decode_hex(struct arena *arena, struct slice text, struct slice *out)
{
	char *octets = arena_alloc(arena, text.length / 2 + 1);

	if (octets == NULL || text.length % 2 != 0)
		return false;
	for (size_t i = 0; i + 1 < text.length; i += 2) {
		int high = ascii_hex_value(text.data[i]);
		int low = ascii_hex_value(text.data[i + 1]);

		if (high < 0 || low < 0)
			return false;
		octets[i / 2] = (char)(high * 16 + low);
	}
	*out = slice_make(octets, text.length / 2);
	return true;
}

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (ascii_is_digit(c))
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool
stix_decode_base64(struct arena *arena, struct slice text, struct slice *out)
{
	char *octets = arena_alloc(arena, text.length + 1);
	unsigned long bits = 0;
	unsigned have = 0;
	size_t length = 0;

	if (octets == NULL)
		return false;
	for (size_t i = 0; i < text.length && text.data[i] != '='; i++) {
		int value = base64_value(text.data[i]);

		if (value < 0)
			return false;
		bits = (bits << 6 | (unsigned long)value) & 0xffffff;
		have += 6;
		if (have >= 8) {
			have -= 8;
			octets[length++] = (char)(bits >> have);
		}
	}
	*out = slice_make(octets, length);
	return true;
}

static bool
number_is_good(struct slice text, bool *is_float_out)
{
	size_t digits = 0, dots = 0;

	for (size_t i = 0; i < text.length; i++) {
		if (ascii_is_digit(text.data[i]))
			digits++;
		else if (text.data[i] == '.')
			dots++;
	}
	*is_float_out = dots > 0;
	return digits > 0 && dots <= 1;
}

/* The string token at hand by its prefix. */
static bool
string_literal(struct parser *parser, struct stix_literal *literal)
{
	struct slice content = string_content(parser, &parser->token);

	literal->text = content;
	switch (parser->token.prefix) {
	case 't':
		literal->type = STIX_TIMESTAMP;
		return content.length >= 20 &&
		       content.data[content.length - 1] == 'Z';
	case 'h':
		literal->type = STIX_HEX;
		return stix_decode_hex(parser->arena, content, &literal->text);
	case 'b':
		literal->type = STIX_BINARY;
		return stix_decode_base64(
		    parser->arena, content, &literal->text);
	default:
		literal->type = STIX_STRING;
		return true;
	}
}

static bool
take_literal(struct parser *parser, struct stix_literal *literal)
{
	bool is_float;

	switch (parser->token.type) {
	case TOKEN_STRING:
		if (!string_literal(parser, literal)) {
			fail(parser, "a malformed time, hexadecimal or base64 "
				     "constant");
			return false;
		}
		break;
	case TOKEN_NUMBER:
		if (!number_is_good(parser->token.text, &is_float)) {
			fail(parser, "a malformed number");
			return false;
		}
		literal->type = is_float ? STIX_FLOAT : STIX_INTEGER;
		literal->text = parser->token.text;
		break;
	case TOKEN_WORD:
		literal->type = STIX_BOOLEAN;
		literal->text = parser->token.text;
		if (is_keyword(parser, "true") || is_keyword(parser, "false"))
			break;
		fail(parser, "expected a constant; strings stand in single "
			     "quotes");
		return false;
	case TOKEN_END:
	case TOKEN_SIGN:
	case TOKEN_BAD:
		fail(parser, parser->token.type == TOKEN_BAD
				 ? "a string without its closing quote"
				 : "expected a constant");
		return false;
	}
	advance(parser);
	return true;
}

static bool
add_literal(struct parser *parser, struct stix_comparison *comparison)
{
	struct stix_literal literal = { 0 }, *slot;

	if (!take_literal(parser, &literal))
		return false;
	slot = list_append(
	    parser->arena, &comparison->literals, parser->atoms_max);
	if (slot == NULL) {
		out_of_memory(parser);
		return false;
	}
	*slot = literal;
	return true;
}

static bool
take_set(struct parser *parser, struct stix_comparison *comparison)
{
	if (!take_sign(parser, "(")) {
		fail(parser, "expected a list in parentheses after IN");
		return false;
	}
	if (take_sign(parser, ")"))
		return true;
	do {
		if (!add_literal(parser, comparison))
			return false;
	} while (take_sign(parser, ","));
	if (!take_sign(parser, ")")) {
		fail(parser, "expected ',' or ')' in the list");
		return false;
	}
	return true;
}

/* ----------------------------------------------------------------- comparisons */

static bool
take_index(struct parser *parser, struct stix_step *step)
{
	unsigned long number;
	bool negative = false;
	struct slice text;

	if (take_sign(parser, "*")) {
		step->any = true;
	} else if (parser->token.type == TOKEN_NUMBER) {
		text = parser->token.text;
		if (text.data[0] == '-' || text.data[0] == '+') {
			negative = text.data[0] == '-';
			text = slice_skip(text, 1);
		}
		if (!slice_parse_number(text, INT_MAX, &number)) {
			fail(parser, "a malformed index");
			return false;
		}
		step->index = negative ? -(long)number : (long)number;
		advance(parser);
	} else {
		fail(parser, "expected an index or '*' in brackets");
		return false;
	}
	if (!take_sign(parser, "]")) {
		fail(parser, "expected ']' after the index");
		return false;
	}
	return true;
}

static bool
take_name(struct parser *parser, struct slice *name)
{
	if (parser->token.type == TOKEN_STRING && parser->token.prefix == 0)
		*name = string_content(parser, &parser->token);
	else if (parser->token.type == TOKEN_WORD)
		*name = parser->token.text;
	else
		return false;
	advance(parser);
	return true;
}

static bool
take_path(struct parser *parser, struct stix_comparison *comparison)
{
	bool name = true; /* a name is due */

	if (!take_name(parser, &comparison->object)) {
		fail(parser, "expected an object type");
		return false;
	}
	if (!take_sign(parser, ":")) {
		fail(parser, "expected ':' after the object type");
		return false;
	}
	for (;;) {
		struct stix_step *step =
		    &comparison->steps[comparison->step_count];

		if (comparison->step_count == STIX_PATH_MAX) {
			fail(parser, "the object path has too many steps");
			return false;
		}
		if (name && !take_name(parser, &step->name)) {
			fail(parser, "expected a property's name");
			return false;
		}
		if (!name && !take_index(parser, step))
			return false;
		comparison->step_count++;
		if (take_sign(parser, "."))
			name = true;
		else if (take_sign(parser, "["))
			name = false;
		else
			return true;
	}
}

static const struct {
	const char *text;
	enum stix_operator operator;
} operators[] = {
	{ "=", STIX_EQUAL },
	{ "==", STIX_EQUAL },
	{ "!=", STIX_NOT_EQUAL },
	{ "<>", STIX_NOT_EQUAL },
	{ ">", STIX_GREATER },
	{ "<", STIX_LESS },
	{ ">=", STIX_GREATER_EQUAL },
	{ "<=", STIX_LESS_EQUAL },
	{ "IN", STIX_IN },
	{ "LIKE", STIX_LIKE },
	{ "MATCHES", STIX_MATCHES },
	{ "ISSUBSET", STIX_IS_SUBSET },
	{ "ISSUPERSET", STIX_IS_SUPERSET },
	{ "EXISTS", STIX_EXISTS },
};

const char *stix_operator_name(enum stix_operator operator)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
		if (operators[i].operator== operator)
			return operators[i].text;
	return "";
}

static bool
take_operator(struct parser *parser, enum stix_operator *operator_out)
{
	for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
		if (operators[i].operator==
		    STIX_EXISTS ||(!is_sign(parser, operators[i].text) &&
				   !is_keyword(parser, operators[i].text)))
			continue;
		*operator_out = operators[i].operator;
		advance(parser);
		return true;
	}
	return false;
}

/* PATH [NOT] OPERATOR CONSTANT, or [NOT] EXISTS PATH. */
static struct stix_node *
parse_comparison(struct parser *parser)
{
	struct stix_node *node = make_node(parser, STIX_NODE_COMPARISON);
	struct stix_comparison *comparison =
	    arena_alloc(parser->arena, sizeof *comparison);
	size_t start = parser->token.offset;

	if (node == NULL || comparison == NULL ||
	    ++parser->pattern->comparison_count > parser->atoms_max)
		return out_of_memory(parser);
	node->comparison = comparison;
	comparison->negated = take_keyword(parser, "NOT");
	if (take_keyword(parser, "EXISTS")) {
		comparison->operator= STIX_EXISTS;
		if (!take_path(parser, comparison))
			return NULL;
	} else {
		if (comparison->negated)
			return fail(parser, "expected EXISTS after NOT");
		if (!take_path(parser, comparison))
			return NULL;
		comparison->negated = take_keyword(parser, "NOT");
		if (!take_operator(parser, &comparison->operator))
			return fail(parser, "expected a comparison operator");
		if (comparison->operator== STIX_IN
			? !take_set(parser, comparison)
			: !add_literal(parser, comparison))
			return NULL;
		if (comparison->operator>= STIX_LIKE &&
		    comparison->literals.items[0]
			.type != STIX_STRING)
			return fail(parser, "expected a string constant");
	}
	comparison->source = slice_trim(
	    slice_range(parser->pattern->text, start, parser->previous_end));
	return node;
}

/* ------------------------------------------------------------------ expressions */

typedef struct stix_node *parse_function(struct parser *parser);

/* OPERAND { WORD OPERAND }: one node for all operands, or the only one. */
static struct stix_node *
parse_chain(struct parser *parser, parse_function *operand, const char *word,
    enum stix_node_type type)
{
	struct stix_node *first = operand(parser), *node, *last = first;

	if (first == NULL || !is_keyword(parser, word))
		return first;
	node = make_node(parser, type);
	if (node == NULL)
		return NULL;
	node->first_child = first;
	while (take_keyword(parser, word)) {
		last->next = operand(parser);
		last = last->next;
		if (last == NULL)
			return NULL;
	}
	return node;
}

static parse_function parse_comparisons, parse_observations;

/* What stands in parentheses. */
static struct stix_node *
parse_group(struct parser *parser, parse_function *inside)
{
	struct stix_node *node;

	if (++parser->depth > STIX_DEPTH_MAX)
		return fail(parser, "too many parentheses within each other");
	node = inside(parser);
	parser->depth--;
	if (node != NULL && !take_sign(parser, ")"))
		return fail(parser, "expected ')'");
	return node;
}

static struct stix_node *
parse_comparison_term(struct parser *parser)
{
	if (take_sign(parser, "("))
		return parse_group(parser, parse_comparisons);
	return parse_comparison(parser);
}

static struct stix_node *
parse_comparison_and(struct parser *parser)
{
	return parse_chain(parser, parse_comparison_term, "AND", STIX_NODE_AND);
}

static struct stix_node *
parse_comparisons(struct parser *parser)
{
	return parse_chain(parser, parse_comparison_and, "OR", STIX_NODE_OR);
}

static bool
take_number(struct parser *parser)
{
	if (parser->token.type != TOKEN_NUMBER) {
		fail(parser, "expected a number");
		return false;
	}
	advance(parser);
	return true;
}

static bool
take_time(struct parser *parser)
{
	if (parser->token.type != TOKEN_STRING ||
	    (parser->token.prefix != 't' && parser->token.prefix != 0)) {
		fail(parser, "expected a time: t'2026-01-01T00:00:00Z'");
		return false;
	}
	advance(parser);
	return true;
}

/* Reads one qualifier: its name, NULL when there is none. */
static const char *
take_qualifier(struct parser *parser)
{
	if (take_keyword(parser, "WITHIN")) {
		if (!take_number(parser))
			return NULL;
		if (!take_keyword(parser, "SECONDS"))
			return fail(parser, "expected SECONDS");
		return "WITHIN";
	}
	if (take_keyword(parser, "REPEATS")) {
		if (!take_number(parser))
			return NULL;
		if (!take_keyword(parser, "TIMES"))
			return fail(parser, "expected TIMES");
		return "REPEATS";
	}
	if (take_keyword(parser, "START")) {
		if (!take_time(parser))
			return NULL;
		if (!take_keyword(parser, "STOP"))
			return fail(parser, "expected STOP");
		return take_time(parser) ? "START" : NULL;
	}
	return NULL;
}

static struct stix_node *
parse_observation(struct parser *parser)
{
	struct stix_node *node, *inside;
	const char *qualifier;

	if (take_sign(parser, "[")) {
		node = make_node(parser, STIX_NODE_OBSERVATION);
		inside = node == NULL ? NULL : parse_comparisons(parser);
		if (inside == NULL)
			return NULL;
		node->first_child = inside;
		if (!take_sign(parser, "]"))
			return fail(parser, "expected ']', AND or OR");
	} else if (take_sign(parser, "(")) {
		node = parse_group(parser, parse_observations);
	} else {
		return fail(parser, "expected '[' or '('");
	}
	while (node != NULL && (qualifier = take_qualifier(parser)) != NULL) {
		struct stix_node *qualified =
		    make_node(parser, STIX_NODE_QUALIFIED);

		if (qualified == NULL)
			return NULL;
		qualified->qualifier = qualifier;
		qualified->first_child = node;
		node = qualified;
	}
	return parser->pattern->problem == NULL ? node : NULL;
}

static struct stix_node *
parse_observation_and(struct parser *parser)
{
	return parse_chain(parser, parse_observation, "AND", STIX_NODE_AND);
}

static struct stix_node *
parse_observation_or(struct parser *parser)
{
	return parse_chain(parser, parse_observation_and, "OR", STIX_NODE_OR);
}

static struct stix_node *
parse_observations(struct parser *parser)
{
	return parse_chain(
	    parser, parse_observation_or, "FOLLOWEDBY", STIX_NODE_FOLLOWED_BY);
}

enum tc_status
stix_pattern_parse(struct arena *arena, struct slice text, unsigned atoms_max,
    struct stix_pattern *pattern_out)
{
	struct parser parser = {
		.arena = arena, .pattern = pattern_out, .atoms_max = atoms_max
	};

	*pattern_out = (struct stix_pattern){ .text = text };
	advance(&parser);
	pattern_out->root = parse_observations(&parser);
	if (pattern_out->problem == NULL && pattern_out->root != NULL &&
	    parser.token.type != TOKEN_END)
		fail(&parser, "expected AND, OR, FOLLOWEDBY, a qualifier or "
			      "the end");
	if (parser.limit)
		return TC_LIMIT;
	return pattern_out->problem == NULL && pattern_out->root != NULL
		   ? TC_OK
		   : TC_INVALID;
}

/* ------------------------------------------------------------------------ LIKE */

/* Length of the character at the front. */
static size_t
character_length(struct slice text)
{
	struct slice rest = text;

	utf8_next(&rest, NULL);
	return text.length - rest.length;
}

bool
stix_like(struct slice value, struct slice pattern)
{
	size_t at = 0, p = 0, star = SIZE_MAX, resume = 0;

	while (at < value.length) {
		if (p < pattern.length && pattern.data[p] == '%') {
			star = p++;
			resume = at;
		} else if (p < pattern.length && pattern.data[p] == '_') {
			at += character_length(slice_skip(value, at));
			p++;
		} else if (p < pattern.length &&
			   pattern.data[p] == value.data[at]) {
			at++;
			p++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			at = ++resume;
		} else {
			return false;
		}
	}
	while (p < pattern.length && pattern.data[p] == '%')
		p++;
	return p == pattern.length;
}
