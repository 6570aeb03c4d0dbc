#include <config.h>

#include <stdint.h>
#include <string.h>

#include "base/address.h"
#include "base/builder.h"
#include "base/domain.h"
#include "base/utf8.h"

/* Takes the quotes off a quoted-string local part (RFC 5321, 4.1.2). */
static bool
unquote(struct arena *arena, struct slice quoted, struct slice *local_out)
{
	struct builder local = builder_make(arena, quoted.length);

	if (quoted.length < 3 || quoted.data[quoted.length - 1] != '"')
		return false;
	for (size_t i = 1; i < quoted.length - 1; i++) {
		if (quoted.data[i] == '\\' && i + 1 < quoted.length - 1)
			i++;
		builder_byte(&local, quoted.data[i]);
	}
	*local_out = builder_result(&local);
	return !local.failed;
}

bool
address_canonical(
    struct arena *arena, struct slice text, struct address *address_out)
{
	size_t at = slice_find_last_byte(text, '@');
	struct slice local, domain;

	if (at == SIZE_MAX || at == 0)
		return false;
	local = slice_range(text, 0, at);
	if (local.data[0] == '"' && !unquote(arena, local, &local))
		return false;
	if (!domain_canonical(arena, slice_skip(text, at + 1), &domain))
		return false;
	address_out->local = local;
	address_out->domain = domain;
	return true;
}

bool
address_is_misread(struct slice text)
{
	if (text.length > 0 && text.data[0] == '"')
		return false; /* a quoted local part may hold anything */
	if (slice_starts_with_fold(text, SLICE_LITERAL("mailto:")))
		return true;
	for (size_t i = 0; i < text.length; i++)
		if (strchr(" \t<>,;", text.data[i]) != NULL)
			return true;
	return false;
}

struct slice
address_key(struct arena *arena, const struct address *address)
{
	struct builder key = builder_make(arena, SIZE_MAX);
	struct slice local = utf8_fold_slice(arena, address->local);

	if (local.data == NULL && address->local.length > 0)
		return slice_make(NULL, 0);
	builder_slice(&key, local);
	builder_byte(&key, '@');
	builder_slice(&key, address->domain);
	return key.failed ? slice_make(NULL, 0) : builder_result(&key);
}
