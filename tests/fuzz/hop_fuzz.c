/*
 * hop_fuzz - Received fields; whatever they hold, slices point into the value
 */
#include <config.h>

#include <stdint.h>
#include <stdlib.h>

#include "evidence/hop.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must_lie_inside(struct slice part, struct slice whole)
{
	if (part.length == 0)
		return;
	if (part.data < whole.data ||
	    part.data + part.length > whole.data + whole.length)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice value = slice_make(data, size);
	struct hop hop = hop_parse(value);
	time_t when;

	must_lie_inside(hop.helo, value);
	must_lie_inside(hop.name, value);
	must_lie_inside(hop.by, value);
	must_lie_inside(hop.with, value);
	/* Local: sure, and from nowhere. */
	if (hop.local && (!hop.certain || hop.has_ip))
		abort();
	hop_date(value, &when);
	return 0;
}
