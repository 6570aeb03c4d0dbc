/*
 * message - one mail as the MTA hands it over, and all that can be read in it
 *
 * Usage: message_new(); message_header() for each field; message_end_of_
 * headers(); message_body() for each chunk; message_end(). The accessors of
 * headers answer from message_end_of_headers() on, those of parts, text and
 * URLs after message_end().
 *
 * Everything lives in the caller's arena, one per message. Input may be freed
 * after each call. Hostile input makes defects, never errors; TC_LIMIT means
 * that the arena's ceiling was reached: what was read until then stands.
 * Costly things are done only when `needs` asks for them.
 */
#ifndef TOCSIN_MESSAGE_MESSAGE_H
#define TOCSIN_MESSAGE_MESSAGE_H

#include "base/status.h"
#include "message/address.h"
#include "message/mime.h"
#include "message/url.h"

/* What the caller will ask for. Structure, names, types and sizes of parts
 * are always there. */
enum message_need {
	MESSAGE_NEED_MD5 = 1u << 0,
	MESSAGE_NEED_SHA1 = 1u << 1,
	MESSAGE_NEED_SHA256 = 1u << 2,
	MESSAGE_NEED_SHA512 = 1u << 3,
	MESSAGE_NEED_CONTENT = 1u << 4, /* decoded bytes of every part */
	MESSAGE_NEED_TEXT = 1u << 5,    /* body text */
	MESSAGE_NEED_URLS = 1u << 6,
	MESSAGE_NEED_ALL = (1u << 7) - 1
};

struct message;

/* Makes a message in `arena`; `limits` is copied. NULL at the ceiling. */
struct message *message_new(
    struct arena *arena, const struct message_limits *limits, unsigned needs);

/* Adds needs; before message_end(). */
void message_need(struct message *message, unsigned needs);

/* One field as the MTA gives it: see header.h for what a value is. */
enum tc_status message_header(
    struct message *message, struct slice name, struct slice value);

enum tc_status message_end_of_headers(struct message *message);

/* Body bytes, CRLF line ends, cut anywhere. They are read as they come, and
 * kept as they are, up to limits.body_bytes, since other readings need
 * them. */
enum tc_status message_body(struct message *message, struct slice chunk);

/* Reads the rest, and the other readings of what can be read in several ways.
 * Calling it without a body is well. */
enum tc_status message_end(struct message *message);

/* Reads a whole RFC 5322 message (a file; LF or CRLF; an mbox "From " line in
 * front is skipped) in place of the calls above. `raw` must outlive the
 * message. */
enum tc_status message_parse_raw(struct message *message, struct slice raw);

/* --- from message_end_of_headers() on --- */

const struct header_list *message_headers(const struct message *message);

/* Address fields, each over all fields of that name. */
const struct address_list *message_from(const struct message *message);
const struct address_list *message_to(const struct message *message);
const struct address_list *message_cc(const struct message *message);
const struct address_list *message_reply_to(const struct message *message);
const struct address_list *message_sender(const struct message *message);

/* Decoded, unfolded, UTF-8; of the first such field; empty when missing (the
 * pointer is NULL then). */
struct slice message_subject(const struct message *message);
struct slice message_id(const struct message *message);
struct slice message_date(const struct message *message);

/* --- after message_end() --- */

const struct mime_parts *message_parts(const struct message *message);

/* All defects of headers and parts. */
mime_defect_set message_defects(const struct message *message);

/* Text of all text parts in order, joined by line breaks, with zero-width
 * characters and soft hyphens removed; at most limits.text_bytes. Needs
 * MESSAGE_NEED_TEXT. */
struct slice message_body_text(const struct message *message);

/* Needs MESSAGE_NEED_URLS. */
const struct url_list *message_urls(const struct message *message);

/* Raw body bytes that came, and how many of them were kept. */
size_t message_body_bytes(const struct message *message);
struct slice message_raw_body(const struct message *message);

#endif
