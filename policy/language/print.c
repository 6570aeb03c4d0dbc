#include <config.h>

#include "language/parse.h"
#include "language/print.h"
#include "language/schema.h"

#define BRACES_MAX 256
#define INDENT     4

struct printer {
	const struct ast_file *file;
	struct builder *out;
	const struct token *previous;
	struct printer_brace {
		bool many;       /* over several lines? */
		unsigned depth;  /* outside of it */
		unsigned parens; /* that were open before it */
	} open[BRACES_MAX];
	unsigned braces;
	unsigned depth;      /* of what stands inside the last brace */
	unsigned parens;     /* that are open in it */
	unsigned line_depth; /* of the line that is being printed */
	bool line_begun;
	bool must_break; /* a comment ended the line */
	bool any;        /* something was printed */
};

static const struct token *
token_at(const struct printer *printer, size_t i)
{
	return &printer->file->tokens.tokens.items[i];
}

static bool
is_mark(const struct token *token, char mark)
{
	return token != NULL && token->kind == TOKEN_MARK &&
	       token->mark == mark;
}

static void
end_line(struct printer *printer)
{
	if (printer->line_begun)
		builder_byte(printer->out, '\n');
	printer->line_begun = false;
	printer->must_break = false;
}

static void
indent(struct printer *printer, unsigned levels)
{
	for (unsigned i = 0; i < levels * INDENT; i++)
		builder_byte(printer->out, ' ');
	printer->line_begun = true;
	printer->any = true;
}

/* One empty line where the operator left one or more, but not at the start of
 * the file or of a block. */
static void
keep_gap(struct printer *printer, unsigned lines_before, bool wanted)
{
	if ((lines_before > 1 || wanted) && printer->any &&
	    !is_mark(printer->previous, '{'))
		builder_byte(printer->out, '\n');
}

static unsigned
comment_depth(const struct printer *printer, const struct token *token)
{
	if (token->layout == LAYOUT_STATEMENT || token->kind == TOKEN_END)
		return 0;
	return printer->depth;
}

static void
print_comments(struct printer *printer, const struct token *token, bool gap)
{
	for (unsigned i = 0; i < token->comment_count; i++) {
		const struct lex_comment *comment =
		    &printer->file->tokens.comments
			 .items[token->comment_first + i];

		if (!comment->own_line && printer->line_begun) {
			builder_text(printer->out, "  ");
			builder_slice(printer->out, comment->text);
			printer->must_break = true;
			continue;
		}
		end_line(printer);
		keep_gap(printer, comment->lines_before, gap);
		gap = false;
		indent(printer, comment_depth(printer, token));
		builder_slice(printer->out, comment->text);
		/* What follows is no longer the first in its block. */
		printer->previous = NULL;
		printer->must_break = true;
	}
}

/* Is there a line break or a comment between this brace and its end? */
static bool
spans_lines(const struct printer *printer, size_t at)
{
	unsigned open = 0;

	for (; token_at(printer, at)->kind != TOKEN_END; at++) {
		const struct token *token = token_at(printer, at);

		if (open > 0 &&
		    (token->lines_before > 0 || token->comment_count > 0))
			return true;
		if (is_mark(token, '{'))
			open++;
		else if (is_mark(token, '}') && --open == 0)
			return false;
	}
	return true;
}

static bool
is_function(const struct token *token)
{
	static const char *const names[] = { "lookalike", "registrable",
		"lower", "length", "yara" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (token->kind == TOKEN_WORD &&
		    slice_equal_text(token->text, names[i]))
			return true;
	return false;
}

/* A name that nobody knows is taken for a function where the parenthesis
 * follows at once (parse_expr.c), so it has to stay there. */
static bool
is_unknown_call(const struct token *name, const struct token *mark)
{
	return name->kind == TOKEN_WORD &&
	       mark->offset == name->offset + name->length &&
	       !parse_is_reserved(name->text) &&
	       schema_find(name->text) == FIELD_COUNT;
}

static bool
needs_blank(const struct printer *printer, const struct token *token)
{
	const struct token *previous = printer->previous;

	if (previous == NULL || is_mark(previous, '(') ||
	    is_mark(previous, '[') || is_mark(token, ')') ||
	    is_mark(token, ']') || is_mark(token, ',') || is_mark(token, '['))
		return false;
	if (token->kind == TOKEN_MEMBER && is_mark(previous, ']'))
		return false;
	return !(is_mark(token, '(') &&
		 (is_function(previous) || is_unknown_call(previous, token)));
}

static bool
is_big(const struct token *token)
{
	return token->layout == LAYOUT_STATEMENT &&
	       (slice_equal_text(token->text, "rule") ||
		   slice_equal_text(token->text, "exempt") ||
		   slice_equal_text(token->text, "test"));
}

/* Does the token begin a line of the canonical layout? */
static bool
begins_line(const struct printer *printer, const struct token *token)
{
	bool inside_many =
	    printer->braces > 0 && printer->open[printer->braces - 1].many;

	if (token->layout == LAYOUT_STATEMENT || printer->must_break)
		return true;
	if (printer->braces > 0 && !inside_many)
		return false;
	if (inside_many &&
	    (token->layout == LAYOUT_CLAUSE || is_mark(token, '}') ||
		is_mark(printer->previous, '{')))
		return true;
	return token->lines_before > 0 && !is_mark(token, '{') &&
	       !is_mark(token, ',') && !is_mark(token, ')');
}

static unsigned
line_depth(const struct printer *printer, const struct token *token)
{
	bool starts = token->layout == LAYOUT_CLAUSE || is_mark(token, '}') ||
		      is_mark(printer->previous, '{') ||
		      is_mark(printer->previous, ',');

	if (token->layout == LAYOUT_STATEMENT)
		return 0;
	if (is_mark(token, '}') && printer->braces > 0)
		return printer->depth - 1;
	return starts ? printer->depth : printer->depth + 1 + printer->parens;
}

static void
track_braces(struct printer *printer, size_t at, bool statement_is_big)
{
	const struct token *token = token_at(printer, at);

	struct printer_brace *brace;

	if (is_mark(token, '{') && printer->braces < BRACES_MAX) {
		brace = &printer->open[printer->braces++];
		brace->many = spans_lines(printer, at) ||
			      (statement_is_big && printer->braces == 1);
		brace->depth = printer->depth;
		brace->parens = printer->parens;
		if (brace->many) {
			printer->depth = printer->line_depth + 1;
			printer->parens = 0;
		}
	} else if (is_mark(token, '}') && printer->braces > 0) {
		brace = &printer->open[--printer->braces];
		printer->depth = brace->depth;
		printer->parens = brace->parens;
	}
}

static void
print_token(struct printer *printer, size_t at, bool statement_is_big)
{
	const struct token *token = token_at(printer, at);
	bool gap = is_big(token), breaks;

	print_comments(printer, token, gap);
	breaks = begins_line(printer, token);
	if (token->comment_count > 0)
		gap = false;
	if (breaks || !printer->line_begun) {
		unsigned depth = line_depth(printer, token);

		end_line(printer);
		if (token->layout != LAYOUT_NONE)
			keep_gap(printer, token->lines_before, gap);
		indent(printer, depth);
		printer->line_depth = depth;
	} else if (token->layout == LAYOUT_CLAUSE &&
		   !is_mark(printer->previous, '{')) {
		builder_text(printer->out, "  ");
	} else if (needs_blank(printer, token)) {
		builder_byte(printer->out, ' ');
	}
	builder_slice(
	    printer->out, slice_range(printer->file->source->text,
			      token->offset, token->offset + token->length));
	if (is_mark(token, '('))
		printer->parens++;
	else if (is_mark(token, ')') && printer->parens > 0)
		printer->parens--;
	printer->previous = token;
	track_braces(printer, at, statement_is_big);
}

enum tc_status
print_file(
    const struct diag_source *source, struct diag *diag, struct builder *out)
{
	struct ast_file file;
	struct printer printer = { .file = &file, .out = out };
	unsigned errors = diag->error_count;
	bool statement_is_big = false;
	enum tc_status status;
	size_t at;

	status =
	    parse_file(diag->arena, source, PARSE_NESTING_MAX, diag, &file);
	if (status != TC_OK)
		return status;
	if (diag->error_count > errors)
		return TC_INVALID;
	for (at = 0; token_at(&printer, at)->kind != TOKEN_END; at++) {
		if (token_at(&printer, at)->layout == LAYOUT_STATEMENT)
			statement_is_big = is_big(token_at(&printer, at));
		print_token(&printer, at, statement_is_big);
	}
	print_comments(&printer, token_at(&printer, at), false);
	end_line(&printer);
	return out->failed ? TC_LIMIT : TC_OK;
}
