#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/channel.h"
#include "daemon/switches.h"

#define FILE_BYTES_MAX (1u << 20)

static bool
path_of(const char *state_directory, const char *suffix, char path[4096])
{
	int length = snprintf(
	    path, 4096, "%s/%s%s", state_directory, SWITCHES_FILE_NAME, suffix);

	return length > 0 && length < 4096;
}

static char *
read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char *text;
	size_t length = 0;
	ssize_t got = 1;

	if (fd < 0)
		return NULL;
	text = malloc(FILE_BYTES_MAX);
	while (text != NULL && length < FILE_BYTES_MAX - 1 && got > 0) {
		got = read(fd, text + length, FILE_BYTES_MAX - 1 - length);
		if (got > 0)
			length += (size_t)got;
	}
	close(fd);
	if (text != NULL)
		text[length] = '\0';
	return text;
}

static enum tc_status
take_entries(
    const struct cJSON *array, struct arena *arena, struct switches *switches)
{
	const struct cJSON *item;

	cJSON_ArrayForEach(item, array)
	{
		const struct switches_entry entry = {
			.name = channel_text(item, "name"),
			.on = channel_truth(item, "on"),
			.until_unix = (int64_t)channel_number(item, "until"),
			.since_unix = (int64_t)channel_number(item, "since"),
			.reason = channel_text(item, "reason"),
			.by = channel_text(item, "by"),
		};

		if (entry.name[0] == '\0')
			return TC_INVALID;
		if (switches_set(switches, arena, &entry) != TC_OK)
			return TC_LIMIT;
	}
	return TC_OK;
}

enum tc_status
switches_read(const char *state_directory, struct arena *arena,
    struct switches *switches_out)
{
	struct switches switches = { 0 };
	enum tc_status status = TC_INVALID;
	struct cJSON *json;
	char path[4096];
	char *text;

	*switches_out = switches;
	if (!path_of(state_directory, "", path))
		return TC_LIMIT;
	text = read_file(path);
	if (text == NULL)
		return errno == ENOENT ? TC_OK : TC_SYSTEM;
	json = cJSON_Parse(text);
	if (cJSON_IsArray(json))
		status = take_entries(json, arena, &switches);
	if (status == TC_OK)
		*switches_out = switches;
	cJSON_Delete(json);
	free(text);
	return status;
}

static struct cJSON *
to_json(const struct switches *switches)
{
	struct cJSON *array = cJSON_CreateArray();

	for (size_t i = 0; i < switches->entries.count; i++) {
		const struct switches_entry *entry =
		    &switches->entries.items[i];
		struct cJSON *item = cJSON_CreateObject();

		cJSON_AddStringToObject(item, "name", entry->name);
		cJSON_AddBoolToObject(item, "on", entry->on);
		cJSON_AddNumberToObject(
		    item, "until", (double)entry->until_unix);
		cJSON_AddNumberToObject(
		    item, "since", (double)entry->since_unix);
		cJSON_AddStringToObject(item, "reason", entry->reason);
		cJSON_AddStringToObject(item, "by", entry->by);
		cJSON_AddItemToArray(array, item);
	}
	return array;
}

/* Writes `text` to a new file that takes the old one's place. */
static bool
replace_file(const char *temporary, const char *path, const char *text)
{
	size_t length = strlen(text);
	bool written;
	int fd;

	(void)unlink(temporary);
	fd = open(temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	written = write(fd, text, length) == (ssize_t)length && fsync(fd) == 0;
	if (close(fd) != 0)
		written = false;
	return written && rename(temporary, path) == 0;
}

enum tc_status
switches_write(const char *state_directory, const struct switches *switches)
{
	struct cJSON *json = to_json(switches);
	char *text = cJSON_Print(json);
	char path[4096];
	char temporary[4096];
	bool written = text != NULL && path_of(state_directory, "", path) &&
		       path_of(state_directory, ".new", temporary) &&
		       replace_file(temporary, path, text);

	cJSON_Delete(json);
	free(text);
	return written ? TC_OK : TC_SYSTEM;
}

enum tc_status
switches_set(struct switches *switches, struct arena *arena,
    const struct switches_entry *entry)
{
	struct switches_entry copy = *entry;
	struct switches_entry *place;

	copy.name = arena_text(arena, slice_text(entry->name));
	copy.reason = arena_text(arena, slice_text(entry->reason));
	copy.by = arena_text(arena, slice_text(entry->by));
	if (copy.name == NULL || copy.reason == NULL || copy.by == NULL)
		return TC_LIMIT;
	switches_clear(switches, entry->name);
	place = list_append(arena, &switches->entries, SWITCHES_MAX);
	if (place == NULL)
		return TC_LIMIT;
	*place = copy;
	return TC_OK;
}

static void
take_out(struct switches *switches, size_t index)
{
	struct switches_entry *items = switches->entries.items;

	memmove(&items[index], &items[index + 1],
	    (switches->entries.count - index - 1) * sizeof *items);
	switches->entries.count--;
}

bool
switches_clear(struct switches *switches, const char *name)
{
	for (size_t i = 0; i < switches->entries.count; i++) {
		if (strcmp(switches->entries.items[i].name, name) != 0)
			continue;
		take_out(switches, i);
		return true;
	}
	return false;
}

bool
switches_end_one(struct switches *switches, int64_t now_unix,
    struct switches_entry *ended_out)
{
	for (size_t i = 0; i < switches->entries.count; i++) {
		int64_t until = switches->entries.items[i].until_unix;

		if (until == 0 || until > now_unix)
			continue;
		*ended_out = switches->entries.items[i];
		take_out(switches, i);
		return true;
	}
	return false;
}

const struct switches_entry *
switches_find(const struct switches *switches, const char *name)
{
	for (size_t i = 0; i < switches->entries.count; i++)
		if (strcmp(switches->entries.items[i].name, name) == 0)
			return &switches->entries.items[i];
	return NULL;
}

bool *
switches_positions(const struct switches *switches,
    const struct program *program, int64_t now_unix)
{
	unsigned count = program_switch_count(program);
	bool *positions = calloc(count + 1, sizeof *positions);

	if (positions == NULL)
		return NULL;
	for (unsigned i = 0; i < count; i++) {
		const struct program_switch *known = program_switch(program, i);
		const struct switches_entry *set =
		    switches_find(switches, known->name);

		positions[i] = known->initial;
		if (set != NULL &&
		    (set->until_unix == 0 || set->until_unix > now_unix))
			positions[i] = set->on;
	}
	return positions;
}
