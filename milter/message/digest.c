#include <config.h>

#include <openssl/evp.h>
#include <pthread.h>

#include "message/digest.h"

/* Fetched once: fetching anew for each digest costs more than a small part's
 * hash. */
static EVP_MD *md5, *sha1, *sha256;
static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

static void
kinds_load(void)
{
	md5 = EVP_MD_fetch(NULL, "MD5", NULL);
	sha1 = EVP_MD_fetch(NULL, "SHA1", NULL);
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static struct slice
to_hex(struct arena *arena, const unsigned char *octets, size_t count)
{
	static const char digits[] = "0123456789abcdef";
	char *text = arena_alloc(arena, 2 * count + 1);

	if (text == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < count; i++) {
		text[2 * i] = digits[octets[i] >> 4];
		text[2 * i + 1] = digits[octets[i] & 15];
	}
	return slice_make(text, 2 * count);
}

static bool
compute(struct arena *arena, struct slice bytes, const EVP_MD *kind,
    struct slice *digest_out)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	unsigned length = 0;

	if (kind == NULL)
		return false;
	if (EVP_Digest(bytes.data == NULL ? "" : bytes.data, bytes.length,
		octets, &length, kind, NULL) != 1)
		return false;
	*digest_out = to_hex(arena, octets, length);
	return digest_out->data != NULL;
}

bool
digest_compute(struct arena *arena, struct slice bytes, unsigned kinds,
    struct digests *digests_out)
{
	bool good = true;

	pthread_once(&kinds_once, kinds_load);
	*digests_out = (struct digests){ .md5 = slice_make(NULL, 0) };
	if (kinds & DIGEST_MD5)
		good &= compute(arena, bytes, md5, &digests_out->md5);
	if (kinds & DIGEST_SHA1)
		good &= compute(arena, bytes, sha1, &digests_out->sha1);
	if (kinds & DIGEST_SHA256)
		good &= compute(arena, bytes, sha256, &digests_out->sha256);
	return good;
}
