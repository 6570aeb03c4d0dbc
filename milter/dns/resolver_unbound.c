#include <config.h>

#include <arpa/inet.h>
#include <arpa/nameser.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unbound.h>
#include <unistd.h>

#include "dns/reply_cache.h"
#include "dns/resolver_unbound.h"

#define SERVERS_MAX         8
#define PORTS_MAX           4096u /* questions on the wire at a time */
#define IN_FLIGHT_MAX       8192u /* questions under way in the process */
#define CACHE_BYTES_DEFAULT ((size_t)64 << 20)
#define CACHE_ENTRIES       65536u
#define PACKET_RECORDS_MAX  256
#define PACKET_TTL_MAX_S    3600u
#define PROBE_EVERY_MS      2000u
#define PROBE_WAIT_MS       1500u
#define PROBE_MISSES        2u /* unanswered probes that mean "down" */
#define QUIET_MS            2000u
#define AGAIN_AFTER_MS      1050u /* the next second by libunbound's clock */
#define AGAIN_MAX           5u
#define OTHERS_LATE_MS      700u

static const char default_anchor[] = "/usr/share/dns/root.key";

struct server {
	struct sockaddr_storage address;
	socklen_t length;
	char text[INET6_ADDRSTRLEN + 8]; /* ADDRESS@PORT */
};

struct query {
	struct query *next, *previous;
	struct resolver_unbound *resolver;
	resolver_done done;
	void *context;
	uint64_t asked_ms;
	uint64_t again_ms; /* put aside until then; 0: asked. Dispatcher only */
	unsigned repeats;
	enum dns_type type;
	size_t name_length;
	char name[];
};

/* Asking the servers themselves whether they live; dispatcher thread only. */
struct probe {
	int sockets[SERVERS_MAX];
	uint16_t ids[SERVERS_MAX];
	bool open;
	uint64_t started_ms;
	unsigned misses;
};

struct resolver_unbound {
	struct resolver base;
	struct ub_ctx *context;
	struct reply_cache *cache;
	struct server servers[SERVERS_MAX];
	size_t server_count;
	pthread_t dispatcher;
	int wake; /* an eventfd: stop */
	bool has_dispatcher;
	atomic_bool stopping;
	atomic_bool down;
	struct probe probe;
	uint64_t answered_ms; /* the last real answer; dispatcher only */
	bool failed;          /* a failure since then; dispatcher only */
	size_t put_aside;     /* questions to be asked again; dispatcher only */
	pthread_mutex_t mutex;
	struct query *first, *last; /* under way, oldest first */
	size_t in_flight;
};

/* -------------------------------------------------------------- questions */

static void
query_link(struct query *query)
{
	struct resolver_unbound *resolver = query->resolver;

	query->previous = resolver->last;
	if (resolver->last != NULL)
		resolver->last->next = query;
	else
		resolver->first = query;
	resolver->last = query;
	resolver->in_flight++;
}

static void
query_unlink(struct query *query)
{
	struct resolver_unbound *resolver = query->resolver;

	if (query->previous != NULL)
		query->previous->next = query->next;
	else
		resolver->first = query->next;
	if (query->next != NULL)
		query->next->previous = query->previous;
	else
		resolver->last = query->previous;
	resolver->in_flight--;
}

static struct dns_reply *
reply_of_state(enum dns_state state, uint32_t ttl_s)
{
	return dns_reply_new(state, ttl_s, slice_make(NULL, 0), NULL, 0);
}

static struct dns_reply *
reply_with_data(const struct ub_result *result, uint32_t ttl_s)
{
	struct slice name = slice_text(result->canonname);
	struct slice *records;
	struct dns_reply *reply;
	size_t count = 0;

	while (result->data[count] != NULL)
		count++;
	records = calloc(count + 1, sizeof *records);
	if (records == NULL)
		return NULL;
	for (size_t i = 0; i < count; i++)
		records[i] =
		    slice_make(result->data[i], (size_t)result->len[i]);
	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	reply = dns_reply_new(DNS_FOUND, ttl_s, name, records, count);
	free(records);
	return reply;
}

/*
 * libunbound says SERVFAIL to a good answer when it cannot take apart what it
 * has just put together itself: a TXT record without a single string (RFC 1035,
 * 3.3.14 wants one) among others does it. The packet is whole, so its records
 * are read from it; the empty ones name nothing and are left out.
 */
static struct dns_reply *
reply_of_packet(const struct ub_result *result)
{
	struct slice records[PACKET_RECORDS_MAX];
	struct slice name = slice_text(result->qname);
	uint32_t ttl_s = PACKET_TTL_MAX_S;
	size_t count = 0;
	ns_msg packet;
	ns_rr record;

	if (result->answer_packet == NULL || result->answer_len < NS_HFIXEDSZ ||
	    ns_initparse(result->answer_packet, result->answer_len, &packet) !=
		0 ||
	    ns_msg_getflag(packet, ns_f_rcode) != ns_r_noerror)
		return NULL;
	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	for (int i = 0; i < ns_msg_count(packet, ns_s_an); i++) {
		if (ns_parserr(&packet, ns_s_an, i, &record) != 0)
			return NULL;
		if ((int)ns_rr_type(record) != result->qtype ||
		    !slice_equal_text_fold(name, ns_rr_name(record)) ||
		    ns_rr_rdlen(record) == 0 || count == PACKET_RECORDS_MAX)
			continue;
		records[count++] =
		    slice_make(ns_rr_rdata(record), ns_rr_rdlen(record));
		if (ns_rr_ttl(record) < ttl_s)
			ttl_s = (uint32_t)ns_rr_ttl(record);
	}
	if (count == 0)
		return NULL;
	return dns_reply_new(DNS_FOUND, ttl_s, name, records, count);
}

static struct dns_reply *
reply_of_result(int error, const struct ub_result *result)
{
	struct dns_reply *reply;
	uint32_t ttl_s;

	if (error != 0 || result == NULL)
		return reply_of_state(DNS_TEMPERROR, 0);
	ttl_s = result->ttl < 0 ? 0 : (uint32_t)result->ttl;
	/* A bogus answer has data and rcode 0: look at this first. */
	if (result->bogus) {
		reply = reply_of_state(DNS_TEMPERROR, 0);
		if (reply != NULL)
			reply->bogus = true;
		return reply;
	}
	if (result->havedata)
		reply = reply_with_data(result, ttl_s);
	else if (result->nxdomain || result->rcode == 3)
		reply = reply_of_state(DNS_NXDOMAIN, ttl_s);
	else if (result->rcode == 0)
		reply = reply_of_state(DNS_NODATA, ttl_s);
	else
		reply = reply_of_packet(result);
	if (reply == NULL)
		reply = reply_of_state(DNS_TEMPERROR, 0);
	if (reply != NULL)
		reply->secure = result->secure != 0;
	return reply;
}

/*
 * Where several questions stay without an answer libunbound may give their
 * server up for a while, which with a forwarder is the whole world: every other
 * question fails at once. What it believes lasts till its clock's next second
 * (infra-host-ttl), so a failure beside late questions is asked again then.
 */
static bool
may_ask_again(struct query *query, const struct dns_reply *reply)
{
	struct resolver_unbound *resolver = query->resolver;
	uint64_t now_ms = resolver_clock_ms();
	struct query *oldest;
	bool late;

	if ((reply != NULL && reply->bogus) || query->repeats == AGAIN_MAX)
		return false;
	pthread_mutex_lock(&resolver->mutex);
	oldest = resolver->first == query ? query->next : resolver->first;
	late = oldest != NULL && now_ms - oldest->asked_ms > OTHERS_LATE_MS;
	pthread_mutex_unlock(&resolver->mutex);
	if (!late)
		return false;
	query->repeats++;
	query->again_ms = now_ms + AGAIN_AFTER_MS;
	resolver->put_aside++;
	return true;
}

static void
query_end(struct query *query, struct dns_reply *reply)
{
	struct resolver_unbound *resolver = query->resolver;

	pthread_mutex_lock(&resolver->mutex);
	query_unlink(query);
	pthread_mutex_unlock(&resolver->mutex);
	query->done(query->context, reply);
	free(query);
}

/* Runs in ub_process(), on the dispatcher's thread. */
static void
query_done(void *argument, int error, struct ub_result *result)
{
	struct query *query = argument;
	struct resolver_unbound *resolver = query->resolver;
	struct dns_reply *reply = reply_of_result(error, result);

	ub_resolve_free(result);
	if (reply != NULL && reply->state != DNS_TEMPERROR) {
		resolver->answered_ms = resolver_clock_ms();
		resolver->failed = false;
		reply_cache_put(resolver->cache,
		    slice_make(query->name, query->name_length), query->type,
		    reply, resolver->answered_ms);
	} else {
		resolver->failed = true;
		if (may_ask_again(query, reply)) {
			dns_reply_release(&reply);
			return;
		}
	}
	query_end(query, reply);
}

static struct query *
query_new(struct resolver_unbound *resolver, struct slice name,
    enum dns_type type, resolver_done done, void *context)
{
	struct query *query = malloc(sizeof *query + name.length);

	if (query == NULL)
		return NULL;
	*query = (struct query){ .resolver = resolver,
		.done = done,
		.context = context,
		.asked_ms = resolver_clock_ms(),
		.type = type,
		.name_length = name.length };
	memcpy(query->name, name.data, name.length);
	return query;
}

/* The name as a master file writes it: libunbound reads escapes. */
static void
write_name(struct slice name, char text[4 * 256])
{
	for (size_t i = 0; i < name.length; i++) {
		unsigned char c = (unsigned char)name.data[i];

		if (ascii_is_alpha((char)c) || ascii_is_digit((char)c) ||
		    c == '-' || c == '_' || c == '.')
			*text++ = (char)c;
		else
			text += snprintf(text, 5, "\\%03u", c);
	}
	*text = '\0';
}

static int
send_question(struct query *query)
{
	char text[4 * 256];

	write_name(slice_make(query->name, query->name_length), text);
	return ub_resolve_async(query->resolver->context, text,
	    (int)query->type, 1, query, query_done, NULL);
}

/* Asks again what was put aside and is due. */
static void
ask_again(struct resolver_unbound *resolver)
{
	uint64_t now_ms = resolver_clock_ms();

	while (resolver->put_aside > 0) {
		struct query *query;

		pthread_mutex_lock(&resolver->mutex);
		query = resolver->first;
		while (query != NULL &&
		       (query->again_ms == 0 || query->again_ms > now_ms))
			query = query->next;
		pthread_mutex_unlock(&resolver->mutex);
		if (query == NULL)
			return;
		query->again_ms = 0;
		resolver->put_aside--;
		if (send_question(query) != 0)
			query_end(query, reply_of_state(DNS_TEMPERROR, 0));
	}
}

static struct dns_reply *
unbound_ask(struct resolver *base, struct slice name, enum dns_type type,
    resolver_done done, void *context)
{
	struct resolver_unbound *resolver = (struct resolver_unbound *)base;
	struct dns_reply *reply =
	    reply_cache_get(resolver->cache, name, type, resolver_clock_ms());
	struct query *query;
	bool full;
	int error = UB_NOMEM;

	if (reply != NULL) {
		resolver_count(RESOLVER_CACHE_HITS);
		return reply;
	}
	query = query_new(resolver, name, type, done, context);
	if (query != NULL) {
		pthread_mutex_lock(&resolver->mutex);
		full = resolver->in_flight >= IN_FLIGHT_MAX;
		query_link(query);
		pthread_mutex_unlock(&resolver->mutex);
		if (!full)
			error = send_question(query);
		if (error == 0)
			return NULL;
		pthread_mutex_lock(&resolver->mutex);
		query_unlink(query);
		pthread_mutex_unlock(&resolver->mutex);
		free(query);
	}
	reply = reply_of_state(
	    error == UB_SYNTAX ? DNS_NXDOMAIN : DNS_TEMPERROR, 0);
	if (reply == NULL)
		done(context, NULL);
	return reply;
}

/* ------------------------------------------------------------- the watch */

static void
probe_close(struct resolver_unbound *resolver)
{
	struct probe *probe = &resolver->probe;

	for (size_t i = 0; i < resolver->server_count; i++)
		if (probe->sockets[i] >= 0)
			close(probe->sockets[i]);
	probe->open = false;
}

/* ". NS" with recursion desired; RFC 1035, 4.1. */
static bool
probe_send(int socket_fd, uint16_t id)
{
	unsigned char packet[17] = { 0 };

	packet[0] = (unsigned char)(id >> 8);
	packet[1] = (unsigned char)(id & 255);
	packet[2] = 1; /* RD */
	packet[5] = 1; /* QDCOUNT */
	packet[14] = DNS_TYPE_NS;
	packet[16] = 1; /* IN */
	return send(socket_fd, packet, sizeof packet, MSG_NOSIGNAL) ==
	       (ssize_t)sizeof packet;
}

static void
probe_start(struct resolver_unbound *resolver, uint64_t now_ms)
{
	struct probe *probe = &resolver->probe;

	probe->open = true;
	probe->started_ms = now_ms;
	for (size_t i = 0; i < resolver->server_count; i++) {
		const struct server *server = &resolver->servers[i];
		int fd = socket(server->address.ss_family,
		    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		probe->sockets[i] = fd;
		probe->ids[i] = 0;
		if (getrandom(&probe->ids[i], sizeof probe->ids[i],
			GRND_NONBLOCK) < 0)
			probe->ids[i] = (uint16_t)now_ms;
		if (fd < 0)
			continue;
		if (connect(fd, (const struct sockaddr *)&server->address,
			server->length) != 0 ||
		    !probe_send(fd, probe->ids[i])) {
			close(fd);
			probe->sockets[i] = -1;
		}
	}
}

/* True when a server answered. */
static bool
probe_read(struct resolver_unbound *resolver)
{
	struct probe *probe = &resolver->probe;
	unsigned char packet[512];

	for (size_t i = 0; i < resolver->server_count; i++) {
		ssize_t length;

		if (probe->sockets[i] < 0)
			continue;
		length = recv(probe->sockets[i], packet, sizeof packet, 0);
		if (length >= 12 &&
		    packet[0] == (unsigned char)(probe->ids[i] >> 8) &&
		    packet[1] == (unsigned char)(probe->ids[i] & 255) &&
		    (packet[2] & 0x80) != 0)
			return true;
	}
	return false;
}

static bool
looks_quiet(struct resolver_unbound *resolver, uint64_t now_ms)
{
	bool old;

	if (resolver->failed || atomic_load(&resolver->down))
		return true;
	pthread_mutex_lock(&resolver->mutex);
	old = resolver->first != NULL &&
	      now_ms - resolver->first->asked_ms > QUIET_MS;
	pthread_mutex_unlock(&resolver->mutex);
	return old && now_ms - resolver->answered_ms > QUIET_MS;
}

static void
watch(struct resolver_unbound *resolver)
{
	struct probe *probe = &resolver->probe;
	uint64_t now_ms = resolver_clock_ms();

	if (probe->open && probe_read(resolver)) {
		probe_close(resolver);
		probe->misses = 0;
		resolver->failed = false;
		atomic_store(&resolver->down, false);
	} else if (probe->open && now_ms - probe->started_ms > PROBE_WAIT_MS) {
		probe_close(resolver);
		if (++probe->misses >= PROBE_MISSES)
			atomic_store(&resolver->down, true);
	} else if (!probe->open &&
		   (probe->started_ms == 0 ||
		       now_ms - probe->started_ms > PROBE_EVERY_MS) &&
		   looks_quiet(resolver, now_ms)) {
		probe_start(resolver, now_ms);
	}
}

static void *
dispatch(void *argument)
{
	struct resolver_unbound *resolver = argument;
	struct pollfd polls[2 + SERVERS_MAX];

	while (!atomic_load(&resolver->stopping)) {
		nfds_t count = 2;

		polls[0] = (struct pollfd){ .fd = ub_fd(resolver->context),
			.events = POLLIN };
		polls[1] =
		    (struct pollfd){ .fd = resolver->wake, .events = POLLIN };
		for (size_t i = 0;
		     resolver->probe.open && i < resolver->server_count; i++)
			polls[count++] =
			    (struct pollfd){ .fd = resolver->probe.sockets[i],
				    .events = POLLIN };
		poll(polls, count, resolver->put_aside > 0 ? 100 : 500);
		if (ub_poll(resolver->context))
			ub_process(resolver->context);
		ask_again(resolver);
		watch(resolver);
	}
	return NULL;
}

/* ------------------------------------------------------------ start, stop */

static bool
server_add(struct resolver_unbound *resolver, struct slice word,
    unsigned default_port, char *problem)
{
	struct server *server = &resolver->servers[resolver->server_count];
	struct slice host, port_text = slice_split(word, '@', &host);
	struct ipaddr address;
	unsigned long port = default_port == 0 ? 53 : default_port;
	char text[IPADDR_TEXT_MAX];

	if (!ipaddr_parse(host, &address) ||
	    (host.length < word.length &&
		(!slice_parse_number(port_text, 65535, &port) || port == 0))) {
		snprintf(problem, RESOLVER_PROBLEM_MAX,
		    "resolver server \"%.*s\" is not ADDRESS or ADDRESS@PORT",
		    (int)(word.length > 80 ? 80 : word.length), word.data);
		return false;
	}
	if (resolver->server_count == SERVERS_MAX - 1) {
		snprintf(problem, RESOLVER_PROBLEM_MAX,
		    "more than %d resolver servers", SERVERS_MAX - 1);
		return false;
	}
	if (ipaddr_is_v4(&address)) {
		struct sockaddr_in *in = (struct sockaddr_in *)&server->address;

		in->sin_family = AF_INET;
		in->sin_port = htons((uint16_t)port);
		memcpy(&in->sin_addr, address.octets + 12, 4);
		server->length = sizeof *in;
	} else {
		struct sockaddr_in6 *in6 =
		    (struct sockaddr_in6 *)&server->address;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		memcpy(&in6->sin6_addr, address.octets, 16);
		server->length = sizeof *in6;
	}
	snprintf(server->text, sizeof server->text, "%s@%lu",
	    ipaddr_format(&address, text), port);
	resolver->server_count++;
	return true;
}

/* The nameserver lines of resolv.conf(5); without any, this host. */
static bool
servers_of_system(struct resolver_unbound *resolver, char *problem)
{
	FILE *file = fopen("/etc/resolv.conf", "re");
	char line[512];

	while (file != NULL && fgets(line, sizeof line, file) != NULL) {
		struct slice rest = slice_trim(slice_text(line)), head;

		if (!slice_starts_with(rest, SLICE_LITERAL("nameserver")))
			continue;
		rest = slice_trim(slice_skip(rest, 10));
		/* a zone index (fe80::1%eth0) cannot be forwarded to */
		slice_split(rest, '%', &head);
		if (head.length < rest.length ||
		    resolver->server_count == 3) /* MAXNS */
			continue;
		if (!server_add(resolver, rest, 53, problem))
			problem[0] = '\0';
	}
	if (file != NULL)
		fclose(file);
	if (resolver->server_count == 0)
		return server_add(
		    resolver, SLICE_LITERAL("127.0.0.1"), 53, problem);
	return true;
}

static bool
servers_read(struct resolver_unbound *resolver,
    const struct resolver_settings *settings, char *problem)
{
	struct slice rest = slice_text(settings->server);

	while (rest.length > 0) {
		size_t length = 0;

		while (length < rest.length && rest.data[length] != ',' &&
		       !ascii_is_space(rest.data[length]))
			length++;
		if (length > 0 &&
		    !server_add(resolver, slice_range(rest, 0, length),
			settings->port, problem))
			return false;
		rest = slice_skip(rest, length + 1);
	}
	if (resolver->server_count == 0)
		return servers_of_system(resolver, problem);
	return true;
}

/* Zones that libunbound would answer itself, though the operator's servers
 * know them better: documentation, private and test names. */
static const char *const ask_anyway[] = { "test.", "invalid.", "home.arpa.",
	"0.in-addr.arpa.", "254.169.in-addr.arpa.", "2.0.192.in-addr.arpa.",
	"100.51.198.in-addr.arpa.", "113.0.203.in-addr.arpa.",
	"8.b.d.0.1.0.0.2.ip6.arpa." };

static bool
set_option(struct resolver_unbound *resolver, const char *name,
    const char *value, char *problem)
{
	int error = ub_ctx_set_option(resolver->context, name, value);

	if (error != 0)
		snprintf(problem, RESOLVER_PROBLEM_MAX,
		    "libunbound refuses %s %s: %s", name, value,
		    ub_strerror(error));
	return error == 0;
}

/* As a library libunbound has 16 questions on the wire at a time, so that a
 * few dead names would hold up all others. Each takes a descriptor: a quarter
 * of what the process may have. */
static bool
set_ports(struct resolver_unbound *resolver, char *problem)
{
	struct rlimit files = { .rlim_cur = 1024 };
	rlim_t ports;
	char text[32];

	getrlimit(RLIMIT_NOFILE, &files);
	ports = files.rlim_cur / 4;
	ports = ports > PORTS_MAX ? PORTS_MAX : ports < 16 ? 16 : ports;
	snprintf(text, sizeof text, "%u", (unsigned)ports);
	if (!set_option(resolver, "outgoing-range:", text, problem))
		return false;
	snprintf(text, sizeof text, "%u", IN_FLIGHT_MAX);
	return set_option(resolver, "num-queries-per-thread:", text, problem);
}

static bool
set_dnssec(struct resolver_unbound *resolver,
    const struct resolver_settings *settings, char *problem)
{
	const char *file = settings->trust_anchor;
	int error;

	if (!settings->dnssec)
		return set_option(
		    resolver, "module-config:", "iterator", problem);
	if (file == NULL || file[0] == '\0')
		file = default_anchor;
	error = access(file, R_OK) != 0
		    ? UB_READFILE
		    : ub_ctx_add_ta_file(resolver->context, file);
	if (error != 0)
		snprintf(problem, RESOLVER_PROBLEM_MAX, "trust anchor %s: %s",
		    file, ub_strerror(error));
	return error == 0 &&
	       set_option(
		   resolver, "module-config:", "validator iterator", problem);
}

/* Comes last, since the first zone freezes all options; a trust anchor that
 * cannot be read shows here. */
static bool
ask_reserved_zones(struct resolver_unbound *resolver, char *problem)
{
	for (size_t i = 0; i < sizeof ask_anyway / sizeof ask_anyway[0]; i++) {
		int error = ub_ctx_zone_add(
		    resolver->context, ask_anyway[i], "transparent");

		if (error == 0)
			continue;
		snprintf(problem, RESOLVER_PROBLEM_MAX,
		    "libunbound cannot start (is the trust anchor sound?): %s",
		    ub_strerror(error));
		return false;
	}
	return true;
}

static bool
configure(struct resolver_unbound *resolver,
    const struct resolver_settings *settings, size_t cache_bytes, char *problem)
{
	/* keep-probing: else a few dead names make libunbound believe that
	 * the forwarder is dead; infra-cache-max-rtt must stay high for the
	 * same reason. What is believed of a forwarder is forgotten at once: it
	 * answers for the whole world, and silence about some names says
	 * nothing of others. min-rtt is how long an answer is waited for before
	 * the question is sent anew, doubled once; from 12 s on a server counts
	 * as dead, so it is far below that, and with the number of questions
	 * sent still fills the deadline of a message. */
	static const char *const options[][2] = {
		{ "do-not-query-localhost:", "no" },
		{ "unblock-lan-zones:", "yes" },
		{ "insecure-lan-zones:", "yes" },
		{ "infra-keep-probing:", "yes" },
		{ "infra-cache-min-rtt:", "1490" },
		{ "outbound-msg-retry:", "4" },
		{ "infra-host-ttl:", "0" },
		{ "qname-minimisation:", "no" },
		/* The first ten PTR or MX names count (RFC 7208, 4.6.4): the
		 * same ones each time. */
		{ "rrset-roundrobin:", "no" },
		{ "cache-max-ttl:", "3600" },
		{ "cache-max-negative-ttl:", "900" },
	};
	char size[32];

	/* It would write to our standard error; callers get `problem`. */
	ub_ctx_debugout(resolver->context, NULL);
	for (size_t i = 0; i < sizeof options / sizeof options[0]; i++)
		if (!set_option(
			resolver, options[i][0], options[i][1], problem))
			return false;
	snprintf(size, sizeof size, "%zu", cache_bytes / 4);
	if (!set_option(resolver, "msg-cache-size:", size, problem) ||
	    !set_option(resolver, "rrset-cache-size:", size, problem) ||
	    !set_ports(resolver, problem) ||
	    !set_dnssec(resolver, settings, problem))
		return false;
	for (size_t i = 0; i < resolver->server_count; i++) {
		int error = ub_ctx_set_fwd(
		    resolver->context, resolver->servers[i].text);

		if (error == 0)
			continue;
		snprintf(problem, RESOLVER_PROBLEM_MAX, "server %s: %s",
		    resolver->servers[i].text, ub_strerror(error));
		return false;
	}
	if (ub_ctx_async(resolver->context, 1) != 0)
		return false;
	return ask_reserved_zones(resolver, problem);
}

static void
unbound_free(struct resolver *base)
{
	struct resolver_unbound *resolver = (struct resolver_unbound *)base;
	uint64_t one = 1;

	atomic_store(&resolver->stopping, true);
	if (resolver->has_dispatcher) {
		if (write(resolver->wake, &one, sizeof one) < 0)
			one =
			    0; /* poll's time-out ends it half a second later */
		pthread_join(resolver->dispatcher, NULL);
	}
	if (resolver->probe.open)
		probe_close(resolver);
	/* No callback comes after this. */
	ub_ctx_delete(resolver->context);
	while (resolver->first != NULL) {
		struct query *query = resolver->first;

		query_unlink(query);
		query->done(query->context, reply_of_state(DNS_TEMPERROR, 0));
		free(query);
	}
	reply_cache_free(&resolver->cache);
	if (resolver->wake >= 0)
		close(resolver->wake);
	pthread_mutex_destroy(&resolver->mutex);
	free(resolver);
}

static bool
unbound_is_down(const struct resolver *base)
{
	const struct resolver_unbound *resolver =
	    (const struct resolver_unbound *)base;

	return atomic_load(&resolver->down);
}

static const struct resolver_class unbound_class = {
	.name = "unbound",
	.ask = unbound_ask,
	.is_down = unbound_is_down,
	.free = unbound_free,
};

static void
first_done(void *argument, int error, struct ub_result *result)
{
	(void)argument;
	(void)error;
	ub_resolve_free(result);
}

/* Threads of ours and of libunbound take no signals: those are for the thread
 * that waits for them. libunbound starts its own with the first question, so
 * that one is asked here; it is answered without the network. */
static bool
start_threads(struct resolver_unbound *resolver)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	ub_resolve_async(resolver->context, "localhost.", DNS_TYPE_A, 1, NULL,
	    first_done, NULL);
	resolver->has_dispatcher = pthread_create(&resolver->dispatcher, NULL,
				       dispatch, resolver) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return resolver->has_dispatcher;
}

struct resolver *
resolver_unbound_new(const struct resolver_settings *settings,
    char problem[RESOLVER_PROBLEM_MAX])
{
	struct resolver_unbound *resolver = calloc(1, sizeof *resolver);
	struct resolver *base;
	size_t bytes = settings->cache_bytes == 0 ? CACHE_BYTES_DEFAULT
						  : settings->cache_bytes;

	problem[0] = '\0';
	if (resolver == NULL) {
		snprintf(problem, RESOLVER_PROBLEM_MAX, "out of memory");
		return NULL;
	}
	base = &resolver->base;
	base->class = &unbound_class;
	pthread_mutex_init(&resolver->mutex, NULL);
	resolver->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	resolver->context = ub_ctx_create();
	resolver->cache = reply_cache_new(settings->cache_entries == 0
					      ? CACHE_ENTRIES
					      : settings->cache_entries,
	    bytes / 2);
	if (resolver->wake >= 0 && resolver->context != NULL &&
	    resolver->cache != NULL &&
	    servers_read(resolver, settings, problem) &&
	    configure(resolver, settings, bytes, problem) &&
	    start_threads(resolver))
		return base;
	if (problem[0] == '\0')
		snprintf(problem, RESOLVER_PROBLEM_MAX,
		    "the resolver cannot be started: %s", strerror(errno));
	resolver_free(&base);
	return NULL;
}
