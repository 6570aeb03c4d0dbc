#include <config.h>

#include <stdint.h>

#include "base/builder.h"
#include "base/domain.h"
#include "base/url_canonical.h"

/* What a URL looks like between cleaning and writing. */
struct url_pieces {
	struct slice scheme;
	struct slice authority;
	struct slice path;
	struct slice query;
	unsigned oddities;
};

static const struct scheme {
	const char *name;
	uint16_t port;
} special_schemes[] = {
	{ "http", 80 },
	{ "https", 443 },
	{ "ftp", 21 },
	{ "ws", 80 },
	{ "wss", 443 },
};

static const struct scheme *
special_scheme(struct slice name)
{
	for (size_t i = 0;
	     i < sizeof special_schemes / sizeof special_schemes[0]; i++)
		if (slice_equal_text_fold(name, special_schemes[i].name))
			return &special_schemes[i];
	return NULL;
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* Drops outer controls and blanks, and TAB, CR, LF inside. */
static bool
clean(struct arena *arena, struct slice *text, unsigned *oddities)
{
	char *copy;
	size_t length = 0;

	while (text->length > 0 && (unsigned char)text->data[0] <= ' ')
		*text = slice_skip(*text, 1);
	while (text->length > 0 &&
	       (unsigned char)text->data[text->length - 1] <= ' ')
		text->length--;
	if (text->length > URL_LENGTH_MAX) {
		text->length = URL_LENGTH_MAX;
		*oddities |= URL_WAS_CUT;
	}
	if (slice_find_byte(*text, '\t') == SIZE_MAX &&
	    slice_find_byte(*text, '\n') == SIZE_MAX &&
	    slice_find_byte(*text, '\r') == SIZE_MAX)
		return true;
	*oddities |= URL_HAD_CONTROL;
	copy = arena_text(arena, *text);
	if (copy == NULL)
		return false;
	for (size_t i = 0; i < text->length; i++)
		if (copy[i] != '\t' && copy[i] != '\n' && copy[i] != '\r')
			copy[length++] = copy[i];
	*text = slice_make(copy, length);
	return true;
}

/* The length of "scheme:" in front, 0 when there is none. A name with a dot is
 * a host with a port. */
static size_t
scheme_length(struct slice text)
{
	size_t i = 0;

	if (text.length == 0 || !ascii_is_alpha(text.data[0]))
		return 0;
	while (i < text.length &&
	       (ascii_is_alpha(text.data[i]) || ascii_is_digit(text.data[i]) ||
		   text.data[i] == '+' || text.data[i] == '-' ||
		   text.data[i] == '.'))
		i++;
	if (i == text.length || text.data[i] != ':')
		return 0;
	if (special_scheme(slice_range(text, 0, i)) != NULL)
		return i + 1;
	if (i + 1 < text.length && is_slash(text.data[i + 1]))
		return i + 1;
	return slice_find_byte(slice_range(text, 0, i), '.') == SIZE_MAX ? i + 1
									 : 0;
}

/* Where the first slash stands, or the length. */
static size_t
find_slash(struct slice text)
{
	size_t i = 0;

	while (i < text.length && !is_slash(text.data[i]))
		i++;
	return i;
}

/* "C:" or "C|" of file:///C:/, or a "C" from which the text around it took the
 * colon: a path on the reader's own disk, as templates of documents have it; it
 * leads to no host. */
static bool
is_drive(struct slice scheme, struct slice authority)
{
	return authority.length > 0 && authority.length <= 2 &&
	       ascii_is_alpha(authority.data[0]) &&
	       (authority.length == 1 || authority.data[1] == ':' ||
		   authority.data[1] == '|') &&
	       slice_equal_text_fold(scheme, "file");
}

/* Takes scheme, authority, path and query apart. */
static bool
split(struct slice text, struct url_pieces *pieces)
{
	size_t length = scheme_length(text), slashes = 0, end;

	pieces->scheme = SLICE_LITERAL("http");
	if (length > 0) {
		pieces->scheme = slice_range(text, 0, length - 1);
		text = slice_skip(text, length);
		/* mailto:, data: and their like have no host */
		if (special_scheme(pieces->scheme) == NULL &&
		    (text.length < 2 || !is_slash(text.data[0]) ||
			!is_slash(text.data[1])))
			return false;
	} else
		pieces->oddities |= URL_NO_SCHEME;
	while (slashes < text.length && is_slash(text.data[slashes])) {
		if (text.data[slashes] == '\\')
			pieces->oddities |= URL_HAD_BACKSLASH;
		slashes++;
	}
	if (length > 0 ? slashes != 2 : slashes != 0 && slashes != 2)
		pieces->oddities |= URL_ODD_SLASHES;
	text = slice_skip(text, slashes);
	end = slice_find_byte(text, '#');
	if (end != SIZE_MAX) {
		pieces->oddities |= URL_HAD_FRAGMENT;
		text.length = end;
	}
	pieces->query = slice_split(text, '?', &text);
	end = find_slash(text);
	pieces->authority = slice_range(text, 0, end);
	pieces->path = slice_skip(text, end);
	return pieces->authority.length > 0 &&
	       !is_drive(pieces->scheme, pieces->authority);
}

struct slice
url_canonical_percent_decode(struct arena *arena, struct slice text)
{
	char *out;
	size_t length = 0;

	if (slice_find_byte(text, '%') == SIZE_MAX)
		return text;
	out = arena_text(arena, text);
	if (out == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < text.length; i++) {
		int high, low;

		if (text.data[i] == '%' && text.length - i > 2 &&
		    (high = ascii_hex_value(text.data[i + 1])) >= 0 &&
		    (low = ascii_hex_value(text.data[i + 2])) >= 0) {
			out[length++] = (char)(high * 16 + low);
			i += 2;
		} else
			out[length++] = text.data[i];
	}
	return slice_make(out, length);
}

/* One part of a numeric host; an empty "0x" counts as 0, as in browsers. */
static bool
numeric_part(struct slice part, uint64_t *number_out)
{
	unsigned base = 10;
	uint64_t number = 0;

	if (part.length == 0)
		return false;
	if (part.length >= 2 && part.data[0] == '0' &&
	    ascii_lower(part.data[1]) == 'x') {
		base = 16;
		part = slice_skip(part, 2);
	} else if (part.length >= 2 && part.data[0] == '0') {
		base = 8;
		part = slice_skip(part, 1);
	}
	for (size_t i = 0; i < part.length; i++) {
		int digit = ascii_hex_value(part.data[i]);

		if (digit < 0 || (unsigned)digit >= base)
			return false;
		number = number * base + (unsigned)digit;
		if (number > UINT32_MAX)
			return false;
	}
	*number_out = number;
	return true;
}

bool
url_canonical_numeric_host(struct slice host, struct ipaddr *address_out)
{
	uint64_t parts[4] = { 0 }, address = 0;
	unsigned count = 0;
	uint8_t octets[4];

	if (host.length > 0 && host.data[host.length - 1] == '.')
		host.length--;
	while (host.length > 0) {
		struct slice part;
		bool last = slice_find_byte(host, '.') == SIZE_MAX;

		host = slice_split(host, '.', &part);
		if (count == 4 || !numeric_part(part, &parts[count++]))
			return false;
		if (!last && host.length == 0)
			return false;
	}
	if (count == 0 || parts[count - 1] >> (8 * (5 - count)) != 0)
		return false;
	for (unsigned i = 0; i + 1 < count; i++) {
		if (parts[i] > 255)
			return false;
		address |= parts[i] << (8 * (3 - i));
	}
	address |= parts[count - 1];
	for (unsigned i = 0; i < 4; i++)
		octets[i] = (uint8_t)(address >> (8 * (3 - i)));
	*address_out = ipaddr_from_v4(octets);
	return true;
}

static bool
host_address(struct arena *arena, struct url_canonical *url)
{
	char text[IPADDR_TEXT_MAX];

	url->host_is_address = true;
	url->host =
	    arena_copy(arena, slice_text(ipaddr_format(&url->address, text)));
	return url->host.data != NULL;
}

/* What an octet is in a host: each URL's host is looked through. */
enum {
	HOST_FORBIDDEN = 1, /* to browsers */
	HOST_WIDE = 2       /* beyond ASCII */
};

static const unsigned char host_class[256] = {
	[0 ... ' '] = HOST_FORBIDDEN,
	['"'] = HOST_FORBIDDEN,
	['#'] = HOST_FORBIDDEN,
	['%'] = HOST_FORBIDDEN,
	['/'] = HOST_FORBIDDEN,
	[':'] = HOST_FORBIDDEN,
	['<'] = HOST_FORBIDDEN,
	['>'] = HOST_FORBIDDEN,
	['?'] = HOST_FORBIDDEN,
	['@'] = HOST_FORBIDDEN,
	['['] = HOST_FORBIDDEN,
	['\\'] = HOST_FORBIDDEN,
	[']'] = HOST_FORBIDDEN,
	['^'] = HOST_FORBIDDEN,
	['`'] = HOST_FORBIDDEN,
	['{'] = HOST_FORBIDDEN,
	['|'] = HOST_FORBIDDEN,
	['}'] = HOST_FORBIDDEN,
	[0x7f] = HOST_FORBIDDEN,
	[0x80 ... 0xff] = HOST_WIDE,
};

static unsigned
class_of_host(struct slice host)
{
	unsigned class = 0;

	for (size_t i = 0; i < host.length; i++)
		class |= host_class[(unsigned char)host.data[i]];
	return class;
}

static bool
read_host(struct arena *arena, struct slice text, struct url_canonical *url)
{
	struct slice host = text;
	unsigned class;

	if (text.length > 2 && text.data[0] == '[' &&
	    text.data[text.length - 1] == ']')
		return ipaddr_parse(slice_range(text, 1, text.length - 1),
			   &url->address) &&
		       host_address(arena, url);
	if (slice_find_byte(text, '%') != SIZE_MAX) {
		host = url_canonical_percent_decode(arena, text);
		url->oddities |= URL_ENCODED_HOST;
	}
	class = class_of_host(host);
	if (class & HOST_FORBIDDEN)
		return false;
	while (host.length > 1 && host.data[host.length - 1] == '.')
		host.length--;
	/* some characters of other scripts stand for a slash or a brace */
	if (!domain_canonical(arena, host, &host))
		return false;
	if (class & HOST_WIDE) {
		url->oddities |= URL_INTERNATIONAL;
		if (class_of_host(host) & HOST_FORBIDDEN)
			return false;
	}
	url->host = host;
	if (url_canonical_numeric_host(host, &url->address)) {
		if (!host_address(arena, url))
			return false;
		if (!slice_equal(host, url->host))
			url->oddities |= URL_NUMERIC_HOST;
	}
	return true;
}

/* Takes user information and port off the authority. */
static struct slice
split_authority(
    struct slice authority, uint16_t default_port, struct url_canonical *url)
{
	size_t at = slice_find_last_byte(authority, '@');
	size_t colon;
	unsigned long port;

	if (at != SIZE_MAX) {
		url->oddities |= URL_HAD_USERINFO;
		authority = slice_skip(authority, at + 1);
	}
	colon = slice_find_last_byte(authority, ':');
	if (colon == SIZE_MAX ||
	    (authority.length > 0 &&
		authority.data[authority.length - 1] == ']'))
		return authority;
	if (slice_parse_number(slice_skip(authority, colon + 1), 65535, &port))
		url->port = port == default_port ? 0 : (uint16_t)port;
	else if (colon + 1 < authority.length)
		url->oddities |= URL_BAD_PORT;
	authority.length = colon;
	return authority;
}

static bool
is_unreserved(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '.' ||
	       c == '_' || c == '~';
}

/* Octets of path or query that are written as an escape. '%' is looked at. */
static const bool is_written_otherwise[256] = {
	[0 ... ' '] = true,
	['%'] = true,
	['"'] = true,
	['<'] = true,
	['>'] = true,
	['`'] = true,
	['{'] = true,
	['}'] = true,
	[0x7f ... 255] = true,
};

static size_t
plain_run(struct slice text)
{
	size_t i = 0;

	while (i < text.length &&
	       !is_written_otherwise[(unsigned char)text.data[i]])
		i++;
	return i;
}

/* Writes one octet of path or query as the normal form has it. */
static void
write_octet(struct builder *out, char c, bool escaped)
{
	static const char digits[] = "0123456789ABCDEF";
	unsigned char octet = (unsigned char)c;

	if (escaped && is_unreserved(c)) {
		builder_byte(out, c);
		return;
	}
	builder_byte(out, '%');
	builder_byte(out, digits[octet >> 4]);
	builder_byte(out, digits[octet & 15]);
}

/* A percent sign that begins no escape is one of its own, written %25: left
 * bare it could form an escape with what is decoded behind it ("%4%41"). */
static void
write_encoded(struct builder *out, struct slice text)
{
	for (;;) {
		size_t run = plain_run(text), used = 1;
		int high, low;

		builder_slice(out, slice_range(text, 0, run));
		text = slice_skip(text, run);
		if (text.length == 0)
			return;
		if (text.data[0] == '%' && text.length > 2 &&
		    (high = ascii_hex_value(text.data[1])) >= 0 &&
		    (low = ascii_hex_value(text.data[2])) >= 0) {
			write_octet(out, (char)(high * 16 + low), true);
			used = 3;
		} else
			write_octet(out, text.data[0], false);
		text = slice_skip(text, used);
	}
}

/* The segment as "." or ".." would be taken: 1, 2, or 0 for another. "%2e"
 * counts as a dot, as in browsers. */
static unsigned
dot_segment(struct slice segment)
{
	unsigned dots = 0;

	while (segment.length > 0) {
		if (segment.data[0] == '.')
			segment = slice_skip(segment, 1);
		else if (slice_starts_with_fold(segment, SLICE_LITERAL("%2e")))
			segment = slice_skip(segment, 3);
		else
			return 0;
		if (++dots > 2)
			return 0;
	}
	return dots;
}

/* Writes the path segment by segment, going back for "..". */
static void
write_path(struct builder *out, struct slice path, unsigned *oddities)
{
	size_t start = out->length;

	if (path.length > 0)
		path = slice_skip(path, 1); /* the slash before the first */
	for (;;) {
		size_t end = find_slash(path);
		struct slice segment = slice_range(path, 0, end);
		unsigned dots = dot_segment(segment);
		bool last = end == path.length;

		if (!last && path.data[end] == '\\')
			*oddities |= URL_HAD_BACKSLASH;
		if (dots == 2)
			while (out->length > start &&
			       out->data[--out->length] != '/')
				continue;
		if (dots == 0 || last)
			builder_byte(out, '/');
		if (dots == 0)
			write_encoded(out, segment);
		if (last || out->failed)
			return;
		path = slice_skip(path, end + 1);
	}
}

static bool
write_normal(struct arena *arena, const struct url_pieces *pieces,
    struct url_canonical *url)
{
	struct builder out = builder_make(arena, 4 * URL_LENGTH_MAX);
	bool brackets = url->host_is_address && !ipaddr_is_v4(&url->address);
	size_t scheme, path, query;

	for (size_t i = 0; i < pieces->scheme.length; i++)
		builder_byte(&out, ascii_lower(pieces->scheme.data[i]));
	scheme = out.length;
	builder_text(&out, brackets ? "://[" : "://");
	builder_slice(&out, url->host);
	if (brackets)
		builder_byte(&out, ']');
	if (url->port != 0)
		builder_printf(&out, ":%u", url->port);
	path = out.length;
	write_path(&out, pieces->path, &url->oddities);
	query = out.length;
	if (pieces->query.length > 0) {
		builder_byte(&out, '?');
		write_encoded(&out, pieces->query);
	}
	if (out.failed)
		return false;
	url->normal = builder_result(&out);
	url->scheme = slice_range(url->normal, 0, scheme);
	url->path = slice_range(url->normal, path, query);
	url->query = slice_skip(url->normal, query + (query < out.length));
	return true;
}

bool
url_canonical_parse(
    struct arena *arena, struct slice text, struct url_canonical *url_out)
{
	struct url_pieces pieces = { .oddities = 0 };
	struct url_canonical url = { .port = 0 };
	const struct scheme *scheme;
	struct slice host;

	if (!clean(arena, &text, &pieces.oddities) || !split(text, &pieces))
		return false;
	url.oddities = pieces.oddities;
	scheme = special_scheme(pieces.scheme);
	host = split_authority(
	    pieces.authority, scheme == NULL ? 0 : scheme->port, &url);
	if (!read_host(arena, host, &url) ||
	    !write_normal(arena, &pieces, &url))
		return false;
	*url_out = url;
	return true;
}

/* Services that carry the real target in a parameter, or in the path where
 * there is none. The name stands for everything below as well; `path` must
 * begin the URL's path. */
static const struct redirector {
	struct slice host;
	struct slice path;
	struct slice parameter;
} redirectors[] = {
	{ SLICE_LITERAL("google.com"), SLICE_LITERAL("/url"),
	    SLICE_LITERAL("q") },
	{ SLICE_LITERAL("google.com"), SLICE_LITERAL("/url"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("google.com"), SLICE_LITERAL("/amp/s/"), { NULL, 0 } },
	{ SLICE_LITERAL("googleadservices.com"), SLICE_LITERAL("/pagead/aclk"),
	    SLICE_LITERAL("adurl") },
	{ SLICE_LITERAL("doubleclick.net"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("adurl") },
	{ SLICE_LITERAL("safelinks.protection.outlook.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("facebook.com"), SLICE_LITERAL("/l.php"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("facebook.com"), SLICE_LITERAL("/flx/warn/"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("instagram.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("linkedin.com"), SLICE_LITERAL("/redir/"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("linkedin.com"), SLICE_LITERAL("/safety/go"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("youtube.com"), SLICE_LITERAL("/redirect"),
	    SLICE_LITERAL("q") },
	{ SLICE_LITERAL("slack-redir.net"), SLICE_LITERAL("/link"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("steamcommunity.com"), SLICE_LITERAL("/linkfilter/"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("t.umblr.com"), SLICE_LITERAL("/redirect"),
	    SLICE_LITERAL("z") },
	{ SLICE_LITERAL("vk.com"), SLICE_LITERAL("/away.php"),
	    SLICE_LITERAL("to") },
	{ SLICE_LITERAL("ok.ru"), SLICE_LITERAL("/dk"),
	    SLICE_LITERAL("st.link") },
	{ SLICE_LITERAL("bing.com"), SLICE_LITERAL("/ck/"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("yahoo.com"), SLICE_LITERAL("/"), SLICE_LITERAL("RU") },
	{ SLICE_LITERAL("protect-us.mimecast.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("domain") },
	{ SLICE_LITERAL("linkprotect.cudasvc.com"), SLICE_LITERAL("/url"),
	    SLICE_LITERAL("a") },
	{ SLICE_LITERAL("clicktime.symantec.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("urldefense.proofpoint.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("u") },
	{ SLICE_LITERAL("duckduckgo.com"), SLICE_LITERAL("/l/"),
	    SLICE_LITERAL("uddg") },
	{ SLICE_LITERAL("exactag.com"), SLICE_LITERAL("/"),
	    SLICE_LITERAL("url") },
	{ SLICE_LITERAL("awstrack.me"), SLICE_LITERAL("/L0/"), { NULL, 0 } },
	{ SLICE_LITERAL("urldefense.com"), SLICE_LITERAL("/v3/__"),
	    { NULL, 0 } },
	{ SLICE_LITERAL("urldefense.us"), SLICE_LITERAL("/v3/__"),
	    { NULL, 0 } },
};

static struct slice
query_value(struct slice query, struct slice name)
{
	while (query.length > 0) {
		struct slice pair, key;

		query = slice_split(query, '&', &pair);
		pair = slice_split(pair, '=', &key);
		if (slice_equal_fold(key, name))
			return pair;
	}
	return slice_make(NULL, 0);
}

static bool
looks_absolute(struct slice text)
{
	return slice_starts_with_fold(text, SLICE_LITERAL("http://")) ||
	       slice_starts_with_fold(text, SLICE_LITERAL("https://")) ||
	       slice_starts_with_fold(text, SLICE_LITERAL("https:\\\\")) ||
	       slice_starts_with_fold(text, SLICE_LITERAL("http:\\\\"));
}

/* Proofpoint's URL Defense, version 2: "-XX" is "%XX", "_" is "/". */
static struct slice
decode_defense_v2(struct arena *arena, struct slice value)
{
	char *text = arena_text(arena, value);

	if (text == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < value.length; i++)
		if (text[i] == '-')
			text[i] = '%';
		else if (text[i] == '_')
			text[i] = '/';
	return url_canonical_percent_decode(
	    arena, slice_make(text, value.length));
}

/* A target inside the path: what follows `prefix`, up to "__;" for URL
 * Defense version 3, which also writes one slash for two. */
static struct slice
path_target(struct arena *arena, struct slice path, struct slice prefix)
{
	struct slice rest = slice_skip(path, prefix.length);
	size_t end = slice_find(rest, SLICE_LITERAL("__;"));

	if (end != SIZE_MAX)
		rest.length = end;
	return url_canonical_percent_decode(arena, rest);
}

static struct slice
known_target(struct arena *arena, const struct url_canonical *url)
{
	for (size_t i = 0; i < sizeof redirectors / sizeof redirectors[0];
	     i++) {
		const struct redirector *entry = &redirectors[i];
		struct slice value;

		if (!domain_is_under(url->host, entry->host) ||
		    !slice_starts_with(url->path, entry->path))
			continue;
		if (entry->parameter.length == 0)
			return path_target(arena, url->path, entry->path);
		value = query_value(url->query, entry->parameter);
		if (value.length == 0)
			continue;
		if (domain_is_under(url->host,
			SLICE_LITERAL("urldefense.proofpoint.com")) &&
		    slice_starts_with(url->path, SLICE_LITERAL("/v2/")))
			return decode_defense_v2(arena, value);
		return url_canonical_percent_decode(arena, value);
	}
	return slice_make(NULL, 0);
}

bool
url_canonical_redirect(struct arena *arena, const struct url_canonical *url,
    struct slice *target_out, bool *known_out)
{
	struct slice target = known_target(arena, url);
	struct slice query = url->query;

	if (target.length > 0) {
		*target_out = target;
		*known_out = true;
		return true;
	}
	while (query.length > 0) {
		struct slice pair, key;

		query = slice_split(query, '&', &pair);
		pair = slice_split(pair, '=', &key);
		if (pair.length < 8)
			continue;
		target = url_canonical_percent_decode(arena, pair);
		if (looks_absolute(target)) {
			*target_out = target;
			*known_out = false;
			return true;
		}
	}
	return false;
}

/* What is written in place of a character, longest first where one begins
 * another. */
static const struct fang {
	const char *written;
	const char *meant;
} fangs[] = {
	{ "[://]", "://" },
	{ "[.]", "." },
	{ "(.)", "." },
	{ "{.}", "." },
	{ "[dot]", "." },
	{ "(dot)", "." },
	{ "{dot}", "." },
	{ "[punkt]", "." },
	{ "[:]", ":" },
	{ "[/]", "/" },
	{ "[@]", "@" },
	{ "(@)", "@" },
	{ "[at]", "@" },
	{ "(at)", "@" },
	{ "[.", "." },
	{ "\\.", "." },
};

static const struct fang scheme_fangs[] = {
	{ "hxxps", "https" },
	{ "hxxp", "http" },
	{ "h**ps", "https" },
	{ "h**p", "http" },
	{ "htxp", "http" },
	{ "hxtp", "http" },
	{ "meow", "http" },
	{ "fxp", "ftp" },
};

/* Where a fang may begin, or the length. */
static size_t
find_fang(struct slice text)
{
	size_t i = 0;

	while (i < text.length && text.data[i] != '[' && text.data[i] != '(' &&
	       text.data[i] != '{' && text.data[i] != '\\')
		i++;
	return i;
}

bool
url_canonical_refang(
    struct arena *arena, struct slice text, struct slice *text_out)
{
	struct builder out = builder_make(arena, URL_LENGTH_MAX * 2);
	bool changed = false;
	/* most begin like this, and then with no fang */
	bool usual = slice_starts_with(text, SLICE_LITERAL("http"));

	for (size_t i = 0;
	     !usual && i < sizeof scheme_fangs / sizeof scheme_fangs[0]; i++) {
		struct slice written = slice_text(scheme_fangs[i].written);
		struct slice after = slice_skip(text, written.length);

		if (slice_starts_with_fold(text, written) && after.length > 0 &&
		    (after.data[0] == ':' || after.data[0] == '[' ||
			after.data[0] == '(')) {
			builder_text(&out, scheme_fangs[i].meant);
			text = after;
			changed = true;
			break;
		}
	}
	if (!changed && find_fang(text) == text.length)
		return false;
	while (text.length > 0) {
		size_t i = 0, count = sizeof fangs / sizeof fangs[0];
		size_t plain = find_fang(text);

		builder_slice(&out, slice_range(text, 0, plain));
		text = slice_skip(text, plain);
		while (i < count && !slice_starts_with_fold(
					text, slice_text(fangs[i].written)))
			i++;
		if (i < count) {
			builder_text(&out, fangs[i].meant);
			text = slice_skip(text, strlen(fangs[i].written));
			changed = true;
		} else if (text.length > 0) {
			builder_byte(&out, text.data[0]);
			text = slice_skip(text, 1);
		}
	}
	if (!changed || out.failed)
		return false;
	*text_out = builder_result(&out);
	return true;
}
