#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/table.h"
#include "indicator/json_split.h"
#include "tool/fetch_http.h"

#define SIZE_DEFAULT  500000000u
#define PAGES_DEFAULT 10000u
/* One line for each event of a MISP feed. */
#define STATE_BYTES_MAX (32u << 20)
/* So many events in a row that the server does not give: it is down. */
#define FAILURES_MAX 20u
/* A name of a page; it goes into an address. */
#define NEXT_BYTES_MAX 2048u
#define TAXII_TYPE     "application/taxii+json;version=2.1"

static uint64_t
size_limit(const struct fetch_request *request)
{
	return request->size_bytes_max ? request->size_bytes_max : SIZE_DEFAULT;
}

static char *
path_in_folder(struct fetch *fetch, const char *suffix)
{
	return arena_printf(fetch->arena, "%s/%s%s", fetch->request->folder,
	    fetch->request->name, suffix);
}

static cJSON *
parse_state(struct arena *arena, const char *folder, const char *name)
{
	struct stat info;
	char *text = fetch_http_read(arena,
	    arena_printf(arena, "%s/%s.state", folder, name), STATE_BYTES_MAX,
	    &info);

	return text == NULL ? NULL : cJSON_Parse(text);
}

static void
read_state(struct fetch *fetch)
{
	const struct fetch_request *request = fetch->request;

	fetch->state =
	    parse_state(fetch->arena, request->folder, request->name);
	if (!cJSON_IsObject(fetch->state)) {
		cJSON_Delete(fetch->state);
		fetch->state = cJSON_CreateObject();
	}
}

static const char *
state_text(const struct fetch *fetch, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(fetch->state, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

static void
state_set(struct fetch *fetch, const char *name, const char *text)
{
	cJSON_DeleteItemFromObject(fetch->state, name);
	if (text[0] != '\0')
		cJSON_AddStringToObject(fetch->state, name, text);
}

/* Renames `aside` over the feed's file once it is safe on disk. */
static enum tc_status
put_in_place(
    struct fetch *fetch, FILE *file, const char *aside, const char *path)
{
	bool good =
	    !ferror(file) && fflush(file) == 0 && fsync(fileno(file)) == 0;

	if (fclose(file) != 0)
		good = false;
	if (good && rename(aside, path) == 0)
		return TC_OK;
	fetch_http_fail(
	    fetch, TC_SYSTEM, "cannot write the file: %s", strerror(errno));
	unlink(aside);
	return TC_SYSTEM;
}

static FILE *
open_aside(struct fetch *fetch, const char *aside)
{
	int descriptor;
	FILE *file;

	unlink(aside);
	descriptor = open(
	    aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	file = descriptor < 0 ? NULL : fdopen(descriptor, "w+");
	if (file == NULL) {
		fetch_http_fail(fetch, TC_SYSTEM, "cannot create a file: %s",
		    strerror(errno));
		if (descriptor >= 0)
			close(descriptor);
	}
	return file;
}

/* What a transfer has brought, mapped: it may be large. */
struct document {
	void *bytes;
	size_t size;
};

static struct document
map_document(FILE *file)
{
	struct document document = { NULL, 0 };
	struct stat info;
	void *bytes;

	if (fflush(file) != 0 || fstat(fileno(file), &info) != 0 ||
	    info.st_size == 0)
		return document;
	bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE,
	    fileno(file), 0);
	if (bytes != MAP_FAILED)
		document = (struct document){ bytes, (size_t)info.st_size };
	return document;
}

static struct slice
document_text(const struct document *document)
{
	return slice_make(document->bytes, document->size);
}

static void
unmap_document(struct document *document)
{
	if (document->bytes != NULL)
		munmap(document->bytes, document->size);
	document->bytes = NULL;
}

/* Opens a file that has no name any more and ends with the FILE. */
static FILE *
open_unnamed(struct fetch *fetch)
{
	char *aside = path_in_folder(fetch, ".part");
	FILE *file = open_aside(fetch, aside);

	if (file != NULL)
		unlink(aside);
	return file;
}

/* Makes the names in a folder last; what is no folder has none. */
static void
sync_folder(const char *path)
{
	int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (folder < 0)
		return;
	(void)fsync(folder);
	close(folder);
}

/* After all else is on disk: a state that is newer than the files would have
 * the server say that nothing is new. */
static enum tc_status
write_state(struct fetch *fetch)
{
	char *aside = path_in_folder(fetch, ".state.new");
	char *text = cJSON_Print(fetch->state);
	FILE *file = open_aside(fetch, aside);
	enum tc_status status = TC_SYSTEM;

	sync_folder(fetch->request->folder);
	sync_folder(path_in_folder(fetch, ""));
	if (file != NULL && text != NULL) {
		fputs(text, file);
		fputc('\n', file);
		status = put_in_place(
		    fetch, file, aside, path_in_folder(fetch, ".state"));
	}
	cJSON_free(text);
	return status;
}

/* Both conditions are sent: servers know the one or the other. */
static size_t
conditions(struct fetch *fetch, const char *headers[3])
{
	const char *etag = state_text(fetch, "etag");
	const char *modified = state_text(fetch, "modified");
	size_t count = 0;

	if (access(path_in_folder(fetch, ""), R_OK) != 0 ||
	    fetch->body != NULL ||
	    strcmp(state_text(fetch, "url"), fetch->request->url) != 0)
		return 0;
	if (etag[0] != '\0')
		headers[count++] =
		    arena_printf(fetch->arena, "If-None-Match: %s", etag);
	if (modified[0] != '\0')
		headers[count++] = arena_printf(
		    fetch->arena, "If-Modified-Since: %s", modified);
	return count;
}

static enum tc_status
fetch_document(struct fetch *fetch)
{
	char *aside = path_in_folder(fetch, ".new");
	struct fetch_transfer transfer = { .file = open_aside(fetch, aside),
		.whole_time = true };
	const char *headers[3] = { NULL, NULL, NULL };
	size_t count = conditions(fetch, headers);
	enum tc_status status;

	if (transfer.file == NULL)
		return TC_SYSTEM;
	transfer.conditional = count > 0;
	if (fetch->request->accept != NULL)
		headers[count++] = arena_printf(
		    fetch->arena, "Accept: %s", fetch->request->accept);
	status = fetch_http_get(
	    fetch, fetch->request->url, &transfer, headers, count);
	if (status == TC_OK && transfer.code == 200 && transfer.received == 0)
		status = fetch_http_fail(fetch, TC_INVALID,
		    "the server sent nothing; the old content stays", NULL);
	if (status != TC_OK || transfer.code == 304) {
		fclose(transfer.file);
		unlink(aside);
		return status;
	}
	status = put_in_place(
	    fetch, transfer.file, aside, path_in_folder(fetch, ""));
	if (status != TC_OK)
		return status;
	fetch->result->changed = true;
	state_set(fetch, "url", fetch->request->url);
	state_set(fetch, "etag", transfer.etag);
	state_set(fetch, "modified", transfer.modified);
	return TC_OK;
}

/* The URL of one page of a collection's objects (TAXII 2.1, 5.4). */
static char *
taxii_url(struct fetch *fetch, const char *after, const char *next)
{
	const struct fetch_request *request = fetch->request;
	struct builder url = builder_make(fetch->arena, 8192);
	size_t length = strlen(request->url);
	const char *mark = "?";

	while (length > 0 && request->url[length - 1] == '/')
		length--;
	builder_slice(&url, slice_make(request->url, length));
	if (request->collection != NULL)
		builder_printf(
		    &url, "/collections/%s/objects/", request->collection);
	else
		builder_text(&url, "/");
	if (after[0] != '\0') {
		char *escaped = curl_easy_escape(fetch->curl, after, 0);

		builder_printf(&url, "%sadded_after=%s", mark, escaped);
		curl_free(escaped);
		mark = "&";
	}
	if (next != NULL) {
		char *escaped = curl_easy_escape(fetch->curl, next, 0);

		builder_printf(&url, "%snext=%s", mark, escaped);
		curl_free(escaped);
	}
	return (char *)(uintptr_t)builder_c_string(&url);
}

/* Writes the objects one a line as they came: one that is broken is for the
 * reader of the file to say, and costs itself. */
static long
put_objects(struct slice objects, FILE *file)
{
	struct json_split split = json_split_begin(objects);
	struct json_value object;
	long count = 0;

	while (json_split_element(&split, &object)) {
		/* Line ends stand only between values. */
		for (size_t i = 0; i < object.text.length; i++)
			if (object.text.data[i] == '\n' ||
			    object.text.data[i] == '\r')
				putc(' ', file);
			else
				putc(object.text.data[i], file);
		putc('\n', file);
		count++;
	}
	return count;
}

/* Writes a page's objects. Returns how many, or -1 when the page is no
 * envelope. *more_out: it is not the last; *next_out (arena) is then the name
 * of the next one, or NULL when the server gives it none. */
static long
take_page(struct fetch *fetch, struct slice body, FILE *file, bool *more_out,
    char **next_out)
{
	struct slice page = slice_trim(body), name, next = { NULL, 0 };
	struct json_split split = json_split_begin(page);
	struct json_value value;
	long count = 0;

	*more_out = false;
	*next_out = NULL;
	if (!json_is_object(page))
		return -1;
	while (json_split_member(&split, &name, &value)) {
		if (slice_equal_text(name, "objects") &&
		    json_is_array(value.text))
			count += put_objects(value.text, file);
		else if (slice_equal_text(name, "more"))
			*more_out = slice_equal_text(value.text, "true");
		else if (slice_equal_text(name, "next") &&
			 value.text.length <= NEXT_BYTES_MAX)
			next = json_string(fetch->arena, value.text);
	}
	if (*more_out && next.data != NULL)
		*next_out = arena_text(fetch->arena, next);
	return split.broken ? -1 : count;
}

/* Copies what earlier fetches brought, so that the new file holds it all. */
static bool
copy_old(const char *path, FILE *to, uint64_t *left)
{
	char buffer[65536];
	FILE *from = fopen(path, "re");
	size_t got;

	if (from == NULL)
		return errno == ENOENT;
	while ((got = fread(buffer, 1, sizeof buffer, from)) > 0) {
		if (got > *left || fwrite(buffer, 1, got, to) != got)
			break;
		*left -= got;
	}
	fclose(from);
	return got == 0;
}

/* Where in a collection a fetch stands. What is asked for next time is the
 * date on which the server added the last object, not an object's own
 * `modified`: an old object may be added late (TAXII 2.1, 3.4). */
struct place {
	char *after;      /* what was added later is asked for; "" */
	char *next;       /* the server's name for the page; NULL */
	const char *last; /* the date of the last object that came */
	bool more, by_date;
	struct table seen; /* names of pages */
};

/* A page without a name for the next: what was added after it comes next, but
 * more that was added at the same time would be lost. */
static enum tc_status
go_by_date(
    struct fetch *fetch, struct place *place, long count, const char *date)
{
	if ((place->by_date && count == 0) ||
	    (place->more && place->next == NULL &&
		strcmp(date, place->after) <= 0))
		return fetch_http_fail(fetch, TC_INVALID,
		    "the server has more objects and names neither a "
		    "next page nor a later date",
		    NULL);
	place->by_date = place->more && place->next == NULL;
	if (place->by_date)
		place->after = arena_text(fetch->arena, slice_text(date));
	return TC_OK;
}

static enum tc_status
fetch_page(struct fetch *fetch, FILE *file, struct place *place)
{
	const char *accept[] = { "Accept: " TAXII_TYPE };
	struct fetch_transfer transfer = { .file = open_unnamed(fetch) };
	struct document page;
	enum tc_status status;
	char *next = NULL;
	bool more = false;
	long count;

	if (transfer.file == NULL)
		return TC_SYSTEM;
	status = fetch_http_get(fetch,
	    taxii_url(fetch, place->after, place->next), &transfer, accept, 1);
	page = map_document(transfer.file);
	count = status != TC_OK ? 0
				: take_page(fetch, document_text(&page), file,
				      &more, &next);
	unmap_document(&page);
	fclose(transfer.file);
	if (status != TC_OK)
		return status;
	if (count < 0)
		return fetch_http_fail(fetch, TC_INVALID,
		    "the answer is no TAXII 2.1 envelope", NULL);
	fetch->result->objects += (unsigned)count;
	if (transfer.added_last[0] != '\0')
		place->last =
		    arena_text(fetch->arena, slice_text(transfer.added_last));
	if (next != NULL &&
	    (table_has(&place->seen, slice_text(next)) ||
		!table_put(&place->seen, slice_text(next), next)))
		return fetch_http_fail(fetch, TC_INVALID,
		    "the server names the same next page again", NULL);
	place->more = more;
	place->next = next;
	return go_by_date(fetch, place, count, transfer.added_last);
}

/* Pages until the server has no more, or has none for now. */
static enum tc_status
fetch_pages(struct fetch *fetch, FILE *file, struct place *place)
{
	unsigned pages = fetch->request->pages_max ? fetch->request->pages_max
						   : PAGES_DEFAULT;
	enum tc_status status;

	do
		status = fetch_page(fetch, file, place);
	while (status == TC_OK && place->more && --pages > 0);
	if (status == TC_OK && place->more)
		return fetch_http_fail(fetch, TC_AGAIN,
		    "the server has more pages than are asked for at once",
		    NULL);
	return status;
}

static enum tc_status
begin_anew(struct fetch *fetch, FILE *file)
{
	if (fflush(file) != 0 || ftruncate(fileno(file), 0) != 0)
		return fetch_http_fail(fetch, TC_SYSTEM,
		    "cannot write the file: %s", strerror(errno));
	rewind(file);
	fetch->left = size_limit(fetch->request);
	fetch->result->objects = 0;
	fetch->result->problem = NULL;
	return TC_OK;
}

/* Goes on where the last fetch stopped; asks for what was added since; where
 * that is too much beside what is here, for all that the server has now,
 * without the versions that are past. *anew_out: what is here is not in the
 * file, so only all of it may take its place. */
static enum tc_status
fetch_objects(struct fetch *fetch, const char *path, FILE *file,
    struct place *place, bool *anew_out)
{
	bool has_old = place->after[0] != '\0' || place->next != NULL;
	bool resumed = place->next != NULL;
	enum tc_status status = TC_LIMIT;

	*anew_out = !has_old && access(path, R_OK) == 0;
	if (!has_old || copy_old(path, file, &fetch->left))
		status = fetch_pages(fetch, file, place);
	/* The server may have forgotten what it called the next page. */
	if (resumed && (status == TC_INVALID || status == TC_SYSTEM) &&
	    place->seen.count == 0 && fetch->result->objects == 0 &&
	    !fetch->refused) {
		place->next = NULL;
		place->seen = table_make(fetch->arena);
		fetch->result->problem = NULL;
		status = fetch_pages(fetch, file, place);
	}
	if (status != TC_LIMIT || !has_old)
		return status;
	status = begin_anew(fetch, file);
	if (status != TC_OK)
		return status;
	*anew_out = true;
	*place =
	    (struct place){ .after = arena_text(fetch->arena, slice_text("")),
		    .last = "",
		    .seen = table_make(fetch->arena) };
	return fetch_pages(fetch, file, place);
}

/* Remembers where to go on: a date when all has come, or in the middle the
 * next page by the server's name for it. */
static void
keep_place(struct fetch *fetch, const struct place *place, bool whole)
{
	state_set(fetch, "url", fetch->request->url);
	state_set(
	    fetch, "next", whole || place->next == NULL ? "" : place->next);
	if (!whole)
		state_set(fetch, "added-after", place->after);
	else if (place->last[0] != '\0')
		state_set(fetch, "added-after", place->last);
}

/* Whether what has come is worth keeping though the server did not go on. */
static bool
is_interrupted(const struct fetch *fetch, enum tc_status status)
{
	return fetch->result->objects > 0 &&
	       (status == TC_AGAIN || status == TC_SYSTEM || fetch->refused);
}

static enum tc_status
fetch_collection(struct fetch *fetch)
{
	char *path = path_in_folder(fetch, "");
	char *aside = path_in_folder(fetch, ".new");
	FILE *file = open_aside(fetch, aside);
	bool fresh = access(path, R_OK) != 0 ||
		     strcmp(state_text(fetch, "url"), fetch->request->url) != 0;
	const char *next = fresh ? "" : state_text(fetch, "next");
	struct place place = {
		.after = arena_text(fetch->arena,
		    slice_text(fresh ? "" : state_text(fetch, "added-after"))),
		.next = next[0] == '\0'
			    ? NULL
			    : arena_text(fetch->arena, slice_text(next)),
		.last = "",
		.seen = table_make(fetch->arena),
	};
	enum tc_status status, put;
	bool anew;

	if (file == NULL)
		return TC_SYSTEM;
	if (fresh) {
		state_set(fetch, "added-after", "");
		state_set(fetch, "next", "");
	}
	status = fetch_objects(fetch, path, file, &place, &anew);
	if (status == TC_OK && fetch->result->objects == 0 &&
	    access(path, R_OK) == 0)
		keep_place(fetch, &place, true);
	if (fetch->result->objects == 0 ||
	    (status != TC_OK && (anew || !is_interrupted(fetch, status)))) {
		fclose(file);
		unlink(aside);
		return status;
	}
	put = put_in_place(fetch, file, aside, path);
	if (put != TC_OK)
		return put;
	fetch->result->changed = true;
	keep_place(fetch, &place, status == TC_OK);
	return status;
}

/* An event's file name comes from the server: only a UUID may become one. */
static bool
is_uuid(const char *text)
{
	if (strlen(text) != 36)
		return false;
	for (size_t i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : ascii_hex_value(text[i]) < 0)
			return false;
	}
	return true;
}

/* Whether this is a whole event, and not what a server says in its place. */
static bool
is_event(struct slice text)
{
	struct json_split split;
	struct json_value whole, value;
	struct slice name;
	bool named = false;

	if (!json_split_value(&text, &whole) || !json_is_object(whole.text) ||
	    slice_trim(text).length > 0)
		return false;
	split = json_split_begin(whole.text);
	while (json_split_member(&split, &name, &value))
		named = named || slice_equal_text(name, "Event") ||
			slice_equal_text(name, "uuid");
	return named && !split.broken;
}

static enum tc_status
get_event(struct fetch *fetch, const char *url, const char *uuid,
    const char *aside, const char *path)
{
	struct fetch_transfer transfer = { .file = open_aside(fetch, aside) };
	struct document event;
	enum tc_status status;

	if (transfer.file == NULL)
		return TC_SYSTEM;
	status = fetch_http_get(fetch, url, &transfer, NULL, 0);
	if (status == TC_OK) {
		event = map_document(transfer.file);
		if (!is_event(document_text(&event)))
			status = fetch_http_fail(fetch, TC_INVALID,
			    "%s.json is no MISP event; an older one stays",
			    uuid);
		unmap_document(&event);
	}
	if (status == TC_OK)
		return put_in_place(fetch, transfer.file, aside, path);
	fclose(transfer.file);
	unlink(aside);
	return status;
}

/* The events that a manifest names: of each its UUID, and as the value the
 * text of its timestamp. */
struct manifest {
	struct document document;
	struct table events;
	bool too_many;
};

static char *
timestamp_of(struct fetch *fetch, struct slice entry)
{
	struct json_split split = json_split_begin(entry);
	struct slice name, stamp = SLICE_LITERAL("");
	struct json_value value;

	while (json_split_member(&split, &name, &value))
		if (slice_equal_text(name, "timestamp") &&
		    value.text.length < 40)
			stamp = json_is_string(value.text)
				    ? slice_range(
					  value.text, 1, value.text.length - 1)
				    : value.text;
	return arena_text(fetch->arena, stamp);
}

static bool
read_manifest(struct fetch *fetch, struct manifest *manifest)
{
	struct slice text = slice_trim(document_text(&manifest->document));
	struct json_split split = json_split_begin(text);
	struct json_value value;
	struct slice name;
	char *uuid, *stamp;

	if (!json_is_object(text))
		return false;
	while (json_split_member(&split, &name, &value)) {
		if (name.length != 36 || !json_is_object(value.text))
			continue;
		uuid = arena_text(fetch->arena, name);
		if (!is_uuid(uuid))
			continue;
		stamp = timestamp_of(fetch, value.text);
		manifest->too_many =
		    manifest->events.count >= fetch->request->events_max;
		if (manifest->too_many || stamp == NULL ||
		    !table_put(&manifest->events, slice_text(uuid), stamp))
			break;
	}
	return !split.broken;
}

/* Fetches one event unless the copy that is here has its timestamp. A missing
 * or broken event does not lose the others. */
static enum tc_status
fetch_event(
    struct fetch *fetch, const char *base, const char *uuid, const char *stamp)
{
	char *path =
	    path_in_folder(fetch, arena_printf(fetch->arena, "/%s.json", uuid));
	char *aside = arena_printf(fetch->arena, "%s.new", path);
	enum tc_status status;

	if (access(path, R_OK) == 0 && stamp[0] != '\0' &&
	    strcmp(state_text(fetch, uuid), stamp) == 0)
		return TC_OK;
	status = get_event(fetch,
	    arena_printf(fetch->arena, "%s/%s.json", base, uuid), uuid, aside,
	    path);
	if (status == TC_OK) {
		state_set(fetch, uuid, stamp);
		fetch->result->changed = true;
		fetch->result->objects++;
	}
	return status;
}

/* The events that a folder holds. */
static unsigned
count_events(DIR *folder)
{
	const struct dirent *entry;
	unsigned count = 0;

	while ((entry = readdir(folder)) != NULL)
		count += entry->d_name[0] != '.';
	rewinddir(folder);
	return count;
}

/* Takes out the events that the publisher has taken out of its manifest. One
 * that suddenly names hardly any is more likely broken: then all stay. */
static void
drop_withdrawn(struct fetch *fetch, const struct table *events)
{
	DIR *folder = opendir(path_in_folder(fetch, ""));
	const struct dirent *entry;

	if (folder == NULL)
		return;
	if (events->count >= count_events(folder) / 10 + 1)
		while ((entry = readdir(folder)) != NULL) {
			char uuid[37] = "";

			snprintf(uuid, sizeof uuid, "%.36s", entry->d_name);
			if (!is_uuid(uuid) ||
			    strcmp(entry->d_name + 36, ".json") != 0 ||
			    table_has(events, slice_text(uuid)) ||
			    unlinkat(dirfd(folder), entry->d_name, 0) != 0)
				continue;
			state_set(fetch, uuid, "");
			fetch->result->changed = true;
		}
	closedir(folder);
}

/* Fetches the events that are not here. What stops it is the end of the time or
 * of the room, or a server that is down or asks to be left alone. */
static enum tc_status
fetch_events(struct fetch *fetch, const char *base, const struct table *events)
{
	enum tc_status status = TC_OK;
	unsigned here = 0, failed = 0, in_a_row = 0;

	fetch->progress.events_to_fetch = (unsigned)events->count;
	for (size_t i = 0; i < events->count; i++) {
		const struct table_entry *entry = &events->entries[i];

		fetch->progress.events++;
		status =
		    fetch_event(fetch, base, entry->key.data, entry->value);
		in_a_row = status == TC_SYSTEM ? in_a_row + 1 : 0;
		here += status == TC_OK;
		failed += status != TC_OK;
		if (status == TC_LIMIT || status == TC_AGAIN ||
		    fetch->refused || in_a_row == FAILURES_MAX)
			break;
		status = TC_OK;
	}
	if (status == TC_AGAIN)
		fetch_http_fail(fetch, TC_AGAIN, "fetch-time is over; %s",
		    arena_printf(fetch->arena, "%u of %zu events are here",
			here, events->count));
	if (status != TC_OK)
		return fetch->refused ? TC_SYSTEM : status;
	/* Some events are better than none; `problem` still tells of the last
	 * one that did not come. */
	return failed > 0 && fetch->result->objects == 0 ? TC_SYSTEM : TC_OK;
}

/* The address below which the events are. */
static char *
misp_base(const struct fetch *fetch)
{
	struct slice base = slice_text(fetch->request->url);

	if (slice_ends_with(base, SLICE_LITERAL("/manifest.json")))
		base.length -= strlen("/manifest.json");
	while (base.length > 0 && base.data[base.length - 1] == '/')
		base.length--;
	return arena_text(fetch->arena, base);
}

static enum tc_status
take_manifest(struct fetch *fetch, struct manifest *manifest)
{
	enum tc_status status;

	if (!read_manifest(fetch, manifest))
		return fetch_http_fail(fetch, TC_INVALID,
		    "manifest.json is not a MISP manifest", NULL);
	status = fetch_events(fetch, misp_base(fetch), &manifest->events);
	if (status != TC_LIMIT && !manifest->too_many)
		drop_withdrawn(fetch, &manifest->events);
	if (status == TC_OK && manifest->too_many)
		fetch_http_fail(fetch, TC_OK,
		    "the manifest names more events than limits { feed-files "
		    "} allows; those beyond are left out",
		    NULL);
	return status;
}

static enum tc_status
fetch_manifest(struct fetch *fetch)
{
	struct fetch_transfer transfer = { .file = open_unnamed(fetch) };
	struct manifest manifest = { .events = table_make(fetch->arena) };
	enum tc_status status;

	if (transfer.file == NULL)
		return TC_SYSTEM;
	if (mkdir(path_in_folder(fetch, ""), 0750) != 0 && errno != EEXIST)
		status = fetch_http_fail(fetch, TC_SYSTEM,
		    "cannot make the folder: %s", strerror(errno));
	else
		status = fetch_http_get(fetch,
		    arena_printf(
			fetch->arena, "%s/manifest.json", misp_base(fetch)),
		    &transfer, NULL, 0);
	if (status == TC_OK) {
		manifest.document = map_document(transfer.file);
		status = take_manifest(fetch, &manifest);
		unmap_document(&manifest.document);
	}
	fclose(transfer.file);
	return status;
}

/* What has come is in the state, also when the rest has not. */
static enum tc_status
end_run(struct fetch *fetch, enum tc_status status)
{
	struct fetch_result *result = fetch->result;
	enum tc_status written;

	if (status != TC_OK && !result->changed)
		return status;
	if (status != TC_OK)
		result->problem = arena_printf(fetch->arena,
		    "%s; what has come is kept, and the next update goes on",
		    result->problem);
	cJSON_DeleteItemFromObject(fetch->state, "checked");
	cJSON_AddNumberToObject(
	    fetch->state, "checked", (double)fetch->request->now_unix);
	state_set(fetch, "url", fetch->request->url);
	written = write_state(fetch);
	if (written != TC_OK)
		return written;
	result->unfinished = status == TC_AGAIN;
	return status == TC_AGAIN ? TC_OK : status;
}

enum tc_status
fetch_run(struct arena *arena, const struct fetch_request *request,
    struct fetch_result *result_out)
{
	struct fetch fetch = {
		.arena = arena,
		.request = request,
		.result = result_out,
		.left = size_limit(request),
	};
	enum tc_status status;

	*result_out = (struct fetch_result){ 0 };
	status = fetch_http_open(&fetch);
	if (status != TC_OK)
		return status;
	read_state(&fetch);
	switch (request->protocol) {
	case FETCH_FILE:
		status = fetch_document(&fetch);
		break;
	case FETCH_TAXII:
		status = fetch_collection(&fetch);
		break;
	case FETCH_MISP:
		status = fetch_manifest(&fetch);
		break;
	}
	status = end_run(&fetch, status);
	cJSON_Delete(fetch.state);
	fetch_http_close(&fetch);
	return status;
}

bool
fetch_was_from(
    struct arena *arena, const char *folder, const char *name, const char *url)
{
	cJSON *state = parse_state(arena, folder, name);
	const cJSON *from = cJSON_GetObjectItem(state, "url");
	bool same = cJSON_IsString(from) && strcmp(from->valuestring, url) == 0;

	cJSON_Delete(state);
	return same;
}
