#include <config.h>

#include "scanner/rules.h"

#define HITS_MAX 200

static const char *const modules_allowed[] = { "math", "hash", "string", "time",
	"console" };

struct compile_state {
	struct builder *errors;
	const char *file;
	bool failed;
};

static void
note_error(int level, const char *file, int line, const YR_RULE *rule,
    const char *message, void *context)
{
	struct compile_state *state = context;

	(void)file;
	(void)rule;
	if (level != YARA_ERROR_LEVEL_ERROR)
		return;
	state->failed = true;
	builder_printf(
	    state->errors, "%s:%d:1: error: %s\n", state->file, line, message);
}

/* The end of a comment or string that starts at `at`, or `at` itself. */
static size_t
skip_quoted(struct slice source, size_t at)
{
	struct slice rest = slice_skip(source, at);
	size_t end;

	if (slice_starts_with(rest, SLICE_LITERAL("//"))) {
		end = slice_find_byte(rest, '\n');
		return end == SIZE_MAX ? source.length : at + end;
	}
	if (slice_starts_with(rest, SLICE_LITERAL("/*"))) {
		end = slice_find(slice_skip(rest, 2), SLICE_LITERAL("*/"));
		return end == SIZE_MAX ? source.length : at + 2 + end + 2;
	}
	return at;
}

static bool
module_is_allowed(struct slice module)
{
	for (size_t i = 0;
	     i < sizeof modules_allowed / sizeof modules_allowed[0]; i++)
		if (slice_equal_text(module, modules_allowed[i]))
			return true;
	return false;
}

/* Finds `import "NAME"` outside comments. What stands in a string or regular
 * expression of a rule can at worst refuse the file, never let one pass. */
static bool
imports_are_allowed(
    const struct scanner_ruleset *ruleset, struct builder *errors)
{
	struct slice source = ruleset->source;
	bool good = true;

	for (size_t at = 0; at < source.length;) {
		size_t after = skip_quoted(source, at);
		struct slice rest;
		struct slice module;

		if (after != at) {
			at = after;
			continue;
		}
		rest = slice_skip(source, at++);
		if (!slice_starts_with(rest, SLICE_LITERAL("import")))
			continue;
		rest = slice_trim(slice_skip(rest, strlen("import")));
		if (rest.length == 0 || rest.data[0] != '"')
			continue;
		slice_split(slice_skip(rest, 1), '"', &module);
		if (module.length > 32 || module_is_allowed(module))
			continue;
		builder_printf(errors,
		    "%s: error: imports the module \"%.*s\", which parses file "
		    "formats or reads from outside; only math, hash, string, "
		    "time and console may be used\n",
		    ruleset->file, (int)module.length, module.data);
		good = false;
	}
	return good;
}

static bool
add_ruleset(YR_COMPILER *compiler, const struct scanner_ruleset *ruleset,
    struct builder *errors)
{
	struct compile_state state = { .errors = errors,
		.file = ruleset->file };
	char *text, *namespace;

	if (!imports_are_allowed(ruleset, errors))
		return false;
	if (slice_find_byte(ruleset->source, '\0') != SIZE_MAX) {
		builder_printf(errors,
		    "%s: error: not rule source text (compiled rules are not "
		    "taken)\n",
		    ruleset->file);
		return false;
	}
	text = arena_text(errors->arena, ruleset->source);
	/* Two files of a ruleset may have a rule of the same name. */
	namespace =
	    arena_printf(errors->arena, "%s\n%s", ruleset->name, ruleset->file);
	if (text == NULL || namespace == NULL)
		return false;
	yr_compiler_set_callback(compiler, note_error, &state);
	return yr_compiler_add_string(compiler, text, namespace) == 0 &&
	       !state.failed;
}

bool
rules_compile(const struct scanner_ruleset *rulesets, size_t count,
    struct builder *errors, YR_RULES **rules_out)
{
	YR_COMPILER *compiler;
	bool good = true;

	*rules_out = NULL;
	if (count == 0)
		return true;
	if (yr_compiler_create(&compiler) != ERROR_SUCCESS)
		return false;
	yr_compiler_set_include_callback(compiler, NULL, NULL, NULL);
	for (size_t i = 0; i < count && good; i++)
		/* After an error a compiler can't go on. */
		good = add_ruleset(compiler, &rulesets[i], errors);
	if (good)
		good =
		    yr_compiler_get_rules(compiler, rules_out) == ERROR_SUCCESS;
	yr_compiler_destroy(compiler);
	return good;
}

struct scan_state {
	struct arena *arena;
	struct scanner_item *item;
};

static int
note_match(YR_SCAN_CONTEXT *scan, int message, void *data, void *context)
{
	struct scan_state *state = context;
	const YR_RULE *rule = data;
	struct builder tags = builder_make(state->arena, 1024);
	struct scanner_yara_hit *hit;
	const char *tag;

	(void)scan;
	if (message != CALLBACK_MSG_RULE_MATCHING)
		return CALLBACK_CONTINUE;
	hit = list_append(state->arena, &state->item->yara_hits, HITS_MAX);
	if (hit == NULL)
		return CALLBACK_ABORT;
	(void)slice_split(slice_text(rule->ns->name), '\n', &hit->ruleset);
	hit->rule = slice_text(rule->identifier);
	yr_rule_tags_foreach(rule, tag)
	{
		if (tags.length > 0)
			builder_byte(&tags, ' ');
		builder_text(&tags, tag);
	}
	hit->tags = builder_result(&tags);
	return CALLBACK_CONTINUE;
}

bool
rules_scan(YR_RULES *rules, struct slice bytes, unsigned timeout_seconds,
    struct arena *arena, struct scanner_item *item)
{
	struct scan_state state = { .arena = arena, .item = item };

	/* NO_TRYCATCH: the process's own signal handling stays; a fault is to
	 * end the worker. */
	return yr_rules_scan_mem(rules, (const uint8_t *)bytes.data,
		   bytes.length,
		   SCAN_FLAGS_NO_TRYCATCH | SCAN_FLAGS_REPORT_RULES_MATCHING,
		   note_match, &state, (int)timeout_seconds) == ERROR_SUCCESS;
}
