#include <config.h>

#include <stdio.h>
#include <stdlib.h>

#include "base/builder.h"
#include "dns/dns.h"

#define LABEL_MAX       63
#define NAME_MAX_OCTETS 253

static size_t
place(struct dns_reply *reply, size_t at, struct slice source,
    struct slice *target)
{
	char *bytes = (char *)reply + at;

	if (source.length > 0)
		memcpy(bytes, source.data, source.length);
	*target = slice_make(bytes, source.length);
	return at + source.length;
}

struct dns_reply *
dns_reply_new(enum dns_state state, uint32_t ttl_s, struct slice canonical_name,
    const struct slice *records, size_t record_count)
{
	size_t size, at;
	struct dns_reply *reply;

	if (record_count > 65535 || canonical_name.length > 65535)
		return NULL;
	at = sizeof *reply + record_count * sizeof records[0];
	size = at + canonical_name.length;
	for (size_t i = 0; i < record_count; i++) {
		if (records[i].length > 65535)
			return NULL;
		size += records[i].length;
	}
	reply = malloc(size);
	if (reply == NULL)
		return NULL;
	memset(reply, 0, sizeof *reply);
	atomic_init(&reply->references, 1);
	reply->state = state;
	reply->ttl_s = ttl_s;
	reply->bytes = size;
	reply->record_count = record_count;
	at = place(reply, at, canonical_name, &reply->canonical_name);
	for (size_t i = 0; i < record_count; i++)
		at = place(reply, at, records[i], &reply->records[i]);
	return reply;
}

struct dns_reply *
dns_reply_hold(struct dns_reply *reply)
{
	atomic_fetch_add_explicit(&reply->references, 1, memory_order_relaxed);
	return reply;
}

void
dns_reply_release(struct dns_reply **reply)
{
	struct dns_reply *old = *reply;

	*reply = NULL;
	if (old != NULL && atomic_fetch_sub_explicit(
			       &old->references, 1, memory_order_acq_rel) == 1)
		free(old);
}

bool
dns_answer_address(
    const struct dns_answer *answer, size_t index, struct ipaddr *address_out)
{
	struct slice rdata;

	if (index >= answer->record_count)
		return false;
	rdata = answer->records[index];
	if (answer->type == DNS_TYPE_A && rdata.length == 4) {
		*address_out = ipaddr_from_v4((const uint8_t *)rdata.data);
		return true;
	}
	if (answer->type == DNS_TYPE_AAAA && rdata.length == 16) {
		*address_out = ipaddr_from_v6((const uint8_t *)rdata.data);
		return true;
	}
	return false;
}

/* True when the lengths of the character-strings add up. */
static bool
strings_are_sound(struct slice rdata)
{
	size_t at = 0;

	while (at < rdata.length)
		at += (size_t)(unsigned char)rdata.data[at] + 1;
	return rdata.length > 0 && at == rdata.length;
}

bool
dns_text_join(struct arena *arena, struct slice rdata, struct slice *text_out)
{
	struct builder builder;

	if (!strings_are_sound(rdata))
		return false;
	if ((size_t)(unsigned char)rdata.data[0] + 1 == rdata.length) {
		*text_out = slice_skip(rdata, 1);
		return true;
	}
	builder = builder_make(arena, rdata.length);
	while (rdata.length > 0) {
		size_t length = (unsigned char)rdata.data[0];

		builder_slice(&builder, slice_range(rdata, 1, length + 1));
		rdata = slice_skip(rdata, length + 1);
	}
	if (builder.failed)
		return false;
	*text_out = builder_result(&builder);
	return true;
}

bool
dns_answer_text(struct arena *arena, const struct dns_answer *answer,
    size_t index, struct slice *text_out)
{
	if (index >= answer->record_count)
		return false;
	return dns_text_join(arena, answer->records[index], text_out);
}

/* Reads an uncompressed name from the front of `wire`. */
static bool
name_read(struct arena *arena, struct slice wire, struct slice *name_out)
{
	char text[256];
	size_t length = 0;

	for (;;) {
		size_t label;

		if (wire.length == 0)
			return false;
		label = (unsigned char)wire.data[0];
		if (label == 0)
			break;
		if (label > LABEL_MAX || label >= wire.length ||
		    length + label + 1 > sizeof text)
			return false;
		if (memchr(wire.data + 1, '.', label) != NULL)
			return false;
		if (length > 0)
			text[length++] = '.';
		memcpy(text + length, wire.data + 1, label);
		length += label;
		wire = slice_skip(wire, label + 1);
	}
	if (length > NAME_MAX_OCTETS)
		return false;
	*name_out = arena_copy(arena, slice_make(text, length));
	return name_out->data != NULL;
}

bool
dns_answer_name(struct arena *arena, const struct dns_answer *answer,
    size_t index, struct slice *name_out)
{
	struct slice rdata;

	if (index >= answer->record_count)
		return false;
	rdata = answer->records[index];
	if (answer->type == DNS_TYPE_MX)
		rdata = slice_skip(rdata, 2);
	return name_read(arena, rdata, name_out);
}

unsigned
dns_answer_preference(const struct dns_answer *answer, size_t index)
{
	const unsigned char *octets;

	if (index >= answer->record_count || answer->records[index].length < 2)
		return 65535;
	octets = (const unsigned char *)answer->records[index].data;
	return octets[0] * 256u + octets[1];
}

const char *
dns_reverse_name(const struct ipaddr *address, char text[DNS_REVERSE_MAX])
{
	static const char digits[] = "0123456789abcdef";
	char *at = text;

	if (ipaddr_is_v4(address)) {
		const uint8_t *octets = address->octets + 12;

		snprintf(text, DNS_REVERSE_MAX, "%u.%u.%u.%u.in-addr.arpa",
		    octets[3], octets[2], octets[1], octets[0]);
		return text;
	}
	for (int i = 15; i >= 0; i--) {
		*at++ = digits[address->octets[i] & 15];
		*at++ = '.';
		*at++ = digits[address->octets[i] >> 4];
		*at++ = '.';
	}
	memcpy(at, "ip6.arpa", sizeof "ip6.arpa");
	return text;
}

bool
dns_name_is_sound(struct slice name)
{
	size_t label = 0;

	if (name.length > 0 && name.data[name.length - 1] == '.')
		name.length--;
	if (name.length == 0 || name.length > NAME_MAX_OCTETS)
		return false;
	for (size_t i = 0; i < name.length; i++) {
		if (name.data[i] != '.') {
			if (++label > LABEL_MAX)
				return false;
			continue;
		}
		if (label == 0)
			return false;
		label = 0;
	}
	return label > 0;
}

const char *
dns_type_name(enum dns_type type)
{
	switch (type) {
	case DNS_TYPE_A:
		return "A";
	case DNS_TYPE_NS:
		return "NS";
	case DNS_TYPE_CNAME:
		return "CNAME";
	case DNS_TYPE_SOA:
		return "SOA";
	case DNS_TYPE_PTR:
		return "PTR";
	case DNS_TYPE_MX:
		return "MX";
	case DNS_TYPE_TXT:
		return "TXT";
	case DNS_TYPE_AAAA:
		return "AAAA";
	case DNS_TYPE_SPF:
		return "SPF";
	}
	return "TYPE?";
}

const char *
dns_state_name(enum dns_state state)
{
	static const char *const names[] = { [DNS_PENDING] = "pending",
		[DNS_FOUND] = "found",
		[DNS_NODATA] = "nodata",
		[DNS_NXDOMAIN] = "nxdomain",
		[DNS_TEMPERROR] = "temperror" };

	return names[state];
}
