#include <config.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "indicator/feed_reader.h"
#include "indicator/feed_rule.h"
#include "indicator/normal.h"

/* What stands behind a value on its line: "# why", "; SBL123", "// why". A
 * mark inside a word belongs to the word (URLs). */
static struct slice
split_comment(
    struct slice line, char comment, bool semicolon, struct slice *rest_out)
{
	*rest_out = slice_make("", 0);
	for (size_t i = 0; i < line.length; i++) {
		bool slashes = line.data[i] == '/' && i + 1 < line.length &&
			       line.data[i + 1] == '/';

		if (line.data[i] != comment && !slashes &&
		    (!semicolon || line.data[i] != ';'))
			continue;
		if (i > 0 && line.data[i - 1] != ' ' &&
		    line.data[i - 1] != '\t')
			continue;
		*rest_out = slice_trim(slice_skip(line, i + 1 + slashes));
		return slice_trim(slice_range(line, 0, i));
	}
	return slice_trim(line);
}

/* "192.0.2.1;65": what is no value as it stands and has one before a
 * semicolon. */
static struct slice
without_score(struct feed_reader *reader, struct slice value)
{
	size_t end = slice_find_byte(value, ';');
	struct slice head = slice_trim(slice_range(value, 0, end));
	enum indicator_kind kind;

	return end != SIZE_MAX &&
		       !normal_guess_kind(reader->scratch, value, &kind) &&
		       normal_guess_kind(reader->scratch, head, &kind)
		   ? head
		   : value;
}

/* The length of "- ", "* ", a bullet or "12. " at the beginning of a line. */
static size_t
bullet_length(struct slice line)
{
	static const char *const bullets[] = { "-", "*", "+", "\xe2\x80\xa2",
		"\xe2\x80\x93", "\xc2\xb7" };
	size_t length = 0;

	for (size_t i = 0; i < sizeof bullets / sizeof bullets[0]; i++)
		if (slice_starts_with(line, slice_text(bullets[i])))
			length = strlen(bullets[i]);
	while (length < 4 && length < line.length &&
	       ascii_is_digit(line.data[length]))
		length++;
	if (length > 0 && length < line.length &&
	    ascii_is_digit(line.data[length - 1]) &&
	    (line.data[length] == '.' || line.data[length] == ')'))
		length++;
	return length > 0 && length < line.length &&
		       ascii_is_space(line.data[length])
		   ? length + 1
		   : 0;
}

/* "HASH  file name" of sha256sum and its like, "value<TAB>why", "- value": what
 * stands first, when it is a value and the whole is none. Before other words,
 * and of URLs behind a bullet, only what is defanged is meant as one: reports
 * hold sentences and references as well. */
static struct slice
first_word(struct feed_reader *reader, struct slice value, struct slice *why)
{
	size_t bullet = bullet_length(value), end = 0;
	struct slice line = slice_trim(slice_skip(value, bullet)), head, plain;
	enum indicator_kind kind;
	bool defanged = false;

	while (end < line.length && !ascii_is_space(line.data[end]))
		end++;
	if (line.length == 0 || (bullet == 0 && end == line.length))
		return value;
	head = plain = slice_range(line, 0, end);
	if (reader->config->refang)
		plain = normal_refang(reader->scratch, head, &defanged);
	if (!normal_guess_kind(reader->scratch, plain, &kind))
		return value;
	if (!defanged && indicator_digest_size(kind) == 0 &&
	    (end == line.length ? kind == INDICATOR_URL
				: line.data[end] != '\t'))
		return value;
	if (why->length == 0)
		*why = slice_trim(slice_skip(line, end));
	return head;
}

static void
read_value(struct feed_reader *reader, struct slice value, struct slice why)
{
	struct feed_item item;

	value = first_word(reader, without_score(reader, value), &why);
	if (!feed_reader_value(reader, value, NULL, &item))
		return;
	item.description = feed_reader_text(reader->scratch, why);
	feed_reader_item(reader, &item);
}

/* The values of a rule; a leading dot says "and all below". */
static void
read_values(struct feed_reader *reader, struct slice values, struct slice why)
{
	while (values.length > 0) {
		struct slice value;

		values = slice_split(values, '/', &value);
		if (value.length > 1 && value.data[0] == '.')
			value = slice_skip(value, 1);
		if (value.length > 0)
			read_value(reader, value, why);
	}
}

/* A line as it stands, or one that was written for another program. */
static void
read_line(struct feed_reader *reader, struct feed_rule_state *state,
    struct slice line, struct slice why)
{
	struct feed_rule rule = feed_rule_read(state, reader->scratch, line);

	switch (rule.type) {
	case FEED_RULE_NONE:
		read_value(reader, line, why);
		break;
	case FEED_RULE_VALUE:
		if (rule.several)
			read_values(reader, rule.values, why);
		else
			read_value(reader, rule.values, why);
		break;
	case FEED_RULE_ASIDE:
		feed_reader_reject(reader, FEED_NOT_VISIBLE, line, rule.why);
		break;
	case FEED_RULE_KEEP:
		feed_reader_skip(reader, FEED_NOT_INDICATOR);
		break;
	}
}

/* Names that every hosts file has for the machine itself. */
static bool
is_local_name(struct slice name)
{
	return slice_find_byte(name, '.') == SIZE_MAX ||
	       slice_equal_text_fold(name, "localhost.localdomain") ||
	       slice_equal_text_fold(name, "0.0.0.0");
}

/* "0.0.0.0 name [name ...]", or a bare name. */
static void
read_hosts_line(struct feed_reader *reader, struct slice line, struct slice why)
{
	enum indicator_kind domain = INDICATOR_DOMAIN;
	struct ipaddr address;
	bool first = true;

	while (line.length > 0) {
		struct feed_item item;
		struct slice word;
		size_t end = 0;

		while (end < line.length && !ascii_is_space(line.data[end]))
			end++;
		word = slice_range(line, 0, end);
		line = slice_trim(slice_skip(line, end));
		if (first && line.length > 0 && ipaddr_parse(word, &address)) {
			first = false;
			continue;
		}
		first = false;
		arena_reset(reader->scratch);
		if (is_local_name(word)) {
			feed_reader_skip(reader, FEED_NOT_INDICATOR);
		} else if (feed_reader_value(reader, word, &domain, &item)) {
			item.description = why;
			feed_reader_item(reader, &item);
		}
	}
}

/* A Loki file name is a regular expression over whole paths. What says no
 * more than a name (`\\name\.exe`, `name\.exe`) can be used; the rest speaks
 * of folders, which mail does not show. */
static bool
loki_file_name(
    struct arena *arena, struct slice expression, struct slice *name_out)
{
	struct builder name = builder_make(arena, NORMAL_KEY_MAX);

	if (expression.length > 0 &&
	    expression.data[expression.length - 1] == '$')
		expression.length--;
	if (slice_starts_with(expression, SLICE_LITERAL("\\\\")))
		expression = slice_skip(expression, 2);
	for (size_t i = 0; i < expression.length; i++) {
		char c = expression.data[i];

		if (c == '\\' && i + 1 < expression.length) {
			c = expression.data[++i];
			if (c == '\\' || ascii_is_alpha(c) || ascii_is_digit(c))
				return false;
		} else if (strchr("[](){}|*+?^$./\\", c) != NULL) {
			return false;
		}
		builder_byte(&name, c);
	}
	*name_out = builder_result(&name);
	return !name.failed && name.length > 3 &&
	       slice_find_byte(*name_out, '.') != SIZE_MAX;
}

static void
read_loki_line(struct feed_reader *reader, struct slice line)
{
	struct slice value, rest = slice_split(line, ';', &value), name;
	enum indicator_kind kind;
	struct feed_item item;

	value = slice_trim(value);
	if (normal_guess_kind(reader->scratch, value, &kind)) {
		read_value(reader, value, slice_trim(rest));
		return;
	}
	if (!loki_file_name(reader->scratch, value, &name)) {
		feed_reader_reject(reader, FEED_NOT_VISIBLE, value,
		    "a regular expression over paths, or a keyword");
		return;
	}
	item = feed_item_make(INDICATOR_FILENAME, name);
	/* Behind it stands a score, not a description. */
	feed_reader_item(reader, &item);
}

/* '!' and the first line in brackets are those of filter lists. */
static bool
is_comment(struct slice line, char comment)
{
	return line.data[0] == comment || line.data[0] == ';' ||
	       line.data[0] == '!' ||
	       slice_starts_with(line, SLICE_LITERAL("//")) ||
	       slice_starts_with_fold(line, SLICE_LITERAL("[adblock"));
}

enum tc_status
feed_list_read(
    struct feed_reader *reader, struct slice bytes, enum feed_format format)
{
	char comment =
	    reader->config->comment == 0 ? '#' : reader->config->comment;
	struct feed_rule_state state = { 0 };
	struct slice line;
	bool cut;

	while (!reader->stopped) {
		struct slice why;

		feed_file_more(reader, &bytes);
		if (!feed_reader_line(
			&bytes, &line, reader->limits->line_bytes_max, &cut))
			break;
		arena_reset(reader->scratch);
		line = slice_trim(line);
		if (line.length == 0)
			continue;
		if (cut) {
			feed_reader_beyond(reader, FEED_LIMIT_LINE,
			    FEED_BAD_OBJECT, slice_range(line, 0, 80),
			    "the line is too long");
			continue;
		}
		if (is_comment(line, comment))
			continue;
		if (format == FEED_FORMAT_LOKI) {
			read_loki_line(reader, line);
			continue;
		}
		line = split_comment(line, comment, true, &why);
		if (format == FEED_FORMAT_HOSTS)
			read_hosts_line(reader, line, why);
		else if (line.length > 0)
			read_line(reader, &state, line, why);
	}
	return TC_OK;
}
