/*
 * address - address headers (RFC 5322, 3.4; RFC 6532), read once, in one way
 *
 * Reads:    the value of From, To, Cc, Reply-To, Sender ...
 * Produces: mailboxes in order, with what was odd about the field
 *
 * This is the only parser of address headers in the product: authentication,
 * rules and indicators see the same list. It takes groups, comments, quoted
 * strings, source routes, encoded words in display names and UTF-8, and is
 * linear and without recursion. It is strict in what counts as *one* clean
 * author and generous in what it lists: whatever some reader might show as an
 * address of the field is in the list, and a field on which readers disagree
 * has a defect.
 */
#ifndef TOCSIN_MESSAGE_ADDRESS_H
#define TOCSIN_MESSAGE_ADDRESS_H

#include "base/status.h"
#include "message/header.h"

struct mailbox {
	struct slice address; /* local@domain as compared: local as written
			       * (unquoted), domain canonical */
	struct slice local;   /* unquoted; empty for a domain alone */
	struct slice domain;  /* canonical (base/domain.h); empty: none */
	struct slice display; /* decoded UTF-8, without quotes; may be empty */
	struct slice raw;     /* the address as written, inside the value */
};

/* X(SYMBOL, "name", "what it means"): the closed list behind from.defect. */
#define ADDRESS_DEFECT_TABLE(X)                                              \
	X(MISSING, "missing", "there is no such field")                      \
	X(DUPLICATE, "duplicate", "the field occurs more than once")         \
	X(EMPTY, "empty", "the field holds no address")                      \
	X(SEVERAL, "several", "the field holds more than one address")       \
	X(GROUP, "group", "group syntax")                                    \
	X(SYNTAX, "syntax", "not well-formed; readers may disagree")         \
	X(ENCODED, "encoded", "an encoded word where an address should be")  \
	X(ROUTE, "route", "a source route")                                  \
	X(COMMENT, "comment", "a comment that holds an address")             \
	X(DISPLAY, "display", "the display name is another address")         \
	X(CONTROL, "control", "NUL, bare CR or another control")             \
	X(DOMAIN, "domain", "an address whose domain is no name")            \
	X(EIGHT_BIT, "eight-bit", "octets that are not UTF-8")               \
	X(TOO_LONG, "too-long", "limit: the rest of the field was not read") \
	X(TOO_MANY, "too-many", "limit: more addresses than kept")

enum address_defect {
#define ADDRESS_DEFECT_SYMBOL(symbol, name, text) ADDRESS_DEFECT_##symbol,
	ADDRESS_DEFECT_TABLE(ADDRESS_DEFECT_SYMBOL)
#undef ADDRESS_DEFECT_SYMBOL
	ADDRESS_DEFECT_COUNT
};

#define ADDRESS_DEFECT_BIT(defect) (1u << (defect))

const char *address_defect_name(enum address_defect defect);
const char *address_defect_description(enum address_defect defect);

struct address_list {
	struct mailbox *items;
	size_t count;
	size_t capacity;
	unsigned defects; /* bits of enum address_defect */
};

struct address_limits {
	size_t value_bytes_max; /* of one field; the rest is not read */
	size_t addresses_max;   /* in one list */
};

/* 102,400 bytes (what Postfix hands over at most) and 1,000 addresses. */
extern const struct address_limits address_limits_default;

/* Appends the addresses of one field's value to *list and its defects.
 * Everything lives in the arena; `raw` points into `value`. TC_LIMIT at the
 * arena's ceiling. */
enum tc_status address_list_parse(struct arena *arena, struct slice value,
    const struct address_limits *limits, struct address_list *list);

/* Reads all fields `name` of the list (From: the author list), with MISSING
 * and DUPLICATE. */
enum tc_status address_list_collect(struct arena *arena,
    const struct header_list *headers, const char *name,
    const struct address_limits *limits, struct address_list *list);

/* The one author domain when there is exactly one address and nothing that
 * leaves readers a choice: no defect beyond COMMENT, DISPLAY and
 * EIGHT_BIT. False otherwise: no plain DMARC pass then (RFC 9989). */
bool address_list_single_domain(
    const struct address_list *list, struct slice *domain_out);

#endif
