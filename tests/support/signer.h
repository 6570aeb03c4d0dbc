/*
 * signer - signs messages for the tests of auth
 *
 * Keys are made when a test runs; none lie in the tree. Whatever the tags say
 * is signed, also what no sane signer would write.
 */
#ifndef TOCSIN_TESTS_SIGNER_H
#define TOCSIN_TESTS_SIGNER_H

#include "auth/signature.h"

struct signer {
	enum signing_key_type type;
	void *pkey;         /* EVP_PKEY with its private half */
	char *record;       /* the key's TXT record */
	char *record_pkcs1; /* RSA: with a bare RSAPublicKey */
};

/* Makes a key; `bits` is for RSA. */
struct signer signer_make(enum signing_key_type type, unsigned bits);
void signer_free(struct signer *signer);

/* Returns the value of a field `name` that signs headers and body: " ", `tags`
 * (which end without ";"), bh= and b=. bh= covers `limit` octets of the
 * canonical body. The fields of `headers` stand below it. */
struct slice signer_sign(const struct signer *signer, struct arena *arena,
    const struct signed_headers *headers, enum signature_kind kind,
    const char *name, const char *tags, struct slice body, uint64_t limit);

/* The octets of b= over a digest, in base64. */
const char *signer_octets(const struct signer *signer, struct arena *arena,
    const unsigned char digest[CANONICAL_DIGEST_SIZE]);

#endif
