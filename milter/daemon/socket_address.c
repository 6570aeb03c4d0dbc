#include <config.h>

#include <stdio.h>
#include <string.h>

#include "base/ipaddr.h"
#include "daemon/socket_address.h"

static const char forms[] = "unix:PATH, local:PATH, /PATH, inet:PORT@HOST or "
			    "inet6:PORT@HOST";

static bool
parse_path(const char *path, struct socket_address *address, char *problem,
    size_t problem_size)
{
	size_t length = strlen(path);

	if (path[0] != '/') {
		snprintf(problem, problem_size,
		    "the socket's path \"%s\" must begin with /", path);
		return false;
	}
	if (length >= sizeof address->path) {
		snprintf(problem, problem_size,
		    "the socket's path has %zu characters, at most %zu are "
		    "possible",
		    length, sizeof address->path - 1);
		return false;
	}
	if (path[length - 1] == '/') {
		snprintf(problem, problem_size,
		    "the socket's path \"%s\" is a folder", path);
		return false;
	}
	memcpy(address->path, path, length + 1);
	return true;
}

static bool
parse_port(struct slice text, unsigned *port_out)
{
	unsigned long port;

	if (!slice_parse_number(text, 65535, &port) || port == 0)
		return false;
	*port_out = (unsigned)port;
	return true;
}

/* inet:HOST:PORT, as Postfix writes it. */
static bool
is_postfix_form(struct slice rest, struct slice *host_out, unsigned *port_out)
{
	size_t colon = slice_find_last_byte(rest, ':');

	if (colon == SIZE_MAX ||
	    !parse_port(slice_skip(rest, colon + 1), port_out))
		return false;
	*host_out = slice_range(rest, 0, colon);
	return slice_find_byte(rest, '@') == SIZE_MAX;
}

static struct slice
without_brackets(struct slice host)
{
	if (host.length >= 2 && host.data[0] == '[' &&
	    host.data[host.length - 1] == ']')
		return slice_range(host, 1, host.length - 1);
	return host;
}

static bool
parse_host(struct slice host, struct socket_address *address, char *problem,
    size_t problem_size)
{
	struct ipaddr ip;

	host = without_brackets(host);
	if (slice_equal_text(host, "*"))
		host.length = 0;
	if (host.length >= sizeof address->host) {
		snprintf(
		    problem, problem_size, "the socket's host is too long");
		return false;
	}
	if (host.length > 0)
		memcpy(address->host, host.data, host.length);
	address->host[host.length] = '\0';
	if (!ipaddr_parse(host, &ip))
		return true;
	if (ipaddr_is_v4(&ip) == (address->family == SOCKET_ADDRESS_INET))
		return true;
	snprintf(problem, problem_size,
	    "the address %s does not go with %s; write %s:%u@%s", address->host,
	    address->family == SOCKET_ADDRESS_INET ? "inet" : "inet6",
	    ipaddr_is_v4(&ip) ? "inet" : "inet6", address->port, address->host);
	return false;
}

static bool
parse_inet(const char *word, struct slice rest, struct socket_address *address,
    char *problem, size_t problem_size)
{
	size_t at = slice_find_byte(rest, '@');
	struct slice port = rest;
	struct slice host = { 0 };

	if (at != SIZE_MAX) {
		port = slice_range(rest, 0, at);
		host = slice_skip(rest, at + 1);
	}
	if (parse_port(port, &address->port))
		return parse_host(host, address, problem, problem_size);
	if (is_postfix_form(rest, &host, &address->port))
		snprintf(problem, problem_size,
		    "\"%s:%.*s\" is the form of Postfix's main.cf and right "
		    "there; here write \"%s:%u@%.*s\"",
		    word, (int)rest.length, rest.data, word, address->port,
		    (int)host.length, host.data);
	else
		snprintf(problem, problem_size,
		    "\"%s:%.*s\" has no port from 1 to 65535; write "
		    "%s:PORT@HOST",
		    word, (int)rest.length, rest.data, word);
	return false;
}

bool
socket_address_parse(const char *text, struct socket_address *address_out,
    char *problem, size_t problem_size)
{
	struct socket_address address = { .family = SOCKET_ADDRESS_UNIX };
	struct slice all = slice_text(text);
	struct slice word;
	struct slice rest = slice_split(all, ':', &word);
	bool good;

	if (text[0] == '/') {
		good = parse_path(text, &address, problem, problem_size);
	} else if (slice_equal_text(word, "unix") ||
		   slice_equal_text(word, "local")) {
		good = rest.length > 0 &&
		       parse_path(rest.data, &address, problem, problem_size);
		if (rest.length == 0)
			snprintf(problem, problem_size,
			    "the socket has no path; write unix:/PATH");
	} else if (slice_equal_text(word, "inet")) {
		address.family = SOCKET_ADDRESS_INET;
		good =
		    parse_inet("inet", rest, &address, problem, problem_size);
	} else if (slice_equal_text(word, "inet6")) {
		address.family = SOCKET_ADDRESS_INET6;
		good =
		    parse_inet("inet6", rest, &address, problem, problem_size);
	} else {
		snprintf(problem, problem_size, "\"%s\" is no socket; write %s",
		    text, forms);
		good = false;
	}
	if (good)
		*address_out = address;
	return good;
}

bool
socket_address_format(const struct socket_address *address, const char *path,
    char *text_out, size_t size)
{
	int length = -1;

	switch (address->family) {
	case SOCKET_ADDRESS_UNIX:
		length = snprintf(text_out, size, "unix:%s",
		    path == NULL ? address->path : path);
		break;
	case SOCKET_ADDRESS_INET:
		length = snprintf(text_out, size, "inet:%u%s%s", address->port,
		    address->host[0] == '\0' ? "" : "@", address->host);
		break;
	case SOCKET_ADDRESS_INET6:
		length = snprintf(text_out, size,
		    strchr(address->host, ':') == NULL ? "inet6:%u%s%s"
						       : "inet6:%u%s[%s]",
		    address->port, address->host[0] == '\0' ? "" : "@",
		    address->host);
		break;
	}
	return length >= 0 && (size_t)length < size;
}

bool
socket_address_is_local(const struct socket_address *address)
{
	struct ipaddr ip;

	if (address->family == SOCKET_ADDRESS_UNIX)
		return true;
	if (strcmp(address->host, "localhost") == 0)
		return true;
	return ipaddr_parse(slice_text(address->host), &ip) &&
	       ipaddr_is_loopback(&ip);
}
