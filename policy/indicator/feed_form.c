#include <config.h>

#include <string.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "base/utf8.h"
#include "indicator/feed_form.h"
#include "indicator/feed_reader.h"

#define SNIFF_BYTES 65536u
#define SNIFF_LINES 30u
/* So many octets without a NUL make a text. */
#define BINARY_BYTES 512u

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ------------------------------------------------------------------ encoding */

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

/* ------------------------------------------------------------------ sniffing */

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
	    slice_find(head, SLICE_LITERAL("\"created_by_ref\"")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("\"pattern\"")) != SIZE_MAX;

	if (misp && !stix)
		return FEED_FORMAT_MISP;
	return stix ? FEED_FORMAT_STIX : FEED_FORMAT_JSON;
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
	unsigned lines, hosts, loki, commas, semicolons, bars;
	unsigned many; /* lines with three semicolons or more */
	/* Lines of cells between tabs, the first of which is no value. */
	unsigned tables;
};

static size_t
count_bytes(struct slice text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == byte;
	return count;
}

/* Behind a value there may be tabs as well: of a comment. */
static bool
is_of_table(struct slice line)
{
	struct slice first;

	if (count_bytes(line, '\t') < 2)
		return false;
	if (slice_find(line, SLICE_LITERAL("\tIntel::")) != SIZE_MAX)
		return true; /* Zeek */
	(void)slice_split(line, '\t', &first);
	return slice_find_byte(first, '.') == SIZE_MAX &&
	       slice_find_byte(first, ':') == SIZE_MAX;
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
	counts->tables += is_of_table(line);
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
	char separator = 0;

	while (counts.lines < SNIFF_LINES &&
	       feed_reader_line(&head, &line, 4096, &cut)) {
		struct slice text = slice_trim(line);

		if (text.length == 0 || text.data[0] == '#' ||
		    text.data[0] == ';' || text.data[0] == '!' ||
		    feed_csv_separator(text, &separator))
			continue;
		if (counts.lines++ == 0)
			header = feed_csv_is_header(text);
		count_line(text, &counts);
	}
	if (counts.lines == 0)
		return FEED_FORMAT_LIST;
	if (header || separator != 0 || counts.tables * 2 > counts.lines)
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

/* The first line that is no comment. */
static struct slice
first_line(struct slice head)
{
	struct slice line;
	bool cut;

	while (feed_reader_line(&head, &line, 4096, &cut)) {
		line = slice_trim(line);
		if (line.length > 0 && line.data[0] != '#')
			return line;
	}
	return slice_make("", 0);
}

/* By their first octets. */
static const char *
foreign_file(struct slice head)
{
	static const struct {
		const char *begin;
		size_t length;
		const char *text;
	} forms[] = {
#define FORM(begin, text) { begin, sizeof(begin) - 1, "is " text }
		FORM("\x1f\x8b", "compressed (gzip); unpack it first"),
		FORM("BZh", "compressed (bzip2); unpack it first"),
		FORM("\xfd"
		     "7zXZ",
		    "compressed (xz); unpack it first"),
		FORM("\x28\xb5\x2f\xfd", "compressed (zstd); unpack it first"),
		FORM("PK\x03\x04",
		    "compressed (zip), or a workbook; unpack it first, or save "
		    "the sheet as CSV"),
		FORM("7z\xbc\xaf", "compressed (7z); unpack it first"),
		FORM("Rar!", "compressed (rar); unpack it first"),
		FORM("\xd0\xcf\x11\xe0",
		    "a workbook or document of an office program; save it as "
		    "CSV"),
		FORM("%PDF", "a PDF; Tocsin does not scrape reports"),
		FORM("SQLite format 3",
		    "a database (SQLite); export the table as CSV"),
#undef FORM
	};

	for (size_t i = 0; i < COUNT(forms); i++)
		if (slice_starts_with(
			head, slice_make(forms[i].begin, forms[i].length)))
			return forms[i].text;
	if (!is_utf16(head) &&
	    slice_find_byte(slice_range(head, 0, BINARY_BYTES), '\0') !=
		SIZE_MAX)
		return "is no text: it holds NUL octets; a text in UTF-16 "
		       "needs its byte order mark";
	return NULL;
}

/* Rules of programs that look at other things than values. */
static const char *
foreign_rules(struct slice head)
{
	static const char *const actions[] = { "alert ", "drop ", "reject ",
		"pass ", "log " };
	struct slice line = first_line(head);

	for (size_t i = 0; i < COUNT(actions); i++)
		if (slice_starts_with(line, slice_text(actions[i])) &&
		    slice_find(line, SLICE_LITERAL("(msg:")) != SIZE_MAX)
			return "are Suricata or Snort rules, which Tocsin does "
			       "not read; their publisher mostly has a list of "
			       "the addresses and names as well";
	if (slice_find(head, SLICE_LITERAL("\nlogsource:")) != SIZE_MAX &&
	    slice_find(head, SLICE_LITERAL("\ndetection:")) != SIZE_MAX)
		return "are Sigma rules, which speak of logs, not of mail";
	if (slice_starts_with(line, SLICE_LITERAL("{\"asn\":")) &&
	    slice_find(line, SLICE_LITERAL("\"asname\":")) != SIZE_MAX)
		return "lists autonomous systems, whose members are their "
		       "owners; Spamhaus has lists of networks as well";
	if (slice_find(head, SLICE_LITERAL("SSL Certificate Blacklist")) !=
	    SIZE_MAX)
		return "lists fingerprints of certificates, which mail does "
		       "not show; SSLBL has a list of addresses as well";
	return NULL;
}

/* Forms that we know and do not read: says what to do instead. */
static const char *
foreign_form(struct slice bytes)
{
	struct slice head =
	    slice_range(slice_trim(without_bom(bytes)), 0, SNIFF_BYTES);
	const char *text = foreign_file(head);

	if (text != NULL || head.length == 0)
		return text;
	if (slice_find_fold(head, SLICE_LITERAL("openioc")) != SIZE_MAX ||
	    (slice_find(head, SLICE_LITERAL("<ioc ")) != SIZE_MAX &&
		head.data[0] == '<'))
		return "is OpenIOC, which Tocsin does not read; convert it to "
		       "STIX 2.1 or MISP, for example with the importer of "
		       "MISP";
	if (slice_find(head, SLICE_LITERAL("stix.mitre.org")) != SIZE_MAX ||
	    slice_find(head, SLICE_LITERAL("stix:STIX_Package")) != SIZE_MAX ||
	    (head.data[0] == '{' &&
		slice_find(slice_range(head, 0, 4096),
		    SLICE_LITERAL("\"version\": \"1.")) != SIZE_MAX))
		return "is STIX 1.x, which Tocsin does not read; convert it "
		       "with the OASIS tool stix2-elevator";
	if (head.data[0] == '<')
		return "is XML or HTML, of no form that Tocsin reads; where it "
		       "was fetched, it may be a page that asks for a login";
	return foreign_rules(head);
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
	case FEED_FORMAT_JSON:
		return feed_json_read(reader, bytes);
	case FEED_FORMAT_LOCAL:
		return feed_local_read(reader, bytes);
	case FEED_FORMAT_YARA: /* the scanner compiles the files */
	case FEED_FORMAT_AUTO:
	case FEED_FORMATS:
		break;
	}
	return TC_OK;
}

/* As the operator says, or by the first octets. Publishers of the well-known
 * CSV files have the same as JSON. */
static enum feed_format
format_of(const struct feed_config *config, struct slice bytes)
{
	struct slice text = without_bom(bytes);

	while (text.length > 0 && ascii_is_space(text.data[0]))
		text = slice_skip(text, 1);
	switch (config->format) {
	case FEED_FORMAT_AUTO:
		return sniff(bytes);
	case FEED_FORMAT_LIST:
	case FEED_FORMAT_CSV:
	case FEED_FORMAT_URLHAUS:
	case FEED_FORMAT_THREATFOX:
	case FEED_FORMAT_FEODO:
	case FEED_FORMAT_BAZAAR:
	case FEED_FORMAT_MISP_CSV:
		return begins_json(text) ? FEED_FORMAT_JSON : config->format;
	case FEED_FORMAT_HOSTS:
	case FEED_FORMAT_LOKI:
	case FEED_FORMAT_STIX:
	case FEED_FORMAT_MISP:
	case FEED_FORMAT_YARA:
	case FEED_FORMAT_LOCAL:
	case FEED_FORMAT_JSON:
	case FEED_FORMATS:
		break;
	}
	return config->format;
}

static enum tc_status
read_text(struct feed_reader *reader, struct slice bytes)
{
	struct feed_report *report = reader->report;
	enum tc_status status;

	report->problem = foreign_form(bytes);
	if (report->problem != NULL)
		return TC_INVALID;
	report->format = format_of(reader->config, bytes);
	bytes = without_bom(bytes);
	status = read_form(reader, bytes, report->format);
	/* A guess that was wrong, before anything was taken. */
	if (status == TC_INVALID && report->format == FEED_FORMAT_STIX &&
	    reader->config->format == FEED_FORMAT_AUTO && report->read == 0) {
		report->problem = NULL;
		report->format = FEED_FORMAT_JSON;
		status = read_form(reader, bytes, report->format);
	}
	return status;
}

enum tc_status
feed_form_read(struct feed_reader *reader, struct slice bytes)
{
	enum tc_status status = TC_SYSTEM;
	struct arena *text;

	if (reader->file.mapped == NULL)
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
	case FEED_FORMAT_JSON:
	case FEED_FORMAT_LOCAL:
	case FEED_FORMAT_AUTO:
	case FEED_FORMATS:
		break;
	}
	return false;
}

bool
feed_form_read_lines(
    struct feed_reader *reader, struct slice head, enum tc_status *status_out)
{
	enum feed_format format;

	if (is_utf16(head) || foreign_form(head) != NULL)
		return false;
	format = format_of(reader->config, head);
	if (!is_of_lines(format))
		return false;
	reader->report->format = format;
	*status_out = read_form(reader, without_bom(head), format);
	return true;
}

enum tc_status
feed_form_look(struct feed_reader *reader, struct slice head)
{
	struct arena *text = NULL;
	enum tc_status status = TC_OK;

	reader->report->problem = foreign_form(head);
	if (reader->report->problem != NULL)
		return TC_INVALID;
	if (is_utf16(head)) {
		text = arena_new(0, NULL);
		head =
		    text == NULL ? slice_make("", 0) : from_utf16(text, head);
	}
	if (head.length > 0)
		(void)feed_form_read_lines(reader, head, &status);
	arena_free(&text);
	return status;
}
