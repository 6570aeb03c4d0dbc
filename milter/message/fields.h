/*
 * fields - header fields whose URLs and addresses a reader acts on or sees
 *
 * Beside From, Sender, Reply-To, To, Cc and Subject, which have accessors of
 * their own: the buttons of mailing lists, where a page lies, who gets a
 * receipt or an answer. Trace fields and what filters write are left out:
 * nobody is led by them.
 */
#ifndef TOCSIN_MESSAGE_FIELDS_H
#define TOCSIN_MESSAGE_FIELDS_H

#include "message/address.h"
#include "message/header.h"
#include "message/url.h"

/* The constant lower-case name of a field that holds addresses, or NULL. */
const char *fields_of_addresses(struct slice name);

/* Adds the URLs of all fields that hold some. `part` has those fields, or
 * MIME_NO_PART: the message. */
void fields_add_urls(struct arena *arena, struct url_list *list,
    const struct header_list *headers, size_t part);

/* Adds URLs and hosts that stand in display names. */
void fields_add_display_urls(struct arena *arena, struct url_list *list,
    const struct address_list *addresses);

#endif
