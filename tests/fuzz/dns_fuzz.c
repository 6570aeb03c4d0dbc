/*
 * dns_fuzz - RDATA of strangers and zone texts
 *
 * First octet even: the rest is RDATA, read as each type. Odd: a zone text,
 * which is asked for its own first words.
 */
#include <config.h>

#include <stdlib.h>

#include "dns/lookups.h"
#include "dns/resolver_zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
read_rdata(struct arena *arena, struct slice rdata)
{
	static const enum dns_type types[] = { DNS_TYPE_A, DNS_TYPE_AAAA,
		DNS_TYPE_TXT, DNS_TYPE_MX, DNS_TYPE_PTR };

	for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
		struct dns_answer answer = {
			.type = types[i], .record_count = 1, .records = &rdata
		};
		struct slice text = { 0 };
		struct ipaddr address;

		dns_answer_address(&answer, 0, &address);
		dns_answer_preference(&answer, 0);
		if (dns_answer_text(arena, &answer, 0, &text) &&
		    text.length >= rdata.length)
			abort();
		if (dns_answer_name(arena, &answer, 0, &text) &&
		    text.length > 0 && !dns_name_is_sound(text))
			abort();
	}
}

static void
read_zone(struct arena *arena, struct slice text)
{
	char problem[RESOLVER_PROBLEM_MAX];
	struct resolver *resolver = resolver_zone_new(text, problem);
	struct lookups *lookups;

	if (resolver == NULL)
		return;
	lookups = lookups_new(arena, resolver, NULL);
	for (int i = 0; i < 20 && text.length > 0; i++) {
		size_t length = 0;

		while (length < text.length && text.data[length] > ' ')
			length++;
		lookups_ask(lookups, slice_range(text, 0, length), DNS_TYPE_A);
		lookups_ask(
		    lookups, slice_range(text, 0, length), DNS_TYPE_TXT);
		text = slice_split(text, '\n', &(struct slice){ 0 });
	}
	lookups_expire(lookups);
	if (lookups_pending(lookups))
		abort();
	lookups_free(&lookups);
	resolver_free(&resolver);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new((size_t)4 << 20, NULL);

	if (size > 0 && data[0] % 2 == 0)
		read_rdata(arena, slice_make(data + 1, size - 1));
	else if (size > 0)
		read_zone(arena, slice_make(data + 1, size - 1));
	arena_free(&arena);
	return 0;
}
