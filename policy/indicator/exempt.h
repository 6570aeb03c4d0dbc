/*
 * exempt - which indicators must not act, and why
 *
 * Two families of reasons, both applied when the store is built:
 *
 * - refusal of what matches too much: a public suffix, networks of /0 to /8
 *   (IPv6: to /16), loopback, private and reserved networks, our own domains
 *   and networks, digests of the empty file;
 * - warninglists (MISP format): lists of names, addresses and networks that
 *   belong to everybody. Our rule drops an indicator that equals an entry or
 *   is a parent of one. Names below an entry stay: phishing lives below
 *   hosting suffixes. MISP's own rule, which drops those too, is an option.
 *
 * Pins take a value out of all of this, and so does insisting when it is added
 * by hand; but not what can be no indicator at all: a network of /0 to /8 and a
 * top-level name.
 */
#ifndef TOCSIN_INDICATOR_EXEMPT_H
#define TOCSIN_INDICATOR_EXEMPT_H

#include "base/arena.h"
#include "base/ipaddr.h"
#include "base/status.h"
#include "indicator/kind.h"

/* `pin KIND "VALUE"`. */
struct exempt_pin {
	enum indicator_kind kind;
	struct slice value; /* as written */
};

/* Each is a setting of limits { }. */
struct exempt_limits {
	size_t list_bytes_max;    /* warninglist-size, 64 MB */
	uint32_t lists_max;       /* warninglist-files, 1000 */
	uint32_t entries_max;     /* warninglist-entries, 20 million */
	uint32_t regexes_max;     /* warninglist-regexes, 1000 */
	uint32_t regex_steps_max; /* regex-steps, 100000 */
};

struct exempt_config {
	const char *const *warninglists; /* files, folders or glob patterns */
	size_t warninglist_count;
	bool warninglists_optional;      /* no problem where there are none */
	const struct slice *own_domains; /* canonical */
	size_t own_domain_count;
	const struct ipaddr_network *own_networks;
	size_t own_network_count;
	const struct exempt_pin *pins;
	size_t pin_count;
	bool misp_hostname_rule;     /* also drop names below an entry */
	struct exempt_limits limits; /* all 0: the defaults */
};

struct exempt_limits exempt_limits_defaults(void);

struct exempt;

/* Reads the warninglists. A list that cannot be read is left out and named in
 * exempt_problem(), so is an entry; the others hold. NULL when there is no memory. The config
 * must outlive the result only during this call. */
struct exempt *exempt_new(const struct exempt_config *config);
void exempt_free(struct exempt **exempt);

/* What was read. */
struct exempt_counts {
	size_t lists;
	size_t entries; /* that count */
	size_t broken;  /* that are of no use */
};

struct exempt_counts exempt_counts(const struct exempt *exempt);

/* How often so far a regular expression was given up at regex-steps. */
uint64_t exempt_stopped_count(const struct exempt *exempt);

/* The number-th thing that could not be used, "FILE: what and why"; NULL
 * beyond. */
const char *exempt_problem(const struct exempt *exempt, size_t number);

struct exempt_verdict {
	bool exempted;
	bool by_warninglist; /* else refused as too broad */
	bool never;          /* neither pins nor insisting help */
	/* A constant sentence ("is a public suffix") or the name of the
	 * warninglist; lives as long as the exempt. */
	const char *reason;
};

/* How many indicators the number-th pin has brought back so far, and for which
 * reason the last of them would have been taken out (NULL: none). False beyond
 * the last pin. A pin whose value is none of its kind brings back nothing. */
bool exempt_pin_use(const struct exempt *exempt, size_t number,
    uint64_t *count_out, const char **reason_out);

/* Judges one indicator by its kind and canonical key (normal.h). */
struct exempt_verdict exempt_judge(
    const struct exempt *exempt, enum indicator_kind kind, struct slice key);

/* Whether a URL, by its canonical key, is a page at one of our own domains. It
 * may be one that somebody has broken into, and is no reason to refuse. */
bool exempt_is_own_url(const struct exempt *exempt, struct slice key);

#endif
