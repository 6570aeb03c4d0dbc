/* signing_key: key records, odd keys, the cache under threads */
#include <config.h>

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/signing_key.h"
#include "support/signer.h"
#include "support/unit.h"

static void
base64_is_read_strictly(void **state)
{
	static const struct {
		const char *encoded, *octets; /* NULL: none */
	} cases[] = {
		{ "", "" },
		{ "YQ==", "a" },
		{ "YWI=", "ab" },
		{ "YWJj", "abc" },
		{ "YWJjZA==", "abcd" },
		{ "YWI", "ab" },
		{ "YQ", "a" },
		{ "Y", NULL },
		{ "YQ=", NULL },
		{ "YWJj=", NULL },
		{ "YW=j", NULL },
		{ "YW-j", NULL },
		{ "YW j", NULL },
		{ "=", NULL },
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct slice octets =
		    signing_key_base64(arena, text(cases[i].encoded));

		if ((octets.data == NULL) != (cases[i].octets == NULL))
			fail_msg("%s", cases[i].encoded);
		if (octets.data != NULL)
			assert_slice(octets, cases[i].octets);
	}
	arena_free(&arena);
}

static void
keys_of_other_kinds_and_broken_ones_are_refused(void **state)
{
	static const char *const keys[] = {
		/* Ed25519 in its wrapping; an empty SEQUENCE; lengths beyond the end; an
		 * indefinite length; three octets of length; no integers */
		"MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=",
		"MAA=",
		"MIID",
		"MIAA",
		"MIMAAAA=",
		"MAQEAgEB",
		"MAUCAQECBQ==",
		"AAAA",
	};
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
		struct signing_key key;
		const char *record =
		    arena_printf(arena, "v=DKIM1; p=%s", keys[i]);

		assert_int_equal(
		    signing_key_read(arena, slice_text(record), &key), TC_OK);
		if (key.state != SIGNING_KEY_UNUSABLE)
			fail_msg("%s", keys[i]);
		assert_null(key.pkey);
		signing_key_release(&key);
	}
	arena_free(&arena);
}

/* Every cut of a good key is refused or at least not misread. */
static void
no_cut_of_a_key_is_a_usable_key(void **state)
{
	struct signer signer = signer_make(SIGNING_KEY_RSA, 1024);
	struct arena *arena = arena_new(0, NULL);
	size_t length = strlen(signer.record);

	(void)state;
	for (size_t cut = 0; cut < length - 20; cut++) {
		struct signing_key key;

		assert_int_equal(signing_key_read(arena,
				     slice_make(signer.record, cut), &key),
		    TC_OK);
		assert_int_not_equal(key.state, SIGNING_KEY_USABLE);
		signing_key_release(&key);
	}
	arena_free(&arena);
	signer_free(&signer);
}

static void
keys_are_written_for_libopendkim_as_they_are(void **state)
{
	struct arena *arena = arena_new(0, NULL);

	(void)state;
	for (int i = 0; i < 3; i++) {
		struct signer signer = signer_make(
		    i == 2 ? SIGNING_KEY_ED25519 : SIGNING_KEY_RSA, 1024);
		struct signing_key key;

		assert_int_equal(signing_key_read(arena,
				     slice_text(i == 1 ? signer.record_pkcs1
						       : signer.record),
				     &key),
		    TC_OK);
		assert_int_equal(key.state, SIGNING_KEY_USABLE);
		assert_int_equal(key.bits, i == 2 ? 256 : 1024);
		assert_string_equal(signing_key_encode(arena, &key),
		    strstr(signer.record, "p=") + 2);
		signing_key_release(&key);
		signer_free(&signer);
	}
	arena_free(&arena);
}

#define THREADS 4
#define KEYS    3000 /* more than the cache holds */

static void *
read_many(void *context)
{
	unsigned seed = *(unsigned *)context;
	struct arena *arena = arena_new(0, NULL);
	unsigned char raw[32] = { 0 };
	char encoded[64], record[128];
	size_t bad = 0;

	for (size_t i = 0; i < 10000; i++) {
		unsigned which = (unsigned)rand_r(&seed) % KEYS;
		struct signing_key key;

		memcpy(raw, &which, sizeof which);
		EVP_EncodeBlock((unsigned char *)encoded, raw, sizeof raw);
		snprintf(record, sizeof record, "k=ed25519; p=%s", encoded);
		if (signing_key_read(arena, slice_text(record), &key) != TC_OK)
			bad++;
		else if (strcmp(signing_key_encode(arena, &key), encoded) != 0)
			bad++;
		signing_key_release(&key);
		arena_reset(arena);
	}
	arena_free(&arena);
	return bad == 0 ? NULL : context;
}

static void
threads_share_the_cache(void **state)
{
	pthread_t threads[THREADS];
	unsigned seeds[THREADS];
	void *bad;

	(void)state;
	for (unsigned i = 0; i < THREADS; i++) {
		seeds[i] = i + 1;
		assert_int_equal(
		    pthread_create(&threads[i], NULL, read_many, &seeds[i]), 0);
	}
	for (unsigned i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], &bad), 0);
		assert_null(bad);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(base64_is_read_strictly),
	cmocka_unit_test(keys_of_other_kinds_and_broken_ones_are_refused),
	cmocka_unit_test(no_cut_of_a_key_is_a_usable_key),
	cmocka_unit_test(keys_are_written_for_libopendkim_as_they_are),
	cmocka_unit_test(threads_share_the_cache),
};

UNIT_MAIN(tests)
