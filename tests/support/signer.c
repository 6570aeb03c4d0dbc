#include <config.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>

#include "support/signer.h"

static char *
record_of(const char *type, const unsigned char *der, size_t length)
{
	char *encoded = malloc(length * 2 + 4);
	size_t size = length * 2 + 64;
	char *record = malloc(size);

	EVP_EncodeBlock((unsigned char *)encoded, der, (int)length);
	snprintf(record, size, "v=DKIM1; k=%s; p=%s", type, encoded);
	free(encoded);
	return record;
}

struct signer
signer_make(enum signing_key_type type, unsigned bits)
{
	struct signer signer = { .type = type };
	unsigned char raw[32], *der = NULL;
	size_t raw_length = sizeof raw;
	int length;

	if (type == SIGNING_KEY_ED25519) {
		signer.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		EVP_PKEY_get_raw_public_key(signer.pkey, raw, &raw_length);
		signer.record = record_of("ed25519", raw, raw_length);
		return signer;
	}
	signer.pkey = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)bits);
	length = i2d_PUBKEY(signer.pkey, &der);
	signer.record = record_of("rsa", der, (size_t)length);
	OPENSSL_free(der);
	der = NULL;
	length = i2d_PublicKey(signer.pkey, &der);
	signer.record_pkcs1 = record_of("rsa", der, (size_t)length);
	OPENSSL_free(der);
	return signer;
}

void
signer_free(struct signer *signer)
{
	EVP_PKEY_free(signer->pkey);
	free(signer->record);
	free(signer->record_pkcs1);
}

const char *
signer_octets(const struct signer *signer, struct arena *arena,
    const unsigned char digest[CANONICAL_DIGEST_SIZE])
{
	unsigned char octets[2048];
	size_t length = sizeof octets;
	char *encoded;

	if (signer->type == SIGNING_KEY_ED25519) {
		EVP_MD_CTX *context = EVP_MD_CTX_new();

		EVP_DigestSignInit(context, NULL, NULL, NULL, signer->pkey);
		EVP_DigestSign(
		    context, octets, &length, digest, CANONICAL_DIGEST_SIZE);
		EVP_MD_CTX_free(context);
	} else {
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(signer->pkey, NULL);

		EVP_PKEY_sign_init(context);
		EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
		EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
		EVP_PKEY_sign(
		    context, octets, &length, digest, CANONICAL_DIGEST_SIZE);
		EVP_PKEY_CTX_free(context);
	}
	encoded = arena_alloc(arena, length * 2 + 4);
	EVP_EncodeBlock((unsigned char *)encoded, octets, (int)length);
	return encoded;
}

static const char *
body_hash(struct arena *arena, enum canonical_form form, struct slice body,
    uint64_t limit)
{
	struct canonical_body canonical = { 0 };
	unsigned char digest[CANONICAL_DIGEST_SIZE];
	char *encoded = arena_alloc(arena, 64);

	canonical_body_begin(&canonical, form, limit);
	canonical_body_add(&canonical, body);
	canonical_body_end(&canonical, digest);
	canonical_body_free(&canonical);
	EVP_EncodeBlock(
	    (unsigned char *)encoded, digest, CANONICAL_DIGEST_SIZE);
	return encoded;
}

/* A copy of the fields, with one more at the end: where it stands matters only
 * to h= that names the signature's own kind. */
static struct signed_headers
with_field(struct arena *arena, const struct signed_headers *headers,
    const char *name, const char *value)
{
	struct signed_headers copy = signed_headers_make(arena);

	signed_headers_add(&copy, slice_text(name), slice_text(value));
	for (size_t i = 0; i < headers->fields.count; i++)
		signed_headers_add(&copy, headers->fields.items[i].name,
		    headers->fields.items[i].value);
	return copy;
}

struct slice
signer_sign(const struct signer *signer, struct arena *arena,
    const struct signed_headers *headers, enum signature_kind kind,
    const char *name, const char *tags, struct slice body, uint64_t limit)
{
	unsigned char digest[CANONICAL_DIGEST_SIZE];
	struct canonical_hash hash = { 0 };
	struct signed_headers all;
	struct signature signature;
	const char *value;

	value = arena_printf(arena, " %s;\n\tbh=%s; b=AAAA", tags, "AAAA");
	all = with_field(arena, headers, name, value);
	signature_read(&all, 0, kind, 0, 0, &signature);
	value = arena_printf(arena, " %s;\n\tbh=%s; b=AAAA", tags,
	    body_hash(arena, signature.body_form, body, limit));
	all = with_field(arena, headers, name, value);
	signature_read(&all, 0, kind, 0, 0, &signature);
	canonical_hash_begin(&hash);
	signature_hash_headers(&all, &signature, &hash);
	canonical_hash_end(&hash, digest);
	canonical_hash_free(&hash);
	return slice_text(
	    arena_printf(arena, "%.*s%s", (int)(strlen(value) - 4), value,
		signer_octets(signer, arena, digest)));
}
