/*
 * ast - a policy file as the parser saw it
 *
 * Names are as written and nothing is resolved yet. Nodes live in the arena of
 * the program that is being made; offsets are bytes in the node's source.
 */
#ifndef TOCSIN_LANGUAGE_AST_H
#define TOCSIN_LANGUAGE_AST_H

#include "language/lex.h"
#include "language/verdict.h"

struct ast_name {
	struct slice text;
	size_t offset;
};

typedef LIST_OF(struct ast_name) ast_names;

enum ast_operand_kind {
	OPERAND_NAME,   /* field, rule, let, switch or word of an enumeration */
	OPERAND_MEMBER, /* .name */
	OPERAND_INDEXED, /* header["X"], feed["X"].age */
	OPERAND_LITERAL, /* string, number, size, duration, time, ip, network */
	OPERAND_REGEX,
	OPERAND_LIST,  /* { ... } */
	OPERAND_CALL,  /* name(arguments) */
	OPERAND_COUNT, /* count C (condition) */
	OPERAND_BAD    /* was reported */
};

struct ast_operand {
	enum ast_operand_kind kind;
	size_t offset, end;
	struct slice text;         /* name, member, index or function */
	struct slice member;       /* INDEXED: of feed["x"].age; or empty */
	const struct token *token; /* LITERAL, REGEX */
	struct ast_operand *items; /* LIST and CALL: linked by next */
	struct ast_operand *next;
	struct ast_operand *collection; /* COUNT */
	struct ast_expr *condition;     /* COUNT; NULL: all elements */
	bool exactly;
};

enum ast_expr_kind {
	EXPR_AND,
	EXPR_OR,
	EXPR_NOT,
	EXPR_ANY,
	EXPR_ALL,
	EXPR_NO,
	EXPR_TRUTH,   /* left alone */
	EXPR_COMPARE, /* left, comparison, right */
	EXPR_BAD      /* was reported */
};

enum ast_comparison {
	COMPARE_EQUAL,
	COMPARE_NOT_EQUAL,
	COMPARE_LESS,
	COMPARE_LESS_EQUAL,
	COMPARE_GREATER,
	COMPARE_GREATER_EQUAL,
	COMPARE_IN,
	COMPARE_NOT_IN,
	COMPARE_UNDER,
	COMPARE_MATCHES,
	COMPARE_CONTAINS,
	COMPARE_CONTAINS_ANY,
	COMPARE_STARTS_WITH,
	COMPARE_ENDS_WITH,
	COMPARE_PRESENT,
	COMPARE_MISSING
};

struct ast_expr {
	enum ast_expr_kind kind;
	size_t offset, end;     /* the text of it */
	size_t operator_offset; /* COMPARE */
	enum ast_comparison comparison;
	struct ast_operand *left, *right;
	struct ast_operand *collection; /* ANY, ALL, NO */
	/* AND, OR: terms linked by next; NOT: one; ANY, ALL, NO: the
	 * condition, NULL without one. */
	struct ast_expr *terms;
	struct ast_expr *next;
};

struct ast_action {
	size_t offset;
	enum disposition disposition; /* NONE: an action beside it */
	enum verdict_action_kind kind;
	const struct token *name; /* header; NULL: none */
	const struct token *text; /* NULL: none */
	struct ast_action *next;
};

struct ast_rule {
	struct ast_name name;
	const struct token *description; /* NULL: none */
	const struct token *from, *until, *shadow_until;
	const struct token *severity, *owner, *id, *on_error;
	bool shadow;
	bool broken; /* was reported: what it lacks is not */
	enum schema_stage stage;
	struct ast_expr *when, *unless;
	struct ast_action *actions;
};

struct ast_exemption {
	ast_names rules;
	bool all;
	bool broken; /* as in a rule */
	const struct token *description, *until, *owner;
	struct ast_expr *when;
};

/* One entry of a list in the policy. */
struct ast_value {
	const struct token *token;
	const struct token *until; /* NULL: for ever */
	struct ast_value *next;
};

struct ast_list {
	struct ast_name name;
	struct ast_name type;
	struct ast_value *values;
	const struct token *file; /* NULL: from values */
	bool may_be_empty;
};

/* KEY VALUE... in a settings block, a feed, or at the top level. */
struct ast_setting {
	struct ast_name name;
	const struct token *value; /* the only one, or NULL */
	struct ast_value *values;  /* { ... } */
	bool braced;
	struct ast_setting *next;
};

struct ast_block {
	struct ast_name kind; /* resolver, limits, failure, feed, columns */
	struct ast_name name; /* feed */
	struct ast_setting *settings;
};

enum ast_given_kind {
	GIVEN_FIELD,  /* name value, or name { member value ... } */
	GIVEN_LIST,   /* list name { ... } */
	GIVEN_SWITCH, /* switch name on|off */
	GIVEN_INDICATOR
};

struct ast_given {
	enum ast_given_kind kind;
	struct ast_name name;
	const struct token *index;   /* header["X"], feed["X"], yara "set" */
	const struct token *member;  /* feed["X"].age; NULL: none */
	const struct token *value;   /* one value */
	struct ast_value *values;    /* list */
	struct ast_setting *members; /* { member value ... }; indicator's too */
	bool braced;
	struct ast_given *next;
};

struct ast_expect {
	size_t offset;
	bool none; /* nothing at all matches */
	bool not ; /* none of `rules` matches */
	bool has_disposition;
	enum disposition disposition;
	bool has_action;
	enum verdict_action_kind action;
	ast_names rules;
	struct ast_expect *next;
};

struct ast_test {
	const struct token *name;
	const struct token *message, *client, *helo, *mail_from, *auth_user;
	const struct token *now;
	struct ast_value *recipients;
	enum schema_stage stage;
	struct ast_given *givens;
	struct ast_expect *expects;
	bool broken; /* was reported: what it lacks is not */
};

enum ast_kind {
	AST_NONE, /* could not be understood, and was reported */
	AST_SETTING,
	AST_BLOCK,
	AST_LIST,
	AST_PIN,     /* setting.name the kind, setting.value the value */
	AST_INCLUDE, /* setting.value the pattern */
	AST_SWITCH,  /* setting.name, setting.value on|off */
	AST_LET,     /* setting.name, expr */
	AST_RULE,
	AST_EXEMPTION,
	AST_TEST
};

struct ast_statement {
	enum ast_kind kind;
	size_t offset;
	union {
		struct ast_setting setting;
		struct ast_block block;
		struct ast_list list;
		struct {
			struct ast_name name;
			struct ast_expr *expr;
		} let;
		struct ast_rule rule;
		struct ast_exemption exemption;
		struct ast_test test;
	};
	struct ast_statement *next;
};

struct ast_file {
	const char *folder; /* relative paths start here */
	const struct diag_source *source;
	struct lex_tokens tokens;
	struct ast_statement *statements;
	struct ast_file *next;
};

#endif
