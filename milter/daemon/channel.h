/*
 * channel - JSON objects between our own processes
 *
 * One object is one packet of a SOCK_SEQPACKET pair, or one line of a stream.
 * Both sides are ours, but what comes from a filter that was taken over is not
 * believed: sizes are bounded and a member that is missing reads as 0 or "".
 */
#ifndef TOCSIN_DAEMON_CHANNEL_H
#define TOCSIN_DAEMON_CHANNEL_H

#include <stdbool.h>
#include <stdint.h>

struct cJSON;

/* Longest packet; the kernel's default buffers take it in one piece. */
#define CHANNEL_BYTES_MAX (160u * 1024)

/* Makes a pair; both ends close on exec. False with errno. */
bool channel_pair(int ends_out[2]);

/* Sends `object` and frees it. False when it cannot be sent whole. */
bool channel_send(int fd, struct cJSON *object);

enum channel_result {
	CHANNEL_RECEIVED,
	CHANNEL_NOTHING, /* not yet */
	CHANNEL_CLOSED,
	CHANNEL_GARBAGE
};

/* Takes the next object without waiting; it is the caller's. */
enum channel_result channel_receive(int fd, struct cJSON **object_out);

/* Members by name; the text lives as long as the object. */
const char *channel_text(const struct cJSON *object, const char *name);
double channel_number(const struct cJSON *object, const char *name);
bool channel_truth(const struct cJSON *object, const char *name);

#endif
