/*
 * url - the URLs of a message: from text, HTML, subject and calendar parts
 *
 * Finds URLs with and without a scheme, bare hosts whose suffix is a real one,
 * and what defenders wrote with fangs drawn (flagged). The normal form is
 * base/url_canonical.h's, shared with the indicator store. The target that a
 * redirector carries is an entry of its own.
 */
#ifndef TOCSIN_MESSAGE_URL_H
#define TOCSIN_MESSAGE_URL_H

#include "base/list.h"
#include "base/table.h"
#include "base/url_canonical.h"
#include "message/html.h"

enum url_where {
	URL_IN_TEXT,
	URL_IN_HTML,      /* `place` tells which attribute */
	URL_IN_HTML_TEXT, /* written in what the HTML shows */
	URL_IN_SUBJECT,
	URL_IN_CALENDAR,
	URL_IN_REDIRECT, /* carried by another URL */
	URL_IN_CONTENT,  /* in the clear in another kind of part */
	URL_IN_HEADER,   /* in another field, `field` */
	URL_IN_DISPLAY_NAME
};

const char *url_where_name(enum url_where where);

struct message_url {
	struct slice raw;    /* as written */
	struct slice normal; /* url_canonical's normal form */
	struct slice scheme;
	struct slice host;   /* canonical name or address */
	struct slice domain; /* registrable; the host for addresses */
	struct slice path;   /* with its '/', without query */
	struct slice query;
	struct slice text;  /* what the link shows; empty for bare ones */
	bool text_mismatch; /* the text shows another registrable domain */
	bool defanged;
	bool bare_host; /* neither scheme nor path was written */
	enum url_where where;
	enum html_place place; /* for URL_IN_HTML */
	const char *field;     /* for URL_IN_HEADER: constant, lower case */
	unsigned oddities;     /* enum url_oddity */
	size_t part;           /* index into the message's parts, or SIZE_MAX */
};

/* The address of a mailto: link, or one that a header field holds. */
struct message_mail {
	struct slice address; /* as written, without percent signs */
	const char *field;    /* constant, lower case; NULL: a link's */
	size_t part;
};

struct url_list {
	struct message_url *items; /* distinct by normal, part and where */
	size_t count;
	size_t capacity;
	size_t limit;         /* entries kept */
	bool cut;             /* there were more */
	size_t tried;         /* candidates looked at, duplicates too */
	struct table seen;    /* what is in the list */
	struct table domains; /* host -> registrable domain */
	LIST_OF(struct message_mail) mails;
};

/* True when a reader is led past the host: it stands behind a name and an @, is
 * a number, percent-encoded, or set off by backslashes. */
bool message_url_is_disguised(const struct message_url *url);

/* An empty list that keeps up to `limit` entries. */
struct url_list url_list_make(struct arena *arena, size_t limit);

/* Adds what stands in a run of text (UTF-8). Of URL_IN_CONTENT no bare hosts
 * are taken: programs and tables are full of names that look like some. */
void url_list_add_text(struct arena *arena, struct url_list *list,
    struct slice text, enum url_where where, size_t part);

/* Adds the URLs and the mailto: addresses of a header field's value, which is
 * unfolded and decoded. */
void url_list_add_field(struct arena *arena, struct url_list *list,
    struct slice value, const char *field, size_t part);

/* Adds one link of an HTML part; relative ones are joined with `base`. Of
 * mailto: the addresses are kept and the URLs of its text, of other schemes
 * the URL that they carry. */
void url_list_add_link(struct arena *arena, struct url_list *list,
    const struct html_link *link, struct slice base, size_t part);

#endif
