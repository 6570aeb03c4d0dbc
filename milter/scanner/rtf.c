#include <config.h>

#include <stdint.h>

#include "base/utf8.h"
#include "scanner/bytes.h"
#include "scanner/office.h"
#include "scanner/rtf.h"

#define EMBEDDED    2  /* MS-OLEDS 2.2.5, FormatID */
#define DIGITS_MAX  10 /* of a word's number */
#define QUOTED_SIZE 2  /* digits behind \' */

/* What stands in front of it is passed over by some readers. */
static struct slice
without_blanks(struct slice file)
{
	if (slice_starts_with(file, SLICE_LITERAL("\xef\xbb\xbf")))
		file = slice_skip(file, 3);
	while (file.length > 0 && ascii_is_space(file.data[0]))
		file = slice_skip(file, 1);
	return file;
}

bool
rtf_is(struct slice file)
{
	return slice_starts_with(without_blanks(file), SLICE_LITERAL("{\\rt"));
}

/* A control word or symbol: \name, a number, and the blank that ends it. */
struct word {
	struct slice name; /* of a symbol: the one character */
	bool has_number;
	long number;
	size_t end;
};

static struct word
read_word(struct slice file, size_t at)
{
	struct word word = { .end = at + 1 };
	size_t start = word.end;
	bool minus;

	while (word.end < file.length && ascii_is_alpha(file.data[word.end]))
		word.end++;
	if (word.end == start) {
		word.end += word.end < file.length;
		word.name = slice_range(file, start, word.end);
		return word;
	}
	word.name = slice_range(file, start, word.end);
	minus = word.end < file.length && file.data[word.end] == '-';
	word.end += minus;
	start = word.end;
	while (word.end < file.length && word.end - start < DIGITS_MAX &&
	       ascii_is_digit(file.data[word.end]))
		word.number = 10 * word.number + (file.data[word.end++] - '0');
	word.has_number = word.end > start;
	if (minus)
		word.number = -word.number;
	if (word.end < file.length && file.data[word.end] == ' ')
		word.end++;
	return word;
}

/* The octets behind \bin, passed. */
static struct slice
take_binary(struct slice file, struct word *word)
{
	struct slice octets = slice_make(NULL, 0);

	if (slice_equal_text(word->name, "bin") && word->number > 0) {
		octets = slice_range(
		    file, word->end, word->end + (size_t)word->number);
		word->end += octets.length;
	}
	return octets;
}

/* The value of the two digits at `at`, or -1. */
static int
quoted_value(struct slice file, size_t at)
{
	int high, low;

	if (at > file.length || file.length - at < QUOTED_SIZE)
		return -1;
	high = ascii_hex_value(file.data[at]);
	low = ascii_hex_value(file.data[at + 1]);
	return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* ---- objects ---- */

/* The walk over one object's digits. */
struct digits {
	struct bytes out;
	int high; /* the digit that waits for its second, -1 */
	int depth;
	int ignored_from; /* depth of a group that does not count, 0: none */
	bool as_word;     /* Word passes over more */
};

static void
take_digit(struct digits *digits, char c)
{
	int value = ascii_hex_value(c);

	if (value < 0 || digits->ignored_from > 0)
		return;
	if (digits->high >= 0)
		bytes_byte(&digits->out, (char)(digits->high << 4 | value));
	digits->high = digits->high >= 0 ? -1 : value;
}

static void
take_brace(struct digits *digits, struct slice file, size_t at)
{
	if (file.data[at] == '}') {
		if (digits->depth == digits->ignored_from)
			digits->ignored_from = 0;
		digits->depth--;
		return;
	}
	digits->depth++;
	if (digits->as_word && digits->ignored_from == 0 &&
	    slice_starts_with(slice_skip(file, at + 1), SLICE_LITERAL("\\*")))
		digits->ignored_from = digits->depth;
}

static size_t
pass_word(struct digits *digits, struct slice file, size_t at)
{
	struct word word = read_word(file, at);
	struct slice octets;

	if (!digits->as_word)
		/* The blank counts as none, so it makes no difference. */
		return word.end;
	if (slice_equal_text(word.name, "'"))
		return word.end + QUOTED_SIZE;
	octets = take_binary(file, &word);
	if (digits->ignored_from == 0)
		bytes_append(&digits->out, octets);
	return word.end;
}

/* Decodes the digits from `at` on, up to the end of their group, into
 * digits->out; returns where that is. */
static size_t
read_digits(struct digits *digits, struct slice file, size_t at)
{
	digits->high = -1;
	/* A number of the word itself is none of the object's. */
	while (digits->as_word && at < file.length &&
	       ascii_is_digit(file.data[at]))
		at++;
	while (at < file.length && digits->depth >= 0) {
		char c = file.data[at];

		if (c == '\\') {
			at = pass_word(digits, file, at);
			continue;
		}
		if (c == '{' || c == '}')
			take_brace(digits, file, at);
		else
			take_digit(digits, c);
		at++;
	}
	return at;
}

static struct slice
take_counted(struct slice *rest)
{
	size_t length = 0;
	struct slice taken;

	for (unsigned i = 4; i > 0 && rest->length >= 4; i--)
		length = length << 8 | (unsigned char)rest->data[i - 1];
	taken = slice_range(*rest, 4, 4 + length);
	*rest = slice_skip(*rest, 4);
	*rest = slice_skip(*rest, length);
	return taken;
}

/* MS-OLEDS 2.2.5: version, kind, three counted names, counted data. What is
 * none is handed out as it stands. */
static bool
hand_out(struct slice object, const struct found *found)
{
	struct slice rest = slice_skip(object, 8), class, data, name;
	size_t inner;

	if (object.length > 8 && object.data[4] == EMBEDDED) {
		class = take_counted(&rest);
		take_counted(&rest);
		take_counted(&rest);
		data = take_counted(&rest);
		if (class.length > 0 && class.data[class.length - 1] == '\0')
			class.length--;
		if (slice_equal_text_fold(class, "Package") &&
		    office_package(data, &name, &data))
			return found->file(found->context, name, data);
		if (data.length > 0)
			return found->file(found->context, class, data);
	}
	inner = slice_find(
	    object, slice_make("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", 8));
	if (inner != SIZE_MAX)
		object = slice_skip(object, inner);
	return found->file(found->context, slice_make(NULL, 0), object);
}

/* Both readings of the object's digits; one where they agree. */
static bool
take_object(struct slice file, size_t *at, const struct found *found)
{
	size_t max = found->limits->document_bytes;
	struct digits plain = { .out = { .max = max } };
	struct digits word = { .out = { .max = max }, .as_word = true };
	size_t end = read_digits(&plain, file, *at);
	bool good = true;

	read_digits(&word, file, *at);
	*at = end;
	if (plain.out.over || word.out.over)
		found->unread(found->context, "document-bytes");
	if (plain.out.length > 0)
		good = hand_out(bytes_slice(&plain.out), found);
	if (good && word.out.length > 0 &&
	    !slice_equal(bytes_slice(&word.out), bytes_slice(&plain.out)))
		good = hand_out(bytes_slice(&word.out), found);
	bytes_free(&plain.out);
	bytes_free(&word.out);
	return good;
}

/* The picture behind "\pngblip" or "\jpegblip", in digits or as it is. */
static bool
take_picture(struct slice file, size_t *at, const struct found *found)
{
	struct digits digits = {
		.out = { .max = found->limits->document_bytes }, .as_word = true
	};
	bool good = true;

	*at = read_digits(&digits, file, *at);
	if (digits.out.over)
		found->unread(found->context, "document-bytes");
	if (digits.out.length > 0)
		good = found->file(found->context, slice_make(NULL, 0),
		    bytes_slice(&digits.out));
	bytes_free(&digits.out);
	return good;
}

static bool
rtf_pictures(struct slice file, const struct found *found)
{
	const struct slice word = SLICE_LITERAL("blip");
	size_t at = 0, next;
	unsigned count = 0;
	bool good = true;

	while (good &&
	       (next = slice_find(slice_skip(file, at), word)) != SIZE_MAX) {
		struct slice before = slice_range(file, at, at + next);

		at += next + word.length;
		if (!slice_ends_with(before, SLICE_LITERAL("\\png")) &&
		    !slice_ends_with(before, SLICE_LITERAL("\\jpeg")))
			continue;
		if (count++ == found->limits->objects) {
			found->unread(found->context, "document-objects");
			break;
		}
		good = take_picture(file, &at, found);
	}
	return good;
}

void
rtf_files(struct slice file, const struct found *found)
{
	const struct slice word = SLICE_LITERAL("\\objdata");
	size_t at = 0, next;
	bool good = rtf_pictures(file, found);

	for (unsigned count = 0; good; count++) {
		next = slice_find(slice_skip(file, at), word);
		if (next == SIZE_MAX)
			break;
		if (count == found->limits->objects) {
			found->unread(found->context, "document-objects");
			break;
		}
		at += next + word.length;
		good = take_object(file, &at, found);
	}
}

/* ---- text ---- */

/* Words that end a line or a cell of a table. */
static bool
ends_line(struct slice name)
{
	static const char *const words[] = { "par", "line", "tab", "cell",
		"row", "page", "sect", "\n", "\r" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (slice_equal_text(name, words[i]))
			return true;
	return false;
}

/* What stands for the character behind \u in readers that do not know it: one
 * character, or as many as \uc says. */
static size_t
pass_substitute(struct slice file, size_t at, long count)
{
	for (; count > 0 && at < file.length; count--) {
		char c = file.data[at];

		if (c == '{' || c == '}')
			break;
		if (c != '\\') {
			at++;
			continue;
		}
		at = read_word(file, at).end;
		if (file.data[at - 1] == '\'')
			at += QUOTED_SIZE;
	}
	return at;
}

/* The walk over a document's text. */
struct text {
	struct bytes out;
	long substitutes; /* behind a character by number */
	int depth;
	int ignored_from; /* depth of a group that does not count, 0: none */
	bool as_word;     /* groups that it may ignore do not count */
	uint64_t starred; /* one bit a depth: such a group is open there */
};

static void
put_text(struct text *text, struct slice piece)
{
	if (text->ignored_from == 0)
		bytes_append(&text->out, piece);
}

static void
put_character(struct text *text, long number)
{
	char coded[4];
	size_t length;

	if (number < 0)
		number += 65536;
	length = utf8_encode(
	    number < 0 ? UTF8_REPLACEMENT : (uint32_t)number, coded);
	put_text(text, slice_make(coded, length));
}

/* Takes the word at `at` into the text; returns where it ends. */
static size_t
take_word(struct text *text, struct slice file, size_t at)
{
	struct word word = read_word(file, at);
	int value;

	if (slice_equal_text(word.name, "'")) {
		value = quoted_value(file, word.end);
		if (value >= 0)
			put_character(text, value);
		return value < 0 ? word.end : word.end + QUOTED_SIZE;
	}
	if (ends_line(word.name))
		put_text(text, SLICE_LITERAL("\n"));
	else if (slice_equal_text(word.name, "uc") && word.has_number)
		text->substitutes = word.number;
	else if (slice_equal_text(word.name, "u") && word.has_number) {
		put_character(text, word.number);
		return pass_substitute(file, word.end, text->substitutes);
	} else if (word.name.length == 1 &&
		   slice_find_byte(SLICE_LITERAL("\\{}"), word.name.data[0]) !=
		       SIZE_MAX)
		put_text(text, word.name);
	take_binary(file, &word);
	return word.end;
}

/* Groups nested deeper than there are bits share none. */
static uint64_t
depth_bit(int depth)
{
	return depth >= 0 && depth < 64 ? (uint64_t)1 << depth : 0;
}

/* A group begins. Of those that readers may ignore two hold links. */
static void
begin_group(struct text *text, struct slice inside)
{
	struct word word;

	text->depth++;
	text->starred &= ~depth_bit(text->depth);
	if (!slice_starts_with(inside, SLICE_LITERAL("\\*")))
		return;
	text->starred |= depth_bit(text->depth);
	if (!text->as_word)
		put_text(text, SLICE_LITERAL("\n"));
	word = read_word(inside, 2);
	if (text->as_word && text->ignored_from == 0 &&
	    !slice_equal_text(word.name, "fldinst") &&
	    !slice_equal_text(word.name, "template"))
		text->ignored_from = text->depth;
}

static void
end_group(struct text *text)
{
	if (text->starred & depth_bit(text->depth))
		put_text(text, SLICE_LITERAL("\n"));
	if (text->depth == text->ignored_from)
		text->ignored_from = 0;
	text->depth--;
}

static bool
read_text(struct slice file, bool as_word, const struct found *found)
{
	struct text text = { .out = { .max = found->limits->document_bytes },
		.substitutes = 1,
		.as_word = as_word };
	size_t at = 0;
	bool good;

	while (at < file.length) {
		char c = file.data[at];

		if (c == '\\') {
			at = take_word(&text, file, at);
			continue;
		}
		if (c == '{')
			begin_group(&text, slice_skip(file, at + 1));
		else if (c == '}')
			end_group(&text);
		else if (c != '\r' && c != '\n' && text.ignored_from == 0)
			bytes_byte(&text.out, c);
		at++;
	}
	if (text.out.over)
		found->unread(found->context, "document-bytes");
	good = found->text(found->context, bytes_slice(&text.out));
	bytes_free(&text.out);
	return good;
}

void
rtf_text(struct slice file, const struct found *found)
{
	if (read_text(file, false, found))
		read_text(file, true, found);
}

/* ---- squeezed ---- */

#define SQUEEZED_HEAD   16 /* sizes, kind, sum */
#define SQUEEZED_WINDOW 4096

/* MS-OXRTFCP 2.1.2.1: what every window begins with. */
static const char window_start[] =
    "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}"
    "{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript "
    "\\fdecor MS Sans SerifSymbolArialTimes New RomanCourier"
    "{\\colortbl\\red0\\green0\\blue0\r\n\\par "
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";

struct window {
	char octets[SQUEEZED_WINDOW];
	unsigned at; /* where the next one goes */
};

static void
window_put(struct window *window, char octet, struct bytes *out)
{
	window->octets[window->at] = octet;
	window->at = (window->at + 1) % SQUEEZED_WINDOW;
	bytes_byte(out, octet);
}

/* A copy of what is in the window; false at the end of all. */
static bool
window_copy(struct window *window, struct slice token, struct bytes *out)
{
	unsigned number = (unsigned)(unsigned char)token.data[0] << 8 |
			  (unsigned char)token.data[1];
	unsigned from = number >> 4, length = (number & 15) + 2;

	if (from == window->at)
		return false;
	for (unsigned i = 0; i < length; i++)
		window_put(
		    window, window->octets[(from + i) % SQUEEZED_WINDOW], out);
	return true;
}

static void
unsqueeze(struct slice packed, struct bytes *out)
{
	struct window window = { .at = sizeof window_start - 1 };
	bool more = true;

	memset(window.octets, ' ', sizeof window.octets);
	memcpy(window.octets, window_start, sizeof window_start - 1);
	while (more && packed.length > 0 && !out->over) {
		unsigned flags = (unsigned char)packed.data[0];

		packed = slice_skip(packed, 1);
		for (unsigned i = 0; more && i < 8; i++) {
			size_t length = flags >> i & 1 ? 2 : 1;

			more = packed.length >= length;
			if (more && length == 1)
				window_put(&window, packed.data[0], out);
			else if (more)
				more = window_copy(&window, packed, out);
			packed = slice_skip(packed, length);
		}
	}
}

void
rtf_squeezed(struct slice packed, const struct found *found)
{
	struct bytes text = { .max = found->limits->document_bytes };
	bool stored =
	    slice_starts_with(slice_skip(packed, 8), SLICE_LITERAL("MELA"));

	if (stored)
		bytes_append(&text, slice_skip(packed, SQUEEZED_HEAD));
	else
		unsqueeze(slice_skip(packed, SQUEEZED_HEAD), &text);
	if (text.over)
		found->unread(found->context, "document-bytes");
	rtf_text(bytes_slice(&text), found);
	bytes_free(&text);
}
