/*
 * compiled - the inside of a program, for what makes and what runs it
 *
 * Expressions are nodes of a graph: equal ones are one node, so what rules
 * share is evaluated once a run. All of it lives in the program's arena and
 * never changes after loading.
 */
#ifndef TOCSIN_LANGUAGE_COMPILED_H
#define TOCSIN_LANGUAGE_COMPILED_H

#include "base/table.h"
#include "language/ast.h"
#include "language/program.h"
#include "language/regex.h"

enum compiled_operand_kind {
	COMPILED_FIELD,  /* a single value */
	COMPILED_MEMBER, /* of the element at hand */
	COMPILED_FIRST,  /* member of a collection's first element */
	COMPILED_LITERAL,
	COMPILED_LOWER,       /* of inner */
	COMPILED_REGISTRABLE, /* of inner */
	COMPILED_LENGTH,      /* of inner, in characters */
	COMPILED_COUNT        /* elements for which condition holds */
};

struct compiled_operand {
	enum compiled_operand_kind kind;
	enum value_type type;
	const struct schema_enum *words; /* VALUE_ENUM */
	enum field_id field;             /* FIELD, FIRST, COUNT */
	unsigned member;                 /* MEMBER, FIRST */
	struct value literal;
	const struct compiled_operand *inner;
	const char *filter; /* COUNT, FIRST: name in header["X"], yara("x") */
	const struct program_node *condition; /* COUNT; NULL: all */
	bool optional;                        /* may be missing */
	bool exactly;
};

enum program_node_kind {
	NODE_CONSTANT, /* truth */
	NODE_AND,
	NODE_OR,
	NODE_NOT,
	NODE_ANY, /* of collection `field`: child 0, or none */
	NODE_ALL,
	NODE_TRUTH,    /* left is a truth value */
	NODE_COMPARE,  /* left comparison right */
	NODE_IN_WORDS, /* left's word is in mask */
	NODE_IN_NUMBERS,
	NODE_IN_LIST, /* left, list */
	NODE_IN_NETWORK,
	NODE_UNDER_LIST,
	NODE_UNDER, /* left, right */
	NODE_MATCHES,
	NODE_CONTAINS_ANY, /* left, list */
	NODE_PRESENT,
	NODE_LOOKALIKE, /* left, list */
	NODE_RULE,
	NODE_SWITCH
};

struct program_node {
	enum program_node_kind kind;
	unsigned index; /* in the memo of a run */
	bool element;   /* depends on the element at hand */
	bool truth;     /* CONSTANT */
	const struct diag_source *source;
	size_t offset, end; /* its text */
	const struct program_node *const *children;
	unsigned child_count;
	enum ast_comparison comparison;
	const struct compiled_operand *left, *right;
	enum field_id field; /* ANY, ALL */
	const char *filter;
	uint64_t mask;
	const int64_t *numbers;
	unsigned number_count;
	struct ipaddr_network network;
	int list;
	const struct regex *regex;
	const struct program_rule *rule;
	int switch_index;
};

/* A text with fields in it: pieces in order. */
enum program_piece_kind {
	PIECE_TEXT,
	PIECE_VALUE, /* operand */
	PIECE_RULE,
	PIECE_DESCRIPTION,
	PIECE_ID,
	PIECE_SEVERITY
};

struct program_piece {
	enum program_piece_kind kind;
	struct slice text;
	const struct compiled_operand *operand;
};

struct program_text {
	const struct program_piece *pieces;
	unsigned count;
};

struct program_action {
	enum verdict_action_kind kind;
	const char *name;
	const struct program_text *text; /* NULL: none */
};

/* One list of the policy, named or not. */
struct compiled_list {
	const char *name;
	enum value_list_type type;
	const char *file; /* NULL: in the policy */
	bool may_be_empty;
	bool anonymous;
	bool searched; /* after `contains any` */
	const struct diag_source *source;
	size_t offset;
};

struct compiled_test {
	const struct ast_test *ast;
	const struct diag_source *source;
	const char *folder; /* a relative message starts here */
	int64_t now;
};

struct program_lists {
	struct arena *arena; /* owned; NULL: the program's */
	const struct value_list **items;
	/* By list, of those that are searched for in texts; NULL: none. */
	struct occurrence_index **occurrences;
	size_t count;
	size_t capacity;
};

typedef LIST_OF(const struct program_rule *) program_rules;

/* A place in a file. */
struct compiled_place {
	const struct diag_source *source;
	size_t offset;
};

/* A node that has a name: lets leave no other trace. */
struct compiled_let {
	const char *name;
	const struct program_node *node;
};

struct program {
	struct arena *arena;
	struct settings settings;
	/* Where each entry of settings_table was set; source NULL: not. */
	struct compiled_place setting_places[SETTINGS_MAX];
	struct program_needs needs;
	LIST_OF(struct program_rule *) rules;
	LIST_OF(struct program_exemption *) exemptions;
	LIST_OF(struct program_switch) switches;
	LIST_OF(struct compiled_list) list_entries;
	LIST_OF(struct compiled_test) tests;
	LIST_OF(struct compiled_let) lets;
	LIST_OF(const char *) files;
	LIST_OF(const char *) own_headers;
	LIST_OF(const char *) need_headers;
	LIST_OF(const char *) need_rulesets;
	LIST_OF(struct regex *) regexes; /* freed with the program */
	struct table rule_names;         /* to struct program_rule */
	/* Nodes that look for a pattern in a field: pattern_set.h. */
	LIST_OF(const struct program_node *) searches;
	struct program_lists lists;
	unsigned node_count;
	/* The rules of each stage, in order. */
	program_rules stages[STAGE_COUNT];
	unsigned long long hash;
	char hash_text[17];
	size_t list_file_bytes_max;
};

/* Makes the lists that stand after `contains any` ready for that; without
 * memory they are as they were. */
void program_index_lists(struct arena *arena, const struct program *program,
    struct program_lists *lists);

#endif
