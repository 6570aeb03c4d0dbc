/*
 * spf_fuzz - both SPF engines with a sender and a DNS of the fuzzer's choice
 *
 * Input, in lines: flags, sender, HELO, then one line per DNS answer in the
 * order of the questions. A line that begins with "!" is a failure, "?" no
 * data, "." no such name; else it is the text of a TXT record, the octets of
 * an address, or the name of a host, several separated by "|".
 */
#include <config.h>

#include <stdlib.h>

#include "auth/spf.h"
#include "base/builder.h"
#include "dns/lookups.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define RECORDS_MAX 16

static struct slice script;

static struct slice
next_line(void)
{
	struct slice line;

	script = slice_split(script, '\n', &line);
	return line;
}

static void
append_rdata(struct builder *builder, struct slice text, enum dns_type type)
{
	if (type == DNS_TYPE_TXT) {
		do {
			struct slice part = slice_range(text, 0, 255);

			builder_byte(builder, (char)part.length);
			builder_slice(builder, part);
			text = slice_skip(text, part.length);
		} while (text.length > 0);
	} else if (type == DNS_TYPE_A || type == DNS_TYPE_AAAA) {
		builder_slice(
		    builder, slice_range(text, 0, type == DNS_TYPE_A ? 4 : 16));
	} else {
		if (type == DNS_TYPE_MX)
			builder_text(builder, "aa");
		while (text.length > 0) {
			struct slice label;

			text = slice_split(text, '.', &label);
			builder_byte(builder, (char)label.length);
			builder_slice(builder, label);
		}
		builder_byte(builder, 0);
	}
}

static struct dns_reply *
ask(struct resolver *resolver, struct slice name, enum dns_type type,
    resolver_done done, void *context)
{
	struct arena *arena = arena_new(0, NULL);
	struct slice line = next_line(), records[RECORDS_MAX];
	char first = line.length == 0 ? '.' : line.data[0];
	enum dns_state state = first == '!'   ? DNS_TEMPERROR
			       : first == '?' ? DNS_NODATA
			       : first == '.' ? DNS_NXDOMAIN
					      : DNS_FOUND;
	struct dns_reply *reply;
	size_t count = 0;

	(void)resolver;
	(void)name;
	while (state == DNS_FOUND && line.length > 0 && count < RECORDS_MAX) {
		struct builder rdata = builder_make(arena, 65535);
		struct slice text;

		line = slice_split(line, '|', &text);
		append_rdata(&rdata, text, type);
		records[count++] = builder_result(&rdata);
	}
	reply = dns_reply_new(state, 60, slice_make(NULL, 0), records, count);
	arena_free(&arena);
	if (reply != NULL && first == '!' && reply->state == DNS_TEMPERROR)
		reply->timed_out = true;
	/* every other answer comes later, as from a network */
	if (reply == NULL || script.length % 2 == 0)
		return reply;
	done(context, reply);
	return NULL;
}

static bool
is_down(const struct resolver *resolver)
{
	(void)resolver;
	return false;
}

static void
free_nothing(struct resolver *resolver)
{
	(void)resolver;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct resolver_class class = { .name = "fuzz",
		.ask = ask,
		.is_down = is_down,
		.free = free_nothing };
	struct resolver resolver = { .class = &class };
	struct arena *arena = arena_new((size_t)4 << 20, NULL);
	struct lookups *lookups = lookups_new(arena, &resolver, NULL);
	struct spf_query query = { .now_unix = 1, .receiver = { "mx", 2 } };
	struct spf_outcome outcome;
	struct spf_eval *eval;
	struct slice flags;
	bool v6, libspf2;
	enum tc_status status = TC_AGAIN;

	script = slice_make(data, size);
	flags = next_line();
	v6 = flags.length > 0 && (flags.data[0] & 1) != 0;
	libspf2 = flags.length > 0 && (flags.data[0] & 2) != 0;
	ipaddr_parse(
	    v6 ? SLICE_LITERAL("2001:db8::1") : SLICE_LITERAL("97.97.97.97"),
	    &query.client);
	query.sender = next_line();
	query.helo = next_line();
	eval = spf_eval_new(arena, lookups, &query, NULL,
	    libspf2 ? SPF_ENGINE_LIBSPF2 : SPF_ENGINE_NATIVE);
	for (int i = 0; eval != NULL && status == TC_AGAIN; i++) {
		status = spf_eval_step(eval, &outcome);
		/* Each step asks at least one question more. */
		if (i > 400)
			abort();
		lookups_wait(lookups, 0);
	}
	if (eval != NULL && status == TC_OK) {
		struct slice header =
		    spf_received_header(arena, &query, &outcome);

		for (size_t i = 0; i < header.length; i++)
			if ((unsigned char)header.data[i] > 0x7e ||
			    header.data[i] == '\r' || header.data[i] == '\0')
				abort();
		if (!libspf2 && outcome.terms > 10)
			abort();
	}
	lookups_free(&lookups);
	arena_free(&arena);
	return 0;
}
