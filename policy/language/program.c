#include <config.h>

#include <stdlib.h>

#include "language/compiled.h"
#include "language/read.h"

void
program_free(struct program **program)
{
	struct arena *arena;

	if (*program == NULL)
		return;
	for (size_t i = 0; i < (*program)->regexes.count; i++)
		regex_free(&(*program)->regexes.items[i]);
	arena = (*program)->arena; /* the program itself lies in it */
	*program = NULL;
	arena_free(&arena);
}

const struct settings *
program_settings(const struct program *program)
{
	return &program->settings;
}

void
program_setting_note(const struct program *program, const char *block,
    const char *name, struct diag *diag, enum diag_level level,
    const char *message)
{
	const struct settings_entry *entry =
	    settings_find(block, slice_text(name));
	const struct compiled_place *place =
	    entry == NULL ? NULL
			  : &program->setting_places[entry - settings_table];
	const struct diag_source *kept = NULL;

	/* The program need not live as long as what is said about it. */
	if (place != NULL && place->source != NULL)
		kept = diag_keep_source(diag, place->source);
	if (kept == NULL)
		diag_plain(diag, level, "%s%s%s: %s",
		    block == NULL ? "" : block, block == NULL ? "" : " ", name,
		    message);
	else
		diag_at(diag, level, kept, place->offset, "%s", message);
}

static bool
keep_setting(struct program *program, const struct program *old,
    const struct settings_entry *entry)
{
	char *to = (char *)&program->settings + entry->offset;
	const char *from = (const char *)&old->settings + entry->offset;
	const char *text;

	if (entry->type == SETTING_MODE) {
		memcpy(to, from, sizeof(uint64_t));
		return true;
	}
	memcpy(&text, from, sizeof text);
	if (text != NULL) {
		text = arena_text(program->arena, slice_text(text));
		if (text == NULL)
			return false;
	}
	memcpy(to, &text, sizeof text);
	return true;
}

bool
program_keep_settings(struct program *program, const struct program *old)
{
	for (unsigned i = 0; i < settings_count; i++)
		if (settings_table[i].needs_restart &&
		    !keep_setting(program, old, &settings_table[i]))
			return false;
	return true;
}

const struct program_needs *
program_needs(const struct program *program)
{
	return &program->needs;
}

const char *
program_hash(const struct program *program)
{
	return program->hash_text;
}

unsigned
program_rule_count(const struct program *program)
{
	return (unsigned)program->rules.count;
}

const struct program_rule *
program_rule(const struct program *program, unsigned index)
{
	return program->rules.items[index];
}

const struct program_rule *
program_find_rule(const struct program *program, struct slice name)
{
	return table_get(&program->rule_names, name);
}

const char *
program_rule_place(struct arena *arena, const struct program_rule *rule)
{
	unsigned line, column;
	const char *text;

	diag_position(rule->source, rule->offset, &line, &column);
	text = arena_printf(arena, "%s:%u", rule->source->file, line);
	return text == NULL ? "" : text;
}

unsigned
program_exemption_count(const struct program *program)
{
	return (unsigned)program->exemptions.count;
}

const struct program_exemption *
program_exemption(const struct program *program, unsigned index)
{
	return program->exemptions.items[index];
}

unsigned
program_switch_count(const struct program *program)
{
	return (unsigned)program->switches.count;
}

const struct program_switch *
program_switch(const struct program *program, unsigned index)
{
	return &program->switches.items[index];
}

int
program_find_switch(const struct program *program, struct slice name)
{
	for (size_t i = 0; i < program->switches.count; i++)
		if (slice_equal_text(name, program->switches.items[i].name))
			return (int)i;
	return -1;
}

unsigned
program_list_count(const struct program *program)
{
	return (unsigned)program->lists.count;
}

const char *
program_list_file(const struct program *program, unsigned index)
{
	return program->list_entries.items[index].file;
}

const struct program_lists *
program_own_lists(const struct program *program)
{
	return &program->lists;
}

const struct value_list *
program_list(const struct program_lists *lists, int index)
{
	if (index < 0 || (size_t)index >= lists->count)
		return NULL;
	return lists->items[index];
}

int
program_find_list(const struct program *program, struct slice name)
{
	for (size_t i = 0; i < program->list_entries.count; i++)
		if (!program->list_entries.items[i].anonymous &&
		    slice_equal_text(name, program->list_entries.items[i].name))
			return (int)i;
	return -1;
}

/* A copy of a list in another arena; NULL without memory. */
static struct value_list *
copy_list(struct arena *arena, const struct value_list *from)
{
	struct value_list *copy = value_list_new(
	    arena, value_list_type_of(from), value_list_name(from));

	for (size_t i = 0; copy != NULL && i < value_list_count(from); i++) {
		const char *problem;
		int64_t expires;
		struct slice text = value_list_entry(from, i, &expires);

		if (value_list_add(copy, text, expires, &problem) == TC_LIMIT)
			return NULL;
	}
	return copy;
}

/* Reads one file's list anew, or keeps the old entries and says why. */
static const struct value_list *
reread(struct arena *arena, const struct program *program, size_t i,
    const struct value_list *old, struct diag *diag)
{
	const struct compiled_list *entry = &program->list_entries.items[i];
	struct value_list *list =
	    value_list_new(arena, entry->type, entry->name);
	struct diag_source *source = arena_alloc(arena, sizeof *source);
	const char *problem = NULL;

	if (list == NULL || source == NULL)
		return NULL;
	source->file = entry->file;
	if (read_file(arena, entry->file, program->list_file_bytes_max,
		&source->text, &problem) != TC_OK) {
		diag_plain(diag, DIAG_ERROR,
		    "%s: %s; the list %s keeps its %zu entries", entry->file,
		    problem, entry->name, value_list_count(old));
		return copy_list(arena, old);
	}
	if (!value_list_read(list, source, diag)) {
		diag_plain(diag, DIAG_ERROR,
		    "%s is broken; the list %s keeps its %zu entries",
		    entry->file, entry->name, value_list_count(old));
		return copy_list(arena, old);
	}
	if (value_list_count(list) == 0 && value_list_count(old) > 0 &&
	    !entry->may_be_empty) {
		diag_plain(diag, DIAG_ERROR,
		    "%s is suddenly empty; the list %s keeps its %zu entries "
		    "(say may-be-empty if that can be)",
		    entry->file, entry->name, value_list_count(old));
		return copy_list(arena, old);
	}
	return list;
}

void
program_index_lists(struct arena *arena, const struct program *program,
    struct program_lists *lists)
{
	lists->occurrences = arena_alloc_array(
	    arena, lists->count + 1, sizeof *lists->occurrences);
	for (size_t i = 0; lists->occurrences != NULL && i < lists->count; i++)
		if (program->list_entries.items[i].searched)
			lists->occurrences[i] =
			    value_list_index(arena, lists->items[i]);
}

struct program_lists *
program_reread_lists(const struct program *program,
    const struct program_lists *old, struct diag *diag)
{
	struct arena *arena = arena_new(0, NULL);
	struct program_lists *lists =
	    arena == NULL ? NULL : arena_alloc(arena, sizeof *lists);

	if (lists == NULL)
		goto fail;
	lists->arena = arena;
	lists->items = arena_alloc_array(
	    arena, program->lists.count + 1, sizeof *lists->items);
	if (lists->items == NULL)
		goto fail;
	for (size_t i = 0; i < program->lists.count; i++) {
		if (program->list_entries.items[i].file == NULL)
			lists->items[i] = program->lists.items[i];
		else
			lists->items[i] =
			    reread(arena, program, i, old->items[i], diag);
		if (lists->items[i] == NULL)
			goto fail;
		lists->count++;
	}
	program_index_lists(arena, program, lists);
	return lists;
fail:
	arena_free(&arena);
	return NULL;
}

void
program_lists_free(struct program_lists **lists)
{
	struct arena *arena;

	if (*lists == NULL)
		return;
	arena = (*lists)->arena;
	*lists = NULL;
	arena_free(&arena);
}

const char *const *
program_own_headers(const struct program *program, unsigned *count_out)
{
	*count_out = (unsigned)program->own_headers.count;
	return program->own_headers.items;
}

unsigned
program_file_count(const struct program *program)
{
	return (unsigned)program->files.count;
}

const char *
program_file(const struct program *program, unsigned index)
{
	return program->files.items[index];
}
