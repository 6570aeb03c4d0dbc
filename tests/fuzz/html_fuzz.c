#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "message/html.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(64u << 20, NULL);
	struct html_result result;
	volatile unsigned sum = 0;

	html_read(arena, slice_make(data, size), &html_limits_default, &result);
	for (size_t i = 0; i < result.text.length; i++)
		sum += (unsigned char)result.text.data[i];
	for (size_t i = 0; i < result.links.count; i++)
		for (size_t n = 0; n < result.links.items[i].target.length; n++)
			sum +=
			    (unsigned char)result.links.items[i].target.data[n];
	/* text never grows beyond what entities can make of the input */
	if (result.text.length > 8 * size + 64)
		abort();
	(void)sum;
	arena_free(&arena);
	return 0;
}
