#include <config.h>

#include <stdint.h>

#include "base/utf8.h"
#include "language/superset.h"

#define NESTING_MAX 40
#define NO_END      UINT32_MAX
#define REPEAT_MAX  200  /* more repeats become any number of them */
#define TEXT_MAX    2000 /* octets of a text, four characters each */

/* What stands in the pattern for one character: the ASCII ones by number, and
 * whether any other could. */
struct characters {
	uint64_t ascii[2];
	bool others;
};

struct reader {
	struct slice rest;
	struct builder *out;
	bool fold;      /* case is ignored throughout */
	bool mixed;     /* options were set inside: fold is not certain */
	bool dot_all;   /* . may be a line feed */
	bool multiline; /* ^ and $ at each line */
	bool bad;
	unsigned depth;
};

/* How often, and what one of it is at least. */
struct repeat {
	uint32_t least, most;
	bool given;
};

/* ----------------------------------------------------------- characters */

static void
add(struct characters *set, uint32_t c)
{
	if (c >= 0x80)
		set->others = true;
	else
		set->ascii[c / 64] |= UINT64_C(1) << c % 64;
}

static bool
holds(const struct characters *set, uint32_t c)
{
	return (set->ascii[c / 64] >> c % 64 & 1) != 0;
}

static void
add_range(struct characters *set, uint32_t first, uint32_t last)
{
	for (uint32_t c = first; c <= last && c < 0x80; c++)
		add(set, c);
	if (last >= 0x80)
		set->others = true;
}

static void
add_all(struct characters *set)
{
	add_range(set, 0, 0x80);
}

static void
complement(struct characters *set)
{
	set->ascii[0] = ~set->ascii[0];
	set->ascii[1] = ~set->ascii[1];
	set->others = true;
}

static void
add_both_cases(struct characters *set)
{
	for (uint32_t c = 'a'; c <= 'z'; c++) {
		if (holds(set, c))
			add(set, c - 'a' + 'A');
		else if (holds(set, c - 'a' + 'A'))
			add(set, c);
	}
}

/* The set as it is found in folded text. */
static struct characters
folded_set(struct characters set)
{
	for (uint32_t c = 'A'; c <= 'Z'; c++) {
		if (!holds(&set, c))
			continue;
		add(&set, utf8_fold(c));
		set.ascii[c / 64] &= ~(UINT64_C(1) << c % 64);
	}
	if (set.others) { /* U+0130 and U+0131, U+017F, U+212A */
		add(&set, 'i');
		add(&set, 's');
		add(&set, 'k');
	}
	return set;
}

/* Adds what \w and the like stand for; `exact_out` is cleared where the ASCII
 * part may hold more than it should. False when it is none of them. */
static bool
add_type(struct characters *set, char letter, bool *exact_out)
{
	struct characters type = { { 0, 0 }, true };

	switch (letter) {
	case 'd':
	case 'D':
		add_range(&type, '0', '9');
		break;
	case 'w':
	case 'W':
		add_range(&type, '0', '9');
		add_range(&type, 'A', 'Z');
		add_range(&type, 'a', 'z');
		add(&type, '_');
		break;
	case 's':
	case 'S':
		add_range(&type, '\t', '\r');
		add(&type, ' ');
		break;
	case 'h':
	case 'H':
		add(&type, '\t');
		add(&type, ' ');
		break;
	case 'v':
	case 'V':
		add_range(&type, '\n', '\r');
		break;
	case 'N':
		add(&type, '\n');
		complement(&type);
		break;
	case 'p':
	case 'P':
		add_all(&type);
		*exact_out = false;
		break;
	default:
		return false;
	}
	if (letter < 'a' && letter != 'N' && letter != 'P')
		complement(&type);
	set->ascii[0] |= type.ascii[0];
	set->ascii[1] |= type.ascii[1];
	set->others = true;
	return true;
}

/* -------------------------------------------------------------- reading */

static bool
at_end(const struct reader *reader)
{
	return reader->rest.length == 0;
}

static bool
take(struct reader *reader, const char *text)
{
	if (!slice_starts_with(reader->rest, slice_text(text)))
		return false;
	reader->rest = slice_skip(reader->rest, strlen(text));
	return true;
}

static char
take_byte(struct reader *reader)
{
	char byte;

	if (at_end(reader)) {
		reader->bad = true;
		return '\0';
	}
	byte = reader->rest.data[0];
	reader->rest = slice_skip(reader->rest, 1);
	return byte;
}

static void
skip_past(struct reader *reader, char byte)
{
	size_t at = slice_find_byte(reader->rest, byte);

	if (at == SIZE_MAX)
		reader->bad = true;
	else
		reader->rest = slice_skip(reader->rest, at + 1);
}

/* \x41, \x{1f600}. */
static uint32_t
take_hex(struct reader *reader)
{
	bool braced = take(reader, "{");
	uint32_t value = 0;
	unsigned digits = 0;

	while (!at_end(reader) && digits < (braced ? 8 : 2)) {
		int digit = ascii_hex_value(reader->rest.data[0]);

		if (digit < 0)
			break;
		value = value * 16 + (uint32_t)digit;
		reader->rest = slice_skip(reader->rest, 1);
		digits++;
	}
	if ((braced && !take(reader, "}")) || value > 0x10ffff)
		reader->bad = true;
	return value;
}

/* The character after a backslash, where it stands for one. False: it does
 * not (then it is a type, an assertion or not understood). */
static bool
escaped_character(struct reader *reader, char letter, uint32_t *c_out)
{
	static const char letters[] = "tnrfea", codes[] = "\t\n\r\f\033\a";
	const char *at = strchr(letters, letter);

	if (letter == 'x') {
		*c_out = take_hex(reader);
		return true;
	}
	if (letter != '\0' && at != NULL) {
		*c_out = (uint32_t)codes[at - letters];
		return true;
	}
	if ((unsigned char)letter >= 0x80 || letter < ' ' ||
	    ascii_is_digit(letter) || (letter >= 'A' && letter <= 'Z') ||
	    (letter >= 'a' && letter <= 'z'))
		return false;
	*c_out = (uint32_t)letter;
	return true;
}

/* One character as it stands; octets that are no UTF-8 are not in a pattern. */
static uint32_t
take_character(struct reader *reader)
{
	bool valid;
	uint32_t c;

	if (at_end(reader)) {
		reader->bad = true;
		return 0;
	}
	c = utf8_next(&reader->rest, &valid);
	reader->bad = reader->bad || !valid;
	return c;
}

/* {2}, {2,}, {2,5} where that is what stands there. */
static bool
take_counts(struct reader *reader, struct repeat *repeat)
{
	struct slice rest = slice_skip(reader->rest, 1);
	uint32_t numbers[2] = { 0, 0 };
	size_t digits[2] = { 0, 0 };
	bool comma = false;

	while (rest.length > 0 && rest.data[0] != '}') {
		if (rest.data[0] == ',' && !comma)
			comma = true;
		else if (!ascii_is_digit(rest.data[0]))
			return false;
		else if (++digits[comma] > 5)
			reader->bad = true;
		else
			numbers[comma] = numbers[comma] * 10 +
					 (uint32_t)(rest.data[0] - '0');
		rest = slice_skip(rest, 1);
	}
	if (rest.length == 0 || digits[0] == 0) {
		/* Newer versions of PCRE2 read {,5} as a count. */
		reader->bad = reader->bad || comma;
		return false;
	}
	repeat->least = numbers[0];
	repeat->most = !comma ? numbers[0] : digits[1] ? numbers[1] : NO_END;
	reader->rest = slice_skip(rest, 1);
	return true;
}

/* Another repeat, of what is repeated already? */
static bool
repeats(struct reader *reader)
{
	struct repeat ignored;

	if (at_end(reader))
		return false;
	return strchr("*+?", reader->rest.data[0]) != NULL ||
	       (reader->rest.data[0] == '{' && take_counts(reader, &ignored));
}

static struct repeat
take_repeat(struct reader *reader)
{
	struct repeat repeat = { 1, 1, true };

	if (take(reader, "*"))
		repeat = (struct repeat){ 0, NO_END, true };
	else if (take(reader, "+"))
		repeat = (struct repeat){ 1, NO_END, true };
	else if (take(reader, "?"))
		repeat = (struct repeat){ 0, 1, true };
	else if (at_end(reader) || reader->rest.data[0] != '{' ||
		 !take_counts(reader, &repeat))
		repeat.given = false;
	/* Lazy or possessive: what can match is the same, or less. */
	if (repeat.given && !take(reader, "+"))
		(void)take(reader, "?");
	if (repeat.given && repeats(reader))
		reader->bad = true; /* a{2}{3} */
	return repeat;
}

/* ------------------------------------------------------------- writing */

static void
write_octet(struct builder *out, unsigned char octet)
{
	if (ascii_is_digit((char)octet) || (octet >= 'a' && octet <= 'z'))
		builder_byte(out, (char)octet);
	else
		builder_printf(out, "\\x%02x", octet);
}

static void
write_repeat(struct builder *out, struct repeat repeat)
{
	if (repeat.least > REPEAT_MAX)
		repeat.least = REPEAT_MAX;
	if (repeat.most > REPEAT_MAX)
		repeat.most = NO_END;
	if (repeat.least == 1 && repeat.most == 1)
		return;
	if (repeat.most == NO_END)
		builder_printf(out, "{%u,}", repeat.least);
	else
		builder_printf(out, "{%u,%u}", repeat.least, repeat.most);
}

/* [...] over octets. Another character is 2 to 4 of them. */
static void
write_set(
    struct builder *out, const struct characters *given, struct repeat repeat)
{
	struct characters set = folded_set(*given);

	builder_byte(out, '[');
	for (unsigned c = 0; c < 0x80; c++) {
		unsigned last = c;

		if (!holds(&set, c))
			continue;
		while (last + 1 < 0x80 && holds(&set, last + 1))
			last++;
		builder_printf(out, "\\x%02x-\\x%02x", c, last);
		c = last;
	}
	if (set.others)
		builder_text(out, "\\x80-\\xff");
	builder_byte(out, ']');
	if (set.others && repeat.most != NO_END)
		repeat.most *= 4; /* at most 400,000 */
	write_repeat(out, repeat);
}

/* Returns the least number of octets. */
static size_t
write_character(struct builder *out, uint32_t c, struct repeat repeat)
{
	char octets[4];
	size_t length = utf8_encode(utf8_fold(c), octets);
	bool group = length > 1 && (repeat.least != 1 || repeat.most != 1);

	if (group)
		builder_text(out, "(?:");
	for (size_t i = 0; i < length; i++)
		write_octet(out, (unsigned char)octets[i]);
	if (group)
		builder_byte(out, ')');
	write_repeat(out, repeat);
	return length * repeat.least;
}

/* ------------------------------------------------------------- classes */

/* One end of a range, or a type. */
static bool
class_member(
    struct reader *reader, struct characters *set, bool *exact, uint32_t *c_out)
{
	char letter;

	if (take(reader, "[:")) { /* [:alpha:], by Unicode's properties */
		size_t end = slice_find(reader->rest, slice_text(":]"));

		if (end == SIZE_MAX ||
		    slice_find_byte(reader->rest, ']') != end + 1)
			reader->bad = true; /* or two characters */
		reader->rest =
		    slice_skip(reader->rest, end == SIZE_MAX ? 0 : end + 2);
		add_all(set);
		*exact = false;
		return false;
	}
	if (!take(reader, "\\")) {
		*c_out = take_character(reader);
		return true;
	}
	letter = take_byte(reader);
	if (letter == 'b') {
		*c_out = '\b';
		return true;
	}
	if (escaped_character(reader, letter, c_out))
		return true;
	if (letter == 'N' || !add_type(set, letter, exact))
		reader->bad = true;
	if ((letter == 'p' || letter == 'P') && take(reader, "{"))
		skip_past(reader, '}');
	else if (letter == 'p' || letter == 'P')
		(void)take_byte(reader);
	return false;
}

/* After the opening bracket. */
static struct characters
take_class(struct reader *reader)
{
	struct characters set = { { 0, 0 }, false };
	bool negated = take(reader, "^"), exact = true, first = true;
	uint32_t low, high;

	for (; !reader->bad && (first || !take(reader, "]")); first = false) {
		if (!class_member(reader, &set, &exact, &low))
			continue;
		high = low;
		if (reader->rest.length > 1 && reader->rest.data[0] == '-' &&
		    reader->rest.data[1] != ']') {
			(void)take(reader, "-");
			exact = exact && low != '-';
			if (!class_member(reader, &set, &exact, &high))
				reader->bad = true; /* [a-\d] */
		}
		add_range(&set, low, high);
	}
	if (!negated) {
		/* [\x{212a}] without case is a k as well: folding sees to it */
		if (reader->fold || reader->mixed)
			add_both_cases(&set);
		return set;
	}
	/* What is not certain to be left out stays in. */
	if (reader->fold && !reader->mixed)
		add_both_cases(&set);
	if (!exact)
		set.ascii[0] = set.ascii[1] = 0;
	complement(&set);
	return set;
}

/* -------------------------------------------------------------- groups */

static size_t take_alternatives(struct reader *reader);

/* (?i), (?s-i:...): true when a group of its own follows. */
static bool
take_options(struct reader *reader)
{
	bool off = false;

	while (!reader->bad) {
		switch (take_byte(reader)) {
		case '-':
			off = true;
			break;
		case 'i':
			reader->mixed = true;
			break;
		case 's':
			reader->dot_all = reader->dot_all || !off;
			break;
		case 'm':
			reader->multiline = reader->multiline || !off;
			break;
		case ':':
			return true;
		case ')':
			return false;
		default:
			reader->bad = true;
		}
	}
	return false;
}

/* Reads a group without writing it: what is looked ahead or behind for. */
static void
skip_group(struct reader *reader)
{
	struct builder *out = reader->out;
	struct builder nothing = builder_make(out->arena, SIZE_MAX);

	reader->out = &nothing;
	(void)take_alternatives(reader);
	reader->out = out;
	if (!take(reader, ")"))
		reader->bad = true;
}

/* What stands after the opening parenthesis. True when it is a group that
 * matches something, its contents being next. */
static bool
open_group(struct reader *reader)
{
	if (take(reader, "*")) {
		reader->bad = true; /* a verb */
		return false;
	}
	if (!take(reader, "?"))
		return true;
	if (take(reader, "#")) {
		skip_past(reader, ')');
		return false;
	}
	if (take(reader, "=") || take(reader, "!") || take(reader, "<=") ||
	    take(reader, "<!")) {
		skip_group(reader);
		return false;
	}
	if (take(reader, ":") || take(reader, ">") || take(reader, "|"))
		return true;
	if (take(reader, "P<") || take(reader, "<")) {
		skip_past(reader, '>');
		return true;
	}
	if (take(reader, "'")) {
		skip_past(reader, '\'');
		return true;
	}
	return take_options(reader);
}

/* A repeated group: the least octets of all of it. */
static size_t
take_group(struct reader *reader)
{
	struct repeat repeat;
	size_t least;

	if (reader->depth >= NESTING_MAX) {
		reader->bad = true;
		return 0;
	}
	reader->depth++;
	if (!open_group(reader)) {
		reader->depth--;
		/* It would be of what stands before a (?#comment). */
		if (take_repeat(reader).given)
			reader->bad = true;
		return 0;
	}
	builder_text(reader->out, "(?:");
	least = take_alternatives(reader);
	if (!take(reader, ")"))
		reader->bad = true;
	reader->depth--;
	repeat = take_repeat(reader);
	builder_byte(reader->out, ')');
	write_repeat(reader->out, repeat);
	return least * repeat.least;
}

/* --------------------------------------------------------------- terms */

static size_t
set_term(struct reader *reader, const struct characters *set)
{
	struct repeat repeat = take_repeat(reader);

	write_set(reader->out, set, repeat);
	return repeat.least;
}

/* Anything at all: what an earlier group matched. */
static size_t
anything(struct reader *reader)
{
	(void)take_repeat(reader);
	builder_text(reader->out, "[\\x00-\\xff]{0,}");
	return 0;
}

static size_t
anchor(struct reader *reader, const char *text, bool each_line)
{
	/* Where a line may begin anywhere it is left out. */
	if (!each_line)
		builder_text(reader->out, text);
	if (take_repeat(reader).given)
		reader->bad = true;
	return 0;
}

static size_t
escape_term(struct reader *reader)
{
	struct characters set = { { 0, 0 }, false };
	char letter = take_byte(reader);
	bool exact = true;
	uint32_t c;

	if (escaped_character(reader, letter, &c))
		return write_character(reader->out, c, take_repeat(reader));
	/* \A and \z also match beside octets that are no UTF-8. */
	if (letter != '\0' && strchr("bBAZz", letter) != NULL)
		return anchor(reader, "", true);
	if (letter >= '1' && letter <= '9' &&
	    (at_end(reader) || !ascii_is_digit(reader->rest.data[0])))
		return anything(reader);
	if (letter == 'N' && !at_end(reader) && reader->rest.data[0] == '{')
		reader->bad = true;
	if (!add_type(&set, letter, &exact)) {
		reader->bad = true;
		return 0;
	}
	if ((letter == 'p' || letter == 'P') && take(reader, "{"))
		skip_past(reader, '}');
	else if (letter == 'p' || letter == 'P')
		(void)take_byte(reader);
	return set_term(reader, &set);
}

static size_t
take_term(struct reader *reader)
{
	struct characters set = { { 0, 0 }, false };
	uint32_t c;

	if (take(reader, "("))
		return take_group(reader);
	if (take(reader, "[")) {
		set = take_class(reader);
		return set_term(reader, &set);
	}
	if (take(reader, "\\"))
		return escape_term(reader);
	if (take(reader, "^"))
		return anchor(reader, "^", reader->multiline);
	if (take(reader, "$"))
		return anchor(reader, "$", reader->multiline);
	if (take(reader, ".")) {
		if (!reader->dot_all)
			add(&set, '\n');
		complement(&set);
		return set_term(reader, &set);
	}
	c = take_character(reader);
	return write_character(reader->out, c, take_repeat(reader));
}

/* Up to the closing parenthesis or the end; the least octets of a match. */
static size_t
take_alternatives(struct reader *reader)
{
	size_t least = SIZE_MAX, branch = 0;

	while (!reader->bad && !at_end(reader) && reader->rest.data[0] != ')') {
		if (!take(reader, "|")) {
			branch += take_term(reader);
			continue;
		}
		builder_byte(reader->out, '|');
		least = branch < least ? branch : least;
		branch = 0;
	}
	return branch < least ? branch : least;
}

bool
superset_of_regex(struct slice pattern, bool fold, struct builder *out)
{
	struct reader reader = { .rest = pattern, .out = out, .fold = fold };
	size_t least;

	if (slice_find(pattern, slice_text("\\Q")) != SIZE_MAX)
		return false;
	least = take_alternatives(&reader);
	return !reader.bad && at_end(&reader) && least > 0 && !out->failed;
}

bool
superset_of_text(struct slice folded, struct builder *out)
{
	if (folded.length == 0 || folded.length > TEXT_MAX)
		return false;
	for (size_t i = 0; i < folded.length; i++)
		write_octet(out, (unsigned char)folded.data[i]);
	return !out->failed;
}
