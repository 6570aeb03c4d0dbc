#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/control.h"

#define REQUEST_MAX 8192

static bool
clear_place(const char *path, char *problem, size_t problem_size)
{
	struct stat info;

	if (lstat(path, &info) != 0)
		return true;
	if (!S_ISSOCK(info.st_mode)) {
		snprintf(problem, problem_size,
		    "%s is there and is no socket; move it away", path);
		return false;
	}
	if (unlink(path) == 0)
		return true;
	snprintf(problem, problem_size, "%s: %s", path, strerror(errno));
	return false;
}

int
control_listen(
    const char *path, uid_t owner, char *problem, size_t problem_size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	int bound;
	int fd;

	if (strlen(path) >= sizeof address.sun_path) {
		snprintf(problem, problem_size,
		    "the control socket's path %s is too long", path);
		return -1;
	}
	if (!clear_place(path, problem, problem_size))
		return -1;
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0) {
		snprintf(problem, problem_size, "socket: %s", strerror(errno));
		return -1;
	}
	mask = umask(0177);
	bound = bind(fd, (struct sockaddr *)&address, sizeof address);
	umask(mask);
	if (bound != 0 || listen(fd, 16) != 0 ||
	    (owner != geteuid() && lchown(path, owner, (gid_t)-1) != 0)) {
		snprintf(problem, problem_size, "the control socket %s: %s",
		    path, strerror(errno));
		close(fd);
		return -1;
	}
	return fd;
}

/* Root and ourselves, by the kernel's word. */
static bool
may_speak(int client)
{
	struct ucred who;
	socklen_t size = sizeof who;

	if (getsockopt(client, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0)
		return false;
	if (who.uid == 0 || who.uid == geteuid())
		return true;
	log_write(LOG_LEVEL_WARNING,
	    "control refused uid=%ld pid=%ld: neither root nor our own user",
	    (long)who.uid, (long)who.pid);
	return false;
}

static long
milliseconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static struct cJSON *
read_request(int client)
{
	long end = milliseconds() + CONTROL_PATIENCE_MS;
	char line[REQUEST_MAX];
	size_t length = 0;

	for (;;) {
		struct pollfd ready = { .fd = client, .events = POLLIN };
		long left = end - milliseconds();
		ssize_t got;

		if (left <= 0 || length + 1 >= sizeof line ||
		    poll(&ready, 1, (int)left) == 0)
			return NULL;
		got = recv(client, line + length, sizeof line - 1 - length,
		    MSG_DONTWAIT);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return NULL;
		length += (size_t)got;
		line[length] = '\0';
		if (line[length - 1] == '\n')
			return cJSON_Parse(line);
	}
}

int
control_accept(int listener, struct cJSON **request_out)
{
	int client = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	*request_out = NULL;
	if (client < 0)
		return -1;
	if (!may_speak(client)) {
		control_answer(client,
		    control_refusal("only root and the daemon's own user may "
				    "do this"));
		return -1;
	}
	*request_out = read_request(client);
	if (cJSON_IsObject(*request_out))
		return client;
	cJSON_Delete(*request_out);
	*request_out = NULL;
	control_answer(
	    client, control_refusal("the request is not understood"));
	return -1;
}

/* The client may be slow or gone: a few seconds, then it is let go. */
static void
send_all(int client, const char *text, size_t length)
{
	long end = milliseconds() + 3 * CONTROL_PATIENCE_MS;

	while (length > 0 && milliseconds() < end) {
		struct pollfd ready = { .fd = client, .events = POLLOUT };
		ssize_t sent;

		if (poll(&ready, 1, CONTROL_PATIENCE_MS) < 0)
			continue;
		sent = send(client, text, length, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (sent <= 0)
			return;
		text += sent;
		length -= (size_t)sent;
	}
}

void
control_answer(int client, struct cJSON *reply)
{
	char *text = cJSON_PrintUnformatted(reply);

	cJSON_Delete(reply);
	if (text != NULL) {
		send_all(client, text, strlen(text));
		send_all(client, "\n", 1);
	}
	free(text);
	close(client);
}

struct cJSON *
control_refusal(const char *format, ...)
{
	struct cJSON *reply = cJSON_CreateObject();
	char text[512];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	cJSON_AddBoolToObject(reply, "ok", false);
	cJSON_AddStringToObject(reply, "error", text);
	return reply;
}
