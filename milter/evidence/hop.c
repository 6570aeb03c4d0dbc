#include <config.h>

#include <stdint.h>
#include <string.h>

#include "evidence/hop.h"

/* Words of one field that are looked at; ordinary ones have under 40. */
#define WORDS_MAX      256
#define DATE_WORDS_MAX 6  /* "Mon, 23 Nov 2026 10:00:00 +0100" */
#define COMMENT_MAX    16 /* nesting of comments that is followed */

/* A piece of the field: a word, a comment with its parentheses, or the ';'
 * before the date. */
struct piece {
	enum {
		PIECE_WORD,
		PIECE_COMMENT,
		PIECE_END
	} kind;
	struct slice text; /* a comment's without the outer parentheses */
	bool open;         /* a comment that does not end */
};

/* A field under way. What a client says of itself stands beside what the
 * writer saw of it, in every form there is; where the two cannot be told apart
 * the field is `odd`, and no one may rely on it. */
struct reading {
	struct hop hop;
	struct slice *wanted; /* takes the next word */
	bool odd;
	bool wrote_exim;   /* "(Exim 4.96)" after with */
	bool has_helo;     /* "(HELO ...)" does */
	unsigned comments; /* of all kinds between from and by */
	unsigned peers;    /* of these, such that name an address */
	unsigned froms, bys;
};

/* The length of the comment that starts `text`, its parentheses included;
 * without an end it is all that is left. */
static size_t
comment_length(struct slice text, bool *open_out)
{
	size_t depth = 0, i;

	*open_out = false;
	for (i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '\\' && i + 1 < text.length)
			i++;
		else if (c == '(' && depth < COMMENT_MAX)
			depth++;
		else if (c == '(')
			*open_out = true;
		else if (c == ')' && --depth == 0)
			return i + 1;
	}
	*open_out = true;
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
	piece_out->open = false;
	if (rest->length == 0)
		return false;
	if (rest->data[0] == ';') {
		piece_out->kind = PIECE_END;
		piece_out->text = slice_trim(slice_skip(*rest, 1));
		*rest = slice_skip(*rest, rest->length);
		return true;
	}
	if (rest->data[0] == '(') {
		length = comment_length(*rest, &piece_out->open);
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
 * brackets. */
static bool
literal_parse(struct slice text, struct ipaddr *ip_out)
{
	static const struct slice tag = SLICE_LITERAL("IPv6:");

	text = slice_trim(text);
	if (slice_starts_with_fold(text, tag))
		text = slice_skip(text, tag.length);
	return ipaddr_parse(text, ip_out);
}

/* Counts the [address]es that are no value of a parameter and gives the last:
 * Exim writes ([192.0.2.1] helo=[10.0.0.1]), and only the first of these is
 * the client's. */
static unsigned
bracketed_addresses(struct slice text, struct ipaddr *ip_out)
{
	unsigned count = 0;

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
			count++;
	}
	return count;
}

static bool
is_literal(struct slice word)
{
	return word.length > 2 && word.data[0] == '[';
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

/* What follows "helo=", up to the next parameter. */
static bool
helo_parameter(struct slice text, struct slice *value_out)
{
	static const struct slice name = SLICE_LITERAL("helo=");
	size_t at = slice_find_fold(text, name);
	struct slice value;

	if (at == SIZE_MAX)
		return false;
	value = slice_skip(text, at + name.length);
	*value_out = slice_range(value, 0, word_length(value));
	return true;
}

/* Whether the writer's own words stand where its form has them: the address
 * first, or second behind one name ("IDENT:user@" in front, or the address
 * right behind that). What follows may be the client's. */
static bool
is_peer_form(struct slice text)
{
	struct slice word, rest;
	size_t at;

	text = slice_trim(text);
	word = slice_range(text, 0, word_length(text));
	rest = slice_trim(slice_skip(text, word.length));
	at = slice_find_last_byte(word, '@');
	if (at != SIZE_MAX)
		word = slice_skip(word, at + 1);
	return is_literal(word) ||
	       (is_literal(rest) && slice_find_byte(word, '=') == SIZE_MAX &&
		   slice_find_byte(word, '[') == SIZE_MAX);
}

/* "(192.0.2.1)" of Exchange, "(user@192.0.2.1)" of qmail. */
static bool
bare_address(struct slice text, struct ipaddr *ip_out)
{
	size_t at = slice_find_last_byte(text, '@');

	return literal_parse(
	    at == SIZE_MAX ? text : slice_skip(text, at + 1), ip_out);
}

/* A comment that names an address. A second one that names another is a
 * client's that passes itself off as the writer's. */
static bool
read_peer(struct reading *reading, struct slice text)
{
	struct hop *hop = &reading->hop;
	struct ipaddr ip;
	struct slice helo;
	unsigned bracketed = bracketed_addresses(text, &ip);

	if (bracketed == 0 && !bare_address(text, &ip))
		return false;
	if (bracketed > 1 || (bracketed == 1 && !is_peer_form(text)))
		reading->odd = true;
	if (reading->peers++ > 0) {
		reading->odd |= !ipaddr_equal(&ip, &hop->ip);
		return true;
	}
	hop->has_ip = true;
	hop->ip = ip;
	/* Exim: from verified.name ([192.0.2.1] helo=claimed) */
	if (helo_parameter(text, &helo)) {
		hop->name = hop->helo;
		hop->helo = helo;
	}
	if (hop->name.length == 0 && bracketed > 0)
		hop->name = comment_name(text);
	return true;
}

/* Exim: from [192.0.2.1] (port=25 helo=claimed). The claim may hold anything
 * where junk is accepted. */
static bool
read_parameters(struct reading *reading, struct slice text)
{
	static const char *const names[] = { "helo=", "port=", "ident=" };
	struct hop *hop = &reading->hop;
	struct ipaddr unused;
	struct slice helo;
	bool found = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		found |= slice_starts_with_fold(text, slice_text(names[i]));
	if (!found || !is_literal(hop->helo))
		return false;
	/* Only a client closes the first and opens another. */
	if (reading->peers > 0 || reading->has_helo) {
		reading->odd = true;
		return true;
	}
	reading->odd |= bracketed_addresses(text, &unused) > 0 ||
			slice_find_byte(text, '(') != SIZE_MAX;
	if (bracketed_addresses(hop->helo, &hop->ip) != 1)
		reading->odd = true;
	else
		hop->has_ip = true;
	reading->peers++;
	if (helo_parameter(text, &helo))
		hop->helo = helo;
	return true;
}

/* qmail: from name (HELO claimed) (192.0.2.1), LMTP servers with LHLO;
 * CommuniGate: from [192.0.2.1] (HELO claimed) */
static bool
read_helo_comment(struct reading *reading, struct slice text)
{
	static const char *const names[] = { "HELO ", "EHLO ", "LHLO " };
	struct hop *hop = &reading->hop;
	struct ipaddr unused;
	bool found = false;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		found |= slice_starts_with_fold(text, slice_text(names[i]));
	if (!found)
		return false;
	text = slice_trim(slice_skip(text, strlen(names[0])));
	reading->odd |=
	    reading->has_helo || slice_find_byte(text, '(') != SIZE_MAX ||
	    (!is_literal(text) && bracketed_addresses(text, &unused) > 0);
	reading->has_helo = true;
	if (is_literal(hop->helo) && reading->peers == 0 &&
	    bracketed_addresses(hop->helo, &hop->ip) == 1) {
		hop->has_ip = true;
		reading->peers++;
	} else if (hop->name.length == 0) {
		hop->name = hop->helo;
	}
	hop->helo = text;
	return true;
}

/* A comment after the "from" name: where the writer of the field says what it
 * saw of the client. */
static void
read_from_comment(struct reading *reading, struct slice text)
{
	reading->comments++;
	if (read_helo_comment(reading, text) ||
	    read_parameters(reading, text) || read_peer(reading, text))
		return;
	/* Others tell about TLS and logins, behind the one with the address. */
	if (reading->peers == 0)
		reading->odd = true;
}

/* The date is all that follows the ';'. More is a sign that the field before
 * it was the client's invention. */
static void
read_date(struct reading *reading, struct slice text)
{
	struct slice rest = text;
	struct piece piece;
	unsigned words = 0;

	hop_date(text, &reading->hop.time_unix);
	while (piece_next(&rest, &piece)) {
		words += piece.kind == PIECE_WORD;
		reading->odd |= piece.kind == PIECE_END || piece.open;
	}
	reading->odd |= words > DATE_WORDS_MAX;
}

static void
read_word(struct reading *reading, struct slice word)
{
	struct hop *hop = &reading->hop;

	if (reading->wanted != NULL) {
		*reading->wanted = word;
		reading->wanted = NULL;
	} else if (reading->froms == 0 && reading->bys == 0 &&
		   slice_equal_text_fold(word, "from")) {
		reading->froms++;
		reading->wanted = &hop->helo;
	} else if (slice_equal_text_fold(word, "by")) {
		if (reading->bys++ == 0)
			reading->wanted = &hop->by;
	} else if (slice_equal_text_fold(word, "with")) {
		if (hop->with.length == 0)
			reading->wanted = &hop->with;
	} else if (reading->froms > 0 && reading->bys == 0 &&
		   !slice_equal_text_fold(word, "via")) {
		reading->odd = true; /* a claim of several words */
	}
}

static void
read_comment(struct reading *reading, const struct piece *piece, bool claimed)
{
	reading->odd |= piece->open;
	if (reading->froms > 0 && reading->bys == 0) {
		/* "from (" is a client that gave no name. */
		reading->wanted = NULL;
		if (claimed && reading->hop.helo.length > 0)
			reading->odd = true;
		else
			read_from_comment(reading, piece->text);
	} else if (reading->wanted != NULL) {
		reading->odd |= reading->bys > 0; /* "by" without a name */
	} else if (reading->hop.with.length > 0) {
		reading->wrote_exim |=
		    slice_starts_with(piece->text, SLICE_LITERAL("Exim "));
	}
}

/* Exim writes the bare [192.0.2.1] of a client without a name; of others it
 * would be what the client said. */
static void
conclude(struct reading *reading)
{
	struct hop *hop = &reading->hop;

	if (!hop->has_ip && reading->comments == 0 && is_literal(hop->helo)) {
		hop->has_ip = bracketed_addresses(hop->helo, &hop->ip) == 1;
		reading->odd |= !reading->wrote_exim;
	}
	hop->certain = !reading->odd && reading->wanted == NULL &&
		       (reading->froms == 0 || reading->bys == 1);
	hop->local =
	    hop->certain && !hop->has_ip &&
	    (reading->froms == 0 || slice_equal_text_fold(hop->with, "local"));
}

struct hop
hop_parse(struct slice value)
{
	struct reading reading = { 0 };
	struct piece piece = { .kind = PIECE_COMMENT };

	for (unsigned i = 0;; i++) {
		/* The writer leaves a blank before its comment; one that sticks
		 * to the name came with the name, from the client. */
		bool claimed = piece.kind == PIECE_WORD && value.length > 0 &&
			       value.data[0] == '(';

		if (!piece_next(&value, &piece))
			break;
		if (i == WORDS_MAX) {
			reading.odd = true;
			break;
		}
		if (piece.kind == PIECE_END)
			read_date(&reading, piece.text);
		else if (piece.kind == PIECE_COMMENT)
			read_comment(&reading, &piece, claimed);
		else
			read_word(&reading, piece.text);
	}
	conclude(&reading);
	return reading.hop;
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
