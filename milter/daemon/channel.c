#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "daemon/channel.h"

bool
channel_pair(int ends_out[2])
{
	int size = 2 * CHANNEL_BYTES_MAX;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends_out) !=
	    0)
		return false;
	for (int i = 0; i < 2; i++)
		(void)setsockopt(
		    ends_out[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	return true;
}

bool
channel_send(int fd, struct cJSON *object)
{
	char *text = cJSON_PrintUnformatted(object);
	size_t length = text == NULL ? 0 : strlen(text);
	ssize_t sent = -1;

	cJSON_Delete(object);
	if (length > 0 && length <= CHANNEL_BYTES_MAX)
		do
			sent = send(fd, text, length, MSG_NOSIGNAL);
		while (sent < 0 && errno == EINTR);
	free(text);
	return sent >= 0 && (size_t)sent == length;
}

enum channel_result
channel_receive(int fd, struct cJSON **object_out)
{
	char *text = malloc(CHANNEL_BYTES_MAX + 1);
	enum channel_result result = CHANNEL_GARBAGE;
	ssize_t got;

	*object_out = NULL;
	if (text == NULL)
		return CHANNEL_GARBAGE;
	got = recv(fd, text, CHANNEL_BYTES_MAX, MSG_DONTWAIT);
	if (got > 0) {
		text[got] = '\0';
		*object_out = cJSON_Parse(text);
		if (cJSON_IsObject(*object_out)) {
			result = CHANNEL_RECEIVED;
		} else {
			cJSON_Delete(*object_out);
			*object_out = NULL;
		}
	} else if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
		result = CHANNEL_NOTHING;
	} else {
		result = CHANNEL_CLOSED;
	}
	free(text);
	return result;
}

const char *
channel_text(const struct cJSON *object, const char *name)
{
	const struct cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsString(item) ? item->valuestring : "";
}

double
channel_number(const struct cJSON *object, const char *name)
{
	const struct cJSON *item = cJSON_GetObjectItem(object, name);

	return cJSON_IsNumber(item) ? item->valuedouble : 0;
}

bool
channel_truth(const struct cJSON *object, const char *name)
{
	return cJSON_IsTrue(cJSON_GetObjectItem(object, name));
}
