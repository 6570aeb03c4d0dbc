#include <config.h>

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <sysexits.h>

#include "base/diag.h"
#include "base/mime_defect.h"
#include "language/schema.h"
#include "language/settings.h"
#include "tool/tool.h"

static const char usage[] =
    "Lists the fields that rules can name, with type, stage and meaning; with\n"
    "NAMEs (dmarc, url, url.host) only those. Exit status: 0, or 1 when there\n"
    "is no such field.\n"
    "\n"
    "      --json      as a JSON array\n"
    "      --names     names only, one a line (for shell completion)\n"
    "      --settings  the settings of tocsin.conf instead\n"
    "      --roff      as a table for a manual page\n"
    "  -h, --help      this text\n";

enum fields_form {
	FIELDS_TEXT,
	FIELDS_JSON,
	FIELDS_NAMES,
	FIELDS_ROFF
};

static const char *
type_text(enum value_type type, const struct schema_enum *words)
{
	return type == VALUE_ENUM && words != NULL ? words->name
						   : value_type_name(type);
}

static void
print_words(const struct schema_enum *words, const char *indent)
{
	if (words == NULL)
		return;
	printf("%s", indent);
	for (unsigned i = 0; i < words->count; i++)
		printf("%s%s", words->words[i],
		    i + 1 == words->count ? "\n"
		    : words->ordered      ? " < "
					  : ", ");
}

static void
print_text(const struct schema_field *field)
{
	printf("%-22s %-12s %s%s\n    %s\n", field->name,
	    type_text(field->type, field->words),
	    schema_stage_name(field->stage),
	    field->optional ? ", may be missing" : "", field->description);
	print_words(field->words, "    one of: ");
	for (unsigned i = 0; i < field->member_count; i++) {
		const struct schema_member *member = &field->members[i];

		printf("    .%-18s %-12s %s%s\n", member->name,
		    type_text(member->type, member->words), member->description,
		    member->optional ? " (may be missing)" : "");
		print_words(member->words, "        one of: ");
	}
}

static void
print_json_text(const char *text)
{
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
}

static void
print_json_common(const char *name, const char *type, bool optional,
    const char *description, const struct schema_enum *words)
{
	printf("{\"name\":\"%s\",\"type\":\"%s\",\"optional\":%s,"
	       "\"description\":\"",
	    name, type, optional ? "true" : "false");
	print_json_text(description);
	printf("\"");
	if (words == NULL)
		return;
	printf(",\"words\":[");
	for (unsigned i = 0; i < words->count; i++)
		printf("%s\"%s\"", i > 0 ? "," : "", words->words[i]);
	printf("]");
}

static void
print_json(const struct schema_field *field, bool first)
{
	if (!first)
		printf(",\n");
	print_json_common(field->name, type_text(field->type, field->words),
	    field->optional, field->description, field->words);
	printf(
	    ",\"stage\":\"%s\",\"members\":[", schema_stage_name(field->stage));
	for (unsigned i = 0; i < field->member_count; i++) {
		const struct schema_member *member = &field->members[i];

		if (i > 0)
			printf(",");
		print_json_common(member->name,
		    type_text(member->type, member->words), member->optional,
		    member->description, member->words);
		printf("}");
	}
	printf("]}");
}

static void
print_names(const struct schema_field *field)
{
	puts(field->name);
	for (unsigned i = 0; i < field->member_count; i++)
		printf("%s.%s\n", field->name, field->members[i].name);
}

/* The defects are many and each needs its meaning. */
static void
print_roff_defects(void)
{
	printf(".RS\n");
	for (unsigned i = 0; i < MIME_DEFECT_COUNT; i++)
		printf(".TP\n.B %s\n%s.\n",
		    mime_defect_name((enum mime_defect)i),
		    mime_defect_description((enum mime_defect)i));
	printf(".RE\n");
}

/* "The address. (address; known at mail; may be missing)" */
static void
print_roff_entry(const char *dot, const char *name, const char *description,
    const char *type, const char *stage, bool optional)
{
	printf(".TP\n.B %s%s\n%c%s.\n.RI ( \"%s%s%s%s\" )\n", dot, name,
	    toupper((unsigned char)description[0]), description + 1, type,
	    stage == NULL ? "" : "; known at ", stage == NULL ? "" : stage,
	    optional ? "; may be missing" : "");
}

/* The field before `field` whose elements are made the same way; NULL: none. */
static const struct schema_field *
same_elements(const struct schema_field *field)
{
	for (const struct schema_field *at = schema_fields; at < field; at++)
		if (at->members != NULL && at->members == field->members)
			return at;
	return NULL;
}

static void
print_roff(const struct schema_field *field)
{
	const struct schema_field *same = same_elements(field);

	print_roff_entry("", field->name, field->description,
	    type_text(field->type, field->words),
	    schema_stage_name(field->stage), field->optional);
	if (same != NULL) {
		printf("Each element has the fields of one of\n.BR %s .\n",
		    same->name);
		return;
	}
	printf(".RS\n");
	for (unsigned i = 0; i < field->member_count; i++) {
		const struct schema_member *member = &field->members[i];

		/* It only says which set yara("x") asks for. */
		if (strcmp(field->name, "yara") == 0 &&
		    strcmp(member->name, "ruleset") == 0)
			continue;
		print_roff_entry(".", member->name, member->description,
		    type_text(member->type, member->words), NULL,
		    member->optional);
	}
	printf(".RE\n");
}

static void
print_roff_words(const struct schema_enum *words)
{
	printf(".TP\n.I %s\n", words->name);
	print_words(words, "");
	if (words->ordered)
		printf(
		    "(in this order; may be compared with <, <=, > and >=)\n");
}

/* Every enumeration once, in the order in which the fields name them. */
static void
print_roff_enumerations(void)
{
	const struct schema_enum *seen[FIELD_COUNT] = { NULL };
	unsigned count = 0;

	printf(".SH ENUMERATIONS\nWords stand without quotation marks.\n");
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		const struct schema_field *field = &schema_fields[i];

		for (unsigned j = 0; j <= field->member_count; j++) {
			const struct schema_enum *words =
			    j == 0 ? field->words : field->members[j - 1].words;
			unsigned at = 0;

			while (at < count && seen[at] != words)
				at++;
			if (words == NULL || at < count || count == FIELD_COUNT)
				continue;
			seen[count++] = words;
			if (strcmp(field->name, "mime.defect") != 0) {
				print_roff_words(words);
				continue;
			}
			printf(".TP\n.I %s\nEach with its meaning:\n",
			    words->name);
			print_roff_defects();
		}
	}
}

/* One field in the form wanted; a heading before the first of each group. */
static void
print_field(enum fields_form form, const struct schema_field *field,
    const char **group, bool first)
{
	bool new_group = *group == NULL || strcmp(*group, field->group) != 0;

	*group = field->group;
	switch (form) {
	case FIELDS_TEXT:
		if (new_group)
			printf("%s== %s\n", first ? "" : "\n", field->group);
		print_text(field);
		break;
	case FIELDS_JSON:
		print_json(field, first);
		break;
	case FIELDS_NAMES:
		print_names(field);
		break;
	case FIELDS_ROFF:
		if (new_group)
			printf(".SS \"Fields: %s\"\n", field->group);
		print_roff(field);
		break;
	}
}

/* Is `word` the field, or "FIELD.MEMBER" of it? */
static bool
is_about(const char *word, const struct schema_field *field)
{
	size_t length = strlen(field->name);

	if (strncmp(word, field->name, length) != 0)
		return false;
	return word[length] == '\0' ||
	       (word[length] == '.' && schema_find_member(field,
					   slice_text(word + length + 1)) >= 0);
}

static bool
is_wanted(const struct schema_field *field, int argc, char **argv)
{
	for (int i = optind; i < argc; i++)
		if (is_about(argv[i], field))
			return true;
	return optind == argc;
}

static bool
is_known(const char *word)
{
	for (unsigned i = 0; i < FIELD_COUNT; i++)
		if (is_about(word, &schema_fields[i]))
			return true;
	return false;
}

static void
say_unknown(const char *word)
{
	const char *names[FIELD_COUNT], *near;

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		names[i] = schema_fields[i].name;
	near = diag_suggest(slice_text(word), names, FIELD_COUNT);
	fprintf(stderr, "tocsin fields: there is no field \"%s\"", word);
	if (near != NULL)
		fprintf(stderr, "; did you mean \"%s\"?", near);
	fputc('\n', stderr);
}

static void
print_settings(enum fields_form form)
{
	const char *block = "";

	for (unsigned i = 0; i < settings_count; i++) {
		const struct settings_entry *entry = &settings_table[i];
		const char *own_block =
		    entry->block == NULL ? "" : entry->block;

		if (form == FIELDS_NAMES) {
			puts(entry->name);
			continue;
		}
		if (strcmp(block, own_block) != 0) {
			block = own_block;
			if (form == FIELDS_ROFF)
				printf(".SS \"%s { ... }\"\n", block);
			else
				printf("\n== %s { ... }\n", block);
		}
		if (form == FIELDS_ROFF)
			printf(".TP\n.B %s\n", entry->name);
		else
			printf("%-26s ", entry->name);
		printf("%s.", entry->description);
		if (entry->default_text[0] != '\0')
			printf(" Default: %s.", entry->default_text);
		if (entry->needs_restart)
			printf(" A change needs a restart.");
		printf("\n");
	}
}

static int
print_fields(enum fields_form form, int argc, char **argv)
{
	const char *group = NULL;
	bool first = true;

	if (form == FIELDS_JSON)
		printf("[");
	for (unsigned i = 0; i < FIELD_COUNT; i++) {
		if (!is_wanted(&schema_fields[i], argc, argv))
			continue;
		print_field(form, &schema_fields[i], &group, first);
		first = false;
	}
	if (form == FIELDS_JSON)
		printf("]\n");
	if (form == FIELDS_ROFF && optind == argc)
		print_roff_enumerations();
	for (int i = optind; i < argc; i++)
		if (!is_known(argv[i])) {
			say_unknown(argv[i]);
			return 1;
		}
	return EX_OK;
}

int
tool_fields(int argc, char **argv)
{
	static const struct option known[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "names", no_argument, NULL, 'n' },
		{ "roff", no_argument, NULL, 'r' },
		{ "settings", no_argument, NULL, 's' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	enum fields_form form = FIELDS_TEXT;
	bool settings = false;
	int option;

	while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
		switch (option) {
		case 'j':
			form = FIELDS_JSON;
			break;
		case 'n':
			form = FIELDS_NAMES;
			break;
		case 'r':
			form = FIELDS_ROFF;
			break;
		case 's':
			settings = true;
			break;
		case 'h':
			return tool_usage(
			    "fields [--json | --names | --roff] [NAME...]",
			    usage);
		default:
			return tool_misused("fields", "unknown option");
		}
	}
	if (settings) {
		print_settings(form);
		return EX_OK;
	}
	return print_fields(form, argc, argv);
}
