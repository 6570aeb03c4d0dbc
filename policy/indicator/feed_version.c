#include <config.h>

#include "indicator/feed_reader.h"

#define NS_DIGITS 9

/* The digits at the begin of `text` as nanoseconds; what is finer is cut. */
static uint32_t
nanoseconds(struct slice text)
{
	uint32_t ns = 0;
	size_t at = 0;

	for (unsigned i = 0; i < NS_DIGITS; i++) {
		ns *= 10;
		if (at < text.length && ascii_is_digit(text.data[at]))
			ns += (uint32_t)(text.data[at++] - '0');
		else
			text.length = at;
	}
	return ns;
}

int64_t
feed_reader_moment(struct slice text, uint32_t *ns_out)
{
	int64_t seconds = feed_reader_time(text);
	unsigned long number;
	struct slice whole;
	size_t point;

	*ns_out = 0;
	if (seconds == 0)
		return 0;
	text = slice_trim(text);
	point = slice_find_byte(text, '.');
	whole = slice_range(text, 0, point);
	if (slice_parse_number(whole, 9999999999999UL, &number)) {
		/* Seconds with a point, or milliseconds. */
		if (whole.length >= 12)
			*ns_out = (uint32_t)(number % 1000) * 1000000;
		else if (point != SIZE_MAX)
			*ns_out = nanoseconds(slice_skip(text, point + 1));
	} else if (point != SIZE_MAX &&
		   slice_find_byte(whole, ':') != SIZE_MAX) {
		*ns_out = nanoseconds(slice_skip(text, point + 1));
	}
	return seconds;
}

void
feed_reader_reject_version(struct feed_reader *reader,
    const struct feed_item *item, enum feed_reason reason, struct slice what,
    const char *detail)
{
	if (reader->sink->unused != NULL)
		reader->sink->unused(reader->sink->context, item);
	feed_reader_reject(reader, reason, what, detail);
}
