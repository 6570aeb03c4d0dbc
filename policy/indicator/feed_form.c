#include <config.h>

#include <string.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "base/utf8.h"
#include "indicator/feed_form.h"
#include "indicator/feed_reader.h"

#define SNIFF_BYTES 65536u
#define SNIFF_LINES 30u

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
	enum feed_format format = reader->config->format;

	if (is_utf16(head) || foreign_form(head) != NULL)
		return false;
	if (format == FEED_FORMAT_AUTO)
		format = sniff(head);
	if (!is_of_lines(format))
		return false;
	reader->report->format = format;
	*status_out = read_form(reader, without_bom(head), format);
	return true;
}
