#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/backoff.h"
#include "daemon/channel.h"
#include "daemon/control.h"
#include "daemon/filter.h"
#include "daemon/notify.h"
#include "daemon/pattern_build.h"
#include "daemon/start.h"
#include "daemon/store_build.h"
#include "daemon/supervise.h"
#include "daemon/switches.h"
#include "scanner/scanner.h"

/* How long the filter may take for an answer, in milliseconds. */
#define RELOAD_PATIENCE_MS  60000
#define STATUS_PATIENCE_MS  5000
#define REFRESH_PATIENCE_MS 5000

/* After FILTER_DRAIN_MS it should be gone. */
#define STOP_PATIENCE_MS (FILTER_DRAIN_MS + 2000)

/* How often it is looked whether the store is due to be built, and a switch to
 * go back. */
#define LOOK_MS 500

/* Between two builds of the store, in milliseconds: after one that failed, and
 * at first and at most while a source stays newer than the store (a file whose
 * time lies in the future). After a good one it is as long as that took, four
 * times as long when it took long. */
#define BUILD_RETRY_MS     30000
#define BUILD_PAUSE_MS     2000
#define BUILD_PAUSE_MAX_MS 3600000
#define BUILD_LONG_MS      1000

/* A file that is copied into place is read when nobody writes to it any more,
 * or else after this long: nothing may keep the other feeds from being read. */
#define BUILD_FRESH_MAX_MS 60000

/* A child that takes longer to make a pattern set is killed: thousands of
 * patterns take a minute on a slow machine. */
#define PATTERNS_PATIENCE_MS 600000

/* One child whose answer is awaited. */
struct job {
	pid_t pid; /* 0: none */
	int fd;
	bool ended;
	int status; /* of waitpid, once it has ended */
	struct cJSON *answer;
	uint64_t started_ms;
};

struct supervisor {
	const struct options *options;
	struct start start;
	struct trial_policy policy; /* in force */
	uint64_t policy_generation;
	int signals; /* read end of the signal pipe */
	int control;
	int zygote;
	time_t started_unix;

	pid_t filter; /* 0: none */
	int channel;
	bool filter_ready;
	uint64_t filter_started_ms;
	uint64_t filter_due_ms; /* when the next may start */
	unsigned filter_starts;
	struct backoff backoff;
	struct cJSON *reply; /* the filter's last, not yet looked at */

	struct job trial;
	struct job build;
	struct job patterns;
	bool patterns_due;      /* those of the policy have not been tried */
	char patterns_good[17]; /* hash of the policy whose have been; "" */
	uint64_t build_due_ms;
	uint64_t build_pause_ms;
	uint32_t store_agreed;   /* see store_build_is_due() */
	bool build_again;        /* due again: a source of the future */
	uint64_t fresh_since_ms; /* a source is written to since; 0: none is */

	bool zygote_died;
	bool reload_wanted;
	bool stop_wanted;
	char refused[512]; /* why the last reload was refused; "" it was not */
	time_t refused_unix;
	int ready_fd;
};

static int signal_pipe[2] = { -1, -1 };

static uint64_t
clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- signals ---- */

static void
on_signal(int number)
{
	int saved = errno;
	char octet = (char)number;

	/* A full pipe holds enough to wake us. */
	if (write(signal_pipe[1], &octet, 1) < 0)
		errno = saved;
	errno = saved;
}

static bool
catch_signals(struct supervisor *supervisor)
{
	static const int caught[] = { SIGHUP, SIGUSR1, SIGTERM, SIGINT,
		SIGCHLD };
	struct sigaction action = { .sa_handler = on_signal,
		.sa_flags = SA_RESTART };

	if (pipe2(signal_pipe, O_CLOEXEC | O_NONBLOCK) != 0)
		return false;
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof caught / sizeof caught[0]; i++)
		if (sigaction(caught[i], &action, NULL) != 0)
			return false;
	(void)signal(SIGPIPE, SIG_IGN);
	supervisor->signals = signal_pipe[0];
	return true;
}

/* ---- children ---- */

static void
describe_end(int status, char text[64])
{
	if (WIFSIGNALED(status))
		snprintf(text, 64, "signal=%d%s", WTERMSIG(status),
		    WCOREDUMP(status) ? " core=yes" : "");
	else
		snprintf(text, 64, "status=%d", WEXITSTATUS(status));
}

static void
close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void
filter_ended(struct supervisor *supervisor, int status)
{
	uint64_t now = clock_ms();
	uint64_t lived = now - supervisor->filter_started_ms;
	uint64_t pause = backoff_next_ms(&supervisor->backoff, lived);
	char how[64];

	describe_end(status, how);
	log_write(supervisor->stop_wanted ? LOG_LEVEL_INFO : LOG_LEVEL_ERROR,
	    "filter ended pid=%ld %s lived_ms=%llu%s", (long)supervisor->filter,
	    how, (unsigned long long)lived,
	    supervisor->stop_wanted ? "" : ": started again");
	supervisor->filter = 0;
	supervisor->filter_ready = false;
	supervisor->filter_due_ms = now + pause;
	close_fd(&supervisor->channel);
}

static void
reap(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid == supervisor->filter) {
			filter_ended(supervisor, status);
		} else if (pid == supervisor->trial.pid) {
			supervisor->trial.ended = true;
			supervisor->trial.status = status;
		} else if (pid == supervisor->build.pid) {
			supervisor->build.ended = true;
			supervisor->build.status = status;
		} else if (pid == supervisor->patterns.pid) {
			supervisor->patterns.ended = true;
			supervisor->patterns.status = status;
		} else {
			log_write(LOG_LEVEL_ERROR,
			    "zygote ended pid=%ld: another is started",
			    (long)pid);
			supervisor->zygote_died = true;
		}
	}
}

/* What a child of ours must not hold. */
static void
close_in_child(struct supervisor *supervisor)
{
	close_fd(&supervisor->control);
	close_fd(&supervisor->channel);
	close_fd(&signal_pipe[0]);
	close_fd(&signal_pipe[1]);
	close_fd(&supervisor->trial.fd);
	close_fd(&supervisor->build.fd);
	close_fd(&supervisor->ready_fd);
}

static void
start_filter(struct supervisor *supervisor)
{
	struct filter_setup setup = {
		.options = supervisor->options,
		.policy = &supervisor->policy,
		.policy_generation = supervisor->policy_generation,
		.zygote = supervisor->zygote,
		.address = &supervisor->start.socket.address,
	};
	int ends[2];
	pid_t pid;

	supervisor->filter_started_ms = clock_ms();
	supervisor->filter_due_ms = supervisor->filter_started_ms + 1000;
	if (!channel_pair(ends)) {
		log_write(LOG_LEVEL_ERROR, "socketpair: %s", strerror(errno));
		return;
	}
	pid = fork();
	if (pid == 0) {
		close(ends[0]);
		close_in_child(supervisor);
		setup.channel = ends[1];
		filter_run(&setup);
	}
	close(ends[1]);
	if (pid < 0) {
		log_write(LOG_LEVEL_ERROR, "fork: %s", strerror(errno));
		close(ends[0]);
		return;
	}
	supervisor->filter = pid;
	supervisor->channel = ends[0];
	supervisor->filter_starts++;
}

/* ---- the loop ---- */

static void
allow_patterns(struct supervisor *supervisor)
{
	struct cJSON *request;

	if (!supervisor->filter_ready || supervisor->patterns_good[0] == '\0')
		return;
	request = cJSON_CreateObject();
	cJSON_AddStringToObject(request, "do", "patterns");
	cJSON_AddStringToObject(request, "hash", supervisor->patterns_good);
	(void)channel_send(supervisor->channel, request);
}

static void
filter_is_ready(struct supervisor *supervisor)
{
	supervisor->filter_ready = true;
	log_write(LOG_LEVEL_NOTICE, "filter ready pid=%ld policy=%s",
	    (long)supervisor->filter, program_hash(supervisor->policy.program));
	notify_send("READY=1\nSTATUS=accepting mail, policy generation %llu",
	    (unsigned long long)supervisor->policy_generation);
	if (supervisor->ready_fd >= 0 && write(supervisor->ready_fd, "", 1) < 0)
		log_write(LOG_LEVEL_WARNING, "the starter is gone");
	close_fd(&supervisor->ready_fd);
	allow_patterns(supervisor);
}

static void
hear_filter(struct supervisor *supervisor)
{
	struct cJSON *said = NULL;

	if (supervisor->channel < 0 ||
	    channel_receive(supervisor->channel, &said) != CHANNEL_RECEIVED)
		return;
	if (strcmp(channel_text(said, "reply"), "ready") == 0) {
		filter_is_ready(supervisor);
		cJSON_Delete(said);
		return;
	}
	cJSON_Delete(supervisor->reply);
	supervisor->reply = said;
}

static void
hear_job(struct job *job)
{
	struct cJSON *said = NULL;

	if (job->fd < 0)
		return;
	if (channel_receive(job->fd, &said) == CHANNEL_NOTHING)
		return;
	if (job->answer == NULL)
		job->answer = said;
	else
		cJSON_Delete(said);
	close_fd(&job->fd);
}

static void
hear_signals(struct supervisor *supervisor)
{
	char octets[64];
	ssize_t got = read(supervisor->signals, octets, sizeof octets);

	for (ssize_t i = 0; i < got; i++) {
		switch (octets[i]) {
		case SIGHUP:
		case SIGUSR1:
			supervisor->reload_wanted = true;
			break;
		case SIGTERM:
		case SIGINT:
			supervisor->stop_wanted = true;
			break;
		default:
			break;
		}
	}
	reap(supervisor);
}

/* One turn: waits at most `timeout_ms` for something to happen and takes note
 * of it. Returns true when a client waits at the control socket. */
static bool
turn(struct supervisor *supervisor, int timeout_ms, bool with_control)
{
	struct pollfd ready[] = {
		{ .fd = supervisor->signals, .events = POLLIN },
		{ .fd = supervisor->channel, .events = POLLIN },
		{ .fd = supervisor->trial.fd, .events = POLLIN },
		{ .fd = supervisor->build.fd, .events = POLLIN },
		{ .fd = with_control ? supervisor->control : -1,
		    .events = POLLIN },
	};
	uint64_t now = clock_ms();

	if (supervisor->filter == 0 && !supervisor->stop_wanted) {
		uint64_t due = supervisor->filter_due_ms;

		if (due <= now)
			start_filter(supervisor);
		else if (due - now < (uint64_t)timeout_ms)
			timeout_ms = (int)(due - now);
		ready[1].fd = supervisor->channel;
	}
	if (poll(ready, 5, timeout_ms) <= 0)
		return false;
	if (ready[1].revents != 0)
		hear_filter(supervisor);
	if (ready[2].revents != 0)
		hear_job(&supervisor->trial);
	if (ready[3].revents != 0)
		hear_job(&supervisor->build);
	if (ready[0].revents != 0)
		hear_signals(supervisor);
	return ready[4].revents != 0;
}

/* Asks the filter and waits for its answer; NULL when it does not answer in
 * time, ends, or is not there. */
static struct cJSON *
ask_filter(struct supervisor *supervisor, struct cJSON *request,
    const char *what, uint64_t patience_ms)
{
	uint64_t end = clock_ms() + patience_ms;
	pid_t asked = supervisor->filter;
	struct cJSON *reply = NULL;

	cJSON_AddStringToObject(request, "do", what);
	if (asked == 0 || !supervisor->filter_ready ||
	    !channel_send(supervisor->channel, request)) {
		if (asked == 0 || !supervisor->filter_ready)
			cJSON_Delete(request);
		return NULL;
	}
	while (
	    reply == NULL && clock_ms() < end && supervisor->filter == asked) {
		(void)turn(supervisor, 100, false);
		reply = supervisor->reply;
		supervisor->reply = NULL;
		/* An answer to an earlier question that came too late. */
		if (reply != NULL &&
		    strcmp(channel_text(reply, "reply"), what) != 0) {
			cJSON_Delete(reply);
			reply = NULL;
		}
	}
	return reply;
}

/* ---- reload ---- */

static void
forget_job(struct job *job)
{
	close_fd(&job->fd);
	cJSON_Delete(job->answer);
	*job = (struct job){ .fd = -1 };
}

/* Ends a child for good: while it lives it holds the sockets, and the next
 * start would find them in use. */
static void
end_job(struct job *job)
{
	if (job->pid > 0 && !job->ended) {
		(void)kill(job->pid, SIGKILL);
		(void)waitpid(job->pid, NULL, 0);
	}
	forget_job(job);
}

/* Waits for a child's answer; kills one that takes too long. */
static void
await_job(struct supervisor *supervisor, struct job *job, uint64_t patience_ms)
{
	uint64_t end = clock_ms() + patience_ms;
	bool killed = false;

	while (!job->ended) {
		(void)turn(supervisor, 100, false);
		if (job->ended || clock_ms() < end || killed)
			continue;
		(void)kill(job->pid, SIGKILL);
		killed = true;
	}
	hear_job(job);
}

/* The throw-away child's word; NULL text: it is fine. */
static struct cJSON *
try_policy(struct supervisor *supervisor)
{
	struct job *trial = &supervisor->trial;
	struct cJSON *refusal = NULL;
	char how[64];

	trial->pid =
	    trial_start(supervisor->options->configuration, &trial->fd);
	if (trial->pid < 0) {
		forget_job(trial);
		return control_refusal("fork: %s", strerror(errno));
	}
	await_job(supervisor, trial, TRIAL_PATIENCE_MS);
	describe_end(trial->status, how);
	if (trial->answer == NULL)
		refusal = control_refusal(
		    "loading the policy crashed or hung (%s); the old one "
		    "stays",
		    how);
	else if (!channel_truth(trial->answer, "ok")) {
		refusal = control_refusal("%.0f errors; the old policy stays",
		    channel_number(trial->answer, "errors"));
		cJSON_AddStringToObject(refusal, "diagnostics",
		    channel_text(trial->answer, "text"));
	}
	forget_job(trial);
	return refusal;
}

/* Names the settings that only a restart changes and that have changed. */
static void
name_restarts(
    const struct settings *old, const struct settings *new, char text[512])
{
	size_t used = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < settings_count; i++) {
		const struct settings_entry *entry = &settings_table[i];
		const char *a = (const char *)old + entry->offset;
		const char *b = (const char *)new + entry->offset;
		bool differs = false;
		int added;

		if (!entry->needs_restart)
			continue;
		if (entry->type == SETTING_TEXT ||
		    entry->type == SETTING_WORD ||
		    entry->type == SETTING_PATH) {
			const char *one, *two;

			memcpy(&one, a, sizeof one);
			memcpy(&two, b, sizeof two);
			differs = strcmp(one == NULL ? "" : one,
				      two == NULL ? "" : two) != 0;
		} else if (entry->type == SETTING_MODE) {
			differs = memcmp(a, b, sizeof(uint64_t)) != 0;
		}
		if (!differs)
			continue;
		added = snprintf(text + used, 512 - used, "%s%s",
		    used == 0 ? "" : ", ", entry->name);
		if (added < 0 || (size_t)added >= 512 - used)
			return;
		used += (size_t)added;
	}
}

static void
log_text(enum log_level level, const char *text)
{
	while (*text != '\0') {
		size_t length = strcspn(text, "\n");

		if (length > 0 && text[0] != ' ' && text[0] != '\t')
			log_write(level, "%.*s", (int)length, text);
		text += length + (text[length] == '\n');
	}
}

/* The filter has it; now we, so that the next filter starts with it too. */
static struct cJSON *
adopt_policy(struct supervisor *supervisor, const char *filter_hash)
{
	struct trial_policy policy;
	struct cJSON *reply;
	char restart[512] = "";

	if (!trial_load(
		supervisor->options->configuration, true, false, &policy)) {
		log_write(LOG_LEVEL_WARNING,
		    "the policy changed while it was loaded; a filter that is "
		    "started again would have the one before");
		trial_free(&policy);
	} else {
		name_restarts(program_settings(supervisor->policy.program),
		    program_settings(policy.program), restart);
		if (!program_keep_settings(
			policy.program, supervisor->policy.program))
			log_write(LOG_LEVEL_ERROR, "no memory");
		trial_free(&supervisor->policy);
		supervisor->policy = policy;
		supervisor->patterns_due = true;
		start_log(supervisor->options,
		    program_settings(supervisor->policy.program));
		if (restart[0] != '\0')
			log_write(LOG_LEVEL_WARNING,
			    "a restart is needed for: %s", restart);
	}
	reply = cJSON_CreateObject();
	cJSON_AddBoolToObject(reply, "ok", true);
	cJSON_AddNumberToObject(
	    reply, "policy-generation", (double)supervisor->policy_generation);
	cJSON_AddStringToObject(reply, "policy-hash",
	    filter_hash == NULL ? program_hash(supervisor->policy.program)
				: filter_hash);
	cJSON_AddNumberToObject(
	    reply, "rules", program_rule_count(supervisor->policy.program));
	cJSON_AddStringToObject(reply, "diagnostics",
	    supervisor->policy.text == NULL ? "" : supervisor->policy.text);
	if (restart[0] != '\0')
		cJSON_AddStringToObject(reply, "restart", restart);
	return reply;
}

static struct cJSON *
reload_filter(struct supervisor *supervisor)
{
	struct cJSON *request = cJSON_CreateObject();
	struct cJSON *said;
	struct cJSON *reply;

	cJSON_AddNumberToObject(
	    request, "generation", (double)supervisor->policy_generation + 1);
	said = ask_filter(supervisor, request, "reload", RELOAD_PATIENCE_MS);
	if (said != NULL && channel_truth(said, "ok")) {
		supervisor->policy_generation++;
		reply = adopt_policy(supervisor, channel_text(said, "hash"));
	} else if (said != NULL) {
		reply = control_refusal("the filter could not load it; the "
					"old policy stays");
		cJSON_AddStringToObject(
		    reply, "diagnostics", channel_text(said, "text"));
	} else {
		reply = control_refusal("the filter ended or did not answer "
					"while loading; the old policy stays");
	}
	cJSON_Delete(said);
	return reply;
}

static struct cJSON *
reload(struct supervisor *supervisor)
{
	struct cJSON *reply;

	supervisor->reload_wanted = false;
	notify_send("RELOADING=1\nMONOTONIC_USEC=%llu",
	    (unsigned long long)clock_ms() * 1000);
	reply = try_policy(supervisor);
	if (reply == NULL && supervisor->filter_ready)
		reply = reload_filter(supervisor);
	else if (reply == NULL) {
		/* None runs: the next one starts with it. */
		supervisor->policy_generation++;
		reply = adopt_policy(supervisor, NULL);
	}
	if (channel_truth(reply, "ok")) {
		supervisor->refused[0] = '\0';
		supervisor->build_pause_ms = BUILD_PAUSE_MS;
		supervisor->build_due_ms = clock_ms();
		log_write(LOG_LEVEL_NOTICE,
		    "policy in force generation=%llu hash=%s rules=%.0f",
		    (unsigned long long)supervisor->policy_generation,
		    channel_text(reply, "policy-hash"),
		    channel_number(reply, "rules"));
		log_text(LOG_LEVEL_WARNING, channel_text(reply, "diagnostics"));
	} else {
		snprintf(supervisor->refused, sizeof supervisor->refused, "%s",
		    channel_text(reply, "error"));
		supervisor->refused_unix = time(NULL);
		log_text(LOG_LEVEL_ERROR, channel_text(reply, "diagnostics"));
		log_write(
		    LOG_LEVEL_ERROR, "policy refused: %s", supervisor->refused);
	}
	notify_send("READY=1");
	return reply;
}

/* ---- status and switches ---- */

static struct cJSON *
status(struct supervisor *supervisor)
{
	struct cJSON *reply = ask_filter(
	    supervisor, cJSON_CreateObject(), "status", STATUS_PATIENCE_MS);

	if (reply == NULL) {
		reply = cJSON_CreateObject();
		cJSON_AddBoolToObject(reply, "ok", true);
	}
	cJSON_AddStringToObject(reply, "version", PACKAGE_VERSION);
	cJSON_AddNumberToObject(reply, "pid", getpid());
	cJSON_AddNumberToObject(
	    reply, "uptime-s", (double)(time(NULL) - supervisor->started_unix));
	cJSON_AddNumberToObject(reply, "filter-pid", supervisor->filter);
	cJSON_AddNumberToObject(reply, "filter-uptime-s",
	    (double)(clock_ms() - supervisor->filter_started_ms) / 1000);
	cJSON_AddNumberToObject(
	    reply, "restarts", supervisor->filter_starts - 1);
	cJSON_AddBoolToObject(reply, "building", supervisor->build.pid != 0);
	/* For who builds by hand: would this process do the same? */
	cJSON_AddNumberToObject(reply, "store-settings",
	    store_build_settings(supervisor->policy.program));
	cJSON_AddStringToObject(reply, "state-directory",
	    program_settings(supervisor->policy.program)->state_directory);
	if (supervisor->refused[0] != '\0') {
		cJSON_AddStringToObject(
		    reply, "last-refused", supervisor->refused);
		cJSON_AddNumberToObject(
		    reply, "last-refused-at", (double)supervisor->refused_unix);
	}
	return reply;
}

/* Writes what is set and has the filter look at once. */
static bool
store_switches(struct supervisor *supervisor, const struct switches *switches)
{
	if (switches_write(supervisor->start.state_directory, switches) !=
	    TC_OK) {
		log_write(LOG_LEVEL_ERROR, "switches not written: %s",
		    strerror(errno));
		return false;
	}
	cJSON_Delete(ask_filter(
	    supervisor, cJSON_CreateObject(), "refresh", REFRESH_PATIENCE_MS));
	return true;
}

static struct cJSON *
unknown_switch(struct supervisor *supervisor, const char *name)
{
	const struct program *program = supervisor->policy.program;
	unsigned count = program_switch_count(program);
	const char **names = calloc(count + 1, sizeof *names);
	const char *near = NULL;
	struct cJSON *reply;

	for (unsigned i = 0; names != NULL && i < count; i++)
		names[i] = program_switch(program, i)->name;
	if (names != NULL)
		near = diag_suggest(slice_text(name), names, count);
	reply =
	    near == NULL
		? control_refusal("the policy has no switch \"%s\"", name)
		: control_refusal(
		      "the policy has no switch \"%s\"; did you mean \"%s\"?",
		      name, near);
	free(names);
	return reply;
}

/* Does what the request says with the switches that were read. */
static struct cJSON *
change_switch(struct supervisor *supervisor, const struct cJSON *request,
    struct switches *switches, struct arena *arena)
{
	const char *position = channel_text(request, "position");
	double for_s = channel_number(request, "for-s");
	struct switches_entry entry = {
		.name = channel_text(request, "switch"),
		.on = strcmp(position, "on") == 0,
		.since_unix = time(NULL),
		.reason = channel_text(request, "reason"),
		.by = channel_text(request, "by"),
	};
	struct cJSON *reply;
	char text[256];

	if (for_s > 0 && for_s < 1e10)
		entry.until_unix = entry.since_unix + (int64_t)for_s;
	if (strcmp(position, "default") == 0)
		(void)switches_clear(switches, entry.name);
	else if (switches_set(switches, arena, &entry) != TC_OK)
		return control_refusal("too many switches are set");
	if (!store_switches(supervisor, switches))
		return control_refusal("the state directory cannot be written: "
				       "%s",
		    strerror(errno));
	log_write(LOG_LEVEL_NOTICE,
	    "switch=%s position=%s for_s=%.0f by=\"%.60s\" reason=\"%.200s\"",
	    entry.name, position, for_s, entry.by, entry.reason);
	snprintf(text, sizeof text, "%.100s is %s%s", entry.name,
	    strcmp(position, "default") == 0 ? "as the policy says" : position,
	    entry.until_unix > 0 ? ", for the time given" : "");
	reply = cJSON_CreateObject();
	cJSON_AddBoolToObject(reply, "ok", true);
	cJSON_AddStringToObject(reply, "message", text);
	return reply;
}

static struct cJSON *
set_switch(struct supervisor *supervisor, const struct cJSON *request)
{
	const char *name = channel_text(request, "switch");
	const char *position = channel_text(request, "position");
	struct switches switches;
	struct arena *arena;
	struct cJSON *reply;

	if (strcmp(position, "on") != 0 && strcmp(position, "off") != 0 &&
	    strcmp(position, "default") != 0)
		return control_refusal("a switch is on, off or default");
	if (program_find_switch(supervisor->policy.program, slice_text(name)) <
	    0)
		return unknown_switch(supervisor, name);
	arena = arena_new(0, NULL);
	if (arena == NULL || switches_read(supervisor->start.state_directory,
				 arena, &switches) == TC_SYSTEM) {
		arena_free(&arena);
		return control_refusal(
		    "the switches cannot be read: %s", strerror(errno));
	}
	reply = change_switch(supervisor, request, &switches, arena);
	arena_free(&arena);
	return reply;
}

/* Ends what had been set for a time. */
static void
end_switches(struct supervisor *supervisor)
{
	struct arena *arena = arena_new(0, NULL);
	struct switches_entry ended;
	struct switches switches;
	bool changed = false;

	if (arena == NULL)
		return;
	if (switches_read(
		supervisor->start.state_directory, arena, &switches) == TC_OK)
		while (switches_end_one(&switches, time(NULL), &ended)) {
			log_write(LOG_LEVEL_NOTICE,
			    "switch=%s position=%s has ended: as the policy "
			    "says again",
			    ended.name, ended.on ? "on" : "off");
			changed = true;
		}
	if (changed)
		(void)store_switches(supervisor, &switches);
	arena_free(&arena);
}

static void
serve_control(struct supervisor *supervisor)
{
	struct cJSON *request;
	struct cJSON *reply;
	const char *wish;
	int client = control_accept(supervisor->control, &request);

	if (client < 0)
		return;
	wish = channel_text(request, "request");
	if (strcmp(wish, "reload") == 0)
		reply = reload(supervisor);
	else if (strcmp(wish, "status") == 0)
		reply = status(supervisor);
	else if (strcmp(wish, "set") == 0)
		reply = set_switch(supervisor, request);
	else
		reply = control_refusal("there is no request \"%.40s\"", wish);
	cJSON_Delete(request);
	control_answer(client, reply);
}

/* ---- the store ---- */

static void
start_build(struct supervisor *supervisor, const char *reason)
{
	struct job *build = &supervisor->build;

	log_write(LOG_LEVEL_NOTICE, "store build begins: %s", reason);
	build->started_ms = clock_ms();
	build->pid = store_build_start(supervisor->policy.program, &build->fd);
	if (build->pid > 0)
		return;
	log_write(LOG_LEVEL_ERROR, "fork: %s", strerror(errno));
	forget_job(build);
	supervisor->build_due_ms = clock_ms() + BUILD_RETRY_MS;
}

static void
finish_build(struct supervisor *supervisor)
{
	struct job *build = &supervisor->build;
	const struct cJSON *warning;
	uint64_t took;
	char how[64];

	hear_job(build);
	took = clock_ms() - build->started_ms;
	describe_end(build->status, how);
	cJSON_ArrayForEach(
	    warning, cJSON_GetObjectItem(build->answer, "warnings"))
	{
		if (cJSON_IsString(warning))
			log_write(LOG_LEVEL_WARNING, "store build: %s",
			    warning->valuestring);
	}
	if (channel_truth(build->answer, "ok")) {
		log_write(LOG_LEVEL_NOTICE,
		    "store built generation=%.0f indicators=%.0f bytes=%.0f "
		    "took_ms=%llu",
		    channel_number(build->answer, "generation"),
		    channel_number(build->answer, "entries"),
		    channel_number(build->answer, "size"),
		    (unsigned long long)took);
		cJSON_Delete(ask_filter(supervisor, cJSON_CreateObject(),
		    "refresh", REFRESH_PATIENCE_MS));
		/* Grows while a source stays newer; one that has changed once
		 * more is read as soon as the first. */
		if (!supervisor->build_again)
			supervisor->build_pause_ms = BUILD_PAUSE_MS;
		supervisor->build_due_ms =
		    clock_ms() + (took < BUILD_LONG_MS ? took : 4 * took);
		if (supervisor->build_again) {
			supervisor->build_due_ms += supervisor->build_pause_ms;
			if (supervisor->build_pause_ms < BUILD_PAUSE_MAX_MS)
				supervisor->build_pause_ms *= 2;
		}
	} else {
		log_write(LOG_LEVEL_ERROR,
		    "store build failed %s: %s; what was in force stays", how,
		    build->answer == NULL
			? "the process crashed"
			: channel_text(build->answer, "problem"));
		supervisor->build_due_ms = clock_ms() + BUILD_RETRY_MS;
	}
	forget_job(build);
}

/* True while the last change is so fresh that more may follow, for so long as
 * that can be waited for. */
static bool
is_being_written(struct supervisor *supervisor, bool fresh)
{
	uint64_t now = clock_ms();

	if (!fresh)
		supervisor->fresh_since_ms = 0;
	else if (supervisor->fresh_since_ms == 0)
		supervisor->fresh_since_ms = now;
	return fresh && now - supervisor->fresh_since_ms < BUILD_FRESH_MAX_MS;
}

static void
look_after_store(struct supervisor *supervisor)
{
	struct feeds_change change;
	char reason[256] = "";

	if (supervisor->build.pid != 0) {
		if (supervisor->build.ended)
			finish_build(supervisor);
		return;
	}
	if (clock_ms() < supervisor->build_due_ms)
		return;
	if (!store_build_is_due(supervisor->policy.program,
		&supervisor->store_agreed, reason, sizeof reason, &change) ||
	    is_being_written(supervisor, change.fresh))
		return;
	supervisor->build_again = change.in_future;
	supervisor->fresh_since_ms =
	    0; /* what changes next is waited for anew */
	start_build(supervisor, reason);
}

/* ---- patterns ---- */

static void
finish_patterns(struct supervisor *supervisor)
{
	int status = supervisor->patterns.status;
	char how[64];

	describe_end(status, how);
	forget_job(&supervisor->patterns);
	if (supervisor->patterns_due)
		return; /* of a policy that is no more */
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		log_write(LOG_LEVEL_ERROR,
		    "patterns: making one search of them crashed or hung "
		    "(%s): they are searched for one by one",
		    how);
		return;
	}
	snprintf(supervisor->patterns_good, sizeof supervisor->patterns_good,
	    "%s", program_hash(supervisor->policy.program));
	allow_patterns(supervisor);
}

/* What the filter will make is made here first, in a child. */
static void
look_after_patterns(struct supervisor *supervisor)
{
	const struct program *program = supervisor->policy.program;
	struct job *job = &supervisor->patterns;

	if (job->pid > 0 && job->ended)
		finish_patterns(supervisor);
	else if (job->pid > 0 &&
		 (supervisor->patterns_due ||
		     clock_ms() - job->started_ms > PATTERNS_PATIENCE_MS))
		(void)kill(job->pid, SIGKILL);
	if (job->pid > 0 || !supervisor->patterns_due)
		return;
	supervisor->patterns_due = false;
	supervisor->patterns_good[0] = '\0';
	if (!program_settings(program)->vectorscan ||
	    !pattern_set_is_worth(program))
		return;
	job->started_ms = clock_ms();
	job->pid = pattern_build_try(program);
	if (job->pid > 0)
		return;
	log_write(LOG_LEVEL_ERROR, "fork: %s", strerror(errno));
	forget_job(job);
}

/* With feeds and without a store mail would pass unmatched: the start waits. */
static void
build_first_store(struct supervisor *supervisor)
{
	const struct program *program = supervisor->policy.program;
	const char *problem;
	char reason[256];

	if (program_settings(program)->feed_count == 0 ||
	    store_build_has_store(program, &problem))
		return;
	notify_send("STATUS=building the first store of indicators");
	snprintf(reason, sizeof reason, "%s%s",
	    problem == NULL ? "there is none yet" : "the one there ",
	    problem == NULL ? "" : problem);
	start_build(supervisor, reason);
	supervisor->filter_due_ms = UINT64_MAX;
	while (supervisor->build.pid != 0 && !supervisor->build.ended &&
	       !supervisor->stop_wanted)
		(void)turn(supervisor, 200, false);
	supervisor->filter_due_ms = 0;
	if (supervisor->build.ended)
		finish_build(supervisor);
}

/* ---- start and stop ---- */

static void
stop(struct supervisor *supervisor)
{
	struct cJSON *request = cJSON_CreateObject();
	uint64_t end = clock_ms() + STOP_PATIENCE_MS;

	notify_send("STOPPING=1");
	log_write(LOG_LEVEL_NOTICE, "stopping");
	cJSON_AddStringToObject(request, "do", "stop");
	if (supervisor->channel >= 0)
		(void)channel_send(supervisor->channel, request);
	else
		cJSON_Delete(request);
	while (supervisor->filter != 0 && clock_ms() < end)
		(void)turn(supervisor, 100, false);
	if (supervisor->filter != 0) {
		log_write(
		    LOG_LEVEL_WARNING, "the filter does not stop: killed");
		(void)kill(-supervisor->filter, SIGKILL);
		(void)kill(supervisor->filter, SIGKILL);
		(void)waitpid(supervisor->filter, NULL, 0);
	}
	end_job(&supervisor->build);
	end_job(&supervisor->patterns);
	close_fd(&supervisor->zygote);
	close_fd(&supervisor->control);
	start_undo(&supervisor->start);
	log_write(LOG_LEVEL_NOTICE, "stopped");
}

/* A filter keeps the zygote that it was forked with: it finishes what it has in
 * hand and is followed by one that has the new zygote. */
static void
replace_zygote(struct supervisor *supervisor)
{
	struct cJSON *request = cJSON_CreateObject();

	supervisor->zygote_died = false;
	close_fd(&supervisor->zygote);
	supervisor->zygote = scanner_zygote_start();
	cJSON_AddStringToObject(request, "do", "stop");
	if (supervisor->channel >= 0)
		(void)channel_send(supervisor->channel, request);
	else
		cJSON_Delete(request);
}

static void
run_loop(struct supervisor *supervisor)
{
	uint64_t look_due_ms = 0;

	while (!supervisor->stop_wanted) {
		if (turn(supervisor, LOOK_MS, true))
			serve_control(supervisor);
		if (supervisor->reload_wanted && !supervisor->stop_wanted)
			cJSON_Delete(reload(supervisor));
		if (supervisor->zygote_died && !supervisor->stop_wanted)
			replace_zygote(supervisor);
		if (supervisor->stop_wanted ||
		    (clock_ms() < look_due_ms && !supervisor->build.ended &&
			!supervisor->patterns.ended))
			continue;
		look_due_ms = clock_ms() + LOOK_MS;
		look_after_store(supervisor);
		look_after_patterns(supervisor);
		end_switches(supervisor);
	}
}

static int
fail(int exit_status, const char *problem)
{
	log_write(LOG_LEVEL_ERROR, "%s", problem);
	return exit_status;
}

/* Settings, sockets, rights and zygote, in this order; then the policy in full:
 * the zygote is forked while nothing big is mapped. */
static int
set_up(struct supervisor *supervisor)
{
	const char *configuration = supervisor->options->configuration;
	char problem[512] = "";
	bool good;

	if (!trial_load(configuration, false, false, &supervisor->policy))
		return EX_CONFIG; /* the caller has printed why */
	start_log(
	    supervisor->options, program_settings(supervisor->policy.program));
	good = start_prepare(supervisor->options,
	    program_settings(supervisor->policy.program), &supervisor->start,
	    problem, sizeof problem);
	trial_free(&supervisor->policy);
	if (!good)
		return fail(EX_CONFIG, problem);
	if (supervisor->start.user.uid == 0)
		log_write(LOG_LEVEL_WARNING,
		    "the filter runs as root; the setting `user` should name "
		    "another");
	supervisor->control =
	    start_open(&supervisor->start, problem, sizeof problem);
	if (supervisor->control < 0)
		return fail(EX_TEMPFAIL, problem);
	supervisor->zygote = scanner_zygote_start();
	if (supervisor->zygote < 0)
		log_write(LOG_LEVEL_ERROR,
		    "zygote: %s; attachments are not opened", strerror(errno));
	good = trial_load(configuration, true,
	    supervisor->start.refuse_writable, &supervisor->policy);
	log_text(good ? LOG_LEVEL_WARNING : LOG_LEVEL_ERROR,
	    supervisor->policy.text == NULL ? "" : supervisor->policy.text);
	if (good)
		return EX_OK;
	start_undo(&supervisor->start);
	return fail(EX_CONFIG, "the configuration does not load");
}

int
supervise_run(const struct options *options, int ready_fd)
{
	struct supervisor supervisor = {
		.options = options,
		.policy_generation = 1,
		.signals = -1,
		.control = -1,
		.zygote = -1,
		.channel = -1,
		.trial = { .fd = -1 },
		.build = { .fd = -1 },
		.patterns = { .fd = -1 },
		.patterns_due = true,
		.build_pause_ms = BUILD_PAUSE_MS,
		.started_unix = time(NULL),
		.ready_fd = ready_fd,
	};
	int status;

	notify_begin();
	if (!catch_signals(&supervisor))
		return fail(EX_OSERR, "signals cannot be caught");
	status = set_up(&supervisor);
	if (status != EX_OK) {
		trial_free(&supervisor.policy);
		return status;
	}
	log_write(LOG_LEVEL_NOTICE,
	    "tocsind %s policy generation=1 hash=%s rules=%u%s",
	    PACKAGE_VERSION, program_hash(supervisor.policy.program),
	    program_rule_count(supervisor.policy.program),
	    program_settings(supervisor.policy.program)->enforcement_shadow
		? " enforcement=shadow"
		: "");
	build_first_store(&supervisor);
	run_loop(&supervisor);
	stop(&supervisor);
	trial_free(&supervisor.policy);
	cJSON_Delete(supervisor.reply);
	return EX_OK;
}
