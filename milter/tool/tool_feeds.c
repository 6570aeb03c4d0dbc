#include <config.h>

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "tool/engine.h"
#include "tool/fetch.h"
#include "tool/fetch_retry.h"
#include "tool/progress.h"
#include "tool/tool.h"

/* Feeds that are fetched at once: a slow server takes one place. */
#define AT_ONCE_MAX 8u

static const char usage[] =
    "  update [NAME...]    fetch feeds whose `refresh` has passed; with NAMEs\n"
    "                      those, now. The daemon takes a new file by itself\n"
    "  status [NAME...]    each feed's source, age and content, and when it is\n"
    "                      asked for next\n"
    "\n"
    "  -c, --config FILE   the configuration (default " SYSCONFDIR
    "/tocsin.conf)\n"
    "      --force         update: all feeds, also those that are fresh or wait\n"
    "                      after a failure\n"
    "      --json          results as JSON\n"
    "  -h, --help          this text\n"
    "\n"
    "Run `tocsin feeds update` from a timer, as a user of its own: it needs the\n"
    "network and write access to STATE-DIRECTORY/feeds, nothing else.\n"
    "tocsin-feeds.timer does that.\n";

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

static const char *
feeds_folder(const struct engine *engine)
{
	return arena_printf(
	    engine->arena, "%s/feeds", engine->request.state_directory);
}

static enum fetch_protocol
protocol_of(
    const struct feed_config *feed, const struct settings_feed_fetch *fetch)
{
	struct slice url = slice_text(fetch->url);

	/* Nothing else has collections. */
	if ((feed->format == FEED_FORMAT_STIX ||
		feed->format == FEED_FORMAT_AUTO) &&
	    (fetch->collection != NULL ||
		slice_find(url, SLICE_LITERAL("/collections/")) != SIZE_MAX))
		return FETCH_TAXII;
	if (feed->format == FEED_FORMAT_MISP &&
	    (slice_ends_with(url, SLICE_LITERAL("/")) ||
		slice_ends_with(url, SLICE_LITERAL("/manifest.json"))))
		return FETCH_MISP;
	return FETCH_FILE;
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

/* One feed that is fetched, and what came of it. */
struct job {
	size_t index;
	struct arena *arena;
	enum tc_status status;
	struct fetch_result result;
	int64_t next_unix; /* of a failed one: not asked before; 0 */
};

static void
print_update(
    const struct feed_config *feed, const struct job *job, int64_t now_unix)
{
	const struct fetch_result *result = &job->result;

	printf("%-20s %s, %llu bytes received", feed->name,
	    job->status != TC_OK ? "failed"
	    : result->unfinished ? "unfinished"
	    : result->changed    ? "updated"
				 : "unchanged",
	    (unsigned long long)result->bytes);
	if (result->objects > 0)
		printf(", %u objects", result->objects);
	printf("\n");
	if (result->problem != NULL)
		fprintf(stderr, "tocsin feeds: %s: %s\n", feed->name,
		    result->problem);
	if (job->next_unix > now_unix)
		fprintf(stderr,
		    "tocsin feeds: %s: not asked again for %s, but by name or "
		    "with --force\n",
		    feed->name,
		    duration_text(job->arena, job->next_unix - now_unix));
}

static void
print_update_json(const struct feed_config *feed, const struct job *job)
{
	const struct fetch_result *result = &job->result;

	printf("{\"feed\":\"%s\",\"outcome\":\"%s\",\"bytes\":%llu,"
	       "\"objects\":%u,\"next\":%lld,\"problem\":\"",
	    feed->name,
	    job->status != TC_OK ? "failed"
	    : result->unfinished ? "unfinished"
	    : result->changed    ? "updated"
				 : "unchanged",
	    (unsigned long long)result->bytes, result->objects,
	    (long long)job->next_unix);
	engine_print_json(slice_text(result->problem));
	printf("\"}");
}

/* What all threads of an update share. */
struct update {
	struct engine *engine;
	const char *folder;
	bool json;
	struct job *jobs;
	size_t count;
	pthread_mutex_t mutex; /* of what is below, and of the output */
	size_t next;           /* job that nobody has taken */
	size_t reported;
	struct progress progress;
};

struct shown_fetch {
	struct update *update;
	const char *name;
};

static void
show_progress(struct progress *progress, const char *name,
    const struct fetch_progress *fetch)
{
	double seconds, part = 0;

	if (!progress_is_due(progress))
		return;
	seconds = progress_seconds(progress);
	if (fetch->events_to_fetch > 0)
		part = (double)fetch->events / (double)fetch->events_to_fetch;
	else if (fetch->document_size > 0)
		part = (double)fetch->document_bytes /
		       (double)fetch->document_size;
	progress_show(progress, name, part, "%.1f MB received, %.2f MB/s",
	    (double)fetch->bytes / 1e6, (double)fetch->bytes / 1e6 / seconds);
}

static void
show_fetch(void *context, const struct fetch_progress *fetch)
{
	struct shown_fetch *shown = context;

	pthread_mutex_lock(&shown->update->mutex);
	show_progress(&shown->update->progress, shown->name, fetch);
	pthread_mutex_unlock(&shown->update->mutex);
}

/* Two updates of a feed at once would write into each other's files. The lock
 * ends with its descriptor. */
static int
lock_feed(struct arena *arena, const char *folder, const char *name,
    struct fetch_result *result)
{
	const char *path = arena_printf(arena, "%s/%s.lock", folder, name);
	int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	if (lock < 0) {
		result->problem =
		    arena_printf(arena, "%s: %s", path, strerror(errno));
		return -1;
	}
	if (flock(lock, LOCK_EX | LOCK_NB) == 0)
		return lock;
	result->problem = "another update is at work on it";
	close(lock);
	return -1;
}

static void
run_fetch(struct update *update, struct job *job)
{
	const struct settings *settings =
	    program_settings(update->engine->program);
	const struct feed_config *feed = &settings->feeds[job->index];
	const struct settings_feed_fetch *fetch =
	    &settings->feed_fetches[job->index];
	struct shown_fetch shown = { update, feed->name };
	struct fetch_request request = {
		.progress = update->progress.on ? show_fetch : NULL,
		.context = &shown,
		.name = feed->name,
		.url = fetch->url,
		.folder = update->folder,
		.protocol = protocol_of(feed, fetch),
		.collection = fetch->collection,
		/* What MISP takes a client of its API by. */
		.accept = feed->format == FEED_FORMAT_MISP ? "application/json"
							   : NULL,
		.auth_file = fetch->auth_file,
		.post_file = fetch->post_file,
		.ca_file = fetch->ca_file,
		.client_cert = fetch->client_cert,
		.client_key = fetch->client_key,
		.proxy = fetch->proxy,
		.size_bytes_max = feed->size_bytes_max,
		.events_max = (size_t)settings->limits.feed_files,
		.time_s = (unsigned)(fetch->fetch_time / 1000),
		.now_unix = update->engine->request.now_unix,
	};

	job->status = fetch_run(job->arena, &request, &job->result);
}

/* Fetches a feed and notes when it is to be asked for again. */
static void
run_job(struct update *update, struct job *job)
{
	const struct settings *settings =
	    program_settings(update->engine->program);
	const char *name = settings->feeds[job->index].name;
	const char *url = settings->feed_fetches[job->index].url;
	const struct fetch_result *result = &job->result;
	int lock = lock_feed(job->arena, update->folder, name, &job->result);

	if (lock < 0)
		return;
	run_fetch(update, job);
	if (job->status != TC_OK)
		job->next_unix = fetch_retry_failed(job->arena, update->folder,
		    name, url, result->problem, result->retry_after_s,
		    (int64_t)time(NULL))
				     .next_unix;
	else if (result->unfinished)
		fetch_retry_unfinished(job->arena, update->folder, name, url,
		    result->problem, (int64_t)time(NULL));
	else
		fetch_retry_clear(job->arena, update->folder, name);
	close(lock);
}

static void
report_job(struct update *update, const struct job *job)
{
	const struct settings *settings =
	    program_settings(update->engine->program);
	const struct feed_config *feed = &settings->feeds[job->index];

	progress_end(&update->progress);
	if (!update->json) {
		print_update(feed, job, (int64_t)time(NULL));
	} else {
		printf("%s", update->reported > 0 ? "," : "");
		print_update_json(feed, job);
	}
	fflush(stdout);
	update->reported++;
}

static void *
work(void *context)
{
	struct update *update = context;

	pthread_mutex_lock(&update->mutex);
	while (update->next < update->count) {
		struct job *job = &update->jobs[update->next++];

		pthread_mutex_unlock(&update->mutex);
		job->arena = arena_new(0, NULL);
		job->status = TC_SYSTEM;
		if (job->arena != NULL)
			run_job(update, job);
		pthread_mutex_lock(&update->mutex);
		report_job(update, job);
		arena_free(&job->arena);
	}
	pthread_mutex_unlock(&update->mutex);
	return NULL;
}

/* Works on the jobs with as many threads as there are, and are to be had. */
static void
run_jobs(struct update *update)
{
	pthread_t threads[AT_ONCE_MAX - 1];
	size_t count = 0;

	while (count + 1 < update->count && count < AT_ONCE_MAX - 1 &&
	       pthread_create(&threads[count], NULL, work, update) == 0)
		count++;
	work(update);
	while (count > 0)
		pthread_join(threads[--count], NULL);
}

/* When a feed is to be asked for next: after its `refresh`, or after a failure
 * when its wait is over. */
static int64_t
next_unix(struct engine *engine, size_t index, struct fetch_retry *retry_out)
{
	const struct settings *settings = program_settings(engine->program);
	const struct settings_feed_fetch *fetch =
	    &settings->feed_fetches[index];
	const char *name = settings->feeds[index].name;
	int64_t fetched = fetched_unix(engine, name);

	*retry_out = fetch_retry_read(
	    engine->arena, feeds_folder(engine), name, fetch->url);
	if (retry_out->next_unix != 0)
		return retry_out->next_unix;
	if (fetched == 0 || !fetch_was_from(engine->arena, feeds_folder(engine),
				name, fetch->url))
		return 0;
	return fetched + (int64_t)(fetch->refresh / 1000);
}

static bool
is_due(struct engine *engine, size_t index)
{
	struct fetch_retry retry;

	return next_unix(engine, index, &retry) <= engine->request.now_unix;
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

/* The feeds to fetch: those named, or all that are due. */
static void
choose_jobs(struct update *update, const struct options *options, int count,
    char **names)
{
	const struct settings *settings =
	    program_settings(update->engine->program);

	for (size_t i = 0; i < settings->feed_count; i++) {
		if (settings->feed_fetches[i].url == NULL ||
		    (count > 0 &&
			!is_named(settings->feeds[i].name, count, names)))
			continue;
		if (count == 0 && !options->force && !is_due(update->engine, i))
			continue;
		update->jobs[update->count++] = (struct job){ .index = i };
	}
}

static int
run_update(struct engine *engine, const struct options *options, int count,
    char **names)
{
	const struct settings *settings = program_settings(engine->program);
	struct update update = {
		.engine = engine,
		.folder = feeds_folder(engine),
		.json = options->json,
		.mutex = PTHREAD_MUTEX_INITIALIZER,
		.jobs = arena_alloc_array(engine->arena,
		    settings->feed_count + 1, sizeof *update.jobs),
	};
	int worst = EX_OK;

	if (update.jobs == NULL || curl_global_init(CURL_GLOBAL_DEFAULT) != 0)
		return EX_OSERR;
	if (mkdir(update.folder, 0750) != 0 && errno != EEXIST) {
		fprintf(stderr, "tocsin feeds: %s: %s\n", update.folder,
		    strerror(errno));
		return EX_CANTCREAT;
	}
	choose_jobs(&update, options, count, names);
	update.progress = progress_begin();
	printf(options->json ? "[" : "");
	run_jobs(&update);
	printf(options->json ? "]\n" : "");
	for (size_t i = 0; i < update.count; i++)
		if (update.jobs[i].status != TC_OK)
			worst = EX_TEMPFAIL;
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
    int64_t next, const struct fetch_retry *retry, bool present)
{
	printf("{\"feed\":\"%s\",\"source\":\"", name);
	engine_print_json(slice_text(source));
	printf("\",\"format\":\"%s\",\"age\":%lld,\"fetched\":%lld,"
	       "\"present\":%s,\"read\":%llu,\"used\":%llu,\"kept\":%s,"
	       "\"next\":%lld,\"failures\":%u,\"fetch-problem\":\"",
	    feed_format_name(stored->format), age_s, fetched_s,
	    present ? "true" : "false", (unsigned long long)stored->read,
	    (unsigned long long)stored->used, stored->kept ? "true" : "false",
	    (long long)next, retry->failures);
	engine_print_json(slice_text(retry->problem));
	printf("\",\"problem\":\"");
	engine_print_json(stored->problem);
	printf("\"}");
}

/* When the feed is asked for next, and why not before. */
static void
print_next(struct engine *engine, int64_t next, const struct fetch_retry *retry)
{
	long long wait_s = (long long)(next - engine->request.now_unix);

	if (retry->next_unix != 0) {
		if (retry->failures > 0)
			printf("    not fetched, %u time%s in a row: ",
			    retry->failures, retry->failures == 1 ? "" : "s");
		else
			printf("    not all fetched: ");
		engine_print_safe(slice_text(retry->problem));
		printf("\n");
	}
	if (wait_s > 0)
		printf("    asked for next in %s\n",
		    duration_text(engine->arena, wait_s));
	else
		printf("    asked for with the next update\n");
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

static void
report_status(struct engine *engine, size_t index, bool json, bool first)
{
	const struct settings *settings = program_settings(engine->program);
	const struct feed_config *feed = &settings->feeds[index];
	const char *url = settings->feed_fetches[index].url;
	const char *source = url == NULL ? feed->source : url;
	struct store_feed stored = stored_feed(engine, feed->name);
	int64_t fetched = url == NULL ? 0 : fetched_unix(engine, feed->name);
	long long age_s = -1, fetched_s = -1;
	struct fetch_retry retry = { 0, 0, "" };
	int64_t next = url == NULL ? 0 : next_unix(engine, index, &retry);
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
		    next, &retry, stat(feed->source, &info) == 0);
		return;
	}
	printf("%-20s %s\n", feed->name, source);
	print_status(engine, &stored, url, age_s, fetched_s,
	    stat(feed->source, &info) == 0);
	if (url != NULL)
		print_next(engine, next, &retry);
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
	bool update;

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
	update = strcmp(word, "update") == 0;
	status = check_names(&engine, update, argc - optind, argv + optind);
	if (status == EX_OK)
		status = update ? engine_become_feeds_owner(&engine)
				: engine_become_owner(&engine);
	if (status == EX_OK)
		status = update ? run_update(&engine, &options, argc - optind,
				      argv + optind)
				: run_status(&engine, &options, argc - optind,
				      argv + optind);
	engine_close(&engine);
	return status;
}
