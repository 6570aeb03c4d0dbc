#include <config.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "language/scope.h"

#define NAMES_MAX 100000

static bool
is_full(const struct diag *diag)
{
	return diag->entries.count >= diag->entries_max;
}

/* One error at one place: what follows from it helps nobody. */
static bool
is_reported(const struct scope_place *place, size_t offset)
{
	const struct diag *diag = place->scope->diag;
	const struct diag_source *source = place->file->source;
	unsigned line, column;

	/* Beyond what is kept errors are only counted, and cheaply. */
	if (diag->entries.count == 0 || is_full(diag))
		return false;
	diag_position(source, offset, &line, &column);
	for (size_t i = 0; i < diag->entries.count; i++) {
		const struct diag_entry *entry = &diag->entries.items[i];

		if (entry->source == source && entry->line == line &&
		    entry->column == column && entry->level == DIAG_ERROR)
			return true;
	}
	return false;
}

void
scope_error(
    const struct scope_place *place, size_t offset, const char *format, ...)
{
	char message[768];
	va_list arguments;

	if (is_reported(place, offset))
		return;
	va_start(arguments, format);
	vsnprintf(message, sizeof message, format, arguments);
	va_end(arguments);
	diag_at(place->scope->diag, DIAG_ERROR, place->file->source, offset,
	    "%s", message);
}

struct scope_symbol *
scope_symbol(struct scope *scope, struct slice name)
{
	return table_get(&scope->symbols, name);
}

struct scope_list *
scope_list(struct scope *scope, struct slice name)
{
	return table_get(&scope->lists, name);
}

static const char *
suggestion(
    struct scope *scope, struct slice word, const char **names, size_t count)
{
	const char *near =
	    word.length < 3 ? NULL : diag_suggest(word, names, count);
	const char *text;

	if (near == NULL)
		return "";
	text = arena_printf(scope->arena, "; did you mean \"%s\"?", near);
	return text == NULL ? "" : text;
}

/* Appends the keys of a table as C strings. */
static size_t
add_keys(struct scope *scope, const struct table *table, const char **names,
    size_t count, size_t most)
{
	for (size_t i = 0; i < table->count && count < most; i++) {
		names[count] = arena_text(scope->arena, table->entries[i].key);
		count += names[count] != NULL;
	}
	return count;
}

/* All that a word could have meant: fields, members of collections with their
 * collection's name, symbols. */
const char *
scope_suggest(struct scope *scope, struct slice word)
{
	size_t most = 2000, count = 0;
	const char **names;

	if (is_full(scope->diag))
		return "";
	names = arena_alloc_array(scope->arena, most, sizeof *names);
	if (names == NULL)
		return "";
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct schema_field *field = &schema_fields[i];

		names[count++] = field->name;
		for (unsigned j = 0; j < field->member_count; j++) {
			names[count] = arena_printf(scope->arena, "%s.%s",
			    field->name, field->members[j].name);
			count += names[count] != NULL;
		}
	}
	count = add_keys(scope, &scope->symbols, names, count, most);
	return suggestion(scope, word, names, count);
}

const char *
scope_suggest_list(struct scope *scope, struct slice word)
{
	size_t most = 1000;
	const char **names;

	if (is_full(scope->diag))
		return "";
	names = arena_alloc_array(scope->arena, most, sizeof *names);
	if (names == NULL)
		return "";
	return suggestion(
	    scope, word, names, add_keys(scope, &scope->lists, names, 0, most));
}

int
scope_add_list(struct scope *scope, const struct compiled_list *list,
    struct value_list **list_out)
{
	struct program *program = scope->program;
	struct compiled_list *entry;
	const struct value_list **slot;

	entry = list_append(scope->arena, &program->list_entries, NAMES_MAX);
	*list_out = value_list_new(scope->arena, list->type, list->name);
	slot = list_append(scope->arena, &program->lists, NAMES_MAX);
	if (entry == NULL || *list_out == NULL || slot == NULL) {
		scope->full = true;
		return -1;
	}
	*entry = *list;
	*slot = *list_out;
	return (int)program->lists.count - 1;
}

bool
scope_use_stage(const struct scope_place *place, enum schema_stage stage,
    const char *name, size_t offset)
{
	if (stage > place->stage) {
		scope_error(place, offset,
		    "%s is known at %s, and the rule runs at %s", name,
		    schema_stage_name(stage), schema_stage_name(place->stage));
		return false;
	}
	if (stage > place->traits->stage || place->traits->stage_by == NULL) {
		place->traits->stage = stage;
		place->traits->stage_by = name;
	}
	return true;
}

static bool
check_uses(const struct scope_place *place, const struct scope_symbol *symbol,
    size_t offset)
{
	const struct scope_traits *traits = &symbol->traits;
	int length = (int)symbol->name.text.length;
	const char *name = symbol->name.text.data;

	if (traits->bare_from && symbol->kind == AST_LET && place->negative) {
		scope_error(place, offset,
		    "%.*s holds from.x without a quantifier, which may not "
		    "stand under not, unless or in an exemption: write any "
		    "from or all from there",
		    length, name);
		return false;
	}
	if (traits->any_people != NULL && place->exemption) {
		scope_error(place, offset,
		    "%.*s holds any %s, which one of many could satisfy; in "
		    "an exemption use all %s",
		    length, name, traits->any_people, traits->any_people);
		return false;
	}
	if (traits->rcpt && !place->is_let && place->stage != STAGE_RCPT) {
		scope_error(place, offset,
		    "%.*s names rcpt, which only rules at rcpt know", length,
		    name);
		return false;
	}
	return true;
}

bool
scope_use_traits(const struct scope_place *place,
    const struct scope_symbol *symbol, size_t offset)
{
	const struct scope_traits *traits = &symbol->traits;
	const char *name;

	if (!check_uses(place, symbol, offset))
		return false;
	name = arena_text(place->scope->arena, symbol->name.text);
	if (name == NULL)
		return false;
	if (traits->stage > place->stage) {
		scope_error(place, offset,
		    "%s names %s, which is known at %s, and the rule runs at "
		    "%s",
		    name, traits->stage_by, schema_stage_name(traits->stage),
		    schema_stage_name(place->stage));
		return false;
	}
	if (traits->stage > place->traits->stage)
		place->traits->stage = traits->stage,
		place->traits->stage_by = name;
	place->traits->rcpt |= traits->rcpt;
	place->traits->incomplete |= traits->incomplete;
	place->traits->bare_from |=
	    traits->bare_from && symbol->kind == AST_LET;
	if (traits->any_people != NULL)
		place->traits->any_people = traits->any_people;
	if (traits->shadow_rule != NULL)
		place->traits->shadow_rule = traits->shadow_rule;
	return true;
}
