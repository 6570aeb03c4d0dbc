#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/builder.h"
#include "base/table.h"
#include "indicator/build.h"
#include "indicator/build_image.h"
#include "indicator/feed_reader.h"
#include "indicator/json_split.h"
#include "indicator/normal.h"
#include "indicator/overlay.h"
#include "indicator/overlay_file.h"
#include "indicator/overlay_lines.h"
#include "indicator/store_format.h"

struct overlay {
	struct store *store;
	char *path; /* NULL: from bytes */
	struct stat seen;
	bool present;
	uint64_t bad_lines;
};

struct feed_config
overlay_feed_config(void)
{
	struct feed_config config =
	    feed_config_defaults(OVERLAY_FEED_NAME, OVERLAY_FILE_NAME);

	config.format = FEED_FORMAT_LOCAL;
	config.verified = true;
	config.severity = INDICATOR_SEVERITY_HIGH;
	config.confidence = 100;
	config.client_ip = true;
	return config;
}

/* ------------------------------------------------------------------- reading */

static struct slice
joined_tags(struct arena *arena, const cJSON *object)
{
	const cJSON *tags = cJSON_GetObjectItemCaseSensitive(object, "tags");
	struct builder out = builder_make(arena, SIZE_MAX);
	const cJSON *tag;

	if (!cJSON_IsArray(tags))
		return slice_make("", 0);
	cJSON_ArrayForEach(tag, tags)
	{
		if (!cJSON_IsString(tag))
			continue;
		if (out.length > 0)
			builder_byte(&out, '\n');
		builder_text(&out, tag->valuestring);
	}
	return builder_result(&out);
}

static void
fill_item(struct arena *arena, const cJSON *object, struct feed_item *item)
{
	const cJSON *number =
	    cJSON_GetObjectItemCaseSensitive(object, "confidence");
	unsigned long roles;

	item->id = json_text(NULL, object, "id");
	item->description = json_text(NULL, object, "description");
	item->tags = joined_tags(arena, object);
	indicator_severity_parse(
	    json_text(NULL, object, "severity"), &item->severity);
	indicator_tlp_parse(json_text(NULL, object, "tlp"), &item->tlp);
	item->forced =
	    cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(object, "force"));
	if (cJSON_IsNumber(number) && number->valuedouble >= 0 &&
	    number->valuedouble <= 100)
		item->confidence = (uint8_t)number->valuedouble;
	if (slice_parse_number(json_text(arena, object, "roles"),
		INDICATOR_ROLE_ANY, &roles) &&
	    roles != 0)
		item->roles = (unsigned)roles;
	item->first_seen_unix = overlay_lines_time(object, "added");
	item->last_seen_unix = item->first_seen_unix;
	item->valid_until_unix = overlay_lines_time(object, "expires");
}

static void
reject_line(void *context, struct slice line)
{
	feed_reader_reject(context, FEED_BAD_OBJECT, slice_range(line, 0, 80),
	    "not understood");
}

enum tc_status
feed_local_read(struct feed_reader *reader, struct slice bytes)
{
	struct table table = table_make(reader->arena);
	struct overlay_lines_other other = { .context = reader,
		.bad = reject_line };
	enum tc_status status =
	    overlay_lines_collect(reader->arena, reader->scratch, bytes,
		reader->limits->line_bytes_max, &other, &table);

	for (size_t i = 0; i < table.count && status == TC_OK; i++) {
		const struct overlay_line *change = table.entries[i].value;
		struct feed_item item;
		cJSON *object;

		if (change->operation == OVERLAY_REMOVE)
			continue;
		arena_reset(reader->scratch);
		object = json_parse(&change->line, OVERLAY_DEPTH_MAX);
		if (object == NULL)
			continue;
		item = feed_item_make(
		    (enum indicator_kind)table.entries[i].key.data[0],
		    json_text(NULL, object, "value"));
		item.mask = change->operation == OVERLAY_MASK;
		fill_item(reader->scratch, object, &item);
		feed_reader_item(reader, &item);
		cJSON_Delete(object);
	}
	return status;
}

/* ------------------------------------------------------------------- loading */

static enum feed_reason
add_to_build(void *context, const struct feed_item *item)
{
	return build_add(context, item);
}

/* Without its warninglists; NULL without memory or settings. */
static struct exempt *
exempt_without_lists(const struct exempt_config *config)
{
	struct exempt_config own;

	if (config == NULL)
		return NULL;
	own = *config;
	own.warninglist_count = 0;
	return exempt_new(&own);
}

enum tc_status
overlay_load_bytes(struct slice bytes,
    const struct exempt_config *exempt_settings, int64_t now_unix,
    struct overlay **overlay_out)
{
	struct build_limits limits = build_limits_defaults();
	struct feed_config config = overlay_feed_config();
	struct overlay *overlay = calloc(1, sizeof *overlay);
	struct exempt *exempt = exempt_without_lists(exempt_settings);
	struct build *build = build_new(&limits);
	struct arena *arena = arena_new(0, NULL);
	struct feed_sink sink = { .context = build, .item = add_to_build };
	struct feed_report report = { 0 };
	enum tc_status status = TC_SYSTEM;
	void *image = NULL;
	size_t size = 0;

	if (overlay != NULL && build != NULL && arena != NULL &&
	    (exempt != NULL || exempt_settings == NULL)) {
		build_set_exempt(build, exempt);
		status = build_begin_feed(build, &config);
	}
	if (status == TC_OK)
		status = feed_read_bytes(
		    arena, &config, &limits.feed, bytes, &sink, &report);
	if (status == TC_OK) {
		build_end_feed(build, &report, now_unix);
		status = build_image(build, 0, now_unix, &image, &size);
	}
	if (status == TC_OK) {
		status = store_open_owned(image, size, &overlay->store);
		if (status != TC_OK)
			free(image);
	}
	if (status == TC_OK) {
		overlay->bad_lines = report.reasons[FEED_BAD_OBJECT];
		*overlay_out = overlay;
	} else {
		free(overlay);
	}
	build_free(&build);
	exempt_free(&exempt);
	arena_free(&arena);
	return status;
}

/* close() that leaves errno to the message. */
static void
close_kept(int fd)
{
	int kept = errno;

	close(fd);
	errno = kept;
}

/* Reads the file to its end; an absent one is empty. TC_SYSTEM with errno. */
static enum tc_status
read_local(const char *path, struct stat *seen, bool *present_out,
    char **bytes_out, size_t *size_out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	size_t length = 0;
	char *bytes;

	*present_out = fd >= 0;
	*bytes_out = NULL;
	*size_out = 0;
	if (fd < 0)
		return errno == ENOENT ? TC_OK : TC_SYSTEM;
	errno = 0;
	if (fstat(fd, seen) == 0 && !S_ISREG(seen->st_mode))
		errno = S_ISDIR(seen->st_mode) ? EISDIR : EINVAL;
	else if (errno == 0 && seen->st_size > OVERLAY_BYTES_MAX)
		errno = EFBIG;
	if (errno != 0 || (bytes = malloc((size_t)seen->st_size + 1)) == NULL) {
		close_kept(fd);
		return TC_SYSTEM;
	}
	while (length < (size_t)seen->st_size) {
		ssize_t got =
		    read(fd, bytes + length, (size_t)seen->st_size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			free(bytes);
			close_kept(fd);
			return TC_SYSTEM;
		}
		if (got == 0)
			break;
		length += (size_t)got;
	}
	close(fd);
	*bytes_out = bytes;
	*size_out = length;
	return TC_OK;
}

enum tc_status
overlay_load(const char *state_directory, const struct exempt_config *exempt,
    int64_t now_unix, struct overlay **overlay_out)
{
	struct stat seen = { 0 };
	enum tc_status status;
	char *path = NULL, *bytes;
	bool present;
	size_t size;

	if (asprintf(&path, "%s/%s", state_directory, OVERLAY_FILE_NAME) < 0)
		return TC_SYSTEM;
	status = read_local(path, &seen, &present, &bytes, &size);
	if (status == TC_OK)
		status = overlay_load_bytes(
		    slice_make(bytes, size), exempt, now_unix, overlay_out);
	free(bytes);
	if (status != TC_OK) {
		free(path);
		return status;
	}
	(*overlay_out)->path = path;
	(*overlay_out)->seen = seen;
	(*overlay_out)->present = present;
	return TC_OK;
}

void
overlay_free(struct overlay **overlay)
{
	struct overlay *old = *overlay;

	*overlay = NULL;
	if (old == NULL)
		return;
	store_close(&old->store);
	free(old->path);
	free(old);
}

bool
overlay_is_stale(const struct overlay *overlay)
{
	struct stat now;

	if (overlay->path == NULL)
		return false;
	if (stat(overlay->path, &now) != 0)
		return overlay->present;
	return !overlay->present || now.st_ino != overlay->seen.st_ino ||
	       now.st_size != overlay->seen.st_size ||
	       now.st_mtim.tv_sec != overlay->seen.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != overlay->seen.st_mtim.tv_nsec;
}

const struct store *
overlay_store(const struct overlay *overlay)
{
	return overlay->store;
}

uint64_t
overlay_bad_lines(const struct overlay *overlay)
{
	return overlay->bad_lines;
}

enum overlay_presence
overlay_find(const struct overlay *overlay, struct arena *arena,
    enum indicator_kind kind, struct slice key)
{
	struct store_lookup lookup = store_find(overlay->store, kind, key);
	struct store_suppressed suppressed;
	struct store_entry entry;
	struct slice own;

	if (store_find_next(&lookup, &entry))
		return entry.mask ? OVERLAY_MASKED : OVERLAY_ADDED;
	for (uint32_t i = 0; store_suppressed(overlay->store, i, &suppressed);
	     i++)
		if (suppressed.kind == kind &&
		    normal_key(arena, kind, suppressed.value, &own) ==
			NORMAL_GOOD &&
		    slice_equal(own, key))
			return OVERLAY_ADDED;
	return OVERLAY_ABSENT;
}

/* ----------------------------------------------------------------- appending */

static void
put_text(struct builder *out, const char *name, struct slice text)
{
	if (text.length == 0)
		return;
	builder_printf(out, ",\"%s\":\"", name);
	builder_json(out, text);
	builder_byte(out, '"');
}

static void
put_tags(struct builder *out, struct slice tags)
{
	bool first = true;

	if (tags.length == 0)
		return;
	builder_text(out, ",\"tags\":[");
	while (tags.length > 0) {
		struct slice tag;

		tags = slice_split(tags, '\n', &tag);
		builder_text(out, first ? "\"" : ",\"");
		builder_json(out, tag);
		builder_byte(out, '"');
		first = false;
	}
	builder_byte(out, ']');
}

/* A name that stays the same for the same kind and key. */
static void
put_id(
    struct builder *out, const struct overlay_change *change, struct slice key)
{
	if (change->id.length > 0)
		put_text(out, "id", change->id);
	else
		builder_printf(out, ",\"id\":\"local-%016llx\"",
		    (unsigned long long)format_hash(0, change->kind, key));
}

static struct slice
line_of(struct arena *arena, const struct overlay_change *change,
    struct slice key, int64_t now_unix)
{
	static const char *const operations[] = { "add", "remove", "mask" };
	struct builder out = builder_make(arena, SIZE_MAX);

	builder_printf(&out, "{\"op\":\"%s\",\"kind\":\"%s\",\"value\":\"",
	    operations[change->operation], indicator_kind_name(change->kind));
	builder_json(&out, slice_trim(change->value));
	builder_printf(&out, "\",\"added\":%lld", (long long)now_unix);
	put_text(&out, "author", change->author);
	put_text(&out, "description", change->description);
	if (change->operation == OVERLAY_ADD) {
		put_id(&out, change, key);
		put_text(&out, "severity",
		    slice_text(indicator_severity_name(change->severity)));
		put_text(
		    &out, "tlp", slice_text(indicator_tlp_name(change->tlp)));
		if (change->confidence <= 100)
			builder_printf(&out, ",\"confidence\":%u",
			    (unsigned)change->confidence);
		if (change->roles != 0)
			builder_printf(&out, ",\"roles\":%u", change->roles);
		if (change->expires_unix > 0)
			builder_printf(&out, ",\"expires\":%lld",
			    (long long)change->expires_unix);
		put_tags(&out, change->tags);
		if (change->force)
			builder_text(&out, ",\"force\":true");
	}
	builder_text(&out, "}\n");
	return out.failed ? slice_make(NULL, 0) : builder_result(&out);
}

/* When the store in force was built, as overlay_file_append() takes it. */
static int64_t
time_of_store(struct arena *arena, const char *state_directory)
{
	const char *path =
	    arena_printf(arena, "%s/%s", state_directory, BUILD_STORE_NAME);
	struct store *store = NULL;
	int64_t built = 0;

	if (path == NULL)
		return 0;
	switch (store_open(path, &store, NULL)) {
	case TC_OK:
		built = store_built_unix(store);
		break;
	case TC_SYSTEM:
		built = errno == ENOENT ? INT64_MAX : 0;
		break;
	default: /* damaged: it may hold what was removed since */
		break;
	}
	store_close(&store);
	return built;
}

/* Why a line could not be added. */
static const char *
append_problem(struct arena *arena, const char *path)
{
	if (errno == EFBIG)
		return arena_printf(arena,
		    "%s is full: it has more than %u MB, even without the "
		    "lines that later ones replace; a list of so many belongs "
		    "into a feed, see tocsin-feeds(5)",
		    path, OVERLAY_BYTES_MAX >> 20);
	return arena_printf(arena, "%s: %s", path, strerror(errno));
}

enum tc_status
overlay_append(struct arena *arena, const char *state_directory,
    const struct overlay_change *change, int64_t now_unix,
    const char **problem_out)
{
	enum normal_problem problem;
	struct slice key, line;
	char *path;

	*problem_out = NULL;
	problem = normal_key(arena, change->kind, change->value, &key);
	if (problem == NORMAL_GOOD &&
	    indicator_digest_size(change->kind) != 0 &&
	    slice_trim(change->value).length !=
		2 * indicator_digest_size(change->kind))
		problem = NORMAL_NOT_DIGEST;
	if (change->kind == INDICATOR_PATTERN || change->kind == INDICATOR_YARA)
		problem = NORMAL_NOT_TEXT;
	if (problem != NORMAL_GOOD) {
		*problem_out = arena_printf(arena, "\"%.*s\" %s",
		    (int)slice_range(change->value, 0, 200).length,
		    change->value.data, normal_problem_text(problem));
		return TC_INVALID;
	}
	line = line_of(arena, change, key, now_unix);
	path = arena_printf(arena, "%s/%s", state_directory, OVERLAY_FILE_NAME);
	if (line.data == NULL || path == NULL)
		return TC_LIMIT;
	if (!overlay_file_append(
		path, line, time_of_store(arena, state_directory), now_unix)) {
		*problem_out = append_problem(arena, path);
		return TC_SYSTEM;
	}
	return TC_OK;
}
