#include <config.h>

#include <stdint.h>

#include "evidence/hop.h"

/* Words of one field that are looked at; ordinary ones have under 40. */
#define WORDS_MAX   256
#define COMMENT_MAX 16 /* nesting of comments that is followed */

/* A piece of the field: a word, a comment with its parentheses, or the ';'
 * before the date. */
struct piece {
	enum {
		PIECE_WORD,
		PIECE_COMMENT,
		PIECE_END
	} kind;
	struct slice text; /* a comment's without the outer parentheses */
};

/* The length of the comment that starts `text`, its parentheses included;
 * without an end it is all that is left. */
static size_t
comment_length(struct slice text)
{
	size_t depth = 0, i;

	for (i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '\\' && i + 1 < text.length)
			i++;
		else if (c == '(' && depth < COMMENT_MAX)
			depth++;
		else if (c == ')' && --depth == 0)
			return i + 1;
	}
	return text.length;
}

static size_t
word_length(struct slice text)
{
	size_t i;

	for (i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (ascii_is_space(c) || c == '(' || c == ';')
			break;
	}
	return i;
}

static bool
piece_next(struct slice *rest, struct piece *piece_out)
{
	size_t length;

	*rest = slice_trim(*rest);
	if (rest->length == 0)
		return false;
	if (rest->data[0] == ';') {
		piece_out->kind = PIECE_END;
		piece_out->text = slice_trim(slice_skip(*rest, 1));
		*rest = slice_skip(*rest, rest->length);
		return true;
	}
	if (rest->data[0] == '(') {
		length = comment_length(*rest);
		piece_out->kind = PIECE_COMMENT;
		piece_out->text = slice_range(*rest, 1,
		    rest->data[length - 1] == ')' ? length - 1 : length);
	} else {
		length = word_length(*rest);
		piece_out->kind = PIECE_WORD;
		piece_out->text = slice_range(*rest, 0, length);
	}
	*rest = slice_skip(*rest, length);
	return true;
}

/* Reads an address as Received fields write it: bare or IPv6:…, without
 * brackets; a port after an IPv4 address is dropped. */
static bool
literal_parse(struct slice text, struct ipaddr *ip_out)
{
	static const struct slice tag = SLICE_LITERAL("IPv6:");

	text = slice_trim(text);
	if (slice_starts_with_fold(text, tag))
		text = slice_skip(text, tag.length);
	return ipaddr_parse(text, ip_out);
}

/* Finds the last [address] that is no value of a parameter: Exim writes
 * ([192.0.2.1] helo=[10.0.0.1]), and only the first is the client's. */
static bool
bracketed_address(struct slice text, struct ipaddr *ip_out)
{
	bool found = false;

	for (size_t at = 0; at < text.length; at++) {
		struct slice rest;
		size_t end;

		if (text.data[at] != '[')
			continue;
		if (at > 0 && text.data[at - 1] == '=')
			continue;
		rest = slice_skip(text, at + 1);
		end = slice_find_byte(
		    slice_range(rest, 0, IPADDR_TEXT_MAX + 8), ']');
		if (end != SIZE_MAX &&
		    literal_parse(slice_range(rest, 0, end), ip_out))
			found = true;
	}
	return found;
}

/* The host name that opens a comment: "(mail.example.org. [192.0.2.1])". */
static struct slice
comment_name(struct slice text)
{
	struct slice word, ident;
	size_t at;

	text = slice_trim(text);
	word = slice_range(text, 0, word_length(text));
	at = slice_find_last_byte(word, '@'); /* IDENT:user@name */
	ident = at == SIZE_MAX ? word : slice_skip(word, at + 1);
	if (ident.length == 0 || ident.data[0] == '[' ||
	    slice_find_byte(ident, '=') != SIZE_MAX ||
	    slice_find_byte(ident, '.') == SIZE_MAX)
		return slice_make(NULL, 0);
	if (ident.data[ident.length - 1] == '.')
		ident.length--;
	return ident;
}

/* Exim: from verified.name ([192.0.2.1] helo=claimed) */
static void
read_helo_parameter(struct hop *hop, struct slice text)
{
	static const struct slice name = SLICE_LITERAL("helo=");
	size_t at = slice_find_fold(text, name);
	struct slice value;

	if (at == SIZE_MAX)
		return;
	value = slice_skip(text, at + name.length);
	if (hop->helo.length > 0 && hop->helo.data[0] == '[')
		hop->has_ip = bracketed_address(hop->helo, &hop->ip);
	else
		hop->name = hop->helo;
	hop->helo = slice_range(value, 0, word_length(value));
}

/* A comment after the "from" name: where the writer of the field says what it
 * saw of the client. */
static void
read_from_comment(struct hop *hop, struct slice text)
{
	static const struct slice helo = SLICE_LITERAL("HELO ");
	static const struct slice ehlo = SLICE_LITERAL("EHLO ");

	/* qmail: from name (HELO claimed) (192.0.2.1) */
	if (slice_starts_with_fold(text, helo) ||
	    slice_starts_with_fold(text, ehlo)) {
		if (hop->name.length == 0)
			hop->name = hop->helo;
		hop->helo = slice_trim(slice_skip(text, helo.length));
		return;
	}
	if (hop->has_ip)
		return;
	read_helo_parameter(hop, text);
	if (bracketed_address(text, &hop->ip)) {
		hop->has_ip = true;
		if (hop->name.length == 0)
			hop->name = comment_name(text);
	} else if (literal_parse(text, &hop->ip)) {
		hop->has_ip = true;
	}
}

struct hop
hop_parse(struct slice value)
{
	enum {
		AFTER_NOTHING,
		AFTER_FROM,
		AFTER_BY,
		AFTER_OTHER
	} place = AFTER_NOTHING;
	struct hop hop = { 0 };
	struct slice *wanted = NULL;
	struct piece piece = { .kind = PIECE_COMMENT };

	for (unsigned i = 0; i < WORDS_MAX; i++) {
		/* The writer leaves a blank before its comment; one that sticks
		 * to the name came with the name, from the client. */
		bool claimed = piece.kind == PIECE_WORD && value.length > 0 &&
			       value.data[0] == '(';

		if (!piece_next(&value, &piece))
			break;
		if (piece.kind == PIECE_END) {
			hop_date(piece.text, &hop.time_unix);
		} else if (piece.kind == PIECE_COMMENT) {
			if (place == AFTER_FROM && wanted == NULL && !claimed)
				read_from_comment(&hop, piece.text);
		} else if (wanted != NULL) {
			*wanted = piece.text;
			wanted = NULL;
		} else if (place == AFTER_NOTHING &&
			   slice_equal_text_fold(piece.text, "from")) {
			place = AFTER_FROM;
			wanted = &hop.helo;
		} else if (place != AFTER_BY && hop.by.length == 0 &&
			   slice_equal_text_fold(piece.text, "by")) {
			place = AFTER_BY;
			wanted = &hop.by;
		} else if (hop.with.length == 0 &&
			   slice_equal_text_fold(piece.text, "with")) {
			place = AFTER_OTHER;
			wanted = &hop.with;
		} else if (slice_equal_text_fold(piece.text, "id") ||
			   slice_equal_text_fold(piece.text, "for") ||
			   slice_equal_text_fold(piece.text, "via")) {
			place = AFTER_OTHER;
		}
	}
	if (!hop.has_ip && hop.helo.length > 2 && hop.helo.data[0] == '[')
		hop.has_ip = bracketed_address(hop.helo, &hop.ip);
	return hop;
}

/* Days before the first of a month in a year that starts in March (so that
 * the leap day is its last). */
static int64_t
days_since_epoch(int64_t year, unsigned month, unsigned day)
{
	int64_t shifted = month > 2 ? year : year - 1;
	int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
	unsigned of_era = (unsigned)(shifted - era * 400);
	unsigned of_year =
	    (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
	unsigned day_of_era =
	    of_era * 365 + of_era / 4 - of_era / 100 + of_year;

	return era * 146097 + (int64_t)day_of_era - 719468;
}

static const char month_names[12][4] = { "jan", "feb", "mar", "apr", "may",
	"jun", "jul", "aug", "sep", "oct", "nov", "dec" };

static unsigned
month_of(struct slice word)
{
	word = slice_range(word, 0, 3);
	for (unsigned i = 0; i < 12; i++)
		if (slice_equal_text_fold(word, month_names[i]))
			return i + 1;
	return 0;
}

/* RFC 5322, 4.3: names that are no number and not listed are -0000. */
static long
zone_seconds(struct slice word)
{
	static const struct {
		const char *name;
		int hours;
	} zones[] = { { "EST", -5 }, { "EDT", -4 }, { "CST", -6 },
		{ "CDT", -5 }, { "MST", -7 }, { "MDT", -6 }, { "PST", -8 },
		{ "PDT", -7 } };
	unsigned long digits;

	if (word.length == 5 && (word.data[0] == '+' || word.data[0] == '-') &&
	    slice_parse_number(slice_skip(word, 1), 9999, &digits)) {
		long seconds =
		    (long)(digits / 100) * 3600 + (long)(digits % 100) * 60;

		return word.data[0] == '-' ? -seconds : seconds;
	}
	for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++)
		if (slice_equal_text_fold(word, zones[i].name))
			return zones[i].hours * 3600L;
	return 0;
}

static bool
clock_seconds(struct slice word, unsigned long *seconds_out)
{
	struct slice hour, minute, second;
	unsigned long h, m, s = 0;

	second = slice_split(word, ':', &hour);
	second = slice_split(second, ':', &minute);
	if (!slice_parse_number(hour, 23, &h) ||
	    !slice_parse_number(minute, 59, &m))
		return false;
	if (second.length > 0 && !slice_parse_number(second, 60, &s))
		return false;
	*seconds_out = h * 3600 + m * 60 + s;
	return true;
}

bool
hop_date(struct slice text, time_t *time_out)
{
	struct slice words[5];
	struct piece piece;
	unsigned long day, year, seconds;
	unsigned count = 0, month;

	while (count < 5 && piece_next(&text, &piece)) {
		struct slice word = piece.text;

		if (piece.kind != PIECE_WORD)
			continue;
		/* the day of the week, with its comma */
		if (count == 0 && word.length > 0 &&
		    !ascii_is_digit(word.data[0])) {
			size_t comma = slice_find_byte(word, ',');

			if (comma == SIZE_MAX)
				continue;
			word = slice_skip(word, comma + 1);
			if (word.length == 0)
				continue;
		}
		words[count++] = word;
	}
	if (count < 4 || !slice_parse_number(words[0], 31, &day) || day == 0 ||
	    (month = month_of(words[1])) == 0 ||
	    !slice_parse_number(words[2], 9999, &year) ||
	    !clock_seconds(words[3], &seconds))
		return false;
	if (words[2].length == 2) /* RFC 5322, 4.3 */
		year += year < 50 ? 2000 : 1900;
	else if (words[2].length == 3)
		year += 1900;
	*time_out =
	    (time_t)(days_since_epoch((int64_t)year, month, (unsigned)day) *
			 86400 +
		     (int64_t)seconds -
		     (count > 4 ? zone_seconds(words[4]) : 0));
	return true;
}
