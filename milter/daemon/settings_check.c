#include <config.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "daemon/settings_check.h"
#include "daemon/socket_address.h"

struct resolver_settings
settings_check_resolver(const struct settings *settings)
{
	return (struct resolver_settings){
		.server = settings->resolver.server,
		.port = (unsigned)settings->resolver.port,
		.dnssec = settings->resolver.dnssec,
		.trust_anchor = settings->resolver.trust_anchor,
		.cache_bytes = (size_t)settings->resolver.cache_size,
	};
}

/* Opened and closed; nothing is asked. */
static void
try_resolver(const struct program *program, struct diag *diag)
{
	struct resolver_settings settings =
	    settings_check_resolver(program_settings(program));
	char problem[RESOLVER_PROBLEM_MAX] = "";
	struct resolver *resolver = resolver_open(&settings, problem);
	bool good = resolver != NULL;
	const char *name = "server";

	resolver_free(&resolver);
	if (good)
		return;
	/* Validation is the only other thing that can be in the way. */
	if (settings.dnssec) {
		settings.dnssec = false;
		resolver =
		    resolver_open(&settings, (char[RESOLVER_PROBLEM_MAX]){ 0 });
		if (resolver != NULL)
			name = settings.trust_anchor[0] != '\0' ? "trust-anchor"
								: "dnssec";
		resolver_free(&resolver);
	}
	program_setting_note(
	    program, "resolver", name, diag, DIAG_ERROR, problem);
}

static void
try_socket(const struct program *program, struct diag *diag)
{
	struct socket_address address;
	char problem[512] = "";

	if (socket_address_parse(program_settings(program)->socket, &address,
		problem, sizeof problem))
		return;
	program_setting_note(
	    program, NULL, "socket", diag, DIAG_ERROR, problem);
}

static void
try_account(const struct program *program, const char *setting,
    const char *kind, const char *name, bool known, struct diag *diag,
    enum diag_level level)
{
	char problem[300];

	if (name[0] == '\0' || known)
		return;
	snprintf(problem, sizeof problem, "there is no %s \"%s\"%s", kind, name,
	    level == DIAG_ERROR ? "" : " here; tocsind would not start");
	program_setting_note(program, NULL, setting, diag, level, problem);
}

static void
try_all(
    const struct program *program, struct diag *diag, enum diag_level accounts)
{
	const char *user = program_settings(program)->user;
	const char *group = program_settings(program)->socket_group;

	try_resolver(program, diag);
	try_socket(program, diag);
	try_account(program, "user", "user", user, getpwnam(user) != NULL, diag,
	    accounts);
	try_account(program, "socket-group", "group", group,
	    getgrnam(group) != NULL, diag, accounts);
}

void
settings_check(const struct program *program, struct diag *diag)
{
	try_all(program, diag, DIAG_WARNING);
}

void
settings_check_here(const struct program *program, struct diag *diag)
{
	try_all(program, diag, DIAG_ERROR);
}
