/*
 * addresses_fuzz - address headers; one clean author means no second '@'
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "message/address.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(64u << 20, NULL);
	struct address_list list = { .count = 0 };
	struct slice domain;

	address_list_parse(
	    arena, slice_make(data, size), &address_limits_default, &list);
	for (size_t i = 0; i < list.count; i++)
		if (list.items[i].address.length < list.items[i].domain.length)
			abort();
	if (address_list_single_domain(&list, &domain) &&
	    slice_find_byte(domain, '@') != SIZE_MAX)
		abort();
	arena_free(&arena);
	return 0;
}
