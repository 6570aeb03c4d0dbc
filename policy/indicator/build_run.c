#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "indicator/build_generation.h"
#include "indicator/build_history.h"
#include "indicator/build_image.h"
#include "indicator/build_limit.h"
#include "indicator/build_rules.h"
#include "indicator/overlay.h"
#include "indicator/store.h"

#define PROGRESS_EVERY 4096u /* items */
#define WARNINGS_MAX   1000u

/* One build from its lock to its rename. */
struct run {
	struct arena *arena;
	const struct build_request *request;
	struct build_report *report;
	struct build *build;
	struct exempt *exempt;
	struct store *old; /* in force; NULL when there is none */
	bool old_verified;
	uint64_t old_generation;
	bool had_store; /* there has been one, if only a damaged one */
	struct arena *scratch;
	uint64_t since_progress;
	struct build_progress progress;
	const struct build_feed *reading; /* the one at hand */
	uint64_t bytes_before;            /* of the feeds before it */
	bool stopped;
	size_t room; /* for entries of the feed at hand */
	/* Entries that the old store has of it and of those behind it. */
	uint64_t held_behind;
	/* What it remembers as revoked, by its feeds, and of those behind. */
	uint32_t *revoked_of;
	uint64_t revoked_behind;
	bool acceptable; /* the doubt is one that an operator can set aside */
	/* When it began, twice as futimens() takes it: the store's time, so
	 * that a source that changes from now on is newer than the store. */
	struct timespec began[2];
};

static void
warn(struct run *run, const char *text)
{
	const char **slot =
	    text == NULL
		? NULL
		: list_append(run->arena, &run->report->warnings, WARNINGS_MAX);

	if (slot != NULL)
		*slot = text;
}

/* A page of ours that somebody has broken into, or a link that stands below all
 * our mail: the operator has to look. */
static void
warn_own_urls(struct run *run, const char *feed)
{
	struct builder shown = builder_make(run->arena, 200);

	builder_printable(&shown, slice_text(run->build->own_url), 100);
	warn(run,
	    arena_printf(run->arena,
		"feed %s: %llu URLs at own-domains act, such as %s; what all "
		"may send is taken out by `tocsin indicators remove --mask url "
		"URL`",
		feed, (unsigned long long)run->build->own_urls_here,
		builder_c_string(&shown)));
}

static void
warn_damaged(struct run *run, const char *problem)
{
	warn(run, arena_printf(run->arena,
		      "the store in force %s; it is built without older "
		      "content",
		      problem));
}

/* Whether there is an old store whose content may be taken over. Its every
 * octet is read for that, so only when something is to be taken. */
static bool
old_is_sound(struct run *run)
{
	const char *problem = NULL;

	if (run->old == NULL || run->old_verified)
		return run->old != NULL;
	run->old_verified = store_verify(run->old, &problem);
	if (!run->old_verified) {
		warn_damaged(run, problem);
		store_close(&run->old);
	}
	return run->old_verified;
}

/* ---------------------------------------------------------------- one feed */

/* Says how far the reading is; false: stop. */
static bool
tell_reading(struct run *run)
{
	struct build_progress *progress = &run->progress;

	if (run->request->progress == NULL)
		return true;
	progress->indicators = run->build->entries.count;
	progress->bytes = run->bytes_before + run->reading->report.bytes;
	return run->request->progress(run->request->context, progress);
}

/* The same of the writing. */
static bool
tell_writing(void *context, uint64_t bytes, uint64_t total)
{
	struct run *run = context;
	struct build_progress *progress = &run->progress;

	progress->feed = NULL;
	progress->indicators = run->build->entries.count;
	progress->written = bytes;
	progress->to_write = total;
	return run->request->progress(run->request->context, progress);
}

static void
take_unused(void *context, const struct feed_item *item)
{
	struct run *run = context;

	build_unused(run->build, item);
}

static enum feed_reason
take_item(void *context, const struct feed_item *item)
{
	struct run *run = context;

	if (++run->since_progress >= PROGRESS_EVERY) {
		run->since_progress = 0;
		if (!tell_reading(run))
			run->stopped = true;
	}
	if (run->stopped || run->build->full)
		return FEED_REASONS; /* ends the reading */
	return build_add(run->build, item);
}

/* "holds nothing that can be used", with what most of it was. */
static const char *
nothing_used(struct run *run, const struct feed_report *report)
{
	unsigned most = FEED_NOT_INDICATOR;

	for (unsigned i = 1; i < FEED_REASONS; i++)
		if (i != FEED_NOT_INDICATOR &&
		    (most == FEED_NOT_INDICATOR ||
			report->reasons[i] > report->reasons[most]) &&
		    report->reasons[i] > 0)
			most = i;
	return arena_printf(run->arena,
	    "holds nothing that can be used; %llu of %llu: %s%s",
	    (unsigned long long)report->reasons[most],
	    (unsigned long long)report->read,
	    feed_reason_text((enum feed_reason)most),
	    most == FEED_TO_IDS ? " (`to-ids ignore` uses them)" : "");
}

/* What a feed brings, whatever the settings make of it: other settings or
 * warninglists do not make it shrink. */
static uint64_t
brought(uint64_t used, const uint64_t *reasons)
{
	return used + reasons[FEED_SUPPRESSED] + reasons[FEED_TOO_BROAD] +
	       reasons[FEED_KIND_OFF] + reasons[FEED_TO_IDS] +
	       reasons[FEED_LOW_CONFIDENCE];
}

/* An operator may say that a feed is right to hold so little. */
static bool
is_accepted(const struct run *run, const char *feed)
{
	return run->request->accept != NULL &&
	       strcmp(run->request->accept, feed) == 0;
}

static const char *
little_is_left(struct run *run, const struct build_feed *feed,
    const struct store_feed *before)
{
	const struct feed_report *report = &feed->report;
	/* What is revoked has come as well. */
	uint64_t now = brought(report->used, report->reasons) +
		       report->reasons[FEED_REVOKED];
	uint64_t then =
	    before == NULL ? 0 : brought(before->used, before->reasons);

	if (now == 0)
		return report->read > 0 ? nothing_used(run, report)
		       : report->reasons[FEED_NOT_INDICATOR] > 0
			   ? "holds other things, but no indicators"
			   : "is empty";
	if (now < then / 10)
		return arena_printf(run->arena,
		    "has shrunk from %llu to %llu indicators",
		    (unsigned long long)then, (unsigned long long)now);
	return NULL;
}

/* What is beyond the room of the feed at hand, as a predicate. */
static const char *
too_many(struct run *run)
{
	return arena_printf(run->arena, "has %s",
	    build_limit_text(run->arena, run->request, run->build->config,
		run->build->room_limit, build_beyond_room(run->build)));
}

/* Says that a feed has grown beyond its room and had been whole before, or
 * NULL. What was cut before, or would not fit now, is no better than the new
 * content cut. */
static const char *
outgrown(struct run *run, const struct store_feed *before)
{
	if (build_beyond_room(run->build) == 0 || before->used > run->room ||
	    before->reasons[FEED_TOO_MANY] > 0)
		return NULL;
	return too_many(run);
}

/* Why a feed's new content is not to be trusted, or NULL. */
static const char *
doubt(struct run *run, enum tc_status status, const struct build_feed *feed,
    const struct store_feed *before)
{
	const struct feed_report *report = &feed->report;
	const char *why;

	run->acceptable = false;
	if (run->build->full)
		return "does not fit: there is no memory";
	if (status != TC_OK)
		return report->problem != NULL ? report->problem
					       : "cannot be read";
	if (report->format == FEED_FORMAT_YARA)
		return NULL;
	why = little_is_left(run, feed, before);
	run->acceptable = why != NULL;
	if (why != NULL)
		return is_accepted(run, feed->name) ? NULL : why;
	if (report->cut_off && before != NULL && before->used > 0)
		return "ends in the middle: the file was cut off";
	return before == NULL ? NULL : outgrown(run, before);
}

/* The old content stays in force: said in the report and in the store. */
static void
keep_old(struct run *run, struct build_feed *feed, uint32_t old_feed,
    const struct store_feed *before, const char *why)
{
	struct feed_report kept = { .format = before->format,
		.read = before->read,
		.used = before->used,
		.bytes = before->bytes,
		.published_unix = before->published_unix,
		.problem = why };

	memcpy(kept.reasons, before->reasons, sizeof kept.reasons);
	feed->kept = true;
	feed->warning = arena_printf(run->arena,
	    "feed %s %s; its older content stays in force%s%s%s", feed->name,
	    why, run->acceptable ? " (`tocsin indicators build --accept " : "",
	    run->acceptable ? feed->name : "",
	    run->acceptable ? "` takes the new one)" : "");
	build_drop_feed(run->build);
	build_history_keep(run->build, run->old, old_feed, run->scratch);
	build_mark_kept(run->build);
	build_end_feed(run->build, &kept, before->loaded_unix);
}

/* Says that a feed brings older versions than are known: here, and in the store
 * for `feeds status`. */
static void
tell_gone_back(struct run *run, struct build_feed *feed)
{
	struct build *build = run->build;
	const char *text;

	if (build->held_here + build->barred_here == 0)
		return;
	text = arena_printf(run->arena,
	    "has gone back: older versions of %llu indicators that stay as "
	    "they are, and %llu that were revoked and stay out (`tocsin "
	    "indicators build --accept %s` takes them as they come)",
	    (unsigned long long)build->held_here,
	    (unsigned long long)build->barred_here, feed->name);
	if (text == NULL || feed->warning != NULL)
		return;
	feed->warning =
	    arena_printf(run->arena, "feed %s %s", feed->name, text);
	build_say_problem(build, text);
}

/* The new content comes into force: all but what the old store has newer. */
static void
take_new(struct run *run, const struct feed_config *config,
    struct build_feed *feed, uint32_t old_feed, const char *why)
{
	struct build *build = run->build;
	const struct feed_report *report = &feed->report;

	if (why == NULL && report->cut_off)
		feed->warning = arena_printf(run->arena,
		    "feed %s ends in the middle; what stands before the cut is "
		    "used",
		    config->name);
	if (why == NULL && report->used == 0 && report->read > 0 &&
	    report->reasons[FEED_REVOKED] == 0 &&
	    config->format != FEED_FORMAT_YARA &&
	    config->format != FEED_FORMAT_LOCAL)
		why = nothing_used(run, report);
	if (why == NULL && build_beyond_room(build) > 0)
		why = arena_printf(run->arena,
		    "%s; what stands first in it is used, a higher limit takes "
		    "all",
		    too_many(run));
	if (why != NULL)
		feed->warning =
		    arena_printf(run->arena, "feed %s %s", config->name, why);
	feed->report.problem = why;
	if (old_feed != UINT32_MAX && !is_accepted(run, config->name) &&
	    build_history_matters(run->old, old_feed, &feed->report) &&
	    old_is_sound(run))
		build_history_newer(build, run->old, old_feed, run->scratch);
	feed->suppressed = build->suppressed_here;
	if (build->own_urls_here > 0)
		warn_own_urls(run, config->name);
	build_end_feed(build, &feed->report, run->request->now_unix);
	tell_gone_back(run, feed);
}

static void
settle_feed(struct run *run, const struct feed_config *config,
    enum tc_status status, struct build_feed *feed)
{
	uint32_t old_feed = UINT32_MAX;
	struct store_feed before = { 0 };
	const char *why;

	if (run->old != NULL)
		old_feed = store_feed_index(run->old, slice_text(config->name));
	if (old_feed != UINT32_MAX && !store_feed(run->old, old_feed, &before))
		old_feed = UINT32_MAX;
	/* Of what was added by hand only a failure counts: there may be
	 * nothing, and it may shrink. */
	why = config->format == FEED_FORMAT_LOCAL && status == TC_OK
		  ? NULL
		  : doubt(run, status, feed,
			old_feed == UINT32_MAX ? NULL : &before);
	if (why != NULL && old_feed != UINT32_MAX && before.used > 0 &&
	    old_is_sound(run))
		keep_old(run, feed, old_feed, &before, why);
	else
		take_new(run, config, feed, old_feed, why);
	warn(run, feed->warning);
}

static double
seconds_now(void)
{
	struct timespec now = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* How many entries a feed has in the old store, no more than it may. Settings
 * keep some from being used that stand there all the same. */
static uint64_t
held_before(const struct run *run, const struct feed_config *config)
{
	uint64_t room = build_limit_room(run->request, config), held;
	struct store_feed before;
	uint32_t index;

	if (run->old == NULL)
		return 0;
	index = store_feed_index(run->old, slice_text(config->name));
	if (index == UINT32_MAX || !store_feed(run->old, index, &before))
		return 0;
	held = before.used + before.reasons[FEED_KIND_OFF] +
	       before.reasons[FEED_TO_IDS] +
	       before.reasons[FEED_LOW_CONFIDENCE];
	return held < room ? held : room;
}

/* Gives the feed its room: one that grows must not take that of the content
 * which the feeds behind it have now. What was added by hand always has room.
 */
static void
give_room(struct run *run, const struct feed_config *config)
{
	const struct build_limits *limits = &run->request->limits;
	uint64_t left = limits->entries_max, own, behind;
	enum feed_limit limit = FEED_LIMIT_MAX_INDICATORS;

	run->room = build_limit_room(run->request, config);
	if (config->format == FEED_FORMAT_LOCAL) {
		run->room = UINT32_MAX;
	} else {
		left -= run->build->entries.count < left
			    ? run->build->entries.count
			    : left;
		own = held_before(run, config);
		run->held_behind -= own;
		behind = run->held_behind;
		/* Less room than before is shared out as it was. */
		if (own + behind > left)
			behind = left * behind / (own + behind);
		if (left - behind < run->room) {
			run->room = left - behind;
			limit = FEED_LIMIT_INDICATORS;
		}
	}
	build_set_room(run->build, run->room, limit);
}

/* How many revoked ones are remembered of a feed. */
static uint64_t
revoked_before(const struct run *run, const struct feed_config *config)
{
	uint32_t index =
	    run->revoked_of == NULL || run->old == NULL
		? UINT32_MAX
		: store_feed_index(run->old, slice_text(config->name));

	return index == UINT32_MAX ? 0 : run->revoked_of[index];
}

/* The same of what is remembered as revoked. */
static void
give_revoked_room(struct run *run, const struct feed_config *config)
{
	struct build *build = run->build;
	uint64_t all = run->request->limits.revoked_max;
	uint64_t room = build_share(build, (uint32_t)all), own;
	uint64_t left =
	    all > build->revoked.count ? all - build->revoked.count : 0;

	own = revoked_before(run, config);
	if (own > room)
		room = own;
	run->revoked_behind -=
	    own < run->revoked_behind ? own : run->revoked_behind;
	if (run->revoked_behind > left)
		room = 0; /* the limit is lower than it was */
	else if (left - run->revoked_behind < room)
		room = left - run->revoked_behind;
	build->revoked_room = build->revoked.count + (size_t)room;
}

/* Counts by feed what the old store remembers as revoked. */
static void
count_revoked(struct run *run)
{
	uint32_t feeds = run->old == NULL ? 0 : store_feed_count(run->old);

	if (feeds == 0)
		return;
	run->revoked_of =
	    arena_alloc_array(run->arena, feeds, sizeof *run->revoked_of);
	if (run->revoked_of == NULL)
		return;
	memset(run->revoked_of, 0, feeds * sizeof *run->revoked_of);
	for (uint32_t i = 0; i < store_revoked_count(run->old); i++) {
		uint32_t feed = store_revoked_feed(run->old, i);

		if (feed < feeds)
			run->revoked_of[feed]++;
	}
	for (size_t i = 0; i < run->request->feed_count; i++)
		run->revoked_behind +=
		    revoked_before(run, &run->request->feeds[i]);
}

static enum tc_status
read_feed(
    struct run *run, const struct feed_config *config, struct build_feed *feed)
{
	struct feed_sink sink = {
		.context = run, .item = take_item, .unused = take_unused
	};
	struct feed_limits limits = run->request->limits.feed;
	double begun = seconds_now();
	enum tc_status status = build_begin_feed(run->build, config);

	/* What was added by hand is no publisher's. */
	if (config->format == FEED_FORMAT_LOCAL)
		limits = feed_limits_defaults();
	limits.spool_folder = run->request->state_directory;
	feed->name = config->name;
	run->progress.feed = config->name;
	run->reading = feed;
	if (status != TC_OK)
		return status;
	give_room(run, config);
	give_revoked_room(run, config);
	status = feed_read(run->arena, config, &limits, &sink, &feed->report);
	feed->seconds = seconds_now() - begun;
	feed->bytes = feed->report.bytes;
	run->bytes_before += feed->bytes;
	if (run->stopped)
		return TC_AGAIN;
	if (status == TC_SYSTEM && config->format == FEED_FORMAT_LOCAL &&
	    access(config->source, F_OK) != 0 && errno == ENOENT) {
		feed->report =
		    (struct feed_report){ .format = FEED_FORMAT_LOCAL };
		status = TC_OK;
	}
	settle_feed(run, config, status, feed);
	return run->build->full ? TC_LIMIT : TC_OK;
}

/* Octets of all sources together; a folder's files count, those below it do
 * not. */
static uint64_t
bytes_to_read(const struct build_request *request)
{
	uint64_t total = 0;

	for (size_t i = 0; i < request->feed_count; i++)
		total += feed_source_bytes(
		    &request->feeds[i], &request->limits.feed);
	return total;
}

static enum tc_status
read_feeds(struct run *run)
{
	const struct build_request *request = run->request;
	struct feed_config local = overlay_feed_config();
	struct build_report *report = run->report;
	enum tc_status status = TC_OK;

	report->feeds = arena_alloc_array(
	    run->arena, request->feed_count + 1, sizeof *report->feeds);
	local.source = arena_printf(
	    run->arena, "%s/%s", request->state_directory, OVERLAY_FILE_NAME);
	if (report->feeds == NULL || local.source == NULL)
		return TC_SYSTEM;
	count_revoked(run);
	for (size_t i = 0; i < request->feed_count; i++)
		run->held_behind += held_before(run, &request->feeds[i]);
	for (size_t i = 0; i < request->feed_count && status == TC_OK; i++) {
		status = read_feed(run, &request->feeds[i], &report->feeds[i]);
		report->feed_count++;
	}
	if (status == TC_OK) {
		status =
		    read_feed(run, &local, &report->feeds[report->feed_count]);
		report->feed_count++;
	}
	return status;
}

/* ----------------------------------------------------------------- the file */

static enum tc_status
fail(struct run *run, enum tc_status status, const char *what)
{
	run->report->problem =
	    status == TC_SYSTEM
		? arena_printf(run->arena, "%s: %s", what, strerror(errno))
		: what;
	return status;
}

/* Syncs the folder, so that the new name survives a power cut. */
static void
sync_folder(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	fsync(fd);
	close(fd);
}

static enum tc_status
check_file(struct run *run, const char *path)
{
	struct store *store = NULL;
	const char *problem = NULL;
	enum tc_status status = store_open(path, &store, &problem);

	if (status == TC_OK && !store_verify(store, &problem))
		status = TC_INVALID;
	if (status == TC_OK) {
		run->report->entries = store_entry_count(store);
		run->report->size_bytes = store_size_bytes(store);
	} else {
		run->report->problem = arena_printf(run->arena,
		    "the new store %s", problem == NULL ? "is bad" : problem);
	}
	store_close(&store);
	return status;
}

/* One line for each limit that a feed has met: how much is lost, and the
 * setting that would take it. Of its room has been spoken before. */
static void
warn_beyond(struct run *run, const struct feed_config *config,
    const struct feed_report *report)
{
	for (unsigned i = FEED_LIMIT_PER_VALUE; i < FEED_LIMITS; i++)
		if (report->limits[i] > 0)
			warn(run, arena_printf(run->arena,
				      "feed %s: %s; a higher one takes them",
				      config->name,
				      build_limit_text(run->arena, run->request,
					  config, (enum feed_limit)i,
					  report->limits[i])));
}

/* Repetitions and older versions come to light when all is laid out. */
static void
settle_counts(struct run *run)
{
	for (size_t i = 0;
	     i < run->report->feed_count && i < run->build->feeds.count; i++) {
		struct feed_report *report = &run->report->feeds[i].report;

		build_take_counts(run->build, i, report);
		if (i < run->request->feed_count)
			warn_beyond(run, &run->request->feeds[i], report);
	}
}

static enum tc_status
write_store(struct run *run)
{
	const char *folder = run->request->state_directory;
	char *path =
	    arena_printf(run->arena, "%s/%s", folder, BUILD_STORE_NAME);
	char *aside =
	    arena_printf(run->arena, "%s/%s.new", folder, BUILD_STORE_NAME);
	uint64_t generation = build_generation_next(run->arena, folder,
	    run->old_generation, run->had_store, run->request->now_unix);
	enum tc_status status;
	int fd;

	if (path == NULL || aside == NULL)
		return TC_LIMIT;
	if (!build_generation_take(run->arena, folder, generation))
		return fail(run, TC_SYSTEM,
		    arena_printf(
			run->arena, "%s/%s", folder, BUILD_GENERATION_NAME));
	unlink(aside); /* what a build that was killed left */
	fd = open(aside, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	if (fd < 0)
		return fail(run, TC_SYSTEM, aside);
	status =
	    build_write(run->build, generation, run->request->now_unix, fd);
	if (status == TC_OK &&
	    (fsync(fd) != 0 || futimens(fd, run->began) != 0))
		status = TC_SYSTEM;
	if (status != TC_OK)
		fail(run, status, aside);
	if (close(fd) != 0 && status == TC_OK)
		status = fail(run, TC_SYSTEM, aside);
	if (status == TC_OK)
		status = check_file(run, aside);
	if (status == TC_OK && rename(aside, path) != 0)
		status = fail(run, TC_SYSTEM, path);
	if (status != TC_OK) {
		unlink(aside);
		return status;
	}
	if (!build_rules_write(run->build, folder))
		warn(run, arena_printf(run->arena, "%s/%s: %s", folder,
			      BUILD_RULES_FOLDER, strerror(errno)));
	sync_folder(folder);
	settle_counts(run);
	run->report->generation = generation;
	return TC_OK;
}

static void
open_old(struct run *run)
{
	const char *problem = NULL;
	char *path = arena_printf(run->arena, "%s/%s",
	    run->request->state_directory, BUILD_STORE_NAME);
	enum tc_status status;

	if (path == NULL)
		return;
	status = store_open(path, &run->old, &problem);
	if (status == TC_INVALID) {
		run->had_store = true;
		warn_damaged(run, problem);
	}
	if (status == TC_OK)
		run->old_generation = store_generation(run->old);
}

static void
report_pins(struct run *run)
{
	const struct exempt_config *config = &run->request->exempt;
	struct build_report *report = run->report;

	report->pins = arena_alloc_array(
	    run->arena, config->pin_count + 1, sizeof *report->pins);
	for (size_t i = 0; report->pins != NULL && i < config->pin_count; i++) {
		struct build_pin *pin = &report->pins[report->pin_count];

		*pin = (struct build_pin){ .pin = &config->pins[i] };
		if (!exempt_pin_use(run->exempt, i, &pin->count, &pin->reason))
			return;
		/* The name of a list ends with the lists. */
		if (pin->reason != NULL)
			pin->reason =
			    arena_text(run->arena, slice_text(pin->reason));
		report->pin_count++;
	}
}

static enum tc_status
run_locked(struct run *run)
{
	enum tc_status status;
	const char *problem;

	open_old(run);
	run->scratch = arena_new(1u << 20, NULL);
	if (run->request->progress != NULL)
		run->progress.to_read = bytes_to_read(run->request);
	run->exempt = exempt_new(&run->request->exempt);
	run->build = build_new(&run->request->limits);
	if (run->scratch == NULL || run->exempt == NULL || run->build == NULL)
		return fail(run, TC_SYSTEM, "no memory for the build");
	for (size_t i = 0; (problem = exempt_problem(run->exempt, i)) != NULL;
	     i++)
		warn(run, arena_printf(run->arena, "warninglist %s", problem));
	build_set_exempt(run->build, run->exempt);
	run->build->settings_sum = run->request->settings_sum;
	run->build->several = run->request->feed_count > 1;
	run->build->now_unix = run->request->now_unix;
	if (run->request->progress != NULL)
		build_set_progress(run->build, tell_writing, run);
	status = read_feeds(run);
	report_pins(run);
	run->report->warninglists = exempt_counts(run->exempt);
	warn(run, build_limit_steps(run->arena, &run->request->exempt,
		      exempt_stopped_count(run->exempt)));
	if (status == TC_OK)
		status = write_store(run);
	else if (run->report->problem == NULL)
		run->report->problem =
		    status == TC_AGAIN
			? "stopped"
			: "there is no memory for the indicators";
	return status;
}

/* The time is the file system's, as are those of the sources. */
static enum tc_status
note_beginning(struct run *run, int lock)
{
	struct stat info;

	if (futimens(lock, NULL) != 0 || fstat(lock, &info) != 0)
		return fail(run, TC_SYSTEM, BUILD_LOCK_NAME);
	run->began[0] = run->began[1] = info.st_mtim;
	return TC_OK;
}

enum tc_status
build_run(struct arena *arena, const struct build_request *request,
    struct build_report *report_out)
{
	struct run run = {
		.arena = arena, .request = request, .report = report_out
	};
	char *path = arena_printf(
	    arena, "%s/%s", request->state_directory, BUILD_LOCK_NAME);
	enum tc_status status;
	int lock;

	*report_out = (struct build_report){ 0 };
	if (path == NULL)
		return TC_LIMIT;
	/* It stays when the store goes. */
	run.had_store = access(path, F_OK) == 0;
	lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock < 0 && errno == ENOENT)
		return fail(&run, TC_INVALID,
		    arena_printf(arena,
			"the state-directory %s does not exist; it is made by "
			"`install -d -m 0700 -o USER %s`, USER being who runs "
			"the filter",
			request->state_directory, request->state_directory));
	if (lock < 0)
		return fail(&run, TC_SYSTEM, path);
	if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
		close(lock);
		report_out->problem = "another build is at work";
		return TC_AGAIN;
	}
	status = note_beginning(&run, lock);
	if (status == TC_OK)
		status = run_locked(&run);
	build_free(&run.build);
	exempt_free(&run.exempt);
	arena_free(&run.scratch);
	store_close(&run.old);
	close(lock);
	return status;
}
