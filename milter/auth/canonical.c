#include <config.h>

#include <openssl/evp.h>
#include <pthread.h>

#include "auth/canonical.h"

#define CRLF SLICE_LITERAL("\r\n")

/* Fetched once: an implicit fetch for each digest costs more than hashing a
 * small header. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

static void
sha256_load(void)
{
	sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

bool
canonical_hash_restart(struct canonical_hash *hash)
{
	pthread_once(&sha256_once, sha256_load);
	hash->used = 0;
	hash->failed = sha256 == NULL || hash->context == NULL ||
		       EVP_DigestInit_ex2(hash->context, sha256, NULL) != 1;
	return !hash->failed;
}

bool
canonical_hash_begin(struct canonical_hash *hash)
{
	hash->context = EVP_MD_CTX_new();
	return canonical_hash_restart(hash);
}

static void
hash_flush(struct canonical_hash *hash)
{
	if (hash->used > 0 &&
	    EVP_DigestUpdate(hash->context, hash->buffer, hash->used) != 1)
		hash->failed = true;
	hash->used = 0;
}

void
canonical_hash_add(struct canonical_hash *hash, struct slice bytes)
{
	if (bytes.length == 0 || hash->failed)
		return;
	if (bytes.length > sizeof hash->buffer - hash->used)
		hash_flush(hash);
	if (bytes.length > sizeof hash->buffer) {
		if (EVP_DigestUpdate(hash->context, bytes.data, bytes.length) !=
		    1)
			hash->failed = true;
		return;
	}
	memcpy(hash->buffer + hash->used, bytes.data, bytes.length);
	hash->used += bytes.length;
}

bool
canonical_hash_copy(struct canonical_hash *to, struct canonical_hash *from)
{
	hash_flush(from);
	to->used = 0;
	to->failed = from->failed || to->context == NULL ||
		     EVP_MD_CTX_copy_ex(to->context, from->context) != 1;
	return !to->failed;
}

bool
canonical_hash_end(struct canonical_hash *hash,
    unsigned char digest_out[CANONICAL_DIGEST_SIZE])
{
	if (hash->failed)
		return false;
	hash_flush(hash);
	return !hash->failed &&
	       EVP_DigestFinal_ex(hash->context, digest_out, NULL) == 1;
}

void
canonical_hash_free(struct canonical_hash *hash)
{
	EVP_MD_CTX_free(hash->context);
	hash->context = NULL;
	hash->failed = true;
}

static inline bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* ------------------------------------------------------- header fields */

/* Adds a piece of a relaxed header value. *space: white space is due before
 * the next octet; *started: an octet was already written, so it counts. */
static void
relaxed_value(
    struct canonical_hash *hash, struct slice value, bool *started, bool *space)
{
	size_t at = 0;

	while (at < value.length) {
		size_t start = at;

		while (at < value.length && !ascii_is_space(value.data[at]))
			at++;
		if (at > start) {
			if (*space && *started)
				canonical_hash_add(hash, SLICE_LITERAL(" "));
			canonical_hash_add(hash, slice_range(value, start, at));
			*started = true;
			*space = false;
		}
		start = at;
		while (at < value.length && ascii_is_space(value.data[at]))
			at++;
		if (at > start)
			*space = true;
	}
}

static void
relaxed_name(struct canonical_hash *hash, struct slice name)
{
	char lower[128];

	while (name.length > 0 && is_blank(name.data[name.length - 1]))
		name.length--;
	while (name.length > 0) {
		size_t piece =
		    name.length < sizeof lower ? name.length : sizeof lower;

		for (size_t i = 0; i < piece; i++)
			lower[i] = ascii_lower(name.data[i]);
		canonical_hash_add(hash, slice_make(lower, piece));
		name = slice_skip(name, piece);
	}
}

void
canonical_signature_header(struct canonical_hash *hash,
    enum canonical_form form, struct slice name, struct slice value,
    size_t cut_start, size_t cut_end)
{
	struct slice before = slice_range(value, 0, cut_start);
	struct slice after = slice_skip(value, cut_end);

	if (form == CANONICAL_SIMPLE) {
		canonical_hash_add(hash, name);
		canonical_hash_add(hash, SLICE_LITERAL(":"));
		canonical_hash_add(hash, before);
		canonical_hash_add(hash, after);
	} else {
		bool started = false, space = false;

		relaxed_name(hash, name);
		canonical_hash_add(hash, SLICE_LITERAL(":"));
		relaxed_value(hash, before, &started, &space);
		relaxed_value(hash, after, &started, &space);
	}
}

void
canonical_header(struct canonical_hash *hash, enum canonical_form form,
    struct slice name, struct slice value)
{
	canonical_signature_header(
	    hash, form, name, value, value.length, value.length);
	canonical_hash_add(hash, CRLF);
}

struct slice
canonical_folds(struct arena *arena, struct slice value)
{
	size_t feeds = 0, used = 0;
	char *copy;

	for (size_t i = 0; i < value.length; i++)
		feeds += value.data[i] == '\n';
	if (value.length > SIZE_MAX - feeds - 1)
		return slice_make(NULL, 0);
	copy = arena_alloc(arena, value.length + feeds + 1);
	if (copy == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < value.length; i++) {
		if (value.data[i] == '\n' &&
		    (i == 0 || value.data[i - 1] != '\r'))
			copy[used++] = '\r';
		copy[used++] = value.data[i];
	}
	return slice_make(copy, used);
}

/* --------------------------------------------------------------- bodies */

bool
canonical_body_begin(
    struct canonical_body *body, enum canonical_form form, uint64_t limit)
{
	body->form = form;
	body->limit = limit;
	body->length = 0;
	body->blank_lines = 0;
	body->carriage_return = false;
	body->white_space = false;
	return canonical_hash_begin(&body->hash);
}

/* Counts canonical octets and hashes those within the limit. */
static void
body_put(struct canonical_body *body, struct slice bytes)
{
	uint64_t left =
	    body->limit > body->length ? body->limit - body->length : 0;

	body->length += bytes.length;
	if (bytes.length > left)
		bytes.length = (size_t)left;
	canonical_hash_add(&body->hash, bytes);
}

/* Blank lines that were held back turn out to be inside the body. */
static void
body_put_blank_lines(struct canonical_body *body)
{
	for (; body->blank_lines > 0; body->blank_lines--)
		body_put(body, CRLF);
}

/* Adds text that holds no line end in simple form: all but the CRLFs at its
 * end, which are counted. */
static void
simple_add(struct canonical_body *body, struct slice chunk)
{
	size_t end = chunk.length;
	uint64_t blank = 0;

	while (end >= 2 && chunk.data[end - 1] == '\n' &&
	       chunk.data[end - 2] == '\r') {
		end -= 2;
		blank++;
	}
	if (end > 0) {
		body_put_blank_lines(body);
		body_put(body, slice_range(chunk, 0, end));
	}
	body->blank_lines += blank;
}

/* True when some of 8 octets is `c`; sometimes also without, since a borrow
 * runs on, which costs time only. */
static inline uint64_t
octets_equal(uint64_t octets, unsigned char c)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t other = octets ^ ones * c;

	return (other - ones) & ~other & ones << 7;
}

/* False when the run holds no TAB and no two SP beside each other: then it is
 * in relaxed form already, as most lines are. Steps by 7 of 8 octets, so that
 * each pair of neighbours lies in one word. */
static bool
must_shrink(struct slice run)
{
	size_t at = 0;

	for (; run.length - at >= sizeof(uint64_t); at += 7) {
		uint64_t octets, spaces;

		memcpy(&octets, run.data + at, sizeof octets);
		spaces = octets_equal(octets, ' ');
		if ((octets_equal(octets, '\t') | (spaces & spaces << 8)) != 0)
			return true;
	}
	for (; at < run.length; at++)
		if (run.data[at] == '\t' ||
		    (run.data[at] == ' ' && at + 1 < run.length &&
			run.data[at + 1] == ' '))
			return true;
	return false;
}

/* Puts a run that neither begins nor ends with white space, with each run of
 * white space inside as one SP. */
static void
relaxed_put(struct canonical_body *body, struct slice run)
{
	char out[1024];
	size_t used = 0;
	bool blank_before = false;

	if (!must_shrink(run)) {
		body_put(body, run);
		return;
	}
	for (size_t i = 0; i < run.length; i++) {
		char c = run.data[i];
		bool blank = is_blank(c);

		/* Written always, kept only where it counts: no branch that
		 * the text's words would make unpredictable. */
		out[used] = blank ? ' ' : c;
		used += !(blank & blank_before);
		blank_before = blank;
		if (used == sizeof out) {
			body_put(body, slice_make(out, used));
			used = 0;
		}
	}
	body_put(body, slice_make(out, used));
}

/* Adds part of a line. */
static void
relaxed_part(struct canonical_body *body, struct slice part)
{
	size_t start = 0, end = part.length;

	while (start < end && is_blank(part.data[start]))
		start++;
	if (start > 0)
		body->white_space = true;
	if (start == end)
		return;
	while (is_blank(part.data[end - 1]))
		end--;
	body_put_blank_lines(body);
	if (body->white_space)
		body_put(body, SLICE_LITERAL(" "));
	relaxed_put(body, slice_range(part, start, end));
	body->white_space = end < part.length;
}

static void
relaxed_add(struct canonical_body *body, struct slice chunk)
{
	while (chunk.length > 0) {
		const char *feed = memchr(chunk.data, '\n', chunk.length);
		size_t line;

		if (feed == NULL) {
			relaxed_part(body, chunk);
			return;
		}
		line = (size_t)(feed - chunk.data);
		if (line > 0 && chunk.data[line - 1] == '\r') {
			relaxed_part(body, slice_range(chunk, 0, line - 1));
			body->white_space = false;
			body->blank_lines++;
		} else {
			relaxed_part(body, slice_range(chunk, 0, line + 1));
		}
		chunk = slice_skip(chunk, line + 1);
	}
}

static void
body_text(struct canonical_body *body, struct slice text)
{
	if (body->form == CANONICAL_SIMPLE)
		simple_add(body, text);
	else
		relaxed_add(body, text);
}

void
canonical_body_add(struct canonical_body *body, struct slice chunk)
{
	if (chunk.length == 0)
		return;
	if (body->carriage_return) {
		body->carriage_return = false;
		if (chunk.data[0] == '\n') {
			body->white_space = false;
			body->blank_lines++;
			chunk = slice_skip(chunk, 1);
		} else {
			body_text(body, SLICE_LITERAL("\r"));
		}
	}
	if (chunk.length > 0 && chunk.data[chunk.length - 1] == '\r') {
		body->carriage_return = true;
		chunk.length--;
	}
	body_text(body, chunk);
}

bool
canonical_body_end(struct canonical_body *body,
    unsigned char digest_out[CANONICAL_DIGEST_SIZE])
{
	if (body->carriage_return) {
		body->carriage_return = false;
		body_text(body, SLICE_LITERAL("\r"));
	}
	if (body->form == CANONICAL_SIMPLE || body->length > 0)
		body_put(body, CRLF);
	body->blank_lines = 0;
	return canonical_hash_end(&body->hash, digest_out);
}

void
canonical_body_free(struct canonical_body *body)
{
	canonical_hash_free(&body->hash);
}
