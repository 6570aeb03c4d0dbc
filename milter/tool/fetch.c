#include <config.h>

#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "base/table.h"
#include "indicator/json_split.h"
#include "tool/fetch.h"

#define SIZE_DEFAULT    500000000u
#define PAGES_DEFAULT   10000u
#define TIMEOUT_DEFAULT 300u
/* One line for each event of a MISP feed. */
#define STATE_BYTES_MAX (32u << 20)
#define AUTH_BYTES_MAX  4096
#define HEADER_MAX      1024
#define REDIRECTS_MAX   5
#define TAXII_TYPE      "Accept: application/taxii+json;version=2.1"

/* One transfer: where its bytes go and what its headers said. */
struct transfer {
	CURL *curl; /* set by get() */
	FILE *file; /* NULL: into `body` */
	struct builder *body;
	bool conditional; /* 304 is an answer */
	uint64_t received, limit;
	bool too_large;
	long code;
	char etag[HEADER_MAX];
	char modified[HEADER_MAX];
	char added_last[HEADER_MAX]; /* X-TAXII-Date-Added-Last */
};

struct fetch {
	struct arena *arena;
	const struct fetch_request *request;
	struct fetch_result *result;
	CURL *curl;
	char *auth_header; /* a whole header line, or NULL */
	char *auth_user;   /* USER:PASSWORD, or NULL */
	cJSON *state;
	char error[CURL_ERROR_SIZE];
	uint64_t left; /* of the size limit */
	struct fetch_progress progress;
};

static uint64_t
size_limit(const struct fetch_request *request)
{
	return request->size_bytes_max ? request->size_bytes_max : SIZE_DEFAULT;
}

static enum tc_status
fail(struct fetch *fetch, enum tc_status status, const char *format,
    const char *detail)
{
	struct builder text = builder_make(fetch->arena, 1024);
	const char *mark = strstr(format, "%s");

	builder_slice(&text,
	    slice_make(format,
		mark == NULL ? strlen(format) : (size_t)(mark - format)));
	if (mark != NULL) {
		builder_printable(&text, slice_text(detail), 300);
		builder_text(&text, mark + 2);
	}
	fetch->result->problem = builder_c_string(&text);
	return status;
}

static char *
path_in_folder(struct fetch *fetch, const char *suffix)
{
	return arena_printf(fetch->arena, "%s/%s%s", fetch->request->folder,
	    fetch->request->name, suffix);
}

/* Reads a small file of ours; NULL when it is not there or too large. */
static char *
read_small(struct fetch *fetch, const char *path, size_t max, struct stat *info)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	ssize_t got;

	if (file < 0)
		return NULL;
	if (fstat(file, info) == 0 && S_ISREG(info->st_mode) &&
	    (uint64_t)info->st_size <= max) {
		text = arena_alloc(fetch->arena, (size_t)info->st_size + 1);
		got =
		    text == NULL ? -1 : read(file, text, (size_t)info->st_size);
		if (got < 0)
			text = NULL;
	}
	close(file);
	return text;
}

static enum tc_status
read_auth(struct fetch *fetch)
{
	const char *path = fetch->request->auth_file;
	struct stat info;
	struct slice line;
	char *text;

	if (path == NULL)
		return TC_OK;
	text = read_small(fetch, path, AUTH_BYTES_MAX, &info);
	if (text == NULL)
		return fail(
		    fetch, TC_INVALID, "cannot read the auth-file %s", path);
	if ((info.st_mode & 077) != 0)
		return fail(fetch, TC_INVALID,
		    "the auth-file %s is readable by others; chmod 0600 it",
		    path);
	slice_split(slice_text(text), '\n', &line);
	line = slice_trim(line);
	text = arena_text(fetch->arena, line);
	/* A header has its blank after the colon; a password rarely. */
	if (slice_find(line, SLICE_LITERAL(": ")) != SIZE_MAX)
		fetch->auth_header = text;
	else
		fetch->auth_user = text;
	return TC_OK;
}

static void
read_state(struct fetch *fetch)
{
	struct stat info;
	char *text = read_small(
	    fetch, path_in_folder(fetch, ".state"), STATE_BYTES_MAX, &info);

	fetch->state = text == NULL ? NULL : cJSON_Parse(text);
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
	fail(fetch, TC_SYSTEM, "cannot write the file: %s", strerror(errno));
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
	    aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	file = descriptor < 0 ? NULL : fdopen(descriptor, "w");
	if (file == NULL) {
		fail(fetch, TC_SYSTEM, "cannot create a file: %s",
		    strerror(errno));
		if (descriptor >= 0)
			close(descriptor);
	}
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

static bool
is_redirect(long code)
{
	return code == 301 || code == 302 || code == 303 || code == 307 ||
	       code == 308;
}

static size_t
take_bytes(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	size_t length = size * count;
	long code = 0;

	if (length > transfer->limit - transfer->received) {
		transfer->too_large = true;
		return 0; /* ends the transfer */
	}
	transfer->received += length;
	curl_easy_getinfo(transfer->curl, CURLINFO_RESPONSE_CODE, &code);
	if (code != 200)
		return length; /* what an error or a redirect says */
	if (transfer->file != NULL)
		return fwrite(bytes, 1, length, transfer->file);
	builder_slice(transfer->body, slice_make(bytes, length));
	return transfer->body->failed ? 0 : length;
}

static void
keep_header(struct slice line, const char *name, char value[HEADER_MAX])
{
	struct slice head, rest = slice_split(line, ':', &head);

	if (!slice_equal_text_fold(slice_trim(head), name))
		return;
	rest = slice_trim(rest);
	if (rest.length < HEADER_MAX) {
		memcpy(value, rest.data, rest.length);
		value[rest.length] = '\0';
	}
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct transfer *transfer = context;
	struct slice line = slice_make(bytes, size * count);

	keep_header(line, "ETag", transfer->etag);
	keep_header(line, "Last-Modified", transfer->modified);
	keep_header(line, "X-TAXII-Date-Added-Last", transfer->added_last);
	return line.length;
}

/* Who answers for a URL. */
struct server {
	char *scheme, *host, *port; /* of curl; NULL: the URL is no good */
};

static struct server
server_of(const char *url)
{
	struct server server = { NULL, NULL, NULL };
	CURLU *parts = curl_url();

	if (parts != NULL &&
	    curl_url_set(parts, CURLUPART_URL, url, 0) == CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_SCHEME, &server.scheme, 0) ==
		CURLUE_OK &&
	    curl_url_get(parts, CURLUPART_HOST, &server.host, 0) == CURLUE_OK)
		(void)curl_url_get(
		    parts, CURLUPART_PORT, &server.port, CURLU_DEFAULT_PORT);
	curl_url_cleanup(parts);
	return server;
}

static void
server_free(struct server *server)
{
	curl_free(server->scheme);
	curl_free(server->host);
	curl_free(server->port);
}

/* https anywhere; plain http only where nobody can sit in between. */
static bool
url_is_allowed(const char *url)
{
	struct server server = server_of(url);
	struct ipaddr address;
	struct slice name;
	bool good = false;

	if (server.port != NULL) {
		name = slice_text(server.host);
		if (name.length > 2 && name.data[0] == '[')
			name = slice_range(name, 1, name.length - 1);
		good = strcmp(server.scheme, "https") == 0 ||
		       (strcmp(server.scheme, "http") == 0 &&
			   (strcmp(server.host, "localhost") == 0 ||
			       (ipaddr_parse(name, &address) &&
				   ipaddr_is_loopback(&address))));
	}
	server_free(&server);
	return good;
}

static bool
same_scheme(const char *a, const char *b)
{
	struct server one = server_of(a), other = server_of(b);
	bool same = one.port != NULL && other.port != NULL &&
		    strcmp(one.scheme, other.scheme) == 0;

	server_free(&one);
	server_free(&other);
	return same;
}

static bool
same_server(const char *a, const char *b)
{
	struct server one = server_of(a), other = server_of(b);
	bool same = one.port != NULL && other.port != NULL &&
		    strcmp(one.scheme, other.scheme) == 0 &&
		    strcasecmp(one.host, other.host) == 0 &&
		    strcmp(one.port, other.port) == 0;

	server_free(&one);
	server_free(&other);
	return same;
}

static int
tell_progress(void *context, curl_off_t expected, curl_off_t received,
    curl_off_t unused, curl_off_t unused_too)
{
	struct fetch *fetch = context;
	struct fetch_progress *progress = &fetch->progress;

	(void)unused;
	(void)unused_too;
	progress->document_bytes = received > 0 ? (uint64_t)received : 0;
	progress->document_size = expected > 0 ? (uint64_t)expected : 0;
	progress->bytes = fetch->result->bytes + progress->document_bytes;
	fetch->request->progress(fetch->request->context, progress);
	return 0;
}

static void
set_options(
    struct fetch *fetch, struct transfer *transfer, struct curl_slist *headers)
{
	/* Redirects are followed by get(). */
	const struct fetch_request *request = fetch->request;
	CURL *curl = fetch->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->error);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tocsin/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 30L);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT,
	    (long)(request->timeout_s ? request->timeout_s : TIMEOUT_DEFAULT));
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	if (request->progress != NULL) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

/* One request. The login, of whatever header, goes with it only where it was
 * given for that server. */
static enum tc_status
ask(struct fetch *fetch, const char *url, bool login, struct transfer *transfer,
    const char *const *extra, size_t extra_count)
{
	struct curl_slist *headers = NULL;
	CURLcode code;

	transfer->curl = fetch->curl;
	transfer->received = 0;
	transfer->limit = fetch->left;
	transfer->etag[0] = transfer->modified[0] = '\0';
	transfer->added_last[0] = '\0';
	for (size_t i = 0; i < extra_count; i++)
		headers = curl_slist_append(headers, extra[i]);
	if (login && fetch->auth_header != NULL)
		headers = curl_slist_append(headers, fetch->auth_header);
	set_options(fetch, transfer, headers);
	if (login && fetch->auth_user != NULL)
		curl_easy_setopt(
		    fetch->curl, CURLOPT_USERPWD, fetch->auth_user);
	curl_easy_setopt(fetch->curl, CURLOPT_URL, url);
	code = curl_easy_perform(fetch->curl);
	curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &transfer->code);
	curl_slist_free_all(headers);
	fetch->left -= transfer->received;
	fetch->result->bytes += transfer->received;
	if (transfer->too_large)
		return fail(fetch, TC_LIMIT,
		    "larger than max-size; the old content stays", NULL);
	if (code != CURLE_OK)
		return fail(fetch, TC_SYSTEM, "%s",
		    fetch->error[0] != '\0' ? fetch->error
					    : curl_easy_strerror(code));
	return TC_OK;
}

/* Gets one document. TC_OK for 200, and for 304 where that was asked for;
 * transfer->code tells which. A redirect leads to https, or stays on loopback
 * when it began there. */
static enum tc_status
get(struct fetch *fetch, const char *url, struct transfer *transfer,
    const char *const *extra, size_t extra_count)
{
	const char *first = url;
	char *next;

	if (!url_is_allowed(url))
		return fail(fetch, TC_INVALID,
		    "%s: feeds come over https (http to loopback only)", url);
	for (unsigned redirects = 0;; redirects++) {
		enum tc_status status = ask(fetch, url, same_server(first, url),
		    transfer, extra, extra_count);

		if (status != TC_OK)
			return status;
		next = NULL;
		if (!is_redirect(transfer->code) ||
		    curl_easy_getinfo(fetch->curl, CURLINFO_REDIRECT_URL,
			&next) != CURLE_OK ||
		    next == NULL)
			break;
		if (redirects == REDIRECTS_MAX)
			return fail(fetch, TC_INVALID,
			    "the server sends on again and again", NULL);
		url = arena_text(fetch->arena, slice_text(next));
		if (url == NULL || !url_is_allowed(url) ||
		    (strncmp(url, "https:", 6) != 0 &&
			!same_scheme(first, url)))
			return fail(fetch, TC_INVALID,
			    "the server sends on to %s, which is not https",
			    url);
	}
	if (transfer->code == 200 ||
	    (transfer->code == 304 && transfer->conditional))
		return TC_OK;
	return fail(fetch, transfer->code >= 500 ? TC_SYSTEM : TC_INVALID,
	    "the server answered %s",
	    arena_printf(fetch->arena, "%ld", transfer->code));
}

/* Both conditions are sent: servers know the one or the other. */
static size_t
conditions(struct fetch *fetch, const char *headers[2])
{
	const char *etag = state_text(fetch, "etag");
	const char *modified = state_text(fetch, "modified");
	size_t count = 0;

	if (access(path_in_folder(fetch, ""), R_OK) != 0 ||
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
	struct transfer transfer = { .file = open_aside(fetch, aside) };
	const char *headers[2] = { NULL, NULL };
	size_t count = conditions(fetch, headers);
	enum tc_status status;

	if (transfer.file == NULL)
		return TC_SYSTEM;
	transfer.conditional = count > 0;
	status = get(fetch, fetch->request->url, &transfer, headers, count);
	if (status == TC_OK && transfer.code == 200 && transfer.received == 0)
		status = fail(fetch, TC_INVALID,
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
	if (request->collection != NULL && request->collection[0] != '\0')
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
		else if (slice_equal_text(name, "next"))
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

/* Pages until the server has no more. What is asked for next time is the date
 * on which the server added the last object, not an object's own `modified`:
 * an old object may be added late (TAXII 2.1, 3.4). */
static enum tc_status
fetch_pages(struct fetch *fetch, FILE *file, const char *after)
{
	unsigned pages = fetch->request->pages_max ? fetch->request->pages_max
						   : PAGES_DEFAULT;
	const char *accept[] = { TAXII_TYPE };
	struct table seen = table_make(fetch->arena);
	char *next = NULL;
	bool more, by_date = false;

	do {
		struct arena *arena = arena_new(0, NULL);
		struct builder body = builder_make(arena, SIZE_MAX);
		struct transfer transfer = { .body = &body };
		enum tc_status status;
		long count = -1;

		status = get(
		    fetch, taxii_url(fetch, after, next), &transfer, accept, 1);
		if (status == TC_OK)
			count = take_page(
			    fetch, builder_result(&body), file, &more, &next);
		arena_free(&arena);
		if (status != TC_OK)
			return status;
		if (count < 0)
			return fail(fetch, TC_INVALID,
			    "the answer is no TAXII 2.1 envelope", NULL);
		fetch->result->objects += (unsigned)count;
		if (transfer.added_last[0] != '\0')
			state_set(fetch, "added-after", transfer.added_last);
		if (next != NULL &&
		    (table_has(&seen, slice_text(next)) ||
			!table_put(&seen, slice_text(next), next)))
			return fail(fetch, TC_INVALID,
			    "the server names the same next page again", NULL);
		/* Without a name what was added after this page comes next;
		 * more that was added at the same time would be lost. */
		if ((by_date && count == 0) ||
		    (more && next == NULL &&
			strcmp(transfer.added_last, after) <= 0))
			return fail(fetch, TC_INVALID,
			    "the server has more objects and names neither a "
			    "next page nor a later date",
			    NULL);
		by_date = more && next == NULL;
		if (by_date)
			after = arena_text(
			    fetch->arena, slice_text(transfer.added_last));
	} while (more && --pages > 0);
	return TC_OK;
}

/* Asks for what was added; where that is too much beside what is here, for all
 * that the server has now, without the versions that are past. */
static enum tc_status
fetch_objects(
    struct fetch *fetch, const char *path, FILE *file, const char *after)
{
	enum tc_status status = TC_LIMIT;

	if (after[0] == '\0' || copy_old(path, file, &fetch->left))
		status = fetch_pages(fetch, file, after);
	if (status != TC_LIMIT || after[0] == '\0')
		return status;
	if (fflush(file) != 0 || ftruncate(fileno(file), 0) != 0)
		return fail(fetch, TC_SYSTEM, "cannot write the file: %s",
		    strerror(errno));
	rewind(file);
	fetch->left = size_limit(fetch->request);
	fetch->result->objects = 0;
	fetch->result->problem = NULL;
	return fetch_pages(fetch, file, "");
}

static enum tc_status
fetch_collection(struct fetch *fetch)
{
	char *path = path_in_folder(fetch, "");
	char *aside = path_in_folder(fetch, ".new");
	FILE *file = open_aside(fetch, aside);
	bool fresh = access(path, R_OK) != 0 ||
		     strcmp(state_text(fetch, "url"), fetch->request->url) != 0;
	char *after;
	enum tc_status status;

	if (file == NULL)
		return TC_SYSTEM;
	after = arena_text(fetch->arena,
	    slice_text(fresh ? "" : state_text(fetch, "added-after")));
	status = fetch_objects(fetch, path, file, after);
	if (status != TC_OK || fetch->result->objects == 0) {
		fclose(file);
		unlink(aside);
		return status;
	}
	status = put_in_place(fetch, file, aside, path);
	if (status == TC_OK) {
		fetch->result->changed = true;
		state_set(fetch, "url", fetch->request->url);
	}
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
	struct arena *arena = arena_new(0, NULL);
	struct builder body = builder_make(arena, SIZE_MAX);
	struct transfer transfer = { .body = &body };
	enum tc_status status = get(fetch, url, &transfer, NULL, 0);
	struct slice text = builder_result(&body);
	FILE *file;

	if (status == TC_OK && !is_event(text))
		status = fail(fetch, TC_INVALID,
		    "%s.json is no MISP event; an older one stays", uuid);
	if (status == TC_OK) {
		file = open_aside(fetch, aside);
		status = TC_SYSTEM;
		if (file != NULL) {
			fwrite(text.data, 1, text.length, file);
			status = put_in_place(fetch, file, aside, path);
		}
	}
	arena_free(&arena);
	return status;
}

/* Fetches one event unless the copy that is here has its timestamp. A missing
 * or broken event does not lose the others. */
static enum tc_status
fetch_event(struct fetch *fetch, const char *base, const cJSON *entry)
{
	const cJSON *timestamp = cJSON_GetObjectItem(entry, "timestamp");
	const char *stamp =
	    cJSON_IsString(timestamp) ? timestamp->valuestring
	    : cJSON_IsNumber(timestamp)
		? arena_printf(fetch->arena, "%.0f", timestamp->valuedouble)
		: "";
	char *suffix = arena_printf(fetch->arena, "/%s.json", entry->string);
	char *path = path_in_folder(fetch, suffix);
	char *aside = arena_printf(fetch->arena, "%s.new", path);
	enum tc_status status;

	if (access(path, R_OK) == 0 && stamp[0] != '\0' &&
	    strcmp(state_text(fetch, entry->string), stamp) == 0)
		return TC_OK;
	status = get_event(fetch,
	    arena_printf(fetch->arena, "%s/%s.json", base, entry->string),
	    entry->string, aside, path);
	if (status == TC_OK) {
		state_set(fetch, entry->string, stamp);
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
drop_withdrawn(struct fetch *fetch, const cJSON *manifest)
{
	DIR *folder = opendir(path_in_folder(fetch, ""));
	const struct dirent *entry;

	if (folder == NULL)
		return;
	if ((unsigned)cJSON_GetArraySize(manifest) >=
	    count_events(folder) / 10 + 1)
		while ((entry = readdir(folder)) != NULL) {
			char uuid[37] = "";

			snprintf(uuid, sizeof uuid, "%.36s", entry->d_name);
			if (!is_uuid(uuid) ||
			    strcmp(entry->d_name + 36, ".json") != 0 ||
			    cJSON_GetObjectItemCaseSensitive(manifest, uuid) !=
				NULL ||
			    unlinkat(dirfd(folder), entry->d_name, 0) != 0)
				continue;
			state_set(fetch, uuid, "");
			fetch->result->changed = true;
		}
	closedir(folder);
}

static enum tc_status
fetch_manifest(struct fetch *fetch)
{
	struct builder body = builder_make(fetch->arena, SIZE_MAX);
	struct transfer transfer = { .body = &body };
	struct slice base = slice_text(fetch->request->url);
	enum tc_status status;
	unsigned failed = 0;
	const cJSON *entry;
	char *base_text;
	cJSON *manifest;

	if (slice_ends_with(base, SLICE_LITERAL("/manifest.json")))
		base.length -= strlen("/manifest.json");
	while (base.length > 0 && base.data[base.length - 1] == '/')
		base.length--;
	base_text = arena_text(fetch->arena, base);
	if (mkdir(path_in_folder(fetch, ""), 0750) != 0 && errno != EEXIST)
		return fail(fetch, TC_SYSTEM, "cannot make the folder: %s",
		    strerror(errno));
	status = get(fetch,
	    arena_printf(fetch->arena, "%s/manifest.json", base_text),
	    &transfer, NULL, 0);
	if (status != TC_OK)
		return status;
	manifest = cJSON_ParseWithLength(body.data, body.length);
	if (!cJSON_IsObject(manifest)) {
		cJSON_Delete(manifest);
		return fail(fetch, TC_INVALID,
		    "manifest.json is not a MISP manifest", NULL);
	}
	fetch->progress.events_to_fetch =
	    (unsigned)cJSON_GetArraySize(manifest);
	cJSON_ArrayForEach(entry, manifest)
	{
		fetch->progress.events++;
		if (!is_uuid(entry->string))
			continue;
		status = fetch_event(fetch, base_text, entry);
		if (status == TC_LIMIT)
			break;
		failed += status != TC_OK;
	}
	if (status != TC_LIMIT)
		drop_withdrawn(fetch, manifest);
	cJSON_Delete(manifest);
	if (status == TC_LIMIT)
		return status;
	/* Some events are better than none; `problem` still tells of the last
	 * one that did not come. */
	return failed > 0 && fetch->result->objects == 0 ? TC_SYSTEM : TC_OK;
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
	status = read_auth(&fetch);
	if (status != TC_OK)
		return status;
	fetch.curl = curl_easy_init();
	if (fetch.curl == NULL)
		return fail(&fetch, TC_SYSTEM, "libcurl does not start", NULL);
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
	if (status == TC_OK) {
		cJSON_DeleteItemFromObject(fetch.state, "checked");
		cJSON_AddNumberToObject(
		    fetch.state, "checked", (double)request->now_unix);
		status = write_state(&fetch);
	}
	cJSON_Delete(fetch.state);
	curl_easy_cleanup(fetch.curl);
	return status;
}
