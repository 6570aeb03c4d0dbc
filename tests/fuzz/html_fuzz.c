#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "message/escape.h"
#include "message/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
sum_of(struct slice bytes)
{
	unsigned sum = 0;

	for (size_t i = 0; i < bytes.length; i++)
		sum += (unsigned char)bytes.data[i];
	return sum;
}

/* Looks at all that was found; text never grows beyond what entities can make
 * of the input and of the documents in it, nor does a file. */
static unsigned
look_at(const struct html_result *result, size_t size)
{
	unsigned sum = sum_of(result->text);

	for (size_t i = 0; i < result->links.count; i++)
		sum += sum_of(result->links.items[i].target);
	for (size_t i = 0; i < result->files.count; i++) {
		sum += sum_of(result->files.items[i].data.content) +
		       sum_of(result->files.items[i].name);
		if (result->files.items[i].data.content.length > size)
			abort();
	}
	if (result->text.length > 40 * size + 64)
		abort();
	return sum;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(64u << 20, NULL);
	struct slice input = slice_make(data, size);
	struct html_result result;
	volatile unsigned sum = 0;

	html_read(arena, input, &html_limits_default, &result);
	sum += look_at(&result, size);
	html_read_script(arena, input, &html_limits_default, &result);
	sum += look_at(&result, size);
	if (escape_undo_style(arena, input).length > size ||
	    escape_undo_script(arena, input).length > size)
		abort();
	(void)sum;
	arena_free(&arena);
	return 0;
}
