#include <config.h>

#include <stdint.h>
#include <string.h>

#include "base/builder.h"
#include "base/domain.h"
#include "message/escape.h"
#include "message/url.h"

#define TOKEN_MAX      URL_LENGTH_MAX
#define WRAPPED_MAX    2048 /* bytes of a <URL> that goes over lines */
#define TRIES_PER_SLOT 4    /* candidates looked at, per entry kept */

const char *
url_where_name(enum url_where where)
{
	static const char *const names[] = {
		[URL_IN_TEXT] = "text",
		[URL_IN_HTML] = "html",
		[URL_IN_HTML_TEXT] = "html-text",
		[URL_IN_SUBJECT] = "subject",
		[URL_IN_CALENDAR] = "calendar",
		[URL_IN_REDIRECT] = "redirect",
		[URL_IN_CONTENT] = "content",
		[URL_IN_HEADER] = "header",
		[URL_IN_DISPLAY_NAME] = "display-name",
	};

	return names[where];
}

struct url_list
url_list_make(struct arena *arena, size_t limit)
{
	return (struct url_list){ .limit = limit,
		.seen = table_make(arena),
		.domains = table_make(arena) };
}

/* ---------------------------------------------------------------- entries */

/* The registrable domain of a URL's host; the host where it is an address.
 * Many links lead to few hosts, so each is looked up once. */
static struct slice
registrable(
    struct arena *arena, struct url_list *list, const struct url_canonical *url)
{
	struct slice *domain;

	if (url->host_is_address)
		return url->host;
	domain = table_get(&list->domains, url->host);
	if (domain != NULL)
		return *domain;
	domain = arena_alloc(arena, sizeof *domain);
	if (domain == NULL)
		return url->host;
	*domain = domain_registrable(url->host);
	(void)table_put(&list->domains, url->host, domain);
	return *domain;
}

/* Where a click ends: a known click-tracking service hands on. */
static struct slice
target_domain(
    struct arena *arena, struct url_list *list, const struct url_canonical *url)
{
	struct slice target;
	struct url_canonical inner;
	bool known;

	if (url_canonical_redirect(arena, url, &target, &known) && known &&
	    url_canonical_parse(arena, target, &inner))
		return registrable(arena, list, &inner);
	return registrable(arena, list, url);
}

bool
message_url_is_disguised(const struct message_url *url)
{
	unsigned disguises =
	    URL_HAD_USERINFO | URL_NUMERIC_HOST | URL_ENCODED_HOST;

	/* Office writes file:///\\server\share\name. */
	if (!slice_equal_text(url->scheme, "file"))
		disguises |= URL_HAD_BACKSLASH;
	return (url->oddities & disguises) != 0;
}

static bool
already_in(
    struct arena *arena, struct url_list *list, const struct message_url *url)
{
	struct builder key = builder_make(arena, 8 * URL_LENGTH_MAX);

	struct {
		size_t part;
		unsigned where, mismatch;
	} kind = { url->part, (unsigned)url->where,
		(unsigned)url->text_mismatch |
		    (unsigned)message_url_is_disguised(url) << 1 };

	builder_slice(&key, slice_make(&kind, sizeof kind));
	builder_slice(&key, url->normal);
	if (key.failed || table_has(&list->seen, builder_result(&key)))
		return true;
	return !table_put(&list->seen, builder_result(&key), list);
}

static bool
may_try(struct url_list *list)
{
	if (list->count >= list->limit ||
	    list->tried >= list->limit * TRIES_PER_SLOT) {
		list->cut = true;
		return false;
	}
	list->tried++;
	return true;
}

/* Adds one entry; `like` has what does not come from the URL itself. */
static void
append(struct arena *arena, struct url_list *list,
    const struct url_canonical *url, const struct message_url *like)
{
	struct message_url entry = *like, *added;

	entry.normal = url->normal;
	entry.scheme = url->scheme;
	entry.host = url->host;
	entry.path = url->path;
	entry.query = url->query;
	entry.oddities = url->oddities;
	if (already_in(arena, list, &entry))
		return;
	entry.domain = registrable(arena, list, url);
	added = list_append(arena, list, list->limit);
	if (added == NULL) {
		list->cut = true;
		return;
	}
	*added = entry;
}

/* Adds a URL and the one that it carries. */
static void
add(struct arena *arena, struct url_list *list, const struct url_canonical *url,
    const struct message_url *like)
{
	struct slice target;
	struct url_canonical inner;
	struct message_url redirect = *like;
	bool known;

	append(arena, list, url, like);
	if (!url_canonical_redirect(arena, url, &target, &known) ||
	    !may_try(list) || !url_canonical_parse(arena, target, &inner))
		return;
	redirect.raw = target;
	redirect.where = URL_IN_REDIRECT;
	redirect.bare_host = false;
	append(arena, list, &inner, &redirect);
}

/* ------------------------------------------------------------------- text */

/* What an octet does to a token; most do nothing. */
enum {
	TOKEN_ENDS = 1,
	TOKEN_IS_WORTH = 2,
	TOKEN_MAY_END = 4, /* first octet of a blank or quote beyond ASCII */
	TOKEN_COLON = 8,
	TOKEN_BACKSLASH = 16,
	TOKEN_WIDE = 32, /* beyond ASCII */
	TOKEN_BRACKET = 64
};

static const unsigned char token_class[256] = {
	[0 ... ' '] = TOKEN_ENDS,
	[0x7f] = TOKEN_ENDS,
	['<'] = TOKEN_ENDS,
	['>'] = TOKEN_ENDS,
	['"'] = TOKEN_ENDS,
	['`'] = TOKEN_ENDS,
	['{'] = TOKEN_ENDS,
	['}'] = TOKEN_ENDS,
	['|'] = TOKEN_ENDS,
	['^'] = TOKEN_ENDS,
	['.'] = TOKEN_IS_WORTH,
	[':'] = TOKEN_IS_WORTH | TOKEN_COLON,
	['['] = TOKEN_BRACKET,
	['\\'] = TOKEN_BACKSLASH,
	[0x80 ... 0xC1] = TOKEN_WIDE,
	[0xC2] = TOKEN_WIDE | TOKEN_MAY_END,
	[0xC3 ... 0xE1] = TOKEN_WIDE,
	[0xE2 ... 0xE3] = TOKEN_WIDE | TOKEN_MAY_END,
	[0xE4 ... 0xFF] = TOKEN_WIDE,
};

/* The length of a blank or quotation mark beyond ASCII at the front, 0 when it
 * is none: U+A0, U+AB, U+BB, U+2000 to U+200A and what stands around U+2018,
 * U+2028, U+202F, U+2039, and those of Chinese and Japanese from U+3000 on. */
static size_t
wide_end(struct slice text)
{
	unsigned char first = (unsigned char)text.data[0], second, third;

	if (text.length < 2)
		return 0;
	second = (unsigned char)text.data[1];
	if (first == 0xC2)
		return second == 0xA0 || second == 0xAB || second == 0xBB ? 2
									  : 0;
	if (text.length < 3 || second != 0x80)
		return 0;
	third = (unsigned char)text.data[2];
	if (first == 0xE3)
		return third <= 0x81 || (third >= 0x8C && third <= 0x8F) ? 3
									 : 0;
	return third <= 0x8A || (third >= 0x98 && third <= 0x9E) ||
		       third == 0xA8 || third == 0xA9 || third == 0xAF ||
		       third == 0xB9 || third == 0xBA
		   ? 3
		   : 0;
}

/* Without pictograms and arrows that stick to a name. */
static struct slice
without_pictograms(struct slice token)
{
	while (token.length > 3) {
		unsigned char first = (unsigned char)token.data[0];
		unsigned char second = (unsigned char)token.data[1];

		if (first == 0xF0 && second == 0x9F)
			token = slice_skip(token, 4);
		else if (first == 0xE2 && second >= 0x86 && second <= 0xAF)
			token = slice_skip(token, 3);
		else if (slice_starts_with(
			     token, SLICE_LITERAL("\xEF\xB8\x8F")))
			token = slice_skip(token, 3);
		else
			break;
	}
	for (size_t i = 0; i + 1 < token.length; i++)
		if ((unsigned char)token.data[i] == 0xF0 &&
		    (unsigned char)token.data[i + 1] == 0x9F)
			return slice_range(token, 0, i);
	return token;
}

static size_t
count_byte(struct slice text, char byte)
{
	size_t count = 0;

	for (size_t i = 0; i < text.length; i++)
		count += text.data[i] == byte;
	return count;
}

static bool
is_punctuation(char c)
{
	switch (c) {
	case '.':
	case ',':
	case ';':
	case ':':
	case '!':
	case '?':
	case '\'':
	case '*':
	case '_':
	case '~':
		return true;
	default:
		return false;
	}
}

/* Punctuation that belongs to the sentence, not to the URL; a bracket stays
 * where it closes one inside. */
static struct slice
trim_end(struct slice text)
{
	struct brackets {
		bool counted;
		size_t opened, closed;
	} round = { .counted = false }, square = { .counted = false };

	for (; text.length > 0; text.length--) {
		char last = text.data[text.length - 1];
		struct brackets *these = last == ')' ? &round : &square;

		if (last != ')' && last != ']') {
			if (!is_punctuation(last))
				break;
			continue;
		}
		/* few candidates end in one */
		if (!these->counted)
			*these = (struct brackets){ .counted = true,
				.opened =
				    count_byte(text, last == ')' ? '(' : '['),
				.closed = count_byte(text, last) };
		if (these->closed-- <= these->opened)
			break;
	}
	return text;
}

static bool
is_scheme_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '-' ||
	       c == '.' || c == '*';
}

static const struct slice schemes[] = {
	SLICE_LITERAL("http"),
	SLICE_LITERAL("https"),
	SLICE_LITERAL("ftp"),
	SLICE_LITERAL("ftps"),
	SLICE_LITERAL("sftp"),
	SLICE_LITERAL("file"),
	SLICE_LITERAL("smb"),
	SLICE_LITERAL("ws"),
	SLICE_LITERAL("wss"),
	SLICE_LITERAL("webcal"),
	SLICE_LITERAL("ldap"),
	SLICE_LITERAL("hxxp"),
	SLICE_LITERAL("hxxps"),
	SLICE_LITERAL("h**p"),
	SLICE_LITERAL("h**ps"),
	SLICE_LITERAL("htxp"),
	SLICE_LITERAL("hxtp"),
	SLICE_LITERAL("meow"),
	SLICE_LITERAL("fxp"),
};

/* The start of the scheme whose "://" (or ":\\", "[:]//") stands at `at`:
 * the longest known name that ends there, SIZE_MAX when there is none. */
static size_t
scheme_start(struct slice token, size_t at)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
		size_t start = at - schemes[i].length;

		if (schemes[i].length > at ||
		    !slice_equal_fold(
			slice_range(token, start, at), schemes[i]))
			continue;
		if (start < best)
			best = start;
	}
	return best;
}

/* The first scheme in a token, from `from` on: where it starts. */
static size_t
find_scheme(struct slice token, size_t from)
{
	for (size_t at = from; at < token.length; at++) {
		struct slice rest;
		bool marked;
		size_t start;

		if (token.data[at] != ':' && token.data[at] != '[')
			continue;
		rest = slice_skip(token, at);
		marked = (token.data[at] == ':' && rest.length > 2 &&
			     (rest.data[1] == '/' || rest.data[1] == '\\')) ||
			 slice_starts_with(rest, SLICE_LITERAL("[:]/")) ||
			 slice_starts_with(rest, SLICE_LITERAL("[://]"));
		if (!marked)
			continue;
		start = scheme_start(token, at);
		if (start != SIZE_MAX && start >= from)
			return start;
	}
	return SIZE_MAX;
}

/* Parses a candidate, refanged where it was defanged. Where letters of
 * another script stick to the end, the part before them is tried as well. */
static bool
parse_candidate(struct arena *arena, struct slice raw,
    struct url_canonical *url, bool *defanged)
{
	struct slice meant = raw;
	size_t high = 0;

	*defanged = url_canonical_refang(arena, raw, &meant);
	if (url_canonical_parse(arena, meant, url))
		return true;
	while (high < meant.length && (unsigned char)meant.data[high] < 0x80)
		high++;
	return high < meant.length && high > 0 &&
	       url_canonical_parse(arena, slice_range(meant, 0, high), url);
}

static bool
has_listed_suffix(const struct url_canonical *url)
{
	return url->host_is_address ? !(url->oddities & URL_NUMERIC_HOST) &&
					  ipaddr_is_v4(&url->address)
				    : domain_has_listed_suffix(url->host);
}

/* Whether a token without scheme is a host, perhaps with a path. Four numbers
 * alone are more often the section of a document than an address, so an
 * address needs a path, a port or drawn fangs beside it. */
static bool
is_bare_host(struct slice token, const struct url_canonical *url, bool defanged)
{
	size_t end = 0;

	if (url->host_is_address && !defanged && url->path.length <= 1 &&
	    slice_find_byte(token, ':') == SIZE_MAX)
		return false;
	if (slice_starts_with_fold(token, SLICE_LITERAL("www.")))
		return slice_find_byte(slice_skip(url->host, 4), '.') !=
		       SIZE_MAX;
	while (end < token.length && token.data[end] != '/' &&
	       token.data[end] != '\\' && token.data[end] != '?')
		end++;
	/* an address, or "and/or" */
	if (slice_find_byte(slice_range(token, 0, end), '@') != SIZE_MAX ||
	    slice_find_byte(slice_range(token, 0, end), '.') == SIZE_MAX)
		return false;
	return has_listed_suffix(url);
}

/* \\host\share, which Windows opens; behind the host may stand a port for
 * WebDAV: \\host@SSL@443\share. True when it was one. */
static bool
add_share(struct arena *arena, struct url_list *list, struct slice token,
    struct message_url like)
{
	size_t at = slice_find(token, SLICE_LITERAL("\\\\")), end;
	struct builder out = builder_make(arena, URL_LENGTH_MAX);
	struct url_canonical url;
	struct slice host;

	if (at == SIZE_MAX)
		return false;
	token = slice_skip(token, at);
	while (token.length > 0 && token.data[0] == '\\')
		token = slice_skip(token, 1);
	for (end = 0;
	     end < token.length && strchr("\\/@", token.data[end]) == NULL;)
		end++;
	host = slice_range(token, 0, end);
	/* in a network of one's own hosts have no dots */
	if (slice_find_byte(host, '.') == SIZE_MAX || !may_try(list))
		return false;
	while (end < token.length && token.data[end] != '\\' &&
	       token.data[end] != '/')
		end++;
	like.raw = trim_end(slice_skip(token, end));
	builder_text(&out, "file://");
	builder_slice(&out, host);
	builder_slice(&out, like.raw);
	like.raw = builder_result(&out);
	if (out.failed || !url_canonical_parse(arena, like.raw, &url))
		return false;
	add(arena, list, &url, &like);
	return true;
}

/* The host of a setting of a remote desktop file: "full address:s:HOST". */
static bool
add_desktop(struct arena *arena, struct url_list *list, struct slice token,
    struct message_url like)
{
	static const char *const names[] = { "address", "gatewayhostname",
		"kdcproxyname" };
	struct slice name, rest = slice_split(token, ':', &name);
	struct url_canonical url;

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_equal_text_fold(name, names[i]) &&
		    slice_starts_with_fold(rest, SLICE_LITERAL("s:")) &&
		    may_try(list) &&
		    url_canonical_parse(arena, slice_skip(rest, 2), &url)) {
			like.raw = slice_skip(rest, 2);
			add(arena, list, &url, &like);
			return true;
		}
	return false;
}

/* "1,234.50", "-3.5%": tables are full of them. None is a host, whose last label
 * is a word, and an address needs more beside it. */
static bool
is_number(struct slice token)
{
	for (size_t i = 0; i < token.length; i++)
		if (!ascii_is_digit(token.data[i]) && token.data[i] != '.' &&
		    token.data[i] != ',' && token.data[i] != '-' &&
		    token.data[i] != '+' && token.data[i] != '%')
			return false;
	return true;
}

/* One run of text without blanks; `class` is what is in it. */
static void
add_token(struct arena *arena, struct url_list *list, struct slice token,
    unsigned class, struct message_url like)
{
	size_t start = class & (TOKEN_COLON | TOKEN_BRACKET)
			   ? find_scheme(token, 0)
			   : SIZE_MAX;
	struct url_canonical url;

	if (start == SIZE_MAX) {
		if ((class & TOKEN_BACKSLASH &&
			add_share(arena, list, token, like)) ||
		    (class & TOKEN_COLON &&
			add_desktop(arena, list, token, like)) ||
		    (like.where == URL_IN_CONTENT &&
			!slice_starts_with_fold(token, SLICE_LITERAL("www."))))
			return;
		if (class & TOKEN_WIDE)
			token = without_pictograms(token);
		while (token.length > 0 &&
		       strchr("([{'*_-.,:;=/", token.data[0]) != NULL &&
		       token.data[0] != '\0')
			token = slice_skip(token, 1);
		like.raw = trim_end(token);
		if (slice_find_byte(like.raw, '.') == SIZE_MAX ||
		    like.raw.length < 4 || is_number(like.raw) ||
		    !may_try(list))
			return;
		if (parse_candidate(arena, like.raw, &url, &like.defanged) &&
		    is_bare_host(like.raw, &url, like.defanged)) {
			like.bare_host = url.path.length <= 1;
			add(arena, list, &url, &like);
		}
		return;
	}
	while (start != SIZE_MAX && may_try(list)) {
		size_t next = find_scheme(token, start + 6);

		like.raw = trim_end(slice_skip(token, start));
		if (parse_candidate(arena, like.raw, &url, &like.defanged))
			add(arena, list, &url, &like);
		/* "http://a/,http://b/": the second as one of its own; the
		 * value of a parameter has been taken as a redirect */
		while (next != SIZE_MAX && token.data[next - 1] == '=')
			next = find_scheme(token, next + 1);
		start = next;
	}
}

/* Where a URL in angle brackets goes over a line end (RFC 3986, appendix C),
 * takes it whole; else SIZE_MAX. */
static size_t
wrapped_end(struct slice text, size_t start, size_t end)
{
	size_t i = end;

	if (start == 0 || text.data[start - 1] != '<' || end >= text.length ||
	    (text.data[end] != '\r' && text.data[end] != '\n') ||
	    find_scheme(slice_range(text, start, end), 0) != 0)
		return SIZE_MAX;
	for (; i < text.length && i - start < WRAPPED_MAX; i++) {
		if (text.data[i] == '>')
			return i;
		if (text.data[i] == '<' || text.data[i] == ' ')
			return SIZE_MAX;
	}
	return SIZE_MAX;
}

/* Where the token that begins at `at` ends, and what was in it; returns where
 * the text goes on. */
static size_t
token_end(struct slice text, size_t at, size_t *end_out, unsigned *class_out)
{
	size_t end = at, wide = 0;
	unsigned class = 0;

	for (; end < text.length; end++) {
		unsigned one = token_class[(unsigned char)text.data[end]];

		class |= one;
		/* one test for what nearly all octets are not */
		if (!(one & (TOKEN_ENDS | TOKEN_MAY_END)))
			continue;
		if ((one & TOKEN_ENDS) ||
		    (wide = wide_end(slice_skip(text, end))) > 0)
			break;
	}
	*end_out = end;
	*class_out = class;
	return end + (wide > 0 ? wide : 1);
}

static void
add_text(struct arena *arena, struct url_list *list, struct slice text,
    struct message_url like)
{
	size_t at = 0;

	while (at < text.length && !list->cut) {
		size_t end = at, start = at, wrapped;
		unsigned class;

		at = token_end(text, at, &end, &class);
		if (!(class & TOKEN_IS_WORTH) || end - start < 4)
			continue;
		wrapped = wrapped_end(text, start, end);
		if (wrapped != SIZE_MAX) {
			end = wrapped;
			at = end + 1;
		}
		if (end - start > TOKEN_MAX)
			end = start + TOKEN_MAX;
		add_token(
		    arena, list, slice_range(text, start, end), class, like);
	}
}

void
url_list_add_text(struct arena *arena, struct url_list *list, struct slice text,
    enum url_where where, size_t part)
{
	add_text(arena, list, text,
	    (struct message_url){ .where = where, .part = part });
}

/* ------------------------------------------------------------------ links */

/* The domain that a link's text claims to lead to; false when it claims
 * none. */
static bool
claimed_domain(struct arena *arena, struct slice text, struct slice *domain_out)
{
	struct url_list claims = url_list_make(arena, 1);

	url_list_add_text(arena, &claims, text, URL_IN_TEXT, 0);
	if (claims.count == 0)
		return false;
	*domain_out = claims.items[0].domain;
	return true;
}

static bool
is_slash(char c)
{
	return c == '/' || c == '\\';
}

/* "//host", in which browsers take a backslash for a slash. */
static bool
begins_with_host(struct slice target)
{
	return target.length > 2 && is_slash(target.data[0]) &&
	       is_slash(target.data[1]);
}

/* Joins a relative link with the document's base, as far as the host goes. */
static struct slice
join(struct arena *arena, struct slice base, struct slice target)
{
	struct url_canonical url;
	struct builder out = builder_make(arena, 2 * URL_LENGTH_MAX);
	struct slice path;
	size_t slash;

	if (base.length == 0 || !url_canonical_parse(arena, base, &url))
		return slice_make(NULL, 0);
	builder_slice(&out, url.scheme);
	builder_byte(&out, ':');
	if (begins_with_host(target)) {
		builder_slice(&out, target);
		return builder_result(&out);
	}
	path = slice_range(url.normal, url.scheme.length + 1,
	    (size_t)(url.path.data - url.normal.data));
	builder_slice(&out, path);
	if (target.length == 0 || !is_slash(target.data[0])) {
		slash = slice_find_last_byte(url.path, '/');
		builder_slice(&out, slice_range(url.path, 0,
					slash == SIZE_MAX ? 0 : slash + 1));
	}
	builder_slice(&out, target);
	return builder_result(&out);
}

static bool
has_scheme(struct slice target)
{
	size_t i = 0;

	while (i < target.length && is_scheme_char(target.data[i]))
		i++;
	return i > 0 && i < target.length && target.data[i] == ':';
}

/* A target as browsers see it before they decide whether it is relative:
 * TAB, CR and LF are gone. */
static struct slice
without_breaks(struct arena *arena, struct slice target)
{
	char *out;
	size_t length = 0;

	if (slice_find_byte(target, '\t') == SIZE_MAX &&
	    slice_find_byte(target, '\n') == SIZE_MAX &&
	    slice_find_byte(target, '\r') == SIZE_MAX)
		return target;
	out = arena_alloc(arena, target.length + 1);
	if (out == NULL)
		return target;
	for (size_t i = 0; i < target.length; i++)
		if (strchr("\t\r\n", target.data[i]) == NULL)
			out[length++] = target.data[i];
	return slice_make(out, length);
}

/* The addresses of one list inside a mailto: link. */
static void
add_mail_list(struct arena *arena, struct url_list *list, struct slice text,
    const struct message_mail *like)
{
	while (text.length > 0) {
		struct message_mail *mail;
		struct slice address;
		size_t end = 0, open;

		while (end < text.length && text.data[end] != ',' &&
		       text.data[end] != ';')
			end++;
		address = slice_trim(
		    escape_undo_percent(arena, slice_range(text, 0, end)));
		text = slice_skip(text, end + 1);
		open = slice_find_last_byte(address, '<');
		if (open != SIZE_MAX)
			slice_split(
			    slice_skip(address, open + 1), '>', &address);
		if (slice_find_byte(address, '@') == SIZE_MAX)
			continue;
		mail = list_append(arena, &list->mails, list->limit);
		if (mail == NULL) {
			list->cut = true;
			return;
		}
		*mail = *like;
		mail->address = address;
	}
}

/* The addresses of a mailto: link (RFC 6068), also of its copies, and the URLs
 * of the text that it prepares. */
static void
add_mails(struct arena *arena, struct url_list *list, struct slice rest,
    const struct message_url *like)
{
	static const char *const addresses[] = { "to", "cc", "bcc",
		"reply-to" };
	struct message_mail mail = { .field = like->field, .part = like->part };
	struct message_url carried = *like;
	struct slice pair, name;

	carried.text = slice_make(NULL, 0);
	rest = slice_split(rest, '?', &pair);
	add_mail_list(arena, list, pair, &mail);
	while (rest.length > 0) {
		bool is_address = false;

		rest = slice_split(rest, '&', &pair);
		pair = slice_split(pair, '=', &name);
		for (size_t i = 0; i < sizeof addresses / sizeof addresses[0];
		     i++)
			is_address |= slice_equal_text_fold(name, addresses[i]);
		if (is_address)
			add_mail_list(arena, list, pair, &mail);
		else if (pair.length > 0)
			add_text(arena, list, escape_undo_percent(arena, pair),
			    carried);
	}
}

/* What a link of another scheme, or a broken one, carries: feed:http://...,
 * ms-word:ofe|u|http://..., search-ms:...location:\\host\share. */
static void
add_carried(struct arena *arena, struct url_list *list, struct slice target,
    const struct message_url *link)
{
	struct message_url like = { .where = link->where == URL_IN_HEADER
						 ? URL_IN_HEADER
						 : URL_IN_CONTENT,
		.field = link->field,
		.part = link->part };
	size_t before = list->count;

	add_text(arena, list, escape_undo_percent(arena, target), like);
	for (size_t i = before; link->where != URL_IN_HEADER && i < list->count;
	     i++)
		list->items[i].where = URL_IN_REDIRECT;
}

void
url_list_add_field(struct arena *arena, struct url_list *list,
    struct slice value, const char *field, size_t part)
{
	struct message_url like = {
		.where = URL_IN_HEADER, .field = field, .part = part
	};
	size_t at;

	add_text(arena, list, value, like);
	at = slice_find_fold(value, SLICE_LITERAL("mailto:"));
	while (at != SIZE_MAX) {
		struct slice link;

		/* each up to the next one, so that none is read twice */
		value = slice_skip(value, at + 7);
		at = slice_find_fold(value, SLICE_LITERAL("mailto:"));
		slice_split(slice_range(value, 0, at), '>', &link);
		add_mails(arena, list, link, &like);
	}
}

/* "\\host@SSL@443\share" is not read as browsers do: Windows takes it. */
static bool
is_share(struct slice target)
{
	struct slice authority, behind;
	size_t end = 2;

	if (slice_starts_with_fold(target, SLICE_LITERAL("file:")))
		target = slice_skip(target, 5);
	if (!begins_with_host(target))
		return false;
	while (end < target.length && !is_slash(target.data[end]))
		end++;
	behind = slice_split(slice_range(target, 0, end), '@', &authority);
	return behind.length > 0 &&
	       (ascii_is_digit(behind.data[0]) ||
		   slice_starts_with_fold(behind, SLICE_LITERAL("ssl")));
}

/* Adds "\\host@SSL@443\share", with slashes of either kind. */
static void
add_share_link(struct arena *arena, struct url_list *list, struct slice target,
    const struct message_url *like)
{
	char *copy = arena_text(arena, target);

	if (copy == NULL)
		return;
	for (size_t i = 0; i < target.length; i++)
		if (copy[i] == '/')
			copy[i] = '\\';
	(void)add_share(arena, list, slice_make(copy, target.length), *like);
}

void
url_list_add_link(struct arena *arena, struct url_list *list,
    const struct html_link *link, struct slice base, size_t part)
{
	struct message_url like = { .where = URL_IN_HTML,
		.place = link->place,
		.part = part,
		.raw = link->target,
		.text = link->text };
	struct slice target = without_breaks(arena, link->target), claimed;
	struct url_canonical url;

	if (target.length == 0 || target.data[0] == '#' || !may_try(list))
		return;
	if (slice_starts_with_fold(
		slice_trim(target), SLICE_LITERAL("mailto:"))) {
		add_mails(
		    arena, list, slice_skip(slice_trim(target), 7), &like);
		return;
	}
	if (is_share(target))
		add_share_link(arena, list, target, &like);
	if (!has_scheme(target)) {
		/* "//host/x", or relative: nowhere without a base */
		struct slice joined = join(arena, base, target);

		if (joined.length > 0)
			target = joined;
		else if (!begins_with_host(target) &&
			 !slice_starts_with_fold(target, SLICE_LITERAL("www.")))
			return;
	}
	if (!parse_candidate(arena, target, &url, &like.defanged)) {
		add_carried(arena, list, target, &like);
		return;
	}
	if (link->text.length > 0 &&
	    claimed_domain(arena, link->text, &claimed))
		like.text_mismatch =
		    !slice_equal(claimed, registrable(arena, list, &url)) &&
		    !slice_equal(claimed, target_domain(arena, list, &url));
	add(arena, list, &url, &like);
}
