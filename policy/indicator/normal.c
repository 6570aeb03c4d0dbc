#include <config.h>

#include <stdint.h>

#include "base/address.h"
#include "base/builder.h"
#include "base/domain.h"
#include "base/utf8.h"
#include "indicator/normal.h"

#define URL_INPUT_MAX 65536 /* the rest of a longer one is query anyway */
#define PORT_MAX      65535

/* File endings that look like a top-level name and are none; what ends so in
 * a mixed list is a file. */
static const char *const file_endings[] = { "asp", "aspx", "bat", "bin", "bmp",
	"cfg", "cgi", "cmd", "css", "csv", "dat", "dll", "doc", "docm", "docx",
	"exe", "gif", "gz", "hta", "htm", "html", "ico", "img", "ini", "iso",
	"jar", "jpeg", "jpg", "js", "json", "jsp", "lnk", "log", "msi", "pdf",
	"php", "png", "ppt", "pptx", "ps1", "rar", "rtf", "scr", "svg", "swf",
	"sys", "tmp", "txt", "vbs", "wsf", "xls", "xlsm", "xlsx", "xml",
	"yar" };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* ----------------------------------------------------------------- domains */

static bool
is_host_octet(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' ||
	       c == '.';
}

/* A name whose last label is a number is an address or nothing (WHATWG URL,
 * "ends in a number"). */
static bool
ends_in_number(struct slice name)
{
	size_t dot;

	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	dot = slice_find_last_byte(name, '.');
	if (dot != SIZE_MAX)
		name = slice_skip(name, dot + 1);
	if (name.length == 0)
		return false;
	if (name.length >= 2 && name.data[0] == '0' &&
	    ascii_lower(name.data[1]) == 'x') {
		for (size_t i = 2; i < name.length; i++)
			if (ascii_hex_value(name.data[i]) < 0)
				return false;
		return true;
	}
	for (size_t i = 0; i < name.length; i++)
		if (!ascii_is_digit(name.data[i]))
			return false;
	return true;
}

/* domain_canonical() takes any octet that the DNS may hold; a host that
 * somebody publishes or clicks has letters, digits, '-' and '_'. */
static bool
host_name(struct arena *arena, struct slice name, struct slice *host_out)
{
	struct slice host;

	if (!domain_canonical(arena, name, &host) || ends_in_number(host))
		return false;
	for (size_t i = 0; i < host.length; i++)
		if (!is_host_octet(host.data[i]))
			return false;
	*host_out = host;
	return true;
}

static enum normal_problem
domain_key(struct arena *arena, struct slice value, struct slice *key_out)
{
	if (slice_starts_with(value, SLICE_LITERAL("*.")))
		value = slice_skip(value, 2);
	else if (value.length > 1 && value.data[0] == '.')
		value = slice_skip(value, 1);
	if (!host_name(arena, value, key_out))
		return arena_exhausted(arena) ? NORMAL_NO_MEMORY
					      : NORMAL_NOT_DOMAIN;
	return NORMAL_GOOD;
}

/* --------------------------------------------------------------- addresses */

static bool
has_blank_or_control(struct slice text)
{
	for (size_t i = 0; i < text.length; i++)
		if ((unsigned char)text.data[i] <= ' ' || text.data[i] == 0x7f)
			return true;
	return false;
}

static enum normal_problem
address_key_of(struct arena *arena, struct slice value, struct slice *key_out)
{
	size_t open = slice_find_last_byte(value, '<');
	struct address address;
	struct slice host;

	if (open != SIZE_MAX && value.data[value.length - 1] == '>')
		value =
		    slice_trim(slice_range(value, open + 1, value.length - 1));
	if (slice_starts_with_fold(value, SLICE_LITERAL("mailto:")))
		value = slice_skip(value, 7);
	address.local = slice_make("", 0);
	if (value.length > 0 && value.data[0] == '@')
		address.domain = slice_skip(value, 1);
	else if (!address_canonical(arena, value, &address))
		return NORMAL_NOT_ADDRESS;
	else if (slice_equal_text(address.local, "*"))
		address.local.length = 0; /* as lists write @DOMAIN */
	if (address.local.length > 0 && value.data[0] != '"' &&
	    (has_blank_or_control(address.local) ||
		slice_find_byte(address.local, '@') != SIZE_MAX))
		return NORMAL_NOT_ADDRESS;
	/* [192.0.2.1] is a domain literal (RFC 5321, 4.1.3). */
	if (address.domain.length > 0 && address.domain.data[0] == '[')
		host = address.domain;
	else if (!host_name(arena, address.domain, &host))
		return NORMAL_NOT_ADDRESS;
	address.domain = host;
	*key_out = address_key(arena, &address);
	return key_out->data == NULL ? NORMAL_NO_MEMORY : NORMAL_GOOD;
}

/* ----------------------------------------------------------------- digests */

static enum normal_problem
digest_key(struct arena *arena, enum indicator_kind kind, struct slice value,
    struct slice *key_out)
{
	size_t size = indicator_digest_size(kind);
	char *octets;

	if (value.length == size) {
		*key_out = value;
		return NORMAL_GOOD;
	}
	if (value.length != 2 * size)
		return NORMAL_NOT_DIGEST;
	octets = arena_alloc(arena, size);
	if (octets == NULL)
		return NORMAL_NO_MEMORY;
	for (size_t i = 0; i < size; i++) {
		int high = ascii_hex_value(value.data[2 * i]);
		int low = ascii_hex_value(value.data[2 * i + 1]);

		if (high < 0 || low < 0)
			return NORMAL_NOT_DIGEST;
		octets[i] = (char)(high * 16 + low);
	}
	*key_out = slice_make(octets, size);
	return NORMAL_GOOD;
}

/* ---------------------------------------------------------------- networks */

static enum normal_problem
network_key(struct arena *arena, struct slice value, struct slice *key_out)
{
	struct ipaddr_network network;
	char *octets;

	if (value.length > 2 && value.data[0] == '[' &&
	    value.data[value.length - 1] == ']')
		value = slice_range(value, 1, value.length - 1);
	if (slice_starts_with_fold(value, SLICE_LITERAL("IPv6:")))
		value = slice_skip(value, 5);
	if (!ipaddr_network_parse(value, &network, NULL))
		return NORMAL_NOT_NETWORK;
	octets = arena_alloc(arena, 17);
	if (octets == NULL)
		return NORMAL_NO_MEMORY;
	memcpy(octets, network.address.octets, 16);
	octets[16] = (char)network.prefix_length;
	*key_out = slice_make(octets, 17);
	return NORMAL_GOOD;
}

/* ------------------------------------------------------------------- texts */

/* Characters that change the order or are not seen at all. */
static bool
is_invisible(uint32_t c)
{
	return c == 0x00ad || c == 0x061c || (c >= 0x200b && c <= 0x200f) ||
	       (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x2064) ||
	       (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

static bool
is_blank(uint32_t c)
{
	return c <= ' ' || c == 0x7f || c == 0x85 || c == 0xa0 ||
	       (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
	       c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Folds, drops what cannot be seen, makes one blank of many. Bytes that are
 * no UTF-8 stay as they are. */
static enum normal_problem
text_key(struct arena *arena, struct slice value, struct slice *key_out)
{
	struct builder out = builder_make(arena, NORMAL_KEY_MAX);
	bool blank = false;

	while (value.length > 0) {
		const char *at = value.data;
		char encoded[4];
		bool valid;
		uint32_t c = utf8_next(&value, &valid);

		if (!valid) {
			encoded[0] = *at;
		} else if (is_invisible(c)) {
			continue;
		} else if (is_blank(c)) {
			blank = true;
			continue;
		}
		if (blank && out.length > 0)
			builder_byte(&out, ' ');
		blank = false;
		builder_slice(
		    &out, slice_make(encoded,
			      valid ? utf8_encode(utf8_fold(c), encoded) : 1));
	}
	if (out.failed)
		return arena_exhausted(arena) ? NORMAL_NO_MEMORY
					      : NORMAL_TOO_LONG;
	if (out.length == 0)
		return NORMAL_EMPTY;
	*key_out = builder_result(&out);
	return NORMAL_GOOD;
}

static enum normal_problem
filename_key(struct arena *arena, struct slice value, struct slice *key_out)
{
	enum normal_problem problem;
	struct slice key;

	for (size_t i = value.length; i > 0; i--) {
		if (value.data[i - 1] == '/' || value.data[i - 1] == '\\') {
			value = slice_skip(value, i);
			break;
		}
	}
	problem = text_key(arena, value, &key);
	if (problem != NORMAL_GOOD)
		return problem;
	/* Windows drops trailing dots and blanks. */
	while (key.length > 0 && (key.data[key.length - 1] == '.' ||
				     key.data[key.length - 1] == ' '))
		key.length--;
	if (key.length == 0)
		return NORMAL_NOT_NAME;
	*key_out = key;
	return NORMAL_GOOD;
}

static enum normal_problem
message_id_key(struct slice value, struct slice *key_out)
{
	if (value.length >= 2 && value.data[0] == '<' &&
	    value.data[value.length - 1] == '>')
		value = slice_range(value, 1, value.length - 1);
	if (value.length == 0)
		return NORMAL_EMPTY;
	if (has_blank_or_control(value))
		return NORMAL_NOT_TEXT;
	*key_out = value;
	return NORMAL_GOOD;
}

/* -------------------------------------------------------------------- URLs */

/* Takes out what browsers do not see: tabs, line breaks, outer controls and
 * blanks. */
static struct slice
url_strip(struct arena *arena, struct slice value)
{
	char *copy;
	size_t length = 0;

	value = slice_range(value, 0, URL_INPUT_MAX);
	while (value.length > 0 && (unsigned char)value.data[0] <= ' ')
		value = slice_skip(value, 1);
	while (value.length > 0 &&
	       (unsigned char)value.data[value.length - 1] <= ' ')
		value.length--;
	copy = arena_alloc(arena, value.length + 1);
	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < value.length; i++) {
		char c = value.data[i];

		if (c != '\t' && c != '\n' && c != '\r')
			copy[length++] = c;
	}
	return slice_make(copy, length);
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

static bool
scheme_is_web(struct slice scheme)
{
	return slice_equal_text(scheme, "http") ||
	       slice_equal_text(scheme, "https");
}

/* Splits "scheme:" off; *rest_out begins behind the slashes. "evil.com:8080"
 * has no scheme, nor has "evil.com/a:b". */
static bool
url_scheme(struct arena *arena, struct slice text, struct slice *scheme_out,
    struct slice *rest_out)
{
	size_t i = 0;
	char *lower;

	while (i < text.length && i < 32 &&
	       (ascii_is_alpha(text.data[i]) || ascii_is_digit(text.data[i]) ||
		   text.data[i] == '+' || text.data[i] == '-' ||
		   text.data[i] == '.'))
		i++;
	*scheme_out = SLICE_LITERAL("http");
	*rest_out = text;
	if (i > 0 && i < text.length && text.data[i] == ':' &&
	    ascii_is_alpha(text.data[0])) {
		lower = arena_text(arena, slice_range(text, 0, i));
		if (lower == NULL)
			return false;
		for (size_t k = 0; k < i; k++)
			lower[k] = ascii_lower(lower[k]);
		if (scheme_is_web(slice_make(lower, i)) ||
		    (i + 2 < text.length && is_slash(text.data[i + 1]) &&
			is_slash(text.data[i + 2]))) {
			*scheme_out = slice_make(lower, i);
			*rest_out = slice_skip(text, i + 1);
		}
	}
	while (rest_out->length > 0 && is_slash(rest_out->data[0]))
		*rest_out = slice_skip(*rest_out, 1);
	return true;
}

/* Schemes that lead to no host. */
static bool
is_hostless(struct slice text)
{
	static const char *const schemes[] = { "mailto:", "javascript:",
		"data:", "cid:", "mid:", "tel:", "sms:", "about:", "blob:" };

	for (size_t i = 0; i < COUNT(schemes); i++)
		if (slice_starts_with_fold(text, slice_text(schemes[i])))
			return true;
	return false;
}

/* The WHATWG IPv4 parser: one to four parts, each decimal, octal or
 * hexadecimal, the last one filling what is left. */
static bool
number_host(struct slice host, struct ipaddr *address_out)
{
	uint64_t parts[4], value = 0;
	unsigned count = 0;
	uint8_t octets[4];

	if (host.length > 0 && host.data[host.length - 1] == '.')
		host.length--;
	while (host.length > 0) {
		struct slice part;
		unsigned base = 10;

		host = slice_split(host, '.', &part);
		if (count == 4 || part.length == 0 || part.length > 20)
			return false;
		if (part.length > 1 && part.data[0] == '0') {
			base = ascii_lower(part.data[1]) == 'x' ? 16 : 8;
			part = slice_skip(part, base == 16 ? 2 : 1);
		}
		parts[count] = 0;
		for (size_t i = 0; i < part.length; i++) {
			int digit = ascii_hex_value(part.data[i]);

			if (digit < 0 || (unsigned)digit >= base)
				return false;
			parts[count] = parts[count] * base + (unsigned)digit;
			if (parts[count] > UINT32_MAX)
				return false;
		}
		count++;
	}
	if (count == 0)
		return false;
	for (unsigned i = 0; i + 1 < count; i++) {
		if (parts[i] > 255)
			return false;
		value |= parts[i] << (8 * (3 - i));
	}
	if (parts[count - 1] >= 1ULL << (8 * (5 - count)))
		return false;
	value |= parts[count - 1];
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(value >> (8 * (3 - i)));
	*address_out = ipaddr_from_v4(octets);
	return true;
}

static struct slice
percent_decode(struct arena *arena, struct slice text)
{
	char *out;
	size_t length = 0;

	if (slice_find_byte(text, '%') == SIZE_MAX)
		return text;
	out = arena_alloc(arena, text.length + 1);
	if (out == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < text.length; i++) {
		int high, low;

		if (text.data[i] == '%' && text.length - i > 2 &&
		    (high = ascii_hex_value(text.data[i + 1])) >= 0 &&
		    (low = ascii_hex_value(text.data[i + 2])) >= 0) {
			out[length++] = (char)(high * 16 + low);
			i += 2;
		} else {
			out[length++] = text.data[i];
		}
	}
	return slice_make(out, length);
}

static enum normal_problem
url_host(struct arena *arena, struct slice text, struct normal_url *url)
{
	char address_text[IPADDR_TEXT_MAX];
	struct slice host;

	if (text.length > 2 && text.data[0] == '[' &&
	    text.data[text.length - 1] == ']') {
		url->host_is_address = ipaddr_parse(
		    slice_range(text, 1, text.length - 1), &url->address);
		if (!url->host_is_address)
			return NORMAL_NOT_URL;
	} else {
		text = percent_decode(arena, text);
		/* libidn2 maps wide digits and soft hyphens before we look
		 * for numbers. */
		if (!domain_canonical(arena, text, &host))
			return NORMAL_NOT_URL;
		if (ends_in_number(host)) {
			if (!number_host(host, &url->address))
				return NORMAL_NOT_URL;
			url->host_is_address = true;
		} else if (!host_name(arena, host, &url->host)) {
			return NORMAL_NOT_URL;
		}
	}
	if (!url->host_is_address)
		return NORMAL_GOOD;
	ipaddr_format(&url->address, address_text);
	if (ipaddr_is_v4(&url->address))
		url->host = arena_copy(arena, slice_text(address_text));
	else
		url->host =
		    slice_text(arena_printf(arena, "[%s]", address_text));
	return url->host.data == NULL ? NORMAL_NO_MEMORY : NORMAL_GOOD;
}

/* Host and port out of the authority, user information dropped. */
static enum normal_problem
url_authority(struct arena *arena, struct slice text, struct normal_url *url)
{
	size_t at = slice_find_last_byte(text, '@');
	size_t colon;
	unsigned long port;

	if (at != SIZE_MAX)
		text = slice_skip(text, at + 1);
	colon = slice_find_last_byte(text, ':');
	if (colon != SIZE_MAX &&
	    slice_find_byte(slice_skip(text, colon), ']') == SIZE_MAX) {
		struct slice digits = slice_skip(text, colon + 1);

		if (digits.length > 0) {
			if (!slice_parse_number(digits, PORT_MAX, &port))
				return NORMAL_NOT_URL;
			url->port = (unsigned)port;
		}
		text = slice_range(text, 0, colon);
	}
	if ((slice_equal_text(url->scheme, "http") && url->port == 80) ||
	    (slice_equal_text(url->scheme, "https") && url->port == 443) ||
	    (slice_equal_text(url->scheme, "ftp") && url->port == 21))
		url->port = 0;
	return text.length == 0 ? NORMAL_NOT_URL : url_host(arena, text, url);
}

static bool
is_unreserved(unsigned char c)
{
	return ascii_is_alpha((char)c) || ascii_is_digit((char)c) || c == '-' ||
	       c == '.' || c == '_' || c == '~';
}

/* Octets that stand for themselves in a path or query (RFC 3986, 3.3). */
static bool
is_plain(unsigned char c)
{
	return is_unreserved(c) ||
	       (c != '\0' && strchr("!$&'()*+,;=:@/?", c) != NULL);
}

static void
put_escaped(struct builder *out, unsigned char c)
{
	static const char digits[] = "0123456789ABCDEF";

	builder_byte(out, '%');
	builder_byte(out, digits[c >> 4]);
	builder_byte(out, digits[c & 15]);
}

/* One notation for each octet: unreserved ones bare, the rest escaped in
 * upper case, escapes of reserved ones kept. A percent sign that begins no
 * escape is escaped, else it could form one with what follows ("%4%41"). */
static struct slice
escapes_normal(struct arena *arena, struct slice text, bool path)
{
	struct builder out = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];
		int high, low;

		if (c == '%' && text.length - i > 2 &&
		    (high = ascii_hex_value(text.data[i + 1])) >= 0 &&
		    (low = ascii_hex_value(text.data[i + 2])) >= 0) {
			c = (unsigned char)(high * 16 + low);
			i += 2;
			if (is_unreserved(c))
				builder_byte(&out, (char)c);
			else
				put_escaped(&out, c);
		} else if (path && c == '\\') {
			builder_byte(&out, '/');
		} else if (is_plain(c)) {
			builder_byte(&out, (char)c);
		} else {
			put_escaped(&out, c);
		}
	}
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

/* Resolves "." and ".." (RFC 3986, 5.2.4); in place would do, but the input
 * may be shared. */
static struct slice
path_normal(struct arena *arena, struct slice path)
{
	char *out = arena_alloc(arena, path.length + 2);
	size_t length = 0;

	if (out == NULL)
		return slice_make(NULL, 0);
	if (path.length > 0 && path.data[0] == '/')
		path = slice_skip(path, 1);
	for (;;) {
		struct slice segment;
		size_t slash = slice_find_byte(path, '/');
		bool last = slash == SIZE_MAX;

		segment = slice_range(path, 0, slash);
		path = last ? slice_make(NULL, 0) : slice_skip(path, slash + 1);
		if (slice_equal_text(segment, "..")) {
			while (length > 0 && out[--length] != '/')
				;
			if (last)
				out[length++] = '/';
		} else if (slice_equal_text(segment, ".")) {
			if (last)
				out[length++] = '/';
		} else {
			out[length++] = '/';
			if (segment.length > 0)
				memcpy(
				    out + length, segment.data, segment.length);
			length += segment.length;
		}
		if (last)
			break;
	}
	return slice_make(out, length);
}

static enum normal_problem
url_key(struct arena *arena, struct normal_url *url)
{
	struct builder key = builder_make(arena, SIZE_MAX);

	if (!scheme_is_web(url->scheme)) {
		builder_slice(&key, url->scheme);
		builder_text(&key, "://");
	}
	builder_slice(&key, url->host);
	if (url->port != 0)
		builder_printf(&key, ":%u", url->port);
	url->key_path_offset = key.length;
	builder_slice(&key, url->path);
	url->key_query_offset = key.length;
	/* What does not fit is the query's end: cutting it keeps the prefix
	 * that an indicator may name. */
	if (key.length + 1 + url->query.length > NORMAL_KEY_MAX)
		url->query = slice_make(NULL, 0);
	if (url->query.length > 0) {
		builder_byte(&key, '?');
		builder_slice(&key, url->query);
	}
	if (key.failed)
		return NORMAL_NO_MEMORY;
	url->key = builder_result(&key);
	return key.length > NORMAL_KEY_MAX ? NORMAL_TOO_LONG : NORMAL_GOOD;
}

enum normal_problem
normal_url(struct arena *arena, struct slice value, struct normal_url *url_out)
{
	struct normal_url url = { 0 };
	struct slice rest, authority, path;
	size_t end = 0;
	enum normal_problem problem;

	rest = url_strip(arena, value);
	if (rest.data == NULL)
		return NORMAL_NO_MEMORY;
	if (rest.length == 0)
		return NORMAL_EMPTY;
	if (is_hostless(rest))
		return NORMAL_NOT_URL;
	if (!url_scheme(arena, rest, &url.scheme, &rest))
		return NORMAL_NO_MEMORY;
	while (end < rest.length && !is_slash(rest.data[end]) &&
	       rest.data[end] != '?' && rest.data[end] != '#')
		end++;
	authority = slice_range(rest, 0, end);
	rest = slice_skip(rest, end);
	rest = slice_range(rest, 0, slice_find_byte(rest, '#'));
	end = slice_find_byte(rest, '?');
	path = slice_range(rest, 0, end);
	if (end != SIZE_MAX)
		url.query =
		    escapes_normal(arena, slice_skip(rest, end + 1), false);
	problem = url_authority(arena, authority, &url);
	if (problem != NORMAL_GOOD)
		return arena_exhausted(arena) ? NORMAL_NO_MEMORY : problem;
	url.path = path_normal(arena, escapes_normal(arena, path, true));
	if (url.path.data == NULL)
		return NORMAL_NO_MEMORY;
	problem = url_key(arena, &url);
	if (problem == NORMAL_GOOD)
		*url_out = url;
	return problem;
}

struct slice
normal_url_key_host(struct slice key)
{
	size_t scheme = slice_find(key, SLICE_LITERAL("://"));
	size_t slash = slice_find_byte(key, '/');
	size_t colon, bracket;

	if (scheme != SIZE_MAX && scheme + 1 == slash)
		key = slice_skip(key, scheme + 3);
	key = slice_range(key, 0, slice_find_byte(key, '/'));
	colon = slice_find_last_byte(key, ':');
	bracket = slice_find_last_byte(key, ']');
	if (colon != SIZE_MAX && (bracket == SIZE_MAX || bracket < colon))
		key = slice_range(key, 0, colon);
	return key;
}

/* ----------------------------------------------------------------- the rest */

enum normal_problem
normal_key(struct arena *arena, enum indicator_kind kind, struct slice value,
    struct slice *key_out)
{
	struct normal_url url;
	enum normal_problem problem;

	if (indicator_digest_size(kind) != 0 &&
	    value.length == indicator_digest_size(kind))
		return digest_key(arena, kind, value, key_out);
	value = slice_trim(value);
	if (value.length == 0)
		return NORMAL_EMPTY;
	if (value.length > NORMAL_KEY_MAX && kind != INDICATOR_URL)
		return NORMAL_TOO_LONG;
	switch (kind) {
	case INDICATOR_ADDRESS:
		return address_key_of(arena, value, key_out);
	case INDICATOR_DOMAIN:
		return domain_key(arena, value, key_out);
	case INDICATOR_URL:
		problem = normal_url(arena, value, &url);
		if (problem == NORMAL_GOOD)
			*key_out = url.key;
		return problem;
	case INDICATOR_NETWORK:
		return network_key(arena, value, key_out);
	case INDICATOR_MD5:
	case INDICATOR_SHA1:
	case INDICATOR_SHA256:
	case INDICATOR_SHA512:
		return digest_key(arena, kind, value, key_out);
	case INDICATOR_FILENAME:
		return filename_key(arena, value, key_out);
	case INDICATOR_SUBJECT:
	case INDICATOR_MAILER:
		return text_key(arena, value, key_out);
	case INDICATOR_MESSAGE_ID:
		return message_id_key(value, key_out);
	case INDICATOR_PATTERN:
	case INDICATOR_YARA:
	case INDICATOR_KINDS:
		break;
	}
	*key_out = value;
	return NORMAL_GOOD;
}

const char *
normal_problem_text(enum normal_problem problem)
{
	switch (problem) {
	case NORMAL_GOOD:
		return "is good";
	case NORMAL_EMPTY:
		return "is empty";
	case NORMAL_TOO_LONG:
		return "is too long";
	case NORMAL_NOT_ADDRESS:
		return "is not a mail address";
	case NORMAL_NOT_DOMAIN:
		return "is not a domain name";
	case NORMAL_NOT_URL:
		return "is not a URL with a host";
	case NORMAL_NOT_NETWORK:
		return "is not an IP address or network";
	case NORMAL_NOT_DIGEST:
		return "is not a digest of this kind in hexadecimal";
	case NORMAL_NOT_NAME:
		return "is not a file name";
	case NORMAL_NOT_TEXT:
		return "holds blanks or controls";
	case NORMAL_NO_MEMORY:
		return "found no memory";
	}
	return "is unknown";
}

static bool
looks_like_file(struct slice value)
{
	size_t dot = slice_find_last_byte(value, '.');

	if (dot == SIZE_MAX)
		return false;
	value = slice_skip(value, dot + 1);
	for (size_t i = 0; i < COUNT(file_endings); i++)
		if (slice_equal_text_fold(value, file_endings[i]))
			return true;
	return false;
}

static bool
guess_digest(struct slice value, enum indicator_kind *kind_out)
{
	for (size_t i = 0; i < value.length; i++)
		if (ascii_hex_value(value.data[i]) < 0)
			return false;
	switch (value.length) {
	case 32:
		*kind_out = INDICATOR_MD5;
		return true;
	case 40:
		*kind_out = INDICATOR_SHA1;
		return true;
	case 64:
		*kind_out = INDICATOR_SHA256;
		return true;
	case 128:
		*kind_out = INDICATOR_SHA512;
		return true;
	default:
		return false;
	}
}

/* 192.0.2.0/255.255.255.0 would be a URL with an odd path. */
static bool
has_netmask(struct slice value)
{
	size_t slash = slice_find_byte(value, '/');
	struct ipaddr address;

	return slash != SIZE_MAX &&
	       ipaddr_parse(slice_range(value, 0, slash), &address) &&
	       ipaddr_parse(slice_skip(value, slash + 1), &address);
}

bool
normal_guess_kind(
    struct arena *arena, struct slice value, enum indicator_kind *kind_out)
{
	struct slice key;
	struct ipaddr_network network;
	enum indicator_kind kind;

	value = slice_trim(value);
	if (value.length == 0 || value.length > NORMAL_KEY_MAX)
		return false;
	if (guess_digest(value, kind_out))
		return true;
	if (ipaddr_network_parse(value, &network, NULL)) {
		*kind_out = INDICATOR_NETWORK;
		return true;
	}
	if (is_slash(value.data[0]) || has_blank_or_control(value) ||
	    has_netmask(value))
		return false;
	if (slice_find(value, SLICE_LITERAL("://")) != SIZE_MAX ||
	    slice_find_byte(value, '/') != SIZE_MAX)
		kind = INDICATOR_URL;
	else if (slice_find_byte(value, '@') != SIZE_MAX)
		kind = INDICATOR_ADDRESS;
	else if (slice_find_byte(value, ':') != SIZE_MAX)
		kind = INDICATOR_URL; /* host:port without a path */
	else
		kind = INDICATOR_DOMAIN;
	if (kind == INDICATOR_DOMAIN &&
	    (slice_find_byte(value, '.') == SIZE_MAX || looks_like_file(value)))
		return false;
	if (normal_key(arena, kind, value, &key) != NORMAL_GOOD)
		return false;
	if (kind == INDICATOR_URL &&
	    slice_find_byte(normal_url_key_host(key), '.') == SIZE_MAX &&
	    slice_find_byte(normal_url_key_host(key), ':') == SIZE_MAX)
		return false; /* "a/b" is a path */
	*kind_out = kind;
	return true;
}

/* What defenders write, and what it means. Longer ones first. */
static const struct {
	const char *written;
	const char *means;
} defangings[] = {
	{ "[://]", "://" },
	{ "[dot]", "." },
	{ "(dot)", "." },
	{ "{dot}", "." },
	{ "[at]", "@" },
	{ "(at)", "@" },
	{ "{at}", "@" },
	{ "[.]", "." },
	{ "(.)", "." },
	{ "{.}", "." },
	{ "[@]", "@" },
	{ "(@)", "@" },
	{ "[:]", ":" },
	{ "[/]", "/" },
	{ "[.", "." },
	{ ".]", "." },
	{ "\\.", "." },
};

static const char *
defanging_at(struct slice rest, size_t *length_out)
{
	for (size_t i = 0; i < COUNT(defangings); i++) {
		struct slice written = slice_text(defangings[i].written);

		if (slice_starts_with_fold(rest, written)) {
			*length_out = written.length;
			return defangings[i].means;
		}
	}
	return NULL;
}

struct slice
normal_refang(struct arena *arena, struct slice value, bool *changed_out)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	struct slice rest = value;
	bool changed = false;

	if (slice_starts_with_fold(rest, SLICE_LITERAL("hxxp")) ||
	    slice_starts_with_fold(rest, SLICE_LITERAL("h**p")) ||
	    slice_starts_with_fold(rest, SLICE_LITERAL("meow"))) {
		builder_text(&out, "http");
		rest = slice_skip(rest, 4);
		changed = true;
	} else if (slice_starts_with_fold(rest, SLICE_LITERAL("fxp:"))) {
		builder_text(&out, "ftp");
		rest = slice_skip(rest, 3);
		changed = true;
	}
	while (rest.length > 0) {
		size_t length = 1;
		const char *means = NULL;
		char c = rest.data[0];

		if (c == '[' || c == '(' || c == '{' || c == '\\' || c == '.')
			means = defanging_at(rest, &length);
		if (means != NULL) {
			builder_text(&out, means);
			changed = true;
		} else {
			builder_byte(&out, c);
		}
		rest = slice_skip(rest, length);
	}
	if (changed_out != NULL)
		*changed_out = changed;
	return changed ? builder_result(&out) : value;
}

struct slice
normal_key_text(struct arena *arena, enum indicator_kind kind, struct slice key)
{
	static const char digits[] = "0123456789abcdef";
	struct builder out = builder_make(arena, SIZE_MAX);
	struct ipaddr address;
	char text[IPADDR_TEXT_MAX];
	unsigned length;

	if (indicator_digest_size(kind) != 0) {
		for (size_t i = 0; i < key.length; i++) {
			unsigned octet = (unsigned char)key.data[i];

			builder_byte(&out, digits[octet >> 4]);
			builder_byte(&out, digits[octet & 15]);
		}
		return builder_result(&out);
	}
	if (kind != INDICATOR_NETWORK || key.length != 17)
		return key;
	memcpy(address.octets, key.data, 16);
	length = (unsigned char)key.data[16];
	builder_text(&out, ipaddr_format(&address, text));
	if (length < 128)
		builder_printf(&out, "/%u",
		    ipaddr_is_v4(&address) && length >= 96 ? length - 96
							   : length);
	return builder_result(&out);
}
