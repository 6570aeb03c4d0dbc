/*
 * kind - what an indicator of compromise is about
 *
 * One enumeration for what feeds publish, what the store holds and what is
 * observed in a message, and the small vocabularies that go with it: roles,
 * severities, TLP colours. Words are those of the policy language and of the
 * tool's output.
 */
#ifndef TOCSIN_INDICATOR_KIND_H
#define TOCSIN_INDICATOR_KIND_H

#include <stdint.h>

#include "base/slice.h"

/* The values are stored in files: append, never reorder. */
enum indicator_kind {
	INDICATOR_ADDRESS,    /* mail address, or "@domain" for all of one */
	INDICATOR_DOMAIN,     /* the name and everything below it */
	INDICATOR_URL,        /* exact, or a path that it lies below */
	INDICATOR_NETWORK,    /* IP address or network */
	INDICATOR_MD5,        /* of decoded content; all digests as octets */
	INDICATOR_SHA1,       /* */
	INDICATOR_SHA256,     /* */
	INDICATOR_SHA512,     /* */
	INDICATOR_FILENAME,   /* last component of a path */
	INDICATOR_SUBJECT,    /* whole subject */
	INDICATOR_MAILER,     /* X-Mailer or User-Agent */
	INDICATOR_MESSAGE_ID, /* without angle brackets */
	INDICATOR_PATTERN,    /* compound STIX pattern */
	INDICATOR_YARA,       /* a rule, held by the scanner's rule set */
	INDICATOR_KINDS
};

/* A set of kinds. */
#define INDICATOR_KIND_BIT(kind) (1u << (kind))
#define INDICATOR_KINDS_ALL      (INDICATOR_KIND_BIT(INDICATOR_KINDS) - 1)

/* On which side of a message an address or network counts; a set of bits.
 * Indicators hold the sides where they count, observations where they stood. */
enum indicator_role {
	INDICATOR_ROLE_SOURCE = 1,      /* sender; client address */
	INDICATOR_ROLE_DESTINATION = 2, /* recipient; host of a URL */
	INDICATOR_ROLE_REPLY_TO = 4,
	INDICATOR_ROLE_OTHER = 8, /* in text, elsewhere */
	INDICATOR_ROLE_ANY = 15
};

enum indicator_severity {
	INDICATOR_SEVERITY_ABSENT, /* the feed's default applies, else low */
	INDICATOR_SEVERITY_LOW,
	INDICATOR_SEVERITY_MEDIUM,
	INDICATOR_SEVERITY_HIGH,
	INDICATOR_SEVERITY_CRITICAL
};

/* Traffic Light Protocol 2.0; white is read as clear. */
enum indicator_tlp {
	INDICATOR_TLP_ABSENT, /* the feed's, else treated as amber */
	INDICATOR_TLP_CLEAR,
	INDICATOR_TLP_GREEN,
	INDICATOR_TLP_AMBER,
	INDICATOR_TLP_AMBER_STRICT,
	INDICATOR_TLP_RED
};

enum indicator_strength {
	INDICATOR_WEAK,  /* may tag */
	INDICATOR_STRONG /* may quarantine */
};

/* Confidence is 0-100; this marks one that was not published. */
#define INDICATOR_CONFIDENCE_ABSENT 255

/* "address", "domain", "url", "network", "md5", ...; never NULL. */
const char *indicator_kind_name(enum indicator_kind kind);

/* Reads a kind's name, also the names that feeds use for it: "ip", "ipv4",
 * "hostname", "email", "sha-256", ... False when it is none. */
bool indicator_kind_parse(struct slice name, enum indicator_kind *kind_out);

/* True when a publisher's word is this one: case does not count, nor do blanks,
 * '-' and '_' between its parts ("FileHash-SHA256" is "file-hash-sha256"). */
bool indicator_word_equals(struct slice word, const char *name);

const char *indicator_severity_name(enum indicator_severity severity);
bool indicator_severity_parse(
    struct slice name, enum indicator_severity *severity_out);

/* "clear", "green", "amber", "amber+strict", "red", "" when absent. Reads
 * also "white" and a leading "tlp:". */
const char *indicator_tlp_name(enum indicator_tlp tlp);
bool indicator_tlp_parse(struct slice name, enum indicator_tlp *tlp_out);

const char *indicator_strength_name(enum indicator_strength strength);

/* Octets of a digest of this kind, 0 for kinds that are no digest. */
size_t indicator_digest_size(enum indicator_kind kind);

/* True for the kinds that may be strong: hashes, URLs, domains, addresses,
 * networks, patterns; names, subjects and mailers are weak by nature. */
bool indicator_kind_is_strong(enum indicator_kind kind);

#endif
