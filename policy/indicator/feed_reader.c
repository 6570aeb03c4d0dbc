#include <config.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "base/utf8.h"
#include "indicator/feed_reader.h"
#include "indicator/normal.h"

#define NS_DIGITS 9
/* Words for unknown types that are named; the others are counted. */
#define UNKNOWN_WORDS 20u
#define UNKNOWN_BYTES 60u

struct feed_item
feed_item_make(enum indicator_kind kind, struct slice value)
{
	return (struct feed_item){
		.kind = kind,
		.value = value,
		.roles = INDICATOR_ROLE_ANY,
		.confidence = INDICATOR_CONFIDENCE_ABSENT,
		.to_ids = true,
	};
}

void
feed_reader_item(struct feed_reader *reader, const struct feed_item *item)
{
	enum feed_reason reason =
	    reader->sink->item(reader->sink->context, item);

	if (!item->shared)
		reader->report->read++;
	else if (reason == FEED_USED || reason == FEED_REVOKED)
		return; /* the same pattern under one more key */
	if (reason == FEED_USED)
		reader->report->used++;
	else if ((unsigned)reason < FEED_REASONS)
		reader->report->reasons[reason]++;
	else
		reader->stopped = true;
}

void
feed_reader_reject(struct feed_reader *reader, enum feed_reason reason,
    struct slice what, const char *detail)
{
	reader->report->read++;
	reader->report->reasons[reason]++;
	if (reader->sink->rejected != NULL)
		reader->sink->rejected(
		    reader->sink->context, reason, what, detail);
}

void
feed_reader_beyond(struct feed_reader *reader, enum feed_limit limit,
    enum feed_reason reason, struct slice what, const char *detail)
{
	reader->report->limits[limit]++;
	feed_reader_reject(reader, reason, what, detail);
}

void
feed_reader_reject_version(struct feed_reader *reader,
    const struct feed_item *item, enum feed_reason reason, struct slice what,
    const char *detail)
{
	if (reader->sink->unused != NULL)
		reader->sink->unused(reader->sink->context, item);
	feed_reader_reject(reader, reason, what, detail);
}

void
feed_reader_unknown(struct feed_reader *reader, struct slice word)
{
	struct feed_report *report = reader->report;
	struct feed_unknown_type *slot;

	report->unknown_count++;
	for (size_t i = 0; i < report->unknown_types.count; i++) {
		slot = &report->unknown_types.items[i];
		if (slice_equal_text_fold(
			slice_range(word, 0, UNKNOWN_BYTES), slot->word)) {
			slot->count++;
			return;
		}
	}
	slot =
	    list_append(reader->arena, &report->unknown_types, UNKNOWN_WORDS);
	if (slot == NULL)
		return;
	*slot = (struct feed_unknown_type){ .count = 1,
		.word = arena_text(
		    reader->arena, slice_range(word, 0, UNKNOWN_BYTES)) };
	if (slot->word == NULL)
		report->unknown_types.count--;
}

void
feed_reader_skip(struct feed_reader *reader, enum feed_reason reason)
{
	reader->report->reasons[reason]++;
}

bool
feed_reader_line(
    struct slice *rest, struct slice *line_out, size_t bytes_max, bool *cut_out)
{
	const char *end, *bare;
	size_t length;

	if (rest->length == 0)
		return false;
	end = memchr(rest->data, '\n', rest->length);
	length = end == NULL ? rest->length : (size_t)(end - rest->data);
	/* A CR that no LF follows ends a line as well. */
	bare = memchr(rest->data, '\r', length);
	if (bare != NULL && bare + 1 != end &&
	    (size_t)(bare - rest->data) + 1 < length)
		length = (size_t)(bare - rest->data);
	*line_out = slice_make(rest->data, length);
	*rest = slice_skip(*rest, length < rest->length ? length + 1 : length);
	*cut_out = length > bytes_max;
	if (*cut_out)
		line_out->length = bytes_max;
	if (line_out->length > 0 &&
	    line_out->data[line_out->length - 1] == '\r')
		line_out->length--;
	return true;
}

bool
feed_reader_json_line(struct feed_reader *reader, struct slice *rest,
    struct json_value *value_out)
{
	struct slice line;
	bool cut;

	feed_file_passed(reader, *rest);
	while (
	    !reader->stopped && feed_reader_line(rest, &line,
				    reader->limits->object_bytes_max, &cut)) {
		if (!cut && slice_trim(line).length == 0)
			continue;
		if (cut)
			feed_reader_beyond(reader, FEED_LIMIT_OBJECT,
			    FEED_BAD_OBJECT, slice_range(line, 0, 80),
			    "the object is too large");
		else if (json_split_value(&line, value_out))
			return true;
		else
			feed_reader_reject(reader, FEED_BAD_OBJECT,
			    slice_range(line, 0, 80), "a broken line");
		feed_file_passed(reader, *rest);
	}
	return false;
}

/* ----------------------------------------------------------------- the times */

static bool
take_number(struct slice *text, unsigned digits_max, long *number_out)
{
	size_t length = 0;

	*number_out = 0;
	while (length < text->length && length < digits_max &&
	       ascii_is_digit(text->data[length]))
		*number_out = *number_out * 10 + (text->data[length++] - '0');
	*text = slice_skip(*text, length);
	return length > 0;
}

static bool
take_byte(struct slice *text, const char *set)
{
	if (text->length == 0 || text->data[0] == '\0' ||
	    strchr(set, text->data[0]) == NULL)
		return false;
	*text = slice_skip(*text, 1);
	return true;
}

/* Days since 1970 of a date in the Gregorian calendar. */
static int64_t
days_of(long year, long month, long day)
{
	long shifted = month > 2 ? year : year - 1;
	long era = shifted / 400;
	long year_of_era = shifted - era * 400;
	long day_of_year =
	    (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	long day_of_era = year_of_era * 365 + year_of_era / 4 -
			  year_of_era / 100 + day_of_year;

	return (int64_t)era * 146097 + day_of_era - 719468;
}

/* "T07:03:03.25+02:00", " 07:03", "Z", "" behind a date. */
static int64_t
time_of_day(struct slice text)
{
	long hour = 0, minute = 0, second = 0, unused;
	int64_t zone = 0;

	if (!take_byte(&text, "Tt ") || !take_number(&text, 2, &hour))
		return 0;
	if (take_byte(&text, ":"))
		take_number(&text, 2, &minute);
	if (take_byte(&text, ":"))
		take_number(&text, 2, &second);
	if (take_byte(&text, "."))
		while (take_number(&text, 9, &unused))
			;
	if (text.length > 0 && (text.data[0] == '+' || text.data[0] == '-')) {
		bool west = text.data[0] == '-';
		long hours, minutes = 0;

		text = slice_skip(text, 1);
		if (take_number(&text, 2, &hours)) {
			take_byte(&text, ":");
			take_number(&text, 2, &minutes);
			zone = (int64_t)hours * 3600 + minutes * 60;
			zone = west ? -zone : zone;
		}
	}
	if (hour > 24 || minute > 59 || second > 60)
		return 0;
	return (int64_t)hour * 3600 + minute * 60 + second - zone;
}

int64_t
feed_reader_time(struct slice text)
{
	unsigned long seconds;
	long year, month, day;
	struct slice whole;

	text = slice_trim(text);
	whole = slice_range(text, 0, slice_find_byte(text, '.'));
	if (slice_parse_number(whole, 9999999999999UL, &seconds) &&
	    whole.length >= 9)
		return (int64_t)(whole.length >= 12 ? seconds / 1000 : seconds);
	if (!take_number(&text, 4, &year) || !take_byte(&text, "-/.") ||
	    !take_number(&text, 2, &month) || !take_byte(&text, "-/.") ||
	    !take_number(&text, 4, &day))
		return 0;
	if (day > 31) { /* day first, or "12/31/2024" */
		long swap = year;

		year = day;
		day = month > 12 ? month : swap;
		month = month > 12 ? swap : month;
	}
	if (year < 1970 || year > 9999 || month < 1 || month > 12 || day < 1 ||
	    day > 31)
		return 0;
	return days_of(year, month, day) * 86400 + time_of_day(text);
}

/* The digits at the begin of `text` as nanoseconds; what is finer is cut. */
static uint32_t
nanoseconds(struct slice text)
{
	uint32_t ns = 0;
	size_t at = 0;

	for (unsigned i = 0; i < NS_DIGITS; i++) {
		ns *= 10;
		if (at < text.length && ascii_is_digit(text.data[at]))
			ns += (uint32_t)(text.data[at++] - '0');
		else
			text.length = at;
	}
	return ns;
}

int64_t
feed_reader_moment(struct slice text, uint32_t *ns_out)
{
	int64_t seconds = feed_reader_time(text);
	unsigned long number;
	struct slice whole;
	size_t point;

	*ns_out = 0;
	if (seconds == 0)
		return 0;
	text = slice_trim(text);
	point = slice_find_byte(text, '.');
	whole = slice_range(text, 0, point);
	if (slice_parse_number(whole, 9999999999999UL, &number)) {
		/* Seconds with a point, or milliseconds. */
		if (whole.length >= 12)
			*ns_out = (uint32_t)(number % 1000) * 1000000;
		else if (point != SIZE_MAX)
			*ns_out = nanoseconds(slice_skip(text, point + 1));
	} else if (point != SIZE_MAX &&
		   slice_find_byte(whole, ':') != SIZE_MAX) {
		*ns_out = nanoseconds(slice_skip(text, point + 1));
	}
	return seconds;
}

/* ---------------------------------------------------------------- the values */

static bool
looks_defanged(struct slice text)
{
	/* Nearly all values have none of these. */
	if (slice_find_byte(text, '[') == SIZE_MAX &&
	    slice_find_byte(text, '(') == SIZE_MAX)
		return slice_starts_with_fold(text, SLICE_LITERAL("hxxp"));
	return slice_find(text, SLICE_LITERAL("[.]")) != SIZE_MAX ||
	       slice_find(text, SLICE_LITERAL("[@]")) != SIZE_MAX ||
	       slice_find(text, SLICE_LITERAL("[:")) != SIZE_MAX ||
	       slice_find(text, SLICE_LITERAL("(.)")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("[dot]")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("(dot)")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("[at]")) != SIZE_MAX ||
	       slice_find_fold(text, SLICE_LITERAL("(at)")) != SIZE_MAX ||
	       slice_starts_with_fold(text, SLICE_LITERAL("hxxp"));
}

/* "192.0.2.1:443" and "[2001:db8::1]:443" without the port. */
static struct slice
without_port(struct slice text)
{
	size_t colon = slice_find_last_byte(text, ':');
	unsigned long port;
	struct ipaddr address;
	struct slice host;

	if (colon == SIZE_MAX ||
	    !slice_parse_number(slice_skip(text, colon + 1), 65535, &port))
		return text;
	host = slice_range(text, 0, colon);
	if (host.length > 2 && host.data[0] == '[' &&
	    host.data[host.length - 1] == ']')
		host = slice_range(host, 1, host.length - 1);
	else if (slice_find_byte(host, ':') != SIZE_MAX)
		return text; /* a bare IPv6 address has no port */
	return ipaddr_parse(host, &address) ? host : text;
}

/* "sha256:HASH", "MD5: HASH", "Some Body <some@body.example>": without what
 * people write around the value. */
static struct slice
without_label(struct slice text)
{
	size_t colon = slice_find_byte(text, ':');
	size_t open = slice_find_last_byte(text, '<');
	enum indicator_kind kind;
	struct slice rest;

	if (open != SIZE_MAX && text.data[text.length - 1] == '>' &&
	    slice_find_byte(slice_skip(text, open), '@') != SIZE_MAX)
		return slice_trim(slice_range(text, open + 1, text.length - 1));
	if (colon == SIZE_MAX ||
	    !indicator_kind_parse(
		slice_trim(slice_range(text, 0, colon)), &kind) ||
	    indicator_digest_size(kind) == 0)
		return text;
	rest = slice_trim(slice_skip(text, colon + 1));
	return rest.length == 2 * indicator_digest_size(kind) ? rest : text;
}

/* Without the quotation marks and the blanks of word processors around it. */
static struct slice
bare(struct slice text)
{
	static const char *const blanks[] = { "\xc2\xa0", "\xe2\x80\x8b",
		"\xef\xbb\xbf" };
	bool again = true;

	while (again) {
		text = slice_trim(text);
		again = false;
		/* Nearly all values begin and end in ASCII. */
		if (text.length == 0 ||
		    ((text.data[0] | text.data[text.length - 1]) & 0x80) == 0)
			break;
		for (size_t i = 0; i < sizeof blanks / sizeof *blanks; i++) {
			size_t length = strlen(blanks[i]);

			if (slice_starts_with(text, slice_text(blanks[i]))) {
				text = slice_skip(text, length);
				again = true;
			}
			if (slice_ends_with(text, slice_text(blanks[i]))) {
				text.length -= length;
				again = true;
			}
		}
	}
	if (text.length >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
	    text.data[text.length - 1] == text.data[0])
		text = slice_trim(slice_range(text, 1, text.length - 1));
	return text;
}

bool
feed_reader_looks(struct feed_reader *reader, struct slice text,
    enum indicator_kind *kind_out)
{
	text = bare(text);
	if (text.length == 0)
		return false;
	text = normal_refang(reader->scratch, text, NULL);
	return normal_guess_kind(
	    reader->scratch, without_port(without_label(text)), kind_out);
}

struct slice
feed_reader_text(struct arena *arena, struct slice text)
{
	/* 0x80 to 0x9f; the rest is Latin-1. */
	static const uint16_t signs[32] = { 0x20ac, 0x81, 0x201a, 0x0192,
		0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039,
		0x0152, 0x8d, 0x017d, 0x8f, 0x90, 0x2018, 0x2019, 0x201c,
		0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a,
		0x0153, 0x9d, 0x017e, 0x0178 };
	struct builder out;

	if (utf8_is_valid(text))
		return text;
	out = builder_make(arena, SIZE_MAX);
	for (size_t i = 0; i < text.length; i++) {
		unsigned char byte = (unsigned char)text.data[i];
		char encoded[4];
		uint32_t sign =
		    byte >= 0x80 && byte < 0xa0 ? signs[byte - 0x80] : byte;

		builder_slice(
		    &out, slice_make(encoded, utf8_encode(sign, encoded)));
	}
	return out.failed ? text : builder_result(&out);
}

bool
feed_reader_value(struct feed_reader *reader, struct slice text,
    const enum indicator_kind *fixed, struct feed_item *item_out)
{
	enum indicator_kind kind;
	bool guessed = fixed == NULL || *fixed == INDICATOR_NETWORK;

	text = bare(feed_reader_text(reader->scratch, text));
	if (text.length == 0)
		return false;
	if (looks_defanged(text)) {
		if (!reader->config->refang) {
			feed_reader_reject(reader, FEED_DEFANGED, text, NULL);
			return false;
		}
		text = normal_refang(reader->scratch, text, NULL);
	}
	if (fixed == NULL)
		text = without_label(text);
	if (guessed)
		text = without_port(text);
	if (fixed != NULL) {
		kind = *fixed;
	} else if (!normal_guess_kind(reader->scratch, text, &kind)) {
		feed_reader_reject(reader, FEED_BAD_VALUE, text,
		    text.data[0] == '/' ? "a path without a host"
					: "of no known kind");
		return false;
	}
	*item_out = feed_item_make(kind, text);
	item_out->tlp = INDICATOR_TLP_ABSENT;
	return true;
}
