#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <libmilter/mfapi.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/assembly.h"
#include "daemon/channel.h"
#include "daemon/filter.h"
#include "daemon/nudge.h"
#include "daemon/report.h"
#include "daemon/sandbox.h"
#include "daemon/start.h"
#include "outcome/alert.h"
#include "outcome/journal.h"
#include "session/callbacks.h"

/* Exactly MILTER_MDS_1M: libmilter's default drops the connection at a packet
 * of 64 KiB, and Postfix sends up to 100 KiB of one header in one packet. */
#define PACKET_BYTES_MAX 1048575

/* What is added by hand has to act within a second. */
#define INDICATORS_EVERY_MS 250

static struct generation_slot generations = GENERATION_SLOT_INITIALIZER;
static struct limits limits;
static struct callbacks_setup callbacks = {
	.generations = &generations,
	.shared = { .limits = &limits },
	.before_wait = nudge_pool,
};
static struct assembly assembly;
static int channel = -1;
static const struct options *options;

bool
filter_register(void)
{
	return callbacks_register(&callbacks);
}

/* ---- the supervisor's wishes ---- */

static struct journal_settings
journal_settings(const struct settings *settings)
{
	static char directory[4096];

	snprintf(directory, sizeof directory, "%s/evidence",
	    settings->state_directory);
	return (struct journal_settings){
		.directory = directory,
		.no_records = !settings->evidence,
		.retention_days =
		    (unsigned)(settings->evidence_retention / 86400000),
		.preserve_quota_bytes = settings->evidence_quota,
	};
}

/* Mail is judged also where it cannot be recorded; the log says so. */
static void
open_journal(const struct settings *settings)
{
	struct journal_settings journal = journal_settings(settings);

	if (mkdir(journal.directory, 0700) != 0 && errno != EEXIST)
		log_write(LOG_LEVEL_ERROR, "evidence folder=%s: %s",
		    journal.directory, strerror(errno));
	callbacks.shared.journal = journal_new(&journal);
}

/* What a process has once, not each generation. */
static void
take_settings(const struct settings *settings)
{
	struct journal_settings journal = journal_settings(settings);

	start_log(options, settings);
	if (callbacks.shared.journal != NULL)
		journal_configure(callbacks.shared.journal, &journal);
}

static void
answer_reload(const struct cJSON *request)
{
	struct cJSON *reply = cJSON_CreateObject();
	char *text = NULL;
	bool good = assembly_reload(
	    &assembly, (uint64_t)channel_number(request, "generation"), &text);
	const struct program *program = assembly_program(&assembly);

	if (good)
		take_settings(program_settings(program));
	cJSON_AddStringToObject(reply, "reply", "reload");
	cJSON_AddBoolToObject(reply, "ok", good);
	cJSON_AddStringToObject(reply, "text", text == NULL ? "" : text);
	cJSON_AddStringToObject(reply, "hash", program_hash(program));
	cJSON_AddNumberToObject(reply, "rules", program_rule_count(program));
	free(text);
	(void)channel_send(channel, reply);
}

static void
answer_status(void)
{
	struct cJSON *reply = cJSON_CreateObject();

	cJSON_AddStringToObject(reply, "reply", "status");
	cJSON_AddBoolToObject(reply, "ok", true);
	report_fill(&assembly, reply);
	(void)channel_send(channel, reply);
}

static void
say(const char *what)
{
	struct cJSON *reply = cJSON_CreateObject();

	cJSON_AddStringToObject(reply, "reply", what);
	cJSON_AddBoolToObject(reply, "ok", true);
	(void)channel_send(channel, reply);
}

static void
sleep_ms(long ms)
{
	struct timespec pause = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	(void)nanosleep(&pause, NULL);
}

/* New messages are deferred, those in hand are finished, then we end, here and
 * now: smfi_stop() blocks for up to five seconds and cuts off what it finds. */
static _Noreturn void
stop(const char *why)
{
	callbacks_drain();
	for (int waited = 0;
	     waited < FILTER_DRAIN_MS && callbacks_messages() > 0; waited += 20)
		sleep_ms(20);
	log_write(LOG_LEVEL_INFO,
	    "filter stops: %s connections=%u unfinished=%u", why,
	    callbacks_connections(), callbacks_messages());
	_exit(EX_OK);
}

static void
serve(const struct cJSON *request)
{
	const char *wish = channel_text(request, "do");

	if (strcmp(wish, "reload") == 0) {
		answer_reload(request);
	} else if (strcmp(wish, "refresh") == 0) {
		assembly_refresh(&assembly);
		say("refresh");
	} else if (strcmp(wish, "patterns") == 0) {
		assembly_allow_patterns(
		    &assembly, channel_text(request, "hash"));
	} else if (strcmp(wish, "status") == 0) {
		answer_status();
	} else if (strcmp(wish, "stop") == 0) {
		stop("asked to");
	}
}

static void *
run_channel(void *unused)
{
	time_t refreshed = time(NULL);

	(void)unused;
	for (;;) {
		struct pollfd ready = { .fd = channel, .events = POLLIN };
		struct cJSON *request = NULL;

		if (poll(&ready, 1, INDICATORS_EVERY_MS) < 0 && errno != EINTR)
			stop("poll failed");
		switch (channel_receive(channel, &request)) {
		case CHANNEL_RECEIVED:
			serve(request);
			break;
		case CHANNEL_CLOSED:
			stop("the supervisor is gone");
		case CHANNEL_NOTHING:
		case CHANNEL_GARBAGE:
			break;
		}
		cJSON_Delete(request);
		if (time(NULL) == refreshed) {
			assembly_refresh_indicators(&assembly);
			continue;
		}
		refreshed = time(NULL);
		assembly_refresh(&assembly);
		if (callbacks.shared.journal != NULL)
			journal_expire(callbacks.shared.journal, refreshed);
	}
}

static bool
start_channel(void)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all;
	sigset_t before;
	bool started;

	/* Signals are libmilter's own thread's affair. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	started = pthread_create(&thread, &attributes, run_channel, NULL) == 0;
	pthread_attr_destroy(&attributes);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return started;
}

/* ---- the start ---- */

static void
settle_process(void)
{
	static const int reset[] = { SIGHUP, SIGINT, SIGTERM, SIGUSR1,
		SIGCHLD };
	struct rlimit files;
	sigset_t none;

	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM, 0, 0, 0);
	for (size_t i = 0; i < sizeof reset / sizeof reset[0]; i++)
		(void)signal(reset[i], SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		files.rlim_cur = files.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* Before the first thread, and before the first octet of mail. */
static void
go_to_sandbox(const struct settings *settings)
{
	struct sandbox_result result;
	char problem[256] = "";

	if (!sandbox_enter(
		settings->state_directory, &result, problem, sizeof problem)) {
		log_write(LOG_LEVEL_ERROR, "sandbox: %s", problem);
		_exit(EX_OSERR);
	}
	log_write(LOG_LEVEL_INFO, "sandbox seccomp=%s landlock=%d",
	    result.seccomp ? "yes" : "no", result.landlock_abi);
}

_Noreturn void
filter_run(const struct filter_setup *setup)
{
	int result;

	settle_process();
	channel = setup->channel;
	options = setup->options;
	nudge_at(setup->address);
	assembly = (struct assembly){
		.configuration = setup->options->configuration,
		.zygote = setup->zygote,
		.slot = &generations,
		.limits = &limits,
	};
	open_journal(program_settings(setup->policy->program));
	callbacks.shared.alerts = alert_new();
	go_to_sandbox(program_settings(setup->policy->program));
	if (!assembly_begin(&assembly, setup->policy, setup->policy_generation))
		_exit(EX_TEMPFAIL);
	if (smfi_setmaxdatasize(PACKET_BYTES_MAX) == 0)
		log_write(LOG_LEVEL_WARNING,
		    "libmilter does not take packets of %u bytes",
		    PACKET_BYTES_MAX);
	if (!start_channel()) {
		log_write(LOG_LEVEL_ERROR, "thread: %s", strerror(errno));
		_exit(EX_OSERR);
	}
	say("ready");
	result = smfi_main();
	log_write(result == MI_SUCCESS ? LOG_LEVEL_NOTICE : LOG_LEVEL_ERROR,
	    "libmilter has stopped by itself or by a signal");
	_exit(result == MI_SUCCESS ? EX_OK : EX_SOFTWARE);
}
