/*
 * lex - a policy file as tokens
 *
 * Reads a whole file at once into an array of tokens. What is no token is
 * noted in the diag and left out, so the parser always gets a sound array that
 * ends with TOKEN_END. Comments are kept beside the token that they precede,
 * for print.h. Linear in the file; text of tokens lies in the arena or in the
 * source, which must live as long.
 */
#ifndef TOCSIN_LANGUAGE_LEX_H
#define TOCSIN_LANGUAGE_LEX_H

#include <stdint.h>

#include "base/diag.h"
#include "base/ipaddr.h"
#include "base/status.h"

enum token_kind {
	TOKEN_END,
	TOKEN_WORD,     /* text: letters, digits, - _ . */
	TOKEN_MEMBER,   /* .name; text without the dot */
	TOKEN_STRING,   /* text: unescaped */
	TOKEN_REGEX,    /* text: the pattern */
	TOKEN_INTEGER,  /* number */
	TOKEN_SIZE,     /* number: bytes */
	TOKEN_DURATION, /* number: milliseconds */
	TOKEN_TIME,     /* text as written, see moment.h */
	TOKEN_IP,       /* network with full length */
	TOKEN_NETWORK,
	TOKEN_MARK,    /* mark: one of { } ( ) [ ] , = */
	TOKEN_OPERATOR /* text: == != < <= > >= */
};

/* Where a line of the canonical layout begins; set by the parser. */
enum token_layout {
	LAYOUT_NONE,
	LAYOUT_STATEMENT, /* at the top level */
	LAYOUT_CLAUSE     /* inside a block */
};

struct token {
	enum token_kind kind;
	size_t offset; /* in the source, bytes */
	size_t length;
	struct slice text;
	uint64_t number;
	struct ipaddr_network network;
	char mark;
	bool fold; /* regex: flag i */
	bool bad;  /* was reported: say no more about it */
	unsigned comment_first, comment_count; /* those before this token */
	unsigned lines_before; /* line breaks between the previous and this */
	enum token_layout layout;
};

struct lex_comment {
	size_t offset;
	struct slice text; /* from # on, right-trimmed */
	bool own_line;     /* nothing but blanks before it */
	unsigned lines_before;
};

struct lex_tokens {
	LIST_OF(struct token) tokens;
	LIST_OF(struct lex_comment) comments;
};

/* Reads `source` into tokens_out. TC_OK also with errors in `diag`; TC_LIMIT
 * when the arena or the number of tokens is exhausted (noted as well). */
enum tc_status lex_file(struct arena *arena, const struct diag_source *source,
    struct diag *diag, struct lex_tokens *tokens_out);

#endif
