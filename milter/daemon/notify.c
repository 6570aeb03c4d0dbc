#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon/notify.h"

static struct sockaddr_un address;
static socklen_t address_length;

void
notify_begin(void)
{
	const char *path = getenv("NOTIFY_SOCKET");
	size_t length = path == NULL ? 0 : strlen(path);

	if (length < 2 || length >= sizeof address.sun_path ||
	    (path[0] != '/' && path[0] != '@'))
		return;
	address.sun_family = AF_UNIX;
	memcpy(address.sun_path, path, length);
	if (path[0] == '@')
		address.sun_path[0] = '\0'; /* an abstract name */
	address_length =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	unsetenv("NOTIFY_SOCKET");
}

void
notify_send(const char *format, ...)
{
	char text[512];
	va_list arguments;
	int length;
	int fd;

	if (address_length == 0)
		return;
	va_start(arguments, format);
	length = vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	if (length < 0 || (size_t)length >= sizeof text)
		return;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	(void)sendto(fd, text, (size_t)length, MSG_NOSIGNAL,
	    (struct sockaddr *)&address, address_length);
	close(fd);
}
