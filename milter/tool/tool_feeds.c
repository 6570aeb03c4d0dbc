#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "tool/engine.h"
#include "tool/fetch.h"
#include "tool/progress.h"
#include "tool/tool.h"

static const char usage[] =
    "  update [NAME...]    fetch feeds whose `refresh` has passed; with NAMEs\n"
    "                      those, now. The daemon takes a new file by itself\n"
    "  status [NAME...]    each feed's source, age and content\n"
    "\n"
    "  -c, --config FILE   the configuration (default " SYSCONFDIR
    "/tocsin.conf)\n"
    "      --force         update: all feeds, also those that are fresh\n"
    "      --json          results as JSON\n"
    "  -h, --help          this text\n"
    "\n"
    "Run `tocsin feeds update` from a timer, as a user of its own: it needs the\n"
    "network and write access to STATE-DIRECTORY/feeds, nothing else.\n";

struct options {
	const char *config;
	bool force, json;
};

static bool
is_named(const char *name, int count, char **names)
{
	for (int i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

/* The time since the file of a fetched feed was last brought up to date, by
 * its .state file, which each fetch renews. */
static int64_t
fetched_unix(const struct engine *engine, const char *name)
{
	const char *path = arena_printf(engine->arena, "%s/feeds/%s.state",
	    engine->request.state_directory, name);
	struct stat info;

	return stat(path, &info) == 0 ? (int64_t)info.st_mtim.tv_sec : 0;
}

static enum fetch_protocol
protocol_of(
    const struct feed_config *feed, const struct settings_feed_fetch *fetch)
{
	struct slice url = slice_text(fetch->url);

	/* Nothing else has collections. */
	if ((feed->format == FEED_FORMAT_STIX ||
		feed->format == FEED_FORMAT_AUTO) &&
	    (fetch->collection[0] != '\0' ||
		slice_find(url, SLICE_LITERAL("/collections/")) != SIZE_MAX))
		return FETCH_TAXII;
	if (feed->format == FEED_FORMAT_MISP &&
	    (slice_ends_with(url, SLICE_LITERAL("/")) ||
		slice_ends_with(url, SLICE_LITERAL("/manifest.json"))))
		return FETCH_MISP;
	return FETCH_FILE;
}

static void
report_update(const struct feed_config *feed, enum tc_status status,
    const struct fetch_result *result, bool json, bool first)
{
	const char *outcome = status != TC_OK   ? "failed"
			      : result->changed ? "updated"
						: "unchanged";

	if (!json) {
		printf("%-20s %s, %llu bytes received", feed->name, outcome,
		    (unsigned long long)result->bytes);
		if (result->objects > 0)
			printf(", %u objects", result->objects);
		printf("\n");
		if (result->problem != NULL)
			fprintf(stderr, "tocsin feeds: %s: %s\n", feed->name,
			    result->problem);
		return;
	}
	printf("%s{\"feed\":\"%s\",\"outcome\":\"%s\",\"bytes\":%llu,"
	       "\"objects\":%u,\"problem\":\"",
	    first ? "" : ",", feed->name, outcome,
	    (unsigned long long)result->bytes, result->objects);
	engine_print_json(slice_text(result->problem));
	printf("\"}");
}

/* What the line of a feed's progress needs. */
struct shown_fetch {
	struct progress progress;
	const char *name;
};

static void
show_fetch(void *context, const struct fetch_progress *fetch)
{
	struct shown_fetch *shown = context;
	double seconds, part = 0;

	if (!progress_is_due(&shown->progress))
		return;
	seconds = progress_seconds(&shown->progress);
	if (fetch->events_to_fetch > 0)
		part = (double)fetch->events / (double)fetch->events_to_fetch;
	else if (fetch->document_size > 0)
		part = (double)fetch->document_bytes /
		       (double)fetch->document_size;
	progress_show(&shown->progress, shown->name, part,
	    "%.1f MB received, %.2f MB/s", (double)fetch->bytes / 1e6,
	    (double)fetch->bytes / 1e6 / seconds);
}

static enum tc_status
update_one(struct engine *engine, size_t index, const char *folder,
    struct fetch_result *result)
{
	const struct settings *settings = program_settings(engine->program);
	const struct feed_config *feed = &settings->feeds[index];
	const struct settings_feed_fetch *fetch =
	    &settings->feed_fetches[index];
	struct shown_fetch shown = { progress_begin(), feed->name };
	enum tc_status status;
	struct fetch_request request = {
		.progress = shown.progress.on ? show_fetch : NULL,
		.context = &shown,
		.name = feed->name,
		.url = fetch->url,
		.folder = folder,
		.protocol = protocol_of(feed, fetch),
		.collection = fetch->collection,
		.auth_file =
		    fetch->auth_file[0] == '\0' ? NULL : fetch->auth_file,
		.size_bytes_max = feed->size_bytes_max,
		.now_unix = engine->request.now_unix,
	};

	status = fetch_run(engine->arena, &request, result);
	progress_end(&shown.progress);
	return status;
}

static bool
is_due(struct engine *engine, size_t index)
{
	const struct settings *settings = program_settings(engine->program);
	int64_t fetched = fetched_unix(engine, settings->feeds[index].name);
	int64_t refresh_s =
	    (int64_t)(settings->feed_fetches[index].refresh / 1000);

	return fetched == 0 || fetched + refresh_s <= engine->request.now_unix;
}

/* EX_OK when each name is that of a feed, of a fetched one for an update. */
static int
check_names(struct engine *engine, bool update, int count, char **names)
{
	const struct settings *settings = program_settings(engine->program);

	for (int i = 0; i < count; i++) {
		size_t at = 0;

		while (at < settings->feed_count &&
		       strcmp(settings->feeds[at].name, names[i]) != 0)
			at++;
		if (at == settings->feed_count) {
			fprintf(stderr,
			    "tocsin feeds: there is no feed \"%s\" in the "
			    "configuration\n",
			    names[i]);
			return EX_NOINPUT;
		}
		if (update && settings->feed_fetches[at].url == NULL) {
			fprintf(stderr,
			    "tocsin feeds: feed %s is read from %s; there is "
			    "nothing to fetch\n",
			    names[i], settings->feeds[at].source);
			return EX_USAGE;
		}
	}
	return EX_OK;
}

/* Two updates at once would write into each other's files. The lock ends with
 * the process. */
static int
lock_folder(const char *folder)
{
	int lock = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (lock < 0) {
		fprintf(
		    stderr, "tocsin feeds: %s: %s\n", folder, strerror(errno));
		return EX_CANTCREAT;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return EX_OK;
	fputs("tocsin feeds: another update is at work\n", stderr);
	close(lock);
	return EX_TEMPFAIL;
}

static int
run_update(struct engine *engine, const struct options *options, int count,
    char **names)
{
	const struct settings *settings = program_settings(engine->program);
	const char *folder = arena_printf(
	    engine->arena, "%s/feeds", engine->request.state_directory);
	bool first = true;
	int worst;

	(void)mkdir(folder, 0750);
	worst = lock_folder(folder);
	if (worst != EX_OK)
		return worst;
	printf(options->json ? "[" : "");
	for (size_t i = 0; i < settings->feed_count; i++) {
		struct fetch_result result = { 0 };
		enum tc_status status;

		if (settings->feed_fetches[i].url == NULL ||
		    (count > 0 &&
			!is_named(settings->feeds[i].name, count, names)))
			continue;
		if (count == 0 && !options->force && !is_due(engine, i))
			continue;
		status = update_one(engine, i, folder, &result);
		report_update(
		    &settings->feeds[i], status, &result, options->json, first);
		first = false;
		if (status != TC_OK)
			worst = EX_TEMPFAIL;
	}
	printf(options->json ? "]\n" : "");
	return worst;
}

/* What the store holds of a configured feed; all zero when it has none. */
static struct store_feed
stored_feed(const struct engine *engine, const char *name)
{
	struct store_feed stored = { 0 };
	uint32_t number =
	    engine->store == NULL
		? UINT32_MAX
		: store_feed_index(engine->store, slice_text(name));

	if (number != UINT32_MAX)
		store_feed(engine->store, number, &stored);
	return stored;
}

static void
print_status_json(const char *name, const char *source,
    const struct store_feed *stored, long long age_s, long long fetched_s,
    bool present)
{
	printf("{\"feed\":\"%s\",\"source\":\"", name);
	engine_print_json(slice_text(source));
	printf("\",\"format\":\"%s\",\"age\":%lld,\"fetched\":%lld,"
	       "\"present\":%s,\"read\":%llu,\"used\":%llu,\"kept\":%s,"
	       "\"problem\":\"",
	    feed_format_name(stored->format), age_s, fetched_s,
	    present ? "true" : "false", (unsigned long long)stored->read,
	    (unsigned long long)stored->used, stored->kept ? "true" : "false");
	engine_print_json(stored->problem);
	printf("\"}");
}

/* "3 days", "5 hours", "12 minutes", "40 seconds". */
static const char *
duration_text(struct arena *arena, long long seconds)
{
	if (seconds >= 2 * 86400)
		return arena_printf(arena, "%lld days", seconds / 86400);
	if (seconds >= 2 * 3600)
		return arena_printf(arena, "%lld hours", seconds / 3600);
	if (seconds >= 120)
		return arena_printf(arena, "%lld minutes", seconds / 60);
	return arena_printf(arena, "%lld seconds", seconds);
}

static void
print_status(struct engine *engine, const struct store_feed *stored,
    const char *url, long long age_s, long long fetched_s, bool present)
{
	if (!present)
		printf("    %s\n",
		    url == NULL      ? "the source is not there"
		    : fetched_s >= 0 ? "fetched, but its file is gone"
				     : "not fetched yet: tocsin feeds update");
	if (url != NULL && fetched_s >= 0)
		printf("    fetched %s ago\n",
		    duration_text(engine->arena, fetched_s));
	if (age_s >= 0)
		printf("    %s old, %llu of %llu indicators used%s\n",
		    duration_text(engine->arena, age_s),
		    (unsigned long long)stored->used,
		    (unsigned long long)stored->read,
		    stored->kept ? ", older content kept" : "");
	else if (stored->name.length == 0)
		printf("    not in the store yet: tocsin indicators build\n");
	if (stored->problem.length > 0) {
		printf("    ");
		engine_print_safe(stored->problem);
		printf("\n");
	}
}

/* The source as it may be shown: a login in it is left out. */
static const char *
shown_source(struct engine *engine, const char *source)
{
	struct slice whole = slice_text(source), server;
	size_t scheme = slice_find(whole, SLICE_LITERAL("://")), login;

	if (scheme == SIZE_MAX)
		return source;
	slice_split(slice_skip(whole, scheme + 3), '/', &server);
	login = slice_find_last_byte(server, '@');
	if (login == SIZE_MAX)
		return source;
	return arena_printf(engine->arena, "%.*s://...%s", (int)scheme, source,
	    server.data + login);
}

static void
report_status(struct engine *engine, size_t index, bool json, bool first)
{
	const struct settings *settings = program_settings(engine->program);
	const struct feed_config *feed = &settings->feeds[index];
	const char *url = settings->feed_fetches[index].url;
	const char *source =
	    url == NULL ? feed->source : shown_source(engine, url);
	struct store_feed stored = stored_feed(engine, feed->name);
	int64_t fetched = url == NULL ? 0 : fetched_unix(engine, feed->name);
	long long age_s = -1, fetched_s = -1;
	struct stat info;
	uint64_t age;

	if (matcher_feed_age(engine->matcher, slice_text(feed->name),
		engine->request.now_unix, &age))
		age_s = (long long)age;
	if (fetched != 0)
		fetched_s = fetched < engine->request.now_unix
				? engine->request.now_unix - fetched
				: 0;
	if (json) {
		printf("%s", first ? "" : ",");
		print_status_json(feed->name, source, &stored, age_s, fetched_s,
		    stat(feed->source, &info) == 0);
		return;
	}
	printf("%-20s %s\n", feed->name, source);
	print_status(engine, &stored, url, age_s, fetched_s,
	    stat(feed->source, &info) == 0);
}

static int
run_status(struct engine *engine, const struct options *options, int count,
    char **names)
{
	int status = engine_open_matcher(engine);
	bool first = true;

	if (status != EX_OK)
		return status;
	printf(options->json ? "[" : "");
	for (size_t i = 0; i < engine->request.feed_count; i++) {
		if (count > 0 &&
		    !is_named(engine->request.feeds[i].name, count, names))
			continue;
		report_status(engine, i, options->json, first);
		first = false;
	}
	printf(options->json ? "]\n" : "");
	return EX_OK;
}

int
tool_feeds(int argc, char **argv)
{
	static const struct option known[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "force", no_argument, NULL, 'f' },
		{ "json", no_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct options options = { .config = TOOL_CONFIGURATION };
	struct engine engine;
	const char *word;
	int option, status;

	while ((option = getopt_long(argc, argv, "c:h", known, NULL)) != -1) {
		switch (option) {
		case 'c':
			options.config = optarg;
			break;
		case 'f':
			options.force = true;
			break;
		case 'j':
			options.json = true;
			break;
		case 'h':
			return tool_usage(
			    "feeds update|status [NAME...] [OPTION...]", usage);
		default:
			return tool_misused("feeds", "unknown option");
		}
	}
	word = optind < argc ? argv[optind++] : "";
	if (strcmp(word, "update") != 0 && strcmp(word, "status") != 0)
		return tool_misused("feeds", "update or status?");
	status = engine_open(&engine, "feeds", options.config);
	if (status != EX_OK)
		return status;
	status = check_names(
	    &engine, strcmp(word, "update") == 0, argc - optind, argv + optind);
	if (status == EX_OK)
		status = engine_become_owner(&engine);
	if (status == EX_OK)
		status = strcmp(word, "update") == 0
			     ? run_update(&engine, &options, argc - optind,
				   argv + optind)
			     : run_status(&engine, &options, argc - optind,
				   argv + optind);
	engine_close(&engine);
	return status;
}
