/*
 * control - the socket by which `tocsin` reaches the supervisor
 *
 * A client connects, sends one line of JSON, gets one line back. Only root and
 * the daemon's own user are heard, by the kernel's word on who they are
 * (SO_PEERCRED); the file's mode says the same.
 */
#ifndef TOCSIN_DAEMON_CONTROL_H
#define TOCSIN_DAEMON_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct cJSON;

/* A client's line must come within this time, in milliseconds: it sends it at
 * once, and the supervisor has other things to do. */
#define CONTROL_PATIENCE_MS 1000

/* Listens at `path` (mode 0600, owner `owner`), replacing a stale socket. -1
 * with a sentence in `problem` when it cannot. */
int control_listen(
    const char *path, uid_t owner, char *problem, size_t problem_size);

/* Accepts one client and reads its request: *request_out is the caller's, the
 * return value the client's descriptor; -1 when there is none, or when it was
 * sent away. */
int control_accept(int listener, struct cJSON **request_out);

/* Answers, frees `reply` and closes the client. */
void control_answer(int client, struct cJSON *reply);

/* A reply that says no: {"ok":false,"error":…}. */
struct cJSON *control_refusal(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

#endif
