/*
 * scope - what the checker knows while it goes through the files
 *
 * Symbols (rules, lets, switches) and lists by name, the program in the
 * making, and the place where an expression stands.
 */
#ifndef TOCSIN_LANGUAGE_SCOPE_H
#define TOCSIN_LANGUAGE_SCOPE_H

#include "language/compiled.h"
#include "language/load.h"

/* What an expression uses; a let or rule hands it on to who names it. */
struct scope_traits {
	enum schema_stage stage; /* the latest of all that it names */
	const char *stage_by;    /* which name that was */
	bool rcpt;               /* names rcpt */
	bool bare_from;          /* from.x without a quantifier */
	const char *any_people;  /* "from", "recipient" under any */
	const char *shadow_rule; /* names a shadow rule */
	bool incomplete;         /* asks for analysis.incomplete */
};

enum scope_state {
	SYMBOL_NEW,
	SYMBOL_BUSY, /* being compiled: meeting it again is a cycle */
	SYMBOL_DONE,
	SYMBOL_FAILED
};

struct scope_symbol {
	enum ast_kind kind; /* AST_RULE, AST_LET, AST_SWITCH */
	const struct ast_statement *statement;
	const struct ast_file *file;
	struct ast_name name;
	enum scope_state state;
	struct scope_traits traits;
	const struct program_node *node; /* LET */
	struct program_rule *rule;       /* RULE */
	int index;                       /* SWITCH */
	bool used;
};

/* One that checks and compiles a set of files. */
struct scope {
	struct arena *arena; /* the program's */
	struct program *program;
	struct diag *diag;
	const struct load_options *options;
	const struct load_limits *limits;
	struct table symbols; /* to struct scope_symbol */
	struct table lists;   /* name to struct scope_list */
	LIST_OF(struct scope_symbol *) ordered;
	struct table nodes;    /* interned, by their key */
	struct table regexes;  /* by flag and pattern */
	struct table literals; /* lists in braces, by type and entries */
	unsigned depth;        /* names inside names */
	bool full;
};

struct scope_list {
	int index; /* in the program's lists */
	bool used;
};

/* The value that an optional field's presence was tested for nearby. */
struct scope_presence {
	enum field_id field;
	unsigned member;
	bool is_member;
	struct slice feed; /* name in feed["x"].age; or empty */
	const struct scope_presence *next;
};

/* Where an expression stands. */
struct scope_place {
	struct scope *scope;
	const struct ast_file *file;
	enum schema_stage stage; /* of the rule; MESSAGE for a let */
	bool is_let;
	enum field_id collection; /* inside any/all; FIELD_COUNT: nowhere */
	bool negative;            /* under not, unless, != ... */
	bool exemption;
	const struct scope_presence *presence;
	struct scope_traits *traits;
};

/* Reports at a byte of the place's file. */
void scope_error(const struct scope_place *place, size_t offset,
    const char *format, ...) __attribute__((format(printf, 3, 4)));

/* The symbol or list of a name, or NULL. */
struct scope_symbol *scope_symbol(struct scope *scope, struct slice name);
struct scope_list *scope_list(struct scope *scope, struct slice name);

/* "; did you mean "x"?" for a word among fields, rules, lets and switches
 * (or lists), made in the arena; "" when nothing is near. */
const char *scope_suggest(struct scope *scope, struct slice word);
const char *scope_suggest_list(struct scope *scope, struct slice word);

/* Adds a list to the program; its entries go into the returned list. -1 when
 * memory ran out. */
int scope_add_list(struct scope *scope, const struct compiled_list *list,
    struct value_list **list_out);

/* Adds `text` to a list of texts unless it is there (compared folded). */
#define SCOPE_TEXTS_MAX 100000

/* Notes a use of something known from `stage` on; false and an error when the
 * place is earlier. */
bool scope_use_stage(const struct scope_place *place, enum schema_stage stage,
    const char *name, size_t offset);

/* Hands the traits of a named thing on to the place; false and an error where
 * it may not be named there. */
bool scope_use_traits(const struct scope_place *place,
    const struct scope_symbol *symbol, size_t offset);

#endif
