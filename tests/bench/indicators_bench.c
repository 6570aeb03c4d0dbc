/*
 * indicators_bench - how the store does at size
 *
 * Writes a CSV feed of N synthetic indicators (10 million unless given) into a
 * folder, builds a store of it and looks keys up. Reports seconds, octets per
 * indicator, the time to open, look-ups per second, and how long matches take
 * while stores are swapped; judges nothing, since the numbers are the
 * machine's. With --feed-only it only writes FOLDER/bench.csv.
 *
 *	indicators_bench FOLDER [COUNT [--feed-only]]
 */
#include <config.h>

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "indicator/build.h"
#include "indicator/match.h"

#define COUNT_DEFAULT  10000000
#define LOOK_UPS       1000000
#define FEED_BYTES_MAX 8000000000ULL
#define KINDS_IN_TEN   10
#define SWAPS          20

static uint64_t random_state = 88172645463325252ULL;

static uint64_t
next_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Of this thread, page faults included: without what others do meanwhile. */
static double
cpu_seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double
seconds_of(struct timeval time)
{
	return (double)time.tv_sec + (double)time.tv_usec / 1e6;
}

/* Memory that no other process shares and that no file holds, in MB
 * (smaps_rollup of Linux); 0: not known. */
static unsigned long
private_memory(void)
{
	FILE *file = fopen("/proc/self/smaps_rollup", "r");
	unsigned long kilobytes = 0, one;
	char line[256];

	while (file != NULL && fgets(line, sizeof line, file) != NULL)
		if (sscanf(line, "Anonymous: %lu", &one) == 1)
			kilobytes += one;
	if (file != NULL)
		fclose(file);
	return kilobytes / 1024;
}

/* Four names, two URLs, an address, two digests and a mailbox in ten. */
static const char *
make_value(unsigned long number, char *value, size_t size)
{
	unsigned long long a = next_random(), b = next_random();
	unsigned long long c = next_random();

	switch (number % KINDS_IN_TEN) {
	case 4:
	case 5:
		snprintf(value, size, "http://h%llx.name%llu.net/p/%llx.php",
		    a >> 40, b % 100, c >> 44);
		return "url";
	case 6:
		snprintf(value, size, "%llu.%llu.%llu.%llu", 11 + a % 80,
		    b % 256, c % 256, (a >> 20) % 256);
		return "ip-dst";
	case 7:
		snprintf(value, size, "%016llx%016llx%016llx%016llx", a, b, c,
		    a ^ b);
		return "sha256";
	case 8:
		snprintf(value, size, "%016llx%016llx", a, b);
		return "md5";
	case 9:
		snprintf(value, size, "u%llx@name%llu.org", a >> 36, b % 1000);
		return "email-src";
	default:
		snprintf(value, size, "m%llx.name%llu.com", a >> 28, b % 1000);
		return "domain";
	}
}

static bool
write_feed(const char *path, unsigned long count)
{
	FILE *file = fopen(path, "w");
	char value[256];

	if (file == NULL)
		return false;
	fprintf(file, "value,type,uuid,description,tags\n");
	for (unsigned long i = 0; i < count; i++) {
		const char *type = make_value(i, value, sizeof value);
		unsigned long long id = next_random();

		fprintf(file,
		    "%s,%s,%08llx-%04llx-4000-8000-%012lx,"
		    "description %lu of a thousand,tag%lu|synthetic\n",
		    value, type, id >> 32, id >> 16 & 0xffff, i, i % 1000,
		    i % 1000);
	}
	return fclose(file) == 0;
}

static void
look_up(const struct store *store)
{
	double start = seconds(), hits, misses;
	unsigned long found = 0;

	for (unsigned long i = 0; i < LOOK_UPS; i++) {
		struct store_entry entry, again;
		struct store_lookup lookup;

		if (!store_entry(store,
			(uint32_t)(next_random() % store_entry_count(store)),
			&entry))
			continue;
		lookup = store_find(store, entry.kind, entry.key);
		found += store_find_next(&lookup, &again);
	}
	hits = seconds() - start;
	start = seconds();
	for (unsigned long i = 0; i < LOOK_UPS; i++) {
		struct store_entry entry;
		struct store_lookup lookup;
		char key[64];
		int length = snprintf(key, sizeof key, "h%llx.absent.com",
		    (unsigned long long)next_random());

		lookup = store_find(
		    store, INDICATOR_DOMAIN, slice_make(key, (size_t)length));
		found += store_find_next(&lookup, &entry);
	}
	misses = seconds() - start;
	printf("look-ups: %.2f million/s that hit, %.2f million/s that miss "
	       "(%lu found)\n",
	    LOOK_UPS / hits / 1e6, LOOK_UPS / misses / 1e6, found);
}

/* ------------------------------------------------- matches while stores change */

/* A store with its matcher, freed when the last match lets go of it. */
struct binding {
	struct store *store;
	struct matcher *matcher;
	atomic_uint references;
};

static struct {
	pthread_mutex_t lock;
	struct binding *current;
} slot = { .lock = PTHREAD_MUTEX_INITIALIZER };

static atomic_bool matching_ends;

struct timing {
	bool favoured;
	double total, worst, worst_cpu;
	unsigned long count, over_1_ms, over_5_ms;
};

static struct binding *
bind(const char *path)
{
	struct binding *binding = calloc(1, sizeof *binding);

	if (binding == NULL || store_open(path, &binding->store, NULL) != TC_OK)
		exit(1);
	store_warm(binding->store);
	binding->matcher = matcher_new(binding->store, NULL, NULL, 0);
	atomic_init(&binding->references, 1);
	return binding;
}

/* The thread that swaps is the one that frees, as in the daemon. */
static void
unbind(struct binding *binding)
{
	while (atomic_load(&binding->references) > 1)
		sched_yield();
	matcher_free(&binding->matcher);
	store_close(&binding->store);
	free(binding);
}

/* What a message with sixty links and some addresses shows; names nobody has
 * seen, so that each look-up meets other pages. */
static void
observe(struct arena *arena, struct match_observations *observations)
{
	for (unsigned i = 0; i < 100; i++) {
		struct match_observation *one =
		    list_append(arena, &observations->items, 1000);

		*one = (struct match_observation){
			.kind = i < 60   ? INDICATOR_URL
				: i < 80 ? INDICATOR_ADDRESS
					 : INDICATOR_DOMAIN,
			.where = i < 60 ? MATCH_LINK : MATCH_TO,
			.part = -1,
			.value = slice_text(arena_printf(arena,
			    i < 60   ? "http://h%llx.name1.net/p/q.php?x=1"
			    : i < 80 ? "u%llx@name2.org"
				     : "m%llx.name3.com",
			    (unsigned long long)next_random())),
		};
	}
}

/* Before all else that runs here, where root asks: what is timed is then ours
 * and not our neighbours'. */
static bool
favour_thread(void)
{
	struct sched_param parameters = { .sched_priority = 10 };

	return pthread_setschedparam(pthread_self(), SCHED_RR, &parameters) ==
	       0;
}

static void *
match_on(void *context)
{
	struct timing *timing = context;
	/* At that priority half of the processor stays free. */
	struct timespec pause = { .tv_nsec = 100000 };
	struct match_limits limits = match_limits_defaults();
	struct arena *arena = arena_new(0, NULL);

	timing->favoured = favour_thread();
	while (!atomic_load(&matching_ends)) {
		struct match_observations observations = { 0 };
		struct match_hits hits;
		struct binding *binding;
		double begun, took, cpu;

		arena_reset(arena);
		observe(arena, &observations);
		cpu = cpu_seconds();
		begun = seconds();
		pthread_mutex_lock(&slot.lock);
		binding = slot.current;
		atomic_fetch_add(&binding->references, 1);
		pthread_mutex_unlock(&slot.lock);
		(void)match_run(binding->matcher, &observations, &limits,
		    (int64_t)time(NULL), arena, &hits);
		atomic_fetch_sub(&binding->references, 1);
		took = seconds() - begun;
		cpu = cpu_seconds() - cpu;
		if (cpu > timing->worst_cpu)
			timing->worst_cpu = cpu;
		timing->count++;
		timing->total += took;
		timing->over_1_ms += took > 1e-3;
		timing->over_5_ms += took > 5e-3;
		if (took > timing->worst)
			timing->worst = took;
		nanosleep(&pause, NULL);
	}
	arena_free(&arena);
	return NULL;
}

/* Matches for some seconds, with `swaps` swaps in that time. */
static void
match_while(const char *path, unsigned swaps)
{
	struct timing timing = { 0 };
	double bound = 0, unbound = 0;
	pthread_t thread;

	atomic_store(&matching_ends, false);
	if (pthread_create(&thread, NULL, match_on, &timing) != 0)
		return;
	for (unsigned i = 0; i < SWAPS; i++) {
		struct timespec pause = { .tv_nsec = 100000000 };

		if (i < swaps) {
			double begun = seconds();
			struct binding *next = bind(path), *old;

			bound += seconds() - begun;
			pthread_mutex_lock(&slot.lock);
			old = slot.current;
			slot.current = next;
			pthread_mutex_unlock(&slot.lock);
			begun = seconds();
			unbind(old);
			unbound += seconds() - begun;
		}
		nanosleep(&pause, NULL);
	}
	atomic_store(&matching_ends, true);
	pthread_join(thread, NULL);
	printf("matching with %u swaps%s: %.1f us a message, worst %.2f ms "
	       "(%.2f ms of processor time), %lu of %lu over 1 ms, "
	       "%lu over 5 ms",
	    swaps, timing.favoured ? " at real-time priority" : "",
	    timing.total / (double)timing.count * 1e6, timing.worst * 1e3,
	    timing.worst_cpu * 1e3, timing.over_1_ms, timing.count,
	    timing.over_5_ms);
	if (swaps > 0)
		printf("; open and warm %.1f ms, unmap %.1f ms, behind it",
		    bound / swaps * 1e3, unbound / swaps * 1e3);
	printf("\n");
}

static void
swap_under_load(const char *path)
{
	slot.current = bind(path);
	match_while(path, 0);
	match_while(path, SWAPS);
	match_while(path, 0);
	match_while(path, SWAPS);
	unbind(slot.current);
}

int
main(int argc, char **argv)
{
	const char *folder = argc > 1 ? argv[1] : ".";
	unsigned long count =
	    argc > 2 ? strtoul(argv[2], NULL, 10) : COUNT_DEFAULT;
	struct arena *arena = arena_new(0, NULL);
	char *path = arena_printf(arena, "%s/bench.csv", folder);
	struct feed_config feed = feed_config_defaults("bench", path);
	struct build_request request = { .state_directory = folder,
		.feeds = &feed,
		.feed_count = 1,
		.limits = build_limits_defaults(),
		.now_unix = (int64_t)time(NULL) };
	struct build_report report;
	struct store *store = NULL;
	struct rusage before, usage;
	double start;

	feed.size_bytes_max = FEED_BYTES_MAX;
	if (!write_feed(path, count)) {
		perror(path);
		return 1;
	}
	if (argc > 3 && strcmp(argv[3], "--feed-only") == 0)
		return 0;
	getrusage(RUSAGE_SELF, &before);
	start = seconds();
	if (build_run(arena, &request, &report) != TC_OK) {
		fprintf(stderr, "%s\n", report.problem);
		return 1;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("reading: %.1f s; processor: %.1f s of ours, %.1f s of the "
	       "kernel\n",
	    report.feeds[0].seconds,
	    seconds_of(usage.ru_utime) - seconds_of(before.ru_utime),
	    seconds_of(usage.ru_stime) - seconds_of(before.ru_stime));
	printf("build: %llu indicators in %.1f s, %.1f octets each, at most "
	       "%ld MB in memory\n",
	    (unsigned long long)report.entries, seconds() - start,
	    (double)report.size_bytes / (double)report.entries,
	    usage.ru_maxrss / 1024);
	start = seconds();
	path = arena_printf(arena, "%s/%s", folder, BUILD_STORE_NAME);
	if (store_open(path, &store, NULL) != TC_OK)
		return 1;
	printf("open: %.3f ms\n", (seconds() - start) * 1e3);
	look_up(store);
	printf("private memory: %lu MB\n", private_memory());
	store_close(&store);
	swap_under_load(path);
	arena_free(&arena);
	return 0;
}
