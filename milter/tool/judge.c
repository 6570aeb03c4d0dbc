#include <config.h>

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>

#include "tool/judge.h"

#include "daemon/pattern_build.h"
#include "daemon/rulesets.h"
#include "daemon/switches.h"
#include "dns/resolver.h"
#include "dns/resolver_zone.h"
#include "language/program.h"

static int
open_resolver(struct judge *judge)
{
	const struct settings_resolver *settings =
	    &program_settings(judge->engine.program)->resolver;
	const struct resolver_settings request = {
		.server = settings->server,
		.port = (unsigned)settings->port,
		.dnssec = settings->dnssec,
		.trust_anchor = settings->trust_anchor,
		.cache_bytes = (size_t)settings->cache_size,
	};
	char problem[RESOLVER_PROBLEM_MAX] = "";

	if (judge->options.zone != NULL)
		judge->resolver =
		    resolver_zone_open(judge->options.zone, problem);
	else if (judge->options.dns)
		judge->resolver = resolver_open(&request, problem);
	else
		return EX_OK;
	if (judge->resolver != NULL)
		return EX_OK;
	fprintf(stderr, "tocsin scan: %s\n", problem);
	return judge->options.zone != NULL ? EX_DATAERR : EX_CONFIG;
}

/* Without workers attachments are not opened, as in a daemon without them;
 * rules that do not compile are said. */
static void
open_scanner(struct judge *judge)
{
	const struct settings *settings =
	    program_settings(judge->engine.program);
	struct scanner_settings limits = rulesets_scanner_settings(settings);
	struct arena *arena = judge->engine.arena;
	struct diag diag = diag_make(arena, 100), first = diag_make(arena, 1);
	struct builder text = builder_make(arena, SIZE_MAX);
	struct rulesets rulesets = { 0 };
	int zygote = judge->options.zygote;

	if (zygote < 0 ||
	    rulesets_read(settings, arena, &diag, &rulesets) != TC_OK)
		return;
	if (scanner_new(zygote, &limits, rulesets.items.items,
		rulesets.items.count, &first, &judge->scanner) == TC_INVALID) {
		rulesets_drop_broken(zygote, &limits, false, &diag, &rulesets);
		scanner_new(zygote, &limits, rulesets.items.items,
		    rulesets.items.count, &diag, &judge->scanner);
	}
	diag_print_all(&diag, &text);
	fwrite(text.data, 1, text.length, stderr);
}

/* As the state folder has them, then as the options do. What is not as the
 * policy has it is said: the policy's text would mislead. */
static bool
set_switches(struct judge *judge, const char *config)
{
	const struct program *program = judge->engine.program;
	const struct judge_options *options = &judge->options;
	const char *folder = program_settings(program)->state_directory;
	struct switches switches = { 0 };
	enum tc_status status =
	    switches_read(folder, judge->engine.arena, &switches);

	if (status != TC_OK)
		fprintf(stderr,
		    "tocsin scan: %s/%s: %s; switches are as the policy says "
		    "(--switch NAME=on)\n",
		    folder, SWITCHES_FILE_NAME,
		    status == TC_SYSTEM ? strerror(errno) : "not of its form");
	judge->positions = switches_positions(&switches, program, time(NULL));
	if (judge->positions == NULL)
		return false;
	for (unsigned i = 0; i < program_switch_count(program); i++) {
		const struct program_switch *known = program_switch(program, i);

		for (size_t j = 0; j < options->switch_count; j++)
			if (slice_equal_text(
				options->switches[j].name, known->name))
				judge->positions[i] = options->switches[j].on;
		if (judge->positions[i] != known->initial)
			fprintf(stderr,
			    "tocsin scan: %s: switch %s is taken "
			    "to be %s, other than the policy says\n",
			    config, known->name,
			    judge->positions[i] ? "on" : "off");
	}
	return true;
}

bool
judge_has_switch(const struct judge *judge, struct slice name)
{
	const struct program *program = judge->engine.program;

	for (unsigned i = 0; i < program_switch_count(program); i++)
		if (slice_equal_text(name, program_switch(program, i)->name))
			return true;
	return false;
}

int
judge_open(struct judge *judge, const char *config,
    const struct judge_options *options)
{
	const struct engine *engine = &judge->engine;
	int status;

	*judge = (struct judge){ .options = *options };
	status = engine_open(&judge->engine, "scan", config);
	if (status != EX_OK)
		return status;
	open_scanner(judge);
	status = engine_open_matcher(&judge->engine);
	if (status == EX_OK)
		status = open_resolver(judge);
	if (status != EX_OK)
		return status;
	judge->arena = arena_new(0, NULL);
	if (judge->arena == NULL)
		return EX_OSERR;
	if (!judge->options.auth_given)
		judge->options.auth = judge->resolver != NULL
					  ? SESSION_AUTH_NOW
					  : SESSION_AUTH_RECORDED;
	if (!set_switches(judge, config))
		return EX_OSERR;
	limits_set(&judge->limits, program_settings(engine->program));
	judge->shared.limits = &judge->limits;
	judge->basis = (struct session_basis){ .program = engine->program,
		.switches = judge->positions,
		.resolver = judge->resolver,
		.matcher = engine->matcher,
		.scanner = judge->scanner,
		.store_generation = engine->store == NULL
					? 0
					: store_generation(engine->store) };
	return EX_OK;
}

/* Makes one search of the policy's patterns, once and where that pays. A child
 * tries it first, as the daemon has it done. */
static void
make_patterns(struct judge *judge)
{
	const struct program *program = judge->engine.program;
	int ended = 0;
	pid_t child;

	if (++judge->messages != JUDGE_PATTERNS_AFTER ||
	    !program_settings(program)->vectorscan ||
	    !pattern_set_is_worth(program))
		return;
	fflush(stdout); /* or the child writes it as well */
	child = pattern_build_try(program);
	while (child > 0 && waitpid(child, &ended, 0) < 0 && errno == EINTR)
		continue;
	if (child < 0 || ended != 0)
		return;
	judge->patterns = pattern_set_new(program, &judge->pattern_report);
	judge->basis.patterns = judge->patterns;
}

enum tc_status
judge_message(struct judge *judge, struct slice raw)
{
	const struct judge_options *options = &judge->options;

	session_free(&judge->session);
	arena_reset(judge->arena);
	make_patterns(judge);
	judge->session = session_new(&judge->shared, &judge->basis);
	if (judge->session == NULL)
		return TC_LIMIT;
	session_keep(judge->session);
	session_set_auth(judge->session, options->auth);
	session_set_trace(judge->session, options->explain != NULL);
	session_set_any_age(judge->session, options->as_of == JUDGE_AS_OF_ANY);
	if (options->as_of == JUDGE_AS_OF_RECEIVED)
		session_set_now(judge->session, replay_received(raw));
	return replay_message(judge->session, judge->arena, raw,
	    &options->envelope, options->explain, &judge->result);
}

void
judge_close(struct judge *judge)
{
	session_free(&judge->session);
	arena_free(&judge->arena);
	scanner_free(&judge->scanner);
	resolver_free(&judge->resolver);
	pattern_set_free(&judge->patterns);
	free(judge->positions);
	judge->positions = NULL;
	if (judge->engine.arena != NULL)
		engine_close(&judge->engine);
}
