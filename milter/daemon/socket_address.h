/*
 * socket_address - reads the setting `socket`
 *
 * Forms: unix:PATH, local:PATH, a bare absolute PATH, inet:PORT@HOST,
 * inet:PORT, inet6:PORT@HOST, inet6:PORT; an IPv6 host may stand in brackets.
 * HOST is an address, or a name that libmilter resolves. Postfix writes
 * inet:HOST:PORT, so that form is recognised and the message says what to
 * write here and what stays in main.cf.
 */
#ifndef TOCSIN_DAEMON_SOCKET_ADDRESS_H
#define TOCSIN_DAEMON_SOCKET_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

enum socket_address_family {
	SOCKET_ADDRESS_UNIX,
	SOCKET_ADDRESS_INET,
	SOCKET_ADDRESS_INET6
};

/* sun_path of Linux, less what a temporary name beside the path needs. */
#define SOCKET_ADDRESS_PATH_MAX 100
#define SOCKET_ADDRESS_HOST_MAX 256

struct socket_address {
	enum socket_address_family family;
	char path[SOCKET_ADDRESS_PATH_MAX];
	char host[SOCKET_ADDRESS_HOST_MAX]; /* "" = all addresses */
	unsigned port;
};

/* Reads `text`. False when it is none of the forms: `problem` then is a
 * sentence for the operator. */
bool socket_address_parse(const char *text, struct socket_address *address_out,
    char *problem, size_t problem_size);

/* The form that smfi_setconn() takes; `path` replaces the address's path when
 * it is not NULL. False when it does not fit. */
bool socket_address_format(const struct socket_address *address,
    const char *path, char *text_out, size_t size);

/* True for unix sockets and for addresses that only this host reaches. */
bool socket_address_is_local(const struct socket_address *address);

#endif
