#include <config.h>

#include <cjson/cJSON.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#include "language/settings.h"
#include "tool/control_client.h"
#include "tool/tool.h"

#define CONFIGURATION_MAX (1u << 20)

/* Reads a whole small file; NULL when it cannot be read. */
static char *
read_text(const char *path, size_t *length_out)
{
	FILE *file = fopen(path, "re");
	char *text = NULL;

	if (file == NULL)
		return NULL;
	text = malloc(CONFIGURATION_MAX);
	if (text != NULL)
		*length_out = fread(text, 1, CONFIGURATION_MAX, file);
	fclose(file);
	return text;
}

/* A configuration that does not load must not keep `tocsin reload` from the
 * daemon that says so. So this looks for the words `control-socket "PATH"`
 * alone: comments and other strings are skipped as the language skips them. */
static struct slice
find_setting(struct slice text, const char *name)
{
	bool wanted = false;
	size_t at = 0;

	while (at < text.length) {
		char c = text.data[at];

		if (c == '#') {
			size_t line =
			    slice_find_byte(slice_skip(text, at), '\n');

			at = line == SIZE_MAX ? text.length : at + line;
		} else if (c == '"') {
			size_t end = at + 1;

			while (end < text.length && text.data[end] != '"')
				end += text.data[end] == '\\' ? 2 : 1;
			if (wanted)
				return slice_range(text, at + 1, end);
			at = end + 1;
		} else if (ascii_is_alpha(c)) {
			size_t end = at;

			while (end < text.length &&
			       (ascii_is_alpha(text.data[end]) ||
				   ascii_is_digit(text.data[end]) ||
				   text.data[end] == '-'))
				end++;
			wanted =
			    slice_equal_text(slice_range(text, at, end), name);
			at = end;
		} else {
			wanted = wanted && ascii_is_space(c);
			at++;
		}
	}
	return (struct slice){ 0 };
}

bool
control_client_path(const char *socket_given, const char *configuration,
    char *path_out, unsigned size)
{
	struct settings settings;
	struct slice found = { 0 };
	size_t length = 0;
	char *text = NULL;
	int written;

	if (socket_given != NULL)
		return snprintf(path_out, size, "%s", socket_given) < (int)size;
	text = read_text(configuration, &length);
	if (text != NULL)
		found =
		    find_setting(slice_make(text, length), "control-socket");
	if (found.length > 0 && found.data[0] != '/') {
		/* Relative paths start at the file that names them. */
		const char *slash = strrchr(configuration, '/');

		written = snprintf(path_out, size, "%.*s%.*s",
		    slash == NULL ? 0 : (int)(slash - configuration + 1),
		    configuration, (int)found.length, found.data);
	} else if (found.length > 0) {
		written = snprintf(
		    path_out, size, "%.*s", (int)found.length, found.data);
	} else {
		settings_defaults(&settings);
		written =
		    snprintf(path_out, size, "%s", settings.control_socket);
	}
	free(text);
	return written >= 0 && (unsigned)written < size;
}

static int
connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof address.sun_path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool
send_all(int fd, const char *bytes, size_t length)
{
	while (length > 0) {
		ssize_t sent = send(fd, bytes, length, MSG_NOSIGNAL);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent <= 0)
			return false;
		bytes += sent;
		length -= (size_t)sent;
	}
	return true;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Reads up to the line break or the end; NULL with errno set. */
static char *
receive_line(int fd, unsigned timeout_s)
{
	int64_t end = now_ms() + (int64_t)timeout_s * 1000;
	char *line = malloc(CONTROL_CLIENT_REPLY_MAX);
	size_t length = 0;

	if (line == NULL)
		return NULL;
	for (;;) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		int64_t left = end - now_ms();
		ssize_t got;

		if (left <= 0 || length + 1 >= CONTROL_CLIENT_REPLY_MAX) {
			errno = left <= 0 ? ETIMEDOUT : EMSGSIZE;
			break;
		}
		if (poll(&ready, 1, (int)left) <= 0)
			continue;
		got = read(
		    fd, line + length, CONTROL_CLIENT_REPLY_MAX - 1 - length);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			break;
		length += (size_t)got;
		line[length] = '\0';
		if (got == 0 || line[length - 1] == '\n')
			return line;
	}
	free(line);
	return NULL;
}

struct cJSON *
control_client_ask(const char *command, const char *path, struct cJSON *request,
    unsigned timeout_s)
{
	char *text = cJSON_PrintUnformatted(request);
	char *line = NULL;
	struct cJSON *reply = NULL;
	int fd = connect_to(path);

	cJSON_Delete(request);
	if (fd < 0) {
		if (command != NULL)
			fprintf(stderr,
			    "tocsin %s: no tocsind answers at %s (%s); is it "
			    "running, and are you root or its user?\n",
			    command, path, strerror(errno));
		free(text);
		return NULL;
	}
	if (text != NULL && send_all(fd, text, strlen(text)) &&
	    send_all(fd, "\n", 1))
		line = receive_line(fd, timeout_s);
	if (line != NULL)
		reply = cJSON_Parse(line);
	if (reply == NULL && command != NULL)
		fprintf(stderr, "tocsin %s: no answer from %s: %s\n", command,
		    path,
		    line == NULL    ? strerror(errno)
		    : *line == '\0' ? "it closed the connection"
				    : "not understood");
	free(line);
	free(text);
	close(fd);
	return reply;
}

int
control_client_result(const char *command, const struct cJSON *reply)
{
	const struct cJSON *error = cJSON_GetObjectItem(reply, "error");
	const struct cJSON *more = cJSON_GetObjectItem(reply, "diagnostics");

	if (cJSON_IsTrue(cJSON_GetObjectItem(reply, "ok"))) {
		if (cJSON_IsString(more))
			fputs(more->valuestring, stderr);
		return EX_OK;
	}
	if (cJSON_IsString(more))
		fputs(more->valuestring, stderr);
	fprintf(stderr, "tocsin %s: %s\n", command,
	    cJSON_IsString(error) ? error->valuestring : "refused");
	return cJSON_IsString(more) ? EX_CONFIG : EXIT_FAILURE;
}

int
control_client_run(const char *command, const char *socket_given,
    const char *configuration, struct cJSON *request, unsigned timeout_s,
    struct cJSON **reply_out)
{
	char path[256];
	int status;

	*reply_out = NULL;
	if (!control_client_path(
		socket_given, configuration, path, sizeof path)) {
		cJSON_Delete(request);
		return tool_misused(
		    command, "the control socket's path is too long");
	}
	cJSON_AddStringToObject(request, "request", command);
	*reply_out = control_client_ask(command, path, request, timeout_s);
	if (*reply_out == NULL)
		return EX_UNAVAILABLE;
	status = control_client_result(command, *reply_out);
	if (status != EX_OK) {
		cJSON_Delete(*reply_out);
		*reply_out = NULL;
	}
	return status;
}
