#include <config.h>

#include <arpa/inet.h>
#include <stdio.h>

#include "base/ipaddr.h"

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

struct ipaddr
ipaddr_from_v4(const uint8_t octets[4])
{
	struct ipaddr address;

	memcpy(address.octets, mapped_prefix, sizeof mapped_prefix);
	memcpy(address.octets + 12, octets, 4);
	return address;
}

struct ipaddr
ipaddr_from_v6(const uint8_t octets[16])
{
	struct ipaddr address;

	memcpy(address.octets, octets, 16);
	return address;
}

bool
ipaddr_is_v4(const struct ipaddr *address)
{
	return memcmp(address->octets, mapped_prefix, sizeof mapped_prefix) ==
	       0;
}

/* glibc's inet_pton takes leading zeros in no case; four decimal parts only. */
bool
ipaddr_parse(struct slice text, struct ipaddr *address_out)
{
	char copy[IPADDR_TEXT_MAX];
	uint8_t octets[16];

	/* Most of what is asked about is a name. */
	if (text.length == 0 || text.length >= sizeof copy ||
	    (ascii_hex_value(text.data[0]) < 0 && text.data[0] != ':') ||
	    (ascii_hex_value(text.data[text.length - 1]) < 0 &&
		text.data[text.length - 1] != ':') ||
	    slice_find_byte(text, '\0') != (size_t)-1)
		return false;
	memcpy(copy, text.data, text.length);
	copy[text.length] = '\0';
	if (inet_pton(AF_INET, copy, octets) == 1) {
		*address_out = ipaddr_from_v4(octets);
		return true;
	}
	if (inet_pton(AF_INET6, copy, octets) == 1) {
		*address_out = ipaddr_from_v6(octets);
		return true;
	}
	return false;
}

struct ipaddr
ipaddr_mask(const struct ipaddr *address, unsigned prefix_length)
{
	struct ipaddr masked = *address;

	for (unsigned i = 0; i < 16; i++) {
		unsigned keep =
		    prefix_length > i * 8 ? prefix_length - i * 8 : 0;

		if (keep < 8)
			masked.octets[i] &= (uint8_t)(0xff00u >> keep);
	}
	return masked;
}

bool
ipaddr_network_parse(
    struct slice text, struct ipaddr_network *network_out, bool *host_bits_out)
{
	struct slice rest, head;
	struct ipaddr address;
	unsigned long length = 128;
	bool v4;

	rest = slice_split(text, '/', &head);
	if (!ipaddr_parse(head, &address))
		return false;
	v4 = slice_find_byte(head, ':') == (size_t)-1;
	if (head.length < text.length) {
		if (!slice_parse_number(rest, v4 ? 32 : 128, &length))
			return false;
		if (v4)
			length += 96;
	}
	network_out->prefix_length = (uint8_t)length;
	network_out->address = ipaddr_mask(&address, (unsigned)length);
	if (host_bits_out != NULL)
		*host_bits_out = !ipaddr_equal(&network_out->address, &address);
	return true;
}

bool
ipaddr_equal(const struct ipaddr *a, const struct ipaddr *b)
{
	return memcmp(a->octets, b->octets, 16) == 0;
}

bool
ipaddr_in_network(
    const struct ipaddr *address, const struct ipaddr_network *network)
{
	unsigned whole = network->prefix_length / 8;
	unsigned bits = network->prefix_length % 8;

	/* ::/0 is every IPv6 address, but no IPv4 one. */
	if (network->prefix_length < 96 && ipaddr_is_v4(address))
		return false;
	if (memcmp(address->octets, network->address.octets, whole) != 0)
		return false;
	return bits == 0 ||
	       ((address->octets[whole] ^ network->address.octets[whole]) &
		   (0xff00u >> bits) & 0xffu) == 0;
}

const char *
ipaddr_format(const struct ipaddr *address, char text[IPADDR_TEXT_MAX])
{
	if (ipaddr_is_v4(address))
		inet_ntop(AF_INET, address->octets + 12, text, IPADDR_TEXT_MAX);
	else
		inet_ntop(AF_INET6, address->octets, text, IPADDR_TEXT_MAX);
	return text;
}

/* The first octets of a network; all IPv4 ones lie below ::ffff:0:0/96. */
struct special {
	uint8_t octets[4];
	uint8_t length; /* of the prefix, in bits of these */
};

/* IANA IPv4 and IPv6 special-purpose address registries, and multicast. */
static const struct special special_v4[] = {
	{ { 0 }, 8 },
	{ { 10 }, 8 },
	{ { 100, 64 }, 10 },
	{ { 127 }, 8 },
	{ { 169, 254 }, 16 },
	{ { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 },
	{ { 192, 0, 2 }, 24 },
	{ { 192, 88, 99 }, 24 },
	{ { 192, 168 }, 16 },
	{ { 198, 18 }, 15 },
	{ { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 },
	{ { 224 }, 4 },
	{ { 240 }, 4 },
};

static const struct special special_v6[] = {
	{ { 0x20, 0x01, 0x0d, 0xb8 }, 32 },
	{ { 0x3f, 0xff }, 20 },
	{ { 0x5f, 0x00 }, 16 },
	{ { 0xfc }, 7 },
	{ { 0xfe, 0x80 }, 10 },
	{ { 0xfe, 0xc0 }, 10 },
	{ { 0xff }, 8 },
};

static uint32_t
word_of(const uint8_t octets[4])
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 |
	       (uint32_t)octets[2] << 8 | octets[3];
}

static bool
starts_special(
    const uint8_t octets[4], const struct special *networks, size_t count)
{
	uint32_t word = word_of(octets);

	for (size_t i = 0; i < count; i++)
		if ((word ^ word_of(networks[i].octets)) >>
			(32 - networks[i].length) ==
		    0)
			return true;
	return false;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

bool
ipaddr_is_special(const struct ipaddr *address)
{
	static const uint8_t local_nat64[6] = { 0x00, 0x64, 0xff, 0x9b, 0x00,
		0x01 };                                   /* 64:ff9b:1::/48 */
	static const uint8_t discard[8] = { 0x01, 0x00 }; /* 100::/64 */
	static const uint8_t zeros[15];
	const uint8_t *octets = address->octets;

	if (ipaddr_is_v4(address))
		return starts_special(
		    octets + 12, special_v4, COUNT(special_v4));
	/* :: and ::1 */
	if (memcmp(octets, zeros, sizeof zeros) == 0 && octets[15] <= 1)
		return true;
	return memcmp(octets, local_nat64, sizeof local_nat64) == 0 ||
	       memcmp(octets, discard, sizeof discard) == 0 ||
	       starts_special(octets, special_v6, COUNT(special_v6));
}

bool
ipaddr_is_loopback(const struct ipaddr *address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (ipaddr_is_v4(address))
		return address->octets[12] == 127;
	return memcmp(address->octets, loopback6, 16) == 0;
}
