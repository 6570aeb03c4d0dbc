#include <config.h>

#include "auth/signature.h"
#include "auth/tag_list.h"
#include "base/domain.h"

#define RSA_BITS_FLOOR 1024 /* RFC 8301, 3.2 */
#define FIELDS_MAX     100000

/* The fields of one name. */
struct signed_group {
	size_t lowest; /* the last field of the name */
	size_t cursor; /* what the running selection takes next */
	unsigned pass; /* the selection that the cursor belongs to */
};

/* ------------------------------------------------- the fields of a message */

struct signed_headers
signed_headers_make(struct arena *arena)
{
	return (struct signed_headers){ .arena = arena,
		.groups = table_make(arena) };
}

/* The name as it is compared: lower case, no white space at its ends. NULL
 * data at the ceiling. */
static struct slice
folded(struct arena *arena, struct slice name)
{
	struct slice trimmed = slice_trim(name);
	char *lower = arena_alloc(arena, trimmed.length + 1);

	if (lower == NULL)
		return slice_make(NULL, 0);
	for (size_t i = 0; i < trimmed.length; i++)
		lower[i] = ascii_lower(trimmed.data[i]);
	return slice_make(lower, trimmed.length);
}

enum tc_status
signed_headers_add(
    struct signed_headers *headers, struct slice name, struct slice value)
{
	struct signed_field *field =
	    list_append(headers->arena, &headers->fields, FIELDS_MAX);
	struct slice key = folded(headers->arena, name);
	struct signed_group *group;

	if (field == NULL || key.data == NULL)
		return TC_LIMIT;
	field->name = arena_copy(headers->arena, name);
	field->value = canonical_folds(headers->arena, value);
	if (field->name.data == NULL || field->value.data == NULL)
		return TC_LIMIT;
	group = table_get(&headers->groups, key);
	if (group == NULL) {
		group = arena_alloc(headers->arena, sizeof *group);
		if (group == NULL || !table_put(&headers->groups, key, group))
			return TC_LIMIT;
		group->lowest = SIZE_MAX;
	}
	field->above = group->lowest;
	group->lowest = headers->fields.count - 1;
	return TC_OK;
}

/* The field that h='s next mention of `name` means: from below, each once,
 * never `own`, the signature's own field. NULL: there is none (any more), and
 * nothing is hashed. */
static const struct signed_field *
select_field(struct signed_headers *headers, struct slice name, size_t own)
{
	char lower[256];
	struct signed_group *group;
	size_t index;

	if (name.length == 0 || name.length > sizeof lower)
		return NULL;
	for (size_t i = 0; i < name.length; i++)
		lower[i] = ascii_lower(name.data[i]);
	group = table_get(&headers->groups, slice_make(lower, name.length));
	if (group == NULL)
		return NULL;
	if (group->pass != headers->pass) {
		group->pass = headers->pass;
		group->cursor = group->lowest;
	}
	if (group->cursor == own)
		group->cursor = headers->fields.items[own].above;
	index = group->cursor;
	if (index == SIZE_MAX)
		return NULL;
	group->cursor = headers->fields.items[index].above;
	return &headers->fields.items[index];
}

void
signature_hash_headers(struct signed_headers *headers,
    const struct signature *signature, struct canonical_hash *hash)
{
	struct slice rest = signature->headers;

	headers->pass++;
	while (rest.length > 0) {
		struct slice name = tag_list_item(&rest);
		const struct signed_field *field =
		    select_field(headers, name, signature->field);

		if (field != NULL)
			canonical_header(hash, signature->header_form,
			    field->name, field->value);
	}
	canonical_signature_header(hash, signature->header_form,
	    signature->name, signature->value, signature->cut_start,
	    signature->cut_end);
}

/* --------------------------------------------------------- one signature */

/* What reading one field works with. */
struct reading {
	struct arena *arena;
	struct signature *signature;
	struct tag_list list;
	uint64_t now_unix;
	unsigned skew_seconds;
	bool limit; /* the arena is full */
};

/* Notes the first fault; always false, so that checks read well. */
static bool
fault(struct reading *reading, enum signature_fault kind, const char *reason)
{
	if (reading->signature->fault == SIGNATURE_SOUND) {
		reading->signature->fault = kind;
		reading->signature->reason = reason;
	}
	return false;
}

/* The value of a tag that must be there and not be empty. */
static bool
required(struct reading *reading, const char *name, const char *reason,
    struct slice *value_out)
{
	const struct tag *tag = tag_list_find(&reading->list, name);

	if (tag == NULL || tag->value.length == 0)
		return fault(reading, SIGNATURE_INVALID, reason);
	*value_out = tag->value;
	return true;
}

static bool
number(struct reading *reading, const char *name, const char *reason,
    uint64_t *number_out, bool *found_out)
{
	const struct tag *tag = tag_list_find(&reading->list, name);
	uint64_t value = 0;

	*found_out = tag != NULL;
	*number_out = 0;
	if (tag == NULL)
		return true;
	if (tag->value.length == 0 || tag->value.length > 76)
		return fault(reading, SIGNATURE_UNREADABLE, reason);
	for (size_t i = 0; i < tag->value.length; i++) {
		unsigned digit = (unsigned)(tag->value.data[i] - '0');

		if (!ascii_is_digit(tag->value.data[i]))
			return fault(reading, SIGNATURE_UNREADABLE, reason);
		/* Saturates: RFC 6376 allows 76 digits for l=. */
		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX
							  : value * 10 + digit;
	}
	*number_out = value;
	return true;
}

static bool
read_domain(struct reading *reading)
{
	struct signature *signature = reading->signature;
	struct slice value;

	if (!required(reading, "d", "no domain, d=", &value))
		return false;
	if (!domain_canonical(reading->arena, value, &signature->domain)) {
		reading->limit = arena_exhausted(reading->arena);
		return fault(
		    reading, SIGNATURE_UNREADABLE, "d= is no domain name");
	}
	if (!required(reading, "s", "no selector, s=", &value))
		return false;
	if (!domain_canonical(reading->arena, value, &signature->selector)) {
		reading->limit = arena_exhausted(reading->arena);
		return fault(
		    reading, SIGNATURE_UNREADABLE, "s= is no domain name");
	}
	return true;
}

/* i= must be an address within d= (RFC 6376, 6.1.1). */
static bool
read_identity(struct reading *reading)
{
	struct signature *signature = reading->signature;
	const struct tag *tag = tag_list_find(&reading->list, "i");
	struct slice domain;
	size_t at;

	if (tag == NULL)
		return true;
	at = slice_find_last_byte(tag->value, '@');
	if (at == SIZE_MAX || !domain_canonical(reading->arena,
				  slice_skip(tag->value, at + 1), &domain))
		return fault(
		    reading, SIGNATURE_UNREADABLE, "i= is no identity");
	signature->identity = tag_list_compact(reading->arena, tag->value);
	if (!domain_is_under(domain, signature->domain))
		return fault(reading, SIGNATURE_INVALID, "i= is not within d=");
	return true;
}

/* i= of ARC: 1 to 50 in one or two digits (RFC 8617, 4.2.1). */
static bool
read_instance(struct reading *reading)
{
	const struct tag *tag = tag_list_find(&reading->list, "i");
	unsigned long instance;

	if (tag == NULL || tag->value.length > 2 ||
	    !slice_parse_number(tag->value, 50, &instance) || instance == 0)
		return fault(
		    reading, SIGNATURE_UNREADABLE, "i= is no instance");
	reading->signature->instance = (unsigned)instance;
	return true;
}

static bool
read_algorithm(struct reading *reading)
{
	struct signature *signature = reading->signature;
	struct slice value;

	if (!required(reading, "a", "no algorithm, a=", &value))
		return false;
	signature->algorithm = value;
	if (slice_equal_text(value, "rsa-sha256"))
		signature->key_type = SIGNING_KEY_RSA;
	else if (slice_equal_text(value, "ed25519-sha256"))
		signature->key_type = SIGNING_KEY_ED25519;
	else if (slice_equal_text(value, "rsa-sha1"))
		return fault(
		    reading, SIGNATURE_REFUSED, "rsa-sha1 does not count");
	else
		return fault(
		    reading, SIGNATURE_INVALID, "unknown algorithm, a=");
	return true;
}

static bool
form_of(struct slice word, enum canonical_form *form_out)
{
	if (slice_equal_text(word, "simple"))
		*form_out = CANONICAL_SIMPLE;
	else if (slice_equal_text(word, "relaxed"))
		*form_out = CANONICAL_RELAXED;
	else
		return false;
	return true;
}

static bool
read_forms(struct reading *reading)
{
	struct signature *signature = reading->signature;
	const struct tag *tag = tag_list_find(&reading->list, "c");
	struct slice header, body;

	signature->header_form = CANONICAL_SIMPLE;
	signature->body_form = CANONICAL_SIMPLE;
	signature->has_forms = tag != NULL;
	if (tag == NULL)
		return true;
	body = slice_split(tag->value, '/', &header);
	if (!form_of(header, &signature->header_form) ||
	    (header.length < tag->value.length &&
		!form_of(body, &signature->body_form)))
		return fault(reading, SIGNATURE_UNREADABLE,
		    "unknown canonical form, c=");
	return true;
}

/* b= and bh= are base64 with any white space inside. */
static bool
read_octets(struct reading *reading, const char *name, const char *missing,
    struct slice *encoded_out, struct slice *octets_out)
{
	struct slice value;

	if (!required(reading, name, missing, &value))
		return false;
	*encoded_out = tag_list_compact(reading->arena, value);
	*octets_out = signing_key_base64(reading->arena, *encoded_out);
	reading->limit = arena_exhausted(reading->arena);
	if (octets_out->data == NULL || octets_out->length == 0)
		return fault(
		    reading, SIGNATURE_UNREADABLE, "b= or bh= is no base64");
	return true;
}

static bool
read_signature_octets(struct reading *reading)
{
	struct signature *signature = reading->signature;
	const struct tag *tag;

	if (!read_octets(reading, "b", "no signature, b=", &signature->encoded,
		&signature->octets))
		return false;
	tag = tag_list_find(&reading->list, "b");
	signature->cut_start = tag->start;
	signature->cut_end = tag->end;
	return true;
}

static bool
read_body_hash(struct reading *reading)
{
	struct slice encoded;

	if (!read_octets(reading, "bh", "no body hash, bh=", &encoded,
		&reading->signature->body_hash))
		return false;
	if (reading->signature->body_hash.length != CANONICAL_DIGEST_SIZE)
		return fault(reading, SIGNATURE_UNREADABLE,
		    "bh= has not the size of its hash");
	return true;
}

/* h= and what it must and must not name. */
static bool
read_header_list(struct reading *reading)
{
	struct signature *signature = reading->signature;
	const struct tag *tag = tag_list_find(&reading->list, "h");
	struct slice rest;
	size_t count = 0;

	if (tag == NULL)
		return fault(reading, SIGNATURE_INVALID, "no headers, h=");
	signature->headers = tag->value;
	for (rest = tag->value; rest.length > 0; count++) {
		struct slice item = tag_list_item(&rest);

		if (slice_equal_text_fold(item, "dkim-signature"))
			signature->signs_signatures = true;
	}
	if (count > SIGNATURE_HEADERS_MAX)
		return fault(
		    reading, SIGNATURE_REFUSED, "too many headers in h=");
	if (signature->kind == SIGNATURE_DKIM &&
	    !tag_list_has_item(tag->value, "from"))
		return fault(reading, SIGNATURE_INVALID, "From is not signed");
	if (signature->kind == SIGNATURE_ARC_MESSAGE &&
	    tag_list_has_item(tag->value, "arc-seal"))
		return fault(reading, SIGNATURE_INVALID, "h= names ARC-Seal");
	return true;
}

static bool
read_times(struct reading *reading)
{
	struct signature *signature = reading->signature;
	bool has_signed, has_expires;
	uint64_t latest = reading->now_unix + reading->skew_seconds;

	if (!number(reading, "t", "t= is no time", &signature->signed_unix,
		&has_signed) ||
	    !number(reading, "x", "x= is no time", &signature->expires_unix,
		&has_expires))
		return false;
	if (signature->kind == SIGNATURE_ARC_SEAL)
		return true;
	if (has_expires && has_signed &&
	    signature->expires_unix <= signature->signed_unix)
		return fault(reading, SIGNATURE_INVALID, "x= is before t=");
	if (has_expires && signature->expires_unix < reading->now_unix)
		return fault(
		    reading, SIGNATURE_EXPIRED, "signature has expired");
	if (has_signed && signature->signed_unix > latest)
		return fault(
		    reading, SIGNATURE_INVALID, "signed in the future");
	return true;
}

static bool
read_length(struct reading *reading)
{
	if (reading->signature->kind == SIGNATURE_ARC_MESSAGE &&
	    tag_list_find(&reading->list, "l") != NULL)
		return fault(reading, SIGNATURE_REFUSED,
		    "a chain with l= does not count");
	return number(reading, "l", "l= is no number",
	    &reading->signature->length, &reading->signature->has_length);
}

static bool
read_version(struct reading *reading)
{
	struct slice value;

	if (!required(reading, "v", "no version, v=", &value))
		return false;
	if (!slice_equal_text(value, "1"))
		return fault(reading, SIGNATURE_INVALID, "unknown version");
	return true;
}

static bool
read_query(struct reading *reading)
{
	const struct tag *tag = tag_list_find(&reading->list, "q");

	if (tag != NULL && !tag_list_has_item(tag->value, "dns/txt"))
		return fault(
		    reading, SIGNATURE_INVALID, "unknown way to the key, q=");
	return true;
}

static bool
read_chain(struct reading *reading)
{
	if (tag_list_find(&reading->list, "h") != NULL)
		return fault(reading, SIGNATURE_INVALID, "seal with h=");
	return required(
	    reading, "cv", "no chain result, cv=", &reading->signature->chain);
}

/* All steps are taken as far as they go, so that a faulty signature still
 * shows domain and selector; the first fault counts. */
static void
read_tags(struct reading *reading)
{
	enum signature_kind kind = reading->signature->kind;

	if (kind == SIGNATURE_DKIM)
		read_version(reading);
	else
		read_instance(reading);
	if (!read_domain(reading))
		return;
	if (kind == SIGNATURE_DKIM)
		read_identity(reading);
	if (!read_algorithm(reading) || !read_signature_octets(reading))
		return;
	if (kind == SIGNATURE_ARC_SEAL) {
		reading->signature->header_form = CANONICAL_RELAXED;
		read_chain(reading);
	} else {
		read_forms(reading);
		read_body_hash(reading);
		read_header_list(reading);
		read_length(reading);
		read_query(reading);
	}
	read_times(reading);
}

enum tc_status
signature_read(const struct signed_headers *headers, size_t field,
    enum signature_kind kind, uint64_t now_unix, unsigned clock_skew_seconds,
    struct signature *signature_out)
{
	struct reading reading;

	*signature_out = (struct signature){ .kind = kind,
		.field = field,
		.name = headers->fields.items[field].name,
		.value = headers->fields.items[field].value };
	reading.arena = headers->arena;
	reading.signature = signature_out;
	reading.now_unix = now_unix;
	reading.skew_seconds = clock_skew_seconds;
	reading.limit = false;
	if (tag_list_read(signature_out->value, &reading.list) != TC_OK)
		fault(&reading, SIGNATURE_UNREADABLE, reading.list.problem);
	else
		read_tags(&reading);
	return reading.limit ? TC_LIMIT : TC_OK;
}

/* t=s: the domain of i= must be d= itself (RFC 6376, 3.6.1). */
static bool
identity_is_own_domain(const struct signature *signature)
{
	size_t at = slice_find_last_byte(signature->identity, '@');

	return at == SIZE_MAX ||
	       slice_equal_fold(
		   slice_skip(signature->identity, at + 1), signature->domain);
}

const char *
signature_key_objection(const struct signature *signature,
    const struct signing_key *key, unsigned bits_min, unsigned bits_max,
    bool *refused_out)
{
	*refused_out = false;
	if (key->type != signature->key_type)
		return "key is of another type";
	if (!key->sha256_allowed)
		return "key does not allow the hash";
	if (key->own_domain && !identity_is_own_domain(signature))
		return "key does not allow subdomains in i=";
	if (key->type != SIGNING_KEY_RSA)
		return NULL;
	*refused_out = true;
	if (key->bits < RSA_BITS_FLOOR || key->bits < bits_min)
		return "key is too small";
	if (key->bits > bits_max)
		return "key is too large";
	*refused_out = false;
	return NULL;
}
