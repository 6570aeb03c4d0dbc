/* Sets of ARC fields: no crash, and no pass without a signature. */
#include <config.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/arc.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "message/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct resolver *resolver;

static void
prepare(void)
{
	static const char zone[] =
	    "*.example TXT \"v=DKIM1; k=ed25519; "
	    "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\"\n"
	    "dead._domainkey.example TIMEOUT\n";
	char problem[RESOLVER_PROBLEM_MAX];

	resolver = resolver_zone_new(slice_text(zone), problem);
	if (resolver == NULL)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0, NULL);
	struct header_scan scan = header_scan_begin(slice_make(data, size));
	struct arc_limits limits = ARC_LIMITS_DEFAULT;
	const struct arc_outcome *outcome = NULL;
	struct header_field field;
	struct lookups *lookups;
	struct arc_verify *verify;

	if (resolver == NULL)
		prepare();
	lookups = lookups_new(arena, resolver, NULL);
	verify = arc_verify_new(arena, lookups, &limits, 1790000000);
	while (header_scan_next(&scan, &field))
		assert(arc_verify_header(verify, field.name, field.value) ==
		       TC_OK);
	assert(arc_verify_end_of_headers(verify) == TC_OK);
	assert(arc_verify_body(verify, scan.rest) == TC_OK);
	assert(arc_verify_end(verify, &outcome) == TC_OK);
	assert(outcome->result != ARC_PASS);
	assert((outcome->reason == NULL) == (outcome->result == ARC_NONE));
	arc_verify_free(&verify);
	lookups_free(&lookups);
	arena_free(&arena);
	return 0;
}
