#include <config.h>

#include "support/unit.h"

#include "message/message.h"

/* A message with its arena. */
struct mail {
	struct arena *arena;
	struct message *message;
};

static struct mail
parse(const char *raw)
{
	struct mail mail = { .arena = arena_new(0, NULL) };

	mail.message =
	    message_new(mail.arena, &message_limits_default, MESSAGE_NEED_ALL);
	assert_int_equal(message_parse_raw(mail.message, text(raw)), TC_OK);
	return mail;
}

static const struct mime_part *
part(const struct mail *mail, size_t index)
{
	const struct mime_parts *parts = message_parts(mail->message);

	if (index >= parts->count)
		fail_msg("there is no part %zu", index);
	return &parts->items[index];
}

static void
a_multipart_gives_its_parts_in_order(void **state)
{
	struct mail mail =
	    parse("From: A <a@b.example>\r\n"
		  "Subject: =?utf-8?Q?Gr=C3=BC=C3=9Fe?=\r\n"
		  "Content-Type: multipart/mixed; boundary=\"x y\"\r\n\r\n"
		  "preamble\r\n--x y\r\n\r\nhello\r\n--x y\r\n"
		  "Content-Type: application/zip; name=\"a.zip\"\r\n"
		  "Content-Transfer-Encoding: base64\r\n\r\n"
		  "UEsD\r\nBA==\r\n--x y--\r\n");

	(void)state;
	assert_int_equal(message_parts(mail.message)->count, 3);
	assert_slice(part(&mail, 0)->type, "multipart/mixed");
	assert_slice(part(&mail, 1)->type, "text/plain");
	assert_slice(part(&mail, 1)->text, "hello");
	assert_slice(part(&mail, 2)->content, "PK\3\4");
	assert_slice(part(&mail, 2)->names.items[0].name, "a.zip");
	assert_slice(
	    part(&mail, 2)->digests.md5, "10893fd7cff66dca193f658ca9438d15");
	assert_int_equal(message_defects(mail.message), 0);
	assert_slice(message_subject(mail.message), "Gr\xc3\xbc\xc3\x9f"
						    "e");
	assert_slice(
	    message_from(mail.message)->items[0].address, "a@b.example");
	arena_free(&mail.arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_multipart_gives_its_parts_in_order),
};

UNIT_MAIN(tests)
