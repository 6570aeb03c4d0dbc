#include <config.h>

#include <cjson/cJSON.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/builder.h"
#include "daemon/channel.h"
#include "daemon/settings_check.h"
#include "daemon/trial.h"
#include "language/load.h"

static char *
print_diag(const struct diag *diag)
{
	struct arena *arena = arena_new(0, NULL);
	struct builder out;
	struct slice text;
	char *copy = NULL;

	if (arena == NULL)
		return NULL;
	out = builder_make(arena, TRIAL_TEXT_MAX);
	diag_print_all(diag, &out);
	text = builder_result(&out);
	copy = malloc(text.length + 1);
	if (copy != NULL) {
		if (text.length > 0)
			memcpy(copy, text.data, text.length);
		copy[text.length] = '\0';
	}
	arena_free(&arena);
	return copy;
}

static bool
load(const char *configuration, bool lists, bool refuse_writable,
    void (*check)(const struct program *program, struct diag *diag),
    struct trial_policy *policy_out)
{
	struct load_options options = {
		.refuse_writable = refuse_writable,
		.no_lists = !lists,
		.now = time(NULL),
		.check = check,
	};
	struct trial_policy policy = { .arena = arena_new(0, NULL) };
	struct diag diag;

	*policy_out = policy;
	if (policy.arena == NULL)
		return false;
	diag = diag_make(policy.arena, LOAD_ERRORS_MAX);
	policy.program = load_file(configuration, &options, &diag);
	policy.errors = diag.error_count;
	policy.warnings = diag.warning_count;
	policy.text = print_diag(&diag);
	*policy_out = policy;
	return policy.program != NULL;
}

bool
trial_load(const char *configuration, bool lists, bool refuse_writable,
    struct trial_policy *policy_out)
{
	return load(configuration, lists, refuse_writable, NULL, policy_out);
}

bool
trial_load_usable(const char *configuration, bool lists, bool accounts,
    struct trial_policy *policy_out)
{
	return load(configuration, lists, false,
	    accounts ? settings_check_here : settings_check, policy_out);
}

void
trial_free(struct trial_policy *policy)
{
	program_free(&policy->program);
	arena_free(&policy->arena);
	free(policy->text);
	policy->text = NULL;
}

static _Noreturn void
run_child(const char *configuration, int fd)
{
	struct trial_policy policy;
	struct cJSON *answer = cJSON_CreateObject();
	bool loaded = trial_load_usable(configuration, true, false, &policy);

	cJSON_AddBoolToObject(answer, "ok", loaded);
	cJSON_AddNumberToObject(answer, "errors", policy.errors);
	cJSON_AddNumberToObject(answer, "warnings", policy.warnings);
	cJSON_AddStringToObject(
	    answer, "text", policy.text == NULL ? "" : policy.text);
	if (loaded) {
		cJSON_AddStringToObject(
		    answer, "hash", program_hash(policy.program));
		cJSON_AddNumberToObject(
		    answer, "rules", program_rule_count(policy.program));
	}
	/* No clean-up: the process ends, and what it holds with it. */
	_exit(channel_send(fd, answer) ? 0 : 1);
}

pid_t
trial_start(const char *configuration, int *fd_out)
{
	int ends[2];
	pid_t child;

	if (!channel_pair(ends))
		return -1;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		run_child(configuration, ends[1]);
	}
	close(ends[1]);
	if (child < 0) {
		close(ends[0]);
		return -1;
	}
	*fd_out = ends[0];
	return child;
}
