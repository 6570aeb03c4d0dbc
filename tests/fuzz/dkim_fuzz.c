/* Tag lists, key records and signature fields, as senders and zones write
 * them: no crash, and what is sound is complete. */
#include <config.h>

#include <assert.h>
#include <stdint.h>

#include "auth/signature.h"
#include "auth/tag_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_tags(struct slice text)
{
	struct tag_list list;

	if (tag_list_read(text, &list) != TC_OK) {
		assert(list.problem != NULL);
		return;
	}
	assert(list.count > 0);
	for (size_t i = 0; i < list.count; i++)
		assert(list.tags[i].start <= list.tags[i].end &&
		       list.tags[i].end <= text.length);
}

static void
read_key(struct arena *arena, struct slice text)
{
	struct signing_key key;

	assert(signing_key_read(arena, text, &key) == TC_OK);
	assert((key.state == SIGNING_KEY_USABLE) == (key.pkey != NULL));
	assert((key.state == SIGNING_KEY_USABLE) == (key.reason == NULL));
	signing_key_release(&key);
}

static void
read_signature(struct arena *arena, struct slice text, enum signature_kind kind)
{
	struct signed_headers headers = signed_headers_make(arena);
	struct canonical_hash hash = { 0 };
	struct signature signature;

	signed_headers_add(&headers, SLICE_LITERAL("From"), text);
	signed_headers_add(&headers, SLICE_LITERAL("Signature"), text);
	assert(signature_read(&headers, 1, kind, 1790000000, 300, &signature) ==
	       TC_OK);
	if (signature.fault != SIGNATURE_SOUND) {
		assert(signature.reason != NULL);
		return;
	}
	assert(signature.domain.length > 0 && signature.selector.length > 0);
	assert(signature.octets.length > 0);
	assert(signature.cut_start <= signature.cut_end &&
	       signature.cut_end <= signature.value.length);
	assert(canonical_hash_begin(&hash));
	signature_hash_headers(&headers, &signature, &hash);
	canonical_hash_free(&hash);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice text = slice_make(data, size);
	struct arena *arena = arena_new(0, NULL);

	read_tags(text);
	read_key(arena, text);
	read_signature(arena, text, SIGNATURE_DKIM);
	read_signature(arena, text, SIGNATURE_ARC_MESSAGE);
	read_signature(arena, text, SIGNATURE_ARC_SEAL);
	arena_free(&arena);
	return 0;
}
