#include <config.h>

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "scanner/answer.h"
#include "scanner/jail.h"
#include "scanner/unpack.h"
#include "scanner/worker.h"

#define ARENA_BYTES      (256u << 20) /* items, names, kept content */
#define CPU_SECONDS_USED 20 /* then it ends; more than that kills it */

void (*worker_test_hook)(struct slice content);

/* The process ends itself (SIGALRM's default) when a request overruns: no
 * other process needs to know its id. */
static void
set_alarm(uint32_t time_ms)
{
	struct itimerval timer = {
		.it_value = { .tv_sec = time_ms / 1000,
		    .tv_usec = (suseconds_t)(time_ms % 1000) * 1000 },
	};

	setitimer(ITIMER_REAL, &timer, NULL);
}

static void
look(struct worker *worker, const struct wire_scan_request *request,
    struct slice content, char *answer, struct wire_scan_reply *reply)
{
	struct scanner_result result = { 0 };
	struct wire_writer writer = { .data = answer,
		.size = (size_t)worker->answer_bytes };
	struct unpack unpack = {
		.settings = &worker->settings,
		.budget = { .bytes_left = request->bytes_left,
		    .entries_left = request->entries_left },
		/* Before the alarm ends all of it. */
		.deadline_ms = wire_clock_ms() + request->time_ms * 8 / 10,
		.want = request->want,
		.depth = request->depth,
		.magic = worker->magic,
		.rules = worker->rules,
		.arena = arena_new(ARENA_BYTES, NULL),
		.result = &result,
	};
	size_t name_bytes = request->name_bytes < sizeof request->name
				? request->name_bytes
				: sizeof request->name;

	if (unpack.arena == NULL)
		_exit(1);
	if (worker_test_hook != NULL)
		worker_test_hook(content);
	if (unpack_part(&unpack, content,
		slice_make(request->name, name_bytes)) != TC_OK)
		result.unscannable_reason = SLICE_LITERAL("limit");
	answer_write(&writer, &result);
	if (writer.failed) {
		/* More items than the answer holds: say so, with the first. */
		writer = (struct wire_writer){ .data = answer,
			.size = (size_t)worker->answer_bytes };
		result.items.count = 1;
		result.unscannable_reason = SLICE_LITERAL("limit");
		answer_write(&writer, &result);
	}
	reply->answer_bytes = writer.failed ? 0 : writer.used;
	reply->bytes_left = unpack.budget.bytes_left;
	reply->entries_left = unpack.budget.entries_left;
	arena_free(&unpack.arena);
}

/* Serves one request; false when the socket is closed or it makes no sense. */
static bool
serve(struct worker *worker, char *answer)
{
	struct wire_scan_request request;
	struct wire_scan_reply reply = { 0 };
	void *content = NULL;

	if (!wire_receive(worker->socket, &request, sizeof request, NULL, 0))
		return false;
	set_alarm(request.time_ms == 0 ? 1 : request.time_ms);
	if (request.content_bytes > 0) {
		content = mmap(NULL, (size_t)request.content_bytes, PROT_READ,
		    MAP_SHARED, worker->part_memory, 0);
		if (content == MAP_FAILED)
			return false;
	}
	look(worker, &request,
	    slice_make(content, (size_t)request.content_bytes), answer, &reply);
	if (content != NULL)
		munmap(content, (size_t)request.content_bytes);
	set_alarm(0);
	reply.retires = clock() / CLOCKS_PER_SEC >= CPU_SECONDS_USED;
	return wire_send(worker->socket, &reply, sizeof reply, NULL, 0);
}

void
worker_run(struct worker *worker)
{
	struct jail_limits limits = {
		.memory_bytes = worker->settings.worker_memory_bytes,
		.cpu_seconds = CPU_SECONDS_USED +
			       2 * (worker->settings.scan_time_ms / 1000 + 1),
	};
	char *answer;

	signal(SIGALRM, SIG_DFL);
	answer = mmap(NULL, (size_t)worker->answer_bytes,
	    PROT_READ | PROT_WRITE, MAP_SHARED, worker->answer_memory, 0);
	if (answer == MAP_FAILED || jail_enter(JAIL_WORKER, &limits) != TC_OK)
		_exit(1);
	while (serve(worker, answer))
		;
	_exit(0);
}
