#include <config.h>

#include <stdint.h>
#include <string.h>

#include "indicator/feed_rule.h"

#define WORDS_MAX    8

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct feed_rule
bad(struct slice value)
{
	return (struct feed_rule){ .type = FEED_RULE_VALUE, .values = value };
}

static struct feed_rule
aside(const char *why)
{
	return (struct feed_rule){ .type = FEED_RULE_ASIDE, .why = why };
}

static const struct feed_rule keep = { .type = FEED_RULE_KEEP };
static const struct feed_rule none;

static bool
is_one_of(struct slice word, const char *const *words, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (slice_equal_text_fold(word, words[i]))
			return true;
	return false;
}

/* -------------------------------------------------- blockers of advertisements */

/* Options that make a rule no narrower. */
static bool
are_harmless(struct slice options)
{
	static const char *const words[] = { "important", "all", "document",
		"doc" };

	while (options.length > 0) {
		struct slice option;

		options = slice_split(options, ',', &option);
		if (!is_one_of(slice_trim(option), words, COUNT(words)))
			return false;
	}
	return true;
}

/* "/banner[0-9]+/", which no path of a page looks like. */
static bool
is_expression(struct slice line)
{
	static const char signs[] = "\\[](){}*+?^$|";

	if (line.length < 3 || line.data[0] != '/' ||
	    line.data[line.length - 1] != '/')
		return false;
	for (size_t i = 0; i < sizeof signs - 1; i++)
		if (slice_find_byte(line, signs[i]) != SIZE_MAX)
			return true;
	return false;
}

/* "||host^", "||host/path^", "|https://host/path|". */
static struct feed_rule
read_filter(struct slice line)
{
	size_t end;

	if (slice_starts_with(line, SLICE_LITERAL("@@")) ||
	    slice_find(line, SLICE_LITERAL("##")) != SIZE_MAX ||
	    slice_find(line, SLICE_LITERAL("#@#")) != SIZE_MAX)
		return aside("an exception, or a rule for a part of a page");
	if (is_expression(line))
		return aside("a regular expression");
	if (line.data[0] != '|')
		return none;
	end = slice_find_byte(line, '$');
	if (end != SIZE_MAX) {
		if (!are_harmless(slice_skip(line, end + 1)))
			return aside("a rule with conditions");
		line = slice_range(line, 0, end);
	}
	line = slice_skip(
	    line, slice_starts_with(line, SLICE_LITERAL("||")) ? 2 : 1);
	if (line.length > 0 && (line.data[line.length - 1] == '^' ||
				   line.data[line.length - 1] == '|'))
		line.length--;
	if (slice_starts_with(line, SLICE_LITERAL("*.")))
		line = slice_skip(line, 2);
	if (line.length == 0 || slice_find_byte(line, '*') != SIZE_MAX ||
	    slice_find_byte(line, '^') != SIZE_MAX)
		return aside("a rule with a wildcard");
	return bad(line);
}

/* ----------------------------------------------------------- dnsmasq, unbound */

/* "address=/evil.example/0.0.0.0", "server=/evil.example/", "local=/.../". */
static struct feed_rule
read_dnsmasq(struct slice line)
{
	static const char *const keys[] = { "address", "server", "local" };
	struct slice key, rest = slice_split(line, '=', &key), target;
	struct feed_rule rule;
	size_t end;

	key = slice_trim(key);
	rest = slice_trim(rest);
	if (!is_one_of(key, keys, COUNT(keys)) || rest.length < 2 ||
	    rest.data[0] != '/')
		return none;
	rest = slice_skip(rest, 1);
	end = slice_find_last_byte(rest, '/');
	if (end == SIZE_MAX)
		return none;
	target = slice_trim(slice_skip(rest, end + 1));
	if (!slice_equal_text_fold(key, "address") && target.length > 0)
		return aside("names another server for the domain");
	rule = bad(slice_range(rest, 0, end));
	rule.several = true;
	return rule;
}

/* Takes a word, or what stands in quotation marks, off the front. */
static struct slice
take_quoted(struct slice *rest)
{
	struct slice word;
	size_t end = 0;

	*rest = slice_trim(*rest);
	if (rest->length > 0 && rest->data[0] == '"') {
		*rest = slice_split(slice_skip(*rest, 1), '"', &word);
		return word;
	}
	while (end < rest->length && !ascii_is_space(rest->data[end]))
		end++;
	word = slice_range(*rest, 0, end);
	*rest = slice_skip(*rest, end);
	return word;
}

/* local-zone: "evil.example" always_nxdomain; local-data: "evil.example A ..."
 */
static struct feed_rule
read_unbound(struct slice line)
{
	static const char *const open[] = { "transparent", "typetransparent",
		"nodefault", "inform", "always_transparent", "noview" };
	struct slice rest, name, type;
	bool data = slice_starts_with_fold(line, SLICE_LITERAL("local-data:"));

	if (slice_equal_text_fold(line, "server:"))
		return keep;
	if (!data &&
	    !slice_starts_with_fold(line, SLICE_LITERAL("local-zone:")))
		return none;
	rest = slice_skip(line, sizeof "local-zone:" - 1);
	name = take_quoted(&rest);
	if (data)
		name = take_quoted(&name);
	type = take_quoted(&rest);
	if (!data && is_one_of(type, open, COUNT(open)))
		return aside("a zone that is answered as usual");
	return bad(name);
}

/* ------------------------------------------------------------------- zones */

/* "32.1.0.20.185.rpz-ip": the prefix length, then the address backwards. */
static struct feed_rule
read_rpz_ip(struct arena *arena, struct slice name)
{
	unsigned long parts[5] = { 0 };
	char *text;

	for (size_t i = 0; i < COUNT(parts); i++) {
		struct slice part;

		name = slice_split(name, '.', &part);
		if (!slice_parse_number(part, 255, &parts[i]))
			return aside("an address of a form that is not read");
	}
	if (parts[0] > 32 || !slice_equal_text_fold(name, "rpz-ip"))
		return aside("an address of a form that is not read");
	text = arena_printf(arena, "%lu.%lu.%lu.%lu/%lu", parts[4], parts[3],
	    parts[2], parts[1], parts[0]);
	return text == NULL ? none : bad(slice_text(text));
}

static struct feed_rule
read_rpz_name(
    const struct feed_rule_state *state, struct arena *arena, struct slice name)
{
	struct slice origin = slice_make(state->origin, state->origin_length);

	if (slice_starts_with(name, SLICE_LITERAL("*.")))
		name = slice_skip(name, 2);
	if (origin.length > 0 && name.length > origin.length + 1 &&
	    slice_ends_with(name, origin) &&
	    name.data[name.length - origin.length - 1] == '.')
		name.length -= origin.length + 1;
	if (slice_ends_with(name, SLICE_LITERAL(".rpz-ip")))
		return read_rpz_ip(arena, name);
	if (slice_find(name, SLICE_LITERAL(".rpz-")) != SIZE_MAX)
		return aside("a trigger that mail does not show");
	return bad(name);
}

static size_t
split_words(struct slice line, struct slice words[WORDS_MAX])
{
	size_t count = 0;

	for (line = slice_trim(line); line.length > 0 && count < WORDS_MAX;
	     line = slice_trim(line)) {
		size_t end = 0;

		while (end < line.length && !ascii_is_space(line.data[end]))
			end++;
		words[count++] = slice_range(line, 0, end);
		line = slice_skip(line, end);
	}
	return count;
}

/* Records at the top of a zone, which speak of the zone itself. */
static bool
is_housekeeping(const struct slice *words, size_t count)
{
	static const char *const types[] = { "SOA", "NS" };

	for (size_t i = 0; i < count && i < 4; i++)
		if (is_one_of(words[i], types, COUNT(types)))
			return count > i + 1;
	return count > 1 && slice_equal_text(words[0], "@");
}

/* NAME [TTL] [IN] CNAME|A|AAAA DATA */
static struct feed_rule
read_record(const struct feed_rule_state *state, struct arena *arena,
    const struct slice *words, size_t count)
{
	static const char *const types[] = { "CNAME", "A", "AAAA" };
	unsigned long ttl;
	size_t at = 1;

	if (at < count && slice_parse_number(words[at], 1000000000, &ttl))
		at++;
	if (at < count && slice_equal_text_fold(words[at], "IN"))
		at++;
	if (at + 2 != count || !is_one_of(words[at], types, COUNT(types)))
		return none;
	if (slice_equal_text_fold(words[at + 1], "rpz-passthru."))
		return aside("an exception");
	return read_rpz_name(state, arena, words[0]);
}

static struct feed_rule
read_zone(struct feed_rule_state *state, struct arena *arena, struct slice line)
{
	struct slice words[WORDS_MAX];
	size_t count = split_words(line, words);

	if (state->in_parentheses) {
		state->in_parentheses = slice_find_byte(line, ')') == SIZE_MAX;
		return keep;
	}
	if (count > 1 && slice_equal_text_fold(words[0], "$ORIGIN")) {
		state->origin_length = words[1].length < sizeof state->origin
					   ? words[1].length
					   : 0;
		memcpy(state->origin, words[1].data, state->origin_length);
		return keep;
	}
	if (count > 1 && slice_equal_text_fold(words[0], "$TTL"))
		return keep;
	if (count < 3)
		return count == 2 && slice_equal_text_fold(words[0], "NS")
			   ? keep
			   : none;
	if (is_housekeeping(words, count)) {
		state->in_parentheses =
		    slice_find_byte(line, '(') != SIZE_MAX &&
		    slice_find_byte(line, ')') == SIZE_MAX;
		return keep;
	}
	return read_record(state, arena, words, count);
}

/* "0.0.0.0 evil.example" in a list that is no hosts file otherwise. */
static struct feed_rule
read_hosts(struct slice line)
{
	static const char *const nowhere[] = { "0.0.0.0", "127.0.0.1",
		"::", "::1" };
	struct slice words[WORDS_MAX];

	return split_words(line, words) == 2 &&
		       is_one_of(words[0], nowhere, COUNT(nowhere))
		   ? bad(words[1])
		   : none;
}

struct feed_rule
feed_rule_read(
    struct feed_rule_state *state, struct arena *arena, struct slice line)
{
	struct feed_rule rule = none;

	if (line.length == 0)
		return none;
	if (!state->in_parentheses)
		rule = read_filter(line);
	if (rule.type == FEED_RULE_NONE && !state->in_parentheses)
		rule = read_dnsmasq(line);
	if (rule.type == FEED_RULE_NONE && !state->in_parentheses)
		rule = read_unbound(line);
	if (rule.type == FEED_RULE_NONE)
		rule = read_zone(state, arena, line);
	if (rule.type == FEED_RULE_NONE)
		rule = read_hosts(line);
	return rule;
}
