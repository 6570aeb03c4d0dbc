#include <config.h>

#include <openssl/evp.h>
#include <pthread.h>

#include "message/digest.h"

/* Fetched once: fetching anew for each digest costs more than a small part's
 * hash. */
#define KINDS 4

static EVP_MD *methods[KINDS]; /* of digest_kind 1 << index */
static pthread_once_t kinds_once = PTHREAD_ONCE_INIT;

static void
kinds_load(void)
{
	static const char *const names[KINDS] = { "MD5", "SHA1", "SHA256",
		"SHA512" };

	for (unsigned i = 0; i < KINDS; i++)
		methods[i] = EVP_MD_fetch(NULL, names[i], NULL);
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

struct digest_run {
	EVP_MD_CTX *contexts[KINDS]; /* as `methods`; NULL: never */
	unsigned kinds;              /* under way */
	bool failed;
};

static void
release(void *what)
{
	struct digest_run *run = what;

	for (unsigned i = 0; i < KINDS; i++)
		EVP_MD_CTX_free(run->contexts[i]);
}

struct digest_run *
digest_run_new(struct arena *arena)
{
	struct digest_run *run = arena_alloc(arena, sizeof *run);

	if (run == NULL || !arena_defer(arena, release, run))
		return NULL;
	return run;
}

bool
digest_run_begin(struct digest_run *run, unsigned kinds)
{
	pthread_once(&kinds_once, kinds_load);
	run->kinds = 0;
	run->failed = false;
	for (unsigned i = 0; i < KINDS; i++) {
		if (!(kinds & 1u << i))
			continue;
		if (run->contexts[i] == NULL)
			run->contexts[i] = EVP_MD_CTX_new();
		if (run->contexts[i] != NULL && methods[i] != NULL &&
		    EVP_DigestInit_ex2(run->contexts[i], methods[i], NULL) == 1)
			run->kinds |= 1u << i;
		else
			run->failed = true;
	}
	return !run->failed;
}

void
digest_run_add(struct digest_run *run, struct slice bytes)
{
	if (bytes.length == 0)
		return;
	for (unsigned i = 0; i < KINDS; i++)
		if (run->kinds & 1u << i &&
		    EVP_DigestUpdate(
			run->contexts[i], bytes.data, bytes.length) != 1) {
			run->kinds &= ~(1u << i);
			run->failed = true;
		}
}

bool
digest_run_end(
    struct arena *arena, struct digest_run *run, struct digests *digests_out)
{
	unsigned char octets[EVP_MAX_MD_SIZE];
	struct slice *const texts[KINDS] = { &digests_out->md5,
		&digests_out->sha1, &digests_out->sha256,
		&digests_out->sha512 };
	bool good = !run->failed;

	for (unsigned i = 0; i < KINDS; i++) {
		unsigned length = 0;

		if (!(run->kinds & 1u << i))
			continue;
		if (EVP_DigestFinal_ex(run->contexts[i], octets, &length) == 1)
			*texts[i] = to_hex(arena, octets, length);
		good &= texts[i]->data != NULL;
	}
	run->kinds = 0;
	return good;
}

bool
digest_compute(struct arena *arena, struct slice bytes, unsigned kinds,
    struct digests *digests_out)
{
	struct digest_run run = { .kinds = 0 };
	bool good = digest_run_begin(&run, kinds);

	*digests_out = (struct digests){ .md5 = slice_make(NULL, 0) };
	digest_run_add(&run, bytes);
	good &= digest_run_end(arena, &run, digests_out);
	release(&run);
	return good;
}
