#include <config.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/ipaddr.h"
#include "daemon/nudge.h"

static struct sockaddr_storage target;
static socklen_t target_length; /* 0: we don't know where */

static void
take_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, path, strlen(path) + 1);
	memcpy(&target, &address, sizeof address);
	target_length = sizeof address;
}

/* A name, or all addresses: this host answers at its loopback then. */
static void
take_inet(const struct socket_address *where)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)where->port) };

	if (inet_pton(AF_INET, where->host, &address.sin_addr) != 1)
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	memcpy(&target, &address, sizeof address);
	target_length = sizeof address;
}

static void
take_inet6(const struct socket_address *where)
{
	struct sockaddr_in6 address = { .sin6_family = AF_INET6,
		.sin6_port = htons((uint16_t)where->port) };

	if (inet_pton(AF_INET6, where->host, &address.sin6_addr) != 1)
		address.sin6_addr = in6addr_loopback;
	memcpy(&target, &address, sizeof address);
	target_length = sizeof address;
}

void
nudge_at(const struct socket_address *address)
{
	switch (address->family) {
	case SOCKET_ADDRESS_UNIX:
		take_unix(address->path);
		break;
	case SOCKET_ADDRESS_INET:
		take_inet(address);
		break;
	case SOCKET_ADDRESS_INET6:
		take_inet6(address);
		break;
	}
}

void
nudge_pool(void)
{
	int fd;

	if (target_length == 0)
		return;
	fd = socket(
	    target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	/* A full backlog is as good: those connections start threads too. */
	(void)connect(fd, (struct sockaddr *)&target, target_length);
	close(fd);
}
