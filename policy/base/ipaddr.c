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

	if (text.length == 0 || text.length >= sizeof copy ||
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
	struct ipaddr masked = ipaddr_mask(address, network->prefix_length);

	/* ::/0 is every IPv6 address, but no IPv4 one. */
	if (network->prefix_length < 96 && ipaddr_is_v4(address))
		return false;
	return ipaddr_equal(&masked, &network->address);
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

/* IANA IPv4 and IPv6 special-purpose address registries, and multicast. */
static const char *const special_networks[] = { "0.0.0.0/8", "10.0.0.0/8",
	"100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
	"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16",
	"198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4",
	"240.0.0.0/4", "::/128", "::1/128", "64:ff9b:1::/48", "100::/64",
	"2001:db8::/32", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10",
	"fec0::/10", "ff00::/8" };

bool
ipaddr_is_special(const struct ipaddr *address)
{
	for (size_t i = 0;
	     i < sizeof special_networks / sizeof special_networks[0]; i++) {
		struct ipaddr_network network;

		if (ipaddr_network_parse(
			slice_text(special_networks[i]), &network, NULL) &&
		    ipaddr_in_network(address, &network))
			return true;
	}
	return false;
}

bool
ipaddr_is_loopback(const struct ipaddr *address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (ipaddr_is_v4(address))
		return address->octets[12] == 127;
	return memcmp(address->octets, loopback6, 16) == 0;
}
