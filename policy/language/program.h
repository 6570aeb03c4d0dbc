/*
 * program - a policy, checked and compiled
 *
 * Immutable, so any number of threads may evaluate it at once. load.h makes it
 * out of files; it owns an arena with all of its text and is freed whole. The
 * daemon counts references (session/generation.h).
 */
#ifndef TOCSIN_LANGUAGE_PROGRAM_H
#define TOCSIN_LANGUAGE_PROGRAM_H

#include "base/diag.h"
#include "language/settings.h"
#include "language/value_list.h"
#include "language/verdict.h"

struct program;
struct program_node; /* an expression; node.h */

enum program_on_error {
	ON_ERROR_MATCH,
	ON_ERROR_SKIP,
	ON_ERROR_DEFER
};

struct program_rule {
	const char *name;
	const char *description; /* "" without */
	const char *owner;       /* "" without */
	const char *id;          /* "" without */
	int severity;            /* enum schema_severity; -1: not given */
	enum schema_stage stage;
	bool shadow;          /* by itself; `enforcement shadow` aside */
	int64_t shadow_until; /* Unix seconds; 0: no date */
	int64_t from;         /* in shadow before; Unix seconds; 0: no date */
	int64_t until;        /* Unix seconds; 0: for ever */
	enum program_on_error on_error;
	enum disposition disposition;
	const struct diag_source *source;
	size_t offset; /* of the rule's name in its file */
	/* The rest is the evaluator's. */
	unsigned index;
	bool late; /* asks whether the analysis is incomplete: after others */
	const struct program_node *when;   /* NULL: always */
	const struct program_node *unless; /* NULL: none */
	const struct program_action *actions;
	unsigned action_count;
	const struct program_text *reply; /* NULL: none */
};

struct program_exemption {
	const char *name; /* "exempt strong-indicator", for the record */
	const char *description;
	const char *owner;
	int64_t until; /* Unix seconds; 0: for ever */
	const struct program_rule *const *rules;
	unsigned rule_count;
	bool all;                /* every rule but those of severity critical */
	enum schema_stage stage; /* from when its condition is known */
	const struct diag_source *source;
	size_t offset;
	const struct program_node *when;
};

struct program_switch {
	const char *name;
	bool initial;
	const struct diag_source *source;
	size_t offset;
};

/* Which facts any loaded rule may read; what is not asked for need not be
 * computed. members[field] has 1u << member for each member named. */
struct program_needs {
	bool fields[FIELD_COUNT];
	uint32_t members[FIELD_COUNT];
	const char *const *headers; /* of header["X"], folded */
	unsigned header_count;
	const char *const *rulesets; /* of yara("x") */
	unsigned ruleset_count;
};

void program_free(struct program **program);

const struct settings *program_settings(const struct program *program);
/* Notes something about a setting where it was set; `block` is NULL at the top
 * level. For what only the user of a setting can find out. */
void program_setting_note(const struct program *program, const char *block,
    const char *name, struct diag *diag, enum diag_level level,
    const char *message);
/* Takes over from `old`, by copy, what a reload does not change. False:
 * without memory; free the program then. */
bool program_keep_settings(struct program *program, const struct program *old);
const struct program_needs *program_needs(const struct program *program);

/* SHA-256-like identity is the daemon's; this is a 64-bit hash over the text
 * of all files and lists that were read, as 16 hexadecimal digits. */
const char *program_hash(const struct program *program);

unsigned program_rule_count(const struct program *program);
const struct program_rule *program_rule(
    const struct program *program, unsigned index);
/* NULL when there is none. */
const struct program_rule *program_find_rule(
    const struct program *program, struct slice name);
/* "policy.d/10-breach.policy:14": where a rule stands, made in `arena`. */
const char *program_rule_place(
    struct arena *arena, const struct program_rule *rule);

unsigned program_exemption_count(const struct program *program);
const struct program_exemption *program_exemption(
    const struct program *program, unsigned index);

unsigned program_switch_count(const struct program *program);
const struct program_switch *program_switch(
    const struct program *program, unsigned index);
/* Index of a switch, or -1. */
int program_find_switch(const struct program *program, struct slice name);

/* Lists. Those from files can be read again without compiling anew: the
 * daemon watches program_list_file() and, on a change, calls
 * program_reread_lists() for a new set that replaces the one in use. */
struct program_lists;

unsigned program_list_count(const struct program *program);
/* The file of the list, or NULL for one that stands in the policy. */
const char *program_list_file(const struct program *program, unsigned index);
/* The lists as they were when the program was loaded; the program owns it. */
const struct program_lists *program_own_lists(const struct program *program);
/* Reads all list files anew. A broken file, or one that is suddenly empty
 * without `may-be-empty`, keeps the entries of `old` and is an error in `diag`.
 * NULL when there is no memory. The result is freed with program_lists_free()
 * and must not outlive the program. */
struct program_lists *program_reread_lists(const struct program *program,
    const struct program_lists *old, struct diag *diag);
void program_lists_free(struct program_lists **lists);
/* The list of an index, such as settings' own_domains; NULL when the index is
 * SETTINGS_NO_LIST. */
const struct value_list *program_list(
    const struct program_lists *lists, int index);
/* Index of a named list, or -1. */
int program_find_list(const struct program *program, struct slice name);

/* Names of headers that loaded rules add (tag, add-header): incoming ones are
 * removed first, beside X-Tocsin-*. */
const char *const *program_own_headers(
    const struct program *program, unsigned *count_out);

/* Files that were read, for watching and for `tocsin check`. */
unsigned program_file_count(const struct program *program);
const char *program_file(const struct program *program, unsigned index);

#endif
