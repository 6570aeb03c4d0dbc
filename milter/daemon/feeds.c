#include <config.h>

#include <dirent.h>
#include <glob.h>
#include <sys/stat.h>
#include <time.h>

#include "base/domain.h"
#include "daemon/feeds.h"
#include "indicator/overlay.h"
#include "indicator/warninglist.h"

#define FOLDER_ENTRIES_MAX  100000
#define WARNINGLISTS_FOLDER "warninglists"

static enum tc_status
take_own_domains(const struct program *program, struct arena *arena,
    struct exempt_config *exempt)
{
	const struct value_list *list = program_list(
	    program_own_lists(program), program_settings(program)->own_domains);
	size_t count = list == NULL ? 0 : value_list_count(list);
	struct slice *domains =
	    arena_alloc_array(arena, count + 1, sizeof *domains);

	if (domains == NULL)
		return TC_LIMIT;
	exempt->own_domains = domains;
	for (size_t i = 0; i < count; i++)
		if (domain_canonical(arena, value_list_entry(list, i, NULL),
			&domains[exempt->own_domain_count]))
			exempt->own_domain_count++;
	return TC_OK;
}

static enum tc_status
take_own_networks(const struct program *program, struct arena *arena,
    struct exempt_config *exempt)
{
	const struct value_list *list = program_list(program_own_lists(program),
	    program_settings(program)->own_networks);
	size_t count = list == NULL ? 0 : value_list_count(list);
	struct ipaddr_network *networks =
	    arena_alloc_array(arena, count + 1, sizeof *networks);

	if (networks == NULL)
		return TC_LIMIT;
	exempt->own_networks = networks;
	for (size_t i = 0; i < count; i++)
		if (ipaddr_network_parse(value_list_entry(list, i, NULL),
			&networks[exempt->own_network_count], NULL))
			exempt->own_network_count++;
	return TC_OK;
}

static enum tc_status
take_pins(const struct settings *settings, struct arena *arena,
    struct exempt_config *exempt)
{
	struct exempt_pin *pins =
	    arena_alloc_array(arena, settings->pin_count + 1, sizeof *pins);

	if (pins == NULL)
		return TC_LIMIT;
	exempt->pins = pins;
	for (size_t i = 0; i < settings->pin_count; i++) {
		struct exempt_pin *pin = &pins[exempt->pin_count];

		if (!indicator_kind_parse(
			slice_text(settings->pins[i].kind), &pin->kind))
			continue;
		pin->value = settings->pins[i].value;
		exempt->pin_count++;
	}
	return TC_OK;
}

static enum tc_status
take_warninglists(const struct settings *settings, struct arena *arena,
    struct exempt_config *exempt)
{
	const char **folder;

	exempt->misp_hostname_rule = settings->warninglist_hostname_parents;
	exempt->warninglists = settings->warninglists.items;
	exempt->warninglist_count = settings->warninglists.count;
	if (settings->warninglists.items != NULL)
		return TC_OK;
	folder = arena_alloc_array(arena, 1, sizeof *folder);
	if (folder == NULL)
		return TC_LIMIT;
	*folder = arena_printf(
	    arena, "%s/" WARNINGLISTS_FOLDER, settings->state_directory);
	if (*folder == NULL)
		return TC_LIMIT;
	exempt->warninglists = folder;
	exempt->warninglist_count = 1;
	exempt->warninglists_optional = true;
	return TC_OK;
}

static void
take_feed_limits(const struct settings_limits *limits, struct feed_limits *out)
{
	out->line_bytes_max = (size_t)limits->feed_line;
	out->columns_max = (unsigned)limits->feed_columns;
	out->object_bytes_max = (size_t)limits->feed_object;
	out->json_depth_max = (unsigned)limits->feed_depth;
	out->pattern_bytes_max = (unsigned)limits->feed_pattern;
	out->pattern_atoms_max = (unsigned)limits->feed_pattern_terms;
	out->files_max = (unsigned)limits->feed_files;
}

static void
take_exempt_limits(
    const struct settings_limits *limits, struct exempt_limits *out)
{
	out->list_bytes_max = (size_t)limits->warninglist_size;
	out->lists_max = (uint32_t)limits->warninglist_files;
	out->entries_max = (uint32_t)limits->warninglist_entries;
	out->regexes_max = (uint32_t)limits->warninglist_regexes;
	out->regex_steps_max = (uint32_t)limits->regex_steps;
}

static void
take_limits(const struct settings_limits *limits, struct build_limits *out)
{
	take_feed_limits(limits, &out->feed);
	out->same_key_max = (uint32_t)limits->indicators_per_value;
	out->suppressed_max = (uint32_t)limits->suppressed_listed;
	out->unkeyed_patterns_max = (uint32_t)limits->unkeyed_patterns;
	out->entries_max = (uint32_t)limits->indicators;
	out->rules_max = (uint32_t)limits->feed_yara_rules;
	out->revoked_max = (uint32_t)limits->revoked_indicators;
	out->revoked_age_s = limits->revoked_age / 1000;
}

/* ---- what tells the settings of a build from others */

static void
sum_bytes(uint64_t *sum, const void *bytes, size_t size)
{
	*sum = slice_hash(slice_make(bytes, size), *sum);
}

static void
sum_text(uint64_t *sum, const char *text)
{
	if (text != NULL)
		sum_bytes(sum, text, strlen(text) + 1);
}

static void
sum_number(uint64_t *sum, uint64_t number)
{
	sum_bytes(sum, &number, sizeof number);
}

static void
sum_file(void *context, const char *path)
{
	sum_text(context, path);
}

/* What a matcher takes from the settings (status, severity, expire ...) needs
 * no build. */
static void
sum_feed(uint64_t *sum, const struct feed_config *feed)
{
	sum_text(sum, feed->name);
	sum_text(sum, feed->source);
	sum_number(sum, feed->format);
	sum_number(sum, feed->kinds);
	sum_number(sum, feed->ignore_to_ids);
	sum_number(sum, feed->minimum_confidence);
	sum_number(sum, feed->confidence);
	sum_number(sum, feed->refang);
	sum_number(sum, feed->size_bytes_max);
	sum_number(sum, feed->indicators_max);
	sum_number(sum, (unsigned char)feed->delimiter);
	sum_number(sum, (unsigned char)feed->comment);
	for (size_t i = 0; i < feed->column_count; i++) {
		const struct feed_column *column = &feed->columns[i];

		sum_number(sum, column->role);
		sum_number(sum, column->has_kind);
		sum_number(sum, column->kind);
		sum_number(sum, column->number);
		sum_text(sum, column->name);
	}
}

static void
sum_exempt(uint64_t *sum, const struct exempt_config *exempt)
{
	sum_number(sum, exempt->misp_hostname_rule);
	sum_number(sum, exempt->limits.list_bytes_max);
	sum_number(sum, exempt->limits.lists_max);
	sum_number(sum, exempt->limits.entries_max);
	sum_number(sum, exempt->limits.regexes_max);
	sum_number(sum, exempt->limits.regex_steps_max);
	for (size_t i = 0; i < exempt->warninglist_count; i++)
		(void)warninglist_each_file(
		    exempt->warninglists[i], sum_file, sum);
	sum_number(sum, exempt->own_domain_count);
	for (size_t i = 0; i < exempt->own_domain_count; i++)
		sum_bytes(sum, exempt->own_domains[i].data,
		    exempt->own_domains[i].length);
	sum_number(sum, exempt->own_network_count);
	for (size_t i = 0; i < exempt->own_network_count; i++) {
		sum_bytes(sum, exempt->own_networks[i].address.octets, 16);
		sum_number(sum, exempt->own_networks[i].prefix_length);
	}
	sum_number(sum, exempt->pin_count);
	for (size_t i = 0; i < exempt->pin_count; i++) {
		sum_number(sum, exempt->pins[i].kind);
		sum_bytes(sum, exempt->pins[i].value.data,
		    exempt->pins[i].value.length);
	}
}

/* One by one: between the members of a struct there may be anything. */
static void
sum_limits(uint64_t *sum, const struct build_limits *limits)
{
	sum_number(sum, limits->unkeyed_patterns_max);
	sum_number(sum, limits->entries_max);
	sum_number(sum, limits->rules_max);
	sum_number(sum, limits->same_key_max);
	sum_number(sum, limits->suppressed_max);
	sum_number(sum, limits->revoked_max);
	sum_number(sum, limits->revoked_age_s);
	sum_number(sum, limits->feed.line_bytes_max);
	sum_number(sum, limits->feed.columns_max);
	sum_number(sum, limits->feed.object_bytes_max);
	sum_number(sum, limits->feed.json_depth_max);
	sum_number(sum, limits->feed.pattern_bytes_max);
	sum_number(sum, limits->feed.pattern_atoms_max);
	sum_number(sum, limits->feed.files_max);
}

static uint32_t
settings_sum(const struct build_request *request)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < request->feed_count; i++)
		sum_feed(&sum, &request->feeds[i]);
	sum_exempt(&sum, &request->exempt);
	sum_limits(&sum, &request->limits);
	return (uint32_t)(sum ^ sum >> 32) | 1; /* 0: unknown */
}

const struct feed_config *
feeds_configured(const struct settings *settings)
{
	static const struct feed_config none;

	return settings->feeds == NULL ? &none : settings->feeds;
}

enum tc_status
feeds_build_request(const struct program *program, int64_t now_unix,
    struct arena *arena, struct build_request *request_out)
{
	const struct settings *settings = program_settings(program);
	struct build_request request = {
		.state_directory = settings->state_directory,
		.feeds = feeds_configured(settings),
		.feed_count = settings->feed_count,
		.limits = build_limits_defaults(),
		.now_unix = now_unix,
	};
	enum tc_status status;

	take_limits(&settings->limits, &request.limits);
	take_exempt_limits(&settings->limits, &request.exempt.limits);
	status = take_warninglists(settings, arena, &request.exempt);
	if (status == TC_OK)
		status = take_own_domains(program, arena, &request.exempt);
	if (status == TC_OK)
		status = take_own_networks(program, arena, &request.exempt);
	if (status == TC_OK)
		status = take_pins(settings, arena, &request.exempt);
	request.settings_sum = settings_sum(&request);
	if (status == TC_OK)
		*request_out = request;
	return status;
}

static void
take_nothing(void *context, const char *path)
{
	(void)context;
	(void)path;
}

const char *
feeds_without_warninglists(
    const struct build_request *request, struct arena *arena)
{
	if (request->feed_count == 0 ||
	    !request->exempt.warninglists_optional ||
	    warninglist_each_file(
		request->exempt.warninglists[0], take_nothing, NULL))
		return NULL;
	return arena_printf(arena,
	    "there are no warninglists: names and networks that belong to "
	    "everybody act when a feed lists them; copy the folder lists/ of "
	    "MISP's warninglists to %s, or say `warninglists { }`",
	    request->exempt.warninglists[0]);
}

const char *
feeds_store_path(const struct build_request *request, struct arena *arena)
{
	return arena_printf(
	    arena, "%s/%s", request->state_directory, BUILD_STORE_NAME);
}

/* What sources are compared with, and what was found. */
struct comparison {
	struct timespec built;
	int64_t now_unix;
	struct timespec latest; /* out: the last change of all that are newer */
};

/* True when a file has changed since the build began. The time of the change is
 * what counts, not that of the content, which a file keeps that is moved or
 * copied into place. Equal counts as after: a file that was written in the
 * clock tick of the build may not have been read whole. */
static bool
is_newer(const struct stat *info, struct comparison *with)
{
	const struct timespec *changed = &info->st_ctim;

	if (changed->tv_sec < with->built.tv_sec ||
	    (changed->tv_sec == with->built.tv_sec &&
		changed->tv_nsec < with->built.tv_nsec))
		return false;
	if (changed->tv_sec > with->latest.tv_sec ||
	    (changed->tv_sec == with->latest.tv_sec &&
		changed->tv_nsec > with->latest.tv_nsec))
		with->latest = *changed;
	return true;
}

static bool
folder_is_newer(const char *path, struct comparison *with)
{
	DIR *folder = opendir(path);
	struct dirent *entry;
	unsigned left = FOLDER_ENTRIES_MAX;
	bool newer = false;

	if (folder == NULL)
		return false;
	while (left-- > 0 && (entry = readdir(folder)) != NULL) {
		struct stat info;

		if (entry->d_name[0] != '.' &&
		    fstatat(dirfd(folder), entry->d_name, &info, 0) == 0 &&
		    is_newer(&info, with))
			newer = true;
	}
	closedir(folder);
	return newer;
}

static bool
source_is_newer(const char *path, struct comparison *with)
{
	struct stat info;
	bool newer;

	if (stat(path, &info) != 0)
		return false; /* a feed that is gone keeps its old content */
	newer = is_newer(&info, with);
	return (S_ISDIR(info.st_mode) && folder_is_newer(path, with)) || newer;
}

static bool
warninglist_is_newer(const char *pattern, struct comparison *with)
{
	glob_t found = { 0 };
	bool newer = false;

	if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
		for (size_t i = 0; i < found.gl_pathc; i++)
			newer |= source_is_newer(found.gl_pathv[i], with);
	globfree(&found);
	return newer;
}

static bool
a_warninglist_is_newer(
    const struct build_request *request, struct comparison *with)
{
	for (size_t i = 0; i < request->exempt.warninglist_count; i++)
		if (warninglist_is_newer(request->exempt.warninglists[i], with))
			return true;
	return false;
}

/* Says which is the first, or NULL. */
static const char *
newer_feed(const struct build_request *request, struct arena *arena,
    struct comparison *with)
{
	const char *which = NULL;

	for (size_t i = 0; i < request->feed_count; i++)
		if (request->feeds[i].format != FEED_FORMAT_YARA &&
		    source_is_newer(request->feeds[i].source, with) &&
		    which == NULL)
			which = arena_printf(
			    arena, "feed %s is newer", request->feeds[i].name);
	return which;
}

/* Nothing is fresh that changes after now: the clock was set back, and it would
 * be for long. */
static bool
is_fresh(const struct timespec *changed)
{
	struct timespec now;
	int64_t age_ms;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	age_ms = (int64_t)(now.tv_sec - changed->tv_sec) * 1000 +
		 (now.tv_nsec - changed->tv_nsec) / 1000000;
	return age_ms >= 0 && age_ms < FEEDS_FRESH_MS;
}

bool
feeds_store_is_stale(const struct build_request *request, struct arena *arena,
    const char **reason_out, struct feeds_change *change_out)
{
	struct comparison with = { .now_unix = request->now_unix };
	struct stat store;

	*change_out = (struct feeds_change){ 0 };
	if (stat(feeds_store_path(request, arena), &store) != 0) {
		*reason_out = "there is no store yet";
		return true;
	}
	with.built = store.st_mtim;
	*reason_out = newer_feed(request, arena, &with);
	if (*reason_out == NULL && a_warninglist_is_newer(request, &with))
		*reason_out = "a warninglist is newer";
	if (*reason_out == NULL)
		return false;
	change_out->in_future = with.latest.tv_sec > with.now_unix;
	change_out->fresh = is_fresh(&with.latest);
	return true;
}
