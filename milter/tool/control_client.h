/*
 * control_client - asks the running tocsind over its control socket
 *
 * One line of JSON goes out, one comes back; a connection is good for one
 * request. The reply always has "ok" (bool); when it is false "error" says in
 * one sentence why, and "diagnostics" holds the text for the operator where
 * there is more to say.
 */
#ifndef TOCSIN_TOOL_CONTROL_CLIENT_H
#define TOCSIN_TOOL_CONTROL_CLIENT_H

#include <stdbool.h>

struct cJSON;

/* Longest reply that is read, in bytes. */
#define CONTROL_CLIENT_REPLY_MAX (4u << 20)

/* Where the control socket of this configuration is: what -s gave (may be
 * NULL), else the setting `control-socket` of the file, which is found even in
 * a configuration that does not load, else the default. Writes at most
 * `size` bytes into `path_out`; false when it does not fit. */
bool control_client_path(const char *socket_given, const char *configuration,
    char *path_out, unsigned size);

/* Sends `request` (which is freed) and waits at most timeout_s for the reply.
 * NULL when there is none: it has then been said on standard error, after
 * "tocsin COMMAND: "; `command` NULL: nothing is said. The reply is the caller's,
 * cJSON_Delete(). */
struct cJSON *control_client_ask(const char *command, const char *path,
    struct cJSON *request, unsigned timeout_s);

/* Prints "error" and "diagnostics" of a reply that is not ok to standard
 * error. Returns EX_OK when it is ok, else EX_CONFIG where there are
 * diagnostics, else EX_UNAVAILABLE. */
int control_client_result(const char *command, const struct cJSON *reply);

/* All of the above for one command: sends `request` (which is freed), with
 * the command as what is asked for. The exit status; EX_OK with *reply_out,
 * the caller's, else NULL there and all has been said. */
int control_client_run(const char *command, const char *socket_given,
    const char *configuration, struct cJSON *request, unsigned timeout_s,
    struct cJSON **reply_out);

#endif
