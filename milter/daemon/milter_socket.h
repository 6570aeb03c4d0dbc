/*
 * milter_socket - the socket that the MTA connects to
 *
 * libmilter can't be handed a descriptor, so it opens the socket itself, in the
 * supervisor and before any fork: every filter inherits it, and connections
 * wait in its backlog while one is started again.
 *
 * A unix socket is bound under a temporary name beside its place, gets its
 * group and mode, and is then renamed: nobody ever sees it with other rights,
 * a stale socket is replaced in one step, and libmilter, which removes the name
 * it bound when it stops, finds nothing to remove.
 */
#ifndef TOCSIN_DAEMON_MILTER_SOCKET_H
#define TOCSIN_DAEMON_MILTER_SOCKET_H

#include <sys/types.h>

#include "daemon/socket_address.h"

struct milter_socket_settings {
	struct socket_address address;
	const char *group; /* "" = the process's */
	mode_t mode;
	uid_t filter_uid; /* who must not be able to replace it */
};

/* Looks at what is there: the folder exists and is searchable, what stands at
 * the path is a socket that nobody serves. False with a sentence in `problem`.
 * `warning` ("" where all is well) tells of a folder that others may write. */
bool milter_socket_check(const struct milter_socket_settings *settings,
    char *problem, size_t problem_size, char *warning, size_t warning_size);

/* Has libmilter open it; callbacks_register() comes first. False with a
 * sentence in `problem`. */
bool milter_socket_open(const struct milter_socket_settings *settings,
    char *problem, size_t problem_size);

/* Removes the name of a unix socket, where that is still ours and allowed. */
void milter_socket_remove(const struct milter_socket_settings *settings);

#endif
