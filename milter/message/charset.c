#include <config.h>

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdint.h>

#include "base/builder.h"
#include "base/utf8.h"
#include "message/charset.h"

#define NAME_MAX_BYTES 40
#define CONVERTERS_MAX 16
#define CONVERT_STEP   4096

/* Names that mail uses and iconv does not know or takes too narrowly: a
 * superset is what mail programs decode with. */
static const struct {
	const char *name;
	const char *iconv_name;
	bool ascii; /* octets below 0x80 are ASCII */
} aliases[] = {
	{ "us-ascii", "WINDOWS-1252", true },
	{ "ascii", "WINDOWS-1252", true },
	{ "ansi_x3.4-1968", "WINDOWS-1252", true },
	{ "iso-8859-1", "WINDOWS-1252", true },
	{ "iso8859-1", "WINDOWS-1252", true },
	{ "iso_8859-1", "WINDOWS-1252", true },
	{ "latin1", "WINDOWS-1252", true },
	{ "iso-8859-9", "WINDOWS-1254", true },
	{ "utf8", "UTF-8", true },
	{ "utf-8", "UTF-8", true },
	{ "unicode-1-1-utf-8", "UTF-8", true },
	{ "unicode-1-1-utf-7", "UTF-7", false },
	{ "gb2312", "GB18030", true },
	{ "gbk", "GB18030", true },
	{ "x-gbk", "GB18030", true },
	{ "gb_2312-80", "GB18030", true },
	{ "ks_c_5601-1987", "CP949", true },
	{ "ks_c_5601", "CP949", true },
	{ "euc-kr", "CP949", true },
	{ "x-sjis", "CP932", true },
	{ "shift_jis", "CP932", true },
	{ "shift-jis", "CP932", true },
	{ "iso-8859-8-i", "ISO-8859-8", true },
	{ "iso-8859-8-e", "ISO-8859-8", true },
	{ "iso-2022-jp", "ISO-2022-JP-2", false },
	{ "x-mac-roman", "MACINTOSH", true },
	{ "tis-620", "CP874", true },
	{ "big5", "BIG5-HKSCS", true },
	{ "x-windows-949", "CP949", true },
	{ "unicode", "UTF-16", false },
};

/* Charsets in which ASCII octets may mean something else. */
static const char *const not_ascii[] = { "utf-16", "utf-32", "ucs", "utf-7",
	"iso-2022", "hz", "iso-10646", "ebcdic", "ibm", "cp037", "cp500",
	"unicode", "utf16", "utf32", "iso646", "csiso", "jus", "din", "se",
	"nato", "t.61", "bs_", "nf_", "ns_", "es", "pt" };

struct converter {
	char name[NAME_MAX_BYTES + 1];
	iconv_t handle;
	unsigned long used; /* when last; 0: the slot is free */
};

static struct converter converters[CONVERTERS_MAX];
static unsigned long converter_clock;
static pthread_mutex_t converter_lock = PTHREAD_MUTEX_INITIALIZER;

/* Takes a converter out of the cache, or opens one. */
static iconv_t
converter_take(const char *name)
{
	iconv_t handle = (iconv_t)-1;

	pthread_mutex_lock(&converter_lock);
	for (size_t i = 0; i < CONVERTERS_MAX; i++)
		if (converters[i].used != 0 &&
		    strcmp(converters[i].name, name) == 0) {
			handle = converters[i].handle;
			converters[i].used = 0;
			break;
		}
	pthread_mutex_unlock(&converter_lock);
	if (handle == (iconv_t)-1)
		return iconv_open("UTF-8", name);
	iconv(handle, NULL, NULL, NULL, NULL);
	return handle;
}

/* Puts a converter back; the one unused for longest makes room. */
static void
converter_give(const char *name, iconv_t handle)
{
	size_t oldest = 0;
	iconv_t closed = (iconv_t)-1;

	pthread_mutex_lock(&converter_lock);
	for (size_t i = 1; i < CONVERTERS_MAX; i++)
		if (converters[i].used < converters[oldest].used)
			oldest = i;
	if (converters[oldest].used != 0)
		closed = converters[oldest].handle;
	memcpy(converters[oldest].name, name, strlen(name) + 1);
	converters[oldest].handle = handle;
	converters[oldest].used = ++converter_clock;
	pthread_mutex_unlock(&converter_lock);
	if (closed != (iconv_t)-1)
		iconv_close(closed);
}

void
charset_close_all(void)
{
	pthread_mutex_lock(&converter_lock);
	for (size_t i = 0; i < CONVERTERS_MAX; i++) {
		if (converters[i].used != 0)
			iconv_close(converters[i].handle);
		converters[i].used = 0;
	}
	pthread_mutex_unlock(&converter_lock);
}

/* The name as iconv takes it, in `out`; false when it holds what no charset's
 * name does. A slash would be an instruction to iconv. */
static bool
clean_name(struct slice name, char out[NAME_MAX_BYTES + 1], bool *ascii)
{
	name = slice_trim(name);
	while (name.length > 0 && (name.data[0] == '"' || name.data[0] == '\''))
		name = slice_skip(name, 1);
	while (name.length > 0 &&
	       strchr("\"';,", name.data[name.length - 1]) != NULL)
		name.length--;
	if (name.length == 0 || name.length > NAME_MAX_BYTES)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		char c = ascii_lower(name.data[i]);

		if (!ascii_is_alpha(c) && !ascii_is_digit(c) &&
		    strchr("-_.:+()", c) == NULL)
			return false;
		if (c == '\0')
			return false;
		out[i] = c;
	}
	out[name.length] = '\0';
	for (size_t i = 0; i < sizeof aliases / sizeof aliases[0]; i++)
		if (strcmp(out, aliases[i].name) == 0) {
			memcpy(out, aliases[i].iconv_name,
			    strlen(aliases[i].iconv_name) + 1);
			*ascii = aliases[i].ascii;
			return true;
		}
	*ascii = true;
	for (size_t i = 0; i < sizeof not_ascii / sizeof not_ascii[0]; i++)
		if (strncmp(out, not_ascii[i], strlen(not_ascii[i])) == 0)
			*ascii = false;
	return true;
}

/* UTF-8 with each invalid octet replaced; what is valid is copied in runs. */
static bool
repair_utf8(struct arena *arena, struct slice bytes, size_t max_bytes,
    struct charset_result *result)
{
	static const struct slice replacement = SLICE_LITERAL("\xEF\xBF\xBD");
	struct builder out = builder_make(arena, max_bytes);

	while (bytes.length > 0) {
		struct slice room =
		    slice_range(bytes, 0, max_bytes - out.length);
		size_t run = utf8_valid_prefix(room);
		struct slice rest;
		bool valid;

		builder_slice(&out, slice_range(bytes, 0, run));
		bytes = rest = slice_skip(bytes, run);
		if (bytes.length == 0)
			break;
		utf8_next(&rest, &valid);
		result->invalid |= !valid;
		if (valid || replacement.length > max_bytes - out.length) {
			result->cut = true;
			break;
		}
		builder_slice(&out, replacement);
		bytes = rest;
	}
	result->text = builder_result(&out);
	return !out.failed;
}

static bool
take_utf8(struct arena *arena, struct slice bytes, size_t max_bytes,
    struct charset_result *result)
{
	if (bytes.length > max_bytes || !utf8_is_valid(bytes))
		return repair_utf8(arena, bytes, max_bytes, result);
	result->text = bytes;
	return true;
}

/* Runs iconv in steps; an octet that it refuses becomes U+FFFD. */
static bool
convert(struct arena *arena, iconv_t handle, struct slice bytes,
    size_t max_bytes, struct charset_result *result)
{
	struct builder out = builder_make(arena, max_bytes + CONVERT_STEP);
	char step[CONVERT_STEP];
	/* iconv() does not write to its input; its type is historical. */
	char *in;
	size_t left = bytes.length;

	memcpy(&in, &bytes.data, sizeof in);
	while (left > 0 && !out.failed && out.length < max_bytes) {
		char *to = step;
		size_t room = sizeof step;
		size_t done = iconv(handle, &in, &left, &to, &room);
		int problem = done == (size_t)-1 ? errno : 0;

		builder_slice(&out, slice_make(step, sizeof step - room));
		if (problem == EILSEQ || problem == EINVAL) {
			builder_text(&out, "\xEF\xBF\xBD");
			result->invalid = true;
			in++;
			left--;
			iconv(handle, NULL, NULL, NULL, NULL);
		} else if (problem != 0 && problem != E2BIG)
			break;
	}
	if (out.length > max_bytes || left > 0) {
		result->cut = true;
		if (out.length > max_bytes)
			out.length = max_bytes;
		while (out.length > 0 &&
		       ((unsigned char)out.data[out.length - 1] & 0xC0) == 0x80)
			out.length--;
		if (out.length > 0 &&
		    (unsigned char)out.data[out.length - 1] >= 0xC0)
			out.length--;
	}
	result->text = builder_result(&out);
	return !out.failed;
}

/* UTF-16 without a byte order mark: the order in which ASCII would have its
 * zeros, else big-endian (RFC 2781, 4.3). iconv would take the machine's. */
static void
settle_utf16(char name[NAME_MAX_BYTES + 1], struct slice bytes)
{
	size_t zeros[2] = { 0, 0 };

	if (strcmp(name, "utf-16") != 0 && strcmp(name, "UTF-16") != 0)
		return;
	if (bytes.length >= 2 &&
	    ((unsigned char)bytes.data[0] ^ (unsigned char)bytes.data[1]) ==
		1 &&
	    (unsigned char)bytes.data[0] >= 0xFE)
		return;
	for (size_t i = 0; i < bytes.length && i < 512; i++)
		zeros[i & 1] += bytes.data[i] == '\0';
	memcpy(name, zeros[1] > zeros[0] ? "UTF-16LE" : "UTF-16BE",
	    sizeof "UTF-16LE");
}

bool
charset_to_utf8(struct arena *arena, struct slice name, struct slice bytes,
    size_t max_bytes, struct charset_result *result_out)
{
	char clean[NAME_MAX_BYTES + 1];
	bool ascii = true, done;
	bool named = clean_name(name, clean, &ascii);
	struct slice kept = slice_range(bytes, 0, max_bytes);
	iconv_t handle;

	*result_out =
	    (struct charset_result){ .unknown = !named && name.length > 0 };
	if (ascii && utf8_ascii_prefix(kept) == kept.length) {
		if (named && strcmp(clean, "UTF-8") != 0) {
			/* an unknown name is told even where it is harmless */
			handle = converter_take(clean);
			if (handle == (iconv_t)-1)
				result_out->unknown = true;
			else
				converter_give(clean, handle);
		}
		result_out->text = kept;
		result_out->cut = kept.length < bytes.length;
		return true;
	}
	if (!named && utf8_is_valid(bytes))
		return take_utf8(arena, bytes, max_bytes, result_out);
	if (named && strcmp(clean, "UTF-8") == 0)
		return take_utf8(arena, bytes, max_bytes, result_out);
	if (!named)
		memcpy(clean, "WINDOWS-1252", sizeof "WINDOWS-1252");
	settle_utf16(clean, bytes);
	handle = converter_take(clean);
	if (handle == (iconv_t)-1) {
		result_out->unknown = true;
		if (utf8_is_valid(bytes))
			return take_utf8(arena, bytes, max_bytes, result_out);
		memcpy(clean, "WINDOWS-1252", sizeof "WINDOWS-1252");
		handle = converter_take(clean);
		if (handle == (iconv_t)-1)
			return take_utf8(arena, bytes, max_bytes, result_out);
	}
	done = convert(arena, handle, bytes, max_bytes, result_out);
	converter_give(clean, handle);
	/* iconv passes what lies above U+10FFFF, and knows UTF-8 by names that
	 * we do not. */
	if (done && !utf8_is_valid(result_out->text))
		done =
		    repair_utf8(arena, result_out->text, max_bytes, result_out);
	return done;
}
