#include <config.h>

#include "base/utf8.h"
#include "language/foreign.h"
#include "language/lex.h"
#include "language/moment.h"

#define TOKENS_MAX 4000000

struct lexer {
	struct arena *arena;
	const struct diag_source *source;
	struct diag *diag;
	struct lex_tokens *into;
	struct slice text;
	size_t at;
	unsigned lines; /* line breaks since the last token or comment */
	unsigned first_comment;
	bool full;
	struct token nowhere; /* written when full, never read */
};

static char
peek(const struct lexer *lexer, size_t ahead)
{
	return ahead < lexer->text.length - lexer->at
		   ? lexer->text.data[lexer->at + ahead]
		   : '\0';
}

static bool
at_end(const struct lexer *lexer)
{
	return lexer->at >= lexer->text.length;
}

static struct token *
add_token(struct lexer *lexer, enum token_kind kind, size_t start)
{
	struct token *token =
	    list_append(lexer->arena, &lexer->into->tokens, TOKENS_MAX);

	if (token == NULL) {
		lexer->full = true;
		return &lexer->nowhere;
	}
	token->kind = kind;
	token->offset = start;
	token->length = lexer->at - start;
	token->text = slice_range(lexer->text, start, lexer->at);
	token->comment_first = lexer->first_comment;
	token->comment_count =
	    (unsigned)lexer->into->comments.count - lexer->first_comment;
	token->lines_before = lexer->lines;
	lexer->first_comment = (unsigned)lexer->into->comments.count;
	lexer->lines = 0;
	return token;
}

static void
read_comment(struct lexer *lexer, bool own_line)
{
	struct lex_comment *comment;
	size_t start = lexer->at;
	struct slice text;

	while (!at_end(lexer) && peek(lexer, 0) != '\n')
		lexer->at++;
	text = slice_range(lexer->text, start, lexer->at);
	while (text.length > 0 && ascii_is_space(text.data[text.length - 1]))
		text.length--;
	comment = list_append(lexer->arena, &lexer->into->comments, TOKENS_MAX);
	if (comment == NULL) {
		lexer->full = true;
		return;
	}
	comment->offset = start;
	comment->text = text;
	comment->own_line = own_line;
	comment->lines_before = lexer->lines;
	lexer->lines = 0;
}

/* Blanks, line breaks and comments. */
static void
skip_blanks(struct lexer *lexer)
{
	while (!at_end(lexer) && !lexer->full) {
		char c = peek(lexer, 0);

		if (c == '#') {
			read_comment(lexer,
			    lexer->lines > 0 || lexer->into->tokens.count == 0);
			continue;
		}
		if (!ascii_is_space(c))
			return;
		lexer->lines += c == '\n';
		lexer->at++;
	}
}

static void
read_code_point(struct lexer *lexer, struct builder *out, size_t escape)
{
	uint32_t code = 0;
	unsigned digits = 0;

	lexer->at++; /* the u */
	if (peek(lexer, 0) == '{')
		for (lexer->at++; ascii_hex_value(peek(lexer, 0)) >= 0;
		     lexer->at++, digits++)
			if (digits < 7)
				code = code * 16 + (uint32_t)ascii_hex_value(
						       peek(lexer, 0));
	if (digits == 0 || digits > 6 || peek(lexer, 0) != '}' || code == 0 ||
	    code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, escape,
		    "no character; write \\u{20AC} with its hexadecimal "
		    "number");
		return;
	}
	lexer->at++;
	char bytes[4];
	builder_slice(out, slice_make(bytes, utf8_encode(code, bytes)));
}

static void
read_escape(struct lexer *lexer, struct builder *out)
{
	size_t start = lexer->at++;

	switch (peek(lexer, 0)) {
	case '"':
	case '\\':
		builder_byte(out, peek(lexer, 0));
		lexer->at++;
		return;
	case 'n':
		builder_byte(out, '\n');
		lexer->at++;
		return;
	case 'u':
		read_code_point(lexer, out, start);
		return;
	default:
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "unknown escape; strings know \\\" \\\\ \\n \\u{...}");
		if (!at_end(lexer) && peek(lexer, 0) != '\n')
			lexer->at++;
		return;
	}
}

static void
read_string(struct lexer *lexer)
{
	size_t start = lexer->at++;
	struct builder text = builder_make(lexer->arena, SIZE_MAX);
	bool closed = false;

	while (!at_end(lexer) && !closed && peek(lexer, 0) != '\n') {
		char c = peek(lexer, 0);

		if (c == '\\') {
			read_escape(lexer, &text);
			continue;
		}
		if (c == '"')
			closed = true;
		else
			builder_byte(&text, c);
		lexer->at++;
	}
	if (!closed) {
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "the string does not end on its line");
		/* rule a "no end {: the brace was not meant as text. */
		if (lexer->at > start + 1 &&
		    lexer->text.data[lexer->at - 1] == '{') {
			lexer->at--;
			text.length -= text.length > 0;
		}
	}
	lexer->full = lexer->full || text.failed;
	add_token(lexer, TOKEN_STRING, start)->text =
	    text.length == 0 ? slice_make("", 0) : builder_result(&text);
	if (slice_find_byte(builder_result(&text), '\0') != SIZE_MAX)
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "the string holds a NUL; is this file UTF-16? It must be "
		    "UTF-8");
	if (!utf8_is_valid(builder_result(&text)))
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "the string is not UTF-8");
}

/* What stands right behind the closing slash: i, or what was not meant. */
static bool
read_flags(struct lexer *lexer)
{
	size_t start = lexer->at;
	struct slice flags;

	while (ascii_is_alpha(peek(lexer, 0)) || peek(lexer, 0) == '/')
		lexer->at++;
	flags = slice_range(lexer->text, start, lexer->at);
	if (slice_find_byte(flags, '/') != SIZE_MAX)
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start - 1,
		    "a slash inside a regular expression is written \\/");
	else if (flags.length > 0 && !slice_equal_text(flags, "i"))
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "the only flag of a regular expression is i: without "
		    "regard to case");
	return slice_find_byte(flags, 'i') != SIZE_MAX;
}

/* /pattern/ with an optional i; \/ is a slash. */
static void
read_regex(struct lexer *lexer)
{
	size_t start = lexer->at++;
	struct builder text = builder_make(lexer->arena, SIZE_MAX);
	struct token *token;
	bool closed = false, fold = false;

	while (!at_end(lexer) && !closed && peek(lexer, 0) != '\n') {
		char c = peek(lexer, 0);

		if (c == '\\' && peek(lexer, 1) == '/')
			lexer->at++;
		else if (c == '\\' && peek(lexer, 1) != '\0' &&
			 peek(lexer, 1) != '\n') {
			builder_byte(&text, c);
			lexer->at++;
		}
		if (c == '/')
			closed = true;
		else
			builder_byte(&text, peek(lexer, 0));
		lexer->at++;
	}
	if (!closed)
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "the regular expression does not end on its line; text and "
		    "paths stand in quotation marks");
	if (closed)
		fold = read_flags(lexer);
	lexer->full = lexer->full || text.failed;
	token = add_token(lexer, TOKEN_REGEX, start);
	token->text = builder_result(&text);
	token->fold = fold;
}

static bool
is_atom_byte(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' ||
	       c == '.' || c == ':' || c == '+' || (unsigned char)c >= 0x80;
}

static const struct {
	const char *name;
	enum token_kind kind;
	uint64_t factor;
} units[] = { { "B", TOKEN_SIZE, 1 }, { "kB", TOKEN_SIZE, 1000 },
	{ "KB", TOKEN_SIZE, 1000 }, { "MB", TOKEN_SIZE, 1000000 },
	{ "GB", TOKEN_SIZE, 1000000000 }, { "TB", TOKEN_SIZE, 1000000000000 },
	{ "KiB", TOKEN_SIZE, 1024 }, { "MiB", TOKEN_SIZE, 1048576 },
	{ "GiB", TOKEN_SIZE, 1073741824 }, { "ms", TOKEN_DURATION, 1 },
	{ "s", TOKEN_DURATION, 1000 }, { "m", TOKEN_DURATION, 60000 },
	{ "h", TOKEN_DURATION, 3600000 }, { "d", TOKEN_DURATION, 86400000 },
	{ "w", TOKEN_DURATION, 604800000 } };

#define NUMBER_MAX (UINT64_C(1) << 62)

/* Digits with an optional unit. */
static bool
read_number(struct slice atom, enum token_kind *kind, uint64_t *number_out)
{
	unsigned long number;
	size_t digits = 0;
	struct slice unit;

	while (digits < atom.length && ascii_is_digit(atom.data[digits]))
		digits++;
	if (!slice_parse_number(
		slice_range(atom, 0, digits), NUMBER_MAX, &number))
		return false;
	unit = slice_skip(atom, digits);
	*kind = TOKEN_INTEGER;
	*number_out = number;
	if (unit.length == 0)
		return true;
	for (size_t i = 0; i < sizeof units / sizeof *units; i++)
		if (slice_equal_text(unit, units[i].name)) {
			*kind = units[i].kind;
			*number_out = number * units[i].factor;
			return number <= NUMBER_MAX / units[i].factor;
		}
	return false;
}

static bool
looks_like_time(struct slice atom)
{
	return atom.length >= 8 && ascii_is_digit(atom.data[3]) &&
	       atom.data[4] == '-';
}

/* 24.12.2026, 12/24/2026, 2026/12/24 */
static bool
looks_like_date(struct slice atom)
{
	unsigned marks = 0, digits = 0;

	for (size_t i = 0; i < atom.length; i++) {
		marks += atom.data[i] == '.' || atom.data[i] == '/';
		digits += ascii_is_digit(atom.data[i]);
	}
	return marks == 2 && digits >= 6 && digits <= 8 &&
	       marks + digits == atom.length;
}

static void
refuse_number(struct lexer *lexer, struct slice atom, size_t start)
{
	size_t digits = 0;
	const char *unit;

	while (digits < atom.length && ascii_is_digit(atom.data[digits]))
		digits++;
	if (looks_like_date(atom)) {
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "\"%.*s\" is no time; a day is written 2026-12-24",
		    (int)atom.length, atom.data);
		return;
	}
	unit = foreign_unit(slice_skip(atom, digits));
	if (digits > 0 && digits < 20 && unit != NULL)
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "\"%.*s\" is no size or duration; write %.*s%s",
		    (int)atom.length, atom.data, (int)digits, atom.data, unit);
	else if (slice_find_byte(atom, '/') != SIZE_MAX)
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "\"%.*s\" is no network: an address, /, and at most 32 "
		    "for IPv4, 128 for IPv6",
		    (int)(atom.length > 60 ? 60 : atom.length), atom.data);
	else
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "\"%.*s\" is no number, size (10MB), duration (15s), time "
		    "or address; text stands in quotation marks, names start "
		    "with a letter",
		    (int)(atom.length > 60 ? 60 : atom.length), atom.data);
}

static void
add_number(struct lexer *lexer, struct slice atom, size_t start)
{
	struct ipaddr_network network;
	struct ipaddr ip;
	struct token *token;
	enum token_kind kind;
	uint64_t number;
	int64_t moment;
	bool host_bits;

	if (ipaddr_parse(atom, &ip)) {
		token = add_token(lexer, TOKEN_IP, start);
		token->network.address = ip;
		token->network.prefix_length = 128;
	} else if (ipaddr_network_parse(atom, &network, &host_bits)) {
		token = add_token(lexer, TOKEN_NETWORK, start);
		token->network = network;
		if (host_bits)
			diag_at(lexer->diag, DIAG_WARNING, lexer->source, start,
			    "bits behind the network's length are set; they "
			    "are ignored");
	} else if (read_number(atom, &kind, &number)) {
		add_token(lexer, kind, start)->number = number;
	} else if (looks_like_time(atom)) {
		if (!moment_parse(atom, false, &moment))
			diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
			    "no such time; write 2026-11-23 or "
			    "2026-11-23T10:00:00Z");
		add_token(lexer, TOKEN_TIME, start);
	} else {
		refuse_number(lexer, atom, start);
		add_token(lexer, TOKEN_STRING, start)->bad = true;
	}
}

/* A word, a number, a time, an address or a network. */
static void
read_atom(struct lexer *lexer)
{
	size_t start = lexer->at;
	bool address = true, colon = false;
	struct slice atom;

	while (is_atom_byte(peek(lexer, 0)) ||
	       (peek(lexer, 0) == '/' && address && lexer->at > start)) {
		char c = peek(lexer, 0);

		address = address && (ascii_hex_value(c) >= 0 || c == '.' ||
					 c == ':' || c == '/');
		colon = colon || c == ':';
		lexer->at++;
	}
	atom = slice_range(lexer->text, start, lexer->at);
	if (!colon && !ascii_is_digit(atom.data[0])) {
		/* "a/b" stops before the slash unless it is all hex. */
		size_t slash = slice_find_byte(atom, '/');

		if (slash != SIZE_MAX)
			lexer->at = start + slash;
		add_token(lexer, TOKEN_WORD, start);
		return;
	}
	add_number(lexer, atom, start);
}

/* 'text', as other languages have it: read as the string that was meant. */
static void
read_quoted(struct lexer *lexer)
{
	size_t start = lexer->at++;
	struct slice rest = slice_skip(lexer->text, lexer->at);
	struct slice line = slice_range(rest, 0, slice_find_byte(rest, '\n'));
	size_t end = slice_find_byte(line, '\'');

	diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
	    "strings stand in \" \", not in \' \'");
	if (end == SIZE_MAX)
		return;
	lexer->at += end + 1;
	add_token(lexer, TOKEN_STRING, start)->text = slice_range(line, 0, end);
}

/* Things that other languages have and this one writes otherwise; the token
 * that was meant keeps the parser on its way. */
static void
read_unknown(struct lexer *lexer)
{
	static const struct {
		const char *text;
		const char *meant; /* a word; NULL: nothing */
		const char *instead;
	} known[] = { { "&&", "and", "write and" }, { "||", "or", "write or" },
		{ "!~", "matches", "write not (... matches /.../)" },
		{ "!", "not", "write not" },
		{ ";", NULL, "statements need no semicolon" },
		{ "@", NULL, "addresses stand in quotation marks" },
		{ "=~", "matches", "write matches /.../" },
		{ "~", "matches", "write matches /.../" } };
	struct slice rest = slice_skip(lexer->text, lexer->at);
	size_t start = lexer->at;

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		if (!slice_starts_with(rest, slice_text(known[i].text)))
			continue;
		diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
		    "\"%s\" is not of this language; %s", known[i].text,
		    known[i].instead);
		lexer->at += strlen(known[i].text);
		if (known[i].meant != NULL)
			add_token(lexer, TOKEN_WORD, start)->text =
			    slice_text(known[i].meant);
		return;
	}
	diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
	    "a character that does not belong here");
	utf8_next(&rest, NULL);
	lexer->at = lexer->text.length - rest.length;
}

static bool
read_operator(struct lexer *lexer)
{
	size_t start = lexer->at;
	char c = peek(lexer, 0), next = peek(lexer, 1);

	if (c == '<' || c == '>')
		lexer->at += next == '=' ? 2 : 1;
	else if ((c == '=' || c == '!') && next == '=')
		lexer->at += 2;
	else
		return false;
	add_token(lexer, TOKEN_OPERATOR, start);
	return true;
}

/* // and slash-star where a word could begin. */
static bool
begins_foreign_comment(const struct lexer *lexer)
{
	char next = peek(lexer, 1);

	return peek(lexer, 0) == '/' && (next == '/' || next == '*') &&
	       (lexer->at == 0 ||
		   ascii_is_space(lexer->text.data[lexer->at - 1]));
}

/* // and slash-star, to the end of the line or of the comment. */
static void
skip_foreign_comment(struct lexer *lexer)
{
	struct slice rest = slice_skip(lexer->text, lexer->at);
	struct slice line = slice_range(rest, 0, slice_find_byte(rest, '\n'));
	size_t end = slice_find(slice_skip(rest, 2), slice_text("*/"));

	diag_at(lexer->diag, DIAG_ERROR, lexer->source, lexer->at,
	    "a comment begins with #");
	if (rest.data[1] == '/' || end == SIZE_MAX)
		lexer->at += line.length;
	else
		lexer->at += end + 4;
}

#define RUN_MAX 1024u /* a longer one is read as what its bytes are */

/* What stands here up to a blank or a mark of the language. */
static struct slice
run_here(const struct lexer *lexer)
{
	size_t end = lexer->at;

	while (end < lexer->text.length && end - lexer->at < RUN_MAX &&
	       !ascii_is_space(lexer->text.data[end]) &&
	       strchr("{}[](),\"", lexer->text.data[end]) == NULL)
		end++;
	return slice_range(lexer->text, lexer->at, end);
}

static bool
has_path_bytes(struct slice run)
{
	for (size_t i = 0; i < run.length; i++)
		if ((!is_atom_byte(run.data[i]) && run.data[i] != '/') ||
		    run.data[i] == ':')
			return false;
	return true;
}

/* /FOLDER/FILE, FOLDER/FILE; but /word/ and /word/i are regular expressions. */
static bool
is_path(struct slice run)
{
	size_t slash = slice_find_byte(run, '/');
	struct slice behind = slice_skip(run, slash == 0 ? 1 : 0);

	if (slash == SIZE_MAX || !has_path_bytes(run) ||
	    ascii_is_digit(run.data[0]) ||
	    slice_starts_with(run, slice_text("matches/")))
		return false;
	if (slash > 0)
		return run.length > slash + 1;
	slash = slice_find_byte(behind, '/');
	if (slash != SIZE_MAX)
		behind = slice_skip(behind, slash + 1);
	return behind.length > 0 && !slice_equal_text(behind, "i");
}

/* SCHEME:/..., NAME@... */
static bool
is_url_or_address(struct slice run)
{
	size_t at = slice_find_byte(run, '@'),
	       colon = slice_find_byte(run, ':');

	if (!is_atom_byte(run.data[0]))
		return false;
	return (at != SIZE_MAX && at > 0) ||
	       (colon != SIZE_MAX && colon > 0 && colon + 1 < run.length &&
		   run.data[colon + 1] == '/');
}

/* Paths, URLs, addresses and sockets without the quotation marks that text has
 * here: one error for all of it, instead of one for each odd character. */
static bool
read_bare_text(struct lexer *lexer)
{
	size_t start = lexer->at, count = lexer->into->tokens.count;
	const struct token *before =
	    count == 0 ? NULL : &lexer->into->tokens.items[count - 1];
	struct token *token;
	struct slice run;

	if (before == NULL || slice_equal_text(before->text, "matches"))
		return false;
	run = run_here(lexer);
	if (run.length == 0 ||
	    !(is_url_or_address(run) || (before->kind == TOKEN_WORD &&
					    lexer->lines == 0 && is_path(run))))
		return false;
	diag_at(lexer->diag, DIAG_ERROR, lexer->source, start,
	    "text stands in quotation marks; write \"%.*s\"",
	    (int)(run.length > 200 ? 200 : run.length), run.data);
	lexer->at += run.length;
	token = add_token(lexer, TOKEN_STRING, start);
	token->text = run;
	token->bad = true;
	return true;
}

static void
read_token(struct lexer *lexer)
{
	size_t start = lexer->at;
	char c = peek(lexer, 0);

	if (read_bare_text(lexer))
		return;
	if (c == '"') {
		read_string(lexer);
	} else if (c == '\'') {
		read_quoted(lexer);
	} else if (begins_foreign_comment(lexer)) {
		skip_foreign_comment(lexer);
	} else if (c == '/') {
		read_regex(lexer);
	} else if (c == '.' && ascii_is_alpha(peek(lexer, 1))) {
		lexer->at++;
		while (ascii_is_alpha(peek(lexer, 0)) ||
		       ascii_is_digit(peek(lexer, 0)) || peek(lexer, 0) == '-')
			lexer->at++;
		add_token(lexer, TOKEN_MEMBER, start)->text =
		    slice_range(lexer->text, start + 1, lexer->at);
	} else if (read_operator(lexer)) {
		return;
	} else if (c != '\0' && strchr("{}()[],", c) != NULL) {
		lexer->at++;
		add_token(lexer, TOKEN_MARK, start)->mark = c;
	} else if (c == '=' && peek(lexer, 1) != '~') {
		lexer->at++;
		add_token(lexer, TOKEN_MARK, start)->mark = c;
	} else if (is_atom_byte(c) && c != '.' && c != '-' && c != '+') {
		read_atom(lexer);
	} else {
		read_unknown(lexer);
	}
}

enum tc_status
lex_file(struct arena *arena, const struct diag_source *source,
    struct diag *diag, struct lex_tokens *tokens_out)
{
	struct lexer lexer = { .arena = arena,
		.source = source,
		.diag = diag,
		.into = tokens_out,
		.text = source->text };

	memset(tokens_out, 0, sizeof *tokens_out);
	if (slice_starts_with(source->text, SLICE_LITERAL("\xef\xbb\xbf")))
		lexer.at = 3;
	skip_blanks(&lexer);
	while (!at_end(&lexer) && !lexer.full) {
		read_token(&lexer);
		skip_blanks(&lexer);
	}
	add_token(&lexer, TOKEN_END, lexer.at)->length = 0;
	if (!lexer.full)
		return TC_OK;
	diag_at(diag, DIAG_ERROR, source, lexer.at, "the file is too large");
	return TC_LIMIT;
}
