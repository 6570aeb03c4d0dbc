#include <config.h>

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tool/fetch_http.h"
#include "tool/fetch_retry.h"

#define FILE_BYTES_MAX 65536u
#define WAIT_FIRST_S   300
#define WAIT_MAX_S     (4 * 3600)
/* A file from a clock that was wrong keeps no feed away for ever. */
#define AHEAD_MAX_S (2 * 86400)

static char *
retry_path(struct arena *arena, const char *folder, const char *name)
{
	return arena_printf(arena, "%s/%s.retry", folder, name);
}

static double
number_of(const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsNumber(item) && item->valuedouble > 0 &&
		       item->valuedouble < 1e12
		   ? item->valuedouble
		   : 0;
}

static const char *
text_of(struct arena *arena, const cJSON *object, const char *name)
{
	const cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsString(item)
		   ? arena_text(arena, slice_text(item->valuestring))
		   : "";
}

struct fetch_retry
fetch_retry_read(
    struct arena *arena, const char *folder, const char *name, const char *url)
{
	struct fetch_retry retry = { 0, 0, "" };
	struct stat info;
	char *text = fetch_http_read(
	    arena, retry_path(arena, folder, name), FILE_BYTES_MAX, &info);
	cJSON *object = text == NULL ? NULL : cJSON_Parse(text);

	if (object != NULL && strcmp(text_of(arena, object, "url"), url) == 0) {
		retry.next_unix = (int64_t)number_of(object, "next");
		retry.failures = (unsigned)number_of(object, "failures");
		retry.problem = text_of(arena, object, "problem");
		if (retry.next_unix >
		    (int64_t)info.st_mtim.tv_sec + AHEAD_MAX_S)
			retry.next_unix = 0;
	}
	cJSON_Delete(object);
	return retry;
}

/* Not synced: what is lost with the power costs one question too many. */
static void
write_retry(struct arena *arena, const char *folder, const char *name,
    const char *url, const struct fetch_retry *retry)
{
	char *path = retry_path(arena, folder, name);
	char *aside = arena_printf(arena, "%s.new", path);
	cJSON *object = cJSON_CreateObject();
	char *text;
	int file;

	cJSON_AddStringToObject(object, "url", url);
	cJSON_AddNumberToObject(object, "next", (double)retry->next_unix);
	cJSON_AddNumberToObject(object, "failures", retry->failures);
	cJSON_AddStringToObject(object, "problem", retry->problem);
	text = cJSON_Print(object);
	cJSON_Delete(object);
	unlink(aside);
	file = open(
	    aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
	if (file >= 0 && text != NULL &&
	    write(file, text, strlen(text)) == (ssize_t)strlen(text))
		(void)rename(aside, path);
	if (file >= 0)
		close(file);
	cJSON_free(text);
}

struct fetch_retry
fetch_retry_failed(struct arena *arena, const char *folder, const char *name,
    const char *url, const char *problem, unsigned retry_after_s,
    int64_t now_unix)
{
	struct fetch_retry retry = fetch_retry_read(arena, folder, name, url);
	unsigned wait_s = WAIT_FIRST_S;

	for (unsigned i = 0; i < retry.failures && wait_s < WAIT_MAX_S; i++)
		wait_s *= 2;
	if (wait_s > WAIT_MAX_S)
		wait_s = WAIT_MAX_S;
	if (wait_s < retry_after_s)
		wait_s = retry_after_s;
	retry.next_unix = now_unix + wait_s;
	retry.failures++;
	retry.problem = problem == NULL ? "" : problem;
	write_retry(arena, folder, name, url, &retry);
	return retry;
}

void
fetch_retry_unfinished(struct arena *arena, const char *folder,
    const char *name, const char *url, const char *problem, int64_t now_unix)
{
	struct fetch_retry retry = { now_unix, 0, problem };

	write_retry(arena, folder, name, url, &retry);
}

void
fetch_retry_clear(struct arena *arena, const char *folder, const char *name)
{
	unlink(retry_path(arena, folder, name));
}
