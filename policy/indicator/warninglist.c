#include <config.h>

#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>

#include "indicator/normal.h"
#include "indicator/warninglist.h"

#define PATH_BYTES 4096u

#define BIT(kind)  INDICATOR_KIND_BIT(INDICATOR_##kind)

/* Kinds that act for each other: see the header. */
#define PLACES  (BIT(ADDRESS) | BIT(DOMAIN) | BIT(URL) | BIT(NETWORK))
#define DIGESTS (BIT(MD5) | BIT(SHA1) | BIT(SHA256) | BIT(SHA512))

/* --------------------------------------------------------------------- files */

static bool
glob_each(const char *pattern, void (*take)(void *context, const char *path),
    void *context)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++)
		take(context, found.gl_pathv[i]);
	globfree(&found);
	return true;
}

static bool
folder_each(const char *folder, void (*take)(void *context, const char *path),
    void *context)
{
	/* MISP's collection has one folder a list, with list.json inside. */
	static const char *const inside[] = { "*.json", "*/list.json" };
	char pattern[PATH_BYTES];
	bool any = false;

	for (size_t i = 0; i < sizeof inside / sizeof *inside; i++)
		if (snprintf(pattern, sizeof pattern, "%s/%s", folder,
			inside[i]) < (int)sizeof pattern)
			any = glob_each(pattern, take, context) || any;
	return any;
}

struct each_file {
	void (*take)(void *context, const char *path);
	void *context;
	bool any;
};

static void
take_named(void *context, const char *path)
{
	struct each_file *each = context;
	struct stat info;

	if (stat(path, &info) == 0 && S_ISDIR(info.st_mode)) {
		each->any =
		    folder_each(path, each->take, each->context) || each->any;
	} else {
		each->take(each->context, path);
		each->any = true;
	}
}

bool
warninglist_each_file(const char *pattern,
    void (*take)(void *context, const char *path), void *context)
{
	struct each_file each = { .take = take, .context = context };

	return glob_each(pattern, take_named, &each) && each.any;
}

/* ----------------------------------------------------- what a list speaks of */

/* The kinds of one attribute type of MISP; 0 for what mail does not show. Of
 * "filename|md5" the second half counts, as everywhere. */
static uint32_t
kinds_of_type(struct slice type)
{
	struct slice half = type, rest = slice_split(type, '|', &half);
	enum indicator_kind kind;

	if (slice_equal_text(half, "filename") && rest.length > 0)
		return kinds_of_type(rest);
	if (slice_starts_with(type, SLICE_LITERAL("x509-")))
		return 0; /* of certificates, not of files */
	if (indicator_kind_parse(half, &kind))
		return INDICATOR_KIND_BIT(kind) |
		       (slice_equal_text(rest, "ip") ? BIT(NETWORK) : 0);
	if (slice_equal_text(half, "link"))
		return BIT(URL);
	/* "target-email", "whois-registrant-email", "dns-soa-email" */
	if (slice_ends_with(half, SLICE_LITERAL("-email")))
		return BIT(ADDRESS);
	return 0;
}

static uint32_t
with_relatives(uint32_t kinds)
{
	if (kinds & PLACES)
		kinds |= PLACES;
	if (kinds & DIGESTS)
		kinds |= DIGESTS;
	return kinds;
}

static uint32_t
kinds_of_list(struct arena *scratch, struct slice types)
{
	struct json_split split = json_split_begin(types);
	struct json_value value;
	uint32_t kinds = 0;
	bool any = false;

	while (json_split_element(&split, &value)) {
		struct slice type = json_string(scratch, value.text);

		any = true;
		if (type.data != NULL)
			kinds |= kinds_of_type(type);
	}
	return any ? kinds : INDICATOR_KINDS_ALL;
}

/* -------------------------------------------------------------------- reading */

const char *
warninglist_open(
    struct arena *arena, struct slice bytes, struct warninglist *list_out)
{
	struct slice name, entries = { NULL, 0 };
	struct slice title = SLICE_LITERAL("warninglist");
	struct slice type = SLICE_LITERAL("string");
	struct json_value whole, value;
	struct json_split split;
	uint32_t kinds = INDICATOR_KINDS_ALL;

	if (slice_starts_with(bytes, SLICE_LITERAL("\xef\xbb\xbf")))
		bytes = slice_skip(bytes, 3);
	if (!json_split_value(&bytes, &whole) || !json_is_object(whole.text))
		return "is no JSON object";
	split = json_split_begin(whole.text);
	while (json_split_member(&split, &name, &value)) {
		if (slice_equal_text(name, "list"))
			entries = value.text;
		else if (slice_equal_text(name, "name"))
			title = json_string(arena, value.text);
		else if (slice_equal_text(name, "type"))
			type = json_string(arena, value.text);
		else if (slice_equal_text(name, "matching_attributes") &&
			 json_is_array(value.text))
			kinds = kinds_of_list(arena, value.text);
	}
	if (split.broken || !json_is_array(entries))
		return "has no \"list\"";
	*list_out = (struct warninglist){
		.name = title.data == NULL ? NULL : arena_text(arena, title),
		.hostname = slice_equal_text(type, "hostname") ||
			    slice_equal_text(type, "substring"),
		.networks = slice_equal_text(type, "cidr"),
		.expressions = slice_equal_text(type, "regex"),
		.kinds = kinds,
		.entries = json_split_begin(entries),
	};
	if (!list_out->expressions)
		list_out->kinds = with_relatives(kinds);
	if (list_out->name == NULL)
		list_out->name = "warninglist";
	return slice_equal_text(type, "string") || list_out->hostname ||
		       list_out->networks || list_out->expressions
		   ? NULL
		   : "is of an unknown type; string, hostname, substring, cidr "
		     "and regex are known";
}

/* Names of files, subjects and the like are what a list says they are: by its
 * looks such a text is often something else. */
static bool
text_key(const struct warninglist *list, struct arena *scratch,
    struct warninglist_entry *entry)
{
	static const enum indicator_kind texts[] = { INDICATOR_FILENAME,
		INDICATOR_SUBJECT, INDICATOR_MAILER, INDICATOR_MESSAGE_ID };

	if (list->kinds == INDICATOR_KINDS_ALL)
		return false;
	for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
		if ((list->kinds & INDICATOR_KIND_BIT(texts[i])) &&
		    normal_key(scratch, texts[i], entry->text, &entry->key) ==
			NORMAL_GOOD) {
			entry->kind = texts[i];
			return true;
		}
	return false;
}

/* Finds out of which kind an entry is; single labels are domains too
 * ("localhost"). */
static enum warninglist_state
key_of(const struct warninglist *list, struct arena *scratch,
    struct warninglist_entry *entry)
{
	struct slice value = slice_trim(entry->text);

	if (value.length > 1 && value.data[0] == '.')
		value = slice_skip(value, 1);
	if (!normal_guess_kind(scratch, value, &entry->kind))
		entry->kind = INDICATOR_DOMAIN;
	if (list->networks && entry->kind != INDICATOR_NETWORK) {
		entry->why = "no address and no network";
		return WARNINGLIST_BROKEN;
	}
	if ((list->kinds & INDICATOR_KIND_BIT(entry->kind)) &&
	    normal_key(scratch, entry->kind, value, &entry->key) == NORMAL_GOOD)
		return WARNINGLIST_KEY;
	return text_key(list, scratch, entry) ? WARNINGLIST_KEY
					      : WARNINGLIST_OTHER;
}

bool
warninglist_next(struct warninglist *list, struct arena *scratch,
    struct warninglist_entry *entry_out)
{
	struct json_value value;

	if (!json_split_element(&list->entries, &value))
		return false;
	arena_reset(scratch);
	list->number++;
	*entry_out = (struct warninglist_entry){
		.state = WARNINGLIST_BROKEN,
		.text = json_string(scratch, value.text),
	};
	if (entry_out->text.data == NULL) {
		entry_out->text = value.text;
		entry_out->why = "no text in quotation marks";
	} else if (slice_trim(entry_out->text).length == 0) {
		entry_out->why = "empty";
	} else if (list->expressions) {
		entry_out->state = WARNINGLIST_EXPRESSION;
	} else {
		entry_out->state = key_of(list, scratch, entry_out);
	}
	return true;
}
