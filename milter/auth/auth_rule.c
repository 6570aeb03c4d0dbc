#include <config.h>

#include <string.h>

#include "auth/auth_rule.h"

static const struct {
	const char *reason;
	const char *rule;
} rules[] = {
	/* the tags of a signature */
	{ "no tags", "RFC 6376, 3.2" },
	{ "tag without =", "RFC 6376, 3.2" },
	{ "bad tag name", "RFC 6376, 3.2" },
	{ "tag stands twice", "RFC 6376, 3.2" },
	{ "too many tags", "our limit; RFC 6376, 6.1.1" },
	{ "control in a tag's value", "RFC 6376, 3.2" },
	{ "no version, v=", "RFC 6376, 6.1.1" },
	{ "unknown version", "RFC 6376, 6.1.1" },
	{ "no domain, d=", "RFC 6376, 6.1.1" },
	{ "d= is no domain name", "RFC 6376, 3.5" },
	{ "no selector, s=", "RFC 6376, 6.1.1" },
	{ "s= is no domain name", "RFC 6376, 3.5" },
	{ "i= is no identity", "RFC 6376, 3.5" },
	{ "i= is not within d=", "RFC 6376, 6.1.1" },
	{ "no algorithm, a=", "RFC 6376, 6.1.1" },
	{ "unknown algorithm, a=", "RFC 6376, 3.5" },
	{ "rsa-sha1 does not count", "RFC 8301, 3.1" },
	{ "no signature, b=", "RFC 6376, 6.1.1" },
	{ "no body hash, bh=", "RFC 6376, 6.1.1" },
	{ "b= or bh= is no base64", "RFC 6376, 3.5" },
	{ "bh= has not the size of its hash", "RFC 6376, 3.5" },
	{ "unknown canonical form, c=", "RFC 6376, 3.5" },
	{ "no headers, h=", "RFC 6376, 6.1.1" },
	{ "From is not signed", "RFC 6376, 6.1.1" },
	{ "too many headers in h=", "our limit; RFC 6376, 6.1.1" },
	{ "l= is no number", "RFC 6376, 3.5" },
	{ "l= is beyond the body's end", "RFC 6376, 3.5" },
	{ "unknown way to the key, q=", "RFC 6376, 3.5" },
	{ "t= is no time", "RFC 6376, 3.5" },
	{ "x= is no time", "RFC 6376, 3.5" },
	{ "x= is before t=", "RFC 6376, 3.5" },
	{ "signature has expired", "RFC 6376, 6.1.1" },
	{ "signed in the future", "RFC 6376, 3.5" },
	/* its key */
	{ "no key at the selector", "RFC 6376, 6.1.2" },
	{ "several key records", "RFC 6376, 3.6.2.2" },
	{ "key record not readable", "RFC 6376, 6.1.2" },
	{ "key record too long", "our limit; RFC 6376, 6.1.2" },
	{ "key record without p=", "RFC 6376, 3.6.1" },
	{ "key not readable", "RFC 6376, 3.6.1" },
	{ "key was revoked", "RFC 6376, 3.6.1" },
	{ "key is not for mail", "RFC 6376, 3.6.1" },
	{ "unknown key type", "RFC 6376, 6.1.2" },
	{ "unknown key version", "RFC 6376, 3.6.1" },
	{ "v= is not the first tag of the key", "RFC 6376, 3.6.1" },
	{ "no answer about the key", "RFC 6376, 6.1.2" },
	{ "no answer about the key in time", "RFC 6376, 6.1.2" },
	{ "key is of another type", "RFC 6376, 6.1.2" },
	{ "key does not allow the hash", "RFC 6376, 6.1.2" },
	{ "key does not allow subdomains in i=", "RFC 6376, 3.6.1" },
	{ "key is too small", "RFC 8301, 3.2" },
	{ "key is too large", "our limit; RFC 8301, 3.2" },
	/* what it signs */
	{ "body hash differs", "RFC 6376, 6.1.3" },
	{ "signature differs", "RFC 6376, 6.1.3" },
	{ "signature could not be processed", "RFC 6376, 6.1.3" },
	/* ARC */
	{ "i= is no instance", "RFC 8617, 4.2.1" },
	{ "no chain result, cv=", "RFC 8617, 4.1.3" },
	{ "seal with h=", "RFC 8617, 4.1.3" },
	{ "h= names ARC-Seal", "RFC 8617, 4.1.2" },
	{ "a chain with l= does not count", "our choice; RFC 8617, 4.1.2" },
	{ "results without an instance", "RFC 8617, 4.1.1" },
	{ "signature without an instance", "RFC 8617, 4.2.1" },
	{ "too many instances", "RFC 8617, 5.2, step 1" },
	{ "a field stands twice in an instance", "RFC 8617, 5.2, step 3" },
	{ "an instance is not complete", "RFC 8617, 5.2, step 3" },
	{ "cv= does not say that it was whole", "RFC 8617, 5.2, step 3" },
	{ "body hash of the newest instance differs", "RFC 8617, 5.2, step 4" },
	{ "signature of the newest instance differs", "RFC 8617, 5.2, step 4" },
	{ "a seal does not verify", "RFC 8617, 5.2, step 6" },
	/* DMARC */
	{ "aligned", "RFC 9989, 4.10.2 and 5.3.5" },
	{ "nothing passed and aligned", "RFC 9989, 4.10.2 and 5.3.5" },
	{ "no DMARC record applies", "RFC 9989, 4.10.1 and 5.3.2" },
	{ "no answer about the DMARC record", "RFC 9989, 4.10.1 and 5.3.6" },
	{ "no answer about a DMARC record", "RFC 9989, 4.10.1 and 5.3.6" },
	{ "an identifier could not be judged for now", "RFC 9989, 5.3.6" },
	{ "no answer whether the author domain exists",
	    "RFC 9989, 3.2.13 and 5.3.6" },
	{ "no author domain", "RFC 9989, 5.3.1" },
	{ "not exactly one author domain", "RFC 9989, 5.3.1 and 11.5" },
};

const char *
auth_rule(const char *reason)
{
	if (reason == NULL)
		return NULL;
	for (size_t i = 0; i < sizeof rules / sizeof rules[0]; i++)
		if (strcmp(reason, rules[i].reason) == 0)
			return rules[i].rule;
	return NULL;
}
