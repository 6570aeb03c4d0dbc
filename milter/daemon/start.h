/*
 * start - from the command line and the configuration to open sockets
 *
 * What has to happen once, before privileges are given up: the settings that a
 * reload cannot change are read, checked and acted on.
 */
#ifndef TOCSIN_DAEMON_START_H
#define TOCSIN_DAEMON_START_H

#include "daemon/milter_socket.h"
#include "daemon/options.h"
#include "daemon/privilege.h"
#include "daemon/trial.h"

struct start {
	struct milter_socket_settings socket;
	struct privilege_user user;
	char group[64];
	char control_path[256];
	char pid_path[256]; /* "" without */
	char state_directory[2048];
	bool refuse_writable; /* run as a service: be strict about files */
};

/* Checks everything that the settings name and fills *start_out. False with a
 * sentence in `problem`. Opens nothing. */
bool start_prepare(const struct options *options,
    const struct settings *settings, struct start *start_out, char *problem,
    size_t problem_size);

/* Opens the milter's and the control socket, makes state directory and pid
 * file, and gives up privileges. Returns the control socket, or -1 with a
 * sentence in `problem`. */
int start_open(const struct start *start, char *problem, size_t problem_size);

/* Removes what start_open() made, as far as our rights go. */
void start_undo(const struct start *start);

/* Directs the log as command line and settings say. */
void start_log(const struct options *options, const struct settings *settings);

#endif
