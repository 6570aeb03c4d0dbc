/* Authentication-Results: what the strict reader takes the lenient one takes
 * too; what we write of hostile values reads back as it was put in. */
#include <config.h>

#include <assert.h>
#include <stdint.h>

#include "auth/auth_results.h"
#include "auth/auth_results_read.h"
#include "auth/auth_results_remover.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_both(struct arena *arena, struct slice text)
{
	struct auth_results strict, lenient;
	const struct slice id = SLICE_LITERAL("mx.example");
	bool claims = auth_results_claims(
	    SLICE_LITERAL("Authentication-Results"), text, &id, 1);

	if (auth_results_read(arena, text, &strict) != TC_OK)
		return;
	assert(auth_results_read_lenient(arena, text, &lenient) == TC_OK);
	if (slice_equal_fold(strict.authserv_id, id))
		assert(claims);
	assert(lenient.methods.count >= strict.methods.count);
}

/* Cuts the input into values at each LF; the writer compares for itself. */
static void
write_values(struct arena *arena, struct slice text)
{
	struct auth_results results =
	    auth_results_make(arena, SLICE_LITERAL("mx.example"));
	struct slice value;

	while (text.length > 0) {
		size_t method = auth_results_add(&results, "dkim", "fail");

		if (method == SIZE_MAX)
			return;
		text = slice_split(text, '\n', &value);
		auth_results_reason(&results, method, value);
		auth_results_property(&results, method, "header", "d", value);
		auth_results_property(&results, method, "smtp", "helo", value);
	}
	assert(auth_results_write(&results, &value) == TC_OK);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(0, NULL);

	read_both(arena, slice_make(data, size));
	write_values(arena, slice_make(data, size));
	arena_free(&arena);
	return 0;
}
