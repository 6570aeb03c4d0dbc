#include <config.h>

#include <stdint.h>

#include "scanner/bytes.h"
#include "scanner/command.h"
#include "scanner/embedded.h"

#define HEAD_CHARS 32 /* by which a command is known */
#define HEAD_BYTES (HEAD_CHARS / 4 * 3)

static bool
is_base64(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '+' || c == '/';
}

/* The octets of the run from `at` on, whose characters are `step` wide. */
static struct slice
take_run(struct slice content, size_t at, size_t step)
{
	size_t end = at;

	while (end < content.length && is_base64(content.data[end]) &&
	       (step == 1 ||
		   (end + 1 < content.length && content.data[end + 1] == '\0')))
		end += step;
	return slice_range(content, at, end);
}

static bool
is_command(struct slice run, size_t step)
{
	unsigned char head[HEAD_BYTES];

	if (run.length < HEAD_CHARS * step)
		return false;
	/* The decoder passes over the NULs of wide characters. */
	embedded_decode(slice_range(run, 0, HEAD_CHARS * step), head);
	for (size_t i = 0; i < HEAD_BYTES; i += 2)
		if (head[i] == 0 || head[i] >= 0x80 || head[i + 1] != 0)
			return false;
	return true;
}

static bool
hand_out(struct slice run, const struct found *found)
{
	struct bytes command = { .max = found->limits->document_bytes };
	bool good = true;

	if (bytes_reserve(&command, run.length)) {
		command.length =
		    embedded_decode(run, (unsigned char *)command.data);
		good = found->text(found->context, bytes_slice(&command));
	} else {
		found->unread(found->context, "document-bytes");
	}
	bytes_free(&command);
	return good;
}

void
command_text(struct slice content, const struct found *found)
{
	size_t at = 0;
	bool good = true;

	while (good && at < content.length) {
		size_t step;
		struct slice run;

		if (!is_base64(content.data[at])) {
			at++;
			continue;
		}
		step = at + 1 < content.length && content.data[at + 1] == '\0'
			   ? 2
			   : 1;
		run = take_run(content, at, step);
		if (is_command(run, step))
			good = hand_out(run, found);
		at += run.length;
	}
}
