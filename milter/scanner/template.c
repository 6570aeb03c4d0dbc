#include <config.h>

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "scanner/template.h"

#define ERRORS_MAX      65536
#define COMPILE_TIME_MS 120000
#define LOOK_AGAIN_MS   10
#define START_PAUSE_MS  1000 /* between starts of one that keeps ending */

static size_t
rulesets_size(const struct scanner_ruleset *rulesets, size_t count)
{
	size_t size = sizeof(uint64_t);

	for (size_t i = 0; i < count; i++)
		size += 3 * sizeof(uint64_t) + strlen(rulesets[i].name) +
			strlen(rulesets[i].file) + rulesets[i].source.length;
	return size;
}

static void
write_rulesets(struct wire_writer *writer,
    const struct scanner_ruleset *rulesets, size_t count)
{
	wire_put_number(writer, count);
	for (size_t i = 0; i < count; i++) {
		wire_put_slice(writer, slice_text(rulesets[i].name));
		wire_put_slice(writer, slice_text(rulesets[i].file));
		wire_put_slice(writer, rulesets[i].source);
	}
}

static void
report_errors(struct diag *diag, struct slice text)
{
	while (text.length > 0) {
		struct slice line;

		text = slice_split(text, '\n', &line);
		diag_plain(
		    diag, DIAG_ERROR, "%.*s", (int)line.length, line.data);
	}
}

/* Puts the rules into memory that can be handed to the zygote. */
static bool
store_rules(struct template *template, const struct scanner_ruleset *rulesets,
    size_t count)
{
	size_t size = rulesets_size(rulesets, count);
	struct wire_writer writer = { .size = size };
	int memory = wire_memory(size + ERRORS_MAX);

	template->rules_memory = memory;
	template->rules_bytes = size;
	if (memory < 0)
		return false;
	writer.data =
	    mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (writer.data == MAP_FAILED)
		return false;
	write_rulesets(&writer, rulesets, count);
	munmap(writer.data, size);
	return !writer.failed;
}

/* What the template has written behind its rules. */
static void
report_refusal(
    const struct template *template, uint64_t bytes, struct diag *diag)
{
	size_t size = template->rules_bytes + ERRORS_MAX;
	char *shared =
	    mmap(NULL, size, PROT_READ, MAP_SHARED, template->rules_memory, 0);

	if (bytes > 0 && shared != MAP_FAILED)
		report_errors(diag,
		    slice_range(slice_make(shared, size), template->rules_bytes,
			template->rules_bytes + (size_t)bytes));
	else
		diag_plain(
		    diag, DIAG_ERROR, "scanner: YARA rules do not compile");
	if (shared != MAP_FAILED)
		munmap(shared, size);
}

/* Has the zygote fork the process; it is not ready yet. */
static bool
start(struct template *template)
{
	struct wire_template_request request = {
		.settings = template->settings,
		.rules_bytes = template->rules_bytes,
	};
	int ends[2], sent[2];
	bool good;

	template->started_ms = wire_clock_ms();
	template->ready = false;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0)
		return false;
	sent[0] = ends[1];
	sent[1] = template->rules_memory;
	good = wire_send(template->zygote, &request, sizeof request, sent, 2);
	close(ends[1]);
	if (!good)
		close(ends[0]);
	template->socket = good ? ends[0] : -1;
	return good;
}

static void
stop(struct template *template)
{
	if (template->socket >= 0)
		close(template->socket);
	template->socket = -1;
	template->ready = false;
}

enum tc_status
template_open(struct template *template, int zygote,
    const struct scanner_settings *settings,
    const struct scanner_ruleset *rulesets, size_t count, struct diag *diag)
{
	struct wire_template_reply reply;

	*template = (struct template){ .settings = *settings,
		.zygote = zygote,
		.rules_memory = -1,
		.socket = -1 };
	pthread_mutex_init(&template->lock, NULL);
	if (!store_rules(template, rulesets, count) || !start(template))
		return TC_SYSTEM;
	if (!wire_readable(
		template->socket, wire_clock_ms() + COMPILE_TIME_MS) ||
	    !wire_receive(template->socket, &reply, sizeof reply, NULL, 0)) {
		diag_plain(diag, DIAG_ERROR,
		    "scanner: the process that compiles YARA rules ended "
		    "before it had done so");
		return TC_INVALID;
	}
	template->ready = reply.good;
	if (reply.good)
		return TC_OK;
	report_refusal(template, reply.message_bytes, diag);
	return TC_INVALID;
}

void
template_close(struct template *template)
{
	stop(template);
	if (template->rules_memory >= 0)
		close(template->rules_memory);
	template->rules_memory = -1;
	pthread_mutex_destroy(&template->lock);
}

/* Takes a new process's word on its rules, if it has come. */
static void
hear(struct template *template)
{
	struct wire_template_reply reply = { 0 };

	if (template->socket < 0 || template->ready ||
	    !wire_readable(template->socket, 0))
		return;
	if (wire_receive(template->socket, &reply, sizeof reply, NULL, 0) &&
	    reply.good)
		template->ready = true;
	else
		stop(template);
}

/* One attempt; the lock is held. TC_AGAIN while a new process loads its
 * rules, TC_SYSTEM when none can be had now. */
static enum tc_status
fork_once(struct template *template, const struct wire_worker_request *request,
    const int descriptors[3])
{
	hear(template);
	if (template->ready && wire_send(template->socket, request,
				   sizeof *request, descriptors, 3))
		return TC_OK;
	if (template->ready)
		stop(template);
	if (template->socket >= 0)
		return TC_AGAIN;
	if (wire_clock_ms() - template->started_ms < START_PAUSE_MS)
		return TC_SYSTEM;
	atomic_fetch_add(&scanner_counters.template_starts, 1);
	return start(template) ? TC_AGAIN : TC_SYSTEM;
}

bool
template_fork(struct template *template,
    const struct wire_worker_request *request, const int descriptors[3],
    uint64_t deadline_ms)
{
	const struct timespec pause = { .tv_nsec = LOOK_AGAIN_MS * 1000000L };

	for (;;) {
		enum tc_status status;

		pthread_mutex_lock(&template->lock);
		status = fork_once(template, request, descriptors);
		pthread_mutex_unlock(&template->lock);
		if (status != TC_AGAIN || wire_clock_ms() >= deadline_ms)
			return status == TC_OK;
		nanosleep(&pause, NULL);
	}
}
