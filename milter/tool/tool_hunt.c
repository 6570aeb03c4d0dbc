#include <config.h>

#include <cjson/cJSON.h>
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>

#include "tool/tool.h"

#include "base/domain.h"
#include "base/list.h"
#include "indicator/normal.h"
#include "language/program.h"
#include "outcome/record.h"
#include "tool/engine.h"

#define VALUES_MAX   1000
#define DIGESTS      3  /* the first of part_members */
#define LINE_MAX_MiB 16 /* a record is far below; what is longer is skipped */

/* One value to look for: as typed, and by each kind that it may be of. */
struct quarry {
	const char *typed;
	LIST_OF(struct quarry_form) forms;
};

struct quarry_form {
	enum indicator_kind kind;
	struct slice key; /* canonical; text for networks */
	struct ipaddr_network network;
	const char *label; /* what is looked for, where that is not as typed */
};

struct hunt {
	const char *config;
	const char *since; /* as typed; NULL: all */
	bool json;
	int64_t since_unix;
	struct arena *arena;   /* of the whole hunt */
	struct arena *scratch; /* of one record */
	struct engine engine;
	LIST_OF(struct quarry) quarries;
	char *folder;
	unsigned long records, found, skipped;
	unsigned long lacking[DIGESTS]; /* records with files without it */
};

static const char synopsis[] = "hunt [OPTION...] VALUE...";
static const char help[] =
    "Which recorded messages carried a value: an address, domain (names below\n"
    "it as well), URL (by its host), network, digest, file name, subject,\n"
    "Message-ID, or whatever an indicator matched; or which messages have the\n"
    "id of an indicator, a queue id or the ref of a header or log line.\n"
    "Reads the evidence in the state directory from the oldest day to the\n"
    "newest.\n"
    "\n"
    "  -c FILE          configuration (default " TOOL_CONFIGURATION ")\n"
    "  --since AGE      only records younger than 30m, 12h, 7d, 4w\n"
    "  --since DATE     only records from 2026-11-23 on\n"
    "  --json           print the records as they are, one a line\n"
    "\n"
    "Exit status: 0 when something was found, 1 when nothing was.\n";

static const struct option options[] = {
	{ "config", required_argument, NULL, 'c' },
	{ "help", no_argument, NULL, 'h' },
	{ "json", no_argument, NULL, 'j' },
	{ "since", required_argument, NULL, 's' },
	{ NULL, 0, NULL, 0 },
};

/* ---- what is looked for */

static bool
add_form(struct hunt *hunt, struct quarry *quarry, enum indicator_kind kind,
    struct slice text, const char *label)
{
	struct quarry_form form = { .kind = kind, .label = label };
	struct quarry_form *added;

	if (kind == INDICATOR_NETWORK) {
		if (!ipaddr_network_parse(text, &form.network, NULL))
			return false;
	} else if (normal_key(hunt->arena, kind, text, &form.key) !=
		   NORMAL_GOOD) {
		return false;
	}
	added = list_append(hunt->arena, &quarry->forms, INDICATOR_KINDS);
	if (added != NULL)
		*added = form;
	return added != NULL;
}

/* A value is taken for what it looks like; what looks like nothing else is a
 * file name, a subject, a Message-ID or a mailer. A URL is hunted by its host, which is
 * what the record keeps. */
static bool
add_quarry(struct hunt *hunt, const char *typed)
{
	struct quarry *quarry =
	    list_append(hunt->arena, &hunt->quarries, VALUES_MAX);
	struct slice text =
	    normal_refang(hunt->arena, slice_trim(slice_text(typed)), NULL);
	enum indicator_kind kind;
	struct normal_url url;

	if (quarry == NULL)
		return false;
	quarry->typed = typed;
	if (normal_guess_kind(hunt->arena, text, &kind)) {
		if (kind != INDICATOR_URL)
			add_form(hunt, quarry, kind, text, NULL);
		else if (normal_url(hunt->arena, text, &url) == NORMAL_GOOD)
			add_form(hunt, quarry,
			    url.host_is_address ? INDICATOR_NETWORK
						: INDICATOR_DOMAIN,
			    url.host,
			    arena_printf(hunt->arena, "host %.*s of %s",
				(int)url.host.length, url.host.data, typed));
	}
	add_form(hunt, quarry, INDICATOR_FILENAME, text, NULL);
	add_form(hunt, quarry, INDICATOR_SUBJECT, text, NULL);
	add_form(hunt, quarry, INDICATOR_MESSAGE_ID, text, NULL);
	add_form(hunt, quarry, INDICATOR_MAILER, text, NULL);
	return quarry->forms.count > 0;
}

static bool
parse_since(struct hunt *hunt)
{
	struct tm day = { 0 };
	uint64_t seconds;
	const char *end;

	if (hunt->since == NULL)
		return true;
	if (engine_parse_duration(hunt->since, &seconds)) {
		hunt->since_unix = (int64_t)time(NULL) - (int64_t)seconds;
		return true;
	}
	end = strptime(hunt->since, "%Y-%m-%d", &day);
	if (end == NULL || *end != '\0')
		return false;
	day.tm_isdst = -1;
	hunt->since_unix = (int64_t)mktime(&day);
	return true;
}

/* ---- what a record holds */

static struct slice
string_of(const cJSON *item)
{
	return cJSON_IsString(item) ? slice_text(item->valuestring)
				    : slice_make(NULL, 0);
}

static bool
domain_matches(
    struct hunt *hunt, const struct quarry_form *form, struct slice value)
{
	size_t at = slice_find_last_byte(value, '@');
	struct slice domain;

	if (at != SIZE_MAX)
		value = slice_skip(value, at + 1);
	return domain_canonical(hunt->scratch, value, &domain) &&
	       domain_is_under(domain, form->key);
}

/* True when `value`, which the record shows as something of `kind`, is what
 * the form says. */
static bool
value_matches(struct hunt *hunt, const struct quarry_form *form,
    enum indicator_kind kind, struct slice value)
{
	struct ipaddr ip;
	struct slice key;

	if (value.length == 0)
		return false;
	if (form->kind == INDICATOR_NETWORK)
		return (kind == INDICATOR_NETWORK ||
			   kind == INDICATOR_DOMAIN) &&
		       ipaddr_parse(value, &ip) &&
		       ipaddr_in_network(&ip, &form->network);
	if (form->kind == INDICATOR_DOMAIN)
		return (kind == INDICATOR_DOMAIN ||
			   kind == INDICATOR_ADDRESS) &&
		       domain_matches(hunt, form, value);
	return form->kind == kind &&
	       normal_key(hunt->scratch, kind, value, &key) == NORMAL_GOOD &&
	       slice_equal(key, form->key);
}

/* Members of a record, as what they are and where they stand. */
static const struct {
	const char *object; /* NULL: at the top */
	const char *member; /* a string, or an array of strings */
	enum indicator_kind kind;
	const char *where;
} members[] = {
	{ "client", "ip", INDICATOR_NETWORK, "client" },
	{ "client", "peer", INDICATOR_NETWORK, "connection" },
	{ "client", "name", INDICATOR_DOMAIN, "client-name" },
	{ "client", "helo", INDICATOR_DOMAIN, "helo" },
	{ NULL, "mail_from", INDICATOR_ADDRESS, "mail-from" },
	{ NULL, "rcpt", INDICATOR_ADDRESS, "rcpt" },
	{ NULL, "from", INDICATOR_ADDRESS, "from" },
	{ NULL, "reply_to", INDICATOR_ADDRESS, "reply-to" },
	{ NULL, "sender", INDICATOR_ADDRESS, "sender" },
	{ NULL, "to", INDICATOR_ADDRESS, "to" },
	{ NULL, "cc", INDICATOR_ADDRESS, "cc" },
	{ NULL, "message_id", INDICATOR_MESSAGE_ID, "message-id" },
	{ NULL, "url_hosts", INDICATOR_DOMAIN, "url" },
};

static const struct {
	const char *member;
	enum indicator_kind kind;
} part_members[] = {
	{ "md5", INDICATOR_MD5 },
	{ "sha1", INDICATOR_SHA1 },
	{ "sha256", INDICATOR_SHA256 },
	{ "names", INDICATOR_FILENAME },
};

static bool
item_matches(struct hunt *hunt, const struct quarry_form *form,
    enum indicator_kind kind, const cJSON *item)
{
	const cJSON *element;

	if (cJSON_IsString(item))
		return value_matches(hunt, form, kind, string_of(item));
	cJSON_ArrayForEach(element, item)
	{
		if (value_matches(hunt, form, kind, string_of(element)))
			return true;
	}
	return false;
}

/* In the parts of the message, or in what lay in them. */
static bool
is_among_files(
    struct hunt *hunt, const struct quarry_form *form, const cJSON *files)
{
	const cJSON *part;

	cJSON_ArrayForEach(part, files)
	{
		for (size_t i = 0;
		     i < sizeof part_members / sizeof part_members[0]; i++)
			if (item_matches(hunt, form, part_members[i].kind,
				cJSON_GetObjectItemCaseSensitive(
				    part, part_members[i].member)))
				return true;
	}
	return false;
}

static const char *
find_in_parts(
    struct hunt *hunt, const struct quarry_form *form, const cJSON *record)
{
	if (is_among_files(
		hunt, form, cJSON_GetObjectItemCaseSensitive(record, "parts")))
		return "attachment";
	if (is_among_files(
		hunt, form, cJSON_GetObjectItemCaseSensitive(record, "files")))
		return "archive";
	return NULL;
}

/* A digest is in a record when somebody asked for it as the message came. */
static void
note_lacking(struct hunt *hunt, const cJSON *record)
{
	const cJSON *parts = cJSON_GetObjectItemCaseSensitive(record, "parts");
	const cJSON *part;
	unsigned lacks = 0;

	cJSON_ArrayForEach(part, parts)
	{
		for (unsigned i = 0; i < DIGESTS; i++)
			if (!cJSON_HasObjectItem(part, part_members[i].member))
				lacks |= 1u << i;
	}
	for (unsigned i = 0; i < DIGESTS; i++)
		hunt->lacking[i] += (lacks & 1u << i) != 0;
}

static bool
is_hunted(const struct hunt *hunt, enum indicator_kind kind)
{
	for (size_t i = 0; i < hunt->quarries.count; i++)
		for (size_t j = 0; j < hunt->quarries.items[i].forms.count; j++)
			if (hunt->quarries.items[i].forms.items[j].kind == kind)
				return true;
	return false;
}

/* What could not be found because it was never recorded. */
static void
tell_lacking(const struct hunt *hunt)
{
	for (unsigned i = 0; i < DIGESTS; i++)
		if (hunt->lacking[i] > 0 &&
		    is_hunted(hunt, part_members[i].kind))
			fprintf(stderr,
			    "tocsin hunt: %lu of %lu records hold files "
			    "without their %s, which is computed only while a "
			    "feed lists one or a rule names it: they may have "
			    "carried this file; hunt its sha256\n",
			    hunt->lacking[i], hunt->records,
			    part_members[i].member);
	if (is_hunted(hunt, INDICATOR_SHA512))
		fprintf(stderr,
		    "tocsin hunt: records hold a sha512 only where a feed "
		    "listed it; hunt the file's sha256\n");
}

static const char *
find_subject(
    struct hunt *hunt, const struct quarry_form *form, const cJSON *record)
{
	struct slice digest = string_of(
	    cJSON_GetObjectItemCaseSensitive(record, "subject_sha256"));

	if (form->kind != INDICATOR_SUBJECT || digest.length == 0)
		return NULL;
	return slice_equal(
		   digest, record_subject_digest(hunt->scratch, form->key))
		   ? "subject"
		   : NULL;
}

static const char *
find_signer(
    struct hunt *hunt, const struct quarry_form *form, const cJSON *record)
{
	const cJSON *results =
	    cJSON_GetObjectItemCaseSensitive(record, "results");
	const cJSON *signatures =
	    cJSON_GetObjectItemCaseSensitive(results, "signatures");
	const cJSON *signature;

	cJSON_ArrayForEach(signature, signatures)
	{
		if (item_matches(hunt, form, INDICATOR_DOMAIN,
			cJSON_GetObjectItemCaseSensitive(signature, "d")))
			return "dkim";
	}
	return NULL;
}

/* Letters count: Postfix's long queue ids differ by them alone. */
static const char *
find_name(const struct quarry *quarry, const cJSON *record)
{
	static const char *const names[][2] = { { "queue_id", "queue-id" },
		{ "ref", "ref" } };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (slice_equal_text(string_of(cJSON_GetObjectItemCaseSensitive(
					 record, names[i][0])),
			quarry->typed))
			return names[i][1];
	return NULL;
}

/* Where the record carries the value, or NULL. */
static const char *
find_form(
    struct hunt *hunt, const struct quarry_form *form, const cJSON *record)
{
	const char *where;

	for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
		const cJSON *object = members[i].object == NULL
					  ? record
					  : cJSON_GetObjectItemCaseSensitive(
						record, members[i].object);

		if (item_matches(hunt, form, members[i].kind,
			cJSON_GetObjectItemCaseSensitive(
			    object, members[i].member)))
			return members[i].where;
	}
	where = find_in_parts(hunt, form, record);
	if (where == NULL)
		where = find_subject(hunt, form, record);
	return where != NULL ? where : find_signer(hunt, form, record);
}

/* What an indicator matched stands in the record even where nothing else shows
 * it: a mailer, a sha512, an address in the text. Its id is sought as well. */
static const char *
find_hit(struct hunt *hunt, const struct quarry *quarry, const cJSON *record)
{
	const cJSON *hits =
	    cJSON_GetObjectItemCaseSensitive(record, "indicators");
	const cJSON *hit;

	cJSON_ArrayForEach(hit, hits)
	{
		struct slice id =
		    string_of(cJSON_GetObjectItemCaseSensitive(hit, "id"));
		struct slice observed = string_of(
		    cJSON_GetObjectItemCaseSensitive(hit, "observed"));
		const char *where = cJSON_GetStringValue(
		    cJSON_GetObjectItemCaseSensitive(hit, "where"));
		enum indicator_kind kind;
		bool found = slice_equal_text(id, quarry->typed);

		if (indicator_kind_parse(
			string_of(
			    cJSON_GetObjectItemCaseSensitive(hit, "type")),
			&kind))
			for (size_t i = 0; i < quarry->forms.count; i++)
				found = found || value_matches(hunt,
						     &quarry->forms.items[i],
						     kind, observed);
		if (found)
			return where == NULL ? "indicator" : where;
	}
	return NULL;
}

/* ---- printing */

static void
print_text(const cJSON *item, const char *absent)
{
	struct slice text = string_of(item);

	if (text.length == 0)
		fputs(absent, stdout);
	else
		engine_print_safe(text);
}

/* The members `part` and, when it is there, `more` of each element. */
static void
print_each(const cJSON *elements, const char *label, const char *part,
    const char *more)
{
	const cJSON *element;
	const char *separator = label;

	cJSON_ArrayForEach(element, elements)
	{
		fputs(separator, stdout);
		print_text(
		    cJSON_GetObjectItemCaseSensitive(element, part), "-");
		if (more != NULL) {
			putchar(':');
			print_text(
			    cJSON_GetObjectItemCaseSensitive(element, more),
			    "-");
		}
		separator = ",";
	}
}

static void
print_found(const cJSON *record, const char *what, const char *where)
{
	const cJSON *rcpt = cJSON_GetObjectItemCaseSensitive(record, "rcpt");
	const cJSON *element;
	const char *separator = "";

	print_text(cJSON_GetObjectItemCaseSensitive(record, "time"), "-");
	putchar(' ');
	print_text(
	    cJSON_GetObjectItemCaseSensitive(record, "queue_id"), "NOQUEUE");
	fputs(" <", stdout);
	print_text(cJSON_GetObjectItemCaseSensitive(record, "mail_from"), "");
	fputs("> -> ", stdout);
	cJSON_ArrayForEach(element, rcpt)
	{
		printf("%s<", separator);
		print_text(element, "");
		putchar('>');
		separator = ",";
	}
	printf(" %s in %s", what, where);
	fputs(" disposition=", stdout);
	print_text(cJSON_GetObjectItemCaseSensitive(
		       cJSON_GetObjectItemCaseSensitive(record, "verdict"),
		       "disposition"),
	    "-");
	print_each(cJSON_GetObjectItemCaseSensitive(record, "rules"),
	    " rule=", "name", NULL);
	print_each(cJSON_GetObjectItemCaseSensitive(record, "indicators"),
	    " indicator=", "feed", "value");
	putchar('\n');
}

/* ---- reading */

static bool
is_old(const struct hunt *hunt, const cJSON *record)
{
	struct slice text =
	    string_of(cJSON_GetObjectItemCaseSensitive(record, "time"));
	struct tm when = { 0 };

	if (hunt->since_unix == 0 || text.length == 0 ||
	    strptime(text.data, "%Y-%m-%dT%H:%M:%SZ", &when) == NULL)
		return false;
	return (int64_t)timegm(&when) < hunt->since_unix;
}

static void
hunt_in_record(struct hunt *hunt, const char *line, const cJSON *record)
{
	bool found = false;

	for (size_t i = 0; i < hunt->quarries.count; i++) {
		struct quarry *quarry = &hunt->quarries.items[i];
		const char *where = find_name(quarry, record);
		const char *what = quarry->typed;

		for (size_t j = 0; j < quarry->forms.count && where == NULL;
		     j++) {
			where =
			    find_form(hunt, &quarry->forms.items[j], record);
			if (where != NULL &&
			    quarry->forms.items[j].label != NULL)
				what = quarry->forms.items[j].label;
		}
		if (where == NULL)
			where = find_hit(hunt, quarry, record);
		if (where == NULL)
			continue;
		if (hunt->json && !found)
			printf("%s\n", line);
		else if (!hunt->json)
			print_found(record, what, where);
		found = true;
	}
	hunt->found += found;
}

/* One line. A line that is no record (the machine stopped in the middle of
 * it) is counted and passed over. */
static void
hunt_in_line(struct hunt *hunt, char *line, size_t length)
{
	cJSON *record;

	if (length > 0 && line[length - 1] == '\n')
		line[--length] = '\0';
	if (length == 0)
		return;
	record = length > ((size_t)LINE_MAX_MiB << 20)
		     ? NULL
		     : cJSON_ParseWithLength(line, length);
	if (!cJSON_IsObject(record)) {
		hunt->skipped++;
	} else if (!is_old(hunt, record)) {
		arena_reset(hunt->scratch);
		hunt->records++;
		note_lacking(hunt, record);
		hunt_in_record(hunt, line, record);
	}
	cJSON_Delete(record);
}

static bool
hunt_in_file(struct hunt *hunt, const char *name)
{
	char *path = arena_printf(hunt->arena, "%s/%s", hunt->folder, name);
	FILE *file = path == NULL ? NULL : fopen(path, "re");
	size_t room = 0;
	char *line = NULL;
	ssize_t length;

	if (file == NULL) {
		fprintf(stderr, "tocsin hunt: %s: %s\n",
		    path == NULL ? name : path, strerror(errno));
		return false;
	}
	while ((length = getline(&line, &room, file)) > 0)
		hunt_in_line(hunt, line, (size_t)length);
	free(line);
	fclose(file);
	return true;
}

static int
is_day_file(const struct dirent *entry)
{
	static const struct slice suffix = SLICE_LITERAL(".jsonl");

	return slice_ends_with(slice_text(entry->d_name), suffix);
}

/* True when all of a day's records are older than what is asked for. */
static bool
day_is_old(const struct hunt *hunt, const char *name)
{
	struct tm day = { 0 };

	return hunt->since_unix != 0 &&
	       strptime(name, "%Y-%m-%d", &day) != NULL &&
	       (int64_t)timegm(&day) + 86400 <= hunt->since_unix;
}

/* What preserve has kept, REFERENCE.eml with REFERENCE.json: the records of
 * these messages are in the files of their days. A reference is twelve letters
 * and digits. */
static bool
is_preserved(const char *name)
{
	size_t length = strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz");

	return length == 12 && (strcmp(name + length, ".eml") == 0 ||
				   strcmp(name + length, ".json") == 0);
}

/* A folder of records that somebody has copied, or made of saved mail, may hold
 * files under other names: they would be missed without a word. */
static void
tell_passed_over(const struct hunt *hunt)
{
	DIR *folder = opendir(hunt->folder);
	const struct dirent *entry;
	unsigned long count = 0;

	while (folder != NULL && (entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.' && !is_day_file(entry) &&
			 !is_preserved(entry->d_name);
	if (folder != NULL)
		closedir(folder);
	if (count > 0)
		fprintf(stderr,
		    "tocsin hunt: %lu files in %s are not named *.jsonl and "
		    "were not read\n",
		    count, hunt->folder);
}

static int
hunt_in_folder(struct hunt *hunt)
{
	struct dirent **entries;
	int count = scandir(hunt->folder, &entries, is_day_file, alphasort);
	int status = EX_OK;

	if (count < 0) {
		fprintf(stderr, "tocsin hunt: %s: %s\n", hunt->folder,
		    strerror(errno));
		return EX_NOINPUT;
	}
	for (int i = 0; i < count; i++) {
		if (!day_is_old(hunt, entries[i]->d_name) &&
		    !hunt_in_file(hunt, entries[i]->d_name))
			status = EX_NOINPUT;
		free(entries[i]);
	}
	free(entries);
	tell_passed_over(hunt);
	return status;
}

static int
run(struct hunt *hunt, int count, char **values)
{
	int status = engine_open(&hunt->engine, "hunt", hunt->config);

	if (status != EX_OK)
		return status;
	hunt->folder = arena_printf(hunt->arena, "%s/evidence",
	    program_settings(hunt->engine.program)->state_directory);
	for (int i = 0; i < count; i++)
		if (!add_quarry(hunt, values[i]))
			return tool_misused("hunt",
			    "\"%s\" is nothing that a message carries",
			    values[i]);
	status = hunt_in_folder(hunt);
	fprintf(stderr, "%lu records read, %lu with a match", hunt->records,
	    hunt->found);
	if (hunt->skipped > 0)
		fprintf(
		    stderr, ", %lu lines that are no records", hunt->skipped);
	fputc('\n', stderr);
	tell_lacking(hunt);
	if (status == EX_OK && hunt->found == 0)
		status = 1;
	return status;
}

int
tool_hunt(int argc, char **argv)
{
	struct hunt hunt = { .config = TOOL_CONFIGURATION };
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", options, NULL)) != -1)
		switch (option) {
		case 'c':
			hunt.config = optarg;
			break;
		case 'j':
			hunt.json = true;
			break;
		case 's':
			hunt.since = optarg;
			break;
		case 'h':
			return tool_usage(synopsis, help);
		default:
			return tool_misused("hunt", "see above");
		}
	if (optind == argc)
		return tool_misused("hunt", "what is to be hunted?");
	if (!parse_since(&hunt))
		return tool_misused(
		    "hunt", "--since takes an age (7d) or a date (2026-11-23)");
	hunt.arena = arena_new(0, NULL);
	hunt.scratch = arena_new(0, NULL);
	status = hunt.arena == NULL || hunt.scratch == NULL
		     ? EX_OSERR
		     : run(&hunt, argc - optind, argv + optind);
	if (hunt.engine.arena != NULL)
		engine_close(&hunt.engine);
	arena_free(&hunt.arena);
	arena_free(&hunt.scratch);
	return status;
}
