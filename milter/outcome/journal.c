#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "outcome/journal.h"

#include "base/builder.h"
#include "evidence/evidence.h"
#include "message/digest.h"
#include "message/message.h"

#define DAY_NAME_LENGTH 16 /* YYYY-MM-DD.jsonl */
#define SECONDS_PER_DAY 86400

struct journal {
	pthread_mutex_t lock;
	char *directory;
	bool no_records;
	unsigned retention_days;
	uint64_t quota_bytes;
	uint64_t kept_bytes; /* of preserved messages */
	bool kept_known;
	int file; /* -1: none open */
	long file_day;
	long expired_day;
};

struct journal *
journal_new(const struct journal_settings *settings)
{
	struct journal *journal = calloc(1, sizeof *journal);

	if (journal == NULL)
		return NULL;
	journal->directory = strdup(settings->directory);
	if (journal->directory == NULL ||
	    pthread_mutex_init(&journal->lock, NULL) != 0) {
		free(journal->directory);
		free(journal);
		return NULL;
	}
	journal->file = -1;
	journal_configure(journal, settings);
	return journal;
}

void
journal_configure(
    struct journal *journal, const struct journal_settings *settings)
{
	pthread_mutex_lock(&journal->lock);
	journal->no_records = settings->no_records;
	journal->retention_days = settings->retention_days;
	journal->quota_bytes = settings->preserve_quota_bytes;
	journal->expired_day = -1;
	pthread_mutex_unlock(&journal->lock);
}

bool
journal_wants_records(struct journal *journal)
{
	bool wanted;

	pthread_mutex_lock(&journal->lock);
	wanted = !journal->no_records;
	pthread_mutex_unlock(&journal->lock);
	return wanted;
}

void
journal_free(struct journal **journal)
{
	if (*journal == NULL)
		return;
	if ((*journal)->file >= 0)
		close((*journal)->file);
	pthread_mutex_destroy(&(*journal)->lock);
	free((*journal)->directory);
	free(*journal);
	*journal = NULL;
}

/* Opens or makes the file for appending; what stands there as a link is not
 * followed. */
static int
open_file(const char *directory, const char *name, int flags)
{
	char path[4096];
	int length = snprintf(path, sizeof path, "%s/%s", directory, name);

	if (length < 0 || (size_t)length >= sizeof path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(
	    path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | flags, 0600);
}

static bool
open_day(struct journal *journal, time_t now_unix)
{
	long day = (long)(now_unix / SECONDS_PER_DAY);
	char name[DAY_NAME_LENGTH + 8];
	struct tm tm;

	if (journal->file >= 0 && journal->file_day == day)
		return true;
	if (journal->file >= 0)
		close(journal->file);
	journal->file = -1;
	if (gmtime_r(&now_unix, &tm) == NULL ||
	    strftime(name, sizeof name, "%Y-%m-%d.jsonl", &tm) == 0) {
		errno = EINVAL;
		return false;
	}
	journal->file = open_file(journal->directory, name, O_APPEND);
	journal->file_day = day;
	return journal->file >= 0;
}

/* One write(2) for the record and its line break. A record of which only a
 * part fitted is ended, so that the next one starts a line of its own: readers
 * skip a line that is no JSON. */
static bool
append(int file, struct slice record)
{
	char *line = malloc(record.length + 1);
	ssize_t written;

	if (line == NULL)
		return false;
	memcpy(line, record.data, record.length);
	line[record.length] = '\n';
	do
		written = write(file, line, record.length + 1);
	while (written < 0 && errno == EINTR);
	free(line);
	if (written == (ssize_t)record.length + 1)
		return true;
	if (written > 0) {
		int saved = write(file, "\n", 1) == 1 ? ENOSPC : errno;

		errno = saved;
	}
	return false;
}

enum tc_status
journal_write(struct journal *journal, struct slice record, time_t now_unix)
{
	enum tc_status status = TC_SYSTEM;
	int saved;

	pthread_mutex_lock(&journal->lock);
	if (open_day(journal, now_unix) && append(journal->file, record))
		status = TC_OK;
	saved = errno;
	pthread_mutex_unlock(&journal->lock);
	errno = saved;
	return status;
}

static bool
is_day_file(const char *name)
{
	static const char form[] = "dddd-dd-dd.jsonl";

	if (strlen(name) != DAY_NAME_LENGTH)
		return false;
	for (size_t i = 0; i < DAY_NAME_LENGTH; i++)
		if (i < 10 && form[i] == 'd' ? !ascii_is_digit(name[i])
					     : name[i] != form[i])
			return false;
	return true;
}

void
journal_expire(struct journal *journal, time_t now_unix)
{
	long day = (long)(now_unix / SECONDS_PER_DAY);
	time_t oldest;
	char limit[DAY_NAME_LENGTH + 8];
	struct dirent *entry;
	struct tm tm;
	bool done;
	DIR *folder;

	pthread_mutex_lock(&journal->lock);
	done = journal->expired_day == day || journal->retention_days == 0;
	journal->expired_day = day;
	oldest = now_unix - (time_t)journal->retention_days * SECONDS_PER_DAY;
	pthread_mutex_unlock(&journal->lock);
	if (done || gmtime_r(&oldest, &tm) == NULL ||
	    strftime(limit, sizeof limit, "%Y-%m-%d.jsonl", &tm) == 0)
		return;
	folder = opendir(journal->directory);
	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (is_day_file(entry->d_name) &&
		    strcmp(entry->d_name, limit) < 0)
			unlinkat(dirfd(folder), entry->d_name, 0);
	closedir(folder);
}

/* Bytes of preserved messages that are there already. */
static uint64_t
kept_bytes(const char *directory)
{
	static const struct slice suffix = SLICE_LITERAL(".eml");
	uint64_t sum = 0;
	struct dirent *entry;
	struct stat info;
	DIR *folder = opendir(directory);

	if (folder == NULL)
		return 0;
	while ((entry = readdir(folder)) != NULL)
		if (slice_ends_with(slice_text(entry->d_name), suffix) &&
		    fstatat(dirfd(folder), entry->d_name, &info,
			AT_SYMLINK_NOFOLLOW) == 0)
			sum += (uint64_t)info.st_size;
	closedir(folder);
	return sum;
}

/* Books the bytes, or says that the quota does not allow them. */
static bool
book(struct journal *journal, uint64_t size)
{
	bool fits;

	pthread_mutex_lock(&journal->lock);
	if (!journal->kept_known)
		journal->kept_bytes = kept_bytes(journal->directory);
	journal->kept_known = true;
	fits = journal->quota_bytes == 0 ||
	       (journal->kept_bytes <= journal->quota_bytes &&
		   size <= journal->quota_bytes - journal->kept_bytes);
	if (fits)
		journal->kept_bytes += size;
	pthread_mutex_unlock(&journal->lock);
	return fits;
}

/* The message as the MTA told it: its fields, an empty line, its body. */
static struct slice
raw_message(struct arena *arena, const struct message *message)
{
	const struct header_list *headers = message_headers(message);
	struct builder raw = builder_make(arena, SIZE_MAX);

	for (size_t i = 0; i < headers->count; i++) {
		struct slice value = headers->items[i].value;

		builder_slice(&raw, headers->items[i].name);
		builder_byte(&raw, ':');
		for (size_t at = 0; at < value.length; at++) {
			if (value.data[at] == '\n' &&
			    (at == 0 || value.data[at - 1] != '\r'))
				builder_byte(&raw, '\r');
			builder_byte(&raw, value.data[at]);
		}
		builder_text(&raw, "\r\n");
	}
	builder_text(&raw, "\r\n");
	builder_slice(&raw, message_raw_body(message));
	return raw.failed ? slice_make(NULL, 0) : builder_result(&raw);
}

static struct slice
envelope_record(
    struct arena *arena, const struct evidence *evidence, struct slice raw)
{
	struct builder out = builder_make(arena, SIZE_MAX);
	struct digests digests = { 0 };
	char ip[IPADDR_TEXT_MAX] = "";

	digest_compute(arena, raw, DIGEST_SHA256, &digests);
	if (evidence->has_client_ip)
		ipaddr_format(&evidence->client_ip, ip);
	builder_printf(&out, "{\"v\":1,\"ref\":\"%s\",\"time\":%lld,",
	    evidence->reference, (long long)evidence->now_unix);
	builder_text(&out, "\"queue_id\":\"");
	builder_json(&out, evidence->queue_id);
	builder_printf(&out, "\",\"client\":\"%s\",\"helo\":\"", ip);
	builder_json(&out, evidence->helo);
	builder_text(&out, "\",\"auth\":\"");
	builder_json(&out, evidence->auth_user);
	builder_text(&out, "\",\"mail_from\":\"");
	builder_json(&out, evidence->sender_text);
	builder_text(&out, "\",\"rcpt\":[");
	for (size_t i = 0; i < evidence->recipients.count; i++) {
		builder_text(&out, i == 0 ? "\"" : ",\"");
		builder_json(&out, evidence->recipients.items[i].text);
		builder_byte(&out, '"');
	}
	builder_printf(&out, "],\"size\":%zu,\"complete\":%s,\"sha256\":\"",
	    raw.length,
	    evidence->body_bytes == message_raw_body(evidence->message).length
		? "true"
		: "false");
	builder_slice(&out, digests.sha256);
	builder_text(&out, "\"}\n");
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

/* Writes the whole file durably; what could not be written whole is removed. */
static bool
write_file(const char *directory, const char *name, struct slice bytes)
{
	int file = open_file(directory, name, O_EXCL);
	bool good = file >= 0;
	int saved;

	while (good && bytes.length > 0) {
		ssize_t written = write(file, bytes.data, bytes.length);

		if (written > 0)
			bytes = slice_skip(bytes, (size_t)written);
		else
			good = written < 0 && errno == EINTR;
	}
	good = good && fsync(file) == 0;
	saved = errno;
	if (file >= 0 && close(file) != 0)
		good = false;
	if (file >= 0 && !good) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", directory, name);
		unlink(path);
	}
	errno = saved;
	return good;
}

enum tc_status
journal_preserve(struct journal *journal, struct arena *arena,
    const struct evidence *evidence, const char **path_out)
{
	struct slice raw = raw_message(arena, evidence->message);
	struct slice envelope = envelope_record(arena, evidence, raw);
	char name[32];

	if (raw.data == NULL || envelope.data == NULL)
		return TC_LIMIT;
	if (!book(journal, raw.length)) {
		errno = EDQUOT;
		return TC_LIMIT;
	}
	snprintf(name, sizeof name, "%s.eml", evidence->reference);
	if (!write_file(journal->directory, name, raw))
		return TC_SYSTEM;
	*path_out = arena_printf(arena, "%s/%s", journal->directory, name);
	snprintf(name, sizeof name, "%s.json", evidence->reference);
	if (!write_file(journal->directory, name, envelope))
		return TC_SYSTEM;
	return *path_out == NULL ? TC_LIMIT : TC_OK;
}
