#include <config.h>

#include <stdio.h>

#include "indicator/feed.h"
#include "indicator/overlay.h"
#include "language/check_settings.h"
#include "language/foreign.h"
#include "language/moment.h"

#define SHOWN(slice) \
	(int)((slice).length > 60 ? 60 : (slice).length), (slice).data

#define TEXTS_MAX 1000
#define FEEDS_MAX 1000
#define PINS_MAX  100000

static void
report(struct scope *scope, const struct ast_file *file, size_t offset,
    const char *message)
{
	diag_at(scope->diag, DIAG_ERROR, file->source, offset, "%s", message);
}

const char *
check_settings_path(
    struct arena *arena, const struct ast_file *file, struct slice path)
{
	if (path.length == 0 || path.data[0] == '/' || file->folder[0] == '\0')
		return arena_text(arena, path);
	return arena_printf(
	    arena, "%s/%.*s", file->folder, (int)path.length, path.data);
}

/* ----------------------------------------------------------------- lists */

void
check_settings_fill_list(struct scope *scope, const struct ast_file *file,
    const struct ast_value *values, struct value_list *list)
{
	enum value_list_type type = value_list_type_of(list);

	for (; values != NULL; values = values->next) {
		const struct token *token = values->token;
		bool address =
		    token->kind == TOKEN_IP || token->kind == TOKEN_NETWORK;
		const char *problem = "";
		int64_t expires = 0;

		if (token->bad)
			continue; /* was reported */
		if (address != (type == LIST_NETWORKS) ||
		    (!address && token->kind != TOKEN_STRING))
			problem = type == LIST_NETWORKS
				      ? "addresses and networks stand here, "
					"without quotation marks"
				      : "strings in quotation marks stand here";
		else if (values->until != NULL &&
			 !moment_parse(values->until->text, true, &expires))
			continue; /* reported by the lexer */
		else if (value_list_add(list,
			     address ? slice_range(file->source->text,
					   token->offset,
					   token->offset + token->length)
				     : token->text,
			     expires, &problem) == TC_LIMIT)
			problem = "the list is too large";
		if (*problem != '\0')
			report(scope, file, token->offset, problem);
	}
}

static void
declare_list(struct scope *scope, const struct ast_file *file,
    const struct ast_list *ast)
{
	struct compiled_list entry = { .source = file->source,
		.offset = ast->name.offset,
		.may_be_empty = ast->may_be_empty };
	struct scope_list *known = scope_list(scope, ast->name.text);
	struct value_list *list;

	if (ast->name.text.length == 0 || ast->type.text.length == 0)
		return; /* reported by the parser */
	if (known != NULL) {
		diag_at(scope->diag, DIAG_ERROR, file->source, ast->name.offset,
		    "list %.*s is declared twice", SHOWN(ast->name.text));
		return;
	}
	if (!value_list_type_parse(ast->type.text, &entry.type)) {
		report(scope, file, ast->type.offset,
		    "a list is of domains, addresses, networks, hashes or "
		    "strings");
		entry.type = LIST_STRINGS;
	}
	entry.name = arena_text(scope->arena, ast->name.text);
	if (ast->file != NULL)
		entry.file =
		    check_settings_path(scope->arena, file, ast->file->text);
	known = arena_alloc(scope->arena, sizeof *known);
	if (known == NULL || entry.name == NULL ||
	    (known->index = scope_add_list(scope, &entry, &list)) < 0 ||
	    !table_put(&scope->lists, ast->name.text, known)) {
		scope->full = true;
		return;
	}
	check_settings_fill_list(scope, file, ast->values, list);
}

void
check_settings_lists(struct scope *scope, const struct ast_file *files)
{
	for (const struct ast_file *file = files; file != NULL;
	     file = file->next)
		for (const struct ast_statement *at = file->statements;
		     at != NULL; at = at->next)
			if (at->kind == AST_LIST)
				declare_list(scope, file, &at->list);
}

/* -------------------------------------------------------------- settings */

/* One setting on its way into the struct. */
struct target {
	struct scope *scope;
	const struct ast_file *file;
	const struct ast_setting *ast;
	const struct settings_entry *entry;
	char *place;
};

static bool
expected(const struct target *target, const char *what)
{
	if (target->ast->value != NULL && target->ast->value->bad)
		return false; /* was reported */
	diag_at(target->scope->diag, DIAG_ERROR, target->file->source,
	    target->ast->value != NULL ? target->ast->value->offset
				       : target->ast->name.offset,
	    "%s takes %s", target->entry->name, what);
	return false;
}

/* zone:FILE, with the file as any other. */
static const char *
server_text(const struct target *target, struct slice text)
{
	struct arena *arena = target->scope->arena;
	struct slice prefix = SLICE_LITERAL("zone:");
	const char *path;

	if (!slice_starts_with(text, prefix))
		return arena_text(arena, text);
	path = check_settings_path(
	    arena, target->file, slice_skip(text, prefix.length));
	return path == NULL ? NULL : arena_printf(arena, "zone:%s", path);
}

static bool
set_text(const struct target *target)
{
	const struct token *token = target->ast->value;
	const char *text;

	if (token == NULL || token->kind != TOKEN_STRING)
		return expected(target, "a text in quotation marks");
	if (target->entry->type == SETTING_PATH)
		text = check_settings_path(
		    target->scope->arena, target->file, token->text);
	else if (target->entry->type == SETTING_SERVER)
		text = server_text(target, token->text);
	else
		text = arena_text(target->scope->arena, token->text);
	if (slice_find_byte(token->text, '\0') != SIZE_MAX)
		return expected(target, "a text without NUL");
	if (text == NULL)
		target->scope->full = true;
	else
		*(const char **)(void *)target->place = text;
	return text != NULL;
}

static const char *
range_text(const struct target *target, char text[96])
{
	const struct settings_entry *entry = target->entry;

	snprintf(text, 96, "a value from %llu to %llu",
	    (unsigned long long)entry->minimum,
	    (unsigned long long)entry->maximum);
	return text;
}

static bool
set_number(const struct target *target)
{
	const struct token *token = target->ast->value;
	const struct settings_entry *entry = target->entry;
	enum token_kind kind = entry->type == SETTING_SIZE ? TOKEN_SIZE
			       : entry->type == SETTING_DURATION
				   ? TOKEN_DURATION
				   : TOKEN_INTEGER;
	char range[96];

	if (token == NULL ||
	    (token->kind != kind &&
		!(token->kind == TOKEN_INTEGER && kind == TOKEN_SIZE) &&
		!(token->kind == TOKEN_INTEGER && token->number == 0)))
		return expected(
		    target, kind == TOKEN_SIZE       ? "a size such as 50MB"
			    : kind == TOKEN_DURATION ? "a duration such as 15s"
						     : "a number");
	if (token->number < entry->minimum || token->number > entry->maximum)
		return expected(target, range_text(target, range));
	*(uint64_t *)(void *)target->place = token->number;
	return true;
}

static bool
set_mode(const struct target *target)
{
	const struct token *token = target->ast->value;
	uint64_t mode = 0;

	if (token == NULL || token->kind != TOKEN_INTEGER)
		return expected(target, "an octal mode such as 0660");
	for (size_t i = 0; i < token->text.length; i++) {
		if (token->text.data[i] > '7' || mode > 0777)
			return expected(target, "an octal mode such as 0660");
		mode = mode * 8 + (uint64_t)(token->text.data[i] - '0');
	}
	if (mode > 0777)
		return expected(target, "an octal mode such as 0660");
	*(uint64_t *)(void *)target->place = mode;
	return true;
}

static struct slice
word_of(const struct target *target)
{
	const struct token *token = target->ast->value;

	if (token == NULL ||
	    (token->kind != TOKEN_WORD && token->kind != TOKEN_INTEGER &&
		token->kind != TOKEN_STRING))
		return (struct slice){ 0 };
	return token->text;
}

static bool
set_choice(const struct target *target)
{
	const char *const *words = target->entry->words;
	struct slice word = word_of(target);
	struct builder all = builder_make(target->scope->arena, 400);
	size_t count;

	for (count = 0; words[count] != NULL; count++) {
		if (!slice_equal_text(word, words[count])) {
			builder_printf(
			    &all, "%s%s", count == 0 ? "" : ", ", words[count]);
			continue;
		}
		if (target->entry->type == SETTING_WORD)
			*(const char **)(void *)target->place = words[count];
		else
			*(int64_t *)(void *)target->place = (int64_t)count;
		return true;
	}
	expected(target, arena_printf(target->scope->arena, "one of %s",
			     builder_c_string(&all)));
	return false;
}

static bool
set_on_off(const struct target *target)
{
	struct slice word = word_of(target);

	if (!slice_equal_text(word, "on") && !slice_equal_text(word, "off"))
		return expected(target, "on or off");
	*(bool *)(void *)target->place = word.length == 2;
	return true;
}

static enum value_list_type
list_type(enum settings_type type)
{
	return type == SETTING_DOMAINS    ? LIST_DOMAINS
	       : type == SETTING_NETWORKS ? LIST_NETWORKS
					  : LIST_STRINGS;
}

/* The name of a list, or { ... }. */
static bool
set_list(const struct target *target)
{
	struct scope *scope = target->scope;
	enum value_list_type type = list_type(target->entry->type);
	struct compiled_list entry = { .name = target->entry->name,
		.type = type,
		.anonymous = true,
		.may_be_empty = true,
		.source = target->file->source,
		.offset = target->ast->name.offset };
	const struct token *token = target->ast->value;
	struct scope_list *known;
	struct value_list *list;
	int index;

	if (target->ast->braced) {
		index = scope_add_list(scope, &entry, &list);
		if (index < 0)
			return false;
		check_settings_fill_list(
		    scope, target->file, target->ast->values, list);
		*(int *)(void *)target->place = index;
		return true;
	}
	if (token == NULL || token->kind != TOKEN_WORD)
		return expected(target, "the name of a list, or { ... }");
	known = scope_list(scope, token->text);
	if (known == NULL) {
		diag_at(scope->diag, DIAG_ERROR, target->file->source,
		    token->offset, "unknown list \"%.*s\"%s",
		    SHOWN(token->text), scope_suggest_list(scope, token->text));
		return false;
	}
	known->used = true;
	if (scope->program->list_entries.items[known->index].type != type)
		return expected(
		    target, type == LIST_NETWORKS  ? "a list of networks"
			    : type == LIST_DOMAINS ? "a list of domains"
						   : "a list of strings");
	*(int *)(void *)target->place = known->index;
	return true;
}

static bool
append_text(const struct target *target, const struct token *token)
{
	struct settings_texts *texts = (void *)target->place;
	const char **grown;
	const char *text;

	if (token->kind != TOKEN_STRING)
		return expected(target, "texts in quotation marks");
	text = target->entry->type == SETTING_PATHS
		   ? check_settings_path(
			 target->scope->arena, target->file, token->text)
		   : arena_text(target->scope->arena, token->text);
	grown = arena_alloc_array(
	    target->scope->arena, texts->count + 1, sizeof *grown);
	if (text == NULL || grown == NULL || texts->count >= TEXTS_MAX) {
		target->scope->full = true;
		return false;
	}
	for (size_t i = 0; i < texts->count; i++)
		grown[i] = texts->items[i];
	grown[texts->count] = text;
	texts->items = grown;
	texts->count++;
	return true;
}

static bool
set_texts(const struct target *target)
{
	static const char *const none[1];
	struct settings_texts *texts = (void *)target->place;
	bool good = true;

	if (texts->items == NULL)
		texts->items = none; /* said, be it `{ }`: no default */
	if (target->ast->value != NULL)
		return append_text(target, target->ast->value);
	for (const struct ast_value *value = target->ast->values; value != NULL;
	     value = value->next)
		good = append_text(target, value->token) && good;
	return good;
}

static void
set_value(const struct target *target)
{
	switch (target->entry->type) {
	case SETTING_TEXT:
	case SETTING_PATH:
	case SETTING_SERVER:
		set_text(target);
		break;
	case SETTING_INTEGER:
	case SETTING_SIZE:
	case SETTING_DURATION:
		set_number(target);
		break;
	case SETTING_MODE:
		set_mode(target);
		break;
	case SETTING_ON_OFF:
		set_on_off(target);
		break;
	case SETTING_WORD:
	case SETTING_CHOICE:
		set_choice(target);
		break;
	case SETTING_DOMAINS:
	case SETTING_NETWORKS:
	case SETTING_STRINGS:
		set_list(target);
		break;
	case SETTING_PATHS:
	case SETTING_TEXTS:
		set_texts(target);
		break;
	}
}

static const char *
suggest_setting(struct scope *scope, const char *block, struct slice name)
{
	static const char *const others[] = { "rule", "list", "feed", "switch",
		"let", "exempt", "test", "include", "pin", "resolver", "limits",
		"failure" };
	const char *names[200];
	const char *near, *text;
	const char *instead = foreign_setting(name);
	size_t count = 0;

	if (block == NULL && instead != NULL) {
		text = arena_printf(scope->arena, "; %s", instead);
		return text == NULL ? "" : text;
	}

	for (unsigned i = 0; i < settings_count && count < 150; i++)
		if ((block == NULL) == (settings_table[i].block == NULL) &&
		    (block == NULL ||
			strcmp(block, settings_table[i].block) == 0))
			names[count++] = settings_table[i].name;
	for (size_t i = 0; block == NULL && i < sizeof others / sizeof *others;
	     i++)
		names[count++] = others[i];
	near = diag_suggest(name, names, count);
	text = near == NULL
		   ? NULL
		   : arena_printf(scope->arena, "; did you mean \"%s\"?", near);
	return text == NULL ? "" : text;
}

/* `partners { "a.example" }` is how somebody would write a list at first. */
static const char *
suggest_list(
    struct scope *scope, const char *block, const struct ast_setting *ast)
{
	const char *text;

	if (block != NULL || ast->values == NULL ||
	    foreign_setting(ast->name.text) != NULL ||
	    ast->values->token->kind != TOKEN_STRING)
		return "";
	text = arena_printf(scope->arena,
	    " (a list that rules name is written `list %.*s domains { ... }`)",
	    SHOWN(ast->name.text));

	return text == NULL ? "" : text;
}

/* Sets one; `seen` has a bit for each entry of the table. */
static void
apply(struct scope *scope, const struct ast_file *file, const char *block,
    const struct ast_setting *ast, bool *seen)
{
	struct target target = { .scope = scope, .file = file, .ast = ast };

	target.entry = settings_find(block, ast->name.text);
	if (target.entry == NULL) {
		diag_at(scope->diag, DIAG_ERROR, file->source, ast->name.offset,
		    "unknown setting \"%.*s\"%s%s%s%s", SHOWN(ast->name.text),
		    block == NULL ? "" : " in ", block == NULL ? "" : block,
		    suggest_setting(scope, block, ast->name.text),
		    suggest_list(scope, block, ast));
		return;
	}
	if (seen[target.entry - settings_table] &&
	    target.entry->type != SETTING_PATHS &&
	    target.entry->type != SETTING_TEXTS)
		diag_at(scope->diag, DIAG_ERROR, file->source, ast->name.offset,
		    "%s is set twice", target.entry->name);
	seen[target.entry - settings_table] = true;
	if (ast->value == NULL && !ast->braced)
		return; /* reported by the parser */
	target.place = (char *)&scope->program->settings + target.entry->offset;
	scope->program->setting_places[target.entry - settings_table] =
	    (struct compiled_place){ .source = file->source,
		    .offset = ast->value != NULL ? ast->value->offset
						 : ast->name.offset };
	set_value(&target);
}

static void
apply_block(struct scope *scope, const struct ast_file *file,
    const struct ast_block *block, bool *seen)
{
	char name[32];

	if (block->kind.text.length >= sizeof name)
		return;
	memcpy(name, block->kind.text.data, block->kind.text.length);
	name[block->kind.text.length] = '\0';
	for (const struct ast_setting *at = block->settings; at != NULL;
	     at = at->next)
		apply(scope, file, name, at, seen);
}

/* ----------------------------------------------------------------- feeds */

struct feeds {
	LIST_OF(struct feed_config) configs;
	LIST_OF(struct settings_feed_fetch) fetches;
};

struct feed_target {
	struct scope *scope;
	const struct ast_file *file;
	const struct ast_setting *ast;
	struct feed_config *config;
	struct settings_feed_fetch *fetch;
};

static bool
feed_expected(const struct feed_target *target, const char *what)
{
	diag_at(target->scope->diag, DIAG_ERROR, target->file->source,
	    target->ast->value != NULL ? target->ast->value->offset
				       : target->ast->name.offset,
	    "%.*s takes %s", SHOWN(target->ast->name.text), what);
	return false;
}

static bool
feed_word(const struct feed_target *target, struct slice *word)
{
	const struct token *token = target->ast->value;

	if (token == NULL ||
	    (token->kind != TOKEN_WORD && token->kind != TOKEN_STRING))
		return false;
	*word = token->text;
	return true;
}

/* One of two words; true for the first. */
static bool
feed_pair(const struct feed_target *target, const char *first,
    const char *second, bool *is_first)
{
	struct slice word = { 0 };
	char what[80];

	feed_word(target, &word);
	*is_first = slice_equal_text(word, first);
	if (*is_first || slice_equal_text(word, second))
		return true;
	snprintf(what, sizeof what, "%s or %s", first, second);
	return feed_expected(target, what);
}

static bool
feed_percent(const struct feed_target *target, uint8_t *percent)
{
	const struct token *token = target->ast->value;

	if (token == NULL || token->kind != TOKEN_INTEGER ||
	    token->number > 100)
		return feed_expected(target, "a number from 0 to 100");
	*percent = (uint8_t)token->number;
	return true;
}

static bool
feed_count(const struct feed_target *target, uint32_t *count)
{
	const struct token *token = target->ast->value;

	if (token == NULL || token->kind != TOKEN_INTEGER ||
	    token->number < 1 || token->number > 100000000)
		return feed_expected(target, "a number from 1 to 100000000");
	*count = (uint32_t)token->number;
	return true;
}

static bool
feed_duration(const struct feed_target *target, uint64_t *ms)
{
	const struct token *token = target->ast->value;

	if (token == NULL || token->kind != TOKEN_DURATION)
		return feed_expected(target, "a duration such as 90d");
	*ms = token->number;
	return true;
}

static bool
feed_byte(const struct feed_target *target, char *byte)
{
	const struct token *token = target->ast->value;

	if (token == NULL || token->kind != TOKEN_STRING ||
	    token->text.length != 1)
		return feed_expected(
		    target, "one character in quotation marks");
	*byte = token->text.data[0];
	return true;
}

/* Plain http, but to this machine, where nobody sits in between. */
static bool
is_loopback_http(struct slice url)
{
	static const char *const starts[] = { "http://127.", "http://[::1]",
		"http://localhost:", "http://localhost/" };

	for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
		if (slice_starts_with(url, slice_text(starts[i])))
			return true;
	return false;
}

/* Whether an address has a login in it: USER:PASSWORD@ before the host. */
static bool
has_login(struct slice url)
{
	size_t scheme = slice_find(url, SLICE_LITERAL("://"));

	if (scheme != SIZE_MAX)
		url = slice_skip(url, scheme + 3);
	for (size_t i = 0; i < url.length; i++)
		if (strchr("/?#\\", url.data[i]) != NULL)
			url.length = i;
	return slice_find_byte(url, '@') != SIZE_MAX;
}

static bool
feed_source(const struct feed_target *target)
{
	const struct token *token = target->ast->value;
	struct arena *arena = target->scope->arena;

	if (token == NULL || token->kind != TOKEN_STRING)
		return feed_expected(target,
		    "a file, folder or https address in quotation marks");
	target->config->source = ""; /* it has one, if no good one */
	if (slice_find(token->text, SLICE_LITERAL("://")) != SIZE_MAX &&
	    has_login(token->text))
		return feed_expected(target,
		    "no login in the address, where others read it; put "
		    "USER:PASSWORD into a file of mode 0600 and name that "
		    "with auth-file");
	if (slice_starts_with(token->text, SLICE_LITERAL("http://")) &&
	    !is_loopback_http(token->text))
		return feed_expected(target,
		    "https: over http anybody on the way could change it");
	if (slice_starts_with(token->text, SLICE_LITERAL("https://")) ||
	    is_loopback_http(token->text)) {
		target->fetch->url = arena_text(arena, token->text);
		target->config->source = arena_printf(arena, "%s/feeds/%s",
		    target->scope->program->settings.state_directory,
		    target->config->name);
	} else {
		target->config->source =
		    check_settings_path(arena, target->file, token->text);
	}
	return true;
}

static bool
feed_kinds(const struct feed_target *target)
{
	const struct ast_value *value = target->ast->values;
	enum indicator_kind kind;

	if (!target->ast->braced)
		return feed_expected(target, "{ domain, url, ... }");
	for (; value != NULL; value = value->next) {
		if (indicator_kind_parse(value->token->text, &kind)) {
			target->config->kinds |= INDICATOR_KIND_BIT(kind);
			continue;
		}
		diag_at(target->scope->diag, DIAG_ERROR, target->file->source,
		    value->token->offset, "unknown indicator type \"%.*s\"",
		    SHOWN(value->token->text));
	}
	return true;
}

/* columns { value "indicator"  type 2 ... }: pairs. */
static bool
feed_columns(const struct feed_target *target)
{
	LIST_OF(struct feed_column) columns = { 0 };
	const struct ast_value *value = target->ast->values;

	for (; value != NULL && value->next != NULL;
	     value = value->next->next) {
		const struct token *where = value->next->token;
		struct feed_column *column =
		    list_append(target->scope->arena, &columns, TEXTS_MAX);

		if (column == NULL)
			return false;
		if (!feed_column_parse(value->token->text, column))
			diag_at(target->scope->diag, DIAG_ERROR,
			    target->file->source, value->token->offset,
			    "unknown column \"%.*s\"; columns are value, type, "
			    "id, first-seen, last-seen, valid-until, severity, "
			    "confidence, tags, description, tlp, to-ids or a "
			    "kind's name",
			    SHOWN(value->token->text));
		if (where->kind == TOKEN_STRING)
			column->name =
			    arena_text(target->scope->arena, where->text);
		else if (where->kind == TOKEN_INTEGER && where->number > 0 &&
			 where->number < 10000)
			column->number = (unsigned)where->number;
		else
			diag_at(target->scope->diag, DIAG_ERROR,
			    target->file->source, where->offset,
			    "a column is named by its header in quotation "
			    "marks, or its number from 1");
	}
	if (value != NULL || !target->ast->braced)
		return feed_expected(
		    target, "pairs: columns { value \"indicator\"  type 2 }");
	target->config->columns = columns.items;
	target->config->column_count = columns.count;
	return true;
}

static bool
feed_words(const struct feed_target *target, struct slice name)
{
	struct feed_config *config = target->config;
	struct slice word = { 0 };
	bool first;

	if (slice_equal_text(name, "format")) {
		if (feed_word(target, &word) &&
		    feed_format_parse(word, &config->format))
			return true;
		return feed_expected(target,
		    "auto, list, hosts, loki, csv, json, stix, misp, yara, urlhaus, "
		    "threatfox, feodo, bazaar or misp-csv");
	}
	if (slice_equal_text(name, "severity")) {
		if (feed_word(target, &word) &&
		    indicator_severity_parse(word, &config->severity))
			return true;
		return feed_expected(target, "low, medium, high or critical");
	}
	if (slice_equal_text(name, "tlp")) {
		if (feed_word(target, &word) &&
		    indicator_tlp_parse(word, &config->tlp))
			return true;
		return feed_expected(
		    target, "clear, green, amber, amber-strict or red");
	}
	if (slice_equal_text(name, "status"))
		return feed_pair(
		    target, "verified", "unverified", &config->verified);
	if (slice_equal_text(name, "to-ids"))
		return feed_pair(
		    target, "ignore", "honour", &config->ignore_to_ids);
	if (slice_equal_text(name, "client-ip"))
		return feed_pair(target, "on", "off", &config->client_ip);
	if (slice_equal_text(name, "refang"))
		return feed_pair(target, "on", "off", &config->refang);
	if (slice_equal_text(name, "defanged")) {
		bool good = feed_pair(target, "match", "ignore", &first);

		config->match_defanged = first;
		return good;
	}
	return false;
}

static void
unknown_feed_setting(const struct feed_target *target)
{
	static const char *const names[] = { "source", "format", "columns",
		"delimiter", "comment", "status", "severity", "confidence",
		"expire", "tlp", "kinds", "minimum-confidence", "to-ids",
		"client-ip", "refang", "defanged", "refresh", "max-size",
		"max-indicators", "auth-file", "collection", "fetch-time",
		"post-file", "ca-file", "client-cert", "client-key", "proxy" };
	const char *near = diag_suggest(
	    target->ast->name.text, names, sizeof names / sizeof *names);

	diag_at(target->scope->diag, DIAG_ERROR, target->file->source,
	    target->ast->name.offset, "unknown setting \"%.*s\" in feed%s%s%s",
	    SHOWN(target->ast->name.text),
	    near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
	    near == NULL ? "" : "\"?");
}

static bool
feed_text(const struct feed_target *target, const char **into, bool path)
{
	const struct token *token = target->ast->value;

	if (token == NULL || token->kind != TOKEN_STRING)
		return feed_expected(target, "a text in quotation marks");
	*into = path ? check_settings_path(
			   target->scope->arena, target->file, token->text)
		     : arena_text(target->scope->arena, token->text);
	return true;
}

/* How an address is fetched. True when the setting is one of these. */
static bool
feed_fetching(const struct feed_target *target, struct slice name)
{
	struct settings_feed_fetch *fetch = target->fetch;
	const struct {
		const char *name;
		const char **into;
		bool path;
	} texts[] = {
		{ "collection", &fetch->collection, false },
		{ "auth-file", &fetch->auth_file, true },
		{ "post-file", &fetch->post_file, true },
		{ "ca-file", &fetch->ca_file, true },
		{ "client-cert", &fetch->client_cert, true },
		{ "client-key", &fetch->client_key, true },
	};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		if (slice_equal_text(name, texts[i].name)) {
			feed_text(target, texts[i].into, texts[i].path);
			return true;
		}
	if (slice_equal_text(name, "proxy")) {
		if (feed_text(target, &fetch->proxy, false) &&
		    has_login(slice_text(fetch->proxy)))
			feed_expected(target,
			    "no login, for it would stand where others read "
			    "it; give the address with its login as "
			    "https_proxy in the environment of `tocsin feeds "
			    "update`");
		return true;
	}
	if (slice_equal_text(name, "refresh")) {
		feed_duration(target, &fetch->refresh);
		return true;
	}
	if (!slice_equal_text(name, "fetch-time"))
		return false;
	if (feed_duration(target, &fetch->fetch_time) &&
	    (fetch->fetch_time < 1000 || fetch->fetch_time > 86400000))
		feed_expected(target, "a duration from 1s to 24h");
	return true;
}

static void
apply_feed(const struct feed_target *target)
{
	struct slice name = target->ast->name.text;
	struct feed_config *config = target->config;
	unsigned errors = target->scope->diag->error_count;
	const struct token *value = target->ast->value;
	uint64_t ms = 0;

	if (slice_equal_text(name, "source"))
		feed_source(target);
	else if (slice_equal_text(name, "confidence"))
		feed_percent(target, &config->confidence);
	else if (slice_equal_text(name, "minimum-confidence"))
		feed_percent(target, &config->minimum_confidence);
	else if (slice_equal_text(name, "expire"))
		config->expire_s =
		    feed_duration(target, &ms) ? ms / 1000 : config->expire_s;
	else if (slice_equal_text(name, "kinds"))
		feed_kinds(target);
	else if (slice_equal_text(name, "columns"))
		feed_columns(target);
	else if (slice_equal_text(name, "delimiter"))
		feed_byte(target, &config->delimiter);
	else if (slice_equal_text(name, "comment"))
		feed_byte(target, &config->comment);
	else if (slice_equal_text(name, "max-size") && value != NULL &&
		 (value->kind == TOKEN_SIZE || value->kind == TOKEN_INTEGER))
		config->size_bytes_max = value->number;
	else if (slice_equal_text(name, "max-size"))
		feed_expected(target, "a size such as 500MB");
	else if (slice_equal_text(name, "max-indicators"))
		feed_count(target, &config->indicators_max);
	else if (!feed_fetching(target, name) && !feed_words(target, name) &&
		 target->scope->diag->error_count == errors)
		unknown_feed_setting(target);
}

static void
add_feed(struct scope *scope, const struct ast_file *file,
    const struct ast_block *block, struct feeds *feeds)
{
	struct feed_target target = { .scope = scope, .file = file };
	const char *name = arena_text(scope->arena, block->name.text);

	if (block->name.text.length == 0 || name == NULL)
		return;
	if (strcmp(name, OVERLAY_FEED_NAME) == 0) {
		report(scope, file, block->name.offset,
		    "the feed \"" OVERLAY_FEED_NAME "\" is that of "
		    "`tocsin indicators add`; give this one another name");
		return;
	}
	for (size_t i = 0; i < feeds->configs.count; i++)
		if (strcmp(feeds->configs.items[i].name, name) == 0) {
			diag_at(scope->diag, DIAG_ERROR, file->source,
			    block->name.offset, "feed %s is declared twice",
			    name);
			return;
		}
	target.config = list_append(scope->arena, &feeds->configs, FEEDS_MAX);
	target.fetch = list_append(scope->arena, &feeds->fetches, FEEDS_MAX);
	if (target.config == NULL || target.fetch == NULL) {
		report(scope, file, block->name.offset, "too many feeds");
		return;
	}
	*target.config = feed_config_defaults(name, NULL);
	target.fetch->refresh = 3600000;
	target.fetch->fetch_time = 600000;
	for (target.ast = block->settings; target.ast != NULL;
	     target.ast = target.ast->next)
		apply_feed(&target);
	if (target.config->source == NULL) {
		diag_at(scope->diag, DIAG_ERROR, file->source,
		    block->name.offset, "feed %s has no source", name);
		target.config->source = "";
	}
}

static void
add_pin(struct scope *scope, const struct ast_file *file,
    const struct ast_setting *ast)
{
	struct settings *settings = &scope->program->settings;
	struct settings_pin *grown;
	enum indicator_kind kind;

	if (ast->value == NULL || ast->value->kind != TOKEN_STRING) {
		report(scope, file, ast->name.offset,
		    "a pin is written pin KIND \"VALUE\"");
		return;
	}
	if (!indicator_kind_parse(ast->name.text, &kind)) {
		diag_at(scope->diag, DIAG_ERROR, file->source, ast->name.offset,
		    "unknown indicator type \"%.*s\"", SHOWN(ast->name.text));
		return;
	}
	grown = arena_alloc_array(
	    scope->arena, settings->pin_count + 1, sizeof *grown);
	if (grown == NULL || settings->pin_count >= PINS_MAX) {
		scope->full = true;
		return;
	}
	if (settings->pin_count > 0)
		memcpy(
		    grown, settings->pins, settings->pin_count * sizeof *grown);
	grown[settings->pin_count].kind = indicator_kind_name(kind);
	grown[settings->pin_count].value = ast->value->text;
	settings->pins = grown;
	settings->pin_count++;
}

void
check_settings(struct scope *scope, const struct ast_file *files)
{
	struct settings *settings = &scope->program->settings;
	bool seen[200] = { false };
	struct feeds feeds = { 0 };

	settings_defaults(settings);
	for (const struct ast_file *file = files; file != NULL;
	     file = file->next)
		for (const struct ast_statement *at = file->statements;
		     at != NULL; at = at->next) {
			if (at->kind == AST_SETTING)
				apply(scope, file, NULL, &at->setting, seen);
			else if (at->kind == AST_BLOCK &&
				 !slice_equal_text(at->block.kind.text, "feed"))
				apply_block(scope, file, &at->block, seen);
		}
	for (const struct ast_file *file = files; file != NULL;
	     file = file->next)
		for (const struct ast_statement *at = file->statements;
		     at != NULL; at = at->next) {
			if (at->kind == AST_BLOCK &&
			    slice_equal_text(at->block.kind.text, "feed"))
				add_feed(scope, file, &at->block, &feeds);
			else if (at->kind == AST_PIN)
				add_pin(scope, file, &at->setting);
		}
	settings->feeds = feeds.configs.items;
	settings->feed_fetches = feeds.fetches.items;
	settings->feed_count = feeds.configs.count;
}
