#include <config.h>

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "language/check.h"
#include "language/check_settings.h"
#include "language/load.h"
#include "language/parse.h"
#include "language/read.h"

#define PROGRAM_BYTES_MAX ((size_t)4 << 30)
#define HASH_SEED         0x746f6373696e2d31ULL

const struct load_limits load_default_limits = {
	.file_bytes_max = 16 << 20,
	.list_file_bytes_max = (size_t)1 << 30,
	.files_max = 1000,
	.rules_max = 100000,
	.nodes_max = 2000000,
	.nesting_max = PARSE_NESTING_MAX,
};

struct loader {
	struct arena *arena;
	struct program *program;
	struct diag *diag;
	const struct load_options *options;
	const struct load_limits *limits;
	struct ast_file *files, **last;
	unsigned file_count;
};

static const char *
folder_of(struct arena *arena, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *folder;

	if (slash == NULL)
		return "";
	if (slash == path)
		return "/";
	folder = arena_text(arena, slice_make(path, (size_t)(slash - path)));
	return folder == NULL ? "" : folder;
}

static bool
note_file(struct loader *loader, const char *path)
{
	const char **slot =
	    list_append(loader->arena, &loader->program->files, 100000);

	if (slot != NULL)
		*slot = path;
	return slot != NULL;
}

static void
check_rights(struct loader *loader, const char *path)
{
	if (!read_is_writable_by_others(path))
		return;
	diag_plain(loader->diag,
	    loader->options->refuse_writable ? DIAG_ERROR : DIAG_WARNING,
	    "%s: group or others may write it: whoever can do that decides "
	    "about all mail (chmod go-w)",
	    path);
}

static bool
is_loaded(const struct loader *loader, const char *path)
{
	for (size_t i = 0; i < loader->program->files.count; i++)
		if (strcmp(loader->program->files.items[i], path) == 0)
			return true;
	return false;
}

static void load_includes(struct loader *loader, struct ast_file *file);

/* Parses a text as the next file, and what it includes. */
static void
load_source(
    struct loader *loader, const struct diag_source *source, const char *folder)
{
	struct ast_file *file = arena_alloc(loader->arena, sizeof *file);

	if (file == NULL)
		return;
	loader->program->hash =
	    slice_hash(source->text, loader->program->hash ^ HASH_SEED);
	if (parse_file(loader->arena, source, loader->limits->nesting_max,
		loader->diag, file) != TC_OK)
		return;
	file->folder = folder;
	*loader->last = file;
	loader->last = &file->next;
	load_includes(loader, file);
}

static void
load_path(struct loader *loader, const char *path)
{
	struct diag_source *source = arena_alloc(loader->arena, sizeof *source);
	const char *problem;

	if (source == NULL || !note_file(loader, path))
		return;
	if (loader->file_count++ >= loader->limits->files_max) {
		diag_plain(loader->diag, DIAG_ERROR, "%s: more than %u files",
		    path, loader->limits->files_max);
		return;
	}
	source->file = path;
	if (read_file(loader->arena, path, loader->limits->file_bytes_max,
		&source->text, &problem) != TC_OK) {
		diag_plain(loader->diag, DIAG_ERROR, "%s: %s", path, problem);
		return;
	}
	check_rights(loader, path);
	load_source(loader, source, folder_of(loader->arena, path));
}

/* One include "PATTERN": files in order of their names. A pattern without a
 * match is well, a name without a file is not. */
static void
load_pattern(struct loader *loader, struct ast_file *file,
    const struct ast_statement *statement, const char *pattern)
{
	const struct token *token = statement->setting.value;
	glob_t found;
	int result = glob(pattern, 0, NULL, &found);

	if (result == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++) {
			const char *path = arena_text(
			    loader->arena, slice_text(found.gl_pathv[i]));

			if (path != NULL && !is_loaded(loader, path))
				load_path(loader, path);
		}
	} else if (result != GLOB_NOMATCH || strpbrk(pattern, "*?[") == NULL) {
		diag_at(loader->diag, DIAG_ERROR, file->source, token->offset,
		    "%s: there is no such file", pattern);
	} else {
		diag_at(loader->diag, DIAG_WARNING, file->source, token->offset,
		    "%s: no file has such a name", pattern);
	}
	if (result == 0)
		globfree(&found);
}

static void
load_includes(struct loader *loader, struct ast_file *file)
{
	for (const struct ast_statement *at = file->statements; at != NULL;
	     at = at->next) {
		const char *pattern;

		if (at->kind != AST_INCLUDE || at->setting.value == NULL)
			continue;
		if (at->setting.value->kind != TOKEN_STRING) {
			diag_at(loader->diag, DIAG_ERROR, file->source,
			    at->setting.value->offset,
			    "include takes a file name in quotation marks");
			continue;
		}
		pattern = check_settings_path(
		    loader->arena, file, at->setting.value->text);
		if (pattern != NULL)
			load_pattern(loader, file, at, pattern);
	}
}

/* ----------------------------------------------------------------- lists */

static void
load_list(struct loader *loader, size_t i)
{
	const struct compiled_list *entry =
	    &loader->program->list_entries.items[i];
	struct value_list *list =
	    value_list_new(loader->arena, entry->type, entry->name);
	struct diag_source *source = arena_alloc(loader->arena, sizeof *source);
	const char *problem;

	if (list == NULL || source == NULL)
		return;
	note_file(loader, entry->file);
	source->file = entry->file;
	if (read_file(loader->arena, entry->file,
		loader->limits->list_file_bytes_max, &source->text,
		&problem) != TC_OK) {
		diag_at(loader->diag,
		    entry->may_be_empty ? DIAG_WARNING : DIAG_ERROR,
		    entry->source, entry->offset, "list %s: %s: %s%s",
		    entry->name, entry->file, problem,
		    entry->may_be_empty
			? ""
			: "; may-be-empty behind the file allows for that");
		return;
	}
	check_rights(loader, entry->file);
	loader->program->hash =
	    slice_hash(source->text, loader->program->hash ^ HASH_SEED);
	value_list_read(list, source, loader->diag);
	if (value_list_count(list) == 0 && !entry->may_be_empty)
		diag_at(loader->diag, DIAG_WARNING, entry->source,
		    entry->offset,
		    "the list %s is empty (may-be-empty says that it can be)",
		    entry->name);
	loader->program->lists.items[i] = list;
}

static void
load_lists(struct loader *loader)
{
	for (size_t i = 0; i < loader->program->list_entries.count; i++)
		if (loader->program->list_entries.items[i].file != NULL)
			load_list(loader, i);
}

/* ------------------------------------------------------------ the program */

static bool
begin(struct loader *loader, const struct load_options *options,
    struct diag *diag)
{
	static const struct load_options no_options = { 0 };

	memset(loader, 0, sizeof *loader);
	loader->last = &loader->files;
	loader->diag = diag;
	loader->options = options == NULL ? &no_options : options;
	loader->limits = loader->options->limits == NULL
			     ? &load_default_limits
			     : loader->options->limits;
	loader->arena = arena_new(PROGRAM_BYTES_MAX, NULL);
	if (loader->arena != NULL)
		loader->program =
		    arena_alloc(loader->arena, sizeof *loader->program);
	if (loader->program == NULL) {
		arena_free(&loader->arena);
		diag_plain(diag, DIAG_ERROR, "no memory");
		return false;
	}
	loader->program->arena = loader->arena;
	loader->program->rule_names = table_make(loader->arena);
	loader->program->list_file_bytes_max =
	    loader->limits->list_file_bytes_max;
	return true;
}

/* The diag outlives a program that did not load: what its entries point at
 * moves to the diag's arena. */
static void
keep_sources(struct loader *loader)
{
	struct diag *diag = loader->diag;
	const struct diag_source **before = arena_alloc_array(
	    diag->arena, diag->entries.count + 1, sizeof *before);

	for (size_t i = 0; i < diag->entries.count; i++) {
		struct diag_entry *entry = &diag->entries.items[i];
		const struct diag_source *kept = NULL;
		size_t j = 0;

		if (entry->source == NULL)
			continue;
		for (; before != NULL && j < i; j++)
			if (before[j] == entry->source)
				break;
		if (before != NULL)
			before[i] = entry->source;
		if (before != NULL && j < i)
			kept = diag->entries.items[j].source;
		else
			kept = diag_keep_source(diag, entry->source);
		entry->source = kept;
		if (kept == NULL)
			entry->line = 0;
	}
}

static void
finish_needs(struct program *program)
{
	program->needs.headers = program->need_headers.items;
	program->needs.header_count = (unsigned)program->need_headers.count;
	program->needs.rulesets = program->need_rulesets.items;
	program->needs.ruleset_count = (unsigned)program->need_rulesets.count;
}

static void
sort_by_stage(struct loader *loader)
{
	struct program *program = loader->program;

	for (size_t i = 0; i < program->rules.count; i++) {
		const struct program_rule *rule = program->rules.items[i];
		const struct program_rule **slot = list_append(loader->arena,
		    &program->stages[rule->stage], program->rules.count);

		if (slot != NULL)
			*slot = rule;
	}
}

static struct program *
end(struct loader *loader)
{
	struct scope scope = { .arena = loader->arena,
		.program = loader->program,
		.diag = loader->diag,
		.options = loader->options,
		.limits = loader->limits,
		.symbols = table_make(loader->arena),
		.lists = table_make(loader->arena),
		.nodes = table_make(loader->arena),
		.regexes = table_make(loader->arena),
		.literals = table_make(loader->arena) };
	struct program *program = loader->program;

	check_files(&scope, loader->files);
	if (!loader->options->no_lists)
		load_lists(loader);
	program_index_lists(loader->arena, program, &program->lists);
	sort_by_stage(loader);
	if ((scope.full || arena_exhausted(loader->arena)) &&
	    loader->diag->error_count == 0)
		diag_plain(loader->diag, DIAG_ERROR,
		    "the policy is too large for the memory at hand");
	if (loader->options->check != NULL)
		loader->options->check(program, loader->diag);
	keep_sources(loader);
	if (loader->diag->error_count > 0) {
		program_free(&program);
		return NULL;
	}
	finish_needs(program);
	snprintf(program->hash_text, sizeof program->hash_text, "%016llx",
	    program->hash);
	return program;
}

struct program *
load_file(
    const char *path, const struct load_options *options, struct diag *diag)
{
	struct loader loader;
	const char *kept;

	if (!begin(&loader, options, diag))
		return NULL;
	kept = arena_text(loader.arena, slice_text(path));
	if (kept != NULL)
		load_path(&loader, kept);
	return end(&loader);
}

struct program *
load_text(const char *name, struct slice text, const char *folder,
    const struct load_options *options, struct diag *diag)
{
	struct loader loader;
	struct diag_source *source;

	if (!begin(&loader, options, diag))
		return NULL;
	source = arena_alloc(loader.arena, sizeof *source);
	if (source != NULL) {
		source->file = arena_text(loader.arena, slice_text(name));
		source->text = arena_copy(loader.arena, text);
		folder = arena_text(loader.arena, slice_text(folder));
	}
	if (source != NULL && source->file != NULL && folder != NULL &&
	    source->text.length == text.length)
		load_source(&loader, source, folder);
	return end(&loader);
}
