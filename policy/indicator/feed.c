#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "indicator/feed.h"
#include "indicator/feed_folder.h"
#include "indicator/feed_reader.h"
#include "indicator/normal.h"

#define SIZE_BYTES_DEFAULT 500000000ULL
#define LEFT_OUT_MAX       200u
#define SCRATCH_BYTES_MAX  (64u << 20)
#define SNIFF_BYTES        65536u
#define SNIFF_LINES        30u
/* Pages of a mapped file are let go by this step. */
#define PASSED_STEP (2u << 20)
/* A small file that changes under us is read again so often. */
#define READ_TRIES   3u

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static const char *const format_names[FEED_FORMATS] = {
	[FEED_FORMAT_AUTO] = "auto",
	[FEED_FORMAT_LIST] = "list",
	[FEED_FORMAT_HOSTS] = "hosts",
	[FEED_FORMAT_LOKI] = "loki",
	[FEED_FORMAT_CSV] = "csv",
	[FEED_FORMAT_STIX] = "stix",
	[FEED_FORMAT_MISP] = "misp",
	[FEED_FORMAT_YARA] = "yara",
	[FEED_FORMAT_URLHAUS] = "urlhaus",
	[FEED_FORMAT_THREATFOX] = "threatfox",
	[FEED_FORMAT_FEODO] = "feodo",
	[FEED_FORMAT_BAZAAR] = "bazaar",
	[FEED_FORMAT_MISP_CSV] = "misp-csv",
	[FEED_FORMAT_LOCAL] = "local",
};

static const char *const column_names[FEED_COLUMN_ROLES] = {
	[FEED_COLUMN_VALUE] = "value",
	[FEED_COLUMN_TYPE] = "type",
	[FEED_COLUMN_ID] = "id",
	[FEED_COLUMN_FIRST_SEEN] = "first-seen",
	[FEED_COLUMN_LAST_SEEN] = "last-seen",
	[FEED_COLUMN_VALID_UNTIL] = "valid-until",
	[FEED_COLUMN_SEVERITY] = "severity",
	[FEED_COLUMN_CONFIDENCE] = "confidence",
	[FEED_COLUMN_TAGS] = "tags",
	[FEED_COLUMN_DESCRIPTION] = "description",
	[FEED_COLUMN_TLP] = "tlp",
	[FEED_COLUMN_TO_IDS] = "to-ids",
};

static const struct {
	const char *name;
	const char *text;
} reasons[FEED_REASONS] = {
	[FEED_USED] = { "used", "in use" },
	[FEED_NOT_VISIBLE] = { "not-visible",
	    "of a type that mail cannot show" },
	[FEED_NOT_INDICATOR] = { "not-indicator",
	    "headings, comments, reports: not among what was read" },
	[FEED_BAD_VALUE] = { "bad-value", "the value is not of its type" },
	[FEED_BAD_OBJECT] = { "bad-object",
	    "not readable: broken JSON, a missing column or member" },
	[FEED_BAD_PATTERN] = { "bad-pattern",
	    "the STIX pattern does not parse" },
	[FEED_UNSUPPORTED_PATTERN] = { "unsupported-pattern",
	    "a pattern that a single message cannot be judged by" },
	[FEED_NO_STRONG_PART] = { "no-visible-part",
	    "a pattern that mail could never make true" },
	[FEED_REVOKED] = { "revoked", "revoked or deleted by its publisher" },
	[FEED_TO_IDS] = { "to-ids", "marked to_ids=false" },
	[FEED_KIND_OFF] = { "kind-off", "not among the kinds of this feed" },
	[FEED_LOW_CONFIDENCE] = { "low-confidence",
	    "below the feed's minimum-confidence" },
	[FEED_OLDER] = { "older", "an older version of one that we have" },
	[FEED_REPEATED] = { "repeated", "the same once more" },
	[FEED_SUPPRESSED] = { "suppressed",
	    "on a warninglist; `tocsin indicators suppressed` names them" },
	[FEED_TOO_BROAD] = { "too-broad",
	    "would match too much, or is our own; `tocsin "
	    "indicators suppressed` names them" },
	[FEED_TOO_MANY] = { "too-many", "beyond a limit" },
	[FEED_DEFANGED] = { "defanged",
	    "defanged; `refang on` undoes that in lists and CSV" },
};

struct feed_config
feed_config_defaults(const char *name, const char *source)
{
	return (struct feed_config){
		.name = name,
		.source = source,
		.confidence = INDICATOR_CONFIDENCE_ABSENT,
	};
}

const char *
feed_format_name(enum feed_format format)
{
	return (unsigned)format < FEED_FORMATS ? format_names[format] : "";
}

bool
feed_format_parse(struct slice word, enum feed_format *format_out)
{
	for (unsigned i = 0; i < FEED_FORMAT_LOCAL; i++) {
		if (slice_equal_text_fold(word, format_names[i])) {
			*format_out = (enum feed_format)i;
			return true;
		}
	}
	return false;
}

const char *
feed_column_role_name(enum feed_column_role role)
{
	return (unsigned)role < FEED_COLUMN_ROLES ? column_names[role] : "";
}

bool
feed_column_parse(struct slice word, struct feed_column *column_out)
{
	for (unsigned i = 0; i < FEED_COLUMN_ROLES; i++) {
		if (slice_equal_text_fold(word, column_names[i])) {
			column_out->role = (enum feed_column_role)i;
			column_out->has_kind = false;
			return true;
		}
	}
	if (!indicator_kind_parse(word, &column_out->kind))
		return false;
	column_out->role = FEED_COLUMN_VALUE;
	column_out->has_kind = true;
	return true;
}

const char *
feed_reason_name(enum feed_reason reason)
{
	return (unsigned)reason < FEED_REASONS ? reasons[reason].name : "";
}

const char *
feed_reason_text(enum feed_reason reason)
{
	return (unsigned)reason < FEED_REASONS ? reasons[reason].text : "";
}

struct feed_limits
feed_limits_defaults(void)
{
	return (struct feed_limits){
		.large_file_bytes = 8u << 20,
		.window_bytes = 4u << 20,
		.line_bytes_max = 65536,
		.object_bytes_max = 16u << 20,
		.json_depth_max = 64,
		.pattern_bytes_max = 65536,
		.pattern_atoms_max = 4096,
	};
}

/* ------------------------------------------------------------------- sharing */

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
	else if (reason == FEED_USED)
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

bool
feed_reader_value(struct feed_reader *reader, struct slice text,
    const enum indicator_kind *fixed, struct feed_item *item_out)
{
	enum indicator_kind kind;
	bool guessed = fixed == NULL || *fixed == INDICATOR_NETWORK;

	text = slice_trim(text);
	if (text.length >= 2 && (text.data[0] == '"' || text.data[0] == '\'') &&
	    text.data[text.length - 1] == text.data[0])
		text = slice_trim(slice_range(text, 1, text.length - 1));
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

/* ------------------------------------------------------------------ sniffing */

static struct slice
without_bom(struct slice bytes)
{
	return slice_starts_with(bytes, SLICE_LITERAL("\xef\xbb\xbf"))
		   ? slice_skip(bytes, 3)
		   : bytes;
}

/* What Windows programs call "Unicode". */
static bool
is_utf16(struct slice bytes)
{
	return slice_starts_with(bytes, SLICE_LITERAL("\xff\xfe")) ||
	       slice_starts_with(bytes, SLICE_LITERAL("\xfe\xff"));
}

/* UTF-16 with its byte order mark as UTF-8, in the arena; halves of surrogates
 * become U+FFFD. NULL data without memory. */
static struct slice
from_utf16(struct arena *arena, struct slice bytes)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	unsigned high = bytes.data[0] == '\xfe' ? 0 : 1;
	uint32_t lead = 0;

	for (size_t i = 2; i + 1 < bytes.length; i += 2) {
		uint32_t unit = (uint32_t)(unsigned char)bytes.data[i + high]
				    << 8 |
				(unsigned char)bytes.data[i + 1 - high];
		char encoded[4];

		if (lead != 0 && unit >= 0xdc00 && unit < 0xe000)
			unit =
			    0x10000 + ((lead - 0xd800) << 10) + (unit - 0xdc00);
		else if (unit >= 0xd800 && unit < 0xdc00) {
			lead = unit;
			continue;
		} else if (unit >= 0xdc00 && unit < 0xe000)
			unit = 0xfffd;
		lead = 0;
		builder_slice(
		    &out, slice_make(encoded, utf8_encode(unit, encoded)));
	}
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

static enum feed_format
sniff_json(struct slice head)
{
	bool misp =
	    slice_find(head, SLICE_LITERAL("\"Event\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"Attribute\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"to_ids\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"Orgc\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"threat_level_id\"")) != SIZE_MAX;
	bool stix =
	    slice_find(head, SLICE_LITERAL("\"spec_version\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"objects\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"pattern\"")) != SIZE_MAX;

	return misp && !stix ? FEED_FORMAT_MISP : FEED_FORMAT_STIX;
}

/* "[{", "[\n]", "["id"", but not "[Adblock Plus 2.0]". */
static bool
begins_json(struct slice text)
{
	struct slice inside = slice_trim(slice_skip(text, 1));

	if (text.length == 0 || (text.data[0] != '{' && text.data[0] != '['))
		return false;
	return text.data[0] == '{' || inside.length == 0 ||
	       strchr("{[\"]", inside.data[0]) != NULL ||
	       inside.data[0] == '\0';
}

/* Counts among the first lines those that look like one form or another. */
struct line_counts {
	unsigned lines, hosts, loki, commas, semicolons, tabs, bars;
	unsigned many; /* lines with three semicolons or more */
};

static size_t
count_bytes(struct slice text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == byte;
	return count;
}

static void
count_line(struct slice line, struct line_counts *counts)
{
	struct slice rest;
	struct ipaddr address;
	size_t blank = 0;

	while (blank < line.length && !ascii_is_space(line.data[blank]))
		blank++;
	rest = slice_trim(slice_skip(line, blank));
	if (rest.length > 0 && rest.data[0] != '#' && rest.data[0] != ';' &&
	    ipaddr_parse(slice_range(line, 0, blank), &address))
		counts->hosts++;
	counts->commas += slice_find_byte(line, ',') != SIZE_MAX;
	counts->tabs += slice_find_byte(line, '\t') != SIZE_MAX;
	/* "||evil.example^" is a line of a filter list. */
	counts->bars +=
	    line.data[0] != '|' && slice_find_byte(line, '|') != SIZE_MAX;
	if (slice_find_byte(line, ';') != SIZE_MAX) {
		counts->semicolons++;
		counts->many += count_bytes(line, ';') >= 3;
		counts->loki += slice_find_byte(line, ' ') != SIZE_MAX ||
				slice_find_byte(line, '\\') != SIZE_MAX;
	}
}

static enum feed_format
sniff_lines(struct slice head)
{
	struct line_counts counts = { 0 };
	struct slice line;
	bool cut, header = false;

	while (counts.lines < SNIFF_LINES &&
	       feed_reader_line(&head, &line, 4096, &cut)) {
		struct slice text = slice_trim(line);

		if (text.length == 0 || text.data[0] == '#' ||
		    text.data[0] == ';' || text.data[0] == '!')
			continue;
		if (counts.lines++ == 0)
			header = feed_csv_is_header(text);
		count_line(text, &counts);
	}
	if (counts.lines == 0)
		return FEED_FORMAT_LIST;
	if (header)
		return FEED_FORMAT_CSV;
	if (counts.hosts * 2 > counts.lines)
		return FEED_FORMAT_HOSTS;
	if ((counts.commas * 2 > counts.lines &&
		counts.commas >= counts.semicolons) ||
	    counts.bars * 2 > counts.lines)
		return FEED_FORMAT_CSV;
	if (counts.semicolons * 2 > counts.lines)
		return counts.loki * 3 > counts.lines &&
			       counts.many * 2 <= counts.lines
			   ? FEED_FORMAT_LOKI
			   : FEED_FORMAT_CSV;
	return FEED_FORMAT_LIST;
}

static enum feed_format
sniff(struct slice bytes)
{
	struct slice head = slice_range(without_bom(bytes), 0, SNIFF_BYTES),
		     text = head;

	while (text.length > 0 && ascii_is_space(text.data[0]))
		text = slice_skip(text, 1);
	if (begins_json(text))
		return sniff_json(head);
	if (slice_starts_with(text, SLICE_LITERAL("rule ")) ||
	    (slice_find(head, SLICE_LITERAL("\nrule ")) != SIZE_MAX &&
		slice_find(head, SLICE_LITERAL("condition:")) != SIZE_MAX))
		return FEED_FORMAT_YARA;
	return sniff_lines(head);
}

/* Forms that we know and do not read: says what to do instead. */
static const char *
foreign_form(struct slice bytes)
{
	struct slice head =
	    slice_range(slice_trim(without_bom(bytes)), 0, SNIFF_BYTES);

	if (slice_find_fold(head, SLICE_LITERAL("openioc")) != SIZE_MAX ||
	    (slice_find(head, SLICE_LITERAL("<ioc ")) != SIZE_MAX &&
		head.data[0] == '<'))
		return "is OpenIOC, which Tocsin does not read; convert it to "
		       "STIX 2.1 or MISP, for example with the importer of "
		       "MISP";
	if (slice_find(head, SLICE_LITERAL("stix.mitre.org")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("stix:STIX_Package")) != SIZE_MAX ||
	    (head.length > 0 && head.data[0] == '{' &&
		slice_find(slice_range(head, 0, 4096),
		    SLICE_LITERAL("\"version\": \"1.")) != SIZE_MAX))
		return "is STIX 1.x, which Tocsin does not read; convert it "
		       "with the OASIS tool stix2-elevator";
	if (head.length > 0 && head.data[0] == '<')
		return "is XML or HTML, of no form that Tocsin reads";
	if (slice_starts_with(head, SLICE_LITERAL("\x1f\x8b")) ||
	    slice_starts_with(head, SLICE_LITERAL("PK\x03\x04")))
		return "is compressed; unpack it first";
	return NULL;
}

/* ------------------------------------------------------------------- reading */

static enum tc_status
read_form(
    struct feed_reader *reader, struct slice bytes, enum feed_format format)
{
	switch (format) {
	case FEED_FORMAT_LIST:
	case FEED_FORMAT_HOSTS:
	case FEED_FORMAT_LOKI:
		return feed_list_read(reader, bytes, format);
	case FEED_FORMAT_CSV:
	case FEED_FORMAT_URLHAUS:
	case FEED_FORMAT_THREATFOX:
	case FEED_FORMAT_FEODO:
	case FEED_FORMAT_BAZAAR:
	case FEED_FORMAT_MISP_CSV:
		return feed_csv_read(reader, bytes, format);
	case FEED_FORMAT_STIX:
		return feed_stix_read(reader, bytes);
	case FEED_FORMAT_MISP:
		return feed_misp_read(reader, bytes);
	case FEED_FORMAT_LOCAL:
		return feed_local_read(reader, bytes);
	case FEED_FORMAT_YARA: /* the scanner compiles the files */
	case FEED_FORMAT_AUTO:
	case FEED_FORMATS:
		break;
	}
	return TC_OK;
}

static enum tc_status
read_text(struct feed_reader *reader, struct slice bytes)
{
	enum feed_format format = reader->config->format;

	reader->report->problem = foreign_form(bytes);
	if (reader->report->problem != NULL)
		return TC_INVALID;
	bytes = without_bom(bytes);
	if (format == FEED_FORMAT_AUTO)
		format = sniff(bytes);
	reader->report->format = format;
	return read_form(reader, bytes, format);
}

static enum tc_status
read_bytes(struct feed_reader *reader, struct slice bytes)
{
	enum tc_status status = TC_SYSTEM;
	struct arena *text;

	if (reader->mapped == NULL)
		reader->report->bytes += bytes.length;
	if (!is_utf16(bytes))
		return read_text(reader, bytes);
	text = arena_new(0, NULL);
	if (text != NULL) {
		bytes = from_utf16(text, bytes);
		if (bytes.data != NULL || bytes.length == 0)
			status = read_text(reader, bytes);
	}
	arena_free(&text);
	return status;
}

static bool
reader_begin(struct feed_reader *reader)
{
	reader->scratch = arena_new(SCRATCH_BYTES_MAX, NULL);
	*reader->report =
	    (struct feed_report){ .format = reader->config->format };
	return reader->scratch != NULL;
}

enum tc_status
feed_read_bytes(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits, struct slice bytes,
    const struct feed_sink *sink, struct feed_report *report_out)
{
	struct feed_reader reader = { .config = config,
		.limits = limits,
		.sink = sink,
		.report = report_out,
		.arena = arena };
	enum tc_status status;

	if (!reader_begin(&reader))
		return TC_SYSTEM;
	report_out->files = 1;
	status = read_bytes(&reader, bytes);
	arena_free(&reader.scratch);
	return status;
}

static enum tc_status
too_large(struct feed_reader *reader)
{
	reader->report->problem =
	    arena_printf(reader->arena, "is larger than max-size (%llu bytes)",
		(unsigned long long)reader->bytes_max);
	return TC_LIMIT;
}

static enum tc_status
cannot_read(struct feed_reader *reader, int error)
{
	reader->report->problem =
	    arena_printf(reader->arena, "cannot be read: %s", strerror(error));
	return TC_SYSTEM;
}

/* Reads all of a file into memory of its own: a feed may be rewritten while we
 * read, and a mapped file that shrinks would kill us. */
static char *
slurp(int fd, size_t size_max, size_t *size_out, bool *too_large_out)
{
	size_t capacity = 65536, length = 0;
	struct stat info;
	char *bytes;

	*too_large_out = false;
	if (fstat(fd, &info) == 0 && info.st_size > 0 &&
	    (uint64_t)info.st_size <= size_max)
		capacity = (size_t)info.st_size + 1;
	bytes = malloc(capacity);
	while (bytes != NULL) {
		ssize_t got = read(fd, bytes + length, capacity - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		length += (size_t)got;
		if (got == 0) {
			*size_out = length;
			return bytes;
		}
		if (length > size_max) {
			*too_large_out = true;
			break;
		}
		if (length == capacity) {
			char *grown = realloc(bytes, capacity * 2);

			if (grown == NULL)
				break;
			bytes = grown;
			capacity *= 2;
		}
	}
	free(bytes);
	return NULL;
}

/* ------------------------------------------------------------- through a window */

/* Fills the window behind the `length` octets that it holds; returns how many
 * it holds then. */
static size_t
window_fill(struct feed_reader *reader, size_t length)
{
	size_t size = reader->limits->window_bytes;

	while (!reader->ended && length < size) {
		ssize_t got =
		    read(reader->fd, reader->window + length, size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0) {
			reader->ended = true;
			reader->window_error = got < 0 ? errno : 0;
			break;
		}
		length += (size_t)got;
		reader->report->bytes += (uint64_t)got;
		if (reader->report->bytes > reader->bytes_max) {
			reader->ended = true;
			reader->window_error = EFBIG;
		}
	}
	return length;
}

/* Passes over a line of which the window shows no end. */
static struct slice
window_skip_line(struct feed_reader *reader, struct slice held)
{
	size_t end;

	feed_reader_reject(reader, FEED_BAD_OBJECT, slice_range(held, 0, 80),
	    "the line is too long");
	while (
	    (end = slice_find_byte(held, '\n')) == SIZE_MAX && !reader->ended)
		held = slice_make(reader->window, window_fill(reader, 0));
	return slice_skip(held, end == SIZE_MAX ? held.length : end + 1);
}

/* Whether the window should show more before a line is taken off it. */
static bool
wants_more(const struct feed_reader *reader, struct slice rest)
{
	return reader->window != NULL && !reader->ended &&
	       (rest.length < reader->limits->window_bytes / 4 ||
		   slice_find_byte(rest, '\n') == SIZE_MAX);
}

void
feed_reader_more(struct feed_reader *reader, struct slice *rest)
{
	while (wants_more(reader, *rest)) {
		memmove(reader->window, rest->data, rest->length);
		*rest = slice_make(
		    reader->window, window_fill(reader, rest->length));
		if (rest->length == reader->limits->window_bytes &&
		    slice_find_byte(*rest, '\n') == SIZE_MAX)
			*rest = window_skip_line(reader, *rest);
	}
}

/* A file of its own without a name, for as long as it is mapped. */
static int
open_spool(struct feed_reader *reader)
{
	char *path = arena_printf(
	    reader->arena, "%s/.spool-XXXXXX", reader->limits->spool_folder);
	int fd = path == NULL ? -1 : mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

static bool
write_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t wrote = write(fd, bytes, length);

		if (wrote < 0 && errno == EINTR)
			continue;
		if (wrote <= 0)
			return false;
		bytes += wrote;
		length -= (size_t)wrote;
	}
	return true;
}

/* Copies fd's file, SIZE_MAX when that fails or is more than allowed. */
static size_t
copy_file(int fd, int spool, size_t size_max)
{
	size_t length = 0, capacity = 1u << 20;
	char *block = malloc(capacity);
	ssize_t got = -1;

	while (block != NULL && length <= size_max) {
		got = read(fd, block, capacity);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !write_all(spool, block, (size_t)got))
			break;
		length += (size_t)got;
	}
	free(block);
	return got == 0 && length > 0 && length <= size_max ? length : SIZE_MAX;
}

/* Copies a large file aside and maps the copy: it takes no memory to speak of
 * and nobody can cut it short under us. False: read it into memory. */
static bool
spool(struct feed_reader *reader, int fd, size_t size_max)
{
	int copy = open_spool(reader);
	size_t length;
	void *mapped = MAP_FAILED;

	if (copy < 0)
		return false;
	length = copy_file(fd, copy, size_max);
	if (length != SIZE_MAX)
		mapped = mmap(NULL, length, PROT_READ, MAP_SHARED, copy, 0);
	close(copy);
	if (mapped == MAP_FAILED) {
		(void)lseek(fd, 0, SEEK_SET);
		return false;
	}
	reader->bytes_before = reader->report->bytes;
	reader->mapped = mapped;
	reader->mapped_bytes = length;
	reader->passed = 0;
	return true;
}

void
feed_reader_passed(struct feed_reader *reader, struct slice rest)
{
	size_t at, page;

	if (reader->mapped == NULL || rest.data < reader->mapped ||
	    rest.data > reader->mapped + reader->mapped_bytes)
		return;
	at = (size_t)(rest.data - reader->mapped);
	reader->report->bytes = reader->bytes_before + at;
	if (at < reader->passed + PASSED_STEP)
		return;
	page = (size_t)sysconf(_SC_PAGESIZE);
	at -= at % page;
	(void)madvise(reader->mapped + reader->passed, at - reader->passed,
	    MADV_DONTNEED);
	reader->passed = at;
}

static enum tc_status
read_spooled(struct feed_reader *reader)
{
	enum tc_status status = read_bytes(
	    reader, slice_make(reader->mapped, reader->mapped_bytes));

	(void)munmap(reader->mapped, reader->mapped_bytes);
	reader->mapped = NULL;
	reader->report->bytes = reader->bytes_before + reader->mapped_bytes;
	return status;
}

/* Forms whose readers take line after line. */
static bool
is_of_lines(enum feed_format format)
{
	switch (format) {
	case FEED_FORMAT_LIST:
	case FEED_FORMAT_HOSTS:
	case FEED_FORMAT_LOKI:
	case FEED_FORMAT_CSV:
	case FEED_FORMAT_URLHAUS:
	case FEED_FORMAT_THREATFOX:
	case FEED_FORMAT_FEODO:
	case FEED_FORMAT_BAZAAR:
	case FEED_FORMAT_MISP_CSV:
		return true;
	case FEED_FORMAT_STIX:
	case FEED_FORMAT_MISP:
	case FEED_FORMAT_YARA:
	case FEED_FORMAT_LOCAL:
	case FEED_FORMAT_AUTO:
	case FEED_FORMATS:
		break;
	}
	return false;
}

/* Reads a large file of lines. False when it is of another form; the file is
 * then at its begin again. */
static bool
read_windowed(struct feed_reader *reader, enum tc_status *status_out)
{
	uint64_t bytes_before = reader->report->bytes;
	enum feed_format format = reader->config->format;
	struct slice bytes;
	bool lines;

	reader->window = malloc(reader->limits->window_bytes);
	if (reader->window == NULL)
		return false;
	reader->ended = false;
	reader->window_error = 0;
	bytes = slice_make(reader->window, window_fill(reader, 0));
	if (format == FEED_FORMAT_AUTO)
		format = sniff(bytes);
	lines = is_of_lines(format) && foreign_form(bytes) == NULL &&
		!is_utf16(bytes);
	if (lines) {
		reader->report->format = format;
		*status_out = read_form(reader, without_bom(bytes), format);
		if (*status_out == TC_OK && reader->window_error == EFBIG)
			*status_out = too_large(reader);
		else if (*status_out == TC_OK && reader->window_error != 0)
			*status_out = cannot_read(reader, reader->window_error);
	} else {
		reader->report->bytes = bytes_before;
		(void)lseek(reader->fd, 0, SEEK_SET);
	}
	free(reader->window);
	reader->window = NULL;
	return lines;
}

/* True when the file that was read is not the one that was opened: somebody
 * writes into it. Its number of names may change, for it may be replaced. */
static bool
has_changed(int fd, const struct stat *before)
{
	struct stat now;

	return fstat(fd, &now) != 0 || now.st_size != before->st_size ||
	       now.st_mtim.tv_sec != before->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != before->st_mtim.tv_nsec;
}

/* Reads a small file into memory, again when it changes meanwhile. */
static enum tc_status
read_slurped(struct feed_reader *reader, int fd, struct stat *info)
{
	bool over = false;
	char *bytes = NULL;
	size_t size = 0;
	enum tc_status status;

	for (unsigned i = 0; i < READ_TRIES; i++) {
		free(bytes);
		bytes = slurp(fd, (size_t)reader->bytes_max, &size, &over);
		if (bytes == NULL || !has_changed(fd, info) ||
		    fstat(fd, info) != 0 || lseek(fd, 0, SEEK_SET) != 0)
			break;
	}
	if (bytes == NULL)
		return over ? too_large(reader) : cannot_read(reader, errno);
	status = read_bytes(reader, slice_make(bytes, size));
	free(bytes);
	return status;
}

static enum tc_status
read_large(struct feed_reader *reader, int fd, struct stat *info)
{
	enum tc_status status = TC_OK;

	reader->fd = fd;
	if (!read_windowed(reader, &status)) {
		if (reader->limits->spool_folder == NULL ||
		    !spool(reader, fd, (size_t)reader->bytes_max))
			return read_slurped(reader, fd, info);
		status = read_spooled(reader);
	}
	if (status == TC_OK && has_changed(fd, info)) {
		reader->report->problem = "was written to while it was read; "
					  "the next build reads it again";
		status = TC_SYSTEM;
	}
	return status;
}

static enum tc_status
read_file(struct feed_reader *reader, const char *path)
{
	enum tc_status status;
	struct stat info = { 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	reader->bytes_max = reader->config->size_bytes_max;
	if (reader->bytes_max == 0)
		reader->bytes_max = SIZE_BYTES_DEFAULT;
	if (fd < 0 || fstat(fd, &info) != 0) {
		status = cannot_read(reader, errno);
	} else if (!S_ISREG(info.st_mode)) {
		status = cannot_read(reader, EINVAL);
	} else if ((uint64_t)info.st_size > reader->bytes_max) {
		status = too_large(reader);
	} else {
		if (info.st_mtime > reader->report->published_unix)
			reader->report->published_unix = info.st_mtime;
		reader->report->files++;
		status =
		    (uint64_t)info.st_size >= reader->limits->large_file_bytes
			? read_large(reader, fd, &info)
			: read_slurped(reader, fd, &info);
	}
	if (fd >= 0)
		close(fd);
	return status;
}

static void
note_left_out(struct feed_reader *reader, const char *text)
{
	const char **slot = text == NULL
				? NULL
				: list_append(reader->arena,
				      &reader->report->left_out, LEFT_OUT_MAX);

	if (slot != NULL)
		*slot = text;
}

/* A file that cannot be used does not lose the others. */
static enum tc_status
read_folder(struct feed_reader *reader, const struct feed_folder *folder)
{
	struct feed_report *report = reader->report;
	size_t count = folder->names.count;
	const char *problem = NULL;

	for (size_t i = 0; i < count && !reader->stopped; i++) {
		const char *name = folder->names.items[i];
		char *path = arena_printf(
		    reader->arena, "%s/%s", reader->config->source, name);

		if (path == NULL)
			return TC_SYSTEM;
		report->problem = NULL;
		if (read_file(reader, path) == TC_OK)
			continue;
		report->files_failed++;
		note_left_out(
		    reader, arena_printf(reader->arena, "%s %s", name,
				report->problem == NULL ? "cannot be used"
							: report->problem));
		if (problem == NULL && report->left_out.count > 0)
			problem =
			    report->left_out.items[report->left_out.count - 1];
	}
	for (size_t i = 0; i < folder->left_out.count; i++)
		note_left_out(reader, folder->left_out.items[i]);
	report->left_out_count = folder->left_out_count;
	report->problem = problem;
	report->cut_off = false; /* one of many, which costs itself */
	return count == 0 || report->files_failed < count ? TC_OK : TC_INVALID;
}

uint64_t
feed_source_bytes(const struct feed_config *config)
{
	struct arena *arena = arena_new(0, NULL);
	struct feed_folder folder;
	struct stat info;
	uint64_t bytes = 0;

	if (arena != NULL && feed_folder_look(arena, config, &folder))
		bytes = folder.bytes;
	else if (stat(config->source, &info) == 0 && S_ISREG(info.st_mode))
		bytes = (uint64_t)info.st_size;
	arena_free(&arena);
	return bytes;
}

enum tc_status
feed_read(struct arena *arena, const struct feed_config *config,
    const struct feed_limits *limits, const struct feed_sink *sink,
    struct feed_report *report_out)
{
	struct feed_reader reader = { .config = config,
		.limits = limits,
		.sink = sink,
		.report = report_out,
		.arena = arena };
	struct feed_folder folder;
	enum tc_status status;

	if (!reader_begin(&reader))
		return TC_SYSTEM;
	if (feed_folder_look(arena, config, &folder))
		status = read_folder(&reader, &folder);
	else
		status = read_file(&reader, config->source);
	arena_free(&reader.scratch);
	return status;
}
