#include <config.h>

#include <stdint.h>
#include <string.h>

#include "base/builder.h"
#include "message/charset.h"
#include "message/encoded_word.h"
#include "message/fields.h"
#include "message/message.h"
#include "message/text.h"

#define BIT(name) MIME_DEFECT_BIT(MIME_DEFECT_##name)

#define DIGEST_NEEDS                                                  \
	(MESSAGE_NEED_MD5 | MESSAGE_NEED_SHA1 | MESSAGE_NEED_SHA256 | \
	    MESSAGE_NEED_SHA512)
#define TEXT_NEEDS      (MESSAGE_NEED_TEXT | MESSAGE_NEED_URLS)

#define BLANK_LINES_MAX 4 /* skipped in front of a saved message */

struct message {
	struct arena *arena;
	struct message_limits limits;
	unsigned needs;
	struct header_list headers;
	struct header_budget budget;
	struct address_list from, to, cc, reply_to, sender;
	struct slice subject, id, date;
	bool headers_ended, ended;
	/* the raw body: own memory that grows, or the caller's */
	char *body;
	size_t body_kept, body_capacity;
	size_t body_came;
	struct mime_reader *reader; /* NULL: the body has not begun */
	unsigned digest_kinds;      /* that it computes */
	struct text_reader text_reader;
	struct mime_parts parts;
	mime_defect_set defects;
	struct slice text;
	struct url_list urls;
};

struct message *
message_new(
    struct arena *arena, const struct message_limits *limits, unsigned needs)
{
	struct message *message = arena_alloc(arena, sizeof *message);

	if (message == NULL)
		return NULL;
	message->arena = arena;
	message->limits = *limits;
	message->budget.fields_left = limits->headers;
	message->budget.bytes_left = limits->header_bytes;
	message->needs = needs;
	message->urls = url_list_make(arena, limits->urls);
	return message;
}

void
message_need(struct message *message, unsigned needs)
{
	message->needs |= needs;
}

static enum tc_status
status_of(const struct message *message)
{
	return arena_exhausted(message->arena) ? TC_LIMIT : TC_OK;
}

/* Whether a CR stands in a value that is no part of a fold. */
static bool
has_bare_cr(struct slice value)
{
	size_t at;

	while ((at = slice_find_byte(value, '\r')) != SIZE_MAX) {
		value = slice_skip(value, at + 1);
		if (value.length == 0 || value.data[0] != '\n')
			return true;
	}
	return false;
}

static enum tc_status
add_header(struct message *message, struct slice name, struct slice value)
{
	struct header_field found = { name, value }, *field;
	unsigned over;
	bool kept = header_budget_take(&message->budget, &found, &over);

	if (over & HEADER_OVER_COUNT)
		message->defects |= BIT(TOO_MANY_HEADERS);
	if (over & HEADER_OVER_BYTES)
		message->defects |= BIT(HEADERS_TOO_LARGE);
	if (!kept)
		return TC_OK;
	if (slice_find_byte(value, '\0') != SIZE_MAX)
		message->defects |= BIT(NUL_OCTET);
	if (has_bare_cr(value))
		message->defects |= BIT(BARE_CR);
	field = list_append(message->arena, &message->headers, SIZE_MAX);
	if (field == NULL)
		return TC_LIMIT;
	*field = found;
	return TC_OK;
}

enum tc_status
message_header(struct message *message, struct slice name, struct slice value)
{
	/* "From :" is From (RFC 5322, 4.5). */
	name = arena_copy(message->arena, slice_trim(name));
	value = arena_copy(message->arena, value);
	if (name.data == NULL || value.data == NULL)
		return TC_LIMIT;
	return add_header(message, name, value);
}

/* The first field of that name, decoded; NULL data when there is none. */
static struct slice
decoded_field(struct message *message, const char *name)
{
	size_t at = 0;
	const struct header_field *field =
	    header_find(&message->headers, name, &at);
	struct encoded_word_result decoded;

	if (field == NULL || !encoded_word_decode(message->arena,
				 slice_trim(field->value), &decoded))
		return slice_make(NULL, 0);
	if (decoded.malformed)
		message->defects |= BIT(ENCODED_WORD_MALFORMED);
	if (decoded.text.data == NULL)
		return SLICE_LITERAL("");
	return decoded.text;
}

static struct slice
plain_field(struct message *message, const char *name)
{
	size_t at = 0;
	const struct header_field *field =
	    header_find(&message->headers, name, &at);

	if (field == NULL)
		return slice_make(NULL, 0);
	return header_unfold(message->arena, field->value);
}

enum tc_status
message_end_of_headers(struct message *message)
{
	struct address_limits limits = address_limits_default;
	struct {
		const char *name;
		struct address_list *list;
	} lists[] = {
		{ "From", &message->from },
		{ "To", &message->to },
		{ "Cc", &message->cc },
		{ "Reply-To", &message->reply_to },
		{ "Sender", &message->sender },
	};

	if (message->headers_ended)
		return status_of(message);
	message->headers_ended = true;
	limits.addresses_max = message->limits.addresses;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
		address_list_collect(message->arena, &message->headers,
		    lists[i].name, &limits, lists[i].list);
	message->subject = decoded_field(message, "Subject");
	message->id = plain_field(message, "Message-ID");
	message->date = plain_field(message, "Date");
	return status_of(message);
}

/* The URLs of the message's own fields. */
static void
read_fields(struct message *message)
{
	const struct address_list *shown[] = { &message->from, &message->sender,
		&message->reply_to };

	fields_add_urls(
	    message->arena, &message->urls, &message->headers, MIME_NO_PART);
	for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
		fields_add_display_urls(
		    message->arena, &message->urls, shown[i]);
}

/* Begins to read the body. `stable`: it is there as a whole. */
static bool
begin_body(struct message *message, bool stable)
{
	struct mime_source source = {
		.headers = &message->headers,
		.digest_kinds = message->needs & DIGEST_NEEDS,
		.limits = &message->limits,
		.stable = stable,
	};

	if (message->reader != NULL)
		return true;
	message_end_of_headers(message);
	message->digest_kinds = source.digest_kinds;
	if (message->needs & MESSAGE_NEED_URLS)
		read_fields(message);
	message->text_reader = text_begin(message->arena, &message->limits,
	    message->needs & MESSAGE_NEED_URLS ? &message->urls : NULL,
	    message->subject);
	message->reader = mime_begin(message->arena, &source, &message->parts);
	return message->reader != NULL;
}

/* Reads what has come. */
static void
read_on(struct message *message)
{
	struct slice body = slice_make(message->body, message->body_kept);
	size_t complete = mime_feed(message->reader, body);

	if (message->needs & TEXT_NEEDS)
		text_advance(
		    &message->text_reader, &message->parts, complete, body);
}

enum tc_status
message_body(struct message *message, struct slice chunk)
{
	size_t room = message->limits.body_bytes - message->body_kept;
	size_t length = chunk.length;

	message->body_came += chunk.length;
	if (length > room) {
		length = room;
		message->defects |= BIT(TOO_LARGE);
	}
	if (length > message->body_capacity - message->body_kept) {
		size_t capacity = 2 * message->body_capacity;
		char *grown;

		if (capacity < message->body_kept + length)
			capacity = message->body_kept + length;
		if (capacity > message->limits.body_bytes)
			capacity = message->limits.body_bytes;
		grown =
		    arena_block_grow(message->arena, message->body, capacity);
		if (grown == NULL)
			return TC_LIMIT;
		message->body = grown;
		message->body_capacity = capacity;
	}
	if (length > 0)
		memcpy(message->body + message->body_kept, chunk.data, length);
	message->body_kept += length;
	if (!begin_body(message, false))
		return TC_LIMIT;
	read_on(message);
	return status_of(message);
}

/* Digests that somebody came to need after the body had begun. */
static void
add_late_digests(struct message *message)
{
	unsigned late = message->needs & DIGEST_NEEDS & ~message->digest_kinds;

	for (size_t i = 0; late != 0 && i < message->parts.count; i++) {
		struct mime_part *part = &message->parts.items[i];
		struct digests digests;

		if (!part->content_kept)
			continue;
		digest_compute(message->arena, part->content, late, &digests);
		if (late & DIGEST_MD5)
			part->digests.md5 = digests.md5;
		if (late & DIGEST_SHA1)
			part->digests.sha1 = digests.sha1;
		if (late & DIGEST_SHA256)
			part->digests.sha256 = digests.sha256;
		if (late & DIGEST_SHA512)
			part->digests.sha512 = digests.sha512;
	}
}

/* The URLs of the fields of parts, and of the subjects of mail in mail. */
static void
read_part_fields(struct message *message)
{
	for (size_t i = 0; i < message->parts.count; i++) {
		const struct mime_part *part = &message->parts.items[i];
		struct encoded_word_result subject;
		const struct header_field *field;
		size_t at = 0;

		fields_add_urls(message->arena, &message->urls, &part->headers,
		    part->index);
		url_list_add_field(message->arena, &message->urls,
		    part->external, "content-type", part->index);
		field = header_find(&part->headers, "Subject", &at);
		if (field != NULL && encoded_word_decode(message->arena,
					 slice_trim(field->value), &subject))
			url_list_add_text(message->arena, &message->urls,
			    subject.text, URL_IN_SUBJECT, part->index);
	}
}

/* The files that links carry are parts too: attachments of their page. They
 * come last, whatever the cuts of the body. */
static void
add_carried_files(struct message *message)
{
	for (size_t i = 0; i < message->text_reader.files.count; i++) {
		const struct text_file *file =
		    &message->text_reader.files.items[i];
		const struct mime_part *page =
		    &message->parts.items[file->part];
		struct mime_part part = {
			.index = message->parts.count,
			.parent = file->part,
			.depth = page->depth + 1,
			.reading_of = MIME_NO_PART,
			.reading = page->reading,
			.type = file->file.data.type,
			.charset = file->file.data.charset,
			.content = file->file.data.content,
			.content_kept = true,
			.size = file->file.data.content.length,
			.is_attachment = true,
		};
		struct mime_name *name;
		struct mime_part *added;

		digest_compute(message->arena, part.content,
		    message->needs & DIGEST_NEEDS, &part.digests);
		name = file->file.name.length == 0
			   ? NULL
			   : list_append(message->arena, &part.names, 1);
		if (name != NULL)
			*name =
			    (struct mime_name){ file->file.name, "download" };
		added = list_append(
		    message->arena, &message->parts, message->limits.parts);
		if (added == NULL) {
			message->defects |= BIT(TOO_MANY_PARTS);
			return;
		}
		*added = part;
	}
}

static enum tc_status
end_body(struct message *message, struct slice body, bool stable)
{
	enum tc_status status;

	if (message->ended)
		return status_of(message);
	message->ended = true;
	if (!begin_body(message, stable))
		return TC_LIMIT;
	status = mime_end(message->reader, body, &message->defects);
	add_late_digests(message);
	if (status == TC_OK && message->needs & MESSAGE_NEED_URLS)
		read_part_fields(message);
	if (status == TC_OK && message->needs & TEXT_NEEDS) {
		status = text_end(&message->text_reader, &message->parts,
		    &message->text, &message->defects);
		add_carried_files(message);
	}
	return status;
}

enum tc_status
message_end(struct message *message)
{
	message_end_of_headers(message);
	/* Parts are told apart by their place: an empty body has one too. */
	return end_body(message,
	    slice_make(
		message->body == NULL ? "" : message->body, message->body_kept),
	    false);
}

enum tc_status
message_parse_raw(struct message *message, struct slice raw)
{
	struct header_scan scan;
	struct header_field field;
	enum tc_status status = TC_OK;
	struct slice line;

	/* what mail programs put before a message that they save: blank lines
	 * and the mbox line */
	for (size_t i = 0; i < BLANK_LINES_MAX; i++) {
		struct slice rest = slice_split(raw, '\n', &line);

		if (slice_trim(line).length > 0 || rest.length == 0)
			break;
		raw = rest;
	}
	if (slice_starts_with(raw, SLICE_LITERAL("From ")))
		raw = slice_split(raw, '\n', &line);
	scan = header_scan_begin(raw);
	while (status == TC_OK && header_scan_next(&scan, &field))
		status = add_header(message, field.name, field.value);
	if (scan.oddities & HEADER_ODD_LINE)
		message->defects |= BIT(HEADER_MALFORMED);
	if (status == TC_OK)
		status = message_end_of_headers(message);
	message->body_came = scan.rest.length;
	if (scan.rest.length > message->limits.body_bytes) {
		scan.rest.length = message->limits.body_bytes;
		message->defects |= BIT(TOO_LARGE);
	}
	message->body_kept = scan.rest.length;
	memcpy(&message->body, &scan.rest.data, sizeof message->body);
	return status == TC_OK ? end_body(message, scan.rest, true) : status;
}

const struct header_list *
message_headers(const struct message *message)
{
	return &message->headers;
}

const struct address_list *
message_from(const struct message *message)
{
	return &message->from;
}

const struct address_list *
message_to(const struct message *message)
{
	return &message->to;
}

const struct address_list *
message_cc(const struct message *message)
{
	return &message->cc;
}

const struct address_list *
message_reply_to(const struct message *message)
{
	return &message->reply_to;
}

const struct address_list *
message_sender(const struct message *message)
{
	return &message->sender;
}

struct slice
message_subject(const struct message *message)
{
	return message->subject;
}

struct slice
message_id(const struct message *message)
{
	return message->id;
}

struct slice
message_date(const struct message *message)
{
	return message->date;
}

const struct mime_parts *
message_parts(const struct message *message)
{
	return &message->parts;
}

mime_defect_set
message_defects(const struct message *message)
{
	return message->defects;
}

struct slice
message_body_text(const struct message *message)
{
	return message->text;
}

const struct url_list *
message_urls(const struct message *message)
{
	return &message->urls;
}

size_t
message_body_bytes(const struct message *message)
{
	return message->body_came;
}

struct slice
message_raw_body(const struct message *message)
{
	return slice_make(message->body, message->body_kept);
}
