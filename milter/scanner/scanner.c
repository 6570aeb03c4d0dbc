#include <config.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "scanner/answer.h"
#include "scanner/scanner.h"
#include "scanner/template.h"
#include "scanner/zygote.h"

#define ANSWER_EXTRA    (4u << 20) /* items and names beside content */
#define PART_BYTES_KEPT (16u << 20)

struct scanner_counters scanner_counters;

/* A worker's side of the pool. */
struct hand {
	int socket; /* -1: no process */
	int part_memory;
	int answer_memory;
	char *part;
	size_t part_bytes;
	const char *answer;
	unsigned scans;
	bool busy;
};

struct scanner {
	struct scanner_settings settings;
	struct template template;
	pthread_mutex_t lock; /* guards busy of the hands, and closing */
	pthread_cond_t freed;
	struct hand *hands;
	unsigned hand_count;
	size_t answer_bytes;
};

struct scanner_settings
scanner_settings_default(void)
{
	return (struct scanner_settings){
		.workers_max = 0,
		.scans_per_worker = 500,
		.scan_time_ms = 1500,
		.worker_memory_bytes = 256000000,
		.archive_depth = 4,
		.archive_bytes = 100000000,
		.archive_ratio = 200,
		.archive_entries = 10000,
		.content_bytes = 16000000,
		.document_bytes = 64000000,
		.document_objects = 20000,
		.document_links = 2000,
		.mails = 100,
	};
}

int
scanner_zygote_start(void)
{
	int ends[2];
	pid_t child;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	child = fork();
	if (child < 0) {
		int error = errno;

		close(ends[0]);
		close(ends[1]);
		errno = error;
		return -1;
	}
	if (child == 0) {
		close(ends[0]);
		zygote_run(ends[1]);
	}
	close(ends[1]);
	return ends[0];
}

enum tc_status
scanner_new(int zygote, const struct scanner_settings *settings,
    const struct scanner_ruleset *rulesets, size_t ruleset_count,
    struct diag *diag, struct scanner **scanner_out)
{
	struct scanner *scanner = calloc(1, sizeof *scanner);
	pthread_condattr_t attributes;
	enum tc_status status;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	if (scanner == NULL)
		return TC_SYSTEM;
	scanner->settings = *settings;
	scanner->hand_count = settings->workers_max != 0 ? settings->workers_max
			      : cores > 0                ? (unsigned)cores
							 : 2;
	scanner->answer_bytes = settings->content_bytes + ANSWER_EXTRA;
	scanner->hands = calloc(scanner->hand_count, sizeof *scanner->hands);
	pthread_mutex_init(&scanner->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&scanner->freed, &attributes);
	pthread_condattr_destroy(&attributes);
	status = template_open(&scanner->template, zygote, settings, rulesets,
	    ruleset_count, diag);
	for (unsigned i = 0; scanner->hands != NULL && i < scanner->hand_count;
	     i++)
		scanner->hands[i].socket = -1;
	if (scanner->hands == NULL)
		status = TC_SYSTEM;
	if (status != TC_OK) {
		scanner_free(&scanner);
		return status;
	}
	*scanner_out = scanner;
	return TC_OK;
}

/* Lets the worker go; it ends when its socket closes. */
static void
hand_close(struct scanner *scanner, struct hand *hand)
{
	if (hand->socket < 0)
		return;
	close(hand->socket);
	close(hand->part_memory);
	close(hand->answer_memory);
	if (hand->part != NULL)
		munmap(hand->part, hand->part_bytes);
	munmap((void *)(uintptr_t)hand->answer, scanner->answer_bytes);
	*hand = (struct hand){ .socket = -1, .busy = hand->busy };
}

void
scanner_free(struct scanner **scanner_in)
{
	struct scanner *scanner = *scanner_in;

	if (scanner == NULL)
		return;
	for (unsigned i = 0; scanner->hands != NULL && i < scanner->hand_count;
	     i++)
		hand_close(scanner, &scanner->hands[i]);
	template_close(&scanner->template);
	pthread_cond_destroy(&scanner->freed);
	pthread_mutex_destroy(&scanner->lock);
	free(scanner->hands);
	free(scanner);
	*scanner_in = NULL;
}

const struct scanner_settings *
scanner_settings_of(const struct scanner *scanner)
{
	return &scanner->settings;
}

struct scanner_budget
scanner_budget_start(const struct scanner *scanner)
{
	return (struct scanner_budget){
		.deadline_ms = wire_clock_ms() + scanner->settings.scan_time_ms,
		.bytes_left = scanner->settings.archive_bytes,
		.entries_left = scanner->settings.archive_entries,
	};
}

/* Has the template fork a process for this hand. */
static bool
hand_start(struct scanner *scanner, struct hand *hand, uint64_t deadline_ms)
{
	struct wire_worker_request request = {
		.answer_bytes = scanner->answer_bytes,
	};
	int ends[2], sent[3];
	void *answer;
	bool good;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	hand->part_memory = wire_memory(0);
	hand->answer_memory = wire_memory(scanner->answer_bytes);
	answer = mmap(NULL, scanner->answer_bytes, PROT_READ, MAP_SHARED,
	    hand->answer_memory, 0);
	sent[0] = ends[1];
	sent[1] = hand->part_memory;
	sent[2] = hand->answer_memory;
	good = hand->part_memory >= 0 && hand->answer_memory >= 0 &&
	       answer != MAP_FAILED &&
	       template_fork(&scanner->template, &request, sent, deadline_ms);
	close(ends[1]);
	if (good) {
		hand->socket = ends[0];
		hand->answer = answer;
		hand->scans = 0;
		atomic_fetch_add(&scanner_counters.worker_starts, 1);
		return true;
	}
	close(ends[0]);
	if (hand->part_memory >= 0)
		close(hand->part_memory);
	if (hand->answer_memory >= 0)
		close(hand->answer_memory);
	if (answer != MAP_FAILED)
		munmap(answer, scanner->answer_bytes);
	return false;
}

/* Waits for a hand that is not busy, preferring one that has its process;
 * NULL when the deadline passes first. */
static struct hand *
hand_take(struct scanner *scanner, uint64_t deadline_ms)
{
	struct timespec until = {
		.tv_sec = (time_t)(deadline_ms / 1000),
		.tv_nsec = (long)(deadline_ms % 1000) * 1000000,
	};
	struct hand *found = NULL;
	int error = 0;

	pthread_mutex_lock(&scanner->lock);
	while (found == NULL && error == 0) {
		for (unsigned i = 0; i < scanner->hand_count; i++) {
			struct hand *hand = &scanner->hands[i];

			if (!hand->busy && (found == NULL || hand->socket >= 0))
				found = hand;
		}
		if (found == NULL)
			error = pthread_cond_timedwait(
			    &scanner->freed, &scanner->lock, &until);
	}
	if (found != NULL)
		found->busy = true;
	pthread_mutex_unlock(&scanner->lock);
	return found;
}

static void
hand_give_back(struct scanner *scanner, struct hand *hand)
{
	if (++hand->scans >= scanner->settings.scans_per_worker)
		hand_close(scanner, hand);
	pthread_mutex_lock(&scanner->lock);
	hand->busy = false;
	pthread_cond_signal(&scanner->freed);
	pthread_mutex_unlock(&scanner->lock);
}

/* Puts the part's bytes where the worker reads them. The memory is reused: a
 * fresh megabyte costs a millisecond of page faults. */
static bool
hand_fill(struct hand *hand, struct slice content)
{
	if (content.length > hand->part_bytes) {
		void *part;

		if (hand->part != NULL)
			munmap(hand->part, hand->part_bytes);
		hand->part = NULL;
		hand->part_bytes = 0;
		if (ftruncate(hand->part_memory, (off_t)content.length) != 0)
			return false;
		part = mmap(NULL, content.length, PROT_READ | PROT_WRITE,
		    MAP_SHARED, hand->part_memory, 0);
		if (part == MAP_FAILED)
			return false;
		hand->part = part;
		hand->part_bytes = content.length;
	}
	if (content.length > 0)
		memcpy(hand->part, content.data, content.length);
	return true;
}

/* One question and its answer. TC_AGAIN: the worker was gone or went. */
static enum tc_status
hand_ask(struct scanner *scanner, struct hand *hand, struct arena *arena,
    struct scanner_budget *budget, const struct scanner_input *input,
    struct scanner_result *result_out)
{
	struct wire_scan_request request = {
		.content_bytes = input->content.length,
		.bytes_left = budget->bytes_left,
		.entries_left = budget->entries_left,
		.want = input->want,
		.depth = input->depth,
	};
	struct wire_scan_reply reply;
	uint64_t now = wire_clock_ms();
	struct slice answer;

	if (now >= budget->deadline_ms)
		return TC_AGAIN;
	request.time_ms = (uint32_t)(budget->deadline_ms - now);
	request.name_bytes = (uint32_t)(input->name.length < sizeof request.name
					    ? input->name.length
					    : sizeof request.name);
	if (request.name_bytes > 0)
		memcpy(request.name, input->name.data, request.name_bytes);
	if (!wire_send(hand->socket, &request, sizeof request, NULL, 0) ||
	    !wire_readable(hand->socket, budget->deadline_ms + 50) ||
	    !wire_receive(hand->socket, &reply, sizeof reply, NULL, 0))
		return TC_AGAIN;
	if (reply.answer_bytes > scanner->answer_bytes ||
	    reply.bytes_left > budget->bytes_left ||
	    reply.entries_left > budget->entries_left)
		return TC_INVALID;
	budget->bytes_left = reply.bytes_left;
	budget->entries_left = reply.entries_left;
	answer = arena_copy(
	    arena, slice_make(hand->answer, (size_t)reply.answer_bytes));
	if (reply.retires)
		hand_close(scanner, hand);
	if (answer.data == NULL)
		return TC_LIMIT;
	return answer_read(
	    answer, arena, scanner->settings.archive_entries, result_out);
}

static enum tc_status
unscannable(const char *reason, struct scanner_result *result_out)
{
	*result_out =
	    (struct scanner_result){ .unscannable_reason = slice_text(reason) };
	return TC_OK;
}

/* A worker died over this part, or lied. */
static enum tc_status
bury(struct scanner *scanner, struct hand *hand,
    const struct scanner_budget *budget, struct scanner_result *result_out)
{
	bool late = wire_clock_ms() >= budget->deadline_ms;

	hand_close(scanner, hand);
	if (late)
		atomic_fetch_add(&scanner_counters.timeouts, 1);
	else
		atomic_fetch_add(&scanner_counters.worker_deaths, 1);
	return unscannable(
	    late ? "scan-time" : "scanner-worker-died", result_out);
}

/* A hand with a process that waits to be asked. NULL in *reason_out, or why
 * there is none. */
static struct hand *
hand_ready(
    struct scanner *scanner, uint64_t deadline_ms, const char **reason_out)
{
	struct hand *hand = hand_take(scanner, deadline_ms);

	*reason_out = NULL;
	if (hand == NULL) {
		atomic_fetch_add(&scanner_counters.timeouts, 1);
		*reason_out = "scan-time";
		return NULL;
	}
	/* Nobody has asked it anything: it can only have ended. */
	if (hand->socket >= 0 && wire_readable(hand->socket, 0)) {
		atomic_fetch_add(&scanner_counters.worker_deaths, 1);
		hand_close(scanner, hand);
	}
	if (hand->socket < 0 && !hand_start(scanner, hand, deadline_ms))
		*reason_out = "scanner-absent";
	return hand;
}

enum tc_status
scanner_scan(struct scanner *scanner, struct arena *arena,
    struct scanner_budget *budget, const struct scanner_input *input,
    struct scanner_result *result_out)
{
	const char *reason;
	struct hand *hand = hand_ready(scanner, budget->deadline_ms, &reason);
	enum tc_status status;

	atomic_fetch_add(&scanner_counters.scans, 1);
	if (hand == NULL)
		return unscannable(reason, result_out);
	if (reason == NULL && !hand_fill(hand, input->content)) {
		hand_close(scanner, hand);
		reason = "memory";
	}
	if (reason != NULL) {
		status = unscannable(reason, result_out);
	} else {
		status =
		    hand_ask(scanner, hand, arena, budget, input, result_out);
		if (status == TC_AGAIN || status == TC_INVALID)
			status = bury(scanner, hand, budget, result_out);
	}
	if (hand->socket >= 0 && hand->part_bytes > PART_BYTES_KEPT)
		hand_close(scanner, hand);
	hand_give_back(scanner, hand);
	return status;
}
