/* arc: chains made at run time, whole, broken and forged */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "auth/arc.h"
#include "auth/auth_rule.h"
#include "base/builder.h"
#include "dns/lookups.h"
#include "dns/resolver_zone.h"
#include "support/signer.h"
#include "support/unit.h"

#define NOW 1790000000u

static struct signer rsa, ed25519, other;

static int
make_keys(void **state)
{
	(void)state;
	rsa = signer_make(SIGNING_KEY_RSA, 1024);
	ed25519 = signer_make(SIGNING_KEY_ED25519, 0);
	other = signer_make(SIGNING_KEY_RSA, 1024);
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	signer_free(&rsa);
	signer_free(&ed25519);
	signer_free(&other);
	return 0;
}

/* A message on its way through sealers; the newest fields are the last. */
struct chain {
	struct arena *arena;
	struct signed_headers headers;
	struct slice body;
	unsigned instances;
	size_t sets[60][3]; /* fields of each instance */
	const char *zone;
};

static struct chain
chain_make(void)
{
	struct arena *arena = arena_new(0, NULL);
	struct chain chain = { .arena = arena,
		.headers = signed_headers_make(arena),
		.body = text("Hello\r\n") };

	signed_headers_add(
	    &chain.headers, text("From"), text(" a@example.org"));
	signed_headers_add(&chain.headers, text("Subject"), text(" x"));
	chain.zone = arena_printf(arena,
	    "k._domainkey.example.org TXT \"%s\"\n"
	    "e._domainkey.example.org TXT \"%s\"\n"
	    "dead._domainkey.example.org TIMEOUT\n",
	    rsa.record, ed25519.record);
	return chain;
}

static size_t
add(struct chain *chain, const char *name, const char *value)
{
	assert_int_equal(signed_headers_add(&chain->headers, slice_text(name),
			     slice_text(value)),
	    TC_OK);
	return chain->headers.fields.count - 1;
}

static void
hash_index(struct chain *chain, struct canonical_hash *hash, size_t index)
{
	canonical_header(hash, CANONICAL_RELAXED,
	    chain->headers.fields.items[index].name,
	    chain->headers.fields.items[index].value);
}

/* Seals all sets so far and the new one's two fields. */
static const char *
make_seal(struct chain *chain, const struct signer *signer, const char *tags,
    size_t results, size_t message)
{
	struct canonical_hash hash = { 0 };
	unsigned char digest[CANONICAL_DIGEST_SIZE];
	const char *value = arena_printf(chain->arena, " %s; b=", tags);

	canonical_hash_begin(&hash);
	for (unsigned i = 0; i < chain->instances; i++)
		for (size_t j = 0; j < 3; j++)
			hash_index(chain, &hash, chain->sets[i][j]);
	hash_index(chain, &hash, results);
	hash_index(chain, &hash, message);
	canonical_signature_header(&hash, CANONICAL_RELAXED, text("ARC-Seal"),
	    slice_text(value), strlen(value), strlen(value));
	canonical_hash_end(&hash, digest);
	canonical_hash_free(&hash);
	return arena_printf(chain->arena, "%s%s", value,
	    signer_octets(signer, chain->arena, digest));
}

struct link {
	const struct signer *signer; /* NULL: rsa */
	const char *cv;              /* NULL: what is right */
	const char *selector;        /* NULL: k */
	const char *message_tags;    /* more tags of the message signature */
};

static void
seal_with(struct chain *chain, struct link link)
{
	unsigned i = chain->instances + 1;
	const struct signer *signer = link.signer == NULL ? &rsa : link.signer;
	const char *algorithm =
	    signer->type == SIGNING_KEY_RSA ? "rsa-sha256" : "ed25519-sha256";
	const char *selector = link.selector == NULL ? "k" : link.selector;
	struct slice message;
	size_t *set = chain->sets[chain->instances];
	const char *tags;

	set[0] = add(chain, "ARC-Authentication-Results",
	    arena_printf(chain->arena, " i=%u; mx%u.example; spf=pass", i, i));
	tags = arena_printf(chain->arena,
	    "i=%u; a=%s; c=relaxed/relaxed; d=example.org; s=%s;"
	    " h=from:subject%s",
	    i, algorithm, selector,
	    link.message_tags == NULL ? "" : link.message_tags);
	message = signer_sign(signer, chain->arena, &chain->headers,
	    SIGNATURE_ARC_MESSAGE, "ARC-Message-Signature", tags, chain->body,
	    UINT64_MAX);
	set[1] = add(
	    chain, "ARC-Message-Signature", arena_text(chain->arena, message));
	tags = arena_printf(chain->arena,
	    "i=%u; a=%s; d=Example.ORG; s=%s; cv=%s; t=%u", i, algorithm,
	    selector,
	    link.cv != NULL ? link.cv
	    : i == 1        ? "none"
			    : "pass",
	    NOW);
	set[2] = add(
	    chain, "ARC-Seal", make_seal(chain, signer, tags, set[0], set[1]));
	chain->instances++;
}

static void
seal(struct chain *chain)
{
	seal_with(chain, (struct link){ 0 });
}

static struct arc_outcome
verify(struct chain *chain)
{
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver =
	    resolver_zone_new(slice_text(chain->zone), problem);
	struct lookups *lookups = lookups_new(chain->arena, resolver, NULL);
	struct arc_limits limits = ARC_LIMITS_DEFAULT;
	struct arc_verify *verify =
	    arc_verify_new(chain->arena, lookups, &limits, NOW);
	const struct arc_outcome *outcome = NULL;
	enum tc_status status;

	/* The newest stand on top. */
	for (size_t i = chain->headers.fields.count; i-- > 0;)
		assert_int_equal(arc_verify_header(verify,
				     chain->headers.fields.items[i].name,
				     chain->headers.fields.items[i].value),
		    TC_OK);
	assert_int_equal(arc_verify_end_of_headers(verify), TC_OK);
	assert_int_equal(arc_verify_body(verify, chain->body), TC_OK);
	while ((status = arc_verify_end(verify, &outcome)) == TC_AGAIN)
		(void)lookups_wait(lookups, resolver_clock_ms() + 50);
	assert_int_equal(status, TC_OK);
	if (outcome->reason != NULL && auth_rule(outcome->reason) == NULL)
		fail_msg("no rule behind: %s", outcome->reason);
	arc_verify_free(&verify);
	lookups_free(&lookups);
	resolver_free(&resolver);
	return *outcome;
}

/* Verifies, frees the chain and expects `result`. */
static void
expect(struct chain *chain, enum arc_result result)
{
	struct arc_outcome outcome = verify(chain);

	if (outcome.result != result)
		fail_msg(
		    "%s: %s", arc_result_name(outcome.result), outcome.reason);
	arena_free(&chain->arena);
}

static void
change(struct chain *chain, size_t index, const char *value)
{
	chain->headers.fields.items[index].value = slice_text(value);
}

static void
drop(struct chain *chain, size_t index)
{
	chain->headers.fields.items[index].name = text("X-Was-Arc");
}

/* ------------------------------------------------------------------ tests */

static void
a_mail_without_a_chain_has_none(void **state)
{
	struct chain chain = chain_make();

	(void)state;
	expect(&chain, ARC_NONE);
}

static void
whole_chains_pass_and_are_described(void **state)
{
	(void)state;
	for (unsigned length = 1; length <= 5; length++) {
		struct chain chain = chain_make();
		struct arc_outcome outcome;
		char results[64];

		for (unsigned i = 0; i < length; i++)
			seal(&chain);
		outcome = verify(&chain);
		assert_int_equal(outcome.result, ARC_PASS);
		assert_int_equal(outcome.instances, length);
		assert_int_equal(outcome.oldest_pass, 0);
		assert_null(outcome.reason);
		assert_slice(outcome.sealer, "example.org");
		assert_slice(outcome.sealers[0], "example.org");
		snprintf(
		    results, sizeof results, " mx%u.example; spf=pass", length);
		assert_slice(outcome.authentication_results, results);
		arena_free(&chain.arena);
	}
}

static void
the_longest_chain_has_fifty_instances(void **state)
{
	struct chain chain = chain_make();

	(void)state;
	for (unsigned i = 0; i < 50; i++)
		seal(&chain);
	assert_int_equal(verify(&chain).result, ARC_PASS);
	seal(&chain);
	expect(&chain, ARC_FAIL);
}

static void
ed25519_sealers_are_verified(void **state)
{
	struct chain chain = chain_make();

	(void)state;
	seal_with(&chain, (struct link){ .signer = &ed25519, .selector = "e" });
	seal(&chain);
	expect(&chain, ARC_PASS);
}

static void
a_change_before_the_newest_moves_the_oldest_pass(void **state)
{
	struct chain chain = chain_make();
	struct arc_outcome outcome;

	(void)state;
	seal(&chain);
	change(&chain, 1, " [list] x");
	seal(&chain);
	seal(&chain);
	outcome = verify(&chain);
	assert_int_equal(outcome.result, ARC_PASS);
	assert_int_equal(outcome.oldest_pass, 2);
	arena_free(&chain.arena);
}

static void
a_change_after_the_newest_fails(void **state)
{
	struct chain chain = chain_make();
	struct arc_outcome outcome;

	(void)state;
	seal(&chain);
	seal(&chain);
	change(&chain, 1, " other subject");
	outcome = verify(&chain);
	assert_int_equal(outcome.result, ARC_FAIL);
	assert_int_equal(outcome.authentication_results.length, 0);
	assert_slice(outcome.sealer, "example.org");
	arena_free(&chain.arena);
	chain = chain_make();
	seal(&chain);
	chain.body = text("Other\r\n");
	expect(&chain, ARC_FAIL);
}

static void
each_field_of_each_set_is_sealed(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 3; i++)
		for (size_t j = 0; j < 3; j++)
			for (int way = 0; way < 2; way++) {
				struct chain chain = chain_make();
				size_t index;

				seal(&chain);
				seal(&chain);
				seal(&chain);
				index = chain.sets[i][j];
				if (way == 0)
					drop(&chain, index);
				else
					change(&chain, index,
					    arena_printf(chain.arena,
						"%.*s; x=1",
						(int)chain.headers.fields
						    .items[index]
						    .value.length,
						chain.headers.fields
						    .items[index]
						    .value.data));
				expect(&chain, ARC_FAIL);
			}
}

static void
repeated_and_stolen_sets_fail(void **state)
{
	struct chain chain;

	(void)state;
	for (size_t j = 0; j < 3; j++) {
		const struct signed_field *field;

		chain = chain_make();
		seal(&chain);
		field = &chain.headers.fields.items[chain.sets[0][j]];
		signed_headers_add(&chain.headers, field->name, field->value);
		expect(&chain, ARC_FAIL);
	}
	/* The newest set cut off: the older message signature speaks. */
	chain = chain_make();
	seal(&chain);
	change(&chain, 1, " changed by a list");
	seal(&chain);
	for (size_t j = 0; j < 3; j++)
		drop(&chain, chain.sets[1][j]);
	expect(&chain, ARC_FAIL);
	/* The older sets cut off. */
	chain = chain_make();
	seal(&chain);
	seal(&chain);
	for (size_t j = 0; j < 3; j++)
		drop(&chain, chain.sets[0][j]);
	expect(&chain, ARC_FAIL);
}

static void
what_a_sealer_says_of_the_chain_counts(void **state)
{
	static const char *const first[] = { "pass", "fail", "None", "" };
	static const char *const second[] = { "none", "fail", "PASS", "x" };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct chain chain = chain_make();

		seal_with(&chain, (struct link){ .cv = first[i] });
		expect(&chain, ARC_FAIL);
		chain = chain_make();
		seal(&chain);
		seal_with(&chain, (struct link){ .cv = second[i] });
		expect(&chain, ARC_FAIL);
	}
}

static void
a_key_that_cannot_be_had_is_a_temperror_unless_the_chain_fails(void **state)
{
	struct chain chain = chain_make();

	(void)state;
	seal_with(&chain, (struct link){ .selector = "dead" });
	seal(&chain);
	assert_int_equal(verify(&chain).result, ARC_TEMPERROR);
	change(&chain, 1, " other subject");
	expect(&chain, ARC_FAIL);
	chain = chain_make();
	seal_with(&chain, (struct link){ .selector = "missing" });
	expect(&chain, ARC_FAIL);
	chain = chain_make();
	seal_with(&chain, (struct link){ .signer = &other });
	expect(&chain, ARC_FAIL);
	chain = chain_make();
	seal(&chain);
	chain.zone = arena_printf(
	    chain.arena, "k._domainkey.example.org DELAY 20\n%s", chain.zone);
	expect(&chain, ARC_PASS);
}

static void
tags_that_do_not_belong_fail(void **state)
{
	static const char *const tags[] = { ":arc-seal", "; l=5", "; i=1",
		"; a=rsa-sha256", "; x=1789999999", "; c" };

	(void)state;
	for (size_t i = 0; i < sizeof tags / sizeof tags[0]; i++) {
		struct chain chain = chain_make();

		seal_with(&chain, (struct link){ .message_tags = tags[i] });
		expect(&chain, ARC_FAIL);
	}
}

static void
instances_are_numbers_from_one_to_fifty(void **state)
{
	static const char *const values[] = { " i=0; mx; spf=pass",
		" i=51; mx; spf=pass", " i=; mx; spf=pass", " mx; spf=pass",
		" i=1 mx; spf=pass", " x=1; i=1; mx", " i=-1; mx", "",
		" i=0000000000001; mx", " i=99999999999999999999; mx" };

	(void)state;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		struct chain chain = chain_make();

		seal(&chain);
		change(&chain, chain.sets[0][0], values[i]);
		expect(&chain, ARC_FAIL);
	}
}

static void
many_fields_take_little_time(void **state)
{
	struct chain chain = chain_make();

	(void)state;
	seal(&chain);
	for (size_t i = 0; i < 5000; i++)
		add(&chain, "ARC-Seal", " i=2; a=rsa-sha256; b=AAAA");
	expect(&chain, ARC_FAIL);
}

static void
freeing_in_the_middle_is_well(void **state)
{
	struct chain chain = chain_make();
	struct arc_limits limits = ARC_LIMITS_DEFAULT;
	struct lookups *lookups = lookups_new(chain.arena, NULL, NULL);
	struct arc_verify *verify;

	(void)state;
	seal(&chain);
	verify = arc_verify_new(chain.arena, lookups, &limits, NOW);
	for (size_t i = 0; i < chain.headers.fields.count; i++)
		arc_verify_header(verify, chain.headers.fields.items[i].name,
		    chain.headers.fields.items[i].value);
	assert_int_equal(arc_verify_end_of_headers(verify), TC_OK);
	assert_int_equal(arc_verify_body(verify, chain.body), TC_OK);
	arc_verify_free(&verify);
	arc_verify_free(&verify);
	lookups_free(&lookups);
	arena_free(&chain.arena);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_mail_without_a_chain_has_none),
	cmocka_unit_test(whole_chains_pass_and_are_described),
	cmocka_unit_test(the_longest_chain_has_fifty_instances),
	cmocka_unit_test(ed25519_sealers_are_verified),
	cmocka_unit_test(a_change_before_the_newest_moves_the_oldest_pass),
	cmocka_unit_test(a_change_after_the_newest_fails),
	cmocka_unit_test(each_field_of_each_set_is_sealed),
	cmocka_unit_test(repeated_and_stolen_sets_fail),
	cmocka_unit_test(what_a_sealer_says_of_the_chain_counts),
	cmocka_unit_test(
	    a_key_that_cannot_be_had_is_a_temperror_unless_the_chain_fails),
	cmocka_unit_test(tags_that_do_not_belong_fail),
	cmocka_unit_test(instances_are_numbers_from_one_to_fifty),
	cmocka_unit_test(many_fields_take_little_time),
	cmocka_unit_test(freeing_in_the_middle_is_well),
};

int
main(void)
{
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
