#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/ipaddr.h"
#include "tool/fetch_http.h"

#define CONNECT_S 30L
/* Slower than this for so long is not at work any more; who puts a whole
 * export together may take a while before the first byte. */
#define SLOW_BYTES_S 100L
#define SLOW_PART_S  60L
#define SLOW_WHOLE_S 300L
/* For one document of many, so that one does not take the time of all. */
#define PART_S 300.0
/* libcurl counts milliseconds. */
#define ROUNDING_S     0.05
#define AUTH_BYTES_MAX 4096
#define BODY_BYTES_MAX 65536
#define REDIRECTS_MAX  5
/* No server keeps us away for longer than a day. */
#define RETRY_AFTER_MAX 86400

static double
seconds_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

enum tc_status
fetch_http_fail(struct fetch *fetch, enum tc_status status, const char *format,
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

char *
fetch_http_read(
    struct arena *arena, const char *path, size_t max, struct stat *info)
{
	int file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	char *text = NULL;
	ssize_t got;

	if (file < 0)
		return NULL;
	if (fstat(file, info) == 0 && S_ISREG(info->st_mode) &&
	    (uint64_t)info->st_size <= max) {
		text = arena_alloc(arena, (size_t)info->st_size + 1);
		got =
		    text == NULL ? -1 : read(file, text, (size_t)info->st_size);
		if (got < 0)
			text = NULL;
		else
			text[got] = '\0';
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
	text = fetch_http_read(fetch->arena, path, AUTH_BYTES_MAX, &info);
	if (text == NULL)
		return fetch_http_fail(
		    fetch, TC_INVALID, "cannot read the auth-file %s", path);
	if ((info.st_mode & 077) != 0)
		return fetch_http_fail(fetch, TC_INVALID,
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

/* A key that others read is nobody's. */
static enum tc_status
check_key(struct fetch *fetch)
{
	const char *path = fetch->request->client_key;
	struct stat info;

	if (path == NULL)
		return TC_OK;
	if (stat(path, &info) != 0)
		return fetch_http_fail(
		    fetch, TC_INVALID, "cannot read the client-key %s", path);
	if ((info.st_mode & 077) != 0)
		return fetch_http_fail(fetch, TC_INVALID,
		    "the client-key %s is readable by others; chmod 0600 it",
		    path);
	return TC_OK;
}

static enum tc_status
read_body(struct fetch *fetch)
{
	const char *path = fetch->request->post_file;
	struct stat info;

	if (path == NULL)
		return TC_OK;
	fetch->body =
	    fetch_http_read(fetch->arena, path, BODY_BYTES_MAX, &info);
	return fetch->body != NULL
		   ? TC_OK
		   : fetch_http_fail(fetch, TC_INVALID,
			 "cannot read the post-file %s, of at most 64 KB",
			 path);
}

enum tc_status
fetch_http_open(struct fetch *fetch)
{
	enum tc_status status = read_auth(fetch);

	if (status == TC_OK)
		status = check_key(fetch);
	if (status == TC_OK)
		status = read_body(fetch);
	if (status != TC_OK)
		return status;
	fetch->deadline = seconds_now() + (double)fetch->request->time_s;
	fetch->curl = curl_easy_init();
	return fetch->curl != NULL ? TC_OK
				   : fetch_http_fail(fetch, TC_SYSTEM,
					 "libcurl does not start", NULL);
}

void
fetch_http_close(struct fetch *fetch)
{
	curl_easy_cleanup(fetch->curl);
	fetch->curl = NULL;
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
	struct fetch_transfer *transfer = context;
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
	return fwrite(bytes, 1, length, transfer->file);
}

static void
keep_header(
    struct slice line, const char *name, char value[FETCH_HTTP_HEADER_MAX])
{
	struct slice head, rest = slice_split(line, ':', &head);

	if (!slice_equal_text_fold(slice_trim(head), name))
		return;
	rest = slice_trim(rest);
	if (rest.length < FETCH_HTTP_HEADER_MAX) {
		memcpy(value, rest.data, rest.length);
		value[rest.length] = '\0';
	}
}

static size_t
take_header(char *bytes, size_t size, size_t count, void *context)
{
	struct fetch_transfer *transfer = context;
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
set_callbacks(struct fetch *fetch, struct fetch_transfer *transfer)
{
	CURL *curl = fetch->curl;

	if (fetch->request->progress != NULL) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, tell_progress);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, fetch);
	}
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_bytes);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, transfer);
}

/* Redirects are followed by fetch_http_get(). */
static void
set_options(struct fetch *fetch, const char *url,
    struct fetch_transfer *transfer, double seconds)
{
	const struct fetch_request *request = fetch->request;
	CURL *curl = fetch->curl;

	curl_easy_reset(curl);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->error);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https,http");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tocsin/" PACKAGE_VERSION);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, CONNECT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, SLOW_BYTES_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
	    transfer->whole_time ? SLOW_WHOLE_S : SLOW_PART_S);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)(seconds * 1000) + 1);
	if (request->ca_file != NULL) {
		curl_easy_setopt(curl, CURLOPT_CAINFO, request->ca_file);
		curl_easy_setopt(curl, CURLOPT_CAPATH, NULL);
	}
	/* What goes over plain http to this machine stays on it. */
	if (strncmp(url, "http:", 5) == 0)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	else if (request->proxy != NULL)
		curl_easy_setopt(curl, CURLOPT_PROXY, request->proxy);
	set_callbacks(fetch, transfer);
}

/* What is for the server of the feed alone. */
static struct curl_slist *
set_login(struct fetch *fetch, struct curl_slist *headers)
{
	const struct fetch_request *request = fetch->request;
	CURL *curl = fetch->curl;

	if (fetch->auth_header != NULL)
		headers = curl_slist_append(headers, fetch->auth_header);
	if (fetch->auth_user != NULL)
		curl_easy_setopt(curl, CURLOPT_USERPWD, fetch->auth_user);
	if (request->client_cert != NULL)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, request->client_cert);
	if (request->client_key != NULL)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, request->client_key);
	if (fetch->body != NULL) {
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, fetch->body);
		headers = curl_slist_append(
		    headers, "Content-Type: application/json");
	}
	return headers;
}

static enum tc_status
time_is_over(struct fetch *fetch)
{
	return fetch_http_fail(fetch, TC_AGAIN, "fetch-time is over (%s s)",
	    arena_printf(fetch->arena, "%u", fetch->request->time_s));
}

static enum tc_status
judge(struct fetch *fetch, const struct fetch_transfer *transfer, CURLcode code)
{
	if (transfer->too_large)
		return fetch_http_fail(fetch, TC_LIMIT,
		    "larger than max-size; the old content stays", NULL);
	if (code == CURLE_OPERATION_TIMEDOUT &&
	    seconds_now() >= fetch->deadline - ROUNDING_S)
		return time_is_over(fetch);
	if (code != CURLE_OK)
		return fetch_http_fail(fetch, TC_SYSTEM, "%s",
		    fetch->error[0] != '\0' ? fetch->error
					    : curl_easy_strerror(code));
	return TC_OK;
}

/* One request. The login, of whatever kind, goes with it only where it was
 * given for that server. */
static enum tc_status
ask(struct fetch *fetch, const char *url, bool login,
    struct fetch_transfer *transfer, const char *const *extra,
    size_t extra_count)
{
	struct curl_slist *headers = NULL;
	double seconds = fetch->deadline - seconds_now();
	CURLcode code;

	if (seconds <= 0)
		return time_is_over(fetch);
	if (!transfer->whole_time && seconds > PART_S)
		seconds = PART_S;
	transfer->curl = fetch->curl;
	transfer->received = 0;
	transfer->limit = fetch->left;
	transfer->etag[0] = transfer->modified[0] = '\0';
	transfer->added_last[0] = '\0';
	fetch->error[0] = '\0';
	set_options(fetch, url, transfer, seconds);
	for (size_t i = 0; i < extra_count; i++)
		headers = curl_slist_append(headers, extra[i]);
	if (login)
		headers = set_login(fetch, headers);
	curl_easy_setopt(fetch->curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(fetch->curl);
	curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &transfer->code);
	curl_slist_free_all(headers);
	fetch->left -= transfer->received;
	fetch->result->bytes += transfer->received;
	return judge(fetch, transfer, code);
}

/* Too many questions, or a server that has no time now: both may say when to
 * come again (RFC 9110, 10.2.3). */
static void
note_refusal(struct fetch *fetch, long code)
{
	curl_off_t seconds = 0;

	if (code != 429 && code != 503)
		return;
	fetch->refused = true;
	curl_easy_getinfo(fetch->curl, CURLINFO_RETRY_AFTER, &seconds);
	if (seconds > RETRY_AFTER_MAX)
		seconds = RETRY_AFTER_MAX;
	fetch->result->retry_after_s = seconds > 0 ? (unsigned)seconds : 0;
}

/* A redirect leads to https, or stays on loopback when it began there. */
enum tc_status
fetch_http_get(struct fetch *fetch, const char *url,
    struct fetch_transfer *transfer, const char *const *extra,
    size_t extra_count)
{
	const char *first = url;
	char *next;

	if (!url_is_allowed(url))
		return fetch_http_fail(fetch, TC_INVALID,
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
			return fetch_http_fail(fetch, TC_INVALID,
			    "the server sends on again and again", NULL);
		url = arena_text(fetch->arena, slice_text(next));
		if (url == NULL || !url_is_allowed(url) ||
		    (strncmp(url, "https:", 6) != 0 &&
			!same_scheme(first, url)))
			return fetch_http_fail(fetch, TC_INVALID,
			    "the server sends on to %s, which is not https",
			    url);
	}
	if (transfer->code == 200 ||
	    (transfer->code == 304 && transfer->conditional))
		return TC_OK;
	note_refusal(fetch, transfer->code);
	return fetch_http_fail(fetch,
	    transfer->code >= 500 ? TC_SYSTEM : TC_INVALID,
	    "the server answered %s",
	    arena_printf(fetch->arena, "%ld", transfer->code));
}
