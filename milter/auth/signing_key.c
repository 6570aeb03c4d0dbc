#include <config.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include "auth/signing_key.h"
#include "auth/tag_list.h"
#include "base/builder.h"
#include "dns/lookups.h"

#define ED25519_KEY_SIZE 32
#define KEY_DER_MAX      4096 /* octets; an 8192-bit RSA key has 1,062 */

/* ------------------------------------------------------------- base64 */

static int
base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

struct slice
signing_key_base64(struct arena *arena, struct slice encoded)
{
	size_t padding = 0, used = 0;
	uint32_t bits = 0;
	unsigned bit_count = 0;
	char *out;

	while (padding < 2 && encoded.length > 0 &&
	       encoded.data[encoded.length - 1] == '=') {
		encoded.length--;
		padding++;
	}
	if (encoded.length % 4 == 1 ||
	    (padding > 0 && (encoded.length + padding) % 4 != 0))
		return slice_make(NULL, 0);
	out = arena_alloc(arena, encoded.length / 4 * 3 + 3);
	if (out == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < encoded.length; i++) {
		int value = base64_value(encoded.data[i]);

		if (value < 0)
			return slice_make(NULL, 0);
		bits = (bits << 6 | (uint32_t)value) & 0xffffff;
		bit_count += 6;
		if (bit_count >= 8) {
			bit_count -= 8;
			out[used++] = (char)(bits >> bit_count & 0xff);
		}
	}
	return slice_make(out, used);
}

/* -------------------------------------------------------- parsed keys */

#define SHARDS        16
#define SHARD_SETS    32
#define SHARD_WAYS    2
#define SHARD_ENTRIES (SHARD_SETS * SHARD_WAYS) /* 1,024 keys in all */

struct cached_key {
	EVP_PKEY *pkey; /* NULL: free */
	char *der;      /* what it was parsed from */
	size_t length;
	enum signing_key_type type;
};

static struct key_shard {
	pthread_mutex_t lock;
	struct cached_key entries[SHARD_ENTRIES];
	unsigned char oldest[SHARD_SETS];
} shards[SHARDS];
static unsigned long long shard_seed;
static pthread_once_t shards_once = PTHREAD_ONCE_INIT;

static void
shards_prepare(void)
{
	/* Without entropy the seed stays 0, and senders might push each
	 * other's keys out; nothing worse. */
	(void)RAND_bytes((unsigned char *)&shard_seed, sizeof shard_seed);
	for (size_t i = 0; i < SHARDS; i++)
		pthread_mutex_init(&shards[i].lock, NULL);
}

/* Takes one DER value with this tag off the front (X.690, 8.1). */
static bool
der_take(struct slice *rest, unsigned char tag, struct slice *content_out)
{
	size_t at = 2, length;

	if (rest->length < 2 || (unsigned char)rest->data[0] != tag)
		return false;
	length = (unsigned char)rest->data[1];
	if (length > 0x80) {
		size_t octets = length - 0x80;

		if (octets > 2 || rest->length < 2 + octets)
			return false;
		for (length = 0; at < 2 + octets; at++)
			length = length << 8 | (unsigned char)rest->data[at];
	}
	if (length == 0x80 || rest->length - at < length)
		return false;
	*content_out = slice_range(*rest, at, at + length);
	*rest = slice_skip(*rest, at + length);
	return true;
}

#define DER_INTEGER    0x02
#define DER_BIT_STRING 0x03
#define DER_SEQUENCE   0x30

/* The RSAPublicKey within a SubjectPublicKeyInfo (RFC 8017, A.1), or the
 * octets themselves: RFC 6376, 3.6.1 asks for the bare key, the world
 * publishes the other. */
static struct slice
bare_rsa(struct slice der)
{
	static const char oid[] =
	    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";
	struct slice rest = der, info, algorithm, bits;

	if (!der_take(&rest, DER_SEQUENCE, &info) ||
	    !der_take(&info, DER_SEQUENCE, &algorithm) ||
	    !slice_starts_with(algorithm, slice_make(oid, sizeof oid - 1)) ||
	    !der_take(&info, DER_BIT_STRING, &bits))
		return der;
	return slice_skip(bits, 1); /* how many bits are unused: none */
}

/* Reads modulus and exponent ourselves: OpenSSL's readers of public keys would
 * take whatever kind of key a stranger publishes, curves with parameters of
 * their own among them. */
static EVP_PKEY *
parse_rsa(struct slice der)
{
	struct slice rest = bare_rsa(der), key, modulus, exponent;
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n = NULL, *e = NULL;
	OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	if (der_take(&rest, DER_SEQUENCE, &key) &&
	    der_take(&key, DER_INTEGER, &modulus) &&
	    der_take(&key, DER_INTEGER, &exponent)) {
		n = BN_bin2bn((const unsigned char *)modulus.data,
		    (int)modulus.length, NULL);
		e = BN_bin2bn((const unsigned char *)exponent.data,
		    (int)exponent.length, NULL);
	}
	if (n != NULL && e != NULL && build != NULL &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, e) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params != NULL && context != NULL &&
	    EVP_PKEY_fromdata_init(context) == 1 &&
	    EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
		pkey = NULL;
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	BN_free(n);
	BN_free(e);
	ERR_clear_error();
	return pkey;
}

static EVP_PKEY *
parse_key(enum signing_key_type type, struct slice der)
{
	EVP_PKEY *pkey;

	if (type == SIGNING_KEY_RSA)
		return parse_rsa(der);
	if (der.length != ED25519_KEY_SIZE)
		return NULL;
	pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL,
	    (const unsigned char *)der.data, der.length);
	ERR_clear_error();
	return pkey;
}

static struct key_shard *
shard_of(struct slice der, size_t *set_out)
{
	unsigned long long hash;

	pthread_once(&shards_once, shards_prepare);
	hash = slice_hash(der, shard_seed);
	*set_out = hash / SHARDS % SHARD_SETS;
	return &shards[hash % SHARDS];
}

static EVP_PKEY *
cache_get(enum signing_key_type type, struct slice der)
{
	size_t set;
	struct key_shard *shard = shard_of(der, &set);
	EVP_PKEY *pkey = NULL;

	pthread_mutex_lock(&shard->lock);
	for (size_t way = 0; way < SHARD_WAYS; way++) {
		struct cached_key *entry =
		    &shard->entries[set * SHARD_WAYS + way];

		if (entry->pkey != NULL && entry->type == type &&
		    slice_equal(slice_make(entry->der, entry->length), der) &&
		    EVP_PKEY_up_ref(entry->pkey) == 1) {
			pkey = entry->pkey;
			shard->oldest[set] = (unsigned char)!way;
			break;
		}
	}
	pthread_mutex_unlock(&shard->lock);
	return pkey;
}

static void
cache_put(enum signing_key_type type, struct slice der, EVP_PKEY *pkey)
{
	size_t set;
	struct key_shard *shard = shard_of(der, &set);
	struct cached_key *entry, old;
	char *copy = malloc(der.length);

	if (copy == NULL || EVP_PKEY_up_ref(pkey) != 1) {
		free(copy);
		return;
	}
	memcpy(copy, der.data, der.length);
	pthread_mutex_lock(&shard->lock);
	entry = &shard->entries[set * SHARD_WAYS + shard->oldest[set]];
	shard->oldest[set] = !shard->oldest[set];
	old = *entry;
	*entry = (struct cached_key){
		.pkey = pkey, .der = copy, .length = der.length, .type = type
	};
	pthread_mutex_unlock(&shard->lock);
	EVP_PKEY_free(old.pkey);
	free(old.der);
}

static EVP_PKEY *
key_of_octets(enum signing_key_type type, struct slice der)
{
	EVP_PKEY *pkey;

	if (der.length == 0 || der.length > KEY_DER_MAX)
		return NULL;
	pkey = cache_get(type, der);
	if (pkey != NULL)
		return pkey;
	pkey = parse_key(type, der);
	if (pkey != NULL)
		cache_put(type, der, pkey);
	return pkey;
}

void
signing_key_release(struct signing_key *key)
{
	EVP_PKEY_free(key->pkey);
	key->pkey = NULL;
}

/* ------------------------------------------------------------- records */

static enum tc_status
unusable(
    struct signing_key *key, enum signing_key_state state, const char *reason)
{
	key->state = state;
	key->reason = reason;
	return TC_OK;
}

/* What the tags beside p= say; NULL: nothing speaks against the key. */
static const char *
record_objection(const struct tag_list *list, struct signing_key *key)
{
	const struct tag *tag;

	tag = tag_list_find(list, "v");
	if (tag != NULL && !slice_equal_text(tag->value, "DKIM1"))
		return "unknown key version";
	if (tag != NULL && tag != &list->tags[0])
		return "v= is not the first tag of the key"; /* 3.6.1 */
	tag = tag_list_find(list, "k");
	if (tag != NULL && slice_equal_text_fold(tag->value, "ed25519"))
		key->type = SIGNING_KEY_ED25519;
	else if (tag != NULL && !slice_equal_text_fold(tag->value, "rsa"))
		return "unknown key type";
	tag = tag_list_find(list, "s");
	if (tag != NULL && !tag_list_has_item(tag->value, "*") &&
	    !tag_list_has_item(tag->value, "email"))
		return "key is not for mail";
	tag = tag_list_find(list, "h");
	key->sha256_allowed =
	    tag == NULL || tag_list_has_item(tag->value, "sha256");
	tag = tag_list_find(list, "t");
	if (tag != NULL) {
		key->testing = tag_list_has_item(tag->value, "y");
		key->own_domain = tag_list_has_item(tag->value, "s");
	}
	return NULL;
}

enum tc_status
signing_key_read(
    struct arena *arena, struct slice record, struct signing_key *key_out)
{
	struct tag_list list;
	const struct tag *tag;
	struct slice encoded, der;
	const char *objection;

	*key_out = (struct signing_key){ .state = SIGNING_KEY_USABLE };
	if (record.length > SIGNING_KEY_RECORD_MAX)
		return unusable(
		    key_out, SIGNING_KEY_UNUSABLE, "key record too long");
	if (tag_list_read(record, &list) != TC_OK)
		return unusable(
		    key_out, SIGNING_KEY_UNUSABLE, "key record not readable");
	objection = record_objection(&list, key_out);
	if (objection != NULL)
		return unusable(key_out, SIGNING_KEY_UNUSABLE, objection);
	tag = tag_list_find(&list, "p");
	if (tag == NULL)
		return unusable(
		    key_out, SIGNING_KEY_UNUSABLE, "key record without p=");
	encoded = tag_list_compact(arena, tag->value);
	if (encoded.data == NULL)
		return TC_LIMIT;
	key_out->encoded = encoded;
	if (encoded.length == 0)
		return unusable(
		    key_out, SIGNING_KEY_REVOKED, "key was revoked");
	der = signing_key_base64(arena, encoded);
	if (der.data == NULL && arena_exhausted(arena))
		return TC_LIMIT;
	key_out->pkey = key_of_octets(key_out->type, der);
	if (key_out->pkey == NULL)
		return unusable(
		    key_out, SIGNING_KEY_UNUSABLE, "key not readable");
	key_out->bits = (unsigned)EVP_PKEY_get_bits(key_out->pkey);
	return TC_OK;
}

/* -------------------------------------------------------- verification */

static bool
verify_rsa(
    EVP_PKEY_CTX *context, const unsigned char *digest, struct slice signature)
{
	return EVP_PKEY_verify_init(context) == 1 &&
	       EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING) == 1 &&
	       EVP_PKEY_CTX_set_signature_md(context, EVP_sha256()) == 1 &&
	       EVP_PKEY_verify(context, (const unsigned char *)signature.data,
		   signature.length, digest, CANONICAL_DIGEST_SIZE) == 1;
}

static bool
verify_ed25519(
    EVP_PKEY *pkey, const unsigned char *digest, struct slice signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	bool good;

	good = context != NULL &&
	       EVP_DigestVerifyInit(context, NULL, NULL, NULL, pkey) == 1 &&
	       EVP_DigestVerify(context, (const unsigned char *)signature.data,
		   signature.length, digest, CANONICAL_DIGEST_SIZE) == 1;
	EVP_MD_CTX_free(context);
	return good;
}

bool
signing_key_verify(const struct signing_key *key,
    const unsigned char digest[CANONICAL_DIGEST_SIZE], struct slice signature)
{
	bool good;

	if (key->pkey == NULL || signature.length == 0)
		return false;
	if (key->type == SIGNING_KEY_ED25519) {
		good = verify_ed25519(key->pkey, digest, signature);
	} else {
		EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key->pkey, NULL);

		good =
		    context != NULL && verify_rsa(context, digest, signature);
		EVP_PKEY_CTX_free(context);
	}
	ERR_clear_error();
	return good;
}

/* A bare RSAPublicKey in the wrapping that libopendkim needs. */
static const char *
encode_rsa(struct arena *arena, const struct signing_key *key)
{
	unsigned char *der = NULL;
	int length = i2d_PUBKEY(key->pkey, &der);
	char *text;

	if (length <= 0)
		return NULL;
	text = arena_alloc(arena, (size_t)length * 2 + 4);
	if (text != NULL)
		EVP_EncodeBlock((unsigned char *)text, der, length);
	OPENSSL_free(der);
	return text;
}

const char *
signing_key_encode(struct arena *arena, const struct signing_key *key)
{
	struct slice der = signing_key_base64(arena, key->encoded);

	/* OpenSSL takes longer to write a key than to verify with it. */
	if (der.data != NULL && (key->type == SIGNING_KEY_ED25519 ||
				    bare_rsa(der).data != der.data))
		return arena_text(arena, key->encoded);
	return encode_rsa(arena, key);
}

/* ------------------------------------------------------------ look-ups */

static const struct dns_answer *
ask(struct lookups *lookups, struct arena *arena, struct slice selector,
    struct slice domain)
{
	const char *name =
	    arena_printf(arena, "%.*s._domainkey.%.*s", (int)selector.length,
		selector.data, (int)domain.length, domain.data);

	return name == NULL
		   ? NULL
		   : lookups_ask(lookups, slice_text(name), DNS_TYPE_TXT);
}

void
signing_key_ask(struct lookups *lookups, struct arena *arena,
    struct slice selector, struct slice domain)
{
	(void)ask(lookups, arena, selector, domain);
}

/* RFC 6376, 3.6.2.2 leaves several records undefined. One of them is taken
 * when it alone holds a p= tag; two keys are no key. */
static enum tc_status
choose_record(struct arena *arena, const struct dns_answer *answer,
    struct signing_key *key_out)
{
	struct slice text, chosen = slice_make(NULL, 0);
	size_t keys = 0;

	for (size_t i = 0; i < answer->record_count; i++) {
		struct tag_list list;

		if (!dns_answer_text(arena, answer, i, &text)) {
			if (arena_exhausted(arena))
				return TC_LIMIT;
			continue;
		}
		if (answer->record_count == 1)
			return signing_key_read(arena, text, key_out);
		if (tag_list_read(text, &list) != TC_OK ||
		    tag_list_find(&list, "p") == NULL)
			continue;
		chosen = text;
		keys++;
	}
	*key_out = (struct signing_key){ .state = SIGNING_KEY_UNUSABLE };
	if (keys == 1)
		return signing_key_read(arena, chosen, key_out);
	return unusable(key_out, SIGNING_KEY_UNUSABLE,
	    keys == 0 ? "key record not readable" : "several key records");
}

enum tc_status
signing_key_get(struct lookups *lookups, struct arena *arena,
    struct slice selector, struct slice domain, struct signing_key *key_out)
{
	const struct dns_answer *answer = ask(lookups, arena, selector, domain);

	if (answer == NULL)
		return TC_LIMIT;
	*key_out = (struct signing_key){ .state = SIGNING_KEY_MISSING };
	switch (answer->state) {
	case DNS_PENDING:
		return TC_AGAIN;
	case DNS_FOUND:
		return choose_record(arena, answer, key_out);
	case DNS_NODATA:
	case DNS_NXDOMAIN:
		return unusable(
		    key_out, SIGNING_KEY_MISSING, "no key at the selector");
	case DNS_TEMPERROR:
		break;
	}
	return unusable(key_out, SIGNING_KEY_TEMPERROR,
	    answer->timed_out ? "no answer about the key in time"
			      : "no answer about the key");
}
