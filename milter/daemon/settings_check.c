#include <config.h>

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
static bool
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
		return true;
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
	program_setting_error(program, "resolver", name, diag, problem);
	return false;
}

static bool
try_socket(const struct program *program, struct diag *diag)
{
	struct socket_address address;
	char problem[512] = "";

	if (socket_address_parse(program_settings(program)->socket, &address,
		problem, sizeof problem))
		return true;
	program_setting_error(program, NULL, "socket", diag, problem);
	return false;
}

bool
settings_check(const struct program *program, struct diag *diag)
{
	bool resolver = try_resolver(program, diag);

	return try_socket(program, diag) && resolver;
}
