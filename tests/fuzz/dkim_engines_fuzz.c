/* The two DKIM engines against each other: a body is signed as it is and must
 * verify with both, however it is cut, in both forms. Where a CR or LF
 * stands alone libopendkim is known to lose it, and only our engine is asked.
 */
#include <config.h>

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/dkim_verify.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "support/signer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct signer signer;
static struct resolver *resolver;

static void
prepare(void)
{
	struct arena *arena = arena_new(0, NULL);
	char problem[RESOLVER_PROBLEM_MAX];

	signer = signer_make(SIGNING_KEY_ED25519, 0);
	resolver = resolver_zone_new(
	    slice_text(arena_printf(
		arena, "k._domainkey.example TXT \"%s\"\n", signer.record)),
	    problem);
	arena_free(&arena);
	if (resolver == NULL)
		abort();
}

static bool
has_lone_cr_or_lf(struct slice body)
{
	for (size_t i = 0; i < body.length; i++) {
		if (body.data[i] == '\r' &&
		    (i + 1 == body.length || body.data[i + 1] != '\n'))
			return true;
		if (body.data[i] == '\n' &&
		    (i == 0 || body.data[i - 1] != '\r'))
			return true;
	}
	return false;
}

static bool
verifies(struct arena *arena, const struct signed_headers *headers,
    struct slice body, size_t chunk, enum dkim_verify_engine engine)
{
	struct dkim_verify_limits limits = DKIM_VERIFY_LIMITS_DEFAULT;
	struct lookups *lookups = lookups_new(arena, resolver, NULL);
	struct dkim_verify *verify =
	    dkim_verify_new(arena, lookups, &limits, engine, 1790000000);
	const struct dkim_verify_outcome *outcome = NULL;
	bool pass;

	for (size_t i = 0; i < headers->fields.count; i++)
		dkim_verify_header(verify, headers->fields.items[i].name,
		    headers->fields.items[i].value);
	dkim_verify_end_of_headers(verify);
	for (size_t i = 0; i < body.length; i += chunk)
		dkim_verify_body(verify, slice_range(body, i, i + chunk));
	assert(dkim_verify_end(verify, &outcome) == TC_OK);
	pass = outcome->result == DKIM_VERIFY_PASS &&
	       !outcome->signatures.items[0].extended_after_length;
	dkim_verify_free(&verify);
	lookups_free(&lookups);
	return pass;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0, NULL);
	struct signed_headers headers = signed_headers_make(arena);
	struct signed_headers all = signed_headers_make(arena);
	size_t chunk = size > 0 ? 1 + data[0] % 64u : 1;
	struct slice body = slice_skip(slice_make(data, size), 1);
	struct slice value;

	if (resolver == NULL)
		prepare();
	signed_headers_add(
	    &headers, SLICE_LITERAL("From"), SLICE_LITERAL(" a@example"));
	value = signer_sign(&signer, arena, &headers, SIGNATURE_DKIM,
	    "DKIM-Signature",
	    size > 0 && data[0] >= 128
		? "v=1; a=ed25519-sha256; c=simple/simple; d=example; s=k; "
		  "h=from"
		: "v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example; s=k; "
		  "h=from",
	    body, UINT64_MAX);
	signed_headers_add(&all, SLICE_LITERAL("DKIM-Signature"), value);
	signed_headers_add(
	    &all, SLICE_LITERAL("From"), SLICE_LITERAL(" a@example"));
	assert(verifies(arena, &all, body, chunk, DKIM_VERIFY_NATIVE));
	if (!has_lone_cr_or_lf(body))
		assert(verifies(
		    arena, &all, body, chunk, DKIM_VERIFY_LIBOPENDKIM));
	arena_free(&arena);
	return 0;
}
