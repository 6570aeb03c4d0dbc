#include <config.h>

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "daemon/pattern_build.h"

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void *
run(void *context)
{
	struct pattern_build *build = context;
	int64_t began = now_ms();

	build->set = pattern_set_new(
	    generation_part_thing(build->policy), &build->report);
	build->took_ms = now_ms() - began;
	atomic_store(&build->done, true);
	return NULL;
}

bool
pattern_build_begin(struct pattern_build *build, struct generation_part *policy)
{
	sigset_t all, before;

	if (build->running)
		return false;
	atomic_store(&build->done, false);
	build->policy = generation_part_retain(policy);
	/* Signals are libmilter's own thread's affair. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	build->running = pthread_create(&build->thread, NULL, run, build) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!build->running)
		generation_part_release(&build->policy);
	return build->running;
}

bool
pattern_build_take(struct pattern_build *build, struct pattern_set **set_out,
    struct generation_part **policy_out)
{
	if (!build->running || !atomic_load(&build->done))
		return false;
	(void)pthread_join(build->thread, NULL);
	build->running = false;
	*set_out = build->set;
	*policy_out = build->policy;
	build->set = NULL;
	build->policy = NULL;
	return true;
}

void
pattern_build_end(struct pattern_build *build)
{
	if (!build->running)
		return;
	(void)pthread_join(build->thread, NULL);
	build->running = false;
	pattern_set_free(&build->set);
	generation_part_release(&build->policy);
}

pid_t
pattern_build_try(const struct program *program)
{
	struct pattern_set_report report;
	pid_t child = fork();

	if (child != 0)
		return child;
	/* Mail comes first. */
	(void)setpriority(PRIO_PROCESS, 0, PATTERN_BUILD_NICE);
	(void)pattern_set_new(program, &report);
	_exit(0);
}
